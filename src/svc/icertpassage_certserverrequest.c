#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "ca/ca.h"
#include "idl/icertpassage.h"
#include "svc/svc.h"

#define FRONT "ICertPassage"
#define MESSAGE_MAX 65536 /* octets of a disposition message */

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

/* UTF-16LE with its NUL; an empty blob for no message. */
static int
encode_message(const char *message, struct pool *pool, struct bytes *out, struct err *e)
{
	struct buf units;
	int ret = -1;

	*out = (struct bytes){ NULL, 0 };
	if (message == NULL || message[0] == 0)
		return 0;
	buf_init(&units, MESSAGE_MAX);
	if (text_utf8_to_utf16le(&units, message, strlen(message), e) != 0)
		goto out;
	buf_put_u16le(&units, 0);
	if (!buf_ok(&units) || pool_dup_bytes(pool, buf_bytes(&units), out) != 0) {
		ERR(e, E_OUTOFMEMORY, "no memory for the disposition message");
		goto out;
	}
	ret = 0;
out:
	buf_fini(&units);
	return ret;
}

/* An empty blob is {0, NULL} on the wire. */
static struct bytes
blob_or_none(struct bytes b)
{
	return b.len > 0 ? b : (struct bytes){ NULL, 0 };
}

/* The whole layout whatever the verdict: clients read the blobs before the return value. */
static void
answer(void *arg, const struct ca_request_result *r)
{
	struct rpc_call *call = arg;
	struct icertpassage_request_out out = {
		.request_id = r->request_id,
		.disposition = r->disposition,
		.chain = blob_or_none(r->chain),
		.certificate = blob_or_none(r->certificate),
		.result = r->hr,
	};
	struct err e;

	if (encode_message(r->message, rpc_call_pool(call), &out.message, &e) != 0) {
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
	struct ca_caller who = {
		.front = FRONT,
		.peer = rpc_call_peer(call),
		.call = rpc_call_id(call),
		.token = rpc_call_token(call),
		.package = rpc_call_package(call),
		.privacy = rpc_call_level(call) == RPC_C_AUTHN_LEVEL_PKT_PRIVACY,
	};
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
