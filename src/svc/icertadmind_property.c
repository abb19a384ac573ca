/* CCertAdminD: GetCAProperty, SetCAProperty, GetCAPropertyInfo (MS-CSRA 3.1.4.2.2 to 3.1.4.2.4). */
#include <string.h>

#include "base/text.h"
#include "svc/icertadmind.h"

static void
on_blob(void *arg, struct bytes blob, const struct err *e)
{
	struct svc_admin_call *a = arg;
	struct csra_blob_out *out = a->out;

	out->blob = svc_blob_or_none(blob);
	svc_admin_end(a, e != NULL ? e->hr : S_OK);
}

void
svc_csra_get_ca_property(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_get_ca_property_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_CALL(call, ctx, struct csra_blob_out);
	struct ca_caller who;
	struct err e = { 0 };

	if (a == NULL)
		return;
	who = svc_caller(call, SVC_ADMIN_FRONT);
	if (svc_admin_gate(a, SVC_AUTHORITY_CA, in->authority, SVC_ADMIN_READERS, &e) != 0 ||
	    ca_property_get(ctx, &who, in->id, in->index, in->type, on_blob, a, &e) != 0)
		svc_admin_refuse(a, &e);
}

void
svc_csra_get_ca_property_info(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_authority_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_CALL(call, ctx, struct csra_items_out);
	struct csra_items_out *out;
	struct err e = { 0 };

	if (a == NULL)
		return;
	out = a->out;
	if (svc_admin_gate(a, SVC_AUTHORITY_CA, in->authority, SVC_ADMIN_READERS, &e) != 0 ||
	    ca_property_infos(rpc_call_pool(call), &out->count, &out->blob, &e) != 0)
		svc_admin_refuse(a, &e);
	else
		svc_admin_end(a, S_OK);
}

/* ---- the templates that the CA issues: "name\nOID\n" pairs; the OIDs do not count ---- */

static json_t *
template_names(struct svc_admin_call *a, struct bytes value, struct err *e)
{
	const char *text = text_from_utf16le(rpc_call_pool(a->call), value, e), *end;
	json_t *names;
	size_t line = 0;

	if (text == NULL)
		return NULL;
	names = json_array();
	for (; (end = strchr(text, '\n')) != NULL; text = end + 1, line++) {
		if (line % 2 == 0 && end > text)
			json_array_append_new(names, json_stringn(text, (size_t)(end - text)));
	}
	if (line >= 2)
		return names;
	json_decref(names);
	ERR(e, E_INVALIDARG, "a list of templates has a line for the name and one for the OID of each");
	return NULL;
}

void
svc_csra_set_ca_property(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_set_ca_property_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_CALL(call, ctx, struct csra_result_out);
	struct bytes value = in->value;
	json_t *names = NULL;
	struct err e = { 0 };

	if (a == NULL)
		return;
	while (value.len >= 2 && value.p[value.len - 1] == 0 && value.p[value.len - 2] == 0)
		value.len -= 2; /* with or without its NUL: clients give back what they got */
	if (svc_admin_gate(a, SVC_AUTHORITY_CA, in->authority, CA_ACCESS_ADMIN, &e) == 0) {
		if (in->id != CR_PROP_TEMPLATES || in->index != 0 || in->type != PROPTYPE_STRING)
			ERR(&e, E_INVALIDARG, "property 0x%x of type %u cannot be set", in->id, in->type);
		else
			names = template_names(a, value, &e);
	}
	if (e.hr != 0)
		svc_admin_refuse(a, &e);
	else
		svc_admin_verb(a, SVC_AUTHORITY_CA, in->authority, "ca.templates.set",
		    json_pack("{s:o}", "templates", names));
}
