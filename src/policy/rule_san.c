/* Step 33, what happens to the subject alternative name once its source is settled. */
#include "policy/rule_priv.h"

#define TAG_EMAIL DER_CONTEXT(1)
#define TAG_DIRECTORY DER_CONTEXT_CONSTRUCTED(4)

static const uint8_t common_name[] = { 0x55, 0x04, 0x03 };

/* MS-WCCE 3.2.1.4.2.1.2: with the edit flag, any caller names anybody, whatever the template says (ESC6). */
int
check_san_attribute(struct eval *ev)
{
	const char *value = rule_attribute(ev, "SAN");
	struct err why;

	if (value == NULL)
		return rule_pass(ev, "the request has no SAN attribute");
	if (!(ev->ca->edit_flags & EDITF_ATTRIBUTESUBJECTALTNAME2))
		return rule_skipped(ev, "SAN attribute not honoured: EDITF_ATTRIBUTESUBJECTALTNAME2 is off");
	if (san_attribute_encode(&ev->scratch, value, &why) != 0) {
		buf_reset(&ev->scratch);
		return rule_skipped(ev, "SAN attribute ignored: %s", why.msg);
	}
	if (rule_keep(ev, &ev->san) != 0)
		return -1;
	ev->san_critical = rule_listed(ev->t->critical, OID_SUBJECT_ALT_NAME);
	ev->san_supplied = false;
	return rule_pass(
	    ev, "EDITF_ATTRIBUTESUBJECTALTNAME2: alternative names from the SAN attribute, %s", value);
}

/* ---- ExchangeUser, ExchangeUserSignature (MS-WCCE 3.2.2.6.2.1.4.6) ---- */

static bool
only_common_name(struct bytes directory_name)
{
	struct der d = der_over(directory_name), name, set, pair;
	struct bytes oid;

	return der_enter(&d, DER_SEQUENCE, &name, "directoryName", NULL) == 0 &&
	    der_enter(&name, DER_SET, &set, "RDN", NULL) == 0 && der_at_end(&name) &&
	    der_enter(&set, DER_SEQUENCE, &pair, "attribute", NULL) == 0 && der_at_end(&set) &&
	    der_get_oid(&pair, &oid, "type", NULL) == 0 &&
	    bytes_equal(oid, (struct bytes){ common_name, sizeof(common_name) });
}

/*
 * Copies the names, without those directoryNames when `drop`; counts addresses and candidates. False:
 * malformed.
 */
static bool
copy_names(struct bytes san, bool drop, struct buf *out, size_t *addresses, size_t *candidates)
{
	struct der d = der_over(san), names;
	struct der_item item;
	size_t mark;

	*addresses = *candidates = 0;
	if (der_enter(&d, DER_SEQUENCE, &names, "GeneralNames", NULL) != 0)
		return false;
	mark = der_open(out, DER_SEQUENCE);
	while (!der_at_end(&names)) {
		bool candidate;

		if (der_next(&names, &item, "GeneralName", NULL) != 0)
			return false;
		candidate = item.tag == TAG_DIRECTORY && only_common_name(item.body);
		*addresses += item.tag == TAG_EMAIL;
		*candidates += candidate;
		if (!(candidate && drop))
			buf_put_bytes(out, item.raw);
	}
	der_close(out, mark);
	return true;
}

int
check_exchange_san(struct eval *ev)
{
	size_t addresses, candidates;
	const char *cn = ev->t->cn;

	if (!policy_name_equal(cn, "ExchangeUser") && !policy_name_equal(cn, "ExchangeUserSignature"))
		return rule_pass(ev, "%s is no Exchange template", cn);
	if (ev->san.len == 0)
		return rule_pass(ev, "no alternative names");
	if (!copy_names(ev->san, true, &ev->scratch, &addresses, &candidates))
		return rule_refuse(ev, E_INVALID_DATA, "the alternative names are malformed");
	if (addresses == 0 || candidates == 0) {
		buf_reset(&ev->scratch);
		return rule_pass(ev, "no directory names to drop");
	}
	if (rule_keep(ev, &ev->san) != 0)
		return -1;
	return rule_pass(ev, "%zu directory names that hold a common name alone dropped", candidates);
}

/* Wherever the names came from: well-formed, and reading the same to programs that stop at a NUL. */
int
check_san_form(struct eval *ev)
{
	struct err why;

	if (ev->san.len == 0)
		return rule_pass(ev, "no alternative names");
	if (x509_san_check(ev->san, &why) != 0)
		return rule_refuse(ev, why.hr, "%s", why.msg);
	return rule_pass(ev, "the alternative names are well-formed");
}

int
apply_san(struct eval *ev)
{
	const char *text;
	bool critical;

	if (ev->san.len == 0)
		return rule_skipped(ev, "no alternative names");
	if (x509_san_to_text(&ev->scratch, ev->san, NULL) != 0)
		buf_reset(&ev->scratch);
	text = rule_keep_text(ev);
	critical = ev->san_critical ||
	    (ev->ca->critical_san && !ev->san_supplied && rule_is_empty_name(ev->subject));
	return rule_put(ev, OID_SUBJECT_ALT_NAME, critical, ev->san, "%s", text);
}
