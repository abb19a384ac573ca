/*
 * Initiators: the client's side of what auth.h accepts. The first step takes an empty token; auth_ctx_step(),
 * auth_ctx_protect() and their kin work as on an acceptor, and every step ends before the call returns.
 * auth_ctx_token() stays NULL: who the server is, is not told.
 */
#ifndef ADCSD_AUTH_INITIATOR_H
#define ADCSD_AUTH_INITIATOR_H

#include "auth/auth.h"

/* Who we say we are. Copied where needed. */
struct auth_identity {
	const char *domain;  /* UTF-8; "" for a UPN in user */
	const char *user;    /* UTF-8 */
	uint8_t nt_hash[16]; /* NTOWFv1, ntlm_hash_password() */
};

struct auth_initiate {
	/* NTLM's; NULL: Kerberos, as the account of the environment's credential cache (KRB5CCNAME) */
	const struct auth_identity *identity;
	const char
	    *target; /* SPN of the server, "host/ca01.corp.contoso.com"; NULL: not told; Kerberos needs it */
	bool sign, seal; /* what messages will need; seal includes signing */
};

/* Kerberos is in DCE style; its first step may wait for a KDC. In SPNEGO: Kerberos without an identity, else
 * NTLM. */
struct auth_ctx *
auth_initiator_new(enum auth_mech mech, const struct auth_initiate *how, struct err *e) MUST_CHECK;

#endif
