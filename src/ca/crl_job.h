/* One publication of CRLs inside ca/: what crl.c carries from the plan to the outlets, and crl_plan.c fills.
 */
#ifndef ADCSD_CA_CRL_JOB_H
#define ADCSD_CA_CRL_JOB_H

#include "ca/crl.h"
#include "ca/signing_certs.h"

/* One list of a publication; its row stands at the same place of the job's rows. */
struct ca_crl_one {
	const struct ca_cert *issuer; /* the newest of the key */
	struct x509_crl_plan plan;
	bool failed; /* an outlet did not take it */
};

struct ca_crl_job {
	struct ca_crl_job *next;
	struct ca *ca;
	struct pool *pool;
	unsigned what;
	bool manual;
	ca_crl_fn *done;
	void *arg;
	filetime_t now, until;
	const struct ca_cert_list *certs;
	size_t n; /* CRLs of this publication: key by key; base, delta, or both in this order */
	struct store_crl *rows;
	struct ca_crl_one *ones;
	size_t at;              /* the first row of the key the directory is told of */
	struct err first, file; /* what went wrong first; in the worker */
};

static inline bool
ca_crl_deltas_enabled(const struct ca *ca)
{
	return ca->settings.crl_delta_units != 0;
}

/* Fills rows and ones with the CRLs to be made, under one new number; on the loop. */
int
ca_crl_plan(struct ca_crl_job *j, struct err *e) MUST_CHECK;
/* Or with the newest ones of each key, as they are; E_FILE_NOT_FOUND when there is none. */
int
ca_crl_load_newest(struct ca_crl_job *j, struct err *e) MUST_CHECK;

#endif
