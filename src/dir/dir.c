/* The directory's life: prepare, connect, load, up; down and up again. */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "dir/dir_priv.h"

#define DIR_POOL_MAX (4u << 20)
#define DIR_CONNECT_MS 60000 /* how long a started slapd may take to answer */
#define DIR_EXTERNAL_MS 1000 /* ... and a server that should be there already */
#define DIR_BACKOFF_MIN_MS 100
#define DIR_BACKOFF_MAX_MS 5000
#define DIR_STEADY_US 10000000 /* up for so long: the next failure is a new one */

static void
bring_up(struct dir *d);

static void
tell(struct dir *d, const char *text)
{
	if (d->on_event != NULL)
		d->on_event(d->on_event_arg, text);
	else
		log_warn(ldap, "%s", text);
}

/* ---- down ---- */

static void
close_connections(struct dir *d, const struct err *e)
{
	struct conn *ops = d->ops, *feed = d->feed;

	d->ops = d->feed = NULL;
	conn_free(ops);
	conn_free(feed);
	if (d->snapshots != NULL)
		snapshots_fail(d->snapshots, e);
}

static void
schedule_retry(struct dir *d)
{
	struct timeval delay = { d->backoff_ms / 1000, (int)(d->backoff_ms % 1000) * 1000 };

	d->state = DIR_WAITING;
	d->backoff_ms = d->backoff_ms * 2 > DIR_BACKOFF_MAX_MS ? DIR_BACKOFF_MAX_MS : d->backoff_ms * 2;
	if (!d->suspended)
		evtimer_add(d->ev_retry, &delay);
}

/* From the loop only, never from a callback of a connection's operation. */
static void
take_down(struct dir *d, const struct err *e)
{
	dir_ready_fn *ready = d->ready;
	char text[ERR_MSG_MAX + 64];

	if (d->state == DIR_WAITING || d->state == DIR_CLOSED)
		return;
	if (d->state == DIR_UP && clock_monotonic_us() - d->up_since_us > DIR_STEADY_US)
		d->backoff_ms = DIR_BACKOFF_MIN_MS;
	if (ready != NULL) { /* never was up: whoever started us decides */
		d->state = DIR_CLOSED;
		close_connections(d, e);
		d->ready = NULL;
		ready(d->ready_arg, e);
		return;
	}
	if (d->suspended)
		(void)snprintf(text, sizeof(text), "the directory is down: %s", e->msg);
	else
		(void)snprintf(text, sizeof(text), "the directory is down: %s; next attempt in %u ms", e->msg,
		    d->backoff_ms);
	schedule_retry(d);
	close_connections(d, e);
	tell(d, text);
}

static void
on_down(evutil_socket_t fd, short what, void *arg)
{
	struct dir *d = arg;

	(void)fd;
	(void)what;
	take_down(d, &d->why_down);
}

static void
take_down_later(struct dir *d, const struct err *e)
{
	d->why_down = *e;
	event_active(d->ev_down, EV_TIMEOUT, 0);
}

static void
on_lost(void *arg, const struct err *e)
{
	take_down(arg, e);
}

static void
on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	bring_up(arg);
}

static void
on_slapd_died(void *arg, const char *why)
{
	struct dir *d = arg;
	struct err e;

	(void)snprintf(d->death, sizeof(d->death), "%s", why);
	if (d->state == DIR_CONNECTING) {
		errand_cancel(d->errand); /* on_connected() tells */
		return;
	}
	(void)ERR(&e, E_DS_UNAVAILABLE, "%s", why);
	if (d->state == DIR_WAITING)
		tell(d, why); /* the connection was quicker */
	take_down(d, &e);
}

/* ---- up ---- */

static void
on_content(struct dir *d, const struct err *e)
{
	dir_ready_fn *ready = d->ready;

	if (e != NULL) {
		take_down_later(d, e);
		return;
	}
	d->state = DIR_UP;
	d->up_since_us = clock_monotonic_us();
	d->ready = NULL;
	watch_follow(d);
	if (ready != NULL)
		ready(d->ready_arg, NULL);
	else
		tell(d, "the directory is up again");
}

static void
follow(struct dir *d, const struct err *e)
{
	struct err why;

	if (e == NULL && snapshots_follow(d->snapshots, d->feed, on_content, take_down_later, &why) != 0)
		e = &why;
	if (e != NULL)
		take_down_later(d, e);
}

static int
connect_both(void *arg, const atomic_bool *cancel, struct err *e)
{
	struct dir *d = arg;
	unsigned wait_ms = d->embedded ? DIR_CONNECT_MS : DIR_EXTERNAL_MS;

	d->fresh_ops = conn_open(d->uri, wait_ms, cancel, e);
	if (d->fresh_ops == NULL)
		return -1;
	d->fresh_feed = conn_open(d->uri, wait_ms, cancel, e);
	return d->fresh_feed == NULL ? -1 : 0;
}

static void
drop_fresh(struct dir *d)
{
	conn_free(d->fresh_ops);
	conn_free(d->fresh_feed);
	d->fresh_ops = d->fresh_feed = NULL;
}

static void
on_connected(void *arg, const struct err *e)
{
	struct dir *d = arg;
	struct err why;

	if (d->embedded && !slapd_running(d->slapd)) {
		(void)ERR(&why, E_DS_UNAVAILABLE, "%s", d->death);
		e = &why;
	} else if (e == NULL && d->suspended) {
		(void)ERR(&why, E_DS_UNAVAILABLE, "suspended on request");
		e = &why;
	}
	if (e == NULL &&
	    (conn_attach(d->fresh_ops, d->base, on_lost, d, &why) != 0 ||
		conn_attach(d->fresh_feed, d->base, on_lost, d, &why) != 0))
		e = &why;
	if (e != NULL) {
		drop_fresh(d);
		take_down(d, e);
		return;
	}
	d->ops = d->fresh_ops;
	d->feed = d->fresh_feed;
	d->fresh_ops = d->fresh_feed = NULL;
	d->state = DIR_LOADING;
	if (d->forest_known)
		follow(d, NULL);
	else if (forest_load(d, follow, &why) != 0)
		take_down(d, &why);
}

static void
bring_up(struct dir *d)
{
	struct errand_job job = { connect_both, on_connected, d };
	struct err e;

	d->state = DIR_CONNECTING;
	if ((d->embedded && !slapd_running(d->slapd) && slapd_start(d->slapd, &e) != 0) ||
	    errand_start(d->errand, &job, &e) != 0)
		take_down(d, &e);
}

void
dir_suspend(struct dir *d, bool on)
{
	struct err e;

	if (d->suspended == on)
		return;
	d->suspended = on;
	if (!on) {
		d->backoff_ms = DIR_BACKOFF_MIN_MS;
		if (d->state == DIR_WAITING)
			bring_up(d);
		return;
	}
	evtimer_del(d->ev_retry);
	(void)ERR(&e, E_DS_UNAVAILABLE, "suspended on request");
	if (d->state != DIR_CONNECTING) /* else on_connected() finds it suspended */
		take_down(d, &e);
	if (d->embedded && slapd_running(d->slapd))
		slapd_end(d->slapd);
}

/* ---- start ---- */

static int
prepare(void *arg, const atomic_bool *cancel, struct err *e)
{
	struct dir *d = arg;
	bool seeded;

	(void)cancel;
	return seed_state(&d->files, &d->source, d->pool, &d->names, &seeded, e);
}

static void
on_prepared(void *arg, const struct err *e)
{
	struct dir *d = arg;

	if (e != NULL)
		take_down(d, e);
	else
		bring_up(d);
}

static int
keep_config(struct dir *d, const struct dir_config *cfg, struct err *e)
{
	d->embedded = cfg->uri == NULL;
	d->source.forest_ldif = cfg->forest_ldif == NULL ? "" : pool_strdup(d->pool, cfg->forest_ldif);
	if (d->source.forest_ldif == NULL)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	if (!d->embedded) {
		d->uri = pool_strdup(d->pool, cfg->uri);
		return d->uri == NULL ? ERR(e, E_OUTOFMEMORY, "out of memory") : 0;
	}
	d->source.templates_dir = pool_strdup(d->pool, cfg->templates_dir);
	if (d->source.templates_dir == NULL)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	if (slapd_files_init(&d->files, d->pool, cfg->slapd, cfg->state_dir, cfg->schema_dir, e) != 0)
		return -1;
	d->uri = d->files.uri;
	d->slapd = slapd_new(d->base, &d->files, on_slapd_died, d, e);
	return d->slapd == NULL ? -1 : 0;
}

static int
begin(struct dir *d, const struct dir_config *cfg, struct err *e)
{
	struct errand_job job = { prepare, on_prepared, d };

	d->pool = pool_new(DIR_POOL_MAX);
	d->ev_down = event_new(d->base, -1, 0, on_down, d);
	d->ev_retry = evtimer_new(d->base, on_retry, d);
	if (d->pool == NULL || d->ev_down == NULL || d->ev_retry == NULL)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	d->errand = errand_new(d->base, e);
	d->snapshots = d->errand == NULL ? NULL : snapshots_new(d, e);
	d->subjects = d->snapshots == NULL ? NULL : subjects_new(e);
	if (d->subjects == NULL || keep_config(d, cfg, e) != 0)
		return -1;
	if (d->embedded)
		return errand_start(d->errand, &job, e);
	d->state = DIR_CONNECTING;
	job = (struct errand_job){ connect_both, on_connected, d };
	return errand_start(d->errand, &job, e);
}

struct dir *
dir_start(const struct dir_config *cfg, dir_ready_fn *ready, void *arg, struct err *e)
{
	struct dir *d = calloc(1, sizeof(*d));

	if (d == NULL) {
		(void)ERR(e, E_OUTOFMEMORY, "out of memory");
		return NULL;
	}
	d->base = cfg->base;
	d->backoff_ms = DIR_BACKOFF_MIN_MS;
	d->ready = ready;
	d->ready_arg = arg;
	d->on_event = cfg->on_event;
	d->on_event_arg = cfg->on_event_arg;
	if (begin(d, cfg, e) == 0)
		return d;
	dir_free(d);
	return NULL;
}

void
dir_free(struct dir *d)
{
	struct err e;

	if (d == NULL)
		return;
	d->state = DIR_CLOSED;
	(void)ERR(&e, E_DS_UNAVAILABLE, "the directory is being closed");
	errand_free(d->errand);
	drop_fresh(d);
	close_connections(d, &e);
	slapd_free(d->slapd);
	snapshots_free(d->snapshots);
	subjects_free(d->subjects);
	watch_free(d->watch);
	if (d->ev_down != NULL)
		event_free(d->ev_down);
	if (d->ev_retry != NULL)
		event_free(d->ev_retry);
	pool_free(d->pool);
	free(d);
}

/* ---- what callers use ---- */

const char *
dir_uri(const struct dir *d)
{
	return d->uri;
}

const struct dir_forest *
dir_forest(const struct dir *d)
{
	return &d->forest;
}

static int
check_up(const struct dir *d, struct err *e)
{
	if (d->ops == NULL || d->state == DIR_CLOSED)
		return ERR(e, E_DS_SERVER_DOWN, "the directory is down");
	return 0;
}

int
dir_search_start(struct dir *d, const struct dir_query *q, dir_done_fn *cb, void *arg, struct err *e)
{
	return check_up(d, e) != 0 ? -1 : conn_search(d->ops, q, cb, arg, e);
}

int
dir_modify_start(struct dir *d, const char *dn, const struct dir_mod *mods, size_t n, dir_done_fn *cb,
    void *arg, struct err *e)
{
	return check_up(d, e) != 0 ? -1 : conn_modify(d->ops, dn, mods, n, cb, arg, e);
}

int
dir_add_start(struct dir *d, const struct dir_entry *entry, dir_done_fn *cb, void *arg, struct err *e)
{
	return check_up(d, e) != 0 ? -1 : conn_add(d->ops, entry, cb, arg, e);
}
