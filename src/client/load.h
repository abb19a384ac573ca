/*
 * Load for a CA: many connections at once, each asking for certificates over ICertPassage or ICertRequestD2
 * as fast as it is answered. Blocks until all is done; the sums are the caller's.
 */
#ifndef ADCSD_CLIENT_LOAD_H
#define ADCSD_CLIENT_LOAD_H

#include "client/dcom.h"
#include "client/session.h"

struct client_load {
	const char *host;
	uint16_t port;                      /* of ICertPassage or the object's exporter, not of the mapper */
	const struct client_object *object; /* ICertRequestD2, whose IPID all call; NULL: ICertPassage */
	const char *ca;
	unsigned connections;
	const struct client_auth *principals; /* connections take them in turn */
	size_t n_principals;
	const struct bytes *requests; /* PKCS #10, taken in turn */
	size_t n_requests;
	const char *attributes;
	unsigned timeout_s;
};

struct client_load_run;

/* Connects, binds and authenticates everything; *connect_us: how long that took. */
struct client_load_run *
client_load_open(const struct client_load *load, uint64_t *connect_us, struct err *e) MUST_CHECK;
void
client_load_close(struct client_load_run *r);

struct client_load_result {
	uint64_t us;           /* from the first request to the last answer */
	uint32_t *latencies;   /* of `done`, in microseconds, ascending; freed by the caller */
	unsigned done, failed; /* issued; anything else */
	struct err why;        /* of the first that failed */
};
/* Submits `count` requests. -1 only when nothing could be measured. */
int
client_load_certificates(
    struct client_load_run *r, unsigned count, struct client_load_result *out, struct err *e) MUST_CHECK;
/* `count` calls of rpc_mgmt_is_server_listening on one more connection of the same kind: what a sealed call
 * costs that does nothing. */
int
client_load_calls(struct client_load_run *r, unsigned count, uint64_t *us, struct err *e) MUST_CHECK;

#endif
