/*
 * From a real PKCS #10 to a certificate: OpenSSL makes the request, the plan is signed, and OpenSSL reads what came out.
 * The oracle knows nothing of our encoders.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy_support.h"

static char folder[] = "/tmp/adcsd-policy-XXXXXX";
static char key_path[64], cert_path[64];
static struct x509_ca *ca;
static EVP_PKEY *key;

static int
open_ca(void **state)
{
	static const struct rng rng = { false, 0 };
	struct x509_ca_create how = {
		.key = X509_CA_P256,
		.common_name = "Contoso Certification Authority",
		.dn_suffix = "DC=corp,DC=contoso,DC=com",
		.not_before = at("2026-01-01T00:00:00Z"),
		.not_after = at("2036-01-01T00:00:00Z"),
		.rng = &rng,
	};
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(key_path, sizeof(key_path), "%s/ca.key", folder);
	snprintf(cert_path, sizeof(cert_path), "%s/ca.crt", folder);
	if (x509_ca_create(&how, key_path, cert_path, &e) != 0)
		fail_msg("%s", e.msg);
	ca = x509_ca_load(key_path, cert_path, "SHA256", &rng, &e);
	if (ca == NULL)
		fail_msg("%s", e.msg);
	key = EVP_RSA_gen(2048);
	assert_non_null(key);
	return 0;
}

static int
close_ca(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	x509_ca_free(ca);
	unlink(key_path);
	unlink(cert_path);
	rmdir(folder);
	return 0;
}

/* CN=device.contoso.com, O=Contoso, and extensions as "openssl req" takes them. */
static struct bytes
make_request(struct desk *d, const char *const extensions[][2], size_t n)
{
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
	X509_REQ *req = X509_REQ_new();
	X509_NAME *name = X509_REQ_get_subject_name(req);
	struct bytes out, der;
	uint8_t *p = NULL;
	int len;

	X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_ASC, (const uint8_t *)"device.contoso.com", -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const uint8_t *)"Contoso", -1, -1, 0);
	X509_NAME_add_entry_by_txt(name, "title", MBSTRING_ASC, (const uint8_t *)"Dr", -1, -1, 0);
	X509_REQ_set_pubkey(req, key);
	for (size_t i = 0; i < n; i++) {
		X509_EXTENSION *x;
		X509V3_CTX ctx;

		X509V3_set_ctx(&ctx, NULL, NULL, req, NULL, 0);
		X509V3_set_ctx_nodb(&ctx);
		x = X509V3_EXT_nconf(NULL, &ctx, extensions[i][0], extensions[i][1]);
		if (x == NULL)
			fail_msg("OpenSSL cannot write %s", extensions[i][0]);
		sk_X509_EXTENSION_push(list, x);
	}
	if (n > 0)
		X509_REQ_add_extensions(req, list);
	assert_true(X509_REQ_sign(req, key, EVP_sha256()) > 0);
	len = i2d_X509_REQ(req, &p);
	assert_true(len > 0);
	der = (struct bytes){ p, (size_t)len };
	assert_int_equal(pool_dup_bytes(d->pool, der, &out), 0);
	OPENSSL_free(p);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	X509_REQ_free(req);
	return out;
}

static X509 *
issue(struct desk *d)
{
	struct x509_cert_plan plan = d->out.plan;
	const uint8_t *p;
	struct buf b;
	X509 *crt;

	plan.serial[0] = 0x61;
	plan.serial_len = 1;
	plan.issuer = x509_ca_subject(ca);
	buf_init(&b, 1 << 16);
	if (x509_ca_issue(ca, &plan, 1, &b, &d->e) != 0)
		fail_msg("%s", d->e.msg);
	p = b.p;
	crt = d2i_X509(NULL, &p, (long)b.len);
	assert_non_null(crt);
	assert_ptr_equal(p, b.p + b.len);
	buf_fini(&b);
	return crt;
}

static void
check_signature(X509 *crt)
{
	struct bytes der = x509_ca_cert_der(ca);
	const uint8_t *p = der.p;
	X509 *issuer = d2i_X509(NULL, &p, (long)der.len);

	assert_non_null(issuer);
	assert_int_equal(X509_verify(crt, X509_get0_pubkey(issuer)), 1);
	assert_int_equal(X509_check_issued(issuer, crt), X509_V_OK);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(crt), key), 1);
	X509_free(issuer);
}

static void
check_order(X509 *crt, const char *name, const char *want)
{
	char got[1024] = "", oid[OID_TEXT_MAX];

	for (int i = 0; i < X509_get_ext_count(crt); i++) {
		X509_EXTENSION *x = X509_get_ext(crt, i);
		size_t n = strlen(got);

		OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(x), 1);
		snprintf(got + n, sizeof(got) - n, "%s%s%s", i > 0 ? " " : "", oid,
		    X509_EXTENSION_get_critical(x) ? "!" : "");
	}
	if (strcmp(got, want) != 0)
		fail_msg("\"%s\":\n got %s\nwant %s", name, got, want);
}

/* URI:tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500; OpenSSL's own syntax stops at the comma */
#define SAN_SID_URI                                                                                          \
	"DER:"                                                                                               \
	"30:35:86:33:74:61:67:3a:6d:69:63:72:6f:73:6f:66:74:2e:63:6f:6d:2c:32:30:32:32:2d:30:39:2d:31:34:"   \
	"3a:73:69:64:3a:53:2d:31:2d:35:2d:32:31:2d:31:2d:32:2d:33:2d:35:30:30"

static const char *const san_only[][2] = { { "subjectAltName", "DNS:device.contoso.com" } };
static const char *const like_certreq[][2] = {
	{ "1.3.6.1.4.1.311.20.2", "DER:1e:08:00:55:00:73:00:65:00:72" },
	{ "extendedKeyUsage", "clientAuth" },
	{ "keyUsage", "critical,digitalSignature" },
	{ "subjectAltName", SAN_SID_URI },
};
static const char *const ca_wish[][2] = { { "basicConstraints", "critical,CA:TRUE" },
	{ "keyUsage", "keyCertSign" }, { "subjectAltName", SAN_SID_URI } };

static const struct {
	const char *name, *template;
	const char *const (*extensions)[2];
	size_t n;
	const char *subject, *san, *order;
} cases[] = {
	{ "WebServer, plain", "WebServer", san_only, 1, "O = Contoso, CN = device.contoso.com",
	    "DNS:device.contoso.com",
	    "2.5.29.17 2.5.29.14 2.5.29.35 2.5.29.31 1.3.6.1.5.5.7.1.1 1.3.6.1.4.1.311.20.2 2.5.29.15! 2.5.29.37" },
	{ "User, as Windows asks", "User", like_certreq, 4,
	    "DC = com, DC = contoso, DC = corp, CN = Users, CN = Jane Doe, emailAddress = jane@contoso.com",
	    "othername: UPN::janedoe@contoso.com, email:jane@contoso.com",
	    "1.3.6.1.4.1.311.20.2 2.5.29.37 2.5.29.15! 2.5.29.14 2.5.29.35 2.5.29.31 1.3.6.1.5.5.7.1.1 "
	    "1.2.840.113549.1.9.15 2.5.29.17 1.3.6.1.4.1.311.25.2" },
	{ "IntunePKCS, strong mapping, wants to be a CA", "IntunePKCS", ca_wish, 3,
	    "O = Contoso, CN = device.contoso.com", "URI:tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500",
	    "2.5.29.15! 2.5.29.17 2.5.29.14 2.5.29.35 2.5.29.31 1.3.6.1.5.5.7.1.1 1.3.6.1.4.1.311.21.7 2.5.29.37 "
	    "1.3.6.1.4.1.311.21.10" },
};

static const char *
text_of(struct desk *d, BIO *bio)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);
	char *out = pool_strndup(d->pool, p, (size_t)n);

	BIO_free(bio);
	return out;
}

static void
test_issue(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct desk *d = desk_open(cases[i].template);
		struct bytes raw = make_request(d, cases[i].extensions, cases[i].n);
		BIO *bio;
		X509 *crt;
		int at_san;

		if (x509_request_parse(&d->request, d->pool, raw, &d->e) != 0 ||
		    x509_request_verify(&d->request, &d->e) != 0)
			fail_msg("\"%s\": %s", cases[i].name, d->e.msg);
		d->ca.ca_key_id = x509_ca_key_id(ca);
		desk_run(d);
		expect(d, cases[i].name, 0, 0);
		crt = issue(d);
		check_signature(crt);
		check_order(crt, cases[i].name, cases[i].order);
		assert_int_equal(X509_check_ca(crt), 0);
		bio = BIO_new(BIO_s_mem());
		X509_NAME_print_ex(bio, X509_get_subject_name(crt), 0, XN_FLAG_ONELINE);
		assert_string_equal(text_of(d, bio), cases[i].subject);
		bio = BIO_new(BIO_s_mem());
		at_san = X509_get_ext_by_NID(crt, NID_subject_alt_name, -1);
		X509V3_EXT_print(bio, X509_get_ext(crt, at_san), 0, 0);
		assert_string_equal(text_of(d, bio), cases[i].san);
		X509_free(crt);
		desk_close(d);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_issue) };

	return cmocka_run_group_tests(tests, open_ca, close_ca);
}
