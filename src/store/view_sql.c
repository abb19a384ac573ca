/* A view as SQL. Every value is bound; the text has only names of the schema and operators. */
#include <string.h>

#include "store/view_priv.h"

#define FIRST_CONDITION 4 /* parameter */

struct key_names {
	const char *table, *id, *name;
	const char *highest; /* query of the last id, or of one behind it */
};
static const struct key_names keys[VIEW_TABLES] = {
	[VIEW_REQUESTS] = { "Requests", "r.RequestID", NULL, "SELECT max(RequestID) FROM Requests" },
	[VIEW_EXTENSIONS] = { "Extensions", "t.ExtensionRequestId", "t.ExtensionName",
	    "SELECT max(RequestID) FROM Details" },
	[VIEW_ATTRIBUTES] = { "Attributes", "t.AttributeRequestId", "t.AttributeName",
	    "SELECT max(RequestID) FROM Details" },
	[VIEW_CRLS] = { "CRLs", "t.CRLRowId", NULL, "SELECT max(CRLRowId) FROM CRLs" },
};

const char *
view_index_of(const struct view_column *c)
{
	for (const struct store_index *x = store_indexes; c->sql != NULL && x->name != NULL; x++) {
		const struct store_column_info *in = &store_columns[x->column];

		if (in->view_id == c->id)
			return x->name;
	}
	return NULL;
}

bool
view_is_key(const struct view *v, const struct view_column *c)
{
	if (c->sql == NULL)
		return false;
	return strcmp(c->sql, keys[v->table].id) == 0;
}

static bool
is_certificate(const struct view_column *c)
{
	return c->sql != NULL && c->sql[0] == 'c';
}

/* As it is compared and sorted: numbers are signed (MS-CSRA 2.2.1.7), texts differ not by case. Where there
 * is an index the plain column is both already. */
static void
put_value(const struct view *v, const struct view_column *c, struct buf *out)
{
	if (c->sql == NULL)
		buf_put_str(out, "NULL");
	else if (view_index_of(c) != NULL || view_is_key(v, c))
		buf_put_str(out, c->sql);
	else if (c->type == STORE_LONG)
		buf_printf(out, "iif(%s > 2147483647, %s - 4294967296, %s)", c->sql, c->sql, c->sql);
	else if (c->type == STORE_STRING)
		buf_printf(out, "%s COLLATE NOCASE", c->sql);
	else
		buf_put_str(out, c->sql);
}

static const char *
operator_of(uint32_t seek)
{
	switch (seek) {
	case CVR_SEEK_LT:
		return "<";
	case CVR_SEEK_LE:
		return "<=";
	case CVR_SEEK_GE:
		return ">=";
	case CVR_SEEK_GT:
		return ">";
	default:
		return "=";
	}
}

static void
put_condition(const struct view *v, const struct view_condition *c, struct buf *out)
{
	put_value(v, c->column, out);
	buf_printf(out, " %s ?%d", operator_of(c->seek), FIRST_CONDITION + (int)(c - v->conditions));
}

static void
put_conditions(const struct view *v, struct buf *out)
{
	for (size_t i = 0; i < v->n_conditions; i++) {
		buf_put_str(out, " AND ");
		put_condition(v, &v->conditions[i], out);
	}
}

static bool
tests_certificate(const struct view *v)
{
	for (size_t i = 0; i < v->n_conditions; i++) {
		if (is_certificate(v->conditions[i].column))
			return true;
	}
	return false;
}

/* The key within FROM: of the part that the driving index belongs to. */
static const char *
key_of(const struct view *v, const struct view_condition *driver)
{
	return v->table == VIEW_REQUESTS && driver != NULL && is_certificate(driver->column)
	    ? "c.RequestID"
	    : keys[v->table].id;
}

/* Requests without a certificate part are rows too, unless a condition asks for one. CROSS JOIN keeps the
 * order of the loops. */
static void
put_from(const struct view *v, const struct view_condition *driver, bool certificate, struct buf *out)
{
	const char *index = driver != NULL ? view_index_of(driver->column) : NULL;

	if (v->table != VIEW_REQUESTS) {
		buf_printf(out, " FROM %s t", keys[v->table].table);
		return;
	}
	if (driver != NULL && is_certificate(driver->column)) {
		buf_printf(out,
		    " FROM Certificates c INDEXED BY %s CROSS JOIN Requests r ON r.RequestID = c.RequestID",
		    index);
		return;
	}
	if (driver != NULL)
		buf_printf(out, " FROM Requests r INDEXED BY %s", index);
	else
		buf_put_str(out, " FROM Requests r NOT INDEXED");
	if (certificate)
		buf_printf(out, " %s JOIN Certificates c ON c.RequestID = r.RequestID",
		    tests_certificate(v) ? "CROSS" : "LEFT");
}

static void
put_columns(const struct view *v, const char *id, struct buf *out)
{
	const char *name = keys[v->table].name;

	buf_printf(out, "SELECT %s, %s", id, name != NULL ? name : "NULL");
	for (size_t i = 0; i < v->n_columns; i++)
		buf_printf(out, ", %s", v->columns[i]->sql != NULL ? v->columns[i]->sql : "NULL");
}

void
view_sql_scan(const struct view *v, bool nulls, struct buf *out)
{
	const char *id = key_of(v, v->driver), *name = keys[v->table].name,
		   *end = v->descend && !nulls ? "DESC" : "ASC";
	bool down = v->descend && !nulls;

	put_columns(v, id, out);
	put_from(v, v->driver, v->needs_certificate, out);
	if (name != NULL) /* the bounds of the id are for lists_table.c, which is not told of pairs */
		buf_printf(out,
		    down ? " WHERE (%s, %s) < (?2, ?3) AND %s >= ?1 AND %s <= ?2"
			 : " WHERE (%s, %s) > (?1, ?3) AND %s >= ?1 AND %s <= ?2",
		    id, name, id, id);
	else
		buf_printf(out, down ? " WHERE %s >= ?1 AND %s < ?2" : " WHERE %s > ?1 AND %s <= ?2", id, id);
	put_conditions(v, out);
	if (nulls) {
		buf_put_str(out, " AND ");
		put_value(v, v->sort, out);
		buf_put_str(out, " IS NULL");
	}
	buf_printf(out, " ORDER BY %s %s", id, end);
	if (name != NULL)
		buf_printf(out, ", %s %s", name, end);
}

void
view_sql_row(const struct view *v, struct buf *out)
{
	put_columns(v, keys[v->table].id, out);
	put_from(v, NULL, v->needs_certificate, out);
	buf_printf(out, " WHERE %s = ?1", keys[v->table].id);
	if (view_key_has_name(v))
		buf_printf(out, " AND %s = ?3", keys[v->table].name);
	put_conditions(v, out);
}

/* The conditions that the index of the sorted column alone can tell. */
static void
put_own_conditions(const struct view *v, struct buf *out)
{
	for (size_t i = 0; i < v->n_conditions; i++) {
		if (v->conditions[i].column != v->sort)
			continue;
		buf_put_str(out, " AND ");
		put_condition(v, &v->conditions[i], out);
	}
}

void
view_sql_keys(const struct view *v, bool from_start, size_t limit, struct buf *out)
{
	const struct view_condition own = { .column = v->sort };
	const struct view_condition *driver = v->candidates ? &own : v->driver;
	const char *id = key_of(v, driver), *name = keys[v->table].name, *end = v->descend ? "DESC" : "ASC";
	char op = v->descend ? '<' : '>';

	buf_put_str(out, "SELECT ");
	if (v->sort == NULL)
		buf_put_str(out, id);
	else
		put_value(v, v->sort, out);
	buf_printf(out, ", %s, %s", id, name != NULL ? name : "NULL");
	if (v->candidates)
		buf_printf(out, " FROM %s %c INDEXED BY %s",
		    is_certificate(v->sort) ? "Certificates" : "Requests",
		    is_certificate(v->sort) ? 'c' : 'r', view_index_of(v->sort));
	else
		put_from(v, driver, true, out);
	buf_printf(out, " WHERE %s IS NOT NULL", v->sort != NULL && v->sort->sql != NULL ? v->sort->sql : id);
	if (!from_start) {
		buf_put_str(out, name != NULL || v->sort != NULL ? " AND (" : " AND ");
		if (v->sort != NULL) {
			put_value(v, v->sort, out);
			buf_put_str(out, ", ");
		}
		buf_printf(out, "%s", id);
		if (name != NULL)
			buf_printf(out, ", %s) %c (?1, ?2, ?3)", name, op);
		else if (v->sort != NULL)
			buf_printf(out, ") %c (?1, ?2)", op);
		else
			buf_printf(out, " %c ?2", op);
	}
	if (v->candidates)
		put_own_conditions(v, out);
	else
		put_conditions(v, out);
	buf_put_str(out, " ORDER BY ");
	if (v->sort != NULL) {
		put_value(v, v->sort, out);
		buf_printf(out, " %s, ", end);
	}
	buf_printf(out, "%s %s", id, end);
	if (name != NULL)
		buf_printf(out, ", %s %s", name, end);
	buf_printf(out, " LIMIT %zu", limit);
}

static void
put_index_search(const struct view *v, const struct view_condition *c, struct buf *out)
{
	bool certificate = is_certificate(c->column);

	buf_printf(out, " FROM %s %c INDEXED BY %s WHERE ", certificate ? "Certificates" : "Requests",
	    certificate ? 'c' : 'r', view_index_of(c->column));
	put_condition(v, c, out);
}

void
view_sql_count(const struct view *v, const struct view_condition *c, size_t most, struct buf *out)
{
	buf_put_str(out, "SELECT count(*) FROM (SELECT 1");
	put_index_search(v, c, out);
	buf_printf(out, " LIMIT %zu)", most);
}

void
view_sql_jump(const struct view *v, const struct view_condition *c, struct buf *out)
{
	buf_printf(out, "SELECT min(%s)", key_of(v, c));
	put_index_search(v, c, out);
	buf_printf(out, " AND %s > ?1", key_of(v, c));
}

void
view_sql_highest(const struct view *v, struct buf *out)
{
	buf_put_str(out, keys[v->table].highest);
}

void
view_bind_value(sqlite3_stmt *st, int i, const struct view_column *c, const struct store_value *value)
{
	if (!value->set)
		sqlite3_bind_null(st, i);
	else if (c != NULL && c->type == STORE_STRING)
		sqlite3_bind_text64(st, i, value->b.len > 0 ? (const char *)value->b.p : "", value->b.len,
		    SQLITE_STATIC, SQLITE_UTF8);
	else if (c != NULL && c->type == STORE_BINARY)
		sqlite3_bind_blob64(
		    st, i, value->b.len > 0 ? (const void *)value->b.p : "", value->b.len, SQLITE_STATIC);
	else
		sqlite3_bind_int64(st, i, value->n);
}

void
view_bind_conditions(const struct view *v, sqlite3_stmt *st)
{
	for (size_t i = 0; i < v->n_conditions; i++)
		view_bind_value(
		    st, FIRST_CONDITION + (int)i, v->conditions[i].column, &v->conditions[i].value);
}
