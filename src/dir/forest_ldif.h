/* The contents of a new state, read from LDIF: a forest, and templates with the forest's names put in. */
#ifndef ADCSD_DIR_FOREST_LDIF_H
#define ADCSD_DIR_FOREST_LDIF_H

#include "dir/dir.h"

struct forest_entry {
	struct dir_entry entry;
	bool in_config; /* below the configuration's DN */
	struct forest_entry *next;
};

struct forest_ldif {
	struct pool *pool;
	struct forest_entry *first, **tail;
	size_t n;
	const char *domain_dn, *config_dn; /* as the file spells them */
	struct bytes domain_sid;           /* packet form */
	const char *oid_base;              /* NULL when the OID container has none */
};

/* Reads the forest; its domain is the first domainDNS object with an objectSid. */
int
forest_ldif_read(struct forest_ldif *f, struct pool *pool, const char *path, struct err *e) MUST_CHECK;
/*
 * Adds every template of a folder that the forest does not have itself: {configNC} and {forestOidBase}
 * replaced, and in security descriptors the sample forest's domain SID by this one's (both are
 * S-1-5-21-x-y-z: 24 octets in place).
 */
int
forest_ldif_add_templates(struct forest_ldif *f, const char *folder, struct err *e) MUST_CHECK;
/* Gives members the memberOf that slapd's overlay would have given them. */
int
forest_ldif_link_members(struct forest_ldif *f, struct err *e) MUST_CHECK;

#endif
