/* CCertAdminD: CRLs (MS-CSRA 3.1.4.1.6, 3.1.4.1.7, 3.1.4.2.1). */
#include "ca/ca_certs.h"
#include "svc/icertadmind.h"

enum { CA_CRL_BASE = 0x1, CA_CRL_DELTA = 0x2, CA_CRL_REPUBLISH = 0x10 };

static void
publish(struct svc_admin_call *a, const char *authority, filetime_t when, uint32_t flags)
{
	json_t *o = json_object();

	json_object_set_new(o, "delta", json_boolean((flags & CA_CRL_BASE) == 0));
	json_object_set_new(o, "republish", json_boolean((flags & CA_CRL_REPUBLISH) != 0));
	if (when != 0 && (flags & CA_CRL_REPUBLISH) == 0)
		json_object_set_new(o, "until", svc_json_time(when));
	svc_admin_verb(a, SVC_AUTHORITY_CA, authority, "crl.publish", o);
}

void
svc_csra_publish_crl(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_publish_crl_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_CALL(call, ctx, struct csra_result_out);

	if (a != NULL)
		publish(a, in->authority, in->when, CA_CRL_BASE);
}

void
svc_csra_publish_crls(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_publish_crls_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_ENTER(
	    call, ctx, struct csra_result_out, SVC_AUTHORITY_CA, in->authority, CA_ACCESS_ADMIN);
	struct err e = { 0 };

	if (a == NULL)
		return;
	if ((in->flags & (CA_CRL_BASE | CA_CRL_DELTA)) == 0) {
		ERR(&e, E_INVALIDARG, "flags 0x%x ask for neither base nor delta CRLs", in->flags);
		svc_admin_refuse(a, &e);
		return;
	}
	publish(a, in->authority, in->when, in->flags);
}

void
svc_csra_get_crl(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_authority_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_ENTER(
	    call, ctx, struct csra_blob_out, SVC_AUTHORITY_CA, in->authority, SVC_ADMIN_READERS);
	struct csra_blob_out *out;
	struct err e = { 0 };
	int rc;

	if (a == NULL)
		return;
	out = a->out;
	rc = ca_crl_get(ctx, CA_NEWEST, false, rpc_call_pool(call), &out->blob, &e);
	svc_admin_answer(a, rc != 0 ? &e : NULL);
}
