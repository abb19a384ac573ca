/*
 * What an authentication mechanism is, inside this folder. Each kind of context (NTLM, Kerberos,
 * SPNEGO) starts with a struct auth_ctx and brings a table of operations; auth_ctx.c does what is common
 * to all. SPNEGO drives its inner mechanism through the public functions of auth.h plus the list_mic
 * operations.
 */
#ifndef ADCSD_AUTH_AUTH_PRIV_H
#define ADCSD_AUTH_AUTH_PRIV_H

#include "auth/auth.h"

struct auth_ops {
	/* Must end in auth_step_done(), now or later; not again after fini. */
	void (*step)(struct auth_ctx *c, struct bytes token);
	/* Cancels what is under way, wipes and frees all but auth_ctx's own members and the memory of the
	 * context. */
	void (*fini)(struct auth_ctx *c);
	const char *(*package)(const struct auth_ctx *c);
	/* Asked after AUTH_COMPLETE only, as all that follow. */
	bool (*can_sign)(const struct auth_ctx *c);
	bool (*can_seal)(const struct auth_ctx *c);
	size_t (*sig_len)(const struct auth_ctx *c, bool seal);
	int (*protect)(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len,
	    bool seal, bool header_signing, uint8_t *sig, struct err *e);
	int (*unprotect)(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len,
	    bool seal, bool header_signing, struct bytes sig, struct err *e);
	/* For SPNEGO (RFC 4178 section 5): signs and checks the list of mechanisms. NULL where it cannot be
	 * nested. */
	int (*list_mic_put)(struct auth_ctx *c, struct bytes list, struct buf *out, struct err *e);
	int (*list_mic_check)(struct auth_ctx *c, struct bytes list, struct bytes mic, struct err *e);
	/* Must the list be signed even if the client's favourite was chosen? */
	bool (*list_mic_due)(const struct auth_ctx *c);
};

struct auth_ctx {
	const struct auth_ops *ops;
	enum auth_state state;
	struct token *token; /* a reference, from AUTH_COMPLETE on */
	auth_step_fn *cb;    /* of the step under way, else NULL */
	void *arg;
};

/*
 * Ends the step under way and calls back. The context may be gone afterwards, so it is the last thing a step
 * does; `answer` must not live in the context.
 */
void
auth_step_done(struct auth_ctx *c, enum auth_state st, struct bytes answer, const struct err *e);

/* What SPNEGO may choose from. A further mechanism is a row, a constructor and its operations. */
struct auth_mech_row {
	const char *nested_name; /* auth_ctx_package() inside SPNEGO */
	const char *const *oids; /* dotted, NULL-terminated: what clients call it */
	struct auth_ctx *(*create)(
	    const struct auth_names *names, const struct auth_authority *authority, struct err *e);
	bool (*served)(const struct auth_authority *authority); /* NULL: always */
};
extern const struct auth_mech_row auth_mechs[];
extern const size_t auth_mechs_count;

struct auth_ctx *
ntlm_acceptor_new(
    const struct auth_names *names, const struct auth_authority *authority, struct err *e) MUST_CHECK;
struct auth_ctx *
kerberos_acceptor_new(
    const struct auth_names *names, const struct auth_authority *authority, struct err *e) MUST_CHECK;
struct auth_ctx *
spnego_acceptor_new(
    const struct auth_names *names, const struct auth_authority *authority, struct err *e) MUST_CHECK;

#endif
