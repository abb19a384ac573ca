/* The chains of a request's signers: do they lead to somebody whom the forest trusts? On the loop. */
#ifndef ADCSD_CA_SIGNER_CHAIN_H
#define ADCSD_CA_SIGNER_CHAIN_H

#include "ca/ca_priv.h"

typedef void
ca_signer_chains_fn(struct ca_request *r, const struct err *e);

/*
 * done(r, NULL), or with what x509_chain_check() says of the first signer that fails. Runs it exactly once,
 * possibly before it returns; what was found stands in r->before, and so in the explanation. Requests outside
 * CMS have nothing to check. The CRLs of this CA are signer_revocation.h's.
 */
void
ca_signer_chains_check(struct ca_request *r, ca_signer_chains_fn *done);

/* Why a signer was refused afterwards, for the explanation. */
void
ca_signer_refused(struct ca_request *r, const struct err *e);

#endif
