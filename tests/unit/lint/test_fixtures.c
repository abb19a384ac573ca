/*
 * Every rule has a fixture that triggers exactly it and a repaired one that does not. The fixtures are laid
 * over the sample forest; what that finds by itself is known too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "dir/files.h"
#include "dir/forest_ldif.h"
#include "dir/ldif.h"
#include "lint/lint.h"

#define FIXTURES "fixtures/lint/"
#define MAX_ENTRIES 512

struct bench {
	struct pool *pool;
	struct dir_entry entries[MAX_ENTRIES];
	struct policy_attrs attrs[MAX_ENTRIES];
	size_t n;
	json_t *settings;
	char connector[64]; /* of the fixture's "options:" line */
	struct lint_request in;
	struct sid sid;
	struct lint_report report;
};

static bool
value_of(const void *ctx, const char *attr, size_t i, struct bytes *out)
{
	const struct dir_attr *a = dir_entry_attr(ctx, attr);

	if (a == NULL || i >= a->n)
		return false;
	*out = a->values[i];
	return true;
}

/* Attributes named replace those of an object that is there. */
static void
lay_over(struct bench *b, const struct dir_entry *change)
{
	struct dir_entry *en = NULL;
	struct dir_attr *attrs;
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		if (strcasecmp(b->entries[i].dn, change->dn) == 0)
			en = &b->entries[i];
	if (en == NULL) {
		assert_true(b->n < MAX_ENTRIES);
		b->entries[b->n++] = *change;
		return;
	}
	attrs = pool_calloc(b->pool, en->n_attrs + change->n_attrs, sizeof(*attrs));
	assert_non_null(attrs);
	for (size_t i = 0; i < en->n_attrs; i++)
		if (dir_entry_attr(change, en->attrs[i].name) == NULL)
			attrs[n++] = en->attrs[i];
	for (size_t i = 0; i < change->n_attrs; i++)
		attrs[n++] = change->attrs[i];
	en->attrs = attrs;
	en->n_attrs = n;
}

static void
read_ldif(struct bench *b, const char *path)
{
	struct ldif_reader r;
	struct dir_entry en;
	const char *options;
	struct buf text;
	struct err e = { 0 };
	bool more = true;

	buf_init(&text, LDIF_FILE_MAX);
	if (file_read(path, &text, &e) != 0)
		fail_msg("%s", e.msg);
	options = strstr(buf_cstr(&text), "--connector ");
	if (options != NULL)
		assert_int_equal(sscanf(options, "--connector %63s", b->connector), 1);
	ldif_reader_init(&r, path, buf_bytes(&text));
	while (more) {
		if (ldif_read(&r, b->pool, &en, &more, &e) != 0)
			fail_msg("%s", e.msg);
		if (more)
			lay_over(b, &en);
	}
	ldif_reader_fini(&r);
	buf_fini(&text);
}

static void
read_json(struct bench *b, const char *path)
{
	json_error_t je;
	json_t *file = json_load_file(path, 0, &je), *base;

	if (file == NULL)
		return; /* most fixtures change no setting */
	base = json_object_get(b->settings, "settings");
	if (base != NULL && json_object_get(file, "settings") != NULL) {
		json_object_update(base, json_object_get(file, "settings"));
		json_object_set(file, "settings", base);
	}
	if (b->settings == NULL)
		b->settings = json_object();
	json_object_update(b->settings, file);
	json_decref(file);
}

static void
read_fixture(struct bench *b, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), FIXTURES "%s.ldif", name);
	read_ldif(b, path);
	snprintf(path, sizeof(path), FIXTURES "%s.json", name);
	read_json(b, path);
}

static void
find_connector(struct bench *b)
{
	struct err e;

	for (size_t i = 0; i < b->n; i++) {
		const char *sam = dir_entry_text(&b->entries[i], "sAMAccountName");
		const struct dir_attr *sid = dir_entry_attr(&b->entries[i], "objectSid");

		if (sam == NULL || sid == NULL || strcasecmp(sam, b->connector) != 0)
			continue;
		assert_int_equal(sid_from_wire(&b->sid, sid->values[0], NULL, &e), 0);
		b->in.connector = b->in.trusted = &b->sid;
		b->in.n_trusted = 1;
		b->in.pkcs = true;
		b->in.template_name = "LintT";
		return;
	}
	fail_msg("no account %s", b->connector);
}

/* The sample forest as a CA's first start leaves it, and the fixture over it (NULL: none). */
static void
bench_run(struct bench *b, const char *fixture)
{
	struct forest_ldif f;
	struct err e = { 0 };

	memset(b, 0, sizeof(*b));
	b->pool = pool_new(64u << 20);
	assert_non_null(b->pool);
	if (forest_ldif_read(&f, b->pool, "fixtures/forest/contoso.ldif", &e) != 0 ||
	    forest_ldif_add_templates(&f, "templates", &e) != 0)
		fail_msg("%s", e.msg);
	for (const struct forest_entry *en = f.first; en != NULL; en = en->next)
		lay_over(b, &en->entry);
	read_fixture(b, "base");
	if (fixture != NULL)
		read_fixture(b, fixture);
	for (size_t i = 0; i < b->n; i++)
		b->attrs[i] = (struct policy_attrs){ &b->entries[i], value_of, b->entries[i].dn };
	b->in.entries = b->attrs;
	b->in.n_entries = b->n;
	b->in.settings = b->settings;
	b->in.now = filetime_from_civil(&(struct civil){ 2026, 11, 23, 12, 0, 0 });
	if (b->connector[0] != '\0')
		find_connector(b);
	if (lint_run_all(&b->in, b->pool, &b->report, &e) != 0)
		fail_msg("%s: %s", fixture != NULL ? fixture : "base", e.msg);
}

static void
bench_free(struct bench *b)
{
	json_decref(b->settings);
	pool_free(b->pool);
}

static const struct lint_finding *
find(const struct lint_report *r, const char *id, const char *object)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->v[i].rule->id, id) == 0 &&
		    (object == NULL || strcasecmp(r->v[i].object, object) == 0))
			return &r->v[i];
	return NULL;
}

/* A fresh enterprise CA: no template and no object is open to anybody; two templates promise more years than
 * the CA gives. */
static void
test_fresh_forest(void **state)
{
	struct bench b;

	(void)state;
	bench_run(&b, NULL);
	for (size_t i = 0; i < b.report.n; i++)
		if (b.report.v[i].severity != LINT_INFO ||
		    strcmp(b.report.v[i].rule->id, "LONGER-THAN-SETTING") != 0)
			fail_msg(
			    "%s %s: %s", b.report.v[i].rule->id, b.report.v[i].object, b.report.v[i].text);
	assert_int_equal(b.report.n, 2);
	assert_non_null(find(&b.report, "LONGER-THAN-SETTING", "SubCA"));
	assert_non_null(find(&b.report, "LONGER-THAN-SETTING", "EFSRecovery"));
	assert_int_equal(b.report.n_templates, 33);
	assert_int_equal(b.report.n_cas, 1);
	bench_free(&b);
}

static bool
is_pkcs(const char *id)
{
	return strncmp(id, "PKCS-", 5) == 0;
}

/* Of the how-to's template the connector alone can choose subjects: information, in both fixtures. */
static bool
expected_of_howto(const struct lint_finding *f)
{
	return strcmp(f->rule->id, "ESC1") == 0 && f->severity == LINT_INFO;
}

static void
one_rule(const struct lint_rule *rule, const struct lint_report *fresh)
{
	struct bench bad, good;
	char name[64];

	snprintf(name, sizeof(name), "%s-vulnerable", rule->id);
	bench_run(&bad, name);
	if (find(&bad.report, rule->id, NULL) == NULL ||
	    (find(fresh, rule->id, NULL) != NULL && find(&bad.report, rule->id, "LintT") == NULL))
		fail_msg("%s does not trigger it", name);
	for (size_t i = 0; i < bad.report.n; i++) {
		const struct lint_finding *f = &bad.report.v[i];

		if (strcmp(f->rule->id, rule->id) != 0 && find(fresh, f->rule->id, f->object) == NULL &&
		    !(is_pkcs(rule->id) && expected_of_howto(f)))
			fail_msg("%s triggers %s %s too: %s", name, f->rule->id, f->object, f->text);
		assert_true(f->text[0] != '\0' && f->fix[0] != '\0' && f->object[0] != '\0');
	}
	bench_free(&bad);
	snprintf(name, sizeof(name), "%s-fixed", rule->id);
	bench_run(&good, name);
	for (size_t i = 0; i < good.report.n; i++) {
		const struct lint_finding *f = &good.report.v[i];

		if (find(fresh, f->rule->id, f->object) == NULL &&
		    !(is_pkcs(rule->id) && expected_of_howto(f)))
			fail_msg("%s triggers %s %s: %s", name, f->rule->id, f->object, f->text);
	}
	bench_free(&good);
}

static void
test_every_rule(void **state)
{
	struct bench fresh;
	glob_t pairs;
	size_t n = 0;

	(void)state;
	bench_run(&fresh, NULL);
	for (; lint_rules[n].id != NULL; n++)
		one_rule(&lint_rules[n], &fresh.report);
	assert_int_equal(glob(FIXTURES "*-vulnerable.ldif", 0, NULL, &pairs), 0);
	assert_int_equal(pairs.gl_pathc, n);
	globfree(&pairs);
	bench_free(&fresh);
}

/* Whom a finding names, and how grave that makes it. */
static void
test_principals(void **state)
{
	static const struct {
		const char *fixture, *id, *object;
		enum lint_severity severity;
		const char *who; /* NULL: nobody is named */
		enum lint_trust trust;
	} cases[] = {
		{ "ESC1-vulnerable", "ESC1", "LintT", LINT_ERROR, "CORP\\Domain Users", LINT_BROAD },
		{ "ESC4-vulnerable", "ESC4", "LintT", LINT_ERROR, "CORP\\Domain Users", LINT_BROAD },
		{ "ESC5-vulnerable", "ESC5", "NTAuthCertificates", LINT_ERROR,
		    "NT AUTHORITY\\Authenticated Users", LINT_BROAD },
		{ "ESC6-vulnerable", "ESC6", "Contoso Certification Authority", LINT_ERROR,
		    "CORP\\Domain Computers", LINT_BROAD },
		{ "ESC14-vulnerable", "ESC14", "CORP\\Administrator", LINT_ERROR, NULL, LINT_PRIVILEGED },
		{ "AUTOENROLL-RIGHTS-vulnerable", "AUTOENROLL-RIGHTS", "LintT", LINT_WARNING,
		    "CORP\\Device Engineers", LINT_NAMED },
		{ "PKCS-GATE-fixed", "ESC1", "LintT", LINT_INFO, "CORP\\PFXCONN01$", LINT_TRUSTED },
		{ "PKCS-ACCOUNT-vulnerable", "ESC1", "LintT", LINT_INFO, "CORP\\svc-pfx", LINT_TRUSTED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct lint_finding *f;
		struct bench b;

		bench_run(&b, cases[i].fixture);
		f = find(&b.report, cases[i].id, cases[i].object);
		if (f == NULL || f->severity != cases[i].severity || (f->who.n > 0) != (cases[i].who != NULL))
			fail_msg("%s: %s", cases[i].fixture, f == NULL ? "no finding" : f->text);
		if (f->who.n > 0) {
			assert_string_equal(f->who.v[0].name, cases[i].who);
			assert_int_equal(f->who.v[0].trust, cases[i].trust);
		}
		bench_free(&b);
	}
}

/* The access list of a template that logs on and takes the subject from the request: who can abuse it. */
static void
test_access_lists(void **state)
{
#define ENROLL "0e10c968-78fb-11d2-90d4-00c04f79dc55"
#define USER "S-1-5-21-1111111111-2222222222-3333333333-1103"     /* janedoe */
#define COMPUTER "S-1-5-21-1111111111-2222222222-3333333333-1112" /* the CA's host */
#define CONSUMERS "S-1-5-21-1111111111-2222222222-3333333333-1203"
#define EMPLOYEES "S-1-5-21-1111111111-2222222222-3333333333-1204" /* holds Domain Users */
	static const struct {
		const char *name, *sddl;
		int esc1, esc4; /* severity, -1: none */
	} cases[] = {
		{ "Domain Users", "D:(OA;;CR;" ENROLL ";;DU)", LINT_ERROR, -1 },
		{ "all extended rights", "D:(A;;CR;;;AU)", LINT_ERROR, -1 },
		{ "extended rights without a GUID", "D:(OA;;CR;;;WD)", LINT_ERROR, -1 },
		{ "Autoenroll alone", "D:(OA;;CR;a05b8cc2-17bc-4802-a710-e7c15ab866a2;;DU)", -1, -1 },
		{ "Full Control of the console has no Enroll", "D:(A;;CCDCLCSWRPWPDTLOSDRCWDWO;;;DU)", -1,
		    LINT_ERROR },
		{ "generic all", "D:(A;;0xF01FF;;;DU)", LINT_ERROR, LINT_ERROR },
		{ "a group that holds Domain Users", "D:(OA;;CR;" ENROLL ";;" EMPLOYEES ")", LINT_ERROR, -1 },
		{ "a group of some", "D:(OA;;CR;" ENROLL ";;" CONSUMERS ")", LINT_WARNING, -1 },
		{ "one user", "D:(OA;;CR;" ENROLL ";;" USER ")", LINT_WARNING, -1 },
		{ "administrators", "D:(A;;0xF01FF;;;DA)(A;;0xF01FF;;;EA)(A;;0xF01FF;;;LA)(A;;0xF01FF;;;SY)",
		    -1, -1 },
		{ "the CA's host", "D:(A;;0xF01FF;;;" COMPUTER ")", -1, -1 },
		{ "denied first", "D:(OD;;CR;" ENROLL ";;DU)(OA;;CR;" ENROLL ";;DU)", -1, -1 },
		{ "denied to everybody first", "D:(D;;CR;;;WD)(OA;;CR;" ENROLL ";;DU)", -1, -1 },
		{ "denied too late", "D:(OA;;CR;" ENROLL ";;DU)(OD;;CR;" ENROLL ";;DU)", LINT_ERROR, -1 },
		{ "some of them denied", "D:(OD;;CR;" ENROLL ";;" USER ")(OA;;CR;" ENROLL ";;DU)", LINT_ERROR,
		    -1 },
		{ "for children only", "D:(OA;CIIO;CR;" ENROLL ";;DU)", -1, -1 },
		{ "an empty list", "D:", -1, -1 },
		{ "no list at all", "D:NO_ACCESS_CONTROL", LINT_ERROR, LINT_ERROR },
		{ "WriteDacl", "D:(A;;WD;;;" USER ")", -1, LINT_WARNING },
		{ "WriteOwner", "D:(A;;WO;;;AU)", -1, LINT_ERROR },
		{ "one harmless attribute", "D:(OA;;WP;bf967953-0de6-11d0-a285-00aa003049e2;;AU)", -1, -1 },
		{ "the name flags", "D:(OA;;WP;ea1dddc4-60ff-416e-8cc0-17cee534bce7;;AU)", -1, LINT_ERROR },
		{ "the name flags, writing denied",
		    "D:(D;;WP;;;WD)(OA;;WP;ea1dddc4-60ff-416e-8cc0-17cee534bce7;;AU)", -1, -1 },
		{ "owner", "O:" USER "D:(A;;RPLCRC;;;AU)", -1, LINT_WARNING },
		{ "owner, without rights of owners", "O:" USER "D:(A;;RC;;;OW)", -1, -1 },
	};
	struct sddl_domain domain;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(sid_from_text(&domain.domain, "S-1-5-21-1111111111-2222222222-3333333333", &e), 0);
	domain.root = domain.domain;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct lint_finding *f1, *f4;
		struct dir_attr attr = { "nTSecurityDescriptor", NULL, 1 };
		struct dir_entry change = { NULL, &attr, 1 };
		struct bytes value;
		struct buf wire;
		struct bench b;
		struct sd sd;

		bench_run(&b, "ESC1-vulnerable");
		buf_init(&wire, SD_WIRE_MAX);
		if (sd_from_sddl(&sd, b.pool, cases[i].sddl, &domain, &e) != 0 ||
		    sd_to_wire(&sd, &wire, &e) != 0)
			fail_msg("%s: %s", cases[i].name, e.msg);
		value = buf_bytes(&wire);
		attr.values = &value;
		for (size_t k = 0; k < b.n; k++)
			if (strncasecmp(b.entries[k].dn, "CN=LintT,", 9) == 0)
				change.dn = b.entries[k].dn;
		lay_over(&b, &change);
		if (lint_run_all(&b.in, b.pool, &b.report, &e) != 0)
			fail_msg("%s: %s", cases[i].name, e.msg);
		f1 = find(&b.report, "ESC1", "LintT");
		f4 = find(&b.report, "ESC4", "LintT");
		if ((f1 != NULL ? (int)f1->severity : -1) != cases[i].esc1 ||
		    (f4 != NULL ? (int)f4->severity : -1) != cases[i].esc4)
			fail_msg("%s: ESC1 %d, ESC4 %d", cases[i].name, f1 != NULL ? (int)f1->severity : -1,
			    f4 != NULL ? (int)f4->severity : -1);
		buf_fini(&wire);
		bench_free(&b);
	}
}

/* Values that are not what their setting takes. */
static void
test_settings_refused(void **state)
{
	static const struct {
		const char *name, *json;
	} cases[] = {
		{ "flags are no number", "{\"settings\": {\"policy\\\\EditFlags\": \"many\"}}" },
		{ "flags with 33 bits", "{\"settings\": {\"policy\\\\EditFlags\": \"0x111111111\"}}" },
		{ "list is a text", "{\"settings\": {\"policy\\\\DisableExtensionList\": \"2.5.29.17\"}}" },
		{ "list of numbers", "{\"settings\": {\"policy\\\\DisableExtensionList\": [1]}}" },
		{ "not SDDL", "{\"security\": \"everybody\"}" },
		{ "not a time", "{\"notAfter\": \"tomorrow\"}" },
	};
	struct sddl_domain domain = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(sid_from_text(&domain.domain, "S-1-5-21-1-2-3", &e), 0);
	domain.root = domain.domain;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1u << 20);
		json_t *o = json_loads(cases[i].json, 0, NULL);
		struct lint_settings s;

		assert_non_null(o);
		e.hr = 0;
		if (lint_settings_read(&s, pool, o, &domain, &e) == 0 || e.hr == 0)
			fail_msg("%s is taken", cases[i].name);
		json_decref(o);
		pool_free(pool);
	}
}

/* Entries that are no forest, and a template that is not there. */
static void
test_refusals(void **state)
{
	struct pool *pool = pool_new(1u << 20);
	struct lint_request none = { 0 };
	struct lint_report report;
	struct err e = { 0 };
	struct bench b;

	(void)state;
	assert_int_equal(lint_run_all(&none, pool, &report, &e), -1);
	assert_int_equal(e.hr, E_DS_NO_SUCH_OBJECT);
	pool_free(pool);
	bench_run(&b, "ESC1-vulnerable");
	b.in.template_name = "Lint T";
	assert_int_equal(lint_run_all(&b.in, b.pool, &report, &e), -1);
	assert_non_null(strstr(e.msg, "display name"));
	b.in.template_name = "User";
	assert_int_equal(lint_run_all(&b.in, b.pool, &report, &e), 0);
	assert_int_equal(report.n, 0);
	bench_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fresh_forest),
		cmocka_unit_test(test_every_rule),
		cmocka_unit_test(test_principals),
		cmocka_unit_test(test_access_lists),
		cmocka_unit_test(test_settings_refused),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
