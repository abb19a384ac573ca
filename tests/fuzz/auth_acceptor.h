/* For fuzz targets: an acceptor whose authority lets everybody in, so that tokens get as far as they can. */
#ifndef TESTS_FUZZ_AUTH_ACCEPTOR_H
#define TESTS_FUZZ_AUTH_ACCEPTOR_H

#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"

static void *
welcome(void *ctx, const struct auth_ntlm_proof *proof, auth_verdict_fn *cb, void *arg)
{
	struct auth_verdict v = { .token = token_new(proof->user, proof->domain, NULL, false) };

	(void)ctx;
	if (v.token == NULL)
		abort();
	cb(arg, &v, NULL);
	return NULL;
}

static void
no_cancel(void *ctx, void *handle)
{
	(void)ctx;
	(void)handle;
	abort(); /* nothing is ever under way */
}

static void
note_state(void *arg, enum auth_state st, struct bytes answer, const struct err *e)
{
	if ((st == AUTH_FAILED) != (e != NULL) || answer.len > 2 * AUTH_TOKEN_MAX)
		abort();
	*(enum auth_state *)arg = st;
}

/* Feeds first (unless NULL) and then token; protects and opens a message if that completes the context. */
static void
run_acceptor(enum auth_mech mech, const struct bytes *first, struct bytes token)
{
	static const struct auth_names names = { "CA01", "CORP", "ca01.corp.contoso.com", "corp.contoso.com",
		"contoso.com" };
	static const struct auth_authority authority = { .ntlm_verify = welcome, .cancel = no_cancel };
	enum auth_state st = AUTH_NEED_TOKEN;
	uint8_t pdu[32] = { 0 }, sig[16];
	struct auth_ctx *c;
	struct err e;

	c = auth_ctx_new(mech, &names, &authority, &e);
	if (c == NULL)
		abort();
	if (first != NULL)
		auth_ctx_step(c, *first, note_state, &st);
	if (st == AUTH_NEED_TOKEN)
		auth_ctx_step(c, token, note_state, &st);
	if (st == AUTH_COMPLETE && auth_ctx_can_seal(c) &&
	    (auth_ctx_protect(c, pdu, sizeof(pdu), 8, 16, true, false, sig, &e) != 0 ||
		auth_ctx_unprotect(c, pdu, sizeof(pdu), 8, 16, true, false, (struct bytes){ sig, 16 }, &e) == 0))
		abort(); /* our own signature is no client's */
	auth_ctx_free(c);
}

#endif
