/* CCertAdminD: the tables of ICertAdminD and ICertAdminD2 (MS-CSRA 3.1.4). ctx: struct ca *. */
#include "idl/icertadmind.h"
#include "svc/dcom.h"
#include "svc/icertadmind_view.h"

#define ROW(opnum, in, out, run) [CSRA_##opnum] = { #opnum, in, out, sizeof(struct in), run }

#define ADMIND_ROWS                                                                                          \
	ROW(EnumViewColumn, csra_range_in, csra_items_out, svc_csra_enum_view_column),                       \
	    ROW(GetViewDefaultColumnSet, csra_number_in, csra_items_out,                                     \
		svc_csra_get_view_default_column_set),                                                       \
	    ROW(EnumAttributesOrExtensions, csra_enum_attributes_in, csra_items_out,                         \
		svc_csra_enum_attributes),                                                                   \
	    ROW(OpenView, csra_open_view_in, csra_items_out, svc_csra_open_view),                            \
	    ROW(EnumView, csra_range_in, csra_items_out, svc_csra_enum_view),                                \
	    ROW(CloseView, csra_authority_in, csra_result_out, svc_csra_close_view)

static const struct rpc_method methods[] = { ADMIND_ROWS };

static const struct rpc_method methods2[] = {
	ADMIND_ROWS,
	ROW(EnumViewColumnTable, csra_table_range_in, csra_items_out, svc_csra_enum_view_column_table),
};

static const struct rpc_interface icertadmind = {
	.name = "ICertAdminD",
	.uuid = ICERTADMIND_IID,
	.methods = methods,
	.n_methods = ARRAY_LEN(methods),
	.min_level =
	    RPC_C_AUTHN_LEVEL_NONE, /* the object exporter's is the lowest; the door asks for privacy */
};

static const struct rpc_interface icertadmind2 = {
	.name = "ICertAdminD2",
	.uuid = ICERTADMIND2_IID,
	.methods = methods2,
	.n_methods = ARRAY_LEN(methods2),
	.min_level = RPC_C_AUTHN_LEVEL_NONE,
};

static const struct rpc_interface *const interfaces[] = { &icertadmind, &icertadmind2 };

const struct dcom_class svc_ccertadmind = {
	.name = "CCertAdminD",
	.clsid = CCERTADMIND_CLSID,
	.interfaces = interfaces,
	.n_interfaces = ARRAY_LEN(interfaces),
	.object_new = svc_view_new,
	.object_free = svc_view_free,
};
