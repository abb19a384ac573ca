/*
 * Publication to the requester's userCertificate (CT_FLAG_PUBLISH_TO_DS): read, drop what expired more than a day ago,
 * add the new one, replace the whole attribute. Trouble is logged; the certificate is issued all the same.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ca/ca_priv.h"

struct delivery {
	struct ca *ca;
	struct pool *pool;
	const char *dn;
	struct bytes certificate;
	uint32_t id;
};

static void
delivery_free(struct delivery *d)
{
	struct ca *ca = d->ca;

	pool_free(d->pool);
	free(d);
	ca_unref(ca);
}

static void
give_up(struct delivery *d, const struct err *e)
{
	log_warn(ca, "certificate of request %u is not in userCertificate of %s: %s", d->id, d->dn, e->msg);
	delivery_free(d);
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
	if (der_next(&tbs, &skip, "serial", &ignored) != 0 || der_next(&tbs, &skip, "algorithm", &ignored) != 0 ||
	    der_next(&tbs, &skip, "issuer", &ignored) != 0 ||
	    der_enter(&tbs, DER_SEQUENCE, &validity, "validity", &ignored) != 0 ||
	    der_next(&validity, &skip, "notBefore", &ignored) != 0 ||
	    der_get_time(&validity, &not_after, "notAfter", &ignored) != 0)
		return false;
	return not_after < limit;
}

static void
on_written(void *arg, const struct dir_result *res, const struct err *e)
{
	struct delivery *d = arg;

	(void)res;
	if (e != NULL) {
		give_up(d, e);
		return;
	}
	log_debug(ca, "certificate of request %u added to userCertificate of %s", d->id, d->dn);
	delivery_free(d);
}

static void
on_read(void *arg, const struct dir_result *res, const struct err *e)
{
	struct delivery *d = arg;
	const struct dir_attr *have = e == NULL && res->n > 0 ? dir_entry_attr(&res->entries[0], "userCertificate") : NULL;
	size_t n = 0, n_have = have != NULL ? have->n : 0;
	struct bytes *values;
	struct dir_mod mod = { DIR_MOD_REPLACE, "userCertificate", NULL, 0 };
	filetime_t limit;
	struct err why = { 0 };

	if (e != NULL || d->ca->closing) {
		ERR(&why, E_CANCELLED, "the server ends");
		give_up(d, e != NULL ? e : &why);
		return;
	}
	limit = clock_now(d->ca->clock) - FILETIME_DAY;
	values = pool_calloc(d->pool, n_have + 1, sizeof(*values));
	if (values == NULL) {
		ERR(&why, E_OUTOFMEMORY, "no memory for %zu certificates", n_have);
		give_up(d, &why);
		return;
	}
	for (size_t i = 0; i < n_have; i++) {
		if (!expired_before(have->values[i], limit) && !bytes_equal(have->values[i], d->certificate))
			values[n++] = have->values[i];
	}
	values[n++] = d->certificate;
	mod.values = values;
	mod.n = n;
	if (dir_modify_start(d->ca->dir, d->dn, &mod, 1, on_written, d, &why) != 0)
		give_up(d, &why);
}

void
ca_user_certificate_publish(struct ca *ca, const char *dn, struct bytes certificate, uint32_t id)
{
	static const char *const attrs[] = { "userCertificate", NULL };
	struct delivery *d = calloc(1, sizeof(*d));
	struct dir_query q = { .scope = DIR_BASE, .attrs = attrs };
	struct err e = { 0 };

	if (d == NULL || (d->pool = pool_new(4u << 20)) == NULL || (d->dn = pool_strdup(d->pool, dn)) == NULL ||
	    pool_dup_bytes(d->pool, certificate, &d->certificate) != 0) {
		log_warn(ca, "certificate of request %u is not published: no memory", id);
		if (d != NULL)
			pool_free(d->pool);
		free(d);
		return;
	}
	d->ca = ca;
	d->id = id;
	ca_ref(ca);
	q.base = d->dn;
	if (dir_search_start(ca->dir, &q, on_read, d, &e) != 0)
		give_up(d, &e);
}
