#include <assert.h>
#include <stdlib.h>

#include "auth/auth_priv.h"

static const char *const ntlm_oids[] = { "1.3.6.1.4.1.311.2.2.10", NULL };

/* Both names that Windows clients have for it: their own by a slip of old (MS-SPNG 2.2.1), and that of RFC
 * 4121. */
static const char *const kerberos_oids[] = { "1.2.840.48018.1.2.2", "1.2.840.113554.1.2.2", NULL };

static bool
kerberos_served(const struct auth_authority *authority)
{
	return authority->kerberos != NULL;
}

const struct auth_mech_row auth_mechs[] = {
	{ "SPNEGO/NTLM", ntlm_oids, ntlm_acceptor_new, NULL },
	{ "SPNEGO/Kerberos", kerberos_oids, kerberos_acceptor_new, kerberos_served },
};
const size_t auth_mechs_count = ARRAY_LEN(auth_mechs);

struct auth_ctx *
auth_ctx_new(enum auth_mech mech, const struct auth_names *names, const struct auth_authority *authority,
    struct err *e)
{
	switch (mech) {
	case AUTH_MECH_SPNEGO:
		return spnego_acceptor_new(names, authority, e);
	case AUTH_MECH_NTLM:
		return ntlm_acceptor_new(names, authority, e);
	case AUTH_MECH_KERBEROS:
		if (kerberos_served(authority))
			return kerberos_acceptor_new(names, authority, e);
		break;
	}
	(void)ERR(e, SEC_E_UNSUPPORTED_FUNCTION, "authentication type %d is not served", (int)mech);
	return NULL;
}

void
auth_ctx_free(struct auth_ctx *c)
{
	if (c == NULL)
		return;
	c->ops->fini(c);
	token_unref(c->token);
	free(c);
}

void
auth_ctx_step(struct auth_ctx *c, struct bytes token, auth_step_fn *cb, void *arg)
{
	struct err e;

	assert(c->cb == NULL); /* one step at a time */
	c->cb = cb;
	c->arg = arg;
	if (c->state != AUTH_NEED_TOKEN) {
		(void)ERR(&e, SEC_E_INVALID_TOKEN, "authentication token after the exchange has ended");
		auth_step_done(c, AUTH_FAILED, (struct bytes){ NULL, 0 }, &e);
		return;
	}
	if (token.len > AUTH_TOKEN_MAX) {
		(void)ERR(&e, SEC_E_INVALID_TOKEN, "authentication token of %zu octets", token.len);
		auth_step_done(c, AUTH_FAILED, (struct bytes){ NULL, 0 }, &e);
		return;
	}
	c->ops->step(c, token);
}

void
auth_step_done(struct auth_ctx *c, enum auth_state st, struct bytes answer, const struct err *e)
{
	auth_step_fn *cb = c->cb;

	c->cb = NULL;
	c->state = st;
	cb(c->arg, st, answer, st == AUTH_FAILED ? e : NULL);
}

enum auth_state
auth_ctx_state(const struct auth_ctx *c)
{
	return c->state;
}

struct token *
auth_ctx_token(const struct auth_ctx *c)
{
	return c->state == AUTH_COMPLETE ? c->token : NULL;
}

const char *
auth_ctx_package(const struct auth_ctx *c)
{
	return c->ops->package(c);
}

bool
auth_ctx_can_sign(const struct auth_ctx *c)
{
	return c->state == AUTH_COMPLETE && c->ops->can_sign(c);
}

bool
auth_ctx_can_seal(const struct auth_ctx *c)
{
	return c->state == AUTH_COMPLETE && c->ops->can_seal(c);
}

size_t
auth_ctx_sig_len(const struct auth_ctx *c, bool seal)
{
	return c->state == AUTH_COMPLETE ? c->ops->sig_len(c, seal) : 0;
}

/* What both directions ask first. */
static int
check_protection(
    const struct auth_ctx *c, size_t len, size_t body_off, size_t body_len, bool seal, struct err *e)
{
	if (c->state != AUTH_COMPLETE)
		return ERR(e, SEC_E_INVALID_TOKEN, "message protection before authentication is complete");
	if (seal ? !c->ops->can_seal(c) : !c->ops->can_sign(c))
		return ERR(e, SEC_E_MESSAGE_ALTERED, "%s was not negotiated", seal ? "sealing" : "signing");
	if (body_off > len || body_len > len - body_off)
		return ERR(
		    e, E_INVALIDARG, "body of %zu octets at %zu in a PDU of %zu", body_len, body_off, len);
	return 0;
}

int
auth_ctx_protect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len, bool seal,
    bool header_signing, uint8_t *sig, struct err *e)
{
	if (check_protection(c, len, body_off, body_len, seal, e) != 0)
		return -1;
	return c->ops->protect(c, pdu, len, body_off, body_len, seal, header_signing, sig, e);
}

int
auth_ctx_unprotect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len, bool seal,
    bool header_signing, struct bytes sig, struct err *e)
{
	if (check_protection(c, len, body_off, body_len, seal, e) != 0)
		return -1;
	return c->ops->unprotect(c, pdu, len, body_off, body_len, seal, header_signing, sig, e);
}
