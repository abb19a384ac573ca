#include "dir/errand.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct errand {
	struct event *ev; /* on fd, an eventfd the thread writes when it is done */
	int fd;
	bool running;
	pthread_t thread;
	struct errand_job job;
	atomic_bool cancel;
	int rc;
	struct err why;
};

static void *
thread_main(void *arg)
{
	struct errand *er = arg;
	uint64_t one = 1;

	er->rc = er->job.run(er->job.arg, &er->cancel, &er->why);
	while (write(er->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	return NULL;
}

static void
on_finished(evutil_socket_t fd, short what, void *arg)
{
	struct errand *er = arg;
	struct errand_job job = er->job;
	struct err why;
	uint64_t n;
	int rc;

	(void)what;
	if (read(fd, &n, sizeof(n)) != sizeof(n) || !er->running)
		return;
	pthread_join(er->thread, NULL);
	er->running = false;
	rc = er->rc;
	why = er->why;
	/* may start the next job, or free the errand */
	job.done(job.arg, rc == 0 ? NULL : &why);
}

struct errand *
errand_new(struct event_base *base, struct err *e)
{
	struct errand *er = calloc(1, sizeof(*er));

	if (er == NULL) {
		(void)ERR(e, E_OUTOFMEMORY, "out of memory");
		return NULL;
	}
	er->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (er->fd >= 0)
		er->ev = event_new(base, er->fd, EV_READ | EV_PERSIST, on_finished, er);
	if (er->ev == NULL || event_add(er->ev, NULL) != 0) {
		(void)ERR(e, E_OUTOFMEMORY, "no event for the directory's helper thread");
		errand_free(er);
		return NULL;
	}
	return er;
}

void
errand_free(struct errand *er)
{
	if (er == NULL)
		return;
	if (er->running) {
		atomic_store(&er->cancel, true);
		pthread_join(er->thread, NULL);
	}
	if (er->ev != NULL)
		event_free(er->ev);
	if (er->fd >= 0)
		close(er->fd);
	free(er);
}

void
errand_cancel(struct errand *er)
{
	atomic_store(&er->cancel, true);
}

int
errand_start(struct errand *er, const struct errand_job *job, struct err *e)
{
	sigset_t all, old;
	int rc;

	er->job = *job;
	er->why = (struct err){ 0 };
	atomic_store(&er->cancel, false);
	/* signals belong to the loop's thread */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&er->thread, NULL, thread_main, er);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		return ERR(e, E_OUTOFMEMORY, "helper thread: %s", strerror(rc));
	er->running = true;
	return 0;
}
