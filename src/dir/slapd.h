/* The embedded directory: slapd's files in <state>/slapd, its configuration, and the child process. */
#ifndef ADCSD_DIR_SLAPD_H
#define ADCSD_DIR_SLAPD_H

#include "dir/dir.h"

#define SLAPD_PROGRAM "/usr/sbin/slapd"
#define SLAPD_MODULES "/usr/lib/ldap"
/* Our own identity in it: the rootdn of both databases. */
#define SLAPD_ROOT "cn=adcsd"

/* Where things are; every text lives in one pool. */
struct slapd_files {
	const char *program;
	const char *schema_dir;
	const char *home;    /* <state>/slapd */
	const char *data;    /* <home>/data: both databases and the names; complete or absent */
	const char *seeding; /* <home>/seeding: what becomes data */
	const char *conf;    /* <home>/slapd.conf */
	const char *socket;  /* <home>/ldapi */
	const char *uri;     /* ldapi://%2F... */
};
/* Fails when the socket's path is too long for a socket address. */
int
slapd_files_init(struct slapd_files *f, struct pool *pool, const char *program, const char *state_dir,
    const char *schema_dir, struct err *e) MUST_CHECK;

/* The naming contexts of a state, settled when it was seeded. */
struct slapd_names {
	const char *domain_dn, *config_dn;
};
/* Writes conf (and its rootDSE) for the databases under data. */
int
slapd_write_config(const struct slapd_files *f, const struct slapd_names *names, const char *conf,
    const char *data, struct err *e) MUST_CHECK;
/* The line of slapd's output that says what is wrong, in buf, or "". Consumes text. */
const char *
slapd_last_words(char *text);

/* ---- the child ---- */

struct slapd;

struct slapd *
slapd_new(struct event_base *base, const struct slapd_files *f, void (*died)(void *arg, const char *why),
    void *arg, struct err *e) MUST_CHECK;
/* SIGTERM, SIGKILL after 0.8 s; waits. NULL is fine. */
void
slapd_free(struct slapd *s);
/* On the thread that runs the loop: the child dies with the thread that started it. died runs when it ends.
 */
int
slapd_start(struct slapd *s, struct err *e) MUST_CHECK;
/* Asks it to end; died tells when it has. */
void
slapd_end(struct slapd *s);
bool
slapd_running(const struct slapd *s);

#endif
