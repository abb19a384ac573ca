/*
 * The management interface on a port that is made here; its replies are read back from their octets. Linked
 * in place of the real rpc_* functions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "idl/mgmt.h"
#include "svc/svc.h"

#define POOL_MAX (1 << 20)

/* ---- the runtime ---- */

struct rpc_server {
	struct rpc_stats stats;
};
struct rpc_port {
	struct rpc_server *server;
	const struct rpc_interface *interfaces[4];
};
struct rpc_call {
	struct pool *pool;
	const struct rpc_method *method;
	unsigned answers;
	uint32_t fault;
	struct buf stub;
};

const struct rpc_interface *
rpc_port_interface(const struct rpc_port *p, unsigned i)
{
	return i < ARRAY_LEN(p->interfaces) ? p->interfaces[i] : NULL;
}
const struct rpc_server *
rpc_port_server(const struct rpc_port *p)
{
	return p->server;
}
void
rpc_server_stats(const struct rpc_server *s, struct rpc_stats *out)
{
	*out = s->stats;
}
struct pool *
rpc_call_pool(struct rpc_call *c)
{
	return c->pool;
}
void
rpc_call_reply(struct rpc_call *c, const void *result)
{
	struct err e;

	c->answers++;
	if (ndr_push(c->method->out, result, &c->stub, &e) != 0)
		fail_msg("reply: %s", e.msg);
}
void
rpc_call_fault(struct rpc_call *c, uint32_t status)
{
	c->answers++;
	c->fault = status;
}

/* ---- a call ---- */

static const struct rpc_interface first = { .uuid = { .data1 = 0x11111111 }, .major = 2, .minor = 3 };
static struct rpc_server server = {
	.stats = { .calls = 17, .pdus_in = 23, .pdus_out = 0x100000005 },
};
static const struct rpc_port port = { &server, { &first, &svc_mgmt_interface } };
static struct svc_mgmt mgmt = { &port, "ca01.corp.contoso.com" };

/* Runs the method on a pool of pool_max octets. The decoded reply, of out_size, lives in `pool`; NULL after a
 * fault. */
static void *
run(unsigned opnum, void *args, size_t out_size, size_t pool_max, struct pool *pool)
{
	struct rpc_call call = { .pool = pool_new(pool_max), .method = &svc_mgmt_interface.methods[opnum] };
	void *out = NULL;
	struct err e;

	buf_init(&call.stub, 1 << 16);
	call.method->run(&call, args, &mgmt);
	assert_int_equal(call.answers, 1);
	if (call.fault != 0)
		assert_int_equal(call.fault, NCA_S_FAULT_REMOTE_NO_MEMORY);
	else if (ndr_pull(call.method->out, out_size, buf_bytes(&call.stub), pool, &out, NULL, &e) != 0)
		fail_msg("%s: %s", call.method->name, e.msg);
	buf_fini(&call.stub);
	pool_free(call.pool);
	return out;
}

static void
interfaces_of_the_port(void **state)
{
	struct pool *pool = pool_new(POOL_MAX);
	struct mgmt_inq_if_ids_out *out = run(0, NULL, sizeof(*out), POOL_MAX, pool);

	(void)state;
	assert_int_equal(out->status, RPC_S_OK);
	assert_int_equal(out->vector->count, 2);
	assert_true(guid_equal(&out->vector->if_ids[0].if_id->uuid, &first.uuid));
	assert_int_equal(out->vector->if_ids[0].if_id->major, 2);
	assert_int_equal(out->vector->if_ids[0].if_id->minor, 3);
	assert_true(guid_equal(&out->vector->if_ids[1].if_id->uuid, &svc_mgmt_interface.uuid));
	assert_int_equal(out->vector->if_ids[1].if_id->major, 1);
	pool_free(pool);
}

static void
statistics(void **state)
{
	static const uint32_t values[] = { 17, 0, 23, 5 };
	static const struct {
		uint32_t asked, got;
	} cases[] = { { 0, 0 }, { 1, 1 }, { 3, 3 }, { 4, 4 }, { 5, 4 }, { 50, 4 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(POOL_MAX);
		struct mgmt_inq_stats_in in = { cases[i].asked };
		struct mgmt_inq_stats_out *out = run(1, &in, sizeof(*out), POOL_MAX, pool);

		assert_int_equal(out->status, RPC_S_OK);
		assert_int_equal(out->count, cases[i].got);
		for (uint32_t v = 0; v < out->count; v++)
			assert_int_equal(out->statistics[v].value, values[v]);
		pool_free(pool);
	}
}

static void
listening_and_never_stopped(void **state)
{
	struct pool *pool = pool_new(POOL_MAX);
	struct mgmt_is_server_listening_out *listening = run(2, NULL, sizeof(*listening), POOL_MAX, pool);
	struct mgmt_stop_server_listening_out *stop = run(3, NULL, sizeof(*stop), POOL_MAX, pool);

	(void)state;
	assert_int_equal(listening->status, RPC_S_OK);
	assert_int_equal(listening->listening, 1);
	assert_int_equal(stop->status, RPC_S_ACCESS_DENIED);
	pool_free(pool);
}

static void
principal_names(void **state)
{
	static const char name[] = "host/ca01.corp.contoso.com";
	static const struct {
		const char *label;
		uint32_t proto, size, status;
		const char *name;
	} cases[] = {
		{ "SPNEGO", 9, 4096, RPC_S_OK, name },
		{ "NTLM", 10, 64, RPC_S_OK, name },
		{ "exactly the size", 10, sizeof(name), RPC_S_OK, name },
		{ "one too small", 10, sizeof(name) - 1, RPC_S_STRING_TOO_LONG, "" },
		{ "only the NUL", 9, 1, RPC_S_STRING_TOO_LONG, "" },
		{ "no room at all", 9, 0, RPC_S_STRING_TOO_LONG, NULL },
		{ "no authentication", 0, 64, RPC_S_UNKNOWN_AUTHN_SERVICE, "" },
		{ "Kerberos, not offered", 16, 64, RPC_S_UNKNOWN_AUTHN_SERVICE, "" },
		{ "unknown, no room", 77, 0, RPC_S_UNKNOWN_AUTHN_SERVICE, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(POOL_MAX);
		struct mgmt_inq_princ_name_in in = { cases[i].proto, cases[i].size };
		struct mgmt_inq_princ_name_out *out = run(4, &in, sizeof(*out), POOL_MAX, pool);

		if (out->status != cases[i].status)
			fail_msg("%s: status %u", cases[i].label, out->status);
		assert_int_equal(out->princ_name_size, cases[i].size);
		if (cases[i].name == NULL)
			assert_null(out->princ_name);
		else
			assert_string_equal(out->princ_name, cases[i].name);
		pool_free(pool);
	}
}

static void
short_memory_is_a_fault(void **state)
{
	struct mgmt_inq_stats_in stats = { 4 };
	struct mgmt_inq_princ_name_in princ = { 9, 64 };
	struct pool *pool = pool_new(POOL_MAX);

	(void)state;
	assert_null(run(0, NULL, sizeof(struct mgmt_inq_if_ids_out), 0, pool));
	assert_null(run(0, NULL, sizeof(struct mgmt_inq_if_ids_out), 16, pool));
	assert_null(run(1, &stats, sizeof(struct mgmt_inq_stats_out), 0, pool));
	assert_null(run(4, &princ, sizeof(struct mgmt_inq_princ_name_out), 0, pool));
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interfaces_of_the_port),
		cmocka_unit_test(statistics),
		cmocka_unit_test(listening_and_never_stopped),
		cmocka_unit_test(principal_names),
		cmocka_unit_test(short_memory_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
