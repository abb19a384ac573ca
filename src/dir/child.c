#include "dir/child.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

#define CHILD_STOP_MS 800
#define CHILD_OUTPUT_MAX 8192

struct child {
	struct child_config cfg;
	pid_t pid; /* 0: none */
	int pidfd, out;
	struct event *ev_exit, *ev_out;
	char text[CHILD_OUTPUT_MAX]; /* the end of what it said */
	size_t n_text;
};

struct child *
child_new(const struct child_config *cfg, struct err *e)
{
	struct child *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		(void)ERR(e, E_OUTOFMEMORY, "out of memory");
		return NULL;
	}
	*c = (struct child){ .cfg = *cfg, .pidfd = -1, .out = -1 };
	return c;
}

bool
child_running(const struct child *c)
{
	return c->pid != 0;
}

pid_t
child_pid(const struct child *c)
{
	return c->pid;
}

/* ---- its output: kept for the day it dies ---- */

static void
read_output(struct child *c)
{
	size_t half = sizeof(c->text) / 2;
	ssize_t n;

	for (;;) {
		if (c->n_text >= sizeof(c->text) - 1) {
			memmove(c->text, c->text + c->n_text - half, half);
			c->n_text = half;
		}
		n = read(c->out, c->text + c->n_text, sizeof(c->text) - 1 - c->n_text);
		if (n <= 0)
			break;
		log_debug(ldap, "%s: %.*s", c->cfg.name, (int)n, c->text + c->n_text);
		c->n_text += (size_t)n;
	}
	if (n == 0 && c->ev_out != NULL)
		event_del(c->ev_out);
	c->text[c->n_text] = '\0';
}

static void
on_output(evutil_socket_t fd, short what, void *arg)
{
	struct child *c = arg;

	(void)fd;
	(void)what;
	read_output(c);
	if (c->cfg.said != NULL)
		c->cfg.said(c->cfg.arg, c->text);
}

/* Forgets a child that has been waited for. */
static void
reap(struct child *c)
{
	if (c->ev_exit != NULL)
		event_free(c->ev_exit);
	if (c->ev_out != NULL)
		event_free(c->ev_out);
	if (c->pidfd >= 0)
		close(c->pidfd);
	if (c->out >= 0)
		close(c->out);
	c->ev_exit = c->ev_out = NULL;
	c->pidfd = c->out = -1;
	c->pid = 0;
}

static const char *
last_line(char *text)
{
	char *save = NULL, *last = NULL;

	for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		last = line;
	return last == NULL ? "" : last;
}

static void
on_exit_event(evutil_socket_t fd, short what, void *arg)
{
	struct child *c = arg;
	const char *words;
	char why[512];
	int status;

	(void)fd;
	(void)what;
	if (waitpid(c->pid, &status, WNOHANG) != c->pid)
		return;
	read_output(c);
	words = c->cfg.last_words != NULL ? c->cfg.last_words(c->text) : last_line(c->text);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		words = ""; /* it had no time to say why */
	if (WIFSIGNALED(status))
		(void)snprintf(why, sizeof(why), "%s was ended by signal %d%s%s", c->cfg.name,
		    WTERMSIG(status), *words != '\0' ? ": " : "", words);
	else
		(void)snprintf(why, sizeof(why), "%s ended with status %d%s%s", c->cfg.name,
		    WEXITSTATUS(status), *words != '\0' ? ": " : "", words);
	reap(c);
	c->cfg.died(c->cfg.arg, why);
}

/* ---- starting: between fork and exec only what is safe there ---- */

static _Noreturn void
run_child(const struct child_config *cfg, int out, pid_t parent)
{
	static const char *const message = "cannot run ";
	sigset_t none;
	int null;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	/* Our death is its death, and SIGKILL reaches a stopped child as well. slapd's LMDB needs no orderly
	 * end; krb5kdc only reads its database. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	setpgid(0, 0); /* a terminal's interrupt is for adcsd, which then ends it */
	null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(out, 2) < 0)
		_exit(126);
	if (cfg->env != NULL)
		execve(cfg->program, cfg->argv, cfg->env);
	else
		execv(cfg->program, cfg->argv);
	if (write(2, message, strlen(message)) > 0 && write(2, cfg->program, strlen(cfg->program)) > 0)
		(void)!write(2, "\n", 1);
	_exit(127);
}

int
child_start(struct child *c, struct err *e)
{
	pid_t parent = getpid();
	int fds[2];

	if (access(c->cfg.program, X_OK) != 0)
		return ERR(e, E_FILE_NOT_FOUND, "%s: %s (the %s package is needed for it)", c->cfg.program,
		    strerror(errno), c->cfg.package);
	if (pipe2(fds, O_CLOEXEC) != 0)
		return ERR(e, E_OUTOFMEMORY, "pipe: %s", strerror(errno));
	c->n_text = 0;
	c->pid = fork();
	if (c->pid == 0)
		run_child(&c->cfg, fds[1], parent);
	close(fds[1]);
	c->out = fds[0];
	if (c->pid < 0) {
		reap(c);
		return ERR(e, E_OUTOFMEMORY, "fork: %s", strerror(errno));
	}
	(void)fcntl(c->out, F_SETFL, O_NONBLOCK);
	c->pidfd = pidfd_open(c->pid, 0);
	if (c->pidfd >= 0)
		c->ev_exit = event_new(c->cfg.base, c->pidfd, EV_READ | EV_PERSIST, on_exit_event, c);
	c->ev_out = event_new(c->cfg.base, c->out, EV_READ | EV_PERSIST, on_output, c);
	if (c->ev_exit == NULL || c->ev_out == NULL || event_add(c->ev_exit, NULL) != 0 ||
	    event_add(c->ev_out, NULL) != 0) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
		reap(c);
		return ERR(e, E_OUTOFMEMORY, "%s cannot be watched", c->cfg.name);
	}
	return 0;
}

void
child_free(struct child *c)
{
	struct pollfd end;

	if (c == NULL)
		return;
	if (c->pid != 0) {
		end = (struct pollfd){ .fd = c->pidfd, .events = POLLIN };
		kill(c->pid, SIGTERM);
		while (poll(&end, 1, CHILD_STOP_MS) < 0 && errno == EINTR)
			;
		if (end.revents == 0)
			kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
		reap(c);
	}
	free(c);
}
