/*
 * Registry values of a CA as "adcsctl --json ca show" prints them in "settings": names such as
 * "policy\\EditFlags" or "CA\\ValidityPeriod". Other members (KDC and Schannel values for lint) are read by
 * the same functions. A name that is not there leaves *out alone. E_INVALIDARG names the setting.
 */
#ifndef ADCSD_REHEARSE_REGISTRY_H
#define ADCSD_REHEARSE_REGISTRY_H

#include <jansson.h>

#include "auth/sd.h"
#include "policy/policy.h"

/* A number, decimal or "0x...", as JSON number or text. */
int
registry_number(const json_t *o, const char *name, int64_t *out, struct err *e) MUST_CHECK;
int
registry_u32(const json_t *o, const char *name, uint32_t *out, struct err *e) MUST_CHECK;
/* Texts go to the pool. */
int
registry_list(
    const json_t *o, const char *name, struct pool *pool, struct x509_strings *out, struct err *e) MUST_CHECK;
/* CA\ValidityPeriod and CA\ValidityPeriodUnits; either months or span is 0. *given: both were there. */
int
registry_validity(const json_t *o, int *months, filetime_t *span, bool *given, struct err *e) MUST_CHECK;

/*
 * What such a JSON object (with the members settings, security and notAfter; NULL: nothing) says of a CA,
 * laid over *ca: all that decides about a request. *security is made in the pool when the object has it, with
 * the aliases of domain; else it stays.
 */
int
rehearse_ca_settings(struct policy_ca *ca, struct sd **security, const json_t *o,
    const struct sddl_domain *domain, struct pool *pool, struct err *e) MUST_CHECK;

#endif
