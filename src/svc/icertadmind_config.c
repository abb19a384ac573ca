/* CCertAdminD: GetConfigEntry, SetConfigEntry (MS-CSRA 3.1.4.2.14, 3.1.4.2.15; csra.md section 6). */
#include <string.h>

#include "svc/icertadmind.h"

static bool
is_none(const char *s)
{
	return s == NULL || *s == '\0';
}

/* The key above the CA's own has a node name that no path on the wire can spell. */
#define ROOT_NODE "\\"

static int
check(struct svc_admin_call *a, const char *authority, const char *node, uint32_t rights, const char **out,
    struct err *e)
{
	if (svc_admin_gate(a, SVC_AUTHORITY_CA_OR_NONE, authority, rights, e) != 0)
		return -1;
	if (is_none(authority) && !is_none(node))
		return ERR(e, E_INVALIDARG, "a node '%.60s' of no CA", node);
	*out = is_none(authority) ? ROOT_NODE : node != NULL ? node : "";
	return 0;
}

static int
strings(struct svc_admin_call *a, const char *const *list, size_t n, struct oaut_variant *out, struct err *e)
{
	const char **copy = pool_calloc(rpc_call_pool(a->call), n + 1, sizeof(*copy));

	if (copy == NULL || n > OAUT_STRINGS_MAX)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu texts", n);
	for (size_t i = 0; i < n; i++)
		copy[i] = list[i];
	*out = (struct oaut_variant){ .vt = VT_ARRAY | VT_BSTR, .strings = copy, .n_strings = (uint32_t)n };
	return 0;
}

static int
to_variant(struct svc_admin_call *a, const struct ca_config_value *v, struct oaut_variant *out, struct err *e)
{
	switch (v->type) {
	case CA_CONFIG_NUMBER:
		*out = (struct oaut_variant){ .vt = VT_I4, .n = v->number };
		return 0;
	case CA_CONFIG_TEXT:
		*out = (struct oaut_variant){ .vt = VT_BSTR, .text = v->text };
		return 0;
	case CA_CONFIG_LIST:
		return strings(a, v->list, v->n_list, out, e);
	case CA_CONFIG_OCTETS:
		*out = (struct oaut_variant){ .vt = VT_ARRAY | VT_UI1, .octets = v->octets };
		return 0;
	}
	return ERR(e, E_UNEXPECTED, "a value of an unknown type");
}

static int
get(struct svc_admin_call *a, const char *node, const char *entry, struct oaut_variant *out, struct err *e)
{
	struct pool *pool = rpc_call_pool(a->call);
	const char *const *names;
	struct ca_config_value v;
	size_t n;

	if (is_none(entry))
		return ca_config_names(a->ca, node, pool, &names, &n, e) != 0 ? -1
									      : strings(a, names, n, out, e);
	return ca_config_get(a->ca, node, entry, pool, &v, e) != 0 ? -1 : to_variant(a, &v, out, e);
}

void
svc_csra_get_config_entry(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_get_config_entry_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_CALL(call, ctx, struct csra_get_config_entry_out);
	struct csra_get_config_entry_out *out;
	const char *node;
	struct err e = { 0 };

	if (a == NULL)
		return;
	out = a->out;
	if (check(a, in->authority, in->node, SVC_ADMIN_READERS, &node, &e) != 0 ||
	    get(a, node, in->entry, &out->value, &e) != 0)
		svc_admin_refuse(a, &e);
	else
		svc_admin_end(a, S_OK);
}

static int
from_variant(const struct oaut_variant *in, struct ca_config_value *out, struct err *e)
{
	switch (in->vt) {
	case VT_I4:
	case VT_UI4:
	case VT_INT:
	case VT_UINT:
		*out = (struct ca_config_value){ .type = CA_CONFIG_NUMBER, .number = in->n };
		return 0;
	case VT_BSTR:
		*out = (struct ca_config_value){ .type = CA_CONFIG_TEXT,
			.text = in->text != NULL ? in->text : "" };
		return 0;
	case VT_ARRAY | VT_BSTR:
		*out = (struct ca_config_value){
			.type = CA_CONFIG_LIST, .list = in->strings, .n_list = in->n_strings
		};
		return 0;
	case VT_ARRAY | VT_UI1:
		*out = (struct ca_config_value){ .type = CA_CONFIG_OCTETS, .octets = in->octets };
		return 0;
	default:
		return ERR(e, E_INVALIDARG, "a VARIANT of type 0x%x is no registry value", in->vt);
	}
}

/* VT_EMPTY deletes: here, back to what the settings file says. */
void
svc_csra_set_config_entry(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_set_config_entry_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_CALL(call, ctx, struct csra_result_out);
	bool remove = in->value.vt == VT_EMPTY || in->value.vt == VT_NULL;
	const char *node, *name = NULL, *text = "";
	struct pool *pool = rpc_call_pool(call);
	struct ca_config_value v;
	struct err e = { 0 };
	json_t *o;

	if (a == NULL)
		return;
	if (check(a, in->authority, in->node, CA_ACCESS_ADMIN, &node, &e) == 0 &&
	    (name = ca_config_setting(node, in->entry != NULL ? in->entry : "", pool)) == NULL)
		ERR(&e, E_FILE_NOT_FOUND, "there is no value '%.60s' under '%.80s' that could be changed",
		    in->entry != NULL ? in->entry : "", node);
	if (e.hr == 0 && !remove &&
	    (from_variant(&in->value, &v, &e) != 0 || ca_config_text(&v, pool, &text, &e) != 0))
		name = NULL;
	if (e.hr != 0) {
		svc_admin_refuse(a, &e);
		return;
	}
	o = json_pack("{s:s}", "name", name);
	if (!remove)
		json_object_set_new(o, "value", json_string(text));
	svc_admin_verb(
	    a, SVC_AUTHORITY_CA_OR_NONE, in->authority, remove ? "ca.setting.reset" : "ca.setting.set", o);
}
