/*
 * Certificates out: a plan in, TBSCertificate and signature out. The lean path writes DER itself and lets
 * OpenSSL hash and sign; tests hold it against the plain OpenSSL path.
 */
#ifndef ADCSD_X509_CERT_H
#define ADCSD_X509_CERT_H

#include "base/rng.h"
#include "x509/ext.h"

#define X509_SERIAL_MAX 20

struct x509_cert_plan {
	uint8_t serial[X509_SERIAL_MAX]; /* big-endian magnitude */
	size_t serial_len;
	struct bytes issuer;              /* Name: byte copy of the CA's subject */
	filetime_t not_before, not_after; /* written in whole seconds */
	struct bytes subject;             /* Name */
	struct bytes spki;
	const struct x509_extension *extensions; /* in certificate order */
	size_t n_extensions;
};

struct x509_ca; /* a CA key with its certificate and chain */

enum x509_ca_key { X509_CA_RSA2048, X509_CA_RSA3072, X509_CA_RSA4096, X509_CA_P256, X509_CA_P384 };
/* "RSA-2048", "P-256", ... */
int
x509_ca_key_from_text(enum x509_ca_key *out, const char *text, struct err *e) MUST_CHECK;

#define X509_CA_POLICIES_MAX 16

struct x509_ca_create {
	enum x509_ca_key key; /* of a new key */
	const char *common_name;
	const char *dn_suffix; /* "DC=corp,DC=contoso,DC=com"; may be NULL */
	filetime_t not_before, not_after;
	const struct rng *rng; /* seeded: same seed, same key and certificate */
	/* a renewal: subject, hash algorithm and, without a new key, the key are this CA's; common_name and
	 * dn_suffix do not count. NULL: a new CA */
	const struct x509_ca *renews;
	uint32_t version; /* key index << 16 | certificate index, MS-WCCE 3.2.1.4.3.2.39 */
	/* as a CAPolicy.inf asks; zeroes: nothing of it */
	bool has_path_len;
	uint32_t path_len;
	struct bytes name_constraints; /* NameConstraints, RFC 5280 4.2.1.10 */
	struct x509_strings policies, cdp_urls, aia_urls;
};

/* Makes key and self-signed certificate (KU, BC critical, SKI, CA version 1.3.6.1.4.1.311.21.1, of a renewal
 * the previous certificate's SHA-1 1.3.6.1.4.1.311.21.2; SHA256) and stores both as PEM: key 0600. Neither
 * file may exist (E_ALREADY_EXISTS). A renewal with key_path NULL keeps the key. */
int
x509_ca_create(
    const struct x509_ca_create *how, const char *key_path, const char *cert_path, struct err *e) MUST_CHECK;
/* What a CA above has to certify: a PKCS #10 (PEM, appended) with the same extensions and the template SubCA,
 * signed by the key. Needs `renews`; key_path: where a new key goes, NULL: the key stays. */
int
x509_ca_create_request(
    const struct x509_ca_create *how, const char *key_path, struct buf *pem, struct err *e) MUST_CHECK;
/* cert_path: PEM, the CA certificate first, then its chain up to the root. Checks that the key fits, that it
 * is a CA certificate, and that each certificate is signed by the next; errors name file and reason. hash:
 * CNGHashAlgorithm, "SHA1", "SHA256", "SHA384", "SHA512". */
struct x509_ca *
x509_ca_load(const char *key_path, const char *cert_path, const char *hash, const struct rng *rng,
    struct err *e) MUST_CHECK;
void
x509_ca_free(struct x509_ca *ca);

struct bytes
x509_ca_cert_der(const struct x509_ca *ca);
size_t
x509_ca_chain_len(const struct x509_ca *ca); /* certificates in the chain, the CA's own included */
struct bytes
x509_ca_chain_der(const struct x509_ca *ca, size_t i); /* 0 is the CA's own */
struct bytes
x509_ca_subject(const struct x509_ca *ca); /* Name DER */
struct bytes
x509_ca_issuer(const struct x509_ca *ca); /* Name DER: who issued the CA's certificate, itself when a root */
struct bytes
x509_ca_serial(const struct x509_ca *ca); /* of the CA's certificate: content of the INTEGER */
struct bytes
x509_ca_key_id(const struct x509_ca *ca); /* subjectKeyIdentifier of the CA certificate */
struct bytes
x509_ca_spki(const struct x509_ca *ca); /* SubjectPublicKeyInfo of its key */
/* Of which kind its key is; E_INVALIDARG when x509_ca_create() makes none like it. bits 0: as long as it is.
 */
int
x509_ca_key_like(const struct x509_ca *ca, uint32_t bits, enum x509_ca_key *out, struct err *e) MUST_CHECK;
/* Has its key signed this Certificate? false for what is none. */
bool
x509_ca_signed(const struct x509_ca *ca, struct bytes certificate);
filetime_t
x509_ca_not_after(const struct x509_ca *ca);
filetime_t
x509_ca_not_before(const struct x509_ca *ca);
/* Are all certificates of the chain within their validity? */
bool
x509_ca_chain_is_current(const struct x509_ca *ca, filetime_t t);
bool
x509_ca_is_root(const struct x509_ca *ca);
const char *
x509_ca_key_text(const struct x509_ca *ca); /* "RSA-2048" */

/*
 * Signs a plan. Thread-safe: any number of workers on one CA. request_id picks the randomness stream of a
 * seeded CA (ECDSA nonces). out gets the Certificate.
 */
int
x509_ca_issue(struct x509_ca *ca, const struct x509_cert_plan *plan, uint64_t request_id, struct buf *out,
    struct err *e) MUST_CHECK;

/* Degenerate PKCS #7 (certs only): leaf (may be empty) and the CA's chain. wcce.md 2.5. */
int
x509_ca_pkcs7_chain(const struct x509_ca *ca, struct bytes leaf, struct buf *out, struct err *e) MUST_CHECK;
/* The same of the CA's chain, with CRLs beside it. */
int
x509_ca_pkcs7_crls(
    const struct x509_ca *ca, const struct bytes *crls, size_t n, struct buf *out, struct err *e) MUST_CHECK;
/* The same with content (id-data) before the CA's chain; n may be 0. */
int
x509_ca_pkcs7_around(const struct x509_ca *ca, struct bytes content, const struct bytes *crls, size_t n,
    struct buf *out, struct err *e) MUST_CHECK;

/* SHA-1 of the subjectPublicKey bits: RFC 5280 4.2.1.2 (1), as AD CS makes its SKI. */
void
x509_key_id(const struct x509_key_info *key, uint8_t out[20]);
/* SHA-1 of a certificate, for columns and texts. */
void
x509_sha1(struct bytes in, uint8_t out[20]);

#endif
