/*
 * One publication: rows read on the loop, encoded and signed on a worker, committed with their numbers, and
 * only then written to file and directory, so that a number which was seen is never given out again.
 */
#include "ca/crl_job.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ca/audit.h"

#define CRL_POOL_MAX (256u << 20)
#define RETRY_AFTER (10 * FILETIME_MINUTE) /* MS-CSRA 3.1.4.1.6: CRLAttemptRepublish */
#define RETRY_MAX 10
#define CRLF_DELETE_EXPIRED_CRLS 0x2u
#define URL_PUBLISH_BASE 0x1u
#define URL_PUBLISH_DELTA 0x40u

static void
start_first(struct ca *ca);

static void
note(struct ca_crl_job *j, const struct err *e)
{
	log_warn(ca, "CRL publication: %s", e->msg);
	if (j->first.hr == 0)
		j->first = *e;
}

/* ---- the end ---- */

static void
journal_scheduled(const struct ca_crl_job *j, const struct err *e)
{
	struct buf *b = journal_begin(j->ca->journal);

	journal_put_text(b, "front", "schedule");
	journal_put_text(b, "caller", "schedule");
	journal_put_text(b, "operation", "crl.publish");
	if (j->n > 0)
		journal_put_number(b, "number", j->rows[0].number);
	journal_put_text(b, "verdict", e == NULL ? "done" : "failed");
	journal_put_hresult(b, e != NULL ? e->hr : 0);
	journal_put_text(b, "reason", e != NULL ? e->msg : NULL);
	journal_end(j->ca->journal);
}

static void
finish(struct ca_crl_job *j, const struct err *e)
{
	struct ca *ca = j->ca;

	ca->crl.jobs = j->next;
	if (j->what != 0 && !j->manual && ca->journal != NULL)
		journal_scheduled(j, e);
	for (size_t i = 0; e == NULL && i < j->n; i++)
		ca_audit_crl(ca, &j->rows[i]);
	j->done(j->arg, e);
	pool_free(j->pool);
	free(j);
	if (ca->crl.jobs != NULL)
		start_first(ca);
	ca_unref(ca);
}

/* Nothing was made; the schedule tries again later. */
static void
fail(struct ca_crl_job *j, const struct err *e)
{
	log_error(ca, "no CRL: %s", e->msg);
	j->ca->crl.pause_until = j->now + RETRY_AFTER;
	finish(j, e);
}

static bool
cut_short(struct ca_crl_job *j)
{
	struct err e = { 0 };

	if (!j->ca->closing)
		return false;
	ERR(&e, E_CANCELLED, "the server ends");
	finish(j, &e);
	return true;
}

static void
on_outcome_stored(void *arg, const struct err *e)
{
	struct ca_crl_job *j = arg;
	struct ca_crl_state *s = &j->ca->crl;
	bool failed;

	j->ca->busy--;
	if (e != NULL)
		note(j, e);
	failed = j->first.hr != 0;
	s->attempts = failed ? s->attempts + 1 : 0;
	s->retry_at = failed && s->attempts < RETRY_MAX ? clock_now(j->ca->clock) + RETRY_AFTER : 0;
	finish(j, failed ? &j->first : NULL);
}

/* Files and directory have their CRLs, or not: the rows tell. */
static void
settle(struct ca_crl_job *j)
{
	struct err e = { 0 };

	if (cut_short(j))
		return;
	for (size_t i = 0; i < j->n; i++) {
		struct store_crl *r = &j->rows[i];
		bool failed = j->ones[i].failed;

		r->publish_attempts++;
		r->last_publish = j->now;
		r->publish_status = failed ? j->first.hr : 0;
		r->publish_error = failed ? j->first.msg : NULL;
		if (!failed)
			r->publish_flags |= CPF_COMPLETE;
	}
	if (store_put_crls(j->ca->store, j->rows, j->n, 0, on_outcome_stored, j, &e) != 0)
		fail(j, &e);
	else
		j->ca->busy++;
}

/* ---- outlets ---- */

static void
publish_next_key(struct ca_crl_job *j);

/* The row behind the last one of the key that stands at j->at. */
static size_t
key_end(const struct ca_crl_job *j)
{
	size_t end = j->at;

	while (end < j->n && ca_crl_id_of(&j->rows[end]) == ca_crl_id_of(&j->rows[j->at]))
		end++;
	return end;
}

static void
on_directory(void *arg, const struct dir_result *res, const struct err *e)
{
	struct ca_crl_job *j = arg;
	size_t end = key_end(j);

	(void)res;
	for (size_t i = j->at; i < end; i++) {
		j->rows[i].publish_flags &= ~(uint32_t)CPF_LDAP_ERROR;
		if (e == NULL)
			continue;
		j->rows[i].publish_flags |= CPF_LDAP_ERROR;
		j->ones[i].failed = true;
	}
	if (e != NULL)
		note(j, e);
	j->at = end;
	publish_next_key(j);
}

bool
ca_crl_goes_to_directory(const struct ca *ca, bool delta)
{
	const uint32_t flag = delta ? URL_PUBLISH_DELTA : URL_PUBLISH_BASE;

	for (size_t i = 0; i < ca->settings.crl_urls.n; i++) {
		char *end;
		unsigned long flags = strtoul(ca->settings.crl_urls.v[i], &end, 10);

		if ((flags & flag) != 0 && strncasecmp(end, ":ldap:", 6) == 0)
			return true;
	}
	return false;
}

static void
publish_next_key(struct ca_crl_job *j)
{
	const struct ca *ca = j->ca;
	struct dir_mod mods[2];
	struct err e = { 0 };
	const char *dn;
	size_t n = 0;

	for (; j->at < j->n && n == 0; j->at = n == 0 ? key_end(j) : j->at) {
		for (size_t i = j->at, end = key_end(j); i < end && n < ARRAY_LEN(mods); i++) {
			bool delta = j->rows[i].min_base != 0;

			if (ca_crl_goes_to_directory(ca, delta))
				mods[n++] = (struct dir_mod){ DIR_MOD_REPLACE,
					delta ? "deltaRevocationList" : "certificateRevocationList",
					&j->rows[i].raw, 1 };
		}
	}
	if (n == 0) {
		settle(j);
		return;
	}
	if (cut_short(j))
		return;
	dn = ca_cdp_dn(ca, j->ones[j->at].issuer, j->rows[j->at].partition, j->pool);
	if (dn == NULL)
		ERR(&e, E_OUTOFMEMORY, "no memory for the CDP object's name");
	else if (dir_modify_start(ca->dir, dn, mods, n, on_directory, j, &e) == 0)
		return;
	on_directory(j, NULL, &e);
}

static int
write_list(struct ca_crl_job *j, const struct store_crl *r, struct err *e)
{
	const char *name = ca_crl_file_name(j->ca, j->pool, ca_crl_id_of(r), r->min_base != 0);

	return name != NULL ? ca_crl_write_file(j->ca->crl.folder, name, r->raw, e)
			    : ERR(e, E_OUTOFMEMORY, "no memory for a file's name");
}

static void
files_job(void *arg)
{
	struct ca_crl_job *j = arg;
	struct err certs = { 0 };

	j->file.hr = 0;
	if ((j->what & CA_CRL_CERTIFICATES) != 0 && ca_crl_write_certs(j->ca, j->certs, j->pool, &certs) != 0)
		j->file = certs;
	for (size_t i = 0; i < j->n; i++) {
		struct err e = { 0 };

		j->rows[i].publish_flags &= ~(uint32_t)CPF_FILE_ERROR;
		if (write_list(j, &j->rows[i], &e) == 0)
			continue;
		j->rows[i].publish_flags |= CPF_FILE_ERROR;
		j->ones[i].failed = true;
		if (j->file.hr == 0)
			j->file = e;
	}
}

static void
files_done(void *arg)
{
	struct ca_crl_job *j = arg;

	j->ca->busy--;
	if (j->file.hr != 0)
		note(j, &j->file);
	if (!cut_short(j))
		publish_next_key(j);
}

static void
publish(struct ca_crl_job *j)
{
	struct err e = { 0 };

	if (work_submit(j->ca->work, files_job, files_done, j, &e) != 0)
		fail(j, &e);
	else
		j->ca->busy++;
}

/* ---- making ---- */

static void
on_numbers_stored(void *arg, const struct err *e)
{
	struct ca_crl_job *j = arg;
	struct ca_crl_state *s = &j->ca->crl;

	j->ca->busy--;
	if (e != NULL) {
		fail(j, e);
		return;
	}
	for (size_t i = 0; i < j->n; i++) {
		log_info(ca, "%s CRL %u of key %u: %u entries", j->rows[i].min_base != 0 ? "delta" : "base",
		    j->rows[i].number, j->rows[i].name_id, j->rows[i].count);
		*(j->rows[i].min_base != 0 ? &s->delta_next : &s->base_next) = j->rows[i].next_publish;
	}
	if (!cut_short(j))
		publish(j);
}

static void
sign_job(void *arg)
{
	struct ca_crl_job *j = arg;

	for (size_t i = 0; i < j->n && j->first.hr == 0; i++) {
		struct buf b;

		buf_init(&b, X509_CRL_MAX);
		if (x509_ca_crl(j->ones[i].issuer->x509, &j->ones[i].plan, &b, &j->first) == 0 &&
		    pool_dup_bytes(j->pool, buf_bytes(&b), &j->rows[i].raw) != 0)
			ERR(&j->first, E_OUTOFMEMORY, "no memory for a CRL of %zu octets", b.len);
		buf_fini(&b);
	}
}

static void
sign_done(void *arg)
{
	struct ca_crl_job *j = arg;
	bool forget = (j->ca->settings.crl_flags & CRLF_DELETE_EXPIRED_CRLS) != 0;
	struct err e = { 0 };

	j->ca->busy--;
	if (cut_short(j))
		return;
	if (j->first.hr != 0) {
		fail(j, &j->first);
		return;
	}
	if (store_put_crls(j->ca->store, j->rows, j->n, forget ? j->now : 0, on_numbers_stored, j, &e) != 0)
		fail(j, &e);
	else
		j->ca->busy++;
}

static void
start_first(struct ca *ca)
{
	struct ca_crl_job *j = ca->crl.jobs;
	struct err e = { 0 };

	j->now = clock_now(ca->clock);
	j->certs = ca->certs;
	if (cut_short(j))
		return;
	if (j->what == 0) {
		finish(j, NULL);
	} else if ((j->what & CA_CRL_REPUBLISH) != 0) {
		if (ca_crl_load_newest(j, &e) != 0)
			fail(j, &e);
		else
			publish(j);
	} else if (ca_crl_plan(j, &e) != 0 || work_submit(ca->work, sign_job, sign_done, j, &e) != 0) {
		fail(j, &e);
	} else {
		ca->busy++;
	}
}

int
ca_crl_publish(struct ca *ca, unsigned what, filetime_t until, const struct ca_who *who, ca_crl_fn *done,
    void *arg, struct err *e)
{
	struct ca_crl_job *j, **last = &ca->crl.jobs;

	if (until != 0 && until < clock_now(ca->clock))
		return ERR(e, E_INVALIDARG, "the CRL's end is past");
	if (what == CA_CRL_DELTA && !ca_crl_deltas_enabled(ca))
		return ERR(e, E_INVALIDARG, "delta CRLs are disabled (CRLDeltaPeriodUnits = 0)");
	j = calloc(1, sizeof(*j));
	if (j == NULL || (j->pool = pool_new(CRL_POOL_MAX)) == NULL) {
		free(j);
		return ERR(e, E_OUTOFMEMORY, "no memory for a CRL");
	}
	j->ca = ca;
	j->what = what;
	j->until = until;
	j->manual = who != NULL;
	j->done = done;
	j->arg = arg;
	ca_ref(ca);
	while (*last != NULL)
		last = &(*last)->next;
	*last = j;
	if (ca->crl.jobs == j)
		start_first(ca);
	return 0;
}
