/* msPKI-RA-Application-Policies: plain OIDs, or name`type`value` triplets (MS-CRTD 2.23.1, 2.23.2). */
#include <stdlib.h>
#include <string.h>

#include "policy/template_priv.h"

#define MAX_PIECES 96 /* 32 properties; seven names are defined */

static const char attribute[] = "msPKI-RA-Application-Policies";

#define UNREADABLE(e, ...) ERR((e), CERTSRV_E_UNSUPPORTED_CERT_TYPE, __VA_ARGS__)

struct property {
	const char *name;
	bool is_number;
};

static const struct property properties[] = {
	{ "msPKI-RA-Application-Policies", false },
	{ "msPKI-Asymmetric-Algorithm", false },
	{ "msPKI-Key-Security-Descriptor", false },
	{ "msPKI-Symmetric-Algorithm", false },
	{ "msPKI-Symmetric-Key-Length", true },
	{ "msPKI-Hash-Algorithm", false },
	{ "msPKI-Key-Usage", true },
};

static bool
has_triplets(const struct policy_template *t)
{
	return t->schema_version == 3 ||
	    (t->schema_version == 4 && !(t->private_key_flags & CT_FLAG_USE_LEGACY_PROVIDER));
}

/*
 * Cuts a writable text at every `sep`; the pieces point into it. Returns their number, or 0 when there are
 * too many.
 */
static size_t
split(char *text, char sep, const char **pieces, size_t max)
{
	size_t n = 0;

	for (char *next = text; next != NULL;) {
#ifndef ADCSD_PLANTED_BUG_POLICY_EVALUATE /* proves that the fuzz target finds one: believes that they fit   \
					   */
		if (n == max)
			return 0;
#endif
		pieces[n++] = next;
		next = strchr(next, sep);
		if (next != NULL)
			*next++ = '\0';
	}
	return n;
}

static int
check_type(const char *name, const char *type, const char *value, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(properties); i++) {
		if (strcmp(properties[i].name, name) != 0)
			continue;
		if (strcmp(type, properties[i].is_number ? "DWORD" : "PZPWSTR") != 0)
			return UNREADABLE(e, "%s: %s has type \"%.20s\"", attribute, name, type);
		if (properties[i].is_number &&
		    (value[0] == '\0' || strspn(value, "0123456789") != strlen(value) || strlen(value) > 10 ||
			strtoull(value, NULL, 10) > UINT32_MAX))
			return UNREADABLE(e, "%s: %s is \"%.20s\", not a number", attribute, name, value);
	}
	return 0;
}

static int
take_policies(struct policy_template *t, struct pool *pool, const char *value, struct err *e)
{
	const char *pieces[MAX_PIECES], **list;
	char *copy;
	size_t n;

	if (value[0] == '\0')
		return 0;
	copy = pool_strdup(pool, value);
	if (copy == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %s", attribute);
	n = split(copy, ',', pieces, MAX_PIECES);
	if (n == 0)
		return UNREADABLE(e, "%s lists more than %d policies", attribute, MAX_PIECES);
	list = pool_dup(pool, pieces, n * sizeof(*pieces));
	if (list == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %s", attribute);
	t->ra_application_policies = (struct x509_strings){ list, n };
	return template_check_oids(attribute, t->ra_application_policies, e);
}

static int
take_property(struct policy_template *t, struct pool *pool, const char *const triplet[3], struct err *e)
{
	if (check_type(triplet[0], triplet[1], triplet[2], e) != 0)
		return -1;
	if (strcmp(triplet[0], attribute) == 0)
		return take_policies(t, pool, triplet[2], e);
	if (strcmp(triplet[0], "msPKI-Asymmetric-Algorithm") == 0)
		t->asymmetric_algorithm = triplet[2];
	else if (strcmp(triplet[0], "msPKI-Hash-Algorithm") == 0)
		t->hash_algorithm = triplet[2];
	return 0; /* the others steer clients only, and unknown names are ignored */
}

static int
decode_triplets(struct policy_template *t, struct pool *pool, const char *value, struct err *e)
{
	const char *pieces[MAX_PIECES];
	char *copy = pool_strdup(pool, value);
	size_t n = strlen(value);

	if (copy == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %s", attribute);
	if (n == 0)
		return 0;
	if (copy[n - 1] == '`')
		copy[n - 1] = '\0';
	n = split(copy, '`', pieces, MAX_PIECES);
	if (n == 0 || n % 3 != 0)
		return UNREADABLE(e, "%s is not name`type`value triplets", attribute);
	for (size_t i = 0; i < n; i += 3)
		if (take_property(t, pool, &pieces[i], e) != 0)
			return -1;
	return 0;
}

int
template_ra_policies_decode(
    struct policy_template *t, struct pool *pool, struct x509_strings values, struct err *e)
{
	if (!has_triplets(t)) {
		t->ra_application_policies = values;
		return template_check_oids(attribute, values, e);
	}
	if (values.n > 1)
		return UNREADABLE(e, "%s has %zu values, a template of schema version %u has one", attribute,
		    values.n, t->schema_version);
	return values.n == 0 ? 0 : decode_triplets(t, pool, values.v[0], e);
}
