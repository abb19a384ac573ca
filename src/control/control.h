/*
 * The control socket <state>/control: one JSON object per line each way.
 *
 *   -> {"id": 7, "verb": "request.show", "args": {"id": 3}}
 *   <- {"id": 7, "ok": true, "result": {...}}
 *   <- {"id": 7, "ok": false, "error": {"hr": "0x80094004", "name": "CERTSRV_E_PROPERTY_EMPTY", "message":
 * "..."}}
 *
 * Peers are root and the server's own user (SO_PEERCRED); they hold every role. A line is at most
 * CONTROL_LINE_MAX octets; a connection may have many lines under way and gets its answers in order of
 * completion.
 */
#ifndef ADCSD_CONTROL_CONTROL_H
#define ADCSD_CONTROL_CONTROL_H

#include "base/err.h"

#define CONTROL_LINE_MAX (1024 * 1024)
#define CONTROL_MAX_CLIENTS 64

struct ca;
struct event_base;
struct control;
struct json_t;

/* Verbs that are not the CA's: "server.*" of main. result NULL with e set: an error. */
struct control_verb {
	const char *name;
	struct json_t *(*run)(
	    void *ctx, struct json_t *args, struct err *e); /* new reference, or NULL with e */
};

struct control_config {
	struct event_base *base;
	const char *path; /* of the socket; replaced when it is there */
	struct ca *ca;
	const struct control_verb *verbs; /* ends with name NULL; may be NULL */
	void *verbs_ctx;
};

struct control *
control_new(const struct control_config *cfg, struct err *e) MUST_CHECK;
/* Closes and unlinks the socket; answers still due are dropped. NULL is fine. */
void
control_free(struct control *c);

#endif
