/* What people type for periods and compatibility levels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "ctl/admin.h"
#include "ctl/compatibility.h"

static void
periods(void **state)
{
	static const struct {
		const char *text;
		int64_t span;
	} cases[] = {
		{ "0", 0 },
		{ "90", 90 * FILETIME_SECOND },
		{ "90s", 90 * FILETIME_SECOND },
		{ "8h", 8 * FILETIME_HOUR },
		{ "30d", 30 * FILETIME_DAY },
		{ "2w", 14 * FILETIME_DAY },
		{ "6m", 180 * FILETIME_DAY },
		{ "1y", 365 * FILETIME_DAY },
		{ "007d", 7 * FILETIME_DAY },
		{ "-5d", -5 * FILETIME_DAY },
		{ "1000000000s", 1000000000 * FILETIME_SECOND },
		{ "29000y", INT64_C(29000) * 365 * FILETIME_DAY },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e;
		int64_t span;

		if (ctl_period_parse(cases[i].text, &span, &e) != 0)
			fail_msg("%s: %s", cases[i].text, e.msg);
		assert_int_equal(span, cases[i].span);
	}
}

static void
periods_that_are_none(void **state)
{
	static const char *const cases[] = { "", "d", "one year", "1x", "1dd", "1d ", " 1d", "+1d", "1.5d",
		"1D", "-", "-d", "--1d", "0x10", "1000000001", "-1000000001", "99999999999999999999",
		"1000000000y", "30000y", "\xc2\xb9y" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		int64_t span;

		if (ctl_period_parse(cases[i], &span, &e) == 0)
			fail_msg("'%s' is taken for %lld", cases[i], (long long)span);
		assert_int_equal(e.hr, E_INVALIDARG);
		assert_non_null(strstr(e.msg, "period"));
	}
}

static void
compatibility_levels(void **state)
{
	static const struct {
		const char *text;
		unsigned level;
	} cases[] = {
		{ "2003", COMPATIBILITY_2003 },
		{ "xp", COMPATIBILITY_2003 },
		{ "XP", COMPATIBILITY_2003 },
		{ "Windows XP / Server 2003", COMPATIBILITY_2003 },
		{ "2008", COMPATIBILITY_2008 },
		{ "Vista", COMPATIBILITY_2008 },
		{ "2008R2", COMPATIBILITY_2008R2 },
		{ "2008 r2", COMPATIBILITY_2008R2 },
		{ "7", COMPATIBILITY_2008R2 },
		{ "win7", COMPATIBILITY_2008R2 },
		{ "Windows 7 / Server 2008 R2", COMPATIBILITY_2008R2 },
		{ "2012", COMPATIBILITY_2012 },
		{ "8", COMPATIBILITY_2012 },
		{ "2012R2", COMPATIBILITY_2012R2 },
		{ "8.1", COMPATIBILITY_2012R2 },
		{ "2016", COMPATIBILITY_2016 },
		{ "Windows 10", COMPATIBILITY_2016 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e;
		unsigned level;

		if (compatibility_parse(cases[i].text, &level, &e) != 0)
			fail_msg("%s: %s", cases[i].text, e.msg);
		assert_int_equal(level, cases[i].level);
	}
}

static void
compatibility_levels_that_are_none(void **state)
{
	static const char *const cases[] = { "", " ", "/ 2008", "2000", "2019", "11", "2008R", "Windows",
		"Windows 2016",
		"2016 2016 2016 2016 2016 2016 2016 2016 2016 2016 2016 2016 2016 2016 2016 2016 2016 2016" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		unsigned level;

		if (compatibility_parse(cases[i], &level, &e) == 0)
			fail_msg("'%s' is taken for %u", cases[i], level);
		assert_int_equal(e.hr, E_INVALIDARG);
		assert_non_null(strstr(e.msg, "no compatibility level"));
	}
}

/* What the console shows can be typed. */
static void
names_are_levels(void **state)
{
	(void)state;
	for (unsigned level = 1; level <= COMPATIBILITY_2016; level++) {
		for (unsigned recipient = 0; recipient < 2; recipient++) {
			const char *name = compatibility_name(level, recipient);
			struct err e;
			unsigned again;

			assert_non_null(name);
			if (compatibility_parse(name, &again, &e) != 0)
				fail_msg("%s: %s", name, e.msg);
			assert_int_equal(again, level);
		}
	}
	assert_null(compatibility_name(0, false));
	assert_null(compatibility_name(COMPATIBILITY_2016 + 1, true));
	assert_null(compatibility_name(15, false));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(periods),
		cmocka_unit_test(periods_that_are_none),
		cmocka_unit_test(compatibility_levels),
		cmocka_unit_test(compatibility_levels_that_are_none),
		cmocka_unit_test(names_are_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
