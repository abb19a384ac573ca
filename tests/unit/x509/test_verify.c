/* Proof of possession: every algorithm that is taken, and every way a key or signature can be wrong. */
#include "support.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

static int
verdict(struct bytes raw, struct x509_request *r, struct pool *pool, struct err *e)
{
	*e = (struct err){ 0 };
	if (x509_request_parse(r, pool, raw, e) != 0)
		return -1;
	return x509_request_verify(r, e);
}

static void
test_algorithms(void **state)
{
	static const struct {
		const char *key;
		struct request_spec spec;
		enum x509_key_type type;
		unsigned bits;
		const char *curve;
		uint32_t hr;
	} cases[] = {
		{ "RSA-2048", { "a", NULL, NULL, "SHA1", false, 0 }, X509_KEY_RSA, 2048, NULL, 0 },
		{ "RSA-2048", { "a", NULL, NULL, "SHA256", false, 0 }, X509_KEY_RSA, 2048, NULL, 0 },
		{ "RSA-2048", { "a", NULL, NULL, "SHA384", false, 0 }, X509_KEY_RSA, 2048, NULL, 0 },
		{ "RSA-2048", { "a", NULL, NULL, "SHA512", false, 0 }, X509_KEY_RSA, 2048, NULL, 0 },
		{ "RSA-1024", { "a", NULL, NULL, "SHA256", false, 0 }, X509_KEY_RSA, 1024, NULL, 0 },
		{ "RSA-1032", { "a", NULL, NULL, "SHA256", false, 0 }, X509_KEY_RSA, 1032, NULL, 0 },
		{ "RSA-2048", { "a", NULL, NULL, "SHA1", true, 20 }, X509_KEY_RSA, 2048, NULL, 0 },
		{ "RSA-2048", { "a", NULL, NULL, "SHA256", true, 32 }, X509_KEY_RSA, 2048, NULL, 0 },
		{ "RSA-2048", { "a", NULL, NULL, "SHA384", true, 0 }, X509_KEY_RSA, 2048, NULL, 0 },
		{ "RSA-2048", { "a", NULL, NULL, "SHA512", true, 64 }, X509_KEY_RSA, 2048, NULL, 0 },
		{ "P-256", { "a", NULL, NULL, "SHA1", false, 0 }, X509_KEY_EC, 256, "P-256", 0 },
		{ "P-256", { "a", NULL, NULL, "SHA256", false, 0 }, X509_KEY_EC, 256, "P-256", 0 },
		{ "P-384", { "a", NULL, NULL, "SHA384", false, 0 }, X509_KEY_EC, 384, "P-384", 0 },
		{ "P-521", { "a", NULL, NULL, "SHA512", false, 0 }, X509_KEY_EC, 521, "P-521", 0 },
		{ "P-521", { "a", NULL, NULL, "SHA256", false, 0 }, X509_KEY_EC, 521, "P-521", 0 },
		/* left to OpenSSL */
		{ "ED25519", { "a", NULL, NULL, NULL, false, 0 }, X509_KEY_OTHER, 256, NULL, 0 },
		{ "P-224", { "a", NULL, NULL, "SHA256", false, 0 }, X509_KEY_OTHER, 224, NULL, 0 },
		/* weak, or unknown to Windows */
		{ "RSA-2048", { "a", NULL, NULL, "MD5", false, 0 }, X509_KEY_RSA, 2048, NULL, CRYPT_E_UNKNOWN_ALGO },
		{ "RSA-2048", { "a", NULL, NULL, "SHA224", false, 0 }, X509_KEY_RSA, 2048, NULL, CRYPT_E_UNKNOWN_ALGO },
		{ "RSA-2048", { "a", NULL, NULL, "SHA224", true, 20 }, X509_KEY_RSA, 2048, NULL, CRYPT_E_UNKNOWN_ALGO },
		{ "P-256", { "a", NULL, NULL, "SHA224", false, 0 }, X509_KEY_EC, 256, "P-256", CRYPT_E_UNKNOWN_ALGO },
		{ "P-256", { "a", NULL, NULL, "SHA3-256", false, 0 }, X509_KEY_EC, 256, "P-256", CRYPT_E_UNKNOWN_ALGO },
	};
	EVP_PKEY *key = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 20);
		struct x509_request r;
		struct err e;
		struct bytes raw;
		int ret;

		if (i == 0 || strcmp(cases[i].key, cases[i - 1].key) != 0) {
			EVP_PKEY_free(key);
			key = new_key(cases[i].key);
		}
		raw = make_request(pool, key, &cases[i].spec);
		ret = verdict(raw, &r, pool, &e);
		if (e.hr != cases[i].hr)
			fail_msg("%s %s: 0x%08x %s", cases[i].key, cases[i].spec.md, e.hr, e.msg);
		assert_int_equal(r.key.type, cases[i].type);
		assert_int_equal(r.key.bits, cases[i].bits);
		if (cases[i].curve != NULL)
			assert_string_equal(r.key.curve, cases[i].curve);

		/* The same request with its last octet changed is nobody's. */
		if (ret == 0) {
			((uint8_t *)(uintptr_t)raw.p)[raw.len - 1] ^= 1;
			assert_int_equal(verdict(raw, &r, pool, &e), -1);
			assert_int_equal(e.hr, NTE_BAD_SIGNATURE);
		}
		pool_free(pool);
	}
	EVP_PKEY_free(key);
}

/* ---- signature algorithm identifiers ---- */

static void
test_identifiers(void **state)
{
	static const struct {
		const char *name, *alg; /* hex; the signature is ECDSA with P-256 and SHA-256 */
		uint32_t hr;
	} cases[] = {
		{ "ecdsa-with-SHA256", "300a06082a8648ce3d040302", 0 },
		{ "with NULL", "300c06082a8648ce3d0403020500", 0 },
		{ "specifiedECDSA, SHA-256", "301606072a8648ce3d0403300b0609608648016503040201", 0 },
		{ "specifiedECDSA, SHA-256 NULL", "301806072a8648ce3d0403300d06096086480165030402010500", 0 },
		{ "specifiedECDSA, another hash", "301606072a8648ce3d0403300b0609608648016503040202", NTE_BAD_SIGNATURE },
		{ "specifiedECDSA, unknown hash", "300e06072a8648ce3d04033003060129", CRYPT_E_UNKNOWN_ALGO },
		{ "specifiedECDSA, nothing specified", "300906072a8648ce3d0403", CRYPT_E_ASN1_EOD },
		{ "another hash", "300a06082a8648ce3d040303", NTE_BAD_SIGNATURE },
		{ "RSA algorithm", "300d06092a864886f70d01010b0500", NTE_BAD_SIGNATURE },
		{ "PSS", "300d06092a864886f70d01010a3000", NTE_BAD_SIGNATURE },
		{ "PSS without parameters", "300b06092a864886f70d01010a", CRYPT_E_ASN1_BADTAG },
		{ "unknown", "300306012a", CRYPT_E_UNKNOWN_ALGO },
		{ "MD2", "300d06092a864886f70d0101020500", CRYPT_E_UNKNOWN_ALGO },
		{ "MD4", "300d06092a864886f70d0101030500", CRYPT_E_UNKNOWN_ALGO },
		{ "MD5", "300d06092a864886f70d0101040500", CRYPT_E_UNKNOWN_ALGO },
		{ "MD5 of OIW", "300906052b0e0302030500", CRYPT_E_UNKNOWN_ALGO },
		{ "parameters", "300d06082a8648ce3d040302020105", CRYPT_E_ASN1_BADTAG },
		{ "two parameters", "300e06082a8648ce3d04030205000500", CRYPT_E_ASN1_BADTAG },
		{ "no OID", "3000", CRYPT_E_ASN1_EOD },
	};
	EVP_PKEY *key = new_key("P-256");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 20);
		struct buf alg = new_buf();
		struct x509_request r;
		struct err e;

		assert_int_equal(text_parse_hex(&alg, cases[i].alg, NULL), 0);
		(void)!verdict(craft_request(pool, key, &(struct craft){ .sig_alg = take(pool, &alg) }), &r, pool, &e);
		if (e.hr != cases[i].hr)
			fail_msg("%s: 0x%08x %s", cases[i].name, e.hr, e.msg);
		pool_free(pool);
	}
	EVP_PKEY_free(key);
}

/* RSASSA-PSS-params by hand around a signature made with SHA-1, MGF1-SHA-1 and 20 octets of salt: the defaults. */
static void
test_pss_parameters(void **state)
{
	static const struct {
		const char *name, *params;
		uint32_t hr;
	} cases[] = {
		{ "all defaults", "3000", 0 },
		{ "defaults spelled out",
		    "302da009300706052b0e03021aa116301406092a864886f70d010108300706052b0e03021aa203020114a303020101", 0 },
		{ "salt", "3005a203020114", 0 },
		{ "trailer", "3005a303020101", 0 },
		{ "other salt", "3005a203020115", NTE_BAD_SIGNATURE },
		{ "negative salt", "3005a2030201ff", CRYPT_E_UNKNOWN_ALGO },
		{ "huge salt", "3007a2050203100000", CRYPT_E_UNKNOWN_ALGO },
		{ "trailer 2", "3005a303020102", CRYPT_E_UNKNOWN_ALGO },
		{ "hash SHA-256", "300fa00d300b0609608648016503040201", NTE_BAD_SIGNATURE },
		{ "unknown hash", "3007a0053003060129", CRYPT_E_UNKNOWN_ALGO },
		{ "mask is not MGF1", "3007a1053003060129", CRYPT_E_UNKNOWN_ALGO },
		{ "out of order", "300aa303020101a203020114", CRYPT_E_ASN1_BADTAG },
		{ "unknown field", "3005a403020101", CRYPT_E_ASN1_BADTAG },
		{ "salt is text", "3005a203160114", CRYPT_E_ASN1_BADTAG },
	};
	EVP_PKEY *key = new_key("RSA-1024");
	struct request_spec spec = { "a", NULL, NULL, "SHA1", true, 20 };
	struct pool *pool = pool_new(4 << 20);
	struct bytes raw = make_request(pool, key, &spec);
	struct x509_request r;
	struct err e;

	(void)state;
	assert_int_equal(verdict(raw, &r, pool, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = new_buf();
		size_t alg = der_open(&b, DER_SEQUENCE);
		struct x509_request changed = r;

		der_put_oid(&b, "1.2.840.113549.1.1.10");
		assert_int_equal(text_parse_hex(&b, cases[i].params, NULL), 0);
		der_close(&b, alg);
		changed.sig_alg = take(pool, &b);
		e.hr = 0;
		(void)!x509_request_verify(&changed, &e);
		if (e.hr != cases[i].hr)
			fail_msg("%s: 0x%08x %s", cases[i].name, e.hr, e.msg);
	}
	EVP_PKEY_free(key);
	pool_free(pool);
}

/* ---- keys ---- */

static struct bytes
rsa_spki(struct pool *pool, struct bytes n, struct bytes exponent)
{
	struct buf key = new_buf(), b = new_buf();
	size_t seq = der_open(&key, DER_SEQUENCE), spki, alg;

	der_put_uint(&key, n);
	der_put_uint(&key, exponent);
	der_close(&key, seq);
	spki = der_open(&b, DER_SEQUENCE);
	alg = der_open(&b, DER_SEQUENCE);
	der_put_oid(&b, "1.2.840.113549.1.1.1");
	der_put_null(&b);
	der_close(&b, alg);
	der_put_bits(&b, buf_bytes(&key), 0);
	der_close(&b, spki);
	buf_fini(&key);
	return take(pool, &b);
}

static void
test_rsa_numbers(void **state)
{
	static const struct {
		const char *name;
		size_t n_len;      /* octets of the modulus */
		uint8_t first, last;
		const char *exponent; /* hex */
		unsigned bits;
		uint32_t hr;
	} cases[] = {
		{ "sound, but not the signer's", 256, 0x80, 1, "010001", 2048, NTE_BAD_SIGNATURE },
		{ "2041 bits", 256, 0x01, 1, "010001", 2041, NTE_BAD_SIGNATURE },
		{ "16384 bits", 2048, 0x80, 1, "010001", 16384, NTE_BAD_SIGNATURE },
		{ "16392 bits", 2049, 0x80, 1, "010001", 16392, NTE_BAD_PUBLIC_KEY },
		{ "exponent 3", 256, 0x80, 1, "03", 2048, NTE_BAD_SIGNATURE },
		{ "exponent 1", 256, 0x80, 1, "01", 2048, NTE_BAD_PUBLIC_KEY },
		{ "exponent 0", 256, 0x80, 1, "00", 2048, NTE_BAD_PUBLIC_KEY },
		{ "even exponent", 256, 0x80, 1, "010000", 2048, NTE_BAD_PUBLIC_KEY },
		{ "even modulus", 256, 0x80, 2, "010001", 2048, NTE_BAD_PUBLIC_KEY },
		{ "modulus 1", 1, 1, 1, "010001", 1, NTE_BAD_PUBLIC_KEY },
		{ "modulus 0", 1, 0, 0, "010001", 0, NTE_BAD_PUBLIC_KEY },
	};
	EVP_PKEY *signer = new_key("RSA-1024");
	static const uint8_t alg[] = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 20);
		uint8_t *n = pool_alloc(pool, cases[i].n_len);
		struct buf exponent = new_buf();
		struct x509_request r;
		struct craft c = { .sig_alg = { alg, sizeof(alg) - 1 } };
		struct err e;

		memset(n, 0x5a, cases[i].n_len);
		n[cases[i].n_len - 1] = cases[i].last;
		n[0] = cases[i].first;
		assert_int_equal(text_parse_hex(&exponent, cases[i].exponent, NULL), 0);
		c.spki = rsa_spki(pool, (struct bytes){ n, cases[i].n_len }, take(pool, &exponent));
		assert_int_equal(verdict(craft_request(pool, signer, &c), &r, pool, &e), -1);
		if (e.hr != cases[i].hr || r.key.bits != cases[i].bits)
			fail_msg("%s: %u bits, 0x%08x %s", cases[i].name, r.key.bits, e.hr, e.msg);
		pool_free(pool);
	}
	EVP_PKEY_free(signer);
}

static void
test_ec_points(void **state)
{
	static const struct {
		const char *name;
		uint8_t form;     /* first octet, 0: as it is */
		size_t len;       /* octets kept */
		bool off_curve;
		uint32_t hr;
	} cases[] = {
		{ "uncompressed", 0x04, 65, false, 0 },
		{ "not on the curve", 0x04, 65, true, NTE_BAD_PUBLIC_KEY },
		{ "short", 0x04, 64, false, NTE_BAD_PUBLIC_KEY },
		{ "infinity", 0x00, 1, false, NTE_BAD_PUBLIC_KEY },
		{ "hybrid", 0x06, 65, false, NTE_BAD_PUBLIC_KEY },
		{ "compressed form, both coordinates", 0x02, 65, false, NTE_BAD_PUBLIC_KEY },
		{ "nothing", 0x04, 0, false, NTE_BAD_PUBLIC_KEY },
	};
	EVP_PKEY *key = new_key("P-256");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 20);
		struct bytes spki = spki_of(pool, key);
		uint8_t point[65];
		struct buf b = new_buf();
		size_t seq = der_open(&b, DER_SEQUENCE);
		struct x509_request r;
		struct err e;

		assert_int_equal(spki.len, 91); /* the point is the last 65 octets */
		memcpy(point, spki.p + 26, 65);
		point[0] = cases[i].form;
		point[64] ^= cases[i].off_curve;
		buf_put(&b, spki.p + 2, 21); /* AlgorithmIdentifier */
		der_put_bits(&b, (struct bytes){ point, cases[i].len }, 0);
		der_close(&b, seq);
		(void)!verdict(craft_request(pool, key, &(struct craft){ .spki = take(pool, &b) }), &r, pool, &e);
		if (e.hr != cases[i].hr)
			fail_msg("%s: 0x%08x %s", cases[i].name, e.hr, e.msg);
		assert_int_equal(r.key.bits, 256);
		pool_free(pool);
	}
	EVP_PKEY_free(key);
}

static void
set_text(EVP_PKEY *key, const char *name, const char *value)
{
	assert_int_equal(EVP_PKEY_set_utf8_string_param(key, name, value), 1);
}

/* A compressed point is the same key; explicit parameters are another kind of key, which OpenSSL may judge. */
static void
test_ec_encodings(void **state)
{
	struct request_spec spec = { "a", NULL, NULL, "SHA256", false, 0 };
	struct pool *pool = pool_new(1 << 20);
	EVP_PKEY *key = new_key("P-256");
	struct x509_request r;
	struct err e;

	(void)state;
	set_text(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed");
	assert_int_equal(verdict(make_request(pool, key, &spec), &r, pool, &e), 0);
	assert_int_equal(r.key.type, X509_KEY_EC);
	assert_int_equal(r.key.key_bits.len, 33);

	set_text(key, OSSL_PKEY_PARAM_EC_ENCODING, "explicit");
	assert_int_equal(verdict(make_request(pool, key, &spec), &r, pool, &e), 0);
	assert_int_equal(r.key.type, X509_KEY_OTHER);
	assert_int_equal(r.key.bits, 256);
	assert_null(r.key.curve);
	EVP_PKEY_free(key);
	pool_free(pool);
}

/* SubjectPublicKeyInfo that is no key: refused when read, or when used. */
static void
test_broken_keys(void **state)
{
	static const struct {
		const char *name, *spki;
		uint32_t hr;
	} cases[] = {
		{ "empty", "3000", CRYPT_E_ASN1_EOD },
		{ "no bits", "300f300d06092a864886f70d0101010500", CRYPT_E_ASN1_EOD },
		{ "RSA key of nothing", "3012300d06092a864886f70d0101010500030100", CRYPT_E_ASN1_EOD },
		{ "RSA key that is a number", "3015300d06092a864886f70d0101010500030400020103", CRYPT_E_ASN1_BADTAG },
		{ "negative modulus", "301a300d06092a864886f70d01010105000309003006020181020103", CRYPT_E_ASN1_BADTAG },
		{ "modulus with a leading zero", "301b300d06092a864886f70d0101010500030a00300702020011020103",
		    CRYPT_E_ASN1_BADTAG },
		{ "unused bits", "301a300d06092a864886f70d01010105000309013006020111020102", CRYPT_E_ASN1_BADTAG },
		{ "more behind", "301c300d06092a864886f70d010101050003090030060201110201030500", CRYPT_E_ASN1_BADTAG },
		{ "unknown algorithm", "300b300506032a030403020000", 0 },
		{ "unknown curve", "3017301006072a8648ce3d020106052b810400630303000400", CRYPT_E_UNKNOWN_ALGO },
	};
	EVP_PKEY *signer = new_key("P-256");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 20);
		struct buf spki = new_buf();
		struct x509_request r;
		struct err e;

		assert_int_equal(text_parse_hex(&spki, cases[i].spki, NULL), 0);
		assert_int_equal(verdict(craft_request(pool, signer, &(struct craft){ .spki = take(pool, &spki) }), &r,
		    pool, &e), -1);
		if (cases[i].hr != 0 && e.hr != cases[i].hr)
			fail_msg("%s: 0x%08x %s", cases[i].name, e.hr, e.msg);
		pool_free(pool);
	}
	EVP_PKEY_free(signer);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_identifiers),
		cmocka_unit_test(test_pss_parameters),
		cmocka_unit_test(test_rsa_numbers),
		cmocka_unit_test(test_ec_points),
		cmocka_unit_test(test_ec_encodings),
		cmocka_unit_test(test_broken_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
