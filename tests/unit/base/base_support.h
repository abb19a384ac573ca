/* Shared by the tests of base/. */
#ifndef TESTS_BASE_SUPPORT_H
#define TESTS_BASE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

/* Octets of "01 02 ff" written without help from base/; static, valid for the next three calls. */
__attribute__((unused)) static struct bytes
octets(const char *hex)
{
	static uint8_t turns[4][512];
	static unsigned turn;
	uint8_t *out = turns[turn++ % 4];
	size_t n = 0;
	unsigned v;

	for (; *hex != '\0'; hex += 2) {
		while (*hex == ' ')
			hex++;
		if (sscanf(hex, "%2x", &v) != 1 || n == sizeof(turns[0]))
			fail_msg("bad test data: %s", hex);
		out[n++] = (uint8_t)v;
	}
	return (struct bytes){ out, n };
}

__attribute__((unused)) static void
assert_octets(struct bytes got, const char *hex, const char *name)
{
	struct bytes want = octets(hex);

	if (!bytes_equal(got, want)) {
		for (size_t i = 0; i < got.len; i++)
			fprintf(stderr, "%02x", got.p[i]);
		fail_msg(" is not %s (%s)", hex, name);
	}
}

__attribute__((unused)) static struct bytes
text_bytes(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

#endif
