/*
 * ICertAdminD and ICertAdminD2 (MS-CSRA 3.1.4): every method of both. Each table describes what stands behind
 * ORPCTHIS or ORPCTHAT, which the object exporter reads and writes; the HRESULT comes last in every answer.
 * ICertAdminD2 inherits opnums 3 to 30 and adds 31 to 48.
 *
 * LONG and BOOL are uint32_t here. `authority` is NULL, "" or a name. Out blobs with p NULL are {0, NULL}.
 */
#ifndef ADCSD_IDL_ICERTADMIND_H
#define ADCSD_IDL_ICERTADMIND_H

#include "base/clock.h"
#include "idl/oaut_variant.h"

/* Version 0.0, both */
#define ICERTADMIND_IID                                                                                      \
	{                                                                                                    \
		0xd99e6e71, 0xfc88, 0x11d0,                                                                  \
		{                                                                                            \
			0xb4, 0x98, 0x00, 0xa0, 0xc9, 0x03, 0x12, 0xf3                                       \
		}                                                                                            \
	}
#define ICERTADMIND2_IID                                                                                     \
	{                                                                                                    \
		0x7fe0d935, 0xdda6, 0x443f,                                                                  \
		{                                                                                            \
			0x85, 0xd0, 0x1c, 0xfb, 0x58, 0xfe, 0x41, 0xdd                                       \
		}                                                                                            \
	}
#define CCERTADMIND_CLSID                                                                                    \
	{                                                                                                    \
		0xd99e6e73, 0xfc88, 0x11d0,                                                                  \
		{                                                                                            \
			0xb4, 0x98, 0x00, 0xa0, 0xc9, 0x03, 0x12, 0xf3                                       \
		}                                                                                            \
	}

enum csra_opnum {
	CSRA_SetExtension = 3,
	CSRA_SetAttributes,
	CSRA_ResubmitRequest,
	CSRA_DenyRequest,
	CSRA_IsValidCertificate,
	CSRA_PublishCRL,
	CSRA_GetCRL,
	CSRA_RevokeCertificate,
	CSRA_EnumViewColumn,
	CSRA_GetViewDefaultColumnSet,
	CSRA_EnumAttributesOrExtensions,
	CSRA_OpenView,
	CSRA_EnumView,
	CSRA_CloseView,
	CSRA_ServerControl,
	CSRA_Ping,
	CSRA_GetServerState,
	CSRA_BackupPrepare,
	CSRA_BackupEnd,
	CSRA_BackupGetAttachmentInformation,
	CSRA_BackupGetBackupLogs,
	CSRA_BackupOpenFile,
	CSRA_BackupReadFile,
	CSRA_BackupCloseFile,
	CSRA_BackupTruncateLogs,
	CSRA_ImportCertificate,
	CSRA_BackupGetDynamicFiles,
	CSRA_RestoreGetDatabaseLocations,
	CSRA_PublishCRLs, /* ICertAdminD2 from here */
	CSRA_GetCAProperty,
	CSRA_SetCAProperty,
	CSRA_GetCAPropertyInfo,
	CSRA_EnumViewColumnTable,
	CSRA_GetCASecurity,
	CSRA_SetCASecurity,
	CSRA_Ping2,
	CSRA_GetArchivedKey,
	CSRA_GetAuditFilter,
	CSRA_SetAuditFilter,
	CSRA_GetOfficerRights,
	CSRA_SetOfficerRights,
	CSRA_GetConfigEntry,
	CSRA_SetConfigEntry,
	CSRA_ImportKey,
	CSRA_GetMyRoles,
	CSRA_DeleteRow,
	CSRA_OPNUMS,
};

/* Ours: the IDL sets no range. */
#define CSRA_RESTRICTIONS_MAX 1024
#define CSRA_COLUMNS_MAX 4096

/* ---- lists that several methods share ---- */

/* GetCRL, CloseView, Ping, Ping2, GetServerState, GetCAPropertyInfo, GetCASecurity, GetAuditFilter,
 * GetOfficerRights, GetMyRoles */
struct csra_authority_in {
	const char *authority;
};
/* ResubmitRequest, DenyRequest, GetArchivedKey */
struct csra_request_in {
	const char *authority;
	uint32_t request_id;
};
/* ServerControl (flags), SetAuditFilter (filter) */
struct csra_number_in {
	const char *authority;
	uint32_t value;
};
/* Methods that only say how it went. */
struct csra_result_out {
	uint32_t result;
};
/* ResubmitRequest (pdwDisposition), GetServerState, GetAuditFilter, GetMyRoles, ImportCertificate (request
 * id), DeleteRow (count) */
struct csra_number_out {
	uint32_t value;
	uint32_t result;
};
/* GetCRL, ServerControl, GetCAProperty, GetCASecurity, GetArchivedKey */
struct csra_blob_out {
	struct bytes blob;
	uint32_t result;
};
/* Column infos and result rows; GetCAPropertyInfo and GetOfficerRights have the same two. */
struct csra_items_out {
	uint32_t count;
	struct bytes blob;
	uint32_t result;
};
extern const struct ndr_field csra_authority_in[], csra_request_in[], csra_number_in[], csra_result_out[],
    csra_number_out[], csra_blob_out[], csra_items_out[];

/* ---- requests, certificates, CRLs ---- */

struct csra_set_extension_in {
	const char *authority;
	uint32_t request_id;
	const char *name; /* dotted OID */
	uint32_t type, flags;
	struct bytes value;
};
struct csra_set_attributes_in {
	const char *authority;
	uint32_t request_id;
	const char *attributes;
};
struct csra_is_valid_certificate_in {
	const char *authority;
	const char *serial;
};
struct csra_is_valid_certificate_out {
	uint32_t revocation_reason, disposition;
	uint32_t result;
};
struct csra_publish_crl_in {
	const char *authority;
	filetime_t when;
};
struct csra_publish_crls_in {
	const char *authority;
	filetime_t when;
	uint32_t flags;
};
struct csra_revoke_certificate_in {
	const char *authority;
	const char *serial;
	uint32_t reason;
	filetime_t when;
};
struct csra_import_certificate_in {
	const char *authority;
	struct bytes certificate;
	uint32_t flags;
};
struct csra_import_key_in {
	const char *authority;
	uint32_t request_id;
	const char *hash;
	uint32_t flags;
	struct bytes key;
};
struct csra_delete_row_in {
	const char *authority;
	uint32_t flags;
	filetime_t when;
	uint32_t table, row_id;
};
extern const struct ndr_field csra_set_extension_in[], csra_set_attributes_in[],
    csra_is_valid_certificate_in[], csra_is_valid_certificate_out[], csra_publish_crl_in[],
    csra_publish_crls_in[], csra_revoke_certificate_in[], csra_import_certificate_in[], csra_import_key_in[],
    csra_delete_row_in[];

/* ---- views ---- */

/* EnumViewColumn, EnumView (ielt, celt) */
struct csra_range_in {
	const char *authority;
	uint32_t first, count;
};
/* EnumViewColumnTable */
struct csra_table_range_in {
	const char *authority;
	uint32_t table, first, count;
};
struct csra_enum_attributes_in {
	const char *authority;
	uint32_t row_id, flags;
	const char *last;
	uint32_t count;
};
/* CERTVIEWRESTRICTION (MS-CSRA 2.2.1.3) */
struct csra_restriction {
	uint32_t column, seek, sort;
	struct bytes value;
};
struct csra_dword {
	uint32_t value;
};
struct csra_open_view_in {
	const char *authority;
	uint32_t n_restrictions;
	const struct csra_restriction *restrictions;
	uint32_t n_columns;
	const struct csra_dword *columns;
	uint32_t first, count; /* ielt, celt */
};
extern const struct ndr_field csra_range_in[], csra_table_range_in[], csra_enum_attributes_in[],
    csra_open_view_in[];

/* ---- the CA ---- */

struct csra_get_ca_property_in {
	const char *authority;
	uint32_t id, index, type;
};
struct csra_set_ca_property_in {
	const char *authority;
	uint32_t id, index, type;
	struct bytes value;
};
struct csra_blob_in { /* SetCASecurity */
	const char *authority;
	struct bytes blob;
};
struct csra_set_officer_rights_in {
	const char *authority;
	uint32_t enable;
	struct bytes sd;
};
struct csra_get_config_entry_in {
	const char *authority;
	const char *node;
	const char *entry;
};
struct csra_get_config_entry_out {
	struct oaut_variant value;
	uint32_t result;
};
struct csra_set_config_entry_in {
	const char *authority;
	const char *node;
	const char *entry;
	struct oaut_variant value;
};
extern const struct ndr_field csra_get_ca_property_in[], csra_set_ca_property_in[], csra_blob_in[],
    csra_set_officer_rights_in[], csra_get_config_entry_in[], csra_get_config_entry_out[],
    csra_set_config_entry_in[];

/* ---- backup ---- */

struct csra_backup_prepare_in {
	const char *authority;
	uint32_t grbit, flags;
	uint16_t annotation; /* one unit: the IDL forgot [string] */
	uint32_t client;
};
struct csra_backup_open_file_in {
	const char *path;
};
struct csra_backup_open_file_out {
	uint64_t length;
	uint32_t result;
};
struct csra_backup_read_file_in {
	uint32_t count;
};
struct csra_backup_read_file_out {
	struct bytes octets; /* as many as were asked for */
	uint32_t read;
	uint32_t result;
};
/* The four methods that list files: UTF-16LE units, each name with its NUL; files NULL on failure. */
struct csra_backup_files_out {
	const struct bytes *files;
	uint32_t units;
	uint32_t result;
};
extern const struct ndr_field csra_backup_prepare_in[], csra_backup_open_file_in[],
    csra_backup_open_file_out[], csra_backup_read_file_in[], csra_backup_read_file_out[],
    csra_backup_files_out[];

#endif
