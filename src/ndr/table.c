#include <assert.h>

#include "ndr/table_priv.h"

static size_t
field_align(const struct ndr_field *f)
{
	if (f->pointer != NDR_INLINE)
		return 4;
	switch (f->kind) {
	case NDR_U16:
		return 2;
	case NDR_HYPER:
		return 8;
	case NDR_STRUCT:
		return ndr_table_align(f->sub);
	case NDR_CUSTOM:
		return f->custom->align;
	case NDR_U8:
	case NDR_BYTES:
	case NDR_END:
		return 1;
	default:
		return 4;
	}
}

size_t
ndr_table_align(const struct ndr_field *fields)
{
	size_t widest = 1;

	for (const struct ndr_field *f = fields; f->kind != NDR_END; f++)
		if (field_align(f) > widest)
			widest = field_align(f);
	return widest;
}

static size_t
field_min_wire(const struct ndr_field *f)
{
	if (f->pointer != NDR_INLINE)
		return 4;
	switch (f->kind) {
	case NDR_END:
		return 0;
	case NDR_U8:
		return 1;
	case NDR_U16:
		return 2;
	case NDR_U32:
	case NDR_STATUS:
		return 4;
	case NDR_HYPER:
	case NDR_VSTR: /* offset, count; before them perhaps MaxCount */
	case NDR_BLOB: /* cb, id */
	case NDR_BLOB_LAST:
		return 8;
	case NDR_GUID:
		return 16;
	case NDR_WSTR: /* MaxCount, offset, count */
		return 12;
	case NDR_BYTES:
		return f->size;
	case NDR_STRUCT:
		return ndr_table_min_wire(f->sub);
	case NDR_ARRAY:
		return f->limit == NDR_NO_MEMBER ? 4 : 12;
	case NDR_CUSTOM:
		return f->custom->min_wire;
	}
	return 0;
}

size_t
ndr_table_min_wire(const struct ndr_field *fields)
{
	size_t sum = 0;

	for (const struct ndr_field *f = fields; f->kind != NDR_END; f++)
		sum += field_min_wire(f);
	return sum;
}

const struct ndr_field *
ndr_table_tail(const struct ndr_field *fields)
{
	const struct ndr_field *f = fields;

	while (f->kind != NDR_END && !(f->kind == NDR_ARRAY && f->pointer == NDR_INLINE))
		f++;
	assert(f->kind == NDR_END || f[1].kind == NDR_END);
	return f;
}
