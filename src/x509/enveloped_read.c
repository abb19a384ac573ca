/* EnvelopedData in: RFC 5652 6.1 to 6.3. */
#include <string.h>

#include "x509/enveloped_priv.h"

static const struct bytes enveloped_data = OID_ENVELOPED_DATA_BODY;

const struct x509_cipher_info x509_ciphers[] = {
	[X509_CIPHER_3DES] = { OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x03\x07"), "DES-EDE3-CBC", 24, 8 },
	[X509_CIPHER_AES128] = { OID_BODY("\x60\x86\x48\x01\x65\x03\x04\x01\x02"), "AES-128-CBC", 16, 16 },
	[X509_CIPHER_AES192] = { OID_BODY("\x60\x86\x48\x01\x65\x03\x04\x01\x16"), "AES-192-CBC", 24, 16 },
	[X509_CIPHER_AES256] = { OID_BODY("\x60\x86\x48\x01\x65\x03\x04\x01\x2a"), "AES-256-CBC", 32, 16 },
};
const size_t x509_n_ciphers = ARRAY_LEN(x509_ciphers);

/* ---- recipients ---- */

/* RecipientIdentifier, RFC 5652 6.2.1. */
static int
read_identifier(struct x509_recipient *r, struct der *info, struct err *e)
{
	struct der_item issuer, serial, id;
	struct der in;

	if (der_peek(info) == DER_CONTEXT(0)) {
		if (der_next(info, &id, "subjectKeyIdentifier", e) != 0)
			return -1;
		r->key_id = id.body;
		return 0;
	}
	if (der_enter(info, DER_SEQUENCE, &in, "issuerAndSerialNumber", e) != 0 ||
	    der_expect(&in, DER_SEQUENCE, &issuer, "issuer", e) != 0 ||
	    der_expect(&in, DER_INTEGER, &serial, "serialNumber", e) != 0 ||
	    der_finish(&in, "issuerAndSerialNumber", e) != 0)
		return -1;
	r->issuer = issuer.raw;
	r->serial = serial.body;
	return 0;
}

static int
read_recipient(struct x509_enveloped *out, struct der *infos, struct err *e)
{
	struct x509_recipient *r;
	struct der_item algorithm, key, other;
	struct der info;
	int64_t version;

	if (der_peek(infos) != DER_SEQUENCE) /* key agreement, passwords, ... */
		return der_next(infos, &other, "RecipientInfo", e);
	if (out->n_recipients == X509_MAX_RECIPIENTS)
		return ERR(e, E_INVALID_DATA, "more than %d recipients", X509_MAX_RECIPIENTS);
	r = &out->recipients[out->n_recipients++];
	if (der_enter(infos, DER_SEQUENCE, &info, "KeyTransRecipientInfo", e) != 0 ||
	    der_get_int64(&info, &version, "KeyTransRecipientInfo version", e) != 0 ||
	    read_identifier(r, &info, e) != 0 ||
	    der_expect(&info, DER_SEQUENCE, &algorithm, "keyEncryptionAlgorithm", e) != 0 ||
	    der_expect(&info, DER_OCTET_STRING, &key, "encryptedKey", e) != 0)
		return -1;
	r->algorithm = algorithm.raw;
	r->encrypted_key = key.body;
#ifdef ADCSD_PLANTED_BUG_X509_ENVELOPED /* proves that the fuzz target gets this far: believes that keys     \
					   have the length of the block */
	volatile uint8_t copy[16];

	for (size_t i = 0; i < key.body.len && version == 2; i++)
		copy[i] = key.body.p[i];
#endif
	return der_finish(&info, "KeyTransRecipientInfo", e);
}

/* ---- content ---- */

static int
read_cipher(struct x509_enveloped *out, struct bytes algorithm, struct err *e)
{
	struct x509_algorithm a;

	if (x509_algorithm_read(&a, algorithm, "contentEncryptionAlgorithm", e) != 0)
		return -1;
	for (size_t i = 0; i < x509_n_ciphers; i++) {
		if (!bytes_equal(a.oid, x509_ciphers[i].oid))
			continue;
		if (a.params.tag != DER_OCTET_STRING || a.params.body.len != x509_ciphers[i].block)
			return ERR(e, E_INVALID_DATA, "the content cipher's initial vector has %zu octets",
			    a.params.body.len);
		out->cipher = (enum x509_cipher)i;
		out->iv = a.params.body;
		return 0;
	}
	return ERR(e, CRYPT_E_UNKNOWN_ALGO, "the content cipher is neither 3DES nor AES in CBC mode");
}

/* A constructed encryptedContent: OCTET STRINGs behind each other. */
static int
join_pieces(struct bytes pieces, struct pool *pool, struct bytes *out, struct err *e)
{
	struct der d = der_over(pieces);
	struct der_item item;
	struct buf b;
	int rc = 0;

	buf_init(&b, X509_ENVELOPED_MAX);
	while (rc == 0 && !der_at_end(&d)) {
		rc = der_expect(&d, DER_OCTET_STRING, &item, "a piece of encryptedContent", e);
		if (rc == 0)
			buf_put_bytes(&b, item.body);
	}
	if (rc == 0 && (!buf_ok(&b) || pool_dup_bytes(pool, buf_bytes(&b), out) != 0))
		rc = ERR(e, E_OUTOFMEMORY, "no memory for encrypted content");
	buf_fini(&b);
	return rc;
}

static int
read_content(struct x509_enveloped *out, struct pool *pool, struct der *data, struct err *e)
{
	struct der_item algorithm, content;
	struct bytes type;
	struct der info;
	unsigned block;

	if (der_enter(data, DER_SEQUENCE, &info, "encryptedContentInfo", e) != 0 ||
	    der_get_oid(&info, &type, "content type", e) != 0 ||
	    der_expect(&info, DER_SEQUENCE, &algorithm, "contentEncryptionAlgorithm", e) != 0 ||
	    read_cipher(out, algorithm.raw, e) != 0 ||
	    der_next(&info, &content, "encryptedContent", e) != 0 ||
	    der_finish(&info, "encryptedContentInfo", e) != 0)
		return -1;
	if (content.tag == DER_CONTEXT(0))
		out->content = content.body;
	else if (content.tag != DER_CONTEXT_CONSTRUCTED(0))
		return ERR(e, CRYPT_E_ASN1_BADTAG, "encryptedContent has tag 0x%02x", content.tag);
	else if (join_pieces(content.body, pool, &out->content, e) != 0)
		return -1;
	block = x509_ciphers[out->cipher].block;
	if (out->content.len == 0 || out->content.len % block != 0)
		return ERR(e, E_INVALID_DATA, "encrypted content of %zu octets, blocks have %u",
		    out->content.len, block);
	return 0;
}

int
x509_enveloped_read(struct x509_enveloped *out, struct pool *pool, struct bytes raw, struct err *e)
{
	struct der d = der_over(raw), outer, explicit, data, infos;
	struct der_item skipped;
	struct bytes type;
	int64_t version;

	memset(out, 0, sizeof(*out));
	if (raw.len > X509_ENVELOPED_MAX)
		return ERR(e, E_INVALID_DATA, "EnvelopedData of %zu octets, at most %d are taken", raw.len,
		    X509_ENVELOPED_MAX);
	out->recipients = pool_calloc(pool, X509_MAX_RECIPIENTS, sizeof(*out->recipients));
	if (out->recipients == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for recipients");
	if (der_enter(&d, DER_SEQUENCE, &outer, "ContentInfo", e) != 0 ||
	    der_finish(&d, "ContentInfo", e) != 0 || der_get_oid(&outer, &type, "contentType", e) != 0)
		return -1;
	if (!bytes_equal(type, enveloped_data))
		return ERR(e, E_INVALID_DATA, "the message is not EnvelopedData");
	if (der_enter(&outer, DER_CONTEXT_CONSTRUCTED(0), &explicit, "content", e) != 0 ||
	    der_finish(&outer, "ContentInfo", e) != 0 ||
	    der_enter(&explicit, DER_SEQUENCE, &data, "EnvelopedData", e) != 0 ||
	    der_finish(&explicit, "content", e) != 0 ||
	    der_get_int64(&data, &version, "EnvelopedData version", e) != 0)
		return -1;
	if (der_peek(&data) == DER_CONTEXT_CONSTRUCTED(0) &&
	    der_next(&data, &skipped, "originatorInfo", e) != 0)
		return -1;
	if (der_enter(&data, DER_SET, &infos, "recipientInfos", e) != 0)
		return -1;
	while (!der_at_end(&infos)) {
		if (read_recipient(out, &infos, e) != 0)
			return err_prefix(e, "recipient");
	}
	if (read_content(out, pool, &data, e) != 0)
		return -1;
	if (der_peek(&data) == DER_CONTEXT_CONSTRUCTED(1) &&
	    der_next(&data, &skipped, "unprotectedAttrs", e) != 0)
		return -1;
	return der_finish(&data, "EnvelopedData", e);
}

const struct x509_recipient *
x509_enveloped_find(const struct x509_enveloped *env, const struct x509_certificate *c)
{
	for (size_t i = 0; i < env->n_recipients; i++) {
		const struct x509_recipient *r = &env->recipients[i];

		if (r->issuer.len > 0 ? bytes_equal(r->issuer, c->issuer) && bytes_equal(r->serial, c->serial)
				      : r->key_id.len > 0 && bytes_equal(r->key_id, c->key_id))
			return r;
	}
	return NULL;
}
