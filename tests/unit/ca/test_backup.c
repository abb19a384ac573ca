/* Backup sessions: whose, in what order, what the copy holds, and that none outlives its owner. */
#include "bench_ask.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include "ca/backup.h"
#include "ca/csra.h"

static const int one, other; /* owners */

struct outcome {
	unsigned times;
	uint32_t hr;
};

static void
on_outcome(void *arg, const struct err *e)
{
	struct outcome *o = arg;

	o->times++;
	o->hr = e != NULL ? e->hr : 0;
}

static void
prepare(struct bench *b, const void *owner)
{
	struct outcome o = { 0 };
	struct err e = { 0 };

	assert_int_equal(ca_backup_prepare(b->ca, owner, 0, on_outcome, &o, &e), 0);
	assert_int_equal(o.times, 0);
	while (o.times == 0)
		turn(b);
	assert_int_equal(o.hr, 0);
}

static const char *
database(struct bench *b, struct pool *pool)
{
	const char *name;
	struct err e = { 0 };

	assert_int_equal(ca_backup_database(b->ca, &one, pool, &name, &e), 0);
	assert_int_equal(name[0], 'D');
	return name + 1;
}

static bool
copy_exists(const struct bench *b)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/backup.db", b->state);
	return access(path, F_OK) == 0;
}

/* The call fails with this HRESULT. */
#define REFUSED(code, call)                                                                                  \
	do {                                                                                                 \
		struct err why_ = { 0 }, *why = &why_;                                                            \
		assert_int_equal(call, -1);                                                                  \
		assert_int_equal(why_.hr, code);                                                               \
		assert_true(why_.msg[0] != '\0');                                                              \
	} while (0)

static void
test_copy(void **state)
{
	struct bench *b = *state;
	struct pool *pool = pool_new(1u << 20);
	struct ca_request_args args = { .authority = CA_NAME, .attributes = "CertificateTemplate:Supplied", .request = csr() };
	struct ca_caller who = caller(b->user);
	uint8_t *octets = malloc(CA_BACKUP_READ_MAX);
	uint64_t length = 0;
	size_t got, at = 0;
	struct err e = { 0 };
	char path[128];
	sqlite3 *db;
	sqlite3_stmt *st;
	FILE *f;

	assert_int_equal(ask_as(b, &who, &args).disposition, CR_DISP_ISSUED);
	prepare(b, &one);
	assert_false(copy_exists(b)); /* it has no name any more */
	assert_int_equal(ask_as(b, &who, &args).disposition, CR_DISP_ISSUED); /* comes too late for it */
	assert_int_equal(ca_backup_open_file(b->ca, &one, database(b, pool), &length, &e), 0);
	assert_true(length > 4096 && length < CA_BACKUP_READ_MAX);
	do {
		assert_int_equal(ca_backup_read_file(b->ca, &one, octets + at, 1000, &got, &e), 0);
		at += got;
	} while (got == 1000);
	assert_int_equal(at, length);
	assert_int_equal(ca_backup_read_file(b->ca, &one, octets, CA_BACKUP_READ_MAX, &got, &e), 0);
	assert_int_equal(got, 0);
	assert_int_equal(ca_backup_close_file(b->ca, &one, &e), 0);
	snprintf(path, sizeof(path), "%s/read.db", b->state);
	f = fopen(path, "w");
	assert_int_equal(fwrite(octets, 1, at, f), at);
	fclose(f);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*), max(RequestID) FROM Requests WHERE Disposition = 20", -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(st, 0), 1);
	sqlite3_finalize(st);
	sqlite3_close(db);
	assert_int_equal(ca_backup_end(b->ca, &one, &e), 0);
	free(octets);
	pool_free(pool);
}

static void
test_sequence(void **state)
{
	struct bench *b = *state;
	struct pool *pool = pool_new(1u << 20);
	struct outcome o = { 0 };
	struct err ok = { 0 };
	const char *name;
	uint8_t octets[100];
	uint64_t length;
	size_t got;

	REFUSED(E_UNEXPECTED, ca_backup_end(b->ca, &one, why));
	REFUSED(E_UNEXPECTED, ca_backup_logs(b->ca, &one, why));
	REFUSED(ESE_INVALID_BACKUP_SEQUENCE, ca_backup_database(b->ca, &one, pool, &name, why));
	REFUSED(E_UNEXPECTED, ca_backup_open_file(b->ca, &one, "x", &length, why));
	REFUSED(E_UNEXPECTED, ca_backup_truncate_logs(b->ca, &one, on_outcome, &o, why));
	REFUSED(E_UNEXPECTED, ca_backup_prepare(b->ca, &one, 1, on_outcome, &o, why));
	REFUSED(E_INVALIDARG, ca_backup_prepare(b->ca, &one, 2, on_outcome, &o, why));
	REFUSED(E_UNEXPECTED, ca_backup_prepare(b->ca, NULL, 0, on_outcome, &o, why));

	assert_int_equal(ca_backup_prepare(b->ca, &one, 0, on_outcome, &o, &ok), 0);
	REFUSED(E_UNEXPECTED, ca_backup_end(b->ca, &one, why)); /* while it copies */
	REFUSED(E_UNEXPECTED, ca_backup_prepare(b->ca, &one, 0, on_outcome, &o, why));
	while (o.times == 0)
		turn(b);
	REFUSED(E_UNEXPECTED, ca_backup_prepare(b->ca, &one, 0, on_outcome, &o, why));
	REFUSED(E_UNEXPECTED, ca_backup_prepare(b->ca, &other, 0, on_outcome, &o, why));
	REFUSED(E_UNEXPECTED, ca_backup_logs(b->ca, &other, why));
	REFUSED(E_UNEXPECTED, ca_backup_read_file(b->ca, &one, octets, 100, &got, why));
	REFUSED(E_UNEXPECTED, ca_backup_close_file(b->ca, &one, why));
	REFUSED(E_FILE_NOT_FOUND, ca_backup_open_file(b->ca, &one, NULL, &length, why));
	REFUSED(E_FILE_NOT_FOUND, ca_backup_open_file(b->ca, &one, "../ca.key", &length, why));
	REFUSED(E_FILE_NOT_FOUND, ca_backup_open_file(b->ca, &one, database(b, pool) - 1, &length, why));
	assert_int_equal(ca_backup_open_file(b->ca, &one, database(b, pool), &length, &ok), 0);
	REFUSED(E_UNEXPECTED, ca_backup_open_file(b->ca, &one, database(b, pool), &length, why));
	REFUSED(E_INVALIDARG, ca_backup_read_file(b->ca, &one, octets, 0, &got, why));
	REFUSED(E_INVALIDARG, ca_backup_read_file(b->ca, &one, octets, (size_t)CA_BACKUP_READ_MAX + 1, &got, why));
	assert_int_equal(ca_backup_read_file(b->ca, &one, octets, 100, &got, &ok), 0);
	assert_int_equal(ca_backup_close_file(b->ca, &one, &ok), 0);
	REFUSED(E_UNEXPECTED, ca_backup_truncate_logs(b->ca, &one, on_outcome, &o, why)); /* not to its end */
	assert_int_equal(ca_backup_end(b->ca, &one, &ok), 0);
	assert_int_equal(o.times, 1);
	pool_free(pool);
}

static void
test_truncate(void **state)
{
	struct bench *b = *state;
	struct pool *pool = pool_new(1u << 20);
	uint8_t *octets = malloc(CA_BACKUP_READ_MAX);
	struct outcome o = { 0 };
	uint64_t length;
	size_t got;
	struct err e = { 0 };

	prepare(b, &one);
	assert_int_equal(ca_backup_open_file(b->ca, &one, database(b, pool), &length, &e), 0);
	assert_int_equal(ca_backup_read_file(b->ca, &one, octets, CA_BACKUP_READ_MAX, &got, &e), 0);
	assert_int_equal(got, length);
	assert_int_equal(ca_backup_close_file(b->ca, &one, &e), 0);
	assert_int_equal(ca_backup_truncate_logs(b->ca, &one, on_outcome, &o, &e), 0);
	while (o.times == 0)
		turn(b);
	assert_int_equal(o.hr, 0);
	assert_int_equal(ca_backup_end(b->ca, &one, &e), 0);
	free(octets);
	pool_free(pool);
}

/* The owner goes: idle, and while the copy is being made. */
static void
test_gone(void **state)
{
	struct bench *b = *state;
	struct outcome o = { 0 };
	struct err e = { 0 };

	ca_backup_gone(b->ca, &one);
	prepare(b, &one);
	ca_backup_gone(b->ca, &other);
	assert_int_equal(ca_backup_logs(b->ca, &one, &e), 0);
	ca_backup_gone(b->ca, &one);
	REFUSED(E_UNEXPECTED, ca_backup_logs(b->ca, &one, why));
	assert_int_equal(ca_backup_prepare(b->ca, &one, 0, on_outcome, &o, &e), 0);
	ca_backup_gone(b->ca, &one);
	assert_int_equal(o.times, 1);
	assert_int_equal(o.hr, E_UNEXPECTED);
	for (;;) { /* until the worker has let go of the file */
		struct outcome next = { 0 };

		e = (struct err){ 0 };
		if (ca_backup_prepare(b->ca, &other, 0, on_outcome, &next, &e) == 0) {
			while (next.times == 0)
				turn(b);
			assert_int_equal(next.hr, 0);
			break;
		}
		assert_int_equal(e.hr, E_UNEXPECTED);
		turn(b);
	}
	assert_int_equal(o.times, 1);
	assert_false(copy_exists(b));
	/* teardown closes the CA with this session open */
}

/* A copy that cannot be made is an answer, and leaves no session. */
static void
test_failure(void **state)
{
	struct bench *b = *state;
	struct outcome o = { 0 };
	struct err e = { 0 };
	char path[128];

	snprintf(path, sizeof(path), "%s/backup.db", b->state);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(ca_backup_prepare(b->ca, &one, 0, on_outcome, &o, &e), 0);
	while (o.times == 0)
		turn(b);
	assert_int_equal(o.hr, E_FAIL);
	REFUSED(E_UNEXPECTED, ca_backup_end(b->ca, &one, why));
	assert_int_equal(rmdir(path), 0);
	prepare(b, &one);
}

static void
test_gate(void **state)
{
	struct bench *b = *state;
	struct ca_caller remote = caller(b->admin), local = { .front = "control", .local_admin = true };
	struct err e = { 0 };

	REFUSED(E_ACCESSDENIED, ca_backup_gate(b->ca, &remote, why)); /* the default */
	assert_int_equal(ca_backup_gate(b->ca, &local, &e), 0);
	assert_int_equal(verb_hr(b, b->admin, "ca.setting.set", "{\"name\":\"InterfaceFlags\",\"value\":\"0x680\"}"), 0);
	assert_int_equal(ca_backup_gate(b->ca, &remote, &e), 0);
	REFUSED(E_ACCESSDENIED, ca_backup_gate(b->ca, &local, why));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sequence, setup, teardown),
		cmocka_unit_test_setup_teardown(test_truncate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failure, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gate, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
