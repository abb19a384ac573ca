/* Directory attributes to the template model (MS-CRTD 2), and the tables of flag bits. */
#include "policy_support.h"

static const struct {
	const char *name, *attribute, *value; /* value NULL: attribute taken away */
	bool loads;
	const char *why; /* part of the message */
} decodes[] = {
	{ "as is", "revision", "100", true, NULL },
	{ "cn missing", "cn", NULL, false, "cn is missing" },
	{ "cn empty", "cn", "", false, "cn is missing" },
	{ "schema absent", "msPKI-Template-Schema-Version", NULL, true, NULL },
	{ "schema 0", "msPKI-Template-Schema-Version", "0", false, "msPKI-Template-Schema-Version is 0" },
	{ "schema 4", "msPKI-Template-Schema-Version", "4", true, NULL },
	{ "schema 5", "msPKI-Template-Schema-Version", "5", false, "msPKI-Template-Schema-Version is 5" },
	{ "negative schema", "msPKI-Template-Schema-Version", "-1", false, "msPKI-Template-Schema-Version" },
	{ "flag word, signed", "msPKI-Certificate-Name-Flag", "-1509949440", true, NULL },
	{ "flag word, unsigned", "msPKI-Certificate-Name-Flag", "2785017856", true, NULL },
	{ "flag word, 33 bits", "msPKI-Certificate-Name-Flag", "4294967296", false, "not a 32-bit number" },
	{ "flag word, below 32 bits", "msPKI-Certificate-Name-Flag", "-2147483649", false,
	    "not a 32-bit number" },
	{ "flag word, hexadecimal", "msPKI-Enrollment-Flag", "0x9", false, "not a 32-bit number" },
	{ "flag word, a letter behind", "msPKI-Enrollment-Flag", "9a", false, "not a 32-bit number" },
	{ "flag word, a blank before", "msPKI-Enrollment-Flag", " 9", false, "not a 32-bit number" },
	{ "flag word, a plus", "msPKI-Enrollment-Flag", "+9", false, "not a 32-bit number" },
	{ "flag word absent", "msPKI-Enrollment-Flag", NULL, true, NULL },
	{ "negative key size", "msPKI-Minimal-Key-Size", "-2048", false, "msPKI-Minimal-Key-Size is -2048" },
	{ "negative signatures", "msPKI-RA-Signature", "-1", false, "msPKI-RA-Signature is -1" },
	{ "depth below -1", "pKIMaxIssuingDepth", "-2", false, "pKIMaxIssuingDepth is -2" },
	{ "no validity", "pKIExpirationPeriod", NULL, false, "pKIExpirationPeriod is missing" },
	{ "validity of 7 octets", "pKIExpirationPeriod", "4039872ee1feff", false, "7 octets" },
	{ "positive validity", "pKIExpirationPeriod", "00c0c678d11e0100", false, "not a negative span" },
	{ "zero validity", "pKIExpirationPeriod", "0000000000000000", false, "not a negative span" },
	{ "least number there is", "pKIExpirationPeriod", "0000000000000080", false, "not a negative span" },
	{ "no overlap", "pKIOverlapPeriod", NULL, true, NULL },
	{ "overlap of zero", "pKIOverlapPeriod", "0000000000000000", true, NULL },
	{ "positive overlap", "pKIOverlapPeriod", "0100000000000000", false, "not a negative span" },
	{ "key usage of 3 octets", "pKIKeyUsage", "a00000", false, "3 octets" },
	{ "key usage of 1 octet", "pKIKeyUsage", "a0", true, NULL },
	{ "EKU is no OID", "pKIExtendedKeyUsage", "Client Authentication", false, "pKIExtendedKeyUsage" },
	{ "application policy is no OID", "msPKI-Certificate-Application-Policy", "1.3.", false,
	    "msPKI-Certificate-Application-Policy" },
	{ "issuance policy is no OID", "msPKI-Certificate-Policy", "Low", false, "msPKI-Certificate-Policy" },
	{ "critical list is no OID", "pKICriticalExtensions", "keyUsage", false, "pKICriticalExtensions" },
	{ "template OID missing", "msPKI-Cert-Template-OID", NULL, false,
	    "msPKI-Cert-Template-OID is missing" },
	{ "template OID is no OID", "msPKI-Cert-Template-OID", "4711", false, "msPKI-Cert-Template-OID" },
	{ "signer policy is no OID", "msPKI-RA-Application-Policies", "agent", false,
	    "msPKI-RA-Application-Policies" },
	{ "signer issuance policy is no OID", "msPKI-RA-Policies", "agent", false, "msPKI-RA-Policies" },
	{ "no descriptor", "nTSecurityDescriptor", NULL, true, NULL },
};

static void
test_decodes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(decodes); i++) {
		struct desk *d = desk_open("IntunePKCS");
		int rc;

		if (decodes[i].value != NULL)
			desk_set(d, decodes[i].attribute, decodes[i].value);
		else
			desk_unset(d, decodes[i].attribute);
		rc = desk_decode(d, 0);
		if ((rc == 0) != decodes[i].loads)
			fail_msg("\"%s\": %s", decodes[i].name, rc == 0 ? "loads" : d->e.msg);
		if (rc != 0) {
			assert_int_equal(d->e.hr, CERTSRV_E_UNSUPPORTED_CERT_TYPE);
			if (strstr(d->e.msg, decodes[i].why) == NULL)
				fail_msg("\"%s\": %s", decodes[i].name, d->e.msg);
		}
		desk_close(d);
	}
}

static void
add_octets(struct desk *d, const char *name, const char *hex)
{
	desk_unset(d, name);
	d->values[d->n_values++] = (struct desk_value){ 0, name, desk_hex(d, hex) };
}

static void
test_bad_octets(void **state)
{
	struct desk *d = desk_open("IntunePKCS");

	(void)state;
	add_octets(d, "nTSecurityDescriptor", "0100048090");
	assert_int_equal(desk_decode(d, 0), -1);
	assert_int_equal(d->e.hr, CERTSRV_E_UNSUPPORTED_CERT_TYPE);
	assert_non_null(strstr(d->e.msg, "nTSecurityDescriptor"));
	desk_close(d);

	d = desk_open("IntunePKCS");
	add_octets(d, "cn",
	    "6100"
	    "62");
	assert_int_equal(desk_decode(d, 0), -1);
	assert_non_null(strstr(d->e.msg, "cn holds a NUL"));
	desk_close(d);
}

static void
test_model(void **state)
{
	struct desk *d = desk_open("IntunePKCS");
	const struct policy_template *t = &d->templates[0];

	(void)state;
	desk_set(d, "pKIDefaultCSPs", "10,Ten");
	desk_add(d, "pKIDefaultCSPs", "2,Two");
	desk_add(d, "pKIDefaultCSPs", "1,One");
	desk_add(d, "msPKI-Supersede-Templates", "User");
	assert_int_equal(desk_decode(d, 0), 0);
	assert_string_equal(t->cn, "IntunePKCS");
	assert_string_equal(t->display_name, "Intune PKCS");
	assert_string_equal(t->oid, INTUNE_OID);
	assert_int_equal(t->schema_version, 2);
	assert_int_equal(t->major, 100);
	assert_int_equal(t->minor, 3);
	assert_int_equal(t->general_flags, 0x20232 | 0x8);
	assert_int_equal(t->enrollment_flags, 8);
	assert_int_equal(t->private_key_flags, 0x03030010);
	assert_int_equal(t->name_flags, 1);
	assert_int_equal(t->min_key_bits, 2048);
	assert_int_equal(t->max_depth, 0);
	assert_int_equal(t->validity, 365 * FILETIME_DAY);
	assert_int_equal(t->overlap, 42 * FILETIME_DAY);
	assert_int_equal(t->eku.n, 3);
	assert_string_equal(t->eku.v[1], "1.3.6.1.5.5.7.3.4");
	assert_int_equal(t->csps.n, 3);
	assert_string_equal(t->csps.v[0], "1,One");
	assert_string_equal(t->csps.v[2], "10,Ten");
	assert_string_equal(t->supersedes.v[0], "User");
	assert_non_null(t->sd);
	desk_close(d);
}

/* ---- msPKI-RA-Application-Policies in its two syntaxes (MS-CRTD 2.23) ---- */

#define REAL_SAMPLE                                                                                                  \
	"msPKI-Asymmetric-Algorithm`PZPWSTR`RSA`msPKI-Hash-Algorithm`PZPWSTR`SHA256`msPKI-Key-Usage`DWORD`16777215`" \
	"msPKI-Symmetric-Algorithm`PZPWSTR`3DES`msPKI-Symmetric-Key-Length`DWORD`168`"
#define POLICIES(list) "msPKI-RA-Application-Policies`PZPWSTR`" list "`"

static const struct {
	const char *name, *schema, *private_key_flag, *values[2];
	bool loads;
	size_t n_policies;
	const char *first, *algorithm, *hash;
} syntaxes[] = {
	{ "schema 2, plain", "2", "0", { "1.2.3" }, true, 1, "1.2.3", NULL, NULL },
	{ "schema 2, two values", "2", "0", { "1.2.3", "1.2.4" }, true, 2, "1.2.3", NULL, NULL },
	{ "schema 1, plain", "1", "0", { "1.2.3" }, true, 1, "1.2.3", NULL, NULL },
	{ "schema 2, triplets", "2", "0", { REAL_SAMPLE }, false, 0, NULL, NULL, NULL },
	{ "schema 3, none", "3", "0", { NULL }, true, 0, NULL, NULL, NULL },
	{ "schema 3, plain", "3", "0", { "1.2.3" }, false, 0, NULL, NULL, NULL },
	{ "schema 3, triplets", "3", "0", { REAL_SAMPLE }, true, 0, NULL, "RSA", "SHA256" },
	{ "schema 3, legacy bit means nothing", "3", "256", { REAL_SAMPLE }, true, 0, NULL, "RSA", "SHA256" },
	{ "schema 4, triplets", "4", "0", { REAL_SAMPLE }, true, 0, NULL, "RSA", "SHA256" },
	{ "schema 4, legacy provider, plain", "4", "256", { "1.2.3" }, true, 1, "1.2.3", NULL, NULL },
	{ "schema 4, legacy provider, triplets", "4", "256", { REAL_SAMPLE }, false, 0, NULL, NULL, NULL },
	{ "one policy", "4", "0", { POLICIES("1.2.3") }, true, 1, "1.2.3", NULL, NULL },
	{ "two policies", "4", "0", { POLICIES("1.2.3,1.2.4") }, true, 2, "1.2.3", NULL, NULL },
	{ "no policies", "4", "0", { POLICIES("") }, true, 0, NULL, NULL, NULL },
	{ "policy is no OID", "4", "0", { POLICIES("agent") }, false, 0, NULL, NULL, NULL },
	{ "empty piece among policies", "4", "0", { POLICIES("1.2.3,,1.2.4") }, false, 0, NULL, NULL, NULL },
	{ "no closing mark", "4", "0", { "msPKI-Hash-Algorithm`PZPWSTR`SHA1" }, true, 0, NULL, NULL, "SHA1" },
	{ "two values", "4", "0", { REAL_SAMPLE, REAL_SAMPLE }, false, 0, NULL, NULL, NULL },
	{ "not by threes", "4", "0", { "msPKI-Hash-Algorithm`PZPWSTR`" }, false, 0, NULL, NULL, NULL },
	{ "empty", "4", "0", { "" }, true, 0, NULL, NULL, NULL },
	{ "unknown name", "4", "0",
	    { "msPKI-New`BLOB`x`"
	      "msPKI-Hash-Algorithm`PZPWSTR`SHA1`" },
	    true, 0, NULL, NULL, "SHA1" },
	{ "number with the type of text", "4", "0", { "msPKI-Key-Usage`PZPWSTR`2`" }, false, 0, NULL, NULL,
	    NULL },
	{ "text with the type of a number", "4", "0", { "msPKI-Hash-Algorithm`DWORD`1`" }, false, 0, NULL,
	    NULL, NULL },
	{ "no number", "4", "0", { "msPKI-Key-Usage`DWORD`two`" }, false, 0, NULL, NULL, NULL },
	{ "empty number", "4", "0", { "msPKI-Key-Usage`DWORD``" }, false, 0, NULL, NULL, NULL },
	{ "number of 33 bits", "4", "0", { "msPKI-Key-Usage`DWORD`4294967296`" }, false, 0, NULL, NULL,
	    NULL },
};

static void
test_syntaxes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(syntaxes); i++) {
		struct desk *d = desk_open("IntunePKCS");
		const struct policy_template *t = &d->templates[0];

		desk_set(d, "msPKI-Template-Schema-Version", syntaxes[i].schema);
		desk_set(d, "msPKI-Private-Key-Flag", syntaxes[i].private_key_flag);
		for (size_t k = 0; k < 2 && syntaxes[i].values[k] != NULL; k++)
			desk_add(d, "msPKI-RA-Application-Policies", syntaxes[i].values[k]);
		if ((desk_decode(d, 0) == 0) != syntaxes[i].loads)
			fail_msg("\"%s\"", syntaxes[i].name);
		if (syntaxes[i].loads) {
			assert_int_equal(t->ra_application_policies.n, syntaxes[i].n_policies);
			if (syntaxes[i].first != NULL)
				assert_string_equal(t->ra_application_policies.v[0], syntaxes[i].first);
			if (syntaxes[i].algorithm != NULL)
				assert_string_equal(t->asymmetric_algorithm, syntaxes[i].algorithm);
			if (syntaxes[i].hash != NULL)
				assert_string_equal(t->hash_algorithm, syntaxes[i].hash);
		}
		desk_close(d);
	}
}

/* Every built-in loads and, for a caller with all rights, is issued or waits; the CrossCA one wants a signature. */
static void
test_builtins(void **state)
{
	json_t *all = json_load_file("templates/default-templates.json", 0, NULL), *t;
	size_t i;

	(void)state;
	assert_non_null(all);
	json_array_foreach(json_object_get(all, "templates"), i, t)
	{
		const char *cn = json_string_value(json_object_get(json_object_get(t, "attributes"), "cn"));
		struct desk *d = desk_open(cn);

		desk_run(d);
		if (strcmp(cn, "CrossCA") == 0)
			expect(d, cn, CERTSRV_E_SIGNATURE_POLICY_REQUIRED, 24);
		else if (d->out.outcome == POLICY_DENY)
			fail_msg("%s: %s", cn, last_reason(d)->text);
		desk_close(d);
	}
	assert_int_equal(i, 33);
	json_decref(all);
}

static const struct {
	const char *a, *b;
	bool equal;
} names[] = {
	{ "User", "user", true },
	{ "User", "Users", false },
	{ "Users", "User", false },
	{ "", "", true },
	{ "", "U", false },
	{ "B\xc3\xbcro", "B\xc3\x9cRO", true }, /* u and U with two dots */
	{ "B\xc3\xbcro", "Buro", false },
	{ "\xd0\xb6", "\xd0\x96", true }, /* Cyrillic zhe */
	{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", true },
	{ "\xff", "\xff", true }, /* not UTF-8: octets compare */
	{ "\xc3", "\xc3", true },
	{ "\xc3", "\xc3\xbc", false },
};

static void
test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (policy_name_equal(names[i].a, names[i].b) != names[i].equal)
			fail_msg("\"%s\" and \"%s\"", names[i].a, names[i].b);
}

/* One bit a row, ascending, each with a name; who acts on it is said once. */
static void
check_bits(const struct policy_bit *bits)
{
	uint32_t before = 0;

	for (; bits->mask != 0; bits++) {
		assert_true((bits->mask & (bits->mask - 1)) == 0);
		assert_true(bits->mask > before);
		assert_non_null(bits->name);
		assert_true(bits->client_only == (bits->client != NULL));
		before = bits->mask;
	}
	assert_null(bits->name);
}

static void
test_bits(void **state)
{
	(void)state;
	check_bits(policy_general_bits);
	check_bits(policy_enrollment_bits);
	check_bits(policy_private_key_bits);
	check_bits(policy_name_bits);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decodes),
		cmocka_unit_test(test_bad_octets),
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_syntaxes),
		cmocka_unit_test(test_builtins),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
