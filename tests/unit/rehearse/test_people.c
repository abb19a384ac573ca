/* Tokens from users and groups in memory: membership direct, nested, in circles, through the primary group.
 */
#include "../policy/policy_support.h"
#include "rehearse/people.h"

#define BASE ",DC=corp,DC=contoso,DC=com"
#define SECURITY "-2147483646"
#define DISTRIBUTION "2"

/* objectSid as text; the others as they are. Ends with a NULL name. */
struct pair {
	const char *name, *value;
};
struct entry {
	const char *dn;
	struct pair pairs[12];
};

static const struct entry forest[] = {
	{ "CN=Bob,CN=Users" BASE,
	    { { "objectClass", "top" }, { "objectClass", "user" }, { "sAMAccountName", "bob" },
		{ "objectSid", "1104" }, { "primaryGroupID", "513" }, { "userPrincipalName", "bob@x" },
		{ "cn", "Bob" } } },
	{ "CN=WS01,CN=Computers" BASE,
	    { { "objectClass", "user" }, { "objectClass", "computer" }, { "sAMAccountName", "WS01$" },
		{ "objectSid", "1110" }, { "primaryGroupID", "515" }, { "dNSHostName", "ws01.x" } } },
	{ "CN=DC01" BASE,
	    { { "objectClass", "user" }, { "objectClass", "computer" }, { "sAMAccountName", "DC01$" },
		{ "objectSid", "1000" }, { "primaryGroupID", "516" } } },
	{ "CN=Gone" BASE,
	    { { "objectClass", "user" }, { "sAMAccountName", "gone" }, { "objectSid", "1120" },
		{ "userAccountControl", "514" }, { "memberOf", "cn=inner" BASE } } },
	{ "CN=Contact" BASE, { { "objectClass", "contact" } } },
	{ "CN=Inner" BASE,
	    { { "objectClass", "group" }, { "groupType", SECURITY }, { "objectSid", "1201" },
		{ "sAMAccountName", "Inner" }, { "member", "cn=bob,cn=users" BASE },
		{ "member", "CN=Outer" BASE } } },
	{ "CN=Outer" BASE,
	    { { "objectClass", "group" }, { "groupType", SECURITY }, { "objectSid", "1202" },
		{ "sAMAccountName", "Outer" }, { "member", "CN=Inner" BASE } } },
	{ "CN=Users" BASE,
	    { { "objectClass", "group" }, { "groupType", SECURITY }, { "objectSid", "513" },
		{ "sAMAccountName", "Domain Users" } } },
	{ "CN=All" BASE,
	    { { "objectClass", "group" }, { "groupType", SECURITY }, { "objectSid", "1204" },
		{ "sAMAccountName", "All" }, { "member", "CN=Users" BASE } } },
	{ "CN=Mail" BASE,
	    { { "objectClass", "group" }, { "groupType", DISTRIBUTION }, { "objectSid", "1205" },
		{ "sAMAccountName", "Mail" }, { "member", "CN=Bob,CN=Users" BASE } } },
	{ "CN=Behind" BASE,
	    { { "objectClass", "group" }, { "groupType", SECURITY }, { "objectSid", "1206" },
		{ "sAMAccountName", "Behind" }, { "member", "CN=Mail" BASE } } },
};

struct source {
	const struct entry *en;
	struct pool *pool;
};

static bool
value(const void *ctx, const char *attr, size_t i, struct bytes *out)
{
	const struct source *s = ctx;
	const struct pair *p = s->en->pairs;
	struct sid sid;
	struct err e;
	struct buf b;

	for (; p->name != NULL; p++)
		if (strcmp(p->name, attr) == 0 && i-- == 0)
			break;
	if (p->name == NULL)
		return false;
	buf_init(&b, 4096);
	if (strcmp(attr, "objectSid") != 0)
		buf_put_str(&b, p->value);
	else if (sid_from_text(&sid, pool_printf(s->pool, DOMAIN_SID "-%s", p->value), &e) == 0)
		sid_put(&b, &sid);
	else
		buf_put_str(&b, "no SID");
	assert_int_equal(pool_dup_bytes(s->pool, buf_bytes(&b), out), 0);
	buf_fini(&b);
	return true;
}

static int
local(void *arg, struct token *t, struct err *e)
{
	struct sid users;

	++*(int *)arg;
	assert_int_equal(sid_from_text(&users, "S-1-5-32-545", e), 0);
	return token_add(t, &users, TOKEN_VIA_LOCAL, "BUILTIN\\Users", e);
}

static struct people *
make(struct pool *pool, int *asked)
{
	struct people *p = people_new("CORP");
	struct err e = { 0 };

	assert_non_null(p);
	for (size_t i = 0; i < ARRAY_LEN(forest); i++) {
		struct source s = { &forest[i], pool };
		struct policy_attrs attrs = { &s, value, forest[i].dn };

		if (people_add(p, &attrs, &e) != 0)
			fail_msg("%s: %s", forest[i].dn, e.msg);
	}
	if (people_finish(p, local, asked, &e) != 0)
		fail_msg("%s", e.msg);
	return p;
}

static int
via(const struct person *p, const char *name)
{
	for (size_t i = 0; i < p->token->n_sids; i++)
		if (p->token->sids[i].name != NULL && strcmp(p->token->sids[i].name, name) == 0)
			return (int)p->token->sids[i].via;
	return -1;
}

static void
test_tokens(void **state)
{
	static const struct {
		const char *account, *sid;
		int via;
	} rows[] = {
		{ "bob", "CORP\\bob", TOKEN_VIA_USER },
		{ "bob", "CORP\\Inner", TOKEN_VIA_GROUP }, /* a DN in another case */
		{ "bob", "CORP\\Outer", TOKEN_VIA_GROUP }, /* which holds Inner, which holds it */
		{ "bob", "CORP\\Domain Users", TOKEN_VIA_PRIMARY },
		{ "bob", "CORP\\All", TOKEN_VIA_PRIMARY }, /* around the primary group */
		{ "bob", "CORP\\Mail", -1 },               /* a distribution group */
		{ "bob", "CORP\\Behind", -1 },             /* reached only through one */
		{ "bob", "Everyone", TOKEN_VIA_WELL_KNOWN },
		{ "bob", "NT AUTHORITY\\ENTERPRISE DOMAIN CONTROLLERS", -1 },
		{ "bob", "BUILTIN\\Users", TOKEN_VIA_LOCAL },
		{ "DC01$", "NT AUTHORITY\\ENTERPRISE DOMAIN CONTROLLERS", TOKEN_VIA_WELL_KNOWN },
		{ "WS01$", "CORP\\Domain Users", -1 },
		{ "WS01$", "CORP\\Inner", -1 },
		{ "gone", "CORP\\Inner", TOKEN_VIA_GROUP }, /* by memberOf alone */
		{ "gone", "CORP\\Outer", TOKEN_VIA_GROUP },
		{ "gone", "CORP\\Domain Users", -1 },
	};
	struct pool *pool = pool_new(1 << 20);
	int asked = 0;
	struct people *p = make(pool, &asked);

	(void)state;
	assert_int_equal(people_count(p), 4);
	assert_int_equal(asked, 4);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct person *who = people_find(p, rows[i].account);

		assert_non_null(who);
		if (via(who, rows[i].sid) != rows[i].via)
			fail_msg("%s, %s: %d", rows[i].account, rows[i].sid, via(who, rows[i].sid));
	}
	people_free(p);
	pool_free(pool);
}

static void
test_subjects(void **state)
{
	struct pool *pool = pool_new(1 << 20);
	int asked = 0;
	struct people *p = make(pool, &asked);
	const struct person *bob = people_find(p, "corp\\BOB"), *ws = people_find(p, "ws01$");

	(void)state;
	assert_non_null(bob);
	assert_string_equal(bob->subject.upn, "bob@x");
	assert_string_equal(bob->subject.sid_text, DOMAIN_SID "-1104");
	assert_null(bob->subject.mail);
	assert_false(bob->subject.is_computer);
	assert_true(ws->subject.is_computer);
	assert_string_equal(ws->subject.dns_host_name, "ws01.x");
	assert_true(people_find(p, "gone")->disabled);
	assert_false(bob->disabled);
	assert_null(people_find(p, "OTHER\\bob"));
	assert_null(people_find(p, "nobody"));
	assert_ptr_equal(people_at(p, 0), bob); /* sorted */
	people_free(p);
	pool_free(pool);
}

static void
test_bad_sid(void **state)
{
	static const struct entry bad = { "CN=Bad" BASE,
		{ { "objectClass", "user" }, { "sAMAccountName", "bad" }, { "objectSid", "x" } } };
	struct pool *pool = pool_new(1 << 20);
	struct source s = { &bad, pool };
	struct policy_attrs attrs = { &s, value, bad.dn };
	struct people *p = people_new("CORP");
	struct err e = { 0 };

	(void)state;
	assert_int_equal(people_add(p, &attrs, &e), -1);
	assert_non_null(strstr(e.msg, "CN=Bad"));
	people_free(p);
	p = people_new("CORP");
	assert_int_equal(people_finish(p, NULL, NULL, &e), 0); /* nobody at all */
	assert_null(people_find(p, "bob"));
	people_free(p);
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_tokens), cmocka_unit_test(test_subjects),
		cmocka_unit_test(test_bad_sid) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
