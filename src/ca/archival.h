/*
 * Key archival (MS-WCCE 1.3.2.1, issuance.md section 10) as the fronts see it: the CA's exchange certificate,
 * the key recovery agents, and archived keys on their way out and in. All on the loop's thread; what is
 * handed to a callback is lent during it. A callback runs exactly once when the call returned 0, possibly
 * before it returns, and never when it returned -1.
 */
#ifndef ADCSD_CA_ARCHIVAL_H
#define ADCSD_CA_ARCHIVAL_H

#include "ca/ca.h"

typedef void
ca_blob_fn(void *arg, struct bytes blob, const struct err *e); /* e NULL: blob is the answer */
typedef void
ca_done_fn(void *arg, const struct err *e);

/*
 * The CA exchange certificate, DER: CR_PROP_CAXCHGCERT, GETCERT_CAXCHGCERT (MS-WCCE 3.2.1.4.3.2.15). The one
 * in use, or a new one when there is none, it ends within CAXchgOverlapPeriod, it is revoked, or the CA has
 * another key; then the answer comes after the row is durable. who: for the row's CallerName; rights are the
 * caller's business.
 */
int
ca_exchange_get(
    struct ca *ca, const struct ca_caller *who, ca_blob_fn *cb, void *arg, struct err *e) MUST_CHECK;
/* CR_PROP_CAXCHGCERTCHAIN (3.2.1.4.3.2.16): SignedData without signers, its content the exchange certificate,
 * its certificates those of the CA; with crls CR_PROP_CAXCHGCERTCRLCHAIN (3.2.1.4.3.2.33): also the newest
 * base and delta CRL, so far as there are any. In the pool. */
int
ca_exchange_chain(struct ca *ca, struct bytes exchange, bool crls, struct pool *pool, struct bytes *out,
    struct err *e) MUST_CHECK;
/* CAXchgCertHash: hashes of the exchange certificates that still open requests, "aa bb .." each, newest last.
 * In the pool. */
int
ca_exchange_hashes(
    struct ca *ca, struct pool *pool, const char *const **out, size_t *n, struct err *e) MUST_CHECK;

/* ---- key recovery agents: CR_PROP_KRACERT*, and what SetCAProperty changes (MS-CSRA 3.1.4.2.3) ---- */

/* CR_PROP_KRACERTSTATE */
enum {
	CA_KRA_EXPIRED = 0,
	CA_KRA_NOT_FOUND = 1,
	CA_KRA_REVOKED = 2,
	CA_KRA_VALID = 3,
	CA_KRA_NOT_LOADED = 4,
	CA_KRA_INVALID = 5, /* not for key recovery, or its key cannot be encrypted to */
	CA_KRA_UNTRUSTED = 6,
};

/* KRACERTCOUNT: certificates in the list. */
size_t
ca_kra_count(const struct ca *ca);
/* KRACERTUSEDCOUNT, KRACertCount of the registry: how many of them each key is encrypted for; 0: no archival.
 */
uint32_t
ca_kra_used_count(const struct ca *ca);
/* KRACERT: DER, lent until the list changes. E_FILE_NOT_FOUND past the last. */
int
ca_kra_get(const struct ca *ca, size_t index, struct bytes *der, struct err *e) MUST_CHECK;
/* KRACERTSTATE of one at this time, and why it is not valid in e. */
int
ca_kra_state(struct ca *ca, size_t index, struct err *e);

/* KRACERT: replaces one, or adds it (index = count). Administrator, as the rest. CRYPT_E_ASN1_* when it is no
 * certificate; its state is not asked, nor whether it is there already: who shortens a list moves them up one
 * by one. */
int
ca_kra_set(struct ca *ca, const struct ca_caller *who, size_t index, struct bytes der, ca_done_fn *cb,
    void *arg, struct err *e) MUST_CHECK;
/* KRACERTCOUNT: keeps the first n, fewer than there are. E_INVALIDARG. */
int
ca_kra_set_count(struct ca *ca, const struct ca_caller *who, size_t n, ca_done_fn *cb, void *arg,
    struct err *e) MUST_CHECK;
/* KRACERTUSEDCOUNT: at most as many as there are; 0 (Ours; the wire wants 1 or more) ends archival. */
int
ca_kra_set_used_count(struct ca *ca, const struct ca_caller *who, uint32_t n, ca_done_fn *cb, void *arg,
    struct err *e) MUST_CHECK;
/* Ours: takes one out of the list. */
int
ca_kra_remove(struct ca *ca, const struct ca_caller *who, size_t index, ca_done_fn *cb, void *arg,
    struct err *e) MUST_CHECK;

/* ---- archived keys ---- */

/* ICertAdminD2::GetArchivedKey (MS-CSRA 3.1.4.2.9): the key of an issued certificate, encrypted for the
 * recovery agents, in SignedData by the CA. Officer. CERTSRV_E_PROPERTY_EMPTY for an unknown request and for
 * one without a key. Both outcomes are journalled. */
int
ca_archived_key_get(struct ca *ca, const struct ca_caller *who, uint32_t request_id, ca_blob_fn *cb,
    void *arg, struct err *e) MUST_CHECK;

#define CA_IMPORT_OVERWRITE 0x00010000u /* dwFlags of ImportKey: replace a key that is there */
/* ICertAdminD2::ImportKey (3.1.4.2.16): a key, encrypted to the exchange certificate as in a request, for a
 * certificate by request id (0 or 0xffffffff: none) or by its SHA-1 in hexadecimal (NULL: none), which must
 * be its public key's. Officer. E_INVALIDARG, CERTSRV_E_PROPERTY_EMPTY as listed there; errors of requests
 * that archive a key. */
int
ca_archived_key_import(struct ca *ca, const struct ca_caller *who, uint32_t request_id, const char *cert_hash,
    uint32_t flags, struct bytes key, ca_done_fn *cb, void *arg, struct err *e) MUST_CHECK;

#endif
