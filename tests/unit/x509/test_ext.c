/* Extension values: golden octets, and OpenSSL as the reader of those it knows. */
#include "support.h"

#include <openssl/objects.h>

static void
expect(struct buf *b, const char *name, const char *hex)
{
	struct buf text = new_buf();

	if (hex == NULL) {
		if (buf_ok(b))
			fail_msg("%s: was encoded", name);
	} else {
		assert_true(buf_ok(b));
		text_put_hex(&text, buf_bytes(b));
		if (strcmp(buf_cstr(&text), hex) != 0)
			fail_msg("%s: %s", name, buf_cstr(&text));
	}
	buf_fini(&text);
	buf_fini(b);
	buf_init(b, MAX_BUF);
}

/* issuance.md 4: A0 -> 03 02 05 A0 and so on; pKIKeyUsage has two octets in the directory. */
static void
test_key_usage(void **state)
{
	static const struct {
		const char *raw, *hex;
	} cases[] = {
		{ "a000", "030205a0" },
		{ "a0", "030205a0" },
		{ "80", "03020780" },
		{ "2000", "03020520" },
		{ "8600", "03020186" },
		{ "0080", "0303070080" },
		{ "ff80", "030307ff80" },
		{ "01", "03020001" },
		{ "0000", "030100" },
		{ "", "030100" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf raw = new_buf(), out = new_buf();

		assert_int_equal(text_parse_hex(&raw, cases[i].raw, NULL), 0);
		x509_ext_key_usage(&out, buf_bytes(&raw));
		expect(&out, cases[i].raw, cases[i].hex);
		buf_fini(&raw);
		buf_fini(&out);
	}
}

static void
test_golden(void **state)
{
	static const char *const two[] = { "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2" };
	static const char *const bad[] = { "1.3.6.1.5.5.7.3.1", "none" };
	static const char *const urls[] = { "http://a", "ldap:///b" };
	static const char *const foreign[] = { "http://\xc3\xa9" };
	static const char *const policy[] = { "1.2.3" };
	static const char *const cps[] = { "c" }, *const notice[] = { "n\xc3\xa9", "n\xc3\xa9n\xc3\xa9" }, *const broken[] = { "\xff" };
	const struct x509_policy_qualifiers both = { { cps, 1 }, { notice, 1 } }, two_notices = { .notices = { notice, 2 } };
	const struct x509_policy_qualifiers bad_cps = { .cps = { broken, 1 } }, bad_notice = { .notices = { broken, 1 } };
	const struct x509_strings none = { NULL, 0 }, oids = { two, 2 }, bad_oids = { bad, 2 }, url2 = { urls, 2 };
	const struct x509_strings one = { policy, 1 };
	struct buf b = new_buf();

	(void)state;
	x509_ext_eku(&b, oids);
	expect(&b, "EKU", "301406082b0601050507030106082b06010505070302");
	x509_ext_eku(&b, bad_oids);
	expect(&b, "EKU with a bad OID", NULL);
	x509_ext_application_policies(&b, oids);
	expect(&b, "application policies", "3018300a06082b06010505070301300a06082b06010505070302");
	x509_ext_application_policies(&b, bad_oids);
	expect(&b, "application policies with a bad OID", NULL);
	x509_ext_basic_constraints(&b, false, 3);
	expect(&b, "end entity", "3000");
	x509_ext_basic_constraints(&b, true, -1);
	expect(&b, "CA", "30030101ff");
	x509_ext_basic_constraints(&b, true, 0);
	expect(&b, "CA, no path below", "30060101ff020100");
	x509_ext_template_name(&b, "User");
	expect(&b, "template name", "1e080055007300650072"); /* Seen: wcce.md 4 */
	x509_ext_template_name(&b, "\xf0\x9f\x94\x91");
	expect(&b, "template name beyond the BMP", NULL);
	x509_ext_template_info(&b, "1.2.3", 100, 4);
	expect(&b, "template information", "300a06022a03020164020104");
	x509_ext_template_info(&b, "1.2.3", 0x80, 0xffffffff);
	expect(&b, "template information, large", "300f06022a0302020080020500ffffffff");
	x509_ext_key_id(&b, str_bytes("ab"));
	expect(&b, "SKI", "04026162");
	x509_ext_authority_key_id(&b, str_bytes("ab"));
	expect(&b, "AKI", "300480026162");
	x509_ext_authority_key(&b, str_bytes("ab"), str_bytes("\x30"), str_bytes("\x01\x02"));
	expect(&b, "AKI, all of it", "300d80026162a103a4013082020102");
	x509_ext_authority_key(&b, (struct bytes){ NULL, 0 }, (struct bytes){ NULL, 0 }, str_bytes("\x01"));
	expect(&b, "AKI, serial number alone", "3003820101");
	x509_ext_authority_key(&b, (struct bytes){ NULL, 0 }, str_bytes("\x30"), (struct bytes){ NULL, 0 });
	expect(&b, "AKI, issuer alone", "3005a103a40130");
	x509_ext_crl_distribution_points(&b, url2);
	expect(&b, "CDP", "301b3019a017a0158608687474703a2f2f6186096c6461703a2f2f2f62");
	x509_ext_crl_distribution_points(&b, (struct x509_strings){ foreign, 1 });
	expect(&b, "CDP that is not ASCII", NULL);
	x509_ext_authority_info_access(&b, (struct x509_strings){ urls, 1 }, (struct x509_strings){ urls + 1, 1 });
	expect(&b, "AIA",
	    "302d301406082b060105050730028608687474703a2f2f61301506082b0601050507300186096c6461703a2f2f2f62");
	x509_ext_authority_info_access(&b, none, none);
	expect(&b, "AIA without URLs", "3000");
	x509_ext_sid(&b, "S-1-5-21-1-2-3-500");
	/* issuance.md 5 */
	expect(&b, "SID", "3024a022060a2b060104018237190201a0140412532d312d352d32312d312d322d332d353030");
	x509_ext_certificate_policies(&b, one, NULL);
	expect(&b, "issuance policy", "3006300406022a03");
	x509_ext_certificate_policies(&b, one, &both);
	expect(&b, "issuance policy, CPS and notice",
	    "302a302806022a033022300d06082b06010505070201160163301106082b0601050507020230050c036ec3a9");
	x509_ext_certificate_policies(&b, one, &two_notices);
	expect(&b, "issuance policy, two notices",
	    "3031302f06022a033029301106082b0601050507020230050c036ec3a9301406082b0601050507020230080c066ec3a96ec3a9");
	x509_ext_certificate_policies(&b, one, &bad_cps);
	expect(&b, "CPS that is not ASCII", NULL);
	x509_ext_certificate_policies(&b, one, &bad_notice);
	expect(&b, "notice that is not UTF-8", NULL);
	buf_fini(&b);
}

/* OpenSSL reads each value into its own structure and writes the same octets. */
static void
test_openssl_reads(void **state)
{
	static const char *const oids[] = { "1.3.6.1.5.5.7.3.1", "1.3.6.1.4.1.311.20.2.2" };
	static const char *const urls[] = { "http://a/b.crl", "ldap:///CN=a?b?base" };
	static const char *const cps[] = { "http://cps", "http://other" }, *const notice[] = { "notice" };
	static const struct x509_policy_qualifiers qualifiers[] = { { .cps = { cps, 2 } }, { .notices = { notice, 1 } } };
	const uint8_t usage[] = { 0x86 }, id[20] = { 1 };
	struct {
		int nid;
		struct buf value;
	} cases[] = {
		{ NID_key_usage, new_buf() }, { NID_ext_key_usage, new_buf() }, { NID_basic_constraints, new_buf() },
		{ NID_subject_key_identifier, new_buf() }, { NID_authority_key_identifier, new_buf() },
		{ NID_crl_distribution_points, new_buf() }, { NID_info_access, new_buf() },
		{ NID_certificate_policies, new_buf() },
	};

	(void)state;
	x509_ext_key_usage(&cases[0].value, (struct bytes){ usage, 1 });
	x509_ext_eku(&cases[1].value, (struct x509_strings){ oids, 2 });
	x509_ext_basic_constraints(&cases[2].value, true, 2);
	x509_ext_key_id(&cases[3].value, (struct bytes){ id, 20 });
	x509_ext_authority_key(&cases[4].value, (struct bytes){ id, 20 }, (struct bytes){ (const uint8_t *)"\x30", 2 }, (struct bytes){ id, 1 });
	x509_ext_crl_distribution_points(&cases[5].value, (struct x509_strings){ urls, 2 });
	x509_ext_authority_info_access(&cases[6].value, (struct x509_strings){ urls, 2 }, (struct x509_strings){ urls, 1 });
	x509_ext_certificate_policies(&cases[7].value, (struct x509_strings){ oids, 2 }, qualifiers);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
		X509_EXTENSION *ext, *again;
		void *value;

		assert_true(buf_ok(&cases[i].value));
		ASN1_OCTET_STRING_set(octets, cases[i].value.p, (int)cases[i].value.len);
		ext = X509_EXTENSION_create_by_NID(NULL, cases[i].nid, 0, octets);
		value = X509V3_EXT_d2i(ext);
		if (value == NULL)
			fail_msg("%s", OBJ_nid2sn(cases[i].nid));
		again = X509V3_EXT_i2d(cases[i].nid, 0, value);
		assert_int_equal(ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data(again), octets), 0);
		if (X509V3_EXT_get(ext)->it != NULL)
			ASN1_item_free(value, ASN1_ITEM_ptr(X509V3_EXT_get(ext)->it));
		X509_EXTENSION_free(ext);
		X509_EXTENSION_free(again);
		ASN1_OCTET_STRING_free(octets);
		buf_fini(&cases[i].value);
	}
}

static void
test_oid_names(void **state)
{
	(void)state;
	assert_string_equal(x509_oid_name("1.3.6.1.5.5.7.3.2"), "Client Authentication");
	assert_string_equal(x509_oid_name("1.3.6.1.4.1.311.20.2.1"), "Certificate Request Agent");
	assert_string_equal(x509_oid_name("2.5.29.37.0"), "Any Purpose");
	assert_null(x509_oid_name("1.2.3"));
	assert_null(x509_oid_name(""));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_usage),
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_openssl_reads),
		cmocka_unit_test(test_oid_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
