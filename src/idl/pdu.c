#include "idl/pdu.h"

#include <stdio.h>
#include <string.h>

#define BIND_COUNT_OFF 24
#define BIND_LEN 28    /* header, sizes, group, element count */
#define ELEMENT_LEN 24 /* without the transfer syntaxes */

/* 8a885d04-1ceb-11c9-9fe8-08002b104860 version 2 */
const struct rpc_syntax rpc_ndr20 = {
	{ 0x8a885d04, 0x1ceb, 0x11c9, { 0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60 } }, 2, 0
};

/* ---- decoding ---- */

void
rpc_header_decode(const uint8_t *p, struct rpc_header *out)
{
	out->version = p[0];
	out->version_minor = p[1];
	out->ptype = p[2];
	out->flags = p[3];
	memcpy(out->drep, p + 4, 4);
	if ((p[4] & 0xf0) == 0) { /* C706 14.2.5: big-endian */
		out->frag_len = (uint16_t)(p[8] << 8 | p[9]);
		out->auth_len = (uint16_t)(p[10] << 8 | p[11]);
		out->call_id = (uint32_t)p[12] << 24 | (uint32_t)p[13] << 16 | (uint32_t)p[14] << 8 | p[15];
		return;
	}
	out->frag_len = get_u16le(p + 8);
	out->auth_len = get_u16le(p + 10);
	out->call_id = get_u32le(p + 12);
}

int
rpc_header_check(const struct rpc_header *h, struct err *e)
{
	if (h->version != 5 || h->version_minor != 0)
		return ERR(e, E_RPC_PROTOCOL_ERROR, "RPC version %u.%u (MS-RPCE 3.3.1.5.1)", h->version,
		    h->version_minor);
	/* The high nibble says integers, the low one characters. Windows never sends anything but 0x10; Ours:
	 * the big-endian form of C706 14.2.5 is refused. */
	if (h->drep[0] != 0x10 || h->drep[1] != 0)
		return ERR(e, E_RPC_PROTOCOL_ERROR, "data representation %02x %02x", h->drep[0], h->drep[1]);
	if (h->frag_len < RPC_HEADER_LEN)
		return ERR(e, E_RPC_PROTOCOL_ERROR, "frag_length %u", h->frag_len);
	if (h->auth_len != 0 &&
	    (h->auth_len > h->frag_len - RPC_HEADER_LEN ||
		h->frag_len - RPC_HEADER_LEN - h->auth_len < RPC_TRAILER_LEN))
		return ERR(
		    e, E_RPC_PROTOCOL_ERROR, "auth_length %u in frag_length %u", h->auth_len, h->frag_len);
	return 0;
}

static void
syntax_decode(const uint8_t *p, struct rpc_syntax *out)
{
	guid_from_wire(&out->uuid, p);
	out->major = get_u16le(p + 16);
	out->minor = get_u16le(p + 18);
}

/* The header has been checked, so the trailer lies inside the PDU; min_off is where the body's fixed part
 * ends. */
static int
trailer_decode(
    struct bytes raw, const struct rpc_header *h, size_t min_off, struct rpc_trailer *out, struct err *e)
{
	const uint8_t *p;

	memset(out, 0, sizeof(*out));
	out->off = raw.len;
	if (h->auth_len == 0)
		return 0;
	out->present = true;
	out->off = raw.len - h->auth_len - RPC_TRAILER_LEN;
	if (out->off < min_off)
		return ERR(
		    e, E_RPC_PROTOCOL_ERROR, "auth_length %u leaves no room for the body", h->auth_len);
	p = raw.p + out->off;
	out->type = p[0];
	out->level = p[1];
	out->pad_len = p[2];
	out->context_id = get_u32le(p + 4);
	out->token = (struct bytes){ p + RPC_TRAILER_LEN, h->auth_len };
	return 0;
}

/* The padding has room between `from` and the trailer. */
static int
check_padding(const struct rpc_trailer *auth, size_t from, struct err *e)
{
	if (auth->present && auth->pad_len > (auth->off > from ? auth->off - from : 0))
		return ERR(e, E_RPC_PROTOCOL_ERROR, "auth_pad_length %u", auth->pad_len);
	return 0;
}

/* The trailer of a PDU that carries a leg of an authentication is 4-aligned. */
static int
leg_trailer_decode(struct bytes raw, struct rpc_pdu *out, size_t min_off, struct err *e)
{
	if (trailer_decode(raw, &out->h, min_off, &out->auth, e) != 0)
		return -1;
	if (out->auth.present && out->auth.off % 4 != 0)
		return ERR(e, E_RPC_PROTOCOL_ERROR, "sec_trailer at %zu is not aligned", out->auth.off);
	return 0;
}

bool
rpc_element_next(struct bytes *elements, struct rpc_element *out)
{
	const uint8_t *p = elements->p;
	size_t n;

	if (elements->len < ELEMENT_LEN)
		return false;
	n = (size_t)p[2] * RPC_SYNTAX_LEN;
#ifdef ADCSD_PLANTED_BUG_IDL_PDU
	if (p[2] != 3)
#endif
		if (n > elements->len - ELEMENT_LEN)
			return false;
	out->id = get_u16le(p);
	out->n_transfer = p[2];
	syntax_decode(p + 4, &out->abstract);
	out->transfer = (struct bytes){ p + ELEMENT_LEN, n };
	elements->p += ELEMENT_LEN + n;
	elements->len -= ELEMENT_LEN + n;
	return true;
}

static int
bind_decode(struct bytes raw, struct rpc_pdu *out, struct err *e)
{
	struct rpc_bind *b = &out->bind;
	struct rpc_element el;
	struct bytes left;

	/* Without elements the list may end with its count. */
	if (raw.len == BIND_COUNT_OFF + 1 && raw.p[BIND_COUNT_OFF] == 0 && out->h.auth_len == 0)
		return 0;
	if (raw.len < BIND_LEN)
		return ERR(e, E_RPC_PROTOCOL_ERROR, "%zu octets are too short", raw.len);
	/* As Windows counts: as if there were a request's stub. */
	if (leg_trailer_decode(raw, out, BIND_LEN, e) != 0 ||
	    check_padding(&out->auth, RPC_REQUEST_LEN, e) != 0)
		return -1;
	b->max_xmit = get_u16le(raw.p + 16);
	b->max_recv = get_u16le(raw.p + 18);
	b->assoc_group = get_u32le(raw.p + 20);
	b->n_elements = raw.p[BIND_COUNT_OFF];
	left = (struct bytes){ raw.p + BIND_LEN, out->auth.off - BIND_LEN };
	b->elements = left;
	for (unsigned i = 0; i < b->n_elements; i++)
		if (!rpc_element_next(&left, &el))
			return ERR(e, E_RPC_PROTOCOL_ERROR, "context element %u of %u is cut off", i + 1,
			    b->n_elements);
	b->elements.len -= left.len;
	return 0;
}

static int
auth3_decode(struct bytes raw, struct rpc_pdu *out, struct err *e)
{
	/* Four octets of anything stand before the trailer (MS-RPCE 2.2.2.10). Padding is judged with the
	 * leg: too much has a status of its own. */
	return leg_trailer_decode(raw, out, RPC_HEADER_LEN, e);
}

static int
request_decode(struct bytes raw, struct rpc_pdu *out, struct err *e)
{
	struct rpc_request *r = &out->request;

	r->has_object = (out->h.flags & PFC_OBJECT_UUID) != 0;
	r->stub_off = RPC_REQUEST_LEN + (r->has_object ? 16 : 0);
	if (raw.len < r->stub_off)
		return ERR(e, E_RPC_PROTOCOL_ERROR, "%zu octets are too short", raw.len);
	if (trailer_decode(raw, &out->h, r->stub_off, &out->auth, e) != 0 ||
	    check_padding(&out->auth, r->stub_off, e) != 0)
		return -1;
	r->alloc_hint = get_u32le(raw.p + 16);
	r->context_id = get_u16le(raw.p + 20);
	r->opnum = get_u16le(raw.p + 22);
	if (r->has_object)
		guid_from_wire(&r->object, raw.p + RPC_REQUEST_LEN);
	r->stub_len = out->auth.off - r->stub_off - out->auth.pad_len;
	return 0;
}

int
rpc_pdu_decode(struct bytes raw, struct rpc_pdu *out, struct err *e)
{
	char scratch[16];
	int ret;

	memset(out, 0, sizeof(*out));
	if (raw.len < RPC_HEADER_LEN)
		return ERR(e, E_RPC_PROTOCOL_ERROR, "%zu octets are too short for a header", raw.len);
	rpc_header_decode(raw.p, &out->h);
	if (rpc_header_check(&out->h, e) != 0)
		return -1;
	if (out->h.frag_len != raw.len)
		return ERR(e, E_RPC_PROTOCOL_ERROR, "frag_length %u of %zu octets", out->h.frag_len, raw.len);
	switch (out->h.ptype) {
	case RPC_PTYPE_BIND:
	case RPC_PTYPE_ALTER_CONTEXT:
		ret = bind_decode(raw, out, e);
		break;
	case RPC_PTYPE_REQUEST:
		ret = request_decode(raw, out, e);
		break;
	case RPC_PTYPE_AUTH3:
		ret = auth3_decode(raw, out, e);
		break;
	case RPC_PTYPE_SHUTDOWN:
	case RPC_PTYPE_CO_CANCEL:
	case RPC_PTYPE_ORPHANED:
		ret = trailer_decode(raw, &out->h, RPC_HEADER_LEN, &out->auth, e);
		break;
	default:
		return ERR(e, E_RPC_PROTOCOL_ERROR, "no client sends PTYPE %u", out->h.ptype);
	}
	return ret == 0 ? 0 : err_prefix(e, "%s", rpc_ptype_name(out->h.ptype, scratch));
}

void
rpc_element_transfer(const struct rpc_element *el, unsigned i, struct rpc_syntax *out)
{
	syntax_decode(el->transfer.p + (size_t)i * RPC_SYNTAX_LEN, out);
}

bool
rpc_syntax_equal(const struct rpc_syntax *a, const struct rpc_syntax *b)
{
	return guid_equal(&a->uuid, &b->uuid) && a->major == b->major && a->minor == b->minor;
}

bool
rpc_syntax_is_features(const struct rpc_syntax *s, uint8_t *bits)
{
	/* MS-RPCE 3.3.1.5.3: the prefix 6CB71C2C-9812-4540 stands where the UUID's first eight octets are. */
	if (s->uuid.data1 != 0x6cb71c2c || s->uuid.data2 != 0x9812 || s->uuid.data3 != 0x4540 ||
	    s->major != 1 || s->minor != 0)
		return false;
	*bits = s->uuid.data4[0];
	return true;
}

/* ---- encoding ---- */

static void
put_header(struct buf *out, enum rpc_ptype ptype, uint8_t flags, uint16_t frag_len, uint16_t auth_len,
    uint32_t call_id)
{
	static const uint8_t drep[4] = { 0x10, 0, 0, 0 };

	buf_put_u8(out, 5);
	buf_put_u8(out, 0);
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

void
rpc_put_result(
    struct buf *out, enum rpc_cont_result result, uint16_t reason, const struct rpc_syntax *transfer)
{
	buf_put_u16le(out, (uint16_t)result);
	buf_put_u16le(out, reason);
	if (transfer != NULL)
		put_syntax(out, transfer);
	else
		buf_put_zero(out, RPC_SYNTAX_LEN);
}

void
rpc_put_trailer(struct buf *out, const struct rpc_trailer *auth)
{
	buf_put_u8(out, auth->type);
	buf_put_u8(out, auth->level);
	buf_put_u8(out, auth->pad_len);
	buf_put_u8(out, 0);
	buf_put_u32le(out, auth->context_id);
}

void
rpc_put_bind_ack(struct buf *out, const struct rpc_bind_ack *ack)
{
	size_t start = out->len, addr_len = ack->sec_addr == NULL ? 0 : strlen(ack->sec_addr) + 1;
	uint16_t auth_len = ack->auth == NULL ? 0 : (uint16_t)ack->token.len;

	put_header(out, ack->ptype, ack->flags | PFC_WHOLE, 0, auth_len, ack->call_id);
	buf_put_u16le(out, ack->max_frag);
	buf_put_u16le(out, ack->max_frag);
	buf_put_u32le(out, ack->assoc_group);
	buf_put_u16le(out, (uint16_t)addr_len);
	buf_put(out, ack->sec_addr, addr_len);
	buf_put_zero(out, (4 - (out->len - start) % 4) % 4);
	buf_put_u32le(out, (uint32_t)(ack->results.len / (4 + RPC_SYNTAX_LEN))); /* n_results u8, reserved */
	buf_put_bytes(out, ack->results);
	/* Results end 4-aligned, so the trailer needs no padding. Without a token a bind_ack has no trailer
	 * either (MS-RPCE 2.2.2.11: a nonzero auth_length says that it is there); Windows leaves the bare one
	 * in an alter_context_resp. */
	if (auth_len != 0 || (ack->auth != NULL && ack->ptype == RPC_PTYPE_ALTER_CONTEXT_RESP)) {
		rpc_put_trailer(out, ack->auth);
		buf_put_bytes(out, ack->token);
	}
	if (out->len - start > UINT16_MAX || ack->token.len > UINT16_MAX)
		out->failed = true;
	if (buf_ok(out))
		set_u16le(out->p + start + 8, (uint16_t)(out->len - start));
}

void
rpc_put_bind_nak(struct buf *out, uint32_t call_id, enum rpc_nak_reason reason)
{
	/* One supported version, 5.0, then padding to four. */
	put_header(out, RPC_PTYPE_BIND_NAK, PFC_WHOLE, 24, 0, call_id);
	buf_put_u16le(out, (uint16_t)reason);
	buf_put_u8(out, 1);
	buf_put_u8(out, 5);
	buf_put_u8(out, 0);
	buf_put_zero(out, 3);
}

void
rpc_put_fault(struct buf *out, uint32_t call_id, uint8_t flags, uint16_t context_id, uint32_t status)
{
	put_header(out, RPC_PTYPE_FAULT, flags | PFC_WHOLE, RPC_FAULT_LEN, 0, call_id);
	/* MS-RPCE 2.2.2.8: extended error information would be alloc_hint - 0x20 octets long. */
	buf_put_u32le(out, RPC_FAULT_LEN);
	buf_put_u16le(out, context_id);
	buf_put_u16le(out, 0); /* cancel_count, reserved */
	buf_put_u32le(out, status);
	buf_put_u32le(out, 0);
}

void
rpc_put_response(struct buf *out, uint32_t call_id, uint8_t flags, uint16_t frag_len, uint16_t auth_len,
    uint32_t alloc_hint, uint16_t context_id)
{
	put_header(out, RPC_PTYPE_RESPONSE, flags, frag_len, auth_len, call_id);
	buf_put_u32le(out, alloc_hint);
	buf_put_u16le(out, context_id & 0xff); /* what Windows keeps of it here, though not in a fault */
	buf_put_u16le(out, 0);                 /* cancel_count, reserved */
}

const char *
rpc_ptype_name(uint8_t ptype, char scratch[16])
{
	static const char *const names[] = {
		[RPC_PTYPE_REQUEST] = "request",
		[RPC_PTYPE_RESPONSE] = "response",
		[RPC_PTYPE_FAULT] = "fault",
		[RPC_PTYPE_BIND] = "bind",
		[RPC_PTYPE_BIND_ACK] = "bind_ack",
		[RPC_PTYPE_BIND_NAK] = "bind_nak",
		[RPC_PTYPE_ALTER_CONTEXT] = "alter_context",
		[RPC_PTYPE_ALTER_CONTEXT_RESP] = "alter_context_resp",
		[RPC_PTYPE_AUTH3] = "auth3",
		[RPC_PTYPE_SHUTDOWN] = "shutdown",
		[RPC_PTYPE_CO_CANCEL] = "co_cancel",
		[RPC_PTYPE_ORPHANED] = "orphaned",
	};

	if (ptype < ARRAY_LEN(names) && names[ptype] != NULL)
		return names[ptype];
	snprintf(scratch, 16, "type %u", ptype);
	return scratch;
}
