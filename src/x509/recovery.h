/*
 * The recovery agent's side of key archival, as certutil -recoverkey does it: what GetArchivedKey gave is
 * opened with an agent's key. For tools, not for the CA.
 */
#ifndef ADCSD_X509_RECOVERY_H
#define ADCSD_X509_RECOVERY_H

#include "x509/private_key.h"

#define X509_RECOVERED_CERTIFICATES 32

struct x509_recovered {
	struct x509_private_key *key;
	struct bytes certificates[X509_RECOVERED_CERTIFICATES]; /* the key's own first; in the pool */
	size_t n_certificates;
};

/*
 * Checks the CA's signature over the message (not whether anybody trusts the CA), opens the content and holds
 * the key against the certificate. CRYPT_E_ASN1_BADTAG, NTE_BAD_SIGNATURE; CRYPT_E_NO_DECRYPT_CERT when the
 * agent's key opens it for no recipient; else as x509_key_blob_read().
 */
int
x509_recover(struct x509_recovered *out, struct bytes blob, const struct x509_private_key *agent,
    struct pool *pool, struct err *e) MUST_CHECK;
void
x509_recovered_fini(struct x509_recovered *r);

/* Append the key with its certificates: PKCS #12 under a password, or PEM in clear. The caller wipes. */
int
x509_recovered_pfx(
    const struct x509_recovered *r, const char *password, struct buf *out, struct err *e) MUST_CHECK;
int
x509_recovered_pem(const struct x509_recovered *r, struct buf *out, struct err *e) MUST_CHECK;

#endif
