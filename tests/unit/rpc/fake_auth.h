/*
 * A mechanism without cryptography that stands in for auth/'s acceptors (all of auth_ctx_*, so that the
 * linker takes none from the library): a test says by its tokens how a leg ends, and sees what was protected
 * and in which order.
 *
 *     "more"  challenge, another leg        "done"   complete, no token     "accept" complete with a token
 *     "fail"  refused                       "broken" refused: integrity     "weak"   complete, cannot sign
 *     a leading '+': decided only by fake_decide()
 *
 * A signature is 16 octets: sum of the signed octets (4), sequence number (4), header signing (4), zero.
 * Sealing is an exclusive or.
 */
#ifndef ADCSD_TESTS_RPC_FAKE_AUTH_H
#define ADCSD_TESTS_RPC_FAKE_AUTH_H

#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"

#define FAKE_SEAL 0x5a

struct auth_ctx {
	enum auth_mech mech;
	enum auth_state state;
	bool weak;
	struct token *token;
	uint32_t seq_in, seq_out;
	char waiting[16]; /* the token of an undecided leg */
	auth_step_fn *cb;
	void *arg;
};

static const struct auth_authority fake_authority; /* offers no Kerberos, is never asked */
static struct auth_ctx *fake_undecided; /* the latest */
static unsigned fake_alive;             /* contexts not yet freed */

struct auth_ctx *
auth_ctx_new(enum auth_mech mech, const struct auth_names *names, const struct auth_authority *authority,
    struct err *e)
{
	struct auth_ctx *c = calloc(1, sizeof(*c));

	(void)names;
	(void)authority;
	if (c == NULL) {
		ERR(e, E_OUTOFMEMORY, "fake");
		return NULL;
	}
	c->mech = mech;
	c->state = AUTH_NEED_TOKEN;
	fake_alive++;
	return c;
}

void
auth_ctx_free(struct auth_ctx *c)
{
	if (c == NULL)
		return;
	if (fake_undecided == c)
		fake_undecided = NULL;
	token_unref(c->token);
	fake_alive--;
	free(c);
}

static void
fake_end(struct auth_ctx *c, const char *word)
{
	static const uint8_t challenge[] = "challenge", accept[] = "accepted";
	struct bytes answer = { NULL, 0 };
	struct err e;

	if (strcmp(word, "more") == 0) {
		answer = (struct bytes){ challenge, 9 };
	} else if (strcmp(word, "done") == 0 || strcmp(word, "accept") == 0 || strcmp(word, "weak") == 0) {
		c->state = AUTH_COMPLETE;
		c->weak = word[0] == 'w';
		c->token = token_new("LAB\\fake", "CN=fake", NULL, false);
		if (word[0] == 'a')
			answer = (struct bytes){ accept, 8 };
	} else {
		c->state = AUTH_FAILED;
		err_set(&e, strcmp(word, "broken") == 0 ? SEC_E_MESSAGE_ALTERED : E_LOGON_FAILURE, "fake",
		    "fake refuses");
	}
	c->cb(c->arg, c->state, answer, &e);
}

void
auth_ctx_step(struct auth_ctx *c, struct bytes token, auth_step_fn *cb, void *arg)
{
	size_t n = token.len < sizeof(c->waiting) - 1 ? token.len : sizeof(c->waiting) - 1;

	memcpy(c->waiting, token.p, n);
	c->waiting[n] = '\0';
	c->cb = cb;
	c->arg = arg;
	if (c->waiting[0] == '+')
		fake_undecided = c;
	else
		fake_end(c, c->waiting);
}

static MAYBE_UNUSED void
fake_decide(void)
{
	struct auth_ctx *c = fake_undecided;

	fake_undecided = NULL;
	fake_end(c, c->waiting + 1);
}

enum auth_state
auth_ctx_state(const struct auth_ctx *c)
{
	return c->state;
}

struct token *
auth_ctx_token(const struct auth_ctx *c)
{
	return c->token;
}

const char *
auth_ctx_package(const struct auth_ctx *c)
{
	return c->mech == AUTH_MECH_NTLM ? "FAKE" : "SPNEGO/FAKE";
}

bool
auth_ctx_can_sign(const struct auth_ctx *c)
{
	return !c->weak;
}

bool
auth_ctx_can_seal(const struct auth_ctx *c)
{
	return !c->weak;
}

size_t
auth_ctx_sig_len(const struct auth_ctx *c, bool seal)
{
	(void)c;
	(void)seal;
	return 16;
}

static void
fake_sign(const uint8_t *pdu, size_t len, uint32_t seq, bool header_signing, uint8_t sig[16])
{
	uint32_t sum = 0;

	memset(sig, 0, 16);
	for (size_t i = 0; i < len; i++)
		sum = sum * 31 + pdu[i];
	set_u32le(sig, sum);
	set_u32le(sig + 4, seq);
	set_u32le(sig + 8, header_signing);
}

static void
fake_seal(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] ^= FAKE_SEAL;
}

int
auth_ctx_protect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len, bool seal,
    bool header_signing, uint8_t *sig, struct err *e)
{
	(void)e;
	fake_sign(pdu, len, c->seq_out++, header_signing, sig);
	if (seal)
		fake_seal(pdu + body_off, body_len);
	return 0;
}

int
auth_ctx_unprotect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len, bool seal,
    bool header_signing, struct bytes sig, struct err *e)
{
	uint8_t want[16];

	if (seal)
		fake_seal(pdu + body_off, body_len);
	fake_sign(pdu, len, c->seq_in++, header_signing, want);
#ifdef FAKE_AUTH_LAX /* fuzzing: no mutation would get past a sum */
	memcpy(want, sig.p, sig.len < 16 ? sig.len : 16);
#endif
	if (sig.len != 16 || memcmp(sig.p, want, 16) != 0)
		return ERR(e, SEC_E_MESSAGE_ALTERED, "fake signature is wrong");
	return 0;
}

#endif
