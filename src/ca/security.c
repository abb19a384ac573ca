/* Who may do what with the CA: access-control.md section 1. */
#include "ca/ca_priv.h"

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

/* Role separation: who has two roles may do nothing (Seen: Windows Server's documentation, "Using role
 * separation"; MS-CSRA names the term only), not even read. Enrolling is no role, and what somebody holds is
 * told to them: the latter is ours. The local administrator stands above it, as whoever may edit the
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
	if ((any_of & CA_ACCESS_ENROLL) == 0 && check_separation(ca, w, roles, e) != 0)
		return -1;
	if ((roles & any_of) == 0)
		return ERR(e, E_ACCESSDENIED, "%s has none of the rights 0x%x on this CA (MS-CSRA 3.1.1.7)",
		    ca_who_account(w), any_of);
	return 0;
}
