/* Inside kdc/: the files of a realm, its accounts, its database. */
#ifndef ADCSD_KDC_KDC_PRIV_H
#define ADCSD_KDC_KDC_PRIV_H

#include <stdbool.h>

#include "base/pool.h"
#include "kdc/kdc.h"

struct dir_result;

#define KRB5KDC_PROGRAM "/usr/sbin/krb5kdc"
#define KDB5_UTIL_PROGRAM "/usr/sbin/kdb5_util"

/* ---- files.c ---- */

/* Every text lives in one pool. */
struct kdc_files {
	const char *realm, *domain;       /* "CORP.CONTOSO.COM", "corp.contoso.com" */
	const char *folder;               /* <state>/kdc */
	const char *krb5_conf, *kdc_conf; /* for clients; for krb5kdc */
	const char *database, *stash;     /* made by kdb5_util */
	const char *complete;             /* exists when the database is whole */
	const char *keytab, *dump, *log;
	const char *port_file; /* the port of the last time */
	char *env[4];          /* for krb5kdc and kdb5_util */
};
int
kdc_files_init(struct kdc_files *f, struct pool *pool, const char *state_dir, const char *domain,
    struct err *e) MUST_CHECK;
/* Both configurations, and the port for the next time. */
int
kdc_files_write(const struct kdc_files *f, const char *address, unsigned port, struct err *e) MUST_CHECK;
/* A port of the address free for TCP and UDP: the one of the last time, if it still is. */
int
kdc_files_choose_port(
    const struct kdc_files *f, const char *address, unsigned *port, struct err *e) MUST_CHECK;
/* Blocks: runs kdb5_util with these arguments (NULL-terminated). */
int
kdc_files_run(const struct kdc_files *f, const char *const *args, struct err *e) MUST_CHECK;

/* ---- accounts.c ---- */

struct kdc_account {
	const char *name;     /* sAMAccountName */
	const char *upn;      /* userPrincipalName; NULL: none of its own */
	const char *password; /* NULL: none in clear */
	bool has_hash;
	uint8_t nt_hash[16];
	bool disabled, no_preauth;
	const char **services; /* servicePrincipalName */
	size_t n_services;
	unsigned kvno;
	bool changed; /* since the database has it */
};
struct kdc_accounts {
	struct pool *pool;
	struct kdc_account *list;
	const struct kdc_account *
	    *by_upn; /* those that have one, sorted by it; made when they are compared */
	size_t n, n_upns;
};

extern const char *const kdc_account_attrs[];
#define KDC_ACCOUNT_FILTER "(&(objectClass=user)(sAMAccountName=*))"

/* From a search by KDC_ACCOUNT_FILTER. */
struct kdc_accounts *
kdc_accounts_read(const struct dir_result *res, struct err *e) MUST_CHECK;
/* Sorts, marks what differs from `before` (NULL: everything), takes over key versions. The number of
 * differences, accounts that are gone included. */
size_t
kdc_accounts_compare(struct kdc_accounts *now, const struct kdc_accounts *before);
/* By name, among sorted ones; NULL when there is none or a is. */
const struct kdc_account *
kdc_accounts_find(const struct kdc_accounts *a, const char *name);
/* The same by userPrincipalName. */
const struct kdc_account *
kdc_accounts_find_upn(const struct kdc_accounts *a, const char *upn);
/* Wipes. NULL is fine. */
void
kdc_accounts_free(struct kdc_accounts *a);

/* ---- database.c: all of it blocks ---- */

/* A new database unless there is a whole one; keytab and services of the host. */
int
kdc_database_prepare(const struct kdc_files *f, const char *host, struct err *e) MUST_CHECK;
/* Brings the changed accounts in, and shuts those out that are in `before` only. */
int
kdc_database_update(const struct kdc_files *f, const char *host, const struct kdc_accounts *now,
    const struct kdc_accounts *before, struct err *e) MUST_CHECK;

#endif
