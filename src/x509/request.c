#include "x509/request.h"

#include <string.h>

#include "base/text.h"
#include "x509/ext.h"
#include "x509/x509_priv.h"

/* Every name-value pair costs at least 20 octets of request; this is far more than anyone sends. */
#define MAX_NAME_VALUES 256

struct reader {
	struct x509_request *r;
	struct pool *pool;
	bool has_os_version, has_csp;
};

static int
no_memory(struct err *e)
{
	return ERR(e, E_OUTOFMEMORY, "request needs more memory than a call may take");
}

/* ---- extensions ---- */

/* MS-WCCE 2.2.2.7.7.1 prints SEQUENCE { UTF8String }. Seen: a bare BMPString (vectors of MS-WSTEP). Both are read. */
static int
read_template_name(struct reader *rd, struct bytes value, struct err *e)
{
	struct der d = der_over(value), in;
	struct der_item it;

	if (der_peek(&d) == DER_SEQUENCE) {
		if (der_enter(&d, DER_SEQUENCE, &in, "template name", e) != 0 ||
		    der_finish(&d, "template name", e) != 0)
			return -1;
		d = in;
	}
	if (der_next(&d, &it, "template name", e) != 0 || der_finish(&d, "template name", e) != 0)
		return -1;
#ifdef ADCSD_PLANTED_BUG_X509_REQUEST
	if (it.body.len > 4 && it.body.p[1] == 'Q')
		rd->r->template_minor = rd->r->raw.p[rd->r->raw.len];
#endif
	rd->r->template_name = x509_text_dup(rd->pool, it.tag, it.body, CRYPT_E_ASN1_BADTAG, e);
	return rd->r->template_name != NULL ? 0 : err_prefix(e, "template name");
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

/* MS-WCCE 2.2.2.7.7.2: SEQUENCE { OID, major OPTIONAL, minor OPTIONAL }. */
static int
read_template_info(struct reader *rd, struct bytes value, struct err *e)
{
	struct x509_request *r = rd->r;
	struct der d = der_over(value), in;
	char text[OID_TEXT_MAX];
	struct bytes oid;

	if (der_enter(&d, DER_SEQUENCE, &in, "template information", e) != 0 ||
	    der_finish(&d, "template information", e) != 0 || der_get_oid(&in, &oid, "template OID", e) != 0)
		return -1;
	if (!oid_to_text(oid, text))
		return ERR(e, CRYPT_E_ASN1_BADTAG, "template OID is too long");
	r->template_oid = pool_strdup(rd->pool, text);
	if (r->template_oid == NULL)
		return no_memory(e);
	if (!der_at_end(&in)) {
		if (read_version(&in, &r->template_major, e) != 0)
			return -1;
		r->has_template_version = true;
	}
	if (!der_at_end(&in) && read_version(&in, &r->template_minor, e) != 0)
		return -1;
	return der_finish(&in, "template information", e);
}

static const struct known_extension {
	struct bytes oid;
	int (*read)(struct reader *, struct bytes, struct err *);
} known_extensions[] = {
	{ OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x14\x02"), read_template_name },
	{ OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x15\x07"), read_template_info },
};

/* RFC 5280 4.1. An explicit critical FALSE is not DER, but common, and harmless. */
static int
read_extension(struct reader *rd, struct der *d, struct err *e)
{
	struct x509_request *r = rd->r;
	struct x509_extension x = { 0 };
	char text[OID_TEXT_MAX];
	struct der in;
	struct der_item value;

	if (der_enter(d, DER_SEQUENCE, &in, "Extension", e) != 0 || der_get_oid(&in, &x.oid, "extnID", e) != 0)
		return -1;
	if (der_peek(&in) == DER_BOOLEAN && der_get_bool(&in, &x.critical, "critical", e) != 0)
		return -1;
	if (der_expect(&in, DER_OCTET_STRING, &value, "extnValue", e) != 0 || der_finish(&in, "Extension", e) != 0)
		return -1;
	x.value = value.body;

	if (r->n_extensions == X509_MAX_EXTENSIONS)
		return ERR(e, E_INVALID_DATA, "more than %d extensions", X509_MAX_EXTENSIONS);
	for (size_t i = 0; i < r->n_extensions; i++) {
		if (bytes_equal(r->extensions[i].oid, x.oid))
			return ERR(e, E_INVALID_DATA, "extension %s asked for twice",
			    oid_to_text(x.oid, text) ? text : "?");
	}
	r->extensions[r->n_extensions++] = x;
	for (size_t i = 0; i < ARRAY_LEN(known_extensions); i++) {
		if (bytes_equal(known_extensions[i].oid, x.oid))
			return known_extensions[i].read(rd, x.value, e);
	}
	return 0;
}

static int
read_extension_request(struct reader *rd, struct der_item *value, struct err *e)
{
	struct x509_request *r = rd->r;
	struct der d = der_over(value->raw), in;

	if (r->extensions == NULL) {
		r->extensions = pool_calloc(rd->pool, X509_MAX_EXTENSIONS, sizeof(*r->extensions));
		if (r->extensions == NULL)
			return no_memory(e);
	}
	if (der_enter(&d, DER_SEQUENCE, &in, "extensionRequest", e) != 0)
		return -1;
	while (!der_at_end(&in)) {
		if (read_extension(rd, &in, e) != 0)
			return -1;
	}
	return 0;
}

/* ---- other attributes ---- */

static int
read_pair(struct reader *rd, struct der *d, struct err *e)
{
	struct x509_request *r = rd->r;
	struct x509_name_value *nv;
	struct der_item name, value;

	if (der_expect(d, DER_BMP_STRING, &name, "attribute name", e) != 0 ||
	    der_expect(d, DER_BMP_STRING, &value, "attribute value", e) != 0 ||
	    der_finish(d, "EnrollmentNameValuePair", e) != 0)
		return -1;
	if (r->n_name_values == MAX_NAME_VALUES)
		return ERR(e, E_INVALID_DATA, "more than %d name-value pairs", MAX_NAME_VALUES);
	nv = &r->name_values[r->n_name_values];
	nv->name = x509_text_dup(rd->pool, name.tag, name.body, CRYPT_E_ASN1_BADTAG, e);
	if (nv->name == NULL)
		return -1;
	nv->value = x509_text_dup(rd->pool, value.tag, value.body, CRYPT_E_ASN1_BADTAG, e);
	if (nv->value == NULL)
		return -1;
	r->n_name_values++;
	return 0;
}

/* MS-WCCE 2.2.2.7.10 says SEQUENCE OF pairs; Windows and Certipy send the bare pair as the attribute's value. */
static int
read_name_values(struct reader *rd, struct der_item *value, struct err *e)
{
	struct der d = der_over(value->raw), in, pair;

	if (rd->r->name_values == NULL) {
		rd->r->name_values = pool_calloc(rd->pool, MAX_NAME_VALUES, sizeof(*rd->r->name_values));
		if (rd->r->name_values == NULL)
			return no_memory(e);
	}
	if (der_enter(&d, DER_SEQUENCE, &in, "EnrollmentNameValuePair", e) != 0)
		return -1;
	if (der_peek(&in) == DER_BMP_STRING)
		return read_pair(rd, &in, e);
	while (!der_at_end(&in)) {
		if (der_enter(&in, DER_SEQUENCE, &pair, "EnrollmentNameValuePair", e) != 0 ||
		    read_pair(rd, &pair, e) != 0)
			return -1;
	}
	return 0;
}

/* MS-WCCE 2.2.2.7.1 */
static int
read_os_version(struct reader *rd, struct der_item *value, struct err *e)
{
	if (rd->has_os_version)
		return ERR(e, E_INVALID_DATA, "szOID_OS_VERSION given twice");
	rd->has_os_version = true;
	rd->r->os_version = x509_text_dup(rd->pool, value->tag, value->body, CRYPT_E_ASN1_BADTAG, e);
	return rd->r->os_version != NULL ? 0 : err_prefix(e, "szOID_OS_VERSION");
}

/* MS-WCCE 2.2.2.7.2. The content is ignored, but a wrong shape must fail (3.2.1.4.2.1.4.1.1). */
static int
read_csp(struct reader *rd, struct der_item *value, struct err *e)
{
	struct der d = der_over(value->raw), in;
	struct der_item name, signature;
	int64_t key_spec;

	if (rd->has_csp)
		return ERR(e, E_INVALID_DATA, "szOID_ENROLLMENT_CSP_PROVIDER given twice");
	rd->has_csp = true;
	if (der_enter(&d, DER_SEQUENCE, &in, "CSPProvider", e) != 0 ||
	    der_get_int64(&in, &key_spec, "keySpec", e) != 0 ||
	    der_expect(&in, DER_BMP_STRING, &name, "cspName", e) != 0 ||
	    der_expect(&in, DER_BIT_STRING, &signature, "CSP signature", e) != 0)
		return -1;
	return der_finish(&in, "CSPProvider", e);
}

static int
note_archived_key(struct reader *rd, struct der_item *value, struct err *e)
{
	(void)value;
	(void)e;
	rd->r->has_archived_key = true;
	return 0;
}

static const struct known_attribute {
	const char *name;
	struct bytes oid;
	bool single; /* more than one value: E_INVALID_DATA */
	int (*read)(struct reader *, struct der_item *, struct err *);
} known_attributes[] = {
	{ "extensionRequest", OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"), true, read_extension_request },
	{ "szOID_CERT_EXTENSIONS", OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e"), true,
	    read_extension_request },
	{ "szOID_OS_VERSION", OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x0d\x02\x03"), true, read_os_version },
	{ "szOID_ENROLLMENT_CSP_PROVIDER", OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x0d\x02\x02"), true, read_csp },
	{ "szOID_ENROLLMENT_NAME_VALUE_PAIR", OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x0d\x02\x01"), false,
	    read_name_values },
	{ "szOID_ARCHIVED_KEY_ATTR", OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x15\x0d"), false, note_archived_key },
};

static const struct known_attribute *
find_attribute(struct bytes oid)
{
	for (size_t i = 0; i < ARRAY_LEN(known_attributes); i++) {
		if (bytes_equal(known_attributes[i].oid, oid))
			return &known_attributes[i];
	}
	return NULL;
}

static int
read_attribute(struct reader *rd, struct der *d, struct err *e)
{
	const struct known_attribute *known;
	struct der in, values;
	struct der_item value;
	struct bytes oid;
	unsigned n = 0;

	if (der_enter(d, DER_SEQUENCE, &in, "Attribute", e) != 0 || der_get_oid(&in, &oid, "attribute type", e) != 0 ||
	    der_enter(&in, DER_SET, &values, "attribute values", e) != 0 || der_finish(&in, "Attribute", e) != 0)
		return -1;
	known = find_attribute(oid);
	for (; !der_at_end(&values); n++) {
		if (der_next(&values, &value, "attribute value", e) != 0)
			return -1;
		if (known == NULL)
			continue;
		if (known->single && n > 0)
			return ERR(e, E_INVALID_DATA, "%s has more than one value", known->name);
		if (known->read(rd, &value, e) != 0)
			return err_prefix(e, "%s", known->name);
	}
	if (known != NULL && known->single && n == 0)
		return ERR(e, E_INVALID_DATA, "%s has no value", known->name);
	return 0;
}

/* ---- the request ---- */

/* Text is checked here, once, so that nobody behind meets a subject that cannot be shown, compared or stored. */
static int
read_subject(struct reader *rd, struct err *e)
{
	struct x509_rdn rdns[X509_MAX_RDNS];
	struct x509_request *r = rd->r;

	if (x509_name_read(r->subject, rdns, &r->n_rdns, e) != 0)
		return err_prefix(e, "subject");
	for (size_t i = 0; i < r->n_rdns; i++) {
		if (x509_text_check(rdns[i].tag, rdns[i].value, CERTSRV_E_BAD_REQUESTSUBJECT, e) != 0)
			return err_prefix(e, "subject attribute %zu", i + 1);
	}
	r->rdns = pool_dup(rd->pool, rdns, r->n_rdns * sizeof(rdns[0]));
	return r->rdns != NULL ? 0 : no_memory(e);
}

/* CertificationRequestInfo, RFC 2986 4.1. Any version number is taken: clients with 1 and 2 exist, nothing hangs on it. */
static int
read_info(struct reader *rd, struct err *e)
{
	struct x509_request *r = rd->r;
	struct der d = der_over(r->info), in, attributes;
	struct der_item subject, spki;
	int64_t version;

	if (der_enter(&d, DER_SEQUENCE, &in, "CertificationRequestInfo", e) != 0 ||
	    der_get_int64(&in, &version, "request version", e) != 0 ||
	    der_expect(&in, DER_SEQUENCE, &subject, "subject", e) != 0 ||
	    der_expect(&in, DER_SEQUENCE, &spki, "subjectPKInfo", e) != 0)
		return -1;
	r->subject = subject.raw;
	if (read_subject(rd, e) != 0 || x509_key_read(&r->key, spki.raw, e) != 0)
		return -1;
	if (der_at_end(&in)) /* the standard wants an empty [0] here; some encoders leave it out */
		return 0;
	if (der_enter(&in, DER_CONTEXT_CONSTRUCTED(0), &attributes, "attributes", e) != 0 ||
	    der_finish(&in, "CertificationRequestInfo", e) != 0)
		return -1;
	while (!der_at_end(&attributes)) {
		if (read_attribute(rd, &attributes, e) != 0)
			return -1;
	}
	return 0;
}

int
x509_request_parse(struct x509_request *out, struct pool *pool, struct bytes raw, struct err *e)
{
	struct reader rd = { .r = out, .pool = pool };
	struct der d = der_over(raw), in;
	struct der_item info, alg;
	struct x509_algorithm checked;
	uint8_t unused;

	*out = (struct x509_request){ .raw = raw };
	if (raw.len == 0)
		return ERR(e, CRYPT_E_ASN1_EOD, "request is empty");
	if (raw.len > X509_REQUEST_MAX)
		return ERR(e, E_INVALIDARG, "request of %zu octets, at most %d are taken", raw.len, X509_REQUEST_MAX);
	if (der_enter(&d, DER_SEQUENCE, &in, "CertificationRequest", e) != 0 ||
	    der_finish(&d, "CertificationRequest", e) != 0 ||
	    der_expect(&in, DER_SEQUENCE, &info, "CertificationRequestInfo", e) != 0 ||
	    der_expect(&in, DER_SEQUENCE, &alg, "signatureAlgorithm", e) != 0 ||
	    x509_algorithm_read(&checked, alg.raw, "signatureAlgorithm", e) != 0 ||
	    der_get_bits(&in, &out->signature, &unused, "signature", e) != 0 ||
	    der_finish(&in, "CertificationRequest", e) != 0)
		return -1;
	if (unused != 0)
		return ERR(e, CRYPT_E_ASN1_BADTAG, "signature has %d unused bits", unused);
	out->info = info.raw;
	out->sig_alg = alg.raw;
	return read_info(&rd, e);
}

const struct x509_extension *
x509_request_extension(const struct x509_request *r, const char *oid)
{
	struct buf body;
	const struct x509_extension *found = NULL;

	buf_init(&body, OID_TEXT_MAX);
	if (oid_from_text(&body, oid, NULL) == 0) {
		for (size_t i = 0; i < r->n_extensions && found == NULL; i++) {
			if (bytes_equal(r->extensions[i].oid, buf_bytes(&body)))
				found = &r->extensions[i];
		}
	}
	buf_fini(&body);
	return found;
}
