/* Object references of every kind, and the bindings in them. */
#include <assert.h>
#include <string.h>

#include "idl/orpc.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
bindings(struct bytes in, struct pool *pool)
{
	struct orpc_bindings b, again;
	struct err e = { 0 };
	size_t used;
	struct buf out;

	if (orpc_bindings_decode(in, pool, &b, &used, &e) != 0) {
		assert(e.hr != 0 && e.msg[0] != 0);
		return;
	}
	assert(used <= in.len);
	buf_init(&out, 1 << 20);
	if (orpc_bindings_encode(&b, &out, &e) != 0 ||
	    orpc_bindings_decode(buf_bytes(&out), pool, &again, &used, &e) != 0 || used != out.len ||
	    again.n_strings != b.n_strings || again.n_securities != b.n_securities)
		__builtin_trap();
	for (unsigned i = 0; i < b.n_strings; i++)
		assert(strcmp(b.strings[i].address, again.strings[i].address) == 0);
	buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new(4 << 20);
	struct orpc_objref o, again;
	struct err e = { 0 };
	struct buf out;

	buf_init(&out, 8 << 20);
	if (orpc_objref_decode((struct bytes){ data, size }, &o, &e) != 0) {
		assert(e.hr == RPC_E_INVALID_OBJREF && e.msg[0] != 0);
	} else {
		if (o.flags == OBJREF_STANDARD || o.flags == OBJREF_CUSTOM) {
			orpc_objref_encode(&o, &out);
			if (out.len > size || orpc_objref_decode(buf_bytes(&out), &again, &e) != 0 ||
			    !guid_equal(&o.iid, &again.iid) || !bytes_equal(o.bindings, again.bindings) ||
			    !bytes_equal(o.data, again.data))
				__builtin_trap();
		}
		bindings(o.bindings, pool);
	}
	buf_fini(&out);
	pool_free(pool);
	return 0;
}
