/* The keys of exchange certificates: on disk, in use, good for what. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "ca/exchange_priv.h"

#define KEY_POOL_MAX (1u << 20)

/* ---- keys ---- */

struct ca_exchange_key *
ca_exchange_key_ref(struct ca_exchange_key *k)
{
	k->refs++;
	return k;
}

void
ca_exchange_key_unref(struct ca_exchange_key *k)
{
	if (k == NULL || --k->refs > 0)
		return;
	x509_private_key_free(k->key);
	pool_free(k->pool);
	free(k);
}

struct ca_exchange_key *
ca_exchange_key_new(uint32_t id, struct err *e)
{
	struct ca_exchange_key *k = calloc(1, sizeof(*k));

	if (k == NULL || (k->pool = pool_new(KEY_POOL_MAX)) == NULL) {
		free(k);
		ERR(e, E_OUTOFMEMORY, "no memory for an exchange key");
		return NULL;
	}
	k->refs = 1;
	k->id = id;
	return k;
}

char *
ca_exchange_key_path(const struct ca *ca, struct pool *pool, uint32_t id)
{
	return pool_printf(pool, "%s/exchange-%u.key", ca->state_dir, id);
}

static void
key_forget(const struct ca *ca, struct ca_exchange_key *k)
{
	const char *path = ca_exchange_key_path(ca, k->pool, k->id);

	if (path != NULL && unlink(path) != 0 && errno != ENOENT)
		log_warn(ca, "%s: %s", path, strerror(errno));
	ca_exchange_key_unref(k);
}

static int
key_load(struct ca *ca, struct ca_exchange_key *k, struct err *e)
{
	struct store_row *row = POOL_NEW(k->pool, struct store_row);
	const char *path = ca_exchange_key_path(ca, k->pool, k->id);

	if (row == NULL || path == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for an exchange key");
	if (store_get(ca->store, k->id, k->pool, row, e) != 0 ||
	    x509_certificate_read(
		&k->certificate, k->pool, store_bytes(row, Certificate_RawCertificate), e) != 0)
		return -1;
	k->key = x509_private_key_load(path, NULL, e);
	if (k->key == NULL)
		return -1;
	return x509_private_key_fits(k->key, &k->certificate.key)
	    ? 0
	    : ERR(e, E_INVALID_DATA, "%s is not the certificate's key", path);
}

static void
load_one(struct ca *ca, uint32_t id)
{
	struct err e = { 0 };
	struct ca_exchange_key *k = ca_exchange_key_new(id, &e);

	if (k != NULL && key_load(ca, k, &e) == 0) {
		ca->exchange->v[ca->exchange->n++] = k;
		return;
	}
	ca_exchange_key_unref(k);
	log_warn(ca, "the exchange certificate of request %u is lost: %s", id, e.msg);
}

int
ca_exchange_open(struct ca *ca, struct err *e)
{
	struct ca_exchange *x = calloc(1, sizeof(*x));
	const char *list, *at;
	char *end;

	if (x == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for exchange keys");
	x->last = &x->first;
	ca->exchange = x;
	if (store_get_setting(ca->store, CA_EXCHANGE_IN_USE, ca->pool, &list, e) != 0)
		return -1;
	for (at = list != NULL ? list : ""; x->n < CA_EXCHANGE_MAX; at = end) {
		unsigned long id = strtoul(at, &end, 10);

		if (end == at)
			break;
		load_one(ca, (uint32_t)id);
	}
	return 0;
}

void
ca_exchange_free(struct ca_exchange *x)
{
	if (x == NULL)
		return;
	for (size_t i = 0; i < x->n; i++)
		ca_exchange_key_unref(x->v[i]);
	free(x);
}

/* ---- which ones count ---- */

static bool
is_ours(const struct ca *ca, const struct x509_certificate *c)
{
	struct der outer, in;
	struct der_item id;
	struct err ignored;

	for (size_t i = 0; i < c->n_extensions && bytes_equal(c->issuer, x509_ca_subject(ca->x509)); i++) {
		char oid[OID_TEXT_MAX];

		if (!oid_to_text(c->extensions[i].oid, oid) || strcmp(oid, OID_AUTHORITY_KEY_IDENTIFIER) != 0)
			continue;
		outer = der_over(c->extensions[i].value);
		return der_enter(&outer, DER_SEQUENCE, &in, "AKI", &ignored) == 0 &&
		    der_expect(&in, DER_CONTEXT(0), &id, "keyIdentifier", &ignored) == 0 &&
		    bytes_equal(id.body, x509_ca_key_id(ca->x509));
	}
	return false;
}

static bool
is_valid(const struct ca_exchange_key *k, filetime_t now)
{
	return k->certificate.not_before <= now && now < k->certificate.not_after;
}

static bool
is_revoked(struct ca *ca, const struct ca_exchange_key *k)
{
	struct pool *pool = pool_new(KEY_POOL_MAX);
	struct store_row *row = pool != NULL ? POOL_NEW(pool, struct store_row) : NULL;
	struct err ignored;
	bool revoked = row == NULL || store_get(ca->store, k->id, pool, row, &ignored) != 0 ||
	    store_long(row, Request_Disposition) != DB_DISP_ISSUED;

	pool_free(pool);
	return revoked;
}

size_t
ca_exchange_keys(struct ca *ca, struct ca_exchange_key *out[CA_EXCHANGE_MAX])
{
	filetime_t now = clock_now(ca->clock);
	size_t n = 0;

	for (size_t i = ca->exchange->n; i > 0; i--) {
		if (is_valid(ca->exchange->v[i - 1], now))
			out[n++] = ca_exchange_key_ref(ca->exchange->v[i - 1]);
	}
	return n;
}

static filetime_t
overlap(const struct ca *ca)
{
	const struct ca_settings *s = &ca->settings;
	filetime_t now = clock_now(ca->clock), end;
	struct err ignored;

	return ca_period_end(now, s->xchg_overlap_period, s->xchg_overlap_units, &end, &ignored) == 0
	    ? end - now
	    : FILETIME_DAY;
}

/* The newest one, unless it ends too soon or is not good any more. */
struct ca_exchange_key *
ca_exchange_current(struct ca *ca)
{
	struct ca_exchange *x = ca->exchange;
	struct ca_exchange_key *k = x->n > 0 ? x->v[x->n - 1] : NULL;
	filetime_t now = clock_now(ca->clock);

	if (k == NULL || !is_valid(k, now) || now + overlap(ca) >= k->certificate.not_after ||
	    !is_ours(ca, &k->certificate) || is_revoked(ca, k))
		return NULL;
	return k;
}

/* Ended ones go, and the oldest where there is no more room; then the new one comes. */
void
ca_exchange_take_in(struct ca *ca, struct ca_exchange_key *k)
{
	struct ca_exchange *x = ca->exchange;
	filetime_t now = clock_now(ca->clock);
	size_t n = 0;

	for (size_t i = 0; i < x->n; i++) {
		if (x->v[i]->certificate.not_after <= now || x->n - i >= CA_EXCHANGE_MAX)
			key_forget(ca, x->v[i]);
		else
			x->v[n++] = x->v[i];
	}
	x->v[n++] = ca_exchange_key_ref(k);
	x->n = n;
}

/* ---- what else is asked ---- */

int
ca_exchange_hashes(struct ca *ca, struct pool *pool, const char *const **out, size_t *n, struct err *e)
{
	const struct ca_exchange *x = ca->exchange;
	const char **list = pool_calloc(pool, CA_EXCHANGE_MAX, sizeof(*list));
	filetime_t now = clock_now(ca->clock);

	*n = 0;
	for (size_t i = 0; list != NULL && i < x->n; i++) {
		uint8_t sha1[20];

		if (!is_valid(x->v[i], now))
			continue;
		x509_sha1(x->v[i]->certificate.raw, sha1);
		list[*n] = ca_spaced_hex(pool, sha1, sizeof(sha1));
		if (list[(*n)++] == NULL)
			return ERR(e, E_OUTOFMEMORY, "no memory for hashes");
	}
	*out = list;
	return list != NULL ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for hashes");
}
