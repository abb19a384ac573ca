/* ca.setting.*: registry values by GetConfigEntry and SetConfigEntry (MS-CSRA 3.1.4.2.14, 3.1.4.2.15). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "ctl/remote_call.h"
#include "idl/icertadmind.h"
#include "settings/settings.h"

#define TEXT_MAX (1u << 20)

/* A value's place, and what is known of it. */
struct place {
	const char *name;          /* "policy\\EditFlags" */
	const char *node, *entry;  /* on the wire */
	const struct setting *row; /* NULL: none of the table */
};

/* ---- the two methods ---- */

static int
get(struct ctl *c, const char *node, const char *entry, struct oaut_variant *out, struct err *e)
{
	static const struct client_method m = { "GetConfigEntry", CSRA_GetConfigEntry,
		csra_get_config_entry_in, csra_get_config_entry_out,
		sizeof(struct csra_get_config_entry_out) };
	const struct csra_get_config_entry_in in = { ctl_remote_authority(c), node, entry };
	void *decoded;

	if (ctl_remote_method(c, &m, &in, c->pool, &decoded, e) != 0)
		return err_prefix(e, "%s%s%s", node, *node != '\0' ? "\\" : "", entry);
	*out = ((const struct csra_get_config_entry_out *)decoded)->value;
	return 0;
}

static int
set(struct ctl *c, const struct place *p, const struct oaut_variant *value, struct err *e)
{
	static const struct client_method m = { "SetConfigEntry", CSRA_SetConfigEntry,
		csra_set_config_entry_in, csra_result_out, sizeof(struct csra_result_out) };
	const struct csra_set_config_entry_in in = { ctl_remote_authority(c), p->node, p->entry, *value };
	void *decoded;

	return ctl_remote_method(c, &m, &in, c->pool, &decoded, e) != 0 ? err_prefix(e, "%s", p->name) : 0;
}

/* ---- names ---- */

/* Below the node of the module in use, as certutil writes it. */
static const char *
module_node(struct ctl *c, const char *modules, const char *fallback)
{
	struct oaut_variant v;
	struct err ignored;
	const char *active = fallback;

	if (get(c, modules, "Active", &v, &ignored) == 0) {
		if (v.vt == VT_BSTR && v.text != NULL)
			active = v.text;
		else if (v.vt == (VT_ARRAY | VT_BSTR) && v.n_strings > 0)
			active = v.strings[0];
	}
	return pool_printf(c->pool, "%s\\%s", modules, active);
}

static const struct {
	const char *section, *modules, *fallback;
} sections[] = {
	{ "CA", NULL, NULL },
	{ "policy", "PolicyModules", "CertificateAuthority_MicrosoftDefault.Policy" },
	{ "exit", "ExitModules", "CertificateAuthority_MicrosoftDefault.Exit" },
	{ "EncryptionCSP", NULL, NULL },
};

static const char *
node_of(struct ctl *c, size_t i)
{
	return strcmp(sections[i].section, "CA") == 0 ? ""
	    : sections[i].modules != NULL ? module_node(c, sections[i].modules, sections[i].fallback)
					  : sections[i].section;
}

/* By section, or any node that the CA may have. */
static int
place_of(struct ctl *c, const char *name, struct place *out, struct err *e)
{
	const char *slash = strrchr(name, '\\'), *section;
	struct err unknown;
	size_t i = 0;

	*out = (struct place){ .name = name, .entry = slash != NULL ? slash + 1 : name };
	if (ca_settings_find(name, &out->row, &unknown) != 0)
		out->row = NULL;
	section = out->row != NULL ? out->row->section
	    : slash == NULL        ? "CA"
				   : pool_strndup(c->pool, name, (size_t)(slash - name));
	while (section != NULL && i < ARRAY_LEN(sections) && strcasecmp(section, sections[i].section) != 0)
		i++;
	if (out->row != NULL && i == ARRAY_LEN(sections))
		return ERR(e, E_FILE_NOT_FOUND,
		    "[%s] %s is no registry value of a CA: adcsd has it in its settings file, and --state "
		    "shows it",
		    section, out->entry);
	if (out->row != NULL)
		out->name = ca_setting_name(out->row, c->pool);
	out->node = i < ARRAY_LEN(sections) ? node_of(c, i) : section;
	return out->name != NULL && out->node != NULL ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for a name");
}

/* ---- values ---- */

/* As the settings file states it. */
static int
text_of(struct ctl *c, const struct oaut_variant *v, const char **out, struct err *e)
{
	struct buf b;
	struct sd sd;
	int rc = 0;

	buf_init(&b, TEXT_MAX);
	switch (v->vt) {
	case VT_BSTR:
		buf_put_str(&b, v->text != NULL ? v->text : "");
		break;
	case VT_ARRAY | VT_BSTR:
		for (uint32_t i = 0; i < v->n_strings; i++)
			buf_printf(&b, "%s%s", i > 0 ? "\n" : "", v->strings[i]);
		break;
	case VT_ARRAY | VT_UI1:
		rc = sd_from_wire(&sd, c->pool, v->octets, e) != 0 ||
			sd_to_sddl(&sd, &b, ctl_remote_domain(c), e) != 0
		    ? -1
		    : 0;
		break;
	default:
		buf_printf(&b, "%u", v->n);
		break;
	}
	*out = rc == 0 && buf_ok(&b) ? pool_strdup(c->pool, buf_cstr(&b)) : NULL;
	buf_fini(&b);
	return *out != NULL ? 0 : rc != 0 ? -1 : ERR(e, E_OUTOFMEMORY, "no memory for a value");
}

/* A value that the table does not know. */
static json_t *
plain_json(const struct place *p, const struct oaut_variant *v)
{
	const char *type = "REG_DWORD";
	json_t *value = NULL;
	struct buf hex;

	switch (v->vt) {
	case VT_BSTR:
		type = "REG_SZ";
		value = json_string(v->text != NULL ? v->text : "");
		break;
	case VT_ARRAY | VT_BSTR:
		type = "REG_MULTI_SZ";
		value = json_array();
		for (uint32_t i = 0; i < v->n_strings; i++)
			json_array_append_new(value, json_string(v->strings[i]));
		break;
	case VT_ARRAY | VT_UI1:
		type = "REG_BINARY";
		buf_init(&hex, TEXT_MAX);
		text_put_hex(&hex, v->octets);
		value = json_string(buf_cstr(&hex));
		buf_fini(&hex);
		break;
	case VT_EMPTY:
	case VT_NULL:
		value = json_null();
		break;
	default:
		value = json_integer(v->n);
		break;
	}
	return json_pack("{s:s, s:s, s:o}", "name", p->name, "type", type, "value", value);
}

/* The defaults with this one value as the CA has it. */
static int
settings_with(
    struct ctl *c, const struct place *p, const struct oaut_variant *v, struct ca_settings *s, struct err *e)
{
	const char *text;

	if (text_of(c, v, &text, e) != 0 || ca_settings_load(s, NULL, e) != 0)
		return -1;
	if (ca_settings_set(s, p->row->section, p->row->name, text, e) == 0)
		return 0;
	ca_settings_fini(s);
	return -1;
}

/* A value outside the table's bounds (a real CA's) is shown as it came. */
static json_t *
value_json(struct ctl *c, const struct place *p, const struct oaut_variant *v)
{
	struct ca_settings s;
	struct err ignored;
	json_t *o;

	if (p->row == NULL || settings_with(c, p, v, &s, &ignored) != 0)
		return plain_json(p, v);
	o = ca_setting_json(&s, p->row);
	ca_settings_fini(&s);
	return o;
}

static json_t *
shown(struct ctl *c, const struct place *p, struct err *e)
{
	struct oaut_variant v;

	return get(c, p->node, p->entry, &v, e) == 0 ? json_pack("{s:[o]}", "settings", value_json(c, p, &v))
						     : NULL;
}

/* ---- ca.setting.show ---- */

static bool
listed(const struct oaut_variant *names, const char *name)
{
	for (uint32_t i = 0; i < names->n_strings; i++)
		if (strcasecmp(names->strings[i], name) == 0)
			return true;
	return false;
}

/* Values of a node: those of the table in its order, then what else there is. */
static int
show_node(struct ctl *c, size_t i, json_t *list, struct err *e)
{
	const char *node = node_of(c, i);
	struct oaut_variant names, v;
	struct place p;

	if (node == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a name");
	if (get(c, node, "", &names, e) != 0)
		return e->hr == E_FILE_NOT_FOUND ? 0 : -1;
	if (names.vt != (VT_ARRAY | VT_BSTR))
		return ERR(e, E_INVALID_DATA, "the names of the CA's values are no list");
	for (size_t k = 0; k < ca_setting_count; k++) {
		p = (struct place){ .node = node, .row = &ca_setting_rows[k] };
		p.entry = p.row->name;
		if (strcmp(p.row->section, sections[i].section) != 0 || !listed(&names, p.entry))
			continue;
		p.name = ca_setting_name(p.row, c->pool);
		if (get(c, node, p.entry, &v, e) == 0)
			json_array_append_new(list, value_json(c, &p, &v));
		else if (e->hr != E_FILE_NOT_FOUND)
			return -1;
	}
	for (uint32_t k = 0; k < names.n_strings; k++) {
		struct err unknown;

		p = (struct place){ .node = node, .entry = names.strings[k] };
		p.name = pool_printf(c->pool, "%s\\%s", sections[i].section, p.entry);
		if (p.name == NULL || ca_settings_find(p.name, &p.row, &unknown) == 0)
			continue;
		p.row = NULL;
		if (get(c, node, p.entry, &v, e) == 0)
			json_array_append_new(list, value_json(c, &p, &v));
		else if (e->hr != E_FILE_NOT_FOUND)
			return -1;
	}
	return 0;
}

json_t *
ctl_remote_setting_show(struct ctl *c, const json_t *args, struct err *e)
{
	const char *name = ctl_remote_text(args, "name");
	struct place p;
	json_t *list;

	if (*name != '\0')
		return place_of(c, name, &p, e) == 0 ? shown(c, &p, e) : NULL;
	list = json_array();
	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		if (show_node(c, i, list, e) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return json_pack("{s:o}", "settings", list);
}

/* ---- ca.setting.set, ca.setting.reset ---- */

static int
to_list(struct ctl *c, const char *text, struct oaut_variant *out, struct err *e)
{
	uint32_t n = 0;

	for (const char *p = text; *p != '\0'; p++)
		n += *p == '\n';
	*out = (struct oaut_variant){ .vt = VT_ARRAY | VT_BSTR };
	out->strings = pool_calloc(c->pool, n + 1, sizeof(*out->strings));
	while (out->strings != NULL && *text != '\0') {
		size_t len = strcspn(text, "\n");

		out->strings[out->n_strings] = pool_strndup(c->pool, text, len);
		if (out->strings[out->n_strings++] == NULL)
			out->strings = NULL;
		text += len + (text[len] == '\n');
	}
	return out->strings != NULL ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for a list");
}

static int
to_number(const char *text, struct oaut_variant *out, struct err *e)
{
	char *end;
	unsigned long n = strtoul(text, &end, 0);

	*out = (struct oaut_variant){ .vt = VT_I4, .n = (uint32_t)n };
	return *text >= '0' && *text <= '9' && *end == '\0' && n <= UINT32_MAX
	    ? 0
	    : ERR(e, E_INVALIDARG, "'%.40s' is no number", text);
}

/* "" lifts a restriction: no value stands for none. */
static int
to_descriptor(struct ctl *c, const char *text, struct oaut_variant *out, struct err *e)
{
	*out = (struct oaut_variant){ .vt = *text != '\0' ? VT_ARRAY | VT_UI1 : VT_EMPTY };
	return *text != '\0' ? ctl_remote_descriptor(c, text, &out->octets, e) : 0;
}

/* What the CA has now, changed as certutil -setreg does. */
static int
change(struct ctl *c, const struct place *p, const struct oaut_variant *now, const char *value,
    struct oaut_variant *out, struct err *e)
{
	struct ca_settings s;
	struct buf text;
	int rc;

	if (p->row->type == SETTING_SDDL)
		return to_descriptor(c, value, out, e);
	rc = now->vt != VT_EMPTY ? settings_with(c, p, now, &s, e) : ca_settings_load(&s, NULL, e);
	if (rc != 0)
		return -1;
	buf_init(&text, TEXT_MAX);
	rc = ca_settings_change(&s, p->row, value, e) != 0 || ca_settings_text(&s, p->row, &text, e) != 0 ? -1
													  : 0;
	if (rc == 0 && p->row->type == SETTING_LIST)
		rc = to_list(c, buf_cstr(&text), out, e);
	else if (rc == 0 && (p->row->type == SETTING_TEXT || p->row->type == SETTING_CHOICE))
		*out = (struct oaut_variant){ .vt = VT_BSTR, .text = pool_strdup(c->pool, buf_cstr(&text)) };
	else if (rc == 0)
		rc = to_number(buf_cstr(&text), out, e);
	buf_fini(&text);
	ca_settings_fini(&s);
	return rc;
}

/* Of the kind that it has, or looks like. */
static int
replace(
    struct ctl *c, const struct oaut_variant *now, const char *value, struct oaut_variant *out, struct err *e)
{
	struct buf b;
	int rc;

	switch (now->vt) {
	case VT_BSTR:
		*out = (struct oaut_variant){ .vt = VT_BSTR, .text = value };
		return 0;
	case VT_ARRAY | VT_BSTR:
		return to_list(c, value, out, e);
	case VT_ARRAY | VT_UI1:
		buf_init(&b, TEXT_MAX);
		*out = (struct oaut_variant){ .vt = VT_ARRAY | VT_UI1 };
		rc = text_parse_hex(&b, value, e);
		if (rc == 0 && pool_dup_bytes(c->pool, buf_bytes(&b), &out->octets) != 0)
			rc = ERR(e, E_OUTOFMEMORY, "no memory for a value");
		buf_fini(&b);
		return rc;
	case VT_EMPTY:
	case VT_NULL:
		if (strchr(value, '\n') != NULL)
			return to_list(c, value, out, e);
		*out = (struct oaut_variant){ .vt = VT_BSTR, .text = value };
		return *value >= '0' && *value <= '9' && to_number(value, out, e) != 0 ? -1 : 0;
	default:
		return to_number(value, out, e);
	}
}

json_t *
ctl_remote_setting_set(struct ctl *c, const json_t *args, struct err *e)
{
	const char *value = ctl_remote_text(args, "value");
	struct oaut_variant now = { 0 }, then = { 0 };
	struct place p;
	json_t *o;

	if (place_of(c, ctl_remote_text(args, "name"), &p, e) != 0 ||
	    (get(c, p.node, p.entry, &now, e) != 0 && e->hr != E_FILE_NOT_FOUND))
		return NULL;
	if ((p.row != NULL ? change(c, &p, &now, value, &then, e) : replace(c, &now, value, &then, e)) != 0)
		return NULL;
	if (set(c, &p, &then, e) != 0)
		return NULL;
	o = shown(c, &p, e);
	/* who has just separated the roles, and has two, may not look */
	return o == NULL && e->hr == CERTSRV_E_ROLECONFLICT
	    ? json_pack("{s:[o]}", "settings", value_json(c, &p, &then))
	    : o;
}

/* A Windows CA has no such value afterwards; adcsd has what its settings file says. */
json_t *
ctl_remote_setting_reset(struct ctl *c, const json_t *args, struct err *e)
{
	const struct oaut_variant none = { .vt = VT_EMPTY };
	struct place p;
	json_t *o;

	if (place_of(c, ctl_remote_text(args, "name"), &p, e) != 0 || set(c, &p, &none, e) != 0)
		return NULL;
	o = shown(c, &p, e);
	return o == NULL && e->hr == E_FILE_NOT_FOUND ? json_pack("{s:[]}", "settings") : o;
}
