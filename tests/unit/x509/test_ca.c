/* CA keys and certificates: creation, loading with every complaint, signing by many threads, the PKCS #7 chain. */
#include "support.h"

#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "x509/cert.h"
#include "x509/x509_priv.h"

#define YEAR (365 * FILETIME_DAY)
#define NOW INT64_C(134084160000000000) /* 2025-11-23 */
#define THREADS 8
#define PER_THREAD 16

static char dir[] = "/tmp/adcsd-test-ca-XXXXXX";
static char key_path[64], cert_path[64];

static int
set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(key_path, sizeof(key_path), "%s/ca.key", dir);
	snprintf(cert_path, sizeof(cert_path), "%s/ca.crt", dir);
	return 0;
}

static void
clear_files(void)
{
	unlink(key_path);
	unlink(cert_path);
}

static int
tear_down(void **state)
{
	(void)state;
	clear_files();
	return rmdir(dir);
}

static struct x509_ca *
new_ca(enum x509_ca_key kind, const struct rng *rng, const char *hash)
{
	struct x509_ca_create how = { .key = kind,
		.common_name = "Contoso Certification Authority",
		.dn_suffix = "DC=corp,DC=contoso,DC=com",
		.not_before = NOW,
		.not_after = NOW + 10 * YEAR,
		.rng = rng };
	struct x509_ca *ca;
	struct err e = { 0 };

	clear_files();
	if (x509_ca_create(&how, key_path, cert_path, &e) != 0)
		fail_msg("create: %s", e.msg);
	ca = x509_ca_load(key_path, cert_path, hash, rng, &e);
	if (ca == NULL)
		fail_msg("load: %s", e.msg);
	return ca;
}

static X509 *
parse_cert(struct bytes der)
{
	const unsigned char *p = der.p;
	X509 *cert = d2i_X509(NULL, &p, (long)der.len);

	assert_non_null(cert);
	assert_ptr_equal(p, der.p + der.len);
	return cert;
}

/* A leaf as policy would plan it. */
static struct bytes
issue(struct x509_ca *ca, struct pool *pool, uint64_t id)
{
	static const uint8_t p256_spki[] = {
		0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
		0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42,
		0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0,
		0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e,
		0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6,
		0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
	};
	struct x509_cert_plan plan = { .serial = { 0x1f }, .serial_len = 9, .not_before = NOW, .not_after = NOW + YEAR };
	struct x509_extension ext[2];
	struct buf name = new_buf(), aki = new_buf(), san = new_buf(), out = new_buf();
	size_t seq = der_open(&san, DER_SEQUENCE);
	struct err e = { 0 };

	for (int i = 0; i < 8; i++)
		plan.serial[1 + i] = (uint8_t)(id >> (8 * (7 - i)));
	assert_int_equal(x509_name_from_dn(&name, "CN=leaf,DC=example", &e), 0);
	x509_ext_authority_key_id(&aki, x509_ca_key_id(ca));
	x509_san_put_dns(&san, "leaf.example");
	der_close(&san, seq);
	ext[0] = (struct x509_extension){ oid_bytes(pool, OID_AUTHORITY_KEY_IDENTIFIER), false, take(pool, &aki) };
	ext[1] = (struct x509_extension){ oid_bytes(pool, OID_SUBJECT_ALT_NAME), false, take(pool, &san) };
	plan.issuer = x509_ca_subject(ca);
	plan.subject = take(pool, &name);
	plan.spki = (struct bytes){ p256_spki, sizeof(p256_spki) };
	plan.extensions = ext;
	plan.n_extensions = 2;
	if (x509_ca_issue(ca, &plan, id, &out, &e) != 0)
		fail_msg("issue: %s", e.msg);
	return take(pool, &out);
}

/* ---- creation ---- */

static void
test_create(void **state)
{
	static const char *const texts[] = { "RSA-2048", "RSA-3072", "RSA-4096", "P-256", "P-384" };
	static const char *const hashes[] = { "SHA256", "SHA384", "SHA512", "SHA1", "sha256" };
	/* CA version V0.0, MS-WCCE: INTEGER 0 */
	static const char *const oids[] = { OID_KEY_USAGE, OID_BASIC_CONSTRAINTS, OID_SUBJECT_KEY_IDENTIFIER,
		OID_CERTSRV_CA_VERSION };
	static const uint8_t usage[] = { 0x03, 0x02, 0x01, 0x86 }, version[] = { 0x02, 0x01, 0x00 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		enum x509_ca_key kind;
		struct rng rng = { true, 100 + i }; /* seeded: no luck with primes, the test takes the same time */
		struct pool *pool = pool_new(1 << 20);
		struct x509_ca *ca;
		struct buf name = new_buf();
		struct stat st;
		X509 *root, *leaf;

		assert_int_equal(x509_ca_key_from_text(&kind, texts[i], NULL), 0);
		ca = new_ca(kind, &rng, hashes[i]);
		assert_string_equal(x509_ca_key_text(ca), texts[i]);
		assert_true(x509_ca_is_root(ca));
		assert_int_equal(x509_ca_chain_len(ca), 1);
		assert_int_equal(x509_ca_not_before(ca), NOW);
		assert_int_equal(x509_ca_not_after(ca), NOW + 10 * YEAR);
		assert_int_equal(x509_name_to_text(&name, x509_ca_subject(ca), NULL), 0);
		assert_string_equal(buf_cstr(&name), "CN=Contoso Certification Authority, DC=corp, DC=contoso, DC=com");
		assert_int_equal(stat(key_path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);

		root = parse_cert(x509_ca_cert_der(ca));
		assert_int_equal(X509_get_ext_count(root), ARRAY_LEN(oids));
		for (int j = 0; j < (int)ARRAY_LEN(oids); j++) {
			X509_EXTENSION *ext = X509_get_ext(root, j);
			const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(ext);
			char text[80];

			OBJ_obj2txt(text, sizeof(text), X509_EXTENSION_get_object(ext), 1);
			assert_string_equal(text, oids[j]);
			assert_int_equal(X509_EXTENSION_get_critical(ext), j == 1);
			if (j == 0)
				assert_memory_equal(ASN1_STRING_get0_data(value), usage, sizeof(usage));
			if (j == 3)
				assert_memory_equal(ASN1_STRING_get0_data(value), version, sizeof(version));
		}
		assert_int_equal(X509_self_signed(root, 1), 1);
		assert_int_equal(X509_check_ca(root), 1);

		leaf = parse_cert(issue(ca, pool, 6));
		assert_int_equal(X509_check_issued(root, leaf), X509_V_OK);
		assert_int_equal(X509_verify(leaf, X509_get0_pubkey(root)), 1);
		X509_free(leaf);
		X509_free(root);
		buf_fini(&name);
		x509_ca_free(ca);
		pool_free(pool);
	}
	assert_int_equal(x509_ca_key_from_text(&(enum x509_ca_key){ 0 }, "RSA-1024", NULL), -1);
}

static void
test_create_refusals(void **state)
{
	static const struct {
		const char *name, *cn, *suffix;
		filetime_t until;
		uint32_t hr;
	} cases[] = {
		{ "no name", "", NULL, NOW + YEAR, E_INVALIDARG },
		{ "name of 65", "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg", NULL, NOW + YEAR,
		    E_INVALIDARG },
		{ "name not UTF-8", "a\xff", NULL, NOW + YEAR, E_INVALIDARG },
		{ "bad suffix", "a", "DC=a,QQ=b", NOW + YEAR, E_INVALIDARG },
		{ "ends before it begins", "a", NULL, NOW - YEAR, E_INVALIDARG },
	};
	struct rng rng = { true, 5 };
	struct err e = { 0 };

	(void)state;
	clear_files();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct x509_ca_create how = { .key = X509_CA_P256,
			.common_name = cases[i].cn,
			.dn_suffix = cases[i].suffix,
			.not_before = NOW,
			.not_after = cases[i].until,
			.rng = &rng };

		assert_int_equal(x509_ca_create(&how, key_path, cert_path, &e), -1);
		if (e.hr != cases[i].hr)
			fail_msg("%s: 0x%08x %s", cases[i].name, e.hr, e.msg);
		assert_int_equal(access(key_path, F_OK), -1);
		assert_int_equal(access(cert_path, F_OK), -1);
	}
}

static void
test_create_keeps_files(void **state)
{
	struct rng rng = { true, 5 };
	struct x509_ca_create how = {
		.key = X509_CA_P256, .common_name = "a", .not_before = NOW, .not_after = NOW + YEAR, .rng = &rng
	};
	struct err e = { 0 };
	FILE *f;

	(void)state;
	clear_files();
	f = fopen(cert_path, "w");
	fclose(f);
	assert_int_equal(x509_ca_create(&how, key_path, cert_path, &e), -1);
	assert_int_equal(e.hr, E_ALREADY_EXISTS);
	assert_non_null(strstr(e.msg, cert_path));
	assert_int_equal(access(key_path, F_OK), -1); /* the key made for nothing is gone */
	f = fopen(key_path, "w");
	fclose(f);
	assert_int_equal(x509_ca_create(&how, key_path, cert_path, &e), -1);
	assert_int_equal(e.hr, E_ALREADY_EXISTS);
	assert_non_null(strstr(e.msg, key_path));
	assert_int_equal(x509_ca_create(&how, "/nonexistent/key", cert_path, &e), -1);
	assert_int_equal(e.hr, E_FILE_NOT_FOUND);
}

/* ---- loading ---- */

static void
add_ext(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_int_equal(X509_add_ext(cert, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static X509 *
make_cert(EVP_PKEY *key, const char *cn, X509 *issuer, EVP_PKEY *issuer_key, const char *constraints,
    const char *usage)
{
	X509 *cert = X509_new();

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 7);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(issuer != NULL ? issuer : cert));
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	X509_set_pubkey(cert, key);
	if (constraints != NULL)
		add_ext(cert, NID_basic_constraints, constraints);
	if (usage != NULL)
		add_ext(cert, NID_key_usage, usage);
	assert_true(X509_sign(cert, issuer_key, EVP_sha256()) > 0);
	return cert;
}

enum piece { END, ROOT, SUB, OTHER_ROOT, FORGED_SUB, NO_CA, NO_SIGN, GARBAGE };

static void
test_load_chain(void **state)
{
	static const struct {
		const char *name;
		char key; /* 's' the subordinate's, 'r' the root's, 'e' encrypted, 'g' garbage, '-' none, 'o' Ed25519 */
		enum piece pieces[4];
		const char *hash;
		uint32_t hr;
		const char *complaint;
	} cases[] = {
		{ "subordinate", 's', { SUB, ROOT }, "SHA256", 0, NULL },
		{ "root", 'r', { ROOT }, "SHA512", 0, NULL },
		{ "wrong key", 'r', { SUB, ROOT }, "SHA256", E_INVALID_DATA, "key" },
		{ "root missing", 's', { SUB }, "SHA256", E_INVALID_DATA, "no self-signed root" },
		{ "another root", 's', { SUB, OTHER_ROOT }, "SHA256", E_INVALID_DATA, "not issued by the next" },
		{ "root of that name, another key", 's', { FORGED_SUB, ROOT }, "SHA256", E_INVALID_DATA,
		    "not signed by the next" },
		{ "order reversed", 's', { ROOT, SUB }, "SHA256", E_INVALID_DATA, "key" },
		{ "something behind the root", 's', { SUB, ROOT, OTHER_ROOT }, "SHA256", E_INVALID_DATA,
		    "certificate 2: not issued" },
		{ "no CA certificate", 's', { NO_CA, ROOT }, "SHA256", E_INVALID_DATA, "basicConstraints" },
		{ "may not sign", 's', { NO_SIGN, ROOT }, "SHA256", E_INVALID_DATA, "keyUsage" },
		{ "malformed", 's', { SUB, GARBAGE }, "SHA256", E_INVALID_DATA, "certificate 2: malformed" },
		{ "no certificate", 's', { END }, "SHA256", E_INVALID_DATA, "no PEM certificate" },
		{ "encrypted key", 'e', { SUB, ROOT }, "SHA256", E_INVALID_DATA, "encrypted" },
		{ "no key in the file", 'g', { SUB, ROOT }, "SHA256", E_INVALID_DATA, "no PEM private key" },
		{ "no key file", '-', { SUB, ROOT }, "SHA256", E_FILE_NOT_FOUND, "CA key file" },
		{ "unknown hash", 's', { SUB, ROOT }, "MD5", E_INVALIDARG, "MD5" },
	};
	EVP_PKEY *root_key = new_key("RSA-2048"), *sub_key = new_key("P-384"), *other_key = new_key("RSA-1024");
	X509 *root = make_cert(root_key, "Root", NULL, root_key, "critical,CA:TRUE", NULL);
	X509 *pieces[] = {
		[ROOT] = root,
		[SUB] = make_cert(sub_key, "Sub", root, root_key, "critical,CA:TRUE", "keyCertSign,cRLSign"),
		[OTHER_ROOT] = make_cert(other_key, "Other", NULL, other_key, "critical,CA:TRUE", NULL),
		[FORGED_SUB] = make_cert(sub_key, "Sub", root, other_key, "critical,CA:TRUE", NULL),
		[NO_CA] = make_cert(sub_key, "Sub", root, root_key, NULL, NULL),
		[NO_SIGN] = make_cert(sub_key, "Sub", root, root_key, "critical,CA:TRUE", "digitalSignature"),
	};
	struct rng rng = { false, 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		BIO *key, *certs;
		struct x509_ca *ca;
		struct err e = { 0 };
		char secret[] = "secret";

		clear_files();
		if (cases[i].key != '-') {
			key = BIO_new_file(key_path, "w");
			if (cases[i].key == 'e')
				PEM_write_bio_PKCS8PrivateKey(key, sub_key, EVP_aes_128_cbc(), secret, 6, NULL, NULL);
			else if (cases[i].key != 'g')
				PEM_write_bio_PrivateKey(key, cases[i].key == 's' ? sub_key : root_key, NULL, NULL, 0, NULL,
				    NULL);
			BIO_free(key);
			assert_int_equal(chmod(key_path, 0600), 0);
		}
		certs = BIO_new_file(cert_path, "w");
		for (size_t j = 0; j < 4 && cases[i].pieces[j] != END; j++) {
			if (cases[i].pieces[j] == GARBAGE)
				BIO_puts(certs, "-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n");
			else
				PEM_write_bio_X509(certs, pieces[cases[i].pieces[j]]);
		}
		BIO_free(certs);

		ca = x509_ca_load(key_path, cert_path, cases[i].hash, &rng, &e);
		if ((ca != NULL) != (cases[i].hr == 0) || e.hr != cases[i].hr)
			fail_msg("%s: 0x%08x %s", cases[i].name, e.hr, e.msg);
		if (ca == NULL && strstr(e.msg, cases[i].complaint) == NULL)
			fail_msg("%s: %s", cases[i].name, e.msg);
		if (ca != NULL) {
			struct pool *pool = pool_new(1 << 20);
			X509 *leaf = parse_cert(issue(ca, pool, i + 1));

			assert_int_equal(X509_verify(leaf, X509_get0_pubkey(pieces[cases[i].pieces[0]])), 1);
			assert_int_equal(x509_ca_is_root(ca), cases[i].key == 'r');
			assert_int_equal(x509_ca_key_id(ca).len, 20);
			X509_free(leaf);
			pool_free(pool);
		}
		x509_ca_free(ca);
	}
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
		X509_free(pieces[i]);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(sub_key);
	EVP_PKEY_free(other_key);
}

/* ---- what is signed ---- */

static void
test_plan_refusals(void **state)
{
	struct rng rng = { true, 9 };
	struct x509_ca *ca = new_ca(X509_CA_P256, &rng, "SHA256");
	static const uint8_t name[] = { 0x30, 0x00 };
	const struct bytes any = { name, 2 };
	struct x509_cert_plan good = { .serial = { 1 }, .serial_len = 1, .issuer = x509_ca_subject(ca), .subject = any,
		.spki = any, .not_before = NOW, .not_after = NOW };
	struct x509_cert_plan plans[7];
	struct buf out = new_buf();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(plans); i++)
		plans[i] = good;
	plans[0].serial_len = 0;
	plans[1].serial[0] = 0;
	plans[2].serial_len = 21;
	plans[3].serial_len = 20;
	plans[3].serial[0] = 0x80;
	plans[4].not_after = NOW - 1;
	plans[5].issuer = any;
	plans[6].not_after = INT64_MAX;
	buf_put_str(&out, "kept");
	for (size_t i = 0; i < ARRAY_LEN(plans); i++) {
		assert_int_equal(x509_ca_issue(ca, &plans[i], 1, &out, NULL), -1);
		assert_int_equal(out.len, 4);
	}
	assert_int_equal(x509_ca_issue(ca, &good, 1, &out, NULL), 0);
	assert_memory_equal(out.p, "kept\x30", 5);
	buf_fini(&out);
	buf_init(&out, 100);
	assert_int_equal(x509_ca_issue(ca, &good, 1, &out, NULL), -1); /* no room */
	buf_fini(&out);
	x509_ca_free(ca);
}

static void
test_pkcs7(void **state)
{
	struct rng rng = { true, 9 };
	struct x509_ca *ca = new_ca(X509_CA_P256, &rng, "SHA256");
	struct pool *pool = pool_new(1 << 20);
	struct bytes leaf = issue(ca, pool, 3);

	(void)state;
	for (int with_leaf = 0; with_leaf < 2; with_leaf++) {
		struct buf out = new_buf();
		const unsigned char *p;
		unsigned char *again = NULL;
		PKCS7 *p7;
		int n;

		assert_int_equal(x509_ca_pkcs7_chain(ca, with_leaf ? leaf : (struct bytes){ NULL, 0 }, &out, NULL), 0);
		p = out.p;
		p7 = d2i_PKCS7(NULL, &p, (long)out.len);
		assert_non_null(p7);
		assert_true(PKCS7_type_is_signed(p7));
		assert_int_equal(ASN1_INTEGER_get(p7->d.sign->version), 1);
		assert_int_equal(sk_X509_ALGOR_num(p7->d.sign->md_algs), 0);
		assert_int_equal(sk_PKCS7_SIGNER_INFO_num(p7->d.sign->signer_info), 0);
		assert_true(PKCS7_type_is_data(p7->d.sign->contents));
		assert_int_equal(sk_X509_num(p7->d.sign->cert), 1 + with_leaf);
		n = i2d_PKCS7(p7, &again);
		assert_int_equal(n, out.len);
		OPENSSL_free(again);
		PKCS7_free(p7);
		buf_fini(&out);
	}
	pool_free(pool);
	x509_ca_free(ca);
}

/* ---- determinism ---- */

struct job {
	struct x509_ca *ca;
	struct pool *pool;
	struct bytes out[PER_THREAD];
	unsigned first;
};

static void *
run_job(void *arg)
{
	struct job *j = arg;

	for (unsigned i = 0; i < PER_THREAD; i++)
		j->out[i] = issue(j->ca, j->pool, j->first + i);
	return NULL;
}

/* The same request ids on every thread at once: neither the thread nor its neighbours may show. */
static void
test_seeded(void **state)
{
	static const enum x509_ca_key kinds[] = { X509_CA_P256, X509_CA_P384, X509_CA_RSA2048 };

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		struct rng rng = { true, 42 }, other = { true, 43 };
		struct x509_ca *one = new_ca(kinds[k], &rng, "SHA256"), *two, *three;
		struct pool *pool = pool_new(1 << 20);
		struct bytes root = x509_ca_cert_der(one), want[PER_THREAD];
		struct job jobs[THREADS];
		pthread_t threads[THREADS];

		for (unsigned i = 0; i < PER_THREAD; i++)
			want[i] = issue(one, pool, 1 + i);
		two = new_ca(kinds[k], &rng, "SHA256");
		assert_true(bytes_equal(root, x509_ca_cert_der(two)));
		for (unsigned t = 0; t < THREADS; t++) {
			jobs[t] = (struct job){ two, pool_new(1 << 20), { { NULL, 0 } }, 1 };
			assert_int_equal(pthread_create(&threads[t], NULL, run_job, &jobs[t]), 0);
		}
		for (unsigned t = 0; t < THREADS; t++) {
			pthread_join(threads[t], NULL);
			for (unsigned i = 0; i < PER_THREAD; i++)
				assert_true(bytes_equal(want[i], jobs[t].out[i]));
			pool_free(jobs[t].pool);
		}
		three = new_ca(kinds[k], &other, "SHA256");
		assert_false(bytes_equal(root, x509_ca_cert_der(three)));
		x509_ca_free(one);
		x509_ca_free(two);
		x509_ca_free(three);
		pool_free(pool);
	}
}

/* Another request id is another nonce; reused, it would give the key away. */
static void
test_nonces(void **state)
{
	struct rng rng = { true, 42 };
	struct x509_ca *ca = new_ca(X509_CA_P256, &rng, "SHA256");
	struct x509_cert_plan plan = { .serial = { 1 }, .serial_len = 1, .issuer = x509_ca_subject(ca),
		.not_before = NOW, .not_after = NOW };
	static const uint8_t name[] = { 0x30, 0x00 };
	struct buf a = new_buf(), b = new_buf(), c = new_buf();

	(void)state;
	plan.subject = plan.spki = (struct bytes){ name, 2 };
	assert_int_equal(x509_ca_issue(ca, &plan, 1, &a, NULL), 0);
	assert_int_equal(x509_ca_issue(ca, &plan, 2, &b, NULL), 0);
	assert_int_equal(x509_ca_issue(ca, &plan, 1, &c, NULL), 0);
	assert_false(bytes_equal(buf_bytes(&a), buf_bytes(&b)));
	assert_true(bytes_equal(buf_bytes(&a), buf_bytes(&c)));
	buf_fini(&a);
	buf_fini(&b);
	buf_fini(&c);
	x509_ca_free(ca);
}

static void
test_unseeded(void **state)
{
	struct rng rng = { false, 42 };
	struct x509_ca *one = new_ca(X509_CA_P256, &rng, "SHA256"), *two;
	struct pool *pool = pool_new(1 << 20);

	(void)state;
	assert_false(bytes_equal(issue(one, pool, 1), issue(one, pool, 1)));
	two = new_ca(X509_CA_P256, &rng, "SHA256");
	assert_false(bytes_equal(x509_ca_key_id(one), x509_ca_key_id(two)));
	x509_ca_free(one);
	x509_ca_free(two);
	pool_free(pool);
}

/* A draw in a seeded context outside any stream must fail, not fall back on something random. */
static void
test_no_stream(void **state)
{
	struct x509_lib lib;

	(void)state;
	assert_int_equal(x509_seeded_lib_get(&lib, NULL), 0);
	assert_null(EVP_PKEY_Q_keygen(lib.ctx, NULL, "EC", "P-256"));
	ERR_clear_error();
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_create_refusals),
		cmocka_unit_test(test_create_keeps_files),
		cmocka_unit_test(test_load_chain),
		cmocka_unit_test(test_plan_refusals),
		cmocka_unit_test(test_pkcs7),
		cmocka_unit_test(test_seeded),
		cmocka_unit_test(test_nonces),
		cmocka_unit_test(test_unseeded),
		cmocka_unit_test(test_no_stream),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
