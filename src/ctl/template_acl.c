/* The Security tab: rights in console words on nTSecurityDescriptor (compatibility.md section 6,
 * access-control.md 2). */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "auth/access.h"
#include "ctl/template.h"

static const struct right {
	const char *word;
	uint32_t mask;
	const struct guid *object; /* extended right, or NULL */
} rights[] = {
	{ "Read", 0x20094, NULL },
	{ "Write", 0xC0020, NULL },
	{ "Enroll", ADS_RIGHT_DS_CONTROL_ACCESS, &GUID_ENROLL },
	{ "Autoenroll", ADS_RIGHT_DS_CONTROL_ACCESS, &GUID_AUTOENROLL },
	{ "FullControl", 0xF00FF, NULL },
};

static const struct right *
find_right(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(rights); i++)
		if (strcasecmp(rights[i].word, word) == 0)
			return &rights[i];
	return NULL;
}

static bool
is_deny(const struct ace *a)
{
	return a->type == ACCESS_DENIED_ACE_TYPE || a->type == ACCESS_DENIED_OBJECT_ACE_TYPE;
}

/* Console words an ACE covers. */
static void
put_words(struct buf *out, const struct ace *a)
{
	bool enroll = (a->mask & ADS_RIGHT_DS_CONTROL_ACCESS) != 0;
	const char *sep = "";

	if (a->has_object_type) {
		if (enroll && guid_equal(&a->object_type, &GUID_ENROLL))
			buf_put_str(out, "Enroll");
		else if (enroll && guid_equal(&a->object_type, &GUID_AUTOENROLL))
			buf_put_str(out, "Autoenroll");
		else
			buf_printf(out, "special 0x%x", a->mask);
		return;
	}
	if ((a->mask & 0xF00FF) == 0xF00FF) {
		buf_put_str(out, "Full Control");
		sep = ", ";
	} else {
		if ((a->mask & 0x20094) == 0x20094 || (a->mask & 0x20014) == 0x20014) {
			buf_put_str(out, "Read");
			sep = ", ";
		}
		if ((a->mask & 0xC0020) != 0) {
			buf_printf(
			    out, "%s%s", sep, (a->mask & 0xC0020) == 0xC0020 ? "Write" : "Write (partly)");
			sep = ", ";
		}
	}
	if (enroll) {
		buf_printf(out, "%sEnroll, Autoenroll (all extended rights)", sep);
		sep = ", ";
	}
	if (*sep == '\0')
		buf_printf(out, "special 0x%x", a->mask);
}

static int
load(struct ctl *c, const char *name, struct ctl_entry **en, struct sd *sd, struct err *e)
{
	struct ctl_attr *a;

	if (ctl_template_find(c, name, en, e) != 0)
		return -1;
	a = ctl_entry_attr(*en, "nTSecurityDescriptor");
	if (a == NULL)
		return ERR(e, E_INVALID_DATA, "template %.60s has no security descriptor", name);
	return sd_from_wire(sd, c->pool, a->values[0], e);
}

static int
store(struct ctl *c, const struct ctl_entry *en, const struct sd *sd, struct err *e)
{
	struct ctl_attr change = { "nTSecurityDescriptor", NULL, 1 };
	struct bytes v;
	struct buf b;
	int ret = -1;

	buf_init(&b, SD_WIRE_MAX);
	if (sd_to_wire(sd, &b, e) == 0) {
		v = buf_bytes(&b);
		change.values = &v;
		ret = ctl_ldap_replace(c, en->dn, &change, 1, e);
	}
	buf_fini(&b);
	return ret;
}

/* One descriptor as the Security tab shows it; --json: {"owner", "sddl", "aces"}. */
static int
print_descriptor(struct ctl *c, const struct sd *sd, const char *sddl)
{
	json_t *list = json_array();

	if (!c->json && sd->has_owner)
		printf("Owner: %s\n", ctl_name_from_sid(c, &sd->owner));
	if (!c->json && sd->dacl == NULL)
		puts("no access list: everyone has every right");
	for (size_t i = 0; sd->dacl != NULL && i < sd->dacl->n; i++) {
		const struct ace *ace = &sd->dacl->aces[i];
		const char *who = ctl_name_from_sid(c, &ace->sid), *type = is_deny(ace) ? "Deny" : "Allow";
		struct buf words;

		buf_init(&words, 256);
		put_words(&words, ace);
		if (c->json)
			json_array_append_new(list,
			    json_pack("{s:s, s:s, s:s, s:b}", "type", type, "principal", who, "rights",
				buf_cstr(&words), "inherited", (ace->flags & INHERITED_ACE) != 0));
		else
			printf("%-6s %-40s %s%s\n", type, who, buf_cstr(&words),
			    ace->flags & INHERITED_ACE ? " (inherited)" : "");
		buf_fini(&words);
	}
	if (c->json)
		return ctl_print_json(json_pack("{s:s, s:s, s:o}", "owner",
		    sd->has_owner ? ctl_name_from_sid(c, &sd->owner) : "", "sddl", sddl, "aces", list));
	json_decref(list);
	printf("SDDL: %s\n", sddl);
	return CTL_OK;
}

int
ctl_template_acl_show(struct ctl *c, const struct ctl_args *a)
{
	struct ctl_entry *en;
	struct buf sddl;
	struct sd sd;
	struct err e;
	int rc;

	if (load(c, a->positional[0], &en, &sd, &e) != 0)
		return ctl_fail(c, &e);
	buf_init(&sddl, 1 << 20);
	if (sd_to_sddl(&sd, &sddl, &c->domain, &e) != 0) {
		buf_fini(&sddl);
		return ctl_fail(c, &e);
	}
	if (ctl_arg(a, "sddl") != NULL && !c->json)
		rc = puts(buf_cstr(&sddl)) < 0 ? CTL_FAILURE : CTL_OK;
	else
		rc = print_descriptor(c, &sd, buf_cstr(&sddl));
	buf_fini(&sddl);
	return rc;
}

/* The whole descriptor from SDDL; owner and group stay where the text names none. */
int
ctl_template_acl_set(struct ctl *c, const struct ctl_args *a)
{
	const char *sddl = ctl_arg(a, "sddl");
	struct ctl_entry *en;
	struct sd old, sd;
	struct err e;

	if (sddl == NULL)
		return ctl_usage("--sddl TEXT is needed");
	if (load(c, a->positional[0], &en, &old, &e) != 0 ||
	    sd_from_sddl(&sd, c->pool, sddl, &c->domain, &e) != 0)
		return ctl_fail(c, &e);
	if (!sd.has_owner) {
		sd.has_owner = old.has_owner;
		sd.owner = old.owner;
	}
	if (!sd.has_group) {
		sd.has_group = old.has_group;
		sd.group = old.group;
	}
	if (store(c, en, &sd, &e) != 0)
		return ctl_fail(c, &e);
	return c->json ? ctl_template_acl_show(c, a) : CTL_OK;
}

static bool
same_ace(const struct ace *x, const struct ace *y)
{
	return x->type == y->type && x->flags == y->flags && x->mask == y->mask &&
	    x->has_object_type == y->has_object_type &&
	    (!x->has_object_type || guid_equal(&x->object_type, &y->object_type)) && !x->has_inherited_type &&
	    sid_equal(&x->sid, &y->sid);
}

/* Canonical order: explicit deny, explicit allow, inherited. A new entry goes to the end of its group. */
static int
insert(struct ctl *c, struct sd *sd, const struct ace *ace, struct err *e)
{
	struct acl *acl = POOL_NEW(c->pool, struct acl);
	size_t n = sd->dacl != NULL ? sd->dacl->n : 0, at = 0;

	for (size_t i = 0; i < n; i++) {
		const struct ace *o = &sd->dacl->aces[i];

		if (same_ace(o, ace))
			return 0;
		if (!(o->flags & INHERITED_ACE) && (is_deny(o) || !is_deny(ace)))
			at = i + 1;
	}
	if (acl == NULL || (acl->aces = pool_calloc(c->pool, n + 1, sizeof(*acl->aces))) == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for an access list");
	memcpy(acl->aces, n > 0 ? sd->dacl->aces : acl->aces, at * sizeof(*acl->aces));
	acl->aces[at] = *ace;
	memcpy(acl->aces + at + 1, n > 0 ? sd->dacl->aces + at : acl->aces, (n - at) * sizeof(*acl->aces));
	acl->n = n + 1;
	acl->revision = ace->has_object_type || (sd->dacl != NULL && sd->dacl->revision == 4) ? 4 : 2;
	sd->dacl = acl;
	sd->control |= SE_DACL_PRESENT;
	return 0;
}

static int
change(struct ctl *c, const struct ctl_args *a, bool deny)
{
	struct ctl_entry *en;
	struct sid who;
	struct sd sd;
	struct err e;

	for (size_t i = 2; i < a->n_positional; i++)
		if (find_right(a->positional[i]) == NULL)
			return ctl_usage(
			    "'%s' is no right of a template (Read, Write, Enroll, Autoenroll, FullControl)",
			    a->positional[i]);
	if (load(c, a->positional[0], &en, &sd, &e) != 0 ||
	    ctl_sid_from_name(c, a->positional[1], &who, &e) != 0)
		return ctl_fail(c, &e);
	for (size_t i = 2; i < a->n_positional; i++) {
		const struct right *r = find_right(a->positional[i]);
		struct ace ace = { .mask = r->mask, .sid = who, .has_object_type = r->object != NULL };

		ace.type = r->object != NULL
		    ? (deny ? ACCESS_DENIED_OBJECT_ACE_TYPE : ACCESS_ALLOWED_OBJECT_ACE_TYPE)
		    : (deny ? ACCESS_DENIED_ACE_TYPE : ACCESS_ALLOWED_ACE_TYPE);
		if (r->object != NULL)
			ace.object_type = *r->object;
		if (insert(c, &sd, &ace, &e) != 0)
			return ctl_fail(c, &e);
	}
	if (store(c, en, &sd, &e) != 0)
		return ctl_fail(c, &e);
	return c->json ? ctl_template_acl_show(c, a) : CTL_OK;
}

int
ctl_template_acl_grant(struct ctl *c, const struct ctl_args *a)
{
	return change(c, a, false);
}

int
ctl_template_acl_deny(struct ctl *c, const struct ctl_args *a)
{
	return change(c, a, true);
}

/* Is this the entry of one of the rights that were named (none named: any)? */
static bool
is_named(const struct ace *ace, const struct ctl_args *a)
{
	for (size_t i = 2; i < a->n_positional; i++) {
		const struct right *r = find_right(a->positional[i]);

		if (ace->has_object_type != (r->object != NULL))
			continue;
		if (r->object != NULL ? guid_equal(&ace->object_type, r->object)
				      : (ace->mask & r->mask) == r->mask)
			return true;
	}
	return a->n_positional == 2;
}

/* Takes the named rights out of an entry: false when nothing is left of it. */
static bool
reduce(struct ace *ace, const struct ctl_args *a)
{
	uint32_t gone = 0;

	if (ace->has_object_type || a->n_positional == 2)
		return false;
	for (size_t i = 2; i < a->n_positional; i++) {
		const struct right *r = find_right(a->positional[i]);

		gone |= r->object == NULL ? r->mask : 0;
	}
	ace->mask &= ~gone;
	return ace->mask != 0;
}

int
ctl_template_acl_remove(struct ctl *c, const struct ctl_args *a)
{
	struct ctl_entry *en;
	struct sid who;
	struct sd sd;
	struct err e;
	size_t n = 0, hit = 0;

	for (size_t i = 2; i < a->n_positional; i++)
		if (find_right(a->positional[i]) == NULL)
			return ctl_usage(
			    "'%s' is no right of a template (Read, Write, Enroll, Autoenroll, FullControl)",
			    a->positional[i]);
	if (load(c, a->positional[0], &en, &sd, &e) != 0 ||
	    ctl_sid_from_name(c, a->positional[1], &who, &e) != 0)
		return ctl_fail(c, &e);
	for (size_t i = 0; sd.dacl != NULL && i < sd.dacl->n; i++) {
		struct ace ace = sd.dacl->aces[i];
		bool mine = sid_equal(&ace.sid, &who) && is_named(&ace, a);

		hit += mine;
		if (!mine || reduce(&ace, a))
			sd.dacl->aces[n++] = ace;
	}
	if (hit == 0) {
		ERR(&e, E_FILE_NOT_FOUND, "%.60s has no such entry of %.60s", a->positional[0],
		    a->positional[1]);
		return ctl_fail(c, &e);
	}
	sd.dacl->n = n;
	if (store(c, en, &sd, &e) != 0)
		return ctl_fail(c, &e);
	return c->json ? ctl_template_acl_show(c, a) : CTL_OK;
}
