/* SignedPublicKeyAndChallenge: read, proven, named by words. OpenSSL is the writer. */
#include "support.h"

static EVP_PKEY *key;

static int
set_up(void **state)
{
	(void)state;
	key = new_key("RSA-1024");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	return 0;
}

static struct bytes
make_spkac(struct pool *pool, const char *challenge, const EVP_MD *md)
{
	NETSCAPE_SPKI *spki = NETSCAPE_SPKI_new();
	unsigned char *der = NULL;
	struct bytes out;
	int n;

	assert_int_equal(NETSCAPE_SPKI_set_pubkey(spki, key), 1);
	assert_int_equal(ASN1_STRING_set(spki->spkac->challenge, challenge, (int)strlen(challenge)), 1);
	assert_true(NETSCAPE_SPKI_sign(spki, key, md) > 0);
	n = i2d_NETSCAPE_SPKI(spki, &der);
	assert_int_equal(pool_dup_bytes(pool, (struct bytes){ der, (size_t)n }, &out), 0);
	OPENSSL_free(der);
	NETSCAPE_SPKI_free(spki);
	return out;
}

static void
test_signatures(void **state)
{
	static const struct {
		const char *challenge, *md;
		uint32_t hr;
	} cases[] = {
		{ "", "SHA256", 0 }, { "magic word", "SHA1", 0 }, { "magic word", "SHA512", 0 },
		{ "magic word", "MD5", CRYPT_E_UNKNOWN_ALGO }, /* OpenSSL's old default */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 20);
		struct bytes raw = make_spkac(pool, cases[i].challenge, EVP_get_digestbyname(cases[i].md));
		const char *challenge;
		struct x509_request r;
		struct err e = { 0 };

		assert_int_equal(x509_request_format(raw), X509_FORMAT_KEYGEN);
		assert_int_equal(x509_keygen_parse(&r, pool, raw, &challenge, &e), 0);
		assert_string_equal(challenge, cases[i].challenge);
		assert_true(r.keygen);
		assert_int_equal(r.key.bits, 1024);
		assert_int_equal(x509_request_verify(&r, &e), cases[i].hr == 0 ? 0 : -1);
		if (cases[i].hr != 0)
			assert_int_equal(e.hr, cases[i].hr);
		pool_free(pool);
	}
}

/* Every bit under the signature counts; cut anywhere, it is no request. */
static void
test_changed(void **state)
{
	struct pool *pool = pool_new(8 << 20);
	struct bytes raw = make_spkac(pool, "magic", EVP_sha256());
	uint8_t *p = (uint8_t *)(uintptr_t)raw.p;
	const char *challenge;
	struct x509_request r;
	struct err e;

	(void)state;
	for (size_t n = 0; n < raw.len; n++) {
		assert_int_equal(x509_keygen_parse(&r, pool, (struct bytes){ raw.p, n }, &challenge, &e), -1);
		assert_int_equal(e.hr, CRYPT_E_ASN1_EOD);
	}
	for (size_t i = 4; i < raw.len; i += 3) {
		p[i] ^= 0x20;
		if (x509_keygen_parse(&r, pool, raw, &challenge, &e) == 0 && x509_request_verify(&r, &e) == 0)
			fail_msg("octet %zu is nobody's", i);
		p[i] ^= 0x20;
	}
	pool_free(pool);
}

static void
test_subjects(void **state)
{
	static const struct {
		struct x509_name_value words[4];
		const char *subject; /* NULL: refused */
	} cases[] = {
		{ { { "CN", "a" }, { "o", "b" }, { "OrganizationUnit", "c" } }, "OU=c, O=b, CN=a" },
		{ { { "CertType", "server" }, { "2.5.4.3", "a" } }, "CN=a" },
		{ { { "E", "a@contoso.com" } }, "E=a@contoso.com" },
		{ { { "S", "x" }, { "L", "y" }, { "country", "DE" } }, "C=DE, L=y, S=x" },
		{ { { "CertType", "server" }, { "challenge", "CN" } }, NULL },
		{ { { "CN", "\xff" } }, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 20);
		struct x509_request r = { 0 };
		struct buf text = new_buf();
		struct err e = { 0 };
		size_t n = 0;
		int rc;

		while (n < ARRAY_LEN(cases[i].words) && cases[i].words[n].name != NULL)
			n++;
		rc = x509_keygen_subject(&r, pool, cases[i].words, n, &e);
		assert_int_equal(rc, cases[i].subject != NULL ? 0 : -1);
		if (cases[i].subject != NULL) {
			assert_int_equal(x509_name_to_text(&text, r.subject, &e), 0);
			if (strcmp(buf_cstr(&text), cases[i].subject) != 0)
				fail_msg("%s, not %s", buf_cstr(&text), cases[i].subject);
			assert_true(r.n_rdns > 0);
		} else {
			assert_int_equal(e.hr, CERTSRV_E_BAD_REQUESTSUBJECT);
		}
		buf_fini(&text);
		pool_free(pool);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_subjects),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
