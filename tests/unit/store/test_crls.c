/* The CRL table and what a CRL is made of: numbers that only rise, rows replaced and forgotten, revoked certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/store.h"

static char dir[] = "/tmp/adcsd-crls-XXXXXX";
static char path[64];

static int
set_up(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/ca.db", dir);
	return 0;
}

static int
clear(void **state)
{
	static const char *const names[] = { "", "-wal", "-shm" };
	char file[96];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(file, sizeof(file), "%s%s", path, names[i]);
		unlink(file);
	}
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	return rmdir(dir);
}

static struct store *
must_open(void)
{
	struct err e = { 0 };
	struct store *s = store_open(path, &e);

	if (s == NULL)
		fail_msg("%s", e.msg);
	return s;
}

static void
note(void *arg, const struct err *e)
{
	*(int64_t *)arg = e != NULL ? e->hr : 0;
}

static void
wait_for(struct store *s, const int64_t *outcome)
{
	while (*outcome < 0) {
		store_wait(s);
		store_drain(s);
	}
	assert_int_equal(*outcome, 0);
}

static void
put(struct store *s, const struct store_crl *rows, size_t n, filetime_t expired_before)
{
	struct err e = { 0 };
	int64_t outcome = -1;

	assert_int_equal(store_put_crls(s, rows, n, expired_before, note, &outcome, &e), 0);
	wait_for(s, &outcome);
}

static size_t
list(struct store *s, bool raw, struct pool *pool, struct store_crl **rows)
{
	struct err e = { 0 };
	size_t n = 0;

	assert_int_equal(store_list_crls(s, raw, pool, rows, &n, &e), 0);
	return n;
}

static void
test_rows(void **state)
{
	static const uint8_t raw[] = { 0x30, 0x00 };
	struct store_crl in = { .row_id = 3, .number = 9, .min_base = 4, .name_id = 65536, .count = 2, .this_update = 10,
		.next_update = 20, .this_publish = 11, .next_publish = 19, .effective = 5, .propagation_complete = 15,
		.last_publish = 12, .publish_attempts = 1, .publish_flags = 0xfffffff0, .publish_status = 0x8007000d,
		.publish_error = "no way", .raw = { raw, sizeof(raw) } };
	struct pool *pool = pool_new(1u << 20);
	struct store *s = must_open();
	struct store_crl *rows;

	(void)state;
	assert_int_equal(list(s, true, pool, &rows), 0);
	put(s, &in, 1, 0);
	in.publish_error = NULL;
	in.publish_attempts = 2;
	in.effective = 0;
	put(s, &in, 1, 0); /* replaced */
	assert_int_equal(list(s, true, pool, &rows), 1);
	assert_true(bytes_equal(rows[0].raw, in.raw));
	assert_int_equal(rows[0].row_id, in.row_id);
	assert_int_equal(rows[0].number, in.number);
	assert_int_equal(rows[0].min_base, in.min_base);
	assert_int_equal(rows[0].name_id, in.name_id);
	assert_int_equal(rows[0].count, in.count);
	assert_int_equal(rows[0].this_update, in.this_update);
	assert_int_equal(rows[0].next_update, in.next_update);
	assert_int_equal(rows[0].this_publish, in.this_publish);
	assert_int_equal(rows[0].next_publish, in.next_publish);
	assert_int_equal(rows[0].effective, in.effective);
	assert_int_equal(rows[0].propagation_complete, in.propagation_complete);
	assert_int_equal(rows[0].last_publish, in.last_publish);
	assert_int_equal(rows[0].publish_attempts, in.publish_attempts);
	assert_int_equal(rows[0].publish_flags, in.publish_flags);
	assert_int_equal(rows[0].publish_status, in.publish_status);
	assert_null(rows[0].publish_error);
	assert_int_equal(list(s, false, pool, &rows), 1);
	assert_int_equal(rows[0].raw.len, 0);
	store_close(s);
	pool_free(pool);
}

/* Also above numbers whose rows are gone, and above those that were put but never given out here. */
static void
test_numbers(void **state)
{
	struct store_crl rows[2] = { { .row_id = 1, .number = 1, .next_update = 100 },
		{ .row_id = 2, .number = 7, .next_update = 200 } };
	struct pool *pool = pool_new(1u << 20);
	struct store *s = must_open();
	struct store_crl *found;

	(void)state;
	assert_int_equal(store_next_crl_number(s), 1);
	assert_int_equal(store_next_crl_number(s), 2);
	assert_int_equal(store_next_crl_row(s), 1);
	put(s, rows, 2, 0);
	put(s, rows, 0, 150);
	assert_int_equal(list(s, false, pool, &found), 1);
	assert_int_equal(found[0].number, 7);
	put(s, rows, 0, 1000);
	assert_int_equal(list(s, false, pool, &found), 0);
	store_close(s);
	s = must_open();
	assert_int_equal(store_next_crl_number(s), 8);
	store_close(s);
	pool_free(pool);
}

static void
test_revoked(void **state)
{
	static const struct {
		const char *serial;
		uint32_t disposition, reason;
		filetime_t effective;
		bool listed;
	} cases[] = {
		{ "01", DB_DISP_ISSUED, 0, 0, false },
		{ "02", DB_DISP_REVOKED, 1, 50, true },
		{ "03", DB_DISP_REVOKED, 0, 100, true },
		{ "04", DB_DISP_REVOKED, 6, 101, false }, /* to come */
		{ "05", DB_DISP_ISSUED, 0xffffffff, 60, true }, /* released */
		{ "06", DB_DISP_ISSUED, 6, 60, false },
		{ "07", DB_DISP_DENIED, 1, 50, false },
	};
	struct pool *pool = pool_new(1u << 20);
	struct store *s = must_open();
	struct store_revoked *rows;
	struct err e = { 0 };
	size_t n, at = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct store_row r = { 0 };
		int64_t outcome = -1;

		store_set_long(&r, Request_RequestID, store_next_request_id(s));
		store_set_long(&r, Request_Disposition, cases[i].disposition);
		store_set_long(&r, Certificate_RequestID, (uint32_t)r.v[Request_RequestID].n);
		store_set_text(&r, Certificate_SerialNumber, cases[i].serial);
		store_set_date(&r, Certificate_NotAfter, 1000);
		store_set_long(&r, Certificate_PublishExpiredCertInCRL, i % 2);
		if (cases[i].effective != 0) {
			store_set_long(&r, Request_RevokedReason, cases[i].reason);
			store_set_date(&r, Request_RevokedWhen, 40);
			store_set_date(&r, Request_RevokedEffectiveWhen, cases[i].effective);
		}
		assert_int_equal(store_insert(s, &r, note, &outcome, &e), 0);
		wait_for(s, &outcome);
	}
	assert_int_equal(store_list_revoked(s, 100, pool, &rows, &n, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (!cases[i].listed)
			continue;
		assert_true(at < n);
		assert_string_equal(rows[at].serial, cases[i].serial);
		assert_int_equal(rows[at].reason, cases[i].reason);
		assert_int_equal(rows[at].effective, cases[i].effective);
		assert_int_equal(rows[at].revoked_when, 40);
		assert_int_equal(rows[at].not_after, 1000);
		assert_int_equal(rows[at].publish_expired, i % 2);
		at++;
	}
	assert_int_equal(at, n);
	store_close(s);
	pool_free(pool);
}

/* Several rows and a setting: a number that is taken loses them all. */
static void
test_rows_and_setting(void **state)
{
	struct pool *pool = pool_new(1u << 20);
	struct store *s = must_open();
	static struct store_row rows[2], found;
	int64_t outcome = -1;
	struct err e = { 0 };
	const char *value;

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		memset(&rows[i], 0, sizeof(rows[i]));
		store_set_long(&rows[i], Request_RequestID, 5);
		store_set_long(&rows[i], Request_Disposition, DB_DISP_CA_CERT);
	}
	assert_int_equal(store_insert_rows(s, rows, 2, "CA\\CACertHash", "aa\nbb", note, &outcome, &e), 0);
	while (outcome < 0) {
		store_wait(s);
		store_drain(s);
	}
	assert_int_equal(outcome, E_ALREADY_EXISTS);
	assert_int_equal(store_get(s, 5, pool, &found, &e), -1);
	assert_int_equal(store_get_setting(s, "CA\\CACertHash", pool, &value, &e), 0);
	assert_null(value);

	store_set_long(&rows[1], Request_RequestID, 6);
	outcome = -1;
	assert_int_equal(store_insert_rows(s, rows, 2, "CA\\CACertHash", "aa\nbb", note, &outcome, &e), 0);
	wait_for(s, &outcome);
	assert_int_equal(store_get(s, 6, pool, &found, &e), 0);
	assert_int_equal(store_long(&found, Request_Disposition), DB_DISP_CA_CERT);
	assert_int_equal(store_get_setting(s, "CA\\CACertHash", pool, &value, &e), 0);
	assert_string_equal(value, "aa\nbb");
	assert_int_equal(store_next_request_id(s), 1); /* counted in memory: its caller took 5 and 6 from it */
	store_close(s);
	s = must_open();
	assert_int_equal(store_next_request_id(s), 7);
	store_close(s);
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_rows, clear),
		cmocka_unit_test_teardown(test_numbers, clear),
		cmocka_unit_test_teardown(test_revoked, clear),
		cmocka_unit_test_teardown(test_rows_and_setting, clear),
	};

	return cmocka_run_group_tests_name("crl table", tests, set_up, tear_down);
}
