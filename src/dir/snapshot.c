#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "dir/csn.h"
#include "dir/dir_priv.h"
#include "dir/entry.h"

#define SNAPSHOT_MAX (64u << 20)
#define SNAPSHOT_LAG_US 200000 /* how long the synchronisation may lag before the templates are read anew */

enum kind { KIND_TEMPLATE, KIND_SERVICE, KIND_OID, KIND_AUTHORITY, KIND_COUNT, KIND_OTHER = KIND_COUNT };
static const char *const classes[KIND_COUNT] = { "pKICertificateTemplate", "pKIEnrollmentService",
	"msPKI-Enterprise-Oid", "certificationAuthority" };
#define CLASSES_FILTER                                                                                       \
	"(|(objectClass=pKICertificateTemplate)(objectClass=pKIEnrollmentService)(objectClass=msPKI-"        \
	"Enterprise-Oid)(objectClass=certificationAuthority))"

/* One object of the synchronised copy. */
struct stored {
	struct stored *next;
	uint8_t uuid[16];
	struct pool *pool;
	struct dir_entry entry;
};

/* Somebody who waits for a snapshot. */
struct asker {
	struct asker *next;
	dir_snapshot_fn *cb;
	void *arg;
};

/* Everybody who asked in one turn of the loop: one look at the contextCSNs, one answer. */
struct round {
	struct round *next;
	struct snapshots *s;
	struct asker *first, **tail;
	struct csn_set wanted, domain; /* of the configuration, and of the accounts beside it */
	unsigned unread;               /* of these two searches */
	bool failed;                   /* one of them: */
	struct err why;
	bool known;          /* wanted is */
	bool reading;        /* a plain search is under way: the copy's arrival no longer matters */
	struct event *timer; /* the copy's last moment */
};

struct snapshots {
	struct dir *d;
	struct stored *first, **tail;
	struct csn_set seen;
	bool refreshed; /* the copy is complete */
	bool plain;     /* this server does not synchronise: read each time */
	bool changed;   /* since `current` was made */
	struct dir_snapshot *current;
	uint64_t generation;
	struct round *rounds;
	struct round *gathering;
	struct event *ev_turn;
	void (*done)(struct dir *d, const struct err *e);
	void (*ended)(struct dir *d, const struct err *e);
};

struct dir_snapshot *
dir_snapshot_ref(struct dir_snapshot *s)
{
	s->refs++;
	return s;
}

void
dir_snapshot_unref(struct dir_snapshot *s)
{
	if (s == NULL || --s->refs > 0)
		return;
	pool_free(s->pool);
	free(s);
}

static enum kind
kind_of(const struct dir_entry *en)
{
	enum kind k = KIND_TEMPLATE;

	while (k < KIND_COUNT && !dir_entry_is(en, classes[k]))
		k++;
	return k;
}

/* ---- making one ---- */

/* Copies entries, kind by kind, into a new snapshot with one reference. */
static struct dir_snapshot *
snapshot_make(uint64_t generation, const struct dir_entry *const *entries, size_t n, struct err *e)
{
	struct dir_snapshot *snap = calloc(1, sizeof(*snap));
	struct dir_entry *out[KIND_COUNT];
	size_t count[KIND_COUNT] = { 0 }, i;
	enum kind k;

	if (snap != NULL)
		snap->pool = pool_new(SNAPSHOT_MAX);
	if (snap == NULL || snap->pool == NULL)
		goto no_memory;
	snap->refs = 1;
	snap->generation = generation;
	for (k = 0; k < KIND_COUNT; k++) {
		out[k] = pool_calloc(snap->pool, n, sizeof(**out));
		if (out[k] == NULL)
			goto no_memory;
	}
	for (i = 0; i < n; i++) {
		k = kind_of(entries[i]);
		if (k == KIND_OTHER)
			continue;
		if (dir_entry_copy(snap->pool, &out[k][count[k]], entries[i], e) != 0)
			goto fail;
		count[k]++;
	}
	snap->templates = out[KIND_TEMPLATE];
	snap->n_templates = count[KIND_TEMPLATE];
	snap->services = out[KIND_SERVICE];
	snap->n_services = count[KIND_SERVICE];
	snap->oids = out[KIND_OID];
	snap->n_oids = count[KIND_OID];
	snap->authorities = out[KIND_AUTHORITY];
	snap->n_authorities = count[KIND_AUTHORITY];
	return snap;
no_memory:
	(void)ERR(e, E_OUTOFMEMORY, "out of memory");
fail:
	if (snap != NULL)
		pool_free(snap->pool);
	free(snap);
	return NULL;
}

/* The copy as a snapshot; made only when somebody asks and something changed. Lent. */
static struct dir_snapshot *
current_snapshot(struct snapshots *s, struct err *e)
{
	const struct dir_entry **list;
	struct dir_snapshot *fresh;
	struct stored *st;
	size_t n = 0;

	if (s->current != NULL && !s->changed)
		return s->current;
	for (st = s->first; st != NULL; st = st->next)
		n++;
	list = calloc(n + 1, sizeof(*list));
	if (list == NULL) {
		(void)ERR(e, E_OUTOFMEMORY, "out of memory");
		return NULL;
	}
	n = 0;
	for (st = s->first; st != NULL; st = st->next)
		list[n++] = &st->entry;
	fresh = snapshot_make(s->generation + 1, list, n, e);
	free(list);
	if (fresh == NULL)
		return NULL;
	s->generation++;
	dir_snapshot_unref(s->current);
	s->current = fresh;
	s->changed = false;
	return fresh;
}

/* ---- rounds ---- */

/* Answers everybody in a round and forgets it. snap is lent. */
static void
round_finish(struct round *r, struct dir_snapshot *snap, const struct err *e)
{
	struct round **at = &r->s->rounds;
	struct asker *a, *next;

	while (*at != NULL && *at != r)
		at = &(*at)->next;
	if (*at == r)
		*at = r->next;
	if (r->timer != NULL)
		event_free(r->timer);
	if (snap != NULL)
		dir_snapshot_ref(snap);
	for (a = r->first; a != NULL; a = next) {
		next = a->next;
		a->cb(a->arg, snap, e);
		free(a);
	}
	dir_snapshot_unref(snap);
	free(r);
}

static void
round_answer(struct round *r)
{
	struct dir_snapshot *snap;
	struct err e;

	snap = current_snapshot(r->s, &e);
	round_finish(r, snap, snap == NULL ? &e : NULL);
}

/* The plain search's answer: this round's own snapshot, the copy stays what it is. */
static void
on_plain(void *arg, const struct dir_result *res, const struct err *e)
{
	struct round *r = arg;
	const struct dir_entry **list;
	struct dir_snapshot *snap = NULL;
	struct err why;
	size_t i;

	if (e == NULL) {
		e = &why;
		list = calloc(res->n + 1, sizeof(*list));
		for (i = 0; list != NULL && i < res->n; i++)
			list[i] = &res->entries[i];
		if (list == NULL)
			(void)ERR(&why, E_OUTOFMEMORY, "out of memory");
		else
			snap = snapshot_make(++r->s->generation, list, res->n, &why);
		free(list);
	}
	round_finish(r, snap, snap == NULL ? e : NULL);
	dir_snapshot_unref(snap);
}

static void
round_read(struct round *r)
{
	struct dir *d = r->s->d;
	struct dir_query q = { .scope = DIR_SUB, .filter = CLASSES_FILTER };
	struct buf base;
	struct err e;
	int rc;

	buf_init(&base, 4096);
	buf_printf(&base, "CN=Public Key Services,CN=Services,%s", d->forest.config_dn);
	q.base = buf_cstr(&base);
	r->reading = true;
	rc = dir_search_start(d, &q, on_plain, r, &e);
	buf_fini(&base);
	if (rc != 0)
		round_finish(r, NULL, &e);
}

static void
on_lag(evutil_socket_t fd, short what, void *arg)
{
	struct round *r = arg;

	(void)fd;
	(void)what;
	log_debug(ldap, "the synchronised copy lags: the templates are read anew");
	round_read(r);
}

/* Both numbers are read, or cannot be. */
static void
round_weigh(struct round *r)
{
	static const struct timeval lag = { 0, SNAPSHOT_LAG_US };

	if (r->failed) {
		round_finish(r, NULL, &r->why);
		return;
	}
	subjects_edition(r->s->d->subjects, &r->domain);
	r->known = true;
	if (r->wanted.n == 0) {
		round_read(r); /* no measure of progress: only a read is sure */
		return;
	}
	if (r->s->refreshed && csn_set_covers(&r->s->seen, &r->wanted)) {
		round_answer(r);
		return;
	}
	r->timer = evtimer_new(r->s->d->base, on_lag, r);
	if (r->timer == NULL || evtimer_add(r->timer, &lag) != 0)
		round_read(r);
}

static void
round_read_done(struct round *r, struct csn_set *csn, const struct dir_result *res, const struct err *e)
{
	const struct dir_attr *a =
	    e == NULL && res->n == 1 ? dir_entry_attr(res->entries, "contextCSN") : NULL;

	if (e != NULL) {
		r->failed = true;
		r->why = *e;
	}
	for (size_t i = 0; a != NULL && i < a->n; i++)
		csn_set_add(csn, (const char *)a->values[i].p, a->values[i].len);
	if (--r->unread == 0)
		round_weigh(r);
}

static void
on_config_csn(void *arg, const struct dir_result *res, const struct err *e)
{
	struct round *r = arg;

	round_read_done(r, &r->wanted, res, e);
}

static void
on_domain_csn(void *arg, const struct dir_result *res, const struct err *e)
{
	struct round *r = arg;

	round_read_done(r, &r->domain, res, e);
}

static void
read_csn(struct round *r, const char *base, dir_done_fn *cb)
{
	static const char *const attrs[] = { "contextCSN", NULL };
	struct dir_query q = { .base = base, .scope = DIR_BASE, .attrs = attrs };
	struct err e;

	if (dir_search_start(r->s->d, &q, cb, r, &e) != 0)
		cb(r, NULL, &e);
}

/* The end of the turn: everybody who asked so far shares the questions. */
static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct snapshots *s = arg;
	const struct dir_forest *f = &s->d->forest;
	struct round *r = s->gathering;

	(void)fd;
	(void)what;
	if (r == NULL)
		return;
	s->gathering = NULL;
	r->next = s->rounds;
	s->rounds = r;
	if (s->plain) {
		round_read(r);
		return;
	}
	r->unread = 2;
	read_csn(r, f->config_dn, on_config_csn);
	read_csn(r, f->domain_dn, on_domain_csn);
}

int
dir_snapshot_get(struct dir *d, dir_snapshot_fn *cb, void *arg, struct err *e)
{
	struct snapshots *s = d->snapshots;
	struct asker *a;

	if (d->ops == NULL || !d->forest_known || d->state == DIR_CLOSED)
		return ERR(e, E_DS_SERVER_DOWN, "the directory is down");
	a = calloc(1, sizeof(*a));
	if (a != NULL && s->gathering == NULL) {
		s->gathering = calloc(1, sizeof(*s->gathering));
		if (s->gathering != NULL) {
			s->gathering->s = s;
			s->gathering->tail = &s->gathering->first;
			event_active(s->ev_turn, EV_TIMEOUT, 0);
		}
	}
	if (a == NULL || s->gathering == NULL) {
		free(a);
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	}
	a->cb = cb;
	a->arg = arg;
	*s->gathering->tail = a;
	s->gathering->tail = &a->next;
	return 0;
}

/* ---- the copy ---- */

static void
forget(struct snapshots *s, const uint8_t *uuid)
{
	struct stored **at = &s->first, *st;

	while (*at != NULL && memcmp((*at)->uuid, uuid, 16) != 0)
		at = &(*at)->next;
	st = *at;
	if (st == NULL)
		return;
	if (s->tail == &st->next)
		s->tail = at;
	*at = st->next;
	pool_free(st->pool);
	free(st);
	s->changed = true;
}

static void
forget_all(struct snapshots *s)
{
	while (s->first != NULL)
		forget(s, s->first->uuid);
	s->seen.n = 0;
	s->refreshed = false;
}

/* A new or changed entry. A changed one keeps its place; one of no interest leaves it. */
static int
remember(struct snapshots *s, const uint8_t *uuid, const struct dir_entry *en, struct err *e)
{
	struct stored *st = s->first;
	struct dir_entry copy;
	struct pool *pool;

	if (kind_of(en) == KIND_OTHER) {
		forget(s, uuid);
		return 0;
	}
	pool = pool_new(SNAPSHOT_MAX);
	if (pool == NULL || dir_entry_copy(pool, &copy, en, e) != 0) {
		pool_free(pool);
		return ERR(e, E_OUTOFMEMORY, "no room for %.80s", en->dn);
	}
	while (st != NULL && memcmp(st->uuid, uuid, 16) != 0)
		st = st->next;
	if (st == NULL) {
		st = calloc(1, sizeof(*st));
		if (st == NULL) {
			pool_free(pool);
			return ERR(e, E_OUTOFMEMORY, "no room for %.80s", en->dn);
		}
		memcpy(st->uuid, uuid, 16);
		*s->tail = st;
		s->tail = &st->next;
	}
	pool_free(st->pool);
	st->pool = pool;
	st->entry = copy;
	s->changed = true;
	return 0;
}

/* Rounds the copy has caught up with get their answer. */
static void
answer_rounds(struct snapshots *s)
{
	struct round *r, *next;

	if (!s->refreshed)
		return;
	for (r = s->rounds; r != NULL; r = next) {
		next = r->next;
		if (r->known && !r->reading && csn_set_covers(&s->seen, &r->wanted))
			round_answer(r);
	}
}

/* The server ended the synchronisation, or we must: a copy with a hole is none. */
static void
sync_ended(struct snapshots *s, const struct err *e)
{
	void (*done)(struct dir *, const struct err *) = s->done;

	s->done = NULL;
	if (done != NULL && e->hr == E_DS_UNAVAILABLE_CRIT_EXTENSION) {
		s->plain = true;
		done(s->d, NULL);
	} else if (done != NULL) {
		done(s->d, e);
	} else {
		s->ended(s->d, e);
	}
}

static void
on_sync(void *arg, const struct conn_sync_event *ev)
{
	struct snapshots *s = arg;
	void (*done)(struct dir *, const struct err *);
	struct err e;

	switch (ev->kind) {
	case SYNC_ENTRY:
		if (remember(s, ev->uuid, ev->entry, &e) != 0) {
			sync_ended(s, &e);
			return;
		}
		break;
	case SYNC_DELETED:
		forget(s, ev->uuid);
		break;
	case SYNC_INFO:
		s->refreshed |= ev->refreshed;
		break;
	case SYNC_END:
		sync_ended(s, ev->e);
		return;
	}
	if (ev->cookie != NULL)
		csn_set_add_cookie(&s->seen, ev->cookie);
	done = s->done;
	if (s->refreshed && done != NULL) {
		s->done = NULL;
		done(s->d, NULL);
	}
	answer_rounds(s);
}

int
snapshots_follow(struct snapshots *s, struct conn *feed, void (*done)(struct dir *d, const struct err *e),
    void (*ended)(struct dir *d, const struct err *e), struct err *e)
{
	forget_all(s);
	s->done = done;
	s->ended = ended;
	if (conn_sync(feed, s->d->forest.config_dn, on_sync, s, e) == 0)
		return 0;
	s->done = NULL;
	return -1;
}

void
snapshots_fail(struct snapshots *s, const struct err *e)
{
	while (s->rounds != NULL)
		round_finish(s->rounds, NULL, e);
	if (s->gathering != NULL) {
		struct round *r = s->gathering;

		s->gathering = NULL;
		round_finish(r, NULL, e);
	}
}

struct snapshots *
snapshots_new(struct dir *d, struct err *e)
{
	struct snapshots *s = calloc(1, sizeof(*s));

	if (s != NULL) {
		s->d = d;
		s->tail = &s->first;
		s->ev_turn = event_new(d->base, -1, 0, on_turn, s);
	}
	if (s == NULL || s->ev_turn == NULL) {
		(void)ERR(e, E_OUTOFMEMORY, "out of memory");
		free(s);
		return NULL;
	}
	return s;
}

void
snapshots_free(struct snapshots *s)
{
	if (s == NULL)
		return;
	forget_all(s);
	dir_snapshot_unref(s->current);
	event_free(s->ev_turn);
	free(s);
}
