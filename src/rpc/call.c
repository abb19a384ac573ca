/* Calls: requests put together from their fragments, dispatched, answered once. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "idl/verification_trailer.h"
#include "rpc/call.h"

/* What decoded arguments and an answer may take beside the request itself; UTF-16 grows by half as UTF-8. */
#define CALL_POOL_MAX(request_max) ((request_max)*4 + (16u << 20))
#define CALL_ANSWER_MAX (64u << 20)

void
rpc_call_free(struct rpc_call *call)
{
	if (call == NULL)
		return;
	if (call->held != NULL)
		call->layer->release(call->held);
	rpc_mishap_fini(call);
	buf_fini(&call->stub);
	token_unref(call->token);
	pool_free(call->pool);
}

/* ---- receiving ---- */

static struct rpc_call *
call_new(struct rpc_conn *c, const struct rpc_pdu *pdu, struct rpc_security *sec)
{
	size_t request_max = c->server->cfg.limits.request_max;
	struct pool *pool = pool_new(CALL_POOL_MAX(request_max));
	struct rpc_call *call = pool == NULL ? NULL : POOL_NEW(pool, struct rpc_call);

	if (call == NULL) {
		pool_free(pool);
		return NULL;
	}
	call->pool = pool;
	call->conn = c;
	call->server = c->server;
	call->call_id = pdu->h.call_id;
	call->context_id = pdu->request.context_id;
	call->opnum = pdu->request.opnum;
	memcpy(call->drep, pdu->h.drep, sizeof(call->drep));
	call->has_object = pdu->request.has_object;
	call->object = pdu->request.object;
	call->peer = c->peer;
	call->sec = sec;
	call->level = RPC_C_AUTHN_LEVEL_NONE;
	call->package = "none";
	buf_init(&call->stub, request_max);
	buf_init(&call->answer, CALL_ANSWER_MAX);
	snprintf(call->id, sizeof(call->id), "%s.%" PRIu64, c->id, ++c->next_call);
	if (sec != NULL) {
		struct token *t = auth_ctx_token(sec->auth);

		call->level = sec->effective;
		call->token = t == NULL ? NULL : token_ref(t);
		call->package = pool_strdup(pool, auth_ctx_package(sec->auth));
		if (call->package == NULL) {
			rpc_call_free(call);
			return NULL;
		}
	}
	return call;
}

/* Is there one of this number in progress already? */
static bool
call_id_taken(const struct rpc_conn *c, uint32_t call_id)
{
	const struct rpc_call *call;

	for (call = LIST_FIRST(&c->calls); call != NULL; call = LIST_NEXT(call, entry)) {
		if (call->call_id == call_id)
			return true;
	}
	return false;
}

/* Does this fragment come in order? -1: answered, connection ended. opnum and p_cont_id of later fragments
 * mean nothing, as with Windows. */
static int
check_sequence(struct rpc_conn *c, const struct rpc_pdu *pdu)
{
	const struct rpc_call *call = c->assembling;
	uint32_t call_id = pdu->h.call_id;
	uint16_t context_id = call == NULL && c->conc_mpx ? pdu->request.context_id : 0;
	const char *why = NULL;

	if ((pdu->h.flags & PFC_FIRST_FRAG) == 0) {
		if (call == NULL)
			why = "fragment of no call";
		else if (call->call_id != call_id)
			why = "fragment of another call";
	} else if (call != NULL) {
		why = "new call inside a fragmented one";
	} else if (c->n_calls > 0 && !c->conc_mpx) {
		why = "new call before the answer, without PFC_CONC_MPX (MS-RPCE 3.3.1.5.8)";
	} else if (call_id_taken(c, call_id)) {
		why = "call_id of a call in progress";
	}
	if (why == NULL)
		return 0;
	/* The fault is the interrupted call's, unless calls may interleave and this one is another. */
	if (call != NULL && (!c->conc_mpx || call->call_id == call_id)) {
		call_id = call->call_id;
		context_id = call->context_id;
	}
	rpc_conn_refuse_request(
	    c, call_id, context_id, NCA_S_PROTO_ERROR, "request %" PRIu32 ": %s", pdu->h.call_id, why);
	return -1;
}

/* Tells the client now and receives the rest of the call for nothing (MS-RPCE 3.3.3.5.8): what follows must
 * still be decrypted in order. */
static void
refuse_call(struct rpc_call *call, uint32_t status, const char *why)
{
	rpc_conn_fault(call->conn, call->call_id, call->context_id, PFC_DID_NOT_EXECUTE, status,
	    "call %s, context %u opnum %u: %s", call->id, call->context_id, call->opnum, why);
	call->refused = true;
}

static bool
has_protected_security(const struct rpc_conn *c)
{
	const struct rpc_security *sec;

	for (sec = LIST_FIRST(&c->securities); sec != NULL; sec = LIST_NEXT(sec, entry)) {
		if (sec->effective > RPC_C_AUTHN_LEVEL_CONNECT)
			return true;
	}
	return false;
}

/* An object interface's call: whose method is it? -1: refused. */
static int
find_object(struct rpc_call *call)
{
	struct rpc_target target = { 0 };
	struct err e = { 0 };
	uint32_t status;

	call->layer = call->iface->layer;
	call->layer_ctx = call->ctx;
	status = call->layer->find(call->layer_ctx, call, &target, &e);
	if (status != 0) {
		refuse_call(call, status, e.msg);
		return -1;
	}
	call->iface = target.iface;
	call->ctx = target.ctx;
	call->held = target.held;
	return 0;
}

/* Finds interface and method of a first fragment. -1: the connection was ended; a call may be refused too. */
static int
check_target(struct rpc_conn *c, struct rpc_call *call, uint32_t alloc_hint)
{
	const struct rpc_context *context = rpc_conn_context(c, call->context_id);
	const struct rpc_interface *f;

	if (alloc_hint > c->server->cfg.limits.request_max) {
		rpc_conn_refuse_request(c, call->call_id, call->context_id, RPC_FAULT_ACCESS_DENIED,
		    "call %s announces %" PRIu32 " octets (MS-RPCE 3.3.3.5.4)", call->id, alloc_hint);
		return -1;
	}
	if (context == NULL) {
		rpc_conn_fault(c, call->call_id, 0, PFC_DID_NOT_EXECUTE, NCA_S_UNK_IF,
		    "call %s: no presentation context %u", call->id, call->context_id);
		call->refused = true;
		return 0;
	}
	f = context->binding->iface;
	call->bound = call->iface = f;
	call->ctx = context->binding->ctx;
	if (f->layer != NULL) {
		if (find_object(call) != 0)
			return 0;
		f = call->iface;
	}
	if (call->level < f->min_level) {
		if (!has_protected_security(c)) {
			rpc_conn_refuse_request(c, call->call_id, call->context_id, RPC_FAULT_ACCESS_DENIED,
			    "call %s at level %u, %s asks for %u", call->id, call->level, f->name,
			    f->min_level);
			return -1;
		}
		refuse_call(
		    call, RPC_FAULT_ACCESS_DENIED, "authentication level below the interface's minimum");
	} else if (call->opnum >= f->n_methods || f->methods[call->opnum].name == NULL) {
		refuse_call(call, NCA_S_OP_RNG_ERROR, "no such method");
	} else if (c->n_calls >= c->server->cfg.limits.calls) {
		refuse_call(call, RPC_FAULT_SERVER_TOO_BUSY, "too many calls in progress");
	} else {
		call->method = &f->methods[call->opnum];
	}
	return 0;
}

static void
call_dispatch(struct rpc_conn *c, struct rpc_call *call);

void
rpc_call_request(struct rpc_conn *c, const struct rpc_pdu *pdu, uint8_t *raw)
{
	const struct rpc_request *r = &pdu->request;
	bool first = (pdu->h.flags & PFC_FIRST_FRAG) != 0;
	struct rpc_security *sec = NULL;
	struct rpc_call *call;

	if (check_sequence(c, pdu) != 0)
		return;
	if (first && rpc_security_select(c, pdu, &sec) != 0)
		return;
	/* Later fragments inherit the first one's security context. */
	if (rpc_security_open(c, first ? sec : c->assembling->sec,
		first ? r->context_id : c->assembling->context_id, pdu, raw) != 0)
		return;
	if (first) {
		call = call_new(c, pdu, sec);
		if (call == NULL) {
			rpc_conn_refuse_request(
			    c, pdu->h.call_id, r->context_id, NCA_S_FAULT_REMOTE_NO_MEMORY, "out of memory");
			return;
		}
		c->assembling = call;
		if (check_target(c, call, r->alloc_hint) != 0)
			return;
	}
	call = c->assembling;
	if (!call->refused) {
		if (r->stub_len > call->stub.max - call->stub.len) {
			rpc_conn_refuse_request(c, call->call_id, call->context_id, RPC_FAULT_ACCESS_DENIED,
			    "call %s has more than %zu octets (MS-RPCE 3.3.3.5.4)", call->id, call->stub.max);
			return;
		}
		buf_put(&call->stub, raw + r->stub_off, r->stub_len);
	}
#ifdef ADCSD_PLANTED_BUG_RPC_STREAM
	if (!first && rpc_security_protects(call->sec)) {
		volatile uint8_t window[64];

		for (size_t i = 0; i < (r->alloc_hint & 0xff); i++)
			window[i] = 0;
	}
#endif
	if ((pdu->h.flags & PFC_LAST_FRAG) == 0)
		return;
	c->assembling = NULL;
	if (call->refused)
		rpc_call_free(call);
	else
		call_dispatch(c, call);
}

void
rpc_call_orphan(struct rpc_conn *c, const struct rpc_pdu *pdu, uint8_t *raw)
{
	struct rpc_call *call;

	(void)raw;
	log_info(
	    rpc, "%s %s: call_id %" PRIu32 " orphaned by the client", c->id, c->peer.text, pdu->h.call_id);
	/* MS-RPCE 3.3.1.5.10: without the negotiated feature the client ends the connection itself. Until it
	 * does, Windows goes on with the call. */
	if (!c->keep_on_orphan)
		return;
	if (c->assembling != NULL && c->assembling->call_id == pdu->h.call_id) {
		rpc_call_free(c->assembling);
		c->assembling = NULL;
	}
	for (call = LIST_FIRST(&c->calls); call != NULL; call = LIST_NEXT(call, entry)) {
		if (call->call_id == pdu->h.call_id)
			call->orphaned = true;
	}
}

void
rpc_call_drop_all(struct rpc_conn *c)
{
	struct rpc_call *call;

	rpc_call_free(c->assembling);
	c->assembling = NULL;
	while ((call = LIST_FIRST(&c->calls)) != NULL) {
		LIST_REMOVE(call, entry);
		call->conn = NULL;
		call->sec = NULL;
	}
	c->n_calls = 0;
}

/* ---- running ---- */

static void
trace_values(
    const struct rpc_call *call, const char *what, const struct ndr_field *fields, const void *values)
{
	struct buf text;

	if (fields == NULL || !log_enabled(LOG_AREA_ndr, LOG_DEBUG))
		return;
	buf_init(&text, 1u << 20);
	ndr_print(fields, values, &text);
	log_debug(ndr, "%s %s %s\n%s", call->id, call->method->name, what, buf_cstr(&text));
	buf_fini(&text);
}

/* What stands behind the arguments contradicts the header, or asks for what nobody knows: fault 5. */
static int
check_verification(const struct rpc_conn *c, const struct rpc_call *call, struct bytes rest, struct err *e)
{
	const struct rpc_interface *f = call->bound;
	struct rpc_vt_expect x = {
		.abstract = { f->uuid, f->major, f->minor },
		.transfer = { rpc_ndr20.uuid, rpc_ndr20.major, rpc_ndr20.minor },
		.header_signing = c->client_header_sign,
		.ptype = RPC_PTYPE_REQUEST,
		.call_id = call->call_id,
		.context_id = call->context_id,
		.opnum = call->opnum,
	};

	memcpy(x.drep, call->drep, sizeof(x.drep));
	return rpc_vt_check(rest, &x, e);
}

struct rpc_conn *
rpc_call_end(struct rpc_call *call)
{
	struct rpc_conn *c = call->conn;

	if (c == NULL) {
		log_info(rpc, "%s %s: answered after the connection was gone", call->id, call->peer.text);
		return NULL;
	}
	LIST_REMOVE(call, entry);
	c->n_calls--;
	return c->state == RPC_CONN_CLOSED || call->orphaned ? NULL : c;
}

void
rpc_call_fail(struct rpc_call *call, uint32_t status, const char *why)
{
	struct rpc_conn *c = rpc_call_end(call);
	struct rpc_incident i = {
		.kind = "fault",
		.peer = call->peer.text,
		.connection = call->id,
		.account = call->token == NULL ? NULL : call->token->account,
		.interface_name = call->iface->name,
		.status = status,
		.reason = why,
	};

	assert(status != 0);
	if (c != NULL) {
		log_info(rpc, "%s %s: %s %s: %s: fault 0x%08" PRIx32, call->id, call->peer.text,
		    call->iface->name, call->method->name, why, status);
		c->server->stats.faults++;
		rpc_server_incident(c->server, &i);
		rpc_put_fault(&c->out, call->call_id, 0, call->context_id, status);
		rpc_conn_flush(c);
	}
	rpc_call_free(call);
}

static void
call_dispatch(struct rpc_conn *c, struct rpc_call *call)
{
	const struct rpc_method *m = call->method;
	struct bytes stub =
	    call->stub.len > 0 ? buf_bytes(&call->stub) : (struct bytes){ (const uint8_t *)"", 0 };
	void *args = NULL;
	size_t used = 0;
	struct err e;

	LIST_INSERT_HEAD(&c->calls, call, entry);
	c->n_calls++;
	c->server->stats.calls++;
	log_debug(rpc, "%s %s: %s %s, %zu octets, level %u", call->id, call->peer.text, call->iface->name,
	    m->name, stub.len, call->level);
	if (!buf_ok(&call->stub)) {
		rpc_call_fail(call, NCA_S_FAULT_REMOTE_NO_MEMORY, "out of memory");
		return;
	}
	if (call->layer != NULL) {
		uint32_t status = call->layer->open(call->layer_ctx, stub, &used, &e);

		if (status != 0) {
			rpc_call_fail(call, status, e.msg);
			return;
		}
	}
	if (m->in != NULL &&
	    ndr_pull_behind(m->in, m->in_size, stub, used, call->pool, &args, &used, &e) != 0) {
		rpc_call_fail(call,
		    e.hr == E_OUTOFMEMORY ? NCA_S_FAULT_REMOTE_NO_MEMORY : RPC_FAULT_BAD_STUB_DATA, e.msg);
		return;
	}
	if (check_verification(c, call, (struct bytes){ stub.p + used, stub.len - used }, &e) != 0) {
		rpc_call_fail(call, RPC_FAULT_ACCESS_DENIED, e.msg);
		return;
	}
	trace_values(call, "in", m->in, args);
	rpc_mishap_run(call, args);
}

void
rpc_call_reply(struct rpc_call *call, const void *result)
{
	const struct rpc_method *m = call->method;
	struct buf stub;
	struct err e;

	/* Encoded even when nobody waits any more: a result that cannot be encoded is our bug, and shows. */
	buf_init(&stub, CALL_ANSWER_MAX);
	trace_values(call, "out", m->out, result);
	if (call->layer != NULL)
		call->layer->answer(&stub);
	if (m->out != NULL && ndr_push(m->out, result, &stub, &e) != 0) {
		rpc_call_fail(call, NCA_S_FAULT_REMOTE_NO_MEMORY, e.msg);
	} else {
		rpc_mishap_answer(call, buf_bytes(&stub));
	}
	buf_fini(&stub);
}

void
rpc_call_fault(struct rpc_call *call, uint32_t status)
{
	rpc_call_fail(call, status, "the method says so");
}

/* ---- what a body may ask ---- */

struct pool *
rpc_call_pool(struct rpc_call *c)
{
	return c->pool;
}

struct token *
rpc_call_token(struct rpc_call *c)
{
	return c->token;
}

enum rpc_auth_level
rpc_call_level(struct rpc_call *c)
{
	return c->level;
}

const char *
rpc_call_package(struct rpc_call *c)
{
	return c->package;
}

const char *
rpc_call_peer(struct rpc_call *c)
{
	return c->peer.text;
}

const struct guid *
rpc_call_object(struct rpc_call *c)
{
	return c->has_object ? &c->object : NULL;
}

void *
rpc_call_held(struct rpc_call *c)
{
	return c->held;
}

const char *
rpc_call_local_address(struct rpc_call *c)
{
	return c->peer.local;
}

void
rpc_call_local_ipv4(struct rpc_call *c, uint8_t out[4])
{
	memcpy(out, c->peer.local_ipv4, 4);
}

const char *
rpc_call_id(struct rpc_call *c)
{
	return c->id;
}
