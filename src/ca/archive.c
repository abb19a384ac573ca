/* Key archival of a request: MS-WCCE 3.2.2.6.2.1.2.2 and 3.2.2.6.2.1.4.2 (which columns). */
#include "ca/archive.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "x509/key_blob.h"

/* [EncryptionCSP], as far as archived keys go. */
static enum x509_cipher
cipher_of(const struct ca_settings *s)
{
	if (strcasecmp(s->encryption_algorithm, "AES") != 0)
		return X509_CIPHER_3DES;
	return s->encryption_key_size == 128 ? X509_CIPHER_AES128
	    : s->encryption_key_size == 192  ? X509_CIPHER_AES192
					     : X509_CIPHER_AES256;
}

int
ca_archive_init(
    struct ca_archive *a, struct ca *ca, uint64_t id, bool rehearsal, struct pool *pool, struct err *e)
{
	memset(a, 0, sizeof(*a));
	if (ca_kra_choose(ca, !rehearsal, pool, &a->agents, e) != 0)
		return -1;
	a->n_keys = ca_exchange_keys(ca, a->keys);
	a->cipher = cipher_of(&ca->settings);
	a->rng = ca->rng;
	a->id = id;
	return 0;
}

void
ca_archive_fini(struct ca_archive *a)
{
	while (a->n_keys > 0)
		ca_exchange_key_unref(a->keys[--a->n_keys]);
}

/* ---- the key: on a worker ---- */

static int
open_envelope(
    const struct ca_archive *a, struct bytes raw, struct pool *pool, struct buf *clear, struct err *e)
{
	struct x509_enveloped env;

	if (x509_enveloped_read(&env, pool, raw, e) != 0) {
		if (e->hr != CRYPT_E_UNKNOWN_ALGO && e->hr != E_OUTOFMEMORY)
			e->hr = CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL;
		return err_prefix(e, "the encrypted private key");
	}
	for (size_t i = 0; i < a->n_keys; i++) {
		if (x509_enveloped_find(&env, &a->keys[i]->certificate) != NULL)
			return x509_enveloped_open(&env, &a->keys[i]->certificate, a->keys[i]->key, clear, e);
	}
	return ERR(e, CRYPT_E_NO_DECRYPT_CERT,
	    "the private key is encrypted for none of the %zu valid exchange certificates of this CA",
	    a->n_keys);
}

static int
close_envelope(
    const struct ca_archive *a, struct bytes clear, struct pool *pool, struct bytes *out, struct err *e)
{
	struct buf b;
	int rc;

	buf_init(&b, X509_ENVELOPED_MAX);
	rc = x509_enveloped_put(
	    &b, a->agents.to, a->agents.n, a->cipher, clear, &a->rng, "archived key", a->id, e);
	if (rc == 0 && pool_dup_bytes(pool, buf_bytes(&b), out) != 0)
		rc = ERR(e, E_OUTOFMEMORY, "no memory for an archived key");
	buf_fini(&b);
	return rc;
}

int
ca_archive_key(const struct ca_archive *a, struct bytes enveloped, const struct x509_key_info *public_key,
    struct pool *pool, struct bytes *out, struct err *e)
{
	struct x509_private_key *key = NULL;
	struct buf clear;
	int rc = -1;

	buf_init(&clear, X509_ENVELOPED_MAX);
	if (open_envelope(a, enveloped, pool, &clear, e) == 0)
		key = x509_key_blob_read(buf_bytes(&clear), public_key, e);
	if (key != NULL)
		rc = close_envelope(a, buf_bytes(&clear), pool, out, e);
	x509_private_key_free(key);
	buf_wipe(&clear);
	return rc;
}

/* ---- of a request ---- */

struct archiving {
	struct ca_request *r;
	struct ca_archive archive;
	void (*go_on)(struct ca_request *, const struct err *);
	struct err e;
	bool failed;
};

static int
archive(struct archiving *g, struct err *e)
{
	struct ca_request *r = g->r;

	if (r->cms.type != X509_CMS_PKIDATA)
		return ERR(e, CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL,
		    "a private key comes with a CMC request only (MS-WCCE 3.2.2.6.2.1.2.2)");
	if (x509_cms_check_key_hash(&r->cms, &r->parsed, e) != 0)
		return -1;
	return ca_archive_key(&g->archive, r->cms.archived_key, &r->parsed.key, r->pool, &r->archived_key, e);
}

static void
archive_job(void *arg)
{
	struct archiving *g = arg;

	g->failed = archive(g, &g->e) != 0;
}

static void
archive_done(void *arg)
{
	struct archiving *g = arg;
	struct ca_request *r = g->r;
	void (*go_on)(struct ca_request *, const struct err *) = g->go_on;
	const struct err e = g->e;
	bool failed = g->failed;

	r->ca->busy--;
	if (!failed) {
		r->recovery_hashes = g->archive.agents.hashes;
		r->in.archived_for = g->archive.agents.n;
		r->request_flags |= CR_FLG_VALIDENCRYPTEDKEYHASH;
		log_debug(ca, "request %u: key archived for %zu agents", r->id, g->archive.agents.n);
	}
	ca_archive_fini(&g->archive);
	free(g);
	go_on(r, failed ? &e : NULL);
}

void
ca_archive_request(struct ca_request *r, void (*go_on)(struct ca_request *r, const struct err *e))
{
	struct archiving *g = calloc(1, sizeof(*g));
	struct err e = { 0 };

	if (g == NULL) {
		ERR(&e, E_OUTOFMEMORY, "no memory to archive a key");
	} else if (ca_archive_init(&g->archive, r->ca, r->id, r->rehearsed != NULL, r->pool, &e) == 0) {
		g->r = r;
		g->go_on = go_on;
		if (work_submit(r->ca->work, archive_job, archive_done, g, &e) == 0) {
			r->ca->busy++;
			return;
		}
		ca_archive_fini(&g->archive);
	}
	free(g);
	go_on(r, &e);
}

size_t
ca_archived_for(const char *hashes)
{
	size_t n = hashes != NULL && *hashes != '\0';

	for (const char *p = n != 0 ? hashes : ""; *p != '\0'; p++)
		n += *p == '\n';
	return n;
}
