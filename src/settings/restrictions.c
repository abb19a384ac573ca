#include "settings/restrictions.h"

#include <string.h>
#include <strings.h>

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

json_t *
ca_restrictions_to_json(const struct restrictions *now, const char *sddl)
{
	json_t *entries = json_array();

	for (size_t i = 0; now != NULL && i < now->n; i++)
		json_array_append_new(entries, entry_json(&now->v[i]));
	return json_pack("{s:b, s:s?, s:o}", "restricted", now != NULL, "sddl", now != NULL ? sddl : NULL,
	    "entries", entries);
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

static bool
has(const json_t *args, const char *name)
{
	const json_t *v = json_object_get(args, name);

	return v != NULL && !json_is_null(v);
}

static int
read_list(struct pool *pool, const json_t *args, const char *name, const char *none, size_t *n,
    const char ***out, struct err *e)
{
	const json_t *list = json_object_get(args, name);
	size_t given = has(args, name) ? json_array_size(list) : 0;

	if (has(args, name) && (!json_is_array(list) || given == 0))
		return ERR(e, E_INVALIDARG, "'%s' is a list of texts", name);
	*n = given != 0 ? given : 1;
	*out = pool_calloc(pool, *n, sizeof(**out));
	if (*out == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for restrictions");
	(*out)[0] = none;
	for (size_t i = 0; i < given; i++) {
		(*out)[i] = json_string_value(json_array_get(list, i));
		if ((*out)[i] == NULL)
			return ERR(e, E_INVALIDARG, "'%s' is a list of texts", name);
	}
	return 0;
}

static int
read_subjects(struct restriction *r, struct pool *pool, const json_t *args, const struct sddl_domain *domain,
    struct err *e)
{
	const char **names;
	struct sid *sids;

	if (read_list(pool, args, "subjects", "WD", &r->n_subjects, &names, e) != 0)
		return -1;
	sids = pool_calloc(pool, r->n_subjects, sizeof(*sids));
	if (sids == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for restrictions");
	for (size_t i = 0; i < r->n_subjects; i++) {
		if (sddl_sid_from_text(&sids[i], names[i], domain, e) != 0)
			return -1;
	}
	r->subjects = sids;
	return 0;
}

/* templates NULL: every entry of `who`. */
static size_t
take_out(
    struct restriction *v, size_t n, const struct sid *who, const char *const *templates, size_t n_templates)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		bool gone = sid_equal(&v[i].who, who) && templates == NULL;

		for (size_t k = 0; templates != NULL && k < n_templates; k++)
			gone |=
			    sid_equal(&v[i].who, who) && strcasecmp(v[i].template_name, templates[k]) == 0;
		if (!gone)
			v[kept++] = v[i];
	}
	return kept;
}

int
ca_restrictions_edit(struct restrictions *out, const struct restrictions *now, struct pool *pool,
    const json_t *args, const struct sddl_domain *domain, struct err *e)
{
	const char *what = json_string_value(json_object_get(args, "what")),
		   *who = json_string_value(json_object_get(args, "principal")), **templates;
	struct restriction one = { 0 }, *v;
	size_t n = now != NULL ? now->n : 0, n_templates;

	if (what == NULL || who == NULL)
		return ERR(e, E_INVALIDARG, "there must be texts 'what' and 'principal'");
	if (sddl_sid_from_text(&one.who, who, domain, e) != 0 ||
	    read_subjects(&one, pool, args, domain, e) != 0 ||
	    read_list(pool, args, "templates", "", &n_templates, &templates, e) != 0)
		return -1;
	v = pool_calloc(pool, n + n_templates, sizeof(*v));
	if (v == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for restrictions");
	if (n > 0)
		memcpy(v, now->v, n * sizeof(*v));
	*out = (struct restrictions){ v, n };
	if (strcmp(what, "remove") == 0) {
		out->n = take_out(v, n, &one.who, has(args, "templates") ? templates : NULL, n_templates);
		return out->n < n ? 0 : ERR(e, E_INVALIDARG, "there is no such entry for %.60s", who);
	}
	one.allow = strcmp(what, "allow") == 0;
	if (!one.allow && strcmp(what, "deny") != 0)
		return ERR(e, E_INVALIDARG, "'what' is allow, deny or remove, not '%.20s'", what);
	for (size_t i = 0; i < n_templates; i++) {
		one.template_name = templates[i];
		if (ca_restriction_put(v, &n, pool, &one, e) != 0)
			return -1;
	}
	out->n = n;
	return 0;
}
