/*
 * The plain HTTP front: GET and HEAD of the CRLs and CA certificates in one folder, under /CertEnroll/, for
 * anybody. Nothing else is served.
 */
#ifndef ADCSD_HTTP_HTTP_H
#define ADCSD_HTTP_HTTP_H

#include "base/err.h"

struct event_base;
struct http_server;

struct http_config {
	struct event_base *base;
	int fd;             /* listening, non-blocking; taken over, also on failure */
	const char *folder; /* <state>/CertEnroll */
};

struct http_server *
http_new(const struct http_config *cfg, struct err *e) MUST_CHECK;
/* Connections are cut. NULL is fine. */
void
http_free(struct http_server *h);

#endif
