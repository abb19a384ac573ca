/* What officers and administrators edit: extensions and attributes of a request that waits, the list of templates, the
 * audit filter. */
#include "bench_ask.h"

#include <openssl/asn1.h>

#include "ca/admin_priv.h"

#define OFFICER_SID "S-1-5-21-1111111111-2222222222-3333333333-1200"
#define WAITING "CertificateTemplate:Waiting"
#define OID "1.3.6.1.4.1.99999.1"

static struct token *
officer(struct bench *b)
{
	assert_int_equal(verb_hr(b, b->admin, "ca.acl.grant",
			     "{\"principal\":\"" OFFICER_SID "\",\"rights\":[\"ManageCertificates\",\"Read\"]}"),
	    0);
	return make_token("CORP\\officer", OFFICER_SID);
}

static uint32_t
set_extension(struct bench *b, uint32_t id, const char *oid, int type, int flags, const char *value)
{
	char args[1024];

	snprintf(args, sizeof(args),
	    "{\"id\":%u,\"oid\":\"%s\",\"type\":%d,\"flags\":%d,\"value\":\"%s\"}", id, oid, type, flags, value);
	return verb_hr(b, b->admin, "request.set-extension", args);
}

/* The extension of an issued certificate: its value, and whether it is critical. -1: not there. */
static int
extension_of(struct bench *b, uint32_t id, const char *oid, const char *hex)
{
	struct answer a = { 0 };
	struct ca_caller who = caller(b->user);
	const uint8_t *p = a.certificate;
	ASN1_OBJECT *name = OBJ_txt2obj(oid, 1);
	char text[512] = "";
	X509 *cert;
	int at, critical = -1;

	a = ask_as(b, &who, &(struct ca_request_args){ .authority = CA_NAME, .request_id = id });
	assert_int_equal(a.disposition, CR_DISP_ISSUED);
	p = a.certificate;
	cert = d2i_X509(NULL, &p, (long)a.len);
	assert_non_null(cert);
	at = X509_get_ext_by_OBJ(cert, name, -1);
	if (at >= 0) {
		X509_EXTENSION *x = X509_get_ext(cert, at);
		const ASN1_OCTET_STRING *v = X509_EXTENSION_get_data(x);

		critical = X509_EXTENSION_get_critical(x);
		for (int i = 0; i < ASN1_STRING_length(v) && i < 200; i++)
			snprintf(text + 2 * i, 3, "%02x", ASN1_STRING_get0_data(v)[i]);
		if (hex != NULL)
			assert_string_equal(text, hex);
		assert_int_equal(X509_get_ext_by_OBJ(cert, name, at), -1);
	}
	ASN1_OBJECT_free(name);
	X509_free(cert);
	return critical;
}

/* flags and origin of a row's extension as request.show tells; NULL: none. */
static const char *
shown(struct bench *b, uint32_t id, const char *oid)
{
	static char text[64];
	struct verb_answer v;
	char args[32];
	json_t *x;
	size_t i;

	snprintf(args, sizeof(args), "{\"id\":%u}", id);
	v = verb(b, b->admin, "request.show", args);
	text[0] = '\0';
	json_array_foreach(json_object_get(v.result, "extensions"), i, x)
	{
		if (strcmp(json_string_value(json_object_get(x, "oid")), oid) == 0)
			snprintf(text, sizeof(text), "%s%s%s", json_string_value(json_object_get(x, "origin")),
			    json_is_true(json_object_get(x, "critical")) ? " critical" : "",
			    json_is_true(json_object_get(x, "enabled")) ? "" : " disabled");
	}
	json_decref(v.result);
	return text;
}

static void
test_extension_values(void **state)
{
	static const struct {
		int type;
		const char *base64, *der; /* der NULL: refused */
	} cases[] = {
		{ 1, "BwAAAA==", "020107" },
		{ 1, "/////w==", "020500ffffffff" },
		{ 1, "BwAA", NULL },
		{ 1, "", NULL },
		{ 2, "ACAWLL7x3AE=", "170d3236303630313132303030305a" },
		{ 2, "ACAWLL7x", NULL },
		{ 2, "/////////38=", NULL }, /* past the year 9999 */
		{ 2, "AAAAAAAAAIA=", NULL },
		{ 3, "BQA=", "0500" },
		{ 3, "", "" },
		{ 4, "aABpAAAA", "16026869" },
		{ 4, "AAA=", "1600" },
		{ 4, "aABpAA==", NULL },     /* no NUL */
		{ 4, "aAAAAGkAAAA=", NULL }, /* one within */
		{ 4, "5AAAAA==", NULL },     /* not ASCII */
		{ 4, "aAA=", NULL },
		{ 4, "", NULL },
		{ 0, "BQA=", NULL },
		{ 5, "BQA=", NULL },
		{ 3, "*", NULL },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t id = enroll(b, WAITING).id;
		uint32_t hr = set_extension(b, id, OID, cases[i].type, 0, cases[i].base64);
		char args[32];

		print_message("  %d %s\n", cases[i].type, cases[i].base64);
		assert_int_equal(hr, cases[i].der != NULL ? 0 : E_INVALIDARG);
		snprintf(args, sizeof(args), "{\"id\":%u}", id);
		assert_int_equal(verb_hr(b, b->admin, "request.issue", args), 0);
		assert_int_equal(extension_of(b, id, OID, cases[i].der), cases[i].der != NULL ? 0 : -1);
	}
}

static void
test_extensions_govern(void **state)
{
	struct bench *b = *state;
	uint32_t id = enroll(b, WAITING).id;

	assert_int_equal(set_extension(b, id, "2.5.29.37", 3, 1, "MAA="), 0); /* instead of the template's */
	assert_int_equal(set_extension(b, id, "2.5.29.15", 3, 2, ""), 0);
	assert_int_equal(set_extension(b, id, OID, 3, 2, "BQA="), 0);
	assert_int_equal(set_extension(b, id, OID, 3, 0, "AQEA"), 0); /* replaces */
	assert_string_equal(shown(b, id, "2.5.29.15"), "officer disabled");
	assert_int_equal(verb_hr(b, b->admin, "request.issue", "{\"id\":1}"), 0);
	assert_int_equal(extension_of(b, id, "2.5.29.37", "3000"), 1);
	assert_int_equal(extension_of(b, id, "2.5.29.15", NULL), -1);
	assert_int_equal(extension_of(b, id, OID, "010100"), 0);
	assert_string_equal(shown(b, id, "2.5.29.37"), "officer critical");
	assert_string_equal(shown(b, id, "2.5.29.15"), "officer disabled");
	assert_string_equal(shown(b, id, "2.5.29.14"), "policy");
}

/* Denied in between, and issued by an administrator: the officer's word still counts. */
static void
test_extensions_stay(void **state)
{
	struct bench *b = *state;
	uint32_t id = enroll(b, WAITING).id;

	assert_int_equal(set_extension(b, id, "2.5.29.15", 3, 2, ""), 0);
	assert_int_equal(verb_hr(b, b->admin, "request.deny", "{\"id\":1}"), 0);
	assert_int_equal(set_extension(b, id, OID, 3, 0, "BQA="), CERTSRV_E_BAD_REQUESTSTATUS);
	assert_int_equal(verb_hr(b, b->admin, "request.issue", "{\"id\":1}"), 0);
	assert_int_equal(extension_of(b, id, "2.5.29.15", NULL), -1);
	assert_string_equal(shown(b, id, "2.5.29.15"), "officer disabled");
}

static void
test_attributes_govern(void **state)
{
	struct bench *b = *state;
	struct verb_answer v;
	const json_t *attributes;

	assert_int_equal(verb_hr(b, b->admin, "ca.setting.set", "{\"name\":\"policy\\\\EditFlags\",\"value\":\"+0x40000\"}"), 0);
	assert_int_equal(enroll(b, WAITING "\nCcm:before").disposition, CR_DISP_UNDER_SUBMISSION);
	v = verb(b, b->admin, "request.set-attributes",
	    "{\"id\":1,\"attributes\":\"san:dns=edited.contoso.com\\nno colon\\r\\n:x\\ncCM:after\\nccm:later\"}");
	assert_int_equal(v.hr, 0);
	assert_int_equal(json_integer_value(json_object_get(v.result, "id")), 1);
	json_decref(v.result);
	v = verb(b, b->admin, "request.show", "{\"id\":1}");
	attributes = json_object_get(v.result, "attributes");
	assert_int_equal(json_object_size(attributes), 3);
	assert_string_equal(json_string_value(json_object_get(attributes, "CertificateTemplate")), "Waiting");
	assert_string_equal(json_string_value(json_object_get(attributes, "cCM")), "after");
	json_decref(v.result);
	assert_int_equal(verb_hr(b, b->admin, "request.issue", "{\"id\":1}"), 0);
	assert_int_equal(extension_of(b, 1, "2.5.29.17", "301482126564697465642e636f6e746f736f2e636f6d"), 0);
}

/* The template itself may be named anew: the request is decided by that one. */
static void
test_another_template(void **state)
{
	struct bench *b = *state;
	struct verb_answer v;

	assert_int_equal(enroll(b, WAITING).disposition, CR_DISP_UNDER_SUBMISSION);
	assert_int_equal(verb_hr(b, b->admin, "request.set-attributes", "{\"id\":1,\"attributes\":\"certificatetemplate:Supplied\"}"), 0);
	assert_int_equal(verb_hr(b, b->admin, "request.issue", "{\"id\":1}"), 0);
	v = verb(b, b->admin, "request.show", "{\"id\":1}");
	assert_string_equal(json_string_value(json_object_get(v.result, "templateName")), "Supplied");
	json_decref(v.result);
}

static void
test_edit_refusals(void **state)
{
	static const struct {
		const char *verb, *args;
		uint32_t hr;
	} cases[] = {
		{ "request.set-extension", "{\"id\":9,\"oid\":\"1.2.3\",\"type\":3,\"flags\":0,\"value\":\"\"}", CERTSRV_E_PROPERTY_EMPTY },
		{ "request.set-extension", "{\"id\":2,\"oid\":\"1.2.3\",\"type\":3,\"flags\":0,\"value\":\"\"}", CERTSRV_E_BAD_REQUESTSTATUS },
		{ "request.set-extension", "{\"id\":1,\"oid\":\"1.2.x\",\"type\":3,\"flags\":0,\"value\":\"\"}", E_INVALIDARG },
		{ "request.set-extension", "{\"id\":1,\"oid\":\"\",\"type\":3,\"flags\":0,\"value\":\"\"}", E_INVALIDARG },
		{ "request.set-extension", "{\"id\":1,\"oid\":\"1.2.3.4444444444.5555555555.6666666\",\"type\":3,\"flags\":0,\"value\":\"\"}", E_INVALIDARG },
		{ "request.set-extension", "{\"id\":1,\"oid\":\"1.2.3\",\"type\":3,\"flags\":4,\"value\":\"\"}", E_INVALIDARG },
		{ "request.set-extension", "{\"id\":1,\"oid\":\"1.2.3\",\"type\":3,\"flags\":0}", E_INVALIDARG },
		{ "request.set-extension", "{\"id\":0,\"oid\":\"1.2.3\",\"type\":3,\"flags\":0,\"value\":\"\"}", E_INVALIDARG },
		{ "request.set-attributes", "{\"id\":9,\"attributes\":\"a:b\"}", CERTSRV_E_PROPERTY_EMPTY },
		{ "request.set-attributes", "{\"id\":2,\"attributes\":\"a:b\"}", CERTSRV_E_BAD_REQUESTSTATUS },
		{ "request.set-attributes", "{\"id\":1}", E_INVALIDARG },
		{ "request.set-attributes", "{\"id\":1,\"attributes\":\"\"}", 0 },
		{ "ca.templates.set", "{}", E_INVALIDARG },
		{ "ca.templates.set", "{\"templates\":[\"\"]}", E_INVALIDARG },
		{ "ca.templates.set", "{\"templates\":[7]}", E_INVALIDARG },
		{ "ca.templates.set", "{\"templates\":[\"Nothing\"]}", CERTSRV_E_UNKNOWN_CERT_TYPE },
		{ "ca.audit-filter.set", "{\"filter\":128}", E_INVALIDARG },
		{ "ca.audit-filter.set", "{\"filter\":-1}", E_INVALIDARG },
		{ "ca.audit-filter.set", "{}", E_INVALIDARG },
	};
	static const struct {
		const char *verb, *args;
		bool officer;
	} rights[] = {
		{ "request.set-extension", "{\"id\":1,\"oid\":\"1.2.3\",\"type\":3,\"flags\":0,\"value\":\"\"}", true },
		{ "request.set-attributes", "{\"id\":1,\"attributes\":\"a:b\"}", true },
		{ "ca.templates.set", "{\"templates\":[\"Waiting\"]}", false },
		{ "ca.audit-filter.set", "{\"filter\":1}", false },
	};
	struct bench *b = *state;
	struct token *t;

	assert_int_equal(enroll(b, WAITING).id, 1);
	assert_int_equal(enroll(b, "CertificateTemplate:Supplied").id, 2);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		print_message("  %s %s\n", cases[i].verb, cases[i].args);
		assert_int_equal(verb_hr(b, b->admin, cases[i].verb, cases[i].args), cases[i].hr);
	}
	t = officer(b);
	for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
		print_message("  %s as an officer\n", rights[i].verb);
		assert_int_equal(verb_hr(b, b->user, rights[i].verb, rights[i].args), E_ACCESSDENIED);
		assert_int_equal(verb_hr(b, t, rights[i].verb, rights[i].args), rights[i].officer ? 0 : E_ACCESSDENIED);
	}
	/* OfficerRights name others only */
	assert_int_equal(verb_hr(b, b->admin, "ca.rights.change", "{\"which\":\"officer\",\"what\":\"allow\",\"principal\":\"DA\"}"), 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(verb_hr(b, t, rights[i].verb, rights[i].args), CERTSRV_E_RESTRICTEDOFFICER);
	token_unref(t);
}

static void
test_long_extension(void **state)
{
	struct bench *b = *state;
	char value[5600];

	assert_int_equal(enroll(b, WAITING).id, 1);
	for (int over = 0; over < 2; over++) {
		size_t n = over ? 5464 : 5460; /* 4098 and 4095 octets */
		char args[6000];

		memset(value, 'A', n);
		value[n] = '\0';
		snprintf(args, sizeof(args), "{\"id\":1,\"oid\":\"1.2.3\",\"type\":3,\"flags\":0,\"value\":\"%s\"}", value);
		assert_int_equal(verb_hr(b, b->admin, "request.set-extension", args), over ? ESE_RECORD_TOO_BIG : 0);
	}
}

static void
test_templates(void **state)
{
	static const struct {
		const char *args, *list;
	} cases[] = {
		{ "{\"templates\":[\"built\",\"Unpublished\",\"BUILT\",\"Waiting\"]}", "[\"Built\",\"Unpublished\",\"Waiting\"]" },
		{ "{\"templates\":[]}", "[]" },
		{ "{\"templates\":[\"Supplied\"]}", "[\"Supplied\"]" },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct verb_answer v = verb(b, b->admin, "ca.templates.set", cases[i].args);
		char *text;

		assert_int_equal(v.hr, 0);
		text = json_dumps(json_object_get(v.result, "templates"), JSON_COMPACT);
		assert_string_equal(text, cases[i].list);
		free(text);
		json_decref(v.result);
	}
	assert_int_equal(enroll(b, WAITING).disposition, CERTSRV_E_UNSUPPORTED_CERT_TYPE);
	assert_int_equal(enroll(b, "CertificateTemplate:Supplied").disposition, CR_DISP_ISSUED);
}

static void
test_audit_filter(void **state)
{
	struct bench *b = *state;
	struct verb_answer v = verb(b, b->admin, "ca.audit-filter.set", "{\"filter\":127}");

	assert_int_equal(v.hr, 0);
	assert_int_equal(json_integer_value(json_object_get(v.result, "filter")), 127);
	json_decref(v.result);
	v = verb(b, b->admin, "ca.setting.show", "{\"name\":\"CA\\\\AuditFilter\"}");
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(json_object_get(v.result, "settings"), 0), "value")), "0x7f");
	json_decref(v.result);
	/* an auditor may, unless administrators audit */
	assert_int_equal(verb_hr(b, b->admin, "ca.acl.grant", "{\"principal\":\"" USER_SID "\",\"rights\":[\"Read\"]}"), 0);
	assert_int_equal(verb_hr(b, b->admin, "ca.setting.set", "{\"name\":\"privileges\\\\SeSecurityPrivilege\",\"value\":\"" USER_SID "\"}"), 0);
	assert_int_equal(verb_hr(b, b->user, "ca.audit-filter.set", "{\"filter\":1}"), 0);
	assert_int_equal(verb_hr(b, b->admin, "ca.setting.set", "{\"name\":\"CA\\\\InterfaceFlags\",\"value\":\"+0x1000\"}"), 0);
	assert_int_equal(verb_hr(b, b->user, "ca.audit-filter.set", "{\"filter\":2}"), E_ACCESSDENIED);
	assert_int_equal(verb_hr(b, b->admin, "ca.audit-filter.set", "{\"filter\":2}"), 0);
}

static json_int_t
deleted(struct bench *b, const char *args)
{
	struct verb_answer v = verb(b, b->admin, "request.delete", args);
	json_int_t n = v.hr == 0 ? json_integer_value(json_object_get(v.result, "deleted")) : -1;

	json_decref(v.result);
	return n;
}

static void
test_delete(void **state)
{
	static const char *const bad[] = { "{}", "{\"table\":0,\"flags\":0}", "{\"table\":0,\"flags\":0,\"row\":0}",
		"{\"table\":0,\"flags\":1,\"row\":1,\"before\":\"2026-01-01T00:00:00Z\"}", "{\"table\":0,\"flags\":3,\"row\":1}",
		"{\"table\":0,\"flags\":0,\"before\":\"2026-01-01T00:00:00Z\"}", "{\"table\":0,\"flags\":1,\"before\":\"yesterday\"}",
		"{\"table\":1,\"flags\":0,\"row\":1}", "{\"table\":12288,\"flags\":1,\"row\":1}",
		"{\"table\":12288,\"flags\":0,\"before\":\"2026-01-01T00:00:00Z\"}", "{\"table\":16384,\"flags\":2,\"row\":1}",
		"{\"table\":20480,\"flags\":2,\"row\":1}", "{\"table\":0,\"row\":1}", "{\"flags\":0,\"row\":1}" };
	struct bench *b = *state;
	struct token *t;

	assert_int_equal(enroll(b, "CertificateTemplate:Supplied").id, 1);
	assert_int_equal(enroll(b, WAITING).id, 2);
	assert_int_equal(enroll(b, "CertificateTemplate:Nothing").id, 3);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		print_message("  %s\n", bad[i]);
		assert_int_equal(verb_hr(b, b->admin, "request.delete", bad[i]), E_INVALIDARG);
	}
	t = officer(b);
	assert_int_equal(verb_hr(b, t, "request.delete", "{\"table\":0,\"flags\":0,\"row\":1}"), E_ACCESSDENIED);
	token_unref(t);
	/* nor the administrator alone */
	assert_int_equal(verb_hr(b, b->admin, "ca.acl.grant", "{\"principal\":\"" OFFICER_SID "\",\"rights\":[\"ManageCA\"]}"), 0);
	assert_int_equal(verb_hr(b, b->admin, "ca.acl.deny", "{\"principal\":\"" OFFICER_SID "\",\"rights\":[\"ManageCertificates\"]}"), 0);
	t = make_token("CORP\\manager", OFFICER_SID);
	assert_int_equal(verb_hr(b, t, "ca.unpublish", "{\"template\":\"Built\"}"), 0);
	assert_int_equal(verb_hr(b, t, "request.delete", "{\"table\":0,\"flags\":0,\"row\":1}"), E_ACCESSDENIED);
	token_unref(t);

	assert_int_equal(deleted(b, "{\"table\":12288,\"flags\":0,\"row\":9}"), 0);
	assert_int_equal(deleted(b, "{\"table\":16384,\"flags\":0,\"row\":2,\"before\":null}"), 1);
	assert_int_equal(deleted(b, "{\"table\":0,\"flags\":1,\"before\":\"2020-01-01T00:00:00Z\"}"), 0);
	assert_int_equal(deleted(b, "{\"table\":0,\"flags\":2,\"before\":\"9000-01-01T00:00:00Z\"}"), 2);
	assert_int_equal(verb_hr(b, b->admin, "request.issue", "{\"id\":2}"), CERTSRV_E_PROPERTY_EMPTY);
	assert_int_equal(verb_hr(b, b->admin, "request.show", "{\"id\":1}"), 0);
	assert_int_equal(deleted(b, "{\"table\":0,\"flags\":0,\"row\":1}"), 1);
	assert_int_equal(deleted(b, "{\"table\":0,\"flags\":0,\"row\":1}"), 0);
	assert_int_equal(enroll(b, WAITING).id, 4);
	assert_int_equal(deleted(b, "{\"table\":20480,\"flags\":1,\"before\":\"2020-01-01T00:00:00Z\"}"), 0);
	assert_int_equal(deleted(b, "{\"table\":20480,\"flags\":0,\"row\":1}"), 1);
}

static struct verb_answer
import(struct bench *b, struct token *t, const uint8_t *der, size_t n, unsigned flags)
{
	static char args[16384], base64[12000];
	int len = EVP_EncodeBlock((unsigned char *)base64, der, (int)n);

	assert_true(len > 0 && (size_t)len < sizeof(base64));
	snprintf(args, sizeof(args), "{\"certificate\":\"%s\",\"flags\":%u}", base64, flags);
	return verb(b, t, "ca.import", args);
}

static uint32_t
import_hr(struct bench *b, const uint8_t *der, size_t n, unsigned flags)
{
	struct verb_answer v = import(b, b->admin, der, n, flags);

	json_decref(v.result);
	return v.hr;
}

static json_int_t
import_id(struct bench *b, const struct answer *a, unsigned flags)
{
	struct verb_answer v = import(b, b->admin, a->certificate, a->len, flags);
	json_int_t id = json_integer_value(json_object_get(v.result, "id"));

	assert_int_equal(v.hr, 0);
	json_decref(v.result);
	return id;
}

static void
test_import(void **state)
{
	struct bench *b = *state;
	struct answer a = enroll(b, "CertificateTemplate:Supplied"), again;
	struct ca_caller who = caller(b->user);
	struct verb_answer v;

	assert_int_equal(a.disposition, CR_DISP_ISSUED);
	assert_int_equal(import_hr(b, a.certificate, a.len, 0), E_OBJECT_ALREADY_EXISTS);
	assert_int_equal(deleted(b, "{\"table\":0,\"flags\":0,\"row\":1}"), 1);
	assert_int_equal(import_hr(b, a.certificate, a.len, 0x20000), CRYPT_E_NO_MATCH);
	assert_int_equal(import_id(b, &a, 0), 2);
	again = ask_as(b, &who, &(struct ca_request_args){ .authority = CA_NAME, .request_id = 2 });
	assert_int_equal(again.disposition, CR_DISP_ISSUED);
	assert_int_equal(again.len, a.len);
	assert_memory_equal(again.certificate, a.certificate, a.len);
	assert_string_equal(again.message, "certificate issued");
	v = verb(b, b->admin, "request.show", "{\"id\":2}");
	assert_string_equal(json_string_value(json_object_get(v.result, "templateName")), "Supplied");
	assert_string_equal(json_string_value(json_object_get(v.result, "commonName")), "device");
	assert_string_equal(json_string_value(json_object_get(v.result, "requester")), "CORP\\Administrator");
	assert_null(json_object_get(json_object_get(v.result, "columns"), "Request.RawRequest"));
	json_decref(v.result);
	assert_int_equal(verb_hr(b, b->admin, "request.revoke", "{\"id\":2}"), 0);

	/* into the row of the request that waits with this key */
	assert_int_equal(deleted(b, "{\"table\":0,\"flags\":0,\"row\":2}"), 1);
	assert_int_equal(enroll(b, WAITING).id, 3);
	assert_int_equal(import_id(b, &a, 0x20000), 3);
	again = ask_as(b, &who, &(struct ca_request_args){ .authority = CA_NAME, .request_id = 3 });
	assert_int_equal(again.disposition, CR_DISP_ISSUED);
	assert_memory_equal(again.certificate, a.certificate, a.len);
	assert_int_equal(import_hr(b, a.certificate, a.len, 0x20000), E_OBJECT_ALREADY_EXISTS);
}

static void
test_import_refusals(void **state)
{
	struct bench *b = *state;
	struct answer a = enroll(b, "CertificateTemplate:Supplied");
	struct verb_answer v;

	assert_int_equal(deleted(b, "{\"table\":0,\"flags\":0,\"row\":1}"), 1);
	for (size_t n = 0; n < a.len; n += 7)
		assert_int_equal(import_hr(b, a.certificate, n > 0 ? n : 1, 0), E_INVALID_DATA);
	assert_int_equal(import_hr(b, a.certificate, a.len, 0x30000), E_INVALIDARG);
	assert_int_equal(import_hr(b, a.certificate, a.len, 1), E_INVALIDARG);
	assert_int_equal(verb_hr(b, b->admin, "ca.import", "{\"flags\":0}"), E_INVALIDARG);
	assert_int_equal(verb_hr(b, b->admin, "ca.import", "{\"flags\":0,\"certificate\":\"\"}"), E_INVALID_DATA);
	assert_int_equal(verb_hr(b, b->admin, "ca.import", "{\"flags\":0,\"certificate\":\"*\"}"), E_INVALID_DATA);
	v = import(b, b->user, a.certificate, a.len, 0);
	assert_int_equal(v.hr, E_ACCESSDENIED);
	a.certificate[a.len - 1] ^= 1; /* the signature */
	assert_int_equal(import_hr(b, a.certificate, a.len, 0), CERT_E_ISSUERCHAINING);
	assert_int_equal(import_hr(b, a.certificate, a.len, 0x10000), CERT_E_ISSUERCHAINING);
	assert_int_equal(enroll(b, "CertificateTemplate:Supplied").id, 2); /* none took a number */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_extension_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_extensions_govern, setup, teardown),
		cmocka_unit_test_setup_teardown(test_extensions_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attributes_govern, setup, teardown),
		cmocka_unit_test_setup_teardown(test_another_template, setup, teardown),
		cmocka_unit_test_setup_teardown(test_edit_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_extension, setup, teardown),
		cmocka_unit_test_setup_teardown(test_templates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_delete, setup, teardown),
		cmocka_unit_test_setup_teardown(test_import, setup, teardown),
		cmocka_unit_test_setup_teardown(test_import_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_audit_filter, setup, teardown),
	};

	return cmocka_run_group_tests_name("ca edits", tests, NULL, NULL);
}
