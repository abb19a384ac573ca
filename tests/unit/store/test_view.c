/*
 * Views against a model: every row is tried by hand, and the list sorted by hand, for thousands of random queries over small
 * tables; all ways of finding rows are gone, since the limits between them are random too. Then what is refused, positions,
 * and that a view does not hold the database.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/text.h"
#include "store/view_priv.h"

#define ROWS 400
#define GAP 5 /* ids that do not exist, here and there */

static char dir[] = "/tmp/adcsd-view-XXXXXX";
static char path[64];
static struct store *store;
static struct pool *pool;
static struct store_row rows[ROWS];
static uint64_t seed = 1;
static struct view_tuning usual;

static unsigned
dice(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static void
note(void *arg, const struct err *e)
{
	if (e != NULL)
		fail_msg("storing: %s", e->msg);
	++*(unsigned *)arg;
}

static void
drain(unsigned *calls, unsigned wanted)
{
	while (*calls < wanted) {
		store_wait(store);
		store_drain(store);
	}
}

/* ---- data ---- */

static void
fill(struct store_row *r, uint32_t id)
{
	static const char *const names[] = { "CORP\\alice", "CORP\\ALICE", "CORP\\bob", "CORP\\b\xc3\xb6rje", "CORP\\zoe" };
	static const uint32_t states[] = { 9, 20, 20, 20, 21, 30, 31 };
	static const char *const words[] = { "Issued", "issued", "Denied", "", "Zorn" };
	struct store_attribute *a = pool_calloc(pool, 3, sizeof(*a));
	struct store_extension *x = pool_calloc(pool, 3, sizeof(*x));

	store_set_long(r, Request_RequestID, id);
	store_set_long(r, Request_Disposition, states[dice(7)]);
	store_set_long(r, Request_StatusCode, dice(3) == 0 ? 0x80094800u + dice(3) : 0);
	store_set_text(r, Request_RequesterName, names[dice(5)]);
	store_set_date(r, Request_SubmittedWhen, INT64_C(133000000000000000) + dice(50));
	if (dice(3) != 0)
		store_set_text(r, Request_DispositionMessage, words[dice(5)]);
	if (dice(4) == 0)
		store_set_date(r, Request_RevokedEffectiveWhen, INT64_C(133000000000000000) + dice(10));
	store_set_bytes(r, Request_RawName, (struct bytes){ (const uint8_t *)"\x30\x00", 1 + dice(2) });
	a[0] = (struct store_attribute){ "ccm", pool_printf(pool, "pc%u", dice(5)) };
	a[1] = (struct store_attribute){ "CertificateTemplate", "User" };
	a[2] = (struct store_attribute){ "rmd", NULL };
	r->attributes = a;
	r->n_attributes = dice(4);
	x[0] = (struct store_extension){ "2.5.29.15", 0x10001, { (const uint8_t *)"\x03\x02", 2 } };
	x[1] = (struct store_extension){ "2.5.29.37", 0x20000 + dice(3), { NULL, 0 } };
	x[2] = (struct store_extension){ "2.5.29.9", 0x20000, { (const uint8_t *)"in the certificate", 18 } };
	r->extensions = x;
	r->n_extensions = dice(4);
	if (dice(5) == 0)
		return;
	store_set_long(r, Certificate_RequestID, id);
	store_set_text(r, Certificate_SerialNumber, pool_printf(pool, "79%08x", id * 7919));
	store_set_text(r, Certificate_CertificateTemplate, dice(2) ? "User" : "1.3.6.1.4.1.311.21.8.1");
	store_set_text(r, Certificate_CommonName, dice(3) ? pool_printf(pool, "host%u", dice(40)) : NULL);
	store_set_date(r, Certificate_NotAfter, INT64_C(134000000000000000) + dice(60));
	store_set_bytes(r, Certificate_RawCertificate, (struct bytes){ (const uint8_t *)"what stands in the certificate", 30 });
	store_set_long(r, Certificate_GeneralFlags, dice(2) ? 0xfffffff0u + dice(4) : dice(4));
}

static int
set_up(void **state)
{
	unsigned calls = 0;
	uint32_t id = 0;
	struct err e;

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/ca.db", dir);
	pool = pool_new(64u << 20);
	store = store_open(path, &e);
	if (store == NULL)
		return -1;
	for (unsigned i = 0; i < ROWS; i++) {
		id += 1 + (dice(10) == 0 ? dice(GAP) : 0) + (i == ROWS / 2 ? 3000 : 0);
		fill(&rows[i], id);
	}
	/* not in the order of their ids: some come below what is indexed already */
	usual = view_tuning;
	store_late_max = 100;
	store_late_idle_ms = 0;
	for (unsigned i = 0; i < ROWS; i++) {
		assert_int_equal(store_insert(store, &rows[(i * 123) % ROWS], note, &calls, &e), 0);
		if (i % 50 == 0)
			drain(&calls, i + 1);
	}
	for (uint32_t n = 1; n <= 5; n++) {
		struct store_crl *crl = POOL_NEW(pool, struct store_crl);

		*crl = (struct store_crl){ .row_id = n,
			.number = n,
			.next_update = n * 1000,
			.publish_error = n % 2 ? "Access is denied" : NULL,
			.raw = { (const uint8_t *)"crl", 3 } };
		assert_int_equal(store_put_crls(store, crl, 1, 0, note, &calls, &e), 0);
	}
	drain(&calls, ROWS + 5);
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const names[] = { "", "-wal", "-shm" };
	char file[96];

	(void)state;
	store_close(store);
	pool_free(pool);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(file, sizeof(file), "%s%s", path, names[i]);
		unlink(file);
	}
	return rmdir(dir);
}

/* ---- the model ---- */

struct model_row {
	uint32_t id;
	const char *name;
	struct store_value v[160]; /* in the order of the table's columns */
};
static struct model_row model[VIEW_TABLES][3 * ROWS];
static size_t n_model[VIEW_TABLES];

static struct store_value
text_value(const char *s)
{
	return s == NULL ? (struct store_value){ .set = false }
			 : (struct store_value){ .set = true, .b = { (const uint8_t *)s, strlen(s) } };
}

static struct store_value
number_value(int64_t n)
{
	return (struct store_value){ .set = true, .n = n };
}

static void
build_model(void)
{
	size_t n;
	const struct view_column *columns = store_view_columns(VIEW_REQUESTS, &n);

	memset(n_model, 0, sizeof(n_model));
	for (unsigned i = 0; i < ROWS; i++) {
		struct model_row *m = &model[VIEW_REQUESTS][n_model[VIEW_REQUESTS]++];

		m->id = store_long(&rows[i], Request_RequestID);
		for (size_t c = 0; c < n; c++)
			for (int s = 0; s < STORE_COLUMN_COUNT; s++)
				if (store_columns[s].view_id == columns[c].id)
					m->v[c] = rows[i].v[s];
		for (size_t a = 0; a < rows[i].n_attributes; a++) {
			struct model_row *t = &model[VIEW_ATTRIBUTES][n_model[VIEW_ATTRIBUTES]++];

			t->id = m->id;
			t->name = rows[i].attributes[a].name;
			t->v[0] = number_value(m->id);
			t->v[1] = text_value(t->name);
			t->v[2] = text_value(rows[i].attributes[a].value);
		}
		for (size_t x = 0; x < rows[i].n_extensions; x++) {
			struct model_row *t = &model[VIEW_EXTENSIONS][n_model[VIEW_EXTENSIONS]++];

			t->id = m->id;
			t->name = rows[i].extensions[x].name;
			t->v[0] = number_value(m->id);
			t->v[1] = text_value(t->name);
			t->v[2] = number_value(rows[i].extensions[x].flags);
			t->v[3] = (struct store_value){ .set = true, .b = rows[i].extensions[x].value };
		}
	}
}

static int
compare_values(const struct view_column *c, const struct store_value *a, const struct store_value *b)
{
	int64_t x, y;

	if (!a->set || !b->set)
		return a->set - b->set;
	if (c->type == STORE_STRING) { /* no NULs in the data, so that this is SQLite's NOCASE */
		size_t n = a->b.len < b->b.len ? a->b.len : b->b.len;
		int d = n == 0 ? 0 : strncasecmp((const char *)a->b.p, (const char *)b->b.p, n);

		return d != 0 ? d : a->b.len < b->b.len ? -1 : a->b.len > b->b.len;
	}
	if (c->type == STORE_BINARY) {
		size_t n = a->b.len < b->b.len ? a->b.len : b->b.len;
		int d = n == 0 ? 0 : memcmp(a->b.p, b->b.p, n);

		return d != 0 ? d : a->b.len < b->b.len ? -1 : a->b.len > b->b.len;
	}
	x = c->type == STORE_LONG ? (int32_t)a->n : a->n;
	y = c->type == STORE_LONG ? (int32_t)b->n : b->n;
	return x < y ? -1 : x > y;
}

static const struct view_column *sort_column;
static size_t sort_at;
static bool sort_down;

static int
compare_rows(const void *a, const void *b)
{
	const struct model_row *x = *(const struct model_row *const *)a, *y = *(const struct model_row *const *)b;
	int d = sort_column != NULL ? compare_values(sort_column, &x->v[sort_at], &y->v[sort_at]) : 0;

	/* rows without a value stand in the order of their keys */
	if (sort_column != NULL && d == 0 && !x->v[sort_at].set)
		return x->id < y->id ? -1 : x->id > y->id ? 1 : x->name != NULL ? strcasecmp(x->name, y->name) : 0;
	if (d == 0)
		d = x->id < y->id ? -1 : x->id > y->id ? 1 : x->name != NULL ? strcasecmp(x->name, y->name) : 0;
	return sort_down ? -d : d;
}

static bool
holds(const struct view_column *c, const struct store_value *v, uint32_t seek, const struct store_value *with)
{
	int d = compare_values(c, v, with);

	if (!v->set)
		return false;
	switch (seek) {
	case CVR_SEEK_EQ:
		return d == 0;
	case CVR_SEEK_LT:
		return d < 0;
	case CVR_SEEK_LE:
		return d <= 0;
	case CVR_SEEK_GE:
		return d >= 0;
	default:
		return d > 0;
	}
}

/* ---- one fetch ---- */

struct got {
	uint32_t ids[3 * ROWS];
	const char *names[3 * ROWS];
	size_t n, room; /* room: of one fetch, at which the row function says enough */
	struct view_result res;
	struct err e;
	unsigned calls;
	const struct view_column *columns;
	enum view_table table;
};

static size_t
column_index(const struct got *g, const struct view_column *c)
{
	return (size_t)(c - g->columns);
}

static int
take(void *arg, uint32_t id, const struct view_cell *cells, size_t n, struct err *e)
{
	struct got *g = arg;

	(void)e;
	g->ids[g->n] = id;
	g->names[g->n] = NULL;
	for (size_t i = 0; i < n; i++) {
		const struct view_column *c = cells[i].column;

		if (c->id == 0x3001 || c->id == 0x4001)
			g->names[g->n] = pool_strndup(pool, (const char *)cells[i].value.b.p, cells[i].value.b.len);
	}
	/* what a cell holds is what the model's row holds */
	for (size_t m = 0; m < n_model[g->table]; m++) {
		const struct model_row *row = &model[g->table][m];

		if (row->id != id || (row->name != NULL && (g->names[g->n] == NULL || strcmp(row->name, g->names[g->n]) != 0)))
			continue;
		for (size_t i = 0; i < n; i++)
			if (compare_values(cells[i].column, &cells[i].value, &row->v[column_index(g, cells[i].column)]) != 0)
				fail_msg("row %u: %s differs", id, cells[i].column->name);
	}
	g->n++;
	return --g->room == 0;
}

static void
done(void *arg, const struct view_result *res, const struct err *e)
{
	struct got *g = arg;

	g->calls++;
	if (e != NULL)
		g->e = *e;
	else
		g->res = *res;
}

static void
fetch(struct view *v, uint32_t first, uint32_t count, struct got *g)
{
	struct view_fetch f = { .first = first, .count = count, .row = take, .row_arg = g };
	unsigned before = g->calls;
	struct err e;

	if (store_view_fetch(v, &f, done, g, &e) != 0)
		fail_msg("fetch: %s", e.msg);
	drain(&g->calls, before + 1);
	if (g->e.hr != 0)
		fail_msg("fetch: %s", g->e.msg);
}

/* ---- random queries ---- */

static struct bytes
wire_value(const struct view_column *c, const struct store_value *v)
{
	struct buf b;
	struct bytes out;
	struct err e;

	buf_init(&b, 65536);
	if (c->type == STORE_LONG)
		buf_put_u32le(&b, (uint32_t)v->n);
	else if (c->type == STORE_DATE)
		buf_put_u64le(&b, (uint64_t)v->n);
	else if (c->type == STORE_BINARY)
		buf_put_bytes(&b, v->b);
	else {
		assert_int_equal(text_utf8_to_utf16le(&b, v->b.len > 0 ? (const char *)v->b.p : "", v->b.len, &e), 0);
		buf_put_u16le(&b, 0);
	}
	assert_int_equal(pool_dup_bytes(pool, buf_bytes(&b), &out), 0);
	buf_fini(&b);
	return out;
}

/* What went wrong, as the reader would have it. */
static void
tell(const struct view *v)
{
	struct buf b;

	buf_init(&b, 65536);
	view_sql_scan(v, false, &b);
	print_message("plan %d, phase %u, candidates %d, scan: %s\n", v->plan, v->at.phase, v->candidates, buf_cstr(&b));
	buf_reset(&b);
	view_sql_keys(v, false, 10, &b);
	print_message("keys: %s\n", buf_cstr(&b));
	buf_fini(&b);
}

static void
one_query(enum view_table t)
{
	static const uint32_t interesting[] = { 0x1000, 0x1008, 0x1009, 0x100a, 0x100b, 0x100e, 0x1010, 0x1016, 0x2000, 0x2003,
		0x2005, 0x2007, 0x200a, 0x2017, 0x1003, 0x102b };
	static const uint32_t seeks[] = { CVR_SEEK_EQ, CVR_SEEK_LT, CVR_SEEK_LE, CVR_SEEK_GE, CVR_SEEK_GT };
	static struct got g;
	const struct model_row *want[3 * ROWS];
	struct view_restriction r[4];
	const struct view_column *on[4];
	struct store_value with[4];
	size_t n_columns, n_want = 0, n = dice(4), at;
	const struct view_column *columns = store_view_columns(t, &n_columns);
	uint32_t out[4];
	struct view_query q = { r, 0, out, 0 };
	struct view *v;
	struct err e = { 0 };
	bool by_position = dice(3) == 0;

	view_tuning = (struct view_tuning){ .step_us = dice(2) ? 1 : 10000,
		.few = 1 + dice(300),
		.few_sorted = 1 + dice(300),
		.barren = 1 + dice(500),
		.indexed = 1 + dice(20),
		.sorted = 1 + dice(50) };
	memset(&g, 0, sizeof(g));
	g.columns = columns;
	g.table = t;
	sort_column = NULL;
	sort_down = false;
	memset(r, 0, sizeof(r));
	for (size_t i = 0; i < n; i++) {
		size_t c = dice((unsigned)n_columns);
		const struct model_row *like = &model[t][dice((unsigned)n_model[t])];

		for (size_t k = 0; t == VIEW_REQUESTS && k < n_columns; k++)
			if (columns[k].id == interesting[i == 0 ? dice(16) : dice(14)])
				c = k;
		on[i] = &columns[c];
		with[i] = like->v[c];
		if (!with[i].set)
			with[i] = on[i]->type == STORE_STRING || on[i]->type == STORE_BINARY ? text_value("x") : number_value(3);
		r[i] = (struct view_restriction){ .column = on[i]->id,
			.seek = on[i]->type == STORE_BINARY ? CVR_SEEK_EQ : seeks[dice(5)],
			.value = wire_value(on[i], &with[i]) };
		if (sort_column == NULL && dice(2) == 0) {
			r[i].sort = CVR_SORT_ASCEND + dice(2);
			if (dice(2) == 0)
				r[i].seek = CVR_SEEK_NONE;
			sort_column = on[i];
			sort_at = c;
			sort_down = r[i].sort == CVR_SORT_DESCEND;
		}
		if (dice(5) == 0 && r[i].seek != CVR_SEEK_NONE)
			r[i].seek |= CVR_SEEK_NODELTA;
	}
	q.n_restrictions = n;
	out[q.n_columns++] = columns[t == VIEW_EXTENSIONS || t == VIEW_ATTRIBUTES ? 1 : 0].id;
	for (size_t i = dice(3); i > 0; i--)
		out[q.n_columns++] = columns[dice((unsigned)n_columns)].id;
	for (size_t m = 0; m < n_model[t]; m++) {
		bool all = true;

		for (size_t i = 0; i < n; i++) {
			uint32_t seek = r[i].seek & ~(uint32_t)CVR_SEEK_NODELTA;

			all = all && (seek == CVR_SEEK_NONE || holds(on[i], &model[t][m].v[on[i] - columns], seek, &with[i]));
		}
		if (all)
			want[n_want++] = &model[t][m];
	}
	qsort(want, n_want, sizeof(want[0]), compare_rows);
	v = store_view_open(store, &q, &e);
	if (v == NULL)
		fail_msg("open: %s", e.msg);
	for (at = 0;;) {
		uint32_t count = 1 + dice(dice(3) == 0 ? 1000 : 20), first = 0;

		if (dice(8) == 0 && at > 0 && !by_position) /* again from somewhere before */
			at = dice((unsigned)at), first = (uint32_t)at + 1;
		else if (dice(8) == 0) /* some are left out */
			at += dice(10), first = (uint32_t)at + 1;
		if (by_position) { /* a view that knows only where another one stood */
			struct buf text;

			buf_init(&text, 65536);
			store_view_position(v, &text);
			store_view_close(v);
			v = store_view_open(store, &q, &e);
			assert_non_null(v);
			assert_int_equal(store_view_seek(v, buf_cstr(&text), &e), 0);
			buf_fini(&text);
		}
		g.n = 0;
		g.room = dice(4) == 0 ? 1 + dice(30) : 10000;
		fetch(v, first, count, &g);
		assert_int_equal(g.res.fetched, g.n);
		for (size_t i = 0; i < g.n; i++) {
			if (at + i >= n_want)
				fail_msg("row %u is too much", g.ids[i]);
			if (g.ids[i] != want[at + i]->id ||
			    (want[at + i]->name != NULL && strcmp(g.names[i], want[at + i]->name) != 0)) {
				tell(v);
				fail_msg("row %zu is %u %s, not %u %s", at + i, g.ids[i], g.names[i] ? g.names[i] : "", want[at + i]->id,
				    want[at + i]->name ? want[at + i]->name : "");
			}
		}
		at += g.n;
		if (g.res.end) {
			if (g.res.total != n_want) {
				tell(v);
				fail_msg("%u rows, not %zu", g.res.total, n_want);
			}
			break;
		}
		if (g.n == 0)
			fail_msg("neither a row nor the end");
	}
	store_view_close(v);
}

static void
random_queries(void **state)
{
	(void)state;
	build_model();
	for (unsigned i = 0; i < 2000; i++)
		one_query(VIEW_REQUESTS);
	for (unsigned i = 0; i < 400; i++) {
		one_query(VIEW_ATTRIBUTES);
		one_query(VIEW_EXTENSIONS);
	}
	view_tuning = usual;
}

/* ---- what is refused ---- */

static void
refusals(void **state)
{
	static const uint8_t dword[4], date[8], text[] = { 'a', 0, 0, 0 }, odd[] = { 'a', 0, 0 }, no_nul[] = { 'a', 0 };
#define V(a) { a, sizeof(a) }
	static const struct {
		const char *name;
		struct view_restriction r[2];
		uint32_t columns[2];
	} cases[] = {
		{ "no column", { { 0x1009, 1, 0, V(dword) } }, { 0 } },
		{ "an unknown column", { { 0 } }, { 0x1fff } },
		{ "a negative one", { { 0 } }, { 0xffffffff } },
		{ "columns of two tables", { { 0 } }, { 0x1000, 0x3000 } },
		{ "a restriction of another table", { { 0x5000, 1, 0, V(dword) } }, { 0x1000 } },
		{ "a restriction on nothing", { { 0x1fff, 1, 0, V(dword) } }, { 0x1000 } },
		{ "two sorted columns", { { 0x1009, 0, 1, { 0 } }, { 0x100b, 0, 2, { 0 } } }, { 0x1000 } },
		{ "no such order", { { 0x1009, 1, 3, V(dword) } }, { 0x1000 } },
		{ "no operator, no order", { { 0x1009, 0, 0, V(dword) } }, { 0x1000 } },
		{ "two operators", { { 0x1009, 3, 0, V(dword) } }, { 0x1000 } },
		{ "octets in order", { { 0x1001, 2, 0, V(dword) } }, { 0x1000 } },
		{ "a LONG of 8 octets", { { 0x1009, 1, 0, V(date) } }, { 0x1000 } },
		{ "a DATE of 4 octets", { { 0x100b, 1, 0, V(dword) } }, { 0x1000 } },
		{ "a STRING of 3 octets", { { 0x1010, 1, 0, V(odd) } }, { 0x1000 } },
		{ "a STRING without its NUL", { { 0x1010, 1, 0, V(no_nul) } }, { 0x1000 } },
		{ "a STRING of nothing", { { 0x1010, 1, 0, { NULL, 0 } } }, { 0x1000 } },
		{ "a LONG of nothing", { { 0x1009, 1, 0, { NULL, 0 } } }, { 0x1000 } },
	};

	(void)state;
	(void)text;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t n = 0, c = 0;
		struct err e = { 0 };
		struct view_query q = { cases[i].r, 0, cases[i].columns, 0 };

		while (n < 2 && cases[i].r[n].column != 0)
			n++;
		while (c < 2 && cases[i].columns[c] != 0)
			c++;
		q.n_restrictions = n;
		q.n_columns = c;
		if (store_view_open(store, &q, &e) != NULL)
			fail_msg("%s is taken", cases[i].name);
		if (e.hr != E_INVALIDARG || e.msg[0] == '\0')
			fail_msg("%s: 0x%08x %s", cases[i].name, e.hr, e.msg);
	}
}

static struct view *
open_all(uint32_t column)
{
	struct view_query q = { NULL, 0, &column, 1 };
	struct err e;
	struct view *v = store_view_open(store, &q, &e);

	assert_non_null(v);
	return v;
}

static void
unreadable_positions(void **state)
{
	static const char *const bad[] = { "", "x", "1 0 0 0 0", "1 0 0 0 0 x", "0 0 0 0 0 x -", "1 2 0 0 0 x -", 		"1 0 0 0 0 y -", "1 0 0 0 0 xzz -", "1 0 0 0 0 x00 -", "1 0 0 0 0 x xz", "1 0 0 0 0 x n" };
	struct view *v = open_all(0x1000);
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		e = (struct err){ 0 };
		if (store_view_seek(v, bad[i], &e) == 0 || e.hr != E_INVALIDARG)
			fail_msg("'%s' is taken", bad[i]);
	}
	assert_int_equal(store_view_seek(v, "1 0 0 0 0 x -", &e), 0);
	store_view_close(v);
}

static void
one_fetch_at_a_time(void **state)
{
	static struct got g;
	struct view *v = open_all(0x1000);
	struct view_fetch f = { .count = 5, .row = take, .row_arg = &g };
	struct err e = { 0 };

	(void)state;
	g.columns = store_view_columns(VIEW_REQUESTS, &(size_t){ 0 });
	g.room = 10000;
	assert_int_equal(store_view_fetch(v, &f, done, &g, &e), 0);
	assert_int_equal(store_view_fetch(v, &f, done, &g, &e), -1);
	assert_int_equal(e.hr, E_UNEXPECTED);
	drain(&g.calls, 1);
	f.count = 0;
	assert_int_equal(store_view_fetch(v, &f, done, &g, &e), -1);
	assert_int_equal(e.hr, E_INVALIDARG);
	store_view_close(v);
}

/* Closed in every state of its fetch; the callback never runs. */
static void
closing(void **state)
{
	static struct got g;

	(void)state;
	g.columns = store_view_columns(VIEW_REQUESTS, &(size_t){ 0 });
	for (unsigned i = 0; i < 300; i++) {
		struct view *v = open_all(0x1000), *other = open_all(0x1001);
		struct view_fetch f = { .count = 1000, .row = take, .row_arg = &g };
		struct err e;
		unsigned before = g.calls;

		g.n = 0;
		g.room = 10000;
		assert_int_equal(store_view_fetch(v, &f, done, &g, &e), 0);
		if (i % 3 == 1)
			usleep(dice(400)); /* some moment of the fetch: what follows holds for each */
		if (i % 3 == 2)
			store_wait(store); /* done, but nobody has been told */
		store_view_close(v);
		g.n = 0;
		g.room = 10000;
		assert_int_equal(store_view_fetch(other, &f, done, &g, &e), 0);
		drain(&g.calls, before + 1);
		assert_int_equal(g.calls, before + 1);
		assert_int_equal(g.n, ROWS);
		store_view_close(other);
	}
}

/* Many views at once, each at its own place; and between two portions the write-ahead log can be emptied. */
static void
side_by_side(void **state)
{
	static struct got g[8];
	struct view *v[8];
	sqlite3 *db;
	int left, copied;

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		v[i] = open_all(0x1000);
		g[i].columns = store_view_columns(VIEW_REQUESTS, &(size_t){ 0 });
		g[i].n = 0;
	}
	for (unsigned round = 0; round < 10; round++) {
		for (size_t i = 0; i < 8; i++) {
			g[i].n = 0;
			g[i].room = 10000;
			fetch(v[i], 0, 10 + (uint32_t)i, &g[i]);
			assert_int_equal(g[i].ids[0], store_long(&rows[round * (10 + i)], Request_RequestID));
		}
	}
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "SELECT count(*) FROM Requests", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, &left, &copied), SQLITE_OK);
	assert_int_equal(left, 0);
	for (size_t i = 0; i < 8; i++)
		store_view_close(v[i]);
	sqlite3_close(db);
}

/* A row that comes while a view is open is seen when it lies ahead. */
static void
rows_that_come(void **state)
{
	static struct got g;
	struct view *v = open_all(0x1000);
	static struct store_row late;
	unsigned calls = 0;
	struct err e;

	(void)state;
	g.columns = store_view_columns(VIEW_REQUESTS, &(size_t){ 0 });
	g.room = 10000;
	fetch(v, 1, ROWS, &g);
	assert_false(g.res.end);
	store_set_long(&late, Request_RequestID, 9000);
	store_set_long(&late, Request_Disposition, 9);
	assert_int_equal(store_insert(store, &late, note, &calls, &e), 0);
	drain(&calls, 1);
	g.n = 0;
	fetch(v, 0, 10, &g);
	assert_int_equal(g.n, 1);
	assert_int_equal(g.ids[0], 9000);
	assert_true(g.res.end);
	assert_int_equal(g.res.total, ROWS + 1);
	g.n = 0;
	fetch(v, 5000, 10, &g); /* far behind the end */
	assert_int_equal(g.n, 0);
	assert_true(g.res.end);
	assert_int_equal(g.res.total, ROWS + 1);
	store_view_close(v);
}

/* ---- the schema ---- */

static void
schema(void **state)
{
	static const size_t counts[VIEW_TABLES] = { 45 + 36, 4, 3, 18 };
	uint32_t ids[VIEW_COLUMNS_MAX];
	enum view_table t;
	struct err e = { 0 };
	size_t n;

	(void)state;
	for (int i = 0; i < VIEW_TABLES; i++) {
		const struct view_column *c = store_view_columns((enum view_table)i, &n);

		assert_int_equal(n, counts[i]);
		for (size_t k = 0; k < n; k++) {
			assert_int_not_equal(c[k].id, 0);
			assert_true(k == 0 || c[k].id > c[k - 1].id);
			assert_ptr_equal(store_view_column(c[k].id, &t), &c[k]);
			assert_int_equal(t, i);
		}
	}
	assert_int_equal(store_view_default_columns(-2, ids, &n, &e), 0);
	assert_int_equal(n, 14);
	assert_int_equal(ids[2], 0x2007);
	assert_int_equal(ids[13], 0x2001);
	assert_int_equal(store_view_default_columns(-7, ids, &n, &e), 0);
	assert_int_equal(n, 17);
	assert_int_equal(ids[16], 0x100f);
	assert_int_equal(store_view_default_columns(-1, ids, &n, &e), 0);
	assert_int_equal(n, 14);
	assert_int_equal(store_view_default_columns(-6, ids, &n, &e), 0);
	assert_int_equal(n, 17);
	assert_int_equal(store_view_default_columns(-4, ids, &n, &e), 0);
	assert_int_equal(n, 4);
	assert_int_equal(store_view_default_columns(-8, ids, &n, &e), -1);
	assert_int_equal(e.hr, E_INVALIDARG);
	assert_int_equal(store_view_default_columns(0, ids, &n, &e), -1);
	assert_int_equal(store_view_table(0x3000, &t, &e), 0);
	assert_int_equal(t, VIEW_EXTENSIONS);
	assert_int_equal(store_view_table(0x4000, &t, &e), 0);
	assert_int_equal(t, VIEW_ATTRIBUTES);
	e.hr = 0;
	assert_int_equal(store_view_table(0x6000, &t, &e), -1);
	assert_int_equal(e.hr, E_INVALIDARG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schema),
		cmocka_unit_test(refusals),
		cmocka_unit_test(unreadable_positions),
		cmocka_unit_test(one_fetch_at_a_time),
		cmocka_unit_test(random_queries),
		cmocka_unit_test(side_by_side),
		cmocka_unit_test(closing),
		cmocka_unit_test(rows_that_come),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
