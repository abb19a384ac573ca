/*
 * A server with nothing but the RPC runtime, for peers of other origin (tests/unit/rpc/test_rpc_peers.py):
 * fixed users, the interfaces of fixture.h, and mgmt's UUID, which Samba's client has a class for. Prints its
 * port; ends with its standard input.
 */
#include <signal.h>
#include <unistd.h>

#include "../unit/rpc/fixture.h"
#include "base/log.h"
#include "net/listen.h"

/* afa8bd80-7d8a-11c9-bef4-08002b102989 v1.0 */
static const struct rpc_interface mgmt = { "mgmt",
	{ 0xafa8bd80, 0x7d8a, 0x11c9, { 0xbe, 0xf4, 0x08, 0x00, 0x2b, 0x10, 0x29, 0x89 } }, 1, 0,
	fixture_methods, 5, RPC_C_AUTHN_LEVEL_NONE, NULL };

static void
on_stdin(evutil_socket_t fd, short what, void *arg)
{
	char c;

	(void)what;
	if (read(fd, &c, 1) <= 0)
		event_base_loopbreak(arg);
}

static void
on_incident(void *arg, const struct rpc_incident *i)
{
	(void)arg;
	fprintf(stderr, "incident %s %s account=%s status=0x%08x %s\n", i->kind, i->connection,
	    i->account != NULL ? i->account : "-", i->status, i->reason);
}

int
main(int argc, char **argv)
{
	struct event_base *base = event_base_new();
	struct fixture_authority fixture = { base, true };
	const struct auth_authority authority = { .ctx = &fixture, .ntlm_verify = fixture_verify, .cancel = fixture_cancel };
	struct rpc_config cfg = { .base = base, .names = &fixture_names, .authority = &authority };
	struct fixture_ctx ctx = { 0 };
	struct rpc_server *s = NULL;
	struct rpc_port *p = NULL;
	struct event *in = NULL;
	struct err e = { 0 };
	int fd, ret = 1;

	signal(SIGPIPE, SIG_IGN);
	if (argc > 1)
		log_set_level(LOG_DEBUG);
	if (net_listen("127.0.0.1:0", &fd, &e) == 0 && (s = rpc_server_new(&cfg, &e)) != NULL)
		p = rpc_server_add_port(s, fd, &e);
	if (p == NULL || rpc_port_add_interface(p, &mgmt, &ctx, &e) != 0)
		goto out;
	for (size_t i = 0; i < ARRAY_LEN(fixture_ifaces); i++)
		if (rpc_port_add_interface(p, &fixture_ifaces[i], &ctx, &e) != 0)
			goto out;
	(void)argv;
	rpc_server_on_incident(s, on_incident, NULL);
	in = event_new(base, STDIN_FILENO, EV_READ | EV_PERSIST, on_stdin, base);
	event_add(in, NULL);
	printf("%u\n", rpc_port_number(p));
	fflush(stdout);
	event_base_dispatch(base);
	ret = 0;
out:
	if (ret != 0)
		fprintf(stderr, "rpc_echo: %s\n", e.msg);
	rpc_server_free(s);
	if (in != NULL)
		event_free(in);
	event_base_free(base);
	return ret;
}
