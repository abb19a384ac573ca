/* UTF-8 (RFC 3629), UTF-16, hexadecimal, base64 (RFC 4648). */
#include "base_support.h"

#include "base/text.h"

static void
test_utf16_both_ways(void **state)
{
	static const struct {
		const char *utf8, *le;
	} cases[] = {
		{ "", "" },
		{ "A", "4100" },
		{ "janedoe", "6a0061006e00650064006f006500" },
		{ "\xc3\xbc", "fc00" },                     /* U+00FC */
		{ "\xe2\x82\xac", "ac20" },                 /* U+20AC */
		{ "\xf0\x9f\x94\x91", "3dd811dd" },         /* U+1F511 */
		{ "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80", "7f008000ff070008" },
		{ "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", "ffd700e0ffff" },
		{ "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "00d800dcffdbffdf" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		struct buf b;

		buf_init(&b, 100);
		assert_int_equal(text_utf8_to_utf16le(&b, cases[i].utf8, strlen(cases[i].utf8), &e), 0);
		assert_octets(buf_bytes(&b), cases[i].le, cases[i].utf8);
		buf_reset(&b);
		assert_int_equal(text_utf16le_to_utf8(&b, octets(cases[i].le), &e), 0);
		assert_string_equal(buf_cstr(&b), cases[i].utf8);
		assert_true(text_is_utf8(cases[i].utf8, strlen(cases[i].utf8)));
		buf_fini(&b);
	}
}

static void
test_bad_utf8(void **state)
{
	static const struct {
		const char *name, *text;
	} cases[] = {
		{ "continuation alone", "\x80" },
		{ "start alone", "\xc3" },
		{ "start, then a letter", "\xc3\x41" },
		{ "overlong NUL", "\xc0\x80" },
		{ "overlong slash", "\xc0\xaf" },
		{ "overlong in three", "\xe0\x9f\xbf" },
		{ "overlong in four", "\xf0\x8f\xbf\xbf" },
		{ "three cut to two", "\xe2\x82" },
		{ "four cut to three", "\xf0\x9f\x94" },
		{ "high surrogate", "\xed\xa0\x80" },
		{ "low surrogate", "\xed\xbf\xbf" },
		{ "above U+10FFFF", "\xf4\x90\x80\x80" },
		{ "five octets", "\xf8\x88\x80\x80\x80" },
		{ "FE", "\xfe" },
		{ "FF", "\xff" },
		{ "good text, then bad", "abc\xff" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t n = strlen(cases[i].text);
		struct err e = { 0 };
		struct buf b;

		buf_init(&b, 100);
		if (text_is_utf8(cases[i].text, n) || text_utf8_to_utf16le(&b, cases[i].text, n, &e) != -1 ||
		    text_utf8_to_bmp(&b, cases[i].text, n, &e) != -1)
			fail_msg("accepted: %s", cases[i].name);
		assert_int_equal(e.hr, E_INVALIDARG);
		buf_fini(&b);
	}
	assert_false(text_is_utf8("a\0b", 3));
	assert_true(text_is_utf8("", 0));
}

static void
test_bad_utf16(void **state)
{
	static const struct {
		const char *name, *le;
	} cases[] = {
		{ "odd length", "410042" },
		{ "high surrogate at the end", "4100 00d8" },
		{ "high, then a letter", "00d8 4100" },
		{ "low alone", "00dc" },
		{ "low before high", "00dc 00d8" },
		{ "two highs", "00d8 00d8 00dc" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1000);
		struct err e = { 0 };
		struct buf b;

		buf_init(&b, 100);
		if (text_utf16le_to_utf8(&b, octets(cases[i].le), &e) != -1 ||
		    text_from_utf16le(pool, octets(cases[i].le), &e) != NULL)
			fail_msg("accepted: %s", cases[i].name);
		assert_int_equal(e.hr, E_INVALIDARG);
		buf_fini(&b);
		pool_free(pool);
	}
}

static void
test_in_pool(void **state)
{
	struct pool *pool = pool_new(1000), *tiny = pool_new(16);
	struct err e = { 0 };

	(void)state;
	assert_string_equal(text_from_utf16le(pool, octets(""), &e), "");
	assert_string_equal(text_from_utf16le(pool, octets("41004200"), &e), "AB");
	assert_string_equal(text_from_utf16le(pool, octets("ac20ac20"), &e), "\xe2\x82\xac\xe2\x82\xac");
	assert_string_equal(text_from_bmp(pool, octets("004120ac"), &e), "A\xe2\x82\xac");
	assert_null(text_from_utf16le(pool, octets("4100000042 00"), &e));
	assert_int_equal(e.hr, E_INVALIDARG);
	assert_null(text_from_utf16le(pool, octets("41000000"), &e)); /* a NUL at the end is inside too */
	assert_null(text_from_utf16le(tiny, octets("ac20ac20ac20ac20ac20ac20"), &e));
	assert_int_equal(e.hr, E_OUTOFMEMORY);
	pool_free(pool);
	pool_free(tiny);
}

static void
test_bmp(void **state)
{
	struct err e = { 0 };
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(text_utf8_to_bmp(&b, "A\xe2\x82\xac", 4, &e), 0);
	assert_octets(buf_bytes(&b), "004120ac", "A and euro");
	assert_int_equal(text_utf8_to_bmp(&b, "\xf0\x9f\x94\x91", 4, &e), -1);
	assert_int_equal(e.hr, E_INVALIDARG);
	buf_fini(&b);
}

static void
test_no_room(void **state)
{
	struct err e = { 0 };
	struct buf b;

	(void)state;
	buf_init(&b, 3);
	assert_int_equal(text_utf8_to_utf16le(&b, "ab", 2, &e), -1);
	assert_int_equal(e.hr, E_OUTOFMEMORY);
	buf_reset(&b);
	assert_int_equal(text_parse_hex(&b, "01020304", &e), -1);
	assert_int_equal(e.hr, E_OUTOFMEMORY);
	buf_reset(&b);
	assert_int_equal(text_parse_base64(&b, text_bytes("AAAAAA=="), &e), -1);
	assert_int_equal(e.hr, E_OUTOFMEMORY);
	buf_fini(&b);
}

static void
test_upper(void **state)
{
	static const uint16_t pairs[][2] = {
		{ 'a', 'A' }, { 'z', 'Z' }, { 'A', 'A' }, { '`', '`' }, { '{', '{' }, { '$', '$' }, { '0', '0' },
		{ 0xe0, 0xc0 }, { 0xfc, 0xdc }, { 0xfe, 0xde }, { 0xf7, 0xf7 }, { 0xdf, 0xdf }, { 0xff, 0x178 },
		{ 0xc4, 0xc4 }, { 0x101, 0x100 }, { 0x100, 0x100 }, { 0x137, 0x136 }, { 0x138, 0x138 },
		{ 0x13a, 0x139 }, { 0x139, 0x139 }, { 0x148, 0x147 }, { 0x149, 0x149 }, { 0x14b, 0x14a },
		{ 0x177, 0x176 }, { 0x178, 0x178 }, { 0x17a, 0x179 }, { 0x17e, 0x17d }, { 0x180, 0x180 },
		{ 0x3b1, 0x391 }, { 0x3c9, 0x3a9 }, { 0x3c2, 0x3c2 }, { 0x391, 0x391 }, { 0x430, 0x410 },
		{ 0x44f, 0x42f }, { 0x451, 0x401 }, { 0x45f, 0x40f }, { 0x410, 0x410 }, { 0x4e2d, 0x4e2d },
		{ 0xd83d, 0xd83d }, { 0xffff, 0xffff },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		assert_int_equal(text_upper_unit(pairs[i][0]), pairs[i][1]);
	for (unsigned c = 0; c < 0x10000; c++) /* once is enough */
		assert_int_equal(text_upper_unit(text_upper_unit((uint16_t)c)), text_upper_unit((uint16_t)c));
}

static void
test_hex(void **state)
{
	static const struct {
		const char *in, *out; /* out NULL: refused */
	} cases[] = {
		{ "", "" }, { "00", "00" }, { "0123456789abcdef", "0123456789abcdef" }, { "ABCDEF", "abcdef" },
		{ " 01\t02\r\n03 ", "010203" }, { "0 1", "01" }, { "0", NULL }, { "012", NULL }, { "0g", NULL },
		{ "0x01", NULL }, { "01:02", NULL }, { "\xb0\xb0", NULL }, { "@@", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		struct buf b, text;

		buf_init(&b, 100);
		if ((text_parse_hex(&b, cases[i].in, &e) == 0) != (cases[i].out != NULL))
			fail_msg("%s", cases[i].in);
		if (cases[i].out != NULL) {
			buf_init(&text, 100);
			text_put_hex(&text, buf_bytes(&b));
			assert_string_equal(buf_cstr(&text), cases[i].out);
			buf_fini(&text);
		} else {
			assert_int_equal(e.hr, E_INVALIDARG);
		}
		buf_fini(&b);
	}
}

static void
test_decimal(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 9, 10, 99, 100, 4294967296u, UINT64_MAX };
	char expected[32];
	struct buf b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		buf_init(&b, 32);
		text_put_decimal(&b, numbers[i]);
		(void)snprintf(expected, sizeof(expected), "%llu", (unsigned long long)numbers[i]);
		assert_string_equal(buf_cstr(&b), expected);
		buf_fini(&b);
	}
}

static void
test_base64(void **state)
{
	static const struct {
		const char *plain, *base64;
	} cases[] = { /* RFC 4648 section 10 */
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" }, { "\xfb\xff\xbf", "+/+/" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		struct buf b;

		buf_init(&b, 100);
		text_put_base64(&b, text_bytes(cases[i].plain), 0);
		assert_string_equal(buf_cstr(&b), cases[i].base64);
		buf_reset(&b);
		assert_int_equal(text_parse_base64(&b, text_bytes(cases[i].base64), &e), 0);
		assert_string_equal(buf_cstr(&b), cases[i].plain);
		buf_fini(&b);
	}
}

static void
test_base64_wrap(void **state)
{
	static const struct {
		const char *plain;
		unsigned wrap;
		const char *out;
	} cases[] = {
		{ "", 4, "" },
		{ "foo", 4, "Zm9v\n" },
		{ "foob", 4, "Zm9v\nYg==\n" },
		{ "foobar", 3, "Zm9\nvYm\nFy\n" },
		{ "foobar", 64, "Zm9vYmFy\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b;

		buf_init(&b, 100);
		text_put_base64(&b, text_bytes(cases[i].plain), cases[i].wrap);
		assert_string_equal(buf_cstr(&b), cases[i].out);
		buf_fini(&b);
	}
}

static void
test_pem(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 256);
	text_put_pem(&b, text_bytes("a line that is longer than sixty-four characters of base64"), "X509 CRL");
	assert_string_equal(buf_cstr(&b),
	    "-----BEGIN X509 CRL-----\n"
	    "YSBsaW5lIHRoYXQgaXMgbG9uZ2VyIHRoYW4gc2l4dHktZm91ciBjaGFyYWN0ZXJz\n"
	    "IG9mIGJhc2U2NA==\n"
	    "-----END X509 CRL-----\n");
	buf_fini(&b);
}

static void
test_base64_spellings(void **state)
{
	static const struct {
		const char *in, *out; /* out NULL: refused */
	} cases[] = {
		{ "Zg", "f" },
		{ "Zm8", "fo" },
		{ " Z m\t9\r\nv\n", "foo" },
		{ "Zm9v\nYg==\n", "foob" },
		{ "Zg= =", "f" },
		{ "Z", NULL },
		{ "Zm9vY", NULL },
		{ "Zg=", NULL },
		{ "Zg===", NULL },
		{ "Zm8==", NULL },
		{ "Zm9v=", NULL },
		{ "=", NULL },
		{ "Z===", NULL },
		{ "Zg==Zg==", NULL },
		{ "Zm9-", NULL },
		{ "Zm_v", NULL },
		{ "Zm9v!", NULL },
		{ "Zm9\xc3", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		struct buf b;

		buf_init(&b, 100);
		if ((text_parse_base64(&b, text_bytes(cases[i].in), &e) == 0) != (cases[i].out != NULL))
			fail_msg("%s", cases[i].in);
		if (cases[i].out != NULL)
			assert_string_equal(buf_cstr(&b), cases[i].out);
		else
			assert_int_equal(e.hr, E_INVALIDARG);
		buf_fini(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf16_both_ways),
		cmocka_unit_test(test_bad_utf8),
		cmocka_unit_test(test_bad_utf16),
		cmocka_unit_test(test_in_pool),
		cmocka_unit_test(test_bmp),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_upper),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_decimal),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_base64_wrap),
		cmocka_unit_test(test_pem),
		cmocka_unit_test(test_base64_spellings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
