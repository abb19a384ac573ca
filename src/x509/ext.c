#include "x509/ext.h"

#include <string.h>

#include "base/text.h"

#define URI_NAME DER_CONTEXT(6)

/* qualifiers of RFC 5280 4.2.1.4, access methods of 4.2.2.1 */
#define OID_QUALIFIER_CPS "1.3.6.1.5.5.7.2.1"
#define OID_QUALIFIER_NOTICE "1.3.6.1.5.5.7.2.2"
#define OID_ACCESS_OCSP "1.3.6.1.5.5.7.48.1"
#define OID_ACCESS_CA_ISSUERS "1.3.6.1.5.5.7.48.2"

void
x509_ext_key_usage(struct buf *out, struct bytes raw)
{
	while (raw.len > 0 && raw.p[raw.len - 1] == 0)
		raw.len--;
	der_put_bits(out, raw, raw.len > 0 ? (uint8_t)__builtin_ctz(raw.p[raw.len - 1]) : 0);
}

void
x509_ext_eku(struct buf *out, struct x509_strings oids)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	for (size_t i = 0; i < oids.n; i++)
		der_put_oid(out, oids.v[i]);
	der_close(out, seq);
}

/* MS-WCCE 2.2.2.7.7.3: shaped as certificatePolicies without qualifiers. */
void
x509_ext_application_policies(struct buf *out, struct x509_strings oids)
{
	x509_ext_certificate_policies(out, oids, NULL);
}

void
x509_ext_basic_constraints(struct buf *out, bool ca, int64_t path_len)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	if (ca)
		der_put_bool(out, true);
	if (ca && path_len >= 0)
		der_put_int64(out, path_len);
	der_close(out, seq);
}

void
x509_ext_template_name(struct buf *out, const char *cn)
{
	size_t text = der_open(out, DER_BMP_STRING);

	if (text_utf8_to_bmp(out, cn, strlen(cn), NULL) != 0)
		out->failed = true;
	der_close(out, text);
}

void
x509_ext_template_info(struct buf *out, const char *oid, uint32_t major, uint32_t minor)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	der_put_oid(out, oid);
	der_put_int64(out, major);
	der_put_int64(out, minor);
	der_close(out, seq);
}

void
x509_ext_key_id(struct buf *out, struct bytes key_id)
{
	der_put(out, DER_OCTET_STRING, key_id);
}

void
x509_ext_authority_key_id(struct buf *out, struct bytes key_id)
{
	x509_ext_authority_key(out, key_id, (struct bytes){ NULL, 0 }, (struct bytes){ NULL, 0 });
}

void
x509_ext_authority_key(struct buf *out, struct bytes key_id, struct bytes issuer, struct bytes serial)
{
	size_t seq = der_open(out, DER_SEQUENCE), names;

	if (key_id.len > 0)
		der_put(out, DER_CONTEXT(0), key_id);
	if (issuer.len > 0) {
		names = der_open(out, DER_CONTEXT_CONSTRUCTED(1));
		der_put(out, DER_CONTEXT_CONSTRUCTED(4), issuer); /* directoryName: a CHOICE, so explicit */
		der_close(out, names);
	}
	if (serial.len > 0)
		der_put(out, DER_CONTEXT(2), serial);
	der_close(out, seq);
}

static bool
is_ascii(const char *text)
{
	for (const char *c = text; *c != 0; c++)
		if ((unsigned char)*c >= 0x80)
			return false;
	return true;
}

static void
put_uri(struct buf *out, const char *url)
{
	if (!is_ascii(url))
		out->failed = true; /* IA5String: whoever expands URLs escapes them */
	der_put_text(out, URI_NAME, url);
}

/* Seen: AD CS puts every URL into the fullName of a single DistributionPoint (issuance.md 4). */
void
x509_ext_crl_distribution_points(struct buf *out, struct x509_strings urls)
{
	size_t points = der_open(out, DER_SEQUENCE), point = der_open(out, DER_SEQUENCE);
	size_t name = der_open(out, DER_CONTEXT_CONSTRUCTED(0)),
	       full = der_open(out, DER_CONTEXT_CONSTRUCTED(0));

	for (size_t i = 0; i < urls.n; i++)
		put_uri(out, urls.v[i]);
	der_close(out, full);
	der_close(out, name);
	der_close(out, point);
	der_close(out, points);
}

static void
put_access(struct buf *out, const char *method, struct x509_strings urls)
{
	for (size_t i = 0; i < urls.n; i++) {
		size_t seq = der_open(out, DER_SEQUENCE);

		der_put_oid(out, method);
		put_uri(out, urls.v[i]);
		der_close(out, seq);
	}
}

void
x509_ext_authority_info_access(struct buf *out, struct x509_strings ca_issuers, struct x509_strings ocsp)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	put_access(out, OID_ACCESS_CA_ISSUERS, ca_issuers);
	put_access(out, OID_ACCESS_OCSP, ocsp);
	der_close(out, seq);
}

/* MS-WCCE 2.2.2.7.7.4 prints an OtherName; Seen: it stands in GeneralNames, the SID in an explicit [0]
 * (issuance.md 5). */
void
x509_ext_sid(struct buf *out, const char *sid_text)
{
	size_t seq = der_open(out, DER_SEQUENCE), other = der_open(out, DER_CONTEXT_CONSTRUCTED(0)), value;

	der_put_oid(out, OID_NTDS_OBJECTSID);
	value = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
	der_put_text(out, DER_OCTET_STRING, sid_text);
	der_close(out, value);
	der_close(out, other);
	der_close(out, seq);
}

static void
put_cps(struct buf *out, const char *cps)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	der_put_oid(out, OID_QUALIFIER_CPS);
	der_put_text(out, DER_IA5_STRING, cps);
	der_close(out, seq);
	if (!is_ascii(cps))
		out->failed = true;
}

/* UserNotice { explicitText UTF8String }, as RFC 5280 4.2.1.4 recommends. */
static void
put_notice(struct buf *out, const char *notice)
{
	size_t seq = der_open(out, DER_SEQUENCE), user_notice;

	der_put_oid(out, OID_QUALIFIER_NOTICE);
	user_notice = der_open(out, DER_SEQUENCE);
	der_put_text(out, DER_UTF8_STRING, notice);
	der_close(out, user_notice);
	der_close(out, seq);
	if (!text_is_utf8(notice, strlen(notice)))
		out->failed = true;
}

void
x509_ext_certificate_policies(
    struct buf *out, struct x509_strings oids, const struct x509_policy_qualifiers *qualifiers)
{
	static const struct x509_policy_qualifiers none;
	size_t seq = der_open(out, DER_SEQUENCE);

	for (size_t i = 0; i < oids.n; i++) {
		const struct x509_policy_qualifiers *q = qualifiers != NULL ? &qualifiers[i] : &none;
		size_t policy = der_open(out, DER_SEQUENCE), list;

		der_put_oid(out, oids.v[i]);
		if (q->cps.n + q->notices.n > 0) {
			list = der_open(out, DER_SEQUENCE);
			for (size_t k = 0; k < q->cps.n; k++)
				put_cps(out, q->cps.v[k]);
			for (size_t k = 0; k < q->notices.n; k++)
				put_notice(out, q->notices.v[k]);
			der_close(out, list);
		}
		der_close(out, policy);
	}
	der_close(out, seq);
}
