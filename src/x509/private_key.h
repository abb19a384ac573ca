/*
 * Private keys other than the CA's: the CA's exchange keys, which clients encrypt archived keys to, and, in
 * adcsctl, those of key recovery agents. A key is immutable: any number of threads may use one.
 */
#ifndef ADCSD_X509_PRIVATE_KEY_H
#define ADCSD_X509_PRIVATE_KEY_H

#include "base/rng.h"
#include "x509/request.h"

struct x509_private_key;

/* An RSA key; purpose and id name the randomness stream of a seeded CA. NTE_FAIL. */
struct x509_private_key *
x509_private_key_make_rsa(
    unsigned bits, const struct rng *rng, const char *purpose, uint64_t id, struct err *e) MUST_CHECK;
/* PEM or, where the password is not NULL or the file is no PEM, PKCS #12. E_FILE_NOT_FOUND, E_INVALID_DATA.
 */
struct x509_private_key *
x509_private_key_load(const char *path, const char *password, struct err *e) MUST_CHECK;
/* A new PEM file, 0600; never over an existing one (E_ALREADY_EXISTS). */
int
x509_private_key_save(const struct x509_private_key *k, const char *path, struct err *e) MUST_CHECK;
/* NULL is fine. */
void
x509_private_key_free(struct x509_private_key *k);

/* Appends SubjectPublicKeyInfo. */
int
x509_private_key_spki(const struct x509_private_key *k, struct buf *out, struct err *e) MUST_CHECK;
/* Whether it is the other half of the public key. */
bool
x509_private_key_fits(const struct x509_private_key *k, const struct x509_key_info *public_key);

#endif
