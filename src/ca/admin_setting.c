/* ca.setting.*: registry values by name, as certutil -getreg and -setreg. */
#include <string.h>

#include "ca/admin_priv.h"

#define SETTING_TEXT_MAX (1u << 20)

static const char *const type_names[] = {
	[SETTING_TEXT] = "REG_SZ",
	[SETTING_NUMBER] = "REG_DWORD",
	[SETTING_FLAGS] = "REG_DWORD",
	[SETTING_BOOL] = "REG_DWORD",
	[SETTING_LIST] = "REG_MULTI_SZ",
	[SETTING_CHOICE] = "REG_SZ",
	[SETTING_SDDL] = "REG_BINARY",
};

json_t *
admin_setting_json(const struct ca_settings *s, const struct setting *row)
{
	const void *at = (const char *)s + row->offset;
	const struct x509_strings *list = at;
	char number[16];
	json_t *v = NULL;

	switch (row->type) {
	case SETTING_LIST:
		v = json_array();
		for (size_t k = 0; k < list->n; k++)
			json_array_append_new(v, json_string(list->v[k]));
		break;
	case SETTING_FLAGS:
		snprintf(number, sizeof(number), "0x%x", *(const uint32_t *)at);
		v = json_string(number);
		break;
	case SETTING_NUMBER:
	case SETTING_BOOL:
		v = json_integer(*(const uint32_t *)at);
		break;
	case SETTING_TEXT:
	case SETTING_CHOICE:
	case SETTING_SDDL:
		v = json_string(*(const char *const *)at);
		break;
	}
	return v;
}

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
	char name[160];
	json_t *o;

	snprintf(name, sizeof(name), "%s\\%s", row->section, row->name);
	o = json_pack("{s:s, s:s, s:o, s:b, s:b, s:s}", "name", name, "type", type_names[row->type], "value",
	    admin_setting_json(&ca->settings, row), "changed", differs(ca, row), "fixed", row->fixed, "help",
	    row->help);
	if (row->type == SETTING_FLAGS) {
		uint32_t v = *(const uint32_t *)((const char *)&ca->settings + row->offset);
		json_t *flags = json_array();

		for (const struct setting_bit *b = row->bits; b->mask != 0; b++) {
			if ((v & b->mask) != 0)
				json_array_append_new(flags, json_string(b->name));
		}
		json_object_set_new(o, "flags", flags);
	}
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
