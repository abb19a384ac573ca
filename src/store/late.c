/*
 * Late indexes: what only views and rare look-ups go by is not indexed when a certificate is issued but some
 * hundred rows later, sorted, all of them at once; each index would else cost a page in every commit. An
 * index is a table of values and request ids, and holds every row up to the mark 'Indexed'; who reads it
 * either has it completed first (view_reader.c, delete.c) or looks at the rows behind the mark himself.
 * Triggers keep it true when rows below the mark change or go.
 *
 * On the writer's thread.
 */
#include "store/store_priv.h"

#define SQL_MAX 16384

unsigned store_late_max = 256;     /* rows: more make the first view wait too long */
unsigned store_late_idle_ms = 100; /* without anything to write */

/* NULL behind the last. */
static const struct store_index *
late_index(const struct store_index *x)
{
	while (x->name != NULL && !x->late)
		x++;
	return x->name != NULL ? x : NULL;
}

#define FOR_EACH_LATE(x)                                                                                     \
	for (const struct store_index *x = late_index(store_indexes); x != NULL; x = late_index(x + 1))

static void
put_index(struct buf *out, const struct store_index *x)
{
	const struct store_column_info *in = &store_columns[x->column];
	const char *table = store_table_names[in->part], *column = in->name;

	buf_printf(out,
	    "CREATE TABLE %s (Value %s NOT NULL, RequestID INTEGER NOT NULL,"
	    " PRIMARY KEY (Value, RequestID)) WITHOUT ROWID;",
	    x->name, in->type == STORE_STRING ? "TEXT COLLATE NOCASE" : "INTEGER");
	buf_printf(out,
	    "CREATE TRIGGER %sChanged AFTER UPDATE OF %s ON %s WHEN old.%s IS NOT new.%s BEGIN"
	    " DELETE FROM %s WHERE Value = old.%s AND RequestID = old.RequestID;"
	    " INSERT INTO %s SELECT new.%s, new.RequestID WHERE new.%s IS NOT NULL"
	    " AND new.RequestID <= (SELECT Value FROM Marks WHERE Name = 'Indexed'); END;",
	    x->name, column, table, column, column, x->name, column, x->name, column, column);
	buf_printf(out,
	    "CREATE TRIGGER %sDeleted AFTER DELETE ON %s BEGIN"
	    " DELETE FROM %s WHERE Value = old.%s AND RequestID = old.RequestID; END;",
	    x->name, table, x->name, column);
}

void
store_late_sql(struct buf *out)
{
	FOR_EACH_LATE(x)
	put_index(out, x);
	buf_put_str(out, "INSERT INTO Marks VALUES ('Indexed', 0);");
}

int
store_late_prepare(struct store *s, struct err *e)
{
	int64_t behind;
	size_t n = 0;

	FOR_EACH_LATE(x)
	{
		const struct store_column_info *in = &store_columns[x->column];
		struct buf sql;
		int rc;

		buf_init(&sql, SQL_MAX);
		buf_printf(&sql,
		    "INSERT OR IGNORE INTO %s SELECT %s, RequestID FROM %s NOT INDEXED"
		    " WHERE RequestID > ?1 AND RequestID <= ?2 AND %s IS NOT NULL ORDER BY 1, 2",
		    x->name, in->name, store_table_names[in->part], in->name);
		rc = store_prepare(s->wdb, buf_cstr(&sql), &s->index_rows[n++], e);
		buf_fini(&sql);
		if (rc != 0)
			return -1;
	}
	if (store_scalar(s->wdb, "SELECT Value FROM Marks WHERE Name = 'Indexed'", 0, &s->late.indexed, e) !=
		0 ||
	    store_scalar(s->wdb,
		"SELECT count(*) FROM Requests WHERE RequestID > (SELECT Value FROM Marks WHERE Name = "
		"'Indexed')",
		0, &behind, e) != 0)
		return -1;
	s->late.behind = (uint64_t)behind;
	s->unindexed = s->late.behind;
	return 0;
}

void
store_late_fini(struct store *s)
{
	for (size_t i = 0; i < ARRAY_LEN(s->index_rows); i++)
		sqlite3_finalize(s->index_rows[i]);
}

/* Rows whose id is above `from`, up to `to`. */
static int
index_rows(struct store *s, int64_t from, int64_t to, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(s->index_rows) && s->index_rows[i] != NULL; i++) {
		sqlite3_bind_int64(s->index_rows[i], 1, from);
		sqlite3_bind_int64(s->index_rows[i], 2, to);
		if (store_run(s, s->index_rows[i], "indexing requests", e) != 0)
			return -1;
	}
	return 0;
}

int
store_late_written(struct store *s, int64_t id, struct err *e)
{
	if (id <= s->late.indexed)
		return index_rows(s, id - 1, id, e);
	s->late.behind++;
	return 0;
}

int
store_late_catch_up(struct store *s, struct err *e)
{
	sqlite3_stmt *mark = s->stmt[STMT_RAISE_MARK];
	int64_t highest;

	if (s->late.behind == 0)
		return 0;
	if (store_scalar(s->wdb, "SELECT max(RequestID) FROM Requests", 0, &highest, e) != 0 ||
	    index_rows(s, s->late.indexed, highest, e) != 0)
		return -1;
	store_bind_text(mark, 1, "Indexed");
	sqlite3_bind_int64(mark, 2, highest);
	if (store_run(s, mark, "raising the mark", e) != 0)
		return -1;
	if (s->late.indexed < highest)
		s->late.indexed = highest;
	s->late.behind = 0;
	return 0;
}
