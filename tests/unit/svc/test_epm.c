/* The endpoint map: who is found by which question, pages and handles, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "svc/epm_priv.h"

static const struct rpc_interface passage = {
	.name = "ICertPassage",
	.uuid = { 0x91ae6020, 0x9e3c, 0x11cf, { 0x8d, 0x7c, 0x00, 0xaa, 0x00, 0xc0, 0x91, 0xbe } },
};
static const struct rpc_interface versioned = {
	.name = "versioned",
	.uuid = { 0x11111111, 0x2222, 0x3333, { 1, 2, 3, 4, 5, 6, 7, 8 } },
	.major = 2,
	.minor = 3,
};
static const struct guid ndr20 = NDR_TRANSFER_SYNTAX_UUID;
static const struct guid ndr64 = { 0x71710533, 0xbeba, 0x4937, { 0x83, 0x19, 0xb5, 0xdb, 0xef, 0x9c, 0xcc, 0x36 } };
static const struct guid someone = { 0x77777777, 0, 0, { 0 } };
static const uint8_t local[4] = { 192, 0, 2, 7 };

struct fixture {
	struct svc_epm *map;
	struct pool *pool;
};

static int
setup(void **state)
{
	static struct fixture f;

	f.map = svc_epm_new();
	f.pool = pool_new(1 << 20);
	assert_int_equal(svc_epm_register(f.map, &passage, "", 49666, NULL), 0);
	assert_int_equal(svc_epm_register(f.map, &versioned, "old", 135, NULL), 0);
	assert_int_equal(svc_epm_register(f.map, &passage, "second", 49667, NULL), 0);
	*state = &f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	svc_epm_free(f->map);
	pool_free(f->pool);
	return 0;
}

static struct epm_tower *
tower(struct fixture *f, const struct rpc_interface *i, uint16_t major, uint16_t minor, const struct guid *transfer,
    uint16_t transfer_major)
{
	struct epm_tcp tcp = {
		.iface = { i->uuid, major, minor },
		.transfer = { *transfer, transfer_major, 0 },
		.port = 9999, /* must not matter */
		.ipv4 = { 1, 2, 3, 4 },
	};

	return epm_tower_from_tcp(f->pool, &tcp);
}

static void
maps(void **state)
{
	static const struct {
		const char *name;
		const struct rpc_interface *iface;
		uint16_t major, minor;
		const struct guid *transfer;
		uint16_t transfer_major;
		unsigned found;
		uint16_t port; /* of the first */
	} cases[] = {
		{ "as registered", &passage, 0, 0, &ndr20, 2, 2, 49666 },
		{ "exact version", &versioned, 2, 3, &ndr20, 2, 1, 135 },
		{ "older minor version", &versioned, 2, 0, &ndr20, 2, 1, 135 },
		{ "newer minor version", &versioned, 2, 4, &ndr20, 2, 0, 0 },
		{ "other major version", &versioned, 1, 3, &ndr20, 2, 0, 0 },
		{ "NDR64", &passage, 0, 0, &ndr64, 1, 0, 0 },
		{ "other NDR version", &passage, 0, 0, &ndr20, 1, 0, 0 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct epm_map_in in = {
			.object = &someone, /* serves all objects */
			.tower = tower(f, cases[i].iface, cases[i].major, cases[i].minor, cases[i].transfer,
			    cases[i].transfer_major),
			.max_towers = 4,
		};
		struct epm_map_out out;
		struct epm_tcp tcp;

		assert_int_equal(epm_map_answer(f->map, &in, local, f->pool, &out), 0);
		if (out.num_towers != cases[i].found)
			fail_msg("%s: %u found", cases[i].name, out.num_towers);
		assert_int_equal(out.max_towers, 4);
		assert_int_equal(out.status, cases[i].found > 0 ? 0 : EPT_S_NOT_REGISTERED);
		assert_true(guid_is_nil(&out.handle.uuid));
		if (cases[i].found == 0)
			continue;
		assert_true(epm_tower_to_tcp(out.towers[0].tower, &tcp));
		assert_int_equal(tcp.port, cases[i].port);
		assert_memory_equal(tcp.ipv4, local, 4);
		assert_true(guid_equal(&tcp.iface.uuid, &cases[i].iface->uuid));
		assert_int_equal(tcp.iface.minor, cases[i].iface->minor);
		assert_true(guid_equal(&tcp.transfer.uuid, &ndr20));
	}
}

static void
unmatched_towers(void **state)
{
	struct fixture *f = *state;
	struct epm_tower *pipe = tower(f, &passage, 0, 0, &ndr20, 2);
	struct epm_tower *short_one = tower(f, &passage, 0, 0, &ndr20, 2);
	static const uint8_t pipe_protocol[] = { EPM_PROTOCOL_PIPE };
	const struct epm_tower *towers[] = { NULL, pipe, short_one };

	pipe->floors[3].lhs = (struct bytes){ pipe_protocol, 1 };
	short_one->n_floors = 3;
	for (size_t i = 0; i < ARRAY_LEN(towers); i++) {
		struct epm_map_in in = { .tower = towers[i], .max_towers = 4 };
		struct epm_map_out out;

		assert_int_equal(epm_map_answer(f->map, &in, local, f->pool, &out), 0);
		assert_int_equal(out.status, EPT_S_NOT_REGISTERED);
		assert_int_equal(out.num_towers, 0);
	}
}

static void
map_pages(void **state)
{
	struct fixture *f = *state;
	struct epm_map_in in = { .tower = tower(f, &passage, 0, 0, &ndr20, 2), .max_towers = 1 };
	struct epm_map_out out;
	struct epm_tcp tcp;

	assert_int_equal(epm_map_answer(f->map, &in, local, f->pool, &out), 0);
	assert_int_equal(out.num_towers, 1);
	assert_false(guid_is_nil(&out.handle.uuid));
	in.handle = out.handle;
	assert_int_equal(epm_map_answer(f->map, &in, local, f->pool, &out), 0);
	assert_int_equal(out.num_towers, 1);
	assert_true(epm_tower_to_tcp(out.towers[0].tower, &tcp));
	assert_int_equal(tcp.port, 49667);
	assert_true(guid_is_nil(&out.handle.uuid));
	/* The handle is gone with the last page. */
	assert_int_equal(epm_map_answer(f->map, &in, local, f->pool, &out), NCA_S_FAULT_CONTEXT_MISMATCH);
}

static void
looks_up(void **state)
{
	static const struct epm_if_id v23 = { { 0x11111111, 0x2222, 0x3333, { 1, 2, 3, 4, 5, 6, 7, 8 } }, 2, 3 };
	static const struct epm_if_id v22 = { { 0x11111111, 0x2222, 0x3333, { 1, 2, 3, 4, 5, 6, 7, 8 } }, 2, 2 };
	static const struct epm_if_id v24 = { { 0x11111111, 0x2222, 0x3333, { 1, 2, 3, 4, 5, 6, 7, 8 } }, 2, 4 };
	static const struct epm_if_id v31 = { { 0x11111111, 0x2222, 0x3333, { 1, 2, 3, 4, 5, 6, 7, 8 } }, 3, 1 };
	static const struct epm_if_id v19 = { { 0x11111111, 0x2222, 0x3333, { 1, 2, 3, 4, 5, 6, 7, 8 } }, 1, 9 };
	static const struct guid nil = { 0 };
	static const struct {
		const char *name;
		uint32_t inquiry_type;
		const struct guid *object;
		const struct epm_if_id *if_id;
		uint32_t vers_option;
		unsigned found;
	} cases[] = {
		{ "everything", RPC_C_EP_ALL_ELTS, NULL, NULL, 0, 3 },
		{ "everything, other arguments ignored", RPC_C_EP_ALL_ELTS, &someone, &v31, RPC_C_VERS_EXACT, 3 },
		{ "unknown inquiry is everything", 4, NULL, NULL, 0, 3 },
		{ "by interface without one", RPC_C_EP_MATCH_BY_IF, NULL, NULL, RPC_C_VERS_ALL, 0 },
		{ "any version", RPC_C_EP_MATCH_BY_IF, NULL, &v31, RPC_C_VERS_ALL, 1 },
		{ "compatible: older minor", RPC_C_EP_MATCH_BY_IF, NULL, &v22, RPC_C_VERS_COMPATIBLE, 1 },
		{ "compatible: newer minor", RPC_C_EP_MATCH_BY_IF, NULL, &v24, RPC_C_VERS_COMPATIBLE, 0 },
		{ "exact", RPC_C_EP_MATCH_BY_IF, NULL, &v23, RPC_C_VERS_EXACT, 1 },
		{ "exact: older minor", RPC_C_EP_MATCH_BY_IF, NULL, &v22, RPC_C_VERS_EXACT, 0 },
		{ "major only", RPC_C_EP_MATCH_BY_IF, NULL, &v24, RPC_C_VERS_MAJOR_ONLY, 1 },
		{ "major only: other major", RPC_C_EP_MATCH_BY_IF, NULL, &v31, RPC_C_VERS_MAJOR_ONLY, 0 },
		{ "up to: same", RPC_C_EP_MATCH_BY_IF, NULL, &v23, RPC_C_VERS_UPTO, 1 },
		{ "up to: larger major, smaller minor", RPC_C_EP_MATCH_BY_IF, NULL, &v31, RPC_C_VERS_UPTO, 1 },
		{ "up to: smaller minor", RPC_C_EP_MATCH_BY_IF, NULL, &v22, RPC_C_VERS_UPTO, 0 },
		{ "up to: smaller major", RPC_C_EP_MATCH_BY_IF, NULL, &v19, RPC_C_VERS_UPTO, 0 },
		{ "by object: nil", RPC_C_EP_MATCH_BY_OBJ, &nil, NULL, 0, 3 },
		{ "by object: somebody's", RPC_C_EP_MATCH_BY_OBJ, &someone, NULL, 0, 0 },
		{ "by both", RPC_C_EP_MATCH_BY_BOTH, &nil, &v23, RPC_C_VERS_EXACT, 1 },
		{ "by both: wrong interface", RPC_C_EP_MATCH_BY_BOTH, &nil, &v22, RPC_C_VERS_EXACT, 0 },
		{ "by both: somebody's object", RPC_C_EP_MATCH_BY_BOTH, &someone, &v23, RPC_C_VERS_EXACT, 0 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct epm_lookup_in in = {
			.inquiry_type = cases[i].inquiry_type,
			.object = cases[i].object,
			.if_id = cases[i].if_id,
			.vers_option = cases[i].vers_option,
			.max_ents = 10,
		};
		struct epm_lookup_out out;
		struct buf stub;

		assert_int_equal(epm_lookup_answer(f->map, &in, local, f->pool, &out), 0);
		if (out.num_ents != cases[i].found)
			fail_msg("%s: %u found", cases[i].name, out.num_ents);
		assert_int_equal(out.status, cases[i].found > 0 ? 0 : EPT_S_NOT_REGISTERED);
		assert_true(guid_is_nil(&out.handle.uuid));
		buf_init(&stub, 65536);
		assert_int_equal(ndr_push(epm_lookup_out, &out, &stub, NULL), 0);
		buf_fini(&stub);
	}
}

static void
lookup_pages(void **state)
{
	struct fixture *f = *state;
	struct epm_lookup_in in = { .inquiry_type = RPC_C_EP_ALL_ELTS, .max_ents = 1 };
	struct epm_lookup_out out;
	struct epm_tcp tcp;
	uint16_t ports[3];

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(epm_lookup_answer(f->map, &in, local, f->pool, &out), 0);
		assert_int_equal(out.num_ents, 1);
		assert_int_equal(out.status, 0);
		assert_int_equal(guid_is_nil(&out.handle.uuid), i == 2);
		assert_true(epm_tower_to_tcp(out.entries[0].tower, &tcp));
		ports[i] = tcp.port;
		in.handle = out.handle;
	}
	assert_int_equal(ports[0], 49666);
	assert_int_equal(ports[1], 135);
	assert_int_equal(ports[2], 49667);
}

static void
handles(void **state)
{
	struct fixture *f = *state;
	struct epm_lookup_in in = { .inquiry_type = RPC_C_EP_ALL_ELTS, .max_ents = 1 };
	struct epm_handle_free_in free_in = { 0 };
	struct epm_handle_free_out free_out;
	struct epm_lookup_out first, out;

	assert_int_equal(epm_handle_free_answer(f->map, &free_in, &free_out), 0);
	assert_int_equal(epm_lookup_answer(f->map, &in, local, f->pool, &first), 0);
	free_in.handle = first.handle;
	assert_int_equal(epm_handle_free_answer(f->map, &free_in, &free_out), 0);
	assert_int_equal(free_out.status, 0);
	assert_true(guid_is_nil(&free_out.handle.uuid));
	/* Freed, and never given. */
	assert_int_equal(epm_handle_free_answer(f->map, &free_in, &free_out), NCA_S_FAULT_CONTEXT_MISMATCH);
	in.handle = first.handle;
	assert_int_equal(epm_lookup_answer(f->map, &in, local, f->pool, &out), NCA_S_FAULT_CONTEXT_MISMATCH);
	in.handle.uuid = someone;
	assert_int_equal(epm_lookup_answer(f->map, &in, local, f->pool, &out), NCA_S_FAULT_CONTEXT_MISMATCH);
}

/* Searches nobody finishes push out the oldest, never the newest. */
static void
abandoned_searches(void **state)
{
	struct fixture *f = *state;
	struct epm_lookup_in in = { .inquiry_type = RPC_C_EP_ALL_ELTS, .max_ents = 1 };
	struct epm_lookup_out first, out;

	assert_int_equal(epm_lookup_answer(f->map, &in, local, f->pool, &first), 0);
	for (unsigned i = 0; i < 200; i++) {
		assert_int_equal(epm_lookup_answer(f->map, &in, local, f->pool, &out), 0);
		assert_false(guid_is_nil(&out.handle.uuid));
	}
	in.handle = out.handle;
	assert_int_equal(epm_lookup_answer(f->map, &in, local, f->pool, &out), 0);
	in.handle = first.handle;
	assert_int_equal(epm_lookup_answer(f->map, &in, local, f->pool, &out), NCA_S_FAULT_CONTEXT_MISMATCH);
}

static void
registers_so_many(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };
	char annotation[65];
	unsigned n = 3;

	memset(annotation, 'a', 64);
	annotation[64] = 0;
	assert_int_equal(svc_epm_register(f->map, &passage, annotation, 1, &e), -1);
	assert_int_equal(e.hr, E_INVALIDARG);
	annotation[63] = 0;
	while (svc_epm_register(f->map, &passage, annotation, 1, &e) == 0)
		assert_in_range(++n, 4, 1000);
	assert_int_equal(e.hr, E_OUTOFMEMORY);
	assert_int_equal(n, 64);
}

static void
short_of_memory(void **state)
{
	struct fixture *f = *state;
	struct epm_map_in map = { .tower = tower(f, &passage, 0, 0, &ndr20, 2), .max_towers = 4 };
	struct epm_lookup_in lookup = { .max_ents = 4 };
	struct epm_lookup_out lookup_out;
	struct epm_map_out map_out;

	for (size_t max = 0; max < 256; max += 16) {
		struct pool *pool = pool_new(max);

		assert_int_equal(epm_map_answer(f->map, &map, local, pool, &map_out), NCA_S_FAULT_REMOTE_NO_MEMORY);
		assert_int_equal(epm_lookup_answer(f->map, &lookup, local, pool, &lookup_out),
		    NCA_S_FAULT_REMOTE_NO_MEMORY);
		pool_free(pool);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(maps, setup, teardown),
		cmocka_unit_test_setup_teardown(unmatched_towers, setup, teardown),
		cmocka_unit_test_setup_teardown(map_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(looks_up, setup, teardown),
		cmocka_unit_test_setup_teardown(lookup_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(handles, setup, teardown),
		cmocka_unit_test_setup_teardown(abandoned_searches, setup, teardown),
		cmocka_unit_test_setup_teardown(registers_so_many, setup, teardown),
		cmocka_unit_test_setup_teardown(short_of_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
