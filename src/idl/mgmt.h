/* The remote management interface that every endpoint has (C706 appendix Q, MS-RPCE 2.2.1.3). */
#ifndef ADCSD_IDL_MGMT_H
#define ADCSD_IDL_MGMT_H

#include "idl/epm.h"

/* Version 1.0 */
#define MGMT_UUID                                                                                            \
	{                                                                                                    \
		0xafa8bd80, 0x7d8a, 0x11c9,                                                                  \
		{                                                                                            \
			0xbe, 0xf4, 0x08, 0x00, 0x2b, 0x10, 0x29, 0x89                                       \
		}                                                                                            \
	}

#define MGMT_IF_IDS_MAX 512      /* Ours: the IDL sets no range */
#define MGMT_STATISTICS_MAX 50   /* StatisticsCount, MS-RPCE 2.2.1.3.2 */
#define MGMT_PRINC_NAME_MAX 4096 /* range of princ_name_size, MS-RPCE 2.2.1.3.4 */

/* Every out list has the status among its parameters. */
enum {
	RPC_S_OK = 0,
	RPC_S_ACCESS_DENIED = 5,
	RPC_S_UNKNOWN_AUTHN_SERVICE = 0x000006D3,
	RPC_S_STRING_TOO_LONG = 0x000006CF,
};

/* rpc_mgmt_inq_if_ids, opnum 0; it takes nothing. */
struct mgmt_if_ref {
	struct epm_if_id *if_id;
};
struct mgmt_if_id_vector {
	uint32_t count;
	struct mgmt_if_ref *if_ids;
};
struct mgmt_inq_if_ids_out {
	struct mgmt_if_id_vector *vector;
	uint32_t status;
};
extern const struct ndr_field mgmt_inq_if_ids_out[];

/* rpc_mgmt_inq_stats, opnum 1 (MS-RPCE 2.2.1.3.3) */
enum mgmt_statistic { /* places in statistics */
	MGMT_CALLS_IN,
	MGMT_CALLS_OUT,
	MGMT_PKTS_IN,
	MGMT_PKTS_OUT,
	MGMT_STATISTICS,
};
struct mgmt_inq_stats_in {
	uint32_t count;
};
struct mgmt_statistic_value {
	uint32_t value;
};
struct mgmt_inq_stats_out {
	uint32_t count;
	struct mgmt_statistic_value *statistics;
	uint32_t status;
};
extern const struct ndr_field mgmt_inq_stats_in[], mgmt_inq_stats_out[];

/* rpc_mgmt_is_server_listening, opnum 2; it takes nothing. */
struct mgmt_is_server_listening_out {
	uint32_t status;
	uint32_t listening; /* boolean32, the return value */
};
extern const struct ndr_field mgmt_is_server_listening_out[];

/* rpc_mgmt_stop_server_listening, opnum 3; it takes nothing. */
struct mgmt_stop_server_listening_out {
	uint32_t status;
};
extern const struct ndr_field mgmt_stop_server_listening_out[];

/* rpc_mgmt_inq_princ_name, opnum 4 (MS-RPCE 2.2.1.3.4) */
struct mgmt_inq_princ_name_in {
	uint32_t authn_proto; /* RPC_C_AUTHN_* as in a sec_trailer */
	uint32_t princ_name_size;
};
struct mgmt_inq_princ_name_out {
	uint32_t princ_name_size; /* MaxCount of princ_name: what the client asked for */
	const char *princ_name;   /* NULL only when the size leaves no room for "" */
	uint32_t status;
};
extern const struct ndr_field mgmt_inq_princ_name_in[], mgmt_inq_princ_name_out[];

extern const struct ndr_field mgmt_no_arguments[];

#endif
