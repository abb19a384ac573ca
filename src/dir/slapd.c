#include "dir/slapd.h"

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

#define SLAPD_STOP_MS 800
#define SLAPD_OUTPUT_MAX 8192

struct slapd {
	struct event_base *base;
	const struct slapd_files *files;
	void (*died)(void *arg, const char *why);
	void *arg;
	pid_t pid; /* 0: none */
	int pidfd, out;
	struct event *ev_exit, *ev_out;
	char text[SLAPD_OUTPUT_MAX]; /* the end of what it said */
	size_t n_text;
};

struct slapd *
slapd_new(struct event_base *base, const struct slapd_files *f, void (*died)(void *arg, const char *why),
    void *arg, struct err *e)
{
	struct slapd *s = calloc(1, sizeof(*s));

	if (s == NULL) {
		(void)ERR(e, E_OUTOFMEMORY, "out of memory");
		return NULL;
	}
	*s = (struct slapd){ .base = base, .files = f, .died = died, .arg = arg, .pidfd = -1, .out = -1 };
	return s;
}

bool
slapd_running(const struct slapd *s)
{
	return s->pid != 0;
}

const char *
slapd_last_words(char *text)
{
	/* what slapd says at every end, and while it starts */
	static const char *const noise[] = { "slapd stopped", "slapd starting", "connections_destroy",
		"slapd shutdown", "daemon: shutdown", "@(#)", "Maintainers", "bad configuration file",
		"could not parse entry", NULL };
	char *line, *save = NULL, *word, *last = NULL;
	size_t i;

	for (line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		/* "6b04ae66.0e8da9dd 0x7f1e6d3d6200 text" */
		word = strstr(line, " 0x");
		if (word != NULL && word - line < 20 && strchr(word + 1, ' ') != NULL)
			line = strchr(word + 1, ' ') + 1;
		for (i = 0; noise[i] != NULL && strstr(line, noise[i]) == NULL; i++)
			;
		if (noise[i] == NULL && line[strspn(line, " \t\r")] != '\0')
			last = line;
	}
	return last == NULL ? "" : last;
}

/* ---- its output: kept for the day it dies ---- */

static void
read_output(struct slapd *s)
{
	size_t half = sizeof(s->text) / 2;
	ssize_t n;

	for (;;) {
		if (s->n_text >= sizeof(s->text) - 1) {
			memmove(s->text, s->text + s->n_text - half, half);
			s->n_text = half;
		}
		n = read(s->out, s->text + s->n_text, sizeof(s->text) - 1 - s->n_text);
		if (n <= 0)
			break;
		log_debug(ldap, "slapd: %.*s", (int)n, s->text + s->n_text);
		s->n_text += (size_t)n;
	}
	if (n == 0 && s->ev_out != NULL)
		event_del(s->ev_out);
	s->text[s->n_text] = '\0';
}

static void
on_output(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	read_output(arg);
}

/* Forgets a child that has been waited for. */
static void
reap(struct slapd *s)
{
	if (s->ev_exit != NULL)
		event_free(s->ev_exit);
	if (s->ev_out != NULL)
		event_free(s->ev_out);
	if (s->pidfd >= 0)
		close(s->pidfd);
	if (s->out >= 0)
		close(s->out);
	s->ev_exit = s->ev_out = NULL;
	s->pidfd = s->out = -1;
	s->pid = 0;
}

static void
on_exit_event(evutil_socket_t fd, short what, void *arg)
{
	struct slapd *s = arg;
	const char *words;
	char why[512];
	int status;

	(void)fd;
	(void)what;
	if (waitpid(s->pid, &status, WNOHANG) != s->pid)
		return;
	read_output(s);
	words = slapd_last_words(s->text);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		words = ""; /* it had no time to say why */
	if (WIFSIGNALED(status))
		(void)snprintf(why, sizeof(why), "slapd was ended by signal %d%s%s", WTERMSIG(status),
		    *words != '\0' ? ": " : "", words);
	else
		(void)snprintf(why, sizeof(why), "slapd ended with status %d%s%s", WEXITSTATUS(status),
		    *words != '\0' ? ": " : "", words);
	reap(s);
	s->died(s->arg, why);
}

/* ---- starting: between fork and exec only what is safe there ---- */

static _Noreturn void
child(const struct slapd_files *f, int out, pid_t parent)
{
	static const char *const message = "cannot run ";
	sigset_t none;
	int null;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	/* Our death is its death. LMDB needs no orderly end; SIGKILL reaches a stopped child as well. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	setpgid(0, 0); /* a terminal's interrupt is for adcsd, which then ends it */
	null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(out, 2) < 0)
		_exit(126);
	execl(f->program, "slapd", "-h", f->uri, "-f", f->conf, "-d", "none", (char *)NULL);
	if (write(2, message, strlen(message)) > 0 && write(2, f->program, strlen(f->program)) > 0)
		(void)!write(2, "\n", 1);
	_exit(127);
}

int
slapd_start(struct slapd *s, struct err *e)
{
	pid_t parent = getpid();
	int fds[2];

	if (access(s->files->program, X_OK) != 0)
		return ERR(e, E_FILE_NOT_FOUND,
		    "%s: %s (the slapd package is needed for the embedded directory)", s->files->program,
		    strerror(errno));
	(void)unlink(s->files->socket);
	if (pipe2(fds, O_CLOEXEC) != 0)
		return ERR(e, E_OUTOFMEMORY, "pipe: %s", strerror(errno));
	s->n_text = 0;
	s->pid = fork();
	if (s->pid == 0)
		child(s->files, fds[1], parent);
	close(fds[1]);
	s->out = fds[0];
	if (s->pid < 0) {
		reap(s);
		return ERR(e, E_OUTOFMEMORY, "fork: %s", strerror(errno));
	}
	(void)fcntl(s->out, F_SETFL, O_NONBLOCK);
	s->pidfd = pidfd_open(s->pid, 0);
	if (s->pidfd >= 0)
		s->ev_exit = event_new(s->base, s->pidfd, EV_READ | EV_PERSIST, on_exit_event, s);
	s->ev_out = event_new(s->base, s->out, EV_READ | EV_PERSIST, on_output, s);
	if (s->ev_exit == NULL || s->ev_out == NULL || event_add(s->ev_exit, NULL) != 0 ||
	    event_add(s->ev_out, NULL) != 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
		reap(s);
		return ERR(e, E_OUTOFMEMORY, "slapd cannot be watched");
	}
	return 0;
}

void
slapd_free(struct slapd *s)
{
	struct pollfd end;

	if (s == NULL)
		return;
	if (s->pid != 0) {
		end = (struct pollfd){ .fd = s->pidfd, .events = POLLIN };
		kill(s->pid, SIGTERM);
		while (poll(&end, 1, SLAPD_STOP_MS) < 0 && errno == EINTR)
			;
		if (end.revents == 0)
			kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
		reap(s);
	}
	free(s);
}
