/* ASN.1 character strings, read one character at a time whatever their type. */
#include <string.h>

#include "x509/x509_priv.h"

#define DER_GRAPHIC_STRING 0x19
#define DER_GENERAL_STRING 0x1b
#define DER_VIDEOTEX_STRING 0x15

bool
x509_is_text(uint8_t tag)
{
	switch (tag) {
	case DER_UTF8_STRING:
	case DER_NUMERIC_STRING:
	case DER_PRINTABLE_STRING:
	case DER_T61_STRING:
	case DER_VIDEOTEX_STRING:
	case DER_IA5_STRING:
	case DER_GRAPHIC_STRING:
	case DER_VISIBLE_STRING:
	case DER_GENERAL_STRING:
	case DER_UNIVERSAL_STRING:
	case DER_BMP_STRING:
		return true;
	default:
		return false;
	}
}

static bool
is_scalar(uint32_t cp)
{
	return cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff);
}

static int
next_utf8(struct bytes *in, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	uint8_t lead = in->p[0];
	size_t more = lead < 0x80 ? 0 : (lead & 0xe0) == 0xc0 ? 1 : (lead & 0xf0) == 0xe0 ? 2 : 3;
	uint32_t c;

	if (lead >= 0xf8 || (lead & 0xc0) == 0x80 || more >= in->len)
		return -1;
	c = more == 0 ? lead : lead & (0x3fu >> more);
	for (size_t i = 1; i <= more; i++) {
		if ((in->p[i] & 0xc0) != 0x80)
			return -1;
		c = c << 6 | (in->p[i] & 0x3fu);
	}
	if (c < least[more] || !is_scalar(c))
		return -1;
	in->p += 1 + more;
	in->len -= 1 + more;
	*cp = c;
	return 1;
}

/* Windows writes UTF-16 into BMPString, so pairs of surrogates are read as what they mean. */
static int
next_bmp(struct bytes *in, uint32_t *cp)
{
	uint32_t c, low;

	if (in->len < 2)
		return -1;
	c = (uint32_t)in->p[0] << 8 | in->p[1];
	in->p += 2;
	in->len -= 2;
	if (c >= 0xd800 && c <= 0xdbff) {
		if (in->len < 2)
			return -1;
		low = (uint32_t)in->p[0] << 8 | in->p[1];
		if (low < 0xdc00 || low > 0xdfff)
			return -1;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		in->p += 2;
		in->len -= 2;
	}
	*cp = c;
	return is_scalar(c) ? 1 : -1;
}

static int
next_universal(struct bytes *in, uint32_t *cp)
{
	if (in->len < 4)
		return -1;
	*cp = (uint32_t)in->p[0] << 24 | (uint32_t)in->p[1] << 16 | (uint32_t)in->p[2] << 8 | in->p[3];
	in->p += 4;
	in->len -= 4;
	return is_scalar(*cp) ? 1 : -1;
}

int
x509_text_next(uint8_t tag, struct bytes *in, uint32_t *cp)
{
	if (in->len == 0)
		return 0;
	if (tag == DER_UTF8_STRING)
		return next_utf8(in, cp);
	if (tag == DER_BMP_STRING)
		return next_bmp(in, cp);
	if (tag == DER_UNIVERSAL_STRING)
		return next_universal(in, cp);
	/* The rest have one octet per character; above ASCII everybody means Latin-1. */
	*cp = in->p[0];
	in->p++;
	in->len--;
	return 1;
}

static size_t
encode_utf8(uint8_t out[4], uint32_t cp)
{
	size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;

	if (n == 1) {
		out[0] = (uint8_t)cp;
		return n;
	}
	for (size_t i = n - 1; i > 0; i--, cp >>= 6)
		out[i] = (uint8_t)(0x80 | (cp & 0x3f));
	out[0] = (uint8_t)(0xf0u << (4 - n) | cp);
	return n;
}

bool
x509_text_is_readable(uint8_t tag, struct bytes value)
{
	uint32_t cp;
	int got = 1;

	while (x509_is_text(tag) && got == 1)
		got = x509_text_next(tag, &value, &cp);
	return got == 0;
}

int
x509_text_check(uint8_t tag, struct bytes value, uint32_t hr, struct err *e)
{
	uint32_t cp = 1;
	int got;

	if (!x509_is_text(tag))
		return ERR(e, hr, "a value of type 0x%02x is not text", tag);
	while ((got = x509_text_next(tag, &value, &cp)) == 1) {
		if (cp == 0)
			return ERR(e, hr, "text with an embedded NUL");
	}
	if (got < 0)
		return ERR(e, hr, "malformed text (string type 0x%02x)", tag);
	return 0;
}

char *
x509_text_dup(struct pool *pool, uint8_t tag, struct bytes value, uint32_t hr, struct err *e)
{
	struct buf out;
	uint8_t utf8[4];
	uint32_t cp;
	char *text = NULL;

	if (x509_text_check(tag, value, hr, e) != 0)
		return NULL;
	if (tag == DER_UTF8_STRING) {
		text = pool_strndup(pool, (const char *)value.p, value.len);
	} else {
		buf_init(&out, 2 * value.len + 1); /* Latin-1 doubles at worst, the others grow less */
		while (x509_text_next(tag, &value, &cp) == 1)
			buf_put(&out, utf8, encode_utf8(utf8, cp));
		if (buf_ok(&out))
			text = pool_strndup(pool, (const char *)out.p, out.len);
		buf_fini(&out);
	}
	if (text == NULL)
		ERR(e, E_OUTOFMEMORY, "no memory for a text of %zu octets", value.len);
	return text;
}

void
x509_put_escaped(struct buf *out, uint8_t tag, struct bytes value)
{
	bool first = true;
	uint8_t utf8[4];
	uint32_t cp;

	while (x509_text_next(tag, &value, &cp) == 1) {
		bool control = cp < 0x20 || (cp >= 0x7f && cp < 0xa0);
		bool special = (cp < 0x80 && strchr(",+\"\\<>;", (int)cp) != NULL) ||
		    (cp == ' ' && (first || value.len == 0)) || (cp == '#' && first);
		size_t n = encode_utf8(utf8, cp);

		first = false;
		if (special && !control)
			buf_put_u8(out, '\\');
		for (size_t i = 0; i < n; i++) {
			if (control)
				buf_printf(out, "\\%02x", utf8[i]);
			else
				buf_put_u8(out, utf8[i]);
		}
	}
}
