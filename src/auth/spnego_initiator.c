/*
 * SPNEGO initiator (RFC 4178, MS-SPNG) with one mechanism: its token goes out with the list, its further
 * tokens in NegTokenResp, and the list is signed when the mechanism protects its own exchange.
 */
#include <stdlib.h>

#include "auth/auth_priv.h"
#include "auth/initiator_priv.h"
#include "auth/spnego_token_priv.h"

#define ANSWER_MAX (AUTH_TOKEN_MAX + 256)

struct spnego_initiator {
	struct auth_ctx base;
	struct auth_ctx *inner;
	bool started;
	bool mic_sent;        /* the server owes one in return */
	struct buf mech_list; /* DER as sent: what mechListMIC covers */
	struct spnego_resp resp;
};

static struct spnego_initiator *
initiator(struct auth_ctx *c)
{
	return (struct spnego_initiator *)c;
}

static const struct spnego_initiator *
initiator_const(const struct auth_ctx *c)
{
	return (const struct spnego_initiator *)c;
}

static void
fail(struct spnego_initiator *s, const struct err *e)
{
	auth_step_done(&s->base, AUTH_FAILED, (struct bytes){ NULL, 0 }, e);
}

/* ---- the first token ---- */

static void
on_first(void *arg, enum auth_state st, struct bytes token, const struct err *why)
{
	struct spnego_initiator *s = arg;
	struct buf out;
	struct err e;

	if (st == AUTH_FAILED) {
		fail(s, why);
		return;
	}
	buf_init(&out, ANSWER_MAX);
	if (spnego_init_put(&out, buf_bytes(&s->mech_list), token, &e) != 0)
		fail(s, &e);
	else
		auth_step_done(&s->base, AUTH_NEED_TOKEN, buf_bytes(&out), NULL);
	buf_fini(&out);
}

/* ---- the others ---- */

/* The mechanism is done and the server is content: its signature over the list, where ours went out. */
static void
finish(struct spnego_initiator *s)
{
	struct bytes none = { NULL, 0 };
	struct err e;

	if (s->resp.state != SPNEGO_ACCEPT_COMPLETED) {
		(void)ERR(&e, SEC_E_INVALID_TOKEN, "SPNEGO: the server does not complete (state %d)",
		    (int)s->resp.state);
		fail(s, &e);
		return;
	}
	if (s->mic_sent && s->resp.mic_len == 0) {
		(void)ERR(&e, SEC_E_MESSAGE_ALTERED, "SPNEGO: the server does not sign the mechanisms");
		fail(s, &e);
		return;
	}
	if (s->resp.mic_len > 0 && s->inner->ops->list_mic_check != NULL &&
	    s->inner->ops->list_mic_check(s->inner, buf_bytes(&s->mech_list),
		(struct bytes){ s->resp.mic, s->resp.mic_len }, &e) != 0) {
		fail(s, &e);
		return;
	}
	auth_step_done(&s->base, AUTH_COMPLETE, none, NULL);
}

static void
on_next(void *arg, enum auth_state st, struct bytes token, const struct err *why)
{
	struct spnego_initiator *s = arg;
	const struct auth_ops *ops = s->inner->ops;
	bool due = st == AUTH_COMPLETE && ops->list_mic_put != NULL && auth_ctx_can_sign(s->inner) &&
	    (ops->list_mic_due(s->inner) || s->resp.state == SPNEGO_REQUEST_MIC);
	struct buf out, mic;
	struct err e;

	if (st == AUTH_FAILED) {
		fail(s, why);
		return;
	}
	if (st == AUTH_COMPLETE && token.len == 0 && !due) {
		finish(s);
		return;
	}
	buf_init(&out, ANSWER_MAX);
	buf_init(&mic, SPNEGO_MIC_MAX);
	if ((due && ops->list_mic_put(s->inner, buf_bytes(&s->mech_list), &mic, &e) != 0) ||
	    spnego_resp_put(&out, SPNEGO_ACCEPT_INCOMPLETE, NULL, token, buf_bytes(&mic), &e) != 0)
		fail(s, &e);
	else {
		s->mic_sent = due;
		/* Whatever the mechanism thinks, the server's word is still to come. */
		auth_step_done(&s->base, AUTH_NEED_TOKEN, buf_bytes(&out), NULL);
	}
	buf_fini(&out);
	buf_fini(&mic);
}

static void
spnego_step(struct auth_ctx *c, struct bytes token)
{
	struct spnego_initiator *s = initiator(c);
	struct err e;

	if (!s->started) {
		s->started = true;
		auth_ctx_step(s->inner, (struct bytes){ NULL, 0 }, on_first, s);
		return;
	}
	if (spnego_resp_parse(token, &s->resp, &e) != 0) {
		e.hr = SEC_E_INVALID_TOKEN;
		(void)err_prefix(&e, "SPNEGO");
		fail(s, &e);
		return;
	}
	if (s->resp.state == SPNEGO_REJECT) {
		(void)ERR(&e, SEC_E_LOGON_DENIED, "SPNEGO: the server rejects the logon");
		fail(s, &e);
		return;
	}
	if (auth_ctx_state(s->inner) == AUTH_COMPLETE)
		finish(s);
	else
		auth_ctx_step(s->inner, s->resp.token, on_next, s);
}

/* ---- operations: those of the mechanism ---- */

static void
spnego_fini(struct auth_ctx *c)
{
	struct spnego_initiator *s = initiator(c);

	auth_ctx_free(s->inner);
	buf_fini(&s->mech_list);
}

static const char *
spnego_package(const struct auth_ctx *c)
{
	return auth_ctx_package(initiator_const(c)->inner);
}

static bool
spnego_can_sign(const struct auth_ctx *c)
{
	return auth_ctx_can_sign(initiator_const(c)->inner);
}

static bool
spnego_can_seal(const struct auth_ctx *c)
{
	return auth_ctx_can_seal(initiator_const(c)->inner);
}

static size_t
spnego_sig_len(const struct auth_ctx *c, bool seal)
{
	return auth_ctx_sig_len(initiator_const(c)->inner, seal);
}

static int
spnego_protect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len, bool seal,
    bool header_signing, uint8_t *sig, struct err *e)
{
	return auth_ctx_protect(
	    initiator(c)->inner, pdu, len, body_off, body_len, seal, header_signing, sig, e);
}

static int
spnego_unprotect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len, bool seal,
    bool header_signing, struct bytes sig, struct err *e)
{
	return auth_ctx_unprotect(
	    initiator(c)->inner, pdu, len, body_off, body_len, seal, header_signing, sig, e);
}

static const struct auth_ops spnego_initiator_ops = {
	.step = spnego_step,
	.fini = spnego_fini,
	.package = spnego_package,
	.can_sign = spnego_can_sign,
	.can_seal = spnego_can_seal,
	.sig_len = spnego_sig_len,
	.protect = spnego_protect,
	.unprotect = spnego_unprotect,
};

struct auth_ctx *
spnego_initiator_new(struct auth_ctx *inner, const char *oid, struct err *e)
{
	struct spnego_initiator *s = calloc(1, sizeof(*s));
	size_t list;

	if (s == NULL) {
		auth_ctx_free(inner);
		(void)ERR(e, E_OUTOFMEMORY, "no memory for a SPNEGO context");
		return NULL;
	}
	s->base.ops = &spnego_initiator_ops;
	s->base.state = AUTH_NEED_TOKEN;
	s->inner = inner;
	buf_init(&s->mech_list, 256);
	list = der_open(&s->mech_list, DER_SEQUENCE);
	der_put_oid(&s->mech_list, oid);
	der_close(&s->mech_list, list);
	if (!buf_ok(&s->mech_list)) {
		auth_ctx_free(&s->base);
		(void)ERR(e, E_OUTOFMEMORY, "no memory for a SPNEGO context");
		return NULL;
	}
	return &s->base;
}
