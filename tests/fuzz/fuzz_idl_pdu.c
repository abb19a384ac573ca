/* rpc_pdu_decode() on one PDU as it comes, and everything the decoded view lends. */
#include <stdlib.h>

#include "idl/pdu.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
walk_elements(const struct rpc_bind *b)
{
	struct bytes left = b->elements;
	struct rpc_element el;
	struct rpc_syntax s;
	unsigned n = 0;
	uint8_t bits;

	while (rpc_element_next(&left, &el)) {
		for (unsigned i = 0; i < el.n_transfer; i++) {
			rpc_element_transfer(&el, i, &s);
			(void)rpc_syntax_is_features(&s, &bits);
		}
		n++;
	}
	if (n != b->n_elements)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpc_pdu pdu;
	struct err e;

	if (rpc_pdu_decode((struct bytes){ data, size }, &pdu, &e) != 0)
		return 0;
	if (pdu.h.ptype == RPC_PTYPE_BIND || pdu.h.ptype == RPC_PTYPE_ALTER_CONTEXT)
		walk_elements(&pdu.bind);
	/* the parts of a request add up to it */
	if (pdu.h.ptype == RPC_PTYPE_REQUEST &&
	    pdu.request.stub_off + pdu.request.stub_len + pdu.auth.pad_len != pdu.auth.off)
		abort();
	if (pdu.auth.present && pdu.auth.off + RPC_TRAILER_LEN + pdu.auth.token.len != size)
		abort();
	return 0;
}
