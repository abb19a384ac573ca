/* Names, URL templates, serial numbers and disposition messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "ca/names.h"

static void
test_sanitize(void **state)
{
	static const struct {
		const char *name, *sanitized;
	} cases[] = {
		{ "Contoso Certification Authority", "Contoso Certification Authority" },
		{ "Plain-CA.1_x~y@z$", "Plain-CA.1_x~y@z$" },
		{ "A&B, Inc.", "A!0026B!002c Inc." },
		{ "a!b", "a!0021b" },
		{ "M\xc3\xbcller", "M!00fcller" },
		{ "\xe2\x82\xac", "!20ac" },
		{ "\xf0\x9f\x98\x80", "!d83d!de00" }, /* both halves of a surrogate pair */
		{ "`{|}^[\\]", "!0060!007b!007c!007d!005e!005b!005c!005d" },
		{ "tab\tdel\x7f", "tab!0009del!007f" },
	};
	struct pool *pool = pool_new(1u << 20);
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(ca_name_sanitize(pool, cases[i].name, &e), cases[i].sanitized);
	assert_null(ca_name_sanitize(pool, "\xff\xfe", &e));
	pool_free(pool);
}

static void
test_shorten(void **state)
{
	static const struct {
		const char *what, *name, *expect;
	} cases[] = {
		{ "51 characters stay", "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeef",
		    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeef" },
		/* one dropped: h = 'g' = 103 */
		{ "52 lose one", "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefg",
		    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeef-00103" },
		/* 'g' then 'h': (103 << 1) + 104 = 310 */
		{ "53 lose two", "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefgh",
		    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeef-00310" },
		/* the escape !00fc begins at 49: it goes whole. '!'=33 '0' '0' 'f' 'c': 33,114,276,654,1407
		 */
		{ "a split escape goes whole", "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeee!00fc",
		    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeee-01407" },
		/* the escape ends exactly at the cut and stays */
		{ "a whole escape stays", "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeee!00fcg",
		    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeee!00fc-00103" },
	};
	struct pool *pool = pool_new(1u << 20);
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		print_message("  %s\n", cases[i].what);
		assert_string_equal(ca_name_shorten(pool, cases[i].name, &e), cases[i].expect);
	}
	pool_free(pool);
}

static void
test_rdn(void **state)
{
	struct pool *pool = pool_new(1u << 20);

	(void)state;
	assert_string_equal(ca_name_rdn(pool, "Contoso CA"), "Contoso CA");
	assert_string_equal(ca_name_rdn(pool, " #x "), "\\ #x\\ ");
	assert_string_equal(ca_name_rdn(pool, "#x"), "\\#x");
	assert_string_equal(ca_name_rdn(pool, "a,b=c+d"), "a\\,b\\=c\\+d");
	pool_free(pool);
}

static void
test_urls(void **state)
{
	static const struct {
		const char *entry, *url, *error;
		uint32_t flags;
		bool delta;
	} cases[] = {
		{ "79:ldap:///CN=%7%8,CN=%2,CN=CDP,CN=Public Key Services,CN=Services,%6%10",
		    "ldap:///"
		    "CN=Contoso%20CA,CN=ca01,CN=CDP,CN=Public%20Key%20Services,CN=Services,CN=Configuration,"
		    "DC=x"
		    "?certificateRevocationList?base?objectClass=cRLDistributionPoint",
		    NULL, 79, false },
		{ "3:ldap:///CN=%7,CN=AIA,CN=Public Key Services,CN=Services,%6%11",
		    "ldap:///"
		    "CN=Contoso%20CA,CN=AIA,CN=Public%20Key%20Services,CN=Services,CN=Configuration,DC=x"
		    "?cACertificate?base?objectClass=certificationAuthority",
		    NULL, 3, false },
		{ "6:http://%1/CertEnroll/%3%8%9.crl", "http://ca01.x/CertEnroll/Contoso%20CA.crl", NULL, 6,
		    false },
		{ "6:http://%1%p/CertEnroll/%3%8%9.crl", "http://ca01.x:8080/CertEnroll/Contoso%20CA+.crl",
		    NULL, 6, true },
		{ "65:http://%1/%3%8%9.crl", "http://ca01.x/Contoso%20CA+.crl", NULL, 65, true },
		{ "0:ldap:///%10", "ldap:///?deltaRevocationList?base?objectClass=cRLDistributionPoint", NULL,
		    0, true },
		{ "1:x%1 y", "xca01.x%20y", NULL, 1, false },
		{ "http://no.flags/", NULL, "is not <flags", 0, false },
		{ "256:x", NULL, "is not <flags", 0, false },
		{ "1:", NULL, "is not <flags", 0, false },
		{ "1:a%5b", NULL, "unknown token '%5b'", 0, false },
		{ "1:100%", NULL, "unknown token '%'", 0, false },
		{ "1:%x", NULL, "unknown token '%x'", 0, false },
	};
	struct ca_url_names n = { "ca01.x", "ca01", "Contoso CA", "", "CN=Configuration,DC=x", "Contoso CA",
		"", false, ":8080", false, 0 };
	struct pool *pool = pool_new(1u << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		const char *url = NULL;
		uint32_t flags = 99;
		int rc;

		print_message("  %s\n", cases[i].entry);
		n.delta = cases[i].delta;
		rc = ca_url_expand(cases[i].entry, &n, pool, &flags, &url, &e);
		assert_int_equal(rc, cases[i].error != NULL ? -1 : 0);
		if (cases[i].error != NULL) {
			assert_non_null(strstr(e.msg, cases[i].error));
			continue;
		}
		assert_string_equal(url, cases[i].url);
		assert_int_equal(flags, cases[i].flags);
	}
	pool_free(pool);
}

/* issuance.md section 7: HH | id | random | index | id. */
static void
test_serial(void **state)
{
	static const struct {
		const char *name;
		uint8_t high, first;
	} cases[] = {
		{ "as it is", 0x1f, 0x1f },
		{ "top bit cleared", 0x9f, 0x1f },
		{ "zero becomes 0x61", 0, 0x61 },
		{ "zero after clearing", 0x80, 0x61 },
		{ "no high nibble", 0x05, 0x15 },
		{ "no high nibble after clearing", 0x85, 0x15 },
		{ "largest", 0x7f, 0x7f },
	};
	const struct rng seeded = { true, 7 }, free_running = { false, 0 };
	uint8_t a[CA_SERIAL_LEN], b[CA_SERIAL_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		print_message("  %s\n", cases[i].name);
		ca_serial_make(a, cases[i].high, 0x01020306, 0, &seeded);
		assert_int_equal(a[0], cases[i].first);
		assert_memory_equal(a + 1, "\x01\x02\x03\x06", 4);
		assert_memory_equal(a + 13, "\x00\x00\x01\x02\x03\x06", 6);
	}
	ca_serial_make(a, 0x1f, 6, 0x0102, &seeded);
	assert_memory_equal(a + 13, "\x01\x02\x00\x00\x00\x06", 6);
	ca_serial_make(b, 0x1f, 6, 0x0102, &seeded);
	assert_memory_equal(a, b, sizeof(a)); /* the seed alone decides */
	ca_serial_make(b, 0x1f, 7, 0x0102, &seeded);
	assert_memory_not_equal(a + 5, b + 5, 8); /* a stream per request */
	ca_serial_make(a, 0x1f, 6, 0, &free_running);
	ca_serial_make(b, 0x1f, 6, 0, &free_running);
	assert_memory_not_equal(a, b, sizeof(a));
}

static void
test_messages(void **state)
{
	struct pool *pool = pool_new(1u << 20);

	(void)state;
	assert_string_equal(ca_message_failed(pool, "Error Parsing Request", CRYPT_E_ASN1_BADTAG),
	    "Error Parsing Request  ASN1 bad tag value met. 0x8009310b (-2146881269 CRYPT_E_ASN1_BADTAG)");
	assert_string_equal(
	    ca_message_denied(pool, CERTSRV_E_UNSUPPORTED_CERT_TYPE,
		"The request was for a certificate template that is not supported by the Active Directory "
		"Certificate Services policy: X."),
	    "Denied by Policy Module  0x80094800, The request was for a certificate template that is not "
	    "supported by the "
	    "Active Directory Certificate Services policy: X.");
	assert_string_equal(ca_message_denied(pool, CERTSRV_E_TEMPLATE_DENIED, NULL),
	    "Denied by Policy Module  0x80094012, The permissions on the certificate template do not allow "
	    "the current user "
	    "to enroll for this type of certificate.");
	pool_free(pool);
}

/* MS-WCCE 3.2.1.4.2.1.4.7: the first mark is replaced, when there are partitions at all. */
static void
test_partitions(void **state)
{
	static const struct {
		bool partitioned;
		unsigned partition;
		const char *entry, *url;
	} cases[] = {
		{ true, 11, "2:http://x/%3<CRLPartitionIndex>%9.crl", "http://x/CA_Partition00011+.crl" },
		{ true, 0, "2:http://x/%3<CRLPartitionIndex>%9.crl", "http://x/CA+.crl" },
		{ true, 65535, "2:<CRLPartitionIndex>", "_Partition65535" },
		{ true, 1, "2:a<CRLPartitionIndex>b<CRLPartitionIndex>", "a_Partition00001b%3CCRLPartitionIndex%3E" },
		{ false, 1, "2:a<CRLPartitionIndex>", "a%3CCRLPartitionIndex%3E" },
	};
	struct ca_url_names n = { "ca01.x", "ca01", "CA", "", "DC=x", "CA", "", true, "", false, 0 };
	struct pool *pool = pool_new(1u << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		const char *url;
		uint32_t flags;

		n.partitioned = cases[i].partitioned;
		n.partition = cases[i].partition;
		assert_int_equal(ca_url_expand(cases[i].entry, &n, pool, &flags, &url, &e), 0);
		assert_string_equal(url, cases[i].url);
		assert_int_equal(ca_url_is_partitioned(cases[i].entry), true);
	}
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_partitions),
		cmocka_unit_test(test_sanitize),
		cmocka_unit_test(test_shorten),
		cmocka_unit_test(test_rdn),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_serial),
		cmocka_unit_test(test_messages),
	};

	return cmocka_run_group_tests_name("ca names", tests, NULL, NULL);
}
