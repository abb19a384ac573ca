/*
 * Does a signer's certificate lead to somebody whom the forest trusts (RFC 5280 6)? The certificates of the
 * directory's containers in OpenSSL's X509_STORE, which answers any number of threads. For the few requests
 * that somebody signed, not for the issuing path.
 */
#ifndef ADCSD_X509_CHAIN_H
#define ADCSD_X509_CHAIN_H

#include "x509/cms.h"

struct x509_chain_store; /* immutable once filled */

enum x509_chain_role {
	X509_CHAIN_OWN,   /* this CA, and those above it: trusted, root or not; nobody asks for their CRLs */
	X509_CHAIN_ROOT,  /* CN=Certification Authorities: trusted when self-signed */
	X509_CHAIN_AIA,   /* CN=AIA: may stand between */
	X509_CHAIN_LOGON, /* CN=NTAuthCertificates: whom a policy may ask for besides */
};

struct x509_chain_store *
x509_chain_store_new(struct err *e);
/* NULL is fine. */
void
x509_chain_store_free(struct x509_chain_store *s);
/* Copies. CRYPT_E_ASN1_BADTAG for no certificate; CERT_E_UNTRUSTEDROOT for a ROOT that is not self-signed:
 * the store is as before. */
int
x509_chain_store_add(struct x509_chain_store *s, enum x509_chain_role role, struct bytes certificate,
    struct err *e) MUST_CHECK;

struct x509_chain_question {
	const struct x509_certificate *certificate;
	const struct x509_cms *beside; /* its certificates may stand between, too */
	filetime_t at;
	bool logon;           /* the issuing CA must be a LOGON certificate */
	bool revocation;      /* whatever another CA than OWN issued is looked up in a CRL, roots excepted */
	bool ignore_offline;  /* CRLF_REVCHECK_IGNORE_OFFLINE: no CRL in force is no obstacle */
	bool directory_only;  /* the CRLs given are a directory's: certificates that name none there need none
			       */
	bool ignore_no_check; /* CRLF_REVCHECK_IGNORE_NOREVCHECK: nor are no distribution points */
	const struct bytes *crls; /* DER, base and delta, of anybody; what is none is passed over */
	size_t n_crls;
};

/*
 * *path (NULL: not wanted): the chain as far as it could be built, "CN=A < CN=B < CN=C", in the pool; set in
 * any case. CERT_E_UNTRUSTEDROOT (it ends in another root), CERT_E_CHAINING (an issuer is missing),
 * CERT_E_UNTRUSTEDCA (not in LOGON), CERT_E_EXPIRED, CRYPT_E_REVOKED, CRYPT_E_REVOCATION_OFFLINE,
 * CRYPT_E_NO_REVOCATION_CHECK, TRUST_E_CERT_SIGNATURE, TRUST_E_BASIC_CONSTRAINTS, CERT_E_WRONG_USAGE,
 * CERT_E_INVALID_NAME, CRYPT_E_ASN1_BADTAG.
 */
int
x509_chain_check(const struct x509_chain_store *s, const struct x509_chain_question *q, struct pool *pool,
    const char **path, struct err *e) MUST_CHECK;

/* Does the certificate chain to this CA, or one above it, at that time? Others of the message may stand
 * between. */
int
x509_ca_check_signer(const struct x509_ca *ca, const struct x509_cms *cms,
    const struct x509_certificate *certificate, filetime_t at, struct err *e) MUST_CHECK;

#endif
