/* access: who may do what, and by which entry of the access list (access-control.md sections 1 to 3). */
#include <stdio.h>
#include <string.h>

#include "auth/access.h"
#include "ctl/admin.h"
#include "ctl/principal.h"
#include "ctl/template.h"

/* A right in console words, and how it is checked. */
struct right {
	const char *word;
	uint32_t mask;
	const struct guid *control; /* an extended right, or NULL */
	bool decides;               /* the exit code of --as */
};
static const struct right template_rights[] = {
	{ "Full Control", 0xF00FF, NULL, false },
	{ "Read", 0x20014, NULL, false },
	{ "Write", 0xC0020, NULL, false },
	{ "Enroll", 0, &GUID_ENROLL, true },
	{ "Autoenroll", 0, &GUID_AUTOENROLL, false },
	{ 0 },
};
static const struct right ca_rights[] = {
	{ "Read", CA_ACCESS_READ, NULL, false },
	{ "Issue and Manage Certificates", CA_ACCESS_OFFICER, NULL, false },
	{ "Manage CA", CA_ACCESS_ADMIN, NULL, false },
	{ "Request Certificates", CA_ACCESS_ENROLL, NULL, true },
	{ 0 },
};

struct object {
	const char *name;
	struct sd sd;
	const struct right *rights;
	bool is_ca;
};

static struct access_verdict
check(const struct object *o, const struct token *t, const struct right *r)
{
	if (r->control != NULL)
		return access_check_control(&o->sd, t, r->control);
	return o->is_ca ? access_check_ca(&o->sd, t, r->mask, NULL) : access_check(&o->sd, t, r->mask, NULL);
}

/* ---- output ---- */

static const char *
ace_text(struct ctl *c, const struct ace *ace)
{
	const char *text = "";
	struct err ignored;
	struct buf b;

	buf_init(&b, 4096);
	if (sd_ace_to_sddl(ace, &b, &c->domain, &ignored) == 0)
		text = pool_strdup(c->pool, buf_cstr(&b));
	buf_fini(&b);
	return text != NULL ? text : "";
}

static const char *
why_text(struct ctl *c, const struct token *t, const struct access_verdict *v)
{
	const char *through;

	if (v->no_dacl)
		return "there is no access list: everyone may";
	if (v->ace == NULL)
		return v->granted ? "the owner's own right" : "no entry allows it";
	through = ctl_name_from_sid(c, &v->ace->sid);
	if (sid_equal(&v->ace->sid, &t->sids[0].sid))
		return ace_text(c, v->ace);
	return pool_printf(c->pool, "%s, through %s", ace_text(c, v->ace), through);
}

/* One principal: every right, granted or not. */
static int
show_one(struct ctl *c, const struct object *o, const struct token *t)
{
	json_t *list = json_array();
	int code = CTL_DENIED;

	if (!c->json)
		printf("%s on %s\n", t->account, o->name);
	for (const struct right *r = o->rights; r->word != NULL; r++) {
		struct access_verdict v = check(o, t, r);
		const char *why = why_text(c, t, &v);

		if (r->decides && v.granted)
			code = CTL_OK;
		if (c->json)
			json_array_append_new(list,
			    json_pack("{s:s, s:b, s:s?, s:s}", "right", r->word, "granted", v.granted, "ace",
				v.ace != NULL ? ace_text(c, v.ace) : NULL, "why", why));
		else
			printf("  %-30s %-4s %s\n", r->word, v.granted ? "yes" : "no", why);
	}
	if (c->json &&
	    ctl_print_json(json_pack(
		"{s:s, s:s, s:o}", "object", o->name, "principal", t->account, "rights", list)) != CTL_OK)
		return CTL_FAILURE;
	if (!c->json)
		json_decref(list);
	return code;
}

/* ---- everybody the list names ---- */

/* A trustee as a token: itself, and what every account is. */
static struct token *
trustee_token(struct ctl *c, const struct sid *sid, struct err *e)
{
	struct token *t = token_new(ctl_name_from_sid(c, sid), "", NULL, false);

	if (t == NULL) {
		ERR(e, E_OUTOFMEMORY, "no memory for a token");
		return NULL;
	}
	if (token_add(t, sid, TOKEN_VIA_USER, NULL, e) == 0 && token_add_well_known(t, 0, e) == 0)
		return t;
	token_unref(t);
	return NULL;
}

static bool
seen_before(const struct acl *acl, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (sid_equal(&acl->aces[k].sid, &acl->aces[i].sid))
			return true;
	}
	return false;
}

static void
show_trustee(struct ctl *c, const struct object *o, const struct token *t, json_t *list)
{
	json_t *rights = json_array();
	const char *who = t->account;

	for (const struct right *r = o->rights; r->word != NULL; r++) {
		struct access_verdict v = check(o, t, r);
		const char *why = why_text(c, t, &v);

		if (!v.granted && v.ace == NULL)
			continue;
		json_array_append_new(rights,
		    json_pack("{s:s, s:b, s:s?, s:s}", "right", r->word, "granted", v.granted, "ace",
			v.ace != NULL ? ace_text(c, v.ace) : NULL, "why", why));
		if (c->json)
			continue;
		printf("%-44s %-6s %-30s %s\n", who, v.granted ? "" : "denied", r->word, why);
		who = "";
	}
	if (!c->json && *who != '\0')
		printf("%-44s %-6s %s\n", who, "", "nothing");
	json_array_append_new(list, json_pack("{s:s, s:o}", "principal", t->account, "rights", rights));
}

static int
show_all(struct ctl *c, const struct object *o)
{
	const struct acl *acl = o->sd.dacl;
	json_t *list = json_array();
	struct err e;

	if (!c->json && o->sd.has_owner)
		printf("%-44s %s\n", "Owner", ctl_name_from_sid(c, &o->sd.owner));
	if (!c->json && acl == NULL)
		puts("There is no access list: everyone has every right.");
	for (size_t i = 0; acl != NULL && i < acl->n; i++) {
		struct token *t;

		if (seen_before(acl, i))
			continue;
		t = trustee_token(c, &acl->aces[i].sid, &e);
		if (t == NULL) {
			json_decref(list);
			return ctl_fail(c, &e);
		}
		show_trustee(c, o, t, list);
		token_unref(t);
	}
	if (c->json)
		return ctl_print_json(json_pack("{s:s, s:s?, s:b, s:o}", "object", o->name, "owner",
		    o->sd.has_owner ? ctl_name_from_sid(c, &o->sd.owner) : NULL, "open", acl == NULL,
		    "principals", list));
	json_decref(list);
	return CTL_OK;
}

/* ---- the object ---- */

static int
load_template(struct ctl *c, const char *name, struct object *o, struct err *e)
{
	struct ctl_entry *en;
	struct ctl_attr *a;

	if (ctl_template_find(c, name, &en, e) != 0)
		return -1;
	o->name = ctl_entry_text(en, "cn");
	o->rights = template_rights;
	a = ctl_entry_attr(en, "nTSecurityDescriptor");
	if (a == NULL) /* as the CA takes it: no descriptor, no check */
		return 0;
	if (sd_from_wire(&o->sd, c->pool, a->values[0], e) != 0)
		return -1;
	access_map_generic_sd(&o->sd);
	return 0;
}

static int
load_ca(struct ctl *c, struct object *o, struct err *e)
{
	json_t *answer;
	const char *sddl;
	int rc;

	if (ctl_ldap_open(c, e) != 0)
		return -1;
	answer = ctl_call(c, "ca.acl.show", NULL, e);
	if (answer == NULL)
		return -1;
	o->name = "the CA";
	o->rights = ca_rights;
	o->is_ca = true;
	sddl = json_string_value(json_object_get(answer, "sddl"));
	rc = sddl != NULL ? sd_from_sddl(&o->sd, c->pool, sddl, &c->domain, e)
			  : ERR(e, E_UNEXPECTED, "the server told no security descriptor");
	json_decref(answer);
	return rc;
}

int
ctl_access(struct ctl *c, const struct ctl_args *a)
{
	bool ca = ctl_arg(a, "ca") != NULL;
	struct object o = { 0 };
	struct token *t;
	struct err e;
	int code;

	if (ca ? a->n_positional != 0 : a->n_positional != 1)
		return ctl_usage("access takes TEMPLATE or --ca");
	if ((ca ? load_ca(c, &o, &e) : load_template(c, a->positional[0], &o, &e)) != 0)
		return ctl_fail(c, &e);
	if (ctl_arg(a, "as") == NULL)
		return show_all(c, &o);
	t = ctl_token_get(c, ctl_arg(a, "as"), &e);
	if (t == NULL)
		return ctl_fail(c, &e);
	code = show_one(c, &o, t);
	token_unref(t);
	return code;
}
