/* A client's own key and the PKCS #10 it signs (RFC 2986). */
#ifndef ADCSD_X509_NEW_REQUEST_H
#define ADCSD_X509_NEW_REQUEST_H

#include "base/buf.h"

struct x509_new_key;

/* spec: "rsa:2048" (1024 to 16384 bits), "ec:P-256", "ec:P-384", "ec:P-521". E_INVALIDARG for others. */
struct x509_new_key *
x509_new_key_make(const char *spec, struct err *e) MUST_CHECK;
/* NULL is fine. */
void
x509_new_key_free(struct x509_new_key *k);
/* SubjectPublicKeyInfo. */
int
x509_new_key_spki(const struct x509_new_key *k, struct buf *out, struct err *e) MUST_CHECK;
/* PKCS #8 in PEM, not encrypted. */
int
x509_new_key_pem(const struct x509_new_key *k, struct buf *out, struct err *e) MUST_CHECK;
/* info: CertificationRequestInfo in DER; out gets the CertificationRequest, signed with SHA-256. */
int
x509_new_request_sign(
    const struct x509_new_key *k, struct bytes info, struct buf *out, struct err *e) MUST_CHECK;

#endif
