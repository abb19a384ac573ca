/* The initiators: against the example of MS-NLMP 4.2.4, against our acceptors, against challenges that cannot be. */
#include "auth_support.h"
#include "auth/initiator_priv.h"

static const struct bytes none = { NULL, 0 };

static struct auth_identity
identity(const char *domain, const char *user, const char *password)
{
	struct auth_identity id = { .domain = domain, .user = user };
	struct err e;

	assert_int_equal(ntlm_hash_password(id.nt_hash, password, &e), 0);
	return id;
}

/* ---- MS-NLMP 4.2.4 ---- */

#define SPEC_TARGET_INFO "02000c0044006f006d00610069006e0001000c0053006500720076006500720000000000"

static struct buf
challenge(uint32_t flags, const char *target_info)
{
	struct buf info = octets(target_info), b = octets("4e544c4d5353500002000000" "0000000038000000");

	buf_put_u32le(&b, flags);
	buf_put(&b, "\x01\x23\x45\x67\x89\xab\xcd\xef", 8);
	buf_put_zero(&b, 8);
	buf_put_u16le(&b, (uint16_t)info.len);
	buf_put_u16le(&b, (uint16_t)info.len);
	buf_put_u32le(&b, 56);
	buf_put_zero(&b, 8);
	buf_put_bytes(&b, buf_bytes(&info));
	buf_fini(&info);
	return b;
}

static struct auth_ctx *
spec_initiator(struct step_result *r)
{
	struct auth_identity id = identity("Domain", "User", "Password");
	struct auth_initiate how = { .identity = &id, .sign = true, .seal = true };
	struct ntlm_initiator_chance chance;
	struct auth_ctx *c;
	struct err e;

	memset(chance.client_challenge, 0xaa, 8);
	memset(chance.session_key, 0x55, 16);
	chance.now = 0;
	c = ntlm_initiator_new_with(&how, &chance, &e);
	assert_non_null(c);
	auth_ctx_step(c, none, on_step, r);
	assert_int_equal(r->state, AUTH_NEED_TOKEN);
	return c;
}

static void
test_spec_example(void **state)
{
	struct buf ch = challenge(0xe28a8233, SPEC_TARGET_INFO), text = utf16("Plaintext");
	struct ntlm_authenticate a;
	struct step_result r;
	struct auth_ctx *c;
	uint8_t sig[16];
	struct err e;

	(void)state;
	result_init(&r);
	c = spec_initiator(&r);
	auth_ctx_step(c, buf_bytes(&ch), on_step, &r);
	assert_int_equal(r.state, AUTH_COMPLETE);
	assert_int_equal(ntlm_authenticate_parse(buf_bytes(&r.answer), &a, &e), 0);
	assert_octets(a.nt_response, SPEC_NT_RESPONSE);
	assert_octets(a.lm_response, "86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa");
	assert_octets(a.session_key, "c5dad2544fc9799094ce1ce90bc9d03e");
	/* 4.2.4.4: the first message, sealed */
	assert_true(auth_ctx_can_seal(c));
	assert_int_equal(auth_ctx_protect(c, text.p, text.len, 0, text.len, true, false, sig, &e), 0);
	assert_octets(buf_bytes(&text), "54e50165bf1936dc996020c1811b0f06fb5f");
	assert_octets(((struct bytes){ sig, 16 }), "010000007fb38ec5c55d497600000000");
	auth_ctx_free(c);
	buf_fini(&ch);
	buf_fini(&text);
	buf_fini(&r.answer);
}

/* ---- what a server may not send ---- */

static void
test_bad_challenges(void **state)
{
	static const struct {
		const char *name;
		uint32_t flags;
		const char *info;
		size_t cut; /* octets left out at the end */
		uint32_t hr;
	} cases[] = {
		{ "no end of the pairs", 0xe28a8233, "02000200aaaa", 0, SEC_E_INVALID_TOKEN },
		{ "a pair too long", 0xe28a8233, "02000c00aaaa00000000", 0, SEC_E_INVALID_TOKEN },
		{ "a timestamp of four octets", 0xe28a8233, "070004000000000000000000", 0, SEC_E_INVALID_TOKEN },
		{ "no target info", 0xe28a8233, "", 0, SEC_E_UNSUPPORTED_FUNCTION },
		{ "target info outside", 0xe28a8233, SPEC_TARGET_INFO, 1, SEC_E_INVALID_TOKEN },
		{ "cut off", 0xe28a8233, SPEC_TARGET_INFO, 50, SEC_E_INVALID_TOKEN },
		{ "no sealing", 0xe28a8213, SPEC_TARGET_INFO, 0, SEC_E_UNSUPPORTED_FUNCTION },
		{ "no extended session security", 0xe2828233, SPEC_TARGET_INFO, 0, SEC_E_UNSUPPORTED_FUNCTION },
		{ "no Unicode", 0xe28a8232, SPEC_TARGET_INFO, 0, SEC_E_UNSUPPORTED_FUNCTION },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf ch = challenge(cases[i].flags, cases[i].info);
		struct step_result r;
		struct auth_ctx *c;

		result_init(&r);
		c = spec_initiator(&r);
		auth_ctx_step(c, (struct bytes){ ch.p, ch.len - cases[i].cut }, on_step, &r);
		if (r.state != AUTH_FAILED || r.e.hr != cases[i].hr)
			fail_msg("%s: state %d, %s", cases[i].name, (int)r.state, r.e.msg);
		auth_ctx_free(c);
		buf_fini(&ch);
		buf_fini(&r.answer);
	}
}

/* ---- both sides of ours ---- */

struct pair {
	struct test_authority authority;
	struct auth_ctx *client, *server;
	struct step_result c, s;
};

static void
pair_init(struct pair *p, enum auth_mech mech, const char *password, bool seal)
{
	struct auth_identity id = identity("CORP", "janedoe", password);
	struct auth_initiate how = { .identity = &id,
			.target = "host/ca01.corp.contoso.com",
			.sign = true,
			.seal = seal };
	struct err e;

	authority_init(&p->authority);
	result_init(&p->c);
	result_init(&p->s);
	p->client = auth_initiator_new(mech, &how, &e);
	p->server = auth_ctx_new(mech, &test_names, &p->authority.vtable, &e);
	assert_non_null(p->client);
	assert_non_null(p->server);
}

/* Until one side is silent. */
static void
pair_run(struct pair *p)
{
	auth_ctx_step(p->client, none, on_step, &p->c);
	while (p->c.answer.len > 0) {
		auth_ctx_step(p->server, buf_bytes(&p->c.answer), on_step, &p->s);
		if (p->s.answer.len == 0 || p->s.state == AUTH_FAILED)
			return;
		auth_ctx_step(p->client, buf_bytes(&p->s.answer), on_step, &p->c);
	}
}

static void
pair_fini(struct pair *p)
{
	auth_ctx_free(p->client);
	auth_ctx_free(p->server);
	buf_fini(&p->c.answer);
	buf_fini(&p->s.answer);
}

static void
exchange(struct auth_ctx *from, struct auth_ctx *to, bool seal, const char *text)
{
	size_t n = strlen(text);
	uint8_t pdu[64] = { 0 }, sig[16];
	struct err e;

	memcpy(pdu + 8, text, n);
	assert_int_equal(auth_ctx_protect(from, pdu, n + 16, 8, n, seal, true, sig, &e), 0);
	assert_int_equal(memcmp(pdu + 8, text, n) != 0, seal);
	assert_int_equal(
	    auth_ctx_unprotect(to, pdu, n + 16, 8, n, seal, true, (struct bytes){ sig, 16 }, &e), 0);
	assert_memory_equal(pdu + 8, text, n);
}

static void
test_both_sides(void **state)
{
	static const enum auth_mech mechs[] = { AUTH_MECH_NTLM, AUTH_MECH_SPNEGO };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		bool seal = i >= 2;
		struct pair p;

		pair_init(&p, mechs[i % 2], "Passw0rd!", seal);
		pair_run(&p);
		assert_int_equal(p.c.state, AUTH_COMPLETE);
		assert_int_equal(p.s.state, AUTH_COMPLETE);
		assert_string_equal(p.authority.proof != NULL ? "asked" : "", "asked");
		for (int n = 0; n < 3; n++) {
			exchange(p.client, p.server, seal, "request");
			exchange(p.server, p.client, seal, "answer");
		}
		pair_fini(&p);
	}
}

static void
test_wrong_password(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, AUTH_MECH_SPNEGO, "wrong", true);
	pair_run(&p);
	assert_int_equal(p.s.state, AUTH_FAILED);
	assert_int_equal(p.s.e.hr, E_LOGON_FAILURE);
	/* the reject token, had the transport carried it */
	auth_ctx_step(p.client, buf_bytes(&p.s.answer), on_step, &p.c);
	assert_int_equal(p.c.state, AUTH_FAILED);
	assert_int_equal(p.c.e.hr, SEC_E_LOGON_DENIED);
	pair_fini(&p);
}

/* A server that does not sign the list, or signs it wrongly, may not be the one we spoke to. */
static void
test_list_mic(void **state)
{
	(void)state;
	for (int n = 0; n < 3; n++) {
		struct pair p;

		pair_init(&p, AUTH_MECH_SPNEGO, "Passw0rd!", true);
		auth_ctx_step(p.client, none, on_step, &p.c);
		auth_ctx_step(p.server, buf_bytes(&p.c.answer), on_step, &p.s);
		auth_ctx_step(p.client, buf_bytes(&p.s.answer), on_step, &p.c);
		auth_ctx_step(p.server, buf_bytes(&p.c.answer), on_step, &p.s);
		assert_int_equal(p.s.state, AUTH_COMPLETE);
		if (n == 1) { /* negState accept-completed alone */
			buf_reset(&p.s.answer);
			buf_put(&p.s.answer, "\xa1\x07\x30\x05\xa0\x03\x0a\x01\x00", 9);
		} else if (n == 2) {
			p.s.answer.p[p.s.answer.len - 5] ^= 1;
		}
		auth_ctx_step(p.client, buf_bytes(&p.s.answer), on_step, &p.c);
		assert_int_equal(p.c.state, n == 0 ? AUTH_COMPLETE : AUTH_FAILED);
		if (n != 0)
			assert_int_equal(p.c.e.hr, SEC_E_MESSAGE_ALTERED);
		pair_fini(&p);
	}
}

/* The tokens of the exchange with gss-ntlmssp: what frames them is what we write. */
static void
test_spnego_frame(void **state)
{
	struct auth_identity id = identity("CORP", "alice", "Passw0rd!");
	struct auth_initiate how = { .identity = &id, .sign = true, .seal = true };
	struct buf want = octets(GSS_INIT);
	struct step_result r;
	struct auth_ctx *c;
	struct err e;

	(void)state;
	result_init(&r);
	c = auth_initiator_new(AUTH_MECH_SPNEGO, &how, &e);
	auth_ctx_step(c, none, on_step, &r);
	/* all but NEGOTIATE's flags and version, its last 28 octets */
	assert_int_equal(r.answer.len, want.len);
	assert_memory_equal(r.answer.p, want.p, want.len - 28);
	auth_ctx_free(c);
	buf_fini(&r.answer);
	buf_fini(&want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spec_example),
		cmocka_unit_test(test_bad_challenges),
		cmocka_unit_test(test_both_sides),
		cmocka_unit_test(test_wrong_password),
		cmocka_unit_test(test_list_mic),
		cmocka_unit_test(test_spnego_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
