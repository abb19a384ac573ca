/* Pieces that requests, certificates and signers share: one Extension, Microsoft's template extensions,
 * name-value pairs. */
#include "x509/x509_priv.h"

/* Every name-value pair costs at least 20 octets of request; this is far more than anyone sends. */
#define MAX_NAME_VALUES 256

/* RFC 5280 4.1. An explicit critical FALSE is not DER, but common, and harmless. */
int
x509_extension_read(struct der *d, struct x509_extension *out, struct err *e)
{
	struct der in;
	struct der_item value;

	*out = (struct x509_extension){ 0 };
	if (der_enter(d, DER_SEQUENCE, &in, "Extension", e) != 0 ||
	    der_get_oid(&in, &out->oid, "extnID", e) != 0)
		return -1;
	if (der_peek(&in) == DER_BOOLEAN && der_get_bool(&in, &out->critical, "critical", e) != 0)
		return -1;
	if (der_expect(&in, DER_OCTET_STRING, &value, "extnValue", e) != 0 ||
	    der_finish(&in, "Extension", e) != 0)
		return -1;
	out->value = value.body;
	return 0;
}

/* MS-WCCE 2.2.2.7.7.1 prints SEQUENCE { UTF8String }. Seen: a bare BMPString (vectors of MS-WSTEP). Both are
 * read. */
const char *
x509_template_name_read(struct pool *pool, struct bytes value, struct err *e)
{
	struct der d = der_over(value), in;
	struct der_item it;
	const char *name;

	if (der_peek(&d) == DER_SEQUENCE) {
		if (der_enter(&d, DER_SEQUENCE, &in, "template name", e) != 0 ||
		    der_finish(&d, "template name", e) != 0)
			return NULL;
		d = in;
	}
	if (der_next(&d, &it, "template name", e) != 0 || der_finish(&d, "template name", e) != 0)
		return NULL;
	name = x509_text_dup(pool, it.tag, it.body, CRYPT_E_ASN1_BADTAG, e);
	if (name == NULL)
		err_prefix(e, "template name");
	return name;
}

static int
read_version(struct der *d, uint32_t *out, struct err *e)
{
	int64_t v;

	if (der_get_int64(d, &v, "template version", e) != 0)
		return -1;
	if (v < 0 || v > UINT32_MAX)
		return ERR(e, CRYPT_E_ASN1_BADTAG, "template version out of range");
	*out = (uint32_t)v;
	return 0;
}

int
x509_template_info_read(struct x509_template_info *out, struct pool *pool, struct bytes value, struct err *e)
{
	struct der d = der_over(value), in;
	char text[OID_TEXT_MAX];
	struct bytes oid;

	*out = (struct x509_template_info){ 0 };
	if (der_enter(&d, DER_SEQUENCE, &in, "template information", e) != 0 ||
	    der_finish(&d, "template information", e) != 0 || der_get_oid(&in, &oid, "template OID", e) != 0)
		return -1;
	if (!oid_to_text(oid, text))
		return ERR(e, CRYPT_E_ASN1_BADTAG, "template OID is too long");
	out->oid = pool_strdup(pool, text);
	if (out->oid == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a template OID");
	if (!der_at_end(&in)) {
		if (read_version(&in, &out->major, e) != 0)
			return -1;
		out->has_version = true;
	}
	if (!der_at_end(&in) && read_version(&in, &out->minor, e) != 0)
		return -1;
	return der_finish(&in, "template information", e);
}

/* ---- name-value pairs ---- */

int
x509_name_values_add(
    struct x509_name_values *list, struct pool *pool, const char *name, const char *value, struct err *e)
{
	if (name == NULL || value == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for name-value pairs");
	if (list->v == NULL && (list->v = pool_calloc(pool, MAX_NAME_VALUES, sizeof(*list->v))) == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for name-value pairs");
	if (list->n == MAX_NAME_VALUES)
		return ERR(e, E_INVALID_DATA, "more than %d name-value pairs", MAX_NAME_VALUES);
	list->v[list->n++] = (struct x509_name_value){ name, value };
	return 0;
}

/* Seen: Certipy ends both texts with a NUL, as a C string would in requests on behalf of others. */
static struct bytes
without_terminator(struct bytes bmp)
{
	if (bmp.len >= 2 && bmp.len % 2 == 0 && bmp.p[bmp.len - 1] == 0 && bmp.p[bmp.len - 2] == 0)
		bmp.len -= 2;
	return bmp;
}

static int
read_pair(struct x509_name_values *list, struct pool *pool, struct der *d, struct err *e)
{
	struct der_item name, value;
	const char *name_text, *value_text;

	if (der_expect(d, DER_BMP_STRING, &name, "attribute name", e) != 0 ||
	    der_expect(d, DER_BMP_STRING, &value, "attribute value", e) != 0 ||
	    der_finish(d, "EnrollmentNameValuePair", e) != 0)
		return -1;
	name_text = x509_text_dup(pool, name.tag, without_terminator(name.body), CRYPT_E_ASN1_BADTAG, e);
	if (name_text == NULL)
		return -1;
	value_text = x509_text_dup(pool, value.tag, without_terminator(value.body), CRYPT_E_ASN1_BADTAG, e);
	if (value_text == NULL)
		return -1;
	return x509_name_values_add(list, pool, name_text, value_text, e);
}

/* MS-WCCE 2.2.2.7.10 says SEQUENCE OF pairs; Windows and Certipy send the bare pair as the attribute's value.
 */
int
x509_name_values_read(struct x509_name_values *list, struct pool *pool, struct bytes value, struct err *e)
{
	struct der d = der_over(value), in, pair;

	if (der_enter(&d, DER_SEQUENCE, &in, "EnrollmentNameValuePair", e) != 0)
		return -1;
	if (der_peek(&in) == DER_BMP_STRING)
		return read_pair(list, pool, &in, e);
	while (!der_at_end(&in)) {
		if (der_enter(&in, DER_SEQUENCE, &pair, "EnrollmentNameValuePair", e) != 0 ||
		    read_pair(list, pool, &pair, e) != 0)
			return -1;
	}
	return 0;
}
