#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "store/store_priv.h"

/* ---- SQLite wrappers ---- */

int
store_sqlite_error(sqlite3 *db, const char *what, struct err *e)
{
	int rc = sqlite3_errcode(db);
	uint32_t hr = E_FAIL;

	switch (rc & 0xff) {
	case SQLITE_CONSTRAINT:
		hr = E_ALREADY_EXISTS;
		break;
	case SQLITE_FULL:
	case SQLITE_IOERR:
		hr = E_DISK_FULL;
		break;
	case SQLITE_NOMEM:
		hr = E_OUTOFMEMORY;
		break;
	case SQLITE_TOOBIG:
		hr = ESE_RECORD_TOO_BIG;
		break;
	}
	return ERR(e, hr, "%s: %s", what, sqlite3_errmsg(db));
}

int
store_exec(sqlite3 *db, const char *sql, struct err *e)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return store_sqlite_error(db, "SQLite", e);
	return 0;
}

int
store_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, struct err *e)
{
	if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) != SQLITE_OK)
		return store_sqlite_error(db, "SQLite", e);
	return 0;
}

int
store_scalar(sqlite3 *db, const char *sql, int64_t absent, int64_t *out, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc;

	if (store_prepare(db, sql, &st, e) != 0)
		return -1;
	rc = sqlite3_step(st);
	*out = rc == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL ? sqlite3_column_int64(st, 0)
									     : absent;
	rc = rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : store_sqlite_error(db, "SQLite", e);
	sqlite3_finalize(st);
	return rc;
}

int
store_bind_text(sqlite3_stmt *st, int i, const char *text)
{
	return sqlite3_bind_text(st, i, text, -1, SQLITE_STATIC);
}

/* ---- queue ---- */

void
store_queue_init(struct store_queue *q)
{
	q->head = NULL;
	q->tail = &q->head;
}

void
store_queue_push(struct store_queue *q, struct store_op *op)
{
	op->next = NULL;
	*q->tail = op;
	q->tail = &op->next;
}

int
store_submit(struct store *s, const struct store_op *model, struct err *e)
{
	struct store_op *op = malloc(sizeof(*op));

	if (op == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a database operation");
	*op = *model;
	pthread_mutex_lock(&s->lock);
	store_queue_push(&s->todo, op);
	pthread_mutex_unlock(&s->lock);
	pthread_cond_signal(&s->wake); /* not under the lock: the writer would only wait for it */
	return 0;
}

int
store_insert(struct store *s, const struct store_row *row, store_done_fn *cb, void *arg, struct err *e)
{
	return store_submit(
	    s, &(struct store_op){ .kind = STORE_OP_INSERT, .row = row, .cb = cb, .arg = arg }, e);
}

int
store_update(struct store *s, const struct store_row *row, uint32_t expected, store_done_fn *cb, void *arg,
    struct err *e)
{
	return store_submit(s,
	    &(struct store_op){
		.kind = STORE_OP_UPDATE, .row = row, .expected = expected, .cb = cb, .arg = arg },
	    e);
}

int
store_insert_rows(struct store *s, const struct store_row *rows, size_t n, const char *name,
    const char *value, store_done_fn *cb, void *arg, struct err *e)
{
	return store_submit(s,
	    &(struct store_op){ .kind = STORE_OP_ROWS,
		.row = rows,
		.n_rows = n,
		.name = name,
		.value = value,
		.cb = cb,
		.arg = arg },
	    e);
}

int
store_put_setting(
    struct store *s, const char *name, const char *value, store_done_fn *cb, void *arg, struct err *e)
{
	return store_submit(s,
	    &(struct store_op){
		.kind = STORE_OP_SETTING, .name = name, .value = value, .cb = cb, .arg = arg },
	    e);
}

int
store_put_crls(struct store *s, const struct store_crl *rows, size_t n, filetime_t expired_before,
    store_done_fn *cb, void *arg, struct err *e)
{
	return store_submit(s,
	    &(struct store_op){ .kind = STORE_OP_CRLS,
		.crls = rows,
		.n_crls = n,
		.expired_before = expired_before,
		.cb = cb,
		.arg = arg },
	    e);
}

int
store_delete(struct store *s, struct store_deletion *d, store_done_fn *cb, void *arg, struct err *e)
{
	return store_submit(
	    s, &(struct store_op){ .kind = STORE_OP_DELETE, .deletion = d, .cb = cb, .arg = arg }, e);
}

uint32_t
store_next_crl_number(struct store *s)
{
	return s->next_crl_number++;
}

uint32_t
store_next_crl_row(struct store *s)
{
	return s->next_crl_row++;
}

uint32_t
store_next_request_id(struct store *s)
{
	return s->next_request_id++;
}

/* ---- results ---- */

int
store_fd(const struct store *s)
{
	return s->fd;
}

void
store_drain(struct store *s)
{
	struct store_op *op;
	uint64_t n;

	while (read(s->fd, &n, sizeof(n)) < 0 && errno == EINTR)
		;
	pthread_mutex_lock(&s->lock);
	op = s->finished.head;
	store_queue_init(&s->finished);
	pthread_mutex_unlock(&s->lock);
	while (op != NULL) {
		struct store_op *next = op->next;

		op->cb(op->arg, op->failed ? &op->e : NULL);
		free(op);
		op = next;
	}
}

void
store_wait(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	while (s->finished.head == NULL)
		pthread_cond_wait(&s->finished_wake, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

void
store_get_stats(struct store *s, struct store_stats *out)
{
	pthread_mutex_lock(&s->lock);
	*out = s->stats;
	pthread_mutex_unlock(&s->lock);
}

void
store_set_failure(struct store *s, uint32_t hr)
{
	atomic_store(&s->failure, hr);
}

/* ---- life ---- */

/* Private from the first moment: SQLite gives the files it makes the mode of the database. */
static int
make_file(const char *path, struct err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return ERR(e, E_FAIL, "%s: %s", path, strerror(errno));
	close(fd);
	return 0;
}

static int
open_connection(const char *path, int flags, sqlite3 **out, struct err *e)
{
	if (sqlite3_open_v2(path, out, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return ERR(e, E_FAIL, "%s: %s", path, *out != NULL ? sqlite3_errmsg(*out) : "no memory");
	sqlite3_busy_timeout(*out, 2000); /* other programs may read the file while we run */
	sqlite3_extended_result_codes(*out, 0);
	return 0;
}

int
store_open_reader(const char *path, sqlite3 **out, struct err *e)
{
	return open_connection(path, SQLITE_OPEN_READONLY, out, e);
}

/* The next number of a kind: above the mark, which survives deleted rows, and above every row. */
static int
next_number(struct store *s, const char *mark_sql, const char *rows_sql, uint32_t *next, struct err *e)
{
	int64_t mark, highest;

	if (store_scalar(s->wdb, mark_sql, 0, &mark, e) != 0 ||
	    store_scalar(s->wdb, rows_sql, 0, &highest, e) != 0)
		return -1;
	if (mark < highest)
		mark = highest;
	if (mark < 0 || mark >= UINT32_MAX)
		return ERR(e, E_FAIL, "numbers are used up (%lld)", (long long)mark);
	*next = (uint32_t)mark + 1;
	return 0;
}

static int
open_database(struct store *s, const char *path, struct err *e)
{
	if (make_file(path, e) != 0 || open_connection(path, SQLITE_OPEN_READWRITE, &s->wdb, e) != 0)
		return -1;
	if (store_exec(s->wdb,
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;"
		" PRAGMA cache_size = -8000; PRAGMA wal_autocheckpoint = 4000",
		e) != 0)
		return err_prefix(e, "%s", path);
	if (store_schema_prepare(s->wdb, path, e) != 0)
		return -1;
	if (next_number(s, "SELECT Value FROM Marks WHERE Name = 'RequestID'",
		"SELECT max(RequestID) FROM Requests", &s->next_request_id, e) != 0 ||
	    next_number(s, "SELECT Value FROM Marks WHERE Name = 'CRLNumber'",
		"SELECT max(CRLNumber) FROM CRLs", &s->next_crl_number, e) != 0 ||
	    next_number(s, "SELECT 0", "SELECT max(CRLRowId) FROM CRLs", &s->next_crl_row, e) != 0)
		return err_prefix(e, "%s", path);
	if (store_writer_prepare(s, e) != 0 || store_details_prepare(s, e) != 0 ||
	    store_late_prepare(s, e) != 0)
		return err_prefix(e, "%s", path);
	return open_connection(path, SQLITE_OPEN_READONLY, &s->rdb, e);
}

struct store *
store_open(const char *path, struct err *e)
{
	struct store *s = calloc(1, sizeof(*s));
	pthread_condattr_t monotonic;
	int rc;

	if (s == NULL) {
		ERR(e, E_OUTOFMEMORY, "no memory for the store");
		return NULL;
	}
	store_queue_init(&s->todo);
	store_queue_init(&s->finished);
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_cond_init(&s->finished_wake, NULL);
	pthread_cond_init(&s->reader_wake, NULL);
	pthread_cond_init(&s->reader_idle, NULL);
	s->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (s->fd < 0) {
		ERR(e, E_FAIL, "eventfd: %s", strerror(errno));
		goto fail;
	}
	if (open_database(s, path, e) != 0)
		goto fail;
	rc = pthread_create(&s->writer, NULL, store_writer_main, s);
	if (rc != 0) {
		ERR(e, E_FAIL, "cannot start the writer thread: %s", strerror(rc));
		goto fail;
	}
	s->writer_runs = true;
	return s;
fail:
	store_close(s);
	return NULL;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	store_reader_stop(s);
	if (s->writer_runs) {
		pthread_mutex_lock(&s->lock);
		s->stop = true;
		pthread_cond_signal(&s->wake);
		pthread_mutex_unlock(&s->lock);
		pthread_join(s->writer, NULL);
		store_drain(s);
	}
	for (int i = 0; i < STMT_COUNT; i++)
		sqlite3_finalize(s->stmt[i]);
	store_details_fini(s);
	store_late_fini(s);
	sqlite3_finalize(s->read_row);
	sqlite3_close(s->rdb);
	sqlite3_close(s->wdb);
	if (s->fd >= 0)
		close(s->fd);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->wake);
	pthread_cond_destroy(&s->finished_wake);
	pthread_cond_destroy(&s->reader_wake);
	pthread_cond_destroy(&s->reader_idle);
	free(s);
}
