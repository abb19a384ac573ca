/* FILETIME arithmetic against libc's calendar, text forms, and the clock a test may move. */
#include "base_support.h"

#include <time.h>

#include "base/clock.h"

static void
test_known(void **state)
{
	static const struct {
		const char *text;
		filetime_t t;
	} cases[] = {
		{ "1601-01-01T00:00:00Z", 0 },
		{ "1601-01-01T00:00:00.0000001Z", 1 },
		{ "1900-03-01T00:00:00Z", 94405824000000000 },
		{ "1970-01-01T00:00:00Z", FILETIME_UNIX_EPOCH },
		{ "2000-02-29T12:34:56Z", 125963012960000000 },
		{ "2026-11-23T20:49:00Z", 134399405400000000 },
		{ "2026-11-23T20:49:00.5Z", 134399405405000000 },
		{ "2049-12-31T23:59:59Z", 141690815990000000 },
		{ "2050-01-01T00:00:00Z", 141690816000000000 },
		{ "2100-02-28T23:59:59Z", 157520159990000000 },
		{ "9999-12-31T23:59:59.9999999Z", 2650467743999999999 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[FILETIME_TEXT_MAX];
		filetime_t t, back;

		if (!filetime_from_text(cases[i].text, &t) || t != cases[i].t)
			fail_msg("%s", cases[i].text);
		/* the fraction is written with seven digits */
		assert_true(filetime_from_text(filetime_to_text(cases[i].t, text), &back));
		assert_true(back == t);
		if (strchr(cases[i].text, '.') == NULL)
			assert_string_equal(text, cases[i].text);
	}
}

static void
test_text_refused(void **state)
{
	static const char *const cases[] = {
		"", "Z", "2026", "2026-11-23", "2026-11-23T20:49:00", "2026-11-23T20:49:00z", "2026-11-23T20:49:00ZZ",
		"2026-11-23 20:49:00Z", "2026-11-23T20:49:00+00:00", "2026-11-23T20:49Z", "2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
		"2026-01-01T00:00:60Z", "1600-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "2026-1-01T00:00:00Z",
		"2026-01-01T00:00:00.12345678Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1", "+026-01-01T00:00:00Z",
		" 026-01-01T00:00:00Z", "2026- 1-01T00:00:00Z", "2026-+1-01T00:00:00Z", "2026-01-01T 1:00:00Z",
		"2026-01-01T00:00:-1Z", "20260101T00000000000Z", "2026-01-01T00:00:00.-5Z",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		filetime_t t;

		if (filetime_from_text(cases[i], &t))
			fail_msg("accepted: %s", cases[i]);
	}
}

/* Every 13 days and some seconds from 1601 to 2600, beside gmtime_r and timegm. */
static void
test_against_libc(void **state)
{
	unsigned n = 0;

	(void)state;
	for (int64_t u = -11644473600; u < 19880000000; u += 1123456) {
		filetime_t t = FILETIME_UNIX_EPOCH + u * FILETIME_SECOND;
		time_t tt = (time_t)u;
		struct civil c;
		struct tm tm;

		assert_non_null(gmtime_r(&tt, &tm));
		filetime_to_civil(t, &c);
		assert_int_equal(c.year, tm.tm_year + 1900);
		assert_int_equal(c.month, tm.tm_mon + 1);
		assert_int_equal(c.day, tm.tm_mday);
		assert_int_equal(c.hour, tm.tm_hour);
		assert_int_equal(c.minute, tm.tm_min);
		assert_int_equal(c.second, tm.tm_sec);
		assert_true(filetime_from_civil(&c) == t);
		n++;
	}
	assert_true(n > 25000);
}

static void
test_months(void **state)
{
	static const struct {
		const char *from;
		int months;
		const char *to;
	} cases[] = {
		{ "2026-01-31T01:02:03Z", 1, "2026-02-28T01:02:03Z" },
		{ "2024-01-31T01:02:03Z", 1, "2024-02-29T01:02:03Z" },
		{ "2026-01-31T00:00:00Z", 0, "2026-01-31T00:00:00Z" },
		{ "2026-12-15T00:00:00Z", 1, "2027-01-15T00:00:00Z" },
		{ "2026-11-30T00:00:00Z", 3, "2027-02-28T00:00:00Z" },
		{ "2024-02-29T00:00:00Z", 12, "2025-02-28T00:00:00Z" },
		{ "2024-02-29T00:00:00Z", 48, "2028-02-29T00:00:00Z" },
		{ "2026-03-31T00:00:00Z", -1, "2026-02-28T00:00:00Z" },
		{ "2026-01-15T00:00:00Z", -1, "2025-12-15T00:00:00Z" },
		{ "2026-01-15T00:00:00Z", -24, "2024-01-15T00:00:00Z" },
		{ "2026-05-31T23:59:59.9999999Z", 1, "2026-06-30T23:59:59.9999999Z" },
		{ "2099-12-31T00:00:00Z", 2, "2100-02-28T00:00:00Z" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[FILETIME_TEXT_MAX];
		filetime_t t;

		assert_true(filetime_from_text(cases[i].from, &t));
		assert_string_equal(filetime_to_text(filetime_add_months(t, cases[i].months), text), cases[i].to);
	}
}

/* Before 1601, and the ends of the type: no crash, and there and back. */
static void
test_far_away(void **state)
{
	static const struct {
		filetime_t t;
		const char *text;
	} cases[] = {
		{ -1, "1600-12-31T23:59:59.9999999Z" },
		{ -FILETIME_SECOND, "1600-12-31T23:59:59Z" },
		{ -FILETIME_DAY, "1600-12-31T00:00:00Z" },
		{ INT64_MAX, "30828-09-14T02:48:05.4775807Z" },
	};
	char text[FILETIME_TEXT_MAX];
	struct civil c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(filetime_to_text(cases[i].t, text), cases[i].text);
	assert_true(filetime_add_months(-1, 0) == -1);
	filetime_to_civil(INT64_MIN, &c);
	assert_int_equal(c.year, -27627);
	assert_true(strlen(filetime_to_text(INT64_MIN, text)) < FILETIME_TEXT_MAX);
}

static void
test_moved(void **state)
{
	struct clock *c = clock_new();
	filetime_t stop = 134399405400000000, before, t;

	(void)state;
	assert_non_null(c);
	before = clock_real();
	t = clock_now(c);
	assert_true(t >= before && t <= clock_real());
	clock_advance(c, 100 * FILETIME_DAY);
	assert_true(clock_now(c) >= t + 100 * FILETIME_DAY);
	assert_false(clock_is_stopped(c));
	clock_stop(c, stop);
	assert_true(clock_is_stopped(c));
	assert_true(clock_now(c) == stop);
	assert_true(clock_now(c) == stop);
	clock_advance(c, -FILETIME_HOUR);
	assert_true(clock_now(c) == stop - FILETIME_HOUR);
	clock_run(c);
	assert_false(clock_is_stopped(c));
	t = clock_now(c);
	assert_true(t >= stop - FILETIME_HOUR && t < stop); /* on from there, not from real time */
	clock_run(c);                                       /* running already: nothing jumps */
	assert_true(clock_now(c) >= t && clock_now(c) < stop);
	clock_free(c);
	clock_free(NULL);
}

static void
test_monotonic(void **state)
{
	uint64_t a = clock_monotonic_us(), b = clock_monotonic_us();

	(void)state;
	assert_true(a > 0 && b >= a);
	assert_true(clock_real() > 134000000000000000); /* later than mid-2025 */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_text_refused),
		cmocka_unit_test(test_against_libc),
		cmocka_unit_test(test_months),
		cmocka_unit_test(test_far_away),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_monotonic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
