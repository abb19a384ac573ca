/* view.*: the database as MS-CSRA shows it, a page at a time; the client keeps the position. */
#include <string.h>

#include "base/text.h"
#include "ca/admin_priv.h"
#include "ca/view.h"

#define PAGE_MAX 1000
#define PAGE_OCTETS (4u << 20) /* no row is added beyond */
#define VALUE_MAX 65536

static const struct {
	const char *name;
	enum view_table table;
} tables[] = {
	{ "requests", VIEW_REQUESTS },
	{ "extensions", VIEW_EXTENSIONS },
	{ "attributes", VIEW_ATTRIBUTES },
	{ "crl", VIEW_CRLS },
};

static int
get_table(struct ca_admin *a, enum view_table *out, struct err *e)
{
	const char *name = "requests";

	if (admin_has(a, "table") && admin_text(a, "table", &name, e) != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		if (strcmp(tables[i].name, name) != 0)
			continue;
		*out = tables[i].table;
		return 0;
	}
	return ERR(
	    e, E_INVALIDARG, "no table is called '%.40s': requests, extensions, attributes, crl", name);
}

void
admin_view_columns(struct ca_admin *a)
{
	json_t *list;
	struct err e = { 0 };
	enum view_table t;
	size_t n;

	if (get_table(a, &t, &e) != 0) {
		admin_fail(a, &e);
		return;
	}
	list = json_array();
	for (const struct view_column *c = store_view_columns(t, &n), *end = c + n; c < end; c++)
		json_array_append_new(list,
		    json_pack("{s:I, s:s, s:s, s:i, s:b, s:I}", "id", (json_int_t)c->id, "name", c->name,
			"display", c->display, "type", (int)c->type + 1, "indexed", c->indexed, "max",
			(json_int_t)c->max));
	admin_reply(a, json_pack("{s:o}", "columns", list));
}

/* ---- rows ---- */

struct page {
	struct ca_admin *a;
	struct view *view;
	json_t *rows;
	size_t octets;
};

static json_t *
cell_json(const struct view_cell *cell, size_t *octets)
{
	const struct store_value *v = &cell->value;
	struct buf b;
	json_t *o;

	*octets += 4 + v->b.len;
	if (!v->set)
		return json_null();
	switch (cell->column->type) {
	case STORE_LONG:
		return json_integer((int32_t)v->n);
	case STORE_DATE:
		return json_time(v->n);
	case STORE_STRING:
		return json_stringn((const char *)v->b.p, v->b.len);
	default:
		buf_init(&b, 2 * v->b.len + 16);
		text_put_base64(&b, v->b, 0);
		o = json_string(buf_cstr(&b));
		buf_fini(&b);
		return o;
	}
}

/* On the reader's thread, which has the page alone. */
static int
put_row(void *arg, uint32_t row_id, const struct view_cell *cells, size_t n, struct err *e)
{
	struct page *p = arg;
	json_t *row = json_array();

	(void)row_id;
	for (size_t i = 0; i < n; i++) {
		if (json_array_append_new(row, cell_json(&cells[i], &p->octets)) != 0) {
			json_decref(row);
			return ERR(
			    e, E_OUTOFMEMORY, "no memory for a row, or %s is no text", cells[i].column->name);
		}
	}
	json_array_append_new(p->rows, row);
	return p->octets >= PAGE_OCTETS;
}

static void
on_page(void *arg, const struct view_result *res, const struct err *e)
{
	struct page *p = arg;
	struct ca_admin *a = p->a;
	json_t *next = json_null();
	struct buf b;

	buf_init(&b, 1u << 20);
	if (res != NULL && !res->end) {
		store_view_position(p->view, &b);
		next = json_string(buf_cstr(&b));
	}
	buf_fini(&b);
	store_view_close(p->view);
	if (e != NULL) {
		json_decref(p->rows);
		json_decref(next);
		admin_fail(a, e);
	} else {
		admin_reply(a, json_pack("{s:o, s:o}", "rows", p->rows, "next", next));
	}
}

static int
get_number(const json_t *o, const char *name, uint32_t *out, struct err *e)
{
	json_int_t n = json_integer_value(json_object_get(o, name));

	if (n < 0 || n > UINT32_MAX)
		return ERR(e, E_INVALIDARG, "'%s' of a restriction is out of range", name);
	*out = (uint32_t)n;
	return 0;
}

static int
get_restriction(struct ca_admin *a, const json_t *o, struct view_restriction *out, struct err *e)
{
	const char *hex = json_string_value(json_object_get(o, "value"));
	struct buf b;
	int rc;

	if (get_number(o, "column", &out->column, e) != 0 || get_number(o, "seek", &out->seek, e) != 0 ||
	    get_number(o, "sort", &out->sort, e) != 0)
		return -1;
	if (hex == NULL)
		return 0;
	buf_init(&b, VALUE_MAX);
	rc = text_parse_hex(&b, hex, e);
	if (rc == 0 && pool_dup_bytes(a->pool, buf_bytes(&b), &out->value) != 0)
		rc = ERR(e, E_OUTOFMEMORY, "no memory for a restriction");
	buf_fini(&b);
	return rc;
}

static int
make_query(struct ca_admin *a, struct view_query *q, struct err *e)
{
	const json_t *restrictions = json_object_get(a->args, "restrictions"),
		     *columns = json_object_get(a->args, "columns");
	size_t n = json_array_size(restrictions), n_columns = json_array_size(columns);
	struct view_restriction *r = pool_calloc(a->pool, n, sizeof(*r));
	uint32_t *ids = pool_calloc(a->pool, n_columns, sizeof(*ids));

	if (r == NULL || ids == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a view");
	for (size_t i = 0; i < n; i++)
		if (get_restriction(a, json_array_get(restrictions, i), &r[i], e) != 0)
			return -1;
	for (size_t i = 0; i < n_columns; i++)
		ids[i] = (uint32_t)json_integer_value(json_array_get(columns, i));
	*q = (struct view_query){ r, n, ids, n_columns };
	return 0;
}

void
admin_view_rows(struct ca_admin *a)
{
	struct page *p = POOL_NEW(a->pool, struct page);
	struct view_fetch f = { .row = put_row, .row_arg = p };
	int64_t limit = PAGE_MAX;
	const char *after = NULL;
	struct view_query q;
	struct err e = { 0 };

	if (p == NULL) {
		ERR(&e, E_OUTOFMEMORY, "no memory for a page");
		goto fail;
	}
	if ((admin_has(a, "limit") && admin_number(a, "limit", 1, PAGE_MAX, &limit, &e) != 0) ||
	    (admin_has(a, "after") && admin_text(a, "after", &after, &e) != 0) || make_query(a, &q, &e) != 0)
		goto fail;
	p->a = a;
	p->view = store_view_open(a->ca->store, &q, &e);
	if (p->view == NULL || (after != NULL && store_view_seek(p->view, after, &e) != 0))
		goto fail;
	p->rows = json_array();
	f.count = (uint32_t)limit;
	if (store_view_fetch(p->view, &f, on_page, p, &e) == 0) {
		a->busy = true;
		a->ca->busy++;
		return;
	}
	json_decref(p->rows);
fail:
	if (p != NULL)
		store_view_close(p->view);
	admin_fail(a, &e);
}
