#include "ctl/remote_call.h"

#include <string.h>

#include "idl/icertadmind.h"

const char *
ctl_remote_authority(const struct ctl *c)
{
	return client_session_target(c->remote->session)->ca;
}

const char *
ctl_remote_text(const json_t *args, const char *name)
{
	const char *s = json_string_value(json_object_get(args, name));

	return s != NULL ? s : "";
}

/* The HRESULT ends every answer (idl/icertadmind.h). */
int
ctl_remote_method(struct ctl *c, const struct client_method *m, const void *in, struct pool *pool, void **out,
    struct err *e)
{
	uint32_t hr;

	if (client_session_admin(c->remote->session, m, in, pool, out, e) != 0)
		return -1;
	if (m->out == csra_result_out)
		hr = ((const struct csra_result_out *)*out)->result;
	else if (m->out == csra_number_out)
		hr = ((const struct csra_number_out *)*out)->result;
	else if (m->out == csra_blob_out)
		hr = ((const struct csra_blob_out *)*out)->result;
	else if (m->out == csra_items_out)
		hr = ((const struct csra_items_out *)*out)->result;
	else if (m->out == csra_is_valid_certificate_out)
		hr = ((const struct csra_is_valid_certificate_out *)*out)->result;
	else if (m->out == csra_get_config_entry_out)
		hr = ((const struct csra_get_config_entry_out *)*out)->result;
	else
		return ERR(e, E_UNEXPECTED, "%s: no answer of a known form", m->name);
	return hr == S_OK || hr == S_FALSE ? 0 : ERR(e, hr, "%s: %s", m->name, hresult_text(hr));
}

static const struct {
	const char *verb;
	ctl_remote_fn *run;
} calls[] = {
	{ "view.columns", ctl_remote_view_columns },
	{ "view.rows", ctl_remote_view_rows },
	{ "request.list", ctl_remote_request_list },
	{ "request.show", ctl_remote_request_show },
	{ "request.revoke", ctl_remote_request_revoke },
	{ "request.unrevoke", ctl_remote_request_unrevoke },
	{ "request.publish-expired", ctl_remote_request_publish_expired },
	{ "request.valid", ctl_remote_request_valid },
	{ "request.set-extension", ctl_remote_request_set_extension },
	{ "request.set-attributes", ctl_remote_request_set_attributes },
	{ "crl.publish", ctl_remote_crl_publish },
	{ "ca.audit-filter.set", ctl_remote_audit_filter },
	{ "ca.publish", ctl_remote_publish },
	{ "ca.unpublish", ctl_remote_unpublish },
	{ "ca.templates.set", ctl_remote_templates_set },
	{ "ca.setting.show", ctl_remote_setting_show },
	{ "ca.setting.set", ctl_remote_setting_set },
	{ "ca.setting.reset", ctl_remote_setting_reset },
	{ "ca.acl.show", ctl_remote_acl_show },
	{ "ca.acl.set", ctl_remote_acl_set },
	{ "ca.acl.grant", ctl_remote_acl_grant },
	{ "ca.acl.deny", ctl_remote_acl_deny },
	{ "ca.acl.remove", ctl_remote_acl_remove },
	{ "ca.rights.show", ctl_remote_rights_show },
	{ "ca.rights.set", ctl_remote_rights_set },
	{ "ca.rights.change", ctl_remote_rights_change },
	{ "ca.roles", ctl_remote_roles },
	{ "ca.kra.list", ctl_remote_kra_list },
	{ "ca.kra.add", ctl_remote_kra_add },
	{ "ca.kra.remove", ctl_remote_kra_remove },
	{ "ca.kra.use", ctl_remote_kra_use },
	{ "crl.show", ctl_remote_crl_show },
	{ "ca.import", ctl_remote_import },
	{ "request.delete", ctl_remote_delete },
	{ "request.key", ctl_remote_key },
	{ "request.importKey", ctl_remote_import_key },
};

json_t *
ctl_remote_call(struct ctl *c, const char *verb, json_t *args, struct err *e)
{
	json_t *o = NULL;
	size_t i;

	for (i = 0; i < ARRAY_LEN(calls) && strcmp(calls[i].verb, verb) != 0;)
		i++;
	if (i == ARRAY_LEN(calls))
		ERR(e, E_NOTIMPL, "%.60s is not to be had with --config", verb);
	else
		o = calls[i].run(c, args, e);
	json_decref(args);
	return o;
}
