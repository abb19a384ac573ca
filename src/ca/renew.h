/*
 * Renewal of the CA's own certificate, with the same key or a new one. Key, certificate and cross
 * certificates are on disk before the database's one commit makes them count; from that commit on the new
 * certificate signs, also after a crash. What a renewal that was cut short left in the state folder is
 * renamed to *.unused by the next one.
 */
#ifndef ADCSD_CA_RENEW_H
#define ADCSD_CA_RENEW_H

#include "ca/ca_priv.h"

struct ca_renewal_options {
	bool new_key;
	struct bytes certificate;  /* of a CA below another one: what that one issued, PEM; alone, or with its
				      chain up to  the root. Empty: a request for it is made */
	const char *key_type;      /* "RSA-3072"; NULL: RenewalKeyLength, else as the key is */
	const char *validity_unit; /* "Years"; NULL: RenewalValidityPeriod */
	uint32_t validity_units;
};

/* e after a failure: nothing has changed. published: what went wrong with directory, files and CRLs of a
 * renewal that counts, NULL when nothing did; the next start does it again. request: PKCS #10 in PEM, which
 * the CA above has to answer before anything changes; NULL when the renewal counts. */
typedef void
ca_renew_fn(void *arg, const struct err *e, const struct err *published, const char *request);

/* A root renews itself; a CA below another one makes a request, and takes what comes of it. cb runs exactly
 * once, or after -1 never. CERTSRV_E_BAD_REQUESTSTATUS while another renewal is under way. */
int
ca_renew_start(struct ca *ca, const struct ca_renewal_options *how, ca_renew_fn *cb, void *arg,
    struct err *e) MUST_CHECK;

/* cross.c: what one key says of another. Signs a certificate for subject's key with issuer's; the request
 * that nobody sent gets certificate and row. On a worker. */
int
ca_cross_certify(struct ca_request *r, const struct ca_cert *subject, struct err *e) MUST_CHECK;
/* The row of a CA certificate, disposition 15. */
int
ca_own_row(struct ca_request *r, struct err *e) MUST_CHECK;

#endif
