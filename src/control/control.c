#include "control/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "ca/ca.h"

struct client {
	struct client *next, **prev;
	struct control *control;
	struct bufferevent *bev;
	unsigned pending; /* calls under way */
	bool gone;        /* the peer left; freed when the last call ends */
	char peer[32];
};

struct control {
	struct control_config cfg;
	struct evconnlistener *listener;
	struct client *clients;
	unsigned n_clients;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
};

/* One line under way. */
struct call {
	struct client *client;
	json_t *id;
};

static void
client_free(struct client *cl)
{
	if (cl->bev != NULL)
		bufferevent_free(cl->bev);
	cl->bev = NULL;
	cl->gone = true;
	if (cl->pending > 0)
		return;
	if (cl->next != NULL)
		cl->next->prev = cl->prev;
	*cl->prev = cl->next;
	if (cl->control != NULL)
		cl->control->n_clients--;
	free(cl);
}

static void
send_json(struct client *cl, json_t *answer)
{
	char *line = json_dumps(answer, JSON_COMPACT | JSON_PRESERVE_ORDER);

	if (line != NULL && !cl->gone) {
		evbuffer_add(bufferevent_get_output(cl->bev), line, strlen(line));
		evbuffer_add(bufferevent_get_output(cl->bev), "\n", 1);
	}
	free(line);
	json_decref(answer);
}

static json_t *
error_to_json(const struct err *e)
{
	const char *name = hresult_name(e->hr);
	char hr[16];

	snprintf(hr, sizeof(hr), "0x%08x", e->hr);
	return json_pack("{s:s, s:s, s:s, s:s}", "hr", hr, "name", name != NULL ? name : "", "text",
	    hresult_text(e->hr), "message", e->msg);
}

static void
answer(struct client *cl, json_t *id, json_t *result, const struct err *e)
{
	json_t *o = json_object();

	json_object_set(o, "id", id != NULL ? id : json_null());
	json_object_set_new(o, "ok", json_boolean(result != NULL));
	if (result != NULL)
		json_object_set(o, "result", result);
	else
		json_object_set_new(o, "error", error_to_json(e));
	send_json(cl, o);
}

static void
on_admin_done(void *arg, struct json_t *result, const struct err *e)
{
	struct call *c = arg;
	struct client *cl = c->client;

	answer(cl, c->id, result, e);
	json_decref(c->id);
	free(c);
	cl->pending--;
	if (cl->gone && cl->pending == 0)
		client_free(cl);
}

static const struct control_verb *
find_own_verb(const struct control *c, const char *name)
{
	for (const struct control_verb *v = c->cfg.verbs; v != NULL && v->name != NULL; v++)
		if (strcmp(v->name, name) == 0)
			return v;
	return NULL;
}

static void
run_verb(struct client *cl, json_t *id, const char *verb, json_t *args)
{
	const struct control_verb *own = find_own_verb(cl->control, verb);
	struct ca_caller who = { .front = "control",
		.peer = cl->peer,
		.call = cl->peer,
		.package = "peercred",
		.privacy = true,
		.local_admin = true };
	struct err e = { 0 };
	struct call *c;

	log_debug(control, "%s: %s", cl->peer, verb);
	if (own != NULL) {
		json_t *result = own->run(cl->control->cfg.verbs_ctx, args, &e);

		answer(cl, id, result, &e);
		json_decref(result);
		return;
	}
	c = calloc(1, sizeof(*c));
	if (c == NULL) {
		ERR(&e, E_OUTOFMEMORY, "no memory for a call");
		answer(cl, id, NULL, &e);
		return;
	}
	c->client = cl;
	c->id = id != NULL ? json_incref(id) : json_null();
	cl->pending++;
	ca_admin_start(cl->control->cfg.ca, &who, verb, args, on_admin_done, c);
}

static void
handle_line(struct client *cl, const char *line, size_t n)
{
	json_error_t je;
	json_t *o = json_loadb(line, n, JSON_REJECT_DUPLICATES, &je);
	json_t *args = json_object_get(o, "args");
	const char *verb = json_string_value(json_object_get(o, "verb"));
	json_t *none = NULL;
	struct err e = { 0 };

	if (o == NULL)
		ERR(&e, E_INVALIDARG, "not JSON: %.80s at column %d", je.text, je.column);
	else if (verb == NULL)
		ERR(&e, E_INVALIDARG, "no \"verb\"");
	else if (args != NULL && !json_is_object(args))
		ERR(&e, E_INVALIDARG, "\"args\" is not an object");
	if (e.hr != 0) {
		answer(cl, json_object_get(o, "id"), NULL, &e);
		json_decref(o);
		return;
	}
	if (args == NULL)
		args = none = json_object();
	run_verb(cl, json_object_get(o, "id"), verb, args);
	json_decref(none);
	json_decref(o);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct client *cl = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t n;
	char *line;

	cl->pending++; /* keeps the client while lines are handled */
	while (!cl->gone && (line = evbuffer_readln(in, &n, EVBUFFER_EOL_LF)) != NULL) {
		if (n > 0)
			handle_line(cl, line, n);
		free(line);
	}
	cl->pending--;
	if (!cl->gone && evbuffer_get_length(in) >= CONTROL_LINE_MAX) {
		log_warn(control, "%s: a line longer than %d octets, closing", cl->peer, CONTROL_LINE_MAX);
		cl->gone = true;
	}
	if (cl->gone)
		client_free(cl);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT))
		client_free(arg);
}

static bool
peer_allowed(int fd, struct ucred *cred)
{
	socklen_t n = sizeof(*cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, cred, &n) == 0 &&
	    (cred->uid == 0 || cred->uid == geteuid());
}

static void
on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
	struct control *c = arg;
	struct ucred cred = { 0 };
	struct client *cl;

	(void)l, (void)sa, (void)len;
	if (!peer_allowed(fd, &cred) || c->n_clients >= CONTROL_MAX_CLIENTS) {
		log_warn(control, "uid %u refused: %s", cred.uid,
		    c->n_clients >= CONTROL_MAX_CLIENTS ? "too many clients"
							: "neither root nor the server's user");
		close(fd);
		return;
	}
	cl = calloc(1, sizeof(*cl));
	if (cl == NULL ||
	    (cl->bev = bufferevent_socket_new(c->cfg.base, fd, BEV_OPT_CLOSE_ON_FREE)) == NULL) {
		free(cl);
		close(fd);
		return;
	}
	cl->control = c;
	snprintf(cl->peer, sizeof(cl->peer), "uid %u", cred.uid);
	cl->next = c->clients;
	cl->prev = &c->clients;
	if (cl->next != NULL)
		cl->next->prev = &cl->next;
	c->clients = cl;
	c->n_clients++;
	bufferevent_setcb(cl->bev, on_read, NULL, on_event, cl);
	bufferevent_setwatermark(cl->bev, EV_READ, 0, CONTROL_LINE_MAX);
	bufferevent_enable(cl->bev, EV_READ | EV_WRITE);
}

struct control *
control_new(const struct control_config *cfg, struct err *e)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct control *c = calloc(1, sizeof(*c));
	mode_t mask;

	if (c == NULL || strlen(cfg->path) >= sizeof(sa.sun_path)) {
		ERR(e, c == NULL ? E_OUTOFMEMORY : E_INVALIDARG,
		    "control socket %.60s: the path is longer than %zu octets; choose a shorter --state",
		    cfg->path, sizeof(sa.sun_path) - 1);
		free(c);
		return NULL;
	}
	c->cfg = *cfg;
	strcpy(sa.sun_path, cfg->path);
	strcpy(c->path, cfg->path);
	unlink(c->path);
	mask = umask(0077); /* never, not even for a moment, open to others */
	c->listener = evconnlistener_new_bind(cfg->base, on_accept, c,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 16, (struct sockaddr *)&sa, sizeof(sa));
	umask(mask);
	if (c->listener == NULL) {
		ERR(e, E_FAIL, "control socket %.60s: %s", c->path, strerror(errno));
		free(c);
		return NULL;
	}
	return c;
}

void
control_free(struct control *c)
{
	struct client *cl, *next;

	if (c == NULL)
		return;
	evconnlistener_free(c->listener);
	unlink(c->path);
	for (cl = c->clients; cl != NULL; cl = next) {
		next = cl->next;
		cl->next = NULL;
		cl->prev = &cl->next; /* out of the list; the last answer still due frees it */
		cl->control = NULL;
		client_free(cl);
	}
	free(c);
}
