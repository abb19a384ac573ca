/* The writer thread: group commit. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/store_priv.h"

/* A transaction larger than this gains nothing and would only delay its first answer. */
#define BATCH_MAX 512

static int
bind_column(sqlite3_stmt *st, int i, enum store_column c, const struct store_value *v)
{
	if (!v->set)
		return sqlite3_bind_null(st, i);
	switch (store_columns[c].type) {
	case STORE_LONG:
	case STORE_DATE:
		return sqlite3_bind_int64(st, i, v->n);
	case STORE_BINARY:
		return v->b.len == 0 ? sqlite3_bind_zeroblob(st, i, 0)
				     : sqlite3_bind_blob64(st, i, v->b.p, v->b.len, SQLITE_STATIC);
	case STORE_STRING:
		return sqlite3_bind_text64(
		    st, i, v->b.len == 0 ? "" : (const char *)v->b.p, v->b.len, SQLITE_STATIC, SQLITE_UTF8);
	}
	return SQLITE_MISUSE;
}

int
store_run(struct store *s, sqlite3_stmt *st, const char *what, struct err *e)
{
	int rc = sqlite3_step(st), failed = 0;

	if (rc != SQLITE_DONE)
		failed = store_sqlite_error(s->wdb, what, e);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return failed;
}

static int
write_part(struct store *s, const struct store_row *row, enum store_part part, struct err *e)
{
	sqlite3_stmt *st = s->stmt[part == STORE_Request ? STMT_INSERT_REQUEST : STMT_INSERT_CERTIFICATE];
	int i = 1;

	for (int c = 0; c < STORE_COLUMN_COUNT; c++) {
		if (store_columns[c].part != part)
			continue;
		if (bind_column(st, i++, (enum store_column)c, &row->v[c]) != SQLITE_OK)
			return ERR(e, E_OUTOFMEMORY, "cannot bind %s", store_columns[c].full_name);
	}
	return store_run(s, st, part == STORE_Request ? "storing the request" : "storing the certificate", e);
}

static int
do_insert(struct store *s, const struct store_row *row, struct err *e)
{
	int64_t id = row->v[Request_RequestID].n;

	if (write_part(s, row, STORE_Request, e) != 0)
		return -1;
	if (row->v[Certificate_RequestID].set && write_part(s, row, STORE_Certificate, e) != 0)
		return -1;
	if (store_details_insert(s, row, id, e) != 0)
		return -1;
	return store_late_written(s, id, e);
}

/* Only the columns that are set; rare enough to prepare each time. */
static int
update_request_columns(struct store *s, const struct store_row *row, struct err *e)
{
	sqlite3_stmt *st = NULL;
	struct buf sql;
	int i = 1, rc;

	buf_init(&sql, 8192);
	buf_put_str(&sql, "UPDATE Requests SET RequestID = RequestID");
	for (int c = 1; c < STORE_COLUMN_COUNT; c++) {
		if (store_columns[c].part == STORE_Request && row->v[c].set)
			buf_printf(&sql, ", %s = ?", store_columns[c].name);
	}
	buf_put_str(&sql, " WHERE RequestID = ?");
	rc = store_prepare(s->wdb, buf_cstr(&sql), &st, e);
	buf_fini(&sql);
	if (rc != 0)
		return -1;
	for (int c = 1; c < STORE_COLUMN_COUNT; c++) {
		if (store_columns[c].part == STORE_Request && row->v[c].set)
			bind_column(st, i++, (enum store_column)c, &row->v[c]);
	}
	sqlite3_bind_int64(st, i, row->v[Request_RequestID].n);
	rc = store_run(s, st, "changing the request", e);
	sqlite3_finalize(st);
	return rc;
}

static int
do_update(struct store *s, const struct store_op *op, struct err *e)
{
	int64_t id = op->row->v[Request_RequestID].n, disposition = 0;
	sqlite3_stmt *st = s->stmt[STMT_GET_DISPOSITION];
	int rc;

	sqlite3_bind_int64(st, 1, id);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		disposition = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	if (rc == SQLITE_DONE)
		return ERR(e, CERTSRV_E_PROPERTY_EMPTY, "there is no request %lld", (long long)id);
	if (rc != SQLITE_ROW)
		return store_sqlite_error(s->wdb, "reading the request", e);
	if (disposition != op->expected)
		return ERR(e, CERTSRV_E_BAD_REQUESTSTATUS, "request %lld has disposition %lld, not %u",
		    (long long)id, (long long)disposition, op->expected);
	if (update_request_columns(s, op->row, e) != 0)
		return -1;
	if (store_details_update(s, op->row, id, e) != 0)
		return -1;
	if (!op->row->v[Certificate_RequestID].set)
		return 0;
	if (write_part(s, op->row, STORE_Certificate, e) != 0)
		return -1;
	return id <= s->late.indexed ? store_late_written(s, id, e) : 0;
}

static int
do_setting(struct store *s, const struct store_op *op, struct err *e)
{
	sqlite3_stmt *st = s->stmt[op->value != NULL ? STMT_PUT_SETTING : STMT_DELETE_SETTING];

	store_bind_text(st, 1, op->name);
	if (op->value != NULL)
		store_bind_text(st, 2, op->value);
	return store_run(s, st, "storing a setting", e);
}

static void
bind_time(sqlite3_stmt *st, int i, filetime_t t)
{
	if (t != 0)
		sqlite3_bind_int64(st, i, t);
	else
		sqlite3_bind_null(st, i);
}

static int
write_crl(struct store *s, const struct store_crl *r, struct err *e)
{
	const uint32_t numbers[] = { r->row_id, r->number, r->min_base, r->name_id, r->count };
	const filetime_t times[] = { r->this_update, r->next_update, r->this_publish, r->next_publish,
		r->effective, r->propagation_complete, r->last_publish };
	const uint32_t state[] = { r->publish_attempts, r->publish_flags, r->publish_status };
	sqlite3_stmt *st = s->stmt[STMT_PUT_CRL], *mark = s->stmt[STMT_RAISE_MARK];
	int at = 1;

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		sqlite3_bind_int64(st, at++, numbers[i]);
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		bind_time(st, at++, times[i]);
	for (size_t i = 0; i < ARRAY_LEN(state); i++)
		sqlite3_bind_int64(st, at++, state[i]);
	store_bind_text(st, at++, r->publish_error);
	sqlite3_bind_blob64(st, at++, r->raw.p, r->raw.len, SQLITE_STATIC);
	sqlite3_bind_int64(st, at, r->partition);
	if (store_run(s, st, "storing a CRL", e) != 0)
		return -1;
	store_bind_text(mark, 1, "CRLNumber");
	sqlite3_bind_int64(mark, 2, r->number);
	return store_run(s, mark, "raising the mark", e);
}

static int
do_crls(struct store *s, const struct store_op *op, struct err *e)
{
	sqlite3_stmt *st = s->stmt[STMT_DELETE_EXPIRED_CRLS];

	for (size_t i = 0; i < op->n_crls; i++) {
		if (write_crl(s, &op->crls[i], e) != 0)
			return -1;
	}
	if (op->expired_before == 0)
		return 0;
	sqlite3_bind_int64(st, 1, op->expired_before);
	return store_run(s, st, "deleting expired CRLs", e);
}

static int
do_rows(struct store *s, const struct store_op *op, struct err *e)
{
	for (size_t i = 0; i < op->n_rows; i++) {
		if (do_insert(s, &op->row[i], e) != 0)
			return -1;
	}
	return do_setting(s, op, e);
}

static int
do_op(struct store *s, const struct store_op *op, struct err *e)
{
	switch (op->kind) {
	case STORE_OP_INSERT:
		return do_insert(s, op->row, e);
	case STORE_OP_UPDATE:
		return do_update(s, op, e);
	case STORE_OP_SETTING:
		return do_setting(s, op, e);
	case STORE_OP_CRLS:
		return do_crls(s, op, e);
	case STORE_OP_ROWS:
		return do_rows(s, op, e);
	case STORE_OP_DELETE:
		return store_do_delete(s, op->deletion, e);
	case STORE_OP_INDEX:
		return store_late_catch_up(s, e);
	}
	return ERR(e, E_UNEXPECTED, "unknown operation %d", op->kind);
}

static int
control(struct store *s, int stmt, struct err *e)
{
	return store_run(s, s->stmt[stmt], "SQLite", e);
}

/* One operation in its savepoint. -1 only when the whole transaction is lost. */
static int
do_guarded(struct store *s, struct store_op *op, struct err *e)
{
	struct store_late late = s->late;

	if (control(s, STMT_SAVEPOINT, e) != 0)
		return -1;
	if (do_op(s, op, &op->e) != 0) {
		op->failed = true;
		if (sqlite3_get_autocommit(s->wdb)) { /* a full disk ends the transaction by itself */
			*e = op->e;
			return -1;
		}
		s->late = late;
		if (control(s, STMT_ROLLBACK_TO, e) != 0)
			return -1;
	}
	return control(s, STMT_RELEASE, e);
}

/* -1: the whole transaction is lost, which a full disk does by itself. */
static int
roll_back(struct store *s, struct err *e)
{
	if (sqlite3_get_autocommit(s->wdb) || control(s, STMT_ROLLBACK, e) != 0)
		return -1;
	return store_details_rolled_back(s, e);
}

/* 1 when an operation without a guard failed: then nothing of the transaction is left. */
static int
try_batch(struct store *s, struct store_op *batch, bool guarded, struct err *e)
{
	uint32_t hr;

	s->may_learn = !guarded; /* a savepoint takes back what a later operation counts on */
	if (control(s, STMT_BEGIN, e) != 0)
		return -1;
	for (struct store_op *op = batch; op != NULL; op = op->next) {
		if (guarded && do_guarded(s, op, e) != 0)
			return -1;
		if (!guarded && do_op(s, op, e) != 0)
			return roll_back(s, e) != 0 ? -1 : 1;
	}
	if (s->late.behind >= store_late_max && store_late_catch_up(s, e) != 0)
		return -1;
	hr = atomic_load(&s->failure);
	s->provoked = hr != 0;
	if (s->provoked)
		return ERR(e, hr, "a failure was asked for");
	return control(s, STMT_COMMIT, e);
}

/* Hardly any operation fails, so the first try does without savepoints: each would copy every page that the
 * operations before it changed. */
static int
commit_batch(struct store *s, struct store_op *batch, struct err *e)
{
	const struct store_late late = s->late;
	int rc = try_batch(s, batch, false, e);

	if (rc == 1) {
		s->late = late;
		rc = try_batch(s, batch, true, e);
	}
	if (rc != 0)
		s->late = late;
	return rc;
}

/* The commit failed: nothing of the batch is stored, so nothing of it may be acknowledged. */
static void
fail_batch(struct store *s, struct store_op *batch, const struct err *why)
{
	struct err ignored;

	if (!sqlite3_get_autocommit(s->wdb) && store_exec(s->wdb, "ROLLBACK", &ignored) != 0)
		log_error(store, "rollback: %s", ignored.msg);
	if (store_details_rolled_back(s, &ignored) != 0)
		log_error(store, "%s", ignored.msg);
	log_error(store, "commit failed, every request in it is refused: %s", why->msg);
	for (struct store_op *op = batch; op != NULL; op = op->next) {
		op->failed = true;
		ERR(&op->e, s->provoked ? why->hr : E_DISK_FULL,
		    "the database did not take the transaction: %s", why->msg);
	}
}

/* Cuts at most BATCH_MAX operations off the queue; called with the lock held. */
static struct store_op *
take_batch(struct store *s, unsigned *n)
{
	struct store_op *first = s->todo.head, *last = first;

	for (*n = 1; *n < BATCH_MAX && last->next != NULL; ++*n)
		last = last->next;
	s->todo.head = last->next;
	if (s->todo.head == NULL)
		s->todo.tail = &s->todo.head;
	last->next = NULL;
	return first;
}

static void
hand_back(struct store *s, struct store_op *batch)
{
	while (batch != NULL) {
		struct store_op *next = batch->next;

		store_queue_push(&s->finished, batch);
		batch = next;
	}
}

/* Without the lock, for which whoever wakes would only wait. */
static void
wake_readers(struct store *s)
{
	uint64_t one = 1;

	pthread_cond_signal(&s->finished_wake);
	while (write(s->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void
store_post(struct store *s, struct store_op *op)
{
	pthread_mutex_lock(&s->lock);
	store_queue_push(&s->finished, op);
	pthread_mutex_unlock(&s->lock);
	wake_readers(s);
}

/* In a transaction of its own, since nobody waits for it. */
static void
index_idly(struct store *s)
{
	const struct store_late late = s->late;
	struct err e = { 0 };

	if (control(s, STMT_BEGIN, &e) == 0 && store_late_catch_up(s, &e) == 0 &&
	    control(s, STMT_COMMIT, &e) == 0)
		return;
	log_warn(store, "indexing: %s", e.msg);
	s->late = late;
	if (!sqlite3_get_autocommit(s->wdb) && control(s, STMT_ROLLBACK, &e) != 0)
		log_error(store, "rollback: %s", e.msg);
}

/* With the lock held; true when nothing came for a while. */
static bool
wait_long(struct store *s)
{
	uint64_t until = clock_monotonic_us() + 1000 * (uint64_t)store_late_idle_ms;
	const struct timespec at = { (time_t)(until / 1000000), (long)(until % 1000000 * 1000) };

	return pthread_cond_timedwait(&s->wake, &s->lock, &at) == ETIMEDOUT;
}

void *
store_writer_main(void *arg)
{
	bool tried = false; /* to index since the latest operation */
	struct store *s = arg;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		struct store_op *batch;
		struct err e = { 0 };
		unsigned n;
		bool ok;

		if (s->todo.head == NULL) {
			if (s->stop)
				break;
			if (tried || s->unindexed == 0 || store_late_idle_ms == 0) {
				pthread_cond_wait(&s->wake, &s->lock);
			} else if (wait_long(s) && s->todo.head == NULL && !s->stop) {
				tried = true;
				pthread_mutex_unlock(&s->lock);
				index_idly(s);
				pthread_mutex_lock(&s->lock);
				s->unindexed = s->late.behind;
			}
			continue;
		}
		tried = false;
		batch = take_batch(s, &n);
		pthread_mutex_unlock(&s->lock);
		ok = commit_batch(s, batch, &e) == 0;
		if (!ok)
			fail_batch(s, batch, &e);
		log_debug(store, "%u operations %s", n, ok ? "committed" : "failed");
		pthread_mutex_lock(&s->lock);
		s->stats.commits += ok;
		s->stats.failed_commits += !ok;
		s->stats.operations += n;
		if (n > s->stats.largest_batch)
			s->stats.largest_batch = n;
		s->unindexed = s->late.behind;
		hand_back(s, batch);
		pthread_mutex_unlock(&s->lock);
		wake_readers(s);
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int
store_writer_prepare(struct store *s, struct err *e)
{
	static const char *const texts[STMT_COUNT] = {
		[STMT_BEGIN] = "BEGIN IMMEDIATE",
		[STMT_COMMIT] = "COMMIT",
		[STMT_ROLLBACK] = "ROLLBACK",
		[STMT_SAVEPOINT] = "SAVEPOINT op",
		[STMT_RELEASE] = "RELEASE op",
		[STMT_ROLLBACK_TO] = "ROLLBACK TO op",
		[STMT_PUT_DETAILS] =
		    "INSERT INTO Details VALUES (?1, ?2, ?3) ON CONFLICT (RequestID) DO UPDATE SET"
		    " Lists = excluded.Lists, Explanation = coalesce(excluded.Explanation, Explanation)",
		[STMT_GET_DETAILS] =
		    "SELECT d.Lists, c.RawCertificate FROM Details d LEFT JOIN Certificates c"
		    " ON c.RequestID = d.RequestID WHERE d.RequestID = ?1",
		[STMT_LEARN_PHRASE] = "INSERT INTO Phrases VALUES (?1, ?2)",
		[STMT_RAISE_MARK] = "UPDATE Marks SET Value = max(Value, ?2) WHERE Name = ?1",
		[STMT_PUT_SETTING] = "INSERT OR REPLACE INTO Settings VALUES (?1, ?2)",
		[STMT_DELETE_SETTING] = "DELETE FROM Settings WHERE Name = ?1",
		[STMT_PUT_CRL] = "INSERT OR REPLACE INTO CRLs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
				 "?10, ?11, ?12, ?13, "
				 "?14, ?15, ?16, ?17, ?18)",
		[STMT_DELETE_EXPIRED_CRLS] = "DELETE FROM CRLs WHERE CRLNextUpdate < ?1",
		[STMT_GET_DISPOSITION] = "SELECT Disposition FROM Requests WHERE RequestID = ?1",
	};

	for (int i = 0; i < STMT_COUNT; i++) {
		struct buf sql;
		int rc;

		buf_init(&sql, 16384);
		if (texts[i] != NULL)
			buf_put_str(&sql, texts[i]);
		else
			store_sql_insert(&sql, i == STMT_INSERT_REQUEST ? STORE_Request : STORE_Certificate);
		rc = store_prepare(s->wdb, buf_cstr(&sql), &s->stmt[i], e);
		buf_fini(&sql);
		if (rc != 0)
			return -1;
	}
	return 0;
}
