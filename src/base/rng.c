#include "base/rng.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Fails only when OpenSSL has no SHA-256 at all: nothing that calls for randomness could go on. */
static void
sha256(const void *p, size_t n, uint8_t out[32])
{
	unsigned len = 32;

	if (EVP_Digest(p, n, out, &len, EVP_sha256(), NULL) != 1)
		abort();
}

static uint8_t *
put_u64(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		*p++ = (uint8_t)(v >> (8 * i));
	return p;
}

void
rng_stream_init(struct rng_stream *s, const struct rng *r, const char *purpose, uint64_t id)
{
	uint8_t in[128];
	uint8_t *p = in;
	size_t n = strnlen(purpose, 64);

	memset(s, 0, sizeof(*s));
	s->seeded = r->seeded;
	if (!s->seeded)
		return;
	memcpy(p, "adcsd rng", 9);
	p = put_u64(p + 9, r->seed);
	memcpy(p, purpose, n);
	p = put_u64(p + n, id);
	sha256(in, (size_t)(p - in), s->key);
}

void
rng_system(void *out, size_t n)
{
	uint8_t *p = out;

	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort(); /* no randomness: every key made from here on would be guessable */
		p += got;
		n -= (size_t)got;
	}
}

void
rng_bytes(struct rng_stream *s, void *out, size_t n)
{
	uint8_t *p = out;

	if (!s->seeded) {
		rng_system(out, n);
		return;
	}
	while (n > 0) {
		size_t take;

		if (s->left == 0) {
			uint8_t in[40];

			memcpy(in, s->key, 32);
			put_u64(in + 32, s->counter++);
			sha256(in, sizeof(in), s->block);
			s->left = sizeof(s->block);
		}
		take = n < s->left ? n : s->left;
		memcpy(p, s->block + sizeof(s->block) - s->left, take);
		s->left -= take;
		p += take;
		n -= take;
	}
}

uint64_t
rng_u64(struct rng_stream *s)
{
	uint8_t b[8];
	uint64_t v = 0;

	rng_bytes(s, b, sizeof(b));
	for (int i = 7; i >= 0; i--)
		v = v << 8 | b[i];
	return v;
}
