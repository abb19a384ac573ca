/* Logon information that impacket's NDR encoded (tests/e2e/krb.py): identity and SIDs; what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "logon/pac.h"

#define DOMAIN "S-1-5-21-1111111111-2222222222-3333333333"

static struct buf
seed(const char *name)
{
	char path[128];
	struct buf b;
	FILE *f;
	int c;

	snprintf(path, sizeof(path), "fixtures/fuzz/logon_pac/%s", name);
	f = fopen(path, "rb");
	assert_non_null(f);
	buf_init(&b, 1 << 16);
	while ((c = fgetc(f)) != EOF)
		buf_put_u8(&b, (uint8_t)c);
	fclose(f);
	return b;
}

static void
test_sids(void **state)
{
	static const struct {
		const char *name, *account, *sids[8];
	} cases[] = {
		{ "plain", "janedoe", { DOMAIN "-1103", DOMAIN "-513" } },
		/* S-1-5-32-544 is left out */
		{ "extra", "janedoe", { DOMAIN "-1103", DOMAIN "-513", DOMAIN "-1120", DOMAIN "-7001", "S-1-18-1",
			"S-1-5-21-11-22-33-7002" } },
		{ "resource", "PFXCONN01$", { DOMAIN "-1108", DOMAIN "-515", "S-1-5-21-11-22-33-7003",
			"S-1-5-21-11-22-33-7004" } },
		{ "user_in_extra", "guest", { "S-1-5-21-11-22-33-7002", DOMAIN "-513" } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 16);
		struct buf info = seed(cases[i].name);
		struct pac_identity id;
		struct err e = { 0 };
		char text[SID_TEXT_MAX];
		struct token *t;
		size_t n = 0;

		print_message("%s\n", cases[i].name);
		assert_int_equal(pac_identity_read(buf_bytes(&info), pool, &id, &e), 0);
		assert_string_equal(id.account, cases[i].account);
		assert_string_equal(id.domain, "CORP");
		t = token_new("x", "", NULL, false);
		assert_int_equal(pac_add_sids(t, &id, &e), 0);
		while (n < ARRAY_LEN(cases[i].sids) && cases[i].sids[n] != NULL)
			n++;
		assert_int_equal(t->n_sids, n);
		for (size_t k = 0; k < n; k++)
			assert_string_equal(sid_to_text(&t->sids[k].sid, text), cases[i].sids[k]);
		assert_string_equal(t->sids[0].name + strlen("CORP\\"), cases[i].account);
		assert_int_equal(t->sids[1].via, TOKEN_VIA_PRIMARY);
		token_unref(t);
		buf_fini(&info);
		pool_free(pool);
	}
}

/* Every way to be cut, and groups that are not enabled. */
static void
test_cut_anywhere(void **state)
{
	struct buf info = seed("resource");

	(void)state;
	for (size_t n = 0; n < info.len; n++) {
		struct pool *pool = pool_new(1 << 16);
		struct pac_identity id;
		struct err e = { 0 };

		assert_int_equal(pac_identity_read((struct bytes){ info.p, n }, pool, &id, &e), -1);
		assert_int_equal(e.hr, E_INVALID_DATA);
		if (n > 16) { /* also when the headers agree with the cut */
			struct buf cut;

			buf_init(&cut, info.len);
			buf_put(&cut, info.p, n);
			set_u32le(cut.p + 8, (uint32_t)(n - 16));
			assert_int_equal(pac_identity_read(buf_bytes(&cut), pool, &id, &e), -1);
			assert_int_equal(e.hr, E_INVALID_DATA);
			buf_fini(&cut);
		}
		pool_free(pool);
	}
	buf_fini(&info);
}

static void
test_groups_not_enabled(void **state)
{
	struct buf info = seed("extra");
	struct pool *pool = pool_new(1 << 16);
	struct token *t = token_new("x", "", NULL, false);
	struct pac_identity id;
	struct err e = { 0 };
	char text[SID_TEXT_MAX];

	(void)state;
	assert_int_equal(get_u32le(info.p + 0x154), 7); /* of the domain's group 1120 */
	assert_int_equal(get_u32le(info.p + 0x1ac), 7); /* of S-1-18-1 */
	set_u32le(info.p + 0x154, 0x10);                /* SE_GROUP_USE_FOR_DENY_ONLY */
	set_u32le(info.p + 0x1ac, 0);
	assert_int_equal(pac_identity_read(buf_bytes(&info), pool, &id, &e), 0);
	assert_int_equal(pac_add_sids(t, &id, &e), 0);
	assert_int_equal(t->n_sids, 4);
	assert_string_equal(sid_to_text(&t->sids[2].sid, text), DOMAIN "-7001");
	assert_string_equal(sid_to_text(&t->sids[3].sid, text), "S-1-5-21-11-22-33-7002");
	token_unref(t);
	pool_free(pool);
	buf_fini(&info);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sids),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_groups_not_enabled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
