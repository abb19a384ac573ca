/*
 * SPNEGO acceptor (RFC 4178, MS-SPNG): chooses a mechanism from the client's list, carries its tokens, and
 * has the list signed where a man in the middle could have changed the choice. A bare NTLM token instead of a
 * SPNEGO one is taken as the start of a bare NTLM exchange (MS-SPNG appendix A <8>).
 */
#include <stdlib.h>
#include <string.h>

#include "auth/auth_priv.h"
#include "auth/ntlm_message_priv.h"
#include "auth/spnego_priv.h"
#include "auth/spnego_token_priv.h"
#include "base/log.h"

struct spnego {
	struct spnego_ctx ctx;
	const struct auth_names *names;
	const struct auth_authority *authority;
	const struct auth_mech_row *mech; /* chosen; NULL before */
	const char *mech_oid;             /* the name the client used for it; one of mech->oids */
	bool bare;                        /* NTLM without SPNEGO around it */
	bool preferred;                   /* the choice is first in the client's list */
	bool answered;                    /* supportedMech has been told, which is done once */
	uint8_t client_mic[SPNEGO_MIC_MAX];
	size_t client_mic_len; /* 0: none came with this leg */
};

static struct spnego *
spnego(struct auth_ctx *c)
{
	return (struct spnego *)c;
}

static void
fail(struct spnego *s, const struct err *e)
{
	static const struct bytes none = { NULL, 0 };
	struct buf out;

	buf_init(&out, 64);
	if (spnego_resp_put(&out, SPNEGO_REJECT, NULL, none, none, NULL) != 0)
		buf_reset(&out);
	auth_step_done(&s->ctx.base, AUTH_FAILED, buf_bytes(&out), e);
	buf_fini(&out);
}

static void
fail_malformed(struct spnego *s, struct err *e)
{
	spnego_unreadable(e);
	fail(s, e);
}

/* ---- answers ---- */

/* The client's signature over its list, and ours in return. Nothing is signed when the mechanism cannot. */
static int
exchange_list_mics(struct spnego *s, struct buf *mic, struct err *e)
{
	const struct auth_ops *ops = s->ctx.inner->ops;
	bool due = !s->preferred || ops->list_mic_due(s->ctx.inner);

	if (s->client_mic_len == 0) {
		if (due && auth_ctx_can_sign(s->ctx.inner))
			return ERR(e, SEC_E_INVALID_TOKEN,
			    "mechListMIC is missing where it is due (RFC 4178 section 5)");
		return 0;
	}
	if (!auth_ctx_can_sign(s->ctx.inner))
		return ERR(e, SEC_E_INVALID_TOKEN, "mechListMIC without a signing context");
	if (ops->list_mic_check(s->ctx.inner, buf_bytes(&s->ctx.mech_list),
		(struct bytes){ s->client_mic, s->client_mic_len }, e) != 0)
		return -1;
	return ops->list_mic_put(s->ctx.inner, buf_bytes(&s->ctx.mech_list), mic, e);
}

static int
make_answer(struct spnego *s, enum auth_state st, struct bytes token, struct buf *out, struct err *e)
{
	const char *mech = s->answered ? NULL : s->mech_oid;
	enum spnego_state state = SPNEGO_ACCEPT_INCOMPLETE;
	struct buf mic;
	int ret = -1;

	buf_init(&mic, SPNEGO_MIC_MAX);
	if (st == AUTH_COMPLETE) {
		state = SPNEGO_ACCEPT_COMPLETED;
		if (exchange_list_mics(s, &mic, e) != 0)
			goto out;
	} else if (!s->preferred && !s->answered) {
		state = SPNEGO_REQUEST_MIC;
	}
	ret = spnego_resp_put(out, state, mech, token, buf_bytes(&mic), e);
	s->answered = true;
out:
	buf_fini(&mic);
	return ret;
}

/* The mechanism's step has ended (or, for a choice without a token, there was none). */
static void
on_inner_step(void *arg, enum auth_state st, struct bytes token, const struct err *why)
{
	struct spnego *s = arg;
	struct buf out;
	struct err e;

	if (st == AUTH_COMPLETE)
		s->ctx.base.token = token_ref(auth_ctx_token(s->ctx.inner));
	if (s->bare) {
		auth_step_done(&s->ctx.base, st, token, why);
		return;
	}
	if (st == AUTH_FAILED) {
		fail(s, why);
		return;
	}
	buf_init(&out, SPNEGO_ANSWER_MAX);
	if (make_answer(s, st, token, &out, &e) != 0)
		fail(s, &e);
	else
		auth_step_done(&s->ctx.base, st, buf_bytes(&out), NULL);
	buf_fini(&out);
}

/* ---- the client's tokens ---- */

static bool
oid_is(struct bytes oid, const char *dotted)
{
	char text[OID_TEXT_MAX];

	return oid_to_text(oid, text) && strcmp(text, dotted) == 0;
}

/* The client's most wanted among what we have. */
static int
choose_mech(struct spnego *s, struct bytes mech_list, struct err *e)
{
	struct der list = spnego_mech_first(mech_list);
	struct bytes oid;

	for (size_t pos = 0; spnego_mech_next(&list, &oid); pos++) {
		for (size_t i = 0; i < auth_mechs_count; i++) {
			if (auth_mechs[i].served != NULL && !auth_mechs[i].served(s->authority))
				continue;
			for (const char *const *o = auth_mechs[i].oids; *o != NULL; o++) {
				if (!oid_is(oid, *o))
					continue;
				s->mech = &auth_mechs[i];
				s->mech_oid = *o;
				s->preferred = pos == 0;
				return 0;
			}
		}
	}
	return ERR(e, SEC_E_INVALID_TOKEN, "SPNEGO: none of the client's mechanisms is served here (NTLM%s)",
	    s->authority->kerberos != NULL ? " and Kerberos are" : " is");
}

static int
open_inner(struct spnego *s, struct err *e)
{
	s->ctx.inner = s->mech->create(s->names, s->authority, e);
	return s->ctx.inner != NULL ? 0 : -1;
}

static void
first_step(struct spnego *s, struct bytes token)
{
	struct spnego_init init;
	struct err e;

	if (spnego_init_parse(token, &init, &e) != 0) {
		fail_malformed(s, &e);
		return;
	}
	if (choose_mech(s, init.mech_list, &e) != 0 || open_inner(s, &e) != 0) {
		fail(s, &e);
		return;
	}
	buf_put_bytes(&s->ctx.mech_list, init.mech_list);
	if (!buf_ok(&s->ctx.mech_list)) {
		(void)ERR(&e, E_OUTOFMEMORY, "no room for the SPNEGO exchange");
		fail(s, &e);
		return;
	}
	log_debug(auth, "SPNEGO: %s chosen, %s", s->mech->nested_name,
	    s->preferred ? "the client's first choice" : "not the client's first choice");
	/* An optimistic token belongs to the first of the list; for another choice it means nothing. */
	if (s->preferred && init.has_mech_token)
		auth_ctx_step(s->ctx.inner, init.mech_token, on_inner_step, s);
	else
		on_inner_step(s, AUTH_NEED_TOKEN, (struct bytes){ NULL, 0 }, NULL);
}

static void
next_step(struct spnego *s, struct bytes token)
{
	struct spnego_resp resp;
	struct err e;

	if (spnego_resp_parse(token, &resp, &e) != 0) {
		fail_malformed(s, &e);
		return;
	}
	if (resp.state == SPNEGO_REJECT || !resp.has_token) {
		(void)ERR(&e, SEC_E_INVALID_TOKEN, "SPNEGO: the client %s",
		    resp.state == SPNEGO_REJECT ? "gave up (reject)"
						: "sent no responseToken where one is due");
		fail(s, &e);
		return;
	}
	memcpy(s->client_mic, resp.mic, resp.mic_len);
	s->client_mic_len = resp.mic_len;
	auth_ctx_step(s->ctx.inner, resp.token, on_inner_step, s);
}

static void
spnego_step(struct auth_ctx *c, struct bytes token)
{
	struct spnego *s = spnego(c);
	struct err e;

	if (s->ctx.inner != NULL && !s->bare) {
		next_step(s, token);
		return;
	}
	if (s->ctx.inner == NULL && !ntlm_message_is(token)) {
		first_step(s, token);
		return;
	}
	if (s->ctx.inner == NULL) {
		s->bare = true;
		s->ctx.inner = ntlm_acceptor_new(s->names, s->authority, &e);
		if (s->ctx.inner == NULL) {
			auth_step_done(c, AUTH_FAILED, (struct bytes){ NULL, 0 }, &e);
			return;
		}
	}
	auth_ctx_step(s->ctx.inner, token, on_inner_step, s);
}

/* ---- operations: those of the mechanism ---- */

static const char *
spnego_package(const struct auth_ctx *c)
{
	const struct spnego *s = (const struct spnego *)c;

	if (s->bare)
		return auth_ctx_package(s->ctx.inner);
	return s->mech != NULL ? s->mech->nested_name : "SPNEGO";
}

static const struct auth_ops spnego_ops = {
	.step = spnego_step,
	.package = spnego_package,
	SPNEGO_FORWARDED,
};

struct auth_ctx *
spnego_acceptor_new(const struct auth_names *names, const struct auth_authority *authority, struct err *e)
{
	struct spnego *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		(void)ERR(e, E_OUTOFMEMORY, "no memory for a SPNEGO context");
		return NULL;
	}
	s->ctx.base.ops = &spnego_ops;
	s->ctx.base.state = AUTH_NEED_TOKEN;
	s->names = names;
	s->authority = authority;
	buf_init(&s->ctx.mech_list, AUTH_TOKEN_MAX);
	return &s->ctx.base;
}
