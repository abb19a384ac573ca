/*
 * PKCS #10 in (RFC 2986): split without building OpenSSL objects. Everything borrowed
 * points into `raw`, which the caller keeps. DER only; RSA and named-curve EC keys are known to the lean
 * reader, other keys are handed to OpenSSL's parser.
 */
#ifndef ADCSD_X509_REQUEST_H
#define ADCSD_X509_REQUEST_H

#include "base/der.h"
#include "base/pool.h"

#define X509_REQUEST_MAX (256 * 1024) /* longest request taken, octets */
#define X509_MAX_EXTENSIONS 64
#define X509_MAX_RDNS 64

struct x509_extension {
	struct bytes oid; /* body of the OBJECT IDENTIFIER */
	bool critical;
	struct bytes value; /* content of extnValue's OCTET STRING */
};

struct x509_rdn {
	struct bytes oid;
	uint8_t tag;        /* string type */
	struct bytes value; /* as encoded */
	unsigned set;       /* index of the RelativeDistinguishedName it stands in */
};

struct x509_name_value { /* 1.3.6.1.4.1.311.13.2.1, UTF-8 */
	const char *name, *value;
};

enum x509_key_type { X509_KEY_RSA, X509_KEY_EC, X509_KEY_OTHER };

struct x509_key_info {
	enum x509_key_type type;
	unsigned bits; /* RSA modulus length, EC field size; what OpenSSL says of others, 0 when it cannot */
	const char *curve;     /* "P-256", ... or NULL */
	struct bytes spki;     /* SubjectPublicKeyInfo, verbatim */
	struct bytes key_bits; /* content of subjectPublicKey, for the SKI */
};

struct x509_request {
	struct bytes raw;     /* CertificationRequest */
	struct bytes info;    /* CertificationRequestInfo, what is signed */
	struct bytes subject; /* Name, verbatim DER */
	struct x509_rdn *rdns;
	size_t n_rdns;
	struct x509_key_info key;
	struct bytes sig_alg; /* AlgorithmIdentifier, verbatim */
	struct bytes signature;
	struct x509_extension
	    *extensions; /* of every extensionRequest attribute, in order; Certipy sends several */
	size_t n_extensions;
	struct x509_name_value *name_values;
	size_t n_name_values;
	/* what the extensions and attributes say about the template (MS-WCCE 2.2.2.7.7.1, 2.2.2.7.7.2) */
	const char *template_name; /* 1.3.6.1.4.1.311.20.2; NULL when absent */
	const char *template_oid;  /* 1.3.6.1.4.1.311.21.7, dotted; NULL when absent */
	bool has_template_version;
	uint32_t template_major, template_minor;
	const char *os_version;           /* 1.3.6.1.4.1.311.13.2.3; may be NULL */
	bool has_archived_key;            /* attribute 1.3.6.1.4.1.311.21.13 present */
	struct bytes encrypted_key_hash;  /* value of 1.3.6.1.4.1.311.21.21; empty when absent */
	bool keygen;                      /* a SignedPublicKeyAndChallenge */
	struct bytes renewal_certificate; /* value of 1.3.6.1.4.1.311.13.1; empty when absent */
};

/*
 * Reads a request. `raw` is DER; base64 and PEM are undone before by x509_request_unwrap(). CRYPT_E_ASN1_EOD
 * when data ends early, CRYPT_E_ASN1_BADTAG else (issuance.md section 2 step 9), E_INVALID_DATA for a
 * multi-valued single-valued attribute and an extension asked for twice, CERTSRV_E_BAD_REQUESTSUBJECT when
 * the subject holds text that is malformed or has a NUL.
 */
int
x509_request_parse(struct x509_request *out, struct pool *pool, struct bytes raw, struct err *e) MUST_CHECK;

/* The DER inside PEM (any header, one line or many) or bare base64; DER passes through. */
int
x509_request_unwrap(struct bytes in, struct pool *pool, struct bytes *der, struct err *e) MUST_CHECK;

/*
 * KEYGEN instead of PKCS #10: key, signature and challenge; the subject follows by x509_keygen_subject() from
 * the request attributes (CN, O, ...; others are passed over). CRYPT_E_ASN1_*; CERTSRV_E_BAD_REQUESTSUBJECT
 * when nothing names one.
 */
int
x509_keygen_parse(struct x509_request *out, struct pool *pool, struct bytes raw, const char **challenge,
    struct err *e) MUST_CHECK;
int
x509_keygen_subject(struct x509_request *r, struct pool *pool, const struct x509_name_value *words, size_t n,
    struct err *e) MUST_CHECK;

/* What the first bytes say the content is. */
enum x509_format { X509_FORMAT_PKCS10, X509_FORMAT_CMS, X509_FORMAT_KEYGEN, X509_FORMAT_UNKNOWN };
enum x509_format
x509_request_format(struct bytes der);

/* Proof of possession. Thread-safe, touches only `r`. NTE_BAD_SIGNATURE, NTE_BAD_PUBLIC_KEY,
 * CRYPT_E_UNKNOWN_ALGO. */
int
x509_request_verify(const struct x509_request *r, struct err *e) MUST_CHECK;
/* The same inside CMS and CMC, where a null signature (MS-WCCE 2.2.2.6.5: a bare hash) is enough. */
int
x509_request_verify_wrapped(const struct x509_request *r, struct err *e) MUST_CHECK;

/* Reads SubjectPublicKeyInfo, which *out borrows. Form only: whether the numbers make a key, signatures tell.
 * CRYPT_E_ASN1_*. */
int
x509_key_read(struct x509_key_info *out, struct bytes spki, struct err *e) MUST_CHECK;
/* Appends the SubjectPublicKeyInfo of a key nobody holds, for requests that are only rehearsed: "rsa:2048",
 * "ec:P-256". E_INVALIDARG. */
int
x509_key_stand_in(struct buf *out, const char *spec, struct err *e) MUST_CHECK;

/* First extension with this dotted OID, or NULL. */
const struct x509_extension *
x509_request_extension(const struct x509_request *r, const char *oid);

#endif
