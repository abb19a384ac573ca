/* One connection without a socket, a client that writes PDUs octet by octet, and what came back. */
#ifndef ADCSD_TESTS_RPC_RIG_H
#define ADCSD_TESTS_RPC_RIG_H

#include "fixture.h"

#include "base/log.h"
#include "fake_auth.h"
#include "rpc/conn.h"

#define LOCAL_PORT 49152

struct rig {
	struct rpc_server *server;
	struct rpc_port *port;
	struct rpc_conn *conn;
	struct fixture_ctx ctx;
	struct buf sent; /* all that the server sent, read by rig_next() */
	size_t read;
	unsigned closed, settled, resumed;
	unsigned incidents;
	char incident[32]; /* kind of the latest */
	char account[64];
	struct buf pdu;           /* being written */
	uint32_t seq_in, seq_out; /* of the client's one security context */
};

static void
rig_send(void *arg, struct bytes octets)
{
	struct rig *r = arg;

	buf_put_bytes(&r->sent, octets);
}

static void
rig_close(void *arg)
{
	((struct rig *)arg)->closed++;
}

static void
rig_resume(void *arg)
{
	((struct rig *)arg)->resumed++;
}

static void
rig_settled(void *arg)
{
	((struct rig *)arg)->settled++;
}

static const struct rpc_carrier rig_carrier = { rig_send, rig_close, rig_resume, rig_settled };

static void
rig_incident(void *arg, const struct rpc_incident *i)
{
	struct rig *r = arg;

	r->incidents++;
	snprintf(r->incident, sizeof(r->incident), "%s", i->kind);
	snprintf(r->account, sizeof(r->account), "%s", i->account != NULL ? i->account : "");
}

static void
rig_connect(struct rig *r)
{
	static const struct rpc_peer peer = { "127.0.0.1:40112", { [10] = 0xff, [11] = 0xff, 127, 0, 0, 1 },
		{ 127, 0, 0, 1 }, "127.0.0.1" };

	r->conn = rpc_conn_new(r->port, &peer, &rig_carrier, r);
	if (r->conn == NULL)
		abort();
	r->sent.len = r->read = 0;
	r->closed = r->settled = r->resumed = 0;
	r->seq_in = r->seq_out = 0;
}

static MAYBE_UNUSED void
rig_init(struct rig *r, const struct rpc_limits *limits, bool one_context_per_bind)
{
	struct rpc_config cfg = { .names = &fixture_names, .authority = &fake_authority, .one_context_per_bind = one_context_per_bind };
	struct err e;

	memset(r, 0, sizeof(*r));
	if (limits != NULL)
		cfg.limits = *limits;
	buf_init(&r->sent, 64u << 20);
	buf_init(&r->pdu, 1u << 20);
	r->server = rpc_server_new(&cfg, &e);
	if (r->server == NULL || (r->port = rpc_port_new(r->server, LOCAL_PORT, &e)) == NULL)
		abort();
	for (size_t i = 0; i < ARRAY_LEN(fixture_ifaces); i++)
		if (rpc_port_add_interface(r->port, &fixture_ifaces[i], &r->ctx, &e) != 0)
			abort();
	rpc_server_on_incident(r->server, rig_incident, r);
	rig_connect(r);
}

static MAYBE_UNUSED void
rig_fini(struct rig *r)
{
	rpc_conn_free(r->conn);
	rpc_server_free(r->server);
	buf_fini(&r->sent);
	buf_fini(&r->pdu);
}

/* ---- writing ---- */

static MAYBE_UNUSED void
put_start(struct rig *r, uint8_t ptype, uint8_t flags, uint32_t call_id)
{
	static const uint8_t head[] = { 5, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0 };

	buf_reset(&r->pdu);
	buf_put(&r->pdu, head, sizeof(head));
	buf_put_u32le(&r->pdu, call_id);
	r->pdu.p[2] = ptype;
	r->pdu.p[3] = flags;
}

static MAYBE_UNUSED void
put_end(struct rig *r)
{
	set_u16le(r->pdu.p + 8, (uint16_t)r->pdu.len);
}

/* sec_trailer and token behind what is written; pads to four. */
static MAYBE_UNUSED void
put_auth(struct rig *r, uint8_t type, uint8_t level, uint32_t context_id, const char *token)
{
	uint8_t pad = (uint8_t)((4 - r->pdu.len % 4) % 4);

	buf_put_zero(&r->pdu, pad);
	buf_put_u8(&r->pdu, type);
	buf_put_u8(&r->pdu, level);
	buf_put_u8(&r->pdu, pad);
	buf_put_u8(&r->pdu, 0);
	buf_put_u32le(&r->pdu, context_id);
	buf_put_str(&r->pdu, token);
	set_u16le(r->pdu.p + 10, (uint16_t)strlen(token));
}

static MAYBE_UNUSED void
put_bind_fixed(
    struct rig *r, uint8_t ptype, uint8_t flags, uint32_t call_id, uint16_t frag, uint32_t group, uint8_t n)
{
	put_start(r, ptype, flags, call_id);
	buf_put_u16le(&r->pdu, frag);
	buf_put_u16le(&r->pdu, frag);
	buf_put_u32le(&r->pdu, group);
	buf_put_u32le(&r->pdu, n);
}

static const char *const NDR20 = "8a885d04-1ceb-11c9-9fe8-08002b104860/2.0";
static MAYBE_UNUSED const char *const NDR64 = "71710533-beba-4937-8319-b5dbef9ccc36/1.0";
static MAYBE_UNUSED const char *const ECHO = "5c1f2a00-7d3e-4b19-9a44-0c123456789a/1.0";
static MAYBE_UNUSED const char *const SECRET = "5c1f2a01-7d3e-4b19-9a44-0c123456789a/1.0";

static MAYBE_UNUSED void
put_syntax(struct rig *r, const char *text)
{
	char uuid[37] = { 0 };
	unsigned major, minor;
	struct guid g;
	struct err e;

	if (sscanf(text, "%36[^/]/%u.%u", uuid, &major, &minor) != 3 || guid_from_text(&g, uuid, &e) != 0)
		abort();
	guid_put(&r->pdu, &g);
	buf_put_u16le(&r->pdu, (uint16_t)major);
	buf_put_u16le(&r->pdu, (uint16_t)minor);
}

static MAYBE_UNUSED void
put_element(struct rig *r, uint16_t id, const char *abstract, unsigned n, const char *const *transfer)
{
	buf_put_u16le(&r->pdu, id);
	buf_put_u16le(&r->pdu, (uint16_t)n);
	put_syntax(r, abstract);
	for (unsigned i = 0; i < n; i++)
		put_syntax(r, transfer[i]);
}

/* One element with NDR20. */
static MAYBE_UNUSED void
put_bind(struct rig *r, uint8_t ptype, uint8_t flags, uint32_t call_id, uint16_t id, const char *abstract)
{
	put_bind_fixed(r, ptype, flags, call_id, 4280, 0, 1);
	put_element(r, id, abstract, 1, &NDR20);
	put_end(r);
}

static MAYBE_UNUSED void
put_request(struct rig *r, uint8_t flags, uint32_t call_id, uint16_t context_id, uint16_t opnum,
    const void *stub, size_t n)
{
	put_start(r, RPC_PTYPE_REQUEST, flags, call_id);
	buf_put_u32le(&r->pdu, 0);
	buf_put_u16le(&r->pdu, context_id);
	buf_put_u16le(&r->pdu, opnum);
	buf_put(&r->pdu, stub, n);
	put_end(r);
}

/* Adds padding, trailer and signature to the request just written, and seals it at level 6. */
static MAYBE_UNUSED void
put_protection(struct rig *r, uint8_t level, uint32_t context_id, bool header_signing)
{
	size_t stub = 24 + ((r->pdu.p[3] & PFC_OBJECT_UUID) != 0 ? 16 : 0), body;
	uint8_t sig[16], pad = (uint8_t)((4 - r->pdu.len % 4) % 4);

	for (unsigned i = 0; i < pad; i++)
		buf_put_u8(&r->pdu, 0xbb);
	body = r->pdu.len - stub;
	buf_put_u8(&r->pdu, AUTH_MECH_NTLM);
	buf_put_u8(&r->pdu, level);
	buf_put_u8(&r->pdu, pad);
	buf_put_u8(&r->pdu, 0);
	buf_put_u32le(&r->pdu, context_id);
	set_u16le(r->pdu.p + 8, (uint16_t)(r->pdu.len + 16));
	set_u16le(r->pdu.p + 10, 16);
	fake_sign(r->pdu.p, r->pdu.len, r->seq_out++, header_signing, sig);
	if (level == 6)
		fake_seal(r->pdu.p + stub, body);
	buf_put(&r->pdu, sig, 16);
}

/* Hands the PDU over, whole. True when all was taken. */
static MAYBE_UNUSED bool
rig_feed(struct rig *r)
{
	return rpc_conn_feed(r->conn, r->pdu.p, r->pdu.len) == r->pdu.len;
}

/* ---- reading ---- */

/* The next PDU that came back; false when there is none. Lent until the next call of rig_feed(). */
static MAYBE_UNUSED bool
rig_next(struct rig *r, struct bytes *pdu)
{
	size_t left = r->sent.len - r->read;

	*pdu = (struct bytes){ NULL, 0 };
	if (left < 16)
		return false;
	pdu->p = r->sent.p + r->read;
	pdu->len = get_u16le(pdu->p + 8);
	if (pdu->len > left)
		return false;
	r->read += pdu->len;
	return true;
}

/* Hands the PDU over and reads what came back. */
static MAYBE_UNUSED bool
rig_exchange(struct rig *r, struct bytes *pdu)
{
	bool taken = rig_feed(r);

	return rig_next(r, pdu) && taken;
}

/* The status of a fault or the reason of a bind_nak; -1 for another PDU or none. */
static MAYBE_UNUSED int64_t
rig_refusal(struct rig *r, uint8_t ptype)
{
	struct bytes pdu;

	if (!rig_next(r, &pdu) || pdu.p[2] != ptype)
		return -1;
	return ptype == RPC_PTYPE_FAULT ? (int64_t)get_u32le(pdu.p + 24) : get_u16le(pdu.p + 16);
}

/* Binds ECHO as context 0 and SECRET as 1, without authentication or with the fake one complete at `level`.
 */
static MAYBE_UNUSED void
rig_bind(struct rig *r, uint8_t flags, uint8_t level)
{
	struct bytes pdu;

	put_bind_fixed(r, RPC_PTYPE_BIND, flags, 1, 4280, 0, 2);
	put_element(r, 0, ECHO, 1, &NDR20);
	put_element(r, 1, SECRET, 1, &NDR20);
	if (level != 0)
		put_auth(r, AUTH_MECH_NTLM, level, 7, "done");
	put_end(r);
	if (!rig_feed(r) || !rig_next(r, &pdu) || pdu.p[2] != RPC_PTYPE_BIND_ACK)
		abort();
}

#endif
