/*
 * Time. Certificates, CRLs, the database, schedules and time-outs live on a virtual clock that a test may
 * move; authentication and child processes stay on real time. No time() anywhere else.
 */
#ifndef ADCSD_BASE_CLOCK_H
#define ADCSD_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 100 ns intervals since 1601-01-01 UTC (MS-DTYP 2.3.3), signed as in AD. */
typedef int64_t filetime_t;

#define FILETIME_SECOND INT64_C(10000000)
#define FILETIME_MINUTE (60 * FILETIME_SECOND)
#define FILETIME_HOUR (60 * FILETIME_MINUTE)
#define FILETIME_DAY (24 * FILETIME_HOUR)
#define FILETIME_UNIX_EPOCH INT64_C(116444736000000000)

struct clock;

/* A clock that follows real time. */
struct clock *
clock_new(void);
void
clock_free(struct clock *c);

/* Virtual now; thread-safe. */
filetime_t
clock_now(const struct clock *c);
/* Moves virtual time by delta (either way). */
void
clock_advance(struct clock *c, filetime_t delta);
/* Stops virtual time at t; clock_run() lets it go on from there. */
void
clock_stop(struct clock *c, filetime_t t);
void
clock_run(struct clock *c);
bool
clock_is_stopped(const struct clock *c);

/* Real wall time, for authentication and the journal only. */
filetime_t
clock_real(void);
/* Monotonic microseconds, for durations. */
uint64_t
clock_monotonic_us(void);

/* Broken-down UTC. */
struct civil {
	int year, month, day, hour, minute, second; /* month 1..12, day 1..31 */
};
void
filetime_to_civil(filetime_t t, struct civil *out);
filetime_t
filetime_from_civil(const struct civil *in);
/* Calendar arithmetic: the same day and time n months later (the last day of a shorter month). */
filetime_t
filetime_add_months(filetime_t t, int months);
/* "Years" or "Months" as months; "Weeks" to "Seconds" as a span; the other one is 0. n at most 10,000. False
 * for another unit (compared without case) or a larger n. */
bool
filetime_period(const char *unit, uint32_t n, int *months, filetime_t *span);

#define FILETIME_TEXT_MAX 32
/* "2026-11-23T20:49:00Z", with ".1234567" when there is a fraction. */
char *
filetime_to_text(filetime_t t, char out[FILETIME_TEXT_MAX]);
/* The same form, fraction optional; false when it is not one. */
bool
filetime_from_text(const char *s, filetime_t *out);

#endif
