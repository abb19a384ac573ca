/* rehearse: asks the server what a request would get, and prints the verdict, its reasons and the
 * certificate. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ctl/admin.h"
#include "ctl/matrix.h"

#define CSR_MAX (256 * 1024)

/* ---- what is asked ---- */

int
ctl_read_file(const char *path, struct buf *out, struct err *e)
{
	bool std = strcmp(path, "-") == 0;
	FILE *f = std ? stdin : fopen(path, "rb");
	char chunk[8192];
	size_t n;
	int rc = 0;

	if (f == NULL)
		return ERR(e, E_FILE_NOT_FOUND, "%.100s: %s", path, strerror(errno));
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_put(out, chunk, n);
	if (ferror(f))
		rc = ERR(e, E_FAIL, "%.100s: %s", path, strerror(errno));
	else if (!buf_ok(out))
		rc = ERR(e, E_INVALIDARG, "%.100s is longer than %zu octets", path, out->max);
	if (!std)
		fclose(f);
	return rc;
}

static json_t *
file_json(const char *path, struct err *e)
{
	struct buf raw, coded;
	json_t *s = NULL;

	buf_init(&raw, CSR_MAX);
	buf_init(&coded, 2 * CSR_MAX);
	if (ctl_read_file(path, &raw, e) == 0) {
		text_put_base64(&coded, buf_bytes(&raw), 0);
		s = json_string(buf_cstr(&coded));
		if (s == NULL)
			ERR(e, E_OUTOFMEMORY, "no memory for %.100s", path);
	}
	buf_fini(&raw);
	buf_fini(&coded);
	return s;
}

/* certreq's notation: a backslash and an n between attributes. */
const char *
ctl_attributes(struct ctl *c, const char *given)
{
	char *text = pool_strdup(c->pool, given);

	for (char *p = text; p != NULL && (p = strstr(p, "\\n")) != NULL; p++) {
		*p = '\n';
		memmove(p + 1, p + 2, strlen(p + 2) + 1);
	}
	return text != NULL ? text : "";
}

static json_t *
arguments(struct ctl *c, const struct ctl_args *a, struct err *e)
{
	static const char *const plain[] = { "as", "template", "subject", "san", "key" };
	json_t *args = json_object(), *csr;

	for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
		if (ctl_arg(a, plain[i]) != NULL)
			json_object_set_new(args, plain[i], json_string(ctl_arg(a, plain[i])));
	}
	if (ctl_arg(a, "attrib") != NULL)
		json_object_set_new(args, "attributes", json_string(ctl_attributes(c, ctl_arg(a, "attrib"))));
	if (ctl_arg(a, "csr") != NULL) {
		csr = file_json(ctl_arg(a, "csr"), e);
		if (csr == NULL) {
			json_decref(args);
			return NULL;
		}
		json_object_set_new(args, "csr", csr);
	}
	return args;
}

/* ---- what is answered ---- */

static void
print_certificate(const json_t *cert)
{
	json_t *x;
	size_t i;

	printf("\nThe certificate would have\n");
	printf("  %-26s %s\n", "Subject",
	    *ctl_text(cert, "subject") != '\0' ? ctl_text(cert, "subject") : "(empty)");
	if (*ctl_text(cert, "alternativeNames") != '\0')
		printf("  %-26s %s\n", "Subject Alternative Name", ctl_text(cert, "alternativeNames"));
	printf("  %-26s %s\n  %-26s %s\n", "Valid from", ctl_text(cert, "notBefore"), "Valid to",
	    ctl_text(cert, "notAfter"));
	json_array_foreach(json_object_get(cert, "extensions"), i, x)
	    printf("  %-26s %-26s %s%s\n", i == 0 ? "Extensions" : "", ctl_text(x, "oid"),
		ctl_text(x, "name"), json_is_true(json_object_get(x, "critical")) ? " (critical)" : "");
	if (json_is_true(json_object_get(cert, "publish")))
		printf("  %-26s %s\n", "Published", "in the requester's userCertificate");
}

static void
print_verdict(const json_t *o)
{
	uint32_t hr = (uint32_t)strtoul(ctl_text(o, "hr"), NULL, 16);
	const json_t *cert = json_object_get(o, "certificate");
	char code[HRESULT_FORMAT_MAX];

	printf("%-22s %s\n", "Verdict", ctl_text(o, "verdict"));
	if (*ctl_text(o, "message") != '\0')
		printf("%-22s %s\n", "Disposition message", ctl_text(o, "message"));
	printf("%-22s %s\n", "Requester", ctl_text(o, "requester"));
	if (*ctl_text(o, "template") != '\0')
		printf("%-22s %s\n", "Template", ctl_text(o, "template"));
	if (hr != 0)
		printf("%-22s %s\n", "Status", hresult_format(hr, code));
	if (*ctl_text(o, "reason") != '\0')
		printf("%-22s %s\n", "Reason", ctl_text(o, "reason"));
	putchar('\n');
	ctl_print_rules(json_object_get(o, "rules"));
	if (json_is_object(cert))
		print_certificate(cert);
}

static int
rehearse_one(struct ctl *c, const struct ctl_args *a)
{
	const char *verdict;
	json_t *args, *o;
	struct err e;
	int code;

	if (ctl_arg(a, "csr") != NULL &&
	    (ctl_arg(a, "subject") != NULL || ctl_arg(a, "san") != NULL || ctl_arg(a, "key") != NULL))
		return ctl_usage("rehearse takes --csr, or --subject, --san and --key");
	if (ctl_arg(a, "against") != NULL) {
		o = ctl_rehearse_in_export(c, a, ctl_arg(a, "against"), &e);
	} else {
		args = arguments(c, a, &e);
		o = args != NULL ? ctl_call(c, "rehearse", args, &e) : NULL;
	}
	if (o == NULL)
		return ctl_fail(c, &e);
	verdict = ctl_text(o, "verdict");
	code = strcmp(verdict, "issued") == 0 ? CTL_OK
	    : strcmp(verdict, "pending") == 0 ? CTL_PENDING
					      : CTL_DENIED;
	if (c->json)
		return ctl_print_json(o) == CTL_OK ? code : CTL_FAILURE;
	print_verdict(o);
	json_decref(o);
	return code;
}

/* ---- many at once ---- */

static int
rehearse_changes(struct ctl *c, const struct ctl_args *a)
{
	struct ctl_matrix before, after;
	struct err e;

	if (ctl_matrix_from_ldif(c, a, ctl_arg(a, "before"), &before, &e) != 0 ||
	    ctl_matrix_from_ldif(c, a, ctl_arg(a, "after"), &after, &e) != 0)
		return ctl_fail(c, &e);
	return ctl_matrix_print_changes(c, &before, &after);
}

static int
rehearse_matrix(struct ctl *c, const struct ctl_args *a)
{
	const char *file = ctl_arg(a, "against");
	struct ctl_matrix m;
	struct err e;

	if ((file != NULL ? ctl_matrix_from_ldif(c, a, file, &m, &e) : ctl_matrix_ask(c, a, &m, &e)) != 0)
		return ctl_fail(c, &e);
	return ctl_matrix_print(c, a, &m);
}

int
ctl_rehearse(struct ctl *c, const struct ctl_args *a)
{
	bool changes = ctl_arg(a, "before") != NULL || ctl_arg(a, "after") != NULL;
	bool one = ctl_arg(a, "as") != NULL || ctl_arg(a, "template") != NULL || ctl_arg(a, "csr") != NULL;
	bool many = changes || ctl_arg(a, "matrix") != NULL || (ctl_arg(a, "against") != NULL && !one);

	if (changes && (ctl_arg(a, "before") == NULL || ctl_arg(a, "after") == NULL))
		return ctl_usage("rehearse takes --before and --after together");
	if (many && one)
		return ctl_usage("a table of rehearsals is restricted by --principals and --templates");
	if (!many && ctl_arg(a, "as") == NULL)
		return ctl_usage("rehearse needs --as PRINCIPAL, or --matrix");
	return changes ? rehearse_changes(c, a) : many ? rehearse_matrix(c, a) : rehearse_one(c, a);
}
