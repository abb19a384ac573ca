/* Activation (MS-DCOM 3.1.2.5.2.3): IActivation and IRemoteSCMActivator do the same and differ in how they
 * say it. */
#include <inttypes.h>

#include "base/log.h"
#include "dcom/dcom_priv.h"

struct activation {
	struct com_version version; /* of ORPCTHIS, whose flags mean nothing here */
	struct guid clsid;
	bool class_object;
	uint32_t n_iids;
	const struct orpc_iid *iids;
};

static const struct dcom_row *
row_find(const struct dcom *d, const struct guid *clsid)
{
	for (unsigned i = 0; i < d->n_rows; i++) {
		if (guid_equal(&d->rows[i].cls->clsid, clsid))
			return &d->rows[i];
	}
	return NULL;
}

/* May the caller have an object of this class? */
static int
check(struct dcom *d, struct rpc_call *call, const struct activation *a, const struct dcom_row **row,
    struct err *e)
{
	const struct dcom_policy *p = &d->cfg.policy;
	char text[GUID_TEXT_MAX];

	if (!dcom_version_ok(a->version))
		return ERR(
		    e, RPC_E_VERSION_MISMATCH, "client has COM %u.%u", a->version.major, a->version.minor);
	if (rpc_call_level(call) < p->min_level(p->ctx))
		return ERR(e, E_ACCESSDENIED, "activation at level %u, at least %u is asked for (KB5004442)",
		    rpc_call_level(call), p->min_level(p->ctx));
	*row = row_find(d, &a->clsid);
	if (*row == NULL)
		return ERR(e, REGDB_E_CLASSNOTREG, "class %s", guid_to_text(&a->clsid, text));
	return p->check(p->ctx, (*row)->cls, rpc_call_token(call), COM_RIGHTS_ACTIVATE_REMOTE, e);
}

/* The interfaces that there are; fails with E_NOINTERFACE when there is none of them. */
static int
query_all(struct dcom *d, struct rpc_call *call, struct dcom_object *o, const struct activation *a,
    struct orpc_pointer *pointers, struct orpc_hresult *results, struct err *e)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < a->n_iids; i++) {
		struct dcom_ipid *ipid = dcom_object_query(o, &a->iids[i].iid, DCOM_PUBLIC_REFS, e);

		results[i].hr = ipid != NULL ? S_OK : e->hr;
		if (ipid == NULL && e->hr == E_NOINTERFACE)
			continue;
		pointers[i].objref = ipid != NULL ? dcom_objref(d, call, ipid, DCOM_PUBLIC_REFS, e) : NULL;
		if (pointers[i].objref == NULL)
			return -1;
		found++;
	}
	return found > 0 ? 0 : -1;
}

/* On success *out is filled, in the call's pool. */
static int
activate(struct dcom *d, struct rpc_call *call, const struct activation *a, struct activation_result *out,
    struct err *e)
{
	struct pool *pool = rpc_call_pool(call);
	const struct token *token = rpc_call_token(call);
	const struct dcom_row *row;
	struct dcom_object *o;

	if (check(d, call, a, &row, e) != 0)
		return -1;
	*out = (struct activation_result){
		.n = a->n_iids,
		.iids = pool_dup(pool, a->iids, a->n_iids * sizeof(*a->iids)),
		.results = pool_calloc(pool, a->n_iids, sizeof(*out->results)),
		.pointers = pool_calloc(pool, a->n_iids, sizeof(*out->pointers)),
		.oxid = d->oxid,
		.bindings = dcom_bindings_exporter(d, call, e),
		.rem_unknown = d->rem_unknown_ipid,
		.authn_hint = RPC_C_AUTHN_LEVEL_PKT_PRIVACY,
		.version = { COM_MAJOR_VERSION, COM_MINOR_VERSION },
	};
	if (out->iids == NULL || out->results == NULL || out->pointers == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for an activation");
	if (out->bindings == NULL)
		return -1;
	o = dcom_object_new(d, a->class_object ? DCOM_CLASS_OBJECT : DCOM_INSTANCE, row,
	    token != NULL ? token->account : "", e);
	if (o == NULL)
		return -1;
	if (query_all(d, call, o, a, out->pointers, out->results, e) != 0) {
		dcom_object_drop(o);
		return -1;
	}
	log_debug(rpc, "%s: activated %s for %s", rpc_call_id(call), row->cls->name,
	    token != NULL ? token->account : "nobody");
	return 0;
}

/* 0, or the HRESULT. */
static uint32_t
run(struct dcom *d, struct rpc_call *call, const struct activation *a, struct activation_result *out)
{
	struct err e = { 0 };

	if (activate(d, call, a, out, &e) == 0) {
		d->stats.activations++;
		return S_OK;
	}
	d->stats.refused++;
	log_info(rpc, "%s %s: activation refused with 0x%08" PRIx32 ": %s", rpc_call_id(call),
	    rpc_call_peer(call), e.hr, e.msg);
	return e.hr;
}

/* Nobody at all: no layout is owed. */
static bool
refuse_anonymous(struct rpc_call *call)
{
	if (rpc_call_token(call) != NULL)
		return false;
	rpc_call_fault(call, RPC_FAULT_ACCESS_DENIED);
	return true;
}

/* ---- IActivation ---- */

static void
remote_activation(struct rpc_call *call, void *args, void *ctx)
{
	const struct activation_remote_in *in = args;
	struct activation a = {
		.version = in->orpcthis.version,
		.clsid = in->clsid,
		.class_object = in->mode == MODE_GET_CLASS_OBJECT,
		.n_iids = in->n_iids,
		.iids = in->iids,
	};
	struct activation_result r = { 0 };
	struct activation_remote_out out = { .n = in->n_iids };

	if (refuse_anonymous(call))
		return;
	out.hr = in->iids != NULL ? run(ctx, call, &a, &r) : E_INVALIDARG;
	if (out.hr == S_OK) {
		out.oxid = r.oxid;
		out.bindings = r.bindings;
		out.rem_unknown = r.rem_unknown;
		out.authn_hint = r.authn_hint;
		out.version = r.version;
		out.pointers = r.pointers;
		out.results = r.results;
	} else {
		out.pointers = pool_calloc(rpc_call_pool(call), out.n, sizeof(*out.pointers));
		out.results = pool_calloc(rpc_call_pool(call), out.n, sizeof(*out.results));
		if (out.pointers == NULL || out.results == NULL) {
			rpc_call_fault(call, NCA_S_FAULT_REMOTE_NO_MEMORY);
			return;
		}
	}
	rpc_call_reply(call, &out);
}

static const struct rpc_method activation_methods[] = {
	[0] = { "RemoteActivation", activation_remote_in, activation_remote_out,
	    sizeof(struct activation_remote_in), remote_activation },
};

const struct rpc_interface dcom_iactivation = {
	.name = "IActivation",
	.uuid = IACTIVATION_UUID,
	.methods = activation_methods,
	.n_methods = ARRAY_LEN(activation_methods),
	.min_level = RPC_C_AUTHN_LEVEL_NONE,
};

/* ---- IRemoteSCMActivator ---- */

static int
encode_result(const struct activation_result *r, struct pool *pool, struct bytes **out, struct err *e)
{
	struct buf b;
	int ret = -1;

	buf_init(&b, 1u << 20);
	if (activation_result_encode(r, &b, e) == 0) {
		*out = POOL_NEW(pool, struct bytes);
		ret = *out != NULL && pool_dup_bytes(pool, buf_bytes(&b), *out) == 0
		    ? 0
		    : ERR(e, E_OUTOFMEMORY, "no memory for an answer");
	}
	buf_fini(&b);
	return ret;
}

static void
by_properties(struct rpc_call *call, const struct orpcthis *orpcthis, const struct bytes *properties,
    bool class_object, struct dcom *d)
{
	struct activation_properties_out out = { .hr = E_INVALIDARG };
	struct activation_request q;
	struct activation_result r;
	struct err e = { 0 };

	if (refuse_anonymous(call))
		return;
	if (properties == NULL || activation_request_decode(*properties, rpc_call_pool(call), &q, &e) != 0) {
		log_info(rpc, "%s %s: activation properties: %s", rpc_call_id(call), rpc_call_peer(call),
		    properties == NULL ? "none" : e.msg);
		d->stats.refused++;
		if (properties != NULL)
			out.hr = e.hr;
	} else {
		struct activation a = { orpcthis->version, q.clsid, class_object, q.n_iids, q.iids };

		out.hr = run(d, call, &a, &r);
		if (out.hr == S_OK && encode_result(&r, rpc_call_pool(call), &out.properties, &e) != 0)
			out.hr = e.hr;
	}
	rpc_call_reply(call, &out);
}

static void
get_class_object(struct rpc_call *call, void *args, void *ctx)
{
	const struct activation_class_in *in = args;

	by_properties(call, &in->orpcthis, in->properties, true, ctx);
}

static void
create_instance(struct rpc_call *call, void *args, void *ctx)
{
	const struct activation_create_in *in = args;

	by_properties(call, &in->orpcthis, in->properties, false, ctx);
}

static const struct rpc_method scm_methods[] = {
	[3] = { "RemoteGetClassObject", activation_class_in, activation_properties_out,
	    sizeof(struct activation_class_in), get_class_object },
	[4] = { "RemoteCreateInstance", activation_create_in, activation_properties_out,
	    sizeof(struct activation_create_in), create_instance },
};

const struct rpc_interface dcom_iremotescmactivator = {
	.name = "IRemoteSCMActivator",
	.uuid = IREMOTESCMACTIVATOR_UUID,
	.methods = scm_methods,
	.n_methods = ARRAY_LEN(scm_methods),
	.min_level = RPC_C_AUTHN_LEVEL_NONE,
};
