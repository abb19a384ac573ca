/*
 * The other half of idl/pdu.h: encodes the PDUs that clients send, decodes those that servers send. It knows
 * no connection. Little-endian data representation only.
 */
#ifndef ADCSD_IDL_PDU_CLIENT_H
#define ADCSD_IDL_PDU_CLIENT_H

#include "idl/pdu.h"

/* ---- encoding: errors are the buffer's ---- */

/* bind or alter_context with one presentation context, NDR20. */
struct rpc_bind_out {
	enum rpc_ptype ptype; /* BIND or ALTER_CONTEXT */
	uint8_t flags;        /* besides PFC_WHOLE */
	uint32_t call_id;
	uint16_t max_frag;
	uint32_t assoc_group;
	uint16_t context_id;
	struct rpc_syntax abstract;
	const struct rpc_trailer *auth; /* type, level, context id; NULL: no authentication */
	struct bytes token;
};
void
rpc_put_bind(struct buf *out, const struct rpc_bind_out *b);
void
rpc_put_auth3(
    struct buf *out, uint8_t flags, uint32_t call_id, const struct rpc_trailer *auth, struct bytes token);
/* The part of a request before the stub; frag_length and auth_length are final. object may be NULL. */
struct rpc_request_out {
	uint32_t call_id;
	uint8_t flags; /* FIRST, LAST; OBJECT_UUID comes by itself */
	uint16_t frag_len, auth_len;
	uint32_t alloc_hint;
	uint16_t context_id, opnum;
	const struct guid *object;
};
void
rpc_put_request(struct buf *out, const struct rpc_request_out *r);

/* ---- decoding: failures carry E_RPC_PROTOCOL_ERROR ---- */

struct rpc_server_pdu {
	struct rpc_header h;
	struct rpc_trailer auth;
	union {
		struct { /* BIND_ACK, ALTER_CONTEXT_RESP */
			uint16_t max_xmit, max_recv;
			uint32_t assoc_group;
			unsigned n_results;
			uint16_t result, reason; /* of the first; ACCEPTANCE is for NDR20 */
		} ack;
		struct { /* BIND_NAK */
			uint16_t reason;
		} nak;
		struct { /* RESPONSE */
			uint32_t alloc_hint;
			uint16_t context_id;
			size_t stub_off, stub_len; /* in the PDU; without the padding; still sealed */
		} response;
		struct { /* FAULT */
			uint32_t status;
		} fault;
	};
};
/* A whole PDU that a server may send. Pointers in *out lead into raw. */
int
rpc_server_pdu_decode(struct bytes raw, struct rpc_server_pdu *out, struct err *e) MUST_CHECK;

/* "access denied", "NCA_S_OP_RNG_ERROR"; NULL when the status has no name here. */
const char *
rpc_fault_name(uint32_t status);
/* What a program is told: HRESULTs as they are, Win32 codes and NCA statuses as HRESULTs (MS-ERREF 2.1.2). */
uint32_t
rpc_fault_hresult(uint32_t status);

#endif
