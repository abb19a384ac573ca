/* A client's connection over TCP, and a blocking way to use it. */
#ifndef ADCSD_CLIENT_LINK_H
#define ADCSD_CLIENT_LINK_H

#include "client/conn.h"
#include "ndr/ndr.h"

struct event_base;
struct client_link;

/*
 * Starts to connect; host names are resolved at once and may block. What is done on client_link_conn() waits
 * for the connection. timeout_s: without an octet while an operation is under way, then it fails with
 * E_TIMEOUT; also for connecting.
 */
struct client_link *
client_link_new(
    struct event_base *base, const char *host, uint16_t port, unsigned timeout_s, struct err *e) MUST_CHECK;
/* NULL is fine. */
void
client_link_free(struct client_link *l);
struct client_conn *
client_link_conn(struct client_link *l);

/* ---- blocking: each runs the loop until the operation has ended ---- */

int
client_link_bind(struct client_link *l, const struct rpc_syntax *iface, const struct client_auth *auth,
    struct err *e) MUST_CHECK;

#define CLIENT_STUB_MAX (16u << 20) /* of a request, octets */

/* A call by its octets. out gets the answer's stub; iface must be bound. */
int
client_link_call_stub(struct client_link *l, const struct rpc_syntax *iface, uint16_t opnum,
    const struct guid *object, struct bytes stub, struct buf *out, struct err *e) MUST_CHECK;

/* One method: how its arguments look on the wire. */
struct client_method {
	const char *name;
	uint16_t opnum;
	const struct ndr_field *in, *out; /* in NULL: no arguments */
	size_t out_size;
};
/* iface must be bound. *out: the answer's struct, in the pool. */
int
client_link_call(struct client_link *l, const struct rpc_syntax *iface, const struct client_method *m,
    const struct guid *object, const void *args, struct pool *pool, void **out, struct err *e) MUST_CHECK;

#endif
