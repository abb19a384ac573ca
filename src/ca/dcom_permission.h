/* What COM asks for before it lets anybody at the CA's classes: settings of [dcom]. */
#ifndef ADCSD_CA_DCOM_PERMISSION_H
#define ADCSD_CA_DCOM_PERMISSION_H

#include "ca/ca.h"

enum ca_dcom_permission { CA_DCOM_LAUNCH, CA_DCOM_ACCESS };

/* Has the caller (NULL: anonymous) these COM_RIGHTS_* by LaunchPermission or AccessPermission? -1 with
 * E_ACCESSDENIED. */
int
ca_dcom_check(const struct ca *ca, enum ca_dcom_permission which, const struct token *caller, uint32_t rights,
    struct err *e) MUST_CHECK;
/* RequireIntegrityActivationAuthenticationLevel (KB5004442). */
bool
ca_dcom_requires_integrity(const struct ca *ca);

#endif
