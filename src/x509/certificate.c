#include "x509/certificate.h"

#include <string.h>

#include "x509/x509_priv.h"

#define MAX_OIDS 128 /* of one list */

static const struct bytes ext_eku = OID_BODY("\x55\x1d\x25");
static const struct bytes ext_application_policies = OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x15\x0a");
static const struct bytes ext_policies = OID_BODY("\x55\x1d\x20");
static const struct bytes ext_key_id = OID_BODY("\x55\x1d\x0e");
static const struct bytes ext_alt_names = OID_BODY("\x55\x1d\x11");
static const struct bytes ext_security = OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x19\x02");
static const struct bytes ext_template_name = OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x14\x02");
static const struct bytes ext_template_info = OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x15\x07");

static int
no_memory(struct err *e)
{
	return ERR(e, E_OUTOFMEMORY, "no memory for a certificate");
}

/* ---- lists of object identifiers ---- */

/* A list that grows; the pool keeps it. */
struct oid_list {
	const char *v[MAX_OIDS];
	size_t n;
};

static int
add_oid(struct oid_list *list, struct pool *pool, struct bytes oid, struct err *e)
{
	char text[OID_TEXT_MAX];

	if (!oid_to_text(oid, text))
		return 0; /* nobody can ask for one that long */
	if (list->n == MAX_OIDS)
		return ERR(e, CRYPT_E_ASN1_BADTAG, "a certificate with more than %d usages", MAX_OIDS);
	list->v[list->n] = pool_strdup(pool, text);
	return list->v[list->n++] != NULL ? 0 : no_memory(e);
}

/* SEQUENCE OF OID (EKU), or SEQUENCE OF SEQUENCE { OID, ... } (policies in either sense). */
static int
read_oids(struct oid_list *list, struct pool *pool, struct bytes value, bool wrapped, struct err *e)
{
	struct der d = der_over(value), in, one;
	struct bytes oid;

	if (der_enter(&d, DER_SEQUENCE, &in, "usages", e) != 0)
		return -1;
	while (!der_at_end(&in)) {
		if (wrapped && der_enter(&in, DER_SEQUENCE, &one, "policy", e) != 0)
			return -1;
		if (der_get_oid(wrapped ? &one : &in, &oid, "usage", e) != 0 ||
		    add_oid(list, pool, oid, e) != 0)
			return -1;
	}
	return 0;
}

static int
keep_oids(const struct oid_list *list, struct pool *pool, struct x509_strings *out, struct err *e)
{
	if (list->n == 0)
		return 0;
	out->v = pool_dup(pool, list->v, list->n * sizeof(list->v[0]));
	out->n = list->n;
	return out->v != NULL ? 0 : no_memory(e);
}

/* ---- extensions ---- */

struct reader {
	struct x509_certificate *c;
	struct pool *pool;
	struct oid_list usages, policies;
};

static int
note_extension(struct reader *rd, const struct x509_extension *x, struct err *e)
{
	struct x509_certificate *c = rd->c;
	struct x509_template_info info;
	struct der d = der_over(x->value);
	struct der_item item;

	if (bytes_equal(x->oid, ext_eku))
		return read_oids(&rd->usages, rd->pool, x->value, false, e);
	if (bytes_equal(x->oid, ext_application_policies))
		return read_oids(&rd->usages, rd->pool, x->value, true, e);
	if (bytes_equal(x->oid, ext_policies))
		return read_oids(&rd->policies, rd->pool, x->value, true, e);
	if (bytes_equal(x->oid, ext_alt_names))
		c->alt_names = x->value;
	if (bytes_equal(x->oid, ext_security))
		c->sid = x509_san_sid(x->value, rd->pool);
	if (bytes_equal(x->oid, ext_key_id)) {
		if (der_expect(&d, DER_OCTET_STRING, &item, "subjectKeyIdentifier", e) != 0)
			return -1;
		c->key_id = item.body;
	}
	if (bytes_equal(x->oid, ext_template_name)) {
		c->template_name = x509_template_name_read(rd->pool, x->value, e);
		return c->template_name != NULL ? 0 : -1;
	}
	if (bytes_equal(x->oid, ext_template_info)) {
		if (x509_template_info_read(&info, rd->pool, x->value, e) != 0)
			return -1;
		c->template_oid = info.oid;
	}
	return 0;
}

static int
read_extensions(struct reader *rd, struct der *tbs, struct err *e)
{
	struct x509_certificate *c = rd->c;
	struct der outer, list;

	if (der_enter(tbs, DER_CONTEXT_CONSTRUCTED(3), &outer, "extensions", e) != 0 ||
	    der_enter(&outer, DER_SEQUENCE, &list, "extensions", e) != 0 ||
	    der_finish(&outer, "extensions", e) != 0)
		return -1;
	c->extensions = pool_calloc(rd->pool, X509_MAX_EXTENSIONS, sizeof(*c->extensions));
	if (c->extensions == NULL)
		return no_memory(e);
	while (!der_at_end(&list)) {
		if (c->n_extensions == X509_MAX_EXTENSIONS)
			return ERR(e, CRYPT_E_ASN1_BADTAG, "a certificate with more than %d extensions",
			    X509_MAX_EXTENSIONS);
		if (x509_extension_read(&list, &c->extensions[c->n_extensions], e) != 0 ||
		    note_extension(rd, &c->extensions[c->n_extensions++], e) != 0)
			return -1;
	}
	if (keep_oids(&rd->usages, rd->pool, &c->usages, e) != 0)
		return -1;
	return keep_oids(&rd->policies, rd->pool, &c->issuance_policies, e);
}

/* ---- the certificate, RFC 5280 4.1 ---- */

static int
read_tbs(struct reader *rd, struct der *tbs, struct err *e)
{
	struct x509_certificate *c = rd->c;
	struct der validity;
	struct der_item item, alg, issuer, subject, spki;

	if (der_peek(tbs) == DER_CONTEXT_CONSTRUCTED(0) && der_next(tbs, &item, "version", e) != 0)
		return -1;
	if (der_expect(tbs, DER_INTEGER, &item, "serialNumber", e) != 0 ||
	    der_expect(tbs, DER_SEQUENCE, &alg, "signature", e) != 0 ||
	    der_expect(tbs, DER_SEQUENCE, &issuer, "issuer", e) != 0 ||
	    der_enter(tbs, DER_SEQUENCE, &validity, "validity", e) != 0 ||
	    der_get_time(&validity, &c->not_before, "notBefore", e) != 0 ||
	    der_get_time(&validity, &c->not_after, "notAfter", e) != 0 ||
	    der_finish(&validity, "validity", e) != 0 ||
	    der_expect(tbs, DER_SEQUENCE, &subject, "subject", e) != 0 ||
	    der_expect(tbs, DER_SEQUENCE, &spki, "subjectPublicKeyInfo", e) != 0)
		return -1;
	c->serial = item.body;
	c->issuer = issuer.raw;
	c->subject = subject.raw;
	if (x509_key_read(&c->key, spki.raw, e) != 0)
		return -1;
	while (!der_at_end(tbs) && der_peek(tbs) != DER_CONTEXT_CONSTRUCTED(3)) {
		if (der_next(tbs, &item, "unique identifier", e) != 0)
			return -1;
	}
	if (!der_at_end(tbs) && read_extensions(rd, tbs, e) != 0)
		return -1;
	return der_finish(tbs, "tbsCertificate", e);
}

int
x509_certificate_read(struct x509_certificate *out, struct pool *pool, struct bytes raw, struct err *e)
{
	struct reader rd = { .c = out, .pool = pool };
	struct der d = der_over(raw), in, tbs;
	struct der_item alg;
	struct bytes signature;
	uint8_t unused;

	memset(out, 0, sizeof(*out));
	out->raw = raw;
	if (der_enter(&d, DER_SEQUENCE, &in, "Certificate", e) != 0 ||
	    der_finish(&d, "Certificate", e) != 0 ||
	    der_enter(&in, DER_SEQUENCE, &tbs, "tbsCertificate", e) != 0 ||
	    der_expect(&in, DER_SEQUENCE, &alg, "signatureAlgorithm", e) != 0 ||
	    der_get_bits(&in, &signature, &unused, "signature", e) != 0 ||
	    der_finish(&in, "Certificate", e) != 0)
		return -1;
	return read_tbs(&rd, &tbs, e);
}
