/* Settings as JSON, for the control socket and for whoever reads them from a CA. */
#include <stdio.h>

#include "settings/settings.h"

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
ca_setting_value_json(const struct ca_settings *s, const struct setting *row)
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

const char *
ca_setting_name(const struct setting *row, struct pool *pool)
{
	return pool_printf(pool, "%s\\%s", row->section, row->name);
}

static json_t *
flag_names(const struct setting *row, uint32_t v)
{
	json_t *flags = json_array();

	for (const struct setting_bit *b = row->bits; b->mask != 0; b++) {
		if ((v & b->mask) != 0)
			json_array_append_new(flags, json_string(b->name));
	}
	return flags;
}

json_t *
ca_setting_json(const struct ca_settings *s, const struct setting *row)
{
	char name[160];
	json_t *o;

	snprintf(name, sizeof(name), "%s\\%s", row->section, row->name);
	o = json_pack("{s:s, s:s, s:o, s:s}", "name", name, "type", type_names[row->type], "value",
	    ca_setting_value_json(s, row), "help", row->help);
	if (row->type == SETTING_FLAGS)
		json_object_set_new(
		    o, "flags", flag_names(row, *(const uint32_t *)((const char *)s + row->offset)));
	return o;
}
