/* Verification trailers: vectors made by hand from MS-RPCE 2.2.2.13. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "idl/verification_trailer.h"

#define SIGNATURE "8ae3137102f43671"
#define IFACE "706e9ed988fcd011b49800a0c90312f3 00000000"
#define NDR20 "045d888aeb1cc9119fe808002b104860 02000000"
#define BITMASK "0100 0400 01000000"
#define PCONTEXT "0200 2800" IFACE NDR20
#define HEADER2_END "0340 1000 00 00 0000 10000000 07000000 0100 0300"

static const struct {
	const char *name;
	const char *hex;
	bool no_header_signing; /* what the bind said */
	const char *said;       /* NULL: fine */
} cases[] = {
	{ "nothing", "", false, NULL },
	{ "padding only", "0000", false, NULL },
	{ "stray octets", "000000008ae3137102f43672ffff", false, NULL },
	{ "three commands", "0000" SIGNATURE BITMASK PCONTEXT HEADER2_END, false, NULL },
	{ "other order", "0000" SIGNATURE PCONTEXT BITMASK HEADER2_END, false, NULL },
	{ "not aligned", "00" SIGNATURE HEADER2_END, false, NULL },
	{ "reserved fields are ignored", SIGNATURE "0340 1000 00 ff ffff 10000000 07000000 0100 0300", false, NULL },
	{ "must be processed, and is", SIGNATURE "03c0 1000 00 00 0000 10000000 07000000 0100 0300", false, NULL },
	{ "octets behind the last command", SIGNATURE HEADER2_END "aabb", false, NULL },
	{ "unknown command", SIGNATURE "0500 0400 01020304" HEADER2_END, false, NULL },
	{ "empty unknown command", SIGNATURE "0500 0000" HEADER2_END, false, NULL },
	{ "no bit set", SIGNATURE "0140 0400 00000000", true, NULL },
	{ "unknown bits", SIGNATURE "0140 0400 feffffff", true, NULL },
	{ "unknown command that must be processed", SIGNATURE "05c0 0000", false, "unknown command 0x0005" },
	{ "header signing was not offered", SIGNATURE BITMASK HEADER2_END, true, "header signing" },
	{ "signature alone", SIGNATURE, false, "ends without" },
	{ "no end", SIGNATURE BITMASK, false, "ends without" },
	{ "half a command header", SIGNATURE "0140 04", false, "ends without" },
	{ "command cut", SIGNATURE "0140 0400 010000", false, "command of 4 octets, 3 left" },
	{ "bitmask too long", SIGNATURE "0140 0800 0100000000000000", false, "8 octets, 4 expected" },
	{ "context too short", SIGNATURE "0240 2400" IFACE "045d888aeb1cc9119fe808002b104860", false,
	    "36 octets, 40 expected" },
	{ "header too short", SIGNATURE "0340 0c00 00 00 0000 10000000 07000000", false, "12 octets, 16 expected" },
	{ "another interface", SIGNATURE "0240 2800 716e9ed988fcd011b49800a0c90312f3 00000000" NDR20, false,
	    "another interface" },
	{ "another major version", SIGNATURE "0240 2800 706e9ed988fcd011b49800a0c90312f3 01000000" NDR20, false,
	    "another interface" },
	{ "another minor version", SIGNATURE "0240 2800 706e9ed988fcd011b49800a0c90312f3 00000100" NDR20, false,
	    "another interface" },
	{ "another transfer syntax", SIGNATURE "0240 2800" IFACE "33057171babe37498319b5dbef9ccc36 01000000", false,
	    "another transfer syntax" },
	{ "another packet type", SIGNATURE "0340 1000 02 00 0000 10000000 07000000 0100 0300", false, "header differs" },
	{ "another data representation", SIGNATURE "0340 1000 00 00 0000 00000000 07000000 0100 0300", false,
	    "header differs" },
	{ "another call", SIGNATURE "0340 1000 00 00 0000 10000000 08000000 0100 0300", false, "header differs" },
	{ "another context", SIGNATURE "0340 1000 00 00 0000 10000000 07000000 0200 0300", false, "header differs" },
	{ "another operation", SIGNATURE "0340 1000 00 00 0000 10000000 07000000 0100 0400", false, "header differs" },
	{ "a wrong one behind a right one", SIGNATURE PCONTEXT "0340 1000 00 00 0000 10000000 07000000 0100 0400", false,
	    "header differs" },
};

static void
trailers(void **state)
{
	struct rpc_vt_expect x = {
		.abstract = { { 0xd99e6e70, 0xfc88, 0x11d0, { 0xb4, 0x98, 0x00, 0xa0, 0xc9, 0x03, 0x12, 0xf3 } }, 0, 0 },
		.transfer = { { 0x8a885d04, 0x1ceb, 0x11c9, { 0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60 } }, 2, 0 },
		.ptype = 0,
		.drep = { 0x10, 0, 0, 0 },
		.call_id = 7,
		.context_id = 1,
		.opnum = 3,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		uint8_t *exact;
		struct buf b;
		int ret;

		buf_init(&b, 4096);
		assert_int_equal(text_parse_hex(&b, cases[i].hex, &e), 0);
		exact = malloc(b.len > 0 ? b.len : 1);
		if (b.len > 0)
			memcpy(exact, b.p, b.len);
		x.header_signing = !cases[i].no_header_signing;
		ret = rpc_vt_check((struct bytes){ exact, b.len }, &x, &e);
		if (cases[i].said == NULL && ret != 0)
			fail_msg("%s: %s", cases[i].name, e.msg);
		if (cases[i].said != NULL && (ret == 0 || e.hr != E_ACCESSDENIED || strstr(e.msg, cases[i].said) == NULL))
			fail_msg("%s: %s", cases[i].name, ret == 0 ? "accepted" : e.msg);
		free(exact);
		buf_fini(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(trailers) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
