/* Objects without a wire: limits, state, references, time-outs, many of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dcom/dcom_priv.h"
#include "rpc/server.h"

static const struct rpc_interface iface = { .name = "IThing", .uuid = { .data1 = 0x1234 } };
static const struct rpc_interface *const ifaces[] = { &iface };

static int states;

static int
state_new(void *ctx, void **state, struct err *e)
{
	(void)ctx;
	(void)e;
	*state = &states;
	states++;
	return 0;
}

static void
state_free(void *ctx, void *state)
{
	(void)ctx;
	assert_ptr_equal(state, &states);
	states--;
}

static const struct dcom_class thing = { .name = "Thing", .clsid = { .data1 = 1 }, .interfaces = ifaces, .n_interfaces = 1,
	.object_new = state_new, .object_free = state_free };

static enum rpc_auth_level
any_level(void *ctx)
{
	(void)ctx;
	return RPC_C_AUTHN_LEVEL_NONE;
}

static int
anybody(void *ctx, const struct dcom_class *cls, const struct token *caller, enum dcom_right right, struct err *e)
{
	(void)ctx;
	(void)cls;
	(void)caller;
	(void)right;
	(void)e;
	return 0;
}

struct rig {
	struct clock *clock;
	struct rpc_server *server;
	struct dcom *d;
};

static int
setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct rpc_config rc = { .base = NULL };
	struct dcom_config cfg = { .dns_name = "ca01.corp.contoso.com", .policy = { any_level, anybody, NULL },
		.objects_per_client = 3, .objects = 20001 };
	struct rpc_port *resolver, *object;
	struct err e;

	states = 0;
	r->clock = clock_new();
	clock_stop(r->clock, 1000 * FILETIME_DAY);
	r->server = rpc_server_new(&rc, &e);
	assert_non_null(r->server);
	resolver = rpc_port_new(r->server, 135, &e);
	object = rpc_port_new(r->server, 49152, &e);
	cfg.clock = r->clock;
	r->d = dcom_new(&cfg, resolver, object, &e);
	assert_non_null(r->d);
	assert_int_equal(dcom_register(r->d, &thing, NULL, &e), 0);
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	struct rig *r = *state;

	rpc_server_free(r->server);
	dcom_free(r->d);
	assert_int_equal(states, 0);
	clock_free(r->clock);
	free(r);
	return 0;
}

static struct dcom_object *
make(struct rig *r, const char *account)
{
	struct err e = { 0 };
	struct dcom_object *o = dcom_object_new(r->d, DCOM_INSTANCE, &r->d->rows[0], account, &e);

	if (o == NULL)
		assert_int_equal(e.hr, E_OUTOFMEMORY);
	return o;
}

/* Of one account; another one is not hindered, and what goes makes room. */
static void
limit_of_a_client(void **state)
{
	struct rig *r = *state;
	struct dcom_object *first = make(r, "CORP\\a");

	assert_non_null(first);
	assert_non_null(make(r, "CORP\\a"));
	assert_non_null(make(r, "CORP\\a"));
	assert_null(make(r, "CORP\\a"));
	assert_non_null(make(r, "CORP\\b"));
	assert_int_equal(states, 4);
	dcom_object_drop(first);
	assert_non_null(make(r, "CORP\\a"));
}

/* The whole, of which the Remote Unknown is one; every one is found by its names, until its last reference goes. */
static void
twenty_thousand(void **state)
{
	struct rig *r = *state;
	struct dcom_ipid **ipids = calloc(20000, sizeof(struct dcom_ipid *));
	struct err e;
	char account[32];

	for (int i = 0; i < 20000; i++) {
		struct dcom_object *o;

		snprintf(account, sizeof(account), "CORP\\u%d", i / 3);
		o = make(r, account);
		assert_non_null(o);
		ipids[i] = dcom_object_query(o, &iface.uuid, 2, &e);
		assert_non_null(ipids[i]);
	}
	assert_null(make(r, "CORP\\last"));
	for (int i = 0; i < 20000; i++) {
		struct guid ipid = ipids[i]->ipid;
		uint64_t oid = ipids[i]->object->oid;

		assert_ptr_equal(dcom_ipid_find(r->d, &ipid), ipids[i]);
		assert_ptr_equal(dcom_oid_find(r->d, oid), ipids[i]->object);
		dcom_ipid_release(ipids[i], 1, 0);
		assert_non_null(dcom_ipid_find(r->d, &ipid));
		dcom_ipid_release(ipids[i], UINT32_MAX, UINT32_MAX);
		assert_null(dcom_ipid_find(r->d, &ipid));
		assert_null(dcom_oid_find(r->d, oid));
	}
	assert_int_equal(states, 0);
	assert_int_equal(r->d->stats.objects, 1);
	free(ipids);
}

static void
references_do_not_wrap(void **state)
{
	struct rig *r = *state;
	struct err e;
	struct dcom_ipid *i = dcom_object_query(make(r, "a"), &iface.uuid, UINT32_MAX - 1, &e);

	assert_ptr_equal(dcom_object_query(i->object, &iface.uuid, 5, &e), i);
	assert_int_equal(i->public_refs, UINT32_MAX);
	assert_null(dcom_object_query(i->object, &thing.clsid, 1, &e));
	assert_int_equal(e.hr, E_NOINTERFACE);
}

/* A running call holds it: neither release nor time takes its state away before the call has ended. */
static void
running_calls_hold(void **state)
{
	struct rig *r = *state;
	struct dcom_object *o = make(r, "a");
	struct err e;

	o->holds++;
	clock_advance(r->clock, 7 * FILETIME_MINUTE);
	dcom_flush(r->d);
	assert_false(o->gone);
	assert_int_equal(r->d->stats.collected, 0);
	dcom_ipid_release(dcom_object_query(o, &iface.uuid, 1, &e), 1, 0);
	assert_true(o->gone);
	assert_int_equal(states, 1);
	dcom_layer.release(o);
	assert_int_equal(states, 0);
}

static void
time_takes_what_nobody_calls(void **state)
{
	struct rig *r = *state;
	struct dcom_object *called = make(r, "a");
	filetime_t start = clock_now(r->clock);

	assert_non_null(make(r, "b"));
	assert_int_equal(dcom_next_due(r->d), start + DCOM_PING_TIMEOUT);
	clock_advance(r->clock, DCOM_PING_TIMEOUT - 1);
	dcom_object_touch(called);
	dcom_flush(r->d);
	assert_int_equal(states, 2);
	clock_advance(r->clock, 1);
	dcom_flush(r->d);
	assert_int_equal(states, 1);
	assert_int_equal(r->d->stats.collected, 1);
	clock_advance(r->clock, DCOM_PING_TIMEOUT);
	dcom_flush(r->d);
	assert_int_equal(states, 0);
	assert_int_equal(dcom_next_due(r->d), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(limit_of_a_client),
		CASE(twenty_thousand),
		CASE(references_do_not_wrap),
		CASE(running_calls_hold),
		CASE(time_takes_what_nobody_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
