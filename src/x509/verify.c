/* Proof of possession: the request's signature by the key it asks to have certified. */
#include <openssl/rsa.h>

#include "x509/x509_priv.h"

enum scheme { RSA_PKCS1, RSA_PSS, ECDSA, ECDSA_SPECIFIED, TOO_WEAK, RSA_BY_DIGEST, ECDSA_BY_DIGEST };

static const struct signature_algorithm {
	struct bytes oid;
	const char *name;
	enum scheme scheme;
	enum x509_hash hash; /* where the OID fixes it */
} algorithms[] = {
	/* RFC 8017 A.2.4 */
	{ OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"), "sha256RSA", RSA_PKCS1, X509_HASH_SHA256 },
	{ OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"), "sha1RSA", RSA_PKCS1, X509_HASH_SHA1 },
	{ OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"), "sha384RSA", RSA_PKCS1, X509_HASH_SHA384 },
	{ OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"), "sha512RSA", RSA_PKCS1, X509_HASH_SHA512 },
	{ OID_BODY("\x2b\x0e\x03\x02\x1d"), "sha1RSA (OIW)", RSA_PKCS1, X509_HASH_SHA1 },
	{ OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), "RSASSA-PSS", RSA_PSS, X509_HASH_SHA1 },
	/* RFC 3279 2.2.3, RFC 5758 3.2; specifiedECDSA is what Windows sends with
	   AlternateSignatureAlgorithm. */
	{ OID_BODY("\x2a\x86\x48\xce\x3d\x04\x03\x02"), "sha256ECDSA", ECDSA, X509_HASH_SHA256 },
	{ OID_BODY("\x2a\x86\x48\xce\x3d\x04\x03\x03"), "sha384ECDSA", ECDSA, X509_HASH_SHA384 },
	{ OID_BODY("\x2a\x86\x48\xce\x3d\x04\x03\x04"), "sha512ECDSA", ECDSA, X509_HASH_SHA512 },
	{ OID_BODY("\x2a\x86\x48\xce\x3d\x04\x01"), "sha1ECDSA", ECDSA, X509_HASH_SHA1 },
	{ OID_BODY("\x2a\x86\x48\xce\x3d\x04\x03"), "specifiedECDSA", ECDSA_SPECIFIED, X509_HASH_SHA1 },
	/* in CMS the algorithm may name the key, and another field the hash (RFC 3370 3.2, 3.3) */
	{ OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"), "RSA", RSA_BY_DIGEST, X509_HASH_SHA1 },
	{ OID_BODY("\x2a\x86\x48\xce\x3d\x02\x01"), "EC", ECDSA_BY_DIGEST, X509_HASH_SHA1 },
	{ OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02"), "md2RSA", TOO_WEAK, X509_HASH_SHA1 },
	{ OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x03"), "md4RSA", TOO_WEAK, X509_HASH_SHA1 },
	{ OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"), "md5RSA", TOO_WEAK, X509_HASH_SHA1 },
	{ OID_BODY("\x2b\x0e\x03\x02\x02"), "md4RSA (OIW)", TOO_WEAK, X509_HASH_SHA1 },
	{ OID_BODY("\x2b\x0e\x03\x02\x03"), "md5RSA (OIW)", TOO_WEAK, X509_HASH_SHA1 },
};

static const struct bytes mgf1 = OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08");

/* What a signature is checked with, once its AlgorithmIdentifier is understood. */
struct how {
	const struct signature_algorithm *alg;
	enum x509_hash hash, mgf_hash;
	int64_t salt_len;
};

int
x509_hash_read(struct bytes algorithm, enum x509_hash *out, const char *what, struct err *e)
{
	struct x509_algorithm a;
	char text[OID_TEXT_MAX];

	if (x509_algorithm_read(&a, algorithm, what, e) != 0)
		return -1;
	if (!x509_hash_from_oid(out, a.oid))
		return ERR(e, CRYPT_E_UNKNOWN_ALGO, "%s %s is not known", what,
		    oid_to_text(a.oid, text) ? text : "?");
	if (!x509_algorithm_plain(&a))
		return ERR(e, CRYPT_E_ASN1_BADTAG, "%s has parameters", what);
	return 0;
}

/* [n] EXPLICIT, all of them with defaults. *present tells whether it was there. */
static int
optional_field(struct der *d, int n, struct der *inner, bool *present, struct err *e)
{
	*present = der_peek(d) == DER_CONTEXT_CONSTRUCTED(n);
	return *present ? der_enter(d, (uint8_t)DER_CONTEXT_CONSTRUCTED(n), inner, "PSS parameter", e) : 0;
}

/* RSASSA-PSS-params, RFC 4055 3.1: SHA-1 throughout, 20 octets of salt where nothing is said. */
static int
read_pss(struct how *how, const struct der_item *params, struct err *e)
{
	struct der d = der_over(params->raw), in, field;
	struct der_item item;
	struct x509_algorithm mgf;
	int64_t trailer = 1;
	bool present;

	how->salt_len = 20;
	how->mgf_hash = X509_HASH_SHA1;
	if (params->raw.len == 0)
		return ERR(e, CRYPT_E_ASN1_BADTAG, "RSASSA-PSS without parameters");
	if (der_enter(&d, DER_SEQUENCE, &in, "PSS parameters", e) != 0 ||
	    optional_field(&in, 0, &field, &present, e) != 0)
		return -1;
	if (present &&
	    (der_next(&field, &item, "PSS hash", e) != 0 || der_finish(&field, "PSS hash", e) != 0 ||
		x509_hash_read(item.raw, &how->hash, "PSS hash", e) != 0))
		return -1;
	if (optional_field(&in, 1, &field, &present, e) != 0)
		return -1;
	if (present) {
		if (der_next(&field, &item, "PSS mask", e) != 0 || der_finish(&field, "PSS mask", e) != 0 ||
		    x509_algorithm_read(&mgf, item.raw, "PSS mask", e) != 0)
			return -1;
		if (!bytes_equal(mgf.oid, mgf1))
			return ERR(e, CRYPT_E_UNKNOWN_ALGO, "PSS mask generation is not MGF1");
		if (x509_hash_read(mgf.params.raw, &how->mgf_hash, "MGF1 hash", e) != 0)
			return -1;
	}
	if (optional_field(&in, 2, &field, &present, e) != 0)
		return -1;
	if (present &&
	    (der_get_int64(&field, &how->salt_len, "saltLength", e) != 0 ||
		der_finish(&field, "saltLength", e) != 0))
		return -1;
	if (optional_field(&in, 3, &field, &present, e) != 0)
		return -1;
	if (present &&
	    (der_get_int64(&field, &trailer, "trailerField", e) != 0 ||
		der_finish(&field, "trailerField", e) != 0))
		return -1;
	if (der_finish(&in, "PSS parameters", e) != 0)
		return -1;
	if (trailer != 1 || how->salt_len < 0 || how->salt_len > 4096)
		return ERR(e, CRYPT_E_UNKNOWN_ALGO, "PSS parameters out of range");
	return 0;
}

/* how->alg stays NULL when the algorithm is none of ours. */
static int
understand(struct how *how, struct bytes sig_alg, const enum x509_hash *digest, struct err *e)
{
	struct x509_algorithm a;

	if (x509_algorithm_read(&a, sig_alg, "signatureAlgorithm", e) != 0)
		return -1;
	*how = (struct how){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(algorithms) && how->alg == NULL; i++) {
		if (bytes_equal(algorithms[i].oid, a.oid))
			how->alg = &algorithms[i];
	}
	if (how->alg == NULL)
		return 0;
	how->hash = how->alg->hash;
	switch (how->alg->scheme) {
	case TOO_WEAK:
		return ERR(e, CRYPT_E_UNKNOWN_ALGO, "signature algorithm %s is too weak to prove anything",
		    how->alg->name);
	case RSA_PSS:
		return read_pss(how, &a.params, e);
	case ECDSA_SPECIFIED:
		return x509_hash_read(a.params.raw, &how->hash, "specifiedECDSA hash", e);
	case RSA_BY_DIGEST:
	case ECDSA_BY_DIGEST:
		if (digest == NULL) {
			how->alg = NULL; /* a key's name alone says nothing */
			return 0;
		}
		how->hash = *digest;
		if (how->alg->scheme == ECDSA_BY_DIGEST)
			return 0; /* the curve may stand beside it */
		break;
	case RSA_PKCS1:
	case ECDSA:
		break;
	}
	if (!x509_algorithm_plain(&a))
		return ERR(e, CRYPT_E_ASN1_BADTAG, "%s has parameters", how->alg->name);
	return 0;
}

static int
unknown_algorithm(struct bytes sig_alg, struct err *e)
{
	struct x509_algorithm a;
	char text[OID_TEXT_MAX];

	if (x509_algorithm_read(&a, sig_alg, "signatureAlgorithm", e) != 0)
		return -1;
	return ERR(e, CRYPT_E_UNKNOWN_ALGO, "signature algorithm %s is not known",
	    oid_to_text(a.oid, text) ? text : "?");
}

static int
set_padding(EVP_PKEY_CTX *ctx, const struct how *how, struct err *e)
{
	if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, x509_hash_name(how->mgf_hash), NULL) != 1 ||
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)how->salt_len) != 1)
		return ERR(e, NTE_BAD_SIGNATURE, "PSS parameters: %s", x509_openssl_reason());
	return 0;
}

static int
verify_lean(const struct x509_key_info *key_info, const struct how *how, struct bytes message,
    struct bytes signature, const char *what, struct err *e)
{
	AUTO(EVP_PKEY) *key = NULL;
	AUTO(EVP_MD_CTX) *md = NULL;
	EVP_PKEY_CTX *ctx; /* md's */
	enum scheme scheme = how->alg->scheme;
	bool rsa_scheme = scheme == RSA_PKCS1 || scheme == RSA_PSS || scheme == RSA_BY_DIGEST;

	if (rsa_scheme != (key_info->type == X509_KEY_RSA))
		return ERR(e, NTE_BAD_SIGNATURE, "%s is no signature of an %s key", how->alg->name,
		    key_info->type == X509_KEY_RSA ? "RSA" : "EC");
	key = x509_key_pkey(key_info, e);
	if (key == NULL)
		return -1;
	md = EVP_MD_CTX_new();
	if (md == NULL ||
	    EVP_DigestVerifyInit_ex(md, &ctx, x509_hash_name(how->hash), NULL, NULL, key, NULL) != 1)
		return ERR(e, NTE_BAD_SIGNATURE, "%s: %s", how->alg->name, x509_openssl_reason());
	if (scheme == RSA_PSS && set_padding(ctx, how, e) != 0)
		return -1;
	if (EVP_DigestVerify(md, signature.p, signature.len, message.p, message.len) != 1)
		return ERR(e, NTE_BAD_SIGNATURE, "%s (%s: %s)", what, how->alg->name, x509_openssl_reason());
	return 0;
}

/* Keys the lean reader leaves alone: explicit curves, Edwards curves, DSA, RSA keys bound to PSS. */
static int
verify_by_openssl(const struct x509_request *r, struct err *e)
{
	const unsigned char *p = r->raw.p;
	AUTO(X509_REQ) *req = d2i_X509_REQ(NULL, &p, (long)r->raw.len);
	EVP_PKEY *key = req != NULL ? X509_REQ_get0_pubkey(req) : NULL;

	if (key == NULL)
		return ERR(e, CRYPT_E_UNKNOWN_ALGO, "public key cannot be read: %s", x509_openssl_reason());
	if (X509_REQ_verify(req, key) != 1)
		return ERR(e, NTE_BAD_SIGNATURE, "the request is not signed by its own key: %s",
		    x509_openssl_reason());
	return 0;
}

int
x509_signature_verify(const struct x509_key_info *key, struct bytes sig_alg, const enum x509_hash *digest,
    struct bytes message, struct bytes signature, const char *what, struct err *e)
{
	struct how how;

	if (understand(&how, sig_alg, digest, e) != 0)
		return -1;
	if (how.alg == NULL)
		return unknown_algorithm(sig_alg, e);
	if (key->type == X509_KEY_OTHER)
		return ERR(e, NTE_BAD_PUBLIC_KEY, "a signer's key is neither RSA nor of a named curve");
	return verify_lean(key, &how, message, signature, what, e);
}

int
x509_request_verify(const struct x509_request *r, struct err *e)
{
	struct how how;

	if (understand(&how, r->sig_alg, NULL, e) != 0)
		return -1;
	if (r->key.type == X509_KEY_OTHER)
		return verify_by_openssl(r, e);
	if (how.alg == NULL)
		return unknown_algorithm(r->sig_alg, e);
	return verify_lean(
	    &r->key, &how, r->info, r->signature, "the request is not signed by its own key", e);
}

int
x509_hash_check(
    enum x509_hash h, struct bytes message, struct bytes hash, uint32_t hr, const char *what, struct err *e)
{
	uint8_t made[EVP_MAX_MD_SIZE];
	size_t n = 0;

	if (EVP_Q_digest(NULL, x509_hash_name(h), NULL, message.p, message.len, made, &n) != 1)
		return ERR(e, NTE_FAIL, "%s: %s", x509_hash_name(h), x509_openssl_reason());
	if (!bytes_equal(hash, (struct bytes){ made, n }))
		return ERR(e, hr, "%s", what);
	return 0;
}

int
x509_request_verify_wrapped(const struct x509_request *r, struct err *e)
{
	enum x509_hash h;
	struct err ignored;

	if (x509_hash_read(r->sig_alg, &h, "null signature", &ignored) == 0)
		return x509_hash_check(h, r->info, r->signature, NTE_BAD_SIGNATURE,
		    "the request's null signature is not its hash", e);
	return x509_request_verify(r, e);
}

int
x509_request_hash(const struct x509_request *r, enum x509_hash *out, struct err *e)
{
	struct err ignored;
	struct how how;

	if (x509_hash_read(r->sig_alg, out, "null signature", &ignored) == 0)
		return 0;
	if (understand(&how, r->sig_alg, NULL, e) != 0)
		return -1;
	*out = how.hash;
	return 0;
}
