#include "rehearse/registry.h"

#include <stdlib.h>

#define CRLF_DISABLE_RDN_REORDER 0x800u
#define DBFLAGS_MAXIMUMEXTENSION16K 0x1000u

int
registry_number(const json_t *o, const char *name, int64_t *out, struct err *e)
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

int
registry_u32(const json_t *o, const char *name, uint32_t *out, struct err *e)
{
	int64_t v = *out;

	if (registry_number(o, name, &v, e) != 0)
		return -1;
	if (v < INT32_MIN || v > UINT32_MAX)
		return ERR(e, E_INVALIDARG, "setting %s has more than 32 bits", name);
	*out = (uint32_t)v;
	return 0;
}

int
registry_list(const json_t *o, const char *name, struct pool *pool, struct x509_strings *out, struct err *e)
{
	const json_t *v = json_object_get(o, name);
	const char **list;

	if (v == NULL)
		return 0;
	if (!json_is_array(v))
		return ERR(e, E_INVALIDARG, "setting %s is no list", name);
	list = pool_calloc(pool, json_array_size(v) + 1, sizeof(*list));
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

int
registry_validity(const json_t *o, int *months, filetime_t *span, bool *given, struct err *e)
{
	const char *unit = json_string_value(json_object_get(o, "CA\\ValidityPeriod"));
	uint32_t n = 0;

	*given = false;
	if (registry_u32(o, "CA\\ValidityPeriodUnits", &n, e) != 0)
		return -1;
	if (unit == NULL || n == 0)
		return 0;
	*given = true;
	return filetime_period(unit, n, months, span)
	    ? 0
	    : ERR(e, E_INVALIDARG, "CA\\ValidityPeriod: no period of %u %.20s", n, unit);
}

static int
read_security(struct sd **out, const json_t *o, const json_t *settings, const struct sddl_domain *domain,
    struct pool *pool, struct err *e)
{
	const char *sddl = json_string_value(json_object_get(o, "security"));

	if (sddl == NULL)
		sddl = json_string_value(json_object_get(settings, "CA\\Security"));
	if (sddl == NULL || *sddl == '\0')
		return 0;
	*out = POOL_NEW(pool, struct sd);
	if (*out == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the access list of the CA");
	return sd_from_sddl(*out, pool, sddl, domain, e) == 0 ? 0 : err_prefix(e, "security of the CA");
}

int
rehearse_ca_settings(struct policy_ca *ca, struct sd **security, const json_t *o,
    const struct sddl_domain *domain, struct pool *pool, struct err *e)
{
	const json_t *s = json_object_get(o, "settings");
	const char *not_after = json_string_value(json_object_get(o, "notAfter"));
	uint32_t skew = (uint32_t)(ca->clock_skew / FILETIME_MINUTE),
		 crl_flags = ca->rdn_reorder ? 0 : CRLF_DISABLE_RDN_REORDER, version = ca->ca_version,
		 lengths = ca->enforce_name_lengths, upn = ca->upn_fallback,
		 esc15 = ca->esc15_copy_application_policies, required = ca->issuance_policy_required,
		 db_flags = 0;
	filetime_t span;
	bool given;
	int months;

	if (registry_u32(s, "policy\\EditFlags", &ca->edit_flags, e) != 0 ||
	    registry_u32(s, "policy\\RequestDisposition", &ca->request_disposition, e) != 0 ||
	    registry_u32(s, "policy\\ImplicitUPN", &upn, e) != 0 ||
	    registry_u32(s, "policy\\CopyApplicationPolicies", &esc15, e) != 0 ||
	    registry_u32(s, "policy\\IssuancePolicyRequired", &required, e) != 0 ||
	    registry_u32(s, "CA\\ClockSkewMinutes", &skew, e) != 0 ||
	    registry_u32(s, "CA\\CRLFlags", &crl_flags, e) != 0 ||
	    registry_u32(s, "CA\\CAVersion", &version, e) != 0 ||
	    registry_u32(s, "CA\\EnforceX500NameLengths", &lengths, e) != 0 ||
	    registry_u32(s, "CA\\DBFlags", &db_flags, e) != 0 ||
	    registry_list(s, "policy\\EnableRequestExtensionList", pool, &ca->enable_request_extensions, e) !=
		0 ||
	    registry_list(s, "policy\\DisableExtensionList", pool, &ca->disable_extensions, e) != 0 ||
	    registry_list(s, "CA\\SubjectTemplate", pool, &ca->subject_template, e) != 0 ||
	    registry_validity(s, &months, &span, &given, e) != 0)
		return -1;
	if (given) {
		ca->validity_months = months;
		ca->validity_span = span;
	}
	ca->clock_skew = skew * FILETIME_MINUTE;
	if ((db_flags & DBFLAGS_MAXIMUMEXTENSION16K) != 0)
		ca->max_extension = 16384;
	ca->rdn_reorder = (crl_flags & CRLF_DISABLE_RDN_REORDER) == 0;
	ca->ca_version = version;
	ca->enforce_name_lengths = lengths != 0;
	ca->upn_fallback = upn != 0;
	ca->esc15_copy_application_policies = esc15 != 0;
	ca->issuance_policy_required = required != 0;
	if (not_after != NULL && !filetime_from_text(not_after, &ca->ca_not_after))
		return ERR(e, E_INVALIDARG, "notAfter \"%.40s\" is no time", not_after);
	return read_security(security, o, s, domain, pool, e);
}
