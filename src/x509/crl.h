/* CRLs out: base and delta lists with AD CS's extensions. MS-CSRA 3.1.4.1.6, issuance.md section 12, RFC
 * 5280 5. */
#ifndef ADCSD_X509_CRL_H
#define ADCSD_X509_CRL_H

#include "x509/cert.h"
#include "x509/ext.h"

#define X509_CRL_MAX (64u << 20)

enum {
	X509_REASON_UNSPECIFIED = 0,
	X509_REASON_KEY_COMPROMISE = 1,
	X509_REASON_CA_COMPROMISE = 2,
	X509_REASON_AFFILIATION_CHANGED = 3,
	X509_REASON_SUPERSEDED = 4,
	X509_REASON_CESSATION_OF_OPERATION = 5,
	X509_REASON_CERTIFICATE_HOLD = 6,
	X509_REASON_REMOVE_FROM_CRL = 8,
};

struct x509_crl_entry {
	uint8_t serial[X509_SERIAL_MAX]; /* big-endian magnitude */
	size_t serial_len;
	filetime_t revoked;
	uint32_t reason; /* 0 writes no reasonCode */
};

struct x509_crl_plan {
	filetime_t this_update, next_update, next_publish;
	uint32_t number;
	uint32_t min_base;   /* delta: CRL number of its base; 0: a base CRL */
	uint32_t ca_version; /* key index << 16 | certificate index (1.3.6.1.4.1.311.21.1) */
	uint16_t partition;  /* tells lists of one number apart in a seeded CA */
	bool number_critical;
	/* URLs; an empty list leaves the extension out */
	struct x509_strings freshest;  /* base CRLs only */
	struct x509_strings locations; /* 1.3.6.1.4.1.311.21.14 */
	struct x509_strings idp;       /* 2.5.29.28, critical */
	const struct x509_crl_entry *entries;
	size_t n_entries;
};

/* Signs a plan with the CA's key and name. Thread-safe, as x509_ca_issue(); the CRL number picks the
 * randomness. */
int
x509_ca_crl(struct x509_ca *ca, const struct x509_crl_plan *plan, struct buf *out, struct err *e) MUST_CHECK;

#endif
