/*
 * Restrictions of a view as text, in the spirit of certutil -restrict:
 * "NotAfter<=now+30d,Disposition=20,-NotAfter". A column's name, one of < <= = >= >, and a value; several
 * hold together. A value with a comma stands in double quotes.
 * "+NAME" and "-NAME" sort. Numbers are decimal or 0x...; times are 2026-06-01T12:00:00Z, or now with +30d,
 * -2h, -90s. The result is MS-CSRA's form (2.2.1.3), whatever carries it to the CA. Pure.
 */
#ifndef ADCSD_CTL_RESTRICTION_H
#define ADCSD_CTL_RESTRICTION_H

#include "base/clock.h"
#include "base/pool.h"

struct ctl_view_column {
	uint32_t id;
	unsigned type; /* 1 LONG, 2 DATE, 3 BINARY, 4 STRING */
	const char *name, *display;
};
struct ctl_restriction {
	uint32_t column, seek, sort;
	struct bytes value;
};

/* By name, without case; "RequestID" is a name that comes twice: that of the request wins. NULL when there is
 * none. */
const struct ctl_view_column *
ctl_view_column_find(const struct ctl_view_column *columns, size_t n, const char *name);
/* In the pool. E_INVALIDARG with what is wrong. */
int
ctl_restrictions_parse(const char *text, const struct ctl_view_column *columns, size_t n_columns,
    filetime_t now, struct pool *pool, struct ctl_restriction **out, size_t *n_out, struct err *e) MUST_CHECK;

#endif
