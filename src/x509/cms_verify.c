/* Who signed a message: RFC 5652 5.4. */
#include "x509/cms_priv.h"

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
