/* What several rules ask of a template (misconfigurations.md, "Shared predicates"). */
#include <string.h>

#include "lint/lint_priv.h"

#define DISPOSITION_MASK 0xff
#define REQDISP_ISSUE 0x1
#define REQDISP_PENDINGFIRST 0x100

bool
lint_listed(struct x509_strings list, const char *text)
{
	for (size_t i = 0; i < list.n; i++)
		if (policy_name_equal(list.v[i], text))
			return true;
	return false;
}

/* Schema 2 and later: the application policies rule when there are any (templates.md 4). */
struct x509_strings
lint_usages(const struct policy_template *t)
{
	return t->schema_version >= 2 && t->application_policies.n > 0 ? t->application_policies : t->eku;
}

bool
lint_any_purpose(const struct policy_template *t)
{
	struct x509_strings u = lint_usages(t);

	return u.n == 0 || lint_listed(u, OID_ANY_EXTENDED_KEY_USAGE) ||
	    lint_listed(u, OID_ANY_APPLICATION_POLICY);
}

bool
lint_logs_on(const struct policy_template *t)
{
	struct x509_strings u = lint_usages(t);

	return lint_any_purpose(t) || lint_listed(u, OID_CLIENT_AUTHENTICATION) ||
	    lint_listed(u, OID_PKINIT_CLIENT) || lint_listed(u, OID_SMART_CARD_LOGON);
}

bool
lint_supplies_subject(const struct policy_template *t)
{
	return (t->name_flags & CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT) != 0;
}

bool
lint_no_gate(const struct policy_template *t)
{
	return (t->enrollment_flags & CT_FLAG_PEND_ALL_REQUESTS) == 0 && t->ra_signatures == 0;
}

bool
lint_publishes(const struct lint_ca *ca, const struct policy_template *t)
{
	return lint_listed(ca->published, t->cn);
}

bool
lint_published(const struct lint_run *r, const struct policy_template *t)
{
	for (size_t i = 0; i < r->m->n_cas; i++)
		if (lint_publishes(&r->m->cas[i], t))
			return true;
	return false;
}

bool
lint_issues_at_once(const struct lint_ca *ca)
{
	return (ca->set.request_disposition & DISPOSITION_MASK) == REQDISP_ISSUE &&
	    (ca->set.request_disposition & REQDISP_PENDINGFIRST) == 0;
}

static bool
may_request(struct lint_run *r, const struct policy_template *t, const struct sid *sid, bool at_once)
{
	const struct token *token = lint_token_of(r->m, sid);

	for (size_t i = 0; token != NULL && i < r->m->n_cas; i++) {
		const struct lint_ca *ca = &r->m->cas[i];

		if (lint_publishes(ca, t) && (!at_once || lint_issues_at_once(ca)) &&
		    access_check_ca(ca->set.security, token, CA_ACCESS_ENROLL, NULL).granted)
			return true;
	}
	return false;
}

static struct lint_principals
enrollees(struct lint_run *r, const struct policy_template *t, bool at_once)
{
	struct lint_principals p = lint_who_control(r, t->sd, &GUID_ENROLL, LINT_TRUSTED);
	size_t n = 0;

	for (size_t i = 0; i < p.n; i++)
		if (may_request(r, t, &p.v[i].sid, at_once))
			p.v[n++] = p.v[i];
	p.n = n;
	return p;
}

struct lint_principals
lint_reach(struct lint_run *r, const struct policy_template *t)
{
	return lint_no_gate(t) ? enrollees(r, t, true) : (struct lint_principals){ NULL, 0 };
}

struct lint_principals
lint_enrollees(struct lint_run *r, const struct policy_template *t)
{
	return enrollees(r, t, false);
}

const struct lint_template *
lint_template_find(const struct lint_model *m, const char *cn)
{
	for (size_t i = 0; i < m->n_templates; i++)
		if (policy_name_equal(m->templates[i].t.cn, cn))
			return &m->templates[i];
	return NULL;
}

static void
put_usages(struct buf *b, struct x509_strings u)
{
	buf_put_str(b, u.n == 0 ? "none" : "");
	for (size_t i = 0; i < u.n; i++) {
		const char *name = x509_oid_name(u.v[i]);

		buf_printf(b, "%s%s", i > 0 ? ", " : "", name != NULL ? name : u.v[i]);
	}
}

const char *
lint_values(struct lint_run *r, const struct policy_template *t)
{
	const char *text, *sep = "";
	struct buf b;

	buf_init(&b, 16384);
	buf_printf(&b,
	    "schema %u, msPKI-Certificate-Name-Flag 0x%x, msPKI-Enrollment-Flag 0x%x, msPKI-RA-Signature %u, "
	    "usages ",
	    t->schema_version, t->name_flags, t->enrollment_flags, t->ra_signatures);
	put_usages(&b, lint_usages(t));
	buf_put_str(&b, "; published by ");
	for (size_t i = 0; i < r->m->n_cas; i++) {
		if (!lint_publishes(&r->m->cas[i], t))
			continue;
		buf_printf(&b, "%s%s", sep, r->m->cas[i].display_name);
		sep = ", ";
	}
	buf_put_str(&b, *sep == '\0' ? "no CA" : "");
	text = pool_strdup(r->pool, buf_ok(&b) ? buf_cstr(&b) : "");
	buf_fini(&b);
	r->short_of_memory |= text == NULL;
	return text;
}

/*
 * Domain controllers that honour weak bindings: StrongCertificateBindingEnforcement 0 or 1 (2 is full
 * enforcement), or Schannel's mapping by user principal name, 0x4 (KB5014754).
 */
int
lint_weak_binding(const struct lint_run *r)
{
	int known = -1;

	for (size_t i = 0; i < r->m->n_cas; i++) {
		const struct lint_settings *s = &r->m->cas[i].set;

		if ((s->strong_binding >= 0 && s->strong_binding < 2) ||
		    (s->mapping_methods >= 0 && (s->mapping_methods & 0x4)))
			return 1;
		if (s->strong_binding == 2)
			known = 0;
	}
	return known;
}
