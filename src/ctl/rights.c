/* The tabs Certificate Managers and Enrollment Agents of the CA's properties, and its role separation. */
#include <stdio.h>
#include <string.h>

#include "ctl/admin.h"
#include "ctl/matrix.h"

static const char *
name_of(struct ctl *c, const char *sid_text)
{
	struct sid sid;
	struct err e;

	return sid_from_text(&sid, sid_text, &e) == 0 ? ctl_name_from_sid(c, &sid) : sid_text;
}

static void
print_entries(struct ctl *c, const json_t *o)
{
	json_t *entry, *subject;
	size_t i, k;

	if (!json_is_true(json_object_get(o, "restricted"))) {
		puts("not restricted");
		return;
	}
	json_array_foreach(json_object_get(o, "entries"), i, entry)
	{
		const char *template = ctl_text(entry, "template");

		printf("%-6s %-32s %-28s ", strcmp(ctl_text(entry, "type"), "deny") == 0 ? "Deny" : "Allow",
		    name_of(c, ctl_text(entry, "principal")), *template != '\0' ? template : "<All>");
		json_array_foreach(json_object_get(entry, "subjects"), k, subject)
		    printf("%s%s", k > 0 ? ", " : "", name_of(c, json_string_value(subject)));
		putchar('\n');
	}
	if (json_array_size(json_object_get(o, "entries")) == 0)
		puts("restricted, and nobody has an entry");
	printf("SDDL: %s\n", ctl_text(o, "sddl"));
}

/* JSON gets names beside the SIDs. */
static void
add_names(struct ctl *c, json_t *o)
{
	json_t *entry, *subject;
	size_t i, k;

	json_array_foreach(json_object_get(o, "entries"), i, entry)
	{
		json_t *names = json_array();

		json_array_foreach(json_object_get(entry, "subjects"), k, subject)
		    json_array_append_new(names, json_string(name_of(c, json_string_value(subject))));
		json_object_set_new(entry, "name", json_string(name_of(c, ctl_text(entry, "principal"))));
		json_object_set_new(entry, "subjectNames", names);
	}
}

/* Takes args. Changes say nothing when all is well. */
static int
call(struct ctl *c, const char *verb, const char *which, json_t *args, bool show)
{
	struct err e;
	json_t *o;

	json_object_set_new(args, "which", json_string(which));
	o = ctl_call(c, verb, args, &e);
	if (o == NULL)
		return ctl_fail(c, &e);
	if (c->json) {
		add_names(c, o);
		return ctl_print_json(o);
	}
	if (show)
		print_entries(c, o);
	json_decref(o);
	return CTL_OK;
}

/* --for: groups of requesters or subjects, as SIDs. */
static int
set_subjects(struct ctl *c, const struct ctl_args *a, json_t *args, struct err *e)
{
	const char *const *names;
	json_t *list;
	size_t n;

	if (ctl_split(c, ctl_arg(a, "for"), &names, &n, e) != 0)
		return -1;
	if (n == 0)
		return 0;
	list = json_array();
	json_object_set_new(args, "subjects", list);
	for (size_t i = 0; i < n; i++) {
		char text[SID_TEXT_MAX];
		struct sid sid;

		if (ctl_sid_from_name(c, names[i], &sid, e) != 0)
			return -1;
		json_array_append_new(list, json_string(sid_to_text(&sid, text)));
	}
	return 0;
}

static int
change(struct ctl *c, const struct ctl_args *a, const char *which, const char *what)
{
	json_t *args = json_object();
	char text[SID_TEXT_MAX];
	struct sid sid;
	struct err e;

	if (ctl_sid_from_name(c, a->positional[0], &sid, &e) != 0 || set_subjects(c, a, args, &e) != 0 ||
	    ctl_set_list(c, args, "templates", ctl_arg(a, "templates"), &e) != 0) {
		json_decref(args);
		return ctl_fail(c, &e);
	}
	json_object_set_new(args, "principal", json_string(sid_to_text(&sid, text)));
	json_object_set_new(args, "what", json_string(what));
	return call(c, "ca.rights.change", which, args, false);
}

static int
set_sddl(struct ctl *c, const struct ctl_args *a, const char *which)
{
	if (ctl_arg(a, "sddl") == NULL)
		return ctl_usage("--sddl is missing");
	return call(c, "ca.rights.set", which, json_pack("{s:s}", "sddl", ctl_arg(a, "sddl")), false);
}

#define RIGHTS(kind, which)                                                                                  \
	int ctl_##kind##_rights_show(struct ctl *c, const struct ctl_args *a)                                \
	{                                                                                                    \
		(void)a;                                                                                     \
		return call(c, "ca.rights.show", which, json_object(), true);                                \
	}                                                                                                    \
	int ctl_##kind##_rights_allow(struct ctl *c, const struct ctl_args *a)                               \
	{                                                                                                    \
		return change(c, a, which, "allow");                                                         \
	}                                                                                                    \
	int ctl_##kind##_rights_deny(struct ctl *c, const struct ctl_args *a)                                \
	{                                                                                                    \
		return change(c, a, which, "deny");                                                          \
	}                                                                                                    \
	int ctl_##kind##_rights_remove(struct ctl *c, const struct ctl_args *a)                              \
	{                                                                                                    \
		return change(c, a, which, "remove");                                                        \
	}                                                                                                    \
	int ctl_##kind##_rights_set(struct ctl *c, const struct ctl_args *a)                                 \
	{                                                                                                    \
		return set_sddl(c, a, which);                                                                \
	}                                                                                                    \
	int ctl_##kind##_rights_clear(struct ctl *c, const struct ctl_args *a)                               \
	{                                                                                                    \
		(void)a;                                                                                     \
		return call(c, "ca.rights.set", which, json_object(), false);                                \
	}

RIGHTS(officer, "officer")
RIGHTS(agent, "agent")

int
ctl_ca_role_separation(struct ctl *c, const struct ctl_args *a)
{
	bool on = strcmp(a->positional[0], "on") == 0;

	if (!on && strcmp(a->positional[0], "off") != 0)
		return ctl_usage("ca role-separation on, or off, not '%s'", a->positional[0]);
	return ctl_call_quietly(c, "ca.setting.set",
	    json_pack("{s:s, s:s}", "name", "CA\\RoleSeparationEnabled", "value", on ? "1" : "0"));
}

int
ctl_ca_roles(struct ctl *c, const struct ctl_args *a)
{
	int code;
	json_t *o = ctl_ask(c, "ca.roles", NULL, &code), *name;
	size_t i;

	(void)a;
	if (o == NULL)
		return code;
	json_array_foreach(json_object_get(o, "names"), i, name) puts(json_string_value(name));
	json_decref(o);
	return CTL_OK;
}
