/*
 * What a Windows CA writes into the Security log, one JSON object per line in <state>/audit.jsonl: the events
 * 4868 to 4897 under their numbers, the fields under Windows' names (doc/reference/audit.md). AuditFilter
 * says which are written: MS-CSRA 3.1.4.2.10. Bounded as the journal is. On the loop.
 */
#ifndef ADCSD_CA_AUDIT_H
#define ADCSD_CA_AUDIT_H

#include "ca/ca_priv.h"

/* AuditFilter */
enum {
	AUDIT_STARTSTOP = 0x1,
	AUDIT_BACKUPRESTORE = 0x2,
	AUDIT_CERTIFICATES = 0x4,
	AUDIT_REVOCATION = 0x8,
	AUDIT_SECURITY = 0x10,
	AUDIT_KEYARCHIVAL = 0x20,
	AUDIT_CONFIGURATION = 0x40,
};

/* Starts an event: append its fields with journal_put_*, then ca_audit_end(). NULL when the filter leaves it
 * out. One at a time, and none of the journal's between. */
struct buf *
ca_audit_begin(struct ca *ca, uint32_t filter, unsigned event);
/* who: the event's subject; NULL for events without one. */
void
ca_audit_end(struct ca *ca, struct buf *b, const struct ca_who *who);
/* "Yes" and "No" of events. */
void
ca_audit_put_yes(struct buf *b, const char *name, bool yes);
/* Numbers are texts in these events. */
void
ca_audit_put_number(struct buf *b, const char *name, int64_t n);

/* 4880, 4881, and 4897 when roles are separated. */
void
ca_audit_started(struct ca *ca);
void
ca_audit_stopped(struct ca *ca);
/* A request that is in the database now: 4886 or 4869, then 4893, then 4887, 4888 or 4889. */
void
ca_audit_request(struct ca_request *r);
/* 4872 for each list of a publication. */
void
ca_audit_crl(struct ca *ca, const struct store_crl *crl);
/* 4871, before it is done. until 0: as the settings say. */
void
ca_audit_crl_requested(struct ca *ca, const struct ca_who *who, filetime_t until, bool base, bool delta);
/* 4883, 4894. */
void
ca_audit_key(struct ca *ca, const struct ca_who *who, bool imported, uint32_t id);
/* 4892 for what SetCAProperty changes. type: PROPTYPE_*. */
void
ca_audit_property(struct ca *ca, const struct ca_caller *who, uint32_t property, uint32_t index,
    uint32_t type, const char *value);
/* audit_verb.c: a verb that was done. result: what it answered. */
struct ca_admin;
struct json_t;
void
ca_audit_verb(struct ca_admin *a, const struct json_t *result);

#endif
