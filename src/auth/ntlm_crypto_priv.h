/*
 * The four old algorithms NTLM is made of. MD4 and RC4 live in OpenSSL's legacy provider, which is loaded
 * into a library context of our own: the default context never offers them. Everything is fetched once.
 */
#ifndef ADCSD_AUTH_NTLM_CRYPTO_PRIV_H
#define ADCSD_AUTH_NTLM_CRYPTO_PRIV_H

#include <openssl/types.h>

#include "base/buf.h"

#define NTLM_KEY_LEN 16

/* Loads the algorithms, or says what is missing. Every other function calls it too; thread-safe. */
int
ntlm_crypto_load(struct err *e) MUST_CHECK;

int
ntlm_md4(uint8_t out[16], struct bytes in, struct err *e) MUST_CHECK;
/* Over the parts one after the other. */
int
ntlm_md5(uint8_t out[16], const struct bytes *parts, size_t n, struct err *e) MUST_CHECK;
int
ntlm_hmac_md5(uint8_t out[16], const uint8_t key[NTLM_KEY_LEN], const struct bytes *parts, size_t n,
    struct err *e) MUST_CHECK;

/* A running RC4 key stream. Freed with EVP_CIPHER_CTX_free(), which wipes it. */
EVP_CIPHER_CTX *
ntlm_rc4_new(const uint8_t key[NTLM_KEY_LEN], struct err *e) MUST_CHECK;
/* Starts the stream anew. */
int
ntlm_rc4_rekey(EVP_CIPHER_CTX *rc4, const uint8_t key[NTLM_KEY_LEN], struct err *e) MUST_CHECK;
/* In place; the stream moves on. */
int
ntlm_rc4_apply(EVP_CIPHER_CTX *rc4, uint8_t *p, size_t n, struct err *e) MUST_CHECK;

#endif
