/* Duplicate Template and saving changes: every effect of compatibility.md section 5. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/rng.h"
#include "ctl/compatibility.h"

/* Not carried over: AD keeps them, or the copy gets its own. */
static const char *const own_attributes[] = { "cn", "name", "distinguishedName", "objectGUID", "whenCreated",
	"whenChanged", "uSNCreated", "uSNChanged", "msPKI-Supersede-Templates", "msPKI-Cert-Template-OID" };

static uint32_t
random_arc(void)
{
	uint32_t v;

	rng_system(&v, sizeof(v));
	return v % 16777215 + 1;
}

const char *
ctl_template_name_from_display(struct ctl *c, const char *display)
{
	char *s = pool_strdup(c->pool, display);
	size_t n = 0;

	for (size_t i = 0; s != NULL && s[i] != '\0'; i++)
		if (s[i] != ' ')
			s[n++] = s[i];
	if (s != NULL)
		s[n] = '\0';
	return s;
}

/* A forest where no console has been has no base: the first one makes it (templates.md 8.4). */
static int
make_oid_base(struct ctl *c, const char *container, const char **out, struct err *e)
{
	struct ctl_entry en = { 0 };

	*out = pool_printf(c->pool, "1.3.6.1.4.1.311.21.8.%u.%u.%u.%u.%u.%u", random_arc(), random_arc(),
	    random_arc(), random_arc(), random_arc(), random_arc() % 256);
	if (*out == NULL || ctl_entry_set_text(c, &en, "msPKI-Cert-Template-OID", *out, e) != 0)
		return ERR(e, E_OUTOFMEMORY, "no memory for an OID");
	return ctl_ldap_replace(c, container, en.attrs, en.n_attrs, e);
}

int
ctl_forest_oid_base(struct ctl *c, const char **out, struct err *e)
{
	struct ctl_entry *en;
	size_t n;

	if (ctl_ldap_search(c, ctl_pks_dn(c, "OID"), CTL_BASE, "(objectClass=*)", &en, &n, e) != 0)
		return -1;
	if (n == 0)
		return ERR(e, E_DS_NO_SUCH_OBJECT, "no CN=OID under Public Key Services");
	*out = ctl_entry_text(&en[0], "msPKI-Cert-Template-OID");
	return *out != NULL ? 0 : make_oid_base(c, en[0].dn, out, e);
}

const char *
ctl_template_new_oid(struct ctl *c, struct err *e)
{
	const char *base, *oid;

	if (ctl_forest_oid_base(c, &base, e) != 0)
		return NULL;
	oid = pool_printf(c->pool, "%s.%u.%u", base, random_arc(), random_arc());
	if (oid == NULL)
		ERR(e, E_OUTOFMEMORY, "no memory for an OID");
	return oid;
}

int
ctl_template_add_oid(struct ctl *c, const char *oid, const char *display, struct err *e)
{
	struct ctl_entry en = { 0 };
	struct bytes classes[] = { { (const uint8_t *)"top", 3 },
		{ (const uint8_t *)"msPKI-Enterprise-Oid", 20 } };
	const char *cn;
	struct buf hex;
	uint8_t r[16];

	rng_system(r, sizeof(r));
	buf_init(&hex, 64);
	for (size_t i = 0; i < sizeof(r); i++)
		buf_printf(&hex, "%02X", r[i]);
	cn = pool_printf(c->pool, "%s.%s", strrchr(oid, '.') + 1, buf_cstr(&hex));
	buf_fini(&hex);
	en.dn = pool_printf(c->pool, "CN=%s,%s", cn, ctl_pks_dn(c, "OID"));
	if (ctl_entry_set_bytes(c, &en, "objectClass", classes, 2, e) != 0 ||
	    ctl_entry_set_text(c, &en, "cn", cn, e) != 0 ||
	    ctl_entry_set_text(c, &en, "displayName", display, e) != 0 ||
	    ctl_entry_set_int(c, &en, "flags", 1, e) != 0 ||
	    ctl_entry_set_text(c, &en, "msPKI-Cert-Template-OID", oid, e) != 0)
		return -1;
	return ctl_ldap_add(c, &en, e);
}

/* Source DACL plus Full Control for the creator, who owns the copy; group unchanged, DACL protected. */
static int
set_descriptor(struct ctl *c, struct ctl_entry *en, const struct sid *creator, struct err *e)
{
	struct ctl_attr *a = ctl_entry_attr(en, "nTSecurityDescriptor");
	struct ace full = { .type = ACCESS_ALLOWED_ACE_TYPE, .mask = 0xF00FF, .sid = *creator };
	struct bytes wire;
	struct buf b;
	struct sd sd;
	struct acl *acl;
	int ret = -1;

	if (a == NULL)
		return ERR(e, E_INVALID_DATA, "the source template has no security descriptor");
	if (sd_from_wire(&sd, c->pool, a->values[0], e) != 0)
		return -1;
	if (sd.dacl != NULL) {
		acl = POOL_NEW(c->pool, struct acl);
		if (acl == NULL ||
		    (acl->aces = pool_calloc(c->pool, sd.dacl->n + 1, sizeof(*acl->aces))) == NULL)
			return ERR(e, E_OUTOFMEMORY, "no memory for an access list");
		acl->revision = sd.dacl->revision;
		memcpy(acl->aces, sd.dacl->aces, sd.dacl->n * sizeof(*acl->aces));
		acl->aces[sd.dacl->n] = full;
		acl->n = sd.dacl->n + 1;
		sd.dacl = acl;
	}
	sd.has_owner = true;
	sd.owner = *creator;
	sd.control |= SE_DACL_PROTECTED;
	buf_init(&b, SD_WIRE_MAX);
	if (sd_to_wire(&sd, &b, e) == 0) {
		wire = buf_bytes(&b);
		ret = ctl_entry_set_bytes(c, en, "nTSecurityDescriptor", &wire, 1, e);
	}
	buf_fini(&b);
	return ret;
}

static int
add_critical_obsolete_san(struct ctl *c, struct ctl_entry *en, struct err *e)
{
	struct ctl_attr *a = ctl_entry_attr(en, "pKICriticalExtensions");
	struct bytes v[32];
	size_t n = a != NULL ? a->n : 0;

	if (n >= ARRAY_LEN(v))
		return ERR(e, E_INVALID_DATA, "more than %zu critical extensions", ARRAY_LEN(v) - 1);
	for (size_t i = 0; i < n; i++) {
		v[i] = a->values[i];
		if (strcmp((const char *)v[i].p, "2.5.29.7") == 0)
			return 0;
	}
	v[n++] = (struct bytes){ (const uint8_t *)"2.5.29.7", 8 };
	return ctl_entry_set_bytes(c, en, "pKICriticalExtensions", v, n, e);
}

/* What a first save writes besides the controls. */
static int
first_save(struct ctl *c, struct ctl_entry *en, struct err *e)
{
	uint32_t nf = (uint32_t)ctl_entry_int(en, "msPKI-Certificate-Name-Flag", 0);
	uint32_t gf = (uint32_t)ctl_entry_int(en, "flags", 0);
	struct ctl_attr *eku = ctl_entry_attr(en, "pKIExtendedKeyUsage");

	if (eku != NULL &&
	    ctl_entry_set_bytes(c, en, "msPKI-Certificate-Application-Policy", eku->values, eku->n, e) != 0)
		return -1;
	if ((nf &
		(CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT | CT_FLAG_SUBJECT_REQUIRE_DIRECTORY_PATH |
		    CT_FLAG_SUBJECT_REQUIRE_COMMON_NAME | CT_FLAG_SUBJECT_REQUIRE_DNS_AS_CN |
		    CT_FLAG_SUBJECT_REQUIRE_EMAIL)) == 0 &&
	    add_critical_obsolete_san(c, en, e) != 0)
		return -1;
	gf = (gf & ~(uint32_t)CT_FLAG_IS_DEFAULT) | CT_FLAG_IS_MODIFIED;
	if (ctl_entry_set_int(c, en, "flags", gf, e) != 0 ||
	    ctl_entry_set_int(c, en, "revision", 100, e) != 0)
		return -1;
	return ctl_entry_set_int(c, en, "msPKI-Template-Minor-Revision", 2, e);
}

static int
build_copy(struct ctl *c, const struct ctl_entry *source, const char *name, const char *display,
    const struct ctl_args *a, struct ctl_entry *en, struct compatibility_changes *changes, struct err *e)
{
	const char *creator_name = ctl_arg(a, "creator"), *oid;
	struct compatibility before = compatibility_of(source);
	struct sid creator;
	uint8_t guid[16];
	struct bytes guid_bytes = { guid, sizeof(guid) };

	for (size_t i = 0; i < source->n_attrs; i++)
		if (ctl_entry_set_bytes(
			c, en, source->attrs[i].name, source->attrs[i].values, source->attrs[i].n, e) != 0)
			return -1;
	for (size_t i = 0; i < ARRAY_LEN(own_attributes); i++)
		ctl_entry_drop(en, own_attributes[i]);
	en->dn = pool_printf(c->pool, "CN=%s,%s", name, ctl_pks_dn(c, "Certificate Templates"));
	oid = ctl_template_new_oid(c, e);
	if (oid == NULL)
		return -1;
	rng_system(guid, sizeof(guid));
	if (ctl_sid_from_name(c, creator_name != NULL ? creator_name : "LA", &creator, e) != 0)
		return err_prefix(e, "--creator");
	if (ctl_entry_set_text(c, en, "cn", name, e) != 0 ||
	    ctl_entry_set_text(c, en, "name", name, e) != 0 ||
	    ctl_entry_set_text(c, en, "displayName", display, e) != 0 ||
	    ctl_entry_set_text(c, en, "msPKI-Cert-Template-OID", oid, e) != 0 ||
	    ctl_entry_set_bytes(c, en, "objectGUID", &guid_bytes, 1, e) != 0 ||
	    compatibility_first_save(c, en, a, e) != 0 || controls_apply(c, en, a, e) != 0 ||
	    controls_check(c, en, a, e) != 0 || compatibility_enforce(c, en, a, before, changes, e) != 0 ||
	    first_save(c, en, e) != 0)
		return -1;
	return set_descriptor(c, en, &creator, e);
}

const char *
ctl_template_name_check(struct ctl *c, const char *name)
{
	if (*name == '\0' || strlen(name) > 64)
		return "a template name has 1 to 64 characters";
	if (strpbrk(name, ",+\"\\<>;=#/") != NULL)
		return pool_printf(
		    c->pool, "template name '%.40s' has a character that a name may not have", name);
	return NULL;
}

/* --show-resulting-changes: prints, saves nothing. */
static int
show_changes(struct ctl *c, struct compatibility_changes *changes)
{
	int rc = CTL_OK;

	if (c->json)
		rc = ctl_print_json(json_pack("{s:O, s:O, s:O}", "added", changes->added, "removed",
		    changes->removed, "switchedOff", changes->cleared));
	else
		compatibility_changes_print(changes);
	compatibility_changes_free(changes);
	return rc;
}

int
ctl_template_duplicate(struct ctl *c, const struct ctl_args *a)
{
	const char *display = ctl_arg(a, "display-name"), *name = ctl_arg(a, "name"), *bad;
	struct compatibility_changes changes = { NULL, NULL, NULL };
	struct ctl_entry *source, copy = { 0 };
	struct err e;
	int rc;

	if (controls_check_values(c, a) != CTL_OK)
		return CTL_USAGE;
	if (ctl_template_find(c, a->positional[0], &source, &e) != 0)
		return ctl_fail(c, &e);
	if (display == NULL)
		display = pool_printf(c->pool, "Copy of %s", ctl_entry_text(source, "displayName"));
	if (name == NULL)
		name = ctl_template_name_from_display(c, display);
	bad = ctl_template_name_check(c, name);
	if (bad != NULL)
		return ctl_usage("%s", bad);
	rc = build_copy(c, source, name, display, a, &copy, &changes, &e);
	if (rc == 0 && ctl_arg(a, "show-resulting-changes") != NULL)
		return show_changes(c, &changes);
	compatibility_changes_free(&changes);
	/* The OID object first: if the template cannot be added, a spare OID does no harm; the reverse would.
	 */
	if (rc != 0 ||
	    ctl_template_add_oid(c, ctl_entry_text(&copy, "msPKI-Cert-Template-OID"), display, &e) != 0 ||
	    ctl_ldap_add(c, &copy, &e) != 0)
		return ctl_fail(c, &e);
	if (c->json)
		return ctl_print_json(json_pack("{s:s, s:s, s:s, s:i}", "name", name, "displayName", display,
		    "oid", ctl_entry_text(&copy, "msPKI-Cert-Template-OID"), "schemaVersion",
		    ctl_entry_int(&copy, "msPKI-Template-Schema-Version", 1)));
	printf("%s duplicated as %s (\"%s\"), schema version %d, version 100.2\n",
	    ctl_entry_text(source, "cn"), name, display,
	    ctl_entry_int(&copy, "msPKI-Template-Schema-Version", 1));
	return CTL_OK;
}

/* ---- save ---- */

bool
ctl_attr_equal(const struct ctl_attr *x, const struct ctl_attr *y)
{
	if (x == NULL || y == NULL || x->n != y->n)
		return x == y;
	for (size_t i = 0; i < x->n; i++)
		if (!bytes_equal(x->values[i], y->values[i]))
			return false;
	return true;
}

/* Writes what differs between the stored entry and its edited copy, with the next minor revision. */
static int
save(struct ctl *c, const struct ctl_entry *old, struct ctl_entry *en, json_t *changed, struct err *e)
{
	uint32_t gf = (uint32_t)ctl_entry_int(en, "flags", 0);
	struct ctl_attr changes[2 * CTL_ATTRS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < en->n_attrs; i++)
		if (!ctl_attr_equal(&en->attrs[i], ctl_entry_attr(old, en->attrs[i].name)))
			json_array_append_new(changed, json_string(en->attrs[i].name));
	for (size_t i = 0; i < old->n_attrs; i++)
		if (ctl_entry_attr(en, old->attrs[i].name) == NULL) {
			changes[n++] = (struct ctl_attr){ old->attrs[i].name, NULL, 0 };
			json_array_append_new(changed, json_string(old->attrs[i].name));
		}
	if (json_array_size(changed) == 0)
		return 0;
	if (ctl_entry_set_int(
		c, en, "flags", (gf & ~(uint32_t)CT_FLAG_IS_DEFAULT) | CT_FLAG_IS_MODIFIED, e) != 0 ||
	    ctl_entry_set_int(c, en, "msPKI-Template-Minor-Revision",
		(uint32_t)ctl_entry_int(old, "msPKI-Template-Minor-Revision", 0) + 1, e) != 0)
		return -1;
	for (size_t i = 0; i < en->n_attrs; i++)
		if (!ctl_attr_equal(&en->attrs[i], ctl_entry_attr(old, en->attrs[i].name)))
			changes[n++] = en->attrs[i];
	return ctl_ldap_replace(c, old->dn, changes, n, e);
}

static int
report(struct ctl *c, const struct ctl_entry *en, json_t *changed, struct compatibility_changes *changes)
{
	const char *name = ctl_entry_text(en, "cn");
	int major = ctl_entry_int(en, "revision", 0),
	    minor = ctl_entry_int(en, "msPKI-Template-Minor-Revision", 0);
	json_t *v;
	size_t i;
	int rc = CTL_OK;

	if (c->json) {
		rc = ctl_print_json(json_pack("{s:s, s:O, s:O, s:i, s:i}", "name", name, "changed", changed,
		    "switchedOff", changes->cleared, "majorRevision", major, "minorRevision", minor));
	} else {
		json_array_foreach(changed, i, v) printf("%s: %s changed\n", name, json_string_value(v));
		json_array_foreach(changes->cleared, i, v)
		    printf("%s: %s: switched off, the compatibility levels do not have it\n", name,
			json_string_value(v));
		if (json_array_size(changed) == 0)
			printf("%s: nothing to change\n", name);
		else
			printf("%s: version %d.%d\n", name, major, minor);
	}
	json_decref(changed);
	compatibility_changes_free(changes);
	return rc;
}

int
ctl_template_set(struct ctl *c, const struct ctl_args *a)
{
	struct compatibility_changes changes = { NULL, NULL, NULL };
	json_t *changed = json_array();
	struct ctl_entry *old, en = { 0 };
	struct err e;
	int rc;

	if (controls_check_values(c, a) != CTL_OK) {
		json_decref(changed);
		return CTL_USAGE;
	}
	rc = ctl_template_find(c, a->positional[0], &old, &e);
	if (rc == 0 && ctl_entry_int(old, "msPKI-Template-Schema-Version", 1) == 1)
		rc = ERR(&e, E_INVALIDARG,
		    "%.60s has schema version 1: only its Security tab can be edited; duplicate it first",
		    a->positional[0]);
	for (size_t i = 0; rc == 0 && i < old->n_attrs; i++)
		rc = ctl_entry_set_bytes(
		    c, &en, old->attrs[i].name, old->attrs[i].values, old->attrs[i].n, &e);
	if (rc == 0 &&
	    (compatibility_save(c, &en, a, &e) != 0 || controls_apply(c, &en, a, &e) != 0 ||
		controls_check(c, &en, a, &e) != 0 ||
		compatibility_enforce(c, &en, a, compatibility_of(old), &changes, &e) != 0))
		rc = -1;
	if (rc == 0 && ctl_arg(a, "show-resulting-changes") != NULL) {
		json_decref(changed);
		return show_changes(c, &changes);
	}
	if (rc != 0 || save(c, old, &en, changed, &e) != 0) {
		json_decref(changed);
		compatibility_changes_free(&changes);
		return ctl_fail(c, &e);
	}
	return report(c, &en, changed, &changes);
}

/* Reenroll All Certificate Holders: the next major revision, which autoenrollment takes for a new template.
 */
int
ctl_template_reenroll(struct ctl *c, const struct ctl_args *a)
{
	struct ctl_entry *old, en = { 0 };
	struct err e;
	uint32_t major;

	if (ctl_template_find(c, a->positional[0], &old, &e) != 0)
		return ctl_fail(c, &e);
	major = (uint32_t)ctl_entry_int(old, "revision", 0) + 1;
	if (ctl_entry_set_int(c, &en, "revision", major, &e) != 0 ||
	    ctl_entry_set_int(c, &en, "msPKI-Template-Minor-Revision", 0, &e) != 0 ||
	    ctl_ldap_replace(c, old->dn, en.attrs, en.n_attrs, &e) != 0)
		return ctl_fail(c, &e);
	if (c->json)
		return ctl_print_json(json_pack("{s:s, s:i, s:i}", "name", ctl_entry_text(old, "cn"),
		    "majorRevision", (int)major, "minorRevision", 0));
	printf("%s is now version %u.0: holders of its certificates enroll again\n",
	    ctl_entry_text(old, "cn"), major);
	return CTL_OK;
}
