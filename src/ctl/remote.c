#include "ctl/remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "auth/ntlm_hash.h"
#include "base/text.h"

#define EPM_PORT 135
#define TIMEOUT_S 60

/* ---- which CA ---- */

/* "host", "host:port", "[address]:port". */
static int
split_host(struct ctl *c, const char *text, size_t n, struct client_target *t, struct err *e)
{
	char *host = pool_strndup(c->pool, text, n), *colon, *end;
	unsigned long port;

	if (host == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a name");
	colon = strrchr(host, ':');
	if (*host == '[') {
		end = strchr(host, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return ERR(e, E_INVALIDARG, "'%.80s' is no host", host);
		colon = end[1] == ':' ? end + 1 : NULL;
		*end = '\0';
		host++;
	}
	t->epm_port = EPM_PORT;
	if (colon != NULL) {
		port = strtoul(colon + 1, &end, 10);
		if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || port == 0 || port > UINT16_MAX)
			return ERR(e, E_INVALIDARG, "'%.40s' is no port", colon + 1);
		t->epm_port = (uint16_t)port;
		*colon = '\0';
	}
	t->host = host;
	return *host != '\0' ? 0 : ERR(e, E_INVALIDARG, "--config names no host");
}

static int
target_of_config(struct ctl *c, struct client_target *t, struct err *e)
{
	const char *slash = strchr(c->config, '\\');

	if (slash == NULL || slash[1] == '\0')
		return ERR(e, E_INVALIDARG, "--config takes \"host\\CA name\", not '%.80s'", c->config);
	t->ca = slash + 1;
	return split_host(c, c->config, (size_t)(slash - c->config), t, e);
}

static int
target_of_server(struct ctl *c, struct client_target *t, struct err *e)
{
	json_t *o = ctl_call(c, "server.show", NULL, e);
	const char *address = json_string_value(json_object_get(o, "address"));
	const char *ca = json_string_value(json_object_get(o, "ca"));
	const char *config =
	    json_string_value(json_object_get(o, "config")); /* "ca01.corp.contoso.com\\CA" */
	json_int_t port = json_integer_value(json_object_get(json_object_get(o, "ports"), "epm"));
	int rc = 0;

	if (o == NULL)
		return err_prefix(e, "without --config");
	t->host = address != NULL ? pool_strdup(c->pool, address) : NULL;
	t->ca = ca != NULL ? pool_strdup(c->pool, ca) : NULL;
	t->epm_port = (uint16_t)port;
	if (t->host == NULL || t->ca == NULL || port <= 0 || port > UINT16_MAX)
		rc = ERR(e, E_UNEXPECTED, "the server does not tell where it is");
	/* Tickets are for the CA's host, whatever address it listens on. */
	if (c->spn == NULL && config != NULL)
		c->spn = pool_printf(c->pool, "host/%.*s", (int)strcspn(config, "\\"), config);
	json_decref(o);
	return rc;
}

/* ---- as whom ---- */

const char *
ctl_password_from_file(struct ctl *c, const char *path, struct err *e)
{
	char line[512];
	const char *s = NULL;
	FILE *f = fopen(path, "r");
	int error = errno;

	if (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		s = pool_strdup(c->pool, line);
	}
	if (f != NULL)
		fclose(f);
	explicit_bzero(line, sizeof(line));
	if (s != NULL && *s != '\0')
		return s;
	if (f == NULL)
		ERR(e, E_FILE_NOT_FOUND, "%.100s: %s", path, strerror(error));
	else
		ERR(e, E_INVALIDARG, "%.100s holds no password", path);
	return NULL;
}

static const char *
prompt(struct ctl *c, struct err *e)
{
	FILE *tty = fopen("/dev/tty", "r+");
	struct termios before, quiet;
	char line[512] = "";
	bool hidden;

	if (tty == NULL) {
		ERR(e, E_INVALIDARG, "%.60s: no password; give --password-file FILE or set ADCSD_PASSWORD",
		    c->user);
		return NULL;
	}
	fprintf(tty, "Password of %s: ", c->user);
	fflush(tty);
	hidden = tcgetattr(fileno(tty), &before) == 0;
	if (hidden) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		(void)tcsetattr(fileno(tty), TCSAFLUSH, &quiet);
	}
	if (fgets(line, sizeof(line), tty) != NULL)
		line[strcspn(line, "\r\n")] = '\0';
	if (hidden)
		(void)tcsetattr(fileno(tty), TCSAFLUSH, &before);
	fputc('\n', tty);
	fclose(tty);
	return pool_strdup(c->pool, line);
}

static int
hash_of(struct ctl *c, uint8_t out[16], struct err *e)
{
	const char *password, *colon;
	struct buf b;
	int rc;

	if (c->hash != NULL) {
		colon = strchr(c->hash, ':'); /* "LM:NT", as other tools print them */
		buf_init(&b, 64);
		rc = text_parse_hex(&b, colon != NULL ? colon + 1 : c->hash, e);
		if (rc == 0 && b.len != 16)
			rc = ERR(e, E_INVALIDARG, "--hash takes 32 hexadecimal digits");
		if (rc == 0)
			memcpy(out, b.p, 16);
		buf_wipe(&b);
		return rc;
	}
	password = c->password_file != NULL    ? ctl_password_from_file(c, c->password_file, e)
	    : getenv("ADCSD_PASSWORD") != NULL ? getenv("ADCSD_PASSWORD")
					       : prompt(c, e);
	return password != NULL ? ntlm_hash_password(out, password, e) : -1;
}

/* "DOMAIN\name", a UPN (MS-NLMP 2.2.1.3 allows it with an empty domain), or a name alone. */
static int
identity_of(struct ctl *c, struct auth_identity *id, struct err *e)
{
	const char *slash;

	if (c->user == NULL)
		return ERR(e, E_INVALIDARG, "as whom? Give --user 'DOMAIN\\name'");
	slash = strchr(c->user, '\\');
	id->domain = slash != NULL ? pool_strndup(c->pool, c->user, (size_t)(slash - c->user)) : "";
	id->user = slash != NULL ? slash + 1 : c->user;
	if (id->domain == NULL || *id->user == '\0')
		return ERR(e, E_INVALIDARG, "'%.60s' is no user", c->user);
	return hash_of(c, id->nt_hash, e);
}

static int
level_of(const struct ctl *c, enum rpc_auth_level *out, struct err *e)
{
	static const char *const names[] = { [RPC_C_AUTHN_LEVEL_NONE] = "none",
		[RPC_C_AUTHN_LEVEL_CONNECT] = "connect",
		[RPC_C_AUTHN_LEVEL_PKT] = "packet",
		[RPC_C_AUTHN_LEVEL_PKT_INTEGRITY] = "integrity",
		[RPC_C_AUTHN_LEVEL_PKT_PRIVACY] = "privacy" };

	*out = RPC_C_AUTHN_LEVEL_PKT_PRIVACY;
	if (c->level == NULL)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (names[i] != NULL && strcasecmp(names[i], c->level) == 0) {
			*out = (enum rpc_auth_level)i;
			return 0;
		}
	}
	return ERR(e, E_INVALIDARG, "--level takes none, connect, packet, integrity, privacy");
}

/* --auth and --kerberos: which tokens, and whether a ticket stands for the user. */
static int
mech_of(const struct ctl *c, enum auth_mech *mech, bool *ticket, struct err *e)
{
	static const struct {
		const char *name;
		enum auth_mech mech;
	} names[] = { { "negotiate", AUTH_MECH_SPNEGO }, { "ntlm", AUTH_MECH_NTLM },
		{ "kerberos", AUTH_MECH_KERBEROS } };
	size_t i = 0;

	while (c->auth != NULL && i < ARRAY_LEN(names) && strcasecmp(c->auth, names[i].name) != 0)
		i++;
	if (i == ARRAY_LEN(names))
		return ERR(e, E_INVALIDARG, "--auth takes negotiate, ntlm or kerberos, not '%.40s'", c->auth);
	*mech = names[i].mech;
	*ticket = c->kerberos || *mech == AUTH_MECH_KERBEROS;
	if (*ticket && *mech == AUTH_MECH_NTLM)
		return ERR(e, E_INVALIDARG, "--kerberos is not for --auth ntlm");
	if (*ticket && (c->user != NULL || c->hash != NULL))
		return ERR(e, E_INVALIDARG, "with --kerberos the ticket cache says who asks, not --user");
	return 0;
}

int
ctl_remote_takes_tickets(const struct ctl *c, bool *out, struct err *e)
{
	enum auth_mech mech;

	return mech_of(c, &mech, out, e);
}

/* who NULL: as the options say. */
static int
auth_of(struct ctl *c, const struct ctl_remote_who *who, struct client_target *t, struct err *e)
{
	struct auth_identity *id = POOL_NEW(c->pool, struct auth_identity);
	struct client_auth *a = &t->auth;
	bool ticket;

	a->target = c->spn != NULL ? c->spn : pool_printf(c->pool, "host/%s", t->host);
	if (id == NULL || a->target == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a session");
	if (mech_of(c, &a->mech, &ticket, e) != 0 || level_of(c, &a->level, e) != 0)
		return -1;
	if (who != NULL) {
		a->identity = who->identity;
		a->tickets = who->tickets;
		return 0;
	}
	if (!ticket)
		a->identity = id;
	return ticket || a->level == RPC_C_AUTHN_LEVEL_NONE ? 0 : identity_of(c, id, e);
}

struct client_session *
ctl_remote_open_as(struct ctl *c, const struct ctl_remote_who *who, struct err *e)
{
	struct client_target t = { .timeout_s = TIMEOUT_S };

	if ((c->config != NULL ? target_of_config(c, &t, e) : target_of_server(c, &t, e)) != 0 ||
	    auth_of(c, who, &t, e) != 0)
		return NULL;
	return client_session_new(&t, e);
}

struct client_session *
ctl_remote_open(struct ctl *c, struct err *e)
{
	return ctl_remote_open_as(c, NULL, e);
}
