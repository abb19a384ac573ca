/* Shared by the template decoder's files. */
#ifndef ADCSD_POLICY_TEMPLATE_PRIV_H
#define ADCSD_POLICY_TEMPLATE_PRIV_H

#include "policy/template.h"

/* Fails with the value that is not a dotted OID. */
int
template_check_oids(const char *attr, struct x509_strings oids, struct err *e) MUST_CHECK;

/*
 * msPKI-RA-Application-Policies in the syntax that schema version and msPKI-Private-Key-Flag call for
 * (MS-CRTD 2.23.1, 2.23.2); those two must be decoded already.
 */
int
template_ra_policies_decode(
    struct policy_template *t, struct pool *pool, struct x509_strings values, struct err *e) MUST_CHECK;

#endif
