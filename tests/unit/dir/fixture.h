/* A directory of its own for a test: the sample forest in a scratch folder, driven by a loop of its own. */
#ifndef ADCSD_TESTS_UNIT_DIR_FIXTURE_H
#define ADCSD_TESTS_UNIT_DIR_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dir/dir.h"

struct fixture {
	struct event_base *base;
	struct dir *dir;
	struct dir_config cfg;
	char state[64];
	bool ready, failed, up_again;
	struct err e;
	char event[512]; /* the last thing the directory told */
};

static inline void
fixture_on_ready(void *arg, const struct err *e)
{
	struct fixture *f = arg;

	f->ready = e == NULL;
	f->failed = e != NULL;
	if (e != NULL)
		f->e = *e;
	event_base_loopbreak(f->base);
}

static inline void
fixture_on_event(void *arg, const char *text)
{
	struct fixture *f = arg;

	(void)snprintf(f->event, sizeof(f->event), "%s", text);
	if (strstr(text, "up again") != NULL) {
		f->up_again = true;
		event_base_loopbreak(f->base);
	}
}

/* An empty state folder and the usual configuration; nothing is started. */
static inline void
fixture_init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	signal(SIGPIPE, SIG_IGN);
	strcpy(f->state, "/tmp/adcsd-test-XXXXXX");
	assert_non_null(mkdtemp(f->state));
	f->base = event_base_new();
	f->cfg = (struct dir_config){ .base = f->base,
		.state_dir = f->state,
		.schema_dir = "ldap-schema",
		.templates_dir = "templates",
		.forest_ldif = "fixtures/forest/contoso.ldif",
		.on_event = fixture_on_event,
		.on_event_arg = f };
}

/* Starts and waits for the verdict. */
static inline void
fixture_start(struct fixture *f)
{
	f->ready = f->failed = false;
	f->dir = dir_start(&f->cfg, fixture_on_ready, f, &f->e);
	if (f->dir == NULL)
		f->failed = true;
	while (!f->ready && !f->failed)
		event_base_dispatch(f->base);
}

static inline void
fixture_stop(struct fixture *f)
{
	dir_free(f->dir);
	f->dir = NULL;
}

/* The slapd of this process: its only child. */
static inline pid_t
fixture_slapd_pid(void)
{
	char path[64], line[64] = "";
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	fclose(f);
	return (pid_t)strtol(line, NULL, 10);
}

static inline int
fixture_remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static inline void
fixture_fini(struct fixture *f)
{
	fixture_stop(f);
	event_base_free(f->base);
	nftw(f->state, fixture_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* One operation at a time: its answer, copied out. */
struct answer {
	struct fixture *f;
	bool done;
	struct err e; /* hr 0: fine */
	size_t n;
	char text[256]; /* first value of the first entry's first attribute */
};

static inline void
fixture_on_answer(void *arg, const struct dir_result *res, const struct err *e)
{
	struct answer *a = arg;

	assert_false(a->done);
	a->done = true;
	if (e != NULL)
		a->e = *e;
	else if (res->n > 0 && res->entries[0].n_attrs > 0)
		(void)snprintf(
		    a->text, sizeof(a->text), "%s", (const char *)res->entries[0].attrs[0].values[0].p);
	a->n = e == NULL ? res->n : 0;
	event_base_loopbreak(a->f->base);
}

static inline void
fixture_wait(struct fixture *f, const bool *done)
{
	while (!*done)
		event_base_loop(f->base, EVLOOP_ONCE);
}

static inline struct answer
fixture_search(
    struct fixture *f, const char *base, enum dir_scope scope, const char *filter, const char *attr)
{
	const char *attrs[] = { attr, NULL };
	struct dir_query q = { base, scope, filter, attrs };
	struct answer a = { .f = f };

	if (dir_search_start(f->dir, &q, fixture_on_answer, &a, &a.e) == 0)
		fixture_wait(f, &a.done);
	return a;
}

static inline struct answer
fixture_modify(struct fixture *f, const char *dn, enum dir_mod_op op, const char *attr, const char *value)
{
	struct bytes v = { (const uint8_t *)value, value == NULL ? 0 : strlen(value) };
	struct dir_mod mod = { op, attr, &v, value == NULL ? 0 : 1 };
	struct answer a = { .f = f };

	if (dir_modify_start(f->dir, dn, &mod, 1, fixture_on_answer, &a, &a.e) == 0)
		fixture_wait(f, &a.done);
	return a;
}

#endif
