/* The signers of a request, held against what this CA has revoked. On the loop. */
#ifndef ADCSD_CA_SIGNER_REVOCATION_H
#define ADCSD_CA_SIGNER_REVOCATION_H

#include "ca/ca_priv.h"

typedef void
ca_signers_fn(struct ca_request *r, const struct err *e);

/*
 * go_on(r, NULL), or with CRYPT_E_REVOKED when one of them is revoked, or CRYPT_E_REVOCATION_OFFLINE when no
 * CRL in force would tell (unless CRLF_REVCHECK_IGNORE_OFFLINE); a publication that is due or under way is
 * awaited first. Runs it exactly once, possibly before it returns. Requests outside CMS, and those an officer
 * takes up again, have nothing to check.
 */
void
ca_signers_check(struct ca_request *r, ca_signers_fn *go_on);

#endif
