/* Findings as text, JSON and SARIF. */
#include <stdio.h>
#include <string.h>

#include "ctl/lint.h"

static const char *const trust_names[] = { [LINT_PRIVILEGED] = "privileged",
	[LINT_TRUSTED] = "trusted",
	[LINT_NAMED] = "named",
	[LINT_BROAD] = "everybody" };

static size_t
count(const struct ctl_lint_view *v, enum lint_severity s)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		n += v->v[i]->severity == s;
	return n;
}

/* ---- text ---- */

static void
print_line(const char *label, const char *text)
{
	if (text != NULL && *text != '\0')
		printf("    %-8s %s\n", label, text);
}

static void
print_finding(const struct lint_finding *f)
{
	printf("%-7s  %s  %s\n", lint_severity_name(f->severity), f->rule->id, f->object);
	print_line("what", f->text);
	print_line("where", f->attribute);
	print_line("values", f->values);
	for (size_t i = 0; i < f->who.n; i++)
		printf("    %-8s %s [%s]  %s\n", "who", f->who.v[i].name, trust_names[f->who.v[i].trust],
		    f->who.v[i].ace_text);
	print_line("if", f->condition);
	print_line("fix", f->fix);
	print_line("see", f->rule->section);
	putchar('\n');
}

int
ctl_lint_text(const struct ctl_lint_view *v)
{
	for (size_t i = 0; i < v->n; i++)
		print_finding(v->v[i]);
	printf("%zu error%s, %zu warning%s, %zu information; %zu more ignored. Looked at %zu templates, %zu "
	       "CA%s, %zu PKI objects, "
	       "%zu accounts.\n",
	    count(v, LINT_ERROR), count(v, LINT_ERROR) == 1 ? "" : "s", count(v, LINT_WARNING),
	    count(v, LINT_WARNING) == 1 ? "" : "s", count(v, LINT_INFO), v->ignored, v->report->n_templates,
	    v->report->n_cas, v->report->n_cas == 1 ? "" : "s", v->report->n_objects, v->report->n_accounts);
	for (const struct lint_blind *b = lint_blind_spots; b->id != NULL; b++)
		printf("Not visible here: %s, %s.\n", b->id, b->why);
	return CTL_OK;
}

/* ---- JSON ---- */

static json_t *
principals_json(struct lint_principals who)
{
	json_t *list = json_array();

	for (size_t i = 0; i < who.n; i++) {
		char sid[SID_TEXT_MAX];

		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s, s:i, s:s}", "name", who.v[i].name, "sid",
			sid_to_text(&who.v[i].sid, sid), "trust", trust_names[who.v[i].trust], "aceIndex",
			who.v[i].ace, "ace", who.v[i].ace_text));
	}
	return list;
}

static json_t *
finding_json(const struct lint_finding *f)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s*, s:s, s:s*, s:o, s:s*, s:s, s:s*, s:s}", "id",
	    f->rule->id, "severity", lint_severity_name(f->severity), "title", f->rule->title, "object",
	    f->object, "dn", f->dn, "attribute", f->attribute, "text", f->text, "values", f->values,
	    "principals", principals_json(f->who), "condition", f->condition, "fix", f->fix, "change",
	    f->change, "section", f->rule->section);
}

int
ctl_lint_json(const struct ctl_lint_view *v)
{
	json_t *list = json_array(), *blind = json_array();

	for (size_t i = 0; i < v->n; i++)
		json_array_append_new(list, finding_json(v->v[i]));
	for (const struct lint_blind *b = lint_blind_spots; b->id != NULL; b++)
		json_array_append_new(blind, json_pack("{s:s, s:s}", "id", b->id, "why", b->why));
	return ctl_print_json(json_pack("{s:o, s:o, s:I, s:{s:I, s:I, s:I, s:I}}", "findings", list,
	    "notVisible", blind, "ignored", (json_int_t)v->ignored, "lookedAt", "templates",
	    (json_int_t)v->report->n_templates, "cas", (json_int_t)v->report->n_cas, "objects",
	    (json_int_t)v->report->n_objects, "accounts", (json_int_t)v->report->n_accounts));
}

/* ---- SARIF ---- */

static const char *const levels[] = {
	[LINT_INFO] = "note", [LINT_WARNING] = "warning", [LINT_ERROR] = "error"
};

static json_t *
rule_json(const struct lint_rule *r)
{
	return json_pack("{s:s, s:{s:s}, s:{s:s}}", "id", r->id, "shortDescription", "text", r->title,
	    "properties", "section", r->section);
}

/* RFC 3986: what is no path character is written as %xx. */
static json_t *
uri_json(const char *path)
{
	struct buf b;
	json_t *o;

	buf_init(&b, 16384);
	for (; *path != '\0'; path++) {
		bool plain = (*path >= 'a' && *path <= 'z') || (*path >= 'A' && *path <= 'Z') ||
		    (*path >= '0' && *path <= '9') || strchr("-._~/", *path) != NULL;

		buf_printf(&b, plain ? "%c" : "%%%02X", (unsigned char)*path);
	}
	o = json_string(buf_ok(&b) ? buf_cstr(&b) : "");
	buf_fini(&b);
	return o;
}

static json_t *
location_json(const struct ctl_lint_view *v, const struct lint_finding *f)
{
	json_t *o = json_pack("{s:[{s:s, s:s, s:s}]}", "logicalLocations", "name", f->object,
	    "fullyQualifiedName", f->dn != NULL ? f->dn : f->object, "kind", "object");

	if (v->artifact != NULL)
		json_object_set_new(o, "physicalLocation",
		    json_pack("{s:{s:o}}", "artifactLocation", "uri", uri_json(v->artifact)));
	return o;
}

static json_t *
result_json(const struct ctl_lint_view *v, const struct lint_finding *f)
{
	struct buf text;
	json_t *o;

	buf_init(&text, 16384);
	buf_printf(&text, "%s: %s", f->object, f->text);
	for (size_t i = 0; i < f->who.n; i++)
		buf_printf(&text, "%s%s", i == 0 ? ". Open to: " : ", ", f->who.v[i].name);
	buf_printf(&text, ". Fix: %s", f->fix);
	o = json_pack("{s:s, s:i, s:s, s:{s:s}, s:[o], s:{s:s*, s:s*, s:s*, s:s*, s:o}}", "ruleId",
	    f->rule->id, "ruleIndex", (int)(f->rule - lint_rules), "level", levels[f->severity], "message",
	    "text", buf_ok(&text) ? buf_cstr(&text) : f->text, "locations", location_json(v, f), "properties",
	    "attribute", f->attribute, "values", f->values, "condition", f->condition, "change", f->change,
	    "principals", principals_json(f->who));
	buf_fini(&text);
	return o;
}

int
ctl_lint_sarif(const struct ctl_lint_view *v)
{
	json_t *rules = json_array(), *results = json_array();

	for (const struct lint_rule *r = lint_rules; r->id != NULL; r++)
		json_array_append_new(rules, rule_json(r));
	for (size_t i = 0; i < v->n; i++)
		json_array_append_new(results, result_json(v, v->v[i]));
	return ctl_print_json(json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:o}]}", "$schema",
	    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json", "version",
	    "2.1.0", "runs", "tool", "driver", "name", "adcsctl lint", "version", ADCSD_VERSION, "rules",
	    rules, "results", results));
}
