/*
 * Acceptors: one security context of one peer, whichever front it came by (RPC now; HTTP and LDAP later).
 * NTLM (MS-NLMP) or Kerberos (RFC 4121, MS-KILE), raw or in SPNEGO (RFC 4178, MS-SPNG). Tokens in, tokens
 * out, then sign and seal.
 */
#ifndef ADCSD_AUTH_AUTH_H
#define ADCSD_AUTH_AUTH_H

#include "auth/token.h"
#include "base/buf.h"

#define AUTH_TOKEN_MAX 65536 /* longest token taken or made, octets */
#define AUTH_SIG_MAX 128     /* longest auth_ctx_sig_len() */

enum auth_mech {
	AUTH_MECH_SPNEGO = 9,
	AUTH_MECH_NTLM = 10,
	AUTH_MECH_KERBEROS = 16,
}; /* the RPC auth_type values (MS-RPCE 2.2.1.1.7) */

/* What a password check needs. The texts are UTF-8 of what the client sent; pointers live until the verdict.
 */
struct auth_ntlm_proof {
	const char *user;              /* as sent: "janedoe", "janedoe@contoso.com", "PFXCONN01$" */
	const char *domain;            /* as sent; may be "" */
	struct bytes user_upper_utf16; /* upper-cased user, UTF-16LE: first half of NTOWFv2's input */
	struct bytes domain_utf16;     /* exactly as sent, UTF-16LE */
	uint8_t server_challenge[8];
	struct bytes nt_response; /* NTProofStr (16) + blob */
};

/* What a ticket told, once it has been found good. Pointers live until the verdict. */
struct auth_kerberos_proof {
	const char *name;  /* without the realm: "janedoe", "PFXCONN01$"; UTF-8 */
	const char *realm; /* "CORP.CONTOSO.COM" */
	/* KERB_VALIDATION_INFO of the ticket's PAC (MS-PAC 2.5), whose signature is right; empty: there is
	 * none */
	struct bytes logon_info;
};

struct kerberos; /* auth/kerberos.h */

struct auth_verdict {
	uint8_t session_base_key[16]; /* MS-NLMP 3.3.2; Kerberos: unused */
	struct token *token;          /* a reference for the receiver */
};

/* Runs once, on the loop. v NULL: refused, e says why (E_LOGON_FAILURE, E_ACCOUNT_DISABLED, a directory
 * error). */
typedef void
auth_verdict_fn(void *arg, const struct auth_verdict *v, const struct err *e);

/* Who says whether a logon is good: asked for a verdict, never for a hash. */
struct auth_authority {
	void *ctx;
	/* Starts one check; cb may run before this returns. The proof must be copied if needed later. The
	 * returned handle cancels (cb will not run any more); NULL when cb has run already. */
	void *(*ntlm_verify)(void *ctx, const struct auth_ntlm_proof *proof, auth_verdict_fn *cb, void *arg);
	void (*cancel)(void *ctx, void *handle);
	/* NULL: Kerberos is not served. Must outlive the contexts. */
	struct kerberos *kerberos;
	/* The same for a ticket: whose token it gives, or why it gives none. */
	void *(*kerberos_verify)(
	    void *ctx, const struct auth_kerberos_proof *proof, auth_verdict_fn *cb, void *arg);
	/* Clients of this transport speak Kerberos in DCE style (three legs, tokens without the frame of
	 * RFC 2743 3.1), as over RPC; else as RFC 4121 says. */
	bool dce_style;
};

/* The names an NTLM challenge tells (MS-NLMP 2.2.2.1). UTF-8; all needed. */
struct auth_names {
	const char *nb_computer;  /* "CA01" */
	const char *nb_domain;    /* "CORP" */
	const char *dns_computer; /* "ca01.corp.contoso.com" */
	const char *dns_domain;   /* "corp.contoso.com" */
	const char *dns_tree;     /* forest */
};

struct auth_ctx;

enum auth_state {
	AUTH_NEED_TOKEN, /* send the answer, wait for the next leg */
	AUTH_COMPLETE,   /* caller known; an answer may still have to be sent (SPNEGO accept-completed) */
	AUTH_FAILED,
};

/* answer: token for the peer, empty when none is due; valid during the call, even if that frees the context.
 * With AUTH_FAILED it is SPNEGO's reject token or empty. e is set for AUTH_FAILED only. */
typedef void
auth_step_fn(void *arg, enum auth_state st, struct bytes answer, const struct err *e);

/* Names and authority must outlive the context. */
struct auth_ctx *
auth_ctx_new(enum auth_mech mech, const struct auth_names *names, const struct auth_authority *authority,
    struct err *e) MUST_CHECK;
/* NULL is fine; a running step is cancelled, its callback does not run. Keys are wiped. */
void
auth_ctx_free(struct auth_ctx *c);

/* One leg. cb runs exactly once unless the context is freed first; it may run before this returns, and it may
 * free the context. Only one step at a time. */
void
auth_ctx_step(struct auth_ctx *c, struct bytes token, auth_step_fn *cb, void *arg);

enum auth_state
auth_ctx_state(const struct auth_ctx *c);
/* Lent; NULL before AUTH_COMPLETE. */
struct token *
auth_ctx_token(const struct auth_ctx *c);
/* "NTLM", "Kerberos", "SPNEGO/NTLM", "SPNEGO/Kerberos" ("SPNEGO" before the choice): for journal and log. */
const char *
auth_ctx_package(const struct auth_ctx *c);
/* Was session security for this agreed (NTLMSSP_NEGOTIATE_SIGN / SEAL)? False before AUTH_COMPLETE. */
bool
auth_ctx_can_sign(const struct auth_ctx *c);
bool
auth_ctx_can_seal(const struct auth_ctx *c);

/*
 * Per-message protection over one PDU. `pdu` is the whole PDU up to the auth value (header .. sec_trailer);
 * the part [body_off, body_off + body_len) is stub + padding: sealed in place when seal is set, else only
 * signed. NTLM signs everything in `pdu`, whether or not header signing was agreed (extended session security
 * is always in use here; a client that wants to sign without it is refused at its first token); Kerberos
 * signs the rest of the PDU with header signing only. sig: auth_ctx_sig_len() octets, at most AUTH_SIG_MAX.
 */
size_t
auth_ctx_sig_len(const struct auth_ctx *c, bool seal);
int
auth_ctx_protect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len, bool seal,
    bool header_signing, uint8_t *sig, struct err *e) MUST_CHECK;
/* Opens in place; fails with SEC_E_MESSAGE_ALTERED when the signature is wrong. Sequence numbers advance. */
int
auth_ctx_unprotect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len, bool seal,
    bool header_signing, struct bytes sig, struct err *e) MUST_CHECK;

#endif
