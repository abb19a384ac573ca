/* CCertAdminD's views: bodies, and what an object keeps of the view that was opened on it. For svc/ only. */
#ifndef ADCSD_SVC_ICERTADMIND_VIEW_H
#define ADCSD_SVC_ICERTADMIND_VIEW_H

#include "svc/dcom.h"

/* object_new() and object_free() of the class: an object has at most one view open (MS-CSRA 3.1.1.6). */
int
svc_view_new(void *ctx, void **state, struct err *e) MUST_CHECK;
void
svc_view_free(void *ctx, void *state);

rpc_method_fn svc_csra_enum_view_column, svc_csra_enum_view_column_table,
    svc_csra_get_view_default_column_set, svc_csra_enum_attributes, svc_csra_open_view, svc_csra_enum_view,
    svc_csra_close_view;

#endif
