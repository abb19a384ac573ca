/*
 * Bound LDAP connections: the only door to libldap. Made on a helper thread, where libldap may block; used on
 * the loop, where nothing does.
 */
#ifndef ADCSD_DIR_CONN_H
#define ADCSD_DIR_CONN_H

#include <stdatomic.h>

#include "dir/dir.h"

struct event_base;
struct conn;

#define CONN_OPERATION_SECONDS 5

/* Blocks: connects and binds (SASL EXTERNAL), trying again while nobody listens or answers yet, for about
 * wait_ms. */
struct conn *
conn_open(const char *uri, unsigned wait_ms, const atomic_bool *cancel, struct err *e) MUST_CHECK;
/* Hands the connection to the loop. lost runs at most once, after every pending operation has got its error;
 * it may free the connection. */
int
conn_attach(struct conn *c, struct event_base *base, void (*lost)(void *arg, const struct err *e), void *arg,
    struct err *e) MUST_CHECK;
/* Pending operations end with E_DS_UNAVAILABLE. Not from an operation's callback. NULL is fine. */
void
conn_free(struct conn *c);

/* As dir_search_start() and its sisters. */
int
conn_search(struct conn *c, const struct dir_query *q, dir_done_fn *cb, void *arg, struct err *e) MUST_CHECK;
int
conn_modify(struct conn *c, const char *dn, const struct dir_mod *mods, size_t n, dir_done_fn *cb, void *arg,
    struct err *e) MUST_CHECK;
int
conn_add(struct conn *c, const struct dir_entry *entry, dir_done_fn *cb, void *arg, struct err *e) MUST_CHECK;

/* ---- content synchronisation (RFC 4533), refreshAndPersist from nothing over a whole subtree ---- */

struct conn_sync_event {
	enum { SYNC_ENTRY, SYNC_DELETED, SYNC_INFO, SYNC_END } kind;
	const uint8_t *uuid;           /* SYNC_ENTRY, SYNC_DELETED: 16 octets */
	const struct dir_entry *entry; /* SYNC_ENTRY: added or changed */
	bool refreshed;                /* SYNC_INFO: what was there at the start is complete */
	const char *cookie;            /* may be NULL */
	const struct err *e;           /* SYNC_END: why the server ended it */
};
/* Everything in ev is lent. SYNC_END is the last event; none comes when the connection is lost or freed. */
typedef void
conn_sync_fn(void *arg, const struct conn_sync_event *ev);
int
conn_sync(struct conn *c, const char *base, conn_sync_fn *cb, void *arg, struct err *e) MUST_CHECK;

/*
 * MS-WCCE 3.2.2.1.7: the HRESULT of an LDAP result code and the server's message. AD begins its messages with
 * a Win32 error of eight hexadecimal digits, which wins over the code.
 */
uint32_t
ldap_code_to_hresult(int code, const char *message);

#endif
