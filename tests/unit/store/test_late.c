/* Late indexes against the tables themselves: rows that come in any order, change, go, and fail, with the mark anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sched.h>

#include "scratch.h"
#include "store/view_priv.h"

#define IDS 60

static uint64_t seed = 3;

static unsigned
dice(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static int64_t
ask(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;
	int64_t n;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

/* As another SQLite sees it: an index has exactly what its table has up to the mark. Returns the rows behind the mark. */
static int64_t
check(const char *path)
{
	int64_t behind;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	for (const struct store_index *x = store_indexes; x->name != NULL; x++) {
		const struct store_column_info *in = &store_columns[x->column];
		const char *table = store_table_names[in->part];
		char must[300], have[100], sql[900];

		if (!x->late)
			continue;
		snprintf(must, sizeof(must),
		    "SELECT %s, RequestID FROM %s WHERE %s IS NOT NULL AND RequestID <= (SELECT Value FROM Marks WHERE Name = 'Indexed')",
		    in->name, table, in->name);
		snprintf(have, sizeof(have), "SELECT Value, RequestID FROM %s", x->name);
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM (%s EXCEPT %s)", must, have);
		if (ask(db, sql) != 0)
			fail_msg("%s lacks %d rows", x->name, (int)ask(db, sql));
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM (%s EXCEPT %s)", have, must);
		if (ask(db, sql) != 0)
			fail_msg("%s has %d rows too many", x->name, (int)ask(db, sql));
	}
	behind = ask(db, "SELECT count(*) FROM Requests WHERE RequestID > (SELECT Value FROM Marks WHERE Name = 'Indexed')");
	sqlite3_close(db);
	return behind;
}

static void
some_values(struct store_row *r, struct pool *pool, uint32_t id)
{
	static const char *const names[] = { "CORP\\alice", "CORP\\ALICE", "CORP\\bob" };

	memset(r, 0, sizeof(*r));
	store_set_long(r, Request_RequestID, id);
	store_set_long(r, Request_Disposition, DB_DISP_PENDING);
	if (dice(3) != 0)
		store_set_text(r, Request_RequesterName, names[dice(3)]);
	if (dice(3) != 0)
		store_set_date(r, Request_ResolvedWhen, dice(20));
	if (dice(2) == 0)
		return;
	store_set_long(r, Certificate_RequestID, id);
	if (dice(2))
		store_set_text(r, Certificate_SerialNumber, pool_printf(pool, "%02x", dice(30))); /* which may be taken */
	if (dice(3) != 0)
		store_set_date(r, Certificate_NotAfter, dice(20));
	if (dice(3) != 0)
		store_set_text(r, Certificate_UPN, names[dice(3)]);
}

static void
test_changes(void **state)
{
	struct scratch *t = *state;
	struct store *s = must_open(t->path);
	struct store_deletion d[4];
	struct store_row rows[16];
	struct err e = { 0 };

	for (unsigned round = 0; round < 150; round++) {
		struct outcome o = { 0 };
		unsigned n = 1 + dice(ARRAY_LEN(rows)), n_deleted = dice(ARRAY_LEN(d));

		store_late_max = 1 + dice(40);
		for (unsigned i = 0; i < n; i++) { /* the insert of an id that is there fails, as does the update of one that is not */
			some_values(&rows[i], t->pool, 1 + dice(IDS));
			if (dice(2))
				assert_int_equal(store_insert(s, &rows[i], note, &o, &e), 0);
			else
				assert_int_equal(store_update(s, &rows[i], DB_DISP_PENDING, note, &o, &e), 0);
		}
		for (unsigned i = 0; i < n_deleted; i++) {
			d[i] = (struct store_deletion){ .what = i == 0 ? STORE_DELETE_EXPIRED : STORE_DELETE_REQUEST,
				.row = 1 + dice(IDS), .before = dice(4) };
			assert_int_equal(store_delete(s, &d[i], note, &o, &e), 0);
		}
		wait_for(s, &o, n + n_deleted);
		assert_true(check(t->path) < store_late_max);
		if (dice(10) == 0) {
			store_close(s);
			s = must_open(t->path);
		}
	}
	store_close(s);
}

static void
done(void *arg, const struct view_result *res, const struct err *e)
{
	*(int *)arg = e != NULL ? -1 : (int)res->fetched;
}

static int
take(void *arg, uint32_t id, const struct view_cell *cells, size_t n, struct err *e)
{
	(void)cells, (void)n, (void)e;
	*(uint32_t *)arg = id;
	return 0;
}

/* What was acknowledged is there for the next fetch, also of a view that stands further on. */
static void
test_views_see_all(void **state)
{
	static const uint32_t columns[] = { 0x1000 };
	struct view_restriction after = { 0x200a, CVR_SEEK_GE, 0, { (const uint8_t *)"\5\0\0\0\0\0\0", 8 } },
				requester = { 0x1010, CVR_SEEK_EQ, 0,
					{ (const uint8_t *)"c\0o\0r\0p\0\\\0j\0a\0n\0e\0d\0o\0e\0\0", 26 } };
	struct scratch *t = *state;
	struct store *s = must_open(t->path);
	struct view_query q[] = { { &after, 1, columns, 1 }, { &requester, 1, columns, 1 } };
	struct view *v[2];
	struct store_row r;
	struct err e = { 0 };

	store_late_max = 1000;
	view_tuning.few = 1; /* no batch of keys, which holds what there was */
	for (int i = 0; i < 2; i++)
		v[i] = store_view_open(s, &q[i], &e);
	for (uint32_t id = 1; id <= 50; id++) {
		make_row(&r, id, DB_DISP_ISSUED, pool_printf(t->pool, "%02x", id));
		store_set_date(&r, Certificate_NotAfter, 10 + id);
		assert_int_equal(insert(s, &r), 0);
		if (id % 3 != 0)
			continue;
		for (int i = 0; i < 2; i++) {
			struct view_fetch f = { .first = id, .count = 1, .row = take };
			uint32_t got = 0;
			int n = -2;

			f.row_arg = &got;
			assert_int_equal(store_view_fetch(v[i], &f, done, &n, &e), 0);
			while (n == -2) {
				store_wait(s);
				store_drain(s);
			}
			assert_int_equal(n, 1);
			assert_int_equal(got, id);
		}
		assert_int_equal(check(t->path), 0);
	}
	for (int i = 0; i < 2; i++)
		store_view_close(v[i]);
	store_close(s);
}

/* A view that is closed while the writer completes the indexes for it is not answered; nothing of it stays. */
static void
test_closing_meanwhile(void **state)
{
	static const uint32_t columns[] = { 0x1000 };
	struct view_restriction after = { 0x200a, CVR_SEEK_GE, 0, { (const uint8_t *)"\5\0\0\0\0\0\0", 8 } };
	struct view_query q = { &after, 1, columns, 1 };
	struct view_fetch f = { .count = 1, .row = take };
	struct scratch *t = *state;
	struct store *s = must_open(t->path);
	struct store_row r;
	struct err e = { 0 };
	uint32_t got = 0;
	int n = -2;

	store_late_max = 1000;
	make_row(&r, 1, DB_DISP_ISSUED, "01");
	assert_int_equal(insert(s, &r), 0);
	for (int i = 0; i < 2; i++) {
		struct view *v = store_view_open(s, &q, &e);

		f.row_arg = &got;
		assert_int_equal(store_view_fetch(v, &f, done, &n, &e), 0);
		store_view_close(v);
		if (i == 0) {
			store_wait(s);
			store_drain(s);
			make_row(&r, 2, DB_DISP_ISSUED, "02");
			assert_int_equal(insert(s, &r), 0);
		}
	}
	store_close(s);
	assert_int_equal(n, -2);
	assert_int_equal(got, 0);
}

/* What is left is indexed when nothing else is to be done; rows that come then are counted anew. */
static void
test_idle(void **state)
{
	struct scratch *t = *state;
	struct store *s = must_open(t->path);
	struct store_row r;

	store_late_max = 1000;
	store_late_idle_ms = 1;
	for (uint32_t id = 1; id <= 3; id++) {
		make_row(&r, id, DB_DISP_ISSUED, pool_printf(t->pool, "%02x", id));
		assert_int_equal(insert(s, &r), 0);
		while (check(t->path) != 0)
			sched_yield();
	}
	store_close(s);
	store_late_idle_ms = 0;
}

/* Without room for the indexes a new view looks at every row. */
static void
test_views_without_indexes(void **state)
{
	static const uint32_t columns[] = { 0x1000 };
	struct view_restriction after = { 0x200a, CVR_SEEK_GE, CVR_SORT_DESCEND, { (const uint8_t *)"\5\0\0\0\0\0\0", 8 } };
	struct view_query q = { &after, 1, columns, 1 };
	struct scratch *t = *state;
	struct store *s = must_open(t->path);
	struct view *v;
	struct store_row r;
	struct err e = { 0 };
	uint32_t got = 0;
	struct view_fetch f = { .count = 10, .row = take, .row_arg = &got };
	int n = -2;

	store_late_max = 1000;
	for (uint32_t id = 1; id <= 9; id++) {
		make_row(&r, id, DB_DISP_ISSUED, pool_printf(t->pool, "%02x", id));
		store_set_date(&r, Certificate_NotAfter, id);
		assert_int_equal(insert(s, &r), 0);
	}
	store_set_failure(s, E_DISK_FULL);
	v = store_view_open(s, &q, &e);
	assert_int_equal(store_view_fetch(v, &f, done, &n, &e), 0);
	while (n == -2) {
		store_wait(s);
		store_drain(s);
	}
	assert_int_equal(n, 5);
	assert_int_equal(got, 5);
	assert_int_equal(check(t->path), 9);
	store_view_close(v);
	store_close(s);
}

/* A hash is found on both sides of the mark. */
static void
test_hashes(void **state)
{
	struct scratch *t = *state;
	struct store *s = must_open(t->path);
	struct err e = { 0 };
	uint32_t found;

	store_late_max = 4;
	for (uint32_t id = 1; id <= 6; id++) {
		struct store_row r;

		make_row(&r, id, DB_DISP_ISSUED, pool_printf(t->pool, "%02x", id));
		store_set_text(&r, Certificate_CertificateHash, pool_printf(t->pool, "ab %02x", id));
		assert_int_equal(insert(s, &r), 0);
	}
	assert_int_equal(check(t->path), 2);
	for (uint32_t id = 1; id <= 6; id++) {
		assert_int_equal(store_find_hash(s, pool_printf(t->pool, "AB %02x", id), &found, &e), 0);
		assert_int_equal(found, id);
	}
	assert_int_equal(store_find_hash(s, "ab 07", &found, &e), -1);
	assert_int_equal(e.hr, CERTSRV_E_PROPERTY_EMPTY);
	store_close(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_views_see_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_closing_meanwhile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_idle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_views_without_indexes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hashes, setup, teardown),
	};

	store_late_idle_ms = 0; /* but where it is tested */
	return cmocka_run_group_tests_name("late", tests, NULL, NULL);
}
