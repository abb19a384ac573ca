/*
 * The tables of attributes and extensions (MS-CSRA 3.1.1.2, 3.1.1.3) as SQLite's machine sees them: one row
 * for each entry of the lists of Details, in the order of ids and names. For one connection, whose queries
 * may name them like tables.
 */
#include <stdlib.h>

#include "store/lists.h"
#include "store/store_priv.h"

enum {
	BOUND_LOW = 1,
	BOUND_HIGH = 2,
	BOUND_BOTH = 4,
	ORDER_DOWN = 8
}; /* idxNum: which arguments come, and the order */

struct table {
	sqlite3_vtab base;
	sqlite3 *db;
	bool extensions;
};

struct cursor {
	sqlite3_vtab_cursor base;
	sqlite3_stmt *st;
	bool down, of_st; /* the order asked for; that of st */
	bool end;
	struct store_lists lists;
	const struct store_entries *list;
	size_t at; /* entries of this request passed */
	int64_t id, row;
};

static bool extensions = true, attributes; /* what sqlite3_create_module() hands on */

static int
connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **out, char **why)
{
	struct table *t = sqlite3_malloc(sizeof(*t));
	int rc;

	(void)argc, (void)argv, (void)why;
	if (t == NULL)
		return SQLITE_NOMEM;
	*t = (struct table){ .db = db, .extensions = *(const bool *)aux };
	rc = sqlite3_declare_vtab(db,
	    t->extensions ? "CREATE TABLE x (ExtensionRequestId INTEGER, ExtensionName TEXT,"
			    " ExtensionFlags INTEGER, ExtensionRawValue BLOB)"
			  : "CREATE TABLE x (AttributeRequestId INTEGER, AttributeName TEXT COLLATE NOCASE,"
			    " AttributeValue TEXT)");
	if (rc != SQLITE_OK) {
		sqlite3_free(t);
		return rc;
	}
	*out = &t->base;
	return SQLITE_OK;
}

static int
disconnect(sqlite3_vtab *t)
{
	sqlite3_free(t);
	return SQLITE_OK;
}

static void
use_bound(sqlite3_index_info *info, int at, int bound)
{
	if (at < 0)
		return;
	info->idxNum |= bound;
	/* the lower one comes first; SQLite tries every condition on the rows itself, so > may be taken as >=
	 */
	info->aConstraintUsage[at].argvIndex = bound == BOUND_HIGH && (info->idxNum & BOUND_LOW) ? 2 : 1;
}

static bool
is_our_order(const sqlite3_index_info *info)
{
	for (int i = 0; i < info->nOrderBy; i++) {
		if (info->aOrderBy[i].iColumn != i || i > 1 ||
		    info->aOrderBy[i].desc != info->aOrderBy[0].desc)
			return false;
	}
	return true;
}

static int
best_index(sqlite3_vtab *t, sqlite3_index_info *info)
{
	int low = -1, high = -1, both = -1;

	(void)t;
	for (int i = 0; i < info->nConstraint; i++) {
		if (!info->aConstraint[i].usable || info->aConstraint[i].iColumn != 0)
			continue;
		switch (info->aConstraint[i].op) {
		case SQLITE_INDEX_CONSTRAINT_EQ:
			both = i;
			break;
		case SQLITE_INDEX_CONSTRAINT_GT:
		case SQLITE_INDEX_CONSTRAINT_GE:
			low = i;
			break;
		case SQLITE_INDEX_CONSTRAINT_LT:
		case SQLITE_INDEX_CONSTRAINT_LE:
			high = i;
			break;
		}
	}
	if (both >= 0) {
		use_bound(info, both, BOUND_BOTH);
	} else {
		use_bound(info, low, BOUND_LOW);
		use_bound(info, high, BOUND_HIGH);
	}
	if (is_our_order(info)) {
		info->orderByConsumed = 1;
		if (info->nOrderBy > 0 && info->aOrderBy[0].desc)
			info->idxNum |= ORDER_DOWN;
	}
	info->estimatedCost = both >= 0 ? 10
	    : low >= 0 && high >= 0     ? 1e3
	    : low >= 0 || high >= 0     ? 1e5
					: 1e7;
	info->estimatedRows = (sqlite3_int64)info->estimatedCost;
	return SQLITE_OK;
}

static int
open_cursor(sqlite3_vtab *t, sqlite3_vtab_cursor **out)
{
	struct cursor *c = calloc(1, sizeof(*c));

	(void)t;
	if (c == NULL)
		return SQLITE_NOMEM;
	*out = &c->base;
	return SQLITE_OK;
}

static int
close_cursor(sqlite3_vtab_cursor *base)
{
	struct cursor *c = (struct cursor *)base;

	sqlite3_finalize(c->st);
	store_lists_fini(&c->lists);
	free(c);
	return SQLITE_OK;
}

/* The next request that has any entry. */
static int
next_request(struct cursor *c)
{
	struct table *t = (struct table *)c->base.pVtab;
	struct bytes lists, certificate;
	struct err e;
	int rc;

	c->list = t->extensions ? &c->lists.extensions : &c->lists.attributes;
	do {
		rc = sqlite3_step(c->st);
		c->end = rc != SQLITE_ROW;
		if (rc == SQLITE_DONE)
			return SQLITE_OK;
		if (rc != SQLITE_ROW)
			return rc;
		c->id = sqlite3_column_int64(c->st, 0);
		lists.p = sqlite3_column_blob(c->st, 1);
		lists.len = (size_t)sqlite3_column_bytes(c->st, 1);
		certificate.p = sqlite3_column_blob(c->st, 2);
		certificate.len = (size_t)sqlite3_column_bytes(c->st, 2);
		if ((t->extensions ? store_lists_parse(lists, certificate, &c->lists, &e)
				   : store_lists_parse_attributes(lists, &c->lists, &e)) != 0) {
			c->end = true;
			sqlite3_free(t->base.zErrMsg);
			t->base.zErrMsg = sqlite3_mprintf("request %lld: %s", c->id, e.msg);
			return e.hr == E_OUTOFMEMORY ? SQLITE_NOMEM : SQLITE_CORRUPT;
		}
	} while (c->list->n == 0);
	c->at = 0;
	return SQLITE_OK;
}

static int
prepare(struct cursor *c, struct table *t)
{
	const char *order = c->down ? "DESC" : "ASC";
	char *sql;
	int rc;

	if (c->st != NULL && c->of_st == c->down)
		return sqlite3_reset(c->st) == SQLITE_NOMEM ? SQLITE_NOMEM : SQLITE_OK;
	sqlite3_finalize(c->st);
	c->st = NULL;
	c->of_st = c->down;
	sql = sqlite3_mprintf("SELECT d.RequestID, d.Lists, %s WHERE d.RequestID BETWEEN ?1 AND ?2"
			      " ORDER BY d.RequestID %s",
	    t->extensions
		? "c.RawCertificate FROM Details d LEFT JOIN Certificates c ON c.RequestID = d.RequestID"
		: "NULL FROM Details d",
	    order);
	if (sql == NULL)
		return SQLITE_NOMEM;
	rc = sqlite3_prepare_v2(t->db, sql, -1, &c->st, NULL);
	sqlite3_free(sql);
	return rc;
}

static int
filter(sqlite3_vtab_cursor *base, int number, const char *text, int argc, sqlite3_value **argv)
{
	struct cursor *c = (struct cursor *)base;
	int rc, at = 0;

	(void)text, (void)argc;
	c->down = (number & ORDER_DOWN) != 0;
	c->row = 0;
	rc = prepare(c, (struct table *)base->pVtab);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(
	    c->st, 1, number & (BOUND_LOW | BOUND_BOTH) ? sqlite3_value_int64(argv[at]) : INT64_MIN);
	if (number & BOUND_LOW)
		at++;
	sqlite3_bind_int64(
	    c->st, 2, number & (BOUND_HIGH | BOUND_BOTH) ? sqlite3_value_int64(argv[at]) : INT64_MAX);
	return next_request(c);
}

static int
next(sqlite3_vtab_cursor *base)
{
	struct cursor *c = (struct cursor *)base;

	c->row++;
	return ++c->at < c->list->n ? SQLITE_OK : next_request(c);
}

static int
at_end(sqlite3_vtab_cursor *base)
{
	return ((struct cursor *)base)->end;
}

static void
give_octets(sqlite3_context *out, struct bytes b, bool text)
{
	const void *p = b.len > 0 ? (const void *)b.p : "";

	if (text)
		sqlite3_result_text64(out, p, b.len, SQLITE_TRANSIENT, SQLITE_UTF8);
	else
		sqlite3_result_blob64(out, p, b.len, SQLITE_TRANSIENT);
}

static int
column(sqlite3_vtab_cursor *base, sqlite3_context *out, int i)
{
	struct cursor *c = (struct cursor *)base;
	bool is_extension = ((struct table *)base->pVtab)->extensions;
	const struct store_entry *x = &c->list->v[c->down ? c->list->n - 1 - c->at : c->at];

	if (i == 0)
		sqlite3_result_int64(out, c->id);
	else if (i == 1)
		give_octets(out, x->name, true);
	else if (i == 2 && is_extension)
		sqlite3_result_int64(out, x->flags);
	else if (x->set)
		give_octets(out, x->value, !is_extension);
	else
		sqlite3_result_null(out);
	return SQLITE_OK;
}

static int
rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
	*out = ((struct cursor *)base)->row;
	return SQLITE_OK;
}

int
store_lists_tables(sqlite3 *db, struct err *e)
{
	static const sqlite3_module module = { /* no xCreate: a table of this name is there by itself */
		.xConnect = connect,
		.xBestIndex = best_index,
		.xDisconnect = disconnect,
		.xOpen = open_cursor,
		.xClose = close_cursor,
		.xFilter = filter,
		.xNext = next,
		.xEof = at_end,
		.xColumn = column,
		.xRowid = rowid
	};

	if (sqlite3_create_module(db, "Extensions", &module, &extensions) != SQLITE_OK ||
	    sqlite3_create_module(db, "Attributes", &module, &attributes) != SQLITE_OK)
		return store_sqlite_error(db, "making the tables of views", e);
	return 0;
}
