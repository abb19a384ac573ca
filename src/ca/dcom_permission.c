#include "ca/dcom_permission.h"

#include "auth/access.h"
#include "ca/ca_priv.h"

int
ca_dcom_check(const struct ca *ca, enum ca_dcom_permission which, const struct token *caller, uint32_t rights,
    struct err *e)
{
	const struct sd *sd = which == CA_DCOM_LAUNCH ? &ca->live->dcom_launch : &ca->live->dcom_access;
	const char *name = which == CA_DCOM_LAUNCH ? "LaunchPermission" : "AccessPermission";

	if (caller == NULL)
		return ERR(e, E_ACCESSDENIED, "%s: the caller is anonymous", name);
	if (!access_check(sd, caller, rights, NULL).granted)
		return ERR(
		    e, E_ACCESSDENIED, "%s does not give %s COM right 0x%x", name, caller->account, rights);
	return 0;
}

bool
ca_dcom_requires_integrity(const struct ca *ca)
{
	return ca->settings.dcom_integrity != 0;
}
