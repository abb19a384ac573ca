/* The worker pool: every job's done runs once, on the thread that drains. */
#include "base_support.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/work.h"

#define JOBS 200

struct task {
	struct work *w;
	pthread_t owner;
	int ran, done;
	bool on_owner, ran_on_owner;
	struct task *next; /* submitted by done */
};

static void
run(void *arg)
{
	struct task *t = arg;

	t->ran_on_owner = pthread_equal(pthread_self(), t->owner);
	t->ran++;
}

static void
done(void *arg)
{
	struct task *t = arg;
	struct err e;

	t->on_owner = pthread_equal(pthread_self(), t->owner);
	t->done++;
	if (t->next != NULL)
		assert_int_equal(work_submit(t->w, run, done, t->next, &e), 0);
}

static void
drain_until(struct work *w, const int *flag)
{
	while (*flag == 0) {
		struct pollfd p = { work_fd(w), POLLIN, 0 };

		assert_int_equal(poll(&p, 1, 60000), 1);
		work_drain(w);
	}
}

static void
test_all_run(void **state)
{
	static const unsigned threads[] = { 0, 1, 2, 50 };

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(threads); k++) {
		struct err e = { 0 };
		struct work *w = work_new(threads[k], &e);
		struct task tasks[JOBS];

		assert_non_null(w);
		for (int i = 0; i < JOBS; i++) {
			tasks[i] = (struct task){ .owner = pthread_self() };
			assert_int_equal(work_submit(w, run, done, &tasks[i], &e), 0);
		}
		for (int i = 0; i < JOBS; i++)
			drain_until(w, &tasks[i].done);
		for (int i = 0; i < JOBS; i++)
			assert_true(tasks[i].ran == 1 && tasks[i].done == 1 && tasks[i].on_owner && !tasks[i].ran_on_owner);
		work_drain(w); /* nothing waits: returns at once */
		work_free(w);
	}
}

static void
test_done_may_submit(void **state)
{
	struct err e = { 0 };
	struct work *w = work_new(1, &e);
	struct task second = { .w = w, .owner = pthread_self() };
	struct task first = { .w = w, .owner = pthread_self(), .next = &second };

	(void)state;
	assert_int_equal(work_submit(w, run, done, &first, &e), 0);
	drain_until(w, &second.done);
	assert_int_equal(first.done, 1);
	assert_int_equal(second.ran, 1);
	work_free(w);
}

static bool
run_and_keep(void *arg)
{
	run(arg);
	return false;
}

/* Its taker may be done with it at once: here it is freed before the job returns. */
static bool
run_and_hand_on(void *arg)
{
	free(arg);
	return true;
}

/* What is handed on has no done; what is not, has. The order shows that nothing is still to come. */
static void
test_handing_on(void **state)
{
	struct err e = { 0 };
	struct work *w = work_new(1, &e);
	struct task kept = { .owner = pthread_self() }, after = { .owner = pthread_self() };

	(void)state;
	for (int i = 0; i < JOBS; i++)
		assert_int_equal(work_submit_handing_on(w, run_and_hand_on, done, malloc(1), &e), 0);
	assert_int_equal(work_submit_handing_on(w, run_and_keep, done, &kept, &e), 0);
	assert_int_equal(work_submit_handing_on(w, run_and_hand_on, done, malloc(1), &e), 0);
	assert_int_equal(work_submit(w, run, done, &after, &e), 0);
	drain_until(w, &after.done);
	assert_true(kept.ran == 1 && kept.done == 1 && kept.on_owner && !kept.ran_on_owner);
	work_free(w);
}

/* Whatever still waits when the pool goes gets its done, run or not; so does what a done submits then. */
static void
test_free_runs_every_done(void **state)
{
	struct err e = { 0 };
	struct work *w = work_new(2, &e);
	struct task last = { .w = w, .owner = pthread_self() }, tasks[JOBS];

	(void)state;
	for (int i = 0; i < JOBS; i++) {
		tasks[i] = (struct task){ .w = w, .owner = pthread_self() };
		if (i == JOBS - 1)
			tasks[i].next = &last;
		assert_int_equal(work_submit(w, run, done, &tasks[i], &e), 0);
	}
	work_free(w);
	for (int i = 0; i < JOBS; i++)
		assert_true(tasks[i].done == 1 && tasks[i].ran <= 1 && tasks[i].on_owner);
	assert_int_equal(last.done, 1);
	work_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_run),
		cmocka_unit_test(test_done_may_submit),
		cmocka_unit_test(test_handing_on),
		cmocka_unit_test(test_free_runs_every_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
