#include "idl/tables.h"

#include <string.h>

#include "idl/activation.h"
#include "idl/epm.h"
#include "idl/icertadmind.h"
#include "idl/icertpassage.h"
#include "idl/icertrequestd.h"
#include "idl/iobjectexporter.h"
#include "idl/iremunknown.h"
#include "idl/mgmt.h"
#include "idl/pac.h"

#define TABLE(label, fields)                                                                                 \
	{                                                                                                    \
		label, fields, sizeof(struct fields)                                                         \
	}

/* New tables go to the end: the fuzz seeds choose by number. */
const struct idl_table idl_tables[] = {
	TABLE("ICertPassage.CertServerRequest.in", icertpassage_request_in),
	TABLE("ICertPassage.CertServerRequest.out", icertpassage_request_out),
	TABLE("epm.ept_lookup.in", epm_lookup_in),
	TABLE("epm.ept_lookup.out", epm_lookup_out),
	TABLE("epm.ept_map.in", epm_map_in),
	TABLE("epm.ept_map.out", epm_map_out),
	TABLE("epm.ept_lookup_handle_free.in", epm_handle_free_in),
	TABLE("epm.ept_lookup_handle_free.out", epm_handle_free_out),
	TABLE("mgmt.rpc_mgmt_inq_if_ids.out", mgmt_inq_if_ids_out),
	TABLE("mgmt.rpc_mgmt_inq_stats.in", mgmt_inq_stats_in),
	TABLE("mgmt.rpc_mgmt_inq_stats.out", mgmt_inq_stats_out),
	TABLE("mgmt.rpc_mgmt_is_server_listening.out", mgmt_is_server_listening_out),
	TABLE("mgmt.rpc_mgmt_stop_server_listening.out", mgmt_stop_server_listening_out),
	TABLE("mgmt.rpc_mgmt_inq_princ_name.in", mgmt_inq_princ_name_in),
	TABLE("mgmt.rpc_mgmt_inq_princ_name.out", mgmt_inq_princ_name_out),
	/* Lists that several methods of ICertAdminD share stand here once, under the first of them. */
	TABLE("ICertAdminD.SetExtension.in", csra_set_extension_in),
	TABLE("ICertAdminD.SetExtension.out", csra_result_out),
	TABLE("ICertAdminD.SetAttributes.in", csra_set_attributes_in),
	TABLE("ICertAdminD.ResubmitRequest.in", csra_request_in),
	TABLE("ICertAdminD.ResubmitRequest.out", csra_number_out),
	TABLE("ICertAdminD.IsValidCertificate.in", csra_is_valid_certificate_in),
	TABLE("ICertAdminD.IsValidCertificate.out", csra_is_valid_certificate_out),
	TABLE("ICertAdminD.PublishCRL.in", csra_publish_crl_in),
	TABLE("ICertAdminD.GetCRL.in", csra_authority_in),
	TABLE("ICertAdminD.GetCRL.out", csra_blob_out),
	TABLE("ICertAdminD.RevokeCertificate.in", csra_revoke_certificate_in),
	TABLE("ICertAdminD.EnumViewColumn.in", csra_range_in),
	TABLE("ICertAdminD.EnumViewColumn.out", csra_items_out),
	TABLE("ICertAdminD.GetViewDefaultColumnSet.in", csra_number_in),
	TABLE("ICertAdminD.EnumAttributesOrExtensions.in", csra_enum_attributes_in),
	TABLE("ICertAdminD.OpenView.in", csra_open_view_in),
	TABLE("ICertAdminD.BackupPrepare.in", csra_backup_prepare_in),
	TABLE("ICertAdminD.BackupGetAttachmentInformation.out", csra_backup_files_out),
	TABLE("ICertAdminD.BackupOpenFile.in", csra_backup_open_file_in),
	TABLE("ICertAdminD.BackupOpenFile.out", csra_backup_open_file_out),
	TABLE("ICertAdminD.BackupReadFile.in", csra_backup_read_file_in),
	TABLE("ICertAdminD.BackupReadFile.out", csra_backup_read_file_out),
	TABLE("ICertAdminD.ImportCertificate.in", csra_import_certificate_in),
	TABLE("ICertAdminD2.PublishCRLs.in", csra_publish_crls_in),
	TABLE("ICertAdminD2.GetCAProperty.in", csra_get_ca_property_in),
	TABLE("ICertAdminD2.SetCAProperty.in", csra_set_ca_property_in),
	TABLE("ICertAdminD2.EnumViewColumnTable.in", csra_table_range_in),
	TABLE("ICertAdminD2.SetCASecurity.in", csra_blob_in),
	TABLE("ICertAdminD2.SetOfficerRights.in", csra_set_officer_rights_in),
	TABLE("ICertAdminD2.GetConfigEntry.in", csra_get_config_entry_in),
	TABLE("ICertAdminD2.GetConfigEntry.out", csra_get_config_entry_out),
	TABLE("ICertAdminD2.SetConfigEntry.in", csra_set_config_entry_in),
	TABLE("ICertAdminD2.ImportKey.in", csra_import_key_in),
	TABLE("ICertAdminD2.DeleteRow.in", csra_delete_row_in),
	TABLE("pac.KERB_VALIDATION_INFO", pac_logon_info_top),
	TABLE("IObjectExporter.ResolveOxid.in", or_resolve_in),
	TABLE("IObjectExporter.ResolveOxid.out", or_resolve_out),
	TABLE("IObjectExporter.ComplexPing.in", or_complex_ping_in),
	TABLE("IObjectExporter.ComplexPing.out", or_complex_ping_out),
	TABLE("IObjectExporter.ServerAlive2.out", or_alive2_out),
	TABLE("IActivation.RemoteActivation.in", activation_remote_in),
	TABLE("IActivation.RemoteActivation.out", activation_remote_out),
	TABLE("IRemoteSCMActivator.RemoteGetClassObject.in", activation_class_in),
	TABLE("IRemoteSCMActivator.RemoteCreateInstance.in", activation_create_in),
	TABLE("IRemoteSCMActivator.RemoteCreateInstance.out", activation_properties_out),
	TABLE("IRemUnknown.RemQueryInterface.in", rem_query_in),
	TABLE("IRemUnknown.RemQueryInterface.out", rem_query_out),
	TABLE("IRemUnknown.RemRelease.in", rem_refs_in),
	TABLE("IRemUnknown.RemAddRef.out", rem_add_out),
	TABLE("IRemUnknown2.RemQueryInterface2.in", rem_query2_in),
	TABLE("IRemUnknown2.RemQueryInterface2.out", rem_query2_out),
	TABLE("IClassFactory.CreateInstance.out", class_create_out),
	TABLE("ICertRequestD.Request.in", wcce_request_in),
	TABLE("ICertRequestD.Request.out", wcce_request_out),
	TABLE("ICertRequestD.GetCACert.in", wcce_get_ca_cert_in),
	TABLE("ICertRequestD.Ping.in", wcce_ping_in),
	TABLE("ICertRequestD2.Request2.in", wcce_request2_in),
	TABLE("ICertRequestD2.GetCAProperty.in", wcce_get_ca_property_in),
	TABLE("ICertRequestD2.GetCAProperty.out", wcce_blob_out),
	TABLE("ICertRequestD2.GetCAPropertyInfo.out", wcce_get_ca_property_info_out),
	{ "IObjectExporter.ResolveOxid2.out", or_resolve2_out, sizeof(struct or_resolve_out) },
};
const size_t idl_n_tables = ARRAY_LEN(idl_tables);

const struct idl_table *
idl_table_find(const char *name)
{
	for (size_t i = 0; i < idl_n_tables; i++)
		if (strcmp(idl_tables[i].name, name) == 0)
			return &idl_tables[i];
	return NULL;
}
