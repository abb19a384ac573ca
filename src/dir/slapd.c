#include "dir/slapd.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dir/child.h"

struct slapd {
	struct child *child;
	const struct slapd_files *files;
	void (*died)(void *arg, const char *why);
	void *arg;
	char *argv[8];
};

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

static void
on_died(void *arg, const char *why)
{
	struct slapd *s = arg;

	s->died(s->arg, why);
}

struct slapd *
slapd_new(struct event_base *base, const struct slapd_files *f, void (*died)(void *arg, const char *why),
    void *arg, struct err *e)
{
	const char *const argv[] = { "slapd", "-h", f->uri, "-f", f->conf, "-d", "none", NULL };
	struct slapd *s = calloc(1, sizeof(*s));
	struct child_config cfg = { .base = base,
		.name = "slapd",
		.program = f->program,
		.package = "slapd",
		.last_words = slapd_last_words,
		.died = on_died,
		.arg = s };

	if (s == NULL) {
		(void)ERR(e, E_OUTOFMEMORY, "out of memory");
		return NULL;
	}
	s->files = f;
	s->died = died;
	s->arg = arg;
	for (size_t i = 0; i < ARRAY_LEN(argv); i++)
		s->argv[i] = (char *)(uintptr_t)argv[i];
	cfg.argv = s->argv;
	s->child = child_new(&cfg, e);
	if (s->child != NULL)
		return s;
	free(s);
	return NULL;
}

void
slapd_end(struct slapd *s)
{
	pid_t pid = child_pid(s->child);

	if (pid > 0)
		(void)kill(pid, SIGTERM);
}

bool
slapd_running(const struct slapd *s)
{
	return child_running(s->child);
}

int
slapd_start(struct slapd *s, struct err *e)
{
	(void)unlink(s->files->socket);
	return child_start(s->child, e);
}

void
slapd_free(struct slapd *s)
{
	if (s == NULL)
		return;
	child_free(s->child);
	free(s);
}
