#include "ca/signing_certs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "x509/constraints.h"

#define CROSS_MAX (64u * 1024)

const char *
ca_cert_path(const struct ca *ca, struct pool *pool, unsigned index, const char *suffix)
{
	return index == 0 ? pool_printf(pool, "%s/ca%s", ca->state_dir, suffix)
			  : pool_printf(pool, "%s/ca(%u)%s", ca->state_dir, index, suffix);
}

const char *
ca_cross_path(const struct ca *ca, struct pool *pool, unsigned from, unsigned to)
{
	return pool_printf(pool, "%s/ca(%u-%u).cer", ca->state_dir, from, to);
}

static int
copy_strings(struct x509_strings in, struct x509_strings *out, struct pool *pool)
{
	const char **v = pool_calloc(pool, in.n, sizeof(*v));

	for (size_t i = 0; v != NULL && i < in.n; i++) {
		v[i] = pool_strdup(pool, in.v[i]);
		if (v[i] == NULL)
			return -1;
	}
	*out = (struct x509_strings){ v, in.n };
	return v != NULL ? 0 : -1;
}

int
ca_policy_inf(const struct ca_settings *s, struct x509_ca_create *how, struct pool *pool, struct err *e)
{
	struct buf b;
	int rc;

	how->has_path_len = s->path_length != UINT32_MAX;
	how->path_len = s->path_length;
	buf_init(&b, CROSS_MAX);
	rc = x509_name_constraints_put(&b, s->nc_permitted, s->nc_excluded, e);
	if (rc != 0)
		err_prefix(e, "NameConstraintsExtension");
	else if (pool_dup_bytes(pool, buf_bytes(&b), &how->name_constraints) != 0 ||
	    copy_strings(s->ca_policies, &how->policies, pool) != 0 ||
	    copy_strings(s->ca_cdp_urls, &how->cdp_urls, pool) != 0 ||
	    copy_strings(s->ca_aia_urls, &how->aia_urls, pool) != 0)
		rc = ERR(e, E_OUTOFMEMORY, "no memory for the CA certificate's extensions");
	buf_fini(&b);
	return rc;
}

/* ---- look-ups ---- */

struct ca_cert *
ca_cert_find(const struct ca *ca, uint32_t version)
{
	uint32_t index = version & 0xffff;

	return index < ca->certs->n ? ca->certs->v[index] : NULL;
}

struct ca_cert *
ca_key_newest(const struct ca *ca, uint16_t key_index)
{
	for (size_t i = ca->certs->n; i > 0; i--) {
		if (ca->certs->v[i - 1]->key_index == key_index)
			return ca->certs->v[i - 1];
	}
	return NULL;
}

bool
ca_key_is_valid(const struct ca *ca, uint16_t key_index, filetime_t now)
{
	for (size_t i = 0; i < ca->certs->n; i++) {
		const struct ca_cert *c = ca->certs->v[i];

		if (c->key_index == key_index && now <= x509_ca_not_after(c->x509))
			return true;
	}
	return false;
}

/* ---- rows ---- */

static const char *
suffix_text(struct pool *pool, unsigned index)
{
	return index == 0 ? "" : pool_printf(pool, "(%u)", index);
}

int
ca_cert_expand_urls(const struct ca *ca, const struct ca_cert *c, const struct ca_settings *s,
    struct pool *pool, struct ca_urls *out, struct err *e)
{
	if (ca_expand_urls(ca, c, &s->crl_urls, 0x2, false, 0, pool, &out->cdp, e) != 0)
		return err_prefix(e, "CRLPublicationURLs");
	if (ca_expand_urls(ca, c, &s->aia_urls, 0x2, false, 0, pool, &out->aia, e) != 0 ||
	    ca_expand_urls(ca, c, &s->aia_urls, 0x20, false, 0, pool, &out->ocsp, e) != 0)
		return err_prefix(e, "CACertPublicationURLs");
	return 0;
}

static int
set_urls(const struct ca *ca, struct ca_cert *c, struct pool *pool, struct err *e)
{
	return ca_cert_expand_urls(ca, c, &ca->settings, pool, &c->urls, e);
}

static int
set_suffixes(struct ca_cert *c, struct pool *pool)
{
	c->suffix = suffix_text(pool, c->index);
	c->key_suffix = suffix_text(pool, c->key_index);
	return c->suffix != NULL && c->key_suffix != NULL ? 0 : -1;
}

int
ca_certs_name(const struct ca *ca, struct ca_cert *c, struct pool *pool, struct err *e)
{
	if (set_suffixes(c, pool) != 0)
		return ERR(e, E_OUTOFMEMORY, "no memory for a CA certificate");
	return set_urls(ca, c, pool, e);
}

/* Without URLs: they need names, which come from the first certificate. */
static struct ca_cert *
append(struct ca *ca, struct x509_ca *x509, uint16_t key_index)
{
	size_t n = ca->certs != NULL ? ca->certs->n : 0;
	struct ca_cert_list *list = pool_alloc(ca->pool, sizeof(*list) + (n + 1) * sizeof(list->v[0]));
	struct ca_cert *c = POOL_NEW(ca->pool, struct ca_cert);

	if (list == NULL || c == NULL)
		return NULL;
	*c = (struct ca_cert){ .index = (uint16_t)n, .key_index = key_index, .x509 = x509 };
	if (set_suffixes(c, ca->pool) != 0)
		return NULL;
	for (size_t i = 0; i < n; i++)
		list->v[i] = ca->certs->v[i];
	list->v[n] = c;
	list->n = n + 1;
	ca->certs = list;
	ca->x509 = x509;
	return c;
}

int
ca_certs_append(struct ca *ca, struct x509_ca *x509, uint16_t key_index, struct err *e)
{
	struct ca_cert *c = append(ca, x509, key_index);

	if (c == NULL) {
		x509_ca_free(x509);
		return ERR(e, E_OUTOFMEMORY, "no memory for a CA certificate");
	}
	/* in the CA's own pool: a request may hold them longer than the settings they come from */
	return set_urls(ca, c, ca->pool, e);
}

void
ca_certs_free(struct ca *ca)
{
	for (size_t i = 0; ca->certs != NULL && i < ca->certs->n; i++)
		x509_ca_free(ca->certs->v[i]->x509);
	ca->certs = NULL;
}

/* ---- the state folder ---- */

static bool
is_hash_of(const char *hash, size_t n, struct bytes der)
{
	uint8_t sha1[20];
	struct buf hex;
	bool same;

	x509_sha1(der, sha1);
	buf_init(&hex, 64);
	text_put_hex(&hex, (struct bytes){ sha1, sizeof(sha1) });
	same = hex.len == n && memcmp(hex.p, hash, n) == 0;
	buf_fini(&hex);
	return same;
}

/* Where a certificate has no key of its own, it goes with the key before it. */
static int
load_one(struct ca *ca, const char *hash, size_t hash_len, struct err *e)
{
	unsigned index = (unsigned)ca->certs->n, key_index = ca_cert_newest(ca)->key_index;
	const char *cert = ca_cert_path(ca, ca->pool, index, ".crt");
	const char *key = ca_cert_path(ca, ca->pool, index, ".key");
	struct x509_ca *x509;

	if (index > UINT16_MAX)
		return ERR(e, E_INVALID_DATA, "more than 65536 CA certificates");
	if (cert == NULL || key == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for paths");
	if (access(key, F_OK) == 0)
		key_index = index;
	else
		key = ca_cert_path(ca, ca->pool, key_index, ".key");
	if (key == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for paths");
	x509 = x509_ca_load(key, cert, ca->settings.hash, &ca->rng, e);
	if (x509 == NULL)
		return err_prefix(e, "%s", cert);
	if (!is_hash_of(hash, hash_len, x509_ca_cert_der(x509))) {
		x509_ca_free(x509);
		return ERR(
		    e, E_INVALID_DATA, "%s is not the certificate the database names (CACertHash)", cert);
	}
	if (!bytes_equal(x509_ca_subject(x509), x509_ca_subject(ca->x509))) {
		x509_ca_free(x509);
		return ERR(e, E_INVALID_DATA, "%s is of another CA", cert);
	}
	if (append(ca, x509, (uint16_t)key_index) == NULL) {
		x509_ca_free(x509);
		return ERR(e, E_OUTOFMEMORY, "no memory for a CA certificate");
	}
	return 0;
}

/* Absent where the keys are the same, or CRLF_DISABLE_ROOT_CROSS_CERTS was set. */
static int
load_cross(struct ca *ca, unsigned from, unsigned to, struct bytes *out, struct err *e)
{
	const char *path = ca_cross_path(ca, ca->pool, from, to);
	struct buf b;
	int rc = 0;

	if (path == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for paths");
	if (access(path, F_OK) != 0)
		return 0;
	buf_init(&b, CROSS_MAX);
	rc = ca_read_file(path, &b, e);
	if (rc == 0 && pool_dup_bytes(ca->pool, buf_bytes(&b), out) != 0)
		rc = ERR(e, E_OUTOFMEMORY, "no memory for a cross certificate");
	buf_fini(&b);
	return rc;
}

static int
load_crosses(struct ca *ca, struct err *e)
{
	for (size_t i = 0; i + 1 < ca->certs->n; i++) {
		struct ca_cert *a = ca->certs->v[i], *b = ca->certs->v[i + 1];

		if (a->key_index != b->key_index &&
		    (load_cross(ca, a->index, b->index, &a->forward, e) != 0 ||
			load_cross(ca, b->index, a->index, &b->backward, e) != 0))
			return -1;
	}
	return 0;
}

int
ca_certs_open(struct ca *ca, struct err *e)
{
	const char *key = ca_cert_path(ca, ca->pool, 0, ".key"),
		   *cert = ca_cert_path(ca, ca->pool, 0, ".crt");
	struct x509_ca *x509;

	if (key == NULL || cert == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for paths");
	x509 = x509_ca_load(key, cert, ca->settings.hash, &ca->rng, e);
	if (x509 == NULL)
		return err_prefix(e, "%s", cert);
	if (append(ca, x509, 0) == NULL) {
		x509_ca_free(x509);
		return ERR(e, E_OUTOFMEMORY, "no memory for a CA certificate");
	}
	return 0;
}

int
ca_certs_load(struct ca *ca, struct err *e)
{
	const char *hashes;

	if (store_get_setting(ca->store, CA_CERT_HASHES, ca->pool, &hashes, e) != 0)
		return -1;
	for (bool first = true; hashes != NULL && *hashes != '\0'; first = false) {
		size_t n = strcspn(hashes, "\n");

		if (first && !is_hash_of(hashes, n, x509_ca_cert_der(ca->x509)))
			return ERR(e, E_INVALID_DATA,
			    "ca.crt is not the certificate the database names (CACertHash)");
		if (!first && load_one(ca, hashes, n, e) != 0)
			return -1;
		hashes += n + (hashes[n] == '\n');
	}
	for (size_t i = 0; i < ca->certs->n; i++) {
		if (set_urls(ca, ca->certs->v[i], ca->pool, e) != 0)
			return -1;
	}
	return load_crosses(ca, e);
}
