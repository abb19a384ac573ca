/* Private key blobs made here from OpenSSL's numbers (MS-WCCE 2.2.2.9); EnvelopedData against OpenSSL's CMS, both ways. */
#include "support.h"

#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/core_names.h>

#include "x509/enveloped.h"
#include "x509/key_blob.h"
#include "x509/key_priv.h"

static const struct rng seeded = { true, 7 };

/* ---- key blobs ---- */

static void
put_number(struct buf *out, EVP_PKEY *key, const char *param, size_t octets, bool little)
{
	unsigned char raw[1024];
	BIGNUM *v = NULL;

	assert_int_equal(EVP_PKEY_get_bn_param(key, param, &v), 1);
	assert_true(octets <= sizeof(raw));
	assert_int_equal((little ? BN_bn2lebinpad : BN_bn2binpad)(v, raw, (int)octets), (int)octets);
	buf_put(out, raw, octets);
	BN_free(v);
}

static void
put_u32be(struct buf *out, uint32_t v)
{
	buf_put_u8(out, (uint8_t)(v >> 24));
	buf_put_u8(out, (uint8_t)(v >> 16));
	buf_put_u8(out, (uint8_t)(v >> 8));
	buf_put_u8(out, (uint8_t)v);
}

#define N OSSL_PKEY_PARAM_RSA_N
#define E OSSL_PKEY_PARAM_RSA_E
#define D OSSL_PKEY_PARAM_RSA_D
#define P OSSL_PKEY_PARAM_RSA_FACTOR1
#define Q OSSL_PKEY_PARAM_RSA_FACTOR2
#define DP OSSL_PKEY_PARAM_RSA_EXPONENT1
#define DQ OSSL_PKEY_PARAM_RSA_EXPONENT2
#define QINV OSSL_PKEY_PARAM_RSA_COEFFICIENT1

/* 2.2.2.9.1 */
static struct bytes
capi_blob(struct pool *pool, EVP_PKEY *key)
{
	static const char *const halves[] = { P, Q, DP, DQ, QINV };
	uint32_t bits = (uint32_t)EVP_PKEY_get_bits(key);
	struct buf b = new_buf();

	buf_put(&b, "\x07\x02\x00\x00\x00\xa4\x00\x00RSA2", 12);
	buf_put_u32le(&b, bits);
	put_number(&b, key, E, 4, true);
	put_number(&b, key, N, bits / 8, true);
	for (size_t i = 0; i < ARRAY_LEN(halves); i++)
		put_number(&b, key, halves[i], bits / 16, true);
	put_number(&b, key, D, bits / 8, true);
	return take(pool, &b);
}

/* 2.2.2.9.2; full: the rest behind the primes (bcrypt.h, BCRYPT_RSAFULLPRIVATE_BLOB). */
static struct bytes
bcrypt_blob(struct pool *pool, EVP_PKEY *key, bool big_header, bool full)
{
	uint32_t bits = (uint32_t)EVP_PKEY_get_bits(key);
	const uint32_t header[] = { full ? 0x33415352 : 0x32415352, bits, 3, bits / 8, bits / 16, bits / 16 };
	struct buf b = new_buf();

	for (size_t i = 0; i < ARRAY_LEN(header); i++)
		(big_header ? put_u32be : buf_put_u32le)(&b, header[i]);
	put_number(&b, key, E, 3, false);
	put_number(&b, key, N, bits / 8, false);
	put_number(&b, key, P, bits / 16, false);
	put_number(&b, key, Q, bits / 16, false);
	if (full) {
		put_number(&b, key, DP, bits / 16, false);
		put_number(&b, key, DQ, bits / 16, false);
		put_number(&b, key, QINV, bits / 16, false);
		put_number(&b, key, D, bits / 8, false);
	}
	return take(pool, &b);
}

/* 2.2.2.9.3 */
static struct bytes
ec_blob(struct pool *pool, EVP_PKEY *key, const char *magic, bool little)
{
	uint32_t octets = ((uint32_t)EVP_PKEY_get_bits(key) + 7) / 8;
	struct buf b = new_buf();

	buf_put(&b, magic, 4);
	buf_put_u32le(&b, octets);
	put_number(&b, key, OSSL_PKEY_PARAM_EC_PUB_X, octets, little);
	put_number(&b, key, OSSL_PKEY_PARAM_EC_PUB_Y, octets, little);
	put_number(&b, key, OSSL_PKEY_PARAM_PRIV_KEY, octets, little);
	return take(pool, &b);
}

static struct x509_key_info
public_half(struct pool *pool, EVP_PKEY *key)
{
	struct x509_key_info info;

	assert_int_equal(x509_key_read(&info, spki_of(pool, key), NULL), 0);
	return info;
}

static uint32_t
verdict(struct bytes blob, const struct x509_key_info *against)
{
	struct err e = { 0 };
	struct x509_private_key *k = x509_key_blob_read(blob, against, &e);

	if (k != NULL)
		assert_true(x509_private_key_fits(k, against));
	else
		assert_int_not_equal(e.hr, 0);
	x509_private_key_free(k);
	return e.hr;
}

/* Taken whole, refused at every shorter length but for what nobody needs behind `needed` octets, and against
 * another key. */
static void
try_blob(struct pool *pool, struct bytes blob, size_t needed, EVP_PKEY *key, const char *kind)
{
	struct x509_key_info own = public_half(pool, key), other;
	EVP_PKEY *stranger = new_key(kind);

	other = public_half(pool, stranger);
	assert_int_equal(verdict(blob, &own), 0);
	assert_int_equal(verdict(blob, &other), NTE_BAD_PUBLIC_KEY);
	for (size_t n = 0; n < needed; n++)
		assert_int_equal(verdict((struct bytes){ blob.p, n }, &own), CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL);
	EVP_PKEY_free(stranger);
}

static void
test_rsa_blobs(void **state)
{
	static const char *const kinds[] = { "RSA-1024", "RSA-2048" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct pool *pool = pool_new(4 << 20);
		EVP_PKEY *key = new_key(kinds[i]), *ec = new_key("P-256");
		struct x509_key_info ec_info = public_half(pool, ec);
		struct bytes capi = capi_blob(pool, key), plain = bcrypt_blob(pool, key, false, false);

		try_blob(pool, capi, capi.len - (size_t)EVP_PKEY_get_size(key), key, kinds[i]); /* D is made anew */
		try_blob(pool, plain, plain.len, key, kinds[i]);
		try_blob(pool, bcrypt_blob(pool, key, true, false), plain.len, key, kinds[i]);
		try_blob(pool, bcrypt_blob(pool, key, false, true), plain.len, key, kinds[i]);
		assert_int_equal(verdict(capi, &ec_info), NTE_BAD_PUBLIC_KEY);
		EVP_PKEY_free(key);
		EVP_PKEY_free(ec);
		pool_free(pool);
	}
}

static void
test_ec_blobs(void **state)
{
	static const struct {
		const char *curve, *magic[2];
	} kinds[] = { { "P-256", { "ECK2", "ECS2" } }, { "P-384", { "ECK4", "ECS4" } }, { "P-521", { "ECK6", "ECS6" } } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct pool *pool = pool_new(4 << 20);
		EVP_PKEY *key = new_key(kinds[i].curve), *rsa = new_key("RSA-1024");
		struct x509_key_info own = public_half(pool, key), rsa_info = public_half(pool, rsa);

		for (size_t how = 0; how < 4; how++) {
			struct bytes blob = ec_blob(pool, key, kinds[i].magic[how / 2], how % 2 != 0);

			try_blob(pool, blob, blob.len, key, kinds[i].curve);
			assert_int_equal(verdict(blob, &rsa_info), NTE_BAD_PUBLIC_KEY);
		}
		/* the public half's magic is none */
		assert_int_equal(verdict(ec_blob(pool, key, "ECK1", false), &own), CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL);
		EVP_PKEY_free(key);
		EVP_PKEY_free(rsa);
		pool_free(pool);
	}
}

/* One octet changed in any number that counts makes it another key, or none. */
static void
test_changed_blobs(void **state)
{
	struct pool *pool = pool_new(4 << 20);
	EVP_PKEY *key = new_key("RSA-1024");
	struct x509_key_info own = public_half(pool, key);
	struct bytes blob = bcrypt_blob(pool, key, false, false);
	uint8_t *at = (uint8_t *)(uintptr_t)blob.p;

	(void)state;
	for (size_t i = 24 + 3 + 128; i < blob.len; i += 7) {
		at[i] ^= 0x10;
		assert_int_equal(verdict(blob, &own), NTE_BAD_PUBLIC_KEY);
		at[i] ^= 0x10;
	}
	for (size_t field = 8; field < 24; field += 4) { /* lengths that lead out of the blob */
		static const uint8_t huge[][4] = { { 0xff, 0xff, 0xff, 0xff }, { 0, 4, 0, 0 }, { 0, 0, 0, 0x80 } };

		for (size_t i = 0; i < ARRAY_LEN(huge); i++) {
			uint8_t kept[4];

			memcpy(kept, at + field, 4);
			memcpy(at + field, huge[i], 4);
			assert_int_equal(verdict(blob, &own), CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL);
			memcpy(at + field, kept, 4);
		}
	}
	EVP_PKEY_free(key);
	pool_free(pool);
}

/* ---- envelopes ---- */

struct recipient {
	EVP_PKEY *pkey; /* key owns it */
	struct x509_private_key *key;
	X509 *x509;
	struct x509_certificate certificate;
};

static struct recipient
new_recipient(struct pool *pool, long serial)
{
	struct recipient r = { .pkey = new_key("RSA-2048"), .x509 = X509_new() };
	X509_NAME *name = X509_get_subject_name(r.x509);
	unsigned char *der = NULL;
	X509_EXTENSION *id;
	struct bytes raw;
	X509V3_CTX ctx;
	int n;

	X509_set_version(r.x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(r.x509), serial);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"Agent", -1, -1, 0);
	X509_set_issuer_name(r.x509, name);
	X509_gmtime_adj(X509_getm_notBefore(r.x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(r.x509), 86400);
	X509_set_pubkey(r.x509, r.pkey);
	X509V3_set_ctx(&ctx, r.x509, r.x509, NULL, NULL, 0);
	id = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_key_identifier, "hash");
	X509_add_ext(r.x509, id, -1);
	X509_EXTENSION_free(id);
	assert_true(X509_sign(r.x509, r.pkey, EVP_sha256()) > 0);
	n = i2d_X509(r.x509, &der);
	assert_true(n > 0);
	assert_int_equal(pool_dup_bytes(pool, (struct bytes){ der, (size_t)n }, &raw), 0);
	OPENSSL_free(der);
	assert_int_equal(x509_certificate_read(&r.certificate, pool, raw, NULL), 0);
	r.key = x509_private_key_wrap(r.pkey, NULL);
	assert_non_null(r.key);
	return r;
}

static void
recipient_free(struct recipient *r)
{
	x509_private_key_free(r->key);
	X509_free(r->x509);
}

static struct bytes
openssl_envelope(struct pool *pool, X509 *const *to, size_t n, const EVP_CIPHER *cipher, unsigned flags, struct bytes content)
{
	STACK_OF(X509) *list = sk_X509_new_null();
	BIO *in = BIO_new_mem_buf(content.p, (int)content.len);
	unsigned char *der = NULL;
	CMS_ContentInfo *cms;
	struct bytes out;
	int len;

	for (size_t i = 0; i < n; i++)
		sk_X509_push(list, to[i]);
	cms = CMS_encrypt(list, in, cipher, CMS_BINARY | flags);
	assert_non_null(cms);
	len = i2d_CMS_ContentInfo(cms, &der);
	assert_true(len > 0);
	assert_int_equal(pool_dup_bytes(pool, (struct bytes){ der, (size_t)len }, &out), 0);
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	sk_X509_free(list);
	return out;
}

static uint32_t
open_by(const struct recipient *r, struct bytes raw, struct buf *clear)
{
	struct pool *pool = pool_new(1 << 20);
	struct x509_enveloped env;
	struct err e = { 0 };
	int rc;

	buf_reset(clear);
	rc = x509_enveloped_read(&env, pool, raw, &e);
	if (rc == 0)
		rc = x509_enveloped_open(&env, &r->certificate, r->key, clear, &e);
	pool_free(pool);
	return rc != 0 ? e.hr : 0;
}

static void
test_openssl_to_us(void **state)
{
	const EVP_CIPHER *const ciphers[] = { EVP_des_ede3_cbc(), EVP_aes_128_cbc(), EVP_aes_192_cbc(), EVP_aes_256_cbc() };
	struct pool *pool = pool_new(4 << 20);
	struct recipient one = new_recipient(pool, 1), two = new_recipient(pool, 2), nobody = new_recipient(pool, 3);
	X509 *const both[] = { one.x509, two.x509 };
	struct bytes content = str_bytes("a private key");
	struct buf clear = new_buf();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ciphers); i++) {
		for (unsigned by_id = 0; by_id < 2; by_id++) {
			struct bytes raw = openssl_envelope(pool, both, 2, ciphers[i], by_id ? CMS_USE_KEYID : 0, content);
			assert_int_equal(open_by(&one, raw, &clear), 0);
			assert_true(bytes_equal(buf_bytes(&clear), content));
			assert_int_equal(open_by(&two, raw, &clear), 0);
			assert_true(bytes_equal(buf_bytes(&clear), content));
			assert_int_equal(open_by(&nobody, raw, &clear), CRYPT_E_NO_DECRYPT_CERT);
			for (size_t n = 0; n < raw.len; n++)
				assert_int_not_equal(open_by(&one, (struct bytes){ raw.p, n }, &clear), 0);
		}
	}
	assert_int_equal(open_by(&one, openssl_envelope(pool, both, 2, EVP_camellia_128_cbc(), 0,
		    content), &clear),
	    CRYPT_E_UNKNOWN_ALGO);
	buf_fini(&clear);
	recipient_free(&one);
	recipient_free(&two);
	recipient_free(&nobody);
	pool_free(pool);
}

static void
test_us_to_openssl(void **state)
{
	struct pool *pool = pool_new(1 << 20);
	struct recipient one = new_recipient(pool, 1), two = new_recipient(pool, 2);
	const struct x509_certificate *const to[] = { &one.certificate, &two.certificate };
	const struct recipient *const agents[] = { &one, &two };
	struct bytes content = str_bytes("exactly 16 bytes");

	(void)state;
	for (int cipher = X509_CIPHER_3DES; cipher <= X509_CIPHER_AES256; cipher++) {
		struct buf sealed = new_buf(), again = new_buf();
		const unsigned char *p;

		assert_int_equal(x509_enveloped_put(&sealed, to, 2, (enum x509_cipher)cipher, content, &seeded, "test", 1, NULL), 0);
		assert_int_equal(x509_enveloped_put(&again, to, 2, (enum x509_cipher)cipher, content, &seeded, "test", 1, NULL), 0);
		assert_true(bytes_equal(buf_bytes(&sealed), buf_bytes(&again))); /* a seeded CA makes the same again */
		for (size_t i = 0; i < 2; i++) {
			BIO *out = BIO_new(BIO_s_mem());
			CMS_ContentInfo *cms;
			char *text;

			p = buf_bytes(&sealed).p;
			cms = d2i_CMS_ContentInfo(NULL, &p, (long)sealed.len);
			assert_non_null(cms);
			assert_ptr_equal(p, buf_bytes(&sealed).p + sealed.len);
			assert_int_equal(CMS_decrypt(cms, agents[i]->pkey, agents[i]->x509, NULL, out, CMS_BINARY), 1);
			assert_int_equal(BIO_get_mem_data(out, &text), (long)content.len);
			assert_memory_equal(text, content.p, content.len);
			CMS_ContentInfo_free(cms);
			BIO_free(out);
		}
		buf_fini(&sealed);
		buf_fini(&again);
	}
	recipient_free(&one);
	recipient_free(&two);
	pool_free(pool);
}

/* A wrong key, and tampered content, sound the same. */
static void
test_wrong_keys(void **state)
{
	struct pool *pool = pool_new(4 << 20);
	struct recipient one = new_recipient(pool, 1), two = new_recipient(pool, 1); /* the same name, another key */
	X509 *const to[] = { one.x509 };
	struct bytes raw = openssl_envelope(pool, to, 1, EVP_aes_256_cbc(), 0, str_bytes("a private key"));
	struct buf clear = new_buf();
	unsigned refused = 0;

	(void)state;
	for (int i = 0; i < 20; i++) /* a random content key finds a padding that fits now and then */
		refused += open_by(&two, raw, &clear) == E_INVALID_DATA;
	assert_true(refused > 10);
	buf_fini(&clear);
	recipient_free(&one);
	recipient_free(&two);
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rsa_blobs),
		cmocka_unit_test(test_ec_blobs),
		cmocka_unit_test(test_changed_blobs),
		cmocka_unit_test(test_openssl_to_us),
		cmocka_unit_test(test_us_to_openssl),
		cmocka_unit_test(test_wrong_keys),
	};

	return cmocka_run_group_tests_name("archival", tests, NULL, NULL);
}
