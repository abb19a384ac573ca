/* What the files of x509/ share: OpenSSL ownership, hashes, keys, text of ASN.1 strings, the signer. */
#ifndef ADCSD_X509_X509_PRIV_H
#define ADCSD_X509_X509_PRIV_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "x509/cert.h"

/* ---- OpenSSL ownership: AUTO(EVP_PKEY) *key = ...; ... return STEAL(key); ---- */

#define DEFINE_AUTO(type, release)                                                                           \
	static inline void type##_auto(type **p)                                                             \
	{                                                                                                    \
		release(*p);                                                                                 \
	}
#define AUTO(type) __attribute__((cleanup(type##_auto))) type
#define STEAL(p)                                                                                             \
	__extension__({                                                                                      \
		__typeof__(p) stolen_ = (p);                                                                 \
		(p) = NULL;                                                                                  \
		stolen_;                                                                                     \
	})

DEFINE_AUTO(BIO, BIO_free_all)
DEFINE_AUTO(EVP_MD_CTX, EVP_MD_CTX_free)
DEFINE_AUTO(EVP_PKEY, EVP_PKEY_free)
DEFINE_AUTO(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
DEFINE_AUTO(X509, X509_free)
DEFINE_AUTO(X509_REQ, X509_REQ_free)

/* Why the last OpenSSL call failed; empties the thread's error queue. Static storage. */
const char *
x509_openssl_reason(void);

/* ---- hashes ---- */

enum x509_hash { X509_HASH_SHA1, X509_HASH_SHA256, X509_HASH_SHA384, X509_HASH_SHA512 };

/* Name for OpenSSL and CNGHashAlgorithm alike: "SHA256". */
const char *
x509_hash_name(enum x509_hash h);
int
x509_hash_from_name(enum x509_hash *out, const char *name, struct err *e) MUST_CHECK;
/* By OID body (RFC 8017 A.1, NIST); false when it is none of ours. */
bool
x509_hash_from_oid(enum x509_hash *out, struct bytes oid);

/* A constant OID body: { OID_BODY("\x55\x04\x03") }. */
#define OID_BODY(literal)                                                                                    \
	{                                                                                                    \
		(const uint8_t *)(literal), sizeof(literal) - 1                                              \
	}

/* ---- keys (key.c) ---- */

/* RSA and named-curve EC keys only. NTE_BAD_PUBLIC_KEY. */
EVP_PKEY *
x509_key_pkey(const struct x509_key_info *key, struct err *e) MUST_CHECK;

/* AlgorithmIdentifier: its OID and, when present, its parameters; params.len 0 when absent. */
struct x509_algorithm {
	struct bytes oid;
	struct der_item params;
};
int
x509_algorithm_read(struct x509_algorithm *out, struct bytes raw, const char *what, struct err *e) MUST_CHECK;
/* Parameters absent or NULL. */
bool
x509_algorithm_plain(const struct x509_algorithm *a);

/* Whether `signature` over `message` is this key's; `what` signs is for messages ("the request").
 * rsaEncryption and id-ecPublicKey as algorithm (CMS) need digest; it may be NULL else. NTE_BAD_SIGNATURE,
 * NTE_BAD_PUBLIC_KEY, CRYPT_E_UNKNOWN_ALGO. RSA and named-curve EC keys only. */
int
x509_signature_verify(const struct x509_key_info *key, struct bytes sig_alg, const enum x509_hash *digest,
    struct bytes message, struct bytes signature, const char *what, struct err *e) MUST_CHECK;
/* The hash in a request's signature, or its null signature. CRYPT_E_UNKNOWN_ALGO. */
int
x509_request_hash(const struct x509_request *r, enum x509_hash *out, struct err *e) MUST_CHECK;
/* AlgorithmIdentifier of a hash. CRYPT_E_UNKNOWN_ALGO. */
int
x509_hash_read(struct bytes algorithm, enum x509_hash *out, const char *what, struct err *e) MUST_CHECK;
/* hr and `what` unless `hash` is the hash of the message. */
int
x509_hash_check(enum x509_hash h, struct bytes message, struct bytes hash, uint32_t hr, const char *what,
    struct err *e) MUST_CHECK;

/* ---- pieces (attribute.c) ---- */

/* Next Extension. */
int
x509_extension_read(struct der *d, struct x509_extension *out, struct err *e) MUST_CHECK;
const char *
x509_template_name_read(struct pool *pool, struct bytes value, struct err *e);
struct x509_template_info {
	const char *oid;
	bool has_version;
	uint32_t major, minor;
};
/* MS-WCCE 2.2.2.7.7.2: SEQUENCE { OID, major OPTIONAL, minor OPTIONAL }. */
int
x509_template_info_read(
    struct x509_template_info *out, struct pool *pool, struct bytes value, struct err *e) MUST_CHECK;
struct x509_name_values {
	struct x509_name_value *v;
	size_t n;
};
/* Keeps the texts; NULL for either counts as lack of memory. E_INVALID_DATA when there are too many. */
int
x509_name_values_add(struct x509_name_values *list, struct pool *pool, const char *name, const char *value,
    struct err *e) MUST_CHECK;
int
x509_name_values_read(
    struct x509_name_values *list, struct pool *pool, struct bytes value, struct err *e) MUST_CHECK;
/* Takes r->subject apart into r->rdns, its text checked. */
int
x509_request_read_subject(struct x509_request *r, struct pool *pool, struct err *e) MUST_CHECK;
/* What CMC controls add to the request inside: Extensions (which replace), the content of a SET OF Attribute.
 */
int
x509_request_add_extensions(
    struct x509_request *r, struct pool *pool, struct bytes extensions, struct err *e) MUST_CHECK;
int
x509_request_add_attributes(
    struct x509_request *r, struct pool *pool, struct bytes attributes, struct err *e) MUST_CHECK;

/* ---- names and text (name.c, text.c) ---- */

/* Takes a Name apart. CERTSRV_E_BAD_REQUESTSUBJECT past X509_MAX_RDNS. */
int
x509_name_read(struct bytes name, struct x509_rdn rdns[X509_MAX_RDNS], size_t *n, struct err *e) MUST_CHECK;
/* Relative names of an RFC 4514 text, root first, without the enclosing SEQUENCE. */
int
x509_name_put_dn(struct buf *out, const char *dn, struct err *e) MUST_CHECK;
/* OID of a label ("CN", "st", "OID.1.2.3", "1.2.3"); copies it to out. False when unknown. */
bool
x509_attribute_oid(const char *label, size_t n, char out[OID_TEXT_MAX]);
void
x509_put_attribute_value(struct buf *out, const char *oid, const char *utf8_value);

/* Does the tag name a character string we can read? */
bool
x509_is_text(uint8_t tag);
/* Next character of a string of that type: 1, 0 at the end, -1 when malformed. */
int
x509_text_next(uint8_t tag, struct bytes *in, uint32_t *cp);
/* Text of a known type, well-formed; NUL is tolerated: good enough to show. */
bool
x509_text_is_readable(uint8_t tag, struct bytes value);
/* Well-formed and without NUL, else `hr`. */
int
x509_text_check(uint8_t tag, struct bytes value, uint32_t hr, struct err *e) MUST_CHECK;
char *
x509_text_dup(struct pool *pool, uint8_t tag, struct bytes value, uint32_t hr, struct err *e) MUST_CHECK;
/* Readable text with RFC 4514 escapes, control characters as \xx. */
void
x509_put_escaped(struct buf *out, uint8_t tag, struct bytes value);

/* ---- signing (issue.c) ---- */

struct x509_signature_algorithm {
	int key_type; /* EVP_PKEY_RSA, EVP_PKEY_EC */
	enum x509_hash hash;
	struct bytes der; /* AlgorithmIdentifier */
};

/* OpenSSL's surroundings of a key; borrowed. NULL: the default ones. */
struct x509_lib {
	OSSL_LIB_CTX *ctx;
};

struct x509_signer {
	struct x509_lib lib;
	EVP_PKEY *key;
	const struct x509_signature_algorithm *alg;
	struct rng rng;
	bool constrained; /* constraints.h: by its own certificate, or one above */
};

const struct x509_signature_algorithm *
x509_signature_algorithm(int key_type, enum x509_hash hash);
/* TBSCertificate, RFC 5280 4.1.2. */
int
x509_tbs_put(
    struct buf *out, const struct x509_cert_plan *plan, struct bytes sig_alg, struct err *e) MUST_CHECK;
/* Appends algorithm and signature to what stands from `tbs` on, and closes `outer`; purpose and id as below.
 */
int
x509_signer_sign(const struct x509_signer *s, struct buf *out, size_t outer, size_t tbs, const char *purpose,
    uint64_t id, struct err *e) MUST_CHECK;
/* TBSCertList, RFC 5280 5.1.2 (crl.c). */
struct x509_crl_plan;
int
x509_crl_tbs_put(struct buf *out, const struct x509_crl_plan *plan, struct bytes sig_alg, struct bytes issuer,
    struct bytes key_id, struct err *e) MUST_CHECK;
/* The whole certificate; purpose and id name the randomness stream of a seeded signer. */
int
x509_signer_issue(const struct x509_signer *s, const struct x509_cert_plan *plan, const char *purpose,
    uint64_t id, struct buf *out, struct err *e) MUST_CHECK;

/* Appends a BIT STRING or OCTET STRING (tag) with the signature of out's octets from `from`. */
int
x509_signer_put_signature(const struct x509_signer *s, const char *purpose, uint64_t id, uint8_t tag,
    struct buf *out, size_t from, size_t len, struct err *e) MUST_CHECK;
/* constraints.c */
bool
x509_chain_constrains(X509 *const certs[], size_t n);
/* The CA's (ca_load.c). */
const struct x509_signer *
x509_ca_signer(const struct x509_ca *ca);

/* ---- seeded randomness (rand_provider.c) ---- */

/* The library context whose random numbers come from the calling thread's current stream, and from nowhere
 * else. There is one for the whole process, and it stays: OpenSSL visits a context whenever a thread that has
 * used it ends. */
int
x509_seeded_lib_get(struct x509_lib *lib, struct err *e) MUST_CHECK;
/* Sets the thread's current stream, NULL for none: then a draw in a seeded context fails. */
void
x509_seeded_stream_set(struct rng_stream *s);

#endif
