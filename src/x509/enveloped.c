/* EnvelopedData opened and made. Content keys live on the stack, and are wiped. */
#include "x509/enveloped.h"

#include <openssl/rsa.h>

#include "x509/enveloped_priv.h"

#define MAX_CONTENT_KEY 32
#define MAX_BLOCK 16
#define MAX_RSA_OCTETS 2048

DEFINE_AUTO(EVP_CIPHER, EVP_CIPHER_free)
DEFINE_AUTO(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)

static const struct bytes rsa_encryption = OID_RSA_ENCRYPTION_BODY;
static const struct bytes rsa_oaep = OID_RSA_OAEP_BODY;
static const struct bytes enveloped_data = OID_ENVELOPED_DATA_BODY;

/* ---- content ---- */

static int
run_cipher(const struct x509_cipher_info *info, bool encrypt, const uint8_t *key, const uint8_t *iv,
    struct bytes in, struct buf *out, struct err *e)
{
	AUTO(EVP_CIPHER) *cipher = EVP_CIPHER_fetch(NULL, info->name, NULL);
	AUTO(EVP_CIPHER_CTX) *ctx = EVP_CIPHER_CTX_new();
	uint8_t *to = buf_extend(out, in.len + MAX_BLOCK);
	int n = 0, last = 0;

	if (cipher == NULL || ctx == NULL || to == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %s: %s", info->name, x509_openssl_reason());
	if (EVP_CipherInit_ex2(ctx, cipher, key, iv, encrypt ? 1 : 0, NULL) != 1 ||
	    EVP_CipherUpdate(ctx, to, &n, in.p, (int)in.len) != 1 ||
	    EVP_CipherFinal_ex(ctx, to + n, &last) != 1) {
		(void)x509_openssl_reason();
		return ERR(e, E_INVALID_DATA, "the content does not decrypt");
	}
	out->len -= in.len + MAX_BLOCK - (size_t)(n + last);
	return 0;
}

/* ---- opening ---- */

static int
set_padding(EVP_PKEY_CTX *ctx, struct bytes algorithm, struct err *e)
{
	struct x509_algorithm a;
	int padding = 0;

	if (x509_algorithm_read(&a, algorithm, "keyEncryptionAlgorithm", e) != 0)
		return -1;
	if (bytes_equal(a.oid, rsa_encryption) && x509_algorithm_plain(&a))
		padding = RSA_PKCS1_PADDING;
	else if (bytes_equal(a.oid, rsa_oaep) && (a.params.raw.len == 0 || a.params.body.len == 0))
		padding = RSA_PKCS1_OAEP_PADDING; /* SHA-1 and MGF1 with it, the defaults */
	if (padding == 0)
		return ERR(e, CRYPT_E_UNKNOWN_ALGO, "the content key is encrypted in a way that is not ours");
	if (EVP_PKEY_CTX_set_rsa_padding(ctx, padding) != 1)
		return ERR(e, NTE_FAIL, "RSA decryption: %s", x509_openssl_reason());
	return 0;
}

/* A key that does not come out becomes a random one, and the content tells (RFC 3218 2.3.2): whoever sends
 * envelopes learns nothing about their padding. */
static int
open_key(const struct x509_recipient *r, const struct x509_private_key *key, uint8_t *out, size_t len,
    struct err *e)
{
	AUTO(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	uint8_t plain[MAX_RSA_OCTETS];
	size_t n = sizeof(plain);
	bool good;

	if (!EVP_PKEY_is_a(key->pkey, "RSA") || EVP_PKEY_get_size(key->pkey) > MAX_RSA_OCTETS)
		return ERR(e, CRYPT_E_UNKNOWN_ALGO, "the recipient's key is no RSA key");
	if (ctx == NULL || EVP_PKEY_decrypt_init(ctx) != 1)
		return ERR(e, NTE_FAIL, "RSA decryption: %s", x509_openssl_reason());
	if (set_padding(ctx, r->algorithm, e) != 0)
		return -1;
	rng_system(out, len);
	good = EVP_PKEY_decrypt(ctx, plain, &n, r->encrypted_key.p, r->encrypted_key.len) == 1 && n == len;
	if (good)
		memcpy(out, plain, len);
	explicit_bzero(plain, sizeof(plain));
	(void)x509_openssl_reason();
	return 0;
}

int
x509_enveloped_open(const struct x509_enveloped *env, const struct x509_certificate *certificate,
    const struct x509_private_key *key, struct buf *out, struct err *e)
{
	const struct x509_cipher_info *info = &x509_ciphers[env->cipher];
	const struct x509_recipient *r = x509_enveloped_find(env, certificate);
	uint8_t content_key[MAX_CONTENT_KEY];
	int rc;

	if (r == NULL)
		return ERR(e, CRYPT_E_NO_DECRYPT_CERT, "the certificate is not among the %zu recipients",
		    env->n_recipients);
	rc = open_key(r, key, content_key, info->key_len, e);
	if (rc == 0)
		rc = run_cipher(info, false, content_key, env->iv.p, env->content, out, e);
	explicit_bzero(content_key, sizeof(content_key));
	return rc;
}

/* ---- making ---- */

static void
put_algorithm(struct buf *out, struct bytes oid, const struct bytes *octets)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	der_put(out, DER_OID, oid);
	if (octets != NULL)
		der_put(out, DER_OCTET_STRING, *octets);
	else
		der_put_null(out);
	der_close(out, seq);
}

static int
put_encrypted_key(struct buf *out, const struct x509_lib *lib, const struct x509_certificate *to,
    struct bytes content_key, struct err *e)
{
	AUTO(EVP_PKEY) *known = to->key.type == X509_KEY_RSA ? x509_key_pkey(&to->key, e) : NULL;
	AUTO(EVP_PKEY) *key = NULL;
	AUTO(EVP_PKEY_CTX) *ctx = NULL;
	const unsigned char *p = to->key.spki.p;
	size_t n, octets;
	uint8_t *at;

	if (to->key.type != X509_KEY_RSA)
		return ERR(e, CRYPT_E_UNKNOWN_ALGO, "a recipient's key is no RSA key");
	if (known == NULL)
		return -1;
	/* in the context that its random numbers shall come from */
	key = d2i_PUBKEY_ex(NULL, &p, (long)to->key.spki.len, lib->ctx, NULL);
	ctx = key != NULL ? EVP_PKEY_CTX_new_from_pkey(lib->ctx, key, NULL) : NULL;
	octets = der_open(out, DER_OCTET_STRING);
	n = key != NULL ? (size_t)EVP_PKEY_get_size(key) : 0;
	at = buf_extend(out, n);
	if (ctx == NULL || at == NULL || EVP_PKEY_encrypt_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1 ||
	    EVP_PKEY_encrypt(ctx, at, &n, content_key.p, content_key.len) != 1)
		return ERR(e, NTE_FAIL, "RSA encryption: %s", x509_openssl_reason());
	der_close(out, octets);
	return 0;
}

static int
put_recipient(struct buf *out, const struct x509_lib *lib, const struct x509_certificate *to,
    struct bytes content_key, struct err *e)
{
	size_t info = der_open(out, DER_SEQUENCE), id;

	der_put_int64(out, 0);
	id = der_open(out, DER_SEQUENCE);
	buf_put_bytes(out, to->issuer);
	der_put(out, DER_INTEGER, to->serial);
	der_close(out, id);
	put_algorithm(out, rsa_encryption, NULL);
	if (put_encrypted_key(out, lib, to, content_key, e) != 0)
		return -1;
	der_close(out, info);
	return 0;
}

static int
put_content(struct buf *out, const struct x509_cipher_info *cipher, struct bytes key, struct bytes iv,
    struct bytes content, struct err *e)
{
	size_t info = der_open(out, DER_SEQUENCE), octets;

	der_put_oid(out, "1.2.840.113549.1.7.1");
	put_algorithm(out, cipher->oid, &iv);
	octets = der_open(out, DER_CONTEXT(0));
	if (run_cipher(cipher, true, key.p, iv.p, content, out, e) != 0)
		return -1;
	der_close(out, octets);
	der_close(out, info);
	return 0;
}

struct envelope {
	const struct x509_certificate *const *to;
	size_t n;
	const struct x509_cipher_info *cipher;
	struct bytes key, iv, content;
	struct x509_lib lib;
};

static int
put_enveloped(struct buf *out, const struct envelope *v, struct err *e)
{
	size_t outer = der_open(out, DER_SEQUENCE), explicit, data, infos;

	der_put(out, DER_OID, enveloped_data);
	explicit = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
	data = der_open(out, DER_SEQUENCE);
	der_put_int64(out, 0);
	infos = der_open(out, DER_SET);
	for (size_t i = 0; i < v->n; i++) {
		if (put_recipient(out, &v->lib, v->to[i], v->key, e) != 0)
			return err_prefix(e, "recipient %zu", i + 1);
	}
	der_close(out, infos);
	if (put_content(out, v->cipher, v->key, v->iv, v->content, e) != 0)
		return -1;
	der_close(out, data);
	der_close(out, explicit);
	der_close(out, outer);
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "no room for EnvelopedData");
}

int
x509_enveloped_put(struct buf *out, const struct x509_certificate *const *to, size_t n,
    enum x509_cipher cipher, struct bytes content, const struct rng *rng, const char *purpose, uint64_t id,
    struct err *e)
{
	const struct x509_cipher_info *info = &x509_ciphers[cipher];
	uint8_t key[MAX_CONTENT_KEY], iv[MAX_BLOCK];
	struct envelope v = { to, n, info, { key, info->key_len }, { iv, info->block }, content, { 0 } };
	struct rng_stream stream;
	size_t start = out->len;
	int rc = 0;

	if (rng->seeded)
		rc = x509_seeded_lib_get(&v.lib, e);
	rng_stream_init(&stream, rng, purpose, id);
	rng_bytes(&stream, key, info->key_len);
	rng_bytes(&stream, iv, info->block);
	if (rc == 0 && rng->seeded)
		x509_seeded_stream_set(&stream);
	if (rc == 0)
		rc = put_enveloped(out, &v, e);
	x509_seeded_stream_set(NULL);
	explicit_bzero(&stream, sizeof(stream));
	explicit_bzero(key, sizeof(key));
	if (rc != 0)
		out->len = start;
	return rc;
}
