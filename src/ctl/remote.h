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

#endif
