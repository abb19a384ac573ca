#include "idl/epm.h"

#include "ndr/cursor.h"

/* ---- twr_t: a conformant struct, whose MaxCount comes before its first member (MS-RPCE 2.2.1.2.2) ---- */

static int
twr_pull(struct ndr_in *in, void *host, struct err *e)
{
	struct bytes octets, kept;
	uint32_t max, length;

	if (ndr_in_u32(in, &max, e) != 0 || ndr_in_u32(in, &length, e) != 0)
		return -1;
	if (length > EPM_TOWER_MAX)
		return ERR(
		    e, E_RPC_BAD_STUB_DATA, "tower of %u octets outside range(0,%d)", length, EPM_TOWER_MAX);
	if (max != length)
		return ERR(e, E_RPC_BAD_STUB_DATA, "MaxCount %u, tower_length %u", max, length);
	if (ndr_in_octets(in, length, &octets, e) != 0)
		return -1;
	if (pool_dup_bytes(in->pool, octets, &kept) != 0)
		return ERR(e, E_OUTOFMEMORY, "no memory for a tower");
	return epm_tower_decode(kept, host, e);
}

static int
twr_push(struct ndr_out *out, const void *host, struct err *e)
{
	size_t counts, length;

	ndr_out_align(out, 4);
	counts = out->b->len;
	buf_put_zero(out->b, 8);
	epm_tower_encode(host, out->b);
	if (!buf_ok(out->b))
		return 0; /* ndr_push tells */
	length = out->b->len - counts - 8;
	if (length > EPM_TOWER_MAX)
		return ERR(e, E_INVALIDARG, "tower of %zu octets outside range(0,%d)", length, EPM_TOWER_MAX);
	set_u32le(out->b->p + counts, (uint32_t)length);
	set_u32le(out->b->p + counts + 4, (uint32_t)length);
	return 0;
}

static void
twr_print(const void *host, struct buf *out)
{
	epm_tower_print(host, out);
}

static const struct ndr_custom twr = { 4, 8, twr_pull, twr_push, twr_print };

/* ---- tables, rows in wire order ---- */

static const struct ndr_field handle_fields[] = {
	F_U32(struct epm_handle, attributes),
	F_GUID(struct epm_handle, uuid),
	F_END,
};

static const struct ndr_field if_id_fields[] = {
	F_GUID(struct epm_if_id, uuid),
	F_U16(struct epm_if_id, major),
	F_U16(struct epm_if_id, minor),
	F_END,
};

static const struct ndr_field entry_fields[] = {
	F_GUID(struct epm_entry, object),
	F_CUSTOM_PTR(struct epm_entry, tower, NDR_FULL, struct epm_tower, &twr),
	F_VSTR(struct epm_entry, annotation, EPM_ANNOTATION_MAX),
	F_END,
};

/* MS-RPCE 2.2.1.2.4 */
const struct ndr_field epm_lookup_in[] = {
	F_U32(struct epm_lookup_in, inquiry_type),
	F_GUID_PTR(struct epm_lookup_in, object, NDR_FULL),
	F_PTR(struct epm_lookup_in, if_id, NDR_FULL, struct epm_if_id, if_id_fields),
	F_U32(struct epm_lookup_in, vers_option),
	F_STRUCT(struct epm_lookup_in, handle, struct epm_handle, handle_fields),
	F_U32_RANGE(struct epm_lookup_in, max_ents, 0, EPM_RESULTS_MAX),
	F_END,
};

const struct ndr_field epm_lookup_out[] = {
	F_STRUCT(struct epm_lookup_out, handle, struct epm_handle, handle_fields),
	F_U32(struct epm_lookup_out, num_ents),
	F_ARRAY_VARYING(struct epm_lookup_out, max_ents, num_ents, entries, NDR_INLINE, struct epm_entry,
	    entry_fields, EPM_RESULTS_MAX),
	F_STATUS(struct epm_lookup_out, status),
	F_END,
};

static const struct ndr_field tower_ref_fields[] = {
	F_CUSTOM_PTR(struct epm_tower_ref, tower, NDR_FULL, struct epm_tower, &twr),
	F_END,
};

/* MS-RPCE 2.2.1.2.5 */
const struct ndr_field epm_map_in[] = {
	F_GUID_PTR(struct epm_map_in, object, NDR_FULL),
	F_CUSTOM_PTR(struct epm_map_in, tower, NDR_FULL, struct epm_tower, &twr),
	F_STRUCT(struct epm_map_in, handle, struct epm_handle, handle_fields),
	F_U32_RANGE(struct epm_map_in, max_towers, 0, EPM_RESULTS_MAX),
	F_END,
};

const struct ndr_field epm_map_out[] = {
	F_STRUCT(struct epm_map_out, handle, struct epm_handle, handle_fields),
	F_U32(struct epm_map_out, num_towers),
	F_ARRAY_VARYING(struct epm_map_out, max_towers, num_towers, towers, NDR_INLINE, struct epm_tower_ref,
	    tower_ref_fields, EPM_RESULTS_MAX),
	F_STATUS(struct epm_map_out, status),
	F_END,
};

/* MS-RPCE 2.2.1.2.8 */
const struct ndr_field epm_handle_free_in[] = {
	F_STRUCT(struct epm_handle_free_in, handle, struct epm_handle, handle_fields),
	F_END,
};

const struct ndr_field epm_handle_free_out[] = {
	F_STRUCT(struct epm_handle_free_out, handle, struct epm_handle, handle_fields),
	F_STATUS(struct epm_handle_free_out, status),
	F_END,
};

const struct ndr_field epm_no_arguments[] = { F_END };
