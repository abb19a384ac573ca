/* CCertAdminD: the tables of ICertAdminD and ICertAdminD2 (MS-CSRA 3.1.4). ctx: struct ca *. */
#include "svc/icertadmind.h"
#include "svc/icertadmind_backup.h"
#include "svc/icertadmind_view.h"

#define ROW(opnum, in, out, run) [CSRA_##opnum] = { #opnum, in, out, sizeof(struct in), run }
#define BARE(opnum, out, run) [CSRA_##opnum] = { #opnum, NULL, out, 0, run }

/* clang-format off */
#define ADMIND_ROWS \
	ROW(SetExtension, csra_set_extension_in, csra_result_out, svc_csra_set_extension), \
	ROW(SetAttributes, csra_set_attributes_in, csra_result_out, svc_csra_set_attributes), \
	ROW(ResubmitRequest, csra_request_in, csra_number_out, svc_csra_resubmit_request), \
	ROW(DenyRequest, csra_request_in, csra_result_out, svc_csra_deny_request), \
	ROW(IsValidCertificate, csra_is_valid_certificate_in, csra_is_valid_certificate_out, svc_csra_is_valid_certificate), \
	ROW(PublishCRL, csra_publish_crl_in, csra_result_out, svc_csra_publish_crl), \
	ROW(GetCRL, csra_authority_in, csra_blob_out, svc_csra_get_crl), \
	ROW(RevokeCertificate, csra_revoke_certificate_in, csra_result_out, svc_csra_revoke_certificate), \
	ROW(EnumViewColumn, csra_range_in, csra_items_out, svc_csra_enum_view_column), \
	ROW(GetViewDefaultColumnSet, csra_number_in, csra_items_out, svc_csra_get_view_default_column_set), \
	ROW(EnumAttributesOrExtensions, csra_enum_attributes_in, csra_items_out, svc_csra_enum_attributes), \
	ROW(OpenView, csra_open_view_in, csra_items_out, svc_csra_open_view), \
	ROW(EnumView, csra_range_in, csra_items_out, svc_csra_enum_view), \
	ROW(CloseView, csra_authority_in, csra_result_out, svc_csra_close_view), \
	ROW(ServerControl, csra_number_in, csra_blob_out, svc_csra_server_control), \
	ROW(Ping, csra_authority_in, csra_result_out, svc_csra_ping), \
	ROW(GetServerState, csra_authority_in, csra_number_out, svc_csra_get_server_state), \
	ROW(ImportCertificate, csra_import_certificate_in, csra_number_out, svc_csra_import_certificate), \
	ROW(BackupPrepare, csra_backup_prepare_in, csra_result_out, svc_csra_backup_prepare), \
	BARE(BackupEnd, csra_result_out, svc_csra_backup_end), \
	BARE(BackupGetAttachmentInformation, csra_backup_files_out, svc_csra_backup_get_attachments), \
	BARE(BackupGetBackupLogs, csra_backup_files_out, svc_csra_backup_get_logs), \
	ROW(BackupOpenFile, csra_backup_open_file_in, csra_backup_open_file_out, svc_csra_backup_open_file), \
	ROW(BackupReadFile, csra_backup_read_file_in, csra_backup_read_file_out, svc_csra_backup_read_file), \
	BARE(BackupCloseFile, csra_result_out, svc_csra_backup_close_file), \
	BARE(BackupTruncateLogs, csra_result_out, svc_csra_backup_truncate_logs), \
	BARE(BackupGetDynamicFiles, csra_backup_files_out, svc_csra_backup_get_dynamic_files), \
	BARE(RestoreGetDatabaseLocations, csra_backup_files_out, svc_csra_restore_get_locations)

static const struct rpc_method methods[] = { ADMIND_ROWS };

static const struct rpc_method methods2[] = {
	ADMIND_ROWS,
	ROW(PublishCRLs, csra_publish_crls_in, csra_result_out, svc_csra_publish_crls),
	ROW(GetCAProperty, csra_get_ca_property_in, csra_blob_out, svc_csra_get_ca_property),
	ROW(SetCAProperty, csra_set_ca_property_in, csra_result_out, svc_csra_set_ca_property),
	ROW(GetCAPropertyInfo, csra_authority_in, csra_items_out, svc_csra_get_ca_property_info),
	ROW(EnumViewColumnTable, csra_table_range_in, csra_items_out, svc_csra_enum_view_column_table),
	ROW(GetCASecurity, csra_authority_in, csra_blob_out, svc_csra_get_ca_security),
	ROW(SetCASecurity, csra_blob_in, csra_result_out, svc_csra_set_ca_security),
	ROW(Ping2, csra_authority_in, csra_result_out, svc_csra_ping),
	ROW(GetArchivedKey, csra_request_in, csra_blob_out, svc_csra_get_archived_key),
	ROW(GetAuditFilter, csra_authority_in, csra_number_out, svc_csra_get_audit_filter),
	ROW(SetAuditFilter, csra_number_in, csra_result_out, svc_csra_set_audit_filter),
	ROW(GetOfficerRights, csra_authority_in, csra_items_out, svc_csra_get_officer_rights),
	ROW(SetOfficerRights, csra_set_officer_rights_in, csra_result_out, svc_csra_set_officer_rights),
	ROW(GetConfigEntry, csra_get_config_entry_in, csra_get_config_entry_out, svc_csra_get_config_entry),
	ROW(SetConfigEntry, csra_set_config_entry_in, csra_result_out, svc_csra_set_config_entry),
	ROW(ImportKey, csra_import_key_in, csra_result_out, svc_csra_import_key),
	ROW(GetMyRoles, csra_authority_in, csra_number_out, svc_csra_get_my_roles),
	ROW(DeleteRow, csra_delete_row_in, csra_number_out, svc_csra_delete_row),
};
/* clang-format on */

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

/* An object's state is its view's; the backup session is the CA's, known by the same pointer. */
static void
object_free(void *ctx, void *state)
{
	svc_backup_gone(ctx, state);
	svc_view_free(ctx, state);
}

static const struct rpc_interface *const interfaces[] = { &icertadmind, &icertadmind2 };

const struct dcom_class svc_ccertadmind = {
	.name = "CCertAdminD",
	.clsid = CCERTADMIND_CLSID,
	.interfaces = interfaces,
	.n_interfaces = ARRAY_LEN(interfaces),
	.object_new = svc_view_new,
	.object_free = object_free,
};
