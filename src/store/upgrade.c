/* Databases of older programs. Each step is a transaction, or takes up where a killed one left it. */
#include <string.h>

#include "base/log.h"
#include "store/lists.h"
#include "store/store_priv.h"

#define SQL_MAX 32768
#define STEP 1000            /* requests in a transaction */
#define POOL_MAX (64u << 20) /* for the lists of one request */

/* To 3: a row for each attribute and each extension became one for the request. */
struct move {
	sqlite3 *db;
	sqlite3_stmt *next, *attributes, *extensions, *explanation, *put;
	struct buf packed;
	int64_t last; /* moved so far: in the order of their ids */
};

static const char *
text_at(sqlite3_stmt *st, int i, struct pool *pool)
{
	const char *s = (const char *)sqlite3_column_text(st, i);

	return pool_strndup(pool, s != NULL ? s : "", (size_t)sqlite3_column_bytes(st, i));
}

/* Room for the entries that a query gave so far, doubled when it is full. */
static void *
room_for(void *list, size_t n, size_t size, struct pool *pool)
{
	void *more;

	if (n != 0 && (n < 8 || (n & (n - 1)) != 0))
		return list;
	more = pool_calloc(pool, n < 8 ? 8 : 2 * n, size);
	if (more != NULL && n > 0)
		memcpy(more, list, n * size);
	return more;
}

static int
read_attributes(struct move *m, struct pool *pool, struct store_row *row, struct err *e)
{
	struct store_attribute *list = NULL;
	size_t n = 0;
	int step;

	while ((step = sqlite3_step(m->attributes)) == SQLITE_ROW) {
		bool set = sqlite3_column_type(m->attributes, 1) != SQLITE_NULL;

		list = room_for(list, n, sizeof(*list), pool);
		if (list == NULL)
			return ERR(e, E_OUTOFMEMORY, "no memory for %zu attributes", n);
		list[n].name = text_at(m->attributes, 0, pool);
		list[n].value = set ? text_at(m->attributes, 1, pool) : NULL;
		if (list[n].name == NULL || (set && list[n].value == NULL))
			return ERR(e, E_OUTOFMEMORY, "no memory for attributes");
		n++;
	}
	row->attributes = list;
	row->n_attributes = n;
	return step == SQLITE_DONE ? 0 : store_sqlite_error(m->db, "reading attributes", e);
}

static int
read_extensions(struct move *m, struct pool *pool, struct store_row *row, struct err *e)
{
	struct store_extension *list = NULL;
	size_t n = 0;
	int step;

	while ((step = sqlite3_step(m->extensions)) == SQLITE_ROW) {
		struct bytes value = { .p = sqlite3_column_blob(m->extensions, 2) };

		value.len = (size_t)sqlite3_column_bytes(m->extensions, 2);
		list = room_for(list, n, sizeof(*list), pool);
		if (list == NULL || pool_dup_bytes(pool, value, &list[n].value) != 0)
			return ERR(e, E_OUTOFMEMORY, "no memory for %zu extensions", n);
		list[n].name = text_at(m->extensions, 0, pool);
		if (list[n].name == NULL)
			return ERR(e, E_OUTOFMEMORY, "no memory for extensions");
		list[n].flags = (uint32_t)sqlite3_column_int64(m->extensions, 1);
		n++;
	}
	row->extensions = list;
	row->n_extensions = n;
	return step == SQLITE_DONE ? 0 : store_sqlite_error(m->db, "reading extensions", e);
}

static int
put(struct move *m, int64_t id, const struct store_row *row, struct bytes certificate, struct err *e)
{
	bool explained;
	int rc = 0;

	sqlite3_bind_int64(m->explanation, 1, id);
	explained = sqlite3_step(m->explanation) == SQLITE_ROW;
	if (explained || row->n_attributes > 0 || row->n_extensions > 0) {
		buf_reset(&m->packed);
		if (store_lists_pack(row, certificate, &m->packed, e) != 0)
			return -1;
		sqlite3_bind_int64(m->put, 1, id);
		sqlite3_bind_blob64(m->put, 2, m->packed.p, m->packed.len, SQLITE_STATIC);
		sqlite3_bind_null(m->put, 3);
		if (explained)
			sqlite3_bind_value(m->put, 3, sqlite3_column_value(m->explanation, 0));
		rc = sqlite3_step(m->put) == SQLITE_DONE
		    ? 0
		    : store_sqlite_error(m->db, "storing attributes and extensions", e);
		sqlite3_reset(m->put);
	}
	sqlite3_reset(m->explanation);
	return rc;
}

static int
move_one(struct move *m, struct err *e)
{
	struct pool *pool = pool_new(POOL_MAX);
	int64_t id = sqlite3_column_int64(m->next, 0);
	struct bytes certificate = { .p = sqlite3_column_blob(m->next, 1) };
	struct store_row row = { .explanation = NULL };
	int rc;

	if (pool == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory");
	certificate.len = (size_t)sqlite3_column_bytes(m->next, 1);
	sqlite3_bind_int64(m->attributes, 1, id);
	sqlite3_bind_int64(m->extensions, 1, id);
	rc = read_attributes(m, pool, &row, e) != 0 || read_extensions(m, pool, &row, e) != 0
	    ? -1
	    : put(m, id, &row, certificate, e);
	sqlite3_reset(m->attributes);
	sqlite3_reset(m->extensions);
	pool_free(pool);
	m->last = id;
	return rc;
}

/* *moved 0: none is left. */
static int
move_some(struct move *m, size_t *moved, struct err *e)
{
	int rc = 0, step;

	*moved = 0;
	sqlite3_bind_int64(m->next, 1, m->last);
	sqlite3_bind_int64(m->next, 2, STEP);
	while (rc == 0 && (step = sqlite3_step(m->next)) != SQLITE_DONE) {
		if (step != SQLITE_ROW)
			rc = store_sqlite_error(m->db, "reading requests", e);
		else
			rc = move_one(m, e);
		++*moved;
	}
	sqlite3_reset(m->next);
	return rc;
}

static int
prepare_move(struct move *m, struct err *e)
{
	const struct {
		const char *sql;
		sqlite3_stmt **st;
	} list[] = {
		{ "SELECT r.RequestID, c.RawCertificate FROM Requests r LEFT JOIN Certificates c"
		  " ON c.RequestID = r.RequestID WHERE r.RequestID > ?1 ORDER BY r.RequestID LIMIT ?2",
		    &m->next },
		{ "SELECT AttributeName, AttributeValue FROM Attributes WHERE AttributeRequestId = ?1",
		    &m->attributes },
		{ "SELECT ExtensionName, ExtensionFlags, ExtensionRawValue FROM Extensions"
		  " WHERE ExtensionRequestId = ?1",
		    &m->extensions },
		{ "SELECT Explanation FROM Explanations WHERE RequestID = ?1", &m->explanation },
		{ "INSERT INTO Details VALUES (?1, ?2, ?3)", &m->put },
	};

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		if (store_prepare(m->db, list[i].sql, list[i].st, e) != 0)
			return -1;
	}
	return store_scalar(m->db, "SELECT max(RequestID) FROM Details", 0, &m->last, e);
}

static int
move_all(sqlite3 *db, struct err *e)
{
	struct move m = { .db = db };
	size_t moved = 1, sum = 0;
	int rc = prepare_move(&m, e);

	buf_init(&m.packed, STORE_LISTS_MAX);
	while (rc == 0 && moved > 0) {
		if (store_exec(db, "BEGIN IMMEDIATE", e) != 0 || move_some(&m, &moved, e) != 0 ||
		    store_exec(db, "COMMIT", e) != 0)
			rc = -1;
		sum += moved;
		if (sum % (100 * STEP) == 0 && moved > 0)
			log_info(store, "upgrading the database: %zu requests", sum);
	}
	sqlite3_finalize(m.next);
	sqlite3_finalize(m.attributes);
	sqlite3_finalize(m.extensions);
	sqlite3_finalize(m.explanation);
	sqlite3_finalize(m.put);
	buf_fini(&m.packed);
	return rc;
}

static int
to_3(sqlite3 *db, struct err *e)
{
	if (store_exec(db, store_details_sql, e) != 0 || move_all(db, e) != 0)
		return -1;
	/* overwriting what is dropped would write all of it once more */
	return store_exec(db,
	    "PRAGMA secure_delete = OFF; BEGIN IMMEDIATE; DROP TABLE Attributes; DROP TABLE Extensions;"
	    " DROP TABLE Explanations; PRAGMA user_version = 3; COMMIT; PRAGMA secure_delete = ON",
	    e);
}

/* To 4: most indexes are late ones, filled in their own order. */
static int
to_4(sqlite3 *db, struct err *e)
{
	struct buf sql;
	int rc;

	buf_init(&sql, SQL_MAX);
	buf_put_str(&sql, "BEGIN IMMEDIATE;");
	store_late_sql(&sql);
	for (const struct store_index *x = store_indexes; x->name != NULL; x++) {
		const struct store_column_info *in = &store_columns[x->column];

		if (x->late)
			buf_printf(&sql,
			    "INSERT INTO %s SELECT %s, RequestID FROM %s WHERE %s IS NOT NULL ORDER BY 1, 2;",
			    x->name, in->name, store_table_names[in->part], in->name);
	}
	buf_put_str(&sql,
	    "UPDATE Marks SET Value = (SELECT coalesce(max(RequestID), 0) FROM Requests) WHERE Name = "
	    "'Indexed';"
	    "DROP INDEX IF EXISTS CertificateByHash; DROP INDEX IF EXISTS CertificateByUPN;"
	    "DROP INDEX IF EXISTS CertificateByCommonName; DROP INDEX IF EXISTS RequestByRequester;"
	    "DROP INDEX IF EXISTS CertificateByTemplate; DROP INDEX IF EXISTS CertificateByNotAfter;"
	    "DROP INDEX IF EXISTS RequestBySubmission; DROP INDEX IF EXISTS RequestByResolution;"
	    "PRAGMA user_version = 4; COMMIT");
	rc = store_exec(db, buf_cstr(&sql), e);
	buf_fini(&sql);
	return rc;
}

int
store_upgrade(sqlite3 *db, int64_t version, struct err *e)
{
	/* CRLs had no partitions */
	if (version < 2 &&
	    store_exec(db,
		"BEGIN IMMEDIATE; ALTER TABLE CRLs ADD COLUMN CRLPartitionIndex INTEGER NOT NULL DEFAULT 0;"
		" PRAGMA user_version = 2; COMMIT;",
		e) != 0)
		return -1;
	if (version < 3 && to_3(db, e) != 0)
		return -1;
	return to_4(db, e);
}
