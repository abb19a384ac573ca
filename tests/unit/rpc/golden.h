/* Reads fixtures/rpc/NAME.hex: a comment line on its origin, then the octets of one PDU. */
#ifndef ADCSD_TESTS_RPC_GOLDEN_H
#define ADCSD_TESTS_RPC_GOLDEN_H

#include <stdio.h>

#include "base/text.h"

static void
golden_read(const char *name, struct buf *out)
{
	char path[128], line[256];
	struct err e;
	FILE *f;

	snprintf(path, sizeof(path), "fixtures/rpc/%s.hex", name);
	f = fopen(path, "r");
	assert_non_null(f);
	buf_init(out, 65536);
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '#')
			assert_int_equal(text_parse_hex(out, line, &e), 0);
	}
	fclose(f);
	assert_true(buf_ok(out) && out->len > 0);
}

#endif
