/*
 * A whole connection fed with octets: binds, legs, fragments, calls. The first octet says how the rest is cut
 * and when undecided legs and held calls end. Authentication is the fake of the unit tests, which takes any
 * signature here.
 */
#define FAKE_AUTH_LAX
#include "../unit/rpc/rig.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Bound by the captured PDUs among the seeds. */
static const struct rpc_interface captured[] = {
	{ "epmapper", { 0xe1af8308, 0x5d1f, 0x11c9, { 0x91, 0xa4, 0x08, 0x00, 0x2b, 0x14, 0xa0, 0xfa } }, 3,
	    0, fixture_methods, 5, RPC_C_AUTHN_LEVEL_NONE, NULL },
	{ "ICertPassage", { 0x91ae6020, 0x9e3c, 0x11cf, { 0x8d, 0x7c, 0x00, 0xaa, 0x00, 0xc0, 0x91, 0xbe } },
	    0, 0, fixture_methods, 5, RPC_C_AUTHN_LEVEL_NONE, NULL },
};

static void
release_all(struct rig *r)
{
	for (unsigned i = 0; i < r->ctx.n_held; i++)
		fixture_release(&r->ctx, i);
	r->ctx.n_held = 0;
}

/* What the server says must be whole PDUs. */
static void
check_sent(struct rig *r)
{
	struct bytes pdu;

	while (rig_next(r, &pdu)) {
		if (pdu.p[0] != 5 || pdu.len < 16)
			abort();
	}
	if (r->read != r->sent.len)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rpc_limits limits = {
		.contexts = 8, .security_contexts = 4, .calls = 8, .request_max = 1 << 16
	};
	size_t step, off = 1;
	struct rig r;
	struct err e;

	if (size < 1)
		return 0;
	log_set_level(LOG_ERROR);
	step = (data[0] & 0x3f) == 0 ? size : data[0] & 0x3f;
	rig_init(&r, &limits, (data[0] & 0x80) != 0);
	for (size_t i = 0; i < ARRAY_LEN(captured); i++)
		if (rpc_port_add_interface(r.port, &captured[i], &r.ctx, &e) != 0)
			abort();
	while (off < size) {
		size_t n = size - off < step ? size - off : step, used = rpc_conn_feed(r.conn, data + off, n);

		off += used;
		if (used < n) {
			if (fake_undecided == NULL)
				abort(); /* nothing else may stop the flow */
			fake_decide();
		}
		if ((data[0] & 0x40) == 0)
			release_all(&r);
	}
	release_all(&r);
	check_sent(&r);
	rig_fini(&r);
	if (fake_alive != 0)
		abort();
	return 0;
}
