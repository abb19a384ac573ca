/* ca.rights.*: who may decide about whose requests (OfficerRights), and enroll for whom
 * (EnrollmentAgentRights). */
#include <string.h>
#include <strings.h>

#include "ca/admin_priv.h"

#define SDDL_MAX (1u << 20)

/* Which of the two an argument names. */
static int
which(const struct ca_admin *a, const struct setting **row, const struct restrictions **now, struct err *e)
{
	const char *name;

	if (admin_text(a, "which", &name, e) != 0)
		return -1;
	if (strcmp(name, "officer") == 0) {
		*now = a->ca->live->officers;
		return ca_settings_find("CA\\OfficerRights", row, e);
	}
	if (strcmp(name, "agent") == 0) {
		*now = a->ca->live->agents;
		return ca_settings_find("CA\\EnrollmentAgentRights", row, e);
	}
	return ERR(e, E_INVALIDARG, "'which' is officer or agent, not '%.20s'", name);
}

/* ---- showing ---- */

static json_t *
entry_json(const struct restriction *r)
{
	json_t *subjects = json_array();
	char text[SID_TEXT_MAX];

	for (size_t i = 0; i < r->n_subjects; i++)
		json_array_append_new(subjects, json_string(sid_to_text(&r->subjects[i], text)));
	return json_pack("{s:s, s:s, s:s?, s:o}", "type", r->allow ? "allow" : "deny", "principal",
	    sid_to_text(&r->who, text), "template", *r->template_name != '\0' ? r->template_name : NULL,
	    "subjects", subjects);
}

void
admin_rights_show(struct ca_admin *a)
{
	const struct restrictions *now;
	const struct setting *row;
	struct err e = { 0 };
	struct buf sddl;
	json_t *entries;

	if (which(a, &row, &now, &e) != 0) {
		admin_fail(a, &e);
		return;
	}
	entries = json_array();
	for (size_t i = 0; now != NULL && i < now->n; i++)
		json_array_append_new(entries, entry_json(&now->v[i]));
	buf_init(&sddl, SDDL_MAX);
	if (ca_settings_text(&a->ca->settings, row, &sddl, &e) != 0) {
		json_decref(entries);
		admin_fail(a, &e);
	} else {
		admin_reply(a,
		    json_pack("{s:b, s:s?, s:o}", "restricted", now != NULL, "sddl",
			now != NULL ? buf_cstr(&sddl) : NULL, "entries", entries));
	}
	buf_fini(&sddl);
}

/* ---- changing ---- */

static bool
has_sid(const struct sid *v, size_t n, const struct sid *sid)
{
	for (size_t i = 0; i < n; i++) {
		if (sid_equal(&v[i], sid))
			return true;
	}
	return false;
}

/* a and b, or a without b; in the pool. */
static int
combine(struct restriction *r, struct pool *pool, const struct restriction *by, bool with, struct err *e)
{
	struct sid *v = pool_calloc(pool, r->n_subjects + by->n_subjects, sizeof(*v));
	size_t n = 0;

	if (v == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for restrictions");
	for (size_t i = 0; i < r->n_subjects; i++) {
		if (with || !has_sid(by->subjects, by->n_subjects, &r->subjects[i]))
			v[n++] = r->subjects[i];
	}
	for (size_t i = 0; with && i < by->n_subjects; i++) {
		if (!has_sid(v, n, &by->subjects[i]))
			v[n++] = by->subjects[i];
	}
	r->subjects = v;
	r->n_subjects = n;
	return 0;
}

int
ca_restriction_put(
    struct restriction *v, size_t *n, struct pool *pool, const struct restriction *add, struct err *e)
{
	size_t kept = 0, denials = 0;
	bool merged = false;

	for (size_t i = 0; i < *n; i++) {
		struct restriction r = v[i];
		bool same =
		    sid_equal(&r.who, &add->who) && strcasecmp(r.template_name, add->template_name) == 0;

		if (same && combine(&r, pool, add, r.allow == add->allow, e) != 0)
			return -1;
		merged |= same && r.allow == add->allow;
		if (same && r.n_subjects == 0)
			continue;
		v[kept++] = r;
	}
	*n = kept;
	if (merged)
		return 0;
	while (denials < kept && !v[denials].allow)
		denials++;
	if (add->allow)
		denials = kept;
	memmove(&v[denials + 1], &v[denials], (kept - denials) * sizeof(*v)); /* denials go first */
	v[denials] = *add;
	*n = kept + 1;
	return 0;
}

static int
read_list(
    const struct ca_admin *a, const char *name, const char *none, size_t *n, const char ***out, struct err *e)
{
	const json_t *list = json_object_get(a->args, name);
	size_t have = admin_has(a, name) ? json_array_size(list) : 0;

	if (admin_has(a, name) && (!json_is_array(list) || have == 0))
		return ERR(e, E_INVALIDARG, "%s: '%s' is a list of texts", a->verb_name, name);
	*n = have != 0 ? have : 1;
	*out = pool_calloc(a->pool, *n, sizeof(**out));
	if (*out == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for restrictions");
	(*out)[0] = none;
	for (size_t i = 0; i < have; i++) {
		(*out)[i] = json_string_value(json_array_get(list, i));
		if ((*out)[i] == NULL)
			return ERR(e, E_INVALIDARG, "%s: '%s' is a list of texts", a->verb_name, name);
	}
	return 0;
}

static int
read_subjects(const struct ca_admin *a, struct restriction *r, struct err *e)
{
	const char **names;
	struct sid *sids;

	if (read_list(a, "subjects", "WD", &r->n_subjects, &names, e) != 0)
		return -1;
	sids = pool_calloc(a->pool, r->n_subjects, sizeof(*sids));
	if (sids == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for restrictions");
	for (size_t i = 0; i < r->n_subjects; i++) {
		if (sddl_sid_from_text(&sids[i], names[i], &a->ca->domain, e) != 0)
			return -1;
	}
	r->subjects = sids;
	return 0;
}

static size_t
take_out(const struct ca_admin *a, struct restriction *v, size_t n, const struct sid *who,
    const char *const *templates, size_t n_templates)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		bool gone = sid_equal(&v[i].who, who) && !admin_has(a, "templates");

		for (size_t k = 0; admin_has(a, "templates") && k < n_templates; k++)
			gone |=
			    sid_equal(&v[i].who, who) && strcasecmp(v[i].template_name, templates[k]) == 0;
		if (!gone)
			v[kept++] = v[i];
	}
	return kept;
}

/* The list there is with the change in it. */
static int
edit(struct ca_admin *a, const struct restrictions *now, struct restrictions *out, struct err *e)
{
	struct restriction one = { 0 }, *v;
	size_t n = now != NULL ? now->n : 0, n_templates;
	const char **templates, *what, *who;

	if (admin_text(a, "what", &what, e) != 0 || admin_text(a, "principal", &who, e) != 0 ||
	    sddl_sid_from_text(&one.who, who, &a->ca->domain, e) != 0 || read_subjects(a, &one, e) != 0 ||
	    read_list(a, "templates", "", &n_templates, &templates, e) != 0)
		return -1;
	v = pool_calloc(a->pool, n + n_templates, sizeof(*v));
	if (v == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for restrictions");
	if (n > 0)
		memcpy(v, now->v, n * sizeof(*v));
	*out = (struct restrictions){ v, n };
	if (strcmp(what, "remove") == 0) {
		out->n = take_out(a, v, n, &one.who, templates, n_templates);
		return out->n < n ? 0 : ERR(e, E_INVALIDARG, "there is no such entry for %.60s", who);
	}
	one.allow = strcmp(what, "allow") == 0;
	if (!one.allow && strcmp(what, "deny") != 0)
		return ERR(e, E_INVALIDARG, "'what' is allow, deny or remove, not '%.20s'", what);
	for (size_t i = 0; i < n_templates; i++) {
		one.template_name = templates[i];
		if (ca_restriction_put(v, &n, a->pool, &one, e) != 0)
			return -1;
	}
	out->n = n;
	return 0;
}

static void
on_rights_stored(void *arg, const struct err *e)
{
	if (e != NULL)
		admin_fail(arg, e);
	else
		admin_rights_show(arg);
}

void
admin_rights_change(struct ca_admin *a)
{
	const struct restrictions *now;
	const struct setting *row;
	struct restrictions changed;
	struct err e = { 0 };
	struct buf sddl;
	struct sd sd;
	int rc;

	buf_init(&sddl, SDDL_MAX);
	rc = which(a, &row, &now, &e);
	if (rc == 0)
		rc = edit(a, now, &changed, &e);
	if (rc == 0)
		rc = restrictions_to_sd(&changed, a->pool, &sd, &e);
	if (rc == 0)
		rc = sd_to_sddl(&sd, &sddl, &a->ca->domain, &e);
	if (rc == 0)
		rc = ca_setting_start(a->ca, row, buf_cstr(&sddl), on_rights_stored, a, &e);
	buf_fini(&sddl);
	if (rc != 0)
		admin_fail(a, &e);
}

/* sddl null: no restriction any more. */
void
admin_rights_set(struct ca_admin *a)
{
	const struct restrictions *now;
	const struct setting *row;
	const char *sddl = "";
	struct err e = { 0 };

	if (which(a, &row, &now, &e) != 0 ||
	    (admin_has(a, "sddl") && admin_text(a, "sddl", &sddl, &e) != 0) ||
	    ca_setting_start(a->ca, row, sddl, on_rights_stored, a, &e) != 0)
		admin_fail(a, &e);
}
