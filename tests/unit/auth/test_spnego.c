/* SPNEGO (RFC 4178, MS-SPNG): tokens against captured ones, and the acceptor's choices. */
#include "auth_support.h"

#include "auth/spnego_token_priv.h"

#define OID_NTLM "060a2b06010401823702020a"
#define OID_KRB5 "06092a864886f712010202"
#define OID_MSKRB5 "06092a864882f712010202"
#define OID_NEGOEX "060a2b06010401823702021e"

/* ---- tokens ---- */

static void
test_init_parse(void **state)
{
	static const struct {
		const char *name, *hex;
		const char *mech_list, *mech_token; /* NULL: none; mech_list NULL: refused */
	} cases[] = {
		{ "gss-ntlmssp", GSS_INIT, GSS_MECH_LIST, GSS_NEGOTIATE },
		{ "no GSS frame", "a0123010a00e300c" OID_NTLM, "300c" OID_NTLM, NULL },
		{ "empty mechToken", "a0163014a00e300c" OID_NTLM "a2020400", "300c" OID_NTLM, "" },
		{ "reqFlags are skipped", "a01c301aa00e300c" OID_NTLM "a10403020106a2020400", "300c" OID_NTLM, "" },
		{ "negHints are skipped", "a01c301aa00e300c" OID_NTLM "a3083006a0041b026869", "300c" OID_NTLM, NULL },
		{ "early mechListMIC is skipped", "a0173015a00e300c" OID_NTLM "a303040100", "300c" OID_NTLM, NULL },
		{ "empty list", "a0063004a0023000", "3000", NULL },
		{ "empty", "", NULL, NULL },
		{ "NegTokenResp", "a1073005a0030a0101", NULL, NULL },
		{ "frame of Kerberos", "600d" OID_KRB5 "0100", NULL, NULL },
		{ "frame without an OID", "6000", NULL, NULL },
		{ "frame without a token", "600806062b0601050502", NULL, NULL },
		{ "octets behind the frame", "601c06062b0601050502a0123010a00e300c" OID_NTLM "00", NULL, NULL },
		{ "octets behind the token", "a0123010a00e300c" OID_NTLM "00", NULL, NULL },
		{ "octets behind the list", "a0143012a010300c" OID_NTLM "0500", NULL, NULL },
		{ "no list", "a0023000", NULL, NULL },
		{ "mechToken without a list", "a0063004a2020400", NULL, NULL },
		{ "list of something else", "a0093007a00530030201ff", NULL, NULL },
		{ "malformed OID", "a0093007a00530030601ff", NULL, NULL },
		{ "mechToken is no OCTET STRING", "a0163014a00e300c" OID_NTLM "a2020500", NULL, NULL },
		{ "indefinite length", "a080308000000000", NULL, NULL },
		{ "length not in its shortest form", "a081123010a00e300c" OID_NTLM, NULL, NULL },
		{ "list longer than the token", "a0123010a00e300d" OID_NTLM, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf token = octets(cases[i].hex);
		struct spnego_init init;
		struct err e = { 0 };

		print_message("%s\n", cases[i].name);
		assert_int_equal(spnego_init_parse(buf_bytes(&token), &init, &e), cases[i].mech_list != NULL ? 0 : -1);
		if (cases[i].mech_list != NULL) {
			assert_octets(init.mech_list, cases[i].mech_list);
			assert_int_equal(init.has_mech_token, cases[i].mech_token != NULL);
			if (cases[i].mech_token != NULL)
				assert_octets(init.mech_token, cases[i].mech_token);
		}
		buf_fini(&token);
	}
}

static void
test_resp_parse(void **state)
{
	static const struct {
		const char *name, *hex;
		int ret;
		enum spnego_state state;
		const char *token, *mic;
	} cases[] = {
		{ "gss-ntlmssp, leg 3", GSS_RESP_AUTHENTICATE, 0, SPNEGO_ACCEPT_INCOMPLETE, GSS_AUTHENTICATE,
		    "01000000ac06e1b5e3ac2e2d00000000" },
		{ "an acceptor's, leg 2", GSS_RESP_CHALLENGE, 0, SPNEGO_ACCEPT_INCOMPLETE, GSS_CHALLENGE, NULL },
		{ "token only", "a1073005a203040141", 0, SPNEGO_STATE_ABSENT, "41", NULL },
		{ "nothing", "a1023000", 0, SPNEGO_STATE_ABSENT, NULL, NULL },
		{ "reject", "a1073005a0030a0102", 0, SPNEGO_REJECT, NULL, NULL },
		{ "MIC only", "a1073005a303040141", 0, SPNEGO_STATE_ABSENT, NULL, "41" },
		{ "empty", "", -1, 0, NULL, NULL },
		{ "NegTokenInit", "a0123010a00e300c" OID_NTLM, -1, 0, NULL, NULL },
		{ "GSS frame", "601106062b0601050502a1073005a203040141", -1, 0, NULL, NULL },
		{ "negState 4", "a1073005a0030a0104", -1, 0, NULL, NULL },
		{ "negState empty", "a1063004a0020a00", -1, 0, NULL, NULL },
		{ "negState of two octets", "a1083006a0040a020001", -1, 0, NULL, NULL },
		{ "negState is an INTEGER", "a1073005a003020101", -1, 0, NULL, NULL },
		{ "token is no OCTET STRING", "a1073005a203030141", -1, 0, NULL, NULL },
		{ "octets behind the token", "a1073005a20304014100", -1, 0, NULL, NULL },
		{ "MIC of 65 octets", "a1473045a3430441"
				      "0000000000000000000000000000000000000000000000000000000000000000"
				      "0000000000000000000000000000000000000000000000000000000000000000"
				      "00", -1, 0, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf token = octets(cases[i].hex);
		struct spnego_resp resp;
		struct err e = { 0 };

		print_message("%s\n", cases[i].name);
		assert_int_equal(spnego_resp_parse(buf_bytes(&token), &resp, &e), cases[i].ret);
		if (cases[i].ret == 0) {
			assert_int_equal(resp.state, cases[i].state);
			assert_int_equal(resp.has_token, cases[i].token != NULL);
			assert_octets(resp.token, cases[i].token != NULL ? cases[i].token : "");
			assert_octets(((struct bytes){ resp.mic, resp.mic_len }), cases[i].mic != NULL ? cases[i].mic : "");
		}
		buf_fini(&token);
	}
}

/* Every token cut short at every octet is refused, never read beyond its end. */
static void
test_cut_tokens(void **state)
{
	struct buf init = octets(GSS_INIT), resp = octets(GSS_RESP_AUTHENTICATE);

	(void)state;
	for (size_t len = 0; len < init.len; len++) {
		uint8_t *copy = malloc(len + 1); /* of its own, so that a sanitizer sees the end */
		struct spnego_init out;

		memcpy(copy, init.p, len);
		assert_int_equal(spnego_init_parse((struct bytes){ copy, len }, &out, NULL), -1);
		free(copy);
	}
	for (size_t len = 0; len < resp.len; len++) {
		uint8_t *copy = malloc(len + 1);
		struct spnego_resp out;

		memcpy(copy, resp.p, len);
		assert_int_equal(spnego_resp_parse((struct bytes){ copy, len }, &out, NULL), -1);
		free(copy);
	}
	buf_fini(&init);
	buf_fini(&resp);
}

static void
test_resp_put(void **state)
{
	static const struct {
		const char *name;
		enum spnego_state state;
		const char *mech, *token, *mic, *hex;
	} cases[] = {
		{ "accept-completed", SPNEGO_ACCEPT_COMPLETED, NULL, "", "", "a1073005a0030a0100" },
		{ "reject", SPNEGO_REJECT, NULL, "", "", "a1073005a0030a0102" },
		{ "request-mic", SPNEGO_REQUEST_MIC, "1.3.6.1.4.1.311.2.2.10", "", "",
		    "a1153013a0030a0103a10c" OID_NTLM },
		{ "CHALLENGE", SPNEGO_ACCEPT_INCOMPLETE, "1.3.6.1.4.1.311.2.2.10", GSS_CHALLENGE, "", GSS_RESP_CHALLENGE },
		{ "final with MIC", SPNEGO_ACCEPT_COMPLETED, NULL, "", "010000008f7372d158422d4200000000",
		    GSS_RESP_FINAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf token = octets(cases[i].token), mic = octets(cases[i].mic), out;
		struct err e = { 0 };

		print_message("%s\n", cases[i].name);
		buf_init(&out, 4096);
		assert_int_equal(spnego_resp_put(&out, cases[i].state, cases[i].mech, buf_bytes(&token), buf_bytes(&mic),
				     &e),
		    0);
		assert_octets(buf_bytes(&out), cases[i].hex);
		buf_fini(&token);
		buf_fini(&mic);
		buf_fini(&out);
	}
}

/* ---- the acceptor ---- */

/* One exchange as the table says; the client side follows RFC 4178. */
enum mic_kind { MIC_NONE, MIC_RIGHT, MIC_WRONG, MIC_OTHER_LIST };

struct negotiation {
	const char *mechs;  /* hex of the OIDs */
	bool optimistic;    /* NTLM's NEGOTIATE in leg 1; else garbage for another mechanism, or nothing */
	const char *garbage;
	bool ntlm_mic;
	uint32_t flags;
	enum mic_kind mic;
	const char *password;
};

struct exchange {
	struct test_authority authority;
	struct auth_ctx *ctx;
	struct step_result result;
	struct initiator i;
	struct buf negotiate, challenge, list;
	struct ntlm_session client;
	bool keyed;
};

static void
exchange_init(struct exchange *x)
{
	struct err e = { 0 };

	memset(x, 0, sizeof(*x));
	authority_init(&x->authority);
	result_init(&x->result);
	buf_init(&x->negotiate, 1 << 16);
	buf_init(&x->challenge, 1 << 16);
	buf_init(&x->list, 1 << 16);
	x->ctx = auth_ctx_new(AUTH_MECH_SPNEGO, &test_names, &x->authority.vtable, &e);
	assert_non_null(x->ctx);
	assert_string_equal(auth_ctx_package(x->ctx), "SPNEGO");
}

static void
exchange_fini(struct exchange *x)
{
	auth_ctx_free(x->ctx);
	ntlm_session_fini(&x->client);
	buf_fini(&x->result.answer);
	buf_fini(&x->negotiate);
	buf_fini(&x->challenge);
	buf_fini(&x->list);
}

static void
put_octets_field(struct buf *out, unsigned n, struct bytes v)
{
	size_t m = der_open(out, (uint8_t)DER_CONTEXT_CONSTRUCTED(n));

	der_put(out, DER_OCTET_STRING, v);
	der_close(out, m);
}

static void
send_init(struct exchange *x, const struct negotiation *n)
{
	struct buf out, oids = octets(n->mechs), garbage = octets(n->garbage != NULL ? n->garbage : "");
	size_t frame, init, seq, field;

	der_put(&x->list, DER_SEQUENCE, buf_bytes(&oids));
	put_negotiate(&x->negotiate, x->i.flags);
	buf_init(&out, 1 << 16);
	frame = der_open(&out, 0x60);
	der_put_oid(&out, "1.3.6.1.5.5.2");
	init = der_open(&out, 0xa0);
	seq = der_open(&out, DER_SEQUENCE);
	field = der_open(&out, 0xa0);
	buf_put_bytes(&out, buf_bytes(&x->list));
	der_close(&out, field);
	if (n->optimistic || n->garbage != NULL)
		put_octets_field(&out, 2, n->optimistic ? buf_bytes(&x->negotiate) : buf_bytes(&garbage));
	der_close(&out, seq);
	der_close(&out, init);
	der_close(&out, frame);
	auth_ctx_step(x->ctx, buf_bytes(&out), on_step, &x->result);
	buf_fini(&out);
	buf_fini(&oids);
	buf_fini(&garbage);
}

static void
send_resp(struct exchange *x, struct bytes token, struct bytes mic)
{
	struct buf out;
	size_t resp, seq;

	buf_init(&out, 1 << 16);
	resp = der_open(&out, 0xa1);
	seq = der_open(&out, DER_SEQUENCE);
	put_octets_field(&out, 2, token);
	if (mic.len > 0)
		put_octets_field(&out, 3, mic);
	der_close(&out, seq);
	der_close(&out, resp);
	auth_ctx_step(x->ctx, buf_bytes(&out), on_step, &x->result);
	buf_fini(&out);
}

/* The CHALLENGE out of the acceptor's answer. */
static void
take_challenge(struct exchange *x)
{
	struct spnego_resp resp;
	struct err e = { 0 };

	assert_int_equal(x->result.state, AUTH_NEED_TOKEN);
	assert_int_equal(spnego_resp_parse(buf_bytes(&x->result.answer), &resp, &e), 0);
	assert_int_equal(resp.state, SPNEGO_ACCEPT_INCOMPLETE);
	assert_true(resp.has_token);
	buf_put_bytes(&x->challenge, resp.token);
}

static void
send_authenticate(struct exchange *x, enum mic_kind kind)
{
	static const uint8_t other_list[] = { 0x30, 0 };
	struct bytes list = kind == MIC_OTHER_LIST ? (struct bytes){ other_list, 2 } : buf_bytes(&x->list);
	uint8_t mic[16];
	struct buf auth;
	struct err e = { 0 };

	buf_init(&auth, 1 << 16);
	put_authenticate(&x->i, buf_bytes(&x->negotiate), buf_bytes(&x->challenge), &auth);
	assert_int_equal(ntlm_session_init(&x->client, NTLM_CLIENT, x->i.flags, x->i.exported_key, &e), 0);
	if (kind != MIC_NONE)
		assert_int_equal(ntlm_session_list_mic(&x->client, list, mic, &e), 0);
	if (kind == MIC_WRONG)
		mic[5] ^= 1;
	send_resp(x, buf_bytes(&auth), (struct bytes){ mic, kind != MIC_NONE ? sizeof(mic) : 0 });
	buf_fini(&auth);
}

static void
negotiate(struct exchange *x, const struct negotiation *n)
{
	exchange_init(x);
	x->i = initiator_of((struct initiator){ .mic = n->ntlm_mic, .flags = n->flags, .password = n->password });
	send_init(x, n);
	if (x->result.state == AUTH_FAILED)
		return;
	if (!n->optimistic)
		send_resp(x, buf_bytes(&x->negotiate), (struct bytes){ NULL, 0 });
	take_challenge(x);
	send_authenticate(x, n->mic);
}

/* The acceptor's signature over the list, and a message each way after it. */
static void
assert_session(struct exchange *x, bool with_mic)
{
	uint8_t pdu[24 + 16];
	struct spnego_resp resp;
	struct err e = { 0 };

	assert_int_equal(spnego_resp_parse(buf_bytes(&x->result.answer), &resp, &e), 0);
	assert_int_equal(resp.state, SPNEGO_ACCEPT_COMPLETED);
	assert_int_equal(resp.mic_len, with_mic ? 16 : 0);
	if (with_mic)
		assert_int_equal(ntlm_session_check_list_mic(&x->client, buf_bytes(&x->list),
				     (struct bytes){ resp.mic, 16 }, &e),
		    0);
	if (!auth_ctx_can_seal(x->ctx))
		return;
	memcpy(pdu, "header..stubstubtrailer.", 24);
	assert_int_equal(ntlm_session_protect(&x->client, (struct bytes){ pdu, 24 }, pdu + 8, 8, true, pdu + 24, &e), 0);
	assert_int_equal(pdu[36], with_mic ? 1 : 0); /* sequence number */
	assert_int_equal(auth_ctx_unprotect(x->ctx, pdu, 24, 8, 8, true, true, (struct bytes){ pdu + 24, 16 }, &e), 0);
	assert_int_equal(auth_ctx_sig_len(x->ctx, true), 16);
	assert_int_equal(auth_ctx_protect(x->ctx, pdu, 24, 8, 8, true, true, pdu + 24, &e), 0);
	assert_int_equal(ntlm_session_unprotect(&x->client, (struct bytes){ pdu, 24 }, pdu + 8, 8, true,
			     (struct bytes){ pdu + 24, 16 }, &e),
	    0);
}

#define NO_SIGN (INITIATOR_FLAGS & ~0x30u)
#define AP_REQ "6082"

static void
test_negotiated(void **state)
{
	static const struct {
		const char *name;
		struct negotiation n;
	} cases[] = {
		{ "NTLM only", { OID_NTLM, .optimistic = true, .ntlm_mic = true, .mic = MIC_RIGHT } },
		{ "NTLM only, no MIC at all", { OID_NTLM, .optimistic = true } },
		{ "NTLM only, list signed though not due", { OID_NTLM, .optimistic = true, .mic = MIC_RIGHT } },
		{ "NTLM only, no optimistic token", { OID_NTLM, .ntlm_mic = true, .mic = MIC_RIGHT } },
		{ "NTLM first", { OID_NTLM OID_KRB5, .optimistic = true, .ntlm_mic = true, .mic = MIC_RIGHT } },
		{ "Kerberos first", { OID_KRB5 OID_NTLM, .garbage = AP_REQ, .ntlm_mic = true, .mic = MIC_RIGHT } },
		{ "Windows' list", { OID_MSKRB5 OID_KRB5 OID_NEGOEX OID_NTLM, .garbage = AP_REQ, .ntlm_mic = true,
				     .mic = MIC_RIGHT } },
		{ "Kerberos first, client without NTLM MIC", { OID_KRB5 OID_NTLM, .garbage = AP_REQ, .mic = MIC_RIGHT } },
		{ "Kerberos first, no optimistic token", { OID_KRB5 OID_NTLM, .mic = MIC_RIGHT } },
		{ "Kerberos first, mechanism cannot sign", { OID_KRB5 OID_NTLM, .garbage = AP_REQ, .flags = NO_SIGN } },
		{ "NTLM MIC, mechanism cannot sign", { OID_NTLM, .optimistic = true, .ntlm_mic = true,
						       .flags = NO_SIGN } },
	};

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
		struct exchange x;

		print_message("%s\n", cases[k].name);
		negotiate(&x, &cases[k].n);
		if (x.result.state != AUTH_COMPLETE)
			fail_msg("%s", x.result.e.msg);
		assert_string_equal(auth_ctx_package(x.ctx), "SPNEGO/NTLM");
		assert_string_equal(auth_ctx_token(x.ctx)->account, "CORP\\janedoe");
		assert_session(&x, cases[k].n.mic == MIC_RIGHT);
		exchange_fini(&x);
	}
}

static void
test_refused(void **state)
{
	static const struct {
		const char *name;
		struct negotiation n;
		uint32_t hr;
	} cases[] = {
		{ "no common mechanism", { OID_MSKRB5 OID_KRB5, .garbage = AP_REQ }, SEC_E_INVALID_TOKEN },
		{ "empty list", { .mechs = "" }, SEC_E_INVALID_TOKEN },
		{ "wrong password", { OID_NTLM, .optimistic = true, .password = "no" }, E_LOGON_FAILURE },
		{ "list not signed after request-mic", { OID_KRB5 OID_NTLM, .garbage = AP_REQ }, SEC_E_INVALID_TOKEN },
		{ "list not signed with an NTLM MIC", { OID_NTLM, .optimistic = true, .ntlm_mic = true },
		    SEC_E_INVALID_TOKEN },
		{ "wrong signature", { OID_NTLM, .optimistic = true, .ntlm_mic = true, .mic = MIC_WRONG },
		    SEC_E_MESSAGE_ALTERED },
		{ "another list signed", { OID_KRB5 OID_NTLM, .garbage = AP_REQ, .mic = MIC_OTHER_LIST },
		    SEC_E_MESSAGE_ALTERED },
		{ "signature from a mechanism that cannot sign", { OID_NTLM, .optimistic = true, .flags = NO_SIGN,
								   .mic = MIC_RIGHT }, SEC_E_INVALID_TOKEN },
		{ "the favourite's token is garbage", { OID_NTLM, .garbage = AP_REQ }, SEC_E_INVALID_TOKEN },
	};

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
		struct exchange x;

		print_message("%s\n", cases[k].name);
		negotiate(&x, &cases[k].n);
		assert_int_equal(x.result.state, AUTH_FAILED);
		if (x.result.e.hr != cases[k].hr)
			fail_msg("0x%08x %s", x.result.e.hr, x.result.e.msg);
		assert_octets(buf_bytes(&x.result.answer), "a1073005a0030a0102");
		assert_null(auth_ctx_token(x.ctx));
		assert_false(auth_ctx_can_sign(x.ctx));
		exchange_fini(&x);
	}
}

/* Octet for octet: what the first answer says. */
static void
test_first_answers(void **state)
{
	static const struct {
		const char *name;
		struct negotiation n;
		const char *hex;
	} cases[] = {
		{ "another favourite", { OID_KRB5 OID_NTLM, .garbage = AP_REQ }, "a1153013a0030a0103a10c" OID_NTLM },
		{ "nothing to go on with yet", { .mechs = OID_NTLM }, "a1153013a0030a0101a10c" OID_NTLM },
	};

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
		struct exchange x;

		print_message("%s\n", cases[k].name);
		exchange_init(&x);
		x.i = initiator_of((struct initiator){ .mic = true });
		send_init(&x, &cases[k].n);
		assert_int_equal(x.result.state, AUTH_NEED_TOKEN);
		assert_octets(buf_bytes(&x.result.answer), cases[k].hex);
		exchange_fini(&x);
	}
}

static void
test_later_tokens_refused(void **state)
{
	static const struct {
		const char *name, *hex;
	} cases[] = {
		{ "NegTokenInit again", GSS_INIT },
		{ "bare NTLM in the middle", GSS_AUTHENTICATE },
		{ "reject", "a1073005a0030a0102" },
		{ "no token", "a1073005a0030a0101" },
		{ "empty", "" },
		{ "token is no NTLM", "a1073005a203040141" },
	};

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
		static const struct negotiation n = { OID_NTLM, .optimistic = true };
		struct buf token = octets(cases[k].hex);
		struct exchange x;

		print_message("%s\n", cases[k].name);
		exchange_init(&x);
		x.i = initiator_of((struct initiator){ .mic = true });
		send_init(&x, &n);
		assert_int_equal(x.result.state, AUTH_NEED_TOKEN);
		auth_ctx_step(x.ctx, buf_bytes(&token), on_step, &x.result);
		assert_int_equal(x.result.state, AUTH_FAILED);
		assert_int_equal(x.authority.asked, 0);
		exchange_fini(&x);
		buf_fini(&token);
	}
}

static void
test_bare_ntlm(void **state)
{
	struct exchange x;
	struct buf auth;

	(void)state;
	exchange_init(&x);
	x.i = initiator_of((struct initiator){ .mic = true });
	put_negotiate(&x.negotiate, x.i.flags);
	auth_ctx_step(x.ctx, buf_bytes(&x.negotiate), on_step, &x.result);
	assert_int_equal(x.result.state, AUTH_NEED_TOKEN);
	assert_true(ntlm_message_is(buf_bytes(&x.result.answer)));
	buf_put_bytes(&x.challenge, buf_bytes(&x.result.answer));
	buf_init(&auth, 1 << 16);
	put_authenticate(&x.i, buf_bytes(&x.negotiate), buf_bytes(&x.challenge), &auth);
	auth_ctx_step(x.ctx, buf_bytes(&auth), on_step, &x.result);
	assert_int_equal(x.result.state, AUTH_COMPLETE);
	assert_int_equal(x.result.answer.len, 0);
	assert_string_equal(auth_ctx_package(x.ctx), "NTLM");
	assert_true(auth_ctx_can_seal(x.ctx));
	buf_fini(&auth);
	exchange_fini(&x);
}

/* The verdict comes later, or never, or the callback frees everything. */
static void
test_lifetimes(void **state)
{
	enum { ANSWERED, FREED_WHILE_ASKED, FREED_IN_CALLBACK };

	(void)state;
	for (int how = ANSWERED; how <= FREED_IN_CALLBACK; how++) {
		static const struct negotiation n = { OID_NTLM, .optimistic = true };
		struct exchange x;

		exchange_init(&x);
		x.authority.deferred = true;
		x.i = initiator_of((struct initiator){ .mic = true });
		send_init(&x, &n);
		take_challenge(&x);
		send_authenticate(&x, MIC_RIGHT);
		assert_int_equal(x.result.calls, 1);
		if (how == FREED_IN_CALLBACK)
			x.result.free_it = x.ctx;
		if (how != FREED_WHILE_ASKED) {
			authority_answer(&x.authority);
			assert_int_equal(x.result.calls, 2);
			assert_int_equal(x.result.state, AUTH_COMPLETE);
			assert_true(x.result.answer.len > 9);
		}
		if (how == FREED_IN_CALLBACK)
			x.ctx = NULL;
		exchange_fini(&x);
		assert_int_equal(x.authority.cancelled, how == FREED_WHILE_ASKED);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init_parse),
		cmocka_unit_test(test_resp_parse),
		cmocka_unit_test(test_cut_tokens),
		cmocka_unit_test(test_resp_put),
		cmocka_unit_test(test_negotiated),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_first_answers),
		cmocka_unit_test(test_later_tokens_refused),
		cmocka_unit_test(test_bare_ntlm),
		cmocka_unit_test(test_lifetimes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
