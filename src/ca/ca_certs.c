#include "ca/ca_certs.h"

#include "ca/crl.h"
#include "ca/signing_certs.h"

#define PKCS7_MAX (256u << 20)

static const struct ca_cert *
find(const struct ca *ca, uint32_t index, struct err *e)
{
	size_t n = ca->certs->n;

	if (index == CA_NEWEST)
		index = (uint32_t)n - 1;
	if (index < n)
		return ca->certs->v[index];
	ERR(e, E_INVALIDARG, "the CA has no certificate with index %u, it has %zu", index, n);
	return NULL;
}

uint32_t
ca_cert_count(const struct ca *ca)
{
	return (uint32_t)ca->certs->n;
}

int
ca_cert_get(const struct ca *ca, uint32_t index, struct bytes *der, struct err *e)
{
	const struct ca_cert *c = find(ca, index, e);

	if (c == NULL)
		return -1;
	*der = x509_ca_cert_der(c->x509);
	return 0;
}

struct bytes
ca_cert_chain_get(const struct ca *ca, uint32_t index, size_t at)
{
	struct err ignored;
	const struct ca_cert *c = find(ca, index, &ignored);

	return c != NULL ? x509_ca_chain_der(c->x509, at) : (struct bytes){ NULL, 0 };
}

int
ca_cert_version(const struct ca *ca, uint32_t index, uint32_t *version, struct err *e)
{
	const struct ca_cert *c = find(ca, index, e);

	if (c == NULL)
		return -1;
	*version = ca_cert_version_of(c);
	return 0;
}

/* ---- states ---- */

/* Everything in the chain counts: a CA may outlive the one above it. */
static bool
has_expired(const struct ca *ca, const struct ca_cert *c)
{
	return !x509_ca_chain_is_current(c->x509, clock_now(ca->clock));
}

int
ca_cert_status(const struct ca *ca, uint32_t index, uint32_t *hr, struct err *e)
{
	const struct ca_cert *c = find(ca, index, e);

	if (c == NULL)
		return -1;
	*hr = has_expired(ca, c) ? CERT_E_EXPIRED : 0;
	return 0;
}

typedef uint8_t
state_fn(const struct ca *ca, const struct ca_cert *c);

static int
states(const struct ca *ca, state_fn *state, struct pool *pool, struct bytes *out, struct err *e)
{
	uint8_t *v = pool_alloc(pool, ca->certs->n);

	if (v == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for states");
	for (size_t i = 0; i < ca->certs->n; i++)
		v[i] = state(ca, ca->certs->v[i]);
	*out = (struct bytes){ v, ca->certs->n };
	return 0;
}

static uint8_t
cert_state(const struct ca *ca, const struct ca_cert *c)
{
	return has_expired(ca, c) ? CA_DISP_INVALID : CA_DISP_VALID;
}

int
ca_cert_states(const struct ca *ca, struct pool *pool, struct bytes *out, struct err *e)
{
	return states(ca, cert_state, pool, out, e);
}

static uint8_t
crl_state(const struct ca *ca, const struct ca_cert *c)
{
	if (!ca_cert_is_key(c))
		return CA_DISP_ERROR;
	return ca_key_is_valid(ca, c->key_index, clock_now(ca->clock)) ? CA_DISP_VALID : CA_DISP_INVALID;
}

int
ca_crl_states(const struct ca *ca, struct pool *pool, struct bytes *out, struct err *e)
{
	return states(ca, crl_state, pool, out, e);
}

/* ---- chains ---- */

int
ca_cert_pkcs7(struct ca *ca, uint32_t index, bool crls, struct pool *pool, struct bytes *out, struct err *e)
{
	const struct ca_cert *c = find(ca, index, e);
	const struct store_crl *found[2] = { NULL, NULL };
	struct store_crl *rows;
	struct bytes list[2];
	size_t n_rows, n = 0;
	struct buf b;
	int rc;

	if (c == NULL)
		return -1;
	if (crls) {
		if (store_list_crls(ca->store, true, pool, &rows, &n_rows, e) != 0)
			return -1;
		found[0] = ca_crl_newest(rows, n_rows, c->key_index, false);
		found[1] = ca_crl_newest(rows, n_rows, c->key_index, true);
	}
	for (size_t i = 0; i < 2; i++) {
		if (found[i] != NULL)
			list[n++] = found[i]->raw;
	}
	buf_init(&b, PKCS7_MAX);
	rc = x509_ca_pkcs7_crls(c->x509, list, n, &b, e);
	if (rc == 0 && pool_dup_bytes(pool, buf_bytes(&b), out) != 0)
		rc = ERR(e, E_OUTOFMEMORY, "no memory for a chain");
	buf_fini(&b);
	return rc;
}

/* ---- URLs ---- */

int
ca_cert_urls(const struct ca *ca, uint32_t index, enum ca_cert_urls which, struct pool *pool,
    const char **out, struct err *e)
{
	const struct ca_cert *c = find(ca, index, e);
	const struct x509_strings *list;
	struct buf b;

	if (c == NULL)
		return -1;
	list = which == CA_URLS_CDP ? &c->urls.cdp : which == CA_URLS_AIA ? &c->urls.aia : &c->urls.ocsp;
	buf_init(&b, 1u << 20);
	for (size_t i = 0; i < list->n; i++)
		buf_printf(&b, "%s\n", list->v[i]);
	*out = buf_ok(&b) ? pool_strdup(pool, buf_cstr(&b)) : NULL;
	buf_fini(&b);
	return *out != NULL ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for URLs");
}

/* ---- cross certificates ---- */

int
ca_cross_cert_get(const struct ca *ca, uint32_t index, bool forward, struct bytes *der, struct err *e)
{
	const struct ca_cert *c = find(ca, index, e);

	if (c == NULL)
		return -1;
	if (x509_ca_is_root(c->x509) && ca->settings.root_cross_property == 0)
		return ERR(e, E_INVALIDARG, "a root CA shows no cross certificates (MS-WCCE 3.2.1.4.3.2.35)");
	*der = forward ? c->forward : c->backward;
	return der->len > 0 ? 0
			    : ERR(e, E_FILE_NOT_FOUND, "CA certificate %u has no %s cross certificate",
				  c->index, forward ? "forward" : "backward");
}

/* Neither end outlives the certificates it connects. */
static uint8_t
cross_state(const struct ca *ca, struct bytes cross, size_t older)
{
	filetime_t now = clock_now(ca->clock);

	if (cross.len == 0)
		return CA_DISP_ERROR;
	return now <= x509_ca_not_after(ca->certs->v[older]->x509) &&
		now <= x509_ca_not_after(ca->certs->v[older + 1]->x509)
	    ? CA_DISP_VALID
	    : CA_DISP_INVALID;
}

static uint8_t
forward_state(const struct ca *ca, const struct ca_cert *c)
{
	return cross_state(ca, c->forward, c->index);
}

static uint8_t
backward_state(const struct ca *ca, const struct ca_cert *c)
{
	return cross_state(ca, c->backward, c->index - (c->index > 0));
}

int
ca_cross_cert_states(const struct ca *ca, bool forward, struct pool *pool, struct bytes *out, struct err *e)
{
	return states(ca, forward ? forward_state : backward_state, pool, out, e);
}

/* ---- CRLs ---- */

static int
newest_of(struct ca *ca, ca_crl_id id, bool delta, bool raw, struct pool *pool, const struct store_crl **out,
    struct err *e)
{
	struct store_crl *rows;
	size_t n;

	if (store_list_crls(ca->store, raw, pool, &rows, &n, e) != 0)
		return -1;
	*out = ca_crl_newest(rows, n, id, delta);
	return *out != NULL
	    ? 0
	    : ERR(e, E_FILE_NOT_FOUND, "key %u has no %s CRL", id & 0xffff, delta ? "delta" : "base");
}

static int
find_crl(struct ca *ca, uint32_t index, bool delta, bool raw, struct pool *pool, const struct store_crl **out,
    struct err *e)
{
	const struct ca_cert *c = find(ca, index, e);

	if (c == NULL)
		return -1;
	if (ca->partitions.enabled && ca->partitions.zero_exclusive)
		return ERR(e, E_INVALIDARG, "CRLs are by partition (MS-WCCE 3.2.1.4.3.2.17)");
	if (index != CA_NEWEST && !ca_cert_is_key(c))
		return ERR(e, E_FILE_NOT_FOUND,
		    "CA certificate %u has the key of certificate %u, which its CRLs go by", c->index,
		    c->key_index);
	return newest_of(ca, c->key_index, delta, raw, pool, out, e);
}

static int
find_partition(struct ca *ca, uint32_t index, bool delta, bool raw, struct pool *pool,
    const struct store_crl **out, struct err *e)
{
	if (!ca->partitions.enabled || index == CA_NEWEST || index >> 16 > ca->partitions.max ||
	    (index & 0xffff) >= ca->certs->n)
		return ERR(e, E_INVALIDARG, "there is no CRL partition 0x%08x", index);
	return newest_of(ca, index, delta, raw, pool, out, e);
}

typedef int
find_fn(struct ca *ca, uint32_t index, bool delta, bool raw, struct pool *pool, const struct store_crl **out,
    struct err *e);

static int
get_crl(struct ca *ca, find_fn *how, uint32_t index, bool delta, struct pool *pool, struct bytes *der,
    struct err *e)
{
	const struct store_crl *found;

	if (how(ca, index, delta, true, pool, &found, e) != 0)
		return -1;
	*der = found->raw;
	return 0;
}

static int
get_status(struct ca *ca, find_fn *how, uint32_t index, bool delta, uint32_t *flags, struct err *e)
{
	struct pool *pool = pool_new(16u << 20);
	const struct store_crl *found;
	int rc;

	if (pool == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for CRLs");
	rc = how(ca, index, delta, false, pool, &found, e);
	if (rc == 0)
		*flags = found->publish_flags;
	pool_free(pool);
	return rc;
}

int
ca_crl_get(struct ca *ca, uint32_t index, bool delta, struct pool *pool, struct bytes *der, struct err *e)
{
	return get_crl(ca, find_crl, index, delta, pool, der, e);
}

int
ca_crl_publish_status(struct ca *ca, uint32_t index, bool delta, uint32_t *flags, struct err *e)
{
	return get_status(ca, find_crl, index, delta, flags, e);
}

uint32_t
ca_crl_partition_count(const struct ca *ca)
{
	return ca->partitions.max;
}

int
ca_crl_partition_get(
    struct ca *ca, uint32_t index, bool delta, struct pool *pool, struct bytes *der, struct err *e)
{
	return get_crl(ca, find_partition, index, delta, pool, der, e);
}

int
ca_crl_partition_publish_status(struct ca *ca, uint32_t index, bool delta, uint32_t *flags, struct err *e)
{
	return get_status(ca, find_partition, index, delta, flags, e);
}

/* ---- certificates of others ---- */

int
ca_certificate_is_valid(
    struct ca *ca, const char *serial, int32_t *reason, int32_t *disposition, struct err *e)
{
	struct pool *pool = pool_new(4u << 20);
	struct store_row *row;
	uint32_t id;
	int rc = -1;

	*reason = 0;
	*disposition = 4;
	if (pool == NULL || (row = POOL_NEW(pool, struct store_row)) == NULL) {
		ERR(e, E_OUTOFMEMORY, "no memory for a request");
		goto out;
	}
	if (store_find_serial(ca->store, serial, &id, e) != 0) {
		rc = e->hr == CERTSRV_E_PROPERTY_EMPTY ? 0 : -1;
		goto out;
	}
	if (store_get(ca->store, id, pool, row, e) != 0)
		goto out;
	rc = 0;
	if (store_long(row, Request_Disposition) == DB_DISP_ISSUED)
		*disposition = 3;
	if (store_long(row, Request_Disposition) != DB_DISP_REVOKED)
		goto out;
	*disposition = row->v[Request_RevokedEffectiveWhen].n > clock_now(ca->clock) ? 3 : 2;
	if (*disposition == 2)
		*reason = (int32_t)store_long(row, Request_RevokedReason);
out:
	pool_free(pool);
	return rc;
}
