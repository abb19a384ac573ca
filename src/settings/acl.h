/* CA\Security: the CA's own access list (access-control.md section 1), changed as the Security tab does. */
#ifndef ADCSD_SETTINGS_ACL_H
#define ADCSD_SETTINGS_ACL_H

#include <jansson.h>

#include "auth/sd.h"

enum ca_acl_change { CA_ACL_GRANT, CA_ACL_DENY, CA_ACL_REMOVE };
/*
 * Edits a DACL of plain ACEs and leaves it in canonical order: denials first, then permissions, each in the
 * order they had. GRANT takes the rights out of a denial, DENY out of a permission; REMOVE drops the rights
 * from both. CERTSRV_E_NO_CAADMIN_DEFINED when nobody would be left who may manage the CA; sd is changed in
 * any case.
 */
int
ca_acl_edit(struct sd *sd, struct pool *pool, const struct sid *principal, enum ca_acl_change what,
    uint32_t rights, struct err *e) MUST_CHECK;
/* "ManageCA", "Enroll", ...: rights by name and names by right. */
int
ca_right_from_name(const char *name, uint32_t *mask, struct err *e) MUST_CHECK;
json_t *
ca_rights_to_json(uint32_t mask);

bool
ca_acl_has_administrator(const struct sd *sd);

/* What ca.acl.show answers: "sddl" and "aces". domain NULL: its aliases are not used. */
json_t *
ca_acl_to_json(const struct sd *sd, const struct sddl_domain *domain, struct err *e) MUST_CHECK;
/* Edits by the arguments of ca.acl.grant, deny and remove: "principal" and "rights" (REMOVE without: all). */
int
ca_acl_edit_json(struct sd *sd, struct pool *pool, const json_t *args, enum ca_acl_change what,
    const struct sddl_domain *domain, struct err *e) MUST_CHECK;

#endif
