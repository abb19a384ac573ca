/* Editing the CA's access list, and tokens as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "ca/ca_priv.h"

static struct sddl_domain
domain(void)
{
	struct sddl_domain d;
	struct err e;

	assert_int_equal(sid_from_text(&d.domain, "S-1-5-21-1111111111-2222222222-3333333333", &e), 0);
	d.root = d.domain;
	return d;
}

#define DEFAULT "O:BAG:BAD:(A;;0x3;;;BA)(A;;0x3;;;DA)(A;;0x3;;;EA)(A;;0x200;;;AU)"

static void
test_edit(void **state)
{
	static const struct {
		const char *name, *before, *principal;
		enum ca_acl_change what;
		uint32_t rights;
		const char *after;
		uint32_t hr;
	} cases[] = {
		{ "a new permission goes last", DEFAULT, "DU", CA_ACL_GRANT, 0x100,
		    "O:BAG:BAD:(A;;0x3;;;BA)(A;;0x3;;;DA)(A;;0x3;;;EA)(A;;0x200;;;AU)(A;;0x100;;;DU)", 0 },
		{ "a permission grows", DEFAULT, "AU", CA_ACL_GRANT, 0x100,
		    "O:BAG:BAD:(A;;0x3;;;BA)(A;;0x3;;;DA)(A;;0x3;;;EA)(A;;0x300;;;AU)", 0 },
		{ "a denial goes first", DEFAULT, "DU", CA_ACL_DENY, 0x200,
		    "O:BAG:BAD:(D;;0x200;;;DU)(A;;0x3;;;BA)(A;;0x3;;;DA)(A;;0x3;;;EA)(A;;0x200;;;AU)", 0 },
		{ "a denial takes the permission's place", DEFAULT, "AU", CA_ACL_DENY, 0x200,
		    "O:BAG:BAD:(D;;0x200;;;AU)(A;;0x3;;;BA)(A;;0x3;;;DA)(A;;0x3;;;EA)", 0 },
		{ "a denial takes part of it", DEFAULT, "DA", CA_ACL_DENY, 0x2,
		    "O:BAG:BAD:(D;;0x2;;;DA)(A;;0x3;;;BA)(A;;0x1;;;DA)(A;;0x3;;;EA)(A;;0x200;;;AU)", 0 },
		{ "a permission lifts a denial", "O:BAG:BAD:(D;;0x200;;;DU)(A;;0x3;;;BA)", "DU", CA_ACL_GRANT,
		    0x200, "O:BAG:BAD:(A;;0x3;;;BA)(A;;0x200;;;DU)", 0 },
		{ "remove one right", DEFAULT, "DA", CA_ACL_REMOVE, 0x2,
		    "O:BAG:BAD:(A;;0x3;;;BA)(A;;0x1;;;DA)(A;;0x3;;;EA)(A;;0x200;;;AU)", 0 },
		{ "remove a principal", DEFAULT, "AU", CA_ACL_REMOVE, UINT32_MAX,
		    "O:BAG:BAD:(A;;0x3;;;BA)(A;;0x3;;;DA)(A;;0x3;;;EA)", 0 },
		{ "remove permissions and denials", "O:BAG:BAD:(D;;0x200;;;DU)(A;;0x3;;;BA)(A;;0x100;;;DU)",
		    "DU", CA_ACL_REMOVE, UINT32_MAX, "O:BAG:BAD:(A;;0x3;;;BA)", 0 },
		{ "remove who is not there", DEFAULT, "DU", CA_ACL_REMOVE, UINT32_MAX, DEFAULT, 0 },
		{ "a list out of order is put in order",
		    "O:BAG:BAD:(A;;0x3;;;BA)(D;;0x200;;;DU)(A;;0x200;;;AU)", "DG", CA_ACL_GRANT, 0x100,
		    "O:BAG:BAD:(D;;0x200;;;DU)(A;;0x3;;;BA)(A;;0x200;;;AU)(A;;0x100;;;DG)", 0 },
		{ "the last administrator stays", "O:BAG:BAD:(A;;0x3;;;BA)(A;;0x200;;;AU)", "BA",
		    CA_ACL_REMOVE, UINT32_MAX, NULL, CERTSRV_E_NO_CAADMIN_DEFINED },
		{ "nor can it be denied away", "O:BAG:BAD:(A;;0x3;;;BA)", "BA", CA_ACL_DENY, 0x1, NULL,
		    CERTSRV_E_NO_CAADMIN_DEFINED },
	};
	struct sddl_domain dom = domain();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1u << 20);
		struct sd sd, expect;
		struct sid who;
		struct err e = { 0 };
		struct buf got, wanted;
		int rc;

		print_message("  %s\n", cases[i].name);
		assert_int_equal(sd_from_sddl(&sd, pool, cases[i].before, &dom, &e), 0);
		assert_int_equal(sddl_sid_from_text(&who, cases[i].principal, &dom, &e), 0);
		rc = ca_acl_edit(&sd, pool, &who, cases[i].what, cases[i].rights, &e);
		assert_int_equal(rc, cases[i].hr != 0 ? -1 : 0);
		assert_int_equal(e.hr, cases[i].hr);
		if (cases[i].after != NULL) {
			buf_init(&got, 65536);
			buf_init(&wanted, 65536);
			assert_int_equal(sd_from_sddl(&expect, pool, cases[i].after, &dom, &e), 0);
			assert_int_equal(sd_to_sddl(&sd, &got, &dom, &e), 0);
			assert_int_equal(sd_to_sddl(&expect, &wanted, &dom, &e), 0);
			assert_string_equal(buf_cstr(&got), buf_cstr(&wanted));
			buf_fini(&got);
			buf_fini(&wanted);
		}
		pool_free(pool);
	}
}

static void
test_right_names(void **state)
{
	static const struct {
		const char *name;
		uint32_t mask;
	} cases[] = {
		{ "Read", 0x100 },
		{ "read", 0x100 },
		{ "RequestCertificates", 0x200 },
		{ "Enroll", 0x200 },
		{ "IssueAndManageCertificates", 0x2 },
		{ "ManageCertificates", 0x2 },
		{ "Officer", 0x2 },
		{ "ManageCA", 0x1 },
		{ "Administrator", 0x1 },
		{ "Write", 0 },
		{ "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		uint32_t mask = 0;

		assert_int_equal(ca_right_from_name(cases[i].name, &mask, &e), cases[i].mask != 0 ? 0 : -1);
		assert_int_equal(mask, cases[i].mask);
	}
}

static void
test_token(void **state)
{
	struct token *t = token_new("CORP\\j\"d", "CN=Jane,DC=x", NULL, false), *back;
	struct sid sid;
	struct err e = { 0 };
	struct buf b;

	(void)state;
	assert_int_equal(sid_from_text(&sid, "S-1-5-21-1-2-3-1104", &e), 0);
	assert_int_equal(token_add(t, &sid, TOKEN_VIA_USER, NULL, &e), 0);
	assert_int_equal(token_add_well_known(t, 513, &e), 0);
	buf_init(&b, 65536);
	assert_int_equal(ca_token_to_json(t, &b, &e), 0);
	back = ca_token_from_json(buf_cstr(&b), &e);
	assert_non_null(back);
	assert_string_equal(back->account, t->account);
	assert_string_equal(back->dn, t->dn);
	assert_null(back->upn);
	assert_int_equal(back->n_sids, t->n_sids);
	for (size_t i = 0; i < t->n_sids; i++) {
		assert_true(sid_equal(&back->sids[i].sid, &t->sids[i].sid));
		assert_int_equal(back->sids[i].via, t->sids[i].via);
	}
	token_unref(back);
	token_unref(t);
	buf_fini(&b);
}

static void
test_bad_tokens(void **state)
{
	static const char *const cases[] = {
		"",
		"{}",
		"[]",
		"{\"account\":7}",
		"{\"account\":\"x\",\"sids\":[[\"S-1\",0,null]]}",
		"{\"account\":\"x\",\"sids\":[[\"nonsense\",0,null]]}",
		"{\"account\":\"x\",\"sids\":[[\"S-1-5-11\",99,null]]}",
		"{\"account\":\"x\",\"sids\":[7]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };

		print_message("  %s\n", cases[i]);
		assert_null(ca_token_from_json(cases[i], &e));
		assert_true(e.hr != 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edit),
		cmocka_unit_test(test_right_names),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_bad_tokens),
	};

	return cmocka_run_group_tests_name("ca security", tests, NULL, NULL);
}
