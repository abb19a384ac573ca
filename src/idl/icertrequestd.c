#include "idl/icertrequestd.h"

#define STR(S, m) F_WSTR(S, m, 0, WCCE_STRING_MAX)

/* MS-WCCE 3.2.1.4.2.1. Rows are in wire order. */
const struct ndr_field wcce_request_in[] = {
	F_U32(struct wcce_request_in, flags),
	STR(struct wcce_request_in, authority),
	F_U32(struct wcce_request_in, request_id),
	STR(struct wcce_request_in, attributes),
	F_BLOB(struct wcce_request_in, request),
	F_END,
};

/* MS-WCCE 3.2.1.4.3.1: the authority comes first here. */
const struct ndr_field wcce_request2_in[] = {
	STR(struct wcce_request2_in, authority),
	F_U32(struct wcce_request2_in, flags),
	STR(struct wcce_request2_in, serial),
	F_U32(struct wcce_request2_in, request_id),
	STR(struct wcce_request2_in, attributes),
	F_BLOB(struct wcce_request2_in, request),
	F_END,
};

const struct ndr_field wcce_request_out[] = {
	F_U32(struct wcce_request_out, request_id),
	F_STATUS(struct wcce_request_out, disposition),
	F_BLOB(struct wcce_request_out, chain),
	F_BLOB(struct wcce_request_out, certificate),
	F_BLOB(struct wcce_request_out, message),
	F_STATUS(struct wcce_request_out, result),
	F_END,
};

/* MS-WCCE 3.2.1.4.2.2 */
const struct ndr_field wcce_get_ca_cert_in[] = {
	F_U32(struct wcce_get_ca_cert_in, chain),
	STR(struct wcce_get_ca_cert_in, authority),
	F_END,
};

const struct ndr_field wcce_blob_out[] = {
	F_BLOB(struct wcce_blob_out, blob),
	F_STATUS(struct wcce_blob_out, result),
	F_END,
};

/* MS-WCCE 3.2.1.4.2.3, 3.2.1.4.3.4 */
const struct ndr_field wcce_ping_in[] = { STR(struct wcce_ping_in, authority), F_END };
const struct ndr_field wcce_result_out[] = { F_STATUS(struct wcce_result_out, result), F_END };

/* MS-WCCE 3.2.1.4.3.2 */
const struct ndr_field wcce_get_ca_property_in[] = {
	STR(struct wcce_get_ca_property_in, authority),
	F_U32(struct wcce_get_ca_property_in, id),
	F_U32(struct wcce_get_ca_property_in, index),
	F_U32(struct wcce_get_ca_property_in, type),
	F_END,
};

/* MS-WCCE 3.2.1.4.3.3 */
const struct ndr_field wcce_get_ca_property_info_in[] = {
	STR(struct wcce_get_ca_property_info_in, authority),
	F_END,
};
const struct ndr_field wcce_get_ca_property_info_out[] = {
	F_U32(struct wcce_get_ca_property_info_out, count),
	F_BLOB(struct wcce_get_ca_property_info_out, infos),
	F_STATUS(struct wcce_get_ca_property_info_out, result),
	F_END,
};
