#include "idl/icertadmind.h"

#include "base/text.h"
#include "ndr/cursor.h"

/* ---- what no table describes ---- */

/* FILETIME: two DWORDs, so aligned to 4 only (MS-DTYP 2.3.3). */
static int
time_pull(struct ndr_in *in, void *host, struct err *e)
{
	uint32_t low, high;

	if (ndr_in_u32(in, &low, e) != 0 || ndr_in_u32(in, &high, e) != 0)
		return -1;
	*(filetime_t *)host = (filetime_t)((uint64_t)high << 32 | low);
	return 0;
}

static int
time_push(struct ndr_out *out, const void *host, struct err *e)
{
	uint64_t t = (uint64_t) * (const filetime_t *)host;

	(void)e;
	ndr_out_u32(out, (uint32_t)t);
	ndr_out_u32(out, (uint32_t)(t >> 32));
	return 0;
}

static void
time_print(const void *host, struct buf *out)
{
	filetime_t t = *(const filetime_t *)host;
	char text[FILETIME_TEXT_MAX];

	buf_printf(out, "0x%016llx", (unsigned long long)t);
	/* Years of four digits; all others are told by the number alone. */
	if (t > 0 && t < INT64_C(2650467743990000000))
		buf_printf(out, " %s", filetime_to_text(t, text));
}

static const struct ndr_custom filetime = { 4, 8, time_pull, time_push, time_print };

/* [size_is(n)] of octets or units whose n stands elsewhere: MaxCount and the elements. */
static int
pull_elements(struct ndr_in *in, size_t unit, struct bytes *out, struct err *e)
{
	struct bytes octets;
	uint32_t max;

	if (ndr_in_u32(in, &max, e) != 0)
		return -1;
	if (max > ndr_in_left(in) / unit)
		return ERR(e, E_RPC_BAD_STUB_DATA, "%u elements of %zu octets, %zu octets left", max, unit,
		    ndr_in_left(in));
	if (ndr_in_octets(in, max * unit, &octets, e) != 0)
		return -1;
	if (pool_dup_bytes(in->pool, octets, out) != 0)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu octets", octets.len);
	return 0;
}

static int
push_elements(struct ndr_out *out, size_t unit, const struct bytes *b, struct err *e)
{
	if (b->len % unit != 0 || b->len / unit > UINT32_MAX)
		return ERR(e, E_INVALIDARG, "%zu octets are no elements of %zu", b->len, unit);
	ndr_out_u32(out, (uint32_t)(b->len / unit));
	ndr_out_octets(out, *b);
	return 0;
}

static int
octets_pull(struct ndr_in *in, void *host, struct err *e)
{
	return pull_elements(in, 1, host, e);
}

static int
octets_push(struct ndr_out *out, const void *host, struct err *e)
{
	return push_elements(out, 1, host, e);
}

static int
units_pull(struct ndr_in *in, void *host, struct err *e)
{
	return pull_elements(in, 2, host, e);
}

static int
units_push(struct ndr_out *out, const void *host, struct err *e)
{
	return push_elements(out, 2, host, e);
}

static void
elements_print(const void *host, struct buf *out)
{
	ndr_print_octets(*(const struct bytes *)host, out);
}

static const struct ndr_custom sized_octets = { 4, 4, octets_pull, octets_push, elements_print };
static const struct ndr_custom sized_units = { 4, 4, units_pull, units_push, elements_print };

/* ---- tables, rows in wire order; the IDL sets no range for the strings ---- */

#define F_STRING(S, m) F_WSTR(S, m, 0, UINT32_MAX)
#define F_TIME(S, m) F_CUSTOM(S, m, filetime_t, &filetime)

const struct ndr_field csra_authority_in[] = {
	F_STRING(struct csra_authority_in, authority),
	F_END,
};
const struct ndr_field csra_request_in[] = {
	F_STRING(struct csra_request_in, authority),
	F_U32(struct csra_request_in, request_id),
	F_END,
};
const struct ndr_field csra_number_in[] = {
	F_STRING(struct csra_number_in, authority),
	F_U32(struct csra_number_in, value),
	F_END,
};
const struct ndr_field csra_result_out[] = {
	F_STATUS(struct csra_result_out, result),
	F_END,
};
const struct ndr_field csra_number_out[] = {
	F_U32(struct csra_number_out, value),
	F_STATUS(struct csra_number_out, result),
	F_END,
};
const struct ndr_field csra_blob_out[] = {
	F_BLOB(struct csra_blob_out, blob),
	F_STATUS(struct csra_blob_out, result),
	F_END,
};
const struct ndr_field csra_items_out[] = {
	F_U32(struct csra_items_out, count),
	F_BLOB(struct csra_items_out, blob),
	F_STATUS(struct csra_items_out, result),
	F_END,
};

const struct ndr_field csra_set_extension_in[] = {
	F_STRING(struct csra_set_extension_in, authority),
	F_U32(struct csra_set_extension_in, request_id),
	F_STRING(struct csra_set_extension_in, name),
	F_U32(struct csra_set_extension_in, type),
	F_U32(struct csra_set_extension_in, flags),
	F_BLOB(struct csra_set_extension_in, value),
	F_END,
};
const struct ndr_field csra_set_attributes_in[] = {
	F_STRING(struct csra_set_attributes_in, authority),
	F_U32(struct csra_set_attributes_in, request_id),
	F_STRING(struct csra_set_attributes_in, attributes),
	F_END,
};
const struct ndr_field csra_is_valid_certificate_in[] = {
	F_STRING(struct csra_is_valid_certificate_in, authority),
	F_STRING(struct csra_is_valid_certificate_in, serial),
	F_END,
};
const struct ndr_field csra_is_valid_certificate_out[] = {
	F_U32(struct csra_is_valid_certificate_out, revocation_reason),
	F_U32(struct csra_is_valid_certificate_out, disposition),
	F_STATUS(struct csra_is_valid_certificate_out, result),
	F_END,
};
const struct ndr_field csra_publish_crl_in[] = {
	F_STRING(struct csra_publish_crl_in, authority),
	F_TIME(struct csra_publish_crl_in, when),
	F_END,
};
const struct ndr_field csra_publish_crls_in[] = {
	F_STRING(struct csra_publish_crls_in, authority),
	F_TIME(struct csra_publish_crls_in, when),
	F_U32(struct csra_publish_crls_in, flags),
	F_END,
};
const struct ndr_field csra_revoke_certificate_in[] = {
	F_STRING(struct csra_revoke_certificate_in, authority),
	F_STRING(struct csra_revoke_certificate_in, serial),
	F_U32(struct csra_revoke_certificate_in, reason),
	F_TIME(struct csra_revoke_certificate_in, when),
	F_END,
};
const struct ndr_field csra_import_certificate_in[] = {
	F_STRING(struct csra_import_certificate_in, authority),
	F_BLOB(struct csra_import_certificate_in, certificate),
	F_U32(struct csra_import_certificate_in, flags),
	F_END,
};
const struct ndr_field csra_import_key_in[] = {
	F_STRING(struct csra_import_key_in, authority),
	F_U32(struct csra_import_key_in, request_id),
	F_STRING(struct csra_import_key_in, hash),
	F_U32(struct csra_import_key_in, flags),
	F_BLOB(struct csra_import_key_in, key),
	F_END,
};
const struct ndr_field csra_delete_row_in[] = {
	F_STRING(struct csra_delete_row_in, authority),
	F_U32(struct csra_delete_row_in, flags),
	F_TIME(struct csra_delete_row_in, when),
	F_U32(struct csra_delete_row_in, table),
	F_U32(struct csra_delete_row_in, row_id),
	F_END,
};

const struct ndr_field csra_range_in[] = {
	F_STRING(struct csra_range_in, authority),
	F_U32(struct csra_range_in, first),
	F_U32(struct csra_range_in, count),
	F_END,
};
const struct ndr_field csra_table_range_in[] = {
	F_STRING(struct csra_table_range_in, authority),
	F_U32(struct csra_table_range_in, table),
	F_U32(struct csra_table_range_in, first),
	F_U32(struct csra_table_range_in, count),
	F_END,
};
const struct ndr_field csra_enum_attributes_in[] = {
	F_STRING(struct csra_enum_attributes_in, authority),
	F_U32(struct csra_enum_attributes_in, row_id),
	F_U32(struct csra_enum_attributes_in, flags),
	F_STRING(struct csra_enum_attributes_in, last),
	F_U32(struct csra_enum_attributes_in, count),
	F_END,
};
static const struct ndr_field restriction_fields[] = {
	F_U32(struct csra_restriction, column),
	F_U32(struct csra_restriction, seek),
	F_U32(struct csra_restriction, sort),
	F_BLOB_LAST(struct csra_restriction, value),
	F_END,
};
static const struct ndr_field dword_fields[] = {
	F_U32(struct csra_dword, value),
	F_END,
};
const struct ndr_field csra_open_view_in[] = {
	F_STRING(struct csra_open_view_in, authority),
	F_U32(struct csra_open_view_in, n_restrictions),
	F_ARRAY(struct csra_open_view_in, n_restrictions, restrictions, NDR_INLINE, struct csra_restriction,
	    restriction_fields, CSRA_RESTRICTIONS_MAX),
	F_U32(struct csra_open_view_in, n_columns),
	F_ARRAY(struct csra_open_view_in, n_columns, columns, NDR_INLINE, struct csra_dword, dword_fields,
	    CSRA_COLUMNS_MAX),
	F_U32(struct csra_open_view_in, first),
	F_U32(struct csra_open_view_in, count),
	F_END,
};

const struct ndr_field csra_get_ca_property_in[] = {
	F_STRING(struct csra_get_ca_property_in, authority),
	F_U32(struct csra_get_ca_property_in, id),
	F_U32(struct csra_get_ca_property_in, index),
	F_U32(struct csra_get_ca_property_in, type),
	F_END,
};
const struct ndr_field csra_set_ca_property_in[] = {
	F_STRING(struct csra_set_ca_property_in, authority),
	F_U32(struct csra_set_ca_property_in, id),
	F_U32(struct csra_set_ca_property_in, index),
	F_U32(struct csra_set_ca_property_in, type),
	F_BLOB(struct csra_set_ca_property_in, value),
	F_END,
};
const struct ndr_field csra_blob_in[] = {
	F_STRING(struct csra_blob_in, authority),
	F_BLOB(struct csra_blob_in, blob),
	F_END,
};
const struct ndr_field csra_set_officer_rights_in[] = {
	F_STRING(struct csra_set_officer_rights_in, authority),
	F_U32(struct csra_set_officer_rights_in, enable),
	F_BLOB(struct csra_set_officer_rights_in, sd),
	F_END,
};
const struct ndr_field csra_get_config_entry_in[] = {
	F_STRING(struct csra_get_config_entry_in, authority),
	F_STRING(struct csra_get_config_entry_in, node),
	F_WSTR_REF(struct csra_get_config_entry_in, entry, 0, UINT32_MAX),
	F_END,
};
const struct ndr_field csra_get_config_entry_out[] = {
	F_VARIANT(struct csra_get_config_entry_out, value),
	F_STATUS(struct csra_get_config_entry_out, result),
	F_END,
};
const struct ndr_field csra_set_config_entry_in[] = {
	F_STRING(struct csra_set_config_entry_in, authority),
	F_STRING(struct csra_set_config_entry_in, node),
	F_WSTR_REF(struct csra_set_config_entry_in, entry, 0, UINT32_MAX),
	F_VARIANT(struct csra_set_config_entry_in, value),
	F_END,
};

const struct ndr_field csra_backup_prepare_in[] = {
	F_STRING(struct csra_backup_prepare_in, authority),
	F_U32(struct csra_backup_prepare_in, grbit),
	F_U32(struct csra_backup_prepare_in, flags),
	F_U16(struct csra_backup_prepare_in, annotation),
	F_U32(struct csra_backup_prepare_in, client),
	F_END,
};
const struct ndr_field csra_backup_open_file_in[] = {
	F_STRING(struct csra_backup_open_file_in, path),
	F_END,
};
const struct ndr_field csra_backup_open_file_out[] = {
	F_HYPER(struct csra_backup_open_file_out, length),
	F_STATUS(struct csra_backup_open_file_out, result),
	F_END,
};
const struct ndr_field csra_backup_read_file_in[] = {
	F_U32(struct csra_backup_read_file_in, count),
	F_END,
};
const struct ndr_field csra_backup_read_file_out[] = {
	F_CUSTOM(struct csra_backup_read_file_out, octets, struct bytes, &sized_octets),
	F_U32(struct csra_backup_read_file_out, read),
	F_STATUS(struct csra_backup_read_file_out, result),
	F_END,
};
const struct ndr_field csra_backup_files_out[] = {
	F_CUSTOM_PTR(struct csra_backup_files_out, files, NDR_UNIQUE, struct bytes, &sized_units),
	F_U32(struct csra_backup_files_out, units),
	F_STATUS(struct csra_backup_files_out, result),
	F_END,
};
