/* Directory attributes of a pKICertificateTemplate object to the model (MS-CRTD 2). */
#include "policy/template.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "policy/template_priv.h"

#define MAX_VALUES 1024 /* of one attribute */
#define MAX_EXTENSION (64 * 1024)

struct reader {
	const struct policy_attrs *attrs;
	struct pool *pool;
	struct err *e;
};

#define UNREADABLE(e, ...) ERR((e), CERTSRV_E_UNSUPPORTED_CERT_TYPE, __VA_ARGS__)

static bool
raw_value(const struct reader *r, const char *attr, size_t i, struct bytes *out)
{
	return r->attrs->value(r->attrs->ctx, attr, i, out);
}

static int
copy_text(const struct reader *r, const char *attr, struct bytes v, const char **out)
{
	if (memchr(v.p, 0, v.len) != NULL)
		return UNREADABLE(r->e, "%s holds a NUL", attr);
	*out = pool_strndup(r->pool, (const char *)v.p, v.len);
	if (*out == NULL)
		return ERR(r->e, E_OUTOFMEMORY, "no memory for %s", attr);
	return 0;
}

/* Absent: *out stays NULL. */
static int
read_text(const struct reader *r, const char *attr, const char **out)
{
	struct bytes v;

	*out = NULL;
	if (!raw_value(r, attr, 0, &v) || v.len == 0)
		return 0;
	return copy_text(r, attr, v, out);
}

static int
read_strings(const struct reader *r, const char *attr, struct x509_strings *out)
{
	struct bytes v;
	const char **list;
	size_t n = 0;

	*out = (struct x509_strings){ NULL, 0 };
	while (n < MAX_VALUES && raw_value(r, attr, n, &v))
		n++;
	if (n == MAX_VALUES)
		return UNREADABLE(r->e, "%s has %d values or more", attr, MAX_VALUES);
	if (n == 0)
		return 0;
	list = pool_calloc(r->pool, n, sizeof(*list));
	if (list == NULL)
		return ERR(r->e, E_OUTOFMEMORY, "no memory for %s", attr);
	for (size_t i = 0; i < n; i++) {
		if (!raw_value(r, attr, i, &v))
			return UNREADABLE(r->e, "%s changes while it is read", attr);
		if (copy_text(r, attr, v, &list[i]) != 0)
			return -1;
	}
	*out = (struct x509_strings){ list, n };
	return 0;
}

int
template_check_oids(const char *attr, struct x509_strings oids, struct err *e)
{
	struct buf body;
	int rc = 0;

	buf_init(&body, OID_TEXT_MAX);
	for (size_t i = 0; i < oids.n && rc == 0; i++) {
		buf_reset(&body);
		if (oid_from_text(&body, oids.v[i], NULL) != 0)
			rc = UNREADABLE(e, "%s: \"%.60s\" is not an object identifier", attr, oids.v[i]);
	}
	buf_fini(&body);
	return rc;
}

static int
read_oids(const struct reader *r, const char *attr, struct x509_strings *out)
{
	if (read_strings(r, attr, out) != 0)
		return -1;
	return template_check_oids(attr, *out, r->e);
}

/*
 * AD integers are signed 32 bits; flag words with the top bit set are seen in both spellings (templates.md
 * section 3).
 */
static int
read_int(const struct reader *r, const char *attr, int64_t absent, int64_t *out)
{
	const char *text;
	char *end;
	int64_t v;

	if (read_text(r, attr, &text) != 0)
		return -1;
	*out = absent;
	if (text == NULL)
		return 0;
	v = strtoll(text, &end, 10);
	if (*end != '\0' || end == text || strlen(text) > 11 || v < INT32_MIN || v > UINT32_MAX ||
	    strchr(" \t+", text[0]) != NULL)
		return UNREADABLE(r->e, "%s: \"%.40s\" is not a 32-bit number", attr, text);
	*out = v;
	return 0;
}

static int
read_u32(const struct reader *r, const char *attr, uint32_t absent, uint32_t *out)
{
	int64_t v;

	if (read_int(r, attr, absent, &v) != 0)
		return -1;
	*out = (uint32_t)v;
	return 0;
}

/* A count or a version: never negative. */
static int
read_count(const struct reader *r, const char *attr, uint32_t absent, uint32_t *out)
{
	int64_t v;

	if (read_int(r, attr, absent, &v) != 0)
		return -1;
	if (v < 0 || v > INT32_MAX)
		return UNREADABLE(r->e, "%s is %" PRId64, attr, v);
	*out = (uint32_t)v;
	return 0;
}

/* MS-CRTD 2.11, 2.15: eight octets, a negative count of 100 ns. */
static int
read_period(const struct reader *r, const char *attr, bool required, filetime_t *out)
{
	struct bytes v;
	int64_t span;

	*out = 0;
	if (!raw_value(r, attr, 0, &v))
		return required ? UNREADABLE(r->e, "%s is missing", attr) : 0;
	if (v.len != 8)
		return UNREADABLE(r->e, "%s has %zu octets, must have 8", attr, v.len);
	span = (int64_t)get_u64le(v.p);
	if (span > 0 || span == INT64_MIN || (required && span == 0))
		return UNREADABLE(r->e, "%s is not a negative span", attr);
	*out = -span;
	return 0;
}

static int
read_key_usage(const struct reader *r, struct bytes *out)
{
	struct bytes v;

	*out = (struct bytes){ NULL, 0 };
	if (!raw_value(r, "pKIKeyUsage", 0, &v))
		return 0;
	if (v.len == 0 || v.len > 2)
		return UNREADABLE(r->e, "pKIKeyUsage has %zu octets, must have 1 or 2", v.len);
	if (pool_dup_bytes(r->pool, v, out) != 0)
		return ERR(r->e, E_OUTOFMEMORY, "no memory for pKIKeyUsage");
	return 0;
}

static int
read_descriptor(const struct reader *r, struct sd **out)
{
	struct bytes v;

	*out = NULL;
	if (!raw_value(r, "nTSecurityDescriptor", 0, &v))
		return 0;
	*out = POOL_NEW(r->pool, struct sd);
	if (*out == NULL)
		return ERR(r->e, E_OUTOFMEMORY, "no memory for nTSecurityDescriptor");
	if (sd_from_wire(*out, r->pool, v, r->e) != 0) {
		if (r->e->hr != E_OUTOFMEMORY)
			r->e->hr = CERTSRV_E_UNSUPPORTED_CERT_TYPE;
		return err_prefix(r->e, "nTSecurityDescriptor");
	}
	return 0;
}

/* pKIDefaultCSPs values are "N,name" and N is the preference (MS-CRTD 2.8); LDAP keeps no order. */
static int
by_preference(const void *a, const void *b)
{
	long x = strtol(*(const char *const *)a, NULL, 10), y = strtol(*(const char *const *)b, NULL, 10);

	return (x > y) - (x < y);
}

static int
read_csps(const struct reader *r, struct x509_strings *out)
{
	const char **list;

	if (read_strings(r, "pKIDefaultCSPs", out) != 0)
		return -1;
	if (out->n < 2)
		return 0;
	list = pool_dup(r->pool, out->v, out->n * sizeof(*list));
	if (list == NULL)
		return ERR(r->e, E_OUTOFMEMORY, "no memory for pKIDefaultCSPs");
	qsort(list, out->n, sizeof(*list), by_preference);
	out->v = list;
	return 0;
}

static int
read_numbers(const struct reader *r, struct policy_template *t)
{
	int64_t depth;

	if (read_count(r, "msPKI-Template-Schema-Version", 1, &t->schema_version) != 0 ||
	    read_count(r, "revision", 0, &t->major) != 0 ||
	    read_count(r, "msPKI-Template-Minor-Revision", 0, &t->minor) != 0 ||
	    read_u32(r, "flags", 0, &t->general_flags) != 0 ||
	    read_u32(r, "msPKI-Enrollment-Flag", 0, &t->enrollment_flags) != 0 ||
	    read_u32(r, "msPKI-Private-Key-Flag", 0, &t->private_key_flags) != 0 ||
	    read_u32(r, "msPKI-Certificate-Name-Flag", 0, &t->name_flags) != 0 ||
	    read_count(r, "msPKI-Minimal-Key-Size", 0, &t->min_key_bits) != 0 ||
	    read_count(r, "msPKI-RA-Signature", 0, &t->ra_signatures) != 0 ||
	    read_int(r, "pKIMaxIssuingDepth", -1, &depth) != 0)
		return -1;
	t->max_depth = (int32_t)(uint32_t)depth;
	if (t->schema_version < 1 || t->schema_version > 4)
		return UNREADABLE(
		    r->e, "msPKI-Template-Schema-Version is %u, known are 1 to 4", t->schema_version);
	if (t->max_depth < -1)
		return UNREADABLE(r->e, "pKIMaxIssuingDepth is %d", t->max_depth);
	return 0;
}

static int
read_lists(const struct reader *r, struct policy_template *t)
{
	struct x509_strings ra;

	if (read_oids(r, "pKIExtendedKeyUsage", &t->eku) != 0 ||
	    read_oids(r, "msPKI-Certificate-Application-Policy", &t->application_policies) != 0 ||
	    read_oids(r, "msPKI-Certificate-Policy", &t->issuance_policies) != 0 ||
	    read_oids(r, "pKICriticalExtensions", &t->critical) != 0 ||
	    read_oids(r, "msPKI-RA-Policies", &t->ra_policies) != 0 ||
	    read_strings(r, "msPKI-Supersede-Templates", &t->supersedes) != 0 ||
	    read_csps(r, &t->csps) != 0 || read_strings(r, "msPKI-RA-Application-Policies", &ra) != 0)
		return -1;
	return template_ra_policies_decode(t, r->pool, ra, r->e);
}

static int
read_oid(const struct reader *r, struct policy_template *t)
{
	struct x509_strings one = { &t->oid, 1 };

	if (read_text(r, "msPKI-Cert-Template-OID", &t->oid) != 0)
		return -1;
	if (t->oid != NULL)
		return template_check_oids("msPKI-Cert-Template-OID", one, r->e);
	if (t->schema_version >= 2)
		return UNREADABLE(r->e, "msPKI-Cert-Template-OID is missing");
	return 0;
}

static bool
is_ca(const struct policy_template *t)
{
	return (t->general_flags & (CT_FLAG_IS_CA | CT_FLAG_IS_CROSS_CA)) != 0;
}

/* Takes what the scratch buffer holds; an empty buffer leaves *out empty. */
static int
keep(struct buf *b, struct pool *pool, const char *attr, struct bytes *out, struct err *e)
{
	if (!buf_ok(b))
		return UNREADABLE(e, "%s cannot be encoded", attr);
	if (b->len > 0 && pool_dup_bytes(pool, buf_bytes(b), out) != 0)
		return ERR(e, E_OUTOFMEMORY, "no memory for %s", attr);
	buf_reset(b);
	return 0;
}

/*
 * A CA certificate must be able to sign certificates and CRLs, whatever pKIKeyUsage says (MS-WCCE
 * 3.2.2.6.2.1.4.4.1).
 */
static void
put_key_usage(struct buf *b, const struct policy_template *t)
{
	uint8_t bits[2] = { 0, 0 };

	if (t->key_usage.len > 0)
		memcpy(bits, t->key_usage.p, t->key_usage.len);
	if (is_ca(t))
		bits[0] |= 0x06;
	if (bits[0] != 0 || bits[1] != 0)
		x509_ext_key_usage(b, (struct bytes){ bits, sizeof(bits) });
}

/*
 * The special names and the CA flags give cA TRUE, end entities get the extension only by flag (MS-WCCE
 * 3.2.2.6.2.1.4.4.1, 4.4.5, 4.5.6, 4.6).
 */
static void
put_basic_constraints(struct buf *b, const struct policy_template *t)
{
	static const char *const special[] = { "SubCA", "CA", "CrossCA" };
	bool ca = is_ca(t);

	for (size_t i = 0; i < ARRAY_LEN(special); i++)
		if (policy_name_equal(t->cn, special[i]))
			ca = true;
	if (ca)
		x509_ext_basic_constraints(b, true, t->max_depth);
	else if (t->enrollment_flags & CT_FLAG_INCLUDE_BASIC_CONSTRAINTS_FOR_EE_CERTS)
		x509_ext_basic_constraints(b, false, -1);
}

/* Seen: "CA", of schema 1 and without CT_FLAG_ADD_TEMPLATE_NAME, has the name all the same (a 2019 forest's
 * templates). */
static void
put_template_id(struct buf *b, const struct policy_template *t)
{
	if (t->schema_version >= 2)
		x509_ext_template_info(b, t->oid, t->major, t->minor);
	else
		x509_ext_template_name(b, t->cn);
}

static int
encode_extensions(struct policy_template *t, struct pool *pool, struct err *e)
{
	struct policy_template_ext *x = &t->ext;
	struct buf b;
	int rc = -1;

	buf_init(&b, MAX_EXTENSION);
	put_template_id(&b, t);
	if (keep(&b, pool, "cn", &x->template_id, e) != 0)
		goto out;
	put_key_usage(&b, t);
	if (keep(&b, pool, "pKIKeyUsage", &x->key_usage, e) != 0)
		goto out;
	put_basic_constraints(&b, t);
	if (keep(&b, pool, "pKIMaxIssuingDepth", &x->basic_constraints, e) != 0)
		goto out;
	if (t->eku.n > 0)
		x509_ext_eku(&b, t->eku);
	if (keep(&b, pool, "pKIExtendedKeyUsage", &x->eku, e) != 0)
		goto out;
	if (t->schema_version >= 2 && t->application_policies.n > 0)
		x509_ext_application_policies(&b, t->application_policies);
	if (keep(&b, pool, "msPKI-Certificate-Application-Policy", &x->application_policies, e) != 0)
		goto out;
	if (t->schema_version >= 2 && t->issuance_policies.n > 0)
		x509_ext_certificate_policies(&b, t->issuance_policies, NULL);
	rc = keep(&b, pool, "msPKI-Certificate-Policy", &x->issuance_policies, e);
out:
	buf_fini(&b);
	return rc;
}

int
policy_template_decode(
    struct policy_template *out, struct pool *pool, const struct policy_attrs *attrs, struct err *e)
{
	struct err local;
	struct reader r = { attrs, pool, e != NULL ? e : &local };

	memset(out, 0, sizeof(*out));
	if (read_text(&r, "cn", &out->cn) != 0 || read_text(&r, "displayName", &out->display_name) != 0)
		return -1;
	if (out->cn == NULL)
		return UNREADABLE(r.e, "cn is missing");
	if (attrs->dn != NULL && (out->dn = pool_strdup(pool, attrs->dn)) == NULL)
		return ERR(r.e, E_OUTOFMEMORY, "no memory for the DN of %s", out->cn);
	if (read_numbers(&r, out) != 0 || read_oid(&r, out) != 0 || read_lists(&r, out) != 0 ||
	    read_key_usage(&r, &out->key_usage) != 0 ||
	    read_period(&r, "pKIExpirationPeriod", true, &out->validity) != 0 ||
	    read_period(&r, "pKIOverlapPeriod", false, &out->overlap) != 0 ||
	    read_descriptor(&r, &out->sd) != 0)
		return -1;
	return encode_extensions(out, pool, r.e);
}
