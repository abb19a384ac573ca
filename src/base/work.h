/*
 * A small worker pool. Jobs run on worker threads, their `done` on the thread that owns the loop: it watches
 * work_fd() and calls work_drain() when that is readable. Jobs share nothing but what they are handed.
 */
#ifndef ADCSD_BASE_WORK_H
#define ADCSD_BASE_WORK_H

#include <stdbool.h>

#include "base/err.h"

struct work;

/* threads 0: one per processor, at least 2 and at most 8. */
struct work *
work_new(unsigned threads, struct err *e) MUST_CHECK;
/* Waits for running jobs, runs the `done` of every job not handed on, also of those that never ran. NULL is
 * fine. */
void
work_free(struct work *w);

/* Runs job(arg) on a worker, then done(arg) on the loop's thread, exactly once. -1 when memory is short. */
int
work_submit(
    struct work *w, void (*job)(void *arg), void (*done)(void *arg), void *arg, struct err *e) MUST_CHECK;

/* The same, but where the job answers true it has handed arg on, to another thread perhaps: done does not
 * run, and nothing here touches arg again. */
int
work_submit_handing_on(
    struct work *w, bool (*job)(void *arg), void (*done)(void *arg), void *arg, struct err *e) MUST_CHECK;

/* An eventfd, readable while finished jobs wait. */
int
work_fd(const struct work *w);
void
work_drain(struct work *w);

#endif
