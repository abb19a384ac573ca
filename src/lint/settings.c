/* Registry values of a CA, as "adcsctl --json ca show" prints them. Defaults: issuance.md section 13. */
#include <stdlib.h>
#include <string.h>

#include "lint/lint_priv.h"
#include "rehearse/registry.h"

#define DEFAULT_SECURITY "O:BAG:BAD:(A;;0x3;;;BA)(A;;0x3;;;DA)(A;;0x3;;;EA)(A;;0x200;;;AU)"

/* ValidityPeriod and ValidityPeriodUnits; years and months as the console counts them, 365 and 30 days. */
static int
read_validity(const json_t *o, filetime_t *out, struct err *e)
{
	filetime_t span;
	bool given;
	int months;

	if (registry_validity(o, &months, &span, &given, e) != 0)
		return -1;
	if (given)
		*out = months / 12 * 365 * FILETIME_DAY + months % 12 * 30 * FILETIME_DAY + span;
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

static int
read_rights(const struct restrictions **out, struct pool *pool, const json_t *settings, const char *name,
    const struct sddl_domain *domain, struct err *e)
{
	const char *sddl = json_string_value(json_object_get(settings, name));
	struct restrictions *list;
	struct sd sd;

	if (sddl == NULL || *sddl == '\0')
		return 0;
	list = POOL_NEW(pool, struct restrictions);
	if (list == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for setting %s", name);
	*out = list;
	return sd_from_sddl(&sd, pool, sddl, domain, e) == 0 && restrictions_from_sd(list, pool, &sd, e) == 0
	    ? 0
	    : err_prefix(e, "%s", name);
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
	if (registry_u32(s, "policy\\EditFlags", &out->edit_flags, e) != 0 ||
	    registry_u32(s, "policy\\RequestDisposition", &out->request_disposition, e) != 0 ||
	    registry_u32(s, "CA\\InterfaceFlags", &out->interface_flags, e) != 0 ||
	    registry_u32(s, "CA\\DBFlags", &out->db_flags, e) != 0 ||
	    registry_u32(s, "CA\\CAVersion", &out->ca_version, e) != 0 ||
	    registry_u32(s, "policy\\CopyApplicationPolicies", &esc15, e) != 0 ||
	    registry_number(s, "KDC\\StrongCertificateBindingEnforcement", &binding, e) != 0 ||
	    registry_number(s, "Schannel\\CertificateMappingMethods", &out->mapping_methods, e) != 0 ||
	    registry_list(s, "policy\\DisableExtensionList", pool, &out->disable_extensions, e) != 0 ||
	    registry_list(s, "CA\\SubjectTemplate", pool, &out->subject_template, e) != 0 ||
	    read_validity(s, &out->validity, e) != 0 ||
	    read_rights(&out->officers, pool, s, "CA\\OfficerRights", domain, e) != 0 ||
	    read_rights(&out->agents, pool, s, "CA\\EnrollmentAgentRights", domain, e) != 0)
		return -1;
	out->strong_binding = binding >= 0 && binding <= 2 ? (int)binding : -1;
	out->copies_application_policies = esc15 != 0;
	out->clear_hsm_password =
	    json_string_value(json_object_get(s, "YubiHSM\\AuthKeysetPassword")) != NULL;
	if (not_after != NULL && !filetime_from_text(not_after, &out->not_after))
		return ERR(e, E_INVALIDARG, "notAfter \"%.40s\" is no time", not_after);
	return read_security(out, pool, o, s, domain, e);
}
