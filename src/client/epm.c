#include "client/epm.h"

#include "idl/epm.h"

#define MAX_TOWERS 4
#define POOL_MAX (1u << 20)

static const struct rpc_syntax epm = { EPM_UUID, 3, 0 };
static const struct client_method ept_map = { "ept_map", 3, epm_map_in, epm_map_out,
	sizeof(struct epm_map_out) };

static int
first_port(const struct epm_map_out *out, uint16_t *port, struct err *e)
{
	struct epm_tcp tcp;

	if (out->status != 0)
		return ERR(e, rpc_fault_hresult(out->status), "the endpoint mapper answers 0x%08x%s",
		    out->status,
		    out->status == EPT_S_NOT_REGISTERED ? ": the server does not offer the interface" : "");
	for (uint32_t i = 0; i < out->num_towers; i++) {
		if (out->towers[i].tower != NULL && epm_tower_to_tcp(out->towers[i].tower, &tcp) &&
		    tcp.port != 0) {
			*port = tcp.port;
			return 0;
		}
	}
	return ERR(e, hresult_from_win32(0x6D9), "the endpoint mapper knows no TCP port");
}

static int
map(struct client_link *l, struct pool *pool, const struct rpc_syntax *iface, uint16_t *port, struct err *e)
{
	static const struct guid nil;
	struct epm_tcp tcp = { .transfer = { NDR_TRANSFER_SYNTAX_UUID, 2, 0 } };
	struct epm_map_in in = { .object = &nil, .max_towers = MAX_TOWERS };
	void *out;

	tcp.iface = (struct epm_if_id){ iface->uuid, iface->major, iface->minor };
	in.tower = epm_tower_from_tcp(pool, &tcp);
	if (in.tower == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a tower");
	if (client_link_bind(l, &epm, NULL, e) != 0 ||
	    client_link_call(l, &epm, &ept_map, NULL, &in, pool, &out, e) != 0)
		return -1;
	return first_port(out, port, e);
}

int
client_epm_map(struct event_base *base, const char *host, uint16_t epm_port, const struct rpc_syntax *iface,
    unsigned timeout_s, uint16_t *port, struct err *e)
{
	struct client_link *l = client_link_new(base, host, epm_port, timeout_s, e);
	struct pool *pool = pool_new(POOL_MAX);
	int rc = -1;

	if (l != NULL && pool == NULL)
		(void)ERR(e, E_OUTOFMEMORY, "no memory for the endpoint mapper");
	else if (l != NULL)
		rc = map(l, pool, iface, port, e);
	client_link_free(l);
	pool_free(pool);
	return rc == 0 ? 0 : err_prefix(e, "endpoint mapper of %.60s", host);
}
