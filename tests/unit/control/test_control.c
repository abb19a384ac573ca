/*
 * The control socket with a CA that is made here and answers when the test says so: order of answers, peers
 * that leave before theirs, the server's end under way, bounds. Linked in place of the real ca_admin_start().
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "ca/ca.h"
#include "control/control.h"

/* ---- the CA ---- */

#define CALLS_MAX 128

struct ca {
	bool later;
	unsigned n;
	struct {
		ca_admin_fn *cb;
		void *arg;
	} calls[CALLS_MAX];
	bool local_admin, privacy; /* of the latest caller */
	char peer[32];
};

void
ca_admin_start(struct ca *ca, const struct ca_caller *who, const char *verb, struct json_t *args,
    ca_admin_fn *cb, void *arg)
{
	struct err e = { 0 };

	ca->local_admin = who->local_admin;
	ca->privacy = who->privacy;
	snprintf(ca->peer, sizeof(ca->peer), "%s", who->peer);
	if (ca->later) {
		assert_in_range(ca->n, 0, CALLS_MAX - 1);
		ca->calls[ca->n].cb = cb;
		ca->calls[ca->n++].arg = arg;
	} else if (strcmp(verb, "echo") == 0) {
		cb(arg, args, NULL);
	} else {
		ERR(&e, E_ACCESSDENIED, "not %s", verb);
		cb(arg, NULL, &e);
	}
}

static void
ca_answer(struct ca *ca, unsigned i)
{
	json_t *result = json_integer(i);

	ca->calls[i].cb(ca->calls[i].arg, result, NULL);
	json_decref(result);
}

/* ---- the server ---- */

struct fixture {
	struct event_base *base;
	struct control *control;
	struct ca ca;
	char folder[64], path[96];
	unsigned runs;
};

static json_t *
own_verb(void *ctx, json_t *args, struct err *e)
{
	struct fixture *f = ctx;

	f->runs++;
	if (json_object_get(args, "fail") != NULL) {
		ERR(e, E_NOTIMPL, "asked to fail");
		return NULL;
	}
	return json_pack("{s:i}", "runs", f->runs);
}

static const struct control_verb own_verbs[] = {
	{ "own", own_verb },
	{ 0 },
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct control_config cfg = { .ca = &f->ca, .verbs = own_verbs, .verbs_ctx = f };
	struct err e;

	snprintf(f->folder, sizeof(f->folder), "/tmp/adcsd-control-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/control", f->folder);
	f->base = event_base_new();
	cfg.base = f->base;
	cfg.path = f->path;
	f->control = control_new(&cfg, &e);
	if (f->control == NULL)
		fail_msg("%s", e.msg);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	control_free(f->control);
	event_base_free(f->base);
	rmdir(f->folder);
	free(f);
	return 0;
}

/* What was sent over a local socket has arrived, so a few turns do all that can be done. */
static void
turn(struct fixture *f)
{
	for (int i = 0; i < 10; i++)
		event_base_loop(f->base, EVLOOP_NONBLOCK);
}

static int
client(struct fixture *f)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(sa.sun_path, f->path, strlen(f->path) + 1);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	turn(f);
	return fd;
}

static void
put(struct fixture *f, int fd, const char *text)
{
	size_t n = strlen(text);

	assert_int_equal(send(fd, text, n, MSG_NOSIGNAL), n);
	turn(f);
}

/* All that has come, as text; "end" when the server has closed, "" when nothing is there. */
static const char *
get(struct fixture *f, int fd)
{
	static char text[65536];
	ssize_t n;

	turn(f);
	n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return "end";
	text[n > 0 ? n : 0] = 0;
	return text;
}

/* ---- tests ---- */

static void
answers(void **state)
{
	static const struct {
		const char *sent, *got;
	} cases[] = {
		{ "{\"id\":1,\"verb\":\"echo\",\"args\":{\"a\":[1,\"\\u00e4\"]}}\n",
		    "{\"id\":1,\"ok\":true,\"result\":{\"a\":[1,\"\xc3\xa4\"]}}\n" },
		{ "{\"verb\":\"echo\"}\n", "{\"id\":null,\"ok\":true,\"result\":{}}\n" },
		{ "{\"id\":\"x\",\"verb\":\"own\"}\n",
		    "{\"id\":\"x\",\"ok\":true,\"result\":{\"runs\":1}}\n" },
		{ "{\"id\":2,\"verb\":\"own\",\"args\":{\"fail\":1}}\n",
		    "{\"id\":2,\"ok\":false,\"error\":{\"hr\":\"0x80004001\",\"name\":\"E_NOTIMPL\",\"text\":"
		    "\"Not "
		    "implemented\",\"message\":\"asked to fail\"}}\n" },
		{ "{\"id\":3,\"verb\":\"other\"}\n",
		    "{\"id\":3,\"ok\":false,\"error\":{\"hr\":\"0x80070005\",\"name\":\"E_ACCESSDENIED\","
		    "\"text\":\"Access "
		    "is denied.\",\"message\":\"not other\"}}\n" },
	};
	struct fixture *f = *state;
	int fd = client(f);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		put(f, fd, cases[i].sent);
		assert_string_equal(get(f, fd), cases[i].got);
	}
	close(fd);
}

static void
refused_lines(void **state)
{
	static const struct {
		const char *sent, *said;
	} cases[] = {
		{ "x\n", "\"id\":null,\"ok\":false" },
		{ "{\"id\":5}\n", "{\"id\":5,\"ok\":false" },
		{ "{\"id\":5}\n", "no \\\"verb\\\"" },
		{ "{\"id\":6,\"verb\":[]}\n", "no \\\"verb\\\"" },
		{ "{\"id\":7,\"verb\":\"own\",\"args\":3}\n", "\\\"args\\\" is not an object" },
		{ "{\"id\":8,\"verb\":\"own\",\"args\":null}\n", "\\\"args\\\" is not an object" },
		{ "{\"verb\":\"own\",\"verb\":\"own\"}\n", "not JSON" },
		{ "\"own\"\n", "E_INVALIDARG" },
	};
	struct fixture *f = *state;
	int fd = client(f);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *got;

		put(f, fd, cases[i].sent);
		got = get(f, fd);
		if (strstr(got, cases[i].said) == NULL || strstr(got, "\"ok\":false") == NULL)
			fail_msg("%s: %s", cases[i].sent, got);
	}
	assert_int_equal(f->runs, 0);
	close(fd);
}

static void
the_peer_is_an_administrator(void **state)
{
	struct fixture *f = *state;
	int fd = client(f);
	char uid[32];

	put(f, fd, "{\"verb\":\"echo\"}\n");
	snprintf(uid, sizeof(uid), "uid %u", geteuid());
	assert_string_equal(f->ca.peer, uid);
	assert_true(f->ca.local_admin && f->ca.privacy);
	close(fd);
}

static void
answers_in_order_of_completion(void **state)
{
	struct fixture *f = *state;
	int a = client(f), b = client(f);

	f->ca.later = true;
	put(f, a, "{\"id\":\"a0\",\"verb\":\"v\"}\n{\"id\":\"a1\",\"verb\":\"v\"}\n");
	put(f, b, "{\"id\":\"b2\",\"verb\":\"v\"}\n");
	assert_int_equal(f->ca.n, 3);
	put(f, a, "{\"id\":\"own\",\"verb\":\"own\"}\n"); /* overtakes */
	assert_string_equal(get(f, a), "{\"id\":\"own\",\"ok\":true,\"result\":{\"runs\":1}}\n");
	ca_answer(&f->ca, 1);
	ca_answer(&f->ca, 2);
	assert_string_equal(get(f, a), "{\"id\":\"a1\",\"ok\":true,\"result\":1}\n");
	assert_string_equal(get(f, b), "{\"id\":\"b2\",\"ok\":true,\"result\":2}\n");
	ca_answer(&f->ca, 0);
	assert_string_equal(get(f, a), "{\"id\":\"a0\",\"ok\":true,\"result\":0}\n");
	close(a);
	close(b);
}

/* A place is free again once the last call of a client that left is over. */
static void
left_before_the_answer(void **state)
{
	struct fixture *f = *state;
	int fds[CONTROL_MAX_CLIENTS], fd;

	f->ca.later = true;
	for (unsigned i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		fds[i] = client(f);
		put(f, fds[i], "{\"verb\":\"v\"}\n{\"verb\":");
		close(fds[i]);
		turn(f);
	}
	assert_int_equal(f->ca.n, CONTROL_MAX_CLIENTS);
	fd = client(f);
	assert_string_equal(get(f, fd), "end");
	close(fd);
	ca_answer(&f->ca, 0);
	fd = client(f);
	put(f, fd, "{\"verb\":\"own\"}\n");
	assert_string_equal(get(f, fd), "{\"id\":null,\"ok\":true,\"result\":{\"runs\":1}}\n");
	close(fd);
	for (unsigned i = 1; i < CONTROL_MAX_CLIENTS; i++)
		ca_answer(&f->ca, i);
	turn(f);
}

/* The server ends; what the CA says afterwards goes nowhere, and frees what was kept for it. */
static void
ends_before_the_answer(void **state)
{
	struct fixture *f = *state;
	int a = client(f), b = client(f);

	f->ca.later = true;
	put(f, a, "{\"verb\":\"v\"}\n{\"verb\":\"v\"}\n");
	put(f, b, "{\"verb\":\"v\"}\n");
	close(b);
	turn(f);
	control_free(f->control);
	f->control = NULL;
	assert_string_equal(get(f, a), "end");
	assert_int_equal(access(f->path, F_OK), -1);
	for (unsigned i = 0; i < 3; i++)
		ca_answer(&f->ca, i);
	close(a);
}

/* n octets with their line end, in pieces that a socket takes. True when all went out. */
static bool
put_long(struct fixture *f, int fd, size_t n)
{
	static const char head[] = "{\"verb\":\"own\",\"args\":{\"x\":\"", tail[] = "\"}}\n";
	char *line = malloc(n);
	size_t off = 0;

	memset(line, 'x', n);
	memcpy(line, head, sizeof(head) - 1);
	memcpy(line + n - (sizeof(tail) - 1), tail, sizeof(tail) - 1);
	while (off < n) {
		ssize_t put_now = send(fd, line + off, n - off, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (put_now < 0 && errno != EAGAIN)
			break;
		off += put_now > 0 ? (size_t)put_now : 0;
		turn(f);
	}
	free(line);
	return off == n;
}

static void
bounds_of_a_line(void **state)
{
	struct fixture *f = *state;
	int fd = client(f);

	assert_true(put_long(f, fd, CONTROL_LINE_MAX));
	assert_string_equal(get(f, fd), "{\"id\":null,\"ok\":true,\"result\":{\"runs\":1}}\n");
	assert_true(put_long(f, fd, CONTROL_LINE_MAX));
	assert_string_equal(get(f, fd), "{\"id\":null,\"ok\":true,\"result\":{\"runs\":2}}\n");
	put_long(f, fd, CONTROL_LINE_MAX + 2);
	assert_string_equal(get(f, fd), "end");
	assert_int_equal(f->runs, 2);
	close(fd);
}

/* Another call under way keeps the client's memory, not its connection. */
static void
too_long_a_line_with_a_call_under_way(void **state)
{
	struct fixture *f = *state;
	int fd = client(f);

	f->ca.later = true;
	put(f, fd, "{\"verb\":\"v\"}\n");
	put_long(f, fd, CONTROL_LINE_MAX + 2);
	assert_string_equal(get(f, fd), "end");
	ca_answer(&f->ca, 0);
	close(fd);
}

static void
nobody_else_can_open_it(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 077, 0);
}

static void
paths(void **state)
{
	struct fixture *f = *state;
	struct control_config cfg = { .base = f->base, .ca = &f->ca };
	char path[200];
	struct control *c;
	struct err e = { 0 };
	int fd;

	/* What an earlier run left behind is replaced. */
	snprintf(path, sizeof(path), "%s/again", f->folder);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	cfg.path = path;
	c = control_new(&cfg, &e);
	assert_non_null(c);
	control_free(c);
	assert_int_equal(access(path, F_OK), -1);

	snprintf(path, sizeof(path), "%s/none/control", f->folder);
	assert_null(control_new(&cfg, &e));
	assert_int_equal(e.hr, E_FAIL);
	assert_non_null(strstr(e.msg, "No such file"));

	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = 0;
	assert_null(control_new(&cfg, &e));
	assert_int_equal(e.hr, E_INVALIDARG);
	assert_non_null(strstr(e.msg, "choose a shorter --state"));
	control_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers),
		TEST(refused_lines),
		TEST(the_peer_is_an_administrator),
		TEST(answers_in_order_of_completion),
		TEST(left_before_the_answer),
		TEST(ends_before_the_answer),
		TEST(bounds_of_a_line),
		TEST(too_long_a_line_with_a_call_under_way),
		TEST(nobody_else_can_open_it),
		TEST(paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
