/* Requests that nobody made: what the parser and OpenSSL read in them. */
#include <openssl/x509.h>

#include "policy/made_up.h"
#include "policy_support.h"

static const struct {
	const char *name, *subject, *san, *key;
	enum x509_key_type type;
	unsigned bits;
	const char *subject_text, *san_text;
} taken[] = {
	{ "nothing given", NULL, NULL, NULL, X509_KEY_RSA, 2048, "", NULL },
	{ "subject", "CN=device, O=Contoso", NULL, "rsa:1024", X509_KEY_RSA, 1024, "CN=device, O=Contoso", NULL },
	{ "odd length", "CN=x", NULL, "RSA:2047", X509_KEY_RSA, 2047, "CN=x", NULL },
	{ "P-256", "CN=x", NULL, "ec:P-256", X509_KEY_EC, 256, "CN=x", NULL },
	{ "P-384", "CN=x", NULL, "ec:p-384", X509_KEY_EC, 384, "CN=x", NULL },
	{ "P-521", "CN=x", NULL, "EC:P-521", X509_KEY_EC, 521, "CN=x", NULL },
	{ "one name", "CN=x", "dns:a.b", NULL, X509_KEY_RSA, 2048, "CN=x", "DNS:a.b" },
	{ "names, blanks", "CN=x", " dns:a.b , upn:c@d,email:e@f", NULL, X509_KEY_RSA, 2048, "CN=x",
	    "DNS:a.b, UPN:c@d, Email:e@f" },
	{ "URL with commas", "CN=x", "url:tag:m.com,2022-09-14:sid:S-1-5,dns:a.b", NULL, X509_KEY_RSA, 2048, "CN=x",
	    "URL:tag:m.com\\,2022-09-14:sid:S-1-5, DNS:a.b" },
};

static void
test_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		struct policy_made_up m = { taken[i].subject, taken[i].san, taken[i].key };
		struct pool *pool = pool_new(1 << 20);
		const struct x509_extension *san;
		struct x509_request r;
		const uint8_t *p;
		struct buf b, text;
		struct err e;
		X509_REQ *read;

		buf_init(&b, X509_REQUEST_MAX);
		buf_init(&text, 4096);
		if (policy_make_up(&b, &m, &e) != 0 || x509_request_parse(&r, pool, buf_bytes(&b), &e) != 0)
			fail_msg("%s: %s", taken[i].name, e.msg);
		assert_int_equal(r.key.type, taken[i].type);
		assert_int_equal(r.key.bits, taken[i].bits);
		assert_int_equal(x509_name_to_text(&text, r.subject, &e), 0);
		assert_string_equal(buf_cstr(&text), taken[i].subject_text);
		san = x509_request_extension(&r, OID_SUBJECT_ALT_NAME);
		assert_int_equal(san != NULL, taken[i].san_text != NULL);
		if (san != NULL) {
			buf_reset(&text);
			assert_int_equal(x509_san_to_text(&text, san->value, &e), 0);
			assert_string_equal(buf_cstr(&text), taken[i].san_text);
		}
		p = b.p;
		read = d2i_X509_REQ(NULL, &p, (long)b.len);
		assert_non_null(read);
		assert_non_null(X509_REQ_get0_pubkey(read));
		assert_int_equal(EVP_PKEY_get_bits(X509_REQ_get0_pubkey(read)), taken[i].bits);
		X509_REQ_free(read);
		assert_int_equal(x509_request_verify(&r, &e), -1); /* never mistaken for a client's */
		buf_fini(&b);
		buf_fini(&text);
		pool_free(pool);
	}
}

static void
test_refused(void **state)
{
	static const struct policy_made_up bad[] = {
		{ "no equals", NULL, NULL },
		{ NULL, NULL, "" },
		{ NULL, NULL, "rsa" },
		{ NULL, NULL, "rsa:" },
		{ NULL, NULL, "rsa:-1" },
		{ NULL, NULL, "rsa:383" },
		{ NULL, NULL, "rsa:16385" },
		{ NULL, NULL, "rsa:2048x" },
		{ NULL, NULL, "ec:P-255" },
		{ NULL, "dns", NULL },
		{ NULL, "dns:", NULL },
		{ NULL, ":a", NULL },
		{ NULL, "what:x", NULL },
		{ NULL, "ipaddress:1.2.3", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = { 0 };
		struct buf b;

		buf_init(&b, X509_REQUEST_MAX);
		if (policy_make_up(&b, &bad[i], &e) == 0)
			fail_msg("row %zu was taken", i);
		assert_int_equal(e.hr, E_INVALIDARG);
		buf_fini(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_taken), cmocka_unit_test(test_refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
