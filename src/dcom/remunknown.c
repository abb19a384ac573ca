/* The Remote Unknown (MS-DCOM 3.1.1.5.6, 3.1.1.5.7), and the class objects' IClassFactory. ctx: struct dcom
 * *. */
#include <inttypes.h>

#include "base/log.h"
#include "dcom/dcom_priv.h"

/* ---- IRemUnknown ---- */

/* The object behind an IPID that a caller names; its time begins anew. */
static struct dcom_object *
find(struct dcom *d, const struct guid *ripid)
{
	struct dcom_ipid *i = dcom_ipid_find(d, ripid);

	if (i == NULL)
		return NULL;
	dcom_object_touch(i->object);
	return i->object;
}

static void
rem_query_interface(struct rpc_call *call, void *args, void *ctx)
{
	const struct rem_query_in *in = args;
	struct dcom *d = ctx;
	struct dcom_object *o = find(d, &in->ripid);
	struct rem_query_out out = { .n = in->n_iids, .result = RPC_E_INVALID_OBJECT };
	struct err e;

	if (o != NULL) {
		out.result = S_OK;
		out.results = pool_calloc(rpc_call_pool(call), in->n_iids, sizeof(*out.results));
		if (out.results == NULL) {
			rpc_call_fault(call, NCA_S_FAULT_REMOTE_NO_MEMORY);
			return;
		}
	}
	for (uint32_t i = 0; o != NULL && i < in->n_iids; i++) {
		struct dcom_ipid *ipid = dcom_object_query(o, &in->iids[i].iid, in->refs, &e);

		out.results[i].hr = ipid != NULL ? S_OK : e.hr;
		if (ipid != NULL)
			out.results[i].std =
			    (struct orpc_stdobjref){ 0, in->refs, d->oxid, o->oid, ipid->ipid };
	}
	rpc_call_reply(call, &out);
}

static uint32_t
plus(uint32_t a, uint32_t b)
{
	return b > UINT32_MAX - a ? UINT32_MAX : a + b;
}

static void
rem_add_ref(struct rpc_call *call, void *args, void *ctx)
{
	const struct rem_refs_in *in = args;
	struct rem_add_out out = { .n = in->n };

	out.results = pool_calloc(rpc_call_pool(call), in->n, sizeof(*out.results));
	if (out.results == NULL) {
		rpc_call_fault(call, NCA_S_FAULT_REMOTE_NO_MEMORY);
		return;
	}
	for (uint32_t k = 0; k < in->n; k++) {
		struct dcom_ipid *i = dcom_ipid_find(ctx, &in->refs[k].ipid);

		if (i == NULL) {
			out.results[k].hr = CO_E_OBJNOTREG;
			continue;
		}
		i->public_refs = plus(i->public_refs, in->refs[k].public_refs);
		i->private_refs = plus(i->private_refs, in->refs[k].private_refs);
		dcom_object_touch(i->object);
	}
	rpc_call_reply(call, &out);
}

static void
rem_release(struct rpc_call *call, void *args, void *ctx)
{
	static const struct rem_result_out out = { S_OK };
	const struct rem_refs_in *in = args;

	for (uint32_t k = 0; k < in->n; k++) {
		struct dcom_ipid *i = dcom_ipid_find(ctx, &in->refs[k].ipid);

		if (i != NULL) {
			dcom_object_touch(i->object);
			dcom_ipid_release(i, in->refs[k].public_refs, in->refs[k].private_refs);
		}
	}
	rpc_call_reply(call, &out);
}

/* ---- IRemUnknown2 ---- */

static void
rem_query_interface2(struct rpc_call *call, void *args, void *ctx)
{
	const struct rem_query2_in *in = args;
	struct dcom *d = ctx;
	struct dcom_object *o = find(d, &in->ripid);
	struct rem_query2_out out = { .n = in->n_iids, .result = o != NULL ? S_OK : RPC_E_INVALID_OBJECT };
	struct err e;

	out.results = pool_calloc(rpc_call_pool(call), in->n_iids, sizeof(*out.results));
	out.pointers = pool_calloc(rpc_call_pool(call), in->n_iids, sizeof(*out.pointers));
	if (out.results == NULL || out.pointers == NULL) {
		rpc_call_fault(call, NCA_S_FAULT_REMOTE_NO_MEMORY);
		return;
	}
	for (uint32_t i = 0; o != NULL && i < in->n_iids; i++) {
		struct dcom_ipid *ipid = dcom_object_query(o, &in->iids[i].iid, DCOM_PUBLIC_REFS, &e);

		if (ipid != NULL)
			out.pointers[i].objref = dcom_objref(d, call, ipid, DCOM_PUBLIC_REFS, &e);
		out.results[i].hr = out.pointers[i].objref != NULL ? S_OK : e.hr;
	}
	rpc_call_reply(call, &out);
}

/* IRemUnknown2 repeats IRemUnknown: one table answers to both. */
static const struct rpc_method rem_methods[] = {
	[3] = { "RemQueryInterface", rem_query_in, rem_query_out, sizeof(struct rem_query_in),
	    rem_query_interface },
	[4] = { "RemAddRef", rem_refs_in, rem_add_out, sizeof(struct rem_refs_in), rem_add_ref },
	[5] = { "RemRelease", rem_refs_in, rem_result_out, sizeof(struct rem_refs_in), rem_release },
	[6] = { "RemQueryInterface2", rem_query2_in, rem_query2_out, sizeof(struct rem_query2_in),
	    rem_query_interface2 },
};

const struct rpc_interface dcom_iremunknown2 = {
	.name = "IRemUnknown2",
	.uuid = IREMUNKNOWN2_UUID,
	.methods = rem_methods,
	.n_methods = ARRAY_LEN(rem_methods),
	.min_level = RPC_C_AUTHN_LEVEL_NONE,
};

/* Its three methods are never sent (MS-DCOM 3.1.1.5.8). */
const struct rpc_interface dcom_iunknown = {
	.name = "IUnknown",
	.uuid = IID_IUNKNOWN,
	.min_level = RPC_C_AUTHN_LEVEL_NONE,
};

/* ---- IClassFactory ---- */

static void
class_create_instance(struct rpc_call *call, void *args, void *ctx)
{
	const struct class_create_in *in = args;
	const struct dcom_object *factory = dcom_call_object(call);
	const struct token *token = rpc_call_token(call);
	struct dcom *d = ctx;
	const struct dcom_policy *p = &d->cfg.policy;
	struct class_create_out out = { .object = NULL };
	struct dcom_object *o = NULL;
	struct dcom_ipid *ipid;
	struct err e = { 0 };

	if (p->check(p->ctx, factory->row->cls, token, COM_RIGHTS_ACTIVATE_REMOTE, &e) == 0)
		o = dcom_object_new(d, DCOM_INSTANCE, factory->row, token != NULL ? token->account : "", &e);
	ipid = o != NULL ? dcom_object_query(o, &in->iid, DCOM_PUBLIC_REFS, &e) : NULL;
	if (ipid != NULL)
		out.object = dcom_objref(d, call, ipid, DCOM_PUBLIC_REFS, &e);
	if (out.object != NULL) {
		d->stats.activations++;
	} else {
		log_info(rpc, "%s %s: CreateInstance: 0x%08" PRIx32 ": %s", rpc_call_id(call),
		    rpc_call_peer(call), e.hr, e.msg);
		out.result = e.hr;
		d->stats.refused++;
		if (o != NULL)
			dcom_object_drop(o);
	}
	rpc_call_reply(call, &out);
}

/* The server stays for as long as it runs, locked or not. */
static void
class_lock_server(struct rpc_call *call, void *args, void *ctx)
{
	static const struct rem_result_out out = { S_OK };

	(void)args;
	(void)ctx;
	rpc_call_reply(call, &out);
}

static const struct rpc_method class_methods[] = {
	[3] = { "CreateInstance", class_create_in, class_create_out, sizeof(struct class_create_in),
	    class_create_instance },
	[4] = { "LockServer", class_lock_in, rem_result_out, sizeof(struct class_lock_in),
	    class_lock_server },
};

const struct rpc_interface dcom_iclassfactory = {
	.name = "IClassFactory",
	.uuid = IID_ICLASSFACTORY,
	.methods = class_methods,
	.n_methods = ARRAY_LEN(class_methods),
	.min_level = RPC_C_AUTHN_LEVEL_NONE,
};
