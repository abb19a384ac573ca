#include "dir/conn.h"

#include <event2/event.h>
#include <fcntl.h>
#include <ldap.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "dir/message.h"
#include "dir/request.h"

#define CONN_BUCKETS 64
#define CONN_DRAIN 256         /* messages taken before the loop gets its turn again */
#define CONN_RETRY_US 1500     /* between two attempts while nobody listens */
#define CONN_IN_FLIGHT 64      /* operations the server has at once; slapd closes on too many */
#define CONN_WAITING_MAX 16384 /* operations that wait for one of these places */
#define CONN_UNSENT_MAX                                                                                      \
	(128 * 1024) /* octets in the socket above which nothing is sent: libldap would block */
#define CONN_RESULT_MAX (64u << 20) /* octets one search may return */

/* A result entry under collection. */
struct found {
	struct dir_entry entry;
	struct found *next;
};

struct op {
	struct op *next; /* in its bucket, or among the waiting */
	bool sent;
	int msgid;
	struct request request;
	struct conn *conn;
	struct event *timer;
	struct pool *pool;
	struct found *first, **tail;
	size_t n;
	bool failed; /* the result did not fit */
	dir_done_fn *cb;
	conn_sync_fn *sync; /* instead of cb */
	void *arg;
};

struct conn {
	LDAP *ld;
	struct event *ev;
	void (*lost)(void *arg, const struct err *e);
	void *lost_arg;
	struct op *buckets[CONN_BUCKETS]; /* sent, by message id */
	size_t in_flight;
	struct op *waiting, **waiting_tail;
	size_t n_waiting;
	bool dead; /* takes no more operations */
};

/* ---- connecting, on the helper thread ---- */

static LDAP *
try_open(const char *uri, int *rc)
{
	static const struct timeval limit = { CONN_OPERATION_SECONDS, 0 };
	struct berval none = { 0, (char[]){ "" } };
	int version = LDAP_VERSION3;
	LDAP *ld = NULL;

	*rc = ldap_initialize(&ld, uri);
	if (*rc != LDAP_SUCCESS)
		return NULL;
	ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version);
	ldap_set_option(ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
	ldap_set_option(ld, LDAP_OPT_RESTART, LDAP_OPT_ON);
	ldap_set_option(ld, LDAP_OPT_NETWORK_TIMEOUT, &limit);
	ldap_set_option(ld, LDAP_OPT_TIMEOUT, &limit);
	*rc = ldap_sasl_bind_s(ld, NULL, "EXTERNAL", &none, NULL, NULL, NULL);
	if (*rc == LDAP_SUCCESS)
		return ld;
	ldap_unbind_ext(ld, NULL, NULL);
	return NULL;
}

struct conn *
conn_open(const char *uri, unsigned wait_ms, const atomic_bool *cancel, struct err *e)
{
	uint64_t give_up = clock_monotonic_us() + (uint64_t)wait_ms * 1000;
	struct conn *c = calloc(1, sizeof(*c));
	int rc, fd;

	if (c == NULL) {
		(void)ERR(e, E_OUTOFMEMORY, "out of memory");
		return NULL;
	}
	for (;;) {
		c->ld = try_open(uri, &rc);
		if (c->ld != NULL || (rc != LDAP_SERVER_DOWN && rc != LDAP_TIMEOUT) ||
		    clock_monotonic_us() >= give_up || atomic_load(cancel))
			break;
		usleep(CONN_RETRY_US);
	}
	if (c->ld == NULL) {
		(void)ERR(e, ldap_code_to_hresult(rc, NULL), "directory %s: %s", uri, ldap_err2string(rc));
		free(c);
		return NULL;
	}
	c->waiting_tail = &c->waiting;
	if (ldap_get_option(c->ld, LDAP_OPT_DESC, &fd) == LDAP_OPT_SUCCESS)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	return c;
}

/* ---- operations ---- */

/* Secrets that a search brought do not stay in freed memory. */
static void
wipe_secrets(struct op *op)
{
	static const char *const secrets[] = { "unicodePwd", "userPassword" };
	const struct dir_attr *a;
	struct found *f;
	size_t i, k;

	for (f = op->first; f != NULL; f = f->next)
		for (i = 0; i < ARRAY_LEN(secrets); i++) {
			a = dir_entry_attr(&f->entry, secrets[i]);
			for (k = 0; a != NULL && k < a->n; k++)
				explicit_bzero((void *)(uintptr_t)a->values[k].p, a->values[k].len);
		}
}

static void
op_free(struct op *op)
{
	if (op->timer != NULL)
		event_free(op->timer);
	wipe_secrets(op);
	pool_free(op->pool);
	free(op);
}

static void
op_unlink(struct op *op)
{
	struct conn *c = op->conn;
	struct op **at = op->sent ? &c->buckets[op->msgid % CONN_BUCKETS] : &c->waiting;

	while (*at != op)
		at = &(*at)->next;
	if (c->waiting_tail == &op->next)
		c->waiting_tail = at;
	*at = op->next;
	if (op->sent)
		c->in_flight--;
	else
		c->n_waiting--;
}

/* Ends an operation: out of the table first, so that its callback may do what it likes. */
static void
op_finish(struct op *op, const struct err *e)
{
	struct dir_result res = { 0 };
	struct dir_entry *all = NULL;
	struct err why;
	struct found *f;

	op_unlink(op);
	if (op->sync != NULL) {
		op_free(op);
		return;
	}
	if (e == NULL) {
		all = pool_calloc(op->pool, op->n, sizeof(*all));
		if (all == NULL || op->failed) {
			(void)ERR(&why, E_OUTOFMEMORY, "the directory's answer is larger than %u octets",
			    CONN_RESULT_MAX);
			e = &why;
		}
	}
	for (f = op->first; e == NULL && f != NULL; f = f->next)
		all[res.n++] = f->entry;
	res.entries = all;
	op->cb(op->arg, e == NULL ? &res : NULL, e);
	op_free(op);
}

/* ---- sending ---- */

static bool
may_send(const struct conn *c)
{
	int fd, unsent = 0;

	return c->in_flight < CONN_IN_FLIGHT &&
	    (ldap_get_option(c->ld, LDAP_OPT_DESC, &fd) != LDAP_OPT_SUCCESS ||
		ioctl(fd, SIOCOUTQ, &unsent) != 0 || unsent <= CONN_UNSENT_MAX);
}

/* Sends an operation that is in no list and books it under its message id. */
static int
op_transmit(struct op *op, struct err *e)
{
	struct conn *c = op->conn;
	struct op **bucket;
	int rc, msgid = 0;

	rc = request_send(&op->request, c->ld, CONN_OPERATION_SECONDS, &msgid);
	if (rc != LDAP_SUCCESS)
		return ERR(e, ldap_code_to_hresult(rc, NULL), "directory: %s", ldap_err2string(rc));
	bucket = &c->buckets[msgid % CONN_BUCKETS];
	op->msgid = msgid;
	op->sent = true;
	op->next = *bucket;
	*bucket = op;
	c->in_flight++;
	return 0;
}

static void
op_wait(struct op *op)
{
	struct conn *c = op->conn;

	op->next = NULL;
	*c->waiting_tail = op;
	c->waiting_tail = &op->next;
	c->n_waiting++;
}

/* Sends what waits, as far as there is room. */
static void
pump(struct conn *c)
{
	struct op *op;
	struct err e;

	while (c->waiting != NULL && may_send(c)) {
		op = c->waiting;
		op_unlink(op);
		if (op_transmit(op, &e) == 0)
			continue;
		op_wait(op);
		op_finish(op, &e);
	}
}

static void
on_overdue(evutil_socket_t fd, short what, void *arg)
{
	struct op *op = arg;
	struct conn *c = op->conn;
	struct err e;

	(void)fd;
	(void)what;
	if (op->sent)
		ldap_abandon_ext(c->ld, op->msgid, NULL, NULL);
	(void)ERR(&e, E_TIMEOUT, "the directory did not answer within %d seconds", CONN_OPERATION_SECONDS);
	op_finish(op, &e);
	pump(c);
}

static struct op *
op_new(struct conn *c, void *arg, struct err *e)
{
	struct op *op;

	if (c->dead) {
		(void)ERR(e, E_DS_SERVER_DOWN, "the connection to the directory is lost");
		return NULL;
	}
	op = calloc(1, sizeof(*op));
	if (op != NULL)
		op->pool = pool_new(CONN_RESULT_MAX);
	if (op == NULL || op->pool == NULL) {
		(void)ERR(e, E_OUTOFMEMORY, "out of memory");
		free(op);
		return NULL;
	}
	op->conn = c;
	op->arg = arg;
	op->tail = &op->first;
	return op;
}

/* Sends now or later. rc is the verdict on making the request; consumes op when anything fails. */
static int
op_start(struct op *op, int rc, struct err *e)
{
	static const struct timeval limit = { CONN_OPERATION_SECONDS, 0 };
	struct conn *c = op->conn;

	if (rc == 0 && op->sync == NULL) {
		/* The limit counts from now, not from when the loop woke: whoever calls may have made a key
		 * since. */
		(void)event_base_update_cache_time(event_get_base(c->ev));
		op->timer = evtimer_new(event_get_base(c->ev), on_overdue, op);
		if (op->timer == NULL || evtimer_add(op->timer, &limit) != 0)
			rc = ERR(e, E_OUTOFMEMORY, "no timer for a directory operation");
	}
	if (rc == 0 && c->waiting == NULL && may_send(c))
		rc = op_transmit(op, e);
	else if (rc == 0 && c->n_waiting < CONN_WAITING_MAX)
		op_wait(op);
	else if (rc == 0)
		rc = ERR(e, E_DS_BUSY, "%d operations wait for the directory", CONN_WAITING_MAX);
	if (rc != 0)
		op_free(op);
	return rc;
}

int
conn_search(struct conn *c, const struct dir_query *q, dir_done_fn *cb, void *arg, struct err *e)
{
	struct op *op = op_new(c, arg, e);

	if (op == NULL)
		return -1;
	op->cb = cb;
	return op_start(op, request_search(&op->request, op->pool, q, e), e);
}

static int
change(struct conn *c, bool add, const char *dn, const struct dir_mod *mods, size_t n, dir_done_fn *cb,
    void *arg, struct err *e)
{
	struct op *op = op_new(c, arg, e);

	if (op == NULL)
		return -1;
	op->cb = cb;
	return op_start(op, request_change(&op->request, op->pool, add, dn, mods, n, e), e);
}

int
conn_modify(struct conn *c, const char *dn, const struct dir_mod *mods, size_t n, dir_done_fn *cb, void *arg,
    struct err *e)
{
	return change(c, false, dn, mods, n, cb, arg, e);
}

int
conn_add(struct conn *c, const struct dir_entry *entry, dir_done_fn *cb, void *arg, struct err *e)
{
	struct dir_mod *mods = calloc(entry->n_attrs, sizeof(*mods));
	size_t i;
	int rc;

	if (mods == NULL)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	for (i = 0; i < entry->n_attrs; i++)
		mods[i] = (struct dir_mod){ DIR_MOD_ADD, entry->attrs[i].name, entry->attrs[i].values,
			entry->attrs[i].n };
	rc = change(c, true, entry->dn, mods, entry->n_attrs, cb, arg, e);
	free(mods);
	return rc;
}

int
conn_sync(struct conn *c, const char *base, conn_sync_fn *cb, void *arg, struct err *e)
{
	struct op *op = op_new(c, arg, e);

	if (op == NULL)
		return -1;
	op->sync = cb;
	return op_start(op, request_sync(&op->request, op->pool, base, e), e);
}

/* ---- answers ---- */

/* The final message of an operation. */
static void
take_result(struct op *op, LDAPMessage *msg)
{
	struct conn_sync_event ev = { .kind = SYNC_END };
	char *text = NULL;
	int rc, code = 0;
	struct err e;

	rc = ldap_parse_result(op->conn->ld, msg, &code, NULL, &text, NULL, NULL, 0);
	if (rc != LDAP_SUCCESS)
		code = rc;
	if (code != LDAP_SUCCESS || op->sync != NULL)
		(void)ERR(&e, ldap_code_to_hresult(code, text), "directory: %s%s%s", ldap_err2string(code),
		    text != NULL && *text != '\0' ? ": " : "", text != NULL ? text : "");
	ldap_memfree(text);
	if (op->sync != NULL) {
		ev.e = &e;
		op->sync(op->arg, &ev);
	}
	op_finish(op, code == LDAP_SUCCESS ? NULL : &e);
}

static void
collect_entry(struct op *op, LDAPMessage *msg)
{
	struct found *f = POOL_NEW(op->pool, struct found);

	if (f == NULL || !message_entry(op->conn->ld, msg, op->pool, &f->entry)) {
		op->failed = true;
		return;
	}
	*op->tail = f;
	op->tail = &f->next;
	op->n++;
}

static void
take_message(struct conn *c, LDAPMessage *msg)
{
	struct op *op = c->buckets[(unsigned)ldap_msgid(msg) % CONN_BUCKETS];

	while (op != NULL && op->msgid != ldap_msgid(msg))
		op = op->next;
	if (op == NULL)
		return; /* abandoned */
	switch (ldap_msgtype(msg)) {
	case LDAP_RES_SEARCH_ENTRY:
		if (op->sync != NULL)
			message_sync_entry(c->ld, msg, op->sync, op->arg);
		else
			collect_entry(op, msg);
		break;
	case LDAP_RES_INTERMEDIATE:
		if (op->sync != NULL)
			message_sync_info(c->ld, msg, op->sync, op->arg);
		break;
	case LDAP_RES_SEARCH_REFERENCE:
		break; /* other partitions are not followed */
	default:
		take_result(op, msg);
	}
}

static void
fail_all(struct conn *c, const struct err *e)
{
	size_t i;

	c->dead = true;
	for (i = 0; i < CONN_BUCKETS; i++)
		while (c->buckets[i] != NULL)
			op_finish(c->buckets[i], e);
	while (c->waiting != NULL)
		op_finish(c->waiting, e);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct timeval none = { 0, 0 };
	struct conn *c = arg;
	LDAPMessage *msg;
	struct err e;
	int rc = 1, n;

	(void)fd;
	(void)what;
	/* libldap may have read more than one message from the socket: ask until it has nothing left */
	for (n = 0; n < CONN_DRAIN; n++) {
		msg = NULL;
		rc = ldap_result(c->ld, LDAP_RES_ANY, LDAP_MSG_ONE, &none, &msg);
		if (rc <= 0)
			break;
		take_message(c, msg);
		ldap_msgfree(msg);
	}
	if (rc > 0)
		event_active(c->ev, EV_READ, 0);
	if (rc >= 0) {
		pump(c);
		return;
	}
	event_del(c->ev);
	(void)ERR(&e, E_DS_SERVER_DOWN, "the directory closed the connection");
	fail_all(c, &e);
	c->lost(c->lost_arg, &e);
}

int
conn_attach(struct conn *c, struct event_base *base, void (*lost)(void *arg, const struct err *e), void *arg,
    struct err *e)
{
	int fd;

	c->lost = lost;
	c->lost_arg = arg;
	if (ldap_get_option(c->ld, LDAP_OPT_DESC, &fd) != LDAP_OPT_SUCCESS)
		return ERR(e, E_DS_SERVER_DOWN, "the connection to the directory is lost");
	c->ev = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, c);
	if (c->ev == NULL || event_add(c->ev, NULL) != 0)
		return ERR(e, E_OUTOFMEMORY, "no event for the directory's socket");
	return 0;
}

void
conn_free(struct conn *c)
{
	struct err e;

	if (c == NULL)
		return;
	(void)ERR(&e, E_DS_UNAVAILABLE, "the connection to the directory is closed");
	fail_all(c, &e);
	if (c->ev != NULL)
		event_free(c->ev);
	ldap_unbind_ext(c->ld, NULL, NULL);
	free(c);
}
