/* The server on real sockets of 127.0.0.1: accepting, bounds on connections, ends, and clients that do not
 * read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"

struct tcp {
	struct event_base *base;
	struct rpc_server *server;
	struct rpc_port *port;
	struct fixture_ctx ctx;
	unsigned incidents;
	char incident[32];
	struct rig writer; /* only its PDU writing */
};

static void
on_incident(void *arg, const struct rpc_incident *i)
{
	struct tcp *t = arg;

	t->incidents++;
	snprintf(t->incident, sizeof(t->incident), "%s", i->kind);
}

static void
tcp_init(struct tcp *t, const struct rpc_limits *limits)
{
	struct rpc_config cfg = { .names = &fixture_names, .authority = &fake_authority };
	struct err e = { 0 };
	int fd;

	memset(t, 0, sizeof(*t));
	t->base = event_base_new();
	cfg.base = t->base;
	if (limits != NULL)
		cfg.limits = *limits;
	buf_init(&t->writer.pdu, 1u << 20);
	assert_int_equal(net_listen("127.0.0.1:0", &fd, &e), 0);
	t->server = rpc_server_new(&cfg, &e);
	assert_non_null(t->server);
	t->port = rpc_server_add_port(t->server, fd, &e);
	assert_non_null(t->port);
	assert_int_equal(rpc_port_number(t->port), net_local_port(fd));
	for (size_t i = 0; i < ARRAY_LEN(fixture_ifaces); i++)
		assert_int_equal(rpc_port_add_interface(t->port, &fixture_ifaces[i], &t->ctx, &e), 0);
	rpc_server_on_incident(t->server, on_incident, t);
}

static void
tcp_fini(struct tcp *t)
{
	rpc_server_free(t->server);
	event_base_free(t->base);
	buf_fini(&t->writer.pdu);
}

/* On loopback what was sent has arrived, so a few turns do all that can be done. */
static void
turn(struct tcp *t)
{
	for (int i = 0; i < 10; i++)
		event_base_loop(t->base, EVLOOP_NONBLOCK);
}

static int
tcp_connect_from(struct tcp *t, const char *from)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(rpc_port_number(t->port)) },
			   self = to;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_not_equal(fd, -1);
	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	inet_pton(AF_INET, from, &self.sin_addr);
	self.sin_port = 0;
	assert_int_equal(bind(fd, (struct sockaddr *)&self, sizeof(self)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	turn(t);
	return fd;
}

static int
tcp_connect(struct tcp *t)
{
	return tcp_connect_from(t, "127.0.0.1");
}

static void
tcp_send(struct tcp *t, int fd)
{
	const struct buf *b = &t->writer.pdu;

	assert_int_equal(send(fd, b->p, b->len, MSG_NOSIGNAL), b->len);
	turn(t);
}

/* What has arrived: octets, 0 at the end, -1 when there is nothing. */
static ssize_t
tcp_read(struct tcp *t, int fd, uint8_t *out, size_t n)
{
	turn(t);
	return recv(fd, out, n, MSG_DONTWAIT);
}

static bool
ended(struct tcp *t, int fd)
{
	uint8_t b[64];
	ssize_t n = tcp_read(t, fd, b, sizeof(b));

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

static void
tcp_bind(struct tcp *t, int fd)
{
	uint8_t b[256];

	put_bind(&t->writer, RPC_PTYPE_BIND, PFC_WHOLE | PFC_CONC_MPX, 1, 0, ECHO);
	tcp_send(t, fd);
	assert_true(tcp_read(t, fd, b, sizeof(b)) > 16);
	assert_int_equal(b[2], RPC_PTYPE_BIND_ACK);
	assert_int_equal(atoi((char *)b + 26), rpc_port_number(t->port));
}

static void
test_call(void **state)
{
	struct rpc_stats s;
	struct tcp t;
	uint8_t b[256];
	ssize_t n;
	int fd;

	(void)state;
	tcp_init(&t, NULL);
	fd = tcp_connect(&t);
	rpc_server_stats(t.server, &s);
	assert_int_equal(s.connections, 1);
	assert_int_equal(s.half_open, 1);
	tcp_bind(&t, fd);
	rpc_server_stats(t.server, &s);
	assert_int_equal(s.half_open, 0);
	put_request(&t.writer, PFC_WHOLE, 2, 0, 3, NULL, 0);
	tcp_send(&t, fd);
	n = tcp_read(&t, fd, b, sizeof(b));
	assert_true(n > 40);
	assert_int_equal(b[2], RPC_PTYPE_RESPONSE);
	assert_memory_equal(b + 36, "nobody none level 1 at 127.0.0.1", 32);
	close(fd);
	turn(&t);
	rpc_server_stats(t.server, &s);
	assert_int_equal(s.connections, 0);
	assert_int_equal(s.accepted, 1);
	assert_int_equal(s.calls, 1);
	tcp_fini(&t);
}

static void
test_half_open_bound(void **state)
{
	static const struct rpc_limits limits = { .half_open = 3 };
	struct rpc_stats s;
	struct tcp t;
	int bound, fd[8];

	(void)state;
	tcp_init(&t, &limits);
	bound = tcp_connect(&t);
	tcp_bind(&t, bound); /* is half-open no longer, so it stays */
	for (size_t i = 0; i < ARRAY_LEN(fd); i++)
		fd[i] = tcp_connect(&t);
	rpc_server_stats(t.server, &s);
	assert_int_equal(s.half_open, 3);
	assert_int_equal(s.connections, 4);
	assert_int_equal(s.refused, 5);
	assert_string_equal(t.incident, "limit");
	assert_int_equal(t.incidents, 1); /* log and journal are told once per second */
	for (size_t i = 0; i < ARRAY_LEN(fd); i++) {
		if (ended(&t, fd[i]) != (i < 5))
			fail_msg("connection %zu", i);
	}
	tcp_bind(&t, fd[7]); /* the newest still work, and so does the bound one */
	put_request(&t.writer, PFC_WHOLE, 2, 0, 3, NULL, 0);
	tcp_send(&t, bound);
	assert_int_equal(t.ctx.runs, 1);
	for (size_t i = 0; i < ARRAY_LEN(fd); i++)
		close(fd[i]);
	close(bound);
	tcp_fini(&t);
}

static void
test_connection_limits(void **state)
{
	static const struct {
		struct rpc_limits limits;
		const char *from[4];
		bool taken[4];
	} rows[] = {
		{ { .connections = 2 }, { "127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.1" },
		    { true, true, false, false } },
		{ { .connections_per_peer = 1 }, { "127.0.0.1", "127.0.0.2", "127.0.0.1", "127.0.0.2" },
		    { true, true, false, false } },
		{ { .connections_per_peer = 2 }, { "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.2" },
		    { true, true, false, true } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rpc_stats s;
		struct tcp t;
		int fd[4], taken = 0;

		tcp_init(&t, &rows[i].limits);
		for (size_t k = 0; k < 4; k++) {
			fd[k] = tcp_connect_from(&t, rows[i].from[k]);
			assert_int_equal(ended(&t, fd[k]), !rows[i].taken[k]);
			taken += rows[i].taken[k];
			if (rows[i].taken[k])
				tcp_bind(&t, fd[k]);
		}
		rpc_server_stats(t.server, &s);
		assert_int_equal(s.connections, taken);
		assert_int_equal(s.refused, 4 - taken);
		close(fd[0]); /* room again */
		turn(&t);
		fd[0] = tcp_connect_from(&t, rows[i].from[0]);
		tcp_bind(&t, fd[0]);
		for (size_t k = 0; k < 4; k++)
			close(fd[k]);
		tcp_fini(&t);
	}
}

/* The answer that says why arrives before the end, even though the server had octets left to read. */
static void
test_last_answer_arrives(void **state)
{
	struct rpc_stats s;
	struct tcp t;
	uint8_t b[64];
	int fd;

	(void)state;
	tcp_init(&t, NULL);
	fd = tcp_connect(&t);
	put_request(&t.writer, PFC_WHOLE, 2, 0, 3, NULL, 0); /* before a bind */
	buf_put_zero(&t.writer.pdu, 100000);
	tcp_send(&t, fd);
	assert_int_equal(tcp_read(&t, fd, b, sizeof(b)), 24);
	assert_int_equal(b[2], RPC_PTYPE_BIND_NAK);
	assert_int_equal(b[16], RPC_NAK_PROTOCOL_ERROR);
	assert_int_equal(tcp_read(&t, fd, b, sizeof(b)), 0);
	rpc_server_stats(t.server, &s);
	assert_int_equal(
	    s.half_open, 1); /* waits for the client's end, among those that may be closed for a new one */
	close(fd);
	turn(&t);
	rpc_server_stats(t.server, &s);
	assert_int_equal(s.connections, 0);
	tcp_fini(&t);
}

static void
test_bind_timeout(void **state)
{
	static const struct rpc_limits limits = { .bind_timeout_s = 1, .idle_timeout_s = 1 };
	struct rpc_stats s;
	struct tcp t;
	int fd[3];

	(void)state;
	tcp_init(&t, &limits);
	for (size_t i = 0; i < 3; i++)
		fd[i] = tcp_connect(&t);
	tcp_bind(&t, fd[1]);
	tcp_bind(&t, fd[2]);
	put_request(&t.writer, PFC_WHOLE, 2, 0, 2, NULL, 0); /* a call in progress keeps the third alive */
	tcp_send(&t, fd[2]);
	do {
		event_base_loop(t.base, EVLOOP_ONCE);
		rpc_server_stats(t.server, &s);
	} while (s.connections > 1);
	assert_true(ended(&t, fd[0]));
	assert_true(ended(&t, fd[1]));
	assert_false(ended(&t, fd[2]));
	assert_string_equal(t.incident, "limit");
	fixture_release(&t.ctx, 0);
	assert_false(ended(&t, fd[2]));
	for (size_t i = 0; i < 3; i++)
		close(fd[i]);
	tcp_fini(&t);
}

/* A client that sends requests and reads no answers stops being read; when it reads, all answers are there.
 */
static void
test_client_that_does_not_read(void **state)
{
	enum { CALLS = 400, BLOB = 60000 };
	static uint8_t b[1 << 16];
	struct buf all;
	struct tcp t;
	size_t off = 0, got = 0, want;
	int fd, idle = 0;

	(void)state;
	tcp_init(&t, NULL);
	fd = tcp_connect(&t);
	tcp_bind(&t, fd);
	buf_init(&all, 64u << 20);
	for (uint32_t i = 0; i < CALLS; i++) {
		static uint8_t stub[12 + BLOB];

		set_u32le(stub, BLOB);
		set_u32le(stub + 4, 1);
		set_u32le(stub + 8, BLOB);
		for (size_t at = 0; at < sizeof(stub); at += 5000) {
			size_t n = sizeof(stub) - at < 5000 ? sizeof(stub) - at : 5000;

			put_request(&t.writer,
			    (at == 0 ? PFC_FIRST_FRAG : 0) | (at + n == sizeof(stub) ? PFC_LAST_FRAG : 0),
			    i + 2, 0, 0, stub + at, n);
			buf_put(&all, t.writer.pdu.p, t.writer.pdu.len);
		}
	}
	assert_true(buf_ok(&all));
	while (idle < 20 && off < all.len) { /* until nobody takes anything any more */
		ssize_t n = send(fd, all.p + off, all.len - off, MSG_DONTWAIT | MSG_NOSIGNAL);

		off += n > 0 ? (size_t)n : 0;
		idle = n > 0 ? 0 : idle + 1;
		turn(&t);
	}
	assert_true(off < all.len);
	assert_true(t.ctx.runs < CALLS);
	/* each answer: blob with its 12 octets and a status, in fragments of 4280 - 24 rounded down to 16 */
	want = (size_t)CALLS * (12 + BLOB + 4 + 24 * ((12 + BLOB + 4 + 4255) / 4256));
	for (idle = 0; idle < 1000 && got < want; idle++) {
		ssize_t n = tcp_read(&t, fd, b, sizeof(b));

		if (n > 0) {
			got += (size_t)n;
			idle = 0;
		}
		n = off < all.len ? send(fd, all.p + off, all.len - off, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
		off += n > 0 ? (size_t)n : 0;
	}
	assert_int_equal(got, want);
	assert_int_equal(t.ctx.runs, CALLS);
	buf_fini(&all);
	close(fd);
	tcp_fini(&t);
}

/* The client goes while its call runs; the server goes while connections stand. */
static void
test_ends(void **state)
{
	struct tcp t;
	int fd, other;

	(void)state;
	tcp_init(&t, NULL);
	fd = tcp_connect(&t);
	tcp_bind(&t, fd);
	put_request(&t.writer, PFC_WHOLE, 2, 0, 2, NULL, 0);
	tcp_send(&t, fd);
	assert_int_equal(t.ctx.n_held, 1);
	close(fd);
	turn(&t);
	fixture_release(&t.ctx, 0);

	fd = tcp_connect(&t);
	other = tcp_connect(&t);
	tcp_bind(&t, fd);
	put_request(&t.writer, PFC_WHOLE, 2, 0, 2, NULL, 0);
	tcp_send(&t, fd);
	rpc_server_free(t.server);
	t.server = NULL;
	fixture_release(&t.ctx, 1);
	close(fd);
	close(other);
	tcp_fini(&t);
}

static void
test_port_refuses(void **state)
{
	struct err e = { 0 };
	struct tcp t;
	int fd;

	(void)state;
	tcp_init(&t, NULL);
	assert_null(rpc_server_add_port(t.server, -1, &e));
	assert_int_equal(e.hr, E_INVALIDARG);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_null(rpc_server_add_port(t.server, fd, &e));
	close(fd);
	while (t.port->n_bindings < RPC_PORT_INTERFACES)
		assert_int_equal(rpc_port_add_interface(t.port, &fixture_ifaces[0], &t.ctx, &e), 0);
	assert_int_equal(rpc_port_add_interface(t.port, &fixture_ifaces[0], &t.ctx, &e), -1);
	tcp_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_half_open_bound),
		cmocka_unit_test(test_connection_limits),
		cmocka_unit_test(test_last_answer_arrives),
		cmocka_unit_test(test_bind_timeout),
		cmocka_unit_test(test_client_that_does_not_read),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_port_refuses),
	};

	signal(SIGPIPE, SIG_IGN);
	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests_name("tcp", tests, NULL, NULL);
}
