/* Between the initiators of this folder and their tests. */
#ifndef ADCSD_AUTH_INITIATOR_PRIV_H
#define ADCSD_AUTH_INITIATOR_PRIV_H

#include "auth/initiator.h"
#include "base/clock.h"

/* What an NTLM initiator draws; tests against published examples set it. */
struct ntlm_initiator_chance {
	uint8_t client_challenge[8];
	uint8_t session_key[16];
	filetime_t now; /* for a challenge without MsvAvTimestamp */
};

struct auth_ctx *
ntlm_initiator_new(const struct auth_initiate *how, struct err *e) MUST_CHECK;
struct auth_ctx *
ntlm_initiator_new_with(
    const struct auth_initiate *how, const struct ntlm_initiator_chance *chance, struct err *e) MUST_CHECK;
struct auth_ctx *
kerberos_initiator_new(const struct auth_initiate *how, struct err *e) MUST_CHECK;
/* inner: an initiator of the mechanism `oid` (dotted, static storage); taken even on failure. */
struct auth_ctx *
spnego_initiator_new(struct auth_ctx *inner, const char *oid, struct err *e) MUST_CHECK;

#endif
