/* Step 32 and the certificate policies extension (MS-WCCE 3.2.2.6.2.1.4.5.8). */
#include "policy/rule_priv.h"

#define MAX_POLICIES 128

/* OIDs of a certificatePolicies value (RFC 5280 4.2.1.4); qualifiers are not looked at. */
static int
read_policies(struct eval *ev, struct bytes value, struct x509_strings *out, struct err *e)
{
	const char **list = pool_calloc(ev->pool, MAX_POLICIES, sizeof(*list));
	struct der d = der_over(value), policies, info;
	struct bytes oid;
	char text[OID_TEXT_MAX];

	*out = (struct x509_strings){ list, 0 };
	if (list == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for certificate policies");
	if (der_enter(&d, DER_SEQUENCE, &policies, "certificatePolicies", e) != 0 ||
	    der_finish(&d, "certificatePolicies", e) != 0)
		return -1;
	while (!der_at_end(&policies)) {
		if (der_enter(&policies, DER_SEQUENCE, &info, "policyInformation", e) != 0 ||
		    der_get_oid(&info, &oid, "policyIdentifier", e) != 0)
			return -1;
		if (out->n == MAX_POLICIES || !oid_to_text(oid, text))
			return ERR(e, E_INVALID_DATA, "too many or malformed certificate policies");
		list[out->n] = pool_strdup(ev->pool, text);
		if (list[out->n++] == NULL)
			return ERR(e, E_OUTOFMEMORY, "no memory for certificate policies");
	}
	return 0;
}

/* What template and request both list, in the template's order. */
static int
intersect(struct eval *ev, struct x509_strings asked)
{
	const struct policy_template *t = ev->t;
	const char **both = pool_calloc(ev->pool, t->issuance_policies.n, sizeof(*both));
	struct x509_policy_qualifiers *q = pool_calloc(ev->pool, t->issuance_policies.n, sizeof(*q));
	struct x509_strings kept = { both, 0 };

	if (both == NULL || q == NULL)
		return rule_nomem(ev);
	for (size_t i = 0; i < t->issuance_policies.n; i++) {
		if (!rule_listed(asked, t->issuance_policies.v[i]))
			continue;
		if (t->qualifiers != NULL)
			q[kept.n] = t->qualifiers[i];
		both[kept.n++] = t->issuance_policies.v[i];
	}
	if (kept.n > 0) {
		x509_ext_certificate_policies(&ev->scratch, kept, q);
		if (rule_keep(ev, &ev->issuance_policies) != 0)
			return -1;
	}
	return rule_pass(ev, "%zu of the %zu policies asked for are among the template's %zu", kept.n,
	    asked.n, t->issuance_policies.n);
}

int
check_issuance_policies(struct eval *ev)
{
	const struct policy_template *t = ev->t;
	const struct x509_extension *x = x509_request_extension(ev->request, OID_CERTIFICATE_POLICIES);
	struct x509_strings asked = { NULL, 0 };
	struct err why;

	if (!(t->enrollment_flags & CT_FLAG_ISSUANCE_POLICIES_FROM_REQUEST)) {
		ev->issuance_policies = t->ext.issuance_policies;
		return rule_pass(ev, "the template's %zu issuance policies apply", t->issuance_policies.n);
	}
	if (x != NULL && read_policies(ev, x->value, &asked, &why) != 0)
		return rule_refuse(ev, why.hr, "certificate policies of the request: %s", why.msg);
	if (t->issuance_policies.n == 0 && asked.n > 0) {
		rule_fix(ev,
		    "ask for no issuance policies, or Certificate Templates console > %s > Properties > "
		    "Extensions > "
		    "Issuance Policies: add those that may be requested",
		    t->cn);
		return rule_refuse(ev, CERTSRV_E_TEMPLATE_CONFLICT,
		    "the request asks for %zu issuance policies, %s takes them from the request but allows "
		    "none",
		    asked.n, t->cn);
	}
	return intersect(ev, asked);
}

int
apply_issuance_policies(struct eval *ev)
{
	if (ev->issuance_policies.len == 0)
		return rule_skipped(ev, "no issuance policies");
	if (ev->t->qualifiers_left_out > 0)
		return rule_put(ev, OID_CERTIFICATE_POLICIES,
		    rule_listed(ev->t->critical, OID_CERTIFICATE_POLICIES), ev->issuance_policies,
		    "issuance policies; %zu values of msPKI-OID-CPS or msPKI-OID-User-Notice are no "
		    "qualifiers and left out",
		    ev->t->qualifiers_left_out);
	return rule_put(ev, OID_CERTIFICATE_POLICIES, rule_listed(ev->t->critical, OID_CERTIFICATE_POLICIES),
	    ev->issuance_policies, "issuance policies%s",
	    ev->t->qualifiers != NULL ? " with the qualifiers of their OID objects" : "");
}
