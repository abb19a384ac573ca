/* request.list and request.show as views of the database (MS-CSRA 3.1.4.1.11 to 3.1.4.1.13). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "ctl/remote_call.h"
#include "idl/csra_view.h"
#include "idl/icertadmind.h"

#define LIMIT 100
#define AT_ONCE 100
#define POOL_MAX (64u << 20)

enum { SEEK_EQ = 0x1, SEEK_GT = 0x10, SORT_ASCEND = 1 };
enum { CR_PROP_TEMPLATES = 0x1d, PROPTYPE_STRING = 4 };

/* Request.Disposition (MS-CSRA 2.2.3) */
static const struct {
	uint32_t db;
	const char *name;
} states[] = {
	{ 9, "pending" },
	{ 20, "issued" },
	{ 21, "revoked" },
	{ 31, "denied" },
	{ 30, "failed" },
	{ 8, "active" },
	{ 15, "caCertificate" },
};
#define REVOKED 21

/* RFC 5280 5.3.1 */
static const char *const reasons[] = { "unspecified", "keyCompromise", "cACompromise", "affiliationChanged",
	"superseded", "cessationOfOperation", "certificateHold", NULL, "removeFromCRL" };

const char *
ctl_remote_reason_name(uint32_t reason)
{
	return reason < ARRAY_LEN(reasons) ? reasons[reason] : NULL;
}

int
ctl_remote_reason(const char *text, uint32_t *out, struct err *e)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*out = 0;
	if (*text == '\0')
		return 0;
	for (uint32_t i = 0; i < ARRAY_LEN(reasons); i++) {
		if (reasons[i] == NULL ||
		    (strcasecmp(text, reasons[i]) != 0 &&
			(*text < '0' || *text > '9' || *end != '\0' || n != i)))
			continue;
		*out = i;
		return 0;
	}
	return ERR(e, E_INVALIDARG, "'%.40s' is no reason for a revocation", text);
}

/* ---- rows ---- */

/* {"columns": [{name, id...}]} of the table of requests */
static json_t *
load_columns(struct ctl *c, struct err *e)
{
	return ctl_call(c, "view.columns", json_pack("{s:s}", "table", "requests"), e);
}

static json_t *
restriction_hex(const json_t *columns, const char *name, uint32_t seek, uint32_t sort, const char *hex)
{
	json_t *o;
	size_t i;

	json_array_foreach(columns, i, o)
	{
		if (strcmp(ctl_remote_text(o, "name"), name) != 0)
			continue;
		return json_pack("{s:O, s:I, s:I, s:s}", "column", json_object_get(o, "id"), "seek",
		    (json_int_t)seek, "sort", (json_int_t)sort, "value", hex);
	}
	return NULL;
}

static json_t *
restriction(const json_t *columns, const char *name, uint32_t seek, uint32_t sort, uint32_t value)
{
	char hex[9];

	snprintf(hex, sizeof(hex), "%02x%02x%02x%02x", value & 0xff, value >> 8 & 0xff, value >> 16 & 0xff,
	    value >> 24);
	return restriction_hex(columns, name, seek, sort, hex);
}

static json_t *
restriction_text(const json_t *columns, const char *name, const char *value)
{
	struct buf wide, hex;
	struct err ignored;
	json_t *o = NULL;

	buf_init(&wide, 4096);
	buf_init(&hex, 8192);
	if (text_utf8_to_utf16le(&wide, value, strlen(value), &ignored) == 0) {
		buf_put_u16le(&wide, 0);
		text_put_hex(&hex, buf_bytes(&wide));
		o = restriction_hex(columns, name, SEEK_EQ, 0, buf_cstr(&hex));
	}
	buf_fini(&wide);
	buf_fini(&hex);
	return o;
}

/* The value of a column in a row of all columns; NULL when it has none. */
static const json_t *
cell(const json_t *columns, const json_t *row, const char *name)
{
	const json_t *v = NULL;
	json_t *o;
	size_t i;

	json_array_foreach(columns, i, o) if (strcmp(ctl_remote_text(o, "name"), name) == 0) v =
	    json_array_get(row, i);
	return json_is_null(v) ? NULL : v;
}

static uint32_t
cell_number(const json_t *columns, const json_t *row, const char *name)
{
	return (uint32_t)json_integer_value(cell(columns, row, name));
}

/* The CA's own list knows the names of the templates that it issues, by name and OID in turn. */
static const char *
template_name(struct ctl *c, const char *given)
{
	struct client_session *s = c->remote->session;
	struct bytes value;
	struct err ignored;
	const char *list;

	if (c->remote->templates == NULL) {
		list = client_session_property(
			   s, CR_PROP_TEMPLATES, 0, PROPTYPE_STRING, c->pool, &value, &ignored) == 0
		    ? client_message_text(value, c->pool)
		    : "";
		c->remote->templates = pool_strdup(c->pool, list);
	}
	for (list = c->remote->templates; given != NULL && list != NULL && *list != '\0';) {
		size_t n = strcspn(list, "\n"), k;
		const char *oid = list + n + (list[n] == '\n');

		k = strcspn(oid, "\n");
		if ((strlen(given) == n && strncmp(given, list, n) == 0) ||
		    (k > 0 && strlen(given) == k && strncmp(given, oid, k) == 0))
			return pool_strndup(c->pool, list, n);
		list = oid + k + (oid[k] == '\n');
	}
	return NULL;
}

static void
set(json_t *o, const char *name, const json_t *v)
{
	if (v != NULL)
		json_object_set(o, name, (json_t *)(uintptr_t)v);
}

static json_t *
row_json(struct ctl *c, const json_t *columns, const json_t *row)
{
	static const char *const plain[][2] = { { "message", "Request.DispositionMessage" },
		{ "submitted", "Request.SubmittedWhen" }, { "resolved", "Request.ResolvedWhen" },
		{ "requester", "Request.RequesterName" }, { "template", "CertificateTemplate" },
		{ "templateName", NULL }, { "serial", "SerialNumber" }, { "commonName", "CommonName" },
		{ "notBefore", "NotBefore" }, { "notAfter", "NotAfter" } };
	static const char *const revoked[][2] = { { "revoked", "Request.RevokedWhen" },
		{ "effective", "Request.RevokedEffectiveWhen" } };
	uint32_t db = cell_number(columns, row, "Request.Disposition"),
		 status = cell_number(columns, row, "Request.StatusCode"),
		 reason = cell_number(columns, row, "Request.RevokedReason");
	const char *state = "other", *name;
	char code[16];
	json_t *o;

	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (states[i].db == db)
			state = states[i].name;
	snprintf(code, sizeof(code), "0x%08x", status);
	o = json_pack("{s:I, s:s, s:I, s:s}", "id",
	    (json_int_t)cell_number(columns, row, "Request.RequestID"), "state", state, "disposition",
	    (json_int_t)db, "status", code);
	if (status != 0 && hresult_name(status) != NULL)
		json_object_set_new(o, "statusName", json_string(hresult_name(status)));
	for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
		if (plain[i][1] != NULL) {
			set(o, plain[i][0], cell(columns, row, plain[i][1]));
			continue;
		}
		name = template_name(c, json_string_value(json_object_get(o, "template")));
		if (name != NULL)
			json_object_set_new(o, plain[i][0], json_string(name));
	}
	if (json_object_get(o, "commonName") == NULL)
		set(o, "commonName", cell(columns, row, "Request.CommonName"));
	if (db != REVOKED)
		return o;
	if (ctl_remote_reason_name(reason) != NULL)
		json_object_set_new(o, "reason", json_string(ctl_remote_reason_name(reason)));
	for (size_t i = 0; i < ARRAY_LEN(revoked); i++)
		set(o, revoked[i][0], cell(columns, row, revoked[i][1]));
	return o;
}

/* Columns of a list; one request is shown with all of them. */
static bool
is_listed(const char *name)
{
	static const char *const names[] = { "Request.RequestID", "Request.Disposition", "Request.StatusCode",
		"Request.DispositionMessage", "Request.SubmittedWhen", "Request.ResolvedWhen",
		"Request.RequesterName", "CertificateTemplate", "SerialNumber", "CommonName",
		"Request.CommonName", "NotBefore", "NotAfter", "Request.RevokedReason", "Request.RevokedWhen",
		"Request.RevokedEffectiveWhen" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static json_t *
listed_columns(const json_t *all)
{
	json_t *list = json_array(), *o;
	size_t i;

	json_array_foreach(all, i, o) if (is_listed(ctl_remote_text(o, "name"))) json_array_append(list, o);
	return list;
}

/* At most `limit` rows, of the columns given. Takes restrictions. */
static json_t *
read_rows(struct ctl *c, const json_t *columns, json_t *restrictions, json_int_t limit, struct err *e)
{
	json_t *ids = json_array(), *rows = json_array(), *after = json_null(), *o;
	json_int_t left = limit;
	size_t i;

	json_array_foreach(columns, i, o) json_array_append(ids, json_object_get(o, "id"));
	if (json_array_size(restrictions) == 0) { /* never any row instead of the one that was meant */
		ERR(e, E_INVALID_DATA, "the CA's table of requests lacks a column");
		json_decref(rows);
		json_decref(restrictions);
		json_decref(after);
		json_decref(ids);
		return NULL;
	}
	do {
		o = ctl_call(c, "view.rows",
		    json_pack("{s:O, s:O, s:I, s:O}", "columns", ids, "restrictions", restrictions, "limit",
			left < AT_ONCE ? left : (json_int_t)AT_ONCE, "after", after),
		    e);
		if (o == NULL) {
			json_decref(rows);
			rows = NULL;
			break;
		}
		json_array_extend(rows, json_object_get(o, "rows"));
		left = limit - (json_int_t)json_array_size(rows);
		json_decref(after);
		after = json_incref(json_object_get(o, "next"));
		json_decref(o);
	} while (json_is_string(after) && left > 0);
	json_decref(after);
	json_decref(ids);
	json_decref(restrictions);
	return rows;
}

/* ---- request.list ---- */

json_t *
ctl_remote_request_list(struct ctl *c, const json_t *args, struct err *e)
{
	const json_t *given = json_object_get(args, "limit"), *all;
	json_int_t limit = given != NULL ? json_integer_value(given) : LIMIT;
	json_t *o = load_columns(c, e), *restrictions = json_array(), *columns, *rows, *row, *list;
	const char *state = ctl_remote_text(args, "state");
	size_t i;

	if (o == NULL || limit < 1) {
		if (o != NULL)
			ERR(e, E_INVALIDARG, "a limit is at least 1");
		json_decref(o);
		json_decref(restrictions);
		return NULL;
	}
	all = json_object_get(o, "columns");
	for (i = 0; i < ARRAY_LEN(states); i++)
		if (strcmp(states[i].name, state) == 0)
			json_array_append_new(
			    restrictions, restriction(all, "Request.Disposition", SEEK_EQ, 0, states[i].db));
	json_array_append_new(restrictions,
	    restriction(all, "Request.RequestID", SEEK_GT, SORT_ASCEND,
		(uint32_t)json_integer_value(json_object_get(args, "after"))));
	columns = listed_columns(all);
	json_decref(o);
	rows = read_rows(c, columns, restrictions, limit, e);
	list = rows != NULL ? json_array() : NULL;
	json_array_foreach(rows, i, row) json_array_append_new(list, row_json(c, columns, row));
	json_decref(rows);
	json_decref(columns);
	if (list == NULL)
		return NULL;
	o = json_array_get(list, json_array_size(list) - 1);
	o = (json_int_t)json_array_size(list) == limit ? json_incref(json_object_get(o, "id")) : json_null();
	return json_pack("{s:o, s:o}", "requests", list, "next", o);
}

json_t *
ctl_remote_request_find(struct ctl *c, const json_t *args, struct err *e)
{
	const char *serial = ctl_remote_text(args, "serial");
	json_t *loaded = load_columns(c, e), *all = json_object_get(loaded, "columns"), *columns, *r, *rows,
	       *o = NULL;

	if (loaded == NULL)
		return NULL;
	columns = listed_columns(all);
	r = *serial != '\0' ? restriction_text(all, "SerialNumber", serial)
			    : restriction(all, "Request.RequestID", SEEK_EQ, 0,
				  (uint32_t)json_integer_value(json_object_get(args, "id")));
	rows = read_rows(c, columns, json_pack("[o]", r), 1, e);
	if (json_array_size(rows) > 0)
		o = row_json(c, columns, json_array_get(rows, 0));
	else if (rows != NULL)
		ERR(e, CERTSRV_E_PROPERTY_EMPTY, "there is no such request");
	json_decref(rows);
	json_decref(columns);
	json_decref(loaded);
	return o;
}

/* ---- request.show ---- */

static json_t *
base64_json(struct bytes v)
{
	struct buf b;
	json_t *o;

	buf_init(&b, 2 * v.len + 16);
	text_put_base64(&b, v, 0);
	o = json_string(buf_cstr(&b));
	buf_fini(&b);
	return o;
}

/* MS-CSRA 2.2.1.9 has the origin in these bits of the flags. */
static const char *
origin_name(uint32_t flags)
{
	switch (flags & 0xffff0000u) {
	case 0x10000:
		return "request";
	case 0x30000:
		return "officer";
	default:
		return "policy";
	}
}

/* EnumAttributesOrExtensions, page by page: each begins behind the last name of the one before. */
static json_t *
read_list(struct ctl *c, uint32_t id, bool extensions, struct err *e)
{
	static const struct client_method m = { "EnumAttributesOrExtensions", CSRA_EnumAttributesOrExtensions,
		csra_enum_attributes_in, csra_items_out, sizeof(struct csra_items_out) };
	struct csra_enum_attributes_in in = { ctl_remote_authority(c), id, extensions, NULL, AT_ONCE };
	json_t *list = extensions ? json_array() : json_object();
	struct csra_items_out *out;
	struct csra_attribute *a;
	struct csra_extension *x;
	void *decoded;

	do {
		if (ctl_remote_method(c, &m, &in, c->pool, &decoded, e) != 0)
			goto fail;
		out = decoded;
		if (out->count > AT_ONCE) {
			ERR(e, E_INVALID_DATA, "%u values, %d were asked for", out->count, AT_ONCE);
			goto fail;
		}
		if (out->count == 0)
			break;
		if ((extensions ? csra_get_extensions(out->blob, out->count, c->pool, &x, e)
				: csra_get_attributes(out->blob, out->count, c->pool, &a, e)) != 0)
			goto fail;
		for (uint32_t i = 0; i < out->count; i++) {
			if (extensions)
				json_array_append_new(list,
				    json_pack("{s:s, s:b, s:b, s:s, s:o}", "oid", x[i].name, "critical",
					(x[i].flags & 1) != 0, "enabled", (x[i].flags & 2) == 0, "origin",
					origin_name(x[i].flags), "value", base64_json(x[i].value)));
			else
				json_object_set_new(list, a[i].name, json_string(a[i].value));
		}
		in.last = extensions ? x[out->count - 1].name : a[out->count - 1].name;
	} while (out->count == AT_ONCE);
	return list;
fail:
	json_decref(list);
	return NULL;
}

static void
set_certificate(json_t *o, const char *base64)
{
	struct buf der, pem;
	struct err e;

	buf_init(&der, POOL_MAX);
	buf_init(&pem, 2 * POOL_MAX);
	if (text_parse_base64(&der, (struct bytes){ (const uint8_t *)base64, strlen(base64) }, &e) == 0)
		text_put_pem(&pem, buf_bytes(&der), "CERTIFICATE");
	json_object_set_new(o, "pem", json_string(buf_cstr(&pem)));
	buf_fini(&pem);
	buf_fini(&der);
}

/* A LONG has its sign in a view, and none where one request is shown. */
static void
put_column(json_t *o, const char *name, const json_t *v)
{
	if (json_is_integer(v))
		json_object_set_new(o, name, json_integer((uint32_t)json_integer_value(v)));
	else
		set(o, name, v);
}

json_t *
ctl_remote_request_show(struct ctl *c, const json_t *args, struct err *e)
{
	uint32_t id = (uint32_t)json_integer_value(json_object_get(args, "id"));
	json_t *loaded = load_columns(c, e), *columns = json_object_get(loaded, "columns"), *rows = NULL,
	       *row, *o = NULL, *col, *values = NULL, *attributes = NULL, *extensions = NULL;
	const json_t *certificate;
	size_t i;

	if (loaded != NULL)
		rows = read_rows(c, columns,
		    json_pack("[o]", restriction(columns, "Request.RequestID", SEEK_EQ, 0, id)), 1, e);
	if (rows != NULL && json_array_size(rows) == 0)
		ERR(e, CERTSRV_E_PROPERTY_EMPTY, "there is no request %u", id);
	if (json_array_size(rows) == 0)
		goto out;
	attributes = read_list(c, id, false, e);
	extensions = attributes != NULL ? read_list(c, id, true, e) : NULL;
	if (extensions == NULL)
		goto out;
	row = json_array_get(rows, 0);
	o = row_json(c, columns, row);
	values = json_object();
	json_array_foreach(columns, i, col) put_column(
	    values, ctl_remote_text(col, "name"), cell(columns, row, ctl_remote_text(col, "name")));
	json_object_set(o, "columns", values);
	json_object_set(o, "attributes", attributes);
	json_object_set(o, "extensions", extensions);
	certificate = cell(columns, row, "RawCertificate");
	if (certificate != NULL)
		set_certificate(o, json_string_value(certificate));
out:
	json_decref(values);
	json_decref(attributes);
	json_decref(extensions);
	json_decref(rows);
	json_decref(loaded);
	return o;
}
