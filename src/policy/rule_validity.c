/*
 * Steps 35 and 36 and the validity period (MS-WCCE 3.2.2.6.2.1.4.4.2, 3.2.1.4.2.1.2; issuance.md section
 * 7).
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/rule_priv.h"

#define FOREVER INT64_MAX
#define MAX_MONTHS (12 * 1000)

static int
chain_refused(struct eval *ev)
{
	const struct policy_ca *ca = ev->ca;

	if (ca->chain_status == CRYPT_E_REVOCATION_OFFLINE)
		rule_fix(ev,
		    "publish the CRL of the CA above: adcsctl pki add FILE CDP (certutil -dspublish -f "
		    "FILE), or set CA\\CRLFlags +CRLF_REVCHECK_IGNORE_OFFLINE");
	else
		rule_fix(ev, "Certification Authority console > %s > All Tasks > Renew CA Certificate",
		    ca->ca_name);
	return rule_refuse(ev, ca->chain_status, "the chain of the CA certificate: %s", ca->chain_text);
}

int
check_ca_expired(struct eval *ev)
{
	const struct policy_ca *ca = ev->ca;
	filetime_t now = ev->in->now;
	char from[FILETIME_TEXT_MAX], to[FILETIME_TEXT_MAX];

	filetime_to_text(ca->ca_not_before, from);
	filetime_to_text(ca->ca_not_after, to);
	if (now >= ca->ca_not_before && now <= ca->ca_not_after && ca->chain_status != 0)
		return chain_refused(ev);
	if (now >= ca->ca_not_before && now <= ca->ca_not_after)
		return rule_pass(ev, "the CA certificate is valid from %s to %s", from, to);
	rule_fix(ev,
	    "Certification Authority console > %s > All Tasks > Renew CA Certificate, or set the clock",
	    ca->ca_name);
	return rule_refuse(ev, CERT_E_EXPIRED, "the CA certificate is valid from %s to %s only", from, to);
}

/* ---- request attributes ---- */

static filetime_t
add_span(filetime_t t, filetime_t unit, long n)
{
	if (n > (FOREVER - t) / unit)
		return FOREVER;
	return t + unit * n;
}

static filetime_t
add_months(filetime_t t, long n)
{
	return n > MAX_MONTHS ? FOREVER : filetime_add_months(t, (int)n);
}

/* "Weeks", 3. False when the unit is unknown. */
static bool
add_period(filetime_t t, const char *unit, long n, filetime_t *out)
{
	static const struct {
		const char *name;
		filetime_t span; /* 0: calendar months */
		long months;
	} units[] = {
		{ "Seconds", FILETIME_SECOND, 0 },
		{ "Minutes", FILETIME_MINUTE, 0 },
		{ "Hours", FILETIME_HOUR, 0 },
		{ "Days", FILETIME_DAY, 0 },
		{ "Weeks", 7 * FILETIME_DAY, 0 },
		{ "Months", 0, 1 },
		{ "Years", 0, 12 },
	};

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (strcasecmp(units[i].name, unit) != 0)
			continue;
		if (units[i].span != 0)
			*out = add_span(t, units[i].span, n);
		else
			*out = n > MAX_MONTHS ? FOREVER : add_months(t, n * units[i].months);
		return true;
	}
	return false;
}

/* A positive decimal number of at most nine digits; 0 when it is none. */
static long
parse_count(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n == 0 || n > 9 || text[n] != '\0' ? 0 : strtol(text, NULL, 10);
}

static int
month_number(const char *name)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++)
		if (strncasecmp(name, months + (size_t)i * 3, 3) == 0)
			return i + 1;
	return 0;
}

/* "Tue, 21 Nov 2000 01:06:53 GMT" (RFC 9110 5.6.7). The name of the weekday is not held against the date. */
static bool
parse_http_date(const char *text, filetime_t *out)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct civil c, back;
	char month[4], zone[4];
	int end = -1;

	if (!isalpha((unsigned char)text[0]) ||
	    sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %3[A-Z]%n", &c.day, month, &c.year,
		&c.hour, &c.minute, &c.second, zone, &end) != 7 ||
	    end < 0 || text[end] != '\0' || strcmp(zone, "GMT") != 0)
		return false;
	c.month = month_number(month);
	if (c.month == 0 || c.year < 1601 || c.day < 1 || c.day > days[c.month - 1] || c.hour < 0 ||
	    c.hour > 23 || c.minute < 0 || c.minute > 59 || c.second < 0 || c.second > 59)
		return false;
	*out = filetime_from_civil(&c);
	filetime_to_civil(*out, &back);
	return back.day == c.day; /* 29 February of a common year comes back as March */
}

/* The end the request asks for; FOREVER when it asks for none that counts. *why says what came of it. */
static filetime_t
requested_end(const struct eval *ev, filetime_t not_before, const char **why)
{
	const char *date = rule_attribute(ev, "ExpirationDate");
	const char *unit = rule_attribute(ev, "ValidityPeriod"),
		   *units = rule_attribute(ev, "ValidityPeriodUnits");
	filetime_t end;
	long n;

	*why = NULL;
	if (date == NULL && unit == NULL && units == NULL)
		return FOREVER;
	if (!(ev->ca->edit_flags & EDITF_ATTRIBUTEENDDATE)) {
		*why = "validity attributes not honoured: EDITF_ATTRIBUTEENDDATE is off";
		return FOREVER;
	}
	if (date != NULL) {
		if (parse_http_date(date, &end))
			return end;
		*why = "ExpirationDate ignored: not a date like Tue, 21 Nov 2000 01:06:53 GMT";
		return FOREVER;
	}
	n = units != NULL ? parse_count(units) : 0;
	if (unit != NULL && n > 0 && add_period(not_before, unit, n, &end))
		return end;
	*why = "ValidityPeriod ignored: it takes Seconds to Years, with a number in ValidityPeriodUnits";
	return FOREVER;
}

/* ---- the period ---- */

static filetime_t
registry_end(const struct policy_ca *ca, filetime_t not_before)
{
	if (ca->validity_months > 0)
		return add_months(not_before, ca->validity_months);
	if (ca->validity_span > 0)
		return add_span(not_before, ca->validity_span, 1);
	return FOREVER;
}

static void
limit(filetime_t *end, const char **by, filetime_t candidate, const char *name)
{
	if (candidate < *end) {
		*end = candidate;
		*by = name;
	}
}

static bool
set_clipped(struct eval *ev)
{
	ev->out->issued_info = pool_printf(ev->pool,
	    "The certificate validity period will be shorter than the %s Certificate Template specifies, "
	    "because the "
	    "template validity period is longer than the maximum certificate validity period allowed by the "
	    "CA. Consider "
	    "renewing the CA certificate, reducing the template validity period, or increasing the registry "
	    "validity period.",
	    ev->t->cn);
	return ev->out->issued_info != NULL;
}

int
check_validity(struct eval *ev)
{
	filetime_t begin = ev->in->now - ev->ca->clock_skew, end = add_span(begin, ev->t->validity, 1);
	filetime_t by_template = end, allowed, asked;
	const char *by = "pKIExpirationPeriod", *ignored;
	char from[FILETIME_TEXT_MAX], to[FILETIME_TEXT_MAX];

	limit(&end, &by, registry_end(ev->ca, begin), "ValidityPeriod of the CA");
	limit(&end, &by, ev->ca->ca_not_after, "the end of the CA certificate");
	allowed = end;
	asked = requested_end(ev, begin, &ignored);
	limit(&end, &by, asked, "the request");
	if (end <= ev->in->now) {
		rule_fix(ev, "ask for an end in the future");
		return rule_refuse(ev, CERT_E_EXPIRED, "the certificate would end at %s, set by %s",
		    filetime_to_text(end, to), by);
	}
	if (allowed < by_template && !set_clipped(ev))
		return rule_nomem(ev);
	ev->out->plan.not_before = begin;
	ev->out->plan.not_after = end;
	return rule_pass(ev, "%s to %s, set by %s%s%s", filetime_to_text(begin, from),
	    filetime_to_text(end, to), by, ignored != NULL ? "; " : "", ignored != NULL ? ignored : "");
}

int
check_overlap(struct eval *ev)
{
	filetime_t validity = ev->out->plan.not_after - ev->out->plan.not_before;

	if (ev->t->overlap <= validity)
		return rule_pass(ev, "renewal period %lld s, validity %lld s",
		    (long long)(ev->t->overlap / FILETIME_SECOND), (long long)(validity / FILETIME_SECOND));
	ev->out->policy_text = pool_printf(ev->pool,
	    "Renewing a certificate with the '%s' Certificate Template failed because the renewal overlap "
	    "period is longer "
	    "than the certificate validity period.",
	    ev->t->cn);
	rule_fix(ev,
	    "Certificate Templates console > %s > Properties > General: shorten the renewal period; or renew "
	    "the CA "
	    "certificate",
	    ev->t->cn);
	return rule_refuse(ev, CERTSRV_E_CERT_TYPE_OVERLAP, "renewal period %lld s, validity %lld s only",
	    (long long)(ev->t->overlap / FILETIME_SECOND), (long long)(validity / FILETIME_SECOND));
}
