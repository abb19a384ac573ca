/* Verification trailers against one fixed request. */
#include "idl/verification_trailer.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rpc_vt_expect x = {
		.abstract = { { 0xd99e6e70, 0xfc88, 0x11d0, { 0xb4, 0x98, 0x00, 0xa0, 0xc9, 0x03, 0x12, 0xf3 } }, 0, 0 },
		.transfer = { { 0x8a885d04, 0x1ceb, 0x11c9, { 0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60 } }, 2, 0 },
		.drep = { 0x10, 0, 0, 0 },
		.call_id = 7,
		.context_id = 1,
		.opnum = 3,
	};
	struct err e = { 0 };

	if (rpc_vt_check((struct bytes){ data, size }, &x, &e) != 0 && e.hr != E_ACCESSDENIED)
		__builtin_trap();
	return 0;
}
