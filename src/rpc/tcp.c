/* TCP carries connections: accepting, limits, time-outs, octets between sockets and rpc_conn_feed(). */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "base/clock.h"
#include "base/log.h"
#include "rpc/conn.h"

#define READ_HIGH 65536        /* unread octets kept of one connection while a leg is undecided */
#define WRITE_HIGH (1u << 20)  /* a client that does not read its answers is not read either ... */
#define WRITE_LOW (128u << 10) /* ... until so much is left */
#define LINGER_S 5             /* for the last answer to leave and the client to close */
#define RETRY_MS 200           /* before accepting again when descriptors ran out */
#define REFUSAL_LOG_US 1000000 /* refused and evicted connections are told once per second */

enum rpc_link_state {
	LINK_HALF_OPEN, /* accepted; bind and first authentication not complete */
	LINK_SETTLED,   /* in use */
	LINK_FLUSHING,  /* its connection ended; the last answer is on its way, what arrives is thrown away */
	LINK_LINGERING, /* our side is shut; waits for the client's end */
};

struct rpc_link {
	TAILQ_ENTRY(rpc_link) entry; /* SETTLED: of the server's settled; else of its evictable */
	struct rpc_server *server;
	struct rpc_conn *conn;
	struct bufferevent *bev;
	struct event *timer;
	enum rpc_link_state state;
	uint64_t last_us; /* of the last octet */
};

static void
link_enqueue(struct rpc_link *l, enum rpc_link_state state)
{
	struct rpc_server *s = l->server;

	l->state = state;
	s->stats.half_open += state != LINK_SETTLED;
	TAILQ_INSERT_TAIL(state == LINK_SETTLED ? &s->settled : &s->evictable, l, entry);
}

static void
link_dequeue(struct rpc_link *l)
{
	struct rpc_server *s = l->server;

	s->stats.half_open -= l->state != LINK_SETTLED;
	TAILQ_REMOVE(l->state == LINK_SETTLED ? &s->settled : &s->evictable, l, entry);
}

static void
link_free(struct rpc_link *l)
{
	link_dequeue(l);
	l->server->stats.connections--;
	rpc_conn_free(l->conn);
	if (l->timer != NULL)
		event_free(l->timer);
	bufferevent_free(l->bev);
	free(l);
}

static void
link_set_timer(struct rpc_link *l, unsigned seconds)
{
	struct timeval tv = { .tv_sec = (time_t)seconds };

	if (event_add(l->timer, &tv) != 0)
		log_error(rpc, "%s %s: no timer", l->conn->id, l->conn->peer.text);
}

/* Nothing is left to send: shuts our side. Closing at once would answer unread octets with a reset, which may
 * overtake the last PDU. */
static void
link_linger(struct rpc_link *l)
{
	l->state = LINK_LINGERING;
	shutdown(bufferevent_getfd(l->bev), SHUT_WR);
}

/* ---- the connection's side ---- */

static void
on_send(void *arg, struct bytes octets)
{
	struct rpc_link *l = arg;

	if (bufferevent_write(l->bev, octets.p, octets.len) != 0) {
		log_error(rpc, "%s %s: out of memory, closed", l->conn->id, l->conn->peer.text);
		rpc_conn_close(l->conn);
	}
}

static void
on_close(void *arg)
{
	struct rpc_link *l = arg;

	link_dequeue(l);
	link_enqueue(l, LINK_FLUSHING);
	bufferevent_setwatermark(l->bev, EV_WRITE, 0, 0);
	bufferevent_enable(l->bev, EV_READ | EV_WRITE);
	link_set_timer(l, LINGER_S);
	if (evbuffer_get_length(bufferevent_get_output(l->bev)) == 0)
		link_linger(l);
}

static void
on_settled(void *arg)
{
	struct rpc_link *l = arg;

	link_dequeue(l);
	link_enqueue(l, LINK_SETTLED);
	link_set_timer(l, l->server->cfg.limits.idle_timeout_s);
}

static void
link_feed(struct rpc_link *l)
{
	struct evbuffer *in = bufferevent_get_input(l->bev), *out = bufferevent_get_output(l->bev);
	struct evbuffer_iovec v;

	if ((bufferevent_get_enabled(l->bev) & EV_READ) == 0)
		return;
	while (evbuffer_peek(in, -1, NULL, &v, 1) > 0) {
		size_t used = rpc_conn_feed(l->conn, v.iov_base, v.iov_len);

		evbuffer_drain(in, used);
		if (used < v.iov_len)
			return; /* on_resume() goes on */
		if (evbuffer_get_length(out) > WRITE_HIGH && l->conn->state != RPC_CONN_CLOSED) {
			bufferevent_disable(l->bev, EV_READ);
			bufferevent_setwatermark(l->bev, EV_WRITE, WRITE_LOW, 0);
			return; /* on_written() goes on */
		}
	}
}

static void
on_resume(void *arg)
{
	link_feed(arg);
}

static const struct rpc_carrier tcp_carrier = {
	.send = on_send,
	.close = on_close,
	.resume = on_resume,
	.settled = on_settled,
};

/* ---- the socket's side ---- */

static void
on_readable(struct bufferevent *bev, void *arg)
{
	struct rpc_link *l = arg;

	(void)bev;
	l->last_us = clock_monotonic_us();
	link_feed(l);
}

static void
on_written(struct bufferevent *bev, void *arg)
{
	struct rpc_link *l = arg;

	if (l->state == LINK_FLUSHING && evbuffer_get_length(bufferevent_get_output(bev)) == 0) {
		link_linger(l);
	} else if (l->state <= LINK_SETTLED && (bufferevent_get_enabled(bev) & EV_READ) == 0) {
		bufferevent_setwatermark(bev, EV_WRITE, 0, 0);
		bufferevent_enable(bev, EV_READ);
		link_feed(l);
	}
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct rpc_link *l = arg;

	(void)bev;
	if ((what & BEV_EVENT_ERROR) != 0 && l->state <= LINK_SETTLED)
		log_info(rpc, "%s %s: %s", l->conn->id, l->conn->peer.text,
		    evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
	else
		log_debug(rpc, "%s %s: closed by the client", l->conn->id, l->conn->peer.text);
	link_free(l);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct rpc_link *l = arg;
	struct rpc_conn *c = l->conn;
	uint64_t idle_s, limit = l->server->cfg.limits.idle_timeout_s;

	(void)fd;
	(void)what;
	if (l->state == LINK_SETTLED) {
		/* Set once per period, not per PDU: looks how long it really was. */
		idle_s = (clock_monotonic_us() - l->last_us) / 1000000;
		if (c->n_calls > 0 || idle_s < limit) {
			link_set_timer(l, c->n_calls > 0 ? (unsigned)limit : (unsigned)(limit - idle_s));
			return;
		}
		log_info(rpc, "%s %s: idle for %" PRIu64 " s, closed", c->id, c->peer.text, idle_s);
	} else if (l->state == LINK_HALF_OPEN) {
		log_warn(rpc, "%s %s: not bound within %u s, closed", c->id, c->peer.text,
		    l->server->cfg.limits.bind_timeout_s);
		l->server->stats.refused++;
		rpc_conn_incident(c, "limit", 0, NULL, "bind time-out");
	}
	link_free(l);
}

/* ---- accepting ---- */

/* Under attack there may be thousands per second; log and journal get one line per second. */
static void
tell_refusal(struct rpc_server *s, const char *peer, const char *connection, const char *why)
{
	struct rpc_incident i = { .kind = "limit", .peer = peer, .connection = connection, .reason = why };
	uint64_t now = clock_monotonic_us();

	s->stats.refused++;
	s->refusals_untold++;
	if (s->refusal_logged_us != 0 && now - s->refusal_logged_us < REFUSAL_LOG_US)
		return;
	log_warn(rpc, "%s %s: %s (%u since the last such line)", connection, peer, why, s->refusals_untold);
	rpc_server_incident(s, &i);
	s->refusal_logged_us = now;
	s->refusals_untold = 0;
}

static void
evict_oldest(struct rpc_server *s)
{
	struct rpc_link *oldest = TAILQ_FIRST(&s->evictable);

	if (oldest == NULL)
		return;
	tell_refusal(
	    s, oldest->conn->peer.text, oldest->conn->id, "half-open connection closed for a newer one");
	link_free(oldest);
}

static unsigned
count_host(const struct rpc_server *s, const uint8_t host[16])
{
	const struct rpc_link *l;
	unsigned n = 0;

	for (l = TAILQ_FIRST(&s->evictable); l != NULL; l = TAILQ_NEXT(l, entry))
		n += memcmp(l->conn->peer.host, host, 16) == 0;
	for (l = TAILQ_FIRST(&s->settled); l != NULL; l = TAILQ_NEXT(l, entry))
		n += memcmp(l->conn->peer.host, host, 16) == 0;
	return n;
}

static const char *
limit_reached(const struct rpc_server *s, const struct rpc_peer *peer)
{
	const struct rpc_limits *l = &s->cfg.limits;

	if (s->stats.connections >= l->connections)
		return "connection refused: too many connections";
	if (l->connections_per_peer != 0 && count_host(s, peer->host) >= l->connections_per_peer)
		return "connection refused: too many connections of this host";
	return NULL;
}

static struct rpc_link *
link_new(struct rpc_port *p, evutil_socket_t fd, const struct rpc_peer *peer)
{
	struct rpc_server *s = p->server;
	struct rpc_link *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->server = s;
	l->conn = rpc_conn_new(p, peer, &tcp_carrier, l);
	l->timer = evtimer_new(s->cfg.base, on_timer, l);
	if (l->conn != NULL && l->timer != NULL)
		l->bev = bufferevent_socket_new(s->cfg.base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (l->bev == NULL) {
		if (l->timer != NULL)
			event_free(l->timer);
		rpc_conn_free(l->conn);
		free(l);
		return NULL;
	}
	return l;
}

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
	struct rpc_port *p = arg;
	struct rpc_server *s = p->server;
	struct sockaddr_storage local;
	socklen_t local_len = sizeof(local);
	struct rpc_peer peer = { 0 };
	const char *why;
	struct rpc_link *l;

	(void)listener;
	(void)len;
	net_address_text(sa, peer.text);
	net_address_host(sa, peer.host);
	if (getsockname(fd, (struct sockaddr *)&local, &local_len) == 0) {
		net_address_host_text((struct sockaddr *)&local, peer.local);
		if (local.ss_family == AF_INET)
			memcpy(peer.local_ipv4, &((struct sockaddr_in *)&local)->sin_addr, 4);
	}
	s->stats.accepted++;
	if (s->stats.half_open >= s->cfg.limits.half_open)
		evict_oldest(s);
	why = limit_reached(s, &peer);
	l = why == NULL ? link_new(p, fd, &peer) : NULL;
	if (l == NULL) {
		tell_refusal(s, peer.text, "-", why != NULL ? why : "connection refused: out of memory");
		close(fd);
		return;
	}
	net_set_nodelay(fd);
	l->last_us = clock_monotonic_us();
	link_enqueue(l, LINK_HALF_OPEN);
	s->stats.connections++;
	bufferevent_setcb(l->bev, on_readable, on_written, on_event, l);
	bufferevent_setwatermark(l->bev, EV_READ, 0, READ_HIGH);
	bufferevent_enable(l->bev, EV_READ | EV_WRITE);
	link_set_timer(l, s->cfg.limits.bind_timeout_s);
	log_debug(rpc, "%s %s: connected to port %u", l->conn->id, peer.text, p->number);
}

static void
on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct rpc_port *p = arg;
	struct timeval tv = { .tv_usec = RETRY_MS * 1000 };
	int error = EVUTIL_SOCKET_ERROR();

	/* Out of descriptors: the listener would stay readable and spin. */
	tell_refusal(p->server, p->sec_addr, "-", strerror(error));
	evict_oldest(p->server);
	evconnlistener_disable(listener);
	event_add(p->retry, &tv);
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct rpc_port *p = arg;

	(void)fd;
	(void)what;
	if (p->serve == NET_SERVE)
		evconnlistener_enable(p->listener);
}

int
rpc_tcp_listen(struct rpc_port *p, int fd, struct err *e)
{
	struct event_base *base = p->server->cfg.base;

	p->retry = evtimer_new(base, on_retry, p);
	/* Backlog 0: the socket listens already. */
	if (p->retry != NULL)
		p->listener = evconnlistener_new(
		    base, on_accept, p, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (p->listener == NULL) {
		rpc_tcp_close_port(p);
		return ERR(e, E_OUTOFMEMORY, "listener of port %u", p->number);
	}
	evconnlistener_set_error_cb(p->listener, on_accept_error);
	return 0;
}

void
rpc_tcp_close_port(struct rpc_port *p)
{
	if (p->listener != NULL)
		evconnlistener_free(p->listener);
	if (p->retry != NULL)
		event_free(p->retry);
	p->listener = NULL;
	p->retry = NULL;
}

static void
close_links_of(const struct rpc_port *p, struct rpc_link_queue *q)
{
	struct rpc_link *l, *next;

	for (l = TAILQ_FIRST(q); l != NULL; l = next) {
		next = TAILQ_NEXT(l, entry);
		if (l->conn->port == p)
			link_free(l);
	}
}

int
rpc_port_serve(struct rpc_port *p, enum net_serve how, struct err *e)
{
	if (p->listener == NULL)
		return ERR(e, E_INVALIDARG, "port %u has no socket", p->number);
	if (net_listener_serve(p->listener, how, e) != 0)
		return -1;
	p->serve = how;
	if (how == NET_REFUSE) {
		close_links_of(p, &p->server->evictable);
		close_links_of(p, &p->server->settled);
	}
	return 0;
}

void
rpc_tcp_close_links(struct rpc_server *s)
{
	struct rpc_link *l;

	while ((l = TAILQ_FIRST(&s->evictable)) != NULL || (l = TAILQ_FIRST(&s->settled)) != NULL)
		link_free(l);
}
