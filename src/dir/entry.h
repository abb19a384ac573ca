/* Entries: building and copying. What callers of the directory see of them is in dir.h. */
#ifndef ADCSD_DIR_ENTRY_H
#define ADCSD_DIR_ENTRY_H

#include "dir/dir.h"

/* Deep copy into the pool. -1 when it does not fit. */
int
dir_entry_copy(
    struct pool *pool, struct dir_entry *out, const struct dir_entry *in, struct err *e) MUST_CHECK;
/* Is one of the objectClass values this one, without case? */
bool
dir_entry_is(const struct dir_entry *en, const char *object_class);
/* First value, or no bytes. */
struct bytes
dir_entry_bytes(const struct dir_entry *en, const char *name);
/* distinguishedName as AD spells it where the entry has one, else the DN the server gave. */
const char *
dir_entry_dn(const struct dir_entry *en);

#endif
