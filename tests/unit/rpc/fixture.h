/* Shared by the tests of rpc/: an authority with fixed users, and an interface that echoes. */
#ifndef ADCSD_TESTS_RPC_FIXTURE_H
#define ADCSD_TESTS_RPC_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/event.h>

#include "auth/ntlm_hash.h"
#include "rpc/rpc.h"

#define MAYBE_UNUSED __attribute__((unused))

static const struct auth_names fixture_names = { "CA", "LAB", "ca.lab.test", "lab.test", "lab.test" };

/* ---- authority ---- */

struct fixture_authority {
	struct event_base *base;
	bool later; /* answer from the loop instead of at once */
};

static const struct {
	const char *user, *password;
} fixture_users[] = {
	{ "alice", "Passw0rd!" },
	{ "WS01$", "MachinePw1" },
};

struct fixture_check {
	struct event *timer;
	auth_verdict_fn *cb;
	void *arg;
	bool good;
	struct auth_verdict verdict;
	struct err e;
};

static void
fixture_verdict(evutil_socket_t fd, short what, void *arg)
{
	struct fixture_check *f = arg;

	(void)fd;
	(void)what;
	/* The token's reference goes to the receiver. */
	f->cb(f->arg, f->good ? &f->verdict : NULL, f->good ? NULL : &f->e);
	if (f->timer != NULL)
		event_free(f->timer);
	free(f);
}

static MAYBE_UNUSED void *
fixture_verify(void *ctx, const struct auth_ntlm_proof *proof, auth_verdict_fn *cb, void *arg)
{
	struct fixture_authority *a = ctx;
	struct fixture_check *f = calloc(1, sizeof(*f));
	size_t n = strcspn(proof->user, "@");
	struct timeval now = { 0, 0 };

	if (f == NULL)
		abort();
	f->cb = cb;
	f->arg = arg;
	err_set(&f->e, E_LOGON_FAILURE, "fixture", "no such user");
	for (size_t i = 0; i < sizeof(fixture_users) / sizeof(fixture_users[0]); i++) {
		uint8_t hash[16];
		char account[64];

		if (strncasecmp(fixture_users[i].user, proof->user, n) != 0 ||
		    fixture_users[i].user[n] != '\0' ||
		    ntlm_hash_password(hash, fixture_users[i].password, &f->e) != 0 ||
		    ntlm_check_proof(proof, hash, f->verdict.session_base_key, &f->e) != 0)
			continue;
		snprintf(account, sizeof(account), "LAB\\%s", fixture_users[i].user);
		f->verdict.token = token_new(account, "CN=fixture", NULL, false);
		f->good = true;
	}
	if (!a->later) {
		fixture_verdict(-1, 0, f);
		return NULL;
	}
	f->timer = evtimer_new(a->base, fixture_verdict, f);
	event_add(f->timer, &now);
	return f;
}

static MAYBE_UNUSED void
fixture_cancel(void *ctx, void *handle)
{
	struct fixture_check *f = handle;

	(void)ctx;
	token_unref(f->verdict.token);
	event_free(f->timer);
	free(f);
}

/* ---- interface ---- */

struct fixture_echo {
	struct bytes blob;
	uint32_t status;
};

struct fixture_ctx {
	struct event_base *base; /* NULL: EchoLater keeps its call in `held` */
	struct rpc_call *held[128];
	unsigned n_held;
	unsigned runs;
};

static const struct ndr_field fixture_echo_in[] = { F_BLOB(struct fixture_echo, blob), F_END };
static const struct ndr_field fixture_echo_out[] = {
	F_BLOB(struct fixture_echo, blob),
	F_STATUS(struct fixture_echo, status),
	F_END,
};

static void
fixture_echo(struct rpc_call *call, void *args, void *ctx)
{
	struct fixture_ctx *f = ctx;

	f->runs++;
	rpc_call_reply(call, args);
}

/* Holds the call until fixture_release(). */
static void
fixture_hold(struct rpc_call *call, void *args, void *ctx)
{
	struct fixture_ctx *f = ctx;

	(void)args;
	f->runs++;
	if (f->n_held == sizeof(f->held) / sizeof(f->held[0]))
		abort();
	f->held[f->n_held++] = call;
}

static MAYBE_UNUSED void
fixture_release(struct fixture_ctx *f, unsigned i)
{
	struct fixture_echo out = { 0 };

	rpc_call_reply(f->held[i], &out);
	f->held[i] = NULL;
}

static void
fixture_whoami(struct rpc_call *call, void *args, void *ctx)
{
	struct fixture_ctx *f = ctx;
	struct token *t = rpc_call_token(call);
	struct fixture_echo out = { 0 };
	char text[160], object[GUID_TEXT_MAX];
	uint8_t ip[4];

	(void)args;
	f->runs++;
	rpc_call_local_ipv4(call, ip);
	snprintf(text, sizeof(text), "%s %s level %d at %u.%u.%u.%u object %s",
	    t != NULL ? t->account : "nobody", rpc_call_package(call), rpc_call_level(call), ip[0], ip[1],
	    ip[2], ip[3],
	    rpc_call_object(call) != NULL ? guid_to_text(rpc_call_object(call), object) : "none");
	out.blob = (struct bytes){ (const uint8_t *)text, strlen(text) };
	rpc_call_reply(call, &out);
}

static void
fixture_fail(struct rpc_call *call, void *args, void *ctx)
{
	struct fixture_ctx *f = ctx;

	(void)args;
	f->runs++;
	rpc_call_fault(call, RPC_FAULT_ACCESS_DENIED);
}

/* Opnum 1 is not provided. */
static const struct rpc_method fixture_methods[] = {
	[0] = { "Echo", fixture_echo_in, fixture_echo_out, sizeof(struct fixture_echo), fixture_echo },
	[2] = { "Hold", NULL, fixture_echo_out, 0, fixture_hold },
	[3] = { "WhoAmI", NULL, fixture_echo_out, 0, fixture_whoami },
	[4] = { "Fail", NULL, NULL, 0, fixture_fail },
};

#define FIXTURE_UUID(n)                                                                                      \
	{                                                                                                    \
		0x5c1f2a00 + (n), 0x7d3e, 0x4b19,                                                            \
		{                                                                                            \
			0x9a, 0x44, 0x0c, 0x12, 0x34, 0x56, 0x78, 0x9a                                       \
		}                                                                                            \
	}

/* One for everybody, one for protected callers only, one more with a minor version. */
static MAYBE_UNUSED const struct rpc_interface fixture_ifaces[] = {
	{ "Echo", FIXTURE_UUID(0), 1, 0, fixture_methods, 5, RPC_C_AUTHN_LEVEL_NONE, NULL },
	{ "EchoSecret", FIXTURE_UUID(1), 1, 0, fixture_methods, 5, RPC_C_AUTHN_LEVEL_PKT_INTEGRITY, NULL },
	{ "EchoMinor", FIXTURE_UUID(2), 2, 3, fixture_methods, 5, RPC_C_AUTHN_LEVEL_NONE, NULL },
};

#endif
