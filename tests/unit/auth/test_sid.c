/* SIDs as text and as octets, MS-DTYP 2.4.2. */
#include "sd_support.h"

static void
test_both_forms(void **state)
{
	static const struct {
		const char *text, *hex;
	} cases[] = {
		{ "S-1-1-0", "010100000000000100000000" },
		{ "S-1-5-11", "01010000000000050b000000" },
		{ "S-1-5-32-544", "01020000000000052000000020020000" },
		{ DOM "-519", "010500000000000515000000c7353a428e6b748455a1aec607020000" },
		{ "S-1-5", "0100000000000005" },
		{ "S-1-0-0", "010100000000000000000000" },
		{ "S-1-5-4294967295", "0101000000000005ffffffff" },
		{ "S-1-4294967295-1", "01010000ffffffff01000000" },
		{ "S-1-0x000100000000-7", "010100010000000007000000" },
		{ "S-1-0xffffffffffff-1", "0101ffffffffffff01000000" },
		{ "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15",
		    "010f0000000000050100000002000000030000000400000005000000060000000700000008000000"
		    "090000000a0000000b0000000c0000000d0000000e0000000f000000" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sid from_text = sid_of(cases[i].text), from_wire;
		struct buf want, got;
		char text[SID_TEXT_MAX];
		struct err e = { 0 };
		size_t used;

		hex_of(&want, cases[i].hex);
		buf_init(&got, SID_WIRE_MAX);
		sid_put(&got, &from_text);
		assert_true(bytes_equal(buf_bytes(&got), buf_bytes(&want)));
		assert_int_equal(sid_wire_len(&from_text), want.len);
		buf_put_u8(&want, 0xee); /* what follows is not ours */
		assert_int_equal(sid_from_wire(&from_wire, buf_bytes(&want), &used, &e), 0);
		assert_int_equal(used, want.len - 1);
		assert_true(sid_equal(&from_wire, &from_text));
		assert_string_equal(sid_to_text(&from_wire, text), cases[i].text);
		buf_fini(&want);
		buf_fini(&got);
	}
}

static void
test_text_spellings(void **state)
{
	struct sid a = sid_of("s-1-0x5-32-544"), b = sid_of("S-1-0x000000000005-32-544");

	(void)state;
	assert_true(sid_equal(&a, &SID_BUILTIN_ADMINISTRATORS));
	assert_true(sid_equal(&b, &SID_BUILTIN_ADMINISTRATORS));
}

static void
test_text_refused(void **state)
{
	static const char *const cases[] = {
		"", "S", "S-", "S-1", "S-1-", "S-2-5-11", "1-5-11", "X-1-5-11", "S-1-5-", "S-1-5-11-", "S-1--11",
		"S-1-5-11 ", " S-1-5-11", "S-1-5-0x0b", "S-1-5--1", "S-1-5-+1", "S-1-05-11", "S-1-5-011",
		"S-1-5-4294967296", "S-1-5-18446744073709551616", "S-1-4294967296-1", "S-1-0x-1", "S-1-0x1234567890123-1",
		"S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16", "S-1-5-11;", "BA",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		struct sid s;

		if (sid_from_text(&s, cases[i], &e) != -1)
			fail_msg("accepted: %s", cases[i]);
		assert_int_equal(e.hr, E_INVALIDARG);
	}
}

static void
test_wire_refused(void **state)
{
	static const struct {
		const char *name, *hex;
	} cases[] = {
		{ "nothing", "" },
		{ "seven octets", "01000000000000" },
		{ "revision 0", "00010000000000050b000000" },
		{ "revision 2", "02010000000000050b000000" },
		{ "sixteen sub-authorities", "0110000000000005"
		    "0000000000000000000000000000000000000000000000000000000000000000"
		    "0000000000000000000000000000000000000000000000000000000000000000" },
		{ "one octet short", "01010000000000050b0000" },
		{ "second sub-authority missing", "010200000000000520000000" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		struct buf b;
		struct sid s;

		hex_of(&b, cases[i].hex);
		if (sid_from_wire(&s, buf_bytes(&b), NULL, &e) != -1)
			fail_msg("accepted: %s", cases[i].name);
		assert_int_equal(e.hr, E_INVALID_DATA);
		buf_fini(&b);
	}
}

static void
test_equal(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{ "S-1-5-11", "S-1-5-11", true },
		{ "S-1-5-11", "S-1-5-12", false },
		{ "S-1-5-11", "S-1-1-11", false },
		{ "S-1-5-32-544", "S-1-5-33-544", false },
		{ "S-1-5-32-544", "S-1-5-32", false },
		{ "S-1-5-0", "S-1-5", false },
		{ DOM "-513", DOM "-513", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sid a = sid_of(cases[i].a), b = sid_of(cases[i].b);

		assert_int_equal(sid_equal(&a, &b), cases[i].equal);
		assert_int_equal(sid_equal(&b, &a), cases[i].equal);
	}
}

static void
test_rid(void **state)
{
	struct sid domain = sid_of(DOM), full = sid_of("S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15"), s, back;
	struct err e = { 0 };
	char text[SID_TEXT_MAX];
	uint32_t rid;

	(void)state;
	assert_int_equal(sid_with_rid(&s, &domain, 513, &e), 0);
	assert_string_equal(sid_to_text(&s, text), DOM "-513");
	assert_int_equal(sid_split_rid(&s, &back, &rid, &e), 0);
	assert_int_equal(rid, 513);
	assert_memory_equal(&back, &domain, sizeof(domain)); /* the unused sub-authority is 0 again */
	assert_int_equal(sid_with_rid(&s, &full, 1, &e), -1);
	assert_int_equal(e.hr, E_INVALIDARG);
	s = sid_of("S-1-5");
	assert_int_equal(sid_split_rid(&s, &back, &rid, &e), -1);
}

static void
test_well_known(void **state)
{
	static const struct {
		const struct sid *sid;
		const char *text;
	} cases[] = {
		{ &SID_EVERYONE, "S-1-1-0" },
		{ &SID_OWNER_RIGHTS, "S-1-3-4" },
		{ &SID_NETWORK, "S-1-5-2" },
		{ &SID_ANONYMOUS, "S-1-5-7" },
		{ &SID_ENTERPRISE_DCS, "S-1-5-9" },
		{ &SID_PRINCIPAL_SELF, "S-1-5-10" },
		{ &SID_AUTHENTICATED_USERS, "S-1-5-11" },
		{ &SID_THIS_ORGANIZATION, "S-1-5-15" },
		{ &SID_LOCAL_SYSTEM, "S-1-5-18" },
		{ &SID_BUILTIN_ADMINISTRATORS, "S-1-5-32-544" },
		{ &SID_BUILTIN_USERS, "S-1-5-32-545" },
		{ &SID_CERT_DCOM_ACCESS, "S-1-5-32-574" },
	};
	char text[SID_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(sid_to_text(cases[i].sid, text), cases[i].text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_forms),
		cmocka_unit_test(test_text_spellings),
		cmocka_unit_test(test_text_refused),
		cmocka_unit_test(test_wire_refused),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_rid),
		cmocka_unit_test(test_well_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
