#include "base/work.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define WORK_MAX_THREADS 8

struct job {
	struct job *next;
	void (*run)(void *arg); /* or */
	bool (*hand_on)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

struct queue {
	struct job *head, **tail;
};

struct work {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct queue todo, finished;
	bool stop;
	int fd;
	unsigned n_threads;
	pthread_t threads[WORK_MAX_THREADS];
};

static void
queue_init(struct queue *q)
{
	q->head = NULL;
	q->tail = &q->head;
}

static void
queue_push(struct queue *q, struct job *j)
{
	j->next = NULL;
	*q->tail = j;
	q->tail = &j->next;
}

static struct job *
queue_pop(struct queue *q)
{
	struct job *j = q->head;

	if (j != NULL) {
		q->head = j->next;
		if (q->head == NULL)
			q->tail = &q->head;
	}
	return j;
}

static void
notify(int fd)
{
	uint64_t one = 1;

	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* true: nobody waits for its end. */
static bool
run(struct job *j)
{
	if (j->hand_on != NULL)
		return j->hand_on(j->arg);
	j->run(j->arg);
	return false;
}

static void *
worker(void *arg)
{
	struct work *w = arg;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		struct job *j = queue_pop(&w->todo);
		bool first;

		if (j == NULL) {
			if (w->stop)
				break;
			pthread_cond_wait(&w->wake, &w->lock);
			continue;
		}
		pthread_mutex_unlock(&w->lock);
		if (run(j)) {
			free(j);
			pthread_mutex_lock(&w->lock);
			continue;
		}
		pthread_mutex_lock(&w->lock);
		first = w->finished.head == NULL;
		queue_push(&w->finished, j);
		if (first) { /* one wake-up for all that finish before the loop looks */
			pthread_mutex_unlock(&w->lock);
			notify(w->fd);
			pthread_mutex_lock(&w->lock);
		}
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static unsigned
default_threads(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 2 ? 2 : n > WORK_MAX_THREADS ? WORK_MAX_THREADS : (unsigned)n;
}

struct work *
work_new(unsigned threads, struct err *e)
{
	struct work *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		ERR(e, E_OUTOFMEMORY, "no memory for the worker pool");
		return NULL;
	}
	queue_init(&w->todo);
	queue_init(&w->finished);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	w->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (w->fd < 0) {
		ERR(e, E_FAIL, "eventfd: %s", strerror(errno));
		work_free(w);
		return NULL;
	}
	if (threads == 0)
		threads = default_threads();
	for (; w->n_threads < threads && w->n_threads < WORK_MAX_THREADS; w->n_threads++) {
		int rc = pthread_create(&w->threads[w->n_threads], NULL, worker, w);

		if (rc != 0) {
			ERR(e, E_FAIL, "cannot start a worker thread: %s", strerror(rc));
			work_free(w);
			return NULL;
		}
	}
	return w;
}

void
work_free(struct work *w)
{
	struct job *j;

	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	while ((j = queue_pop(&w->todo)) != NULL) /* never ran; their done still runs below */
		queue_push(&w->finished, j);
	pthread_cond_broadcast(&w->wake);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->n_threads; i++)
		pthread_join(w->threads[i], NULL);
	do { /* a done may submit once more; its done runs too */
		while ((j = queue_pop(&w->todo)) != NULL)
			queue_push(&w->finished, j);
		work_drain(w);
	} while (w->todo.head != NULL);
	if (w->fd >= 0)
		close(w->fd);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static int
submit(struct work *w, const struct job *model, struct err *e)
{
	struct job *j = malloc(sizeof(*j));

	if (j == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a job");
	*j = *model;
	pthread_mutex_lock(&w->lock);
	queue_push(&w->todo, j);
	pthread_mutex_unlock(&w->lock);
	pthread_cond_signal(&w->wake); /* not under the lock: the woken worker would only wait for it */
	return 0;
}

int
work_submit(struct work *w, void (*job)(void *arg), void (*done)(void *arg), void *arg, struct err *e)
{
	return submit(w, &(struct job){ .run = job, .done = done, .arg = arg }, e);
}

int
work_submit_handing_on(
    struct work *w, bool (*job)(void *arg), void (*done)(void *arg), void *arg, struct err *e)
{
	return submit(w, &(struct job){ .hand_on = job, .done = done, .arg = arg }, e);
}

int
work_fd(const struct work *w)
{
	return w->fd;
}

void
work_drain(struct work *w)
{
	struct queue q;
	struct job *j;
	uint64_t n;

	if (w->fd >= 0 && read(w->fd, &n, sizeof(n)) < 0 && errno != EAGAIN && errno != EINTR)
		return;
	pthread_mutex_lock(&w->lock);
	q = w->finished;
	if (q.head == NULL)
		queue_init(&q);
	queue_init(&w->finished);
	pthread_mutex_unlock(&w->lock);
	for (j = q.head; j != NULL; j = q.head) {
		q.head = j->next;
		j->done(j->arg);
		free(j);
	}
}
