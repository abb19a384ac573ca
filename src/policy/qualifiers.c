/* Policy qualifiers of the OID objects (templates.md 8.4), put into the templates' extension. */
#include <string.h>

#include "base/text.h"
#include "policy/template_priv.h"

#define MAX_VALUES 32 /* of one attribute */
#define MAX_EXTENSION (64 * 1024)

static bool
is_qualifier(struct bytes v, bool utf8)
{
	const char *text = (const char *)v.p;

	if (v.len == 0 || v.len > POLICY_QUALIFIER_MAX || memchr(text, 0, v.len) != NULL)
		return false;
	for (size_t i = 0; !utf8 && i < v.len; i++)
		if (v.p[i] >= 0x80)
			return false;
	return !utf8 || text_is_utf8(text, v.len);
}

/* Every usable value of the attribute; the others are counted. */
static int
read_values(const struct policy_attrs *object, const char *attr, bool utf8, struct pool *pool,
    struct x509_strings *out, size_t *left_out, struct err *e)
{
	const char *list[MAX_VALUES];
	const char **kept;
	struct bytes v;
	size_t n = 0;

	for (size_t i = 0; object->value(object->ctx, attr, i, &v); i++) {
		if (n == MAX_VALUES || !is_qualifier(v, utf8)) {
			(*left_out)++;
			continue;
		}
		list[n] = pool_strndup(pool, (const char *)v.p, v.len);
		if (list[n++] == NULL)
			return ERR(e, E_OUTOFMEMORY, "no memory for %s", attr);
	}
	if (n == 0)
		return 0;
	kept = pool_calloc(pool, n, sizeof(*kept));
	if (kept == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %s", attr);
	memcpy(kept, list, n * sizeof(*kept));
	*out = (struct x509_strings){ kept, n };
	return 0;
}

static const struct policy_attrs *
find_object(const struct policy_attrs *oids, size_t n_oids, const char *oid)
{
	struct bytes v;

	for (size_t i = 0; i < n_oids; i++)
		if (oids[i].value(oids[i].ctx, "msPKI-Cert-Template-OID", 0, &v) && v.len == strlen(oid) &&
		    memcmp(v.p, oid, v.len) == 0)
			return &oids[i];
	return NULL;
}

static int
encode(const struct policy_template *t, const struct x509_policy_qualifiers *q, struct pool *pool,
    struct bytes *out, struct err *e)
{
	struct buf b;
	int rc = 0;

	buf_init(&b, MAX_EXTENSION);
	x509_ext_certificate_policies(&b, t->issuance_policies, q);
	if (!buf_ok(&b))
		rc = ERR(e, CERTSRV_E_UNSUPPORTED_CERT_TYPE,
		    "the certificate policies of %s are longer than %d octets", t->cn, MAX_EXTENSION);
	else if (pool_dup_bytes(pool, buf_bytes(&b), out) != 0)
		rc = ERR(e, E_OUTOFMEMORY, "no memory for certificate policies");
	buf_fini(&b);
	return rc;
}

int
policy_template_qualify(struct policy_template *t, struct pool *pool, const struct policy_attrs *oids,
    size_t n_oids, struct err *e)
{
	struct x509_policy_qualifiers *q;
	size_t left_out = 0, found = 0;

	if (t->schema_version < 2 || t->issuance_policies.n == 0)
		return 0;
	q = pool_calloc(pool, t->issuance_policies.n, sizeof(*q));
	if (q == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for policy qualifiers");
	for (size_t i = 0; i < t->issuance_policies.n; i++) {
		const struct policy_attrs *object = find_object(oids, n_oids, t->issuance_policies.v[i]);

		if (object == NULL)
			continue;
		if (read_values(object, "msPKI-OID-CPS", false, pool, &q[i].cps, &left_out, e) != 0 ||
		    read_values(object, "msPKI-OID-User-Notice", true, pool, &q[i].notices, &left_out, e) !=
			0)
			return -1;
		found += q[i].cps.n + q[i].notices.n;
	}
	if (found > 0) {
		struct bytes value;

		if (encode(t, q, pool, &value, e) != 0)
			return -1;
		t->ext.issuance_policies = value;
		t->qualifiers = q;
	}
	t->qualifiers_left_out = left_out;
	return 0;
}
