#include "client/link.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

struct client_link {
	struct event_base *base;
	struct client_conn *conn;
	struct bufferevent *bev;
	struct timeval timeout;
	char peer[128]; /* "ca01[135]", for messages */
};

/* ---- the carrier ---- */

static void
on_send(void *arg, struct bytes octets)
{
	struct client_link *l = arg;

	bufferevent_set_timeouts(l->bev, &l->timeout, &l->timeout); /* counts from now */
	/* A failure to queue shows as silence, which the time-out ends. */
	(void)bufferevent_write(l->bev, octets.p, octets.len);
}

static const struct client_carrier carrier = { on_send };

static void
on_readable(struct bufferevent *bev, void *arg)
{
	struct client_link *l = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t n = evbuffer_get_length(in);
	uint8_t *p = evbuffer_pullup(in, -1);
	uint8_t *copy = p != NULL ? malloc(n) : NULL;
	struct client_conn *conn = l->conn;
	struct err e;

	if (copy == NULL) {
		(void)ERR(&e, E_OUTOFMEMORY, "no memory for %zu octets", n);
		client_conn_lost(conn, &e);
		return;
	}
	/* The callback of an operation may free the link. */
	memcpy(copy, p, n);
	evbuffer_drain(in, n);
	client_conn_feed(conn, copy, n);
	free(copy);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct client_link *l = arg;
	int code = EVUTIL_SOCKET_ERROR();
	uint32_t lost = client_conn_calling(l->conn) ? E_RPC_CALL_FAILED : E_RPC_SERVER_UNAVAILABLE;
	struct err e;

	if ((what & BEV_EVENT_CONNECTED) != 0) {
		int on = 1;

		(void)setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		return;
	}
	if ((what & BEV_EVENT_TIMEOUT) != 0 && !client_conn_busy(l->conn)) {
		bufferevent_enable(bev, EV_READ); /* idle connections may stay silent */
		return;
	}
	if ((what & BEV_EVENT_TIMEOUT) != 0)
		(void)ERR(&e, E_TIMEOUT, "%s does not answer", l->peer);
	else if ((what & BEV_EVENT_EOF) != 0)
		(void)ERR(&e, lost, "%s has closed the connection", l->peer);
	else
		(void)ERR(&e, lost, "%s: %s", l->peer, strerror(code));
	bufferevent_disable(bev, EV_READ | EV_WRITE);
	client_conn_lost(l->conn, &e);
}

static int
start_connect(struct client_link *l, const char *host, uint16_t port, struct err *e)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *found = NULL;
	int code = getaddrinfo(host, NULL, &hints, &found);

	if (code != 0)
		return ERR(e, E_RPC_SERVER_UNAVAILABLE, "%.80s: %s", host, gai_strerror(code));
	if (found->ai_family == AF_INET6)
		((struct sockaddr_in6 *)found->ai_addr)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)found->ai_addr)->sin_port = htons(port);
	code = bufferevent_socket_connect(l->bev, found->ai_addr, (int)found->ai_addrlen);
	freeaddrinfo(found);
	return code == 0 ? 0 : ERR(e, E_RPC_SERVER_UNAVAILABLE, "%s: %s", l->peer, strerror(errno));
}

struct client_link *
client_link_new(struct event_base *base, const char *host, uint16_t port, unsigned timeout_s, struct err *e)
{
	struct client_link *l = calloc(1, sizeof(*l));

	if (l != NULL) {
		l->base = base;
		l->bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
		l->conn = client_conn_new(&carrier, l);
		snprintf(l->peer, sizeof(l->peer), "%.100s[%u]", host, port);
	}
	if (l == NULL || l->bev == NULL || l->conn == NULL) {
		client_link_free(l);
		(void)ERR(e, E_OUTOFMEMORY, "no memory for a connection");
		return NULL;
	}
	bufferevent_setcb(l->bev, on_readable, NULL, on_event, l);
	l->timeout.tv_sec = (time_t)timeout_s;
	bufferevent_set_timeouts(l->bev, &l->timeout, &l->timeout);
	bufferevent_enable(l->bev, EV_READ | EV_WRITE);
	if (start_connect(l, host, port, e) != 0) {
		client_link_free(l);
		return NULL;
	}
	return l;
}

void
client_link_free(struct client_link *l)
{
	if (l == NULL)
		return;
	client_conn_free(l->conn);
	if (l->bev != NULL)
		bufferevent_free(l->bev);
	free(l);
}

struct client_conn *
client_link_conn(struct client_link *l)
{
	return l->conn;
}

/* ---- blocking ---- */

struct waiting {
	struct buf *stub; /* NULL: not wanted */
	struct err e;
	int rc; /* 1: not yet */
};

static void
on_done(void *arg, struct bytes stub, const struct err *e)
{
	struct waiting *w = arg;

	w->rc = e != NULL ? -1 : 0;
	if (e != NULL)
		w->e = *e;
	else if (w->stub != NULL)
		buf_put_bytes(w->stub, stub);
}

static int
wait(struct client_link *l, struct waiting *w, struct err *e)
{
	while (w->rc > 0) {
		if (event_base_loop(l->base, EVLOOP_ONCE) != 0)
			return ERR(e, E_UNEXPECTED, "the event loop of the client has ended");
	}
	if (w->rc != 0)
		*e = w->e;
	return w->rc;
}

int
client_link_bind(
    struct client_link *l, const struct rpc_syntax *iface, const struct client_auth *auth, struct err *e)
{
	struct waiting w = { .rc = 1 };

	client_conn_bind(l->conn, iface, auth, on_done, &w);
	return wait(l, &w, e);
}

int
client_link_call_stub(struct client_link *l, const struct rpc_syntax *iface, uint16_t opnum,
    const struct guid *object, struct bytes stub, struct buf *out, struct err *e)
{
	int context = client_conn_context(l->conn, iface);
	struct waiting w = { .stub = out, .rc = 1 };

	if (context < 0)
		return ERR(e, E_UNEXPECTED, "call of method %u on an interface that is not bound", opnum);
	client_conn_call(l->conn, (unsigned)context, opnum, object, stub, on_done, &w);
	if (wait(l, &w, e) != 0)
		return -1;
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for the answer");
}

int
client_link_call(struct client_link *l, const struct rpc_syntax *iface, const struct client_method *m,
    const struct guid *object, const void *args, struct pool *pool, void **out, struct err *e)
{
	struct buf in, answer;
	size_t used;
	int rc = -1;

	buf_init(&in, CLIENT_STUB_MAX);
	buf_init(&answer, CLIENT_REPLY_MAX);
	if ((m->in == NULL || ndr_push(m->in, args, &in, e) == 0) &&
	    client_link_call_stub(l, iface, m->opnum, object, buf_bytes(&in), &answer, e) == 0)
		rc = ndr_pull(m->out, m->out_size, buf_bytes(&answer), pool, out, &used, e);
	buf_wipe(&in);
	buf_wipe(&answer);
	return rc == 0 ? 0 : err_prefix(e, "%s", m->name);
}
