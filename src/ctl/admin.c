/* Verbs of the CA, the clock, the journal and the server, over the control socket. */
#include "ctl/admin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define CERT_MAX (1u << 20)

const char *
ctl_text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL ? s : "";
}

json_t *
ctl_ask(struct ctl *c, const char *verb, json_t *args, int *code)
{
	struct err e;
	json_t *o = ctl_call(c, verb, args, &e);

	if (o == NULL)
		*code = ctl_fail(c, &e);
	else if (c->json)
		*code = ctl_print_json(o);
	return o == NULL || c->json ? NULL : o;
}

int
ctl_call_quietly(struct ctl *c, const char *verb, json_t *args)
{
	int code;
	json_t *o = ctl_ask(c, verb, args, &code);

	if (o == NULL)
		return code;
	json_decref(o);
	return CTL_OK;
}

/* ---- periods ---- */

int
ctl_period_parse(const char *text, int64_t *span, struct err *e)
{
	static const struct {
		char unit;
		int64_t length;
	} units[] = { { 's', FILETIME_SECOND }, { 'h', FILETIME_HOUR }, { 'd', FILETIME_DAY },
		{ 'w', 7 * FILETIME_DAY }, { 'm', 30 * FILETIME_DAY }, { 'y', 365 * FILETIME_DAY } };
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if ((*text != '-' && (*text < '0' || *text > '9')) || end == text || errno != 0 || n < -1000000000 ||
	    n > 1000000000)
		return ERR(e, E_INVALIDARG, "'%.40s' is no period (90s, 8h, 30d, 2w, 6m, 1y)", text);
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if ((*end == '\0' && i == 0) || (*end == units[i].unit && end[1] == '\0')) {
			if (__builtin_mul_overflow(n, units[i].length, span))
				return ERR(e, E_INVALIDARG, "'%.40s' is too long a period", text);
			return 0;
		}
	}
	return ERR(e, E_INVALIDARG, "'%.40s' is no period (90s, 8h, 30d, 2w, 6m, 1y)", text);
}

/* ---- ca ---- */

int
ctl_ca_show(struct ctl *c, const struct ctl_args *a)
{
	static const char *const rows[][2] = { { "config", "Config" }, { "name", "CA name" },
		{ "sanitizedName", "Sanitized name" }, { "dnsName", "Host" }, { "key", "Key" },
		{ "notBefore", "Valid from" }, { "notAfter", "Valid to" }, { "sha1", "Certificate hash" } };
	const char *key;
	json_t *o, *v, *item;
	int code;
	size_t i;

	(void)a;
	o = ctl_ask(c, "ca.show", NULL, &code);
	if (o == NULL)
		return code;
	for (i = 0; i < ARRAY_LEN(rows); i++)
		printf("%-18s %s\n", rows[i][1], ctl_text(o, rows[i][0]));
	ctl_print_ca_certificates(json_object_get(o, "certificates"));
	puts("Templates to issue");
	json_array_foreach(json_object_get(o, "templates"), i, item)
	    printf("  %s\n", json_string_value(item));
	puts("Settings");
	json_object_foreach(json_object_get(o, "settings"), key, v)
	{
		char *s = json_is_string(v) ? NULL : json_dumps(v, JSON_ENCODE_ANY);

		printf("  %-40s %s\n", key, s != NULL ? s : json_string_value(v));
		free(s);
	}
	json_decref(o);
	return CTL_OK;
}

/* The list of the last answer holds what all of them did. */
static int
each_template(struct ctl *c, const struct ctl_args *a, const char *verb)
{
	json_t *o = NULL;
	struct err e;

	for (size_t i = 0; i < a->n_positional; i++) {
		json_decref(o);
		o = ctl_call(c, verb, json_pack("{s:s}", "template", a->positional[i]), &e);
		if (o == NULL)
			return ctl_fail(c, &e);
	}
	if (c->json)
		return ctl_print_json(o);
	json_decref(o);
	return CTL_OK;
}

int
ctl_ca_publish(struct ctl *c, const struct ctl_args *a)
{
	return each_template(c, a, "ca.publish");
}

int
ctl_ca_unpublish(struct ctl *c, const struct ctl_args *a)
{
	return each_template(c, a, "ca.unpublish");
}

int
ctl_ca_acl_show(struct ctl *c, const struct ctl_args *a)
{
	json_t *o, *ace, *right;
	struct err e;
	size_t i, k;

	(void)a;
	o = ctl_call(c, "ca.acl.show", NULL, &e);
	if (o == NULL)
		return ctl_fail(c, &e);
	json_array_foreach(json_object_get(o, "aces"), i, ace)
	{
		struct sid sid;
		const char *who = ctl_text(ace, "principal");

		if (sid_from_text(&sid, who, &e) == 0)
			who = ctl_name_from_sid(c, &sid);
		json_object_set_new(ace, "name", json_string(who));
		if (c->json)
			continue;
		printf("%-6s %-44s ", strcmp(ctl_text(ace, "type"), "deny") == 0 ? "Deny" : "Allow", who);
		json_array_foreach(json_object_get(ace, "rights"), k, right)
		    printf("%s%s", k > 0 ? ", " : "", json_string_value(right));
		putchar('\n');
	}
	if (c->json)
		return ctl_print_json(o);
	printf("SDDL: %s\n", ctl_text(o, "sddl"));
	json_decref(o);
	return CTL_OK;
}

static int
ca_acl_change(struct ctl *c, const struct ctl_args *a, const char *verb)
{
	json_t *rights = json_array(), *args;
	char text[SID_TEXT_MAX];
	struct sid sid;
	struct err e;

	for (size_t i = 1; i < a->n_positional; i++)
		json_array_append_new(rights, json_string(a->positional[i]));
	if (ctl_sid_from_name(c, a->positional[0], &sid, &e) != 0) {
		json_decref(rights);
		return ctl_fail(c, &e);
	}
	args = json_pack("{s:s}", "principal", sid_to_text(&sid, text));
	if (json_array_size(rights) > 0)
		json_object_set(args, "rights", rights);
	json_decref(rights);
	return ctl_call_quietly(c, verb, args);
}

int
ctl_ca_acl_grant(struct ctl *c, const struct ctl_args *a)
{
	return ca_acl_change(c, a, "ca.acl.grant");
}

int
ctl_ca_acl_deny(struct ctl *c, const struct ctl_args *a)
{
	return ca_acl_change(c, a, "ca.acl.deny");
}

int
ctl_ca_acl_remove(struct ctl *c, const struct ctl_args *a)
{
	return ca_acl_change(c, a, "ca.acl.remove");
}

int
ctl_write_file(const char *path, const void *p, size_t n, struct err *e)
{
	bool std = path == NULL || strcmp(path, "-") == 0;
	FILE *f = std ? stdout : fopen(path, "wb");

	if (f == NULL)
		return ERR(e, E_FAIL, "%.100s: %s", path, strerror(errno));
	if (fwrite(p, 1, n, f) != n || (std ? fflush(f) : fclose(f)) != 0)
		return ERR(e, E_DISK_FULL, "%.100s: %s", std ? "standard output" : path, strerror(errno));
	return 0;
}

int
ctl_ca_cert(struct ctl *c, const struct ctl_args *a)
{
	struct err e;
	int code;
	const char *verb = ctl_arg(a, "exchange") != NULL ? "ca.exchange" : "ca.cert";
	json_t *args = json_object(), *o, *item;
	const char *der;
	struct buf b;
	json_int_t index;
	size_t i;
	int rc = 0;

	if (ctl_arg(a, "index") != NULL) {
		rc = ctl_number_arg(ctl_arg(a, "index"), "--index", &index);
		if (rc != CTL_OK) {
			json_decref(args);
			return rc;
		}
		json_object_set_new(args, "index", json_integer(index));
	}
	o = ctl_ask(c, verb, args, &code);
	if (o == NULL)
		return code;
	buf_init(&b, CERT_MAX);
	der = ctl_text(o, "der");
	if (ctl_arg(a, "der") != NULL)
		rc = text_parse_base64(&b, (struct bytes){ (const uint8_t *)der, strlen(der) }, &e);
	else if (ctl_arg(a, "chain") == NULL)
		buf_put_str(&b, ctl_text(o, "pem"));
	else
		json_array_foreach(json_object_get(o, "chain"), i, item)
		    buf_put_str(&b, json_string_value(item));
	if (rc == 0)
		rc = ctl_write_file(ctl_arg(a, "out"), b.p, b.len, &e);
	buf_fini(&b);
	json_decref(o);
	return rc == 0 ? CTL_OK : ctl_fail(c, &e);
}

/* ---- arguments ---- */

int
ctl_number_arg(const char *text, const char *what, json_int_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || *out > UINT32_MAX)
		return ctl_usage("%s is a number, not '%s'", what, text);
	return CTL_OK;
}

int
ctl_paging(struct ctl *c, const struct ctl_args *a, json_t *args)
{
	static const char *const names[] = { "after", "limit" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *v = ctl_arg(a, names[i]);
		json_int_t n;

		if (v == NULL)
			continue;
		if (ctl_number_arg(v, pool_printf(c->pool, "--%s", names[i]), &n) != CTL_OK)
			return CTL_USAGE;
		json_object_set_new(args, names[i], json_integer(n));
	}
	return CTL_OK;
}

/* ---- journal, clock, server ---- */

int
ctl_journal(struct ctl *c, const struct ctl_args *a)
{
	json_t *args = json_object(), *o, *r;
	int code;
	size_t i;

	if (ctl_paging(c, a, args) != CTL_OK) {
		json_decref(args);
		return CTL_USAGE;
	}
	o = ctl_ask(c, "journal", args, &code);
	if (o == NULL)
		return code;
	json_array_foreach(json_object_get(o, "records"), i, r)
	{
		const char *reason = ctl_text(r, "reason");

		printf("%6lld %s %-12s %-22s %-14s %-8s %s%s%s\n",
		    (long long)json_integer_value(json_object_get(r, "id")), ctl_text(r, "virtual"),
		    ctl_text(r, "front"), ctl_text(r, "caller"), ctl_text(r, "operation"),
		    ctl_text(r, "verdict"), ctl_text(r, "message"), *reason != '\0' ? "  -- " : "", reason);
	}
	json_decref(o);
	return CTL_OK;
}

static int
print_flat(struct ctl *c, const char *verb, json_t *args)
{
	int code;
	json_t *o = ctl_ask(c, verb, args, &code), *v;
	const char *name;

	if (o == NULL)
		return code;
	json_object_foreach(o, name, v)
	{
		char *s = json_is_string(v) ? NULL : json_dumps(v, JSON_ENCODE_ANY);

		printf("%-12s %s\n", name, s != NULL ? s : json_string_value(v));
		free(s);
	}
	json_decref(o);
	return CTL_OK;
}

int
ctl_clock_show(struct ctl *c, const struct ctl_args *a)
{
	(void)a;
	return print_flat(c, "clock.show", NULL);
}

int
ctl_clock_advance(struct ctl *c, const struct ctl_args *a)
{
	int64_t span;
	struct err e;

	if (ctl_period_parse(a->positional[0], &span, &e) != 0)
		return ctl_usage("%s", e.msg);
	return print_flat(
	    c, "clock.advance", json_pack("{s:I}", "seconds", (json_int_t)(span / FILETIME_SECOND)));
}

/* The member that "kerberos.krb5_conf" names; NULL: there is none. */
static const json_t *
find_member(const json_t *o, const char *path)
{
	while (o != NULL && *path != '\0') {
		size_t n = strcspn(path, ".");
		char name[64];

		if (n >= sizeof(name))
			return NULL;
		memcpy(name, path, n);
		name[n] = '\0';
		o = json_object_get(o, name);
		path += n + (path[n] == '.');
	}
	return o;
}

int
ctl_server_show(struct ctl *c, const struct ctl_args *a)
{
	const json_t *v;
	struct err e;
	json_t *o;
	char *text;

	if (a->n_positional == 0)
		return print_flat(c, "server.show", NULL);
	o = ctl_call(c, "server.show", NULL, &e);
	if (o == NULL)
		return ctl_fail(c, &e);
	v = find_member(o, a->positional[0]);
	if (v == NULL || json_is_null(v)) {
		ERR(&e, E_FILE_NOT_FOUND, "the ready line has no %.60s", a->positional[0]);
		json_decref(o);
		return ctl_fail(c, &e);
	}
	text = json_dumps(v, JSON_ENCODE_ANY);
	puts(json_is_string(v) && !c->json ? json_string_value(v) : text != NULL ? text : "");
	free(text);
	json_decref(o);
	return CTL_OK;
}

int
ctl_server_stats(struct ctl *c, const struct ctl_args *a)
{
	struct err e;
	json_t *ca, *rpc;

	(void)a;
	ca = ctl_call(c, "stats", NULL, &e);
	if (ca == NULL)
		return ctl_fail(c, &e);
	rpc = ctl_call(c, "server.stats", NULL, &e);
	if (rpc == NULL) {
		json_decref(ca);
		return ctl_fail(c, &e);
	}
	return ctl_print_json(json_pack("{s:o, s:o}", "ca", ca, "rpc", rpc));
}

int
ctl_server_stop(struct ctl *c, const struct ctl_args *a)
{
	(void)a;
	return ctl_call_quietly(c, "server.stop", NULL);
}
