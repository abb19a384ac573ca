/*
 * Views: the database as MS-CSRA shows it (3.1.1.1 to 3.1.1.6, 3.1.4.1.9 to 3.1.4.1.14). A view is a table,
 * restrictions that all hold, at most one sorted column, and the columns to return. Rows are read forward in
 * portions on a thread of their own; between portions a view is a position in the database, not a
 * transaction, so the writer and its checkpoints never wait for a reader. Rows added or changed meanwhile are
 * seen when they lie ahead.
 *
 * Everything here runs on the loop's thread unless it says otherwise.
 */
#ifndef ADCSD_STORE_VIEW_H
#define ADCSD_STORE_VIEW_H

#include "store/store.h"

enum view_table { VIEW_REQUESTS, VIEW_EXTENSIONS, VIEW_ATTRIBUTES, VIEW_CRLS, VIEW_TABLES };

/* CVRC_TABLE_*, iTable of EnumViewColumnTable. Beware: the column ids of extensions begin at 0x4000, those of
 * attributes at 0x3000. */
enum {
	CVRC_TABLE_REQCERT = 0,
	CVRC_TABLE_EXTENSIONS = 0x3000,
	CVRC_TABLE_ATTRIBUTES = 0x4000,
	CVRC_TABLE_CRL = 0x5000,
};

/* SeekOperator and SortOrder, MS-CSRA 2.2.1.3; NODELTA may come with an operator and changes nothing here. */
enum {
	CVR_SEEK_NONE = 0, /* a restriction that only sorts */
	CVR_SEEK_EQ = 0x1,
	CVR_SEEK_LT = 0x2,
	CVR_SEEK_LE = 0x4,
	CVR_SEEK_GE = 0x8,
	CVR_SEEK_GT = 0x10,
	CVR_SEEK_NODELTA = 0x1000,
};
enum { CVR_SORT_NONE, CVR_SORT_ASCEND, CVR_SORT_DESCEND };

#define VIEW_RESTRICTIONS_MAX 64
#define VIEW_COLUMNS_MAX 256

struct view_column {
	uint32_t id;
	enum store_type type;
	bool indexed; /* as the schema says; view_sql.c knows where there is an index */
	uint32_t max; /* octets */
	const char *name, *display;
	const char *sql; /* "r.Disposition"; NULL: nothing is ever in it */
};

/* In the order of their ids. */
const struct view_column *
store_view_columns(enum view_table t, size_t *n);
/* NULL when no table has such a column. */
const struct view_column *
store_view_column(uint32_t id, enum view_table *t);
/* E_INVALIDARG for a selector that names no table. */
int
store_view_table(uint32_t selector, enum view_table *t, struct err *e) MUST_CHECK;
/* GetViewDefaultColumnSet: the ids for -1 (pending), -2 (issued), -3 (failed), -4 (extensions), -5
 * (attributes), -6 (CRLs), -7 (revoked). ids has room for VIEW_COLUMNS_MAX. */
int
store_view_default_columns(int32_t set, uint32_t *ids, size_t *n, struct err *e) MUST_CHECK;

/* CERTVIEWRESTRICTION: the value as on the wire, LONG and DATE little-endian, STRING in UTF-16LE with its
 * NUL. */
struct view_restriction {
	uint32_t column, seek, sort;
	struct bytes value;
};

struct view_query {
	const struct view_restriction *restrictions;
	size_t n_restrictions;
	const uint32_t *columns;
	size_t n_columns;
};

struct view;

/* Copies q. E_INVALIDARG when a column does not exist, columns belong to several tables, more than one
 * restriction sorts, an operator or a value does not suit its column. */
struct view *
store_view_open(struct store *s, const struct view_query *q, struct err *e) MUST_CHECK;
/* NULL is fine. A fetch under way is cut short, and its callback not run. */
void
store_view_close(struct view *v);

struct view_cell {
	const struct view_column *column;
	struct store_value value; /* texts in UTF-8; lent during the call */
};
/* Takes one row, on the reader's thread: 0 to go on, 1 when no more fit behind this one, -1 with e to fail.
 * row_id: the request's or the CRL's. */
typedef int
view_row_fn(void *arg, uint32_t row_id, const struct view_cell *cells, size_t n, struct err *e);

struct view_fetch {
	uint32_t first; /* index of the first row to return, from 1; 0: the next one */
	uint32_t count; /* most rows */
	view_row_fn *row;
	void *row_arg; /* the reader's alone until done runs */
};
struct view_result {
	uint32_t fetched;
	bool end;       /* the last row has been returned or skipped, */
	uint32_t total; /* and this is how many rows the view had */
};
/* On the loop's thread. res NULL with e. */
typedef void
view_done_fn(void *arg, const struct view_result *res, const struct err *e);

/* Returns rows first to first + count - 1, fewer at the end or when row() says so. A first before the
 * position starts from the beginning again. 0, and done runs exactly once unless the view is closed before;
 * or -1 and never. One fetch at a time: E_UNEXPECTED. */
int
store_view_fetch(
    struct view *v, const struct view_fetch *f, view_done_fn *done, void *arg, struct err *e) MUST_CHECK;

/* Where the view stands, as text that a later view of the same query takes up: for clients that keep the
 * position themselves. Not while a fetch is under way. */
void
store_view_position(const struct view *v, struct buf *out);
int
store_view_seek(struct view *v, const char *position, struct err *e) MUST_CHECK;

#endif
