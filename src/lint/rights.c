/* Certificate manager and enrollment agent restrictions of a CA: whom they leave a way, and which do nothing.
 */
#include "lint/lint_priv.h"

static bool
means_template(const struct restriction *e, const struct policy_template *t)
{
	return *e->template_name == '\0' || policy_name_equal(e->template_name, t->cn) ||
	    (t->oid != NULL && policy_name_equal(e->template_name, t->oid));
}

/* Some entry lets one of them act on the template, whoever it is about. */
static bool
any_allowed(struct lint_run *r, const struct restrictions *list, struct lint_principals who,
    const struct policy_template *t)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct restriction *e = &list->v[i];

		for (size_t k = 0; e->allow && e->n_subjects > 0 && means_template(e, t) && k < who.n; k++) {
			const struct token *token = lint_token_of(r->m, &who.v[k].sid);

			/* a group is let by entries for its members, too */
			if (token == NULL || token_has(token, &e->who) ||
			    (lint_token_of(r->m, &e->who) != NULL &&
				token_has(lint_token_of(r->m, &e->who), &who.v[k].sid)))
				return true;
		}
	}
	return false;
}

bool
lint_agents_confined(struct lint_run *r, struct lint_principals who, const struct policy_template *t)
{
	for (size_t i = 0; i < r->m->n_cas; i++) {
		const struct lint_ca *ca = &r->m->cas[i];

		if (lint_publishes(ca, t) &&
		    (ca->set.agents == NULL || any_allowed(r, ca->set.agents, who, t)))
			return false;
	}
	return true;
}

bool
lint_officers_decide(struct lint_run *r, struct lint_principals officers, const struct policy_template *t)
{
	return r->ca->set.officers == NULL || any_allowed(r, r->ca->set.officers, officers, t);
}

static bool
names_template(const struct lint_run *r, const char *name)
{
	for (size_t i = 0; i < r->m->n_templates; i++) {
		const struct policy_template *t = &r->m->templates[i].t;

		if (policy_name_equal(name, t->cn) || (t->oid != NULL && policy_name_equal(name, t->oid)))
			return true;
	}
	return *name == '\0';
}

static void
dead_entries(struct lint_run *r, const struct restrictions *list, const char *setting, const char *tab)
{
	for (size_t i = 0; list != NULL && i < list->n; i++) {
		const struct restriction *e = &list->v[i];
		struct lint_finding *f;

		if (names_template(r, e->template_name) && e->n_subjects > 0)
			continue;
		f = lint_add(r, LINT_WARNING, setting, "the entry for %s %s%s", lint_name_of(r->m, &e->who),
		    e->n_subjects == 0 ? "names nobody it is about"
				       : "names a template that does not exist: ",
		    e->n_subjects == 0 ? "" : e->template_name);
		f->fix =
		    lint_text(r, "Certification Authority console > %s > Properties > %s: remove the entry",
			r->ca->display_name, tab);
	}
}

int
lint_rights_dead(struct lint_run *r)
{
	dead_entries(r, r->ca->set.officers, "OfficerRights", "Certificate Managers");
	dead_entries(r, r->ca->set.agents, "EnrollmentAgentRights", "Enrollment Agents");
	return 0;
}
