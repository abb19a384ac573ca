/* Inside of the server: ports, their interfaces and association groups. For rpc/ and its tests only. */
#ifndef ADCSD_RPC_SERVER_H
#define ADCSD_RPC_SERVER_H

#include <sys/queue.h>

#include "idl/pdu.h"
#include "net/listen.h"
#include "rpc/rpc.h"

#define RPC_PORT_INTERFACES 16

struct rpc_link; /* a TCP connection, tcp.c */
struct evconnlistener;
struct event;

struct rpc_binding {
	const struct rpc_interface *iface;
	void *ctx;
};

/* An association group (MS-RPCE 3.3.1.1.1): the connections of one client that belong together. */
struct rpc_assoc {
	LIST_ENTRY(rpc_assoc) entry;
	uint32_t id;
	uint8_t host[16]; /* of the client that made it */
	unsigned refs;    /* connections */
};

struct rpc_port {
	LIST_ENTRY(rpc_port) entry;
	struct rpc_server *server;
	uint16_t number;
	char sec_addr[8]; /* the number as text, for bind_ack */
	struct rpc_binding bindings[RPC_PORT_INTERFACES];
	unsigned n_bindings;
	LIST_HEAD(, rpc_assoc) assocs;
	uint32_t next_assoc;
	/* tcp.c; NULL for a port without a socket */
	struct evconnlistener *listener;
	struct event *retry; /* takes the listener up again after it ran out of descriptors */
	enum net_serve serve;
};

TAILQ_HEAD(rpc_link_queue, rpc_link);

struct rpc_server {
	struct rpc_config cfg; /* limits have their defaults filled in */
	LIST_HEAD(, rpc_port) ports;
	struct rpc_stats stats;
	uint64_t next_conn;
	void (*on_incident)(void *arg, const struct rpc_incident *);
	void *incident_arg;
	void (*on_call)(void *arg, const struct rpc_mishap_target *, struct rpc_mishap *out);
	void *on_call_arg;
	LIST_HEAD(, rpc_call) delayed; /* mishap.c: waiting for their timers */
	/* tcp.c */
	struct rpc_link_queue evictable; /* half-open or ending, oldest first: stats.half_open of them */
	struct rpc_link_queue settled;
	uint64_t refusal_logged_us; /* when a refused or evicted connection was last told */
	unsigned refusals_untold;
};

/* A port without a socket: connections are made by hand (tests, fuzzing). */
struct rpc_port *
rpc_port_new(struct rpc_server *s, uint16_t number, struct err *e) MUST_CHECK;
/* The interface of this UUID and major version whose minor is at least the asked one; NULL when not served.
 */
const struct rpc_binding *
rpc_port_find(const struct rpc_port *p, const struct rpc_syntax *abstract);

/* id 0 makes a new group. Fails when this port and host have no such group (MS-RPCE 3.3.1.5.7). */
struct rpc_assoc *
rpc_assoc_join(struct rpc_port *p, uint32_t id, const uint8_t host[16], struct err *e) MUST_CHECK;
/* The last connection takes the group away. NULL is fine. */
void
rpc_assoc_leave(struct rpc_assoc *a);

void
rpc_server_incident(struct rpc_server *s, const struct rpc_incident *i);

/* tcp.c */
int
rpc_tcp_listen(struct rpc_port *p, int fd, struct err *e) MUST_CHECK;
void
rpc_tcp_close_port(struct rpc_port *p);
void
rpc_tcp_close_links(struct rpc_server *s);

/* mishap.c: calls that still wait for their timers are dropped, after their connections */
void
rpc_mishap_drop_delayed(struct rpc_server *s);

#endif
