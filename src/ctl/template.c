/* Finding and listing templates. */
#include "ctl/template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *
ctl_pks_dn(struct ctl *c, const char *container)
{
	const char *dn =
	    pool_printf(c->pool, "CN=%s,CN=Public Key Services,CN=Services,%s", container, c->config_dn);

	return dn != NULL ? dn : "";
}

int
ctl_template_find(struct ctl *c, const char *name, struct ctl_entry **out, struct err *e)
{
	const char *esc = ctl_ldap_escape(c, name), *base;
	const char *filter = pool_printf(
	    c->pool, "(&(objectClass=pKICertificateTemplate)(|(cn=%s)(displayName=%s)))", esc, esc);
	const char *other = NULL;
	size_t n;

	if (ctl_ldap_open(c, e) != 0)
		return -1;
	base = ctl_pks_dn(c, "Certificate Templates");
	if (filter == NULL || ctl_ldap_search(c, base, CTL_ONE, filter, out, &n, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const char *cn = ctl_entry_text(&(*out)[i], "cn");

		if (cn != NULL && strcasecmp(cn, name) == 0) {
			*out = &(*out)[i];
			return 0;
		}
		other = cn;
	}
	if (other != NULL)
		return ERR(e, E_DS_NO_SUCH_OBJECT, "'%.50s' is a display name; the template name is '%.50s'",
		    name, other);
	return ERR(e, E_DS_NO_SUCH_OBJECT, "no template '%.60s' in the directory", name);
}

static bool
entry_value(const void *ctx, const char *attr, size_t i, struct bytes *out)
{
	const struct ctl_attr *a = ctl_entry_attr(ctx, attr);

	if (a == NULL || i >= a->n)
		return false;
	*out = a->values[i];
	return true;
}

int
ctl_template_decode(struct ctl *c, const struct ctl_entry *en, struct policy_template *out, struct err *e)
{
	struct policy_attrs attrs = { en, entry_value, en->dn };

	return policy_template_decode(out, c->pool, &attrs, e);
}

static int
by_cn(const void *a, const void *b)
{
	const char *x = ctl_entry_text(a, "cn"), *y = ctl_entry_text(b, "cn");

	return strcasecmp(x != NULL ? x : "", y != NULL ? y : "");
}

int
ctl_template_list(struct ctl *c, const struct ctl_args *a)
{
	json_t *list = json_array();
	struct ctl_entry *en;
	struct err e;
	size_t n;

	(void)a;
	if (ctl_ldap_open(c, &e) != 0 ||
	    ctl_ldap_search(c, ctl_pks_dn(c, "Certificate Templates"), CTL_ONE,
		"(objectClass=pKICertificateTemplate)", &en, &n, &e) != 0) {
		json_decref(list);
		return ctl_fail(c, &e);
	}
	qsort(en, n, sizeof(*en), by_cn);
	if (!c->json)
		printf(
		    "%-32s %-44s %-6s %s\n", "Template name", "Template display name", "Schema", "Version");
	for (size_t i = 0; i < n; i++) {
		const char *cn = ctl_entry_text(&en[i], "cn"), *dn = ctl_entry_text(&en[i], "displayName");
		int schema = ctl_entry_int(&en[i], "msPKI-Template-Schema-Version", 1);
		int major = ctl_entry_int(&en[i], "revision", 0);
		int minor = ctl_entry_int(&en[i], "msPKI-Template-Minor-Revision", 0);

		if (c->json)
			json_array_append_new(list,
			    json_pack("{s:s, s:s, s:i, s:i, s:i}", "name", cn != NULL ? cn : "",
				"displayName", dn != NULL ? dn : "", "schemaVersion", schema, "majorRevision",
				major, "minorRevision", minor));
		else
			printf("%-32s %-44s %-6d %d.%d\n", cn != NULL ? cn : "", dn != NULL ? dn : "", schema,
			    major, minor);
	}
	if (c->json)
		return ctl_print_json(list);
	json_decref(list);
	return CTL_OK;
}
