/* Text and number encodings: UTF-8 and UTF-16LE, hexadecimal, base64. */
#ifndef ADCSD_BASE_TEXT_H
#define ADCSD_BASE_TEXT_H

#include "base/buf.h"
#include "base/pool.h"

/*
 * UTF-16LE octets (no terminator expected; a trailing NUL unit is kept) to UTF-8. An odd length or a lone
 * surrogate fails with E_INVALIDARG: what cannot be shown cannot be compared.
 */
int
text_utf16le_to_utf8(struct buf *out, struct bytes in, struct err *e) MUST_CHECK;
/* In the pool, NUL-terminated; NUL units inside the text fail. NULL on failure. */
char *
text_from_utf16le(struct pool *pool, struct bytes in, struct err *e) MUST_CHECK;
/* Valid UTF-8 to UTF-16LE, without a terminator. */
int
text_utf8_to_utf16le(struct buf *out, const char *s, size_t n, struct err *e) MUST_CHECK;
/* Big-endian, for BMPString. Characters above the BMP fail. */
int
text_utf8_to_bmp(struct buf *out, const char *s, size_t n, struct err *e) MUST_CHECK;
char *
text_from_bmp(struct pool *pool, struct bytes in, struct err *e) MUST_CHECK;

/* Well-formed UTF-8 (RFC 3629), no NUL. */
bool
text_is_utf8(const char *s, size_t n);

/* As printf's %llu, for texts of many numbers. */
void
text_put_decimal(struct buf *out, uint64_t n);
/* Upper case of one UTF-16 unit for NTLM and name comparison: ASCII, Latin-1, Greek, Cyrillic; others
 * unchanged. */
uint16_t
text_upper_unit(uint16_t c);
/* A CA's name as the names of its directory objects and files have it (MS-WCCE 3.1.1.4.1.1): every disallowed
 * UTF-16 unit becomes "!" and four hex digits. E_INVALIDARG when it is not UTF-8 or longer than 2048 units.
 */
int
text_put_sanitized(struct buf *out, const char *name, struct err *e) MUST_CHECK;

void
text_put_hex(struct buf *out, struct bytes in);
/* Hex digits, blanks ignored. */
int
text_parse_hex(struct buf *out, const char *s, struct err *e) MUST_CHECK;
/* Base64 with padding, a line end (LF) after every `wrap` characters when wrap > 0. */
void
text_put_base64(struct buf *out, struct bytes in, unsigned wrap);
/* RFC 7468: label "CERTIFICATE", lines of 64 and an LF at the end. */
void
text_put_pem(struct buf *out, struct bytes in, const char *label);
/* Strict alphabet; white space anywhere is skipped; padding optional. */
int
text_parse_base64(struct buf *out, struct bytes in, struct err *e) MUST_CHECK;

#endif
