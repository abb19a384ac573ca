/* Protocol towers (C706 appendix L): floors in and out, what ncacn_ip_tcp says, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "idl/epm.h"

#define ICERTPASSAGE_FLOOR "1300 0d 2060ae91 3c9e cf11 8d7c00aa00c091be 0000 0200 0000"
#define NDR20_FLOOR "1300 0d 045d888a eb1c c911 9fe808002b104860 0200 0200 0000"
#define RPC_FLOOR "0100 0b 0200 0000"
#define TCP_FLOOR "0100 07 0200 c202"
#define IP_FLOOR "0100 09 0400 7f4d0001"

static const struct {
	const char *name;
	const char *hex;
	const char *printed;
	bool tcp;
} towers[] = {
	{ "TCP", "0500" ICERTPASSAGE_FLOOR NDR20_FLOOR RPC_FLOOR TCP_FLOOR IP_FLOOR,
	    "91ae6020-9e3c-11cf-8d7c-00aa00c091be v0.0, NDR20, ncacn_ip_tcp 127.77.0.1[49666]", true },
	{ "octets behind the last floor", "0500" ICERTPASSAGE_FLOOR NDR20_FLOOR RPC_FLOOR TCP_FLOOR IP_FLOOR "abab",
	    "91ae6020-9e3c-11cf-8d7c-00aa00c091be v0.0, NDR20, ncacn_ip_tcp 127.77.0.1[49666]", true },
	{ "named pipe",
	    "0500" ICERTPASSAGE_FLOOR NDR20_FLOOR RPC_FLOOR "0100 0f 0500 5c61626300"
	    "0100 11 0300 433100",
	    "91ae6020-9e3c-11cf-8d7c-00aa00c091be v0.0, NDR20, floor 0x0b=0000, floor 0x0f=5c61626300, "
	    "floor 0x11=433100",
	    false },
	{ "UDP", "0500" ICERTPASSAGE_FLOOR NDR20_FLOOR "0100 0a 0200 0000 0100 08 0200 0087" IP_FLOOR,
	    "91ae6020-9e3c-11cf-8d7c-00aa00c091be v0.0, NDR20, floor 0x0a=0000, floor 0x08=0087, "
	    "floor 0x09=7f4d0001",
	    false },
	{ "no floors", "0000", "no floors", false },
	{ "one floor too few", "0400" ICERTPASSAGE_FLOOR NDR20_FLOOR RPC_FLOOR TCP_FLOOR,
	    "91ae6020-9e3c-11cf-8d7c-00aa00c091be v0.0, NDR20, floor 0x0b=0000, floor 0x07=c202", false },
	{ "one floor too many", "0600" ICERTPASSAGE_FLOOR NDR20_FLOOR RPC_FLOOR TCP_FLOOR IP_FLOOR IP_FLOOR,
	    "91ae6020-9e3c-11cf-8d7c-00aa00c091be v0.0, NDR20, floor 0x0b=0000, floor 0x07=c202, "
	    "floor 0x09=7f4d0001, floor 0x09=7f4d0001",
	    false },
	{ "short interface floor", "0500" "0200 0d20 0200 0000" NDR20_FLOOR RPC_FLOOR TCP_FLOOR IP_FLOOR,
	    "floor 0x0d/20=0000, NDR20, floor 0x0b=0000, floor 0x07=c202, floor 0x09=7f4d0001", false },
	{ "port of three octets", "0500" ICERTPASSAGE_FLOOR NDR20_FLOOR RPC_FLOOR "0100 07 0300 c20200" IP_FLOOR,
	    "91ae6020-9e3c-11cf-8d7c-00aa00c091be v0.0, NDR20, floor 0x0b=0000, floor 0x07=c20200, "
	    "floor 0x09=7f4d0001",
	    false },
	{ "IPv6 address", "0500" ICERTPASSAGE_FLOOR NDR20_FLOOR RPC_FLOOR TCP_FLOOR "0100 09 0000",
	    "91ae6020-9e3c-11cf-8d7c-00aa00c091be v0.0, NDR20, floor 0x0b=0000, floor 0x07=c202, floor 0x09", false },
};

static const struct {
	const char *name;
	const char *hex;
	const char *said;
} malformed[] = {
	{ "empty", "", "tower of 0 octets" },
	{ "half a count", "05", "tower of 1 octets" },
	{ "seven floors", "0700", "7 floors, at most 6" },
	{ "65535 floors", "ffff", "65535 floors" },
	{ "floor missing", "0100", "ends before left side of floor 1" },
	{ "half a length", "0100 01", "ends before left side of floor 1" },
	{ "left side cut", "0100 0300 0d20", "left side of floor 1 has 3 octets, 2 left" },
	{ "right side missing", "0100 0100 0b", "ends before right side of floor 1" },
	{ "right side cut", "0100 0100 0b 0200 00", "right side of floor 1 has 2 octets, 1 left" },
	{ "largest length", "0100 ffff 0b", "left side of floor 1 has 65535 octets, 1 left" },
	{ "no protocol", "0100 0000 0000", "floor 1 names no protocol" },
	{ "second floor missing", "0200 0100 0b 0200 0000", "ends before left side of floor 2" },
};

/* In memory of the exact size. */
static uint8_t *
octets_of(const char *hex, size_t *n)
{
	struct buf b;
	uint8_t *exact;

	buf_init(&b, 4096);
	assert_int_equal(text_parse_hex(&b, hex, NULL), 0);
	exact = malloc(b.len > 0 ? b.len : 1);
	if (b.len > 0)
		memcpy(exact, b.p, b.len);
	*n = b.len;
	buf_fini(&b);
	return exact;
}

static void
decodes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(towers); i++) {
		struct epm_tower t;
		struct epm_tcp tcp;
		struct err e = { 0 };
		struct buf out;
		uint8_t *octets;
		size_t n;

		octets = octets_of(towers[i].hex, &n);
		if (epm_tower_decode((struct bytes){ octets, n }, &t, &e) != 0)
			fail_msg("%s: %s", towers[i].name, e.msg);
		buf_init(&out, 4096);
		epm_tower_print(&t, &out);
		if (strcmp(buf_cstr(&out), towers[i].printed) != 0)
			fail_msg("%s prints as %s", towers[i].name, buf_cstr(&out));
		assert_int_equal(epm_tower_to_tcp(&t, &tcp), towers[i].tcp);
		buf_reset(&out);
		epm_tower_encode(&t, &out);
		assert_in_range(out.len, 2, n);
		assert_memory_equal(out.p, octets, out.len);
		buf_fini(&out);
		free(octets);
	}
}

static void
refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
		struct epm_tower t;
		struct err e = { 0 };
		uint8_t *octets;
		size_t n;

		octets = octets_of(malformed[i].hex, &n);
		if (epm_tower_decode((struct bytes){ octets, n }, &t, &e) == 0)
			fail_msg("%s: accepted", malformed[i].name);
		if (e.hr != E_RPC_BAD_STUB_DATA || strstr(e.msg, malformed[i].said) == NULL)
			fail_msg("%s: %s", malformed[i].name, e.msg);
		free(octets);
	}
}

static void
builds_the_five_floors(void **state)
{
	struct pool *pool = pool_new(4096);
	struct epm_tcp in = {
		.iface = { { 0x91ae6020, 0x9e3c, 0x11cf, { 0x8d, 0x7c, 0x00, 0xaa, 0x00, 0xc0, 0x91, 0xbe } }, 0, 0 },
		.transfer = { NDR_TRANSFER_SYNTAX_UUID, 2, 0 },
		.port = 49666,
		.ipv4 = { 127, 77, 0, 1 },
	};
	struct epm_tower *t = epm_tower_from_tcp(pool, &in);
	struct epm_tcp out;
	struct buf got;
	uint8_t *want;
	size_t n;

	(void)state;
	want = octets_of(towers[0].hex, &n);
	buf_init(&got, 4096);
	epm_tower_encode(t, &got);
	assert_int_equal(got.len, 75);
	assert_int_equal(n, 75);
	assert_memory_equal(got.p, want, n);
	assert_true(epm_tower_to_tcp(t, &out));
	assert_int_equal(out.port, 49666);
	assert_memory_equal(out.ipv4, in.ipv4, 4);
	assert_true(guid_equal(&out.iface.uuid, &in.iface.uuid));
	buf_fini(&got);
	free(want);
	pool_free(pool);
	pool = pool_new(64);
	assert_null(epm_tower_from_tcp(pool, &in));
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes),
		cmocka_unit_test(refuses),
		cmocka_unit_test(builds_the_five_floors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
