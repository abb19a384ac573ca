/* CCertAdminD: what an officer does with requests and certificates (MS-CSRA 3.1.4.1.1
 * to 3.1.4.1.8, 3.1.4.2.16). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "svc/icertadmind.h"

static json_t *
id_args(uint32_t id)
{
	return json_pack("{s:I}", "id", (json_int_t)id);
}

/* ---- ResubmitRequest, DenyRequest ---- */

/* An HRESULT stands there as text. */
static int
fill_disposition(struct svc_admin_call *a, const struct json_t *result, struct err *e)
{
	const json_t *v = json_object_get(result, "disposition");
	struct csra_number_out *out = a->out;

	(void)e;
	out->value = json_is_integer(v) ? (uint32_t)json_integer_value(v)
					: (uint32_t)strtoul(json_string_value(v), NULL, 16);
	return 0;
}

/* The wrong status is a disposition, not an error (MS-CSRA 3.1.4.1.3). */
static bool
is_wrong_status(struct svc_admin_call *a, const struct err *e)
{
	struct csra_number_out *out = a->out;

	if (e->hr != CERTSRV_E_BAD_REQUESTSTATUS)
		return false;
	*out = (struct csra_number_out){ .value = e->hr, .result = S_OK };
	return true;
}

void
svc_csra_resubmit_request(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_request_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_CALL(call, ctx, struct csra_number_out);

	if (a == NULL)
		return;
	a->fill = fill_disposition;
	a->failed = is_wrong_status;
	svc_admin_verb(a, SVC_AUTHORITY_CA, in->authority, "request.issue", id_args(in->request_id));
}

void
svc_csra_deny_request(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_request_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_CALL(call, ctx, struct csra_result_out);

	if (a != NULL)
		svc_admin_verb(a, SVC_AUTHORITY_CA, in->authority, "request.deny", id_args(in->request_id));
}

/* ---- SetExtension, SetAttributes ---- */

void
svc_csra_set_extension(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_set_extension_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_CALL(call, ctx, struct csra_result_out);

	if (a != NULL)
		svc_admin_verb(a, SVC_AUTHORITY_CA, in->authority, "request.set-extension",
		    json_pack("{s:I, s:s, s:I, s:I, s:o}", "id", (json_int_t)in->request_id, "oid",
			in->name != NULL ? in->name : "", "type", (json_int_t)in->type, "flags",
			(json_int_t)in->flags, "value", svc_json_octets(in->value)));
}

void
svc_csra_set_attributes(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_set_attributes_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_CALL(call, ctx, struct csra_result_out);

	if (a != NULL)
		svc_admin_verb(a, SVC_AUTHORITY_CA, in->authority, "request.set-attributes",
		    json_pack("{s:I, s:s}", "id", (json_int_t)in->request_id, "attributes",
			in->attributes != NULL ? in->attributes : ""));
}

/* ---- RevokeCertificate, IsValidCertificate ---- */

/* A serial number that names no certificate is a bad argument here. */
static bool
is_unknown_serial(struct svc_admin_call *a, const struct err *e)
{
	struct csra_result_out *out = a->out;

	if (e->hr != CERTSRV_E_PROPERTY_EMPTY)
		return false;
	out->result = E_INVALIDARG;
	return true;
}

#define REASON_OMIT_EXPIRED 0xfffffffdu
#define REASON_PUBLISH_EXPIRED 0xfffffffeu
#define REASON_RELEASE 0xffffffffu

void
svc_csra_revoke_certificate(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_revoke_certificate_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_CALL(call, ctx, struct csra_result_out);
	const char *verb = "request.revoke";
	json_t *o;

	if (a == NULL)
		return;
	o = json_pack("{s:s}", "serial", in->serial != NULL ? in->serial : "");
	a->failed = is_unknown_serial;
	switch (in->reason) {
	case REASON_RELEASE:
		verb = "request.unrevoke";
		break;
	case REASON_PUBLISH_EXPIRED:
	case REASON_OMIT_EXPIRED:
		verb = "request.publish-expired";
		json_object_set_new(o, "off", json_boolean(in->reason == REASON_OMIT_EXPIRED));
		break;
	default: {
		char number[16];

		snprintf(number, sizeof(number), "%u", in->reason);
		json_object_set_new(o, "reason", json_string(number));
		if (in->when != 0)
			json_object_set_new(o, "effective", svc_json_time(in->when));
	}
	}
	svc_admin_verb(a, SVC_AUTHORITY_CA, in->authority, verb, o);
}

static int
fill_validity(struct svc_admin_call *a, const struct json_t *result, struct err *e)
{
	struct csra_is_valid_certificate_out *out = a->out;

	(void)e;
	out->disposition = (uint32_t)json_integer_value(json_object_get(result, "disposition"));
	out->revocation_reason = (uint32_t)json_integer_value(json_object_get(result, "reasonCode"));
	return 0;
}

void
svc_csra_is_valid_certificate(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_is_valid_certificate_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_CALL(call, ctx, struct csra_is_valid_certificate_out);

	if (a == NULL)
		return;
	a->fill = fill_validity;
	svc_admin_verb(a, SVC_AUTHORITY_CA, in->authority, "request.valid",
	    json_pack("{s:s}", "serial", in->serial != NULL ? in->serial : ""));
}

/* ---- DeleteRow ---- */

static int
fill_deleted(struct svc_admin_call *a, const struct json_t *result, struct err *e)
{
	struct csra_number_out *out = a->out;

	(void)e;
	out->value = (uint32_t)json_integer_value(json_object_get(result, "deleted"));
	return 0;
}

void
svc_csra_delete_row(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_delete_row_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_CALL(call, ctx, struct csra_number_out);
	json_t *o;

	if (a == NULL)
		return;
	a->fill = fill_deleted;
	o = json_pack("{s:I, s:I, s:I}", "flags", (json_int_t)in->flags, "table", (json_int_t)in->table,
	    "row", (json_int_t)in->row_id);
	if (in->when != 0)
		json_object_set_new(o, "before", svc_json_time(in->when));
	svc_admin_verb(a, SVC_AUTHORITY_CA, in->authority, "request.delete", o);
}

/* ---- ImportCertificate ---- */

static int
fill_id(struct svc_admin_call *a, const struct json_t *result, struct err *e)
{
	struct csra_number_out *out = a->out;

	(void)e;
	out->value = (uint32_t)json_integer_value(json_object_get(result, "id"));
	return 0;
}

void
svc_csra_import_certificate(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_import_certificate_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_CALL(call, ctx, struct csra_number_out);

	if (a == NULL)
		return;
	a->fill = fill_id;
	svc_admin_verb(a, SVC_AUTHORITY_CA, in->authority, "ca.import",
	    json_pack("{s:o, s:I}", "certificate", svc_json_octets(in->certificate), "flags",
		(json_int_t)in->flags));
}
