#include "x509/private_key.h"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "x509/key_priv.h"

DEFINE_AUTO(PKCS12, PKCS12_free)

struct x509_private_key *
x509_private_key_wrap(EVP_PKEY *key, struct err *e)
{
	struct x509_private_key *k = key != NULL ? calloc(1, sizeof(*k)) : NULL;

	if (k == NULL && key != NULL) {
		EVP_PKEY_free(key);
		ERR(e, E_OUTOFMEMORY, "no memory for a key");
	} else if (k != NULL) {
		k->pkey = key;
	}
	return k;
}

struct x509_private_key *
x509_private_key_make_rsa(
    unsigned bits, const struct rng *rng, const char *purpose, uint64_t id, struct err *e)
{
	struct x509_lib lib = { 0 };
	struct x509_private_key *k = NULL;
	unsigned char *der = NULL;
	const unsigned char *p;
	EVP_PKEY *made;
	int n;

	if (!rng->seeded)
		return x509_private_key_wrap(x509_key_generate(NULL, bits, NULL, rng, purpose, id, e), e);
	/* out of the seeded context into the default one, which has a life of its own */
	if (x509_seeded_lib_get(&lib, e) != 0)
		return NULL;
	made = x509_key_generate(lib.ctx, bits, NULL, rng, purpose, id, e);
	n = made != NULL ? i2d_PrivateKey(made, &der) : -1;
	EVP_PKEY_free(made);
	if (n <= 0)
		return NULL;
	p = der;
	made = d2i_AutoPrivateKey(NULL, &p, n);
	OPENSSL_clear_free(der, (size_t)n);
	if (made == NULL)
		ERR(e, NTE_FAIL, "making a key: %s", x509_openssl_reason());
	k = x509_private_key_wrap(made, e);
	return k;
}

/* ---- files ---- */

/* OpenSSL would ask on the terminal. */
static int
give_password(char *buf, int size, int writing, void *password)
{
	size_t n = password != NULL ? strlen(password) : 0;

	(void)writing;
	if (password == NULL || n > (size_t)size)
		return -1;
	memcpy(buf, password, n);
	return (int)n;
}

static EVP_PKEY *
from_pkcs12(BIO *in, const char *password)
{
	AUTO(PKCS12) *p12 = d2i_PKCS12_bio(in, NULL);
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;

	if (p12 == NULL || PKCS12_parse(p12, password != NULL ? password : "", &key, &cert, NULL) != 1)
		key = NULL;
	X509_free(cert);
	return key;
}

struct x509_private_key *
x509_private_key_load(const char *path, const char *password, struct err *e)
{
	AUTO(BIO) *in = BIO_new_file(path, "r");
	EVP_PKEY *key;

	if (in == NULL) {
		(void)x509_openssl_reason();
		ERR(e, E_FILE_NOT_FOUND, "%s cannot be read", path);
		return NULL;
	}
	key = PEM_read_bio_PrivateKey(in, NULL, give_password, (void *)(uintptr_t)password);
	if (key == NULL) {
		(void)x509_openssl_reason();
		if (BIO_seek(in, 0) == 0)
			key = from_pkcs12(in, password);
	}
	if (key == NULL)
		ERR(e, E_INVALID_DATA, "%s holds no private key, or the password is wrong: %s", path,
		    x509_openssl_reason());
	return x509_private_key_wrap(key, e);
}

int
x509_private_key_save(const struct x509_private_key *k, const char *path, struct err *e)
{
	AUTO(BIO) *pem = BIO_new(BIO_s_secmem()); /* wiped when freed */

	if (pem == NULL || PEM_write_bio_PKCS8PrivateKey(pem, k->pkey, NULL, NULL, 0, NULL, NULL) != 1)
		return ERR(e, NTE_FAIL, "encoding a private key: %s", x509_openssl_reason());
	return x509_write_new(path, 0600, pem, e);
}

void
x509_private_key_free(struct x509_private_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

/* ---- the public half ---- */

int
x509_private_key_spki(const struct x509_private_key *k, struct buf *out, struct err *e)
{
	return x509_put_spki(out, k->pkey, e);
}

bool
x509_private_key_fits(const struct x509_private_key *k, const struct x509_key_info *public_key)
{
	AUTO(EVP_PKEY) *other = public_key->type != X509_KEY_OTHER ? x509_key_pkey(public_key, NULL) : NULL;
	bool same = other != NULL && EVP_PKEY_eq(k->pkey, other) == 1;

	(void)x509_openssl_reason();
	return same;
}
