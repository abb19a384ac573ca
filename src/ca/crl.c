/*
 * One publication: rows read on the loop, encoded and signed on a worker, committed with their numbers, and
 * only then written to file and directory, so that a number which was seen is never given out again.
 */
#include "ca/crl.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ca/signing_certs.h"

#define CRL_POOL_MAX (256u << 20)
#define RETRY_AFTER (10 * FILETIME_MINUTE) /* MS-CSRA 3.1.4.1.6: CRLAttemptRepublish */
#define RETRY_MAX 10
#define CRLF_DELTA_USE_OLDEST_UNEXPIRED_BASE 0x1u
#define CRLF_DELETE_EXPIRED_CRLS 0x2u
#define CRLF_CRLNUMBER_CRITICAL 0x4u
#define CRLF_PUBLISH_EXPIRED_CERT_CRLS 0x200u
#define URL_PUBLISH_BASE 0x1u
#define URL_FRESHEST 0x4u
#define URL_LOCATIONS 0x8u
#define URL_PUBLISH_DELTA 0x40u
#define URL_IDP 0x80u

/* One list of a publication; its row stands at the same place of the job's rows. */
struct one {
	const struct ca_cert *issuer; /* the newest of the key */
	struct x509_crl_plan plan;
	bool failed; /* an outlet did not take it */
};

struct ca_crl_job {
	struct ca_crl_job *next;
	struct ca *ca;
	struct pool *pool;
	unsigned what;
	bool manual;
	ca_crl_fn *done;
	void *arg;
	filetime_t now, until;
	const struct ca_cert_list *certs;
	size_t n; /* CRLs of this publication: key by key; base, delta, or both in this order */
	struct store_crl *rows;
	struct one *ones;
	size_t at;              /* the first row of the key the directory is told of */
	struct err first, file; /* what went wrong first; in the worker */
};

static void
start_first(struct ca *ca);

static bool
deltas_enabled(const struct ca *ca)
{
	return ca->settings.crl_delta_units != 0;
}

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
	for (size_t i = j->at; e != NULL && i < end; i++) {
		j->rows[i].publish_flags |= CPF_LDAP_ERROR;
		j->ones[i].failed = true;
	}
	if (e != NULL)
		note(j, e);
	j->at = end;
	publish_next_key(j);
}

/* Does some ldap URL ask for it? */
static bool
goes_to_directory(const struct ca *ca, uint32_t flag)
{
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

			if (goes_to_directory(ca, delta ? URL_PUBLISH_DELTA : URL_PUBLISH_BASE))
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

static void
files_job(void *arg)
{
	struct ca_crl_job *j = arg;

	j->file.hr = 0;
	if ((j->what & CA_CRL_CERTIFICATES) != 0 &&
	    ca_crl_write_certs(j->ca, j->certs, j->pool, &j->file) != 0)
		return;
	for (size_t i = 0; i < j->n && j->file.hr == 0; i++) {
		const char *name =
		    ca_crl_file_name(j->ca, j->pool, ca_crl_id_of(&j->rows[i]), j->rows[i].min_base != 0);

		if (name == NULL)
			ERR(&j->file, E_OUTOFMEMORY, "no memory for a file's name");
		else if (ca_crl_write_file(j->ca->crl.folder, name, j->rows[i].raw, &j->file) != 0)
			j->rows[i].publish_flags |= CPF_FILE_ERROR;
		j->ones[i].failed = j->file.hr != 0;
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

static int
plan_urls(const struct ca_crl_job *j, const struct ca_cert *c, uint32_t flag, bool delta, unsigned partition,
    struct x509_strings *out, struct err *e)
{
	return ca_expand_urls(j->ca, c, &j->ca->settings.crl_urls, flag, delta, partition, j->pool, out, e);
}

/* What the database tells when a publication is planned. */
struct known {
	struct store_crl *rows;
	size_t n_rows;
	struct store_revoked *revoked;
	size_t n_revoked;
	uint32_t number;
};

static filetime_t
last_base_publish(const struct known *k, ca_crl_id id)
{
	filetime_t last = 0;

	for (size_t i = 0; i < k->n_rows; i++) {
		const struct store_crl *r = &k->rows[i];

		if (ca_crl_id_of(r) == id && r->min_base == 0 && r->this_publish > last)
			last = r->this_publish;
	}
	return last;
}

/* What one CRL says, and its row. base: what a delta refers to, NULL for a base CRL. */
static int
plan_one(struct ca_crl_job *j, const struct ca_cert *c, unsigned partition, const struct known *k,
    const struct store_crl *base, uint32_t flags, struct err *e)
{
	const struct ca *ca = j->ca;
	const struct ca_crl_scope scope = { .id = partition << 16 | c->key_index,
		.partitions = ca->partitions.enabled,
		.zero_exclusive = ca->partitions.zero_exclusive,
		.delta = base != NULL,
		.publish_expired = (ca->settings.crl_flags & CRLF_PUBLISH_EXPIRED_CERT_CRLS) != 0,
		.last_publish = last_base_publish(k, partition << 16 | c->key_index),
		.since = base != NULL ? base->this_update : 0 };
	struct x509_crl_plan *p = &j->ones[j->n].plan;
	struct x509_crl_entry *entries;
	struct ca_crl_times t;

	if (ca_crl_times(&ca->settings, j->now, x509_ca_not_before(c->x509), base != NULL, j->until, &t, e) !=
		0 ||
	    ca_crl_entries(k->revoked, k->n_revoked, &scope, j->pool, &entries, &p->n_entries, e) != 0 ||
	    plan_urls(j, c, URL_LOCATIONS, base != NULL, partition, &p->locations, e) != 0 ||
	    plan_urls(j, c, URL_IDP, base != NULL, partition, &p->idp, e) != 0)
		return -1;
	if (base == NULL && deltas_enabled(ca) &&
	    plan_urls(j, c, URL_FRESHEST, true, partition, &p->freshest, e) != 0)
		return -1;
	j->ones[j->n].issuer = c;
	p->this_update = t.this_update;
	p->next_update = t.next_update;
	p->next_publish = t.next_publish;
	p->number = k->number;
	p->min_base = base != NULL ? base->number : 0;
	p->ca_version = ca_cert_version_of(c);
	p->partition = (uint16_t)partition;
	p->number_critical = (ca->settings.crl_flags & CRLF_CRLNUMBER_CRITICAL) != 0;
	p->entries = entries;
	j->rows[j->n++] = (struct store_crl){ .row_id = store_next_crl_row(ca->store),
		.number = k->number,
		.min_base = p->min_base,
		.name_id = c->key_index,
		.partition = partition,
		.count = (uint32_t)p->n_entries,
		.this_update = t.this_update,
		.next_update = t.next_update,
		.this_publish = j->now,
		.next_publish = t.next_publish,
		.effective = base != NULL ? base->this_update : 0,
		.propagation_complete = t.propagation_complete,
		.publish_flags =
		    flags | (base != NULL ? CPF_DELTA : CPF_BASE) | (j->manual ? CPF_MANUAL : 0u) };
	return 0;
}

/* Deltas were published until now and are not any more: a last one lets clients that look for it find the end
 * of the old ones (MS-CSRA 3.1.4.1.6, CPF_SHADOW). */
static bool
wants_shadow(const struct known *k, ca_crl_id id)
{
	const struct store_crl *base = ca_crl_newest(k->rows, k->n_rows, id, false);
	const struct store_crl *delta = ca_crl_newest(k->rows, k->n_rows, id, true);

	return base != NULL && delta != NULL && delta->number >= base->number &&
	    (delta->publish_flags & CPF_SHADOW) == 0;
}

static int
plan_list(
    struct ca_crl_job *j, const struct ca_cert *c, unsigned partition, const struct known *k, struct err *e)
{
	bool oldest = (j->ca->settings.crl_flags & CRLF_DELTA_USE_OLDEST_UNEXPIRED_BASE) != 0;
	ca_crl_id id = partition << 16 | c->key_index;
	const struct store_crl *base = ca_crl_min_base(k->rows, k->n_rows, id, oldest, j->now);
	bool new_base = (j->what & CA_CRL_BASE) != 0 || base == NULL; /* a delta needs one */
	size_t first = j->n;

	if (new_base && plan_one(j, c, partition, k, NULL, 0, e) != 0)
		return -1;
	if (deltas_enabled(j->ca))
		return plan_one(j, c, partition, k, base != NULL ? base : &j->rows[first], 0, e);
	if (new_base && wants_shadow(k, id))
		return plan_one(j, c, partition, k, &j->rows[first], CPF_SHADOW, e);
	return 0;
}

static int
plan_key(struct ca_crl_job *j, const struct ca_cert *c, const struct known *k, struct err *e)
{
	for (unsigned p = 0; p <= j->ca->partitions.max; p++) {
		if (plan_list(j, c, p, k, e) != 0)
			return -1;
	}
	return 0;
}

static int
make_room(struct ca_crl_job *j, struct err *e)
{
	size_t room = 2 * j->certs->n * (j->ca->partitions.max + (size_t)1);

	j->rows = pool_calloc(j->pool, room, sizeof(*j->rows));
	j->ones = pool_calloc(j->pool, room, sizeof(*j->ones));
	return j->rows != NULL && j->ones != NULL ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for CRLs");
}

/* The key in force has CRLs whatever happens; earlier ones as long as a certificate of theirs is valid. */
static bool
counts(const struct ca_crl_job *j, const struct ca_cert *key)
{
	return ca_cert_is_key(key) &&
	    (key->index == ca_cert_newest(j->ca)->key_index || ca_key_is_valid(j->ca, key->index, j->now));
}

/* The CRLs of one publication share their number and say the same (RFC 5280 5.2.3, MS-CSRA 3.1.4.1.6). */
static int
plan(struct ca_crl_job *j, struct err *e)
{
	struct known k;

	if (make_room(j, e) != 0 ||
	    store_list_crls(j->ca->store, false, j->pool, &k.rows, &k.n_rows, e) != 0 ||
	    store_list_revoked(j->ca->store, j->now, j->pool, &k.revoked, &k.n_revoked, e) != 0)
		return -1;
	k.number = store_next_crl_number(j->ca->store);
	for (size_t i = 0; i < j->certs->n; i++) {
		const struct ca_cert *key = j->certs->v[i];

		if (counts(j, key) && plan_key(j, ca_key_newest(j->ca, key->index), &k, e) != 0)
			return -1;
	}
	return 0;
}

static void
load_list(
    struct ca_crl_job *j, const struct ca_cert *key, ca_crl_id id, const struct store_crl *rows, size_t n)
{
	for (int delta = 0; delta < 2; delta++) {
		const struct store_crl *r = ca_crl_newest(rows, n, id, delta != 0);

		if (r == NULL || (j->what & (delta != 0 ? CA_CRL_DELTA : CA_CRL_BASE)) == 0)
			continue;
		j->ones[j->n].issuer = key;
		j->rows[j->n++] = *r;
	}
}

/* The newest ones of each key, as they are. */
static int
load_newest(struct ca_crl_job *j, struct err *e)
{
	struct store_crl *rows;
	size_t n;

	if (make_room(j, e) != 0 || store_list_crls(j->ca->store, true, j->pool, &rows, &n, e) != 0)
		return -1;
	for (size_t i = 0; i < j->certs->n; i++) {
		const struct ca_cert *key = j->certs->v[i];

		for (unsigned p = 0; p <= j->ca->partitions.max && counts(j, key); p++)
			load_list(j, key, p << 16 | key->index, rows, n);
	}
	return j->n > 0 ? 0 : ERR(e, E_FILE_NOT_FOUND, "there is no CRL to publish again");
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
		if (load_newest(j, &e) != 0)
			fail(j, &e);
		else
			publish(j);
	} else if (plan(j, &e) != 0 || work_submit(ca->work, sign_job, sign_done, j, &e) != 0) {
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
	if (what == CA_CRL_DELTA && !deltas_enabled(ca))
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
