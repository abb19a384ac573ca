/* Towers: what decodes must print, and encode to the octets it came from. */
#include <string.h>

#include "idl/epm.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct epm_tower t, rebuilt_floors, *rebuilt;
	struct epm_tcp tcp;
	struct pool *pool;
	struct buf out;

	if (epm_tower_decode((struct bytes){ data, size }, &t, NULL) != 0)
		return 0;
	buf_init(&out, 1 << 20);
	epm_tower_print(&t, &out);
	buf_reset(&out);
	epm_tower_encode(&t, &out);
	if (out.len > size || memcmp(out.p, data, out.len) != 0)
		__builtin_trap();
	if (epm_tower_to_tcp(&t, &tcp)) {
		pool = pool_new(4096);
		rebuilt = epm_tower_from_tcp(pool, &tcp);
		buf_reset(&out);
		epm_tower_encode(rebuilt, &out);
		if (epm_tower_decode(buf_bytes(&out), &rebuilt_floors, NULL) != 0 || !epm_tower_to_tcp(&rebuilt_floors, &tcp))
			__builtin_trap();
		pool_free(pool);
	}
	buf_fini(&out);
	return 0;
}
