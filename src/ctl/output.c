/* What every verb tells the same way: results as JSON, failures, wrong usage. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"

int
ctl_usage(const char *fmt, ...)
{
	va_list ap;

	fputs("adcsctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("\nTry 'adcsctl help'.\n", stderr);
	return CTL_USAGE;
}

int
ctl_print_json(json_t *v)
{
	int rc = json_dumpf(v, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);

	putchar('\n');
	json_decref(v);
	return rc == 0 ? CTL_OK : CTL_FAILURE;
}

int
ctl_fail(const struct ctl *c, const struct err *e)
{
	char code[HRESULT_FORMAT_MAX];

	if (c->json) {
		const char *name = hresult_name(e->hr);

		ctl_print_json(
		    json_pack("{s:{s:s, s:s, s:s, s:s}}", "error", "hr", hresult_format(e->hr, code), "name",
			name != NULL ? name : "", "text", hresult_text(e->hr), "message", e->msg));
	} else {
		fprintf(stderr, "adcsctl: %s\n  %s\n", e->msg, hresult_format(e->hr, code));
	}
	return CTL_FAILURE;
}

const char *
ctl_arg(const struct ctl_args *a, const char *name)
{
	for (size_t i = 0; a->options != NULL && a->options[i].name != NULL; i++)
		if (strcmp(a->options[i].name, name) == 0)
			return a->values[i];
	return NULL;
}
