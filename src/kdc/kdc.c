#include "kdc/kdc.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "dir/child.h"
#include "dir/dir.h"
#include "dir/errand.h"
#include "kdc/kdc_priv.h"

#define KDC_POOL_MAX (1u << 20)
#define START_TRIES 4 /* a port may be taken between the look and krb5kdc's bind */
#define RESTART_MS 500

enum kdc_state {
	KDC_PREPARING, /* database and keytab */
	KDC_FILLING,   /* the accounts come in for the first time */
	KDC_STARTING,  /* krb5kdc has not said that it serves */
	KDC_UP,
	KDC_FAILED, /* the start failed and has been told */
};

struct kdc {
	struct kdc_config cfg;
	enum kdc_state state;
	struct pool *pool;
	struct kdc_files files;
	const char *host;
	unsigned port, tries, updates;
	struct errand *errand;
	bool busy;                         /* the errand runs, or the accounts are being read */
	bool dirty;                        /* the domain has changed since the accounts were asked for */
	struct kdc_accounts *now, *before; /* being brought in; in the database */
	size_t changes;
	struct child *child;
	char *argv[4];
	struct event *ev_restart;
	kdc_ready_fn *ready; /* NULL once told */
	void *ready_arg;
	/* A search of the directory that outlives us finds NULL in here. */
	struct kdc **search;
};

static void
tell(struct kdc *k, const char *text)
{
	k->cfg.on_event(k->cfg.arg, text);
}

static void
end_start(struct kdc *k, const struct err *e)
{
	kdc_ready_fn *ready = k->ready;

	if (e != NULL)
		k->state = KDC_FAILED;
	k->ready = NULL;
	if (ready != NULL)
		ready(k->ready_arg, e);
}

/* ---- krb5kdc ---- */

static int
launch(struct kdc *k, struct err *e)
{
	k->tries++;
	if (kdc_files_choose_port(&k->files, k->cfg.address, &k->port, e) != 0 ||
	    kdc_files_write(&k->files, k->cfg.address, k->port, e) != 0)
		return -1;
	return child_start(k->child, e);
}

static void
on_said(void *arg, const char *text)
{
	struct kdc *k = arg;

	if (k->state != KDC_STARTING || strstr(text, "commencing operation") == NULL)
		return;
	k->state = KDC_UP;
	k->tries = 0;
	log_info(main, "KDC of %s on port %u", k->files.realm, k->port);
	end_start(k, NULL);
}

static void
on_died(void *arg, const char *why)
{
	static const struct timeval later = { 0, RESTART_MS * 1000 };
	struct kdc *k = arg;
	struct err e;

	if (k->ready != NULL && k->tries < START_TRIES && launch(k, &e) == 0)
		return;
	if (k->ready != NULL) {
		(void)ERR(&e, E_FAIL, "%s", why);
		end_start(k, &e);
		return;
	}
	k->state = KDC_STARTING;
	tell(k, why);
	(void)evtimer_add(k->ev_restart, &later);
}

/* On the same port, if it is still free; clients have it in their configuration. */
static void
on_restart(evutil_socket_t fd, short what, void *arg)
{
	struct kdc *k = arg;
	struct err e;

	(void)fd;
	(void)what;
	if (launch(k, &e) != 0)
		tell(k, e.msg);
}

/* ---- accounts ---- */

static void
read_accounts(struct kdc *k);

static void
keep_accounts(struct kdc *k)
{
	kdc_accounts_free(k->before);
	k->before = k->now;
	k->now = NULL;
}

static int
update(void *arg, const atomic_bool *cancel, struct err *e)
{
	struct kdc *k = arg;

	(void)cancel;
	return kdc_database_update(&k->files, k->host, k->now, k->before, e);
}

static void
on_updated(void *arg, const struct err *e)
{
	struct kdc *k = arg;
	char text[96];
	struct err why;

	k->busy = false;
	if (e != NULL) {
		kdc_accounts_free(k->now);
		k->now = NULL;
		tell(k, e->msg);
	} else {
		k->updates++;
		keep_accounts(k);
		(void)snprintf(text, sizeof(text), "KDC: %zu principal%s follow%s the directory", k->changes,
		    k->changes == 1 ? "" : "s", k->changes == 1 ? "s" : "");
		if (k->state != KDC_FILLING)
			tell(k, text);
	}
	if (k->state == KDC_FILLING && e == NULL) {
		k->state = KDC_STARTING;
		if (launch(k, &why) != 0)
			e = &why;
	}
	if (k->ready != NULL && e != NULL)
		end_start(k, e);
	else if (k->dirty)
		read_accounts(k);
}

static void
on_accounts(void *arg, const struct dir_result *res, const struct err *e)
{
	struct kdc **search = arg, *k = *search;
	struct errand_job job;
	struct err why;

	free(search);
	if (k == NULL)
		return;
	k->search = NULL;
	k->busy = false;
	if (e == NULL) {
		k->now = kdc_accounts_read(res, &why);
		if (k->now == NULL)
			e = &why;
	}
	if (e == NULL) {
		k->changes = kdc_accounts_compare(k->now, k->before);
		job = (struct errand_job){ update, on_updated, k };
		if (k->changes == 0 && k->state != KDC_FILLING)
			keep_accounts(k);
		else if (errand_start(k->errand, &job, &why) == 0)
			k->busy = true;
		else
			e = &why;
	}
	if (e != NULL && k->ready != NULL)
		end_start(k, e);
	else if (e != NULL)
		tell(k, e->msg); /* the directory's next sign of life brings another try */
	else if (k->dirty && !k->busy)
		read_accounts(k);
}

static void
read_accounts(struct kdc *k)
{
	struct dir_query q = { .base = dir_forest(k->cfg.dir)->domain_dn,
		.scope = DIR_SUB,
		.filter = KDC_ACCOUNT_FILTER,
		.attrs = kdc_account_attrs };
	struct err e;

	k->dirty = false;
	k->search = malloc(sizeof(*k->search));
	if (k->search == NULL) {
		(void)ERR(&e, E_OUTOFMEMORY, "out of memory");
	} else {
		*k->search = k;
		if (dir_search_start(k->cfg.dir, &q, on_accounts, k->search, &e) == 0) {
			k->busy = true;
			return;
		}
		free(k->search);
		k->search = NULL;
	}
	if (k->ready != NULL)
		end_start(k, &e);
	else
		tell(k, e.msg);
}

static void
on_domain_changed(void *arg)
{
	struct kdc *k = arg;

	k->dirty = true;
	if (!k->busy && k->state != KDC_FAILED)
		read_accounts(k);
}

/* ---- life ---- */

static int
prepare(void *arg, const atomic_bool *cancel, struct err *e)
{
	struct kdc *k = arg;

	(void)cancel;
	return kdc_database_prepare(&k->files, k->host, e);
}

static void
on_prepared(void *arg, const struct err *e)
{
	struct kdc *k = arg;
	struct err why;

	k->busy = false;
	k->state = KDC_FILLING;
	if (e == NULL && dir_watch_domain(k->cfg.dir, on_domain_changed, k, &why) != 0)
		e = &why;
	if (e != NULL)
		end_start(k, e);
	else
		read_accounts(k);
}

static int
begin(struct kdc *k, struct err *e)
{
	struct errand_job job = { prepare, on_prepared, k };
	struct child_config cc = { .base = k->cfg.base,
		.name = "krb5kdc",
		.program = KRB5KDC_PROGRAM,
		.package = "krb5-kdc",
		.said = on_said,
		.died = on_died,
		.arg = k };

	k->pool = pool_new(KDC_POOL_MAX);
	k->ev_restart = evtimer_new(k->cfg.base, on_restart, k);
	k->host = k->pool == NULL ? NULL : pool_strdup(k->pool, k->cfg.host);
	if (k->host != NULL)
		k->cfg.address = pool_strdup(k->pool, k->cfg.address);
	if (k->ev_restart == NULL || k->host == NULL || k->cfg.address == NULL)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	if (kdc_files_init(&k->files, k->pool, k->cfg.state_dir, dir_forest(k->cfg.dir)->dns_domain, e) !=
		0 ||
	    kdc_files_choose_port(&k->files, k->cfg.address, &k->port, e) != 0 ||
	    kdc_files_write(&k->files, k->cfg.address, k->port, e) != 0)
		return -1;
	k->argv[0] = (char *)(uintptr_t) "krb5kdc";
	k->argv[1] = (char *)(uintptr_t) "-n";
	cc.argv = k->argv;
	cc.env = k->files.env;
	k->child = child_new(&cc, e);
	k->errand = k->child == NULL ? NULL : errand_new(k->cfg.base, e);
	if (k->errand == NULL || errand_start(k->errand, &job, e) != 0)
		return -1;
	k->busy = true;
	return 0;
}

struct kdc *
kdc_start(const struct kdc_config *cfg, kdc_ready_fn *ready, void *arg, struct err *e)
{
	struct kdc *k = calloc(1, sizeof(*k));

	if (k == NULL) {
		(void)ERR(e, E_OUTOFMEMORY, "out of memory");
		return NULL;
	}
	k->cfg = *cfg;
	k->ready = ready;
	k->ready_arg = arg;
	if (begin(k, e) == 0)
		return k;
	kdc_free(k);
	return NULL;
}

void
kdc_free(struct kdc *k)
{
	if (k == NULL)
		return;
	if (k->search != NULL)
		*k->search = NULL;
	errand_free(k->errand); /* waits for a job */
	child_free(k->child);
	kdc_accounts_free(k->now);
	kdc_accounts_free(k->before);
	if (k->ev_restart != NULL)
		event_free(k->ev_restart);
	pool_free(k->pool);
	free(k);
}

const char *
kdc_realm(const struct kdc *k)
{
	return k->files.realm;
}

unsigned
kdc_port(const struct kdc *k)
{
	return k->port;
}

const char *
kdc_krb5_conf(const struct kdc *k)
{
	return k->files.krb5_conf;
}

const char *
kdc_keytab(const struct kdc *k)
{
	return k->files.keytab;
}

unsigned
kdc_updates(const struct kdc *k)
{
	return k->updates;
}
