#include <string.h>

#include "idl/mgmt.h"
#include "svc/svc.h"

/* The answers are made in the pool; -1 when memory is short. */

static int
if_ids_answer(const struct rpc_port *port, struct pool *pool, struct mgmt_inq_if_ids_out *out)
{
	struct mgmt_if_id_vector *v = POOL_NEW(pool, struct mgmt_if_id_vector);
	struct epm_if_id *ids;
	uint32_t n = 0;

	while (rpc_port_interface(port, n) != NULL)
		n++;
	ids = pool_calloc(pool, n, sizeof(*ids));
	if (v == NULL || ids == NULL || (v->if_ids = pool_calloc(pool, n, sizeof(*v->if_ids))) == NULL)
		return -1;
	for (v->count = 0; v->count < n; v->count++) {
		const struct rpc_interface *f = rpc_port_interface(port, v->count);

		ids[v->count] = (struct epm_if_id){ f->uuid, f->major, f->minor };
		v->if_ids[v->count].if_id = &ids[v->count];
	}
	*out = (struct mgmt_inq_if_ids_out){ .vector = v, .status = RPC_S_OK };
	return 0;
}

/* As many statistics as asked for and there are; counters wrap. */
static int
stats_answer(const struct rpc_stats *stats, uint32_t count, struct pool *pool, struct mgmt_inq_stats_out *out)
{
	const uint64_t values[MGMT_STATISTICS] = {
		[MGMT_CALLS_IN] = stats->calls,
		[MGMT_CALLS_OUT] = 0, /* the server calls nobody */
		[MGMT_PKTS_IN] = stats->pdus_in,
		[MGMT_PKTS_OUT] = stats->pdus_out,
	};

	*out = (struct mgmt_inq_stats_out){ .count = count < MGMT_STATISTICS ? count : MGMT_STATISTICS };
	out->statistics = pool_calloc(pool, MGMT_STATISTICS, sizeof(*out->statistics));
	if (out->statistics == NULL)
		return -1;
	for (uint32_t i = 0; i < out->count; i++)
		out->statistics[i].value = (uint32_t)values[i];
	return 0;
}

static bool
knows_authentication(uint32_t authn_proto)
{
	return authn_proto == AUTH_MECH_SPNEGO || authn_proto == AUTH_MECH_NTLM;
}

static int
princ_name_answer(const char *dns_name, const struct mgmt_inq_princ_name_in *in, struct pool *pool,
    struct mgmt_inq_princ_name_out *out)
{
	const char *name;

	*out = (struct mgmt_inq_princ_name_out){
		.princ_name_size = in->princ_name_size,
		.princ_name = in->princ_name_size > 0 ? "" : NULL,
	};
	if (!knows_authentication(in->authn_proto)) {
		out->status = RPC_S_UNKNOWN_AUTHN_SERVICE;
		return 0;
	}
	name = pool_printf(pool, "host/%s", dns_name);
	if (name == NULL)
		return -1;
	if (strlen(name) >= in->princ_name_size)
		out->status = RPC_S_STRING_TOO_LONG;
	else
		out->princ_name = name;
	return 0;
}

/* ---- methods ---- */

static void
inq_if_ids(struct rpc_call *call, void *args, void *ctx)
{
	const struct svc_mgmt *m = ctx;
	struct mgmt_inq_if_ids_out out;

	(void)args;
	if (if_ids_answer(m->port, rpc_call_pool(call), &out) != 0)
		rpc_call_fault(call, NCA_S_FAULT_REMOTE_NO_MEMORY);
	else
		rpc_call_reply(call, &out);
}

static void
inq_stats(struct rpc_call *call, void *args, void *ctx)
{
	const struct mgmt_inq_stats_in *in = args;
	const struct svc_mgmt *m = ctx;
	struct mgmt_inq_stats_out out;
	struct rpc_stats stats;

	rpc_server_stats(rpc_port_server(m->port), &stats);
	if (stats_answer(&stats, in->count, rpc_call_pool(call), &out) != 0)
		rpc_call_fault(call, NCA_S_FAULT_REMOTE_NO_MEMORY);
	else
		rpc_call_reply(call, &out);
}

static void
is_server_listening(struct rpc_call *call, void *args, void *ctx)
{
	static const struct mgmt_is_server_listening_out out = { .status = RPC_S_OK, .listening = true };

	(void)args;
	(void)ctx;
	rpc_call_reply(call, &out);
}

/* Ours: refused to everybody, as by a server that has set no authorization function; C706's code for it would
 * be rpc_s_mgmt_op_disallowed, Windows clients know RPC_S_ACCESS_DENIED. */
static void
stop_server_listening(struct rpc_call *call, void *args, void *ctx)
{
	static const struct mgmt_stop_server_listening_out out = { .status = RPC_S_ACCESS_DENIED };

	(void)args;
	(void)ctx;
	rpc_call_reply(call, &out);
}

static void
inq_princ_name(struct rpc_call *call, void *args, void *ctx)
{
	const struct svc_mgmt *m = ctx;
	struct mgmt_inq_princ_name_out out;

	if (princ_name_answer(m->dns_name, args, rpc_call_pool(call), &out) != 0)
		rpc_call_fault(call, NCA_S_FAULT_REMOTE_NO_MEMORY);
	else
		rpc_call_reply(call, &out);
}

static const struct rpc_method methods[] = {
	[0] = { "rpc_mgmt_inq_if_ids", mgmt_no_arguments, mgmt_inq_if_ids_out, 1, inq_if_ids },
	[1] = { "rpc_mgmt_inq_stats", mgmt_inq_stats_in, mgmt_inq_stats_out, sizeof(struct mgmt_inq_stats_in),
	    inq_stats },
	[2] = { "rpc_mgmt_is_server_listening", mgmt_no_arguments, mgmt_is_server_listening_out, 1,
	    is_server_listening },
	[3] = { "rpc_mgmt_stop_server_listening", mgmt_no_arguments, mgmt_stop_server_listening_out, 1,
	    stop_server_listening },
	[4] = { "rpc_mgmt_inq_princ_name", mgmt_inq_princ_name_in, mgmt_inq_princ_name_out,
	    sizeof(struct mgmt_inq_princ_name_in), inq_princ_name },
};

const struct rpc_interface svc_mgmt_interface = {
	.name = "mgmt",
	.uuid = MGMT_UUID,
	.major = 1,
	.minor = 0,
	.methods = methods,
	.n_methods = ARRAY_LEN(methods),
	.min_level = RPC_C_AUTHN_LEVEL_NONE,
};
