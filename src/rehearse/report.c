#include "rehearse/report.h"

#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "x509/name.h"

#define TEXT_MAX 65536

/* ---- values ---- */

static json_t *
base64_json(struct bytes v)
{
	struct buf b;
	json_t *s;

	buf_init(&b, 2 * v.len + 16);
	text_put_base64(&b, v, 0);
	s = json_string(buf_cstr(&b));
	buf_fini(&b);
	return s;
}

static json_t *
time_json(filetime_t t)
{
	char text[FILETIME_TEXT_MAX];

	return json_string(filetime_to_text(t, text));
}

static json_t *
text_or_null(struct buf *b, int rc)
{
	json_t *s =
	    rc == 0 && buf_ok(b) ? json_stringn(b->len > 0 ? (const char *)b->p : "", b->len) : json_null();

	buf_fini(b);
	return s;
}

static json_t *
name_json(struct bytes name)
{
	struct err ignored;
	struct buf b;

	buf_init(&b, TEXT_MAX);
	return text_or_null(&b, x509_name_to_text(&b, name, &ignored));
}

static json_t *
san_json(struct bytes value)
{
	struct err ignored;
	struct buf b;

	buf_init(&b, TEXT_MAX);
	return text_or_null(&b, x509_san_to_text(&b, value, &ignored));
}

static json_t *
extension_json(const struct x509_extension *x, const char *dotted)
{
	const char *name = x509_oid_name(dotted);
	json_t *o = json_pack("{s:s, s:s?, s:b, s:o}", "oid", dotted, "name", name, "critical", x->critical,
	    "value", base64_json(x->value));

	if (strcmp(dotted, OID_SUBJECT_ALT_NAME) == 0)
		json_object_set_new(o, "text", san_json(x->value));
	return o;
}

json_t *
report_certificate(const struct policy_result *out)
{
	const struct x509_cert_plan *plan = &out->plan;
	json_t *list = json_array(), *san = json_null();

	for (size_t i = 0; i < plan->n_extensions; i++) {
		char dotted[OID_TEXT_MAX] = "";

		(void)!oid_to_text(plan->extensions[i].oid, dotted);
		json_array_append_new(list, extension_json(&plan->extensions[i], dotted));
		if (strcmp(dotted, OID_SUBJECT_ALT_NAME) == 0) {
			json_decref(san);
			san = san_json(plan->extensions[i].value);
		}
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:b, s:o}", "subject", name_json(plan->subject),
	    "alternativeNames", san, "notBefore", time_json(plan->not_before), "notAfter",
	    time_json(plan->not_after), "publish", out->publish_to_ds, "extensions", list);
}

/* ---- the explanation ---- */

static void
set_text(json_t *o, const char *name, const char *v)
{
	if (v != NULL)
		json_object_set_new(o, name, json_string(v));
}

json_t *
report_reason(const struct policy_reason *x)
{
	json_t *o = json_pack("{s:i}", "step", x->step);

	set_text(o, "rule", x->rule);
	set_text(o, "said", policy_said_name(x->said));
	set_text(o, "attribute", x->attribute);
	set_text(o, "section", x->section);
	set_text(o, "text", x->text);
	set_text(o, "fix", x->fix);
	return o;
}

json_t *
report_rules(const struct policy_result *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_reasons; i++)
		json_array_append_new(list, report_reason(&r->reasons[i]));
	return list;
}
