#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "ndr/table_priv.h"

#define BLOB_SHOWN 32 /* octets */

static void
print_table(const struct ndr_field *fields, const void *base, unsigned depth, struct buf *out);

static void
print_indent(unsigned depth, struct buf *out)
{
	for (unsigned i = 0; i < depth; i++)
		buf_put_str(out, "  ");
}

void
ndr_print_text(const char *s, struct buf *out)
{
	buf_put_u8(out, '"');
	for (; *s != 0; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '\n')
			buf_put_str(out, "\\n");
		else if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buf_printf(out, "\\x%02x", c);
		else
			buf_put_u8(out, c);
	}
	buf_put_u8(out, '"');
}

void
ndr_print_octets(struct bytes b, struct buf *out)
{
	struct bytes head = { b.p, b.len < BLOB_SHOWN ? b.len : BLOB_SHOWN };

	buf_printf(out, "%zu octets%s", b.len, b.len > 0 ? " " : "");
	text_put_hex(out, head);
	if (head.len < b.len)
		buf_put_str(out, "...");
}

static void
print_number(uint32_t v, struct buf *out)
{
	buf_printf(out, "%" PRIu32, v);
	if (v > 9)
		buf_printf(out, " (0x%" PRIx32 ")", v);
}

static void
print_status(uint32_t v, struct buf *out)
{
	const char *name = hresult_name(v);

	buf_printf(out, "0x%08" PRIx32 "%s%s", v, name != NULL ? " " : "", name != NULL ? name : "");
}

static void
print_scalar(const struct ndr_field *f, const void *at, struct buf *out)
{
	char guid[GUID_TEXT_MAX];

	switch (f->kind) {
	case NDR_U8:
		print_number(*(const uint8_t *)at, out);
		break;
	case NDR_U16:
		print_number(*(const uint16_t *)at, out);
		break;
	case NDR_U32:
		print_number(*(const uint32_t *)at, out);
		break;
	case NDR_STATUS:
		print_status(*(const uint32_t *)at, out);
		break;
	case NDR_HYPER:
		buf_printf(out, "0x%016" PRIx64, *(const uint64_t *)at);
		break;
	case NDR_GUID:
		buf_put_str(out, guid_to_text(at, guid));
		break;
	case NDR_WSTR:
	case NDR_VSTR:
		ndr_print_text(ndr_get_text(at), out);
		break;
	case NDR_BYTES:
		ndr_print_octets((struct bytes){ at, f->size }, out);
		break;
	case NDR_BLOB:
	case NDR_BLOB_LAST:
		ndr_print_octets(*(const struct bytes *)at, out);
		break;
	case NDR_CUSTOM:
		f->custom->print(at, out);
		break;
	default:
		break;
	}
}

static void
print_array(const struct ndr_field *f, const void *base, unsigned depth, struct buf *out)
{
	const char *elements = ndr_get_pointer(ndr_const_member(f, base));
	uint32_t count = ndr_get_count(base, f->count);

	buf_printf(out, " %" PRIu32, count);
	if (f->limit != NDR_NO_MEMBER)
		buf_printf(out, " of at most %" PRIu32, ndr_get_count(base, f->limit));
	buf_put_u8(out, '\n');
	for (uint32_t i = 0; i < count; i++) {
		print_indent(depth + 1, out);
		buf_printf(out, "[%" PRIu32 "]\n", i);
		print_table(f->sub, elements + i * f->size, depth + 2, out);
	}
}

/* Is there nothing behind the row's pointer? */
static bool
is_null(const struct ndr_field *f, const void *at)
{
	if (ndr_is_blob(f))
		return ((const struct bytes *)at)->p == NULL;
	if (f->kind == NDR_VSTR || f->pointer != NDR_INLINE)
		return ndr_get_pointer(at) == NULL;
	return false;
}

static void
print_field(const struct ndr_field *f, const void *base, unsigned depth, struct buf *out)
{
	const void *at = ndr_const_member(f, base);

	print_indent(depth, out);
	buf_printf(out, "%s:", f->name);
	if (is_null(f, at)) {
		buf_put_str(out, " NULL\n");
		return;
	}
	if (f->pointer != NDR_INLINE && !ndr_is_own_pointer(f))
		at = ndr_get_pointer(at);
	if (f->kind == NDR_ARRAY) {
		print_array(f, base, depth, out);
	} else if (f->kind == NDR_STRUCT) {
		buf_put_u8(out, '\n');
		print_table(f->sub, at, depth + 1, out);
	} else {
		buf_put_u8(out, ' ');
		print_scalar(f, at, out);
		buf_put_u8(out, '\n');
	}
}

static void
print_table(const struct ndr_field *fields, const void *base, unsigned depth, struct buf *out)
{
	if (depth > 2 * NDR_MAX_DEPTH) { /* full pointers can form a ring */
		print_indent(depth, out);
		buf_put_str(out, "...\n");
		return;
	}
	for (const struct ndr_field *f = fields; f->kind != NDR_END && buf_ok(out); f++)
		print_field(f, base, depth, out);
}

void
ndr_print(const struct ndr_field *fields, const void *args, struct buf *out)
{
	print_table(fields, args, 0, out);
}
