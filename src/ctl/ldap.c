#include "ctl/ldap.h"

#include <ldap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct ctl_ldap {
	LDAP *ld;
};

static int
ldap_fail(struct ctl *c, int rc, const char *what, struct err *e)
{
	char *diag = NULL;
	uint32_t hr = rc == LDAP_NO_SUCH_OBJECT ? E_DS_NO_SUCH_OBJECT
	    : rc == LDAP_ALREADY_EXISTS         ? E_ALREADY_EXISTS
	    : rc == LDAP_INSUFFICIENT_ACCESS    ? E_DS_INSUFF_ACCESS_RIGHTS
	    : rc == LDAP_SERVER_DOWN            ? E_DS_SERVER_DOWN
						: E_DS_OPERATIONS_ERROR;

	if (c->ldap != NULL)
		ldap_get_option(c->ldap->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &diag);
	ERR(e, hr, "%s: %s%s%s", what, ldap_err2string(rc), diag != NULL && *diag != '\0' ? ", " : "",
	    diag != NULL ? diag : "");
	ldap_memfree(diag);
	return -1;
}

/* EXTERNAL asks nothing: the socket says who we are. */
static int
no_interaction(LDAP *ld, unsigned flags, void *defaults, void *in)
{
	(void)ld, (void)flags, (void)defaults, (void)in;
	return LDAP_SUCCESS;
}

/* A password on the command line would be seen by all; an empty one would bind anonymously
 * (RFC 4513 5.1.2). */
static const char *
read_password(struct ctl *c, struct err *e)
{
	if (c->password_file == NULL) {
		ERR(e, E_INVALIDARG, "--bind %.60s needs --password-file FILE", c->bind);
		return NULL;
	}
	return ctl_password_from_file(c, c->password_file, e);
}

static int
bind_as_told(struct ctl *c, const char *uri, struct err *e)
{
	LDAP *ld = c->ldap->ld;
	const char *who = c->uri == NULL || c->bind == NULL
	    ? (strncasecmp(uri, "ldapi:", 6) == 0 ? "external" : "gssapi")
	    : c->bind;
	const char *password;
	struct berval cred;
	int rc;

	if (strcasecmp(who, "external") == 0) {
		rc = ldap_sasl_interactive_bind_s(
		    ld, NULL, "EXTERNAL", NULL, NULL, LDAP_SASL_QUIET, no_interaction, NULL);
	} else if (strcasecmp(who, "gssapi") == 0) {
		rc = ldap_sasl_interactive_bind_s(
		    ld, NULL, "GSSAPI", NULL, NULL, LDAP_SASL_QUIET, no_interaction, NULL);
	} else {
		password = read_password(c, e);
		if (password == NULL)
			return -1;
		cred = (struct berval){ strlen(password), (char *)(uintptr_t)password };
		rc = ldap_sasl_bind_s(ld, who, LDAP_SASL_SIMPLE, &cred, NULL, NULL, NULL);
	}
	return rc == LDAP_SUCCESS ? 0 : ldap_fail(c, rc, pool_printf(c->pool, "%s at %s", who, uri), e);
}

/*
 * AD gives a descriptor only when asked for, and owner, group and DACL of it to those who may not see the
 * SACL (MS-ADTS 3.1.1.3.4.1.11). A SEQUENCE with the INTEGER 7.
 */
static LDAPControl **
sd_flags(const struct ctl *c)
{
	static char value[] = { 0x30, 0x03, 0x02, 0x01, 0x07 };
	static char oid[] = "1.2.840.113556.1.4.801";
	static LDAPControl control = { oid, { sizeof(value), value }, 1 };
	static LDAPControl *list[] = { &control, NULL };

	return c->is_ad ? list : NULL;
}

static const char *
server_directory(struct ctl *c, struct err *e)
{
	json_t *o = ctl_call(c, "server.show", NULL, e);
	const char *uri = json_string_value(json_object_get(o, "directory"));

	uri = uri != NULL ? pool_strdup(c->pool, uri) : NULL;
	if (o != NULL && uri == NULL)
		ERR(e, E_UNEXPECTED, "the server told no directory URI");
	json_decref(o);
	return uri;
}

static int
read_names(struct ctl *c, struct err *e)
{
	struct ctl_entry *en;
	struct ctl_attr *sid;
	const char *filter;
	size_t n;

	if (ctl_ldap_search(c, "", CTL_BASE, "(objectClass=*)", &en, &n, e) != 0)
		return -1;
	c->domain_dn = n > 0 ? ctl_entry_text(&en[0], "defaultNamingContext") : NULL;
	c->config_dn = n > 0 ? ctl_entry_text(&en[0], "configurationNamingContext") : NULL;
	c->is_ad = n > 0 && ctl_entry_attr(&en[0], "dsServiceName") != NULL;
	if (c->domain_dn == NULL || c->config_dn == NULL)
		return ERR(e, E_DS_NO_SUCH_OBJECT,
		    "rootDSE names no defaultNamingContext or configurationNamingContext");
	if (ctl_ldap_search(c, c->domain_dn, CTL_BASE, "(objectClass=*)", &en, &n, e) != 0)
		return -1;
	sid = n > 0 ? ctl_entry_attr(&en[0], "objectSid") : NULL;
	if (sid == NULL)
		return ERR(e, E_DS_NO_SUCH_OBJECT, "the domain %.80s has no objectSid", c->domain_dn);
	if (sid_from_wire(&c->domain.domain, sid->values[0], NULL, e) != 0)
		return err_prefix(e, "objectSid of the domain");
	c->domain.root = c->domain.domain;
	filter =
	    pool_printf(c->pool, "(&(objectClass=crossRef)(nCName=%s))", ctl_ldap_escape(c, c->domain_dn));
	if (filter == NULL ||
	    ctl_ldap_search(
		c, pool_printf(c->pool, "CN=Partitions,%s", c->config_dn), CTL_ONE, filter, &en, &n, e) != 0)
		return -1;
	c->nb_domain = n > 0 ? ctl_entry_text(&en[0], "nETBIOSName") : NULL;
	return c->nb_domain != NULL
	    ? 0
	    : ERR(e, E_DS_NO_SUCH_OBJECT, "no crossRef with nETBIOSName for %.80s", c->domain_dn);
}

int
ctl_ldap_open(struct ctl *c, struct err *e)
{
	struct timeval limit = { 10, 0 };
	int rc, version = LDAP_VERSION3;
	const char *uri;

	if (c->ldap != NULL)
		return 0;
	if (c->uri == NULL && c->remote != NULL)
		return ERR(
		    e, E_INVALIDARG, "with --config names are looked up in --directory URI; SIDs need none");
	uri = c->uri != NULL ? c->uri : server_directory(c, e);
	if (uri == NULL)
		return -1;
	c->ldap = pool_alloc(c->pool, sizeof(*c->ldap));
	if (c->ldap == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a directory connection");
	rc = ldap_initialize(&c->ldap->ld, uri);
	if (rc != LDAP_SUCCESS) {
		c->ldap = NULL;
		return ERR(e, E_INVALIDARG, "directory %.80s: %s", uri, ldap_err2string(rc));
	}
	ldap_set_option(c->ldap->ld, LDAP_OPT_PROTOCOL_VERSION, &version);
	ldap_set_option(c->ldap->ld, LDAP_OPT_NETWORK_TIMEOUT, &limit);
	ldap_set_option(c->ldap->ld, LDAP_OPT_TIMEOUT, &limit);
	ldap_set_option(c->ldap->ld, LDAP_OPT_REFERRALS,
	    LDAP_OPT_OFF); /* AD refers from the domain to its other contexts */
	ldap_set_option(c->ldap->ld, LDAP_OPT_X_SASL_NOCANON,
	    LDAP_OPT_ON); /* the ticket is for the name that was typed */
	return bind_as_told(c, uri, e) != 0 ? -1 : read_names(c, e);
}

void
ctl_ldap_close(struct ctl *c)
{
	if (c->ldap != NULL)
		ldap_unbind_ext_s(c->ldap->ld, NULL, NULL);
	c->ldap = NULL;
}

static int
copy_entry(struct ctl *c, LDAPMessage *m, struct ctl_entry *out, struct err *e)
{
	LDAP *ld = c->ldap->ld;
	BerElement *ber = NULL;
	char *dn = ldap_get_dn(ld, m);

	out->dn = dn != NULL ? pool_strdup(c->pool, dn) : NULL;
	ldap_memfree(dn);
	for (char *a = ldap_first_attribute(ld, m, &ber); a != NULL; a = ldap_next_attribute(ld, m, ber)) {
		struct berval **v = ldap_get_values_len(ld, m, a);
		int n = ldap_count_values_len(v);
		struct bytes *vals = pool_calloc(c->pool, (size_t)n, sizeof(*vals));
		int rc = vals != NULL ? 0 : -1;

		for (int i = 0; rc == 0 && i < n; i++)
			vals[i] = (struct bytes){ (const uint8_t *)v[i]->bv_val, v[i]->bv_len };
		if (rc == 0)
			rc = ctl_entry_set_bytes(c, out, a, vals, (size_t)n, e);
		ldap_value_free_len(v);
		ldap_memfree(a);
		if (rc != 0)
			break;
	}
	ber_free(ber, 0);
	return out->dn != NULL && out->attrs != NULL ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for an entry");
}

int
ctl_ldap_search(struct ctl *c, const char *base, enum ctl_scope scope, const char *filter,
    struct ctl_entry **out, size_t *n, struct err *e)
{
	static const int scopes[] = { LDAP_SCOPE_BASE, LDAP_SCOPE_ONELEVEL, LDAP_SCOPE_SUBTREE };
	char *attrs[] = { "*", *base == '\0' ? "+" : "nTSecurityDescriptor", NULL };
	LDAPMessage *res = NULL;
	size_t i = 0;
	int rc = ldap_search_ext_s(
	    c->ldap->ld, base, scopes[scope], filter, attrs, 0, sd_flags(c), NULL, NULL, 0, &res);

	if (rc != LDAP_SUCCESS) {
		ldap_msgfree(res);
		return ldap_fail(c, rc, pool_printf(c->pool, "search in '%.60s'", base), e);
	}
	*n = (size_t)ldap_count_entries(c->ldap->ld, res);
	*out = pool_calloc(c->pool, *n + 1, sizeof(**out));
	rc = *out != NULL ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for %zu entries", *n);
	for (LDAPMessage *m = ldap_first_entry(c->ldap->ld, res); rc == 0 && m != NULL;
	     m = ldap_next_entry(c->ldap->ld, m))
		rc = copy_entry(c, m, &(*out)[i++], e);
	ldap_msgfree(res);
	return rc;
}

/* Attributes as libldap wants them; everything in the pool. */
static LDAPMod **
to_mods(struct ctl *c, const struct ctl_attr *attrs, size_t n, int op)
{
	LDAPMod **mods = pool_calloc(c->pool, n + 1, sizeof(*mods));

	for (size_t i = 0; mods != NULL && i < n; i++) {
		LDAPMod *m = mods[i] = POOL_NEW(c->pool, LDAPMod);
		struct berval **v = pool_calloc(c->pool, attrs[i].n + 1, sizeof(*v));

		if (m == NULL || v == NULL)
			return NULL;
		m->mod_op = op | LDAP_MOD_BVALUES;
		m->mod_type = pool_strdup(c->pool, attrs[i].name);
		m->mod_bvalues = attrs[i].n > 0 ? v : NULL;
		for (size_t k = 0; k < attrs[i].n; k++) {
			v[k] = POOL_NEW(c->pool, struct berval);
			if (v[k] == NULL)
				return NULL;
			v[k]->bv_val = (char *)(uintptr_t)attrs[i].values[k].p;
			v[k]->bv_len = attrs[i].values[k].len;
		}
	}
	return mods;
}

/* AD keeps these itself and refuses an entry that brings them. */
static bool
is_kept_by_ad(const char *name)
{
	static const char *const names[] = { "name", "distinguishedName", "objectGUID", "instanceType",
		"whenCreated", "whenChanged", "objectCategory", "uSNCreated", "uSNChanged",
		"dSCorePropagationData" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcasecmp(names[i], name) == 0)
			return true;
	return false;
}

int
ctl_ldap_add(struct ctl *c, const struct ctl_entry *en, struct err *e)
{
	struct ctl_attr *attrs = pool_dup(c->pool, en->attrs, en->n_attrs * sizeof(*attrs));
	LDAPMod **mods;
	size_t n = 0;
	int rc;

	for (size_t i = 0; attrs != NULL && i < en->n_attrs; i++)
		if (!c->is_ad || !is_kept_by_ad(en->attrs[i].name))
			attrs[n++] = en->attrs[i];
	mods = attrs != NULL ? to_mods(c, attrs, n, LDAP_MOD_ADD) : NULL;
	if (mods == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for an entry");
	rc = ldap_add_ext_s(c->ldap->ld, en->dn, mods, sd_flags(c), NULL);
	return rc == LDAP_SUCCESS ? 0 : ldap_fail(c, rc, pool_printf(c->pool, "add %.80s", en->dn), e);
}

static int
modify(struct ctl *c, const char *dn, int op, const struct ctl_attr *attrs, size_t n, struct err *e)
{
	LDAPMod **mods = to_mods(c, attrs, n, op);
	int rc;

	if (mods == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a change");
	rc = ldap_modify_ext_s(c->ldap->ld, dn, mods, sd_flags(c), NULL);
	return rc == LDAP_SUCCESS ? 0 : ldap_fail(c, rc, pool_printf(c->pool, "modify %.80s", dn), e);
}

int
ctl_ldap_replace(struct ctl *c, const char *dn, const struct ctl_attr *attrs, size_t n, struct err *e)
{
	return modify(c, dn, LDAP_MOD_REPLACE, attrs, n, e);
}

int
ctl_ldap_add_values(struct ctl *c, const char *dn, const struct ctl_attr *a, struct err *e)
{
	return modify(c, dn, LDAP_MOD_ADD, a, 1, e);
}

int
ctl_ldap_delete_values(struct ctl *c, const char *dn, const struct ctl_attr *a, struct err *e)
{
	return modify(c, dn, LDAP_MOD_DELETE, a, 1, e);
}

int
ctl_ldap_delete(struct ctl *c, const char *dn, struct err *e)
{
	int rc = ldap_delete_ext_s(c->ldap->ld, dn, NULL, NULL);

	return rc == LDAP_SUCCESS ? 0 : ldap_fail(c, rc, pool_printf(c->pool, "delete %.80s", dn), e);
}

const char *
ctl_ldap_escape(struct ctl *c, const char *value)
{
	struct buf b;
	const char *s;

	buf_init(&b, 3 * strlen(value) + 1);
	for (; *value != '\0'; value++) {
		if (strchr("*()\\", *value) != NULL)
			buf_printf(&b, "\\%02x", (unsigned char)*value);
		else
			buf_put_u8(&b, (uint8_t)*value);
	}
	s = pool_strdup(c->pool, buf_cstr(&b));
	buf_fini(&b);
	return s != NULL ? s : "";
}

struct ctl_attr *
ctl_entry_attr(const struct ctl_entry *en, const char *name)
{
	for (size_t i = 0; i < en->n_attrs; i++)
		if (strcasecmp(en->attrs[i].name, name) == 0)
			return &en->attrs[i];
	return NULL;
}

const char *
ctl_entry_text(const struct ctl_entry *en, const char *name)
{
	const struct ctl_attr *a = ctl_entry_attr(en, name);

	return a != NULL && a->n > 0 ? (const char *)a->values[0].p : NULL;
}

int32_t
ctl_entry_int(const struct ctl_entry *en, const char *name, int32_t absent)
{
	const char *s = ctl_entry_text(en, name);

	return s != NULL ? (int32_t)(uint32_t)strtoll(s, NULL, 10) : absent;
}

int
ctl_entry_set_bytes(
    struct ctl *c, struct ctl_entry *en, const char *name, const struct bytes *v, size_t n, struct err *e)
{
	struct ctl_attr *a = ctl_entry_attr(en, name);

	if (en->attrs == NULL) {
		en->cap_attrs = CTL_ATTRS_MAX;
		en->attrs = pool_calloc(c->pool, en->cap_attrs, sizeof(*en->attrs));
	}
	if (en->attrs == NULL || (a == NULL && en->n_attrs == en->cap_attrs))
		return ERR(e, E_OUTOFMEMORY, "more than %d attributes", CTL_ATTRS_MAX);
	if (a == NULL)
		a = &en->attrs[en->n_attrs++];
	a->name = pool_strdup(c->pool, name);
	a->values = pool_calloc(c->pool, n, sizeof(*a->values));
	a->n = 0;
	if (a->name == NULL || a->values == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for attribute %s", name);
	for (; a->n < n; a->n++)
		if (pool_dup_bytes(c->pool, v[a->n], &a->values[a->n]) != 0)
			return ERR(e, E_OUTOFMEMORY, "no memory for attribute %s", name);
	return 0;
}

int
ctl_entry_set_text(struct ctl *c, struct ctl_entry *en, const char *name, const char *v, struct err *e)
{
	struct bytes b = { (const uint8_t *)v, strlen(v) };

	return ctl_entry_set_bytes(c, en, name, &b, 1, e);
}

int
ctl_entry_set_int(struct ctl *c, struct ctl_entry *en, const char *name, uint32_t v, struct err *e)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", (int32_t)v);
	return ctl_entry_set_text(c, en, name, text, e);
}

void
ctl_entry_drop(struct ctl_entry *en, const char *name)
{
	struct ctl_attr *a = ctl_entry_attr(en, name);

	if (a != NULL)
		*a = en->attrs[--en->n_attrs];
}
