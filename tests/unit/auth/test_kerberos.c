/* Kerberos without a KDC: framing per transport, names, what is served when there is no keytab. tests/e2e/test_kerberos.py
 * has the rest, with real tickets. */
#include "auth_support.h"

#include "auth/kerberos_priv.h"

#define KRB5 "06092a864886f712010202"
#define MSKRB5 "06092a864882f712010202"
#define FRAMED "600f" KRB5 "01006e00"

static void
test_reframe(void **state)
{
	static const struct {
		const char *name, *in;
		bool dce_style;
		const char *out;
	} cases[] = {
		{ "RPC, framed as impacket does", FRAMED, true, "6e00" },
		{ "RPC, framed with the Windows OID", "600f" MSKRB5 "01006e00", true, "6e00" },
		{ "RPC, bare as Samba does", "6e00", true, "6e00" },
		{ "HTTP, bare as Certipy does", "6e00", false, FRAMED },
		{ "HTTP, framed", FRAMED, false, FRAMED },
		{ "RPC, another token id", "600f" KRB5 "02006f00", true, "600f" KRB5 "02006f00" },
		{ "RPC, a frame without a token id", "600c" KRB5 "01", true, "600c" KRB5 "01" },
		{ "RPC, a frame that ends early", "6010" KRB5 "01006e00", true, "6010" KRB5 "01006e00" },
		{ "RPC, an empty AP-REQ", "600d" KRB5 "0100", true, "" },
		{ "RPC, nothing", "", true, "" },
		{ "HTTP, nothing", "", false, "" },
		{ "HTTP, something else", "4e544c4d", false, "4e544c4d" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf in = octets(cases[i].in), room;
		struct bytes token = buf_bytes(&in);
		struct err e = { 0 };

		print_message("%s\n", cases[i].name);
		buf_init(&room, 64);
		assert_int_equal(kerberos_reframe(cases[i].dce_style, &token, &room, &e), 0);
		assert_octets(token, cases[i].out);
		buf_fini(&room);
		buf_fini(&in);
	}
}

static void
test_split_names(void **state)
{
	static const struct {
		const char *in, *name, *realm; /* name NULL: refused */
	} cases[] = {
		{ "janedoe@CORP", "janedoe", "CORP" },
		{ "PFXCONN01$@CORP.CONTOSO.COM", "PFXCONN01$", "CORP.CONTOSO.COM" },
		{ "jane\\@contoso.com@CORP", "jane@contoso.com", "CORP" },
		{ "a\\/b\\\\c@CORP", "a/b\\c", "CORP" },
		{ "host/ca01@CORP", "host/ca01", "CORP" },
		{ "@CORP", "", "CORP" },
		{ "jane@", "jane", "" },
		{ "jane", NULL, NULL },
		{ "jane\\@CORP", NULL, NULL },
		{ "", NULL, NULL },
		{ "\\", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[64], *realm = NULL;

		strcpy(text, cases[i].in);
		assert_int_equal(kerberos_split_name(text, &realm), cases[i].name != NULL);
		if (cases[i].name != NULL) {
			assert_string_equal(text, cases[i].name);
			assert_string_equal(realm, cases[i].realm);
		}
	}
}

static void
test_not_served_without_a_keytab(void **state)
{
	struct test_authority t;
	struct step_result r;
	struct auth_ctx *c;
	struct err e = { 0 };
	struct buf init = octets("a0193017a015301306092a864882f71201020206062b0601050502");

	(void)state;
	authority_init(&t);
	assert_null(auth_ctx_new(AUTH_MECH_KERBEROS, &test_names, &t.vtable, &e));
	assert_int_equal(e.hr, SEC_E_UNSUPPORTED_FUNCTION);
	c = auth_ctx_new(AUTH_MECH_SPNEGO, &test_names, &t.vtable, &e);
	result_init(&r);
	auth_ctx_step(c, buf_bytes(&init), on_step, &r);
	assert_int_equal(r.state, AUTH_FAILED);
	assert_non_null(strstr(r.e.msg, "none of the client's mechanisms"));
	auth_ctx_free(c);
	buf_fini(&r.answer);
	buf_fini(&init);
}

static void
test_keytabs_that_are_none(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_null(kerberos_open("/nonexistent/keytab", NULL, &e));
	assert_int_equal(e.hr, E_FILE_NOT_FOUND);
	assert_null(kerberos_open("/dev/null", NULL, &e));
	assert_non_null(strstr(e.msg, "/dev/null"));
	kerberos_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reframe),
		cmocka_unit_test(test_split_names),
		cmocka_unit_test(test_not_served_without_a_keytab),
		cmocka_unit_test(test_keytabs_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
