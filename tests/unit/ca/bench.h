/*
 * A CA on a bench: a directory of a few templates and one account that takes the place of dir/ (whose objects
 * are then not linked), a state folder, a loop of its own. Header only: every test is one program.
 */
#ifndef ADCSD_TESTS_CA_BENCH_H
#define ADCSD_TESTS_CA_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "auth/access.h"
#include "ca/ca.h"
#include "dir/dir.h"

#define USER_SID "S-1-5-21-1111111111-2222222222-3333333333-1104"
#define ADMIN_SID "S-1-5-21-1111111111-2222222222-3333333333-512"
#define CA_NAME "CORP-ca01-CA"

struct later {
	struct later *next;
	void (*run)(struct later *l);
	dir_done_fn *done;
	dir_snapshot_fn *snap;
	dir_account_fn *account;
	void *arg;
	struct dir_result res;
	bool missing;
};

struct dir {
	struct pool *pool;
	struct dir_forest forest;
	struct dir_entry entries[32];
	size_t n;
	struct dir_snapshot snapshot;
	struct later *first, **tail;
	unsigned adds, modifications;
	uint8_t domain_sid[SID_WIRE_MAX];
	bool down, no_account;
};

static struct bytes
text_bytes(const char *s)
{
	return (struct bytes){ (const uint8_t *)s, strlen(s) };
}

static struct later *
later_new(struct dir *d, void (*run)(struct later *l), void *arg)
{
	struct later *l = calloc(1, sizeof(*l));

	l->run = run;
	l->arg = arg;
	*d->tail = l;
	d->tail = &l->next;
	return l;
}

static struct dir_entry *
find_entry(struct dir *d, const char *dn)
{
	for (size_t i = 0; i < d->n; i++) {
		if (strcasecmp(d->entries[i].dn, dn) == 0)
			return &d->entries[i];
	}
	return NULL;
}

static struct dir_entry *
entry_add(struct dir *d, const struct dir_entry *in)
{
	struct dir_entry *en = &d->entries[d->n++];

	en->dn = pool_strdup(d->pool, in->dn);
	en->attrs = pool_calloc(d->pool, 32, sizeof(*en->attrs));
	en->n_attrs = in->n_attrs;
	for (size_t i = 0; i < in->n_attrs; i++) {
		en->attrs[i].name = pool_strdup(d->pool, in->attrs[i].name);
		en->attrs[i].n = in->attrs[i].n;
		en->attrs[i].values = pool_calloc(d->pool, in->attrs[i].n, sizeof(struct bytes));
		for (size_t k = 0; k < in->attrs[i].n; k++)
			assert_int_equal(
			    pool_dup_bytes(d->pool, in->attrs[i].values[k], &en->attrs[i].values[k]), 0);
	}
	d->snapshot.generation++;
	return en;
}

const struct dir_attr *
dir_entry_attr(const struct dir_entry *en, const char *name)
{
	for (size_t i = 0; i < en->n_attrs; i++) {
		if (strcasecmp(en->attrs[i].name, name) == 0)
			return &en->attrs[i];
	}
	return NULL;
}

const char *
dir_entry_text(const struct dir_entry *en, const char *name)
{
	const struct dir_attr *a = dir_entry_attr(en, name);

	return a != NULL && a->n > 0 ? (const char *)a->values[0].p : NULL;
}

const struct dir_forest *
dir_forest(const struct dir *d)
{
	return &d->forest;
}

static void
run_done(struct later *l)
{
	struct err e = { 0 };

	if (l->missing)
		ERR(&e, E_DS_NO_SUCH_OBJECT, "no such object");
	l->done(l->arg, l->missing ? NULL : &l->res, l->missing ? &e : NULL);
}

static void
run_snapshot(struct later *l)
{
	struct dir_snapshot *s = (struct dir_snapshot *)(uintptr_t)l->res.entries;
	struct err e = { 0 };

	if (s == NULL)
		ERR(&e, E_DS_SERVER_DOWN, "the directory is down");
	l->snap(l->arg, s, s != NULL ? NULL : &e);
}

/* The directory's one snapshot lives as long as the directory. */
struct dir_snapshot *
dir_snapshot_ref(struct dir_snapshot *s)
{
	return s;
}

void
dir_snapshot_unref(struct dir_snapshot *s)
{
	(void)s;
}

void
dir_filter_escape(struct buf *out, struct bytes value)
{
	buf_put_bytes(out, value);
}

int
dir_snapshot_get(struct dir *d, dir_snapshot_fn *cb, void *arg, struct err *e)
{
	struct later *l = later_new(d, run_snapshot, arg);
	struct dir_entry *templates = pool_calloc(d->pool, 32, sizeof(*templates));
	struct dir_entry *services = pool_calloc(d->pool, 32, sizeof(*services));
	struct dir_entry *authorities = pool_calloc(d->pool, 32, sizeof(*authorities));

	(void)e;
	l->snap = cb;
	d->snapshot.n_templates = d->snapshot.n_services = d->snapshot.n_authorities = 0;
	for (size_t i = 0; i < d->n; i++) {
		if (dir_entry_attr(&d->entries[i], "pKIExpirationPeriod") != NULL)
			templates[d->snapshot.n_templates++] = d->entries[i];
		if (dir_entry_attr(&d->entries[i], "cACertificateDN") != NULL)
			services[d->snapshot.n_services++] = d->entries[i];
		else if (dir_entry_attr(&d->entries[i], "cACertificate") != NULL)
			authorities[d->snapshot.n_authorities++] = d->entries[i];
	}
	d->snapshot.templates = templates;
	d->snapshot.services = services;
	d->snapshot.authorities = authorities;
	l->res.entries = d->down ? NULL : (struct dir_entry *)(uintptr_t)&d->snapshot;
	return 0;
}

int
dir_search_start(struct dir *d, const struct dir_query *q, dir_done_fn *cb, void *arg, struct err *e)
{
	struct later *l = later_new(d, run_done, arg);
	struct dir_entry *en = find_entry(d, q->base);

	(void)e;
	l->done = cb;
	l->missing = en == NULL;
	l->res = (struct dir_result){ en, 1 };
	return 0;
}

int
dir_add_start(struct dir *d, const struct dir_entry *entry, dir_done_fn *cb, void *arg, struct err *e)
{
	struct later *l = later_new(d, run_done, arg);

	(void)e;
	l->done = cb;
	entry_add(d, entry);
	d->adds++;
	return 0;
}

/* REPLACE of one attribute that is there, or an ADD that is only counted. */
int
dir_modify_start(struct dir *d, const char *dn, const struct dir_mod *mods, size_t n, dir_done_fn *cb,
    void *arg, struct err *e)
{
	struct later *l = later_new(d, run_done, arg);
	struct dir_entry *en = find_entry(d, dn);

	(void)e;
	l->done = cb;
	l->missing = en == NULL;
	for (size_t i = 0; en != NULL && i < n; i++) {
		struct dir_attr *a = (struct dir_attr *)(uintptr_t)dir_entry_attr(en, mods[i].attr);

		if (mods[i].op != DIR_MOD_REPLACE || a == NULL)
			continue;
		a->n = mods[i].n;
		a->values = pool_calloc(d->pool, mods[i].n, sizeof(struct bytes));
		for (size_t k = 0; k < mods[i].n; k++)
			assert_int_equal(pool_dup_bytes(d->pool, mods[i].values[k], &a->values[k]), 0);
	}
	d->modifications++;
	d->snapshot.generation++;
	return 0;
}

static void
run_account(struct later *l)
{
	static const uint8_t guid[16] = { 1, 2, 3 };
	struct dir_account a = { .dn = "CN=Jane Doe,CN=Users,DC=corp,DC=contoso,DC=com",
		.sam = "janedoe",
		.upn = "janedoe@contoso.com",
		.mail = "janedoe@contoso.com",
		.cn = "Jane Doe",
		.guid = { guid, 16 } };
	struct err e = { 0 };
	struct sid sid;
	struct buf wire;

	if (l->missing) {
		ERR(&e, E_DS_NO_SUCH_OBJECT, "no such account");
		l->account(l->arg, NULL, &e);
		return;
	}
	assert_int_equal(sid_from_text(&sid, USER_SID, &e), 0);
	buf_init(&wire, 100);
	sid_put(&wire, &sid);
	a.sid = buf_bytes(&wire);
	l->account(l->arg, &a, NULL);
	buf_fini(&wire);
}

int
dir_subject_by_sid(struct dir *d, struct bytes sid, dir_account_fn *cb, void *arg, struct err *e)
{
	struct later *l = later_new(d, run_account, arg);

	(void)sid, (void)e;
	l->account = cb;
	l->missing = d->no_account;
	return 0;
}

/* Whoever is asked for, it is janedoe. */
int
dir_account_by_logon(
    struct dir *d, const char *user, const char *domain, dir_account_fn *cb, void *arg, struct err *e)
{
	(void)user, (void)domain, (void)e;
	later_new(d, run_account, arg)->account = cb;
	return 0;
}

/* A template of schema 2; enroll: alias that may enroll. */
static void
add_template(struct dir *d, const char *cn, const char *name_flags, const char *enrollment_flags,
    const char *enroll, const char *oid)
{
	static const uint8_t year[8] = { 0x00, 0x40, 0x39, 0x87, 0x2e, 0xe1, 0xfe, 0xff };
	static const uint8_t six_weeks[8] = { 0x00, 0x80, 0xa6, 0x0a, 0xff, 0xde, 0xff, 0xff };
	char sddl[256], dn[256];
	struct sddl_domain dom;
	struct buf wire;
	struct err e = { 0 };
	struct sd sd;

	assert_int_equal(sid_from_text(&dom.domain, "S-1-5-21-1111111111-2222222222-3333333333", &e), 0);
	dom.root = dom.domain;
	snprintf(sddl, sizeof(sddl),
	    "O:EAG:EAD:(OA;;CR;0e10c968-78fb-11d2-90d4-00c04f79dc55;;%s)(A;;LCRPLORC;;;AU)", enroll);
	assert_int_equal(sd_from_sddl(&sd, d->pool, sddl, &dom, &e), 0);
	buf_init(&wire, 65536);
	assert_int_equal(sd_to_wire(&sd, &wire, &e), 0);
	snprintf(dn, sizeof(dn), "CN=%s,CN=Certificate Templates,CN=Public Key Services,CN=Services,%s", cn,
	    d->forest.config_dn);
	struct bytes v[] = { text_bytes(cn), text_bytes("2"), text_bytes("100"), text_bytes("0"),
		text_bytes("131584"), text_bytes(enrollment_flags), text_bytes("16"), text_bytes(name_flags),
		text_bytes("256"), text_bytes("0"), text_bytes("0"), { (const uint8_t *)"\xa0", 1 },
		{ year, 8 }, { six_weeks, 8 }, text_bytes("1.3.6.1.5.5.7.3.2"), buf_bytes(&wire),
		text_bytes(oid), text_bytes("2.5.29.15") };
	static const char *const names[] = { "cn", "msPKI-Template-Schema-Version", "revision",
		"msPKI-Template-Minor-Revision", "flags", "msPKI-Enrollment-Flag", "msPKI-Private-Key-Flag",
		"msPKI-Certificate-Name-Flag", "msPKI-Minimal-Key-Size", "msPKI-RA-Signature",
		"pKIMaxIssuingDepth", "pKIKeyUsage", "pKIExpirationPeriod", "pKIOverlapPeriod",
		"pKIExtendedKeyUsage", "nTSecurityDescriptor", "msPKI-Cert-Template-OID",
		"pKICriticalExtensions" };
	struct dir_attr attrs[ARRAY_LEN(names)];

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		attrs[i] = (struct dir_attr){ names[i], &v[i], 1 };
	entry_add(d, &(struct dir_entry){ dn, attrs, ARRAY_LEN(names) });
	buf_fini(&wire);
}

/* ---- the bench ---- */

struct bench {
	char state[64];
	struct dir dir;
	struct clock *clock;
	struct rng rng;
	struct work *work;
	struct ca *ca;
	struct token *user, *admin;
	bool ready;
};

static void
turn(struct bench *b)
{
	struct later *l = b->dir.first;
	struct pollfd fds[] = { { work_fd(b->work), POLLIN, 0 }, { ca_store_fd(b->ca), POLLIN, 0 } };

	b->dir.first = NULL;
	b->dir.tail = &b->dir.first;
	while (l != NULL) {
		struct later *next = l->next;

		l->run(l);
		free(l);
		l = next;
	}
	if (b->dir.first == NULL)
		poll(fds, 2, 50);
	work_drain(b->work);
	ca_store_drain(b->ca);
	ca_flush(b->ca);
}

static void
on_ready(void *arg, const struct err *e)
{
	struct bench *b = arg;

	if (e != NULL)
		fail_msg("%s", e->msg);
	b->ready = true;
}

static void
start(struct bench *b, const char *settings)
{
	char path[96];
	struct ca_config cfg = {
		.state_dir = b->state, .clock = b->clock, .rng = &b->rng, .work = b->work, .dir = &b->dir
	};
	struct err e = { 0 };
	FILE *f;

	if (settings != NULL) {
		snprintf(path, sizeof(path), "%s/given.ini", b->state);
		f = fopen(path, "w");
		fputs(settings, f);
		fclose(f);
		cfg.settings_file = path;
	}
	b->ready = false;
	b->ca = ca_open(&cfg, on_ready, b, &e);
	if (b->ca == NULL)
		fail_msg("%s", e.msg);
	while (!b->ready)
		turn(b);
}

static struct token *
make_token(const char *account, const char *sid_text)
{
	struct token *t = token_new(account, "CN=Jane Doe,CN=Users,DC=corp,DC=contoso,DC=com", NULL, false);
	struct sid sid;
	struct err e = { 0 };

	assert_int_equal(sid_from_text(&sid, sid_text, &e), 0);
	assert_int_equal(token_add(t, &sid, TOKEN_VIA_USER, NULL, &e), 0);
	assert_int_equal(token_add_well_known(t, 513, &e), 0);
	return t;
}

static int
setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct err e = { 0 };
	struct sid sid;
	struct buf wire;

	strcpy(b->state, "/tmp/adcsd-request-XXXXXX");
	assert_non_null(mkdtemp(b->state));
	b->dir.pool = pool_new(64u << 20);
	b->dir.tail = &b->dir.first;
	b->dir.snapshot.refs = 1;
	b->dir.forest =
	    (struct dir_forest){ "DC=corp,DC=contoso,DC=com", "CN=Configuration,DC=corp,DC=contoso,DC=com",
		    "corp.contoso.com", "CORP", { NULL, 0 }, "1.3.6.1.4.1.311.21.8.1.2" };
	assert_int_equal(sid_from_text(&sid, "S-1-5-21-1111111111-2222222222-3333333333", &e), 0);
	buf_init(&wire, 100);
	sid_put(&wire, &sid);
	memcpy(b->dir.domain_sid, wire.p, wire.len);
	b->dir.forest.domain_sid = (struct bytes){ b->dir.domain_sid, wire.len };
	buf_fini(&wire);
	add_template(&b->dir, "Supplied", "1", "0", "AU", "1.3.6.1.4.1.311.21.8.1.2.100");
	add_template(&b->dir, "Waiting", "1", "2", "AU", "1.3.6.1.4.1.311.21.8.1.2.101");
	add_template(
	    &b->dir, "Built", "1107296256", "0", "AU", "1.3.6.1.4.1.311.21.8.1.2.102"); /* CN, SAN UPN */
	add_template(&b->dir, "Closed", "1", "0", "DA", "1.3.6.1.4.1.311.21.8.1.2.103");
	add_template(&b->dir, "Unpublished", "1", "0", "AU", "1.3.6.1.4.1.311.21.8.1.2.104");
	b->clock = clock_new();
	b->work = work_new(2, &e);
	b->user = make_token("CORP\\janedoe", USER_SID);
	b->admin = make_token("CORP\\Administrator", ADMIN_SID);
	start(b,
	    "[CA]\nKeyType = P-256\nLoadDefaultTemplates = 0\n"
	    "PublishedTemplates = Supplied, Waiting, Built, Closed\n");
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = { "ca.key", "ca.crt", "ca.db", "ca.db-wal", "ca.db-shm", "ca.ini",
		"given.ini", "journal.jsonl", "CertEnroll/CORP-ca01-CA.crl", "CertEnroll/CORP-ca01-CA+.crl",
		"CertEnroll/ca01.corp.contoso.com_CORP-ca01-CA.crt" };
	struct bench *b = *state;
	char path[128];

	while (b->dir.first != NULL)
		turn(b);
	ca_close(b->ca);
	work_free(b->work);
	clock_free(b->clock);
	token_unref(b->user);
	token_unref(b->admin);
	pool_free(b->dir.pool);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", b->state, files[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/CertEnroll", b->state);
	rmdir(path);
	rmdir(b->state);
	free(b);
	return 0;
}

#endif
