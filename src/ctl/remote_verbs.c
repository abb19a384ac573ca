/* Verbs with --config: what a CA tells of itself over ICertRequestD2, and officers' verbs
 * over ICertAdminD2; ours or a real one. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ctl/admin.h"
#include "ctl/remote.h"
#include "ctl/remote_call.h"

#define PEM_MAX (256u << 20)

/* MS-WCCE 3.2.1.4.3.2 */
enum {
	CR_PROP_FILEVERSION = 1,
	CR_PROP_CANAME = 6,
	CR_PROP_SANITIZEDCANAME = 7,
	CR_PROP_PARENTCA = 9,
	CR_PROP_CASIGCERT = 0xc,
	CR_PROP_CAXCHGCERT = 0xf,
	CR_PROP_BASECRL = 0x11,
	CR_PROP_DELTACRL = 0x12,
	CR_PROP_DNSNAME = 0x16,
	CR_PROP_TEMPLATES = 0x1d,
	PROPTYPE_BINARY = 3,
	PROPTYPE_STRING = 4,
	NEWEST = 0xffffffff, /* index */
};

/* ---- ca show ---- */

/* Lines in turn: a template's name, its OID (empty for schema version 1). */
static json_t *
templates_of(struct ctl *c, const char *text)
{
	char *copy = pool_strdup(c->pool, text), *line;
	json_t *list = json_array();

	for (unsigned i = 0; copy != NULL && *copy != '\0'; i++) {
		line = copy;
		copy += strcspn(copy, "\n");
		if (*copy == '\n')
			*copy++ = '\0';
		if (i % 2 == 0)
			json_array_append_new(list, json_string(line));
	}
	return list;
}

/* A property that the CA does not have is left out: the root has no parent. */
static int
put_text(struct ctl *c, struct client_session *s, const char *name, uint32_t id, json_t *out, struct err *e)
{
	struct bytes value;
	const char *text;

	if (client_session_property(s, id, 0, PROPTYPE_STRING, c->pool, &value, e) != 0)
		return e->hr == E_FILE_NOT_FOUND || e->hr == E_INVALIDARG ? 0 : -1;
	text = client_message_text(value, c->pool);
	json_object_set_new(out, name, id == CR_PROP_TEMPLATES ? templates_of(c, text) : json_string(text));
	return 0;
}

static int
show(struct ctl *c, const struct ctl_args *a, struct client_session *s, struct err *e)
{
	static const struct {
		const char *name;
		uint32_t id;
	} rows[] = {
		{ "name", CR_PROP_CANAME },
		{ "sanitizedName", CR_PROP_SANITIZEDCANAME },
		{ "dnsName", CR_PROP_DNSNAME },
		{ "parent", CR_PROP_PARENTCA },
		{ "version", CR_PROP_FILEVERSION },
		{ "templates", CR_PROP_TEMPLATES },
	};
	json_t *out = json_object(), *v, *item;
	const char *name;
	size_t i;

	(void)a;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		if (put_text(c, s, rows[i].name, rows[i].id, out, e) != 0) {
			json_decref(out);
			return -1;
		}
	}
	if (c->json)
		return ctl_print_json(out);
	json_object_foreach(out, name, v)
	{
		if (json_is_string(v))
			printf("%-14s %s\n", name, json_string_value(v));
		json_array_foreach(v, i, item)
		    printf("%-14s %s\n", i == 0 ? name : "", json_string_value(item));
	}
	json_decref(out);
	return CTL_OK;
}

/* ---- ca cert, crl get ---- */

static int
fetch(struct ctl *c, const struct ctl_args *a, struct client_session *s, uint32_t id, uint32_t index,
    const char *label, struct err *e)
{
	struct bytes der;
	struct buf out, base64;
	int rc;

	if (client_session_property(s, id, index, PROPTYPE_BINARY, c->pool, &der, e) != 0)
		return -1;
	buf_init(&out, PEM_MAX);
	buf_init(&base64, PEM_MAX);
	text_put_pem(&out, der, label);
	if (c->json) {
		text_put_base64(&base64, der, 0);
		rc = ctl_print_json(json_pack("{s:s, s:s}", "der", buf_cstr(&base64), "pem", buf_cstr(&out)));
	} else {
		rc = ctl_arg(a, "der") != NULL ? ctl_write_file(ctl_arg(a, "out"), der.p, der.len, e)
					       : ctl_write_file(ctl_arg(a, "out"), out.p, out.len, e);
	}
	buf_fini(&out);
	buf_fini(&base64);
	return rc;
}

/* --index of a certificate, --key of a CRL: the newest when not given. */
static int
index_of(const struct ctl_args *a, const char *option, uint32_t *out)
{
	json_int_t n = NEWEST;
	int rc = CTL_OK;

	if (ctl_arg(a, option) != NULL)
		rc = ctl_number_arg(ctl_arg(a, option), option, &n);
	*out = (uint32_t)n;
	return rc;
}

static int
cert(struct ctl *c, const struct ctl_args *a, struct client_session *s, struct err *e)
{
	uint32_t index;
	int rc = index_of(a, "index", &index);

	if (rc != CTL_OK)
		return rc;
	return ctl_arg(a, "exchange") != NULL ? fetch(c, a, s, CR_PROP_CAXCHGCERT, 0, "CERTIFICATE", e)
					      : fetch(c, a, s, CR_PROP_CASIGCERT, index, "CERTIFICATE", e);
}

static int
crl_get(struct ctl *c, const struct ctl_args *a, struct client_session *s, struct err *e)
{
	uint32_t index;
	int rc = index_of(a, "key", &index);

	if (rc != CTL_OK)
		return rc;
	return fetch(
	    c, a, s, ctl_arg(a, "delta") != NULL ? CR_PROP_DELTACRL : CR_PROP_BASECRL, index, "X509 CRL", e);
}

/* ---- officers' verbs, over ICertAdminD2 (MS-CSRA) ---- */

static int
request_issue(struct ctl *c, const struct ctl_args *a, struct client_session *s, struct err *e)
{
	uint32_t disposition;
	json_int_t id;
	int rc = ctl_number_arg(a->positional[0], "ID", &id);

	if (rc != CTL_OK)
		return rc;
	if (client_session_resubmit(s, (uint32_t)id, c->pool, &disposition, e) != 0)
		return -1;
	if (c->json)
		rc = ctl_print_json(
		    json_pack("{s:I, s:s}", "id", id, "disposition", client_disposition_name(disposition)));
	else
		printf("request %lld: %s\n", (long long)id, client_disposition_name(disposition));
	return rc != CTL_OK                           ? rc
	    : disposition == CR_DISP_ISSUED           ? CTL_OK
	    : disposition == CR_DISP_UNDER_SUBMISSION ? CTL_PENDING
						      : CTL_DENIED;
}

static int
request_deny(struct ctl *c, const struct ctl_args *a, struct client_session *s, struct err *e)
{
	json_int_t id;
	int rc = ctl_number_arg(a->positional[0], "ID", &id);

	if (rc != CTL_OK)
		return rc;
	if (client_session_deny(s, (uint32_t)id, c->pool, e) != 0)
		return -1;
	if (c->json)
		return ctl_print_json(json_pack("{s:I, s:s}", "id", id, "disposition", "denied"));
	printf("request %lld: denied\n", (long long)id);
	return CTL_OK;
}

/* ---- dispatch ---- */

/* An exit code, or -1 with *e. */
static const struct {
	const char *noun, *verb;
	int (*run)(struct ctl *c, const struct ctl_args *a, struct client_session *s, struct err *e);
} remote_verbs[] = {
	{ "ca", "show", show },
	{ "ca", "cert", cert },
	{ "crl", "get", crl_get },
	{ "request", "issue", request_issue },
	{ "request", "deny", request_deny },
};

/* Verbs that are the same for both, as ctl_call() answers over ICertAdminD2. verb "acl *": all that begin so;
 * "*": all of the noun. */
static const struct {
	const char *noun, *verb;
} same_verbs[] = {
	{ "view", NULL },
	{ "request", "list" },
	{ "request", "show" },
	{ "request", "revoke" },
	{ "request", "unrevoke" },
	{ "request", "publish-expired" },
	{ "request", "valid" },
	{ "request", "set-extension" },
	{ "request", "set-attributes" },
	{ "request", "delete" },
	{ "request", "import" },
	{ "request", "recover-key" },
	{ "request", "import-key" },
	{ "crl", "show" },
	{ "crl", "publish" },
	{ "crl", "delete" },
	{ "ca", "audit-filter" },
	{ "ca", "set-templates" },
	{ "ca", "publish" },
	{ "ca", "unpublish" },
	{ "ca", "acl *" },
	{ "ca", "officer-rights *" },
	{ "ca", "agent-rights *" },
	{ "ca", "role-separation" },
	{ "ca", "roles" },
	{ "ca", "kra *" },
	{ "ca", "get" },
	{ "ca", "set" },
	{ "ca", "unset" },
};

/* Why the others do not. */
static const struct {
	const char *noun, *verb, *why;
} local_verbs[] = {
	{ "template", "*", "templates are the directory's: name it with --directory instead" },
	{ "ca", "renew", "no method of ICertAdminD2 renews a CA's certificate" },
	{ "request", "explain", "reasons are kept by adcsd alone, no method of ICertAdminD2 tells them" },
	{ "pki", "*", "those certificates are the directory's: name it with --directory instead" },
	{ "principal", "*", "tokens are made by adcsd alone" },
	{ "access", NULL, "tokens are made by adcsd alone; 'ca acl show' tells the CA's list" },
	{ "rehearse", NULL, "no method of a CA rehearses; --against FILE.ldif does without one" },
	{ "lint", NULL,
	    "it looks at a directory or an export: --directory or --against, and --settings FILE.json" },
	{ "audit", "*", "a Windows CA's events are in the Security log of its host" },
	{ "journal", NULL, "the journal is adcsd's own" },
	{ "clock", "*", "only adcsd has a clock that can be moved" },
	{ "server", "*", "it is about the process of --state" },
};

static bool
is_verb(const struct ctl_verb *v, const char *noun, const char *verb)
{
	size_t n = verb != NULL ? strlen(verb) : 0;

	if (strcmp(v->noun, noun) != 0)
		return false;
	if (n > 0 && verb[n - 1] == '*')
		return n == 1 || (v->verb != NULL && strncmp(v->verb, verb, n - 1) == 0);
	return (v->verb != NULL) == (verb != NULL) && (verb == NULL || strcmp(v->verb, verb) == 0);
}

static bool
is_same_verb(const struct ctl_verb *v)
{
	for (size_t i = 0; i < ARRAY_LEN(same_verbs); i++)
		if (is_verb(v, same_verbs[i].noun, same_verbs[i].verb))
			return true;
	return false;
}

/* Those that open sessions of their own. */
static bool
is_client_verb(const struct ctl_verb *v)
{
	return v->verb == NULL && (strcmp(v->noun, "enroll") == 0 || strcmp(v->noun, "bench") == 0);
}

bool
ctl_takes_config(const struct ctl_verb *v)
{
	for (size_t i = 0; i < ARRAY_LEN(remote_verbs); i++)
		if (is_verb(v, remote_verbs[i].noun, remote_verbs[i].verb))
			return true;
	return is_client_verb(v) || is_same_verb(v);
}

static int
run_same(struct ctl *c, const struct ctl_verb *v, const struct ctl_args *a)
{
	struct ctl_remote r = { 0 };
	struct err e;
	int rc;

	r.session = ctl_remote_open(c, &e);
	if (r.session == NULL)
		return ctl_fail(c, &e);
	c->remote = &r;
	rc = v->run(c, a);
	c->remote = NULL;
	client_session_free(r.session);
	return rc;
}

/* Options that are answered by the server's own control socket only. */
static const char *
local_option(const struct ctl_args *a)
{
	static const char *const names[] = { "chain", "partition" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (ctl_arg(a, names[i]) != NULL)
			return names[i];
	return NULL;
}

int
ctl_run_remote(struct ctl *c, const struct ctl_verb *v, const struct ctl_args *a)
{
	const char *why = "it works on a server of --state";
	struct client_session *s;
	struct err e;
	int rc = -1;

	if (is_client_verb(v))
		return v->run(c, a);
	for (size_t i = 0; i < ARRAY_LEN(remote_verbs); i++) {
		if (!is_verb(v, remote_verbs[i].noun, remote_verbs[i].verb))
			continue;
		if (local_option(a) != NULL)
			return ctl_usage(
			    "--%s works on a server of --state, not with --config", local_option(a));
		s = ctl_remote_open(c, &e);
		if (s != NULL)
			rc = remote_verbs[i].run(c, a, s, &e);
		client_session_free(s);
		return rc >= 0 ? rc : ctl_fail(c, &e);
	}
	if (is_same_verb(v))
		return run_same(c, v, a);
	for (size_t i = 0; i < ARRAY_LEN(local_verbs); i++)
		if (is_verb(v, local_verbs[i].noun, local_verbs[i].verb))
			why = local_verbs[i].why;
	return ctl_usage("%s%s%s does not take --config: %s", v->noun, v->verb != NULL ? " " : "",
	    v->verb != NULL ? v->verb : "", why);
}
