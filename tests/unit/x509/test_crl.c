/* CRLs as OpenSSL reads them: fields, order and criticality of the extensions, entries, signature. */
#include "support.h"

#include <openssl/x509.h>
#include <unistd.h>

#include "x509/crl.h"

#define NOW INT64_C(134084160000000000) /* 2025-11-24 */

static char dir[] = "/tmp/adcsd-test-crl-XXXXXX";

static struct x509_ca *
new_ca(enum x509_ca_key kind, const struct rng *rng)
{
	struct x509_ca_create how = { .key = kind,
		.common_name = "Contoso CA",
		.dn_suffix = "DC=contoso,DC=com",
		.not_before = NOW,
		.not_after = NOW + 3650 * FILETIME_DAY,
		.rng = rng };
	char key[64], cert[64];
	struct x509_ca *ca = NULL;
	struct err e = { 0 };

	snprintf(key, sizeof(key), "%s/ca.key", dir);
	snprintf(cert, sizeof(cert), "%s/ca.crt", dir);
	if (x509_ca_create(&how, key, cert, &e) != 0 || (ca = x509_ca_load(key, cert, "SHA256", rng, &e)) == NULL)
		fail_msg("CA: %s", e.msg);
	unlink(key);
	unlink(cert);
	return ca;
}

static const char *const freshest[] = { "ldap:///CN=ca?deltaRevocationList", "http://ca/CertEnroll/ca+.crl" };
static const char *const locations[] = { "ldap:///CN=ca?certificateRevocationList" };
static const struct x509_crl_entry revoked[] = {
	{ { 0x1f, 0x02 }, 2, NOW - FILETIME_HOUR, 0 },
	{ { 0x80 }, 1, NOW - 2 * FILETIME_HOUR, X509_REASON_KEY_COMPROMISE },
	{ { 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff }, 20, NOW, X509_REASON_CERTIFICATE_HOLD },
};

static struct x509_crl_plan
base_plan(void)
{
	return (struct x509_crl_plan){ .this_update = NOW, .next_update = NOW + 8 * FILETIME_DAY,
		.next_publish = NOW + 7 * FILETIME_DAY, .number = 300, .freshest = { freshest, 2 },
		.locations = { locations, 1 }, .entries = revoked, .n_entries = ARRAY_LEN(revoked) };
}

static X509_CRL *
make(struct x509_ca *ca, const struct x509_crl_plan *plan, struct buf *out)
{
	struct err e = { 0 };
	const unsigned char *p;
	X509_CRL *crl;

	if (x509_ca_crl(ca, plan, out, &e) != 0)
		fail_msg("%s", e.msg);
	p = out->p;
	crl = d2i_X509_CRL(NULL, &p, (long)out->len);
	assert_non_null(crl);
	assert_ptr_equal(p, out->p + out->len);
	return crl;
}

static void
check_signature(struct x509_ca *ca, X509_CRL *crl)
{
	const unsigned char *p = x509_ca_cert_der(ca).p;
	X509 *cert = d2i_X509(NULL, &p, (long)x509_ca_cert_der(ca).len);

	assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(cert)), 1);
	assert_int_equal(X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(cert)), 0);
	X509_free(cert);
}

static void
check_extensions(X509_CRL *crl, const char *const *oids, size_t n, const char *critical)
{
	assert_int_equal(X509_CRL_get_ext_count(crl), n);
	for (size_t i = 0; i < n; i++) {
		X509_EXTENSION *x = X509_CRL_get_ext(crl, (int)i);
		char oid[64];

		OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(x), 1);
		assert_string_equal(oid, oids[i]);
		assert_int_equal(X509_EXTENSION_get_critical(x), critical != NULL && strcmp(oid, critical) == 0);
	}
}

static void
check_entries(X509_CRL *crl)
{
	STACK_OF(X509_REVOKED) *list = X509_CRL_get_REVOKED(crl);

	assert_int_equal(sk_X509_REVOKED_num(list), ARRAY_LEN(revoked));
	for (int i = 0; i < sk_X509_REVOKED_num(list); i++) {
		X509_REVOKED *r = sk_X509_REVOKED_value(list, i);
		ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(r, NID_crl_reason, NULL, NULL);
		BIGNUM *want = BN_bin2bn(revoked[i].serial, (int)revoked[i].serial_len, NULL);
		BIGNUM *got = ASN1_INTEGER_to_BN(X509_REVOKED_get0_serialNumber(r), NULL);

		assert_int_equal(BN_cmp(want, got), 0);
		if (revoked[i].reason == 0)
			assert_null(reason);
		else
			assert_int_equal(ASN1_ENUMERATED_get(reason), revoked[i].reason);
		ASN1_ENUMERATED_free(reason);
		BN_free(want);
		BN_free(got);
	}
}

static void
test_base(void **state)
{
	static const char *const oids[] = { "2.5.29.35", "1.3.6.1.4.1.311.21.1", "2.5.29.20", "1.3.6.1.4.1.311.21.4",
		"2.5.29.46", "1.3.6.1.4.1.311.21.14" };
	static const uint8_t publish[] = "\x17\x0d" "251201000000Z";
	enum x509_ca_key kinds[] = { X509_CA_RSA2048, X509_CA_P256, X509_CA_P384 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct rng rng = { true, 11 + i };
		struct x509_ca *ca = new_ca(kinds[i], &rng);
		struct x509_crl_plan plan = base_plan();
		struct buf a = new_buf(), b = new_buf();
		X509_CRL *crl = make(ca, &plan, &a), *again = make(ca, &plan, &b);
		ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
		ASN1_OCTET_STRING *next;

		assert_int_equal(X509_CRL_get_version(crl), 1);
		check_signature(ca, crl);
		check_extensions(crl, oids, ARRAY_LEN(oids), NULL);
		check_entries(crl);
		assert_int_equal(ASN1_INTEGER_get(number), 300);
		next = X509_EXTENSION_get_data(X509_CRL_get_ext(crl, 3));
		assert_int_equal(ASN1_STRING_length(next), sizeof(publish) - 1);
		assert_memory_equal(ASN1_STRING_get0_data(next), publish, sizeof(publish) - 1);
		assert_true(bytes_equal(buf_bytes(&a), buf_bytes(&b))); /* seeded: the same octets, ECDSA too */
		ASN1_INTEGER_free(number);
		X509_CRL_free(crl);
		X509_CRL_free(again);
		buf_fini(&a);
		buf_fini(&b);
		x509_ca_free(ca);
	}
}

static void
test_delta(void **state)
{
	static const char *const oids[] = { "2.5.29.35", "1.3.6.1.4.1.311.21.1", "2.5.29.20", "2.5.29.27",
		"1.3.6.1.4.1.311.21.4", "1.3.6.1.4.1.311.21.14" };
	struct x509_crl_entry gone = { { 0x05 }, 1, NOW, X509_REASON_REMOVE_FROM_CRL };
	struct rng rng = { true, 5 };
	struct x509_ca *ca = new_ca(X509_CA_P256, &rng);
	struct x509_crl_plan plan = base_plan();
	struct buf b = new_buf();
	ASN1_INTEGER *min;
	X509_CRL *crl;

	(void)state;
	plan.min_base = 299;
	plan.entries = &gone;
	plan.n_entries = 1;
	crl = make(ca, &plan, &b);
	check_signature(ca, crl);
	check_extensions(crl, oids, ARRAY_LEN(oids), "2.5.29.27");
	min = X509_CRL_get_ext_d2i(crl, NID_delta_crl, NULL, NULL);
	assert_int_equal(ASN1_INTEGER_get(min), 299);
	ASN1_INTEGER_free(min);
	X509_CRL_free(crl);
	buf_fini(&b);
	x509_ca_free(ca);
}

/* Nothing revoked, no URLs, another key, a critical number, an IDP, times past 2049. */
static void
test_variants(void **state)
{
	static const char *const bare[] = { "2.5.29.35", "1.3.6.1.4.1.311.21.1", "2.5.29.20", "1.3.6.1.4.1.311.21.4" };
	static const char *const idp[] = { "2.5.29.35", "1.3.6.1.4.1.311.21.1", "2.5.29.20", "1.3.6.1.4.1.311.21.4",
		"2.5.29.28" };
	static const uint8_t second_key[] = { 0x02, 0x03, 0x01, 0x00, 0x00 };
	struct x509_crl_plan plan = { .this_update = NOW + 10000 * FILETIME_DAY, .next_update = NOW + 10008 * FILETIME_DAY,
		.next_publish = NOW + 10007 * FILETIME_DAY, .number = 1, .ca_version = 0x10000, .number_critical = true };
	struct rng rng = { true, 6 };
	struct x509_ca *ca = new_ca(X509_CA_P256, &rng);
	struct buf b = new_buf();
	ISSUING_DIST_POINT *point;
	ASN1_OCTET_STRING *v;
	X509_CRL *crl = make(ca, &plan, &b);

	(void)state;
	check_extensions(crl, bare, ARRAY_LEN(bare), "2.5.29.20");
	assert_null(X509_CRL_get_REVOKED(crl));
	assert_int_equal(ASN1_STRING_type(X509_CRL_get0_lastUpdate(crl)), V_ASN1_GENERALIZEDTIME);
	v = X509_EXTENSION_get_data(X509_CRL_get_ext(crl, 1));
	assert_memory_equal(ASN1_STRING_get0_data(v), second_key, sizeof(second_key));
	X509_CRL_free(crl);
	buf_reset(&b);
	plan.number_critical = false;
	plan.idp = (struct x509_strings){ locations, 1 };
	crl = make(ca, &plan, &b);
	check_extensions(crl, idp, ARRAY_LEN(idp), "2.5.29.28");
	point = X509_CRL_get_ext_d2i(crl, NID_issuing_distribution_point, NULL, NULL);
	assert_non_null(point);
	assert_int_equal(sk_GENERAL_NAME_num(point->distpoint->name.fullname), 1);
	ISSUING_DIST_POINT_free(point);
	X509_CRL_free(crl);
	buf_fini(&b);
	x509_ca_free(ca);
}

static void
test_refused(void **state)
{
	static const struct x509_crl_entry no_serial = { .serial_len = 0 }, long_serial = { .serial_len = 21 },
		removed = { { 1 }, 1, NOW, X509_REASON_REMOVE_FROM_CRL }, seven = { { 1 }, 1, NOW, 7 },
		eleven = { { 1 }, 1, NOW, 11 };
	static const struct {
		const char *name;
		const struct x509_crl_entry *entry;
		uint32_t number, min_base;
		int days;
	} cases[] = {
		{ "ends before it begins", NULL, 1, 0, -1 },
		{ "ends when it begins", NULL, 1, 0, 0 },
		{ "number 0", NULL, 0, 0, 1 },
		{ "a base to come", NULL, 5, 6, 1 },
		{ "no serial number", &no_serial, 5, 0, 1 },
		{ "serial number of 21 octets", &long_serial, 5, 0, 1 },
		{ "removeFromCRL in a base", &removed, 5, 0, 1 },
		{ "reason 7", &seven, 5, 4, 1 },
		{ "reason 11", &eleven, 5, 4, 1 },
	};
	struct rng rng = { true, 7 };
	struct x509_ca *ca = new_ca(X509_CA_P256, &rng);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct x509_crl_plan plan = { .this_update = NOW, .next_update = NOW + cases[i].days * FILETIME_DAY,
			.next_publish = NOW, .number = cases[i].number, .min_base = cases[i].min_base,
			.entries = cases[i].entry, .n_entries = cases[i].entry != NULL };
		struct buf b = new_buf();
		struct err e = { 0 };

		print_message("  %s\n", cases[i].name);
		assert_int_equal(x509_ca_crl(ca, &plan, &b, &e), -1);
		assert_int_not_equal(e.hr, 0);
		assert_int_equal(b.len, 0);
		buf_fini(&b);
	}
	x509_ca_free(ca);
}

static int
set_up(void **state)
{
	(void)state;
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base),
		cmocka_unit_test(test_delta),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("crl", tests, set_up, tear_down);
}
