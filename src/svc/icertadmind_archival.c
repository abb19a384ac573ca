/* CCertAdminD: GetArchivedKey, ImportKey (MS-CSRA 3.1.4.2.9, 3.1.4.2.16). */
#include "ca/archival.h"
#include "svc/icertadmind.h"

static void
on_key(void *arg, struct bytes blob, const struct err *e)
{
	struct svc_admin_call *a = arg;
	struct csra_blob_out *out = a->out;
	uint32_t hr = e != NULL ? e->hr : S_OK;

	if (e == NULL && pool_dup_bytes(rpc_call_pool(a->call), blob, &out->blob) != 0)
		hr = E_OUTOFMEMORY;
	svc_admin_end(a, hr);
}

void
svc_csra_get_archived_key(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_request_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_ENTER(
	    call, ctx, struct csra_blob_out, SVC_AUTHORITY_CA, in->authority, CA_ACCESS_OFFICER);
	struct ca_caller who;
	struct err e = { 0 };

	if (a == NULL)
		return;
	who = svc_caller(call, SVC_ADMIN_FRONT);
	if (ca_archived_key_get(ctx, &who, in->request_id, on_key, a, &e) != 0)
		svc_admin_end(a, e.hr); /* journalled */
}

static void
on_imported(void *arg, const struct err *e)
{
	svc_admin_end(arg, e != NULL ? e->hr : S_OK);
}

void
svc_csra_import_key(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_import_key_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_ENTER(
	    call, ctx, struct csra_result_out, SVC_AUTHORITY_CA, in->authority, CA_ACCESS_OFFICER);
	struct ca_caller who;
	struct err e = { 0 };

	if (a == NULL)
		return;
	who = svc_caller(call, SVC_ADMIN_FRONT);
	if (ca_archived_key_import(
		ctx, &who, in->request_id, in->hash, in->flags, in->key, on_imported, a, &e) != 0)
		svc_admin_end(a, e.hr); /* journalled */
}
