/* The events of administrators' verbs, which are ICertAdminD's methods as well. */
#include <string.h>
#include <strings.h>

#include "ca/admin_priv.h"
#include "ca/audit.h"
#include "ca/revoke.h"

enum { PROP_TEMPLATES = 29, PROPTYPE_STRING = 4 }; /* CR_PROP_TEMPLATES */

/* Fields of one verb; false: this one is no event. */
typedef bool
fields_fn(struct ca_admin *a, const json_t *result, struct buf *b);

static const char *
text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL ? s : "";
}

static bool
request_id(struct ca_admin *a, const json_t *result, struct buf *b)
{
	(void)result;
	ca_audit_put_number(
	    b, "RequestId", a->id != 0 ? a->id : json_integer_value(json_object_get(a->args, "id")));
	return true;
}

/* Released ones: the reason of ICertAdminD::RevokeCertificate. */
static bool
revoked(struct ca_admin *a, const json_t *result, struct buf *b)
{
	const char *serial = text_of(result, "serial"), *given = text_of(a->args, "reason");
	struct err ignored;
	uint32_t reason = 0;

	journal_put_text(b, "CertificateSerialNumber", *serial != '\0' ? serial : text_of(a->args, "serial"));
	if (*given != '\0' && ca_reason_from_text(given, &reason, &ignored) != 0)
		reason = 0;
	if (strcmp(a->verb_name, "request.unrevoke") == 0)
		ca_audit_put_number(b, "RevocationReason", UINT32_MAX);
	else
		ca_audit_put_number(b, "RevocationReason", reason);
	return true;
}

static bool
extension(struct ca_admin *a, const json_t *result, struct buf *b)
{
	request_id(a, result, b);
	journal_put_text(b, "ExtensionName", text_of(a->args, "oid"));
	ca_audit_put_number(b, "ExtensionDataType", json_integer_value(json_object_get(a->args, "type")));
	ca_audit_put_number(b, "ExtensionPolicyFlags", json_integer_value(json_object_get(a->args, "flags")));
	journal_put_text(b, "ExtensionData", text_of(a->args, "value"));
	return true;
}

static bool
attributes(struct ca_admin *a, const json_t *result, struct buf *b)
{
	request_id(a, result, b);
	journal_put_text(b, "Attributes", text_of(a->args, "attributes"));
	return true;
}

static bool
deleted(struct ca_admin *a, const json_t *result, struct buf *b)
{
	const char *before = text_of(a->args, "before");

	ca_audit_put_number(b, "TableId", json_integer_value(json_object_get(a->args, "table")));
	if (*before != '\0')
		journal_put_text(b, "Filter", before);
	else
		ca_audit_put_number(b, "Filter", json_integer_value(json_object_get(a->args, "row")));
	ca_audit_put_number(b, "RowsDeleted", json_integer_value(json_object_get(result, "deleted")));
	return true;
}

static bool
imported(struct ca_admin *a, const json_t *result, struct buf *b)
{
	journal_put_text(b, "Certificate", text_of(a->args, "certificate"));
	ca_audit_put_number(b, "RequestId", json_integer_value(json_object_get(result, "id")));
	return true;
}

static bool
security(struct ca_admin *a, const json_t *result, struct buf *b)
{
	(void)result;
	journal_put_text(b, "SecuritySettings", a->ca->settings.security);
	return true;
}

static bool
officers(struct ca_admin *a, const json_t *result, struct buf *b)
{
	(void)result;
	ca_audit_put_yes(b, "EnableRestrictedPermissions", a->ca->live->officers != NULL);
	journal_put_text(b, "RestrictedPermissions", a->ca->settings.officer_rights);
	return true;
}

/* EnrollmentAgentRights is a registry value, whatever tab it has. */
static bool
agents(struct ca_admin *a, const json_t *result, struct buf *b)
{
	(void)result;
	journal_put_text(b, "Node", "");
	journal_put_text(b, "Entry", "EnrollmentAgentRights");
	journal_put_text(b, "Value", a->ca->settings.agent_rights);
	return true;
}

/* "policy\\EditFlags" is an entry of the policy module's node, the CA's own have none. */
static bool
setting(struct ca_admin *a, const json_t *result, struct buf *b)
{
	const struct setting *row;
	struct err ignored;
	struct buf value;

	(void)result;
	if (ca_settings_find(text_of(a->args, "name"), &row, &ignored) != 0)
		return false;
	journal_put_text(b, "Node", strcmp(row->section, "CA") == 0 ? "" : row->section);
	journal_put_text(b, "Entry", row->name);
	buf_init(&value, JOURNAL_RECORD_MAX / 8);
	if (ca_settings_text(&a->ca->settings, row, &value, &ignored) == 0 && buf_ok(&value))
		journal_put_text(b, "Value", buf_cstr(&value));
	buf_fini(&value);
	return true;
}

static bool
templates(struct ca_admin *a, const json_t *result, struct buf *b)
{
	const json_t *list = json_object_get(result, "templates");
	struct buf text;

	(void)a;
	buf_init(&text, JOURNAL_RECORD_MAX / 8);
	for (size_t i = 0; i < json_array_size(list); i++)
		buf_printf(&text, "%s%s", i > 0 ? "\n" : "", json_string_value(json_array_get(list, i)));
	ca_audit_put_number(b, "PropertyName", PROP_TEMPLATES);
	ca_audit_put_number(b, "PropertyIndex", 0);
	ca_audit_put_number(b, "PropertyType", PROPTYPE_STRING);
	journal_put_text(b, "PropertyValue", buf_ok(&text) ? buf_cstr(&text) : "");
	buf_fini(&text);
	return true;
}

static bool
audit_filter(struct ca_admin *a, const json_t *result, struct buf *b)
{
	(void)result;
	ca_audit_put_number(b, "AuditFilter", a->ca->settings.audit_filter);
	return true;
}

static const struct row {
	const char *verb;
	unsigned event;
	fields_fn *fields;
} rows[] = {
	{ "request.deny", 4868, request_id },
	{ "request.revoke", 4870, revoked },
	{ "request.unrevoke", 4870, revoked },
	{ "request.set-extension", 4873, extension },
	{ "request.set-attributes", 4874, attributes },
	{ "request.delete", 4896, deleted },
	{ "ca.import", 4884, imported },
	{ "ca.acl.grant", 4882, security },
	{ "ca.acl.deny", 4882, security },
	{ "ca.acl.remove", 4882, security },
	{ "ca.acl.set", 4882, security },
	{ "ca.setting.set", 4891, setting },
	{ "ca.setting.reset", 4891, setting },
	{ "ca.publish", 4892, templates },
	{ "ca.unpublish", 4892, templates },
	{ "ca.templates.set", 4892, templates },
	{ "ca.audit-filter.set", 4885, audit_filter },
};
static const struct row officer_row = { NULL, 4890, officers }, agent_row = { NULL, 4891, agents };

static const struct row *
row_of(const struct ca_admin *a)
{
	if (strcmp(a->verb_name, "ca.rights.change") == 0 || strcmp(a->verb_name, "ca.rights.set") == 0)
		return strcmp(text_of(a->args, "which"), "officer") == 0 ? &officer_row : &agent_row;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].verb, a->verb_name) == 0)
			return &rows[i];
	}
	return NULL;
}

static void
role_separation(struct ca_admin *a)
{
	struct buf *b = ca_audit_begin(a->ca, a->audit_filter, 4897);

	if (b == NULL)
		return;
	ca_audit_put_yes(b, "RoleSeparationEnabled", true);
	ca_audit_end(a->ca, b, NULL);
}

/* What the filter was when the verb came counts, for a change of the filter what it is now: to end all
 * auditing leaves no event. */
void
ca_audit_verb(struct ca_admin *a, const json_t *result)
{
	const struct row *row = row_of(a);
	struct buf *b;

	if (row == NULL)
		return;
	b = ca_audit_begin(
	    a->ca, row->event == 4885 ? a->ca->settings.audit_filter : a->audit_filter, row->event);
	if (b != NULL && row->fields(a, result, b))
		ca_audit_end(a->ca, b, &a->who);
	if (row->fields == setting && a->role_separation == 0 && a->ca->settings.role_separation != 0)
		role_separation(a);
}
