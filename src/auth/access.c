#include "auth/access.h"

#define CA_IMPLIES_READ (CA_ACCESS_ADMIN | CA_ACCESS_OFFICER | CA_ACCESS_ENROLL)

const struct guid GUID_ENROLL = { 0x0e10c968, 0x78fb, 0x11d2,
	{ 0x90, 0xd4, 0x00, 0xc0, 0x4f, 0x79, 0xdc, 0x55 } };
const struct guid GUID_AUTOENROLL = { 0xa05b8cc2, 0x17bc, 0x4802,
	{ 0xa7, 0x10, 0xe7, 0xc1, 0x5a, 0xb8, 0x66, 0xa2 } };

/* Absent and null DACL mean the same: no check at all (MS-ADTS 5.1.3.3.1). */
static bool
has_dacl(const struct sd *sd)
{
	return sd != NULL && (sd->control & SE_DACL_PRESENT) != 0 && sd->dacl != NULL;
}

static bool
is_owner(const struct sd *sd, const struct token *t)
{
	return sd->has_owner && token_has(t, &sd->owner);
}

/* Does the ACE speak of this token, on this object itself? */
static bool
ace_applies(const struct ace *ace, const struct token *t, bool owner)
{
	if ((ace->flags & INHERIT_ONLY_ACE) != 0)
		return false;
	return token_has(t, &ace->sid) || (owner && sid_equal(&ace->sid, &SID_OWNER_RIGHTS));
}

static bool
is_allow(const struct ace *ace)
{
	return ace->type == ACCESS_ALLOWED_ACE_TYPE || ace->type == ACCESS_ALLOWED_OBJECT_ACE_TYPE;
}

static bool
is_deny(const struct ace *ace)
{
	return ace->type == ACCESS_DENIED_ACE_TYPE || ace->type == ACCESS_DENIED_OBJECT_ACE_TYPE;
}

struct access_verdict
access_check_control(const struct sd *sd, const struct token *t, const struct guid *right)
{
	bool owner;

	if (!has_dacl(sd))
		return (struct access_verdict){ .granted = true, .no_dacl = true };
	owner = is_owner(sd, t);
	for (size_t i = 0; i < sd->dacl->n; i++) {
		const struct ace *ace = &sd->dacl->aces[i];

		/* MS-CRTD 2.5.1 names no plain deny ACE; MS-DTYP 2.5.3.2 applies it, and so do we. */
		if (!is_allow(ace) && !is_deny(ace))
			continue;
		if ((access_map_generic(ace->mask) & ADS_RIGHT_DS_CONTROL_ACCESS) == 0)
			continue;
		if (ace->has_object_type && !guid_equal(&ace->object_type, right))
			continue;
		if (ace_applies(ace, t, owner))
			return (struct access_verdict){ .granted = is_allow(ace), .ace = ace };
	}
	return (struct access_verdict){ .granted = false };
}

/* The owner may read and change the DACL unless it says otherwise (MS-DTYP 2.4.2.4, OWNER_RIGHTS). */
static uint32_t
implied_rights(const struct sd *sd, bool owner)
{
	if (!owner)
		return 0;
	for (size_t i = 0; i < sd->dacl->n; i++) {
		const struct ace *ace = &sd->dacl->aces[i];

		if (sid_equal(&ace->sid, &SID_OWNER_RIGHTS) && (ace->flags & INHERIT_ONLY_ACE) == 0)
			return 0;
	}
	return RIGHT_READ_CONTROL | RIGHT_WRITE_DAC;
}

struct access_verdict
access_check(const struct sd *sd, const struct token *t, uint32_t wanted, uint32_t *granted)
{
	const struct ace *last = NULL, *denier = NULL;
	uint32_t g, d = 0;
	bool owner, ok;

	if (!has_dacl(sd)) {
		if (granted != NULL)
			*granted = UINT32_MAX;
		return (struct access_verdict){ .granted = true, .no_dacl = true };
	}
	owner = is_owner(sd, t);
	g = implied_rights(sd, owner);
	for (size_t i = 0; i < sd->dacl->n; i++) {
		const struct ace *ace = &sd->dacl->aces[i];
		uint32_t fresh = ace->mask & ~g & ~d;

		/* A right on a property or operation is none on the whole object (MS-ADTS 5.1.3.3.2). */
		if (fresh == 0 || ace->has_object_type || !ace_applies(ace, t, owner))
			continue;
		if (is_allow(ace)) {
			g |= fresh;
			if ((fresh & wanted) != 0)
				last = ace;
		} else if (is_deny(ace)) {
			d |= fresh;
			if ((fresh & wanted) != 0 && denier == NULL)
				denier = ace;
		}
	}
	if (granted != NULL)
		*granted = g;
	ok = (wanted & ~g) == 0;
	return (struct access_verdict){ .granted = ok, .ace = ok ? last : denier };
}

struct access_verdict
access_check_ca(const struct sd *sd, const struct token *t, uint32_t wanted, uint32_t *granted)
{
	uint32_t g, implying;
	struct access_verdict v = access_check(sd, t, wanted, &g);

	implying = g & CA_IMPLIES_READ;
	if (implying != 0 && (g & CA_ACCESS_READ) == 0) {
		g |= CA_ACCESS_READ;
		if (!v.granted && (wanted & ~g) == 0) {
			/* The rest of what was wanted decided; if Read was all, the right that implies it. */
			uint32_t rest = wanted & ~(uint32_t)CA_ACCESS_READ;

			v = access_check(sd, t, rest != 0 ? rest : implying, NULL);
		}
	}
	if (granted != NULL)
		*granted = g;
	return v;
}

uint32_t
access_map_generic(uint32_t mask)
{
	static const struct {
		uint32_t generic, rights;
	} map[] = {
		{ GENERIC_READ, 0x20094 },
		{ GENERIC_WRITE, 0x20028 },
		{ GENERIC_EXECUTE, 0x20004 },
		{ GENERIC_ALL, 0xf01ff },
	};

	for (size_t i = 0; i < ARRAY_LEN(map); i++) {
		if ((mask & map[i].generic) != 0)
			mask = (mask & ~map[i].generic) | map[i].rights;
	}
	return mask;
}

static void
map_acl(struct acl *acl)
{
	for (size_t i = 0; acl != NULL && i < acl->n; i++)
		acl->aces[i].mask = access_map_generic(acl->aces[i].mask);
}

void
access_map_generic_sd(struct sd *sd)
{
	map_acl(sd->dacl);
	map_acl(sd->sacl);
}
