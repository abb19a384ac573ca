#include "client/session.h"

#include <stdlib.h>

#include <event2/event.h>

#include "client/dcom.h"
#include "client/epm.h"
#include "idl/icertadmind.h"
#include "idl/icertrequestd.h"

struct client_session {
	struct client_target target;
	struct event_base *base;
	struct client_link *icpr;
	struct client_object *requests; /* CCertRequestD */
	struct client_object *admin;    /* CCertAdminD */
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
	client_object_free(s->requests);
	client_object_free(s->admin);
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

/* ---- DCOM ---- */

static struct client_activation
activation(const struct client_session *s)
{
	return (struct client_activation){ .host = s->target.host,
		.port = s->target.epm_port,
		.auth = s->target.auth,
		.timeout_s = s->target.timeout_s,
		.clsid = CCERTREQUESTD_CLSID,
		.iid = ICERTREQUESTD2_IID };
}

static int
open_requests(struct client_session *s, struct err *e)
{
	struct client_activation a = activation(s);

	if (s->requests == NULL)
		s->requests = client_object_activate(s->base, &a, e);
	return s->requests != NULL ? 0 : err_prefix(e, "CCertRequestD");
}

struct client_object *
client_session_requests(struct client_session *s, struct err *e)
{
	return open_requests(s, e) == 0 ? s->requests : NULL;
}

int
client_session_activate(struct client_session *s, struct err *e)
{
	struct client_activation a = activation(s);

	return client_activate_only(s->base, &a, e);
}

int
client_session_dcom(struct client_session *s, const struct client_request *r, struct pool *pool,
    struct client_answer *out, struct err *e)
{
	static const struct client_method request2 = { "Request2", WCCE_Request2, wcce_request2_in,
		wcce_request_out, sizeof(struct wcce_request_out) };
	struct wcce_request2_in in = { .authority = r->authority,
		.flags = r->flags,
		.request_id = r->request_id,
		.attributes = r->attributes,
		.request = r->request };
	struct wcce_request_out *o;
	void *decoded;

	if (open_requests(s, e) != 0 ||
	    client_object_call(s->requests, &request2, &in, pool, &decoded, e) != 0)
		return -1;
	o = decoded;
	*out = (struct client_answer){ .result = o->result,
		.request_id = o->request_id,
		.disposition = o->disposition,
		.certificate = o->certificate,
		.chain = o->chain,
		.message = client_message_text(o->message, pool) };
	return 0;
}

int
client_session_property(struct client_session *s, uint32_t id, uint32_t index, uint32_t type,
    struct pool *pool, struct bytes *out, struct err *e)
{
	static const struct client_method get = { "GetCAProperty", WCCE_GetCAProperty,
		wcce_get_ca_property_in, wcce_blob_out, sizeof(struct wcce_blob_out) };
	struct wcce_get_ca_property_in in = { s->target.ca, id, index, type };
	struct wcce_blob_out *o;
	void *decoded;

	if (open_requests(s, e) != 0 || client_object_call(s->requests, &get, &in, pool, &decoded, e) != 0)
		return -1;
	o = decoded;
	if (o->result != 0)
		return ERR(e, o->result, "CA property %u, index %u", id, index);
	*out = o->blob;
	return 0;
}

int
client_session_admin(struct client_session *s, const struct client_method *m, const void *args,
    struct pool *pool, void **out, struct err *e)
{
	struct client_activation a = activation(s);

	a.clsid = (struct guid)CCERTADMIND_CLSID;
	a.iid = (struct guid)ICERTADMIND2_IID;
	if (s->admin == NULL)
		s->admin = client_object_activate(s->base, &a, e);
	if (s->admin == NULL)
		return err_prefix(e, "CCertAdminD");
	return client_object_call(s->admin, m, args, pool, out, e);
}

int
client_session_resubmit(
    struct client_session *s, uint32_t request_id, struct pool *pool, uint32_t *disposition, struct err *e)
{
	static const struct client_method m = { "ResubmitRequest", CSRA_ResubmitRequest, csra_request_in,
		csra_number_out, sizeof(struct csra_number_out) };
	struct csra_request_in in = { s->target.ca, request_id };
	struct csra_number_out *out;
	void *decoded;

	if (client_session_admin(s, &m, &in, pool, &decoded, e) != 0)
		return -1;
	out = decoded;
	*disposition = out->value;
	return out->result == 0 ? 0 : ERR(e, out->result, "request %u is not resubmitted", request_id);
}

int
client_session_deny(struct client_session *s, uint32_t request_id, struct pool *pool, struct err *e)
{
	static const struct client_method m = { "DenyRequest", CSRA_DenyRequest, csra_request_in,
		csra_result_out, sizeof(struct csra_result_out) };
	struct csra_request_in in = { s->target.ca, request_id };
	struct csra_result_out *out;
	void *decoded;

	if (client_session_admin(s, &m, &in, pool, &decoded, e) != 0)
		return -1;
	out = decoded;
	return out->result == 0 ? 0 : ERR(e, out->result, "request %u is not denied", request_id);
}
