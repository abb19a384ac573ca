/* Reading a view: a portion at a time, each a transaction of its own that ends before the next one begins. */
#include <limits.h>
#include <string.h>

#include "base/clock.h"
#include "store/view_priv.h"

#define WINDOW_FIRST 1024 /* ids */
#define WINDOW_MIN 64
#define WINDOW_MAX (INT64_C(1) << 32)
#define KEYS_POOL_MAX (32u << 20)
#define SQL_MAX 65536

struct view_tuning view_tuning = {
	.step_us = 10000, .few = 32768, .few_sorted = 10000, .barren = 4096, .indexed = 256, .sorted = 16384
};

/* ---- statements ---- */

static int
prepare(sqlite3 *db, struct buf *sql, sqlite3_stmt **out, struct err *e)
{
	int rc = buf_ok(sql) ? store_prepare(db, buf_cstr(sql), out, e)
			     : ERR(e, E_OUTOFMEMORY, "no memory for a query");

	buf_fini(sql);
	return rc;
}

/* First column of the first row; absent when that is NULL. */
static int
scalar(const struct view *v, sqlite3 *db, struct buf *sql, int64_t first, int64_t absent, int64_t *out,
    struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc;

	if (prepare(db, sql, &st, e) != 0)
		return -1;
	sqlite3_bind_int64(st, 1, first);
	view_bind_conditions(v, st);
	rc = sqlite3_step(st);
	*out = rc == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL ? sqlite3_column_int64(st, 0)
									     : absent;
	rc = rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : store_sqlite_error(db, "reading a view", e);
	sqlite3_finalize(st);
	return rc;
}

void
view_job_fini(struct view_job *j)
{
	sqlite3_finalize(j->scan);
	sqlite3_finalize(j->row);
	j->scan = j->row = NULL;
}

/* ---- planning ---- */

static bool
bounds_key(const struct view *v, const struct view_condition *c)
{
	return view_is_key(v, c->column) || (v->table == VIEW_REQUESTS && c->column->id == 0x2000);
}

static void
set_bounds(struct view *v)
{
	v->low = 1;
	v->high = UINT32_MAX;
	for (size_t i = 0; i < v->n_conditions; i++) {
		const struct view_condition *c = &v->conditions[i];
		int64_t n = c->value.n;

		if (!bounds_key(v, c))
			continue;
		if ((c->seek == CVR_SEEK_EQ || c->seek == CVR_SEEK_GE) && v->low < n)
			v->low = n;
		if (c->seek == CVR_SEEK_GT && v->low < n + 1)
			v->low = n + 1;
		if ((c->seek == CVR_SEEK_EQ || c->seek == CVR_SEEK_LE) && v->high > n)
			v->high = n;
		if (c->seek == CVR_SEEK_LT && v->high > n - 1)
			v->high = n - 1;
	}
}

/* The most telling condition with an index: an equality, or else a range when it has few rows. */
static int
choose_driver(struct view *v, sqlite3 *db, bool *few, struct err *e)
{
	const struct view_condition *equal = NULL;
	size_t limit = v->sort != NULL ? view_tuning.few_sorted : view_tuning.few;

	*few = false;
	for (const struct store_index *x = store_indexes; x->name != NULL; x++) {
		for (size_t i = 0; i < v->n_conditions; i++) {
			const struct view_condition *c = &v->conditions[i];
			struct buf sql;
			int64_t n;

			if (c->column->id != store_columns[x->column].view_id || v->table != VIEW_REQUESTS ||
			    !view_has_index(v, c->column))
				continue;
			buf_init(&sql, SQL_MAX);
			view_sql_count(v, c, limit, &sql);
			if (scalar(v, db, &sql, 0, 0, &n, e) != 0)
				return -1;
			if ((size_t)n < limit) {
				v->driver = c;
				*few = true;
				return 0;
			}
			if (c->seek == CVR_SEEK_EQ && equal == NULL)
				equal = c;
		}
	}
	v->driver = equal;
	return 0;
}

static int
make_plan(struct view *v, sqlite3 *db, struct err *e)
{
	bool few;

	set_bounds(v);
	if (choose_driver(v, db, &few, e) != 0)
		return -1;
	v->candidates = v->sort != NULL && !few && view_has_index(v, v->sort);
	if (v->candidates)
		v->driver = NULL;
	if (v->sort != NULL)
		v->plan = VIEW_KEYS;
	else /* an equality's index is in the order of the keys by itself */
		v->plan = v->driver != NULL && v->driver->seek != CVR_SEEK_EQ ? VIEW_KEYS : VIEW_SCAN;
	if (v->sort == NULL && v->plan == VIEW_KEYS)
		v->candidates = true;
	return 0;
}

/* ---- position ---- */

static bool
has_null_phase(const struct view *v)
{
	if (v->sort == NULL)
		return false;
	for (size_t i = 0; i < v->n_conditions; i++) {
		if (v->conditions[i].column == v->sort)
			return false;
	}
	return true;
}

/* Rows without a value come first in ascending order, last in descending. */
static bool
in_null_phase(const struct view *v)
{
	return has_null_phase(v) && v->at.phase == (v->descend ? 1 : 0);
}

static void
drop_keys(struct view *v)
{
	pool_free(v->keys_pool);
	v->keys_pool = NULL;
	v->n_keys = v->next_key = 0;
	v->last_keys = false;
}

static void
rewind_view(struct view *v)
{
	drop_keys(v);
	buf_reset(&v->at.name);
	buf_reset(&v->at.sort_text);
	v->at.phase = 0;
	v->at.begun = v->at.end = false;
	v->at.next = 1;
}

static void
end_phase(struct view *v)
{
	drop_keys(v);
	v->at.begun = false;
	if (has_null_phase(v) && v->at.phase == 0)
		v->at.phase = 1;
	else
		v->at.end = true;
}

static int
set_name(struct view *v, const char *name, struct err *e)
{
	buf_reset(&v->at.name);
	buf_put_str(&v->at.name, name);
	return buf_ok(&v->at.name) ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for a view's position");
}

static const char *
name_at(struct view *v)
{
	return buf_cstr(&v->at.name);
}

/* ---- rows ---- */

static void
load_cell(sqlite3_stmt *st, int i, struct view_cell *cell)
{
	struct store_value *v = &cell->value;

	*v = (struct store_value){ .set = sqlite3_column_type(st, i) != SQLITE_NULL };
	if (!v->set)
		return;
	switch (cell->column->type) {
	case STORE_LONG:
	case STORE_DATE:
		v->n = sqlite3_column_int64(st, i);
		break;
	case STORE_BINARY:
		v->b.p = sqlite3_column_blob(st, i);
		v->b.len = (size_t)sqlite3_column_bytes(st, i);
		break;
	case STORE_STRING:
		v->b.p = sqlite3_column_text(st, i);
		v->b.len = (size_t)sqlite3_column_bytes(st, i);
		break;
	}
	if (v->b.p == NULL)
		v->b.p = (const uint8_t *)"";
}

/* The statement's row is the next one of the view. *full: no more in this fetch. */
static int
take_row(struct view_job *j, sqlite3_stmt *st, bool *full, struct err *e)
{
	struct view *v = j->view;
	int rc;

	j->barren = 0;
	if (v->at.next++ < j->fetch.first)
		return 0;
	for (size_t i = 0; i < v->n_columns; i++) {
		j->cells[i].column = v->columns[i];
		load_cell(st, 2 + (int)i, &j->cells[i]);
	}
	rc = j->fetch.row(j->fetch.row_arg, (uint32_t)sqlite3_column_int64(st, 0), j->cells, v->n_columns, e);
	if (rc < 0)
		return -1;
	j->res.fetched++;
	*full = rc > 0 || j->res.fetched == j->fetch.count;
	return 0;
}

/* ---- windows of the primary key ---- */

static int
begin_scan(struct view_job *j, sqlite3 *db, int64_t top, struct err *e)
{
	struct view *v = j->view;
	bool nulls = in_null_phase(v);
	struct buf sql;

	if (!v->at.begun) {
		bool down = v->descend && !nulls;

		v->at.begun = true;
		v->at.id = down ? top + 1 : view_key_has_name(v) ? v->low : v->low - 1;
		if (set_name(v, "", e) != 0)
			return -1;
	}
	if (j->scan != NULL)
		return 0;
	j->window = WINDOW_FIRST;
	j->patience = view_tuning.barren;
	buf_init(&sql, SQL_MAX);
	view_sql_scan(v, nulls, &sql);
	if (prepare(db, &sql, &j->scan, e) != 0)
		return -1;
	view_bind_conditions(v, j->scan);
	return 0;
}

/* Nothing found for long: an index of a range knows where the next row may be. */
static int
jump(struct view_job *j, sqlite3 *db, int64_t top, struct err *e)
{
	struct view *v = j->view;
	int64_t from = v->at.id;

	j->barren = 0;
	for (size_t i = 0; i < v->n_conditions; i++) {
		struct buf sql;
		int64_t id;

		if (v->table != VIEW_REQUESTS || !view_has_index(v, v->conditions[i].column))
			continue;
		buf_init(&sql, SQL_MAX);
		view_sql_jump(v, &v->conditions[i], &sql);
		if (scalar(v, db, &sql, v->at.id, top + 1, &id, e) != 0)
			return -1;
		if (v->at.id < id - 1)
			v->at.id = id - 1;
	}
	j->patience = v->at.id > from ? view_tuning.barren : 4 * j->patience;
	return 0;
}

/* What a window took tells how wide the next one may be. */
static void
adapt_window(struct view_job *j, uint64_t us)
{
	if (us < view_tuning.step_us / 8 && j->window < WINDOW_MAX)
		j->window *= 4;
	else if (us > view_tuning.step_us / 2 && j->window > WINDOW_MIN)
		j->window /= 2;
}

static enum view_step
scan_window(struct view_job *j, sqlite3 *db, uint64_t deadline, int64_t top, struct err *e)
{
	struct view *v = j->view;
	bool down = v->descend && !in_null_phase(v), full = false;
	int64_t from = v->at.id, to = down ? from - j->window : from + j->window;
	uint64_t begin = clock_monotonic_us();
	enum view_step ret = VIEW_MORE;
	int rc;

	if (down && to < v->low)
		to = v->low;
	if (!down && to > top)
		to = top;
	sqlite3_bind_int64(j->scan, 1, down ? to : from);
	sqlite3_bind_int64(j->scan, 2, down ? from : to);
	sqlite3_bind_text(j->scan, 3, name_at(v), -1, SQLITE_TRANSIENT);
	while ((rc = sqlite3_step(j->scan)) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(j->scan, 1);

		v->at.id = sqlite3_column_int64(j->scan, 0);
		if ((name != NULL && set_name(v, name, e) != 0) || take_row(j, j->scan, &full, e) != 0) {
			ret = VIEW_FAILED;
			break;
		}
		if (full)
			ret = VIEW_DONE;
		if (full || ((v->at.next & 31) == 0 && clock_monotonic_us() > deadline))
			break;
	}
	if (rc == SQLITE_DONE) {
		j->barren += down ? from - to : to - from;
		v->at.id = !down && view_key_has_name(v) ? to + 1 : to;
		adapt_window(j, clock_monotonic_us() - begin);
		if (set_name(v, "", e) != 0)
			ret = VIEW_FAILED;
	} else if (rc != SQLITE_ROW) {
		store_sqlite_error(db, "reading a view", e);
		ret = VIEW_FAILED;
	}
	sqlite3_reset(j->scan);
	return ret;
}

/* A key with a name may have more rows of the id that was read last; without one behind it, none. */
static bool
is_at_end(const struct view *v, bool down, int64_t top)
{
	if (down)
		return v->at.id < v->low || (v->at.id == v->low && v->at.name.len == 0);
	return view_key_has_name(v) ? v->at.id > top : v->at.id >= top;
}

static enum view_step
scan(struct view_job *j, sqlite3 *db, uint64_t deadline, struct err *e)
{
	struct view *v = j->view;
	enum view_step ret = VIEW_MORE;
	struct buf sql;
	int64_t top;

	buf_init(&sql, SQL_MAX);
	view_sql_highest(v, &sql);
	if (scalar(v, db, &sql, 0, 0, &top, e) != 0)
		return VIEW_FAILED;
	if (top > v->high)
		top = v->high;
	if (begin_scan(j, db, top, e) != 0)
		return VIEW_FAILED;
	do {
		bool down = v->descend && !in_null_phase(v);

		if (!down && v->driver == NULL && j->barren > j->patience && jump(j, db, top, e) != 0)
			return VIEW_FAILED;
		if (is_at_end(v, down, top)) {
			view_job_fini(j);
			end_phase(v);
			return VIEW_MORE;
		}
		ret = scan_window(j, db, deadline, top, e);
	} while (ret == VIEW_MORE && clock_monotonic_us() < deadline);
	return ret;
}

/* ---- batches of keys ---- */

static int
load_key(const struct view *v, sqlite3_stmt *st, struct pool *pool, struct view_key *out)
{
	struct view_cell sort = { .column = v->sort };

	out->id = sqlite3_column_int64(st, 1);
	if (sqlite3_column_type(st, 2) != SQLITE_NULL) {
		out->name = pool_strdup(pool, (const char *)sqlite3_column_text(st, 2));
		if (out->name == NULL)
			return -1;
	}
	if (v->sort == NULL)
		return 0;
	load_cell(st, 0, &sort);
	out->sort = sort.value;
	return sort.value.b.p == NULL ? 0 : pool_dup_bytes(pool, sort.value.b, &out->sort.b);
}

static int
load_keys(struct view *v, sqlite3 *db, struct err *e)
{
	/* what an index gives in order is not worth keeping; what had to be sorted is */
	size_t limit = v->candidates && v->sort != NULL ? view_tuning.indexed : view_tuning.sorted;
	sqlite3_stmt *st = NULL;
	struct buf sql;
	int rc = SQLITE_ERROR;

	drop_keys(v);
	v->keys_pool = pool_new(KEYS_POOL_MAX);
	v->keys = pool_calloc(v->keys_pool, limit, sizeof(*v->keys));
	if (v->keys == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a view's keys");
	buf_init(&sql, SQL_MAX);
	view_sql_keys(v, !v->at.begun, limit, &sql);
	if (prepare(db, &sql, &st, e) != 0)
		return -1;
	if (v->at.begun) {
		view_bind_value(st, 1, v->sort, &v->at.sort);
		sqlite3_bind_int64(st, 2, v->at.id);
		sqlite3_bind_text(st, 3, name_at(v), -1, SQLITE_TRANSIENT);
	}
	view_bind_conditions(v, st);
	while (v->n_keys < limit && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		/* a batch that outgrows its memory is a shorter batch */
		if (load_key(v, st, v->keys_pool, &v->keys[v->n_keys]) != 0)
			break;
		v->n_keys++;
	}
	v->last_keys = rc == SQLITE_DONE;
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		rc = store_sqlite_error(db, "reading a view", e);
	else if (v->n_keys == 0 && !v->last_keys)
		rc = ERR(e, E_OUTOFMEMORY, "no memory for a view's keys");
	else
		rc = 0;
	sqlite3_finalize(st);
	return rc;
}

static int
stand_at(struct view *v, const struct view_key *k, struct err *e)
{
	v->at.begun = true;
	v->at.id = k->id;
	v->at.sort = k->sort;
	if (k->sort.b.p != NULL) {
		buf_reset(&v->at.sort_text);
		buf_put_bytes(&v->at.sort_text, k->sort.b);
		if (!buf_ok(&v->at.sort_text))
			return ERR(e, E_OUTOFMEMORY, "no memory for a view's position");
		v->at.sort.b = buf_bytes(&v->at.sort_text);
	}
	return set_name(v, k->name != NULL ? k->name : "", e);
}

static enum view_step
read_key(struct view_job *j, sqlite3 *db, const struct view_key *k, struct err *e)
{
	struct view *v = j->view;
	bool full = false;
	int rc, failed = 0;

	if (stand_at(v, k, e) != 0)
		return VIEW_FAILED;
	sqlite3_bind_int64(j->row, 1, k->id);
	sqlite3_bind_text(j->row, 3, k->name, -1, SQLITE_STATIC);
	rc = sqlite3_step(j->row);
	if (rc == SQLITE_ROW)
		failed = take_row(j, j->row, &full, e);
	else if (rc != SQLITE_DONE)
		failed = store_sqlite_error(db, "reading a view", e);
	sqlite3_reset(j->row);
	return failed != 0 ? VIEW_FAILED : full ? VIEW_DONE : VIEW_MORE;
}

static enum view_step
read_keys(struct view_job *j, sqlite3 *db, uint64_t deadline, struct err *e)
{
	struct view *v = j->view;
	enum view_step ret = VIEW_MORE;
	struct buf sql;

	if (j->row == NULL) {
		buf_init(&sql, SQL_MAX);
		view_sql_row(v, &sql);
		if (prepare(db, &sql, &j->row, e) != 0)
			return VIEW_FAILED;
		view_bind_conditions(v, j->row);
	}
	do {
		if (v->next_key < v->n_keys) {
			ret = read_key(j, db, &v->keys[v->next_key++], e);
		} else if (v->last_keys) {
			view_job_fini(j);
			end_phase(v);
			return VIEW_MORE;
		} else if (load_keys(v, db, e) != 0) {
			return VIEW_FAILED;
		}
	} while (ret == VIEW_MORE && clock_monotonic_us() < deadline);
	return ret;
}

/* ---- a portion ---- */

static int
begin(struct view_job *j, sqlite3 *db, struct err *e)
{
	struct view *v = j->view;

	j->begun = true;
	if (v->plan == VIEW_UNPLANNED && make_plan(v, db, e) != 0)
		return -1;
	if (j->fetch.first == 0)
		j->fetch.first = v->at.next;
	else if (j->fetch.first < v->at.next)
		rewind_view(v);
	return 0;
}

enum view_step
view_job_step(struct view_job *j, sqlite3 *db, struct err *e)
{
	uint64_t deadline = clock_monotonic_us() + view_tuning.step_us;
	struct view *v = j->view;
	enum view_step ret;

	if (!j->begun && begin(j, db, e) != 0)
		return VIEW_FAILED;
	if (v->at.end)
		ret = VIEW_DONE;
	else if (v->plan == VIEW_SCAN || in_null_phase(v))
		ret = scan(j, db, deadline, e);
	else
		ret = read_keys(j, db, deadline, e);
	if (ret == VIEW_DONE || (ret == VIEW_MORE && v->at.end)) {
		j->res.end = v->at.end;
		j->res.total = v->at.end ? v->at.next - 1 : 0;
		ret = VIEW_DONE;
	}
	return ret;
}
