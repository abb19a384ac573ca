/* IObjectExporter: the object resolver's methods (MS-DCOM 3.1.2.5.1). Open to every level and to nobody in
 * particular, as the specification allows: ids are random, and nothing is told that an activation would not
 * tell. */
#include "dcom/dcom_priv.h"

static void
resolve(struct rpc_call *call, const struct or_resolve_in *in, struct dcom *d)
{
	struct or_resolve_out out = { .status = OR_INVALID_OXID };
	struct err e;

	if (in->oxid == d->oxid) {
		out = (struct or_resolve_out){
			.bindings = dcom_bindings_exporter(d, call, &e),
			.rem_unknown = d->rem_unknown_ipid,
			.authn_hint = RPC_C_AUTHN_LEVEL_PKT_PRIVACY,
			.version = { COM_MAJOR_VERSION, COM_MINOR_VERSION },
		};
		if (out.bindings == NULL) {
			rpc_call_fault(call, NCA_S_FAULT_REMOTE_NO_MEMORY);
			return;
		}
	}
	rpc_call_reply(call, &out);
}

/* ResolveOxid and ResolveOxid2 differ in their out tables only. */
static void
resolve_oxid(struct rpc_call *call, void *args, void *ctx)
{
	resolve(call, args, ctx);
}

static void
simple_ping(struct rpc_call *call, void *args, void *ctx)
{
	const struct or_simple_ping_in *in = args;
	struct or_status_out out = { dcom_ping_simple(ctx, in->set) };

	rpc_call_reply(call, &out);
}

static void
complex_ping(struct rpc_call *call, void *args, void *ctx)
{
	struct or_complex_ping_out out = { .backoff = 0 };

	out.status = dcom_ping_complex(ctx, args, &out.set);
	rpc_call_reply(call, &out);
}

static void
server_alive(struct rpc_call *call, void *args, void *ctx)
{
	static const struct or_status_out out = { OR_OK };

	(void)args;
	(void)ctx;
	rpc_call_reply(call, &out);
}

static void
server_alive2(struct rpc_call *call, void *args, void *ctx)
{
	struct or_alive2_out out = { .version = { COM_MAJOR_VERSION, COM_MINOR_VERSION } };
	struct err e;

	(void)args;
	out.bindings = dcom_bindings_resolver(ctx, call, &e);
	if (out.bindings == NULL)
		rpc_call_fault(call, NCA_S_FAULT_REMOTE_NO_MEMORY);
	else
		rpc_call_reply(call, &out);
}

static const struct rpc_method methods[] = {
	/* clang-format off */
	[0] = { "ResolveOxid", or_resolve_in, or_resolve_out, sizeof(struct or_resolve_in), resolve_oxid },
	[1] = { "SimplePing", or_simple_ping_in, or_status_out, sizeof(struct or_simple_ping_in), simple_ping },
	[2] = { "ComplexPing", or_complex_ping_in, or_complex_ping_out, sizeof(struct or_complex_ping_in), complex_ping },
	[3] = { "ServerAlive", or_no_arguments, or_status_out, 1, server_alive },
	[4] = { "ResolveOxid2", or_resolve_in, or_resolve2_out, sizeof(struct or_resolve_in), resolve_oxid },
	[5] = { "ServerAlive2", or_no_arguments, or_alive2_out, 1, server_alive2 },
	/* clang-format on */
};

const struct rpc_interface dcom_iobjectexporter = {
	.name = "IObjectExporter",
	.uuid = IOBJECTEXPORTER_UUID,
	.methods = methods,
	.n_methods = ARRAY_LEN(methods),
	.min_level = RPC_C_AUTHN_LEVEL_NONE,
};
