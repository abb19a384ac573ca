/* LDAP messages decoded: entries, and the controls and messages of content synchronisation (RFC 4533). */
#ifndef ADCSD_DIR_MESSAGE_H
#define ADCSD_DIR_MESSAGE_H

#include <ldap.h>

#include "dir/conn.h"

/* A SearchResultEntry into the pool. False when it is malformed or does not fit. */
bool
message_entry(LDAP *ld, LDAPMessage *msg, struct pool *pool, struct dir_entry *out) MUST_CHECK;
/* An entry with a Sync State control (RFC 4533 2.3) becomes an event; one that cannot be read ends the copy.
 */
void
message_sync_entry(LDAP *ld, LDAPMessage *msg, conn_sync_fn *cb, void *arg);
/* A Sync Info message (RFC 4533 2.5). syncIdSet comes in refreshes that start from a cookie only; ours never
 * do. */
void
message_sync_info(LDAP *ld, LDAPMessage *msg, conn_sync_fn *cb, void *arg);

#endif
