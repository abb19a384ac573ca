/*
 * CRLs: when they are due, what stands in them, where they go. MS-CSRA 3.1.4.1.6 and 3.1.5.2, issuance.md
 * section 12. One publication at a time; those that are asked for meanwhile wait.
 */
#ifndef ADCSD_CA_CRL_H
#define ADCSD_CA_CRL_H

#include "ca/ca_priv.h"
#include "x509/crl.h"

#define CA_CRL_FOLDER "CertEnroll" /* in the state folder; http/ serves it */

/* What to publish: the flags of ICertAdminD2::PublishCRLs. */
enum {
	CA_CRL_BASE = 0x1, /* and a delta where deltas are enabled */
	CA_CRL_DELTA = 0x2,
	CA_CRL_REPUBLISH = 0x10, /* the newest ones once more, to file and directory */
};

struct ca_crl_times {
	filetime_t this_update, next_update, next_publish, propagation_complete;
};
/* Of a CRL made now. -1: a period of the settings cannot be read. */
int
ca_crl_times(const struct ca_settings *s, filetime_t now, filetime_t ca_not_before, bool delta,
    struct ca_crl_times *out, struct err *e) MUST_CHECK;
/* The base a delta made now refers to: the newest unexpired one that has reached everybody, else the oldest
 * unexpired one; NULL when there is none. */
const struct store_crl *
ca_crl_min_base(const struct store_crl *rows, size_t n, filetime_t now);
/* Entries of one CRL. last_publish: when the base CRL before this one was made; since: what changed before it
 * is left out (deltas; 0 for a base). The array is the pool's. */
int
ca_crl_entries(const struct store_revoked *rows, size_t n, filetime_t last_publish, filetime_t since,
    bool delta, struct pool *pool, struct x509_crl_entry **out, size_t *n_out, struct err *e) MUST_CHECK;

typedef void
ca_crl_fn(void *arg, const struct err *e);
/* what 0 waits until everything asked for before is done. who NULL: the schedule. done runs exactly once,
 * possibly before this returns; after -1 never. */
int
ca_crl_publish(struct ca *ca, unsigned what, const struct ca_who *who, ca_crl_fn *done, void *arg,
    struct err *e) MUST_CHECK;

/* At the start: folder and CA certificate, then the CRLs that are due or whose publication was cut short. */
int
ca_crl_start(struct ca *ca, ca_crl_fn *done, void *arg, struct err *e) MUST_CHECK;
/* Publishes what has fallen due; cheap when nothing has. */
void
ca_crl_check(struct ca *ca);
/* Virtual time of the next scheduled publication; 0 while one is under way. */
filetime_t
ca_crl_due(const struct ca *ca);

/* crl_schedule.c: writes DER under a name into the folder, by way of a new file. Any thread. */
int
ca_crl_write_file(const char *folder, const char *name, struct bytes der, struct err *e) MUST_CHECK;
/* Name of a file in the folder; in the pool. */
const char *
ca_crl_file_name(const struct ca *ca, struct pool *pool, bool delta);

#endif
