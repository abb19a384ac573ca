/* Revoking certificates and releasing them from hold. */
#ifndef ADCSD_CA_REVOKE_H
#define ADCSD_CA_REVOKE_H

#include "ca/ca_priv.h"
#include "x509/crl.h"

/* Reasons beside those of RFC 5280: MS-CSRA 3.1.4.1.8 */
#define CA_REASON_OMIT_EXPIRED 0xfffffffdu    /* PublishExpiredCertInCRL 0 */
#define CA_REASON_PUBLISH_EXPIRED 0xfffffffeu /* PublishExpiredCertInCRL 1 */
#define CA_REASON_RELEASE 0xffffffffu

/* "keyCompromise", ...; NULL for a number that names none. */
const char *
ca_reason_name(uint32_t reason);
/* A name without regard to case, or the number. */
int
ca_reason_from_text(const char *text, uint32_t *reason, struct err *e) MUST_CHECK;

enum ca_revoke_action { CA_REVOKE_REVOKE, CA_REVOKE_RELEASE, CA_REVOKE_SET_EXPIRED };
/* The table of issuance.md section 11. current: the reason in the row, where it is revoked. */
int
ca_revoke_decide(uint32_t disposition, uint32_t current, uint32_t reason, enum ca_revoke_action *out,
    struct err *e) MUST_CHECK;

typedef void
ca_revoke_fn(void *arg, const struct err *e);
/* Changes the row; effective 0 is now. done runs exactly once, possibly before this returns; after -1 never.
 */
int
ca_revoke_start(struct ca *ca, const struct ca_who *who, uint32_t id, uint32_t reason, filetime_t effective,
    ca_revoke_fn *done, void *arg, struct err *e) MUST_CHECK;

#endif
