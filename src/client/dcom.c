#include "client/dcom.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "idl/activation.h"
#include "idl/iremunknown.h"

#define POOL_MAX (4u << 20)
#define ACTIVATION_MAX 65536
#define RPC_C_IMP_LEVEL_IDENTIFY 2

struct client_object {
	struct client_link *link;
	struct rpc_syntax iface;
	struct guid ipid, rem_unknown;
	uint32_t public_refs;
	uint16_t port;
};

static const struct rpc_syntax activator = { IREMOTESCMACTIVATOR_UUID, 0, 0 };
static const struct rpc_syntax rem_unknown = { IREMUNKNOWN_UUID, 0, 0 };

static struct orpcthis
new_orpcthis(void)
{
	struct orpcthis t = { .version = { COM_MAJOR_VERSION, COM_MINOR_VERSION } };

	rng_system(&t.cid, sizeof(t.cid));
	return t;
}

void
client_orpcthis_put(struct buf *stub)
{
	struct orpcthis t = new_orpcthis();

	buf_put_u16le(stub, t.version.major);
	buf_put_u16le(stub, t.version.minor);
	buf_put_zero(stub, 8); /* flags, reserved1 */
	guid_put(stub, &t.cid);
	buf_put_u32le(stub, 0); /* no extensions */
}

/* ---- activation ---- */

/* The first binding over TCP says the port; the host is the one we reached (as impacket does it: names and
 * addresses that a server tells may mean nothing here). */
static int
exporter_port(struct bytes *octets, struct pool *pool, uint16_t *port, struct err *e)
{
	struct orpc_bindings *b = POOL_NEW(pool, struct orpc_bindings);
	const char *bracket;
	unsigned long n;
	size_t used;

	if (b == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for an activation");
	if (octets == NULL)
		return ERR(e, RPC_E_INVALID_OBJREF, "the activation tells no binding");
	if (orpc_bindings_decode(*octets, pool, b, &used, e) != 0)
		return -1;
	for (unsigned i = 0; i < b->n_strings; i++) {
		bracket = strchr(b->strings[i].address, '[');
		n = bracket != NULL ? strtoul(bracket + 1, NULL, 10) : 0;
		if (b->strings[i].tower == ORPC_NCACN_IP_TCP && n > 0 && n <= UINT16_MAX) {
			*port = (uint16_t)n;
			return 0;
		}
	}
	return ERR(e, RPC_E_INVALID_OBJREF, "the object has no binding over TCP");
}

static int
take_result(const struct activation_result *r, struct pool *pool, struct client_object *o, struct err *e)
{
	struct orpc_objref ref;

	if (r->n != 1)
		return ERR(e, RPC_E_INVALID_OBJREF, "%u interfaces where one was asked for", r->n);
	if (r->results[0].hr != 0)
		return ERR(e, r->results[0].hr, "the object refuses the interface");
	if (r->pointers[0].objref == NULL)
		return ERR(e, RPC_E_INVALID_OBJREF, "the activation gives no object");
	if (orpc_objref_decode(*r->pointers[0].objref, &ref, e) != 0)
		return -1;
	if (ref.flags != OBJREF_STANDARD)
		return ERR(e, RPC_E_INVALID_OBJREF, "an object reference of kind %u", ref.flags);
	o->ipid = ref.std.ipid;
	o->public_refs = ref.std.public_refs;
	o->rem_unknown = r->rem_unknown;
	return exporter_port(r->bindings, pool, &o->port, e);
}

static int
create_instance(struct client_link *l, const struct client_activation *a, struct pool *pool,
    struct client_object *o, struct activation_result *result, struct err *e)
{
	static const struct client_method create = { "RemoteCreateInstance", 4, activation_create_in,
		activation_properties_out, sizeof(struct activation_properties_out) };
	struct orpc_iid iid = { a->iid };
	struct orpc_protseq tcp = { ORPC_NCACN_IP_TCP };
	struct activation_request want = { .clsid = a->clsid,
		.class_context = 0x14, /* CLSCTX_LOCAL_SERVER, CLSCTX_REMOTE_SERVER */
		.n_iids = 1,
		.iids = &iid,
		.client_version = { COM_MAJOR_VERSION, COM_MINOR_VERSION },
		.impersonation_level = RPC_C_IMP_LEVEL_IDENTIFY,
		.n_protseqs = 1,
		.protseqs = &tcp };
	struct activation_create_in in = { .orpcthis = new_orpcthis() };
	struct activation_properties_out *out;
	struct bytes properties;
	struct buf objref;
	void *decoded;
	int rc = -1;

	buf_init(&objref, ACTIVATION_MAX);
	if (activation_request_encode(&want, &objref, e) != 0)
		goto out;
	properties = buf_bytes(&objref);
	in.properties = &properties;
	if (client_link_call(l, &activator, &create, NULL, &in, pool, &decoded, e) != 0)
		goto out;
	out = decoded;
	if (out->hr != 0)
		(void)ERR(e, out->hr, "the server refuses the activation");
	else if (out->properties == NULL)
		(void)ERR(e, RPC_E_INVALID_OBJREF, "the activation answers nothing");
	else if (activation_result_decode(*out->properties, pool, result, e) == 0)
		rc = take_result(result, pool, o, e);
out:
	buf_fini(&objref);
	return rc;
}

/* auth: raised to what the exporter wants. */
static int
activate(struct event_base *base, const struct client_activation *a, struct client_object *o,
    struct client_auth *auth, struct err *e)
{
	struct pool *pool = pool_new(POOL_MAX);
	struct activation_result result;
	struct client_link *l = NULL;
	int rc = -1;

	*auth = a->auth;
	if (auth->level < RPC_C_AUTHN_LEVEL_PKT_INTEGRITY && auth->level != RPC_C_AUTHN_LEVEL_NONE)
		auth->level = RPC_C_AUTHN_LEVEL_PKT_INTEGRITY; /* KB5004442 */
	if (pool == NULL)
		(void)ERR(e, E_OUTOFMEMORY, "no memory for an activation");
	else
		l = client_link_new(base, a->host, a->port, a->timeout_s, e);
	if (l != NULL && client_link_bind(l, &activator, auth, e) == 0 &&
	    create_instance(l, a, pool, o, &result, e) == 0) {
		rc = 0;
		if (auth->level != RPC_C_AUTHN_LEVEL_NONE && result.authn_hint > (uint32_t)a->auth.level &&
		    result.authn_hint <= RPC_C_AUTHN_LEVEL_PKT_PRIVACY)
			auth->level = (enum rpc_auth_level)result.authn_hint;
	}
	client_link_free(l);
	pool_free(pool);
	return rc == 0 ? 0 : err_prefix(e, "activation");
}

int
client_activate_only(struct event_base *base, const struct client_activation *a, struct err *e)
{
	struct client_object o;
	struct client_auth auth;

	return activate(base, a, &o, &auth, e);
}

struct client_object *
client_object_activate(struct event_base *base, const struct client_activation *a, struct err *e)
{
	struct client_object *o = calloc(1, sizeof(*o));
	struct client_auth auth;

	if (o == NULL) {
		(void)ERR(e, E_OUTOFMEMORY, "no memory for an object");
		return NULL;
	}
	o->iface = (struct rpc_syntax){ a->iid, 0, 0 };
	if (activate(base, a, o, &auth, e) == 0) {
		o->link = client_link_new(base, a->host, o->port, a->timeout_s, e);
		if (o->link != NULL && client_link_bind(o->link, &o->iface, &auth, e) == 0)
			return o;
		(void)err_prefix(e, "object exporter");
	}
	client_link_free(o->link);
	free(o);
	return NULL;
}

uint16_t
client_object_port(const struct client_object *o)
{
	return o->port;
}

const struct guid *
client_object_ipid(const struct client_object *o)
{
	return &o->ipid;
}

/* ---- calls ---- */

static int
orpc_call(struct client_object *o, const struct rpc_syntax *iface, const struct guid *ipid,
    const struct client_method *m, const void *args, struct pool *pool, void **out, struct err *e)
{
	struct buf in, answer;
	struct orpcthat that;
	struct ndr_in cursor;
	size_t used;
	int rc = -1;

	buf_init(&in, CLIENT_STUB_MAX);
	buf_init(&answer, CLIENT_REPLY_MAX);
	client_orpcthis_put(&in);
	if ((m->in != NULL && ndr_push(m->in, args, &in, e) != 0) ||
	    client_link_call_stub(o->link, iface, m->opnum, ipid, buf_bytes(&in), &answer, e) != 0)
		goto out;
	ndr_in_init(&cursor, buf_bytes(&answer), pool);
	if (orpc_that.pull(&cursor, &that, e) != 0)
		goto out;
	/* Both headers end where 8 divides unless a server adds extensions of odd length; the arguments of
	 * the CA's interfaces need 4. */
	rc = ndr_pull(m->out, m->out_size, (struct bytes){ answer.p + cursor.off, answer.len - cursor.off },
	    pool, out, &used, e);
out:
	buf_wipe(&in);
	buf_wipe(&answer);
	return rc == 0 ? 0 : err_prefix(e, "%s", m->name);
}

int
client_object_call(struct client_object *o, const struct client_method *m, const void *args,
    struct pool *pool, void **out, struct err *e)
{
	return orpc_call(o, &o->iface, &o->ipid, m, args, pool, out, e);
}

/* ---- the end ---- */

/* A courtesy: without it the server waits for pings that never come. */
static void
release(struct client_object *o)
{
	static const struct client_method rem_release = { "RemRelease", 5, rem_refs_in, rem_result_out,
		sizeof(struct rem_result_out) };
	struct rem_ref ref = { o->ipid, o->public_refs, 0 };
	struct rem_refs_in in = { 1, &ref };
	struct pool *pool = pool_new(POOL_MAX);
	struct err ignored;
	void *out;

	if (pool != NULL && !client_conn_dead(client_link_conn(o->link)) &&
	    client_link_bind(o->link, &rem_unknown, NULL, &ignored) == 0 &&
	    orpc_call(o, &rem_unknown, &o->rem_unknown, &rem_release, &in, pool, &out, &ignored) != 0)
		ignored.hr = 0; /* the server notices by itself */
	pool_free(pool);
}

void
client_object_free(struct client_object *o)
{
	if (o == NULL)
		return;
	release(o);
	client_link_free(o->link);
	free(o);
}
