/* ESC rules whose subject is a template. */
#include <strings.h>

#include "lint/lint_priv.h"

static const char side_binding[] = "counts where domain controllers honour weak bindings "
				   "(StrongCertificateBindingEnforcement below 2, or Schannel mapping 0x4)";

int
lint_esc1(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	struct lint_principals who;
	struct lint_finding *f;

	if (!lint_logs_on(t) || !lint_supplies_subject(t))
		return 0;
	who = lint_reach(r, t);
	if (who.n == 0)
		return 0;
	f = lint_add(r, lint_severity_of(who), "msPKI-Certificate-Name-Flag",
	    "whoever enrolls names the subject, and the certificate logs on: any identity can be requested");
	f->who = who;
	f->values = lint_values(r, t);
	f->fix = lint_text(r,
	    LINT_FIX_TEMPLATE
	    "Security: leave Enroll to those who must name subjects; or Subject Name: Build "
	    "from this Active Directory information; or Issuance Requirements: CA certificate manager "
	    "approval",
	    t->cn);
	if (!r->in->pkcs) /* a connector cannot wait for a manager */
		lint_change_flags(
		    r, f, "msPKI-Enrollment-Flag", t->enrollment_flags | CT_FLAG_PEND_ALL_REQUESTS);
	return 0;
}

int
lint_esc2(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	bool ca = (t->general_flags & (CT_FLAG_IS_CA | CT_FLAG_IS_CROSS_CA)) != 0;
	struct lint_principals who;
	struct lint_finding *f;

	if (!lint_any_purpose(t))
		return 0;
	who = lint_reach(r, t);
	if (who.n == 0)
		return 0;
	f = lint_add(r, lint_severity_of(who), "msPKI-Certificate-Application-Policy",
	    "the certificate serves any purpose%s",
	    ca ? ", and basic constraints make it a CA" : ": logon, code signing, enrollment agent");
	f->who = who;
	f->values = lint_values(r, t);
	f->fix = lint_text(r,
	    LINT_FIX_TEMPLATE
	    "Extensions: Application Policies: name the purposes; or Security: remove Enroll",
	    t->cn);
	return 0;
}

static bool
is_agent(const struct policy_template *t)
{
	return lint_listed(lint_usages(t), OID_CERTIFICATE_REQUEST_AGENT);
}

/* Part B: a template that takes an agent's signature, or (schema 1) any request for somebody else; first one
 * where EnrollmentAgentRights do not stand in the way. */
static const struct policy_template *
agent_target(struct lint_run *r, struct lint_principals who, bool *confined)
{
	const struct policy_template *shut = NULL;

	*confined = false;
	for (size_t i = 0; i < r->m->n_templates; i++) {
		const struct policy_template *u = &r->m->templates[i].t;
		bool agent = u->ra_signatures == 1 &&
		    lint_listed(u->ra_application_policies, OID_CERTIFICATE_REQUEST_AGENT);

		if (r->m->templates[i].unreadable == NULL && lint_logs_on(u) && lint_published(r, u) &&
		    (u->enrollment_flags & CT_FLAG_PEND_ALL_REQUESTS) == 0 &&
		    (u->schema_version == 1 || agent) && lint_worst(lint_enrollees(r, u)) >= LINT_NAMED) {
			if (!lint_agents_confined(r, who, u))
				return u;
			shut = u;
		}
	}
	*confined = shut != NULL;
	return shut;
}

int
lint_esc3(struct lint_run *r)
{
	const struct policy_template *t = r->t, *target;
	struct lint_principals who;
	struct lint_finding *f;
	bool confined;

	if (!is_agent(t))
		return 0;
	who = lint_reach(r, t);
	if (who.n == 0)
		return 0;
	target = agent_target(r, who, &confined);
	f = lint_add(r,
	    confined                                 ? LINT_INFO
		: target != NULL                     ? lint_severity_of(who)
		: lint_severity_of(who) == LINT_INFO ? LINT_INFO
						     : LINT_WARNING,
	    "msPKI-Certificate-Application-Policy", "the certificate is an enrollment agent's%s%s%s",
	    target != NULL ? "; " : "", target != NULL ? target->cn : "",
	    confined ? " takes requests on behalf of others, but EnrollmentAgentRights let none of them"
		: target != NULL ? " then enrolls on behalf of anybody"
				 : ", and no template to use it on was found");
	f->who = who;
	f->values = lint_values(r, t);
	if (!confined)
		f->condition =
		    "enrollment-agent restrictions of the CA (EnrollmentAgentRights) would confine it";
	f->fix = lint_text(r,
	    LINT_FIX_TEMPLATE
	    "Security: leave Enroll to enrollment agents; CA Properties > Enrollment Agents: "
	    "Restrict enrollment agents",
	    t->cn);
	return 0;
}

int
lint_esc4(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	struct lint_principals who = lint_who_writes(r, t->sd, false, LINT_TRUSTED);
	struct lint_finding *f;
	bool published = lint_published(r, t);
	enum lint_severity s = lint_severity_of(who);

	if (who.n == 0)
		return 0;
	f = lint_add(r, published || s == LINT_INFO ? s : LINT_WARNING, "nTSecurityDescriptor",
	    "the template%s can be rewritten: who writes it makes it ESC1",
	    published ? "" : " (not published)");
	f->who = who;
	f->fix = lint_text(r,
	    LINT_FIX_TEMPLATE "Security: clear Write and Full Control of these principals; Advanced: Owner",
	    t->cn);
	return 0;
}

int
lint_esc9(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	struct lint_principals who;
	struct lint_finding *f;

	if (!lint_logs_on(t) || lint_supplies_subject(t) ||
	    !(t->enrollment_flags & CT_FLAG_NO_SECURITY_EXTENSION))
		return 0;
	who = lint_reach(r, t);
	if (who.n == 0)
		return 0;
	f = lint_add(r, lint_weak_binding(r) == 0 ? LINT_INFO : lint_severity_of(who),
	    "msPKI-Enrollment-Flag",
	    "NO_SECURITY_EXTENSION 0x80000: the logon certificate carries no SID, its name alone says who it "
	    "is");
	f->who = who;
	f->values = lint_values(r, t);
	f->condition = side_binding;
	f->fix = "clear bit 0x80000 of msPKI-Enrollment-Flag (certutil -dstemplate NAME "
		 "msPKI-Enrollment-Flag -0x80000)";
	lint_change_flags(
	    r, f, "msPKI-Enrollment-Flag", t->enrollment_flags & ~(uint32_t)CT_FLAG_NO_SECURITY_EXTENSION);
	return 0;
}

static const struct lint_oid *
linked_policy(const struct lint_run *r, const struct policy_template *t)
{
	for (size_t i = 0; i < r->m->n_oids; i++) {
		const struct lint_oid *o = &r->m->oids[i];

		if (o->group_link != NULL && o->oid != NULL && lint_listed(t->issuance_policies, o->oid))
			return o;
	}
	return NULL;
}

int
lint_esc13(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	const struct lint_oid *o = linked_policy(r, t);
	struct lint_principals who;
	struct lint_finding *f;

	if (o == NULL || !lint_logs_on(t))
		return 0;
	who = lint_reach(r, t);
	if (who.n == 0)
		return 0;
	f = lint_add(r, lint_severity_of(who), "msPKI-Certificate-Policy",
	    "issuance policy %s (%s) is linked to %s: a logon with this certificate is in that group",
	    o->name != NULL ? o->name : "", o->oid, o->group_link);
	f->who = who;
	f->values = lint_values(r, t);
	f->condition = "as grave as the group is powerful";
	f->fix = lint_text(r,
	    LINT_FIX_TEMPLATE
	    "Extensions: Issuance Policies: remove the policy; or clear msDS-OIDToGroupLink "
	    "of its object; or Security: remove Enroll",
	    t->cn);
	f->change = lint_text(r, "dn: %s\nchangetype: modify\ndelete: msDS-OIDToGroupLink\n", o->dn);
	return 0;
}

/* CVE-2024-49019: only a CA that copies the request's application policies into certificates of schema 1. */
int
lint_esc15(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	struct lint_principals who;
	struct lint_finding *f;
	bool copies = false, known = false;

	if (t->schema_version != 1 || !lint_supplies_subject(t))
		return 0;
	for (size_t i = 0; i < r->m->n_cas; i++) {
		if (!lint_publishes(&r->m->cas[i], t))
			continue;
		copies |= r->m->cas[i].set.copies_application_policies;
		known |= r->m->cas[i].set.known;
	}
	who = copies || !known ? lint_reach(r, t) : (struct lint_principals){ NULL, 0 };
	if (who.n == 0)
		return 0;
	f = lint_add(r,
	    copies                                   ? lint_severity_of(who)
		: lint_severity_of(who) == LINT_INFO ? LINT_INFO
						     : LINT_WARNING,
	    "msPKI-Template-Schema-Version",
	    "schema 1 and a subject from the request: the CA copies application policies that the request "
	    "asks for");
	f->who = who;
	f->values = lint_values(r, t);
	f->condition =
	    copies ? NULL : "counts where the CA lacks the update of November 2024 (CVE-2024-49019)";
	f->fix = lint_text(r,
	    "install the update on the CA; or duplicate %s (schema 2) and publish the copy; "
	    "or " LINT_FIX_TEMPLATE "Security: remove Enroll",
	    t->cn, t->cn);
	return 0;
}

int
lint_esc17(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	struct lint_principals who;
	struct lint_finding *f;

	if (!lint_supplies_subject(t) || lint_logs_on(t) ||
	    !lint_listed(lint_usages(t), OID_SERVER_AUTHENTICATION))
		return 0;
	who = lint_reach(r, t);
	if (lint_worst(who) < LINT_NAMED)
		return 0;
	f = lint_add(r, LINT_INFO, "msPKI-Certificate-Name-Flag",
	    "whoever enrolls gets a server certificate for any host name (web server templates do so by "
	    "design)");
	f->who = who;
	f->values = lint_values(r, t);
	f->fix = lint_text(
	    r, LINT_FIX_TEMPLATE "Security: leave Enroll to the administrators of the servers", t->cn);
	return 0;
}

/* The console makes whoever duplicates a template its owner with Full Control. */
int
lint_owner_person(struct lint_run *r)
{
	const struct sd *sd = r->t->sd;
	const struct lint_account *a =
	    sd != NULL && sd->has_owner ? lint_account_find(r->m, &sd->owner) : NULL;
	struct lint_finding *f;

	if (a == NULL || a->is_group || lint_trust_of(r->m, &sd->owner) != LINT_PRIVILEGED)
		return 0;
	f = lint_add(r, LINT_INFO, "nTSecurityDescriptor",
	    "owned by one person, %s: rights stay when the job changes", lint_name_of(r->m, &sd->owner));
	f->fix = lint_text(r, LINT_FIX_TEMPLATE "Security: Advanced: Owner = Enterprise Admins", r->t->cn);
	return 0;
}

int
lint_no_descriptor(struct lint_run *r)
{
	struct lint_finding *f;

	if (r->t->sd != NULL)
		return 0;
	f = lint_add(r, LINT_WARNING, "nTSecurityDescriptor",
	    "no access list was read, so nothing about who may enroll or write was judged");
	f->fix = "export with the SD_FLAGS control (1.2.840.113556.1.4.801 = 7) and an account that may read "
		 "permissions";
	return 0;
}
