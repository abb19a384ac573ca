#include "idl/iobjectexporter.h"

static const struct ndr_field oid_fields[] = { F_HYPER(struct or_oid, oid), F_END };

/* MS-DCOM 3.1.2.5.1.1. Rows are in wire order. */
const struct ndr_field or_resolve_in[] = {
	F_HYPER(struct or_resolve_in, oxid),
	F_CUSTOM(struct or_resolve_in, n_protseqs, uint32_t, &orpc_count16),
	F_ARRAY(struct or_resolve_in, n_protseqs, protseqs, NDR_INLINE, struct orpc_protseq,
	    orpc_protseq_fields, OR_PROTSEQS_MAX),
	F_END,
};

const struct ndr_field or_resolve_out[] = {
	F_CUSTOM_PTR(struct or_resolve_out, bindings, NDR_UNIQUE, struct bytes, &orpc_dual_string_array),
	F_GUID(struct or_resolve_out, rem_unknown),
	F_U32(struct or_resolve_out, authn_hint),
	F_STATUS(struct or_resolve_out, status),
	F_END,
};

/* MS-DCOM 3.1.2.5.1.5 */
const struct ndr_field or_resolve2_out[] = {
	F_CUSTOM_PTR(struct or_resolve_out, bindings, NDR_UNIQUE, struct bytes, &orpc_dual_string_array),
	F_GUID(struct or_resolve_out, rem_unknown),
	F_U32(struct or_resolve_out, authn_hint),
	F_STRUCT(struct or_resolve_out, version, struct com_version, com_version_fields),
	F_STATUS(struct or_resolve_out, status),
	F_END,
};

/* MS-DCOM 3.1.2.5.1.2 */
const struct ndr_field or_simple_ping_in[] = { F_HYPER(struct or_simple_ping_in, set), F_END };
const struct ndr_field or_status_out[] = { F_STATUS(struct or_status_out, status), F_END };

/* MS-DCOM 3.1.2.5.1.3 */
const struct ndr_field or_complex_ping_in[] = {
	F_HYPER(struct or_complex_ping_in, set),
	F_U16(struct or_complex_ping_in, sequence),
	F_CUSTOM(struct or_complex_ping_in, n_add, uint32_t, &orpc_count16),
	F_CUSTOM(struct or_complex_ping_in, n_del, uint32_t, &orpc_count16),
	F_ARRAY(struct or_complex_ping_in, n_add, add, NDR_UNIQUE, struct or_oid, oid_fields, UINT16_MAX),
	F_ARRAY(struct or_complex_ping_in, n_del, del, NDR_UNIQUE, struct or_oid, oid_fields, UINT16_MAX),
	F_END,
};

const struct ndr_field or_complex_ping_out[] = {
	F_HYPER(struct or_complex_ping_out, set),
	F_U16(struct or_complex_ping_out, backoff),
	F_STATUS(struct or_complex_ping_out, status),
	F_END,
};

const struct ndr_field or_no_arguments[] = { F_END };

/* MS-DCOM 3.1.2.5.1.6 */
const struct ndr_field or_alive2_out[] = {
	F_STRUCT(struct or_alive2_out, version, struct com_version, com_version_fields),
	F_CUSTOM_PTR(struct or_alive2_out, bindings, NDR_UNIQUE, struct bytes, &orpc_dual_string_array),
	F_U32(struct or_alive2_out, reserved),
	F_STATUS(struct or_alive2_out, status),
	F_END,
};
