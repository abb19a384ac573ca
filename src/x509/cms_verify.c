/* Who signed a message, and whether the CA knows them: RFC 5652 5.4, RFC 5280 6. */
#include <openssl/x509_vfy.h>
#include <string.h>

#include "x509/cms_priv.h"

DEFINE_AUTO(X509_STORE, X509_STORE_free)
DEFINE_AUTO(X509_STORE_CTX, X509_STORE_CTX_free)

static inline void
stack_free(STACK_OF(X509) * *s)
{
	sk_X509_pop_free(*s, X509_free);
}
#define AUTO_STACK __attribute__((cleanup(stack_free))) STACK_OF(X509)

/* ---- signatures ---- */

/* What is signed: the content, or the signed attributes under the tag of a SET, which then carry the
 * content's hash. */
static int
signed_octets(const struct x509_cms *cms, const struct x509_cms_signer *s, enum x509_hash digest,
    struct buf *set, struct bytes *out, struct err *e)
{
	if (s->signed_attributes.len == 0) {
		*out = cms->content;
		return 0;
	}
	/* Certipy leaves contentType out, which RFC 5652 11.1 wants; Windows takes its requests */
	if (s->content_type.len > 0 && !bytes_equal(s->content_type, cms->content_type))
		return ERR(e, NTE_BAD_SIGNATURE, "a signer's contentType is not the content's");
	if (s->message_digest.len == 0)
		return ERR(e, NTE_BAD_SIGNATURE, "a signer's attributes have no messageDigest");
	if (x509_hash_check(digest, cms->content, s->message_digest, CRYPT_E_HASH_VALUE,
		"a signer's messageDigest is not the content's", e) != 0)
		return -1;
	buf_put_bytes(set, s->signed_attributes);
	if (!buf_ok(set))
		return ERR(e, E_OUTOFMEMORY, "no memory for signed attributes");
	set->p[0] = DER_SET;
	*out = buf_bytes(set);
	return 0;
}

static int
verify_signer(const struct x509_cms *cms, const struct x509_cms_signer *s, const struct x509_request *request,
    struct err *e)
{
	const struct x509_key_info *key = s->certificate != NULL ? &s->certificate->key : &request->key;
	enum x509_hash digest;
	struct bytes message;
	struct buf set;
	int rc;

	if (s->certificate == NULL && !s->by_key_id && !s->no_signature)
		return ERR(e, CRYPT_E_SIGNER_NOT_FOUND, "a signer's certificate is not in the message");
	if (x509_hash_read(s->digest_alg, &digest, "digestAlgorithm", e) != 0)
		return -1;
	buf_init(&set, X509_REQUEST_MAX);
	rc = signed_octets(cms, s, digest, &set, &message, e);
	if (rc == 0 && s->no_signature)
		rc = x509_hash_check(digest, message, s->signature, NTE_BAD_SIGNATURE,
		    "a signer's hash is wrong (RFC 5272 A)", e);
	else if (rc == 0)
		rc = x509_signature_verify(key, s->sig_alg, &digest, message, s->signature,
		    s->certificate != NULL ? "the message is not signed by its signer's key"
					   : "the message is not signed by the key of the request",
		    e);
	buf_fini(&set);
	return rc;
}

int
x509_cms_verify(const struct x509_cms *cms, const struct x509_request *request, struct err *e)
{
	if (x509_request_verify_wrapped(request, e) != 0)
		return -1;
	for (size_t i = 0; i < cms->n_signers; i++) {
		if (verify_signer(cms, &cms->signers[i], request, e) != 0)
			return err_prefix(e, "signer %zu", i + 1);
	}
	return 0;
}

/* ---- chains ---- */

static X509 *
to_openssl(struct bytes der)
{
	const unsigned char *p = der.p;

	return d2i_X509(NULL, &p, (long)der.len);
}

/* The CA's own chain is what signers must lead to: an enterprise CA trusts those it and its parents made. */
static X509_STORE *
trusted(const struct x509_ca *ca)
{
	AUTO(X509_STORE) *store = X509_STORE_new();

	for (size_t i = 0; store != NULL && i < x509_ca_chain_len(ca); i++) {
		AUTO(X509) *cert = to_openssl(x509_ca_chain_der(ca, i));

		if (cert == NULL || X509_STORE_add_cert(store, cert) != 1)
			return NULL;
	}
	return STEAL(store);
}

static STACK_OF(X509) * others(const struct x509_cms *cms)
{
	STACK_OF(X509) *list = sk_X509_new_null();

	for (size_t i = 0; list != NULL && i < cms->n_certificates; i++) {
		AUTO(X509) *cert = to_openssl(cms->certificates[i].raw);

		/* what OpenSSL cannot read stands between nobody */
		if (cert != NULL && sk_X509_push(list, cert) > 0)
			cert = NULL;
	}
	(void)x509_openssl_reason();
	return list;
}

static int
chain_error(int why, struct err *e)
{
	const char *text = X509_verify_cert_error_string(why);

	switch (why) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return ERR(e, CERT_E_EXPIRED, "a signer's certificate: %s", text);
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		return ERR(e, NTE_BAD_SIGNATURE, "a signer's certificate: %s", text);
	default:
		return ERR(
		    e, CERT_E_UNTRUSTEDROOT, "a signer's certificate does not lead to this CA: %s", text);
	}
}

/* A certificate is valid through its last second (RFC 5280 4.1.2.5); for OpenSSL it has expired then. */
static int
last_second(int ok, X509_STORE_CTX *ctx)
{
	time_t at = X509_VERIFY_PARAM_get_time(X509_STORE_CTX_get0_param(ctx));

	return ok ||
	    (X509_STORE_CTX_get_error(ctx) == X509_V_ERR_CERT_HAS_EXPIRED &&
		ASN1_TIME_cmp_time_t(X509_get0_notAfter(X509_STORE_CTX_get_current_cert(ctx)), at) == 0);
}

int
x509_ca_check_signer(const struct x509_ca *ca, const struct x509_cms *cms,
    const struct x509_certificate *certificate, filetime_t at, struct err *e)
{
	AUTO(X509_STORE) *store = trusted(ca);
	AUTO(X509_STORE_CTX) *ctx = X509_STORE_CTX_new();
	AUTO(X509) *cert = to_openssl(certificate->raw);
	AUTO_STACK *between = others(cms);

	if (cert == NULL)
		return ERR(e, CRYPT_E_ASN1_BADTAG, "a signer's certificate: %s", x509_openssl_reason());
	if (store == NULL || ctx == NULL || between == NULL ||
	    X509_STORE_CTX_init(ctx, store, cert, between) != 1)
		return ERR(e, E_OUTOFMEMORY, "no memory for a chain: %s", x509_openssl_reason());
	X509_STORE_CTX_set_time(ctx, 0, (time_t)((at - FILETIME_UNIX_EPOCH) / FILETIME_SECOND));
	X509_STORE_CTX_set_verify_cb(ctx, last_second);
	/* whoever issued directly below a certificate of ours has said enough; unknown critical extensions
	 * are common */
	X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_IGNORE_CRITICAL);
	if (X509_verify_cert(ctx) != 1) {
		int why = X509_STORE_CTX_get_error(ctx);

		(void)x509_openssl_reason();
		return chain_error(why, e);
	}
	return 0;
}
