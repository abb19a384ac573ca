/*
 * Growing byte buffer with a ceiling. Writers never fail one by one: an append that would pass the maximum,
 * or an allocation that fails, marks the buffer and later appends do nothing; ask buf_ok() once at the end.
 */
#ifndef ADCSD_BASE_BUF_H
#define ADCSD_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Bytes somebody else owns. */
struct bytes {
	const uint8_t *p;
	size_t len;
};

struct buf {
	uint8_t *p;
	size_t len;
	size_t cap;
	size_t max;  /* stated when created */
	bool failed; /* sticky */
};

void
buf_init(struct buf *b, size_t max);
/* Frees the memory and leaves an empty buffer with the same maximum. */
void
buf_fini(struct buf *b);
/* As buf_fini, the old contents overwritten first: for keys and passwords. */
void
buf_wipe(struct buf *b);
/* Empties, keeps the memory; clears a failure. */
void
buf_reset(struct buf *b);

/* Memory for n more bytes at once, where many small appends are to come. */
void
buf_reserve(struct buf *b, size_t n);
/* Room for n more bytes, counted as written; NULL (and the buffer failed) when they do not fit. Not
 * initialised. */
uint8_t *
buf_extend(struct buf *b, size_t n);
void
buf_put(struct buf *b, const void *p, size_t n);
void
buf_put_bytes(struct buf *b, struct bytes v);
void
buf_put_u8(struct buf *b, uint8_t v);
void
buf_put_u16le(struct buf *b, uint16_t v);
void
buf_put_u32le(struct buf *b, uint32_t v);
void
buf_put_u64le(struct buf *b, uint64_t v);
void
buf_put_zero(struct buf *b, size_t n);
/* Text without its NUL. */
void
buf_put_str(struct buf *b, const char *s);
void
buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Drops n bytes at the front. n must not exceed len. */
void
buf_consume(struct buf *b, size_t n);

static inline bool
buf_ok(const struct buf *b)
{
	return !b->failed;
}

static inline struct bytes
buf_bytes(const struct buf *b)
{
	return (struct bytes){ b->p, b->len };
}

/* Appends a NUL that is not counted and lends the text; "" when the buffer failed. */
const char *
buf_cstr(struct buf *b);

bool
bytes_equal(struct bytes a, struct bytes b);

static inline uint16_t
get_u16le(const uint8_t *p)
{
	return (uint16_t)(p[0] | (p[1] << 8));
}
static inline uint32_t
get_u32le(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline uint64_t
get_u64le(const uint8_t *p)
{
	return (uint64_t)get_u32le(p) | (uint64_t)get_u32le(p + 4) << 32;
}
static inline void
set_u16le(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}
static inline void
set_u32le(uint8_t *p, uint32_t v)
{
	set_u16le(p, (uint16_t)v);
	set_u16le(p + 2, (uint16_t)(v >> 16));
}

#endif
