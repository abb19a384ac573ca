/* The CA's DCOM classes: who may use them, and their rows for dcom_register(). For svc/ only. */
#ifndef ADCSD_SVC_DCOM_H
#define ADCSD_SVC_DCOM_H

#include "ca/ca.h"
#include "dcom/dcom.h"

/* CCertRequestD with ICertRequestD and ICertRequestD2 (MS-WCCE 3.2.1.4). ctx: struct ca *. */
extern const struct dcom_class svc_ccertrequestd;
/* CCertAdminD with ICertAdminD and ICertAdminD2 (MS-CSRA 3.1.4). ctx: struct ca *. */
extern const struct dcom_class svc_ccertadmind;

/* Levels and permissions by the CA's settings. ca must outlive the server. */
struct dcom_policy
svc_dcom_policy(struct ca *ca);

/* Who calls, for the door; lent for the call's life. front: a constant, "ICertRequestD". */
struct ca_caller
svc_caller(struct rpc_call *call, const char *front);

/* UTF-16LE with its NUL, in the pool; an empty blob for NULL and "". */
int
svc_encode_text(const char *text, struct pool *pool, struct bytes *out, struct err *e) MUST_CHECK;
/* An empty blob is {0, NULL} on the wire. */
static inline struct bytes
svc_blob_or_none(struct bytes b)
{
	return b.len > 0 ? b : (struct bytes){ NULL, 0 };
}

#endif
