/* Endpoint mapper (C706 appendix O, MS-RPCE 2.2.1.2) and protocol towers (C706 appendix L). */
#ifndef ADCSD_IDL_EPM_H
#define ADCSD_IDL_EPM_H

#include "ndr/ndr.h"

/* Version 3.0 */
#define EPM_UUID                                                                                             \
	{                                                                                                    \
		0xe1af8308, 0x5d1f, 0x11c9,                                                                  \
		{                                                                                            \
			0x91, 0xa4, 0x08, 0x00, 0x2b, 0x14, 0xa0, 0xfa                                       \
		}                                                                                            \
	}
/* NDR20, version 2.0 */
#define NDR_TRANSFER_SYNTAX_UUID                                                                             \
	{                                                                                                    \
		0x8a885d04, 0x1ceb, 0x11c9,                                                                  \
		{                                                                                            \
			0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60                                       \
		}                                                                                            \
	}

#define EPM_TOWER_MAX 2000  /* range of tower_length, MS-RPCE 2.2.1.2.2 */
#define EPM_FLOORS_MAX 6    /* Ours: the tallest towers in use have five or six */
#define EPM_RESULTS_MAX 500 /* range of max_towers and max_ents */
#define EPM_ANNOTATION_MAX 64

enum {
	EPT_S_CANT_PERFORM_OP = 0x000006D8, /* MS-RPCE 2.2.1.2.1 */
	EPT_S_NOT_REGISTERED = 0x16C9A0D6,
};

/* RPC_IF_ID; also the syntax identifiers of a tower. */
struct epm_if_id {
	struct guid uuid;
	uint16_t major, minor;
};

/* ept_lookup_handle_t, a context handle; all zero is NULL. */
struct epm_handle {
	uint32_t attributes;
	struct guid uuid;
};

/* ---- towers ---- */

/* First octet of a floor's left side. */
enum epm_protocol {
	EPM_PROTOCOL_TCP = 0x07,
	EPM_PROTOCOL_UDP = 0x08,
	EPM_PROTOCOL_IP = 0x09,
	EPM_PROTOCOL_RPC_CL = 0x0a,
	EPM_PROTOCOL_RPC_CO = 0x0b,
	EPM_PROTOCOL_UUID = 0x0d,
	EPM_PROTOCOL_PIPE = 0x0f,
	EPM_PROTOCOL_NETBIOS = 0x11,
	EPM_PROTOCOL_HTTP = 0x1f,
};

struct epm_floor {
	struct bytes lhs, rhs;
};
struct epm_tower {
	unsigned n_floors;
	struct epm_floor floors[EPM_FLOORS_MAX];
};

/* What a tower of ncacn_ip_tcp says. */
struct epm_tcp {
	struct epm_if_id iface, transfer;
	uint16_t port;
	uint8_t ipv4[4]; /* network order */
};

/* tower_octet_string to floors, which are lent from it. Octets behind the last floor are ignored. Fails with
 * E_RPC_BAD_STUB_DATA. */
int
epm_tower_decode(struct bytes octets, struct epm_tower *out, struct err *e) MUST_CHECK;
void
epm_tower_encode(const struct epm_tower *t, struct buf *out);
/* False: another protocol sequence, or floors of a form that ncacn_ip_tcp does not have. */
bool
epm_tower_to_tcp(const struct epm_tower *t, struct epm_tcp *out);
/* The five floors, in the pool; NULL when memory is short. */
struct epm_tower *
epm_tower_from_tcp(struct pool *pool, const struct epm_tcp *tcp);
/* "91ae6020-... v0.0, NDR20, ncacn_ip_tcp 127.0.0.1[49666]"; other towers floor by floor. */
void
epm_tower_print(const struct epm_tower *t, struct buf *out);

/* ---- methods ---- */

/* ept_lookup, opnum 2 (MS-RPCE 2.2.1.2.4) */
enum {
	RPC_C_EP_ALL_ELTS = 0,
	RPC_C_EP_MATCH_BY_IF = 1,
	RPC_C_EP_MATCH_BY_OBJ = 2,
	RPC_C_EP_MATCH_BY_BOTH = 3,
};
enum {
	RPC_C_VERS_ALL = 1,
	RPC_C_VERS_COMPATIBLE = 2,
	RPC_C_VERS_EXACT = 3,
	RPC_C_VERS_MAJOR_ONLY = 4,
	RPC_C_VERS_UPTO = 5,
};
struct epm_lookup_in {
	uint32_t inquiry_type;
	const struct guid *object;
	const struct epm_if_id *if_id;
	uint32_t vers_option;
	struct epm_handle handle;
	uint32_t max_ents;
};
struct epm_entry {
	struct guid object;
	struct epm_tower *tower;
	const char *annotation;
};
struct epm_lookup_out {
	struct epm_handle handle;
	uint32_t max_ents; /* MaxCount of entries */
	uint32_t num_ents;
	struct epm_entry *entries;
	uint32_t status;
};
extern const struct ndr_field epm_lookup_in[], epm_lookup_out[];

/* ept_map, opnum 3 (MS-RPCE 2.2.1.2.5) */
struct epm_map_in {
	const struct guid *object;
	const struct epm_tower *tower;
	struct epm_handle handle;
	uint32_t max_towers;
};
struct epm_tower_ref {
	struct epm_tower *tower;
};
struct epm_map_out {
	struct epm_handle handle;
	uint32_t max_towers; /* MaxCount of towers */
	uint32_t num_towers;
	struct epm_tower_ref *towers;
	uint32_t status;
};
extern const struct ndr_field epm_map_in[], epm_map_out[];

/* ept_lookup_handle_free, opnum 4 (MS-RPCE 2.2.1.2.8) */
struct epm_handle_free_in {
	struct epm_handle handle;
};
struct epm_handle_free_out {
	struct epm_handle handle;
	uint32_t status;
};
extern const struct ndr_field epm_handle_free_in[], epm_handle_free_out[];

/* ept_insert, ept_delete, ept_inq_object and ept_mgmt_delete take nothing and always raise
 * EPT_S_CANT_PERFORM_OP (MS-RPCE 2.2.1.2.6, note 28). */
extern const struct ndr_field epm_no_arguments[];

#endif
