/* Roles at the door: who may do what, role separation, certificate manager restrictions, settings that change. */
#include "bench_ask.h"

#include "auth/restriction.h"
#include "ca/admin_priv.h"
#include "ca/enroll_mirror.h"

#define OFFICER_SID "S-1-5-21-1111111111-2222222222-3333333333-1200"
#define BACKUP_SID "S-1-5-21-1111111111-2222222222-3333333333-1300"
#define WAITING "CertificateTemplate:Waiting"

/* Grants a right by SID; then there is a token for it. */
static struct token *
person(struct bench *b, const char *account, const char *sid, const char *right)
{
	char args[256];

	snprintf(args, sizeof(args), "{\"principal\":\"%s\",\"rights\":[\"%s\"]}", sid, right);
	assert_int_equal(verb_hr(b, b->admin, "ca.acl.grant", args), 0);
	return make_token(account, sid);
}

static uint32_t
roles(struct bench *b, struct token *t)
{
	struct verb_answer v = verb(b, t, "ca.roles", "{}");
	uint32_t bits = v.hr != 0 ? v.hr : (uint32_t)json_integer_value(json_object_get(v.result, "roles"));

	json_decref(v.result);
	return bits;
}

static void
set(struct bench *b, const char *name, const char *value, uint32_t hr)
{
	char args[512];

	snprintf(args, sizeof(args), "{\"name\":\"%s\",\"value\":\"%s\"}", name, value);
	assert_int_equal(verb_hr(b, b->admin, "ca.setting.set", args), hr);
}

static void
test_roles(void **state)
{
	struct bench *b = *state;
	struct token *officer = person(b, "CORP\\officer", OFFICER_SID, "Officer");
	struct token *backup = make_token("CORP\\backup", BACKUP_SID);

	assert_int_equal(roles(b, b->admin), 0x303);
	assert_int_equal(roles(b, officer), 0x302);
	assert_int_equal(roles(b, b->user), 0x300); /* Enroll implies Read */
	set(b, "privileges\\\\SeBackupPrivilege", BACKUP_SID, 0);
	set(b, "SeSecurityPrivilege", "+" OFFICER_SID, 0);
	assert_int_equal(roles(b, backup), 0x308);
	assert_int_equal(roles(b, officer), 0x306);
	assert_int_equal(
	    verb_hr(b, b->admin, "ca.acl.remove", "{\"principal\":\"AU\"}"), 0);
	assert_int_equal(roles(b, backup), E_ACCESSDENIED); /* the privilege is nothing without Read */
	token_unref(officer);
	token_unref(backup);
}

static void
test_separation(void **state)
{
	struct bench *b = *state;
	struct token *officer = person(b, "CORP\\officer", OFFICER_SID, "Officer");

	enroll(b, WAITING);
	set(b, "RoleSeparationEnabled", "1", 0);
	assert_int_equal(verb_hr(b, b->admin, "crl.publish", "{}"), CERTSRV_E_ROLECONFLICT);
	assert_int_equal(verb_hr(b, b->admin, "request.deny", "{\"id\":1}"), CERTSRV_E_ROLECONFLICT);
	assert_int_equal(verb_hr(b, b->admin, "ca.acl.show", "{}"), CERTSRV_E_ROLECONFLICT);
	assert_int_equal(verb_hr(b, b->user, "ca.acl.show", "{}"), 0);
	assert_int_equal(enroll_as(b, b->admin, "CertificateTemplate:Supplied").disposition, CR_DISP_ISSUED);
	assert_int_equal(roles(b, b->admin), 0x303);
	assert_int_equal(verb_hr(b, officer, "request.deny", "{\"id\":1}"), 0);
	assert_int_equal(verb_hr(b, officer, "crl.publish", "{}"), E_ACCESSDENIED);
	token_unref(officer);
}

#define ALLOW(sid)                                                                                           \
	"{\"which\":\"officer\",\"what\":\"allow\",\"principal\":\"" OFFICER_SID                              \
	"\",\"templates\":[\"Waiting\"],\"subjects\":[\"" sid "\"]}"

static void
test_restricted_officer(void **state)
{
	struct bench *b = *state;
	struct token *officer = person(b, "CORP\\officer", OFFICER_SID, "Officer");
	struct answer issued;
	char args[512];

	ca_set_accounts(b->ca, &(struct ca_accounts){ token_of, b });
	for (int i = 0; i < 3; i++)
		enroll(b, WAITING);
	issued = enroll(b, "CertificateTemplate:Supplied");
	assert_int_equal(issued.disposition, CR_DISP_ISSUED);
	assert_int_equal(verb_hr(b, b->admin, "ca.rights.change", ALLOW(ADMIN_SID)), 0); /* about others */
	assert_int_equal(verb_hr(b, officer, "request.issue", "{\"id\":1}"), CERTSRV_E_RESTRICTEDOFFICER);
	assert_int_equal(verb_hr(b, officer, "request.deny", "{\"id\":1}"), CERTSRV_E_RESTRICTEDOFFICER);
	assert_int_equal(verb_hr(b, officer, "request.deny", "{\"id\":77}"), CERTSRV_E_PROPERTY_EMPTY);
	assert_int_equal(verb_hr(b, b->user, "request.deny", "{\"id\":1}"), E_ACCESSDENIED);
	assert_int_equal(verb_hr(b, b->admin, "ca.rights.change", ALLOW(USER_SID)), 0);
	assert_int_equal(verb_hr(b, officer, "request.issue", "{\"id\":1}"), 0);
	assert_int_equal(verb_hr(b, officer, "request.deny", "{\"id\":2}"), 0);
	/* another template */
	snprintf(args, sizeof(args), "{\"id\":%u}", issued.id);
	assert_int_equal(verb_hr(b, officer, "request.revoke", args), CERTSRV_E_RESTRICTEDOFFICER);
	/* an id that may be decided about does not lend itself to the serial number of another */
	snprintf(args, sizeof(args), "{\"id\":%u,\"serial\":\"61\"}", 1);
	assert_int_equal(verb_hr(b, officer, "request.revoke", args), E_INVALIDARG);
	/* a restart keeps them */
	ca_close(b->ca);
	start(b, NULL);
	ca_set_accounts(b->ca, &(struct ca_accounts){ token_of, b });
	snprintf(args, sizeof(args), "{\"id\":%u}", issued.id);
	assert_int_equal(verb_hr(b, officer, "request.revoke", args), CERTSRV_E_RESTRICTEDOFFICER);
	assert_int_equal(verb_hr(b, officer, "request.deny", "{\"id\":3}"), 0);
	assert_int_equal(verb_hr(b, b->admin, "ca.rights.set", "{\"which\":\"officer\"}"), 0);
	assert_int_equal(verb_hr(b, officer, "request.revoke", args), 0);
	token_unref(officer);
}

static void
test_rights_refusals(void **state)
{
	static const struct {
		const char *args;
		uint32_t hr;
	} cases[] = {
		{ "{}", E_INVALIDARG },
		{ "{\"which\":\"auditor\"}", E_INVALIDARG },
		{ "{\"which\":\"agent\",\"what\":\"allow\"}", E_INVALIDARG },
		{ "{\"which\":\"agent\",\"what\":\"permit\",\"principal\":\"DU\"}", E_INVALIDARG },
		{ "{\"which\":\"agent\",\"what\":\"remove\",\"principal\":\"DU\"}", E_INVALIDARG },
		{ "{\"which\":\"agent\",\"what\":\"allow\",\"principal\":\"DU\",\"subjects\":[7]}", E_INVALIDARG },
		{ "{\"which\":\"agent\",\"what\":\"allow\",\"principal\":\"DU\",\"templates\":\"User\"}",
		    E_INVALIDARG },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		print_message("  %s\n", cases[i].args);
		assert_int_equal(verb_hr(b, b->admin, "ca.rights.change", cases[i].args), cases[i].hr);
	}
	assert_int_equal(verb_hr(b, b->admin, "ca.rights.set",
			     "{\"which\":\"agent\",\"sddl\":\"D:(A;;0x10000;;;DU)\"}"),
	    E_INVALID_DATA); /* no callback ACE */
	assert_int_equal(verb_hr(b, b->user, "ca.rights.set", "{\"which\":\"agent\"}"), E_ACCESSDENIED);
	assert_null(b->ca->live->agents);
}

/* ---- the list ---- */

static void
test_put(void **state)
{
	static const struct sid *const sids[] = { &SID_EVERYONE, &SID_AUTHENTICATED_USERS };
	struct pool *pool = pool_new(1u << 20);
	struct restriction v[8];
	struct err e;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(ca_restriction_put(v, &n, pool,
				     &(struct restriction){ true, SID_NETWORK, sids[i], 1, "User" }, &e),
		    0);
	assert_int_equal(n, 1); /* the same one */
	assert_int_equal(v[0].n_subjects, 2);
	assert_int_equal(ca_restriction_put(v, &n, pool,
			     &(struct restriction){ false, SID_NETWORK, sids[0], 1, "user" }, &e),
	    0);
	assert_int_equal(n, 2);
	assert_false(v[0].allow); /* denials first; the permission lost what is denied */
	assert_int_equal(v[1].n_subjects, 1);
	assert_true(sid_equal(&v[1].subjects[0], sids[1]));
	assert_int_equal(ca_restriction_put(v, &n, pool,
			     &(struct restriction){ true, SID_NETWORK, sids[0], 1, "User" }, &e),
	    0);
	assert_int_equal(n, 1); /* the denial is lifted, and gone */
	assert_int_equal(v[0].n_subjects, 2);
	assert_int_equal(ca_restriction_put(v, &n, pool,
			     &(struct restriction){ true, SID_NETWORK, sids[0], 1, "" }, &e),
	    0);
	assert_int_equal(n, 2); /* every template is another entry */
	pool_free(pool);
}

/* ---- interface flags ---- */

static void
test_interface(void **state)
{
	static const struct {
		const char *flags;
		bool privacy;
		uint32_t hr;
	} cases[] = {
		{ "0x641", true, 0 },
		{ "0x641", false, E_ACCESSDENIED },
		{ "-IF_ENFORCEENCRYPTICERTADMIN", false, 0 },
		{ "+IF_NOREMOTEICERTADMIN", true, E_ACCESSDENIED },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ca_caller who = caller(b->admin);
		struct verb_answer v = { 0 };

		set(b, "CA\\\\InterfaceFlags", cases[i].flags, 0);
		who.front = "ICertAdminD";
		who.privacy = cases[i].privacy;
		ca_admin_start(b->ca, &who, "ca.roles", NULL, on_verb, &v);
		while (!v.here)
			turn(b);
		assert_int_equal(v.hr, cases[i].hr);
		json_decref(v.result);
	}
	assert_int_equal(roles(b, b->admin), 0x303); /* the control socket is local */
}

/* ---- settings ---- */

static const char *
text_setting(struct bench *b, const char *name, char out[256])
{
	struct verb_answer v;
	char args[256], *s;

	snprintf(args, sizeof(args), "{\"name\":\"%s\"}", name);
	v = verb(b, b->admin, "ca.setting.show", args);
	assert_int_equal(v.hr, 0);
	s = json_dumps(json_object_get(json_array_get(json_object_get(v.result, "settings"), 0), "value"),
	    JSON_ENCODE_ANY | JSON_COMPACT);
	snprintf(out, 256, "%s", s);
	free(s);
	json_decref(v.result);
	return out;
}

static void
test_settings(void **state)
{
	struct bench *b = *state;
	char out[256];

	set(b, "policy\\\\EditFlags", "+EDITF_ATTRIBUTEENDDATE -0x2", 0);
	assert_string_equal(text_setting(b, "EditFlags", out), "\"0x11016c\"");
	assert_int_equal(b->ca->policy.edit_flags, 0x11016c); /* the next request sees it */
	set(b, "PolicyModules\\\\CertificateAuthority_MicrosoftDefault.Policy\\\\RequestDisposition", "0x101", 0);
	assert_int_equal(enroll(b, "CertificateTemplate:Supplied").disposition, CR_DISP_UNDER_SUBMISSION);
	set(b, "CA\\\\ValidityPeriodUnits", "1", 0);
	set(b, "CA\\\\CRLPublicationURLs", "+2:http://x/%3.crl", 0);
	assert_string_equal(b->ca->policy.cdp_urls.v[1], "http://x/" CA_NAME ".crl");
	ca_close(b->ca);
	start(b, NULL);
	assert_string_equal(text_setting(b, "EditFlags", out), "\"0x11016c\"");
	assert_string_equal(b->ca->policy.cdp_urls.v[1], "http://x/" CA_NAME ".crl");
	assert_int_equal(verb_hr(b, b->admin, "ca.setting.reset", "{\"name\":\"policy\\\\EditFlags\"}"), 0);
	assert_string_equal(text_setting(b, "EditFlags", out), "\"0x11014e\"");
	set(b, "CA\\\\CRLPublicationURLs", "-2:http://x/%3.crl", 0);
	assert_int_equal(b->ca->policy.cdp_urls.n, 1);

	set(b, "CA\\\\Nothing", "1", E_FILE_NOT_FOUND);
	set(b, "nowhere\\\\EditFlags", "1", E_FILE_NOT_FOUND);
	set(b, "EditFlags", "EDITF_NONSENSE", E_INVALIDARG);
	set(b, "ValidityPeriodUnits", "0", E_INVALIDARG);
	set(b, "ValidityPeriod", "Fortnights", E_INVALIDARG);
	set(b, "KeyType", "P-384", E_INVALIDARG); /* fixed */
	set(b, "CRLPublicationURLs", "nonsense", E_INVALIDARG);
	set(b, "Security", "D:(A;;0x200;;;AU)", CERTSRV_E_NO_CAADMIN_DEFINED);
	set(b, "SeBackupPrivilege", "nobody", E_INVALIDARG);
	assert_int_equal(
	    verb_hr(b, b->user, "ca.setting.set", "{\"name\":\"EditFlags\",\"value\":\"1\"}"), E_ACCESSDENIED);
	assert_int_equal(b->ca->policy.cdp_urls.n, 1); /* nothing of it happened */
}

/* ---- the copy in the directory ---- */

static void
test_mirror(void **state)
{
	static const struct {
		const char *service, *ca, *after;
	} cases[] = {
		{ "D:(OA;;CR;0e10c968-78fb-11d2-90d4-00c04f79dc55;;AU)(A;;LCRPLORC;;;AU)",
		    "D:(A;;0x3;;;BA)(A;;0x201;;;DU)(D;;0x200;;;DG)",
		    "D:(OD;;CR;0e10c968-78fb-11d2-90d4-00c04f79dc55;;DG)"
		    "(OA;;CR;0e10c968-78fb-11d2-90d4-00c04f79dc55;;DU)(A;;LCRPLORC;;;AU)" },
		{ "D:(OA;;CR;a05b8cc2-17bc-4802-a710-e7c15ab866a2;;AU)", "D:(A;;0x3;;;BA)",
		    "D:(OA;;CR;a05b8cc2-17bc-4802-a710-e7c15ab866a2;;AU)" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1u << 20);
		struct sddl_domain dom;
		struct sd service, ca;
		struct err e = { 0 };
		struct buf out;

		assert_int_equal(
		    sid_from_text(&dom.domain, "S-1-5-21-1111111111-2222222222-3333333333", &e), 0);
		dom.root = dom.domain;
		assert_int_equal(sd_from_sddl(&service, pool, cases[i].service, &dom, &e), 0);
		assert_int_equal(sd_from_sddl(&ca, pool, cases[i].ca, &dom, &e), 0);
		assert_int_equal(ca_enroll_mirror(&service, &ca, pool, &e), 0);
		buf_init(&out, 65536);
		assert_int_equal(sd_to_sddl(&service, &out, &dom, &e), 0);
		assert_int_equal(sd_from_sddl(&ca, pool, cases[i].after, &dom, &e), 0);
		buf_reset(&out);
		assert_int_equal(sd_to_sddl(&service, &out, &dom, &e), 0);
		{
			struct buf expected;

			buf_init(&expected, 65536);
			assert_int_equal(sd_to_sddl(&ca, &expected, &dom, &e), 0);
			assert_string_equal(buf_cstr(&out), buf_cstr(&expected));
			buf_fini(&expected);
		}
		buf_fini(&out);
		pool_free(pool);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_roles, setup, teardown),
		cmocka_unit_test_setup_teardown(test_separation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restricted_officer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rights_refusals, setup, teardown),
		cmocka_unit_test(test_put),
		cmocka_unit_test_setup_teardown(test_interface, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settings, setup, teardown),
		cmocka_unit_test(test_mirror),
	};

	return cmocka_run_group_tests_name("ca roles", tests, NULL, NULL);
}
