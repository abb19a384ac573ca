/* Gates of ICertAdminD and ICertAdminD2, and the configuration as a registry (MS-CSRA 3.1.1.10, csra.md
 * section 6). */
#include "ca/csra.h"

#include <string.h>
#include <strings.h>

#include "ca/archival.h"
#include "ca/ca_certs.h"
#include "ca/ca_priv.h"

#define POLICY_MODULE "CertificateAuthority_MicrosoftDefault.Policy"
#define EXIT_MODULE "CertificateAuthority_MicrosoftDefault.Exit"
#define NODE_POLICY "PolicyModules\\" POLICY_MODULE
#define NODE_EXIT "ExitModules\\" EXIT_MODULE
#define SDDL_MAX (1u << 20)

static struct ca_who
who_of(const struct ca_caller *c)
{
	return (struct ca_who){ .front = c->front,
		.peer = c->peer,
		.call = c->call,
		.package = c->package,
		.token = c->token,
		.privacy = c->privacy,
		.local_admin = c->local_admin };
}

int
ca_admin_gate(const struct ca *ca, const struct ca_caller *caller, uint32_t any_of, struct err *e)
{
	struct ca_who who = who_of(caller);

	if (ca_admin_interface_check(ca, &who, e) != 0)
		return -1;
	if (who.token == NULL && !who.local_admin)
		return ERR(e, E_ACCESSDENIED, "the caller is anonymous");
	return any_of != 0 ? ca_access_check(ca, &who, any_of, e) : 0;
}

uint32_t
ca_caller_roles(const struct ca *ca, const struct ca_caller *caller)
{
	struct ca_who who = who_of(caller);

	return ca_roles(ca, &who);
}

void
ca_journal_operation(struct ca *ca, const struct ca_caller *who, const char *operation, const struct err *e)
{
	struct ca_who w = who_of(who);
	struct buf *b = journal_begin(ca->journal);

	journal_put_text(b, "front", who->front);
	journal_put_text(b, "peer", who->peer);
	journal_put_text(b, "call", who->call);
	journal_put_text(b, "caller", ca_who_account(&w));
	journal_put_text(b, "package", who->package);
	journal_put_text(b, "operation", operation);
	journal_put_text(b, "verdict", e == NULL ? "done" : "refused");
	journal_put_hresult(b, e != NULL ? e->hr : 0);
	journal_put_text(b, "reason", e != NULL ? e->msg : NULL);
	journal_end(ca->journal);
	if (e == NULL)
		ca_audit_operation(ca, who, operation);
}

/* ---- values that are no settings ---- */

typedef int
derived_fn(struct ca *ca, struct pool *pool, struct ca_config_value *out, struct err *e);

#define NUMBER(name, value)                                                                                  \
	static int name(struct ca *ca, struct pool *pool, struct ca_config_value *out, struct err *e)        \
	{                                                                                                    \
		(void)ca;                                                                                    \
		(void)pool;                                                                                  \
		(void)e;                                                                                     \
		*out = (struct ca_config_value){ .type = CA_CONFIG_NUMBER, .number = (value) };              \
		return 0;                                                                                    \
	}
#define TEXT(name, value)                                                                                    \
	static int name(struct ca *ca, struct pool *pool, struct ca_config_value *out, struct err *e)        \
	{                                                                                                    \
		(void)ca;                                                                                    \
		(void)pool;                                                                                  \
		(void)e;                                                                                     \
		*out = (struct ca_config_value){ .type = CA_CONFIG_TEXT, .text = (value) };                  \
		return 0;                                                                                    \
	}
NUMBER(setup_status, 1) /* SETUP_SERVER_FLAG */
NUMBER(version, 0x00070001)
NUMBER(sessions, 20)
NUMBER(zero, 0)
NUMBER(one, 1)
NUMBER(ca_type, ca_cert_chain_get(ca, CA_NEWEST, 1).len == 0 ? 0 : 1)
NUMBER(cng_provider, 0)
NUMBER(hash_algorithm, 0xffffffff)
TEXT(active_ca, ca->sanitized)
TEXT(common_name, ca->name)
TEXT(dns_name, ca->dns_name)
TEXT(provider, "Microsoft Software Key Storage Provider")
TEXT(policy_module, POLICY_MODULE)

static int
exit_modules(struct ca *ca, struct pool *pool, struct ca_config_value *out, struct err *e)
{
	static const char *const list[] = { EXIT_MODULE };

	(void)ca;
	(void)pool;
	(void)e;
	*out = (struct ca_config_value){ .type = CA_CONFIG_LIST, .list = list, .n_list = 1 };
	return 0;
}

static int
exchange_hashes(struct ca *ca, struct pool *pool, struct ca_config_value *out, struct err *e)
{
	*out = (struct ca_config_value){ .type = CA_CONFIG_LIST };
	return ca_exchange_hashes(ca, pool, &out->list, &out->n_list, e);
}

/* "SHA256" of the setting's "sha256". */
static int
hash_name(struct ca *ca, struct pool *pool, struct ca_config_value *out, struct err *e)
{
	char *text = pool_strdup(pool, ca->settings.hash);

	if (text == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a value");
	for (char *p = text; *p != '\0'; p++)
		*p = *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p;
	*out = (struct ca_config_value){ .type = CA_CONFIG_TEXT, .text = text };
	return 0;
}

#define ROOT "\\" /* of the Configuration key, above the CA's own; no client can write this node */

/* clang-format off */
static const struct {
	const char *node, *entry;
	derived_fn *get;
} derived[] = {
	{ ROOT, "SetupStatus", setup_status },
	{ ROOT, "Version", version },
	{ ROOT, "DBSessionCount", sessions },
	{ ROOT, "LDAPFlags", zero },
	{ ROOT, "Active", active_ca },
	{ "", "CommonName", common_name },
	{ "", "CAServerName", dns_name },
	{ "", "CAType", ca_type },
	{ "", "UseDS", one },
	{ "", "SetupStatus", setup_status },
	{ "", "CAXchgCertHash", exchange_hashes },
	{ "CSP", "Provider", provider },
	{ "CSP", "ProviderType", cng_provider },
	{ "CSP", "HashAlgorithm", hash_algorithm },
	{ "CSP", "CNGHashAlgorithm", hash_name },
	{ "PolicyModules", "Active", policy_module },
	{ "ExitModules", "Active", exit_modules },
};
/* Sections of the settings, by node. */
static const struct {
	const char *node, *section;
} nodes[] = { { "", "CA" }, { NODE_POLICY, "policy" }, { NODE_EXIT, "exit" },
	{ "EncryptionCSP", "EncryptionCSP" } };
/* clang-format on */

static const struct setting *
find_setting(const char *node, const char *entry)
{
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		if (strcasecmp(nodes[i].node, node) != 0)
			continue;
		for (size_t k = 0; k < ca_setting_count; k++) {
			const struct setting *row = &ca_setting_rows[k];

			if (strcmp(row->section, nodes[i].section) == 0 && strcasecmp(row->name, entry) == 0)
				return row;
		}
	}
	return NULL;
}

/* ---- settings ---- */

static int
descriptor(const struct ca *ca, const char *sddl, struct pool *pool, struct bytes *out, struct err *e)
{
	struct sd sd;
	struct buf b;
	int rc = -1;

	*out = (struct bytes){ NULL, 0 };
	if (*sddl == '\0')
		return ERR(e, E_FILE_NOT_FOUND, "there is no such restriction");
	buf_init(&b, SD_WIRE_MAX);
	if (sd_from_sddl(&sd, pool, sddl, &ca->domain, e) == 0 && sd_to_wire(&sd, &b, e) == 0)
		rc = pool_dup_bytes(pool, buf_bytes(&b), out) == 0
		    ? 0
		    : ERR(e, E_OUTOFMEMORY, "no memory for a descriptor");
	buf_fini(&b);
	return rc;
}

static int
value_of(
    struct ca *ca, const struct setting *row, struct pool *pool, struct ca_config_value *out, struct err *e)
{
	const void *at = (const char *)&ca->settings + row->offset;
	const struct x509_strings *list = at;

	switch (row->type) {
	case SETTING_LIST:
		*out = (struct ca_config_value){ .type = CA_CONFIG_LIST, .list = list->v, .n_list = list->n };
		return 0;
	case SETTING_FLAGS:
	case SETTING_NUMBER:
	case SETTING_BOOL:
		*out = (struct ca_config_value){ .type = CA_CONFIG_NUMBER, .number = *(const uint32_t *)at };
		return 0;
	case SETTING_TEXT:
	case SETTING_CHOICE:
		*out = (struct ca_config_value){ .type = CA_CONFIG_TEXT, .text = *(const char *const *)at };
		return 0;
	case SETTING_SDDL:
		*out = (struct ca_config_value){ .type = CA_CONFIG_OCTETS };
		return descriptor(ca, *(const char *const *)at, pool, &out->octets, e);
	}
	return ERR(e, E_UNEXPECTED, "%s is of an unknown type", row->name);
}

int
ca_config_get(struct ca *ca, const char *node, const char *entry, struct pool *pool,
    struct ca_config_value *out, struct err *e)
{
	const struct setting *row;

	for (size_t i = 0; i < ARRAY_LEN(derived); i++) {
		if (strcasecmp(derived[i].node, node) == 0 && strcasecmp(derived[i].entry, entry) == 0)
			return derived[i].get(ca, pool, out, e);
	}
	row = find_setting(node, entry);
	if (row == NULL)
		return ERR(e, E_FILE_NOT_FOUND, "there is no value '%.60s' under '%.80s'", entry, node);
	return value_of(ca, row, pool, out, e);
}

int
ca_config_names(
    struct ca *ca, const char *node, struct pool *pool, const char *const **names, size_t *n, struct err *e)
{
	const char **list = pool_calloc(pool, ARRAY_LEN(derived) + ca_setting_count, sizeof(*list));
	const char *section = NULL;

	(void)ca;
	*n = 0;
	if (list == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for names");
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		if (strcasecmp(nodes[i].node, node) == 0)
			section = nodes[i].section;
	}
	for (size_t i = 0; i < ARRAY_LEN(derived); i++) {
		if (strcasecmp(derived[i].node, node) == 0)
			list[(*n)++] = derived[i].entry;
	}
	for (size_t i = 0; section != NULL && i < ca_setting_count; i++) {
		if (strcmp(ca_setting_rows[i].section, section) == 0 &&
		    find_setting(node, ca_setting_rows[i].name) == &ca_setting_rows[i])
			list[(*n)++] = ca_setting_rows[i].name;
	}
	*names = list;
	return *n > 0 ? 0 : ERR(e, E_FILE_NOT_FOUND, "there is no node '%.80s'", node);
}

const char *
ca_config_setting(const char *node, const char *entry, struct pool *pool)
{
	const struct setting *row = find_setting(node, entry);

	return row != NULL ? pool_printf(pool, "%s\\%s", row->section, row->name) : NULL;
}

int
ca_config_text(const struct ca_config_value *v, struct pool *pool, const char **out, struct err *e)
{
	struct sd sd;
	struct buf b;

	buf_init(&b, SDDL_MAX);
	switch (v->type) {
	case CA_CONFIG_NUMBER:
		buf_printf(&b, "%u", v->number);
		break;
	case CA_CONFIG_TEXT:
		buf_put_str(&b, v->text);
		break;
	case CA_CONFIG_LIST:
		for (size_t i = 0; i < v->n_list; i++)
			buf_printf(&b, "%s%s", i == 0 ? "" : "\n", v->list[i]);
		break;
	case CA_CONFIG_OCTETS:
		if (sd_from_wire(&sd, pool, v->octets, e) != 0 || sd_to_sddl(&sd, &b, NULL, e) != 0) {
			buf_fini(&b);
			return err_prefix(e, "the value is no security descriptor");
		}
		break;
	}
	*out = buf_ok(&b) ? pool_strdup(pool, buf_cstr(&b)) : NULL;
	buf_fini(&b);
	return *out != NULL ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for a value");
}
