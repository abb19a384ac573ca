#include <string.h>

#include "base/text.h"
#include "idl/epm.h"

static const struct guid ndr_uuid = NDR_TRANSFER_SYNTAX_UUID;

/* ---- octets and floors (C706 appendix L: counts and lengths little-endian) ---- */

static int
take_side(struct bytes *rest, const char *side, unsigned floor, struct bytes *out, struct err *e)
{
	uint16_t n;

	if (rest->len < 2)
		return ERR(e, E_RPC_BAD_STUB_DATA, "tower ends before %s side of floor %u", side, floor);
	n = get_u16le(rest->p);
	if (n > rest->len - 2)
		return ERR(e, E_RPC_BAD_STUB_DATA, "%s side of floor %u has %u octets, %zu left", side, floor,
		    n, rest->len - 2);
	*out = (struct bytes){ rest->p + 2, n };
	rest->p += 2 + n;
	rest->len -= 2 + n;
	return 0;
}

int
epm_tower_decode(struct bytes octets, struct epm_tower *out, struct err *e)
{
	uint16_t n;

	if (octets.len < 2)
		return ERR(e, E_RPC_BAD_STUB_DATA, "tower of %zu octets", octets.len);
	n = get_u16le(octets.p);
#ifndef ADCSD_PLANTED_BUG_IDL_TOWER /* the fuzz target must find a tower taller than the array */
	if (n > EPM_FLOORS_MAX)
		return ERR(e, E_RPC_BAD_STUB_DATA, "tower of %u floors, at most %d", n, EPM_FLOORS_MAX);
#endif
	octets.p += 2;
	octets.len -= 2;
	*out = (struct epm_tower){ .n_floors = n };
	for (unsigned i = 0; i < n; i++) {
		struct epm_floor *f = &out->floors[i];

		if (take_side(&octets, "left", i + 1, &f->lhs, e) != 0 ||
		    take_side(&octets, "right", i + 1, &f->rhs, e) != 0)
			return -1;
		if (f->lhs.len == 0)
			return ERR(e, E_RPC_BAD_STUB_DATA, "floor %u names no protocol", i + 1);
	}
	return 0;
}

void
epm_tower_encode(const struct epm_tower *t, struct buf *out)
{
	buf_put_u16le(out, (uint16_t)t->n_floors);
	for (unsigned i = 0; i < t->n_floors; i++) {
		buf_put_u16le(out, (uint16_t)t->floors[i].lhs.len);
		buf_put_bytes(out, t->floors[i].lhs);
		buf_put_u16le(out, (uint16_t)t->floors[i].rhs.len);
		buf_put_bytes(out, t->floors[i].rhs);
	}
}

/* ---- ncacn_ip_tcp ---- */

/* A floor of `protocol` with sides of exactly these lengths? */
static bool
floor_is(const struct epm_floor *f, enum epm_protocol protocol, size_t lhs, size_t rhs)
{
	return f->lhs.len == lhs && f->lhs.p[0] == protocol && f->rhs.len == rhs;
}

static bool
floor_to_if_id(const struct epm_floor *f, struct epm_if_id *out)
{
	if (!floor_is(f, EPM_PROTOCOL_UUID, 19, 2))
		return false;
	guid_from_wire(&out->uuid, f->lhs.p + 1);
	out->major = get_u16le(f->lhs.p + 17);
	out->minor = get_u16le(f->rhs.p);
	return true;
}

bool
epm_tower_to_tcp(const struct epm_tower *t, struct epm_tcp *out)
{
	const struct epm_floor *f = t->floors;

	if (t->n_floors != 5 || !floor_to_if_id(&f[0], &out->iface) ||
	    !floor_to_if_id(&f[1], &out->transfer) || !floor_is(&f[2], EPM_PROTOCOL_RPC_CO, 1, 2) ||
	    !floor_is(&f[3], EPM_PROTOCOL_TCP, 1, 2) || !floor_is(&f[4], EPM_PROTOCOL_IP, 1, 4))
		return false;
	out->port = (uint16_t)(f[3].rhs.p[0] << 8 | f[3].rhs.p[1]); /* network order */
	memcpy(out->ipv4, f[4].rhs.p, 4);
	return true;
}

/* Where the sides of the five floors lie in one piece of memory. */
struct tcp_octets {
	uint8_t iface[19], iface_minor[2];
	uint8_t transfer[19], transfer_minor[2];
	uint8_t rpc, rpc_minor[2];
	uint8_t tcp, port[2];
	uint8_t ip, address[4];
};

static void
put_if_id(const struct epm_if_id *id, uint8_t lhs[19], uint8_t rhs[2])
{
	lhs[0] = EPM_PROTOCOL_UUID;
	guid_to_wire(&id->uuid, lhs + 1);
	set_u16le(lhs + 17, id->major);
	set_u16le(rhs, id->minor);
}

struct epm_tower *
epm_tower_from_tcp(struct pool *pool, const struct epm_tcp *tcp)
{
	struct epm_tower *t = POOL_NEW(pool, struct epm_tower);
	struct tcp_octets *o = POOL_NEW(pool, struct tcp_octets);

	if (t == NULL || o == NULL)
		return NULL;
	put_if_id(&tcp->iface, o->iface, o->iface_minor);
	put_if_id(&tcp->transfer, o->transfer, o->transfer_minor);
	o->rpc = EPM_PROTOCOL_RPC_CO;
	o->tcp = EPM_PROTOCOL_TCP;
	o->port[0] = (uint8_t)(tcp->port >> 8);
	o->port[1] = (uint8_t)tcp->port;
	o->ip = EPM_PROTOCOL_IP;
	memcpy(o->address, tcp->ipv4, 4);
	*t = (struct epm_tower){ 5,
		{
		    { { o->iface, 19 }, { o->iface_minor, 2 } },
		    { { o->transfer, 19 }, { o->transfer_minor, 2 } },
		    { { &o->rpc, 1 }, { o->rpc_minor, 2 } },
		    { { &o->tcp, 1 }, { o->port, 2 } },
		    { { &o->ip, 1 }, { o->address, 4 } },
		} };
	return t;
}

/* ---- text ---- */

static void
print_if_id(const struct epm_if_id *id, struct buf *out)
{
	char text[GUID_TEXT_MAX];

	if (guid_equal(&id->uuid, &ndr_uuid) && id->major == 2 && id->minor == 0)
		buf_put_str(out, "NDR20");
	else
		buf_printf(out, "%s v%u.%u", guid_to_text(&id->uuid, text), id->major, id->minor);
}

static void
print_floor(const struct epm_floor *f, struct buf *out)
{
	struct epm_if_id id;

	if (floor_to_if_id(f, &id)) {
		print_if_id(&id, out);
		return;
	}
	buf_printf(out, "floor 0x%02x", f->lhs.p[0]);
	if (f->lhs.len > 1) {
		buf_put_u8(out, '/');
		text_put_hex(out, (struct bytes){ f->lhs.p + 1, f->lhs.len - 1 });
	}
	if (f->rhs.len > 0) {
		buf_put_u8(out, '=');
		text_put_hex(out, f->rhs);
	}
}

void
epm_tower_print(const struct epm_tower *t, struct buf *out)
{
	struct epm_tcp tcp;

	if (epm_tower_to_tcp(t, &tcp)) {
		print_if_id(&tcp.iface, out);
		buf_put_str(out, ", ");
		print_if_id(&tcp.transfer, out);
		buf_printf(out, ", ncacn_ip_tcp %u.%u.%u.%u[%u]", tcp.ipv4[0], tcp.ipv4[1], tcp.ipv4[2],
		    tcp.ipv4[3], tcp.port);
		return;
	}
	if (t->n_floors == 0)
		buf_put_str(out, "no floors");
	for (unsigned i = 0; i < t->n_floors; i++) {
		if (i > 0)
			buf_put_str(out, ", ");
		print_floor(&t->floors[i], out);
	}
}
