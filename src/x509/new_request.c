#include "x509/new_request.h"

#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "x509/x509_priv.h"

#define RSA_LEAST 1024
#define RSA_MOST 16384

struct x509_new_key {
	EVP_PKEY *pkey;
	bool rsa;
};

static EVP_PKEY *
generate(const char *spec, bool *rsa)
{
	static const char *const curves[] = { "P-256", "P-384", "P-521" };
	char *end;

	*rsa = strncasecmp(spec, "rsa:", 4) == 0;
	if (*rsa && spec[4] >= '1' && spec[4] <= '9') {
		unsigned long bits = strtoul(spec + 4, &end, 10);

		if (*end == '\0' && bits >= RSA_LEAST && bits <= RSA_MOST)
			return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
	}
	for (size_t i = 0; strncasecmp(spec, "ec:", 3) == 0 && i < ARRAY_LEN(curves); i++)
		if (strcasecmp(spec + 3, curves[i]) == 0)
			return EVP_PKEY_Q_keygen(NULL, NULL, "EC", curves[i]);
	return NULL;
}

struct x509_new_key *
x509_new_key_make(const char *spec, struct err *e)
{
	struct x509_new_key *k = calloc(1, sizeof(*k));

	if (k == NULL) {
		(void)ERR(e, E_OUTOFMEMORY, "no memory for a key");
		return NULL;
	}
	k->pkey = generate(spec, &k->rsa);
	if (k->pkey != NULL)
		return k;
	(void)ERR(e, E_INVALIDARG, "'%.40s' is no key: rsa:%d to rsa:%d, ec:P-256, ec:P-384, ec:P-521", spec,
	    RSA_LEAST, RSA_MOST);
	free(k);
	return NULL;
}

void
x509_new_key_free(struct x509_new_key *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

int
x509_new_key_spki(const struct x509_new_key *k, struct buf *out, struct err *e)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(k->pkey, &der);

	if (n <= 0)
		return ERR(e, NTE_FAIL, "encoding the public key: %s", x509_openssl_reason());
	buf_put(out, der, (size_t)n);
	OPENSSL_free(der);
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "no room for the public key");
}

int
x509_new_key_pem(const struct x509_new_key *k, struct buf *out, struct err *e)
{
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long n;

	if (bio == NULL || PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL, NULL) != 1)
		return ERR(e, NTE_FAIL, "encoding the private key: %s", x509_openssl_reason());
	n = BIO_get_mem_data(bio, &text);
	buf_put(out, text, (size_t)n);
	OPENSSL_cleanse(text, (size_t)n);
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "no room for the private key");
}

int
x509_new_request_sign(const struct x509_new_key *k, struct bytes info, struct buf *out, struct err *e)
{
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	size_t n = (size_t)EVP_PKEY_get_size(k->pkey), request, algorithm;
	uint8_t sig[RSA_MOST / 8];

	if (ctx == NULL || n > sizeof(sig) ||
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, k->pkey) != 1 ||
	    EVP_DigestSign(ctx, sig, &n, info.p, info.len) != 1)
		return ERR(e, NTE_FAIL, "signing the request: %s", x509_openssl_reason());
	request = der_open(out, DER_SEQUENCE);
	buf_put_bytes(out, info);
	algorithm = der_open(out, DER_SEQUENCE);
	der_put_oid(out, k->rsa ? "1.2.840.113549.1.1.11" : "1.2.840.10045.4.3.2");
	if (k->rsa)
		der_put_null(out);
	der_close(out, algorithm);
	der_put_bits(out, (struct bytes){ sig, n }, 0);
	der_close(out, request);
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "no room for the request");
}
