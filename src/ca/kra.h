/* Key recovery agents inside ca/: the list of their certificates, their states, whose turn it is. */
#ifndef ADCSD_CA_KRA_H
#define ADCSD_CA_KRA_H

#include "ca/archival.h"
#include "ca/ca_priv.h"

#define CA_KRA_MAX 32

/* Reads the list from the store. */
int
ca_kra_open(struct ca *ca, struct err *e) MUST_CHECK;
/* NULL is fine. */
void
ca_kra_free(struct ca_kra *k);

/* Those that the next key is encrypted for: as many valid ones as are to be used, in turn (round robin). */
struct ca_kra_choice {
	const struct x509_certificate *to[CA_KRA_MAX]; /* in the pool that was given */
	size_t n;
	const char *hashes; /* KeyRecoveryHashes: "aa bb ..", LF between them */
};
/* taking: their turn is over, which a rehearsal leaves as it is. CERTSRV_E_KEY_ARCHIVAL_NOT_CONFIGURED: no
 * certificates, or none to be used; CERTSRV_E_NO_VALID_KRA: fewer valid ones than are to be used. */
int
ca_kra_choose(
    struct ca *ca, bool taking, struct pool *pool, struct ca_kra_choice *out, struct err *e) MUST_CHECK;

#endif
