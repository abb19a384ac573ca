/* What the bodies of every enrollment and administration interface share. */
#include <string.h>

#include "base/text.h"
#include "svc/dcom.h"

#define TEXT_MAX (1u << 20) /* octets */

struct ca_caller
svc_caller(struct rpc_call *call, const char *front)
{
	return (struct ca_caller){
		.front = front,
		.peer = rpc_call_peer(call),
		.call = rpc_call_id(call),
		.token = rpc_call_token(call),
		.package = rpc_call_package(call),
		.privacy = rpc_call_level(call) == RPC_C_AUTHN_LEVEL_PKT_PRIVACY,
	};
}

int
svc_encode_text(const char *text, struct pool *pool, struct bytes *out, struct err *e)
{
	struct buf units;
	int ret = -1;

	*out = (struct bytes){ NULL, 0 };
	if (text == NULL || text[0] == 0)
		return 0;
	buf_init(&units, TEXT_MAX);
	if (text_utf8_to_utf16le(&units, text, strlen(text), e) != 0)
		goto out;
	buf_put_u16le(&units, 0);
	if (!buf_ok(&units) || pool_dup_bytes(pool, buf_bytes(&units), out) != 0) {
		ERR(e, E_OUTOFMEMORY, "no memory for a text");
		goto out;
	}
	ret = 0;
out:
	buf_fini(&units);
	return ret;
}
