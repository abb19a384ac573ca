#include "base/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/err.h"

struct clock {
	pthread_mutex_t lock;
	filetime_t offset; /* virtual = real + offset, while it runs */
	bool stopped;
	filetime_t at; /* while stopped */
};

struct clock *
clock_new(void)
{
	struct clock *c = calloc(1, sizeof(*c));

	if (c != NULL)
		pthread_mutex_init(&c->lock, NULL);
	return c;
}

void
clock_free(struct clock *c)
{
	if (c == NULL)
		return;
	pthread_mutex_destroy(&c->lock);
	free(c);
}

filetime_t
clock_now(const struct clock *cc)
{
	struct clock *c = (struct clock *)(uintptr_t)cc; /* the lock is not part of what a reader sees */
	filetime_t t;

	pthread_mutex_lock(&c->lock);
	t = c->stopped ? c->at : clock_real() + c->offset;
	pthread_mutex_unlock(&c->lock);
	return t;
}

void
clock_advance(struct clock *c, filetime_t delta)
{
	pthread_mutex_lock(&c->lock);
	if (c->stopped)
		c->at += delta;
	else
		c->offset += delta;
	pthread_mutex_unlock(&c->lock);
}

void
clock_stop(struct clock *c, filetime_t t)
{
	pthread_mutex_lock(&c->lock);
	c->stopped = true;
	c->at = t;
	pthread_mutex_unlock(&c->lock);
}

void
clock_run(struct clock *c)
{
	pthread_mutex_lock(&c->lock);
	if (c->stopped)
		c->offset = c->at - clock_real();
	c->stopped = false;
	pthread_mutex_unlock(&c->lock);
}

bool
clock_is_stopped(const struct clock *cc)
{
	struct clock *c = (struct clock *)(uintptr_t)cc;
	bool stopped;

	pthread_mutex_lock(&c->lock);
	stopped = c->stopped;
	pthread_mutex_unlock(&c->lock);
	return stopped;
}

filetime_t
clock_real(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return FILETIME_UNIX_EPOCH + ts.tv_sec * FILETIME_SECOND + ts.tv_nsec / 100;
}

uint64_t
clock_monotonic_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* Days since 1601-01-01 of a proleptic Gregorian date, and back: years counted from March, 400-year eras. */
static int64_t
days_from_civil(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 584694;
}

static void
civil_from_days(int64_t days, struct civil *out)
{
	int64_t z = days + 584694;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	out->day = (int)(doy - (153 * mp + 2) / 5 + 1);
	out->month = (int)(mp < 10 ? mp + 3 : mp - 9);
	out->year = (int)(yoe + era * 400 + (out->month <= 2));
}

void
filetime_to_civil(filetime_t t, struct civil *out)
{
	int64_t days = t / FILETIME_DAY, rest = t % FILETIME_DAY;

	if (rest < 0) {
		rest += FILETIME_DAY;
		days--;
	}
	civil_from_days(days, out);
	rest /= FILETIME_SECOND;
	out->hour = (int)(rest / 3600);
	out->minute = (int)(rest / 60 % 60);
	out->second = (int)(rest % 60);
}

filetime_t
filetime_from_civil(const struct civil *in)
{
	return days_from_civil(in->year, in->month, in->day) * FILETIME_DAY + in->hour * FILETIME_HOUR +
	    in->minute * FILETIME_MINUTE + in->second * FILETIME_SECOND;
}

static int
days_in_month(int y, int m)
{
	static const int n[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return m == 2 && leap ? 29 : n[m - 1];
}

filetime_t
filetime_add_months(filetime_t t, int months)
{
	struct civil c;
	int m, last;
	filetime_t fraction = t % FILETIME_SECOND;

	if (fraction < 0)
		fraction += FILETIME_SECOND;
	filetime_to_civil(t, &c);
	m = c.year * 12 + c.month - 1 + months;
	c.year = m / 12;
	c.month = m % 12 + 1;
	last = days_in_month(c.year, c.month);
	if (c.day > last)
		c.day = last;
	return filetime_from_civil(&c) + fraction;
}

bool
filetime_period(const char *unit, uint32_t n, int *months, filetime_t *span)
{
	static const struct {
		const char *unit;
		int months;
		filetime_t span;
	} units[] = {
		{ "Years", 12, 0 },
		{ "Months", 1, 0 },
		{ "Weeks", 0, 7 * FILETIME_DAY },
		{ "Days", 0, FILETIME_DAY },
		{ "Hours", 0, FILETIME_HOUR },
		{ "Minutes", 0, FILETIME_MINUTE },
		{ "Seconds", 0, FILETIME_SECOND },
	};

	for (size_t i = 0; n <= 10000 && i < ARRAY_LEN(units); i++) {
		if (strcasecmp(unit, units[i].unit) == 0) {
			*months = units[i].months * (int)n;
			*span = units[i].span * n;
			return true;
		}
	}
	return false;
}

char *
filetime_to_text(filetime_t t, char out[FILETIME_TEXT_MAX])
{
	filetime_t fraction = t % FILETIME_SECOND;
	struct civil c;
	int n;

	if (fraction < 0)
		fraction += FILETIME_SECOND;
	filetime_to_civil(t, &c);
	n = snprintf(out, FILETIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d", c.year, c.month, c.day, c.hour,
	    c.minute, c.second);
	if (fraction != 0 && n > 0 && n < FILETIME_TEXT_MAX)
		n += snprintf(out + n, FILETIME_TEXT_MAX - (size_t)n, ".%07d", (int)fraction);
	if (n > 0 && n < FILETIME_TEXT_MAX - 1)
		strcpy(out + n, "Z");
	return out;
}

/* The form of the whole seconds, digit for 'd': sscanf alone would take blanks and signs. */
static bool
has_date_form(const char *s)
{
	for (const char *form = "dddd-dd-ddTdd:dd:dd"; *form != '\0'; form++, s++) {
		if (*form == 'd' ? *s < '0' || *s > '9' : *s != *form)
			return false;
	}
	return true;
}

/* ".1" to ".1234567" at *s, or nothing. */
static bool
take_fraction(const char **s, filetime_t *out)
{
	filetime_t unit = FILETIME_SECOND;

	*out = 0;
	if (**s != '.')
		return true;
	for ((*s)++; **s >= '0' && **s <= '9' && unit > 1; (*s)++)
		*out += (**s - '0') * (unit /= 10);
	return unit < FILETIME_SECOND;
}

bool
filetime_from_text(const char *s, filetime_t *out)
{
	filetime_t fraction;
	struct civil c;

	if (!has_date_form(s) ||
	    sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2d", &c.year, &c.month, &c.day, &c.hour, &c.minute, &c.second) !=
		6)
		return false;
	s += strlen("2026-11-23T20:49:00");
	if (!take_fraction(&s, &fraction) || strcmp(s, "Z") != 0)
		return false;
	if (c.year < 1601 || c.month < 1 || c.month > 12 || c.day < 1 ||
	    c.day > days_in_month(c.year, c.month) || c.hour > 23 || c.minute > 59 || c.second > 59)
		return false;
	*out = filetime_from_civil(&c) + fraction;
	return true;
}
