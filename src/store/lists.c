#include "store/lists.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1
#define SEARCHED_MIN 3 /* a shorter value costs no more than where it is */

void
store_put_number(struct buf *out, uint64_t n)
{
	for (; n > 0x7f; n >>= 7)
		buf_put_u8(out, (uint8_t)(n | 0x80));
	buf_put_u8(out, (uint8_t)n);
}

int
store_get_number(struct bytes *in, uint64_t *n, struct err *e)
{
	*n = 0;
	for (unsigned shift = 0; in->len > 0 && shift < 63; shift += 7) {
		uint8_t octet = *in->p;

		in->p++;
		in->len--;
		*n |= (uint64_t)(octet & 0x7f) << shift;
		if (octet < 0x80)
			return 0;
	}
	return ERR(e, E_INVALID_DATA, "a stored number has no end");
}

int
store_get_octets(struct bytes *in, uint64_t n, struct bytes *out, struct err *e)
{
#ifndef ADCSD_PLANTED_BUG_STORE_LISTS /* the fuzz target must find a length that is not checked */
	if (n > in->len)
		return ERR(e, E_INVALID_DATA, "a stored value of %llu octets, %zu are there",
		    (unsigned long long)n, in->len);
#endif
	*out = (struct bytes){ in->p, (size_t)n };
	in->p += n;
	in->len -= n;
	return 0;
}

void
store_lists_fini(struct store_lists *l)
{
	free(l->attributes.v);
	free(l->extensions.v);
	memset(l, 0, sizeof(*l));
}

/* ---- reading ---- */

/* Every entry has two octets at least, so no count asks for more memory than the lists themselves. */
static int
get_count(struct bytes *in, struct store_entries *out, struct err *e)
{
	uint64_t n;

	if (store_get_number(in, &n, e) != 0)
		return -1;
	if (n > in->len / 2)
		return ERR(e, E_INVALID_DATA, "a stored list of %llu entries in %zu octets",
		    (unsigned long long)n, in->len);
	if (n > out->room) {
		struct store_entry *v = realloc(out->v, (size_t)n * sizeof(*v));

		if (v == NULL)
			return ERR(
			    e, E_OUTOFMEMORY, "no memory for %llu stored values", (unsigned long long)n);
		out->v = v;
		out->room = (size_t)n;
	}
	out->n = (size_t)n;
	return 0;
}

static int
get_text(struct bytes *in, struct bytes *out, struct err *e)
{
	uint64_t n;

	return store_get_number(in, &n, e) != 0 ? -1 : store_get_octets(in, n, out, e);
}

static int
get_attribute(struct bytes *in, struct store_entry *out, struct err *e)
{
	uint64_t n;

	*out = (struct store_entry){ .set = false };
	if (get_text(in, &out->name, e) != 0 || store_get_number(in, &n, e) != 0)
		return -1;
	out->set = n != 0;
	return n == 0 ? 0 : store_get_octets(in, n - 1, &out->value, e);
}

static int
get_extension(struct bytes *in, struct bytes certificate, struct store_entry *out, struct err *e)
{
	uint64_t flags, len, where;

	*out = (struct store_entry){ .set = true };
	if (get_text(in, &out->name, e) != 0 || store_get_number(in, &flags, e) != 0 ||
	    store_get_number(in, &len, e) != 0 || store_get_number(in, &where, e) != 0)
		return -1;
	if (flags > UINT32_MAX)
		return ERR(
		    e, E_INVALID_DATA, "stored flags of an extension: 0x%llx", (unsigned long long)flags);
	out->flags = (uint32_t)flags;
	if (where == 0)
		return store_get_octets(in, len, &out->value, e);
	if (where - 1 > certificate.len || len > certificate.len - (where - 1))
		return ERR(e, E_INVALID_DATA, "a stored extension lies behind the end of its certificate");
	out->value = (struct bytes){ certificate.p + (where - 1), (size_t)len };
	return 0;
}

/* Moves packed on. */
static int
parse_attributes(struct bytes *packed, struct store_lists *out, struct err *e)
{
	out->attributes.n = out->extensions.n = 0;
	if (packed->len == 0)
		return 0;
	if (packed->p[0] != VERSION)
		return ERR(e, E_INVALID_DATA, "stored lists of an unknown version %u", packed->p[0]);
	packed->p++;
	packed->len--;
	if (get_count(packed, &out->attributes, e) != 0)
		return -1;
	for (size_t i = 0; i < out->attributes.n; i++) {
		if (get_attribute(packed, &out->attributes.v[i], e) != 0)
			return -1;
	}
	return 0;
}

int
store_lists_parse_attributes(struct bytes packed, struct store_lists *out, struct err *e)
{
	return parse_attributes(&packed, out, e);
}

int
store_lists_parse(struct bytes packed, struct bytes certificate, struct store_lists *out, struct err *e)
{
	bool empty = packed.len == 0;

	if (parse_attributes(&packed, out, e) != 0)
		return -1;
	if (empty)
		return 0;
	if (get_count(&packed, &out->extensions, e) != 0)
		return -1;
	for (size_t i = 0; i < out->extensions.n; i++) {
		if (get_extension(&packed, certificate, &out->extensions.v[i], e) != 0)
			return -1;
	}
	return packed.len == 0 ? 0 : ERR(e, E_INVALID_DATA, "%zu octets behind stored lists", packed.len);
}

static int
copy(const struct store_lists *l, struct pool *pool, struct store_row *row, struct err *e)
{
	struct store_attribute *a = pool_calloc(pool, l->attributes.n, sizeof(*a));
	struct store_extension *x = pool_calloc(pool, l->extensions.n, sizeof(*x));
	bool failed = a == NULL || x == NULL;

	for (size_t i = 0; !failed && i < l->attributes.n; i++) {
		const struct store_entry *in = &l->attributes.v[i];

		a[i].name = pool_strndup(pool, (const char *)in->name.p, in->name.len);
		a[i].value = pool_strndup(pool, in->set ? (const char *)in->value.p : "", in->value.len);
		failed = a[i].name == NULL || a[i].value == NULL;
	}
	for (size_t i = 0; !failed && i < l->extensions.n; i++) {
		const struct store_entry *in = &l->extensions.v[i];

		x[i].name = pool_strndup(pool, (const char *)in->name.p, in->name.len);
		x[i].flags = in->flags;
		failed = x[i].name == NULL || pool_dup_bytes(pool, in->value, &x[i].value) != 0;
	}
	if (failed)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu attributes and %zu extensions",
		    l->attributes.n, l->extensions.n);
	row->attributes = a;
	row->n_attributes = l->attributes.n;
	row->extensions = x;
	row->n_extensions = l->extensions.n;
	return 0;
}

int
store_lists_load(
    struct bytes packed, struct bytes certificate, struct pool *pool, struct store_row *row, struct err *e)
{
	struct store_lists l = { 0 };
	int rc = store_lists_parse(packed, certificate, &l, e);

	if (rc == 0)
		rc = copy(&l, pool, row, e);
	store_lists_fini(&l);
	return rc;
}

/* ---- writing ---- */

struct place {
	const char *name;
	size_t at; /* in the row's list */
	size_t where;
	bool any_case;
};

static int
by_name(const struct place *a, const struct place *b)
{
	return a->any_case ? sqlite3_stricmp(a->name, b->name) : strcmp(a->name, b->name);
}

static int
compare(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int rc = by_name(x, y);

	return rc != 0 ? rc : x->at < y->at ? -1 : x->at > y->at;
}

/* Sorted by name, of each the last; their count is the result. */
static size_t
sort(struct place *p, size_t n)
{
	size_t kept = 0;

	qsort(p, n, sizeof(*p), compare);
	for (size_t i = 0; i < n; i++) {
		if (kept > 0 && by_name(&p[kept - 1], &p[i]) == 0)
			kept--;
		p[kept++] = p[i];
	}
	return kept;
}

static void
put_text(struct buf *out, const char *s)
{
	size_t n = strlen(s);

	store_put_number(out, n);
	buf_put(out, s, n);
}

/* 1 + where the value stands in the certificate, 0: nowhere. Extensions mostly come in the certificate's
 * order: behind the one before is looked first. */
static size_t
find(struct bytes certificate, struct bytes value, size_t *behind)
{
	const uint8_t *found;

	if (value.len < SEARCHED_MIN || certificate.len == 0)
		return 0;
	found = memmem(certificate.p + *behind, certificate.len - *behind, value.p, value.len);
	if (found == NULL && *behind > 0)
		found = memmem(certificate.p, certificate.len, value.p, value.len);
	if (found == NULL)
		return 0;
	*behind = (size_t)(found - certificate.p) + value.len;
	return 1 + (size_t)(found - certificate.p);
}

static void
put_extension(struct buf *out, const struct store_extension *x, size_t where)
{
	put_text(out, x->name);
	store_put_number(out, x->flags);
	store_put_number(out, x->value.len);
	store_put_number(out, where);
	if (where == 0)
		buf_put_bytes(out, x->value);
}

int
store_lists_pack(const struct store_row *row, struct bytes certificate, struct buf *out, struct err *e)
{
	size_t n = row->n_attributes > row->n_extensions ? row->n_attributes : row->n_extensions, behind = 0;
	struct place few[32], *p = few;

	if (n > ARRAY_LEN(few) && (p = calloc(n, sizeof(*p))) == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory to store %zu values", n);
	buf_put_u8(out, VERSION);
	for (size_t i = 0; i < row->n_attributes; i++)
		p[i] = (struct place){ row->attributes[i].name, i, 0, true };
	n = sort(p, row->n_attributes);
	store_put_number(out, n);
	for (size_t i = 0; i < n; i++) {
		const struct store_attribute *a = &row->attributes[p[i].at];

		put_text(out, a->name);
		store_put_number(out, a->value != NULL ? 1 + (uint64_t)strlen(a->value) : 0);
		buf_put_str(out, a->value != NULL ? a->value : "");
	}
	for (size_t i = 0; i < row->n_extensions; i++)
		p[i] = (struct place){ row->extensions[i].name, i,
			find(certificate, row->extensions[i].value, &behind), false };
	n = sort(p, row->n_extensions);
	store_put_number(out, n);
	for (size_t i = 0; i < n; i++)
		put_extension(out, &row->extensions[p[i].at], p[i].where);
	if (p != few)
		free(p);
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "no room to store the attributes and extensions");
}
