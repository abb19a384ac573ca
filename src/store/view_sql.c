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

static const struct store_index *
index_of(const struct view *v, const struct view_column *c)
{
	for (const struct store_index *x = store_indexes; c->sql != NULL && x->name != NULL; x++) {
		if (store_columns[x->column].view_id == c->id)
			return x->late && v->without_late ? NULL : x;
	}
	return NULL;
}

bool
view_has_index(const struct view *v, const struct view_column *c)
{
	return index_of(v, c) != NULL;
}

static bool
is_late(const struct view *v, const struct view_column *c)
{
	const struct store_index *x = index_of(v, c);

	return x != NULL && x->late;
}

bool
view_uses_late_index(const struct view *v)
{
	for (size_t i = 0; i < v->n_conditions; i++) {
		if (is_late(v, v->conditions[i].column))
			return true;
	}
	return v->sort != NULL && is_late(v, v->sort);
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
 * is an index the plain column is both already. by: the column by whose index rows are found, or NULL; a late
 * one is the table x of its own. */
static void
put_value(const struct view *v, const struct view_column *c, const struct view_column *by, struct buf *out)
{
	if (c->sql == NULL)
		buf_put_str(out, "NULL");
	else if (c == by && is_late(v, c))
		buf_put_str(out, "x.Value");
	else if (view_has_index(v, c) || view_is_key(v, c))
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
put_condition(
    const struct view *v, const struct view_condition *c, const struct view_column *by, struct buf *out)
{
	put_value(v, c->column, by, out);
	buf_printf(out, " %s ?%d", operator_of(c->seek), FIRST_CONDITION + (int)(c - v->conditions));
}

static void
put_conditions(const struct view *v, const struct view_column *by, struct buf *out)
{
	for (size_t i = 0; i < v->n_conditions; i++) {
		buf_put_str(out, " AND ");
		put_condition(v, &v->conditions[i], by, out);
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

/* The key within FROM: of the part or the table that the index belongs to. */
static const char *
key_of(const struct view *v, const struct view_column *by)
{
	if (v->table != VIEW_REQUESTS || by == NULL)
		return keys[v->table].id;
	return is_late(v, by) ? "x.RequestID" : is_certificate(by) ? "c.RequestID" : "r.RequestID";
}

/* Requests without a certificate part are rows too, unless a condition asks for one. CROSS JOIN keeps the
 * order of the loops. */
static void
put_from(const struct view *v, const struct view_column *by, bool certificate, struct buf *out)
{
	const struct store_index *index = by != NULL ? index_of(v, by) : NULL;

	if (v->table != VIEW_REQUESTS) {
		buf_printf(out, " FROM %s t", keys[v->table].table);
		return;
	}
	if (by != NULL && is_certificate(by)) {
		if (index->late)
			buf_printf(out, " FROM %s x CROSS JOIN Certificates c ON c.RequestID = x.RequestID",
			    index->name);
		else
			buf_printf(out, " FROM Certificates c INDEXED BY %s", index->name);
		buf_put_str(out, " CROSS JOIN Requests r ON r.RequestID = c.RequestID");
		return;
	}
	if (by != NULL && index->late)
		buf_printf(out, " FROM %s x CROSS JOIN Requests r ON r.RequestID = x.RequestID", index->name);
	else if (by != NULL)
		buf_printf(out, " FROM Requests r INDEXED BY %s", index->name);
	else
		buf_put_str(out, " FROM Requests r NOT INDEXED");
	if (certificate)
		buf_printf(out, " %s JOIN Certificates c ON c.RequestID = r.RequestID",
		    tests_certificate(v) ? "CROSS" : "LEFT");
}

/* Rows of the index alone. */
static void
put_from_index(const struct view *v, const struct view_column *by, struct buf *out)
{
	const struct store_index *index = index_of(v, by);

	if (index->late)
		buf_printf(out, " FROM %s x", index->name);
	else
		buf_printf(out, " FROM %s %c INDEXED BY %s", is_certificate(by) ? "Certificates" : "Requests",
		    is_certificate(by) ? 'c' : 'r', index->name);
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
	const struct view_column *by = v->driver != NULL ? v->driver->column : NULL;
	const char *id = key_of(v, by), *name = keys[v->table].name,
		   *end = v->descend && !nulls ? "DESC" : "ASC";
	bool down = v->descend && !nulls;

	put_columns(v, id, out);
	put_from(v, by, v->needs_certificate, out);
	if (name != NULL) /* the bounds of the id are for lists_table.c, which is not told of pairs */
		buf_printf(out,
		    down ? " WHERE (%s, %s) < (?2, ?3) AND %s >= ?1 AND %s <= ?2"
			 : " WHERE (%s, %s) > (?1, ?3) AND %s >= ?1 AND %s <= ?2",
		    id, name, id, id);
	else
		buf_printf(out, down ? " WHERE %s >= ?1 AND %s < ?2" : " WHERE %s > ?1 AND %s <= ?2", id, id);
	put_conditions(v, by, out);
	if (nulls) {
		buf_put_str(out, " AND ");
		put_value(v, v->sort, by, out);
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
	put_conditions(v, NULL, out);
}

/* The conditions that this column's index alone can tell. */
static void
put_own_conditions(const struct view *v, const struct view_column *by, struct buf *out)
{
	for (size_t i = 0; i < v->n_conditions; i++) {
		if (v->conditions[i].column != by)
			continue;
		buf_put_str(out, " AND ");
		put_condition(v, &v->conditions[i], by, out);
	}
}

void
view_sql_keys(const struct view *v, bool from_start, size_t limit, struct buf *out)
{
	const struct view_column *driver = v->driver != NULL ? v->driver->column : NULL,
				 *by = v->candidates && v->sort != NULL ? v->sort : driver;
	const char *id = key_of(v, by), *name = keys[v->table].name, *end = v->descend ? "DESC" : "ASC";
	char op = v->descend ? '<' : '>';

	buf_put_str(out, "SELECT ");
	if (v->sort == NULL)
		buf_put_str(out, id);
	else
		put_value(v, v->sort, by, out);
	buf_printf(out, ", %s, %s", id, name != NULL ? name : "NULL");
	if (v->candidates)
		put_from_index(v, by, out);
	else
		put_from(v, by, true, out);
	buf_put_str(out, " WHERE ");
	if (v->sort != NULL)
		put_value(v, v->sort, by, out);
	else
		buf_put_str(out, id);
	buf_put_str(out, " IS NOT NULL");
	if (!from_start) {
		buf_put_str(out, name != NULL || v->sort != NULL ? " AND (" : " AND ");
		if (v->sort != NULL) {
			put_value(v, v->sort, by, out);
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
		put_own_conditions(v, by, out);
	else
		put_conditions(v, by, out);
	buf_put_str(out, " ORDER BY ");
	if (v->sort != NULL) {
		put_value(v, v->sort, by, out);
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
	put_from_index(v, c->column, out);
	buf_put_str(out, " WHERE ");
	put_condition(v, c, c->column, out);
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
	buf_printf(out, "SELECT min(%s)", key_of(v, c->column));
	put_index_search(v, c, out);
	buf_printf(out, " AND %s > ?1", key_of(v, c->column));
}

void
view_sql_highest(const struct view *v, struct buf *out)
{
	/* behind the mark a late index is silent, and what comes there now must still lie ahead */
	buf_put_str(out,
	    view_uses_late_index(v) ? "SELECT Value FROM Marks WHERE Name = 'Indexed'"
				    : keys[v->table].highest);
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
