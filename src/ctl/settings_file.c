/* Settings of a CA in a file, for lint and rehearsals. */
#include "ctl/ctl.h"

int
ctl_settings_lay(json_t **o, const char *path, struct err *e)
{
	json_error_t je;
	json_t *file = json_load_file(path, JSON_REJECT_DUPLICATES, &je), *base;

	if (!json_is_object(file)) {
		json_decref(file);
		return ERR(e, E_INVALID_DATA, "%s:%d: %.80s", path, file == NULL ? je.line : 1,
		    file == NULL ? je.text : "not a JSON object");
	}
	base = *o != NULL ? json_incref(json_object_get(*o, "settings")) : NULL;
	if (base != NULL && json_is_object(json_object_get(file, "settings"))) {
		json_object_update(base, json_object_get(file, "settings"));
		json_object_set(file, "settings", base);
	}
	json_decref(base);
	if (*o == NULL)
		*o = json_incref(file);
	else
		json_object_update(*o, file);
	json_decref(file);
	return 0;
}
