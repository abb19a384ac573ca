/* Step 33, what every subject must satisfy, whoever supplied it (issuance.md "Name checks"). */
#include <stdlib.h>
#include <string.h>

#include "policy/rule_priv.h"

int
check_name_present(struct eval *ev)
{
	bool san = ev->san.len > 0 && !rule_disabled(ev, OID_SUBJECT_ALT_NAME);

	if (!rule_is_empty_name(ev->subject) || san)
		return rule_pass(ev, "%s",
		    rule_is_empty_name(ev->subject) ? "named by the alternative name alone"
						    : "subject present");
	if (rule_supplied(ev->t))
		rule_fix(ev,
		    "put a subject or a subject alternative name into the request, with attributes that "
		    "SubjectTemplate "
		    "lists");
	else
		rule_fix(ev,
		    "Certificate Templates console > %s > Properties > Subject Name: choose a subject name "
		    "format or an "
		    "alternate name",
		    ev->t->cn);
	return rule_refuse(ev, CERTSRV_E_BAD_REQUESTSUBJECT,
	    "the certificate would have neither a subject nor an alternative "
	    "name");
}

static size_t
count_characters(const char *utf8)
{
	size_t n = 0;

	for (; *utf8 != '\0'; utf8++)
		n += ((unsigned char)*utf8 & 0xc0) != 0x80;
	return n;
}

static bool
is_text_tag(uint8_t tag)
{
	return tag == DER_UTF8_STRING || tag == DER_NUMERIC_STRING || tag == DER_PRINTABLE_STRING ||
	    tag == DER_T61_STRING || tag == DER_IA5_STRING || tag == DER_VISIBLE_STRING ||
	    tag == DER_UNIVERSAL_STRING || tag == DER_BMP_STRING;
}

static int
check_attribute(struct eval *ev, struct bytes oid, const struct der_item *value)
{
	const char *label = x509_attribute_label(oid), *text;
	unsigned most = x509_attribute_upper_bound(oid);
	char dotted[OID_TEXT_MAX];
	struct err why;
	size_t n;

	if (label == NULL)
		label = oid_to_text(oid, dotted) ? dotted : "attribute";
	if (!is_text_tag(value->tag))
		return 0; /* x500UniqueIdentifier and the like */
	text = x509_rdn_text(ev->pool, value->tag, value->body, &why);
	if (text == NULL && why.hr == E_OUTOFMEMORY)
		return rule_nomem(ev);
	if (text == NULL)
		return rule_refuse(ev, CERTSRV_E_BAD_REQUESTSUBJECT, "%s of the subject: %s", label, why.msg);
	n = count_characters(text);
	if (most == 0 || n <= most || !ev->ca->enforce_name_lengths)
		return 0;
	rule_fix(
	    ev, "shorten %s to %u characters, or certutil -setreg CA\\EnforceX500NameLengths 0", label, most);
	return rule_refuse(ev, CERTSRV_E_BAD_REQUESTSUBJECT,
	    "%s of the subject has %zu characters, X.520 allows %u", label, n, most);
}

int
check_name_length(struct eval *ev)
{
	struct der d = der_over(ev->subject), name, set, pair;
	struct der_item value;
	struct bytes oid;
	struct err why;
	size_t n = 0;

	if (der_enter(&d, DER_SEQUENCE, &name, "subject", &why) != 0)
		return rule_refuse(ev, CERTSRV_E_BAD_REQUESTSUBJECT, "%s", why.msg);
	while (!der_at_end(&name)) {
		if (der_enter(&name, DER_SET, &set, "RDN", &why) != 0)
			return rule_refuse(ev, CERTSRV_E_BAD_REQUESTSUBJECT, "%s", why.msg);
		while (!der_at_end(&set)) {
			if (der_enter(&set, DER_SEQUENCE, &pair, "attribute", &why) != 0 ||
			    der_get_oid(&pair, &oid, "attribute type", &why) != 0 ||
			    der_next(&pair, &value, "attribute value", &why) != 0)
				return rule_refuse(ev, CERTSRV_E_BAD_REQUESTSUBJECT, "%s", why.msg);
			if (check_attribute(ev, oid, &value) != 0)
				return -1;
			n++;
		}
	}
	return rule_pass(ev, "%zu attributes well-formed%s", n,
	    ev->ca->enforce_name_lengths ? " and within their X.520 bounds" : ", lengths not enforced");
}
