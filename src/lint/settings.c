/* Registry values of a CA, as "adcsctl --json ca show" prints them. Defaults: issuance.md section 13. */
#include <stdlib.h>
#include <string.h>

#include "lint/lint_priv.h"

#define DEFAULT_SECURITY "O:BAG:BAD:(A;;0x3;;;BA)(A;;0x3;;;DA)(A;;0x3;;;EA)(A;;0x200;;;AU)"

/* A number, decimal or "0x...", as JSON number or text. *out stays when it is not there. */
static int
read_number(const json_t *o, const char *name, int64_t *out, struct err *e)
{
	const json_t *v = json_object_get(o, name);
	const char *text = json_string_value(v);
	char *end = NULL;

	if (v == NULL)
		return 0;
	if (json_is_integer(v)) {
		*out = json_integer_value(v);
		return 0;
	}
	if (text != NULL)
		*out = strtoll(text, &end, 0);
	if (end == NULL || end == text || *end != '\0')
		return ERR(e, E_INVALIDARG, "setting %s is no number", name);
	return 0;
}

static int
read_u32(const json_t *o, const char *name, uint32_t *out, struct err *e)
{
	int64_t v = *out;

	if (read_number(o, name, &v, e) != 0)
		return -1;
	if (v < INT32_MIN || v > UINT32_MAX)
		return ERR(e, E_INVALIDARG, "setting %s has more than 32 bits", name);
	*out = (uint32_t)v;
	return 0;
}

static int
read_list(const json_t *o, const char *name, struct pool *pool, struct x509_strings *out, struct err *e)
{
	const json_t *v = json_object_get(o, name);
	const char **list;

	if (v == NULL)
		return 0;
	if (!json_is_array(v))
		return ERR(e, E_INVALIDARG, "setting %s is no list", name);
	list = pool_calloc(pool, json_array_size(v), sizeof(*list));
	for (size_t i = 0; list != NULL && i < json_array_size(v); i++) {
		const char *text = json_string_value(json_array_get(v, i));

		if (text == NULL)
			return ERR(e, E_INVALIDARG, "setting %s is no list of texts", name);
		list[i] = pool_strdup(pool, text);
		if (list[i] == NULL)
			list = NULL;
	}
	if (list == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for setting %s", name);
	*out = (struct x509_strings){ list, json_array_size(v) };
	return 0;
}

/* ValidityPeriod and ValidityPeriodUnits; years and months as the console counts them, 365 and 30 days. */
static int
read_validity(const json_t *o, filetime_t *out, struct err *e)
{
	static const struct {
		const char *unit;
		filetime_t span;
	} units[] = { { "Years", 365 * FILETIME_DAY }, { "Months", 30 * FILETIME_DAY },
		{ "Weeks", 7 * FILETIME_DAY }, { "Days", FILETIME_DAY }, { "Hours", FILETIME_HOUR },
		{ "Minutes", FILETIME_MINUTE }, { "Seconds", FILETIME_SECOND } };
	const char *unit = json_string_value(json_object_get(o, "CA\\ValidityPeriod"));
	int64_t n = 0;

	if (read_number(o, "CA\\ValidityPeriodUnits", &n, e) != 0)
		return -1;
	for (size_t i = 0; unit != NULL && n > 0 && n <= 10000 && i < ARRAY_LEN(units); i++)
		if (strcmp(unit, units[i].unit) == 0)
			*out = n * units[i].span;
	return 0;
}

static int
read_security(struct lint_settings *out, struct pool *pool, const json_t *o, const json_t *settings,
    const struct sddl_domain *domain, struct err *e)
{
	const char *sddl = json_string_value(json_object_get(o, "security"));

	if (sddl == NULL)
		sddl = json_string_value(json_object_get(settings, "CA\\Security"));
	if (sddl == NULL)
		sddl = DEFAULT_SECURITY;
	out->security = POOL_NEW(pool, struct sd);
	if (out->security == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the access list of the CA");
	return sd_from_sddl(out->security, pool, sddl, domain, e) == 0 ? 0 : err_prefix(e, "CA\\Security");
}

int
lint_settings_read(struct lint_settings *out, struct pool *pool, const json_t *o,
    const struct sddl_domain *domain, struct err *e)
{
	const json_t *s = json_object_get(o, "settings");
	const char *not_after = json_string_value(json_object_get(o, "notAfter"));
	uint32_t esc15 = 0;
	int64_t binding = -1;

	*out = (struct lint_settings){ .known = s != NULL,
		.edit_flags = 0x11014e,
		.request_disposition = 1,
		.interface_flags = 0x641,
		.ca_version = 6,
		.mapping_methods = -1 };
	if (read_u32(s, "policy\\EditFlags", &out->edit_flags, e) != 0 ||
	    read_u32(s, "policy\\RequestDisposition", &out->request_disposition, e) != 0 ||
	    read_u32(s, "CA\\InterfaceFlags", &out->interface_flags, e) != 0 ||
	    read_u32(s, "CA\\DBFlags", &out->db_flags, e) != 0 ||
	    read_u32(s, "CA\\CAVersion", &out->ca_version, e) != 0 ||
	    read_u32(s, "policy\\CopyApplicationPolicies", &esc15, e) != 0 ||
	    read_number(s, "KDC\\StrongCertificateBindingEnforcement", &binding, e) != 0 ||
	    read_number(s, "Schannel\\CertificateMappingMethods", &out->mapping_methods, e) != 0 ||
	    read_list(s, "policy\\DisableExtensionList", pool, &out->disable_extensions, e) != 0 ||
	    read_list(s, "CA\\SubjectTemplate", pool, &out->subject_template, e) != 0 ||
	    read_validity(s, &out->validity, e) != 0)
		return -1;
	out->strong_binding = binding >= 0 && binding <= 2 ? (int)binding : -1;
	out->copies_application_policies = esc15 != 0;
	out->clear_hsm_password =
	    json_string_value(json_object_get(s, "YubiHSM\\AuthKeysetPassword")) != NULL;
	if (not_after != NULL && !filetime_from_text(not_after, &out->not_after))
		return ERR(e, E_INVALIDARG, "notAfter \"%.40s\" is no time", not_after);
	return read_security(out, pool, o, s, domain, e);
}
