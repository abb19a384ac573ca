#include "ctl/bench_principals.h"

#include <stdio.h>
#include <string.h>

#include "auth/ntlm_hash.h"

#define PRINCIPALS_MAX 4096

static int
put_identity(struct ctl *c, const char *domain, const char *user, const char *password,
    struct ctl_remote_who *out, struct err *e)
{
	struct auth_identity *id = POOL_NEW(c->pool, struct auth_identity);

	if (id == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for principals");
	id->domain = pool_strdup(c->pool, domain);
	id->user = pool_strdup(c->pool, user);
	out->identity = id;
	return id->domain != NULL && id->user != NULL ? ntlm_hash_password(id->nt_hash, password, e)
						      : ERR(e, E_OUTOFMEMORY, "no memory for principals");
}

static int
put_tickets(struct ctl *c, const char *domain, const char *user, const char *password,
    struct bench_principals *p, struct err *e)
{
	const char *account =
	    strchr(domain, '.') != NULL ? pool_printf(c->pool, "%s@%s", user, domain) : user;

	if (account == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for principals");
	p->tickets[p->n] = auth_tickets_new(account, password, e);
	p->v[p->n].tickets = p->tickets[p->n];
	return p->tickets[p->n] != NULL ? 0 : -1;
}

/* The line is cut up. */
static int
put_line(struct bench_principals *p, struct ctl *c, char *line, bool ticket, struct err *e)
{
	char *slash = strchr(line, '\\'), *colon = strchr(line, ':');
	const char *domain = "", *user = line;
	int rc;

	if (colon == NULL || (slash != NULL && slash > colon) ||
	    (slash == NULL && memchr(line, '@', (size_t)(colon - line)) == NULL))
		return ERR(e, E_INVALIDARG, "lines are DOMAIN\\name:password or name@REALM:password");
	*colon = '\0';
	if (slash != NULL) {
		*slash = '\0';
		domain = line;
		user = slash + 1;
	}
	rc = ticket ? put_tickets(c, domain, user, colon + 1, p, e)
		    : put_identity(c, domain, user, colon + 1, &p->v[p->n], e);
	p->n += rc == 0;
	return rc;
}

int
bench_principals_read(struct bench_principals *p, struct ctl *c, const char *path, struct err *e)
{
	FILE *f = fopen(path, "r");
	char line[512];
	bool ticket;
	int rc = ctl_remote_takes_tickets(c, &ticket, e);

	p->v = pool_calloc(c->pool, PRINCIPALS_MAX, sizeof(*p->v));
	p->tickets = pool_calloc(c->pool, PRINCIPALS_MAX, sizeof(*p->tickets));
	if (rc == 0 && f == NULL)
		rc = ERR(e, E_FILE_NOT_FOUND, "%.100s cannot be read", path);
	if (rc == 0 && (p->v == NULL || p->tickets == NULL))
		rc = ERR(e, E_OUTOFMEMORY, "no memory for principals");
	while (rc == 0 && p->n < PRINCIPALS_MAX && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		if (*line != '\0' && put_line(p, c, line, ticket, e) != 0)
			rc = err_prefix(e, "%.80s", path);
	}
	if (f != NULL)
		fclose(f);
	explicit_bzero(line, sizeof(line));
	return rc == 0 && p->n == 0 ? ERR(e, E_INVALIDARG, "%.80s names nobody", path) : rc;
}

int
bench_principals_load(struct bench_principals *p, struct ctl *c, struct client_load *load, struct err *e)
{
	const struct client_auth *like = load->principals;
	struct client_auth *list = pool_calloc(c->pool, p->n, sizeof(*list));

	if (list == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for principals");
	for (size_t i = 0; i < p->n; i++) {
		list[i] = *like;
		list[i].identity = p->v[i].identity;
		list[i].tickets = p->v[i].tickets;
		if (p->tickets[i] != NULL && auth_tickets_fetch(p->tickets[i], like->target, e) != 0)
			return err_prefix(e, "principal %zu", i + 1);
	}
	load->principals = list;
	load->n_principals = p->n;
	return 0;
}

void
bench_principals_fini(struct bench_principals *p)
{
	for (size_t i = 0; i < p->n; i++)
		auth_tickets_free(p->tickets[i]);
	p->n = 0;
}
