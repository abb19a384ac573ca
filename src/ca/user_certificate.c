/*
 * Publication to the requester's userCertificate (CT_FLAG_PUBLISH_TO_DS): what expired more than a day ago
 * goes, the new certificate is added. Trouble is logged; the certificate is issued all the same.
 *
 * One account may enroll for thousands of devices, so certificates for it that wait are added together, one
 * modification is under way at a time, and the attribute is read once a day only. An attribute that is full
 * stays as it is: AD's objects hold some 1200 values of one attribute, and then the modification fails there
 * too.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "ca/ca_priv.h"

#define VALUES_MAX 1200
#define BATCH_MAX 64
#define N_HOLDERS 64

struct delivery {
	struct delivery *next;
	char *dn;
	uint32_t id;
	size_t len;
	uint8_t certificate[];
};

/* What is known about an account's attribute. */
struct holder {
	char *dn;
	filetime_t read_at;
	size_t count;
};

struct ca_deliveries {
	struct delivery *first, **tail;
	bool busy;
	struct holder holders[N_HOLDERS];
	size_t next_holder; /* the one that is replaced next */
};

/* The certificates that go into one modification. */
struct batch {
	struct ca *ca;
	struct delivery *list[BATCH_MAX];
	size_t n;
};

static void
deliver_next(struct ca *ca);

struct ca_deliveries *
ca_deliveries_new(void)
{
	struct ca_deliveries *q = calloc(1, sizeof(*q));

	if (q != NULL)
		q->tail = &q->first;
	return q;
}

void
ca_deliveries_free(struct ca_deliveries *q)
{
	if (q == NULL)
		return;
	while (q->first != NULL) {
		struct delivery *d = q->first;

		q->first = d->next;
		free(d->dn);
		free(d);
	}
	for (size_t i = 0; i < N_HOLDERS; i++)
		free(q->holders[i].dn);
	free(q);
}

/* ---- holders ---- */

static struct holder *
holder_find(struct ca_deliveries *q, const char *dn)
{
	for (size_t i = 0; i < N_HOLDERS; i++) {
		if (q->holders[i].dn != NULL && strcasecmp(q->holders[i].dn, dn) == 0)
			return &q->holders[i];
	}
	return NULL;
}

static void
holder_forget(struct ca_deliveries *q, const char *dn)
{
	struct holder *h = holder_find(q, dn);

	if (h != NULL) {
		free(h->dn);
		memset(h, 0, sizeof(*h));
	}
}

static void
holder_learn(struct ca_deliveries *q, const char *dn, filetime_t now, size_t count)
{
	struct holder *h = holder_find(q, dn);

	if (h == NULL) {
		h = &q->holders[q->next_holder];
		q->next_holder = (q->next_holder + 1) % N_HOLDERS;
		free(h->dn);
		h->dn = strdup(dn);
	}
	h->read_at = now;
	h->count = count;
}

static bool
is_fresh(const struct holder *h, filetime_t now)
{
	return h != NULL && now >= h->read_at && now - h->read_at < FILETIME_DAY;
}

/* ---- one batch ---- */

static void
batch_end(struct batch *b, const struct err *e)
{
	struct ca *ca = b->ca;
	struct ca_deliveries *q = ca->deliveries;

	if (e != NULL) {
		log_warn(ca, "%zu certificate(s) from request %u on are not in userCertificate of %s: %s",
		    b->n, b->list[0]->id, b->list[0]->dn, e->msg);
		holder_forget(q, b->list[0]->dn);
	}
	for (size_t i = 0; i < b->n; i++) {
		free(b->list[i]->dn);
		free(b->list[i]);
	}
	free(b);
	q->busy = false;
	if (!ca->closing)
		deliver_next(ca);
	ca_unref(ca);
}

static void
on_written(void *arg, const struct dir_result *res, const struct err *e)
{
	(void)res;
	batch_end(arg, e);
}

/* Adds the batch and, where the attribute was read, deletes what expired. */
static void
write_batch(struct batch *b, const struct bytes *expired, size_t n_expired)
{
	struct holder *h = holder_find(b->ca->deliveries, b->list[0]->dn);
	struct bytes values[BATCH_MAX];
	struct dir_mod mods[2];
	struct err e = { 0 };
	size_t n = 0;

	if (h != NULL && h->count + b->n > VALUES_MAX) {
		log_debug(ca, "request %u: userCertificate of %s is full", b->list[0]->id, b->list[0]->dn);
		batch_end(b, NULL);
		return;
	}
	for (size_t i = 0; i < b->n; i++)
		values[i] = (struct bytes){ b->list[i]->certificate, b->list[i]->len };
	if (n_expired > 0)
		mods[n++] = (struct dir_mod){ DIR_MOD_DELETE, "userCertificate", expired, n_expired };
	mods[n++] = (struct dir_mod){ DIR_MOD_ADD, "userCertificate", values, b->n };
	if (h != NULL)
		h->count += b->n;
	if (dir_modify_start(b->ca->dir, b->list[0]->dn, mods, n, on_written, b, &e) != 0)
		batch_end(b, &e);
}

/* notAfter of a certificate; what cannot be read counts as valid, it is not ours to remove. */
static bool
expired_before(struct bytes cert, filetime_t limit)
{
	struct der outer = der_over(cert), c, tbs, validity;
	struct der_item skip;
	filetime_t not_after;
	struct err ignored;

	if (der_enter(&outer, DER_SEQUENCE, &c, "certificate", &ignored) != 0 ||
	    der_enter(&c, DER_SEQUENCE, &tbs, "tbsCertificate", &ignored) != 0)
		return false;
	if (der_peek(&tbs) == DER_CONTEXT_CONSTRUCTED(0) && der_next(&tbs, &skip, "version", &ignored) != 0)
		return false;
	if (der_next(&tbs, &skip, "serial", &ignored) != 0 ||
	    der_next(&tbs, &skip, "algorithm", &ignored) != 0 ||
	    der_next(&tbs, &skip, "issuer", &ignored) != 0 ||
	    der_enter(&tbs, DER_SEQUENCE, &validity, "validity", &ignored) != 0 ||
	    der_next(&validity, &skip, "notBefore", &ignored) != 0 ||
	    der_get_time(&validity, &not_after, "notAfter", &ignored) != 0)
		return false;
	return not_after < limit;
}

static void
on_read(void *arg, const struct dir_result *res, const struct err *e)
{
	struct batch *b = arg;
	const struct dir_attr *have =
	    e == NULL && res->n > 0 ? dir_entry_attr(&res->entries[0], "userCertificate") : NULL;
	filetime_t now;
	struct bytes *expired;
	size_t n = 0;
	struct err why = { 0 };

	if (e != NULL || b->ca->closing) {
		ERR(&why, E_CANCELLED, "the server ends");
		batch_end(b, e != NULL ? e : &why);
		return;
	}
	now = clock_now(b->ca->clock);
	expired = have != NULL ? calloc(have->n, sizeof(*expired)) : NULL;
	for (size_t i = 0; expired != NULL && i < have->n; i++) {
		if (expired_before(have->values[i], now - FILETIME_DAY))
			expired[n++] = have->values[i];
	}
	holder_learn(b->ca->deliveries, b->list[0]->dn, now, have != NULL ? have->n - n : 0);
	if (have != NULL && have->n - n + b->n > VALUES_MAX)
		log_warn(ca, "userCertificate of %s is full (%zu certificates): new ones are not added",
		    b->list[0]->dn, have->n - n);
	write_batch(b, expired, n);
	free(expired);
}

/* ---- the queue ---- */

/* The first delivery and those that wait for the same object. */
static struct batch *
take_batch(struct ca *ca)
{
	struct ca_deliveries *q = ca->deliveries;
	struct batch *b = calloc(1, sizeof(*b));
	struct delivery **at = &q->first;

	if (b == NULL)
		return NULL;
	b->ca = ca;
	while (*at != NULL && b->n < BATCH_MAX) {
		struct delivery *d = *at;

		if (b->n > 0 && strcmp(d->dn, b->list[0]->dn) != 0) {
			at = &d->next;
			continue;
		}
		*at = d->next;
		b->list[b->n++] = d;
	}
	for (q->tail = &q->first; *q->tail != NULL;)
		q->tail = &(*q->tail)->next;
	return b;
}

static void
deliver_next(struct ca *ca)
{
	static const char *const attrs[] = { "userCertificate", NULL };
	struct dir_query q = { .scope = DIR_BASE, .attrs = attrs };
	struct err e = { 0 };
	struct batch *b;

	if (ca->deliveries->busy || ca->deliveries->first == NULL || (b = take_batch(ca)) == NULL)
		return;
	ca->deliveries->busy = true;
	ca_ref(ca);
	q.base = b->list[0]->dn;
	if (is_fresh(holder_find(ca->deliveries, q.base), clock_now(ca->clock)))
		write_batch(b, NULL, 0);
	else if (dir_search_start(ca->dir, &q, on_read, b, &e) != 0)
		batch_end(b, &e);
}

void
ca_user_certificate_publish(struct ca *ca, const char *dn, struct bytes certificate, uint32_t id)
{
	struct delivery *d = malloc(sizeof(*d) + certificate.len);

	if (d == NULL || (d->dn = strdup(dn)) == NULL) {
		free(d);
		log_warn(ca, "the certificate of request %u is not published: no memory", id);
		return;
	}
	d->next = NULL;
	d->id = id;
	d->len = certificate.len;
	memcpy(d->certificate, certificate.p, certificate.len);
	*ca->deliveries->tail = d;
	ca->deliveries->tail = &d->next;
	deliver_next(ca);
}
