/* The CRLs of other CAs, from the directory's CDP objects. On the loop. */
#ifndef ADCSD_CA_FOREIGN_CRLS_H
#define ADCSD_CA_FOREIGN_CRLS_H

#include "ca/ca_priv.h"

/* crls: DER, base and delta, in the request's pool; e NULL. Or e; CRLs that are not there are no error. */
typedef void
ca_foreign_crls_fn(void *arg, const struct bytes *crls, size_t n, const struct err *e);

/* Searches for r; done runs exactly once, or never on -1. Ours are left out: they are long, and our database
 * knows better. */
int
ca_foreign_crls_get(struct ca_request *r, ca_foreign_crls_fn *done, void *arg, struct err *e) MUST_CHECK;

#endif
