/* Who may do what with the CA: access-control.md section 1. */
#include <string.h>
#include <strings.h>

#include "ca/ca_priv.h"

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

/* ---- roles ---- */

#define CIMC_ROLES (CA_ACCESS_ADMIN | CA_ACCESS_OFFICER | CA_ACCESS_AUDITOR | CA_ACCESS_OPERATOR)

uint32_t
ca_roles(const struct ca *ca, const struct ca_who *w)
{
	uint32_t granted, roles;

	if (w->local_admin)
		return CIMC_ROLES | CA_ACCESS_READ | CA_ACCESS_ENROLL;
	if (w->token == NULL)
		return 0;
	access_check_ca(&ca->live->security, w->token, 0, &granted);
	roles = granted & (CA_ACCESS_ADMIN | CA_ACCESS_OFFICER | CA_ACCESS_READ | CA_ACCESS_ENROLL);
	/* MS-CSRA 3.1.1.7: the other two are a privilege on the host together with Read */
	return (roles & CA_ACCESS_READ) != 0 ? roles | ca_privileged_roles(ca, w->token) : roles;
}

/* Role separation forbids acting in a role to those who have two; whoever may read sees why (MS-CSRA names
 * the term only, the rest is ours). The local administrator stands above it, as whoever may edit the
 * registry. */
static int
check_separation(const struct ca *ca, const struct ca_who *w, uint32_t roles, struct err *e)
{
	uint32_t held = roles & CIMC_ROLES;

	if (ca->settings.role_separation == 0 || w->local_admin || (held & (held - 1)) == 0)
		return 0;
	return ERR(e, CERTSRV_E_ROLECONFLICT,
	    "%s has several roles (0x%x), and RoleSeparationEnabled is set: none may be used",
	    ca_who_account(w), held);
}

int
ca_access_check(const struct ca *ca, const struct ca_who *w, uint32_t any_of, struct err *e)
{
	uint32_t roles = ca_roles(ca, w);

	if (any_of == 0)
		return 0;
	if (!w->local_admin && w->token == NULL)
		return ERR(e, E_ACCESSDENIED, "anonymous callers have no rights");
	if ((roles & any_of) == 0)
		return ERR(e, E_ACCESSDENIED, "%s has none of the rights 0x%x on this CA (MS-CSRA 3.1.1.7)",
		    ca_who_account(w), any_of);
	return (any_of & CA_ACCESS_READ) != 0 ? 0 : check_separation(ca, w, roles, e);
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
