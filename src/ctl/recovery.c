/* ca kra ..., request recover-key, request import-key: key archival over the control socket. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/text.h"
#include "ctl/admin.h"
#include "x509/private_key.h"
#include "x509/recovery.h"

#define FILE_MAX (1u << 20)

/* ---- recovery agents ---- */

static int
print_agents(struct ctl *c, json_t *o, const struct err *e)
{
	json_t *agent;
	size_t i;

	if (o == NULL)
		return ctl_fail(c, e);
	if (c->json)
		return ctl_print_json(o);
	json_array_foreach(json_object_get(o, "agents"), i, agent)
	{
		const char *why = json_string_value(json_object_get(agent, "why"));

		printf("%3zu  %-9s  %-20s  %s\n     %s\n", i,
		    json_string_value(json_object_get(agent, "state")),
		    json_string_value(json_object_get(agent, "notAfter")),
		    json_string_value(json_object_get(agent, "subject")),
		    json_string_value(json_object_get(agent, "sha1")));
		if (why != NULL)
			printf("     %s\n", why);
	}
	i = (size_t)json_integer_value(json_object_get(o, "used"));
	if (i == 0)
		printf("Private keys are not archived.\n");
	else
		printf("Every archived key is encrypted for %zu of them.\n", i);
	json_decref(o);
	return CTL_OK;
}

int
ctl_ca_kra_list(struct ctl *c, const struct ctl_args *a)
{
	struct err e = { 0 };

	(void)a;
	return print_agents(c, ctl_call(c, "ca.kra.list", NULL, &e), &e);
}

/* A file in PEM, base64 or DER, as base64 text in the pool. */
static const char *
der_file(struct ctl *c, const char *path, struct err *e)
{
	const char *text = NULL;
	struct buf in, out;
	struct bytes der;

	buf_init(&in, FILE_MAX);
	buf_init(&out, 2 * FILE_MAX);
	if (ctl_read_file(path, &in, e) == 0 && x509_request_unwrap(buf_bytes(&in), c->pool, &der, e) == 0) {
		text_put_base64(&out, der, 0);
		text = buf_ok(&out) ? pool_strdup(c->pool, buf_cstr(&out)) : NULL;
		if (text == NULL)
			ERR(e, E_OUTOFMEMORY, "no memory for %s", path);
	}
	buf_fini(&in);
	buf_fini(&out);
	return text;
}

int
ctl_ca_kra_add(struct ctl *c, const struct ctl_args *a)
{
	struct err e = { 0 };
	const char *der = der_file(c, a->positional[0], &e);

	if (der == NULL)
		return ctl_fail(c, &e);
	return print_agents(c, ctl_call(c, "ca.kra.add", json_pack("{s:s}", "der", der), &e), &e);
}

static int
with_number(struct ctl *c, const struct ctl_args *a, const char *verb, const char *name, const char *what)
{
	struct err e = { 0 };
	json_int_t n;
	int code = ctl_number_arg(a->positional[0], what, &n);

	if (code != CTL_OK)
		return code;
	return print_agents(c, ctl_call(c, verb, json_pack("{s:I}", name, n), &e), &e);
}

int
ctl_ca_kra_remove(struct ctl *c, const struct ctl_args *a)
{
	return with_number(c, a, "ca.kra.remove", "index", "INDEX");
}

int
ctl_ca_kra_use(struct ctl *c, const struct ctl_args *a)
{
	return with_number(c, a, "ca.kra.use", "count", "N");
}

/* ---- archived keys ---- */

/* What an agent's key makes of it, into a file. */
static int
open_blob(struct ctl *c, const struct ctl_args *a, struct bytes blob, struct err *e)
{
	const char *out = ctl_arg(a, "out"), *password = ctl_arg(a, "password");
	size_t n = out != NULL ? strlen(out) : 0;
	struct x509_private_key *agent =
	    x509_private_key_load(ctl_arg(a, "kra"), ctl_arg(a, "kra-password"), e);
	struct x509_recovered found = { 0 };
	struct buf file;
	int rc = agent != NULL ? x509_recover(&found, blob, agent, c->pool, e) : -1;

	buf_init(&file, FILE_MAX);
	if (rc == 0 && (n < 4 || strcasecmp(out + n - 4, ".pfx") != 0))
		rc = x509_recovered_pem(&found, &file, e);
	else if (rc == 0)
		rc = x509_recovered_pfx(&found, password != NULL ? password : "", &file, e);
	if (rc == 0) {
		mode_t before = umask(077);

		rc = ctl_write_file(out, file.p, file.len, e);
		umask(before);
	}
	buf_wipe(&file);
	x509_recovered_fini(&found);
	x509_private_key_free(agent);
	return rc;
}

int
ctl_request_recover_key(struct ctl *c, const struct ctl_args *a)
{
	struct err e = { 0 };
	struct buf blob;
	const char *der;
	json_int_t id;
	json_t *o;
	int code = ctl_number_arg(a->positional[0], "ID", &id), rc;

	if (code != CTL_OK)
		return code;
	o = ctl_call(c, "request.key", json_pack("{s:I}", "id", id), &e);
	if (o == NULL)
		return ctl_fail(c, &e);
	if (c->json && ctl_arg(a, "kra") == NULL && ctl_arg(a, "out") == NULL)
		return ctl_print_json(o);
	der = json_string_value(json_object_get(o, "der"));
	buf_init(&blob, FILE_MAX);
	rc = text_parse_base64(&blob, (struct bytes){ (const uint8_t *)der, strlen(der) }, &e);
	if (rc == 0 && ctl_arg(a, "kra") != NULL)
		rc = open_blob(c, a, buf_bytes(&blob), &e);
	else if (rc == 0)
		rc = ctl_write_file(ctl_arg(a, "out"), blob.p, blob.len, &e);
	buf_fini(&blob);
	json_decref(o);
	if (rc != 0)
		return ctl_fail(c, &e);
	return c->json ? ctl_print_json(json_pack("{s:I, s:s?}", "id", id, "out", ctl_arg(a, "out")))
		       : CTL_OK;
}

int
ctl_request_import_key(struct ctl *c, const struct ctl_args *a)
{
	const char *der, *hash = ctl_arg(a, "hash");
	struct err e = { 0 };
	json_int_t id = 0;
	json_t *o;
	int code = hash == NULL ? ctl_number_arg(a->positional[0], "ID", &id) : CTL_OK;

	if (code != CTL_OK)
		return code;
	der = der_file(c, a->positional[a->n_positional - 1], &e);
	if (der == NULL)
		return ctl_fail(c, &e);
	o = json_pack("{s:I, s:s, s:b}", "id", id, "der", der, "overwrite", ctl_arg(a, "force") != NULL);
	if (hash != NULL)
		json_object_set_new(o, "sha1", json_string(hash));
	o = ctl_ask(c, "request.importKey", o, &code);
	if (o == NULL)
		return code;
	printf("The key is archived.\n");
	json_decref(o);
	return CTL_OK;
}
