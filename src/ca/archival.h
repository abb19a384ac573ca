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

#endif
