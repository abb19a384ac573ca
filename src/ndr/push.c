#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "ndr/table_priv.h"

/*
 * A construct is written in two passes over its table: first everything of fixed size with the ids of its
 * pointers, then the referents, each with its own behind it: depth first, in the order of the rows
 * (C706 14.3.12.3).
 */
static int
push_struct(struct ndr_out *out, const struct ndr_field *fields, const void *base, struct err *e);
static int
push_referents(struct ndr_out *out, const struct ndr_field *fields, const void *base, struct err *e);

static int
push_number(struct ndr_out *out, const struct ndr_field *f, const void *at, struct err *e)
{
	uint32_t v = f->kind == NDR_U8 ? *(const uint8_t *)at
	    : f->kind == NDR_U16       ? *(const uint16_t *)at
				       : *(const uint32_t *)at;

	if (v < f->min || v > f->max)
		return ERR(e, E_INVALIDARG, "%u outside range(%u,%u)", v, f->min, f->max);
	if (f->kind == NDR_U8)
		ndr_out_u8(out, (uint8_t)v);
	else if (f->kind == NDR_U16)
		ndr_out_u16(out, (uint16_t)v);
	else
		ndr_out_u32(out, v);
	return 0;
}

static int
push_wstr(struct ndr_out *out, const struct ndr_field *f, const char *text, struct err *e)
{
	size_t at, units;

	ndr_out_align(out, 4);
	at = out->b->len;
	buf_put_zero(out->b, 12); /* MaxCount, offset, ActualCount; the counts are known afterwards */
	if (text_utf8_to_utf16le(out->b, text, strlen(text), e) != 0)
		return -1;
	buf_put_u16le(out->b, 0);
	if (!buf_ok(out->b))
		return 0; /* ndr_push tells */
	units = (out->b->len - at - 12) / 2;
	if (units < f->min || units > f->max)
		return ERR(
		    e, E_INVALIDARG, "string of %zu units outside range(%u,%u)", units, f->min, f->max);
	set_u32le(out->b->p + at, (uint32_t)units);
	set_u32le(out->b->p + at + 8, (uint32_t)units);
	return 0;
}

static int
push_vstr(struct ndr_out *out, const struct ndr_field *f, const void *base, const char *text, struct err *e)
{
	bool sized = f->limit != NDR_NO_MEMBER;
	uint32_t max = sized ? ndr_get_count(base, f->limit) : f->max;
	size_t n = text != NULL ? strlen(text) + 1 : !sized;

	if (max > f->max || n > max)
		return ERR(
		    e, E_INVALIDARG, "string of %zu characters, MaxCount %u, at most %u", n, max, f->max);
	if (sized)
		ndr_out_u32(out, max);
	ndr_out_u32(out, 0);
	ndr_out_u32(out, (uint32_t)n);
	buf_put(out->b, text != NULL ? text : "", n);
	return 0;
}

static int
push_blob(struct ndr_out *out, const struct ndr_field *f, const struct bytes *b, struct err *e)
{
	if (b->len > UINT32_MAX || (b->p == NULL && b->len > 0))
		return ERR(e, E_INVALIDARG, "%zu octets%s", b->len, b->p == NULL ? " at NULL" : "");
	if (f->kind == NDR_BLOB)
		ndr_out_u32(out, (uint32_t)b->len);
	ndr_out_pointer(out, b->p != NULL);
	if (f->kind == NDR_BLOB_LAST)
		ndr_out_u32(out, (uint32_t)b->len);
	return 0;
}

static int
push_max_count(struct ndr_out *out, const struct ndr_field *f, const void *base, struct err *e)
{
	const char *elements = ndr_get_pointer(ndr_const_member(f, base));
	uint32_t count = ndr_get_count(base, f->count);
	uint32_t max = f->limit != NDR_NO_MEMBER ? ndr_get_count(base, f->limit) : count;

	if (count > max || max > f->max || (elements == NULL && count > 0))
		return ERR(
		    e, E_INVALIDARG, "array of %u elements, MaxCount %u, at most %u", count, max, f->max);
	ndr_out_u32(out, max);
	return 0;
}

/* An array whose MaxCount has been written. */
static int
push_elements(struct ndr_out *out, const struct ndr_field *f, const void *base, struct err *e)
{
	const char *elements = ndr_get_pointer(ndr_const_member(f, base));
	uint32_t count = ndr_get_count(base, f->count);

	if (f->limit != NDR_NO_MEMBER) {
		ndr_out_u32(out, 0);
		ndr_out_u32(out, count);
	}
	for (uint32_t i = 0; i < count; i++)
		if (push_struct(out, f->sub, elements + i * f->size, e) != 0)
			return err_prefix(e, "[%u]", i);
	return 0;
}

static int
push_array(struct ndr_out *out, const struct ndr_field *f, const void *base, struct err *e)
{
	return push_max_count(out, f, base, e) != 0 ? -1 : push_elements(out, f, base, e);
}

static int
push_value(struct ndr_out *out, const struct ndr_field *f, const void *base, const void *at, struct err *e)
{
	switch (f->kind) {
	case NDR_U8:
	case NDR_U16:
	case NDR_U32:
	case NDR_STATUS:
		return push_number(out, f, at, e);
	case NDR_HYPER:
		ndr_out_hyper(out, *(const uint64_t *)at);
		return 0;
	case NDR_GUID:
		ndr_out_guid(out, at);
		return 0;
	case NDR_WSTR:
		return push_wstr(out, f, ndr_get_text(at), e);
	case NDR_VSTR:
		return push_vstr(out, f, base, ndr_get_text(at), e);
	case NDR_BLOB:
	case NDR_BLOB_LAST:
		return push_blob(out, f, at, e);
	case NDR_BYTES:
		ndr_out_octets(out, (struct bytes){ at, f->size });
		return 0;
	case NDR_STRUCT:
		return push_struct(out, f->sub, at, e);
	case NDR_ARRAY:
		return push_array(out, f, base, e);
	case NDR_CUSTOM:
		ndr_out_align(out, f->custom->align);
		return f->custom->push(out, at, e);
	case NDR_END:
		break;
	}
	assert(!"row of a table");
	return -1;
}

static int
push_field(struct ndr_out *out, const struct ndr_field *f, const void *base, bool top, struct err *e)
{
	const void *at = ndr_const_member(f, base);

	if (f->pointer == NDR_INLINE)
		return push_value(out, f, base, at, e);
	if (f->pointer == NDR_REF && ndr_get_pointer(at) == NULL)
		return ERR(e, E_INVALIDARG, "null reference pointer");
	if (ndr_has_id(f, top)) {
		ndr_out_pointer(out, ndr_get_pointer(at) != NULL);
		return 0;
	}
	return push_value(out, f, base, ndr_is_own_pointer(f) ? at : ndr_get_pointer(at), e);
}

/* The referents inside a value that has been written. */
static int
push_inner_referents(
    struct ndr_out *out, const struct ndr_field *f, const void *base, const void *at, struct err *e)
{
	const char *elements;

	switch (f->kind) {
	case NDR_STRUCT:
		return push_referents(out, f->sub, at, e);
	case NDR_ARRAY:
		elements = ndr_get_pointer(ndr_const_member(f, base));
		for (uint32_t i = 0; i < ndr_get_count(base, f->count); i++)
			if (push_referents(out, f->sub, elements + i * f->size, e) != 0)
				return err_prefix(e, "[%u]", i);
		return 0;
	case NDR_BLOB:
	case NDR_BLOB_LAST:
		if (((const struct bytes *)at)->p != NULL) {
			ndr_out_u32(out, (uint32_t)((const struct bytes *)at)->len);
			ndr_out_octets(out, *(const struct bytes *)at);
		}
		return 0;
	default:
		return 0;
	}
}

/* What push_field left for later: the referent behind its id, then whatever hangs on the value. */
static int
push_field_referents(
    struct ndr_out *out, const struct ndr_field *f, const void *base, bool top, struct err *e)
{
	const void *at = ndr_const_member(f, base);
	int ret;

	if (f->pointer != NDR_INLINE) {
		const void *referent = ndr_get_pointer(at);

		if (referent == NULL)
			return 0;
		if (!ndr_is_own_pointer(f))
			at = referent;
		if (ndr_has_id(f, top) && push_value(out, f, base, at, e) != 0)
			return -1;
	}
	if (out->depth == NDR_MAX_DEPTH)
		return ERR(e, E_INVALIDARG, "nested deeper than %d", NDR_MAX_DEPTH);
	out->depth++;
	ret = push_inner_referents(out, f, base, at, e);
	out->depth--;
	return ret;
}

static int
push_struct(struct ndr_out *out, const struct ndr_field *fields, const void *base, struct err *e)
{
	const struct ndr_field *f, *tail = ndr_table_tail(fields);

	if (tail->kind != NDR_END && push_max_count(out, tail, base, e) != 0)
		return err_prefix(e, "%s", tail->name);
	ndr_out_align(out, ndr_table_align(fields));
	for (f = fields; f != tail; f++)
		if (push_field(out, f, base, false, e) != 0)
			return err_prefix(e, "%s", f->name);
	if (tail->kind != NDR_END && push_elements(out, tail, base, e) != 0)
		return err_prefix(e, "%s", tail->name);
	return 0;
}

static int
push_referents(struct ndr_out *out, const struct ndr_field *fields, const void *base, struct err *e)
{
	for (const struct ndr_field *f = fields; f->kind != NDR_END; f++)
		if (push_field_referents(out, f, base, false, e) != 0)
			return err_prefix(e, "%s", f->name);
	return 0;
}

int
ndr_push(const struct ndr_field *fields, const void *args, struct buf *out, struct err *e)
{
	struct ndr_out o;

	ndr_out_init(&o, out);
	for (const struct ndr_field *f = fields; f->kind != NDR_END; f++)
		if (push_field(&o, f, args, true, e) != 0 || push_field_referents(&o, f, args, true, e) != 0)
			return err_prefix(e, "%s", f->name);
	if (!buf_ok(out))
		return ERR(e, E_OUTOFMEMORY, "arguments longer than %zu octets", out->max);
	return 0;
}
