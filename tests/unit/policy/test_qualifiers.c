/* Policy qualifiers: from the OID objects into the certificate policies extension (templates.md 8.4). */
#include "policy_support.h"

#define LOW FOREST_OID ".1.400"
#define MEDIUM FOREST_OID ".1.401"
#define CPS_OID "06082b06010505070201"
#define NOTICE_OID "06082b06010505070202"

struct object {
	const char *oid, *cps[36], *notices[4];
};

static bool
object_value(const void *ctx, const char *attr, size_t i, struct bytes *out)
{
	const struct object *o = ctx;
	const char *v = NULL;

	if (strcmp(attr, "msPKI-Cert-Template-OID") == 0)
		v = i == 0 ? o->oid : NULL;
	else if (strcmp(attr, "msPKI-OID-CPS") == 0)
		v = o->cps[i];
	else if (strcmp(attr, "msPKI-OID-User-Notice") == 0)
		v = o->notices[i];
	if (v == NULL)
		return false;
	*out = (struct bytes){ (const uint8_t *)v, strlen(v) };
	return true;
}

static void
qualify(struct desk *d, const struct object *objects, size_t n)
{
	struct policy_attrs attrs[4];

	assert_int_equal(desk_decode(d, 0), 0);
	for (size_t i = 0; i < n; i++)
		attrs[i] = (struct policy_attrs){ &objects[i], object_value, "CN=OID" };
	assert_int_equal(policy_template_qualify(&d->templates[0], d->pool, attrs, n, &d->e), 0);
}

static void
expect_policies(struct desk *d, const char *hex)
{
	struct bytes wanted = desk_hex(d, hex);

	assert_true(bytes_equal(d->templates[0].ext.issuance_policies, wanted));
}

static void
test_each_policy_has_its_own(void **state)
{
	static const struct object objects[] = { { "1.2.9", { "other" }, { NULL } }, { "1.2.3", { "c" }, { "n" } },
		{ "1.2.3", { "second object" }, { NULL } } };
	struct desk *d = desk_open("IntunePKCS");

	(void)state;
	desk_set(d, "msPKI-Certificate-Policy", "1.2.4");
	desk_add(d, "msPKI-Certificate-Policy", "1.2.3");
	qualify(d, objects, ARRAY_LEN(objects));
	assert_int_equal(d->templates[0].qualifiers_left_out, 0);
	expect_policies(d,
	    "302e300406022a04302606022a033020300d" CPS_OID "160163300f" NOTICE_OID "30030c016e");
	desk_close(d);
}

static void
test_no_object_no_qualifier(void **state)
{
	static const struct object objects[] = { { "1.2.3.4", { "c" }, { NULL } }, { NULL, { "c" }, { NULL } }, { "1.2", { "c" }, { NULL } } };
	struct desk *d = desk_open("IntunePKCS");

	(void)state;
	desk_set(d, "msPKI-Certificate-Policy", "1.2.3");
	qualify(d, objects, ARRAY_LEN(objects));
	expect_policies(d, "3006300406022a03");
	assert_null(d->templates[0].qualifiers);
	desk_close(d);
}

static void
test_bad_values_are_left_out(void **state)
{
	static char longest[POLICY_QUALIFIER_MAX + 1], longer[POLICY_QUALIFIER_MAX + 2];
	struct object object = { "1.2.3", { "", "http://\xc3\xa9", longer, longest }, { "\xff", "\xc3\xa9", "" } };
	struct desk *d = desk_open("IntunePKCS");

	(void)state;
	memset(longest, 'u', POLICY_QUALIFIER_MAX);
	memset(longer, 'u', POLICY_QUALIFIER_MAX + 1);
	desk_set(d, "msPKI-Certificate-Policy", "1.2.3");
	qualify(d, &object, 1);
	assert_int_equal(d->templates[0].qualifiers_left_out, 5);
	assert_int_equal(d->templates[0].qualifiers[0].cps.n, 1);
	assert_string_equal(d->templates[0].qualifiers[0].cps.v[0], longest);
	assert_int_equal(d->templates[0].qualifiers[0].notices.n, 1);
	assert_string_equal(d->templates[0].qualifiers[0].notices.v[0], "\xc3\xa9");
	desk_close(d);
}

static void
test_too_much_of_it(void **state)
{
	static char one[POLICY_QUALIFIER_MAX + 1];
	struct object object = { .oid = "1.2.3" };
	struct policy_attrs attrs = { &object, object_value, "CN=OID" };
	struct desk *d = desk_open("IntunePKCS");

	(void)state;
	memset(one, 'u', POLICY_QUALIFIER_MAX);
	for (size_t i = 0; i < 34; i++)
		object.cps[i] = one;
	desk_set(d, "msPKI-Certificate-Policy", "1.2.3");
	assert_int_equal(desk_decode(d, 0), 0);
	assert_int_equal(policy_template_qualify(&d->templates[0], d->pool, &attrs, 1, &d->e), -1);
	assert_int_equal(d->e.hr, CERTSRV_E_UNSUPPORTED_CERT_TYPE);
	expect_policies(d, "3006300406022a03");
	assert_null(d->templates[0].qualifiers);
	for (size_t i = 30; i < 34; i++)
		object.cps[i] = i == 30 ? "c" : NULL;
	assert_int_equal(policy_template_qualify(&d->templates[0], d->pool, &attrs, 1, &d->e), 0);
	assert_int_equal(d->templates[0].qualifiers[0].cps.n, 31);
	for (size_t i = 1; i < 35; i++)
		object.cps[i] = "c";
	assert_int_equal(desk_decode(d, 0), 0);
	assert_int_equal(policy_template_qualify(&d->templates[0], d->pool, &attrs, 1, &d->e), 0);
	assert_int_equal(d->templates[0].qualifiers[0].cps.n, 32);
	assert_int_equal(d->templates[0].qualifiers_left_out, 3);
	desk_close(d);
}

static void
test_schema_1_has_no_policies(void **state)
{
	static const struct object object = { "1.2.3", { "c" }, { NULL } };
	struct desk *d = desk_open("IntunePKCS");

	(void)state;
	desk_set(d, "msPKI-Certificate-Policy", "1.2.3");
	desk_set(d, "msPKI-Template-Schema-Version", "1");
	qualify(d, &object, 1);
	assert_int_equal(d->templates[0].ext.issuance_policies.len, 0);
	desk_close(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_policy_has_its_own),
		cmocka_unit_test(test_no_object_no_qualifier),
		cmocka_unit_test(test_bad_values_are_left_out),
		cmocka_unit_test(test_too_much_of_it),
		cmocka_unit_test(test_schema_1_has_no_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
