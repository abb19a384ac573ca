/* One pass: every rule over every subject of its scope. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lint/lint_priv.h"

#define TEXT_MAX 2048

static const char *const severity_names[] = { "info", "warning", "error" };

const char *
lint_severity_name(enum lint_severity s)
{
	return severity_names[s];
}

bool
lint_severity_from_name(const char *name, enum lint_severity *out)
{
	for (size_t i = 0; i < ARRAY_LEN(severity_names); i++) {
		if (strcmp(name, severity_names[i]) == 0) {
			*out = (enum lint_severity)i;
			return true;
		}
	}
	return false;
}

static const char *
text_v(struct lint_run *r, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

static const char *
text_v(struct lint_run *r, const char *fmt, va_list ap)
{
	char line[TEXT_MAX];
	const char *text;

	vsnprintf(line, sizeof(line), fmt, ap);
	text = pool_strdup(r->pool, line);
	r->short_of_memory |= text == NULL;
	return text != NULL ? text : "";
}

const char *
lint_text(struct lint_run *r, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = text_v(r, fmt, ap);
	va_end(ap);
	return text;
}

static struct lint_finding *
make_room(struct lint_run *r)
{
	static struct lint_finding scratch;

	if (r->n == r->cap) {
		size_t cap = r->cap * 2 + 64;
		struct lint_finding *v = pool_calloc(r->pool, cap, sizeof(*v));

		if (v == NULL) {
			r->short_of_memory = true;
			return &scratch;
		}
		if (r->n > 0)
			memcpy(v, r->v, r->n * sizeof(*v));
		r->v = v;
		r->cap = cap;
	}
	return &r->v[r->n++];
}

struct lint_finding *
lint_add(struct lint_run *r, enum lint_severity severity, const char *attribute, const char *fmt, ...)
{
	struct lint_finding *f = make_room(r);
	va_list ap;

	*f =
	    (struct lint_finding){ .rule = r->rule, .severity = severity, .attribute = attribute, .fix = "" };
	if (r->template != NULL) {
		f->object = r->template->t.cn;
		f->dn = r->template->t.dn;
	} else if (r->ca != NULL) {
		f->object = r->ca->display_name;
		f->dn = r->ca->dn;
	} else {
		f->object = "";
	}
	va_start(ap, fmt);
	f->text = text_v(r, fmt, ap);
	va_end(ap);
	return f;
}

void
lint_change_flags(struct lint_run *r, struct lint_finding *f, const char *attribute, uint32_t value)
{
	f->change = lint_text(r, "dn: %s\nchangetype: modify\nreplace: %s\n%s: %d\n", r->t->dn, attribute,
	    attribute, (int32_t)value);
}

static bool
wanted(const struct lint_run *r, const struct lint_template *t)
{
	return r->in->template_name == NULL || policy_name_equal(t->t.cn, r->in->template_name);
}

static int
over_templates(struct lint_run *r)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < r->m->n_templates; i++) {
		const struct lint_template *t = &r->m->templates[i];

		if (!wanted(r, t) || t->unreadable != NULL)
			continue;
		r->template = t;
		r->t = &t->t;
		rc = r->rule->check(r);
	}
	r->template = NULL;
	r->t = NULL;
	return rc;
}

static int
over_cas(struct lint_run *r)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < r->m->n_cas; i++) {
		r->ca = &r->m->cas[i];
		rc = r->rule->check(r);
	}
	r->ca = NULL;
	return rc;
}

static int
run_rule(struct lint_run *r)
{
	switch (r->rule->scope) {
	case LINT_TEMPLATE:
		return over_templates(r);
	case LINT_PKCS:
		return r->in->pkcs ? over_templates(r) : 0;
	case LINT_CA:
		return r->in->template_name == NULL ? over_cas(r) : 0;
	case LINT_FOREST:
		break;
	}
	return r->in->template_name == NULL ? r->rule->check(r) : 0;
}

static int
worst_first(const void *a, const void *b)
{
	const struct lint_finding *x = a, *y = b;

	if (x->severity != y->severity)
		return (x->severity < y->severity) - (x->severity > y->severity);
	if (x->rule != y->rule)
		return (x->rule > y->rule) - (x->rule < y->rule);
	return strcasecmp(x->object, y->object);
}

static int
check_template_name(const struct lint_model *m, const char *name, struct err *e)
{
	if (name == NULL || lint_template_find(m, name) != NULL)
		return 0;
	for (size_t i = 0; i < m->n_templates; i++) {
		const struct policy_template *t = &m->templates[i].t;

		if (t->display_name != NULL && policy_name_equal(t->display_name, name))
			return ERR(e, E_DS_NO_SUCH_OBJECT,
			    "'%.50s' is a display name; the template name is '%.50s'", name, t->cn);
	}
	return ERR(e, E_DS_NO_SUCH_OBJECT, "no template '%.60s' among %zu", name, m->n_templates);
}

int
lint_run_all(const struct lint_request *in, struct pool *pool, struct lint_report *out, struct err *e)
{
	struct lint_model m;
	struct lint_run r = { .in = in, .m = &m, .pool = pool };
	int rc = lint_model_build(&m, in, pool, e);

	if (rc == 0)
		rc = check_template_name(&m, in->template_name, e);
	for (r.rule = lint_rules; rc == 0 && r.rule->id != NULL; r.rule++) {
		rc = run_rule(&r);
		if (rc != 0 || r.short_of_memory)
			rc = ERR(e, E_OUTOFMEMORY, "no memory for the findings of %s", r.rule->id);
	}
	lint_model_fini(&m);
	if (rc != 0)
		return -1;
	if (r.n > 1)
		qsort(r.v, r.n, sizeof(*r.v), worst_first);
	*out = (struct lint_report){ r.v, r.n, m.n_templates, m.n_cas, m.n_objects, m.n_accounts };
	return 0;
}
