#include "auth/token.h"

#include <stdlib.h>
#include <string.h>

#define RID_DOMAIN_CONTROLLERS 516

static bool
copy_text(char **out, const char *s)
{
	*out = s != NULL ? strdup(s) : NULL;
	return s == NULL || *out != NULL;
}

struct token *
token_new(const char *account, const char *dn, const char *upn, bool is_computer)
{
	struct token *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->refs = 1;
	t->is_computer = is_computer;
	if (!copy_text(&t->account, account) || !copy_text(&t->dn, dn) || !copy_text(&t->upn, upn)) {
		token_unref(t);
		return NULL;
	}
	return t;
}

static int
reserve(struct token *t, struct err *e)
{
	size_t cap = t->sids_cap != 0 ? t->sids_cap * 2 : 16;
	struct token_sid *p;

	if (t->n_sids < t->sids_cap)
		return 0;
	p = realloc(t->sids, cap * sizeof(*p));
	if (p == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu SIDs", cap);
	t->sids = p;
	t->sids_cap = cap;
	return 0;
}

int
token_add(struct token *t, const struct sid *sid, enum token_via via, const char *name, struct err *e)
{
	struct token_sid *s;

	if (token_has(t, sid))
		return 0;
	if (t->n_sids == TOKEN_MAX_SIDS)
		return ERR(e, E_INVALID_DATA, "token of %s would hold more than %d SIDs", t->account,
		    TOKEN_MAX_SIDS);
	if (reserve(t, e) != 0)
		return -1;
	s = &t->sids[t->n_sids];
	*s = (struct token_sid){ .sid = *sid, .via = via };
	if (!copy_text(&s->name, name))
		return ERR(e, E_OUTOFMEMORY, "no memory for a group name");
	t->n_sids++;
	return 0;
}

int
token_add_well_known(struct token *t, uint32_t primary_rid, struct err *e)
{
	static const struct {
		const struct sid *sid;
		const char *name;
	} always[] = {
		{ &SID_EVERYONE, "Everyone" },
		{ &SID_NETWORK, "NT AUTHORITY\\NETWORK" },
		{ &SID_AUTHENTICATED_USERS, "NT AUTHORITY\\Authenticated Users" },
		{ &SID_THIS_ORGANIZATION, "NT AUTHORITY\\This Organization" },
	};

	for (size_t i = 0; i < ARRAY_LEN(always); i++) {
		if (token_add(t, always[i].sid, TOKEN_VIA_WELL_KNOWN, always[i].name, e) != 0)
			return -1;
	}
	if (primary_rid != RID_DOMAIN_CONTROLLERS)
		return 0;
	return token_add(
	    t, &SID_ENTERPRISE_DCS, TOKEN_VIA_WELL_KNOWN, "NT AUTHORITY\\ENTERPRISE DOMAIN CONTROLLERS", e);
}

const struct token_sid *
token_find(const struct token *t, const struct sid *sid)
{
	for (size_t i = 0; i < t->n_sids; i++) {
		if (sid_equal(&t->sids[i].sid, sid))
			return &t->sids[i];
	}
	return NULL;
}

bool
token_has(const struct token *t, const struct sid *sid)
{
	return token_find(t, sid) != NULL;
}

struct token *
token_ref(struct token *t)
{
	t->refs++;
	return t;
}

void
token_unref(struct token *t)
{
	if (t == NULL || --t->refs > 0)
		return;
	for (size_t i = 0; i < t->n_sids; i++)
		free(t->sids[i].name);
	free(t->sids);
	free(t->account);
	free(t->dn);
	free(t->upn);
	free(t);
}
