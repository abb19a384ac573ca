/* The explanation: complete, in order, with citations; request attributes; and what happens when memory is short. */
#include "policy_support.h"

#include "policy/rule_priv.h"

static const struct {
	const char *name, *text;
	const char *want; /* "name=value|name=value" */
} attributes[] = {
	{ "none", NULL, "" },
	{ "empty", "", "" },
	{ "one", "CertificateTemplate:User", "CertificateTemplate=User" },
	{ "two", "CertificateTemplate:User\nrmd:ws01", "CertificateTemplate=User|rmd=ws01" },
	{ "carriage returns", "CertificateTemplate:User\r\nrmd:ws01\r\n",
	    "CertificateTemplate=User|rmd=ws01" },
	{ "blanks and minus signs in the name", " Certificate-Tem plate :User", "CertificateTemplate=User" },
	{ "blanks around the value", "a:  b c \t", "a=b c" },
	{ "minus sign in the value stays", "a:b-c", "a=b-c" },
	{ "colon in the value", "SAN:url=http://x", "SAN=url=http://x" },
	{ "no colon", "CertificateTemplate", "" },
	{ "no name", ":User", "" },
	{ "a name of blanks", " - :User", "" },
	{ "no value", "CertificateTemplate:", "" },
	{ "a value of blanks", "CertificateTemplate:  ", "" },
	{ "bad lines between", "x\na:1\n\n:\nb:2", "a=1|b=2" },
	{ "last line end", "a:1\n", "a=1" },
	{ "twice the same", "a:1\na:2", "a=1|a=2" },
};

static void
test_attributes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		struct pool *pool = pool_new(1 << 16);
		struct policy_attribute *list;
		struct err e;
		struct buf b;
		size_t n;

		buf_init(&b, 1 << 16);
		assert_int_equal(policy_attributes_parse(attributes[i].text, pool, &list, &n, &e), 0);
		for (size_t k = 0; k < n; k++)
			buf_printf(&b, "%s%s=%s", k > 0 ? "|" : "", list[k].name, list[k].value);
		if (strcmp(buf_cstr(&b), attributes[i].want) != 0)
			fail_msg("\"%s\": %s", attributes[i].name, buf_cstr(&b));
		buf_fini(&b);
		pool_free(pool);
	}
}

/* Every row speaks at least once in a request that is issued; each thing said has its citation. */
static void
test_every_rule_speaks(void **state)
{
	static const char *const templates[] = { "User", "WebServer", "IntunePKCS",
		"KerberosAuthentication" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(templates); i++) {
		struct desk *d = desk_open(templates[i]);
		size_t next = 0;

		desk_run(d);
		for (const struct policy_rule *r = policy_rules; r->name != NULL; r++) {
			if (r->check == NULL)
				continue;
			assert_true(next < d->out.n_reasons);
			assert_string_equal(d->out.reasons[next++].rule, r->name);
		}
		for (const struct policy_rule *r = policy_rules; r->name != NULL; r++) {
			if (r->apply == NULL)
				continue;
			assert_true(next < d->out.n_reasons);
			assert_string_equal(d->out.reasons[next++].rule, r->name);
		}
		assert_int_equal(next, d->out.n_reasons);
		for (size_t k = 0; k < d->out.n_reasons; k++) {
			assert_non_null(d->out.reasons[k].section);
			assert_true(d->out.reasons[k].text[0] != '\0');
			assert_null(d->out.reasons[k].fix);
		}
		desk_close(d);
	}
}

/* Rows go by step, each with a citation and one or two functions. */
static void
test_table(void **state)
{
	int step = 0;

	(void)state;
	for (const struct policy_rule *r = policy_rules; r->name != NULL; r++) {
		assert_true(r->step >= step);
		assert_true(r->check != NULL || r->apply != NULL);
		assert_true(strncmp(r->section, "MS-", 3) == 0 || strncmp(r->section, "RFC ", 4) == 0);
		assert_in_range(r->schema, 1, 4);
		step = r->step;
	}
}

/* A pool that runs dry at any point gives -1 and E_OUTOFMEMORY, never a verdict on the request. */
static void
test_memory(void **state)
{
	struct desk *d = desk_open("User");
	bool done = false;

	(void)state;
	assert_int_equal(desk_decode(d, 0), 0);
	d->in.n_templates = 1;
	desk_extension(d, OID_SMIME_CAPABILITIES, false, "3000");
	for (size_t max = 0; !done; max += 64) {
		struct pool *small = pool_new(max);

		assert_true(max < 1 << 20);
		done = policy_evaluate(&d->in, small, &d->out, &d->e) == 0;
		if (done)
			assert_int_equal(d->out.outcome, POLICY_ISSUE);
		else
			assert_int_equal(d->e.hr, E_OUTOFMEMORY);
		pool_free(small);
	}
	desk_close(d);
}

static void
test_memory_decode(void **state)
{
	struct desk *d = desk_open("OCSPResponseSigning");
	struct pool *whole = d->pool;
	bool done = false;

	(void)state;
	for (size_t max = 0; !done; max += 64) {
		assert_true(max < 1 << 20);
		d->pool = pool_new(max);
		done = desk_decode(d, 0) == 0;
		if (!done)
			assert_int_equal(d->e.hr, E_OUTOFMEMORY);
		pool_free(d->pool);
	}
	d->pool = whole;
	desk_close(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_every_rule_speaks),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_memory_decode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
