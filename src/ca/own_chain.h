/* The chain above this CA: is its certificate revoked, and can that be told? On the loop. */
#ifndef ADCSD_CA_OWN_CHAIN_H
#define ADCSD_CA_OWN_CHAIN_H

#include "ca/ca_priv.h"

/*
 * Step 35 of issuance.md section 2, its second part. Puts what is wrong with the chain of r's CA certificate
 * into r->policy, for the rule to tell, and runs go_on(r) exactly once, possibly before it returns. CRLs come
 * from the directory, so where a certificate names none there, and none is there, nothing is held against it.
 * A root has nobody above it, and a chain without its root is not asked about.
 */
void
ca_own_chain_check(struct ca_request *r, void (*go_on)(struct ca_request *r));

#endif
