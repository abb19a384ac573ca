/* CCertRequestD: the bodies of ICertRequestD and ICertRequestD2 (MS-WCCE 3.2.1.4). ctx: struct ca *. */
#include "idl/icertrequestd.h"
#include "base/log.h"
#include "ca/property.h"
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

static void
request2(struct rpc_call *call, void *args, void *ctx)
{
	const struct wcce_request2_in *in = args;
	struct ca_caller who = svc_caller(call, FRONT2);
	struct ca_request_args a = {
		.flags = in->flags,
		.authority = in->authority,
		.request_id = in->request_id,
		.attributes = in->attributes,
		.request = in->request,
		.is_request2 = true,
		.serial = in->serial,
	};

	ca_request_start(ctx, &who, &a, answer, call);
}

/* ---- GetCACert, GetCAProperty, GetCAPropertyInfo ---- */

static void
tell_refusal(struct rpc_call *call, struct ca *ca, const char *front, const struct err *e)
{
	const struct token *token = rpc_call_token(call);

	ca_journal_incident(ca, front, "refused", rpc_call_peer(call), rpc_call_id(call),
	    token != NULL ? token->account : NULL, e->hr, e->msg);
}

static void
on_blob(void *arg, struct bytes blob, const struct err *e)
{
	struct wcce_blob_out out = { svc_blob_or_none(blob), e != NULL ? e->hr : S_OK };

	rpc_call_reply(arg, &out);
}

static void
refuse_blob(struct rpc_call *call, struct ca *ca, const char *front, const struct err *e)
{
	tell_refusal(call, ca, front, e);
	on_blob(call, (struct bytes){ NULL, 0 }, e);
}

static void
get_ca_cert(struct rpc_call *call, void *args, void *ctx)
{
	const struct wcce_get_ca_cert_in *in = args;
	struct ca_caller who = svc_caller(call, FRONT);
	unsigned gates = CA_GATE_RIGHT | (ca_getcert_needs_authority(in->chain) ? CA_GATE_AUTHORITY : 0);
	struct err e;

	if (ca_enroll_gate(ctx, &who, in->authority, gates, &e) != 0 ||
	    ca_getcert(ctx, &who, in->chain, on_blob, call, &e) != 0)
		refuse_blob(call, ctx, FRONT, &e);
}

static void
get_ca_property(struct rpc_call *call, void *args, void *ctx)
{
	const struct wcce_get_ca_property_in *in = args;
	struct ca_caller who = svc_caller(call, FRONT2);
	struct err e;

	if (ca_enroll_gate(ctx, &who, in->authority, CA_GATE_RIGHT | CA_GATE_AUTHORITY, &e) != 0 ||
	    ca_property_get(ctx, &who, in->id, in->index, in->type, on_blob, call, &e) != 0)
		refuse_blob(call, ctx, FRONT2, &e);
}

static void
get_ca_property_info(struct rpc_call *call, void *args, void *ctx)
{
	const struct wcce_get_ca_property_info_in *in = args;
	struct ca_caller who = svc_caller(call, FRONT2);
	struct wcce_get_ca_property_info_out out = { .count = 0 };
	struct err e;

	if (ca_enroll_gate(ctx, &who, in->authority, CA_GATE_RIGHT | CA_GATE_AUTHORITY, &e) != 0 ||
	    ca_property_infos(rpc_call_pool(call), &out.count, &out.infos, &e) != 0) {
		tell_refusal(call, ctx, FRONT2, &e);
		out = (struct wcce_get_ca_property_info_out){ .result = e.hr };
	}
	rpc_call_reply(call, &out);
}

/* ---- Ping, Ping2: no right is asked for, and no name need be given ---- */

static void
ping(struct rpc_call *call, void *args, void *ctx)
{
	const struct wcce_ping_in *in = args;
	struct ca_caller who = svc_caller(call, FRONT);
	struct wcce_result_out out = { S_OK };
	struct err e;

	if (ca_enroll_gate(ctx, &who, in->authority, CA_GATE_AUTHORITY_OR_NONE, &e) != 0) {
		tell_refusal(call, ctx, FRONT, &e);
		out.result = e.hr;
	}
	rpc_call_reply(call, &out);
}

/* ---- tables ---- */

#define ROW(opnum, in, out, run) [WCCE_##opnum] = { #opnum, in, out, sizeof(struct in), run }

#define REQUESTD_ROWS                                                                                        \
	ROW(Request, wcce_request_in, wcce_request_out, request),                                            \
	    ROW(GetCACert, wcce_get_ca_cert_in, wcce_blob_out, get_ca_cert),                                 \
	    ROW(Ping, wcce_ping_in, wcce_result_out, ping)

static const struct rpc_method methods[] = { REQUESTD_ROWS };

static const struct rpc_method methods2[] = {
	REQUESTD_ROWS,
	ROW(Request2, wcce_request2_in, wcce_request_out, request2),
	ROW(GetCAProperty, wcce_get_ca_property_in, wcce_blob_out, get_ca_property),
	ROW(GetCAPropertyInfo, wcce_get_ca_property_info_in, wcce_get_ca_property_info_out,
	    get_ca_property_info),
	ROW(Ping2, wcce_ping_in, wcce_result_out, ping),
};

static const struct rpc_interface icertrequestd = {
	.name = "ICertRequestD",
	.uuid = ICERTREQUESTD_IID,
	.methods = methods,
	.n_methods = ARRAY_LEN(methods),
	.min_level =
	    RPC_C_AUTHN_LEVEL_NONE, /* the object exporter's is the lowest; the door asks for privacy */
};

static const struct rpc_interface icertrequestd2 = {
	.name = "ICertRequestD2",
	.uuid = ICERTREQUESTD2_IID,
	.methods = methods2,
	.n_methods = ARRAY_LEN(methods2),
	.min_level = RPC_C_AUTHN_LEVEL_NONE,
};

static const struct rpc_interface *const interfaces[] = { &icertrequestd, &icertrequestd2 };

const struct dcom_class svc_ccertrequestd = {
	.name = "CCertRequestD",
	.clsid = CCERTREQUESTD_CLSID,
	.interfaces = interfaces,
	.n_interfaces = ARRAY_LEN(interfaces),
};
