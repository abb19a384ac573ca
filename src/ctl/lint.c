/* adcsctl lint: objects and settings in, findings out, exit code 4 for a gate. */
#include "ctl/lint.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"

#define MAX_TRUSTED 64

/* ---- CA settings ---- */

/* The running server's, in the form lint_settings_read() takes. */
static json_t *
server_settings(struct ctl *c, struct err *e)
{
	json_t *o = ctl_call(c, "ca.show", NULL, e), *acl;

	if (o == NULL)
		return NULL;
	acl = ctl_call(c, "ca.acl.show", NULL, e);
	if (acl == NULL) {
		json_decref(o);
		return NULL;
	}
	json_object_set(o, "security", json_object_get(acl, "sddl"));
	json_decref(acl);
	return o;
}

static int
read_settings(struct ctl *c, const struct ctl_args *a, json_t **out, struct err *e)
{
	const char *path = ctl_arg(a, "settings");

	*out = NULL;
	if (ctl_arg(a, "against") == NULL && c->uri == NULL) {
		*out = server_settings(c, e);
		if (*out == NULL)
			return -1;
	}
	return path != NULL ? ctl_settings_lay(out, path, e) : 0;
}

/* ---- objects ---- */

static int
read_forest(struct ctl *c, const struct ctl_args *a, struct lint_request *in, struct err *e)
{
	const char *file = ctl_arg(a, "against"), *over = ctl_arg(a, "what-if");
	struct ctl_forest f = { 0 };

	if ((file != NULL ? ctl_forest_from_ldif(c, &f, file, e) : ctl_forest_from_ldap(c, &f, e)) != 0)
		return -1;
	if (over != NULL && ctl_forest_from_ldif(c, &f, over, e) != 0)
		return -1;
	in->entries = ctl_forest_attrs(c, &f);
	in->n_entries = f.n;
	return in->entries != NULL ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for %zu objects", f.n);
}

/* A principal among the objects themselves: --against needs no directory. */
static int
find_principal(struct ctl *c, const struct lint_request *in, const char *name, struct sid *out, struct err *e)
{
	const char *slash = strchr(name, '\\'), *sam = slash != NULL ? slash + 1 : name;
	struct bytes v, wire;

	if (strncasecmp(name, "S-1-", 4) == 0)
		return sid_from_text(out, name, e);
	for (size_t i = 0; i < in->n_entries; i++) {
		const struct policy_attrs *en = &in->entries[i];

		if (en->value(en->ctx, "sAMAccountName", 0, &v) && v.len == strlen(sam) &&
		    strncasecmp((const char *)v.p, sam, v.len) == 0 &&
		    en->value(en->ctx, "objectSid", 0, &wire))
			return sid_from_wire(out, wire, NULL, e);
	}
	if (c->ldap != NULL)
		return ctl_sid_from_name(c, name, out, e);
	return ERR(e, E_DS_NO_SUCH_OBJECT,
	    "no account named '%.60s' in the file (computer accounts end in $)", name);
}

static int
read_principals(struct ctl *c, const struct ctl_args *a, struct lint_request *in, struct err *e)
{
	const char *connector = ctl_arg(a, "connector"), *trust = ctl_arg(a, "trust");
	struct sid *sids = pool_calloc(c->pool, MAX_TRUSTED, sizeof(*sids));
	size_t n = 0;

	if (sids == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for principals");
	if (connector != NULL) {
		if (find_principal(c, in, connector, &sids[n], e) != 0)
			return -1;
		in->connector = &sids[n++];
	}
	while (trust != NULL && *trust != '\0') {
		size_t len = strcspn(trust, ",");
		const char *name = pool_strndup(c->pool, trust, len);

		if (n == MAX_TRUSTED)
			return ERR(e, E_INVALIDARG, "--trust names more than %d principals", MAX_TRUSTED - 1);
		if (name == NULL || find_principal(c, in, name, &sids[n++], e) != 0)
			return -1;
		trust += len + (trust[len] == ',');
	}
	in->trusted = sids;
	in->n_trusted = n;
	return 0;
}

/* The server's clock when there is one: it may have been moved. */
static filetime_t
present(struct ctl *c, const struct ctl_args *a)
{
	filetime_t now = clock_real();
	const char *text;
	struct err e;
	json_t *o;

	if (ctl_arg(a, "against") != NULL || c->uri != NULL)
		return now;
	o = ctl_call(c, "clock.show", NULL, &e);
	text = json_string_value(json_object_get(o, "virtual"));
	if (text != NULL && !filetime_from_text(text, &now))
		now = clock_real();
	json_decref(o);
	return now;
}

/* ---- what is shown, and what it comes to ---- */

static bool
is_ignored(const char *list, const char *id)
{
	while (list != NULL && *list != '\0') {
		size_t len = strcspn(list, ",");

		if (len == strlen(id) && strncasecmp(list, id, len) == 0)
			return true;
		list += len + (list[len] == ',');
	}
	return false;
}

static const char *
unknown_id(struct ctl *c, const char *list)
{
	while (list != NULL && *list != '\0') {
		size_t len = strcspn(list, ",");
		const char *id = pool_strndup(c->pool, list, len);
		const struct lint_rule *r = lint_rules;

		while (id != NULL && r->id != NULL && strcasecmp(r->id, id) != 0)
			r++;
		if (r->id == NULL)
			return id;
		list += len + (list[len] == ',');
	}
	return NULL;
}

struct gate {
	enum lint_severity show, fail;
	bool never;
};

static int
show(struct ctl *c, const struct ctl_args *a, const struct lint_report *report, const struct gate *g)
{
	const struct lint_finding **v = pool_calloc(c->pool, report->n, sizeof(*v));
	struct ctl_lint_view view = { c, v, 0, report, ctl_arg(a, "against"), 0 };
	const char *format = ctl_arg(a, "format"), *ignore = ctl_arg(a, "ignore");
	bool failed = false;
	int rc;

	if (v == NULL)
		return CTL_FAILURE;
	for (size_t i = 0; i < report->n; i++) {
		const struct lint_finding *f = &report->v[i];

		if (is_ignored(ignore, f->rule->id) || f->severity < g->show) {
			view.ignored++;
			failed |= !is_ignored(ignore, f->rule->id) && f->severity >= g->fail;
			continue;
		}
		v[view.n++] = f;
		failed |= f->severity >= g->fail;
	}
	if (format != NULL && strcmp(format, "sarif") == 0)
		rc = ctl_lint_sarif(&view);
	else if (c->json || (format != NULL && strcmp(format, "json") == 0))
		rc = ctl_lint_json(&view);
	else
		rc = ctl_lint_text(&view);
	return rc != CTL_OK ? rc : failed && !g->never ? CTL_DENIED : CTL_OK;
}

static int
check_options(struct ctl *c, const struct ctl_args *a, struct gate *g)
{
	const char *format = ctl_arg(a, "format"), *severity = ctl_arg(a, "severity"),
		   *fail = ctl_arg(a, "fail-on");
	const char *profile = ctl_arg(a, "profile"), *unknown = unknown_id(c, ctl_arg(a, "ignore"));

	if (format != NULL && strcmp(format, "text") != 0 && strcmp(format, "json") != 0 &&
	    strcmp(format, "sarif") != 0)
		return ctl_usage("--format is text, json or sarif, not '%s'", format);
	if (severity != NULL && !lint_severity_from_name(severity, &g->show))
		return ctl_usage("--severity is info, warning or error, not '%s'", severity);
	g->never = fail != NULL && strcmp(fail, "never") == 0;
	if (fail != NULL && !g->never && !lint_severity_from_name(fail, &g->fail))
		return ctl_usage("--fail-on is info, warning, error or never, not '%s'", fail);
	if (profile != NULL && strcmp(profile, "intune-pkcs") != 0)
		return ctl_usage("there is no profile '%s', only intune-pkcs", profile);
	if (profile != NULL && ctl_arg(a, "template") == NULL)
		return ctl_usage("--profile needs --template");
	if (profile == NULL && ctl_arg(a, "connector") != NULL)
		return ctl_usage("--connector needs --profile intune-pkcs (see also --trust)");
	if (unknown != NULL)
		return ctl_usage("there is no finding '%s' to ignore", unknown);
	return CTL_OK;
}

int
ctl_lint(struct ctl *c, const struct ctl_args *a)
{
	struct lint_request in = { .template_name = ctl_arg(a, "template"),
		.pkcs = ctl_arg(a, "profile") != NULL };
	struct gate g = { LINT_INFO, LINT_WARNING, false };
	struct lint_report report;
	json_t *settings = NULL;
	struct err e;
	int rc = check_options(c, a, &g);

	if (rc != CTL_OK)
		return rc;
	if (read_settings(c, a, &settings, &e) != 0 || read_forest(c, a, &in, &e) != 0 ||
	    read_principals(c, a, &in, &e) != 0) {
		json_decref(settings);
		return ctl_fail(c, &e);
	}
	in.settings = settings;
	in.now = present(c, a);
	rc = lint_run_all(&in, c->pool, &report, &e) == 0 ? show(c, a, &report, &g) : ctl_fail(c, &e);
	json_decref(settings);
	return rc;
}
