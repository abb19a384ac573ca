/* The table of issuance.md section 11, and the content of CRLs: times, bases, entries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "ca/crl.h"
#include "ca/revoke.h"

#define NOW INT64_C(134247888560000000) /* 2026-06-01T12:14:16Z */

static void
test_table(void **state)
{
	enum { ISSUED = DB_DISP_ISSUED, REVOKED = DB_DISP_REVOKED };
	static const struct {
		const char *name;
		uint32_t disposition, current, reason, hr;
		enum ca_revoke_action action;
	} cases[] = {
		{ "issued, unspecified", ISSUED, 0, 0, 0, CA_REVOKE_REVOKE },
		{ "issued, keyCompromise", ISSUED, 0, 1, 0, CA_REVOKE_REVOKE },
		{ "issued, cACompromise", ISSUED, 0, 2, 0, CA_REVOKE_REVOKE },
		{ "issued, affiliationChanged", ISSUED, 0, 3, 0, CA_REVOKE_REVOKE },
		{ "issued, superseded", ISSUED, 0, 4, 0, CA_REVOKE_REVOKE },
		{ "issued, cessationOfOperation", ISSUED, 0, 5, 0, CA_REVOKE_REVOKE },
		{ "issued, hold", ISSUED, 0, 6, 0, CA_REVOKE_REVOKE },
		{ "issued, removeFromCRL", ISSUED, 0, 8, 0, CA_REVOKE_REVOKE },
		{ "issued, released before, hold", ISSUED, CA_REASON_RELEASE, 6, 0, CA_REVOKE_REVOKE },
		{ "issued, release", ISSUED, 0, CA_REASON_RELEASE, E_INVALID_DATA, 0 },
		{ "issued, released before, release", ISSUED, CA_REASON_RELEASE, CA_REASON_RELEASE, E_INVALID_DATA, 0 },
		{ "issued, hold in the column all the same", ISSUED, 6, CA_REASON_RELEASE, E_INVALID_DATA, 0 },
		{ "issued, 7", ISSUED, 0, 7, E_INVALIDARG, 0 },
		{ "issued, 9", ISSUED, 0, 9, E_INVALIDARG, 0 },
		{ "issued, 0xfffffffc", ISSUED, 0, 0xfffffffc, E_INVALIDARG, 0 },
		{ "hold, release", REVOKED, 6, CA_REASON_RELEASE, 0, CA_REVOKE_RELEASE },
		{ "hold, hold", REVOKED, 6, 6, 0, CA_REVOKE_REVOKE },
		{ "hold, keyCompromise", REVOKED, 6, 1, 0, CA_REVOKE_REVOKE },
		{ "hold, 7", REVOKED, 6, 7, E_INVALIDARG, 0 },
		{ "superseded, hold", REVOKED, 4, 6, E_INVALID_DATA, 0 },
		{ "superseded, release", REVOKED, 4, CA_REASON_RELEASE, E_INVALID_DATA, 0 },
		{ "superseded, keyCompromise", REVOKED, 4, 1, 0, CA_REVOKE_REVOKE },
		{ "unspecified, removeFromCRL", REVOKED, 0, 8, 0, CA_REVOKE_REVOKE },
		{ "pending", DB_DISP_PENDING, 0, 1, E_INVALID_DATA, 0 },
		{ "denied", DB_DISP_DENIED, 0, 0, E_INVALID_DATA, 0 },
		{ "failed", DB_DISP_ERROR, 0, 6, E_INVALID_DATA, 0 },
		{ "pending, release", DB_DISP_PENDING, 0, CA_REASON_RELEASE, E_INVALID_DATA, 0 },
		{ "issued, list when expired", ISSUED, 0, CA_REASON_PUBLISH_EXPIRED, 0, CA_REVOKE_SET_EXPIRED },
		{ "revoked, do not list when expired", REVOKED, 1, CA_REASON_OMIT_EXPIRED, 0, CA_REVOKE_SET_EXPIRED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		enum ca_revoke_action action = 99;
		struct err e = { 0 };
		int rc = ca_revoke_decide(cases[i].disposition, cases[i].current, cases[i].reason, &action, &e);

		print_message("  %s\n", cases[i].name);
		assert_int_equal(rc, cases[i].hr != 0 ? -1 : 0);
		assert_int_equal(e.hr, cases[i].hr);
		if (rc == 0)
			assert_int_equal(action, cases[i].action);
	}
}

static void
test_reasons(void **state)
{
	static const struct {
		const char *text;
		uint32_t reason, hr;
	} cases[] = {
		{ "keyCompromise", 1, 0 }, { "KEYCOMPROMISE", 1, 0 }, { "1", 1, 0 }, { "0", 0, 0 }, { "certificateHold", 6, 0 },
		{ "8", 8, 0 }, { "7", 0, E_INVALIDARG }, { "", 0, E_INVALIDARG }, { "key", 0, E_INVALIDARG },
		{ "1x", 0, E_INVALIDARG }, { "-1", 0, E_INVALIDARG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t reason = 99;
		struct err e = { 0 };

		print_message("  '%s'\n", cases[i].text);
		assert_int_equal(ca_reason_from_text(cases[i].text, &reason, &e), cases[i].hr != 0 ? -1 : 0);
		assert_int_equal(e.hr, cases[i].hr);
		if (cases[i].hr == 0)
			assert_int_equal(reason, cases[i].reason);
	}
}

/* Minutes after NOW. The first row is a list of a Windows CA (issuance.md section 12). */
static void
test_times(void **state)
{
	enum { HOUR = 60, DAY = 24 * HOUR };
	static const struct {
		const char *name, *period, *overlap;
		uint32_t units, overlap_units, skew;
		bool delta;
		int next_publish, next_update, propagated;
	} cases[] = {
		{ "a week", "Weeks", "Hours", 1, 0, 10, false, 7 * DAY, 7 * DAY + 12 * HOUR + 10, 12 * HOUR + 10 },
		{ "delta of a day", "Days", "Minutes", 1, 0, 10, true, DAY, DAY + 12 * HOUR + 10, 12 * HOUR + 10 },
		{ "delta of an hour", "Hours", "Minutes", 1, 0, 10, true, HOUR, 2 * HOUR + 10, HOUR + 10 },
		{ "a day: a tenth", "Days", "Hours", 1, 0, 10, false, DAY, DAY + 144 + 10, 144 + 10 },
		{ "an hour: the clock skew counts", "Hours", "Hours", 1, 0, 10, false, HOUR, HOUR + 15 + 10, 25 },
		{ "no longer than the period", "Minutes", "Hours", 5, 0, 10, false, 5, 5 + 5 + 10, 15 },
		{ "as configured", "Weeks", "Days", 1, 2, 10, false, 7 * DAY, 9 * DAY, 2 * DAY },
		{ "a calendar month", "Months", "Hours", 1, 0, 10, false, 30 * DAY, 30 * DAY + 12 * HOUR + 10, 12 * HOUR + 10 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ca_settings s = { .clock_skew_minutes = cases[i].skew, .crl_period = "Weeks", .crl_units = 1,
			.crl_overlap_period = "Hours", .crl_delta_period = "Days", .crl_delta_units = 1,
			.crl_delta_overlap_period = "Minutes" };
		struct ca_crl_times t;
		struct err e = { 0 };

		print_message("  %s\n", cases[i].name);
		*(cases[i].delta ? &s.crl_delta_period : &s.crl_period) = cases[i].period;
		*(cases[i].delta ? &s.crl_delta_units : &s.crl_units) = cases[i].units;
		*(cases[i].delta ? &s.crl_delta_overlap_period : &s.crl_overlap_period) = cases[i].overlap;
		*(cases[i].delta ? &s.crl_delta_overlap_units : &s.crl_overlap_units) = cases[i].overlap_units;
		assert_int_equal(ca_crl_times(&s, NOW, 0, cases[i].delta, 0, &t, &e), 0);
		assert_int_equal(t.this_update, NOW - cases[i].skew * FILETIME_MINUTE);
		assert_int_equal((t.next_publish - NOW) / FILETIME_MINUTE, cases[i].next_publish);
		assert_int_equal((t.next_update - NOW) / FILETIME_MINUTE, cases[i].next_update);
		assert_int_equal((t.propagation_complete - NOW) / FILETIME_MINUTE, cases[i].propagated);
		/* never before the CA itself */
		assert_int_equal(ca_crl_times(&s, NOW, NOW - FILETIME_MINUTE, cases[i].delta, 0, &t, &e), 0);
		assert_int_equal(t.this_update, NOW - FILETIME_MINUTE);
	}
}

static void
test_min_base(void **state)
{
	const filetime_t h = FILETIME_HOUR;
	const struct store_crl rows[] = {
		{ .number = 1, .next_update = NOW - h, .propagation_complete = NOW - 9 * h },
		{ .number = 2, .next_update = NOW + 5 * h, .propagation_complete = NOW - 3 * h },
		{ .number = 3, .next_update = NOW + 6 * h, .propagation_complete = NOW },
		{ .number = 4, .next_update = NOW + 9 * h, .propagation_complete = NOW + h },
		{ .number = 5, .min_base = 2, .next_update = NOW + 9 * h, .propagation_complete = NOW - h },
	};

	(void)state;
	assert_int_equal(ca_crl_min_base(rows, ARRAY_LEN(rows), 0, false, NOW)->number, 3);
	assert_int_equal(ca_crl_min_base(rows + 3, 2, 0, false, NOW)->number, 4); /* none has reached everybody: the oldest */
	assert_int_equal(ca_crl_min_base(rows, ARRAY_LEN(rows), 0, true, NOW)->number, 2);
	assert_null(ca_crl_min_base(rows, ARRAY_LEN(rows), 1, false, NOW)); /* another key's */
	assert_null(ca_crl_min_base(rows, 1, 0, false, NOW));                     /* expired */
	assert_null(ca_crl_min_base(rows + 4, 1, 0, false, NOW));                 /* a delta is no base */
	assert_null(ca_crl_min_base(rows, 0, 0, false, NOW));
}

static void
test_entries(void **state)
{
	const filetime_t h = FILETIME_HOUR, last = NOW - 7 * FILETIME_DAY, since = NOW - 2 * h, end = NOW + FILETIME_DAY;
	const struct {
		const char *name;
		struct store_revoked row;
		int base, delta; /* reason, -1: not on it */
	} cases[] = {
		{ "old", { "0a", since - h, since - h, end, 1, false, 0, 0 }, 1, -1 },
		{ "new", { "0b", NOW - h, NOW - h, end, 4, false, 0, 0 }, 4, 4 },
		{ "decided before, for a day since", { "0c", NOW - h, since - h, end, 0, false, 0, 0 }, 0, 0 },
		{ "back-dated", { "0d", since - 9 * h, NOW - h, end, 5, false, 0, 0 }, 5, 5 },
		{ "released since", { "0e", NOW - h, NOW - h, end, CA_REASON_RELEASE, false, 0, 0 }, -1, 8 },
		{ "released long ago", { "0f", since - h, since - h, end, CA_REASON_RELEASE, false, 0, 0 }, -1, -1 },
		{ "removeFromCRL", { "10", NOW - h, NOW - h, end, 8, false, 0, 0 }, -1, 8 },
		{ "expired since the last list", { "11", NOW - h, NOW - h, last, 6, false, 0, 0 }, 6, 6 },
		{ "expired before it", { "12", NOW - h, NOW - h, last - 1, 6, false, 0, 0 }, -1, -1 },
		{ "another key's", { "14", NOW - h, NOW - h, end, 1, false, 0x10001, 0 }, -1, -1 },
		{ "a later certificate's of this key", { "15", NOW - h, NOW - h, end, 1, false, 3, 0 }, 1, 1 },
		{ "of a partition, on the list of all", { "16", NOW - h, NOW - h, end, 1, false, 0, 7 }, 1, 1 },
		{ "expired, to be listed", { "13", NOW - h, NOW - h, last - 1, 2, true, 0, 0 }, 2, 2 },
	};
	struct pool *pool = pool_new(1u << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (int delta = 0; delta < 2; delta++) {
			int want = delta != 0 ? cases[i].delta : cases[i].base;
			const struct ca_crl_scope scope = {
				.delta = delta != 0, .last_publish = last, .since = delta != 0 ? since : 0
			};
			struct x509_crl_entry *list;
			struct err e = { 0 };
			size_t n;

			print_message("  %s, %s\n", cases[i].name, delta != 0 ? "delta" : "base");
			assert_int_equal(ca_crl_entries(&cases[i].row, 1, &scope, pool, &list, &n, &e), 0);
			assert_int_equal(n, want >= 0);
			if (n == 0)
				continue;
			assert_int_equal(list[0].reason, want);
			assert_int_equal(list[0].revoked, cases[i].row.effective);
			assert_int_equal(list[0].serial_len, 1);
		}
	}
	pool_free(pool);
}

static void
test_partitions(void **state)
{
	static const struct {
		unsigned list, row;
		bool exclusive, there;
	} cases[] = { { 0, 0, false, true }, { 0, 3, false, true }, { 0, 3, true, false }, { 0, 0, true, true },
		{ 3, 3, false, true }, { 3, 3, true, true }, { 3, 0, false, false }, { 3, 4, true, false } };
	struct pool *pool = pool_new(1u << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct store_revoked row = { "0a", NOW, NOW, NOW, 1, true, 0, cases[i].row };
		const struct ca_crl_scope scope = { .id = cases[i].list << 16, .partitions = true, .zero_exclusive = cases[i].exclusive };
		struct x509_crl_entry *list;
		struct err e = { 0 };
		size_t n;

		assert_int_equal(ca_crl_entries(&row, 1, &scope, pool, &list, &n, &e), 0);
		assert_int_equal(n, cases[i].there);
	}
	pool_free(pool);
}

static void
test_bad_serials(void **state)
{
	static const char *const serials[] = { "", "xy", "0", "0102030405060708090a0b0c0d0e0f101112131415" };
	struct pool *pool = pool_new(1u << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(serials); i++) {
		struct store_revoked row = { serials[i], NOW, NOW, NOW, 0, true, 0, 0 };
		struct x509_crl_entry *list;
		struct err e = { 0 };
		size_t n;

		assert_int_equal(ca_crl_entries(&row, 1, &(struct ca_crl_scope){ 0 }, pool, &list, &n, &e), -1);
		assert_int_not_equal(e.hr, 0);
	}
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_min_base),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_partitions),
		cmocka_unit_test(test_bad_serials),
	};

	return cmocka_run_group_tests_name("revocation", tests, NULL, NULL);
}
