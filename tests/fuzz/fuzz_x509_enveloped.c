/* EnvelopedData as a client sends it, opened for each of its recipients; behind an 'R', octets to be put in an envelope,
 * which must come out of it again. */
#include <stdlib.h>
#include <string.h>

#include "x509/enveloped.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct rng rng = { true, 7 };
static struct x509_private_key *key;
static struct x509_certificate own;

/* A recipient: what an envelope asks of its certificate. */
static void
make_recipient(void)
{
	static uint8_t storage[1024];
	static const uint8_t issuer[] = { 0x30, 0x0c, 0x31, 0x0a, 0x30, 0x08, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, 'A' };
	static const uint8_t serial[] = { 0x2a };
	struct buf spki;
	struct err e;

	key = x509_private_key_make_rsa(1024, &rng, "fuzz", 1, &e);
	buf_init(&spki, sizeof(storage));
	if (key == NULL || x509_private_key_spki(key, &spki, &e) != 0 || spki.len > sizeof(storage))
		abort();
	memcpy(storage, buf_bytes(&spki).p, spki.len);
	own.issuer = (struct bytes){ issuer, sizeof(issuer) };
	own.serial = (struct bytes){ serial, sizeof(serial) };
	if (x509_key_read(&own.key, (struct bytes){ storage, spki.len }, &e) != 0)
		abort();
	buf_fini(&spki);
}

static void
there_and_back(struct bytes content, struct pool *pool)
{
	const struct x509_certificate *to[] = { &own };
	struct x509_enveloped env;
	struct buf sealed, clear;
	struct err e;

	buf_init(&sealed, X509_ENVELOPED_MAX);
	buf_init(&clear, X509_ENVELOPED_MAX);
	if (x509_enveloped_put(&sealed, to, 1, (enum x509_cipher)(content.len % 4), content, &rng, "fuzz", content.len, &e) == 0 &&
	    (x509_enveloped_read(&env, pool, buf_bytes(&sealed), &e) != 0 || env.n_recipients != 1 ||
		x509_enveloped_open(&env, &own, key, &clear, &e) != 0 || !bytes_equal(buf_bytes(&clear), content)))
		abort();
	buf_fini(&sealed);
	buf_wipe(&clear);
}

static void
use(const struct x509_enveloped *env)
{
	struct buf clear;
	struct err e;

	if (env->n_recipients > X509_MAX_RECIPIENTS || env->content.len == 0)
		abort();
	for (size_t i = 0; i < env->n_recipients; i++) {
		const struct x509_recipient *r = &env->recipients[i];
		const struct x509_certificate named = { .issuer = r->issuer, .serial = r->serial, .key_id = r->key_id };

		if ((r->issuer.len > 0 || r->key_id.len > 0) && x509_enveloped_find(env, &named) == NULL)
			abort();
		buf_init(&clear, X509_ENVELOPED_MAX);
		if (i < 2)
			(void)!x509_enveloped_open(env, &named, key, &clear, &e);
		buf_wipe(&clear);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new(4 << 20);
	struct x509_enveloped env;
	struct err e;

	if (pool == NULL)
		return 0;
	if (key == NULL)
		make_recipient();
	if (size > 0 && data[0] == 'R')
		there_and_back((struct bytes){ data + 1, size - 1 }, pool);
	else if (x509_enveloped_read(&env, pool, (struct bytes){ data, size }, &e) == 0)
		use(&env);
	pool_free(pool);
	return 0;
}
