/* A CA for rehearsals without a server: the settings of a new enterprise CA, valid for the next ten years. */
#ifndef ADCSD_REHEARSE_DEFAULTS_H
#define ADCSD_REHEARSE_DEFAULTS_H

#include "policy/policy.h"

/* Texts are borrowed, lists go to the pool. The default access list lets every account request: check none.
 */
int
rehearse_default_ca(struct policy_ca *out, const char *dns_domain, const char *nb_domain, filetime_t now,
    struct pool *pool, struct err *e) MUST_CHECK;
/* For people_finish(): the CA host's Administrators hold Domain and Enterprise Admins, its Users everybody.
 */
int
rehearse_default_local_groups(void *arg, struct token *t, struct err *e);

#endif
