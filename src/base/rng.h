/*
 * Randomness. Unseeded: the kernel. Seeded: a stream per (seed, purpose, id), never a shared one, so that
 * threads and their scheduling do not show in what is issued. No RAND_bytes() or getrandom() anywhere else.
 */
#ifndef ADCSD_BASE_RNG_H
#define ADCSD_BASE_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
	bool seeded;
	uint64_t seed;
};

/* Cheap to make, no resources held; use by one thread at a time. */
struct rng_stream {
	bool seeded;
	uint8_t key[32]; /* SHA-256("adcsd rng" || seed || purpose || id) */
	uint64_t counter;
	uint8_t block[32];
	size_t left; /* unused bytes at the end of block */
};

/* purpose: a short constant text such as "serial", "sign". */
void
rng_stream_init(struct rng_stream *s, const struct rng *r, const char *purpose, uint64_t id);
void
rng_bytes(struct rng_stream *s, void *out, size_t n);
uint64_t
rng_u64(struct rng_stream *s);
/* One-off: bytes that need no stream (NTLM challenges, session keys). Always the kernel's, seeded or not. */
void
rng_system(void *out, size_t n);

#endif
