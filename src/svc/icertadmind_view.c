#include "svc/icertadmind_view.h"

#include <stdlib.h>
#include <strings.h>

#include "base/log.h"
#include "ca/view.h"
#include "idl/csra_view.h"
#include "idl/icertadmind.h"

#define FRONT "ICertAdminD"
#define INFOS_MAX (1u << 20)
#define ROWS_MAX (64u << 20)   /* octets of one answer, whatever a single row has */
#define ROWS_ENOUGH (4u << 20) /* Ours: no row is added beyond; the client asks for the rest */

struct svc_view {
	struct view *view;        /* NULL: none is open */
	struct rpc_call *pending; /* the call that waits for rows; NULL: none */
	uint32_t count;           /* it asked for */
	struct buf rows;
};

int
svc_view_new(void *ctx, void **state, struct err *e)
{
	struct svc_view *o = calloc(1, sizeof(*o));

	(void)ctx;
	if (o == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for an object");
	buf_init(&o->rows, ROWS_MAX);
	*state = o;
	return 0;
}

void
svc_view_free(void *ctx, void *state)
{
	struct svc_view *o = state;

	(void)ctx;
	store_view_close(o->view);
	if (o->pending != NULL) /* the server ends */
		rpc_call_fault(o->pending, NCA_S_FAULT_REMOTE_NO_MEMORY);
	buf_fini(&o->rows);
	free(o);
}

/* ---- answers ---- */

static void
answer_items(struct rpc_call *call, uint32_t hr, uint32_t count, struct bytes blob)
{
	struct csra_items_out out = { .count = count, .blob = svc_blob_or_none(blob), .result = hr };

	rpc_call_reply(call, &out);
}

static void
refuse_items(struct rpc_call *call, const struct err *e)
{
	log_info(rpc, "%s: %s", rpc_call_id(call), e->msg);
	answer_items(call, e->hr, 0, (struct bytes){ NULL, 0 });
}

static int
gate(struct rpc_call *call, struct ca *ca, const char *operation, const char *authority, struct err *e)
{
	struct ca_caller who = svc_caller(call, FRONT);

	return ca_view_gate(ca, &who, operation, authority, e);
}

/* ---- the schema ---- */

static uint32_t
type_of(const struct view_column *c)
{
	static const uint32_t types[] = {
		[STORE_LONG] = CSRA_LONG,
		[STORE_DATE] = CSRA_DATE,
		[STORE_BINARY] = CSRA_BINARY,
		[STORE_STRING] = CSRA_STRING,
	};

	return types[c->type] | (c->indexed ? CSRA_INDEXED : 0);
}

static int
put_columns(
    enum view_table t, uint32_t first, uint32_t count, struct buf *out, uint32_t *n_out, struct err *e)
{
	struct csra_column infos[VIEW_COLUMNS_MAX];
	size_t n, at = 0;
	const struct view_column *c = store_view_columns(t, &n);

	for (size_t i = first; i < n && at < count && at < VIEW_COLUMNS_MAX; i++)
		infos[at++] =
		    (struct csra_column){ type_of(&c[i]), c[i].id, c[i].max, c[i].name, c[i].display };
	*n_out = (uint32_t)at;
	return csra_put_columns(infos, at, out, e);
}

/* MS-CSRA 3.1.4.2.5 */
static void
enum_columns(struct rpc_call *call, struct ca *ca, const char *method, const char *authority, uint32_t table,
    uint32_t first, uint32_t count)
{
	struct err e = { 0 };
	enum view_table t;
	struct buf infos;
	uint32_t n_infos;
	size_t n;

	if (gate(call, ca, method, authority, &e) != 0 || store_view_table(table, &t, &e) != 0 ||
	    (count == 0 && ERR(&e, E_INVALIDARG, "no column was asked for") != 0)) {
		refuse_items(call, &e);
		return;
	}
	store_view_columns(t, &n);
	if (first >= n) {
		answer_items(call, S_FALSE, 0, (struct bytes){ NULL, 0 });
		return;
	}
	buf_init(&infos, INFOS_MAX);
	if (put_columns(t, first, count, &infos, &n_infos, &e) != 0)
		refuse_items(call, &e);
	else
		answer_items(call, S_OK, n_infos, buf_bytes(&infos));
	buf_fini(&infos);
}

void
svc_csra_enum_view_column(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_range_in *in = args;

	enum_columns(call, ctx, "EnumViewColumn", in->authority, CVRC_TABLE_REQCERT, in->first, in->count);
}

void
svc_csra_enum_view_column_table(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_table_range_in *in = args;

	enum_columns(call, ctx, "EnumViewColumnTable", in->authority, in->table, in->first, in->count);
}

void
svc_csra_get_view_default_column_set(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_number_in *in = args;
	uint32_t ids[VIEW_COLUMNS_MAX];
	struct err e = { 0 };
	struct buf blob;
	size_t n;

	if (gate(call, ctx, "GetViewDefaultColumnSet", in->authority, &e) != 0 ||
	    store_view_default_columns((int32_t)in->value, ids, &n, &e) != 0) {
		refuse_items(call, &e);
		return;
	}
	buf_init(&blob, INFOS_MAX);
	for (size_t i = 0; i < n; i++)
		buf_put_u32le(&blob, ids[i]);
	answer_items(call, S_OK, (uint32_t)n, buf_bytes(&blob));
	buf_fini(&blob);
}

/* ---- attributes and extensions ---- */

/* Index of the first one behind `last`. MS-CSRA 3.1.4.1.11: names compare without case; another code for each
 * kind. */
static int
find_start(const struct store_row *row, bool extensions, const char *last, size_t *out, struct err *e)
{
	size_t n = extensions ? row->n_extensions : row->n_attributes;

	*out = 0;
	if (last == NULL)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (strcasecmp(extensions ? row->extensions[i].name : row->attributes[i].name, last) != 0)
			continue;
		*out = i + 1;
		return 0;
	}
	return ERR(
	    e, extensions ? E_INVALIDARG : CERTSRV_E_PROPERTY_EMPTY, "the request has no '%.60s'", last);
}

static int
put_lists(const struct store_row *row, bool extensions, const struct csra_enum_attributes_in *in,
    struct pool *pool, struct buf *out, uint32_t *count, struct err *e)
{
	size_t n = extensions ? row->n_extensions : row->n_attributes, first;
	struct csra_extension *x;
	struct csra_attribute *a;

	if (find_start(row, extensions, in->last, &first, e) != 0)
		return -1;
	n = n - first < in->count ? n - first : in->count;
	*count = (uint32_t)n;
	x = pool_calloc(pool, n, sizeof(*x));
	a = pool_calloc(pool, n, sizeof(*a));
	if (x == NULL || a == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a list");
	for (size_t i = 0; i < n; i++) {
		if (extensions)
			x[i] = (struct csra_extension){ row->extensions[first + i].name,
				row->extensions[first + i].flags, row->extensions[first + i].value };
		else
			a[i] = (struct csra_attribute){ row->attributes[first + i].name,
				row->attributes[first + i].value };
	}
	return extensions ? csra_put_extensions(x, n, out, e) : csra_put_attributes(a, n, out, e);
}

void
svc_csra_enum_attributes(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_enum_attributes_in *in = args;
	struct pool *pool = rpc_call_pool(call);
	struct store_row *row = POOL_NEW(pool, struct store_row);
	struct err e = { 0 };
	uint32_t count;
	struct buf blob;

	buf_init(&blob, ROWS_MAX);
	if (row == NULL)
		ERR(&e, E_OUTOFMEMORY, "no memory for a request");
	else if (gate(call, ctx, "EnumAttributesOrExtensions", in->authority, &e) == 0 && in->flags > 1)
		ERR(&e, E_INVALIDARG, "flags 0x%x name neither attributes nor extensions", in->flags);
	if (e.hr != 0 || ca_view_lists(ctx, in->row_id, pool, row, &e) != 0 ||
	    put_lists(row, in->flags == 1, in, pool, &blob, &count, &e) != 0)
		refuse_items(call, &e);
	else
		answer_items(call, S_OK, count, buf_bytes(&blob));
	buf_fini(&blob);
}

/* ---- views ---- */

/* On the reader's thread. */
static int
put_row(void *arg, uint32_t row_id, const struct view_cell *cells, size_t n, struct err *e)
{
	struct csra_cell out[VIEW_COLUMNS_MAX];
	const struct csra_row row = { row_id, out, n };
	struct svc_view *o = arg;

	for (size_t i = 0; i < n; i++)
		out[i] = (struct csra_cell){ type_of(cells[i].column), cells[i].column->id,
			cells[i].value.set, cells[i].value.n, cells[i].value.b };
	if (csra_put_row(&row, &o->rows, e) != 0)
		return -1;
	return o->rows.len >= ROWS_ENOUGH;
}

static void
on_rows(void *arg, const struct view_result *res, const struct err *e)
{
	struct svc_view *o = arg;
	struct rpc_call *call = o->pending;

	o->pending = NULL;
	if (e != NULL) {
		refuse_items(call, e);
	} else {
		if (res->end)
			csra_put_end(res->total, &o->rows);
		answer_items(call, res->end && res->fetched < o->count ? S_FALSE : S_OK, res->fetched,
		    buf_bytes(&o->rows));
	}
	buf_fini(&o->rows); /* an idle view keeps no memory for rows */
}

static void
fetch(struct svc_view *o, struct rpc_call *call, uint32_t first, uint32_t count)
{
	struct view_fetch f = { .first = first, .count = count, .row = put_row, .row_arg = o };
	struct err e = { 0 };

	if (count == 0) { /* Ours: the view is open, that is all */
		answer_items(call, S_OK, 0, (struct bytes){ NULL, 0 });
		return;
	}
	o->pending = call;
	o->count = count;
	if (store_view_fetch(o->view, &f, on_rows, o, &e) != 0) {
		o->pending = NULL;
		refuse_items(call, &e);
	}
}

/* The object's state. A call that came without an object has none. */
static struct svc_view *
state_of(struct rpc_call *call, struct err *e)
{
	struct dcom_object *object = dcom_call_object(call);
	struct svc_view *o = object != NULL ? dcom_object_state(object) : NULL;

	if (o == NULL)
		ERR(e, E_HANDLE, "the call is for no object");
	else if (o->pending != NULL) {
		ERR(e, E_UNEXPECTED, "the object's view is being read");
		o = NULL;
	}
	return o;
}

static int
make_query(const struct csra_open_view_in *in, struct pool *pool, struct view_query *q, struct err *e)
{
	struct view_restriction *r = pool_calloc(pool, in->n_restrictions, sizeof(*r));
	uint32_t *columns = pool_calloc(pool, in->n_columns, sizeof(*columns));

	if (r == NULL || columns == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a view");
	for (uint32_t i = 0; i < in->n_restrictions; i++)
		r[i] = (struct view_restriction){ in->restrictions[i].column, in->restrictions[i].seek,
			in->restrictions[i].sort, in->restrictions[i].value };
	for (uint32_t i = 0; i < in->n_columns; i++)
		columns[i] = in->columns[i].value;
	*q = (struct view_query){ r, in->n_restrictions, columns, in->n_columns };
	return 0;
}

/* MS-CSRA 3.1.4.1.12 */
void
svc_csra_open_view(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_open_view_in *in = args;
	struct ca_caller who = svc_caller(call, FRONT);
	struct svc_view *o = NULL;
	struct view_query q;
	struct err e = { 0 };

	if (gate(call, ctx, "OpenView", in->authority, &e) == 0)
		o = state_of(call, &e);
	if (o != NULL && o->view != NULL)
		ERR(&e, E_UNEXPECTED, "the object has a view open already (MS-CSRA 3.1.4.1.12)");
	if (e.hr == 0 && make_query(in, rpc_call_pool(call), &q, &e) == 0)
		o->view = ca_view_open(ctx, &who, &q, &e);
	if (e.hr != 0)
		refuse_items(call, &e);
	else
		fetch(o, call, in->first, in->count);
}

void
svc_csra_enum_view(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_range_in *in = args;
	struct svc_view *o = NULL;
	struct err e = { 0 };

	if (gate(call, ctx, "EnumView", in->authority, &e) == 0)
		o = state_of(call, &e);
	if (o != NULL && o->view == NULL)
		ERR(&e, E_HANDLE, "the object has no view open (MS-CSRA 3.1.4.1.13)");
	if (e.hr != 0)
		refuse_items(call, &e);
	else
		fetch(o, call, in->first, in->count);
}

void
svc_csra_close_view(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_authority_in *in = args;
	struct csra_result_out out;
	struct svc_view *o = NULL;
	struct err e = { 0 };

	if (gate(call, ctx, "CloseView", in->authority, &e) == 0)
		o = state_of(call, &e);
	if (o != NULL && o->view == NULL)
		ERR(&e, E_HANDLE, "the object has no view open (MS-CSRA 3.1.4.1.14)");
	if (e.hr == 0) {
		store_view_close(o->view);
		o->view = NULL;
	}
	out.result = e.hr;
	rpc_call_reply(call, &out);
}
