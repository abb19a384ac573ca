#include "svc/epm_priv.h"

static void
ept_lookup(struct rpc_call *call, void *args, void *ctx)
{
	struct epm_lookup_out out;
	uint8_t local[4];
	uint32_t fault;

	rpc_call_local_ipv4(call, local);
	fault = epm_lookup_answer(ctx, args, local, rpc_call_pool(call), &out);
	if (fault != 0)
		rpc_call_fault(call, fault);
	else
		rpc_call_reply(call, &out);
}

static void
ept_map(struct rpc_call *call, void *args, void *ctx)
{
	struct epm_map_out out;
	uint8_t local[4];
	uint32_t fault;

	rpc_call_local_ipv4(call, local);
	fault = epm_map_answer(ctx, args, local, rpc_call_pool(call), &out);
	if (fault != 0)
		rpc_call_fault(call, fault);
	else
		rpc_call_reply(call, &out);
}

static void
ept_lookup_handle_free(struct rpc_call *call, void *args, void *ctx)
{
	struct epm_handle_free_out out;
	uint32_t fault = epm_handle_free_answer(ctx, args, &out);

	if (fault != 0)
		rpc_call_fault(call, fault);
	else
		rpc_call_reply(call, &out);
}

/* Nobody changes the map by RPC; Windows raises the same (MS-RPCE 2.2.1.2.6, note 28). */
static void
ept_refuse(struct rpc_call *call, void *args, void *ctx)
{
	(void)args;
	(void)ctx;
	rpc_call_fault(call, EPT_S_CANT_PERFORM_OP);
}

static const struct rpc_method methods[] = {
	/* clang-format off */
	[0] = { "ept_insert", epm_no_arguments, epm_no_arguments, 1, ept_refuse },
	[1] = { "ept_delete", epm_no_arguments, epm_no_arguments, 1, ept_refuse },
	[2] = { "ept_lookup", epm_lookup_in, epm_lookup_out, sizeof(struct epm_lookup_in), ept_lookup },
	[3] = { "ept_map", epm_map_in, epm_map_out, sizeof(struct epm_map_in), ept_map },
	[4] = { "ept_lookup_handle_free", epm_handle_free_in, epm_handle_free_out, sizeof(struct epm_handle_free_in),
	        ept_lookup_handle_free },
	[5] = { "ept_inq_object", epm_no_arguments, epm_no_arguments, 1, ept_refuse },
	[6] = { "ept_mgmt_delete", epm_no_arguments, epm_no_arguments, 1, ept_refuse },
	/* clang-format on */
};

const struct rpc_interface svc_epm_interface = {
	.name = "epm",
	.uuid = EPM_UUID,
	.major = 3,
	.minor = 0,
	.methods = methods,
	.n_methods = ARRAY_LEN(methods),
	.min_level = RPC_C_AUTHN_LEVEL_NONE,
};
