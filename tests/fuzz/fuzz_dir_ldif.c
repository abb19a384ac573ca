/* The LDIF reader: whatever it takes it must write and read back the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dir/ldif.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same(const struct dir_entry *a, const struct dir_entry *b)
{
	size_t i, k;

	if (strcmp(a->dn, b->dn) != 0 || a->n_attrs != b->n_attrs)
		abort();
	for (i = 0; i < a->n_attrs; i++) {
		if (strcmp(a->attrs[i].name, b->attrs[i].name) != 0 || a->attrs[i].n != b->attrs[i].n)
			abort();
		for (k = 0; k < a->attrs[i].n; k++)
			if (!bytes_equal(a->attrs[i].values[k], b->attrs[i].values[k]))
				abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new(16u << 20);
	struct ldif_reader r, again;
	struct dir_entry en, copy;
	struct buf text;
	bool more = true, back;
	struct err e;

	buf_init(&text, 16u << 20);
	ldif_reader_init(&r, "fuzz", (struct bytes){ data, size });
	while (pool != NULL && ldif_read(&r, pool, &en, &more, &e) == 0 && more) {
		buf_reset(&text);
		ldif_put(&text, &en);
		if (!buf_ok(&text))
			break;
		ldif_reader_init(&again, "again", buf_bytes(&text));
		if (ldif_read(&again, pool, &copy, &back, &e) != 0 || !back)
			abort();
		same(&en, &copy);
		ldif_reader_fini(&again);
	}
	ldif_reader_fini(&r);
	buf_fini(&text);
	pool_free(pool);
	return 0;
}
