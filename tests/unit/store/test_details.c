/* Attributes, extensions and explanations as they are packed: the formats, what updates make of them, older databases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "scratch.h"
#include "store/lists.h"
#include "store/phrases.h"

static uint8_t certificate[600];

static struct bytes
part(size_t at, size_t len)
{
	for (size_t i = 0; i < sizeof(certificate); i++)
		certificate[i] = (uint8_t)(i * 7 + i / 256);
	return (struct bytes){ certificate + at, len };
}

static struct bytes
whole(void)
{
	return part(0, sizeof(certificate));
}

static struct bytes
text(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

static const struct store_attribute attributes[] = { { "rmd", "ws01" }, { "CertificateTemplate", "User" }, { "empty", "" },
	{ "RMD", "ws02" } };

/* One inside of the certificate, one that is not there, an empty one, one stated twice. */
static void
make_extensions(struct store_extension x[5])
{
	x[0] = (struct store_extension){ "2.5.29.31", STORE_EXT_ORIGIN_POLICY, part(100, 300) };
	x[1] = (struct store_extension){ "2.5.29.17", STORE_EXT_CRITICAL | 0xffff0000u, text("no part of it") };
	x[2] = (struct store_extension){ "1.2.3", 0, text("") };
	x[3] = (struct store_extension){ "2.5.29.14", 1, text("first") };
	x[4] = (struct store_extension){ "2.5.29.14", 2, part(590, 10) };
}

static void
check_lists(const struct store_row *got)
{
	struct store_extension x[5];

	make_extensions(x);
	assert_int_equal(got->n_attributes, 3);
	assert_string_equal(got->attributes[0].name, "CertificateTemplate");
	assert_string_equal(got->attributes[0].value, "User");
	assert_string_equal(got->attributes[1].value, "");
	assert_string_equal(got->attributes[2].name, "RMD"); /* the last of its name, as it was written */
	assert_string_equal(got->attributes[2].value, "ws02");
	assert_int_equal(got->n_extensions, 4);
	assert_string_equal(got->extensions[0].name, "1.2.3");
	assert_int_equal(got->extensions[0].value.len, 0);
	assert_int_equal(got->extensions[1].flags, 2);
	assert_true(bytes_equal(got->extensions[1].value, x[4].value));
	assert_int_equal(got->extensions[2].flags, x[1].flags);
	assert_true(bytes_equal(got->extensions[2].value, x[1].value));
	assert_true(bytes_equal(got->extensions[3].value, x[0].value));
}

static void
test_lists(void **state)
{
	struct scratch *t = *state;
	struct store_extension x[5];
	struct store_row row = { .attributes = attributes, .n_attributes = 4, .extensions = x, .n_extensions = 5 }, got;
	struct err e = { 0 };
	struct buf with, without;

	make_extensions(x);
	buf_init(&with, STORE_LISTS_MAX);
	buf_init(&without, STORE_LISTS_MAX);
	assert_int_equal(store_lists_pack(&row, whole(), &with, &e), 0);
	assert_int_equal(store_lists_pack(&row, (struct bytes){ NULL, 0 }, &without, &e), 0);
	assert_int_equal(without.len - with.len, 300 + 10 - 1); /* an offset has two octets */
	assert_int_equal(store_lists_load(buf_bytes(&with), whole(), t->pool, &got, &e), 0);
	check_lists(&got);
	assert_int_equal(store_lists_load(buf_bytes(&without), (struct bytes){ NULL, 0 }, t->pool, &got, &e), 0);
	check_lists(&got);
	buf_fini(&with);
	buf_fini(&without);
}

/* Cut anywhere, or beside a certificate that is too short: refused, and nothing is read behind the end. */
static void
test_damaged_lists(void **state)
{
	static const struct {
		const char *name;
		uint8_t octets[12];
		size_t len;
	} cases[] = {
		{ "another version", { 2, 0, 0 }, 3 },
		{ "more attributes than octets", { 1, 0x7f, 0 }, 3 },
		{ "a number without end", { 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, 12 },
		{ "flags of more than 32 bits", { 1, 0, 1, 0, 0x80, 0x80, 0x80, 0x80, 0x10, 0, 0 }, 11 },
		{ "octets behind", { 1, 0, 0, 0 }, 4 },
		{ "an offset behind the certificate", { 1, 0, 1, 0, 0, 1, 0xd9, 0x04 }, 8 },
	};
	struct scratch *t = *state;
	struct store_extension x[5];
	struct store_row row = { .attributes = attributes, .n_attributes = 4, .extensions = x, .n_extensions = 5 }, got;
	struct err e = { 0 };
	struct buf packed;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t *copy = malloc(cases[i].len); /* for the sanitizer */

		print_message("  %s\n", cases[i].name);
		memcpy(copy, cases[i].octets, cases[i].len);
		assert_int_equal(store_lists_load((struct bytes){ copy, cases[i].len }, whole(), t->pool, &got, &e), -1);
		assert_int_equal(e.hr, E_INVALID_DATA);
		free(copy);
	}
	make_extensions(x);
	buf_init(&packed, STORE_LISTS_MAX);
	assert_int_equal(store_lists_pack(&row, whole(), &packed, &e), 0);
	for (size_t n = 1; n < packed.len; n++) {
		uint8_t *copy = malloc(n);

		memcpy(copy, packed.p, n);
		assert_int_equal(store_lists_load((struct bytes){ copy, n }, whole(), t->pool, &got, &e), -1);
		free(copy);
	}
	assert_int_equal(store_lists_load(buf_bytes(&packed), part(0, 599), t->pool, &got, &e), -1);
	buf_fini(&packed);
}

/* ---- in the database ---- */

static void
give_lists(struct store_row *r, struct store_extension x[5])
{
	make_extensions(x);
	r->attributes = attributes;
	r->n_attributes = 4;
	r->extensions = x;
	r->n_extensions = 5;
}

/* An update replaces by name; values found in the certificate stay when it gets another one. */
static void
test_update(void **state)
{
	static const struct store_attribute more[] = { { "certificatetemplate", "Web" } };
	struct scratch *t = *state;
	struct store *s = must_open(t->path);
	struct store_extension x[5], changed[] = { { "2.5.29.17", 3, text("changed") } };
	struct store_row r, got;
	struct err e = { 0 };

	make_row(&r, 1, DB_DISP_PENDING, "aa");
	store_set_bytes(&r, Certificate_RawCertificate, whole());
	give_lists(&r, x);
	r.explanation = "[[1],[2]]";
	assert_int_equal(insert(s, &r), 0);
	assert_int_equal(store_get(s, 1, t->pool, &got, &e), 0);
	check_lists(&got);

	memset(&r, 0, sizeof(r));
	store_set_long(&r, Request_RequestID, 1);
	store_set_long(&r, Certificate_RequestID, 1);
	store_set_bytes(&r, Certificate_RawCertificate, part(50, 60));
	assert_int_equal(update(s, &r, DB_DISP_PENDING), 0);
	assert_int_equal(store_get(s, 1, t->pool, &got, &e), 0);
	assert_int_equal(store_bytes(&got, Certificate_RawCertificate).len, 60);
	check_lists(&got);
	assert_string_equal(got.explanation, "[[1],[2]]");

	memset(&r, 0, sizeof(r));
	store_set_long(&r, Request_RequestID, 1);
	r.attributes = more;
	r.n_attributes = 1;
	r.extensions = changed;
	r.n_extensions = 1;
	r.explanation = "[]";
	assert_int_equal(update(s, &r, DB_DISP_PENDING), 0);
	assert_int_equal(store_get(s, 1, t->pool, &got, &e), 0);
	assert_int_equal(got.n_attributes, 3);
	assert_string_equal(got.attributes[0].name, "certificatetemplate");
	assert_string_equal(got.attributes[0].value, "Web");
	assert_int_equal(got.n_extensions, 4);
	assert_true(bytes_equal(got.extensions[2].value, text("changed")));
	assert_string_equal(got.explanation, "[]");
	store_close(s);
}

static int64_t
ask(const char *path, const char *sql)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db;
	int64_t n;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static const char *
explain(struct scratch *t, uint32_t id)
{
	return pool_printf(t->pool, "[[1,\"the same each time\"],[2,\"request %u\"],[3,\"a] third, [one\"],[],[4,\"and again the same\"]]", id);
}

static void
check_explanations(struct scratch *t, struct store *s, uint32_t n)
{
	for (uint32_t id = 1; id <= n; id++) {
		struct store_row got;
		struct err e = { 0 };

		assert_int_equal(store_get(s, id, t->pool, &got, &e), 0);
		assert_string_equal(got.explanation, explain(t, id));
	}
}

/* What comes twice is written once, also after the server was started anew, and every explanation is read as it was. */
static void
test_phrases(void **state)
{
	struct scratch *t = *state;
	struct store_row r;
	struct store *s = NULL;

	for (uint32_t id = 1; id <= 6; id++) {
		if (id % 3 == 1)
			s = must_open(t->path);
		make_row(&r, id, DB_DISP_DENIED, NULL);
		r.explanation = explain(t, id);
		assert_int_equal(insert(s, &r), 0);
		check_explanations(t, s, id);
		if (id % 3 == 0)
			store_close(s);
	}
	assert_int_equal(ask(t->path, "SELECT count(*) FROM Phrases"), 3);
	assert_true(ask(t->path, "SELECT length(Explanation) FROM Details WHERE RequestID = 6") <
	    ask(t->path, "SELECT length(Explanation) FROM Details WHERE RequestID = 1") / 2);
}

/* Phrases that a transaction learned before it was lost are not counted on. */
static void
test_lost_phrases(void **state)
{
	struct scratch *t = *state;
	struct store *s = must_open(t->path);
	struct outcome o = { 0 }, bad = { 0 };
	struct store_row rows[9];
	struct err e = { 0 };

	for (uint32_t i = 0; i < 9; i++) {
		make_row(&rows[i], i < 8 ? i + 1 : 1, DB_DISP_DENIED, NULL); /* the last one's id is taken */
		rows[i].explanation = explain(t, i + 1);
	}
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(store_insert(s, &rows[i], note, i < 8 ? &o : &bad, &e), 0);
	wait_for(s, &o, 8);
	wait_for(s, &bad, 1);
	assert_int_equal(o.hr, 0);
	assert_int_equal(bad.hr, E_ALREADY_EXISTS);
	check_explanations(t, s, 8);
	store_close(s);
}

static void
test_long_explanation(void **state)
{
	struct scratch *t = *state;
	struct store *s = must_open(t->path);
	size_t n = STORE_EXPLANATION_MAX + 5;
	char *told = calloc(1, n + 1);
	struct store_row r, got;
	struct err e = { 0 };

	memset(told, ']', n);
	make_row(&r, 1, DB_DISP_DENIED, NULL);
	r.explanation = told;
	assert_int_equal(insert(s, &r), 0);
	assert_int_equal(store_get(s, 1, t->pool, &got, &e), 0);
	assert_string_equal(got.explanation, told);
	free(told);
	store_close(s);
}

/* ---- databases of version 2 ---- */

/* What version 3 and 4 brought, and what 4 dropped. */
static const char not_in_2[] =
    "SELECT 'DROP TRIGGER ' || name FROM sqlite_master WHERE type = 'trigger' UNION ALL"
    " SELECT 'DROP TABLE ' || name FROM sqlite_master WHERE type = 'table'"
    " AND (name LIKE 'By%' OR name IN ('Details', 'Phrases'))";
static const char version_2[] =
    "CREATE INDEX CertificateByHash ON Certificates (CertificateHash) WHERE CertificateHash IS NOT NULL;"
    "CREATE INDEX RequestBySubmission ON Requests (SubmittedWhen) WHERE SubmittedWhen IS NOT NULL;"
    "DELETE FROM Marks WHERE Name = 'Indexed';"
    "CREATE TABLE Attributes (AttributeRequestId INTEGER NOT NULL, AttributeName TEXT NOT NULL COLLATE NOCASE,"
    " AttributeValue TEXT, PRIMARY KEY (AttributeRequestId, AttributeName)) WITHOUT ROWID;"
    "CREATE TABLE Extensions (ExtensionRequestId INTEGER NOT NULL, ExtensionName TEXT NOT NULL,"
    " ExtensionFlags INTEGER NOT NULL, ExtensionRawValue BLOB, PRIMARY KEY (ExtensionRequestId, ExtensionName)) WITHOUT ROWID;"
    "CREATE TABLE Explanations (RequestID INTEGER PRIMARY KEY, Explanation TEXT NOT NULL);"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)"
    " INSERT INTO Requests (RequestID, Disposition, RequesterName) SELECT i, 31, 'CORP\\u' || (i % 7) FROM n;"
    "INSERT INTO Certificates (RequestID, RawCertificate, CertificateHash) SELECT RequestID, x'00112233445566', 'h' || RequestID"
    " FROM Requests;"
    "INSERT INTO Attributes SELECT RequestID, 'CertificateTemplate', 'T' || RequestID FROM Requests;"
    "INSERT INTO Attributes SELECT RequestID, 'rmd', NULL FROM Requests WHERE RequestID % 2 = 0;"
    "INSERT INTO Extensions SELECT RequestID, '2.5.29.17', 0x20001, x'2233445566' FROM Requests;"
    "INSERT INTO Extensions SELECT RequestID, '1.2.' || column1, column1, zeroblob(column1) FROM Requests,"
    " (VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10)) WHERE RequestID = 7;"
    "INSERT INTO Explanations SELECT RequestID, '[[\"request ' || RequestID || '\"]]' FROM Requests WHERE RequestID <> 9;"
    "DELETE FROM Attributes WHERE AttributeRequestId = 9; DELETE FROM Extensions WHERE ExtensionRequestId = 9;"
    "UPDATE Marks SET Value = 3000 WHERE Name = 'RequestID'; PRAGMA user_version = 2;";

static void
run(const char *path, const char *sql)
{
	char *why = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	sqlite3_close(db);
}

static void
make_version_2(struct scratch *t)
{
	sqlite3_stmt *st = NULL;
	struct buf sql;
	sqlite3 *db;

	store_close(must_open(t->path));
	buf_init(&sql, 65536);
	assert_int_equal(sqlite3_open(t->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, not_in_2, -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW)
		buf_printf(&sql, "%s;", (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	sqlite3_close(db);
	run(t->path, buf_cstr(&sql));
	run(t->path, version_2);
	buf_fini(&sql);
}

static void
check_upgraded(struct scratch *t, uint32_t from)
{
	struct store *s = must_open(t->path);
	struct store_row got;
	uint32_t found;
	struct err e = { 0 };

	for (uint32_t id = from; id <= 2500; id++) {
		size_t n = id == 9 ? 0 : id == 7 ? 11 : 1;

		assert_int_equal(store_get(s, id, t->pool, &got, &e), 0);
		assert_int_equal(got.n_attributes, id == 9 ? 0 : id % 2 == 0 ? 2 : 1);
		assert_int_equal(got.n_extensions, n);
		if (n == 0) {
			assert_null(got.explanation);
			continue;
		}
		assert_string_equal(got.attributes[0].value, pool_printf(t->pool, "T%u", id));
		assert_string_equal(got.explanation, pool_printf(t->pool, "[[\"request %u\"]]", id));
		assert_int_equal(got.extensions[n - 1].flags, 0x20001);
		assert_int_equal(got.extensions[n - 1].value.len, 5);
		assert_memory_equal(got.extensions[n - 1].value.p, "\x22\x33\x44\x55\x66", 5);
	}
	if (from <= 7) {
		assert_int_equal(store_get(s, 7, t->pool, &got, &e), 0);
		assert_string_equal(got.extensions[1].name, "1.2.10");
		assert_int_equal(got.extensions[1].value.len, 10);
	}
	assert_int_equal(store_next_request_id(s), 3001);
	assert_int_equal(store_find_hash(s, "h2500", &found, &e), 0);
	assert_int_equal(found, 2500);
	store_close(s);
	assert_int_equal(ask(t->path, "SELECT Value FROM Marks WHERE Name = 'Indexed'"), 2500);
	assert_int_equal(ask(t->path, "SELECT count(*) FROM ByRequesterName WHERE Value = 'CORP\\U3'"), 357);
	assert_int_equal(ask(t->path, "SELECT count(*) FROM sqlite_master WHERE name IN ('CertificateByHash', 'RequestBySubmission')"), 0);
	assert_int_equal(ask(t->path, "PRAGMA user_version"), STORE_SCHEMA_VERSION);
	assert_int_equal(ask(t->path, "SELECT count(*) FROM sqlite_master WHERE name IN ('Attributes', 'Extensions', 'Explanations')"), 0);
}

static void
test_upgrade(void **state)
{
	struct scratch *t = *state;

	make_version_2(t);
	check_upgraded(t, 1);
}

/* A program that was killed while it upgraded has moved the first requests; they are not moved again. */
static void
test_interrupted_upgrade(void **state)
{
	struct scratch *t = *state;
	struct store *s;
	struct store_row got;
	struct err e = { 0 };

	make_version_2(t);
	run(t->path, "CREATE TABLE Details (RequestID INTEGER PRIMARY KEY, Lists BLOB, Explanation);"
		     "INSERT INTO Details SELECT RequestID, x'010000', 'moved' FROM Requests WHERE RequestID <= 1000;");
	check_upgraded(t, 1001);
	s = must_open(t->path);
	assert_int_equal(store_get(s, 1000, t->pool, &got, &e), 0);
	assert_string_equal(got.explanation, "moved");
	store_close(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_update, setup, teardown),
		cmocka_unit_test_setup_teardown(test_phrases, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost_phrases, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_explanation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_upgrade, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interrupted_upgrade, setup, teardown),
	};

	return cmocka_run_group_tests_name("details", tests, NULL, NULL);
}
