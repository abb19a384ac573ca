/* Values of CA properties (MS-WCCE 3.2.1.4.3.2.1 to 3.2.1.4.3.2.50). */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "ca/ca_certs.h"
#include "ca/kra.h"
#include "ca/property_priv.h"

/* Of Windows Server 2022 (wcce.md 2.7). */
#define VERSION_TEXT "10.0.20348.1"

/* CAType, MS-WCCE 2.2.2.4 */
enum { ENUM_ENTERPRISE_ROOTCA = 0, ENUM_ENTERPRISE_SUBCA = 1 };

/* ---- texts ---- */

int
ca_property_text(struct pool *pool, const char *text, struct bytes *out, struct err *e)
{
	struct buf b;
	int ret = -1;

	buf_init(&b, 16u << 20);
	if (text_utf8_to_utf16le(&b, text, strlen(text), e) == 0) {
		buf_put_u16le(&b, 0);
		ret = buf_ok(&b) && pool_dup_bytes(pool, buf_bytes(&b), out) == 0
		    ? 0
		    : ERR(e, E_OUTOFMEMORY, "no memory for a property");
	}
	buf_fini(&b);
	return ret;
}

#define TEXT_PROPERTY(name, text)                                                                            \
	int name(struct ca_property_query *q, struct bytes *out, struct err *e)                              \
	{                                                                                                    \
		return ca_property_text(q->pool, text, out, e);                                              \
	}
TEXT_PROPERTY(ca_property_version, VERSION_TEXT)
TEXT_PROPERTY(ca_property_default_module, "Windows default")
TEXT_PROPERTY(ca_property_name, q->ca->name)
TEXT_PROPERTY(ca_property_sanitized, q->ca->sanitized)
TEXT_PROPERTY(ca_property_short_name, q->ca->short_name)
TEXT_PROPERTY(ca_property_dns_name, q->ca->dns_name)
TEXT_PROPERTY(ca_property_locale, "en-US")
#undef TEXT_PROPERTY

/* No configuration directory. */
int
ca_property_shared_folder(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	(void)q;
	(void)out;
	return ERR(e, E_FILE_NOT_FOUND, "this CA has no shared folder");
}

static bool
is_root(const struct ca *ca)
{
	return ca_cert_chain_get(ca, CA_NEWEST, 1).len == 0;
}

/* A subordinate CA does not know its parent's host (Config_CA_Parent_DNS): the empty text. */
int
ca_property_parent(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	if (is_root(q->ca))
		return ERR(e, E_FILE_NOT_FOUND, "a root CA has no parent");
	return ca_property_text(q->pool, "", out, e);
}

int
ca_property_subject_oids(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	struct x509_strings list = q->ca->settings.subject_template;
	struct buf b;
	int ret;

	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < list.n; i++)
		buf_printf(&b, "%s\n", policy_subject_oid(list.v[i]));
	ret = ca_property_text(q->pool, buf_cstr(&b), out, e);
	buf_fini(&b);
	return ret;
}

/* ---- numbers ---- */

static int
number(struct ca_property_query *q, uint32_t v, struct bytes *out, struct err *e)
{
	uint8_t le[4];

	set_u32le(le, v);
	return pool_dup_bytes(q->pool, (struct bytes){ le, sizeof(le) }, out) == 0
	    ? 0
	    : ERR(e, E_OUTOFMEMORY, "no memory for a property");
}

uint32_t
ca_property_kra_count(const struct ca *ca)
{
	return (uint32_t)ca_kra_count(ca);
}

int
ca_property_cainfo(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	uint32_t type = is_root(q->ca) ? ENUM_ENTERPRISE_ROOTCA : ENUM_ENTERPRISE_SUBCA;
	const uint32_t fields[] = {
		40,                            /* cbSize */
		type, ca_cert_count(q->ca), 1, /* cCAExchangeCerts */
		CA_EXIT_COUNT, CA_PROPERTY_ID_MAX,
		q->ca->settings.role_separation != 0, /* lRoleSeparationEnabled */
		ca_kra_used_count(q->ca),             /* cKRACertUsedCount */
		ca_property_kra_count(q->ca), 1,      /* fAdvancedServer */
	};
	uint8_t le[sizeof(fields)];

	if (q->type_alone)
		return number(q, type, out, e);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		set_u32le(le + 4 * i, fields[i]);
	return pool_dup_bytes(q->pool, (struct bytes){ le, sizeof(le) }, out) == 0
	    ? 0
	    : ERR(e, E_OUTOFMEMORY, "no memory for CAINFO");
}

/* ---- certificates ---- */

int
ca_property_cert(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	return ca_cert_get(q->ca, q->index, out, e);
}

int
ca_property_cert_chain(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	return ca_cert_pkcs7(q->ca, q->index, false, q->pool, out, e);
}

int
ca_property_cert_crl_chain(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	return ca_cert_pkcs7(q->ca, q->index, true, q->pool, out, e);
}

int
ca_property_cert_states(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	return ca_cert_states(q->ca, q->pool, out, e);
}

int
ca_property_cert_status(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	uint32_t hr;

	return ca_cert_status(q->ca, q->index, &hr, e) != 0 ? -1 : number(q, hr, out, e);
}

int
ca_property_cert_versions(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	uint32_t n = ca_cert_count(q->ca), version;
	struct buf b;
	int ret = -1;

	buf_init(&b, 1 << 20);
	for (uint32_t i = 0; i < n; i++) {
		if (ca_cert_version(q->ca, i, &version, e) != 0)
			goto out;
		buf_put_u32le(&b, version);
	}
	ret = buf_ok(&b) && pool_dup_bytes(q->pool, buf_bytes(&b), out) == 0
	    ? 0
	    : ERR(e, E_OUTOFMEMORY, "no memory for a property");
out:
	buf_fini(&b);
	return ret;
}

int
ca_property_forward(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	return ca_cross_cert_get(q->ca, q->index, true, out, e);
}

int
ca_property_backward(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	return ca_cross_cert_get(q->ca, q->index, false, out, e);
}

int
ca_property_forward_states(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	return ca_cross_cert_states(q->ca, true, q->pool, out, e);
}

int
ca_property_backward_states(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	return ca_cross_cert_states(q->ca, false, q->pool, out, e);
}

static int
urls(struct ca_property_query *q, enum ca_cert_urls which, struct bytes *out, struct err *e)
{
	const char *text;

	return ca_cert_urls(q->ca, q->index, which, q->pool, &text, e) != 0
	    ? -1
	    : ca_property_text(q->pool, text, out, e);
}

int
ca_property_cdp_urls(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	return urls(q, CA_URLS_CDP, out, e);
}

int
ca_property_aia_urls(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	return urls(q, CA_URLS_AIA, out, e);
}

int
ca_property_ocsp_urls(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	return urls(q, CA_URLS_OCSP, out, e);
}

/* ---- CRLs ---- */

int
ca_property_base_crl(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	return ca_crl_get(q->ca, q->index, false, q->pool, out, e);
}

int
ca_property_delta_crl(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	return ca_crl_get(q->ca, q->index, true, q->pool, out, e);
}

int
ca_property_crl_states(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	return ca_crl_states(q->ca, q->pool, out, e);
}

int
ca_property_base_status(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	uint32_t flags;

	return ca_crl_publish_status(q->ca, q->index, false, &flags, e) != 0 ? -1 : number(q, flags, out, e);
}

int
ca_property_delta_status(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	uint32_t flags;

	return ca_crl_publish_status(q->ca, q->index, true, &flags, e) != 0 ? -1 : number(q, flags, out, e);
}

int
ca_property_partitions(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	return number(q, ca_crl_partition_count(q->ca), out, e);
}

int
ca_property_partition_base(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	return ca_crl_partition_get(q->ca, q->index, false, q->pool, out, e);
}

int
ca_property_partition_delta(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	return ca_crl_partition_get(q->ca, q->index, true, q->pool, out, e);
}

int
ca_property_partition_base_status(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	uint32_t flags;

	return ca_crl_partition_publish_status(q->ca, q->index, false, &flags, e) != 0
	    ? -1
	    : number(q, flags, out, e);
}

int
ca_property_partition_delta_status(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	uint32_t flags;

	return ca_crl_partition_publish_status(q->ca, q->index, true, &flags, e) != 0
	    ? -1
	    : number(q, flags, out, e);
}

/* ---- key recovery agents ---- */

int
ca_property_kra_cert(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	struct bytes der;

	if (ca_kra_get(q->ca, q->index, &der, e) != 0)
		return -1;
	return pool_dup_bytes(q->pool, der, out) == 0 ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for a property");
}

int
ca_property_kra_states(struct ca_property_query *q, struct bytes *out, struct err *e)
{
	uint8_t states[CA_KRA_MAX];
	size_t n = ca_kra_count(q->ca);
	struct err why;

	for (size_t i = 0; i < n && i < sizeof(states); i++)
		states[i] = (uint8_t)ca_kra_state(q->ca, i, &why);
	return pool_dup_bytes(q->pool, (struct bytes){ states, n }, out) == 0
	    ? 0
	    : ERR(e, E_OUTOFMEMORY, "no memory for a property");
}

/* ---- answers that have to be waited for ---- */

static void
on_exchange(void *arg, struct bytes blob, const struct err *e)
{
	ca_property_finish(arg, blob, e);
}

int
ca_property_exchange(struct ca_property_query *q, const struct ca_caller *who, struct err *e)
{
	return ca_exchange_get(q->ca, who, on_exchange, q, e);
}

static void
on_exchange_chain(struct ca_property_query *q, struct bytes blob, bool crls, const struct err *why)
{
	struct bytes chain = { NULL, 0 };
	struct err e;

	if (why == NULL && ca_exchange_chain(q->ca, blob, crls, q->pool, &chain, &e) != 0)
		why = &e;
	ca_property_finish(q, chain, why);
}

static void
on_chain(void *arg, struct bytes blob, const struct err *e)
{
	on_exchange_chain(arg, blob, false, e);
}

static void
on_crl_chain(void *arg, struct bytes blob, const struct err *e)
{
	on_exchange_chain(arg, blob, true, e);
}

int
ca_property_exchange_chain(struct ca_property_query *q, const struct ca_caller *who, struct err *e)
{
	return ca_exchange_get(q->ca, who, on_chain, q, e);
}

int
ca_property_exchange_crl_chain(struct ca_property_query *q, const struct ca_caller *who, struct err *e)
{
	return ca_exchange_get(q->ca, who, on_crl_chain, q, e);
}

static const char *
template_oid(const struct ca_templates *t, const char *cn)
{
	for (size_t i = 0; i < t->n; i++) {
		if (strcasecmp(t->v[i].cn, cn) == 0)
			return t->v[i].oid != NULL ? t->v[i].oid : "";
	}
	return "";
}

/* "name\nOID\n" for each that the CA publishes; none: the NUL alone. */
static void
on_snapshot(void *arg, struct dir_snapshot *snap, const struct err *why)
{
	struct ca_property_query *q = arg;
	struct ca_templates *t = NULL;
	struct bytes out = { NULL, 0 };
	struct err e;
	struct buf b;

	buf_init(&b, 4u << 20);
	if (why == NULL && q->ca->closing) {
		ERR(&e, E_CANCELLED, "the server ends");
		why = &e;
	} else if (why == NULL && (t = ca_templates_get(q->ca, snap, &e)) == NULL) {
		why = &e;
	}
	for (size_t i = 0; t != NULL && i < t->published.n; i++)
		buf_printf(&b, "%s\n%s\n", t->published.v[i], template_oid(t, t->published.v[i]));
	if (why == NULL && ca_property_text(q->pool, buf_cstr(&b), &out, &e) != 0)
		why = &e;
	buf_fini(&b);
	ca_property_finish(q, out, why);
}

int
ca_property_templates(struct ca_property_query *q, const struct ca_caller *who, struct err *e)
{
	(void)who;
	return dir_snapshot_get(q->ca->dir, on_snapshot, q, e);
}
