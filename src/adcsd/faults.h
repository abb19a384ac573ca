/* Faults on request, brought to where they happen: RPC calls, HTTP, listeners, database, directory. */
#ifndef ADCSD_ADCSD_FAULTS_H
#define ADCSD_ADCSD_FAULTS_H

#include <jansson.h>

#include "base/err.h"

struct ca;
struct dir;
struct event_base;
struct faults;
struct http_server;
struct rpc_port;
struct rpc_server;
struct svc;

/* All of them outlive the faults, but rpc, whose calls end before. */
struct faults_config {
	struct event_base *base;
	struct ca *ca;
	struct dir *dir;
	struct rpc_server *rpc;
	struct rpc_port *epm, *object;
	struct svc *svc;
	struct http_server *http;
};

struct faults *
faults_new(const struct faults_config *cfg, struct err *e) MUST_CHECK;
/* After the RPC server. NULL is fine. */
void
faults_free(struct faults *f);

/* Verbs of the control socket: {point, action, value?, as?, skip?, times?, seconds?} to the rule; the rules;
 * {id?} to how many went; what there is. New references, NULL with e. */
json_t *
faults_add(struct faults *f, json_t *args, struct err *e);
json_t *
faults_list(struct faults *f);
json_t *
faults_clear(struct faults *f, json_t *args, struct err *e);
json_t *
faults_points(struct faults *f);

/* For struct http_config. f may be NULL. */
unsigned
faults_on_http(struct faults *f, const char *peer, const char *path);

#endif
