/*
 * DER (X.690): a reader over borrowed bytes that accepts the distinguished encoding only, and a writer that
 * builds from the inside out. Lengths up to 2^31-1; nesting is the caller's recursion.
 */
#ifndef ADCSD_BASE_DER_H
#define ADCSD_BASE_DER_H

#include "base/buf.h"
#include "base/clock.h"

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_UTF8_STRING = 0x0c,
	DER_NUMERIC_STRING = 0x12,
	DER_PRINTABLE_STRING = 0x13,
	DER_T61_STRING = 0x14,
	DER_IA5_STRING = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_VISIBLE_STRING = 0x1a,
	DER_UNIVERSAL_STRING = 0x1c,
	DER_BMP_STRING = 0x1e,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
};
#define DER_CONTEXT(n) (0x80 | (n))             /* [n] IMPLICIT primitive, n < 31 */
#define DER_CONTEXT_CONSTRUCTED(n) (0xa0 | (n)) /* [n] constructed */

/* ---- reading ---- */

struct der {
	const uint8_t *p, *end;
};

/* One element: its tag, its content, and the whole encoding with the header. */
struct der_item {
	uint8_t tag; /* single-octet tags only */
	struct bytes body;
	struct bytes raw;
};

static inline struct der
der_over(struct bytes b)
{
	return (struct der){ b.p, b.len > 0 ? b.p + b.len : b.p }; /* p may be NULL when there is nothing */
}
static inline bool
der_at_end(const struct der *d)
{
	return d->p == d->end;
}
/* Tag of the next element, 0 at the end. */
uint8_t
der_peek(const struct der *d);

/*
 * All readers advance on success and fail with CRYPT_E_ASN1_EOD when data ends early, else
 * CRYPT_E_ASN1_BADTAG. `what` names the field in the message.
 */
int
der_next(struct der *d, struct der_item *out, const char *what, struct err *e) MUST_CHECK;
int
der_expect(struct der *d, uint8_t tag, struct der_item *out, const char *what, struct err *e) MUST_CHECK;
/* Enters a constructed element: *inner covers its body, d moves behind it. */
int
der_enter(struct der *d, uint8_t tag, struct der *inner, const char *what, struct err *e) MUST_CHECK;
/* Fails unless at the end. */
int
der_finish(const struct der *d, const char *what, struct err *e) MUST_CHECK;
int
der_get_bool(struct der *d, bool *out, const char *what, struct err *e) MUST_CHECK;
/* Minimal two's complement that fits int64. */
int
der_get_int64(struct der *d, int64_t *out, const char *what, struct err *e) MUST_CHECK;
/* Body of an OBJECT IDENTIFIER, checked for form. */
int
der_get_oid(struct der *d, struct bytes *out, const char *what, struct err *e) MUST_CHECK;
/* Bits of a BIT STRING; *unused is 0..7. */
int
der_get_bits(struct der *d, struct bytes *out, uint8_t *unused, const char *what, struct err *e) MUST_CHECK;
/* UTCTime or GeneralizedTime in RFC 5280 form. */
int
der_get_time(struct der *d, filetime_t *out, const char *what, struct err *e) MUST_CHECK;

/* ---- object identifiers ---- */

#define OID_TEXT_MAX 128

/* Dotted text of an OID body; false when malformed or longer than the array. */
bool
oid_to_text(struct bytes body, char out[OID_TEXT_MAX]);
/* Appends the OID body (no tag, no length) of a dotted text. */
int
oid_from_text(struct buf *out, const char *dotted, struct err *e) MUST_CHECK;

/* ---- writing ---- */

/*
 * Nested elements: m = der_open(b, tag); ... der_close(b, m). The length is inserted at close (a memmove of
 * the contents, which are small); errors are the buffer's.
 */
size_t
der_open(struct buf *b, uint8_t tag);
void
der_close(struct buf *b, size_t mark);
void
der_put(struct buf *b, uint8_t tag, struct bytes body);
void
der_put_bool(struct buf *b, bool v);
void
der_put_int64(struct buf *b, int64_t v);
/* Unsigned big-endian magnitude as a positive INTEGER. */
void
der_put_uint(struct buf *b, struct bytes magnitude);
/* OBJECT IDENTIFIER from dotted text, which must be valid (else the buffer fails). */
void
der_put_oid(struct buf *b, const char *dotted);
void
der_put_null(struct buf *b);
void
der_put_bits(struct buf *b, struct bytes bits, uint8_t unused);
/* Text as it is, under the given string tag. */
void
der_put_text(struct buf *b, uint8_t tag, const char *s);
/* UTCTime through 2049, GeneralizedTime after (RFC 5280 4.1.2.5), whole seconds; fails the buffer past year
 * 9999. */
void
der_put_time(struct buf *b, filetime_t t);

#endif
