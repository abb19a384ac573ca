/* Inside dir/: the directory's parts and how they reach each other. */
#ifndef ADCSD_DIR_DIR_PRIV_H
#define ADCSD_DIR_DIR_PRIV_H

#include "dir/conn.h"
#include "dir/errand.h"
#include "dir/seed.h"
#include "dir/slapd.h"

struct csn_set;
struct event;
struct snapshots;
struct subjects;
struct watch;

enum dir_state {
	DIR_PREPARING,  /* helper thread: seeding, configuration */
	DIR_CONNECTING, /* helper thread: two bound connections */
	DIR_LOADING,    /* names of the forest, first snapshot after a connect */
	DIR_UP,
	DIR_WAITING, /* down; the timer brings it up again */
	DIR_CLOSED,  /* start failed, or being freed */
};

struct dir {
	enum dir_state state;
	struct event_base *base;
	struct pool *pool; /* configuration and names, for the directory's life */
	const char *uri;
	bool embedded;
	struct slapd_files files;
	struct seed_source source;
	struct slapd_names names;
	struct slapd *slapd;
	char death[256]; /* what slapd said when it died during a connect */
	struct errand *errand;
	struct conn *fresh_ops, *fresh_feed; /* made by the helper thread, not yet the loop's */
	struct conn *ops, *feed;             /* searches and edits; content synchronisation */
	struct event *ev_down; /* deferred: a connection must not be freed in its own callbacks */
	struct event *ev_retry;
	struct err why_down;
	unsigned backoff_ms;
	uint64_t up_since_us;
	struct dir_forest forest;
	bool forest_known;
	bool suspended; /* dir_suspend() */
	struct snapshots *snapshots;
	struct subjects *subjects;
	struct watch *watch; /* NULL: nobody watches */
	dir_ready_fn *ready; /* NULL once told */
	void *ready_arg;
	void (*on_event)(void *arg, const char *text);
	void *on_event_arg;
};

/* ---- forest.c ---- */

/* Reads the names of the forest into d->forest. done runs once. */
int
forest_load(struct dir *d, void (*done)(struct dir *d, const struct err *e), struct err *e) MUST_CHECK;

/* ---- watch.c ---- */

/* The directory is up: follows the domain on d->feed, if somebody watches. */
void
watch_follow(struct dir *d);
/* NULL is fine. */
void
watch_free(struct watch *w);

/* ---- snapshot.c ---- */

struct snapshots *
snapshots_new(struct dir *d, struct err *e) MUST_CHECK;
/* Waiters must have been failed. NULL is fine. */
void
snapshots_free(struct snapshots *s);
/* Starts over on a new connection; done runs once when the content is complete, or with why it cannot be
 * kept. ended runs when a synchronisation that was complete ends. */
int
snapshots_follow(struct snapshots *s, struct conn *feed, void (*done)(struct dir *d, const struct err *e),
    void (*ended)(struct dir *d, const struct err *e), struct err *e) MUST_CHECK;
/* Every waiter gets e. */
void
snapshots_fail(struct snapshots *s, const struct err *e);

/* ---- subject.c ---- */

struct subjects *
subjects_new(struct err *e) MUST_CHECK;
/* The domain's contextCSN as read on behalf of a request: accounts of another edition are forgotten. Empty,
 * as on servers that have none: nothing is kept. */
void
subjects_edition(struct subjects *s, const struct csn_set *csn);
/* NULL is fine. */
void
subjects_free(struct subjects *s);

#endif
