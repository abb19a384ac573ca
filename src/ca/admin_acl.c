/* ca.acl.*: the CA's own security descriptor. A change counts from the answer on and is kept in the store. */
#include <string.h>

#include "ca/admin_priv.h"

#define SDDL_MAX 65536

/* ---- showing ---- */

void
admin_acl_show(struct ca_admin *a)
{
	struct err e = { 0 };
	json_t *o = ca_acl_to_json(&a->ca->live->security, &a->ca->domain, &e);

	if (o == NULL)
		admin_fail(a, &e);
	else
		admin_reply(a, o);
}

/* ---- changing ---- */

static void
on_acl_stored(void *arg, const struct err *e)
{
	if (e != NULL)
		admin_fail(arg, e);
	else
		admin_acl_show(arg);
}

/* A copy is edited: until it is stored the old one rules. */
static int
edit(struct ca_admin *a, enum ca_acl_change what, const char **sddl, struct err *e)
{
	struct sd sd = a->ca->live->security; /* the list itself is made anew */
	struct buf b;
	int rc;

	if (ca_acl_edit_json(&sd, a->pool, a->args, what, &a->ca->domain, e) != 0)
		return -1;
	buf_init(&b, SDDL_MAX);
	rc = sd_to_sddl(&sd, &b, &a->ca->domain, e);
	*sddl = rc == 0 ? pool_strdup(a->pool, buf_cstr(&b)) : NULL;
	buf_fini(&b);
	return rc == 0 && *sddl == NULL ? ERR(e, E_OUTOFMEMORY, "no memory for the access list") : rc;
}

static int
store_security(struct ca_admin *a, const char *sddl, struct err *e)
{
	const struct setting *row;

	return ca_settings_find("CA\\Security", &row, e) != 0
	    ? -1
	    : ca_setting_start(a->ca, row, sddl, on_acl_stored, a, e);
}

static void
change(struct ca_admin *a, enum ca_acl_change what)
{
	struct err e = { 0 };
	const char *sddl;

	if (edit(a, what, &sddl, &e) != 0 || store_security(a, sddl, &e) != 0)
		admin_fail(a, &e);
}

void
admin_acl_set(struct ca_admin *a)
{
	struct err e = { 0 };
	const char *sddl;

	if (admin_text(a, "sddl", &sddl, &e) != 0 || store_security(a, sddl, &e) != 0)
		admin_fail(a, &e);
}

void
admin_acl_grant(struct ca_admin *a)
{
	change(a, CA_ACL_GRANT);
}

void
admin_acl_deny(struct ca_admin *a)
{
	change(a, CA_ACL_DENY);
}

void
admin_acl_remove(struct ca_admin *a)
{
	change(a, CA_ACL_REMOVE);
}
