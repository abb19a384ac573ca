/* The arena: alignment, zeroes, its maximum, and sizes nobody can have. */
#include "base_support.h"

#include "base/pool.h"

static void
test_alloc(void **state)
{
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 3999, 4000, 4001, 100000, 1, 0, 4000, 1 };
	struct pool *p = pool_new(1 << 20);
	unsigned char *at[ARRAY_LEN(sizes)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		at[i] = pool_alloc(p, sizes[i]);
		assert_non_null(at[i]);
		assert_int_equal((uintptr_t)at[i] % 16, 0);
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(at[i][k], 0);
		memset(at[i], (int)(0x40 + i), sizes[i]);
		for (size_t k = 0; k < i; k++)
			assert_ptr_not_equal(at[k], at[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) { /* nobody wrote over a neighbour */
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(at[i][k], 0x40 + i);
	}
	pool_free(p);
	pool_free(NULL);
}

static void
test_limits(void **state)
{
	static const struct {
		const char *name;
		size_t max, n, size;
		bool ok;
	} cases[] = {
		{ "exactly the maximum", 64, 4, 16, true },
		{ "one element too many", 64, 5, 16, false },
		{ "rounding counts", 20, 1, 17, false },
		{ "nothing at all", 0, 1, 1, false },
		{ "an empty block takes room too", 0, 0, 1, false },
		{ "product overflows to 0", SIZE_MAX, SIZE_MAX / 2 + 1, 2, false },
		{ "product overflows to little", SIZE_MAX, (SIZE_MAX >> 4) + 2, 16, false },
		{ "as much as there can be", SIZE_MAX, SIZE_MAX, 1, false },
		{ "just below", SIZE_MAX, SIZE_MAX - 16, 1, false },
		{ "header and block overflow", SIZE_MAX, SIZE_MAX - 33, 1, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *p = pool_new(cases[i].max);
		void *at = pool_calloc(p, cases[i].n, cases[i].size);

		if ((at != NULL) != cases[i].ok)
			fail_msg("%s", cases[i].name);
		pool_free(p);
	}
}

static void
test_maximum_is_for_all(void **state)
{
	struct pool *p = pool_new(160);

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_non_null(pool_alloc(p, 16));
	assert_null(pool_alloc(p, 1));
	pool_free(p);
}

static void
test_copies(void **state)
{
	struct pool *p = pool_new(1000);
	struct bytes v;

	(void)state;
	assert_string_equal(pool_strdup(p, "text"), "text");
	assert_string_equal(pool_strdup(p, ""), "");
	assert_string_equal(pool_strndup(p, "text", 2), "te");
	assert_string_equal(pool_strndup(p, NULL, 0), "");
	assert_memory_equal(pool_dup(p, "\x01\x02", 2), "\x01\x02", 2);
	assert_string_equal(pool_printf(p, "%s-%d", "a", 12), "a-12");
	assert_int_equal(pool_dup_bytes(p, text_bytes("abc"), &v), 0);
	assert_int_equal(v.len, 3);
	assert_string_equal((const char *)v.p, "abc");
	assert_int_equal(pool_dup_bytes(p, (struct bytes){ NULL, 0 }, &v), 0);
	assert_non_null(v.p);
	pool_free(p);
}

static void
test_copies_that_do_not_fit(void **state)
{
	struct pool *p = pool_new(16);
	struct bytes v;

	(void)state;
	assert_null(pool_strdup(p, "sixteen letters."));
	assert_null(pool_strndup(p, "x", SIZE_MAX));
	assert_null(pool_printf(p, "%s", "sixteen letters."));
	assert_int_equal(pool_dup_bytes(p, text_bytes("sixteen letters."), &v), -1);
	assert_string_equal(pool_strdup(p, "fifteen letters"), "fifteen letters"); /* the failures cost nothing */
	pool_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alloc),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_maximum_is_for_all),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_copies_that_do_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
