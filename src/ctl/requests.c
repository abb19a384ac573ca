/* What the CA's database tells of requests, and an officer's verdict on them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/admin.h"

static int
check_state(const char *state)
{
	static const char *const states[] = { "issued", "pending", "denied", "failed", "revoked" };

	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (state == NULL || strcmp(state, states[i]) == 0)
			return CTL_OK;
	return ctl_usage("--state is issued, pending, denied, failed or revoked, not '%s'", state);
}

int
ctl_request_list(struct ctl *c, const struct ctl_args *a)
{
	json_t *args = json_object(), *o, *r;
	int code;
	size_t i;

	if (check_state(ctl_arg(a, "state")) != CTL_OK || ctl_paging(c, a, args) != CTL_OK) {
		json_decref(args);
		return CTL_USAGE;
	}
	if (ctl_arg(a, "state") != NULL)
		json_object_set_new(args, "state", json_string(ctl_arg(a, "state")));
	o = ctl_ask(c, "request.list", args, &code);
	if (o == NULL)
		return code;
	printf("%6s  %-8s %-24s %-20s %-40s %s\n", "ID", "State", "Requester", "Template", "Serial number",
	    "Message");
	json_array_foreach(json_object_get(o, "requests"), i, r)
	{
		const char *name = ctl_text(r, "templateName");

		printf("%6lld  %-8s %-24s %-20s %-40s %s\n",
		    (long long)json_integer_value(json_object_get(r, "id")), ctl_text(r, "state"),
		    ctl_text(r, "requester"), *name != '\0' ? name : ctl_text(r, "template"),
		    ctl_text(r, "serial"), ctl_text(r, "message"));
	}
	if (json_is_integer(json_object_get(o, "next")))
		printf("more: --after %lld\n", (long long)json_integer_value(json_object_get(o, "next")));
	json_decref(o);
	return CTL_OK;
}

static json_t *
call_by_id(struct ctl *c, const struct ctl_args *a, const char *verb, int *code)
{
	json_t *o = NULL;
	json_int_t id;
	struct err e;

	*code = ctl_number_arg(a->positional[0], "ID", &id);
	if (*code != CTL_OK)
		return NULL;
	o = ctl_call(c, verb, json_pack("{s:I}", "id", id), &e);
	if (o == NULL)
		*code = ctl_fail(c, &e);
	return o;
}

/* What scripts ask for: was it issued? */
static int
state_code(const json_t *o)
{
	const char *state = ctl_text(o, "state");

	return strcmp(state, "issued") == 0 ? CTL_OK
	    : strcmp(state, "pending") == 0 ? CTL_PENDING
					    : CTL_DENIED;
}

static void
print_row(const json_t *o)
{
	static const char *const rows[][2] = { { "state", "State" }, { "message", "Disposition message" },
		{ "requester", "Requester" }, { "templateName", "Template" },
		{ "template", "Certificate template" }, { "commonName", "Common name" },
		{ "serial", "Serial number" }, { "notBefore", "Valid from" }, { "notAfter", "Valid to" },
		{ "reason", "Revocation reason" }, { "effective", "Revoked from" },
		{ "submitted", "Submitted" }, { "resolved", "Resolved" } };
	char code[HRESULT_FORMAT_MAX];
	uint32_t status = (uint32_t)strtoul(ctl_text(o, "status"), NULL, 16);

	printf("%-22s %lld\n", "Request", (long long)json_integer_value(json_object_get(o, "id")));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (*ctl_text(o, rows[i][0]) != '\0')
			printf("%-22s %s\n", rows[i][1], ctl_text(o, rows[i][0]));
	if (status != 0)
		printf(
		    "%-22s %s\n%-22s %s\n", "Status", hresult_format(status, code), "", hresult_text(status));
}

int
ctl_request_show(struct ctl *c, const struct ctl_args *a)
{
	const char *out = ctl_arg(a, "cert"), *pem;
	int code;
	json_t *o = call_by_id(c, a, "request.show", &code);
	struct err e;

	if (o == NULL)
		return code;
	pem = ctl_text(o, "pem");
	if (out != NULL) {
		if (*pem == '\0')
			ERR(&e, CERTSRV_E_PROPERTY_EMPTY, "request %s has no certificate", a->positional[0]);
		if (*pem == '\0' || ctl_write_file(out, pem, strlen(pem), &e) != 0) {
			json_decref(o);
			return ctl_fail(c, &e);
		}
	} else if (c->json) {
		return ctl_print_json(o);
	} else {
		const char *name;
		json_t *v;

		print_row(o);
		json_object_foreach(json_object_get(o, "attributes"), name, v)
		    printf("%-22s %s = %s\n", "Request attribute", name, json_string_value(v));
	}
	json_decref(o);
	return CTL_OK;
}

void
ctl_print_rules(const json_t *rules)
{
	json_t *r;
	size_t i;

	json_array_foreach(rules, i, r)
	{
		const char *said = ctl_text(r, "said"), *attribute = ctl_text(r, "attribute");

		if (strcmp(said, "skipped") == 0)
			continue;
		printf("%3lld  %-7s %-26s %s\n", (long long)json_integer_value(json_object_get(r, "step")),
		    said, ctl_text(r, "rule"), ctl_text(r, "text"));
		if (strcmp(said, "refuse") == 0 || strcmp(said, "pends") == 0)
			printf("     %-7s %s%s%s\n", "", attribute, *attribute != '\0' ? ", " : "",
			    ctl_text(r, "section"));
		if (*ctl_text(r, "fix") != '\0')
			printf("     fix:    %s\n", ctl_text(r, "fix"));
	}
}

int
ctl_request_explain(struct ctl *c, const struct ctl_args *a)
{
	int code;
	json_t *o = call_by_id(c, a, "request.explain", &code);

	if (o == NULL)
		return code;
	code = state_code(o);
	if (c->json)
		return ctl_print_json(o) == CTL_OK ? code : CTL_FAILURE;
	print_row(o);
	putchar('\n');
	ctl_print_rules(json_object_get(o, "rules"));
	json_decref(o);
	return code;
}

/* The verdict of an officer's action as an exit code. */
static int
verdict(struct ctl *c, const struct ctl_args *a, const char *verb)
{
	int code;
	json_t *o = call_by_id(c, a, verb, &code), *d;

	if (o == NULL)
		return code;
	d = json_object_get(o, "disposition");
	code = json_is_integer(d) && json_integer_value(d) == 3 ? CTL_OK
	    : json_is_integer(d) && json_integer_value(d) == 5  ? CTL_PENDING
								: CTL_DENIED;
	if (c->json)
		return ctl_print_json(o) == CTL_OK ? code : CTL_FAILURE;
	printf("request %s: %s\n", a->positional[0], ctl_text(o, "message"));
	json_decref(o);
	return code;
}

int
ctl_request_issue(struct ctl *c, const struct ctl_args *a)
{
	return verdict(c, a, "request.issue");
}

int
ctl_request_deny(struct ctl *c, const struct ctl_args *a)
{
	int code = verdict(c, a, "request.deny");

	return code == CTL_DENIED ? CTL_OK : code; /* that is what was asked for */
}
