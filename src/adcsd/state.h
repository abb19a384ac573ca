/* The state folder and the account the server runs as: everything that happens before and while root is given
 * up. */
#ifndef ADCSD_ADCSD_STATE_H
#define ADCSD_ADCSD_STATE_H

#include <limits.h>

#include "adcsd/options.h"

/* Where things are, settled before privileges are dropped. */
struct paths {
	char state[PATH_MAX];
	char schema[PATH_MAX];
	char templates[PATH_MAX];
	char forest[PATH_MAX];
	char config[PATH_MAX]; /* "" : the state's own copy */
};

/*
 * Makes the folder (0700) where it is missing, takes the lock (*lock_fd; the directory child inherits it, so
 * that two servers never share one), gives it to --user when started as root, and finds the data files. As
 * root the data files are copied into the state folder, since the account may not be able to read where they
 * are. Exit code in *code on failure.
 */
int
state_prepare(const struct options *o, struct paths *p, int *lock_fd, int *code, struct err *e) MUST_CHECK;

/* Gives up root for --user; nothing when not root. Call after the ports are bound. */
int
state_drop_root(const struct options *o, struct err *e) MUST_CHECK;

/* Finds the CA settings and data files only (for --check-config). */
int
state_find_data(const struct options *o, struct paths *p, struct err *e) MUST_CHECK;

#endif
