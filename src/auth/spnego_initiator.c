/*
 * SPNEGO initiator (RFC 4178, MS-SPNG) with one mechanism: its token goes out with the list, its further
 * tokens in NegTokenResp, and the list is signed when the mechanism protects its own exchange.
 */
#include <stdlib.h>

#include "auth/auth_priv.h"
#include "auth/initiator_priv.h"
#include "auth/spnego_priv.h"
#include "auth/spnego_token_priv.h"

struct spnego_initiator {
	struct spnego_ctx ctx;
	bool started;
	bool mic_sent; /* the server owes one in return */
	struct spnego_resp resp;
};

static struct spnego_initiator *
initiator(struct auth_ctx *c)
{
	return (struct spnego_initiator *)c;
}

static void
fail(struct spnego_initiator *s, const struct err *e)
{
	auth_step_done(&s->ctx.base, AUTH_FAILED, (struct bytes){ NULL, 0 }, e);
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
	buf_init(&out, SPNEGO_ANSWER_MAX);
	if (spnego_init_put(&out, buf_bytes(&s->ctx.mech_list), token, &e) != 0)
		fail(s, &e);
	else
		auth_step_done(&s->ctx.base, AUTH_NEED_TOKEN, buf_bytes(&out), NULL);
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
	if (s->resp.mic_len > 0 && s->ctx.inner->ops->list_mic_check != NULL &&
	    s->ctx.inner->ops->list_mic_check(s->ctx.inner, buf_bytes(&s->ctx.mech_list),
		(struct bytes){ s->resp.mic, s->resp.mic_len }, &e) != 0) {
		fail(s, &e);
		return;
	}
	auth_step_done(&s->ctx.base, AUTH_COMPLETE, none, NULL);
}

static void
on_next(void *arg, enum auth_state st, struct bytes token, const struct err *why)
{
	struct spnego_initiator *s = arg;
	const struct auth_ops *ops = s->ctx.inner->ops;
	bool due = st == AUTH_COMPLETE && ops->list_mic_put != NULL && auth_ctx_can_sign(s->ctx.inner) &&
	    (ops->list_mic_due(s->ctx.inner) || s->resp.state == SPNEGO_REQUEST_MIC);
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
	buf_init(&out, SPNEGO_ANSWER_MAX);
	buf_init(&mic, SPNEGO_MIC_MAX);
	if ((due && ops->list_mic_put(s->ctx.inner, buf_bytes(&s->ctx.mech_list), &mic, &e) != 0) ||
	    spnego_resp_put(&out, SPNEGO_ACCEPT_INCOMPLETE, NULL, token, buf_bytes(&mic), &e) != 0)
		fail(s, &e);
	else {
		s->mic_sent = due;
		/* Whatever the mechanism thinks, the server's word is still to come. */
		auth_step_done(&s->ctx.base, AUTH_NEED_TOKEN, buf_bytes(&out), NULL);
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
		auth_ctx_step(s->ctx.inner, (struct bytes){ NULL, 0 }, on_first, s);
		return;
	}
	if (spnego_resp_parse(token, &s->resp, &e) != 0) {
		spnego_unreadable(&e);
		fail(s, &e);
		return;
	}
	if (s->resp.state == SPNEGO_REJECT) {
		(void)ERR(&e, SEC_E_LOGON_DENIED, "SPNEGO: the server rejects the logon");
		fail(s, &e);
		return;
	}
	if (auth_ctx_state(s->ctx.inner) == AUTH_COMPLETE)
		finish(s);
	else
		auth_ctx_step(s->ctx.inner, s->resp.token, on_next, s);
}

/* ---- operations: those of the mechanism ---- */

static const char *
spnego_package(const struct auth_ctx *c)
{
	return auth_ctx_package(((const struct spnego_ctx *)c)->inner);
}

static const struct auth_ops spnego_initiator_ops = {
	.step = spnego_step,
	.package = spnego_package,
	SPNEGO_FORWARDED,
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
	s->ctx.base.ops = &spnego_initiator_ops;
	s->ctx.base.state = AUTH_NEED_TOKEN;
	s->ctx.inner = inner;
	buf_init(&s->ctx.mech_list, 256);
	list = der_open(&s->ctx.mech_list, DER_SEQUENCE);
	der_put_oid(&s->ctx.mech_list, oid);
	der_close(&s->ctx.mech_list, list);
	if (!buf_ok(&s->ctx.mech_list)) {
		auth_ctx_free(&s->ctx.base);
		(void)ERR(e, E_OUTOFMEMORY, "no memory for a SPNEGO context");
		return NULL;
	}
	return &s->ctx.base;
}
