/* What a rehearsal tells, as JSON: the same from the server and from an export. New references. */
#ifndef ADCSD_REHEARSE_REPORT_H
#define ADCSD_REHEARSE_REPORT_H

#include "policy/policy.h"

struct json_t;

/* {subject, alternativeNames, notBefore, notAfter, publish, extensions: [{oid, name, critical, text?,
 * value}]} of a result that is issued or pending. */
struct json_t *
report_certificate(const struct policy_result *r);
/* [{step, rule, said, attribute, section, text, fix}]: what has no value is left out. */
struct json_t *
report_rules(const struct policy_result *r);
/* One of them. */
struct json_t *
report_reason(const struct policy_reason *x);

#endif
