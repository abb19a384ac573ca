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

/* Kerberos tickets of one account, got with its password and kept in memory; any number of initiators. */
struct auth_tickets;
/* account: "name@REALM", or "name" in the default realm of krb5.conf. Waits for the KDC:
 * SEC_E_LOGON_DENIED for an unknown account or a wrong password, SEC_E_NO_AUTHENTICATING_AUTHORITY. */
struct auth_tickets *
auth_tickets_new(const char *account, const char *password, struct err *e) MUST_CHECK;
/* Has the KDC asked for the service ticket that initiators for `target` will need; waits for it. */
int
auth_tickets_fetch(struct auth_tickets *t, const char *target, struct err *e) MUST_CHECK;
/* NULL is fine. After the last initiator. */
void
auth_tickets_free(struct auth_tickets *t);

struct auth_initiate {
	/* NTLM's; NULL: Kerberos, with these tickets, or (NULL) as the account of the environment's
	 * credential cache (KRB5CCNAME) */
	const struct auth_identity *identity;
	const struct auth_tickets *tickets; /* lent for the initiator's life */
	const char
	    *target; /* SPN of the server, "host/ca01.corp.contoso.com"; NULL: not told; Kerberos needs it */
	bool sign, seal; /* what messages will need; seal includes signing */
};

/* Kerberos is in DCE style; its first step may wait for a KDC. In SPNEGO: Kerberos without an identity, else
 * NTLM. */
struct auth_ctx *
auth_initiator_new(enum auth_mech mech, const struct auth_initiate *how, struct err *e) MUST_CHECK;

#endif
