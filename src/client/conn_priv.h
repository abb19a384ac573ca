/* A connection's inside, between conn.c and call.c. */
#ifndef ADCSD_CLIENT_CONN_PRIV_H
#define ADCSD_CLIENT_CONN_PRIV_H

#include "client/conn.h"

enum client_conn_state {
	CLIENT_IDLE,    /* nothing is under way */
	CLIENT_BINDING, /* waits for bind_ack, or for the alter_context_resp of a further interface */
	CLIENT_LEG,     /* waits for the alter_context_resp of an authentication leg */
	CLIENT_CALLING, /* waits for fragments of the answer */
	CLIENT_DEAD,
};

struct client_conn {
	const struct client_carrier *carrier;
	void *carrier_arg;
	enum client_conn_state state;
	struct err why; /* of CLIENT_DEAD */
	bool *gone;     /* told when the connection is freed inside client_conn_feed() */

	client_done_fn *cb;
	void *cb_arg;
	uint32_t call_id;
	uint32_t fault;

	struct rpc_syntax ifaces[CLIENT_CONTEXTS];
	unsigned n_ifaces; /* agreed ones */
	uint32_t assoc_group;
	uint16_t max_frag; /* of what we send */

	enum rpc_auth_level level;
	enum auth_mech mech;
	struct auth_ctx *auth; /* NULL: anonymous */
	bool header_sign;
	/* what the last step of auth gave */
	enum auth_state auth_state;
	struct buf token;

	struct buf frame; /* the PDU coming in */
	struct buf out;
	struct buf reply; /* stub of the answer so far */
	bool answering;   /* the first fragment has come */
};

#define CLIENT_AUTH_CONTEXT_ID 1

/* Ends the operation under way; the connection may be gone afterwards. */
void
client_conn_done(struct client_conn *c, struct bytes stub, const struct err *e);
/* The same, and the connection is of no use any more. */
void
client_conn_die(struct client_conn *c, const struct err *e);
void
client_conn_flush(struct client_conn *c);
/* call.c: a response or fault while CALLING. */
void
client_call_answer(struct client_conn *c, const struct rpc_server_pdu *pdu, uint8_t *raw);

static inline struct rpc_trailer
client_conn_trailer(const struct client_conn *c)
{
	return (struct rpc_trailer){
		.type = (uint8_t)c->mech, .level = (uint8_t)c->level, .context_id = CLIENT_AUTH_CONTEXT_ID
	};
}
static inline bool
client_conn_protects(const struct client_conn *c)
{
	return c->auth != NULL && c->level >= RPC_C_AUTHN_LEVEL_PKT;
}

#endif
