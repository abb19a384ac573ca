/* Who may do what with the CA: access-control.md section 1. */
#include <string.h>
#include <strings.h>

#include "ca/ca_priv.h"

#define SECURITY_POOL_MAX (1u << 20)

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

int
ca_security_load(struct ca *ca, const char *sddl, struct err *e)
{
	struct ca_security s = { .pool = pool_new(SECURITY_POOL_MAX) };

	if (s.pool == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the CA's security descriptor");
	if (sd_from_sddl(&s.sd, s.pool, sddl, &ca->domain, e) != 0) {
		pool_free(s.pool);
		return err_prefix(e, "Security");
	}
	ca_security_fini(&ca->security);
	ca->security = s;
	return 0;
}

void
ca_security_fini(struct ca_security *s)
{
	pool_free(s->pool);
	memset(s, 0, sizeof(*s));
}

int
ca_access_check(const struct ca *ca, const struct ca_who *w, uint32_t any_of, struct err *e)
{
	if (any_of == 0 || w->local_admin)
		return 0;
	if (w->token == NULL)
		return ERR(e, E_ACCESSDENIED, "anonymous callers have no rights");
	for (uint32_t bit = 1; bit != 0 && bit <= any_of; bit <<= 1) {
		if ((any_of & bit) != 0 && access_check_ca(&ca->security.sd, w->token, bit, NULL).granted)
			return 0;
	}
	return ERR(e, E_ACCESSDENIED, "%s has none of the rights 0x%x on this CA (MS-CSRA 3.1.1.7)",
	    ca_who_account(w), any_of);
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

static bool
has_administrator(const struct acl *acl)
{
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
	if (!has_administrator(acl))
		return ERR(e, CERTSRV_E_NO_CAADMIN_DEFINED, "nobody would be left who may manage the CA");
	return 0;
}
