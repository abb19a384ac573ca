/* ca renew, and the CA's certificates as ca show lists them. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/admin.h"

#define CERTIFICATE_MAX (256u * 1024)

void
ctl_print_ca_certificates(const json_t *list)
{
	json_t *o;
	size_t i;

	printf("%-8s %-9s %-20s  %-20s  %-7s  %-40s\n", "Version", "Key", "Valid from", "Valid to", "State",
	    "Certificate hash");
	json_array_foreach(list, i, o)
	{
		printf("%-8s %-9s %-20s  %-20s  %-7s  %-40s%s\n", ctl_text(o, "version"), ctl_text(o, "key"),
		    ctl_text(o, "notBefore"), ctl_text(o, "notAfter"), ctl_text(o, "state"),
		    ctl_text(o, "sha1"), json_is_true(json_object_get(o, "current")) ? "  signs" : "");
	}
}

/* "10 Years" */
static int
validity_arg(const char *text, json_t *args)
{
	char *unit;
	unsigned long n = strtoul(text, &unit, 10);

	if (unit == text || n < 1 || n > 10000)
		return ctl_usage("--validity takes a number and Years, Months, Weeks, Days or Hours");
	while (isspace((unsigned char)*unit))
		unit++;
	if (*unit == '\0')
		return ctl_usage("--validity takes a unit, too: Years, Months, Weeks, Days or Hours");
	json_object_set_new(args, "validityPeriod", json_string(unit));
	json_object_set_new(args, "validityPeriodUnits", json_integer((json_int_t)n));
	return CTL_OK;
}

int
ctl_ca_renew(struct ctl *c, const struct ctl_args *a)
{
	json_t *args = json_pack("{s:b}", "newKey", ctl_arg(a, "new-key") != NULL), *o;
	const char *validity = ctl_arg(a, "validity"), *request;
	struct err e = { 0 };
	struct buf pem;
	int code, rc;

	if (ctl_arg(a, "key") != NULL)
		json_object_set_new(args, "key", json_string(ctl_arg(a, "key")));
	if (validity != NULL && (code = validity_arg(validity, args)) != CTL_OK) {
		json_decref(args);
		return code;
	}
	if (ctl_arg(a, "certificate") != NULL) {
		buf_init(&pem, CERTIFICATE_MAX);
		rc = ctl_read_file(ctl_arg(a, "certificate"), &pem, &e);
		if (rc == 0)
			json_object_set_new(args, "certificate", json_string(buf_cstr(&pem)));
		buf_fini(&pem);
		if (rc != 0) {
			json_decref(args);
			return ctl_fail(c, &e);
		}
	}
	o = ctl_ask(c, "ca.renew", args, &code);
	if (o == NULL)
		return code;
	request = json_string_value(json_object_get(o, "request"));
	if (request != NULL) {
		rc = ctl_write_file(ctl_arg(a, "out"), request, strlen(request), &e);
		json_decref(o);
		return rc == 0 ? CTL_OK : ctl_fail(c, &e);
	}
	ctl_print_ca_certificates(json_object_get(o, "certificates"));
	if (!json_is_true(json_object_get(o, "published")))
		fprintf(stderr, "adcsctl: the new certificate signs, but is not published everywhere: %s\n",
		    ctl_text(o, "error"));
	json_decref(o);
	return CTL_OK;
}
