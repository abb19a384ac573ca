/* Deleting rows: by number and by date, with everything that belongs to them, and what stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/store.h"

#define DAY FILETIME_DAY
#define NOW INT64_C(134247888560000000)

struct bench {
	char dir[64], path[96];
	struct store *s;
	struct pool *pool;
};

static void
note(void *arg, const struct err *e)
{
	*(int64_t *)arg = e != NULL ? (int64_t)e->hr : 0;
}

static void
finish(struct store *s, const int64_t *hr)
{
	while (*hr < 0) {
		store_wait(s);
		store_drain(s);
	}
	assert_int_equal(*hr, 0);
}

/* Row id: disposition, submitted, resolved (0: not), notAfter (0: no certificate). */
static void
add(struct bench *b, uint32_t id, uint32_t disposition, filetime_t submitted, filetime_t resolved,
    filetime_t not_after, bool archived)
{
	static const uint8_t octets[] = { 5, 0 };
	const struct store_attribute attribute = { "rmd", "ws01" };
	const struct store_extension extensions[] = { { "2.5.29.17", 0, { octets, 2 } }, { "1.2.3", 0, { octets, 2 } } };
	struct store_row r = { .attributes = &attribute, .n_attributes = 1, .extensions = extensions, .n_extensions = 2, .explanation = "[]" };
	char serial[16];
	int64_t hr = -1;
	struct err e = { 0 };

	store_set_long(&r, Request_RequestID, id);
	store_set_long(&r, Request_Disposition, disposition);
	store_set_date(&r, Request_SubmittedWhen, submitted);
	if (resolved != 0)
		store_set_date(&r, Request_ResolvedWhen, resolved);
	if (archived)
		store_set_bytes(&r, Request_RawArchivedKey, (struct bytes){ octets, 2 });
	snprintf(serial, sizeof(serial), "%02x", id);
	if (not_after != 0) {
		store_set_long(&r, Certificate_RequestID, id);
		store_set_text(&r, Certificate_SerialNumber, serial);
		store_set_date(&r, Certificate_NotAfter, not_after);
	}
	assert_int_equal(store_insert(b->s, &r, note, &hr, &e), 0);
	finish(b->s, &hr);
}

static uint32_t
del(struct bench *b, enum store_delete_what what, uint32_t row, filetime_t before)
{
	struct store_deletion d = { .what = what, .row = row, .before = before, .deleted = 99 };
	int64_t hr = -1;
	struct err e = { 0 };

	assert_int_equal(store_delete(b->s, &d, note, &hr, &e), 0);
	finish(b->s, &hr);
	return d.deleted;
}

static bool
there(struct bench *b, uint32_t id)
{
	struct store_row r;
	struct err e = { 0 };

	return store_get(b->s, id, b->pool, &r, &e) == 0;
}

static int
setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct err e = { 0 };

	strcpy(b->dir, "/tmp/adcsd-delete-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/ca.db", b->dir);
	b->s = store_open(b->path, &e);
	assert_non_null(b->s);
	b->pool = pool_new(16u << 20);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	struct bench *b = *state;
	char path[128];

	store_close(b->s);
	pool_free(b->pool);
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		snprintf(path, sizeof(path), "%s%s", b->path, suffixes[i]);
		unlink(path);
	}
	rmdir(b->dir);
	free(b);
	return 0;
}

static void
test_one_request(void **state)
{
	struct bench *b = *state;
	struct store_row r;
	struct err e = { 0 };
	uint32_t id;

	for (int i = 0; i < 3; i++)
		add(b, store_next_request_id(b->s), DB_DISP_ISSUED, NOW, NOW, NOW + DAY, i == 1);
	assert_int_equal(del(b, STORE_DELETE_REQUEST, 7, 0), 0);
	assert_int_equal(del(b, STORE_DELETE_REQUEST, 2, 0), 1); /* by number, with its archived key */
	assert_int_equal(del(b, STORE_DELETE_REQUEST, 2, 0), 0);
	assert_false(there(b, 2));
	assert_int_equal(store_find_serial(b->s, "02", &id, &e), -1);
	assert_int_equal(store_get(b->s, 3, b->pool, &r, &e), 0);
	assert_int_equal(r.n_attributes, 1);
	assert_int_equal(r.n_extensions, 2);
	assert_string_equal(r.explanation, "[]");
	assert_string_equal(store_text(&r, Certificate_SerialNumber), "03");
	/* nothing of it is left: a row of the same number has its own only */
	assert_int_equal(del(b, STORE_DELETE_REQUEST, 3, 0), 1);
	memset(&r, 0, sizeof(r));
	store_set_long(&r, Request_RequestID, 3);
	store_set_long(&r, Request_Disposition, DB_DISP_PENDING);
	{
		int64_t hr = -1;

		assert_int_equal(store_insert(b->s, &r, note, &hr, &e), 0);
		finish(b->s, &hr);
	}
	assert_int_equal(store_get(b->s, 3, b->pool, &r, &e), 0);
	assert_int_equal(r.n_attributes + r.n_extensions, 0);
	assert_null(r.explanation);
	assert_null(store_text(&r, Certificate_SerialNumber));
}

/* Numbers never come again, also when the last rows are gone and the server starts anew. */
static void
test_numbers(void **state)
{
	struct bench *b = *state;
	struct err e = { 0 };

	for (int i = 0; i < 3; i++)
		add(b, store_next_request_id(b->s), DB_DISP_ERROR, NOW, NOW, 0, false);
	assert_int_equal(del(b, STORE_DELETE_REQUEST, 3, 0), 1);
	assert_int_equal(del(b, STORE_DELETE_REQUEST, 2, 0), 1);
	store_close(b->s);
	b->s = store_open(b->path, &e);
	assert_non_null(b->s);
	assert_int_equal(store_next_request_id(b->s), 4);
}

static void
test_by_date(void **state)
{
	static const struct {
		const char *name;
		uint32_t disposition;
		filetime_t submitted, resolved, not_after;
		bool archived, expired, not_issued; /* deleted with a date of NOW */
	} rows[] = {
		{ "expired", DB_DISP_ISSUED, NOW - 9 * DAY, NOW - 9 * DAY, NOW - 1, false, true, false },
		{ "expires then", DB_DISP_ISSUED, NOW - 9 * DAY, NOW - 9 * DAY, NOW, false, false, false },
		{ "revoked and expired", DB_DISP_REVOKED, NOW - 9 * DAY, NOW - 9 * DAY, NOW - DAY, false, true, false },
		{ "expired, key archived", DB_DISP_ISSUED, NOW - 9 * DAY, NOW - 9 * DAY, NOW - DAY, true, false, false },
		{ "the CA's own, expired", DB_DISP_CA_CERT, NOW - 9 * DAY, NOW - 9 * DAY, NOW - DAY, false, false, false },
		{ "waiting", DB_DISP_PENDING, NOW - 1, 0, 0, false, false, true },
		{ "waiting since then", DB_DISP_PENDING, NOW, 0, 0, false, false, false },
		{ "waiting, key archived", DB_DISP_PENDING, NOW - DAY, 0, 0, true, false, false },
		{ "denied", DB_DISP_DENIED, NOW - 9 * DAY, NOW - 1, 0, false, false, true },
		{ "denied since", DB_DISP_DENIED, NOW - 9 * DAY, NOW, 0, false, false, false },
		{ "failed", DB_DISP_ERROR, NOW - 9 * DAY, NOW - DAY, 0, false, false, true },
	};
	struct bench *b = *state;
	uint32_t n_expired = 0, n_not_issued = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		add(b, (uint32_t)i + 1, rows[i].disposition, rows[i].submitted, rows[i].resolved, rows[i].not_after, rows[i].archived);
		n_expired += rows[i].expired;
		n_not_issued += rows[i].not_issued;
	}
	assert_int_equal(del(b, STORE_DELETE_EXPIRED, 0, NOW), n_expired);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("  %s\n", rows[i].name);
		assert_int_equal(there(b, (uint32_t)i + 1), !rows[i].expired);
	}
	assert_int_equal(del(b, STORE_DELETE_NOT_ISSUED, 0, NOW), n_not_issued);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(there(b, (uint32_t)i + 1), !rows[i].expired && !rows[i].not_issued);
	assert_int_equal(del(b, STORE_DELETE_NOT_ISSUED, 0, NOW), 0);
}

/* More than an array begins with. */
static void
test_many(void **state)
{
	struct bench *b = *state;

	for (uint32_t id = 1; id <= 200; id++)
		add(b, id, DB_DISP_ERROR, NOW - DAY, NOW - DAY, 0, false);
	assert_int_equal(del(b, STORE_DELETE_NOT_ISSUED, 0, NOW), 200);
	assert_false(there(b, 200));
}

static void
test_lists(void **state)
{
	struct bench *b = *state;
	struct store_row r;
	struct err e = { 0 };

	add(b, 1, DB_DISP_PENDING, NOW, 0, 0, false);
	add(b, 2, DB_DISP_PENDING, NOW, 0, 0, false);
	assert_int_equal(del(b, STORE_DELETE_EXTENSIONS, 1, 0), 2);
	assert_int_equal(del(b, STORE_DELETE_EXTENSIONS, 1, 0), 0);
	assert_int_equal(del(b, STORE_DELETE_ATTRIBUTES, 2, 0), 1);
	assert_int_equal(store_get(b->s, 1, b->pool, &r, &e), 0);
	assert_int_equal(r.n_attributes, 1);
	assert_int_equal(r.n_extensions, 0);
	assert_int_equal(store_get(b->s, 2, b->pool, &r, &e), 0);
	assert_int_equal(r.n_attributes, 0);
	assert_int_equal(r.n_extensions, 2);
}

static void
test_crls(void **state)
{
	const struct store_crl rows[] = { { .row_id = 1, .number = 1, .next_update = NOW - 1 },
		{ .row_id = 2, .number = 2, .next_update = NOW }, { .row_id = 3, .number = 3, .next_update = NOW + DAY } };
	struct bench *b = *state;
	struct store_crl *left;
	struct err e = { 0 };
	int64_t hr = -1;
	size_t n;

	assert_int_equal(store_put_crls(b->s, rows, 3, 0, note, &hr, &e), 0);
	finish(b->s, &hr);
	assert_int_equal(del(b, STORE_DELETE_EXPIRED_CRLS, 0, NOW), 1);
	assert_int_equal(del(b, STORE_DELETE_CRL, 3, 0), 1);
	assert_int_equal(del(b, STORE_DELETE_CRL, 3, 0), 0);
	assert_int_equal(store_list_crls(b->s, false, b->pool, &left, &n, &e), 0);
	assert_int_equal(n, 1);
	assert_int_equal(left[0].row_id, 2);
	store_close(b->s);
	b->s = store_open(b->path, &e);
	assert_int_equal(store_next_crl_number(b->s), 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_request, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_by_date, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crls, setup, teardown),
	};

	return cmocka_run_group_tests_name("deleting", tests, NULL, NULL);
}
