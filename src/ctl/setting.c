/* Registry values of the CA by name: what certutil -getreg, -setreg and -delreg are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/admin.h"

static void
print_value(const json_t *v, const char *indent)
{
	char *text;
	json_t *item;
	size_t i;

	if (json_is_string(v)) {
		printf(" %s\n", json_string_value(v));
	} else if (json_is_array(v)) {
		putchar('\n');
		json_array_foreach(v, i, item) printf("%s%s\n", indent, json_string_value(item));
	} else {
		text = json_dumps(v, JSON_ENCODE_ANY);
		printf(" %s\n", text != NULL ? text : "");
		free(text);
	}
}

static void
print_setting(const json_t *s, bool whole)
{
	const json_t *flags = json_object_get(s, "flags");
	json_t *flag;
	size_t i;

	printf("%s =", json_string_value(json_object_get(s, "name")));
	print_value(json_object_get(s, "value"), "  ");
	if (!whole)
		return;
	json_array_foreach(flags, i, flag) printf("  %s\n", json_string_value(flag));
	if (json_object_get(s, "help") != NULL)
		printf("%s\n", json_string_value(json_object_get(s, "help")));
}

/* Takes args. */
static int
call(struct ctl *c, const char *verb, json_t *args, bool whole)
{
	int code;
	json_t *o = ctl_ask(c, verb, args, &code), *s;
	size_t i;

	if (o == NULL)
		return code;
	json_array_foreach(json_object_get(o, "settings"), i, s) print_setting(s, whole);
	json_decref(o);
	return CTL_OK;
}

int
ctl_ca_get(struct ctl *c, const struct ctl_args *a)
{
	json_t *args = json_object();

	if (a->n_positional > 0)
		json_object_set_new(args, "name", json_string(a->positional[0]));
	return call(c, "ca.setting.show", args, a->n_positional > 0);
}

/* A backslash and an n between the values of a list, as certutil takes them, or one argument each. */
static const char *
join(struct ctl *c, const struct ctl_args *a)
{
	const char *text = "";
	char *out, *at;

	for (size_t i = 1; i < a->n_positional && text != NULL; i++)
		text = pool_printf(c->pool, "%s%s%s", text, i > 1 ? "\n" : "", a->positional[i]);
	out = text != NULL ? pool_strdup(c->pool, text) : NULL;
	while (out != NULL && (at = strstr(out, "\\n")) != NULL) {
		*at = '\n';
		memmove(at + 1, at + 2, strlen(at + 2) + 1);
	}
	return out;
}

int
ctl_ca_set(struct ctl *c, const struct ctl_args *a)
{
	const char *value = join(c, a);
	struct err e;

	if (value == NULL) {
		ERR(&e, E_OUTOFMEMORY, "no memory for the value");
		return ctl_fail(c, &e);
	}
	return call(
	    c, "ca.setting.set", json_pack("{s:s, s:s}", "name", a->positional[0], "value", value), false);
}

int
ctl_ca_unset(struct ctl *c, const struct ctl_args *a)
{
	return call(c, "ca.setting.reset", json_pack("{s:s}", "name", a->positional[0]), false);
}

int
ctl_ca_acl_set(struct ctl *c, const struct ctl_args *a)
{
	if (ctl_arg(a, "sddl") == NULL)
		return ctl_usage("--sddl is missing");
	return ctl_call_quietly(c, "ca.acl.set", json_pack("{s:s}", "sddl", ctl_arg(a, "sddl")));
}
