/*
 * The how-to for PKCS certificates through a connector, "Configure certificate templates on the CA": each
 * step that can be missed, and what then goes wrong (compatibility.md section 7).
 */
#include "lint/lint_priv.h"
#include "policy/policy.h"

#define KU_NONREPUDIATION 0x40
#define READ_RIGHTS (ADS_RIGHT_DS_READ_PROP | ADS_RIGHT_ACTRL_DS_LIST | RIGHT_READ_CONTROL)

int
lint_pkcs_published(struct lint_run *r)
{
	struct lint_finding *f;

	if (lint_published(r, r->t))
		return 0;
	f = lint_add(r, LINT_ERROR, "certificateTemplates",
	    "step 12: no CA publishes the template; the connector gets 0x80094800");
	f->fix = lint_text(r,
	    "Certification Authority console > Certificate Templates > New > Certificate Template to Issue > "
	    "%s",
	    r->t->cn);
	return 0;
}

int
lint_pkcs_subject(struct lint_run *r)
{
	struct lint_finding *f;

	if (lint_supplies_subject(r->t))
		return 0;
	f = lint_add(r, LINT_ERROR, "msPKI-Certificate-Name-Flag",
	    "step 8: the subject comes from the directory, that is from the connector's computer account; it "
	    "has no mail: "
	    "0x80094812, or certificates for the connector instead of the user");
	f->fix = lint_text(r, LINT_FIX_TEMPLATE "Subject Name: Supply in the request", r->t->cn);
	f->change = lint_text(r,
	    "dn: %s\nchangetype: modify\nreplace: msPKI-Certificate-Name-Flag\n"
	    "msPKI-Certificate-Name-Flag: 1\n",
	    r->t->dn);
	return 0;
}

int
lint_pkcs_exportable(struct lint_run *r)
{
	struct lint_finding *f;

	if ((r->t->private_key_flags & CT_FLAG_EXPORTABLE_KEY) != 0)
		return 0;
	f = lint_add(r, LINT_ERROR, "msPKI-Private-Key-Flag",
	    "step 6: the private key is not exportable, so the connector cannot make the PFX file");
	f->fix =
	    lint_text(r, LINT_FIX_TEMPLATE "Request Handling: Allow private key to be exported", r->t->cn);
	lint_change_flags(r, f, "msPKI-Private-Key-Flag", r->t->private_key_flags | CT_FLAG_EXPORTABLE_KEY);
	return 0;
}

int
lint_pkcs_key_size(struct lint_run *r)
{
	struct lint_finding *f;

	if (r->t->min_key_bits >= 2048 || r->t->asymmetric_algorithm != NULL)
		return 0;
	f = lint_add(r, LINT_WARNING, "msPKI-Minimal-Key-Size", "step 7: %u bits, the how-to asks for 2048",
	    r->t->min_key_bits);
	f->fix = lint_text(r, LINT_FIX_TEMPLATE "Cryptography: Minimum key size = 2048", r->t->cn);
	lint_change_flags(r, f, "msPKI-Minimal-Key-Size", 2048);
	return 0;
}

int
lint_pkcs_usages(struct lint_run *r)
{
	static const struct {
		const char *oid, *name;
		enum lint_severity missing;
	} usages[] = { { OID_CLIENT_AUTHENTICATION, "Client Authentication", LINT_ERROR },
		{ OID_EMAIL_PROTECTION, "Secure Email", LINT_WARNING },
		{ OID_ENCRYPTING_FILE_SYSTEM, "Encrypting File System", LINT_WARNING } };

	for (size_t i = 0; i < ARRAY_LEN(usages); i++) {
		struct lint_finding *f;

		if (lint_listed(lint_usages(r->t), usages[i].oid))
			continue;
		f = lint_add(r, usages[i].missing, "msPKI-Certificate-Application-Policy",
		    "step 9: %s (%s) is missing", usages[i].name, usages[i].oid);
		f->fix = lint_text(r, LINT_FIX_TEMPLATE "Extensions: Application Policies: add %s", r->t->cn,
		    usages[i].name);
	}
	return 0;
}

int
lint_pkcs_nonrepudiation(struct lint_run *r)
{
	struct lint_finding *f;

	if (r->t->key_usage.len == 0 || (r->t->key_usage.p[0] & KU_NONREPUDIATION) == 0)
		return 0;
	f = lint_add(r, LINT_WARNING, "pKIKeyUsage",
	    "step 9: key usage has nonrepudiation (0x40), which iOS and iPadOS profiles do not take");
	f->fix = lint_text(
	    r, LINT_FIX_TEMPLATE "Extensions: Key Usage: clear Signature is proof of origin", r->t->cn);
	return 0;
}

int
lint_pkcs_gate(struct lint_run *r)
{
	bool approval = (r->t->enrollment_flags & CT_FLAG_PEND_ALL_REQUESTS) != 0;
	struct lint_finding *f;

	for (size_t i = 0; i < r->m->n_cas; i++)
		approval |= lint_publishes(&r->m->cas[i], r->t) && !lint_issues_at_once(&r->m->cas[i]);
	if (!approval && r->t->ra_signatures == 0)
		return 0;
	f = lint_add(r, LINT_ERROR, approval ? "msPKI-Enrollment-Flag" : "msPKI-RA-Signature", "%s",
	    approval
		? "requests wait for a certificate manager (disposition 5); the connector reports a failure"
		: "authorized signatures are asked for; the connector has none: 0x80094809");
	f->fix = lint_text(r, LINT_FIX_TEMPLATE "Issuance Requirements: clear both boxes", r->t->cn);
	return 0;
}

int
lint_pkcs_attest(struct lint_run *r)
{
	bool archival = (r->t->private_key_flags & CT_FLAG_REQUIRE_PRIVATE_KEY_ARCHIVAL) != 0;
	struct lint_finding *f;

	if (!archival && (r->t->private_key_flags & CT_FLAG_ATTEST_REQUIRED) == 0)
		return 0;
	f = lint_add(r, LINT_ERROR, "msPKI-Private-Key-Flag", "%s",
	    archival
		? "private keys are to be archived, which the connector's requests do not carry: 0x80094804"
		: "key attestation is required, which the connector's requests do not carry: 0x8009481A");
	f->fix = lint_text(r, LINT_FIX_TEMPLATE "%s", r->t->cn,
	    archival ? "Request Handling: clear Archive subject's encryption private key"
		     : "Key Attestation: None");
	lint_change_flags(r, f, "msPKI-Private-Key-Flag",
	    r->t->private_key_flags &
		~(uint32_t)(CT_FLAG_REQUIRE_PRIVATE_KEY_ARCHIVAL | CT_FLAG_ATTEST_REQUIRED));
	return 0;
}

/* ---- the connector's account ---- */

static const struct token *
connector(struct lint_run *r)
{
	return r->in->connector != NULL ? lint_token_of(r->m, r->in->connector) : NULL;
}

int
lint_pkcs_template_rights(struct lint_run *r)
{
	const struct token *t = connector(r);
	bool enroll, read;
	struct lint_finding *f;

	if (t == NULL || r->t->sd == NULL)
		return 0;
	enroll = access_check_control(r->t->sd, t, &GUID_ENROLL).granted;
	read = access_check(r->t->sd, t, READ_RIGHTS, NULL).granted;
	if (enroll && read)
		return 0;
	f = lint_add(r, LINT_ERROR, "nTSecurityDescriptor", "step 10: %s has no %s on the template%s",
	    lint_name_of(r->m, r->in->connector),
	    enroll     ? "Read"
		: read ? "Enroll"
		       : "Read and Enroll",
	    enroll ? "" : "; requests get 0x80094012");
	f->fix = lint_text(r, LINT_FIX_TEMPLATE "Security: add %s: Read, Enroll", r->t->cn,
	    lint_name_of(r->m, r->in->connector));
	return 0;
}

int
lint_pkcs_ca_rights(struct lint_run *r)
{
	static const struct {
		uint32_t right;
		const char *label, *symptom;
	} rights[] = { { CA_ACCESS_ENROLL, "Request Certificates", "requests get 0x80094011" },
		{ CA_ACCESS_OFFICER, "Issue and Manage Certificates", "revocation fails with 0x80070005" } };
	const struct token *t = connector(r);

	for (size_t i = 0; t != NULL && i < r->m->n_cas; i++) {
		const struct lint_ca *ca = &r->m->cas[i];

		for (size_t k = 0; lint_publishes(ca, r->t) && k < ARRAY_LEN(rights); k++) {
			struct lint_finding *f;

			if (access_check_ca(ca->set.security, t, rights[k].right, NULL).granted)
				continue;
			f = lint_add(r, LINT_ERROR, "Security", "step 13: %s has no %s on %s; %s",
			    lint_name_of(r->m, r->in->connector), rights[k].label, ca->display_name,
			    rights[k].symptom);
			f->fix = lint_text(r,
			    "Certification Authority console > %s > Properties > Security: add %s: %s",
			    ca->display_name, lint_name_of(r->m, r->in->connector), rights[k].label);
		}
	}
	return 0;
}

int
lint_pkcs_account(struct lint_run *r)
{
	const struct lint_account *a =
	    r->in->connector != NULL ? lint_account_find(r->m, r->in->connector) : NULL;
	struct lint_finding *f;

	if (r->in->connector == NULL) {
		f = lint_add(r, LINT_INFO, "nTSecurityDescriptor",
		    "no connector was named, so its rights on template and CA were not judged");
		f->fix = "adcsctl lint --connector, with the computer account of the connector's host";
		return 0;
	}
	if (a == NULL || a->is_computer)
		return 0;
	f = lint_add(r, LINT_WARNING, "nTSecurityDescriptor",
	    "step 10: %s is no computer account; a connector that runs as SYSTEM requests as its host",
	    lint_name_of(r->m, r->in->connector));
	f->condition = "right when the connector was given an account of its own";
	f->fix = lint_text(
	    r, LINT_FIX_TEMPLATE "Security: Object Types: Computers, then the connector's host", r->t->cn);
	return 0;
}

int
lint_pkcs_levels(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	struct lint_finding *f;

	if (t->schema_version < 3 || (t->private_key_flags & CT_FLAG_USE_LEGACY_PROVIDER) != 0)
		return 0;
	f = lint_add(r, LINT_WARNING, "msPKI-Template-Schema-Version",
	    "step 4: schema %u with a key storage provider; connectors that read the list of CSPs may fail",
	    t->schema_version);
	f->fix = "duplicate User with Certification Authority = Windows Server 2008 R2 and recipient = "
		 "Windows 7 / Server 2008 R2";
	return 0;
}

int
lint_pkcs_end_date(struct lint_run *r)
{
	for (size_t i = 0; i < r->m->n_cas; i++) {
		const struct lint_ca *ca = &r->m->cas[i];
		struct lint_finding *f;

		if (!ca->set.known || !lint_publishes(ca, r->t) ||
		    (ca->set.edit_flags & EDITF_ATTRIBUTEENDDATE) != 0)
			continue;
		f = lint_add(r, LINT_INFO, "EditFlags",
		    "EDITF_ATTRIBUTEENDDATE is clear on %s: a validity period in the profile is ignored",
		    ca->display_name);
		f->fix = "certutil -setreg policy\\EditFlags +EDITF_ATTRIBUTEENDDATE, then restart CertSvc";
	}
	return 0;
}

/* Attributes of a subject that SubjectTemplate does not list never reach the certificate. */
int
lint_pkcs_subject_template(struct lint_run *r)
{
	static const char *const parts[] = { "EMail", "CommonName", "OrganizationalUnit", "Organization",
		"Locality", "State", "DomainComponent", "Country" };

	for (size_t i = 0; i < r->m->n_cas; i++) {
		const struct lint_ca *ca = &r->m->cas[i];

		if (!lint_publishes(ca, r->t) || ca->set.subject_template.n == 0)
			continue;
		for (size_t k = 0; k < ARRAY_LEN(parts); k++) {
			struct lint_finding *f;

			if (lint_listed(ca->set.subject_template, parts[k]))
				continue;
			f = lint_add(r, LINT_WARNING, "SubjectTemplate", "%s drops %s from every subject",
			    ca->display_name, parts[k]);
			f->fix = lint_text(
			    r, "certutil -setreg CA\\SubjectTemplate +%s, then restart CertSvc", parts[k]);
		}
	}
	return 0;
}
