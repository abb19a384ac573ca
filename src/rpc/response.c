/* Responses in fragments, each protected on its own. */
#include <inttypes.h>

#include "base/log.h"
#include "rpc/conn.h"

#define TRAILER_ALIGN 16 /* MS-RPCE 2.2.2.11: of the sec_trailer, counted from the stub */

/* One fragment with n octets of the stub; left includes them. */
static int
put_fragment(struct rpc_conn *c, struct rpc_security *sec, uint32_t call_id, uint16_t context_id,
    struct bytes part, uint8_t flags, size_t left)
{
	bool seal = sec != NULL && sec->effective == RPC_C_AUTHN_LEVEL_PKT_PRIVACY;
	size_t start = c->out.len, sig_len, len;
	struct rpc_trailer t = { 0 };
	uint8_t *sig, *pdu;
	struct err e;

	if (!rpc_security_protects(sec)) {
		rpc_put_response(&c->out, call_id, flags, (uint16_t)(RPC_REQUEST_LEN + part.len), 0,
		    (uint32_t)left, context_id);
		buf_put_bytes(&c->out, part);
		return 0;
	}
	sig_len = auth_ctx_sig_len(sec->auth, seal);
	t.type = sec->type;
	t.level = sec->level;
	t.context_id = sec->context_id;
	t.pad_len = (uint8_t)((TRAILER_ALIGN - part.len % TRAILER_ALIGN) % TRAILER_ALIGN);
	len = RPC_REQUEST_LEN + part.len + t.pad_len + RPC_TRAILER_LEN;
	rpc_put_response(&c->out, call_id, flags, (uint16_t)(len + sig_len), (uint16_t)sig_len,
	    (uint32_t)left, context_id);
	buf_put_bytes(&c->out, part);
	buf_put_zero(&c->out, t.pad_len);
	rpc_put_trailer(&c->out, &t);
	sig = buf_extend(&c->out, sig_len);
	if (sig == NULL)
		return 0; /* flushing tells */
	pdu = c->out.p + start;
	if (auth_ctx_protect(sec->auth, pdu, len, RPC_REQUEST_LEN, part.len + t.pad_len, seal, c->header_sign,
		sig, &e) != 0) {
		log_error(rpc, "%s %s: response: %s; closed", c->id, c->peer.text, e.msg);
		return -1;
	}
	return 0;
}

void
rpc_response_send(
    struct rpc_conn *c, struct rpc_security *sec, uint32_t call_id, uint16_t context_id, struct bytes stub)
{
	bool seal = sec != NULL && sec->effective == RPC_C_AUTHN_LEVEL_PKT_PRIVACY;
	size_t room = c->max_frag - RPC_REQUEST_LEN, off = 0;
	uint8_t flags = PFC_FIRST_FRAG;

	if (rpc_security_protects(sec))
		room -= RPC_TRAILER_LEN + auth_ctx_sig_len(sec->auth, seal);
	/* A multiple of what the trailer is aligned to, so that padding never exceeds the fragment. */
	room -= room % TRAILER_ALIGN;
	do {
		size_t left = stub.len - off, n = left < room ? left : room;

		if (n == left)
			flags |= PFC_LAST_FRAG;
		if (put_fragment(c, sec, call_id, context_id,
			(struct bytes){ n > 0 ? stub.p + off : NULL, n }, flags, left) != 0) {
			buf_reset(&c->out);
			rpc_conn_close(c);
			return;
		}
		rpc_conn_flush(c);
		flags = 0;
		off += n;
	} while (off < stub.len && c->state != RPC_CONN_CLOSED);
}

void
rpc_response_cut(
    struct rpc_conn *c, struct rpc_security *sec, uint32_t call_id, uint16_t context_id, struct bytes stub)
{
	size_t room = (c->max_frag - RPC_REQUEST_LEN) / 2, n = stub.len < room ? stub.len : room;

	if (put_fragment(c, sec, call_id, context_id, (struct bytes){ n > 0 ? stub.p : NULL, n },
		PFC_FIRST_FRAG | PFC_LAST_FRAG, n) == 0) {
		c->out.len /= 2;
		rpc_conn_flush(c);
	}
	buf_reset(&c->out);
	rpc_conn_close(c);
}
