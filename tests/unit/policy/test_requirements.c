/* Steps 24 to 32: what a template asks of signatures, key and extensions. */
#include "policy_support.h"

#define AGENT "1.3.6.1.4.1.311.20.2.1"
#define QUALIFIED "1.3.6.1.4.1.311.10.3.10"
#define LOW FOREST_OID ".1.400"
#define MEDIUM FOREST_OID ".1.401"

static const char *const agent_list[] = { AGENT };
static const char *const both_list[] = { AGENT, QUALIFIED };
static const char *const low_list[] = { LOW };

#define PLAIN                                                                                                \
	{                                                                                                    \
		"plain", { NULL, 0 },                                                                        \
		{                                                                                            \
			NULL, 0                                                                              \
		}                                                                                            \
	}
#define WITH_AGENT                                                                                           \
	{                                                                                                    \
		"agent", STRINGS(agent_list),                                                                \
		{                                                                                            \
			NULL, 0                                                                              \
		}                                                                                            \
	}
#define WITH_LOW                                                                                             \
	{                                                                                                    \
		"low", { NULL, 0 }, STRINGS(low_list)                                                        \
	}
#define WITH_BOTH                                                                                            \
	{                                                                                                    \
		"both", STRINGS(both_list), STRINGS(low_list)                                                \
	}

static const struct {
	const char *name;
	const char *set[3][2]; /* attributes of the template */
	struct policy_signer signers[2];
	size_t n_signers;
	uint32_t hr;
	int step;
} signatures[] = {
	{ "none asked", { { "msPKI-RA-Signature", "0" } }, { { 0 } }, 0, 0, 0 },
	{ "attribute absent, one unasked signature", { { "msPKI-RA-Signature", NULL } }, { PLAIN }, 1, 0, 0 },
	{ "one asked, none", { { "msPKI-RA-Signature", "1" } }, { { 0 } }, 0,
	    CERTSRV_E_SIGNATURE_POLICY_REQUIRED, 24 },
	{ "one asked, one", { { "msPKI-RA-Signature", "1" } }, { PLAIN }, 1, 0, 0 },
	{ "two asked, one", { { "msPKI-RA-Signature", "2" } }, { PLAIN }, 1, CERTSRV_E_SIGNATURE_COUNT, 24 },
	{ "two asked, two", { { "msPKI-RA-Signature", "2" } }, { PLAIN, PLAIN }, 2, 0, 0 },
	{ "schema 1 asks for none",
	    { { "msPKI-RA-Signature", "1" }, { "msPKI-Template-Schema-Version", "1" } }, { { 0 } }, 0, 0, 0 },
	{ "application policy present",
	    { { "msPKI-RA-Signature", "1" }, { "msPKI-RA-Application-Policies", AGENT } }, { WITH_AGENT }, 1,
	    0, 0 },
	{ "application policy absent",
	    { { "msPKI-RA-Signature", "1" }, { "msPKI-RA-Application-Policies", AGENT } }, { PLAIN }, 1,
	    CERTSRV_E_SIGNATURE_REJECTED, 25 },
	{ "application policy of the second signer",
	    { { "msPKI-RA-Signature", "2" }, { "msPKI-RA-Application-Policies", AGENT } },
	    { PLAIN, WITH_AGENT }, 2, 0, 0 },
	{ "another application policy",
	    { { "msPKI-RA-Signature", "1" }, { "msPKI-RA-Application-Policies", QUALIFIED } }, { WITH_AGENT },
	    1, CERTSRV_E_SIGNATURE_REJECTED, 25 },
	{ "policies idle without signatures", { { "msPKI-RA-Application-Policies", AGENT } }, { { 0 } }, 0, 0,
	    0 },
	{ "issuance policy present", { { "msPKI-RA-Signature", "1" }, { "msPKI-RA-Policies", LOW } },
	    { WITH_LOW }, 1, 0, 0 },
	{ "issuance policy absent", { { "msPKI-RA-Signature", "1" }, { "msPKI-RA-Policies", MEDIUM } },
	    { WITH_LOW }, 1, CERTSRV_E_SIGNATURE_REJECTED, 26 },
	{ "both policies",
	    { { "msPKI-RA-Signature", "1" }, { "msPKI-RA-Application-Policies", QUALIFIED },
		{ "msPKI-RA-Policies", LOW } },
	    { WITH_BOTH }, 1, 0, 0 },
};

static void
set_all(struct desk *d, const char *const set[][2], size_t n)
{
	for (size_t i = 0; i < n && set[i][0] != NULL; i++) {
		if (set[i][1] != NULL)
			desk_set(d, set[i][0], set[i][1]);
		else
			desk_unset(d, set[i][0]);
	}
}

static void
test_signatures(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(signatures); i++) {
		struct desk *d = desk_open("IntunePKCS");

		set_all(d, signatures[i].set, ARRAY_LEN(signatures[i].set));
		d->in.signers = signatures[i].signers;
		d->in.n_signers = signatures[i].n_signers;
		desk_run(d);
		expect(d, signatures[i].name, signatures[i].hr, signatures[i].step);
		desk_close(d);
	}
}

static const struct {
	const char *name, *template;
	const char *set[2][2];
	enum x509_key_type type;
	unsigned bits;
	bool archived_key;
	uint32_t hr;
	int step;
} keys[] = {
	{ "exactly the minimum", "IntunePKCS", { { 0 } }, X509_KEY_RSA, 2048, false, 0, 0 },
	{ "one bit short", "IntunePKCS", { { 0 } }, X509_KEY_RSA, 2047, false, CERTSRV_E_KEY_LENGTH, 27 },
	{ "larger", "IntunePKCS", { { 0 } }, X509_KEY_RSA, 4096, false, 0, 0 },
	{ "1024 bits", "IntunePKCS", { { 0 } }, X509_KEY_RSA, 1024, false, CERTSRV_E_KEY_LENGTH, 27 },
	{ "P-256 against 2048", "IntunePKCS", { { 0 } }, X509_KEY_EC, 256, false, CERTSRV_E_KEY_LENGTH, 27 },
	{ "P-256 against 256", "IntunePKCS", { { "msPKI-Minimal-Key-Size", "256" } }, X509_KEY_EC, 256, false,
	    0, 0 },
	{ "P-256 against 384", "IntunePKCS", { { "msPKI-Minimal-Key-Size", "384" } }, X509_KEY_EC, 256, false,
	    CERTSRV_E_KEY_LENGTH, 27 },
	{ "no minimum", "IntunePKCS", { { "msPKI-Minimal-Key-Size", NULL } }, X509_KEY_RSA, 512, false, 0,
	    0 },
	{ "schema 1 has no minimum", "WebServer", { { 0 } }, X509_KEY_RSA, 1024, false, 0, 0 },
	{ "archival asked, no key", "IntunePKCS", { { "msPKI-Private-Key-Flag", "50528273" } }, X509_KEY_RSA,
	    2048, false, CERTSRV_E_ARCHIVED_KEY_REQUIRED, 28 },
	{ "archival asked, key in the PKCS #10", "IntunePKCS", { { "msPKI-Private-Key-Flag", "50528273" } },
	    X509_KEY_RSA, 2048, true, CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL, 28 },
	{ "key not asked for", "IntunePKCS", { { 0 } }, X509_KEY_RSA, 2048, true,
	    CERTSRV_E_ARCHIVED_KEY_UNEXPECTED, 28 },
	{ "key not asked for, schema 1", "WebServer", { { 0 } }, X509_KEY_RSA, 2048, true,
	    CERTSRV_E_ARCHIVED_KEY_UNEXPECTED, 28 },
	{ "archival asked, schema 1", "WebServer", { { "msPKI-Private-Key-Flag", "1" } }, X509_KEY_RSA, 2048, false,
	    0, 0 },
	{ "attestation required", "IntunePKCS", { { "msPKI-Private-Key-Flag", "8192" } }, X509_KEY_RSA, 2048,
	    false, CERTSRV_E_KEY_ATTESTATION, 30 },
	{ "attestation preferred", "IntunePKCS", { { "msPKI-Private-Key-Flag", "4096" } }, X509_KEY_RSA, 2048,
	    false, 0, 0 },
	{ "attestation without policy is no demand", "IntunePKCS", { { "msPKI-Private-Key-Flag", "16384" } },
	    X509_KEY_RSA, 2048, false, 0, 0 },
	{ "attestation on schema 1", "IntunePKCS",
	    { { "msPKI-Private-Key-Flag", "8192" }, { "msPKI-Template-Schema-Version", "1" } }, X509_KEY_RSA,
	    2048, false, 0, 0 },
};

static void
test_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct desk *d = desk_open(keys[i].template);

		set_all(d, keys[i].set, ARRAY_LEN(keys[i].set));
		d->request.key.type = keys[i].type;
		d->request.key.bits = keys[i].bits;
		d->request.has_archived_key = keys[i].archived_key;
		desk_run(d);
		expect(d, keys[i].name, keys[i].hr, keys[i].step);
		desk_close(d);
	}
}

/* The refusal says the numbers, and the way out counts an EC key's bits right. */
static void
test_key_text(void **state)
{
	struct desk *d = desk_open("IntunePKCS");

	(void)state;
	d->request.key.bits = 1024;
	desk_run(d);
	assert_string_equal(last_reason(d)->text, "RSA key has 1024 bits, template asks for 2048");
	assert_string_equal(last_reason(d)->attribute, "msPKI-Minimal-Key-Size");
	assert_string_equal(last_reason(d)->section, "MS-WCCE 3.2.2.6.2.1.4.5.2");
	assert_non_null(strstr(last_reason(d)->fix, "Cryptography: Minimum key size = 1024"));
	desk_close(d);
}

#define CAPABILITIES "300b3009060760864801650304012a"
/* RC2-128, RC4-128, DES, 3DES (issuance.md section 4) */
#define DEFAULT_CAPABILITIES                                                                                 \
	"3035300e06082a864886f70d030202020080300e06082a864886f70d030402020080300706052b0e030207300a06082a864886f70d0307"

static const struct {
	const char *name;
	const char *enrollment_flag, *in_request;
	bool default_list;
	uint32_t hr;
	const char *value; /* of the certificate's extension; NULL: none */
} smime[] = {
	{ "not asked for", "0", NULL, true, 0, NULL },
	{ "the CA's list", "1", NULL, true, 0, DEFAULT_CAPABILITIES },
	{ "the request's list", "1", CAPABILITIES, true, 0, CAPABILITIES },
	{ "the request's list, no default", "1", CAPABILITIES, false, 0, CAPABILITIES },
	{ "no list at all", "1", NULL, false, CERTSRV_E_SMIME_REQUIRED, NULL },
	{ "in the request, not asked for", "0", CAPABILITIES, false, 0, CAPABILITIES },
};

static void
test_smime(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(smime); i++) {
		struct desk *d = desk_open("IntunePKCS");
		const struct x509_extension *x;

		desk_set(d, "msPKI-Enrollment-Flag", smime[i].enrollment_flag);
		if (smime[i].in_request != NULL)
			desk_extension(d, OID_SMIME_CAPABILITIES, false, smime[i].in_request);
		if (!smime[i].default_list)
			d->ca.edit_flags &= ~(uint32_t)EDITF_ENABLEDEFAULTSMIME;
		desk_run(d);
		expect(d, smime[i].name, smime[i].hr, 31);
		x = find_extension(d, OID_SMIME_CAPABILITIES);
		if ((x != NULL) != (smime[i].value != NULL))
			fail_msg("\"%s\"", smime[i].name);
		if (x != NULL)
			assert_string_equal(hex_of(d, x->value), smime[i].value);
		desk_close(d);
	}
}

/* PolicyInformation of 1.2.3.4 and of 1.2.3.5 */
#define P4 "3005 0603 2a0304"
#define P5 "3005 0603 2a0305"

static const struct {
	const char *name;
	const char *enrollment_flag;
	const char *template_policies[2];
	const char *in_request, *schema;
	uint32_t hr;
	const char *value;
} policies[] = {
	{ "none", "0", { 0 }, NULL, "2", 0, NULL },
	{ "the template's", "0", { "1.2.3.4" }, NULL, "2", 0, "3007300506032a0304" },
	{ "the template's, whatever the request says", "0", { "1.2.3.4" }, "3007" P5, "2", 0,
	    "3007300506032a0304" },
	{ "two of the template", "0", { "1.2.3.5", "1.2.3.4" }, NULL, "2", 0,
	    "300e300506032a0305300506032a0304" },
	{ "request's not among none", "131072", { 0 }, "3007" P4, "2", CERTSRV_E_TEMPLATE_CONFLICT, NULL },
	{ "nothing asked, nothing allowed", "131072", { 0 }, NULL, "2", 0, NULL },
	{ "nothing asked, one allowed", "131072", { "1.2.3.4" }, NULL, "2", 0, NULL },
	{ "asked and allowed", "131072", { "1.2.3.4", "1.2.3.5" }, "3007" P5, "2", 0, "3007300506032a0305" },
	{ "both asked, in the template's order", "131072", { "1.2.3.4", "1.2.3.5" }, "300e" P5 P4, "2", 0,
	    "300e300506032a0304300506032a0305" },
	{ "asked, another allowed", "131072", { "1.2.3.4" }, "3007" P5, "2", 0, NULL },
	{ "malformed", "131072", { "1.2.3.4" }, "300704", "2", CRYPT_E_ASN1_EOD, NULL },
	{ "schema 1 has none", "0", { "1.2.3.4" }, NULL, "1", 0, NULL },
};

static void
test_policies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		struct desk *d = desk_open("IntunePKCS");
		const struct x509_extension *x;

		desk_set(d, "msPKI-Template-Schema-Version", policies[i].schema);
		desk_set(d, "msPKI-Enrollment-Flag", policies[i].enrollment_flag);
		for (size_t k = 0; k < 2 && policies[i].template_policies[k] != NULL; k++)
			desk_add(d, "msPKI-Certificate-Policy", policies[i].template_policies[k]);
		if (policies[i].in_request != NULL)
			desk_extension(d, OID_CERTIFICATE_POLICIES, false, policies[i].in_request);
		desk_run(d);
		expect(d, policies[i].name, policies[i].hr, 32);
		x = find_extension(d, OID_CERTIFICATE_POLICIES);
		if ((x != NULL) != (policies[i].value != NULL))
			fail_msg("\"%s\"", policies[i].name);
		if (x != NULL)
			assert_string_equal(hex_of(d, x->value), policies[i].value);
		desk_close(d);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_key_text),
		cmocka_unit_test(test_smime),
		cmocka_unit_test(test_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
