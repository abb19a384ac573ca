/* GUIDs, MS-DTYP 2.3.4. */
#include "base_support.h"

#include "base/guid.h"

static void
test_both_forms(void **state)
{
	static const struct {
		const char *text, *wire;
	} cases[] = {
		{ "0e10c968-78fb-11d2-90d4-00c04f79dc55", "68c9100e fb78 d211 90d400c04f79dc55" },
		{ "a05b8cc2-17bc-4802-a710-e7c15ab866a2", "c28c5ba0 bc17 0248 a710e7c15ab866a2" },
		{ "00000000-0000-0000-0000-000000000000", "00000000000000000000000000000000" },
		{ "ffffffff-ffff-ffff-ffff-ffffffffffff", "ffffffffffffffffffffffffffffffff" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		struct guid a, b;
		char text[GUID_TEXT_MAX];
		struct buf out;

		assert_int_equal(guid_from_text(&a, cases[i].text, &e), 0);
		buf_init(&out, 16);
		guid_put(&out, &a);
		assert_octets(buf_bytes(&out), cases[i].wire, cases[i].text);
		guid_from_wire(&b, out.p);
		assert_true(guid_equal(&a, &b));
		assert_string_equal(guid_to_text(&b, text), cases[i].text);
		assert_int_equal(guid_is_nil(&a), i == 2);
		buf_fini(&out);
	}
}

static void
test_spellings(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} cases[] = {
		{ "0E10C968-78FB-11D2-90D4-00C04F79DC55", true },
		{ "{0e10c968-78fb-11d2-90d4-00c04f79dc55}", true },
		{ "", false },
		{ "{", false },
		{ "{}", false },
		{ "0e10c968", false },
		{ "0e10c96878fb11d290d400c04f79dc55", false },
		{ "0e10c968-78fb-11d2-90d4-00c04f79dc5", false },
		{ "0e10c968-78fb-11d2-90d4-00c04f79dc555", false },
		{ "0e10c968-78fb-11d2-90d400c04f79dc55", false },
		{ "0e10c968-78fb-11d2-90d4-00c04f79dc5g", false },
		{ "{0e10c968-78fb-11d2-90d4-00c04f79dc55", false },
		{ "0e10c968-78fb-11d2-90d4-00c04f79dc55}", false },
		{ "{0e10c968-78fb-11d2-90d4-00c04f79dc55} ", false },
		{ " 0e10c968-78fb-11d2-90d4-00c04f79dc55", false },
		{ "-e10c968-78fb-11d2-90d4-00c04f79dc55", false },
	};
	struct guid want = { 0x0e10c968, 0x78fb, 0x11d2, { 0x90, 0xd4, 0x00, 0xc0, 0x4f, 0x79, 0xdc, 0x55 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		struct guid g;

		if ((guid_from_text(&g, cases[i].text, &e) == 0) != cases[i].ok)
			fail_msg("%s", cases[i].text);
		if (cases[i].ok)
			assert_true(guid_equal(&g, &want));
		else
			assert_int_equal(e.hr, E_INVALIDARG);
	}
}

static void
test_unequal(void **state)
{
	static const struct guid base = { 1, 2, 3, { 4, 5, 6, 7, 8, 9, 10, 11 } };
	struct guid a = base, b = base, c = base, d = base;

	(void)state;
	a.data1++;
	b.data2++;
	c.data3++;
	d.data4[7]++;
	assert_false(guid_equal(&base, &a) || guid_equal(&base, &b) || guid_equal(&base, &c) || guid_equal(&base, &d));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_forms),
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_unequal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
