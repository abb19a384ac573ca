/*
 * The directory. Never blocks; answers arrive from the event loop. dir/ knows LDAP, not certificates:
 * templates and enrollment services are entries with attributes here, policy/ makes a model of them.
 */
#ifndef ADCSD_DIR_DIR_H
#define ADCSD_DIR_DIR_H

#include "base/pool.h"

struct event_base;
struct dir;

struct dir_attr {
	const char *name;     /* as the directory spells it; compare without case */
	struct bytes *values; /* each followed by a NUL that len does not count */
	size_t n;
};
struct dir_entry {
	const char *dn;
	struct dir_attr *attrs;
	size_t n_attrs;
};

const struct dir_attr *
dir_entry_attr(const struct dir_entry *en, const char *name);
/* First value as text, or NULL. */
const char *
dir_entry_text(const struct dir_entry *en, const char *name);
/* First value as a signed 32-bit integer (AD's spelling; also accepts the unsigned one); `absent` when
 * missing. */
int32_t
dir_entry_int(const struct dir_entry *en, const char *name, int32_t absent);

/* ---- life ---- */

struct dir_config {
	struct event_base *base;
	const char *uri;       /* external directory, ldapi:// with SASL EXTERNAL; NULL: embedded slapd */
	const char *slapd;     /* embedded: the program; NULL: /usr/sbin/slapd */
	const char *state_dir; /* embedded: slapd's files live in <state>/slapd */
	const char *schema_dir, *templates_dir; /* seed data */
	const char *forest_ldif;                /* used for a new state only */
	/* told about the child's deaths, restarts, reconnects: for log and journal */
	void (*on_event)(void *arg, const char *text);
	void *on_event_arg;
};

typedef void
dir_ready_fn(void *arg, const struct err *e);

/* Starts slapd (embedded), seeds a new state, connects, loads the first snapshot; ready runs once, with e
 * when it could not (slapd missing, schema refused: a message an administrator understands). The process must
 * ignore SIGPIPE. Forks on the loop's thread, which must outlive the directory; slapd inherits what is not
 * close-on-exec (the state's lock). */
struct dir *
dir_start(const struct dir_config *cfg, dir_ready_fn *ready, void *arg, struct err *e) MUST_CHECK;
/* Stops the child (SIGTERM, then SIGKILL after 0.8 s); pending operations end with an error. NULL is fine. */
void
dir_free(struct dir *d);
/* Takes the directory away, to try what happens then, and gives it back; it comes up again by itself. */
void
dir_suspend(struct dir *d, bool on);
/* ldapi URI for tools, as in the ready line. */
const char *
dir_uri(const struct dir *d);

/* Names of the forest. Valid for the directory's life. */
struct dir_forest {
	const char *domain_dn;   /* "DC=corp,DC=contoso,DC=com" */
	const char *config_dn;   /* "CN=Configuration,DC=..." */
	const char *dns_domain;  /* "corp.contoso.com" */
	const char *nb_domain;   /* "CORP" */
	struct bytes domain_sid; /* packet form */
	const char *oid_base;    /* forest OID base, from the OID container */
};
const struct dir_forest *
dir_forest(const struct dir *d);

/* ---- snapshot ---- */

/* Immutable; templates and services in the order the directory returned them. */
struct dir_snapshot {
	unsigned refs;
	uint64_t generation; /* grows with every replacement */
	struct pool *pool;
	const struct dir_entry
	    *templates; /* pKICertificateTemplate objects, every attribute, nTSecurityDescriptor too */
	size_t n_templates;
	const struct dir_entry *services; /* pKIEnrollmentService objects */
	size_t n_services;
	const struct dir_entry *oids; /* msPKI-Enterprise-Oid objects */
	size_t n_oids;
	const struct dir_entry
	    *authorities; /* certificationAuthority objects: NTAuthCertificates, roots, AIA */
	size_t n_authorities;
};
struct dir_snapshot *
dir_snapshot_ref(struct dir_snapshot *s);
void
dir_snapshot_unref(struct dir_snapshot *s);

/*
 * The snapshot that includes every edit acknowledged before this call (contextCSN, two
 * base searches for all callers of a loop turn). snap is lent during the callback (ref it to keep it); NULL
 * with e when the directory cannot be reached (HRESULT as in MS-WCCE 3.2.2.1.7). Runs exactly once, at the
 * latest when the five seconds of an operation are over.
 */
typedef void
dir_snapshot_fn(void *arg, struct dir_snapshot *snap, const struct err *e);
int
dir_snapshot_get(struct dir *d, dir_snapshot_fn *cb, void *arg, struct err *e) MUST_CHECK;

/*
 * changed runs after edits of the domain's own entries (accounts, groups), several edits together, and each
 * time the directory is up again; first soon after this call. Once per directory; on a server that does not
 * synchronise only on the latter occasions.
 */
int
dir_watch_domain(struct dir *d, void (*changed)(void *arg), void *arg, struct err *e) MUST_CHECK;

/* ---- searches and edits ---- */

enum dir_scope { DIR_BASE, DIR_ONE, DIR_SUB };
struct dir_query {
	const char *base;
	enum dir_scope scope;
	const char *filter;       /* NULL: (objectClass=*) */
	const char *const *attrs; /* NULL-terminated; NULL: all user attributes */
};
struct dir_result { /* valid inside the callback only; copy what you keep */
	const struct dir_entry *entries;
	size_t n;
};
typedef void
dir_done_fn(void *arg, const struct dir_result *res, const struct err *e);
/* Returns 0 and later runs cb exactly once, even if dir_free() comes first; or -1 and never. Copies q. */
int
dir_search_start(
    struct dir *d, const struct dir_query *q, dir_done_fn *cb, void *arg, struct err *e) MUST_CHECK;

enum dir_mod_op { DIR_MOD_ADD, DIR_MOD_DELETE, DIR_MOD_REPLACE };
struct dir_mod {
	enum dir_mod_op op;
	const char *attr;
	const struct bytes *values;
	size_t n;
};
int
dir_modify_start(struct dir *d, const char *dn, const struct dir_mod *mods, size_t n, dir_done_fn *cb,
    void *arg, struct err *e) MUST_CHECK;
int
dir_add_start(
    struct dir *d, const struct dir_entry *entry, dir_done_fn *cb, void *arg, struct err *e) MUST_CHECK;

/* (RFC 4515) escapes a value for a filter into out. */
void
dir_filter_escape(struct buf *out, struct bytes value);

/* ---- accounts ---- */

/* An account with what a token and a subject need; groups nested, cycles cut, distribution groups left out.
 */
struct dir_group {
	struct bytes sid;
	const char *name; /* sAMAccountName */
	bool primary;     /* reached through primaryGroupID */
};
struct dir_account {
	const char *dn;
	const char *sam;                             /* sAMAccountName */
	const char *upn, *mail, *dns_host_name, *cn; /* NULL when absent */
	struct bytes sid, guid;                      /* empty when absent */
	struct bytes unicode_pwd;                    /* 16 octets or empty */
	struct bytes user_password;                  /* clear text of the forest file, or empty */
	int32_t user_account_control;
	uint32_t primary_group_rid;
	bool is_computer;
	struct dir_group *groups;
	size_t n_groups;
};
typedef void
dir_account_fn(void *arg, const struct dir_account *acct, const struct err *e);

/*
 * By the forms a logon may take: (user, domain) with domain the NetBIOS or DNS domain name or "", user a
 * sAMAccountName or a UPN (explicit userPrincipalName first, then the implicit sam@dnsdomain). acct NULL and
 * e->hr E_LOGON_FAILURE when there is none, E_NO_SUCH_DOMAIN for a foreign domain. acct is lent during the
 * callback.
 */
int
dir_account_by_logon(struct dir *d, const char *user, const char *domain, dir_account_fn *cb, void *arg,
    struct err *e) MUST_CHECK;
/* By objectSid, without groups. E_DS_NO_SUCH_OBJECT when it is gone. */
int
dir_account_by_sid(struct dir *d, struct bytes sid, dir_account_fn *cb, void *arg, struct err *e) MUST_CHECK;
/* The same for a request that has its snapshot: the account as it was when dir_snapshot_get asked, or newer,
 * without its password. Looked up once, and again after an edit of the domain; cb may run before the return.
 */
int
dir_subject_by_sid(struct dir *d, struct bytes sid, dir_account_fn *cb, void *arg, struct err *e) MUST_CHECK;
/* The same with its groups, for a token. */
int
dir_account_with_groups_by_sid(
    struct dir *d, struct bytes sid, dir_account_fn *cb, void *arg, struct err *e) MUST_CHECK;

#endif
