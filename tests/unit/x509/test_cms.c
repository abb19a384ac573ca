/* Requests inside CMS and CMC: vectors, what Certipy sends, and everything that must be refused; the CMC
 * response. */
#include "support.h"

#include <openssl/cms.h>
#include <unistd.h>

#include "x509/chain.h"

#define SEEDS "fixtures/fuzz/x509_cms/"

struct message {
	struct pool *pool;
	struct bytes raw;
	struct x509_cms cms;
	struct x509_request request;
	struct err e;
};

static int
read_message(struct message *m)
{
	memset(&m->e, 0, sizeof(m->e));
	if (x509_cms_parse(&m->cms, &m->request, m->pool, m->raw, &m->e) != 0)
		return -1;
	return x509_cms_verify(&m->cms, &m->request, &m->e);
}

static void
open_message(struct message *m, const char *name)
{
	char path[128];

	memset(m, 0, sizeof(*m));
	m->pool = pool_new(8 << 20);
	snprintf(path, sizeof(path), SEEDS "%s", name);
	m->raw = read_fixture(m->pool, path);
}

/* ---- what the vectors hold ---- */

static const struct {
	const char *file;
	enum x509_cms_content type;
	size_t certificates, signers, name_values;
	bool renewal, archived;
} vectors[] = {
	{ "cmc-request.der", X509_CMS_PKIDATA, 0, 1, 1, false, false },
	{ "renewal-pkcs7.der", X509_CMS_DATA, 1, 1, 0, true, false },
	{ "certipy-renewal.der", X509_CMS_DATA, 1, 1, 0, true, false },
	{ "certipy-on-behalf.der", X509_CMS_DATA, 1, 1, 1, false, false },
	{ "cmc-controls.der", X509_CMS_PKIDATA, 1, 2, 2, false, false },
	{ "cmc-no-signature.der", X509_CMS_PKIDATA, 0, 1, 1, false, true },
};

static void
test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct message m;
		enum x509_cms_content type;

		open_message(&m, vectors[i].file);
		assert_int_equal(x509_request_format(m.raw), X509_FORMAT_CMS);
		assert_true(x509_cms_sniff(m.raw, &type));
		assert_int_equal(type, vectors[i].type);
		if (read_message(&m) != 0)
			fail_msg("%s: %s", vectors[i].file, m.e.msg);
		assert_int_equal(m.cms.type, vectors[i].type);
		assert_int_equal(m.cms.n_certificates, vectors[i].certificates);
		assert_int_equal(m.cms.n_signers, vectors[i].signers);
		assert_int_equal(m.cms.n_name_values, vectors[i].name_values);
		assert_int_equal(m.request.renewal_certificate.len > 0, vectors[i].renewal);
		assert_int_equal(m.request.has_archived_key, vectors[i].archived);
		if (vectors[i].renewal) {
			const struct x509_certificate *old =
			    x509_cms_find(&m.cms, m.request.renewal_certificate);

			assert_ptr_equal(old, &m.cms.certificates[0]);
			assert_true(x509_cms_signed_by(&m.cms, old));
		}
		pool_free(m.pool);
	}
}

static const char *
value_of(const struct message *m, const char *name)
{
	for (size_t i = 0; i < m->cms.n_name_values; i++) {
		if (strcmp(m->cms.name_values[i].name, name) == 0)
			return m->cms.name_values[i].value;
	}
	return NULL;
}

static void
test_on_behalf(void **state)
{
	const struct x509_certificate *agent;
	const char *mail, *upn;
	struct message m;

	(void)state;
	open_message(&m, "certipy-on-behalf.der");
	assert_int_equal(read_message(&m), 0);
	assert_string_equal(value_of(&m, "requestername"), "CORP\\janedoe");
	agent = m.cms.signers[0].certificate;
	assert_non_null(agent);
	assert_int_equal(m.cms.signers[0].content_type.len, 0);
	assert_int_equal(agent->usages.n, 2); /* EKU and application policies together */
	assert_string_equal(agent->usages.v[0], "1.3.6.1.4.1.311.20.2.1");
	assert_string_equal(agent->usages.v[1], "1.3.6.1.5.5.7.3.2");
	assert_int_equal(agent->issuance_policies.n, 1);
	assert_string_equal(agent->issuance_policies.v[0], "1.3.6.1.4.1.311.21.8.1.2");
	assert_string_equal(agent->template_oid, "1.3.6.1.4.1.311.21.8.5");
	assert_null(agent->template_name);
	assert_int_equal(agent->key_id.len, 20);
	assert_int_equal(x509_san_addresses(agent->alt_names, m.pool, &mail, &upn, &m.e), 0);
	assert_string_equal(mail, "a@contoso.com");
	assert_string_equal(upn, "agent@contoso.com");
	pool_free(m.pool);
}

static void
test_controls(void **state)
{
	const struct x509_extension *san;
	struct message m;
	struct buf text = new_buf();

	(void)state;
	open_message(&m, "cmc-controls.der");
	assert_int_equal(read_message(&m), 0);
	assert_string_equal(value_of(&m, "CertificateTemplate"), "User");
	assert_string_equal(value_of(&m, "requestername"), "CORP\\janedoe");
	assert_int_equal(m.request.n_name_values, 1);
	assert_string_equal(m.request.name_values[0].value, "ws01.corp.contoso.com");
	san = x509_request_extension(&m.request, OID_SUBJECT_ALT_NAME);
	assert_non_null(san);
	assert_int_equal(x509_san_to_text(&text, san->value, &m.e), 0);
	assert_string_equal(buf_cstr(&text), "DNS:outer.contoso.com");
	assert_true(m.cms.signers[0].by_key_id);
	assert_null(m.cms.signers[0].certificate);
	assert_non_null(m.cms.signers[1].certificate);
	/* outside a message the same PKCS #10 proves nothing: its signature is a hash */
	assert_int_equal(x509_request_verify(&m.request, &m.e), -1);
	buf_fini(&text);
	pool_free(m.pool);
}

/* ---- refusals ---- */

/* Cut anywhere, a message is refused, and never as a good one with a bad signature. */
static void
test_cut_short(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct message m;
		size_t whole;

		open_message(&m, vectors[i].file);
		whole = m.raw.len;
		for (m.raw.len = 0; m.raw.len < whole; m.raw.len++) {
			assert_int_equal(x509_cms_parse(&m.cms, &m.request, m.pool, m.raw, &m.e), -1);
			assert_int_equal(m.e.hr, CRYPT_E_ASN1_EOD);
			if (m.raw.len % 64 == 63) {
				struct bytes keep = m.raw;

				pool_free(m.pool);
				open_message(&m, vectors[i].file);
				m.raw.len = keep.len;
			}
		}
		pool_free(m.pool);
	}
}

/* One bit anywhere in the content or in a signature: never taken. */
static void
test_changed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct message m;
		uint8_t *p;
		size_t from, to;

		open_message(&m, vectors[i].file);
		assert_int_equal(read_message(&m), 0);
		p = (uint8_t *)(uintptr_t)m.raw.p;
		from = (size_t)(m.cms.content.p - m.raw.p);
		to = from + m.cms.content.len;
		for (size_t at = from; at < to; at += 7) {
			struct pool *own = m.pool;

			m.pool = pool_new(8 << 20);
			p[at] ^= 0x10;
			if (read_message(&m) == 0)
				fail_msg(
				    "%s: octet %zu of the content is nobody's", vectors[i].file, at - from);
			p[at] ^= 0x10;
			pool_free(m.pool);
			m.pool = own;
		}
		assert_int_equal(read_message(&m), 0);
		for (size_t s = 0; s < m.cms.n_signers; s++) {
			uint8_t *last = (uint8_t *)(uintptr_t)(m.cms.signers[s].signature.p +
			    m.cms.signers[s].signature.len - 1);

			*last ^= 1;
			assert_int_equal(x509_cms_verify(&m.cms, &m.request, &m.e), -1);
			assert_int_equal(m.e.hr, NTE_BAD_SIGNATURE);
			*last ^= 1;
		}
		pool_free(m.pool);
	}
}

/* SignedData around `content` with these certificates and signers, all of them DER. */
static struct bytes
make_message(struct pool *pool, const char *type, struct bytes content, struct bytes signers)
{
	struct buf b = new_buf();
	size_t outer = der_open(&b, DER_SEQUENCE), explicit, data, info, inner;

	der_put_oid(&b, "1.2.840.113549.1.7.2");
	explicit = der_open(&b, DER_CONTEXT_CONSTRUCTED(0));
	data = der_open(&b, DER_SEQUENCE);
	der_put_int64(&b, 1);
	der_put(&b, DER_SET, (struct bytes){ NULL, 0 });
	info = der_open(&b, DER_SEQUENCE);
	der_put_oid(&b, type);
	if (content.p != NULL) {
		inner = der_open(&b, DER_CONTEXT_CONSTRUCTED(0));
		der_put(&b, DER_OCTET_STRING, content);
		der_close(&b, inner);
	}
	der_close(&b, info);
	der_put(&b, DER_SET, signers);
	der_close(&b, data);
	der_close(&b, explicit);
	der_close(&b, outer);
	return take(pool, &b);
}

#define ID_DATA "1.2.840.113549.1.7.1"
#define PKI_DATA "1.3.6.1.5.5.7.12.2"
#define PKI_DATA_HEAD "\x30\x00" /* no control */

static const struct {
	const char *name, *type;
	const char *content;
	size_t len;
	uint32_t hr;
} shapes[] = {
	{ "nobody signed", ID_DATA, "x", 1, CRYPT_E_NO_SIGNER },
	{ "neither data nor PKIData", "1.3.6.1.5.5.7.12.3", "x", 1, E_INVALID_DATA },
	{ "enveloped", "1.2.840.113549.1.7.3", "x", 1, E_INVALID_DATA },
	{ "no content", ID_DATA, NULL, 0, E_INVALID_DATA },
};

static void
test_shapes(void **state)
{
	struct message m = { .pool = pool_new(1 << 20) };
	enum x509_cms_content type;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		m.raw = make_message(m.pool, shapes[i].type,
		    (struct bytes){ (const uint8_t *)shapes[i].content, shapes[i].len },
		    (struct bytes){ NULL, 0 });
		assert_int_equal(read_message(&m), -1);
		if (m.e.hr != shapes[i].hr)
			fail_msg("%s: 0x%08x %s", shapes[i].name, m.e.hr, m.e.msg);
		assert_int_equal(x509_cms_sniff(m.raw, &type), shapes[i].hr == CRYPT_E_NO_SIGNER);
	}
	pool_free(m.pool);
}

static const struct {
	const char *name, *type, *content;
	size_t len;
} contents[] = {
#define CONTENT(name, type, text)                                                                            \
	{                                                                                                    \
		name, type, text, sizeof(text) - 1                                                           \
	}
	CONTENT("text", ID_DATA, "no request"),
	CONTENT("an empty sequence", ID_DATA, "\x30\x00"),
	CONTENT("text as PKIData", PKI_DATA, "no request"),
	CONTENT("no sequences", PKI_DATA, "\x30\x00"),
	CONTENT("no request", PKI_DATA, "\x30\x08\x30\x00\x30\x00\x30\x00\x30\x00"),
	CONTENT("a request of another kind", PKI_DATA, "\x30\x0a\x30\x00\x30\x02\xa1\x00\x30\x00\x30\x00"),
	CONTENT("an empty tcr's request", PKI_DATA,
	    "\x30\x0f\x30\x00\x30\x07\xa0\x05\x02\x01\x01\x30\x00\x30\x00\x30\x00"),
	CONTENT("two", PKI_DATA,
	    "\x30\x16\x30\x00\x30\x0e\xa0\x05\x02\x01\x01\x30\x00\xa0\x05\x02\x01\x02\x30\x00\x30\x00\x30"
	    "\x00"),
#undef CONTENT
};

/* Step 9: whatever is wrong with the content's shape is 0x8007000D. */
static void
test_contents(void **state)
{
	struct message m = { .pool = pool_new(4 << 20) }, real;
	struct buf b = new_buf();
	struct der d;
	struct der_item item;
	struct bytes signers;

	(void)state;
	/* somebody's SignerInfo: the content is looked at first */
	open_message(&real, "cmc-no-signature.der");
	assert_int_equal(read_message(&real), 0);
	d = der_over((struct bytes){ real.cms.content.p + real.cms.content.len,
	    (size_t)(real.raw.p + real.raw.len - real.cms.content.p) - real.cms.content.len });
	assert_int_equal(der_expect(&d, DER_SET, &item, "signerInfos", &m.e), 0);
	signers = item.body;
	for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
		m.raw = make_message(m.pool, contents[i].type,
		    (struct bytes){ (const uint8_t *)contents[i].content, contents[i].len }, signers);
		assert_int_equal(read_message(&m), -1);
		if (m.e.hr != E_INVALID_DATA)
			fail_msg("%s: 0x%08x %s", contents[i].name, m.e.hr, m.e.msg);
	}
	buf_fini(&b);
	pool_free(real.pool);
	pool_free(m.pool);
}

/* A signer whose certificate is left out cannot be heard. */
static void
test_signer_without_certificate(void **state)
{
	struct message m;

	(void)state;
	open_message(&m, "certipy-on-behalf.der");
	assert_int_equal(read_message(&m), 0);
	m.cms.signers[0].certificate = NULL;
	assert_int_equal(x509_cms_verify(&m.cms, &m.request, &m.e), -1);
	assert_int_equal(m.e.hr, CRYPT_E_SIGNER_NOT_FOUND);
	pool_free(m.pool);
}

/* The extension that AD CS writes, and what must not pass for one: MS-WCCE 2.2.2.7.7.4. */
static void
test_sid(void **state)
{
	static const struct {
		const char *hex, *sid;
	} cases[] = {
		{ "3018a016060a2b060104018237190201a0080406532d312d352d", "S-1-5-" },
		{ "3018a016060a2b060104018237190201a0080c06532d312d352d", NULL }, /* a UTF8String */
		{ "3018a016060a2b060104018237190202a0080406532d312d352d", NULL }, /* another otherName */
		{ "3018a016060a2b060104018237190201a0080406532d31002d2d", NULL }, /* a NUL */
		{ "3002a000", NULL },
		{ "3000", NULL },
		{ "0400", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 16);
		struct buf b = new_buf();
		const char *sid;

		assert_int_equal(text_parse_hex(&b, cases[i].hex, NULL), 0);
		sid = x509_san_sid(buf_bytes(&b), pool);
		if (cases[i].sid == NULL)
			assert_null(sid);
		else
			assert_string_equal(sid, cases[i].sid);
		buf_fini(&b);
		pool_free(pool);
	}
}

/* What our own writer puts into certificates comes back. */
static void
test_own_sid(void **state)
{
	struct pool *pool = pool_new(1 << 16);
	struct buf b = new_buf();

	(void)state;
	x509_ext_sid(&b, "S-1-5-21-1-2-3-1104");
	assert_string_equal(x509_san_sid(buf_bytes(&b), pool), "S-1-5-21-1-2-3-1104");
	buf_fini(&b);
	pool_free(pool);
}

/* ---- the CA's side ---- */

static char folder[] = "/tmp/adcsd-cms-XXXXXX", key_path[64], cert_path[64];

static struct x509_ca *
make_ca(enum x509_ca_key key, bool seeded, struct rng *rng)
{
	const filetime_t from = INT64_C(134117856000000000); /* 2026-01-01 */
	struct x509_ca_create how = { .key = key,
		.common_name = "Test CA",
		.not_before = from,
		.not_after = from + 3650 * FILETIME_DAY,
		.rng = rng };
	struct x509_ca *ca;
	struct err e = { 0 };

	*rng = (struct rng){ seeded, 7 };
	unlink(key_path);
	unlink(cert_path);
	if (x509_ca_create(&how, key_path, cert_path, &e) != 0)
		fail_msg("%s", e.msg);
	ca = x509_ca_load(key_path, cert_path, "SHA256", rng, &e);
	if (ca == NULL)
		fail_msg("%s", e.msg);
	return ca;
}

/* Seen: the eContent of a Windows CA's response (MS-WSTEP 4), but for the hash of the certificate. */
static const char genuine[] = "306d3067302102010106082b0601050507070131123010020100300302010"
			      "10c064973737565643042020102060a2b0601040182370a0a0131"
			      "31302f02010030030201013125302306092b060104018237151131160414";
/* WSTEP's vector for request 62 (composed: Windows' octets for this one were never seen). */
static const char pending[] =
    "3050304a304802010106082b060105050707013139303702010330030201010c1654616b656e2055"
    "6e646572205375626d697373696f6e301504023632180f32303236303130353130303030305a30003000";

static struct buf
verified_content(struct bytes response, struct x509_ca *ca)
{
	const unsigned char *p = response.p, *c = x509_ca_cert_der(ca).p;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)response.len);
	X509 *cert = d2i_X509(NULL, &c, (long)x509_ca_cert_der(ca).len);
	X509_STORE *store = X509_STORE_new();
	BIO *out = BIO_new(BIO_s_mem());
	struct buf content = new_buf();
	char *at;
	long n;

	assert_non_null(cms);
	assert_ptr_equal(p, response.p + response.len);
	X509_STORE_add_cert(store, cert);
	X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), 1780000000);
	X509_VERIFY_PARAM_set_purpose(X509_STORE_get0_param(store), X509_PURPOSE_ANY);
	if (CMS_verify(cms, NULL, store, NULL, out, CMS_BINARY) != 1)
		fail_msg("%s", ERR_error_string(ERR_peek_last_error(), NULL));
	n = BIO_get_mem_data(out, &at);
	buf_put(&content, at, (size_t)n);
	BIO_free(out);
	X509_STORE_free(store);
	X509_free(cert);
	CMS_ContentInfo_free(cms);
	return content;
}

static void
check_response(struct x509_ca *ca, const struct x509_cmc_response *r, const char *hex, const uint8_t *tail)
{
	struct buf out = new_buf(), content, text = new_buf(), want = new_buf();
	struct err e = { 0 };

	if (x509_ca_cmc_response(ca, r, &out, &e) != 0)
		fail_msg("%s", e.msg);
	content = verified_content(buf_bytes(&out), ca);
	assert_int_equal(text_parse_hex(&want, hex, &e), 0);
	if (tail != NULL) {
		buf_put(&want, tail, 20);
		buf_put(&want, "\x30\x00\x30\x00", 4);
	}
	text_put_hex(&text, buf_bytes(&content));
	if (!bytes_equal(buf_bytes(&content), buf_bytes(&want)))
		fail_msg("%s", buf_cstr(&text));
	buf_fini(&out);
	buf_fini(&content);
	buf_fini(&text);
	buf_fini(&want);
}

static void
test_response(void **state)
{
	static const enum x509_ca_key keys[] = { X509_CA_RSA2048, X509_CA_P256, X509_CA_P384 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct rng rng;
		struct x509_ca *ca = make_ca(keys[i], i == 1, &rng);
		struct bytes leaf = x509_ca_cert_der(ca);
		uint8_t sha1[20];

		x509_sha1(leaf, sha1);
		check_response(ca,
		    &(struct x509_cmc_response){ .text = "Issued", .certificate = leaf, .request_id = 61 },
		    genuine, sha1);
		check_response(ca,
		    &(struct x509_cmc_response){ .status = X509_CMC_PENDING,
			.text = "Taken Under Submission",
			.request_id = 62,
			.received = INT64_C(134120808000000000) },
		    pending, NULL);
		x509_ca_free(ca);
	}
}

/* A seeded CA answers with the same octets each time. */
static void
test_seeded_response(void **state)
{
	struct x509_cmc_response r = {
		.status = X509_CMC_FAILED, .text = "Denied by Policy Module", .request_id = 5
	};
	struct buf one = new_buf(), two = new_buf();
	struct rng rng;
	struct x509_ca *ca = make_ca(X509_CA_P256, true, &rng);
	struct err e;

	(void)state;
	assert_int_equal(x509_ca_cmc_response(ca, &r, &one, &e), 0);
	assert_int_equal(x509_ca_cmc_response(ca, &r, &two, &e), 0);
	assert_true(bytes_equal(buf_bytes(&one), buf_bytes(&two)));
	buf_fini(&one);
	buf_fini(&two);
	x509_ca_free(ca);
}

static void
test_signer_chains(void **state)
{
	const filetime_t in_time = INT64_C(134200000000000000);
	struct rng rng;
	struct x509_ca *ca = make_ca(X509_CA_P256, false, &rng);
	struct x509_certificate own;
	struct message m;

	(void)state;
	open_message(&m, "certipy-on-behalf.der");
	assert_int_equal(read_message(&m), 0);
	assert_int_equal(x509_certificate_read(&own, m.pool, x509_ca_cert_der(ca), &m.e), 0);
	assert_int_equal(x509_ca_check_signer(ca, &m.cms, &own, in_time, &m.e), 0);
	assert_int_equal(x509_ca_check_signer(ca, &m.cms, &own, own.not_after + FILETIME_DAY, &m.e), -1);
	assert_int_equal(m.e.hr, CERT_E_EXPIRED);
	assert_int_equal(x509_ca_check_signer(ca, &m.cms, &own, own.not_before - FILETIME_DAY, &m.e), -1);
	assert_int_equal(m.e.hr, CERT_E_EXPIRED);
	assert_int_equal(x509_ca_check_signer(ca, &m.cms, m.cms.signers[0].certificate, in_time, &m.e), -1);
	assert_int_equal(m.e.hr, CERT_E_UNTRUSTEDROOT);
	pool_free(m.pool);
	x509_ca_free(ca);
}

static int
make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(key_path, sizeof(key_path), "%s/ca.key", folder);
	snprintf(cert_path, sizeof(cert_path), "%s/ca.crt", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	unlink(key_path);
	unlink(cert_path);
	return rmdir(folder);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_on_behalf),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_contents),
		cmocka_unit_test(test_signer_without_certificate),
		cmocka_unit_test(test_sid),
		cmocka_unit_test(test_own_sid),
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_seeded_response),
		cmocka_unit_test(test_signer_chains),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
