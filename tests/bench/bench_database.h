/* A database of a benchmark's own: made, filled through the store's insert path, removed. */
#ifndef ADCSD_TESTS_BENCH_DATABASE_H
#define ADCSD_TESTS_BENCH_DATABASE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/store.h"

static struct store *store;
static unsigned finished; /* inserts */
static char database_dir[256];
static uint64_t seed = 7;

static inline unsigned
dice(unsigned n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(seed >> 33) % n;
}

static inline void
die(const char *what, const struct err *e)
{
	fprintf(stderr, "%s: %s\n", what, e->msg);
	exit(1);
}

static inline void
stored(void *arg, const struct err *e)
{
	(void)arg;
	if (e != NULL)
		die("insert", e);
	finished++;
}

/* Rows stay until `finished` has counted them. */
static inline void
start_insert(const struct store_row *row)
{
	struct err e;

	if (store_insert(store, row, stored, NULL, &e) != 0)
		die("insert", &e);
}

static inline void
wait_for_inserts(unsigned wanted)
{
	while (finished < wanted) {
		store_wait(store);
		store_drain(store);
	}
}

static inline void
make_database(const char *where)
{
	char file[300];
	struct err e;

	snprintf(database_dir, sizeof(database_dir), "%s/adcsd-bench-XXXXXX", where != NULL ? where : "/tmp");
	if (mkdtemp(database_dir) == NULL) {
		perror(database_dir);
		exit(1);
	}
	snprintf(file, sizeof(file), "%s/ca.db", database_dir);
	store = store_open(file, &e);
	if (store == NULL)
		die(file, &e);
}

static inline void
remove_database(void)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char file[300];

	store_close(store);
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		snprintf(file, sizeof(file), "%s/ca.db%s", database_dir, suffixes[i]);
		unlink(file);
	}
	rmdir(database_dir);
}

#endif
