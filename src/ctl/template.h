/* Certificate templates in the directory, as the console's commands handle them. */
#ifndef ADCSD_CTL_TEMPLATE_H
#define ADCSD_CTL_TEMPLATE_H

#include "ctl/ldap.h"
#include "policy/template.h"

/* DN of CN=<container>,CN=Public Key Services. */
const char *
ctl_pks_dn(struct ctl *c, const char *container);

/* By cn (case-insensitive); E_DS_NO_SUCH_OBJECT names the near misses: a display name given instead. */
int
ctl_template_find(struct ctl *c, const char *name, struct ctl_entry **out, struct err *e) MUST_CHECK;
int
ctl_template_decode(
    struct ctl *c, const struct ctl_entry *en, struct policy_template *out, struct err *e) MUST_CHECK;

/* The display name without blanks: the name the console proposes. */
const char *
ctl_template_name_from_display(struct ctl *c, const char *display);
int
ctl_forest_oid_base(struct ctl *c, const char **out, struct err *e) MUST_CHECK;
/* A new OID under the forest's base. NULL with e. */
const char *
ctl_template_new_oid(struct ctl *c, struct err *e) MUST_CHECK;
/* What is wrong with a template name; NULL: nothing. */
const char *
ctl_template_name_check(struct ctl *c, const char *name);
/* The msPKI-Enterprise-Oid object that belongs to a template's OID (templates.md 8.4). */
int
ctl_template_add_oid(struct ctl *c, const char *oid, const char *display, struct err *e) MUST_CHECK;
bool
ctl_attr_equal(const struct ctl_attr *x, const struct ctl_attr *y);

int
ctl_template_list(struct ctl *c, const struct ctl_args *a);
int
ctl_template_acl_show(struct ctl *c, const struct ctl_args *a);
int
ctl_template_acl_set(struct ctl *c, const struct ctl_args *a);
int
ctl_template_acl_grant(struct ctl *c, const struct ctl_args *a);
int
ctl_template_acl_deny(struct ctl *c, const struct ctl_args *a);
int
ctl_template_acl_remove(struct ctl *c, const struct ctl_args *a);
int
ctl_template_duplicate(struct ctl *c, const struct ctl_args *a);
int
ctl_template_set(struct ctl *c, const struct ctl_args *a);
int
ctl_template_reenroll(struct ctl *c, const struct ctl_args *a);
int
ctl_template_diff(struct ctl *c, const struct ctl_args *a);
int
ctl_template_export(struct ctl *c, const struct ctl_args *a);
int
ctl_template_import(struct ctl *c, const struct ctl_args *a);
int
ctl_template_delete(struct ctl *c, const struct ctl_args *a);
int
ctl_template_show(struct ctl *c, const struct ctl_args *a);

#endif
