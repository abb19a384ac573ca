/* Private keys, among the files that make, read and use them. */
#ifndef ADCSD_X509_KEY_PRIV_H
#define ADCSD_X509_KEY_PRIV_H

#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "x509/private_key.h"
#include "x509/x509_priv.h"

struct x509_private_key {
	EVP_PKEY *pkey;
};

/* Takes the key, also when it fails; NULL for NULL, with e as it is. */
struct x509_private_key *
x509_private_key_wrap(EVP_PKEY *key, struct err *e);

/* rsa_bits 0: an EC key on the curve. purpose and id name the randomness stream of a seeded CA. */
EVP_PKEY *
x509_key_generate(OSSL_LIB_CTX *lib, unsigned rsa_bits, const char *curve, const struct rng *rng,
    const char *purpose, uint64_t id, struct err *e) MUST_CHECK;
int
x509_put_spki(struct buf *out, EVP_PKEY *key, struct err *e) MUST_CHECK;
/* Writes a memory BIO. Never over an existing file: what stands there may be somebody's only key. */
int
x509_write_new(const char *path, mode_t mode, BIO *pem, struct err *e) MUST_CHECK;

#endif
