/* CMC full response: SignedData around PKIResponse (MS-WCCE 3.2.1.4.2.1.4.8.2). Seen: layout and order,
 * MS-WSTEP 4. */
#include <string.h>

#include "base/text.h"
#include "x509/cms_priv.h"

#define OID_SIGNED_DATA "1.2.840.113549.1.7.2"
#define OID_PKI_RESPONSE "1.3.6.1.5.5.7.12.3"
#define OID_STATUS_INFO "1.3.6.1.5.5.7.7.1"
#define OID_ADD_ATTRIBUTES "1.3.6.1.4.1.311.10.10.1"
#define OID_ISSUED_CERT_HASH "1.3.6.1.4.1.311.21.17"
#define OID_CONTENT_TYPE "1.2.840.113549.1.9.3"
#define OID_MESSAGE_DIGEST "1.2.840.113549.1.9.4"
#define OID_RSA "1.2.840.113549.1.1.1"

#define BODY_MAX 65536
#define REQUEST_BODY_PART 1 /* Seen: certreq's and our only one */

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

/* ---- PKIResponse ---- */

static void
put_body_list(struct buf *out)
{
	size_t list = der_open(out, DER_SEQUENCE);

	der_put_int64(out, REQUEST_BODY_PART);
	der_close(out, list);
}

/* GeneralizedTime whatever the year, unlike the times of certificates. */
static void
put_generalized_time(struct buf *out, filetime_t t)
{
	struct civil c;
	size_t mark = der_open(out, DER_GENERALIZED_TIME);

	filetime_to_civil(t, &c);
	buf_printf(out, "%04u%02u%02u%02u%02u%02uZ", (unsigned)c.year % 10000, (unsigned)c.month,
	    (unsigned)c.day, (unsigned)c.hour, (unsigned)c.minute, (unsigned)c.second);
	der_close(out, mark);
}

/* The token is "the request ID"; Ours: in decimal digits, as everything that shows it to people. */
static void
put_pend_info(struct buf *out, const struct x509_cmc_response *r)
{
	size_t info = der_open(out, DER_SEQUENCE), token = der_open(out, DER_OCTET_STRING);

	buf_printf(out, "%u", r->request_id);
	der_close(out, token);
	put_generalized_time(out, r->received);
	der_close(out, info);
}

static void
open_control(struct buf *out, int64_t body_part, const char *oid, size_t marks[3])
{
	marks[0] = der_open(out, DER_SEQUENCE);
	der_put_int64(out, body_part);
	der_put_oid(out, oid);
	marks[1] = der_open(out, DER_SET);
	marks[2] = der_open(out, DER_SEQUENCE);
}

static void
close_control(struct buf *out, const size_t marks[3])
{
	der_close(out, marks[2]);
	der_close(out, marks[1]);
	der_close(out, marks[0]);
}

static void
put_issued_hash(struct buf *out, struct bytes certificate)
{
	size_t marks[3], set, attribute, values;
	uint8_t sha1[20];

	x509_sha1(certificate, sha1);
	open_control(out, 2, OID_ADD_ATTRIBUTES, marks);
	der_put_int64(out, 0); /* pkiDataReference */
	put_body_list(out);
	set = der_open(out, DER_SET);
	attribute = der_open(out, DER_SEQUENCE);
	der_put_oid(out, OID_ISSUED_CERT_HASH);
	values = der_open(out, DER_SET);
	der_put(out, DER_OCTET_STRING, (struct bytes){ sha1, sizeof(sha1) });
	der_close(out, values);
	der_close(out, attribute);
	der_close(out, set);
	close_control(out, marks);
}

static void
put_body(struct buf *out, const struct x509_cmc_response *r)
{
	size_t body = der_open(out, DER_SEQUENCE), controls = der_open(out, DER_SEQUENCE), marks[3];

	open_control(out, 1, OID_STATUS_INFO, marks);
	der_put_int64(out, (int64_t)r->status);
	put_body_list(out);
	der_put_text(out, DER_UTF8_STRING, r->text);
	if (r->status == X509_CMC_PENDING)
		put_pend_info(out, r);
	close_control(out, marks);
	if (r->certificate.len > 0)
		put_issued_hash(out, r->certificate);
	der_close(out, controls);
	der_put(out, DER_SEQUENCE, (struct bytes){ NULL, 0 }); /* cmsSequence */
	der_put(out, DER_SEQUENCE, (struct bytes){ NULL, 0 }); /* otherMsgSequence */
	der_close(out, body);
}

/* ---- SignedData ---- */

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

/* signedAttrs under the tag of a SET, as they are signed. Seen: these two and no signingTime. */
static int
put_signed_attributes(struct buf *out, enum x509_hash hash, struct bytes body, struct err *e)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	size_t n = 0, set;

	if (EVP_Q_digest(NULL, x509_hash_name(hash), NULL, body.p, body.len, digest, &n) != 1)
		return ERR(e, NTE_FAIL, "%s: %s", x509_hash_name(hash), x509_openssl_reason());
	set = der_open(out, DER_SET);
	put_attribute(out, OID_CONTENT_TYPE, OID_PKI_RESPONSE, (struct bytes){ NULL, 0 });
	put_attribute(out, OID_MESSAGE_DIGEST, NULL, (struct bytes){ digest, n });
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
put_signer_info(struct buf *out, struct x509_ca *ca, struct pool *pool, const struct x509_cmc_response *r,
    struct bytes body, struct err *e)
{
	const struct x509_signer *signer = x509_ca_signer(ca);
	size_t infos = der_open(out, DER_SET), info = der_open(out, DER_SEQUENCE), at;
	struct buf attributes, signature;
	int rc = -1;

	der_put_int64(out, 1);
	if (put_signer_id(out, ca, pool, e) != 0)
		return -1;
	put_algorithm(out, hash_oids[signer->alg->hash]);
	buf_init(&attributes, BODY_MAX);
	buf_init(&signature, BODY_MAX);
	if (put_signed_attributes(&attributes, signer->alg->hash, body, e) != 0)
		goto out;
	/* the signature is made behind what it signs, then goes where it belongs */
	buf_put_bytes(&signature, buf_bytes(&attributes));
	if (x509_signer_put_signature(
		signer, "cmc", r->request_id, DER_OCTET_STRING, &signature, 0, attributes.len, e) != 0)
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
put_signed_data(struct buf *out, struct x509_ca *ca, struct pool *pool, const struct x509_cmc_response *r,
    struct bytes body, struct err *e)
{
	size_t set, content, explicit;

	der_put_int64(out, 3);
	set = der_open(out, DER_SET);
	put_algorithm(out, hash_oids[x509_ca_signer(ca)->alg->hash]);
	der_close(out, set);
	content = der_open(out, DER_SEQUENCE);
	der_put_oid(out, OID_PKI_RESPONSE);
	explicit = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
	der_put(out, DER_OCTET_STRING, body);
	der_close(out, explicit);
	der_close(out, content);
	put_certificates(out, ca, r->certificate);
	return put_signer_info(out, ca, pool, r, body, e);
}

int
x509_ca_cmc_response(struct x509_ca *ca, const struct x509_cmc_response *r, struct buf *out, struct err *e)
{
	size_t start = out->len, outer = der_open(out, DER_SEQUENCE), explicit, data;
	struct pool *pool = pool_new(1 << 20);
	struct buf body;
	int rc;

	buf_init(&body, BODY_MAX);
	put_body(&body, r);
	der_put_oid(out, OID_SIGNED_DATA);
	explicit = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
	data = der_open(out, DER_SEQUENCE);
	if (pool == NULL || !buf_ok(&body))
		rc = ERR(e, E_OUTOFMEMORY, "no memory for a CMC response");
	else
		rc = put_signed_data(out, ca, pool, r, buf_bytes(&body), e);
	der_close(out, data);
	der_close(out, explicit);
	der_close(out, outer);
	buf_fini(&body);
	pool_free(pool);
	if (rc == 0 && !buf_ok(out))
		rc = ERR(e, E_OUTOFMEMORY, "no room for a CMC response");
	if (rc != 0)
		out->len = start;
	return rc;
}
