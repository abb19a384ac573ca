/*
 * What stands inside the blobs of the view methods (MS-CSRA 2.2.1.7 to 2.2.1.10, 2.2.3): arrays of fixed
 * structures with offsets to their texts and values. Both directions; texts are UTF-8 here, UTF-16LE with
 * their NUL there.
 */
#ifndef ADCSD_IDL_CSRA_VIEW_H
#define ADCSD_IDL_CSRA_VIEW_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/pool.h"

/* The low octet of Type, and its flag. */
enum { CSRA_LONG = 1, CSRA_DATE, CSRA_BINARY, CSRA_STRING };
#define CSRA_TYPE_MASK 0xffu
#define CSRA_INDEXED 0x00010000u

/* CERTTRANSDBCOLUMN */
struct csra_column {
	uint32_t type, id, max;
	const char *name, *display;
};
/* CERTTRANSDBRESULTCOLUMN */
struct csra_cell {
	uint32_t type, id;
	bool set;       /* false: the column has no value */
	int64_t n;      /* LONG (signed), DATE (FILETIME) */
	struct bytes b; /* BINARY; STRING in UTF-8 */
};
/* CERTTRANSDBRESULTROW */
struct csra_row {
	uint32_t row_id;
	const struct csra_cell *cells;
	size_t n_cells;
};
/* CERTTRANSDBATTRIBUTE */
struct csra_attribute {
	const char *name, *value; /* value NULL: "" on the wire */
};
/* CERTTRANSDBEXTENSION */
struct csra_extension {
	const char *name;
	uint32_t flags;
	struct bytes value;
};

/* ---- writing; each blob is one array, begun with an empty buffer, but rows are added one by one ---- */

int
csra_put_columns(const struct csra_column *v, size_t n, struct buf *out, struct err *e) MUST_CHECK;
int
csra_put_attributes(const struct csra_attribute *v, size_t n, struct buf *out, struct err *e) MUST_CHECK;
int
csra_put_extensions(const struct csra_extension *v, size_t n, struct buf *out, struct err *e) MUST_CHECK;
/* Offsets count from the row. */
int
csra_put_row(const struct csra_row *row, struct buf *out, struct err *e) MUST_CHECK;
/* Behind the last row of a view of `total` rows (MS-CSRA 3.1.4.1.13). */
void
csra_put_end(uint32_t total, struct buf *out);

/* ---- reading; everything in the pool; E_INVALID_DATA when an offset or a length leaves the blob ---- */

int
csra_get_columns(
    struct bytes in, size_t n, struct pool *pool, struct csra_column **out, struct err *e) MUST_CHECK;
/* n: at most so many rows are expected. *end and *total by the extra row. */
int
csra_get_rows(struct bytes in, size_t n, struct pool *pool, struct csra_row **out, size_t *n_out, bool *end,
    uint32_t *total, struct err *e) MUST_CHECK;
int
csra_get_attributes(
    struct bytes in, size_t n, struct pool *pool, struct csra_attribute **out, struct err *e) MUST_CHECK;
int
csra_get_extensions(
    struct bytes in, size_t n, struct pool *pool, struct csra_extension **out, struct err *e) MUST_CHECK;

#endif
