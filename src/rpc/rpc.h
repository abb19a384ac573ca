/*
 * Connection-oriented DCE/RPC server (C706 chapter 12, MS-RPCE) over TCP. The runtime knows no interface:
 * main hands it tables. A call is answered exactly once, now or later, on the loop's thread. The process must
 * ignore SIGPIPE.
 */
#ifndef ADCSD_RPC_RPC_H
#define ADCSD_RPC_RPC_H

#include "auth/auth.h"
#include "idl/pdu.h"
#include "ndr/ndr.h"
#include "net/serve.h"

struct event_base;
struct rpc_server;
struct rpc_port; /* one listening address: its own interfaces and association groups */
struct rpc_call;

/* Runs one call. args: decoded arguments in the call's pool, NULL without an `in` table; it must end in
 * rpc_call_reply() or rpc_call_fault(). iface and ctx must outlive the calls. */
typedef void
rpc_method_fn(struct rpc_call *call, void *args, void *ctx);

struct rpc_method {
	const char *name; /* NULL: opnum not provided, NCA_S_OP_RNG_ERROR */
	const struct ndr_field *in, *out;
	size_t in_size; /* of the argument struct */
	rpc_method_fn *run;
};

/*
 * Object interfaces (ORPC, MS-DCOM 3.1.1.5.4): the request's object UUID says whose method it is, whatever
 * interface its presentation context names, and headers stand before arguments and results. A layer knows the
 * objects. Statuses are those of a fault; 0 goes on.
 */
struct rpc_target {
	const struct rpc_interface *iface;
	void *ctx;
	void *held; /* given to release() when the call has ended; NULL: nothing */
};
struct rpc_object_layer {
	/* When the first fragment is there. */
	uint32_t (*find)(void *layer_ctx, struct rpc_call *call, struct rpc_target *out, struct err *e);
	/* When the stub is whole; *used: octets before the arguments. */
	uint32_t (*open)(void *layer_ctx, struct bytes stub, size_t *used, struct err *e);
	/* Before the results; a multiple of 8 octets. */
	void (*answer)(struct buf *out);
	void (*release)(void *held);
};

struct rpc_interface {
	const char *name;
	struct guid uuid;
	uint16_t major, minor;
	const struct rpc_method *methods;
	unsigned n_methods;
	enum rpc_auth_level min_level; /* below it: fault 5 */
	/* Of an object interface, as it is bound: methods is empty then, the layer finds them. Its ctx is the
	 * interface's. */
	const struct rpc_object_layer *layer;
};

/* Documented maxima; 0 takes the default. */
struct rpc_limits {
	unsigned connections;          /* 8192: more are accepted and closed with a log line */
	unsigned connections_per_peer; /* 0: no extra limit */
	unsigned half_open; /* 256: bind not completed, or ending; the oldest is closed for a new one */
	unsigned contexts;  /* presentation contexts per connection, 64 */
	unsigned security_contexts; /* per connection, 32 */
	unsigned calls;             /* outstanding per connection, 64 */
	size_t request_max;         /* combined stub length, 4 MiB */
	unsigned bind_timeout_s;    /* from accept to completed bind, 30 */
	unsigned idle_timeout_s;    /* without any PDU and without a call, 600; 0x7fffffff: never */
};

struct rpc_config {
	struct event_base *base;
	const struct auth_names *names;
	const struct auth_authority *authority;
	struct rpc_limits limits;
	bool one_context_per_bind; /* strict form of rpc.md section 2; off */
};

struct rpc_server *
rpc_server_new(const struct rpc_config *cfg, struct err *e) MUST_CHECK;
/* Closes everything; calls in progress find their connection gone and are dropped when answered. */
void
rpc_server_free(struct rpc_server *s);

/* Takes a bound, listening socket. The port keeps it. address/port are what sec_addr and the mapper tell. */
struct rpc_port *
rpc_server_add_port(struct rpc_server *s, int fd, struct err *e) MUST_CHECK;
int
rpc_port_add_interface(
    struct rpc_port *p, const struct rpc_interface *iface, void *ctx, struct err *e) MUST_CHECK;
uint16_t
rpc_port_number(const struct rpc_port *p);
/* The port's interfaces in the order they were added; NULL past the last. */
const struct rpc_interface *
rpc_port_interface(const struct rpc_port *p, unsigned i);
const struct rpc_server *
rpc_port_server(const struct rpc_port *p);
/* Is RPC_C_AUTHN_GSS_KERBEROS accepted (and Kerberos in SPNEGO)? */
bool
rpc_server_offers_kerberos(const struct rpc_server *s);

/* What a body may ask about its call. Lent for the call's life. */
struct pool *
rpc_call_pool(struct rpc_call *c);
/* Caller's token; NULL when unauthenticated. */
struct token *
rpc_call_token(struct rpc_call *c);
enum rpc_auth_level
rpc_call_level(struct rpc_call *c);
const char *
rpc_call_package(struct rpc_call *c); /* "NTLM", "none" */
const char *
rpc_call_peer(struct rpc_call *c); /* "127.0.0.1:40112" */
/* The object UUID of the request, or NULL. */
const struct guid *
rpc_call_object(struct rpc_call *c);
/* What the layer found and holds for the call; NULL for plain calls. */
void *
rpc_call_held(struct rpc_call *c);
/* The address the client reached us at as text, without a port: "127.0.0.1", "fe80::1"; "" when unknown. */
const char *
rpc_call_local_address(struct rpc_call *c);
/* IPv4 address the client reached us at, network order octets; 0.0.0.0 for others. */
void
rpc_call_local_ipv4(struct rpc_call *c, uint8_t out[4]);
/* Connection and call numbers for log lines: "c17.3". */
const char *
rpc_call_id(struct rpc_call *c);

/* Encodes `result` by the method's out table and sends it. Ends the call. */
void
rpc_call_reply(struct rpc_call *c, const void *result);
void
rpc_call_fault(struct rpc_call *c, uint32_t status);

/* Counters for the control socket. */
struct rpc_stats {
	unsigned connections, half_open;
	uint64_t accepted, calls, faults, refused;
	uint64_t pdus_in, pdus_out;
};
void
rpc_server_stats(const struct rpc_server *s, struct rpc_stats *out);

/* Faults and refused logons, for the journal. Called on the loop; texts live during the
 * call. */
struct rpc_incident {
	const char *kind;                        /* "logon-refused", "fault", "protocol-error", "limit" */
	const char *peer, *connection, *account; /* account: as claimed, may be NULL */
	const char *interface_name;              /* may be NULL */
	uint32_t status;
	const char *reason;
};
void
rpc_server_on_incident(struct rpc_server *s, void (*fn)(void *arg, const struct rpc_incident *), void *arg);

/* What goes wrong with a call on purpose, to try its client. Delays count in real time; kinds may follow
 * them. */
enum rpc_mishap_kind {
	RPC_MISHAP_NONE,
	RPC_MISHAP_STATUS, /* the method does not run; every status of its answer is `code`, the rest empty */
	RPC_MISHAP_FAULT,  /* the method does not run; the call ends with this fault */
	RPC_MISHAP_DROP_CALL,   /* the method does not run; the connection ends */
	RPC_MISHAP_DROP_ANSWER, /* the method runs; the connection ends instead of its answer */
	RPC_MISHAP_CUT_ANSWER,  /* the method runs; the connection ends within the answer's first fragment */
};
struct rpc_mishap {
	enum rpc_mishap_kind kind;
	uint32_t code;
	uint32_t delay_ms;        /* before the method runs */
	uint32_t answer_delay_ms; /* after it has run */
};
/* A call whose arguments are decoded; its texts live during the call of the hook. */
struct rpc_mishap_target {
	const char *peer, *call, *account; /* account NULL: unauthenticated */
	const char *interface_name, *method;
};
/* Asked once for each call before its method runs; NULL takes the hook away. */
void
rpc_server_on_call(struct rpc_server *s,
    void (*fn)(void *arg, const struct rpc_mishap_target *, struct rpc_mishap *out), void *arg);

/* How a port serves: as usual, refusing connections as if nobody listened (those it has end), or letting them
 * wait for ever. */
int
rpc_port_serve(struct rpc_port *p, enum net_serve how, struct err *e) MUST_CHECK;

#endif
