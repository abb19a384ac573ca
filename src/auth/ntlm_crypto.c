#include "auth/ntlm_crypto_priv.h"

#include <limits.h>
#include <pthread.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>

static struct {
	pthread_once_t once;
	bool ready;
	OSSL_LIB_CTX *lib;
	EVP_MD *md4, *md5;
	EVP_CIPHER *rc4;
	EVP_MAC_CTX *hmac_md5; /* a template to duplicate: digest chosen, no key */
} crypto = { .once = PTHREAD_ONCE_INIT };

/* Runs once per process; what it makes stays until the process ends. */
static void
crypto_load_once(void)
{
	OSSL_PARAM md5[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){ "MD5" }, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *hmac;

	crypto.lib = OSSL_LIB_CTX_new();
	if (crypto.lib == NULL || OSSL_PROVIDER_load(crypto.lib, "default") == NULL ||
	    OSSL_PROVIDER_load(crypto.lib, "legacy") == NULL)
		return;
	crypto.md4 = EVP_MD_fetch(crypto.lib, "MD4", NULL);
	crypto.md5 = EVP_MD_fetch(crypto.lib, "MD5", NULL);
	crypto.rc4 = EVP_CIPHER_fetch(crypto.lib, "RC4", NULL);
	hmac = EVP_MAC_fetch(crypto.lib, "HMAC", NULL);
	crypto.hmac_md5 = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);
	EVP_MAC_free(hmac); /* the context holds it */
	if (crypto.hmac_md5 != NULL && EVP_MAC_CTX_set_params(crypto.hmac_md5, md5) != 1) {
		EVP_MAC_CTX_free(crypto.hmac_md5);
		crypto.hmac_md5 = NULL;
	}
	crypto.ready =
	    crypto.md4 != NULL && crypto.md5 != NULL && crypto.rc4 != NULL && crypto.hmac_md5 != NULL;
}

int
ntlm_crypto_load(struct err *e)
{
	if (pthread_once(&crypto.once, crypto_load_once) != 0 || !crypto.ready)
		return ERR(e, NTE_FAIL,
		    "OpenSSL's legacy provider (legacy.so: MD4, RC4) cannot be loaded; NTLM needs it");
	return 0;
}

static int
digest(EVP_MD *md, uint8_t out[16], const struct bytes *parts, size_t n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = ctx != NULL && EVP_DigestInit_ex2(ctx, md, NULL) == 1;

	for (size_t i = 0; ok && i < n; i++)
		ok = parts[i].len == 0 || EVP_DigestUpdate(ctx, parts[i].p, parts[i].len) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return ok ? 0 : -1;
}

int
ntlm_md4(uint8_t out[16], struct bytes in, struct err *e)
{
	if (ntlm_crypto_load(e) != 0)
		return -1;
	return digest(crypto.md4, out, &in, 1) == 0 ? 0 : ERR(e, NTE_FAIL, "MD4 failed");
}

int
ntlm_md5(uint8_t out[16], const struct bytes *parts, size_t n, struct err *e)
{
	if (ntlm_crypto_load(e) != 0)
		return -1;
	return digest(crypto.md5, out, parts, n) == 0 ? 0 : ERR(e, NTE_FAIL, "MD5 failed");
}

int
ntlm_hmac_md5(
    uint8_t out[16], const uint8_t key[NTLM_KEY_LEN], const struct bytes *parts, size_t n, struct err *e)
{
	EVP_MAC_CTX *ctx;
	size_t len = 0;
	int ok;

	if (ntlm_crypto_load(e) != 0)
		return -1;
	ctx = EVP_MAC_CTX_dup(crypto.hmac_md5);
	ok = ctx != NULL && EVP_MAC_init(ctx, key, NTLM_KEY_LEN, NULL) == 1;
	for (size_t i = 0; ok && i < n; i++)
		ok = parts[i].len == 0 || EVP_MAC_update(ctx, parts[i].p, parts[i].len) == 1;
	ok = ok && EVP_MAC_final(ctx, out, &len, 16) == 1 && len == 16;
	EVP_MAC_CTX_free(ctx);
	return ok ? 0 : ERR(e, NTE_FAIL, "HMAC-MD5 failed");
}

EVP_CIPHER_CTX *
ntlm_rc4_new(const uint8_t key[NTLM_KEY_LEN], struct err *e)
{
	EVP_CIPHER_CTX *rc4;

	if (ntlm_crypto_load(e) != 0)
		return NULL;
	rc4 = EVP_CIPHER_CTX_new();
	if (rc4 == NULL || ntlm_rc4_rekey(rc4, key, e) != 0) {
		EVP_CIPHER_CTX_free(rc4);
		(void)ERR(e, NTE_FAIL, "RC4 cannot be set up");
		return NULL;
	}
	return rc4;
}

int
ntlm_rc4_rekey(EVP_CIPHER_CTX *rc4, const uint8_t key[NTLM_KEY_LEN], struct err *e)
{
	if (EVP_EncryptInit_ex2(rc4, crypto.rc4, key, NULL, NULL) != 1)
		return ERR(e, NTE_FAIL, "RC4 cannot be set up");
	return 0;
}

int
ntlm_rc4_apply(EVP_CIPHER_CTX *rc4, uint8_t *p, size_t n, struct err *e)
{
	int done = 0;

	if (n == 0)
		return 0;
	if (n > INT_MAX || EVP_EncryptUpdate(rc4, p, &done, p, (int)n) != 1 || (size_t)done != n)
		return ERR(e, NTE_FAIL, "RC4 failed");
	return 0;
}
