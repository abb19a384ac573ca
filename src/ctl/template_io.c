/* template export, import, delete. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ctl/template_file.h"
#include "dir/ldif.h"

/* The class's default (MS-ADSC), for templates that come without an access list; owner and group: Enterprise
 * Admins. */
#define DEFAULT_SDDL                                                                                         \
	"O:EAG:EAD:(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;DA)(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;SY)(A;;RPLCLORC;;;"  \
	"AU)"

/* ---- export ---- */

/* Class and name first, the rest by name: the same template gives the same text, whatever its history. */
static int
by_attribute(const void *a, const void *b)
{
	static const char *const first[] = { "objectClass", "cn" };
	const struct dir_attr *x = a, *y = b;

	for (size_t i = 0; i < ARRAY_LEN(first); i++) {
		bool p = strcasecmp(x->name, first[i]) == 0, q = strcasecmp(y->name, first[i]) == 0;

		if (p != q)
			return p ? -1 : 1;
	}
	return strcasecmp(x->name, y->name);
}

/* A DN with its attribute types in capitals, as AD spells them; OpenLDAP spells them as its schema does. */
static const char *
ad_dn(struct ctl *c, const char *dn)
{
	char *s = pool_strdup(c->pool, dn);
	bool in_type = true;

	for (char *p = s; p != NULL && *p != '\0'; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		else if (*p == ',')
			in_type = true;
		else if (*p == '=')
			in_type = false;
		else if (in_type && *p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	}
	return s != NULL ? s : dn;
}

static int
put_entry(struct ctl *c, struct buf *out, const struct ctl_entry *en, struct err *e)
{
	struct dir_entry d = { ad_dn(c, en->dn), pool_calloc(c->pool, en->n_attrs, sizeof(*d.attrs)),
		en->n_attrs };

	if (d.attrs == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for an entry");
	for (size_t i = 0; i < en->n_attrs; i++) {
		struct dir_attr *a = &d.attrs[i];

		*a = (struct dir_attr){ en->attrs[i].name, en->attrs[i].values, en->attrs[i].n };
		if (a->n == 1 &&
		    (strcasecmp(a->name, "distinguishedName") == 0 ||
			strcasecmp(a->name, "objectCategory") == 0)) {
			const char *dn = ad_dn(c, (const char *)a->values[0].p);

			a->values[0] = (struct bytes){ (const uint8_t *)dn, strlen(dn) };
		}
	}
	qsort(d.attrs, d.n_attrs, sizeof(*d.attrs), by_attribute);
	ldif_put(out, &d);
	return 0;
}

static int
find_oid_objects(struct ctl *c, const char *oid, struct ctl_entry **out, size_t *n, struct err *e)
{
	const char *filter = pool_printf(c->pool,
	    "(&(objectClass=msPKI-Enterprise-Oid)(msPKI-Cert-Template-OID=%s))", ctl_ldap_escape(c, oid));

	if (filter == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a filter");
	return ctl_ldap_search(c, ctl_pks_dn(c, "OID"), CTL_ONE, filter, out, n, e);
}

static int
put_template(struct ctl *c, struct buf *out, const struct ctl_entry *en, struct err *e)
{
	const char *oid = ctl_entry_text(en, "msPKI-Cert-Template-OID");
	struct ctl_entry *oids;
	size_t n = 0;

	if (put_entry(c, out, en, e) != 0 || (oid != NULL && find_oid_objects(c, oid, &oids, &n, e) != 0))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (put_entry(c, out, &oids[i], e) != 0)
			return -1;
	return 0;
}

static int
by_dn(const void *a, const void *b)
{
	return strcasecmp(((const struct ctl_entry *)a)->dn, ((const struct ctl_entry *)b)->dn);
}

static int
put_all(struct ctl *c, struct buf *out, struct err *e)
{
	struct ctl_entry *en;
	size_t n;

	if (ctl_ldap_open(c, e) != 0 ||
	    ctl_ldap_search(c, ctl_pks_dn(c, "Certificate Templates"), CTL_ONE,
		"(objectClass=pKICertificateTemplate)", &en, &n, e) != 0)
		return -1;
	qsort(en, n, sizeof(*en), by_dn);
	for (size_t i = 0; i < n; i++)
		if (put_template(c, out, &en[i], e) != 0)
			return -1;
	return 0;
}

static int
write_out(const char *path, const struct buf *b, struct err *e)
{
	FILE *f = path == NULL ? stdout : fopen(path, "wb");
	bool bad;

	if (f == NULL)
		return ERR(e, E_UNEXPECTED, "%.100s: %s", path, strerror(errno));
	bad = fwrite(b->p, 1, b->len, f) != b->len;
	bad |= path == NULL ? fflush(f) != 0 : fclose(f) != 0;
	return bad ? ERR(e, E_UNEXPECTED, "%.100s cannot be written", path != NULL ? path : "standard output")
		   : 0;
}

int
ctl_template_export(struct ctl *c, const struct ctl_args *a)
{
	bool all = ctl_arg(a, "all") != NULL;
	struct ctl_entry *en;
	struct buf out;
	struct err e;
	int rc = 0;

	if (all == (a->n_positional > 0))
		return ctl_usage("name the templates, or say --all");
	buf_init(&out, TEMPLATE_FILE_MAX);
	buf_put_str(&out, "version: 1\n\n");
	if (all)
		rc = put_all(c, &out, &e);
	for (size_t i = 0; rc == 0 && i < a->n_positional; i++)
		if (ctl_template_find(c, a->positional[i], &en, &e) != 0 ||
		    put_template(c, &out, en, &e) != 0)
			rc = -1;
	if (rc == 0 && !buf_ok(&out))
		rc = ERR(&e, E_OUTOFMEMORY, "the export is larger than %u octets", TEMPLATE_FILE_MAX);
	if (rc == 0 && c->json && ctl_arg(a, "out") == NULL)
		rc = ctl_print_json(json_pack("{s:s}", "ldif", buf_cstr(&out)));
	else
		rc = rc == 0 && write_out(ctl_arg(a, "out"), &out, &e) == 0 ? CTL_OK : ctl_fail(c, &e);
	buf_fini(&out);
	return rc;
}

/* ---- import ---- */

static int
default_descriptor(struct ctl *c, struct ctl_entry *en, struct err *e)
{
	struct bytes v;
	struct buf b;
	struct sd sd;
	int ret = -1;

	if (sd_from_sddl(&sd, c->pool, DEFAULT_SDDL, &c->domain, e) != 0)
		return -1;
	buf_init(&b, SD_WIRE_MAX);
	if (sd_to_wire(&sd, &b, e) == 0) {
		v = buf_bytes(&b);
		ret = ctl_entry_set_bytes(c, en, "nTSecurityDescriptor", &v, 1, e);
	}
	buf_fini(&b);
	return ret;
}

static int
rename_entry(struct ctl *c, struct ctl_entry *en, const char *display, struct err *e)
{
	const char *name = ctl_template_name_from_display(c, display);

	ctl_entry_drop(en, "name");
	ctl_entry_drop(en, "distinguishedName");
	ctl_entry_drop(en, "objectGUID");
	return ctl_entry_set_text(c, en, "displayName", display, e) != 0
	    ? -1
	    : ctl_entry_set_text(c, en, "cn", name, e);
}

/* What the file leaves to the forest: its place, an OID, an access list. */
static int
complete(struct ctl *c, struct ctl_entry *en, const char *display, bool new_oid, struct err *e)
{
	const char *name, *oid, *bad;

	if (display != NULL && rename_entry(c, en, display, e) != 0)
		return -1;
	name = ctl_entry_text(en, "cn");
	bad = name == NULL ? "a template without cn" : ctl_template_name_check(c, name);
	if (bad != NULL)
		return ERR(e, E_INVALID_DATA, "%s", bad);
	en->dn = pool_printf(c->pool, "CN=%s,%s", name, ctl_pks_dn(c, "Certificate Templates"));
	if (ctl_entry_attr(en, "nTSecurityDescriptor") == NULL && default_descriptor(c, en, e) != 0)
		return -1;
	oid = ctl_entry_text(en, "msPKI-Cert-Template-OID");
	if (!new_oid && display == NULL && oid != NULL)
		return strchr(oid, '.') != NULL
		    ? 0
		    : ERR(e, E_INVALID_DATA, "msPKI-Cert-Template-OID of %s is no OID", name);
	oid = ctl_template_new_oid(c, e);
	return oid == NULL ? -1 : ctl_entry_set_text(c, en, "msPKI-Cert-Template-OID", oid, e);
}

/* The OID object of the file, or a new one, unless the forest has it. */
static int
add_oid(struct ctl *c, const struct template_file *f, const struct ctl_entry *en, struct err *e)
{
	const char *oid = ctl_entry_text(en, "msPKI-Cert-Template-OID"),
		   *display = ctl_entry_text(en, "displayName");
	struct ctl_entry *have;
	size_t n;

	if (find_oid_objects(c, oid, &have, &n, e) != 0)
		return -1;
	if (n > 0)
		return 0;
	for (size_t i = 0; i < f->n_oids; i++) {
		const char *other = ctl_entry_text(&f->oids[i], "msPKI-Cert-Template-OID");

		if (other != NULL && strcmp(other, oid) == 0)
			return ctl_ldap_add(c, &f->oids[i], e);
	}
	return ctl_template_add_oid(c, oid, display != NULL ? display : ctl_entry_text(en, "cn"), e);
}

/* An existing template becomes what the file says, but for what makes it this object. */
static int
overwrite(struct ctl *c, const struct ctl_entry *old, const struct ctl_entry *en, struct err *e)
{
	static const char *const identity[] = { "objectClass", "cn", "name", "distinguishedName",
		"objectGUID", "objectCategory", "instanceType", "whenCreated", "whenChanged", "uSNCreated",
		"uSNChanged", "dSCorePropagationData", "msPKI-Cert-Template-OID", "showInAdvancedViewOnly" };
	struct ctl_attr changes[2 * CTL_ATTRS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < old->n_attrs + en->n_attrs; i++) {
		const struct ctl_attr *a = i < old->n_attrs ? &old->attrs[i] : &en->attrs[i - old->n_attrs];
		struct ctl_attr *mine = ctl_entry_attr(en, a->name), *theirs = ctl_entry_attr(old, a->name);
		bool skip = i >= old->n_attrs && theirs != NULL; /* seen among the old ones */

		for (size_t k = 0; k < ARRAY_LEN(identity) && !skip; k++)
			skip = strcasecmp(a->name, identity[k]) == 0;
		if (skip || ctl_attr_equal(mine, theirs))
			continue;
		changes[n++] = mine != NULL ? *mine : (struct ctl_attr){ a->name, NULL, 0 };
	}
	return n == 0 ? 0 : ctl_ldap_replace(c, old->dn, changes, n, e);
}

static int
import_one(struct ctl *c, const struct ctl_args *a, const struct template_file *f, struct ctl_entry *en,
    struct err *e)
{
	struct ctl_entry *old;
	struct err none;

	if (complete(c, en, ctl_arg(a, "display-name"), f->is_json, e) != 0)
		return -1;
	if (ctl_arg(a, "replace") != NULL && ctl_template_find(c, ctl_entry_text(en, "cn"), &old, &none) == 0)
		return overwrite(c, old, en, e);
	return add_oid(c, f, en, e) != 0 ? -1 : ctl_ldap_add(c, en, e);
}

int
ctl_template_import(struct ctl *c, const struct ctl_args *a)
{
	json_t *names = json_array(), *v;
	struct template_file f;
	struct err e;
	size_t i;
	int rc = template_file_read(c, a->positional[0], ctl_arg(a, "domain-sid"), &f, &e);

	if (rc == 0 && ctl_arg(a, "display-name") != NULL && f.n_templates > 1)
		rc = ERR(
		    &e, E_INVALIDARG, "--display-name names one template, the file holds %zu", f.n_templates);
	for (i = 0; rc == 0 && i < f.n_templates; i++) {
		rc = import_one(c, a, &f, &f.templates[i], &e);
		if (rc == 0)
			json_array_append_new(names, json_string(ctl_entry_text(&f.templates[i], "cn")));
	}
	if (rc == 0 && c->json) {
		rc = ctl_print_json(json_pack("{s:O, s:O}", "imported", names, "warnings", f.warnings));
	} else {
		json_array_foreach(f.warnings, i, v)
		    fprintf(stderr, "adcsctl: warning: %s\n", json_string_value(v));
		if (!c->json)
			json_array_foreach(names, i, v) printf("%s imported\n", json_string_value(v));
		rc = rc == 0 ? CTL_OK : ctl_fail(c, &e);
	}
	json_decref(names);
	template_file_fini(&f);
	return rc;
}

/* ---- delete ---- */

/* AD leaves the name in certificateTemplates: the CA goes on listing a template that it cannot load. */
static int
publishers(struct ctl *c, const char *name, json_t *out, struct err *e)
{
	const char *filter = pool_printf(c->pool,
	    "(&(objectClass=pKIEnrollmentService)(certificateTemplates=%s))", ctl_ldap_escape(c, name));
	struct ctl_entry *en;
	size_t n;

	if (filter == NULL ||
	    ctl_ldap_search(c, ctl_pks_dn(c, "Enrollment Services"), CTL_ONE, filter, &en, &n, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const char *cn = ctl_entry_text(&en[i], "cn");

		json_array_append_new(out, json_string(cn != NULL ? cn : en[i].dn));
	}
	return 0;
}

int
ctl_template_delete(struct ctl *c, const struct ctl_args *a)
{
	json_t *cas = json_array(), *v;
	struct ctl_entry *en;
	const char *name;
	struct err e;
	size_t i;
	int rc;

	if (ctl_template_find(c, a->positional[0], &en, &e) != 0 ||
	    publishers(c, ctl_entry_text(en, "cn"), cas, &e) != 0 || ctl_ldap_delete(c, en->dn, &e) != 0) {
		json_decref(cas);
		return ctl_fail(c, &e);
	}
	name = ctl_entry_text(en, "cn");
	if (c->json) {
		rc = ctl_print_json(json_pack("{s:s, s:O}", "deleted", name, "publishedBy", cas));
	} else {
		printf("%s deleted\n", name);
		json_array_foreach(cas, i, v) fprintf(stderr,
		    "adcsctl: warning: '%s' still publishes it; requests now get 0x80094800; 'ca unpublish "
		    "%s' removes "
		    "the name\n",
		    json_string_value(v), name);
		rc = CTL_OK;
	}
	json_decref(cas);
	return rc;
}
