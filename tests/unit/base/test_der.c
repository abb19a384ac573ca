/* DER, X.690: only the distinguished encoding is read, and it is what is written. */
#include "base_support.h"

#include "base/der.h"

static struct der
over(const char *hex)
{
	return der_over(octets(hex));
}

static void
test_items(void **state)
{
	struct der d = over("02 01 05 04 00 30 03 0101ff a1 02 0500"), inner;
	struct err e = { 0 };
	struct der_item it;

	(void)state;
	assert_int_equal(der_peek(&d), DER_INTEGER);
	assert_int_equal(der_next(&d, &it, "first", &e), 0);
	assert_octets(it.body, "05", "body");
	assert_octets(it.raw, "020105", "raw");
	assert_int_equal(der_expect(&d, DER_OCTET_STRING, &it, "empty", &e), 0);
	assert_int_equal(it.body.len, 0);
	assert_int_equal(der_enter(&d, DER_SEQUENCE, &inner, "seq", &e), 0);
	assert_int_equal(der_peek(&inner), DER_BOOLEAN);
	assert_int_equal(der_finish(&inner, "seq", &e), -1);
	assert_string_equal(e.msg, "seq: 3 octets too many");
	assert_int_equal(der_enter(&d, DER_CONTEXT_CONSTRUCTED(1), &inner, "[1]", &e), 0);
	assert_int_equal(der_expect(&inner, DER_NULL, &it, "null", &e), 0);
	assert_int_equal(der_finish(&inner, "[1]", &e), 0);
	assert_true(der_at_end(&d));
	assert_int_equal(der_peek(&d), 0);
	assert_int_equal(der_next(&d, &it, "more", &e), -1);
	assert_string_equal(e.msg, "more: missing");
	assert_int_equal(e.hr, CRYPT_E_ASN1_EOD);
}

/* A wrong tag leaves the reader where it was, for optional fields. */
static void
test_expect_stays(void **state)
{
	struct der d = over("020105");
	struct err e = { 0 };
	struct der_item it;
	int64_t v;

	(void)state;
	assert_int_equal(der_expect(&d, DER_NULL, &it, "null", &e), -1);
	assert_int_equal(e.hr, CRYPT_E_ASN1_BADTAG);
	assert_int_equal(der_get_int64(&d, &v, "n", &e), 0);
	assert_int_equal(v, 5);
}

static void
test_bad_headers(void **state)
{
	static const struct {
		const char *name, *hex;
		uint32_t hr;
	} cases[] = {
		{ "nothing", "", CRYPT_E_ASN1_EOD },
		{ "tag alone", "30", CRYPT_E_ASN1_EOD },
		{ "body one octet short", "3003 0500", CRYPT_E_ASN1_EOD },
		{ "long length cut", "3082 01", CRYPT_E_ASN1_EOD },
		{ "long body missing", "308180", CRYPT_E_ASN1_EOD },
		{ "indefinite length", "3080 0000", CRYPT_E_ASN1_BADTAG },
		{ "reserved length FF", "30ff", CRYPT_E_ASN1_BADTAG },
		{ "five length octets", "30850000000001 00", CRYPT_E_ASN1_BADTAG },
		{ "length 1 in the long form", "308101 00", CRYPT_E_ASN1_BADTAG },
		{ "length 127 in the long form", "30817f", CRYPT_E_ASN1_BADTAG },
		{ "leading zero in the length", "30820080", CRYPT_E_ASN1_BADTAG },
		{ "leading zero in four octets", "308400ffffff", CRYPT_E_ASN1_BADTAG },
		{ "length 0 in the long form", "308400000000", CRYPT_E_ASN1_BADTAG },
		{ "2^31", "308480000000", CRYPT_E_ASN1_BADTAG },
		{ "2^32 - 1", "3084ffffffff", CRYPT_E_ASN1_BADTAG },
		{ "2^31 - 1, not there", "30847fffffff", CRYPT_E_ASN1_EOD },
		{ "multi-octet tag", "1f2001 00", CRYPT_E_ASN1_BADTAG },
		{ "multi-octet context tag", "bf8101 00", CRYPT_E_ASN1_BADTAG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct der d = over(cases[i].hex);
		struct err e = { 0 };
		struct der_item it;

		if (der_next(&d, &it, "x", &e) != -1 || e.hr != cases[i].hr)
			fail_msg("%s: 0x%08x %s", cases[i].name, e.hr, e.msg);
	}
}

static void
test_integers(void **state)
{
	static const struct {
		const char *hex;
		int64_t v;
	} good[] = {
		{ "020100", 0 }, { "020101", 1 }, { "02017f", 127 }, { "02020080", 128 }, { "020200ff", 255 },
		{ "02020100", 256 }, { "0201ff", -1 }, { "020180", -128 }, { "0202ff7f", -129 }, { "02028000", -32768 },
		{ "02087fffffffffffffff", INT64_MAX }, { "02088000000000000000", INT64_MIN },
	};
	static const char *const bad[] = {
		"0200", "02020000", "0202007f", "0202ffff", "0202ff80", "0209008000000000000000", "020900ffffffffffffffff",
		"030100", "0a0101", "0202",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct der d = over(good[i].hex);
		struct err e = { 0 };
		struct buf b;
		int64_t v;

		assert_int_equal(der_get_int64(&d, &v, "n", &e), 0);
		assert_true(v == good[i].v);
		buf_init(&b, 20);
		der_put_int64(&b, v);
		assert_octets(buf_bytes(&b), good[i].hex, "der_put_int64");
		buf_fini(&b);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct der d = over(bad[i]);
		struct err e = { 0 };
		int64_t v;

		if (der_get_int64(&d, &v, "n", &e) != -1)
			fail_msg("accepted: %s", bad[i]);
	}
}

static void
test_put_uint(void **state)
{
	static const struct {
		const char *magnitude, *hex;
	} cases[] = {
		{ "", "020100" }, { "00", "020100" }, { "01", "020101" }, { "7f", "02017f" }, { "80", "02020080" },
		{ "0001", "020101" }, { "000080", "02020080" }, { "ffffffffffffffffff", "020a00ffffffffffffffffff" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b;

		buf_init(&b, 20);
		der_put_uint(&b, octets(cases[i].magnitude));
		assert_octets(buf_bytes(&b), cases[i].hex, cases[i].magnitude);
		buf_fini(&b);
	}
}

static void
test_booleans(void **state)
{
	static const struct {
		const char *hex;
		int v; /* -1: refused */
	} cases[] = {
		{ "010100", 0 }, { "0101ff", 1 }, { "010101", -1 }, { "0100", -1 }, { "01020000", -1 }, { "020100", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct der d = over(cases[i].hex);
		struct err e = { 0 };
		bool v = false;
		struct buf b;

		assert_int_equal(der_get_bool(&d, &v, "b", &e), cases[i].v < 0 ? -1 : 0);
		if (cases[i].v < 0)
			continue;
		assert_int_equal(v, cases[i].v);
		buf_init(&b, 3);
		der_put_bool(&b, v);
		assert_octets(buf_bytes(&b), cases[i].hex, "der_put_bool");
		buf_fini(&b);
	}
}

static void
test_bits(void **state)
{
	static const struct {
		const char *hex, *bits;
		int unused; /* -1: refused */
	} cases[] = {
		{ "030100", "", 0 },
		{ "0302 05a0", "a0", 5 },
		{ "0302 0780", "80", 7 },
		{ "0303 000123", "0123", 0 },
		{ "0300", "", -1 },
		{ "030101", "", -1 },        /* unused bits of nothing */
		{ "0302 0880", "", -1 },
		{ "0302 05a1", "", -1 },     /* an unused bit is set */
		{ "0302 07c0", "", -1 },
		{ "2302 05a0", "", -1 },     /* constructed: BER */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct der d = over(cases[i].hex);
		struct err e = { 0 };
		struct bytes v;
		uint8_t unused;
		struct buf b;

		if (der_get_bits(&d, &v, &unused, "b", &e) != (cases[i].unused < 0 ? -1 : 0))
			fail_msg("%s: %s", cases[i].hex, e.msg);
		if (cases[i].unused < 0)
			continue;
		assert_int_equal(unused, cases[i].unused);
		buf_init(&b, 20);
		der_put_bits(&b, v, unused);
		assert_octets(v, cases[i].bits, cases[i].hex);
		assert_octets(buf_bytes(&b), cases[i].hex, "der_put_bits");
		buf_fini(&b);
	}
}

static void
test_oids(void **state)
{
	static const struct {
		const char *dotted, *body;
	} good[] = {
		{ "0.0", "00" },
		{ "0.39", "27" },
		{ "1.0", "28" },
		{ "1.39", "4f" },
		{ "2.0", "50" },
		{ "2.5.29.15", "551d0f" },
		{ "2.999", "8837" },
		{ "2.999.3", "883703" },
		{ "1.2.840.113549.1.1.11", "2a864886f70d01010b" },
		{ "1.3.6.1.4.1.311.21.8.16384.0", "2b0601040182371508 81800000" },
		{ "1.3.6.1.4.1.311.25.2", "2b060104018237 1902" },
		{ "2.5.29.37.0", "551d2500" },
		{ "1.2.4294967295", "2a8fffffff7f" },
	};
	static const char *const bad_text[] = {
		"", ".", "1", "1.", ".1", "1..2", "1.2.", "3.1", "0.40", "1.40", "1.2.a", "1.2 ", " 1.2", "1.02", "01.2", "1.-2",
		"1.2.18446744073709551616", "1.2.99999999999999999999999", "2.18446744073709551615",
	};
	static const char *const bad_body[] = {
		"0600", "060180", "06028001", "0603 2a8001", "0602 2a80", "0603 55801d", "0402 2a03",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		char text[OID_TEXT_MAX];
		struct err e = { 0 };
		struct buf b;
		struct der d;
		struct bytes body;

		buf_init(&b, 40);
		assert_int_equal(oid_from_text(&b, good[i].dotted, &e), 0);
		assert_octets(buf_bytes(&b), good[i].body, good[i].dotted);
		assert_true(oid_to_text(buf_bytes(&b), text));
		assert_string_equal(text, good[i].dotted);
		buf_reset(&b);
		der_put_oid(&b, good[i].dotted);
		d = der_over(buf_bytes(&b));
		assert_int_equal(der_get_oid(&d, &body, "oid", &e), 0);
		assert_octets(body, good[i].body, good[i].dotted);
		buf_fini(&b);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad_text); i++) {
		struct err e = { 0 };
		struct buf b;

		buf_init(&b, 40);
		if (oid_from_text(&b, bad_text[i], &e) != -1)
			fail_msg("accepted: %s", bad_text[i]);
		assert_int_equal(e.hr, E_INVALIDARG);
		buf_reset(&b);
		der_put_oid(&b, bad_text[i]);
		assert_false(buf_ok(&b));
		buf_fini(&b);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad_body); i++) {
		struct der d = over(bad_body[i]);
		struct err e = { 0 };
		struct bytes body;

		if (der_get_oid(&d, &body, "oid", &e) != -1)
			fail_msg("accepted: %s", bad_body[i]);
	}
}

static void
test_oid_text_limits(void **state)
{
	char text[OID_TEXT_MAX];
	uint8_t many[80];

	(void)state;
	assert_false(oid_to_text(octets(""), text));
	assert_false(oid_to_text(octets("2a80"), text));
	assert_true(oid_to_text(octets("2a81ffffffffffffffff7f"), text)); /* 2^64 - 1 */
	assert_string_equal(text, "1.2.18446744073709551615");
	assert_false(oid_to_text(octets("2a8280808080808080 8000"), text)); /* 2^64 */
	memset(many, 1, sizeof(many));
	assert_true(oid_to_text((struct bytes){ many, 63 }, text)); /* "0.1" and 62 times ".1": 127 characters */
	assert_int_equal(strlen(text), 127);
	assert_false(oid_to_text((struct bytes){ many, 64 }, text));
}

static void
test_times(void **state)
{
	static const struct {
		const char *tag_and_text; /* 'U' or 'G', then the text */
		const char *iso;          /* NULL: refused */
		bool same;                /* written as it was read */
	} cases[] = {
		{ "U260101000000Z", "2026-01-01T00:00:00Z", true },
		{ "U491231235959Z", "2049-12-31T23:59:59Z", true },
		{ "U500101000000Z", "1950-01-01T00:00:00Z", true },
		{ "U991231235959Z", "1999-12-31T23:59:59Z", true },
		{ "G20500101000000Z", "2050-01-01T00:00:00Z", true },
		{ "G99991231235959Z", "9999-12-31T23:59:59Z", true },
		{ "G19491231235959Z", "1949-12-31T23:59:59Z", true },
		{ "G20260101000000Z", "2026-01-01T00:00:00Z", false },
		{ "U2601010000Z", NULL, false },
		{ "U260101000000+0000", NULL, false },
		{ "U260101000000", NULL, false },
		{ "U260101000000z", NULL, false },
		{ "U261301000000Z", NULL, false },
		{ "U260001000000Z", NULL, false },
		{ "U260229000000Z", NULL, false },
		{ "U260101240000Z", NULL, false },
		{ "U260101006000Z", NULL, false },
		{ "U260101000060Z", NULL, false },
		{ "U2601010000-1Z", NULL, false },
		{ "U 60101000000Z", NULL, false },
		{ "U26010100000:Z", NULL, false },
		{ "G20260101000000.5Z", NULL, false },
		{ "G2026010100Z", NULL, false },
		{ "G202601010000000", NULL, false },
		{ "G16001231235959Z", NULL, false },
		{ "GAAAA0101000000Z", NULL, false },
		{ "G", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t tag = cases[i].tag_and_text[0] == 'U' ? DER_UTC_TIME : DER_GENERALIZED_TIME;
		char text[FILETIME_TEXT_MAX];
		struct buf in, out;
		struct err e = { 0 };
		filetime_t t;
		struct der d;

		buf_init(&in, 40);
		buf_init(&out, 40);
		der_put_text(&in, tag, cases[i].tag_and_text + 1);
		d = der_over(buf_bytes(&in));
		if (der_get_time(&d, &t, "t", &e) != (cases[i].iso != NULL ? 0 : -1))
			fail_msg("%s: %s", cases[i].tag_and_text, e.msg);
		if (cases[i].iso != NULL) {
			assert_string_equal(filetime_to_text(t, text), cases[i].iso);
			der_put_time(&out, t + 9999999); /* whole seconds */
			assert_int_equal(bytes_equal(buf_bytes(&in), buf_bytes(&out)), cases[i].same);
		} else {
			assert_int_equal(e.hr, CRYPT_E_ASN1_BADTAG);
		}
		buf_fini(&in);
		buf_fini(&out);
	}
}

static void
test_time_limits(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 40);
	der_put_time(&b, INT64_MAX);
	assert_false(buf_ok(&b));
	buf_fini(&b);
}

/* Lengths around the borders of their forms, by nesting and at once. */
static void
test_lengths(void **state)
{
	static const struct {
		size_t n;
		const char *header;
	} cases[] = {
		{ 0, "0400" }, { 1, "0401" }, { 127, "047f" }, { 128, "048180" }, { 255, "0481ff" }, { 256, "04820100" },
		{ 65535, "0482ffff" }, { 65536, "0483010000" },
	};
	static uint8_t zeros[65536];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t head = strlen(cases[i].header) / 2, mark;
		struct err e = { 0 };
		struct der_item it;
		struct buf a, b;
		struct der d;

		buf_init(&a, 70000);
		buf_init(&b, 70000);
		der_put(&a, DER_OCTET_STRING, (struct bytes){ zeros, cases[i].n });
		mark = der_open(&b, DER_OCTET_STRING);
		buf_put(&b, zeros, cases[i].n);
		der_close(&b, mark);
		assert_true(bytes_equal(buf_bytes(&a), buf_bytes(&b)));
		assert_octets((struct bytes){ a.p, head }, cases[i].header, "header");
		d = der_over(buf_bytes(&a));
		assert_int_equal(der_next(&d, &it, "x", &e), 0);
		assert_int_equal(it.body.len, cases[i].n);
		assert_int_equal(it.raw.len, head + cases[i].n);
		buf_fini(&a);
		buf_fini(&b);
	}
}

static void
test_nested(void **state)
{
	struct buf b;
	size_t outer, inner;

	(void)state;
	buf_init(&b, 400);
	buf_put_str(&b, "x"); /* elements may follow anything */
	outer = der_open(&b, DER_SEQUENCE);
	inner = der_open(&b, DER_CONTEXT_CONSTRUCTED(0));
	der_put_int64(&b, 2);
	der_close(&b, inner);
	der_put_null(&b);
	inner = der_open(&b, DER_SET);
	buf_put_zero(&b, 130);
	der_close(&b, inner);
	der_close(&b, outer);
	assert_octets((struct bytes){ b.p, 15 }, "78 30818c a003020102 0500 318182 00", "nested");
	assert_int_equal(b.len, 1 + 3 + 0x8c);
	buf_fini(&b);
}

/* A full buffer fails; closing what was opened in it does no harm. */
static void
test_no_room(void **state)
{
	(void)state;
	for (size_t max = 0; max < 140; max++) {
		struct buf b;
		size_t m;

		buf_init(&b, max);
		m = der_open(&b, DER_SEQUENCE);
		buf_put_zero(&b, 134);
		der_put_null(&b);
		der_close(&b, m);
		assert_int_equal(buf_ok(&b), max >= 139);
		buf_fini(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items),
		cmocka_unit_test(test_expect_stays),
		cmocka_unit_test(test_bad_headers),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_put_uint),
		cmocka_unit_test(test_booleans),
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_oids),
		cmocka_unit_test(test_oid_text_limits),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_time_limits),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
