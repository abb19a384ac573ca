/* CA\OfficerRights and CA\EnrollmentAgentRights: the tabs Certificate Managers and Enrollment Agents. */
#ifndef ADCSD_SETTINGS_RESTRICTIONS_H
#define ADCSD_SETTINGS_RESTRICTIONS_H

#include <jansson.h>

#include "auth/restriction.h"

/* What ca.rights.show answers; now NULL: nobody is restricted. */
json_t *
ca_restrictions_to_json(const struct restrictions *now, const char *sddl);
/* now (NULL: none yet) with the change of ca.rights.change in it: "what", "principal", "templates",
 * "subjects". domain NULL: SIDs and well-known aliases only. In the pool. */
int
ca_restrictions_edit(struct restrictions *out, const struct restrictions *now, struct pool *pool,
    const json_t *args, const struct sddl_domain *domain, struct err *e) MUST_CHECK;
/* Adds to an entry of the same principal, template and kind, and takes out of the opposite one; a new one
 * goes last, a denial behind the denials. v has room for one more. */
int
ca_restriction_put(struct restriction *v, size_t *n, struct pool *pool, const struct restriction *add,
    struct err *e) MUST_CHECK;

#endif
