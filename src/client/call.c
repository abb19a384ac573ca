/* Requests in fragments, each protected on its own; answers put together again. */
#include <assert.h>

#include "client/conn_priv.h"

#define TRAILER_ALIGN 16 /* MS-RPCE 2.2.2.11: of the sec_trailer, counted from the stub */
#define OBJECT_LEN 16

/* ---- out ---- */

/* One fragment with `part` of the stub; left includes it. */
static int
put_fragment(struct client_conn *c, const struct rpc_request_out *proto, struct bytes part, uint8_t flags,
    size_t left, struct err *e)
{
	bool seal = c->level == RPC_C_AUTHN_LEVEL_PKT_PRIVACY;
	size_t start = c->out.len, head = RPC_REQUEST_LEN + (proto->object != NULL ? OBJECT_LEN : 0);
	struct rpc_trailer t = client_conn_trailer(c);
	struct rpc_request_out r = *proto;
	size_t sig_len, len;
	uint8_t *sig;

	r.flags = flags;
	r.alloc_hint = (uint32_t)left;
	if (!client_conn_protects(c)) {
		r.frag_len = (uint16_t)(head + part.len);
		rpc_put_request(&c->out, &r);
		buf_put_bytes(&c->out, part);
		return 0;
	}
	sig_len = auth_ctx_sig_len(c->auth, seal);
	t.pad_len = (uint8_t)((TRAILER_ALIGN - part.len % TRAILER_ALIGN) % TRAILER_ALIGN);
	len = head + part.len + t.pad_len + RPC_TRAILER_LEN;
	r.frag_len = (uint16_t)(len + sig_len);
	r.auth_len = (uint16_t)sig_len;
	rpc_put_request(&c->out, &r);
	buf_put_bytes(&c->out, part);
	buf_put_zero(&c->out, t.pad_len);
	rpc_put_trailer(&c->out, &t);
	sig = buf_extend(&c->out, sig_len);
	if (sig == NULL)
		return 0; /* flushing tells */
	return auth_ctx_protect(
	    c->auth, c->out.p + start, len, head, part.len + t.pad_len, seal, c->header_sign, sig, e);
}

static size_t
fragment_room(const struct client_conn *c, const struct guid *object)
{
	size_t room = c->max_frag - RPC_REQUEST_LEN - (object != NULL ? OBJECT_LEN : 0);

	if (client_conn_protects(c))
		room -=
		    RPC_TRAILER_LEN + auth_ctx_sig_len(c->auth, c->level == RPC_C_AUTHN_LEVEL_PKT_PRIVACY);
	/* A multiple of what the trailer is aligned to, so that padding never exceeds the fragment. */
	return room - room % TRAILER_ALIGN;
}

void
client_conn_call(struct client_conn *c, unsigned context_id, uint16_t opnum, const struct guid *object,
    struct bytes stub, client_done_fn *cb, void *arg)
{
	struct rpc_request_out r = { .context_id = (uint16_t)context_id, .opnum = opnum, .object = object };
	size_t room = fragment_room(c, object), off = 0;
	uint8_t flags = PFC_FIRST_FRAG;
	struct err e;

	assert(c->cb == NULL); /* one operation at a time */
	c->cb = cb;
	c->cb_arg = arg;
	if (c->state == CLIENT_DEAD) {
		client_conn_die(c, &c->why);
		return;
	}
	r.call_id = ++c->call_id;
	c->fault = 0;
	c->state = CLIENT_CALLING;
	c->answering = false;
	buf_reset(&c->reply);
	do {
		size_t left = stub.len - off, n = left < room ? left : room;

		if (n == left)
			flags |= PFC_LAST_FRAG;
		if (put_fragment(c, &r, (struct bytes){ n > 0 ? stub.p + off : NULL, n }, flags, left, &e) !=
		    0) {
			buf_reset(&c->out);
			client_conn_die(c, &e);
			return;
		}
		flags = 0;
		off += n;
	} while (off < stub.len);
	client_conn_flush(c);
}

/* ---- in ---- */

/* Opens one fragment in place. */
static int
open_fragment(struct client_conn *c, const struct rpc_server_pdu *pdu, uint8_t *raw, struct err *e)
{
	const struct rpc_trailer *t = &pdu->auth;
	size_t off = pdu->response.stub_off;

	if (!client_conn_protects(c))
		return 0;
	if (!t->present || t->type != (uint8_t)c->mech || t->level != (uint8_t)c->level ||
	    t->context_id != CLIENT_AUTH_CONTEXT_ID)
		return ERR(e, SEC_E_MESSAGE_ALTERED, "an answer without the protection that was agreed");
	return auth_ctx_unprotect(c->auth, raw, t->off + RPC_TRAILER_LEN, off, t->off - off,
	    c->level == RPC_C_AUTHN_LEVEL_PKT_PRIVACY, c->header_sign, t->token, e);
}

static void
on_fault(struct client_conn *c, const struct rpc_server_pdu *pdu)
{
	const char *name = rpc_fault_name(pdu->fault.status);
	struct err e;

	c->fault = pdu->fault.status;
	(void)ERR(&e, rpc_fault_hresult(pdu->fault.status), "the server answers with fault 0x%08x%s%s",
	    pdu->fault.status, name != NULL ? " " : "", name != NULL ? name : "");
	client_conn_done(c, (struct bytes){ NULL, 0 }, &e);
}

void
client_call_answer(struct client_conn *c, const struct rpc_server_pdu *pdu, uint8_t *raw)
{
	bool first = (pdu->h.flags & PFC_FIRST_FRAG) != 0;
	struct err e;

	if (pdu->h.ptype == RPC_PTYPE_FAULT) {
		on_fault(c, pdu);
		return;
	}
	if (first == c->answering) {
		(void)ERR(&e, E_RPC_PROTOCOL_ERROR, "fragments of an answer out of order");
		client_conn_die(c, &e);
		return;
	}
	if (open_fragment(c, pdu, raw, &e) != 0) {
		client_conn_die(c, &e);
		return;
	}
	c->answering = true;
	buf_put(&c->reply, raw + pdu->response.stub_off, pdu->response.stub_len);
	if (!buf_ok(&c->reply)) {
		(void)ERR(&e, E_OUTOFMEMORY, "an answer of more than %u octets", CLIENT_REPLY_MAX);
		client_conn_die(c, &e);
		return;
	}
	if ((pdu->h.flags & PFC_LAST_FRAG) != 0)
		client_conn_done(c, buf_bytes(&c->reply), NULL);
}
