/* What a publication of CRLs says: for each key and partition, from the rows of the database. */
#include "ca/crl_job.h"

#define CRLF_DELTA_USE_OLDEST_UNEXPIRED_BASE 0x1u
#define CRLF_CRLNUMBER_CRITICAL 0x4u
#define CRLF_PUBLISH_EXPIRED_CERT_CRLS 0x200u
#define URL_FRESHEST 0x4u
#define URL_LOCATIONS 0x8u
#define URL_IDP 0x80u

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
	if (base == NULL && ca_crl_deltas_enabled(ca) &&
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
	if (ca_crl_deltas_enabled(j->ca))
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
int
ca_crl_plan(struct ca_crl_job *j, struct err *e)
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
int
ca_crl_load_newest(struct ca_crl_job *j, struct err *e)
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
