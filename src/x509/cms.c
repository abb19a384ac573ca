/* SignedData: certificates, signers and content; what the content is, cmc.c reads. */
#include "x509/cms.h"

#include <string.h>

#include "x509/cms_priv.h"

static const struct bytes signed_data = OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02");
static const struct bytes id_data = OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01");
static const struct bytes pki_data = OID_BODY("\x2b\x06\x01\x05\x05\x07\x0c\x02");
static const struct bytes no_signature = OID_BODY("\x2b\x06\x01\x05\x05\x07\x06\x02");
static const struct bytes attr_content_type = OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03");
static const struct bytes attr_message_digest = OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04");
static const struct bytes attr_name_value = OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x0d\x02\x01");
static const struct bytes attr_archived_key = OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x15\x0d");

/* ---- signers ---- */

/* One value of a signer's attribute; first: of the first signer. */
static int
note_attribute(struct cms_reader *rd, struct x509_cms_signer *s, struct bytes type,
    const struct der_item *value, struct err *e)
{
	struct der d = der_over(value->raw);
	struct der_item item;

	if (bytes_equal(type, attr_content_type))
		return der_get_oid(&d, &s->content_type, "contentType", e);
	if (bytes_equal(type, attr_message_digest)) {
		if (der_expect(&d, DER_OCTET_STRING, &item, "messageDigest", e) != 0)
			return -1;
		s->message_digest = item.body;
	}
	/* MS-WCCE 3.2.2.6.2.1.2.1.1: the first SignerInfo's count, and only a certificate makes them
	 * somebody's word */
	if (bytes_equal(type, attr_name_value) && rd->cms->n_signers == 1 && s->certificate != NULL)
		return x509_name_values_read(&rd->name_values, rd->pool, value->raw, e);
	return 0;
}

static int
read_signed_attributes(struct cms_reader *rd, struct x509_cms_signer *s, struct err *e)
{
	struct der d = der_over(s->signed_attributes), list, one, values;
	struct der_item value;
	struct bytes type;

	if (der_enter(&d, DER_CONTEXT_CONSTRUCTED(0), &list, "signedAttrs", e) != 0)
		return -1;
	while (!der_at_end(&list)) {
		if (der_enter(&list, DER_SEQUENCE, &one, "Attribute", e) != 0 ||
		    der_get_oid(&one, &type, "attribute type", e) != 0 ||
		    der_enter(&one, DER_SET, &values, "attribute values", e) != 0)
			return -1;
		while (!der_at_end(&values)) {
			if (der_next(&values, &value, "attribute value", e) != 0 ||
			    note_attribute(rd, s, type, &value, e) != 0)
				return err_prefix(e, "signed attribute");
		}
	}
	return 0;
}

static int
read_unsigned_attributes(struct cms_reader *rd, struct der *info, struct err *e)
{
	struct der list, one, values;
	struct der_item value;
	struct bytes type;

	if (der_enter(info, DER_CONTEXT_CONSTRUCTED(1), &list, "unsignedAttrs", e) != 0)
		return -1;
	while (!der_at_end(&list)) {
		if (der_enter(&list, DER_SEQUENCE, &one, "Attribute", e) != 0 ||
		    der_get_oid(&one, &type, "attribute type", e) != 0)
			return -1;
		if (!bytes_equal(type, attr_archived_key))
			continue;
		if (der_enter(&one, DER_SET, &values, "archived key", e) != 0 ||
		    der_next(&values, &value, "archived key", e) != 0)
			return -1;
		if (!der_at_end(&values) || rd->cms->archived_key.len > 0)
			return ERR(e, E_INVALID_DATA, "more than one key to archive");
		rd->cms->archived_key = value.raw;
	}
	return 0;
}

static const struct x509_certificate *
by_issuer_and_serial(const struct x509_cms *cms, struct bytes issuer, struct bytes serial)
{
	for (size_t i = 0; i < cms->n_certificates; i++) {
		if (bytes_equal(cms->certificates[i].issuer, issuer) &&
		    bytes_equal(cms->certificates[i].serial, serial))
			return &cms->certificates[i];
	}
	return NULL;
}

static const struct x509_certificate *
by_key_id(const struct x509_cms *cms, struct bytes id)
{
	for (size_t i = 0; i < cms->n_certificates; i++) {
		if (cms->certificates[i].key_id.len > 0 && bytes_equal(cms->certificates[i].key_id, id))
			return &cms->certificates[i];
	}
	return NULL;
}

/* SignerIdentifier, RFC 5652 5.3. */
static int
read_identifier(const struct x509_cms *cms, struct x509_cms_signer *s, struct der *info, struct err *e)
{
	struct der in;
	struct der_item issuer, serial, id;

	if (der_peek(info) == DER_CONTEXT(0)) {
		if (der_next(info, &id, "subjectKeyIdentifier", e) != 0)
			return -1;
		s->by_key_id = true;
		s->certificate = by_key_id(cms, id.body);
		return 0;
	}
	if (der_enter(info, DER_SEQUENCE, &in, "issuerAndSerialNumber", e) != 0 ||
	    der_expect(&in, DER_SEQUENCE, &issuer, "issuer", e) != 0 ||
	    der_expect(&in, DER_INTEGER, &serial, "serialNumber", e) != 0 ||
	    der_finish(&in, "issuerAndSerialNumber", e) != 0)
		return -1;
	s->certificate = by_issuer_and_serial(cms, issuer.raw, serial.body);
	return 0;
}

static int
read_signer(struct cms_reader *rd, struct der *infos, struct err *e)
{
	struct x509_cms *cms = rd->cms;
	struct x509_cms_signer *s;
	struct x509_algorithm alg;
	struct der_item digest_alg, attributes, sig_alg, signature;
	struct der info;
	int64_t version;

	if (cms->n_signers == X509_MAX_SIGNERS)
		return ERR(e, E_INVALID_DATA, "more than %d signers", X509_MAX_SIGNERS);
	s = &cms->signers[cms->n_signers++];
	if (der_enter(infos, DER_SEQUENCE, &info, "SignerInfo", e) != 0 ||
	    der_get_int64(&info, &version, "SignerInfo version", e) != 0 ||
	    read_identifier(cms, s, &info, e) != 0 ||
	    der_expect(&info, DER_SEQUENCE, &digest_alg, "digestAlgorithm", e) != 0)
		return -1;
	if (der_peek(&info) == DER_CONTEXT_CONSTRUCTED(0)) {
		if (der_next(&info, &attributes, "signedAttrs", e) != 0)
			return -1;
		s->signed_attributes = attributes.raw;
	}
	if (der_expect(&info, DER_SEQUENCE, &sig_alg, "signatureAlgorithm", e) != 0 ||
	    x509_algorithm_read(&alg, sig_alg.raw, "signatureAlgorithm", e) != 0 ||
	    der_expect(&info, DER_OCTET_STRING, &signature, "signature", e) != 0)
		return -1;
	s->digest_alg = digest_alg.raw;
	s->sig_alg = sig_alg.raw;
	s->signature = signature.body;
	if (bytes_equal(alg.oid, no_signature)) {
		s->no_signature = true;
		s->certificate = NULL; /* whatever it names, it proves nothing */
	}
	if (s->signed_attributes.len > 0 && read_signed_attributes(rd, s, e) != 0)
		return -1;
	if (!der_at_end(&info) && read_unsigned_attributes(rd, &info, e) != 0)
		return -1;
	return der_finish(&info, "SignerInfo", e);
}

/* ---- the message ---- */

/* Certificates and, in an extended certificate set, things that nobody has used in this century. */
static int
read_certificates(struct cms_reader *rd, struct der *message, struct err *e)
{
	struct x509_cms *cms = rd->cms;
	struct der list;
	struct der_item item;

	if (der_enter(message, DER_CONTEXT_CONSTRUCTED(0), &list, "certificates", e) != 0)
		return -1;
	while (!der_at_end(&list)) {
		if (der_next(&list, &item, "certificate", e) != 0)
			return -1;
		if (item.tag != DER_SEQUENCE)
			continue;
		if (cms->n_certificates == X509_MAX_CERTIFICATES)
			return ERR(e, E_INVALID_DATA, "more than %d certificates", X509_MAX_CERTIFICATES);
		if (x509_certificate_read(&cms->certificates[cms->n_certificates++], rd->pool, item.raw, e) !=
		    0)
			return err_prefix(e, "certificate %zu of the message", cms->n_certificates);
	}
	return 0;
}

static int
read_content(struct x509_cms *cms, struct der *message, struct err *e)
{
	struct der info, outer;
	struct der_item content;

	if (der_enter(message, DER_SEQUENCE, &info, "encapContentInfo", e) != 0 ||
	    der_get_oid(&info, &cms->content_type, "eContentType", e) != 0)
		return -1;
	if (bytes_equal(cms->content_type, pki_data))
		cms->type = X509_CMS_PKIDATA;
	else if (!bytes_equal(cms->content_type, id_data))
		return ERR(e, E_INVALID_DATA,
		    "the message holds neither id-data nor PKIData (MS-WCCE "
		    "3.2.1.4.2.1.4.1.2)");
	if (der_at_end(&info))
		return ERR(e, E_INVALID_DATA, "the message has no content");
	if (der_enter(&info, DER_CONTEXT_CONSTRUCTED(0), &outer, "eContent", e) != 0 ||
	    der_expect(&outer, DER_OCTET_STRING, &content, "eContent", e) != 0 ||
	    der_finish(&outer, "eContent", e) != 0)
		return -1;
	cms->content = content.body;
	return der_finish(&info, "encapContentInfo", e);
}

/* Enters SignedData behind its version and digestAlgorithms; each signer says again which hash it uses. */
static int
enter_signed_data(struct bytes raw, struct der *message, struct err *e)
{
	struct der d = der_over(raw), outer, content;
	struct der_item item;
	struct bytes type;
	int64_t version;

	if (der_enter(&d, DER_SEQUENCE, &outer, "ContentInfo", e) != 0 ||
	    der_finish(&d, "ContentInfo", e) != 0 || der_get_oid(&outer, &type, "contentType", e) != 0)
		return -1;
	if (!bytes_equal(type, signed_data))
		return ERR(e, E_INVALID_DATA, "the message is not SignedData");
	if (der_enter(&outer, DER_CONTEXT_CONSTRUCTED(0), &content, "content", e) != 0 ||
	    der_enter(&content, DER_SEQUENCE, message, "SignedData", e) != 0 ||
	    der_get_int64(message, &version, "SignedData version", e) != 0)
		return -1;
	return der_expect(message, DER_SET, &item, "digestAlgorithms", e);
}

bool
x509_cms_sniff(struct bytes raw, enum x509_cms_content *type)
{
	struct x509_cms cms = { 0 };
	struct der message;
	struct err ignored;

	if (enter_signed_data(raw, &message, &ignored) != 0 || read_content(&cms, &message, &ignored) != 0)
		return false;
	*type = cms.type;
	return true;
}

static int
read_message(struct cms_reader *rd, struct bytes raw, struct err *e)
{
	struct x509_cms *cms = rd->cms;
	struct der message, infos;
	struct der_item crls;

	if (enter_signed_data(raw, &message, e) != 0 || read_content(cms, &message, e) != 0)
		return -1;
	if (der_peek(&message) == DER_CONTEXT_CONSTRUCTED(0) && read_certificates(rd, &message, e) != 0)
		return -1;
	if (der_peek(&message) == DER_CONTEXT_CONSTRUCTED(1) && der_next(&message, &crls, "crls", e) != 0)
		return -1;
	if (der_enter(&message, DER_SET, &infos, "signerInfos", e) != 0 ||
	    der_finish(&message, "SignedData", e) != 0)
		return -1;
	if (der_at_end(&infos))
		return ERR(e, CRYPT_E_NO_SIGNER, "nobody signed the message (MS-WCCE 3.2.1.4.2.1.4.1.2)");
	while (!der_at_end(&infos)) {
		if (read_signer(rd, &infos, e) != 0)
			return -1;
	}
	return 0;
}

int
x509_cms_parse(
    struct x509_cms *out, struct x509_request *request, struct pool *pool, struct bytes raw, struct err *e)
{
	struct cms_reader rd = { .cms = out, .request = request, .pool = pool };
	int rc;

	memset(out, 0, sizeof(*out));
	memset(request, 0, sizeof(*request));
	out->certificates = pool_calloc(pool, X509_MAX_CERTIFICATES, sizeof(*out->certificates));
	out->signers = pool_calloc(pool, X509_MAX_SIGNERS, sizeof(*out->signers));
	if (out->certificates == NULL || out->signers == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a signed request");
	if (read_message(&rd, raw, e) != 0)
		return -1;
	rc = out->type == X509_CMS_PKIDATA ? cmc_read_pki_data(&rd, out->content, e)
					   : cmc_read_request(&rd, out->content, e);
	out->name_values = rd.name_values.v;
	out->n_name_values = rd.name_values.n;
	request->has_archived_key |= out->archived_key.len > 0;
	return rc;
}

const struct x509_certificate *
x509_cms_find(const struct x509_cms *cms, struct bytes certificate)
{
	for (size_t i = 0; i < cms->n_certificates; i++) {
		if (bytes_equal(cms->certificates[i].raw, certificate))
			return &cms->certificates[i];
	}
	return NULL;
}

bool
x509_cms_signed_by(const struct x509_cms *cms, const struct x509_certificate *certificate)
{
	for (size_t i = 0; i < cms->n_signers; i++) {
		if (cms->signers[i].certificate == certificate)
			return true;
	}
	return false;
}
