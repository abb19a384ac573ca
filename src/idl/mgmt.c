#include "idl/mgmt.h"

/* Rows in wire order. */
static const struct ndr_field if_id_fields[] = {
	F_GUID(struct epm_if_id, uuid),
	F_U16(struct epm_if_id, major),
	F_U16(struct epm_if_id, minor),
	F_END,
};

static const struct ndr_field if_ref_fields[] = {
	F_PTR(struct mgmt_if_ref, if_id, NDR_FULL, struct epm_if_id, if_id_fields),
	F_END,
};

/* MS-RPCE 2.2.1.3.1 */
static const struct ndr_field vector_fields[] = {
	F_U32(struct mgmt_if_id_vector, count),
	F_ARRAY(struct mgmt_if_id_vector, count, if_ids, NDR_INLINE, struct mgmt_if_ref, if_ref_fields,
	    MGMT_IF_IDS_MAX),
	F_END,
};

const struct ndr_field mgmt_inq_if_ids_out[] = {
	F_PTR(struct mgmt_inq_if_ids_out, vector, NDR_FULL, struct mgmt_if_id_vector, vector_fields),
	F_STATUS(struct mgmt_inq_if_ids_out, status),
	F_END,
};

/* MS-RPCE 2.2.1.3.3 */
const struct ndr_field mgmt_inq_stats_in[] = {
	F_U32_RANGE(struct mgmt_inq_stats_in, count, 0, MGMT_STATISTICS_MAX),
	F_END,
};

static const struct ndr_field statistic_fields[] = {
	F_U32(struct mgmt_statistic_value, value),
	F_END,
};

const struct ndr_field mgmt_inq_stats_out[] = {
	F_U32_RANGE(struct mgmt_inq_stats_out, count, 0, MGMT_STATISTICS_MAX),
	F_ARRAY(struct mgmt_inq_stats_out, count, statistics, NDR_INLINE, struct mgmt_statistic_value,
	    statistic_fields, MGMT_STATISTICS_MAX),
	F_STATUS(struct mgmt_inq_stats_out, status),
	F_END,
};

const struct ndr_field mgmt_is_server_listening_out[] = {
	F_STATUS(struct mgmt_is_server_listening_out, status),
	F_U32(struct mgmt_is_server_listening_out, listening),
	F_END,
};

const struct ndr_field mgmt_stop_server_listening_out[] = {
	F_STATUS(struct mgmt_stop_server_listening_out, status),
	F_END,
};

/* MS-RPCE 2.2.1.3.4 */
const struct ndr_field mgmt_inq_princ_name_in[] = {
	F_U32(struct mgmt_inq_princ_name_in, authn_proto),
	F_U32_RANGE(struct mgmt_inq_princ_name_in, princ_name_size, 0, MGMT_PRINC_NAME_MAX),
	F_END,
};

const struct ndr_field mgmt_inq_princ_name_out[] = {
	F_VSTR_SIZED(struct mgmt_inq_princ_name_out, princ_name_size, princ_name, MGMT_PRINC_NAME_MAX),
	F_STATUS(struct mgmt_inq_princ_name_out, status),
	F_END,
};

const struct ndr_field mgmt_no_arguments[] = { F_END };
