/* IObjectExporter (MS-DCOM 3.1.2.5.1): OXID resolution, pings, signs of life. Plain RPC. */
#ifndef ADCSD_IDL_IOBJECTEXPORTER_H
#define ADCSD_IDL_IOBJECTEXPORTER_H

#include "idl/orpc.h"

/* Version 0.0 */
#define IOBJECTEXPORTER_UUID                                                                                 \
	{                                                                                                    \
		0x99fcfec4, 0x5260, 0x101b,                                                                  \
		{                                                                                            \
			0xbb, 0xcb, 0x00, 0xaa, 0x00, 0x21, 0x34, 0x7a                                       \
		}                                                                                            \
	}

/* Statuses are Win32 codes. */
enum {
	OR_OK = 0,
	OR_ACCESS_DENIED = 5,
	OR_NO_MEMORY = 14, /* ERROR_OUTOFMEMORY */
	OR_INVALID_OXID = 0x776,
	OR_INVALID_OID = 0x777,
	OR_INVALID_SET = 0x778,
};

#define OR_PROTSEQS_MAX 256 /* Ours: the IDL sets no range */

/* ResolveOxid, opnum 0; ResolveOxid2, opnum 4, answers with the version too. */
struct or_resolve_in {
	uint64_t oxid;
	uint32_t n_protseqs;
	struct orpc_protseq *protseqs;
};
struct or_resolve_out {
	struct bytes *bindings;
	struct guid rem_unknown;
	uint32_t authn_hint;
	struct com_version version; /* ResolveOxid2 only */
	uint32_t status;
};
extern const struct ndr_field or_resolve_in[], or_resolve_out[], or_resolve2_out[];

/* SimplePing, opnum 1 */
struct or_simple_ping_in {
	uint64_t set;
};
struct or_status_out {
	uint32_t status;
};
extern const struct ndr_field or_simple_ping_in[], or_status_out[];

/* ComplexPing, opnum 2 */
struct or_oid {
	uint64_t oid;
};
struct or_complex_ping_in {
	uint64_t set; /* 0: make one */
	uint16_t sequence;
	uint32_t n_add, n_del;
	struct or_oid *add, *del; /* may be NULL */
};
struct or_complex_ping_out {
	uint64_t set;
	uint16_t backoff;
	uint32_t status;
};
extern const struct ndr_field or_complex_ping_in[], or_complex_ping_out[];

/* ServerAlive, opnum 3, takes nothing and answers or_status_out. ServerAlive2, opnum 5. */
struct or_alive2_out {
	struct com_version version;
	struct bytes *bindings; /* the resolver's */
	uint32_t reserved;
	uint32_t status;
};
extern const struct ndr_field or_no_arguments[], or_alive2_out[];

#endif
