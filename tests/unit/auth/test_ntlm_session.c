/* NTLM session security (MS-NLMP 3.4, MS-SPNG 3.2.5.1) against the specification's examples and captured exchanges. */
#include "auth_support.h"

static struct ntlm_session
session(enum ntlm_side side, uint32_t flags, const char *exported_key)
{
	struct buf key = octets(exported_key);
	struct ntlm_session s;
	struct err e = { 0 };

	assert_int_equal(key.len, 16);
	assert_int_equal(ntlm_session_init(&s, side, flags, key.p, &e), 0);
	buf_fini(&key);
	return s;
}

#define SPEC_KEY "55555555555555555555555555555555"
#define SPEC_V1_KEY "eb93429a8bd952f8b89c55b87f475edc"

static void
test_keys(void **state)
{
	static const struct {
		const char *name;
		uint32_t flags;
		const char *key, *client_sign, *client_seal, *server_sign, *server_seal;
	} cases[] = {
		{ "MS-NLMP 4.2.4, 128 bits", 0xe28a8233, SPEC_KEY, "4788dc861b4782f35d43fd98fe1a2d39",
		    "59f600973cc4960a25480a7c196e4c58", "d04d6f10741041d1d246d64188d7a8ad",
		    "9355f3a957c1583d25c4c2f11e40390e" },
		{ "MS-NLMP 4.2.3, 56 bits", 0x820a8233, SPEC_V1_KEY, "60e799be5c72fc92922ae8ebe961fb8d",
		    "04dd7f014d8504d265a25cc86a3a7c06", NULL, NULL },
		{ "40 bits, computed with Python's hashlib", 0x400a8233, SPEC_KEY, "4788dc861b4782f35d43fd98fe1a2d39",
		    "42f964a471091a02ff4a77455366e4e5", NULL, NULL },
		{ "impacket", 0xe0888235, IMPACKET_EXPORTED_KEY, "5ad2e53eac35c216e0bdf973cb3de42d",
		    "3bb8e80348887dab602556663f2397d9", "eff0b420c628617ac2caa1ce5a7f972b",
		    "3d09eb746a4e0727a3a9b64d58a076f9" },
		{ "gss-ntlmssp", 0xe2898235, GSS_EXPORTED_KEY, "0b25a020afe30056a8d9ba2a4f5f9f91",
		    "996a657f77f80937a161714930ea5855", "901d74941fcfe11556f242238a4b4faf",
		    "4de980ef3f1c186af9556608bdf86fbe" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ntlm_session s = session(NTLM_SERVER, cases[i].flags, cases[i].key);

		print_message("%s\n", cases[i].name);
		assert_octets(((struct bytes){ s.rx.sign_key, 16 }), cases[i].client_sign);
		assert_octets(((struct bytes){ s.rx.seal_key, 16 }), cases[i].client_seal);
		if (cases[i].server_sign != NULL)
			assert_octets(((struct bytes){ s.tx.sign_key, 16 }), cases[i].server_sign);
		if (cases[i].server_seal != NULL)
			assert_octets(((struct bytes){ s.tx.seal_key, 16 }), cases[i].server_seal);
		ntlm_session_fini(&s);
	}
}


/* The specification's sealed texts, seen from both ends: with and without encrypted checksums. */
static void
test_spec_messages(void **state)
{
	static const struct {
		const char *name;
		uint32_t flags;
		const char *key, *sealed, *sig;
	} cases[] = {
		{ "MS-NLMP 4.2.4.4, KEY_EXCH", 0xe28a8233, SPEC_KEY, "54e50165bf1936dc996020c1811b0f06fb5f",
		    "010000007fb38ec5c55d497600000000" },
		{ "MS-NLMP 4.2.3.4, no KEY_EXCH", 0x820a8233, SPEC_V1_KEY, "a02372f6530273f3aa1eb90190ce5200c99d",
		    "01000000ff2aeb52f681793a00000000" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ntlm_session client = session(NTLM_CLIENT, cases[i].flags, cases[i].key);
		struct ntlm_session server = session(NTLM_SERVER, cases[i].flags, cases[i].key);
		struct buf text = utf16("Plaintext"), plain = utf16("Plaintext");
		uint8_t sig[16];
		struct err e = { 0 };

		print_message("%s\n", cases[i].name);
		assert_int_equal(ntlm_session_protect(&client, buf_bytes(&text), text.p, text.len, true, sig, &e), 0);
		assert_octets(buf_bytes(&text), cases[i].sealed);
		assert_octets(((struct bytes){ sig, 16 }), cases[i].sig);
		assert_int_equal(ntlm_session_unprotect(&server, buf_bytes(&text), text.p, text.len, true,
				     (struct bytes){ sig, 16 }, &e),
		    0);
		assert_true(bytes_equal(buf_bytes(&text), buf_bytes(&plain)));
		buf_fini(&text);
		buf_fini(&plain);
		ntlm_session_fini(&client);
		ntlm_session_fini(&server);
	}
}

#define PDU_HEADER 24
#define PDU_TAIL (8 + 16) /* sec_trailer, signature */

/* A sealed request as impacket sent it is opened, the answer is sealed to the octet. */
static void
test_impacket_pdus(void **state)
{
	struct ntlm_session s = session(NTLM_SERVER, 0xe0888235, IMPACKET_EXPORTED_KEY);
	struct buf req = octets(IMPACKET_REQUEST_PDU), stub = octets(IMPACKET_RESPONSE_STUB);
	struct buf resp = octets(IMPACKET_RESPONSE_PDU);
	size_t signed_len = req.len - 16, body_len = req.len - PDU_HEADER - PDU_TAIL;
	uint8_t sig[16], *body = resp.p + PDU_HEADER;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(ntlm_session_unprotect(&s, (struct bytes){ req.p, signed_len }, req.p + PDU_HEADER, body_len,
			     true, (struct bytes){ req.p + signed_len, 16 }, &e),
	    0);
	assert_octets(((struct bytes){ req.p + PDU_HEADER, body_len }), IMPACKET_REQUEST_STUB);

	signed_len = resp.len - 16;
	body_len = resp.len - PDU_HEADER - PDU_TAIL;
	memset(body, 0, body_len); /* eight octets of padding follow the stub */
	memcpy(body, stub.p, stub.len);
	assert_int_equal(ntlm_session_protect(&s, (struct bytes){ resp.p, signed_len }, body, body_len, true, sig, &e),
	    0);
	memcpy(resp.p + signed_len, sig, 16);
	assert_octets(buf_bytes(&resp), IMPACKET_RESPONSE_PDU);
	buf_fini(&req);
	buf_fini(&stub);
	buf_fini(&resp);
	ntlm_session_fini(&s);
}

static void
test_list_mic(void **state)
{
	struct ntlm_session server = session(NTLM_SERVER, 0xe2898235, GSS_EXPORTED_KEY);
	struct ntlm_session fresh = session(NTLM_SERVER, 0xe2898235, GSS_EXPORTED_KEY);
	struct buf list = octets(GSS_MECH_LIST), theirs = octets("01000000ac06e1b5e3ac2e2d00000000");
	struct bytes msg = { (const uint8_t *)"message", 7 };
	uint8_t sig[16], sealed[7] = "message", fresh_sealed[7] = "message", fresh_sig[16];
	struct err e = { 0 };

	(void)state;
	assert_int_equal(ntlm_session_check_list_mic(&server, buf_bytes(&list), buf_bytes(&theirs), &e), 0);
	assert_int_equal(ntlm_session_list_mic(&server, buf_bytes(&list), sig, &e), 0);
	assert_octets(((struct bytes){ sig, 16 }), "010000008f7372d158422d4200000000");
	assert_int_equal(server.rx.seq, 1);
	assert_int_equal(server.tx.seq, 1);
	/* The key stream starts again, the numbers do not. */
	assert_int_equal(ntlm_session_protect(&server, msg, sealed, 7, true, sig, &e), 0);
	assert_int_equal(ntlm_session_protect(&fresh, msg, fresh_sealed, 7, true, fresh_sig, &e), 0);
	assert_memory_equal(sealed, fresh_sealed, 7);
	assert_int_equal(sig[12], 1);
	assert_int_equal(fresh_sig[12], 0);
	buf_fini(&list);
	buf_fini(&theirs);
	ntlm_session_fini(&server);
	ntlm_session_fini(&fresh);
}

/* Any octet of the message or of its signature changed, replayed or cut. */
static void
test_refused(void **state)
{
	static const struct {
		const char *name;
		size_t flip; /* octet of message and signature together that is changed; SIZE_MAX: none */
		size_t sig_len;
		bool replay;
	} cases[] = {
		{ "first octet of the header", 0, 16, false },
		{ "first octet of the body", 4, 16, false },
		{ "last octet of the trailer", 11, 16, false },
		{ "signature version", 12, 16, false },
		{ "checksum", 16, 16, false },
		{ "sequence number", 24, 16, false },
		{ "signature too short", SIZE_MAX, 15, false },
		{ "no signature", SIZE_MAX, 0, false },
		{ "replay", SIZE_MAX, 16, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ntlm_session client = session(NTLM_CLIENT, 0xe28a8233, SPEC_KEY);
		struct ntlm_session server = session(NTLM_SERVER, 0xe28a8233, SPEC_KEY);
		uint8_t pdu[12 + 16] = "headBODYtail", again[12];
		struct err e = { 0 };

		print_message("%s\n", cases[i].name);
		assert_int_equal(ntlm_session_protect(&client, (struct bytes){ pdu, 12 }, pdu + 4, 4, true, pdu + 12,
				     &e),
		    0);
		memcpy(again, pdu, sizeof(again));
		if (cases[i].flip != SIZE_MAX)
			pdu[cases[i].flip] ^= 1;
		if (cases[i].replay) {
			assert_int_equal(ntlm_session_unprotect(&server, (struct bytes){ pdu, 12 }, pdu + 4, 4, true,
					     (struct bytes){ pdu + 12, 16 }, &e),
			    0);
			memcpy(pdu, again, sizeof(again));
		}
		assert_int_equal(ntlm_session_unprotect(&server, (struct bytes){ pdu, 12 }, pdu + 4, 4, true,
				     (struct bytes){ pdu + 12, cases[i].sig_len }, &e),
		    -1);
		assert_int_equal(e.hr, SEC_E_MESSAGE_ALTERED);
		assert_int_equal(server.rx.seq, cases[i].replay ? 1 : 0);
		ntlm_session_fini(&client);
		ntlm_session_fini(&server);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_spec_messages),
		cmocka_unit_test(test_impacket_pdus),
		cmocka_unit_test(test_list_mic),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
