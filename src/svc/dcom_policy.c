#include "svc/dcom.h"

static enum rpc_auth_level
min_level(void *ctx)
{
	(void)ctx;
	return RPC_C_AUTHN_LEVEL_PKT_INTEGRITY;
}

static int
check(
    void *ctx, const struct dcom_class *cls, const struct token *caller, enum dcom_right right, struct err *e)
{
	(void)ctx;
	(void)right;
	if (caller == NULL)
		return ERR(e, E_ACCESSDENIED, "%s: the caller is anonymous", cls->name);
	return 0;
}

struct dcom_policy
svc_dcom_policy(struct ca *ca)
{
	return (struct dcom_policy){ .min_level = min_level, .check = check, .ctx = ca };
}
