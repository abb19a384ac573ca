/*
 * Certificate manager restrictions: may this officer decide about this request? MS-CSRA 3.1.1.7 names the
 * methods; OfficerRights is read as access-control.md section 4 says. The requester is looked up anew: the
 * groups that count are those of now.
 */
#include <stdlib.h>
#include <string.h>

#include "ca/ca_priv.h"
#include "ca/officer.h"

#define CHECK_POOL_MAX (4u << 20)

struct check {
	struct ca *ca;
	struct pool *pool;
	struct token *officer;
	struct ca_live *live;
	const char *requester, *cn, *oid;
	uint32_t id;
	ca_ready_fn *done;
	void *arg;
};

static void
finish(struct check *c, const struct err *e)
{
	struct ca *ca = c->ca;

	c->done(c->arg, e);
	token_unref(c->officer);
	ca_live_unref(c->live);
	pool_free(c->pool);
	free(c);
	ca_unref(ca);
}

/* t NULL: the account is gone, or nobody can look it up; then only who may decide about Everyone may. */
static void
on_requester(void *arg, struct token *t, const struct err *e)
{
	struct check *c = arg;
	const struct restriction *r = restrictions_find(c->live->officers, c->officer, t, c->cn, c->oid);
	struct err why = { 0 };

	(void)e;
	if (r != NULL && r->allow) {
		finish(c, NULL);
		return;
	}
	ERR(&why, CERTSRV_E_RESTRICTEDOFFICER,
	    "%s may not decide about request %u of %s for %s: OfficerRights %s (MS-CSRA 3.1.1.7)",
	    c->officer->account, c->id, c->requester, c->cn != NULL ? c->cn : "no template",
	    r != NULL ? "deny it" : "have no entry for them");
	finish(c, &why);
}

/* The row knows a template of schema 2 and up by its OID; entries name the cn. */
static void
name_template(struct check *c, const struct ca_templates *t)
{
	for (size_t i = 0; c->oid != NULL && i < t->n; i++) {
		if ((t->v[i].oid != NULL && strcmp(t->v[i].oid, c->oid) == 0) ||
		    policy_name_equal(t->v[i].cn, c->oid))
			c->cn = pool_strdup(c->pool, t->v[i].cn);
	}
}

static void
on_templates(void *arg, struct dir_snapshot *snap, const struct err *e)
{
	struct check *c = arg;
	const struct ca_accounts *accounts = &c->ca->accounts;
	struct ca_templates *t;
	struct err why = { 0 };

	if (e != NULL || c->ca->closing) {
		if (e == NULL)
			ERR(&why, E_CANCELLED, "the server ends");
		finish(c, e != NULL ? e : &why);
		return;
	}
	t = ca_templates_get(c->ca, snap, &why);
	if (t == NULL) {
		finish(c, &why);
		return;
	}
	name_template(c, t);
	if (accounts->token == NULL || c->requester == NULL ||
	    accounts->token(accounts->ctx, c->requester, on_requester, c, &why) != 0)
		on_requester(c, NULL, &why);
}

void
ca_officer_check(struct ca *ca, const struct ca_who *w, uint32_t id, ca_ready_fn *done, void *arg)
{
	struct store_row *row;
	struct check *c;
	struct err e = { 0 };

	if (ca->live->officers == NULL || w->local_admin || w->token == NULL) {
		done(arg, NULL);
		return;
	}
	c = calloc(1, sizeof(*c));
	if (c == NULL || (c->pool = pool_new(CHECK_POOL_MAX)) == NULL ||
	    (row = POOL_NEW(c->pool, struct store_row)) == NULL) {
		if (c != NULL)
			pool_free(c->pool);
		free(c);
		ERR(&e, E_OUTOFMEMORY, "no memory for the officer's restrictions");
		done(arg, &e);
		return;
	}
	ca_ref(ca);
	c->ca = ca;
	c->officer = token_ref(w->token);
	c->live = ca_live_ref(ca->live);
	c->id = id;
	c->done = done;
	c->arg = arg;
	if (store_get(ca->store, id, c->pool, row, &e) != 0) {
		finish(c, NULL); /* the operation itself tells what is missing */
		return;
	}
	c->requester = store_text(row, Request_RequesterName);
	c->oid = store_text(row, Certificate_CertificateTemplate);
	if (dir_snapshot_get(ca->dir, on_templates, c, &e) != 0)
		finish(c, &e);
}
