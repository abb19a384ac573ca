#include "ca/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/work.h"
#include "ca/ca_priv.h"

#define COPY_NAME "backup.db"
#define DYNAMIC_FILES_MAX 4096

struct ca_backup {
	struct ca *ca;
	const void *owner; /* NULL: it went while a worker was at it */
	bool working;      /* the rest belongs to the worker then */
	bool open, read;   /* the file is open; has been read to its end */
	int fd;            /* of the copy, which has no name any more; -1: none yet */
	uint64_t length, at;
	int (*job)(struct ca_backup *b, struct err *e);
	struct err e; /* of the job; hr 0: none */
	ca_backup_fn *cb;
	void *cb_arg;
	char database[PATH_MAX], copy[PATH_MAX];
};

/* ---- names ---- */

/* kind: in UTF-8, or "". */
static const char *
name_of(const struct ca *ca, struct pool *pool, const char *kind, const char *folder, const char *file)
{
	return pool_printf(pool, "%s\\\\%s\\C$\\Windows\\System32\\%s%s%s", kind, ca->dns_name, folder,
	    *file != '\0' ? "\\" : "", file);
}

static const char *
database_name(const struct ca *ca, struct pool *pool, const char *kind)
{
	const char *file = pool_printf(pool, "%s.edb", ca->sanitized);

	return file != NULL ? name_of(ca, pool, kind, "CertLog", file) : NULL;
}

int
ca_restore_locations(struct ca *ca, struct pool *pool, const char *const **out, size_t *n, struct err *e)
{
	const char **list = pool_calloc(pool, 3, sizeof(*list));

	if (list != NULL) {
		list[0] = database_name(ca, pool, "D");
		list[1] = name_of(ca, pool, "\xc2\x82", "CertLog", "");
		list[2] = name_of(ca, pool, "\xc2\x83", "CertLog", "");
	}
	if (list == NULL || list[0] == NULL || list[1] == NULL || list[2] == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for names");
	*out = list;
	*n = 3;
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int
ca_backup_dynamic_files(struct ca *ca, struct pool *pool, const char *const **out, size_t *n, struct err *e)
{
	const char **list = pool_calloc(pool, DYNAMIC_FILES_MAX, sizeof(*list));
	DIR *d = ca->crl.folder != NULL ? opendir(ca->crl.folder) : NULL;
	const struct dirent *at;
	size_t used = 0;
	bool ok = list != NULL;

	while (ok && d != NULL && used < DYNAMIC_FILES_MAX && (at = readdir(d)) != NULL) {
		size_t len = strlen(at->d_name);

		if (at->d_name[0] == '.' || len < 4 || strcmp(at->d_name + len - 4, ".crl") != 0)
			continue;
		list[used] = name_of(ca, pool, "", "CertSrv\\CertEnroll", at->d_name);
		ok = list[used++] != NULL;
	}
	if (d != NULL)
		closedir(d);
	if (!ok)
		return ERR(e, E_OUTOFMEMORY, "no memory for names");
	qsort(list, used, sizeof(*list), by_name);
	*out = list;
	*n = used;
	return 0;
}

/* ---- jobs ---- */

static void
session_free(struct ca_backup *b)
{
	if (b->ca->backup == b)
		b->ca->backup = NULL;
	if (b->fd >= 0)
		close(b->fd);
	free(b);
}

/* On a worker. The copy loses its name at once: it goes when it is closed, whatever becomes of us. */
static int
copy_database(struct ca_backup *b, struct err *e)
{
	struct stat st;

	if (store_copy(b->database, b->copy, e) != 0)
		return -1;
	b->fd = open(b->copy, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (b->fd < 0 || fstat(b->fd, &st) != 0)
		ERR(e, E_FAIL, "%s: %s", b->copy, strerror(errno));
	else
		b->length = (uint64_t)st.st_size;
	unlink(b->copy);
	return e->hr == 0 ? 0 : -1;
}

static int
truncate_logs(struct ca_backup *b, struct err *e)
{
	return store_checkpoint(b->database, e);
}

static void
run_job(void *arg)
{
	struct ca_backup *b = arg;

	if (b->job(b, &b->e) != 0 && b->e.hr == 0)
		b->e.hr = E_FAIL;
}

static void
job_done(void *arg)
{
	struct ca_backup *b = arg;
	ca_backup_fn *cb = b->cb;
	void *cb_arg = b->cb_arg;
	struct err e = b->e;

	b->ca->busy--;
	b->working = false;
	b->e = (struct err){ 0 };
	b->cb = NULL;
	if (e.hr != 0)
		log_warn(ca, "backup: %s", e.msg);
	if (b->owner == NULL || b->fd < 0)
		session_free(b);
	if (cb != NULL)
		cb(cb_arg, e.hr != 0 ? &e : NULL);
}

static int
start_job(struct ca_backup *b, int (*job)(struct ca_backup *b, struct err *e), ca_backup_fn *cb, void *arg,
    struct err *e)
{
	b->job = job;
	b->cb = cb;
	b->cb_arg = arg;
	b->working = true;
	b->ca->busy++;
	if (work_submit(b->ca->work, run_job, job_done, b, e) == 0)
		return 0;
	b->working = false;
	b->ca->busy--;
	return -1;
}

/* ---- the session ---- */

int
ca_backup_gate(const struct ca *ca, const struct ca_caller *who, struct err *e)
{
	uint32_t flag = who->local_admin ? IF_NOLOCALICERTADMINBACKUP : IF_NOREMOTEICERTADMINBACKUP;

	if ((ca->settings.interface_flags & flag) == 0)
		return 0;
	return ERR(e, E_ACCESSDENIED, "InterfaceFlags: IF_NO%sICERTADMINBACKUP (MS-CSRA 3.1.4.1.18)",
	    who->local_admin ? "LOCAL" : "REMOTE");
}

/* The owner's session, when nothing is under way in it. */
static struct ca_backup *
session_of(struct ca *ca, const void *owner, struct err *e)
{
	struct ca_backup *b = ca->backup;

	if (b == NULL || owner == NULL || b->owner != owner) {
		ERR(e, E_UNEXPECTED, "BackupPrepare was not called on this object (MS-CSRA 3.1.4.1.18)");
		return NULL;
	}
	if (!b->working)
		return b;
	ERR(e, E_UNEXPECTED, "the call before has not ended (MS-CSRA 3.1.4.1.18)");
	return NULL;
}

static struct ca_backup *
session_with_file(struct ca *ca, const void *owner, struct err *e)
{
	struct ca_backup *b = session_of(ca, owner, e);

	if (b == NULL || b->open)
		return b;
	ERR(e, E_UNEXPECTED, "BackupOpenFile was not called before (MS-CSRA 3.1.4.1.18)");
	return NULL;
}

/* False when the path is too long. */
static bool
paths_of(const struct ca *ca, char *database, char *copy)
{
	return snprintf(database, PATH_MAX, "%s/ca.db", ca->state_dir) < PATH_MAX &&
	    snprintf(copy, PATH_MAX, "%s/" COPY_NAME, ca->state_dir) < PATH_MAX;
}

void
ca_backup_sweep(const struct ca *ca)
{
	char database[PATH_MAX], copy[PATH_MAX];

	if (paths_of(ca, database, copy))
		unlink(copy);
}

int
ca_backup_prepare(
    struct ca *ca, const void *owner, uint32_t grbit, ca_backup_fn *cb, void *arg, struct err *e)
{
	struct ca_backup *b;

	if (owner == NULL)
		return ERR(e, E_UNEXPECTED, "a backup needs an object that it belongs to");
	if (grbit > 1)
		return ERR(e, E_INVALIDARG, "grbitJet is 0x%x (MS-CSRA 3.1.4.1.18)", grbit);
	if (ca->backup != NULL)
		return ERR(e, E_UNEXPECTED, "a backup is under way %s",
		    ca->backup->owner == owner ? "already: BackupEnd comes first (MS-CSRA 3.1.4.1.18)"
					       : "on another object");
	if (grbit == 1)
		return ERR(e, E_UNEXPECTED,
		    "no incremental backup: a full one has everything and leaves no log behind");
	b = calloc(1, sizeof(*b));
	if (b == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a backup");
	b->ca = ca;
	b->owner = owner;
	b->fd = -1;
	if (!paths_of(ca, b->database, b->copy))
		ERR(e, E_FAIL, "the path of the state folder is too long");
	if (e->hr != 0 || start_job(b, copy_database, cb, arg, e) != 0) {
		session_free(b);
		return -1;
	}
	ca->backup = b;
	return 0;
}

void
ca_backup_gone(struct ca *ca, const void *owner)
{
	struct ca_backup *b = ca->backup;
	struct err e = { 0 };
	ca_backup_fn *cb;

	if (b == NULL || (owner != NULL && b->owner != owner))
		return;
	if (!b->working) {
		session_free(b);
		return;
	}
	b->owner = NULL; /* job_done() does the rest */
	cb = b->cb;
	b->cb = NULL;
	ERR(&e, E_UNEXPECTED, "the object is no more");
	if (cb != NULL)
		cb(b->cb_arg, &e);
}

int
ca_backup_end(struct ca *ca, const void *owner, struct err *e)
{
	struct ca_backup *b = session_of(ca, owner, e);

	if (b == NULL)
		return -1;
	session_free(b);
	return 0;
}

/* ---- files ---- */

int
ca_backup_database(struct ca *ca, const void *owner, struct pool *pool, const char **out, struct err *e)
{
	if (session_of(ca, owner, e) == NULL) {
		e->hr = ESE_INVALID_BACKUP_SEQUENCE; /* MS-CSRA 3.1.4.1.18 */
		return -1;
	}
	*out = database_name(ca, pool, "D");
	return *out != NULL ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for a name");
}

int
ca_backup_logs(struct ca *ca, const void *owner, struct err *e)
{
	return session_of(ca, owner, e) != NULL ? 0 : -1;
}

static bool
is_database(const struct ca *ca, const char *path)
{
	struct pool *pool = pool_new(16384);
	const char *name = pool != NULL ? database_name(ca, pool, "") : NULL;
	bool same = name != NULL && path != NULL && strcasecmp(path, name) == 0;

	pool_free(pool);
	return same;
}

int
ca_backup_open_file(struct ca *ca, const void *owner, const char *path, uint64_t *length, struct err *e)
{
	struct ca_backup *b = session_of(ca, owner, e);

	if (b == NULL)
		return -1;
	if (b->open)
		return ERR(e, E_UNEXPECTED, "BackupCloseFile was not called before (MS-CSRA 3.1.4.1.18)");
	if (!is_database(ca, path))
		return ERR(e, E_FILE_NOT_FOUND, "'%.100s' is no file of this backup (MS-CSRA 3.1.4.1.22)",
		    path != NULL ? path : "");
	b->open = true;
	b->at = 0;
	*length = b->length;
	return 0;
}

int
ca_backup_read_file(struct ca *ca, const void *owner, uint8_t *out, size_t n, size_t *got, struct err *e)
{
	struct ca_backup *b = session_with_file(ca, owner, e);
	size_t done = 0, want;

	*got = 0;
	if (b == NULL)
		return -1;
	if (n == 0 || n > CA_BACKUP_READ_MAX)
		return ERR(e, E_INVALIDARG, "a portion has 1 to %u octets, not %zu", CA_BACKUP_READ_MAX, n);
	want = n > b->length - b->at ? (size_t)(b->length - b->at) : n;
	while (done < want) {
		ssize_t r = pread(b->fd, out + done, want - done, (off_t)(b->at + done));

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return ERR(e, E_FAIL, "the copy of the database: %s",
			    r < 0 ? strerror(errno) : "ends early");
		done += (size_t)r;
	}
	b->at += done;
	b->read = b->read || b->at == b->length;
	*got = done;
	return 0;
}

int
ca_backup_close_file(struct ca *ca, const void *owner, struct err *e)
{
	struct ca_backup *b = session_with_file(ca, owner, e);

	if (b == NULL)
		return -1;
	b->open = false;
	return 0;
}

int
ca_backup_truncate_logs(struct ca *ca, const void *owner, ca_backup_fn *cb, void *arg, struct err *e)
{
	struct ca_backup *b = session_of(ca, owner, e);

	if (b == NULL)
		return -1;
	if (!b->read || b->open)
		return ERR(e, E_UNEXPECTED,
		    "the database has not been read to its end and closed (MS-CSRA 3.1.4.1.18)");
	return start_job(b, truncate_logs, cb, arg, e);
}
