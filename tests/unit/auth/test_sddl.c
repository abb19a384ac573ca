/* SDDL both ways, MS-DTYP 2.5.1; Samba's encoder as the judge (tests/tools/samba_access.py). */
#include "sd_support.h"

#define ENROLL "0e10c968-78fb-11d2-90d4-00c04f79dc55"
#define AUTOENROLL "a05b8cc2-17bc-4802-a710-e7c15ab866a2"
#define TEMPLATE_HEAD "O:EAG:EAD:PAI"
#define TEMPLATE_TAIL "(A;;CCDCLCSWRPWPDTLOSDRCWDWO;;;DA)(A;;CCDCLCSWRPWPDTLOSDRCWDWO;;;EA)(A;;LCRPLORC;;;AU)"
#define FULL_ENROLL(sid) "(OA;;RPWPCR;" ENROLL ";;" sid ")"
#define FULL_AUTOENROLL(sid) "(OA;;RPWPCR;" AUTOENROLL ";;" sid ")"

static const struct sddl_domain *
two_domains(void)
{
	static struct sddl_domain dom;

	dom = (struct sddl_domain){ .domain = sid_of(DOM), .root = sid_of(ROOT) };
	return &dom;
}

static void
assert_printed(const struct sd *sd, const struct sddl_domain *dom, const char *want)
{
	struct err e = { 0 };
	struct buf b;

	buf_init(&b, 4 * SD_WIRE_MAX);
	assert_int_equal(sd_to_sddl(sd, &b, dom, &e), 0);
	assert_string_equal(buf_cstr(&b), want);
	buf_fini(&b);
}

/* What is printed as it was read. The first seven are the descriptors of the built-in templates. */
static void
test_unchanged(void **state)
{
	static const char *const cases[] = {
		TEMPLATE_HEAD FULL_ENROLL("DA") FULL_ENROLL("EA") TEMPLATE_TAIL,
		TEMPLATE_HEAD FULL_ENROLL("DA") FULL_ENROLL("DU") FULL_ENROLL("EA") TEMPLATE_TAIL,
		TEMPLATE_HEAD FULL_ENROLL("DA") FULL_ENROLL("DC") FULL_ENROLL("EA") TEMPLATE_TAIL,
		TEMPLATE_HEAD FULL_ENROLL("DA") FULL_ENROLL("DC") FULL_ENROLL("DD") FULL_ENROLL("EA") TEMPLATE_TAIL,
		TEMPLATE_HEAD FULL_ENROLL("DA") FULL_ENROLL("EA") FULL_ENROLL("RS") TEMPLATE_TAIL,
		TEMPLATE_HEAD "(OA;;RPCR;" ENROLL ";;RO)" FULL_ENROLL("DA") FULL_ENROLL("DD") FULL_ENROLL("EA")
		    FULL_ENROLL("ED") TEMPLATE_TAIL,
		TEMPLATE_HEAD "(OA;;RPCR;" ENROLL ";;RO)(OA;;RPCR;" AUTOENROLL ";;RO)" FULL_ENROLL("DA")
		    FULL_ENROLL("DD") FULL_ENROLL("EA") FULL_AUTOENROLL("DD") FULL_ENROLL("ED") FULL_AUTOENROLL("ED")
		    TEMPLATE_TAIL,
		"",
		"O:BA",
		"G:S-1-5-21-7-8-9-1000",
		"O:S-1-0xabcdefabcdef-1G:S-1-0xd00000000000-13D:",
		"D:NO_ACCESS_CONTROL",
		"D:PNO_ACCESS_CONTROL",
		"D:PARAI",
		"D:AIS:",
		"S:PARAI(AU;SAFA;CR;;;WD)(OU;CIIDSA;WP;" ENROLL ";" AUTOENROLL ";AU)",
		"D:(A;OICINPIOID;CC;;;WD)(D;;0x100000;;;S-1-5-21-1-2-3-4)(A;;0x0;;;AN)",
		"D:(OA;;CR;;" AUTOENROLL ";AU)(OD;;CR;;;AU)",
		"D:(A;;FA;;;BA)(A;;FR;;;BA)(A;;FW;;;BA)(A;;FX;;;BA)(A;;GAGXGWGR;;;BA)",
		"D:(XA;;SD;;;AU;#0100)(XD;;SD;;;AU)(ZA;;CR;" ENROLL ";;AU;#ff)(0x0c;;CR;;;AU)(0x42;OI;;;;;#00)(0x42;;;;;)",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 20);
		struct err e = { 0 };
		struct sd sd;

		if (sd_from_sddl(&sd, pool, cases[i], two_domains(), &e) != 0)
			fail_msg("%s: %s", cases[i], e.msg);
		assert_printed(&sd, two_domains(), cases[i]);
		pool_free(pool);
	}
}

/* Other spellings of the same. */
static void
test_normalised(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "S:D:G:BAO:BA", "O:BAG:BAD:S:" },
		{ "o:bag:bad:pai(a;cioi;crgx;;;du)", "O:BAG:BAD:PAI(A;OICI;CRGX;;;DU)" },
		{ " O:BA G:BA\n\tD:PAI\r\n  (A;;CR;;;AU)\n  (A;;CR;;;BA) ", "O:BAG:BAD:PAI(A;;CR;;;AU)(A;;CR;;;BA)" },
		{ "D:AIARP", "D:PARAI" },
		{ "D:PPP", "D:P" },
		{ "O:S-1-5-32-544", "O:BA" },
		{ "O:S-1-5-21-1111111111-2222222222-3333333333-512", "O:DA" },
		{ "O:" ROOT "-519G:" ROOT "-498", "O:EAG:RO" },
		{ "O:" ROOT "-512", "O:" ROOT "-512" },
		{ "D:(A;;0xf01ff;;;AU)", "D:(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;AU)" },
		{ "D:(A;;0xF00FF;;;AU)", "D:(A;;CCDCLCSWRPWPDTLOSDRCWDWO;;;AU)" },
		{ "D:(A;;983551;;;AU)", "D:(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;AU)" },
		{ "D:(A;;0400;;;AU)", "D:(A;;CR;;;AU)" },
		{ "D:(A;;256;;;AU)", "D:(A;;CR;;;AU)" },
		{ "D:(A;;0;;;AU)", "D:(A;;0x0;;;AU)" },
		{ "D:(A;;;;;AU)", "D:(A;;0x0;;;AU)" },
		{ "D:(A;;0xffffffff;;;AU)", "D:(A;;0xffffffff;;;AU)" },
		{ "D:(A;;LCRPLORCLCRP;;;AU)", "D:(A;;LCRPLORC;;;AU)" },
		{ "D:(A;;KA;;;BA)(A;;KR;;;BA)(A;;KW;;;BA)(A;;KX;;;BA)",
		    "D:(A;;CCDCLCSWRPWPSDRCWDWO;;;BA)(A;;CCSWRPRC;;;BA)(A;;DCLCRC;;;BA)(A;;CCSWRPRC;;;BA)" },
		{ "D:(A;;FA;;;BA)(A;FA;FA;;;SA)", "D:(A;;FA;;;BA)(A;FA;FA;;;SA)" },
		{ "D:(A;;DC;;;DC)(A;SA;RC;;;RC)(A;;SD;;;SA)", "D:(A;;DC;;;DC)(A;SA;RC;;;RC)(A;;SD;;;SA)" },
		{ "D:(OA;;CR;0E10C968-78FB-11D2-90D4-00C04F79DC55;;AU)", "D:(OA;;CR;" ENROLL ";;AU)" },
		{ "D:(A;;CR;;;AU;)", "D:(A;;CR;;;AU)" },
		{ "D:(XA;;CR;;;AU;#)", "D:(XA;;CR;;;AU)" },
		{ "D:(XA;;CR;;;AU;#AbCdEf)", "D:(XA;;CR;;;AU;#abcdef)" },
		{ "D:(0x00;;CR;;;AU)(0x5;;CR;;;AU)(0;;CR;;;AU)", "D:(A;;CR;;;AU)(OA;;CR;;;AU)(A;;CR;;;AU)" },
		{ "D:(AU;SA;CR;;;WD)(A;;CR;;;AU)(OU;FA;CR;" ENROLL ";;WD)", "D:(A;;CR;;;AU)" }, /* dropped */
		{ "D:(AU;SA;CR;;;WD)", "D:" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 20);
		struct err e = { 0 };
		struct sd sd;

		if (sd_from_sddl(&sd, pool, cases[i].in, two_domains(), &e) != 0)
			fail_msg("%s: %s", cases[i].in, e.msg);
		assert_printed(&sd, two_domains(), cases[i].out);
		pool_free(pool);
	}
}

static void
test_refused(void **state)
{
	static const struct {
		const char *sddl, *reason;
	} cases[] = {
		{ "X:", "at 0: O:, G:, D:, S: or (ACE) expected" },
		{ "O", "at 0:" },
		{ "O:", "at 2: no SID" },
		{ "O:G:BA", "at 2: no SID" },
		{ "O::", "at 2: no owner" },
		{ "O:BAO:BA", "at 6: a second owner" },
		{ "G:BAG:BA", "at 6: a second group" },
		{ "D:D:", "at 4: a second DACL" },
		{ "S:D:S:", "at 6: a second SACL" },
		{ "D:NO_ACCESS_CONTROLD:", "a second DACL" },
		{ "D:NO_ACCESS_CONTROL(A;;CR;;;AU)", "at 19: O:, G:, D:, S:" },
		{ "O:XX", "at 2: unknown SID alias XX" },
		{ "O:KA", "unknown SID alias KA" },
		{ "O:S-1-5-", "at 2: SID with a bad sub-authority" },
		{ "O:BAD", "at 2: not a SID" },
		{ "O:BA(A;;CR;;;AU)", "at 2: not a SID" },
		{ "D:Q", "at 2: O:, G:, D:, S: or (ACE) expected" },
		{ "D:PAX(A;;CR;;;AU)", "at 3: " },
		{ "D:(", "at 2: ACE without closing parenthesis" },
		{ "D:(A;;CR;;;AU", "at 2: ACE without closing parenthesis" },
		{ "D:()", "at 3: 1 fields in an ACE" },
		{ "D:(A)", "1 fields" },
		{ "D:(A;;CR;;AU)", "5 fields in an ACE" },
		{ "D:(A;;CR;;;AU;;)", "more than 7 fields" },
		{ "D:(A;;CR;;;AU))", "at 14:" },
		{ "D:(A;;CR;;;AU)x", "at 14:" },
		{ "D:(;;CR;;;AU)", "at 3: unknown ACE type" },
		{ "D:(B;;CR;;;AU)", "at 3: unknown ACE type B" },
		{ "D:(AA;;CR;;;AU)", "unknown ACE type AA" },
		{ "D:(0x100;;CR;;;AU)", "ACE type 256" },
		{ "D:(A;X;CR;;;AU)", "at 5: half a code in the ACE flags: X" },
		{ "D:(A;CIXX;CR;;;AU)", "at 7: unknown code in the ACE flags: XX" },
		{ "D:(A;CIO;CR;;;AU)", "at 7: half a code in the ACE flags: O" },
		{ "D:(A;;CRX;;;AU)", "at 8: half a code in the rights: X" },
		{ "D:(A;;CRXX;;;AU)", "at 8: unknown code in the rights: XX" },
		{ "D:(A;;SA;;;AU)", "unknown code in the rights: SA" },
		{ "D:(A;;CR 0x1;;;AU)", "unknown code in the rights" },
		{ "D:(A;;0x;;;AU)", "at 6: number without digits" },
		{ "D:(A;;0x1g;;;AU)", "at 9: not a digit of a base 16 number: g" },
		{ "D:(A;;08;;;AU)", "at 7: not a digit of a base 8 number: 8" },
		{ "D:(A;;12a;;;AU)", "at 8: not a digit of a base 10 number: a" },
		{ "D:(A;;0x100000000;;;AU)", "at 6: number does not fit 32 bits" },
		{ "D:(A;;4294967296;;;AU)", "does not fit 32 bits" },
		{ "D:(A;;99999999999999999999999;;;AU)", "does not fit 32 bits" },
		{ "D:(A;;-1;;;AU)", "unknown code in the rights: -1" },
		{ "D:(A;;CR;" ENROLL ";;AU)", "at 9: GUID in an ACE that is no object ACE" },
		{ "D:(A;;CR;;" ENROLL ";AU)", "at 10: GUID in an ACE that is no object ACE" },
		{ "D:(OA;;CR;0e10c968;;AU)", "at 10: GUID of 8 characters" },
		{ "D:(OA;;CR;{e10c968-78fb-11d2-90d4-00c04f79dc5};;AU)", "at 10: not a GUID" },
		{ "D:(OA;;CR;0e10c968-78fb-11d2-90d4-00c04f79dc5g;;AU)", "at 10: not a GUID" },
		{ "D:(OA;;CR;;{" ENROLL "};AU)", "GUID of 38 characters" },
		{ "D:(A;;CR;;;)", "at 11: no SID" },
		{ "D:(A;;CR;;;ZZ)", "at 11: unknown SID alias ZZ" },
		{ "D:(A;;CR;;; AU)", "at 11: " },
		{ "D:(A;;CR;;;AU;#00)", "at 14: application data in an ACE that is no callback ACE" },
		{ "D:(XA;;CR;;;AU;00)", "at 15: application data must be an octet string" },
		{ "D:(XA;;CR;;;AU;#0)", "at 15: odd number" },
		{ "D:(XA;;CR;;;AU;#0g)", "at 15: not a hexadecimal digit" },
		{ "D:(XA;;CR;;;AU;(@User.Title==\"x\"))", "at 15: conditions and attributes in ACEs are not supported" },
		{ "D:(0x42;;CR;;;)", "an ACE of unknown type has flags and data only" },
		{ "D:(0x42;;;;;AU)", "an ACE of unknown type has flags and data only" },
		{ "O:S-1-5-21-4294967295-4294967295-4294967295-4294967295-4294967295-4294967295-4294967295-4294967295-"
		  "4294967295-4294967295-4294967295-4294967295-4294967295-4294967295-4294967295-4294967295-4294967295",
		    "at 2: SID text of" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 20);
		struct err e = { 0 };
		struct sd sd;

		if (sd_from_sddl(&sd, pool, cases[i].sddl, two_domains(), &e) != -1)
			fail_msg("accepted: %s", cases[i].sddl);
		if (strstr(e.msg, cases[i].reason) == NULL)
			fail_msg("%s: %s", cases[i].sddl, e.msg);
		assert_int_equal(e.hr, E_INVALIDARG);
		pool_free(pool);
	}
}

/* access-control section 6; MS-DTYP 2.5.1.1 and 2.4.2.4 for the rest. */
static void
test_aliases(void **state)
{
	static const struct {
		const char *alias, *sid;
	} cases[] = {
		{ "WD", "S-1-1-0" }, { "CO", "S-1-3-0" }, { "CG", "S-1-3-1" }, { "OW", "S-1-3-4" }, { "NU", "S-1-5-2" },
		{ "IU", "S-1-5-4" }, { "SU", "S-1-5-6" }, { "AN", "S-1-5-7" }, { "ED", "S-1-5-9" }, { "PS", "S-1-5-10" },
		{ "AU", "S-1-5-11" }, { "RC", "S-1-5-12" }, { "SY", "S-1-5-18" }, { "LS", "S-1-5-19" },
		{ "NS", "S-1-5-20" }, { "WR", "S-1-5-33" }, { "BA", "S-1-5-32-544" }, { "BU", "S-1-5-32-545" },
		{ "BG", "S-1-5-32-546" }, { "PU", "S-1-5-32-547" }, { "AO", "S-1-5-32-548" }, { "SO", "S-1-5-32-549" },
		{ "PO", "S-1-5-32-550" }, { "BO", "S-1-5-32-551" }, { "RE", "S-1-5-32-552" }, { "RU", "S-1-5-32-554" },
		{ "RD", "S-1-5-32-555" }, { "NO", "S-1-5-32-556" }, { "MU", "S-1-5-32-558" }, { "LU", "S-1-5-32-559" },
		{ "IS", "S-1-5-32-568" }, { "CY", "S-1-5-32-569" }, { "ER", "S-1-5-32-573" }, { "CD", "S-1-5-32-574" },
		{ "RA", "S-1-5-32-575" }, { "ES", "S-1-5-32-576" }, { "MS", "S-1-5-32-577" }, { "HA", "S-1-5-32-578" },
		{ "AA", "S-1-5-32-579" }, { "RM", "S-1-5-32-580" }, { "UD", "S-1-5-84-0-0-0-0-0" }, { "AC", "S-1-15-2-1" },
		{ "LW", "S-1-16-4096" }, { "ME", "S-1-16-8192" }, { "MP", "S-1-16-8448" }, { "HI", "S-1-16-12288" },
		{ "SI", "S-1-16-16384" }, { "LA", DOM "-500" }, { "LG", DOM "-501" }, { "DA", DOM "-512" },
		{ "DU", DOM "-513" }, { "DG", DOM "-514" }, { "DC", DOM "-515" }, { "DD", DOM "-516" },
		{ "CA", DOM "-517" }, { "PA", DOM "-520" }, { "CN", DOM "-522" }, { "RS", DOM "-553" },
		{ "RO", ROOT "-498" }, { "SA", ROOT "-518" }, { "EA", ROOT "-519" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sid by_alias, by_text = sid_of(cases[i].sid);
		struct err e = { 0 };
		struct sd sd = { .has_owner = true, .owner = by_text };
		char want[8];

		if (sddl_sid_from_text(&by_alias, cases[i].alias, two_domains(), &e) != 0)
			fail_msg("%s: %s", cases[i].alias, e.msg);
		if (!sid_equal(&by_alias, &by_text))
			fail_msg("%s is not %s", cases[i].alias, cases[i].sid);
		snprintf(want, sizeof(want), "O:%s", cases[i].alias);
		assert_printed(&sd, two_domains(), want);
	}
}

static void
test_without_domain(void **state)
{
	static const struct {
		const char *alias, *reason; /* NULL: known without a domain */
	} cases[] = {
		{ "BA", NULL },
		{ "AU", NULL },
		{ "DA", "SID alias DA needs the SID of the domain" },
		{ "EA", "SID alias EA needs the SID of the forest root" },
		{ "RO", "SID alias RO needs the SID of the forest root" },
	};
	struct sddl_domain none = { 0 }, no_root = { .domain = sid_of(DOM) };
	struct sd sd = { .has_owner = true, .owner = sid_of(DOM "-512") };
	struct err e = { 0 };
	struct sid s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(sddl_sid_from_text(&s, cases[i].alias, NULL, &e), cases[i].reason == NULL ? 0 : -1);
		if (cases[i].reason != NULL)
			assert_string_equal(e.msg, cases[i].reason);
		assert_int_equal(sddl_sid_from_text(&s, cases[i].alias, &none, &e), cases[i].reason == NULL ? 0 : -1);
	}
	assert_int_equal(sddl_sid_from_text(&s, "DA", &no_root, &e), 0);
	assert_int_equal(sddl_sid_from_text(&s, "EA", &no_root, &e), -1);
	assert_printed(&sd, NULL, "O:" DOM "-512");
	assert_printed(&sd, &no_root, "O:DA");
}

static void
test_one_ace(void **state)
{
	struct pool *pool = pool_new(1 << 16);
	struct sd sd = sd_of(pool, "D:(OA;;CR;" ENROLL ";;DU)");
	struct sddl_domain dom = example_domain();
	struct err e = { 0 };
	struct buf b;

	(void)state;
	buf_init(&b, 200);
	assert_int_equal(sd_ace_to_sddl(&sd.dacl->aces[0], &b, &dom, &e), 0);
	assert_string_equal(buf_cstr(&b), "(OA;;CR;" ENROLL ";;DU)");
	buf_fini(&b);
	buf_init(&b, 10);
	assert_int_equal(sd_ace_to_sddl(&sd.dacl->aces[0], &b, &dom, &e), -1);
	assert_int_equal(e.hr, E_OUTOFMEMORY);
	buf_fini(&b);
	pool_free(pool);
}

static void
test_ace_limit(void **state)
{
	static const char ace[] = "(A;;CR;;;AU)";
	char *text = malloc(2 + 2001 * (sizeof(ace) - 1) + 1), *p = text;
	struct pool *pool = pool_new(1 << 22);
	struct err e = { 0 };
	struct sd sd;

	(void)state;
	assert_non_null(text);
	p = stpcpy(p, "D:");
	for (int i = 0; i < 2000; i++)
		p = stpcpy(p, ace);
	assert_int_equal(sd_from_sddl(&sd, pool, text, NULL, &e), 0);
	assert_int_equal(sd.dacl->n, 2000);
	stpcpy(p, ace);
	assert_int_equal(sd_from_sddl(&sd, pool, text, NULL, &e), -1);
	assert_non_null(strstr(e.msg, "more than 2000 ACEs"));
	free(text);
	pool_free(pool);
}

static void
test_pool_too_small(void **state)
{
	struct err e = { 0 };
	struct sd sd;

	(void)state;
	for (size_t max = 0; max < 512; max += 16) {
		struct pool *pool = pool_new(max);

		assert_int_equal(sd_from_sddl(&sd, pool, "D:(XA;;CR;;;AU;#010203)", NULL, &e), -1);
		assert_int_equal(e.hr, E_OUTOFMEMORY);
		pool_free(pool);
	}
}

/* Samba's octets, read and written by us, against our own from the same text; Samba always writes ACL revision 4. */
static void
samba_case(char **field)
{
	struct pool *pool = pool_new(1 << 20);
	struct sd ours = sd_of(pool, field[0]), theirs;
	struct err e = { 0 };
	struct buf in, a, b;

	hex_of(&in, field[1]);
	if (sd_from_wire(&theirs, pool, buf_bytes(&in), &e) != 0)
		fail_msg("%s: %s", field[0], e.msg);
	if (ours.dacl != NULL)
		ours.dacl->revision = 4;
	if (ours.sacl != NULL)
		ours.sacl->revision = 4;
	buf_init(&a, SD_WIRE_MAX);
	buf_init(&b, SD_WIRE_MAX);
	assert_int_equal(sd_to_wire(&ours, &a, &e), 0);
	assert_int_equal(sd_to_wire(&theirs, &b, &e), 0);
	if (!bytes_equal(buf_bytes(&a), buf_bytes(&b)))
		fail_msg("Samba reads otherwise: %s", field[0]);
	assert_int_equal(a.len, in.len); /* Samba packs as tightly, in another order */
	buf_fini(&in);
	buf_fini(&a);
	buf_fini(&b);
	pool_free(pool);
}

static void
test_samba(void **state)
{
	(void)state;
	assert_int_equal(each_line("fixtures/access/samba_sddl.txt", 2, samba_case), 600);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unchanged),
		cmocka_unit_test(test_normalised),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_without_domain),
		cmocka_unit_test(test_one_ace),
		cmocka_unit_test(test_ace_limit),
		cmocka_unit_test(test_pool_too_small),
		cmocka_unit_test(test_samba),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
