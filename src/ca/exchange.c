/*
 * Exchange certificates: made when somebody asks and none will do. The key reaches the disk before its
 * certificate the database, and the list of those in use before anybody sees the certificate, so that a key
 * which was archived with it can be opened after any crash. A key is deleted when its certificate has ended.
 */
#include "ca/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "ca/ca_certs.h"
#include "ca/signing_certs.h"

#define KEY_POOL_MAX (1u << 20)
#define CERTIFICATE_MAX (64 * 1024)
#define CHAIN_MAX (96u << 20)
#define MIN_KEY_BITS 2048
#define CR_FLG_FORCEUTF8 0x4u
#define CR_FLG_CAXCHGCERT 0x8u

/* Request ids of the exchange certificates in use, oldest first; Ours. */
static const char SETTING_IN_USE[] = "CA\\ExchangeRequests";
static const char TEMPLATE_NAME[] = "CAExchange";

struct waiter {
	struct waiter *next;
	ca_blob_fn *cb;
	void *arg;
};

struct ca_exchange {
	struct ca_exchange_key *v[CA_EXCHANGE_MAX]; /* oldest first */
	size_t n;
	struct waiter *first, **last;
	bool making;
};

/* One certificate on its way. The request that nobody sent lets row.c fill the row. */
struct making {
	struct ca *ca;
	struct ca_request *r;
	struct ca_exchange_key *key;
	struct policy_template stand_in;
	struct buf in_use;
	struct err e;
};

/* ---- keys ---- */

struct ca_exchange_key *
ca_exchange_key_ref(struct ca_exchange_key *k)
{
	k->refs++;
	return k;
}

void
ca_exchange_key_unref(struct ca_exchange_key *k)
{
	if (k == NULL || --k->refs > 0)
		return;
	x509_private_key_free(k->key);
	pool_free(k->pool);
	free(k);
}

static struct ca_exchange_key *
key_new(uint32_t id, struct err *e)
{
	struct ca_exchange_key *k = calloc(1, sizeof(*k));

	if (k == NULL || (k->pool = pool_new(KEY_POOL_MAX)) == NULL) {
		free(k);
		ERR(e, E_OUTOFMEMORY, "no memory for an exchange key");
		return NULL;
	}
	k->refs = 1;
	k->id = id;
	return k;
}

static char *
key_path(const struct ca *ca, struct pool *pool, uint32_t id)
{
	return pool_printf(pool, "%s/exchange-%u.key", ca->state_dir, id);
}

static void
key_forget(const struct ca *ca, struct ca_exchange_key *k)
{
	const char *path = key_path(ca, k->pool, k->id);

	if (path != NULL && unlink(path) != 0 && errno != ENOENT)
		log_warn(ca, "%s: %s", path, strerror(errno));
	ca_exchange_key_unref(k);
}

static int
key_load(struct ca *ca, struct ca_exchange_key *k, struct err *e)
{
	struct store_row *row = POOL_NEW(k->pool, struct store_row);
	const char *path = key_path(ca, k->pool, k->id);

	if (row == NULL || path == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for an exchange key");
	if (store_get(ca->store, k->id, k->pool, row, e) != 0 ||
	    x509_certificate_read(
		&k->certificate, k->pool, store_bytes(row, Certificate_RawCertificate), e) != 0)
		return -1;
	k->key = x509_private_key_load(path, NULL, e);
	if (k->key == NULL)
		return -1;
	return x509_private_key_fits(k->key, &k->certificate.key)
	    ? 0
	    : ERR(e, E_INVALID_DATA, "%s is not the certificate's key", path);
}

static void
load_one(struct ca *ca, uint32_t id)
{
	struct err e = { 0 };
	struct ca_exchange_key *k = key_new(id, &e);

	if (k != NULL && key_load(ca, k, &e) == 0) {
		ca->exchange->v[ca->exchange->n++] = k;
		return;
	}
	ca_exchange_key_unref(k);
	log_warn(ca, "the exchange certificate of request %u is lost: %s", id, e.msg);
}

int
ca_exchange_open(struct ca *ca, struct err *e)
{
	struct ca_exchange *x = calloc(1, sizeof(*x));
	const char *list, *at;
	char *end;

	if (x == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for exchange keys");
	x->last = &x->first;
	ca->exchange = x;
	if (store_get_setting(ca->store, SETTING_IN_USE, ca->pool, &list, e) != 0)
		return -1;
	for (at = list != NULL ? list : ""; x->n < CA_EXCHANGE_MAX; at = end) {
		unsigned long id = strtoul(at, &end, 10);

		if (end == at)
			break;
		load_one(ca, (uint32_t)id);
	}
	return 0;
}

void
ca_exchange_free(struct ca_exchange *x)
{
	if (x == NULL)
		return;
	for (size_t i = 0; i < x->n; i++)
		ca_exchange_key_unref(x->v[i]);
	free(x);
}

/* ---- which ones count ---- */

static bool
is_ours(const struct ca *ca, const struct x509_certificate *c)
{
	struct der outer, in;
	struct der_item id;
	struct err ignored;

	for (size_t i = 0; i < c->n_extensions && bytes_equal(c->issuer, x509_ca_subject(ca->x509)); i++) {
		char oid[OID_TEXT_MAX];

		if (!oid_to_text(c->extensions[i].oid, oid) || strcmp(oid, OID_AUTHORITY_KEY_IDENTIFIER) != 0)
			continue;
		outer = der_over(c->extensions[i].value);
		return der_enter(&outer, DER_SEQUENCE, &in, "AKI", &ignored) == 0 &&
		    der_expect(&in, DER_CONTEXT(0), &id, "keyIdentifier", &ignored) == 0 &&
		    bytes_equal(id.body, x509_ca_key_id(ca->x509));
	}
	return false;
}

static bool
is_valid(const struct ca_exchange_key *k, filetime_t now)
{
	return k->certificate.not_before <= now && now < k->certificate.not_after;
}

static bool
is_revoked(struct ca *ca, const struct ca_exchange_key *k)
{
	struct pool *pool = pool_new(KEY_POOL_MAX);
	struct store_row *row = pool != NULL ? POOL_NEW(pool, struct store_row) : NULL;
	struct err ignored;
	bool revoked = row == NULL || store_get(ca->store, k->id, pool, row, &ignored) != 0 ||
	    store_long(row, Request_Disposition) != DB_DISP_ISSUED;

	pool_free(pool);
	return revoked;
}

size_t
ca_exchange_keys(struct ca *ca, struct ca_exchange_key *out[CA_EXCHANGE_MAX])
{
	filetime_t now = clock_now(ca->clock);
	size_t n = 0;

	for (size_t i = ca->exchange->n; i > 0; i--) {
		if (is_valid(ca->exchange->v[i - 1], now))
			out[n++] = ca_exchange_key_ref(ca->exchange->v[i - 1]);
	}
	return n;
}

static filetime_t
overlap(const struct ca *ca)
{
	const struct ca_settings *s = &ca->settings;
	filetime_t now = clock_now(ca->clock), end;
	struct err ignored;

	return ca_period_end(now, s->xchg_overlap_period, s->xchg_overlap_units, &end, &ignored) == 0
	    ? end - now
	    : FILETIME_DAY;
}

/* The newest one, unless it ends too soon or is not good any more. */
static struct ca_exchange_key *
current(struct ca *ca)
{
	struct ca_exchange *x = ca->exchange;
	struct ca_exchange_key *k = x->n > 0 ? x->v[x->n - 1] : NULL;
	filetime_t now = clock_now(ca->clock);

	if (k == NULL || !is_valid(k, now) || now + overlap(ca) >= k->certificate.not_after ||
	    !is_ours(ca, &k->certificate) || is_revoked(ca, k))
		return NULL;
	return k;
}

/* ---- the end ---- */

static void
making_free(struct making *m)
{
	struct ca *ca = m->ca;

	ca_own_request_free(m->r);
	ca_exchange_key_unref(m->key);
	buf_fini(&m->in_use);
	free(m);
	ca_unref(ca);
}

static void
finish(struct making *m, const struct err *e)
{
	struct ca_exchange *x = m->ca->exchange;
	struct waiter *w = x->first;
	struct ca_exchange_key *k = m->key;
	struct bytes blob = e == NULL ? k->certificate.raw : (struct bytes){ NULL, 0 };

	x->making = false;
	x->first = NULL;
	x->last = &x->first;
	if (e != NULL)
		log_error(ca, "no exchange certificate: %s", e->msg);
	while (w != NULL) {
		struct waiter *next = w->next;

		w->cb(w->arg, blob, e);
		free(w);
		w = next;
	}
	making_free(m);
}

static bool
cut_short(struct making *m)
{
	struct err e = { 0 };

	if (!m->ca->closing)
		return false;
	ERR(&e, E_CANCELLED, "the server ends");
	finish(m, &e);
	return true;
}

/* Ended ones go, and the oldest where there is no more room; then the new one comes. */
static void
take_in(struct ca *ca, struct ca_exchange_key *k)
{
	struct ca_exchange *x = ca->exchange;
	filetime_t now = clock_now(ca->clock);
	size_t n = 0;

	for (size_t i = 0; i < x->n; i++) {
		if (x->v[i]->certificate.not_after <= now || x->n - i >= CA_EXCHANGE_MAX)
			key_forget(ca, x->v[i]);
		else
			x->v[n++] = x->v[i];
	}
	x->v[n++] = ca_exchange_key_ref(k);
	x->n = n;
}

static void
on_listed(void *arg, const struct err *e)
{
	struct making *m = arg;

	m->ca->busy--;
	if (e == NULL)
		take_in(m->ca, m->key);
	finish(m, e);
}

static void
on_stored(void *arg, const struct err *e)
{
	struct making *m = arg;
	struct ca_exchange *x = m->ca->exchange;
	filetime_t now = clock_now(m->ca->clock);
	struct err why = { 0 };

	m->ca->busy--;
	if (e != NULL) {
		finish(m, e);
		return;
	}
	log_info(ca, "request %u: exchange certificate made", m->r->id);
	for (size_t i = 0; i < x->n; i++) {
		if (x->v[i]->certificate.not_after > now && x->n - i < CA_EXCHANGE_MAX)
			buf_printf(&m->in_use, "%u ", x->v[i]->id);
	}
	buf_printf(&m->in_use, "%u", m->r->id);
	if (store_put_setting(m->ca->store, SETTING_IN_USE, buf_cstr(&m->in_use), on_listed, m, &why) != 0)
		finish(m, &why);
	else
		m->ca->busy++;
}

/* ---- making: on a worker ---- */

static int
plan_dates(struct ca_request *r, struct err *e)
{
	const struct ca_settings *s = &r->ca->settings;
	struct x509_cert_plan *plan = &r->out.plan;

	if (ca_period_end(r->decided, s->xchg_period, s->xchg_units, &plan->not_after, e) != 0)
		return -1;
	plan->not_before = r->decided - r->policy.clock_skew;
	if (plan->not_before < r->policy.ca_not_before)
		plan->not_before = r->policy.ca_not_before;
	if (plan->not_after > r->policy.ca_not_after)
		plan->not_after = r->policy.ca_not_after;
	return plan->not_before < plan->not_after
	    ? 0
	    : ERR(e, CERT_E_EXPIRED, "the CA's certificate ends before an exchange certificate begins");
}

static int
sign(struct making *m, struct err *e)
{
	struct ca_request *r = m->r;
	struct x509_cert_plan *plan = &r->out.plan;
	struct buf b;
	int rc = -1;

	ca_serial_make(plan->serial, r->ca->high_serial, r->id, r->issuer->index, &r->ca->rng);
	plan->serial_len = CA_SERIAL_LEN;
	buf_init(&b, CERTIFICATE_MAX);
	if (x509_ca_issue(r->issuer->x509, plan, r->id, &b, e) == 0) {
		rc = pool_dup_bytes(m->key->pool, buf_bytes(&b), &r->certificate) != 0
		    ? ERR(e, E_OUTOFMEMORY, "no memory for the exchange certificate")
		    : x509_certificate_read(&m->key->certificate, m->key->pool, r->certificate, e);
	}
	buf_fini(&b);
	return rc;
}

static int
make(struct making *m, struct err *e)
{
	struct ca_request *r = m->r;
	uint32_t bits = r->out.template->min_key_bits;
	const char *path = key_path(r->ca, r->pool, r->id);
	struct bytes spki;
	struct buf b;
	int rc = -1;

	m->key->key = x509_private_key_make_rsa(
	    bits > MIN_KEY_BITS ? bits : MIN_KEY_BITS, &r->ca->rng, "exchange key", r->id, e);
	buf_init(&b, CERTIFICATE_MAX);
	if (m->key->key == NULL || x509_private_key_spki(m->key->key, &b, e) != 0)
		goto out;
	if (path == NULL || pool_dup_bytes(r->pool, buf_bytes(&b), &spki) != 0) {
		ERR(e, E_OUTOFMEMORY, "no memory for the exchange key");
		goto out;
	}
	if (x509_key_read(&r->parsed.key, spki, e) != 0 || plan_dates(r, e) != 0 ||
	    ca_exchange_plan(r, r->out.template != &m->stand_in ? r->out.template : NULL, e) != 0)
		goto out;
	r->parsed.subject = r->out.plan.subject;
	if (sign(m, e) == 0 && x509_private_key_save(m->key->key, path, e) == 0)
		rc = ca_row_build(r, e);
out:
	buf_fini(&b);
	return rc;
}

static void
make_job(void *arg)
{
	struct making *m = arg;

	if (make(m, &m->e) != 0 && m->e.hr == 0)
		ERR(&m->e, E_UNEXPECTED, "the exchange certificate cannot be made");
}

static void
make_done(void *arg)
{
	struct making *m = arg;

	m->ca->busy--;
	if (m->e.hr == 0 && store_insert(m->ca->store, &m->r->row, on_stored, m, &m->e) == 0) {
		m->ca->busy++;
		return;
	}
	finish(m, &m->e);
}

/* ---- beginning ---- */

static const struct policy_template *
find_template(const struct ca_templates *t)
{
	for (size_t i = 0; i < t->n; i++) {
		if (policy_name_equal(t->v[i].cn, TEMPLATE_NAME))
			return &t->v[i];
	}
	return NULL;
}

static void
on_snapshot(void *arg, struct dir_snapshot *snap, const struct err *e)
{
	struct making *m = arg;
	struct ca_templates *t = NULL;
	struct ca_request *r = m->r;

	if (cut_short(m))
		return;
	if (e == NULL)
		t = ca_templates_get(m->ca, snap, &m->e);
	else
		m->e = *e;
	if (t == NULL) {
		finish(m, &m->e);
		return;
	}
	r->certs = m->ca->certs;
	r->issuer = ca_cert_newest(m->ca);
	r->policy = m->ca->policy;
	r->templates = ca_templates_ref(t);
	r->out.template = find_template(t);
	m->stand_in = (struct policy_template){ .cn = TEMPLATE_NAME, .schema_version = 1 };
	if (r->out.template == NULL)
		r->out.template = &m->stand_in;
	r->id = store_next_request_id(m->ca->store);
	m->key->id = r->id;
	r->submitted = r->decided = clock_now(m->ca->clock);
	r->db_disposition = DB_DISP_ISSUED;
	r->message = "Issued";
	r->request_flags = CR_FLG_CAXCHGCERT | CR_FLG_FORCEUTF8;
	if (work_submit(m->ca->work, make_job, make_done, m, &m->e) != 0)
		finish(m, &m->e);
	else
		m->ca->busy++;
}

/* The CA asks itself: CA_Account_Name is its host's account. */
struct ca_request *
ca_own_request(struct ca *ca, const struct ca_caller *who, struct err *e)
{
	struct ca_request *r = calloc(1, sizeof(*r));
	char account[320];
	size_t n;

	if (r == NULL || (r->pool = pool_new(CA_REQUEST_POOL_MAX)) == NULL ||
	    ca_who_copy(&r->who, r->pool, who, e) != 0)
		goto fail;
	n = (size_t)snprintf(
	    account, sizeof(account), "%.60s\\%.255s$", dir_forest(ca->dir)->nb_domain, ca->short_host);
	for (char *p = strchr(account, '\\'); p != NULL && p < account + n; p++)
		*p = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
	r->ca = ca;
	r->requester = token_new(account, "", NULL, true);
	if (r->requester != NULL)
		return r;
fail:
	if (r != NULL) {
		token_unref(r->who.token);
		pool_free(r->pool);
	}
	free(r);
	ERR(e, E_OUTOFMEMORY, "no memory for a certificate of the CA's own");
	return NULL;
}

void
ca_own_request_free(struct ca_request *r)
{
	if (r == NULL)
		return;
	token_unref(r->who.token);
	token_unref(r->requester);
	ca_templates_unref(r->templates);
	pool_free(r->pool);
	free(r);
}

static int
making_start(struct ca *ca, const struct ca_caller *who, struct err *e)
{
	struct making *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for an exchange certificate");
	m->ca = ca;
	ca_ref(ca);
	buf_init(&m->in_use, 256);
	m->key = key_new(0, e);
	m->r = m->key != NULL ? ca_own_request(ca, who, e) : NULL;
	if (m->r == NULL)
		goto fail;
	ca->exchange->making = true;
	if (dir_snapshot_get(ca->dir, on_snapshot, m, e) == 0)
		return 0;
	ca->exchange->making = false;
fail:
	making_free(m);
	return -1;
}

int
ca_exchange_get(struct ca *ca, const struct ca_caller *who, ca_blob_fn *cb, void *arg, struct err *e)
{
	struct ca_exchange *x = ca->exchange;
	struct ca_exchange_key *k = current(ca);
	struct waiter *w;

	if (k != NULL) {
		ca_exchange_key_ref(k);
		cb(arg, k->certificate.raw, NULL);
		ca_exchange_key_unref(k);
		return 0;
	}
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a caller");
	w->cb = cb;
	w->arg = arg;
	if (!x->making && making_start(ca, who, e) != 0) {
		free(w);
		return -1;
	}
	*x->last = w;
	x->last = &w->next;
	return 0;
}

/* ---- what else is asked ---- */

int
ca_exchange_chain(
    struct ca *ca, struct bytes exchange, bool crls, struct pool *pool, struct bytes *out, struct err *e)
{
	struct bytes list[2];
	struct err ignored;
	struct buf b;
	size_t n = 0;
	int rc;

	for (int delta = 0; crls && delta < 2; delta++)
		n += ca_crl_get(ca, CA_NEWEST, delta != 0, pool, &list[n], &ignored) == 0;
	buf_init(&b, CHAIN_MAX);
	rc = x509_ca_pkcs7_around(ca->x509, exchange, list, n, &b, e);
	if (rc == 0 && pool_dup_bytes(pool, buf_bytes(&b), out) != 0)
		rc = ERR(e, E_OUTOFMEMORY, "no memory for the exchange certificate's chain");
	buf_fini(&b);
	return rc;
}

int
ca_exchange_hashes(struct ca *ca, struct pool *pool, const char *const **out, size_t *n, struct err *e)
{
	const struct ca_exchange *x = ca->exchange;
	const char **list = pool_calloc(pool, CA_EXCHANGE_MAX, sizeof(*list));
	filetime_t now = clock_now(ca->clock);

	*n = 0;
	for (size_t i = 0; list != NULL && i < x->n; i++) {
		uint8_t sha1[20];

		if (!is_valid(x->v[i], now))
			continue;
		x509_sha1(x->v[i]->certificate.raw, sha1);
		list[*n] = ca_spaced_hex(pool, sha1, sizeof(sha1));
		if (list[(*n)++] == NULL)
			return ERR(e, E_OUTOFMEMORY, "no memory for hashes");
	}
	*out = list;
	return list != NULL ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for hashes");
}
