/* ca.setting.*: registry values by name, as certutil -getreg and -setreg. */
#include <string.h>

#include "ca/admin_priv.h"

#define SETTING_TEXT_MAX (1u << 20)

static bool
differs(const struct ca *ca, const struct setting *row)
{
	struct buf now, file;
	struct err e;
	bool same;

	buf_init(&now, SETTING_TEXT_MAX);
	buf_init(&file, SETTING_TEXT_MAX);
	same = ca_settings_text(&ca->settings, row, &now, &e) == 0 &&
	    ca_settings_text(&ca->from_file, row, &file, &e) == 0 &&
	    bytes_equal(buf_bytes(&now), buf_bytes(&file));
	buf_fini(&now);
	buf_fini(&file);
	return !same;
}

static json_t *
row_json(const struct ca *ca, const struct setting *row)
{
	json_t *o = ca_setting_json(&ca->settings, row);

	json_object_set_new(o, "changed", json_boolean(differs(ca, row)));
	json_object_set_new(o, "fixed", json_boolean(row->fixed));
	return o;
}

static json_t *
one_json(const struct ca *ca, const struct setting *row)
{
	json_t *list = json_array();

	json_array_append_new(list, row_json(ca, row));
	return json_pack("{s:o}", "settings", list);
}

void
admin_setting_show(struct ca_admin *a)
{
	const struct setting *row;
	const char *name;
	struct err e = { 0 };
	json_t *list;

	if (admin_has(a, "name")) {
		if (admin_text(a, "name", &name, &e) != 0 || ca_settings_find(name, &row, &e) != 0)
			admin_fail(a, &e);
		else
			admin_reply(a, one_json(a->ca, row));
		return;
	}
	list = json_array();
	for (size_t i = 0; i < ca_setting_count; i++)
		json_array_append_new(list, row_json(a->ca, &ca_setting_rows[i]));
	admin_reply(a, json_pack("{s:o}", "settings", list));
}

static void
on_setting_stored(void *arg, const struct err *e)
{
	struct ca_admin *a = arg;

	if (e != NULL)
		admin_fail(a, e);
	else
		admin_setting_show(a);
}

void
admin_setting_set(struct ca_admin *a)
{
	const char *value = json_string_value(json_object_get(a->args, "value")), *name;
	const struct setting *row;
	struct err e = { 0 };
	int rc = admin_text(a, "name", &name, &e);

	if (rc == 0)
		rc = ca_settings_find(name, &row, &e);
	if (rc == 0 && value == NULL)
		rc = ERR(&e, E_INVALIDARG, "%s needs the text 'value'", a->verb_name);
	if (rc != 0 || ca_setting_start(a->ca, row, value, on_setting_stored, a, &e) != 0)
		admin_fail(a, &e);
}

void
admin_setting_reset(struct ca_admin *a)
{
	const struct setting *row;
	const char *name;
	struct err e = { 0 };

	if (admin_text(a, "name", &name, &e) != 0 || ca_settings_find(name, &row, &e) != 0 ||
	    ca_setting_start(a->ca, row, NULL, on_setting_stored, a, &e) != 0)
		admin_fail(a, &e);
}
