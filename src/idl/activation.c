#include "idl/activation.h"

/* MS-DCOM 3.1.2.5.2.3.1. Rows are in wire order. */
const struct ndr_field activation_remote_in[] = {
	F_CUSTOM(struct activation_remote_in, orpcthis, struct orpcthis, &orpc_this),
	F_GUID(struct activation_remote_in, clsid),
	F_WSTR(struct activation_remote_in, object_name, 0, UINT32_MAX),
	F_CUSTOM_PTR(
	    struct activation_remote_in, object_storage, NDR_UNIQUE, struct bytes, &orpc_interface_pointer),
	F_U32(struct activation_remote_in, impersonation_level),
	F_U32(struct activation_remote_in, mode),
	F_U32_RANGE(struct activation_remote_in, n_iids, 1, ACTIVATION_IIDS_MAX),
	F_ARRAY(struct activation_remote_in, n_iids, iids, NDR_UNIQUE, struct orpc_iid, orpc_iid_fields,
	    ACTIVATION_IIDS_MAX),
	F_CUSTOM(struct activation_remote_in, n_protseqs, uint32_t, &orpc_count16),
	F_ARRAY(struct activation_remote_in, n_protseqs, protseqs, NDR_INLINE, struct orpc_protseq,
	    orpc_protseq_fields, ACTIVATION_PROTSEQS_MAX),
	F_END,
};

const struct ndr_field activation_remote_out[] = {
	F_CUSTOM(struct activation_remote_out, orpcthat, struct orpcthat, &orpc_that),
	F_HYPER(struct activation_remote_out, oxid),
	F_CUSTOM_PTR(
	    struct activation_remote_out, bindings, NDR_UNIQUE, struct bytes, &orpc_dual_string_array),
	F_GUID(struct activation_remote_out, rem_unknown),
	F_U32(struct activation_remote_out, authn_hint),
	F_STRUCT(struct activation_remote_out, version, struct com_version, com_version_fields),
	F_STATUS(struct activation_remote_out, hr),
	F_ARRAY_COUNTED(struct activation_remote_out, n, pointers, NDR_INLINE, struct orpc_pointer,
	    orpc_pointer_fields, ACTIVATION_IIDS_MAX),
	F_ARRAY(struct activation_remote_out, n, results, NDR_INLINE, struct orpc_hresult,
	    orpc_hresult_fields, ACTIVATION_IIDS_MAX),
	F_STATUS(struct activation_remote_out, status),
	F_END,
};

/* MS-DCOM 3.1.2.5.2.3.2 */
const struct ndr_field activation_class_in[] = {
	F_CUSTOM(struct activation_class_in, orpcthis, struct orpcthis, &orpc_this),
	F_CUSTOM_PTR(
	    struct activation_class_in, properties, NDR_UNIQUE, struct bytes, &orpc_interface_pointer),
	F_END,
};

/* MS-DCOM 3.1.2.5.2.3.3 */
const struct ndr_field activation_create_in[] = {
	F_CUSTOM(struct activation_create_in, orpcthis, struct orpcthis, &orpc_this),
	F_CUSTOM_PTR(struct activation_create_in, outer, NDR_UNIQUE, struct bytes, &orpc_interface_pointer),
	F_CUSTOM_PTR(
	    struct activation_create_in, properties, NDR_UNIQUE, struct bytes, &orpc_interface_pointer),
	F_END,
};

const struct ndr_field activation_properties_out[] = {
	F_CUSTOM(struct activation_properties_out, orpcthat, struct orpcthat, &orpc_that),
	F_CUSTOM_PTR(
	    struct activation_properties_out, properties, NDR_UNIQUE, struct bytes, &orpc_interface_pointer),
	F_STATUS(struct activation_properties_out, hr),
	F_END,
};
