/* Steps 24 to 26: authorised signatures around the request (MS-WCCE 3.2.2.6.2.1.4.5.1, 4.5.3, 4.5.4). */
#include "policy/rule_priv.h"

int
check_ra_signatures(struct eval *ev)
{
	uint32_t wanted = ev->t->ra_signatures;
	size_t have = ev->in->n_signers;

	if (wanted == 0)
		return rule_pass(ev, "no authorised signature is required");
	if (ev->approved_before)
		return rule_pass(ev,
		    "a renewal of an approved certificate needs none of %u authorised signatures", wanted);
	if (have >= wanted)
		return rule_pass(ev, "%zu of %u authorised signatures", have, wanted);
	rule_fix(ev,
	    "have the request signed by %u holder%s of the required certificates, or Certificate Templates "
	    "console > "
	    "%s > Properties > Issuance Requirements: lower This number of authorized signatures",
	    wanted, wanted == 1 ? "" : "s", ev->t->cn);
	return rule_refuse(ev, have == 0 ? CERTSRV_E_SIGNATURE_POLICY_REQUIRED : CERTSRV_E_SIGNATURE_COUNT,
	    "%s requires %u authorised signature%s, the request carries %zu", ev->t->cn, wanted,
	    wanted == 1 ? "" : "s", have);
}

enum kind { APPLICATION, ISSUANCE };

static bool
some_signer_has(const struct policy_input *in, enum kind kind, const char *oid)
{
	for (size_t i = 0; i < in->n_signers; i++) {
		const struct policy_signer *s = &in->signers[i];

		if (rule_listed(kind == APPLICATION ? s->application_policies : s->issuance_policies, oid))
			return true;
	}
	return false;
}

/*
 * Every listed OID must be in at least one signer's certificate; with no signature required the lists are
 * idle.
 */
static int
check_policies(struct eval *ev, enum kind kind, struct x509_strings wanted)
{
	const char *what = kind == APPLICATION ? "application" : "issuance";

	if (ev->t->ra_signatures == 0 || wanted.n == 0 || ev->approved_before)
		return rule_skipped(ev, "no %s policy is asked of signers", what);
	for (size_t i = 0; i < wanted.n; i++) {
		if (some_signer_has(ev->in, kind, wanted.v[i]))
			continue;
		rule_fix(ev,
		    "sign with a certificate that has the %s policy %s, or Certificate Templates console > "
		    "%s > "
		    "Properties > Issuance Requirements: change the policy required in signature",
		    what, wanted.v[i], ev->t->cn);
		return rule_refuse(ev,
		    kind == ISSUANCE && ev->ca->issuance_policy_required ? CERTSRV_E_ISSUANCE_POLICY_REQUIRED
									 : CERTSRV_E_SIGNATURE_REJECTED,
		    "no signer's certificate has the %s policy %s", what, wanted.v[i]);
	}
	return rule_pass(ev, "signers have all %zu %s policies asked of them", wanted.n, what);
}

int
check_ra_application_policies(struct eval *ev)
{
	return check_policies(ev, APPLICATION, ev->t->ra_application_policies);
}

int
check_ra_policies(struct eval *ev)
{
	return check_policies(ev, ISSUANCE, ev->t->ra_policies);
}
