/* The console's controls on an entry in memory: what each writes and leaves alone, what it does not take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/compatibility.h"

static const struct ctl_option options[] = {
#define TAB(name)
#define CONTROL(option, value, label, ...) { option, value, label },
#include "ctl/controls.def"
	{ 0 },
};

static int
apply(struct ctl *c, struct ctl_entry *en, const struct ctl_args *a, struct err *e)
{
	return compatibility_save(c, en, a, e) != 0 ? -1 : controls_apply(c, en, a, e);
}

struct fixture {
	struct ctl c;
	struct ctl_entry en;
	const char *values[ARRAY_LEN(options)];
	struct ctl_args args;
};

static void
set_number(struct fixture *f, const char *name, uint32_t v)
{
	assert_int_equal(ctl_entry_set_int(&f->c, &f->en, name, v, NULL), 0);
}

#define EF "msPKI-Enrollment-Flag"
#define PK "msPKI-Private-Key-Flag"
#define NF "msPKI-Certificate-Name-Flag"
#define CSPS "pKIDefaultCSPs"
#define EKU "pKIExtendedKeyUsage"
#define POLICY "msPKI-Certificate-Application-Policy"

/* A schema-2 template with bits everywhere, so that what a control must not touch shows. */
static void
fixture_init(struct fixture *f)
{
	static const uint8_t usage[] = { 0xa0, 0 };
	const struct bytes ku = { usage, sizeof(usage) };

	*f = (struct fixture){ .c = { .control_fd = -1, .pool = pool_new(1 << 20) } };
	f->args = (struct ctl_args){ .options = options, .values = f->values };
	set_number(f, "msPKI-Template-Schema-Version", 2);
	set_number(f, "msPKI-Enrollment-Flag", 0x29);
	set_number(f, "msPKI-Private-Key-Flag", 0x01010010);
	set_number(f, "msPKI-Certificate-Name-Flag", 0xA6000000);
	set_number(f, "msPKI-Minimal-Key-Size", 1024);
	set_number(f, "msPKI-RA-Signature", 0);
	assert_int_equal(ctl_entry_set_text(&f->c, &f->en, CSPS, "1,Old", NULL), 0);
	assert_int_equal(ctl_entry_set_text(&f->c, &f->en, "displayName", "Old", NULL), 0);
	assert_int_equal(ctl_entry_set_bytes(&f->c, &f->en, "pKIKeyUsage", &ku, 1, NULL), 0);
}

static void
fixture_fini(struct fixture *f)
{
	pool_free(f->c.pool);
}

/* "name value" */
static void
give(struct fixture *f, const char *option, const char *value)
{
	for (size_t i = 0; options[i].name != NULL; i++) {
		if (strcmp(options[i].name, option) == 0) {
			f->values[i] = value;
			return;
		}
	}
	fail_msg("no option %s", option);
}

/* Values in hexadecimal with commas between; texts as they are. */
static const char *
shown(struct fixture *f, const char *attr)
{
	const struct ctl_attr *a = ctl_entry_attr(&f->en, attr);
	struct buf b;
	const char *s;

	if (a == NULL)
		return "absent";
	buf_init(&b, 4096);
	for (size_t i = 0; i < a->n; i++) {
		bool text = a->values[i].len > 0;

		buf_put_str(&b, i > 0 ? "," : "");
		for (size_t k = 0; k < a->values[i].len; k++)
			text = text && a->values[i].p[k] >= 0x20 && a->values[i].p[k] < 0x7f;
		if (text)
			buf_put_bytes(&b, a->values[i]);
		for (size_t k = 0; !text && k < a->values[i].len; k++)
			buf_printf(&b, "%02x", a->values[i].p[k]);
	}
	s = pool_strdup(f->c.pool, buf_cstr(&b));
	buf_fini(&b);
	return s;
}

/* compatibility.md section 6; numbers are signed decimals, as AD writes them. */
static const struct {
	const char *option, *value, *attr, *want;
} writes[] = {
	/* clang-format off */
	{ "display-name", "Intune PKCS", "displayName", "Intune PKCS" },
	{ "validity", "1y", "pKIExpirationPeriod", "004039872ee1feff" },
	{ "renewal", "6w", "pKIOverlapPeriod", "0080a60affdeffff" },
	{ "validity", "1h", "pKIExpirationPeriod", "00983b9ef7ffffff" },
	{ "publish-in-ad", "yes", EF, "41" },
	{ "publish-in-ad", "no", EF, "33" },
	{ "compat-ca", "2008R2", PK, "16973840" }, /* 0x01030010 */
	{ "compat-recipient", "7", PK, "50397200" }, /* 0x03010010 */
	{ "compat-ca", "2016", PK, "17170448" }, /* 0x01060010 */
	{ "allow-export", "no", PK, "16842752" }, /* 0x01010000 */
	{ "allow-export", "TRUE", PK, "16842768" },
	{ "include-symmetric-algorithms", "0", EF, "40" },
	{ "minimum-key-size", "2048", "msPKI-Minimal-Key-Size", "2048" },
	{ "minimum-key-size", "0", "msPKI-Minimal-Key-Size", "0" },
	{ "minimum-key-size", "16384", "msPKI-Minimal-Key-Size", "16384" },
	{ "providers", "Provider A,Provider B v1.0", CSPS, "1,Provider A,2,Provider B v1.0" },
	{ "providers", "any", CSPS, "absent" },
	{ "subject", "request", NF, "1" },
	{ "subject", "request", EF, "9" }, /* autoenrollment goes with it */
	{ "subject", "directory", NF, "-1509949440" }, /* 0xA6000000 has no bit of it */
	{ "subject", "directory", EF, "41" },
	{ "subject-format", "none", NF, "637534208" }, /* 0x26000000 */
	{ "subject-format", "common-name", NF, "1711276032" }, /* 0x66000000 */
	{ "subject-format", "dns-name", NF, "905969664" }, /* 0x36000000 */
	{ "subject-format", "Distinguished-Name", NF, "-1509949440" },
	{ "include-email", "no", NF, "-2046820352" }, /* 0x86000000 */
	{ "alternate-names", "dns", NF, "-1476395008" }, /* 0xA8000000 */
	{ "alternate-names", "spn,upn", NF, "-1568669696" }, /* 0xA2800000 */
	{ "alternate-names", "", NF, "-1610612736" }, /* 0xA0000000 */
	{ "manager-approval", "yes", EF, "43" },
	{ "authorized-signatures", "2", "msPKI-RA-Signature", "2" },
	{ "application-policies", "client-authentication", EKU, "1.3.6.1.5.5.7.3.2" },
	{ "application-policies", "client-authentication", POLICY, "1.3.6.1.5.5.7.3.2" },
	{ "application-policies", "1.2.3.4,Secure-Email", EKU, "1.2.3.4,1.3.6.1.5.5.7.3.4" },
	{ "application-policies", "", EKU, "absent" },
	{ "application-policies", "", POLICY, "absent" },
	{ "key-usage", "digital-signature", "pKIKeyUsage", "8000" },
	{ "key-usage", "digital-signature,nonrepudiation,key-encipherment,data-encipherment,key-agreement",
	    "pKIKeyUsage", "f800" },
	{ "key-usage", "", "pKIKeyUsage", "0000" },
	{ "basic-constraints", "yes", EF, "32809" }, /* 0x8029 */
	/* clang-format on */
};

static void
each_control_writes_its_bits(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(writes); i++) {
		struct fixture f;
		struct err e = { 0 };

		fixture_init(&f);
		give(&f, writes[i].option, writes[i].value);
		if (apply(&f.c, &f.en, &f.args, &e) != 0)
			fail_msg("--%s %s: %s", writes[i].option, writes[i].value, e.msg);
		if (strcmp(shown(&f, writes[i].attr), writes[i].want) != 0)
			fail_msg("--%s %s: %s is %s", writes[i].option, writes[i].value, writes[i].attr,
			    shown(&f, writes[i].attr));
		fixture_fini(&f);
	}
}

/* No control leaves a mark on an attribute that is not its own. */
static void
nothing_else_changes(void **state)
{
	static const char *const attrs[] = { "displayName", "pKIExpirationPeriod", "pKIOverlapPeriod", EF, PK,
		NF, "msPKI-Minimal-Key-Size", "msPKI-RA-Signature", EKU, POLICY, "pKIKeyUsage", CSPS,
		"msPKI-Template-Schema-Version" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(writes); i++) {
		struct fixture f, old;
		struct err e;

		fixture_init(&f);
		fixture_init(&old);
		give(&f, writes[i].option, writes[i].value);
		assert_int_equal(apply(&f.c, &f.en, &f.args, &e), 0);
		for (size_t k = 0; k < ARRAY_LEN(attrs); k++) {
			bool own = false;

			for (size_t w = 0; w < ARRAY_LEN(writes); w++)
				own |= strcmp(writes[w].option, writes[i].option) == 0 &&
				    strcmp(writes[w].attr, attrs[k]) == 0;
			if (!own && strcmp(shown(&f, attrs[k]), shown(&old, attrs[k])) != 0)
				fail_msg("--%s changes %s", writes[i].option, attrs[k]);
		}
		fixture_fini(&f);
		fixture_fini(&old);
	}
}

static void
no_option_no_change(void **state)
{
	struct fixture f;
	struct err e;
	size_t n;

	(void)state;
	fixture_init(&f);
	n = f.en.n_attrs;
	assert_int_equal(apply(&f.c, &f.en, &f.args, &e), 0);
	assert_int_equal(f.en.n_attrs, n);
	assert_string_equal(shown(&f, EF), "41");
	fixture_fini(&f);
}

/* Schema 1 knows no application policies. */
static void
schema_1_has_only_the_eku(void **state)
{
	struct fixture f;
	struct err e;

	(void)state;
	fixture_init(&f);
	set_number(&f, "msPKI-Template-Schema-Version", 1);
	give(&f, "application-policies", "code-signing");
	assert_int_equal(apply(&f.c, &f.en, &f.args, &e), 0);
	assert_string_equal(shown(&f, EKU), "1.3.6.1.5.5.7.3.3");
	assert_string_equal(shown(&f, POLICY), "absent");
	fixture_fini(&f);
}

/* Supply in the request, then a format: the later control of the tab wins, as in the dialog. */
static void
building_again_ends_supplying(void **state)
{
	struct fixture f;
	struct err e;

	(void)state;
	fixture_init(&f);
	give(&f, "subject", "request");
	give(&f, "subject-format", "common-name");
	assert_int_equal(apply(&f.c, &f.en, &f.args, &e), 0);
	assert_string_equal(shown(&f, NF), "1073741824");
	fixture_fini(&f);
}

static const struct {
	const char *option, *value, *said;
} refusals[] = {
	/* clang-format off */
	{ "validity", "soon", "no period" },
	{ "validity", "59s", "shortest period is one hour" },
	{ "validity", "0", "shortest period is one hour" },
	{ "validity", "-1y", "shortest period is one hour" },
	{ "renewal", "", "no period" },
	{ "publish-in-ad", "maybe", "neither yes nor no" },
	{ "publish-in-ad", "", "neither yes nor no" },
	{ "compat-ca", "2019", "no compatibility level" },
	{ "compat-recipient", "95", "no compatibility level" },
	{ "allow-export", "2", "neither yes nor no" },
	{ "include-symmetric-algorithms", "y", "neither yes nor no" },
	{ "minimum-key-size", "16385", "not a number up to 16384" },
	{ "minimum-key-size", "-1", "not a number" },
	{ "minimum-key-size", "2048 bits", "not a number" },
	{ "minimum-key-size", "", "not a number" },
	{ "minimum-key-size", "99999999999999999999999", "not a number" },
	{ "providers", "", "without a name" },
	{ "providers", "A,,B", "without a name" },
	{ "providers", "A,", "without a name" },
	{ "providers", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "more than 16" },
	{ "subject", "both", "neither request nor directory" },
	{ "subject-format", "cn", "none of none, common-name, dns-name, distinguished-name" },
	{ "subject-format", "", "none of" },
	{ "include-email", "perhaps", "neither yes nor no" },
	{ "alternate-names", "ip", "'ip' is none of email, dns, upn, spn" },
	{ "alternate-names", "email,,dns", "'' is none of" },
	{ "alternate-names", "email dns", "none of" },
	{ "manager-approval", "no!", "neither yes nor no" },
	{ "authorized-signatures", "101", "not a number up to 100" },
	{ "application-policies", "client", "neither an OID nor a name" },
	{ "application-policies", "1.2.3,,1.2.4", "neither an OID nor a name" },
	{ "application-policies", "9.9.9", "neither an OID nor a name" },
	{ "application-policies",
	    "1.2.1,1.2.2,1.2.3,1.2.4,1.2.5,1.2.6,1.2.7,1.2.8,1.2.9,1.2.10,1.2.11,1.2.12,1.2.13,1.2.14,"
	    "1.2.15,1.2.16,1.2.17,1.2.18,1.2.19,1.2.20,1.2.21,1.2.22,1.2.23,1.2.24,1.2.25,1.2.26,1.2.27,"
	    "1.2.28,1.2.29,1.2.30,1.2.31,1.2.32,1.2.33",
	    "more than 32" },
	{ "key-usage", "signing", "none of digital-signature" },
	{ "basic-constraints", "critical", "neither yes nor no" },
	/* clang-format on */
};

static void
refused_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		char option[64];
		struct fixture f;
		struct err e = { 0 };

		fixture_init(&f);
		give(&f, refusals[i].option, refusals[i].value);
		if (apply(&f.c, &f.en, &f.args, &e) == 0)
			fail_msg("--%s '%s' is taken", refusals[i].option, refusals[i].value);
		assert_int_equal(e.hr, E_INVALIDARG);
		snprintf(option, sizeof(option), "--%s", refusals[i].option);
		if (strncmp(e.msg, option, strlen(option)) != 0 || strstr(e.msg, refusals[i].said) == NULL)
			fail_msg("--%s '%s': %s", refusals[i].option, refusals[i].value, e.msg);
		fixture_fini(&f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_control_writes_its_bits),
		cmocka_unit_test(nothing_else_changes),
		cmocka_unit_test(no_option_no_change),
		cmocka_unit_test(schema_1_has_only_the_eku),
		cmocka_unit_test(building_again_ends_supplying),
		cmocka_unit_test(refused_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
