/* One blocking job at a time on a helper thread, its end told to the loop: connecting, binding, seeding. */
#ifndef ADCSD_DIR_ERRAND_H
#define ADCSD_DIR_ERRAND_H

#include <stdatomic.h>

#include "base/err.h"

struct event_base;
struct errand;

struct errand_job {
	/* On the helper thread. Gives up soon after *cancel becomes true. */
	int (*run)(void *arg, const atomic_bool *cancel, struct err *e);
	/* On the loop; e NULL when run returned 0. Not called when the errand is freed first. */
	void (*done)(void *arg, const struct err *e);
	void *arg;
};

struct errand *
errand_new(struct event_base *base, struct err *e) MUST_CHECK;
/* Cancels and waits for a running job. NULL is fine. */
void
errand_free(struct errand *er);
/* Asks a running job to give up; its `done` runs as usual. */
void
errand_cancel(struct errand *er);
/* The errand must be idle. */
int
errand_start(struct errand *er, const struct errand_job *job, struct err *e) MUST_CHECK;

#endif
