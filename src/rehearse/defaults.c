#include "rehearse/defaults.h"

#include <string.h>

#include "policy/defaults.h"

#define RID_DOMAIN_ADMINS 512
#define RID_ENTERPRISE_ADMINS 519
#define CA_YEARS 10

static int
split_lines(struct x509_strings *out, const char *lines, struct pool *pool, struct err *e)
{
	const char **v;
	size_t n = 1;

	for (const char *p = lines; *p != '\0'; p++)
		n += *p == '\n';
	v = pool_calloc(pool, n, sizeof(*v));
	for (size_t i = 0; v != NULL && i < n; i++) {
		size_t len = strcspn(lines, "\n");

		v[i] = pool_strndup(pool, lines, len);
		if (v[i] == NULL)
			v = NULL;
		lines += len + 1;
	}
	if (v == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for settings");
	*out = (struct x509_strings){ v, n };
	return 0;
}

int
rehearse_default_ca(struct policy_ca *out, const char *dns_domain, const char *nb_domain, filetime_t now,
    struct pool *pool, struct err *e)
{
	static const uint8_t key_id[20], name[] = { 0x30, 0x00 }, serial[] = { 1 };

	*out = (struct policy_ca){
		.edit_flags = POLICY_DEFAULT_EDIT_FLAGS,
		.request_disposition = 1,
		.clock_skew = 10 * FILETIME_MINUTE,
		.validity_months = 24,
		.ca_version = 6,
		.ca_name = "rehearsal",
		.ca_not_before = now - FILETIME_DAY,
		.ca_not_after = now + CA_YEARS * 365 * FILETIME_DAY,
		.ca_key_id = { key_id, sizeof(key_id) },
		.ca_subject = { name, sizeof(name) },
		.ca_issuer = { name, sizeof(name) },
		.ca_serial = { serial, sizeof(serial) },
		.rdn_reorder = true,
		.enforce_name_lengths = true,
		.critical_san = true,
		.dns_domain = dns_domain,
		.nb_domain = nb_domain,
	};
	if (split_lines(&out->subject_template, POLICY_DEFAULT_SUBJECT_TEMPLATE, pool, e) != 0)
		return -1;
	return split_lines(&out->enable_request_extensions, POLICY_DEFAULT_REQUEST_EXTENSIONS, pool, e);
}

static int
add(struct token *t, const char *sid_text, const char *name, struct err *e)
{
	struct sid sid;

	return sid_from_text(&sid, sid_text, e) == 0 ? token_add(t, &sid, TOKEN_VIA_LOCAL, name, e) : -1;
}

int
rehearse_default_local_groups(void *arg, struct token *t, struct err *e)
{
	bool admin = false;

	(void)arg;
	for (size_t i = 0; i < t->n_sids; i++) {
		const struct sid *s = &t->sids[i].sid;

		admin |= s->n_sub == 5 && s->sub[0] == 21 &&
		    (s->sub[4] == RID_DOMAIN_ADMINS || s->sub[4] == RID_ENTERPRISE_ADMINS);
	}
	if (admin && add(t, "S-1-5-32-544", "BUILTIN\\Administrators", e) != 0)
		return -1;
	if (add(t, "S-1-5-32-545", "BUILTIN\\Users", e) != 0)
		return -1;
	return add(t, "S-1-5-32-574", "BUILTIN\\Certificate Service DCOM Access", e);
}
