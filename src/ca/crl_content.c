/* Times and entries of a CRL: MS-CSRA 3.1.4.1.6. Pure. */
#include <string.h>

#include "base/text.h"
#include "ca/crl.h"
#include "ca/revoke.h"

static filetime_t
smaller(filetime_t a, filetime_t b)
{
	return a < b ? a : b;
}

static filetime_t
larger(filetime_t a, filetime_t b)
{
	return a > b ? a : b;
}

/* As it will be written. */
static filetime_t
whole_seconds(filetime_t t)
{
	return t - t % FILETIME_SECOND;
}

int
ca_crl_times(const struct ca_settings *s, filetime_t now, filetime_t ca_not_before, bool delta,
    filetime_t until, struct ca_crl_times *out, struct err *e)
{
	const filetime_t skew = (filetime_t)s->clock_skew_minutes * FILETIME_MINUTE;
	const char *unit = delta ? s->crl_delta_overlap_period : s->crl_overlap_period;
	uint32_t n = delta ? s->crl_delta_overlap_units : s->crl_overlap_units;
	filetime_t base_end, end, overlap;

	if (ca_period_end(now, s->crl_period, s->crl_units, &base_end, e) != 0 ||
	    ca_period_end(now, delta ? s->crl_delta_period : s->crl_period,
		delta ? s->crl_delta_units : s->crl_units, &end, e) != 0 ||
	    ca_period_end(now, unit, n, &overlap, e) != 0)
		return -1;
	overlap -= now;
	if (n == 0) { /* not configured */
		overlap = smaller(delta ? end - now : (end - now) / 10, 12 * FILETIME_HOUR);
		overlap = smaller(larger(overlap, skew + skew / 2), base_end - now) + skew;
	}
	out->this_update = whole_seconds(larger(now - skew, ca_not_before));
	out->next_publish = whole_seconds(end);
	out->next_update = whole_seconds(until != 0 ? until + overlap + skew : end + overlap);
	out->propagation_complete = now + overlap;
	return 0;
}

const struct store_crl *
ca_crl_newest(const struct store_crl *rows, size_t n, ca_crl_id id, bool delta)
{
	const struct store_crl *found = NULL;

	for (size_t i = 0; i < n; i++) {
		if (ca_crl_id_of(&rows[i]) == id && (rows[i].min_base != 0) == delta &&
		    (found == NULL || rows[i].number >= found->number))
			found = &rows[i];
	}
	return found;
}

const struct store_crl *
ca_crl_min_base(const struct store_crl *rows, size_t n, ca_crl_id id, bool oldest_one, filetime_t now)
{
	const struct store_crl *propagated = NULL, *oldest = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct store_crl *r = &rows[i];

		if (ca_crl_id_of(r) != id || r->min_base != 0 || r->next_update <= now)
			continue;
		if (r->propagation_complete <= now && (propagated == NULL || r->number > propagated->number))
			propagated = r;
		if (oldest == NULL || r->number < oldest->number)
			oldest = r;
	}
	return propagated != NULL && !oldest_one ? propagated : oldest;
}

static bool
belongs(const struct store_revoked *r, const struct ca_crl_scope *scope)
{
	if (r->issuer >> 16 != (scope->id & 0xffff))
		return false;
	if (scope->partitions && r->partition != scope->id >> 16 &&
	    (scope->id >> 16 != 0 || scope->zero_exclusive))
		return false;
	/* a date set for later counts when it has come */
	if (larger(r->revoked_when, r->effective) < scope->since)
		return false;
	if (!scope->delta && (r->reason == CA_REASON_RELEASE || r->reason == X509_REASON_REMOVE_FROM_CRL))
		return false;
	/* an expired one stands on one more CRL (RFC 5280 3.3) */
	return r->publish_expired || scope->publish_expired || r->not_after >= scope->last_publish;
}

int
ca_crl_entries(const struct store_revoked *rows, size_t n, const struct ca_crl_scope *scope,
    struct pool *pool, struct x509_crl_entry **out, size_t *n_out, struct err *e)
{
	struct x509_crl_entry *list = pool_calloc(pool, n, sizeof(*list));
	struct buf serial;
	int rc = 0;

	*n_out = 0;
	*out = list;
	if (list == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu CRL entries", n);
	buf_init(&serial, X509_SERIAL_MAX);
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct x509_crl_entry *x = &list[*n_out];

		if (!belongs(&rows[i], scope))
			continue;
		buf_reset(&serial);
		rc = text_parse_hex(&serial, rows[i].serial, e);
		if (rc == 0 && (!buf_ok(&serial) || serial.len == 0))
			rc = ERR(e, E_INVALID_DATA, "serial number '%.60s' in the database", rows[i].serial);
		if (rc != 0)
			break;
		memcpy(x->serial, serial.p, serial.len);
		x->serial_len = serial.len;
		x->revoked = rows[i].effective;
		x->reason =
		    rows[i].reason == CA_REASON_RELEASE ? X509_REASON_REMOVE_FROM_CRL : rows[i].reason;
		++*n_out;
	}
	buf_fini(&serial);
	return rc;
}
