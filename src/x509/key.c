/* Public keys: SubjectPublicKeyInfo read without OpenSSL's decoders, EVP_PKEY made from the numbers. */
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <string.h>

#include "x509/x509_priv.h"

/* RFC 3279 2.3.1, RFC 5480 2.1.1 */
static const struct bytes rsa_encryption = OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01");
static const struct bytes ec_public_key = OID_BODY("\x2a\x86\x48\xce\x3d\x02\x01");

static const struct curve {
	struct bytes oid;
	const char *name;
	unsigned bits;
} curves[] = {
	{ OID_BODY("\x2a\x86\x48\xce\x3d\x03\x01\x07"), "P-256", 256 },
	{ OID_BODY("\x2b\x81\x04\x00\x22"), "P-384", 384 },
	{ OID_BODY("\x2b\x81\x04\x00\x23"), "P-521", 521 },
};

#define RSA_MAX_BITS 16384 /* OpenSSL's own limit */

int
x509_algorithm_read(struct x509_algorithm *out, struct bytes raw, const char *what, struct err *e)
{
	struct der d = der_over(raw), in;

	*out = (struct x509_algorithm){ 0 };
	if (der_enter(&d, DER_SEQUENCE, &in, what, e) != 0 || der_finish(&d, what, e) != 0 ||
	    der_get_oid(&in, &out->oid, what, e) != 0)
		return -1;
	if (!der_at_end(&in) && der_next(&in, &out->params, what, e) != 0)
		return -1;
	return der_finish(&in, what, e);
}

bool
x509_algorithm_plain(const struct x509_algorithm *a)
{
	return a->params.raw.len == 0 || (a->params.tag == DER_NULL && a->params.body.len == 0);
}

struct rsa_numbers {
	struct bytes n, e; /* big-endian magnitudes without leading zeros */
};

static int
read_positive(struct der *d, struct bytes *out, const char *what, struct err *e)
{
	struct der_item it;

	if (der_expect(d, DER_INTEGER, &it, what, e) != 0)
		return -1;
	if (it.body.len == 0 || (it.body.p[0] & 0x80) != 0)
		return ERR(e, CRYPT_E_ASN1_BADTAG, "%s is not a positive number", what);
	if (it.body.p[0] == 0) {
		if (it.body.len > 1 && (it.body.p[1] & 0x80) == 0)
			return ERR(e, CRYPT_E_ASN1_BADTAG, "%s is not minimally encoded", what);
		it.body.p++;
		it.body.len--;
	}
	*out = it.body;
	return 0;
}

/* RSAPublicKey, RFC 8017 A.1.1. */
static int
read_rsa(struct rsa_numbers *out, struct bytes key_bits, struct err *e)
{
	struct der d = der_over(key_bits), in;

	if (der_enter(&d, DER_SEQUENCE, &in, "RSAPublicKey", e) != 0 ||
	    der_finish(&d, "RSAPublicKey", e) != 0 || read_positive(&in, &out->n, "RSA modulus", e) != 0 ||
	    read_positive(&in, &out->e, "RSA publicExponent", e) != 0)
		return -1;
	return der_finish(&in, "RSAPublicKey", e);
}

static unsigned
bit_length(struct bytes n)
{
	if (n.len == 0)
		return 0;
	return (unsigned)(n.len * 8) - (unsigned)(__builtin_clz(n.p[0]) - 24);
}

static const struct curve *
find_curve(const struct x509_algorithm *a)
{
	if (!bytes_equal(a->oid, ec_public_key) || a->params.tag != DER_OID)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
		if (bytes_equal(a->params.body, curves[i].oid))
			return &curves[i];
	}
	return NULL;
}

/* A key the lean reader does not know still has a size that policy wants. 0 when OpenSSL cannot read it
 * either. */
static unsigned
other_bits(struct bytes spki)
{
	const unsigned char *p = spki.p;
	AUTO(EVP_PKEY) *key = d2i_PUBKEY(NULL, &p, (long)spki.len);
	int bits = key != NULL ? EVP_PKEY_get_bits(key) : 0;

	if (key == NULL)
		(void)x509_openssl_reason();
	return bits > 0 ? (unsigned)bits : 0;
}

int
x509_key_read(struct x509_key_info *out, struct bytes spki, struct err *e)
{
	struct der d = der_over(spki), in;
	struct der_item alg_item;
	struct x509_algorithm alg;
	struct rsa_numbers rsa;
	const struct curve *curve;
	uint8_t unused;

	*out = (struct x509_key_info){ .type = X509_KEY_OTHER, .spki = spki };
	if (der_enter(&d, DER_SEQUENCE, &in, "subjectPKInfo", e) != 0 ||
	    der_finish(&d, "subjectPKInfo", e) != 0 ||
	    der_expect(&in, DER_SEQUENCE, &alg_item, "public key algorithm", e) != 0 ||
	    x509_algorithm_read(&alg, alg_item.raw, "public key algorithm", e) != 0 ||
	    der_get_bits(&in, &out->key_bits, &unused, "subjectPublicKey", e) != 0 ||
	    der_finish(&in, "subjectPKInfo", e) != 0)
		return -1;
	if (unused != 0)
		return ERR(e, CRYPT_E_ASN1_BADTAG, "subjectPublicKey has %d unused bits", unused);

	curve = find_curve(&alg);
	if (bytes_equal(alg.oid, rsa_encryption) && x509_algorithm_plain(&alg)) {
		if (read_rsa(&rsa, out->key_bits, e) != 0)
			return -1;
		out->type = X509_KEY_RSA;
		out->bits = bit_length(rsa.n);
	} else if (curve != NULL) {
		out->type = X509_KEY_EC;
		out->bits = curve->bits;
		out->curve = curve->name;
	} else {
		out->bits = other_bits(spki);
	}
	return 0;
}

/* OpenSSL would take an even exponent, and 1, which makes every signature forgeable. */
static int
check_rsa(const struct rsa_numbers *k, struct err *e)
{
	unsigned bits = bit_length(k->n);

	if (bits > RSA_MAX_BITS)
		return ERR(
		    e, NTE_BAD_PUBLIC_KEY, "RSA modulus has %u bits, more than %d", bits, RSA_MAX_BITS);
	if (k->n.len == 0 || (k->n.p[k->n.len - 1] & 1) == 0)
		return ERR(e, NTE_BAD_PUBLIC_KEY, "RSA modulus is even");
	if (k->e.len == 0 || (k->e.p[k->e.len - 1] & 1) == 0)
		return ERR(e, NTE_BAD_PUBLIC_KEY, "RSA public exponent is even");
	if (k->e.len == 1 && k->e.p[0] == 1)
		return ERR(e, NTE_BAD_PUBLIC_KEY, "RSA public exponent is 1");
	return 0;
}

/* SEC 1 2.3.3: compressed or uncompressed, of the curve's size. Whether it lies on the curve is OpenSSL's to
 * say. */
static int
check_point(const struct x509_key_info *key, struct err *e)
{
	size_t n = (key->bits + 7) / 8;
	struct bytes pt = key->key_bits;

	if (pt.len == 1 + 2 * n && pt.p[0] == 0x04)
		return 0;
	if (pt.len == 1 + n && (pt.p[0] == 0x02 || pt.p[0] == 0x03))
		return 0;
	return ERR(e, NTE_BAD_PUBLIC_KEY, "EC point of %zu octets does not fit %s", pt.len, key->curve);
}

static EVP_PKEY *
from_params(const char *type, OSSL_PARAM *params)
{
	AUTO(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	return key;
}

/* OSSL_PARAM carries numbers in the machine's byte order. */
static void
native_number(uint8_t *out, struct bytes big_endian)
{
	for (size_t i = 0; i < big_endian.len; i++)
		out[__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? big_endian.len - 1 - i : i] = big_endian.p[i];
}

static EVP_PKEY *
rsa_pkey(const struct x509_key_info *key, struct err *e)
{
	struct rsa_numbers k;
	uint8_t n[RSA_MAX_BITS / 8], exponent[RSA_MAX_BITS / 8];
	OSSL_PARAM params[3];
	EVP_PKEY *out;

	if (read_rsa(&k, key->key_bits, e) != 0 || check_rsa(&k, e) != 0)
		return NULL;
	if (k.e.len > k.n.len) {
		ERR(e, NTE_BAD_PUBLIC_KEY, "RSA public exponent is longer than the modulus");
		return NULL;
	}
	native_number(n, k.n);
	native_number(exponent, k.e);
	params[0] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, k.n.len);
	params[1] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, exponent, k.e.len);
	params[2] = OSSL_PARAM_construct_end();
	out = from_params("RSA", params);
	if (out == NULL)
		ERR(e, NTE_BAD_PUBLIC_KEY, "RSA key: %s", x509_openssl_reason());
	return out;
}

static EVP_PKEY *
ec_pkey(const struct x509_key_info *key, struct err *e)
{
	char group[8];
	OSSL_PARAM params[3];
	EVP_PKEY *out;

	if (check_point(key, e) != 0)
		return NULL;
	strcpy(group, key->curve);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(
	    OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)key->key_bits.p, key->key_bits.len);
	params[2] = OSSL_PARAM_construct_end();
	out = from_params("EC", params);
	if (out == NULL)
		ERR(e, NTE_BAD_PUBLIC_KEY, "%s key: %s", key->curve, x509_openssl_reason());
	return out;
}

EVP_PKEY *
x509_key_pkey(const struct x509_key_info *key, struct err *e)
{
	return key->type == X509_KEY_RSA ? rsa_pkey(key, e) : ec_pkey(key, e);
}
