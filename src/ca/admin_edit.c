/* What may be changed about a request that waits, and which events are audited: MS-CSRA 3.1.4.1.1, 3.1.4.1.2,
 * 3.1.4.2.11. */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "ca/admin_priv.h"

#define ADMIN_VALUE_MAX 65536
#define OID_NAME_MAX 31    /* characters of pwszExtensionName */
#define EXTENSION_MAX 4096 /* ExtensionRawValue, unless DBFlags say more */
#define AUDIT_FILTER_ALL 0x7f

enum { PROPTYPE_LONG = 1, PROPTYPE_DATE = 2, PROPTYPE_BINARY = 3, PROPTYPE_STRING = 4 };

static void
on_edited(void *arg, const struct err *e)
{
	struct ca_admin *a = arg;

	if (e != NULL)
		admin_fail(a, e);
	else
		admin_reply(a, json_pack("{s:I}", "id", (json_int_t)a->id));
}

/* The row has what is to be changed; the store says whether the request waits. */
static int
edit_start(struct ca_admin *a, struct err *e)
{
	store_set_long(&a->row, Request_RequestID, a->id);
	if (store_update(a->ca->store, &a->row, DB_DISP_PENDING, on_edited, a, e) != 0)
		return -1;
	a->busy = true;
	a->ca->busy++;
	return 0;
}

static int
read_id(struct ca_admin *a, struct err *e)
{
	int64_t id;

	if (admin_number(a, "id", 1, UINT32_MAX, &id, e) != 0)
		return -1;
	a->id = (uint32_t)id;
	return 0;
}

/* ---- extensions ---- */

/* IA5String of a NUL-terminated UTF-16LE string. */
static int
put_string(struct pool *pool, struct bytes in, struct buf *out, struct err *e)
{
	const char *text;

	if (in.len < 2 || in.p[in.len - 1] != 0 || in.p[in.len - 2] != 0)
		return ERR(e, E_INVALIDARG, "a text ends with a NUL");
	text = text_from_utf16le(pool, (struct bytes){ in.p, in.len - 2 }, e);
	if (text == NULL)
		return -1;
	for (const char *p = text; *p != '\0'; p++) {
		if ((unsigned char)*p >= 0x80)
			return ERR(e, E_INVALIDARG, "an IA5String holds ASCII only");
	}
	der_put_text(out, DER_IA5_STRING, text);
	return 0;
}

/* A property's value as an extension's. */
static int
put_value(struct pool *pool, int64_t type, struct bytes in, struct buf *out, struct err *e)
{
	uint64_t n = 0;

	for (size_t i = in.len; i > 0 && in.len <= 8; i--)
		n = n << 8 | in.p[i - 1];
	switch (type) {
	case PROPTYPE_LONG:
		if (in.len != 4)
			return ERR(e, E_INVALIDARG, "a number has 4 octets, not %zu", in.len);
		der_put_int64(out, (int64_t)n);
		break;
	case PROPTYPE_DATE:
		if (in.len != 8 || n > INT64_MAX)
			return ERR(e, E_INVALIDARG, "a time is a FILETIME of 8 octets");
		der_put_time(out, (filetime_t)n);
		break;
	case PROPTYPE_BINARY:
		buf_put(out, in.p, in.len);
		break;
	default:
		return put_string(pool, in, out, e);
	}
	return buf_ok(out) ? 0 : ERR(e, E_INVALIDARG, "the value cannot be encoded");
}

static int
read_value(struct ca_admin *a, int64_t type, struct bytes *value, struct err *e)
{
	const json_t *given = json_object_get(a->args, "value");
	size_t most = a->ca->policy.max_extension != 0 ? a->ca->policy.max_extension : EXTENSION_MAX;
	struct buf raw, der;
	int rc;

	if (!json_is_string(given))
		return ERR(e, E_INVALIDARG, "%s needs 'value', base64", a->verb_name);
	buf_init(&raw, ADMIN_VALUE_MAX);
	buf_init(&der, ADMIN_VALUE_MAX);
	rc = text_parse_base64(
	    &raw, (struct bytes){ (const uint8_t *)json_string_value(given), json_string_length(given) }, e);
	if (rc == 0)
		rc = put_value(a->pool, type, buf_bytes(&raw), &der, e);
	if (rc == 0 && der.len > most)
		rc = ERR(e, ESE_RECORD_TOO_BIG, "the value has %zu octets, at most %zu are stored (DBFlags)",
		    der.len, most);
	if (rc == 0 && pool_dup_bytes(a->pool, buf_bytes(&der), value) != 0)
		rc = ERR(e, E_OUTOFMEMORY, "no memory for the value");
	buf_fini(&raw);
	buf_fini(&der);
	return rc;
}

/* The OID as the database writes it. */
static int
read_oid(struct ca_admin *a, const char **out, struct err *e)
{
	const char *given;
	char dotted[OID_TEXT_MAX];
	struct buf body;
	int rc;

	if (admin_text(a, "oid", &given, e) != 0)
		return -1;
	if (strlen(given) > OID_NAME_MAX)
		return ERR(
		    e, E_INVALIDARG, "the OID has more than %d characters (MS-CSRA 3.1.4.1.1)", OID_NAME_MAX);
	buf_init(&body, OID_TEXT_MAX);
	rc = oid_from_text(&body, given, e);
	if (rc != 0 || !oid_to_text(buf_bytes(&body), dotted))
		rc = ERR(e, E_INVALIDARG, "'%s' is no OID", given);
	buf_fini(&body);
	if (rc != 0)
		return -1;
	*out = pool_strdup(a->pool, dotted);
	return *out != NULL ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for the OID");
}

static int
set_extension(struct ca_admin *a, struct err *e)
{
	struct store_extension *x = POOL_NEW(a->pool, struct store_extension);
	int64_t type, flags;

	if (x == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the extension");
	if (read_id(a, e) != 0 || read_oid(a, &x->name, e) != 0 ||
	    admin_number(a, "type", PROPTYPE_LONG, PROPTYPE_STRING, &type, e) != 0 ||
	    admin_number(a, "flags", 0, STORE_EXT_CRITICAL | STORE_EXT_DISABLED, &flags, e) != 0 ||
	    read_value(a, type, &x->value, e) != 0)
		return -1;
	x->flags = (uint32_t)flags | STORE_EXT_ORIGIN_ADMIN;
	a->row.extensions = x;
	a->row.n_extensions = 1;
	return edit_start(a, e);
}

void
admin_request_set_extension(struct ca_admin *a)
{
	struct err e = { 0 };

	if (set_extension(a, &e) != 0)
		admin_fail(a, &e);
}

/* ---- attributes ---- */

static int
set_attributes(struct ca_admin *a, struct err *e)
{
	const json_t *given = json_object_get(a->args, "attributes");
	struct policy_attribute *parsed;
	size_t n;

	if (read_id(a, e) != 0)
		return -1;
	if (!json_is_string(given) || json_string_length(given) > CA_ATTRIBUTES_MAX)
		return ERR(e, E_INVALIDARG, "%s needs the text 'attributes', at most %d octets", a->verb_name,
		    CA_ATTRIBUTES_MAX);
	if (policy_attributes_parse(json_string_value(given), a->pool, &parsed, &n, e) != 0 ||
	    ca_row_attributes(&a->row, a->pool, parsed, n, e) != 0)
		return -1;
	return edit_start(a, e);
}

void
admin_request_set_attributes(struct ca_admin *a)
{
	struct err e = { 0 };

	if (set_attributes(a, &e) != 0)
		admin_fail(a, &e);
}

/* ---- audit filter ---- */

static void
on_filter_set(void *arg, const struct err *e)
{
	struct ca_admin *a = arg;

	if (e != NULL)
		admin_fail(a, e);
	else
		admin_reply(a, json_pack("{s:I}", "filter", (json_int_t)a->ca->settings.audit_filter));
}

void
admin_ca_audit_filter_set(struct ca_admin *a)
{
	bool admins_only = (a->ca->settings.interface_flags & IF_ENABLEADMINASAUDITOR) != 0;
	const struct setting *row;
	const char *value;
	struct err e = { 0 };
	int64_t filter;

	if ((admins_only && ca_access_check(a->ca, &a->who, CA_ACCESS_ADMIN, &e) != 0) ||
	    admin_number(a, "filter", 0, AUDIT_FILTER_ALL, &filter, &e) != 0 ||
	    ca_settings_find("CA\\AuditFilter", &row, &e) != 0) {
		admin_fail(a, &e);
		return;
	}
	value = pool_printf(a->pool, "%lld", (long long)filter);
	if (value == NULL)
		ERR(&e, E_OUTOFMEMORY, "no memory for the filter");
	if (value == NULL || ca_setting_start(a->ca, row, value, on_filter_set, a, &e) != 0)
		admin_fail(a, &e);
}
