/* Certificates out: the writer of TBSCertificate, and the signature. */
#include <string.h>

#include "x509/ext.h"
#include "x509/x509_priv.h"

#define ALG_RSA(last) OID_BODY("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01" last "\x05\x00")
#define ALG_ECDSA(last) OID_BODY("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03" last)

/* RFC 4055 5 (parameters NULL), RFC 5758 3.2 (parameters absent) */
static const struct x509_signature_algorithm algorithms[] = {
	{ EVP_PKEY_RSA, X509_HASH_SHA256, ALG_RSA("\x0b") },
	{ EVP_PKEY_RSA, X509_HASH_SHA384, ALG_RSA("\x0c") },
	{ EVP_PKEY_RSA, X509_HASH_SHA512, ALG_RSA("\x0d") },
	{ EVP_PKEY_RSA, X509_HASH_SHA1, ALG_RSA("\x05") },
	{ EVP_PKEY_EC, X509_HASH_SHA256, ALG_ECDSA("\x02") },
	{ EVP_PKEY_EC, X509_HASH_SHA384, ALG_ECDSA("\x03") },
	{ EVP_PKEY_EC, X509_HASH_SHA512, ALG_ECDSA("\x04") },
	{ EVP_PKEY_EC, X509_HASH_SHA1, OID_BODY("\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01") },
};

const struct x509_signature_algorithm *
x509_signature_algorithm(int key_type, enum x509_hash hash)
{
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		if (algorithms[i].key_type == key_type && algorithms[i].hash == hash)
			return &algorithms[i];
	}
	return NULL;
}

static void
put_extensions(struct buf *out, const struct x509_extension *x, size_t n)
{
	size_t outer = der_open(out, DER_CONTEXT_CONSTRUCTED(3)), list = der_open(out, DER_SEQUENCE);

	for (size_t i = 0; i < n; i++) {
		size_t seq = der_open(out, DER_SEQUENCE);

		der_put(out, DER_OID, x[i].oid);
		if (x[i].critical)
			der_put_bool(out, true);
		der_put(out, DER_OCTET_STRING, x[i].value);
		der_close(out, seq);
	}
	der_close(out, list);
	der_close(out, outer);
}

static int
check_plan(const struct x509_cert_plan *plan, struct err *e)
{
	struct civil until;
	bool zero = true;

	for (size_t i = 0; i < plan->serial_len && i < X509_SERIAL_MAX; i++)
		zero &= plan->serial[i] == 0;
	/* RFC 5280 4.1.2.2: positive, at most 20 octets, the sign's included. */
	if (zero || plan->serial_len > X509_SERIAL_MAX ||
	    (plan->serial_len == X509_SERIAL_MAX && plan->serial[0] >= 0x80))
		return ERR(
		    e, E_UNEXPECTED, "serial number of %zu octets is zero or too long", plan->serial_len);
	filetime_to_civil(plan->not_after, &until);
	if (plan->not_after < plan->not_before || until.year > 9999)
		return ERR(e, E_INVALIDARG, "certificate would end in %04d, or before it begins", until.year);
	if (plan->issuer.len == 0 || plan->subject.len == 0 || plan->spki.len == 0)
		return ERR(e, E_UNEXPECTED, "certificate plan without issuer, subject or key");
	return 0;
}

int
x509_tbs_put(struct buf *out, const struct x509_cert_plan *plan, struct bytes sig_alg, struct err *e)
{
	size_t tbs, mark;

	if (check_plan(plan, e) != 0)
		return -1;
	tbs = der_open(out, DER_SEQUENCE);
	mark = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
	der_put_int64(out, 2); /* v3 */
	der_close(out, mark);
	der_put_uint(out, (struct bytes){ plan->serial, plan->serial_len });
	buf_put_bytes(out, sig_alg);
	buf_put_bytes(out, plan->issuer);
	mark = der_open(out, DER_SEQUENCE);
	der_put_time(out, plan->not_before);
	der_put_time(out, plan->not_after);
	der_close(out, mark);
	buf_put_bytes(out, plan->subject);
	buf_put_bytes(out, plan->spki);
	if (plan->n_extensions > 0)
		put_extensions(out, plan->extensions, plan->n_extensions);
	der_close(out, tbs);
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "no room for the certificate");
}

/* Appends a BIT STRING or an OCTET STRING with the signature of `message`, which may lie in `out` itself. */
static int
put_signature(
    const struct x509_signer *s, uint8_t tag, struct buf *out, size_t from, size_t len, struct err *e)
{
	AUTO(EVP_MD_CTX) *md = EVP_MD_CTX_new();
	size_t bits = der_open(out, tag), n = (size_t)EVP_PKEY_get_size(s->key);
	uint8_t *at;

	if (tag == DER_BIT_STRING)
		buf_put_u8(out, 0); /* unused bits */
	at = buf_extend(out, n);
	if (md == NULL || at == NULL)
		return ERR(e, E_OUTOFMEMORY, "no room for the signature");
	if (EVP_DigestSignInit_ex(md, NULL, x509_hash_name(s->alg->hash), s->lib.ctx, NULL, s->key, NULL) !=
		1 ||
	    EVP_DigestSign(md, at, &n, out->p + from, len) != 1)
		return ERR(e, NTE_FAIL, "signing failed: %s", x509_openssl_reason());
	out->len = (size_t)(at - out->p) + n; /* an ECDSA signature may be shorter than the room for it */
	der_close(out, bits);
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "no room for the signature");
}

int
x509_signer_put_signature(const struct x509_signer *s, const char *purpose, uint64_t id, uint8_t tag,
    struct buf *out, size_t from, size_t len, struct err *e)
{
	struct rng_stream stream;
	int ret;

	if (!s->rng.seeded)
		return put_signature(s, tag, out, from, len, e);
	rng_stream_init(&stream, &s->rng, purpose, id);
	x509_seeded_stream_set(&stream);
	ret = put_signature(s, tag, out, from, len, e);
	x509_seeded_stream_set(NULL);
	explicit_bzero(&stream, sizeof(stream));
	return ret;
}

/* What is signed stands behind `tbs` already; `outer` is the mark of the SEQUENCE around all three parts. */
int
x509_signer_sign(const struct x509_signer *s, struct buf *out, size_t outer, size_t tbs, const char *purpose,
    uint64_t id, struct err *e)
{
	size_t tbs_len = out->len - tbs;

	buf_put_bytes(out, s->alg->der);
	if (x509_signer_put_signature(s, purpose, id, DER_BIT_STRING, out, tbs, tbs_len, e) != 0)
		return -1;
	der_close(out, outer);
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "no room for the signature");
}

int
x509_signer_issue(const struct x509_signer *s, const struct x509_cert_plan *plan, const char *purpose,
    uint64_t id, struct buf *out, struct err *e)
{
	size_t start = out->len, cert = der_open(out, DER_SEQUENCE), tbs = out->len;

	if (x509_tbs_put(out, plan, s->alg->der, e) == 0 &&
	    x509_signer_sign(s, out, cert, tbs, purpose, id, e) == 0)
		return 0;
	out->len = start;
	return -1;
}
