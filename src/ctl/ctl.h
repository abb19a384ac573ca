/* adcsctl: what the verbs share. One verb is one function; the table in verbs.c drives dispatch, help and
 * usage. */
#ifndef ADCSD_CTL_CTL_H
#define ADCSD_CTL_CTL_H

#include <jansson.h>
#include <stdbool.h>

#include "auth/sd.h"
#include "base/pool.h"

/* Documented exit codes: scripts and CI gates rely on them. */
enum { CTL_OK = 0, CTL_FAILURE = 1, CTL_USAGE = 2, CTL_PENDING = 3, CTL_DENIED = 4 };

struct ctl_ldap;
struct ctl_remote;

struct ctl {
	const char *state; /* --state or $ADCSD_STATE; NULL when only a directory is named */
	const char *uri;   /* --directory URI; NULL: the one of the running server */
	const char
	    *bind; /* --bind NAME|gssapi|external: who binds there; NULL: external on ldapi, else gssapi */
	const char *password_file; /* --password-file FILE: its first line is the password of a simple bind */
	const char *config; /* --config "host[:port]\\CA name": a CA reached over RPC, ours or a real one */
	const char *user;   /* --user: who asks it; with password_file, hash, $ADCSD_PASSWORD or a prompt */
	const char *hash;   /* --hash: the user's NT hash instead of a password */
	const char *auth;   /* --auth negotiate|ntlm|kerberos */
	const char *level;  /* --level privacy|integrity|packet|connect|none */
	bool kerberos;      /* --kerberos: the ticket cache's account asks, in place of user */
	const char *spn;    /* --spn: of the CA; NULL: host/ and its name */
	bool json;          /* --json */
	struct pool *pool;  /* everything a verb allocates; freed at the end */
	int control_fd;     /* -1 until first used */
	struct ctl_remote
	    *remote; /* not NULL: ctl_call() is answered over ICertAdminD2 (ctl/remote_call.h) */
	struct ctl_ldap *ldap;
	struct sddl_domain domain; /* filled with the first LDAP use */
	const char *domain_dn, *config_dn, *nb_domain;
	bool is_ad; /* the directory keeps names, times and GUIDs itself (AD, Samba) */
};

/* Prints "adcsctl: message" (or a JSON error with --json) and gives the exit code. */
int
ctl_fail(const struct ctl *c, const struct err *e);
int
ctl_usage(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Prints a value as JSON; takes the reference. */
int
ctl_print_json(json_t *v);

/* The first line of a file, in the pool; an empty one fails. */
const char *
ctl_password_from_file(struct ctl *c, const char *path, struct err *e) MUST_CHECK;

/* ---- control socket ---- */

/* Calls a verb of the running server; args may be NULL (reference taken). NULL with e on failure; new
 * reference. */
json_t *
ctl_call(struct ctl *c, const char *verb, json_t *args, struct err *e) MUST_CHECK;
void
ctl_control_close(struct ctl *c);

/* ---- arguments ---- */

/* Verb options, long names only: "--name VALUE", "--name=VALUE", or a flag. */
struct ctl_option {
	const char *name;  /* without the dashes; "": a heading of the help, its text in help */
	const char *value; /* placeholder in the usage; NULL: a flag */
	const char *help;
};
struct ctl_args {
	const char *const *positional;
	size_t n_positional;
	const struct ctl_option *options; /* of the verb */
	const char *const *values;        /* per option, NULL when not given; flags give "yes" */
};
/* Value of an option by name, or NULL. */
const char *
ctl_arg(const struct ctl_args *a, const char *name);

struct ctl_verb {
	const char *noun, *verb; /* verb: up to two words ("acl grant"); NULL: none ("journal") */
	const char *positional;  /* "NAME", "TEMPLATE PRINCIPAL RIGHT..." */
	unsigned min_positional, max_positional;
	const struct ctl_option *options; /* ends with name NULL; may be NULL */
	const char *help;
	int (*run)(struct ctl *c, const struct ctl_args *a);
};

extern const struct ctl_verb ctl_verbs[]; /* ends with noun NULL */
bool
ctl_takes_config(const struct ctl_verb *v);
/* A verb with --config: over RPC, or refused with the reason. */
int
ctl_run_remote(struct ctl *c, const struct ctl_verb *v, const struct ctl_args *a);

/*
 * Lays a file that "adcsctl --json ca show" wrote, or a part of it, over *o (NULL: nothing yet): its members
 * win, and its "settings" one by one. The caller frees *o.
 */
int
ctl_settings_lay(json_t **o, const char *path, struct err *e) MUST_CHECK;

/* ---- names ---- */

/*
 * A SID from what a person types: "CORP\\PFXCONN01$", "PFXCONN01$", a UPN, a group's name, a well-known name
 * ("Authenticated Users"), an SDDL alias ("DA") or "S-1-...".
 */
int
ctl_sid_from_name(struct ctl *c, const char *name, struct sid *out, struct err *e) MUST_CHECK;
/* "CORP\\Domain Users", "NT AUTHORITY\\Authenticated Users", or the SID's text. In the pool. */
const char *
ctl_name_from_sid(struct ctl *c, const struct sid *sid);

#endif
