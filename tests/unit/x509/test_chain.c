/* Chains: certificates and CRLs that OpenSSL makes, and what is said of them. */
#include "support.h"

#include <openssl/x509.h>

#include "x509/chain.h"

#define DAY 86400L
#define NOW 1780000000L /* 2026-05-28 */

struct entity {
	const char *name;
	EVP_PKEY *key;
	X509 *cert;
	struct bytes der;
	unsigned char *raw;
};

static void
put_by_nid(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(cert, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static void
put_name(X509_NAME *name, const char *cn)
{
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)cn, -1, -1, 0), 1);
}

/* issuer NULL: self-signed. */
static void
make(struct entity *out, const char *name, const struct entity *issuer, bool ca, bool points, long serial)
{
	out->name = name;
	out->key = EVP_EC_gen("P-256");
	out->cert = X509_new();
	X509_set_version(out->cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(out->cert), serial);
	ASN1_TIME_set(X509_getm_notBefore(out->cert), NOW - 10 * DAY);
	ASN1_TIME_set(X509_getm_notAfter(out->cert), NOW + 100 * DAY);
	put_name(X509_get_subject_name(out->cert), name);
	X509_set_issuer_name(out->cert, X509_get_subject_name(issuer != NULL ? issuer->cert : out->cert));
	X509_set_pubkey(out->cert, out->key);
	put_by_nid(out->cert, NID_basic_constraints, ca ? "critical,CA:TRUE" : "CA:FALSE");
	if (points)
		put_by_nid(out->cert, NID_crl_distribution_points, "URI:http://crl.invalid/a.crl");
	assert_true(X509_sign(out->cert, issuer != NULL ? issuer->key : out->key, EVP_sha256()) > 0);
	out->raw = NULL;
	out->der.len = (size_t)i2d_X509(out->cert, &out->raw);
	out->der.p = out->raw;
}

static void
drop(struct entity *x)
{
	EVP_PKEY_free(x->key);
	X509_free(x->cert);
	OPENSSL_free(x->raw);
}

/* From NOW - 1 day on, for 10 days; serial 0: nothing is revoked. */
static struct bytes
make_crl(struct pool *pool, const struct entity *issuer, long serial)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *t = ASN1_TIME_set(NULL, NOW - DAY);
	unsigned char *raw = NULL;
	struct bytes out;

	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->cert));
	X509_CRL_set1_lastUpdate(crl, t);
	if (serial != 0) {
		X509_REVOKED *r = X509_REVOKED_new();
		ASN1_INTEGER *n = ASN1_INTEGER_new();

		ASN1_INTEGER_set(n, serial);
		X509_REVOKED_set_serialNumber(r, n);
		X509_REVOKED_set_revocationDate(r, t);
		assert_int_equal(X509_CRL_add0_revoked(crl, r), 1);
		ASN1_INTEGER_free(n);
	}
	ASN1_TIME_set(t, NOW + 9 * DAY);
	X509_CRL_set1_nextUpdate(crl, t);
	ASN1_TIME_free(t);
	assert_true(X509_CRL_sign(crl, issuer->key, EVP_sha256()) > 0);
	out.len = (size_t)i2d_X509_CRL(crl, &raw);
	out.p = raw;
	assert_int_equal(pool_dup_bytes(pool, out, &out), 0);
	OPENSSL_free(raw);
	X509_CRL_free(crl);
	return out;
}

enum { ROOT, SUB, LEAF, BARE_LEAF, OTHER, N_ENTITIES };
enum { IN_ROOT = 1, IN_AIA = 2, IN_LOGON = 4, IN_OWN = 8, LOGON_ROOT = 16 };
enum { ASK_LOGON = 1, ASK_CRL = 2, OFFLINE_OK = 4, NO_CHECK_OK = 8, BESIDE = 16, BARE = 32 };
enum { CRL_ROOT = 1, CRL_SUB = 2, CRL_SUB_REVOKES = 4, CRL_ROOT_REVOKES = 8, CRL_FORGED = 16 };

static const struct row {
	const char *name;
	unsigned published, asked, crls;
	long after; /* days after NOW */
	uint32_t hr;
} rows[] = {
	{ "all is there", IN_ROOT | IN_AIA, 0, 0, 0, 0 },
	{ "the CA between comes with the message", IN_ROOT, BESIDE, 0, 0, 0 },
	{ "nobody knows the CA between", IN_ROOT, 0, 0, 0, CERT_E_CHAINING },
	{ "nobody knows anything", 0, 0, 0, 0, CERT_E_CHAINING },
	{ "the root is not trusted", IN_AIA, BESIDE, 0, 0, CERT_E_UNTRUSTEDROOT },
	{ "an own certificate needs no root", IN_OWN, 0, 0, 0, 0 },
	{ "expired", IN_ROOT | IN_AIA, 0, 0, 101, CERT_E_EXPIRED },
	{ "expired, and offline", IN_ROOT | IN_AIA, ASK_CRL, 0, 101, CERT_E_EXPIRED },
	{ "not valid yet", IN_ROOT | IN_AIA, 0, 0, -11, CERT_E_EXPIRED },
	{ "for logon", IN_ROOT | IN_AIA | IN_LOGON, ASK_LOGON, 0, 0, 0 },
	{ "not for logon", IN_ROOT | IN_AIA, ASK_LOGON, 0, 0, CERT_E_UNTRUSTEDCA },
	{ "the root for logon, not the CA", IN_ROOT | IN_AIA | LOGON_ROOT, ASK_LOGON, 0, 0, CERT_E_UNTRUSTEDCA },
	{ "a place for logon is none for issuers", IN_ROOT | IN_LOGON, ASK_LOGON, 0, 0, CERT_E_CHAINING },
	{ "both lists", IN_ROOT | IN_AIA, ASK_CRL, CRL_ROOT | CRL_SUB, 0, 0 },
	{ "no list", IN_ROOT | IN_AIA, ASK_CRL, 0, 0, CRYPT_E_REVOCATION_OFFLINE },
	{ "no list of the root", IN_ROOT | IN_AIA, ASK_CRL, CRL_SUB, 0, CRYPT_E_REVOCATION_OFFLINE },
	{ "no list, and no matter", IN_ROOT | IN_AIA, ASK_CRL | OFFLINE_OK, 0, 0, 0 },
	{ "old lists", IN_ROOT | IN_AIA, ASK_CRL, CRL_ROOT | CRL_SUB, 10, CRYPT_E_REVOCATION_OFFLINE },
	{ "a list somebody else signed", IN_ROOT | IN_AIA, ASK_CRL, CRL_ROOT | CRL_FORGED, 0,
	    CRYPT_E_REVOCATION_OFFLINE },
	{ "revoked", IN_ROOT | IN_AIA, ASK_CRL, CRL_ROOT | CRL_SUB_REVOKES, 0, CRYPT_E_REVOKED },
	{ "revoked all the same", IN_ROOT | IN_AIA, ASK_CRL | OFFLINE_OK, CRL_SUB_REVOKES, 0, CRYPT_E_REVOKED },
	{ "its CA is revoked", IN_ROOT | IN_AIA, ASK_CRL, CRL_ROOT_REVOKES | CRL_SUB, 0, CRYPT_E_REVOKED },
	{ "no points", IN_ROOT | IN_AIA, ASK_CRL | BARE, CRL_ROOT, 0, CRYPT_E_NO_REVOCATION_CHECK },
	{ "no points, and offline is no matter", IN_ROOT | IN_AIA, ASK_CRL | BARE | OFFLINE_OK, CRL_ROOT, 0,
	    CRYPT_E_NO_REVOCATION_CHECK },
	{ "no points, and no matter", IN_ROOT | IN_AIA, ASK_CRL | BARE | NO_CHECK_OK, CRL_ROOT, 0, 0 },
	{ "no points, but a list", IN_ROOT | IN_AIA, ASK_CRL | BARE, CRL_ROOT | CRL_SUB, 0, 0 },
	{ "our database knows better", IN_OWN, ASK_CRL, 0, 0, 0 },
};

static void
add(struct x509_chain_store *s, enum x509_chain_role role, struct bytes der)
{
	struct err e = { 0 };

	if (x509_chain_store_add(s, role, der, &e) != 0)
		fail_msg("%s", e.msg);
}

static void
check_row(const struct row *row, const struct entity *v, struct pool *pool)
{
	struct x509_certificate leaf, sub;
	struct x509_cms cms = { .certificates = &sub, .n_certificates = 1 };
	struct x509_chain_question q = { .certificate = &leaf,
		.beside = (row->asked & BESIDE) != 0 ? &cms : NULL,
		.at = FILETIME_UNIX_EPOCH + (filetime_t)(NOW + row->after * DAY) * FILETIME_SECOND,
		.logon = (row->asked & ASK_LOGON) != 0,
		.revocation = (row->asked & ASK_CRL) != 0,
		.ignore_offline = (row->asked & OFFLINE_OK) != 0,
		.ignore_no_check = (row->asked & NO_CHECK_OK) != 0 };
	struct err e = { 0 };
	struct x509_chain_store *s = x509_chain_store_new(&e);
	const char *path = NULL;
	struct bytes crls[6];
	int rc;

	assert_non_null(s);
	crls[q.n_crls++] = str_bytes("no CRL");
	if ((row->crls & (CRL_ROOT | CRL_ROOT_REVOKES)) != 0)
		crls[q.n_crls++] = make_crl(pool, &v[ROOT], (row->crls & CRL_ROOT_REVOKES) != 0 ? 2 : 0);
	if ((row->crls & (CRL_SUB | CRL_SUB_REVOKES)) != 0)
		crls[q.n_crls++] = make_crl(pool, &v[SUB], (row->crls & CRL_SUB_REVOKES) != 0 ? 3 : 0);
	if ((row->crls & CRL_FORGED) != 0)
		crls[q.n_crls++] = make_crl(pool, &v[OTHER], 0);
	q.crls = crls;
	if ((row->published & IN_ROOT) != 0)
		add(s, X509_CHAIN_ROOT, v[ROOT].der);
	if ((row->published & IN_AIA) != 0)
		add(s, X509_CHAIN_AIA, v[SUB].der);
	if ((row->published & IN_LOGON) != 0)
		add(s, X509_CHAIN_LOGON, v[SUB].der);
	if ((row->published & LOGON_ROOT) != 0)
		add(s, X509_CHAIN_LOGON, v[ROOT].der);
	if ((row->published & IN_OWN) != 0)
		add(s, X509_CHAIN_OWN, v[SUB].der);
	if (row->hr == CERT_E_UNTRUSTEDROOT) /* where OpenSSL sees it, but not trusted */
		add(s, X509_CHAIN_AIA, v[ROOT].der);
	assert_int_equal(x509_certificate_read(
			     &leaf, pool, v[(row->asked & BARE) != 0 ? BARE_LEAF : LEAF].der, &e),
	    0);
	assert_int_equal(x509_certificate_read(&sub, pool, v[SUB].der, &e), 0);
	e.hr = 0;
	rc = x509_chain_check(s, &q, pool, &path, &e);
	if (rc != (row->hr != 0 ? -1 : 0) || e.hr != row->hr)
		fail_msg("%s: 0x%08x %s (%s)", row->name, e.hr, e.msg, path);
	assert_non_null(strstr(path, "CN=Leaf"));
	if (row->hr == 0 && (row->published & IN_ROOT) != 0)
		assert_string_equal(path, "CN=Leaf < CN=Sub < CN=Root");
	x509_chain_store_free(s);
}

static void
test_rows(void **state)
{
	struct pool *pool = pool_new(1 << 20);
	struct entity v[N_ENTITIES];

	(void)state;
	make(&v[ROOT], "Root", NULL, true, false, 1);
	make(&v[SUB], "Sub", &v[ROOT], true, true, 2);
	make(&v[LEAF], "Leaf", &v[SUB], false, true, 3);
	make(&v[BARE_LEAF], "Leaf", &v[SUB], false, false, 3);
	make(&v[OTHER], "Sub", NULL, true, false, 5);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(&rows[i], v, pool);
	for (size_t i = 0; i < N_ENTITIES; i++)
		drop(&v[i]);
	pool_free(pool);
}

/* What is no root gets no place among them; what is no certificate gets none at all. */
static void
test_store(void **state)
{
	struct err e = { 0 };
	struct x509_chain_store *s = x509_chain_store_new(&e);
	struct entity root, sub;
	struct bytes longer;
	struct pool *pool = pool_new(1 << 16);
	uint8_t *p;

	(void)state;
	make(&root, "Root", NULL, true, false, 1);
	make(&sub, "Sub", &root, true, false, 2);
	assert_int_equal(x509_chain_store_add(s, X509_CHAIN_ROOT, sub.der, &e), -1);
	assert_int_equal(e.hr, CERT_E_UNTRUSTEDROOT);
	assert_int_equal(x509_chain_store_add(s, X509_CHAIN_AIA, (struct bytes){ NULL, 0 }, &e), -1);
	assert_int_equal(e.hr, CRYPT_E_ASN1_BADTAG);
	p = pool_alloc(pool, root.der.len + 1);
	memcpy(p, root.der.p, root.der.len);
	p[root.der.len] = 0;
	longer = (struct bytes){ p, root.der.len + 1 };
	assert_int_equal(x509_chain_store_add(s, X509_CHAIN_ROOT, longer, &e), -1);
	assert_int_equal(e.hr, CRYPT_E_ASN1_BADTAG);
	add(s, X509_CHAIN_ROOT, root.der);
	add(s, X509_CHAIN_ROOT, root.der); /* twice is no harm */
	x509_chain_store_free(s);
	x509_chain_store_free(NULL);
	drop(&root);
	drop(&sub);
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_store) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
