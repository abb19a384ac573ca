#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dir/dir_priv.h"

/* Four reads, one after the other; each needs what the ones before it found. */
struct forest_load {
	struct dir *dir;
	void (*done)(struct dir *d, const struct err *e);
	struct dir_forest f;
	size_t step;
};

static const char *
keep(struct forest_load *l, const struct dir_entry *en, const char *attr)
{
	const char *text = dir_entry_text(en, attr);

	return text == NULL ? NULL : pool_strdup(l->dir->pool, text);
}

/* "DC=corp,DC=contoso,DC=com" as "corp.contoso.com", for a domain without a crossRef. */
static const char *
dns_of_dn(struct pool *pool, const char *dn)
{
	char *out = pool_alloc(pool, strlen(dn) + 1), *w = out;
	size_t n;

	for (; out != NULL && *dn != '\0'; dn += dn[0] == ',') {
		n = strcspn(dn, ",");
		if (n > 3 && strncasecmp(dn, "DC=", 3) == 0) {
			if (w != out)
				*w++ = '.';
			memcpy(w, dn + 3, n - 3);
			w += n - 3;
		}
		dn += n;
	}
	return out;
}

/* First label in capitals. */
static const char *
netbios_of_dns(struct pool *pool, const char *dns)
{
	char *out = pool_strndup(pool, dns, strcspn(dns, ".")), *p;

	for (p = out; p != NULL && *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	return out;
}

static int
take_rootdse(struct forest_load *l, const struct dir_result *res, struct err *e)
{
	if (res->n == 1) {
		l->f.domain_dn = keep(l, res->entries, "defaultNamingContext");
		l->f.config_dn = keep(l, res->entries, "configurationNamingContext");
	}
	if (l->f.domain_dn == NULL || l->f.config_dn == NULL)
		return ERR(e, E_INVALID_DATA, "the rootDSE does not name the domain and the configuration");
	return 0;
}

static int
take_domain(struct forest_load *l, const struct dir_result *res, struct err *e)
{
	const struct dir_attr *a = res->n == 1 ? dir_entry_attr(res->entries, "objectSid") : NULL;

	if (a == NULL || a->n == 0)
		return ERR(e, E_INVALID_DATA, "%.80s has no objectSid", l->f.domain_dn);
	if (pool_dup_bytes(l->dir->pool, a->values[0], &l->f.domain_sid) != 0)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	return 0;
}

static int
take_cross_refs(struct forest_load *l, const struct dir_result *res, struct err *e)
{
	const char *nc;
	size_t i;

	for (i = 0; i < res->n; i++) {
		nc = dir_entry_text(&res->entries[i], "nCName");
		if (nc == NULL || strcasecmp(nc, l->f.domain_dn) != 0)
			continue;
		l->f.nb_domain = keep(l, &res->entries[i], "nETBIOSName");
		l->f.dns_domain = keep(l, &res->entries[i], "dnsRoot");
	}
	if (l->f.dns_domain == NULL)
		l->f.dns_domain = dns_of_dn(l->dir->pool, l->f.domain_dn);
	if (l->f.nb_domain == NULL && l->f.dns_domain != NULL)
		l->f.nb_domain = netbios_of_dns(l->dir->pool, l->f.dns_domain);
	return l->f.nb_domain == NULL ? ERR(e, E_OUTOFMEMORY, "out of memory") : 0;
}

static int
take_oid_container(struct forest_load *l, const struct dir_result *res, struct err *e)
{
	(void)e;
	if (res->n == 1)
		l->f.oid_base = keep(l, res->entries, "msPKI-Cert-Template-OID");
	return 0;
}

static const struct step {
	const char *rdns; /* before the configuration's DN; NULL: the step's base is fixed */
	enum dir_scope scope;
	const char *filter;
	bool optional; /* the object may be missing */
	int (*take)(struct forest_load *l, const struct dir_result *res, struct err *e);
} steps[] = {
	{ NULL, DIR_BASE, NULL, false, take_rootdse },
	{ NULL, DIR_BASE, NULL, false, take_domain },
	{ "CN=Partitions", DIR_ONE, "(objectClass=crossRef)", true, take_cross_refs },
	{ "CN=OID,CN=Public Key Services,CN=Services", DIR_BASE, NULL, true, take_oid_container },
};

static void
on_step(void *arg, const struct dir_result *res, const struct err *e);

static int
start_step(struct forest_load *l, struct err *e)
{
	/* + asks for operational attributes too: other servers keep rootDSE attributes among them */
	static const char *const everything[] = { "*", "+", NULL };
	const struct step *s = &steps[l->step];
	struct dir_query q = { .scope = s->scope, .filter = s->filter, .attrs = everything };

	if (s->rdns != NULL)
		q.base = pool_printf(l->dir->pool, "%s,%s", s->rdns, l->f.config_dn);
	else
		q.base = l->step == 0 ? "" : l->f.domain_dn;
	if (q.base == NULL)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	return conn_search(l->dir->ops, &q, on_step, l, e);
}

static void
on_step(void *arg, const struct dir_result *res, const struct err *e)
{
	static const struct dir_result nothing = { 0 };
	struct forest_load *l = arg;
	struct dir *d = l->dir;
	void (*done)(struct dir *, const struct err *) = l->done;
	struct err why;

	if (e != NULL && e->hr == E_DS_NO_SUCH_OBJECT && steps[l->step].optional) {
		res = &nothing;
		e = NULL;
	}
	if (e == NULL && steps[l->step].take(l, res, &why) != 0)
		e = &why;
	if (e == NULL && ++l->step < ARRAY_LEN(steps)) {
		if (start_step(l, &why) == 0)
			return;
		e = &why;
	}
	if (e == NULL) {
		d->forest = l->f;
		d->forest_known = true;
	}
	free(l);
	done(d, e);
}

int
forest_load(struct dir *d, void (*done)(struct dir *d, const struct err *e), struct err *e)
{
	struct forest_load *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	l->dir = d;
	l->done = done;
	if (start_step(l, e) == 0)
		return 0;
	free(l);
	return -1;
}
