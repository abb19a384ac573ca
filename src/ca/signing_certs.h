/*
 * The Signing_Cert table inside ca/ (MS-WCCE 3.2.1.1.2): certificates, keys, suffixes, cross certificates.
 * Rows are only ever added, and live as long as the CA. ca_certs.h is what the rest of the program sees.
 *
 * In the state folder: ca.key and ca.crt are the first key and certificate, "ca(n).crt" the certificate with
 * index n, "ca(n).key" its key where that is new, "ca(n-m).cer" cross certificates. The store's setting
 * CA\CACertHash lists the SHA-1 of every certificate that counts; what is not in it is the leftover of a
 * renewal that was cut short.
 */
#ifndef ADCSD_CA_SIGNING_CERTS_H
#define ADCSD_CA_SIGNING_CERTS_H

#include "ca/ca_certs.h"
#include "ca/ca_priv.h"

#define CA_CERT_HASHES "CA\\CACertHash"
#define CRLF_IGNORE_INVALID_POLICIES 0x10u

struct ca_cert {
	uint16_t index, key_index;
	struct x509_ca *x509;
	const char *suffix, *key_suffix; /* %4 and %8 of URLs: "(n)", or "" for index 0 */
	struct bytes forward, backward;  /* cross certificates; empty: none. Loop's thread */
	struct ca_urls urls;             /* of the certificates it signs; texts are ca->live's or the CA's */
};

/* Immutable: a renewal makes a new list. Workers may read the one their operation began with. */
struct ca_cert_list {
	size_t n;
	struct ca_cert *v[];
};

/* The one in force. */
static inline struct ca_cert *
ca_cert_newest(const struct ca *ca)
{
	return ca->certs->v[ca->certs->n - 1];
}

static inline uint32_t
ca_cert_version_of(const struct ca_cert *c)
{
	return (uint32_t)c->key_index << 16 | c->index;
}

/* Row of a version (IssuerNameId); NULL when there is none. */
struct ca_cert *
ca_cert_find(const struct ca *ca, uint32_t version);
/* Does this certificate's key go by its index? Then it stands for the key. */
static inline bool
ca_cert_is_key(const struct ca_cert *c)
{
	return c->index == c->key_index;
}
/* The newest certificate of a key. */
struct ca_cert *
ca_key_newest(const struct ca *ca, uint16_t key_index);
/* MS-CSRA 3.1.4.2.1: a key that still has a certificate which has not expired. */
bool
ca_key_is_valid(const struct ca *ca, uint16_t key_index, filetime_t now);

/* Loads the first certificate, made at the first start; then ca->certs has one row, without URLs. */
int
ca_certs_open(struct ca *ca, struct err *e) MUST_CHECK;
/* Loads the others, as the store lists them, and sets every row's URLs. */
int
ca_certs_load(struct ca *ca, struct err *e) MUST_CHECK;
/* Adds a row, which takes over at once; x509 is the row's from then on, also after a failure. Suffixes and
 * URLs are set here. */
int
ca_certs_append(struct ca *ca, struct x509_ca *x509, uint16_t key_index, struct err *e) MUST_CHECK;
/* Suffixes and URLs of a row, by its indexes; in the pool. */
int
ca_certs_name(const struct ca *ca, struct ca_cert *c, struct pool *pool, struct err *e) MUST_CHECK;
void
ca_certs_free(struct ca *ca);
/* Policy sees the newest certificate: ca->policy anew (ca.c). */
int
ca_policy_set(struct ca *ca, struct err *e) MUST_CHECK;

/* The URLs the settings give the certificates that this one signs. */
int
ca_cert_expand_urls(const struct ca *ca, const struct ca_cert *c, const struct ca_settings *s,
    struct pool *pool, struct ca_urls *out, struct err *e) MUST_CHECK;

/* What the settings of a CAPolicy.inf ask of the CA's own certificate; in the pool. */
int
ca_policy_inf(
    const struct ca_settings *s, struct x509_ca_create *how, struct pool *pool, struct err *e) MUST_CHECK;

/* "ca(3).key"; in the pool. */
const char *
ca_cert_path(const struct ca *ca, struct pool *pool, unsigned index, const char *suffix);
/* "ca(0-1).cer". */
const char *
ca_cross_path(const struct ca *ca, struct pool *pool, unsigned from, unsigned to);

#endif
