/*
 * Exchange certificates: made when somebody asks and none will do. The key reaches the disk before its
 * certificate the database, and the list of those in use before anybody sees the certificate, so that a key
 * which was archived with it can be opened after any crash. A key is deleted when its certificate has ended.
 */
#include <stdlib.h>

#include "base/log.h"
#include "ca/ca_certs.h"
#include "ca/exchange_priv.h"
#include "ca/signing_certs.h"

#define CERTIFICATE_MAX (64 * 1024)
#define CHAIN_MAX (96u << 20)
#define MIN_KEY_BITS 2048
#define CR_FLG_FORCEUTF8 0x4u
#define CR_FLG_CAXCHGCERT 0x8u

static const char TEMPLATE_NAME[] = "CAExchange";

struct ca_exchange_waiter {
	struct ca_exchange_waiter *next;
	ca_blob_fn *cb;
	void *arg;
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
	struct ca_exchange_waiter *w = x->first;
	struct ca_exchange_key *k = m->key;
	struct bytes blob = e == NULL ? k->certificate.raw : (struct bytes){ NULL, 0 };

	x->making = false;
	x->first = NULL;
	x->last = &x->first;
	if (e != NULL)
		log_error(ca, "no exchange certificate: %s", e->msg);
	while (w != NULL) {
		struct ca_exchange_waiter *next = w->next;

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

static void
on_listed(void *arg, const struct err *e)
{
	struct making *m = arg;

	m->ca->busy--;
	if (e == NULL)
		ca_exchange_take_in(m->ca, m->key);
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
	if (store_put_setting(m->ca->store, CA_EXCHANGE_IN_USE, buf_cstr(&m->in_use), on_listed, m, &why) !=
	    0)
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
	const char *path = ca_exchange_key_path(r->ca, r->pool, r->id);
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

static int
making_start(struct ca *ca, const struct ca_caller *who, struct err *e)
{
	struct making *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for an exchange certificate");
	m->ca = ca;
	ca_ref(ca);
	buf_init(&m->in_use, 256);
	m->key = ca_exchange_key_new(0, e);
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
	struct ca_exchange_key *k = ca_exchange_current(ca);
	struct ca_exchange_waiter *w;

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
