/* Blobs of the view methods: the first octet chooses the array, the second its count. What decodes must encode, and decode
 * from that to the same octets again. */
#include <assert.h>
#include <string.h>

#include "idl/csra_view.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define POOL_MAX (4 << 20)

/* False when the blob is refused. */
static bool
turn(unsigned kind, size_t n, struct bytes in, struct pool *pool, struct buf *out)
{
	struct csra_column *columns;
	struct csra_attribute *attributes;
	struct csra_extension *extensions;
	struct csra_row *rows;
	struct err e = { 0 };
	uint32_t total = 0;
	bool end = false;
	int rc;

	switch (kind) {
	case 0:
		rc = csra_get_columns(in, n, pool, &columns, &e);
		if (rc == 0 && csra_put_columns(columns, n, out, &e) != 0)
			__builtin_trap();
		break;
	case 1:
		rc = csra_get_rows(in, n, pool, &rows, &n, &end, &total, &e);
		for (size_t i = 0; rc == 0 && i < n; i++)
			if (csra_put_row(&rows[i], out, &e) != 0)
				__builtin_trap();
		if (rc == 0 && end)
			csra_put_end(total, out);
		break;
	case 2:
		rc = csra_get_attributes(in, n, pool, &attributes, &e);
		if (rc == 0 && csra_put_attributes(attributes, n, out, &e) != 0)
			__builtin_trap();
		break;
	default:
		rc = csra_get_extensions(in, n, pool, &extensions, &e);
		if (rc == 0 && csra_put_extensions(extensions, n, out, &e) != 0)
			__builtin_trap();
		break;
	}
	if (rc != 0) {
		assert(e.hr == E_INVALID_DATA || e.hr == E_OUTOFMEMORY);
		assert(e.msg[0] != 0);
	}
	return rc == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new(POOL_MAX);
	struct buf once, again;

	if (size < 2) {
		pool_free(pool);
		return 0;
	}
	buf_init(&once, 8 * POOL_MAX);
	buf_init(&again, 8 * POOL_MAX);
	if (turn(data[0] & 3, data[1], (struct bytes){ data + 2, size - 2 }, pool, &once)) {
		pool_free(pool);
		pool = pool_new(8 * POOL_MAX);
		/* a row that is not the last may have been followed by octets of an end marker */
		if (!turn(data[0] & 3, data[1], buf_bytes(&once), pool, &again) || !bytes_equal(buf_bytes(&once), buf_bytes(&again)))
			__builtin_trap();
	}
	buf_fini(&once);
	buf_fini(&again);
	pool_free(pool);
	return 0;
}
