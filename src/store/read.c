/* Reading, on the loop's thread: look-ups by key in pages the kernel has cached; no transaction outlives a
 * call. */
#include <string.h>

#include "store/lists.h"
#include "store/phrases.h"
#include "store/store_priv.h"

static struct bytes
column_bytes(sqlite3_stmt *st, int i)
{
	struct bytes b = { .p = sqlite3_column_blob(st, i) };

	b.len = (size_t)sqlite3_column_bytes(st, i);
	return b;
}

static int
load_bytes(sqlite3_stmt *st, int i, struct pool *pool, struct bytes *out, struct err *e)
{
	const void *p = sqlite3_column_blob(st, i);
	int len = sqlite3_column_bytes(st, i);

	if (len < 0 || (len > 0 && p == NULL) ||
	    pool_dup_bytes(pool, (struct bytes){ len > 0 ? p : (const void *)"", (size_t)len }, out) != 0)
		return ERR(e, E_OUTOFMEMORY, "no memory for a stored value");
	return 0;
}

static int
load_row(sqlite3_stmt *st, struct pool *pool, struct store_row *row, struct err *e)
{
	memset(row, 0, sizeof(*row));
	for (int c = 0; c < STORE_COLUMN_COUNT; c++) {
		struct store_value *v = &row->v[c];

		if (sqlite3_column_type(st, c) == SQLITE_NULL)
			continue;
		v->set = true;
		if (store_columns[c].type == STORE_LONG || store_columns[c].type == STORE_DATE)
			v->n = sqlite3_column_int64(st, c);
		else if (load_bytes(st, c, pool, &v->b, e) != 0)
			return -1;
	}
	return 0;
}

static int
load_text(sqlite3_stmt *st, int i, struct pool *pool, const char **out, struct err *e)
{
	struct bytes b;

	if (load_bytes(st, i, pool, &b, e) != 0)
		return -1;
	*out = (const char *)b.p;
	return 0;
}

static int
count_for(struct store *s, const char *sql, uint32_t id, size_t *n, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = -1;

	if (store_prepare(s->rdb, sql, &st, e) != 0)
		return -1;
	sqlite3_bind_int64(st, 1, id);
	if (sqlite3_step(st) == SQLITE_ROW) {
		*n = (size_t)sqlite3_column_int64(st, 0);
		rc = 0;
	} else {
		store_sqlite_error(s->rdb, "counting", e);
	}
	sqlite3_finalize(st);
	return rc;
}

/* The columns behind those of the row, which has the certificate already. */
static int
load_details(struct store *s, sqlite3_stmt *st, struct pool *pool, struct store_row *row, struct err *e)
{
	struct bytes lists = column_bytes(st, STORE_COLUMN_COUNT);

	if (store_lists_load(lists, store_bytes(row, Certificate_RawCertificate), pool, row, e) != 0)
		return -1;
	switch (sqlite3_column_type(st, STORE_COLUMN_COUNT + 1)) {
	case SQLITE_NULL:
		return 0;
	case SQLITE_TEXT:
		return load_text(st, STORE_COLUMN_COUNT + 1, pool, &row->explanation, e);
	default:
		return store_phrases_unpack(
		    s->rdb, column_bytes(st, STORE_COLUMN_COUNT + 1), pool, &row->explanation, e);
	}
}

static int
prepare_read_row(struct store *s, struct err *e)
{
	struct buf sql;
	int rc;

	if (s->read_row != NULL)
		return 0;
	buf_init(&sql, 16384);
	store_sql_select(&sql, true);
	buf_put_str(&sql, " WHERE r.RequestID = ?1");
	rc = store_prepare(s->rdb, buf_cstr(&sql), &s->read_row, e);
	buf_fini(&sql);
	return rc;
}

int
store_get(struct store *s, uint32_t request_id, struct pool *pool, struct store_row *out, struct err *e)
{
	int rc, step;

	if (prepare_read_row(s, e) != 0)
		return -1;
	sqlite3_bind_int64(s->read_row, 1, request_id);
	step = sqlite3_step(s->read_row);
	if (step == SQLITE_ROW)
		rc = load_row(s->read_row, pool, out, e) != 0 ? -1
							      : load_details(s, s->read_row, pool, out, e);
	else if (step == SQLITE_DONE)
		rc = ERR(e, CERTSRV_E_PROPERTY_EMPTY, "there is no request %u", request_id);
	else
		rc = store_sqlite_error(s->rdb, "reading the request", e);
	sqlite3_reset(s->read_row);
	return rc;
}

static int
find_id(struct store *s, const char *sql, const char *value, const char *what, uint32_t *request_id,
    struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc;

	if (store_prepare(s->rdb, sql, &st, e) != 0)
		return -1;
	store_bind_text(st, 1, value);
	rc = sqlite3_step(st);
	*request_id = rc == SQLITE_ROW ? (uint32_t)sqlite3_column_int64(st, 0) : 0;
	if (rc == SQLITE_ROW)
		rc = 0;
	else if (rc == SQLITE_DONE)
		rc = ERR(e, CERTSRV_E_PROPERTY_EMPTY, "there is no certificate with %s %.64s", what, value);
	else
		rc = store_sqlite_error(s->rdb, "looking for a certificate", e);
	sqlite3_finalize(st);
	return rc;
}

int
store_find_serial(struct store *s, const char *serial, uint32_t *request_id, struct err *e)
{
	return find_id(s, "SELECT RequestID FROM Certificates WHERE SerialNumber = ?1", serial,
	    "serial number", request_id, e);
}

int
store_find_hash(struct store *s, const char *hash, uint32_t *request_id, struct err *e)
{
	return find_id(s,
	    "SELECT RequestID FROM ByCertificateHash WHERE Value = ?1 UNION ALL"
	    " SELECT RequestID FROM Certificates WHERE CertificateHash = ?1"
	    " AND RequestID > (SELECT Value FROM Marks WHERE Name = 'Indexed') LIMIT 1",
	    hash, "SHA-1 hash", request_id, e);
}

static bool
has_extension(const struct store_entries *list, const char *oid, struct bytes value)
{
	struct bytes name = { (const uint8_t *)oid, strlen(oid) };

	for (size_t i = 0; i < list->n; i++) {
		if (bytes_equal(list->v[i].name, name) && bytes_equal(list->v[i].value, value))
			return true;
	}
	return false;
}

int
store_find_extension(struct store *s, uint32_t disposition, const char *oid, struct bytes value,
    uint32_t *request_id, struct err *e)
{
	struct store_lists lists = { 0 };
	sqlite3_stmt *st = NULL;
	int rc, step;

	*request_id = 0;
	rc = store_prepare(s->rdb,
	    "SELECT r.RequestID, d.Lists, c.RawCertificate FROM Requests r"
	    " JOIN Details d ON d.RequestID = r.RequestID LEFT JOIN Certificates c ON c.RequestID = "
	    "r.RequestID"
	    " WHERE r.Disposition = ?1 ORDER BY r.RequestID",
	    &st, e);
	sqlite3_bind_int64(st, 1, disposition);
	while (rc == 0 && *request_id == 0 && (step = sqlite3_step(st)) != SQLITE_DONE) {
		if (step != SQLITE_ROW)
			rc = store_sqlite_error(s->rdb, "finding an extension", e);
		else
			rc = store_lists_parse(column_bytes(st, 1), column_bytes(st, 2), &lists, e);
		if (rc == 0 && has_extension(&lists.extensions, oid, value))
			*request_id = (uint32_t)sqlite3_column_int64(st, 0);
	}
	sqlite3_finalize(st);
	store_lists_fini(&lists);
	return rc;
}

int
store_list(struct store *s, const struct store_query *q, struct pool *pool, struct store_row **rows,
    size_t *n, struct err *e)
{
	size_t limit = q->limit < 1 ? 1 : q->limit > STORE_PAGE_MAX ? STORE_PAGE_MAX : q->limit;
	sqlite3_stmt *st = NULL;
	struct buf sql;
	int rc, step;

	*n = 0;
	*rows = pool_calloc(pool, limit, sizeof(**rows));
	if (*rows == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu rows", limit);
	buf_init(&sql, 16384);
	store_sql_select(&sql, false);
	buf_printf(&sql, " WHERE r.RequestID %c ?1%s ORDER BY r.RequestID %s LIMIT ?3",
	    q->newest_first ? '<' : '>', q->disposition != 0 ? " AND r.Disposition = ?2" : "",
	    q->newest_first ? "DESC" : "ASC");
	rc = store_prepare(s->rdb, buf_cstr(&sql), &st, e);
	buf_fini(&sql);
	if (rc != 0)
		return -1;
	sqlite3_bind_int64(st, 1, q->after == 0 && q->newest_first ? INT64_MAX : (int64_t)q->after);
	sqlite3_bind_int64(st, 2, q->disposition);
	sqlite3_bind_int64(st, 3, (int64_t)limit);
	while (rc == 0 && (step = sqlite3_step(st)) != SQLITE_DONE) {
		if (step != SQLITE_ROW)
			rc = store_sqlite_error(s->rdb, "listing requests", e);
		else
			rc = load_row(st, pool, &(*rows)[(*n)++], e);
	}
	sqlite3_finalize(st);
	return rc;
}

int
store_get_setting(struct store *s, const char *name, struct pool *pool, const char **value, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc;

	*value = NULL;
	if (store_prepare(s->rdb, "SELECT Value FROM Settings WHERE Name = ?1", &st, e) != 0)
		return -1;
	store_bind_text(st, 1, name);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		rc = load_text(st, 0, pool, value, e);
	else
		rc = rc == SQLITE_DONE ? 0 : store_sqlite_error(s->rdb, "reading a setting", e);
	sqlite3_finalize(st);
	return rc;
}

int
store_count(struct store *s, uint32_t disposition, uint64_t *n, struct err *e)
{
	size_t count;

	if (count_for(s, "SELECT count(*) FROM Requests WHERE Disposition = ?1", disposition, &count, e) != 0)
		return -1;
	*n = count;
	return 0;
}

/* ---- revocation ---- */

static int
load_crl(sqlite3_stmt *st, struct pool *pool, struct store_crl *r, struct err *e)
{
	uint32_t *const numbers[] = { &r->row_id, &r->number, &r->min_base, &r->name_id, &r->count };
	filetime_t *const times[] = { &r->this_update, &r->next_update, &r->this_publish, &r->next_publish,
		&r->effective, &r->propagation_complete, &r->last_publish };
	uint32_t *const state[] = { &r->publish_attempts, &r->publish_flags, &r->publish_status };
	int at = 0;

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		*numbers[i] = (uint32_t)sqlite3_column_int64(st, at++);
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		*times[i] = sqlite3_column_int64(st, at++);
	for (size_t i = 0; i < ARRAY_LEN(state); i++)
		*state[i] = (uint32_t)sqlite3_column_int64(st, at++);
	if (sqlite3_column_type(st, at) != SQLITE_NULL && load_text(st, at, pool, &r->publish_error, e) != 0)
		return -1;
	r->partition = (uint32_t)sqlite3_column_int64(st, at + 2);
	return load_bytes(st, at + 1, pool, &r->raw, e);
}

int
store_list_crls(
    struct store *s, bool raw, struct pool *pool, struct store_crl **rows, size_t *n, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int64_t room;
	int rc, step;

	*n = 0;
	if (store_scalar(s->rdb, "SELECT count(*) FROM CRLs", 0, &room, e) != 0)
		return -1;
	*rows = pool_calloc(pool, (size_t)room, sizeof(**rows));
	if (*rows == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %lld CRLs", (long long)room);
	rc = store_prepare(s->rdb,
	    raw ? "SELECT * FROM CRLs ORDER BY CRLRowId"
		: "SELECT CRLRowId, CRLNumber, CRLMinBase, CRLNameId, CRLCount, CRLThisUpdate, "
		  "CRLNextUpdate, CRLThisPublish,"
		  " CRLNextPublish, CRLEffective, CRLPropagationComplete, CRLLastPublish, CRLPublishAttempts,"
		  " CRLPublishFlags, CRLPublishStatusCode, CRLPublishError, x'', CRLPartitionIndex FROM CRLs "
		  "ORDER BY CRLRowId",
	    &st, e);
	while (rc == 0 && *n < (size_t)room && (step = sqlite3_step(st)) != SQLITE_DONE) {
		if (step != SQLITE_ROW)
			rc = store_sqlite_error(s->rdb, "listing CRLs", e);
		else
			rc = load_crl(st, pool, &(*rows)[(*n)++], e);
	}
	sqlite3_finalize(st);
	return rc;
}

#define REVOKED_ROWS                                                                                         \
	" FROM Requests r JOIN Certificates c ON c.RequestID = r.RequestID WHERE (r.Disposition = 21 OR"     \
	" (r.Disposition = 20 AND r.RevokedReason = 4294967295)) AND r.RevokedEffectiveWhen <= ?1"

int
store_list_revoked(
    struct store *s, filetime_t now, struct pool *pool, struct store_revoked **rows, size_t *n, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int64_t room;
	int rc, step;

	*n = 0;
	if (store_prepare(s->rdb, "SELECT count(*)" REVOKED_ROWS, &st, e) != 0)
		return -1;
	sqlite3_bind_int64(st, 1, now);
	rc = sqlite3_step(st) == SQLITE_ROW ? 0
					    : store_sqlite_error(s->rdb, "counting revoked certificates", e);
	room = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	st = NULL;
	if (rc != 0)
		return -1;
	*rows = pool_calloc(pool, (size_t)room, sizeof(**rows));
	if (*rows == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %lld revoked certificates", (long long)room);
	rc = store_prepare(s->rdb,
	    "SELECT c.SerialNumber, r.RevokedEffectiveWhen, r.RevokedWhen, c.NotAfter, r.RevokedReason,"
	    " c.PublishExpiredCertInCRL, c.IssuerNameId, r.CRLPartitionIndex" REVOKED_ROWS
	    " ORDER BY r.RequestID",
	    &st, e);
	if (rc == 0)
		sqlite3_bind_int64(st, 1, now);
	while (rc == 0 && *n < (size_t)room && (step = sqlite3_step(st)) != SQLITE_DONE) {
		struct store_revoked *r = &(*rows)[*n];

		if (step != SQLITE_ROW) {
			rc = store_sqlite_error(s->rdb, "listing revoked certificates", e);
			break;
		}
		rc = load_text(st, 0, pool, &r->serial, e);
		r->effective = sqlite3_column_int64(st, 1);
		r->revoked_when = sqlite3_column_int64(st, 2);
		r->not_after = sqlite3_column_int64(st, 3);
		r->reason = (uint32_t)sqlite3_column_int64(st, 4);
		r->publish_expired = sqlite3_column_int64(st, 5) != 0;
		r->issuer = (uint32_t)sqlite3_column_int64(st, 6);
		r->partition = (uint32_t)sqlite3_column_int64(st, 7);
		++*n;
	}
	sqlite3_finalize(st);
	return rc;
}
