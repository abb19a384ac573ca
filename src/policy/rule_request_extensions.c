/* Step 14, and which extensions of the request survive (issuance.md section 4, MS-WCCE 3.2.1.4.2.1.4.7). */
#include <string.h>

#include "policy/rule_priv.h"

#define EXTENSION_MAX 4096 /* ExtensionRawValue of the database; DBFlags 0x1000 raises it to 16384 */

int
check_extension_size(struct eval *ev)
{
	const struct x509_request *r = ev->request;
	size_t most = ev->ca->max_extension != 0 ? ev->ca->max_extension : EXTENSION_MAX, longest = 0;

	for (size_t i = 0; i < r->n_extensions; i++) {
		size_t n = r->extensions[i].value.len;
		char oid[OID_TEXT_MAX] = "?";

		longest = n > longest ? n : longest;
		if (n <= most)
			continue;
		if (!oid_to_text(r->extensions[i].oid, oid))
			strcpy(oid, "?");
		rule_fix(ev, "shorten the extension, or certutil -setreg DBFlags +0x1000");
		return rule_refuse(ev, ESE_RECORD_TOO_BIG,
		    "extension %s has %zu octets, the database stores %zu", oid, n, most);
	}
	return rule_pass(ev, "%zu extensions, the longest of %zu octets", r->n_extensions, longest);
}

enum fate {
	DROPPED,  /* stored with the request, not in the certificate */
	DISABLED, /* DisableExtensionList */
	OFFICER,  /* an officer set or disabled it */
	REPEATED, /* the first of its OID counts */
	KEPT,
	RESERVED, /* its place is kept, a later rule decides on the value */
};

/* Those whose value the template decides, whatever the request says. */
static const char *const of_template[] = { OID_KEY_USAGE, OID_EXTENDED_KEY_USAGE,
	OID_APPLICATION_CERT_POLICIES, OID_CERTIFICATE_POLICIES, OID_ENROLL_CERTTYPE,
	OID_CERTIFICATE_TEMPLATE, OID_BASIC_CONSTRAINTS };

static bool
is_of_template(const char *oid)
{
	for (size_t i = 0; i < ARRAY_LEN(of_template); i++)
		if (strcmp(of_template[i], oid) == 0)
			return true;
	return false;
}

/*
 * Before CVE-2024-49019 was fixed, application policies of the request went into schema 1 certificates
 * (ESC15).
 */
static bool
is_esc15(const struct eval *ev, const char *oid)
{
	return ev->ca->esc15_copy_application_policies && ev->t->schema_version == 1 &&
	    strcmp(oid, OID_APPLICATION_CERT_POLICIES) == 0;
}

static bool
is_enabled(const struct eval *ev, const char *oid)
{
	uint32_t flags = ev->ca->edit_flags;

	return (flags & EDITF_ENABLEREQUESTEXTENSIONS) ||
	    ((flags & EDITF_REQUESTEXTENSIONLIST) && rule_listed(ev->ca->enable_request_extensions, oid));
}

static enum fate
fate_of(const struct eval *ev, const char *oid)
{
	if (rule_of_officer(ev, oid))
		return OFFICER;
	if (rule_disabled(ev, oid))
		return DISABLED;
	for (size_t i = 0; i < ev->n_slots; i++)
		if (strcmp(ev->slots[i].oid, oid) == 0)
			return REPEATED;
	if (is_esc15(ev, oid))
		return KEPT;
	if (is_of_template(oid))
		return RESERVED;
	if (strcmp(oid, OID_SUBJECT_ALT_NAME) == 0 || strcmp(oid, OID_NTDS_CA_SECURITY_EXT) == 0)
		return rule_supplied(ev->t) ? RESERVED : DROPPED;
	if (strcmp(oid, OID_SMIME_CAPABILITIES) == 0 || strcmp(oid, OID_SUBJECT_KEY_IDENTIFIER) == 0)
		return KEPT;
	return is_enabled(ev, oid) ? KEPT : DROPPED;
}

/* These never are (RFC 5280 4.2.1.2, issuance.md section 4), whatever the request says. */
static bool
may_be_critical(const char *oid)
{
	return strcmp(oid, OID_SUBJECT_KEY_IDENTIFIER) != 0 && strcmp(oid, OID_SMIME_CAPABILITIES) != 0;
}

static int
carry_out(struct eval *ev, enum fate fate, const char *oid, const struct x509_extension *x)
{
	struct x509_extension kept = *x;

	switch (fate) {
	case KEPT:
		kept.critical = x->critical && may_be_critical(oid);
		return rule_take(ev, oid, &kept);
	case RESERVED:
		return rule_reserve(ev, oid);
	default:
		return 0;
	}
}

/* First of all: what an officer decided about a request that waited governs, also over DisableExtensionList.
 */
int
apply_officer_extensions(struct eval *ev)
{
	const struct policy_input *in = ev->in;

	if (in->n_officer_extensions == 0)
		return rule_pass(ev, "no officer set an extension");
	for (size_t i = 0; i < in->n_officer_extensions; i++) {
		const struct policy_extension *x = &in->officer_extensions[i];

		if (rule_take_officer(ev, x) != 0)
			return -1;
		buf_printf(&ev->scratch, "%s%s%s", i > 0 ? ", " : "", x->oid,
		    x->disabled       ? " disabled"
			: x->critical ? " (critical)"
				      : "");
	}
	return rule_adds(ev, "%s", rule_keep_text(ev));
}

int
apply_request_extensions(struct eval *ev)
{
	static const char *const words[] = { "stored only", "disabled", "an officer's", "repeated", "kept",
		"decided below" };
	const struct x509_request *r = ev->request;

	if (r->n_extensions == 0)
		return rule_pass(ev, "the request has no extensions");
	for (size_t i = 0; i < r->n_extensions; i++) {
		const char *oid = rule_extension_oid(ev, &r->extensions[i]);
		enum fate fate;

		if (oid == NULL)
			return rule_nomem(ev);
		fate = fate_of(ev, oid);
		if (carry_out(ev, fate, oid, &r->extensions[i]) != 0)
			return -1;
		buf_printf(&ev->scratch, "%s%s %s", i > 0 ? ", " : "", oid, words[fate]);
	}
	return rule_pass(ev, "%s", rule_keep_text(ev));
}
