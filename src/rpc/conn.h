/*
 * One connection: octets in, octets out, no socket. Whatever carries it (tcp.c, a test, a fuzz target) feeds
 * what it received and sends what the connection hands over. For rpc/ and its tests only.
 */
#ifndef ADCSD_RPC_CONN_H
#define ADCSD_RPC_CONN_H

#include "rpc/server.h"

enum rpc_conn_state {
	RPC_CONN_NEW,    /* nothing received yet; only a bind may come */
	RPC_CONN_BOUND,  /* the bind was taken: everything but a second bind may come */
	RPC_CONN_CLOSED, /* told to end: what still comes is thrown away, answers are dropped */
};

/* The carrier's side. None of these may free the connection before it returns. */
struct rpc_carrier {
	void (*send)(void *arg, struct bytes octets);
	void (*close)(void *arg);  /* once, after what was sent has left */
	void (*resume)(void *arg); /* rpc_conn_feed() had stopped short and takes octets again */
	/* Once: bound, and authenticated if the client began to; no longer half-open. */
	void (*settled)(void *arg);
};

struct rpc_peer {
	char text[NET_ADDRESS_MAX];
	uint8_t host[16];            /* net_address_host() */
	uint8_t local_ipv4[4];       /* where it reached us */
	char local[NET_ADDRESS_MAX]; /* the same of either family, as text without the port */
};

enum rpc_security_state {
	RPC_SECURITY_RUNNING,    /* a leg is with the authority; the connection reads nothing meanwhile */
	RPC_SECURITY_NEED_TOKEN, /* answered with a token, the next leg is the client's */
	RPC_SECURITY_COMPLETE,   /* caller known, PDUs can be protected */
	RPC_SECURITY_FAILED,     /* refused after an auth3, which has no answer: the first request is told */
};

/* A security context of the connection, by auth_context_id (MS-RPCE 3.3.1.5.4). */
struct rpc_security {
	LIST_ENTRY(rpc_security) entry;
	uint32_t context_id;
	uint8_t type, level;           /* as the client says them in every sec_trailer */
	enum rpc_auth_level effective; /* CALL counts as PKT */
	enum rpc_security_state state;
	struct auth_ctx *auth;
	struct auth_authority authority; /* stands before the server's and remembers who asked */
	const struct auth_authority *behind;
	char claimed[128]; /* "DOMAIN\\user" as the client says it; "" before */
};

/* A presentation context. */
struct rpc_context {
	uint16_t id;
	const struct rpc_binding *binding;
};

/* The answer to a bind, alter_context or auth3 whose leg may still be undecided. */
struct rpc_answer {
	uint8_t ptype; /* BIND_ACK, ALTER_CONTEXT_RESP; AUTH3: none */
	uint8_t flags;
	uint32_t call_id;
	struct buf results;
};

struct rpc_conn {
	struct rpc_port *port;
	struct rpc_server *server;
	const struct rpc_carrier *carrier;
	void *carrier_arg;
	char id[24]; /* "c17" */
	struct rpc_peer peer;
	enum rpc_conn_state state;
	bool settled;
	bool feeding; /* inside rpc_conn_feed() */

	struct buf frame; /* the PDU being received; stays until the next begins, a leg reads its token */
	bool frame_done;

	uint16_t max_frag;
	bool conc_mpx;
	bool client_header_sign; /* the client set PFC_SUPPORT_HEADER_SIGN ... */
	bool header_sign;        /* ... and we answered with it */
	bool keep_on_orphan;
	bool invalid; /* after a bad auth3: every request gets fault 5 */
	struct rpc_assoc *assoc;
	struct rpc_context *contexts;
	unsigned n_contexts;

	LIST_HEAD(, rpc_security) securities;
	unsigned n_securities;
	struct rpc_security *bind_security; /* of the bind: for requests without a sec_trailer */
	struct rpc_security *leg;           /* the one in RPC_SECURITY_RUNNING, or NULL */
	struct rpc_answer answer;

	LIST_HEAD(, rpc_call) calls; /* dispatched, not yet answered */
	unsigned n_calls;
	struct rpc_call *assembling;
	uint64_t next_call;
	struct buf out; /* scratch for one outgoing PDU */
};

/* NULL when memory is short. */
struct rpc_conn *
rpc_conn_new(
    struct rpc_port *port, const struct rpc_peer *peer, const struct rpc_carrier *carrier, void *arg);
/* Calls in progress lose their connection; a running leg is cancelled. NULL is fine. */
void
rpc_conn_free(struct rpc_conn *c);
/* Takes octets; fewer than n only while a leg is undecided. A closed connection takes and drops all. */
size_t
rpc_conn_feed(struct rpc_conn *c, const uint8_t *p, size_t n);

/* ---- between the files of rpc/ ---- */

/* Sends c->out and empties it. */
void
rpc_conn_flush(struct rpc_conn *c);
void
rpc_conn_close(struct rpc_conn *c);
/* Out of NEW's and a first authentication's time-out. */
void
rpc_conn_settle(struct rpc_conn *c);
/* The leg is decided: reads on. */
void
rpc_conn_resume(struct rpc_conn *c);
/* bind_nak, log line, incident, end. */
void
rpc_conn_nak(struct rpc_conn *c, uint32_t call_id, enum rpc_nak_reason reason, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* fault, log line, incident; the connection goes on. flags besides PFC_WHOLE. */
void
rpc_conn_fault(struct rpc_conn *c, uint32_t call_id, uint16_t context_id, uint8_t flags, uint32_t status,
    const char *fmt, ...) PRINTF_LIKE(6, 7);
/* The same with PFC_DID_NOT_EXECUTE, and the end. */
void
rpc_conn_refuse(struct rpc_conn *c, uint32_t call_id, uint16_t context_id, uint32_t status, const char *fmt,
    ...) PRINTF_LIKE(5, 6);
/* For a request whose connection ends with it: Windows leaves PFC_DID_NOT_EXECUTE out. */
void
rpc_conn_refuse_request(struct rpc_conn *c, uint32_t call_id, uint16_t context_id, uint32_t status,
    const char *fmt, ...) PRINTF_LIKE(5, 6);
/* account NULL: that of the connection's authentication, if any. */
void
rpc_conn_incident(
    struct rpc_conn *c, const char *kind, uint32_t status, const char *account, const char *reason);
const struct rpc_context *
rpc_conn_context(const struct rpc_conn *c, uint16_t id);

/* bind.c */
void
rpc_bind_run(struct rpc_conn *c, const struct rpc_pdu *pdu, uint8_t *raw);
void
rpc_alter_run(struct rpc_conn *c, const struct rpc_pdu *pdu, uint8_t *raw);
/* Sends c->answer with a token of sec; sec NULL: without authentication. */
void
rpc_bind_answer(struct rpc_conn *c, const struct rpc_security *sec, struct bytes token);

/* security.c */
void
rpc_auth3_run(struct rpc_conn *c, const struct rpc_pdu *pdu, uint8_t *raw);
/* Takes the token of a bind or alter_context: a first leg or a further one. c->answer goes out when it is
 * decided; violations are answered here. */
void
rpc_security_leg(struct rpc_conn *c, const struct rpc_pdu *pdu);
/* Which context protects a request's first fragment: *out, NULL for none. -1: answered, connection ended. */
int
rpc_security_select(struct rpc_conn *c, const struct rpc_pdu *pdu, struct rpc_security **out) MUST_CHECK;
/* Opens one fragment in place. context_id: the call's, for a fault. -1: answered, connection ended. */
int
rpc_security_open(struct rpc_conn *c, struct rpc_security *sec, uint16_t context_id,
    const struct rpc_pdu *pdu, uint8_t *raw) MUST_CHECK;
static inline bool
rpc_security_protects(const struct rpc_security *sec)
{
	return sec != NULL && sec->effective >= RPC_C_AUTHN_LEVEL_PKT;
}
/* Who is authenticated on the connection, by its latest context; NULL for nobody. */
const char *
rpc_security_account(const struct rpc_conn *c);
void
rpc_security_free(struct rpc_security *sec);

/* call.c */
void
rpc_call_request(struct rpc_conn *c, const struct rpc_pdu *pdu, uint8_t *raw);
void
rpc_call_orphan(struct rpc_conn *c, const struct rpc_pdu *pdu, uint8_t *raw);
void
rpc_call_drop_all(struct rpc_conn *c);

/* response.c: sends the stub in as many fragments as it needs. */
void
rpc_response_send(
    struct rpc_conn *c, struct rpc_security *sec, uint32_t call_id, uint16_t context_id, struct bytes stub);
/* Half of the first fragment, and the end of the connection (struct rpc_mishap). */
void
rpc_response_cut(
    struct rpc_conn *c, struct rpc_security *sec, uint32_t call_id, uint16_t context_id, struct bytes stub);

#endif
