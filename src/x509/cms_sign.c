/* SignedData out, signed by the CA: CMC full responses, archived keys. Seen: layout and order, MS-WSTEP 4. */
#include <string.h>

#include "x509/cms_priv.h"

#define OID_SIGNED_DATA "1.2.840.113549.1.7.2"
#define OID_DATA "1.2.840.113549.1.7.1"
#define OID_CONTENT_TYPE "1.2.840.113549.1.9.3"
#define OID_MESSAGE_DIGEST "1.2.840.113549.1.9.4"
#define OID_RSA "1.2.840.113549.1.1.1"
#define OID_ARCHIVED_KEY_CERT_HASH "1.3.6.1.4.1.311.21.16"

#define ATTRIBUTES_MAX 65536

static const char *const hash_oids[] = {
	[X509_HASH_SHA1] = "1.3.14.3.2.26",
	[X509_HASH_SHA256] = "2.16.840.1.101.3.4.2.1",
	[X509_HASH_SHA384] = "2.16.840.1.101.3.4.2.2",
	[X509_HASH_SHA512] = "2.16.840.1.101.3.4.2.3",
};

static void
put_algorithm(struct buf *out, const char *oid)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	der_put_oid(out, oid);
	der_put_null(out);
	der_close(out, seq);
}

/* Seen: root first, the end entity last. */
static void
put_certificates(struct buf *out, const struct x509_ca *ca, struct bytes leaf)
{
	size_t set = der_open(out, DER_CONTEXT_CONSTRUCTED(0));

	for (size_t i = x509_ca_chain_len(ca); i > 0; i--)
		buf_put_bytes(out, x509_ca_chain_der(ca, i - 1));
	buf_put_bytes(out, leaf);
	der_close(out, set);
}

static void
put_attribute(struct buf *out, const char *type, const char *oid, struct bytes octets)
{
	size_t seq = der_open(out, DER_SEQUENCE), set;

	der_put_oid(out, type);
	set = der_open(out, DER_SET);
	if (oid != NULL)
		der_put_oid(out, oid);
	else
		der_put(out, DER_OCTET_STRING, octets);
	der_close(out, set);
	der_close(out, seq);
}

/* signedAttrs under the tag of a SET, as they are signed. Seen: the first two and no signingTime. */
static int
put_signed_attributes(struct buf *out, enum x509_hash hash, const struct cms_signed *how, struct err *e)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	size_t n = 0, set;

	if (EVP_Q_digest(NULL, x509_hash_name(hash), NULL, how->content.p, how->content.len, digest, &n) != 1)
		return ERR(e, NTE_FAIL, "%s: %s", x509_hash_name(hash), x509_openssl_reason());
	set = der_open(out, DER_SET);
	put_attribute(out, OID_CONTENT_TYPE, how->content_type, (struct bytes){ NULL, 0 });
	put_attribute(out, OID_MESSAGE_DIGEST, NULL, (struct bytes){ digest, n });
	if (how->attribute != NULL)
		put_attribute(out, how->attribute, NULL, how->attribute_octets);
	der_close(out, set);
	return 0;
}

/* Issuer and serial number of the CA's certificate. */
static int
put_signer_id(struct buf *out, const struct x509_ca *ca, struct pool *pool, struct err *e)
{
	struct x509_certificate cert;
	size_t seq;

	if (x509_certificate_read(&cert, pool, x509_ca_cert_der(ca), e) != 0)
		return err_prefix(e, "the CA's certificate");
	seq = der_open(out, DER_SEQUENCE);
	buf_put_bytes(out, cert.issuer);
	der_put(out, DER_INTEGER, cert.serial);
	der_close(out, seq);
	return 0;
}

static int
put_signer_info(
    struct buf *out, struct x509_ca *ca, struct pool *pool, const struct cms_signed *how, struct err *e)
{
	const struct x509_signer *signer = x509_ca_signer(ca);
	size_t infos = der_open(out, DER_SET), info = der_open(out, DER_SEQUENCE), at;
	struct buf attributes, signature;
	int rc = -1;

	der_put_int64(out, 1);
	if (put_signer_id(out, ca, pool, e) != 0)
		return -1;
	put_algorithm(out, hash_oids[signer->alg->hash]);
	buf_init(&attributes, ATTRIBUTES_MAX);
	buf_init(&signature, ATTRIBUTES_MAX);
	if (put_signed_attributes(&attributes, signer->alg->hash, how, e) != 0)
		goto out;
	/* the signature is made behind what it signs, then goes where it belongs */
	buf_put_bytes(&signature, buf_bytes(&attributes));
	if (x509_signer_put_signature(
		signer, how->purpose, how->id, DER_OCTET_STRING, &signature, 0, attributes.len, e) != 0)
		goto out;
	at = out->len;
	buf_put_bytes(out, buf_bytes(&attributes));
	if (buf_ok(out) && buf_ok(&attributes))
		out->p[at] = DER_CONTEXT_CONSTRUCTED(0);
	if (signer->alg->key_type == EVP_PKEY_RSA)
		put_algorithm(out, OID_RSA); /* Seen: the bare key algorithm */
	else
		buf_put_bytes(out, signer->alg->der);
	buf_consume(&signature, attributes.len);
	buf_put_bytes(out, buf_bytes(&signature));
	der_close(out, info);
	der_close(out, infos);
	rc = 0;
out:
	buf_fini(&attributes);
	buf_fini(&signature);
	return rc;
}

static int
put_signed_data(
    struct buf *out, struct x509_ca *ca, struct pool *pool, const struct cms_signed *how, struct err *e)
{
	size_t set, content, explicit;

	der_put_int64(out, how->version);
	set = der_open(out, DER_SET);
	put_algorithm(out, hash_oids[x509_ca_signer(ca)->alg->hash]);
	der_close(out, set);
	content = der_open(out, DER_SEQUENCE);
	der_put_oid(out, how->content_type);
	explicit = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
	der_put(out, DER_OCTET_STRING, how->content);
	der_close(out, explicit);
	der_close(out, content);
	put_certificates(out, ca, how->leaf);
	return put_signer_info(out, ca, pool, how, e);
}

int
cms_put_signed(struct buf *out, struct x509_ca *ca, const struct cms_signed *how, struct err *e)
{
	size_t start = out->len, outer = der_open(out, DER_SEQUENCE), explicit, data;
	struct pool *pool = pool_new(1 << 20);
	int rc;

	der_put_oid(out, OID_SIGNED_DATA);
	explicit = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
	data = der_open(out, DER_SEQUENCE);
	if (pool == NULL)
		rc = ERR(e, E_OUTOFMEMORY, "no memory for SignedData");
	else
		rc = put_signed_data(out, ca, pool, how, e);
	der_close(out, data);
	der_close(out, explicit);
	der_close(out, outer);
	pool_free(pool);
	if (rc == 0 && !buf_ok(out))
		rc = ERR(e, E_OUTOFMEMORY, "no room for SignedData");
	if (rc != 0)
		out->len = start;
	return rc;
}

int
x509_ca_archived_key(struct x509_ca *ca, struct bytes enveloped, struct bytes certificate, uint64_t id,
    struct buf *out, struct err *e)
{
	uint8_t sha1[20];
	const struct cms_signed how = { .version = 1,
		.content_type = OID_DATA,
		.content = enveloped,
		.leaf = certificate,
		.attribute = OID_ARCHIVED_KEY_CERT_HASH,
		.attribute_octets = { sha1, sizeof(sha1) },
		.purpose = "archived key",
		.id = id };

	x509_sha1(certificate, sha1);
	return cms_put_signed(out, ca, &how, e);
}
