/*
 * Backup sessions (MS-CSRA 3.1.4.1.18 to 3.1.4.1.25, 3.1.4.1.27, 3.1.4.1.28). A full one copies the database
 * as of its beginning on a worker; the copy has everything, so there are no log files, and no incremental
 * backups. There is at most one session, and it belongs to an owner: any pointer, the object it was prepared
 * on. Out of sequence: E_UNEXPECTED. Loop's thread.
 *
 * Names are as MS-CSRA 2.2.4 wants them, in UTF-8: a letter for the kind, then the UNC path that the file
 * would have on a Windows CA. They are names only: no path from a client ever reaches the file system.
 */
#ifndef ADCSD_CA_BACKUP_H
#define ADCSD_CA_BACKUP_H

#include "ca/ca.h"

#define CA_BACKUP_READ_MAX (16u << 20) /* Ours: octets of one portion */

/* e NULL: done. Once, never before the function that was given it returns. */
typedef void
ca_backup_fn(void *arg, const struct err *e);

/* InterfaceFlags: IF_NOREMOTEICERTADMINBACKUP, for local callers IF_NOLOCALICERTADMINBACKUP. Rights are
 * ca_admin_gate()'s: CA_ACCESS_OPERATOR. */
int
ca_backup_gate(const struct ca *ca, const struct ca_caller *who, struct err *e) MUST_CHECK;

/* grbit 0: full; 1: incremental, always refused. 0: cb runs. -1: never. */
int
ca_backup_prepare(
    struct ca *ca, const void *owner, uint32_t grbit, ca_backup_fn *cb, void *arg, struct err *e) MUST_CHECK;
int
ca_backup_end(struct ca *ca, const void *owner, struct err *e) MUST_CHECK;
/* The owner is no more (NULL: nobody is): its session, if it has one, ends. */
void
ca_backup_gone(struct ca *ca, const void *owner);
/* Removes what a server that was killed while it copied has left. */
void
ca_backup_sweep(const struct ca *ca);

/* Name of the database; in the pool. ESE_INVALID_BACKUP_SEQUENCE without a session. */
int
ca_backup_database(
    struct ca *ca, const void *owner, struct pool *pool, const char **out, struct err *e) MUST_CHECK;
/* Succeeds when there is a session: it has no log files. */
int
ca_backup_logs(struct ca *ca, const void *owner, struct err *e) MUST_CHECK;
/* path: a name without its letter. E_FILE_NOT_FOUND for one that is not of this session. */
int
ca_backup_open_file(
    struct ca *ca, const void *owner, const char *path, uint64_t *length, struct err *e) MUST_CHECK;
/* The next octets, fewer than n only at the end. E_INVALIDARG unless 0 < n <= CA_BACKUP_READ_MAX. */
int
ca_backup_read_file(
    struct ca *ca, const void *owner, uint8_t *out, size_t n, size_t *got, struct err *e) MUST_CHECK;
int
ca_backup_close_file(struct ca *ca, const void *owner, struct err *e) MUST_CHECK;
/* Once the database has been read to its end: SQLite's log begins anew. cb as above. */
int
ca_backup_truncate_logs(
    struct ca *ca, const void *owner, ca_backup_fn *cb, void *arg, struct err *e) MUST_CHECK;

/* No session is needed. Lists and names in the pool. */
/* CRLs, by name: no kind's letter. */
int
ca_backup_dynamic_files(
    struct ca *ca, struct pool *pool, const char *const **out, size_t *n, struct err *e) MUST_CHECK;
/* Database, then the folders of log (130) and system files (131). */
int
ca_restore_locations(
    struct ca *ca, struct pool *pool, const char *const **out, size_t *n, struct err *e) MUST_CHECK;

#endif
