/*
 * Signed requests in: CMS SignedData (RFC 5652) around a PKCS #10, or around a CMC PKIData (RFC 5272) that
 * holds one. MS-WCCE 2.2.2.6.2, 2.2.2.6.3. DER only, as Windows, Certipy and OpenSSL without streaming write
 * it.
 */
#ifndef ADCSD_X509_CMS_H
#define ADCSD_X509_CMS_H

#include "x509/cert.h"
#include "x509/certificate.h"

#define X509_MAX_SIGNERS 16
#define X509_MAX_CERTIFICATES 32

enum x509_cms_content { X509_CMS_DATA, X509_CMS_PKIDATA };

struct x509_cms_signer {
	/* NULL: the signer names a key (then it is the one to be certified), or signs nothing, or its
	 * certificate is not there, which x509_cms_verify() refuses */
	const struct x509_certificate *certificate;
	bool by_key_id;
	bool no_signature; /* id-alg-noSignature, RFC 5272 A: a bare hash */
	struct bytes digest_alg, sig_alg, signature;
	struct bytes signed_attributes; /* their encoding, under its tag [0]; empty when there are none */
	struct bytes content_type, message_digest; /* of the signed attributes; empty when absent */
};

struct x509_cms {
	enum x509_cms_content type;
	struct bytes content_type; /* body of eContentType */
	struct bytes content;      /* eContent's octets, what is signed */
	struct x509_certificate *certificates;
	size_t n_certificates;
	struct x509_cms_signer *signers;
	size_t n_signers;
	/* what the signatures vouch for: PKIData's RegInfo; the first signer's
	 * attributes 1.3.6.1.4.1.311.13.2.1 */
	struct x509_name_value *name_values;
	size_t n_name_values;
	struct bytes
	    archived_key; /* value of the unauthenticated attribute 1.3.6.1.4.1.311.21.13, or empty */
};

/* What SignedData says it holds, without reading further. False when it is no SignedData, or holds neither.
 */
bool
x509_cms_sniff(struct bytes raw, enum x509_cms_content *type);

/*
 * Reads message and request. Everything borrowed points into `raw`. CRYPT_E_ASN1_*; E_INVALID_DATA when the
 * content is neither a PKCS #10 nor a PKIData with exactly one; CRYPT_E_NO_SIGNER when nobody signed.
 * Controls of a PKIData are worked into *request.
 */
int
x509_cms_parse(struct x509_cms *out, struct x509_request *request, struct pool *pool, struct bytes raw,
    struct err *e) MUST_CHECK;

/* The request's own signature (or null signature) and every signer's. Thread-safe. NTE_BAD_SIGNATURE,
 * CRYPT_E_SIGNER_NOT_FOUND, CRYPT_E_UNKNOWN_ALGO. */
int
x509_cms_verify(const struct x509_cms *cms, const struct x509_request *request, struct err *e) MUST_CHECK;

/* The certificate of the message with these octets, or NULL; and whether it signed. */
const struct x509_certificate *
x509_cms_find(const struct x509_cms *cms, struct bytes certificate);
bool
x509_cms_signed_by(const struct x509_cms *cms, const struct x509_certificate *certificate);

/* ---- key archival, MS-WCCE 3.2.2.6.2.1.2.2 ---- */

/* Is the request's encrypted_key_hash the hash of archived_key, by SHA-1 or the hash of the request's own
 * signature? CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL without a hash, CRYPT_E_HASH_VALUE. */
int
x509_cms_check_key_hash(
    const struct x509_cms *cms, const struct x509_request *request, struct err *e) MUST_CHECK;
/* The message without attributes 1.3.6.1.4.1.311.21.13, which no signature covers: what a database may hold.
 * In the pool, or `raw` itself when there is none. CRYPT_E_ASN1_* when it is no SignedData. */
int
x509_cms_strip_archived_key(struct bytes raw, struct pool *pool, struct bytes *out, struct err *e) MUST_CHECK;

/* ---- the answer: CMC full response, MS-WCCE 3.2.1.4.2.1.4.8.2 ---- */

enum x509_cmc_status { X509_CMC_SUCCESS = 0, X509_CMC_FAILED = 2, X509_CMC_PENDING = 3 };
struct x509_cmc_response {
	enum x509_cmc_status status;
	const char *text;                /* disposition message, UTF-8 */
	struct bytes certificate;        /* DER; empty unless one is returned */
	struct bytes encrypted_key_hash; /* of a key that was archived with it; empty: none was */
	uint32_t request_id;             /* pendToken, and the randomness stream of a seeded CA */
	filetime_t received;             /* pendTime */
};
int
x509_ca_cmc_response(
    struct x509_ca *ca, const struct x509_cmc_response *r, struct buf *out, struct err *e) MUST_CHECK;

/*
 * An archived key as ICertAdminD2::GetArchivedKey gives it (MS-CSRA 3.1.4.2.9): SignedData by the CA, its
 * content the EnvelopedData for the recovery agents, the certificate of the key and the CA's beside it. Ours:
 * a signed attribute szOID_ARCHIVED_KEY_CERT_HASH tells which of them is the key's. Appends; id as above.
 */
int
x509_ca_archived_key(struct x509_ca *ca, struct bytes enveloped, struct bytes certificate, uint64_t id,
    struct buf *out, struct err *e) MUST_CHECK;

#endif
