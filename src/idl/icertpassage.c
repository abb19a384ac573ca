#include "idl/icertpassage.h"

/* MS-ICPR 3.2.4.1.1. Rows are in wire order; the IDL sets no range for the string. */
const struct ndr_field icertpassage_request_in[] = {
	F_U32(struct icertpassage_request_in, flags),
	F_WSTR(struct icertpassage_request_in, authority, 0, UINT32_MAX),
	F_U32(struct icertpassage_request_in, request_id),
	F_BLOB(struct icertpassage_request_in, attributes),
	F_BLOB(struct icertpassage_request_in, request),
	F_END,
};

const struct ndr_field icertpassage_request_out[] = {
	F_U32(struct icertpassage_request_out, request_id),
	F_STATUS(struct icertpassage_request_out, disposition),
	F_BLOB(struct icertpassage_request_out, chain),
	F_BLOB(struct icertpassage_request_out, certificate),
	F_BLOB(struct icertpassage_request_out, message),
	F_STATUS(struct icertpassage_request_out, result),
	F_END,
};
