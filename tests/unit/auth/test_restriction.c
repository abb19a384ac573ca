/* Entries of OfficerRights and EnrollmentAgentRights: octets, refusals, who is meant. */
#include "sd_support.h"

#include "auth/restriction.h"

/* access-control.md section 4: agent -1601 may enroll Domain Users on IntunePKCS. */
static const char example[] =
    "09005C0000000100"
    "010500000000000515000000C7353A428E6B748455A1AEC641060000"
    "01000000"
    "010500000000000515000000C7353A428E6B748455A1AEC601020000"
    "49006E00740075006E00650050004B0043005300"
    "0000"
    "0000";

/* A descriptor of one ACE around the example's octets. */
static void
descriptor(struct buf *out, const char *ace_hex)
{
	struct buf ace;

	hex_of(&ace, ace_hex);
	buf_init(out, SD_WIRE_MAX);
	buf_put_u8(out, 1);
	buf_put_u8(out, 0);
	buf_put_u16le(out, SE_SELF_RELATIVE | SE_DACL_PRESENT);
	buf_put_zero(out, 12);
	buf_put_u32le(out, 20);
	buf_put_u16le(out, 2);
	buf_put_u16le(out, (uint16_t)(8 + ace.len));
	buf_put_u16le(out, 1);
	buf_put_u16le(out, 0);
	buf_put_bytes(out, buf_bytes(&ace));
	buf_fini(&ace);
}

static void
test_example(void **state)
{
	struct pool *pool = pool_new(1u << 20);
	struct restrictions list;
	struct err e = { 0 };
	struct sid who = sid_of(DOM "-1601"), users = sid_of(DOM "-513");
	struct buf wire, ace, again;
	struct sd sd, back;

	(void)state;
	descriptor(&wire, example);
	assert_int_equal(sd_from_wire(&sd, pool, buf_bytes(&wire), &e), 0);
	assert_int_equal(restrictions_from_sd(&list, pool, &sd, &e), 0);
	assert_int_equal(list.n, 1);
	assert_true(list.v[0].allow);
	assert_true(sid_equal(&list.v[0].who, &who));
	assert_int_equal(list.v[0].n_subjects, 1);
	assert_true(sid_equal(&list.v[0].subjects[0], &users));
	assert_string_equal(list.v[0].template_name, "IntunePKCS");

	assert_int_equal(restrictions_to_sd(&list, pool, &back, &e), 0);
	assert_true(sid_equal(&back.owner, &SID_BUILTIN_ADMINISTRATORS));
	buf_init(&again, SD_WIRE_MAX);
	assert_int_equal(sd_to_wire(&back, &again, &e), 0);
	hex_of(&ace, example);
	assert_memory_equal(again.p + 28, ace.p, ace.len); /* header 20, ACL header 8 */
	buf_fini(&ace);
	buf_fini(&again);
	buf_fini(&wire);
	pool_free(pool);
}

static void
test_refusals(void **state)
{
#define OWN "010100000000000501000000" /* S-1-5-1 */
	static const struct {
		const char *name, *ace, *text;
	} cases[] = {
		{ "plain ACE", "0000140000000100" OWN, "no callback ACE" },
		{ "object callback", "0B00180000000100" "00000000" OWN, "no callback ACE" },
		{ "another mask", "0900180001000000" OWN "00000000", "mask 0x1" },
		{ "no application data", "0900140000000100" OWN, "SIDCount needs 4" },
		{ "more SIDs than octets", "0900240000000100" OWN "02000000" OWN, "SIDCount 2" },
		{ "a great count", "0900180000000100" OWN "FFFFFFFF", "SIDCount 4294967295" },
		{ "SID cut short", "0900200000000100" OWN "01000000" "0105000000000005", "SID 1" },
		{ "half a surrogate", "09001C0000000100" OWN "00000000" "00D80000", "template name" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1u << 20);
		struct restrictions list;
		struct err e = { 0 };
		struct buf wire;
		struct sd sd;

		print_message("  %s\n", cases[i].name);
		descriptor(&wire, cases[i].ace);
		assert_int_equal(sd_from_wire(&sd, pool, buf_bytes(&wire), &e), 0);
		assert_int_equal(restrictions_from_sd(&list, pool, &sd, &e), -1);
		assert_int_equal(e.hr, E_INVALID_DATA);
		assert_non_null(strstr(e.msg, cases[i].text));
		buf_fini(&wire);
		pool_free(pool);
	}
}

/* A missing name, and one without its NUL, are taken. */
static void
test_names(void **state)
{
	static const struct {
		const char *ace, *name;
	} cases[] = {
		{ "0900180000000100" OWN "00000000", "" },
		{ "09001C0000000100" OWN "00000000" "00000000", "" },
		{ "09001C0000000100" OWN "00000000" "41004200", "AB" },
		{ "0900200000000100" OWN "00000000" "4100000042004300", "A" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1u << 20);
		struct restrictions list;
		struct err e = { 0 };
		struct buf wire;
		struct sd sd;

		descriptor(&wire, cases[i].ace);
		assert_int_equal(sd_from_wire(&sd, pool, buf_bytes(&wire), &e), 0);
		assert_int_equal(restrictions_from_sd(&list, pool, &sd, &e), 0);
		assert_string_equal(list.v[0].template_name, cases[i].name);
		buf_fini(&wire);
		pool_free(pool);
	}
}

/* ---- who is meant ---- */

struct entry {
	bool allow;
	const char *who, *subject, *template;
};

static struct token *
token_with(const char *const *sids)
{
	struct token *t = token_new("CORP\\x", "CN=x", NULL, false);
	struct err e;

	for (; *sids != NULL; sids++) {
		struct sid sid = sid_of(*sids);

		assert_int_equal(token_add(t, &sid, TOKEN_VIA_GROUP, NULL, &e), 0);
	}
	return t;
}

static void
test_find(void **state)
{
	static const char *const officer[] = { DOM "-1601", DOM "-1700", NULL };
	static const char *const subject[] = { DOM "-1104", DOM "-513", "S-1-1-0", NULL };
	static const struct {
		const char *name;
		struct entry entries[3];
		int found; /* -1: none */
		bool unknown_subject;
	} cases[] = {
		{ "nothing", { { 0 } }, -1, false },
		{ "by name", { { true, DOM "-1601", DOM "-513", "User" } }, 0, false },
		{ "name in other letters", { { true, DOM "-1601", DOM "-513", "uSER" } }, 0, false },
		{ "by OID", { { true, DOM "-1601", DOM "-513", "1.2.3" } }, 0, false },
		{ "every template", { { true, DOM "-1601", DOM "-513", "" } }, 0, false },
		{ "another template", { { true, DOM "-1601", DOM "-513", "WebServer" } }, -1, false },
		{ "by a group of the officer", { { true, DOM "-1700", DOM "-513", "" } }, 0, false },
		{ "another officer", { { true, DOM "-1602", DOM "-513", "" } }, -1, false },
		{ "another subject", { { true, DOM "-1601", DOM "-514", "" } }, -1, false },
		{ "everyone", { { true, DOM "-1601", "S-1-1-0", "" } }, 0, false },
		{ "everyone, subject unknown", { { true, DOM "-1601", "S-1-1-0", "" } }, 0, true },
		{ "a group, subject unknown", { { true, DOM "-1601", DOM "-513", "" } }, -1, true },
		{ "the first one decides",
		    { { true, DOM "-1601", DOM "-514", "" }, { false, DOM "-1601", DOM "-513", "User" },
			{ true, DOM "-1601", "S-1-1-0", "" } },
		    1, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct token *who = token_with(officer), *whom = token_with(subject);
		struct restriction v[3];
		struct sid subjects[3];
		struct restrictions list = { v, 0 };
		const struct restriction *found;

		print_message("  %s\n", cases[i].name);
		for (; list.n < 3 && cases[i].entries[list.n].who != NULL; list.n++) {
			const struct entry *in = &cases[i].entries[list.n];

			subjects[list.n] = sid_of(in->subject);
			v[list.n] = (struct restriction){ in->allow, sid_of(in->who), &subjects[list.n], 1,
				in->template };
		}
		found = restrictions_find(
		    &list, who, cases[i].unknown_subject ? NULL : whom, "User", "1.2.3");
		assert_ptr_equal(found, cases[i].found >= 0 ? &v[cases[i].found] : NULL);
		token_unref(who);
		token_unref(whom);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests_name("auth restrictions", tests, NULL, NULL);
}
