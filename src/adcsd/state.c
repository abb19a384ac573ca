#include "adcsd/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "ca/ca.h"
#include "settings/settings.h"

#define DATA_FILE_MAX (16 * 1024 * 1024)
#define LOCK_WAIT_US 30000000

static int
join(char out[PATH_MAX], const char *dir, const char *name, struct err *e)
{
	if (snprintf(out, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		return ERR(e, E_INVALIDARG, "path too long: %.80s", dir);
	return 0;
}

/* The folder that holds ldap-schema/ and templates/: named, beside the program (source tree), below the
 * prefix that the program was installed to, or below the one it was built for. */
static int
find_data_dir(const struct options *o, char out[PATH_MAX], struct err *e)
{
	char exe[PATH_MAX], share[PATH_MAX], probe[PATH_MAX];
	const char *tries[4] = { o->data_dir, NULL, NULL, NULL };
	unsigned n = 1;
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (o->data_dir == NULL) {
		n = 0;
		if (len > 0) {
			exe[len] = '\0';
			if (join(out, dirname(exe), "..", e) != 0)
				return -1;
			strcpy(exe, out);
			tries[n++] = exe;
			if (join(share, exe, "share/adcsd", e) != 0)
				return -1;
			tries[n++] = share;
		}
		tries[n++] = ADCSD_DATADIR;
	}
	for (unsigned i = 0; i < n; i++) {
		if (join(probe, tries[i], "ldap-schema", e) != 0)
			return -1;
		if (access(probe, R_OK) == 0 && realpath(tries[i], out) != NULL)
			return 0;
	}
	return ERR(e, E_FILE_NOT_FOUND, "no ldap-schema/ in %.80s; say where it is with --data-dir",
	    n > 0 ? tries[n - 1] : "");
}

int
state_find_data(const struct options *o, struct paths *p, struct err *e)
{
	char data[PATH_MAX];

	if (find_data_dir(o, data, e) != 0 || join(p->schema, data, "ldap-schema", e) != 0 ||
	    join(p->templates, data, "templates", e) != 0)
		return -1;
	if (o->forest != NULL) {
		if (realpath(o->forest, p->forest) == NULL)
			return ERR(e, E_FILE_NOT_FOUND, "--forest %.80s: %s", o->forest, strerror(errno));
	} else if (join(p->forest, data, "fixtures/forest/contoso.ldif", e) != 0) {
		return -1;
	}
	p->config[0] = '\0';
	if (o->config != NULL && realpath(o->config, p->config) == NULL)
		return ERR(e, E_FILE_NOT_FOUND, "--config %.80s: %s", o->config, strerror(errno));
	/* The sample instance goes with the sample forest. */
	if (o->config == NULL && o->forest == NULL)
		return join(p->config, data, "ca/contoso.ini", e);
	return 0;
}

/*
 * What root writes into a folder that belongs to the account is written as the account: a link planted there
 * must not lead root anywhere.
 */
static int
open_as(uid_t uid, const char *path, int flags, mode_t mode)
{
	int fd, saved;

	if (seteuid(uid) != 0)
		return -1;
	fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC, mode);
	saved = errno;
	if (seteuid(0) != 0)
		abort();
	errno = saved;
	return fd;
}

static int
mkdir_as(uid_t uid, const char *path, struct err *e)
{
	int rc, saved;

	if (seteuid(uid) != 0)
		return ERR(e, E_ACCESSDENIED, "cannot become uid %u: %s", uid, strerror(errno));
	rc = mkdir(path, 0700);
	saved = errno;
	if (seteuid(0) != 0)
		abort();
	if (rc == 0 || saved == EEXIST)
		return 0;
	if (saved == EACCES)
		return ERR(e, E_ACCESSDENIED,
		    "%.60s: uid %u cannot get there: another folder, or another account with --user", path,
		    uid);
	return ERR(e, E_FAIL, "%.100s: %s", path, strerror(saved));
}

static int
copy_file(uid_t uid, const char *from, const char *to, struct err *e)
{
	struct stat st;
	char *data = NULL;
	int in = open(from, O_RDONLY | O_CLOEXEC), out = -1, ret = -1;

	if (in < 0 || fstat(in, &st) != 0) {
		ERR(e, E_FILE_NOT_FOUND, "%.100s: %s", from, strerror(errno));
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > DATA_FILE_MAX) {
		ERR(e, E_INVALIDARG, "%.100s: not a file of at most %d octets", from, DATA_FILE_MAX);
		goto out;
	}
	data = malloc((size_t)st.st_size + 1);
	out = open_as(uid, to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (data == NULL || out < 0 || read(in, data, (size_t)st.st_size) != st.st_size ||
	    write(out, data, (size_t)st.st_size) != st.st_size) {
		ERR(e, E_DISK_FULL, "cannot copy %.50s to %.50s: %s", from, to, strerror(errno));
		goto out;
	}
	ret = 0;
out:
	free(data);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return ret;
}

static int
copy_dir(uid_t uid, const char *from, const char *to, struct err *e)
{
	DIR *d = opendir(from);
	char a[PATH_MAX], b[PATH_MAX];
	int ret;

	if (d == NULL)
		return ERR(e, E_FILE_NOT_FOUND, "%.100s: %s", from, strerror(errno));
	ret = mkdir_as(uid, to, e);
	for (struct dirent *en; ret == 0 && (en = readdir(d)) != NULL;) {
		struct stat st;

		if (en->d_name[0] == '.')
			continue;
		if (join(a, from, en->d_name, e) != 0 || join(b, to, en->d_name, e) != 0)
			ret = -1;
		else if (stat(a, &st) == 0 && S_ISREG(st.st_mode))
			ret = copy_file(uid, a, b, e);
	}
	closedir(d);
	return ret;
}

/* One item of the data copied to <state>/seed/name; the path then names the copy. */
static int
copy_item(uid_t uid, char path[PATH_MAX], const char *seed, const char *name, bool dir, struct err *e)
{
	char to[PATH_MAX];

	if (join(to, seed, name, e) != 0)
		return -1;
	if ((dir ? copy_dir(uid, path, to, e) : copy_file(uid, path, to, e)) != 0)
		return -1;
	strcpy(path, to);
	return 0;
}

static int
copy_data(uid_t uid, struct paths *p, struct err *e)
{
	char seed[PATH_MAX];

	if (join(seed, p->state, "seed", e) != 0 || mkdir_as(uid, seed, e) != 0)
		return -1;
	if (copy_item(uid, p->schema, seed, "ldap-schema", true, e) != 0 ||
	    copy_item(uid, p->templates, seed, "templates", true, e) != 0 ||
	    copy_item(uid, p->forest, seed, "forest.ldif", false, e) != 0)
		return -1;
	return p->config[0] == '\0' ? 0 : copy_item(uid, p->config, seed, "config.ini", false, e);
}

static bool
dir_is_empty(const char *path)
{
	DIR *d = opendir(path);
	bool empty = true;

	if (d == NULL)
		return false;
	for (struct dirent *en; empty && (en = readdir(d)) != NULL;)
		empty = strcmp(en->d_name, ".") == 0 || strcmp(en->d_name, "..") == 0;
	closedir(d);
	return empty;
}

/* Started as root: the folder belongs to the account. A foreign folder with something in it is left alone. */
static int
give_folder(const char *path, bool fresh, const struct passwd *pw, struct err *e)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return ERR(e, E_FAIL, "%.100s: %s", path, strerror(errno));
	if (st.st_uid == pw->pw_uid)
		return 0;
	if (!fresh)
		return ERR(e, E_ACCESSDENIED,
		    "%.80s belongs to uid %u, not to '%s': name its owner with --user", path, st.st_uid,
		    pw->pw_name);
	if (chown(path, pw->pw_uid, pw->pw_gid) != 0)
		return ERR(e, E_ACCESSDENIED, "%.100s: %s", path, strerror(errno));
	return 0;
}

static int
find_user(const struct options *o, struct passwd **pw, struct err *e)
{
	*pw = getpwnam(o->user);
	if (*pw == NULL)
		return ERR(e, E_INVALIDARG, "--user %s: no such account", o->user);
	if ((*pw)->pw_uid == 0)
		return ERR(e, E_INVALIDARG, "--user %s: that is root; name an unprivileged account", o->user);
	return 0;
}

/* The server that wrote its pid into the lock file, 0 when it is gone. */
static long
lock_owner(int fd)
{
	char text[32] = "";
	long pid;

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return 0;
	pid = strtol(text, NULL, 10);
	return pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM) ? pid : 0;
}

/* A server that runs keeps the folder; of one that was killed, slapd may hold the lock for the moment it
 * takes to end. */
static int
wait_for_lock(const char *state, int fd, struct err *e)
{
	const struct timespec nap = { 0, 5000000 };
	uint64_t until = clock_monotonic_us() + LOCK_WAIT_US;
	long owner;

	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		owner = lock_owner(fd);
		if (owner != 0)
			return ERR(
			    e, E_ALREADY_EXISTS, "%.80s is in use by another adcsd, pid %ld", state, owner);
		if (clock_monotonic_us() > until)
			return ERR(e, E_ALREADY_EXISTS,
			    "%.80s is in use: the slapd of an adcsd that was killed does not end", state);
		nanosleep(&nap, NULL);
	}
	return 0;
}

static int
take_lock(const char *state, int *fd, struct err *e)
{
	char path[PATH_MAX], text[32];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (join(path, state, "lock", e) != 0)
		return -1;
	/* Not close-on-exec: slapd keeps the lock alive until it is gone too. */
	*fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (*fd < 0)
		return ERR(e, E_FAIL, "%.100s: %s", path, strerror(errno));
	if (wait_for_lock(state, *fd, e) != 0)
		return -1;
	if (ftruncate(*fd, 0) != 0 || pwrite(*fd, text, (size_t)n, 0) != n)
		return ERR(e, E_DISK_FULL, "%.100s: %s", path, strerror(errno));
	return 0;
}

int
state_prepare(const struct options *o, struct paths *p, int *lock_fd, int *code, struct err *e)
{
	struct passwd *pw = NULL;
	bool root = geteuid() == 0, fresh;

	*code = EXIT_CONFIG;
	if ((root && find_user(o, &pw, e) != 0) || state_find_data(o, p, e) != 0)
		return -1;
	/* Before anything is made, and by the name it was given. */
	if (o->config != NULL && ca_settings_check(p->config, e) != 0)
		return -1;
	*code = EXIT_CANTCREAT;
	fresh = mkdir(o->state, 0700) == 0;
	if (!fresh && errno != EEXIST)
		return ERR(e, E_FAIL, "cannot make the state folder %.80s: %s", o->state, strerror(errno));
	if (realpath(o->state, p->state) == NULL)
		return ERR(e, E_FAIL, "state folder %.80s: %s", o->state, strerror(errno));
	fresh = fresh || dir_is_empty(p->state);
	if (!fresh && o->config == NULL)
		p->config[0] = '\0'; /* an existing state goes on with its own copy */
	if (root && give_folder(p->state, fresh, pw, e) != 0)
		return -1;
	*code = EXIT_UNAVAILABLE;
	if (take_lock(p->state, lock_fd, e) != 0)
		return -1;
	if (!root)
		return 0;
	*code = EXIT_CANTCREAT;
	if (fchown(*lock_fd, pw->pw_uid, pw->pw_gid) != 0)
		return ERR(e, E_FAIL, "lock: %s", strerror(errno));
	return copy_data(pw->pw_uid, p, e);
}

int
state_drop_root(const struct options *o, struct err *e)
{
	struct passwd *pw;

	if (geteuid() != 0)
		return 0;
	if (find_user(o, &pw, e) != 0)
		return -1;
	if (setgroups(0, NULL) != 0 || setgid(pw->pw_gid) != 0 || setuid(pw->pw_uid) != 0)
		return ERR(e, E_ACCESSDENIED, "cannot become %s: %s", o->user, strerror(errno));
	if (setuid(0) == 0)
		return ERR(e, E_UNEXPECTED, "root was not given up");
	return 0;
}
