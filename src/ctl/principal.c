/* principal show: the token the server would build, and the memberships behind each SID. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ctl/admin.h"
#include "ctl/principal.h"

/* ---- the token ---- */

const char *const ctl_via_names[] = {
	[TOKEN_VIA_USER] = "user",
	[TOKEN_VIA_PRIMARY] = "primary",
	[TOKEN_VIA_GROUP] = "group",
	[TOKEN_VIA_WELL_KNOWN] = "wellKnown",
	[TOKEN_VIA_LOCAL] = "local",
};

static int
add_sid(struct token *t, const json_t *item, struct err *e)
{
	const char *text = json_string_value(json_object_get(item, "sid"));
	const char *via = json_string_value(json_object_get(item, "via"));
	struct sid sid;
	int v = TOKEN_VIA_USER;

	while (via != NULL && v < TOKEN_VIA_LOCAL && strcmp(via, ctl_via_names[v]) != 0)
		v++;
	if (text == NULL || via == NULL)
		return ERR(e, E_UNEXPECTED, "the server sent a token that cannot be read");
	if (sid_from_text(&sid, text, e) != 0)
		return -1;
	return token_add(t, &sid, (enum token_via)v, json_string_value(json_object_get(item, "name")), e);
}

struct token *
ctl_token_get(struct ctl *c, const char *name, struct err *e)
{
	json_t *o = ctl_call(c, "principal.show", json_pack("{s:s}", "name", name), e), *item;
	const char *account = json_string_value(json_object_get(o, "account"));
	const char *dn = json_string_value(json_object_get(o, "dn"));
	struct token *t = NULL;
	size_t i;

	if (o == NULL)
		return NULL;
	t = token_new(account != NULL ? account : name, dn != NULL ? dn : "",
	    json_string_value(json_object_get(o, "upn")), json_is_true(json_object_get(o, "computer")));
	if (t == NULL)
		ERR(e, E_OUTOFMEMORY, "no memory for a token");
	json_array_foreach(json_object_get(o, "sids"), i, item)
	{
		if (t != NULL && add_sid(t, item, e) != 0) {
			token_unref(t);
			t = NULL;
		}
	}
	json_decref(o);
	return t;
}

/* ---- memberships ---- */

/* A group of the token on the way from the account to it. */
struct step {
	const struct token_sid *in_token;
	const struct ctl_entry *group;
	const struct step *from; /* the group that is a member of this one; NULL: the account itself */
	bool reached;
};

static const struct token_sid *
sid_of_entry(const struct token *t, const struct ctl_entry *en)
{
	const struct ctl_attr *a = ctl_entry_attr(en, "objectSid");
	struct err ignored;
	struct sid sid;

	if (a == NULL || sid_from_wire(&sid, a->values[0], NULL, &ignored) != 0)
		return NULL;
	return token_find(t, &sid);
}

static bool
has_member(const struct ctl_entry *group, const char *dn)
{
	const struct ctl_attr *a = ctl_entry_attr(group, "member");

	for (size_t i = 0; a != NULL && i < a->n; i++) {
		if (strcasecmp((const char *)a->values[i].p, dn) == 0)
			return true;
	}
	return false;
}

/* Breadth first, so that each path is a shortest one. */
static void
find_paths(const struct token *t, struct step *steps, const struct step **queue, size_t n)
{
	size_t head = 0, tail = 0;

	for (size_t i = 0; i < n; i++) {
		steps[i].reached = steps[i].in_token != NULL &&
		    (has_member(steps[i].group, t->dn) || steps[i].in_token->via == TOKEN_VIA_PRIMARY);
		if (steps[i].reached)
			queue[tail++] = &steps[i];
	}
	while (head < tail) {
		const struct step *at = queue[head++];

		for (size_t i = 0; i < n; i++) {
			if (steps[i].reached || steps[i].in_token == NULL ||
			    !has_member(steps[i].group, at->group->dn))
				continue;
			steps[i].from = at;
			steps[i].reached = true;
			queue[tail++] = &steps[i];
		}
	}
}

static const char *
path_text(struct ctl *c, const struct step *s)
{
	const char *text = "";

	for (const struct step *at = s->from; at != NULL; at = at->from)
		text = pool_printf(c->pool, "%s%s%s", ctl_entry_text(at->group, "sAMAccountName"),
		    *text != '\0' ? " > " : "", text);
	return text != NULL ? text : "";
}

/* paths[i] belongs to SID i of the token: the groups between the account and it, "" when none. */
static int
memberships(struct ctl *c, const struct token *t, const char **paths, struct err *e)
{
	const struct step **queue;
	struct ctl_entry *groups;
	struct step *steps;
	size_t n;

	if (ctl_ldap_open(c, e) != 0 ||
	    ctl_ldap_search(c, c->domain_dn, CTL_SUB, "(objectClass=group)", &groups, &n, e) != 0)
		return -1;
	steps = pool_calloc(c->pool, n, sizeof(*steps));
	queue = pool_calloc(c->pool, n, sizeof(const struct step *));
	if (steps == NULL || queue == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu groups", n);
	for (size_t i = 0; i < n; i++)
		steps[i] = (struct step){ .group = &groups[i], .in_token = sid_of_entry(t, &groups[i]) };
	find_paths(t, steps, queue, n);
	for (size_t i = 0; i < n; i++) {
		if (steps[i].in_token != NULL)
			paths[steps[i].in_token - t->sids] = path_text(c, &steps[i]);
	}
	return 0;
}

/* ---- the verb ---- */

static const char *
via_text(struct ctl *c, const struct token_sid *s, const char *path)
{
	switch (s->via) {
	case TOKEN_VIA_USER:
		return "the account";
	case TOKEN_VIA_PRIMARY:
		return *path != '\0' ? pool_printf(c->pool, "primary group, through %s", path)
				     : "primary group";
	case TOKEN_VIA_GROUP:
		return *path != '\0' ? pool_printf(c->pool, "member through %s", path) : "member";
	case TOKEN_VIA_WELL_KNOWN:
		return "well-known";
	case TOKEN_VIA_LOCAL:
		break;
	}
	return "local group of the CA host, by setting";
}

static int
show(struct ctl *c, const struct token *t, const char *const *paths)
{
	json_t *list = json_array();
	char text[SID_TEXT_MAX];

	if (!c->json)
		printf("%-10s %s\n%-10s %s\n%-10s %s\n\n", "Account", t->account, "DN", t->dn, "UPN",
		    t->upn != NULL ? t->upn : "-");
	for (size_t i = 0; i < t->n_sids; i++) {
		const struct token_sid *s = &t->sids[i];

		sid_to_text(&s->sid, text);
		if (c->json)
			json_array_append_new(list,
			    json_pack("{s:s, s:s?, s:s, s:s}", "sid", text, "name", s->name, "via",
				ctl_via_names[s->via], "path", paths[i]));
		else
			printf("%-50s %-46s %s\n", text, s->name != NULL ? s->name : "",
			    via_text(c, s, paths[i]));
	}
	if (c->json)
		return ctl_print_json(json_pack("{s:s, s:s, s:s?, s:b, s:o}", "account", t->account, "dn",
		    t->dn, "upn", t->upn, "computer", t->is_computer, "sids", list));
	json_decref(list);
	return CTL_OK;
}

int
ctl_principal_show(struct ctl *c, const struct ctl_args *a)
{
	const char **paths;
	struct token *t;
	struct err e;
	int rc;

	t = ctl_token_get(c, a->positional[0], &e);
	if (t == NULL)
		return ctl_fail(c, &e);
	paths = pool_calloc(c->pool, t->n_sids, sizeof(*paths));
	for (size_t i = 0; paths != NULL && i < t->n_sids; i++)
		paths[i] = "";
	rc = paths != NULL ? memberships(c, t, paths, &e) : ERR(&e, E_OUTOFMEMORY, "no memory for a token");
	rc = rc == 0 ? show(c, t, paths) : ctl_fail(c, &e);
	token_unref(t);
	return rc;
}
