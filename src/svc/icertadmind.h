/*
 * CCertAdminD: bodies of ICertAdminD and ICertAdminD2 (MS-CSRA 3.1.4). ctx of every body: struct ca *. Most
 * are one verb of the door (ca.h) and its answer in another form; icertadmind.c has the table. For svc/ only.
 */
#ifndef ADCSD_SVC_ICERTADMIND_H
#define ADCSD_SVC_ICERTADMIND_H

#include <jansson.h>

#include "auth/access.h"
#include "ca/csra.h"
#include "ca/property.h"
#include "idl/icertadmind.h"
#include "svc/dcom.h"

#define SVC_ADMIN_FRONT "ICertAdminD" /* of both interfaces: what the door goes by */
#define SVC_ADMIN_READERS (CA_ACCESS_ADMIN | CA_ACCESS_OFFICER | CA_ACCESS_READ)

/* Which authority a method takes (MS-CSRA 3.1.4.1.1). */
enum svc_authority {
	SVC_AUTHORITY_CA,         /* this CA's name */
	SVC_AUTHORITY_CA_OR_NONE, /* or NULL, or "" */
};

struct svc_admin_call;
/* Puts the answer of a verb into call->out. -1 with the HRESULT to answer instead. */
typedef int
svc_admin_fill_fn(struct svc_admin_call *a, const struct json_t *result, struct err *e);
/* Another disposition of a failure: true when *out says it all, with the HRESULT it has put there. */
typedef bool
svc_admin_failed_fn(struct svc_admin_call *a, const struct err *e);

/* One call through the door. In the call's pool. */
struct svc_admin_call {
	struct rpc_call *call;
	struct ca *ca;
	void *out;                   /* the method's out struct, zeroed: what a failure answers with */
	uint32_t *result;            /* its HRESULT */
	svc_admin_fill_fn *fill;     /* NULL: nothing but the HRESULT */
	svc_admin_failed_fn *failed; /* NULL: the HRESULT of the error */
};

/* Checks the authority, asks the door, answers. NULL when memory was short: the call has been answered. */
struct svc_admin_call *
svc_admin_call_new(struct rpc_call *call, struct ca *ca, size_t out_size, size_t result_offset);
#define SVC_ADMIN_CALL(call, ca, out_struct)                                                                 \
	svc_admin_call_new(call, ca, sizeof(out_struct), offsetof(out_struct, result))
/* The same behind svc_admin_gate(): NULL when the call has been answered, by a refusal then. */
struct svc_admin_call *
svc_admin_enter(struct rpc_call *call, struct ca *ca, size_t out_size, size_t result_offset,
    enum svc_authority kind, const char *authority, uint32_t any_of);
#define SVC_ADMIN_ENTER(call, ca, out_struct, kind, authority, any_of)                                       \
	svc_admin_enter(call, ca, sizeof(out_struct), offsetof(out_struct, result), kind, authority, any_of)
/* Takes args (NULL: none); the call is answered when this or the verb is done. */
void
svc_admin_verb(struct svc_admin_call *a, enum svc_authority kind, const char *authority, const char *verb,
    struct json_t *args);
/* The same gate for what is no verb: interface flags, roles (any_of), authority. */
int
svc_admin_gate(const struct svc_admin_call *a, enum svc_authority kind, const char *authority,
    uint32_t any_of, struct err *e) MUST_CHECK;
/* Ends the call with this HRESULT and what stands in out. */
void
svc_admin_end(struct svc_admin_call *a, uint32_t hr);
/* The same with a refusal, which the journal is told. */
void
svc_admin_refuse(struct svc_admin_call *a, const struct err *e);
/* The one or the other: S_OK when e is NULL. */
void
svc_admin_answer(struct svc_admin_call *a, const struct err *e);

/* Base64 of a JSON member, in the call's pool. */
int
svc_admin_octets(struct svc_admin_call *a, const struct json_t *o, const char *name, struct bytes *out,
    struct err *e) MUST_CHECK;
struct json_t *
svc_json_octets(struct bytes b);
/* A FILETIME as the door's verbs take it; NULL for 0. */
struct json_t *
svc_json_time(filetime_t t);

/* icertadmind_request.c */
rpc_method_fn svc_csra_resubmit_request, svc_csra_deny_request, svc_csra_revoke_certificate,
    svc_csra_is_valid_certificate, svc_csra_set_extension, svc_csra_set_attributes, svc_csra_delete_row,
    svc_csra_import_certificate;
/* icertadmind_crl.c */
rpc_method_fn svc_csra_publish_crl, svc_csra_publish_crls, svc_csra_get_crl;
/* icertadmind_ca.c */
rpc_method_fn svc_csra_ping, svc_csra_get_server_state, svc_csra_server_control, svc_csra_get_my_roles,
    svc_csra_get_ca_security, svc_csra_set_ca_security, svc_csra_get_audit_filter, svc_csra_set_audit_filter,
    svc_csra_get_officer_rights, svc_csra_set_officer_rights;
/* icertadmind_property.c */
rpc_method_fn svc_csra_get_ca_property, svc_csra_set_ca_property, svc_csra_get_ca_property_info;
/* icertadmind_archival.c */
rpc_method_fn svc_csra_get_archived_key, svc_csra_import_key;
/* icertadmind_config.c */
rpc_method_fn svc_csra_get_config_entry, svc_csra_set_config_entry;
#endif
