#include "idl/iremunknown.h"

/* MS-DCOM 3.1.1.5.6.1.1. Rows are in wire order. */
const struct ndr_field rem_query_in[] = {
	F_GUID(struct rem_query_in, ripid),
	F_U32(struct rem_query_in, refs),
	F_CUSTOM(struct rem_query_in, n_iids, uint32_t, &orpc_count16),
	F_ARRAY(
	    struct rem_query_in, n_iids, iids, NDR_INLINE, struct orpc_iid, orpc_iid_fields, REM_IIDS_MAX),
	F_END,
};

static const struct ndr_field query_result_fields[] = {
	F_STATUS(struct rem_query_result, hr),
	F_STRUCT(struct rem_query_result, std, struct orpc_stdobjref, orpc_stdobjref_fields),
	F_END,
};

const struct ndr_field rem_query_out[] = {
	F_ARRAY_COUNTED(struct rem_query_out, n, results, NDR_UNIQUE, struct rem_query_result,
	    query_result_fields, REM_IIDS_MAX),
	F_STATUS(struct rem_query_out, result),
	F_END,
};

static const struct ndr_field ref_fields[] = {
	F_GUID(struct rem_ref, ipid),
	F_U32(struct rem_ref, public_refs),
	F_U32(struct rem_ref, private_refs),
	F_END,
};

/* MS-DCOM 3.1.1.5.6.1.2, 3.1.1.5.6.1.3 */
const struct ndr_field rem_refs_in[] = {
	F_CUSTOM(struct rem_refs_in, n, uint32_t, &orpc_count16),
	F_ARRAY(struct rem_refs_in, n, refs, NDR_INLINE, struct rem_ref, ref_fields, REM_REFS_MAX),
	F_END,
};
const struct ndr_field rem_add_out[] = {
	F_ARRAY_COUNTED(struct rem_add_out, n, results, NDR_INLINE, struct orpc_hresult, orpc_hresult_fields,
	    REM_REFS_MAX),
	F_STATUS(struct rem_add_out, result),
	F_END,
};
const struct ndr_field rem_result_out[] = { F_STATUS(struct rem_result_out, result), F_END };

/* MS-DCOM 3.1.1.5.7.1.1 */
const struct ndr_field rem_query2_in[] = {
	F_GUID(struct rem_query2_in, ripid),
	F_CUSTOM(struct rem_query2_in, n_iids, uint32_t, &orpc_count16),
	F_ARRAY(
	    struct rem_query2_in, n_iids, iids, NDR_INLINE, struct orpc_iid, orpc_iid_fields, REM_IIDS_MAX),
	F_END,
};
const struct ndr_field rem_query2_out[] = {
	F_ARRAY_COUNTED(struct rem_query2_out, n, results, NDR_INLINE, struct orpc_hresult,
	    orpc_hresult_fields, REM_IIDS_MAX),
	F_ARRAY(struct rem_query2_out, n, pointers, NDR_INLINE, struct orpc_pointer, orpc_pointer_fields,
	    REM_IIDS_MAX),
	F_STATUS(struct rem_query2_out, result),
	F_END,
};

const struct ndr_field class_create_in[] = { F_GUID(struct class_create_in, iid), F_END };
const struct ndr_field class_create_out[] = {
	F_CUSTOM_PTR(struct class_create_out, object, NDR_UNIQUE, struct bytes, &orpc_interface_pointer),
	F_STATUS(struct class_create_out, result),
	F_END,
};
const struct ndr_field class_lock_in[] = { F_U32(struct class_lock_in, lock), F_END };
