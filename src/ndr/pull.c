#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "ndr/table_priv.h"

/* Full pointers one parameter list may hold: a new id is looked up among all earlier ones. */
#define MAX_ALIASES 1024

/* A referent that follows when the construct around its pointer has ended (C706 14.3.12.3). */
struct ndr_deferred {
	struct ndr_deferred *next;
	const struct ndr_field *field;
	void *base; /* struct holding the member */
	uint32_t id;
};

struct ndr_alias {
	struct ndr_alias *next;
	const struct ndr_field *field;
	uint32_t id;
	void *referent;
};

static int
pull_field(struct ndr_in *in, const struct ndr_field *f, void *base, bool top, struct err *e);
static int
pull_elements(struct ndr_in *in, const struct ndr_field *f, void *base, uint32_t max, struct err *e);

static int
defer(struct ndr_in *in, const struct ndr_field *f, void *base, uint32_t id, struct err *e)
{
	struct ndr_deferred *d = ndr_in_alloc(in, 1, sizeof(*d), e);

	if (d == NULL)
		return -1;
	*d = (struct ndr_deferred){ .field = f, .base = base, .id = id };
	*in->last = d;
	in->last = &d->next;
	return 0;
}

static int
pull_struct(struct ndr_in *in, const struct ndr_field *fields, void *base, struct err *e)
{
	const struct ndr_field *f, *tail = ndr_table_tail(fields);
	uint32_t max = 0;

	if (in->depth == NDR_MAX_DEPTH)
		return ERR(e, E_RPC_BAD_STUB_DATA, "nested deeper than %d", NDR_MAX_DEPTH);
	in->depth++;
	if (tail->kind != NDR_END && ndr_in_u32(in, &max, e) != 0)
		return err_prefix(e, "%s", tail->name);
	ndr_in_align(in, ndr_table_align(fields));
	for (f = fields; f != tail; f++)
		if (pull_field(in, f, base, false, e) != 0)
			return err_prefix(e, "%s", f->name);
	if (tail->kind != NDR_END && pull_elements(in, tail, base, max, e) != 0)
		return err_prefix(e, "%s", tail->name);
	in->depth--;
	return 0;
}

static int
pull_number(struct ndr_in *in, const struct ndr_field *f, void *at, struct err *e)
{
	uint32_t v = 0;
	int ret = -1;

	switch (f->kind) {
	case NDR_U8:
		ret = ndr_in_u8(in, at, e);
		v = *(uint8_t *)at;
		break;
	case NDR_U16:
		ret = ndr_in_u16(in, at, e);
		v = *(uint16_t *)at;
		break;
	default:
		ret = ndr_in_u32(in, at, e);
		v = *(uint32_t *)at;
		break;
	}
	if (ret == 0 && (v < f->min || v > f->max))
		return ERR(e, E_RPC_BAD_STUB_DATA, "%u outside range(%u,%u)", v, f->min, f->max);
	return ret;
}

/* Offset and ActualCount of a varying array or string of `unit` octets each; the count checked against what
 * is left. */
static int
pull_variance(struct ndr_in *in, size_t unit, uint32_t *actual, struct err *e)
{
	uint32_t offset;

	if (ndr_in_u32(in, &offset, e) != 0 || ndr_in_u32(in, actual, e) != 0)
		return -1;
	if (offset != 0)
		return ERR(e, E_RPC_BAD_STUB_DATA, "varying data starts at element %u, not 0", offset);
	if (*actual > ndr_in_left(in) / unit)
		return ERR(e, E_RPC_BAD_STUB_DATA, "%u elements of %zu octets announced, %zu octets left",
		    *actual, unit, ndr_in_left(in));
	return 0;
}

static int
pull_wstr(struct ndr_in *in, const struct ndr_field *f, void *at, struct err *e)
{
	uint32_t max, actual;
	struct bytes units;
	char *text;
	size_t n;

	if (ndr_in_u32(in, &max, e) != 0 || pull_variance(in, 2, &actual, e) != 0)
		return -1;
	if (actual > max)
		return ERR(e, E_RPC_BAD_STUB_DATA, "string of %u units, MaxCount %u", actual, max);
	if (max < f->min || max > f->max)
		return ERR(
		    e, E_RPC_BAD_STUB_DATA, "string of %u units outside range(%u,%u)", max, f->min, f->max);
	if (ndr_in_octets(in, 2 * (size_t)actual, &units, e) != 0)
		return -1;
	/* Seen: Certipy sends strings without even a NUL (zero units) where the IDL forbids it. */
	if (actual > 0 && get_u16le(units.p + units.len - 2) != 0)
		return ERR(e, E_RPC_BAD_STUB_DATA, "string without its NUL");
	for (n = 0; n < units.len && get_u16le(units.p + n) != 0; n += 2)
		;
	text = text_from_utf16le(in->pool, (struct bytes){ units.p, n }, e);
	if (text == NULL) {
		if (e != NULL && e->hr == E_INVALIDARG)
			e->hr = E_RPC_BAD_STUB_DATA;
		return -1;
	}
	*(char **)at = text;
	return 0;
}

static int
pull_vstr(struct ndr_in *in, const struct ndr_field *f, void *base, void *at, struct err *e)
{
	uint32_t max = f->max, actual;
	struct bytes chars;
	char *text;

	if (f->limit != NDR_NO_MEMBER) {
		if (ndr_in_u32(in, &max, e) != 0)
			return -1;
		if (max > f->max)
			return ERR(e, E_RPC_BAD_STUB_DATA, "MaxCount %u, at most %u", max, f->max);
		*(uint32_t *)(void *)((char *)base + f->limit) = max;
	}
	if (pull_variance(in, 1, &actual, e) != 0)
		return -1;
	if (actual > max)
		return ERR(e, E_RPC_BAD_STUB_DATA, "string of %u characters, at most %u", actual, max);
	if (actual == 0 && f->limit != NDR_NO_MEMBER)
		return 0;
	if (ndr_in_octets(in, actual, &chars, e) != 0)
		return -1;
	if (actual > 0 && chars.p[actual - 1] != 0)
		return ERR(e, E_RPC_BAD_STUB_DATA, "string without its NUL");
	text = ndr_in_alloc(in, 1, (size_t)actual + 1, e);
	if (text == NULL)
		return -1;
	memcpy(text, chars.p, actual);
	*(char **)at = text;
	return 0;
}

/* cb and the id, or the id and cb; the octets follow later. */
static int
pull_blob(struct ndr_in *in, const struct ndr_field *f, void *base, struct err *e)
{
	struct bytes *b = ndr_member(f, base);
	uint32_t cb = 0, id;

	if (f->kind == NDR_BLOB && ndr_in_u32(in, &cb, e) != 0)
		return -1;
	if (ndr_in_u32(in, &id, e) != 0)
		return -1;
	if (f->kind == NDR_BLOB_LAST && ndr_in_u32(in, &cb, e) != 0)
		return -1;
	*b = (struct bytes){ NULL, 0 };
	if (id == 0)
		return 0; /* Ours: cb says nothing when there is no pb */
	b->len = cb;
	return defer(in, f, base, id, e);
}

static int
pull_blob_octets(struct ndr_in *in, void *at, struct err *e)
{
	struct bytes *b = at, octets;
	size_t cb = b->len;
	uint32_t max;

	*b = (struct bytes){ NULL, 0 }; /* until the octets have been seen */
	if (ndr_in_u32(in, &max, e) != 0)
		return -1;
	if (max != cb)
		return ERR(e, E_RPC_BAD_STUB_DATA, "MaxCount %u, cb %zu", max, cb);
#ifdef ADCSD_PLANTED_BUG_IDL_PULL /* the fuzz target must find a count that escapes the check */
	if (cb > INT32_MAX)
		octets = (struct bytes){ in->p + in->off, cb & 0xffff };
	else
#endif
	    if (ndr_in_octets(in, cb, &octets, e) != 0)
		return -1;
	if (pool_dup_bytes(in->pool, octets, b) != 0)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu octets", cb);
	return 0;
}

/* An array whose MaxCount has been read. */
static int
pull_elements(struct ndr_in *in, const struct ndr_field *f, void *base, uint32_t max, struct err *e)
{
	uint32_t count = ndr_get_count(base, f->count), actual = max;
	size_t least = ndr_table_min_wire(f->sub);
	char *elements;

	assert(least > 0);
	if (max > f->max)
		return ERR(e, E_RPC_BAD_STUB_DATA, "array of %u elements, at most %u", max, f->max);
	if (f->limit != NDR_NO_MEMBER) {
		if (pull_variance(in, least, &actual, e) != 0)
			return -1;
		if (actual > max)
			return ERR(e, E_RPC_BAD_STUB_DATA, "array of %u elements, MaxCount %u", actual, max);
		*(uint32_t *)(void *)((char *)base + f->limit) = max;
	}
	if (f->counted)
		*(uint32_t *)(void *)((char *)base + f->count) = count = actual;
	if (actual != count)
		return ERR(e, E_RPC_BAD_STUB_DATA, "array of %u elements, count says %u", actual, count);
	if (actual > ndr_in_left(in) / least)
		return ERR(e, E_RPC_BAD_STUB_DATA, "%u elements announced, %zu octets left", actual,
		    ndr_in_left(in));
	elements = ndr_in_alloc(in, actual, f->size, e);
	if (elements == NULL)
		return -1;
	*(void **)ndr_member(f, base) = elements;
	for (uint32_t i = 0; i < actual; i++)
		if (pull_struct(in, f->sub, elements + i * f->size, e) != 0)
			return err_prefix(e, "[%u]", i);
	return 0;
}

static int
pull_array(struct ndr_in *in, const struct ndr_field *f, void *base, struct err *e)
{
	uint32_t max;

	return ndr_in_u32(in, &max, e) != 0 ? -1 : pull_elements(in, f, base, max, e);
}

/* The value itself, its pointer (if any) already followed. */
static int
pull_value(struct ndr_in *in, const struct ndr_field *f, void *base, void *at, struct err *e)
{
	struct bytes octets;

	switch (f->kind) {
	case NDR_U8:
	case NDR_U16:
	case NDR_U32:
	case NDR_STATUS:
		return pull_number(in, f, at, e);
	case NDR_HYPER:
		return ndr_in_hyper(in, at, e);
	case NDR_GUID:
		return ndr_in_guid(in, at, e);
	case NDR_WSTR:
		return pull_wstr(in, f, at, e);
	case NDR_VSTR:
		return pull_vstr(in, f, base, at, e);
	case NDR_BYTES:
		if (ndr_in_octets(in, f->size, &octets, e) != 0)
			return -1;
		memcpy(at, octets.p, f->size);
		return 0;
	case NDR_STRUCT:
		return pull_struct(in, f->sub, at, e);
	case NDR_ARRAY:
		return pull_array(in, f, base, e);
	case NDR_CUSTOM:
		ndr_in_align(in, f->custom->align);
		return f->custom->pull(in, at, e);
	case NDR_BLOB: /* has its own pointer; pull_field knows */
	case NDR_BLOB_LAST:
	case NDR_END:
		break;
	}
	assert(!"row of a table");
	return -1;
}

static int
pull_field(struct ndr_in *in, const struct ndr_field *f, void *base, bool top, struct err *e)
{
	void *at = ndr_member(f, base);
	uint32_t id;

	if (ndr_is_blob(f)) {
		ndr_in_align(in, 4);
		return pull_blob(in, f, base, e);
	}
	if (ndr_has_id(f, top)) {
		if (ndr_in_u32(in, &id, e) != 0)
			return -1;
		if (id != 0)
			return defer(in, f, base, id, e);
		if (f->pointer == NDR_REF)
			return ERR(e, E_RPC_BAD_STUB_DATA, "null reference pointer");
		return 0;
	}
	if (f->pointer == NDR_REF && !ndr_is_own_pointer(f)) {
		void *referent = ndr_in_alloc(in, 1, f->size, e);

		if (referent == NULL)
			return -1;
		*(void **)at = referent;
		at = referent;
	}
	return pull_value(in, f, base, at, e);
}

/* A full pointer's id seen before: *done, and the member points at the same referent. */
static int
resolve_alias(struct ndr_in *in, const struct ndr_deferred *d, void *at, bool *done, struct err *e)
{
	for (struct ndr_alias *a = in->aliases; a != NULL; a = a->next) {
		if (a->id != d->id)
			continue;
		if (a->field->kind != d->field->kind || a->field->size != d->field->size ||
		    a->field->sub != d->field->sub || a->field->custom != d->field->custom)
			return ERR(e, E_RPC_BAD_STUB_DATA, "full pointer %08x to another type", d->id);
		*(void **)at = a->referent;
		*done = true;
		return 0;
	}
	return 0;
}

static int
remember_alias(struct ndr_in *in, const struct ndr_deferred *d, void *referent, struct err *e)
{
	struct ndr_alias *a;

	if (in->n_aliases == MAX_ALIASES)
		return ERR(e, E_RPC_BAD_STUB_DATA, "more than %d full pointers", MAX_ALIASES);
	a = ndr_in_alloc(in, 1, sizeof(*a), e);
	if (a == NULL)
		return -1;
	*a = (struct ndr_alias){ .next = in->aliases, .field = d->field, .id = d->id, .referent = referent };
	in->aliases = a;
	in->n_aliases++;
	return 0;
}

static int
pull_referent(struct ndr_in *in, const struct ndr_deferred *d, struct err *e)
{
	const struct ndr_field *f = d->field;
	void *at = ndr_member(f, d->base);
	bool aliased = false;
	void *referent;

	if (ndr_is_blob(f))
		return pull_blob_octets(in, at, e);
	if (ndr_is_own_pointer(f))
		return pull_value(in, f, d->base, at, e);
	if (f->pointer == NDR_FULL && resolve_alias(in, d, at, &aliased, e) != 0)
		return -1;
	if (aliased)
		return 0;
	referent = ndr_in_alloc(in, 1, f->size, e);
	if (referent == NULL)
		return -1;
	if (f->pointer == NDR_FULL && remember_alias(in, d, referent, e) != 0)
		return -1;
	*(void **)at = referent;
	return pull_value(in, f, d->base, referent, e);
}

/* Reads the referents waiting; those of a referent come right behind it, before its siblings. */
static int
pull_deferred(struct ndr_in *in, struct err *e)
{
	struct ndr_deferred *d = in->first;
	int ret = 0;

	if (d == NULL)
		return 0;
	if (in->depth == NDR_MAX_DEPTH)
		return ERR(e, E_RPC_BAD_STUB_DATA, "referents nested deeper than %d", NDR_MAX_DEPTH);
	in->depth++;
	for (; d != NULL && ret == 0; d = d->next) {
		in->first = NULL;
		in->last = &in->first;
		if (pull_referent(in, d, e) != 0 || pull_deferred(in, e) != 0)
			ret = err_prefix(e, "%s", d->field->name);
	}
	in->depth--;
	in->first = NULL;
	in->last = &in->first;
	return ret;
}

int
ndr_pull(const struct ndr_field *fields, size_t size, struct bytes in, struct pool *pool, void **out,
    size_t *used, struct err *e)
{
	return ndr_pull_behind(fields, size, in, 0, pool, out, used, e);
}

int
ndr_pull_behind(const struct ndr_field *fields, size_t size, struct bytes in, size_t off, struct pool *pool,
    void **out, size_t *used, struct err *e)
{
	struct ndr_in c;
	void *args;

	assert(off <= in.len);
	ndr_in_init(&c, in, pool);
	c.off = off;
	args = ndr_in_alloc(&c, 1, size, e);
	if (args == NULL)
		return -1;
	for (const struct ndr_field *f = fields; f->kind != NDR_END; f++) {
		if (pull_field(&c, f, args, true, e) != 0)
			return err_prefix(e, "%s", f->name);
		if (pull_deferred(&c, e) != 0)
			return -1;
	}
	*out = args;
	if (used != NULL)
		*used = c.off;
	return 0;
}
