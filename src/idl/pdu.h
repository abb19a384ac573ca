/*
 * Codec of connection-oriented DCE/RPC PDUs (C706 12.6, MS-RPCE 2.2.2), server side: decodes what clients
 * send, encodes what servers send. It knows no connection. Little-endian data representation only.
 */
#ifndef ADCSD_IDL_PDU_H
#define ADCSD_IDL_PDU_H

#include "base/buf.h"
#include "base/guid.h"

#define RPC_HEADER_LEN 16
#define RPC_REQUEST_LEN 24 /* up to the stub, without an object UUID */
#define RPC_TRAILER_LEN 8  /* sec_trailer without its token */
#define RPC_SYNTAX_LEN 20
#define RPC_FRAG_MAX 5840 /* requests and responses over TCP; bind and alter_context may be larger */
#define RPC_FRAG_MIN 2048
#define RPC_AUTH3_TOKEN_MAX 4096
#define RPC_FAULT_LEN 32

enum rpc_ptype {
	RPC_PTYPE_REQUEST = 0,
	RPC_PTYPE_RESPONSE = 2,
	RPC_PTYPE_FAULT = 3,
	RPC_PTYPE_BIND = 11,
	RPC_PTYPE_BIND_ACK = 12,
	RPC_PTYPE_BIND_NAK = 13,
	RPC_PTYPE_ALTER_CONTEXT = 14,
	RPC_PTYPE_ALTER_CONTEXT_RESP = 15,
	RPC_PTYPE_AUTH3 = 16,
	RPC_PTYPE_SHUTDOWN = 17,
	RPC_PTYPE_CO_CANCEL = 18,
	RPC_PTYPE_ORPHANED = 19,
};

enum rpc_pfc {
	PFC_FIRST_FRAG = 0x01,
	PFC_LAST_FRAG = 0x02,
	PFC_SUPPORT_HEADER_SIGN = 0x04, /* bind, alter_context, their answers, auth3 (MS-RPCE 2.2.2.3) */
	PFC_CONC_MPX = 0x10,
	PFC_DID_NOT_EXECUTE = 0x20,
	PFC_MAYBE = 0x40,
	PFC_OBJECT_UUID = 0x80,
};
#define PFC_WHOLE (PFC_FIRST_FRAG | PFC_LAST_FRAG)

enum rpc_auth_level {
	RPC_C_AUTHN_LEVEL_NONE = 1,
	RPC_C_AUTHN_LEVEL_CONNECT = 2,
	RPC_C_AUTHN_LEVEL_CALL = 3, /* treated as PKT */
	RPC_C_AUTHN_LEVEL_PKT = 4,
	RPC_C_AUTHN_LEVEL_PKT_INTEGRITY = 5,
	RPC_C_AUTHN_LEVEL_PKT_PRIVACY = 6,
};

/* Fault statuses (errors.md). */
enum rpc_fault {
	RPC_FAULT_ACCESS_DENIED = 0x00000005,
	RPC_FAULT_SERVER_TOO_BUSY = 0x000006BB,
	RPC_FAULT_BAD_STUB_DATA = 0x000006F7,
	RPC_FAULT_SEC_PKG_ERROR = 0x00000721,
	NCA_S_FAULT_REMOTE_NO_MEMORY = 0x1C00001B,
	NCA_S_OP_RNG_ERROR = 0x1C010002,
	NCA_S_UNK_IF = 0x1C010003,
	NCA_S_PROTO_ERROR = 0x1C01000B,
};

/* provider_reject_reason of bind_nak (MS-RPCE 2.2.2.5) */
enum rpc_nak_reason {
	RPC_NAK_NOT_SPECIFIED = 0,
	RPC_NAK_LOCAL_LIMIT_EXCEEDED = 2,
	RPC_NAK_PROTOCOL_ERROR = 4,
	RPC_NAK_AUTH_TYPE_UNKNOWN = 8,
	RPC_NAK_INVALID_CHECKSUM = 9,
};

/* p_cont_def_result_t; the reasons of a provider rejection (C706 12.6.3.1, MS-RPCE 2.2.2.4) */
enum rpc_cont_result { RPC_CONT_ACCEPTANCE = 0, RPC_CONT_PROVIDER_REJECTION = 2, RPC_CONT_NEGOTIATE_ACK = 3 };
enum rpc_cont_reason {
	RPC_CONT_NOT_SPECIFIED = 0,
	RPC_CONT_ABSTRACT_SYNTAX = 1,
	RPC_CONT_TRANSFER_SYNTAXES = 2,
	RPC_CONT_LOCAL_LIMIT = 3,
};

/* Bits of bind-time feature negotiation (MS-RPCE 2.2.2.14) */
enum rpc_feature { RPC_FEATURE_SECURITY_MULTIPLEXING = 0x01, RPC_FEATURE_KEEP_ON_ORPHAN = 0x02 };

struct rpc_header {
	uint8_t version, version_minor, ptype, flags;
	uint8_t drep[4];
	uint16_t frag_len, auth_len;
	uint32_t call_id;
};

struct rpc_syntax {
	struct guid uuid;
	uint16_t major, minor;
};
extern const struct rpc_syntax rpc_ndr20;

/* sec_trailer and its token (MS-RPCE 2.2.2.11); absent when auth_length is 0. */
struct rpc_trailer {
	bool present;
	uint8_t type, level, pad_len;
	uint32_t context_id;
	size_t off; /* in the PDU */
	struct bytes token;
};

struct rpc_bind {
	uint16_t max_xmit, max_recv;
	uint32_t assoc_group;
	unsigned n_elements;
	struct bytes elements; /* checked: rpc_element_next() yields exactly n_elements */
};

/* One presentation context element. */
struct rpc_element {
	uint16_t id;
	struct rpc_syntax abstract;
	unsigned n_transfer;
	struct bytes transfer; /* n_transfer times RPC_SYNTAX_LEN */
};

struct rpc_request {
	uint32_t alloc_hint;
	uint16_t context_id, opnum;
	bool has_object;
	struct guid object;
	size_t stub_off; /* in the PDU */
	size_t stub_len; /* with a verification trailer, without authentication padding; sealed when the level
			    says so */
};

struct rpc_pdu {
	struct rpc_header h;
	struct rpc_trailer auth;
	union {
		struct rpc_bind bind;       /* BIND, ALTER_CONTEXT */
		struct rpc_request request; /* REQUEST */
	};
};

/* ---- decoding: failures carry E_RPC_PROTOCOL_ERROR ---- */

/* Reads RPC_HEADER_LEN octets, integers as the data representation says: a refusal must carry the right
 * call_id. */
void
rpc_header_decode(const uint8_t *p, struct rpc_header *out);
/* Version 5.0, little-endian, lengths that can be. */
int
rpc_header_check(const struct rpc_header *h, struct err *e) MUST_CHECK;
/* A whole PDU that a client may send. Pointers in *out lead into raw. */
int
rpc_pdu_decode(struct bytes raw, struct rpc_pdu *out, struct err *e) MUST_CHECK;
/* Takes the next element off the front; false at the end. */
bool
rpc_element_next(struct bytes *elements, struct rpc_element *out);
/* The i-th transfer syntax, i < n_transfer. */
void
rpc_element_transfer(const struct rpc_element *el, unsigned i, struct rpc_syntax *out);
bool
rpc_syntax_equal(const struct rpc_syntax *a, const struct rpc_syntax *b);
/* Is it the bind-time feature syntax 6cb71c2c-9812-4540-XX.. version 1.0? Then *bits is its first octet of
 * features. */
bool
rpc_syntax_is_features(const struct rpc_syntax *s, uint8_t *bits);

/* ---- encoding: errors are the buffer's ---- */

/* A result of rpc_put_bind_ack()'s list. transfer NULL: zero, as it must be unless accepted. */
void
rpc_put_result(
    struct buf *out, enum rpc_cont_result result, uint16_t reason, const struct rpc_syntax *transfer);

struct rpc_bind_ack {
	enum rpc_ptype ptype; /* BIND_ACK or ALTER_CONTEXT_RESP */
	uint8_t flags;        /* besides PFC_WHOLE */
	uint32_t call_id;
	uint16_t max_frag;
	uint32_t assoc_group;
	const char *sec_addr;           /* NULL: length 0 */
	struct bytes results;           /* by rpc_put_result() */
	const struct rpc_trailer *auth; /* type, level, context id; NULL: no trailer, no token */
	struct bytes token;
};
void
rpc_put_bind_ack(struct buf *out, const struct rpc_bind_ack *ack);
void
rpc_put_bind_nak(struct buf *out, uint32_t call_id, enum rpc_nak_reason reason);
void
rpc_put_fault(struct buf *out, uint32_t call_id, uint8_t flags, uint16_t context_id, uint32_t status);
/* The first 24 octets of a response; frag_length and auth_length are final. */
void
rpc_put_response(struct buf *out, uint32_t call_id, uint8_t flags, uint16_t frag_len, uint16_t auth_len,
    uint32_t alloc_hint, uint16_t context_id);
void
rpc_put_trailer(struct buf *out, const struct rpc_trailer *auth);

/* "bind", "alter_context"; "type 77" is written into scratch. */
const char *
rpc_ptype_name(uint8_t ptype, char scratch[16]);

#endif
