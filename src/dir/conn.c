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

#define CONN_BUCKETS 64
#define CONN_DRAIN 256               /* messages taken before the loop gets its turn again */
#define CONN_RETRY_US 1500           /* between two attempts while nobody listens */
#define CONN_UNSENT_MAX (128 * 1024) /* octets in the socket above which the server counts as busy */
#define CONN_RESULT_MAX (64u << 20)  /* octets one search may return */

/* A result entry under collection. */
struct found {
	struct dir_entry entry;
	struct found *next;
};

struct op {
	struct op *next; /* in its bucket */
	int msgid;
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
	struct op *buckets[CONN_BUCKETS];
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
		if (c->ld != NULL || rc != LDAP_SERVER_DOWN || clock_monotonic_us() >= give_up || atomic_load(cancel))
			break;
		usleep(CONN_RETRY_US);
	}
	if (c->ld == NULL) {
		(void)ERR(e, ldap_code_to_hresult(rc, NULL), "directory %s: %s", uri, ldap_err2string(rc));
		free(c);
		return NULL;
	}
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
	struct op **at = &op->conn->buckets[op->msgid % CONN_BUCKETS];

	while (*at != op)
		at = &(*at)->next;
	*at = op->next;
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
			(void)ERR(&why, E_OUTOFMEMORY, "the directory's answer is larger than %u octets", CONN_RESULT_MAX);
			e = &why;
		}
	}
	for (f = op->first; e == NULL && f != NULL; f = f->next)
		all[res.n++] = f->entry;
	res.entries = all;
	op->cb(op->arg, e == NULL ? &res : NULL, e);
	op_free(op);
}

static void
on_overdue(evutil_socket_t fd, short what, void *arg)
{
	struct op *op = arg;
	struct err e;

	(void)fd;
	(void)what;
	ldap_abandon_ext(op->conn->ld, op->msgid, NULL, NULL);
	(void)ERR(&e, E_TIMEOUT, "the directory did not answer within %d seconds", CONN_OPERATION_SECONDS);
	op_finish(op, &e);
}

/* A new operation needs a living connection whose server reads what it is sent: libldap would block on a full socket. */
static int
check_usable(struct conn *c, struct err *e)
{
	int fd, unsent = 0;

	if (c->dead)
		return ERR(e, E_DS_SERVER_DOWN, "the connection to the directory is lost");
	if (ldap_get_option(c->ld, LDAP_OPT_DESC, &fd) == LDAP_OPT_SUCCESS && ioctl(fd, SIOCOUTQ, &unsent) == 0 &&
	    unsent > CONN_UNSENT_MAX)
		return ERR(e, E_DS_BUSY, "the directory does not read its requests");
	return 0;
}

static struct op *
op_new(struct conn *c, void *arg, struct err *e)
{
	struct op *op = calloc(1, sizeof(*op));

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

/* Books a sent operation. rc is libldap's verdict on sending; consumes op. */
static int
op_sent(struct op *op, int rc, int msgid, bool timed, struct err *e)
{
	static const struct timeval limit = { CONN_OPERATION_SECONDS, 0 };
	struct conn *c = op->conn;
	struct op **bucket;

	if (rc != LDAP_SUCCESS) {
		op_free(op);
		return ERR(e, ldap_code_to_hresult(rc, NULL), "directory: %s", ldap_err2string(rc));
	}
	op->msgid = msgid;
	if (timed) {
		op->timer = evtimer_new(event_get_base(c->ev), on_overdue, op);
		if (op->timer == NULL || evtimer_add(op->timer, &limit) != 0) {
			ldap_abandon_ext(c->ld, msgid, NULL, NULL);
			op_free(op);
			return ERR(e, E_OUTOFMEMORY, "no timer for a directory operation");
		}
	}
	bucket = &c->buckets[msgid % CONN_BUCKETS];
	op->next = *bucket;
	*bucket = op;
	return 0;
}

int
conn_search(struct conn *c, const struct dir_query *q, dir_done_fn *cb, void *arg, struct err *e)
{
	static const int scopes[] = { [DIR_BASE] = LDAP_SCOPE_BASE, [DIR_ONE] = LDAP_SCOPE_ONELEVEL,
		[DIR_SUB] = LDAP_SCOPE_SUBTREE };
	struct timeval limit = { CONN_OPERATION_SECONDS, 0 };
	struct op *op;
	int rc, msgid = 0;

	if (check_usable(c, e) != 0)
		return -1;
	op = op_new(c, arg, e);
	if (op == NULL)
		return -1;
	op->cb = cb;
	rc = ldap_search_ext(c->ld, q->base, scopes[q->scope], q->filter, (char **)(uintptr_t)q->attrs, 0, NULL, NULL,
	    &limit, LDAP_NO_LIMIT, &msgid);
	return op_sent(op, rc, msgid, true, e);
}

/* LDAPMods as libldap wants them, pointing into what the caller gave; in op's pool. */
static LDAPMod **
make_mods(struct pool *pool, const struct dir_mod *mods, size_t n)
{
	static const int ops[] = { [DIR_MOD_ADD] = LDAP_MOD_ADD, [DIR_MOD_DELETE] = LDAP_MOD_DELETE,
		[DIR_MOD_REPLACE] = LDAP_MOD_REPLACE };
	LDAPMod **out = pool_calloc(pool, n + 1, sizeof(LDAPMod *));
	struct berval *v;
	size_t i, k;

	for (i = 0; out != NULL && i < n; i++) {
		out[i] = POOL_NEW(pool, LDAPMod);
		if (out[i] == NULL)
			return NULL;
		out[i]->mod_op = ops[mods[i].op] | LDAP_MOD_BVALUES;
		out[i]->mod_type = (char *)(uintptr_t)mods[i].attr;
		out[i]->mod_bvalues = pool_calloc(pool, mods[i].n + 1, sizeof(struct berval *));
		v = pool_calloc(pool, mods[i].n, sizeof(*v));
		if (out[i]->mod_bvalues == NULL || v == NULL)
			return NULL;
		for (k = 0; k < mods[i].n; k++) {
			v[k].bv_val = (char *)(uintptr_t)mods[i].values[k].p;
			v[k].bv_len = mods[i].values[k].len;
			out[i]->mod_bvalues[k] = &v[k];
		}
		if (mods[i].n == 0)
			out[i]->mod_bvalues = NULL; /* the whole attribute */
	}
	return out;
}

static int
change(struct conn *c, const char *dn, const struct dir_mod *mods, size_t n, bool add, dir_done_fn *cb, void *arg,
    struct err *e)
{
	LDAPMod **list;
	struct op *op;
	int rc, msgid = 0;

	if (check_usable(c, e) != 0)
		return -1;
	op = op_new(c, arg, e);
	if (op == NULL)
		return -1;
	op->cb = cb;
	list = make_mods(op->pool, mods, n);
	if (list == NULL)
		rc = LDAP_NO_MEMORY;
	else
		rc = add ? ldap_add_ext(c->ld, dn, list, NULL, NULL, &msgid) :
			   ldap_modify_ext(c->ld, dn, list, NULL, NULL, &msgid);
	return op_sent(op, rc, msgid, true, e);
}

int
conn_modify(struct conn *c, const char *dn, const struct dir_mod *mods, size_t n, dir_done_fn *cb, void *arg,
    struct err *e)
{
	return change(c, dn, mods, n, false, cb, arg, e);
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
	rc = change(c, entry->dn, mods, entry->n_attrs, true, cb, arg, e);
	free(mods);
	return rc;
}

int
conn_sync(struct conn *c, const char *base, conn_sync_fn *cb, void *arg, struct err *e)
{
	/* syncRequestValue ::= SEQUENCE { mode refreshAndPersist(3) }, RFC 4533 2.2 */
	static char mode[] = { 0x30, 0x03, 0x0a, 0x01, LDAP_SYNC_REFRESH_AND_PERSIST };
	LDAPControl sync = { (char *)(uintptr_t)LDAP_CONTROL_SYNC, { sizeof(mode), mode }, 1 };
	LDAPControl *controls[] = { &sync, NULL };
	struct op *op;
	int rc, msgid = 0;

	if (check_usable(c, e) != 0)
		return -1;
	op = op_new(c, arg, e);
	if (op == NULL)
		return -1;
	op->sync = cb;
	rc = ldap_search_ext(c->ld, base, LDAP_SCOPE_SUBTREE, NULL, NULL, 0, controls, NULL, NULL, LDAP_NO_LIMIT, &msgid);
	return op_sent(op, rc, msgid, false, e);
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
	if (rc >= 0)
		return;
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
