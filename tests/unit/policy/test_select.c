/* Steps 14 to 21: size, which template, published, compatible, version, Enroll. */
#include "policy_support.h"

#define STRANGER "CORP\\stranger"

static const char *const stranger[] = { DOMAIN_SID "-1999", "AU", "WD", NULL };
static const char *const connector[] = { DOMAIN_SID "-1104", "DC", "AU", NULL };
static const char *const device_group[] = { DOMAIN_SID "-1200", DOMAIN_SID "-1300", "AU", NULL };

#define ENROLL(who) "(OA;;CR;" ENROLL_GUID ";;" who ")"
#define ENROLL_DENY(who) "(OD;;CR;" ENROLL_GUID ";;" who ")"
#define AUTOENROLL(who) "(OA;;CR;a05b8cc2-17bc-4802-a710-e7c15ab866a2;;" who ")"

static void
as_is(struct desk *d)
{
	(void)d;
}

/* ---- how the request may name the template ---- */

static void
no_name(struct desk *d)
{
	desk_names_template(d, NULL);
}

static void
other_attribute_only(struct desk *d)
{
	desk_names_template(d, NULL);
	desk_attribute(d, "rmd", "ws01.corp.contoso.com");
}

static void
lower_case(struct desk *d)
{
	desk_names_template(d, "intunepkcs");
}

static void
lower_case_attribute(struct desk *d)
{
	d->attributes[0].name = "certificatetemplate";
}

static void
by_extension_name(struct desk *d)
{
	desk_names_template(d, NULL);
	d->request.template_name = "IntunePKCS";
}

static void
by_oid(struct desk *d)
{
	desk_names_template(d, NULL);
	d->request.template_oid = INTUNE_OID;
}

static void
by_all_three(struct desk *d)
{
	d->request.template_name = "INTUNEPKCS";
	d->request.template_oid = INTUNE_OID;
}

static void
same_twice(struct desk *d)
{
	desk_attribute(d, "CertificateTemplate", "intunePKCS");
}

static void
two_attributes(struct desk *d)
{
	desk_template(d, "WebServer");
	desk_attribute(d, "CertificateTemplate", "WebServer");
}

static void
extension_against_attribute(struct desk *d)
{
	desk_template(d, "WebServer");
	d->request.template_name = "WebServer";
}

static void
oid_against_attribute(struct desk *d)
{
	desk_template(d, "WebServer");
	d->request.template_oid = FOREST_OID ".1.16";
}

static void
oid_against_extension(struct desk *d)
{
	desk_template(d, "WebServer");
	desk_names_template(d, NULL);
	d->request.template_name = "IntunePKCS";
	d->request.template_oid = FOREST_OID ".1.16";
}

static void
unknown_name(struct desk *d)
{
	desk_names_template(d, "Intune");
}

static void
name_with_blank(struct desk *d)
{
	desk_names_template(d, "IntunePKCS ");
}

static void
display_name(struct desk *d)
{
	desk_names_template(d, "Intune PKCS");
}

static void
unknown_oid(struct desk *d)
{
	desk_names_template(d, NULL);
	d->request.template_oid = INTUNE_OID ".1";
}

static void
known_and_unknown(struct desk *d)
{
	desk_attribute(d, "CertificateTemplate", "Nothing");
}

static void
unknown_and_known(struct desk *d)
{
	d->request.template_name = "Nothing";
}

static void
not_published(struct desk *d)
{
	d->published.n = 0;
}

static void
published_in_capitals(struct desk *d)
{
	d->published_names[0] = "INTUNEPKCS";
}

static void
published_by_display_name(struct desk *d)
{
	d->published_names[0] = "Intune PKCS";
}

static void
published_not_loaded(struct desk *d)
{
	d->published_names[d->published.n++] = "Broken";
	desk_names_template(d, "Broken");
}

/* ---- compatibility ---- */

static void
level_2016_on_2012(struct desk *d)
{
	d->ca.ca_version = 4;
	desk_set(d, "msPKI-Private-Key-Flag", "101056512");
}

static void
level_2012_on_2012(struct desk *d)
{
	d->ca.ca_version = 4;
	desk_set(d, "msPKI-Private-Key-Flag", "67371008");
}

static void
level_2012r2_on_2012(struct desk *d)
{
	d->ca.ca_version = 4;
	desk_set(d, "msPKI-Private-Key-Flag", "84213760");
}

static void
level_7_on_2016(struct desk *d)
{
	desk_set(d, "msPKI-Private-Key-Flag", "458752");
}

static void
level_6_on_2016(struct desk *d)
{
	desk_set(d, "msPKI-Private-Key-Flag", "393216");
}

static void
level_ignored_before_2012(struct desk *d)
{
	d->ca.ca_version = 3;
	desk_set(d, "msPKI-Private-Key-Flag", "393216");
}

static void
level_7_on_schema_1(struct desk *d)
{
	level_7_on_2016(d);
	desk_set(d, "msPKI-Template-Schema-Version", "1");
}

static void
schema_4_on_2008r2(struct desk *d)
{
	d->ca.ca_version = 3;
	desk_set(d, "msPKI-Template-Schema-Version", "4");
}

static void
schema_4_on_2012(struct desk *d)
{
	d->ca.ca_version = 4;
	desk_set(d, "msPKI-Template-Schema-Version", "4");
}

static void
schema_3_on_2008(struct desk *d)
{
	d->ca.ca_version = 2;
	desk_set(d, "msPKI-Template-Schema-Version", "3");
}

static void
schema_3_on_2003(struct desk *d)
{
	d->ca.ca_version = 1;
	desk_set(d, "msPKI-Template-Schema-Version", "3");
}

static void
schema_2_on_2003(struct desk *d)
{
	d->ca.ca_version = 1;
}

/* ---- version: the template is at 100.3 ---- */

static void
made_from(struct desk *d, uint32_t major, uint32_t minor)
{
	d->request.template_oid = INTUNE_OID;
	d->request.has_template_version = true;
	d->request.template_major = major;
	d->request.template_minor = minor;
}

static void
same_version(struct desk *d)
{
	made_from(d, 100, 3);
}

static void
older_version(struct desk *d)
{
	made_from(d, 99, 2);
}

static void
newer_minor(struct desk *d)
{
	made_from(d, 100, 4);
}

static void
newer_major(struct desk *d)
{
	made_from(d, 101, 0);
}

/* The specification compares the two numbers one by one. */
static void
older_major_newer_minor(struct desk *d)
{
	made_from(d, 99, 4);
}

static void
newer_but_schema_1(struct desk *d)
{
	desk_set(d, "msPKI-Template-Schema-Version", "1");
	made_from(d, 200, 0);
}

/* ---- Enroll ---- */

static void
dacl(struct desk *d, const char *account, const char *const *sids, const char *sddl)
{
	desk_caller(d, account, sids);
	desk_set(d, "nTSecurityDescriptor", sddl);
}

static void
not_allowed(struct desk *d)
{
	desk_caller(d, STRANGER, stranger);
}

static void
own_ace(struct desk *d)
{
	desk_caller(d, "CORP\\PFXCONN01$", connector);
}

static void
through_group(struct desk *d)
{
	dacl(d, "CORP\\WS01$", device_group, "D:" ENROLL(DOMAIN_SID "-1300"));
}

static void
autoenroll_only(struct desk *d)
{
	dacl(d, STRANGER, stranger, "D:" AUTOENROLL("AU"));
}

static void
read_only(struct desk *d)
{
	dacl(d, STRANGER, stranger, "D:(A;;LCRPLORC;;;AU)");
}

static void
full_control_of_console(struct desk *d)
{
	dacl(d, STRANGER, stranger, "D:(A;;0xf00ff;;;AU)");
}

static void
generic_all(struct desk *d)
{
	dacl(d, STRANGER, stranger, "D:(A;;0xf01ff;;;AU)");
}

static void
all_extended_rights(struct desk *d)
{
	dacl(d, STRANGER, stranger, "D:(OA;;CR;;;AU)");
}

static void
deny_first(struct desk *d)
{
	dacl(d, STRANGER, stranger, "D:" ENROLL_DENY(DOMAIN_SID "-1999") ENROLL("AU"));
}

static void
deny_last(struct desk *d)
{
	dacl(d, STRANGER, stranger, "D:" ENROLL("AU") ENROLL_DENY(DOMAIN_SID "-1999"));
}

static void
inherit_only(struct desk *d)
{
	dacl(d, STRANGER, stranger, "D:(OA;IO;CR;" ENROLL_GUID ";;AU)");
}

static void
empty_dacl(struct desk *d)
{
	dacl(d, STRANGER, stranger, "D:");
}

static void
no_descriptor(struct desk *d)
{
	desk_caller(d, STRANGER, stranger);
	desk_unset(d, "nTSecurityDescriptor");
}

static void
owner_only(struct desk *d)
{
	dacl(d, STRANGER, stranger, "O:" DOMAIN_SID "-1999D:(A;;WDWO;;;AU)");
}

/* ---- step 14 ---- */

static void
extension_of(struct desk *d, size_t octets)
{
	char *hex = pool_alloc(d->pool, 2 * octets + 1);

	memset(hex, '0', 2 * octets);
	desk_extension(d, "1.2.3.4", false, hex);
}

static void
extension_4096(struct desk *d)
{
	extension_of(d, 4096);
}

static void
extension_4097(struct desk *d)
{
	extension_of(d, 4097);
}

static void
extension_4097_allowed(struct desk *d)
{
	d->ca.max_extension = 16384;
	extension_of(d, 4097);
}

static void
extension_16385(struct desk *d)
{
	d->ca.max_extension = 16384;
	extension_of(d, 16385);
}

static const struct {
	const char *name;
	void (*change)(struct desk *d);
	uint32_t hr;
	int step;
} cases[] = {
	{ "named by the attribute", as_is, 0, 0 },
	{ "no template named", no_name, CERTSRV_E_NO_CERT_TYPE, 16 },
	{ "other attributes only", other_attribute_only, CERTSRV_E_NO_CERT_TYPE, 16 },
	{ "case of the name does not matter", lower_case, 0, 0 },
	{ "case of the attribute does not matter", lower_case_attribute, 0, 0 },
	{ "named by extension 20.2", by_extension_name, 0, 0 },
	{ "named by extension 21.7", by_oid, 0, 0 },
	{ "named thrice alike", by_all_three, 0, 0 },
	{ "named twice by attribute", same_twice, 0, 0 },
	{ "two attributes differ", two_attributes, CERTSRV_E_TEMPLATE_CONFLICT, 17 },
	{ "20.2 against attribute", extension_against_attribute, CERTSRV_E_TEMPLATE_CONFLICT, 17 },
	{ "21.7 against attribute", oid_against_attribute, CERTSRV_E_TEMPLATE_CONFLICT, 17 },
	{ "21.7 against 20.2", oid_against_extension, CERTSRV_E_TEMPLATE_CONFLICT, 17 },
	{ "unknown name", unknown_name, CERTSRV_E_UNSUPPORTED_CERT_TYPE, 16 },
	{ "a blank more", name_with_blank, CERTSRV_E_UNSUPPORTED_CERT_TYPE, 16 },
	{ "display name is no name", display_name, CERTSRV_E_UNSUPPORTED_CERT_TYPE, 16 },
	{ "unknown OID", unknown_oid, CERTSRV_E_UNSUPPORTED_CERT_TYPE, 16 },
	{ "a known and an unknown name", known_and_unknown, CERTSRV_E_UNSUPPORTED_CERT_TYPE, 16 },
	{ "an unknown and a known name", unknown_and_known, CERTSRV_E_UNSUPPORTED_CERT_TYPE, 16 },
	{ "not published", not_published, CERTSRV_E_UNSUPPORTED_CERT_TYPE, 18 },
	{ "published in other case", published_in_capitals, 0, 0 },
	{ "published by display name", published_by_display_name, CERTSRV_E_UNSUPPORTED_CERT_TYPE, 18 },
	{ "published but not loadable", published_not_loaded, CERTSRV_E_UNSUPPORTED_CERT_TYPE, 16 },
	{ "2016 level on a 2012 CA", level_2016_on_2012, CERTSRV_E_UNSUPPORTED_CERT_TYPE, 18 },
	{ "2012 level on a 2012 CA", level_2012_on_2012, 0, 0 },
	{ "2012 R2 level on a 2012 CA", level_2012r2_on_2012, CERTSRV_E_UNSUPPORTED_CERT_TYPE, 18 },
	{ "2016 level on a 2016 CA", level_6_on_2016, 0, 0 },
	{ "level 7 on a 2016 CA", level_7_on_2016, CERTSRV_E_UNSUPPORTED_CERT_TYPE, 18 },
	{ "schema 1 has no level", level_7_on_schema_1, 0, 0 },
	{ "CAs before 2012 ignore the level", level_ignored_before_2012, 0, 0 },
	{ "schema 4 on a 2008 R2 CA", schema_4_on_2008r2, CERTSRV_E_UNSUPPORTED_CERT_TYPE, 18 },
	{ "schema 4 on a 2012 CA", schema_4_on_2012, 0, 0 },
	{ "schema 3 on a 2008 CA", schema_3_on_2008, 0, 0 },
	{ "schema 3 on a 2003 CA", schema_3_on_2003, CERTSRV_E_UNSUPPORTED_CERT_TYPE, 18 },
	{ "schema 2 on a 2003 CA", schema_2_on_2003, 0, 0 },
	{ "made from the same version", same_version, 0, 0 },
	{ "made from an older version", older_version, 0, 0 },
	{ "newer minor version", newer_minor, CERTSRV_E_BAD_TEMPLATE_VERSION, 19 },
	{ "newer major version", newer_major, CERTSRV_E_BAD_TEMPLATE_VERSION, 19 },
	{ "older major, newer minor", older_major_newer_minor, CERTSRV_E_BAD_TEMPLATE_VERSION, 19 },
	{ "schema 1 has no version check", newer_but_schema_1, 0, 0 },
	{ "no ACE for the caller", not_allowed, CERTSRV_E_TEMPLATE_DENIED, 21 },
	{ "ACE of the account itself", own_ace, 0, 0 },
	{ "ACE of a group", through_group, 0, 0 },
	{ "Autoenroll is not Enroll", autoenroll_only, CERTSRV_E_TEMPLATE_DENIED, 21 },
	{ "Read is not Enroll", read_only, CERTSRV_E_TEMPLATE_DENIED, 21 },
	{ "console's Full Control is not Enroll", full_control_of_console, CERTSRV_E_TEMPLATE_DENIED, 21 },
	{ "GenericAll includes Enroll", generic_all, 0, 0 },
	{ "all extended rights include Enroll", all_extended_rights, 0, 0 },
	{ "deny before allow", deny_first, CERTSRV_E_TEMPLATE_DENIED, 21 },
	{ "allow before deny", deny_last, 0, 0 },
	{ "inherit-only ACE", inherit_only, CERTSRV_E_TEMPLATE_DENIED, 21 },
	{ "empty DACL", empty_dacl, CERTSRV_E_TEMPLATE_DENIED, 21 },
	{ "no descriptor", no_descriptor, 0, 0 },
	{ "the owner may not enroll", owner_only, CERTSRV_E_TEMPLATE_DENIED, 21 },
	{ "extension of 4096 octets", extension_4096, 0, 0 },
	{ "extension of 4097 octets", extension_4097, ESE_RECORD_TOO_BIG, 14 },
	{ "4097 octets with larger columns", extension_4097_allowed, 0, 0 },
	{ "16385 octets with larger columns", extension_16385, ESE_RECORD_TOO_BIG, 14 },
};

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct desk *d = desk_open("IntunePKCS");

		cases[i].change(d);
		desk_run(d);
		expect(d, cases[i].name, cases[i].hr, cases[i].step);
		assert_true(cases[i].hr != 0 || d->out.template == &d->templates[0]);
		desk_close(d);
	}
}

/* ---- what the client reads, and what helps the administrator ---- */

static const struct {
	const char *name;
	void (*change)(struct desk *d);
	const char *policy_text, *fix; /* fix: a part of it */
} texts[] = {
	{ "unknown", unknown_name,
	    "The request was for a certificate template that is not supported by the Active Directory Certificate Services "
	    "policy: Intune.",
	    "Certificate Template to Issue" },
	{ "not published", not_published,
	    "The request was for a certificate template that is not supported by the Active Directory Certificate Services "
	    "policy: IntunePKCS.",
	    "New > Certificate Template to Issue: Intune PKCS" },
	{ "display name", display_name,
	    "The request was for a certificate template that is not supported by the Active Directory Certificate Services "
	    "policy: Intune PKCS.",
	    "name the template by its Template name, \"IntunePKCS\"" },
	{ "not loadable", published_not_loaded,
	    "The request was for a certificate template that is not supported by the Active Directory Certificate Services "
	    "policy: Broken.",
	    "repair the attribute" },
	{ "none", no_name,
	    "The request does not contain a certificate template extension or the CertificateTemplate request attribute.",
	    "CertificateTemplate:<Template name>" },
	{ "denied", not_allowed, NULL,
	    "Certificate Templates console > IntunePKCS > Properties > Security: allow Enroll for CORP\\stranger or one of "
	    "its groups" },
	{ "deny ACE", deny_first, NULL, "clear Deny for " DOMAIN_SID "-1999 (" DOMAIN_SID "-1999)" },
	{ "conflict", two_attributes, NULL, "name one template" },
};

static void
test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct desk *d = desk_open("IntunePKCS");

		texts[i].change(d);
		desk_run(d);
		assert_int_equal(d->out.outcome, POLICY_DENY);
		if (texts[i].policy_text == NULL)
			assert_null(d->out.policy_text);
		else
			assert_string_equal(d->out.policy_text, texts[i].policy_text);
		if (strstr(last_reason(d)->fix, texts[i].fix) == NULL)
			fail_msg("\"%s\": fix is \"%s\"", texts[i].name, last_reason(d)->fix);
		desk_close(d);
	}
}

/* The ACE that decided is in the explanation, refusing or granting. */
static void
test_enroll_ace(void **state)
{
	struct desk *d = desk_open("IntunePKCS");
	const char *text = NULL;

	(void)state;
	through_group(d);
	desk_run(d);
	for (size_t i = 0; i < d->out.n_reasons; i++)
		if (d->out.reasons[i].step == 21)
			text = d->out.reasons[i].text;
	assert_non_null(text);
	assert_non_null(strstr(text, "(OA;;CR;" ENROLL_GUID ";;" DOMAIN_SID "-1300)"));
	desk_close(d);

	d = desk_open("IntunePKCS");
	deny_first(d);
	desk_run(d);
	assert_non_null(strstr(last_reason(d)->text, "(OD;;CR;" ENROLL_GUID ";;" DOMAIN_SID "-1999)"));
	desk_close(d);
}

static const struct {
	const char *name;
	const char *template;
	void (*change)(struct desk *d);
	bool needs;
} needs[] = {
	{ "built from the directory", "User", as_is, true },
	{ "supplied", "IntunePKCS", as_is, false },
	{ "none named", "User", no_name, false },
	{ "unknown", "User", unknown_name, false },
	{ "conflicting", "User", two_attributes, false },
};

static void
test_needs_subject(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
		struct desk *d = desk_open(needs[i].template);

		needs[i].change(d);
		for (size_t t = 0; t < d->n_templates; t++)
			assert_int_equal(desk_decode(d, (int)t), 0);
		d->in.n_templates = d->n_templates;
		if (policy_needs_subject(&d->in) != needs[i].needs)
			fail_msg("\"%s\"", needs[i].name);
		desk_close(d);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_enroll_ace),
		cmocka_unit_test(test_needs_subject),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
