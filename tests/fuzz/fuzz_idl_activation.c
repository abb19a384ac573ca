/* Activation properties, both directions: what decodes must encode, and decode from that to the same. */
#include <assert.h>
#include <string.h>

#include "idl/activation.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_code(const struct err *e)
{
	assert(e->hr == RPC_E_INVALID_OBJREF || e->hr == E_INVALIDARG || e->hr == E_OUTOFMEMORY);
	assert(e->msg[0] != 0);
}

static void
request(struct bytes in, struct pool *pool, struct buf *out)
{
	struct activation_request r, again;
	struct err e = { 0 };

	if (activation_request_decode(in, pool, &r, &e) != 0) {
		check_code(&e);
		return;
	}
	if (activation_request_encode(&r, out, &e) != 0 ||
	    activation_request_decode(buf_bytes(out), pool, &again, &e) != 0 || again.n_iids != r.n_iids ||
	    !guid_equal(&again.clsid, &r.clsid) || again.n_protseqs != r.n_protseqs ||
	    memcmp(again.iids, r.iids, r.n_iids * sizeof(*r.iids)) != 0)
		__builtin_trap();
}

static void
result(struct bytes in, struct pool *pool, struct buf *out)
{
	struct activation_result r, again;
	struct err e = { 0 };

	if (activation_result_decode(in, pool, &r, &e) != 0) {
		check_code(&e);
		return;
	}
	if (activation_result_encode(&r, out, &e) != 0 ||
	    activation_result_decode(buf_bytes(out), pool, &again, &e) != 0 || again.n != r.n ||
	    again.oxid != r.oxid || !guid_equal(&again.rem_unknown, &r.rem_unknown))
		__builtin_trap();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new(4 << 20);
	struct buf out;

	buf_init(&out, 8 << 20);
	request((struct bytes){ data, size }, pool, &out);
	buf_reset(&out);
	result((struct bytes){ data, size }, pool, &out);
	buf_fini(&out);
	pool_free(pool);
	return 0;
}
