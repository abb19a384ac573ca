#include "idl/pdu_client.h"

#include <string.h>

#define ACK_FIXED 26    /* through the length of sec_addr */
#define RESULT_LEN 24   /* result, reason, transfer syntax */
#define RESPONSE_LEN 24 /* up to the stub */
#define ELEMENT_COUNT_LEN 4

/* ---- encoding ---- */

static void
put_header(struct buf *out, enum rpc_ptype ptype, uint8_t flags, uint16_t frag_len, uint16_t auth_len,
    uint32_t call_id)
{
	static const uint8_t start[2] = { 5, 0 }, drep[4] = { 0x10, 0, 0, 0 };

	buf_put(out, start, sizeof(start));
	buf_put_u8(out, (uint8_t)ptype);
	buf_put_u8(out, flags);
	buf_put(out, drep, sizeof(drep));
	buf_put_u16le(out, frag_len);
	buf_put_u16le(out, auth_len);
	buf_put_u32le(out, call_id);
}

static void
put_syntax(struct buf *out, const struct rpc_syntax *s)
{
	guid_put(out, &s->uuid);
	buf_put_u16le(out, s->major);
	buf_put_u16le(out, s->minor);
}

/* What stands between is 4-aligned, so a leg's trailer needs no padding. */
static void
put_leg(struct buf *out, size_t start, const struct rpc_trailer *auth, struct bytes token)
{
	if (auth != NULL) {
		rpc_put_trailer(out, auth);
		buf_put_bytes(out, token);
	}
	if (out->len - start > UINT16_MAX)
		out->failed = true;
	if (!buf_ok(out))
		return;
	set_u16le(out->p + start + 8, (uint16_t)(out->len - start));
	set_u16le(out->p + start + 10, (uint16_t)(auth != NULL ? token.len : 0));
}

void
rpc_put_bind(struct buf *out, const struct rpc_bind_out *b)
{
	size_t start = out->len;

	put_header(out, b->ptype, b->flags | PFC_WHOLE, 0, 0, b->call_id);
	buf_put_u16le(out, b->max_frag);
	buf_put_u16le(out, b->max_frag);
	buf_put_u32le(out, b->assoc_group);
	buf_put_u32le(out, 1); /* n_context_elem u8, reserved */
	buf_put_u16le(out, b->context_id);
	buf_put_u16le(out, 1); /* n_transfer_syn u8, reserved */
	put_syntax(out, &b->abstract);
	put_syntax(out, &rpc_ndr20);
	put_leg(out, start, b->auth, b->token);
}

void
rpc_put_auth3(
    struct buf *out, uint8_t flags, uint32_t call_id, const struct rpc_trailer *auth, struct bytes token)
{
	size_t start = out->len;

	put_header(out, RPC_PTYPE_AUTH3, flags | PFC_WHOLE, 0, 0, call_id);
	buf_put_zero(out, 4); /* MS-RPCE 2.2.2.10: anything */
	put_leg(out, start, auth, token);
}

void
rpc_put_request(struct buf *out, const struct rpc_request_out *r)
{
	put_header(out, RPC_PTYPE_REQUEST, r->flags | (r->object != NULL ? PFC_OBJECT_UUID : 0), r->frag_len,
	    r->auth_len, r->call_id);
	buf_put_u32le(out, r->alloc_hint);
	buf_put_u16le(out, r->context_id);
	buf_put_u16le(out, r->opnum);
	if (r->object != NULL)
		guid_put(out, r->object);
}

/* ---- decoding ---- */

/* min: where the body's fixed part ends. The header has been checked: the trailer lies inside the PDU. */
static int
trailer_decode(struct bytes raw, size_t min, struct rpc_server_pdu *out, struct err *e)
{
	const uint8_t *p;

	out->auth.off = raw.len;
	if (raw.len < min)
		return ERR(e, E_RPC_PROTOCOL_ERROR, "%zu octets are too short", raw.len);
	if (out->h.auth_len == 0)
		return 0;
	out->auth.present = true;
	out->auth.off = raw.len - out->h.auth_len - RPC_TRAILER_LEN;
	if (out->auth.off < min)
		return ERR(
		    e, E_RPC_PROTOCOL_ERROR, "auth_length %u leaves no room for the body", out->h.auth_len);
	p = raw.p + out->auth.off;
	out->auth.type = p[0];
	out->auth.level = p[1];
	out->auth.pad_len = p[2];
	out->auth.context_id = get_u32le(p + 4);
	out->auth.token = (struct bytes){ p + RPC_TRAILER_LEN, out->h.auth_len };
	return 0;
}

static int
ack_decode(struct bytes raw, struct rpc_server_pdu *out, struct err *e)
{
	size_t at, end;

	if (trailer_decode(raw, ACK_FIXED, out, e) != 0)
		return -1;
	end = out->auth.off;
	out->ack.max_xmit = get_u16le(raw.p + 16);
	out->ack.max_recv = get_u16le(raw.p + 18);
	out->ack.assoc_group = get_u32le(raw.p + 20);
	at = ACK_FIXED + (size_t)get_u16le(raw.p + 24);
	at += (4 - at % 4) % 4;
#ifndef ADCSD_PLANTED_BUG_CLIENT_CONN
	if (at > end || end - at < ELEMENT_COUNT_LEN)
		return ERR(e, E_RPC_PROTOCOL_ERROR, "the list of results is cut off");
#endif
	out->ack.n_results = raw.p[at];
	at += ELEMENT_COUNT_LEN;
	if (out->ack.n_results > (end - at) / RESULT_LEN)
		return ERR(e, E_RPC_PROTOCOL_ERROR, "%u results in %zu octets", out->ack.n_results, end - at);
	if (out->ack.n_results == 0)
		return 0;
	out->ack.result = get_u16le(raw.p + at);
	out->ack.reason = get_u16le(raw.p + at + 2);
	return 0;
}

static int
response_decode(struct bytes raw, struct rpc_server_pdu *out, struct err *e)
{
	if (trailer_decode(raw, RESPONSE_LEN, out, e) != 0)
		return -1;
	if (out->auth.pad_len > out->auth.off - RESPONSE_LEN)
		return ERR(e, E_RPC_PROTOCOL_ERROR, "auth_pad_length %u", out->auth.pad_len);
	out->response.alloc_hint = get_u32le(raw.p + 16);
	out->response.context_id = get_u16le(raw.p + 20);
	out->response.stub_off = RESPONSE_LEN;
	out->response.stub_len = out->auth.off - RESPONSE_LEN - out->auth.pad_len;
	return 0;
}

static int
body_decode(struct bytes raw, struct rpc_server_pdu *out, struct err *e)
{
	switch (out->h.ptype) {
	case RPC_PTYPE_BIND_ACK:
	case RPC_PTYPE_ALTER_CONTEXT_RESP:
		return ack_decode(raw, out, e);
	case RPC_PTYPE_BIND_NAK:
		if (raw.len < RPC_HEADER_LEN + 2)
			return ERR(e, E_RPC_PROTOCOL_ERROR, "%zu octets are too short", raw.len);
		out->nak.reason = get_u16le(raw.p + 16);
		return 0;
	case RPC_PTYPE_RESPONSE:
		return response_decode(raw, out, e);
	case RPC_PTYPE_FAULT:
		if (raw.len < RPC_FAULT_LEN - 4)
			return ERR(e, E_RPC_PROTOCOL_ERROR, "%zu octets are too short", raw.len);
		out->fault.status = get_u32le(raw.p + 24);
		return 0;
	case RPC_PTYPE_SHUTDOWN:
		return 0;
	default:
		return ERR(e, E_RPC_PROTOCOL_ERROR, "no server sends it");
	}
}

int
rpc_server_pdu_decode(struct bytes raw, struct rpc_server_pdu *out, struct err *e)
{
	char scratch[16];

	memset(out, 0, sizeof(*out));
	if (raw.len < RPC_HEADER_LEN)
		return ERR(e, E_RPC_PROTOCOL_ERROR, "%zu octets are too short for a header", raw.len);
	rpc_header_decode(raw.p, &out->h);
	if (rpc_header_check(&out->h, e) != 0)
		return -1;
	if (out->h.frag_len != raw.len)
		return ERR(e, E_RPC_PROTOCOL_ERROR, "frag_length %u of %zu octets", out->h.frag_len, raw.len);
	if (body_decode(raw, out, e) != 0)
		return err_prefix(e, "%s", rpc_ptype_name(out->h.ptype, scratch));
	return 0;
}

/* ---- faults ---- */

/* C706 appendix E and MS-RPCE 3.3.3.5: what Windows' runtime makes of a status. */
static const struct {
	uint32_t status;
	const char *name;
	uint32_t win32;
} faults[] = {
	{ 0x00000005, "access denied", 0x5 },
	{ 0x000006BB, "server too busy", 0x6BB },
	{ 0x000006D8, "EPT_S_CANT_PERFORM_OP", 0x6D8 },
	{ 0x000006F7, "bad stub data", 0x6F7 },
	{ 0x00000721, "security package error", 0x721 },
	{ 0x1C00001B, "NCA_S_FAULT_REMOTE_NO_MEMORY", 0xE },
	{ 0x1C010002, "NCA_S_OP_RNG_ERROR", 0x6D1 },
	{ 0x1C010003, "NCA_S_UNK_IF", 0x6B5 },
	{ 0x1C01000B, "NCA_S_PROTO_ERROR", 0x6C0 },
	{ 0x1C010014, "NCA_S_SERVER_TOO_BUSY", 0x6BB },
	{ 0x1C00001A, "NCA_S_FAULT_CONTEXT_MISMATCH", 0x6F5 },
	{ 0x16C9A0D6, "EPT_S_NOT_REGISTERED", 0x6D9 },
};

const char *
rpc_fault_name(uint32_t status)
{
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		if (faults[i].status == status)
			return faults[i].name;
	return hresult_name(status);
}

uint32_t
rpc_fault_hresult(uint32_t status)
{
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		if (faults[i].status == status)
			return hresult_from_win32(faults[i].win32);
	if (status >= 0x80000000u)
		return status;
	return status <= 0xffff && status != 0 ? hresult_from_win32(status) : E_FAIL;
}
