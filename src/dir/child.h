/* A program that runs beside the server and ends with it: slapd, krb5kdc. */
#ifndef ADCSD_DIR_CHILD_H
#define ADCSD_DIR_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct event_base;
struct child;

struct child_config {
	struct event_base *base;
	const char *name;    /* for messages: "slapd" */
	const char *program; /* path */
	const char *package; /* for the message when the program is missing */
	char *const *argv;
	char *const *env; /* NULL: the server's own */
	/* New output (standard error) has been kept; all of what is kept. May be NULL. */
	void (*said)(void *arg, const char *text);
	/* Of all it said, what tells why it ended; consumes text. NULL: the last line. */
	const char *(*last_words)(char *text);
	/* It ended by itself, and why, in a line. It has been waited for. */
	void (*died)(void *arg, const char *why);
	void *arg;
};

/* Everything in cfg must outlive the child. */
struct child *
child_new(const struct child_config *cfg, struct err *e) MUST_CHECK;
/* SIGTERM, SIGKILL after 0.8 s; waits. NULL is fine. */
void
child_free(struct child *c);
/* On the thread that runs the loop: the child dies with the thread that started it. Not while it runs. */
int
child_start(struct child *c, struct err *e) MUST_CHECK;
bool
child_running(const struct child *c);
/* 0 when it does not run. */
pid_t
child_pid(const struct child *c);

#endif
