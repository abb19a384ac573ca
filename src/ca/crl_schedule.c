/* When CRLs are published without being asked for, and the folder they go to. Virtual time. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "ca/crl.h"

/* ---- files ---- */

static bool
write_all(int fd, struct bytes v)
{
	while (v.len > 0) {
		ssize_t n = write(fd, v.p, v.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		v.p += n;
		v.len -= (size_t)n;
	}
	return fsync(fd) == 0;
}

int
ca_crl_write_file(const char *folder, const char *name, struct bytes der, struct err *e)
{
	char path[4096], tmp[4096];
	int fd = -1, error;

	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path) ||
	    snprintf(tmp, sizeof(tmp), "%s/.%s.new", folder, name) >= (int)sizeof(tmp))
		return ERR(e, E_INVALIDARG, "path too long: %.80s", name);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd >= 0 && write_all(fd, der) && rename(tmp, path) == 0) {
		close(fd);
		return 0;
	}
	error = errno;
	if (fd >= 0) {
		close(fd);
		unlink(tmp);
	}
	return ERR(e,
	    error == ENOSPC       ? E_DISK_FULL
		: error == EACCES ? E_ACCESSDENIED
				  : E_FAIL,
	    "%.100s: %s", path, strerror(error));
}

const char *
ca_crl_file_name(const struct ca *ca, struct pool *pool, bool delta)
{
	return pool_printf(pool, "%s%s.crl", ca->sanitized, delta ? "+" : "");
}

static int
prepare_folder(struct ca *ca, struct err *e)
{
	struct ca_crl_state *s = &ca->crl;
	const char *name;

	s->folder = pool_printf(ca->pool, "%s/" CA_CRL_FOLDER, ca->state_dir);
	name = pool_printf(ca->pool, "%s_%s.crt", ca->dns_name, ca->sanitized);
	if (s->folder == NULL || name == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a path");
	if (mkdir(s->folder, 0755) != 0 && errno != EEXIST)
		return ERR(e, E_FAIL, "%.100s: %s", s->folder, strerror(errno));
	return ca_crl_write_file(s->folder, name, x509_ca_cert_der(ca->x509), e);
}

/* ---- schedule ---- */

static void
on_scheduled(void *arg, const struct err *e)
{
	(void)arg, (void)e; /* logged and in the journal; the next turn looks again */
}

/* What is due at that time; 0: nothing. */
static unsigned
due_at(const struct ca *ca, filetime_t now)
{
	const struct ca_crl_state *s = &ca->crl;

	if (now < s->pause_until)
		return 0;
	if (now >= s->base_next)
		return CA_CRL_BASE;
	if (ca->settings.crl_delta_units != 0 && now >= s->delta_next)
		return CA_CRL_DELTA;
	return s->retry_at != 0 && now >= s->retry_at ? CA_CRL_REPUBLISH | CA_CRL_BASE : 0;
}

filetime_t
ca_crl_due(const struct ca *ca)
{
	const struct ca_crl_state *s = &ca->crl;
	filetime_t due = s->base_next;

	if (!s->started || s->jobs != NULL || ca->closing)
		return 0;
	if (ca->settings.crl_delta_units != 0 && s->delta_next < due)
		due = s->delta_next;
	if (s->retry_at != 0 && s->retry_at < due)
		due = s->retry_at;
	return due > s->pause_until ? due : s->pause_until;
}

void
ca_crl_check(struct ca *ca)
{
	struct err e = { 0 };
	unsigned what;

	if (!ca->crl.started || ca->crl.jobs != NULL || ca->closing)
		return;
	what = due_at(ca, clock_now(ca->clock));
	if (what != 0 && ca_crl_publish(ca, what, NULL, on_scheduled, NULL, &e) != 0) {
		log_error(ca, "CRL: %s", e.msg);
		ca->crl.pause_until = clock_now(ca->clock) + FILETIME_MINUTE;
	}
}

int
ca_crl_start(struct ca *ca, ca_crl_fn *done, void *arg, struct err *e)
{
	struct ca_crl_state *s = &ca->crl;
	struct pool *pool = pool_new(16u << 20);
	struct store_crl *rows;
	bool complete[2] = { true, true }; /* base, delta */
	unsigned what;
	size_t n;
	int rc;

	if (pool == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for CRLs");
	rc = prepare_folder(ca, e);
	if (rc == 0)
		rc = store_list_crls(ca->store, false, pool, &rows, &n, e);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		bool delta = rows[i].min_base != 0;
		const char *name = ca_crl_file_name(ca, pool, delta);
		char path[4096];

		*(delta ? &s->delta_next : &s->base_next) = rows[i].next_publish;
		complete[delta] = (rows[i].publish_flags & CPF_COMPLETE) != 0 && name != NULL &&
		    snprintf(path, sizeof(path), "%s/%s", s->folder, name) < (int)sizeof(path) &&
		    access(path, R_OK) == 0;
	}
	pool_free(pool);
	if (rc != 0)
		return -1;
	s->started = true;
	what = due_at(ca, clock_now(ca->clock));
	if (what == 0 && !(complete[0] && complete[1]))
		what = CA_CRL_REPUBLISH | CA_CRL_BASE;
	return ca_crl_publish(ca, what, NULL, done, arg, e);
}
