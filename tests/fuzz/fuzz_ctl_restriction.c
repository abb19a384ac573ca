/*
 * --restrict: what is taken has values that suit their columns.
 * Planted bug: ADCSD_PLANTED_BUG_CTL_RESTRICTION, a date that begins with '-' gets no value.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/restriction.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ctl_view_column columns[] = {
	{ 0x1000, 1, "Request.RequestID", "Request ID" },
	{ 0x1001, 3, "Request.RawRequest", "Binary Request" },
	{ 0x1010, 4, "Request.RequesterName", "Requester Name" },
	{ 0x200a, 2, "NotAfter", "Certificate Expiration Date" },
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new(1 << 20);
	char *text = malloc(size + 1);
	struct ctl_restriction *r;
	struct err e = { 0 };
	size_t n;

	memcpy(text, data, size);
	text[size] = '\0';
	if (ctl_restrictions_parse(text, columns, 4, 134000000000000000, pool, &r, &n, &e) != 0)
		assert(e.hr != 0 && e.msg[0] != '\0');
	else
		for (size_t i = 0; i < n; i++) {
			const struct ctl_view_column *c = NULL;

			for (size_t k = 0; k < 4; k++)
				if (columns[k].id == r[i].column)
					c = &columns[k];
			if (c == NULL || (r[i].seek == 0) == (r[i].sort == 0))
				__builtin_trap();
			if (r[i].seek != 0 && ((c->type == 1 && r[i].value.len != 4) || (c->type == 2 && r[i].value.len != 8) ||
						  (c->type == 4 && (r[i].value.len < 2 || r[i].value.len % 2 != 0))))
				__builtin_trap();
		}
	free(text);
	pool_free(pool);
	return 0;
}
