/* Calls that go wrong on purpose: delays, codes, lost connections. */
#include <event2/event.h>
#include <string.h>

#include "base/log.h"
#include "rpc/call.h"

/* ---- delays ---- */

static void
go_on(struct rpc_call *call);

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct rpc_call *call = arg;

	(void)fd, (void)what;
	LIST_REMOVE(call, delay_entry);
	go_on(call);
}

/* Goes on after ms; at once when there is no timer to be had. */
static void
wait_for(struct rpc_call *call, uint32_t ms)
{
	struct timeval tv = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

	if (call->timer == NULL)
		call->timer = evtimer_new(call->server->cfg.base, on_timer, call);
	if (call->timer == NULL || event_add(call->timer, &tv) != 0) {
		log_error(rpc, "%s: no timer for a delay", call->id);
		go_on(call);
		return;
	}
	LIST_INSERT_HEAD(&call->server->delayed, call, delay_entry);
}

void
rpc_mishap_drop_delayed(struct rpc_server *s)
{
	struct rpc_call *call;

	while ((call = LIST_FIRST(&s->delayed)) != NULL) {
		LIST_REMOVE(call, delay_entry);
		rpc_call_free(call);
	}
}

void
rpc_mishap_fini(struct rpc_call *call)
{
	if (call->timer != NULL)
		event_free(call->timer);
	buf_fini(&call->answer);
}

/* ---- before the method ---- */

/* An answer of the method's layout with nothing in it but the code; NULL when memory is short. */
static void *
empty_answer(struct rpc_call *call)
{
	size_t size = 0;
	uint8_t *out;

	for (const struct ndr_field *f = call->method->out; f != NULL && f->kind != NDR_END; f++)
		if (size < f->offset + f->size)
			size = f->offset + f->size;
	/* Numbers and pointers tell no size. */
	out = pool_calloc(call->pool, 1, size + 16);
	for (const struct ndr_field *f = call->method->out; out != NULL && f != NULL && f->kind != NDR_END;
	     f++)
		if (f->kind == NDR_STATUS)
			memcpy(out + f->offset, &call->mishap.code, sizeof(call->mishap.code));
	return out;
}

static void
drop(struct rpc_call *call)
{
	struct rpc_conn *c = rpc_call_end(call);

	if (c != NULL)
		rpc_conn_close(c);
	rpc_call_free(call);
}

static void
run(struct rpc_call *call)
{
	void *answer;

	switch (call->mishap.kind) {
	case RPC_MISHAP_STATUS:
		answer = empty_answer(call);
		if (answer != NULL)
			rpc_call_reply(call, answer);
		else
			rpc_call_fail(call, NCA_S_FAULT_REMOTE_NO_MEMORY, "out of memory");
		break;
	case RPC_MISHAP_FAULT:
		rpc_call_fail(call, call->mishap.code, "a fault was asked for");
		break;
	case RPC_MISHAP_DROP_CALL:
		drop(call);
		break;
	default:
		call->method->run(call, call->args, call->ctx);
	}
}

void
rpc_mishap_run(struct rpc_call *call, void *args)
{
	struct rpc_server *s = call->server;
	struct rpc_mishap_target t = {
		.peer = call->peer.text,
		.call = call->id,
		.account = call->token != NULL ? call->token->account : NULL,
		.interface_name = call->iface->name,
		.method = call->method->name,
	};

	call->args = args;
	if (s->on_call != NULL)
		s->on_call(s->on_call_arg, &t, &call->mishap);
	if (call->mishap.delay_ms > 0)
		wait_for(call, call->mishap.delay_ms);
	else
		run(call);
}

/* ---- after it ---- */

static void
send_answer(struct rpc_call *call, struct bytes stub)
{
	enum rpc_mishap_kind kind = call->mishap.kind;
	struct rpc_conn *c = rpc_call_end(call);

	if (c != NULL && kind == RPC_MISHAP_DROP_ANSWER)
		rpc_conn_close(c);
	else if (c != NULL && kind == RPC_MISHAP_CUT_ANSWER)
		rpc_response_cut(c, call->sec, call->call_id, call->context_id, stub);
	else if (c != NULL)
		rpc_response_send(c, call->sec, call->call_id, call->context_id, stub);
	rpc_call_free(call);
}

void
rpc_mishap_answer(struct rpc_call *call, struct bytes stub)
{
	uint32_t ms = call->mishap.answer_delay_ms;

	if (ms == 0 || call->conn == NULL || (buf_put_bytes(&call->answer, stub), !buf_ok(&call->answer))) {
		send_answer(call, stub);
		return;
	}
	call->mishap.answer_delay_ms = 0;
	call->args = NULL;
	wait_for(call, ms);
}

/* A delay is over: which of the two? The first one's length is taken away with it. */
static void
go_on(struct rpc_call *call)
{
	if (call->mishap.delay_ms > 0) {
		call->mishap.delay_ms = 0;
		run(call);
	} else {
		send_answer(call, buf_bytes(&call->answer));
	}
}
