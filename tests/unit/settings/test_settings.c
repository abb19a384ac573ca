/* The settings file: every form of value, every way to be wrong, and that table, documentation and sample
 * agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/policy.h"
#include "settings/settings.h"

static char file_name[] = "/tmp/adcsd-settings-XXXXXX";

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
test_defaults(void **state)
{
	struct ca_settings s;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(ca_settings_load(&s, NULL, &e), 0);
	assert_int_equal(s.edit_flags, 0x11014E);
	assert_int_equal(s.interface_flags, 0x641);
	assert_int_equal(s.request_disposition, 1);
	assert_int_equal(s.clock_skew_minutes, 10);
	assert_string_equal(s.validity_period, "Years");
	assert_int_equal(s.validity_units, 2);
	assert_string_equal(s.hash, "SHA256");
	assert_int_equal(s.subject_template.n, 8);
	assert_string_equal(s.subject_template.v[0], "EMail");
	assert_int_equal(s.crl_urls.n, 1);
	assert_int_equal(s.published_templates.n, 0);
	assert_int_equal(s.enable_request_extensions.n, 16);
	assert_string_equal(s.enable_request_extensions.v[15], "2.5.29.37");
	assert_string_equal(s.common_name, "");
	ca_settings_fini(&s);
}

static void
test_flags(void **state)
{
	static const struct {
		const char *text;
		uint32_t value;
		const char *error; /* NULL: none */
	} cases[] = {
		{ "0x11014E", 0x11014E, NULL },
		{ "1114446", 0x11014E, NULL },
		{ "0", 0, NULL },
		{ "+EDITF_ATTRIBUTESUBJECTALTNAME2", 0x15014E, NULL },
		{ "-EDITF_ENABLEDEFAULTSMIME", 0x10014E, NULL },
		{ "+EDITF_ATTRIBUTEENDDATE -EDITF_ENABLEDEFAULTSMIME", 0x10016E, NULL },
		{ "+EDITF_ATTRIBUTEENDDATE\n-EDITF_ENABLEDEFAULTSMIME", 0x10016E, NULL },
		{ "EDITF_ATTRIBUTEENDDATE | EDITF_ATTRIBUTEEKU", 0x8020, NULL },
		{ "EDITF_ATTRIBUTEENDDATE|0x8000", 0x8020, NULL },
		{ "editf_attributeenddate", 0x20, NULL },
		{ "+0x40000", 0x15014E, NULL },
		{ "EDITF_ATTRIBUTESUBJECTALTNAME", 0, "did you mean EDITF_ATTRIBUTESUBJECTALTNAME2?" },
		{ "+EDITF_NOSUCHTHINGATALL", 0, "has no flag 'EDITF_NOSUCHTHINGATALL'" },
		{ "0x1FFFFFFFF", 0, "is not a number" },
		{ "12monkeys", 0, "is not a number" },
		{ "+", 0, "is not a list of flags" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ca_settings s;
		struct err e = { 0 };
		int rc;

		print_message("  %s\n", cases[i].text);
		assert_int_equal(ca_settings_load(&s, NULL, &e), 0);
		rc = ca_settings_set(&s, "policy", "EditFlags", cases[i].text, &e);
		assert_int_equal(rc, cases[i].error != NULL ? -1 : 0);
		if (cases[i].error != NULL)
			assert_non_null(strstr(e.msg, cases[i].error));
		else
			assert_int_equal(s.edit_flags, cases[i].value);
		ca_settings_fini(&s);
	}
}

static void
test_errors(void **state)
{
	static const struct {
		const char *name, *text, *error;
	} cases[] = {
		{ "misspelt setting", "[policy]\nEditFlag = 1\n",
		    ":2: unknown setting 'EditFlag' (did you mean EditFlags?)" },
		{ "setting of another section", "[CA]\nEditFlags = 1\n",
		    ":2: setting 'EditFlags' belongs to section [policy]" },
		{ "the first of several", "[CA]\nCAVersion = 9\n\n[policy]\nEditFlag = 1\n",
		    ":2: CAVersion" },
		{ "misspelt section", "\n[polcy]\nEditFlags = 1\n",
		    ":3: unknown section [polcy] (did you mean policy?)" },
		{ "no section", "EditFlags = 1\n", ":1: 'EditFlags' stands before the first [section]" },
		{ "nothing near", "[CA]\nXyzzyPlugh = 1\n", ":2: unknown setting 'XyzzyPlugh'" },
		{ "not a number", "[CA]\nClockSkewMinutes = ten\n",
		    ":2: ClockSkewMinutes = ten is not a number" },
		{ "negative", "[CA]\nClockSkewMinutes = -1\n", "is not a number" },
		{ "too large", "[CA]\nClockSkewMinutes = 1441\n", "is not within 0 to 1440" },
		{ "too small", "[CA]\nCAVersion = 0\n", "is not within 1 to 6" },
		{ "wrong word", "[CA]\nValidityPeriod = Year\n", "cannot be 'Year' (did you mean Years?)" },
		{ "neither 0 nor 1", "[CA]\nEnforceX500NameLengths = yes\n", "is 0 or 1, not 'yes'" },
		{ "twice", "[CA]\nCAVersion = 5\nClockSkewMinutes = 1\nCAVersion = 6\n",
		    ":4: CAVersion is set twice" },
		{ "second line of a number", "[CA]\nCAVersion = 5\n  6\n", ":3: CAVersion has one value" },
		{ "broken SDDL", "[CA]\nSecurity = O:BAG:BAD:(A;;0x3;;\n", "Security: " },
		{ "unknown alias", "[CA]\nSecurity = O:BAG:BAD:(A;;0x3;;;QQ)\n", "Security: " },
		{ "key without certificate", "[CA]\nKeyFile = a.key\n", "KeyFile and CertFile" },
		{ "no equals sign", "[CA]\nCommonName\n", ":2: neither [section]" },
		{ "name too long",
		    "[CA]\nCommonName = "
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
		    "longer than 64 characters" },
	};
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		memset(&e, 0, sizeof(e));
		write_file(file_name, cases[i].text);
		print_message("  %s: ", cases[i].name);
		assert_int_equal(ca_settings_check(file_name, &e), -1);
		print_message("%s\n", e.msg);
		assert_non_null(strstr(e.msg, cases[i].error));
		assert_int_equal(strncmp(e.msg, file_name, strlen(file_name)), 0);
	}
	assert_int_equal(ca_settings_check("/nonexistent.ini", &e), -1);
	assert_non_null(strstr(e.msg, "No such file"));
}

static void
test_long_lines(void **state)
{
	char text[2000];
	struct err e = { 0 };

	(void)state;
	snprintf(text, sizeof(text), "[CA]\n; %01000d\nCAVersion = 5\n", 0);
	write_file(file_name, text);
	assert_int_equal(ca_settings_check(file_name, &e), 0); /* a comment may be long */
	snprintf(text, sizeof(text), "[CA]\nServerName = %01000d\n", 0);
	write_file(file_name, text);
	assert_int_equal(ca_settings_check(file_name, &e), -1);
	assert_non_null(strstr(e.msg, ":2: line too long"));
}

static void
test_lists(void **state)
{
	struct ca_settings s;
	struct err e = { 0 };

	(void)state;
	write_file(file_name,
	    "[CA]\n"
	    "PublishedTemplates = A, B\n"
	    "  C\n"
	    "CRLPublicationURLs = 1:a,b\n"
	    "  2:c\n"
	    "Security = O:BAG:BAD:(A;;0x3;;;BA)\n"
	    "  (A;;0x200;;;AU)\n"
	    "SubjectTemplate =\n");
	assert_int_equal(ca_settings_load(&s, file_name, &e), 0);
	assert_int_equal(s.published_templates.n, 3);
	assert_string_equal(s.published_templates.v[2], "C");
	assert_int_equal(s.crl_urls.n, 2);
	assert_string_equal(s.crl_urls.v[0], "1:a,b"); /* a comma may stand in a URL */
	assert_string_equal(s.security, "O:BAG:BAD:(A;;0x3;;;BA)(A;;0x200;;;AU)");
	assert_int_equal(s.subject_template.n, 0);
	ca_settings_fini(&s);
}

/* The documentation names every setting, and as a file it is valid, with and without the comment signs. */
static void
test_document(void **state)
{
	struct buf doc;
	struct err e = { 0 };
	const char *text;

	(void)state;
	buf_init(&doc, 65536);
	ca_settings_document(&doc);
	text = buf_cstr(&doc);
	for (size_t i = 0; i < ca_setting_count; i++) {
		assert_non_null(strstr(text, ca_setting_rows[i].name));
		assert_true(strlen(ca_setting_rows[i].help) > 10);
	}
	write_file(file_name, text);
	if (ca_settings_check(file_name, &e) != 0)
		fail_msg("%s", e.msg);
	buf_fini(&doc);
}

static void
test_sample(void **state)
{
	struct ca_settings s, d;
	struct err e = { 0 };

	(void)state;
	if (ca_settings_load(&s, "ca/contoso.ini", &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(ca_settings_load(&d, NULL, &e), 0);
	assert_string_equal(s.common_name, "Contoso Certification Authority");
	assert_int_equal(s.interface_flags, d.interface_flags); /* "defaults visible" */
	assert_int_equal(s.edit_flags, d.edit_flags);
	assert_int_equal(s.crl_flags, d.crl_flags);
	assert_int_equal(s.subject_template.n, d.subject_template.n);
	assert_string_equal(s.security, d.security);
	assert_string_equal(s.crl_urls.v[0], d.crl_urls.v[0]);
	assert_int_equal(s.administrators.n, d.administrators.n);
	ca_settings_fini(&s);
	ca_settings_fini(&d);
}

static void
test_period(void **state)
{
	static const struct {
		const char *unit;
		uint32_t n;
		int rc, months;
		filetime_t span;
	} cases[] = {
		{ "Years", 2, 0, 24, 0 },
		{ "months", 3, 0, 3, 0 },
		{ "Weeks", 1, 0, 0, 7 * FILETIME_DAY },
		{ "Days", 10, 0, 0, 10 * FILETIME_DAY },
		{ "Hours", 5, 0, 0, 5 * FILETIME_HOUR },
		{ "Minutes", 5, 0, 0, 5 * FILETIME_MINUTE },
		{ "Seconds", 5, 0, 0, 5 * FILETIME_SECOND },
		{ "Fortnights", 1, -1, 0, 0 },
		{ "Years", 10001, -1, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		filetime_t span = 0;
		int months = 0;

		print_message("  %u %s\n", cases[i].n, cases[i].unit);
		assert_int_equal(ca_period(cases[i].unit, cases[i].n, &months, &span, &e), cases[i].rc);
		assert_int_equal(months, cases[i].months);
		assert_true(span == cases[i].span);
	}
}

/* One file for all, whose name nobody else has. */
static int
setup(void **state)
{
	int fd = mkstemp(file_name);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int
teardown(void **state)
{
	(void)state;
	return unlink(file_name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_period),
	};

	return cmocka_run_group_tests_name("settings", tests, setup, teardown);
}
