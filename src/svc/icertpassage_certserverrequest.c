#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "ca/ca.h"
#include "idl/icertpassage.h"
#include "svc/dcom.h"
#include "svc/svc.h"

#define FRONT "ICertPassage"

/*
 * pctbAttribs: a string in UTF-16LE whose length with its NUL is cb, else E_INVALIDARG (MS-ICPR 3.2.4.1.1).
 * *out is NULL when there are none.
 */
static int
decode_attributes(struct bytes blob, struct pool *pool, const char **out, struct err *e)
{
	*out = NULL;
	if (blob.len == 0)
		return 0;
	if (blob.len % 2 != 0)
		return ERR(e, E_INVALIDARG,
		    "pctbAttribs: %zu octets are no UTF-16 string (MS-ICPR 3.2.4.1.1)", blob.len);
	for (size_t i = 0; i < blob.len; i += 2) {
		bool last = i == blob.len - 2;

		if ((get_u16le(blob.p + i) == 0) != last)
			return ERR(e, E_INVALIDARG,
			    "pctbAttribs: cb is %zu, the string %s (MS-ICPR 3.2.4.1.1)", blob.len,
			    last ? "has no NUL" : "ends before");
	}
	*out = text_from_utf16le(pool, (struct bytes){ blob.p, blob.len - 2 }, e);
	return *out != NULL ? 0 : err_prefix(e, "pctbAttribs");
}

/* The whole layout whatever the verdict: clients read the blobs before the return value. */
static void
answer(void *arg, const struct ca_request_result *r)
{
	struct rpc_call *call = arg;
	struct icertpassage_request_out out = {
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

/* Arguments the CA never sees: answered and journalled here. */
static void
refuse(struct rpc_call *call, struct ca *ca, const struct icertpassage_request_in *in, const struct err *e)
{
	const struct token *token = rpc_call_token(call);
	/* Ours: the code in pdwDisposition too, since Certipy looks only there. */
	struct ca_request_result r = {
		.hr = e->hr,
		.request_id = in->request_id,
		.disposition = e->hr,
		.message = hresult_text(e->hr),
	};

	ca_journal_incident(ca, FRONT, "bad-argument", rpc_call_peer(call), rpc_call_id(call),
	    token != NULL ? token->account : NULL, e->hr, e->msg);
	answer(call, &r);
}

static void
certserverrequest(struct rpc_call *call, void *args, void *ctx)
{
	const struct icertpassage_request_in *in = args;
	struct ca *ca = ctx;
	struct ca_caller who = svc_caller(call, FRONT);
	struct ca_request_args request = {
		.flags = in->flags,
		.authority = in->authority,
		.request_id = in->request_id,
		.request = in->request,
	};
	struct err e;

	if (decode_attributes(in->attributes, rpc_call_pool(call), &request.attributes, &e) != 0) {
		refuse(call, ca, in, &e);
		return;
	}
	ca_request_start(ca, &who, &request, answer, call);
}

static const struct rpc_method methods[] = {
	[0] = { "CertServerRequest", icertpassage_request_in, icertpassage_request_out,
	    sizeof(struct icertpassage_request_in), certserverrequest },
};

const struct rpc_interface svc_icertpassage = {
	.name = "ICertPassage",
	.uuid = ICERTPASSAGE_UUID,
	.major = 0,
	.minor = 0,
	.methods = methods,
	.n_methods = ARRAY_LEN(methods),
	.min_level = RPC_C_AUTHN_LEVEL_NONE,
};
