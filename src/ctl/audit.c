/* audit show: the CA's share of the Security log, as far as AuditFilter has it written. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctl/admin.h"

#define FOLLOW_EVERY_NS 500000000L

static const char *const head[] = { "id", "when", "real", "EventID", "Provider", "Channel", "Computer",
	"Message" };

static bool
is_head(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(head); i++) {
		if (strcmp(name, head[i]) == 0)
			return true;
	}
	return false;
}

static void
print_record(const struct ctl *c, json_t *r)
{
	const char *name;
	json_t *v;

	if (c->json) {
		json_dumpf(r, stdout, JSON_COMPACT);
		putchar('\n');
		return;
	}
	printf("%lld  %s  %s\n", (long long)json_integer_value(json_object_get(r, "EventID")),
	    json_string_value(json_object_get(r, "when")), json_string_value(json_object_get(r, "Message")));
	json_object_foreach(r, name, v)
	{
		if (is_head(name) || json_string_length(v) == 0)
			continue;
		printf("      %-24s ", name);
		for (const char *p = json_string_value(v); *p != '\0'; p++)
			putchar(*p == '\n' ? ' ' : *p);
		putchar('\n');
	}
}

/* One answer after the other, each of what came since. Ends with the server, or by a signal. */
static int
follow(struct ctl *c, json_t *args)
{
	const struct timespec pause = { 0, FOLLOW_EVERY_NS };
	struct err e = { 0 };
	json_t *o, *r;
	size_t i;

	for (;;) {
		o = ctl_call(c, "audit", args, &e);
		if (o == NULL)
			return ctl_fail(c, &e);
		json_array_foreach(json_object_get(o, "records"), i, r) print_record(c, r);
		fflush(stdout);
		args = json_pack("{s:O}", "after", json_object_get(o, "last"));
		if (i == 0)
			nanosleep(&pause, NULL);
		else /* there may be more than one answer holds */
			json_object_set(args, "after",
			    json_object_get(json_array_get(json_object_get(o, "records"), i - 1), "id"));
		json_decref(o);
	}
}

int
ctl_audit_show(struct ctl *c, const struct ctl_args *a)
{
	json_t *args = json_object(), *o, *r;
	struct err e = { 0 };
	size_t i;

	if (ctl_paging(c, a, args) != CTL_OK) {
		json_decref(args);
		return CTL_USAGE;
	}
	if (ctl_arg(a, "follow") != NULL)
		return follow(c, args);
	o = ctl_call(c, "audit", args, &e);
	if (o == NULL)
		return ctl_fail(c, &e);
	if (c->json)
		return ctl_print_json(o);
	json_array_foreach(json_object_get(o, "records"), i, r) print_record(c, r);
	json_decref(o);
	return CTL_OK;
}
