/* The steps of issuance.md section 2 that are code paths: three cases each (step_cases.h); a step without them fails here. */
#include "bench_ask.h"

#include <openssl/cms.h>
#include <openssl/rsa.h>
#include <sys/stat.h>

#include "base/der.h"
#include "ca/ca_priv.h"
#include "step_cases.h"

#define OID_RENEWAL "1.3.6.1.4.1.311.13.1"
#define CRL_FILE "%s/CertEnroll/" CA_NAME ".crl"
#define DER_MAX 8192

/* ---- keys, requests, messages: OpenSSL's ---- */

struct octets {
	uint8_t p[DER_MAX];
	size_t len;
};

enum { NEW, OLD, OTHER, KEYS };

static EVP_PKEY *
key(int which)
{
	static EVP_PKEY *keys[KEYS];

	if (keys[which] == NULL)
		keys[which] = EVP_EC_gen("P-256");
	return keys[which];
}

static struct octets
taken(int len, uint8_t **der)
{
	struct octets d = { .len = (size_t)len };

	assert_true(len > 0 && len <= DER_MAX);
	memcpy(d.p, *der, d.len);
	OPENSSL_free(*der);
	return d;
}

/* old: for the renewal attribute, of that ASN.1 type; NULL: without. */
static struct octets
request(EVP_PKEY *of, EVP_PKEY *by, int type, const struct octets *old)
{
	X509_REQ *req = X509_REQ_new();
	uint8_t *der = NULL;
	struct octets d;

	assert_int_equal(X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_ASC,
			     (const unsigned char *)"device", -1, -1, 0),
	    1);
	assert_int_equal(X509_REQ_set_pubkey(req, of), 1);
	if (old != NULL)
		assert_int_equal(X509_REQ_add1_attr_by_txt(req, OID_RENEWAL, type, old->p, (int)old->len), 1);
	assert_true(X509_REQ_sign(req, by, EVP_sha256()) > 0);
	d = taken(i2d_X509_REQ(req, &der), &der);
	X509_REQ_free(req);
	return d;
}

static struct octets
signed_data(const struct octets *content, X509 *cert, EVP_PKEY *by, X509 *beside, unsigned flags)
{
	BIO *in = BIO_new_mem_buf(content->p, (int)content->len);
	CMS_ContentInfo *cms = CMS_sign(cert, by, NULL, in, CMS_BINARY | CMS_PARTIAL | flags);
	uint8_t *der = NULL;
	struct octets d;

	assert_non_null(cms);
	if (beside != NULL)
		assert_int_equal(CMS_add1_cert(cms, beside), 1);
	assert_int_equal(CMS_final(cms, in, NULL, CMS_BINARY), 1);
	d = taken(i2d_CMS_ContentInfo(cms, &der), &der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	return d;
}

/* OpenSSL makes none without a signer. beside: its certificate, or NULL. */
static struct octets
unsigned_data(const struct octets *content, X509 *beside)
{
	struct octets d = { .len = 0 }, cert = { .len = 0 };
	size_t marks[8], n = 0;
	uint8_t *der = NULL;
	struct buf b;

	if (beside != NULL)
		cert = taken(i2d_X509(beside, &der), &der);
	buf_init(&b, DER_MAX);
	marks[n++] = der_open(&b, 0x30);
	der_put_oid(&b, "1.2.840.113549.1.7.2");
	marks[n++] = der_open(&b, 0xa0);
	marks[n++] = der_open(&b, 0x30);
	der_put_int64(&b, 1);
	der_put(&b, 0x31, (struct bytes){ NULL, 0 });
	marks[n++] = der_open(&b, 0x30);
	der_put_oid(&b, "1.2.840.113549.1.7.1");
	marks[n++] = der_open(&b, 0xa0);
	der_put(&b, 0x04, (struct bytes){ content->p, content->len });
	der_close(&b, marks[--n]);
	der_close(&b, marks[--n]);
	if (beside != NULL)
		der_put(&b, 0xa0, (struct bytes){ cert.p, cert.len });
	der_put(&b, 0x31, (struct bytes){ NULL, 0 });
	while (n > 0)
		der_close(&b, marks[--n]);
	assert_true(buf_ok(&b));
	d.len = b.len;
	memcpy(d.p, b.p, b.len);
	buf_fini(&b);
	return d;
}

static X509 *
self_signed(EVP_PKEY *k)
{
	X509 *c = X509_new();

	X509_set_version(c, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(c), 1000);
	X509_NAME_add_entry_by_txt(
	    X509_get_subject_name(c), "CN", MBSTRING_ASC, (const unsigned char *)"Nobody's CA", -1, -1, 0);
	X509_set_issuer_name(c, X509_get_subject_name(c));
	X509_gmtime_adj(X509_getm_notBefore(c), -60);
	X509_gmtime_adj(X509_getm_notAfter(c), 86400);
	X509_set_pubkey(c, k);
	assert_true(X509_sign(c, k, EVP_sha256()) > 0);
	return c;
}

/* ---- what a setup prepares ---- */

struct setup {
	struct bench *b;
	struct ca_caller who;
	struct ca_request_args args;
	struct octets request;
	struct answer answer; /* of the latest request */
	uint32_t sent;
	bool blocked, asks_status;
	char attributes[256], serial[64];
	X509 *signer; /* the old certificate, of request 1 */
	char *a;      /* argument; NULL when not given */
};

static void
send(struct setup *s)
{
	if (!s->asks_status)
		s->args.request = (struct bytes){ s->request.p, s->request.len };
	s->answer = ask_as(s->b, &s->who, &s->args);
	s->sent += !s->asks_status;
}

static X509 *
enroll_key(struct setup *s, EVP_PKEY *k)
{
	const uint8_t *p = s->answer.certificate;

	s->request = request(k, k, 0, NULL);
	send(s);
	assert_int_equal(s->answer.disposition, CR_DISP_ISSUED);
	return d2i_X509(NULL, &p, (long)s->answer.len);
}

static struct octets
der_of(X509 *c)
{
	uint8_t *der = NULL;

	return taken(i2d_X509(c, &der), &der);
}

static void
form_in_cms(struct setup *s, const char *form)
{
	static const struct octets junk = { "\x04\x01x", 3 }, nothing = { "nothing of the kind", 19 };
	struct octets old, plain;
	X509 *other = NULL;

	s->signer = enroll_key(s, key(OLD));
	old = der_of(s->signer);
	plain = request(key(NEW), key(NEW), 0, NULL);
	if (strcmp(form, "cms") == 0) {
		s->request = signed_data(&plain, s->signer, key(OLD), NULL, 0);
	} else if (strcmp(form, "unsigned") == 0) {
		s->request = unsigned_data(&plain, NULL);
	} else if (strcmp(form, "certificate") == 0) {
		s->request = unsigned_data(&plain, s->signer);
	} else if (strcmp(form, "shape") == 0) {
		s->request = signed_data(&nothing, s->signer, key(OLD), NULL, 0);
	} else if (strcmp(form, "foreign") == 0) {
		other = self_signed(key(OTHER));
		s->request = signed_data(&plain, other, key(OTHER), NULL, 0);
	} else if (strcmp(form, "renewal-other") == 0) {
		other = enroll_key(s, key(OTHER));
		plain = request(key(NEW), key(NEW), V_ASN1_SEQUENCE, &old);
		s->request = signed_data(&plain, other, key(OTHER), s->signer, 0);
	} else {
		bool is_junk = strcmp(form, "renewal-junk") == 0;

		plain = request(
		    key(NEW), key(NEW), is_junk ? V_ASN1_OCTET_STRING : V_ASN1_SEQUENCE, is_junk ? &junk : &old);
		s->request = strcmp(form, "renewal-plain") == 0 ? plain
								 : signed_data(&plain, s->signer, key(OLD), NULL,
								       strcmp(form, "renewal-bare") == 0 ? CMS_NOCERTS : 0);
	}
	X509_free(other);
}

static void
do_form(struct setup *s)
{
	const char *form = s->a;

	if (strcmp(form, "stranger") == 0) {
		s->request = request(key(NEW), key(OTHER), 0, NULL);
	} else if (strcmp(form, "rsa") == 0) {
		EVP_PKEY *k = EVP_RSA_gen(2048);

		s->request = request(k, k, 0, NULL);
		EVP_PKEY_free(k);
	} else if (strcmp(form, "cut") == 0) {
		s->request.len /= 2;
	} else if (strcmp(form, "cut1") == 0) {
		s->request.len--;
	} else if (strcmp(form, "more") == 0) {
		s->request.p[s->request.len++] = 0;
	} else if (strcmp(form, "tag") == 0) {
		s->request.p[0] = 0x31;
	} else if (strcmp(form, "corrupt") == 0) {
		s->request.p[s->request.len - 1] ^= 1;
	} else {
		form_in_cms(s, form);
	}
}

/* ---- commands ---- */

static void
admin(struct setup *s, const char *name, const char *args)
{
	if (verb_hr(s->b, s->b->admin, name, args) != 0)
		fail_msg("%s %s", name, args);
}

static void
acl(struct setup *s, const char *name)
{
	char args[256];

	snprintf(args, sizeof(args), "{\"principal\":\"%s\",\"rights\":[\"Enroll\"]}", s->a);
	admin(s, name, args);
}

static void
do_grant(struct setup *s)
{
	acl(s, "ca.acl.grant");
}

static void
do_deny(struct setup *s)
{
	acl(s, "ca.acl.deny");
}

static void
do_revoke_right(struct setup *s)
{
	acl(s, "ca.acl.remove");
}

/* NAME VALUE */
static void
do_set(struct setup *s)
{
	char args[256];
	int n = (int)strcspn(s->a, " ");

	assert_int_equal(s->a[n], ' ');
	snprintf(args, sizeof(args), "{\"name\":\"%.*s\",\"value\":\"%s\"}", n, s->a, s->a + n + 1);
	admin(s, "ca.setting.set", args);
}

static void
do_revoke(struct setup *s)
{
	admin(s, "request.revoke", "{\"id\":1}");
}

static void
do_hold(struct setup *s)
{
	admin(s, "request.revoke", "{\"id\":1,\"reason\":\"6\"}");
}

static void
do_release(struct setup *s)
{
	admin(s, "request.unrevoke", "{\"id\":1}");
}

static void
do_front(struct setup *s)
{
	s->who.front = s->a;
}

static void
do_clear(struct setup *s)
{
	s->who.privacy = false;
}

static void
do_anonymous(struct setup *s)
{
	s->who.token = NULL;
}

static void
do_authority(struct setup *s)
{
	s->args.authority = s->a;
}

/* Lines are parted by |. */
static void
do_attributes(struct setup *s)
{
	snprintf(s->attributes, sizeof(s->attributes), "%s", s->a);
	for (char *p = s->attributes; *p != '\0'; p++)
		if (*p == '|')
			*p = '\n';
	s->args.attributes = s->attributes;
}

static void
do_flags(struct setup *s)
{
	s->args.flags = (uint32_t)strtoul(s->a, NULL, 0);
}

/* Asks for the state of a request, in place of sending one. */
static void
do_status(struct setup *s)
{
	s->asks_status = true;
	s->args.request = (struct bytes){ NULL, 0 };
	s->args.attributes = NULL;
	s->args.request_id = (uint32_t)strtoul(s->a, NULL, 0);
}

/* Of the certificate that came last, in place of attributes. */
static void
do_serial(struct setup *s)
{
	const uint8_t *p = s->answer.certificate;
	X509 *c = d2i_X509(NULL, &p, (long)s->answer.len);
	const ASN1_INTEGER *serial = X509_get0_serialNumber(c);
	size_t n = 0;

	for (int i = 0; i < ASN1_STRING_length(serial); i++)
		n += (size_t)snprintf(s->serial + n, sizeof(s->serial) - n, "%02x", ASN1_STRING_get0_data(serial)[i]);
	s->args.attributes = s->serial;
	X509_free(c);
}

/* The time stands N seconds behind the end of the signer's certificate. */
static void
do_end(struct setup *s)
{
	struct tm tm;

	assert_int_equal(ASN1_TIME_to_tm(X509_get0_notAfter(s->signer), &tm), 1);
	clock_stop(s->b->clock,
	    FILETIME_UNIX_EPOCH + ((filetime_t)timegm(&tm) + strtol(s->a, NULL, 10)) * FILETIME_SECOND);
}

static void
do_days(struct setup *s)
{
	clock_advance(s->b->clock, strtol(s->a, NULL, 10) * FILETIME_DAY);
}

/* A folder where the file of the base CRL belongs. */
static void
do_block(struct setup *s)
{
	char path[128];

	snprintf(path, sizeof(path), CRL_FILE, s->b->state);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	s->blocked = true;
}

static void
do_gone(struct setup *s)
{
	s->b->dir.no_account = true;
}

static void
do_down(struct setup *s)
{
	s->b->dir.down = true;
}

static const struct {
	const char *name;
	void (*run)(struct setup *s);
} commands[] = {
	{ "grant", do_grant },
	{ "deny", do_deny },
	{ "revoke-right", do_revoke_right },
	{ "set", do_set },
	{ "revoke", do_revoke },
	{ "hold", do_hold },
	{ "release", do_release },
	{ "front", do_front },
	{ "clear", do_clear },
	{ "anonymous", do_anonymous },
	{ "authority", do_authority },
	{ "attributes", do_attributes },
	{ "flags", do_flags },
	{ "form", do_form },
	{ "send", send },
	{ "status", do_status },
	{ "serial", do_serial },
	{ "end", do_end },
	{ "days", do_days },
	{ "block", do_block },
	{ "gone", do_gone },
	{ "down", do_down },
};

static void
run_command(struct setup *s, char *text)
{
	char *space = strchr(text, ' ');

	s->a = space != NULL ? space + 1 : NULL;
	if (space != NULL)
		*space = '\0';
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i].name, text) == 0) {
			commands[i].run(s);
			return;
		}
	}
	fail_msg("no command \"%s\"", text);
}

static void
run_setup(struct setup *s, char *text)
{
	while (text != NULL && *text != '\0') {
		char *next = strstr(text, "; ");

		if (next != NULL)
			*next = '\0';
		run_command(s, text);
		text = next != NULL ? next + 2 : NULL;
	}
}

/* ---- the test ---- */

static const char *const kind_names[KINDS] = { "pass", "refuse", "boundary" };

/* A refusal before parsing leaves no row; every other end stands in one, with its code. */
static void
check_row(struct setup *s, const struct step_case *c)
{
	uint32_t id = c->end == H ? s->sent : s->answer.id;
	char args[32], status[16];
	struct verb_answer v;

	if (s->asks_status)
		return;
	snprintf(args, sizeof(args), "{\"id\":%u}", id);
	v = verb(s->b, s->b->admin, "request.show", args);
	snprintf(status, sizeof(status), "0x%08x", c->code == ISSUED ? 0 : c->code);
	if (c->end == H ? v.hr != CERTSRV_E_PROPERTY_EMPTY
			: v.hr != 0 || strcmp(json_string_value(json_object_get(v.result, "status")), status) != 0)
		fail_msg("%d, %s \"%s\": the row of request %u", c->step, kind_names[c->kind], c->name, id);
	json_decref(v.result);
}

static void
run_case(struct bench *b, const struct step_case *c)
{
	struct setup s = { .b = b, .who = caller(b->user) };
	const struct answer *a = &s.answer;
	char text[512], path[128];

	snprintf(text, sizeof(text), "%s", c->setup);
	s.args = (struct ca_request_args){ .authority = CA_NAME, .attributes = "CertificateTemplate:Supplied" };
	s.request = request(key(NEW), key(NEW), 0, NULL);
	run_setup(&s, text);
	send(&s);
	b->dir.down = b->dir.no_account = false;
	if (c->end == H ? a->hr != c->code : a->hr != 0 || a->disposition != c->code)
		fail_msg("%d, %s \"%s\": 0x%08x, 0x%08x %s", c->step, kind_names[c->kind], c->name, a->hr,
		    a->disposition, a->message);
	if (strncmp(a->message, c->text, strlen(c->text)) != 0)
		fail_msg("%d, %s \"%s\": %s", c->step, kind_names[c->kind], c->name, a->message);
	assert_int_equal(a->len > 0, c->end == D && c->code == ISSUED);
	check_row(&s, c);
	X509_free(s.signer);
	if (s.blocked) {
		snprintf(path, sizeof(path), CRL_FILE, b->state);
		assert_int_equal(rmdir(path), 0);
	}
}

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(step_cases); i++) {
		void *b;

		print_message("  %d, %s: %s\n", step_cases[i].step, kind_names[step_cases[i].kind], step_cases[i].name);
		setup(&b);
		run_case(b, &step_cases[i]);
		teardown(&b);
	}
}

static void
test_every_step_has_three(void **state)
{
	(void)state;
	for (size_t p = 0; p < ARRAY_LEN(code_paths); p++) {
		for (int kind = 0; kind < KINDS; kind++) {
			size_t i = 0;

			while (i < ARRAY_LEN(step_cases) &&
			    (step_cases[i].step != code_paths[p] || (int)step_cases[i].kind != kind))
				i++;
			if (i == ARRAY_LEN(step_cases))
				fail_msg("step %d has no %s case in step_cases.h", code_paths[p], kind_names[kind]);
		}
	}
}

/* A pass passes, a refusal refuses. */
static void
test_cases_are_what_they_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(step_cases); i++) {
		const struct step_case *c = &step_cases[i];
		bool issued = c->end == D && c->code == ISSUED;

		if (c->kind != BOUNDARY && issued != (c->kind == PASS))
			fail_msg("\"%s\" of step %d is no %s", c->name, c->step, kind_names[c->kind]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_every_step_has_three),
		cmocka_unit_test(test_cases_are_what_they_say),
	};

	return cmocka_run_group_tests_name("ca steps", tests, NULL, NULL);
}
