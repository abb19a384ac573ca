/* template show: every attribute of templates.md section 4 by its name in the directory, and what sets it. */
#include <string.h>

#include "base/text.h"
#include "ctl/template_attributes.h"

static const struct attribute {
	const char *name;
	bool octets;
	const char *set; /* option of template set, without the dashes; NULL: none does */
	const char *why; /* that none does */
} attributes[] = {
	{ "cn", false, NULL, "the object's name, given by template duplicate --name" },
	{ "name", false, NULL, "follows cn" },
	{ "displayName", false, "display-name", NULL },
	{ "distinguishedName", false, NULL, "the object's place" },
	{ "objectCategory", false, NULL, "the object's class" },
	{ "flags", false, "general-bits", NULL },
	{ "revision", false, NULL, "moves with template reenroll" },
	{ "msPKI-Template-Minor-Revision", false, NULL, "moves with every change" },
	{ "msPKI-Template-Schema-Version", false, NULL, "fixed by the levels given when it was duplicated" },
	{ "msPKI-Cert-Template-OID", false, NULL, "made by template duplicate" },
	{ "msPKI-Supersede-Templates", false, "superseded", NULL },
	{ "pKIDefaultKeySpec", false, "purpose", NULL },
	{ "pKIKeyUsage", true, "key-usage", NULL },
	{ "pKIMaxIssuingDepth", false, "path-length", NULL },
	{ "pKICriticalExtensions", false, "key-usage-critical", NULL },
	{ "pKIExpirationPeriod", true, "validity", NULL },
	{ "pKIOverlapPeriod", true, "renewal", NULL },
	{ "pKIExtendedKeyUsage", false, "application-policies", NULL },
	{ "pKIDefaultCSPs", false, "providers", NULL },
	{ "pKIEnrollmentAccess", true, NULL, "never used" },
	{ "msPKI-RA-Signature", false, "authorized-signatures", NULL },
	{ "msPKI-Enrollment-Flag", false, "enrollment-bits", NULL },
	{ "msPKI-Private-Key-Flag", false, "private-key-bits", NULL },
	{ "msPKI-Certificate-Name-Flag", false, "name-bits", NULL },
	{ "msPKI-Minimal-Key-Size", false, "minimum-key-size", NULL },
	{ "msPKI-RA-Policies", false, "signature-issuance-policies", NULL },
	{ "msPKI-RA-Application-Policies", false, "signature-application-policies", NULL },
	{ "msPKI-Certificate-Policy", false, "issuance-policies", NULL },
	{ "msPKI-Certificate-Application-Policy", false, "application-policies", NULL },
	{ "nTSecurityDescriptor", true, NULL, "template acl shows and sets it" },
};

static const char *
value_text(struct ctl *c, const struct ctl_entry *en, const struct attribute *a)
{
	const struct ctl_attr *found = ctl_entry_attr(en, a->name);
	struct buf b;
	const char *text;

	if (strcmp(a->name, "distinguishedName") == 0)
		return en->dn;
	if (found == NULL || found->n == 0)
		return "(not set)";
	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < found->n; i++) {
		struct bytes v = found->values[i];

		if (i > 0)
			buf_put(&b, "; ", 2);
		if (!a->octets)
			buf_put_bytes(&b, v);
		else if (v.len > 16)
			buf_printf(&b, "%zu octets", v.len);
		else
			text_put_hex(&b, v);
	}
	text = buf_ok(&b) ? pool_strndup(c->pool, (const char *)b.p, b.len) : "(too long to show)";
	buf_fini(&b);
	return text;
}

void
ctl_template_attributes(struct ctl *c, const struct ctl_entry *en, ctl_attribute_fn *fn, void *arg)
{
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		const struct attribute *a = &attributes[i];
		const char *value = value_text(c, en, a);

		if (a->set != NULL)
			fn(arg, a->name, pool_printf(c->pool, "%s  [template set --%s]", value, a->set));
		else
			fn(arg, a->name, pool_printf(c->pool, "%s  [not settable: %s]", value, a->why));
	}
}
