/* A table worked out from an export: templates, accounts and enrollment services of an LDIF file. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "ctl/admin.h"
#include "ctl/matrix.h"
#include "dir/ldif.h"
#include "rehearse/defaults.h"
#include "rehearse/matrix.h"

struct export {
	struct ctl *c;
	const char *path;
	struct dir_entry *entries;
	size_t n, cap;
	const char *nb_domain, *dns_domain;
	struct policy_template *templates;
	size_t n_templates;
	struct x509_strings published;
	struct people *people;
	struct policy_ca ca;
};

/* ---- reading ---- */

static int
read_whole(struct export *x, struct buf *out, struct err *e)
{
	FILE *f = fopen(x->path, "rb");
	char chunk[65536];
	size_t n;
	int rc = 0;

	if (f == NULL)
		return ERR(e, E_FILE_NOT_FOUND, "%.100s: %s", x->path, strerror(errno));
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_put(out, chunk, n);
	if (ferror(f))
		rc = ERR(e, E_FAIL, "%.100s: %s", x->path, strerror(errno));
	else if (!buf_ok(out))
		rc = ERR(e, E_INVALIDARG, "%.100s is longer than %u octets", x->path, LDIF_FILE_MAX);
	fclose(f);
	return rc;
}

static int
keep_entry(struct export *x, const struct dir_entry *en, struct err *e)
{
	if (x->n == x->cap) {
		size_t cap = x->cap == 0 ? 1024 : 2 * x->cap;
		struct dir_entry *more = pool_calloc(x->c->pool, cap, sizeof(*more));

		if (more == NULL)
			return ERR(e, E_OUTOFMEMORY, "no memory for %zu records", cap);
		if (x->n > 0)
			memcpy(more, x->entries, x->n * sizeof(*more));
		x->entries = more;
		x->cap = cap;
	}
	x->entries[x->n++] = *en;
	return 0;
}

static int
read_entries(struct export *x, struct err *e)
{
	struct ldif_reader r;
	struct dir_entry en;
	struct buf text;
	bool more = true;
	int rc;

	buf_init(&text, LDIF_FILE_MAX);
	rc = read_whole(x, &text, e);
	if (rc == 0) {
		ldif_reader_init(&r, x->path, buf_bytes(&text));
		while (rc == 0 && more) {
			rc = ldif_read(&r, x->c->pool, &en, &more, e);
			if (rc == 0 && more)
				rc = keep_entry(x, &en, e);
		}
		ldif_reader_fini(&r);
	}
	buf_fini(&text);
	return rc;
}

/* ---- what the records are ---- */

static bool
is_a(const struct dir_entry *en, const char *class)
{
	const struct dir_attr *a = dir_entry_attr(en, "objectClass");

	for (size_t i = 0; a != NULL && i < a->n; i++)
		if (strcasecmp((const char *)a->values[i].p, class) == 0)
			return true;
	return false;
}

static bool
entry_value(const void *ctx, const char *attr, size_t i, struct bytes *out)
{
	const struct dir_attr *a = dir_entry_attr(ctx, attr);

	if (a == NULL || i >= a->n)
		return false;
	*out = a->values[i];
	return true;
}

/* "CORP" of the crossRef of a domain; else the first label of the first account's domain. */
static int
find_domain(struct export *x, struct err *e)
{
	char *nb = NULL;

	for (size_t i = 0; i < x->n && x->nb_domain == NULL; i++)
		if (is_a(&x->entries[i], "crossRef") && dir_entry_text(&x->entries[i], "nETBIOSName") != NULL) {
			x->nb_domain = dir_entry_text(&x->entries[i], "nETBIOSName");
			x->dns_domain = dir_entry_text(&x->entries[i], "dnsRoot");
		}
	for (size_t i = 0; i < x->n && x->nb_domain == NULL && nb == NULL; i++) {
		const char *dc = is_a(&x->entries[i], "user") || is_a(&x->entries[i], "group")
		    ? strcasestr(x->entries[i].dn, ",DC=")
		    : NULL;

		if (dc == NULL)
			continue;
		nb = pool_strndup(x->c->pool, dc + 4, strcspn(dc + 4, ","));
		for (char *p = nb; p != NULL && *p != '\0'; p++)
			*p = (char)toupper((unsigned char)*p);
	}
	if (x->nb_domain == NULL)
		x->nb_domain = nb;
	return x->nb_domain != NULL ? 0 : ERR(e, E_INVALID_DATA, "%.100s holds no account", x->path);
}

static int
take_templates(struct export *x, struct err *e)
{
	x->templates = pool_calloc(x->c->pool, x->n, sizeof(*x->templates));
	if (x->templates == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for templates");
	for (size_t i = 0; i < x->n; i++) {
		struct policy_attrs attrs = { &x->entries[i], entry_value, x->entries[i].dn };
		struct policy_template *t = &x->templates[x->n_templates];
		struct err why;

		if (!is_a(&x->entries[i], "pKICertificateTemplate"))
			continue;
		if (policy_template_decode(t, x->c->pool, &attrs, &why) != 0) {
			fprintf(stderr, "adcsctl: %s: %s is left out: %s\n", x->path, x->entries[i].dn, why.msg);
			continue;
		}
		if (t->sd == NULL)
			fprintf(stderr,
			    "adcsctl: %s: %s has no nTSecurityDescriptor in the export, so everyone may enroll\n", x->path,
			    t->cn);
		x->n_templates++;
	}
	return x->n_templates > 0 ? 0 : ERR(e, E_INVALID_DATA, "%.100s holds no certificate template", x->path);
}

/* What any enrollment service publishes; every template when the export has none of them. */
static int
take_published(struct export *x, struct err *e)
{
	bool services = false;
	const char **v;
	size_t n = 0;

	for (size_t i = 0; i < x->n; i++) {
		const struct dir_attr *a = dir_entry_attr(&x->entries[i], "certificateTemplates");

		services |= is_a(&x->entries[i], "pKIEnrollmentService");
		n += a != NULL ? a->n : 0;
	}
	v = pool_calloc(x->c->pool, services ? n : x->n_templates, sizeof(*v));
	if (v == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the published templates");
	x->published.v = v;
	for (size_t i = 0; !services && i < x->n_templates; i++)
		v[x->published.n++] = x->templates[i].cn;
	for (size_t i = 0; services && i < x->n; i++) {
		const struct dir_attr *a = dir_entry_attr(&x->entries[i], "certificateTemplates");

		for (size_t k = 0; a != NULL && k < a->n; k++) {
			size_t at = 0;

			while (at < x->published.n && strcasecmp(v[at], (const char *)a->values[k].p) != 0)
				at++;
			if (at == x->published.n)
				v[x->published.n++] = (const char *)a->values[k].p;
		}
	}
	return 0;
}

static int
take_people(struct export *x, struct err *e)
{
	x->people = people_new(x->nb_domain);
	if (x->people == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for accounts");
	for (size_t i = 0; i < x->n; i++) {
		struct policy_attrs attrs = { &x->entries[i], entry_value, x->entries[i].dn };

		if (people_add(x->people, &attrs, e) != 0)
			return -1;
	}
	return people_finish(x->people, rehearse_default_local_groups, NULL, e);
}

/* ---- the table ---- */

/* Accounts by --principals, or all. */
static int
choose(struct export *x, const struct ctl_args *a, const struct person ***rows, size_t *n, struct err *e)
{
	const char *const *names;
	size_t n_names;

	if (ctl_split(x->c, ctl_arg(a, "principals"), &names, &n_names, e) != 0)
		return -1;
	*n = names != NULL ? n_names : people_count(x->people);
	*rows = pool_calloc(x->c->pool, *n, sizeof(**rows));
	if (*rows == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu principals", *n);
	for (size_t i = 0; i < *n; i++) {
		(*rows)[i] = names != NULL ? people_find(x->people, names[i]) : people_at(x->people, i);
		if ((*rows)[i] == NULL)
			return ERR(e, E_DS_NO_SUCH_OBJECT, "no account '%.60s' in %.60s", names[i], x->path);
	}
	return 0;
}

static int
fill(struct export *x, const struct ctl_args *a, struct ctl_matrix *out, struct err *e)
{
	struct matrix m = { .ca = &x->ca, .templates = x->templates, .n_templates = x->n_templates,
		.published = &x->published, .now = clock_real() };
	struct matrix_options o = { .subject = ctl_arg(a, "subject"), .san = ctl_arg(a, "san"), .key = ctl_arg(a, "key"),
		.all = ctl_arg(a, "all-templates") != NULL };
	const struct person **rows;
	size_t n;

	if (ctl_arg(a, "attrib") != NULL)
		o.attributes = ctl_attributes(x->c, ctl_arg(a, "attrib"));
	if (ctl_split(x->c, ctl_arg(a, "templates"), &o.names, &o.n_names, e) != 0 || choose(x, a, &rows, &n, e) != 0 ||
	    matrix_prepare(&m, &o, x->c->pool, e) != 0 || ctl_matrix_alloc(x->c, out, m.n_columns, n, e) != 0)
		return -1;
	for (size_t k = 0; k < m.n_columns; k++)
		out->templates[k] = m.columns[k]->cn;
	for (size_t i = 0; i < n; i++) {
		const char *account = pool_strdup(x->c->pool, rows[i]->token->account); /* people goes before the table */

		if (account == NULL)
			return ERR(e, E_OUTOFMEMORY, "no memory for an account");
		out->principals[i] = (struct ctl_principal){ account, rows[i]->disabled };
		if (matrix_row(&m, rows[i], out->cells + i * m.n_columns, e) != 0)
			return -1;
	}
	return 0;
}

int
ctl_matrix_from_ldif(struct ctl *c, const struct ctl_args *a, const char *path, struct ctl_matrix *out, struct err *e)
{
	struct export x = { .c = c, .path = path };
	uint64_t start = clock_monotonic_us();
	int rc = -1;

	if (read_entries(&x, e) == 0 && find_domain(&x, e) == 0 && take_templates(&x, e) == 0 &&
	    take_published(&x, e) == 0 && take_people(&x, e) == 0 &&
	    rehearse_default_ca(&x.ca, x.dns_domain != NULL ? x.dns_domain : x.nb_domain, x.nb_domain, clock_real(), c->pool,
		e) == 0)
		rc = fill(&x, a, out, e);
	people_free(x.people);
	if (rc == 0)
		out->milliseconds = (double)(clock_monotonic_us() - start) / 1000.0;
	return rc;
}
