/* Who the connections of bench are: a file of accounts and passwords, for NTLM or for Kerberos. */
#ifndef ADCSD_CTL_BENCH_PRINCIPALS_H
#define ADCSD_CTL_BENCH_PRINCIPALS_H

#include "client/load.h"
#include "ctl/remote.h"

struct bench_principals {
	struct ctl_remote_who *v; /* in ctl's pool */
	struct auth_tickets **tickets;
	size_t n;
};

/* Lines of "DOMAIN\\name:password", or "name@REALM:password" for Kerberos, where a DOMAIN without a dot
 * stands for the default realm. Then the KDC is asked for each. */
int
bench_principals_read(struct bench_principals *p, struct ctl *c, const char *path, struct err *e) MUST_CHECK;
/* Makes them the load's, whose principals are so far the session's own; tickets are fetched, so that logging
 * on measures the CA and not the KDC. */
int
bench_principals_load(
    struct bench_principals *p, struct ctl *c, struct client_load *load, struct err *e) MUST_CHECK;
void
bench_principals_fini(struct bench_principals *p);

#endif
