/* Step 38: which extensions a certificate gets, their order, criticality and octets. */
#include "policy_support.h"

static const char *const sid_disabled[] = { OID_NTDS_CA_SECURITY_EXT };
static const char *const smime_disabled[] = { OID_SMIME_CAPABILITIES };
static const char *const cdp_disabled[] = { OID_CRL_DISTRIBUTION_POINTS };
static const char *const san_disabled[] = { OID_SUBJECT_ALT_NAME };
static const char *const private_enabled[] = { "1.2.3.4", OID_AUTHORITY_KEY_IDENTIFIER };
static const char *const ocsp_url[] = { "http://ocsp.contoso.com" };

#define TEMPLATE_NAME_USER                                                                                   \
	"1e08"                                                                                               \
	"0055007300650072"
#define SKI                                                                                                  \
	"0414"                                                                                               \
	"0102030405060708090a0b0c0d0e0f1011121314"
#define SID_TEXT_HEX "532d312d352d32312d312d322d332d35303030" /* S-1-5-21-1-2-3-5000 */
#define SID_VALUE                                                                                            \
	"3023a021060a2b060104018237190201a0130411"                                                           \
	"532d312d352d32312d312d322d332d3530"
#define KU                                                                                                   \
	"0302"                                                                                               \
	"0106"
#define EKU                                                                                                  \
	"300a0608"                                                                                           \
	"2b06010505070301"
#define APP                                                                                                  \
	"300c300a0608"                                                                                       \
	"2b06010505070301"
#define BC_CA "30030101ff"

struct row {
	const char *oid;
	bool critical;
	const char *hex;
};

/* What Windows clients send, in their order. */
#define WINDOWS_2                                                                                            \
	{ OID_CERTIFICATE_TEMPLATE, false, "3000" }, { OID_EXTENDED_KEY_USAGE, false, EKU },                 \
	    { OID_KEY_USAGE, true, KU }, { OID_APPLICATION_CERT_POLICIES, false, APP },                      \
	    { OID_SMIME_CAPABILITIES, false, "3000" },                                                       \
	{                                                                                                    \
		OID_SUBJECT_KEY_IDENTIFIER, false, SKI                                                       \
	}
#define WINDOWS_1                                                                                            \
	{ OID_ENROLL_CERTTYPE, false, TEMPLATE_NAME_USER }, { OID_EXTENDED_KEY_USAGE, false, EKU },          \
	    { OID_KEY_USAGE, true, KU }, { OID_SMIME_CAPABILITIES, false, "3000" },                          \
	{                                                                                                    \
		OID_SUBJECT_KEY_IDENTIFIER, false, SKI                                                       \
	}

#define X_20_2 "1.3.6.1.4.1.311.20.2"
#define X_21_7 "1.3.6.1.4.1.311.21.7"
#define X_21_10 "1.3.6.1.4.1.311.21.10"
#define X_25_2 "1.3.6.1.4.1.311.25.2"
#define X_SMIME "1.2.840.113549.1.9.15"
#define X_AIA "1.3.6.1.5.5.7.1.1"
#define SKI_TO_AIA "2.5.29.14 2.5.29.35 2.5.29.31 " X_AIA

static void
as_is(struct desk *d)
{
	(void)d;
}

static void
disable_sid(struct desk *d)
{
	d->ca.disable_extensions = (struct x509_strings)STRINGS(sid_disabled);
}

static void
disable_sid_flag_off(struct desk *d)
{
	disable_sid(d);
	d->ca.edit_flags &= ~(uint32_t)EDITF_DISABLEEXTENSIONLIST;
}

static void
disable_smime(struct desk *d)
{
	d->ca.disable_extensions = (struct x509_strings)STRINGS(smime_disabled);
}

static void
disable_cdp(struct desk *d)
{
	d->ca.disable_extensions = (struct x509_strings)STRINGS(cdp_disabled);
}

static void
disable_san(struct desk *d)
{
	d->ca.disable_extensions = (struct x509_strings)STRINGS(san_disabled);
}

static void
enable_private(struct desk *d)
{
	d->ca.enable_request_extensions = (struct x509_strings)STRINGS(private_enabled);
}

static void
enable_private_flag_off(struct desk *d)
{
	enable_private(d);
	d->ca.edit_flags &= ~(uint32_t)EDITF_REQUESTEXTENSIONLIST;
}

static void
enable_all(struct desk *d)
{
	d->ca.edit_flags |= EDITF_ENABLEREQUESTEXTENSIONS;
}

static void
esc15(struct desk *d)
{
	d->ca.esc15_copy_application_policies = true;
}

static void
no_sid_flag(struct desk *d)
{
	desk_set(d, "msPKI-Enrollment-Flag", "524288");
}

static void
no_revocation(struct desk *d)
{
	desk_set(d, "msPKI-Enrollment-Flag", "16384");
}

static void
nocheck_schema_1(struct desk *d)
{
	desk_set(d, "msPKI-Enrollment-Flag", "4096");
	desk_set(d, "msPKI-Certificate-Application-Policy", "1.3.6.1.5.5.7.3.9");
	desk_set(d, "msPKI-Template-Schema-Version", "1");
}

static void
nocheck_without_policy(struct desk *d)
{
	desk_set(d, "msPKI-Enrollment-Flag", "4096");
}

static void
nocheck_alone(struct desk *d)
{
	desk_set(d, "msPKI-Enrollment-Flag", "4096");
}

static void
basic_constraints(struct desk *d)
{
	desk_set(d, "msPKI-Enrollment-Flag", "32768");
}

static void
basic_constraints_not_critical(struct desk *d)
{
	basic_constraints(d);
	d->ca.edit_flags &= ~(uint32_t)EDITF_BASICCONSTRAINTSCRITICAL;
}

static void
basic_constraints_by_list(struct desk *d)
{
	basic_constraints_not_critical(d);
	desk_add(d, "pKICriticalExtensions", OID_BASIC_CONSTRAINTS);
}

static void
no_key_usage(struct desk *d)
{
	desk_unset(d, "pKIKeyUsage");
}

static void
no_eku(struct desk *d)
{
	desk_unset(d, "pKIExtendedKeyUsage");
	desk_unset(d, "msPKI-Certificate-Application-Policy");
}

static void
nothing_critical(struct desk *d)
{
	desk_unset(d, "pKICriticalExtensions");
}

static void
all_critical(struct desk *d)
{
	desk_add(d, "pKICriticalExtensions", OID_EXTENDED_KEY_USAGE);
	desk_add(d, "pKICriticalExtensions", OID_APPLICATION_CERT_POLICIES);
	desk_add(d, "pKICriticalExtensions", OID_CERTIFICATE_TEMPLATE);
}

static void
san_critical(struct desk *d)
{
	desk_add(d, "pKICriticalExtensions", OID_SUBJECT_ALT_NAME);
}

static void
no_aki(struct desk *d)
{
	d->ca.edit_flags &= ~(uint32_t)EDITF_ENABLEAKIKEYID;
}

static void
aki_critical(struct desk *d)
{
	d->ca.edit_flags |= EDITF_ENABLEAKICRITICAL;
}

static void
no_urls(struct desk *d)
{
	d->ca.cdp_urls.n = d->ca.aia_urls.n = 0;
}

static void
only_ocsp_url(struct desk *d)
{
	no_urls(d);
	d->ca.ocsp_urls = (struct x509_strings)STRINGS(ocsp_url);
}

static void
only_ocsp_url_no_revocation(struct desk *d)
{
	only_ocsp_url(d);
	no_revocation(d);
}

static void
no_add_template_name(struct desk *d)
{
	desk_set(d, "flags", "65601");
}

static const struct {
	const char *name, *template;
	void (*change)(struct desk *d);
	struct row request[8];
	const char *order;
} orders[] = {
	/* the three rows of issuance.md "Resulting order" */
	{ "Windows client, schema 2, from the directory", "Workstation", as_is, { WINDOWS_2 },
	    X_21_7 " 2.5.29.37 2.5.29.15! " X_21_10 " " X_SMIME " " SKI_TO_AIA " 2.5.29.17! " X_25_2 },
	{ "Windows client, schema 1, from the directory", "User", as_is, { WINDOWS_1 },
	    X_20_2 " 2.5.29.37 2.5.29.15! " X_SMIME " " SKI_TO_AIA " 2.5.29.17 " X_25_2 },
	{ "plain request with a SAN, WebServer", "WebServer", as_is,
	    { { OID_SUBJECT_ALT_NAME, false, SAN_DEVICE } },
	    "2.5.29.17 " SKI_TO_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37" },

	{ "nothing in the request, WebServer", "WebServer", as_is, { { 0 } },
	    SKI_TO_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37" },
	{ "nothing in the request, Intune", "IntunePKCS", as_is, { { 0 } },
	    SKI_TO_AIA " " X_21_7 " 2.5.29.15! 2.5.29.37 " X_21_10 },
	{ "nothing in the request, User", "User", as_is, { { 0 } },
	    SKI_TO_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37 " X_SMIME " 2.5.29.17 " X_25_2 },
	{ "SAN of the request is dropped", "User", as_is, { { OID_SUBJECT_ALT_NAME, true, SAN_DEVICE } },
	    SKI_TO_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37 " X_SMIME " 2.5.29.17 " X_25_2 },
	{ "SAN keeps its criticality", "WebServer", as_is, { { OID_SUBJECT_ALT_NAME, true, SAN_DEVICE } },
	    "2.5.29.17! " SKI_TO_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37" },
	{ "SAN of the directory, by list", "Workstation", san_critical, { { 0 } },
	    SKI_TO_AIA " " X_21_7 " 2.5.29.15! 2.5.29.37 " X_21_10 " 2.5.29.17! " X_25_2 },
	{ "SAN disabled", "WebServer", disable_san, { { OID_SUBJECT_ALT_NAME, false, SAN_DEVICE } },
	    SKI_TO_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37" },

	{ "SID of the request, supplied", "IntunePKCS", as_is,
	    { { OID_NTDS_CA_SECURITY_EXT, false, SID_VALUE } },
	    X_25_2 " " SKI_TO_AIA " " X_21_7 " 2.5.29.15! 2.5.29.37 " X_21_10 },
	{ "SID of the request, critical", "IntunePKCS", as_is, { { OID_NTDS_CA_SECURITY_EXT, true, SID_VALUE } },
	    X_25_2 " " SKI_TO_AIA " " X_21_7 " 2.5.29.15! 2.5.29.37 " X_21_10 },
	{ "critical key identifier and capabilities", "WebServer", as_is,
	    { { OID_SUBJECT_KEY_IDENTIFIER, true, "0414000102030405060708090a0b0c0d0e0f10111213" },
		{ OID_SMIME_CAPABILITIES, true, "3000" } },
	    "2.5.29.14 " X_SMIME " 2.5.29.35 2.5.29.31 " X_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37" },
	{ "SID of the request, flag against it", "IntunePKCS", no_sid_flag,
	    { { OID_NTDS_CA_SECURITY_EXT, false, SID_VALUE } },
	    SKI_TO_AIA " " X_21_7 " 2.5.29.15! 2.5.29.37 " X_21_10 },
	{ "SID of the request, disabled", "IntunePKCS", disable_sid,
	    { { OID_NTDS_CA_SECURITY_EXT, false, SID_VALUE } },
	    SKI_TO_AIA " " X_21_7 " 2.5.29.15! 2.5.29.37 " X_21_10 },
	{ "SID disabled, flag of the list off", "IntunePKCS", disable_sid_flag_off,
	    { { OID_NTDS_CA_SECURITY_EXT, false, SID_VALUE } },
	    X_25_2 " " SKI_TO_AIA " " X_21_7 " 2.5.29.15! 2.5.29.37 " X_21_10 },
	{ "SID of the directory, disabled", "Workstation", disable_sid, { { 0 } },
	    SKI_TO_AIA " " X_21_7 " 2.5.29.15! 2.5.29.37 " X_21_10 " 2.5.29.17!" },
	{ "SID of the directory, flag against it", "Workstation", no_sid_flag, { { 0 } },
	    SKI_TO_AIA " " X_21_7 " 2.5.29.15! 2.5.29.37 " X_21_10 " 2.5.29.17!" },
	{ "SID of the request gives way to the directory's", "Workstation", as_is,
	    { { OID_NTDS_CA_SECURITY_EXT, false, SID_VALUE } },
	    SKI_TO_AIA " " X_21_7 " 2.5.29.15! 2.5.29.37 " X_21_10 " 2.5.29.17! " X_25_2 },

	{ "unknown extension is stored only", "WebServer", as_is, { { "1.2.3.4", true, "0500" } },
	    SKI_TO_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37" },
	{ "listed extension stays", "WebServer", enable_private, { { "1.2.3.4", true, "0500" } },
	    "1.2.3.4! " SKI_TO_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37" },
	{ "listed, flag of the list off", "WebServer", enable_private_flag_off,
	    { { "1.2.3.4", true, "0500" } }, SKI_TO_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37" },
	{ "every extension enabled", "WebServer", enable_all,
	    { { "1.2.3.4", false, "0500" }, { "1.2.3.5", false, "0500" } },
	    "1.2.3.4 1.2.3.5 " SKI_TO_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37" },
	{ "name constraints are in the default list", "WebServer", as_is, { { "2.5.29.30", true, "3000" } },
	    "2.5.29.30! " SKI_TO_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37" },
	{ "AKI of the request is not wanted", "WebServer", as_is,
	    { { OID_AUTHORITY_KEY_IDENTIFIER, false, "3000" } },
	    SKI_TO_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37" },
	{ "AKI of the request, listed, is not doubled", "WebServer", enable_private,
	    { { OID_AUTHORITY_KEY_IDENTIFIER, false, "3000" } },
	    "2.5.29.35 2.5.29.14 2.5.29.31 " X_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37" },
	{ "repeated extension", "WebServer", enable_private,
	    { { "1.2.3.4", false, "0500" }, { "1.2.3.4", true, "0101ff" } },
	    "1.2.3.4 " SKI_TO_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37" },
	{ "template's extensions keep the request's places", "WebServer", as_is,
	    { { OID_EXTENDED_KEY_USAGE, true, EKU }, { OID_SUBJECT_ALT_NAME, false, SAN_DEVICE },
		{ OID_KEY_USAGE, false, KU } },
	    "2.5.29.37 2.5.29.17 2.5.29.15! " SKI_TO_AIA " " X_20_2 },
	{ "basic constraints of a plain request vanish", "WebServer", as_is,
	    { { OID_BASIC_CONSTRAINTS, true, BC_CA } }, SKI_TO_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37" },
	{ "application policies on schema 1 vanish", "WebServer", as_is,
	    { { OID_APPLICATION_CERT_POLICIES, false, APP } },
	    SKI_TO_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37" },
	{ "before CVE-2024-49019 they stayed", "WebServer", esc15,
	    { { OID_APPLICATION_CERT_POLICIES, false, APP } },
	    X_21_10 " " SKI_TO_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37" },
	{ "on schema 2 the template's stand", "IntunePKCS", esc15,
	    { { OID_APPLICATION_CERT_POLICIES, false, APP } },
	    X_21_10 " " SKI_TO_AIA " " X_21_7 " 2.5.29.15! 2.5.29.37" },
	{ "template id of the other schema vanishes", "IntunePKCS", as_is,
	    { { OID_ENROLL_CERTTYPE, false, "1e00" } },
	    SKI_TO_AIA " " X_21_7 " 2.5.29.15! 2.5.29.37 " X_21_10 },
	{ "SMIME disabled", "User", disable_smime, { { OID_SMIME_CAPABILITIES, false, "3000" } },
	    SKI_TO_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37 2.5.29.17 " X_25_2 },
	{ "CDP disabled", "WebServer", disable_cdp, { { 0 } },
	    "2.5.29.14 2.5.29.35 " X_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37" },

	{ "no key usage", "WebServer", no_key_usage, { { 0 } }, SKI_TO_AIA " " X_20_2 " 2.5.29.37" },
	{ "any purpose", "IntunePKCS", no_eku, { { OID_EXTENDED_KEY_USAGE, false, EKU } },
	    SKI_TO_AIA " " X_21_7 " 2.5.29.15!" },
	{ "nothing critical", "WebServer", nothing_critical, { { OID_KEY_USAGE, true, KU } },
	    "2.5.29.15 " SKI_TO_AIA " " X_20_2 " 2.5.29.37" },
	{ "more critical", "IntunePKCS", all_critical, { { 0 } },
	    SKI_TO_AIA " " X_21_7 "! 2.5.29.15! 2.5.29.37! " X_21_10 "!" },
	{ "schema 1 without ADD_TEMPLATE_NAME", "WebServer", no_add_template_name, { { 0 } },
	    SKI_TO_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37" },
	{ "no AKI", "WebServer", no_aki, { { 0 } },
	    "2.5.29.14 2.5.29.31 " X_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37" },
	{ "critical AKI", "WebServer", aki_critical, { { 0 } },
	    "2.5.29.14 2.5.29.35! 2.5.29.31 " X_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37" },
	{ "no URLs", "WebServer", no_urls, { { 0 } }, "2.5.29.14 2.5.29.35 " X_20_2 " 2.5.29.15! 2.5.29.37" },
	{ "an OCSP URL alone", "IntunePKCS", only_ocsp_url, { { 0 } },
	    "2.5.29.14 2.5.29.35 " X_AIA " " X_21_7 " 2.5.29.15! 2.5.29.37 " X_21_10 },
	{ "no revocation information", "IntunePKCS", no_revocation, { { 0 } },
	    "2.5.29.14 2.5.29.35 " X_AIA " " X_21_7 " 2.5.29.15! 2.5.29.37 " X_21_10 },
	{ "no revocation information, OCSP URL alone", "IntunePKCS", only_ocsp_url_no_revocation, { { 0 } },
	    "2.5.29.14 2.5.29.35 " X_21_7 " 2.5.29.15! 2.5.29.37 " X_21_10 },
	{ "OCSP responder", "OCSPResponseSigning", as_is, { { 0 } },
	    "2.5.29.14 2.5.29.35 " X_21_7 " 2.5.29.15! 2.5.29.37 " X_21_10 " 1.3.6.1.5.5.7.48.1.5 " X_25_2 },
	{ "OCSP responder, no check alone", "OCSPResponseSigning", nocheck_alone, { { 0 } },
	    "2.5.29.14 2.5.29.35 " X_21_7 " 2.5.29.15! 2.5.29.37 " X_21_10 " 1.3.6.1.5.5.7.48.1.5 " X_25_2 },
	{ "no check on schema 1", "IntunePKCS", nocheck_schema_1, { { 0 } },
	    SKI_TO_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37" },
	{ "no check without the policy", "IntunePKCS", nocheck_without_policy, { { 0 } },
	    SKI_TO_AIA " " X_21_7 " 2.5.29.15! 2.5.29.37 " X_21_10 },
	{ "basic constraints of an end entity", "IntunePKCS", basic_constraints, { { 0 } },
	    SKI_TO_AIA " " X_21_7 " 2.5.29.15! 2.5.29.19! 2.5.29.37 " X_21_10 },
	{ "not critical", "IntunePKCS", basic_constraints_not_critical, { { 0 } },
	    SKI_TO_AIA " " X_21_7 " 2.5.29.15! 2.5.29.19 2.5.29.37 " X_21_10 },
	{ "critical by the template's list", "IntunePKCS", basic_constraints_by_list, { { 0 } },
	    SKI_TO_AIA " " X_21_7 " 2.5.29.15! 2.5.29.19! 2.5.29.37 " X_21_10 },
	{ "subordinate CA", "SubCA", as_is, { { 0 } }, SKI_TO_AIA " " X_20_2 " 2.5.29.15! 2.5.29.19!" },
};

static void
test_orders(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		struct desk *d = desk_open(orders[i].template);

		orders[i].change(d);
		for (const struct row *r = orders[i].request; r->oid != NULL; r++)
			desk_extension(d, r->oid, r->critical, r->hex);
		if (strcmp(orders[i].template, "OCSPResponseSigning") == 0)
			desk_set(d, "msPKI-Certificate-Name-Flag", "268435456");
		desk_run(d);
		expect(d, orders[i].name, 0, 0);
		if (strcmp(order_of(d), orders[i].order) != 0)
			fail_msg("\"%s\":\n got %s\nwant %s", orders[i].name, order_of(d), orders[i].order);
		desk_close(d);
	}
}

/* Octets of values the template decides (issuance.md section 4). */
static const struct {
	const char *name, *template;
	const char *set[2][2];
	const char *oid, *hex; /* NULL: absent */
} values[] = {
	{ "template name", "User", { { 0 } }, OID_ENROLL_CERTTYPE, TEMPLATE_NAME_USER },
	{ "template version", "IntunePKCS", { { "msPKI-Cert-Template-OID", "1.3.6.1.4.1.311.21.8.1.2" } },
	    OID_CERTIFICATE_TEMPLATE, "3013060b2b06010401823715080102020164020103" },
	{ "key usage A0", "User", { { 0 } }, OID_KEY_USAGE, "030205a0" },
	{ "key usage 80", "IntunePKCS", { { "pKIKeyUsage", "8000" } }, OID_KEY_USAGE, "03020780" },
	{ "key usage 20", "IntunePKCS", { { "pKIKeyUsage", "20" } }, OID_KEY_USAGE, "03020520" },
	{ "key usage 86", "SubCA", { { 0 } }, OID_KEY_USAGE, "03020186" },
	{ "decipher only", "IntunePKCS", { { "pKIKeyUsage", "0880" } }, OID_KEY_USAGE, "0303070880" },
	{ "no usage bit", "IntunePKCS", { { "pKIKeyUsage", "0000" } }, OID_KEY_USAGE, NULL },
	{ "a CA signs whatever pKIKeyUsage says", "SubCA", { { "pKIKeyUsage", "8000" } }, OID_KEY_USAGE,
	    "03020186" },
	{ "subordinate CA, any depth", "SubCA", { { 0 } }, OID_BASIC_CONSTRAINTS, "30030101ff" },
	{ "subordinate CA, depth 0", "SubCA", { { "pKIMaxIssuingDepth", "0" } }, OID_BASIC_CONSTRAINTS,
	    "30060101ff020100" },
	{ "subordinate CA, depth 3", "SubCA", { { "pKIMaxIssuingDepth", "3" } }, OID_BASIC_CONSTRAINTS,
	    "30060101ff020103" },
	{ "depth as an unsigned number", "SubCA", { { "pKIMaxIssuingDepth", "4294967295" } },
	    OID_BASIC_CONSTRAINTS, "30030101ff" },
	{ "the name SubCA alone makes a CA", "SubCA", { { "flags", "66113" } }, OID_BASIC_CONSTRAINTS,
	    "30030101ff" },
	{ "the CA flag alone makes a CA", "IntunePKCS", { { "flags", "128" } }, OID_BASIC_CONSTRAINTS,
	    "30060101ff020100" },
	{ "the cross CA flag alone makes a CA", "IntunePKCS",
	    { { "flags", "2048" }, { "pKIMaxIssuingDepth", "-1" } }, OID_BASIC_CONSTRAINTS, "30030101ff" },
	{ "end entity", "IntunePKCS", { { "msPKI-Enrollment-Flag", "32768" } }, OID_BASIC_CONSTRAINTS,
	    "3000" },
	{ "extended key usage", "WebServer", { { 0 } }, OID_EXTENDED_KEY_USAGE, EKU },
	{ "application policies", "Workstation", { { 0 } }, OID_APPLICATION_CERT_POLICIES,
	    "300c300a06082b06010505070302" },
	{ "OCSP no check", "OCSPResponseSigning", { { "msPKI-Certificate-Name-Flag", "1" } },
	    OID_PKIX_OCSP_NOCHECK, "0500" },
	{ "authority key identifier", "WebServer", { { 0 } }, OID_AUTHORITY_KEY_IDENTIFIER,
	    "30168014a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3" },
	/* SHA-1 of 30 03 02 01 03 */
	{ "subject key identifier", "WebServer", { { 0 } }, OID_SUBJECT_KEY_IDENTIFIER,
	    "0414"
	    "292b56fa4117860dac1e211cf6f42ab9fe72a61e" },
};

static void
test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		struct desk *d = desk_open(values[i].template);
		const struct x509_extension *x;

		for (size_t k = 0; k < 2 && values[i].set[k][0] != NULL; k++)
			desk_set(d, values[i].set[k][0], values[i].set[k][1]);
		desk_run(d);
		expect(d, values[i].name, 0, 0);
		x = find_extension(d, values[i].oid);
		if (x == NULL && values[i].hex != NULL)
			fail_msg("\"%s\": absent", values[i].name);
		if (x != NULL && (values[i].hex == NULL || strcmp(hex_of(d, x->value), values[i].hex) != 0))
			fail_msg("\"%s\": %s", values[i].name, hex_of(d, x->value));
		desk_close(d);
	}
}

/* SEQUENCE { [0] { 1.3.6.1.4.1.311.25.2.1, [0] OCTET STRING "S-1-5-21-..." } } (MS-WCCE 2.2.2.7.7.4). */
static void
test_sid_octets(void **state)
{
	struct desk *d = desk_open("Workstation");

	(void)state;
	d->subject.sid_text = "S-1-5-21-1-2-3-5000";
	desk_run(d);
	assert_string_equal(hex_of(d, find_extension(d, OID_NTDS_CA_SECURITY_EXT)->value),
	    "3025a023060a2b060104018237190201a0150413" SID_TEXT_HEX);
	desk_close(d);
}

/* The request's SID is copied octet by octet. */
static void
test_sid_supplied(void **state)
{
	struct desk *d = desk_open("IntunePKCS");

	(void)state;
	desk_extension(d, OID_NTDS_CA_SECURITY_EXT, false, SID_VALUE);
	desk_run(d);
	assert_string_equal(hex_of(d, find_extension(d, OID_NTDS_CA_SECURITY_EXT)->value), SID_VALUE);
	desk_close(d);
}

static const struct {
	const char *name, *attribute;
	bool honoured;
	const char *eku;
} usages[] = {
	{ "off by default", "1.2.3.4", false, EKU },
	{ "one", "1.2.3.4", true, "300506032a0304" },
	{ "two", "1.2.3.4,1.2.3.5", true, "300a06032a030406032a0305" },
	{ "blanks", "1.2.3.4, 1.2.3.5", true, "300a06032a030406032a0305" },
	{ "no OID", "server", true, EKU },
	{ "half an OID", "1.2.3.4,x", true, EKU },
	{ "empty piece", "1.2.3.4,,1.2.3.5", true, EKU },
};

static void
test_certificate_usage(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(usages); i++) {
		struct desk *d = desk_open("WebServer");

		desk_attribute(d, "CertificateUsage", usages[i].attribute);
		if (usages[i].honoured)
			d->ca.edit_flags |= EDITF_ATTRIBUTEEKU;
		desk_run(d);
		expect(d, usages[i].name, 0, 0);
		if (strcmp(hex_of(d, find_extension(d, OID_EXTENDED_KEY_USAGE)->value), usages[i].eku) != 0)
			fail_msg("\"%s\": %s", usages[i].name,
			    hex_of(d, find_extension(d, OID_EXTENDED_KEY_USAGE)->value));
		desk_close(d);
	}
}

/* ---- the SAN request attribute ---- */

static const struct {
	const char *name, *template, *value;
	bool honoured;
	const char *hex; /* NULL: the SAN is what it is without the attribute */
} sans[] = {
	{ "off by default", "WebServer", "dns=a.b", false, NULL },
	{ "DNS", "WebServer", "dns=a.b", true, "30058203612e62" },
	{ "type in capitals", "WebServer", "DNS=a.b", true, "30058203612e62" },
	{ "FQDN is DNS", "WebServer", "fqdn=a.b", true, "30058203612e62" },
	{ "two", "WebServer", "dns=a.b&email=a@b", true,
	    "300a8203612e6281"
	    "03614062" },
	{ "URL", "WebServer", "url=x:y", true,
	    "3005"
	    "8603783a79" },
	{ "IPv4", "WebServer", "ipaddress=10.0.0.1", true, "300687040a000001" },
	{ "IPv6", "WebServer", "ipaddress=::1", true, "3012871000000000000000000000000000000001" },
	{ "UPN", "WebServer", "upn=a@b", true, "3015a013060a2b060104018237140203a0050c03614062" },
	{ "SPN as UPN", "WebServer", "spn=a@b", true, "3015a013060a2b060104018237140203a0050c03614062" },
	{ "registered id", "WebServer", "oid=1.2.3", true,
	    "3004"
	    "88022a03" },
	{ "directory name", "WebServer", "dn=CN=x", true, "3010a40e300c310a30080603550403130178" },
	{ "GUID", "WebServer", "guid=f7c3ac41-b8ce-4fb4-aa58-3d1dc0e36b39", true,
	    "3021a01f06092b0601040182371901a012041041acc3f7ceb8b44faa583d1dc0e36b39" },
	{ "other name, plain", "WebServer", "1.2.3=hi", true, "300ca00a06022a03a00404026869" },
	{ "other name, UTF-8", "WebServer", "1.2.3={utf8}hi", true, "300ca00a06022a03a0040c026869" },
	{ "other name, DER in base64", "WebServer", "1.2.3={asn}BQA=", true, "300aa00806022a03a0020500" },
	{ "other name, DER in hex", "WebServer", "1.2.3={hex}0500", true, "300aa00806022a03a0020500" },
	{ "other name, octets in base64", "WebServer", "1.2.3={octet}aGk=", true,
	    "300ca00a06022a03a00404026869" },
	{ "other name, octets in hex", "WebServer", "1.2.3={octet}{hex}6869", true,
	    "300ca00a06022a03a00404026869" },
	{ "any template, from the directory too", "User", "upn=a@b", true,
	    "3015a013060a2b060104018237140203a0050c03614062" },
	{ "no equals sign", "WebServer", "dns", true, NULL },
	{ "no value", "WebServer", "dns=", true, NULL },
	{ "no type", "WebServer", "=a.b", true, NULL },
	{ "unknown type", "WebServer", "host=a.b", true, NULL },
	{ "one bad spoils all", "WebServer", "dns=a.b&ipaddress=300.1.1.1", true, NULL },
	{ "trailing ampersand", "WebServer", "dns=a.b&", true, NULL },
	{ "DNS beyond ASCII", "WebServer", "dns=\xc3\xa4.b", true, NULL },
	{ "bad OID", "WebServer", "oid=x", true, NULL },
	{ "bad GUID", "WebServer", "guid=f7c3", true, NULL },
	{ "bad DN", "WebServer", "dn=x", true, NULL },
	{ "bad base64", "WebServer", "1.2.3={asn}*", true, NULL },
	{ "two elements", "WebServer", "1.2.3={hex}05000500", true, NULL },
	{ "no element", "WebServer", "1.2.3={hex}", true, NULL },
	{ "half an element", "WebServer", "1.2.3={hex}0501", true, NULL },
};

static void
test_san_attribute(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sans); i++) {
		struct desk *d = desk_open(sans[i].template);
		const struct x509_extension *x;

		desk_attribute(d, "san", sans[i].value);
		if (sans[i].honoured)
			d->ca.edit_flags |= EDITF_ATTRIBUTESUBJECTALTNAME2;
		desk_run(d);
		expect(d, sans[i].name, 0, 0);
		x = find_extension(d, OID_SUBJECT_ALT_NAME);
		if ((x != NULL) != (sans[i].hex != NULL) ||
		    (x != NULL && strcmp(hex_of(d, x->value), sans[i].hex) != 0))
			fail_msg("\"%s\": %s", sans[i].name, x != NULL ? hex_of(d, x->value) : "absent");
		desk_close(d);
	}
}

/* It takes the place of the request's own SAN, and the list decides on criticality. */
static void
test_san_attribute_place(void **state)
{
	struct desk *d = desk_open("WebServer");

	(void)state;
	desk_extension(d, OID_SUBJECT_ALT_NAME, true, SAN_DEVICE);
	desk_attribute(d, "SAN", "dns=a.b");
	d->ca.edit_flags |= EDITF_ATTRIBUTESUBJECTALTNAME2;
	desk_run(d);
	assert_string_equal(order_of(d), "2.5.29.17 " SKI_TO_AIA " " X_20_2 " 2.5.29.15! 2.5.29.37");
	assert_string_equal(san_text(d), "DNS:a.b");
	desk_close(d);
}

/* ---- the rest of the plan ---- */

static void
test_plan(void **state)
{
	struct desk *d = desk_open("IntunePKCS");

	(void)state;
	desk_run(d);
	assert_int_equal(d->out.plan.serial_len, 0);
	assert_true(bytes_equal(d->out.plan.issuer, d->ca.ca_subject));
	assert_true(bytes_equal(d->out.plan.spki, d->request.key.spki));
	assert_true(d->out.publish_to_ds);
	desk_close(d);

	d = desk_open("WebServer");
	desk_run(d);
	assert_false(d->out.publish_to_ds);
	desk_close(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_sid_octets),
		cmocka_unit_test(test_sid_supplied),
		cmocka_unit_test(test_certificate_usage),
		cmocka_unit_test(test_san_attribute),
		cmocka_unit_test(test_san_attribute_place),
		cmocka_unit_test(test_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
