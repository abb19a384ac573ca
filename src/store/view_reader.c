/* The reader's thread: fetches of all views take turns, a few milliseconds each. And what the loop's side
 * does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "store/view_priv.h"

#define VIEW_POOL_MAX (8u << 20)
#define POSITION_TEXT_MAX (1u << 20)
#define PROGRESS_OPS 20000 /* of SQLite's machine: about a millisecond */

/* ---- the thread ---- */

/* A view that is closed need not wait for the end of a long search. */
static int
is_abandoned(void *arg)
{
	struct store *s = arg;
	bool dead;

	pthread_mutex_lock(&s->lock);
	dead = s->running != NULL && s->running->dead;
	pthread_mutex_unlock(&s->lock);
	return dead;
}

static void
finished(void *arg, const struct err *e)
{
	struct view_job *j = arg;
	struct view *v = j->view;

	if (!j->dead) {
		v->job = NULL;
		j->done(j->arg, e == NULL ? &j->res : NULL, e);
	}
	free(j);
}

static void
job_free(struct view_job *j)
{
	free(j->op);
	free(j);
}

/* The completion travels with those of the writer. */
static void
complete(struct store *s, struct view_job *j, bool failed, const struct err *e)
{
	struct store_op *op = j->op;

	op->cb = finished;
	op->arg = j;
	op->failed = failed;
	if (failed)
		op->e = *e;
	store_post(s, op);
}

static void
enqueue(struct store *s, struct view_job *j)
{
	struct view_job **at = &s->jobs;

	while (*at != NULL)
		at = &(*at)->next;
	j->next = NULL;
	*at = j;
}

static void *
reader_main(void *arg)
{
	struct store *s = arg;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		struct view_job *j = s->jobs;
		struct err e = { 0 };
		enum view_step step;
		bool dead;

		if (j == NULL && s->reader_stops)
			break;
		if (j == NULL) {
			pthread_cond_wait(&s->reader_wake, &s->lock);
			continue;
		}
		s->jobs = j->next;
		s->running = j;
		dead = j->dead || s->reader_stops;
		pthread_mutex_unlock(&s->lock);
		step = dead ? VIEW_DONE : view_job_step(j, s->vdb, &e);
		pthread_mutex_lock(&s->lock);
		s->running = NULL;
		pthread_cond_broadcast(&s->reader_idle);
		dead = dead || j->dead;
		if (!dead && step == VIEW_MORE) {
			enqueue(s, j);
			continue;
		}
		pthread_mutex_unlock(&s->lock);
		view_job_fini(j); /* here: statements belong to this thread's connection */
		if (dead)
			job_free(j);
		else
			complete(s, j, step == VIEW_FAILED, &e);
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* With the first fetch: a server whose database nobody reads has no thread for it. */
static int
start_reader(struct store *s, struct err *e)
{
	int rc;

	if (s->reader_runs)
		return 0;
	if (s->vdb == NULL && store_open_reader(sqlite3_db_filename(s->rdb, "main"), &s->vdb, e) != 0)
		return -1;
	if (store_lists_tables(s->vdb, e) != 0)
		return -1;
	sqlite3_progress_handler(s->vdb, PROGRESS_OPS, is_abandoned, s);
	rc = pthread_create(&s->reader, NULL, reader_main, s);
	if (rc != 0)
		return ERR(e, E_FAIL, "cannot start the reader thread: %s", strerror(rc));
	s->reader_runs = true;
	return 0;
}

void
store_reader_stop(struct store *s)
{
	if (s->reader_runs) {
		pthread_mutex_lock(&s->lock);
		s->reader_stops = true;
		pthread_cond_signal(&s->reader_wake);
		pthread_mutex_unlock(&s->lock);
		pthread_join(s->reader, NULL);
		s->reader_runs = false;
	}
	sqlite3_close(s->vdb);
	s->vdb = NULL;
}

/* ---- opening ---- */

/* The value as its column has it; E_INVALIDARG when it is none (MS-CSRA 3.1.4.1.12). */
static int
read_value(
    struct view *v, const struct view_column *c, struct bytes in, struct store_value *out, struct err *e)
{
	const char *text;

	out->set = true;
	switch (c->type) {
	case STORE_LONG:
#ifdef ADCSD_PLANTED_BUG_STORE_VIEW /* the fuzz target must find a value read past its end */
		if (in.len < 4) {
			out->n = (int32_t)get_u32le(in.p);
			return 0;
		}
#endif
		if (in.len != 4)
			return ERR(e, E_INVALIDARG, "%s: a LONG has 4 octets, not %zu", c->name, in.len);
		out->n = (int32_t)get_u32le(in.p);
		return 0;
	case STORE_DATE:
		if (in.len != 8)
			return ERR(e, E_INVALIDARG, "%s: a DATE has 8 octets, not %zu", c->name, in.len);
		out->n = (int64_t)get_u64le(in.p);
		return 0;
	case STORE_BINARY:
		return pool_dup_bytes(v->pool, in, &out->b) == 0
		    ? 0
		    : ERR(e, E_OUTOFMEMORY, "no memory for a restriction");
	case STORE_STRING:
		if (in.len < 2 || in.len % 2 != 0 || get_u16le(in.p + in.len - 2) != 0)
			return ERR(e, E_INVALIDARG, "%s: a STRING is UTF-16 with its NUL", c->name);
		text = text_from_utf16le(v->pool, (struct bytes){ in.p, in.len - 2 }, e);
		if (text == NULL) {
			if (e->hr != E_OUTOFMEMORY)
				e->hr = E_INVALIDARG;
			return err_prefix(e, "%s", c->name);
		}
		out->b = (struct bytes){ (const uint8_t *)text, strlen(text) };
		return 0;
	}
	return ERR(e, E_UNEXPECTED, "column type %d", c->type);
}

static const struct view_column *
find_column(struct view *v, uint32_t id, bool *first, struct err *e)
{
	enum view_table t = VIEW_REQUESTS;
	const struct view_column *c = store_view_column(id, &t);

	if (c == NULL) {
		ERR(e, E_INVALIDARG, "no table has the column 0x%x", id);
		return NULL;
	}
	if (!*first && t != v->table) {
		ERR(e, E_INVALIDARG, "the column %s is of another table than the others (MS-CSRA 3.1.4.1.12)",
		    c->name);
		return NULL;
	}
	*first = false;
	v->table = t;
	if (t == VIEW_REQUESTS && c->sql != NULL && c->sql[0] == 'c')
		v->needs_certificate = true;
	return c;
}

static int
add_restriction(struct view *v, const struct view_restriction *in, bool *first, struct err *e)
{
	const struct view_column *c = find_column(v, in->column, first, e);
	uint32_t seek = in->seek & ~(uint32_t)CVR_SEEK_NODELTA;
	struct view_condition *out = &v->conditions[v->n_conditions];

	if (c == NULL)
		return -1;
	if (in->sort > CVR_SORT_DESCEND)
		return ERR(e, E_INVALIDARG, "%s: there is no sort order %u", c->name, in->sort);
	if (in->sort != CVR_SORT_NONE) {
		if (v->sort != NULL)
			return ERR(e, E_INVALIDARG, "%s and %s cannot both sort (MS-CSRA 3.1.4.1.12)",
			    v->sort->name, c->name);
		v->sort = c;
		v->descend = in->sort == CVR_SORT_DESCEND;
		if (seek == CVR_SEEK_NONE)
			return 0;
	}
	if (seek != CVR_SEEK_EQ && seek != CVR_SEEK_LT && seek != CVR_SEEK_LE && seek != CVR_SEEK_GE &&
	    seek != CVR_SEEK_GT)
		return ERR(e, E_INVALIDARG, "%s: there is no seek operator 0x%x", c->name, in->seek);
	if (c->type == STORE_BINARY && seek != CVR_SEEK_EQ)
		return ERR(e, E_INVALIDARG, "%s: octets can only be equal (MS-CSRA 3.1.4.1.12)", c->name);
	out->column = c;
	out->seek = seek;
	if (read_value(v, c, in->value, &out->value, e) != 0)
		return -1;
	v->n_conditions++;
	return 0;
}

static int
compile(struct view *v, const struct view_query *q, struct err *e)
{
	bool first = true;

	if (q->n_restrictions > VIEW_RESTRICTIONS_MAX || q->n_columns > VIEW_COLUMNS_MAX)
		return ERR(e, E_INVALIDARG, "a view of %zu restrictions and %zu columns, at most %d and %d",
		    q->n_restrictions, q->n_columns, VIEW_RESTRICTIONS_MAX, VIEW_COLUMNS_MAX);
	if (q->n_columns == 0)
		return ERR(e, E_INVALIDARG, "a view needs a column");
	for (size_t i = 0; i < q->n_columns; i++) {
		v->columns[i] = find_column(v, q->columns[i], &first, e);
		if (v->columns[i] == NULL)
			return -1;
	}
	v->n_columns = q->n_columns;
	for (size_t i = 0; i < q->n_restrictions; i++) {
		if (add_restriction(v, &q->restrictions[i], &first, e) != 0)
			return -1;
	}
	/* the order of the keys needs no sorting */
	if (v->sort != NULL && (view_is_key(v, v->sort) || v->sort->sql == NULL))
		v->sort = NULL;
	return 0;
}

struct view *
store_view_open(struct store *s, const struct view_query *q, struct err *e)
{
	struct view *v = calloc(1, sizeof(*v));

	if (v == NULL || (v->pool = pool_new(VIEW_POOL_MAX)) == NULL) {
		free(v);
		ERR(e, E_OUTOFMEMORY, "no memory for a view");
		return NULL;
	}
	v->store = s;
	v->at.next = 1;
	buf_init(&v->at.name, POSITION_TEXT_MAX);
	buf_init(&v->at.sort_text, POSITION_TEXT_MAX);
	if (compile(v, q, e) == 0)
		return v;
	store_view_close(v);
	return NULL;
}

static void
hand_to_reader(struct store *s, struct view_job *j)
{
	pthread_mutex_lock(&s->lock);
	enqueue(s, j);
	pthread_mutex_unlock(&s->lock);
	pthread_cond_signal(&s->reader_wake);
}

/* On the loop's thread: the writer has completed the late indexes. When it could not, on a full disk for one,
 * a view that is not planned yet does without them. */
static void
indexed(void *arg, const struct err *e)
{
	struct view_job *j = arg;

	if (j->dead) {
		job_free(j);
		return;
	}
	if (e != NULL && j->view->plan == VIEW_UNPLANNED)
		j->view->without_late = true;
	hand_to_reader(j->view->store, j);
}

static bool
must_index(struct store *s, const struct view *v)
{
	bool behind;

	pthread_mutex_lock(&s->lock);
	behind = s->unindexed > 0;
	pthread_mutex_unlock(&s->lock);
	return behind && view_uses_late_index(v);
}

/* The job may be waiting, running or done already; whoever finds it dead frees it. */
static void
abandon(struct view *v)
{
	struct store *s = v->store;

	pthread_mutex_lock(&s->lock);
	v->job->dead = true;
	while (s->running == v->job)
		pthread_cond_wait(&s->reader_idle, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

void
store_view_close(struct view *v)
{
	if (v == NULL)
		return;
	if (v->job != NULL)
		abandon(v);
	pool_free(v->keys_pool);
	buf_fini(&v->at.name);
	buf_fini(&v->at.sort_text);
	pool_free(v->pool);
	free(v);
}

int
store_view_fetch(struct view *v, const struct view_fetch *f, view_done_fn *done, void *arg, struct err *e)
{
	struct store *s = v->store;
	struct view_job *j;

	if (v->job != NULL)
		return ERR(e, E_UNEXPECTED, "the view is being read");
	if (f->count == 0)
		return ERR(e, E_INVALIDARG, "no row was asked for");
	if (start_reader(s, e) != 0)
		return -1;
	j = calloc(1, sizeof(*j));
	if (j == NULL || (j->op = calloc(1, sizeof(*j->op))) == NULL) {
		free(j);
		return ERR(e, E_OUTOFMEMORY, "no memory for reading a view");
	}
	j->view = v;
	j->fetch = *f;
	j->done = done;
	j->arg = arg;
	if (!must_index(s, v)) {
		hand_to_reader(s, j);
	} else if (store_submit(
		       s, &(struct store_op){ .kind = STORE_OP_INDEX, .cb = indexed, .arg = j }, e) != 0) {
		job_free(j);
		return -1;
	}
	v->job = j;
	return 0;
}

/* ---- positions as text: "INDEX PHASE BEGUN END ID NAME SORT" ---- */

static void
put_value(const struct store_value *v, struct buf *out)
{
	if (!v->set)
		buf_put_str(out, "-");
	else if (v->b.p != NULL) {
		buf_put_u8(out, 'x');
		text_put_hex(out, v->b);
	} else
		buf_printf(out, "n%lld", (long long)v->n);
}

void
store_view_position(const struct view *v, struct buf *out)
{
	buf_printf(
	    out, "%u %u %d %d %lld x", v->at.next, v->at.phase, v->at.begun, v->at.end, (long long)v->at.id);
	text_put_hex(out, buf_bytes(&v->at.name));
	buf_put_u8(out, ' ');
	put_value(&v->at.sort, out);
}

/* "x" and hexadecimal to the next blank or the end. */
static int
get_octets(const char *s, size_t n, struct buf *out, struct err *e)
{
	char *copy;
	int rc;

	if (n == 0 || *s != 'x')
		return ERR(e, E_INVALIDARG, "unreadable position");
	copy = strndup(s + 1, n - 1);
	if (copy == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a position");
	buf_reset(out);
	rc = text_parse_hex(out, copy, e);
	free(copy);
	return rc;
}

int
store_view_seek(struct view *v, const char *position, struct err *e)
{
	struct view_position *at = &v->at;
	unsigned next, phase, begun, end;
	const char *name, *sort;
	long long id, n;
	int used = 0;

	if (v->job != NULL)
		return ERR(e, E_UNEXPECTED, "the view is being read");
	if (sscanf(position, "%u %u %u %u %lld %n", &next, &phase, &begun, &end, &id, &used) != 5 ||
	    used == 0 || next == 0 || phase > 1 || begun > 1 || end > 1 || id > INT64_C(1) << 40 ||
	    id < -(INT64_C(1) << 40))
		return ERR(e, E_INVALIDARG, "unreadable position");
	name = position + used;
	sort = strchr(name, ' ');
	if (sort == NULL)
		return ERR(e, E_INVALIDARG, "unreadable position");
	if (get_octets(name, (size_t)(sort - name), &at->name, e) != 0)
		return -1;
	if (at->name.len > 0 && memchr(at->name.p, 0, at->name.len) != NULL)
		return ERR(e, E_INVALIDARG, "unreadable position");
	sort++;
	at->sort = (struct store_value){ .set = *sort != '-' };
	if (*sort == 'n') {
		if (sscanf(sort + 1, "%lld", &n) != 1)
			return ERR(e, E_INVALIDARG, "unreadable position");
		at->sort.n = n;
	} else if (*sort == 'x') {
		if (get_octets(sort, strlen(sort), &at->sort_text, e) != 0)
			return -1;
		at->sort.b = buf_bytes(&at->sort_text);
	}
	at->next = next;
	at->phase = phase;
	at->begun = begun != 0;
	at->end = end != 0;
	at->id = id;
	return 0;
}
