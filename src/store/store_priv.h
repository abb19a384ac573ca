/* Shared inside store/: the connection pair, the queue of the writer thread, small SQLite wrappers. */
#ifndef ADCSD_STORE_STORE_PRIV_H
#define ADCSD_STORE_STORE_PRIV_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "store/store.h"

enum store_op_kind {
	STORE_OP_INSERT,
	STORE_OP_UPDATE,
	STORE_OP_SETTING,
	STORE_OP_CRLS,
	STORE_OP_ROWS,
	STORE_OP_DELETE,
	STORE_OP_INDEX /* late indexes up to the last row */
};

struct view_job;

struct store_op {
	struct store_op *next;
	enum store_op_kind kind;
	const struct store_row *row;
	uint32_t expected;            /* STORE_OP_UPDATE: disposition the row must have */
	const char *name, *value;     /* STORE_OP_SETTING, STORE_OP_ROWS */
	size_t n_rows;                /* STORE_OP_ROWS: from row on */
	const struct store_crl *crls; /* STORE_OP_CRLS */
	size_t n_crls;
	filetime_t expired_before;
	struct store_deletion *deletion; /* STORE_OP_DELETE */
	store_done_fn *cb;
	void *arg;
	bool failed;
	struct err e;
};

struct store_queue {
	struct store_op *head, **tail;
};

/* Statements of the writer, prepared once. */
enum store_stmt {
	STMT_INSERT_REQUEST,
	STMT_INSERT_CERTIFICATE,
	STMT_PUT_DETAILS,
	STMT_GET_DETAILS,
	STMT_LEARN_PHRASE,
	STMT_RAISE_MARK,
	STMT_PUT_SETTING,
	STMT_DELETE_SETTING,
	STMT_GET_DISPOSITION,
	STMT_PUT_CRL,
	STMT_DELETE_EXPIRED_CRLS,
	STMT_BEGIN,
	STMT_COMMIT,
	STMT_ROLLBACK,
	STMT_SAVEPOINT,
	STMT_RELEASE,
	STMT_ROLLBACK_TO,
	STMT_COUNT,
};

#define STORE_LATE_INDEXES_MAX 16

/* What the late indexes hold (late.c). */
struct store_late {
	int64_t indexed; /* every request up to this id */
	uint64_t behind; /* requests above it */
};

struct store {
	sqlite3 *wdb; /* writer thread only, once it runs */
	sqlite3_stmt *stmt[STMT_COUNT];
	sqlite3 *rdb; /* loop's thread only */
	sqlite3_stmt *read_row;
	uint32_t next_request_id, next_crl_number, next_crl_row;
	int fd;

	atomic_uint failure; /* store_set_failure() */
	bool provoked;       /* the latest commit failed by it; writer thread only */
	/* writer thread only, once it runs */
	struct phrases *phrases;
	bool may_learn; /* phrases, in the running transaction */
	struct buf packed_lists, packed_explanation;
	struct store_late late; /* with the running transaction */
	sqlite3_stmt *index_rows[STORE_LATE_INDEXES_MAX];

	pthread_t writer;
	bool writer_runs;
	pthread_mutex_t lock;
	pthread_cond_t wake, finished_wake;
	struct store_queue todo, finished;
	bool stop;
	uint64_t unindexed; /* rows that were acknowledged and the late indexes lack */
	struct store_stats stats;

	/* view_reader.c; the lock guards these too */
	sqlite3 *vdb; /* the reader's thread only */
	pthread_t reader;
	bool reader_runs, reader_stops;
	pthread_cond_t reader_wake, reader_idle;
	struct view_job *jobs, *running;
};

/* schema.c */
/* What views look rows up by (view.h). */
struct store_index {
	enum store_column column;
	const char *name;
	bool late; /* a table of ours (late.c), else an index of SQLite's */
};
extern const char *const store_table_names[];    /* by enum store_part */
extern const struct store_index store_indexes[]; /* ends with name NULL */
extern const char store_details_sql[];           /* its tables and triggers */
int
store_schema_prepare(sqlite3 *db, const char *path, struct err *e) MUST_CHECK;
/* "INSERT INTO Requests (...) VALUES (?1, ...)", with the upsert clause for certificates. */
void
store_sql_insert(struct buf *out, enum store_part part);
/* "SELECT r.*, c.* ..." in the order of enum store_column, without WHERE; details: with Lists and Explanation
 * behind them. */
void
store_sql_select(struct buf *out, bool details);

/* upgrade.c: to this program's version from any older one. */
int
store_upgrade(sqlite3 *db, int64_t version, struct err *e) MUST_CHECK;

/* writer.c */
void *
store_writer_main(void *arg);
int
store_writer_prepare(struct store *s, struct err *e) MUST_CHECK;

/* Runs a statement that yields no row; it is ready for the next use afterwards. */
int
store_run(struct store *s, sqlite3_stmt *st, const char *what, struct err *e) MUST_CHECK;

/* details.c: on the writer's thread. */
int
store_details_prepare(struct store *s, struct err *e) MUST_CHECK;
void
store_details_fini(struct store *s);
int
store_details_rolled_back(struct store *s, struct err *e) MUST_CHECK;
int
store_details_insert(struct store *s, const struct store_row *row, int64_t id, struct err *e) MUST_CHECK;
/* Entries are replaced by name, the explanation when there is one. Before the certificate part is written:
 * its old one may hold values. */
int
store_details_update(struct store *s, const struct store_row *row, int64_t id, struct err *e) MUST_CHECK;
/* Empties one list; deleted: how many entries it had. */
int
store_details_clear(
    struct store *s, int64_t id, bool extensions, uint32_t *deleted, struct err *e) MUST_CHECK;

/* lists_table.c: the tables "Attributes" and "Extensions" of this connection, read from Details. */
int
store_lists_tables(sqlite3 *db, struct err *e) MUST_CHECK;

/* late.c: on the writer's thread. */
extern unsigned store_late_max, store_late_idle_ms; /* tests change them */
void
store_late_sql(struct buf *out); /* its tables and triggers, over an empty database */
int
store_late_prepare(struct store *s, struct err *e) MUST_CHECK;
void
store_late_fini(struct store *s);
/* A part of this request was inserted. */
int
store_late_written(struct store *s, int64_t id, struct err *e) MUST_CHECK;
int
store_late_catch_up(struct store *s, struct err *e) MUST_CHECK;

/* delete.c: on the writer's thread. */
int
store_do_delete(struct store *s, struct store_deletion *d, struct err *e) MUST_CHECK;

/* store.c */
int
store_exec(sqlite3 *db, const char *sql, struct err *e) MUST_CHECK;
int
store_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, struct err *e) MUST_CHECK;
/* SQLite's code as HRESULT, its message as reason. */
int
store_sqlite_error(sqlite3 *db, const char *what, struct err *e);
/* First column of the first row of a query without parameters; `absent` when there is no row. */
int
store_scalar(sqlite3 *db, const char *sql, int64_t absent, int64_t *out, struct err *e) MUST_CHECK;
int
store_bind_text(sqlite3_stmt *st, int i, const char *text);

/* Queues a copy of the operation. */
int
store_submit(struct store *s, const struct store_op *model, struct err *e) MUST_CHECK;

/* view_reader.c; views must be closed. */
void
store_reader_stop(struct store *s);
int
store_open_reader(const char *path, sqlite3 **out, struct err *e) MUST_CHECK;
/* From another thread: op's callback will run on the loop's. */
void
store_post(struct store *s, struct store_op *op);

void
store_queue_init(struct store_queue *q);
void
store_queue_push(struct store_queue *q, struct store_op *op);

#endif
