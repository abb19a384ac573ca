/* What a request says, in any of its forms: steps 6 and 8 to 11 of issuance.md section 2. */
#include <string.h>
#include <strings.h>

#include "ca/ca_priv.h"

/* RequestType in dwFlags, MS-WCCE 3.2.1.4.2.1 */
#define CR_IN_TYPE_MASK 0x0000FF00u
#define CR_IN_PKCS10 0x00000100u
#define CR_IN_KEYGEN 0x00000200u
#define CR_IN_PKCS7 0x00000300u
#define CR_IN_CMC 0x00000400u

/* What the content is, in the words of dwFlags. 0: nothing we know, which its reader will say. */
static uint32_t
type_of(enum x509_format format, struct bytes der)
{
	enum x509_cms_content content;

	switch (format) {
	case X509_FORMAT_PKCS10:
		return CR_IN_PKCS10;
	case X509_FORMAT_CMS:
		if (!x509_cms_sniff(der, &content))
			return 0;
		return content == X509_CMS_PKIDATA ? CR_IN_CMC : CR_IN_PKCS7;
	case X509_FORMAT_KEYGEN:
		return CR_IN_KEYGEN;
	case X509_FORMAT_UNKNOWN:
		break;
	}
	return 0;
}

static bool
type_fits(uint32_t declared, uint32_t found, enum x509_format format)
{
	if (declared == 0 || declared == found)
		return true;
	/* of broken content the reader that was meant says how */
	return found == 0 && (format == X509_FORMAT_CMS) == (declared != CR_IN_PKCS10);
}

/* MS-WCCE 3.2.1.4.2.1.4.1.4: the challenge must be repeated in the attributes, which name the subject as
 * well. */
static int
parse_keygen(struct ca_request *r, struct err *e)
{
	struct policy_attribute *given = NULL;
	struct x509_name_value *words;
	const char *challenge, *repeated = "";
	size_t n = 0;

	if (x509_keygen_parse(&r->parsed, r->pool, r->der, &challenge, e) != 0 ||
	    policy_attributes_parse(r->args.attributes, r->pool, &given, &n, e) != 0)
		return -1;
	words = pool_calloc(r->pool, n, sizeof(*words));
	if (words == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for request attributes");
	for (size_t i = 0; i < n; i++) {
		words[i] = (struct x509_name_value){ given[i].name, given[i].value };
		if (strcasecmp(given[i].name, "challenge") == 0)
			repeated = given[i].value;
	}
	if (challenge[0] != '\0' && strcmp(challenge, repeated) != 0)
		return ERR(e, E_INVALID_DATA,
		    "the request's challenge is not the attribute's (MS-WCCE 3.2.1.4.2.1.4.1.4)");
	return x509_keygen_subject(&r->parsed, r->pool, words, n, e);
}

int
ca_request_parse(struct ca_request *r, struct err *e)
{
	uint32_t type = r->args.flags & CR_IN_TYPE_MASK;
	enum x509_format format;

	r->failed_intro = CA_ERROR_PARSING;
	if (x509_request_unwrap(r->args.request, r->pool, &r->der, e) != 0)
		return -1;
	format = x509_request_format(r->der);
	r->request_type = type_of(format, r->der);
	if (!type_fits(type, r->request_type, format))
		return ERR(e, CRYPT_E_INVALID_MSG_TYPE,
		    "dwFlags say request type 0x%x, the content is not (MS-WCCE "
		    "3.2.1.4.2.1)",
		    type);
	if (format == X509_FORMAT_CMS) {
		struct err ignored;

		/* first of all: whatever becomes of the request, the key stays out of the database */
		if (x509_cms_strip_archived_key(r->der, r->pool, &r->kept, &ignored) != 0)
			r->kept = (struct bytes){ NULL, 0 };
		return ca_wrapped_parse(r, e);
	}
	if ((format == X509_FORMAT_KEYGEN ? parse_keygen(r, e)
					  : x509_request_parse(&r->parsed, r->pool, r->der, e)) != 0)
		return -1;
	if (r->made_up)
		return 0;
	r->failed_intro = CA_ERROR_VERIFYING;
	return x509_request_verify(&r->parsed, e);
}

/* A name-value pair of the request, its name as in the text form. */
static int
copy_attribute(struct ca_request *r, const struct x509_name_value *nv, struct policy_attribute *out)
{
	char *name = pool_strdup(r->pool, nv->name), *to = name;

	if (name == NULL)
		return -1;
	for (const char *from = name; *from != '\0'; from++) {
		if (*from != ' ' && *from != '-')
			*to++ = *from;
	}
	*to = '\0';
	*out = (struct policy_attribute){ name, nv->value };
	return 0;
}

/* Those of a request that waited: an officer may have set some since (MS-CSRA 3.1.4.1.2). */
static int
stored_attributes(struct ca_request *r, struct err *e)
{
	const struct store_row *row = r->stored;
	struct policy_attribute *all = pool_calloc(r->pool, row->n_attributes, sizeof(*all));

	if (all == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for request attributes");
	for (size_t i = 0; i < row->n_attributes; i++)
		all[i] = (struct policy_attribute){ row->attributes[i].name, row->attributes[i].value };
	r->in.attributes = all;
	r->in.n_attributes = row->n_attributes;
	return 0;
}

/* Request attributes of the call, of the PKCS #10 and of what is around it, in this order
 * (MS-WCCE 3.2.1.4.2.1.2). */
int
ca_request_attributes(struct ca_request *r, struct err *e)
{
	struct policy_attribute *given = NULL, *all;
	size_t n_given = 0, n_own = r->parsed.n_name_values, n_around = r->cms.n_name_values;

	if (r->stored != NULL)
		return stored_attributes(r, e);
	if (r->args.attributes != NULL &&
	    policy_attributes_parse(r->args.attributes, r->pool, &given, &n_given, e) != 0)
		return -1;
	all = pool_calloc(r->pool, n_given + n_own + n_around, sizeof(*all));
	if (all == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for request attributes");
	if (n_given > 0)
		memcpy(all, given, n_given * sizeof(*all));
	for (size_t i = 0; i < n_own + n_around; i++) {
		const struct x509_name_value *nv =
		    i < n_own ? &r->parsed.name_values[i] : &r->cms.name_values[i - n_own];

		if (copy_attribute(r, nv, &all[n_given + i]) != 0)
			return ERR(e, E_OUTOFMEMORY, "no memory for request attributes");
	}
	r->in.attributes = all;
	r->in.n_attributes = n_given + n_own + n_around;
	return 0;
}
