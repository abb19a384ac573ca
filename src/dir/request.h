/* One LDAP request, kept until the connection has room for it. */
#ifndef ADCSD_DIR_REQUEST_H
#define ADCSD_DIR_REQUEST_H

#include <ldap.h>

#include "dir/dir.h"

struct request {
	enum { REQUEST_SEARCH, REQUEST_MODIFY, REQUEST_ADD, REQUEST_SYNC } kind;
	const char *dn;
	int scope;
	const char *filter;
	char **attrs;
	LDAPMod **mods;
};

/* Copies what the caller gave into the pool. */
int
request_search(struct request *r, struct pool *pool, const struct dir_query *q, struct err *e) MUST_CHECK;
int
request_change(struct request *r, struct pool *pool, bool add, const char *dn, const struct dir_mod *mods,
    size_t n, struct err *e) MUST_CHECK;
int
request_sync(struct request *r, struct pool *pool, const char *base, struct err *e) MUST_CHECK;

/* libldap's result code; seconds is the limit told to the server. */
int
request_send(const struct request *r, LDAP *ld, int seconds, int *msgid) MUST_CHECK;

#endif
