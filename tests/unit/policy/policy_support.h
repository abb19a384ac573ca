/*
 * What the policy tests share: a desk with a CA, a caller, a request and templates made from attributes, as the directory
 * would give them. desk_open(), change what the case is about, desk_run(), look, desk_close().
 */
#ifndef TEST_POLICY_SUPPORT_H
#define TEST_POLICY_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/text.h"
#include "policy/policy.h"
#include "x509/name.h"

#define SUPPORT __attribute__((unused)) static

#define DOMAIN_SID "S-1-5-21-1111111111-2222222222-3333333333"
#define FOREST_OID "1.3.6.1.4.1.311.21.8.1111111.2222222.333333.4444444.5555555.6"
#define INTUNE_OID FOREST_OID ".4711001.4711002"
#define ENROLL_GUID "0e10c968-78fb-11d2-90d4-00c04f79dc55"
#define DESK_TEMPLATES 4
#define DESK_ATTRIBUTES 512 /* of all templates */

struct desk_value {
	int template;
	const char *name; /* NULL: taken away */
	struct bytes value;
};

struct desk {
	struct pool *pool;
	struct policy_ca ca;
	struct token *caller;
	struct x509_request request;
	struct policy_subject subject;
	struct policy_attribute attributes[8];
	struct desk_value values[DESK_ATTRIBUTES];
	size_t n_values;
	struct policy_template templates[DESK_TEMPLATES];
	size_t n_templates;
	const char *published_names[DESK_TEMPLATES + 1];
	struct x509_strings published;
	struct policy_input in;
	struct policy_result out;
	struct err e;
};

SUPPORT const struct sddl_domain *
desk_domain(void)
{
	static struct sddl_domain d;
	struct err e;

	if (d.domain.n_sub == 0 && sid_from_text(&d.domain, DOMAIN_SID, &e) != 0)
		fail_msg("%s", e.msg);
	d.root = d.domain;
	return &d;
}

SUPPORT struct bytes
desk_keep(struct desk *d, struct buf *b)
{
	struct bytes out;

	assert_true(buf_ok(b));
	assert_int_equal(pool_dup_bytes(d->pool, buf_bytes(b), &out), 0);
	buf_fini(b);
	return out;
}

SUPPORT struct bytes
desk_hex(struct desk *d, const char *hex)
{
	struct buf b;

	buf_init(&b, 1 << 16);
	if (text_parse_hex(&b, hex, &d->e) != 0)
		fail_msg("%s", d->e.msg);
	return desk_keep(d, &b);
}

/* ---- templates ---- */

/* Periods and key usage are written in hex, the descriptor in SDDL. */
SUPPORT struct bytes
attribute_octets(struct desk *d, const char *name, const char *value)
{
	struct buf b;
	struct sd sd;

	if (strcmp(name, "pKIKeyUsage") == 0 || strcmp(name, "pKIExpirationPeriod") == 0 ||
	    strcmp(name, "pKIOverlapPeriod") == 0)
		return desk_hex(d, value);
	buf_init(&b, 1 << 20);
	if (strcmp(name, "nTSecurityDescriptor") == 0) {
		if (sd_from_sddl(&sd, d->pool, value, desk_domain(), &d->e) != 0 ||
		    sd_to_wire(&sd, &b, &d->e) != 0)
			fail_msg("%s: %s", value, d->e.msg);
	} else {
		buf_put_str(&b, value);
	}
	return desk_keep(d, &b);
}

SUPPORT void
desk_add_to(struct desk *d, int template, const char *name, const char *value)
{
	assert_true(d->n_values < DESK_ATTRIBUTES);
	d->values[d->n_values++] =
	    (struct desk_value){ template, pool_strdup(d->pool, name), attribute_octets(d, name, value) };
}

SUPPORT void
desk_unset(struct desk *d, const char *name)
{
	for (size_t i = 0; i < d->n_values; i++)
		if (d->values[i].name != NULL && d->values[i].template == 0 &&
		    strcmp(d->values[i].name, name) == 0)
			d->values[i].name = NULL;
}

/* One more value, or the only value, of an attribute of the first template. */
SUPPORT void
desk_add(struct desk *d, const char *name, const char *value)
{
	desk_add_to(d, 0, name, value);
}

SUPPORT void
desk_set(struct desk *d, const char *name, const char *value)
{
	desk_unset(d, name);
	desk_add(d, name, value);
}

/* As the Microsoft how-to for Intune PKCS leaves it. */
static const char *const intune_rows[][2] = {
	{ "cn", "IntunePKCS" },
	{ "displayName", "Intune PKCS" },
	{ "flags", "131642" },
	{ "revision", "100" },
	{ "pKIKeyUsage", "a000" },
	{ "pKIMaxIssuingDepth", "0" },
	{ "pKICriticalExtensions", "2.5.29.15" },
	{ "pKIExpirationPeriod", "004039872ee1feff" },
	{ "pKIOverlapPeriod", "0080a60affdeffff" },
	{ "pKIExtendedKeyUsage", "1.3.6.1.4.1.311.10.3.4" },
	{ "pKIExtendedKeyUsage", "1.3.6.1.5.5.7.3.4" },
	{ "pKIExtendedKeyUsage", "1.3.6.1.5.5.7.3.2" },
	{ "pKIDefaultCSPs", "1,Microsoft Enhanced Cryptographic Provider v1.0" },
	{ "msPKI-RA-Signature", "0" },
	{ "msPKI-Enrollment-Flag", "8" },
	{ "msPKI-Private-Key-Flag", "50528272" },
	{ "msPKI-Certificate-Name-Flag", "1" },
	{ "msPKI-Minimal-Key-Size", "2048" },
	{ "msPKI-Template-Schema-Version", "2" },
	{ "msPKI-Template-Minor-Revision", "3" },
	{ "msPKI-Cert-Template-OID", INTUNE_OID },
	{ "msPKI-Certificate-Application-Policy", "1.3.6.1.4.1.311.10.3.4" },
	{ "msPKI-Certificate-Application-Policy", "1.3.6.1.5.5.7.3.4" },
	{ "msPKI-Certificate-Application-Policy", "1.3.6.1.5.5.7.3.2" },
	{ "nTSecurityDescriptor",
	    "O:EAG:EAD:PAI(OA;;CR;" ENROLL_GUID ";;" DOMAIN_SID "-1104)(OA;;RPWPCR;" ENROLL_GUID
	    ";;DA)(A;;CCDCLCSWRPWPDTLOSDRCWDWO;;;DA)(A;;LCRPLORC;;;AU)" },
};

SUPPORT void
add_json_value(struct desk *d, int template, const char *name, const json_t *v)
{
	static const char base[] = "{forestOidBase}";
	const char *text = json_string_value(v);

	if (json_is_integer(v))
		desk_add_to(
		    d, template, name, pool_printf(d->pool, "%lld", (long long)json_integer_value(v)));
	else if (strncmp(text, base, strlen(base)) == 0)
		desk_add_to(d, template, name, pool_printf(d->pool, FOREST_OID "%s", text + strlen(base)));
	else
		desk_add_to(d, template, name, text);
}

/* A built-in template by the values of templates/default-templates.json. */
SUPPORT void
add_builtin(struct desk *d, int template, const char *cn)
{
	json_t *all = json_load_file("templates/default-templates.json", 0, NULL), *t, *v, *item;
	const char *name;
	size_t i, j;
	bool found = false;

	assert_non_null(all);
	json_array_foreach(json_object_get(all, "templates"), i, t)
	{
		json_t *attributes = json_object_get(t, "attributes");

		if (strcmp(json_string_value(json_object_get(attributes, "cn")), cn) != 0)
			continue;
		found = true;
		json_object_foreach(attributes, name, v)
		{
			if (!json_is_array(v))
				add_json_value(d, template, name, v);
			else
				json_array_foreach(v, j, item) add_json_value(d, template, name, item);
		}
		add_json_value(d, template, "nTSecurityDescriptor", json_object_get(t, "sddl"));
	}
	json_decref(all);
	if (!found)
		fail_msg("no built-in template %s", cn);
}

/* The first template is the one that desk_set() changes. */
SUPPORT void
desk_template(struct desk *d, const char *cn)
{
	int template = (int)d->n_templates++;

	assert_true(template <DESK_TEMPLATES);
	d->published_names[d->published.n++] = pool_strdup(d->pool, cn);
	if (strcmp(cn, "IntunePKCS") != 0) {
		add_builtin(d, template, cn);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(intune_rows); i++)
		desk_add_to(d, template, intune_rows[i][0], intune_rows[i][1]);
}

struct desk_source {
	const struct desk *d;
	int template;
};

SUPPORT bool
desk_value(const void *ctx, const char *attr, size_t i, struct bytes *out)
{
	const struct desk_source *s = ctx;

	for (size_t k = 0; k < s->d->n_values; k++) {
		const struct desk_value *v = &s->d->values[k];

		if (v->name == NULL || v->template != s->template || strcmp(v->name, attr) != 0 || i-- > 0)
			continue;
		*out = v->value;
		return true;
	}
	return false;
}

SUPPORT int
desk_decode(struct desk *d, int template)
{
	struct desk_source source = { d, template };
	struct policy_attrs attrs = { &source, desk_value, "CN=x,CN=Certificate Templates" };

	return policy_template_decode(&d->templates[template], d->pool, &attrs, &d->e);
}

/* ---- the request ---- */

SUPPORT void
desk_attribute(struct desk *d, const char *name, const char *value)
{
	assert_true(d->in.n_attributes < ARRAY_LEN(d->attributes));
	d->attributes[d->in.n_attributes++] = (struct policy_attribute){ name, value };
}

/* NULL takes it away. */
SUPPORT void
desk_names_template(struct desk *d, const char *name)
{
	d->in.n_attributes = 0;
	if (name != NULL)
		desk_attribute(d, "CertificateTemplate", name);
}

SUPPORT void
desk_extension(struct desk *d, const char *oid, bool critical, const char *hex)
{
	struct x509_extension *x = (struct x509_extension *)(uintptr_t)d->request.extensions;
	struct buf b;

	if (x == NULL)
		d->request.extensions = x = pool_calloc(d->pool, X509_MAX_EXTENSIONS, sizeof(*x));
	assert_true(d->request.n_extensions < X509_MAX_EXTENSIONS);
	buf_init(&b, 1024);
	if (oid_from_text(&b, oid, &d->e) != 0)
		fail_msg("%s", d->e.msg);
	x[d->request.n_extensions++] =
	    (struct x509_extension){ desk_keep(d, &b), critical, desk_hex(d, hex) };
}

/* Splits a Name as the request reader does. */
SUPPORT void
desk_subject_der(struct desk *d, struct bytes name)
{
	struct der in = der_over(name), rdns, set, pair;
	struct der_item value;
	unsigned n = 0;

	d->request.subject = name;
	d->request.rdns = pool_calloc(d->pool, X509_MAX_RDNS, sizeof(*d->request.rdns));
	d->request.n_rdns = 0;
	assert_int_equal(der_enter(&in, DER_SEQUENCE, &rdns, "name", &d->e), 0);
	for (; !der_at_end(&rdns); n++) {
		assert_int_equal(der_enter(&rdns, DER_SET, &set, "set", &d->e), 0);
		while (!der_at_end(&set)) {
			struct x509_rdn *r = &d->request.rdns[d->request.n_rdns++];

			assert_int_equal(der_enter(&set, DER_SEQUENCE, &pair, "pair", &d->e), 0);
			assert_int_equal(der_get_oid(&pair, &r->oid, "type", &d->e), 0);
			assert_int_equal(der_next(&pair, &value, "value", &d->e), 0);
			r->tag = value.tag;
			r->value = value.body;
			r->set = n;
		}
	}
}

SUPPORT struct bytes
desk_name(struct desk *d, const char *dn)
{
	struct buf b;

	buf_init(&b, 1 << 16);
	if (x509_name_from_dn(&b, dn, &d->e) != 0)
		fail_msg("%s: %s", dn, d->e.msg);
	return desk_keep(d, &b);
}

SUPPORT void
desk_subject(struct desk *d, const char *dn)
{
	desk_subject_der(d, desk_name(d, dn));
}

/* SAN with one dNSName "device.contoso.com" */
#define SAN_DEVICE                                                                                           \
	"30148212"                                                                                           \
	"6465766963652e636f6e746f736f2e636f6d"

/* ---- the caller ---- */

SUPPORT struct token *
desk_token(const char *account, const char *const *sids)
{
	struct token *t = token_new(account, "CN=x,DC=corp,DC=contoso,DC=com", NULL, false);
	struct err e;
	struct sid s;

	assert_non_null(t);
	for (size_t i = 0; sids[i] != NULL; i++)
		if (sddl_sid_from_text(&s, sids[i], desk_domain(), &e) != 0 ||
		    token_add(t, &s, i == 0 ? TOKEN_VIA_USER : TOKEN_VIA_GROUP, sids[i], &e) != 0)
			fail_msg("%s: %s", sids[i], e.msg);
	return t;
}

/* Into a token of its own: sids ends with NULL, the first is the account's. */
SUPPORT void
desk_caller(struct desk *d, const char *account, const char *const *sids)
{
	token_unref(d->caller);
	d->caller = desk_token(account, sids);
	d->in.caller = d->caller;
}

/* ---- the whole ---- */

static const char *const default_subject_template[] = { "EMail", "CommonName", "OrganizationalUnit",
	"Organization", "Locality", "State", "DomainComponent", "Country" };
static const char *const default_request_extensions[] = { "1.2.840.113549.1.9.15", "1.3.6.1.4.1.311.21.1",
	"1.3.6.1.4.1.311.21.2", "2.5.29.15", "1.3.6.1.4.1.311.10.9.1", "1.3.6.1.4.1.311.20.2",
	"1.3.6.1.4.1.311.21.7", "1.3.6.1.4.1.311.21.10", "1.3.6.1.4.1.311.21.11", "1.3.6.1.4.1.311.21.12",
	"2.5.29.17", "2.5.29.30", "2.5.29.32", "2.5.29.33", "2.5.29.36", "2.5.29.37" };
static const char *const default_cdp[] = {
	"ldap:///CN=Contoso,CN=ca01,CN=CDP?certificateRevocationList?base?objectClass=cRLDistributionPoint"
};
static const char *const default_aia[] = {
	"ldap:///CN=Contoso,CN=AIA?cACertificate?base?objectClass=certificationAuthority"
};

#define STRINGS(array)                                                                                       \
	{                                                                                                    \
		(array), ARRAY_LEN(array)                                                                    \
	}

SUPPORT filetime_t
at(const char *text)
{
	filetime_t t;

	if (!filetime_from_text(text, &t))
		fail_msg("%s is no time", text);
	return t;
}

SUPPORT void
desk_ca(struct desk *d)
{
	d->ca = (struct policy_ca){
		.edit_flags = 0x11014e,
		.request_disposition = 1,
		.clock_skew = 10 * FILETIME_MINUTE,
		.validity_months = 24,
		.ca_version = 6,
		.ca_name = "Contoso Certification Authority",
		.ca_not_before = at("2026-01-01T00:00:00Z"),
		.ca_not_after = at("2036-01-01T00:00:00Z"),
		.ca_key_id = desk_hex(d, "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3"),
		.ca_subject = desk_name(d, "CN=Contoso Certification Authority,DC=corp,DC=contoso,DC=com"),
		.ca_issuer = desk_name(d, "CN=Contoso Root"),
		.ca_serial = desk_hex(d, "0102"),
		.cdp_urls = STRINGS(default_cdp),
		.aia_urls = STRINGS(default_aia),
		.enable_request_extensions = STRINGS(default_request_extensions),
		.subject_template = STRINGS(default_subject_template),
		.rdn_reorder = true,
		.enforce_name_lengths = true,
		.critical_san = true,
		.dns_domain = "corp.contoso.com",
		.nb_domain = "CORP",
	};
}

/* The caller is in every group the built-in templates know; the request names the template and has CN=device. */
SUPPORT struct desk *
desk_open(const char *template)
{
	static const char *const sids[] = { DOMAIN_SID "-1104", "DA", "DU", "DC", "DD", "AU", "WD", NULL };
	struct desk *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	d->pool = pool_new(4 << 20);
	desk_ca(d);
	d->caller = desk_token("CORP\\PFXCONN01$", sids);
	desk_subject(d, "CN=device");
	d->request.key = (struct x509_key_info){ X509_KEY_RSA, 2048, NULL, desk_hex(d, "30033001 05"),
		desk_hex(d, "3003020103") };
	d->subject = (struct policy_subject){
		.dn = "CN=Jane Doe,CN=Users,DC=corp,DC=contoso,DC=com",
		.cn = "Jane Doe",
		.upn = "janedoe@contoso.com",
		.mail = "jane@contoso.com",
		.dns_host_name = "ws01.corp.contoso.com",
		.sam = "janedoe",
		.sid_text = DOMAIN_SID "-1104",
		.guid = desk_hex(d, "000102030405060708090a0b0c0d0e0f"),
	};
	d->published.v = d->published_names;
	d->in = (struct policy_input){
		.ca = &d->ca,
		.caller = d->caller,
		.request = &d->request,
		.attributes = d->attributes,
		.templates = d->templates,
		.published = &d->published,
		.subject = &d->subject,
		.now = at("2026-06-01T12:00:00Z"),
	};
	desk_template(d, template);
	desk_attribute(d, "CertificateTemplate", template);
	return d;
}

SUPPORT void
desk_close(struct desk *d)
{
	token_unref(d->caller);
	pool_free(d->pool);
	free(d);
}

SUPPORT void
desk_run(struct desk *d)
{
	for (size_t i = 0; i < d->n_templates; i++)
		if (desk_decode(d, (int)i) != 0)
			fail_msg("template %zu: %s", i, d->e.msg);
	d->in.n_templates = d->n_templates;
	if (policy_evaluate(&d->in, d->pool, &d->out, &d->e) != 0)
		fail_msg("policy_evaluate: %s", d->e.msg);
}

/* The last reason said, which for a refusal is the refusal. */
SUPPORT const struct policy_reason *
last_reason(const struct desk *d)
{
	assert_true(d->out.n_reasons > 0);
	return &d->out.reasons[d->out.n_reasons - 1];
}

/* hr 0: issued. Names the case when it is not as it should be. */
SUPPORT void
expect(const struct desk *d, const char *name, uint32_t hr, int step)
{
	const struct policy_reason *r = last_reason(d);
	uint32_t got = d->out.outcome == POLICY_DENY ? d->out.hr : 0;
	char a[HRESULT_FORMAT_MAX], b[HRESULT_FORMAT_MAX];

	if (got != hr || (hr != 0 && (r->step != step || r->said != POLICY_REFUSE)))
		fail_msg("\"%s\": got %s at step %d (%s), not %s at step %d", name, hresult_format(got, a),
		    r->step, r->text, hresult_format(hr, b), step);
	if (hr != 0) {
		assert_int_equal(d->out.plan.n_extensions, 0);
		assert_null(d->out.issued_info);
	}
}

SUPPORT const struct x509_extension *
find_extension(const struct desk *d, const char *oid)
{
	char text[OID_TEXT_MAX];

	for (size_t i = 0; i < d->out.plan.n_extensions; i++)
		if (oid_to_text(d->out.plan.extensions[i].oid, text) && strcmp(text, oid) == 0)
			return &d->out.plan.extensions[i];
	return NULL;
}

SUPPORT const char *
hex_of(struct desk *d, struct bytes v)
{
	struct buf b;
	const char *out;

	buf_init(&b, 1 << 20);
	text_put_hex(&b, v);
	out = pool_strdup(d->pool, buf_cstr(&b));
	buf_fini(&b);
	return out;
}

/* "2.5.29.17, 2.5.29.15!, ...": a mark behind critical ones. */
SUPPORT const char *
order_of(struct desk *d)
{
	struct buf b;
	const char *out;
	char text[OID_TEXT_MAX];

	buf_init(&b, 1 << 16);
	for (size_t i = 0; i < d->out.plan.n_extensions; i++) {
		assert_true(oid_to_text(d->out.plan.extensions[i].oid, text));
		buf_printf(
		    &b, "%s%s%s", i > 0 ? " " : "", text, d->out.plan.extensions[i].critical ? "!" : "");
	}
	out = pool_strdup(d->pool, buf_cstr(&b));
	buf_fini(&b);
	return out;
}

SUPPORT const char *
subject_text(struct desk *d)
{
	struct buf b;
	const char *out;

	buf_init(&b, 1 << 16);
	assert_int_equal(x509_name_to_text(&b, d->out.plan.subject, &d->e), 0);
	out = pool_strdup(d->pool, buf_cstr(&b));
	buf_fini(&b);
	return out;
}

/* "" when there is none. */
SUPPORT const char *
san_text(struct desk *d)
{
	const struct x509_extension *x = find_extension(d, OID_SUBJECT_ALT_NAME);
	struct buf b;
	const char *out;

	if (x == NULL)
		return "";
	buf_init(&b, 1 << 16);
	assert_int_equal(x509_san_to_text(&b, x->value, &d->e), 0);
	out = pool_strdup(d->pool, buf_cstr(&b));
	buf_fini(&b);
	return out;
}

#endif
