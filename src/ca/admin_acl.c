/* ca.acl.*: the CA's own security descriptor. A change counts from the answer on and is kept in the store. */
#include <string.h>

#include "ca/admin_priv.h"

#define SDDL_MAX 65536

/* ---- showing ---- */

static const char *
ace_kind(const struct ace *a)
{
	switch (a->type) {
	case ACCESS_ALLOWED_ACE_TYPE:
		return "allow";
	case ACCESS_DENIED_ACE_TYPE:
		return "deny";
	default:
		return "other";
	}
}

static json_t *
acl_json(const struct ca *ca, struct err *e)
{
	const struct sd *sd = &ca->live->security;
	json_t *aces = json_array(), *o = NULL;
	struct buf sddl;

	for (size_t i = 0; sd->dacl != NULL && i < sd->dacl->n; i++) {
		const struct ace *a = &sd->dacl->aces[i];
		char sid[SID_TEXT_MAX], mask[16];

		snprintf(mask, sizeof(mask), "0x%x", a->mask);
		json_array_append_new(aces,
		    json_pack("{s:s, s:s, s:o, s:s}", "type", ace_kind(a), "principal",
			sid_to_text(&a->sid, sid), "rights", ca_rights_to_json(a->mask), "mask", mask));
	}
	buf_init(&sddl, SDDL_MAX);
	if (sd_to_sddl(sd, &sddl, &ca->domain, e) == 0)
		o = json_pack("{s:s, s:O}", "sddl", buf_cstr(&sddl), "aces", aces);
	buf_fini(&sddl);
	json_decref(aces);
	return o;
}

void
admin_acl_show(struct ca_admin *a)
{
	struct err e = { 0 };
	json_t *o = acl_json(a->ca, &e);

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

static int
read_rights(const struct ca_admin *a, uint32_t *mask, struct err *e)
{
	const json_t *list = json_object_get(a->args, "rights");

	*mask = a->change == CA_ACL_REMOVE ? UINT32_MAX : 0;
	if (a->change == CA_ACL_REMOVE && !admin_has(a, "rights"))
		return 0;
	if (!json_is_array(list) || json_array_size(list) == 0)
		return ERR(e, E_INVALIDARG, "%s needs a list 'rights'", a->verb_name);
	*mask = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		uint32_t one;

		if (ca_right_from_name(name != NULL ? name : "", &one, e) != 0)
			return -1;
		*mask |= one;
	}
	return 0;
}

/* A copy is edited: until it is stored the old one rules. */
static int
edit(struct ca_admin *a, const char **sddl, struct err *e)
{
	const char *name;
	struct sid principal;
	struct sd sd = a->ca->live->security; /* the list itself is made anew */
	uint32_t mask;
	struct buf b;
	int rc;

	if (admin_text(a, "principal", &name, e) != 0 || read_rights(a, &mask, e) != 0 ||
	    sddl_sid_from_text(&principal, name, &a->ca->domain, e) != 0 ||
	    ca_acl_edit(&sd, a->pool, &principal, a->change, mask, e) != 0)
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

	a->change = what;
	if (edit(a, &sddl, &e) != 0 || store_security(a, sddl, &e) != 0)
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
