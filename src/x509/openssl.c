#include <openssl/err.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

#include "x509/x509_priv.h"

const char *
x509_openssl_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return reason != NULL ? reason : "no reason given";
}

static const struct hash {
	const char *name;
	struct bytes oid;
} hashes[] = {
	[X509_HASH_SHA1] = { "SHA1", OID_BODY("\x2b\x0e\x03\x02\x1a") },
	[X509_HASH_SHA256] = { "SHA256", OID_BODY("\x60\x86\x48\x01\x65\x03\x04\x02\x01") },
	[X509_HASH_SHA384] = { "SHA384", OID_BODY("\x60\x86\x48\x01\x65\x03\x04\x02\x02") },
	[X509_HASH_SHA512] = { "SHA512", OID_BODY("\x60\x86\x48\x01\x65\x03\x04\x02\x03") },
};

const char *
x509_hash_name(enum x509_hash h)
{
	return hashes[h].name;
}

int
x509_hash_from_name(enum x509_hash *out, const char *name, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
		if (strcasecmp(name, hashes[i].name) == 0) {
			*out = (enum x509_hash)i;
			return 0;
		}
	}
	return ERR(e, E_INVALIDARG, "CNGHashAlgorithm \"%s\" is none of SHA1, SHA256, SHA384, SHA512", name);
}

bool
x509_hash_from_oid(enum x509_hash *out, struct bytes oid)
{
	for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
		if (bytes_equal(oid, hashes[i].oid)) {
			*out = (enum x509_hash)i;
			return true;
		}
	}
	return false;
}

static EVP_MD *sha1;
static pthread_once_t sha1_once = PTHREAD_ONCE_INIT;

/* Fetched once for the process: EVP_sha1() would be looked up anew for each digest. */
static void
fetch_sha1(void)
{
	sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
}

void
x509_sha1(struct bytes in, uint8_t out[20])
{
	/* Fails only when OpenSSL has no SHA-1 at all; then a key id of zeros is no worse than none. */
	if (pthread_once(&sha1_once, fetch_sha1) != 0 || sha1 == NULL ||
	    EVP_Digest(in.p, in.len, out, NULL, sha1, NULL) != 1)
		memset(out, 0, 20);
}

void
x509_key_id(const struct x509_key_info *key, uint8_t out[20])
{
	x509_sha1(key->key_bits, out);
}
