#include "idl/pac.h"

#include <string.h>

#include "base/text.h"
#include "ndr/cursor.h"

#define COMMON_HEADER_LEN 8 /* MS-RPCE 2.2.6.1 */
#define PRIVATE_HEADER_LEN 8
#define SUB_AUTHORITIES_MAX 15
#define STRING_UNITS_MAX (UINT16_MAX / 2)

/* ---- characters: conformant and varying, no NUL ---- */

static int
chars_pull(struct ndr_in *in, void *host, struct err *e)
{
	struct pac_chars *c = host;
	uint32_t max, offset, actual;
	struct bytes units;

	if (ndr_in_u32(in, &max, e) != 0 || ndr_in_u32(in, &offset, e) != 0 ||
	    ndr_in_u32(in, &actual, e) != 0)
		return -1;
	if (offset != 0 || actual > max || actual > STRING_UNITS_MAX)
		return ERR(
		    e, E_RPC_BAD_STUB_DATA, "string of %u units at %u, MaxCount %u", actual, offset, max);
	if (ndr_in_octets(in, 2 * (size_t)actual, &units, e) != 0)
		return -1;
	c->utf8 = text_from_utf16le(in->pool, units, e);
	if (c->utf8 != NULL)
		return 0;
	if (e != NULL && e->hr == E_INVALIDARG)
		e->hr = E_RPC_BAD_STUB_DATA;
	return -1;
}

static int
chars_push(struct ndr_out *out, const void *host, struct err *e)
{
	const struct pac_chars *c = host;
	struct buf units;
	int ret;

	buf_init(&units, 2 * STRING_UNITS_MAX);
	ret = text_utf8_to_utf16le(&units, c->utf8, strlen(c->utf8), e);
	ndr_out_u32(out, (uint32_t)(units.len / 2));
	ndr_out_u32(out, 0);
	ndr_out_u32(out, (uint32_t)(units.len / 2));
	ndr_out_octets(out, buf_bytes(&units));
	buf_fini(&units);
	return ret;
}

static void
chars_print(const void *host, struct buf *out)
{
	buf_printf(out, "\"%s\"", ((const struct pac_chars *)host)->utf8);
}

static const struct ndr_custom chars = { 4, 12, chars_pull, chars_push, chars_print };

/* ---- SIDs: conformant, the count told twice ---- */

static int
sid_pull(struct ndr_in *in, void *host, struct err *e)
{
	struct pac_sid *s = host;
	struct bytes head;
	uint32_t max;

	if (ndr_in_u32(in, &max, e) != 0)
		return -1;
	if (max > SUB_AUTHORITIES_MAX)
		return ERR(e, E_RPC_BAD_STUB_DATA, "SID of %u sub-authorities", max);
#ifdef ADCSD_PLANTED_BUG_LOGON_PAC /* the fuzz target must find a second count that nobody compares */
	head = (struct bytes){ in->p + in->off, 8 + 4 * (size_t)in->p[in->off + 1] };
	return pool_dup_bytes(in->pool, head, &s->packet);
#else
	if (ndr_in_octets(in, 8 + 4 * (size_t)max, &head, e) != 0)
		return -1;
	if (head.p[1] != max)
		return ERR(e, E_RPC_BAD_STUB_DATA, "SID of %u sub-authorities, MaxCount %u", head.p[1], max);
	if (pool_dup_bytes(in->pool, head, &s->packet) != 0)
		return ERR(e, E_OUTOFMEMORY, "no memory for a SID");
	return 0;
#endif
}

static int
sid_push(struct ndr_out *out, const void *host, struct err *e)
{
	const struct pac_sid *s = host;

	(void)e;
	ndr_out_u32(out, s->packet.p[1]);
	ndr_out_octets(out, s->packet);
	return 0;
}

static void
sid_print(const void *host, struct buf *out)
{
	text_put_hex(out, ((const struct pac_sid *)host)->packet);
}

static const struct ndr_custom sid = { 4, 12, sid_pull, sid_push, sid_print };

/* ---- tables, rows in wire order ---- */

#define F_TIME(m) F_STRUCT(struct pac_logon_info, m, struct pac_time, time_fields)
#define F_STRING(m) F_STRUCT(struct pac_logon_info, m, struct pac_string, string_fields)
#define F_SID(S, m) F_CUSTOM_PTR(S, m, NDR_UNIQUE, struct pac_sid, &sid)
#define F_GROUPS(n, m)                                                                                       \
	F_ARRAY(struct pac_logon_info, n, m, NDR_UNIQUE, struct pac_group, group_fields, PAC_GROUPS_MAX)

static const struct ndr_field time_fields[] = {
	F_U32(struct pac_time, low),
	F_U32(struct pac_time, high),
	F_END,
};

static const struct ndr_field string_fields[] = {
	F_U16(struct pac_string, length),
	F_U16(struct pac_string, maximum),
	F_CUSTOM_PTR(struct pac_string, chars, NDR_UNIQUE, struct pac_chars, &chars),
	F_END,
};

static const struct ndr_field group_fields[] = {
	F_U32(struct pac_group, rid),
	F_U32(struct pac_group, attributes),
	F_END,
};

static const struct ndr_field extra_fields[] = {
	F_SID(struct pac_extra_sid, sid),
	F_U32(struct pac_extra_sid, attributes),
	F_END,
};

static const struct ndr_field info_fields[] = {
	F_TIME(logon),
	F_TIME(logoff),
	F_TIME(kick_off),
	F_TIME(password_last_set),
	F_TIME(password_can_change),
	F_TIME(password_must_change),
	F_STRING(effective_name),
	F_STRING(full_name),
	F_STRING(logon_script),
	F_STRING(profile_path),
	F_STRING(home_directory),
	F_STRING(home_directory_drive),
	F_U16(struct pac_logon_info, logon_count),
	F_U16(struct pac_logon_info, bad_password_count),
	F_U32(struct pac_logon_info, user_id),
	F_U32(struct pac_logon_info, primary_group_id),
	F_U32(struct pac_logon_info, group_count),
	F_GROUPS(group_count, groups),
	F_U32(struct pac_logon_info, user_flags),
	F_BYTES(struct pac_logon_info, user_session_key),
	F_STRING(logon_server),
	F_STRING(logon_domain_name),
	F_SID(struct pac_logon_info, logon_domain_id),
	F_U32(struct pac_logon_info, reserved1[0]),
	F_U32(struct pac_logon_info, reserved1[1]),
	F_U32(struct pac_logon_info, user_account_control),
	F_U32(struct pac_logon_info, sub_auth_status),
	F_TIME(last_successful),
	F_TIME(last_failed),
	F_U32(struct pac_logon_info, failed_count),
	F_U32(struct pac_logon_info, reserved3),
	F_U32(struct pac_logon_info, extra_count),
	F_ARRAY(struct pac_logon_info, extra_count, extra, NDR_UNIQUE, struct pac_extra_sid, extra_fields,
	    PAC_GROUPS_MAX),
	F_SID(struct pac_logon_info, resource_domain),
	F_U32(struct pac_logon_info, resource_count),
	F_GROUPS(resource_count, resource),
	F_END,
};

const struct ndr_field pac_logon_info_top[] = {
	F_PTR(struct pac_logon_info_top, info, NDR_UNIQUE, struct pac_logon_info, info_fields),
	F_END,
};

/* ---- the buffer ---- */

/* Version 1, little-endian, a common header of eight octets, then a length that leaves no more than padding.
 */
static int
check_headers(struct bytes b, struct err *e)
{
	uint32_t length;

	if (b.len < COMMON_HEADER_LEN + PRIVATE_HEADER_LEN)
		return ERR(e, E_INVALID_DATA, "logon information of %zu octets", b.len);
	if (b.p[0] != 1 || b.p[1] != 0x10 || get_u16le(b.p + 2) != COMMON_HEADER_LEN)
		return ERR(
		    e, E_INVALID_DATA, "logon information is not serialised by version 1, little-endian");
	length = get_u32le(b.p + COMMON_HEADER_LEN);
	if (length > b.len - COMMON_HEADER_LEN - PRIVATE_HEADER_LEN)
		return ERR(e, E_INVALID_DATA, "logon information of %u octets, %zu are there", length, b.len);
	return 0;
}

int
pac_logon_info_pull(struct bytes buffer, struct pool *pool, const struct pac_logon_info **out, struct err *e)
{
	struct pac_logon_info_top *top;
	struct bytes body;
	void *args;

	if (check_headers(buffer, e) != 0)
		return -1;
	body.p = buffer.p + COMMON_HEADER_LEN + PRIVATE_HEADER_LEN;
	body.len = get_u32le(buffer.p + COMMON_HEADER_LEN);
	if (ndr_pull(pac_logon_info_top, sizeof(*top), body, pool, &args, NULL, e) != 0) {
		if (e != NULL && e->hr == E_RPC_BAD_STUB_DATA)
			e->hr = E_INVALID_DATA;
		return err_prefix(e, "KERB_VALIDATION_INFO");
	}
	top = args;
	if (top->info == NULL)
		return ERR(e, E_INVALID_DATA, "logon information is a null pointer");
	*out = top->info;
	return 0;
}
