/*
 * Ping sets and what they keep alive (MS-DCOM 3.1.2.5.1.2, 3.1.2.5.1.3, 3.1.2.6). An object that no set holds
 * lives for the same three periods from its last call. Virtual time.
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/rng.h"
#include "dcom/dcom_priv.h"

static struct dcom_set *
set_find(struct dcom *d, uint64_t id)
{
	struct dcom_set *s;

	TAILQ_FOREACH(s, &d->sets, entry)
	{
		if (s->id == id)
			return s;
	}
	return NULL;
}

static void
set_pinged(struct dcom *d, struct dcom_set *s)
{
	s->pinged = clock_now(d->cfg.clock);
	TAILQ_REMOVE(&d->sets, s, entry);
	TAILQ_INSERT_TAIL(&d->sets, s, entry);
}

static void
member_free(struct dcom_member *m)
{
	LIST_REMOVE(m, of_set);
	LIST_REMOVE(m, of_object);
	m->set->n_members--;
	free(m);
}

static void
set_free(struct dcom *d, struct dcom_set *s)
{
	struct dcom_member *m;

	while ((m = LIST_FIRST(&s->members)) != NULL)
		member_free(m);
	TAILQ_REMOVE(&d->sets, s, entry);
	d->stats.ping_sets--;
	free(s);
}

static struct dcom_member *
member_find(const struct dcom_set *s, const struct dcom_object *o)
{
	struct dcom_member *m;

	LIST_FOREACH(m, &o->sets, of_object)
	{
		if (m->set == s)
			return m;
	}
	return NULL;
}

static uint32_t
set_add(struct dcom *d, struct dcom_set *s, uint64_t oid)
{
	struct dcom_object *o = dcom_oid_find(d, oid);
	struct dcom_member *m;

	if (o == NULL)
		return OR_INVALID_OID;
	if (member_find(s, o) != NULL)
		return OR_OK;
	if (s->n_members == DCOM_SET_OIDS || (m = calloc(1, sizeof(*m))) == NULL)
		return OR_NO_MEMORY;
	m->set = s;
	m->object = o;
	LIST_INSERT_HEAD(&s->members, m, of_set);
	LIST_INSERT_HEAD(&o->sets, m, of_object);
	s->n_members++;
	dcom_object_set_idle(o, false);
	return OR_OK;
}

/* The client lets go of it: its time without pings begins. */
static void
set_remove(struct dcom *d, struct dcom_set *s, uint64_t oid)
{
	struct dcom_object *o = dcom_oid_find(d, oid);
	struct dcom_member *m = o != NULL ? member_find(s, o) : NULL;

	if (m == NULL)
		return;
	member_free(m);
	if (LIST_EMPTY(&o->sets))
		dcom_object_set_idle(o, true);
}

static struct dcom_set *
set_new(struct dcom *d)
{
	struct dcom_set *s = d->stats.ping_sets < d->cfg.ping_sets ? calloc(1, sizeof(*s)) : NULL;

	if (s == NULL)
		return NULL;
	do
		rng_system(&s->id, sizeof(s->id));
	while (s->id == 0 || set_find(d, s->id) != NULL);
	LIST_INIT(&s->members);
	TAILQ_INSERT_TAIL(&d->sets, s, entry);
	d->stats.ping_sets++;
	return s;
}

uint32_t
dcom_ping_simple(struct dcom *d, uint64_t set)
{
	struct dcom_set *s = set_find(d, set);

	if (s == NULL)
		return OR_INVALID_SET;
	set_pinged(d, s);
	return OR_OK;
}

uint32_t
dcom_ping_complex(struct dcom *d, const struct or_complex_ping_in *in, uint64_t *set)
{
	struct dcom_set *s = in->set != 0 ? set_find(d, in->set) : set_new(d);
	uint32_t status = OR_OK;

	*set = in->set;
	if (s == NULL)
		return in->set != 0 ? OR_INVALID_SET : OR_NO_MEMORY;
	*set = s->id;
	/* Behind the set's: a late copy of an earlier call. Ours: numbers may wrap. */
	if (in->set != 0 && (int16_t)(uint16_t)(s->sequence - in->sequence) > 0)
		return OR_OK;
	for (uint32_t i = 0; in->add != NULL && i < in->n_add; i++) {
		uint32_t one = set_add(d, s, in->add[i].oid);

		/* A new set leaves out what is not there; an old one tells, and Ours: takes the others all
		 * the same. */
		if (one != OR_OK && !(one == OR_INVALID_OID && in->set == 0))
			status = one;
	}
	for (uint32_t i = 0; in->del != NULL && i < in->n_del; i++)
		set_remove(d, s, in->del[i].oid);
	s->sequence = in->sequence;
	set_pinged(d, s);
	return status;
}

void
dcom_ping_forget(struct dcom_object *o)
{
	struct dcom_member *m;

	while ((m = LIST_FIRST(&o->sets)) != NULL)
		member_free(m);
}

void
dcom_ping_fini(struct dcom *d)
{
	struct dcom_set *s;

	while ((s = TAILQ_FIRST(&d->sets)) != NULL)
		set_free(d, s);
}

/* ---- time-outs ---- */

static void
collect(struct dcom_object *o)
{
	log_info(rpc, "object of %s: collected, its client neither calls nor pings (MS-DCOM 3.1.2.6)",
	    o->row->cls->name);
	o->d->stats.collected++;
	dcom_object_drop(o);
}

/* MS-DCOM 3.1.2.6 and 3.1.1.6.2: what nobody else pings goes, unless it was called within the last period. */
static void
set_expire(struct dcom *d, struct dcom_set *s, filetime_t now)
{
	struct dcom_member *m;

	while ((m = LIST_FIRST(&s->members)) != NULL) {
		struct dcom_object *o = m->object;

		member_free(m);
		if (!LIST_EMPTY(&o->sets))
			continue;
		if (o->holds > 0 || now - o->used < DCOM_PING_PERIOD)
			dcom_object_set_idle(o, true);
		else
			collect(o);
	}
	set_free(d, s);
}

void
dcom_flush(struct dcom *d)
{
	filetime_t now = clock_now(d->cfg.clock);
	struct dcom_object *o;
	struct dcom_set *s;

	while ((s = TAILQ_FIRST(&d->sets)) != NULL && now - s->pinged >= DCOM_PING_TIMEOUT)
		set_expire(d, s, now);
	while ((o = TAILQ_FIRST(&d->idle)) != NULL && now - o->idle_since >= DCOM_PING_TIMEOUT) {
		if (o->holds > 0)
			dcom_object_set_idle(o, true);
		else
			collect(o);
	}
}

filetime_t
dcom_next_due(const struct dcom *d)
{
	const struct dcom_set *s = TAILQ_FIRST(&d->sets);
	const struct dcom_object *o = TAILQ_FIRST(&d->idle);
	filetime_t due = s != NULL ? s->pinged + DCOM_PING_TIMEOUT : 0;

	if (o != NULL && (due == 0 || o->idle_since + DCOM_PING_TIMEOUT < due))
		due = o->idle_since + DCOM_PING_TIMEOUT;
	return due;
}
