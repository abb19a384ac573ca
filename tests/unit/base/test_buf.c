/* The growing buffer: its ceiling, the sticky failure, and every writer. */
#include "base_support.h"

static void
test_writers(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	buf_put_u8(&b, 0x01);
	buf_put_u16le(&b, 0x0302);
	buf_put_u32le(&b, 0x07060504);
	buf_put_u64le(&b, 0x0f0e0d0c0b0a0908);
	buf_put_zero(&b, 2);
	buf_put_str(&b, "AB");
	buf_put(&b, "C", 1);
	buf_put_bytes(&b, text_bytes("D"));
	buf_printf(&b, "%d-%s", 7, "x");
	assert_octets(buf_bytes(&b), "0102030405060708090a0b0c0d0e0f 0000 41424344 372d78", "all writers");
	assert_true(buf_ok(&b));
	assert_int_equal(get_u16le(b.p + 1), 0x0302);
	assert_int_equal(get_u32le(b.p + 3), 0x07060504);
	assert_true(get_u64le(b.p + 7) == 0x0f0e0d0c0b0a0908);
	set_u16le(b.p, 0xbeef);
	set_u32le(b.p + 2, 0xdeadbeef);
	assert_octets((struct bytes){ b.p, 6 }, "efbe efbeadde", "setters");
	buf_fini(&b);
	assert_null(b.p);
	assert_int_equal(b.max, 1000);
}

static void
test_ceiling(void **state)
{
	static const struct {
		const char *name;
		size_t max, put;
		bool ok;
	} cases[] = {
		{ "nothing into nothing", 0, 0, true },
		{ "one into nothing", 0, 1, false },
		{ "exactly the maximum", 10, 10, true },
		{ "one too many", 10, 11, false },
		{ "past the first allocation", 65, 65, true },
		{ "one past that", 65, 66, false },
		{ "an odd maximum after doubling", 1000, 1000, true },
		{ "far too many", 1000, SIZE_MAX, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b;

		buf_init(&b, cases[i].max);
		if (cases[i].put == SIZE_MAX)
			assert_null(buf_extend(&b, SIZE_MAX));
		else
			buf_put_zero(&b, cases[i].put);
		if (buf_ok(&b) != cases[i].ok)
			fail_msg("%s", cases[i].name);
		assert_int_equal(b.len, cases[i].ok ? cases[i].put : 0);
		buf_fini(&b);
	}
}

static void
test_failure_sticks(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_put_str(&b, "abc");
	buf_put_u32le(&b, 1); /* does not fit: nothing of it is written */
	assert_false(buf_ok(&b));
	assert_int_equal(b.len, 3);
	buf_put_u8(&b, 'd'); /* would fit */
	assert_int_equal(b.len, 3);
	assert_null(buf_extend(&b, 0));
	buf_printf(&b, "%d", 1);
	assert_string_equal(buf_cstr(&b), "");
	buf_reset(&b);
	assert_true(buf_ok(&b));
	buf_put_str(&b, "abcd");
	assert_true(buf_ok(&b));
	buf_fini(&b);
}

/* The NUL of buf_printf and buf_cstr does not count against the maximum. */
static void
test_text_fills(void **state)
{
	static const size_t sizes[] = { 1, 63, 64, 65, 127, 128, 129, 1000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		int n = (int)sizes[i];
		struct buf b;

		buf_init(&b, sizes[i]);
		buf_printf(&b, "%0*d", n, 7);
		assert_true(buf_ok(&b));
		assert_int_equal(b.len, n);
		assert_int_equal(strlen(buf_cstr(&b)), n);
		assert_true(buf_ok(&b));
		buf_printf(&b, "%s", "");
		assert_true(buf_ok(&b));
		buf_printf(&b, "x");
		assert_false(buf_ok(&b));
		buf_fini(&b);
	}
}

static void
test_cstr(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_string_equal(buf_cstr(&b), "");
	assert_true(buf_ok(&b));
	buf_put_str(&b, "text");
	assert_string_equal(buf_cstr(&b), "text");
	buf_put_str(&b, "er");
	assert_string_equal(buf_cstr(&b), "texter");
	assert_int_equal(b.len, 6);
	buf_fini(&b);
}

static void
test_consume(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	buf_consume(&b, 0);
	buf_put_str(&b, "header body");
	buf_consume(&b, 7);
	assert_string_equal(buf_cstr(&b), "body");
	buf_consume(&b, 4);
	assert_int_equal(b.len, 0);
	buf_put_str(&b, "more");
	assert_string_equal(buf_cstr(&b), "more");
	buf_fini(&b);
}

static void
test_empty_writes(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	buf_put(&b, NULL, 0);
	buf_put_str(&b, "");
	buf_put_zero(&b, 0);
	buf_put_bytes(&b, (struct bytes){ NULL, 0 });
	assert_non_null(buf_extend(&b, 0));
	assert_true(buf_ok(&b));
	buf_wipe(&b);
	buf_wipe(&b);
}

static void
test_bytes_equal(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{ "", "", true },
		{ "abc", "abc", true },
		{ "abc", "abd", false },
		{ "abc", "ab", false },
		{ "", "a", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(bytes_equal(text_bytes(cases[i].a), text_bytes(cases[i].b)), cases[i].equal);
	assert_true(bytes_equal((struct bytes){ NULL, 0 }, text_bytes("")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writers),
		cmocka_unit_test(test_ceiling),
		cmocka_unit_test(test_failure_sticks),
		cmocka_unit_test(test_text_fills),
		cmocka_unit_test(test_cstr),
		cmocka_unit_test(test_consume),
		cmocka_unit_test(test_empty_writes),
		cmocka_unit_test(test_bytes_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
