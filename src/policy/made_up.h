/* Requests that nobody made: what a rehearsal puts to the rules when it has no PKCS #10 of a client. */
#ifndef ADCSD_POLICY_MADE_UP_H
#define ADCSD_POLICY_MADE_UP_H

#include "base/buf.h"

#define POLICY_MADE_UP_KEY "rsa:2048" /* when none is named */

struct policy_made_up {
	const char *subject; /* "CN=x, O=y"; NULL or empty: an empty Name */
	const char
	    *san; /* "dns:a.b, upn:c@d, url:tag:...": types as in the SAN attribute; NULL: no extension */
	const char *key; /* x509_key_stand_in(); NULL: POLICY_MADE_UP_KEY */
};

/*
 * Appends a PKCS #10 that x509_request_parse() takes. Its key is a stand-in and its signature is one octet of
 * zero, so it must never be verified. E_INVALIDARG names the option at fault.
 */
int
policy_make_up(struct buf *out, const struct policy_made_up *m, struct err *e) MUST_CHECK;

/* Its CertificationRequestInfo alone, for whoever can sign it. spki: a real public key; empty: a stand-in. */
int
policy_make_up_info(
    struct buf *out, const struct policy_made_up *m, struct bytes spki, struct err *e) MUST_CHECK;

#endif
