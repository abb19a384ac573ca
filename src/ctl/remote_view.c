/* view.columns and view.rows by OpenView and EnumView (MS-CSRA 3.1.4.1.12, 3.1.4.1.13, 3.1.4.2.5). */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/remote_call.h"
#include "idl/csra_view.h"
#include "idl/icertadmind.h"

#define POOL_MAX (512u << 20)
#define COLUMNS_AT_ONCE 100
#define VALUE_MAX 65536

#define ITEMS(method, fields)                                                                                \
	{                                                                                                    \
#method, CSRA_##method, fields, csra_items_out, sizeof(struct csra_items_out)                \
	}

/* MS-CSRA 3.1.4.2.5 */
static const struct {
	const char *name;
	uint32_t id;
} tables[] = {
	{ "requests", 0 },
	{ "extensions", 0x3000 },
	{ "attributes", 0x4000 },
	{ "crl", 0x5000 },
};

/* ---- columns ---- */

/* Appends what one call gives; *n_out 0: there are no more. */
static int
some_columns(struct ctl *c, uint32_t table, uint32_t first, json_t *list, uint32_t *n_out, struct err *e)
{
	static const struct client_method m = ITEMS(EnumViewColumnTable, csra_table_range_in);
	const struct csra_table_range_in in = { ctl_remote_authority(c), table, first, COLUMNS_AT_ONCE };
	struct csra_column *v;
	struct csra_items_out *out;
	void *decoded;

	if (ctl_remote_method(c, &m, &in, c->pool, &decoded, e) != 0)
		return -1;
	out = decoded;
	*n_out = out->result == S_FALSE ? 0 : out->count;
	if (out->count > COLUMNS_AT_ONCE)
		return ERR(e, E_INVALID_DATA, "%u columns, %d were asked for", out->count, COLUMNS_AT_ONCE);
	if (out->count > 0 && csra_get_columns(out->blob, out->count, c->pool, &v, e) != 0)
		return -1;
	for (uint32_t i = 0; i < out->count; i++)
		json_array_append_new(list,
		    json_pack("{s:I, s:s, s:s, s:i, s:b, s:I}", "id", (json_int_t)v[i].id, "name", v[i].name,
			"display", v[i].display, "type", (int)(v[i].type & CSRA_TYPE_MASK), "indexed",
			(v[i].type & CSRA_INDEXED) != 0, "max", (json_int_t)v[i].max));
	return 0;
}

json_t *
ctl_remote_view_columns(struct ctl *c, const json_t *args, struct err *e)
{
	const char *name = ctl_remote_text(args, "table");
	json_t *list = json_array();
	uint32_t n = 0;
	size_t t;

	for (t = 0; t < ARRAY_LEN(tables) && strcmp(tables[t].name, *name != '\0' ? name : "requests") != 0;)
		t++;
	if (t == ARRAY_LEN(tables)) {
		ERR(e, E_INVALIDARG, "no table is called '%.40s': requests, extensions, attributes, crl",
		    name);
		json_decref(list);
		return NULL;
	}
	do {
		if (json_array_size(list) > CSRA_COLUMNS_MAX) {
			ERR(e, E_INVALID_DATA, "more than %d columns", CSRA_COLUMNS_MAX);
			n = UINT32_MAX;
			break;
		}
		if (some_columns(c, tables[t].id, (uint32_t)json_array_size(list), list, &n, e) != 0) {
			n = UINT32_MAX;
			break;
		}
	} while (n > 0);
	if (n == UINT32_MAX) {
		json_decref(list);
		return NULL;
	}
	return json_pack("{s:o}", "columns", list);
}

/* ---- rows ---- */

static json_t *
cell_json(const struct csra_cell *cell)
{
	char text[FILETIME_TEXT_MAX];
	struct buf b;
	json_t *o;

	if (!cell->set)
		return json_null();
	switch (cell->type & CSRA_TYPE_MASK) {
	case CSRA_LONG:
		return json_integer((int32_t)cell->n);
	case CSRA_DATE:
		return json_string(filetime_to_text(cell->n, text));
	case CSRA_STRING:
		return json_stringn((const char *)cell->b.p, cell->b.len);
	default:
		buf_init(&b, 2 * cell->b.len + 16);
		text_put_base64(&b, cell->b, 0);
		o = json_string(buf_cstr(&b));
		buf_fini(&b);
		return o;
	}
}

static uint32_t
number_of(const json_t *o, const char *name)
{
	return (uint32_t)json_integer_value(json_object_get(o, name));
}

static int
get_restriction(const json_t *o, struct pool *pool, struct csra_restriction *out, struct err *e)
{
	struct buf b;
	int rc;

	*out = (struct csra_restriction){
		.column = number_of(o, "column"), .seek = number_of(o, "seek"), .sort = number_of(o, "sort")
	};
	buf_init(&b, VALUE_MAX);
	rc = text_parse_hex(&b, ctl_remote_text(o, "value"), e);
	if (rc == 0 && pool_dup_bytes(pool, buf_bytes(&b), &out->value) != 0)
		rc = ERR(e, E_OUTOFMEMORY, "no memory for a restriction");
	buf_fini(&b);
	return rc;
}

static void
close_view(struct ctl *c)
{
	static const struct client_method m = { "CloseView", CSRA_CloseView, csra_authority_in,
		csra_result_out, sizeof(struct csra_result_out) };
	const struct csra_authority_in in = { ctl_remote_authority(c) };
	struct err ignored; /* the object's end closes it, too */
	void *out;

	if (c->remote->viewing && ctl_remote_method(c, &m, &in, c->pool, &out, &ignored) != 0)
		ignored.hr = 0;
	c->remote->viewing = false;
	c->remote->at = 0;
}

static int
open_view(struct ctl *c, const json_t *args, uint32_t count, struct pool *pool, void **out, struct err *e)
{
	static const struct client_method m = ITEMS(OpenView, csra_open_view_in);
	const json_t *columns = json_object_get(args, "columns"),
		     *restrictions = json_object_get(args, "restrictions");
	size_t n = json_array_size(restrictions), n_columns = json_array_size(columns);
	struct csra_restriction *r = pool_calloc(pool, n + 1, sizeof(*r));
	struct csra_dword *ids = pool_calloc(pool, n_columns + 1, sizeof(*ids));
	struct csra_open_view_in in = { .authority = ctl_remote_authority(c),
		.n_restrictions = (uint32_t)n,
		.restrictions = r,
		.n_columns = (uint32_t)n_columns,
		.columns = ids,
		.first = 1,
		.count = count };

	if (r == NULL || ids == NULL || n > CSRA_RESTRICTIONS_MAX || n_columns > CSRA_COLUMNS_MAX)
		return ERR(e, E_OUTOFMEMORY, "no memory for a view");
	for (size_t i = 0; i < n; i++)
		if (get_restriction(json_array_get(restrictions, i), pool, &r[i], e) != 0)
			return -1;
	for (size_t i = 0; i < n_columns; i++)
		ids[i].value = (uint32_t)json_integer_value(json_array_get(columns, i));
	close_view(c);
	if (ctl_remote_method(c, &m, &in, pool, out, e) != 0)
		return -1;
	c->remote->viewing = true;
	return 0;
}

static int
more_rows(struct ctl *c, uint32_t count, struct pool *pool, void **out, struct err *e)
{
	static const struct client_method m = ITEMS(EnumView, csra_range_in);
	const struct csra_range_in in = { ctl_remote_authority(c), c->remote->at + 1, count };

	return ctl_remote_method(c, &m, &in, pool, out, e);
}

/* *end: that were the last. */
static int
put_rows(const struct csra_items_out *o, uint32_t count, size_t n_columns, struct pool *pool, json_t *rows,
    bool *end, struct err *e)
{
	struct csra_row *v;
	uint32_t total;
	size_t n;

	if (csra_get_rows(o->blob, count, pool, &v, &n, end, &total, e) != 0)
		return -1;
	*end = *end || n == 0 || o->result == S_FALSE;
	for (size_t i = 0; i < n; i++) {
		json_t *row = json_array();

		if (v[i].n_cells != n_columns) {
			json_decref(row);
			return ERR(e, E_INVALID_DATA, "row %u has %zu columns, not %zu", v[i].row_id,
			    v[i].n_cells, n_columns);
		}
		for (size_t k = 0; k < n_columns; k++)
			json_array_append_new(row, cell_json(&v[i].cells[k]));
		json_array_append_new(rows, row);
	}
	return 0;
}

/* "next" only says that there is more: the object on the other side keeps the view. */
json_t *
ctl_remote_view_rows(struct ctl *c, const json_t *args, struct err *e)
{
	uint32_t count = number_of(args, "limit");
	struct pool *pool = pool_new(POOL_MAX);
	json_t *rows = json_array();
	bool end = false;
	void *decoded;
	int rc = -1;

	if (pool == NULL)
		ERR(e, E_OUTOFMEMORY, "no memory for rows");
	else if (json_is_string(json_object_get(args, "after")))
		rc = more_rows(c, count, pool, &decoded, e);
	else
		rc = open_view(c, args, count, pool, &decoded, e);
	if (rc == 0)
		rc = put_rows(
		    decoded, count, json_array_size(json_object_get(args, "columns")), pool, rows, &end, e);
	pool_free(pool);
	if (rc != 0) {
		json_decref(rows);
		return NULL;
	}
	c->remote->at += (uint32_t)json_array_size(rows);
	if (end)
		close_view(c);
	return json_pack("{s:o, s:o}", "rows", rows, "next", end ? json_null() : json_string("more"));
}
