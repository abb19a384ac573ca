#include "x509/request.h"

#include <string.h>

#include "base/text.h"
#include "x509/ext.h"
#include "x509/x509_priv.h"

struct reader {
	struct x509_request *r;
	struct pool *pool;
	bool has_os_version, has_csp, has_renewal;
	bool overrides; /* extensions replace those already there (RFC 5272 6.5.2) */
};

static int
no_memory(struct err *e)
{
	return ERR(e, E_OUTOFMEMORY, "request needs more memory than a call may take");
}

/* ---- extensions ---- */

static int
read_template_name(struct reader *rd, struct bytes value, struct err *e)
{
#ifdef ADCSD_PLANTED_BUG_X509_REQUEST
	if (value.len > 8 && value.p[7] >= 0x80)
		rd->r->template_minor = rd->r->raw.p[rd->r->raw.len];
#endif
	rd->r->template_name = x509_template_name_read(rd->pool, value, e);
	return rd->r->template_name != NULL ? 0 : -1;
}

/* MS-WCCE 2.2.2.7.7.2 */
static int
read_template_info(struct reader *rd, struct bytes value, struct err *e)
{
	struct x509_template_info info;

	if (x509_template_info_read(&info, rd->pool, value, e) != 0)
		return -1;
	rd->r->template_oid = info.oid;
	rd->r->has_template_version = info.has_version;
	rd->r->template_major = info.major;
	rd->r->template_minor = info.minor;
	return 0;
}

static const struct known_extension {
	struct bytes oid;
	int (*read)(struct reader *, struct bytes, struct err *);
} known_extensions[] = {
	{ OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x14\x02"), read_template_name },
	{ OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x15\x07"), read_template_info },
};

static int
read_extension(struct reader *rd, struct der *d, struct err *e)
{
	struct x509_request *r = rd->r;
	struct x509_extension x, *at = NULL;
	char text[OID_TEXT_MAX];

	if (x509_extension_read(d, &x, e) != 0)
		return -1;
	for (size_t i = 0; i < r->n_extensions; i++) {
		if (bytes_equal(r->extensions[i].oid, x.oid))
			at = &r->extensions[i];
	}
	if (at != NULL && !rd->overrides)
		return ERR(
		    e, E_INVALID_DATA, "extension %s asked for twice", oid_to_text(x.oid, text) ? text : "?");
	if (at == NULL && r->n_extensions == X509_MAX_EXTENSIONS)
		return ERR(e, E_INVALID_DATA, "more than %d extensions", X509_MAX_EXTENSIONS);
	*(at != NULL ? at : &r->extensions[r->n_extensions++]) = x;
	for (size_t i = 0; i < ARRAY_LEN(known_extensions); i++) {
		if (bytes_equal(known_extensions[i].oid, x.oid))
			return known_extensions[i].read(rd, x.value, e);
	}
	return 0;
}

/* Extensions, a SEQUENCE OF Extension. */
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
read_name_values(struct reader *rd, struct der_item *value, struct err *e)
{
	struct x509_request *r = rd->r;
	struct x509_name_values list = { r->name_values, r->n_name_values };
	int rc = x509_name_values_read(&list, rd->pool, value->raw, e);

	r->name_values = list.v;
	r->n_name_values = list.n;
	return rc;
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

/* MS-WCCE 2.2.2.7.9; of a CMC request, whose CmcAddAttributes come here too. */
static int
read_key_hash(struct reader *rd, struct der_item *value, struct err *e)
{
	struct der d = der_over(value->raw);
	struct der_item item;

	if (rd->r->encrypted_key_hash.len > 0)
		return ERR(e, E_INVALID_DATA, "szOID_ENCRYPTED_KEY_HASH given twice");
	if (der_expect(&d, DER_OCTET_STRING, &item, "szOID_ENCRYPTED_KEY_HASH", e) != 0)
		return -1;
	rd->r->encrypted_key_hash = item.body;
	return 0;
}

/* MS-WCCE 2.2.2.7.3. Whether it is a certificate shows when the request turns out to be a renewal. */
static int
read_renewal(struct reader *rd, struct der_item *value, struct err *e)
{
	if (rd->has_renewal)
		return ERR(e, E_INVALID_DATA, "szOID_RENEWAL_CERTIFICATE given twice");
	rd->has_renewal = true;
	rd->r->renewal_certificate = value->raw;
	return 0;
}

static const struct known_attribute {
	const char *name;
	struct bytes oid;
	bool single; /* more than one value: E_INVALID_DATA */
	int (*read)(struct reader *, struct der_item *, struct err *);
} known_attributes[] = {
	{ "extensionRequest", OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"), true,
	    read_extension_request },
	{ "szOID_CERT_EXTENSIONS", OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x02\x01\x0e"), true,
	    read_extension_request },
	{ "szOID_OS_VERSION", OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x0d\x02\x03"), true, read_os_version },
	{ "szOID_ENROLLMENT_CSP_PROVIDER", OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x0d\x02\x02"), true,
	    read_csp },
	{ "szOID_RENEWAL_CERTIFICATE", OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x0d\x01"), true, read_renewal },
	{ "szOID_ENROLLMENT_NAME_VALUE_PAIR", OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x0d\x02\x01"), false,
	    read_name_values },
	{ "szOID_ARCHIVED_KEY_ATTR", OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x15\x0d"), false,
	    note_archived_key },
	{ "szOID_ENCRYPTED_KEY_HASH", OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x15\x15"), true, read_key_hash },
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

	if (der_enter(d, DER_SEQUENCE, &in, "Attribute", e) != 0 ||
	    der_get_oid(&in, &oid, "attribute type", e) != 0 ||
	    der_enter(&in, DER_SET, &values, "attribute values", e) != 0 ||
	    der_finish(&in, "Attribute", e) != 0)
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

/* Text is checked here, once, so that nobody behind meets a subject that cannot be shown, compared or stored.
 */
int
x509_request_read_subject(struct x509_request *r, struct pool *pool, struct err *e)
{
	struct x509_rdn rdns[X509_MAX_RDNS];

	if (x509_name_read(r->subject, rdns, &r->n_rdns, e) != 0)
		return err_prefix(e, "subject");
	for (size_t i = 0; i < r->n_rdns; i++) {
		if (x509_text_check(rdns[i].tag, rdns[i].value, CERTSRV_E_BAD_REQUESTSUBJECT, e) != 0)
			return err_prefix(e, "subject attribute %zu", i + 1);
	}
	r->rdns = pool_dup(pool, rdns, r->n_rdns * sizeof(rdns[0]));
	return r->rdns != NULL ? 0 : no_memory(e);
}

/* CertificationRequestInfo, RFC 2986 4.1. Any version number is taken: clients with 1 and 2 exist, nothing
 * hangs on it. */
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
	if (x509_request_read_subject(r, rd->pool, e) != 0 || x509_key_read(&r->key, spki.raw, e) != 0)
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
		return ERR(e, E_INVALIDARG, "request of %zu octets, at most %d are taken", raw.len,
		    X509_REQUEST_MAX);
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

/* ---- what a CMC request adds around it ---- */

int
x509_request_add_extensions(struct x509_request *r, struct pool *pool, struct bytes extensions, struct err *e)
{
	struct reader rd = { .r = r, .pool = pool, .overrides = true };
	struct der_item whole = { .raw = extensions };

	return read_extension_request(&rd, &whole, e);
}

int
x509_request_add_attributes(struct x509_request *r, struct pool *pool, struct bytes attributes, struct err *e)
{
	struct reader rd = { .r = r,
		.pool = pool,
		.overrides = true,
		.has_os_version = r->os_version != NULL,
		.has_renewal = r->renewal_certificate.len > 0 };
	struct der d = der_over(attributes);

	while (!der_at_end(&d)) {
		if (read_attribute(&rd, &d, e) != 0)
			return -1;
	}
	return 0;
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
