/*
 * Extensions that tell about keys and revocation (MS-WCCE 3.2.1.4.2.1.4.7, 3.2.2.6.2.1.4.5.6; issuance.md
 * section 4).
 */
#include "policy/rule_priv.h"

#define OID_KP_OCSP_SIGNING "1.3.6.1.5.5.7.3.9"

static const struct x509_strings none;
static const struct bytes nothing;

int
apply_subject_key_id(struct eval *ev)
{
	uint8_t id[20];
	struct bytes value;

	x509_key_id(&ev->request->key, id);
	x509_ext_key_id(&ev->scratch, (struct bytes){ id, sizeof(id) });
	if (rule_keep(ev, &value) != 0)
		return -1;
	return rule_put(ev, OID_SUBJECT_KEY_IDENTIFIER, false, value, "SHA-1 of the public key");
}

/* Name and serial number are two bits: one alone is written as asked, though RFC 5280 wants both or neither.
 */
int
apply_authority_key_id(struct eval *ev)
{
	uint32_t flags = ev->ca->edit_flags;
	bool by_key = (flags & EDITF_ENABLEAKIKEYID) != 0;
	struct bytes key_id = by_key ? ev->ca->ca_key_id : nothing;
	struct bytes issuer = (flags & EDITF_ENABLEAKIISSUERNAME) != 0 ? ev->ca->ca_issuer : nothing;
	struct bytes serial = (flags & EDITF_ENABLEAKIISSUERSERIAL) != 0 ? ev->ca->ca_serial : nothing;
	struct bytes value;

	if (key_id.len + issuer.len + serial.len == 0)
		return rule_skipped(ev, "%s",
		    by_key ? "the CA certificate has no subject key identifier"
			   : "EDITF_ENABLEAKIKEYID, AKIISSUERNAME and AKIISSUERSERIAL are off");
	x509_ext_authority_key(&ev->scratch, key_id, issuer, serial);
	if (rule_keep(ev, &value) != 0)
		return -1;
	return rule_put(ev, OID_AUTHORITY_KEY_IDENTIFIER, (flags & EDITF_ENABLEAKICRITICAL) != 0, value,
	    "of the CA certificate:%s%s%s", key_id.len > 0 ? " key identifier" : "",
	    issuer.len > 0 ? " issuer" : "", serial.len > 0 ? " serial number" : "");
}

/* A responder's own certificate is not checked for revocation: RFC 6960 4.2.2.2.1. Schema 1 has no
 * application policies. */
static bool
is_ocsp_nocheck(const struct policy_template *t)
{
	return t->schema_version >= 2 && (t->enrollment_flags & CT_FLAG_ADD_OCSP_NOCHECK) &&
	    rule_listed(t->application_policies, OID_KP_OCSP_SIGNING);
}

int
apply_crl_distribution_points(struct eval *ev)
{
	struct bytes value;

	if (is_ocsp_nocheck(ev->t))
		return rule_skipped(ev, "flag ADD_OCSP_NOCHECK leaves it out");
	if (ev->t->enrollment_flags & CT_FLAG_NOREVOCATIONINFOINISSUEDCERTS)
		return rule_skipped(ev, "flag NOREVOCATIONINFOINISSUEDCERTS leaves it out");
	if (ev->ca->cdp_urls.n == 0)
		return rule_skipped(ev, "CRLPublicationURLs has none for certificates");
	x509_ext_crl_distribution_points(&ev->scratch, ev->ca->cdp_urls);
	if (rule_keep(ev, &value) != 0)
		return -1;
	return rule_put(ev, OID_CRL_DISTRIBUTION_POINTS, false, value, "%zu URLs", ev->ca->cdp_urls.n);
}

int
apply_authority_info_access(struct eval *ev)
{
	bool no_ocsp = (ev->t->enrollment_flags & CT_FLAG_NOREVOCATIONINFOINISSUEDCERTS) != 0;
	struct x509_strings ocsp = no_ocsp ? none : ev->ca->ocsp_urls;
	struct bytes value;

	if (is_ocsp_nocheck(ev->t))
		return rule_skipped(ev, "flag ADD_OCSP_NOCHECK leaves it out");
	if (ev->ca->aia_urls.n + ocsp.n == 0)
		return rule_skipped(ev, "CACertPublicationURLs has none for certificates");
	x509_ext_authority_info_access(&ev->scratch, ev->ca->aia_urls, ocsp);
	if (rule_keep(ev, &value) != 0)
		return -1;
	return rule_put(ev, OID_AUTHORITY_INFO_ACCESS, false, value,
	    "%zu CA certificate URLs, %zu OCSP URLs%s", ev->ca->aia_urls.n, ocsp.n,
	    no_ocsp ? " (NOREVOCATIONINFOINISSUEDCERTS)" : "");
}

int
apply_ocsp_nocheck(struct eval *ev)
{
	static const uint8_t null[] = { 0x05, 0x00 };

	if (!is_ocsp_nocheck(ev->t))
		return rule_skipped(
		    ev, "flag ADD_OCSP_NOCHECK is clear, or the template is not for OCSP signing");
	return rule_put(ev, OID_PKIX_OCSP_NOCHECK, false, (struct bytes){ null, sizeof(null) },
	    "flag ADD_OCSP_NOCHECK and application policy OCSP signing");
}
