/* Rows that go: MS-CSRA 3.1.4.2.18. */
#include <stdlib.h>

#include "store/store_priv.h"

/* ?1: the row, or the date. A key that is archived outlives its certificate. */
static const char *const which[] = {
	[STORE_DELETE_REQUEST] = "SELECT RequestID FROM Requests WHERE RequestID = ?1",
	[STORE_DELETE_EXPIRED] =
	    "SELECT r.RequestID FROM ByNotAfter x CROSS JOIN Requests r ON r.RequestID = x.RequestID"
	    " WHERE x.Value < ?1 AND r.Disposition IN (20, 21) AND r.RawArchivedKey IS NULL",
	[STORE_DELETE_NOT_ISSUED] =
	    "SELECT RequestID FROM Requests WHERE Disposition IN (9, 30, 31)"
	    " AND coalesce(ResolvedWhen, SubmittedWhen) < ?1 AND RawArchivedKey IS NULL",
};
static const char *const plain[] = {
	[STORE_DELETE_CRL] = "DELETE FROM CRLs WHERE CRLRowId = ?1",
	[STORE_DELETE_EXPIRED_CRLS] = "DELETE FROM CRLs WHERE CRLNextUpdate < ?1",
};
/* Everything of a request; the row itself last. */
static const char *const of_request[] = {
	"DELETE FROM Details WHERE RequestID = ?1",
	"DELETE FROM Certificates WHERE RequestID = ?1",
	"DELETE FROM Requests WHERE RequestID = ?1",
};

struct ids {
	int64_t *v;
	size_t n, room;
};

static int
add_id(struct ids *ids, int64_t id, struct err *e)
{
	if (ids->n == ids->room) {
		size_t room = ids->room != 0 ? 2 * ids->room : 64;
		int64_t *v = realloc(ids->v, room * sizeof(*v));

		if (v == NULL)
			return ERR(e, E_OUTOFMEMORY, "no memory for %zu rows to be deleted", room);
		ids->v = v;
		ids->room = room;
	}
	ids->v[ids->n++] = id;
	return 0;
}

static int
find(struct store *s, const char *sql, int64_t key, struct ids *ids, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc, step;

	if (store_prepare(s->wdb, sql, &st, e) != 0)
		return -1;
	sqlite3_bind_int64(st, 1, key);
	for (rc = 0; rc == 0 && (step = sqlite3_step(st)) != SQLITE_DONE;)
		rc = step == SQLITE_ROW ? add_id(ids, sqlite3_column_int64(st, 0), e)
					: store_sqlite_error(s->wdb, "finding rows to be deleted", e);
	sqlite3_finalize(st);
	return rc;
}

/* One statement for each key; *changed: rows of the last one's table, all keys together. */
static int
run_for(struct store *s, const char *sql, const int64_t *keys, size_t n, uint32_t *changed, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = 0;

	*changed = 0;
	if (store_prepare(s->wdb, sql, &st, e) != 0)
		return -1;
	for (size_t i = 0; i < n && rc == 0; i++) {
		sqlite3_bind_int64(st, 1, keys[i]);
		if (sqlite3_step(st) != SQLITE_DONE)
			rc = store_sqlite_error(s->wdb, "deleting rows", e);
		*changed += (uint32_t)sqlite3_changes(s->wdb);
		sqlite3_reset(st);
	}
	sqlite3_finalize(st);
	return rc;
}

static int
delete_requests(struct store *s, struct store_deletion *d, int64_t key, struct err *e)
{
	struct ids ids = { 0 };
	int rc = d->what == STORE_DELETE_EXPIRED ? store_late_catch_up(s, e) : 0;

	if (rc == 0)
		rc = find(s, which[d->what], key, &ids, e);
	for (size_t i = 0; i < ARRAY_LEN(of_request) && rc == 0; i++)
		rc = run_for(s, of_request[i], ids.v, ids.n, &d->deleted, e);
	free(ids.v);
	return rc;
}

int
store_do_delete(struct store *s, struct store_deletion *d, struct err *e)
{
	int64_t key = d->row;

	if (d->what == STORE_DELETE_EXPIRED || d->what == STORE_DELETE_NOT_ISSUED ||
	    d->what == STORE_DELETE_EXPIRED_CRLS)
		key = d->before;
	if (d->what <= STORE_DELETE_NOT_ISSUED)
		return delete_requests(s, d, key, e);
	if (d->what == STORE_DELETE_EXTENSIONS || d->what == STORE_DELETE_ATTRIBUTES)
		return store_details_clear(s, key, d->what == STORE_DELETE_EXTENSIONS, &d->deleted, e);
	return run_for(s, plain[d->what], &key, 1, &d->deleted, e);
}
