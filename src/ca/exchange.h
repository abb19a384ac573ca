/* Exchange keys inside ca/: one for each exchange certificate that is still valid. */
#ifndef ADCSD_CA_EXCHANGE_H
#define ADCSD_CA_EXCHANGE_H

#include "ca/archival.h"
#include "ca/ca_priv.h"
#include "x509/private_key.h"

#define CA_EXCHANGE_MAX 8 /* keys kept at a time; the oldest makes room */

/* Immutable but for the count, which belongs to the loop's thread; a job reads what the loop holds. */
struct ca_exchange_key {
	unsigned refs;
	uint32_t id; /* request id of its certificate */
	struct pool *pool;
	struct x509_certificate certificate;
	struct x509_private_key *key;
};
struct ca_exchange_key *
ca_exchange_key_ref(struct ca_exchange_key *k);
/* NULL is fine. */
void
ca_exchange_key_unref(struct ca_exchange_key *k);

/* Reads what earlier runs left in store and state folder; what cannot be read is told and left out. */
int
ca_exchange_open(struct ca *ca, struct err *e) MUST_CHECK;
/* Waiting callers get E_CANCELLED. NULL is fine. */
void
ca_exchange_free(struct ca_exchange *x);

/* References to the keys whose certificates are valid now, newest first. */
size_t
ca_exchange_keys(struct ca *ca, struct ca_exchange_key *out[CA_EXCHANGE_MAX]);

/* exchange_content.c: what an exchange certificate for r's key says (MS-WCCE 3.2.1.4.3.2.15.1), but for
 * serial number and dates: r->out.plan. template: NULL when the directory has no CAExchange. */
int
ca_exchange_plan(struct ca_request *r, const struct policy_template *template, struct err *e) MUST_CHECK;

/* ---- own_request.c: certificates that the CA asks itself for ---- */

/* A request that nobody sent, so that row.c fills the row; the CA's host is its requester. Its reference to
 * the CA is borrowed. */
struct ca_request *
ca_own_request(struct ca *ca, const struct ca_caller *who, struct err *e);
/* NULL is fine. */
void
ca_own_request_free(struct ca_request *r);

struct ca_ext_list {
	struct pool *pool;
	struct x509_extension *x; /* room for what comes */
	size_t n;
	bool failed;
};
/* Takes what stands in the buffer as the next extension's value, and empties it. */
void
ca_ext_add(struct ca_ext_list *l, const char *oid, bool critical, struct buf *value);

#endif
