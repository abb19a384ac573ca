/*
 * One connection of a DCE/RPC client (C706 chapter 12, MS-RPCE 3.3.2): bind, alter_context, authentication in
 * as many legs as it takes, calls in fragments. It knows no socket and never blocks: octets go out through
 * the carrier and come in through client_conn_feed(). One operation at a time; each ends in its callback,
 * exactly once.
 */
#ifndef ADCSD_CLIENT_CONN_H
#define ADCSD_CLIENT_CONN_H

#include "auth/initiator.h"
#include "idl/pdu_client.h"

#define CLIENT_REPLY_MAX (256u << 20) /* stub of one answer, octets */
#define CLIENT_CONTEXTS 16            /* presentation contexts of one connection */

struct client_conn;

struct client_carrier {
	/* May not free the connection. */
	void (*send)(void *arg, struct bytes octets);
};

/* How a connection authenticates; texts and identity must live until the bind has ended. */
struct client_auth {
	enum rpc_auth_level level;            /* NONE: not at all, the rest is not looked at */
	enum auth_mech mech;                  /* NTLM, SPNEGO, Kerberos */
	const struct auth_identity *identity; /* NULL: Kerberos */
	const struct auth_tickets *tickets;   /* NULL: of the environment's credential cache */
	const char *target;                   /* SPN; may be NULL for NTLM */
};

/* e NULL: done. stub: of a call's answer, valid inside the callback; empty for a bind. The callback may start
 * the next operation or free the connection. */
typedef void
client_done_fn(void *arg, struct bytes stub, const struct err *e);

/* NULL when memory is short. */
struct client_conn *
client_conn_new(const struct client_carrier *carrier, void *carrier_arg);
/* NULL is fine. An operation under way is forgotten: its callback does not run. */
void
client_conn_free(struct client_conn *c);

/* The first bind opens and authenticates the connection (auth NULL: anonymous); later ones add an interface
 * by alter_context under the same authentication, auth is not looked at. The interface's context id is the
 * number of those bound before: client_conn_context() finds it. */
void
client_conn_bind(struct client_conn *c, const struct rpc_syntax *iface, const struct client_auth *auth,
    client_done_fn *cb, void *arg);
/* -1: not bound. */
int
client_conn_context(const struct client_conn *c, const struct rpc_syntax *iface);
/* object: the IPID of an ORPC call, else NULL. stub is copied. A fault ends the call with the HRESULT it
 * stands for (rpc_fault_hresult()); the connection may go on unless client_conn_dead(). */
void
client_conn_call(struct client_conn *c, unsigned context_id, uint16_t opnum, const struct guid *object,
    struct bytes stub, client_done_fn *cb, void *arg);

void
client_conn_feed(struct client_conn *c, const uint8_t *p, size_t n);
/* The carrier's end: whatever is under way fails with e, and so does all that follows. */
void
client_conn_lost(struct client_conn *c, const struct err *e);

/* Nothing more can be done on it. */
bool
client_conn_dead(const struct client_conn *c);
bool
client_conn_busy(const struct client_conn *c);
/* A call is on its way or running: if the connection ends now, nobody knows whether it was done. */
bool
client_conn_calling(const struct client_conn *c);
/* Status of the last fault PDU, 0 for none; for what HRESULTs cannot tell apart. */
uint32_t
client_conn_fault(const struct client_conn *c);
/* "NTLM", "Kerberos" or "none". */
const char *
client_conn_package(const struct client_conn *c);

#endif
