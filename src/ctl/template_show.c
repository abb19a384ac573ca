/* template show: every attribute decoded, in the order of the console's tabs. */
#include <stdio.h>
#include <string.h>

#include "ctl/compatibility.h"
#include "ctl/ra_properties.h"
#include "ctl/template_attributes.h"

#define MAX_FIELDS 64

/* Text output and --json come from the same list. */
struct view {
	struct ctl *c;
	json_t *json;
	const char *tab;
};

static void
tab(struct view *v, const char *name)
{
	v->tab = name;
	if (!v->c->json)
		printf("\n%s\n", name);
}

static void
field(struct view *v, const char *label, const char *value)
{
	json_t *t;

	if (!v->c->json) {
		printf("  %-42s %s\n", label, value);
		return;
	}
	t = json_object_get(v->json, v->tab);
	if (t == NULL) {
		t = json_object();
		json_object_set_new(v->json, v->tab, t);
	}
	json_object_set_new(
	    t, label + strspn(label, " "), json_string(value)); /* bits are indented for people */
}

/* An attribute that the CA never reads. */
static void
client_field(struct view *v, const char *label, const char *value, const char *what)
{
	field(v, label, pool_printf(v->c->pool, "%s  [client side only: %s]", value, what));
}

static const char *
span_text(struct ctl *c, filetime_t span)
{
	static const struct {
		int64_t days;
		const char *unit;
	} units[] = { { 365, "year" }, { 7, "week" }, { 1, "day" } };

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		int64_t unit = units[i].days * FILETIME_DAY;

		if (span >= unit && span % unit == 0)
			return pool_printf(c->pool, "%lld %s%s", (long long)(span / unit), units[i].unit,
			    span / unit == 1 ? "" : "s");
	}
	return pool_printf(c->pool, "%lld hours", (long long)(span / FILETIME_HOUR));
}

static const char *
oid_list(struct ctl *c, struct x509_strings s)
{
	struct buf b;
	const char *text;

	if (s.n == 0)
		return "(none)";
	buf_init(&b, 65536);
	for (size_t i = 0; i < s.n; i++) {
		const char *name = x509_oid_name(s.v[i]);

		buf_printf(&b, "%s%s%s%s%s", i > 0 ? ", " : "", name != NULL ? name : s.v[i],
		    name != NULL ? " (" : "", name != NULL ? s.v[i] : "", name != NULL ? ")" : "");
	}
	text = pool_strdup(c->pool, buf_cstr(&b));
	buf_fini(&b);
	return text;
}

static const char *
plain_list(struct ctl *c, struct x509_strings s, const char *none)
{
	struct buf b;
	const char *text;

	if (s.n == 0)
		return none;
	buf_init(&b, 65536);
	for (size_t i = 0; i < s.n; i++)
		buf_printf(&b, "%s%s", i > 0 ? "; " : "", s.v[i]);
	text = pool_strdup(c->pool, buf_cstr(&b));
	buf_fini(&b);
	return text;
}

static void
bits(struct view *v, const char *attr, uint32_t value, const struct policy_bit *table,
    uint32_t known_elsewhere)
{
	uint32_t left = value & ~known_elsewhere;

	field(v, attr, pool_printf(v->c->pool, "0x%x (%d)", value, (int32_t)value));
	for (const struct policy_bit *b = table; b->mask != 0; b++) {
		if ((left & b->mask) == 0)
			continue;
		left &= ~b->mask;
		field(v, pool_printf(v->c->pool, "    %s", b->name),
		    pool_printf(v->c->pool, "0x%x%s%s%s%s", b->mask, b->label != NULL ? "  " : "",
			b->label != NULL ? b->label : "", b->client_only ? "  [client side only: " : "",
			b->client_only ? pool_printf(v->c->pool, "%s]",
					     b->client != NULL ? b->client : "not read by the CA")
				       : ""));
	}
	if (left != 0)
		field(v, pool_printf(v->c->pool, "    unknown bits of %s", attr),
		    pool_printf(v->c->pool, "0x%x", left));
}

static const char *
key_usage_text(struct ctl *c, struct bytes ku)
{
	static const char *const names[] = { "Digital signature",
		"Signature is proof of origin (nonrepudiation)", "Key encipherment", "Data encipherment",
		"Key agreement", "Certificate signing", "CRL signing", "Encipher only" };
	struct buf b;
	const char *text;

	if (ku.len == 0 || ku.p[0] == 0)
		return "(none)";
	buf_init(&b, 1024);
	for (unsigned i = 0; i < 8; i++)
		if (ku.p[0] & (0x80 >> i))
			buf_printf(&b, "%s%s", b.len > 0 ? ", " : "", names[i]);
	text = pool_strdup(c->pool, buf_cstr(&b));
	buf_fini(&b);
	return text;
}

static const char *
compatibility_text(struct ctl *c, uint32_t level, bool recipient)
{
	const char *name = compatibility_name(level, recipient);

	return level == 0  ? "(not set)"
	    : name != NULL ? name
			   : pool_printf(c->pool, "unknown level %u", level);
}

static const char *
control_value(struct view *v, const struct ctl_entry *en, const char *option)
{
	return control_get(v->c, en, control_find(option));
}

/* What the client makes its key by. */
static void
show_keys(struct view *v, const struct ctl_entry *en, const struct policy_template *t)
{
	bool ksp = ra_properties_used(en);
	const char *usage = ra_property_get(v->c, en, "msPKI-Key-Usage");

	client_field(v, "Provider Category",
	    ksp ? "Key Storage Provider" : "Legacy Cryptographic Service Provider",
	    "where the key is made; the CA reads from it how msPKI-RA-Application-Policies is written");
	client_field(v, "Algorithm name",
	    t->asymmetric_algorithm != NULL ? t->asymmetric_algorithm : "Determined by CSP",
	    ksp ? "makes a key of this algorithm" : "the provider decides");
	client_field(v, "Providers",
	    plain_list(v->c, t->csps, "any provider available on the subject's computer"),
	    "tries them in this order");
	client_field(v, "Request hash", t->hash_algorithm != NULL ? t->hash_algorithm : "(none)",
	    "signs the request with it");
	client_field(v, "Key spec", pool_printf(v->c->pool, "%d", ctl_entry_int(en, "pKIDefaultKeySpec", 0)),
	    "1: key exchange, 2: signature; legacy providers");
	client_field(v, "Key usage of the private key", usage != NULL ? usage : "(none)",
	    "1 decrypts, 2 signs, 4 agrees, 16777215 all; key storage providers");
	client_field(v, "Key permissions", control_value(v, en, "key-permissions"),
	    "may use the private key besides the enrollee");
	client_field(v, "Advanced symmetric algorithm", control_value(v, en, "advanced-symmetric-algorithm"),
	    "AES-256 instead of 3DES for the archived key");
}

static void
attribute_field(void *arg, const char *name, const char *text)
{
	field(arg, name, text);
}

static void
show(struct view *v, const struct ctl_entry *en, const struct policy_template *t)
{
	struct ctl *c = v->c;
	uint32_t pk = t->private_key_flags;

	tab(v, "General");
	field(v, "Template display name", t->display_name != NULL ? t->display_name : "");
	field(v, "Template name", t->cn);
	field(v, "Validity period", span_text(c, t->validity));
	client_field(
	    v, "Renewal period", span_text(c, t->overlap), "renews that long before the certificate ends");
	field(v, "Schema version", pool_printf(c->pool, "%u", t->schema_version));
	field(v, "Version", pool_printf(c->pool, "%u.%u", t->major, t->minor));
	field(v, "Object identifier", t->oid != NULL ? t->oid : "(none)");
	bits(v, "flags", t->general_flags, policy_general_bits, 0);
	tab(v, "Compatibility");
	field(v, "Certification Authority",
	    compatibility_text(c, (pk & CT_FLAG_SERVER_VERSION_MASK) >> 16, false));
	field(v, "Certificate recipient",
	    compatibility_text(c, (pk & CT_FLAG_CLIENT_VERSION_MASK) >> 24, true));
	tab(v, "Request Handling");
	field(v, "Purpose", control_value(v, en, "purpose"));
	bits(v, "msPKI-Private-Key-Flag", pk, policy_private_key_bits,
	    CT_FLAG_SERVER_VERSION_MASK | CT_FLAG_CLIENT_VERSION_MASK);
	bits(v, "msPKI-Enrollment-Flag", t->enrollment_flags, policy_enrollment_bits, 0);
	tab(v, "Cryptography");
	field(v, "Minimum key size", pool_printf(c->pool, "%u", t->min_key_bits));
	show_keys(v, en, t);
	tab(v, "Subject Name");
	bits(v, "msPKI-Certificate-Name-Flag", t->name_flags, policy_name_bits, 0);
	tab(v, "Issuance Requirements");
	field(v, "CA certificate manager approval",
	    t->enrollment_flags & CT_FLAG_PEND_ALL_REQUESTS ? "yes" : "no");
	field(v, "Authorized signatures", pool_printf(c->pool, "%u", t->ra_signatures));
	field(v, "Signer application policies", oid_list(c, t->ra_application_policies));
	field(v, "Signer issuance policies", oid_list(c, t->ra_policies));
	tab(v, "Superseded Templates");
	client_field(v, "Templates", plain_list(c, t->supersedes, "(none)"),
	    "autoenrollment replaces certificates of these by one of this template");
	tab(v, "Extensions");
	field(v, "Extended key usage", oid_list(c, t->eku));
	field(v, "Application Policies", oid_list(c, t->application_policies));
	field(v, "Issuance Policies", oid_list(c, t->issuance_policies));
	field(v, "Key Usage", key_usage_text(c, t->key_usage));
	field(v, "Critical extensions", plain_list(c, t->critical, "(none)"));
	field(v, "Basic constraints path length",
	    t->max_depth < 0 ? "none" : pool_printf(c->pool, "%d", t->max_depth));
	tab(v, "Attributes");
	ctl_template_attributes(c, en, attribute_field, v);
}

int
ctl_template_show(struct ctl *c, const struct ctl_args *a)
{
	struct view v = { c, NULL, "" };
	struct policy_template t;
	struct ctl_entry *en;
	struct err e;

	if (ctl_template_find(c, a->positional[0], &en, &e) != 0 || ctl_template_decode(c, en, &t, &e) != 0)
		return ctl_fail(c, &e);
	v.json = json_object();
	show(&v, en, &t);
	if (c->json)
		return ctl_print_json(v.json);
	json_decref(v.json);
	tab(&v, "Security");
	return ctl_template_acl_show(c, a);
}
