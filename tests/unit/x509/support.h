/*
 * What the tests of x509/ share: keys, requests made by OpenSSL (the independent writer), requests made octet by octet
 * for shapes that OpenSSL will not write, and fixtures. Header only: every test is one program.
 */
#ifndef ADCSD_TESTS_X509_SUPPORT_H
#define ADCSD_TESTS_X509_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "base/text.h"
#include "x509/ext.h"
#include "x509/name.h"

#define MAX_BUF (1 << 20)

static inline struct bytes
str_bytes(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

static inline struct buf
new_buf(void)
{
	struct buf b;

	buf_init(&b, MAX_BUF);
	return b;
}

/* An OBJECT IDENTIFIER's body in memory of its own. */
static inline struct bytes
oid_bytes(struct pool *pool, const char *dotted)
{
	struct buf b = new_buf();
	struct bytes out;

	assert_int_equal(oid_from_text(&b, dotted, NULL), 0);
	assert_int_equal(pool_dup_bytes(pool, buf_bytes(&b), &out), 0);
	buf_fini(&b);
	return out;
}

static inline struct bytes
take(struct pool *pool, struct buf *b)
{
	struct bytes out;

	assert_true(buf_ok(b));
	assert_int_equal(pool_dup_bytes(pool, buf_bytes(b), &out), 0);
	buf_fini(b);
	return out;
}

static inline struct bytes
read_fixture(struct pool *pool, const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p = pool_alloc(pool, 65536);
	size_t n;

	if (f == NULL)
		fail_msg("%s: run the tests from the top of the tree", path);
	n = fread(p, 1, 65536, f);
	fclose(f);
	return (struct bytes){ p, n };
}

#define WINDOWS_REQUEST "fixtures/fuzz/x509_request/windows-user.der"

/* ---- keys ---- */

/* NULL: real randomness. A seeded context (and a stream) makes keys and signatures the same in every run. */
static OSSL_LIB_CTX *test_lib;

static inline EVP_PKEY *
new_key(const char *what)
{
	EVP_PKEY *key = strncmp(what, "RSA-", 4) == 0 ? EVP_PKEY_Q_keygen(test_lib, NULL, "RSA", (size_t)atoi(what + 4)) :
	    strncmp(what, "P-", 2) == 0 ? EVP_PKEY_Q_keygen(test_lib, NULL, "EC", what) :
					  EVP_PKEY_Q_keygen(test_lib, NULL, what);

	assert_non_null(key);
	return key;
}

static inline struct bytes
spki_of(struct pool *pool, EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);
	struct bytes out;

	assert_true(n > 0);
	assert_int_equal(pool_dup_bytes(pool, (struct bytes){ der, (size_t)n }, &out), 0);
	OPENSSL_free(der);
	return out;
}

/* ---- requests by OpenSSL ---- */

struct request_spec {
	const char *cn, *ou;
	const char *san; /* openssl.cnf syntax, may be NULL */
	const char *md;  /* NULL: the key has its own */
	bool pss;
	int salt_len;
};

static inline struct bytes
make_request(struct pool *pool, EVP_PKEY *key, const struct request_spec *spec)
{
	X509_REQ *req = X509_REQ_new();
	X509_NAME *name = X509_NAME_new();
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx = NULL;
	unsigned char *der = NULL;
	struct bytes out;
	int n;

	if (spec->ou != NULL)
		X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_UTF8, (const unsigned char *)spec->ou, -1, -1, 0);
	if (spec->cn != NULL)
		X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)spec->cn, -1, -1, 0);
	assert_int_equal(X509_REQ_set_subject_name(req, name), 1);
	assert_int_equal(X509_REQ_set_pubkey(req, key), 1);
	if (spec->san != NULL) {
		STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();
		X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, spec->san);

		assert_non_null(san);
		sk_X509_EXTENSION_push(exts, san);
		assert_int_equal(X509_REQ_add_extensions(req, exts), 1);
		sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	}
	assert_int_equal(EVP_DigestSignInit_ex(md, &ctx, spec->md, test_lib, NULL, key, NULL), 1);
	if (spec->pss) {
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, spec->salt_len), 1);
	}
	assert_true(X509_REQ_sign_ctx(req, md) > 0);
	n = i2d_X509_REQ(req, &der);
	assert_true(n > 0);
	assert_int_equal(pool_dup_bytes(pool, (struct bytes){ der, (size_t)n }, &out), 0);
	OPENSSL_free(der);
	EVP_MD_CTX_free(md);
	X509_NAME_free(name);
	X509_REQ_free(req);
	return out;
}

/* ---- requests octet by octet ---- */

struct craft {
	struct bytes subject;    /* Name; empty: 30 00 */
	struct bytes spki;       /* empty: the key's */
	struct bytes attributes; /* content of [0] */
	struct bytes sig_alg;    /* empty: ecdsa-with-SHA256 */
	const char *md;          /* NULL: SHA256 */
};

static inline void
put_signature(struct buf *b, EVP_PKEY *key, const char *md_name, struct bytes message)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t sig[2048];
	size_t n = sizeof(sig);

	assert_int_equal(EVP_DigestSignInit_ex(md, NULL, md_name, test_lib, NULL, key, NULL), 1);
	assert_int_equal(EVP_DigestSign(md, sig, &n, message.p, message.len), 1);
	der_put_bits(b, (struct bytes){ sig, n }, 0);
	EVP_MD_CTX_free(md);
}

static const uint8_t ecdsa_sha256_alg[] = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
static const uint8_t empty_name[] = "\x30\x00";

/* Signs `info` (a whole CertificationRequestInfo, well-formed or not). */
static inline struct bytes
sign_info(struct pool *pool, EVP_PKEY *key, struct bytes info, struct bytes sig_alg, const char *md)
{
	struct buf b = new_buf();
	size_t outer = der_open(&b, DER_SEQUENCE);

	buf_put_bytes(&b, info);
	buf_put_bytes(&b, sig_alg);
	put_signature(&b, key, md, info);
	der_close(&b, outer);
	return take(pool, &b);
}

static inline struct bytes
craft_request(struct pool *pool, EVP_PKEY *key, const struct craft *c)
{
	struct buf b = new_buf();
	size_t info = der_open(&b, DER_SEQUENCE), attributes;
	struct bytes alg = c->sig_alg.len > 0 ? c->sig_alg :
						(struct bytes){ ecdsa_sha256_alg, sizeof(ecdsa_sha256_alg) - 1 };

	der_put_int64(&b, 0);
	buf_put_bytes(&b, c->subject.len > 0 ? c->subject : (struct bytes){ empty_name, 2 });
	buf_put_bytes(&b, c->spki.len > 0 ? c->spki : spki_of(pool, key));
	attributes = der_open(&b, DER_CONTEXT_CONSTRUCTED(0));
	buf_put_bytes(&b, c->attributes);
	der_close(&b, attributes);
	der_close(&b, info);
	return sign_info(pool, key, take(pool, &b), alg, c->md != NULL ? c->md : "SHA256");
}

/* Attribute { type, SET { values } }, values as they are. */
static inline void
put_attr(struct buf *b, const char *oid, struct bytes values)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_oid(b, oid);
	der_put(b, DER_SET, values);
	der_close(b, seq);
}

static inline void
put_ext(struct buf *b, const char *oid, struct bytes value)
{
	size_t seq = der_open(b, DER_SEQUENCE);

	der_put_oid(b, oid);
	der_put(b, DER_OCTET_STRING, value);
	der_close(b, seq);
}

#endif
