/*
 * Every parameter list: the first octet chooses the table, the rest is the stub. What decodes must print, encode, and
 * decode from that to the same text.
 */
#include <assert.h>
#include <string.h>

#include "idl/tables.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define POOL_MAX (1 << 20)
#define TEXT_MAX (1 << 20)

/* False when the stub is refused. */
static bool
decode(const struct idl_table *t, struct bytes in, struct pool *pool, void **args, struct buf *text)
{
	struct err e = { 0 };
	size_t used;

	if (ndr_pull(t->fields, t->size, in, pool, args, &used, &e) != 0) {
		assert(e.hr == E_RPC_BAD_STUB_DATA || e.hr == E_OUTOFMEMORY);
		assert(e.msg[0] != 0);
		return false;
	}
	assert(used <= in.len);
	ndr_print(t->fields, *args, text);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct idl_table *t;
	struct pool *pool = pool_new(POOL_MAX);
	struct buf text, again, stub;
	void *args;

	if (size == 0 || data[0] >= idl_n_tables) {
		pool_free(pool);
		return 0;
	}
	t = &idl_tables[data[0]];
	buf_init(&text, TEXT_MAX);
	buf_init(&again, TEXT_MAX);
	buf_init(&stub, 2 * POOL_MAX);
	if (decode(t, (struct bytes){ data + 1, size - 1 }, pool, &args, &text)) {
		struct err e;

		if (ndr_push(t->fields, args, &stub, &e) != 0 ||
		    !decode(t, buf_bytes(&stub), pool, &args, &again) ||
		    strcmp(buf_cstr(&text), buf_cstr(&again)) != 0)
			__builtin_trap();
	}
	buf_fini(&text);
	buf_fini(&again);
	buf_fini(&stub);
	pool_free(pool);
	return 0;
}
