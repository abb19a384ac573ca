/* Steps 20 to 23 and 29: renewals, what they are excused from, and asking for somebody else. */
#include "policy_support.h"

#define AGENT "1.3.6.1.4.1.311.20.2.1"
#define OTHER_OID FOREST_OID ".4711001.4711003"

/* msPKI-Enrollment-Flag */
#define PEND_ALL "2"
#define PREVIOUS_APPROVAL "64"
#define PEND_ALL_PREVIOUS_APPROVAL "66"
#define KEY_BASED "65600" /* 0x10040 */
/* msPKI-Certificate-Name-Flag */
#define FROM_DIRECTORY "33554432" /* 0x02000000: UPN */

/* SAN values */
#define SAN_JANE_UPN "3025a023060a2b060104018237140203a0150c136a616e65646f6540636f6e746f736f2e636f6d"
#define SAN_JANE_UPN_BOB_MAIL                                                                                \
	"3036a023060a2b060104018237140203a0150c136a616e65646f6540636f6e746f736f2e636f6d"                     \
	"810f626f6240636f6e746f736f2e636f6d"
#define SAN_JANE_MAIL                                                                                        \
	"30128110"                                                                                           \
	"6a616e6540636f6e746f736f2e636f6d"
#define SAN_BOB_MAIL                                                                                         \
	"3011810f"                                                                                           \
	"626f6240636f6e746f736f2e636f6d"

/* ---- renewals ---- */

static const struct {
	const char *name;
	const char *set[3][2];
	/* the old certificate */
	const char *oid, *cn, *subject, *san;
	bool same_key;
	uint32_t hr;
	int step;
	enum policy_outcome outcome; /* when hr is 0 */
} renewals[] = {
	{ "by template OID", { { 0 } }, INTUNE_OID, NULL, "CN=device", NULL, false, 0, 0, POLICY_ISSUE },
	{ "by template name", { { 0 } }, NULL, "IntunePKCS", "CN=device", NULL, false, 0, 0, POLICY_ISSUE },
	{ "by template name in another case", { { 0 } }, NULL, "intunepkcs", "CN=device", NULL, false, 0, 0,
	    POLICY_ISSUE },
	{ "another template's OID", { { 0 } }, OTHER_OID, NULL, "CN=device", NULL, false,
	    CERTSRV_E_TEMPLATE_CONFLICT, 20, 0 },
	{ "another template's OID, this one's name", { { 0 } }, OTHER_OID, "IntunePKCS", "CN=device", NULL,
	    false, CERTSRV_E_TEMPLATE_CONFLICT, 20, 0 },
	{ "another template's name", { { 0 } }, NULL, "User", "CN=device", NULL, false,
	    CERTSRV_E_TEMPLATE_CONFLICT, 20, 0 },
	{ "no template at all", { { 0 } }, NULL, NULL, "CN=device", NULL, false, CERTSRV_E_TEMPLATE_CONFLICT,
	    20, 0 },

	{ "signature asked, nothing excused", { { "msPKI-RA-Signature", "1" } }, INTUNE_OID, NULL,
	    "CN=device", NULL, false, CERTSRV_E_SIGNATURE_POLICY_REQUIRED, 24, 0 },
	{ "signature excused",
	    { { "msPKI-RA-Signature", "1" }, { "msPKI-RA-Application-Policies", AGENT },
		{ "msPKI-Enrollment-Flag", PREVIOUS_APPROVAL } },
	    INTUNE_OID, NULL, "CN=device", NULL, false, 0, 0, POLICY_ISSUE },
	{ "old certificate of schema 1 excuses nothing",
	    { { "msPKI-RA-Signature", "1" }, { "msPKI-Enrollment-Flag", PREVIOUS_APPROVAL } }, NULL,
	    "IntunePKCS", "CN=device", NULL, false, CERTSRV_E_SIGNATURE_POLICY_REQUIRED, 24, 0 },
	{ "another subject excuses nothing",
	    { { "msPKI-RA-Signature", "1" }, { "msPKI-Enrollment-Flag", PREVIOUS_APPROVAL } }, INTUNE_OID,
	    NULL, "CN=devices", NULL, false, CERTSRV_E_SIGNATURE_POLICY_REQUIRED, 24, 0 },
	{ "approval asked", { { "msPKI-Enrollment-Flag", PEND_ALL } }, INTUNE_OID, NULL, "CN=device", NULL,
	    false, 0, 0, POLICY_PEND },
	{ "approval excused", { { "msPKI-Enrollment-Flag", PEND_ALL_PREVIOUS_APPROVAL } }, INTUNE_OID, NULL,
	    "CN=device", NULL, false, 0, 0, POLICY_ISSUE },
	{ "approval not excused for another subject",
	    { { "msPKI-Enrollment-Flag", PEND_ALL_PREVIOUS_APPROVAL } }, INTUNE_OID, NULL, "CN=devic", NULL,
	    false, 0, 0, POLICY_PEND },

	{ "UPN as in the directory",
	    { { "msPKI-Enrollment-Flag", PEND_ALL_PREVIOUS_APPROVAL },
		{ "msPKI-Certificate-Name-Flag", FROM_DIRECTORY } },
	    INTUNE_OID, NULL, "CN=anything", SAN_JANE_UPN, false, 0, 0, POLICY_ISSUE },
	{ "mail as in the directory",
	    { { "msPKI-Enrollment-Flag", PEND_ALL_PREVIOUS_APPROVAL },
		{ "msPKI-Certificate-Name-Flag", FROM_DIRECTORY } },
	    INTUNE_OID, NULL, "CN=anything", SAN_JANE_MAIL, false, 0, 0, POLICY_ISSUE },
	{ "somebody else's mail",
	    { { "msPKI-Enrollment-Flag", PEND_ALL_PREVIOUS_APPROVAL },
		{ "msPKI-Certificate-Name-Flag", FROM_DIRECTORY } },
	    INTUNE_OID, NULL, "CN=anything", SAN_BOB_MAIL, false, 0, 0, POLICY_PEND },
	{ "the UPN, and somebody else's mail",
	    { { "msPKI-Enrollment-Flag", PEND_ALL_PREVIOUS_APPROVAL },
		{ "msPKI-Certificate-Name-Flag", FROM_DIRECTORY } },
	    INTUNE_OID, NULL, "CN=anything", SAN_JANE_UPN_BOB_MAIL, false, 0, 0, POLICY_PEND },
	{ "no alternative name",
	    { { "msPKI-Enrollment-Flag", PEND_ALL_PREVIOUS_APPROVAL },
		{ "msPKI-Certificate-Name-Flag", FROM_DIRECTORY } },
	    INTUNE_OID, NULL, "CN=device", NULL, false, 0, 0, POLICY_PEND },
	{ "malformed alternative names",
	    { { "msPKI-Enrollment-Flag", PEND_ALL_PREVIOUS_APPROVAL },
		{ "msPKI-Certificate-Name-Flag", FROM_DIRECTORY } },
	    INTUNE_OID, NULL, "CN=device", "3005", false, 0, 0, POLICY_PEND },

	{ "same key asked and brought", { { "msPKI-Private-Key-Flag", "128" } }, INTUNE_OID, NULL,
	    "CN=device", NULL, true, 0, 0, POLICY_ISSUE },
	{ "same key asked, another brought", { { "msPKI-Private-Key-Flag", "128" } }, INTUNE_OID, NULL,
	    "CN=device", NULL, false, CERTSRV_E_RENEWAL_BAD_PUBLIC_KEY, 29, 0 },
	{ "same key not asked on schema 1",
	    { { "msPKI-Private-Key-Flag", "128" }, { "msPKI-Template-Schema-Version", "1" } }, INTUNE_OID, NULL,
	    "CN=device", NULL, false, 0, 0, POLICY_ISSUE },
	{ "archival is not asked of a same key", { { "msPKI-Private-Key-Flag", "129" } }, INTUNE_OID, NULL,
	    "CN=device", NULL, true, 0, 0, POLICY_ISSUE },
	{ "archival is asked of a new key", { { "msPKI-Private-Key-Flag", "1" } }, INTUNE_OID, NULL,
	    "CN=device", NULL, false, CERTSRV_E_ARCHIVED_KEY_REQUIRED, 28, 0 },
};

static void
set_all(struct desk *d, const char *const set[][2], size_t n)
{
	for (size_t i = 0; i < n && set[i][0] != NULL; i++)
		desk_set(d, set[i][0], set[i][1]);
}

static void
test_renewals(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(renewals); i++) {
		struct desk *d = desk_open("IntunePKCS");
		struct x509_certificate old = { .template_oid = renewals[i].oid,
			.template_name = renewals[i].cn };

		set_all(d, renewals[i].set, ARRAY_LEN(renewals[i].set));
		old.subject = desk_name(d, renewals[i].subject);
		old.key.spki = renewals[i].same_key ? d->request.key.spki : desk_hex(d, "30033001 06");
		if (renewals[i].san != NULL)
			old.alt_names = desk_hex(d, renewals[i].san);
		d->in.renewal = &old;
		desk_run(d);
		expect(d, renewals[i].name, renewals[i].hr, renewals[i].step);
		if (renewals[i].hr == 0 && d->out.outcome != renewals[i].outcome)
			fail_msg("%s: outcome %d", renewals[i].name, d->out.outcome);
		desk_close(d);
	}
}

/* Without the old certificate none of it is said: the flags mean nothing to a new request. */
static void
test_new_request(void **state)
{
	struct desk *d = desk_open("IntunePKCS");

	(void)state;
	desk_set(d, "msPKI-Private-Key-Flag", "128");
	desk_set(d, "msPKI-Enrollment-Flag", PEND_ALL_PREVIOUS_APPROVAL);
	desk_run(d);
	assert_int_equal(d->out.outcome, POLICY_PEND);
	desk_close(d);
}

/* The old names are copied, whatever the request asks for now. */
static void
test_alternative_names(void **state)
{
	for (int approved = 0; approved < 2; approved++) {
		struct desk *d = desk_open("IntunePKCS");
		struct x509_certificate old = { .template_oid = INTUNE_OID };
		static const uint8_t san_oid[] = { 0x55, 0x1d, 0x11 };
		struct x509_extension critical = { { san_oid, sizeof(san_oid) }, true, { 0 } };
		const struct x509_extension *san;

		old.extensions = &critical;
		old.n_extensions = 1;
		old.subject = desk_name(d, "CN=device");
		old.alt_names = desk_hex(d, SAN_JANE_MAIL);
		desk_set(d, "msPKI-Enrollment-Flag", approved ? PREVIOUS_APPROVAL : "0");
		desk_extension(d, OID_SUBJECT_ALT_NAME, false, SAN_DEVICE);
		d->in.renewal = &old;
		desk_run(d);
		san = find_extension(d, OID_SUBJECT_ALT_NAME);
		assert_non_null(san);
		assert_int_equal(bytes_equal(san->value, old.alt_names), approved);
		assert_int_equal(san->critical, approved);
		desk_close(d);
	}
	(void)state;
}

/* Step 21: the old key stands for the right, but only with all three flags. */
static void
test_key_based(void **state)
{
	static const char *const nobody[] = { DOMAIN_SID "-4711", "AU", "WD", NULL };
	static const struct {
		const char *flags, *subject;
		uint32_t hr;
	} cases[] = {
		{ KEY_BASED, "CN=device", 0 },
		{ KEY_BASED, "CN=other", CERTSRV_E_TEMPLATE_DENIED },
		{ PREVIOUS_APPROVAL, "CN=device", CERTSRV_E_TEMPLATE_DENIED },
		{ "65536", "CN=device", CERTSRV_E_TEMPLATE_DENIED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct desk *d = desk_open("IntunePKCS");
		struct x509_certificate old = { .template_oid = INTUNE_OID };

		old.subject = desk_name(d, cases[i].subject);
		desk_caller(d, "CORP\\nobody", nobody);
		desk_set(d, "msPKI-Enrollment-Flag", cases[i].flags);
		d->in.renewal = &old;
		desk_run(d);
		expect(d, cases[i].flags, cases[i].hr, 21);
		desk_close(d);
	}
}

/* ---- on behalf of ---- */

static const char *const agent_list[] = { AGENT };
#define SIGNER_PLAIN                                                                                         \
	{                                                                                                    \
		.name = "CN=Jane"                                                                            \
	}
#define SIGNER_AGENT                                                                                         \
	{                                                                                                    \
		.name = "CN=Agent", .application_policies = STRINGS(agent_list)                              \
	}

static const struct {
	const char *name, *schema, *wanted;
	struct policy_signer signers[2];
	size_t n_signers, n_vouching;
	uint32_t hr;
	int step;
} on_behalf[] = {
	{ "an agent", "2", "1", { SIGNER_AGENT }, 1, 1, 0, 0 },
	{ "an agent, template of schema 1", "1", "0", { SIGNER_AGENT }, 1, 1, 0, 0 },
	{ "an agent, template asks for none", "2", "0", { SIGNER_AGENT }, 1, 1, CERTSRV_E_BAD_RENEWAL_SUBJECT,
	    22 },
	{ "nobody, template asks for none", "2", "0", { { 0 } }, 0, 0, CERTSRV_E_BAD_RENEWAL_SUBJECT, 22 },
	{ "no agent", "2", "1", { SIGNER_PLAIN }, 1, 1, CERTSRV_E_SIGNATURE_REJECTED, 23 },
	{ "no agent, template of schema 1", "1", "0", { SIGNER_PLAIN }, 1, 1, CERTSRV_E_SIGNATURE_REJECTED,
	    23 },
	{ "nobody", "1", "0", { { 0 } }, 0, 0, CERTSRV_E_SIGNATURE_REJECTED, 23 },
	{ "the second is an agent, and signed the name", "2", "1", { SIGNER_PLAIN, SIGNER_AGENT }, 2, 2, 0,
	    0 },
	{ "the second is an agent, and signed something else", "2", "1", { SIGNER_PLAIN, SIGNER_AGENT }, 2, 1,
	    CERTSRV_E_SIGNATURE_REJECTED, 23 },
	{ "an agent, template asks for two", "2", "2", { SIGNER_AGENT }, 1, 1, CERTSRV_E_SIGNATURE_COUNT,
	    24 },
};

static void
test_on_behalf(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(on_behalf); i++) {
		struct desk *d = desk_open("IntunePKCS");

		desk_set(d, "msPKI-Template-Schema-Version", on_behalf[i].schema);
		desk_set(d, "msPKI-RA-Signature", on_behalf[i].wanted);
		d->in.on_behalf_of = "CORP\\janedoe";
		d->in.signers = on_behalf[i].signers;
		d->in.n_signers = on_behalf[i].n_signers;
		d->in.n_vouching = on_behalf[i].n_vouching;
		desk_run(d);
		expect(d, on_behalf[i].name, on_behalf[i].hr, on_behalf[i].step);
		desk_close(d);
	}
}

/* What the directory lacks is the named user's lack, and the explanation says so. */
static void
test_names_the_subject(void **state)
{
	static const struct policy_signer agent = SIGNER_AGENT;
	struct desk *d = desk_open("User");

	(void)state;
	d->in.on_behalf_of = "CORP\\janedoe";
	d->in.signers = &agent;
	d->in.n_signers = d->in.n_vouching = 1;
	d->subject.mail = NULL;
	desk_run(d);
	expect(d, "no mail", CERTSRV_E_SUBJECT_EMAIL_REQUIRED, 33);
	assert_string_equal(last_reason(d)->text, "CORP\\janedoe has no mail address");
	desk_close(d);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_renewals),
		cmocka_unit_test(test_new_request),
		cmocka_unit_test(test_alternative_names),
		cmocka_unit_test(test_key_based),
		cmocka_unit_test(test_on_behalf),
		cmocka_unit_test(test_names_the_subject),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
