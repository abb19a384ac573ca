#include "auth/sddl_priv.h"

#include <string.h>
#include <strings.h>

const struct sddl_bits sddl_rights[] = {
	{ "CC", ADS_RIGHT_DS_CREATE_CHILD },
	{ "DC", ADS_RIGHT_DS_DELETE_CHILD },
	{ "LC", ADS_RIGHT_ACTRL_DS_LIST },
	{ "SW", ADS_RIGHT_DS_SELF },
	{ "RP", ADS_RIGHT_DS_READ_PROP },
	{ "WP", ADS_RIGHT_DS_WRITE_PROP },
	{ "DT", ADS_RIGHT_DS_DELETE_TREE },
	{ "LO", ADS_RIGHT_DS_LIST_OBJECT },
	{ "CR", ADS_RIGHT_DS_CONTROL_ACCESS },
	{ "SD", RIGHT_DELETE },
	{ "RC", RIGHT_READ_CONTROL },
	{ "WD", RIGHT_WRITE_DAC },
	{ "WO", RIGHT_WRITE_OWNER },
	{ "GA", GENERIC_ALL },
	{ "GX", GENERIC_EXECUTE },
	{ "GW", GENERIC_WRITE },
	{ "GR", GENERIC_READ },
	/* files and registry keys */
	{ "FA", 0x1f01ff },
	{ "FR", 0x120089 },
	{ "FW", 0x120116 },
	{ "FX", 0x1200a0 },
	{ "KA", 0xf003f },
	{ "KR", 0x20019 },
	{ "KW", 0x20006 },
	{ "KX", 0x20019 },
};
const size_t n_sddl_rights = ARRAY_LEN(sddl_rights);
const size_t n_sddl_single_rights = 17;

const struct sddl_bits sddl_ace_flags[] = {
	{ "OI", OBJECT_INHERIT_ACE },
	{ "CI", CONTAINER_INHERIT_ACE },
	{ "NP", NO_PROPAGATE_INHERIT_ACE },
	{ "IO", INHERIT_ONLY_ACE },
	{ "ID", INHERITED_ACE },
	{ "SA", SUCCESSFUL_ACCESS_ACE_FLAG },
	{ "FA", FAILED_ACCESS_ACE_FLAG },
};
const size_t n_sddl_ace_flags = ARRAY_LEN(sddl_ace_flags);

const struct sddl_acl_flag sddl_acl_flags[] = {
	{ "P", SE_DACL_PROTECTED, SE_SACL_PROTECTED },
	{ "AR", SE_DACL_AUTO_INHERIT_REQ, SE_SACL_AUTO_INHERIT_REQ },
	{ "AI", SE_DACL_AUTO_INHERITED, SE_SACL_AUTO_INHERITED },
};
const size_t n_sddl_acl_flags = ARRAY_LEN(sddl_acl_flags);

/* What the SID of an alias hangs under. */
enum alias_of { ABSOLUTE, OF_DOMAIN, OF_ROOT };

#define BUILTIN(rid)                                                                                         \
	ABSOLUTE,                                                                                            \
	{                                                                                                    \
		.n_sub = 2, .authority = { 0, 0, 0, 0, 0, 5 }, .sub = { 32, (rid) }                          \
	}
#define NT(rid)                                                                                              \
	ABSOLUTE,                                                                                            \
	{                                                                                                    \
		.n_sub = 1, .authority = { 0, 0, 0, 0, 0, 5 }, .sub = {(rid) }                               \
	}
#define AUTHORITY(a, rid)                                                                                    \
	ABSOLUTE,                                                                                            \
	{                                                                                                    \
		.n_sub = 1, .authority = { 0, 0, 0, 0, 0, (a) }, .sub = {(rid) }                             \
	}
#define DOMAIN(rid)                                                                                          \
	OF_DOMAIN,                                                                                           \
	{                                                                                                    \
		.n_sub = 1, .sub = {(rid) }                                                                  \
	}
#define ROOT(rid)                                                                                            \
	OF_ROOT,                                                                                             \
	{                                                                                                    \
		.n_sub = 1, .sub = {(rid) }                                                                  \
	}

/* MS-DTYP 2.5.1.1 and 2.4.2.4. For the relative ones `sid` holds the RID only. */
static const struct alias {
	char code[3];
	enum alias_of of;
	struct sid sid;
} aliases[] = {
	{ "WD", AUTHORITY(1, 0) },
	{ "CO", AUTHORITY(3, 0) },
	{ "CG", AUTHORITY(3, 1) },
	{ "OW", AUTHORITY(3, 4) },
	{ "NU", NT(2) },
	{ "IU", NT(4) },
	{ "SU", NT(6) },
	{ "AN", NT(7) },
	{ "ED", NT(9) },
	{ "PS", NT(10) },
	{ "AU", NT(11) },
	{ "RC", NT(12) },
	{ "SY", NT(18) },
	{ "LS", NT(19) },
	{ "NS", NT(20) },
	{ "WR", NT(33) },
	{ "BA", BUILTIN(544) },
	{ "BU", BUILTIN(545) },
	{ "BG", BUILTIN(546) },
	{ "PU", BUILTIN(547) },
	{ "AO", BUILTIN(548) },
	{ "SO", BUILTIN(549) },
	{ "PO", BUILTIN(550) },
	{ "BO", BUILTIN(551) },
	{ "RE", BUILTIN(552) },
	{ "RU", BUILTIN(554) },
	{ "RD", BUILTIN(555) },
	{ "NO", BUILTIN(556) },
	{ "MU", BUILTIN(558) },
	{ "LU", BUILTIN(559) },
	{ "IS", BUILTIN(568) },
	{ "CY", BUILTIN(569) },
	{ "ER", BUILTIN(573) },
	{ "CD", BUILTIN(574) },
	{ "RA", BUILTIN(575) },
	{ "ES", BUILTIN(576) },
	{ "MS", BUILTIN(577) },
	{ "HA", BUILTIN(578) },
	{ "AA", BUILTIN(579) },
	{ "RM", BUILTIN(580) },
	{ "UD", ABSOLUTE, { .n_sub = 6, .authority = { 0, 0, 0, 0, 0, 5 }, .sub = { 84 } } },
	{ "AC", ABSOLUTE, { .n_sub = 2, .authority = { 0, 0, 0, 0, 0, 15 }, .sub = { 2, 1 } } },
	{ "LW", AUTHORITY(16, 4096) },
	{ "ME", AUTHORITY(16, 8192) },
	{ "MP", AUTHORITY(16, 8448) },
	{ "HI", AUTHORITY(16, 12288) },
	{ "SI", AUTHORITY(16, 16384) },
	{ "LA", DOMAIN(500) },
	{ "LG", DOMAIN(501) },
	{ "DA", DOMAIN(512) },
	{ "DU", DOMAIN(513) },
	{ "DG", DOMAIN(514) },
	{ "DC", DOMAIN(515) },
	{ "DD", DOMAIN(516) },
	{ "CA", DOMAIN(517) },
	{ "PA", DOMAIN(520) },
	{ "CN", DOMAIN(522) },
	{ "RS", DOMAIN(553) },
	{ "RO", ROOT(498) },
	{ "SA", ROOT(518) },
	{ "EA", ROOT(519) },
};

bool
span_is(struct span s, const char *text)
{
	return s.n == strlen(text) && strncasecmp(s.p, text, s.n) == 0;
}

/* The SID the relative alias hangs under; NULL when not configured. */
static const struct sid *
alias_base(const struct alias *a, const struct sddl_domain *dom)
{
	const struct sid *base;

	if (dom == NULL)
		return NULL;
	base = a->of == OF_ROOT ? &dom->root : &dom->domain;
	return base->n_sub > 0 ? base : NULL;
}

static int
alias_read(struct sid *out, struct span s, const struct sddl_domain *dom, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
		const struct alias *a = &aliases[i];
		const struct sid *base;

		if (!span_is(s, a->code))
			continue;
		if (a->of == ABSOLUTE) {
			*out = a->sid;
			return 0;
		}
		base = alias_base(a, dom);
		if (base == NULL)
			return ERR(e, E_INVALIDARG, "SID alias %s needs the SID of the %s", a->code,
			    a->of == OF_ROOT ? "forest root" : "domain");
		return sid_with_rid(out, base, a->sid.sub[0], e);
	}
	return ERR(e, E_INVALIDARG, "unknown SID alias %.2s", s.p);
}

int
sddl_sid_read(struct sid *out, struct span s, const struct sddl_domain *dom, struct err *e)
{
	char text[SID_TEXT_MAX];

	if (s.n == 0)
		return ERR(e, E_INVALIDARG, "no SID");
	if (s.n == 2)
		return alias_read(out, s, dom, e);
	if (s.n >= sizeof(text))
		return ERR(e, E_INVALIDARG, "SID text of %zu characters", s.n);
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return sid_from_text(out, text, e);
}

int
sddl_sid_from_text(struct sid *out, const char *text, const struct sddl_domain *dom, struct err *e)
{
	return sddl_sid_read(out, (struct span){ text, strlen(text) }, dom, e);
}

static bool
alias_is(const struct alias *a, const struct sid *sid, const struct sddl_domain *dom)
{
	const struct sid *base;
	struct sid full;

	if (a->of == ABSOLUTE)
		return sid_equal(&a->sid, sid);
	base = alias_base(a, dom);
	return base != NULL && sid_with_rid(&full, base, a->sid.sub[0], NULL) == 0 && sid_equal(&full, sid);
}

const char *
sddl_alias_of(const struct sid *sid, const struct sddl_domain *dom)
{
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
		if (alias_is(&aliases[i], sid, dom))
			return aliases[i].code;
	}
	return NULL;
}
