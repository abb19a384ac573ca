/*
 * Views of a large database, made through the store's own insert path: rows per second as OpenView and EnumView give them,
 * encoded, and milliseconds to the first row. ADCSD_VIEW_ROWS says how many rows (default 20000; the goal speaks of
 * 1000000); ADCSD_VIEW_DIR where (default /tmp).
 */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "idl/csra_view.h"
#include "bench_database.h"
#include "store/view.h"

#define IN_FLIGHT 256
#define T0 INT64_C(134000000000000000)

/* About what a P-256 certificate leaves. */
static void
fill(struct store_row *r, struct pool *pool, uint32_t id, unsigned total)
{
	static uint8_t octets[1024];
	struct store_attribute *a = pool_calloc(pool, 2, sizeof(*a));
	struct store_extension *x = pool_calloc(pool, 3, sizeof(*x));
	const char *requester = pool_printf(pool, "CORP\\user%u", dice(500)), *cn = pool_printf(pool, "device%08x", dice(1u << 30));

	memset(r, 0, sizeof(*r));
	store_set_long(r, Request_RequestID, id);
	store_set_bytes(r, Request_RawRequest, (struct bytes){ octets, 420 });
	store_set_long(r, Request_RequestType, 0x100);
	store_set_long(r, Request_StatusCode, 0);
	store_set_long(r, Request_Disposition, id == total ? DB_DISP_PENDING : dice(100) == 0 ? DB_DISP_REVOKED : DB_DISP_ISSUED);
	store_set_text(r, Request_DispositionMessage, "Issued");
	store_set_date(r, Request_SubmittedWhen, T0 + id * FILETIME_SECOND);
	store_set_date(r, Request_ResolvedWhen, T0 + id * FILETIME_SECOND);
	store_set_text(r, Request_RequesterName, requester);
	store_set_text(r, Request_CallerName, requester);
	store_set_text(r, Request_CommonName, cn);
	store_set_long(r, Certificate_RequestID, id);
	store_set_bytes(r, Certificate_RawCertificate, (struct bytes){ octets, 900 });
	store_set_text(r, Certificate_CertificateHash, pool_printf(pool, "%08x %08x %08x %08x", dice(1u << 30), dice(1u << 30), id, id));
	store_set_text(r, Certificate_CertificateTemplate, dice(3) ? "User" : "WebServer");
	store_set_text(r, Certificate_SerialNumber, pool_printf(pool, "79%08x%08x%08x", id, dice(1u << 30), id));
	store_set_date(r, Certificate_NotBefore, T0 + id * FILETIME_SECOND);
	store_set_date(r, Certificate_NotAfter, T0 + id * FILETIME_SECOND + (1 + dice(700)) * FILETIME_DAY);
	store_set_text(r, Certificate_CommonName, cn);
	store_set_text(r, Certificate_UPN, dice(2) ? pool_printf(pool, "%s@corp.contoso.com", cn) : NULL);
	a[0] = (struct store_attribute){ "CertificateTemplate", "User" };
	a[1] = (struct store_attribute){ "rmd", cn };
	for (int i = 0; i < 3; i++)
		x[i] = (struct store_extension){ i == 0 ? "2.5.29.15" : i == 1 ? "2.5.29.37" : "2.5.29.14", 0x20000, { octets, 24 } };
	r->attributes = a;
	r->n_attributes = 2;
	r->extensions = x;
	r->n_extensions = 3;
}

static void
make_rows(unsigned n)
{
	static struct store_row rows[IN_FLIGHT];
	uint64_t begin = clock_monotonic_us();
	struct store_stats stats;

	for (unsigned at = 0; at < n;) {
		struct pool *pool = pool_new(64u << 20);
		unsigned batch = n - at < IN_FLIGHT ? n - at : IN_FLIGHT, want = finished + batch;

		for (unsigned i = 0; i < batch; i++) {
			fill(&rows[i], pool, store_next_request_id(store), n);
			start_insert(&rows[i]);
		}
		wait_for_inserts(want);
		pool_free(pool);
		at += batch;
	}
	store_get_stats(store, &stats);
	printf("  %u rows inserted: %.0f a second, %llu commits\n", n, n * 1e6 / (double)(clock_monotonic_us() - begin),
	    (unsigned long long)stats.commits);
}

struct reading {
	struct buf rows;
	struct view_result res;
	bool done;
};

static int
put_row(void *arg, uint32_t id, const struct view_cell *cells, size_t n, struct err *e)
{
	struct csra_cell out[VIEW_COLUMNS_MAX];
	const struct csra_row row = { id, out, n };
	struct reading *r = arg;

	for (size_t i = 0; i < n; i++)
		out[i] = (struct csra_cell){ (uint32_t)cells[i].column->type + 1, cells[i].column->id, cells[i].value.set,
			cells[i].value.n, cells[i].value.b };
	return csra_put_row(&row, &r->rows, e);
}

static void
on_done(void *arg, const struct view_result *res, const struct err *e)
{
	struct reading *r = arg;

	if (e != NULL)
		die("fetch", e);
	r->res = *res;
	r->done = true;
}

/* Reads up to `most` rows, `celt` at a time; microseconds to the first portion. */
static uint64_t
read_view(const struct view_query *q, uint32_t celt, uint64_t most, uint64_t *n, uint64_t *us)
{
	struct reading r = { .done = false };
	struct view_fetch f = { .count = celt, .row = put_row, .row_arg = &r };
	uint64_t begin = clock_monotonic_us(), first = 0;
	struct err e;
	struct view *v = store_view_open(store, q, &e);

	if (v == NULL)
		die("open", &e);
	buf_init(&r.rows, 64u << 20);
	*n = 0;
	do {
		buf_reset(&r.rows);
		r.done = false;
		if (store_view_fetch(v, &f, on_done, &r, &e) != 0)
			die("fetch", &e);
		while (!r.done) {
			store_wait(store);
			store_drain(store);
		}
		if (*n == 0)
			first = clock_monotonic_us() - begin;
		*n += r.res.fetched;
	} while (!r.res.end && *n < most);
	*us = clock_monotonic_us() - begin;
	buf_fini(&r.rows);
	store_view_close(v);
	return first;
}

static struct bytes
date(filetime_t t)
{
	static uint8_t b[4][8];
	static unsigned at;
	uint8_t *p = b[at++ % 4];

	set_u32le(p, (uint32_t)t);
	set_u32le(p + 4, (uint32_t)(t >> 32));
	return (struct bytes){ p, 8 };
}

#define LONG(n) { (const uint8_t *)(n), 4 }

int
main(void)
{
	static const uint32_t narrow[] = { 0x1000, 0x1009, 0x1010, 0x2007, 0x200a }, wide[] = { 0x1000, 0x1010, 0x2007, 0x2009, 0x200a,
		0x2003, 0x2017, 0x201f, 0x2016, 0x2015, 0x2018, 0x2019, 0x2014, 0x2001 };
	const char *size = getenv("ADCSD_VIEW_ROWS");
	unsigned n = size != NULL ? (unsigned)strtoul(size, NULL, 10) : 20000;
	uint64_t got, us, first;
	filetime_t end = T0 + n * FILETIME_SECOND;
	struct view_restriction requester = { 0x1010, CVR_SEEK_EQ, 0, { (const uint8_t *)"C\0O\0R\0P\0\\\0u\0s\0e\0r\0" "7\0\0\0", 22 } };
	const struct {
		const char *name;
		struct view_restriction r[2];
		size_t n;
	} cases[] = {
		{ "no restriction", { { 0 } }, 0 },
		{ "Disposition = 9 (the last row)", { { 0x1009, CVR_SEEK_EQ, 0, LONG("\x09\0\0") } }, 1 },
		{ "Disposition = 20", { { 0x1009, CVR_SEEK_EQ, 0, LONG("\x14\0\0") } }, 1 },
		{ "RequesterName = one of 500", { requester }, 1 },
		{ "NotAfter <= T0 + 2 d", { { 0x200a, CVR_SEEK_LE, 0, date(T0 + 2 * FILETIME_DAY) } }, 1 },
		{ "NotAfter >= the last 10 d", { { 0x200a, CVR_SEEK_GE, 0, date(end + 690 * FILETIME_DAY) } }, 1 },
		{ "NotAfter <= T0 + 300 d, Disposition = 20",
		    { { 0x200a, CVR_SEEK_LE, 0, date(T0 + 300 * FILETIME_DAY) }, { 0x1009, CVR_SEEK_EQ, 0, LONG("\x14\0\0") } }, 2 },
		{ "SubmittedWhen >= the last hour", { { 0x100b, CVR_SEEK_GE, 0, date(end - FILETIME_HOUR) } }, 1 },
		{ "sorted by NotAfter", { { 0x200a, CVR_SEEK_NONE, CVR_SORT_ASCEND, { NULL, 0 } } }, 1 },
		{ "RequestID descending", { { 0x1000, CVR_SEEK_NONE, CVR_SORT_DESCEND, { NULL, 0 } } }, 1 },
		{ "StatusCode <> 0, no index", { { 0x1008, CVR_SEEK_LT, 0, LONG("\0\0\0") } }, 1 },
	};

	make_database(getenv("ADCSD_VIEW_DIR"));
	printf("views of %u requests\n", n);
	make_rows(n);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct view_query q = { cases[i].r, cases[i].n, narrow, ARRAY_LEN(narrow) };

		first = read_view(&q, 1, 1, &got, &us);
		printf("  first row, %s: %.1f ms%s\n", cases[i].name, (double)first / 1e3, got == 0 ? " (none)" : "");
	}
	for (int w = 0; w < 2; w++) {
		struct view_query q = { NULL, 0, w ? wide : narrow, w ? ARRAY_LEN(wide) : ARRAY_LEN(narrow) };

		read_view(&q, 1000, UINT64_MAX, &got, &us);
		printf("  all rows, %zu columns%s: %.0f rows a second\n", q.n_columns, w ? " with the certificate" : "",
		    (double)got * 1e6 / (double)us);
	}
	remove_database();
	return 0;
}
