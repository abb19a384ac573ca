#include "ca/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "ca/signing_certs.h"
#include "x509/name.h"

#define FILE_COPY_MAX (1u << 20)

/* ---- files ---- */

char *
ca_state_path(const struct ca *ca, const char *name)
{
	return pool_printf(ca->pool, "%s/%s", ca->state_dir, name);
}

int
ca_read_file(const char *path, struct buf *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd < 0)
		return ERR(e, E_FILE_NOT_FOUND, "%s: %s", path, strerror(errno));
	for (;;) {
		uint8_t *room = buf_extend(out, 4096);

		n = room != NULL ? read(fd, room, 4096) : -1;
		if (room != NULL)
			out->len -= 4096 - (n > 0 ? (size_t)n : 0);
		if (n <= 0)
			break;
	}
	close(fd);
	return n == 0 ? 0
		      : ERR(e, E_FAIL, "%s cannot be read, or is longer than %u octets", path, FILE_COPY_MAX);
}

/* By way of a new file, so that a crash leaves the old one or the new one. */
static int
copy_file(const char *from, const char *to, struct err *e)
{
	char tmp[4096];
	struct buf b;
	int fd = -1, rc = -1;

	buf_init(&b, FILE_COPY_MAX);
	if (ca_read_file(from, &b, e) != 0)
		goto out;
	snprintf(tmp, sizeof(tmp), "%.4000s.new", to);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write(fd, b.p, b.len) != (ssize_t)b.len || fsync(fd) != 0 || rename(tmp, to) != 0)
		ERR(e, E_FAIL, "%s: %s", to, strerror(errno));
	else
		rc = 0;
	if (fd >= 0)
		close(fd);
out:
	buf_wipe(&b); /* may have been a key */
	return rc;
}

static bool
exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static bool
same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

int
ca_settings_open(struct ca *ca, const char *given, struct err *e)
{
	const char *copy = ca_state_path(ca, "ca.ini");

	if (copy == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for settings");
	if (given == NULL)
		given = exists(copy) ? copy : NULL;
	if (ca_settings_load(&ca->from_file, given, e) != 0)
		return -1;
	ca->settings = ca->from_file; /* until ca_live_open() */
	if (given == NULL)
		return 0;
	return same_file(given, copy) ? 0 : copy_file(given, copy, e);
}

/* ---- key and certificate ---- */

static int
create_key(struct ca *ca, const char *key, const char *cert, struct err *e)
{
	const struct ca_settings *s = &ca->settings;
	const struct dir_forest *f = dir_forest(ca->dir);
	struct x509_ca_create how = { .dn_suffix = f->domain_dn, .rng = &ca->rng };
	uint64_t begin;
	filetime_t span;
	int months;

	if (s->key_file[0] != '\0')
		return copy_file(s->cert_file, cert, e) != 0 || copy_file(s->key_file, key, e) != 0 ? -1 : 0;
	if (x509_ca_key_from_text(&how.key, s->key_type, e) != 0 ||
	    ca_period(s->renewal_period, s->renewal_units, &months, &span, e) != 0 ||
	    ca_policy_inf(s, &how, ca->pool, e) != 0)
		return -1;
	how.common_name = s->common_name;
	if (s->common_name[0] == '\0')
		how.common_name = pool_printf(ca->pool, "%s-%s-CA", f->nb_domain, ca->short_host);
	if (how.common_name == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the CA's name");
	how.not_before = clock_now(ca->clock) - (filetime_t)s->clock_skew_minutes * FILETIME_MINUTE;
	how.not_after = filetime_add_months(how.not_before, months) + span;
	begin = clock_monotonic_us();
	if (x509_ca_create(&how, key, cert, e) != 0)
		return -1;
	log_info(ca, "%s key and certificate of %s made in %llu ms", s->key_type, how.common_name,
	    (unsigned long long)(clock_monotonic_us() - begin) / 1000);
	return 0;
}

int
ca_key_open(struct ca *ca, struct err *e)
{
	const char *key = ca_state_path(ca, "ca.key"), *cert = ca_state_path(ca, "ca.crt");

	if (key == NULL || cert == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for paths");
	if (exists(key) != exists(cert))
		return ERR(e, E_FAIL,
		    "%s exists, but %s does not: restore it or start with a new state folder",
		    exists(key) ? key : cert, exists(key) ? cert : key);
	if (!exists(key) && create_key(ca, key, cert, e) != 0)
		return err_prefix(e, "CA key");
	return ca_certs_open(ca, e);
}

/* ---- names ---- */

int
ca_host_names_set(struct ca *ca, struct err *e)
{
	const struct dir_forest *f = dir_forest(ca->dir);
	const char *host = ca->settings.server_name;

	ca->dns_name =
	    host[0] != '\0' ? pool_strdup(ca->pool, host) : pool_printf(ca->pool, "ca01.%s", f->dns_domain);
	if (ca->dns_name == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for names");
	if (ca->dns_name[strspn(
		ca->dns_name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")] != '\0' ||
	    ca->dns_name[0] == '.')
		return ERR(e, E_INVALIDARG, "ServerName '%.80s' is not a DNS name", ca->dns_name);
	ca->short_host = pool_strndup(ca->pool, ca->dns_name, strcspn(ca->dns_name, "."));
	if (ca->short_host == NULL || sid_from_wire(&ca->domain.domain, f->domain_sid, NULL, e) != 0)
		return ERR(e, E_FAIL, "the directory's domain has no SID");
	ca->domain.root = ca->domain.domain;
	return 0;
}

/* The CA is called what its certificate says: the last common name of the subject. */
static int
name_from_certificate(struct ca *ca, struct err *e)
{
	struct der outer = der_over(x509_ca_subject(ca->x509)), rdns, set, pair;

	if (der_enter(&outer, DER_SEQUENCE, &rdns, "CA subject", e) != 0)
		return -1;
	while (!der_at_end(&rdns)) {
		struct der_item value;
		struct bytes oid;
		const char *label;

		if (der_enter(&rdns, DER_SET, &set, "RDN", e) != 0 ||
		    der_enter(&set, DER_SEQUENCE, &pair, "attribute", e) != 0 ||
		    der_get_oid(&pair, &oid, "type", e) != 0 || der_next(&pair, &value, "value", e) != 0)
			return -1;
		label = x509_attribute_label(oid);
		if (label == NULL || strcmp(label, "CN") != 0)
			continue;
		ca->name = x509_rdn_text(ca->pool, value.tag, value.body, e);
		if (ca->name == NULL)
			return -1;
	}
	if (ca->name == NULL)
		return ERR(e, E_INVALIDARG, "the CA certificate has no common name");
	return 0;
}

int
ca_names_set(struct ca *ca, struct err *e)
{
	const char *wanted = ca->settings.common_name;

	if (name_from_certificate(ca, e) != 0)
		return -1;
	if (wanted[0] != '\0' && strcmp(wanted, ca->name) != 0)
		return ERR(e, E_INVALIDARG, "CommonName is '%.40s', but the CA certificate says '%.40s'",
		    wanted, ca->name);
	ca->sanitized = ca_name_sanitize(ca->pool, ca->name, e);
	if (ca->sanitized == NULL)
		return -1;
	ca->short_name = ca_name_shorten(ca->pool, ca->sanitized, e);
	if (ca->short_name == NULL)
		return -1;
	ca->config_string = pool_printf(ca->pool, "%s\\%s", ca->dns_name, ca->name);
	return ca->config_string != NULL ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for names");
}
