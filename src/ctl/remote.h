/* A CA reached as Windows clients reach it, over RPC: which, and as whom. */
#ifndef ADCSD_CTL_REMOTE_H
#define ADCSD_CTL_REMOTE_H

#include "client/session.h"
#include "ctl/ctl.h"

/*
 * A session with the CA of --config "host[:port]\CA name" (port: of the endpoint mapper) or, without it, with
 * the running server of --state. Who: --user 'DOMAIN\name' or a UPN, with --password-file, --hash,
 * $ADCSD_PASSWORD or a prompt; with --kerberos the account of the ticket cache, for the service --spn. Freed
 * by the caller before the pool.
 */
struct client_session *
ctl_remote_open(struct ctl *c, struct err *e) MUST_CHECK;
/* The same as somebody else: in place of --user, and of the ticket cache. Lent for the session's life. */
struct ctl_remote_who {
	const struct auth_identity *identity;
	const struct auth_tickets *tickets;
};
struct client_session *
ctl_remote_open_as(struct ctl *c, const struct ctl_remote_who *who, struct err *e) MUST_CHECK;
/* Do --kerberos and --auth ask for tickets? */
int
ctl_remote_takes_tickets(const struct ctl *c, bool *out, struct err *e) MUST_CHECK;

#endif
