/* Self-relative security descriptors: the worked examples, octet for octet, and what must be refused. */
#include "sd_support.h"

#define DOM_HEX "010500000000000515000000c7353a428e6b748455a1aec6"
#define BA_HEX "01020000000000052000000020020000"
#define AU_HEX "01010000000000050b000000"
#define WD_HEX "010100000000000100000000"

/* access-control section 5: an enrolment template. */
#define TEMPLATE_196                                                                                              \
	"010004948c000000a80000000000000014000000040078000300000005003800000100000100000068c9100efb78d21190d400c0" \
	"4f79dc55010500000000000515000000c7353a428e6b748455a1aec60102000000002400ff010f00010500000000000515000000" \
	"c7353a428e6b748455a1aec600020000000014009400020001010000000000050b000000010500000000000515000000c7353a42" \
	"8e6b748455a1aec607020000010500000000000515000000c7353a428e6b748455a1aec607020000"
/* The default of an enterprise CA. */
#define CA_176                                                                                                    \
	"0100048090000000a0000000000000001400000002007c0004000000000018000300000001020000000000052000000020020000" \
	"0000240003000000010500000000000515000000c7353a428e6b748455a1aec60002000000002400030000000105000000000005" \
	"15000000c7353a428e6b748455a1aec607020000000014000002000001010000000000050b000000010200000000000520000000" \
	"2002000001020000000000052000000020020000"
/* MS-DTYP 2.5.1.4 */
#define DTYP_EXAMPLE                                                                                              \
	"010014b090000000a00000001400000030000000" \
	"02001c000100000002801400000000800101000000000001" "00000000" \
	"020060000400000000031800000000a0" "01020000000000052000000021020000" "0003180000000010" BA_HEX             \
	"0003140000000010" "010100000000000512000000" "0003140000000010" "010100000000000300000000" BA_HEX BA_HEX

static int
read_hex(struct sd *sd, struct pool *pool, const char *hex, struct err *e)
{
	struct buf b;
	int rc;

	hex_of(&b, hex);
	rc = sd_from_wire(sd, pool, buf_bytes(&b), e);
	buf_fini(&b); /* nothing of the input may be kept */
	return rc;
}

static void
assert_wire(const struct sd *sd, const char *hex)
{
	struct buf got, text;
	struct err e = { 0 };

	buf_init(&got, SD_WIRE_MAX);
	buf_init(&text, 4 * SD_WIRE_MAX);
	assert_int_equal(sd_to_wire(sd, &got, &e), 0);
	text_put_hex(&text, buf_bytes(&got));
	assert_string_equal(buf_cstr(&text), hex);
	buf_fini(&text);
	buf_fini(&got);
}

static void
test_round_trip(void **state)
{
	static const struct {
		const char *name, *sddl, *hex;
	} cases[] = {
		{ "template, 196 octets",
		    "O:EAG:EAD:PAI(OA;;CR;0e10c968-78fb-11d2-90d4-00c04f79dc55;;DU)"
		    "(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;DA)(A;;LCRPLORC;;;AU)",
		    TEMPLATE_196 },
		{ "enterprise CA, 176 octets", "O:BAG:BAD:(A;;CCDC;;;BA)(A;;CCDC;;;DA)(A;;CCDC;;;EA)(A;;0x200;;;AU)",
		    CA_176 },
		{ "MS-DTYP 2.5.1.4",
		    "O:BAG:BAD:P(A;OICI;GXGR;;;BU)(A;OICI;GA;;;BA)(A;OICI;GA;;;SY)(A;OICI;GA;;;CO)S:P(AU;FA;GR;;;WD)",
		    DTYP_EXAMPLE },
		{ "nothing but the header", "", "0100008000000000000000000000000000000000" },
		{ "null DACL", "D:NO_ACCESS_CONTROL", "0100048000000000000000000000000000000000" },
		{ "empty DACL", "D:", "01000480000000000000000000000000140000000200080000000000" },
		{ "null SACL", "S:NO_ACCESS_CONTROL", "0100108000000000000000000000000000000000" },
		{ "owner alone", "O:BA", "0100008014000000000000000000000000000000" BA_HEX },
		{ "group alone", "G:BA", "0100008000000000140000000000000000000000" BA_HEX },
		{ "an agent restriction: callback ACE with application data",
		    "D:(XA;;SD;;;" DOM "-1601;#01000000" DOM_HEX "01020000"
		    "49006e00740075006e00650050004b004300530000000000)",
		    "0100048000000000000000000000000014000000" "0200640001000000" "09005c0000000100" DOM_HEX "41060000"
		    "01000000" DOM_HEX "01020000" "49006e00740075006e00650050004b004300530000000000" },
		{ "object ACE with both GUIDs",
		    "D:(OA;CIIO;RP;a05b8cc2-17bc-4802-a710-e7c15ab866a2;0e10c968-78fb-11d2-90d4-00c04f79dc55;AU)",
		    "0100048000000000000000000000000014000000" "0400400001000000" "05 0a3800 10000000 03000000"
		    "c28c5ba0bc170248a710e7c15ab866a2" "68c9100efb78d21190d400c04f79dc55" AU_HEX },
		{ "object ACE without ObjectType", "D:(OD;;CR;;;AU)",
		    "0100048000000000000000000000000014000000" "0400200001000000" "06001800 00010000 00000000" AU_HEX },
		{ "a callback object ACE, for which SDDL has no code", "D:(0x0c;;CR;;;AU;#01020304)",
		    "0100048000000000000000000000000014000000" "0400240001000000" "0c001c00 00010000 00000000" AU_HEX
		    "01020304" },
		{ "an unknown ACE type", "D:(0x55;ID;;;;;#0102030405060708)",
		    "0100048000000000000000000000000014000000" "0200140001000000" "55100c00 0102030405060708" },
		{ "a mandatory label", "S:(ML;;CCDC;;;HI)",
		    "0100108000000000000000001400000000000000" "02001c0001000000" "11001400 03000000"
		    "010100000000001000300000" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 20);
		struct sddl_domain dom = example_domain();
		struct buf text, compact;
		struct err e = { 0 };
		struct sd sd, from_text;

		if (read_hex(&sd, pool, cases[i].hex, &e) != 0)
			fail_msg("%s: %s", cases[i].name, e.msg);
		buf_init(&text, SD_WIRE_MAX);
		assert_int_equal(sd_to_sddl(&sd, &text, &dom, &e), 0);
		assert_string_equal(buf_cstr(&text), cases[i].sddl);
		hex_of(&compact, cases[i].hex); /* without the blanks */
		buf_reset(&text);
		text_put_hex(&text, buf_bytes(&compact));
		assert_wire(&sd, buf_cstr(&text));
		from_text = sd_of(pool, cases[i].sddl);
		assert_wire(&from_text, buf_cstr(&text));
		buf_fini(&compact);
		buf_fini(&text);
		pool_free(pool);
	}
}

/* Other layouts than ours mean the same. */
static void
test_layouts(void **state)
{
	static const struct {
		const char *name, *hex, *sddl;
	} cases[] = {
		{ "owner and group before the DACL",
		    "0100048014000000240000000000000034000000" BA_HEX BA_HEX "02001c0001000000" "00001400 00010000" AU_HEX,
		    "O:BAG:BAD:(A;;CR;;;AU)" },
		{ "owner and group share one SID",
		    "0100048014000000140000000000000024000000" BA_HEX "0200080000000000", "O:BAG:BAD:" },
		{ "a gap and a tail", "01000080180000000000000000000000" "00000000" "deadbeef" BA_HEX "cafe", "O:BA" },
		{ "DACL offset without the bit", "0100008000000000000000000000000014000000" "0200080000000000", "" },
		{ "room behind the last ACE",
		    "0100048000000000000000000000000014000000" "0200240001000000" "00001400 00010000" AU_HEX
		    "ffffffffffffffff", "D:(A;;CR;;;AU)" },
		{ "octets behind the SID of a plain ACE",
		    "0100048000000000000000000000000014000000" "0200200001000000" "00001800 00010000" AU_HEX "deadbeef",
		    "D:(A;;CR;;;AU)" },
		{ "unused flags of an object ACE",
		    "0100048000000000000000000000000014000000" "0400200001000000" "05001800 00010000 fcffffff" AU_HEX,
		    "D:(OA;;CR;;;AU)" },
		{ "revision 3", "0100048000000000000000000000000014000000" "0300080000000000", "D:" },
		{ "unaligned", "0100008015000000000000000000000000000000" "00" BA_HEX, "O:BA" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 20);
		struct buf text;
		struct err e = { 0 };
		struct sd sd;

		if (read_hex(&sd, pool, cases[i].hex, &e) != 0)
			fail_msg("%s: %s", cases[i].name, e.msg);
		buf_init(&text, SD_WIRE_MAX);
		assert_int_equal(sd_to_sddl(&sd, &text, NULL, &e), 0);
		assert_string_equal(buf_cstr(&text), cases[i].sddl);
		buf_fini(&text);
		pool_free(pool);
	}
}

static void
test_refused(void **state)
{
	static const struct {
		const char *name, *hex, *reason;
	} cases[] = {
		{ "nothing", "", "of 0 octets" },
		{ "19 octets", "01000080000000000000000000000000000000", "of 19 octets" },
		{ "revision 2", "0200008000000000000000000000000000000000", "revision 2" },
		{ "absolute form", "0100000000000000000000000000000000000000", "self-relative" },
		{ "owner inside the header", "0100008004000000000000000000000000000000" BA_HEX, "owner at offset 4" },
		{ "owner at the end", "0100008014000000000000000000000000000000", "owner at offset 20" },
		{ "owner far away", "01000080ffffffff000000000000000000000000" BA_HEX, "owner at offset 4294967295" },
		{ "owner cut", "0100008014000000000000000000000000000000" "0102000000000005200000002002", "owner: SID needs" },
		{ "group of revision 9", "0100008000000000140000000000000000000000" "0901000000000001" "00000000",
		    "group: SID revision 9" },
		{ "DACL outside", "0100048000000000000000000000000015000000", "DACL at offset 21" },
		{ "DACL header cut", "0100048000000000000000000000000014000000" "02000800000000", "DACL: header" },
		{ "SACL header cut", "0100108000000000000000001400000000000000" "0200", "SACL: header" },
		{ "ACL revision 1", "0100048000000000000000000000000014000000" "0100080000000000", "DACL: revision 1" },
		{ "ACL revision 5", "0100048000000000000000000000000014000000" "0500080000000000", "DACL: revision 5" },
		{ "ACL smaller than its header", "0100048000000000000000000000000014000000" "0200070000000000", "DACL: size 7" },
		{ "ACL larger than the rest", "0100048000000000000000000000000014000000" "0200090000000000", "DACL: size 9" },
		{ "more ACEs than fit", "0100048000000000000000000000000014000000" "0200080001000000", "1 ACEs in 8 octets" },
		{ "65535 ACEs", "0100048000000000000000000000000014000000" "02000800ffff0000", "65535 ACEs" },
		{ "second ACE missing",
		    "0100048000000000000000000000000014000000" "02001c0002000000" "0000140000010000" AU_HEX,
		    "DACL: ACE 2: header needs 4 octets, 0 left" },
		{ "ACE of size 0", "0100048000000000000000000000000014000000" "02001c0001000000" "0000000000010000" AU_HEX,
		    "DACL: ACE 1: size 0" },
		{ "ACE size no multiple of 4",
		    "0100048000000000000000000000000014000000" "02001c0001000000" "0000130000010000" AU_HEX, "ACE 1: size 19" },
		{ "ACE larger than the ACL",
		    "0100048000000000000000000000000014000000" "02001c0001000000" "0000180000010000" AU_HEX "00000000",
		    "ACE 1: size 24, 20 octets left" },
		{ "ACE without a mask", "0100048000000000000000000000000014000000" "02000c0001000000" "00000400",
		    "ACE 1: ends before its SID" },
		{ "ACE with a cut SID",
		    "0100048000000000000000000000000014000000" "0200180001000000" "0000100000010000" "0101000000000005",
		    "ACE 1: SID needs 12 octets, 8 left" },
		{ "object ACE without flags",
		    "0100048000000000000000000000000014000000" "0400100001000000" "0500080000010000", "ends before its SID" },
		{ "object ACE with half a GUID",
		    "0100048000000000000000000000000014000000" "04001c0001000000" "050014000001000001000000" "68c9100efb78d211",
		    "ends before its SID" },
		{ "object ACE that promises a second GUID",
		    "0100048000000000000000000000000014000000" "0400340001000000" "05002c000001000003000000"
		    "68c9100efb78d21190d400c04f79dc55" AU_HEX "00000000", "SID" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 20);
		struct err e = { 0 };
		struct sd sd;

		if (read_hex(&sd, pool, cases[i].hex, &e) != -1)
			fail_msg("accepted: %s", cases[i].name);
		if (strstr(e.msg, cases[i].reason) == NULL)
			fail_msg("%s: %s", cases[i].name, e.msg);
		assert_int_equal(e.hr, E_INVALID_DATA);
		pool_free(pool);
	}
}

/* Every prefix of a good descriptor is refused or at least read without harm (ASan watches). */
static void
test_prefixes(void **state)
{
	struct pool *pool = pool_new(1 << 22);
	struct err e = { 0 };
	size_t whole, len;
	struct buf b;
	struct sd sd;

	(void)state;
	hex_of(&b, TEMPLATE_196);
	whole = b.len;
	for (size_t n = 0; n < b.len; n++) {
		uint8_t *exact = malloc(n + 1); /* malloc(0) may give NULL */

		assert_non_null(exact);
		memcpy(exact, b.p, n);
		assert_int_equal(sd_from_wire(&sd, pool, (struct bytes){ exact, n }, &e), -1);
		assert_int_equal(sd_wire_len((struct bytes){ exact, n }, &len, &e), -1);
		free(exact);
	}
	assert_int_equal(sd_from_wire(&sd, pool, buf_bytes(&b), &e), 0);
	buf_put_zero(&b, 5); /* something else follows */
	assert_int_equal(sd_wire_len(buf_bytes(&b), &len, &e), 0);
	assert_int_equal(len, whole);
	buf_fini(&b);
	pool_free(pool);
}

static struct acl *
acl_with(struct pool *pool, size_t n, const struct ace *ace)
{
	struct acl *acl = POOL_NEW(pool, struct acl);

	acl->n = n;
	acl->aces = pool_calloc(pool, n, sizeof(*acl->aces));
	for (size_t i = 0; i < n; i++)
		acl->aces[i] = *ace;
	return acl;
}

static void
test_write_limits(void **state)
{
	static const uint8_t zeros[65536];
	struct ace plain = { .mask = 1, .sid = sid_of("S-1-1-0") }; /* 20 octets */
	struct ace most = { .type = ACCESS_ALLOWED_CALLBACK_ACE_TYPE, .sid = sid_of("S-1-1-0"),
		.extra = { zeros, 65527 - 20 } }; /* 65528 in the ACE */
	struct ace over = { .type = 0x77, .extra = { zeros, 65532 } };
	const struct {
		const char *name;
		size_t n;
		const struct ace *ace;
		size_t max;
		uint32_t hr;
	} cases[] = {
		{ "2000 ACEs", 2000, &plain, SD_WIRE_MAX, 0 },
		{ "2001 ACEs", 2001, &plain, SD_WIRE_MAX, E_INVALIDARG },
		{ "an ACL of 65536 octets", 1, &most, SD_WIRE_MAX, E_INVALIDARG },
		{ "an ACE of 65536 octets", 1, &over, SD_WIRE_MAX, E_INVALIDARG },
		{ "a buffer with just the room", 1, &plain, 48, 0 },
		{ "a buffer one octet short", 1, &plain, 47, E_OUTOFMEMORY },
		{ "a buffer without room for the header", 0, &plain, 10, E_OUTOFMEMORY },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 22);
		struct sd sd = { .dacl = acl_with(pool, cases[i].n, cases[i].ace) };
		struct err e = { 0 };
		struct buf b;
		int rc;

		buf_init(&b, cases[i].max);
		rc = sd_to_wire(&sd, &b, &e);
		if (rc != (cases[i].hr == 0 ? 0 : -1) || e.hr != cases[i].hr)
			fail_msg("%s: %d %s", cases[i].name, rc, e.msg);
		buf_fini(&b);
		pool_free(pool);
	}
}

/* Offsets count from where the descriptor begins, whatever stands before it in the buffer. */
static void
test_write_appends(void **state)
{
	struct pool *pool = pool_new(1 << 16);
	struct sd sd = sd_of(pool, "O:BAG:BAD:(A;;CR;;;AU)"), back;
	struct err e = { 0 };
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	buf_put_str(&b, "before");
	assert_int_equal(sd_to_wire(&sd, &b, &e), 0);
	assert_int_equal(sd_from_wire(&back, pool, (struct bytes){ b.p + 6, b.len - 6 }, &e), 0);
	assert_true(back.has_owner && back.has_group && back.dacl->n == 1);
	assert_int_equal(back.dacl->revision, 2);
	buf_fini(&b);
	pool_free(pool);
}

/* Resource manager control and defaulted bits are nobody's to lose. */
static void
test_control_kept(void **state)
{
	struct pool *pool = pool_new(1 << 16);
	struct err e = { 0 };
	struct sd sd;

	(void)state;
	assert_int_equal(read_hex(&sd, pool, "01a507c3000000000000000000000000140000000200080000000000", &e), 0);
	assert_int_equal(sd.control, 0xc307);
	assert_int_equal(sd.rm_control, 0xa5);
	assert_wire(&sd, "01a507c3000000000000000000000000140000000200080000000000");
	pool_free(pool);
}

static void
test_pool_too_small(void **state)
{
	struct err e = { 0 };
	struct sd sd;

	(void)state;
	for (size_t max = 0; max < 400; max += 16) {
		struct pool *pool = pool_new(max);

		assert_int_equal(read_hex(&sd, pool, TEMPLATE_196, &e), -1);
		assert_int_equal(e.hr, E_OUTOFMEMORY);
		pool_free(pool);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_write_limits),
		cmocka_unit_test(test_write_appends),
		cmocka_unit_test(test_control_kept),
		cmocka_unit_test(test_pool_too_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
