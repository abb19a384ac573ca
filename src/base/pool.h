/* Arena: many small allocations, one free. Each call owns one; what is decoded or answered lives in it. */
#ifndef ADCSD_BASE_POOL_H
#define ADCSD_BASE_POOL_H

#include <stddef.h>

#include "base/buf.h"

struct pool;

/* max: most bytes the pool hands out before allocations fail. NULL when memory is short. */
struct pool *
pool_new(size_t max);
/* NULL is fine. */
void
pool_free(struct pool *p);

/* 16-byte aligned, zeroed; NULL past the maximum or when memory is short. n == 0 gives a unique address. */
void *
pool_alloc(struct pool *p, size_t n);
/* n elements of size bytes; checks the product. */
void *
pool_calloc(struct pool *p, size_t n, size_t size);
void *
pool_dup(struct pool *p, const void *src, size_t n);
char *
pool_strdup(struct pool *p, const char *s);
/* A NUL-terminated copy of n bytes of text. */
char *
pool_strndup(struct pool *p, const char *s, size_t n);
char *
pool_printf(struct pool *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Copies v; the copy is followed by a NUL that len does not count. 0, or -1 when it does not fit. */
int
pool_dup_bytes(struct pool *p, struct bytes v, struct bytes *out) MUST_CHECK;

#define POOL_NEW(pool, type) ((type *)pool_alloc((pool), sizeof(type)))

#endif
