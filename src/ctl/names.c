/* Names people type to SIDs, and back. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ctl/ldap.h"

static const struct {
	const char *sid, *authority, *name;
} well_known[] = {
	{ "S-1-1-0", "", "Everyone" },
	{ "S-1-5-2", "NT AUTHORITY\\", "NETWORK" },
	{ "S-1-5-7", "NT AUTHORITY\\", "ANONYMOUS LOGON" },
	{ "S-1-5-9", "NT AUTHORITY\\", "ENTERPRISE DOMAIN CONTROLLERS" },
	{ "S-1-5-11", "NT AUTHORITY\\", "Authenticated Users" },
	{ "S-1-5-15", "NT AUTHORITY\\", "This Organization" },
	{ "S-1-5-18", "NT AUTHORITY\\", "SYSTEM" },
	{ "S-1-5-32-544", "BUILTIN\\", "Administrators" },
	{ "S-1-5-32-545", "BUILTIN\\", "Users" },
	{ "S-1-5-32-574", "BUILTIN\\", "Certificate Service DCOM Access" },
};

static bool
matches_well_known(size_t i, const char *name)
{
	size_t n = strlen(well_known[i].authority);

	return strcasecmp(name, well_known[i].name) == 0 ||
	    (n > 0 && strncasecmp(name, well_known[i].authority, n) == 0 &&
		strcasecmp(name + n, well_known[i].name) == 0);
}

static int
search_account(struct ctl *c, const char *name, struct sid *out, struct err *e)
{
	const char *slash = strchr(name, '\\'), *sam = slash != NULL ? slash + 1 : name;
	const char *esc = ctl_ldap_escape(c, sam), *filter;
	struct ctl_entry *en;
	struct ctl_attr *sid;
	size_t n;

	if (slash != NULL &&
	    ((size_t)(slash - name) != strlen(c->nb_domain) ||
		strncasecmp(name, c->nb_domain, (size_t)(slash - name)) != 0))
		return ERR(e, E_NO_SUCH_DOMAIN, "%.60s: the forest's domain is %s", name, c->nb_domain);
	filter = slash != NULL
	    ? pool_printf(c->pool, "(sAMAccountName=%s)", esc)
	    : pool_printf(c->pool, "(|(sAMAccountName=%s)(userPrincipalName=%s))", esc, esc);
	if (filter == NULL || ctl_ldap_search(c, c->domain_dn, CTL_SUB, filter, &en, &n, e) != 0)
		return -1;
	if (n == 0)
		return ERR(e, E_DS_NO_SUCH_OBJECT,
		    "no user, computer or group named '%.60s' in %s (computer accounts end in $)", name,
		    c->nb_domain);
	if (n > 1)
		return ERR(
		    e, E_INVALIDARG, "'%.60s' names %zu objects; write %s\\NAME", name, n, c->nb_domain);
	sid = ctl_entry_attr(&en[0], "objectSid");
	if (sid == NULL)
		return ERR(e, E_DS_NO_SUCH_OBJECT, "%.80s has no objectSid", en[0].dn);
	return sid_from_wire(out, sid->values[0], NULL, e);
}

int
ctl_sid_from_name(struct ctl *c, const char *name, struct sid *out, struct err *e)
{
	if (strncasecmp(name, "S-1-", 4) == 0)
		return sid_from_text(out, name, e);
	for (size_t i = 0; i < ARRAY_LEN(well_known); i++)
		if (matches_well_known(i, name))
			return sid_from_text(out, well_known[i].sid, e);
	if (ctl_ldap_open(c, e) != 0)
		return -1;
	if (search_account(c, name, out, e) == 0)
		return 0;
	if (strlen(name) == 2) {
		struct err ignored;

		if (sddl_sid_from_text(out, name, &c->domain, &ignored) == 0)
			return 0;
	}
	return -1;
}

const char *
ctl_name_from_sid(struct ctl *c, const struct sid *sid)
{
	char text[SID_TEXT_MAX];
	struct ctl_entry *en;
	struct buf filter, wire;
	struct err e;
	const char *name = NULL;
	size_t n = 0;

	sid_to_text(sid, text);
	for (size_t i = 0; i < ARRAY_LEN(well_known); i++)
		if (strcmp(text, well_known[i].sid) == 0)
			return pool_printf(c->pool, "%s%s", well_known[i].authority, well_known[i].name);
	buf_init(&filter, 4 * SID_WIRE_MAX + 32);
	buf_init(&wire, SID_WIRE_MAX);
	sid_put(&wire, sid);
	buf_put_str(&filter, "(objectSid=");
	for (size_t i = 0; i < wire.len; i++)
		buf_printf(&filter, "\\%02x", wire.p[i]);
	buf_put_str(&filter, ")");
	if (ctl_ldap_open(c, &e) == 0 &&
	    ctl_ldap_search(c, c->domain_dn, CTL_SUB, buf_cstr(&filter), &en, &n, &e) == 0 && n == 1 &&
	    ctl_entry_text(&en[0], "sAMAccountName") != NULL)
		name = pool_printf(c->pool, "%s\\%s", c->nb_domain, ctl_entry_text(&en[0], "sAMAccountName"));
	buf_fini(&filter);
	buf_fini(&wire);
	return name != NULL ? name : pool_strdup(c->pool, text);
}
