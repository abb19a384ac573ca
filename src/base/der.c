#include "base/der.h"

#include <stdio.h>
#include <string.h>

#define DER_LENGTH_MAX 0x7fffffff

uint8_t
der_peek(const struct der *d)
{
	return d->p < d->end ? *d->p : 0;
}

/* Length octets at *p; DER wants the shortest form. */
static int
read_length(const uint8_t **p, const uint8_t *end, size_t *out, const char *what, struct err *e)
{
	size_t n, v = 0;

	if (*p == end)
		return ERR(e, CRYPT_E_ASN1_EOD, "%s: data ends before the length", what);
	n = *(*p)++;
	if (n < 0x80) {
		*out = n;
		return 0;
	}
	n &= 0x7f;
	if (n == 0 || n > 4)
		return ERR(
		    e, CRYPT_E_ASN1_BADTAG, "%s: %s length", what, n == 0 ? "indefinite" : "oversized");
	if ((size_t)(end - *p) < n)
		return ERR(e, CRYPT_E_ASN1_EOD, "%s: data ends inside the length", what);
	for (size_t i = 0; i < n; i++)
		v = v << 8 | *(*p)++;
	if (v < 0x80 || (n > 1 && v >> (8 * (n - 1)) == 0) || v > DER_LENGTH_MAX)
		return ERR(e, CRYPT_E_ASN1_BADTAG, "%s: length is not in its shortest form", what);
	*out = v;
	return 0;
}

int
der_next(struct der *d, struct der_item *out, const char *what, struct err *e)
{
	const uint8_t *p = d->p;
	size_t len = 0;

	if (p == d->end)
		return ERR(e, CRYPT_E_ASN1_EOD, "%s: missing", what);
	out->tag = *p++;
	if ((out->tag & 0x1f) == 0x1f)
		return ERR(e, CRYPT_E_ASN1_BADTAG, "%s: multi-octet tag", what);
	if (read_length(&p, d->end, &len, what, e) != 0)
		return -1;
	if (len > (size_t)(d->end - p))
		return ERR(e, CRYPT_E_ASN1_EOD, "%s: %zu octets announced, %zu left", what, len,
		    (size_t)(d->end - p));
	out->body = (struct bytes){ p, len };
	out->raw = (struct bytes){ d->p, (size_t)(p - d->p) + len };
	d->p = p + len;
	return 0;
}

int
der_expect(struct der *d, uint8_t tag, struct der_item *out, const char *what, struct err *e)
{
	struct der save = *d;

	if (der_next(d, out, what, e) != 0)
		return -1;
	if (out->tag != tag) {
		*d = save;
		return ERR(e, CRYPT_E_ASN1_BADTAG, "%s: tag %02x where %02x belongs", what, out->tag, tag);
	}
	return 0;
}

int
der_enter(struct der *d, uint8_t tag, struct der *inner, const char *what, struct err *e)
{
	struct der_item it;

	if (der_expect(d, tag, &it, what, e) != 0)
		return -1;
	*inner = der_over(it.body);
	return 0;
}

int
der_finish(const struct der *d, const char *what, struct err *e)
{
	if (d->p != d->end)
		return ERR(e, CRYPT_E_ASN1_BADTAG, "%s: %zu octets too many", what, (size_t)(d->end - d->p));
	return 0;
}

int
der_get_bool(struct der *d, bool *out, const char *what, struct err *e)
{
	struct der_item it;

	if (der_expect(d, DER_BOOLEAN, &it, what, e) != 0)
		return -1;
	if (it.body.len != 1 || (it.body.p[0] != 0 && it.body.p[0] != 0xff))
		return ERR(e, CRYPT_E_ASN1_BADTAG, "%s: BOOLEAN is neither 00 nor FF", what);
	*out = it.body.p[0] != 0;
	return 0;
}

int
der_get_int64(struct der *d, int64_t *out, const char *what, struct err *e)
{
	struct der_item it;
	uint64_t v;

	if (der_expect(d, DER_INTEGER, &it, what, e) != 0)
		return -1;
	if (it.body.len == 0 || it.body.len > 8)
		return ERR(e, CRYPT_E_ASN1_BADTAG, "%s: INTEGER of %zu octets", what, it.body.len);
	if (it.body.len > 1 &&
	    ((it.body.p[0] == 0 && it.body.p[1] < 0x80) || (it.body.p[0] == 0xff && it.body.p[1] >= 0x80)))
		return ERR(e, CRYPT_E_ASN1_BADTAG, "%s: INTEGER is not in its shortest form", what);
	v = it.body.p[0] >= 0x80 ? UINT64_MAX : 0;
	for (size_t i = 0; i < it.body.len; i++)
		v = v << 8 | it.body.p[i];
	*out = (int64_t)v;
	return 0;
}

static bool
oid_is_well_formed(struct bytes b)
{
	bool start = true;

	if (b.len == 0 || b.p[b.len - 1] >= 0x80)
		return false;
	for (size_t i = 0; i < b.len; i++) {
		if (start && b.p[i] == 0x80)
			return false;
		start = b.p[i] < 0x80;
	}
	return true;
}

int
der_get_oid(struct der *d, struct bytes *out, const char *what, struct err *e)
{
	struct der_item it;

	if (der_expect(d, DER_OID, &it, what, e) != 0)
		return -1;
	if (!oid_is_well_formed(it.body))
		return ERR(e, CRYPT_E_ASN1_BADTAG, "%s: malformed OBJECT IDENTIFIER", what);
	*out = it.body;
	return 0;
}

int
der_get_bits(struct der *d, struct bytes *out, uint8_t *unused, const char *what, struct err *e)
{
	struct der_item it;

	if (der_expect(d, DER_BIT_STRING, &it, what, e) != 0)
		return -1;
	if (it.body.len == 0 || it.body.p[0] > 7 || (it.body.len == 1 && it.body.p[0] != 0) ||
	    (it.body.p[it.body.len - 1] & ((1u << it.body.p[0]) - 1) && it.body.len > 1))
		return ERR(e, CRYPT_E_ASN1_BADTAG, "%s: malformed BIT STRING", what);
	*unused = it.body.p[0];
	*out = (struct bytes){ it.body.p + 1, it.body.len - 1 };
	return 0;
}

/* n decimal digits at p as a number, -1 when one is none. */
static int
digits(const uint8_t *p, unsigned n)
{
	int v = 0;

	while (n-- > 0) {
		if (*p < '0' || *p > '9')
			return -1;
		v = v * 10 + (*p++ - '0');
	}
	return v;
}

int
der_get_time(struct der *d, filetime_t *out, const char *what, struct err *e)
{
	struct der_item it;
	struct civil c;
	const uint8_t *p;
	filetime_t t;
	char text[FILETIME_TEXT_MAX];

	if (der_next(d, &it, what, e) != 0)
		return -1;
	p = it.body.p;
#ifdef ADCSD_PLANTED_BUG_BASE_DER /* proves that the fuzz target finds one: believes that a time is whole */
	if (it.tag == DER_GENERALIZED_TIME && it.body.len >= 12)
		it.body.len = 15;
#endif
	if (it.tag == DER_UTC_TIME && it.body.len == 13) {
		c.year = digits(p, 2);
		c.year += c.year < 0 ? 0 : c.year < 50 ? 2000 : 1900;
		p += 2;
	} else if (it.tag == DER_GENERALIZED_TIME && it.body.len == 15) {
		c.year = digits(p, 4);
		p += 4;
	} else {
		return ERR(
		    e, CRYPT_E_ASN1_BADTAG, "%s: neither UTCTime nor GeneralizedTime in RFC 5280 form", what);
	}
	c.month = digits(p, 2);
	c.day = digits(p + 2, 2);
	c.hour = digits(p + 4, 2);
	c.minute = digits(p + 6, 2);
	c.second = digits(p + 8, 2);
	snprintf(text, sizeof(text), "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)c.year % 10000,
	    (unsigned)c.month % 100, (unsigned)c.day % 100, (unsigned)c.hour % 100, (unsigned)c.minute % 100,
	    (unsigned)c.second % 100);
	if (p[10] != 'Z' || c.year < 0 || c.month < 0 || c.day < 0 || c.hour < 0 || c.minute < 0 ||
	    c.second < 0 || !filetime_from_text(text, &t))
		return ERR(e, CRYPT_E_ASN1_BADTAG, "%s: not a date", what);
	*out = t;
	return 0;
}

bool
oid_to_text(struct bytes body, char out[OID_TEXT_MAX])
{
	uint64_t arc = 0;
	size_t n = 0;
	bool first = true;

	if (!oid_is_well_formed(body))
		return false;
	for (size_t i = 0; i < body.len; i++) {
		uint64_t top = 0;
		int w;

		if (arc > UINT64_MAX >> 7)
			return false;
		arc = arc << 7 | (body.p[i] & 0x7f);
		if (body.p[i] >= 0x80)
			continue;
		if (first) {
			top = arc < 40 ? 0 : arc < 80 ? 1 : 2;
			arc -= top * 40;
			w = snprintf(out + n, OID_TEXT_MAX - n, "%llu.%llu", (unsigned long long)top,
			    (unsigned long long)arc);
		} else {
			w = snprintf(out + n, OID_TEXT_MAX - n, ".%llu", (unsigned long long)arc);
		}
		if (w < 0 || (size_t)w >= OID_TEXT_MAX - n)
			return false;
		n += (size_t)w;
		arc = 0;
		first = false;
	}
	return true;
}

static void
put_arc(struct buf *out, uint64_t v)
{
	uint8_t o[10];
	size_t n = 0;

	do {
		o[n++] = (uint8_t)(v & 0x7f);
		v >>= 7;
	} while (v > 0);
	while (n-- > 0)
		buf_put_u8(out, (uint8_t)(o[n] | (n > 0 ? 0x80 : 0)));
}

int
oid_from_text(struct buf *out, const char *dotted, struct err *e)
{
	const char *s = dotted;
	uint64_t first = 0;

	for (unsigned i = 0;; i++) {
		uint64_t v = 0;

		if (*s < '0' || *s > '9' || (s[0] == '0' && s[1] >= '0' && s[1] <= '9'))
			return ERR(e, E_INVALIDARG, "not an object identifier: %.80s", dotted);
		for (; *s >= '0' && *s <= '9'; s++) {
			if (v > (UINT64_MAX >> 7) / 10)
				return ERR(
				    e, E_INVALIDARG, "arc too large in object identifier %.80s", dotted);
			v = v * 10 + (uint64_t)(*s - '0');
		}
		if (i == 0)
			first = v;
		else if (i == 1)
			put_arc(out, first * 40 + v);
		else
			put_arc(out, v);
		if ((i == 0 && v > 2) || (i == 1 && first < 2 && v > 39) || (*s == '\0' && i == 0))
			return ERR(e, E_INVALIDARG, "not an object identifier: %.80s", dotted);
		if (*s == '\0')
			break;
		if (*s++ != '.')
			return ERR(e, E_INVALIDARG, "not an object identifier: %.80s", dotted);
	}
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "object identifier does not fit");
}

/* ---- writing ---- */

static size_t
length_octets(size_t len, uint8_t out[5])
{
	size_t n = 0;

	if (len < 0x80) {
		out[0] = (uint8_t)len;
		return 1;
	}
	while (n < 4 && len >> (8 * n) != 0)
		n++;
	out[0] = (uint8_t)(0x80 | n);
	for (size_t i = 0; i < n; i++)
		out[1 + i] = (uint8_t)(len >> (8 * (n - 1 - i)));
	return n + 1;
}

size_t
der_open(struct buf *b, uint8_t tag)
{
	buf_put_u8(b, tag);
	buf_put_u8(b, 0);
	return b->len;
}

void
der_close(struct buf *b, size_t mark)
{
	uint8_t l[5];
	size_t len, n;

	if (b->failed)
		return;
	len = b->len - mark;
	n = length_octets(len, l);
	if (n > 1) {
		if (buf_extend(b, n - 1) == NULL)
			return;
		memmove(b->p + mark + n - 1, b->p + mark, len);
	}
	memcpy(b->p + mark - 1, l, n);
}

void
der_put(struct buf *b, uint8_t tag, struct bytes body)
{
	uint8_t l[5];
	size_t n = length_octets(body.len, l);

	buf_put_u8(b, tag);
	buf_put(b, l, n);
	buf_put_bytes(b, body);
}

void
der_put_bool(struct buf *b, bool v)
{
	uint8_t o = v ? 0xff : 0;

	der_put(b, DER_BOOLEAN, (struct bytes){ &o, 1 });
}

void
der_put_int64(struct buf *b, int64_t v)
{
	uint8_t o[8];
	size_t skip = 0;

	for (int i = 0; i < 8; i++)
		o[i] = (uint8_t)((uint64_t)v >> (8 * (7 - i)));
	while (skip < 7 && ((o[skip] == 0 && o[skip + 1] < 0x80) || (o[skip] == 0xff && o[skip + 1] >= 0x80)))
		skip++;
	der_put(b, DER_INTEGER, (struct bytes){ o + skip, 8 - skip });
}

void
der_put_uint(struct buf *b, struct bytes m)
{
	size_t mark;

	while (m.len > 1 && m.p[0] == 0) {
		m.p++;
		m.len--;
	}
	mark = der_open(b, DER_INTEGER);
	if (m.len == 0 || m.p[0] >= 0x80)
		buf_put_u8(b, 0);
	buf_put_bytes(b, m);
	der_close(b, mark);
}

void
der_put_oid(struct buf *b, const char *dotted)
{
	size_t mark = der_open(b, DER_OID);

	if (oid_from_text(b, dotted, NULL) != 0)
		b->failed = true;
	der_close(b, mark);
}

void
der_put_null(struct buf *b)
{
	der_put(b, DER_NULL, (struct bytes){ NULL, 0 });
}

void
der_put_bits(struct buf *b, struct bytes bits, uint8_t unused)
{
	size_t mark = der_open(b, DER_BIT_STRING);

	buf_put_u8(b, unused);
	buf_put_bytes(b, bits);
	der_close(b, mark);
}

void
der_put_text(struct buf *b, uint8_t tag, const char *s)
{
	der_put(b, tag, (struct bytes){ (const uint8_t *)s, strlen(s) });
}

void
der_put_time(struct buf *b, filetime_t t)
{
	char text[32];
	struct civil c;

	filetime_to_civil(t, &c);
	if (c.year < 0 || c.year > 9999) { /* four digits are all there are */
		b->failed = true;
		return;
	}
	if (c.year >= 1950 && c.year < 2050) {
		snprintf(text, sizeof(text), "%02u%02u%02u%02u%02u%02uZ", (unsigned)c.year % 100,
		    (unsigned)c.month, (unsigned)c.day, (unsigned)c.hour, (unsigned)c.minute,
		    (unsigned)c.second);
		der_put_text(b, DER_UTC_TIME, text);
	} else {
		snprintf(text, sizeof(text), "%04u%02u%02u%02u%02u%02uZ", (unsigned)c.year, (unsigned)c.month,
		    (unsigned)c.day, (unsigned)c.hour, (unsigned)c.minute, (unsigned)c.second);
		der_put_text(b, DER_GENERALIZED_TIME, text);
	}
}
