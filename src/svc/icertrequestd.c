/* CCertRequestD: the bodies of ICertRequestD and ICertRequestD2 (MS-WCCE 3.2.1.4). ctx: struct ca *. */
#include "idl/icertrequestd.h"
#include "base/log.h"
#include "svc/dcom.h"

#define FRONT "ICertRequestD"
#define FRONT2 "ICertRequestD2"

/* The whole layout whatever the verdict: clients read the blobs before the return value. */
static void
answer(void *arg, const struct ca_request_result *r)
{
	struct rpc_call *call = arg;
	struct wcce_request_out out = {
		.request_id = r->request_id,
		.disposition = r->disposition,
		.chain = svc_blob_or_none(r->chain),
		.certificate = svc_blob_or_none(r->certificate),
		.result = r->hr,
	};
	struct err e;

	if (svc_encode_text(r->message, rpc_call_pool(call), &out.message, &e) != 0) {
		log_warn(rpc, "%s: disposition message: %s", rpc_call_id(call), e.msg);
		rpc_call_fault(call, NCA_S_FAULT_REMOTE_NO_MEMORY);
		return;
	}
	rpc_call_reply(call, &out);
}

static void
request(struct rpc_call *call, void *args, void *ctx)
{
	const struct wcce_request_in *in = args;
	struct ca_caller who = svc_caller(call, FRONT);
	struct ca_request_args a = {
		.flags = in->flags,
		.authority = in->authority,
		.request_id = in->request_id,
		.attributes = in->attributes,
		.request = in->request,
	};

	ca_request_start(ctx, &who, &a, answer, call);
}

#define REQUESTD_ROWS                                                                                        \
	[WCCE_Request] = { "Request", wcce_request_in, wcce_request_out, sizeof(struct wcce_request_in),     \
		request }

static const struct rpc_method methods[] = { REQUESTD_ROWS };

static const struct rpc_interface icertrequestd = {
	.name = "ICertRequestD",
	.uuid = ICERTREQUESTD_IID,
	.methods = methods,
	.n_methods = ARRAY_LEN(methods),
	.min_level = RPC_C_AUTHN_LEVEL_NONE,
};

static const struct rpc_interface *const interfaces[] = { &icertrequestd };

const struct dcom_class svc_ccertrequestd = {
	.name = "CCertRequestD",
	.clsid = CCERTREQUESTD_CLSID,
	.interfaces = interfaces,
	.n_interfaces = ARRAY_LEN(interfaces),
};
