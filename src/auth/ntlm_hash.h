/* NTLM one-way functions (MS-NLMP 3.3.2), for whoever holds the secrets. MD4 and RC4 come from OpenSSL's
 * legacy provider in a private library context, never in the default one. */
#ifndef ADCSD_AUTH_NTLM_HASH_H
#define ADCSD_AUTH_NTLM_HASH_H

#include "auth/auth.h"

/* NTOWFv1: MD4 of the UTF-16LE password. */
int
ntlm_hash_password(uint8_t out[16], const char *utf8_password, struct err *e) MUST_CHECK;
/* Checks an NTLMv2 response against an NT hash. 0 and the session base key, or -1 with E_LOGON_FAILURE.
 * Constant-time comparison. An LMv1/NTLMv1 response (24 octets) is refused. */
int
ntlm_check_proof(const struct auth_ntlm_proof *proof, const uint8_t nt_hash[16], uint8_t session_base_key[16],
    struct err *e) MUST_CHECK;

#endif
