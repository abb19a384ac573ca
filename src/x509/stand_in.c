/* Public keys nobody holds, for rehearsals: the right type and length, and well-formed. */
#include <openssl/ec.h>
#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "x509/x509_priv.h"

#define RSA_LEAST 384
#define RSA_MOST 16384

static int
put_rsa(struct buf *out, unsigned bits, struct err *e)
{
	uint8_t modulus[RSA_MOST / 8], exponent[] = { 1, 0, 1 };
	size_t n = (bits + 7) / 8, spki = der_open(out, DER_SEQUENCE), alg = der_open(out, DER_SEQUENCE),
	       string, key;

	memset(modulus, 0x5a, n);
	modulus[0] = (uint8_t)(1u << ((bits - 1) % 8));
	modulus[n - 1] |= 1;
	der_put_oid(out, "1.2.840.113549.1.1.1");
	der_put_null(out);
	der_close(out, alg);
	string = der_open(out, DER_BIT_STRING);
	buf_put_u8(out, 0);
	key = der_open(out, DER_SEQUENCE);
	der_put_uint(out, (struct bytes){ modulus, n });
	der_put_uint(out, (struct bytes){ exponent, sizeof(exponent) });
	der_close(out, key);
	der_close(out, string);
	der_close(out, spki);
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "no room for a key");
}

/* The curve's base point: the public key whose private half is 1. */
static int
put_ec(struct buf *out, const char *oid, int nid, struct err *e)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(nid);
	size_t spki, alg, n = 0;
	uint8_t point[160];

	if (group != NULL)
		n = EC_POINT_point2oct(group, EC_GROUP_get0_generator(group), POINT_CONVERSION_UNCOMPRESSED,
		    point, sizeof(point), NULL);
	EC_GROUP_free(group);
	if (n == 0)
		return ERR(e, E_UNEXPECTED, "curve %s: %s", oid, x509_openssl_reason());
	spki = der_open(out, DER_SEQUENCE);
	alg = der_open(out, DER_SEQUENCE);
	der_put_oid(out, "1.2.840.10045.2.1");
	der_put_oid(out, oid);
	der_close(out, alg);
	der_put_bits(out, (struct bytes){ point, n }, 0);
	der_close(out, spki);
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "no room for a key");
}

int
x509_key_stand_in(struct buf *out, const char *spec, struct err *e)
{
	static const struct {
		const char *name, *oid;
		int nid;
	} curves[] = {
		{ "P-256", "1.2.840.10045.3.1.7", NID_X9_62_prime256v1 },
		{ "P-384", "1.3.132.0.34", NID_secp384r1 },
		{ "P-521", "1.3.132.0.35", NID_secp521r1 },
	};
	char *end;

	if (strncasecmp(spec, "rsa:", 4) == 0 && spec[4] >= '1' && spec[4] <= '9') {
		unsigned long bits = strtoul(spec + 4, &end, 10);

		if (*end == '\0' && bits >= RSA_LEAST && bits <= RSA_MOST)
			return put_rsa(out, (unsigned)bits, e);
	}
	for (size_t i = 0; strncasecmp(spec, "ec:", 3) == 0 && i < ARRAY_LEN(curves); i++) {
		if (strcasecmp(spec + 3, curves[i].name) == 0)
			return put_ec(out, curves[i].oid, curves[i].nid, e);
	}
	return ERR(e, E_INVALIDARG, "'%.40s' is no key: rsa:%d to rsa:%d, ec:P-256, ec:P-384, ec:P-521", spec,
	    RSA_LEAST, RSA_MOST);
}
