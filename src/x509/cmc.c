/* What a signed message holds: a PKCS #10, or PKIData (RFC 5272 3.2.1) with controls around one. */
#include <string.h>

#include "base/text.h"
#include "x509/cms_priv.h"

/* MS-WCCE 3.2.1.4.2.1.4.1.2 and 4.1.3 want one code for whatever is wrong with the inner request's shape. */
int
cmc_read_request(struct cms_reader *rd, struct bytes raw, struct err *e)
{
	struct err why = { 0 };

	if (x509_request_parse(rd->request, rd->pool, raw, &why) == 0)
		return 0;
	if (why.hr == CRYPT_E_ASN1_BADTAG || why.hr == CRYPT_E_ASN1_EOD)
		return ERR(e, E_INVALID_DATA, "the message holds no PKCS #10: %s", why.msg);
	if (e != NULL)
		*e = why;
	return -1;
}

/* ---- controls ---- */

/* "Name=Value&Name=Value" in UTF-8 (MS-WCCE 2.2.2.6.3). What is no pair is ignored, like a bad line of
 * pwszAttributes. */
static int
read_reg_info(struct cms_reader *rd, struct bytes value, struct err *e)
{
	struct der d = der_over(value);
	struct der_item item;
	char *text, *next;

	if (der_expect(&d, DER_OCTET_STRING, &item, "regInfo", e) != 0)
		return -1;
	while (
	    item.body.len > 0 && item.body.p[item.body.len - 1] == 0) /* some clients count the terminator */
		item.body.len--;
	if (!text_is_utf8((const char *)item.body.p, item.body.len))
		return ERR(e, E_INVALID_DATA, "regInfo is not UTF-8");
	text = pool_strndup(rd->pool, (const char *)item.body.p, item.body.len);
	if (text == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for regInfo");
	for (; text != NULL; text = next) {
		char *equals;

		next = strchr(text, '&');
		if (next != NULL)
			*next++ = '\0';
		equals = strchr(text, '=');
		if (equals == NULL || equals == text || equals[1] == '\0')
			continue;
		*equals = '\0';
		if (x509_name_values_add(&rd->name_values, rd->pool, text, equals + 1, e) != 0)
			return -1;
	}
	return 0;
}

/* { pkiDataReference, certReferences, the rest }: one request is there, so nothing can be referred to but it.
 */
static int
enter_addition(struct bytes value, struct der *inner, const char *what, struct err *e)
{
	struct der d = der_over(value);
	struct der_item references;
	int64_t pki_data;

	if (der_enter(&d, DER_SEQUENCE, inner, what, e) != 0 || der_get_int64(inner, &pki_data, what, e) != 0)
		return -1;
	return der_expect(inner, DER_SEQUENCE, &references, what, e);
}

/* id-cmc-addExtensions, RFC 5272 6.5.2 */
static int
read_add_extensions(struct cms_reader *rd, struct bytes value, struct err *e)
{
	struct der inner;
	struct der_item extensions;

	if (enter_addition(value, &inner, "addExtensions", e) != 0 ||
	    der_expect(&inner, DER_SEQUENCE, &extensions, "addExtensions", e) != 0)
		return -1;
	return x509_request_add_extensions(rd->request, rd->pool, extensions.raw, e);
}

/* szOID_CMC_ADD_ATTRIBUTES. Seen: the same layout in a Windows CA's response (MS-WSTEP 4). */
static int
read_add_attributes(struct cms_reader *rd, struct bytes value, struct err *e)
{
	struct der inner;
	struct der_item attributes;

	if (enter_addition(value, &inner, "CmcAddAttributes", e) != 0 ||
	    der_expect(&inner, DER_SET, &attributes, "CmcAddAttributes", e) != 0)
		return -1;
	return x509_request_add_attributes(rd->request, rd->pool, attributes.body, e);
}

/* Others (transaction id, nonces, ...) ask for nothing that this CA gives. */
static const struct control {
	const char *name;
	struct bytes oid;
	int (*read)(struct cms_reader *, struct bytes, struct err *);
} controls[] = {
	{ "regInfo", OID_BODY("\x2b\x06\x01\x05\x05\x07\x07\x12"), read_reg_info },
	{ "addExtensions", OID_BODY("\x2b\x06\x01\x05\x05\x07\x07\x08"), read_add_extensions },
	{ "CmcAddAttributes", OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x0a\x0a\x01"), read_add_attributes },
};

static int
read_control(struct cms_reader *rd, struct der *list, struct err *e)
{
	struct der in, values;
	struct der_item value;
	struct bytes type;
	int64_t id;

	if (der_enter(list, DER_SEQUENCE, &in, "TaggedAttribute", e) != 0 ||
	    der_get_int64(&in, &id, "bodyPartID", e) != 0 ||
	    der_get_oid(&in, &type, "control type", e) != 0 ||
	    der_enter(&in, DER_SET, &values, "control values", e) != 0 ||
	    der_finish(&in, "TaggedAttribute", e) != 0)
		return -1;
	while (!der_at_end(&values)) {
		if (der_next(&values, &value, "control value", e) != 0)
			return -1;
		for (size_t i = 0; i < ARRAY_LEN(controls); i++) {
			if (bytes_equal(controls[i].oid, type) && controls[i].read(rd, value.raw, e) != 0)
				return err_prefix(e, "control %s", controls[i].name);
		}
	}
	return 0;
}

/* ---- PKIData ---- */

/* TaggedRequest: [0] tcr { bodyPartID, CertificationRequest }, and it alone. */
static int
read_tagged_request(struct cms_reader *rd, struct der *requests, struct err *e)
{
	struct der tcr;
	struct der_item request;
	int64_t id;

	if (der_peek(requests) != DER_CONTEXT_CONSTRUCTED(0))
		return ERR(e, E_INVALID_DATA, "PKIData holds %s (MS-WCCE 3.2.1.4.2.1.4.1.3)",
		    der_at_end(requests) ? "no request" : "a request that is no PKCS #10");
	if (der_enter(requests, DER_CONTEXT_CONSTRUCTED(0), &tcr, "tcr", e) != 0 ||
	    der_get_int64(&tcr, &id, "bodyPartID", e) != 0 ||
	    der_expect(&tcr, DER_SEQUENCE, &request, "certificationRequest", e) != 0 ||
	    der_finish(&tcr, "tcr", e) != 0)
		return -1;
#ifdef ADCSD_PLANTED_BUG_X509_CMS /* proves that the fuzz target gets this far: believes that few parts are  \
				     numbered */
	volatile uint8_t seen[8] = { 0 };

	seen[id & 0x7f] = 1;
#endif
	if (!der_at_end(requests))
		return ERR(
		    e, E_INVALID_DATA, "PKIData holds more than one request (MS-WCCE 3.2.1.4.2.1.4.1.3)");
	return cmc_read_request(rd, request.raw, e);
}

int
cmc_read_pki_data(struct cms_reader *rd, struct bytes raw, struct err *e)
{
	struct der d = der_over(raw), data, list, requests;
	struct der_item rest;

	if (der_enter(&d, DER_SEQUENCE, &data, "PKIData", e) != 0 || der_finish(&d, "PKIData", e) != 0 ||
	    der_enter(&data, DER_SEQUENCE, &list, "controlSequence", e) != 0 ||
	    der_enter(&data, DER_SEQUENCE, &requests, "reqSequence", e) != 0 ||
	    der_expect(&data, DER_SEQUENCE, &rest, "cmsSequence", e) != 0 ||
	    der_expect(&data, DER_SEQUENCE, &rest, "otherMsgSequence", e) != 0 ||
	    der_finish(&data, "PKIData", e) != 0) {
		if (e != NULL)
			e->hr = E_INVALID_DATA;
		return -1;
	}
	if (read_tagged_request(rd, &requests, e) != 0)
		return -1;
	while (!der_at_end(&list)) {
		if (read_control(rd, &list, e) != 0)
			return -1;
	}
	return 0;
}
