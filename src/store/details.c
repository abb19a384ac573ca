/* What of a request is neither a column of Requests nor of Certificates: its lists and its explanation, one
 * row of Details. On the writer's thread. */
#include <string.h>

#include "store/lists.h"
#include "store/phrases.h"
#include "store/store_priv.h"

#define OLD_POOL_MAX (64u << 20)

int
store_details_prepare(struct store *s, struct err *e)
{
	s->phrases = store_phrases_load(s->wdb, e);
	buf_init(&s->packed_lists, STORE_LISTS_MAX);
	buf_init(&s->packed_explanation, STORE_EXPLANATION_MAX);
	return s->phrases != NULL ? 0 : -1;
}

void
store_details_fini(struct store *s)
{
	store_phrases_free(s->phrases);
	buf_fini(&s->packed_lists);
	buf_fini(&s->packed_explanation);
}

/* What was learned in a transaction that is lost is not in the database. */
int
store_details_rolled_back(struct store *s, struct err *e)
{
	struct phrases *p = store_phrases_load(s->wdb, e);

	if (p == NULL)
		return -1;
	store_phrases_free(s->phrases);
	s->phrases = p;
	return 0;
}

/* As it is where packing is not worth it or not possible. */
static int
bind_explanation(struct store *s, sqlite3_stmt *st, int i, const char *text, struct err *e)
{
	struct buf *packed = &s->packed_explanation;
	sqlite3_stmt *learn = s->may_learn ? s->stmt[STMT_LEARN_PHRASE] : NULL;

	if (text == NULL || strlen(text) > STORE_EXPLANATION_MAX / 2) {
		store_bind_text(st, i, text);
		return 0;
	}
	buf_reset(packed);
	if (store_phrases_pack(s->phrases, learn, text, packed, e) != 0)
		return -1;
	sqlite3_bind_blob64(
	    st, i, packed->len > 0 ? (const void *)packed->p : "", packed->len, SQLITE_STATIC);
	return 0;
}

/* Replaces the lists; the explanation when there is one. */
static int
put(struct store *s, const struct store_row *row, struct bytes certificate, int64_t id, struct err *e)
{
	sqlite3_stmt *st = s->stmt[STMT_PUT_DETAILS];

	buf_reset(&s->packed_lists);
	if (store_lists_pack(row, certificate, &s->packed_lists, e) != 0)
		return -1;
	sqlite3_bind_int64(st, 1, id);
	sqlite3_bind_blob64(st, 2, s->packed_lists.p, s->packed_lists.len, SQLITE_STATIC);
	if (bind_explanation(s, st, 3, row->explanation, e) != 0)
		return -1;
	return store_run(s, st, "storing attributes and extensions", e);
}

int
store_details_insert(struct store *s, const struct store_row *row, int64_t id, struct err *e)
{
	if (row->n_attributes == 0 && row->n_extensions == 0 && row->explanation == NULL)
		return 0;
	return put(s, row, store_bytes(row, Certificate_RawCertificate), id, e);
}

/* The stored lists, in the pool. */
static int
load(struct store *s, int64_t id, struct pool *pool, struct store_row *row, struct bytes *certificate,
    struct err *e)
{
	sqlite3_stmt *st = s->stmt[STMT_GET_DETAILS];
	int step, rc = 0;

	memset(row, 0, sizeof(*row));
	*certificate = (struct bytes){ NULL, 0 };
	sqlite3_bind_int64(st, 1, id);
	step = sqlite3_step(st);
	if (step == SQLITE_ROW) {
		struct bytes raw;

		raw.p = sqlite3_column_blob(st, 1);
		raw.len = (size_t)sqlite3_column_bytes(st, 1);
		rc = pool_dup_bytes(pool, raw, certificate) == 0
		    ? 0
		    : ERR(e, E_OUTOFMEMORY, "no memory for a certificate");
		raw.p = sqlite3_column_blob(st, 0);
		raw.len = (size_t)sqlite3_column_bytes(st, 0);
		if (rc == 0)
			rc = store_lists_load(raw, *certificate, pool, row, e);
	} else if (step != SQLITE_DONE) {
		rc = store_sqlite_error(s->wdb, "reading attributes and extensions", e);
	}
	sqlite3_reset(st);
	return rc;
}

/* Old entries first, so that new ones of the same name win. */
static int
merge(const struct store_row *old, const struct store_row *row, struct pool *pool, struct store_row *out,
    struct err *e)
{
	size_t na = old->n_attributes + row->n_attributes, nx = old->n_extensions + row->n_extensions;
	struct store_attribute *a = pool_calloc(pool, na, sizeof(*a));
	struct store_extension *x = pool_calloc(pool, nx, sizeof(*x));

	if (a == NULL || x == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu attributes and %zu extensions", na, nx);
	for (size_t i = 0; i < na; i++)
		a[i] = i < old->n_attributes ? old->attributes[i] : row->attributes[i - old->n_attributes];
	for (size_t i = 0; i < nx; i++)
		x[i] = i < old->n_extensions ? old->extensions[i] : row->extensions[i - old->n_extensions];
	memset(out, 0, sizeof(*out));
	out->attributes = a;
	out->n_attributes = na;
	out->extensions = x;
	out->n_extensions = nx;
	out->explanation = row->explanation;
	return 0;
}

int
store_details_update(struct store *s, const struct store_row *row, int64_t id, struct err *e)
{
	bool reissued = row->v[Certificate_RequestID].set;
	struct store_row old, merged;
	struct bytes certificate;
	struct pool *pool;
	int rc;

	if (row->n_attributes == 0 && row->n_extensions == 0 && row->explanation == NULL && !reissued)
		return 0;
	pool = pool_new(OLD_POOL_MAX);
	if (pool == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for stored attributes");
	rc = load(s, id, pool, &old, &certificate, e);
	if (rc == 0)
		rc = merge(&old, row, pool, &merged, e);
	/* where the values will be found from now on */
	if (reissued)
		certificate = store_bytes(row, Certificate_RawCertificate);
	if (rc == 0)
		rc = put(s, &merged, certificate, id, e);
	pool_free(pool);
	return rc;
}

int
store_details_clear(struct store *s, int64_t id, bool extensions, uint32_t *deleted, struct err *e)
{
	struct pool *pool = pool_new(OLD_POOL_MAX);
	struct bytes certificate;
	struct store_row row;
	size_t *n = extensions ? &row.n_extensions : &row.n_attributes;
	int rc;

	if (pool == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for stored attributes");
	rc = load(s, id, pool, &row, &certificate, e);
	*deleted = rc == 0 ? (uint32_t)*n : 0;
	if (rc == 0 && *n > 0) {
		*n = 0;
		rc = put(s, &row, certificate, id, e);
	}
	pool_free(pool);
	return rc;
}
