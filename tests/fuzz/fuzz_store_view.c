/*
 * Views as they come from the wire: columns, restrictions with any octets as values, and a position. Whatever is taken must
 * read to its end without an error of SQLite's, and give as many rows as it says.
 * Planted bug: ADCSD_PLANTED_BUG_STORE_VIEW, a LONG that is too short is read.
 * Input: count of columns, then 2 octets of id each; restrictions of id, seek, sort, length and octets; the rest: a position.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "store/view.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct store *store;

static void
stored(void *arg, const struct err *e)
{
	assert(e == NULL);
	++*(unsigned *)arg;
}

struct reading {
	bool done;
	struct err e;
	struct view_result res;
	uint32_t rows;
};

static int
take(void *arg, uint32_t id, const struct view_cell *cells, size_t n, struct err *e)
{
	struct reading *r = arg;

	(void)id, (void)e;
	for (size_t i = 0; i < n; i++)
		assert(cells[i].column != NULL && (cells[i].value.b.len == 0 || cells[i].value.b.p != NULL));
	r->rows++;
	return 0;
}

static void
on_done(void *arg, const struct view_result *res, const struct err *e)
{
	struct reading *r = arg;

	r->done = true;
	if (e != NULL)
		r->e = *e;
	else
		r->res = *res;
}

static void
read_all(struct view *v)
{
	struct reading r = { .rows = 0 };
	struct view_fetch f = { .count = 7, .row = take, .row_arg = &r };
	struct err e;

	for (int i = 0; i < 50 && !r.res.end; i++) {
		r.done = false;
		r.rows = 0;
		assert(store_view_fetch(v, &f, on_done, &r, &e) == 0);
		while (!r.done) {
			store_wait(store);
			store_drain(store);
		}
		if (r.e.hr != 0 || r.rows != r.res.fetched || r.rows > 7)
			__builtin_trap();
	}
	assert(r.res.end);
}

static void
set_up(void)
{
	static const struct store_attribute attribute = { "rmd", "pc1" };
	char dir[] = "/tmp/adcsd-fuzz-view-XXXXXX", path[64];
	struct store_row *rows = calloc(20, sizeof(*rows));
	const uint32_t column = 0x1000;
	unsigned done = 0;
	struct view *v;
	struct err e;

	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(path, sizeof(path), "%s/ca.db", dir);
	store = store_open(path, &e);
	for (uint32_t i = 1; i <= 20; i++) {
		struct store_row *r = &rows[i - 1];

		store_set_long(r, Request_RequestID, i);
		store_set_long(r, Request_Disposition, 20 + i % 2);
		store_set_text(r, Request_RequesterName, i % 3 ? "CORP\\a" : NULL);
		store_set_long(r, Certificate_RequestID, i);
		store_set_date(r, Certificate_NotAfter, i * 1000);
		r->attributes = &attribute;
		r->n_attributes = 1;
		assert(store_insert(store, r, stored, &done, &e) == 0);
	}
	while (done < 20) {
		store_wait(store);
		store_drain(store);
	}
	free(rows);
	/* the files live on while they are open; the reader opens them with its first view */
	v = store_view_open(store, &(struct view_query){ NULL, 0, &column, 1 }, &e);
	assert(v != NULL);
	read_all(v);
	store_view_close(v);
	unlink(path);
	strcat(path, "-wal");
	unlink(path);
	memcpy(path + strlen(path) - 3, "shm", 3);
	unlink(path);
	rmdir(dir);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t columns[16];
	struct view_restriction r[16];
	struct view_query q = { r, 0, columns, 0 };
	struct err e = { 0 };
	struct view *v;
	size_t n;

	if (store == NULL)
		set_up();
	if (size < 2)
		return 0;
	n = data[0] & 15;
	for (data++, size--; n > 0 && size >= 2; n--, data += 2, size -= 2)
		columns[q.n_columns++] = get_u16le(data);
	n = size > 0 ? data[0] & 15 : 0;
	for (data += size > 0, size -= size > 0; n > 0 && size >= 5; n--) {
		size_t len = data[4] < size - 5 ? data[4] : size - 5;

		r[q.n_restrictions++] = (struct view_restriction){ get_u16le(data), data[2], data[3], { data + 5, len } };
		data += 5 + len;
		size -= 5 + len;
	}
	v = store_view_open(store, &q, &e);
	if (v == NULL) {
		assert(e.hr == E_INVALIDARG || e.hr == E_OUTOFMEMORY);
		return 0;
	}
	if (size > 0) {
		char *text = strndup((const char *)data, size);

		if (store_view_seek(v, text, &e) != 0)
			size = 0;
		free(text);
	}
	if (size == 0 || e.hr == 0)
		read_all(v);
	store_view_close(v);
	return 0;
}
