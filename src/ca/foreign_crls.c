#include "ca/foreign_crls.h"

#include <string.h>

#include "ca/signing_certs.h"

static const char *const attrs[] = { "certificateRevocationList", "deltaRevocationList", NULL };

struct search {
	struct ca_request *r;
	ca_foreign_crls_fn *done;
	void *arg;
	struct bytes *crls;
	size_t n;
};

static int
keep(struct search *s, const struct dir_result *res, struct err *e)
{
	size_t n = 0;

	for (size_t i = 0; i < res->n; i++) {
		for (const char *const *name = attrs; *name != NULL; name++) {
			const struct dir_attr *a = dir_entry_attr(&res->entries[i], *name);

			n += a != NULL ? a->n : 0;
		}
	}
	s->crls = pool_calloc(s->r->pool, n, sizeof(*s->crls));
	if (s->crls == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu CRLs", n);
	for (size_t i = 0; i < res->n; i++) {
		for (const char *const *name = attrs; *name != NULL; name++) {
			const struct dir_attr *a = dir_entry_attr(&res->entries[i], *name);

			for (size_t v = 0; a != NULL && v < a->n; v++) {
				if (pool_dup_bytes(s->r->pool, a->values[v], &s->crls[s->n]) != 0)
					return ERR(e, E_OUTOFMEMORY, "no memory for %zu CRLs", n);
				s->n++;
			}
		}
	}
	return 0;
}

static void
on_found(void *arg, const struct dir_result *res, const struct err *e)
{
	struct search *s = arg;
	struct err why = { 0 };

	if (e != NULL && e->hr != E_DS_NO_SUCH_OBJECT)
		why = *e;
	else if (e == NULL && keep(s, res, &why) != 0)
		s->n = 0;
	s->done(s->arg, s->crls, s->n, why.hr != 0 ? &why : NULL);
}

int
ca_foreign_crls_get(struct ca_request *r, ca_foreign_crls_fn *done, void *arg, struct err *e)
{
	const struct ca *ca = r->ca;
	struct search *s = POOL_NEW(r->pool, struct search);
	struct dir_query q = { .scope = DIR_SUB, .attrs = attrs };
	struct buf filter;
	int rc;

	q.base = pool_printf(
	    r->pool, "CN=CDP,CN=Public Key Services,CN=Services,%s", dir_forest(ca->dir)->config_dn);
	buf_init(&filter, 65536);
	buf_put_str(&filter, "(&(objectClass=cRLDistributionPoint)");
	for (size_t i = 0; i < ca->certs->n; i++) {
		const char *cn = pool_printf(r->pool, "%s%s", ca->short_name, ca->certs->v[i]->key_suffix);

		if (cn == NULL || !ca_cert_is_key(ca->certs->v[i]))
			continue;
		buf_put_str(&filter, "(!(cn=");
		dir_filter_escape(&filter, (struct bytes){ (const uint8_t *)cn, strlen(cn) });
		buf_put_str(&filter, "))");
	}
	buf_put_str(&filter, ")");
	q.filter = buf_cstr(&filter);
	if (s != NULL)
		*s = (struct search){ .r = r, .done = done, .arg = arg };
	rc = s != NULL && q.base != NULL && buf_ok(&filter) ? dir_search_start(ca->dir, &q, on_found, s, e)
							    : ERR(e, E_OUTOFMEMORY, "no memory for a search");
	buf_fini(&filter);
	return rc;
}
