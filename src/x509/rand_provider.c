/*
 * A provider with one random generator. OpenSSL 3.0 knows no deterministic ECDSA nonces, so a seeded CA gives
 * its library context this generator instead: it hands out the calling thread's current rng_stream. No
 * stream, no numbers: a draw that nobody planned fails instead of making two runs differ.
 */
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <pthread.h>

#include "x509/x509_priv.h"

#define PROVIDER_NAME "adcsd-seeded"
#define GENERATOR_NAME "ADCSD-STREAM"
#define GENERATOR_PROPERTIES "provider=adcsd-seeded"
#define MAX_DRAW ((size_t)1 << 20)
#define STRENGTH 256

static _Thread_local struct rng_stream *current;

void
x509_seeded_stream_set(struct rng_stream *s)
{
	current = s;
}

/* ---- the generator ---- */

struct generator {
	int state;
};

static void *
generator_new(void *provider, void *parent, const OSSL_DISPATCH *parent_calls)
{
	struct generator *g = OPENSSL_zalloc(sizeof(*g));

	(void)provider;
	(void)parent;
	(void)parent_calls;
	if (g != NULL)
		g->state = EVP_RAND_STATE_UNINITIALISED;
	return g;
}

static void
generator_free(void *vg)
{
	OPENSSL_free(vg);
}

static int
generator_instantiate(void *vg, unsigned int strength, int prediction_resistance,
    const unsigned char *personal, size_t personal_len, const OSSL_PARAM params[])
{
	struct generator *g = vg;

	(void)prediction_resistance;
	(void)personal;
	(void)personal_len;
	(void)params;
	if (strength > STRENGTH)
		return 0;
	g->state = EVP_RAND_STATE_READY;
	return 1;
}

static int
generator_uninstantiate(void *vg)
{
	struct generator *g = vg;

	g->state = EVP_RAND_STATE_UNINITIALISED;
	return 1;
}

static int
generator_generate(void *vg, unsigned char *out, size_t n, unsigned int strength, int prediction_resistance,
    const unsigned char *more, size_t more_len)
{
	(void)vg;
	(void)prediction_resistance;
	(void)more;
	(void)more_len;
	if (current == NULL || strength > STRENGTH)
		return 0;
	rng_bytes(current, out, n);
	return 1;
}

static int
generator_enable_locking(void *vg)
{
	(void)vg; /* nothing is shared: the stream is the thread's own */
	return 1;
}

static int
generator_lock(void *vg)
{
	(void)vg;
	return 1;
}

static void
generator_unlock(void *vg)
{
	(void)vg;
}

static const OSSL_PARAM *
generator_gettable(void *vg, void *provider)
{
	static const OSSL_PARAM known[] = {
		OSSL_PARAM_int(OSSL_RAND_PARAM_STATE, NULL),
		OSSL_PARAM_uint(OSSL_RAND_PARAM_STRENGTH, NULL),
		OSSL_PARAM_size_t(OSSL_RAND_PARAM_MAX_REQUEST, NULL),
		OSSL_PARAM_END,
	};

	(void)vg;
	(void)provider;
	return known;
}

static int
generator_get_params(void *vg, OSSL_PARAM params[])
{
	struct generator *g = vg;
	OSSL_PARAM *p;

	p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STATE);
	if (p != NULL && !OSSL_PARAM_set_int(p, g->state))
		return 0;
	p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STRENGTH);
	if (p != NULL && !OSSL_PARAM_set_uint(p, STRENGTH))
		return 0;
	p = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_MAX_REQUEST);
	if (p != NULL && !OSSL_PARAM_set_size_t(p, MAX_DRAW))
		return 0;
	return 1;
}

static const OSSL_DISPATCH generator_calls[] = {
	{ OSSL_FUNC_RAND_NEWCTX, (void (*)(void))generator_new },
	{ OSSL_FUNC_RAND_FREECTX, (void (*)(void))generator_free },
	{ OSSL_FUNC_RAND_INSTANTIATE, (void (*)(void))generator_instantiate },
	{ OSSL_FUNC_RAND_UNINSTANTIATE, (void (*)(void))generator_uninstantiate },
	{ OSSL_FUNC_RAND_GENERATE, (void (*)(void))generator_generate },
	{ OSSL_FUNC_RAND_ENABLE_LOCKING, (void (*)(void))generator_enable_locking },
	{ OSSL_FUNC_RAND_LOCK, (void (*)(void))generator_lock },
	{ OSSL_FUNC_RAND_UNLOCK, (void (*)(void))generator_unlock },
	{ OSSL_FUNC_RAND_GETTABLE_CTX_PARAMS, (void (*)(void))generator_gettable },
	{ OSSL_FUNC_RAND_GET_CTX_PARAMS, (void (*)(void))generator_get_params },
	{ 0, NULL },
};

/* ---- the provider ---- */

static const OSSL_ALGORITHM *
provider_query(void *provider, int operation, int *no_cache)
{
	static const OSSL_ALGORITHM generators[] = {
		{ GENERATOR_NAME, GENERATOR_PROPERTIES, generator_calls, "streams of base/rng" },
		{ NULL, NULL, NULL, NULL },
	};

	(void)provider;
	*no_cache = 0;
	return operation == OSSL_OP_RAND ? generators : NULL;
}

static int
provider_init(
    const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out, void **provider)
{
	static const OSSL_DISPATCH calls[] = {
		{ OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))provider_query },
		{ 0, NULL },
	};

	(void)in;
	*provider = (void *)(uintptr_t)handle;
	*out = calls;
	return 1;
}

static OSSL_LIB_CTX *
make_context(void)
{
	OSSL_LIB_CTX *ctx = OSSL_LIB_CTX_new();

	if (ctx != NULL && OSSL_PROVIDER_add_builtin(ctx, PROVIDER_NAME, provider_init) == 1 &&
	    OSSL_PROVIDER_load(ctx, PROVIDER_NAME) != NULL && OSSL_PROVIDER_load(ctx, "default") != NULL &&
	    RAND_set_DRBG_type(ctx, GENERATOR_NAME, GENERATOR_PROPERTIES, NULL, NULL) == 1)
		return ctx;
	OSSL_LIB_CTX_free(ctx); /* nobody else has seen it */
	return NULL;
}

int
x509_seeded_lib_get(struct x509_lib *lib, struct err *e)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static OSSL_LIB_CTX *shared;

	pthread_mutex_lock(&lock);
	if (shared == NULL)
		shared = make_context();
	lib->ctx = shared;
	pthread_mutex_unlock(&lock);
	return lib->ctx != NULL ? 0 : ERR(e, NTE_FAIL, "seeded library context: %s", x509_openssl_reason());
}
