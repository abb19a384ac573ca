/* Inside of views: the query as compiled, the position, the fetch under way. */
#ifndef ADCSD_STORE_VIEW_PRIV_H
#define ADCSD_STORE_VIEW_PRIV_H

#include "store/store_priv.h"
#include "store/view.h"

struct view_condition {
	const struct view_column *column;
	uint32_t seek;
	struct store_value value;
};

/* How rows are found. */
enum view_plan {
	VIEW_UNPLANNED, /* the reader decides when it first reads: it may have to count */
	VIEW_SCAN,      /* windows of the primary key, or of one index within them */
	VIEW_KEYS,      /* first a batch of keys in their order, then each row */
};

/* What one batch of keys holds; the sort value first in the order, the row's key to tell equals apart. */
struct view_key {
	struct store_value sort;
	int64_t id;
	const char *name;
};

struct view_position {
	unsigned phase;          /* a sorted view: rows without a value have a phase of their own */
	bool begun;              /* in this phase */
	int64_t id;              /* of the last row read, or the end of the last window */
	struct buf name;         /* tables whose key has one */
	struct store_value sort; /* of the last key; its text in sort_text */
	struct buf sort_text;
	uint32_t next; /* index of the next row, from 1 */
	bool end;
};

struct view_job;

struct view {
	struct store *store;
	struct pool *pool;
	enum view_table table;
	const struct view_column *columns[VIEW_COLUMNS_MAX];
	size_t n_columns;
	struct view_condition conditions[VIEW_RESTRICTIONS_MAX];
	size_t n_conditions;
	const struct view_column *sort; /* NULL: the primary key */
	bool descend;
	bool sort_by_key;
	bool needs_certificate, needs_request_row; /* which parts of the request table the rows come from */

	/* the reader's, once a fetch has begun */
	enum view_plan plan;
	const struct view_condition *driver; /* whose index finds the rows; NULL: none */
	bool candidates;   /* keys come from one index alone, the sorted column's or else the driver's; all
			      conditions are tried on the rows */
	bool without_late; /* late indexes could not be completed when the view was planned */
	int64_t low, high; /* bounds of the key that conditions set */
	struct view_position at;
	struct pool *keys_pool; /* the batch; NULL: none */
	struct view_key *keys;
	size_t n_keys, next_key;
	bool last_keys; /* nothing behind this batch */

	struct view_job *job; /* under way; NULL: none */
};

struct view_job {
	struct view_job *next;
	struct view *view;
	struct view_fetch fetch;
	view_done_fn *done;
	void *arg;
	struct store_op *op; /* the completion */
	struct view_result res;
	bool begun;
	bool dead; /* the view is closed and gone; under the lock */
	sqlite3_stmt *scan, *row;
	int64_t window, barren; /* ids a window has; ids passed since a row was found */
	int64_t patience;       /* barren ids before the indexes are asked: more when they know nothing */
	struct view_cell cells[VIEW_COLUMNS_MAX];
};

/* ---- view_sql.c ---- */

/* Whether rows are found and ordered by a column without looking at all of them. */
bool
view_has_index(const struct view *v, const struct view_column *c);
/* Whether a late index (late.c) answers the view; it must be complete when a fetch begins. */
bool
view_uses_late_index(const struct view *v);
/* RequestID, CRLRowId or the request's id of an attribute or extension: what the table is ordered by. */
bool
view_is_key(const struct view *v, const struct view_column *c);
static inline bool
view_key_has_name(const struct view *v)
{
	return v->table == VIEW_EXTENSIONS || v->table == VIEW_ATTRIBUTES;
}
/* Binds: ?1 and ?2 the window, ?3 the name; conditions from ?4 on. Columns of the result: id, name (or NULL),
 * then the view's. nulls: only rows without a sort value. */
void
view_sql_scan(const struct view *v, bool nulls, struct buf *out);
/* One row by ?1 id and ?3 name. */
void
view_sql_row(const struct view *v, struct buf *out);
/* A batch of keys: sort value, id, name; ?1 sort value, ?2 id, ?3 name of the last one (from_start: left
 * out). */
void
view_sql_keys(const struct view *v, bool from_start, size_t limit, struct buf *out);
/* How many rows the condition's index has, counted to at most `most`. */
void
view_sql_count(const struct view *v, const struct view_condition *c, size_t most, struct buf *out);
/* The lowest key above ?1 that the condition's index has. */
void
view_sql_jump(const struct view *v, const struct view_condition *c, struct buf *out);
/* The last key there is, or that the indexes know. */
void
view_sql_highest(const struct view *v, struct buf *out);
/* The conditions' values at ?4 and on, wherever the statement has them. */
void
view_bind_conditions(const struct view *v, sqlite3_stmt *st);
void
view_bind_value(sqlite3_stmt *st, int i, const struct view_column *c, const struct store_value *value);

/* ---- view_scan.c, on the reader's thread ---- */

/* Chosen by measuring; tests make them small, so that few rows go every way. */
struct view_tuning {
	uint64_t step_us; /* one portion, about */
	/* so many keys are sorted at once; beyond, rows come in an order that is there. Rows in the order of
	 * their ids need nothing but the index for it, those in another one must be read. */
	size_t few, few_sorted;
	int64_t barren; /* ids without a row before an index is asked where the next one is */
	size_t indexed,
	    sorted; /* keys in a batch: in the order of an index, or sorted, which is worth more */
};
extern struct view_tuning view_tuning;

enum view_step { VIEW_MORE, VIEW_DONE, VIEW_FAILED };
/* Reads for some milliseconds. MORE: call again. */
enum view_step
view_job_step(struct view_job *j, sqlite3 *db, struct err *e);
/* Statements of the job. */
void
view_job_fini(struct view_job *j);

#endif
