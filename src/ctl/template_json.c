/*
 * Templates as JSON. ADCSTemplate (Export-ADCSTemplate): the LDAP attributes by name, octets as arrays of
 * numbers. AWS Private CA Connector for AD (CreateTemplate, GetTemplate, CloudFormation): a Definition with
 * TemplateV2, V3 or V4.
 */
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "ctl/compatibility.h"
#include "ctl/control_priv.h"
#include "ctl/ra_properties.h"
#include "ctl/template_file.h"

#define MAX_LIST 64

static int
set_classes(struct ctl *c, struct ctl_entry *en, struct err *e)
{
	static const struct bytes classes[] = { { (const uint8_t *)"top", 3 },
		{ (const uint8_t *)"pKICertificateTemplate", 22 } };

	return ctl_entry_set_bytes(c, en, "objectClass", classes, ARRAY_LEN(classes), e);
}

/* ---- ADCSTemplate ---- */

enum kind { NUMBER, TEXTS, OCTETS };

static const struct {
	const char *name;
	enum kind kind;
} attributes[] = {
	{ "displayName", TEXTS },
	{ "flags", NUMBER },
	{ "revision", NUMBER },
	{ "msPKI-Cert-Template-OID", TEXTS },
	{ "msPKI-Certificate-Application-Policy", TEXTS },
	{ "msPKI-Certificate-Name-Flag", NUMBER },
	{ "msPKI-Certificate-Policy", TEXTS },
	{ "msPKI-Enrollment-Flag", NUMBER },
	{ "msPKI-Minimal-Key-Size", NUMBER },
	{ "msPKI-Private-Key-Flag", NUMBER },
	{ "msPKI-RA-Application-Policies", TEXTS },
	{ "msPKI-RA-Policies", TEXTS },
	{ "msPKI-RA-Signature", NUMBER },
	{ "msPKI-Supersede-Templates", TEXTS },
	{ "msPKI-Template-Minor-Revision", NUMBER },
	{ "msPKI-Template-Schema-Version", NUMBER },
	{ "pKICriticalExtensions", TEXTS },
	{ "pKIDefaultCSPs", TEXTS },
	{ "pKIDefaultKeySpec", NUMBER },
	{ "pKIExpirationPeriod", OCTETS },
	{ "pKIExtendedKeyUsage", TEXTS },
	{ "pKIKeyUsage", OCTETS },
	{ "pKIMaxIssuingDepth", NUMBER },
	{ "pKIOverlapPeriod", OCTETS },
};

static int
put_number(struct ctl *c, struct ctl_entry *en, const char *name, const json_t *v, struct err *e)
{
	json_int_t n = json_integer_value(v);

	if (!json_is_integer(v) || n < INT32_MIN || n > (json_int_t)UINT32_MAX)
		return ERR(e, E_INVALID_DATA, "%s is not a 32-bit number", name);
	return ctl_entry_set_int(c, en, name, (uint32_t)n, e);
}

/* PowerShell writes a list of one as a list or as the value alone. */
static int
put_texts(struct ctl *c, struct ctl_entry *en, const char *name, const json_t *v, struct err *e)
{
	struct bytes values[MAX_LIST];
	size_t n = json_is_array(v) ? json_array_size(v) : 1;

	if (n > MAX_LIST)
		return ERR(e, E_INVALID_DATA, "%s has more than %d values", name, MAX_LIST);
	for (size_t i = 0; i < n; i++) {
		const char *s = json_string_value(json_is_array(v) ? json_array_get(v, i) : v);

		if (s == NULL)
			return ERR(e, E_INVALID_DATA, "%s has a value that is not text", name);
		values[i] = (struct bytes){ (const uint8_t *)s, strlen(s) };
	}
	return n == 0 ? 0 : ctl_entry_set_bytes(c, en, name, values, n, e);
}

static int
put_octets(struct ctl *c, struct ctl_entry *en, const char *name, const json_t *v, struct err *e)
{
	uint8_t wire[MAX_LIST];
	size_t n = json_array_size(v);
	struct bytes value = { wire, n };

#ifdef ADCSD_PLANTED_BUG_CTL_TEMPLATE /* proves that the fuzz target finds one: believes every length */
	if (!json_is_array(v) || n == 0)
#else
	if (!json_is_array(v) || n == 0 || n > sizeof(wire))
#endif
		return ERR(e, E_INVALID_DATA, "%s is not a list of octets", name);
	for (size_t i = 0; i < n; i++) {
		const json_t *o = json_array_get(v, i);

		if (!json_is_integer(o) || json_integer_value(o) < 0 || json_integer_value(o) > 255)
			return ERR(e, E_INVALID_DATA, "%s has a value that is not an octet", name);
		wire[i] = (uint8_t)json_integer_value(o);
	}
	return ctl_entry_set_bytes(c, en, name, &value, 1, e);
}

/* Names of LDAP attributes compare without case. */
static const json_t *
member(const json_t *o, const char *name)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)o, key, v) if (strcasecmp(key, name) == 0) return v;
	return NULL;
}

int
template_from_adcstemplate_json(
    struct ctl *c, const json_t *o, struct ctl_entry *out, bool *is_template, struct err *e)
{
	const char *name = json_string_value(member(o, "name"));

	*is_template = name != NULL && member(o, "pKIKeyUsage") != NULL;
	if (!*is_template)
		return 0;
	if (set_classes(c, out, e) != 0 || ctl_entry_set_text(c, out, "cn", name, e) != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		const char *attr = attributes[i].name;
		const json_t *v = member(o, attr);
		int rc = 0;

		if (v == NULL || json_is_null(v))
			continue;
		switch (attributes[i].kind) {
		case NUMBER:
			rc = put_number(c, out, attr, v, e);
			break;
		case TEXTS:
			rc = put_texts(c, out, attr, v, e);
			break;
		case OCTETS:
			rc = put_octets(c, out, attr, v, e);
			break;
		}
		if (rc != 0)
			return -1;
	}
	return 0;
}

/* ---- AWS Connector for AD ---- */

static const struct {
	const char *group, *key, *attr;
	uint32_t mask;
} aws_flags[] = {
	{ "EnrollmentFlags", "IncludeSymmetricAlgorithms", EF, CT_FLAG_INCLUDE_SYMMETRIC_ALGORITHMS },
	{ "EnrollmentFlags", "UserInteractionRequired", EF, CT_FLAG_USER_INTERACTION_REQUIRED },
	{ "EnrollmentFlags", "RemoveInvalidCertificateFromPersonalStore", EF,
	    CT_FLAG_REMOVE_INVALID_CERTIFICATE_FROM_PERSONAL_STORE },
	{ "EnrollmentFlags", "NoSecurityExtension", EF, CT_FLAG_NO_SECURITY_EXTENSION },
	{ "EnrollmentFlags", "EnableKeyReuseOnNtTokenKeysetStorageFull", EF,
	    CT_FLAG_ENABLE_KEY_REUSE_ON_NT_TOKEN_KEYSET_STORAGE_FULL },
	{ "GeneralFlags", "AutoEnrollment", GF, 0x20 },
	{ "GeneralFlags", "AutoEnrollment", EF, CT_FLAG_AUTO_ENROLLMENT },
	{ "GeneralFlags", "MachineType", GF, CT_FLAG_MACHINE_TYPE },
	{ "PrivateKeyFlags", "ExportableKey", PK, CT_FLAG_EXPORTABLE_KEY },
	{ "PrivateKeyFlags", "StrongKeyProtectionRequired", PK, CT_FLAG_STRONG_KEY_PROTECTION_REQUIRED },
	{ "PrivateKeyFlags", "RequireAlternateSignatureAlgorithm", PK,
	    CT_FLAG_REQUIRE_ALTERNATE_SIGNATURE_ALGORITHM },
	{ "PrivateKeyFlags", "RequireSameKeyRenewal", PK, CT_FLAG_REQUIRE_SAME_KEY_RENEWAL },
	{ "PrivateKeyFlags", "UseLegacyProvider", PK, CT_FLAG_USE_LEGACY_PROVIDER },
	{ "SubjectNameFlags", "SanRequireDomainDns", NF, CT_FLAG_SUBJECT_ALT_REQUIRE_DOMAIN_DNS },
	{ "SubjectNameFlags", "SanRequireSpn", NF, CT_FLAG_SUBJECT_ALT_REQUIRE_SPN },
	{ "SubjectNameFlags", "SanRequireDirectoryGuid", NF, CT_FLAG_SUBJECT_ALT_REQUIRE_DIRECTORY_GUID },
	{ "SubjectNameFlags", "SanRequireUpn", NF, CT_FLAG_SUBJECT_ALT_REQUIRE_UPN },
	{ "SubjectNameFlags", "SanRequireEmail", NF, CT_FLAG_SUBJECT_ALT_REQUIRE_EMAIL },
	{ "SubjectNameFlags", "SanRequireDns", NF, CT_FLAG_SUBJECT_ALT_REQUIRE_DNS },
	{ "SubjectNameFlags", "RequireDnsAsCn", NF, CT_FLAG_SUBJECT_REQUIRE_DNS_AS_CN },
	{ "SubjectNameFlags", "RequireEmail", NF, CT_FLAG_SUBJECT_REQUIRE_EMAIL },
	{ "SubjectNameFlags", "RequireCommonName", NF, CT_FLAG_SUBJECT_REQUIRE_COMMON_NAME },
	{ "SubjectNameFlags", "RequireDirectoryPath", NF, CT_FLAG_SUBJECT_REQUIRE_DIRECTORY_PATH },
};

static const struct {
	const char *key;
	uint8_t bit;
} aws_key_usages[] = { { "DigitalSignature", 0x80 }, { "NonRepudiation", 0x40 }, { "KeyEncipherment", 0x20 },
	{ "DataEncipherment", 0x10 }, { "KeyAgreement", 0x08 } };

struct aws {
	struct ctl *c;
	struct ctl_entry *en;
	const json_t *def; /* TemplateV2, V3 or V4 */
	int version;
};

static const json_t *
get(const json_t *o, const char *a, const char *b)
{
	return json_object_get(json_object_get(o, a), b);
}

static int
aws_flag_words(const struct aws *w, struct err *e)
{
	static const char *const attrs[] = { GF, EF, PK, NF };

	for (size_t k = 0; k < ARRAY_LEN(attrs); k++) {
		uint32_t bits = strcmp(attrs[k], GF) == 0 ? CT_FLAG_IS_MODIFIED : 0;

		for (size_t i = 0; i < ARRAY_LEN(aws_flags); i++)
			if (strcmp(aws_flags[i].attr, attrs[k]) == 0 &&
			    json_is_true(get(w->def, aws_flags[i].group, aws_flags[i].key)))
				bits |= aws_flags[i].mask;
		if (ctl_entry_set_int(w->c, w->en, attrs[k], bits, e) != 0)
			return -1;
	}
	return 0;
}

/* WINDOWS_SERVER_2008_R2. Ours: the level of the CA, which the format does not have, is the same. */
static int
aws_compatibility(const struct aws *w, struct err *e)
{
	const char *text = json_string_value(get(w->def, "PrivateKeyFlags", "ClientVersion"));
	unsigned level = COMPATIBILITY_2003;
	char word[32];
	size_t n = 0;

	if (text == NULL || strncmp(text, "WINDOWS_SERVER_", 15) != 0)
		return ERR(e, E_INVALID_DATA, "PrivateKeyFlags.ClientVersion is not WINDOWS_SERVER_...");
	for (const char *s = text + 15; *s != '\0' && n < sizeof(word) - 1; s++)
		if (*s != '_')
			word[n++] = *s;
	word[n] = '\0';
	if (compatibility_parse(word, &level, e) != 0)
		return -1;
	return ctl_entry_set_int(
	    w->c, w->en, PK, (uint32_t)ctl_entry_int(w->en, PK, 0) | level << 16 | level << 24, e);
}

static int
aws_period(const struct aws *w, const char *key, const char *attr, struct err *e)
{
	static const struct {
		const char *type;
		int64_t length;
	} units[] = { { "HOURS", FILETIME_HOUR }, { "DAYS", FILETIME_DAY }, { "WEEKS", 7 * FILETIME_DAY },
		{ "MONTHS", 30 * FILETIME_DAY }, { "YEARS", 365 * FILETIME_DAY } };
	const json_t *p = get(w->def, "CertificateValidity", key);
	const char *type = json_string_value(json_object_get(p, "PeriodType"));
	json_int_t n = json_integer_value(json_object_get(p, "Period"));
	uint8_t wire[8];
	struct bytes v = { wire, sizeof(wire) };

	for (size_t i = 0; type != NULL && i < ARRAY_LEN(units); i++) {
		if (strcmp(type, units[i].type) != 0 || n < 1 || n > 1000000)
			continue;
		for (unsigned k = 0; k < 8; k++)
			wire[k] = (uint8_t)((0 - (uint64_t)n * (uint64_t)units[i].length) >> (8 * k));
		return ctl_entry_set_bytes(w->c, w->en, attr, &v, 1, e);
	}
	return ERR(e, E_INVALID_DATA, "CertificateValidity.%s is no period", key);
}

/* CLIENT_AUTHENTICATION is the console's name in capitals; three are spelt otherwise. */
static const char *
aws_policy_oid(const struct aws *w, const json_t *policy)
{
	static const char *const other[][2] = {
		{ "SMART_CARD_LOGIN", "Smart Card Logon" },
		{ "SPC_ENCRYPTED_DIGEST_RETRY_COUNT", "SpcEncryptedDigestRetryCount" },
		{ "SPC_RELAXED_PE_MARKER_CHECK", "SpcRelaxedPEMarkerCheck" },
	};
	const char *oid = json_string_value(json_object_get(policy, "PolicyObjectIdentifier"));
	const char *type = json_string_value(json_object_get(policy, "PolicyType"));
	char *name;

	if (oid != NULL || type == NULL)
		return oid;
	for (size_t i = 0; i < ARRAY_LEN(other); i++)
		if (strcmp(other[i][0], type) == 0)
			return x509_oid_from_name(other[i][1], strlen(other[i][1]));
	name = pool_strdup(w->c->pool, type);
	for (char *s = name; s != NULL && *s != '\0'; s++)
		if (*s == '_')
			*s = ' ';
	return name == NULL ? NULL : x509_oid_from_name(name, strlen(name));
}

static int
aws_application_policies(const struct aws *w, struct err *e)
{
	const json_t *list = json_object_get(get(w->def, "Extensions", "ApplicationPolicies"), "Policies");
	struct bytes v[MAX_LIST];
	size_t n = json_array_size(list);

	if (n > MAX_LIST)
		return ERR(e, E_INVALID_DATA, "more than %d application policies", MAX_LIST);
	for (size_t i = 0; i < n; i++) {
		const char *oid = aws_policy_oid(w, json_array_get(list, i));
		const char *type = json_string_value(json_object_get(json_array_get(list, i), "PolicyType"));

		if (oid == NULL)
			return ERR(e, E_INVALID_DATA, "application policy %.60s is not known",
			    type != NULL ? type : "(none)");
		v[i] = (struct bytes){ (const uint8_t *)oid, strlen(oid) };
	}
	if (n == 0)
		return 0;
	return ctl_entry_set_bytes(w->c, w->en, "pKIExtendedKeyUsage", v, n, e) != 0
	    ? -1
	    : ctl_entry_set_bytes(w->c, w->en, "msPKI-Certificate-Application-Policy", v, n, e);
}

static int
aws_critical(const struct aws *w, const char *extension, const char *option, struct err *e)
{
	const struct control *k = control_find(option);
	struct control_edit ed = { w->c, w->en, NULL, k, "yes" };

	return json_is_true(json_object_get(get(w->def, "Extensions", extension), "Critical"))
	    ? k->set(&ed, e)
	    : 0;
}

static int
aws_extensions(const struct aws *w, struct err *e)
{
	const json_t *flags = json_object_get(get(w->def, "Extensions", "KeyUsage"), "UsageFlags");
	uint8_t wire[2] = { 0 };
	struct bytes v = { wire, sizeof(wire) };

	for (size_t i = 0; i < ARRAY_LEN(aws_key_usages); i++)
		if (json_is_true(json_object_get(flags, aws_key_usages[i].key)))
			wire[0] |= aws_key_usages[i].bit;
	if (ctl_entry_set_bytes(w->c, w->en, "pKIKeyUsage", &v, 1, e) != 0 ||
	    aws_application_policies(w, e) != 0 || aws_critical(w, "KeyUsage", "key-usage-critical", e) != 0)
		return -1;
	return aws_critical(w, "ApplicationPolicies", "application-policies-critical", e);
}

static int
aws_property(const struct aws *w, const char *name, const char *type, const json_t *v, struct err *e)
{
	const char *text = json_string_value(v);

	return text == NULL ? 0 : ra_property_set(w->c, w->en, name, type, text, e);
}

static int
aws_key(const struct aws *w, struct err *e)
{
	const json_t *key = json_object_get(w->def, "PrivateKeyAttributes"),
		     *usage = json_object_get(key, "KeyUsageProperty");
	const json_t *flags = json_object_get(usage, "PropertyFlags"),
		     *csps = json_object_get(key, "CryptoProviders");
	const char *spec = json_string_value(json_object_get(key, "KeySpec"));
	unsigned bits = (json_is_true(json_object_get(flags, "Decrypt")) ? 1u : 0) |
	    (json_is_true(json_object_get(flags, "Sign")) ? 2u : 0) |
	    (json_is_true(json_object_get(flags, "KeyAgreement")) ? 4u : 0);
	struct bytes v[MAX_LIST];
	size_t n = json_array_size(csps);

	if (n > MAX_LIST)
		return ERR(e, E_INVALID_DATA, "more than %d CryptoProviders", MAX_LIST);
	for (size_t i = 0; i < n; i++) {
		const char *name = json_string_value(json_array_get(csps, i));

		name = pool_printf(w->c->pool, "%zu,%s", i + 1, name != NULL ? name : "");
		v[i] = (struct bytes){ (const uint8_t *)name, strlen(name) };
	}
	if ((n > 0 && ctl_entry_set_bytes(w->c, w->en, "pKIDefaultCSPs", v, n, e) != 0) ||
	    put_number(w->c, w->en, "msPKI-Minimal-Key-Size", json_object_get(key, "MinimalKeyLength"), e) !=
		0 ||
	    ctl_entry_set_int(w->c, w->en, "pKIDefaultKeySpec",
		spec != NULL && strcmp(spec, "SIGNATURE") == 0 ? 2 : 1, e) != 0)
		return -1;
	if (!ra_properties_used(w->en))
		return 0;
	if (ra_properties_default(w->c, w->en, e) != 0 ||
	    aws_property(w, "msPKI-Asymmetric-Algorithm", "PZPWSTR", json_object_get(key, "Algorithm"), e) !=
		0 ||
	    aws_property(w, "msPKI-Hash-Algorithm", "PZPWSTR", json_object_get(w->def, "HashAlgorithm"), e) !=
		0)
		return -1;
	return flags == NULL ? 0
			     : ra_property_set(w->c, w->en, "msPKI-Key-Usage", "DWORD",
				   pool_printf(w->c->pool, "%u", bits), e);
}

static int
aws_numbers(const struct aws *w, const json_t *revision, struct err *e)
{
	json_int_t major = json_integer_value(json_object_get(revision, "MajorRevision"));
	json_int_t minor = json_integer_value(json_object_get(revision, "MinorRevision"));

	if (ctl_entry_set_int(w->c, w->en, "revision", major > 0 ? (uint32_t)major : 100, e) != 0 ||
	    ctl_entry_set_int(w->c, w->en, "msPKI-Template-Minor-Revision", (uint32_t)minor, e) != 0 ||
	    ctl_entry_set_int(w->c, w->en, "msPKI-Template-Schema-Version", (uint32_t)w->version, e) != 0 ||
	    ctl_entry_set_int(w->c, w->en, "msPKI-RA-Signature", 0, e) != 0)
		return -1;
	return ctl_entry_set_int(w->c, w->en, "pKIMaxIssuingDepth", 0, e);
}

int
template_from_aws_json(
    struct ctl *c, const json_t *o, struct ctl_entry *out, bool *is_template, struct err *e)
{
	static const char *const versions[] = { "TemplateV2", "TemplateV3", "TemplateV4" };
	struct aws w = { c, out, NULL, 0 };
	const json_t *def, *supersedes;
	const char *name;

	if (json_object_get(o, "Properties") != NULL) /* a CloudFormation resource */
		o = json_object_get(o, "Properties");
	if (json_object_get(o, "Template") != NULL) /* GetTemplate's answer */
		o = json_object_get(o, "Template");
	def = json_object_get(o, "Definition") != NULL ? json_object_get(o, "Definition") : o;
	for (size_t i = 0; i < ARRAY_LEN(versions); i++)
		if (json_is_object(json_object_get(def, versions[i]))) {
			w.def = json_object_get(def, versions[i]);
			w.version = (int)i + 2;
		}
	*is_template = w.def != NULL;
	if (!*is_template)
		return 0;
	name = json_string_value(json_object_get(o, "Name"));
	if (name == NULL)
		name = "Imported template"; /* a bare definition has none; --display-name gives one */
	supersedes = json_object_get(w.def, "SupersededTemplates");
	if (set_classes(c, out, e) != 0 ||
	    ctl_entry_set_text(c, out, "cn", ctl_template_name_from_display(c, name), e) != 0 ||
	    ctl_entry_set_text(c, out, "displayName", name, e) != 0 ||
	    aws_numbers(&w, json_object_get(o, "Revision"), e) != 0 || aws_flag_words(&w, e) != 0 ||
	    aws_compatibility(&w, e) != 0 ||
	    aws_period(&w, "ValidityPeriod", "pKIExpirationPeriod", e) != 0 ||
	    aws_period(&w, "RenewalPeriod", "pKIOverlapPeriod", e) != 0 || aws_extensions(&w, e) != 0 ||
	    aws_key(&w, e) != 0)
		return -1;
	return supersedes == NULL ? 0 : put_texts(c, out, "msPKI-Supersede-Templates", supersedes, e);
}
