#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "client/conn_priv.h"

#define FRAME_MAX 65535
#define FRAG_LEAST 1432 /* MustRecvFragSize, C706 12.6.2 */

static const struct bytes none = { NULL, 0 };

struct client_conn *
client_conn_new(const struct client_carrier *carrier, void *carrier_arg)
{
	struct client_conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->carrier = carrier;
	c->carrier_arg = carrier_arg;
	c->max_frag = RPC_FRAG_MAX;
	c->level = RPC_C_AUTHN_LEVEL_NONE;
	buf_init(&c->token, AUTH_TOKEN_MAX);
	buf_init(&c->frame, FRAME_MAX);
	buf_init(&c->out, CLIENT_REPLY_MAX);
	buf_init(&c->reply, CLIENT_REPLY_MAX);
	return c;
}

void
client_conn_free(struct client_conn *c)
{
	if (c == NULL)
		return;
	if (c->gone != NULL)
		*c->gone = true;
	auth_ctx_free(c->auth);
	buf_fini(&c->token);
	buf_fini(&c->frame);
	buf_fini(&c->out);
	buf_wipe(&c->reply);
	free(c);
}

/* ---- ends ---- */

void
client_conn_done(struct client_conn *c, struct bytes stub, const struct err *e)
{
	client_done_fn *cb = c->cb;

	c->cb = NULL;
	if (c->state != CLIENT_DEAD)
		c->state = CLIENT_IDLE;
	if (cb != NULL)
		cb(c->cb_arg, stub, e);
}

void
client_conn_die(struct client_conn *c, const struct err *e)
{
	struct err why = *e; /* may be the connection's own, which the callback may free */

	if (c->state != CLIENT_DEAD)
		c->why = why;
	c->state = CLIENT_DEAD;
	client_conn_done(c, none, &why);
}

void
client_conn_lost(struct client_conn *c, const struct err *e)
{
	client_conn_die(c, e);
}

void
client_conn_flush(struct client_conn *c)
{
	struct err e;

	if (!buf_ok(&c->out)) {
		buf_reset(&c->out);
		(void)ERR(&e, E_OUTOFMEMORY, "no memory for a PDU");
		client_conn_die(c, &e);
		return;
	}
	c->carrier->send(c->carrier_arg, buf_bytes(&c->out));
	buf_reset(&c->out);
}

bool
client_conn_dead(const struct client_conn *c)
{
	return c->state == CLIENT_DEAD;
}

bool
client_conn_busy(const struct client_conn *c)
{
	return c->cb != NULL;
}

bool
client_conn_calling(const struct client_conn *c)
{
	return c->state == CLIENT_CALLING;
}

uint32_t
client_conn_fault(const struct client_conn *c)
{
	return c->fault;
}

const char *
client_conn_package(const struct client_conn *c)
{
	return c->auth != NULL ? auth_ctx_package(c->auth) : "none";
}

/* ---- authentication ---- */

/* Initiators end their steps at once: what they say waits here. */
static void
on_step(void *arg, enum auth_state st, struct bytes answer, const struct err *e)
{
	struct client_conn *c = arg;

	c->auth_state = st;
	buf_reset(&c->token);
	buf_put_bytes(&c->token, answer);
	if (st == AUTH_FAILED)
		c->why = *e;
}

/* 0, or -1 with the connection dead. */
static int
step(struct client_conn *c, struct bytes token)
{
	struct err e;

	auth_ctx_step(c->auth, token, on_step, c);
	if (c->auth_state != AUTH_FAILED && buf_ok(&c->token))
		return 0;
	if (c->auth_state == AUTH_FAILED)
		e = c->why;
	else
		(void)ERR(&e, E_OUTOFMEMORY, "no memory for an authentication token");
	client_conn_die(c, &e);
	return -1;
}

static int
start_auth(struct client_conn *c, const struct client_auth *auth)
{
	struct auth_initiate how;
	struct err e;

	if (auth == NULL || auth->level == RPC_C_AUTHN_LEVEL_NONE)
		return 0;
	how = (struct auth_initiate){
		.identity = auth->identity,
		.tickets = auth->tickets,
		.target = auth->target,
		.sign = auth->level >= RPC_C_AUTHN_LEVEL_PKT,
		.seal = auth->level == RPC_C_AUTHN_LEVEL_PKT_PRIVACY,
	};
	c->level = auth->level;
	c->mech = auth->mech;
	c->auth = auth_initiator_new(auth->mech, &how, &e);
	if (c->auth == NULL) {
		client_conn_die(c, &e);
		return -1;
	}
	return step(c, none);
}

/* ---- bind ---- */

static void
send_bind(struct client_conn *c, enum rpc_ptype ptype, const struct rpc_syntax *iface, unsigned context_id,
    bool with_token)
{
	struct rpc_trailer t = client_conn_trailer(c);
	bool sign = c->auth != NULL && c->level >= RPC_C_AUTHN_LEVEL_PKT_INTEGRITY;

	rpc_put_bind(&c->out,
	    &(struct rpc_bind_out){
		.ptype = ptype,
		.flags = sign ? PFC_SUPPORT_HEADER_SIGN : 0,
		.call_id = c->call_id,
		.max_frag = RPC_FRAG_MAX,
		.assoc_group = c->assoc_group,
		.context_id = (uint16_t)context_id,
		.abstract = *iface,
		.auth = with_token ? &t : NULL,
		.token = with_token ? buf_bytes(&c->token) : none,
	    });
	client_conn_flush(c);
}

void
client_conn_bind(struct client_conn *c, const struct rpc_syntax *iface, const struct client_auth *auth,
    client_done_fn *cb, void *arg)
{
	bool first = c->n_ifaces == 0;
	struct err e;

	assert(c->cb == NULL); /* one operation at a time */
	c->cb = cb;
	c->cb_arg = arg;
	if (c->state == CLIENT_DEAD) {
		client_conn_die(c, &c->why);
		return;
	}
	if (c->n_ifaces == CLIENT_CONTEXTS) {
		(void)ERR(&e, E_INVALIDARG, "more than %d interfaces on a connection", CLIENT_CONTEXTS);
		client_conn_done(c, none, &e);
		return;
	}
	if (first && start_auth(c, auth) != 0)
		return;
	c->call_id++;
	c->state = CLIENT_BINDING;
	c->ifaces[c->n_ifaces] = *iface;
	send_bind(c, first ? RPC_PTYPE_BIND : RPC_PTYPE_ALTER_CONTEXT, iface, c->n_ifaces,
	    first && c->auth != NULL);
}

int
client_conn_context(const struct client_conn *c, const struct rpc_syntax *iface)
{
	for (unsigned i = 0; i < c->n_ifaces; i++)
		if (rpc_syntax_equal(&c->ifaces[i], iface))
			return (int)i;
	return -1;
}

/* The client's part of the authentication is over. */
static void
authenticated(struct client_conn *c)
{
	struct err e;

	if ((c->level == RPC_C_AUTHN_LEVEL_PKT_PRIVACY && !auth_ctx_can_seal(c->auth)) ||
	    (c->level >= RPC_C_AUTHN_LEVEL_PKT && !auth_ctx_can_sign(c->auth))) {
		(void)ERR(&e, SEC_E_UNSUPPORTED_FUNCTION, "the server agreed to no protection of messages");
		client_conn_die(c, &e);
		return;
	}
	client_conn_done(c, none, NULL);
}

/* The server's token of a leg, and ours in return. */
static void
next_leg(struct client_conn *c, const struct rpc_server_pdu *pdu)
{
	struct rpc_trailer t = client_conn_trailer(c);

	if (c->auth_state == AUTH_COMPLETE && pdu->auth.token.len == 0) {
		authenticated(c);
		return;
	}
	if (step(c, pdu->auth.token) != 0)
		return;
	if (c->token.len == 0) {
		authenticated(c);
		return;
	}
	if (c->mech == AUTH_MECH_NTLM) { /* an odd number of legs: nobody answers the last one */
		rpc_put_auth3(&c->out, c->header_sign ? PFC_SUPPORT_HEADER_SIGN : 0, c->call_id, &t,
		    buf_bytes(&c->token));
		client_conn_flush(c);
		if (c->state != CLIENT_DEAD)
			authenticated(c);
		return;
	}
	c->state = CLIENT_LEG;
	send_bind(c, RPC_PTYPE_ALTER_CONTEXT, &c->ifaces[0], 0, true);
}

static int
check_result(const struct rpc_server_pdu *pdu, struct err *e)
{
	static const char *const reasons[] = { "no reason given", "it does not serve the interface",
		"it does not speak NDR20", "a limit of it is reached" };

	if (pdu->ack.n_results != 1)
		return ERR(e, E_RPC_PROTOCOL_ERROR, "%u results for one interface", pdu->ack.n_results);
	if (pdu->ack.result == RPC_CONT_ACCEPTANCE)
		return 0;
	return ERR(e, hresult_from_win32(0x6B5), "the server refuses the interface: %s",
	    pdu->ack.reason < ARRAY_LEN(reasons) ? reasons[pdu->ack.reason] : "for an unknown reason");
}

static void
on_ack(struct client_conn *c, const struct rpc_server_pdu *pdu)
{
	bool first = c->n_ifaces == 0;
	struct err e;

	if (check_result(pdu, &e) != 0) {
		if (first)
			client_conn_die(c, &e);
		else
			client_conn_done(c, none, &e);
		return;
	}
	c->n_ifaces++;
	if (!first) {
		client_conn_done(c, none, NULL);
		return;
	}
	if (pdu->ack.max_recv < FRAG_LEAST) {
		(void)ERR(&e, E_RPC_PROTOCOL_ERROR, "fragments of %u octets at most", pdu->ack.max_recv);
		client_conn_die(c, &e);
		return;
	}
	if (pdu->ack.max_recv < c->max_frag)
		c->max_frag = pdu->ack.max_recv;
	c->assoc_group = pdu->ack.assoc_group;
	c->header_sign = (pdu->h.flags & PFC_SUPPORT_HEADER_SIGN) != 0;
	if (c->auth == NULL)
		client_conn_done(c, none, NULL);
	else
		next_leg(c, pdu);
}

static void
on_nak(struct client_conn *c, uint16_t reason)
{
	static const char *const reasons[] = { [1] = "temporarily congested",
		[2] = "a limit of it is reached",
		[4] = "it does not speak this version of the protocol",
		[8] = "it does not know this type of authentication",
		[9] = "authentication failed" };
	uint32_t hr = reason == RPC_NAK_INVALID_CHECKSUM ? E_ACCESSDENIED : E_RPC_PROTOCOL_ERROR;
	struct err e;

	(void)ERR(&e, hr, "the server refuses the connection: %s (bind_nak %u)",
	    reason < ARRAY_LEN(reasons) && reasons[reason] != NULL ? reasons[reason] : "no reason given",
	    reason);
	client_conn_die(c, &e);
}

/* ---- incoming ---- */

/* A fault where no call is: an alter_context, or an authentication leg, was refused. */
static void
on_bind_fault(struct client_conn *c, uint32_t status)
{
	const char *name = rpc_fault_name(status);
	bool leg = c->state == CLIENT_LEG;
	struct err e;

	c->fault = status;
	(void)ERR(&e, rpc_fault_hresult(status), "the server refuses the %s: fault 0x%08x%s%s%s",
	    leg ? "authentication" : "interface", status, name != NULL ? " " : "", name != NULL ? name : "",
	    leg && status == RPC_FAULT_ACCESS_DENIED ? " (wrong password, or no such account?)" : "");
	client_conn_die(c, &e);
}

static void
on_pdu(struct client_conn *c, uint8_t *raw, size_t n)
{
	struct rpc_server_pdu pdu;
	bool alter = c->state == CLIENT_LEG || c->n_ifaces > 0;
	char scratch[16];
	struct err e;

	if (rpc_server_pdu_decode((struct bytes){ raw, n }, &pdu, &e) != 0) {
		client_conn_die(c, &e);
		return;
	}
	if (pdu.h.ptype == RPC_PTYPE_SHUTDOWN)
		return;
	if (c->cb != NULL && pdu.h.call_id == c->call_id) {
		if (c->state == CLIENT_CALLING &&
		    (pdu.h.ptype == RPC_PTYPE_RESPONSE || pdu.h.ptype == RPC_PTYPE_FAULT)) {
			client_call_answer(c, &pdu, raw);
			return;
		}
		if (c->state == CLIENT_BINDING && !alter && pdu.h.ptype == RPC_PTYPE_BIND_NAK) {
			on_nak(c, pdu.nak.reason);
			return;
		}
		if (c->state != CLIENT_CALLING && pdu.h.ptype == RPC_PTYPE_FAULT) {
			on_bind_fault(c, pdu.fault.status);
			return;
		}
		if (c->state == CLIENT_BINDING &&
		    pdu.h.ptype == (alter ? RPC_PTYPE_ALTER_CONTEXT_RESP : RPC_PTYPE_BIND_ACK)) {
			on_ack(c, &pdu);
			return;
		}
		if (c->state == CLIENT_LEG && pdu.h.ptype == RPC_PTYPE_ALTER_CONTEXT_RESP) {
			next_leg(c, &pdu);
			return;
		}
	}
	(void)ERR(&e, E_RPC_PROTOCOL_ERROR, "the server sends a %s of call %u where none is due",
	    rpc_ptype_name(pdu.h.ptype, scratch), pdu.h.call_id);
	client_conn_die(c, &e);
}

/* *missing: how much of the PDU is still to come, as far as can be told. */
static int
frame_missing(const struct client_conn *c, size_t *missing, struct err *e)
{
	struct rpc_header h;

	*missing = RPC_HEADER_LEN - c->frame.len;
	if (c->frame.len < RPC_HEADER_LEN)
		return 0;
	rpc_header_decode(c->frame.p, &h);
	if (rpc_header_check(&h, e) != 0)
		return -1;
	*missing = h.frag_len - c->frame.len;
	return 0;
}

static int
frame_take(struct client_conn *c, const uint8_t **p, size_t *n, size_t missing, struct err *e)
{
	size_t take = missing < *n ? missing : *n;

	buf_put(&c->frame, *p, take);
	*p += take;
	*n -= take;
	return buf_ok(&c->frame) ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for a PDU");
}

void
client_conn_feed(struct client_conn *c, const uint8_t *p, size_t n)
{
	bool gone = false, *outer = c->gone;
	size_t missing;
	struct err e;

	c->gone = &gone;
	while (!gone && c->state != CLIENT_DEAD) {
		if (frame_missing(c, &missing, &e) != 0) {
			client_conn_die(c, &e);
		} else if (missing == 0) {
			on_pdu(c, c->frame.p, c->frame.len);
			if (!gone)
				buf_reset(&c->frame);
		} else if (n == 0) {
			break;
		} else if (frame_take(c, &p, &n, missing, &e) != 0) {
			client_conn_die(c, &e);
		}
	}
	if (!gone)
		c->gone = outer;
	else if (outer != NULL)
		*outer = true;
}
