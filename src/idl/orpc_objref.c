/* OBJREF (MS-DCOM 2.2.18): packed, little-endian, no alignment inside. */
#include <inttypes.h>

#include "idl/orpc.h"

#define SIGNATURE 0x574f454du          /* "MEOW" */
#define EXTENDED_SIGNATURE 0x4e535956u /* MS-DCOM 2.2.18.7 */
#define STDOBJREF_LEN 40
#define GUID_LEN 16

const struct ndr_field orpc_stdobjref_fields[] = {
	F_U32(struct orpc_stdobjref, flags),
	F_U32(struct orpc_stdobjref, public_refs),
	F_HYPER(struct orpc_stdobjref, oxid),
	F_HYPER(struct orpc_stdobjref, oid),
	F_GUID(struct orpc_stdobjref, ipid),
	F_END,
};

void
orpc_objref_encode(const struct orpc_objref *o, struct buf *out)
{
	buf_put_u32le(out, SIGNATURE);
	buf_put_u32le(out, o->flags);
	guid_put(out, &o->iid);
	if (o->flags == OBJREF_CUSTOM) {
		guid_put(out, &o->clsid);
		buf_put_u32le(out, 0); /* cbExtension */
		buf_put_u32le(
		    out, (uint32_t)o->data.len + 8); /* reserved; as other implementations fill it */
		buf_put_bytes(out, o->data);
		return;
	}
	buf_put_u32le(out, o->std.flags);
	buf_put_u32le(out, o->std.public_refs);
	buf_put_u64le(out, o->std.oxid);
	buf_put_u64le(out, o->std.oid);
	guid_put(out, &o->std.ipid);
	buf_put_bytes(out, o->bindings);
}

/* n octets off the front; NULL when there are fewer. */
static const uint8_t *
take(struct bytes *in, size_t n)
{
	const uint8_t *at = in->p;

	if (n > in->len)
		return NULL;
	in->p += n;
	in->len -= n;
	return at;
}

static int
too_short(const char *what, struct err *e)
{
	return ERR(e, RPC_E_INVALID_OBJREF, "OBJREF ends in its %s", what);
}

static int
take_std(struct bytes *in, struct orpc_stdobjref *std, struct err *e)
{
	const uint8_t *p = take(in, STDOBJREF_LEN);

	if (p == NULL)
		return too_short("STDOBJREF", e);
	std->flags = get_u32le(p);
	std->public_refs = get_u32le(p + 4);
	std->oxid = get_u64le(p + 8);
	std->oid = get_u64le(p + 16);
	guid_from_wire(&std->ipid, p + 24);
	return 0;
}

static int
take_guid(struct bytes *in, struct guid *g, const char *what, struct err *e)
{
	const uint8_t *p = take(in, GUID_LEN);

	if (p == NULL)
		return too_short(what, e);
	guid_from_wire(g, p);
	return 0;
}

/* A DUALSTRINGARRAY as it stands. */
static int
take_bindings(struct bytes *in, struct bytes *out, struct err *e)
{
	size_t n;

	if (in->len < 4)
		return too_short("saResAddr", e);
	n = 4 + 2 * (size_t)get_u16le(in->p);
	if (get_u16le(in->p + 2) > get_u16le(in->p))
		return ERR(e, RPC_E_INVALID_OBJREF, "wSecurityOffset %u of %u units", get_u16le(in->p + 2),
		    get_u16le(in->p));
	out->p = take(in, n);
	out->len = n;
	return out->p != NULL ? 0 : too_short("saResAddr", e);
}

static int
take_custom(struct bytes *in, struct orpc_objref *out, struct err *e)
{
	const uint8_t *p;
	uint32_t extension;

	if (take_guid(in, &out->clsid, "clsid", e) != 0)
		return -1;
	p = take(in, 8);
	if (p == NULL)
		return too_short("header", e);
	extension = get_u32le(p);
#ifdef ADCSD_PLANTED_BUG_IDL_OBJREF /* the fuzz target must find a length that nobody checks */
	if (extension == 0x41) {
		volatile uint8_t beyond = in->p[in->len];

		(void)beyond;
	}
#endif
	/* MS-DCOM 2.2.18.6: cbExtension is 0; an extension would stand before the data. */
	if (extension != 0)
		return ERR(e, RPC_E_INVALID_OBJREF, "cbExtension %" PRIu32, extension);
	out->data = *in;
	return 0;
}

int
orpc_objref_decode(struct bytes in, struct orpc_objref *out, struct err *e)
{
	const uint8_t *p = take(&in, 8);

	*out = (struct orpc_objref){ 0 };
	if (p == NULL)
		return too_short("header", e);
	if (get_u32le(p) != SIGNATURE)
		return ERR(e, RPC_E_INVALID_OBJREF, "signature 0x%08" PRIx32 ", not MEOW", get_u32le(p));
	out->flags = get_u32le(p + 4);
	if (take_guid(&in, &out->iid, "iid", e) != 0)
		return -1;
	switch (out->flags) {
	case OBJREF_STANDARD:
		return take_std(&in, &out->std, e) != 0 ? -1 : take_bindings(&in, &out->bindings, e);
	case OBJREF_HANDLER:
		return take_std(&in, &out->std, e) != 0 || take_guid(&in, &out->clsid, "clsid", e) != 0
		    ? -1
		    : take_bindings(&in, &out->bindings, e);
	case OBJREF_CUSTOM:
		return take_custom(&in, out, e);
	case OBJREF_EXTENDED:
		if (take_std(&in, &out->std, e) != 0)
			return -1;
		p = take(&in, 4);
		if (p == NULL || get_u32le(p) != EXTENDED_SIGNATURE)
			return ERR(e, RPC_E_INVALID_OBJREF, "extended OBJREF without its signature");
		return take_bindings(&in, &out->bindings, e);
	default:
		return ERR(e, RPC_E_INVALID_OBJREF, "OBJREF flags 0x%08" PRIx32, out->flags);
	}
}
