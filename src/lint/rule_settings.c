/* Settings that contradict each other, do nothing, or ask for what cannot be. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lint/lint_priv.h"

#define DBFLAGS_ENABLEVOLATILEREQUESTS 0x800
#define LAST_DAYS (30 * FILETIME_DAY)
#define KU_KEY_ENCIPHERMENT 0x20
#define KU_KEY_AGREEMENT 0x08
#define READ_RIGHTS (ADS_RIGHT_DS_READ_PROP | ADS_RIGHT_ACTRL_DS_LIST | RIGHT_READ_CONTROL)

/* What Subject Name writes besides "Supply in the request". */
#define AD_NAME_BITS                                                                                         \
	(CT_FLAG_SUBJECT_ALT_REQUIRE_DOMAIN_DNS | CT_FLAG_SUBJECT_ALT_REQUIRE_SPN |                          \
	    CT_FLAG_SUBJECT_ALT_REQUIRE_DIRECTORY_GUID | CT_FLAG_SUBJECT_ALT_REQUIRE_UPN |                   \
	    CT_FLAG_SUBJECT_ALT_REQUIRE_EMAIL | CT_FLAG_SUBJECT_ALT_REQUIRE_DNS |                            \
	    CT_FLAG_SUBJECT_REQUIRE_DNS_AS_CN | CT_FLAG_SUBJECT_REQUIRE_EMAIL |                              \
	    CT_FLAG_SUBJECT_REQUIRE_COMMON_NAME | CT_FLAG_SUBJECT_REQUIRE_DIRECTORY_PATH)

static bool
is_set(uint32_t flags, uint32_t bit)
{
	return (flags & bit) != 0;
}

static int64_t
days(filetime_t span)
{
	return span / FILETIME_DAY;
}

int
lint_renewal(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	struct lint_finding *f;

	if (t->overlap < t->validity)
		return 0;
	f = lint_add(r, LINT_ERROR, "pKIOverlapPeriod",
	    "renewal starts %lld days before the end of %lld days: every certificate is renewed at once, "
	    "again and again",
	    (long long)days(t->overlap), (long long)days(t->validity));
	f->fix =
	    lint_text(r, LINT_FIX_TEMPLATE "General: Renewal period shorter than Validity period", t->cn);
	return 0;
}

int
lint_name_bits(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	struct lint_finding *f;

	if (!lint_supplies_subject(t) || (t->name_flags & AD_NAME_BITS) == 0)
		return 0;
	f = lint_add(r, LINT_WARNING, "msPKI-Certificate-Name-Flag",
	    "0x%x: Supply in the request and names from the directory (0x%x) at once; the CA ignores the "
	    "latter",
	    t->name_flags, t->name_flags & AD_NAME_BITS);
	f->fix = lint_text(r, LINT_FIX_TEMPLATE "Subject Name: choose one of the two and save", t->cn);
	lint_change_flags(r, f, "msPKI-Certificate-Name-Flag", t->name_flags & ~AD_NAME_BITS);
	return 0;
}

int
lint_san_bit(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	struct lint_finding *f;

	if (!is_set(t->name_flags, CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT_ALT_NAME) || lint_supplies_subject(t))
		return 0;
	f = lint_add(r, LINT_INFO, "msPKI-Certificate-Name-Flag",
	    "ENROLLEE_SUPPLIES_SUBJECT_ALT_NAME 0x10000 without Supply in the request: the CA must ignore "
	    "it");
	f->fix = lint_text(
	    r, LINT_FIX_TEMPLATE "Subject Name: Supply in the request, if that is what was meant", t->cn);
	lint_change_flags(
	    r, f, "msPKI-Certificate-Name-Flag", t->name_flags & ~CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT_ALT_NAME);
	return 0;
}

/* ---- autoenrollment; clients never autoenroll schema 1 this way ---- */

static bool
autoenrolls(const struct policy_template *t)
{
	return t->schema_version >= 2 && is_set(t->enrollment_flags, CT_FLAG_AUTO_ENROLLMENT);
}

int
lint_autoenroll_ace(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	struct lint_finding *f;

	if (!autoenrolls(t) || t->sd == NULL || !lint_published(r, t) ||
	    lint_who_control(r, t->sd, &GUID_AUTOENROLL, LINT_PRIVILEGED).n > 0)
		return 0;
	f = lint_add(r, LINT_INFO, "nTSecurityDescriptor",
	    "the template is for autoenrollment (AUTO_ENROLLMENT 0x20), but nobody has Autoenroll: nothing "
	    "happens");
	f->fix = lint_text(r,
	    LINT_FIX_TEMPLATE "Security: allow Autoenroll (with Read and Enroll) to the intended group",
	    t->cn);
	return 0;
}

int
lint_autoenroll_rights(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	struct lint_principals who, incomplete = { NULL, 0 };
	struct lint_finding *f;

	if (!autoenrolls(t) || t->sd == NULL)
		return 0;
	who = lint_who_control(r, t->sd, &GUID_AUTOENROLL, LINT_PRIVILEGED);
	incomplete.v = who.v;
	for (size_t i = 0; i < who.n; i++) {
		const struct token *token = lint_token_of(r->m, &who.v[i].sid);

		if (token != NULL &&
		    (!access_check_control(t->sd, token, &GUID_ENROLL).granted ||
			!access_check(t->sd, token, READ_RIGHTS, NULL).granted))
			incomplete.v[incomplete.n++] = who.v[i];
	}
	if (incomplete.n == 0)
		return 0;
	f = lint_add(r, LINT_WARNING, "nTSecurityDescriptor",
	    "Autoenroll without Read and Enroll: these never autoenroll");
	f->who = incomplete;
	f->fix =
	    lint_text(r, LINT_FIX_TEMPLATE "Security: allow Read, Enroll and Autoenroll together", t->cn);
	return 0;
}

int
lint_autoenroll_dead(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	bool subject = lint_supplies_subject(t) &&
	    !is_set(t->name_flags, CT_FLAG_OLD_CERT_SUPPLIES_SUBJECT_AND_ALT_NAME);
	struct lint_finding *f;

	if (!autoenrolls(t) || (!subject && t->ra_signatures < 2))
		return 0;
	f = lint_add(r, LINT_WARNING, "msPKI-Enrollment-Flag", "autoenrollment (0x20) cannot work: %s",
	    subject ? "nobody is there to supply the subject"
		    : "more than one authorized signature is wanted");
	f->fix = lint_text(r, LINT_FIX_TEMPLATE "%s", t->cn,
	    subject ? "Subject Name: Use subject information from existing certificates, or Build from "
		      "Active Directory"
		    : "Issuance Requirements: at most one authorized signature");
	lint_change_flags(
	    r, f, "msPKI-Enrollment-Flag", t->enrollment_flags & ~(uint32_t)CT_FLAG_AUTO_ENROLLMENT);
	return 0;
}

/* ---- issuance ---- */

int
lint_pending_nobody(struct lint_run *r)
{
	struct lint_principals officers =
	    lint_who_ca(r, r->ca->set.security, CA_ACCESS_OFFICER, LINT_PRIVILEGED);
	struct lint_finding *f;

	for (size_t i = 0; i < r->m->n_templates; i++) {
		const struct policy_template *t = &r->m->templates[i].t;
		bool pends =
		    is_set(t->enrollment_flags, CT_FLAG_PEND_ALL_REQUESTS) || !lint_issues_at_once(r->ca);

		if (r->m->templates[i].unreadable != NULL || !pends || !lint_publishes(r->ca, t) ||
		    (officers.n > 0 && lint_officers_decide(r, officers, t)))
			continue;
		f = lint_add(r, LINT_ERROR, officers.n > 0 ? "OfficerRights" : "Security",
		    "requests for %s wait for a certificate manager, and nobody has %s", t->cn,
		    officers.n > 0 ? "an entry in OfficerRights for it" : "Issue and Manage Certificates");
		f->fix = lint_text(r, "Certification Authority console > %s > Properties > %s",
		    r->ca->display_name,
		    officers.n > 0 ? "Certificate Managers: allow one of them this template"
				   : "Security: allow Issue and Manage Certificates");
		return 0;
	}
	return 0;
}

int
lint_nobody_enrolls(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	struct lint_finding *f;

	if (t->sd == NULL || !lint_published(r, t) ||
	    lint_who_control(r, t->sd, &GUID_ENROLL, LINT_PRIVILEGED).n > 0)
		return 0;
	f = lint_add(r, LINT_WARNING, "nTSecurityDescriptor",
	    "published, but nobody has Enroll: every request gets 0x80094012");
	f->fix = lint_text(r,
	    LINT_FIX_TEMPLATE "Security: allow Enroll (Full Control does not include it), or stop publishing",
	    t->cn);
	return 0;
}

int
lint_key_size(struct lint_run *r)
{
	static const struct {
		const char *algorithm;
		uint32_t most;
	} sizes[] = { { "ECDSA_P256", 256 }, { "ECDH_P256", 256 }, { "ECDSA_P384", 384 },
		{ "ECDH_P384", 384 }, { "ECDSA_P521", 521 }, { "ECDH_P521", 521 } };
	static const char base_dss[] = "Microsoft Base DSS Cryptographic Provider";
	const struct policy_template *t = r->t;
	const char *what = NULL;
	struct lint_finding *f;
	uint32_t most = 0;
	size_t dss = 0;

	for (size_t i = 0; t->asymmetric_algorithm != NULL && i < ARRAY_LEN(sizes); i++)
		if (strcasecmp(t->asymmetric_algorithm, sizes[i].algorithm) == 0) {
			what = sizes[i].algorithm;
			most = sizes[i].most;
		}
	for (size_t i = 0; i < t->csps.n; i++) {
		const char *comma = strchr(t->csps.v[i], ',');

		dss += comma != NULL && strcasecmp(comma + 1, base_dss) == 0;
	}
	if (what == NULL && dss > 0 && dss == t->csps.n) { /* 512 to 1024 bits, and nothing else is offered */
		what = base_dss;
		most = 1024;
	}
	if (what == NULL || t->min_key_bits <= most)
		return 0;
	f = lint_add(r, LINT_ERROR, "msPKI-Minimal-Key-Size",
	    "%u bits are wanted, keys of %s have at most %u: every request gets 0x80094811", t->min_key_bits,
	    what, most);
	f->fix = lint_text(r,
	    LINT_FIX_TEMPLATE "Cryptography: Minimum key size = %u, or another algorithm or provider", t->cn,
	    most);
	return 0;
}

static bool
same_set(struct x509_strings a, struct x509_strings b)
{
	for (size_t i = 0; i < a.n; i++)
		if (!lint_listed(b, a.v[i]))
			return false;
	for (size_t i = 0; i < b.n; i++)
		if (!lint_listed(a, b.v[i]))
			return false;
	return true;
}

int
lint_usage_mismatch(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	struct lint_finding *f;

	if (t->schema_version < 2 || t->application_policies.n == 0 ||
	    same_set(t->eku, t->application_policies))
		return 0;
	f = lint_add(r, LINT_WARNING, "msPKI-Certificate-Application-Policy",
	    "differs from pKIExtendedKeyUsage (%zu and %zu): Windows and other programs read different "
	    "purposes",
	    t->application_policies.n, t->eku.n);
	f->fix = lint_text(
	    r, LINT_FIX_TEMPLATE "Extensions: Application Policies: open and save, which writes both", t->cn);
	return 0;
}

int
lint_longer_than_ca(struct lint_run *r)
{
	const struct policy_template *t = r->t;

	for (size_t i = 0; i < r->m->n_cas; i++) {
		const struct lint_ca *ca = &r->m->cas[i];
		filetime_t left = ca->set.not_after - r->in->now;
		struct lint_finding *f;

		if (ca->set.not_after == 0 || left < LAST_DAYS || !lint_publishes(ca, t) ||
		    t->validity <= left || (ca->set.validity != 0 && ca->set.validity <= left))
			continue;
		f = lint_add(r, LINT_WARNING, "pKIExpirationPeriod",
		    "%lld days, but the certificate of %s ends in %lld: certificates end with the CA's",
		    (long long)days(t->validity), ca->display_name, (long long)days(left));
		f->fix = "Certification Authority console > All Tasks > Renew CA Certificate, or a shorter "
			 "Validity period";
		return 0;
	}
	return 0;
}

int
lint_ca_expires(struct lint_run *r)
{
	filetime_t left = r->ca->set.not_after - r->in->now;
	struct lint_finding *f;

	if (r->ca->set.not_after == 0 || left >= LAST_DAYS)
		return 0;
	f = lint_add(r, LINT_ERROR, "notAfter",
	    "the CA certificate %s %lld days%s; no certificate outlives it", left < 0 ? "ended" : "ends in",
	    (long long)days(left < 0 ? -left : left), left < 0 ? " ago" : "");
	f->fix = "Certification Authority console > All Tasks > Renew CA Certificate";
	return 0;
}

int
lint_longer_than_setting(struct lint_run *r)
{
	const struct policy_template *t = r->t;

	for (size_t i = 0; i < r->m->n_cas; i++) {
		const struct lint_ca *ca = &r->m->cas[i];
		struct lint_finding *f;

		if (ca->set.validity == 0 || !lint_publishes(ca, t) || t->validity <= ca->set.validity)
			continue;
		f = lint_add(r, LINT_INFO, "pKIExpirationPeriod",
		    "%lld days, but ValidityPeriodUnits of %s allows %lld: certificates are shorter than the "
		    "template says",
		    (long long)days(t->validity), ca->display_name, (long long)days(ca->set.validity));
		f->fix = "certutil -setreg CA\\ValidityPeriodUnits, or a shorter Validity period on the "
			 "General tab";
		return 0;
	}
	return 0;
}

int
lint_supersedes(struct lint_run *r)
{
	const struct policy_template *t = r->t;

	for (size_t i = 0; i < t->supersedes.n; i++) {
		bool itself = policy_name_equal(t->supersedes.v[i], t->cn);
		struct lint_finding *f;

		if (!itself && lint_template_find(r->m, t->supersedes.v[i]) != NULL)
			continue;
		f = lint_add(r, LINT_WARNING, "msPKI-Supersede-Templates", "supersedes %s, %s",
		    t->supersedes.v[i],
		    itself ? "which is itself" : "which does not exist (names count, not display names)");
		f->fix = lint_text(
		    r, LINT_FIX_TEMPLATE "Superseded Templates: remove %s", t->cn, t->supersedes.v[i]);
	}
	return 0;
}

int
lint_key_based_renewal(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	bool approval = is_set(t->enrollment_flags, CT_FLAG_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT);
	struct lint_finding *f;

	if (!is_set(
		t->enrollment_flags, CT_FLAG_ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL_VALIDATE_REENROLLMENT) ||
	    (approval && lint_supplies_subject(t)))
		return 0;
	f = lint_add(r, LINT_WARNING, "msPKI-Enrollment-Flag",
	    "Allow key based renewal (0x10000) does nothing without %s",
	    approval ? "Supply in the request" : "Valid existing certificate (0x40)");
	f->fix = lint_text(r,
	    LINT_FIX_TEMPLATE
	    "Issuance Requirements: Valid existing certificate, and Subject Name: Supply in "
	    "the request; or clear Allow key based renewal",
	    t->cn);
	return 0;
}

int
lint_ra_dead(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	bool policies = t->ra_application_policies.n > 0 || t->ra_policies.n > 0;
	struct lint_finding *f;

	if ((t->ra_signatures == 0) != policies)
		return 0;
	f = lint_add(r, LINT_WARNING, "msPKI-RA-Signature",
	    t->ra_signatures == 0
		? "policies of a signer are named, but %u signatures are asked for: no signer is needed"
		: "%u signatures are asked for, but no policy of the signers: any certificate may sign",
	    t->ra_signatures);
	f->fix = lint_text(r,
	    LINT_FIX_TEMPLATE "Issuance Requirements: This number of authorized signatures, with its policy",
	    t->cn);
	return 0;
}

int
lint_ds_check_dead(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	struct lint_finding *f;

	if (!is_set(t->enrollment_flags, CT_FLAG_AUTO_ENROLLMENT_CHECK_USER_DS_CERTIFICATE) ||
	    is_set(t->enrollment_flags, CT_FLAG_PUBLISH_TO_DS))
		return 0;
	f = lint_add(r, LINT_WARNING, "msPKI-Enrollment-Flag",
	    "clients look for a duplicate in the directory (0x10), where the CA puts none (0x8 is clear)");
	f->fix = lint_text(r, LINT_FIX_TEMPLATE "General: Publish certificate in Active Directory", t->cn);
	lint_change_flags(r, f, "msPKI-Enrollment-Flag", t->enrollment_flags | CT_FLAG_PUBLISH_TO_DS);
	return 0;
}

int
lint_policies_from_request(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	struct lint_finding *f;

	if (!is_set(t->enrollment_flags, CT_FLAG_ISSUANCE_POLICIES_FROM_REQUEST) ||
	    t->issuance_policies.n > 0)
		return 0;
	f = lint_add(r, LINT_WARNING, "msPKI-Certificate-Policy",
	    "issuance policies come from the request (0x20000), but the template allows none: such requests "
	    "get 0x80094802");
	f->fix = lint_text(
	    r, LINT_FIX_TEMPLATE "Extensions: Issuance Policies: list those that may be asked for", t->cn);
	return 0;
}

int
lint_archival_usage(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	uint8_t usage = t->key_usage.len > 0 ? t->key_usage.p[0] : 0;
	struct lint_finding *f;

	if (!is_set(t->private_key_flags, CT_FLAG_REQUIRE_PRIVATE_KEY_ARCHIVAL) ||
	    (usage & (KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT)) != 0)
		return 0;
	f = lint_add(r, LINT_WARNING, "msPKI-Private-Key-Flag",
	    "private keys are archived (0x1), but the key usage 0x%02x encrypts nothing that would need "
	    "recovery",
	    usage);
	f->fix = lint_text(r,
	    LINT_FIX_TEMPLATE "Request Handling: Purpose with encryption, or clear Archive subject's "
			      "encryption private key",
	    t->cn);
	return 0;
}

int
lint_volatile_dead(struct lint_run *r)
{
	const struct policy_template *t = r->t;

	if (!is_set(t->general_flags, CT_FLAG_DONOTPERSISTINDB))
		return 0;
	for (size_t i = 0; i < r->m->n_cas; i++) {
		const struct lint_ca *ca = &r->m->cas[i];
		struct lint_finding *f;

		if (!ca->set.known || !lint_publishes(ca, t) ||
		    is_set(ca->set.db_flags, DBFLAGS_ENABLEVOLATILEREQUESTS))
			continue;
		f = lint_add(r, LINT_INFO, "flags",
		    "Do not store certificates and requests (0x1000) does nothing: %s has "
		    "DBFLAGS_ENABLEVOLATILEREQUESTS clear",
		    ca->display_name);
		f->fix = "certutil -setreg DBFlags +DBFLAGS_ENABLEVOLATILEREQUESTS, or clear the box on the "
			 "Server tab";
		return 0;
	}
	return 0;
}

/* ---- what a CA publishes ---- */

int
lint_published_missing(struct lint_run *r)
{
	for (size_t i = 0; i < r->ca->published.n; i++) {
		const char *name = r->ca->published.v[i];
		struct lint_finding *f;

		if (lint_template_find(r->m, name) != NULL)
			continue;
		f = lint_add(r, LINT_WARNING, "certificateTemplates",
		    "publishes %s, which does not exist: requests get 0x80094800", name);
		f->fix =
		    lint_text(r, "Certification Authority console > %s > Certificate Templates: delete %s",
			r->ca->display_name, name);
		f->change = lint_text(r,
		    "dn: %s\nchangetype: modify\ndelete: certificateTemplates\ncertificateTemplates: %s\n",
		    r->ca->dn, name);
	}
	return 0;
}

int
lint_published_unreadable(struct lint_run *r)
{
	for (size_t i = 0; i < r->ca->published.n; i++) {
		const struct lint_template *t = lint_template_find(r->m, r->ca->published.v[i]);
		struct lint_finding *f;

		if (t == NULL || t->unreadable == NULL)
			continue;
		f = lint_add(r, LINT_ERROR, "certificateTemplates",
		    "publishes %s, which cannot be loaded: %s", t->t.cn, t->unreadable);
		f->fix = lint_text(r,
		    "repair the attribute of %s, or delete it from the CA's Certificate Templates", t->t.cn);
	}
	return 0;
}

static const struct lint_account *
host_account(const struct lint_run *r, const char *host)
{
	for (size_t i = 0; host != NULL && i < r->m->n_accounts; i++)
		if (r->m->accounts[i].dns_host_name != NULL &&
		    strcasecmp(r->m->accounts[i].dns_host_name, host) == 0)
			return &r->m->accounts[i];
	return NULL;
}

int
lint_ca_cannot_read(struct lint_run *r)
{
	const struct policy_template *t = r->t;

	for (size_t i = 0; t->sd != NULL && i < r->m->n_cas; i++) {
		const struct lint_ca *ca = &r->m->cas[i];
		const struct lint_account *host = host_account(r, ca->host);
		const struct token *token = host != NULL ? lint_token_of(r->m, &host->sid) : NULL;
		struct lint_finding *f;

		if (token == NULL || !lint_publishes(ca, t) ||
		    access_check(t->sd, token, READ_RIGHTS, NULL).granted)
			continue;
		f = lint_add(r, LINT_ERROR, "nTSecurityDescriptor",
		    "%s (%s) may not read the template: requests get 0x80094800", ca->display_name,
		    lint_name_of(r->m, &host->sid));
		f->fix = lint_text(r, LINT_FIX_TEMPLATE "Security: allow Read to Authenticated Users", t->cn);
	}
	return 0;
}
