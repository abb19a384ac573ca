/*
 * The rule table: the decision list of issuance.md section 2 from step 14 on, then what the certificate gets,
 * in the order of its section 4.
 */
#include <string.h>

#include "policy/rule_priv.h"

/* clang-format off */
const struct policy_rule policy_rules[] = {
	/* step, name,                     attribute,                              section,                     schema, check, apply */
	{ 14, "extension size",            "DBFlags",                              "MS-CSRA 3.1.1.3",           1, check_extension_size, NULL },
	{ 16, "template named",            "cn",                                   "MS-WCCE 3.2.2.6.2.1.4.1",   1, check_template_named, NULL },
	{ 17, "one template",              "cn",                                   "MS-WCCE 3.2.2.6.2.1.4.1",   1, check_template_single, NULL },
	{ 18, "template published",        "certificateTemplates",                 "MS-WCCE 3.2.2.6.2.1.4.7",   1, check_template_published, NULL },
	{ 18, "template compatible",       "msPKI-Private-Key-Flag",               "MS-WCCE 3.2.2.6.2.1.4.5.7", 1, check_template_compatible, NULL },
	{ 19, "template version",          "revision",                             "MS-WCCE 3.2.2.6.2.1.4.2",   2, check_template_version, NULL },
	{ 20, "renewal template",          "cn",                                   "MS-WCCE 3.2.2.6.2.1.2.3",   1, check_renewal_template, NULL },
	{ 20, "previous approval",         "msPKI-Enrollment-Flag",                "MS-WCCE 3.2.2.6.2.1.4.8",   2, check_previous_approval, NULL },
	{ 21, "enroll right",              "nTSecurityDescriptor",                 "MS-WCCE 3.2.2.6.2.1.4.3",   1, check_enroll, NULL },
	{ 22, "signed for another",        "msPKI-RA-Signature",                   "MS-WCCE 3.2.2.6.2.1.2.1",   2, check_on_behalf_template, NULL },
	{ 23, "enrollment agent",          NULL,                                   "MS-WCCE 3.2.2.6.2.1.2.1.1", 1, check_enrollment_agent, NULL },
	{ 24, "authorised signatures",     "msPKI-RA-Signature",                   "MS-WCCE 3.2.2.6.2.1.4.5.1", 2, check_ra_signatures, NULL },
	{ 25, "signer application policy", "msPKI-RA-Application-Policies",        "MS-WCCE 3.2.2.6.2.1.4.5.4", 2, check_ra_application_policies, NULL },
	{ 26, "signer issuance policy",    "msPKI-RA-Policies",                    "MS-WCCE 3.2.2.6.2.1.4.5.3", 2, check_ra_policies, NULL },
	{ 27, "key size",                  "msPKI-Minimal-Key-Size",               "MS-WCCE 3.2.2.6.2.1.4.5.2", 2, check_key_size, NULL },
	{ 28, "key archival",              "msPKI-Private-Key-Flag",               "MS-WCCE 3.2.2.6.2.1.4.5.7", 1, check_key_archival, NULL },
	{ 29, "same key renewal",          "msPKI-Private-Key-Flag",               "MS-WCCE 3.2.2.6.2.1.4.5.7", 2, check_renewal_key, NULL },
	{ 30, "key attestation",           "msPKI-Private-Key-Flag",               "MS-WCCE 3.2.2.6.2.1.4.5.7", 2, check_attestation, NULL },
	{ 31, "SMIME capabilities",        "msPKI-Enrollment-Flag",                "MS-WCCE 3.2.2.6.2.1.4.5.6", 1, check_smime, NULL },
	{ 32, "issuance policies",         "msPKI-Certificate-Policy",             "MS-WCCE 3.2.2.6.2.1.4.5.8", 2, check_issuance_policies, NULL },
	{ 33, "computer name",             "flags",                                "MS-WCCE 3.2.2.6.2.1.4.4.1", 1, check_machine_name, NULL },
	{ 33, "subject from directory",    "msPKI-Certificate-Name-Flag",          "MS-WCCE 3.2.2.6.2.1.4.5.9", 1, check_directory_subject, NULL },
	{ 33, "SAN from directory",        "msPKI-Certificate-Name-Flag",          "MS-WCCE 3.2.2.6.2.1.4.5.9", 1, check_directory_san, NULL },
	{ 33, "subject from request",      "msPKI-Certificate-Name-Flag",          "MS-WCCE 3.2.2.6.2.1.4.5.9", 1, check_request_subject, NULL },
	{ 33, "SAN from request",          "msPKI-Certificate-Name-Flag",          "MS-WCCE 3.2.2.6.2.1.4.5.9", 1, check_request_san, NULL },
	{ 33, "SAN attribute",             "EditFlags",                            "MS-WCCE 3.2.1.4.2.1.2",     1, check_san_attribute, NULL },
	{ 33, "SAN form",                  NULL,                                   "RFC 5280 4.2.1.6",          1, check_san_form, NULL },
	{ 33, "Exchange names",            "cn",                                   "MS-WCCE 3.2.2.6.2.1.4.6",   1, check_exchange_san, NULL },
	{ 33, "some name",                 "msPKI-Certificate-Name-Flag",          "MS-WCCE 3.2.2.6.2.1.4.5.9", 1, check_name_present, NULL },
	{ 33, "name lengths",              "EnforceX500NameLengths",               "RFC 5280 A.1",              1, check_name_length, NULL },
	{ 33, "security identifier",       "msPKI-Enrollment-Flag",                "MS-WCCE 3.2.2.6.2.1.4.5.9", 1, check_sid, NULL },
	{ 35, "CA certificate",            NULL,                                   "RFC 5280 6.1.3",            1, check_ca_expired, NULL },
	{ 36, "validity period",           "pKIExpirationPeriod",                  "MS-WCCE 3.2.2.6.2.1.4.4.2", 1, check_validity, NULL },
	{ 36, "renewal overlap",           "pKIOverlapPeriod",                     "MS-CRTD 2.15",              1, check_overlap, NULL },
	{ 37, "manager approval",          "msPKI-Enrollment-Flag",                "MS-WCCE 3.2.2.6.2.1.4.5.6", 1, check_pending, NULL },
	{ 38, "officer extensions",        NULL,                                   "MS-CSRA 3.1.4.1.1",         1, NULL, apply_officer_extensions },
	{ 38, "request extensions",        "EnableRequestExtensionList",           "MS-WCCE 3.2.1.4.2.1.4.7",   1, NULL, apply_request_extensions },
	{ 38, "subject key identifier",    NULL,                                   "MS-WCCE 3.2.1.4.2.1.4.7",   1, NULL, apply_subject_key_id },
	{ 38, "authority key identifier",  "EditFlags",                            "MS-WCCE 3.2.1.4.2.1.4.7",   1, NULL, apply_authority_key_id },
	{ 38, "CRL distribution points",   "CRLPublicationURLs",                   "MS-WCCE 3.2.2.6.2.1.4.5.6", 1, NULL, apply_crl_distribution_points },
	{ 38, "authority information",     "CACertPublicationURLs",                "MS-WCCE 3.2.2.6.2.1.4.5.6", 1, NULL, apply_authority_info_access },
	{ 38, "template identifier",       "msPKI-Cert-Template-OID",              "MS-WCCE 2.2.2.7.7",         1, NULL, apply_template_id },
	{ 38, "key usage",                 "pKIKeyUsage",                          "MS-WCCE 3.2.2.6.2.1.4.4.4", 1, NULL, apply_key_usage },
	{ 38, "basic constraints",         "pKIMaxIssuingDepth",                   "MS-WCCE 3.2.2.6.2.1.4.4.5", 1, NULL, apply_basic_constraints },
	{ 38, "extended key usage",        "pKIExtendedKeyUsage",                  "MS-WCCE 3.2.2.6.2.1.4.4.3", 1, NULL, apply_extended_key_usage },
	{ 38, "application policies",      "msPKI-Certificate-Application-Policy", "MS-WCCE 3.2.2.6.2.1.4.5.5", 2, NULL, apply_application_policies },
	{ 38, "issuance policies",         "msPKI-Certificate-Policy",             "MS-WCCE 3.2.2.6.2.1.4.5.8", 2, NULL, apply_issuance_policies },
	{ 38, "SMIME capabilities",        "msPKI-Enrollment-Flag",                "MS-WCCE 3.2.2.6.2.1.4.5.6", 1, NULL, apply_smime },
	{ 38, "OCSP no check",             "msPKI-Enrollment-Flag",                "MS-WCCE 3.2.2.6.2.1.4.5.6", 1, NULL, apply_ocsp_nocheck },
	{ 38, "Netscape certificate type", NULL,                                   "MS-WCCE 3.2.1.4.2.1.2",     1, NULL, apply_netscape_type },
	{ 38, "subject alternative name",  "pKICriticalExtensions",                "MS-WCCE 3.2.2.6.2.1.4.5.9", 1, NULL, apply_san },
	{ 38, "security identifier",       "msPKI-Enrollment-Flag",                "MS-WCCE 2.2.2.7.7.4",       1, NULL, apply_sid },
	{ 38, "publication",               "msPKI-Enrollment-Flag",                "MS-WCCE 3.2.2.6.2.1.4.5.6", 1, NULL, apply_publication },
	{ 0, NULL, NULL, NULL, 0, NULL, NULL },
};
/* clang-format on */

#define SCRATCH_MAX (256 * 1024)

#ifdef ADCSD_SKIP_RULE /* `make mutate`: the table without one of its rows */
extern const struct policy_rule *policy_skipped_rule;
#else
#define policy_skipped_rule NULL
#endif

static int
run(struct eval *ev, const struct policy_rule *rule, int (*fn)(struct eval *ev))
{
	if (fn == NULL || rule == policy_skipped_rule)
		return 0;
	ev->rule = rule;
	if (ev->t != NULL && ev->t->schema_version < rule->schema)
		return rule_skipped(
		    ev, "templates of schema version %u are not subject to it", ev->t->schema_version);
	return fn(ev);
}

static int
run_all(struct eval *ev)
{
	for (const struct policy_rule *r = policy_rules; r->name != NULL; r++)
		if (run(ev, r, r->check) != 0)
			return -1;
	for (const struct policy_rule *r = policy_rules; r->name != NULL; r++)
		if (run(ev, r, r->apply) != 0)
			return -1;
	ev->rule = NULL;
	return plan_finish(ev);
}

/* A refused request has no certificate: nothing of the plan may be mistaken for one. */
static void
clear_plan(struct policy_result *out)
{
	memset(&out->plan, 0, sizeof(out->plan));
	out->issued_info = NULL;
	out->publish_to_ds = out->publish_to_kra = false;
}

int
policy_evaluate(const struct policy_input *in, struct pool *pool, struct policy_result *out, struct err *e)
{
	struct eval ev = { .in = in, .ca = in->ca, .request = in->request, .pool = pool, .out = out, .e = e };
	int rc;

	memset(out, 0, sizeof(*out));
	out->outcome = POLICY_ISSUE;
	ev.slots_cap = in->request->n_extensions + in->n_officer_extensions +
	    sizeof(policy_rules) / sizeof(policy_rules[0]);
	ev.slots = pool_calloc(pool, ev.slots_cap, sizeof(*ev.slots));
	if (ev.slots == NULL)
		return rule_nomem(&ev);
	buf_init(&ev.scratch, SCRATCH_MAX);
	rc = run_all(&ev);
	buf_fini(&ev.scratch);
	if (rc != 0 && out->outcome == POLICY_DENY) {
		clear_plan(out);
		return 0;
	}
	return rc;
}
