#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dir/files.h"
#include "kdc/kdc_priv.h"

#define CONF_MAX 16384
#define ARGS_MAX 12
#define PORT_TRIES 32

int
kdc_files_init(
    struct kdc_files *f, struct pool *pool, const char *state_dir, const char *domain, struct err *e)
{
	const char **paths[] = { &f->krb5_conf, &f->kdc_conf, &f->database, &f->stash, &f->complete,
		&f->keytab, &f->dump, &f->log, &f->port_file };
	static const char *const names[] = { "krb5.conf", "kdc.conf", "principal", "stash", "complete",
		"krb5.keytab", "dump", "kdb5_util.log", "port" };
	char *realm = pool_strdup(pool, domain);
	bool ok = realm != NULL;

	for (char *p = realm; ok && *p != '\0'; p++)
		*p = (char)toupper((unsigned char)*p);
	f->realm = realm;
	f->domain = pool_strdup(pool, domain);
	f->folder = pool_printf(pool, "%s/kdc", state_dir);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		*paths[i] = pool_printf(pool, "%s/kdc/%s", state_dir, names[i]);
		ok = ok && *paths[i] != NULL;
	}
	f->env[0] = pool_printf(pool, "KRB5_CONFIG=%s", f->krb5_conf);
	f->env[1] = pool_printf(pool, "KRB5_KDC_PROFILE=%s", f->kdc_conf);
	f->env[2] = pool_strdup(pool, "LC_ALL=C");
	f->env[3] = NULL;
	if (!ok || f->domain == NULL || f->folder == NULL || f->env[0] == NULL || f->env[1] == NULL ||
	    f->env[2] == NULL)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	return 0;
}

/* ---- configuration ---- */

static void
put_host(struct buf *out, const char *address)
{
	bool any = strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
	bool v6 = strchr(address, ':') != NULL;

	buf_printf(out, v6 ? "[%s]" : "%s", !any ? address : v6 ? "::1" : "127.0.0.1");
}

/* No DNS anywhere: names are taken as they are, and the KDC is where it is. */
static int
write_krb5_conf(const struct kdc_files *f, const char *address, unsigned port, struct err *e)
{
	struct buf out;
	int rc;

	buf_init(&out, CONF_MAX);
	buf_printf(&out,
	    "# Written at each start. For clients: export KRB5_CONFIG=%s\n"
	    "[libdefaults]\n\tdefault_realm = %s\n\tdns_lookup_kdc = false\n\tdns_lookup_realm = false\n"
	    "\tdns_canonicalize_hostname = false\n\tqualify_shortname = \"\"\n\trdns = false\n"
	    "[realms]\n\t%s = {\n\t\tkdc = ",
	    f->krb5_conf, f->realm, f->realm);
	put_host(&out, address);
	buf_printf(&out, ":%u\n\t}\n[domain_realm]\n\t%s = %s\n\t.%s = %s\n[logging]\n\tkdc = STDERR\n", port,
	    f->domain, f->realm, f->domain, f->realm);
	rc = file_write(f->krb5_conf, &out, e);
	buf_fini(&out);
	return rc;
}

/* Nothing of a logon is written back, so that a KDC may be killed at any moment. */
static int
write_kdc_conf(const struct kdc_files *f, const char *address, unsigned port, struct err *e)
{
	bool v6 = strchr(address, ':') != NULL;
	struct buf out;
	int rc;

	buf_init(&out, CONF_MAX);
	for (unsigned i = 0; i < 2; i++)
		buf_printf(&out, v6 ? "%s = [%s]:%u\n" : "%s = %s:%u\n",
		    i == 0 ? "[kdcdefaults]\n\tkdc_listen" : "\tkdc_tcp_listen", address, port);
	/* AD gives out RC4 session keys to whoever asks for nothing better; MIT must be told to. */
	buf_printf(&out,
	    "[libdefaults]\n\tallow_rc4 = true\n"
	    "[realms]\n\t%s = {\n\t\tdatabase_module = db\n\t\tkey_stash_file = %s\n\t\tacl_file = "
	    "/dev/null\n"
	    "\t\tmax_life = 1d\n\t\tmax_renewable_life = 7d\n"
	    "\t\tsupported_enctypes = aes256-cts:normal aes128-cts:normal arcfour-hmac:normal\n\t}\n"
	    "[dbmodules]\n\tdb = {\n\t\tdb_library = db2\n\t\tdatabase_name = %s\n"
	    "\t\tdisable_last_success = true\n\t\tdisable_lockout = true\n\t}\n",
	    f->realm, f->stash, f->database);
	rc = file_write(f->kdc_conf, &out, e);
	buf_fini(&out);
	return rc;
}

int
kdc_files_write(const struct kdc_files *f, const char *address, unsigned port, struct err *e)
{
	struct buf out;
	int rc;

	if (folder_make(f->folder, e) != 0 || write_krb5_conf(f, address, port, e) != 0 ||
	    write_kdc_conf(f, address, port, e) != 0)
		return -1;
	buf_init(&out, 16);
	buf_printf(&out, "%u\n", port);
	rc = file_write(f->port_file, &out, e);
	buf_fini(&out);
	return rc;
}

/* ---- port ---- */

/* Binds a socket for a moment; port 0 takes a free one. The port, or 0. */
static unsigned
try_port(const char *address, int type, unsigned port)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = type }, *ai;
	struct sockaddr_storage bound;
	socklen_t len = sizeof(bound);
	char service[8], found[8] = "0";
	int fd;

	(void)snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(address, service, &hints, &ai) != 0)
		return 0;
	fd = socket(ai->ai_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 ||
	    getsockname(fd, (struct sockaddr *)&bound, &len) != 0 ||
	    getnameinfo((struct sockaddr *)&bound, len, NULL, 0, found, sizeof(found), NI_NUMERICSERV) != 0)
		(void)snprintf(found, sizeof(found), "0");
	if (fd >= 0)
		close(fd);
	freeaddrinfo(ai);
	return (unsigned)strtoul(found, NULL, 10);
}

int
kdc_files_choose_port(const struct kdc_files *f, const char *address, unsigned *port, struct err *e)
{
	unsigned last = 0, p;
	struct buf text;

	buf_init(&text, 64);
	if (file_read(f->port_file, &text, NULL) == 0)
		last = (unsigned)strtoul(buf_cstr(&text), NULL, 10);
	buf_fini(&text);
	for (unsigned i = 0; i < PORT_TRIES; i++) {
		p = try_port(address, SOCK_STREAM, i == 0 && last <= UINT16_MAX ? last : 0);
		if (p != 0 && try_port(address, SOCK_DGRAM, p) == p) {
			*port = p;
			return 0;
		}
	}
	return ERR(e, E_FAIL, "no port of %s is free for TCP and UDP", address);
}

/* ---- kdb5_util ---- */

static _Noreturn void
run_child(const struct kdc_files *f, char *const *argv)
{
	sigset_t none;
	int out;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	out = open(f->log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (out < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(126);
	execve(KDB5_UTIL_PROGRAM, argv, f->env);
	_exit(127);
}

int
kdc_files_run(const struct kdc_files *f, const char *const *args, struct err *e)
{
	char *argv[ARGS_MAX] = { (char *)(uintptr_t) "kdb5_util" };
	struct buf text;
	int status, n = 1;
	pid_t pid;

	if (access(KDB5_UTIL_PROGRAM, X_OK) != 0)
		return ERR(e, E_FILE_NOT_FOUND, "%s: %s (--kdc needs the krb5-kdc package)",
		    KDB5_UTIL_PROGRAM, strerror(errno));
	for (; args[n - 1] != NULL && n < ARGS_MAX - 1; n++)
		argv[n] = (char *)(uintptr_t)args[n - 1];
	pid = fork();
	if (pid < 0)
		return ERR(e, E_OUTOFMEMORY, "fork: %s", strerror(errno));
	if (pid == 0)
		run_child(f, argv);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return ERR(e, E_FAIL, "kdb5_util: %s", strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	buf_init(&text, 4096);
	(void)!file_read(f->log, &text, NULL);
	(void)ERR(e, E_FAIL, "kdb5_util %s: %s", args[0], buf_cstr(&text));
	buf_fini(&text);
	return -1;
}
