#include "client/session.h"

#include <stdlib.h>

#include <event2/event.h>

#include "client/epm.h"

struct client_session {
	struct client_target target;
	struct event_base *base;
	struct client_link *icpr;
};

struct client_session *
client_session_new(const struct client_target *target, struct err *e)
{
	struct client_session *s = calloc(1, sizeof(*s));

	if (s != NULL)
		s->base = event_base_new();
	if (s == NULL || s->base == NULL) {
		free(s);
		(void)ERR(e, E_OUTOFMEMORY, "no memory for a session");
		return NULL;
	}
	s->target = *target;
	return s;
}

void
client_session_free(struct client_session *s)
{
	if (s == NULL)
		return;
	client_link_free(s->icpr);
	event_base_free(s->base);
	free(s);
}

const struct client_target *
client_session_target(const struct client_session *s)
{
	return &s->target;
}

struct event_base *
client_session_base(struct client_session *s)
{
	return s->base;
}

static int
open_icpr(struct client_session *s, struct err *e)
{
	const struct client_target *t = &s->target;
	uint16_t port;

	if (s->icpr != NULL)
		return 0;
	if (client_epm_map(s->base, t->host, t->epm_port, &client_icertpassage, t->timeout_s, &port, e) != 0)
		return -1;
	s->icpr = client_link_new(s->base, t->host, port, t->timeout_s, e);
	if (s->icpr == NULL)
		return -1;
	if (client_link_bind(s->icpr, &client_icertpassage, &t->auth, e) != 0) {
		client_link_free(s->icpr);
		s->icpr = NULL;
		return err_prefix(e, "ICertPassage");
	}
	return 0;
}

int
client_session_icpr(struct client_session *s, const struct client_request *r, struct pool *pool,
    struct client_answer *out, struct err *e)
{
	struct buf in, answer;
	int rc = -1;

	if (open_icpr(s, e) != 0)
		return -1;
	buf_init(&in, CLIENT_STUB_MAX);
	buf_init(&answer, CLIENT_REPLY_MAX);
	if (client_icpr_put(r, &in, e) == 0 &&
	    client_link_call_stub(s->icpr, &client_icertpassage, 0, NULL, buf_bytes(&in), &answer, e) == 0)
		rc = client_icpr_get(buf_bytes(&answer), pool, out, e);
	buf_fini(&in);
	buf_fini(&answer);
	return rc;
}
