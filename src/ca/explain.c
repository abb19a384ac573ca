#include "ca/ca_priv.h"

#define EXPLANATION_MAX (192 * 1024)

static const char *const said_names[] = {
	[POLICY_PASS] = "pass",
	[POLICY_REFUSE] = "refuse",
	[POLICY_ADDS] = "adds",
	[POLICY_PENDS] = "pends",
	[POLICY_SKIPPED] = "skipped",
};

const char *
ca_said_name(enum policy_said said)
{
	return said_names[said];
}

const char *
ca_explanation_json(struct pool *pool, const struct policy_reason *reasons, size_t n)
{
	struct buf b;
	char *text;

	buf_init(&b, EXPLANATION_MAX);
	buf_put_str(&b, "[");
	for (size_t i = 0; i < n; i++) {
		const struct policy_reason *r = &reasons[i];

		buf_printf(&b, "%s{\"step\":%d", i == 0 ? "" : ",", r->step);
		journal_put_text(&b, "rule", r->rule);
		journal_put_text(&b, "said", said_names[r->said]);
		journal_put_text(&b, "attribute", r->attribute);
		journal_put_text(&b, "section", r->section);
		journal_put_text(&b, "text", r->text);
		journal_put_text(&b, "fix", r->fix);
		buf_put_str(&b, "}");
	}
	buf_put_str(&b, "]");
	text = buf_ok(&b) ? pool_strndup(pool, (const char *)b.p, b.len) : NULL;
	buf_fini(&b);
	return text;
}
