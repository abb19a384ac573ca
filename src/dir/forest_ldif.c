#include "dir/forest_ldif.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dir/entry.h"
#include "dir/files.h"
#include "dir/ldif.h"

#define OID_CONTAINER "CN=OID,CN=Public Key Services,CN=Services,"
/* S-1-5-21-x-y-z: revision, count, authority, 21, three more */
#define DOMAIN_SID_LEN 24

/* S-1-5-21-1111111111-2222222222-3333333333 without revision and count, as the templates' descriptors hold
 * it. */
static const uint8_t sample_sid[DOMAIN_SID_LEN - 2] = { 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 0xc7, 0x35, 0x3a, 0x42,
	0x8e, 0x6b, 0x74, 0x84, 0x55, 0xa1, 0xae, 0xc6 };

static bool
ends_with(const char *dn, const char *suffix)
{
	size_t n = strlen(dn), m = strlen(suffix);

	return n >= m && strcasecmp(dn + n - m, suffix) == 0 && (n == m || dn[n - m - 1] == ',');
}

static int
append(struct forest_ldif *f, const struct dir_entry *en, struct err *e)
{
	struct forest_entry *fe = POOL_NEW(f->pool, struct forest_entry);

	if (fe == NULL)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	fe->entry = *en;
	*f->tail = fe;
	f->tail = &fe->next;
	f->n++;
	return 0;
}

/* Every record of a file through `take`. */
static int
each_record(const char *path, struct pool *pool,
    int (*take)(struct forest_ldif *, struct dir_entry *, struct err *), struct forest_ldif *f, struct err *e)
{
	struct ldif_reader r = { 0 };
	struct dir_entry en;
	struct buf text;
	bool more = true;
	int rc;

	buf_init(&text, LDIF_FILE_MAX);
	rc = file_read(path, &text, e);
	ldif_reader_init(&r, path, buf_bytes(&text));
	while (rc == 0 && more) {
		rc = ldif_read(&r, pool, &en, &more, e);
		if (rc == 0 && more)
			rc = take(f, &en, e);
	}
	ldif_reader_fini(&r);
	buf_wipe(&text);
	return rc;
}

/* ---- the forest ---- */

static int
take_forest_entry(struct forest_ldif *f, struct dir_entry *en, struct err *e)
{
	struct bytes sid = dir_entry_bytes(en, "objectSid");

	if (f->domain_dn == NULL && dir_entry_is(en, "domainDNS")) {
		if (sid.len != DOMAIN_SID_LEN || sid.p[1] != 4 || memcmp(sid.p + 2, sample_sid, 10) != 0)
			return ERR(
			    e, E_INVALID_DATA, "%.80s: objectSid is not a domain's (S-1-5-21-x-y-z)", en->dn);
		f->domain_dn = en->dn;
		f->domain_sid = sid;
	}
	if (f->config_dn == NULL && dir_entry_is(en, "configuration"))
		f->config_dn = en->dn;
	return append(f, en, e);
}

/* Sorts entries into the two naming contexts and finds the OID base. */
static int
place_entries(struct forest_ldif *f, const char *path, struct err *e)
{
	struct forest_entry *fe;

	if (f->domain_dn == NULL)
		return ERR(e, E_INVALID_DATA, "%s: no domainDNS object", path);
	if (f->config_dn == NULL)
		return ERR(e, E_INVALID_DATA, "%s: no configuration object", path);
	for (fe = f->first; fe != NULL; fe = fe->next) {
		fe->in_config = ends_with(fe->entry.dn, f->config_dn);
		if (!fe->in_config && !ends_with(fe->entry.dn, f->domain_dn))
			return ERR(e, E_INVALID_DATA,
			    "%s: %.80s is neither in the domain nor in the configuration", path,
			    fe->entry.dn);
		if (fe->in_config && strncasecmp(fe->entry.dn, OID_CONTAINER, strlen(OID_CONTAINER)) == 0)
			f->oid_base = dir_entry_text(&fe->entry, "msPKI-Cert-Template-OID");
	}
	return 0;
}

int
forest_ldif_read(struct forest_ldif *f, struct pool *pool, const char *path, struct err *e)
{
	*f = (struct forest_ldif){ .pool = pool };
	f->tail = &f->first;
	if (each_record(path, pool, take_forest_entry, f, e) != 0)
		return -1;
	return place_entries(f, path, e);
}

/* ---- templates ---- */

/* A text with its placeholders replaced, in the pool; NULL when memory is short. */
static const char *
substitute(const struct forest_ldif *f, const char *text)
{
	const struct {
		const char *mark, *value;
	} marks[] = { { "{configNC}", f->config_dn }, { "{forestOidBase}", f->oid_base } };
	const char *out;
	struct buf b;
	size_t i;

	if (strchr(text, '{') == NULL)
		return text;
	buf_init(&b, 65536);
	while (*text != '\0') {
		for (i = 0; i < ARRAY_LEN(marks) && strncmp(text, marks[i].mark, strlen(marks[i].mark)) != 0;
		     i++)
			;
		if (i == ARRAY_LEN(marks)) {
			buf_put_u8(&b, (uint8_t)*text++);
			continue;
		}
		buf_put_str(&b, marks[i].value);
		text += strlen(marks[i].mark);
	}
	out = buf_ok(&b) ? pool_strndup(f->pool, (const char *)b.p, b.len) : NULL;
	buf_fini(&b);
	return out;
}

static void
replace_domain_sid(const struct forest_ldif *f, struct bytes v)
{
	uint8_t *p = (uint8_t *)(uintptr_t)v.p; /* the reader's copy, in our pool */
	size_t i;

	for (i = 0; v.len >= sizeof(sample_sid) && i <= v.len - sizeof(sample_sid); i++)
		if (memcmp(p + i, sample_sid, sizeof(sample_sid)) == 0)
			memcpy(p + i, f->domain_sid.p + 2, sizeof(sample_sid));
}

static int
fill_in(const struct forest_ldif *f, struct dir_entry *en, struct err *e)
{
	struct bytes *v;
	const char *text;
	size_t i, k;

	en->dn = substitute(f, en->dn);
	for (i = 0; en->dn != NULL && i < en->n_attrs; i++)
		for (k = 0; k < en->attrs[i].n; k++) {
			v = &en->attrs[i].values[k];
			if (strcasecmp(en->attrs[i].name, "nTSecurityDescriptor") == 0) {
				replace_domain_sid(f, *v);
				continue;
			}
			if (memchr(v->p, '\0', v->len) != NULL)
				continue; /* binary */
			text = substitute(f, (const char *)v->p);
			if (text == NULL)
				return ERR(e, E_OUTOFMEMORY, "out of memory");
			*v = (struct bytes){ (const uint8_t *)text, strlen(text) };
		}
	return en->dn == NULL ? ERR(e, E_OUTOFMEMORY, "out of memory") : 0;
}

static int
take_template_entry(struct forest_ldif *f, struct dir_entry *en, struct err *e)
{
	const struct forest_entry *fe;

	if (fill_in(f, en, e) != 0)
		return -1;
	if (!ends_with(en->dn, f->config_dn))
		return ERR(e, E_INVALID_DATA, "template %.80s is not in the configuration", en->dn);
	for (fe = f->first; fe != NULL; fe = fe->next)
		if (strcasecmp(fe->entry.dn, en->dn) == 0)
			return 0; /* the forest's own wins */
	if (append(f, en, e) != 0)
		return -1;
	((struct forest_entry *)((char *)f->tail - offsetof(struct forest_entry, next)))->in_config = true;
	return 0;
}

int
forest_ldif_add_templates(struct forest_ldif *f, const char *folder, struct err *e)
{
	char pattern[4096];
	glob_t files = { 0 };
	size_t i;
	int rc = 0;

	if (f->oid_base == NULL)
		return ERR(e, E_INVALID_DATA, "the forest has no msPKI-Cert-Template-OID on CN=OID");
	if (snprintf(pattern, sizeof(pattern), "%s/*.ldif", folder) >= (int)sizeof(pattern))
		return ERR(e, E_INVALIDARG, "path too long: %s", folder);
	if (glob(pattern, 0, NULL, &files) != 0)
		return ERR(e, E_FILE_NOT_FOUND, "no templates in %s", folder);
	for (i = 0; rc == 0 && i < files.gl_pathc; i++)
		rc = each_record(files.gl_pathv[i], f->pool, take_template_entry, f, e);
	globfree(&files);
	return rc;
}

/* ---- memberOf ---- */

static int
by_dn(const void *a, const void *b)
{
	const struct forest_entry *const *x = a, *const *y = b;

	return strcasecmp((*x)->entry.dn, (*y)->entry.dn);
}

/* One more value for an attribute that may not be there yet. */
static int
add_value(struct pool *pool, struct dir_entry *en, const char *name, const char *value, struct err *e)
{
	struct dir_attr *attrs, *a = (struct dir_attr *)(uintptr_t)dir_entry_attr(en, name);
	struct bytes *values;

	if (a == NULL) {
		attrs = pool_calloc(pool, en->n_attrs + 1, sizeof(*attrs));
		if (attrs == NULL)
			return ERR(e, E_OUTOFMEMORY, "out of memory");
		if (en->n_attrs > 0)
			memcpy(attrs, en->attrs, en->n_attrs * sizeof(*attrs));
		en->attrs = attrs;
		a = &attrs[en->n_attrs++];
		a->name = name;
	}
	values = pool_calloc(pool, a->n + 1, sizeof(*values));
	if (values == NULL)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	if (a->n > 0)
		memcpy(values, a->values, a->n * sizeof(*values));
	values[a->n++] = (struct bytes){ (const uint8_t *)value, strlen(value) };
	a->values = values;
	return 0;
}

int
forest_ldif_link_members(struct forest_ldif *f, struct err *e)
{
	struct forest_entry **index = calloc(f->n, sizeof(*index)), *fe, key, *k = &key, **hit;
	const struct dir_attr *member;
	size_t i = 0;
	int rc = 0;

	if (index == NULL)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	for (fe = f->first; fe != NULL; fe = fe->next)
		index[i++] = fe;
	qsort(index, f->n, sizeof(*index), by_dn);
	for (fe = f->first; rc == 0 && fe != NULL; fe = fe->next) {
		member = dir_entry_attr(&fe->entry, "member");
		for (i = 0; rc == 0 && member != NULL && i < member->n; i++) {
			key.entry.dn = (const char *)member->values[i].p;
			hit = bsearch(&k, index, f->n, sizeof(*index), by_dn);
			if (hit == NULL)
				rc = ERR(e, E_INVALID_DATA, "%.60s: its member %.60s does not exist",
				    fe->entry.dn, key.entry.dn);
			else
				rc = add_value(f->pool, &(*hit)->entry, "memberOf", fe->entry.dn, e);
		}
	}
	free(index);
	return rc;
}
