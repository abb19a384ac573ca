#include "base/pool.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POOL_CHUNK 4000
#define POOL_ALIGN 16

struct chunk {
	struct chunk *next;
	size_t used, cap;
	_Alignas(POOL_ALIGN) unsigned char data[];
};

struct pool {
	struct chunk *head;
	size_t left;
};

struct pool *
pool_new(size_t max)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (p != NULL)
		p->left = max;
	return p;
}

void
pool_free(struct pool *p)
{
	struct chunk *c, *next;

	if (p == NULL)
		return;
	for (c = p->head; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	free(p);
}

static struct chunk *
chunk_new(struct pool *p, size_t need)
{
	size_t cap = need > POOL_CHUNK ? need : POOL_CHUNK;
	struct chunk *c = cap <= SIZE_MAX - sizeof(*c) ? malloc(sizeof(*c) + cap) : NULL;

	if (c == NULL)
		return NULL;
	c->used = 0;
	c->cap = cap;
	/* A large block goes behind the current chunk, whose free room is still wanted. */
	if (need > POOL_CHUNK && p->head != NULL) {
		c->next = p->head->next;
		p->head->next = c;
	} else {
		c->next = p->head;
		p->head = c;
	}
	return c;
}

void *
pool_alloc(struct pool *p, size_t n)
{
	struct chunk *c = p->head;
	size_t need;
	void *at;

	if (n > SIZE_MAX - POOL_ALIGN)
		return NULL;
	need = (n + POOL_ALIGN - 1) & ~(size_t)(POOL_ALIGN - 1);
	if (need == 0)
		need = POOL_ALIGN;
	if (need > p->left)
		return NULL;
	if (c == NULL || c->cap - c->used < need) {
		c = chunk_new(p, need);
		if (c == NULL)
			return NULL;
	}
	at = c->data + c->used;
	c->used += need;
	p->left -= need;
	return memset(at, 0, need);
}

void *
pool_calloc(struct pool *p, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		return NULL;
	return pool_alloc(p, total);
}

void *
pool_dup(struct pool *p, const void *src, size_t n)
{
	void *at = pool_alloc(p, n);

	if (at != NULL && n > 0)
		memcpy(at, src, n);
	return at;
}

char *
pool_strdup(struct pool *p, const char *s)
{
	return pool_dup(p, s, strlen(s) + 1);
}

char *
pool_strndup(struct pool *p, const char *s, size_t n)
{
	char *at = n < SIZE_MAX ? pool_alloc(p, n + 1) : NULL;

	if (at != NULL && n > 0)
		memcpy(at, s, n);
	return at;
}

char *
pool_printf(struct pool *p, const char *fmt, ...)
{
	char text[256]; /* most texts fit: formatted once */
	va_list ap;
	char *at;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	if ((size_t)n < sizeof(text))
		return pool_dup(p, text, (size_t)n + 1);
	at = pool_alloc(p, (size_t)n + 1);
	if (at == NULL)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(at, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return at;
}

int
pool_dup_bytes(struct pool *p, struct bytes v, struct bytes *out)
{
	char *at = pool_strndup(p, (const char *)v.p, v.len);

	if (at == NULL)
		return -1;
	*out = (struct bytes){ (const uint8_t *)at, v.len };
	return 0;
}
