/* request set-extension, request set-attributes, ca set-templates, ca audit-filter: over the control socket.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/admin.h"
#include "x509/request.h"

#define VALUE_MAX (64u << 10)

enum { PROPTYPE_LONG = 1, PROPTYPE_DATE = 2, PROPTYPE_BINARY = 3, PROPTYPE_STRING = 4 };

static int
number_value(const char *text, struct buf *out)
{
	char *end;
	unsigned long long n = strtoull(text, &end, 0);

	if (end == text || *end != '\0' || *text == '-' || n > UINT32_MAX)
		return ctl_usage("--number takes a number, 0 to 4294967295");
	for (unsigned i = 0; i < 4; i++)
		buf_put_u8(out, (uint8_t)(n >> (8 * i)));
	return CTL_OK;
}

static int
date_value(const char *text, struct buf *out)
{
	filetime_t t;

	if (!filetime_from_text(text, &t))
		return ctl_usage("--date takes a time, as 2026-06-01T12:00:00Z");
	for (unsigned i = 0; i < 8; i++)
		buf_put_u8(out, (uint8_t)((uint64_t)t >> (8 * i)));
	return CTL_OK;
}

/* The property value that the options give; *type 0: none does. */
static int
value_of(struct ctl *c, const struct ctl_args *a, struct buf *out, int *type)
{
	static const char *const forms[] = { NULL, "number", "date", "file", "text" };
	struct err e = { 0 };
	const char *v = NULL;
	int rc = 0;

	*type = 0;
	for (int i = PROPTYPE_LONG; i <= PROPTYPE_STRING; i++) {
		if (ctl_arg(a, forms[i]) == NULL)
			continue;
		if (*type != 0)
			return ctl_usage("one of --file, --text, --number and --date");
		*type = i;
		v = ctl_arg(a, forms[i]);
	}
	switch (*type) {
	case PROPTYPE_LONG:
		return number_value(v, out);
	case PROPTYPE_DATE:
		return date_value(v, out);
	case PROPTYPE_BINARY:
		rc = ctl_read_file(v, out, &e);
		break;
	case PROPTYPE_STRING:
		rc = text_utf8_to_utf16le(out, v, strlen(v), &e);
		buf_put_u8(out, 0);
		buf_put_u8(out, 0);
		break;
	}
	return rc == 0 ? CTL_OK : ctl_fail(c, &e);
}

static json_t *
base64_of(const struct buf *value)
{
	struct buf b;
	json_t *s;

	buf_init(&b, 2 * VALUE_MAX);
	text_put_base64(&b, buf_bytes(value), 0);
	s = json_string(buf_cstr(&b));
	buf_fini(&b);
	return s;
}

/* Takes args. */
static int
edit(struct ctl *c, const char *verb, json_t *args)
{
	int code;
	json_t *o = ctl_ask(c, verb, args, &code);

	if (o == NULL)
		return code;
	printf("request %lld is changed\n", (long long)json_integer_value(json_object_get(o, "id")));
	json_decref(o);
	return CTL_OK;
}

int
ctl_request_set_extension(struct ctl *c, const struct ctl_args *a)
{
	bool disable = ctl_arg(a, "disable") != NULL;
	int flags = (ctl_arg(a, "critical") != NULL ? 1 : 0) | (disable ? 2 : 0), type = 0, code;
	json_int_t id = 0;
	struct buf value;

	code = ctl_number_arg(a->positional[0], "ID", &id);
	if (code != CTL_OK)
		return code;
	buf_init(&value, VALUE_MAX);
	code = value_of(c, a, &value, &type);
	if (code == CTL_OK && type == 0 && !disable)
		code = ctl_usage("the value: --file, --text, --number or --date; or --disable");
	if (code == CTL_OK)
		code = edit(c, "request.set-extension",
		    json_pack("{s:I, s:s, s:i, s:i, s:o}", "id", id, "oid", a->positional[1], "type",
			type != 0 ? type : PROPTYPE_BINARY, "flags", flags, "value", base64_of(&value)));
	buf_fini(&value);
	return code;
}

int
ctl_request_set_attributes(struct ctl *c, const struct ctl_args *a)
{
	json_int_t id = 0;
	struct buf lines;
	int code = ctl_number_arg(a->positional[0], "ID", &id);

	if (code != CTL_OK)
		return code;
	buf_init(&lines, VALUE_MAX);
	for (size_t i = 1; i < a->n_positional; i++) {
		if (strchr(a->positional[i], ':') == NULL)
			code = ctl_usage("an attribute is NAME:VALUE, not '%.80s'", a->positional[i]);
		buf_printf(&lines, "%s\n", a->positional[i]);
	}
	if (code == CTL_OK)
		code = edit(c, "request.set-attributes",
		    json_pack("{s:I, s:s}", "id", id, "attributes", buf_cstr(&lines)));
	buf_fini(&lines);
	return code;
}

int
ctl_ca_set_templates(struct ctl *c, const struct ctl_args *a)
{
	json_t *names = json_array(), *o, *name;
	int code;
	size_t i;

	for (i = 0; i < a->n_positional; i++)
		json_array_append_new(names, json_string(a->positional[i]));
	o = ctl_ask(c, "ca.templates.set", json_pack("{s:o}", "templates", names), &code);
	if (o == NULL)
		return code;
	json_array_foreach(json_object_get(o, "templates"), i, name) printf("%s\n", json_string_value(name));
	json_decref(o);
	return CTL_OK;
}

int
ctl_ca_audit_filter(struct ctl *c, const struct ctl_args *a)
{
	char *end;
	unsigned long n = strtoul(a->positional[0], &end, 0);
	int code;
	json_t *o;

	if (end == a->positional[0] || *end != '\0' || n > UINT32_MAX)
		return ctl_usage("the filter is a number, 0 to 127");
	o = ctl_ask(c, "ca.audit-filter.set", json_pack("{s:I}", "filter", (json_int_t)n), &code);
	if (o == NULL)
		return code;
	printf("CA\\AuditFilter = %lld\n", (long long)json_integer_value(json_object_get(o, "filter")));
	json_decref(o);
	return CTL_OK;
}

/* Takes args. */
static int
delete_rows(struct ctl *c, json_t *args)
{
	int code;
	json_t *o = ctl_ask(c, "request.delete", args, &code);

	if (o == NULL)
		return code;
	printf("%lld rows are deleted\n", (long long)json_integer_value(json_object_get(o, "deleted")));
	json_decref(o);
	return CTL_OK;
}

static int
delete_row(struct ctl *c, int table, const char *text)
{
	json_int_t row;
	int code = ctl_number_arg(text, "the row", &row);

	return code != CTL_OK
	    ? code
	    : delete_rows(c, json_pack("{s:i, s:i, s:I}", "table", table, "flags", 0, "row", row));
}

static int
delete_before(struct ctl *c, int table, int flags, const char *when)
{
	return delete_rows(c, json_pack("{s:i, s:i, s:s}", "table", table, "flags", flags, "before", when));
}

int
ctl_request_delete(struct ctl *c, const struct ctl_args *a)
{
	const char *expired = ctl_arg(a, "expired-before"), *waiting = ctl_arg(a, "not-issued-before");
	bool extensions = ctl_arg(a, "extensions") != NULL, attributes = ctl_arg(a, "attributes") != NULL;

	if ((int)(a->n_positional == 1) + (expired != NULL) + (waiting != NULL) != 1)
		return ctl_usage("what shall go? An ID, --expired-before TIME or --not-issued-before TIME");
	if ((extensions && attributes) || ((extensions || attributes) && a->n_positional == 0))
		return ctl_usage("--extensions or --attributes of an ID");
	if (expired != NULL)
		return delete_before(c, 0, 1, expired);
	if (waiting != NULL)
		return delete_before(c, 0, 2, waiting);
	return delete_row(c, extensions ? 0x3000 : attributes ? 0x4000 : 0, a->positional[0]);
}

int
ctl_crl_delete(struct ctl *c, const struct ctl_args *a)
{
	const char *expired = ctl_arg(a, "expired-before");

	if ((a->n_positional == 1) == (expired != NULL))
		return ctl_usage("what shall go? A row or --expired-before TIME");
	return expired != NULL ? delete_before(c, 0x5000, 1, expired)
			       : delete_row(c, 0x5000, a->positional[0]);
}

int
ctl_request_import(struct ctl *c, const struct ctl_args *a)
{
	struct buf file, octets;
	struct bytes der;
	struct err e = { 0 };
	json_t *o = NULL;
	int rc;

	buf_init(&file, VALUE_MAX);
	buf_init(&octets, VALUE_MAX);
	rc = ctl_read_file(a->positional[0], &file, &e);
	if (rc == 0)
		rc = x509_request_unwrap(buf_bytes(&file), c->pool, &der, &e);
	if (rc == 0) {
		buf_put(&octets, der.p, der.len);
		o = ctl_call(c, "ca.import",
		    json_pack("{s:o, s:i}", "certificate", base64_of(&octets), "flags",
			ctl_arg(a, "pending") != NULL ? 0x20000 : 0),
		    &e);
	}
	buf_fini(&file);
	buf_fini(&octets);
	if (o == NULL)
		return ctl_fail(c, &e);
	if (c->json)
		return ctl_print_json(o);
	printf("request %lld\n", (long long)json_integer_value(json_object_get(o, "id")));
	json_decref(o);
	return CTL_OK;
}
