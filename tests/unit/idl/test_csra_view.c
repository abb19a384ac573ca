/* Blobs of the view methods against octets laid out by hand, both ways; and cut short in every place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "idl/csra_view.h"

static struct pool *pool;

static int
set_up(void **state)
{
	(void)state;
	pool = pool_new(16u << 20);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	pool_free(pool);
	return 0;
}

static struct bytes
golden(const char *name)
{
	char path[128], line[256];
	struct buf b;
	struct bytes out;
	struct err e;
	FILE *f;

	snprintf(path, sizeof(path), "fixtures/csra/%s.hex", name);
	f = fopen(path, "r");
	assert_non_null(f);
	buf_init(&b, 65536);
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '#')
			assert_int_equal(text_parse_hex(&b, line, &e), 0);
	}
	fclose(f);
	assert_int_equal(pool_dup_bytes(pool, buf_bytes(&b), &out), 0);
	buf_fini(&b);
	return out;
}

static void
assert_octets(struct buf *got, struct bytes want)
{
	assert_true(buf_ok(got));
	assert_int_equal(got->len, want.len);
	assert_memory_equal(got->p, want.p, want.len);
	buf_fini(got);
}

static void
columns(void **state)
{
	struct csra_column v[] = { { 0x10001, 0x1000, 4, "Request.RequestID", "Request ID" },
		{ 0x10004, 0x1010, 2048, "Request.RequesterName", "Requester Name" } },
			   *got;
	struct buf out;
	struct err e;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(csra_put_columns(v, 2, &out, &e), 0);
	assert_octets(&out, golden("columns"));
	assert_int_equal(csra_get_columns(golden("columns"), 2, pool, &got, &e), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(got[i].type, v[i].type);
		assert_int_equal(got[i].id, v[i].id);
		assert_int_equal(got[i].max, v[i].max);
		assert_string_equal(got[i].name, v[i].name);
		assert_string_equal(got[i].display, v[i].display);
	}
	assert_int_equal(csra_get_columns(golden("columns"), 9, pool, &got, &e), -1);
	assert_int_equal(e.hr, E_INVALID_DATA);
}

#define TEXT(s) { (const uint8_t *)(s), sizeof(s) - 1 }
static const struct csra_cell first[] = {
	{ 0x10001, 0x1000, true, 2, { NULL, 0 } },
	{ 0x10004, 0x1010, true, 0, TEXT("CORP\\alice") },
	{ 0x10001, 0x1009, true, 20, { NULL, 0 } },
	{ 0x10002, 0x100b, true, INT64_C(0x01db5a641ef28000), { NULL, 0 } },
	{ 0x10004, 0x2007, true, 0, TEXT("79000000" "02a1b2c3d4" "000000000002") },
};
static const struct csra_cell second[] = {
	{ 0x10001, 0x1000, true, 3, { NULL, 0 } },
	{ 0x10004, 0x1010, true, 0, TEXT("CORP\\bob") },
	{ 0x10001, 0x1009, true, 9, { NULL, 0 } },
	{ 0x10002, 0x100b, true, INT64_C(0x01db5a641ef28000), { NULL, 0 } },
	{ 0x10004, 0x2007, false, 0, { NULL, 0 } },
};
static const struct csra_row two_rows[] = { { 2, first, 5 }, { 3, second, 5 } };

static void
rows(void **state)
{
	struct csra_row *got;
	struct buf out;
	struct err e;
	uint32_t total;
	bool end;
	size_t n;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(csra_put_row(&two_rows[0], &out, &e), 0);
	assert_int_equal(csra_put_row(&two_rows[1], &out, &e), 0);
	csra_put_end(3, &out);
	assert_octets(&out, golden("rows"));
	assert_int_equal(csra_get_rows(golden("rows"), 2, pool, &got, &n, &end, &total, &e), 0);
	assert_int_equal(n, 2);
	assert_true(end);
	assert_int_equal(total, 3);
	for (size_t r = 0; r < 2; r++) {
		assert_int_equal(got[r].row_id, two_rows[r].row_id);
		assert_int_equal(got[r].n_cells, 5);
		for (size_t i = 0; i < 5; i++) {
			const struct csra_cell *a = &got[r].cells[i], *b = &two_rows[r].cells[i];

			assert_int_equal(a->type, b->type);
			assert_int_equal(a->id, b->id);
			assert_int_equal(a->set, b->set);
			assert_int_equal(a->n, b->n);
			if (a->set && (a->type & CSRA_TYPE_MASK) == CSRA_STRING)
				assert_true(bytes_equal(a->b, b->b));
		}
	}
	assert_int_equal(csra_get_rows(golden("rows"), 1, pool, &got, &n, &end, &total, &e), -1);
	assert_int_equal(e.hr, E_INVALID_DATA);
}

/* A LONG is signed; an empty text is a value, octets of none too. */
static void
edges(void **state)
{
	static const struct csra_cell cells[] = {
		{ CSRA_LONG, 1, true, (int64_t)0x80094800u, { NULL, 0 } },
		{ CSRA_STRING, 2, true, 0, { NULL, 0 } },
		{ CSRA_BINARY, 3, true, 0, { NULL, 0 } },
		{ CSRA_BINARY, 4, true, 0, TEXT("\x01\x02\x03\x04\x05") },
		{ CSRA_STRING, 5, true, 0, TEXT("b\xc3\xb6rje \xf0\x9f\x94\x91") },
	};
	const struct csra_row row = { 7, cells, 5 };
	struct csra_row *got;
	struct buf out;
	struct err e;
	uint32_t total;
	bool end;
	size_t n;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(csra_put_row(&row, &out, &e), 0);
	assert_int_equal(out.len % 4, 0);
	assert_int_equal(csra_get_rows(buf_bytes(&out), 5, pool, &got, &n, &end, &total, &e), 0);
	assert_int_equal(n, 1);
	assert_false(end);
	assert_int_equal(got[0].cells[0].n, (int32_t)0x80094800u);
	assert_true(got[0].cells[1].set);
	assert_int_equal(got[0].cells[1].b.len, 0);
	assert_true(got[0].cells[2].set);
	assert_int_equal(got[0].cells[2].b.len, 0);
	assert_true(bytes_equal(got[0].cells[3].b, cells[3].b));
	assert_true(bytes_equal(got[0].cells[4].b, cells[4].b));
	buf_fini(&out);
	/* a row that does not fit says so */
	buf_init(&out, 60);
	assert_int_equal(csra_put_row(&row, &out, &e), -1);
	assert_int_equal(e.hr, E_OUTOFMEMORY);
	buf_fini(&out);
}

static void
lists(void **state)
{
	static const struct csra_attribute attributes[] = { { "CertificateTemplate", "User" }, { "rmd", "pc1.corp.lab" } };
	static const struct csra_extension extensions[] = { { "2.5.29.15", 0x10001, TEXT("\x03\x02\x05\xa0") } };
	struct csra_attribute *a;
	struct csra_extension *x;
	struct buf out;
	struct err e;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(csra_put_attributes(attributes, 2, &out, &e), 0);
	assert_octets(&out, golden("attributes"));
	assert_int_equal(csra_get_attributes(golden("attributes"), 2, pool, &a, &e), 0);
	assert_string_equal(a[1].name, "rmd");
	assert_string_equal(a[1].value, "pc1.corp.lab");
	buf_init(&out, 4096);
	assert_int_equal(csra_put_extensions(extensions, 1, &out, &e), 0);
	assert_octets(&out, golden("extensions"));
	assert_int_equal(csra_get_extensions(golden("extensions"), 1, pool, &x, &e), 0);
	assert_string_equal(x[0].name, "2.5.29.15");
	assert_int_equal(x[0].flags, 0x10001);
	assert_true(bytes_equal(x[0].value, extensions[0].value));
}

/* Copies of the exact size, so that a sanitizer sees one octet too many. */
static void
cut_short(void **state)
{
	struct bytes whole = golden("rows"), list = golden("extensions");
	struct csra_row *got;
	struct csra_extension *x;
	uint32_t total;
	size_t n;
	bool end;

	(void)state;
	for (size_t len = 0; len < whole.len; len++) {
		uint8_t *copy = malloc(len > 0 ? len : 1);
		struct err e = { 0 };

		memcpy(copy, whole.p, len);
		/* after a whole row it only has no end */
		if (csra_get_rows((struct bytes){ copy, len }, 2, pool, &got, &n, &end, &total, &e) == 0)
			assert_true((len == 0 || len == 0xc4 || len == 0x144) && !end);
		else
			assert_int_equal(e.hr, E_INVALID_DATA);
		free(copy);
	}
	for (size_t len = 0; len < list.len; len++) {
		uint8_t *copy = malloc(len > 0 ? len : 1);
		struct err e = { 0 };

		memcpy(copy, list.p, len);
		assert_int_equal(csra_get_extensions((struct bytes){ copy, len }, 1, pool, &x, &e), -1);
		assert_int_equal(e.hr, E_INVALID_DATA);
		free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns),
		cmocka_unit_test(rows),
		cmocka_unit_test(edges),
		cmocka_unit_test(lists),
		cmocka_unit_test(cut_short),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
