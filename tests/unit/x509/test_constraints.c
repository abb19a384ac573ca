/* Name constraints, path length and policies of CA certificates: as written, as read, and what they forbid. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "x509/constraints.h"
#include "x509/name.h"

#define NOW INT64_C(134247888560000000) /* 2026-06-01T12:14:16Z */

static char dir[] = "/tmp/adcsd-constraints-XXXXXX";

static struct x509_strings
list(const char *const *v)
{
	size_t n = 0;

	while (v[n] != NULL)
		n++;
	return (struct x509_strings){ v, n };
}

/* A root made as an administrator asks. */
static struct x509_ca *
new_ca(const char *const *permitted, const char *const *excluded, int path_len)
{
	static const struct rng rng = { true, 7 };
	char key[64], cert[64];
	struct x509_ca_create how = { .key = X509_CA_P256,
		.common_name = "Root",
		.not_before = NOW,
		.not_after = NOW + 3650 * FILETIME_DAY,
		.rng = &rng,
		.has_path_len = path_len >= 0,
		.path_len = (uint32_t)path_len };
	struct err e = { 0 };
	struct x509_ca *ca;
	struct buf b;

	snprintf(key, sizeof(key), "%s/key", dir);
	snprintf(cert, sizeof(cert), "%s/cert", dir);
	buf_init(&b, 65536);
	assert_int_equal(x509_name_constraints_put(&b, list(permitted), list(excluded), &e), 0);
	how.name_constraints = buf_bytes(&b);
	if (x509_ca_create(&how, key, cert, &e) != 0)
		fail_msg("%s", e.msg);
	buf_fini(&b);
	ca = x509_ca_load(key, cert, "SHA256", &rng, &e);
	if (ca == NULL)
		fail_msg("%s", e.msg);
	unlink(key);
	unlink(cert);
	return ca;
}

/* subject: relative names, "" for none; san: content of GeneralNames in hexadecimal, or NULL. */
static uint32_t
judge(const struct x509_ca *ca, const char *cn, const uint8_t *san, size_t san_len, int ca_path, bool ignore)
{
	static const uint8_t san_oid[] = { 0x55, 0x1d, 0x11 }, bc_oid[] = { 0x55, 0x1d, 0x13 };
	struct x509_extension x[2];
	struct x509_cert_plan plan = { .issuer = x509_ca_subject(ca),
		.not_before = NOW,
		.not_after = NOW + FILETIME_DAY,
		.spki = x509_ca_spki(ca),
		.extensions = x };
	struct buf subject, bc;
	struct err e = { 0 };
	size_t seq;
	int rc;

	buf_init(&subject, 4096);
	buf_init(&bc, 64);
	seq = der_open(&subject, DER_SEQUENCE);
	if (*cn != '\0')
		x509_put_attribute(&subject, "2.5.4.3", cn);
	der_close(&subject, seq);
	plan.subject = buf_bytes(&subject);
	if (san != NULL)
		x[plan.n_extensions++] =
		    (struct x509_extension){ { san_oid, 3 }, false, { san, san_len } };
	if (ca_path >= -1) {
		x509_ext_basic_constraints(&bc, true, ca_path);
		x[plan.n_extensions++] = (struct x509_extension){ { bc_oid, 3 }, true, buf_bytes(&bc) };
	}
	rc = x509_ca_check_plan(ca, &plan, ignore, &e);
	assert_int_equal(rc == 0, e.hr == 0);
	buf_fini(&subject);
	buf_fini(&bc);
	return e.hr;
}

/* GeneralNames with one name. */
static size_t
general_name(uint8_t out[256], uint8_t tag, const void *body, size_t len)
{
	out[0] = 0x30;
	out[1] = (uint8_t)(len + 2);
	out[2] = tag;
	out[3] = (uint8_t)len;
	memcpy(out + 4, body, len);
	return len + 4;
}

static void
test_names(void **state)
{
	enum { EMAIL = 0x81, DNS = 0x82, URI = 0x86, IP = 0x87 };
	static const char *const permitted[] = { "DNS=contoso.com", "EMail=@contoso.com", "URI=.contoso.com",
		"IPAddress=10.0.0.0/8", "IPAddress=2001:db8::/32", NULL };
	static const char *const excluded[] = { "DNS=secret.contoso.com", "IPAddress=10.9.0.0,255.255.0.0", NULL };
	static const struct {
		uint8_t tag;
		const char *name;
		size_t len; /* 0: a text */
		uint32_t hr;
	} cases[] = {
		{ DNS, "host.contoso.com", 0, 0 },
		{ DNS, "contoso.com", 0, 0 },
		{ DNS, "CONTOSO.COM", 0, 0 },
		{ DNS, "contoso.com.example", 0, CERT_E_INVALID_NAME },
		{ DNS, "notcontoso.com", 0, CERT_E_INVALID_NAME },
		{ DNS, "a.secret.contoso.com", 0, CERT_E_INVALID_NAME },
		{ EMAIL, "jane@contoso.com", 0, 0 },
		{ EMAIL, "jane@sub.contoso.com", 0, CERT_E_INVALID_NAME },
		{ EMAIL, "jane@example.com", 0, CERT_E_INVALID_NAME },
		{ URI, "https://www.contoso.com/x", 0, 0 },
		{ URI, "https://www.example.com/x", 0, CERT_E_INVALID_NAME },
		{ IP, "\x0a\x01\x02\x03", 4, 0 },
		{ IP, "\x0a\x09\x02\x03", 4, CERT_E_INVALID_NAME },
		{ IP, "\xc0\x00\x02\x01", 4, CERT_E_INVALID_NAME },
		{ IP, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16, 0 },
		{ IP, "\x20\x01\x0d\xb9\0\0\0\0\0\0\0\0\0\0\0\1", 16, CERT_E_INVALID_NAME },
	};
	struct x509_ca *ca = new_ca(permitted, excluded, -1);

	(void)state;
	assert_true(x509_ca_is_constrained(ca));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t len = cases[i].len != 0 ? cases[i].len : strlen(cases[i].name);
		uint8_t san[256];

		len = general_name(san, cases[i].tag, cases[i].name, len);
		if (judge(ca, "device", san, len, -2, false) != cases[i].hr)
			fail_msg("%s", cases[i].name);
	}
	assert_int_equal(judge(ca, "no SAN at all", NULL, 0, -2, false), 0);
	x509_ca_free(ca);
}

static void
test_directory_names(void **state)
{
	static const char *const permitted[] = { "DirectoryName=CN=allowed", NULL };
	static const char *const none[] = { NULL };
	struct x509_ca *ca = new_ca(permitted, none, -1);

	(void)state;
	assert_int_equal(judge(ca, "allowed", NULL, 0, -2, false), 0);
	assert_int_equal(judge(ca, "other", NULL, 0, -2, false), CERT_E_INVALID_NAME);
	assert_int_equal(judge(ca, "", NULL, 0, -2, false), 0); /* no name, nothing outside */
	x509_ca_free(ca);
}

static void
test_path_length(void **state)
{
	static const char *const none[] = { NULL };
	struct x509_ca *zero = new_ca(none, none, 0), *one = new_ca(none, none, 1), *any = new_ca(none, none, -1);

	(void)state;
	assert_int_equal(judge(zero, "leaf", NULL, 0, -2, false), 0);
	assert_int_equal(judge(zero, "sub", NULL, 0, -1, false), TRUST_E_BASIC_CONSTRAINTS);
	assert_int_equal(judge(one, "sub", NULL, 0, -1, false), 0);
	assert_int_equal(judge(any, "sub", NULL, 0, -1, false), 0);
	assert_false(x509_ca_is_constrained(any));
	x509_ca_free(zero);
	x509_ca_free(one);
	x509_ca_free(any);
}

static void
test_what_cannot_be_said(void **state)
{
	static const char *const bad[] = { "contoso.com", "UPN=contoso.com", "IPAddress=10.0.0.0", "IPAddress=10.0.0.0/33",
		"IPAddress=10.0.0/8", "IPAddress=::/129", "IPAddress=10.0.0.0,255", "IPAddress=1.2.3.4/x",
		"IPAddress=1111111111111111111111111111111111111111111111111111111111111111111111/8", "DNS=con\xc3\xb6",
		"DNS=two words", "DirectoryName=contoso", "DirectoryName=CN=#e1111111", "EMail=a b" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *const v[] = { bad[i], NULL }, *const none[] = { NULL };
		struct err e = { 0 };
		struct buf b;

		buf_init(&b, 65536);
		if (x509_name_constraints_put(&b, list(v), list(none), &e) == 0 || e.hr == 0 || b.len != 0)
			fail_msg("%s", bad[i]);
		buf_fini(&b);
	}
}

static int
make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int
remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_directory_names),
		cmocka_unit_test(test_path_length),
		cmocka_unit_test(test_what_cannot_be_said),
	};

	return cmocka_run_group_tests_name("constraints", tests, make_dir, remove_dir);
}
