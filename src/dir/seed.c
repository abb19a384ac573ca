#include "dir/seed.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dir/files.h"
#include "dir/forest_ldif.h"
#include "dir/ldif.h"

#define SEED_POOL_MAX (512u << 20)
#define SEED_PATH_MAX 4096

/* One database of the state: slapd.conf's number, its folder, what is loaded into it. */
struct load {
	const char *number, *name;
	bool in_config;
	pid_t pid;
	char ldif[SEED_PATH_MAX], log[SEED_PATH_MAX], folder[SEED_PATH_MAX];
};

static int
join(char out[SEED_PATH_MAX], const char *folder, const char *name, const char *suffix, struct err *e)
{
	if (snprintf(out, SEED_PATH_MAX, "%s/%s%s", folder, name, suffix) >= SEED_PATH_MAX)
		return ERR(e, E_INVALIDARG, "path too long: %s", folder);
	return 0;
}

static int
write_load(struct load *l, const struct slapd_files *f, const struct forest_ldif *forest, struct err *e)
{
	const struct forest_entry *fe;
	struct buf out;
	int rc;

	if (join(l->ldif, f->seeding, l->name, ".ldif", e) != 0 ||
	    join(l->log, f->seeding, l->name, ".log", e) != 0 ||
	    join(l->folder, f->seeding, l->name, "", e) != 0 || folder_make(l->folder, e) != 0)
		return -1;
	buf_init(&out, 2 * LDIF_FILE_MAX);
	for (fe = forest->first; fe != NULL; fe = fe->next)
		if (fe->in_config == l->in_config)
			ldif_put(&out, &fe->entry);
	rc = file_write(l->ldif, &out, e);
	buf_wipe(&out);
	return rc;
}

/* slapadd: quick mode, contextCSN written. Between fork and exec only what is safe there. */
static int
start_load(struct load *l, const struct slapd_files *f, const char *conf, struct err *e)
{
	sigset_t none;
	int out;

	l->pid = fork();
	if (l->pid < 0)
		return ERR(e, E_OUTOFMEMORY, "fork: %s", strerror(errno));
	if (l->pid > 0)
		return 0;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	out = open(l->log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (out < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(126);
	execl(f->program, "slapd", "-T", "add", "-q", "-w", "-f", conf, "-n", l->number, "-l", l->ldif,
	    (char *)NULL);
	_exit(127);
}

static int
finish_load(struct load *l, const struct slapd_files *f, struct err *e)
{
	char path[SEED_PATH_MAX];
	struct buf text;
	const char *words;
	int status;

	while (waitpid(l->pid, &status, 0) < 0)
		if (errno != EINTR)
			return ERR(e, E_FAIL, "slapadd: %s", strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		if (join(path, l->folder, "data.mdb", "", e) != 0)
			return -1;
		return file_sync(path, e);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return ERR(e, E_FILE_NOT_FOUND, "%s cannot be run", f->program);
	buf_init(&text, 1u << 20);
	(void)!file_read(l->log, &text, NULL);
	words = slapd_last_words((char *)(uintptr_t)buf_cstr(&text));
	/* Where even its log finds no room it has no words. */
	(void)ERR(e, E_INVALID_DATA, "slapd refuses the %s: %s", l->name,
	    *words != '\0' ? words : "it does not say why; is the disk full?");
	buf_fini(&text);
	return -1;
}

/* The names of a state outlive the LDIF they came from: domain on the first line, configuration on the
 * second. */
static int
write_names(const struct slapd_files *f, const struct forest_ldif *forest, struct err *e)
{
	char path[SEED_PATH_MAX];
	struct buf out;
	int rc;

	buf_init(&out, 8192);
	buf_printf(&out, "%s\n%s\n", forest->domain_dn, forest->config_dn);
	rc = join(path, f->seeding, "names", "", e);
	if (rc == 0)
		rc = file_write(path, &out, e);
	if (rc == 0)
		rc = file_sync(path, e);
	buf_fini(&out);
	return rc;
}

static int
read_names(const struct slapd_files *f, struct pool *pool, struct slapd_names *names, struct err *e)
{
	char path[SEED_PATH_MAX], *line, *save = NULL;
	struct buf text;
	int rc;

	buf_init(&text, 8192);
	rc = join(path, f->data, "names", "", e);
	if (rc == 0)
		rc = file_read(path, &text, e);
	if (rc == 0) {
		line = (char *)(uintptr_t)buf_cstr(&text);
		line = strtok_r(line, "\n", &save);
		names->domain_dn = line == NULL ? NULL : pool_strdup(pool, line);
		line = strtok_r(NULL, "\n", &save);
		names->config_dn = line == NULL ? NULL : pool_strdup(pool, line);
		if (names->domain_dn == NULL || names->config_dn == NULL)
			rc = ERR(
			    e, E_INVALID_DATA, "%s: does not name the domain and the configuration", path);
	}
	buf_fini(&text);
	return rc;
}

/* Nothing with passwords in it, nor a log, goes into the state. */
static int
drop_scaffold(
    const struct slapd_files *f, const struct load *loads, size_t n, const char *conf, struct err *e)
{
	char rootdse[SEED_PATH_MAX];
	size_t i;

	if (snprintf(rootdse, sizeof(rootdse), "%s.rootdse", conf) >= (int)sizeof(rootdse))
		return ERR(e, E_INVALIDARG, "path too long: %s", f->seeding);
	for (i = 0; i < n; i++)
		if (unlink(loads[i].ldif) != 0 || unlink(loads[i].log) != 0)
			return ERR(e, E_FAIL, "%s: %s", loads[i].ldif, strerror(errno));
	if (unlink(conf) != 0 || unlink(rootdse) != 0)
		return ERR(e, E_FAIL, "%s: %s", conf, strerror(errno));
	return 0;
}

static int
load_databases(const struct slapd_files *f, const struct forest_ldif *forest, struct err *e)
{
	struct slapd_names names = { forest->domain_dn, forest->config_dn };
	struct load loads[] = { { .number = "1", .name = "config", .in_config = true },
		{ .number = "2", .name = "domain" } };
	char conf[SEED_PATH_MAX];
	struct err ignored;
	int rc = 0;
	size_t i;

	if (join(conf, f->seeding, "slapd.conf", "", e) != 0 ||
	    slapd_write_config(f, &names, conf, f->seeding, e) != 0)
		return -1;
	for (i = 0; rc == 0 && i < ARRAY_LEN(loads); i++)
		rc = write_load(&loads[i], f, forest, e);
	/* both at once */
	for (i = 0; rc == 0 && i < ARRAY_LEN(loads); i++)
		rc = start_load(&loads[i], f, conf, e);
	for (i = 0; i < ARRAY_LEN(loads); i++)
		if (loads[i].pid > 0 && finish_load(&loads[i], f, rc == 0 ? e : &ignored) != 0)
			rc = -1;
	if (rc == 0)
		rc = drop_scaffold(f, loads, ARRAY_LEN(loads), conf, e);
	return rc;
}

static int
seed_new(const struct slapd_files *f, const struct seed_source *src, struct err *e)
{
	struct pool *pool = pool_new(SEED_POOL_MAX);
	struct forest_ldif forest;
	int rc;

	if (pool == NULL)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	rc = forest_ldif_read(&forest, pool, src->forest_ldif, e);
	if (rc == 0)
		rc = forest_ldif_add_templates(&forest, src->templates_dir, e);
	if (rc == 0)
		rc = forest_ldif_link_members(&forest, e);
	if (rc == 0)
		rc = folder_remove(f->seeding, e);
	if (rc == 0)
		rc = folder_make(f->seeding, e);
	if (rc == 0)
		rc = load_databases(f, &forest, e);
	if (rc == 0)
		rc = write_names(f, &forest, e);
	if (rc == 0)
		rc = file_sync(f->seeding, e);
	pool_free(pool);
	if (rc == 0 && rename(f->seeding, f->data) != 0)
		rc = ERR(e, E_FAIL, "%s: %s", f->data, strerror(errno));
	if (rc == 0)
		rc = file_sync(f->home, e);
	return rc;
}

int
seed_state(const struct slapd_files *f, const struct seed_source *src, struct pool *pool,
    struct slapd_names *names, bool *seeded, struct err *e)
{
	struct stat st;

	*seeded = false;
	if (access(f->program, X_OK) != 0)
		return ERR(e, E_FILE_NOT_FOUND,
		    "%s: %s (the slapd package is needed for the embedded directory)", f->program,
		    strerror(errno));
	if (folder_make(f->home, e) != 0)
		return -1;
	if (stat(f->data, &st) != 0) {
		if (errno != ENOENT)
			return ERR(e, E_ACCESSDENIED, "%s: %s", f->data, strerror(errno));
		if (seed_new(f, src, e) != 0)
			return -1;
		*seeded = true;
	}
	if (read_names(f, pool, names, e) != 0)
		return -1;
	return slapd_write_config(f, names, f->conf, f->data, e);
}
