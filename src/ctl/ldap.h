/* Synchronous directory access for adcsctl: the only place here that knows libldap. Results live in ctl's
 * pool. */
#ifndef ADCSD_CTL_LDAP_H
#define ADCSD_CTL_LDAP_H

#include "ctl/ctl.h"

#define CTL_ATTRS_MAX 96

struct ctl_attr {
	const char *name;
	struct bytes *values; /* each followed by a NUL that len does not count */
	size_t n;
};
struct ctl_entry {
	const char *dn;
	struct ctl_attr *attrs;
	size_t n_attrs, cap_attrs;
};

enum ctl_scope { CTL_BASE, CTL_ONE, CTL_SUB };

/* Connects once and reads the naming contexts and the domain SID into c. */
int
ctl_ldap_open(struct ctl *c, struct err *e) MUST_CHECK;
void
ctl_ldap_close(struct ctl *c);
int
ctl_ldap_search(struct ctl *c, const char *base, enum ctl_scope scope, const char *filter,
    struct ctl_entry **out, size_t *n, struct err *e) MUST_CHECK;
int
ctl_ldap_add(struct ctl *c, const struct ctl_entry *en, struct err *e) MUST_CHECK;
/* Replaces the named attributes (n == 0 values: deletes them). */
int
ctl_ldap_replace(
    struct ctl *c, const char *dn, const struct ctl_attr *attrs, size_t n, struct err *e) MUST_CHECK;
/* Adds values to an attribute, or takes these out of it. */
int
ctl_ldap_add_values(struct ctl *c, const char *dn, const struct ctl_attr *a, struct err *e) MUST_CHECK;
int
ctl_ldap_delete_values(struct ctl *c, const char *dn, const struct ctl_attr *a, struct err *e) MUST_CHECK;
int
ctl_ldap_delete(struct ctl *c, const char *dn, struct err *e) MUST_CHECK;
/* RFC 4515 escaping, in the pool. */
const char *
ctl_ldap_escape(struct ctl *c, const char *value);

struct ctl_attr *
ctl_entry_attr(const struct ctl_entry *en, const char *name);
const char *
ctl_entry_text(const struct ctl_entry *en, const char *name);
int32_t
ctl_entry_int(const struct ctl_entry *en, const char *name, int32_t absent);
/* Sets (replaces) values; texts and numbers are copied into the pool. */
int
ctl_entry_set_bytes(struct ctl *c, struct ctl_entry *en, const char *name, const struct bytes *v, size_t n,
    struct err *e) MUST_CHECK;
int
ctl_entry_set_text(
    struct ctl *c, struct ctl_entry *en, const char *name, const char *v, struct err *e) MUST_CHECK;
/* As AD writes them: signed decimal. */
int
ctl_entry_set_int(
    struct ctl *c, struct ctl_entry *en, const char *name, uint32_t v, struct err *e) MUST_CHECK;
void
ctl_entry_drop(struct ctl_entry *en, const char *name);

#endif
