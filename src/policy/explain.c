/* What rules say: the explanation kept with every verdict. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/rule_priv.h"

#define TEXT_MAX 1024

static const char *const said_names[] = {
	[POLICY_PASS] = "pass",
	[POLICY_REFUSE] = "refuse",
	[POLICY_ADDS] = "adds",
	[POLICY_PENDS] = "pends",
	[POLICY_SKIPPED] = "skipped",
};

const char *
policy_said_name(enum policy_said said)
{
	return said_names[said];
}

bool
policy_said_from_name(const char *name, enum policy_said *out)
{
	for (size_t i = 0; i < ARRAY_LEN(said_names); i++) {
		if (strcmp(said_names[i], name) == 0) {
			*out = (enum policy_said)i;
			return true;
		}
	}
	return false;
}

/* What ca/ says around the policy, in the same list. */
static const struct policy_rule around[] = {
	{ 13, "signer chain", "cACertificate", "RFC 5280 6.1", 1, NULL, NULL },
	{ 38, "CA constraints", NULL, "RFC 5280 6.1", 1, NULL, NULL },
	{ 0 },
};

static const struct policy_rule *
find_in(const struct policy_rule *list, int step, const char *name)
{
	for (; list->name != NULL; list++) {
		if (list->step == step && strcmp(list->name, name) == 0)
			return list;
	}
	return NULL;
}

bool
policy_rule_find(int step, const char *name, const char **attribute, const char **section)
{
	const struct policy_rule *r = find_in(policy_rules, step, name);

	if (r == NULL)
		r = find_in(around, step, name);
	if (r == NULL)
		return false;
	*attribute = r->attribute;
	*section = r->section;
	return true;
}

int
rule_nomem(struct eval *ev)
{
	return ERR(
	    ev->e, E_OUTOFMEMORY, "no memory for rule \"%s\"", ev->rule != NULL ? ev->rule->name : "plan");
}

static PRINTF_LIKE(2, 0) const char *format(struct eval *ev, const char *fmt, va_list ap)
{
	char text[TEXT_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	return pool_strdup(ev->pool, text);
}

static struct policy_reason *
new_reason(struct eval *ev)
{
	struct policy_result *out = ev->out;

	if (out->n_reasons == ev->reasons_cap) {
		size_t cap = ev->reasons_cap == 0 ? 64 : 2 * ev->reasons_cap;
		struct policy_reason *more = pool_calloc(ev->pool, cap, sizeof(*more));

		if (more == NULL)
			return NULL;
		if (out->n_reasons > 0)
			memcpy(more, out->reasons, out->n_reasons * sizeof(*more));
		out->reasons = more;
		ev->reasons_cap = cap;
	}
	return &out->reasons[out->n_reasons++];
}

static PRINTF_LIKE(3, 0) int say(struct eval *ev, enum policy_said said, const char *fmt, va_list ap)
{
	const char *text = format(ev, fmt, ap);
	struct policy_reason *r;

	if (text == NULL || (r = new_reason(ev)) == NULL)
		return rule_nomem(ev);
	*r = (struct policy_reason){ .step = ev->rule->step,
		.rule = ev->rule->name,
		.section = ev->rule->section,
		.said = said,
		.attribute = ev->rule->attribute,
		.text = text,
		.fix = said == POLICY_REFUSE ? ev->fix : NULL };
	ev->fix = NULL;
	return 0;
}

#define SAY(said)                                                                                            \
	va_list ap;                                                                                          \
	int rc;                                                                                              \
	va_start(ap, fmt);                                                                                   \
	rc = say(ev, (said), fmt, ap);                                                                       \
	va_end(ap);                                                                                          \
	return rc

int
rule_pass(struct eval *ev, const char *fmt, ...)
{
	SAY(POLICY_PASS);
}

int
rule_adds(struct eval *ev, const char *fmt, ...)
{
	SAY(POLICY_ADDS);
}

int
rule_pends(struct eval *ev, const char *fmt, ...)
{
	ev->out->outcome = POLICY_PEND;
	SAY(POLICY_PENDS);
}

int
rule_skipped(struct eval *ev, const char *fmt, ...)
{
	SAY(POLICY_SKIPPED);
}

int
rule_refuse(struct eval *ev, uint32_t hr, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = say(ev, POLICY_REFUSE, fmt, ap);
	va_end(ap);
	if (rc == 0) {
		ev->out->outcome = POLICY_DENY;
		ev->out->hr = hr;
	}
	return -1;
}

void
rule_fix(struct eval *ev, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	ev->fix = format(ev, fmt, ap);
	va_end(ap);
}
