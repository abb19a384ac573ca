/* The Signing_Cert table as GetCAProperty reads it (MS-WCCE 3.2.1.4.3.2), over a CA on a bench. */
#include "bench.h"

#include "ca/ca_certs.h"

#include <glob.h>
#include <jansson.h>

#include <openssl/x509.h>

static X509 *
read_cert(struct bytes der)
{
	const unsigned char *p = der.p;
	X509 *cert = d2i_X509(NULL, &p, (long)der.len);

	assert_non_null(cert);
	assert_ptr_equal(p, der.p + der.len);
	return cert;
}

static void
test_new_ca(void **state)
{
	struct bench *b = *state;
	struct pool *pool = pool_new(16u << 20);
	struct bytes der, again, chain, with_crls, base, delta;
	uint32_t version = 1, hr = 1, flags;
	struct err e = { 0 };
	const char *urls;
	X509 *cert;

	assert_int_equal(ca_cert_count(b->ca), 1);
	assert_int_equal(ca_cert_get(b->ca, 0, &der, &e), 0);
	assert_int_equal(ca_cert_get(b->ca, CA_NEWEST, &again, &e), 0);
	assert_ptr_equal(der.p, again.p);
	cert = read_cert(der);
	assert_int_equal(X509_self_signed(cert, 1), 1);
	X509_free(cert);
	assert_int_equal(ca_cert_chain_get(b->ca, 0, 0).len, der.len);
	assert_int_equal(ca_cert_chain_get(b->ca, 0, 1).len, 0);
	assert_int_equal(ca_cert_chain_get(b->ca, 1, 0).len, 0);
	assert_int_equal(ca_cert_version(b->ca, 0, &version, &e), 0);
	assert_int_equal(version, 0);
	assert_int_equal(ca_cert_status(b->ca, CA_NEWEST, &hr, &e), 0);
	assert_int_equal(hr, 0);
	assert_int_equal(ca_cert_pkcs7(b->ca, 0, false, pool, &chain, &e), 0);
	assert_int_equal(ca_cert_pkcs7(b->ca, 0, true, pool, &with_crls, &e), 0);
	assert_int_equal(ca_crl_get(b->ca, 0, false, pool, &base, &e), 0);
	assert_int_equal(ca_crl_get(b->ca, CA_NEWEST, true, pool, &delta, &e), 0);
	assert_true(with_crls.len >= chain.len + base.len + delta.len);
	assert_int_equal(ca_crl_publish_status(b->ca, 0, false, &flags, &e), 0);
	assert_int_equal(flags & 0x3, 0x1);
	assert_int_equal(ca_crl_publish_status(b->ca, 0, true, &flags, &e), 0);
	assert_int_equal(flags & 0x3, 0x2);
	assert_int_equal(ca_cert_urls(b->ca, 0, CA_URLS_CDP, pool, &urls, &e), 0);
	assert_non_null(strstr(urls, "CN=CDP,"));
	assert_int_equal(urls[strlen(urls) - 1], '\n');
	assert_int_equal(ca_cert_urls(b->ca, 0, CA_URLS_OCSP, pool, &urls, &e), 0);
	assert_string_equal(urls, "");
	pool_free(pool);
}

static void
test_states_over_time(void **state)
{
	struct bench *b = *state;
	struct pool *pool = pool_new(1u << 20);
	struct bytes v;
	struct err e = { 0 };
	uint32_t hr;

	assert_int_equal(ca_cert_states(b->ca, pool, &v, &e), 0);
	assert_true(bytes_equal(v, (struct bytes){ (const uint8_t *)"\x03", 1 }));
	assert_int_equal(ca_crl_states(b->ca, pool, &v, &e), 0);
	assert_true(bytes_equal(v, (struct bytes){ (const uint8_t *)"\x03", 1 }));
	assert_int_equal(ca_cross_cert_states(b->ca, true, pool, &v, &e), 0);
	assert_true(bytes_equal(v, (struct bytes){ (const uint8_t *)"\x01", 1 }));
	clock_advance(b->clock, INT64_C(6) * 366 * FILETIME_DAY);
	assert_int_equal(ca_cert_states(b->ca, pool, &v, &e), 0);
	assert_true(bytes_equal(v, (struct bytes){ (const uint8_t *)"\x04", 1 }));
	assert_int_equal(ca_crl_states(b->ca, pool, &v, &e), 0);
	assert_true(bytes_equal(v, (struct bytes){ (const uint8_t *)"\x04", 1 }));
	assert_int_equal(ca_cert_status(b->ca, 0, &hr, &e), 0);
	assert_int_equal(hr, CERT_E_EXPIRED);
	pool_free(pool);
}

static void
test_out_of_range(void **state)
{
	static const uint32_t bad[] = { 1, 0x10000, 0xFFFFFFFE };
	struct bench *b = *state;
	struct pool *pool = pool_new(1u << 20);
	struct bytes der;
	const char *urls;
	uint32_t v;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e[7] = { 0 };

		assert_int_equal(ca_cert_get(b->ca, bad[i], &der, &e[0]), -1);
		assert_int_equal(ca_cert_version(b->ca, bad[i], &v, &e[1]), -1);
		assert_int_equal(ca_cert_status(b->ca, bad[i], &v, &e[2]), -1);
		assert_int_equal(ca_cert_pkcs7(b->ca, bad[i], true, pool, &der, &e[3]), -1);
		assert_int_equal(ca_cert_urls(b->ca, bad[i], CA_URLS_AIA, pool, &urls, &e[4]), -1);
		assert_int_equal(ca_crl_get(b->ca, bad[i], false, pool, &der, &e[5]), -1);
		assert_int_equal(ca_cross_cert_get(b->ca, bad[i], true, &der, &e[6]), -1);
		for (size_t k = 0; k < ARRAY_LEN(e); k++)
			assert_int_equal(e[k].hr, E_INVALIDARG);
	}
	pool_free(pool);
}

static void
test_unknown_serial(void **state)
{
	struct bench *b = *state;
	int32_t reason = 7, disposition = 7;
	struct err e = { 0 };

	assert_int_equal(ca_certificate_is_valid(b->ca, "00ff", &reason, &disposition, &e), 0);
	assert_int_equal(disposition, 4);
	assert_int_equal(reason, 0);
}

/* ---- renewed ---- */

static void
on_renewed(void *arg, json_t *result, const struct err *e)
{
	if (e != NULL)
		fail_msg("%s", e->msg);
	assert_true(json_is_true(json_object_get(result, "published")));
	*(bool *)arg = true;
}

static void
renew(struct bench *b, bool new_key)
{
	struct ca_caller admin = { .front = "control", .peer = "", .call = "", .package = "", .privacy = true, .local_admin = true };
	json_t *args = json_pack("{s:b}", "newKey", new_key);
	bool done = false;

	ca_admin_start(b->ca, &admin, "ca.renew", args, on_renewed, &done);
	json_decref(args);
	while (!done)
		turn(b);
}

static int
teardown_renewed(void **state)
{
	struct bench *b = *state;
	static const char *const patterns[] = { "ca(*", "CertEnroll/*(*" };
	char pattern[96];
	glob_t found;

	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		snprintf(pattern, sizeof(pattern), "%s/%s", b->state, patterns[i]);
		if (glob(pattern, 0, NULL, &found) != 0)
			continue;
		for (size_t k = 0; k < found.gl_pathc; k++)
			unlink(found.gl_pathv[k]);
		globfree(&found);
	}
	return teardown(state);
}

static bool
is(struct bytes v, const char *octets, size_t n)
{
	return bytes_equal(v, (struct bytes){ (const uint8_t *)octets, n });
}

/* The example of MS-WCCE 3.2.1.4.3.2.37: 0, a new key, the same key, a new key. */
static void
test_renewed(void **state)
{
	static const uint32_t versions[] = { 0, 0x10001, 0x10002, 0x30003 };
	struct bench *b = *state;
	struct pool *pool = pool_new(16u << 20);
	struct bytes der[4], v, crl[4];
	struct err e = { 0 };
	const char *urls;
	uint32_t version;

	renew(b, true);
	renew(b, false);
	renew(b, true);
	assert_int_equal(ca_cert_count(b->ca), 4);
	for (uint32_t i = 0; i < 4; i++) {
		X509 *cert;

		assert_int_equal(ca_cert_version(b->ca, i, &version, &e), 0);
		assert_int_equal(version, versions[i]);
		assert_int_equal(ca_cert_get(b->ca, i, &der[i], &e), 0);
		cert = read_cert(der[i]);
		assert_int_equal(X509_self_signed(cert, 1), 1);
		X509_free(cert);
		assert_int_equal(ca_cert_pkcs7(b->ca, i, true, pool, &v, &e), 0);
		assert_non_null(memmem(v.p, v.len, der[i].p, der[i].len));
		assert_true(i == 0 || !bytes_equal(der[i], der[i - 1]));
	}
	assert_int_equal(ca_cert_get(b->ca, CA_NEWEST, &v, &e), 0);
	assert_true(bytes_equal(v, der[3]));
	assert_int_equal(ca_cert_states(b->ca, pool, &v, &e), 0);
	assert_true(is(v, "\3\3\3\3", 4));
	assert_int_equal(ca_crl_states(b->ca, pool, &v, &e), 0);
	assert_true(is(v, "\3\3\1\3", 4));
	assert_int_equal(ca_cross_cert_states(b->ca, true, pool, &v, &e), 0);
	assert_true(is(v, "\3\1\3\1", 4)); /* 0 to 1, and 2 to 3 */
	assert_int_equal(ca_cross_cert_states(b->ca, false, pool, &v, &e), 0);
	assert_true(is(v, "\1\3\1\3", 4));
	for (uint32_t i = 0; i < 4; i++) {
		int want = i == 2 ? -1 : 0; /* certificate 2 has the key of 1, whose CRLs go by 1 */

		assert_int_equal(ca_crl_get(b->ca, i, false, pool, &crl[i], &e), want);
		if (want != 0)
			assert_int_equal(e.hr, E_FILE_NOT_FOUND);
	}
	assert_int_equal(ca_crl_get(b->ca, CA_NEWEST, false, pool, &v, &e), 0);
	assert_true(bytes_equal(v, crl[3]) && !bytes_equal(v, crl[1]) && !bytes_equal(v, crl[0]));
	assert_int_equal(ca_cert_urls(b->ca, 2, CA_URLS_CDP, pool, &urls, &e), 0);
	assert_non_null(strstr(urls, "CORP-ca01-CA(1),"));
	/* MS-WCCE 3.2.1.4.3.2.35: a root answers with an error */
	assert_int_equal(ca_cross_cert_get(b->ca, 0, true, &v, &e), -1);
	assert_int_equal(e.hr, E_INVALIDARG);
	pool_free(pool);
}

static void
on_second(void *arg, json_t *result, const struct err *e)
{
	assert_null(result);
	*(uint32_t *)arg = e->hr;
}

/* One after the other: the second would take the same number. */
static void
test_one_at_a_time(void **state)
{
	struct ca_caller admin = {
		.front = "control", .peer = "", .call = "", .package = "", .privacy = true, .local_admin = true
	};
	struct bench *b = *state;
	uint32_t hr = 0;
	bool done = false;

	ca_admin_start(b->ca, &admin, "ca.renew", NULL, on_renewed, &done);
	ca_admin_start(b->ca, &admin, "ca.renew", NULL, on_second, &hr);
	assert_int_equal(hr, CERTSRV_E_BAD_REQUESTSTATUS);
	while (!done)
		turn(b);
	assert_int_equal(ca_cert_count(b->ca), 2);
	renew(b, false);
	assert_int_equal(ca_cert_count(b->ca), 3);
}

/* Who may manage the CA, and nobody else. */
static void
test_who_may(void **state)
{
	struct bench *b = *state;
	struct ca_caller user = {
		.front = "ICertAdminD", .peer = "", .call = "", .package = "", .privacy = true, .token = b->user
	};
	uint32_t hr = 0;

	ca_admin_start(b->ca, &user, "ca.renew", NULL, on_second, &hr);
	assert_int_equal(hr, E_ACCESSDENIED);
	assert_int_equal(ca_cert_count(b->ca), 1);
}

static void
test_a_key_expires(void **state)
{
	struct bench *b = *state;
	struct pool *pool = pool_new(1u << 20);
	struct err e = { 0 };
	struct bytes v;

	clock_advance(b->clock, INT64_C(4) * 365 * FILETIME_DAY);
	renew(b, true);
	clock_advance(b->clock, INT64_C(400) * FILETIME_DAY);
	assert_int_equal(ca_cert_states(b->ca, pool, &v, &e), 0);
	assert_true(is(v, "\4\3", 2));
	assert_int_equal(ca_crl_states(b->ca, pool, &v, &e), 0);
	assert_true(is(v, "\4\3", 2));
	assert_int_equal(ca_cross_cert_states(b->ca, true, pool, &v, &e), 0);
	assert_true(is(v, "\4\1", 2)); /* it ends with what it leads from */
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_new_ca, setup, teardown),
		cmocka_unit_test_setup_teardown(test_states_over_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_of_range, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_serial, setup, teardown),
		cmocka_unit_test_setup_teardown(test_renewed, setup, teardown_renewed),
		cmocka_unit_test_setup_teardown(test_a_key_expires, setup, teardown_renewed),
		cmocka_unit_test_setup_teardown(test_one_at_a_time, setup, teardown_renewed),
		cmocka_unit_test_setup_teardown(test_who_may, setup, teardown),
	};

	return cmocka_run_group_tests_name("CA certificates", tests, NULL, NULL);
}
