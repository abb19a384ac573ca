/* Primes or a secret number out of the blob; everything else follows from them and the public key. */
#include "x509/key_blob.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "x509/key_priv.h"

#define PRIVATEKEYBLOB 7
#define BLOB_VERSION 2
#define CALG_RSA_KEYX 0xA400u
#define BLOB_HEADER 20 /* PUBLICKEYSTRUC, RSAPUBKEY */
#define BCRYPT_RSA_HEADER 24
#define MAGIC_RSA2 0x32415352u /* private, with primes */
#define MAGIC_RSA3 0x33415352u /* the same and the rest behind */
#define MAX_RSA_BITS 8192
#define MAX_FIELD 66 /* octets of P-521 */

DEFINE_AUTO(BIGNUM, BN_clear_free)
DEFINE_AUTO(BN_CTX, BN_CTX_free)
DEFINE_AUTO(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
DEFINE_AUTO(OSSL_PARAM, OSSL_PARAM_free)

static int
malformed(struct err *e, const char *why)
{
	return ERR(e, CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL, "the private key blob %s (MS-WCCE 2.2.2.9)", why);
}

static int
mismatch(struct err *e)
{
	return ERR(
	    e, NTE_BAD_PUBLIC_KEY, "the private key is not that of the public key (MS-WCCE 3.2.2.6.2.1.2.2)");
}

/* ---- RSA ---- */

struct rsa_parts {
	BIGNUM *n, *e, *p, *q, *d, *dp, *dq, *qinv;
};

static void
rsa_parts_free(struct rsa_parts *r)
{
	BIGNUM **all[] = { &r->n, &r->e, &r->p, &r->q, &r->d, &r->dp, &r->dq, &r->qinv };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		BN_clear_free(*all[i]);
}

/* p * q = n, and the secret exponent undoes the public one; not that p and q are primes, which only costs
 * the client its key. */
static int
complete(struct rsa_parts *r, BN_CTX *ctx, struct err *e)
{
	AUTO(BIGNUM) *p1 = BN_secure_new();
	AUTO(BIGNUM) *q1 = BN_secure_new();
	AUTO(BIGNUM) *t = BN_secure_new();
	AUTO(BIGNUM) *g = BN_secure_new();

	if (p1 == NULL || q1 == NULL || t == NULL || g == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a private key");
	if (BN_num_bits(r->p) < 2 || BN_num_bits(r->q) < 2 || !BN_is_odd(r->p) || !BN_is_odd(r->q) ||
	    BN_mul(t, r->p, r->q, ctx) != 1 || BN_cmp(t, r->n) != 0)
		return mismatch(e);
	if (BN_copy(p1, r->p) == NULL || BN_copy(q1, r->q) == NULL || BN_sub_word(p1, 1) != 1 ||
	    BN_sub_word(q1, 1) != 1 || BN_mul(t, p1, q1, ctx) != 1 || BN_gcd(g, p1, q1, ctx) != 1 ||
	    BN_div(t, NULL, t, g, ctx) != 1)
		return ERR(e, E_OUTOFMEMORY, "no memory for a private key");
	r->d = BN_secure_new();
	r->dp = BN_secure_new();
	r->dq = BN_secure_new();
	r->qinv = BN_secure_new();
	if (r->d == NULL || r->dp == NULL || r->dq == NULL || r->qinv == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a private key");
	BN_set_flags(t, BN_FLG_CONSTTIME);
	BN_set_flags(r->p, BN_FLG_CONSTTIME);
	if (BN_mod_inverse(r->d, r->e, t, ctx) == NULL || BN_mod(r->dp, r->d, p1, ctx) != 1 ||
	    BN_mod(r->dq, r->d, q1, ctx) != 1 || BN_mod_inverse(r->qinv, r->q, r->p, ctx) == NULL) {
		(void)x509_openssl_reason();
		return mismatch(e);
	}
	/* 2 to the e, to the d, is 2 again */
	if (BN_set_word(t, 2) != 1 || BN_mod_exp(t, t, r->e, r->n, ctx) != 1 ||
	    BN_mod_exp_mont_consttime(t, t, r->d, r->n, ctx, NULL) != 1 || !BN_is_word(t, 2)) {
		(void)x509_openssl_reason();
		return mismatch(e);
	}
	return 0;
}

static EVP_PKEY *
from_parts(const struct rsa_parts *r)
{
	AUTO(OSSL_PARAM_BLD) *bld = OSSL_PARAM_BLD_new();
	AUTO(OSSL_PARAM) *params = NULL;
	AUTO(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;

	if (bld == NULL || OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, r->n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, r->e) != 1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_D, r->d) != 1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_FACTOR1, r->p) != 1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_FACTOR2, r->q) != 1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_EXPONENT1, r->dp) != 1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_EXPONENT2, r->dq) != 1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, r->qinv) != 1)
		return NULL;
	params = OSSL_PARAM_BLD_to_param(bld);
	if (ctx == NULL || params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		return NULL;
	return key;
}

static EVP_PKEY *
rsa_from_primes(
    struct bytes p, struct bytes q, bool little, const struct x509_key_info *public_key, struct err *e)
{
	AUTO(EVP_PKEY) *known = public_key->type == X509_KEY_RSA ? x509_key_pkey(public_key, e) : NULL;
	AUTO(BN_CTX) *ctx = BN_CTX_secure_new();
	struct rsa_parts r = { 0 };
	EVP_PKEY *key = NULL;

	if (public_key->type != X509_KEY_RSA) {
		mismatch(e);
		return NULL;
	}
	if (known == NULL)
		return NULL;
	r.p = BN_secure_new();
	r.q = BN_secure_new();
	if (ctx == NULL || r.p == NULL || r.q == NULL ||
	    EVP_PKEY_get_bn_param(known, OSSL_PKEY_PARAM_RSA_N, &r.n) != 1 ||
	    EVP_PKEY_get_bn_param(known, OSSL_PKEY_PARAM_RSA_E, &r.e) != 1 ||
	    (little ? BN_lebin2bn : BN_bin2bn)(p.p, (int)p.len, r.p) == NULL ||
	    (little ? BN_lebin2bn : BN_bin2bn)(q.p, (int)q.len, r.q) == NULL)
		ERR(e, E_OUTOFMEMORY, "no memory for a private key");
	else if (complete(&r, ctx, e) == 0 && (key = from_parts(&r)) == NULL)
		ERR(e, NTE_FAIL, "the private key cannot be used: %s", x509_openssl_reason());
	rsa_parts_free(&r);
	return key;
}

/* 2.2.2.9.1: everything little-endian. */
static EVP_PKEY *
read_capi(struct bytes blob, const struct x509_key_info *public_key, struct err *e)
{
	size_t whole, half;
	uint32_t bits;

	if (blob.len < BLOB_HEADER || blob.p[1] != BLOB_VERSION || get_u32le(blob.p + 4) != CALG_RSA_KEYX ||
	    get_u32le(blob.p + 8) != MAGIC_RSA2) {
		malformed(e, "is not of an RSA key for key exchange");
		return NULL;
	}
	bits = get_u32le(blob.p + 12);
	if (bits < 64 || bits > MAX_RSA_BITS) {
		malformed(e, "has no sensible length of the modulus");
		return NULL;
	}
	whole = (bits + 7) / 8;
	half = (bits + 15) / 16;
	if (blob.len - BLOB_HEADER < 2 * whole + 5 * half) {
		malformed(e, "ends early");
		return NULL;
	}
#ifdef ADCSD_PLANTED_BUG_X509_KEY_BLOB /* proves that the fuzz target gets this far: believes the exponent   \
					*/
	volatile uint8_t seen[65538] = { 0 };

	seen[get_u32le(blob.p + 16)] = 1;
#endif
	return rsa_from_primes((struct bytes){ blob.p + BLOB_HEADER + whole, half },
	    (struct bytes){ blob.p + BLOB_HEADER + whole + half, half }, true, public_key, e);
}

static uint32_t
get_u32be(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* 2.2.2.9.2: magic, bits, octets of the exponent, the modulus, the primes; then these, big-endian. */
static EVP_PKEY *
read_bcrypt_rsa(struct bytes blob, bool big_header, const struct x509_key_info *public_key, struct err *e)
{
	uint32_t (*get)(const uint8_t *) = big_header ? get_u32be : get_u32le;
	size_t skip, p, q, left;

	if (blob.len < BCRYPT_RSA_HEADER) {
		malformed(e, "ends early");
		return NULL;
	}
	left = blob.len - BCRYPT_RSA_HEADER;
	if (get(blob.p + 8) > MAX_RSA_BITS / 8 || get(blob.p + 12) > MAX_RSA_BITS / 8 ||
	    get(blob.p + 16) > MAX_RSA_BITS / 8 || get(blob.p + 20) > MAX_RSA_BITS / 8) {
		malformed(e, "has no sensible lengths");
		return NULL;
	}
	skip = (size_t)get(blob.p + 8) + get(blob.p + 12);
	p = get(blob.p + 16);
	q = get(blob.p + 20);
	if (left < skip + p + q) {
		malformed(e, "ends early");
		return NULL;
	}
	return rsa_from_primes((struct bytes){ blob.p + BCRYPT_RSA_HEADER + skip, p },
	    (struct bytes){ blob.p + BCRYPT_RSA_HEADER + skip + p, q }, false, public_key, e);
}

/* ---- EC ---- */

static const struct ecdh_kind {
	uint32_t magic; /* BCRYPT_ECDH_PRIVATE_P*_MAGIC, BCRYPT_ECDSA_PRIVATE_P*_MAGIC */
	const char *curve;
	uint32_t octets;
} ecdh_kinds[] = {
	{ 0x32534345u, "P-256", 32 },
	{ 0x34534345u, "P-384", 48 },
	{ 0x36534345u, "P-521", 66 },
	{ 0x324B4345u, "P-256", 32 },
	{ 0x344B4345u, "P-384", 48 },
	{ 0x364B4345u, "P-521", 66 },
};

static const struct ecdh_kind *
find_ecdh(uint32_t magic)
{
	for (size_t i = 0; i < ARRAY_LEN(ecdh_kinds); i++) {
		if (ecdh_kinds[i].magic == magic)
			return &ecdh_kinds[i];
	}
	return NULL;
}

static EVP_PKEY *
ec_from_secret(const struct ecdh_kind *kind, struct bytes secret, bool little, struct bytes point)
{
	AUTO(BIGNUM) *d = BN_secure_new();
	AUTO(OSSL_PARAM_BLD) *bld = OSSL_PARAM_BLD_new();
	AUTO(OSSL_PARAM) *params = NULL;
	AUTO(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	AUTO(EVP_PKEY) *key = NULL;
	AUTO(EVP_PKEY_CTX) *check = NULL;

	if (d == NULL || bld == NULL || ctx == NULL ||
	    (little ? BN_lebin2bn : BN_bin2bn)(secret.p, (int)secret.len, d) == NULL ||
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, kind->curve, 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point.p, point.len) != 1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, d) != 1)
		return NULL;
	params = OSSL_PARAM_BLD_to_param(bld);
	if (params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
		return NULL;
	check = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	return check != NULL && EVP_PKEY_pairwise_check(check) == 1 ? STEAL(key) : NULL;
}

/* 2.2.2.9.3: magic, length, then X, Y and the secret number of that length. */
static EVP_PKEY *
read_ecdh(
    const struct ecdh_kind *kind, struct bytes blob, const struct x509_key_info *public_key, struct err *e)
{
	struct bytes secret;
	EVP_PKEY *key;

	if (blob.len < 8 || get_u32le(blob.p + 4) != kind->octets ||
	    blob.len - 8 < 3 * (size_t)kind->octets) {
		malformed(e, "ends early");
		return NULL;
	}
	secret = (struct bytes){ blob.p + 8 + 2 * (size_t)kind->octets, kind->octets };
	if (public_key->type != X509_KEY_EC || strcmp(public_key->curve, kind->curve) != 0) {
		mismatch(e);
		return NULL;
	}
	key = ec_from_secret(kind, secret, false, public_key->key_bits);
	if (key == NULL)
		key = ec_from_secret(kind, secret, true, public_key->key_bits);
	(void)x509_openssl_reason();
	if (key == NULL)
		mismatch(e);
	return key;
}

struct x509_private_key *
x509_key_blob_read(struct bytes blob, const struct x509_key_info *public_key, struct err *e)
{
	const struct ecdh_kind *kind;
	EVP_PKEY *key = NULL;
	uint32_t magic;

	if (blob.len < 8 || blob.len > X509_KEY_BLOB_MAX) {
		malformed(e, "is too short or too long");
		return NULL;
	}
	magic = get_u32le(blob.p);
	kind = find_ecdh(magic);
	if (blob.p[0] == PRIVATEKEYBLOB)
		key = read_capi(blob, public_key, e);
	else if (magic == MAGIC_RSA2 || magic == MAGIC_RSA3)
		key = read_bcrypt_rsa(blob, false, public_key, e);
	else if (get_u32be(blob.p) == MAGIC_RSA2)
		key = read_bcrypt_rsa(blob, true, public_key, e);
	else if (kind != NULL)
		key = read_ecdh(kind, blob, public_key, e);
	else
		malformed(e, "is of no known kind");
	return x509_private_key_wrap(key, e);
}
