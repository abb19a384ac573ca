#include "client/enroll.h"

#include <string.h>

#include "base/text.h"
#include "idl/icertpassage.h"

#define ATTRIBUTES_MAX (1u << 20)

const struct rpc_syntax client_icertpassage = { ICERTPASSAGE_UUID, 0, 0 };

int
client_icpr_put(const struct client_request *r, struct buf *stub, struct err *e)
{
	struct icertpassage_request_in in = { .flags = r->flags,
		.authority = r->authority,
		.request_id = r->request_id,
		.request = r->request };
	struct buf wide;
	int rc = 0;

	buf_init(&wide, ATTRIBUTES_MAX);
	if (r->attributes != NULL && *r->attributes != '\0') {
		rc = text_utf8_to_utf16le(&wide, r->attributes, strlen(r->attributes), e);
		buf_put_u16le(&wide, 0); /* cb counts the NUL (MS-ICPR 3.2.4.1.1) */
		in.attributes = buf_bytes(&wide);
	}
	if (rc == 0 && !buf_ok(&wide))
		rc = ERR(e, E_INVALIDARG, "request attributes are too long");
	if (rc == 0)
		rc = ndr_push(icertpassage_request_in, &in, stub, e);
	buf_fini(&wide);
	return rc;
}

const char *
client_message_text(struct bytes wide, struct pool *pool)
{
	struct err ignored;
	const char *s;

	while (wide.len >= 2 && get_u16le(wide.p + wide.len - 2) == 0)
		wide.len -= 2;
	s = wide.len > 0 ? text_from_utf16le(pool, wide, &ignored) : NULL;
	return s != NULL ? s : "";
}

int
client_icpr_get(struct bytes stub, struct pool *pool, struct client_answer *out, struct err *e)
{
	struct icertpassage_request_out *o;
	void *decoded;
	size_t used;

	if (ndr_pull(icertpassage_request_out, sizeof(*o), stub, pool, &decoded, &used, e) != 0)
		return err_prefix(e, "CertServerRequest");
	o = decoded;
	*out = (struct client_answer){ .result = o->result,
		.request_id = o->request_id,
		.disposition = o->disposition,
		.certificate = o->certificate,
		.chain = o->chain,
		.message = client_message_text(o->message, pool) };
	return 0;
}

const char *
client_disposition_name(uint32_t disposition)
{
	static const char *const names[] = { "incomplete", "error", "denied", "issued", "issued out of band",
		"under submission", "revoked" };

	return disposition < ARRAY_LEN(names) ? names[disposition] : "error";
}
