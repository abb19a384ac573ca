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
	CA_CRL_REPUBLISH = 0x10,     /* the newest ones of these kinds once more, to file and directory */
	CA_CRL_CERTIFICATES = 0x100, /* Ours: the CA's certificates to their files, too */
};

/* Which list: partition << 16 | key index, as PropIndex of the partitioned properties
 * (MS-WCCE 3.2.1.4.3.2.47). */
typedef uint32_t ca_crl_id;
static inline ca_crl_id
ca_crl_id_of(const struct store_crl *r)
{
	return r->partition << 16 | r->name_id;
}

struct ca_crl_times {
	filetime_t this_update, next_update, next_publish, propagation_complete;
};
/* Of a CRL made now. until: nextUpdate before overlap and skew, as PublishCRLs is told; 0: from the settings.
 * -1: a period of the settings cannot be read. */
int
ca_crl_times(const struct ca_settings *s, filetime_t now, filetime_t ca_not_before, bool delta,
    filetime_t until, struct ca_crl_times *out, struct err *e) MUST_CHECK;
/* The base a key's delta made now refers to: the newest unexpired one that has reached everybody, else (and
 * always with CRLF_DELTA_USE_OLDEST_UNEXPIRED_BASE) the oldest unexpired one; NULL when there is none. */
const struct store_crl *
ca_crl_min_base(const struct store_crl *rows, size_t n, ca_crl_id id, bool oldest, filetime_t now);

/* The newest base or delta CRL of these; NULL when there is none. */
const struct store_crl *
ca_crl_newest(const struct store_crl *rows, size_t n, ca_crl_id id, bool delta);

/* What one CRL tells of. */
struct ca_crl_scope {
	ca_crl_id id;                    /* certificates that this key signed, and of this partition */
	bool partitions, zero_exclusive; /* there are some; and 0 is one of them, not the list of all */
	bool delta;
	bool publish_expired;    /* CRLF_PUBLISH_EXPIRED_CERT_CRLS */
	filetime_t last_publish; /* when the key's base CRL before this one was made */
	filetime_t since;        /* what changed before it is left out (deltas; 0 for a base) */
};
/* Entries of one CRL. The array is the pool's. */
int
ca_crl_entries(const struct store_revoked *rows, size_t n, const struct ca_crl_scope *scope,
    struct pool *pool, struct x509_crl_entry **out, size_t *n_out, struct err *e) MUST_CHECK;

typedef void
ca_crl_fn(void *arg, const struct err *e);
/* For every valid key (MS-CSRA 3.1.4.2.1). what 0 waits until everything asked for before is done. until: as
 * above; E_INVALIDARG when it is past. who NULL: the schedule. done runs exactly once, possibly before this
 * returns; after -1 never. */
int
ca_crl_publish(struct ca *ca, unsigned what, filetime_t until, const struct ca_who *who, ca_crl_fn *done,
    void *arg, struct err *e) MUST_CHECK;

/* At the start: folder and CA certificate, then the CRLs that are due or whose publication was cut short. */
int
ca_crl_start(struct ca *ca, ca_crl_fn *done, void *arg, struct err *e) MUST_CHECK;
/* Publishes what has fallen due; cheap when nothing has. */
void
ca_crl_check(struct ca *ca);
/* Virtual time of the next scheduled publication; 0 while one is under way. */
filetime_t
ca_crl_due(const struct ca *ca);

/* Is there a base CRL that has not run out, in at least one of the places it is published? Rows are read by
 * way of the pool. */
int
ca_crl_current(struct ca *ca, ca_crl_id id, struct pool *pool, bool *current, struct err *e) MUST_CHECK;
/* Does some ldap URL of CRLPublicationURLs ask for base or delta CRLs? */
bool
ca_crl_goes_to_directory(const struct ca *ca, bool delta);

/* crl_schedule.c: writes DER under a name into the folder, by way of a new file. Any thread. */
int
ca_crl_write_file(const char *folder, const char *name, struct bytes der, struct err *e) MUST_CHECK;
/* Name of a file in the folder; in the pool. */
const char *
ca_crl_file_name(const struct ca *ca, struct pool *pool, ca_crl_id id, bool delta);
/* The CA's certificates and cross certificates to their files in the folder. Any thread. */
int
ca_crl_write_certs(
    const struct ca *ca, const struct ca_cert_list *certs, struct pool *pool, struct err *e) MUST_CHECK;

#endif
