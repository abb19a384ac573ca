#include "x509/recovery.h"

#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "x509/enveloped.h"
#include "x509/key_blob.h"
#include "x509/key_priv.h"

#define OID_ARCHIVED_KEY_CERT_HASH "1.3.6.1.4.1.311.21.16"

DEFINE_AUTO(CMS_ContentInfo, CMS_ContentInfo_free)
DEFINE_AUTO(PKCS12, PKCS12_free)
DEFINE_AUTO(ASN1_OBJECT, ASN1_OBJECT_free)

static inline void
stack_free(STACK_OF(X509) * *s)
{
	sk_X509_pop_free(*s, X509_free);
}
#define AUTO_STACK __attribute__((cleanup(stack_free))) STACK_OF(X509)

/* ---- the message ---- */

/* Which certificate the key belongs to: its SHA-1, signed. */
static bool
is_named(CMS_ContentInfo *cms, struct bytes certificate)
{
	AUTO(ASN1_OBJECT) *oid = OBJ_txt2obj(OID_ARCHIVED_KEY_CERT_HASH, 1);
	STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(cms);
	uint8_t sha1[20];

	x509_sha1(certificate, sha1);
	for (int i = 0; i < sk_CMS_SignerInfo_num(signers); i++) {
		const ASN1_OCTET_STRING *hash = CMS_signed_get0_data_by_OBJ(
		    sk_CMS_SignerInfo_value(signers, i), oid, -3, V_ASN1_OCTET_STRING);

		if (hash != NULL && ASN1_STRING_length(hash) == (int)sizeof(sha1) &&
		    memcmp(ASN1_STRING_get0_data(hash), sha1, sizeof(sha1)) == 0)
			return true;
	}
	return false;
}

static int
take_certificates(struct x509_recovered *out, CMS_ContentInfo *cms, struct pool *pool, struct err *e)
{
	AUTO_STACK *certs = CMS_get1_certs(cms);
	int n = sk_X509_num(certs);
	bool found = false;

	if (n > X509_RECOVERED_CERTIFICATES)
		return ERR(e, E_INVALID_DATA, "the message holds %d certificates", n);
	for (int i = 0; i < n; i++) {
		unsigned char *der = NULL;
		int len = i2d_X509(sk_X509_value(certs, i), &der);
		struct bytes copy;
		int rc = len > 0 ? pool_dup_bytes(pool, (struct bytes){ der, (size_t)len }, &copy) : -1;

		OPENSSL_free(der);
		if (rc != 0)
			return ERR(e, E_OUTOFMEMORY, "no memory for certificates");
		out->certificates[out->n_certificates++] = copy;
		if (!found && is_named(cms, copy)) {
			found = true;
			out->certificates[out->n_certificates - 1] = out->certificates[0];
			out->certificates[0] = copy;
		}
	}
	return found ? 0 : ERR(e, E_INVALID_DATA, "the message does not name the key's certificate");
}

static int
read_message(
    struct x509_recovered *out, struct bytes blob, struct buf *content, struct pool *pool, struct err *e)
{
	const unsigned char *p = blob.p;
	AUTO(CMS_ContentInfo) *cms = d2i_CMS_ContentInfo(NULL, &p, (long)blob.len);
	AUTO(BIO) *mem = BIO_new(BIO_s_mem());
	char *data;
	long n;

	if (cms == NULL || mem == NULL)
		return ERR(e, CRYPT_E_ASN1_BADTAG, "no archived key: %s", x509_openssl_reason());
	if (CMS_verify(cms, NULL, NULL, NULL, mem, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) != 1)
		return ERR(e, NTE_BAD_SIGNATURE, "the archived key's signature: %s", x509_openssl_reason());
	n = BIO_get_mem_data(mem, &data);
	buf_put(content, data, n > 0 ? (size_t)n : 0);
	if (!buf_ok(content))
		return ERR(e, E_INVALID_DATA, "an archived key of %ld octets", n);
	return take_certificates(out, cms, pool, e);
}

/* ---- the key ---- */

/* Which recipient the agent is, its certificate would tell; trying tells as well. */
static struct x509_private_key *
try_all(const struct x509_enveloped *env, const struct x509_private_key *agent,
    const struct x509_key_info *public_key, struct err *e)
{
	struct x509_private_key *key = NULL;

	for (size_t i = 0; key == NULL && i < env->n_recipients; i++) {
		const struct x509_certificate who = { .issuer = env->recipients[i].issuer,
			.serial = env->recipients[i].serial,
			.key_id = env->recipients[i].key_id };
		struct err ignored;
		struct buf clear;

		buf_init(&clear, X509_ENVELOPED_MAX);
		if (x509_enveloped_open(env, &who, agent, &clear, &ignored) == 0)
			key = x509_key_blob_read(buf_bytes(&clear), public_key, &ignored);
		buf_wipe(&clear);
	}
	if (key == NULL)
		ERR(e, CRYPT_E_NO_DECRYPT_CERT,
		    "this is the key of none of the %zu recovery agents it is encrypted for",
		    env->n_recipients);
	return key;
}

int
x509_recover(struct x509_recovered *out, struct bytes blob, const struct x509_private_key *agent,
    struct pool *pool, struct err *e)
{
	struct x509_certificate certificate;
	struct x509_enveloped env;
	struct buf content;
	int rc = -1;

	memset(out, 0, sizeof(*out));
	buf_init(&content, X509_ENVELOPED_MAX);
	if (read_message(out, blob, &content, pool, e) == 0 &&
	    x509_certificate_read(&certificate, pool, out->certificates[0], e) == 0 &&
	    x509_enveloped_read(&env, pool, buf_bytes(&content), e) == 0) {
		out->key = try_all(&env, agent, &certificate.key, e);
		rc = out->key != NULL ? 0 : -1;
	}
	buf_fini(&content);
	return rc;
}

void
x509_recovered_fini(struct x509_recovered *r)
{
	x509_private_key_free(r->key);
	r->key = NULL;
}

/* ---- files ---- */

static int
take_bio(struct buf *out, BIO *mem, struct err *e)
{
	char *data;
	long n = BIO_get_mem_data(mem, &data);

	buf_put(out, data, n > 0 ? (size_t)n : 0);
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "no room for a recovered key");
}

static X509 *
to_openssl(struct bytes der)
{
	const unsigned char *p = der.p;

	return d2i_X509(NULL, &p, (long)der.len);
}

int
x509_recovered_pfx(const struct x509_recovered *r, const char *password, struct buf *out, struct err *e)
{
	AUTO(X509) *own = to_openssl(r->certificates[0]);
	AUTO_STACK *chain = sk_X509_new_null();
	AUTO(BIO) *mem = BIO_new(BIO_s_secmem());
	AUTO(PKCS12) *p12 = NULL;

	for (size_t i = 1; chain != NULL && i < r->n_certificates; i++) {
		AUTO(X509) *cert = to_openssl(r->certificates[i]);

		if (cert != NULL && sk_X509_push(chain, cert) > 0)
			cert = NULL;
	}
	if (own != NULL && chain != NULL && mem != NULL)
		p12 = PKCS12_create(password, NULL, r->key->pkey, own, chain, 0, 0, 0, 0, 0);
	if (p12 == NULL || i2d_PKCS12_bio(mem, p12) != 1)
		return ERR(e, NTE_FAIL, "making a PKCS #12 file: %s", x509_openssl_reason());
	return take_bio(out, mem, e);
}

int
x509_recovered_pem(const struct x509_recovered *r, struct buf *out, struct err *e)
{
	AUTO(BIO) *mem = BIO_new(BIO_s_secmem());
	bool ok =
	    mem != NULL && PEM_write_bio_PKCS8PrivateKey(mem, r->key->pkey, NULL, NULL, 0, NULL, NULL) == 1;

	for (size_t i = 0; ok && i < r->n_certificates; i++)
		ok = PEM_write_bio(
			 mem, PEM_STRING_X509, "", r->certificates[i].p, (long)r->certificates[i].len) > 0;
	return ok ? take_bio(out, mem, e) : ERR(e, NTE_FAIL, "writing a key: %s", x509_openssl_reason());
}
