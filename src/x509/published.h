/*
 * A file that somebody wants published in the directory, as certutil -dspublish takes one: a CA certificate
 * or a CRL, and whose. For tools, not for the CA.
 */
#ifndef ADCSD_X509_PUBLISHED_H
#define ADCSD_X509_PUBLISHED_H

#include "x509/request.h"

struct x509_published {
	bool crl, delta;     /* neither: a certificate */
	bool ca;             /* certificate: its basic constraints, or its age, let it issue others */
	bool root;           /* certificate: self-signed */
	const char *subject; /* of the certificate; of a CRL its issuer. RFC 4514, leaf first */
	const char *name;    /* its common name, else subject */
	const char *issuer;
	filetime_t from, until; /* validity; of a CRL thisUpdate and nextUpdate (0: none) */
};

/* CRYPT_E_ASN1_BADTAG when it is neither. Texts in the pool. */
int
x509_published_read(
    struct x509_published *out, struct pool *pool, struct bytes der, struct err *e) MUST_CHECK;

#endif
