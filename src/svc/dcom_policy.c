#include "ca/dcom_permission.h"
#include "idl/icertadmind.h"
#include "svc/dcom.h"

static enum rpc_auth_level
min_level(void *ctx)
{
	return ca_dcom_requires_integrity(ctx) ? RPC_C_AUTHN_LEVEL_PKT_INTEGRITY : RPC_C_AUTHN_LEVEL_CONNECT;
}

static int
check(
    void *ctx, const struct dcom_class *cls, const struct token *caller, enum dcom_right right, struct err *e)
{
	static const struct guid admin = CCERTADMIND_CLSID;
	enum ca_dcom_permission which = right == COM_RIGHTS_ACTIVATE_REMOTE ? CA_DCOM_LAUNCH : CA_DCOM_ACCESS;

	if (ca_dcom_check(ctx, which, caller, right, e) == 0)
		return 0;
	/* Seen: whoever is not in Certificate Service DCOM Access gets ERROR_INVALID_DATA from ICertAdmin
	 * (connectors.md, E08). */
	if (guid_equal(&cls->clsid, &admin))
		e->hr = E_INVALID_DATA;
	return -1;
}

struct dcom_policy
svc_dcom_policy(struct ca *ca)
{
	return (struct dcom_policy){ .min_level = min_level, .check = check, .ctx = ca };
}
