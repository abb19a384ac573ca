/*
 * Accounts and the groups they are in, by searches for `member`: it works on every directory, and an edit of
 * a group counts at the next look-up whether or not the server maintains memberOf.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dir/dir_priv.h"
#include "dir/entry.h"

#define ACCOUNT_POOL_MAX (16u << 20)
#define ACCOUNT_MAX_GROUPS 4096                 /* a power of two times 32 */
#define ACCOUNT_DNS_PER_SEARCH 100              /* filter terms; directories limit them */
#define GROUP_TYPE_SECURITY_ENABLED 0x80000000u /* MS-ADTS 2.2.12 */

static const char *const account_attrs[] = { "objectClass", "distinguishedName", "cn", "sAMAccountName",
	"userPrincipalName", "mail", "dNSHostName", "objectSid", "objectGUID", "unicodePwd", "userPassword",
	"userAccountControl", "primaryGroupID", NULL };
static const char *const group_attrs[] = { "distinguishedName", "sAMAccountName", "objectSid", "groupType",
	NULL };

struct lookup {
	struct dir *d;
	struct pool *pool;
	dir_account_fn *cb;
	void *arg;
	/* ways to find the account, tried in order */
	const char *filters[3];
	size_t n_filters, filter;
	uint32_t absent; /* HRESULT when none finds it */
	char what[64];   /* for messages */
	bool no_groups;  /* the account alone */
	struct dir_account acct;
	const char **group_dns; /* of acct.groups, same index */
	size_t cap;             /* of both */
	/*
	 * The expansion asks for the groups of group_dns[asked..]; first those of the account itself, then,
	 * once that has run dry, the primary group and those around it.
	 */
	size_t asked;
	bool account_asked, primary_asked;
};

static void
wipe(struct bytes b)
{
	if (b.len > 0)
		explicit_bzero((void *)(uintptr_t)b.p, b.len);
}

static void
lookup_finish(struct lookup *l, const struct err *e)
{
	l->cb(l->arg, e == NULL ? &l->acct : NULL, e);
	wipe(l->acct.unicode_pwd);
	wipe(l->acct.user_password);
	pool_free(l->pool);
	free(l);
}

/* ---- groups ---- */

/* A DC's own groups (S-1-5-32-...) are no one else's: Windows leaves them out of what it tells a member
 * server. */
static bool
is_builtin(struct bytes sid)
{
	static const uint8_t prefix[] = { 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0 };

	return sid.len >= sizeof(prefix) && memcmp(sid.p, prefix, sizeof(prefix)) == 0;
}

/* Room for one more group. */
static int
grow(struct lookup *l, struct err *e)
{
	size_t cap = l->cap == 0 ? 32 : 2 * l->cap, n = l->acct.n_groups;
	struct dir_group *groups;
	const char **dns;

	if (n < l->cap)
		return 0;
	if (n == ACCOUNT_MAX_GROUPS)
		return ERR(
		    e, E_DS_SIZELIMIT_EXCEEDED, "%s is in more than %d groups", l->what, ACCOUNT_MAX_GROUPS);
	groups = pool_calloc(l->pool, cap, sizeof(*groups));
	dns = pool_calloc(l->pool, cap, sizeof(*dns));
	if (groups == NULL || dns == NULL)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	if (n > 0) {
		memcpy(groups, l->acct.groups, n * sizeof(*groups));
		memcpy(dns, l->group_dns, n * sizeof(*dns));
	}
	l->acct.groups = groups;
	l->group_dns = dns;
	l->cap = cap;
	return 0;
}

static int
add_group(struct lookup *l, const struct dir_entry *en, struct err *e)
{
	struct bytes sid = dir_entry_bytes(en, "objectSid");
	const char *name = dir_entry_text(en, "sAMAccountName");
	struct dir_group *g;
	size_t i;

	if (sid.len == 0 || is_builtin(sid) ||
	    ((uint32_t)dir_entry_int(en, "groupType", 0) & GROUP_TYPE_SECURITY_ENABLED) == 0)
		return 0;
	for (i = 0; i < l->acct.n_groups; i++)
		if (bytes_equal(l->acct.groups[i].sid, sid))
			return 0;
	if (grow(l, e) != 0)
		return -1;
	g = &l->acct.groups[l->acct.n_groups];
	g->name = name == NULL ? NULL : pool_strdup(l->pool, name);
	g->primary = l->primary_asked;
	l->group_dns[l->acct.n_groups] = pool_strdup(l->pool, dir_entry_dn(en));
	if (pool_dup_bytes(l->pool, sid, &g->sid) != 0 || l->group_dns[l->acct.n_groups] == NULL)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	l->acct.n_groups++;
	return 0;
}

static void
put_member_term(struct buf *out, const char *dn)
{
	buf_put_str(out, "(member=");
	dir_filter_escape(out, (struct bytes){ (const uint8_t *)dn, strlen(dn) });
	buf_put_u8(out, ')');
}

/* objectSid of the primary group: the domain's part of the account's, and primaryGroupID. */
static void
put_primary_term(struct buf *out, const struct dir_account *a)
{
	uint8_t sid[68];

	memcpy(sid, a->sid.p, a->sid.len);
	set_u32le(sid + a->sid.len - 4, a->primary_group_rid);
	buf_put_str(out, "(objectSid=");
	dir_filter_escape(out, (struct bytes){ sid, a->sid.len });
	buf_put_u8(out, ')');
}

/* The next search's terms; none when everything has been asked. */
static void
put_terms(struct lookup *l, struct buf *out)
{
	size_t n = 0;

	if (!l->account_asked) {
		l->account_asked = true;
		put_member_term(out, l->acct.dn);
		return;
	}
	if (l->asked == l->acct.n_groups && !l->primary_asked) {
		l->primary_asked = true;
		if (l->acct.primary_group_rid != 0 && l->acct.sid.len > 0)
			put_primary_term(out, &l->acct);
		return;
	}
	for (; l->asked < l->acct.n_groups && n < ACCOUNT_DNS_PER_SEARCH; n++)
		put_member_term(out, l->group_dns[l->asked++]);
}

static void
on_groups(void *arg, const struct dir_result *res, const struct err *e);

static void
expand(struct lookup *l)
{
	struct dir_query q = { .base = l->d->forest.domain_dn, .scope = DIR_SUB, .attrs = group_attrs };
	struct buf filter;
	struct err why;
	size_t head;
	int rc = 0;

	buf_init(&filter, 1u << 20);
	buf_put_str(&filter, "(&(objectClass=group)(|");
	head = filter.len;
	put_terms(l, &filter);
	if (filter.len == head) {
		buf_fini(&filter);
		lookup_finish(l, NULL);
		return;
	}
	buf_put_str(&filter, "))");
	q.filter = buf_cstr(&filter);
	rc = buf_ok(&filter) ? dir_search_start(l->d, &q, on_groups, l, &why)
			     : ERR(&why, E_OUTOFMEMORY, "group filter too long");
	buf_fini(&filter);
	if (rc != 0)
		lookup_finish(l, &why);
}

static void
on_groups(void *arg, const struct dir_result *res, const struct err *e)
{
	struct lookup *l = arg;
	struct err why;
	size_t i;

	for (i = 0; e == NULL && i < res->n; i++)
		if (add_group(l, &res->entries[i], &why) != 0)
			e = &why;
	if (e != NULL)
		lookup_finish(l, e);
	else
		expand(l);
}

/* ---- the account ---- */

static const char *
keep(struct lookup *l, const struct dir_entry *en, const char *attr)
{
	const char *text = dir_entry_text(en, attr);

	return text == NULL ? NULL : pool_strdup(l->pool, text);
}

static int
take_account(struct lookup *l, const struct dir_entry *en, struct err *e)
{
	struct dir_account *a = &l->acct;

	a->dn = pool_strdup(l->pool, dir_entry_dn(en));
	a->sam = keep(l, en, "sAMAccountName");
	a->upn = keep(l, en, "userPrincipalName");
	a->mail = keep(l, en, "mail");
	a->dns_host_name = keep(l, en, "dNSHostName");
	a->cn = keep(l, en, "cn");
	a->user_account_control = dir_entry_int(en, "userAccountControl", 0);
	a->primary_group_rid = (uint32_t)dir_entry_int(en, "primaryGroupID", 0);
	a->is_computer = dir_entry_is(en, "computer");
	if (a->dn == NULL || a->sam == NULL ||
	    pool_dup_bytes(l->pool, dir_entry_bytes(en, "objectSid"), &a->sid) != 0 ||
	    pool_dup_bytes(l->pool, dir_entry_bytes(en, "objectGUID"), &a->guid) != 0 ||
	    pool_dup_bytes(l->pool, dir_entry_bytes(en, "unicodePwd"), &a->unicode_pwd) != 0 ||
	    pool_dup_bytes(l->pool, dir_entry_bytes(en, "userPassword"), &a->user_password) != 0)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	/* revision, count, authority, at least one sub-authority */
	if (a->sid.len > 0 &&
	    (a->sid.len < 12 || a->sid.len > 68 || a->sid.len != 8 + 4 * (size_t)a->sid.p[1]))
		return ERR(e, E_INVALID_DATA, "%.80s has no usable objectSid", a->dn);
	return 0;
}

static void
on_account(void *arg, const struct dir_result *res, const struct err *e);

static int
try_filter(struct lookup *l, struct err *e)
{
	struct dir_query q = { .base = l->d->forest.domain_dn,
		.scope = DIR_SUB,
		.filter = l->filters[l->filter],
		.attrs = account_attrs };

	return dir_search_start(l->d, &q, on_account, l, e);
}

static void
on_account(void *arg, const struct dir_result *res, const struct err *e)
{
	struct lookup *l = arg;
	struct err why;

	if (e == NULL && res->n == 0 && ++l->filter < l->n_filters) {
		if (try_filter(l, &why) == 0)
			return;
		e = &why;
	}
	if (e == NULL && res->n != 1) {
		(void)ERR(
		    &why, l->absent, "%s %s", l->what, res->n == 0 ? "does not exist" : "is not unique");
		e = &why;
	}
	if (e == NULL && take_account(l, res->entries, &why) != 0)
		e = &why;
	if (e != NULL || l->no_groups)
		lookup_finish(l, e);
	else
		expand(l);
}

/* ---- ways in ---- */

static struct lookup *
lookup_new(struct dir *d, dir_account_fn *cb, void *arg, struct err *e)
{
	struct lookup *l;

	if (!d->forest_known) {
		(void)ERR(e, E_DS_SERVER_DOWN, "the directory is down");
		return NULL;
	}
	l = calloc(1, sizeof(*l));
	if (l != NULL)
		l->pool = pool_new(ACCOUNT_POOL_MAX);
	if (l == NULL || l->pool == NULL) {
		free(l);
		(void)ERR(e, E_OUTOFMEMORY, "out of memory");
		return NULL;
	}
	l->d = d;
	l->cb = cb;
	l->arg = arg;
	return l;
}

/* One more way to find the account: (&(objectClass=user)(attr=value)). */
static int
add_filter(struct lookup *l, const char *attr, struct bytes value, struct err *e)
{
	struct buf b;

	buf_init(&b, 8192);
	buf_printf(&b, "(&(objectClass=user)(%s=", attr);
	dir_filter_escape(&b, value);
	buf_put_str(&b, "))");
	l->filters[l->n_filters] = buf_ok(&b) ? pool_strndup(l->pool, (const char *)b.p, b.len) : NULL;
	buf_fini(&b);
	if (l->filters[l->n_filters] == NULL)
		return ERR(e, E_INVALIDARG, "the name is too long");
	l->n_filters++;
	return 0;
}

/* Starts; on failure the look-up is gone and cb never runs. */
static int
lookup_start(struct lookup *l, int rc, struct err *e)
{
	if (rc == 0)
		rc = try_filter(l, e);
	if (rc != 0) {
		pool_free(l->pool);
		free(l);
	}
	return rc;
}

static int
logon_filters(struct lookup *l, const char *user, struct err *e)
{
	const char *at = strrchr(user, '@');

	/* an explicit userPrincipalName is stronger than sam@dnsdomain (MS-ADTS 5.1.1.1.1) */
	if (at != NULL &&
	    add_filter(l, "userPrincipalName", (struct bytes){ (const uint8_t *)user, strlen(user) }, e) != 0)
		return -1;
	if (at != NULL && strcasecmp(at + 1, l->d->forest.dns_domain) == 0)
		return add_filter(
		    l, "sAMAccountName", (struct bytes){ (const uint8_t *)user, (size_t)(at - user) }, e);
	if (at == NULL)
		return add_filter(
		    l, "sAMAccountName", (struct bytes){ (const uint8_t *)user, strlen(user) }, e);
	return 0;
}

int
dir_account_by_logon(
    struct dir *d, const char *user, const char *domain, dir_account_fn *cb, void *arg, struct err *e)
{
	struct lookup *l = lookup_new(d, cb, arg, e);
	int rc = 0;

	if (l == NULL)
		return -1;
	l->absent = E_LOGON_FAILURE;
	(void)snprintf(l->what, sizeof(l->what), "account %s", user);
	if (*domain != '\0' && strcasecmp(domain, d->forest.nb_domain) != 0 &&
	    strcasecmp(domain, d->forest.dns_domain) != 0)
		rc = ERR(e, E_NO_SUCH_DOMAIN, "domain \"%.64s\" is not %s", domain, d->forest.nb_domain);
	else if (*user == '\0')
		rc = ERR(e, E_LOGON_FAILURE, "no user name");
	else
		rc = logon_filters(l, user, e);
	return lookup_start(l, rc, e);
}

static int
by_sid(struct dir *d, struct bytes sid, bool no_groups, dir_account_fn *cb, void *arg, struct err *e)
{
	struct lookup *l = lookup_new(d, cb, arg, e);

	if (l == NULL)
		return -1;
	l->absent = E_DS_NO_SUCH_OBJECT;
	l->no_groups = no_groups;
	(void)snprintf(l->what, sizeof(l->what), "the account of this SID");
	return lookup_start(l, add_filter(l, "objectSid", sid, e), e);
}

int
dir_account_by_sid(struct dir *d, struct bytes sid, dir_account_fn *cb, void *arg, struct err *e)
{
	return by_sid(d, sid, true, cb, arg, e);
}

int
dir_account_with_groups_by_sid(struct dir *d, struct bytes sid, dir_account_fn *cb, void *arg, struct err *e)
{
	return by_sid(d, sid, false, cb, arg, e);
}
