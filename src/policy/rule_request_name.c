/* Step 33, names supplied in the request (MS-WCCE 3.2.2.6.2.1.4.5.9; issuance.md 3.1). */
#include <string.h>
#include <strings.h>

#include "policy/rule_priv.h"

#define NOT_LISTED (-1)

/* Registry value SubjectTemplate: its names. Dotted OIDs may stand in the list as well (Ours). */
static const struct {
	const char *name, *oid;
} subject_attributes[] = {
	{ "EMail", "1.2.840.113549.1.9.1" },
	{ "CommonName", "2.5.4.3" },
	{ "OrganizationalUnit", "2.5.4.11" },
	{ "Organization", "2.5.4.10" },
	{ "Locality", "2.5.4.7" },
	{ "State", "2.5.4.8" },
	{ "DomainComponent", "0.9.2342.19200300.100.1.25" },
	{ "Country", "2.5.4.6" },
	{ "Title", "2.5.4.12" },
	{ "GivenName", "2.5.4.42" },
	{ "Initials", "2.5.4.43" },
	{ "SurName", "2.5.4.4" },
	{ "StreetAddress", "2.5.4.9" },
	{ "DeviceSerialNumber", "2.5.4.5" },
	{ "UnstructuredName", "1.2.840.113549.1.9.2" },
	{ "UnstructuredAddress", "1.2.840.113549.1.9.8" },
};

const char *
policy_subject_oid(const char *entry)
{
	for (size_t i = 0; i < ARRAY_LEN(subject_attributes); i++)
		if (strcasecmp(subject_attributes[i].name, entry) == 0)
			return subject_attributes[i].oid;
	return entry;
}

/* Index of the attribute's line in SubjectTemplate. */
static int
position(const struct eval *ev, struct bytes oid)
{
	struct x509_strings list = ev->ca->subject_template;
	char text[OID_TEXT_MAX];

	if (!oid_to_text(oid, text))
		return NOT_LISTED;
	for (size_t i = 0; i < list.n; i++)
		if (strcmp(policy_subject_oid(list.v[i]), text) == 0)
			return (int)i;
	return NOT_LISTED;
}

static void
put_attribute(struct buf *b, const struct x509_rdn *rdn)
{
	size_t pair = der_open(b, DER_SEQUENCE);

	der_put(b, DER_OID, rdn->oid);
	der_put(b, rdn->tag, rdn->value);
	der_close(b, pair);
}

/*
 * DER order is the reverse of the list: country first, common name and address last; each attribute its own
 * RDN.
 */
static void
put_in_list_order(const struct eval *ev, const int *positions, struct buf *b)
{
	const struct x509_request *r = ev->request;

	for (int line = (int)ev->ca->subject_template.n - 1; line >= 0; line--) {
		for (size_t i = 0; i < r->n_rdns; i++) {
			size_t set;

			if (positions[i] != line)
				continue;
			set = der_open(b, DER_SET);
			put_attribute(b, &r->rdns[i]);
			der_close(b, set);
		}
	}
}

/* CRLF_DISABLE_RDN_REORDER: the request's order, and its multi-valued RDNs. */
static void
put_in_request_order(const struct eval *ev, const int *positions, struct buf *b)
{
	const struct x509_request *r = ev->request;

	for (size_t i = 0; i < r->n_rdns;) {
		unsigned this_set = r->rdns[i].set;
		size_t start = b->len, set = der_open(b, DER_SET), kept = 0;

		for (; i < r->n_rdns && r->rdns[i].set == this_set; i++) {
			if (positions[i] == NOT_LISTED)
				continue;
			put_attribute(b, &r->rdns[i]);
			kept++;
		}
		if (kept > 0)
			der_close(b, set);
		else if (buf_ok(b))
			b->len = start;
	}
}

static int
filter_subject(struct eval *ev, size_t *dropped)
{
	const struct x509_request *r = ev->request;
	int positions[X509_MAX_RDNS];
	struct buf *b = &ev->scratch;
	size_t name;

	*dropped = 0;
	if (r->n_rdns > X509_MAX_RDNS)
		return rule_refuse(
		    ev, CERTSRV_E_BAD_REQUESTSUBJECT, "the subject has %zu attributes", r->n_rdns);
	for (size_t i = 0; i < r->n_rdns; i++) {
		positions[i] = position(ev, r->rdns[i].oid);
		*dropped += positions[i] == NOT_LISTED;
	}
	name = der_open(b, DER_SEQUENCE);
	if (ev->ca->rdn_reorder)
		put_in_list_order(ev, positions, b);
	else
		put_in_request_order(ev, positions, b);
	der_close(b, name);
	return rule_keep(ev, &ev->subject);
}

int
check_request_subject(struct eval *ev)
{
	size_t dropped = 0;

	if (!rule_supplied(ev->t))
		return rule_skipped(ev,
		    "the subject of the request is stored only: the template builds it from the directory");
	if (ev->ca->subject_template.n == 0)
		ev->subject = ev->request->subject;
	else if (filter_subject(ev, &dropped) != 0)
		return -1;
	if (x509_name_to_text(&ev->scratch, ev->subject, NULL) != 0)
		buf_reset(&ev->scratch);
	if (dropped > 0)
		return rule_pass(ev,
		    "subject from the request: %s (%zu attributes that SubjectTemplate does not list "
		    "dropped)",
		    rule_keep_text(ev), dropped);
	return rule_pass(ev, "subject from the request: %s", rule_keep_text(ev));
}

/* The old certificate's SAN is taken over as it is (MS-WCCE 3.2.2.6.2.1.4.5.6). */
static bool
is_old_san_critical(const struct x509_certificate *old)
{
	char oid[OID_TEXT_MAX];

	for (size_t i = 0; i < old->n_extensions; i++)
		if (oid_to_text(old->extensions[i].oid, oid) && strcmp(oid, OID_SUBJECT_ALT_NAME) == 0)
			return old->extensions[i].critical;
	return false;
}

int
check_request_san(struct eval *ev)
{
	const struct x509_extension *x = x509_request_extension(ev->request, OID_SUBJECT_ALT_NAME);

	if (!rule_supplied(ev->t))
		return rule_skipped(
		    ev, "the subject alternative name of the request, if any, is stored only");
	if (ev->approved_before && ev->in->renewal->alt_names.len > 0) {
		ev->san = ev->in->renewal->alt_names;
		ev->san_critical = is_old_san_critical(ev->in->renewal);
		ev->san_supplied = true;
		return rule_pass(
		    ev, "alternative names of the renewed certificate (MS-WCCE 3.2.2.6.2.1.4.5.6)");
	}
	if (x == NULL)
		return rule_pass(ev, "the request has no subject alternative name");
	ev->san = x->value;
	ev->san_critical = x->critical;
	ev->san_supplied = true;
	if (x509_san_to_text(&ev->scratch, ev->san, NULL) != 0)
		buf_reset(&ev->scratch);
	return rule_pass(ev, "alternative names from the request: %s", rule_keep_text(ev));
}
