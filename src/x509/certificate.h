/*
 * Certificates in: those that signers put beside a request, and the one that a request renews. Split like
 * requests; whether anybody trusts one is x509/chain.h's to say.
 */
#ifndef ADCSD_X509_CERTIFICATE_H
#define ADCSD_X509_CERTIFICATE_H

#include "x509/ext.h"

struct x509_certificate {
	struct bytes raw;
	struct bytes serial;          /* content of the INTEGER */
	struct bytes issuer, subject; /* Name, verbatim DER */
	filetime_t not_before, not_after;
	struct x509_key_info key;
	struct x509_extension *extensions;
	size_t n_extensions;
	/* EKU and application policies together: Windows honours either in a signer's certificate (Seen:
	 * ESC15) */
	struct x509_strings usages;
	struct x509_strings issuance_policies;
	const char *template_name, *template_oid; /* NULL when absent */
	const char *sid;        /* of the security extension 1.3.6.1.4.1.311.25.2; NULL when absent */
	struct bytes key_id;    /* subjectKeyIdentifier, or empty */
	struct bytes alt_names; /* GeneralNames, or empty */
};

/* Everything borrowed points into `raw`; the rest lives in the pool. CRYPT_E_ASN1_EOD, CRYPT_E_ASN1_BADTAG.
 */
int
x509_certificate_read(
    struct x509_certificate *out, struct pool *pool, struct bytes raw, struct err *e) MUST_CHECK;

/* Text of the SID in a security extension's value, in the pool; NULL when there is none. */
const char *
x509_san_sid(struct bytes value, struct pool *pool);
/* First rfc822Name and first UPN of a SAN value; NULL where there is none. */
int
x509_san_addresses(
    struct bytes value, struct pool *pool, const char **mail, const char **upn, struct err *e) MUST_CHECK;

#endif
