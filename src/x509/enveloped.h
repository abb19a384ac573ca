/*
 * EnvelopedData (RFC 5652 6) for certificates with RSA keys: what clients send keys to be archived in, what
 * an archived key lies in, and what a recovery agent opens. DER only. Content ciphers: 3DES and AES in CBC
 * mode.
 */
#ifndef ADCSD_X509_ENVELOPED_H
#define ADCSD_X509_ENVELOPED_H

#include "x509/certificate.h"
#include "x509/private_key.h"

#define X509_ENVELOPED_MAX 65536 /* longest EnvelopedData taken, octets; also what RawArchivedKey holds */
#define X509_MAX_RECIPIENTS 64

enum x509_cipher { X509_CIPHER_3DES, X509_CIPHER_AES128, X509_CIPHER_AES192, X509_CIPHER_AES256 };

struct x509_recipient {              /* KeyTransRecipientInfo; other kinds are passed over */
	struct bytes issuer, serial; /* Name, content of the INTEGER; or: */
	struct bytes key_id;
	struct bytes algorithm; /* AlgorithmIdentifier */
	struct bytes encrypted_key;
};

struct x509_enveloped {
	struct x509_recipient *recipients;
	size_t n_recipients;
	enum x509_cipher cipher;
	struct bytes iv;      /* as long as the cipher's block */
	struct bytes content; /* encrypted; a whole number of blocks, at least one */
};

/*
 * Splits a ContentInfo of type id-envelopedData; borrows from `raw`, but for content in pieces.
 * CRYPT_E_ASN1_*; E_INVALID_DATA for another type or what no cipher could have made; CRYPT_E_UNKNOWN_ALGO for
 * a cipher that is none of ours.
 */
int
x509_enveloped_read(
    struct x509_enveloped *out, struct pool *pool, struct bytes raw, struct err *e) MUST_CHECK;

/* The recipient that a certificate is named by, or NULL. */
const struct x509_recipient *
x509_enveloped_find(const struct x509_enveloped *env, const struct x509_certificate *certificate);
/*
 * Appends the content, which the caller wipes (buf_wipe). Says the same of a wrong key and of tampered
 * content: E_INVALID_DATA. CRYPT_E_NO_DECRYPT_CERT when the certificate is no recipient, CRYPT_E_UNKNOWN_ALGO
 * for a key encryption that is neither PKCS #1 1.5 nor OAEP.
 */
int
x509_enveloped_open(const struct x509_enveloped *env, const struct x509_certificate *certificate,
    const struct x509_private_key *key, struct buf *out, struct err *e) MUST_CHECK;

/* Appends a ContentInfo around `content` for n certificates, named by issuer and serial number, their keys
 * used as PKCS #1 1.5 asks (Seen: what Windows and its clients do). purpose and id as everywhere. */
int
x509_enveloped_put(struct buf *out, const struct x509_certificate *const *to, size_t n,
    enum x509_cipher cipher, struct bytes content, const struct rng *rng, const char *purpose, uint64_t id,
    struct err *e) MUST_CHECK;

#endif
