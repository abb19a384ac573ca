/* A database of a test's own, and rows one at a time. */
#ifndef ADCSD_TESTS_UNIT_STORE_SCRATCH_H
#define ADCSD_TESTS_UNIT_STORE_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/store.h"

struct scratch {
	char dir[64];
	char path[96];
	struct pool *pool;
};

static inline int
setup(void **state)
{
	struct scratch *s = calloc(1, sizeof(*s));

	strcpy(s->dir, "/tmp/adcsd-store-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->path, sizeof(s->path), "%s/ca.db", s->dir);
	s->pool = pool_new(16u << 20);
	*state = s;
	return 0;
}

static inline int
teardown(void **state)
{
	static const char *const names[] = { "ca.db", "ca.db-wal", "ca.db-shm" };
	struct scratch *s = *state;
	char path[128];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", s->dir, names[i]);
		unlink(path);
	}
	rmdir(s->dir);
	pool_free(s->pool);
	free(s);
	return 0;
}

static inline struct store *
must_open(const char *path)
{
	struct err e = { 0 };
	struct store *s = store_open(path, &e);

	if (s == NULL)
		fail_msg("store_open: %s", e.msg);
	return s;
}

struct outcome {
	unsigned calls;
	uint32_t hr;
};

static inline void
note(void *arg, const struct err *e)
{
	struct outcome *o = arg;

	o->calls++;
	o->hr = e != NULL ? e->hr : 0;
}

static inline void
wait_for(struct store *s, const struct outcome *o, unsigned calls)
{
	while (o->calls < calls) {
		store_wait(s);
		store_drain(s);
	}
}

/* A row with just enough to be told apart. serial NULL: no certificate. */
static inline void
make_row(struct store_row *r, uint32_t id, uint32_t disposition, const char *serial)
{
	memset(r, 0, sizeof(*r));
	store_set_long(r, Request_RequestID, id);
	store_set_long(r, Request_Disposition, disposition);
	store_set_text(r, Request_RequesterName, "CORP\\janedoe");
	store_set_date(r, Request_SubmittedWhen, INT64_C(133000000000000000) + id);
	if (serial != NULL) {
		store_set_long(r, Certificate_RequestID, id);
		store_set_text(r, Certificate_SerialNumber, serial);
	}
}

static inline uint32_t
insert(struct store *s, const struct store_row *r)
{
	struct outcome o = { 0 };
	struct err e = { 0 };

	assert_int_equal(store_insert(s, r, note, &o, &e), 0);
	wait_for(s, &o, 1);
	return o.hr;
}

static inline uint32_t
update(struct store *s, const struct store_row *r, uint32_t expected)
{
	struct outcome o = { 0 };
	struct err e = { 0 };

	assert_int_equal(store_update(s, r, expected, note, &o, &e), 0);
	wait_for(s, &o, 1);
	return o.hr;
}

#endif
