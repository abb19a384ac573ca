/* When CRLs are published without being asked for, and the folder they go to. Virtual time. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "ca/crl.h"
#include "ca/signing_certs.h"

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
ca_crl_file_name(const struct ca *ca, struct pool *pool, ca_crl_id id, bool delta)
{
	char key[16] = "", partition[CA_PARTITION_SUFFIX];

	if ((id & 0xffff) != 0)
		snprintf(key, sizeof(key), "(%u)", id & 0xffff);
	return pool_printf(pool, "%s%s%s%s.crl", ca->sanitized, key, ca_partition_suffix(partition, id >> 16),
	    delta ? "+" : "");
}

/* Seen: cross certificates have both indexes for a suffix. */
static int
write_cross(
    const struct ca *ca, struct pool *pool, unsigned from, unsigned to, struct bytes der, struct err *e)
{
	const char *name;

	if (der.len == 0)
		return 0;
	name = pool_printf(pool, "%s_%s(%u-%u).crt", ca->dns_name, ca->sanitized, from, to);
	return name != NULL ? ca_crl_write_file(ca->crl.folder, name, der, e)
			    : ERR(e, E_OUTOFMEMORY, "no memory for a path");
}

int
ca_crl_write_certs(const struct ca *ca, const struct ca_cert_list *certs, struct pool *pool, struct err *e)
{
	for (size_t i = 0; i < certs->n; i++) {
		const struct ca_cert *c = certs->v[i];
		const char *name = pool_printf(pool, "%s_%s%s.crt", ca->dns_name, ca->sanitized, c->suffix);

		if (name == NULL)
			return ERR(e, E_OUTOFMEMORY, "no memory for a path");
		if (ca_crl_write_file(ca->crl.folder, name, x509_ca_cert_der(c->x509), e) != 0 ||
		    write_cross(ca, pool, c->index, c->index + 1u, c->forward, e) != 0 ||
		    write_cross(ca, pool, c->index, c->index - 1u, c->backward, e) != 0)
			return -1;
	}
	return 0;
}

static int
prepare_folder(struct ca *ca, struct pool *pool, struct err *e)
{
	struct ca_crl_state *s = &ca->crl;

	s->folder = pool_printf(ca->pool, "%s/" CA_CRL_FOLDER, ca->state_dir);
	if (s->folder == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a path");
	if (mkdir(s->folder, 0755) != 0 && errno != EEXIST)
		return ERR(e, E_FAIL, "%.100s: %s", s->folder, strerror(errno));
	return ca_crl_write_certs(ca, ca->certs, pool, e);
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
	return s->retry_at != 0 && now >= s->retry_at ? CA_CRL_REPUBLISH | CA_CRL_BASE | CA_CRL_DELTA : 0;
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
	if (what != 0 && ca_crl_publish(ca, what, 0, NULL, on_scheduled, NULL, &e) != 0) {
		log_error(ca, "CRL: %s", e.msg);
		ca->crl.pause_until = clock_now(ca->clock) + FILETIME_MINUTE;
	}
}

/* Does the newest CRL of this kind lie where it belongs? */
static bool
is_out(const struct ca *ca, const struct store_crl *r, struct pool *pool)
{
	const char *name = ca_crl_file_name(ca, pool, ca_crl_id_of(r), r->min_base != 0);
	char path[4096];

	return (r->publish_flags & CPF_COMPLETE) != 0 && name != NULL &&
	    snprintf(path, sizeof(path), "%s/%s", ca->crl.folder, name) < (int)sizeof(path) &&
	    access(path, R_OK) == 0;
}

/* What one list still owes. CA_CRL_BASE: it was never made, as when a renewal was cut short. */
static unsigned
owed(const struct ca *ca, const struct store_crl *rows, size_t n, ca_crl_id id, struct pool *pool)
{
	const struct store_crl *base = ca_crl_newest(rows, n, id, false),
			       *delta = ca_crl_newest(rows, n, id, true);

	if (base == NULL)
		return CA_CRL_BASE;
	return is_out(ca, base, pool) && (delta == NULL || is_out(ca, delta, pool))
	    ? 0
	    : CA_CRL_REPUBLISH | CA_CRL_BASE | CA_CRL_DELTA;
}

/* What the database tells of the last publication: its dates, and what it still owes. 0: nothing. */
static unsigned
take_up(struct ca *ca, const struct store_crl *rows, size_t n, struct pool *pool)
{
	struct ca_crl_state *s = &ca->crl;
	unsigned what = 0;

	for (size_t i = 0; i < n; i++)
		*(rows[i].min_base != 0 ? &s->delta_next : &s->base_next) = rows[i].next_publish;
	for (size_t k = 0; k < ca->certs->n; k++) {
		const struct ca_cert *c = ca->certs->v[k];

		if (!ca_cert_is_key(c) || !ca_key_is_valid(ca, c->index, clock_now(ca->clock)))
			continue;
		for (unsigned p = 0; p <= ca->partitions.max && what != CA_CRL_BASE; p++)
			what |= owed(ca, rows, n, p << 16 | c->index, pool);
		if ((what & CA_CRL_REPUBLISH) == 0 && what != 0)
			return CA_CRL_BASE;
	}
	return what;
}

static bool
is_somewhere(const struct ca *ca, const struct store_crl *r)
{
	/* Its number is stored, and no outlet has it yet: the publication is still under way. */
	if ((r->publish_flags & (CPF_COMPLETE | CPF_FILE_ERROR | CPF_LDAP_ERROR)) == 0)
		return false;
	if ((r->publish_flags & CPF_COMPLETE) != 0 || (r->publish_flags & CPF_FILE_ERROR) == 0)
		return true;
	return ca_crl_goes_to_directory(ca, false) && (r->publish_flags & CPF_LDAP_ERROR) == 0;
}

int
ca_crl_current(struct ca *ca, ca_crl_id id, struct pool *pool, bool *current, struct err *e)
{
	filetime_t now = clock_now(ca->clock);
	struct store_crl *rows;
	size_t n;

	*current = false;
	if (store_list_crls(ca->store, false, pool, &rows, &n, e) != 0)
		return -1;
	for (size_t i = 0; i < n && !*current; i++)
		*current = ca_crl_id_of(&rows[i]) == id && rows[i].min_base == 0 &&
		    rows[i].next_update > now && is_somewhere(ca, &rows[i]);
	return 0;
}

int
ca_crl_start(struct ca *ca, ca_crl_fn *done, void *arg, struct err *e)
{
	struct pool *pool = pool_new(16u << 20);
	struct store_crl *rows;
	unsigned what = 0, due;
	size_t n;
	int rc;

	if (pool == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for CRLs");
	rc = prepare_folder(ca, pool, e);
	if (rc == 0)
		rc = store_list_crls(ca->store, false, pool, &rows, &n, e);
	if (rc == 0)
		what = take_up(ca, rows, n, pool);
	pool_free(pool);
	if (rc != 0)
		return -1;
	ca->crl.started = true;
	due = due_at(ca, clock_now(ca->clock));
	return ca_crl_publish(ca, due != 0 && what != CA_CRL_BASE ? due : what, 0, NULL, done, arg, e);
}
