/* A call between its arrival and its answer. For call.c and mishap.c only. */
#ifndef ADCSD_RPC_CALL_H
#define ADCSD_RPC_CALL_H

#include "rpc/conn.h"

struct rpc_call {
	LIST_ENTRY(rpc_call) entry; /* of the connection's calls, once dispatched */
	struct pool *pool;          /* holds this struct too */
	struct rpc_conn *conn;      /* NULL: gone */
	struct rpc_server *server;
	bool orphaned; /* the client no longer wants the answer */
	bool refused;  /* while being received: a fault has gone out, the rest is only decrypted */
	char id[40];   /* "c17.3" */
	uint32_t call_id;
	uint16_t context_id, opnum;
	uint8_t drep[4];
	bool has_object;
	struct guid object;
	const struct rpc_interface *bound; /* of the presentation context */
	const struct rpc_interface
	    *iface; /* the same, or its layer's; main's, as the method: they outlive the port */
	const struct rpc_object_layer *layer;
	void *ctx, *layer_ctx;
	void *held; /* the layer's */
	const struct rpc_method *method;
	struct rpc_security *sec; /* the connection's; NULL without authentication */
	struct token *token;
	const char *package;
	enum rpc_auth_level level;
	struct rpc_peer peer;
	struct buf stub; /* arguments may point into it */
	/* mishap.c */
	struct rpc_mishap mishap;
	LIST_ENTRY(rpc_call) delay_entry; /* of the server's delayed, while the timer is set */
	struct event *timer;              /* NULL: never was delayed */
	void *args;                       /* of the delayed method */
	struct buf answer;                /* delayed, encoded */
};

/* ---- call.c ---- */

/* Ends the call with a fault. status 0 is forbidden on the wire (MS-RPCE 3.3.3.5.1). */
void
rpc_call_fail(struct rpc_call *call, uint32_t status, const char *why);
/* Takes the call off its connection; NULL when there is nobody to answer. */
struct rpc_conn *
rpc_call_end(struct rpc_call *call);
void
rpc_call_free(struct rpc_call *call);

/* ---- mishap.c ---- */

/* Asks the server's hook and runs the method, now or later, or what goes wrong instead. */
void
rpc_mishap_run(struct rpc_call *call, void *args);
/* Sends the encoded answer, now or later, or ends its connection as was asked for. Takes the call. */
void
rpc_mishap_answer(struct rpc_call *call, struct bytes stub);
/* Of a call that is freed. */
void
rpc_mishap_fini(struct rpc_call *call);

#endif
