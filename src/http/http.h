/*
 * The plain HTTP front: GET and HEAD of the CRLs and CA certificates in one folder, under /CertEnroll/, for
 * anybody. Nothing else is served.
 */
#ifndef ADCSD_HTTP_HTTP_H
#define ADCSD_HTTP_HTTP_H

#include "net/serve.h"

struct event_base;
struct http_server;

struct http_config {
	struct event_base *base;
	int fd;             /* listening, non-blocking; taken over, also on failure */
	const char *folder; /* <state>/CertEnroll */
	/* Asked before each request: 0, or the status to answer with, to try clients. May be NULL. */
	unsigned (*fault)(void *arg, const char *peer, const char *path);
	void *fault_arg;
};

struct http_server *
http_new(const struct http_config *cfg, struct err *e) MUST_CHECK;
int
http_serve(struct http_server *h, enum net_serve how, struct err *e) MUST_CHECK;
/* Connections are cut. NULL is fine. */
void
http_free(struct http_server *h);

#endif
