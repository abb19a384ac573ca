#include "client/load.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "idl/icertrequestd.h"
#include "idl/mgmt.h"

struct lane {
	struct client_load_run *run;
	struct client_link *link;
	uint64_t asked_us;
};

struct client_load_run {
	struct client_load load;
	struct event_base *base;
	struct buf *stubs; /* CertServerRequest of each request */
	struct lane *lanes;
	unsigned busy; /* lanes with something under way */
	unsigned left; /* requests still to be sent */
	size_t next;   /* of stubs */
	struct client_load_result *result;
	struct err why;
	bool failed; /* while opening */
};

/* ---- opening ---- */

static const struct rpc_syntax certrequestd2 = { ICERTREQUESTD2_IID, 0, 0 };

static int
put_stub(const struct client_load *l, struct bytes request, struct buf *out, struct err *e)
{
	struct client_request q = { .authority = l->ca, .attributes = l->attributes, .request = request };
	struct wcce_request2_in in = { .authority = l->ca, .attributes = l->attributes, .request = request };

	if (l->object == NULL)
		return client_icpr_put(&q, out, e);
	client_orpcthis_put(out);
	return ndr_push(wcce_request2_in, &in, out, e);
}

static int
make_stubs(struct client_load_run *r, struct err *e)
{
	const struct client_load *l = &r->load;

	r->stubs = calloc(l->n_requests, sizeof(*r->stubs));
	if (r->stubs == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu requests", l->n_requests);
	for (size_t i = 0; i < l->n_requests; i++) {
		buf_init(&r->stubs[i], CLIENT_STUB_MAX);
		if (put_stub(l, l->requests[i], &r->stubs[i], e) != 0)
			return -1;
	}
	return 0;
}

static void
on_bound(void *arg, struct bytes stub, const struct err *e)
{
	struct lane *lane = arg;

	(void)stub;
	lane->run->busy--;
	if (e != NULL && !lane->run->failed) {
		lane->run->failed = true;
		lane->run->why = *e;
	}
}

static int
run_until_idle(struct client_load_run *r, struct err *e)
{
	while (r->busy > 0)
		if (event_base_loop(r->base, EVLOOP_ONCE) != 0)
			return ERR(e, E_UNEXPECTED, "the event loop of the client has ended");
	return 0;
}

/* Handshakes under way at once: a server may drop half-open connections beyond its limit. */
#define OPENING_MOST 64

static int
open_lanes(struct client_load_run *r, struct err *e)
{
	const struct client_load *l = &r->load;

	r->lanes = calloc(l->connections, sizeof(*r->lanes));
	if (r->lanes == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %u connections", l->connections);
	for (unsigned i = 0; i < l->connections && !r->failed; i++) {
		struct lane *lane = &r->lanes[i];

		lane->run = r;
		lane->link = client_link_new(r->base, l->host, l->port, l->timeout_s, e);
		if (lane->link == NULL)
			return -1;
		r->busy++;
		client_conn_bind(client_link_conn(lane->link),
		    l->object != NULL ? &certrequestd2 : &client_icertpassage,
		    &l->principals[i % l->n_principals], on_bound, lane);
		while (r->busy >= OPENING_MOST)
			if (event_base_loop(r->base, EVLOOP_ONCE) != 0)
				return ERR(e, E_UNEXPECTED, "the event loop of the client has ended");
	}
	if (run_until_idle(r, e) != 0)
		return -1;
	if (r->failed)
		*e = r->why;
	return r->failed ? -1 : 0;
}

struct client_load_run *
client_load_open(const struct client_load *load, uint64_t *connect_us, struct err *e)
{
	struct client_load_run *r = calloc(1, sizeof(*r));
	uint64_t begin;

	if (r != NULL)
		r->base = event_base_new();
	if (r == NULL || r->base == NULL) {
		free(r);
		(void)ERR(e, E_OUTOFMEMORY, "no memory for a load");
		return NULL;
	}
	r->load = *load;
	begin = clock_monotonic_us();
	if (make_stubs(r, e) != 0 || open_lanes(r, e) != 0) {
		client_load_close(r);
		return NULL;
	}
	*connect_us = clock_monotonic_us() - begin;
	return r;
}

void
client_load_close(struct client_load_run *r)
{
	if (r == NULL)
		return;
	for (unsigned i = 0; r->lanes != NULL && i < r->load.connections; i++)
		client_link_free(r->lanes[i].link);
	for (size_t i = 0; r->stubs != NULL && i < r->load.n_requests; i++)
		buf_fini(&r->stubs[i]);
	free(r->lanes);
	free(r->stubs);
	event_base_free(r->base);
	free(r);
}

/* ---- certificates ---- */

static void
ask(struct lane *lane);

static void
count_failure(struct client_load_result *out, const struct err *e, uint32_t disposition)
{
	if (out->failed++ > 0)
		return;
	if (e != NULL)
		out->why = *e;
	else
		(void)ERR(&out->why, disposition > CR_DISP_REVOKED ? disposition : E_FAIL,
		    "a request was not issued: %s", client_disposition_name(disposition));
}

/* Only the disposition is looked at: what the load itself costs is not to be measured. */
static void
on_answer(void *arg, struct bytes stub, const struct err *e)
{
	struct lane *lane = arg;
	struct client_load_run *r = lane->run;
	struct client_load_result *out = r->result;
	/* behind ORPCTHAT, if any, and the request id */
	size_t at = (r->load.object != NULL ? 8 : 0) + 4;
	uint32_t disposition = e == NULL && stub.len >= at + 4 ? get_u32le(stub.p + at) : 0;

	if (disposition == CR_DISP_ISSUED)
		out->latencies[out->done++] = (uint32_t)(clock_monotonic_us() - lane->asked_us);
	else
		count_failure(out, e, disposition);
	r->busy--;
	if (r->left > 0 && !client_conn_dead(client_link_conn(lane->link)))
		ask(lane);
}

static void
ask(struct lane *lane)
{
	struct client_load_run *r = lane->run;
	const struct buf *stub = &r->stubs[r->next++ % r->load.n_requests];

	r->left--;
	r->busy++;
	lane->asked_us = clock_monotonic_us();
	if (r->load.object != NULL)
		client_conn_call(client_link_conn(lane->link), 0, WCCE_Request2,
		    client_object_ipid(r->load.object), buf_bytes(stub), on_answer, lane);
	else
		client_conn_call(client_link_conn(lane->link), 0, 0, NULL, buf_bytes(stub), on_answer, lane);
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

int
client_load_certificates(
    struct client_load_run *r, unsigned count, struct client_load_result *out, struct err *e)
{
	uint64_t begin = clock_monotonic_us();

	memset(out, 0, sizeof(*out));
	out->latencies = calloc((size_t)count + 1, sizeof(*out->latencies));
	if (out->latencies == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %u latencies", count);
	r->result = out;
	r->left = count;
	for (unsigned i = 0; i < r->load.connections && r->left > 0; i++)
		if (!client_conn_dead(client_link_conn(r->lanes[i].link)))
			ask(&r->lanes[i]);
	if (run_until_idle(r, e) != 0) {
		free(out->latencies);
		return -1;
	}
	out->us = clock_monotonic_us() - begin;
	qsort(out->latencies, out->done, sizeof(*out->latencies), compare);
	if (out->done > 0)
		return 0;
	free(out->latencies);
	*e = out->why;
	return out->failed > 0 ? -1 : ERR(e, E_UNEXPECTED, "no request was sent");
}

/* ---- calls ---- */

static const struct rpc_syntax mgmt = { MGMT_UUID, 1, 0 };

int
client_load_calls(struct client_load_run *r, unsigned count, uint64_t *us, struct err *e)
{
	const struct client_load *l = &r->load;
	struct client_link *link = client_link_new(r->base, l->host, l->port, l->timeout_s, e);
	struct buf out;
	uint64_t begin;
	int rc = -1;

	if (link == NULL)
		return -1;
	buf_init(&out, 4096);
	if (client_link_bind(link, &mgmt, &l->principals[0], e) != 0)
		goto out;
	begin = clock_monotonic_us();
	for (unsigned i = 0; i < count; i++) {
		buf_reset(&out);
		if (client_link_call_stub(link, &mgmt, 2 /* rpc_mgmt_is_server_listening */, NULL,
			(struct bytes){ NULL, 0 }, &out, e) != 0)
			goto out;
	}
	*us = clock_monotonic_us() - begin;
	rc = 0;
out:
	buf_fini(&out);
	client_link_free(link);
	return rc;
}
