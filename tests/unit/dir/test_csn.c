/* Change sequence numbers, and LDAP results as HRESULTs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ldap.h>
#include <string.h>

#include "dir/conn.h"
#include "dir/csn.h"

#define OLD "20261123212118.628413Z#000000#000#000000"
#define NEW "20261123212118.628414Z#000000#000#000000"
#define SAME_TIME "20261123212118.628413Z#000001#000#000000"
#define OTHER_SERVER "20261123212119.000000Z#000000#001#000000"

static void
test_covers(void **state)
{
	static const struct {
		const char *name, *seen, *wanted;
		bool covers;
	} cases[] = {
		{ "the same", "csn=" OLD, "csn=" OLD, true },
		{ "newer", "csn=" NEW, "csn=" OLD, true },
		{ "older", "csn=" OLD, "csn=" NEW, false },
		{ "the same time, a later change wanted", "csn=" OLD, "csn=" SAME_TIME, false },
		{ "the same time, a later change seen", "csn=" SAME_TIME, "csn=" OLD, true },
		{ "nothing wanted", "", "", true },
		{ "nothing seen", "", "csn=" OLD, false },
		{ "another server's is no help", "csn=" OTHER_SERVER, "csn=" OLD, false },
		{ "both servers", "csn=" NEW ";" OTHER_SERVER, "csn=" OLD ";" OTHER_SERVER, true },
		{ "one of two servers", "csn=" NEW, "csn=" OLD ";" OTHER_SERVER, false },
		{ "after the replica's number", "rid=000,csn=" NEW, "rid=001,sid=002,csn=" OLD, true },
		{ "followed by more", "csn=" NEW ",delcsn=" OLD, "csn=" NEW, true },
		{ "the newest of several counts", "csn=" NEW ";" OLD, "csn=" NEW, true },
		{ "cut short: not a number", "csn=2026112321", "csn=" OLD, false },
		{ "xcsn is not csn", "rid=0,xcsn=" NEW, "csn=" OLD, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct csn_set seen = { .n = 0 }, wanted = { .n = 0 };

		csn_set_add_cookie(&seen, cases[i].seen);
		csn_set_add_cookie(&wanted, cases[i].wanted);
		if (csn_set_covers(&seen, &wanted) != cases[i].covers)
			fail_msg("%s", cases[i].name);
	}
}

static void
test_many_servers(void **state)
{
	struct csn_set s = { .n = 0 };
	char csn[] = "20261123212118.628413Z#000000#000#000000";
	int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		csn[31] = (char)('0' + i / 10);
		csn[32] = (char)('0' + i % 10);
		csn_set_add(&s, csn, strlen(csn));
	}
	assert_int_equal(s.n, CSN_SERVERS);
}

/* MS-WCCE 3.2.2.1.7 */
static void
test_hresults(void **state)
{
	static const struct {
		int code;
		const char *message;
		uint32_t hr;
	} cases[] = {
		{ LDAP_NO_SUCH_OBJECT, NULL, E_DS_NO_SUCH_OBJECT },
		{ LDAP_NO_SUCH_OBJECT, "", E_DS_NO_SUCH_OBJECT },
		{ LDAP_INSUFFICIENT_ACCESS, "no write access to parent", E_DS_INSUFF_ACCESS_RIGHTS },
		{ LDAP_SERVER_DOWN, NULL, E_DS_SERVER_DOWN },
		{ LDAP_TIMEOUT, NULL, E_TIMEOUT },
		{ LDAP_OTHER, NULL, E_DS_GENERIC_ERROR },
		{ 4711, NULL, E_DS_GENERIC_ERROR },
		/* AD's messages begin with a Win32 error */
		{ LDAP_OPERATIONS_ERROR, "00002020: Operation unavailable without authentication",
		    0x80072020 },
		{ LDAP_UNWILLING_TO_PERFORM, "0000052D: SvcErr: DSID-031A120C, problem 5003", 0x8007052d },
		{ LDAP_OTHER, "00000000: something", E_DS_GENERIC_ERROR },
		{ LDAP_BUSY, "0000052", E_DS_BUSY }, /* seven digits are none */
		{ LDAP_BUSY, "0000052G", E_DS_BUSY },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		if (ldap_code_to_hresult(cases[i].code, cases[i].message) != cases[i].hr)
			fail_msg("%d %s: 0x%08x", cases[i].code, cases[i].message,
			    ldap_code_to_hresult(cases[i].code, cases[i].message));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_covers),
		cmocka_unit_test(test_many_servers),
		cmocka_unit_test(test_hresults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
