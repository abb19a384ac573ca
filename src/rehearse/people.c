#include "rehearse/people.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PEOPLE_POOL_MAX (1024u << 20)
#define PEOPLE_MAX 1000000
#define GROUP_TYPE_SECURITY_ENABLED 0x80000000u /* MS-ADTS 2.2.12 */
#define UF_ACCOUNTDISABLE 0x2u

/* An account or a group, and the groups it is a direct member of. */
struct node {
	const char *dn;
	struct sid sid;
	const char *name;      /* "CORP\\Domain Users" */
	struct person *person; /* NULL: a group */
	uint32_t primary_rid;
	const char **member_of_dns, **member_dns; /* as the entry lists them */
	size_t n_member_of_dns, n_member_dns;
	struct node **parents;
	size_t n_parents, cap_parents;
	size_t visit; /* the token that saw it last */
};

struct people {
	struct pool *pool;
	const char *nb_domain;
	struct node **nodes;
	size_t n, cap;
	struct node **by_dn, **groups_by_sid;
	size_t n_groups;
	struct person **persons;
	size_t n_persons;
	struct node **queue;
};

struct people *
people_new(const char *nb_domain)
{
	struct people *p = calloc(1, sizeof(*p));

	if (p == NULL || (p->pool = pool_new(PEOPLE_POOL_MAX)) == NULL ||
	    (p->nb_domain = pool_strdup(p->pool, nb_domain)) == NULL) {
		people_free(p);
		return NULL;
	}
	return p;
}

void
people_free(struct people *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n; i++)
		if (p->nodes[i]->person != NULL)
			token_unref(p->nodes[i]->person->token);
	free(p->nodes);
	pool_free(p->pool);
	free(p);
}

/* ---- entries ---- */

static const char *
text_of(const struct policy_attrs *en, const char *attr)
{
	struct bytes v;

	return en->value(en->ctx, attr, 0, &v) && v.len > 0 ? (const char *)v.p : NULL;
}

static uint32_t
number_of(const struct policy_attrs *en, const char *attr)
{
	const char *s = text_of(en, attr);

	return s != NULL ? (uint32_t)strtoll(s, NULL, 10) : 0;
}

static bool
is_a(const struct policy_attrs *en, const char *class)
{
	struct bytes v;

	for (size_t i = 0; en->value(en->ctx, "objectClass", i, &v); i++)
		if (v.len == strlen(class) && strncasecmp((const char *)v.p, class, v.len) == 0)
			return true;
	return false;
}

static int
keep_text(struct people *p, const struct policy_attrs *en, const char *attr, const char **out)
{
	const char *s = text_of(en, attr);

	*out = s != NULL ? pool_strdup(p->pool, s) : NULL;
	return s == NULL || *out != NULL ? 0 : -1;
}

static int
keep_list(struct people *p, const struct policy_attrs *en, const char *attr, const char ***out, size_t *n)
{
	struct bytes v;

	*n = 0;
	while (en->value(en->ctx, attr, *n, &v))
		++*n;
	*out = pool_calloc(p->pool, *n, sizeof(**out));
	if (*out == NULL)
		return -1;
	for (size_t i = 0; i < *n; i++) {
		if (!en->value(en->ctx, attr, i, &v) ||
		    ((*out)[i] = pool_strndup(p->pool, (const char *)v.p, v.len)) == NULL)
			return -1;
	}
	return 0;
}

static int
keep_person(struct people *p, struct node *n, const struct policy_attrs *en)
{
	char sid[SID_TEXT_MAX];
	struct policy_subject *s;
	struct bytes guid;

	n->person = POOL_NEW(p->pool, struct person);
	if (n->person == NULL)
		return -1;
	n->primary_rid = number_of(en, "primaryGroupID");
	n->person->disabled = (number_of(en, "userAccountControl") & UF_ACCOUNTDISABLE) != 0;
	s = &n->person->subject;
	s->dn = n->dn;
	s->is_computer = is_a(en, "computer");
	s->sid_text = pool_strdup(p->pool, sid_to_text(&n->sid, sid));
	if (en->value(en->ctx, "objectGUID", 0, &guid) && guid.len == 16 &&
	    pool_dup_bytes(p->pool, guid, &s->guid) != 0)
		return -1;
	if (s->sid_text == NULL || keep_text(p, en, "sAMAccountName", &s->sam) != 0 ||
	    keep_text(p, en, "cn", &s->cn) != 0 || keep_text(p, en, "userPrincipalName", &s->upn) != 0 ||
	    keep_text(p, en, "mail", &s->mail) != 0 ||
	    keep_text(p, en, "dNSHostName", &s->dns_host_name) != 0)
		return -1;
	p->n_persons++;
	return 0;
}

static int
add_node(struct people *p, struct node *n)
{
	if (p->n == p->cap) {
		size_t cap = p->cap == 0 ? 256 : 2 * p->cap;
		struct node **more = p->n < PEOPLE_MAX ? realloc(p->nodes, cap * sizeof(*more)) : NULL;

		if (more == NULL)
			return -1;
		p->nodes = more;
		p->cap = cap;
	}
	p->nodes[p->n++] = n;
	return 0;
}

/* A DC's own groups are no one else's. */
static bool
is_builtin(const struct sid *sid)
{
	return sid->n_sub > 0 && sid->sub[0] == 32;
}

int
people_add(struct people *p, const struct policy_attrs *en, struct err *e)
{
	bool group = is_a(en, "group"), user = !group && is_a(en, "user");
	const char *sam = text_of(en, "sAMAccountName"), *dn;
	struct bytes wire;
	struct node *n;
	struct sid sid;

	if ((!group && !user) || !en->value(en->ctx, "objectSid", 0, &wire) || (user && sam == NULL))
		return 0;
	if (sid_from_wire(&sid, wire, NULL, e) != 0)
		return err_prefix(e, "objectSid of %.80s", en->dn);
	if (group && (is_builtin(&sid) || (number_of(en, "groupType") & GROUP_TYPE_SECURITY_ENABLED) == 0))
		return 0;
	n = POOL_NEW(p->pool, struct node);
	if (n == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %.80s", en->dn);
	n->sid = sid;
	dn = text_of(en, "distinguishedName"); /* as AD spells it; slapd writes its own form */
	n->dn = pool_strdup(p->pool, dn != NULL ? dn : en->dn);
	n->name = sam != NULL ? pool_printf(p->pool, "%s\\%s", p->nb_domain, sam) : NULL;
	if (n->dn == NULL || (sam != NULL && n->name == NULL) || (user && keep_person(p, n, en) != 0) ||
	    keep_list(p, en, "memberOf", &n->member_of_dns, &n->n_member_of_dns) != 0 ||
	    (group && keep_list(p, en, "member", &n->member_dns, &n->n_member_dns) != 0) ||
	    add_node(p, n) != 0)
		return ERR(e, E_OUTOFMEMORY, "no memory for %.80s", en->dn);
	p->n_groups += group;
	return 0;
}

/* ---- who is in what ---- */

static int
by_dn(const void *a, const void *b)
{
	const struct node *const *x = a, *const *y = b;

	return strcasecmp((*x)->dn, (*y)->dn);
}

static int
sid_order(const struct sid *x, const struct sid *y)
{
	if (x->n_sub != y->n_sub)
		return x->n_sub < y->n_sub ? -1 : 1;
	for (size_t i = x->n_sub; i-- > 0;) /* the RID differs first */
		if (x->sub[i] != y->sub[i])
			return x->sub[i] < y->sub[i] ? -1 : 1;
	return 0;
}

static int
by_sid(const void *a, const void *b)
{
	const struct node *const *x = a, *const *y = b;

	return sid_order(&(*x)->sid, &(*y)->sid);
}

static int
by_account(const void *a, const void *b)
{
	const struct person *const *x = a, *const *y = b;

	return strcasecmp((*x)->subject.sam, (*y)->subject.sam);
}

static struct node *
find_dn(const struct people *p, const char *dn)
{
	struct node key = { .dn = dn }, *k = &key,
		    **found = bsearch(&k, p->by_dn, p->n, sizeof(*p->by_dn), by_dn);

	return found != NULL ? *found : NULL;
}

static struct node *
primary_group(const struct people *p, const struct node *n)
{
	struct node key = { .sid = n->sid }, *k = &key, **found;

	if (n->primary_rid == 0 || key.sid.n_sub == 0)
		return NULL;
	key.sid.sub[key.sid.n_sub - 1] = n->primary_rid;
	found = bsearch(&k, p->groups_by_sid, p->n_groups, sizeof(*p->groups_by_sid), by_sid);
	return found != NULL ? *found : NULL;
}

static int
link_parent(struct people *p, struct node *child, struct node *group)
{
	if (child == NULL || group == NULL || group->person != NULL)
		return 0;
	if (child->n_parents == child->cap_parents) {
		size_t cap = child->cap_parents == 0 ? 4 : 2 * child->cap_parents;
		struct node **more = pool_calloc(p->pool, cap, sizeof(*more));

		if (more == NULL)
			return -1;
		if (child->n_parents > 0)
			memcpy(more, child->parents, child->n_parents * sizeof(*more));
		child->parents = more;
		child->cap_parents = cap;
	}
	child->parents[child->n_parents++] = group;
	return 0;
}

static int
link_all(struct people *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct node *n = p->nodes[i];

		for (size_t k = 0; k < n->n_member_dns; k++)
			if (link_parent(p, find_dn(p, n->member_dns[k]), n) != 0)
				return -1;
		for (size_t k = 0; k < n->n_member_of_dns; k++)
			if (link_parent(p, n, find_dn(p, n->member_of_dns[k])) != 0)
				return -1;
	}
	return 0;
}

/* ---- tokens ---- */

/* The groups reached from the queue's head on, each into the token once. */
static int
add_around(struct people *p, struct token *t, enum token_via via, size_t mark, size_t *head, size_t *tail,
    struct err *e)
{
	while (*head < *tail) {
		struct node *at = p->queue[(*head)++];

		if (at->person == NULL && token_add(t, &at->sid, via, at->name, e) != 0)
			return -1;
		for (size_t i = 0; i < at->n_parents; i++) {
			if (at->parents[i]->visit == mark)
				continue;
			at->parents[i]->visit = mark;
			p->queue[(*tail)++] = at->parents[i];
		}
	}
	return 0;
}

static int
build_token(struct people *p, struct node *n, size_t mark, struct err *e)
{
	const struct policy_subject *s = &n->person->subject;
	struct token *t = n->person->token = token_new(n->name, n->dn, s->upn, s->is_computer);
	struct node *primary = primary_group(p, n);
	size_t head = 0, tail = 0;

	if (t == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a token");
	n->visit = mark;
	p->queue[tail++] = n;
	if (token_add(t, &n->sid, TOKEN_VIA_USER, n->name, e) != 0 ||
	    add_around(p, t, TOKEN_VIA_GROUP, mark, &head, &tail, e) != 0)
		return -1;
	if (primary != NULL && primary->visit != mark) {
		primary->visit = mark;
		p->queue[tail++] = primary;
	}
	if (add_around(p, t, TOKEN_VIA_PRIMARY, mark, &head, &tail, e) != 0)
		return -1;
	return token_add_well_known(t, n->primary_rid, e);
}

static int
make_indexes(struct people *p, struct err *e)
{
	size_t groups = 0, persons = 0;

	p->by_dn = pool_calloc(p->pool, p->n, sizeof(*p->by_dn));
	p->groups_by_sid = pool_calloc(p->pool, p->n_groups, sizeof(*p->groups_by_sid));
	p->persons = pool_calloc(p->pool, p->n_persons, sizeof(*p->persons));
	p->queue = pool_calloc(p->pool, p->n, sizeof(*p->queue));
	if (p->by_dn == NULL || p->groups_by_sid == NULL || p->persons == NULL || p->queue == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu accounts and groups", p->n);
	for (size_t i = 0; i < p->n; i++) {
		p->by_dn[i] = p->nodes[i];
		if (p->nodes[i]->person == NULL)
			p->groups_by_sid[groups++] = p->nodes[i];
		else
			p->persons[persons++] = p->nodes[i]->person;
	}
	if (p->n == 0)
		return 0;
	qsort(p->by_dn, p->n, sizeof(*p->by_dn), by_dn);
	qsort(p->groups_by_sid, groups, sizeof(*p->groups_by_sid), by_sid);
	qsort(p->persons, persons, sizeof(*p->persons), by_account);
	return link_all(p) == 0 ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for memberships");
}

int
people_finish(struct people *p, int (*local_groups)(void *arg, struct token *t, struct err *e), void *arg,
    struct err *e)
{
	if (make_indexes(p, e) != 0)
		return -1;
	for (size_t i = 0; i < p->n; i++) {
		struct node *n = p->nodes[i];

		if (n->person == NULL)
			continue;
		if (build_token(p, n, i + 1, e) != 0 ||
		    (local_groups != NULL && local_groups(arg, n->person->token, e) != 0))
			return -1;
	}
	return 0;
}

size_t
people_count(const struct people *p)
{
	return p->n_persons;
}

const struct person *
people_at(const struct people *p, size_t i)
{
	return p->persons[i];
}

const struct person *
people_find(const struct people *p, const char *name)
{
	const char *slash = strchr(name, '\\');
	struct person key = { .subject.sam = slash != NULL ? slash + 1 : name }, *k = &key, **found;

	if (slash != NULL &&
	    ((size_t)(slash - name) != strlen(p->nb_domain) ||
		strncasecmp(name, p->nb_domain, strlen(p->nb_domain)) != 0))
		return NULL;
	found =
	    p->n_persons > 0 ? bsearch(&k, p->persons, p->n_persons, sizeof(*p->persons), by_account) : NULL;
	return found != NULL ? *found : NULL;
}
