/*
 * Verification trailer (MS-RPCE 2.2.2.13): a client whose security provider leaves parts of the PDU
 * unprotected repeats them, sealed, behind the arguments of its request.
 */
#ifndef ADCSD_IDL_VERIFICATION_TRAILER_H
#define ADCSD_IDL_VERIFICATION_TRAILER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/guid.h"

/* RPC_SYNTAX_IDENTIFIER */
struct rpc_vt_syntax {
	struct guid uuid;
	uint16_t major, minor;
};

/* What the request's header said, and what its presentation context was bound to. */
struct rpc_vt_expect {
	struct rpc_vt_syntax abstract, transfer;
	bool header_signing; /* the client's bind (or alter_context) had PFC_SUPPORT_HEADER_SIGN */
	uint8_t ptype;
	uint8_t drep[4];
	uint32_t call_id;
	uint16_t context_id;
	uint16_t opnum;
};

/*
 * after_args: what follows the last decoded argument, authentication padding removed. Looks for the
 * signature; no trailer is fine (0). A trailer that is malformed, contradicts x, or holds an unknown command
 * marked SEC_VT_MUST_PROCESS_COMMAND fails with E_ACCESSDENIED: the caller sends fault 5.
 */
int
rpc_vt_check(struct bytes after_args, const struct rpc_vt_expect *x, struct err *e) MUST_CHECK;

#endif
