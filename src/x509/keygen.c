/* SignedPublicKeyAndChallenge: what a browser's <KEYGEN> sent (MS-WCCE 2.2.2.6.4). Its subject comes beside
 * it, in words. */
#include <string.h>
#include <strings.h>

#include "x509/name.h"
#include "x509/x509_priv.h"

#define NAME_MAX_OCTETS 16384

/* MS-WCCE 2.2.2.6.4.2; dotted OIDs count, too. */
static const struct {
	const char *name, *oid;
} rdn_names[] = {
	{ "C", "2.5.4.6" },
	{ "Country", "2.5.4.6" },
	{ "O", "2.5.4.10" },
	{ "Org", "2.5.4.10" },
	{ "Organization", "2.5.4.10" },
	{ "OU", "2.5.4.11" },
	{ "OrgUnit", "2.5.4.11" },
	{ "OrganizationUnit", "2.5.4.11" },
	{ "OrganizationalUnit", "2.5.4.11" },
	{ "CN", "2.5.4.3" },
	{ "CommonName", "2.5.4.3" },
	{ "L", "2.5.4.7" },
	{ "Locality", "2.5.4.7" },
	{ "S", "2.5.4.8" },
	{ "ST", "2.5.4.8" },
	{ "State", "2.5.4.8" },
	{ "T", "2.5.4.12" },
	{ "Title", "2.5.4.12" },
	{ "G", "2.5.4.42" },
	{ "GivenName", "2.5.4.42" },
	{ "I", "2.5.4.43" },
	{ "Initials", "2.5.4.43" },
	{ "SN", "2.5.4.4" },
	{ "SurName", "2.5.4.4" },
	{ "DC", "0.9.2342.19200300.100.1.25" },
	{ "DomainComponent", "0.9.2342.19200300.100.1.25" },
	{ "E", "1.2.840.113549.1.9.1" },
	{ "Email", "1.2.840.113549.1.9.1" },
	{ "Street", "2.5.4.9" },
	{ "StreetAddress", "2.5.4.9" },
	{ "UnstructuredName", "1.2.840.113549.1.9.2" },
	{ "UnstructuredAddress", "1.2.840.113549.1.9.8" },
	{ "DeviceSerialNumber", "2.5.4.5" },
};

static const char *
rdn_oid(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(rdn_names); i++) {
		if (strcasecmp(rdn_names[i].name, name) == 0 || strcmp(rdn_names[i].oid, name) == 0)
			return rdn_names[i].oid;
	}
	return NULL;
}

static int
read_key_and_challenge(struct x509_request *r, struct pool *pool, const char **challenge, struct err *e)
{
	struct der d = der_over(r->info), in;
	struct der_item spki, text;

	if (der_enter(&d, DER_SEQUENCE, &in, "PublicKeyAndChallenge", e) != 0 ||
	    der_expect(&in, DER_SEQUENCE, &spki, "spki", e) != 0 ||
	    der_expect(&in, DER_IA5_STRING, &text, "challenge", e) != 0 ||
	    der_finish(&in, "PublicKeyAndChallenge", e) != 0 || x509_key_read(&r->key, spki.raw, e) != 0)
		return -1;
	*challenge = x509_text_dup(pool, text.tag, text.body, CRYPT_E_ASN1_BADTAG, e);
	return *challenge != NULL ? 0 : err_prefix(e, "challenge");
}

int
x509_keygen_parse(
    struct x509_request *out, struct pool *pool, struct bytes raw, const char **challenge, struct err *e)
{
	struct der d = der_over(raw), in;
	struct der_item info, alg;
	struct x509_algorithm checked;
	uint8_t unused;

	*out = (struct x509_request){ .raw = raw, .keygen = true };
	if (der_enter(&d, DER_SEQUENCE, &in, "SignedPublicKeyAndChallenge", e) != 0 ||
	    der_finish(&d, "SignedPublicKeyAndChallenge", e) != 0 ||
	    der_expect(&in, DER_SEQUENCE, &info, "PublicKeyAndChallenge", e) != 0 ||
	    der_expect(&in, DER_SEQUENCE, &alg, "signatureAlgorithm", e) != 0 ||
	    x509_algorithm_read(&checked, alg.raw, "signatureAlgorithm", e) != 0 ||
	    der_get_bits(&in, &out->signature, &unused, "signature", e) != 0 ||
	    der_finish(&in, "SignedPublicKeyAndChallenge", e) != 0)
		return -1;
	if (unused != 0)
		return ERR(e, CRYPT_E_ASN1_BADTAG, "signature has %d unused bits", unused);
	out->info = info.raw;
	out->sig_alg = alg.raw;
	return read_key_and_challenge(out, pool, challenge, e);
}

int
x509_keygen_subject(
    struct x509_request *r, struct pool *pool, const struct x509_name_value *words, size_t n, struct err *e)
{
	struct buf b;
	size_t name, parts = 0;
	int rc = -1;

	buf_init(&b, NAME_MAX_OCTETS);
	name = der_open(&b, DER_SEQUENCE);
	for (size_t i = 0; i < n; i++) {
		const char *oid = rdn_oid(words[i].name);

		if (oid == NULL)
			continue;
		x509_put_attribute(&b, oid, words[i].value);
		parts++;
	}
	der_close(&b, name);
	if (parts == 0)
		ERR(e, CERTSRV_E_BAD_REQUESTSUBJECT,
		    "no attribute names the subject of a KEYGEN request (MS-WCCE 3.2.1.4.2.1.4.1.4)");
	else if (!buf_ok(&b))
		ERR(e, CERTSRV_E_BAD_REQUESTSUBJECT, "the attributes' subject cannot be encoded");
	else if (pool_dup_bytes(pool, buf_bytes(&b), &r->subject) != 0)
		ERR(e, E_OUTOFMEMORY, "no memory for the subject");
	else
		rc = x509_request_read_subject(r, pool, e);
	buf_fini(&b);
	return rc;
}
