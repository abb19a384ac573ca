/* request revoke, request unrevoke, crl ...: over the control socket. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ctl/admin.h"

#define CRL_MAX (96u << 20)

/* As certutil, OpenSSL and consoles write serial numbers, in the database's form. */
static int
serial_arg(const char *text, char *out, size_t size)
{
	size_t n = 0;

	if (strncmp(text, "0x", 2) == 0)
		text += 2;
	for (; *text != '\0'; text++) {
		if (*text == ' ' || *text == ':')
			continue;
		if (!isxdigit((unsigned char)*text) || n + 1 >= size)
			return ctl_usage("--serial takes a serial number in hexadecimal");
		out[n++] = (char)tolower((unsigned char)*text);
	}
	out[n] = '\0';
	return CTL_OK;
}

/* ID or --serial: exactly one of them. NULL with the exit code in *code. */
static json_t *
which(const struct ctl_args *a, int *code)
{
	const char *serial = ctl_arg(a, "serial");
	char hex[64];
	json_int_t id;

	if ((serial != NULL) == (a->n_positional == 1)) {
		*code = ctl_usage("which certificate? Give the request's ID or --serial HEX");
		return NULL;
	}
	*code = serial != NULL ? serial_arg(serial, hex, sizeof(hex))
			       : ctl_number_arg(a->positional[0], "ID", &id);
	if (*code != CTL_OK)
		return NULL;
	return serial != NULL ? json_pack("{s:s}", "serial", hex) : json_pack("{s:I}", "id", id);
}

static int
change(struct ctl *c, const char *verb, json_t *args, const char *done)
{
	int code;
	json_t *o = ctl_ask(c, verb, args, &code);

	if (o == NULL)
		return code;
	printf("request %lld, serial number %s: %s\n",
	    (long long)json_integer_value(json_object_get(o, "id")), ctl_text(o, "serial"), done);
	json_decref(o);
	return CTL_OK;
}

int
ctl_request_revoke(struct ctl *c, const struct ctl_args *a)
{
	int code;
	json_t *args = which(a, &code);

	if (args == NULL)
		return code;
	if (ctl_arg(a, "reason") != NULL)
		json_object_set_new(args, "reason", json_string(ctl_arg(a, "reason")));
	if (ctl_arg(a, "at") != NULL)
		json_object_set_new(args, "effective", json_string(ctl_arg(a, "at")));
	return change(c, "request.revoke", args, "revoked; the next CRL tells (crl publish)");
}

int
ctl_request_unrevoke(struct ctl *c, const struct ctl_args *a)
{
	int code;
	json_t *args = which(a, &code);

	return args != NULL ? change(c, "request.unrevoke", args, "released from hold") : code;
}

int
ctl_request_publish_expired(struct ctl *c, const struct ctl_args *a)
{
	bool off = ctl_arg(a, "off") != NULL;
	int code;
	json_t *args = which(a, &code);

	if (args == NULL)
		return code;
	json_object_set_new(args, "off", json_boolean(off));
	return change(c, "request.publish-expired", args,
	    off ? "leaves the CRL when it has expired" : "stays on the CRL when it has expired");
}

int
ctl_request_valid(struct ctl *c, const struct ctl_args *a)
{
	char hex[64];
	json_t *o;
	int code = serial_arg(a->positional[0], hex, sizeof(hex));

	if (code != CTL_OK)
		return code;
	o = ctl_ask(c, "request.valid", json_pack("{s:s}", "serial", hex), &code);
	if (o == NULL)
		return code;
	printf("%s%s%s\n", ctl_text(o, "state"), *ctl_text(o, "reason") != '\0' ? ": " : "",
	    ctl_text(o, "reason"));
	json_decref(o);
	return CTL_OK;
}

/* ---- lists ---- */

static void
print_crl(const json_t *r)
{
	bool delta = strcmp(ctl_text(r, "type"), "delta") == 0;

	printf(
	    "%6lld  %-5s ", (long long)json_integer_value(json_object_get(r, "number")), ctl_text(r, "type"));
	if (delta)
		printf("%6lld ", (long long)json_integer_value(json_object_get(r, "minBase")));
	else
		printf("%6s ", "");
	printf("%3lld %7lld  %-20s  %-20s  %-20s  %s%s\n",
	    (long long)json_integer_value(json_object_get(r, "keyIndex")),
	    (long long)json_integer_value(json_object_get(r, "entries")), ctl_text(r, "thisUpdate"),
	    ctl_text(r, "nextPublish"), ctl_text(r, "nextUpdate"),
	    json_is_true(json_object_get(r, "complete")) ? "published" : "NOT PUBLISHED: ",
	    ctl_text(r, "error"));
}

static void
print_heading(void)
{
	printf("%6s  %-5s %6s %3s %7s  %-20s  %-20s  %-20s\n", "Number", "Type", "Base", "Key", "Entries",
	    "This update", "Next publication", "Next update");
}

int
ctl_crl_show(struct ctl *c, const struct ctl_args *a)
{
	int code;
	json_t *o = ctl_ask(c, "crl.show", NULL, &code), *r;
	size_t i;

	(void)a;
	if (o == NULL)
		return code;
	print_heading();
	json_array_foreach(json_object_get(o, "crls"), i, r) print_crl(r);
	if (*ctl_text(o, "folder") != '\0')
		printf("Files: %s\n", ctl_text(o, "folder"));
	json_decref(o);
	return CTL_OK;
}

int
ctl_crl_publish(struct ctl *c, const struct ctl_args *a)
{
	json_t *args = json_pack(
	    "{s:b, s:b}", "delta", ctl_arg(a, "delta") != NULL, "republish", ctl_arg(a, "republish") != NULL);
	json_t *o, *r;
	int code;
	size_t i;

	if (ctl_arg(a, "until") != NULL)
		json_object_set_new(args, "until", json_string(ctl_arg(a, "until")));
	o = ctl_ask(c, "crl.publish", args, &code);
	if (o == NULL)
		return code;
	print_heading();
	json_array_foreach(json_object_get(o, "crls"), i, r) print_crl(r);
	json_decref(o);
	return CTL_OK;
}

int
ctl_crl_get(struct ctl *c, const struct ctl_args *a)
{
	struct err e;
	int code;
	json_t *args = json_pack("{s:b}", "delta", ctl_arg(a, "delta") != NULL), *o;
	const char *base64;
	struct buf der, out;
	json_int_t key;
	int rc;

	if (ctl_arg(a, "key") != NULL) {
		rc = ctl_number_arg(ctl_arg(a, "key"), "--key", &key);
		if (rc != CTL_OK) {
			json_decref(args);
			return rc;
		}
		json_object_set_new(args, "key", json_integer(key));
	}
	o = ctl_ask(c, "crl.get", args, &code);
	if (o == NULL)
		return code;
	base64 = ctl_text(o, "der");
	buf_init(&der, CRL_MAX);
	buf_init(&out, 2 * CRL_MAX);
	rc = text_parse_base64(&der, (struct bytes){ (const uint8_t *)base64, strlen(base64) }, &e);
	if (ctl_arg(a, "der") != NULL)
		buf_put_bytes(&out, buf_bytes(&der));
	else
		text_put_pem(&out, buf_bytes(&der), "X509 CRL");
	if (rc == 0)
		rc = ctl_write_file(ctl_arg(a, "out"), out.p, out.len, &e);
	buf_fini(&der);
	buf_fini(&out);
	json_decref(o);
	return rc == 0 ? CTL_OK : ctl_fail(c, &e);
}
