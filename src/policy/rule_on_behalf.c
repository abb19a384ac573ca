/* Steps 22 and 23: enrolling for somebody else (MS-WCCE 3.2.2.6.2.1.2.1; issuance.md 9). */
#include "policy/rule_priv.h"

#define OID_ENROLLMENT_AGENT "1.3.6.1.4.1.311.20.2.1"

const char *
rule_subject_account(const struct eval *ev)
{
	return ev->in->on_behalf_of != NULL ? ev->in->on_behalf_of : ev->in->caller->account;
}

/* Templates of schema version 1 cannot say that they want an agent; they take one all the same (ESC3). */
int
check_on_behalf_template(struct eval *ev)
{
	if (ev->in->on_behalf_of == NULL)
		return rule_skipped(ev, "nobody asks for somebody else");
	if (ev->t->ra_signatures > 0)
		return rule_pass(ev, "%s takes signed requests", ev->t->cn);
	rule_fix(ev,
	    "Certificate Templates console > %s > Properties > Issuance Requirements: This number of "
	    "authorized "
	    "signatures = 1, with the application policy Certificate Request Agent",
	    ev->t->cn);
	return rule_refuse(ev, CERTSRV_E_BAD_RENEWAL_SUBJECT,
	    "%s asks for %s, and %s requires no authorised signature", ev->in->caller->account,
	    ev->in->on_behalf_of, ev->t->cn);
}

/* EnrollmentAgentRights, MS-CSRA 2.2.1.11 */
static int
check_agent_rights(struct eval *ev, const char *signer)
{
	const struct restrictions *rights = ev->in->ca->agent_rights;
	const char *whom = ev->in->on_behalf_of, *agent = ev->in->caller->account;
	const struct restriction *r;

	if (rights == NULL)
		return rule_pass(
		    ev, "%s asks for %s, signed by the enrollment agent %s", agent, whom, signer);
	r = restrictions_find(rights, ev->in->caller, ev->in->named, ev->t->cn, ev->t->oid);
	if (r != NULL && r->allow)
		return rule_pass(ev,
		    "%s asks for %s, signed by the enrollment agent %s; EnrollmentAgentRights allow it",
		    agent, whom, signer);
	rule_fix(ev,
	    "Certification Authority console > %s > Properties > Enrollment Agents: allow %s for the "
	    "template %s "
	    "and a group of %s",
	    ev->in->ca->ca_name, agent, ev->t->cn, whom);
	return rule_refuse(ev, CERTSRV_E_RESTRICTEDOFFICER, "%s asks for %s, and EnrollmentAgentRights %s",
	    agent, whom, r != NULL ? "deny it" : "have no entry for them on this template");
}

int
check_enrollment_agent(struct eval *ev)
{
	const char *whom = ev->in->on_behalf_of;

	if (whom == NULL)
		return rule_skipped(ev, "nobody asks for somebody else");
	for (size_t i = 0; i < ev->in->n_vouching && i < ev->in->n_signers; i++) {
		const struct policy_signer *s = &ev->in->signers[i];

		if (rule_listed(s->application_policies, OID_ENROLLMENT_AGENT))
			return check_agent_rights(ev, s->name);
	}
	rule_fix(ev,
	    "sign with a certificate that has the application policy Certificate Request Agent, as the "
	    "templates "
	    "Enrollment Agent give it");
	return rule_refuse(ev, CERTSRV_E_SIGNATURE_REJECTED,
	    "%s asks for %s, and no signer's certificate has the policy Certificate Request Agent",
	    ev->in->caller->account, whom);
}
