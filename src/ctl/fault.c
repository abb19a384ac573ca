/* fault ...: what shall go wrong, over the control socket. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/admin.h"

static long long
number_of(const json_t *o, const char *name)
{
	return (long long)json_integer_value(json_object_get(o, name));
}

static int
set_number(json_t *args, const struct ctl_args *a, const char *name)
{
	const char *text = ctl_arg(a, name);
	json_int_t n;
	int code;

	if (text == NULL)
		return CTL_OK;
	code = ctl_number_arg(text, name, &n);
	if (code == CTL_OK)
		json_object_set_new(args, name, json_integer(n));
	return code;
}

static int
set_options(json_t *args, const struct ctl_args *a)
{
	const char *period = ctl_arg(a, "for");
	int code = set_number(args, a, "skip");
	int64_t span;
	struct err e;

	if (code == CTL_OK)
		code = set_number(args, a, "times");
	if (code != CTL_OK)
		return code;
	if (ctl_arg(a, "as") != NULL)
		json_object_set_new(args, "as", json_string(ctl_arg(a, "as")));
	if (period != NULL && (ctl_period_parse(period, &span, &e) != 0 || span < FILETIME_SECOND))
		return ctl_usage("--for takes a period of a second or more, not '%s'", period);
	if (period != NULL)
		json_object_set_new(args, "seconds", json_integer(span / FILETIME_SECOND));
	return CTL_OK;
}

int
ctl_fault_add(struct ctl *c, const struct ctl_args *a)
{
	json_t *args = json_pack("{s:s, s:s}", "point", a->positional[0], "action", a->positional[1]), *o;
	int code;

	if (a->n_positional > 2)
		json_object_set_new(args, "value", json_string(a->positional[2]));
	code = set_options(args, a);
	if (code != CTL_OK) {
		json_decref(args);
		return code;
	}
	o = ctl_ask(c, "fault.add", args, &code);
	if (o == NULL)
		return code;
	printf("fault %lld: %s at %s\n", number_of(o, "id"), ctl_text(o, "action"), ctl_text(o, "point"));
	json_decref(o);
	return CTL_OK;
}

int
ctl_fault_list(struct ctl *c, const struct ctl_args *a)
{
	struct err e;
	json_t *list = ctl_call(c, "fault.list", NULL, &e), *o;
	size_t i;

	(void)a;
	if (list == NULL)
		return ctl_fail(c, &e);
	if (c->json)
		return ctl_print_json(list);
	printf("%6s  %-32s %-13s %-11s %-20s %6s %6s %6s %6s %6s\n", "ID", "Point", "Action", "Value",
	    "Account", "Skip", "Times", "Left", "Seen", "Met");
	json_array_foreach(list, i, o)
	{
		const json_t *left = json_object_get(o, "secondsLeft");
		char seconds[24] = "";

		if (json_is_integer(left))
			snprintf(seconds, sizeof(seconds), "%llds", (long long)json_integer_value(left));
		printf("%6lld  %-32s %-13s %-11s %-20s %6lld %6lld %6s %6lld %6lld\n", number_of(o, "id"),
		    ctl_text(o, "point"), ctl_text(o, "action"), ctl_text(o, "value"), ctl_text(o, "as"),
		    number_of(o, "skip"), number_of(o, "times"), seconds, number_of(o, "seen"),
		    number_of(o, "met"));
	}
	json_decref(list);
	return CTL_OK;
}

int
ctl_fault_clear(struct ctl *c, const struct ctl_args *a)
{
	json_t *args = NULL;
	json_int_t id;

	if (a->n_positional > 0) {
		int code = ctl_number_arg(a->positional[0], "ID", &id);

		if (code != CTL_OK)
			return code;
		args = json_pack("{s:I}", "id", id);
	}
	return ctl_call_quietly(c, "fault.clear", args);
}

/* The actions once for each kind of point, as the points come in groups. */
int
ctl_fault_points(struct ctl *c, const struct ctl_args *a)
{
	struct err e;
	json_t *list = ctl_call(c, "fault.points", NULL, &e), *o, *action;
	const json_t *before = NULL;
	size_t i, k;

	(void)a;
	if (list == NULL)
		return ctl_fail(c, &e);
	if (c->json)
		return ctl_print_json(list);
	json_array_foreach(list, i, o)
	{
		json_t *actions = json_object_get(o, "actions"), *next = json_array_get(list, i + 1);

		if (before == NULL || !json_equal(before, actions))
			printf("%s", i > 0 ? "\n" : "");
		before = actions;
		printf("%s\n", ctl_text(o, "point"));
		if (next != NULL && json_equal(json_object_get(next, "actions"), actions))
			continue;
		json_array_foreach(actions, k, action) printf("    %-13s %-7s %s\n",
		    ctl_text(action, "action"), ctl_text(action, "value"), ctl_text(action, "help"));
	}
	json_decref(list);
	return CTL_OK;
}
