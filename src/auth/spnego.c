/*
 * SPNEGO acceptor (RFC 4178, MS-SPNG): chooses a mechanism from the client's list, carries its tokens, and
 * has the list signed where a man in the middle could have changed the choice. A bare NTLM token instead of a
 * SPNEGO one is taken as the start of a bare NTLM exchange (MS-SPNG appendix A <8>).
 */
#include <stdlib.h>
#include <string.h>

#include "auth/auth_priv.h"
#include "auth/ntlm_message_priv.h"
#include "auth/spnego_token_priv.h"
#include "base/log.h"

/* The mechanism's token and our own few octets around it. */
#define ANSWER_MAX (AUTH_TOKEN_MAX + 256)

struct spnego {
	struct auth_ctx base;
	const struct auth_names *names;
	const struct auth_authority *authority;
	const struct auth_mech_row *mech; /* chosen; NULL before */
	const char *mech_oid;             /* the name the client used for it; one of mech->oids */
	struct auth_ctx *inner;
	bool bare;            /* NTLM without SPNEGO around it */
	bool preferred;       /* the choice is first in the client's list */
	bool answered;        /* supportedMech has been told, which is done once */
	struct buf mech_list; /* DER of the client's list */
	uint8_t client_mic[SPNEGO_MIC_MAX];
	size_t client_mic_len; /* 0: none came with this leg */
};

static struct spnego *
spnego(struct auth_ctx *c)
{
	return (struct spnego *)c;
}

static const struct spnego *
spnego_const(const struct auth_ctx *c)
{
	return (const struct spnego *)c;
}

static void
fail(struct spnego *s, const struct err *e)
{
	static const struct bytes none = { NULL, 0 };
	struct buf out;

	buf_init(&out, 64);
	if (spnego_resp_put(&out, SPNEGO_REJECT, NULL, none, none, NULL) != 0)
		buf_reset(&out);
	auth_step_done(&s->base, AUTH_FAILED, buf_bytes(&out), e);
	buf_fini(&out);
}

/* For tokens that cannot be read: one code, whatever the DER reader found. */
static void
fail_malformed(struct spnego *s, struct err *e)
{
	e->hr = SEC_E_INVALID_TOKEN;
	(void)err_prefix(e, "SPNEGO");
	fail(s, e);
}

/* ---- answers ---- */

/* The client's signature over its list, and ours in return. Nothing is signed when the mechanism cannot. */
static int
exchange_list_mics(struct spnego *s, struct buf *mic, struct err *e)
{
	const struct auth_ops *ops = s->inner->ops;
	bool due = !s->preferred || ops->list_mic_due(s->inner);

	if (s->client_mic_len == 0) {
		if (due && auth_ctx_can_sign(s->inner))
			return ERR(e, SEC_E_INVALID_TOKEN,
			    "mechListMIC is missing where it is due (RFC 4178 section 5)");
		return 0;
	}
	if (!auth_ctx_can_sign(s->inner))
		return ERR(e, SEC_E_INVALID_TOKEN, "mechListMIC without a signing context");
	if (ops->list_mic_check(s->inner, buf_bytes(&s->mech_list),
		(struct bytes){ s->client_mic, s->client_mic_len }, e) != 0)
		return -1;
	return ops->list_mic_put(s->inner, buf_bytes(&s->mech_list), mic, e);
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
		s->base.token = token_ref(auth_ctx_token(s->inner));
	if (s->bare) {
		auth_step_done(&s->base, st, token, why);
		return;
	}
	if (st == AUTH_FAILED) {
		fail(s, why);
		return;
	}
	buf_init(&out, ANSWER_MAX);
	if (make_answer(s, st, token, &out, &e) != 0)
		fail(s, &e);
	else
		auth_step_done(&s->base, st, buf_bytes(&out), NULL);
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
	s->inner = s->mech->create(s->names, s->authority, e);
	return s->inner != NULL ? 0 : -1;
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
	buf_put_bytes(&s->mech_list, init.mech_list);
	if (!buf_ok(&s->mech_list)) {
		(void)ERR(&e, E_OUTOFMEMORY, "no room for the SPNEGO exchange");
		fail(s, &e);
		return;
	}
	log_debug(auth, "SPNEGO: %s chosen, %s", s->mech->nested_name,
	    s->preferred ? "the client's first choice" : "not the client's first choice");
	/* An optimistic token belongs to the first of the list; for another choice it means nothing. */
	if (s->preferred && init.has_mech_token)
		auth_ctx_step(s->inner, init.mech_token, on_inner_step, s);
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
	auth_ctx_step(s->inner, resp.token, on_inner_step, s);
}

static void
spnego_step(struct auth_ctx *c, struct bytes token)
{
	struct spnego *s = spnego(c);
	struct err e;

	if (s->inner != NULL && !s->bare) {
		next_step(s, token);
		return;
	}
	if (s->inner == NULL && !ntlm_message_is(token)) {
		first_step(s, token);
		return;
	}
	if (s->inner == NULL) {
		s->bare = true;
		s->inner = ntlm_acceptor_new(s->names, s->authority, &e);
		if (s->inner == NULL) {
			auth_step_done(c, AUTH_FAILED, (struct bytes){ NULL, 0 }, &e);
			return;
		}
	}
	auth_ctx_step(s->inner, token, on_inner_step, s);
}

/* ---- operations: those of the mechanism ---- */

static void
spnego_fini(struct auth_ctx *c)
{
	struct spnego *s = spnego(c);

	auth_ctx_free(s->inner);
	buf_fini(&s->mech_list);
}

static const char *
spnego_package(const struct auth_ctx *c)
{
	const struct spnego *s = spnego_const(c);

	if (s->bare)
		return auth_ctx_package(s->inner);
	return s->mech != NULL ? s->mech->nested_name : "SPNEGO";
}

static bool
spnego_can_sign(const struct auth_ctx *c)
{
	return auth_ctx_can_sign(spnego_const(c)->inner);
}

static bool
spnego_can_seal(const struct auth_ctx *c)
{
	return auth_ctx_can_seal(spnego_const(c)->inner);
}

static size_t
spnego_sig_len(const struct auth_ctx *c, bool seal)
{
	return auth_ctx_sig_len(spnego_const(c)->inner, seal);
}

static int
spnego_protect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len, bool seal,
    bool header_signing, uint8_t *sig, struct err *e)
{
	return auth_ctx_protect(spnego(c)->inner, pdu, len, body_off, body_len, seal, header_signing, sig, e);
}

static int
spnego_unprotect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len, bool seal,
    bool header_signing, struct bytes sig, struct err *e)
{
	return auth_ctx_unprotect(
	    spnego(c)->inner, pdu, len, body_off, body_len, seal, header_signing, sig, e);
}

static const struct auth_ops spnego_ops = {
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
spnego_acceptor_new(const struct auth_names *names, const struct auth_authority *authority, struct err *e)
{
	struct spnego *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		(void)ERR(e, E_OUTOFMEMORY, "no memory for a SPNEGO context");
		return NULL;
	}
	s->base.ops = &spnego_ops;
	s->base.state = AUTH_NEED_TOKEN;
	s->names = names;
	s->authority = authority;
	buf_init(&s->mech_list, AUTH_TOKEN_MAX);
	return &s->base;
}
