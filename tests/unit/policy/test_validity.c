/* Steps 35 to 37: the CA's own certificate, the validity period, the renewal overlap, approval. */
#include "policy_support.h"

#define NOW "2026-06-01T12:00:00Z"
#define BEGIN "2026-06-01T11:50:00Z" /* ClockSkewMinutes */
#define YEAR_LATER "2027-06-01T11:50:00Z"
#define CLIPPED                                                                                                            \
	"The certificate validity period will be shorter than the IntunePKCS Certificate Template specifies, because the " \
	"template validity period is longer than the maximum certificate validity period allowed by the CA. Consider "     \
	"renewing the CA certificate, reducing the template validity period, or increasing the registry validity period."

#define TWO_YEARS "0080720e5dc2fdff"
#define FIVE_YEARS "00401ea4e865faff"
#define ONE_WEEK "00c01bd77ffaffff"

static const struct {
	const char *name;
	const char *period; /* pKIExpirationPeriod; NULL: one year */
	int months;         /* ValidityPeriod of the CA */
	filetime_t span;
	const char *ca_end;  /* NULL: 2036 */
	uint32_t edit_flags; /* more of them */
	const char *attributes[2][2];
	uint32_t hr;
	int step;
	const char *end;
	bool clipped;
} periods[] = {
	{ "template", NULL, 24, 0, NULL, 0, { { 0 } }, 0, 0, YEAR_LATER, false },
	{ "template of two years, registry of two", TWO_YEARS, 24, 0, NULL, 0, { { 0 } }, 0, 0,
	    "2028-05-31T11:50:00Z", false },
	{ "registry clips", FIVE_YEARS, 24, 0, NULL, 0, { { 0 } }, 0, 0, "2028-06-01T11:50:00Z", true },
	{ "registry in months", NULL, 3, 0, NULL, 0, { { 0 } }, 0, 0, "2026-09-01T11:50:00Z", true },
	{ "registry in days", NULL, 0, 100 * FILETIME_DAY, NULL, 0, { { 0 } }, 0, 0, "2026-09-09T11:50:00Z",
	    true },
	{ "no registry limit", FIVE_YEARS, 0, 0, NULL, 0, { { 0 } }, 0, 0, "2031-05-31T11:50:00Z", false },
	{ "CA end clips", NULL, 24, 0, "2027-01-01T00:00:00Z", 0, { { 0 } }, 0, 0, "2027-01-01T00:00:00Z",
	    true },
	{ "CA end at the template's end", NULL, 24, 0, YEAR_LATER, 0, { { 0 } }, 0, 0, YEAR_LATER, false },
	{ "CA end a second before", NULL, 24, 0, "2027-06-01T11:49:59Z", 0, { { 0 } }, 0, 0,
	    "2027-06-01T11:49:59Z", true },
	{ "CA certificate ends now", ONE_WEEK, 24, 0, NOW, 0, { { 0 } }, CERT_E_EXPIRED, 36, NULL, false },
	{ "CA certificate has ended", ONE_WEEK, 24, 0, "2026-06-01T11:59:59Z", 0, { { 0 } }, CERT_E_EXPIRED,
	    35, NULL, false },

	{ "ValidityPeriod off by default", NULL, 24, 0, NULL, 0,
	    { { "ValidityPeriod", "Days" }, { "ValidityPeriodUnits", "90" } }, 0, 0, YEAR_LATER, false },
	{ "ninety days", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ValidityPeriod", "Days" }, { "ValidityPeriodUnits", "90" } }, 0, 0, "2026-08-30T11:50:00Z",
	    false },
	{ "lower case, other order", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "validityperiodunits", "60" }, { "validityperiod", "days" } }, 0, 0, "2026-07-31T11:50:00Z",
	    false },
	{ "three weeks, shorter than the overlap", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ValidityPeriod", "Weeks" }, { "ValidityPeriodUnits", "3" } }, CERTSRV_E_CERT_TYPE_OVERLAP,
	    36, NULL, false },
	{ "two calendar months", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ValidityPeriod", "Months" }, { "ValidityPeriodUnits", "2" } }, 0, 0, "2026-08-01T11:50:00Z",
	    false },
	{ "2000 hours", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ValidityPeriod", "Hours" }, { "ValidityPeriodUnits", "2000" } }, 0, 0,
	    "2026-08-23T19:50:00Z", false },
	{ "90 000 minutes", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ValidityPeriod", "Minutes" }, { "ValidityPeriodUnits", "90000" } }, 0, 0,
	    "2026-08-02T23:50:00Z", false },
	{ "7 776 000 seconds", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ValidityPeriod", "Seconds" }, { "ValidityPeriodUnits", "7776000" } }, 0, 0,
	    "2026-08-30T11:50:00Z", false },
	{ "longer than the template", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ValidityPeriod", "Years" }, { "ValidityPeriodUnits", "5" } }, 0, 0, YEAR_LATER, false },
	{ "a billion years", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ValidityPeriod", "Years" }, { "ValidityPeriodUnits", "999999999" } }, 0, 0, YEAR_LATER,
	    false },
	{ "a billion weeks", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ValidityPeriod", "Weeks" }, { "ValidityPeriodUnits", "999999999" } }, 0, 0, YEAR_LATER,
	    false },
	{ "no units", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE, { { "ValidityPeriod", "Days" } }, 0, 0,
	    YEAR_LATER, false },
	{ "units alone", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE, { { "ValidityPeriodUnits", "90" } }, 0, 0,
	    YEAR_LATER, false },
	{ "unknown period", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ValidityPeriod", "Moons" }, { "ValidityPeriodUnits", "9" } }, 0, 0, YEAR_LATER, false },
	{ "negative units", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ValidityPeriod", "Days" }, { "ValidityPeriodUnits", "-90" } }, 0, 0, YEAR_LATER, false },
	{ "no units but zero", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ValidityPeriod", "Days" }, { "ValidityPeriodUnits", "0" } }, 0, 0, YEAR_LATER, false },
	{ "units of ten digits", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ValidityPeriod", "Days" }, { "ValidityPeriodUnits", "1000000000" } }, 0, 0, YEAR_LATER,
	    false },

	{ "expiration date", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ExpirationDate", "Thu, 31 Dec 2026 23:59:58 GMT" } }, 0, 0, "2026-12-31T23:59:58Z", false },
	{ "expiration date off by default", NULL, 24, 0, NULL, 0,
	    { { "ExpirationDate", "Thu, 31 Dec 2026 23:59:58 GMT" } }, 0, 0, YEAR_LATER, false },
	{ "expiration date beats the period", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ValidityPeriod", "Days" }, { "ExpirationDate", "Thu, 31 Dec 2026 23:59:58 GMT" } }, 0, 0,
	    "2026-12-31T23:59:58Z", false },
	{ "expiration date after the template's", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ExpirationDate", "Tue, 31 Dec 2030 23:59:58 GMT" } }, 0, 0, YEAR_LATER, false },
	{ "expiration date past", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ExpirationDate", "Tue, 21 Nov 2000 01:06:53 GMT" } }, CERT_E_EXPIRED, 36, NULL, false },
	{ "expiration now", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ExpirationDate", "Mon, 01 Jun 2026 12:00:00 GMT" } }, CERT_E_EXPIRED, 36, NULL, false },
	{ "no such day", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ExpirationDate", "Mon, 29 Feb 2027 12:00:00 GMT" } }, 0, 0, YEAR_LATER, false },
	{ "no such month", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ExpirationDate", "Mon, 01 Foo 2026 12:00:00 GMT" } }, 0, 0, YEAR_LATER, false },
	{ "other zone", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ExpirationDate", "Thu, 31 Dec 2026 23:59:58 CET" } }, 0, 0, YEAR_LATER, false },
	{ "something behind the date", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ExpirationDate", "Thu, 31 Dec 2026 23:59:58 GMT+1" } }, 0, 0, YEAR_LATER, false },
	{ "another form of date", NULL, 24, 0, NULL, EDITF_ATTRIBUTEENDDATE,
	    { { "ExpirationDate", "2026-12-31" } }, 0, 0, YEAR_LATER, false },
};

static void
expect_time(const char *name, filetime_t got, const char *want)
{
	char text[FILETIME_TEXT_MAX];

	if (strcmp(filetime_to_text(got, text), want) != 0)
		fail_msg("\"%s\": %s, not %s", name, text, want);
}

static void
test_periods(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(periods); i++) {
		struct desk *d = desk_open("IntunePKCS");

		if (periods[i].period != NULL) {
			desk_set(d, "pKIExpirationPeriod", periods[i].period);
			desk_unset(d, "pKIOverlapPeriod");
		}
		d->ca.validity_months = periods[i].months;
		d->ca.validity_span = periods[i].span;
		d->ca.edit_flags |= periods[i].edit_flags;
		if (periods[i].ca_end != NULL)
			d->ca.ca_not_after = at(periods[i].ca_end);
		for (size_t k = 0; k < 2 && periods[i].attributes[k][0] != NULL; k++)
			desk_attribute(d, periods[i].attributes[k][0], periods[i].attributes[k][1]);
		desk_run(d);
		expect(d, periods[i].name, periods[i].hr, periods[i].step);
		if (periods[i].hr == 0) {
			expect_time(periods[i].name, d->out.plan.not_before, BEGIN);
			expect_time(periods[i].name, d->out.plan.not_after, periods[i].end);
			if ((d->out.issued_info != NULL) != periods[i].clipped)
				fail_msg("\"%s\": issued info %s", periods[i].name, d->out.issued_info);
		}
		if (d->out.issued_info != NULL)
			assert_string_equal(d->out.issued_info, CLIPPED);
		desk_close(d);
	}
}

/* Before the CA certificate's time, as after it. */
static void
test_ca_not_yet(void **state)
{
	struct desk *d = desk_open("IntunePKCS");

	(void)state;
	d->ca.ca_not_before = d->in.now + 1;
	desk_run(d);
	expect(d, "not yet", CERT_E_EXPIRED, 35);
	desk_close(d);

	d = desk_open("IntunePKCS");
	d->ca.ca_not_before = d->in.now;
	desk_run(d);
	expect(d, "just now", 0, 0);
	desk_close(d);
}

static void
test_skew(void **state)
{
	struct desk *d = desk_open("IntunePKCS");

	(void)state;
	d->ca.clock_skew = 0;
	desk_run(d);
	expect_time("no skew", d->out.plan.not_before, NOW);
	expect_time("no skew", d->out.plan.not_after, "2027-06-01T12:00:00Z");
	desk_close(d);
}

/* The overlap of IntunePKCS is six weeks; the CA certificate ends just then, a second before, and after. */
static const struct {
	const char *name, *ca_end;
	uint32_t hr;
} overlaps[] = {
	{ "exactly the overlap", "2026-07-13T11:50:00Z", 0 },
	{ "a second short", "2026-07-13T11:49:59Z", CERTSRV_E_CERT_TYPE_OVERLAP },
	{ "a second more", "2026-07-13T11:50:01Z", 0 },
};

static void
test_overlap(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(overlaps); i++) {
		struct desk *d = desk_open("IntunePKCS");

		d->ca.ca_not_after = at(overlaps[i].ca_end);
		desk_run(d);
		expect(d, overlaps[i].name, overlaps[i].hr, 36);
		if (overlaps[i].hr != 0)
			assert_string_equal(d->out.policy_text,
			    "Renewing a certificate with the 'IntunePKCS' Certificate Template failed because the renewal overlap "
			    "period is longer than the certificate validity period.");
		desk_close(d);
	}
}

static const struct {
	const char *name, *enrollment_flag;
	uint32_t disposition;
	bool approved;
	enum policy_outcome outcome;
} approvals[] = {
	{ "issue", "0", 1, false, POLICY_ISSUE },
	{ "manager approval", "2", 1, false, POLICY_PEND },
	{ "manager approval, given", "2", 1, true, POLICY_ISSUE },
	{ "pending first", "0", 0x101, false, POLICY_PEND },
	{ "pending first, approved", "0", 0x101, true, POLICY_ISSUE },
	{ "both", "2", 0x101, false, POLICY_PEND },
	{ "disposition pending", "0", 0, false, POLICY_PEND },
	{ "disposition pending, approved", "0", 0, true, POLICY_ISSUE },
	{ "deny", "0", 2, false, POLICY_DENY },
	{ "deny, approved", "0", 2, true, POLICY_DENY },
	{ "deny, but pending first", "0", 0x102, false, POLICY_PEND },
};

static void
test_approval(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(approvals); i++) {
		struct desk *d = desk_open("IntunePKCS");

		desk_set(d, "msPKI-Enrollment-Flag", approvals[i].enrollment_flag);
		d->ca.request_disposition = approvals[i].disposition;
		d->in.approved = approvals[i].approved;
		desk_run(d);
		if (d->out.outcome != approvals[i].outcome)
			fail_msg("\"%s\": outcome %d", approvals[i].name, (int)d->out.outcome);
		if (d->out.outcome == POLICY_DENY)
			expect(d, approvals[i].name, CERTSRV_E_ADMIN_DENIED_REQUEST, 37);
		else
			assert_true(d->out.plan.n_extensions > 0); /* a pending request has its plan too */
		desk_close(d);
	}
}

/* KeyRecoveryAgent is the built-in that waits for a manager. */
static void
test_key_recovery_agent(void **state)
{
	struct desk *d = desk_open("KeyRecoveryAgent");

	(void)state;
	desk_run(d);
	assert_int_equal(d->out.outcome, POLICY_PEND);
	desk_close(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_periods),
		cmocka_unit_test(test_ca_not_yet),
		cmocka_unit_test(test_skew),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_approval),
		cmocka_unit_test(test_key_recovery_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
