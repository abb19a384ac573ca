#include "idl/tables.h"

#include <string.h>

#include "idl/epm.h"
#include "idl/icertpassage.h"
#include "idl/mgmt.h"

#define TABLE(label, fields)                                                                                 \
	{                                                                                                    \
		label, fields, sizeof(struct fields)                                                         \
	}

/* New tables go to the end: the fuzz seeds choose by number. */
const struct idl_table idl_tables[] = {
	TABLE("ICertPassage.CertServerRequest.in", icertpassage_request_in),
	TABLE("ICertPassage.CertServerRequest.out", icertpassage_request_out),
	TABLE("epm.ept_lookup.in", epm_lookup_in),
	TABLE("epm.ept_lookup.out", epm_lookup_out),
	TABLE("epm.ept_map.in", epm_map_in),
	TABLE("epm.ept_map.out", epm_map_out),
	TABLE("epm.ept_lookup_handle_free.in", epm_handle_free_in),
	TABLE("epm.ept_lookup_handle_free.out", epm_handle_free_out),
	TABLE("mgmt.rpc_mgmt_inq_if_ids.out", mgmt_inq_if_ids_out),
	TABLE("mgmt.rpc_mgmt_inq_stats.in", mgmt_inq_stats_in),
	TABLE("mgmt.rpc_mgmt_inq_stats.out", mgmt_inq_stats_out),
	TABLE("mgmt.rpc_mgmt_is_server_listening.out", mgmt_is_server_listening_out),
	TABLE("mgmt.rpc_mgmt_stop_server_listening.out", mgmt_stop_server_listening_out),
	TABLE("mgmt.rpc_mgmt_inq_princ_name.in", mgmt_inq_princ_name_in),
	TABLE("mgmt.rpc_mgmt_inq_princ_name.out", mgmt_inq_princ_name_out),
};
const size_t idl_n_tables = ARRAY_LEN(idl_tables);

const struct idl_table *
idl_table_find(const char *name)
{
	for (size_t i = 0; i < idl_n_tables; i++)
		if (strcmp(idl_tables[i].name, name) == 0)
			return &idl_tables[i];
	return NULL;
}
