#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_fini(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ .max = b->max };
}

void
buf_wipe(struct buf *b)
{
	if (b->p != NULL)
		explicit_bzero(b->p, b->cap);
	buf_fini(b);
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

/* Memory for len + n octets and one more, so that a NUL may stand behind a full buffer. */
static bool
reserve(struct buf *b, size_t n)
{
	size_t cap = b->cap != 0 ? b->cap : 64, most = b->max < SIZE_MAX ? b->max + 1 : SIZE_MAX;
	uint8_t *p;

	if (b->failed || n > b->max - b->len || b->len + n == SIZE_MAX) {
		b->failed = true;
		return false;
	}
	if (b->len + n < b->cap)
		return true;
	while (cap <= b->len + n)
		cap = cap > most / 2 ? most : cap * 2;
	p = realloc(b->p, cap);
	if (p == NULL) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void
buf_reserve(struct buf *b, size_t n)
{
	(void)reserve(b, n);
}

uint8_t *
buf_extend(struct buf *b, size_t n)
{
	uint8_t *at;

	if (!reserve(b, n))
		return NULL;
	at = b->p + b->len;
	b->len += n;
	return at;
}

void
buf_put(struct buf *b, const void *p, size_t n)
{
	uint8_t *at;

	if (n == 0)
		return;
	at = buf_extend(b, n);
	if (at != NULL)
		memcpy(at, p, n);
}

void
buf_put_bytes(struct buf *b, struct bytes v)
{
	buf_put(b, v.p, v.len);
}

void
buf_put_u8(struct buf *b, uint8_t v)
{
	buf_put(b, &v, 1);
}

void
buf_put_u16le(struct buf *b, uint16_t v)
{
	uint8_t *at = buf_extend(b, 2);

	if (at != NULL)
		set_u16le(at, v);
}

void
buf_put_u32le(struct buf *b, uint32_t v)
{
	uint8_t *at = buf_extend(b, 4);

	if (at != NULL)
		set_u32le(at, v);
}

void
buf_put_u64le(struct buf *b, uint64_t v)
{
	buf_put_u32le(b, (uint32_t)v);
	buf_put_u32le(b, (uint32_t)(v >> 32));
}

void
buf_put_zero(struct buf *b, size_t n)
{
	uint8_t *at = buf_extend(b, n);

	if (at != NULL && n > 0)
		memset(at, 0, n);
}

void
buf_put_str(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	size_t room = b->failed ? 0 : b->cap - b->len;
	va_list ap;
	int n;

	/* Mostly it fits what is there: formatted once. */
	va_start(ap, fmt);
	n = vsnprintf(room > 0 ? (char *)b->p + b->len : NULL, room, fmt, ap);
	va_end(ap);
	if (n < 0)
		b->failed = true;
	if (n < 0 || !reserve(b, (size_t)n))
		return;
	if ((size_t)n >= room) {
		va_start(ap, fmt);
		vsnprintf((char *)b->p + b->len, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

void
buf_consume(struct buf *b, size_t n)
{
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->len - n);
	b->len -= n;
}

const char *
buf_cstr(struct buf *b)
{
	if (!reserve(b, 0))
		return "";
	b->p[b->len] = 0;
	return (const char *)b->p;
}

bool
bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}
