#include "dir/request.h"

#include <string.h>
#include <sys/time.h>

static int
no_memory(struct err *e)
{
	return ERR(e, E_OUTOFMEMORY, "no room for a directory request");
}

/* NULL stays NULL. */
static int
keep_text(struct pool *pool, const char **out, const char *text)
{
	*out = text == NULL ? NULL : pool_strdup(pool, text);
	return text != NULL && *out == NULL ? -1 : 0;
}

int
request_search(struct request *r, struct pool *pool, const struct dir_query *q, struct err *e)
{
	static const int scopes[] = {
		[DIR_BASE] = LDAP_SCOPE_BASE, [DIR_ONE] = LDAP_SCOPE_ONELEVEL, [DIR_SUB] = LDAP_SCOPE_SUBTREE
	};
	size_t n = 0, i;

	*r = (struct request){ .kind = REQUEST_SEARCH, .scope = scopes[q->scope] };
	if (keep_text(pool, &r->dn, q->base) != 0 || keep_text(pool, &r->filter, q->filter) != 0)
		return no_memory(e);
	if (q->attrs == NULL)
		return 0;
	while (q->attrs[n] != NULL)
		n++;
	r->attrs = pool_calloc(pool, n + 1, sizeof(*r->attrs));
	for (i = 0; r->attrs != NULL && i < n; i++) {
		r->attrs[i] = pool_strdup(pool, q->attrs[i]);
		if (r->attrs[i] == NULL)
			return no_memory(e);
	}
	return r->attrs == NULL ? no_memory(e) : 0;
}

static LDAPMod *
keep_mod(struct pool *pool, const struct dir_mod *mod)
{
	static const int ops[] = { [DIR_MOD_ADD] = LDAP_MOD_ADD,
		[DIR_MOD_DELETE] = LDAP_MOD_DELETE,
		[DIR_MOD_REPLACE] = LDAP_MOD_REPLACE };
	LDAPMod *out = POOL_NEW(pool, LDAPMod);
	struct berval *values = pool_calloc(pool, mod->n, sizeof(*values));
	struct bytes copy;
	size_t i;

	if (out == NULL || values == NULL)
		return NULL;
	out->mod_op = ops[mod->op] | LDAP_MOD_BVALUES;
	out->mod_type = pool_strdup(pool, mod->attr);
	if (out->mod_type == NULL || mod->n == 0)
		return out->mod_type == NULL ? NULL : out; /* no values: the whole attribute */
	out->mod_bvalues = pool_calloc(pool, mod->n + 1, sizeof(struct berval *));
	for (i = 0; out->mod_bvalues != NULL && i < mod->n; i++) {
		if (pool_dup_bytes(pool, mod->values[i], &copy) != 0)
			return NULL;
		values[i] = (struct berval){ copy.len, (char *)(uintptr_t)copy.p };
		out->mod_bvalues[i] = &values[i];
	}
	return out->mod_bvalues == NULL ? NULL : out;
}

int
request_change(struct request *r, struct pool *pool, bool add, const char *dn, const struct dir_mod *mods,
    size_t n, struct err *e)
{
	size_t i;

	*r = (struct request){ .kind = add ? REQUEST_ADD : REQUEST_MODIFY };
	r->mods = pool_calloc(pool, n + 1, sizeof(LDAPMod *));
	if (r->mods == NULL || keep_text(pool, &r->dn, dn) != 0)
		return no_memory(e);
	for (i = 0; i < n; i++) {
		r->mods[i] = keep_mod(pool, &mods[i]);
		if (r->mods[i] == NULL)
			return no_memory(e);
	}
	return 0;
}

int
request_sync(struct request *r, struct pool *pool, const char *base, struct err *e)
{
	*r = (struct request){ .kind = REQUEST_SYNC, .scope = LDAP_SCOPE_SUBTREE };
	return keep_text(pool, &r->dn, base) != 0 ? no_memory(e) : 0;
}

int
request_send(const struct request *r, LDAP *ld, int seconds, int *msgid)
{
	/* syncRequestValue ::= SEQUENCE { mode refreshAndPersist(3) }, RFC 4533 2.2 */
	static char mode[] = { 0x30, 0x03, 0x0a, 0x01, LDAP_SYNC_REFRESH_AND_PERSIST };
	LDAPControl sync = { (char *)(uintptr_t)LDAP_CONTROL_SYNC, { sizeof(mode), mode }, 1 };
	LDAPControl *controls[] = { &sync, NULL };
	struct timeval limit = { seconds, 0 };

	switch (r->kind) {
	case REQUEST_SEARCH:
		return ldap_search_ext(
		    ld, r->dn, r->scope, r->filter, r->attrs, 0, NULL, NULL, &limit, LDAP_NO_LIMIT, msgid);
	case REQUEST_MODIFY:
		return ldap_modify_ext(ld, r->dn, r->mods, NULL, NULL, msgid);
	case REQUEST_ADD:
		return ldap_add_ext(ld, r->dn, r->mods, NULL, NULL, msgid);
	case REQUEST_SYNC:
		return ldap_search_ext(
		    ld, r->dn, r->scope, NULL, NULL, 0, controls, NULL, NULL, LDAP_NO_LIMIT, msgid);
	}
	return LDAP_PARAM_ERROR;
}
