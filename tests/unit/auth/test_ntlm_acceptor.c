/* The NTLM acceptor from its first token to protected messages: what it takes, what it refuses, and when it calls. */
#include "auth_support.h"

struct exchange {
	struct test_authority authority;
	struct auth_ctx *ctx;
	struct step_result result;
	struct buf negotiate, challenge, authenticate;
};

static void
exchange_init(struct exchange *x)
{
	struct err e = { 0 };

	authority_init(&x->authority);
	result_init(&x->result);
	buf_init(&x->negotiate, 1 << 17);
	buf_init(&x->challenge, 1 << 17);
	buf_init(&x->authenticate, 1 << 17);
	x->ctx = auth_ctx_new(AUTH_MECH_NTLM, &test_names, &x->authority.vtable, &e);
	assert_non_null(x->ctx);
}

static void
exchange_fini(struct exchange *x)
{
	auth_ctx_free(x->ctx);
	buf_fini(&x->result.answer);
	buf_fini(&x->negotiate);
	buf_fini(&x->challenge);
	buf_fini(&x->authenticate);
}

/* Legs 1 and 2 without the last step. */
static void
exchange_prepare(struct exchange *x, struct initiator *i)
{
	put_negotiate(&x->negotiate, i->flags);
	auth_ctx_step(x->ctx, buf_bytes(&x->negotiate), on_step, &x->result);
	assert_int_equal(x->result.calls, 1);
	assert_int_equal(x->result.state, AUTH_NEED_TOKEN);
	buf_put_bytes(&x->challenge, buf_bytes(&x->result.answer));
	put_authenticate(i, buf_bytes(&x->negotiate), buf_bytes(&x->challenge), &x->authenticate);
}

static void
exchange_run(struct exchange *x, struct initiator *i)
{
	exchange_prepare(x, i);
	auth_ctx_step(x->ctx, buf_bytes(&x->authenticate), on_step, &x->result);
}

/* One message each way between the context and a client session of the initiator's key. */
static void
assert_protects(struct auth_ctx *c, const struct initiator *i, bool seal)
{
	struct ntlm_session client;
	uint8_t pdu[24 + 16];
	struct err e = { 0 };

	assert_int_equal(ntlm_session_init(&client, NTLM_CLIENT, i->flags & ~i->dropped, i->exported_key, &e), 0);
	for (unsigned n = 0; n < 3; n++) {
		memcpy(pdu, "header..stubstubtrailer.", 24);
		assert_int_equal(ntlm_session_protect(&client, (struct bytes){ pdu, 24 }, pdu + 8, 8, seal, pdu + 24,
				     &e),
		    0);
		assert_int_equal(memcmp(pdu + 8, "stubstub", 8) == 0, !seal);
		assert_int_equal(auth_ctx_unprotect(c, pdu, 24, 8, 8, seal, n % 2, (struct bytes){ pdu + 24, 16 }, &e),
		    0);
		assert_memory_equal(pdu, "header..stubstubtrailer.", 24);
		assert_int_equal(auth_ctx_protect(c, pdu, 24, 8, 8, seal, n % 2, pdu + 24, &e), 0);
		assert_int_equal(ntlm_session_unprotect(&client, (struct bytes){ pdu, 24 }, pdu + 8, 8, seal,
				     (struct bytes){ pdu + 24, 16 }, &e),
		    0);
		assert_memory_equal(pdu, "header..stubstubtrailer.", 24);
	}
	ntlm_session_fini(&client);
}

#define F_KEY_EXCH NTLMSSP_NEGOTIATE_KEY_EXCH
#define F_ESS NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY
#define F_SIGN NTLMSSP_NEGOTIATE_SIGN
#define F_SEAL NTLMSSP_NEGOTIATE_SEAL
#define OEM_FLAGS ((INITIATOR_FLAGS & ~NTLMSSP_NEGOTIATE_UNICODE) | NTLM_NEGOTIATE_OEM)

static void
test_accepted(void **state)
{
	static const struct {
		const char *name;
		struct initiator i;
		bool sign, seal;
	} cases[] = {
		{ "with MIC", { .mic = true }, true, true },
		{ "without MIC", { .mic = false }, true, true },
		{ "UPN, empty domain", { .user = "janedoe@corp.contoso.com", .domain = "" }, true, true },
		{ "down-level name in the user field", { .user = "CORP\\janedoe", .domain = "" }, true, true },
		{ "FQDN domain", { .domain = "corp.contoso.com" }, true, true },
		{ "computer", { .user = "PFXCONN01$" }, true, true },
		{ "beyond ASCII", { .user = "jürgen", .domain = "KÖLN" }, true, true },
		{ "domain sent but not hashed", { .no_domain_in_hash = true }, true, true },
		{ "empty LM response", { .lm_response = "", .mic = true }, true, true },
		{ "OEM", { .flags = OEM_FLAGS }, true, true },
		{ "OEM, octets above 127", { .flags = OEM_FLAGS, .user = "jörg", .oem_user = "j\xf6rg" }, true, true },
		{ "both character sets: Unicode", { .flags = INITIATOR_FLAGS | NTLM_NEGOTIATE_OEM }, true, true },
		{ "no KEY_EXCH", { .flags = INITIATOR_FLAGS & ~F_KEY_EXCH, .mic = true,
				   .session_key_len = NO_SESSION_KEY }, true, true },
		{ "KEY_EXCH dropped in AUTHENTICATE", { .dropped = F_KEY_EXCH, .session_key_len = NO_SESSION_KEY }, true,
		    true },
		{ "56 bits", { .flags = INITIATOR_FLAGS & ~NTLMSSP_NEGOTIATE_128, .mic = true }, true, true },
		{ "40 bits", { .flags = INITIATOR_FLAGS & 0x5fffffff, .mic = true }, true, true },
		{ "signing only", { .flags = INITIATOR_FLAGS & ~F_SEAL }, true, false },
		{ "sealing only", { .flags = INITIATOR_FLAGS & ~F_SIGN }, true, true },
		{ "sealing dropped in AUTHENTICATE", { .dropped = F_SEAL }, true, false },
		{ "no session security, key sent", { .flags = INITIATOR_FLAGS & ~(F_SIGN | F_SEAL), .mic = true }, false,
		    false },
		{ "no session security, no key", { .flags = INITIATOR_FLAGS & ~(F_SIGN | F_SEAL), .mic = true,
		      .session_key_len = NO_SESSION_KEY }, false, false },
		{ "no session security, no ESS", { .flags = INITIATOR_FLAGS & ~(F_SIGN | F_SEAL | F_ESS) }, false, false },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(cases); n++) {
		struct initiator i = initiator_of(cases[n].i);
		struct exchange x;

		print_message("%s\n", cases[n].name);
		exchange_init(&x);
		exchange_run(&x, &i);
		if (x.result.state == AUTH_FAILED)
			fail_msg("%s", x.result.e.msg);
		assert_int_equal(x.result.state, AUTH_COMPLETE);
		assert_int_equal(x.result.answer.len, 0);
		assert_int_equal(x.authority.asked, 1);
		assert_string_equal(x.authority.proof->user, i.user);
		assert_string_equal(x.authority.proof->domain, i.domain);
		assert_string_equal(auth_ctx_package(x.ctx), "NTLM");
		assert_string_equal(auth_ctx_token(x.ctx)->account, "CORP\\janedoe");
		assert_int_equal(auth_ctx_can_sign(x.ctx), cases[n].sign);
		assert_int_equal(auth_ctx_can_seal(x.ctx), cases[n].seal);
		assert_int_equal(auth_ctx_sig_len(x.ctx, true), 16);
		if (cases[n].sign)
			assert_protects(x.ctx, &i, cases[n].seal);
		exchange_fini(&x);
	}
}

static void
test_negotiate_refused(void **state)
{
	static const struct {
		const char *name, *hex;
		uint32_t hr;
	} cases[] = {
		{ "empty", "", SEC_E_INVALID_TOKEN },
		{ "SPNEGO", GSS_INIT, SEC_E_INVALID_TOKEN },
		{ "AUTHENTICATE first", GSS_AUTHENTICATE, SEC_E_INVALID_TOKEN },
		{ "our own kind of message", GSS_CHALLENGE, SEC_E_INVALID_TOKEN },
		{ "no character set", "4e544c4d535350000100000000820800", SEC_E_INVALID_TOKEN },
		{ "signing without extended session security", "4e544c4d535350000100000017820000",
		    SEC_E_UNSUPPORTED_FUNCTION },
		{ "sealing without extended session security", "4e544c4d535350000100000027820000",
		    SEC_E_UNSUPPORTED_FUNCTION },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf token = octets(cases[i].hex);
		struct exchange x;

		print_message("%s\n", cases[i].name);
		exchange_init(&x);
		auth_ctx_step(x.ctx, buf_bytes(&token), on_step, &x.result);
		assert_int_equal(x.result.calls, 1);
		assert_int_equal(x.result.state, AUTH_FAILED);
		assert_int_equal(x.result.e.hr, cases[i].hr);
		assert_int_equal(x.result.answer.len, 0);
		assert_int_equal(auth_ctx_state(x.ctx), AUTH_FAILED);
		/* It stays refused. */
		put_negotiate(&x.negotiate, INITIATOR_FLAGS);
		auth_ctx_step(x.ctx, buf_bytes(&x.negotiate), on_step, &x.result);
		assert_int_equal(x.result.state, AUTH_FAILED);
		exchange_fini(&x);
		buf_fini(&token);
	}
}

static void
test_authenticate_refused(void **state)
{
	static const struct {
		const char *name;
		struct initiator i;
		uint32_t hr;
		unsigned asked; /* did it come to a question? */
	} cases[] = {
		{ "wrong password", { .password = "Passw0rd" }, E_LOGON_FAILURE, 1 },
		{ "wrong MIC", { .mic = true, .wrong_mic = true }, SEC_E_MESSAGE_ALTERED, 1 },
		{ "anonymous", { .user = "", .nt_response = "", .lm_response = "00" }, SEC_E_LOGON_DENIED, 0 },
		{ "anonymous, no LM response", { .user = "", .nt_response = "", .lm_response = "" }, SEC_E_LOGON_DENIED, 0 },
		{ "no user but a response", { .user = "" }, SEC_E_LOGON_DENIED, 0 },
		{ "LM only", { .nt_response = "" }, E_LOGON_FAILURE, 0 },
		{ "NTLMv1", { .nt_response = "67c43011f30298a2ad35ece64f16331c44bdbed927841f94" }, E_LOGON_FAILURE, 0 },
		{ "short NTLMv2", { .nt_response = "67c43011f30298a2ad35ece64f16331c44bdbed927841f9400" },
		    SEC_E_INVALID_TOKEN, 0 },
		{ "somebody else's response", { .nt_response = SPEC_NT_RESPONSE }, E_LOGON_FAILURE, 1 },
		{ "session key missing", { .session_key_len = NO_SESSION_KEY }, SEC_E_INVALID_TOKEN, 1 },
		{ "session key too short", { .session_key_len = 8 }, SEC_E_INVALID_TOKEN, 1 },
		{ "session key too long", { .session_key_len = 32 }, SEC_E_INVALID_TOKEN, 1 },
		{ "extended session security dropped", { .dropped = NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY },
		    SEC_E_UNSUPPORTED_FUNCTION, 0 },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(cases); n++) {
		struct initiator i = initiator_of(cases[n].i);
		struct exchange x;

		print_message("%s\n", cases[n].name);
		exchange_init(&x);
		exchange_run(&x, &i);
		assert_int_equal(x.result.state, AUTH_FAILED);
		if (x.result.e.hr != cases[n].hr)
			fail_msg("0x%08x %s", x.result.e.hr, x.result.e.msg);
		assert_int_equal(x.authority.asked, cases[n].asked);
		assert_null(auth_ctx_token(x.ctx));
		assert_false(auth_ctx_can_sign(x.ctx));
		exchange_fini(&x);
	}
}

/* Names that cannot be shown, and tokens that are too short for what they announce. */
static void
test_authenticate_malformed(void **state)
{
	static const struct {
		const char *name;
		size_t at; /* descriptor changed */
		uint16_t len;
		uint32_t off;
	} cases[] = {
		{ "user of odd length", 36, 13, 100 },
		{ "user outside the token", 36, 14, 0x10000 },
		{ "user with a NUL", 36, 14, 8 }, /* the message type, 3 0 0 0, is as good as any */
		{ "user longer than any name", 36, 2050, 0 },
		{ "domain longer than any name", 28, 2050, 0 },
		{ "response outside the token", 20, 200, 0xffffff00 },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(cases); n++) {
		struct initiator i = initiator_of((struct initiator){ .mic = true });
		struct exchange x;

		print_message("%s\n", cases[n].name);
		exchange_init(&x);
		exchange_prepare(&x, &i);
		buf_put_zero(&x.authenticate, 4096);
		set_u16le(x.authenticate.p + cases[n].at, cases[n].len);
		set_u32le(x.authenticate.p + cases[n].at + 4, cases[n].off);
		auth_ctx_step(x.ctx, buf_bytes(&x.authenticate), on_step, &x.result);
		assert_int_equal(x.result.state, AUTH_FAILED);
		assert_int_equal(x.authority.asked, 0);
		exchange_fini(&x);
	}
}

/* A response may overlap the header, so a token can announce a MIC and yet end before it. */
static void
test_mic_needs_room(void **state)
{
	static const uint8_t pairs[] = { MsvAvFlags, 0, 4, 0, NTLM_AV_FLAG_MIC, 0, 0, 0, 0, 0, 0, 0 };
	struct initiator i = initiator_of((struct initiator){ .mic = true });
	uint8_t token[86] = "NTLMSSP";
	struct exchange x;

	(void)state;
	exchange_init(&x);
	exchange_prepare(&x, &i);
	set_u32le(token + 8, 3);
	set_u16le(token + 20, 56); /* NtChallengeResponse from 30 to the end */
	set_u32le(token + 24, 30);
	set_u16le(token + 36, 2); /* UserName: two octets of the flags */
	set_u32le(token + 40, 60);
	set_u16le(token + 46, 0x0101); /* RespType and HiRespType, where Workstation has its MaxLen */
	set_u32le(token + 60, INITIATOR_FLAGS);
	memcpy(token + 74, pairs, sizeof(pairs));
	auth_ctx_step(x.ctx, (struct bytes){ token, sizeof(token) }, on_step, &x.result);
	assert_int_equal(x.result.state, AUTH_FAILED);
	assert_int_equal(x.result.e.hr, SEC_E_INVALID_TOKEN);
	assert_non_null(strstr(x.result.e.msg, "MIC"));
	assert_int_equal(x.authority.asked, 0);
	exchange_fini(&x);
}

static void
test_tokens_of_any_length(void **state)
{
	static const size_t lengths[] = { AUTH_TOKEN_MAX + 1, AUTH_TOKEN_MAX };

	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(lengths); n++) {
		struct exchange x;

		exchange_init(&x);
		put_negotiate(&x.negotiate, INITIATOR_FLAGS);
		buf_put_zero(&x.negotiate, lengths[n] - x.negotiate.len);
		auth_ctx_step(x.ctx, buf_bytes(&x.negotiate), on_step, &x.result);
		assert_int_equal(x.result.state, lengths[n] > AUTH_TOKEN_MAX ? AUTH_FAILED : AUTH_NEED_TOKEN);
		exchange_fini(&x);
	}
}

/* ---- when and how often the callback runs ---- */

static void
test_deferred_verdict(void **state)
{
	struct initiator i = initiator_of((struct initiator){ .mic = true });
	struct exchange x;

	(void)state;
	exchange_init(&x);
	x.authority.deferred = true;
	exchange_run(&x, &i);
	assert_int_equal(x.result.calls, 1); /* only that of leg 1 */
	assert_int_equal(auth_ctx_state(x.ctx), AUTH_NEED_TOKEN);
	assert_null(auth_ctx_token(x.ctx));
	buf_wipe(&x.authenticate); /* the token is the caller's again; the proof must not lead into it */
	assert_string_equal(x.authority.proof->user, "janedoe");
	authority_answer(&x.authority);
	assert_int_equal(x.result.calls, 2);
	assert_int_equal(x.result.state, AUTH_COMPLETE);
	assert_protects(x.ctx, &i, true);
	exchange_fini(&x);
	assert_int_equal(x.authority.cancelled, 0);
}

static void
test_freed_while_asked(void **state)
{
	struct initiator i = initiator_of((struct initiator){ .mic = true });
	struct exchange x;

	(void)state;
	exchange_init(&x);
	x.authority.deferred = true;
	exchange_run(&x, &i);
	exchange_fini(&x);
	assert_int_equal(x.authority.cancelled, 1);
	assert_int_equal(x.result.calls, 1);
}

static void
test_freed_in_callback(void **state)
{
	for (int deferred = 0; deferred < 2; deferred++) {
		for (int leg = 1; leg <= 2; leg++) {
			struct initiator i = initiator_of((struct initiator){ .mic = true });
			struct exchange x;

			(void)state;
			exchange_init(&x);
			x.authority.deferred = deferred;
			if (leg == 1) {
				x.result.free_it = x.ctx;
				put_negotiate(&x.negotiate, i.flags);
				auth_ctx_step(x.ctx, buf_bytes(&x.negotiate), on_step, &x.result);
				assert_true(x.result.answer.len > 56); /* lives on without the context */
			} else {
				exchange_prepare(&x, &i);
				x.result.free_it = x.ctx;
				auth_ctx_step(x.ctx, buf_bytes(&x.authenticate), on_step, &x.result);
				if (deferred)
					authority_answer(&x.authority);
			}
			assert_int_equal(x.result.calls, leg);
			x.ctx = NULL;
			exchange_fini(&x);
			assert_int_equal(x.authority.cancelled, 0);
		}
	}
}

static void
test_after_the_end(void **state)
{
	struct initiator i = initiator_of((struct initiator){ .mic = true });
	struct exchange x;

	(void)state;
	exchange_init(&x);
	exchange_run(&x, &i);
	assert_int_equal(x.result.state, AUTH_COMPLETE);
	auth_ctx_step(x.ctx, buf_bytes(&x.authenticate), on_step, &x.result);
	assert_int_equal(x.result.state, AUTH_FAILED);
	assert_null(auth_ctx_token(x.ctx));
	exchange_fini(&x);
}

static void
test_protection_refused(void **state)
{
	static const struct {
		const char *name;
		uint32_t flags;
		size_t off, len;
		bool seal, complete;
		uint32_t hr;
	} cases[] = {
		{ "before the end", INITIATOR_FLAGS, 8, 8, true, false, SEC_E_INVALID_TOKEN },
		{ "sealing not agreed", INITIATOR_FLAGS & ~0x20u, 8, 8, true, true, SEC_E_MESSAGE_ALTERED },
		{ "nothing agreed", INITIATOR_FLAGS & ~0x30u, 8, 8, false, true, SEC_E_MESSAGE_ALTERED },
		{ "body behind the PDU", INITIATOR_FLAGS, 25, 0, true, true, E_INVALIDARG },
		{ "body longer than the PDU", INITIATOR_FLAGS, 8, 17, true, true, E_INVALIDARG },
		{ "body length wraps", INITIATOR_FLAGS, 8, SIZE_MAX - 4, true, true, E_INVALIDARG },
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(cases); n++) {
		struct initiator i = initiator_of((struct initiator){ .mic = true });
		struct exchange x;
		uint8_t pdu[24 + 16] = { 0 };
		struct err e = { 0 };

		print_message("%s\n", cases[n].name);
		i.flags = cases[n].flags;
		exchange_init(&x);
		exchange_prepare(&x, &i);
		if (cases[n].complete)
			auth_ctx_step(x.ctx, buf_bytes(&x.authenticate), on_step, &x.result);
		assert_int_equal(auth_ctx_protect(x.ctx, pdu, 24, cases[n].off, cases[n].len, cases[n].seal, false,
				     pdu + 24, &e),
		    -1);
		assert_int_equal(e.hr, cases[n].hr);
		e.hr = 0;
		assert_int_equal(auth_ctx_unprotect(x.ctx, pdu, 24, cases[n].off, cases[n].len, cases[n].seal, false,
				     (struct bytes){ pdu + 24, 16 }, &e),
		    -1);
		assert_int_equal(e.hr, cases[n].hr);
		exchange_fini(&x);
	}
}

static void
test_challenges_differ(void **state)
{
	struct initiator i = initiator_of((struct initiator){ .mic = true });
	struct exchange a, b;

	(void)state;
	exchange_init(&a);
	exchange_init(&b);
	exchange_prepare(&a, &i);
	exchange_prepare(&b, &i);
	assert_memory_not_equal(a.challenge.p + 24, b.challenge.p + 24, 8);
	/* An answer to one challenge is none to another. */
	auth_ctx_step(b.ctx, buf_bytes(&a.authenticate), on_step, &b.result);
	assert_int_equal(b.result.state, AUTH_FAILED);
	assert_int_equal(b.result.e.hr, E_LOGON_FAILURE);
	exchange_fini(&a);
	exchange_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_negotiate_refused),
		cmocka_unit_test(test_authenticate_refused),
		cmocka_unit_test(test_authenticate_malformed),
		cmocka_unit_test(test_mic_needs_room),
		cmocka_unit_test(test_tokens_of_any_length),
		cmocka_unit_test(test_deferred_verdict),
		cmocka_unit_test(test_freed_while_asked),
		cmocka_unit_test(test_freed_in_callback),
		cmocka_unit_test(test_after_the_end),
		cmocka_unit_test(test_protection_refused),
		cmocka_unit_test(test_challenges_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
