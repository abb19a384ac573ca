/* A table worked out from an export: templates, accounts and enrollment services of an LDIF file. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth/access.h"
#include "base/clock.h"
#include "ctl/admin.h"
#include "ctl/matrix.h"
#include "dir/ldif.h"
#include "policy/made_up.h"
#include "rehearse/defaults.h"
#include "rehearse/matrix.h"
#include "rehearse/registry.h"
#include "rehearse/report.h"

struct export
{
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
	struct sd *security; /* NULL: every account may request */
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
		if (is_a(&x->entries[i], "crossRef") &&
		    dir_entry_text(&x->entries[i], "nETBIOSName") != NULL) {
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
take_oids(struct export *x, struct policy_attrs **out, size_t *n, struct err *e)
{
	*n = 0;
	*out = pool_calloc(x->c->pool, x->n, sizeof(**out));
	if (*out == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for OID objects");
	for (size_t i = 0; i < x->n; i++)
		if (is_a(&x->entries[i], "msPKI-Enterprise-Oid"))
			(*out)[(*n)++] =
			    (struct policy_attrs){ &x->entries[i], entry_value, x->entries[i].dn };
	return 0;
}

static int
take_templates(struct export *x, struct err *e)
{
	struct policy_attrs *oids;
	size_t n_oids;

	if (take_oids(x, &oids, &n_oids, e) != 0)
		return -1;
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
			fprintf(
			    stderr, "adcsctl: %s: %s is left out: %s\n", x->path, x->entries[i].dn, why.msg);
			continue;
		}
		if (policy_template_qualify(t, x->c->pool, oids, n_oids, &why) != 0)
			fprintf(stderr, "adcsctl: %s: %s has no policy qualifiers: %s\n", x->path, t->cn,
			    why.msg);
		if (t->sd == NULL)
			fprintf(stderr,
			    "adcsctl: %s: %s has no nTSecurityDescriptor in the export, so everyone may "
			    "enroll\n",
			    x->path, t->cn);
		x->n_templates++;
	}
	return x->n_templates > 0 ? 0
				  : ERR(e, E_INVALID_DATA, "%.100s holds no certificate template", x->path);
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
	struct matrix m = { .ca = &x->ca,
		.security = x->security,
		.templates = x->templates,
		.n_templates = x->n_templates,
		.published = &x->published,
		.now = clock_real() };
	struct matrix_options o = { .subject = ctl_arg(a, "subject"),
		.san = ctl_arg(a, "san"),
		.key = ctl_arg(a, "key"),
		.all = ctl_arg(a, "all-templates") != NULL };
	const struct person **rows;
	size_t n;

	if (ctl_arg(a, "attrib") != NULL)
		o.attributes = ctl_attributes(x->c, ctl_arg(a, "attrib"));
	if (ctl_split(x->c, ctl_arg(a, "templates"), &o.names, &o.n_names, e) != 0 ||
	    choose(x, a, &rows, &n, e) != 0 || matrix_prepare(&m, &o, x->c->pool, e) != 0 ||
	    ctl_matrix_alloc(x->c, out, m.n_columns, n, e) != 0)
		return -1;
	for (size_t k = 0; k < m.n_columns; k++)
		out->templates[k] = m.columns[k]->cn;
	for (size_t i = 0; i < n; i++) {
		const char *account =
		    pool_strdup(x->c->pool, rows[i]->token->account); /* people goes before the table */

		if (account == NULL)
			return ERR(e, E_OUTOFMEMORY, "no memory for an account");
		out->principals[i] = (struct ctl_principal){ account, rows[i]->disabled };
		if (matrix_row(&m, rows[i], out->cells + i * m.n_columns, e) != 0)
			return -1;
	}
	return 0;
}

/* ---- one request, explained ---- */

/* A client's request, with its signature verified, or one made up. Everything in the pool. */
static int
take_request(struct export *x, const struct ctl_args *a, struct x509_request *out, struct err *e)
{
	const char *file = ctl_arg(a, "csr");
	struct policy_made_up made = { ctl_arg(a, "subject"), ctl_arg(a, "san"), ctl_arg(a, "key") };
	struct bytes raw = { 0 }, der;
	struct buf b;
	int rc;

	buf_init(&b, X509_REQUEST_MAX);
	rc = file != NULL ? ctl_read_file(file, &b, e) : policy_make_up(&b, &made, e);
	if (rc == 0 && pool_dup_bytes(x->c->pool, buf_bytes(&b), &raw) != 0)
		rc = ERR(e, E_OUTOFMEMORY, "no memory for a request");
	buf_fini(&b);
	if (rc != 0 || x509_request_unwrap(raw, x->c->pool, &der, e) != 0 ||
	    x509_request_parse(out, x->c->pool, der, e) != 0)
		return -1;
	return file != NULL ? x509_request_verify(out, e) : 0;
}

static int
take_attributes(struct export *x, const struct ctl_args *a, const struct x509_request *r,
    struct policy_input *in, struct err *e)
{
	const char *template = ctl_arg(a, "template"), *given = ctl_arg(a, "attrib");
	const char *text = pool_printf(x->c->pool, "%s%s\n%s", template != NULL ? "CertificateTemplate:" : "",
	    template != NULL ? template : "", given != NULL ? ctl_attributes(x->c, given) : "");
	struct policy_attribute *list, *all;
	size_t n;

	if (text == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for request attributes");
	if (policy_attributes_parse(text, x->c->pool, &list, &n, e) != 0)
		return -1;
	all = pool_calloc(x->c->pool, n + r->n_name_values, sizeof(*all));
	if (all == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for request attributes");
	if (n > 0)
		memcpy(all, list, n * sizeof(*all));
	for (size_t i = 0; i < r->n_name_values; i++)
		all[n++] = (struct policy_attribute){ r->name_values[i].name, r->name_values[i].value };
	in->attributes = all;
	in->n_attributes = n;
	return 0;
}

/* As the CA's own gate: no rule is asked. */
static json_t *
refused_by_ca(const struct person *who)
{
	char code[16];

	snprintf(code, sizeof(code), "0x%08x", CERTSRV_E_ENROLL_DENIED);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:[], s:n}", "verdict", "refused", "hr", code, "hrName",
	    hresult_name(CERTSRV_E_ENROLL_DENIED), "requester", who->token->account, "reason",
	    "no Request Certificates right on the CA", "rules", "certificate");
}

static json_t *
explain(struct export *x, const struct ctl_args *a, struct err *e)
{
	const struct person *who = people_find(x->people, ctl_arg(a, "as"));
	struct policy_input in = { .ca = &x->ca,
		.templates = x->templates,
		.n_templates = x->n_templates,
		.published = &x->published,
		.now = clock_real() };
	struct policy_result r;
	struct x509_request request;
	char code[16];
	uint32_t hr;

	if (who == NULL) {
		ERR(e, E_DS_NO_SUCH_OBJECT, "no account '%.60s' in %.60s", ctl_arg(a, "as"), x->path);
		return NULL;
	}
	if (take_request(x, a, &request, e) != 0 || take_attributes(x, a, &request, &in, e) != 0)
		return NULL;
	if (x->security != NULL && !access_check_ca(x->security, who->token, CA_ACCESS_ENROLL, NULL).granted)
		return refused_by_ca(who);
	in.caller = who->token;
	in.request = &request;
	if (policy_needs_subject(&in))
		in.subject = &who->subject;
	if (policy_evaluate(&in, x->c->pool, &r, e) != 0)
		return NULL;
	hr = r.outcome == POLICY_DENY ? r.hr : 0;
	snprintf(code, sizeof(code), "0x%08x", hr);
	return json_pack("{s:s, s:s, s:s?, s:s, s:s?, s:o, s:o}", "verdict",
	    r.outcome == POLICY_ISSUE      ? "issued"
		: r.outcome == POLICY_PEND ? "pending"
					   : "denied",
	    "hr", code, "hrName", hr != 0 ? hresult_name(hr) : NULL, "requester", who->token->account,
	    "template", r.template != NULL ? r.template->cn : NULL, "rules", report_rules(&r), "certificate",
	    r.outcome != POLICY_DENY ? report_certificate(&r) : json_null());
}

/* ---- ways in ---- */

/* Aliases such as DA in the CA's access list are those of the export's domain. */
static void
find_domain_sid(const struct export *x, struct sddl_domain *out)
{
	*out = (struct sddl_domain){ 0 };
	for (size_t i = 0; i < x->n; i++) {
		const struct dir_attr *a = dir_entry_attr(&x->entries[i], "objectSid");
		struct err ignored;

		if (a != NULL && a->n == 1 && is_a(&x->entries[i], "domainDNS") &&
		    sid_from_wire(&out->domain, a->values[0], NULL, &ignored) == 0) {
			out->root = out->domain;
			return;
		}
	}
}

static int
take_settings(struct export *x, const char *path, struct err *e)
{
	struct sddl_domain domain;
	json_t *o = NULL;
	int rc;

	if (path == NULL)
		return 0;
	find_domain_sid(x, &domain);
	rc = ctl_settings_lay(&o, path, e);
	if (rc == 0)
		rc = rehearse_ca_settings(
		    &x->ca, &x->security, o, domain.domain.n_sub > 0 ? &domain : NULL, x->c->pool, e);
	json_decref(o);
	return rc == 0 ? 0 : err_prefix(e, "%.80s", path);
}

static int
load(struct export *x, const struct ctl_args *a, struct err *e)
{
	if (read_entries(x, e) != 0 || find_domain(x, e) != 0 || take_templates(x, e) != 0 ||
	    take_published(x, e) != 0 || take_people(x, e) != 0)
		return -1;
	if (rehearse_default_ca(&x->ca, x->dns_domain != NULL ? x->dns_domain : x->nb_domain, x->nb_domain,
		clock_real(), x->c->pool, e) != 0)
		return -1;
	return take_settings(x, ctl_arg(a, "settings"), e);
}

json_t *
ctl_rehearse_in_export(struct ctl *c, const struct ctl_args *a, const char *path, struct err *e)
{
	struct export x = { .c = c, .path = path };
	json_t *o = load(&x, a, e) == 0 ? explain(&x, a, e) : NULL;

	people_free(x.people);
	return o;
}

int
ctl_matrix_from_ldif(
    struct ctl *c, const struct ctl_args *a, const char *path, struct ctl_matrix *out, struct err *e)
{
	struct export x = { .c = c, .path = path };
	uint64_t start = clock_monotonic_us();
	int rc = load(&x, a, e) == 0 ? fill(&x, a, out, e) : -1;

	people_free(x.people);
	if (rc == 0)
		out->milliseconds = (double)(clock_monotonic_us() - start) / 1000.0;
	return rc;
}
