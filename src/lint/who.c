/* Principals: how far they are trusted, and whom a descriptor lets do what. */
#include <string.h>
#include <strings.h>

#include "lint/lint_priv.h"

#define MAX_WHO 64 /* principals of one finding */
#define ACE_TEXT 512

/* S-1-5-32-x and domain-relative RIDs (access-control.md section 6). */
static const char *const broad_sids[] = { "S-1-1-0", "S-1-5-2", "S-1-5-7", "S-1-5-11", "S-1-5-15",
	"S-1-5-32-545", "S-1-5-32-546", "S-1-5-32-554" };
static const uint32_t broad_rids[] = { 513, 514, 515 };
static const char *const privileged_sids[] = { "S-1-5-18", "S-1-5-9", "S-1-3-0", "S-1-3-4", "S-1-5-10",
	"S-1-5-32-544", "S-1-5-32-548", "S-1-5-32-549", "S-1-5-32-550", "S-1-5-32-551" };
/* Administrator, krbtgt, Domain Admins, Domain Controllers, Cert Publishers, Schema and Enterprise Admins,
 * Group Policy Creator Owners, RODCs, Enterprise RODCs, (Enterprise) Key Admins. */
static const uint32_t privileged_rids[] = { 498, 500, 502, 512, 516, 517, 518, 519, 520, 521, 526, 527 };
static const uint32_t admin_groups[] = { 512, 518, 519 };

static const struct {
	const char *sid, *name;
} well_known[] = {
	{ "S-1-1-0", "Everyone" },
	{ "S-1-3-0", "CREATOR OWNER" },
	{ "S-1-5-2", "NT AUTHORITY\\NETWORK" },
	{ "S-1-5-7", "NT AUTHORITY\\ANONYMOUS LOGON" },
	{ "S-1-5-9", "NT AUTHORITY\\ENTERPRISE DOMAIN CONTROLLERS" },
	{ "S-1-5-11", "NT AUTHORITY\\Authenticated Users" },
	{ "S-1-5-15", "NT AUTHORITY\\This Organization" },
	{ "S-1-5-18", "NT AUTHORITY\\SYSTEM" },
	{ "S-1-5-32-544", "BUILTIN\\Administrators" },
	{ "S-1-5-32-545", "BUILTIN\\Users" },
	{ "S-1-5-32-554", "BUILTIN\\Pre-Windows 2000 Compatible Access" },
};

static bool
is_one_of(const struct sid *sid, const char *const *list, size_t n)
{
	char text[SID_TEXT_MAX];

	sid_to_text(sid, text);
	for (size_t i = 0; i < n; i++)
		if (strcmp(text, list[i]) == 0)
			return true;
	return false;
}

static bool
has_rid(const struct lint_model *m, const struct sid *sid, const uint32_t *rids, size_t n)
{
	struct sid domain;
	uint32_t rid;

	if (sid_split_rid(sid, &domain, &rid, NULL) != 0 || !sid_equal(&domain, &m->domain.domain))
		return false;
	for (size_t i = 0; i < n; i++)
		if (rids[i] == rid)
			return true;
	return false;
}

/* ---- tokens ---- */

static int
add_sid(struct token *t, const struct sid *sid)
{
	return token_add(t, sid, TOKEN_VIA_GROUP, NULL, NULL);
}

/* Everybody who is authenticated, whatever the CA's host and the domain controllers call them. */
static int
add_everybody(struct token *t)
{
	const struct sid *const all[] = { &SID_EVERYONE, &SID_NETWORK, &SID_AUTHENTICATED_USERS,
		&SID_THIS_ORGANIZATION, &SID_BUILTIN_USERS };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (add_sid(t, all[i]) != 0)
			return -1;
	return 0;
}

/* Groups that hold what the token has got so far; the token's list grows while it is walked, and never twice.
 */
static int
add_groups(const struct lint_model *m, struct token *t)
{
	for (size_t i = 0; i < t->n_sids; i++) {
		const struct lint_account *a = lint_account_find(m, &t->sids[i].sid);
		size_t at = a != NULL ? lint_membership_first(m, a->dn) : m->n_memberships;

		for (; at < m->n_memberships && strcasecmp(m->memberships[at].dn, a->dn) == 0; at++)
			if (add_sid(t, &m->memberships[at].group->sid) != 0)
				return -1;
	}
	return 0;
}

static int
fill_token(const struct lint_model *m, struct token *t, const struct sid *sid)
{
	const struct lint_account *a = lint_account_find(m, sid);
	struct sid primary;

	if (add_sid(t, sid) != 0)
		return -1;
	if (a != NULL && a->primary_rid != 0 &&
	    (sid_with_rid(&primary, &m->domain.domain, a->primary_rid, NULL) != 0 ||
		add_sid(t, &primary) != 0))
		return -1;
	if (!sid_equal(sid, &SID_ANONYMOUS) && add_everybody(t) != 0)
		return -1;
	return add_groups(m, t);
}

const struct token *
lint_token_of(struct lint_model *m, const struct sid *sid)
{
	struct token *t;

	for (size_t i = 0; i < m->n_tokens; i++)
		if (sid_equal(&m->tokens[i]->sids[0].sid, sid))
			return m->tokens[i];
	t = token_new("", "", NULL, false);
	if (t == NULL || fill_token(m, t, sid) != 0) {
		token_unref(t);
		return NULL;
	}
	if (m->n_tokens == LINT_TOKENS)
		token_unref(m->tokens[--m->n_tokens]);
	m->tokens[m->n_tokens++] = t;
	return t;
}

/* ---- trust ---- */

static bool
is_ca_host(const struct lint_model *m, const struct sid *sid)
{
	const struct lint_account *a = lint_account_find(m, sid);

	for (size_t i = 0; a != NULL && a->dns_host_name != NULL && i < m->n_cas; i++)
		if (m->cas[i].host != NULL && strcasecmp(m->cas[i].host, a->dns_host_name) == 0)
			return true;
	return false;
}

static bool
is_administrator(struct lint_model *m, const struct sid *sid)
{
	const struct token *t = lint_token_of(m, sid);

	for (size_t i = 0; t != NULL && i < t->n_sids; i++)
		if (sid_equal(&t->sids[i].sid, &SID_BUILTIN_ADMINISTRATORS) ||
		    has_rid(m, &t->sids[i].sid, admin_groups, ARRAY_LEN(admin_groups)))
			return true;
	return false;
}

static bool
is_broad(const struct lint_model *m, const struct sid *sid)
{
	return is_one_of(sid, broad_sids, ARRAY_LEN(broad_sids)) ||
	    has_rid(m, sid, broad_rids, ARRAY_LEN(broad_rids));
}

/* Does the group hold one of the broad ones, directly or nested? Asked from below: a token of the broad one
 * has it. */
static bool
holds_broad(struct lint_model *m, const struct sid *group)
{
	for (size_t i = 0; i < ARRAY_LEN(broad_rids) + 1; i++) {
		struct sid broad = SID_AUTHENTICATED_USERS;
		const struct token *t;

		if (i > 0 && sid_with_rid(&broad, &m->domain.domain, broad_rids[i - 1], NULL) != 0)
			continue;
		t = lint_token_of(m, &broad);
		if (t != NULL && token_has(t, group))
			return true;
	}
	return false;
}

enum lint_trust
lint_trust_of(struct lint_model *m, const struct sid *sid)
{
	for (size_t i = 0; i < m->n_trusted; i++)
		if (sid_equal(&m->trusted[i], sid))
			return LINT_TRUSTED;
	if (is_broad(m, sid))
		return LINT_BROAD;
	if (is_one_of(sid, privileged_sids, ARRAY_LEN(privileged_sids)) ||
	    has_rid(m, sid, privileged_rids, ARRAY_LEN(privileged_rids)) || is_ca_host(m, sid) ||
	    is_administrator(m, sid))
		return LINT_PRIVILEGED;
	return holds_broad(m, sid) ? LINT_BROAD : LINT_NAMED;
}

const char *
lint_name_of(const struct lint_model *m, const struct sid *sid)
{
	const struct lint_account *a = lint_account_find(m, sid);
	char text[SID_TEXT_MAX];
	const char *name;

	sid_to_text(sid, text);
	for (size_t i = 0; i < ARRAY_LEN(well_known); i++)
		if (strcmp(well_known[i].sid, text) == 0)
			return well_known[i].name;
	name = a != NULL && a->sam != NULL ? pool_printf(m->pool, "%s\\%s", m->nb_domain, a->sam)
					   : pool_strdup(m->pool, text);
	return name != NULL ? name : "";
}

/* ---- descriptors ---- */

/* Does the token of one principal pass? ace gets the entry that decided, NULL for ownership and absent lists.
 */
typedef bool
passes_fn(const struct sd *sd, const struct token *t, const void *wanted, const struct ace **ace);

static const char *
ace_text(struct lint_run *r, const struct sd *sd, const struct ace *ace, int *index)
{
	const char *text;
	struct buf b;

	*index = -1;
	if (ace == NULL)
		return sd->dacl == NULL ? "no DACL" : "owner";
	*index = (int)(ace - sd->dacl->aces);
	buf_init(&b, ACE_TEXT);
	text = sd_ace_to_sddl(ace, &b, &r->m->domain, NULL) == 0 ? pool_strdup(r->pool, buf_cstr(&b)) : NULL;
	buf_fini(&b);
	return text != NULL ? text : "";
}

static void
try_principal(struct lint_run *r, const struct sd *sd, const struct sid *sid, enum lint_trust least,
    passes_fn *passes, const void *wanted, struct lint_principals *out)
{
	const struct token *t;
	const struct ace *ace = NULL;
	enum lint_trust trust;

	for (size_t i = 0; i < out->n; i++)
		if (sid_equal(&out->v[i].sid, sid))
			return;
	trust = lint_trust_of(r->m, sid);
	if (trust < least || out->n == MAX_WHO)
		return;
	t = lint_token_of(r->m, sid);
	r->short_of_memory |= t == NULL;
	if (t == NULL || !passes(sd, t, wanted, &ace))
		return;
	out->v[out->n] =
	    (struct lint_principal){ .sid = *sid, .name = lint_name_of(r->m, sid), .trust = trust };
	out->v[out->n].ace_text = ace_text(r, sd, ace, &out->v[out->n].ace);
	out->n++;
}

/* Everybody the descriptor speaks of is tried; a deny entry may still stop them. */
static struct lint_principals
who(struct lint_run *r, const struct sd *sd, enum lint_trust least, passes_fn *passes, const void *wanted)
{
	struct lint_principal found[MAX_WHO];
	struct lint_principals out = { found, 0 };

	if (sd == NULL)
		return (struct lint_principals){ NULL, 0 };
	if (sd->dacl == NULL)
		try_principal(r, sd, &SID_EVERYONE, least, passes, wanted, &out);
	if (sd->has_owner)
		try_principal(r, sd, &sd->owner, least, passes, wanted, &out);
	for (size_t i = 0; sd->dacl != NULL && i < sd->dacl->n; i++) {
		const struct ace *ace = &sd->dacl->aces[i];

		if (ace->type == ACCESS_ALLOWED_ACE_TYPE || ace->type == ACCESS_ALLOWED_OBJECT_ACE_TYPE)
			try_principal(r, sd, &ace->sid, least, passes, wanted, &out);
	}
	out.v = out.n > 0 ? pool_dup(r->pool, found, out.n * sizeof(found[0])) : NULL;
	if (out.n > 0 && out.v == NULL) {
		r->short_of_memory = true;
		out.n = 0;
	}
	return out;
}

static bool
passes_control(const struct sd *sd, const struct token *t, const void *wanted, const struct ace **ace)
{
	struct access_verdict v = access_check_control(sd, t, wanted);

	*ace = v.ace;
	return v.granted;
}

static bool
passes_ca(const struct sd *sd, const struct token *t, const void *wanted, const struct ace **ace)
{
	struct access_verdict v = access_check_ca(sd, t, *(const uint32_t *)wanted, NULL);

	*ace = v.ace;
	return v.granted;
}

static bool
passes_plain(const struct sd *sd, const struct token *t, const void *wanted, const struct ace **ace)
{
	struct access_verdict v = access_check(sd, t, *(const uint32_t *)wanted, NULL);

	*ace = v.ace;
	return v.granted;
}

/* schemaIDGUIDs of attributes whose change makes a template or an account dangerous (access-control.md 3.3).
 */
static const struct guid sensitive[] = {
	{ 0xea1dddc4, 0x60ff, 0x416e,
	    { 0x8c, 0xc0, 0x17, 0xce, 0xe5, 0x34, 0xbc, 0xe7 } }, /* msPKI-Certificate-Name-Flag */
	{ 0xd15ef7d8, 0xf226, 0x46db,
	    { 0xae, 0x79, 0xb3, 0x4e, 0x56, 0x0b, 0xd1, 0x2c } }, /* msPKI-Enrollment-Flag */
};
static const struct guid alt_security_identities = { 0x00fbf30c, 0x91fe, 0x11d1,
	{ 0xae, 0xbc, 0x00, 0x00, 0xf8, 0x03, 0x67, 0xc1 } };

static bool
is_sensitive(const struct guid *g)
{
	for (size_t i = 0; i < ARRAY_LEN(sensitive); i++)
		if (guid_equal(&sensitive[i], g))
			return true;
	return false;
}

/* An object entry that lets this token write one attribute; a plain denial of WriteProperty takes it away. */
static const struct ace *
property_ace(const struct sd *sd, const struct token *t, const struct guid *only)
{
	for (size_t i = 0; sd->dacl != NULL && i < sd->dacl->n; i++) {
		const struct ace *ace = &sd->dacl->aces[i];

		if ((ace->flags & INHERIT_ONLY_ACE) != 0 || (ace->mask & ADS_RIGHT_DS_WRITE_PROP) == 0 ||
		    !token_has(t, &ace->sid))
			continue;
		if (ace->type == ACCESS_DENIED_ACE_TYPE)
			return NULL;
		if (ace->type == ACCESS_ALLOWED_OBJECT_ACE_TYPE && ace->has_object_type &&
		    (only != NULL ? guid_equal(only, &ace->object_type) : is_sensitive(&ace->object_type)))
			return ace;
	}
	return NULL;
}

/* wanted: bits of which any one is enough; 0x20 stands for WriteProperty on everything. */
static bool
passes_write(const struct sd *sd, const struct token *t, const void *wanted, const struct ace **ace)
{
	uint32_t any = *(const uint32_t *)wanted;

	for (uint32_t bit = 1; bit != 0; bit <<= 1) {
		struct access_verdict v = { 0 };

		if ((any & bit) != 0)
			v = access_check(sd, t, bit, NULL);
		if (v.granted) {
			*ace = v.ace;
			return true;
		}
	}
	*ace = property_ace(sd, t, NULL);
	return *ace != NULL;
}

static bool
passes_mapping(const struct sd *sd, const struct token *t, const void *wanted, const struct ace **ace)
{
	uint32_t write = ADS_RIGHT_DS_WRITE_PROP;

	if (passes_plain(sd, t, &write, ace))
		return true;
	*ace = property_ace(sd, t, wanted);
	return *ace != NULL;
}

struct lint_principals
lint_who_control(struct lint_run *r, const struct sd *sd, const struct guid *right, enum lint_trust least)
{
	return who(r, sd, least, passes_control, right);
}

struct lint_principals
lint_who_ca(struct lint_run *r, const struct sd *sd, uint32_t wanted, enum lint_trust least)
{
	return who(r, sd, least, passes_ca, &wanted);
}

struct lint_principals
lint_who_may(struct lint_run *r, const struct sd *sd, uint32_t wanted, enum lint_trust least)
{
	return who(r, sd, least, passes_plain, &wanted);
}

struct lint_principals
lint_who_writes(struct lint_run *r, const struct sd *sd, bool container, enum lint_trust least)
{
	uint32_t any = ADS_RIGHT_DS_WRITE_PROP | RIGHT_WRITE_DAC | RIGHT_WRITE_OWNER;

	if (container)
		any |= ADS_RIGHT_DS_CREATE_CHILD;
	return who(r, sd, least, passes_write, &any);
}

struct lint_principals
lint_who_maps(struct lint_run *r, const struct sd *sd, enum lint_trust least)
{
	return who(r, sd, least, passes_mapping, &alt_security_identities);
}

enum lint_trust
lint_worst(struct lint_principals all)
{
	enum lint_trust worst = LINT_PRIVILEGED;

	for (size_t i = 0; i < all.n; i++)
		if (all.v[i].trust > worst)
			worst = all.v[i].trust;
	return worst;
}

enum lint_severity
lint_severity_of(struct lint_principals all)
{
	switch (lint_worst(all)) {
	case LINT_BROAD:
		return LINT_ERROR;
	case LINT_NAMED:
		return LINT_WARNING;
	case LINT_TRUSTED:
	case LINT_PRIVILEGED:
		break;
	}
	return LINT_INFO;
}
