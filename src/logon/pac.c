#include "logon/pac.h"

#include <stdio.h>
#include <string.h>

#include "idl/pac.h"

#define SECURITY_BUILTIN_DOMAIN_RID 32

static const char *
text_of(const struct pac_string *s)
{
	return s->chars != NULL ? s->chars->utf8 : "";
}

static int
sid_of(struct sid *out, const struct pac_sid *s, const char *what, struct err *e)
{
	if (s == NULL)
		return ERR(e, E_INVALID_DATA, "PAC without its %s", what);
	return sid_from_wire(out, s->packet, NULL, e) != 0 ? err_prefix(e, "PAC: %s", what) : 0;
}

int
pac_identity_read(struct bytes logon_info, struct pool *pool, struct pac_identity *out, struct err *e)
{
	const struct pac_logon_info *info;
	struct sid domain;

	if (pac_logon_info_pull(logon_info, pool, &info, e) != 0)
		return -1;
	out->info = info;
	out->account = text_of(&info->effective_name);
	out->domain = text_of(&info->logon_domain_name);
	out->primary_rid = info->primary_group_id;
	/* UserId 0: the first of ExtraSids is the user. */
	if (info->user_id == 0) {
		if (info->extra_count == 0 || info->extra == NULL)
			return ERR(e, E_INVALID_DATA, "PAC without the user's SID");
		return sid_of(&out->user, info->extra[0].sid, "user SID", e);
	}
	if (sid_of(&domain, info->logon_domain_id, "LogonDomainId", e) != 0)
		return -1;
	return sid_with_rid(&out->user, &domain, info->user_id, e);
}

static bool
is_builtin(const struct sid *s)
{
	static const uint8_t nt_authority[6] = { 0, 0, 0, 0, 0, 5 };

	return s->n_sub > 0 && s->sub[0] == SECURITY_BUILTIN_DOMAIN_RID &&
	    memcmp(s->authority, nt_authority, sizeof(nt_authority)) == 0;
}

static int
add_groups(struct token *t, const struct pac_sid *domain, const char *what, const struct pac_group *groups,
    uint32_t n, struct err *e)
{
	struct sid base, s;

	if (n == 0 || groups == NULL)
		return 0;
	if (sid_of(&base, domain, what, e) != 0)
		return -1;
	for (uint32_t i = 0; i < n; i++) {
		if ((groups[i].attributes & SE_GROUP_ENABLED) == 0)
			continue;
		if (sid_with_rid(&s, &base, groups[i].rid, e) != 0)
			return -1;
		if (!is_builtin(&s) && token_add(t, &s, TOKEN_VIA_GROUP, NULL, e) != 0)
			return -1;
	}
	return 0;
}

static int
add_extra(struct token *t, const struct pac_logon_info *info, struct err *e)
{
	struct sid s;

	for (uint32_t i = 0; info->extra != NULL && i < info->extra_count; i++) {
		if ((info->extra[i].attributes & SE_GROUP_ENABLED) == 0)
			continue;
		if (sid_of(&s, info->extra[i].sid, "ExtraSids", e) != 0)
			return -1;
		if (!is_builtin(&s) && token_add(t, &s, TOKEN_VIA_GROUP, NULL, e) != 0)
			return -1;
	}
	return 0;
}

static int
add_primary(struct token *t, const struct pac_logon_info *info, struct err *e)
{
	struct sid domain, primary;

	if (info->primary_group_id == 0 || info->logon_domain_id == NULL)
		return 0;
	if (sid_of(&domain, info->logon_domain_id, "LogonDomainId", e) != 0 ||
	    sid_with_rid(&primary, &domain, info->primary_group_id, e) != 0)
		return -1;
	return is_builtin(&primary) ? 0 : token_add(t, &primary, TOKEN_VIA_PRIMARY, NULL, e);
}

int
pac_add_sids(struct token *t, const struct pac_identity *id, struct err *e)
{
	const struct pac_logon_info *info = id->info;
	char name[128];

	(void)snprintf(name, sizeof(name), "%s\\%s", id->domain, id->account);
	if (token_add(t, &id->user, TOKEN_VIA_USER, name, e) != 0 || add_primary(t, info, e) != 0 ||
	    add_groups(t, info->logon_domain_id, "LogonDomainId", info->groups, info->group_count, e) != 0)
		return -1;
	if ((info->user_flags & LOGON_EXTRA_SIDS) != 0 && add_extra(t, info, e) != 0)
		return -1;
	if ((info->user_flags & LOGON_RESOURCE_GROUPS) == 0)
		return 0;
	return add_groups(
	    t, info->resource_domain, "ResourceGroupDomainSid", info->resource, info->resource_count, e);
}
