#include "settings/acl.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "auth/access.h"

#define SDDL_MAX 65536

/* The names of the console first: they are the ones that are shown. */
static const struct {
	uint32_t mask;
	const char *name;
} rights[] = {
	{ CA_ACCESS_ADMIN, "ManageCA" },
	{ CA_ACCESS_OFFICER, "IssueAndManageCertificates" },
	{ CA_ACCESS_AUDITOR, "Auditor" },
	{ CA_ACCESS_OPERATOR, "Operator" },
	{ CA_ACCESS_READ, "Read" },
	{ CA_ACCESS_ENROLL, "RequestCertificates" },
	/* as MS-CSRA and other tools call them */
	{ CA_ACCESS_ADMIN, "Administrator" },
	{ CA_ACCESS_OFFICER, "Officer" },
	{ CA_ACCESS_OFFICER, "ManageCertificates" },
	{ CA_ACCESS_ENROLL, "Enroll" },
};
#define N_CONSOLE_RIGHTS 6

int
ca_right_from_name(const char *name, uint32_t *mask, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
		if (strcasecmp(name, rights[i].name) == 0) {
			*mask = rights[i].mask;
			return 0;
		}
	}
	return ERR(e, E_INVALIDARG,
	    "no right of a CA is called '%.40s': Read, RequestCertificates, IssueAndManageCertificates, "
	    "ManageCA",
	    name);
}

json_t *
ca_rights_to_json(uint32_t mask)
{
	json_t *list = json_array();

	for (size_t i = 0; i < N_CONSOLE_RIGHTS; i++) {
		if ((mask & rights[i].mask) != 0)
			json_array_append_new(list, json_string(rights[i].name));
	}
	return list;
}

/* ---- editing ---- */

static bool
is_plain(const struct ace *a)
{
	return a->type == ACCESS_ALLOWED_ACE_TYPE || a->type == ACCESS_DENIED_ACE_TYPE;
}

/* Canonical order puts explicit denials before explicit permissions, inherited ones behind. */
static int
ace_rank(const struct ace *a)
{
	bool denial = a->type == ACCESS_DENIED_ACE_TYPE || a->type == ACCESS_DENIED_OBJECT_ACE_TYPE ||
	    a->type == ACCESS_DENIED_CALLBACK_ACE_TYPE;

	return ((a->flags & INHERITED_ACE) != 0 ? 2 : 0) + (denial ? 0 : 1);
}

static void
sort_canonically(struct acl *acl)
{
	for (size_t i = 1; i < acl->n; i++) { /* stable; lists are short */
		struct ace a = acl->aces[i];
		size_t j = i;

		for (; j > 0 && ace_rank(&acl->aces[j - 1]) > ace_rank(&a); j--)
			acl->aces[j] = acl->aces[j - 1];
		acl->aces[j] = a;
	}
}

bool
ca_acl_has_administrator(const struct sd *sd)
{
	const struct acl *acl = sd->dacl;

	if (acl == NULL) /* everybody may */
		return true;
	for (size_t i = 0; i < acl->n; i++) {
		if (acl->aces[i].type == ACCESS_ALLOWED_ACE_TYPE &&
		    (acl->aces[i].mask & CA_ACCESS_ADMIN) != 0)
			return true;
	}
	return false;
}

int
ca_acl_edit(struct sd *sd, struct pool *pool, const struct sid *principal, enum ca_acl_change what,
    uint32_t mask, struct err *e)
{
	uint8_t wanted = what == CA_ACL_DENY ? ACCESS_DENIED_ACE_TYPE : ACCESS_ALLOWED_ACE_TYPE;
	size_t n = sd->dacl != NULL ? sd->dacl->n : 0, kept = 0;
	struct acl *acl = POOL_NEW(pool, struct acl);
	bool merged = what == CA_ACL_REMOVE;

	if (acl == NULL || (acl->aces = pool_calloc(pool, n + 1, sizeof(*acl->aces))) == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the access list");
	acl->revision = sd->dacl != NULL ? sd->dacl->revision : 2;
	for (size_t i = 0; i < n; i++) {
		struct ace a = sd->dacl->aces[i];

		if (is_plain(&a) && sid_equal(&a.sid, principal)) {
			if (!merged && a.type == wanted) {
				a.mask |= mask;
				merged = true;
			} else if (what == CA_ACL_REMOVE || a.type != wanted) {
				a.mask &= ~mask;
			}
			if (a.mask == 0)
				continue;
		}
		acl->aces[kept++] = a;
	}
	if (!merged)
		acl->aces[kept++] = (struct ace){ .type = wanted, .mask = mask, .sid = *principal };
	acl->n = kept;
	sort_canonically(acl);
	sd->dacl = acl;
	sd->control |= SE_DACL_PRESENT;
	if (!ca_acl_has_administrator(sd))
		return ERR(e, CERTSRV_E_NO_CAADMIN_DEFINED, "nobody would be left who may manage the CA");
	return 0;
}

/* ---- as JSON ---- */

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

json_t *
ca_acl_to_json(const struct sd *sd, const struct sddl_domain *domain, struct err *e)
{
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
	if (sd_to_sddl(sd, &sddl, domain, e) == 0)
		o = json_pack("{s:s, s:O}", "sddl", buf_cstr(&sddl), "aces", aces);
	buf_fini(&sddl);
	json_decref(aces);
	return o;
}

static int
read_rights(const json_t *args, enum ca_acl_change what, uint32_t *mask, struct err *e)
{
	const json_t *list = json_object_get(args, "rights");

	*mask = UINT32_MAX;
	if (what == CA_ACL_REMOVE && (list == NULL || json_is_null(list)))
		return 0;
	if (!json_is_array(list) || json_array_size(list) == 0)
		return ERR(e, E_INVALIDARG, "there must be a list 'rights'");
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

int
ca_acl_edit_json(struct sd *sd, struct pool *pool, const json_t *args, enum ca_acl_change what,
    const struct sddl_domain *domain, struct err *e)
{
	const char *name = json_string_value(json_object_get(args, "principal"));
	struct sid principal;
	uint32_t mask;

	if (name == NULL)
		return ERR(e, E_INVALIDARG, "there must be a text 'principal'");
	return read_rights(args, what, &mask, e) != 0 || sddl_sid_from_text(&principal, name, domain, e) != 0
	    ? -1
	    : ca_acl_edit(sd, pool, &principal, what, mask, e);
}
