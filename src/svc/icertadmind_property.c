/* CCertAdminD: GetCAProperty, SetCAProperty, GetCAPropertyInfo (MS-CSRA 3.1.4.2.2 to 3.1.4.2.4). */
#include <string.h>

#include "base/text.h"
#include "ca/archival.h"
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
	struct svc_admin_call *a = SVC_ADMIN_ENTER(
	    call, ctx, struct csra_blob_out, SVC_AUTHORITY_CA, in->authority, SVC_ADMIN_READERS);
	struct ca_caller who;
	struct err e = { 0 };

	if (a == NULL)
		return;
	who = svc_caller(call, SVC_ADMIN_FRONT);
	if (ca_property_get(ctx, &who, in->id, in->index, in->type, on_blob, a, &e) != 0)
		svc_admin_refuse(a, &e);
}

void
svc_csra_get_ca_property_info(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_authority_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_ENTER(
	    call, ctx, struct csra_items_out, SVC_AUTHORITY_CA, in->authority, SVC_ADMIN_READERS);
	struct csra_items_out *out;
	struct err e = { 0 };
	int rc;

	if (a == NULL)
		return;
	out = a->out;
	rc = ca_property_infos(rpc_call_pool(call), &out->count, &out->blob, &e);
	svc_admin_answer(a, rc != 0 ? &e : NULL);
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

static void
set_templates(struct svc_admin_call *a, const struct csra_set_ca_property_in *in)
{
	struct bytes value = in->value;
	struct err e = { 0 };
	json_t *names;

	while (value.len >= 2 && value.p[value.len - 1] == 0 && value.p[value.len - 2] == 0)
		value.len -= 2; /* with or without its NUL: clients give back what they got */
	names = template_names(a, value, &e);
	if (names == NULL)
		svc_admin_refuse(a, &e);
	else
		svc_admin_verb(a, SVC_AUTHORITY_CA, in->authority, "ca.templates.set",
		    json_pack("{s:o}", "templates", names));
}

/* ---- key recovery agents ---- */

static void
on_kra(void *arg, const struct err *e)
{
	svc_admin_answer(arg, e);
}

static int
set_kra(struct svc_admin_call *a, const struct csra_set_ca_property_in *in, struct err *e)
{
	struct ca_caller who = svc_caller(a->call, SVC_ADMIN_FRONT);
	uint32_t n;

	if (in->id == CR_PROP_KRACERT)
		return ca_kra_set(a->ca, &who, in->index, in->value, on_kra, a, e);
	if (in->value.len != 4)
		return ERR(e, E_INVALIDARG, "a count of %zu octets, not 4", in->value.len);
	n = get_u32le(in->value.p);
	if (in->id == CR_PROP_KRACERTCOUNT)
		return ca_kra_set_count(a->ca, &who, n, on_kra, a, e);
	if (n == 0)
		return ERR(e, E_INVALIDARG, "at least 1 recovery agent is used (MS-CSRA 3.1.4.2.3)");
	return ca_kra_set_used_count(a->ca, &who, n, on_kra, a, e);
}

void
svc_csra_set_ca_property(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_set_ca_property_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_ENTER(
	    call, ctx, struct csra_result_out, SVC_AUTHORITY_CA, in->authority, CA_ACCESS_ADMIN);
	struct err e = { 0 };
	bool agent;

	if (a == NULL)
		return;
	agent = (in->id == CR_PROP_KRACERT && in->type == PROPTYPE_BINARY) ||
	    ((in->id == CR_PROP_KRACERTCOUNT || in->id == CR_PROP_KRACERTUSEDCOUNT) && in->index == 0 &&
		in->type == PROPTYPE_LONG);
	if (in->id == CR_PROP_TEMPLATES && in->index == 0 && in->type == PROPTYPE_STRING)
		set_templates(a, in);
	else if ((agent ? set_kra(a, in, &e)
			: ERR(&e, E_INVALIDARG, "property 0x%x of type %u cannot be set", in->id,
			      in->type)) != 0)
		svc_admin_refuse(a, &e);
}
