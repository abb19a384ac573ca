#include "idl/csra_view.h"

#include <string.h>

#include "base/text.h"

/* Octets of the structures. */
enum { COLUMN = 20, ATTRIBUTE = 8, EXTENSION = 16, ROW = 12, CELL = 16 };

/* ---- writing ---- */

static void
pad(struct buf *out, size_t start)
{
	buf_put_zero(out, -(out->len - start) & 3);
}

/* The offset of what is put next, at `at`. */
static void
put_offset(struct buf *out, size_t start, size_t at)
{
	if (buf_ok(out))
		set_u32le(out->p + at, (uint32_t)(out->len - start));
}

/* UTF-16LE with its NUL, at an offset that is a multiple of 4. */
static int
put_text(struct buf *out, size_t start, size_t at, const char *s, size_t n, struct err *e)
{
	pad(out, start);
	put_offset(out, start, at);
	if (text_utf8_to_utf16le(out, s, n, e) != 0)
		return -1;
	buf_put_u16le(out, 0);
	return 0;
}

static int
finish(struct buf *out, struct err *e)
{
	pad(out, 0);
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "more than %zu octets", out->max);
}

int
csra_put_columns(const struct csra_column *v, size_t n, struct buf *out, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		buf_put_u32le(out, v[i].type);
		buf_put_u32le(out, v[i].id);
		buf_put_u32le(out, v[i].max);
		buf_put_zero(out, 8);
	}
	for (size_t i = 0; i < n; i++) {
		if (put_text(out, 0, i * COLUMN + 12, v[i].name, strlen(v[i].name), e) != 0 ||
		    put_text(out, 0, i * COLUMN + 16, v[i].display, strlen(v[i].display), e) != 0)
			return err_prefix(e, "%s", v[i].name);
	}
	return finish(out, e);
}

int
csra_put_attributes(const struct csra_attribute *v, size_t n, struct buf *out, struct err *e)
{
	buf_put_zero(out, n * ATTRIBUTE);
	for (size_t i = 0; i < n; i++) {
		const char *value = v[i].value != NULL ? v[i].value : "";

		if (put_text(out, 0, i * ATTRIBUTE, v[i].name, strlen(v[i].name), e) != 0 ||
		    put_text(out, 0, i * ATTRIBUTE + 4, value, strlen(value), e) != 0)
			return err_prefix(e, "attribute");
	}
	return finish(out, e);
}

int
csra_put_extensions(const struct csra_extension *v, size_t n, struct buf *out, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		buf_put_u32le(out, 0);
		buf_put_u32le(out, v[i].flags);
		buf_put_u32le(out, (uint32_t)v[i].value.len);
		buf_put_u32le(out, 0);
	}
	for (size_t i = 0; i < n; i++) {
		if (put_text(out, 0, i * EXTENSION, v[i].name, strlen(v[i].name), e) != 0)
			return err_prefix(e, "extension");
		pad(out, 0);
		put_offset(out, 0, i * EXTENSION + 12);
		buf_put_bytes(out, v[i].value);
	}
	return finish(out, e);
}

static int
put_cell_value(const struct csra_cell *c, size_t start, size_t at, struct buf *out, struct err *e)
{
	size_t before;

	if ((c->type & CSRA_TYPE_MASK) == CSRA_STRING) {
		if (put_text(out, start, at, c->b.len > 0 ? (const char *)c->b.p : "", c->b.len, e) != 0)
			return -1;
		if (buf_ok(out)) {
			before = start + get_u32le(out->p + at);
			set_u32le(out->p + at + 4, (uint32_t)(out->len - before));
		}
		return 0;
	}
	pad(out, start);
	put_offset(out, start, at);
	before = out->len;
	switch (c->type & CSRA_TYPE_MASK) {
	case CSRA_LONG:
		buf_put_u32le(out, (uint32_t)c->n);
		break;
	case CSRA_DATE:
		buf_put_u64le(out, (uint64_t)c->n);
		break;
	default:
		buf_put_bytes(out, c->b);
		break;
	}
	if (buf_ok(out))
		set_u32le(out->p + at + 4, (uint32_t)(out->len - before));
	return 0;
}

int
csra_put_row(const struct csra_row *row, struct buf *out, struct err *e)
{
	size_t start = out->len;

	buf_put_u32le(out, row->row_id);
	buf_put_u32le(out, (uint32_t)row->n_cells);
	buf_put_u32le(out, 0);
	for (size_t i = 0; i < row->n_cells; i++) {
		buf_put_u32le(out, row->cells[i].type);
		buf_put_u32le(out, row->cells[i].id);
		buf_put_zero(out, 8); /* as a column without a value has it */
	}
	for (size_t i = 0; i < row->n_cells; i++) {
		if (row->cells[i].set &&
		    put_cell_value(&row->cells[i], start, start + ROW + i * CELL + 8, out, e) != 0)
			return err_prefix(e, "row %u", row->row_id);
	}
	pad(out, start);
	if (!buf_ok(out))
		return ERR(e, E_OUTOFMEMORY, "rows of more than %zu octets", out->max);
	set_u32le(out->p + start + 8, (uint32_t)(out->len - start));
	return 0;
}

void
csra_put_end(uint32_t total, struct buf *out)
{
	buf_put_u32le(out, total);
	buf_put_u32le(out, ~total);
	buf_put_u32le(out, ROW);
}

/* ---- reading ---- */

static int
no_room(size_t n, struct err *e)
{
	return ERR(e, E_INVALID_DATA, "%zu structures do not fit in the blob", n);
}

/* The text at an offset, up to its NUL. */
static const char *
get_text(struct bytes in, uint32_t at, struct pool *pool, struct err *e)
{
	const char *s;
	size_t end;

	if (at > in.len) {
		ERR(e, E_INVALID_DATA, "a text at offset %u of %zu", at, in.len);
		return NULL;
	}
	for (end = at; end + 2 <= in.len && get_u16le(in.p + end) != 0; end += 2)
		;
	if (end + 2 > in.len) {
		ERR(e, E_INVALID_DATA, "a text without its NUL at offset %u", at);
		return NULL;
	}
	s = text_from_utf16le(pool, (struct bytes){ in.p + at, end - at }, e);
	if (s == NULL && e != NULL && e->hr == E_INVALIDARG)
		e->hr = E_INVALID_DATA;
	return s;
}

static int
get_octets(struct bytes in, uint32_t at, uint32_t n, struct pool *pool, struct bytes *out, struct err *e)
{
#ifndef ADCSD_PLANTED_BUG_IDL_CSRA_VIEW /* the fuzz target must find a value that leaves the blob */
	if (at > in.len || n > in.len - at)
		return ERR(e, E_INVALID_DATA, "%u octets at offset %u of %zu", n, at, in.len);
#endif
	return pool_dup_bytes(pool, (struct bytes){ in.p + at, n }, out) == 0
	    ? 0
	    : ERR(e, E_OUTOFMEMORY, "no memory for %u octets", n);
}

/* Room for n elements in the pool, when the blob has as many structures. */
static void *
room_for(struct bytes in, size_t n, size_t wire, size_t size, struct pool *pool, struct err *e)
{
	void *v;

	if (n > in.len / wire) {
		no_room(n, e);
		return NULL;
	}
	v = pool_calloc(pool, n, size);
	if (v == NULL)
		ERR(e, E_OUTOFMEMORY, "no memory for %zu structures", n);
	return v;
}

int
csra_get_columns(struct bytes in, size_t n, struct pool *pool, struct csra_column **out, struct err *e)
{
	struct csra_column *v = room_for(in, n, COLUMN, sizeof(*v), pool, e);

	if (v == NULL)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = in.p + i * COLUMN;

		v[i] = (struct csra_column){ get_u32le(p), get_u32le(p + 4), get_u32le(p + 8), NULL, NULL };
		v[i].name = get_text(in, get_u32le(p + 12), pool, e);
		v[i].display = v[i].name != NULL ? get_text(in, get_u32le(p + 16), pool, e) : NULL;
		if (v[i].display == NULL)
			return err_prefix(e, "column 0x%x", v[i].id);
	}
	*out = v;
	return 0;
}

int
csra_get_attributes(struct bytes in, size_t n, struct pool *pool, struct csra_attribute **out, struct err *e)
{
	struct csra_attribute *v = room_for(in, n, ATTRIBUTE, sizeof(*v), pool, e);

	if (v == NULL)
		return -1;
	for (size_t i = 0; i < n; i++) {
		v[i].name = get_text(in, get_u32le(in.p + i * ATTRIBUTE), pool, e);
		v[i].value =
		    v[i].name != NULL ? get_text(in, get_u32le(in.p + i * ATTRIBUTE + 4), pool, e) : NULL;
		if (v[i].value == NULL)
			return -1;
	}
	*out = v;
	return 0;
}

int
csra_get_extensions(struct bytes in, size_t n, struct pool *pool, struct csra_extension **out, struct err *e)
{
	struct csra_extension *v = room_for(in, n, EXTENSION, sizeof(*v), pool, e);

	if (v == NULL)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = in.p + i * EXTENSION;

		v[i].name = get_text(in, get_u32le(p), pool, e);
		v[i].flags = get_u32le(p + 4);
		if (v[i].name == NULL ||
		    get_octets(in, get_u32le(p + 12), get_u32le(p + 8), pool, &v[i].value, e) != 0)
			return -1;
	}
	*out = v;
	return 0;
}

static int
get_cell(struct bytes row, size_t i, struct pool *pool, struct csra_cell *out, struct err *e)
{
	const uint8_t *p = row.p + ROW + i * CELL;
	uint32_t at = get_u32le(p + 8), n = get_u32le(p + 12);
	const char *text;

	*out = (struct csra_cell){ .type = get_u32le(p), .id = get_u32le(p + 4), .set = at != 0 };
	if (!out->set)
		return 0;
	if (get_octets(row, at, n, pool, &out->b, e) != 0)
		return -1;
	switch (out->type & CSRA_TYPE_MASK) {
	case CSRA_LONG:
		if (n != 4)
			return ERR(e, E_INVALID_DATA, "a LONG of %u octets", n);
		out->n = (int32_t)get_u32le(out->b.p);
		break;
	case CSRA_DATE:
		if (n != 8)
			return ERR(e, E_INVALID_DATA, "a DATE of %u octets", n);
		out->n = (int64_t)get_u64le(out->b.p);
		break;
	case CSRA_STRING:
		text = get_text(out->b, 0, pool, e);
		if (text == NULL)
			return -1;
		out->b = (struct bytes){ (const uint8_t *)text, strlen(text) };
		break;
	case CSRA_BINARY:
		break;
	default:
		return ERR(e, E_INVALID_DATA, "a value of type 0x%x", out->type);
	}
	return 0;
}

static int
get_row(struct bytes row, struct pool *pool, struct csra_row *out, struct err *e)
{
	size_t n = get_u32le(row.p + 4);
	struct csra_cell *cells;

	if (n > (row.len - ROW) / CELL)
		return no_room(n, e);
	cells = pool_calloc(pool, n, sizeof(*cells));
	if (cells == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a row");
	*out = (struct csra_row){ get_u32le(row.p), cells, n };
	for (size_t i = 0; i < n; i++) {
		if (get_cell(row, i, pool, &cells[i], e) != 0)
			return err_prefix(e, "row %u, column 0x%x", out->row_id, cells[i].id);
	}
	return 0;
}

int
csra_get_rows(struct bytes in, size_t n, struct pool *pool, struct csra_row **out, size_t *n_out, bool *end,
    uint32_t *total, struct err *e)
{
	size_t room = n < in.len / ROW ? n : in.len / ROW;
	struct csra_row *v = room_for(in, room, ROW, sizeof(*v), pool, e);

	if (v == NULL)
		return -1;
	*out = v;
	*n_out = 0;
	*end = false;
	while (in.len > 0) {
		uint32_t size;

		if (in.len < ROW)
			return no_room(1, e);
		size = get_u32le(in.p + 8);
		if (size < ROW || size > in.len)
			return ERR(e, E_INVALID_DATA, "a row of %u octets, %zu left", size, in.len);
		if (get_u32le(in.p) == ~get_u32le(in.p + 4)) {
			*end = true;
			*total = get_u32le(in.p);
			return 0;
		}
		if (*n_out == n)
			return ERR(e, E_INVALID_DATA, "more than %zu rows", n);
		if (get_row((struct bytes){ in.p, size }, pool, &v[(*n_out)++], e) != 0)
			return -1;
		in.p += size;
		in.len -= size;
	}
	return 0;
}
