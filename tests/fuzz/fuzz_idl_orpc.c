/* Stubs of ORPC calls: ORPCTHIS with its extensions, then the arguments of a method that the first octet chooses. */
#include <assert.h>

#include "idl/iremunknown.h"
#include "idl/tables.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		const struct ndr_field *fields;
		size_t size;
	} methods[] = {
		{ rem_query_in, sizeof(struct rem_query_in) },
		{ rem_refs_in, sizeof(struct rem_refs_in) },
		{ rem_query2_in, sizeof(struct rem_query2_in) },
		{ class_create_in, sizeof(struct class_create_in) },
	};
	struct pool *pool = pool_new(4 << 20);
	struct orpcthis t;
	struct err e = { 0 };
	struct bytes stub;
	size_t used, end;
	void *args;

	if (size > 0 && data[0] < ARRAY_LEN(methods)) {
		stub = (struct bytes){ data + 1, size - 1 };
		if (orpc_this_decode(stub, &t, &used, &e) != 0) {
			assert(e.hr == E_RPC_BAD_STUB_DATA);
		} else {
			assert(used >= 32 && used <= stub.len);
			if (ndr_pull_behind(methods[data[0]].fields, methods[data[0]].size, stub, used, pool, &args, &end,
				&e) == 0)
				assert(end >= used && end <= stub.len);
		}
	}
	pool_free(pool);
	return 0;
}
