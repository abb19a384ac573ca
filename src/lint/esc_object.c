/* ESC rules whose subject is a CA, a PKI object or an account. */
#include <string.h>
#include <strings.h>

#include "lint/lint_priv.h"
#include "policy/policy.h"

#define IF_ENFORCEENCRYPTICERTREQUEST 0x200

static struct lint_finding *
about(struct lint_finding *f, const char *object, const char *dn)
{
	f->object = object;
	f->dn = dn;
	return f;
}

int
lint_esc5(struct lint_run *r)
{
	for (size_t i = 0; i < r->m->n_objects; i++) {
		const struct lint_object *o = &r->m->objects[i];
		struct lint_principals who = lint_who_writes(r, o->sd, o->container, LINT_TRUSTED);
		struct lint_finding *f;

		if (who.n == 0)
			continue;
		f = about(lint_add(r, lint_severity_of(who), "nTSecurityDescriptor",
			      "PKI object can be rewritten: %s", o->kind),
		    o->name, o->dn);
		f->who = who;
		f->fix = lint_text(r,
		    "ADSI Edit > %s > Properties > Security: remove Write, Create and Full Control of these "
		    "principals; Advanced: Owner",
		    o->dn);
	}
	return 0;
}

/* A published logon template that somebody unprivileged enrolls at once; NULL when there is none. */
static const struct policy_template *
reachable(struct lint_run *r, struct lint_principals *who)
{
	const struct policy_template *found = NULL;

	for (size_t i = 0; i < r->m->n_templates; i++) {
		const struct policy_template *t = &r->m->templates[i].t;
		struct lint_principals p;

		if (r->m->templates[i].unreadable != NULL || !lint_publishes(r->ca, t) || !lint_logs_on(t))
			continue;
		p = lint_reach(r, t);
		if (p.n > 0 && (found == NULL || lint_worst(p) > lint_worst(*who))) {
			*who = p;
			found = t;
		}
	}
	return found;
}

int
lint_esc6(struct lint_run *r)
{
	struct lint_principals who = { NULL, 0 };
	const struct policy_template *t;
	struct lint_finding *f;

	if ((r->ca->set.edit_flags & EDITF_ATTRIBUTESUBJECTALTNAME2) == 0 || !lint_issues_at_once(r->ca))
		return 0;
	t = reachable(r, &who);
	if (t == NULL)
		return 0;
	f = lint_add(r, lint_severity_of(who), "EditFlags",
	    "EDITF_ATTRIBUTESUBJECTALTNAME2: a request attribute names the subject of every template, such "
	    "as %s",
	    t->cn);
	f->who = who;
	f->values = lint_text(r, "EditFlags 0x%x", r->ca->set.edit_flags);
	f->condition =
	    "since May 2022 the SID extension contradicts the name: needs weak binding, ESC9 or ESC16";
	f->fix = "certutil -setreg policy\\EditFlags -EDITF_ATTRIBUTESUBJECTALTNAME2, then restart CertSvc";
	return 0;
}

/* The relative of ESC6 for usages: the request attribute CertificateUsage replaces those of the template. */
int
lint_attribute_eku(struct lint_run *r)
{
	struct lint_principals who = { NULL, 0 }, p;
	struct lint_finding *f;

	if ((r->ca->set.edit_flags & EDITF_ATTRIBUTEEKU) == 0 || !lint_issues_at_once(r->ca))
		return 0;
	for (size_t i = 0; i < r->m->n_templates; i++) {
		const struct lint_template *t = &r->m->templates[i];

		if (t->unreadable != NULL || !lint_publishes(r->ca, &t->t))
			continue;
		p = lint_reach(r, &t->t);
		if (p.n > 0 && (who.n == 0 || lint_worst(p) > lint_worst(who)))
			who = p;
	}
	if (who.n == 0)
		return 0;
	f = lint_add(r, lint_severity_of(who), "EditFlags",
	    "EDITF_ATTRIBUTEEKU: the request attribute CertificateUsage gives every certificate the usages "
	    "it asks for");
	f->who = who;
	f->values = lint_text(r, "EditFlags 0x%x", r->ca->set.edit_flags);
	f->fix = "certutil -setreg policy\\EditFlags -EDITF_ATTRIBUTEEKU, then restart CertSvc";
	return 0;
}

static void
ca_right(struct lint_run *r, uint32_t right, const char *label, const char *means)
{
	struct lint_principals who = lint_who_ca(r, r->ca->set.security, right, LINT_TRUSTED);
	struct lint_finding *f;

	if (who.n == 0)
		return;
	f = lint_add(r, lint_severity_of(who), "Security", "%s: %s", label, means);
	f->who = who;
	f->fix = lint_text(r, "Certification Authority console > %s > Properties > Security: clear %s",
	    r->ca->display_name, label);
}

int
lint_esc7(struct lint_run *r)
{
	ca_right(r, CA_ACCESS_ADMIN, "Manage CA",
	    "can change EditFlags, publish templates and take further rights");
	ca_right(r, CA_ACCESS_OFFICER, "Issue and Manage Certificates",
	    "can issue what is pending, change its extensions, and revoke");
	return 0;
}

/* Lines of a value: priority, authentication, renewal only, URI, key based renewal (templates.md 8.1). */
static const char *
server_uri(struct lint_run *r, const char *value)
{
	for (int i = 0; i < 3 && value != NULL; i++) {
		value = strchr(value, '\n');
		value = value != NULL ? value + 1 : NULL;
	}
	return value != NULL ? pool_strndup(r->pool, value, strcspn(value, "\n")) : NULL;
}

int
lint_esc8(struct lint_run *r)
{
	for (size_t i = 0; i < r->ca->enrollment_servers.n; i++) {
		const char *uri = server_uri(r, r->ca->enrollment_servers.v[i]);
		bool plain = uri != NULL && strncasecmp(uri, "http://", 7) == 0;
		struct lint_finding *f;

		if (uri == NULL || (!plain && strncasecmp(uri, "https://", 8) != 0))
			continue;
		f = lint_add(r, plain ? LINT_ERROR : LINT_INFO, "msPKI-Enrollment-Servers",
		    "enrollment over %s: %s%s", plain ? "plain HTTP" : "HTTPS", uri,
		    plain ? "; a relayed logon gets a certificate" : "");
		f->condition =
		    plain ? NULL : "safe when the web server requires Extended Protection (channel binding)";
		f->fix = "Internet Information Services: Require SSL, Windows Authentication > Extended "
			 "Protection: Required, and "
			 "register the service with its https URI";
	}
	return 0;
}

int
lint_esc10(struct lint_run *r)
{
	const struct lint_settings *s = &r->ca->set;
	struct lint_finding *f;

	if (s->strong_binding == 0) {
		f = lint_add(r, LINT_ERROR, "StrongCertificateBindingEnforcement",
		    "0: domain controllers take a certificate's name for the identity");
		f->condition = "domain controllers updated since September 2025 ignore the value";
		f->fix =
		    "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Kdc: StrongCertificateBindingEnforcement = 2";
	}
	if (s->mapping_methods >= 0 && (s->mapping_methods & 0x4) != 0) {
		f = lint_add(r, LINT_ERROR, "CertificateMappingMethods",
		    "0x%llx has 0x4: Schannel maps certificates by user principal name",
		    (unsigned long long)s->mapping_methods);
		f->fix = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\Schannel: "
			 "CertificateMappingMethods = 0x18";
	}
	return 0;
}

int
lint_esc11(struct lint_run *r)
{
	struct lint_finding *f;

	if ((r->ca->set.interface_flags & IF_ENFORCEENCRYPTICERTREQUEST) != 0)
		return 0;
	f = lint_add(r, LINT_ERROR, "InterfaceFlags",
	    "IF_ENFORCEENCRYPTICERTREQUEST is clear: requests over RPC need no encryption, so a relayed "
	    "logon enrolls");
	f->values = lint_text(r, "InterfaceFlags 0x%x", r->ca->set.interface_flags);
	f->fix = "certutil -setreg CA\\InterfaceFlags +IF_ENFORCEENCRYPTICERTREQUEST, then restart CertSvc";
	return 0;
}

int
lint_esc12(struct lint_run *r)
{
	struct lint_finding *f;

	if (!r->ca->set.clear_hsm_password)
		return 0;
	f = lint_add(r, LINT_WARNING, "AuthKeysetPassword",
	    "the password of the YubiHSM that holds the CA's key stands in clear in the registry");
	f->condition = "counts for whoever has a shell on the CA host";
	f->fix = "keep everybody but administrators off the CA host; set a new authentication key and "
		 "restrict the registry key";
	return 0;
}

int
lint_esc16(struct lint_run *r)
{
	struct lint_principals who = { NULL, 0 };
	const struct policy_template *t;
	struct lint_finding *f;

	if (!lint_listed(r->ca->set.disable_extensions, OID_NTDS_CA_SECURITY_EXT) ||
	    !lint_issues_at_once(r->ca))
		return 0;
	t = reachable(r, &who);
	if (t == NULL)
		return 0;
	f = lint_add(r, lint_weak_binding(r) == 0 ? LINT_INFO : lint_severity_of(who), "DisableExtensionList",
	    "1.3.6.1.4.1.311.25.2 is disabled: no certificate of this CA carries a SID (every template "
	    "behaves as ESC9; %s)",
	    t->cn);
	f->who = who;
	f->condition = "counts where domain controllers honour weak bindings";
	f->fix = "certutil -setreg policy\\DisableExtensionList -1.3.6.1.4.1.311.25.2, then restart CertSvc";
	return 0;
}

/* ---- ESC14 ---- */

/* Strong forms: issuer and serial number, subject key identifier, hash of the public key (KB5014754). */
static bool
is_weak_mapping(const char *value)
{
	if (strncasecmp(value, "X509:", 5) != 0)
		return false;
	return strcasestr(value, "<SR>") == NULL && strcasestr(value, "<SKI>") == NULL &&
	    strcasestr(value, "<SHA1-PUKEY>") == NULL;
}

static void
weak_mappings(struct lint_run *r, const struct lint_account *a)
{
	bool admin = lint_trust_of(r->m, &a->sid) == LINT_PRIVILEGED;

	for (size_t i = 0; i < a->alt_security_identities.n; i++) {
		const char *value = a->alt_security_identities.v[i];
		struct lint_finding *f;

		if (!is_weak_mapping(value))
			continue;
		f = about(lint_add(r, admin ? LINT_ERROR : LINT_WARNING, "altSecurityIdentities",
			      "weak mapping %s: another certificate with these names logs on as this account",
			      value),
		    lint_name_of(r->m, &a->sid), a->dn);
		f->condition = "needs a template that lets the requester choose the matched field";
		f->fix = "Active Directory Users and Computers > Name Mappings: map by issuer and serial "
			 "number (X509:<I>..<SR>..)";
	}
}

static void
mapping_writers(struct lint_run *r, const struct lint_account *a)
{
	struct lint_principals who = lint_who_maps(r, a->sd, LINT_TRUSTED);
	struct lint_finding *f;
	size_t n = 0;

	for (size_t i = 0; i < who.n; i++) /* an account's rights over itself are AD's business */
		if (!sid_equal(&who.v[i].sid, &a->sid))
			who.v[n++] = who.v[i];
	who.n = n;
	if (n == 0)
		return;
	f = about(lint_add(r, lint_severity_of(who), "nTSecurityDescriptor",
		      "altSecurityIdentities can be written: who maps a certificate of their own logs on as "
		      "this account"),
	    lint_name_of(r->m, &a->sid), a->dn);
	f->who = who;
	f->fix = lint_text(r,
	    "Active Directory Users and Computers > %s > Properties > Security > Advanced: remove Write "
	    "altSecurityIdentities of these principals",
	    a->sam != NULL ? a->sam : a->dn);
}

int
lint_esc14(struct lint_run *r)
{
	for (size_t i = 0; i < r->m->n_accounts; i++) {
		weak_mappings(r, &r->m->accounts[i]);
		mapping_writers(r, &r->m->accounts[i]);
	}
	return 0;
}
