/* Tokens, access-control section 3.1. */
#include "sd_support.h"

static void
test_texts(void **state)
{
	struct token *t = token_new("CORP\\janedoe", "CN=Jane Doe,CN=Users,DC=corp", "janedoe@contoso.com", false);
	struct token *c = token_new("CORP\\WS01$", "CN=WS01", NULL, true);

	(void)state;
	assert_non_null(t);
	assert_string_equal(t->account, "CORP\\janedoe");
	assert_string_equal(t->dn, "CN=Jane Doe,CN=Users,DC=corp");
	assert_string_equal(t->upn, "janedoe@contoso.com");
	assert_false(t->is_computer);
	assert_int_equal(t->n_sids, 0);
	assert_non_null(c);
	assert_null(c->upn);
	assert_true(c->is_computer);
	token_unref(t);
	token_unref(c);
	token_unref(NULL);
}

static void
test_add_once(void **state)
{
	struct token *t = token_new("a", "b", NULL, false);
	struct sid user = sid_of(DOM "-1103"), group = sid_of(DOM "-513"), other = sid_of(DOM "-514");
	struct err e = { 0 };

	(void)state;
	assert_int_equal(token_add(t, &user, TOKEN_VIA_USER, NULL, &e), 0);
	assert_int_equal(token_add(t, &group, TOKEN_VIA_PRIMARY, "CORP\\Domain Users", &e), 0);
	assert_int_equal(token_add(t, &group, TOKEN_VIA_GROUP, "again", &e), 0);
	assert_int_equal(t->n_sids, 2);
	assert_true(sid_equal(&t->sids[0].sid, &user));
	assert_true(token_has(t, &group));
	assert_false(token_has(t, &other));
	assert_null(token_find(t, &other));
	assert_int_equal(token_find(t, &group)->via, TOKEN_VIA_PRIMARY);
	assert_string_equal(token_find(t, &group)->name, "CORP\\Domain Users");
	assert_null(token_find(t, &user)->name);
	token_unref(t);
}

static void
test_references(void **state)
{
	struct token *t = token_of("DU");

	(void)state;
	assert_ptr_equal(token_ref(t), t);
	token_unref(t);
	assert_int_equal(t->refs, 1);
	assert_int_equal(t->n_sids, 1);
	token_unref(t);
}

static void
test_limit(void **state)
{
	struct token *t = token_new("CORP\\many", "b", NULL, false);
	struct sid domain = sid_of(DOM), s;
	struct err e = { 0 };

	(void)state;
	for (uint32_t i = 0; i < TOKEN_MAX_SIDS; i++) {
		assert_int_equal(sid_with_rid(&s, &domain, 2000 + i, &e), 0);
		assert_int_equal(token_add(t, &s, TOKEN_VIA_GROUP, NULL, &e), 0);
	}
	assert_int_equal(token_add(t, &s, TOKEN_VIA_GROUP, NULL, &e), 0); /* known already */
	assert_int_equal(token_add(t, &SID_EVERYONE, TOKEN_VIA_WELL_KNOWN, NULL, &e), -1);
	assert_int_equal(t->n_sids, TOKEN_MAX_SIDS);
	token_unref(t);
}

static void
test_well_known(void **state)
{
	static const struct {
		const char *name;
		uint32_t primary_rid;
		const char *sids;
	} cases[] = {
		{ "a user", 513, "S-1-1-0 S-1-5-2 S-1-5-11 S-1-5-15" },
		{ "a member computer", 515, "S-1-1-0 S-1-5-2 S-1-5-11 S-1-5-15" },
		{ "a domain controller", 516, "S-1-1-0 S-1-5-2 S-1-5-11 S-1-5-15 S-1-5-9" },
		{ "a read-only domain controller", 521, "S-1-1-0 S-1-5-2 S-1-5-11 S-1-5-15" },
		{ "no primary group", 0, "S-1-1-0 S-1-5-2 S-1-5-11 S-1-5-15" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct token *t = token_new("a", "b", NULL, false);
		char got[256] = "", text[SID_TEXT_MAX];
		struct err e = { 0 };

		assert_int_equal(token_add_well_known(t, cases[i].primary_rid, &e), 0);
		assert_int_equal(token_add_well_known(t, cases[i].primary_rid, &e), 0); /* changes nothing */
		for (size_t k = 0; k < t->n_sids; k++) {
			if (k > 0)
				strcat(got, " ");
			strcat(got, sid_to_text(&t->sids[k].sid, text));
			assert_int_equal(t->sids[k].via, TOKEN_VIA_WELL_KNOWN);
			assert_non_null(t->sids[k].name);
		}
		assert_string_equal(got, cases[i].sids);
		token_unref(t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_add_once),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_well_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
