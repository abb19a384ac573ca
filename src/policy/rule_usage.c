/* Extensions that say what the key is for (MS-WCCE 3.2.2.6.2.1.4.4.1 to 4.4.6, 4.5.5, 4.6). */
#include <string.h>
#include <strings.h>

#include "policy/rule_priv.h"

#define MAX_USAGES 64

static int
put_of_template(struct eval *ev, const char *oid, struct bytes value, const char *what)
{
	if (value.len == 0)
		return rule_skipped(ev, "the template has none");
	return rule_put(ev, oid, rule_listed(ev->t->critical, oid), value, "%s of the template", what);
}

int
apply_key_usage(struct eval *ev)
{
	return put_of_template(ev, OID_KEY_USAGE, ev->t->ext.key_usage, "key usage");
}

int
apply_basic_constraints(struct eval *ev)
{
	bool critical = (ev->ca->edit_flags & EDITF_BASICCONSTRAINTSCRITICAL) ||
	    rule_listed(ev->t->critical, OID_BASIC_CONSTRAINTS);

	if (ev->t->ext.basic_constraints.len == 0)
		return rule_skipped(
		    ev, "no CA template, and flag INCLUDE_BASIC_CONSTRAINTS_FOR_EE_CERTS is clear");
	return rule_put(
	    ev, OID_BASIC_CONSTRAINTS, critical, ev->t->ext.basic_constraints, "basic constraints");
}

/* "OID,OID" of the CertificateUsage attribute; false when a piece is no OID. */
static bool
read_usages(struct eval *ev, const char *value, struct x509_strings *out)
{
	const char **list = pool_calloc(ev->pool, MAX_USAGES, sizeof(*list));
	struct buf body;
	bool ok = list != NULL;

	*out = (struct x509_strings){ list, 0 };
	buf_init(&body, MAX_USAGES * OID_TEXT_MAX);
	while (ok && *value != '\0') {
		size_t len = strcspn(value, ","), blanks = strspn(value, " ");
		const char *oid = blanks < len ? pool_strndup(ev->pool, value + blanks, len - blanks) : NULL;

		ok = oid != NULL && out->n < MAX_USAGES && oid_from_text(&body, oid, NULL) == 0;
		if (ok)
			list[out->n++] = oid;
		value += len + (value[len] == ',');
	}
	buf_fini(&body);
	return ok && out->n > 0;
}

int
apply_extended_key_usage(struct eval *ev)
{
	const char *asked = rule_attribute(ev, "CertificateUsage");
	struct x509_strings usages;
	struct bytes value;

	if (asked == NULL || !(ev->ca->edit_flags & EDITF_ATTRIBUTEEKU))
		return put_of_template(ev, OID_EXTENDED_KEY_USAGE, ev->t->ext.eku, "extended key usage");
	if (!read_usages(ev, asked, &usages)) {
		if (rule_skipped(
			ev, "attribute CertificateUsage ignored: \"%s\" is not a list of OIDs", asked) != 0)
			return -1;
		return put_of_template(ev, OID_EXTENDED_KEY_USAGE, ev->t->ext.eku, "extended key usage");
	}
	x509_ext_eku(&ev->scratch, usages);
	if (rule_keep(ev, &value) != 0)
		return -1;
	return rule_put(ev, OID_EXTENDED_KEY_USAGE, rule_listed(ev->t->critical, OID_EXTENDED_KEY_USAGE),
	    value, "EDITF_ATTRIBUTEEKU: %s, from attribute CertificateUsage", asked);
}

int
apply_application_policies(struct eval *ev)
{
	return put_of_template(
	    ev, OID_APPLICATION_CERT_POLICIES, ev->t->ext.application_policies, "application policies");
}

/*
 * The specification's two numbers for the types fit no BIT STRING; Ours: the bits of Netscape's own
 * description, SSL client 0x80 and SSL server 0x40.
 */
int
apply_netscape_type(struct eval *ev)
{
	static const uint8_t client = 0x80, server = 0x40;
	const char *type = rule_attribute(ev, "CertType");
	bool is_server = type != NULL && strcasecmp(type, "server") == 0;
	struct bytes value;

	if (!ev->request->keygen)
		return rule_skipped(ev, "no KEYGEN request");
	der_put_bits(&ev->scratch, (struct bytes){ is_server ? &server : &client, 1 }, is_server ? 6 : 7);
	if (rule_keep(ev, &value) != 0)
		return -1;
	return rule_put(ev, OID_NETSCAPE_CERT_TYPE, false, value, "SSL %s", is_server ? "server" : "client");
}
