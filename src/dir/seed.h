/*
 * A new state: the forest of an LDIF file and the built-in templates become two databases, all or nothing.
 * They are made in a folder of their own, which gets its final name by one rename; what a crash left there is
 * thrown away.
 */
#ifndef ADCSD_DIR_SEED_H
#define ADCSD_DIR_SEED_H

#include "dir/slapd.h"

struct seed_source {
	const char *forest_ldif;
	const char *templates_dir;
};

/* Blocks; for the helper thread. Names of the state go into the pool; *seeded tells whether it was new. */
int
seed_state(const struct slapd_files *f, const struct seed_source *src, struct pool *pool,
    struct slapd_names *names, bool *seeded, struct err *e) MUST_CHECK;

#endif
