/* What changes one request or the CA: methods of ICertAdminD2 that say no more than how it went. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/remote_call.h"
#include "idl/icertadmind.h"

#define VALUE_MAX (1u << 20)

#define RESULT(method, fields)                                                                               \
	{                                                                                                    \
#method, CSRA_##method, fields, csra_result_out, sizeof(struct csra_result_out)              \
	}

static int
call(struct ctl *c, const struct client_method *m, const void *in, struct err *e)
{
	void *out;

	return ctl_remote_method(c, m, in, c->pool, &out, e);
}

static int
time_of(const json_t *args, const char *name, filetime_t *out, struct err *e)
{
	const char *text = ctl_remote_text(args, name);

	*out = 0; /* now */
	if (*text == '\0' || filetime_from_text(text, out))
		return 0;
	return ERR(e, E_INVALIDARG, "'%.40s' is no time, as 2026-06-01T12:00:00Z", text);
}

static uint32_t
number_of(const json_t *args, const char *name)
{
	return (uint32_t)json_integer_value(json_object_get(args, name));
}

/* ---- RevokeCertificate, IsValidCertificate (MS-CSRA 3.1.4.1.8, 3.1.4.1.5) ---- */

/* By number; RevokeCertificate knows serial numbers only. */
static const char *
serial_of(struct ctl *c, const json_t *args, struct err *e)
{
	const char *serial = ctl_remote_text(args, "serial"), *found = NULL;
	json_t *o;

	if (*serial != '\0')
		return serial;
	o = ctl_remote_request_find(c, args, e);
	if (o == NULL)
		return NULL;
	serial = ctl_remote_text(o, "serial");
	if (*serial == '\0')
		ERR(e, CERTSRV_E_PROPERTY_EMPTY, "request %u has no certificate", number_of(args, "id"));
	else
		found = pool_strdup(c->pool, serial);
	json_decref(o);
	return found;
}

/* The row as it is then. */
static json_t *
revoke(struct ctl *c, const json_t *args, uint32_t reason, filetime_t when, struct err *e)
{
	static const struct client_method m = RESULT(RevokeCertificate, csra_revoke_certificate_in);
	struct csra_revoke_certificate_in in = { ctl_remote_authority(c), serial_of(c, args, e), reason,
		when };
	json_t *which, *o;

	if (in.serial == NULL || call(c, &m, &in, e) != 0)
		return NULL;
	which = json_pack("{s:s}", "serial", in.serial);
	o = ctl_remote_request_find(c, which, e);
	json_decref(which);
	return o;
}

json_t *
ctl_remote_request_revoke(struct ctl *c, const json_t *args, struct err *e)
{
	uint32_t reason = 0;
	filetime_t when;

	if (ctl_remote_reason(ctl_remote_text(args, "reason"), &reason, e) != 0 ||
	    time_of(args, "effective", &when, e) != 0)
		return NULL;
	return revoke(c, args, reason, when, e);
}

json_t *
ctl_remote_request_unrevoke(struct ctl *c, const json_t *args, struct err *e)
{
	return revoke(c, args, 0xffffffffu, 0, e);
}

json_t *
ctl_remote_request_publish_expired(struct ctl *c, const json_t *args, struct err *e)
{
	return revoke(c, args, json_is_true(json_object_get(args, "off")) ? 0xfffffffdu : 0xfffffffeu, 0, e);
}

json_t *
ctl_remote_request_valid(struct ctl *c, const json_t *args, struct err *e)
{
	static const struct client_method m = { "IsValidCertificate", CSRA_IsValidCertificate,
		csra_is_valid_certificate_in, csra_is_valid_certificate_out,
		sizeof(struct csra_is_valid_certificate_out) };
	const struct csra_is_valid_certificate_in in = { ctl_remote_authority(c),
		ctl_remote_text(args, "serial") };
	const struct csra_is_valid_certificate_out *out;
	const char *name;
	void *decoded;
	json_t *o;

	if (ctl_remote_method(c, &m, &in, c->pool, &decoded, e) != 0)
		return NULL;
	out = decoded;
	o = json_pack("{s:s, s:I, s:I, s:s}", "serial", in.serial, "disposition",
	    (json_int_t)(int32_t)out->disposition, "reasonCode", (json_int_t)(int32_t)out->revocation_reason,
	    "state",
	    out->disposition == 2       ? "revoked"
		: out->disposition == 3 ? "valid"
					: "neverIssued");
	name = ctl_remote_reason_name(out->revocation_reason);
	if (out->disposition == 2 && name != NULL)
		json_object_set_new(o, "reason", json_string(name));
	return o;
}

/* ---- PublishCRLs (MS-CSRA 3.1.4.2.1) ---- */

enum { CA_CRL_BASE = 0x1, CA_CRL_DELTA = 0x2, CA_CRL_REPUBLISH = 0x10 };

/* A row of the table of CRLs, its columns in this order. */
static const char *const crl_columns[] = { "CRLNumber", "CRLMinBase", "CRLNameId", "CRLCount",
	"CRLThisUpdate", "CRLNextUpdate", "CRLThisPublish", "CRLNextPublish", "CRLPublishFlags",
	"CRLPublishError", "CRLRowId" };

#define CPF_COMPLETE 0x4 /* MS-CSRA: CRL_Publish_Flags */
#define CRLS_MAX 100

static json_t *
crl_json(const json_t *row)
{
	json_int_t flags = json_integer_value(json_array_get(row, 8));

	json_t *o = json_pack("{s:O, s:s, s:O, s:O, s:O, s:O, s:O, s:O, s:O, s:I, s:b}", "number",
	    json_array_get(row, 0), "type",
	    json_integer_value(json_array_get(row, 1)) != 0 ? "delta" : "base", "keyIndex",
	    json_array_get(row, 2), "minBase", json_array_get(row, 1), "entries", json_array_get(row, 3),
	    "thisUpdate", json_array_get(row, 4), "nextUpdate", json_array_get(row, 5), "published",
	    json_array_get(row, 6), "nextPublish", json_array_get(row, 7), "flags", flags, "complete",
	    (flags & CPF_COMPLETE) != 0);

	if (json_is_string(json_array_get(row, 9)))
		json_object_set(o, "error", json_array_get(row, 9));
	return o;
}

/* Ids of crl_columns; NULL when the CA has others. */
static json_t *
crl_column_ids(struct ctl *c, struct err *e)
{
	json_t *loaded = ctl_call(c, "view.columns", json_pack("{s:s}", "table", "crl"), e), *col,
	       *ids = json_array();
	size_t i;

	for (size_t k = 0; k < ARRAY_LEN(crl_columns); k++)
		json_array_foreach(json_object_get(loaded, "columns"), i, col)
		{
			if (strcmp(ctl_remote_text(col, "name"), crl_columns[k]) == 0)
				json_array_append(ids, json_object_get(col, "id"));
		}
	if (loaded != NULL && json_array_size(ids) != ARRAY_LEN(crl_columns))
		ERR(e, E_INVALID_DATA, "the table of CRLs lacks columns");
	json_decref(loaded);
	if (json_array_size(ids) == ARRAY_LEN(crl_columns))
		return ids;
	json_decref(ids);
	return NULL;
}

/* The rows of one view, page by page; the first page alone when not all. */
static int
view_crls(struct ctl *c, json_t *ids, json_t *sort, bool all, json_t *list, struct err *e)
{
	json_t *after = json_null(), *page, *row;
	size_t i;

	do {
		page = ctl_call(c, "view.rows",
		    json_pack("{s:O, s:O, s:i, s:o}", "columns", ids, "restrictions", sort, "limit", CRLS_MAX,
			"after", after),
		    e);
		if (page == NULL)
			return -1;
		json_array_foreach(json_object_get(page, "rows"), i, row)
		    json_array_append_new(list, crl_json(row));
		after = json_incref(json_object_get(page, "next"));
		json_decref(page);
	} while (all && json_is_string(after));
	json_decref(after);
	return 0;
}

/* All as they came to be, or those with the highest number. */
static json_t *
read_crls(struct ctl *c, bool all, struct err *e)
{
	json_t *ids = crl_column_ids(c, e), *list = json_array(), *sort;
	int rc;

	if (ids == NULL) {
		json_decref(list);
		return NULL;
	}
	sort = json_pack("[{s:O, s:i, s:i}]", "column",
	    json_array_get(ids, all ? ARRAY_LEN(crl_columns) - 1 : 0), "seek", 0, "sort", all ? 1 : 2);
	rc = view_crls(c, ids, sort, all, list, e);
	json_decref(sort);
	json_decref(ids);
	if (rc != 0) {
		json_decref(list);
		return NULL;
	}
	while (!all &&
	    !json_equal(json_object_get(json_array_get(list, json_array_size(list) - 1), "number"),
		json_object_get(json_array_get(list, 0), "number")))
		json_array_remove(list, json_array_size(list) - 1);
	return list;
}

json_t *
ctl_remote_crl_publish(struct ctl *c, const json_t *args, struct err *e)
{
	static const struct client_method m = RESULT(PublishCRLs, csra_publish_crls_in);
	struct csra_publish_crls_in in = { .authority = ctl_remote_authority(c) };
	json_t *list;

	if (time_of(args, "until", &in.when, e) != 0)
		return NULL;
	in.flags = json_is_true(json_object_get(args, "delta")) ? CA_CRL_DELTA : CA_CRL_BASE | CA_CRL_DELTA;
	if (json_is_true(json_object_get(args, "republish")))
		in.flags |= CA_CRL_REPUBLISH;
	if (call(c, &m, &in, e) != 0)
		return NULL;
	list = read_crls(c, false, e);
	return list != NULL ? json_pack("{s:o}", "crls", list) : NULL;
}

json_t *
ctl_remote_crl_show(struct ctl *c, const json_t *args, struct err *e)
{
	json_t *list = read_crls(c, true, e);

	(void)args;
	return list != NULL ? json_pack("{s:o}", "crls", list) : NULL;
}

/* ---- SetExtension, SetAttributes (MS-CSRA 3.1.4.1.1, 3.1.4.1.2) ---- */

json_t *
ctl_remote_request_set_extension(struct ctl *c, const json_t *args, struct err *e)
{
	static const struct client_method m = RESULT(SetExtension, csra_set_extension_in);
	const char *base64 = ctl_remote_text(args, "value");
	struct csra_set_extension_in in = { .authority = ctl_remote_authority(c),
		.request_id = number_of(args, "id"),
		.name = ctl_remote_text(args, "oid"),
		.type = number_of(args, "type"),
		.flags = number_of(args, "flags") };
	struct buf value;
	int rc;

	buf_init(&value, VALUE_MAX);
	rc = text_parse_base64(&value, (struct bytes){ (const uint8_t *)base64, strlen(base64) }, e);
	in.value = buf_bytes(&value);
	if (rc == 0)
		rc = call(c, &m, &in, e);
	buf_fini(&value);
	return rc == 0 ? json_pack("{s:I}", "id", (json_int_t)in.request_id) : NULL;
}

json_t *
ctl_remote_request_set_attributes(struct ctl *c, const json_t *args, struct err *e)
{
	static const struct client_method m = RESULT(SetAttributes, csra_set_attributes_in);
	const struct csra_set_attributes_in in = { ctl_remote_authority(c), number_of(args, "id"),
		ctl_remote_text(args, "attributes") };

	return call(c, &m, &in, e) == 0 ? json_pack("{s:I}", "id", (json_int_t)in.request_id) : NULL;
}

/* ---- SetAuditFilter (MS-CSRA 3.1.4.2.11) ---- */

json_t *
ctl_remote_audit_filter(struct ctl *c, const json_t *args, struct err *e)
{
	static const struct client_method m = RESULT(SetAuditFilter, csra_number_in);
	const struct csra_number_in in = { ctl_remote_authority(c), number_of(args, "filter") };

	return call(c, &m, &in, e) == 0 ? json_pack("{s:I}", "filter", (json_int_t)in.value) : NULL;
}

/* ---- SetCAProperty of CR_PROP_TEMPLATES (MS-CSRA 3.1.4.2.3) ---- */

enum { CR_PROP_TEMPLATES = 0x1d, PROPTYPE_STRING = 4 };

/* A line for the name and an empty one for the OID: the CA looks it up. */
json_t *
ctl_remote_templates_set(struct ctl *c, const json_t *args, struct err *e)
{
	static const struct client_method m = RESULT(SetCAProperty, csra_set_ca_property_in);
	struct csra_set_ca_property_in in = {
		.authority = ctl_remote_authority(c), .id = CR_PROP_TEMPLATES, .type = PROPTYPE_STRING
	};
	json_t *names = json_object_get(args, "templates"), *name;
	struct buf text, wide;
	int rc = -1;
	size_t i;

	buf_init(&text, VALUE_MAX);
	buf_init(&wide, 2 * VALUE_MAX);
	json_array_foreach(names, i, name) buf_printf(&text, "%s\n\n", json_string_value(name));
	if (!buf_ok(&text))
		ERR(e, E_OUTOFMEMORY, "no memory for the names of templates");
	else if (text_utf8_to_utf16le(&wide, buf_cstr(&text), text.len, e) == 0) {
		buf_put_u16le(&wide, 0);
		in.value = buf_bytes(&wide);
		rc = call(c, &m, &in, e);
	}
	buf_fini(&text);
	buf_fini(&wide);
	return rc == 0 ? json_pack("{s:O}", "templates", names) : NULL;
}

/* The CA's list without the template, or with it at its head. */
static json_t *
templates_change(struct ctl *c, const json_t *args, bool add, struct err *e)
{
	const char *given = ctl_remote_text(args, "template"), *text;
	json_t *names = json_array(), *changed, *o;
	bool listed = false;
	struct bytes value;

	if (client_session_property(
		c->remote->session, CR_PROP_TEMPLATES, 0, PROPTYPE_STRING, c->pool, &value, e) != 0) {
		json_decref(names);
		return NULL;
	}
	text = client_message_text(value, c->pool);
	for (unsigned line = 0; *text != '\0'; line++) {
		size_t n = strcspn(text, "\n");
		bool same = line % 2 == 0 && strlen(given) == n && strncasecmp(given, text, n) == 0;

		listed |= same;
		if (line % 2 == 0 && (add || !same))
			json_array_append_new(names, json_stringn(text, n));
		text += n + (text[n] == '\n');
	}
	if (add && !listed)
		json_array_insert_new(names, 0, json_string(given));
	changed = json_pack("{s:o}", "templates", names);
	o = ctl_remote_templates_set(c, changed, e);
	json_decref(changed);
	return o;
}

json_t *
ctl_remote_publish(struct ctl *c, const json_t *args, struct err *e)
{
	return templates_change(c, args, true, e);
}

json_t *
ctl_remote_unpublish(struct ctl *c, const json_t *args, struct err *e)
{
	return templates_change(c, args, false, e);
}
