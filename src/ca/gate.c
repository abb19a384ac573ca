#include <string.h>
#include <strings.h>

#include "auth/access.h"
#include "ca/ca_priv.h"
#include "ca/property.h"

static const char DCOM_FRONT[] = "ICertRequestD";
static const char RPC_FRONT[] = "ICertPassage";

bool
ca_authority_matches(const struct ca *ca, const char *authority)
{
	return authority != NULL &&
	    (strcasecmp(authority, ca->name) == 0 || strcasecmp(authority, ca->sanitized) == 0 ||
		strcasecmp(authority, ca->short_name) == 0);
}

int
ca_enroll_gate(
    const struct ca *ca, const struct ca_caller *who, const char *authority, unsigned gates, struct err *e)
{
	uint32_t flags = ca->settings.interface_flags;
	bool dcom = strncmp(who->front, DCOM_FRONT, sizeof(DCOM_FRONT) - 1) == 0;

	if (dcom && (flags & IF_NOREMOTEICERTREQUEST) != 0)
		return ERR(e, CERTSRV_E_ENROLL_DENIED, "InterfaceFlags: IF_NOREMOTEICERTREQUEST");
	if (strcmp(who->front, RPC_FRONT) == 0 && (flags & IF_NORPCICERTREQUEST) != 0)
		return ERR(
		    e, E_RPC_SERVER_UNAVAILABLE, "InterfaceFlags: IF_NORPCICERTREQUEST (MS-ICPR 3.2.4.1)");
	if (!who->privacy && (dcom || (flags & IF_ENFORCEENCRYPTICERTREQUEST) != 0))
		return ERR(e, E_ACCESSDENIED,
		    "the call is not encrypted (IF_ENFORCEENCRYPTICERTREQUEST, MS-WCCE 3.2.1.4.2.1)");
	if (who->token == NULL)
		return ERR(e, E_ACCESSDENIED, "the caller is anonymous");
	if ((gates & CA_GATE_RIGHT) != 0 &&
	    !access_check_ca(&ca->live->security, who->token, CA_ACCESS_ENROLL, NULL).granted)
		return ERR(
		    e, CERTSRV_E_ENROLL_DENIED, "%s has no Enroll right on the CA", who->token->account);
	if ((gates & CA_GATE_AUTHORITY_OR_NONE) != 0 && (authority == NULL || authority[0] == '\0'))
		return 0;
	if ((gates & (CA_GATE_AUTHORITY | CA_GATE_AUTHORITY_OR_NONE)) != 0 &&
	    !ca_authority_matches(ca, authority))
		return ERR(e, E_INVALIDARG, "the authority '%.60s' is not this CA",
		    authority != NULL ? authority : "");
	return 0;
}
