/* Tells of edits of the domain; what they are, the listener reads anew. */
#include <event2/event.h>
#include <stdlib.h>

#include "base/log.h"
#include "dir/dir_priv.h"

struct watch {
	struct event *ev; /* gathers the edits of one turn */
	bool refreshed;   /* what comes now is new */
	void (*changed)(void *arg);
	void *arg;
};

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;

	(void)fd;
	(void)what;
	w->changed(w->arg);
}

static void
on_event(void *arg, const struct conn_sync_event *ev)
{
	struct watch *w = arg;

	if (ev->kind == SYNC_INFO)
		w->refreshed |= ev->refreshed;
	if (ev->kind == SYNC_END) {
		log_warn(ldap, "edits of the domain are no longer told: %s", ev->e->msg);
		return;
	}
	if (w->refreshed)
		event_active(w->ev, EV_TIMEOUT, 0);
}

void
watch_follow(struct dir *d)
{
	struct watch *w = d->watch;
	struct err e;

	if (w == NULL)
		return;
	w->refreshed = false;
	if (conn_sync(d->feed, d->forest.domain_dn, on_event, w, &e) != 0)
		log_warn(ldap, "edits of the domain are not told: %s", e.msg);
	event_active(w->ev, EV_TIMEOUT, 0);
}

int
dir_watch_domain(struct dir *d, void (*changed)(void *arg), void *arg, struct err *e)
{
	struct watch *w = d->watch == NULL ? calloc(1, sizeof(*w)) : NULL;

	if (d->watch != NULL)
		return ERR(e, E_ALREADY_EXISTS, "the domain is watched already");
	if (w != NULL)
		w->ev = event_new(d->base, -1, 0, on_turn, w);
	if (w == NULL || w->ev == NULL) {
		free(w);
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	}
	w->changed = changed;
	w->arg = arg;
	d->watch = w;
	if (d->state == DIR_UP)
		watch_follow(d);
	return 0;
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	event_free(w->ev);
	free(w);
}
