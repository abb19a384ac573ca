/* The objects lint looks at: from LDAP, from LDIF, and one laid over the other. */
#include <string.h>
#include <strings.h>

#include "ctl/ldap.h"
#include "ctl/lint.h"
#include "dir/files.h"
#include "dir/ldif.h"

/* ---- objects by DN ---- */

/* FNV-1a over the letters without case. */
static uint32_t
dn_hash(const char *dn)
{
	uint32_t h = 2166136261u;

	for (; *dn != '\0'; dn++)
		h = (h ^ (uint8_t)(*dn >= 'A' && *dn <= 'Z' ? *dn + 32 : *dn)) * 16777619u;
	return h;
}

/* The slot that holds the DN, or the free one where it belongs. */
static uint32_t *
dn_slot(const struct ctl_forest *f, const char *dn)
{
	size_t at = dn_hash(dn) & (f->slots - 1);

	while (f->by_dn[at] != 0 && strcasecmp(f->v[f->by_dn[at] - 1].dn, dn) != 0)
		at = (at + 1) & (f->slots - 1);
	return &f->by_dn[at];
}

static struct dir_entry *
find_dn(const struct ctl_forest *f, const char *dn)
{
	uint32_t at = f->slots > 0 ? *dn_slot(f, dn) : 0;

	return at > 0 ? &f->v[at - 1] : NULL;
}

/* Room for twice as many; never more than half the slots are taken. */
static int
grow(struct ctl *c, struct ctl_forest *f, struct err *e)
{
	size_t cap = f->cap > 0 ? f->cap * 2 : 512;
	struct dir_entry *v = pool_calloc(c->pool, cap, sizeof(*v));
	uint32_t *slots = pool_calloc(c->pool, cap * 2, sizeof(*slots));

	if (v == NULL || slots == NULL || cap > UINT32_MAX / 4)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu objects", cap);
	if (f->n > 0)
		memcpy(v, f->v, f->n * sizeof(*v));
	f->v = v;
	f->cap = cap;
	f->by_dn = slots;
	f->slots = cap * 2;
	for (size_t i = 0; i < f->n; i++)
		*dn_slot(f, f->v[i].dn) = (uint32_t)i + 1;
	return 0;
}

static int
append(struct ctl *c, struct ctl_forest *f, const struct dir_entry *en, struct err *e)
{
	if (f->n == f->cap && grow(c, f, e) != 0)
		return -1;
	f->v[f->n] = *en;
	*dn_slot(f, en->dn) = (uint32_t)++f->n;
	return 0;
}

/* ---- LDAP ---- */

static int
take_search(struct ctl *c, struct ctl_forest *f, const char *base, enum ctl_scope scope, const char *filter,
    struct err *e)
{
	struct ctl_entry *en;
	size_t n;

	if (base == NULL || ctl_ldap_search(c, base, scope, filter, &en, &n, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct dir_attr *attrs = pool_calloc(c->pool, en[i].n_attrs, sizeof(*attrs));

		if (attrs == NULL)
			return ERR(e, E_OUTOFMEMORY, "no memory for %.80s", en[i].dn);
		for (size_t k = 0; k < en[i].n_attrs; k++)
			attrs[k] =
			    (struct dir_attr){ en[i].attrs[k].name, en[i].attrs[k].values, en[i].attrs[k].n };
		if (append(c, f, &(struct dir_entry){ en[i].dn, attrs, en[i].n_attrs }, e) != 0)
			return -1;
	}
	return 0;
}

int
ctl_forest_from_ldap(struct ctl *c, struct ctl_forest *f, struct err *e)
{
	if (ctl_ldap_open(c, e) != 0 ||
	    take_search(c, f, c->domain_dn, CTL_BASE, "(objectClass=*)", e) != 0 ||
	    take_search(c, f, pool_printf(c->pool, "CN=Partitions,%s", c->config_dn), CTL_ONE,
		"(objectClass=crossRef)", e) != 0 ||
	    take_search(c, f, pool_printf(c->pool, "CN=Public Key Services,CN=Services,%s", c->config_dn),
		CTL_SUB, "(objectClass=*)", e) != 0)
		return -1;
	return take_search(c, f, c->domain_dn, CTL_SUB,
	    "(&(objectSid=*)(|(objectClass=user)(objectClass=group)(objectClass=foreignSecurityPrincipal)))",
	    e);
}

/* ---- LDIF ---- */

static int
lay_over(struct ctl *c, struct dir_entry *en, const struct dir_entry *change, struct err *e)
{
	struct dir_attr *attrs = pool_calloc(c->pool, en->n_attrs + change->n_attrs, sizeof(*attrs));
	size_t n = 0;

	if (attrs == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %.80s", en->dn);
	for (size_t i = 0; i < en->n_attrs; i++)
		if (dir_entry_attr(change, en->attrs[i].name) == NULL)
			attrs[n++] = en->attrs[i];
	for (size_t i = 0; i < change->n_attrs; i++)
		attrs[n++] = change->attrs[i];
	en->attrs = attrs;
	en->n_attrs = n;
	return 0;
}

/* What ldifde writes before every object's attributes. */
static void
drop_changetype_add(struct buf *text)
{
	static const char line[] = "\nchangetype: add";
	char *at = text->len > 0 ? memmem(text->p, text->len, line, sizeof(line) - 1) : NULL;

	while (at != NULL) {
		at[1] = '#';
		at =
		    memmem(at + 1, text->len - (size_t)((uint8_t *)at + 1 - text->p), line, sizeof(line) - 1);
	}
}

int
ctl_forest_from_ldif(struct ctl *c, struct ctl_forest *f, const char *path, struct err *e)
{
	struct ldif_reader r;
	struct dir_entry en, *there;
	bool more = true;
	struct buf text;
	int rc;

	buf_init(&text, LDIF_FILE_MAX);
	rc = file_read(path, &text, e);
	if (rc == 0)
		drop_changetype_add(&text);
	ldif_reader_init(&r, path, buf_bytes(&text));
	while (rc == 0) {
		rc = ldif_read(&r, c->pool, &en, &more, e);
		if (rc != 0 || !more)
			break;
		there = find_dn(f, en.dn);
		rc = there != NULL ? lay_over(c, there, &en, e) : append(c, f, &en, e);
	}
	ldif_reader_fini(&r);
	buf_fini(&text);
	return rc;
}

/* ---- for the rules ---- */

static bool
value_of(const void *ctx, const char *attr, size_t i, struct bytes *out)
{
	const struct dir_attr *a = dir_entry_attr(ctx, attr);

	if (a == NULL || i >= a->n)
		return false;
	*out = a->values[i];
	return true;
}

struct policy_attrs *
ctl_forest_attrs(struct ctl *c, const struct ctl_forest *f)
{
	struct policy_attrs *attrs = pool_calloc(c->pool, f->n, sizeof(*attrs));

	for (size_t i = 0; attrs != NULL && i < f->n; i++)
		attrs[i] = (struct policy_attrs){ &f->v[i], value_of, f->v[i].dn };
	return attrs;
}
