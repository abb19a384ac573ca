/* Kerberos as the command line and the settings want it: not at all, by a keytab, or with a KDC of our own.
 */
#ifndef ADCSD_ADCSD_REALM_H
#define ADCSD_ADCSD_REALM_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

struct event_base;
struct dir;
struct kerberos;
struct realm;

struct realm_config {
	struct event_base *base;
	struct dir *dir; /* ready */
	const char *state_dir;
	const char *keytab; /* NULL: none */
	bool kdc;           /* start one; not with a keytab */
	const char *address, *host;
};

/* ready runs once, maybe before this returns, *out is set then; e: why Kerberos cannot be served. */
int
realm_start(struct realm **out, const struct realm_config *cfg, void (*ready)(void *arg, const struct err *e),
    void *arg, struct err *e) MUST_CHECK;
/* After the acceptors, before the directory. NULL is fine. */
void
realm_free(struct realm *r);
/* NULL: not served. Lent. */
struct kerberos *
realm_kerberos(const struct realm *r);
/* For the ready line and server.show: null, or keytab, and of an own KDC realm, kdc_port, krb5_conf, updates.
 * A new reference. r may be NULL. */
json_t *
realm_json(const struct realm *r);

#endif
