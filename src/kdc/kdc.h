/*
 * A Kerberos realm for the embedded forest: Debian's krb5kdc as a child, its database made from the
 * directory. Accounts have the keys of their passwords (an account that has its NT hash only gets
 * arcfour-hmac alone, whose key that hash is), services of the CA's host have random ones, which stand in a
 * keytab. What changes in the directory follows within moments. Everything is in <state>/kdc.
 */
#ifndef ADCSD_KDC_KDC_H
#define ADCSD_KDC_KDC_H

#include "base/err.h"

struct event_base;
struct dir;
struct kdc;

struct kdc_config {
	struct event_base *base;
	struct dir *dir; /* ready; nobody else watches its domain */
	const char *state_dir;
	const char *address; /* numeric, where it listens: TCP and UDP, on one free port */
	const char *host;    /* "ca01.corp.contoso.com": whose services the keytab holds */
	/* Deaths, and principals that followed: for log and journal. */
	void (*on_event)(void *arg, const char *text);
	void *arg;
};

/* Runs once: tickets are given out, or why they are not. */
typedef void
kdc_ready_fn(void *arg, const struct err *e);

/* Needs the krb5-kdc package. Forks on the loop's thread, which must outlive it. */
struct kdc *
kdc_start(const struct kdc_config *cfg, kdc_ready_fn *ready, void *arg, struct err *e) MUST_CHECK;
/* Before the directory. NULL is fine. */
void
kdc_free(struct kdc *k);

/* What clients need; lent. */
const char *
kdc_realm(const struct kdc *k);
unsigned
kdc_port(const struct kdc *k);
const char *
kdc_krb5_conf(const struct kdc *k);
const char *
kdc_keytab(const struct kdc *k);
/* How often the principals have followed the directory, the first time included. */
unsigned
kdc_updates(const struct kdc *k);

#endif
