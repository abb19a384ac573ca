/* Seeded streams, by vectors computed with another SHA-256; the kernel's randomness by its absence of patterns. */
#include "base_support.h"

#include "base/rng.h"

static void
test_vectors(void **state)
{
	struct rng a = { true, 42 }, b = { true, 0x1122334455667788 };
	struct rng_stream s;
	uint8_t out[40];

	(void)state;
	/* SHA-256(SHA-256("adcsd rng" || LE64(seed) || purpose || LE64(id)) || LE64(counter)), Python's hashlib */
	rng_stream_init(&s, &a, "serial", 7);
	rng_bytes(&s, out, sizeof(out));
	assert_octets((struct bytes){ out, sizeof(out) },
	    "cc4ce2ad352e83c1e86eee211cc4163212a35e79b2255b0becb0d0bc6580590b252e428c48c6a1f6", "42, serial, 7");
	rng_stream_init(&s, &b, "sign", 0);
	assert_true(rng_u64(&s) == 0x13dc68e4b61e791e);
}

/* How the bytes are asked for does not matter. */
static void
test_pieces(void **state)
{
	static const size_t pieces[] = { 0, 1, 2, 3, 31, 32, 33, 64, 100, 5 };
	struct rng r = { true, 1 };
	struct rng_stream whole, parts;
	uint8_t a[271], b[271];
	size_t n = 0;

	(void)state;
	rng_stream_init(&whole, &r, "x", 0);
	rng_bytes(&whole, a, sizeof(a));
	rng_stream_init(&parts, &r, "x", 0);
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		rng_bytes(&parts, b + n, pieces[i]);
		n += pieces[i];
	}
	assert_int_equal(n, sizeof(b));
	assert_memory_equal(a, b, sizeof(a));
}

static void
test_streams_differ(void **state)
{
	static const struct {
		struct rng r;
		const char *purpose;
		uint64_t id;
	} cases[] = {
		{ { true, 1 }, "serial", 1 },
		{ { true, 2 }, "serial", 1 },
		{ { true, 1 }, "sign", 1 },
		{ { true, 1 }, "serial", 2 },
		{ { true, 1 }, "serial", UINT64_C(1) << 32 },
		{ { false, 1 }, "serial", 1 },
		{ { false, 1 }, "serial", 1 }, /* unseeded: the kernel's, never twice the same */
	};
	uint64_t v[ARRAY_LEN(cases)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rng_stream s;

		rng_stream_init(&s, &cases[i].r, cases[i].purpose, cases[i].id);
		v[i] = rng_u64(&s);
		for (size_t k = 0; k < i; k++)
			assert_true(v[k] != v[i]);
	}
}

static void
test_system(void **state)
{
	uint8_t a[1000] = { 0 }, b[1000] = { 0 };
	unsigned ones = 0;

	(void)state;
	rng_system(a, sizeof(a));
	rng_system(b, sizeof(b));
	rng_system(NULL, 0);
	assert_memory_not_equal(a, b, sizeof(a));
	for (size_t i = 0; i < sizeof(a); i++)
		ones += (unsigned)__builtin_popcount(a[i]);
	assert_in_range(ones, 3500, 4500); /* eleven standard deviations either way */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_streams_differ),
		cmocka_unit_test(test_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
