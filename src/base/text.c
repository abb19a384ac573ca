#include "base/text.h"

#include <string.h>

/* Decodes one code point at s (n > 0 octets). Octets taken, or 0 when malformed (RFC 3629: no overlong, no
 * surrogate). */
static size_t
utf8_decode(const uint8_t *s, size_t n, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len;

	if (s[0] < 0x80) {
		*cp = s[0];
		return 1;
	}
	len = s[0] >= 0xf0 && s[0] < 0xf8 ? 4
	    : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
	    : s[0] >= 0xc0 && s[0] < 0xe0 ? 2
					  : 0;
	if (len == 0 || len > n)
		return 0;
	*cp = s[0] & (0xff >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*cp = *cp << 6 | (s[i] & 0x3f);
	}
	if (*cp < least[len] || *cp > 0x10ffff || (*cp >= 0xd800 && *cp <= 0xdfff))
		return 0;
	return len;
}

static void
utf8_encode(struct buf *out, uint32_t cp)
{
	uint8_t o[4];
	size_t n;

	if (cp < 0x80) {
		o[0] = (uint8_t)cp;
		n = 1;
	} else if (cp < 0x800) {
		o[0] = (uint8_t)(0xc0 | cp >> 6);
		n = 2;
	} else if (cp < 0x10000) {
		o[0] = (uint8_t)(0xe0 | cp >> 12);
		n = 3;
	} else {
		o[0] = (uint8_t)(0xf0 | cp >> 18);
		n = 4;
	}
	for (size_t i = 1; i < n; i++)
		o[i] = (uint8_t)(0x80 | (cp >> (6 * (n - 1 - i)) & 0x3f));
	buf_put(out, o, n);
}

/* UTF-16 either way round: `low` is the offset of the low octet in each unit (0 for LE, 1 for BE). */
static int
utf16_to_utf8(struct buf *out, struct bytes in, unsigned low, struct err *e)
{
	if (in.len % 2 != 0)
		return ERR(e, E_INVALIDARG, "UTF-16 text of %zu octets, an odd number", in.len);
	for (size_t i = 0; i < in.len; i += 2) {
		uint32_t u = (uint32_t)(in.p[i + low] | in.p[i + 1 - low] << 8);

		if (u >= 0xd800 && u <= 0xdbff && in.len - i >= 4) {
			uint32_t v = (uint32_t)(in.p[i + 2 + low] | in.p[i + 3 - low] << 8);

			if (v >= 0xdc00 && v <= 0xdfff) {
				utf8_encode(out, 0x10000 + ((u - 0xd800) << 10) + (v - 0xdc00));
				i += 2;
				continue;
			}
		}
		if (u >= 0xd800 && u <= 0xdfff)
			return ERR(e, E_INVALIDARG, "lone surrogate %04x in UTF-16 text at octet %zu", u, i);
		utf8_encode(out, u);
	}
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "text longer than %zu octets", out->max);
}

int
text_utf16le_to_utf8(struct buf *out, struct bytes in, struct err *e)
{
	return utf16_to_utf8(out, in, 0, e);
}

static char *
utf16_in_pool(struct pool *pool, struct bytes in, unsigned low, struct err *e)
{
	struct buf b;
	char *s = NULL;

	buf_init(&b, in.len / 2 * 3 + 1); /* a unit of two octets takes at most three */
	if (utf16_to_utf8(&b, in, low, e) != 0)
		goto out;
	if (memchr(b.p != NULL ? b.p : (const uint8_t *)"x", 0, b.len) != NULL) {
		ERR(e, E_INVALIDARG, "NUL inside a text");
		goto out;
	}
	s = pool_strndup(pool, (const char *)b.p, b.len);
	if (s == NULL)
		ERR(e, E_OUTOFMEMORY, "no memory for a text of %zu octets", b.len);
out:
	buf_fini(&b);
	return s;
}

char *
text_from_utf16le(struct pool *pool, struct bytes in, struct err *e)
{
	return utf16_in_pool(pool, in, 0, e);
}

char *
text_from_bmp(struct pool *pool, struct bytes in, struct err *e)
{
	return utf16_in_pool(pool, in, 1, e);
}

int
text_utf8_to_utf16le(struct buf *out, const char *s, size_t n, struct err *e)
{
	for (size_t i = 0; i < n;) {
		uint32_t cp;
		size_t len = utf8_decode((const uint8_t *)s + i, n - i, &cp);

		if (len == 0)
			return ERR(e, E_INVALIDARG, "malformed UTF-8 at octet %zu", i);
		if (cp >= 0x10000) {
			buf_put_u16le(out, (uint16_t)(0xd800 + ((cp - 0x10000) >> 10)));
			buf_put_u16le(out, (uint16_t)(0xdc00 + ((cp - 0x10000) & 0x3ff)));
		} else {
			buf_put_u16le(out, (uint16_t)cp);
		}
		i += len;
	}
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "text longer than %zu octets", out->max);
}

int
text_utf8_to_bmp(struct buf *out, const char *s, size_t n, struct err *e)
{
	for (size_t i = 0; i < n;) {
		uint32_t cp;
		size_t len = utf8_decode((const uint8_t *)s + i, n - i, &cp);

		if (len == 0)
			return ERR(e, E_INVALIDARG, "malformed UTF-8 at octet %zu", i);
		if (cp >= 0x10000)
			return ERR(e, E_INVALIDARG, "character U+%X has no place in a BMPString", cp);
		buf_put_u8(out, (uint8_t)(cp >> 8));
		buf_put_u8(out, (uint8_t)cp);
		i += len;
	}
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "text longer than %zu octets", out->max);
}

bool
text_is_utf8(const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint32_t cp;
		size_t len = utf8_decode((const uint8_t *)s + i, n - i, &cp);

		if (len == 0 || cp == 0)
			return false;
		i += len;
	}
	return true;
}

uint16_t
text_upper_unit(uint16_t c)
{
	if (c < 0x80)
		return c >= 'a' && c <= 'z' ? (uint16_t)(c - 32) : c;
	if ((c >= 0xe0 && c <= 0xfe && c != 0xf7) || (c >= 0x3b1 && c <= 0x3c9 && c != 0x3c2))
		return (uint16_t)(c - 32);
	if (c == 0xff)
		return 0x178;
	if (c >= 0x100 && c <= 0x17f) { /* Latin Extended-A: pairs, upper first; the parity turns twice */
		bool odd_upper = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e);

		if (c == 0x131 || c == 0x138 || c == 0x149 || c == 0x17f)
			return c;
		return odd_upper == (c % 2 == 0) ? (uint16_t)(c - 1) : c;
	}
	if (c >= 0x430 && c <= 0x44f)
		return (uint16_t)(c - 32);
	if (c >= 0x450 && c <= 0x45f)
		return (uint16_t)(c - 80);
	return c;
}

void
text_put_decimal(struct buf *out, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	buf_put(out, digits + at, sizeof(digits) - at);
}

void
text_put_hex(struct buf *out, struct bytes in)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t *at = buf_extend(out, 2 * in.len);

	for (size_t i = 0; at != NULL && i < in.len; i++) {
		*at++ = (uint8_t)digits[in.p[i] >> 4];
		*at++ = (uint8_t)digits[in.p[i] & 15];
	}
}

static bool
is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int
hex_value(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
text_parse_hex(struct buf *out, const char *s, struct err *e)
{
	int high = -1;

	for (size_t i = 0; s[i] != '\0'; i++) {
		int v;

		if (is_blank(s[i]))
			continue;
		v = hex_value((unsigned char)s[i]);
		if (v < 0)
			return ERR(e, E_INVALIDARG, "not a hexadecimal digit at %zu", i);
		if (high < 0) {
			high = v;
		} else {
			buf_put_u8(out, (uint8_t)(high << 4 | v));
			high = -1;
		}
	}
	if (high >= 0)
		return ERR(e, E_INVALIDARG, "odd number of hexadecimal digits");
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "more than %zu octets", out->max);
}

void
text_put_base64(struct buf *out, struct bytes in, unsigned wrap)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned column = 0;

	for (size_t i = 0; i < in.len; i += 3) {
		size_t left = in.len - i;
		uint32_t v = (uint32_t)in.p[i] << 16 | (left > 1 ? (uint32_t)in.p[i + 1] << 8 : 0) |
		    (left > 2 ? in.p[i + 2] : 0);
		char q[4] = { alphabet[v >> 18], alphabet[v >> 12 & 63],
			left > 1 ? alphabet[v >> 6 & 63] : '=', left > 2 ? alphabet[v & 63] : '=' };

		for (unsigned k = 0; k < 4; k++) {
			buf_put_u8(out, (uint8_t)q[k]);
			if (wrap > 0 && ++column == wrap) {
				buf_put_u8(out, '\n');
				column = 0;
			}
		}
	}
	if (wrap > 0 && column > 0)
		buf_put_u8(out, '\n');
}

void
text_put_pem(struct buf *out, struct bytes in, const char *label)
{
	buf_printf(out, "-----BEGIN %s-----\n", label);
	text_put_base64(out, in, 64);
	buf_printf(out, "-----END %s-----\n", label);
}

static int
base64_value(int c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int
text_parse_base64(struct buf *out, struct bytes in, struct err *e)
{
	uint32_t acc = 0;
	unsigned have = 0, pads = 0;

	for (size_t i = 0; i < in.len; i++) {
		int v;

		if (is_blank(in.p[i]))
			continue;
		if (in.p[i] == '=' && have >= 2 && have + pads < 4) {
			pads++;
			continue;
		}
		v = base64_value(in.p[i]);
		if (v < 0 || pads > 0)
			return ERR(e, E_INVALIDARG, "not base64 at octet %zu", i);
		acc = acc << 6 | (uint32_t)v;
		if (++have == 4) {
			buf_put_u8(out, (uint8_t)(acc >> 16));
			buf_put_u8(out, (uint8_t)(acc >> 8));
			buf_put_u8(out, (uint8_t)acc);
			acc = have = 0;
		}
	}
	if (have == 1 || (pads > 0 && have + pads != 4))
		return ERR(e, E_INVALIDARG, "base64 ends in the middle of a group");
	if (have >= 2)
		buf_put_u8(out, (uint8_t)(acc >> (have == 2 ? 4 : 10)));
	if (have == 3)
		buf_put_u8(out, (uint8_t)(acc >> 2));
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "more than %zu octets", out->max);
}

static bool
may_stay(uint16_t c)
{
	return c >= 0x20 && c < 0x7f && strchr("!\"#%&'()*+,/:;<=>?[\\]^`{|}", c) == NULL;
}

int
text_put_sanitized(struct buf *out, const char *name, struct err *e)
{
	struct buf units;
	int rc;

	buf_init(&units, 4096);
	rc = text_utf8_to_utf16le(&units, name, strlen(name), e);
	if (rc == 0 && !buf_ok(&units))
		rc = ERR(e, E_INVALIDARG, "the name is too long");
	for (size_t i = 0; rc == 0 && i + 1 < units.len; i += 2) {
		uint16_t c = (uint16_t)(units.p[i] | units.p[i + 1] << 8);

		if (may_stay(c))
			buf_put_u8(out, (uint8_t)c);
		else
			buf_printf(out, "!%04x", c);
	}
	buf_fini(&units);
	return rc;
}
