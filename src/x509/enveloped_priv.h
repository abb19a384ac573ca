/* Between the reader and the ciphers of EnvelopedData. */
#ifndef ADCSD_X509_ENVELOPED_PRIV_H
#define ADCSD_X509_ENVELOPED_PRIV_H

#include "x509/enveloped.h"
#include "x509/key_priv.h"

#define OID_ENVELOPED_DATA_BODY OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03")
#define OID_RSA_ENCRYPTION_BODY OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")
#define OID_RSA_OAEP_BODY OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07")

struct x509_cipher_info {
	struct bytes oid;
	const char *name; /* OpenSSL's */
	unsigned key_len, block;
};
extern const struct x509_cipher_info x509_ciphers[];
extern const size_t x509_n_ciphers;

#endif
