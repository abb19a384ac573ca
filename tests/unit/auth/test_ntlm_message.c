/* NTLM messages (MS-NLMP 2.2): what is read from clients, and our CHALLENGE octet by octet. */
#include "auth_support.h"

static void
test_negotiate(void **state)
{
	static const struct {
		const char *name, *hex;
		uint32_t flags; /* 0: refused */
	} cases[] = {
		{ "impacket, 32 octets", IMPACKET_NEGOTIATE, 0xe0888235 },
		{ "gss-ntlmssp, 40 octets", GSS_NEGOTIATE, 0xe2088237 },
		{ "16 octets", "4e544c4d535350000100000007820800", 0x00088207 },
		{ "15 octets", "4e544c4d5353500001000000078208", 0 },
		{ "signature only", "4e544c4d53535000", 0 },
		{ "empty", "", 0 },
		{ "another signature", "4e544c4d535350010100000007820800", 0 },
		{ "signature not terminated", "4e544c4d535350200100000007820800", 0 },
		{ "type 3", "4e544c4d535350000300000007820800", 0 },
		{ "type in the other byte order", "4e544c4d535350000000000107820800", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf token = octets(cases[i].hex);
		struct err e = { 0 };
		uint32_t flags = 0;

		print_message("%s\n", cases[i].name);
		assert_int_equal(ntlm_negotiate_parse(buf_bytes(&token), &flags, &e), cases[i].flags != 0 ? 0 : -1);
		assert_int_equal(flags, cases[i].flags);
		if (cases[i].flags == 0)
			assert_int_equal(e.hr, SEC_E_INVALID_TOKEN);
		buf_fini(&token);
	}
}

#define TARGET_INFO                                                                                             \
	"01000800430041003000310002000800"                                                                      \
	"43004f0052005000030024006300610030003100"                                                              \
	"2e0063006f00720070002e006c00610062002e00740065007300"                                                  \
	"740004001a0063006f00720070002e006c00610062002e007400650073007400"                                      \
	"05000c0066006f007200650073007400"                                                                      \
	"070008000123456789abcd0100000000"

static void
test_challenge(void **state)
{
	static const struct auth_names names = { "CA01", "CORP", "ca01.corp.lab.test", "corp.lab.test", "forest" };
	static const struct {
		const char *name;
		uint32_t flags;
		const char *hex;
	} cases[] = {
		{ "Unicode, Version", 0xe2898235,
		    "4e544c4d53535000020000000800080038000000358289e20123456789abcdef0000000000000000"
		    "7e007e0040000000"
		    "0a007c4f0000000f43004f0052005000" TARGET_INFO },
		{ "OEM, no Version", 0xe0898236,
		    "4e544c4d53535000020000000400040038000000368289e00123456789abcdef0000000000000000"
		    "7e007e003c000000"
		    "0000000000000000434f5250" TARGET_INFO },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ntlm_challenge ch = { .flags = cases[i].flags,
			.server_challenge = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef },
			.timestamp = 0x01cdab8967452301,
			.names = &names };
		struct err e = { 0 };
		struct buf out;

		print_message("%s\n", cases[i].name);
		buf_init(&out, 4096);
		assert_int_equal(ntlm_challenge_put(&out, &ch, &e), 0);
		assert_octets(buf_bytes(&out), cases[i].hex);
		buf_fini(&out);
	}
}

static void
test_authenticate(void **state)
{
	static const struct {
		const char *name, *hex, *user, *domain;
		size_t lm, nt, workstation, key;
		uint32_t flags;
	} cases[] = {
		{ "MS-NLMP 4.2.4.3", SPEC_AUTHENTICATE, "User", "Domain", 24, 84, 16, 16, 0xe2888235 },
		{ "impacket: no Version, no MIC", IMPACKET_AUTHENTICATE, "alice", "CORP", 24, 194, 0, 16, 0xe0888235 },
		{ "gss-ntlmssp: MIC", GSS_AUTHENTICATE, "alice", "CORP", 0, 206, 4, 16, 0xe2898235 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf token = octets(cases[i].hex), user = utf16(cases[i].user), domain = utf16(cases[i].domain);
		struct ntlm_authenticate msg = { .flags = 0 };
		struct ntlmv2_response v2;
		struct err e = { 0 };

		print_message("%s\n", cases[i].name);
		assert_int_equal(ntlm_authenticate_parse(buf_bytes(&token), &msg, &e), 0);
		assert_true(bytes_equal(msg.user, buf_bytes(&user)));
		assert_true(bytes_equal(msg.domain, buf_bytes(&domain)));
		assert_int_equal(msg.lm_response.len, cases[i].lm);
		assert_int_equal(msg.nt_response.len, cases[i].nt);
		assert_int_equal(msg.workstation.len, cases[i].workstation);
		assert_int_equal(msg.session_key.len, cases[i].key);
		assert_int_equal(msg.flags, cases[i].flags);
		assert_int_equal(ntlmv2_response_parse(msg.nt_response, &v2, &e), 0);
		assert_int_equal(v2.has_mic, strstr(cases[i].name, ": MIC") != NULL);
		buf_fini(&token);
		buf_fini(&user);
		buf_fini(&domain);
	}
}

/* Every field pointed out of the token, one at a time; the token cut anywhere. */
static void
test_authenticate_refused(void **state)
{
	static const struct {
		const char *name;
		uint16_t len;
		uint32_t off;
		int ret;
	} cases[] = {
		{ "ends with the token", 16, 216, 0 },
		{ "one octet too long", 17, 216, -1 },
		{ "one octet too far", 16, 217, -1 },
		{ "starts behind the token", 1, 232, -1 },
		{ "offset wraps", 16, 0xfffffff8, -1 },
		{ "length wraps", 0xffff, 0xffffffff, -1 },
		{ "empty, offset anywhere", 0, 0xffffffff, 0 },
	};

	(void)state;
	for (size_t at = 12; at <= 52; at += 8) {
		for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
			struct buf token = octets(SPEC_AUTHENTICATE);
			struct ntlm_authenticate msg;
			struct err e = { 0 };

			assert_int_equal(token.len, 232);
			set_u16le(token.p + at, cases[i].len);
			set_u32le(token.p + at + 4, cases[i].off);
			if (ntlm_authenticate_parse(buf_bytes(&token), &msg, &e) != cases[i].ret)
				fail_msg("%s in the field at %zu", cases[i].name, at);
			assert_int_equal(e.hr, cases[i].ret == 0 ? 0 : SEC_E_INVALID_TOKEN);
			buf_fini(&token);
		}
	}
	for (size_t len = 0; len < 232; len++) {
		struct buf token = octets(SPEC_AUTHENTICATE);
		struct ntlm_authenticate msg;
		struct err e = { 0 };

		assert_int_equal(ntlm_authenticate_parse((struct bytes){ token.p, len }, &msg, &e), -1);
		buf_fini(&token);
	}
}

#define PROOF "00000000000000000000000000000000"
#define FIXED "01010000000000000000000000000000aaaaaaaaaaaaaaaa00000000"

static void
test_ntlmv2_response(void **state)
{
	static const struct {
		const char *name, *hex;
		int ret;
		bool mic;
		size_t target, channel;
	} cases[] = {
		{ "no pairs", PROOF FIXED "00000000", 0, false, 0, 0 },
		{ "MS-NLMP 4.2.4.1.3", SPEC_NT_RESPONSE, 0, false, 0, 0 },
		{ "flags: MIC", PROOF FIXED "060004000200000000000000", 0, true, 0, 0 },
		{ "flags: constrained, no MIC", PROOF FIXED "060004000500000000000000", 0, false, 0, 0 },
		{ "target name", PROOF FIXED "09000400680069000000000000000000", 0, false, 4, 0 },
		{ "empty target name", PROOF FIXED "0900000000000000", 0, false, 0, 0 },
		{ "channel bindings", PROOF FIXED "0a00100000112233445566778899aabbccddeeff00000000", 0, false, 0, 16 },
		{ "unknown pair is skipped", PROOF FIXED "3412030001020300000000", 0, false, 0, 0 },
		{ "pairs behind the end do not count", PROOF FIXED "00000000060004000200000000000000", 0, false, 0, 0 },
		{ "reserved fields not zero", PROOF "0101ffffffffffff0000000000000000aaaaaaaaaaaaaaaaffffffff00000000", 0,
		    false, 0, 0 },
		{ "empty", "", -1, false, 0, 0 },
		{ "NTLMv1", "67c43011f30298a2ad35ece64f16331c44bdbed927841f94", -1, false, 0, 0 },
		{ "no end", PROOF FIXED, -1, false, 0, 0 },
		{ "end cut off", PROOF FIXED "000000", -1, false, 0, 0 },
		{ "pair cut off", PROOF FIXED "0600", -1, false, 0, 0 },
		{ "value cut off", PROOF FIXED "0600040002000000", -1, false, 0, 0 },
		{ "value longer than the rest", PROOF FIXED "0900ffff00000000", -1, false, 0, 0 },
		{ "flags of 2 octets", PROOF FIXED "06000200020000000000", -1, false, 0, 0 },
		{ "timestamp of 4 octets", PROOF FIXED "070004000200000000000000", -1, false, 0, 0 },
		{ "odd target name", PROOF FIXED "090001006800000000", -1, false, 0, 0 },
		{ "channel bindings of 4 octets", PROOF FIXED "0a0004000200000000000000", -1, false, 0, 0 },
		{ "response type 2", PROOF "02010000000000000000000000000000aaaaaaaaaaaaaaaa0000000000000000", -1, false, 0,
		    0 },
		{ "highest type 2", PROOF "01020000000000000000000000000000aaaaaaaaaaaaaaaa0000000000000000", -1, false, 0,
		    0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf response = octets(cases[i].hex);
		struct ntlmv2_response v2;
		struct err e = { 0 };

		print_message("%s\n", cases[i].name);
		assert_int_equal(ntlmv2_response_parse(buf_bytes(&response), &v2, &e), cases[i].ret);
		if (cases[i].ret != 0) {
			assert_int_equal(e.hr, SEC_E_INVALID_TOKEN);
		} else {
			assert_int_equal(v2.has_mic, cases[i].mic);
			assert_int_equal(v2.target_name.len, cases[i].target);
			assert_int_equal(v2.channel_hash.len, cases[i].channel);
		}
		buf_fini(&response);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_negotiate),
		cmocka_unit_test(test_challenge),
		cmocka_unit_test(test_authenticate),
		cmocka_unit_test(test_authenticate_refused),
		cmocka_unit_test(test_ntlmv2_response),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
