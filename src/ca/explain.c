/*
 * The explanation in the database: a JSON list of [step, rule, said, text, fix] for each rule that spoke.
 * What the rule table says of a rule (its attribute, its section) is not repeated in every row: it would be
 * most of what a certificate costs on disk.
 */
#include <jansson.h>
#include <string.h>

#include "base/text.h"
#include "ca/ca_priv.h"
#include "rehearse/report.h"

#define EXPLANATION_MAX (192 * 1024)
#define EXPLANATION_USUAL 4096

const char *
ca_explanation_text(struct pool *pool, const struct policy_reason *reasons, size_t n)
{
	struct buf b;
	char *text;

	buf_init(&b, EXPLANATION_MAX);
	buf_reserve(&b, EXPLANATION_USUAL);
	for (size_t i = 0; i < n; i++) {
		const struct policy_reason *r = &reasons[i];

		buf_put_str(&b, i == 0 ? "[[" : ",[");
		text_put_decimal(&b, (unsigned)r->step);
		buf_put_str(&b, ",");
		json_put_string(&b, r->rule);
		buf_put_str(&b, ",");
		json_put_string(&b, policy_said_name(r->said));
		buf_put_str(&b, ",");
		json_put_string(&b, r->text);
		if (r->fix != NULL) {
			buf_put_str(&b, ",");
			json_put_string(&b, r->fix);
		}
		buf_put_str(&b, "]");
	}
	buf_put_str(&b, n == 0 ? "[]" : "]");
	text = buf_ok(&b) ? pool_strndup(pool, (const char *)b.p, b.len) : NULL;
	buf_fini(&b);
	return text;
}

static bool
read_reason(const json_t *o, struct policy_reason *out)
{
	const char *said = json_string_value(json_array_get(o, 2));

	*out = (struct policy_reason){ .step = (int)json_integer_value(json_array_get(o, 0)),
		.rule = json_string_value(json_array_get(o, 1)),
		.text = json_string_value(json_array_get(o, 3)),
		.fix = json_string_value(json_array_get(o, 4)) };
	if (out->rule == NULL || said == NULL || out->text == NULL ||
	    !policy_said_from_name(said, &out->said))
		return false;
	policy_rule_find(out->step, out->rule, &out->attribute, &out->section); /* gone since: without them */
	return true;
}

json_t *
ca_explanation_json(const char *text)
{
	json_t *list = json_loads(text != NULL ? text : "[]", 0, NULL), *rules = json_array(), *o;
	struct policy_reason reason;
	size_t i;

	json_array_foreach(list, i, o) if (read_reason(o, &reason))
	    json_array_append_new(rules, report_reason(&reason));
	json_decref(list);
	return rules;
}
