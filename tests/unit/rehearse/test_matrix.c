/* Rows of the table, by the default CA of rehearsals and the how-to's template beside built-in ones. */
#include "../policy/policy_support.h"
#include "auth/access.h"
#include "rehearse/defaults.h"
#include "rehearse/matrix.h"

struct bench {
	struct desk d;
	struct policy_ca ca;
	struct matrix m;
	struct person who;
};

static void
open_bench(struct bench *b, const char *const *sids)
{
	static const char *const names[] = { "IntunePKCS", "User", "WebServer" };

	memset(b, 0, sizeof(*b));
	b->d.pool = pool_new(16 << 20);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		desk_template(&b->d, names[i]);
		if (desk_decode(&b->d, (int)i) != 0)
			fail_msg("%s", b->d.e.msg);
	}
	b->d.published = (struct x509_strings){ b->d.published_names, 2 }; /* WebServer is not */
	if (rehearse_default_ca(
		&b->ca, "corp.contoso.com", "CORP", at("2026-06-01T00:00:00Z"), b->d.pool, &b->d.e) != 0)
		fail_msg("%s", b->d.e.msg);
	b->m = (struct matrix){ .ca = &b->ca,
		.templates = b->d.templates,
		.n_templates = 3,
		.published = &b->d.published,
		.now = at("2026-06-01T00:00:00Z") };
	b->who.token = desk_token("CORP\\jane", sids);
	b->who.subject = (struct policy_subject){ .dn = "CN=Jane,DC=corp,DC=contoso,DC=com",
		.cn = "Jane",
		.sam = "jane",
		.upn = "jane@contoso.com",
		.mail = "jane@contoso.com",
		.sid_text = DOMAIN_SID "-1104" };
}

static void
close_bench(struct bench *b)
{
	token_unref(b->who.token);
	pool_free(b->d.pool);
}

static const char *const jane[] = { DOMAIN_SID "-1104", "DU", "AU", NULL };
static const char *const stranger[] = { DOMAIN_SID "-1199", "AU", NULL };
static const char *const all_names[] = { "webserver", "INTUNEPKCS", "User" };

static void
test_rows(void **state)
{
	static const struct {
		const char *name;
		const char *const *sids;
		struct matrix_options o;
		bool no_mail, pending, shut;
		size_t n;
		uint32_t row[3];
	} rows[] = {
		{ "published ones", jane, { 0 }, false, false, false, 2, { MATRIX_ISSUED, MATRIX_ISSUED } },
		{ "all", jane, { .all = true }, false, false, false, 3,
		    { MATRIX_ISSUED, MATRIX_ISSUED, CERTSRV_E_UNSUPPORTED_CERT_TYPE } },
		{ "by name, any case", jane, { .names = all_names, .n_names = 3 }, false, false, false, 3,
		    { CERTSRV_E_UNSUPPORTED_CERT_TYPE, MATRIX_ISSUED, MATRIX_ISSUED } },
		{ "no Enroll", stranger, { 0 }, false, false, false, 2,
		    { CERTSRV_E_TEMPLATE_DENIED, CERTSRV_E_TEMPLATE_DENIED } },
		{ "no mail", jane, { 0 }, true, false, false, 2,
		    { MATRIX_ISSUED, CERTSRV_E_SUBJECT_EMAIL_REQUIRED } },
		{ "short key", jane, { .key = "rsa:1024" }, false, false, false, 2,
		    { CERTSRV_E_KEY_LENGTH, MATRIX_ISSUED } },
		{ "pending", jane, { 0 }, false, true, false, 2, { MATRIX_PENDING, MATRIX_PENDING } },
		{ "no right on the CA", jane, { 0 }, false, false, true, 2,
		    { CERTSRV_E_ENROLL_DENIED, CERTSRV_E_ENROLL_DENIED } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t row[3] = { 99, 99, 99 };
		struct bench b;
		struct err e;
		struct sd sd;

		open_bench(&b, rows[i].sids);
		if (rows[i].no_mail)
			b.who.subject.mail = NULL;
		if (rows[i].pending)
			b.ca.request_disposition = 0x101;
		assert_int_equal(
		    sd_from_sddl(&sd, b.d.pool, "O:BAG:BAD:(A;;0x200;;;DA)", desk_domain(), &e), 0);
		if (rows[i].shut)
			b.m.security = &sd;
		if (matrix_prepare(&b.m, &rows[i].o, b.d.pool, &e) != 0 ||
		    matrix_row(&b.m, &b.who, row, &e) != 0)
			fail_msg("%s: %s", rows[i].name, e.msg);
		assert_int_equal(b.m.n_columns, rows[i].n);
		for (size_t k = 0; k < rows[i].n; k++)
			if (row[k] != rows[i].row[k])
				fail_msg("%s: column %zu is 0x%x", rows[i].name, k, row[k]);
		close_bench(&b);
	}
}

/* A template that wants more than 2048 bits gets a key of that length, unless one is named. */
static void
test_key_follows_the_template(void **state)
{
	struct matrix_options o = { 0 };
	uint32_t row[3];
	struct bench b;
	struct err e;

	(void)state;
	open_bench(&b, jane);
	b.d.templates[0].min_key_bits = 4096;
	assert_int_equal(matrix_prepare(&b.m, &o, b.d.pool, &e), 0);
	assert_int_equal(b.m.requests[0].key.bits, 4096);
	assert_int_equal(b.m.requests[1].key.bits, 2048);
	assert_int_equal(matrix_row(&b.m, &b.who, row, &e), 0);
	assert_int_equal(row[0], MATRIX_ISSUED);
	close_bench(&b);
}

static void
test_refused(void **state)
{
	static const char *const unknown[] = { "Nonsense" };
	static const struct matrix_options bad[] = {
		{ .names = unknown, .n_names = 1 },
		{ .key = "rsa:1" },
		{ .san = "nonsense" },
		{ .subject = "no equals" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct bench b;
		struct err e;

		open_bench(&b, jane);
		assert_int_equal(matrix_prepare(&b.m, &bad[i], b.d.pool, &e), -1);
		close_bench(&b);
	}
}

static void
test_default_local_groups(void **state)
{
	static const char *const admin[] = { DOMAIN_SID "-500", "DA", NULL };
	struct token *a = desk_token("CORP\\admin", admin), *j = desk_token("CORP\\jane", jane);
	struct sid administrators, users;
	struct err e;

	(void)state;
	assert_int_equal(sid_from_text(&administrators, "S-1-5-32-544", &e), 0);
	assert_int_equal(sid_from_text(&users, "S-1-5-32-545", &e), 0);
	assert_int_equal(rehearse_default_local_groups(NULL, a, &e), 0);
	assert_int_equal(rehearse_default_local_groups(NULL, j, &e), 0);
	assert_true(token_has(a, &administrators) && token_has(a, &users) && token_has(j, &users));
	assert_false(token_has(j, &administrators));
	token_unref(a);
	token_unref(j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows),
		cmocka_unit_test(test_key_follows_the_template), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_default_local_groups) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
