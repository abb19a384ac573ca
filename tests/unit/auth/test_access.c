/* Access checks: access-control section 7 and the rules around it; Samba's verdicts on generated cases. */
#include "sd_support.h"

#define ENROLL "0e10c968-78fb-11d2-90d4-00c04f79dc55"
#define AUTOENROLL "a05b8cc2-17bc-4802-a710-e7c15ab866a2"
#define OTHER "ea1dddc4-60ff-416e-8cc0-17cee534bce7"
#define X "S-1-5-21-9-9-9-1105"
#define NO_ACE (-1)

/* The index in the DACL of the ACE that decided. */
static int
index_of(const struct sd *sd, const struct ace *ace)
{
	if (ace == NULL)
		return NO_ACE;
	assert_true(ace >= sd->dacl->aces && ace < sd->dacl->aces + sd->dacl->n);
	return (int)(ace - sd->dacl->aces);
}

static void
test_enroll(void **state)
{
	static const struct {
		const char *sddl, *token;
		bool granted;
		int ace;
	} cases[] = {
		/* section 7 */
		{ "O:BA", "DU", true, NO_ACE },
		{ "D:", "DU", false, NO_ACE },
		{ "D:(A;;LCRPLORC;;;AU)", "AU", false, NO_ACE },
		{ "D:(OA;;CR;" ENROLL ";;DU)", "DU", true, 0 },
		{ "D:(OA;;CR;" AUTOENROLL ";;DU)", "DU", false, NO_ACE },
		{ "D:(OA;;CR;;;DU)", "DU", true, 0 },
		{ "D:(A;;0xF01FF;;;DA)", "DA", true, 0 },
		{ "D:(A;;0xF00FF;;;DA)", "DA", false, NO_ACE },
		{ "D:(OD;;CR;" ENROLL ";;" X ")(OA;;CR;" ENROLL ";;DU)", X ",DU", false, 0 },
		{ "D:(OA;;CR;" ENROLL ";;DU)(OD;;CR;" ENROLL ";;" X ")", X ",DU", true, 0 },
		{ "D:(OA;IO;CR;" ENROLL ";;DU)", "DU", false, NO_ACE },
		{ "O:" X "D:(A;;WDWO;;;" X ")", X, false, NO_ACE },
		/* the rest of 3.2 */
		{ "D:NO_ACCESS_CONTROL", "AN", true, NO_ACE },
		{ "D:(OA;;CR;" ENROLL ";;DU)", "DC", false, NO_ACE },
		{ "D:(OA;;CR;" ENROLL ";;DU)", "", false, NO_ACE },
		{ "D:(OA;;RPWPCR;" ENROLL ";;DU)", "AU,DU", true, 0 },
		{ "D:(OA;;RPWP;" ENROLL ";;DU)", "DU", false, NO_ACE },
		{ "D:(A;;LCRPLORC;;;AU)(OA;;CR;" ENROLL ";;DU)", "AU,DU", true, 1 },
		{ "D:(D;;LCRP;;;DU)(OA;;CR;" ENROLL ";;DU)", "DU", true, 1 },
		{ "D:(D;;CR;;;DU)(OA;;CR;" ENROLL ";;DU)", "DU", false, 0 },
		{ "D:(OD;;CR;;;DU)(OA;;CR;" ENROLL ";;DU)", "DU", false, 0 },
		{ "D:(OD;;CR;" AUTOENROLL ";;DU)(OA;;CR;" ENROLL ";;DU)", "DU", true, 1 },
		{ "D:(OD;IO;CR;" ENROLL ";;DU)(OA;;CR;" ENROLL ";;DU)", "DU", true, 1 },
		{ "D:(A;;CR;;;DA)(D;;GA;;;WD)", "DA,WD", true, 0 },
		{ "D:(D;;GA;;;WD)(A;;CR;;;DA)", "DA,WD", false, 0 },
		{ "D:(A;;GA;;;DA)", "DA", true, 0 },
		{ "D:(A;;GRGWGX;;;DA)", "DA", false, NO_ACE },
		{ "D:(OA;;CR;" ENROLL ";" OTHER ";DU)", "DU", true, 0 }, /* InheritedObjectType is for children */
		{ "D:(OA;;CR;;" OTHER ";DU)", "DU", true, 0 },
		{ "D:(OA;ID;CR;" ENROLL ";;DU)", "DU", true, 0 },
		{ "D:(XA;;CR;;;DU)(ZA;;CR;" ENROLL ";;DU)(0x0c;;CR;;;DU)", "DU", false, NO_ACE },
		{ "D:(XD;;CR;;;DU)(A;;CR;;;DU)", "DU", true, 1 },
		{ "D:(0x77;;;;;;#00010000)(A;;CR;;;DU)", "DU", true, 1 },
		{ "D:(A;;CR;;;PS)", "DU", false, NO_ACE },
		/* owner */
		{ "O:DUD:", "DU", false, NO_ACE },
		{ "O:DUD:(OA;;CR;" ENROLL ";;OW)", "DU", true, 0 },
		{ "O:DUD:(OA;;CR;" ENROLL ";;OW)", "DC", false, NO_ACE },
		{ "D:(OA;;CR;" ENROLL ";;OW)", "DU", false, NO_ACE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 16);
		struct sd sd = sd_of(pool, cases[i].sddl);
		struct token *t = token_of(cases[i].token);
		struct access_verdict v = access_check_control(&sd, t, &GUID_ENROLL);

		if (v.granted != cases[i].granted || index_of(&sd, v.ace) != cases[i].ace)
			fail_msg("%s for %s: %d", cases[i].sddl, cases[i].token, v.granted);
		assert_int_equal(v.no_dacl, sd.dacl == NULL);
		token_unref(t);
		pool_free(pool);
	}
}

static void
test_autoenroll(void **state)
{
	struct pool *pool = pool_new(1 << 16);
	struct sd sd = sd_of(pool, "D:(OA;;CR;" AUTOENROLL ";;DC)(OA;;CR;" ENROLL ";;DU)");
	struct token *computer = token_of("DC"), *user = token_of("DU");

	(void)state;
	assert_true(access_check_control(&sd, computer, &GUID_AUTOENROLL).granted);
	assert_false(access_check_control(&sd, computer, &GUID_ENROLL).granted);
	assert_false(access_check_control(&sd, user, &GUID_AUTOENROLL).granted);
	assert_true(access_check_control(&sd, user, &GUID_ENROLL).granted);
	assert_true(access_check_control(NULL, user, &GUID_ENROLL).no_dacl);
	token_unref(computer);
	token_unref(user);
	pool_free(pool);
}

static void
test_plain(void **state)
{
	static const struct {
		const char *sddl, *token;
		uint32_t wanted;
		bool granted;
		int ace;
		uint32_t all;
	} cases[] = {
		{ "O:BA", "DU", 0xf01ff, true, NO_ACE, 0xffffffff },
		{ "D:NO_ACCESS_CONTROL", "DU", 0xf01ff, true, NO_ACE, 0xffffffff },
		{ "D:", "DU", 0x10, false, NO_ACE, 0 },
		{ "D:", "DU", 0, true, NO_ACE, 0 },
		{ "D:(A;;LCRPLORC;;;AU)", "AU", 0x20094, true, 0, 0x20094 },
		{ "D:(A;;LCRPLORC;;;AU)", "AU", 0x200b4, false, NO_ACE, 0x20094 },
		{ "D:(A;;LCRPLORC;;;AU)", "DU", 0x20094, false, NO_ACE, 0 },
		{ "D:(A;;RP;;;AU)(A;;WP;;;DU)(A;;RPWP;;;BA)", "AU,DU,BA", 0x30, true, 1, 0x30 },
		{ "D:(A;;RP;;;AU)(A;;WP;;;DU)(A;;RC;;;BA)", "AU,DU,BA", 0x10, true, 0, 0x20030 },
		{ "D:(D;;WP;;;DU)(A;;RPWP;;;AU)", "AU,DU", 0x30, false, 0, 0x10 },
		{ "D:(D;;WP;;;DU)(A;;RPWP;;;AU)", "AU,DU", 0x10, true, 1, 0x10 },
		{ "D:(A;;RPWP;;;AU)(D;;WP;;;DU)", "AU,DU", 0x30, true, 0, 0x30 },
		{ "D:(D;;WP;;;DU)(D;;RP;;;DU)(A;;RPWP;;;AU)", "AU,DU", 0x30, false, 0, 0 },
		{ "D:(A;IO;RP;;;AU)(D;IO;WP;;;AU)(A;;WP;;;AU)", "AU", 0x30, false, NO_ACE, 0x20 },
		{ "D:(OA;;RP;;;AU)", "AU", 0x10, true, 0, 0x10 },
		{ "D:(OA;;RP;" OTHER ";;AU)", "AU", 0x10, false, NO_ACE, 0 },
		{ "D:(OD;;RP;" OTHER ";;AU)(A;;RP;;;AU)", "AU", 0x10, true, 1, 0x10 },
		{ "D:(OD;;RP;;;AU)(A;;RP;;;AU)", "AU", 0x10, false, 0, 0 },
		{ "D:(XA;;RP;;;AU)(XD;;WP;;;AU)(A;;WP;;;AU)", "AU", 0x30, false, NO_ACE, 0x20 },
		/* the owner's rights, and their loss */
		{ "O:DUD:", "DU", 0x60000, true, NO_ACE, 0x60000 },
		{ "O:DUD:", "DU", 0x80000, false, NO_ACE, 0x60000 },
		{ "O:DUD:", "DC", 0x20000, false, NO_ACE, 0 },
		{ "O:DUD:(D;;RCWD;;;DU)", "DU", 0x60000, true, NO_ACE, 0x60000 },
		{ "O:DUD:(A;;RC;;;OW)", "DU", 0x20000, true, 0, 0x20000 },
		{ "O:DUD:(A;;RC;;;OW)", "DU", 0x40000, false, NO_ACE, 0x20000 },
		{ "O:DUD:(A;;RC;;;OW)", "AU", 0x20000, false, NO_ACE, 0 },
		{ "O:DUD:(A;IO;RC;;;OW)", "DU", 0x60000, true, NO_ACE, 0x60000 },
		{ "D:(A;;RC;;;AU)", "AU", 0x60000, false, NO_ACE, 0x20000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 16);
		struct sd sd = sd_of(pool, cases[i].sddl);
		struct token *t = token_of(cases[i].token);
		uint32_t all;
		struct access_verdict v = access_check(&sd, t, cases[i].wanted, &all);

		if (v.granted != cases[i].granted || all != cases[i].all || index_of(&sd, v.ace) != cases[i].ace)
			fail_msg("%s for %s: %d, 0x%x by ACE %d", cases[i].sddl, cases[i].token, v.granted, all,
			    index_of(&sd, v.ace));
		assert_int_equal(v.no_dacl, sd.dacl == NULL);
		assert_int_equal(access_check(&sd, t, cases[i].wanted, NULL).granted, v.granted);
		token_unref(t);
		pool_free(pool);
	}
}

#define CA_DEFAULT "O:BAG:BAD:(A;;0x3;;;BA)(A;;0x3;;;DA)(A;;0x3;;;EA)(A;;0x200;;;AU)"

static void
test_ca(void **state)
{
	static const struct {
		const char *sddl, *token;
		uint32_t wanted;
		bool granted;
		int ace;
		uint32_t all;
	} cases[] = {
		{ CA_DEFAULT, "AU", CA_ACCESS_ENROLL, true, 3, 0x300 },
		{ CA_DEFAULT, "AU", CA_ACCESS_READ, true, 3, 0x300 },
		{ CA_DEFAULT, "AU", CA_ACCESS_ENROLL | CA_ACCESS_READ, true, 3, 0x300 },
		{ CA_DEFAULT, "AU", CA_ACCESS_OFFICER, false, NO_ACE, 0x300 },
		{ CA_DEFAULT, "AU", CA_ACCESS_OFFICER | CA_ACCESS_READ, false, NO_ACE, 0x300 },
		{ CA_DEFAULT, "DA,AU", CA_ACCESS_ADMIN | CA_ACCESS_OFFICER, true, 1, 0x303 },
		{ CA_DEFAULT, "AN", CA_ACCESS_ENROLL, false, NO_ACE, 0 },
		{ CA_DEFAULT, "AN", CA_ACCESS_READ, false, NO_ACE, 0 },
		{ "D:(A;;0x1;;;DU)", "DU", CA_ACCESS_READ, true, 0, 0x101 },
		{ "D:(A;;0x2;;;DU)", "DU", CA_ACCESS_READ, true, 0, 0x102 },
		{ "D:(A;;0x4;;;DU)", "DU", CA_ACCESS_READ, false, NO_ACE, 0x4 },
		{ "D:(A;;0x8;;;DU)", "DU", CA_ACCESS_READ, false, NO_ACE, 0x8 },
		{ "D:(A;;0x1;;;DU)", "DU", CA_ACCESS_OFFICER, false, NO_ACE, 0x101 }, /* not implied */
		{ "D:(A;;0x2;;;DU)", "DU", CA_ACCESS_ENROLL, false, NO_ACE, 0x102 },
		{ "D:(D;;0x200;;;DU)(A;;0x200;;;AU)", "DU,AU", CA_ACCESS_ENROLL, false, 0, 0 },
		{ "D:(D;;0x200;;;DU)(A;;0x200;;;AU)", "DU,AU", CA_ACCESS_READ, false, NO_ACE, 0 },
		{ "D:(A;;0x100;;;DU)(A;;0x200;;;DU)", "DU", CA_ACCESS_READ, true, 0, 0x300 },
		{ "D:NO_ACCESS_CONTROL", "DU", CA_ACCESS_ADMIN, true, NO_ACE, 0xffffffff },
		{ "D:", "DU", CA_ACCESS_READ, false, NO_ACE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 16);
		struct sd sd = sd_of(pool, cases[i].sddl);
		struct token *t = token_of(cases[i].token);
		uint32_t all;
		struct access_verdict v = access_check_ca(&sd, t, cases[i].wanted, &all);

		if (v.granted != cases[i].granted || all != cases[i].all || index_of(&sd, v.ace) != cases[i].ace)
			fail_msg("%s for %s, 0x%x: %d, 0x%x by ACE %d", cases[i].sddl, cases[i].token, cases[i].wanted,
			    v.granted, all, index_of(&sd, v.ace));
		token_unref(t);
		pool_free(pool);
	}
}

static void
test_generic(void **state)
{
	static const struct {
		uint32_t in, out;
	} cases[] = {
		{ 0, 0 },
		{ 0x80000000, 0x20094 },
		{ 0x40000000, 0x20028 },
		{ 0x20000000, 0x20004 },
		{ 0x10000000, 0xf01ff },
		{ 0xc0000000, 0x200bc },
		{ 0x80010000, 0x30094 },
		{ 0x01000100, 0x01000100 },
		{ 0xf0000000, 0xf01ff },
	};
	struct pool *pool = pool_new(1 << 16);
	struct sd sd = sd_of(pool, "D:(A;;GR;;;AU)(A;;CC;;;AU)S:(AU;SA;GW;;;WD)"), none = sd_of(pool, "O:BA");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(access_map_generic(cases[i].in), cases[i].out);
	access_map_generic_sd(&sd);
	assert_int_equal(sd.dacl->aces[0].mask, 0x20094);
	assert_int_equal(sd.dacl->aces[1].mask, 1);
	assert_int_equal(sd.sacl->aces[0].mask, 0x20028);
	access_map_generic_sd(&none);
	pool_free(pool);
}

static void
samba_case(char **field)
{
	struct pool *pool = pool_new(1 << 20);
	struct sd sd = sd_of(pool, field[0]);
	struct token *t = token_of(field[1]);
	uint32_t wanted = (uint32_t)strtoul(field[2], NULL, 0), most = (uint32_t)strtoul(field[4], NULL, 0), all;
	struct access_verdict v = access_check(&sd, t, wanted, &all);

	if (v.granted != (field[3][0] == '1') || all != most)
		fail_msg("%s for %s, %s: %d 0x%x, Samba says %s %s", field[0], field[1], field[2], v.granted, all,
		    field[3], field[4]);
	token_unref(t);
	pool_free(pool);
}

static void
test_samba(void **state)
{
	(void)state;
	assert_int_equal(each_line("fixtures/access/samba_check.txt", 5, samba_case), 800);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_enroll),
		cmocka_unit_test(test_autoenroll),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_ca),
		cmocka_unit_test(test_generic),
		cmocka_unit_test(test_samba),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
