/* CCertAdminD's backup and restore methods: bodies, and the end of an object's session. For svc/ only. */
#ifndef ADCSD_SVC_ICERTADMIND_BACKUP_H
#define ADCSD_SVC_ICERTADMIND_BACKUP_H

#include "svc/dcom.h"

/* state: of the object that is about to go. */
void
svc_backup_gone(void *ctx, void *state);

rpc_method_fn svc_csra_backup_prepare, svc_csra_backup_end, svc_csra_backup_get_attachments,
    svc_csra_backup_get_logs, svc_csra_backup_open_file, svc_csra_backup_read_file,
    svc_csra_backup_close_file, svc_csra_backup_truncate_logs, svc_csra_backup_get_dynamic_files,
    svc_csra_restore_get_locations;

#endif
