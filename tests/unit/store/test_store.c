/* The database on its own: group commit, durability across a kill, marks, paging, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "scratch.h"

/* ---- one row, everything ---- */

static void
test_round_trip(void **state)
{
	struct scratch *t = *state;
	struct store *s = must_open(t->path);
	static const uint8_t raw[] = { 0x30, 0x00, 0xff, 0x00 };
	const struct store_attribute attributes[] = { { "CertificateTemplate", "User" },
		{ "certificatetemplate", "Web" }, { "rmd", "ws01" } };
	const struct store_extension extensions[] = {
		{ "2.5.29.17", STORE_EXT_CRITICAL | STORE_EXT_ORIGIN_REQUEST, { raw, sizeof(raw) } },
		{ "1.2.3", STORE_EXT_ORIGIN_POLICY, { raw, 0 } }
	};
	struct store_row r, got;
	struct err e = { 0 };
	struct stat st;
	uint32_t id = store_next_request_id(s), found;

	assert_int_equal(id, 1);
	make_row(&r, id, DB_DISP_ISSUED, "1f000000");
	store_set_bytes(&r, Request_RawRequest, (struct bytes){ raw, sizeof(raw) });
	store_set_long(&r, Request_StatusCode, 0x80094012u);
	store_set_text(&r, Request_DispositionMessage, "Issued");
	store_set_date(&r, Certificate_NotAfter, -5);
	store_set_text(&r, Certificate_UPN, "");
	r.attributes = attributes;
	r.n_attributes = ARRAY_LEN(attributes);
	r.extensions = extensions;
	r.n_extensions = ARRAY_LEN(extensions);
	r.explanation = "[{\"step\":16}]";
	assert_int_equal(insert(s, &r), 0);

	assert_int_equal(store_get(s, id, t->pool, &got, &e), 0);
	assert_int_equal(store_long(&got, Request_StatusCode), 0x80094012u);
	assert_string_equal(store_text(&got, Request_RequesterName), "CORP\\janedoe");
	assert_string_equal(store_text(&got, Certificate_UPN), "");
	assert_null(store_text(&got, Certificate_CommonName));
	assert_int_equal(got.v[Certificate_NotAfter].n, -5);
	assert_true(bytes_equal(store_bytes(&got, Request_RawRequest), (struct bytes){ raw, sizeof(raw) }));
	assert_int_equal(got.n_attributes, 2); /* names are unique without case, the last one wins */
	assert_string_equal(got.attributes[0].value, "Web");
	assert_int_equal(got.n_extensions, 2);
	assert_string_equal(got.extensions[1].name, "2.5.29.17");
	assert_int_equal(got.extensions[1].flags, STORE_EXT_CRITICAL | STORE_EXT_ORIGIN_REQUEST);
	assert_string_equal(got.explanation, "[{\"step\":16}]");
	assert_int_equal(store_find_serial(s, "1f000000", &found, &e), 0);
	assert_int_equal(found, id);
	store_close(s);
	assert_int_equal(stat(t->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* ---- refusals ---- */

static void
test_refused(void **state)
{
	struct scratch *t = *state;
	struct store *s = must_open(t->path);
	struct store_row r, got;
	struct err e = { 0 };
	uint32_t id;

	make_row(&r, 1, DB_DISP_ISSUED, "aa01");
	assert_int_equal(insert(s, &r), 0);
	make_row(&r, 1, DB_DISP_DENIED, NULL);
	assert_int_equal(insert(s, &r), E_ALREADY_EXISTS); /* the id */
	make_row(&r, 2, DB_DISP_ISSUED, "aa01");
	assert_int_equal(insert(s, &r), E_ALREADY_EXISTS);        /* the serial number */
	assert_int_equal(store_get(s, 2, t->pool, &got, &e), -1); /* nothing of it stays */
	assert_int_equal(e.hr, CERTSRV_E_PROPERTY_EMPTY);
	assert_int_equal(store_find_serial(s, "aa02", &id, &e), -1);
	assert_int_equal(e.hr, CERTSRV_E_PROPERTY_EMPTY);
	assert_int_equal(store_get(s, 1, t->pool, &got, &e), 0);
	assert_int_equal(store_long(&got, Request_Disposition), DB_DISP_ISSUED);
	store_close(s);
}

static void
test_update(void **state)
{
	struct scratch *t = *state;
	struct store *s = must_open(t->path);
	struct store_row r, got;
	struct err e = { 0 };

	make_row(&r, 7, DB_DISP_PENDING, NULL);
	store_set_long(&r, Certificate_RequestID, 7);
	store_set_text(&r, Certificate_CertificateTemplate, "User");
	assert_int_equal(insert(s, &r), 0);

	memset(&r, 0, sizeof(r));
	store_set_long(&r, Request_RequestID, 7);
	store_set_long(&r, Request_Disposition, DB_DISP_ISSUED);
	store_set_long(&r, Certificate_RequestID, 7);
	store_set_text(&r, Certificate_SerialNumber, "bb07");
	r.explanation = "[]";
	assert_int_equal(update(s, &r, DB_DISP_DENIED), CERTSRV_E_BAD_REQUESTSTATUS);
	assert_int_equal(update(s, &r, DB_DISP_PENDING), 0);
	assert_int_equal(
	    update(s, &r, DB_DISP_PENDING), CERTSRV_E_BAD_REQUESTSTATUS); /* the second officer loses */
	assert_int_equal(store_get(s, 7, t->pool, &got, &e), 0);
	assert_int_equal(store_long(&got, Request_Disposition), DB_DISP_ISSUED);
	assert_string_equal(store_text(&got, Request_RequesterName), "CORP\\janedoe"); /* untouched */
	assert_string_equal(store_text(&got, Certificate_SerialNumber), "bb07");
	assert_string_equal(got.explanation, "[]");

	store_set_long(&r, Request_RequestID, 8);
	assert_int_equal(update(s, &r, DB_DISP_PENDING), CERTSRV_E_PROPERTY_EMPTY);
	store_close(s);
}

/* ---- group commit ---- */

static void
test_group_commit(void **state)
{
	enum { N = 400 };
	struct scratch *t = *state;
	struct store *s = must_open(t->path);
	struct store_row *rows = calloc(N, sizeof(*rows));
	char serials[N][16];
	struct outcome o = { 0 }, bad = { 0 };
	struct store_stats st;
	struct err e = { 0 };
	uint64_t n;

	for (uint32_t i = 0; i < N; i++) {
		snprintf(serials[i], sizeof(serials[i]), "%08x", i);
		make_row(&rows[i], store_next_request_id(s), DB_DISP_ISSUED, serials[i]);
	}
	store_set_text(&rows[200], Certificate_SerialNumber, serials[0]); /* one of them cannot be stored */
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(store_insert(s, &rows[i], note, i == 200 ? &bad : &o, &e), 0);
	wait_for(s, &o, N - 1);
	wait_for(s, &bad, 1);
	assert_int_equal(o.calls, N - 1);
	assert_int_equal(o.hr, 0);
	assert_int_equal(bad.hr, E_ALREADY_EXISTS); /* its savepoint, not its transaction */
	store_get_stats(s, &st);
	assert_int_equal(st.operations, N);
	assert_int_equal(st.failed_commits, 0);
	assert_true(
	    st.commits < N / 2); /* far fewer than one each: queued while the first ones were synced */
	assert_true(st.largest_batch > 1);
	assert_int_equal(store_count(s, DB_DISP_ISSUED, &n, &e), 0);
	assert_int_equal(n, N - 1);
	store_close(s);
	free(rows);
}

/* A commit that fails acknowledges nothing: another connection holds the write lock longer than we wait. */
static void
test_failed_commit(void **state)
{
	struct scratch *t = *state;
	struct store *s = must_open(t->path);
	struct store_row r, got;
	struct err e = { 0 };
	sqlite3 *other;

	assert_int_equal(sqlite3_open(t->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	make_row(&r, 1, DB_DISP_ISSUED, "cc01");
	assert_int_equal(insert(s, &r), E_DISK_FULL);
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	assert_int_equal(store_get(s, 1, t->pool, &got, &e), -1);
	assert_int_equal(insert(s, &r), 0); /* and it goes on */
	store_close(s);
}

/* ---- durability ---- */

static int
acknowledge(int fd, uint32_t id)
{
	return write(fd, &id, sizeof(id)) == sizeof(id) ? 0 : -1;
}

struct ack {
	int fd;
	uint32_t id;
};

static void
on_ack(void *arg, const struct err *e)
{
	struct ack *a = arg;

	if (e != NULL || acknowledge(a->fd, a->id) != 0)
		_exit(3);
}

/* Stores until killed; every id that went through the pipe was acknowledged. */
static void
store_forever(const char *path, int fd)
{
	enum { AT_ONCE = 32 };
	struct store *s = must_open(path);

	for (;;) {
		static struct store_row rows[AT_ONCE];
		static char serials[AT_ONCE][16];
		static struct ack acks[AT_ONCE];
		struct outcome last = { 0 };
		struct err e;

		for (int i = 0; i < AT_ONCE; i++) {
			acks[i] = (struct ack){ fd, store_next_request_id(s) };
			snprintf(serials[i], sizeof(serials[i]), "%08x", acks[i].id);
			make_row(&rows[i], acks[i].id, DB_DISP_ISSUED, serials[i]);
			if (store_insert(s, &rows[i], on_ack, &acks[i], &e) != 0)
				_exit(4);
		}
		if (store_put_setting(s, "round", "x", note, &last, &e) != 0)
			_exit(5);
		wait_for(s, &last, 1);
	}
}

static void
test_kill(void **state)
{
	struct scratch *t = *state;
	uint32_t highest = 0, id, n_acked = 0;
	struct err e = { 0 };

	for (int round = 0; round < 3; round++) {
		int pipe_fds[2];
		struct store *s;
		uint64_t n;
		pid_t child;

		assert_int_equal(pipe(pipe_fds), 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			store_forever(t->path, pipe_fds[1]);
		close(pipe_fds[1]);
		for (int i = 0; i < 100 && read(pipe_fds[0], &id, sizeof(id)) == sizeof(id); i++) {
			assert_true(id > highest);
			highest = id;
			n_acked++;
		}
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		while (read(pipe_fds[0], &id, sizeof(id)) == sizeof(id)) {
			highest = id;
			n_acked++;
		}
		close(pipe_fds[0]);

		s = must_open(t->path);
		for (uint32_t i = 1; i <= highest; i++) {
			struct pool *p = pool_new(1u << 20);
			struct store_row got;

			assert_int_equal(store_get(s, i, p, &got, &e), 0);
			pool_free(p);
		}
		assert_int_equal(store_count(s, DB_DISP_ISSUED, &n, &e), 0);
		assert_true(n >= n_acked);
		assert_true(store_next_request_id(s) > highest);
		store_close(s);
	}
}

/* The mark outlives the rows: an id stays used when its row is deleted. */
static void
test_marks(void **state)
{
	struct scratch *t = *state;
	struct store *s = must_open(t->path);
	struct store_row r;
	sqlite3 *other;

	make_row(&r, 41, DB_DISP_DENIED, NULL);
	assert_int_equal(insert(s, &r), 0);
	store_close(s);
	assert_int_equal(sqlite3_open(t->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "DELETE FROM Requests", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	s = must_open(t->path);
	assert_int_equal(store_next_request_id(s), 42);
	assert_int_equal(store_next_request_id(s), 43);
	store_close(s);
}

/* ---- paging ---- */

static void
test_paging(void **state)
{
	static const struct {
		const char *name;
		struct store_query q;
		size_t n;
		uint32_t first, last;
	} cases[] = {
		{ "first page", { 0, 0, false, 4 }, 4, 1, 4 },
		{ "second page", { 0, 4, false, 4 }, 4, 5, 8 },
		{ "last page is short", { 0, 8, false, 4 }, 2, 9, 10 },
		{ "behind the end", { 0, 10, false, 4 }, 0, 0, 0 },
		{ "newest first", { 0, 0, true, 3 }, 3, 10, 8 },
		{ "newest, second page", { 0, 8, true, 3 }, 3, 7, 5 },
		{ "one state", { DB_DISP_PENDING, 0, false, 100 }, 5, 2, 10 },
		{ "one state, after", { DB_DISP_PENDING, 4, false, 2 }, 2, 6, 8 },
		{ "no such state", { DB_DISP_REVOKED, 0, false, 100 }, 0, 0, 0 },
		{ "limit 0 is 1", { 0, 0, false, 0 }, 1, 1, 1 },
	};
	struct scratch *t = *state;
	struct store *s = must_open(t->path);
	struct store_row r, *rows;
	struct err e = { 0 };
	size_t n;

	for (uint32_t i = 1; i <= 10; i++) {
		make_row(&r, i, i % 2 == 0 ? DB_DISP_PENDING : DB_DISP_DENIED, NULL);
		assert_int_equal(insert(s, &r), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		print_message("  %s\n", cases[i].name);
		assert_int_equal(store_list(s, &cases[i].q, t->pool, &rows, &n, &e), 0);
		assert_int_equal(n, cases[i].n);
		if (n > 0) {
			assert_int_equal(store_long(&rows[0], Request_RequestID), cases[i].first);
			assert_int_equal(store_long(&rows[n - 1], Request_RequestID), cases[i].last);
		}
	}
	store_close(s);
}

/* ---- settings, versions, limits ---- */

static void
test_settings(void **state)
{
	struct scratch *t = *state;
	struct store *s = must_open(t->path);
	struct outcome o = { 0 };
	struct err e = { 0 };
	const char *v;

	assert_int_equal(store_get_setting(s, "CA\\Security", t->pool, &v, &e), 0);
	assert_null(v);
	assert_int_equal(store_put_setting(s, "CA\\Security", "O:BA", note, &o, &e), 0);
	wait_for(s, &o, 1);
	assert_int_equal(store_get_setting(s, "ca\\security", t->pool, &v, &e), 0);
	assert_string_equal(v, "O:BA");
	assert_int_equal(store_put_setting(s, "CA\\Security", NULL, note, &o, &e), 0);
	wait_for(s, &o, 2);
	assert_int_equal(store_get_setting(s, "CA\\Security", t->pool, &v, &e), 0);
	assert_null(v);
	store_close(s);
}

static void
test_newer_schema(void **state)
{
	struct scratch *t = *state;
	struct err e = { 0 };
	sqlite3 *other;

	store_close(must_open(t->path));
	assert_int_equal(sqlite3_open(t->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	assert_null(store_open(t->path, &e));
	assert_non_null(strstr(e.msg, "newer program: schema 99"));
}

static void
test_not_a_database(void **state)
{
	struct scratch *t = *state;
	struct err e = { 0 };
	FILE *f = fopen(t->path, "w");

	for (int i = 0; i < 200; i++)
		fputs("this is not a database ", f);
	fclose(f);
	assert_null(store_open(t->path, &e));
	assert_non_null(strstr(e.msg, "not a database"));
	unlink(t->path);
	assert_null(store_open("/nonexistent/ca.db", &e));
	assert_non_null(strstr(e.msg, "No such file"));
}

static void
test_fit(void **state)
{
	static const struct {
		const char *name;
		enum store_column c;
		size_t len;
		int rc;
	} cases[] = {
		{ "binary at its maximum", Request_RawName, 4096, 0 },
		{ "binary one longer", Request_RawName, 4097, -1 },
		{ "text at its maximum", Certificate_CertificateTemplate, 127, 0 }, /* 254 octets of UTF-16 */
		{ "text one longer", Certificate_CertificateTemplate, 128, -1 },
		{ "request at its maximum", Request_RawRequest, 65536, 0 },
		{ "request one longer", Request_RawRequest, 65537, -1 },
	};
	static uint8_t data[70000];

	(void)state;
	memset(data, 'a', sizeof(data));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct store_row r = { 0 };
		struct err e = { 0 };

		print_message("  %s\n", cases[i].name);
		store_set_bytes(&r, cases[i].c, (struct bytes){ data, cases[i].len });
		assert_int_equal(store_row_fit(&r, &e), cases[i].rc);
		assert_int_equal(r.v[cases[i].c].set, cases[i].rc == 0);
		assert_int_equal(e.hr, cases[i].rc == 0 ? 0 : ESE_RECORD_TOO_BIG);
	}
}

/* Non-ASCII text counts as UTF-16: three octets of UTF-8 are one unit, four are two. */
static void
test_fit_utf16(void **state)
{
	char text[4 * 64 + 1] = "";
	struct store_row r = { 0 };
	struct err e = { 0 };

	(void)state;
	for (int i = 0; i < 64; i++) /* U+20AC: 64 units = 128 octets, the maximum of CertificateHash */
		strcat(text, "\xe2\x82\xac");
	store_set_text(&r, Certificate_CertificateHash, text);
	assert_int_equal(store_row_fit(&r, &e), 0);
	text[0] = '\0';
	for (int i = 0; i < 33; i++) /* U+1F600: 66 units */
		strcat(text, "\xf0\x9f\x98\x80");
	store_set_text(&r, Certificate_CertificateHash, text);
	assert_int_equal(store_row_fit(&r, &e), -1);
}

static void
test_columns(void **state)
{
	(void)state;
	for (int c = 0; c < STORE_COLUMN_COUNT; c++) {
		assert_non_null(store_columns[c].name);
		assert_true(store_columns[c].max > 0);
		for (int d = 0; d < c; d++)
			assert_true(store_columns[c].view_id == 0 ||
			    store_columns[c].view_id != store_columns[d].view_id);
	}
	assert_string_equal(store_columns[Request_RequestID].full_name, "Request.RequestID");
	assert_int_equal(store_columns[Request_RequestID].view_id, 0x1000);
	assert_string_equal(store_columns[Certificate_SerialNumber].full_name, "SerialNumber");
	assert_int_equal(store_columns[Certificate_SerialNumber].view_id, 0x2007);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_update, setup, teardown),
		cmocka_unit_test_setup_teardown(test_group_commit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failed_commit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kill, setup, teardown),
		cmocka_unit_test_setup_teardown(test_marks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_paging, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_newer_schema, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_a_database, setup, teardown),
		cmocka_unit_test(test_fit),
		cmocka_unit_test(test_fit_utf16),
		cmocka_unit_test(test_columns),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
