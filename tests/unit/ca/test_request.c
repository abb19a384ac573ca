/*
 * Requests through the door, with a directory made of a few templates and one account: gates, verdicts,
 * retrieval, officer actions, administration. OpenSSL writes the requests and reads the certificates.
 */
#include "bench_ask.h"

#include <openssl/pem.h>

/* ---- asking ---- */

static struct answer
retrieve(struct bench *b, uint32_t id, const char *attributes)
{
	struct ca_caller who = caller(b->user);

	return ask_as(b, &who,
	    &(struct ca_request_args){ .authority = CA_NAME, .request_id = id, .attributes = attributes });
}

/* ---- tests ---- */

static void
test_gates(void **state)
{
	static const struct {
		const char *name, *front;
		bool anonymous, clear;
		uint32_t flags;
		const char *authority;
		uint32_t hr;
	} cases[] = {
		{ "anonymous", "ICertPassage", true, false, 0, CA_NAME, E_ACCESSDENIED },
		{ "not encrypted", "ICertPassage", false, true, 0, CA_NAME, E_ACCESSDENIED },
		{ "not encrypted, DCOM", "ICertRequestD", false, true, 0, CA_NAME, E_ACCESSDENIED },
		{ "another CA", "ICertPassage", false, false, 0, "Fabrikam CA", E_INVALIDARG },
		{ "no authority", "ICertPassage", false, false, 0, NULL, E_INVALIDARG },
		{ "an option that is off", "ICertPassage", false, false, 0x04000000, CA_NAME, E_INVALIDARG },
		{ "renewal on behalf", "ICertPassage", false, false, 0x00200000, CA_NAME, E_INVALIDARG },
	};
	struct bench *b = *state;
	struct answer a;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ca_caller who = caller(cases[i].anonymous ? NULL : b->user);

		print_message("  %s\n", cases[i].name);
		who.front = cases[i].front;
		who.privacy = !cases[i].clear;
		a = ask_as(b, &who,
		    &(struct ca_request_args){ .flags = cases[i].flags,
			.authority = cases[i].authority,
			.attributes = "CertificateTemplate:Supplied",
			.request = csr() });
		assert_int_equal(a.hr, cases[i].hr);
		assert_int_equal(a.disposition, cases[i].hr);
		assert_int_equal(a.id, 0);
		assert_string_equal(a.message, hresult_text(cases[i].hr));
	}
	a = enroll(b, "CertificateTemplate:Supplied"); /* none of them took an id */
	assert_int_equal(a.id, 1);
}

static void
test_verdicts(void **state)
{
	static const struct {
		const char *name, *attributes;
		uint32_t flags;
		size_t cut; /* octets of the request, 0: all */
		uint32_t disposition;
		const char *message;
	} cases[] = {
		{ "issued", "CertificateTemplate:Supplied", 0, 0, CR_DISP_ISSUED, "Issued" },
		{ "issued, type named", "CertificateTemplate:Supplied", 0x100, 0, CR_DISP_ISSUED, "Issued" },
		{ "built from the directory", "CertificateTemplate:Built", 0, 0, CR_DISP_ISSUED, "Issued" },
		{ "pending", "CertificateTemplate:Waiting", 0, 0, CR_DISP_UNDER_SUBMISSION,
		    "Taken Under Submission" },
		{ "no template", "", 0, 0, CERTSRV_E_NO_CERT_TYPE, "Denied by Policy Module  0x80094801, " },
		{ "unknown template", "CertificateTemplate:Nothing", 0, 0, CERTSRV_E_UNSUPPORTED_CERT_TYPE,
		    "Denied by Policy Module  0x80094800, The request was for a certificate template that is "
		    "not supported" },
		{ "not published", "CertificateTemplate:Unpublished", 0, 0, CERTSRV_E_UNSUPPORTED_CERT_TYPE,
		    "Denied by Policy Module  0x80094800, " },
		{ "no Enroll right", "CertificateTemplate:Closed", 0, 0, CERTSRV_E_TEMPLATE_DENIED,
		    "Denied by Policy Module  0x80094012, The permissions on the certificate template" },
		{ "cut short", "CertificateTemplate:Supplied", 0, 40, CRYPT_E_ASN1_EOD,
		    "Error Parsing Request  " },
		{ "another type named", "CertificateTemplate:Supplied", 0x400, 0, CRYPT_E_INVALID_MSG_TYPE,
		    "Error Parsing Request  Invalid cryptographic message type. 0x80091004 " },
	};
	struct bench *b = *state;
	struct ca_caller who = caller(b->user);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes request = csr();
		struct answer a, again;

		print_message("  %s\n", cases[i].name);
		if (cases[i].cut > 0)
			request.len = cases[i].cut;
		a = ask_as(b, &who,
		    &(struct ca_request_args){ .flags = cases[i].flags,
			.authority = "corp-CA01-ca",
			.attributes = cases[i].attributes,
			.request = request });
		assert_int_equal(a.hr, 0);
		assert_int_equal(a.id, i + 1);
		assert_int_equal(a.disposition, cases[i].disposition);
		assert_int_equal(strncmp(a.message, cases[i].message, strlen(cases[i].message)), 0);
		assert_int_equal(a.len > 0, cases[i].disposition == CR_DISP_ISSUED);
		assert_int_equal(a.chain_len > 0, cases[i].disposition == CR_DISP_ISSUED);

		again = retrieve(b, a.id, NULL);
		assert_int_equal(again.id, a.id);
		assert_string_equal(again.message, a.message);
		if (cases[i].disposition == CR_DISP_ISSUED) {
			assert_int_equal(again.disposition, CR_DISP_ISSUED);
			assert_memory_equal(again.certificate, a.certificate, a.len);
		} else if (strncmp(a.message, "Denied", 6) == 0) {
			assert_int_equal(again.hr, CERTSRV_E_ADMIN_DENIED_REQUEST);
			assert_int_equal(again.disposition, CR_DISP_DENIED);
		} else {
			assert_int_equal(again.disposition, a.disposition);
		}
	}
}

static void
test_bad_signature(void **state)
{
	struct bench *b = *state;
	struct ca_caller who = caller(b->user);
	uint8_t der[2048];
	struct bytes good = csr();
	struct answer a;

	memcpy(der, good.p, good.len);
	der[good.len - 1] ^= 1;
	a = ask_as(b, &who,
	    &(struct ca_request_args){ .authority = CA_NAME,
		.attributes = "CertificateTemplate:Supplied",
		.request = { der, good.len } });
	assert_int_equal(a.disposition, NTE_BAD_SIGNATURE);
	assert_int_equal(
	    strncmp(a.message, "Error Verifying Request Signature or Signing Certificate  ", 58), 0);
}

/* What is issued verifies with OpenSSL, and its serial number carries the request id. */
static void
test_certificate(void **state)
{
	struct bench *b = *state;
	struct answer a = enroll(b, "CertificateTemplate:Supplied");
	const unsigned char *p = a.certificate;
	X509 *cert = d2i_X509(NULL, &p, (long)a.len), *ca;
	const ASN1_INTEGER *serial;
	char path[96];
	FILE *f;

	assert_non_null(cert);
	snprintf(path, sizeof(path), "%s/ca.crt", b->state);
	f = fopen(path, "r");
	ca = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	assert_int_equal(X509_verify(cert, X509_get0_pubkey(ca)), 1);
	serial = X509_get0_serialNumber(cert);
	assert_int_equal(ASN1_STRING_length(serial), 19);
	assert_memory_equal(ASN1_STRING_get0_data(serial) + 15, "\0\0\0\x01", 4);
	X509_free(cert);
	X509_free(ca);
}

static void
test_retrieve_refused(void **state)
{
	struct bench *b = *state;
	struct answer a;

	assert_int_equal(retrieve(b, 0, NULL).hr, E_INVALIDARG);
	assert_int_equal(retrieve(b, 0, "").hr, E_INVALIDARG);
	assert_int_equal(retrieve(b, 0, "not a serial number").hr, E_INVALIDARG);
	assert_int_equal(retrieve(b, 0, "61 00 00").hr, CERTSRV_E_PROPERTY_EMPTY);
	assert_int_equal(retrieve(b, 77, NULL).hr, CERTSRV_E_PROPERTY_EMPTY);
	a = retrieve(b, 77, "stray");
	assert_int_equal(a.disposition, CERTSRV_E_PROPERTY_EMPTY);
}

static void
test_directory_down(void **state)
{
	struct bench *b = *state;
	struct answer a;

	b->dir.down = true;
	a = enroll(b, "CertificateTemplate:Supplied");
	b->dir.down = false;
	assert_int_equal(a.hr, 0);
	assert_int_equal(a.disposition, E_DS_SERVER_DOWN);
	assert_int_equal(a.len, 0);
}

static void
test_rehearse(void **state)
{
	static const struct {
		const char *args, *verdict, *hr;
		bool down;
	} rows[] = {
		{ "{\"as\":\"x\",\"template\":\"Supplied\",\"subject\":\"CN=x\"}", "issued", "0x00000000",
		    false },
		{ "{\"as\":\"x\",\"template\":\"Waiting\",\"subject\":\"CN=x\"}", "pending", "0x00000000",
		    false },
		{ "{\"as\":\"x\",\"template\":\"Nonsense\"}", "denied", "0x80094800", false },
		{ "{\"as\":\"x\"}", "denied", "0x80094801", false },
		{ "{\"as\":\"x\",\"template\":\"Supplied\",\"csr\":\"AAAA\"}", "failed", "0x80093102",
		    false },
		{ "{\"as\":\"x\",\"template\":\"Supplied\",\"flags\":16777216}", "refused", "0x80070057",
		    false },
		{ "{\"as\":\"x\",\"template\":\"Supplied\"}", "denied", "0x8007203a", true },
	};
	struct bench *b = *state;

	assert_int_equal(verb_hr(b, b->admin, "rehearse", rows[0].args), E_UNEXPECTED); /* no accounts yet */
	ca_set_accounts(b->ca, &(struct ca_accounts){ token_of, b });
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct verb_answer v;

		b->dir.down = rows[i].down;
		v = verb(b, b->admin, "rehearse", rows[i].args);
		b->dir.down = false;
		assert_int_equal(v.hr, 0);
		if (strcmp(json_string_value(json_object_get(v.result, "verdict")), rows[i].verdict) != 0 ||
		    strcmp(json_string_value(json_object_get(v.result, "hr")), rows[i].hr) != 0)
			fail_msg("%s: %s %s", rows[i].args,
			    json_string_value(json_object_get(v.result, "verdict")),
			    json_string_value(json_object_get(v.result, "hr")));
		json_decref(v.result);
	}
	assert_int_equal(verb_hr(b, b->admin, "rehearse", "{\"as\":\"nobody\"}"), E_DS_NO_SUCH_OBJECT);
	assert_int_equal(verb_hr(b, b->admin, "rehearse", "{}"), E_INVALIDARG);
	assert_int_equal(verb_hr(b, b->admin, "rehearse", "{\"as\":\"x\",\"csr\":\"\"}"), E_INVALIDARG);
	assert_int_equal(
	    verb_hr(b, b->admin, "rehearse", "{\"as\":\"x\",\"csr\":\"AAAA\",\"key\":\"rsa:2048\"}"),
	    E_INVALIDARG);
	assert_int_equal(verb_hr(b, b->user, "rehearse", rows[0].args), E_ACCESSDENIED);
	assert_int_equal(verb_hr(b, b->admin, "principal.show", "{\"name\":\"x\"}"), 0);
	/* none of them took an id */
	assert_int_equal(enroll(b, "CertificateTemplate:Supplied").id, 1);
}

static void
test_officer(void **state)
{
	struct bench *b = *state;
	struct verb_answer v;
	struct answer a;

	assert_int_equal(enroll(b, "CertificateTemplate:Waiting").disposition, CR_DISP_UNDER_SUBMISSION);
	assert_int_equal(enroll(b, "CertificateTemplate:Waiting").disposition, CR_DISP_UNDER_SUBMISSION);
	assert_int_equal(verb_hr(b, b->user, "request.issue", "{\"id\":1}"), E_ACCESSDENIED);
	assert_int_equal(verb_hr(b, b->user, "request.deny", "{\"id\":1}"), E_ACCESSDENIED);

	v = verb(b, b->admin, "request.issue", "{\"id\":1}");
	assert_int_equal(v.hr, 0);
	assert_int_equal(json_integer_value(json_object_get(v.result, "disposition")), CR_DISP_ISSUED);
	assert_string_equal(json_string_value(json_object_get(v.result, "message")),
	    "Issued  Resubmitted by CORP\\Administrator");
	json_decref(v.result);
	a = retrieve(b, 1, NULL);
	assert_int_equal(a.disposition, CR_DISP_ISSUED);
	assert_true(a.len > 0);
	assert_int_equal(verb_hr(b, b->admin, "request.issue", "{\"id\":1}"), CERTSRV_E_BAD_REQUESTSTATUS);
	assert_int_equal(verb_hr(b, b->admin, "request.deny", "{\"id\":1}"), CERTSRV_E_BAD_REQUESTSTATUS);

	assert_int_equal(verb_hr(b, b->admin, "request.deny", "{\"id\":2}"), 0);
	a = retrieve(b, 2, NULL);
	assert_int_equal(a.hr, CERTSRV_E_ADMIN_DENIED_REQUEST);
	assert_int_equal(a.disposition, CR_DISP_DENIED);
	assert_string_equal(a.message, "Denied by CORP\\Administrator");
	assert_int_equal(verb_hr(b, b->admin, "request.issue", "{\"id\":2}"), 0); /* an administrator may */
	assert_int_equal(retrieve(b, 2, NULL).disposition, CR_DISP_ISSUED);
	assert_int_equal(verb_hr(b, b->admin, "request.issue", "{\"id\":9}"), CERTSRV_E_PROPERTY_EMPTY);
}

static void
test_verb_refusals(void **state)
{
	static const struct {
		const char *name, *args;
		bool admin;
		uint32_t hr;
	} cases[] = {
		{ "no.such.verb", "{}", true, E_INVALIDARG },
		{ "ca.publish", "{}", true, E_INVALIDARG },
		{ "ca.publish", "{\"template\":7}", true, E_INVALIDARG },
		{ "ca.publish", "{\"template\":\"Nothing\"}", true, CERTSRV_E_UNKNOWN_CERT_TYPE },
		{ "ca.publish", "{\"template\":\"Unpublished\"}", false, E_ACCESSDENIED },
		{ "ca.unpublish", "{\"template\":\"Unpublished\"}", true, CERTSRV_E_UNKNOWN_CERT_TYPE },
		{ "ca.acl.grant", "{\"principal\":\"DU\"}", true, E_INVALIDARG },
		{ "ca.acl.grant", "{\"principal\":\"DU\",\"rights\":[\"Fly\"]}", true, E_INVALIDARG },
		{ "ca.acl.grant", "{\"principal\":\"DU\",\"rights\":[\"Read\"]}", false, E_ACCESSDENIED },
		{ "request.show", "{}", true, E_INVALIDARG },
		{ "request.show", "{\"id\":0}", true, E_INVALIDARG },
		{ "request.show", "{\"id\":99}", true, CERTSRV_E_PROPERTY_EMPTY },
		{ "request.list", "{\"state\":\"happy\"}", true, E_INVALIDARG },
		{ "request.list", "{\"limit\":0}", true, E_INVALIDARG },
		{ "request.revoke", "{\"id\":1}", false, E_ACCESSDENIED },
		{ "request.revoke", "{}", true, E_INVALIDARG },
		{ "request.revoke", "{\"id\":99}", true, CERTSRV_E_PROPERTY_EMPTY },
		{ "request.revoke", "{\"serial\":\"61\"}", true, E_INVALIDARG },
		{ "request.revoke", "{\"id\":1,\"reason\":\"7\"}", true, E_INVALIDARG },
		{ "request.revoke", "{\"id\":1,\"effective\":\"soon\"}", true, E_INVALIDARG },
		{ "request.unrevoke", "{\"id\":1}", false, E_ACCESSDENIED },
		{ "crl.publish", "{}", false, E_ACCESSDENIED },
		{ "journal", "{\"limit\":1001}", true, E_INVALIDARG },
		{ "journal", "{}", false, E_ACCESSDENIED },
		{ "clock.advance", "{\"seconds\":\"1\"}", true, E_INVALIDARG },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		print_message("  %s %s\n", cases[i].name, cases[i].args);
		assert_int_equal(
		    verb_hr(b, cases[i].admin ? b->admin : b->user, cases[i].name, cases[i].args),
		    cases[i].hr);
	}
}

static void
test_publish(void **state)
{
	struct bench *b = *state;
	struct verb_answer v;

	assert_true(
	    enroll(b, "CertificateTemplate:Unpublished").disposition == CERTSRV_E_UNSUPPORTED_CERT_TYPE);
	v = verb(b, b->admin, "ca.publish", "{\"template\":\"unpublished\"}");
	assert_int_equal(v.hr, 0);
	assert_string_equal(
	    json_string_value(json_array_get(json_object_get(v.result, "templates"), 0)), "Unpublished");
	json_decref(v.result);
	assert_int_equal(
	    enroll(b, "CertificateTemplate:Unpublished").disposition, CR_DISP_ISSUED); /* the next one */
	assert_int_equal(verb_hr(b, b->admin, "ca.unpublish", "{\"template\":\"Unpublished\"}"), 0);
	assert_true(
	    enroll(b, "CertificateTemplate:Unpublished").disposition == CERTSRV_E_UNSUPPORTED_CERT_TYPE);
}

static void
test_acl_verbs(void **state)
{
	struct bench *b = *state;

	assert_int_equal(
	    verb_hr(b, b->admin, "ca.acl.deny", "{\"principal\":\"AU\",\"rights\":[\"Enroll\"]}"), 0);
	assert_int_equal(enroll(b, "CertificateTemplate:Supplied").hr, CERTSRV_E_ENROLL_DENIED);
	ca_close(b->ca);
	start(b, NULL); /* kept over a restart, and the objects in the directory are left alone */
	assert_int_equal(enroll(b, "CertificateTemplate:Supplied").hr, CERTSRV_E_ENROLL_DENIED);
	assert_int_equal(
	    verb_hr(b, b->admin, "ca.acl.grant", "{\"principal\":\"AU\",\"rights\":[\"Enroll\"]}"), 0);
	assert_int_equal(enroll(b, "CertificateTemplate:Supplied").disposition, CR_DISP_ISSUED);
}

static void
test_reading_verbs(void **state)
{
	struct bench *b = *state;
	struct verb_answer v;
	json_t *rules, *records;

	enroll(b, "CertificateTemplate:Supplied\nrmd:ws01");
	enroll(b, "CertificateTemplate:Closed");
	v = verb(b, b->admin, "request.list", "{\"newest\":true,\"limit\":1}");
	assert_int_equal(json_array_size(json_object_get(v.result, "requests")), 1);
	assert_int_equal(json_integer_value(json_object_get(v.result, "next")), 2);
	json_decref(v.result);
	v = verb(b, b->admin, "request.show", "{\"id\":1}");
	assert_string_equal(json_string_value(json_object_get(v.result, "state")), "issued");
	assert_string_equal(json_string_value(json_object_get(v.result, "templateName")), "Supplied");
	assert_string_equal(json_string_value(json_object_get(v.result, "commonName")), "device");
	assert_string_equal(
	    json_string_value(json_object_get(json_object_get(v.result, "attributes"), "rmd")), "ws01");
	assert_string_equal(
	    json_string_value(json_object_get(json_object_get(v.result, "columns"), "PublicKeyAlgorithm")),
	    "1.2.840.10045.2.1");
	assert_non_null(json_object_get(v.result, "pem"));
	json_decref(v.result);
	v = verb(b, b->admin, "request.explain", "{\"id\":2}");
	rules = json_object_get(v.result, "rules");
	assert_true(json_array_size(rules) > 0);
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(rules, json_array_size(rules) - 1), "said")),
	    "refuse");
	json_decref(v.result);
	v = verb(b, b->admin, "journal", "{\"after\":1}"); /* the first one is the CRL of the first start */
	records = json_object_get(v.result, "records");
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(records, 0), "verdict")), "issued");
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(records, 1), "hr")), "0x80094012");
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(records, 0), "caller")), "CORP\\janedoe");
	json_decref(v.result);
	v = verb(b, b->admin, "ca.show", "{}");
	assert_string_equal(
	    json_string_value(json_object_get(v.result, "config")), "ca01.corp.contoso.com\\" CA_NAME);
	assert_int_equal(json_array_size(json_object_get(v.result, "templates")), 4);
	json_decref(v.result);
	v = verb(b, b->admin, "stats", "{}");
	assert_int_equal(json_integer_value(json_object_get(v.result, "issued")), 1);
	assert_int_equal(json_integer_value(json_object_get(v.result, "denied")), 1);
	json_decref(v.result);
	v = verb(b, b->admin, "ca.cert", "{}");
	assert_int_equal(
	    strncmp(json_string_value(json_object_get(v.result, "pem")), "-----BEGIN CERTIFICATE-----\n", 28),
	    0);
	json_decref(v.result);
}

static void
test_restart(void **state)
{
	struct bench *b = *state;
	unsigned adds = b->dir.adds, modifications = b->dir.modifications;

	assert_int_equal(adds, 7);
	assert_int_equal(modifications, 1); /* the first CRLs */
	enroll(b, "CertificateTemplate:Supplied");
	ca_close(b->ca);
	start(b, NULL);
	assert_int_equal(b->dir.adds, adds);
	assert_int_equal(b->dir.modifications, modifications);
	assert_int_equal(retrieve(b, 1, NULL).disposition, CR_DISP_ISSUED);
	assert_int_equal(enroll(b, "CertificateTemplate:Supplied").id, 2);
}

/* The CA closes while requests are on their way: each is answered once, and what was acknowledged is there.
 */
static void
test_close_under_way(void **state)
{
	struct bench *b = *state;
	struct ca_caller who = caller(b->user);
	struct ca_request_args args = {
		.authority = CA_NAME, .attributes = "CertificateTemplate:Supplied", .request = csr()
	};
	static struct answer answers[20];
	struct later *l;

	memset(answers, 0, sizeof(answers));
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		ca_request_start(b->ca, &who, &args, on_answer, &answers[i]);
		if (i == 9) {
			turn(b);
			turn(b);
		}
	}
	ca_close(b->ca);
	for (l = b->dir.first; l != NULL;) { /* the directory answers late */
		struct later *next = l->next;

		l->run(l);
		free(l);
		l = next;
	}
	b->dir.first = NULL;
	b->dir.tail = &b->dir.first;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++)
		assert_true(answers[i].here);
	start(b, NULL);
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		if (answers[i].disposition == CR_DISP_ISSUED)
			assert_int_equal(retrieve(b, answers[i].id, NULL).disposition, CR_DISP_ISSUED);
		else
			assert_int_equal(answers[i].hr, E_CANCELLED);
	}
}

static void
test_wrong_name(void **state)
{
	struct bench *b = *state;
	char path[96];
	struct ca_config cfg = { .state_dir = b->state,
		.settings_file = path,
		.clock = b->clock,
		.rng = &b->rng,
		.work = b->work,
		.dir = &b->dir };
	struct err e = { 0 };
	FILE *f;

	ca_close(b->ca);
	snprintf(path, sizeof(path), "%s/given.ini", b->state);
	f = fopen(path, "w");
	fputs("[CA]\nCommonName = Another CA\n", f);
	fclose(f);
	assert_null(ca_open(&cfg, on_ready, b, &e));
	assert_non_null(
	    strstr(e.msg, "CommonName is 'Another CA', but the CA certificate says '" CA_NAME "'"));
	f = fopen(path, "w");
	fputs("[CA]\nCAVersion = 6\n", f);
	fclose(f);
	b->ca = ca_open(&cfg, on_ready, b, &e);
	assert_non_null(b->ca);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_gates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_verdicts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_signature, setup, teardown),
		cmocka_unit_test_setup_teardown(test_certificate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_retrieve_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_directory_down, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rehearse, setup, teardown),
		cmocka_unit_test_setup_teardown(test_officer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_verb_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_publish, setup, teardown),
		cmocka_unit_test_setup_teardown(test_acl_verbs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reading_verbs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_close_under_way, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_name, setup, teardown),
	};

	return cmocka_run_group_tests_name("ca requests", tests, NULL, NULL);
}
