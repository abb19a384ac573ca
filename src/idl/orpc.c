#include "idl/orpc.h"

#include <inttypes.h>

/* ---- extensions: read over (MS-DCOM 2.2.13.1, 2.2.13.2) ---- */

/* One ORPC_EXTENT: MaxCount, id, size, data; the array holds size rounded up to 8. */
static int
skip_extent(struct ndr_in *in, struct err *e)
{
	uint32_t max, size;
	struct bytes data;
	struct guid id;

	if (ndr_in_u32(in, &max, e) != 0 || ndr_in_guid(in, &id, e) != 0 || ndr_in_u32(in, &size, e) != 0)
		return -1;
	if (size > UINT32_MAX - 7 || max != ((size + 7) & ~7u))
		return ERR(e, E_RPC_BAD_STUB_DATA, "ORPC_EXTENT of %" PRIu32 " octets, MaxCount %" PRIu32,
		    size, max);
	return ndr_in_octets(in, max, &data, e);
}

/* The ORPC_EXTENT_ARRAY behind a pointer that is not null. */
static int
skip_extensions(struct ndr_in *in, uint32_t *count, struct err *e)
{
	uint32_t size, reserved, extent, max, id, present = 0;

	if (ndr_in_u32(in, &size, e) != 0 || ndr_in_u32(in, &reserved, e) != 0 ||
	    ndr_in_u32(in, &extent, e) != 0)
		return -1;
	*count = size;
	if (size > ORPC_EXTENSIONS_MAX)
		return ERR(e, E_RPC_BAD_STUB_DATA, "%" PRIu32 " ORPC extensions, at most %d", size,
		    ORPC_EXTENSIONS_MAX);
	if (extent == 0)
		return 0;
	if (ndr_in_u32(in, &max, e) != 0)
		return -1;
	if (max != ((size + 1) & ~1u))
		return ERR(
		    e, E_RPC_BAD_STUB_DATA, "%" PRIu32 " ORPC extensions, MaxCount %" PRIu32, size, max);
	for (uint32_t i = 0; i < max; i++) {
		if (ndr_in_u32(in, &id, e) != 0)
			return -1;
		present += id != 0;
	}
	for (uint32_t i = 0; i < present; i++) {
#ifdef ADCSD_PLANTED_BUG_IDL_ORPC /* the fuzz target must find data read without its length */
		if (ndr_in_left(in) == 4) {
			volatile uint8_t beyond = in->p[in->len + present];

			(void)beyond;
		}
#endif
		if (skip_extent(in, e) != 0)
			return err_prefix(e, "extent[%" PRIu32 "]", i);
	}
	return 0;
}

/* ---- headers ---- */

static int
this_pull(struct ndr_in *in, void *host, struct err *e)
{
	struct orpcthis *t = host;
	uint32_t reserved, extensions;

	ndr_in_align(in, 4);
	if (ndr_in_u16(in, &t->version.major, e) != 0 || ndr_in_u16(in, &t->version.minor, e) != 0 ||
	    ndr_in_u32(in, &t->flags, e) != 0 || ndr_in_u32(in, &reserved, e) != 0 ||
	    ndr_in_guid(in, &t->cid, e) != 0 || ndr_in_u32(in, &extensions, e) != 0)
		return -1;
	t->n_extensions = 0;
	return extensions == 0 ? 0 : skip_extensions(in, &t->n_extensions, e);
}

static int
this_push(struct ndr_out *out, const void *host, struct err *e)
{
	const struct orpcthis *t = host;

	(void)e;
	ndr_out_align(out, 4);
	ndr_out_u16(out, t->version.major);
	ndr_out_u16(out, t->version.minor);
	ndr_out_u32(out, t->flags);
	ndr_out_u32(out, 0);
	ndr_out_guid(out, &t->cid);
	ndr_out_u32(out, 0);
	return 0;
}

static void
this_print(const void *host, struct buf *out)
{
	const struct orpcthis *t = host;
	char text[GUID_TEXT_MAX];

	buf_printf(out, "%u.%u flags %" PRIu32 " cid %s", t->version.major, t->version.minor, t->flags,
	    guid_to_text(&t->cid, text));
}

const struct ndr_custom orpc_this = { 4, 32, this_pull, this_push, this_print };

int
orpc_this_decode(struct bytes stub, struct orpcthis *out, size_t *used, struct err *e)
{
	struct ndr_in in;

	ndr_in_init(&in, stub, NULL);
	if (this_pull(&in, out, e) != 0)
		return err_prefix(e, "ORPCTHIS");
	*used = in.off;
	return 0;
}

static int
that_pull(struct ndr_in *in, void *host, struct err *e)
{
	struct orpcthat *t = host;
	uint32_t extensions;

	if (ndr_in_u32(in, &t->flags, e) != 0 || ndr_in_u32(in, &extensions, e) != 0)
		return -1;
	t->n_extensions = 0;
	return extensions == 0 ? 0 : skip_extensions(in, &t->n_extensions, e);
}

static int
that_push(struct ndr_out *out, const void *host, struct err *e)
{
	const struct orpcthat *t = host;

	(void)e;
	ndr_out_u32(out, t->flags);
	ndr_out_u32(out, 0);
	return 0;
}

static void
that_print(const void *host, struct buf *out)
{
	const struct orpcthat *t = host;

	buf_printf(out, "flags %" PRIu32, t->flags);
}

const struct ndr_custom orpc_that = { 4, ORPCTHAT_LEN, that_pull, that_push, that_print };

void
orpc_that_encode(struct buf *out)
{
	buf_put_zero(out, ORPCTHAT_LEN);
}

/* ---- MInterfacePointer: a conformant struct of octets ---- */

static int
pointer_pull(struct ndr_in *in, void *host, struct err *e)
{
	struct bytes *b = host, octets;
	uint32_t max, count;

	if (ndr_in_u32(in, &max, e) != 0 || ndr_in_u32(in, &count, e) != 0)
		return -1;
	if (max != count)
		return ERR(e, E_RPC_BAD_STUB_DATA, "MaxCount %" PRIu32 ", ulCntData %" PRIu32, max, count);
	if (ndr_in_octets(in, count, &octets, e) != 0)
		return -1;
	if (pool_dup_bytes(in->pool, octets, b) != 0)
		return ERR(e, E_OUTOFMEMORY, "no memory for an interface pointer");
	return 0;
}

static int
pointer_push(struct ndr_out *out, const void *host, struct err *e)
{
	const struct bytes *b = host;

	if (b->len > UINT32_MAX)
		return ERR(e, E_INVALIDARG, "interface pointer of %zu octets", b->len);
	ndr_out_u32(out, (uint32_t)b->len);
	ndr_out_u32(out, (uint32_t)b->len);
	ndr_out_octets(out, *b);
	return 0;
}

static void
pointer_print(const void *host, struct buf *out)
{
	const struct bytes *b = host;
	struct orpc_objref o;
	char text[GUID_TEXT_MAX];

	buf_printf(out, "%zu octets", b->len);
	if (orpc_objref_decode(*b, &o, NULL) == 0)
		buf_printf(out, ", OBJREF kind %" PRIu32 " of %s", o.flags, guid_to_text(&o.iid, text));
}

const struct ndr_custom orpc_interface_pointer = { 4, 8, pointer_pull, pointer_push, pointer_print };

/* ---- unsigned short counts ---- */

static int
count_pull(struct ndr_in *in, void *host, struct err *e)
{
	uint16_t v;

	if (ndr_in_u16(in, &v, e) != 0)
		return -1;
	*(uint32_t *)host = v;
	return 0;
}

static int
count_push(struct ndr_out *out, const void *host, struct err *e)
{
	uint32_t v = *(const uint32_t *)host;

	if (v > UINT16_MAX)
		return ERR(e, E_INVALIDARG, "count %" PRIu32 " of 16 bits", v);
	ndr_out_u16(out, (uint16_t)v);
	return 0;
}

static void
count_print(const void *host, struct buf *out)
{
	buf_printf(out, "%" PRIu32, *(const uint32_t *)host);
}

const struct ndr_custom orpc_count16 = { 2, 2, count_pull, count_push, count_print };

/* ---- elements ---- */

const struct ndr_field orpc_iid_fields[] = { F_GUID(struct orpc_iid, iid), F_END };
const struct ndr_field orpc_pointer_fields[] = {
	F_CUSTOM_PTR(struct orpc_pointer, objref, NDR_UNIQUE, struct bytes, &orpc_interface_pointer),
	F_END,
};
const struct ndr_field orpc_hresult_fields[] = { F_STATUS(struct orpc_hresult, hr), F_END };
const struct ndr_field orpc_protseq_fields[] = { F_U16(struct orpc_protseq, id), F_END };
const struct ndr_field com_version_fields[] = {
	F_U16(struct com_version, major),
	F_U16(struct com_version, minor),
	F_END,
};
