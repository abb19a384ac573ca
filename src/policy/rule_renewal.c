/* Steps 20 and 29, and what a renewal is excused from (MS-WCCE 3.2.2.6.2.1.2.3, 4.5.7, 4.8; issuance.md 8).
 */
#include <string.h>
#include <strings.h>

#include "policy/rule_priv.h"

int
check_renewal_template(struct eval *ev)
{
	const struct x509_certificate *old = ev->in->renewal;
	const struct policy_template *t = ev->t;
	const char *was;
	bool same;

	if (old == NULL)
		return rule_skipped(ev, "the request renews nothing");
	was = old->template_oid != NULL ? old->template_oid : old->template_name;
	if (old->template_oid != NULL)
		same = t->oid != NULL && strcmp(old->template_oid, t->oid) == 0;
	else
		same = was != NULL && policy_name_equal(was, t->cn);
	if (same)
		return rule_pass(ev, "the certificate to be renewed was made from %s, too", t->cn);
	rule_fix(ev, "renew with the template that the old certificate was made from, or send a new request");
	return rule_refuse(ev, CERTSRV_E_TEMPLATE_CONFLICT,
	    "the certificate to be renewed names the template %s, the "
	    "request names %s",
	    was != NULL ? was : "of nobody", t->cn);
}

/* ---- CT_FLAG_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT ---- */

/* By their text: the same name may come in another string type. False when one cannot be read. */
static bool
same_name(struct bytes a, struct bytes b)
{
	struct buf left, right;
	bool same;

	buf_init(&left, 1 << 16);
	buf_init(&right, 1 << 16);
	same = x509_name_to_text(&left, a, NULL) == 0 && x509_name_to_text(&right, b, NULL) == 0 &&
	    left.len > 0 && bytes_equal(buf_bytes(&left), buf_bytes(&right));
	buf_fini(&left);
	buf_fini(&right);
	return same;
}

static bool
same_address(const char *certified, const char *directory)
{
	return certified != NULL && directory != NULL && strcasecmp(certified, directory) == 0;
}

/* Why the approval given before does not count; NULL when it does. MS-WCCE 3.2.2.6.2.1.4.8. */
static const char *
approval_gap(struct eval *ev)
{
	const struct x509_certificate *old = ev->in->renewal;
	const struct policy_subject *subject = ev->in->subject;
	const char *mail, *upn;

	if (old->template_oid == NULL)
		return "the old certificate has no template information extension";
	if (ev->t->oid == NULL || strcmp(old->template_oid, ev->t->oid) != 0)
		return "the old certificate was made from another template";
	if (rule_supplied(ev->t))
		return same_name(old->subject, ev->request->subject)
		    ? NULL
		    : "the subject is not the old certificate's";
	if (subject == NULL || old->alt_names.len == 0 ||
	    x509_san_addresses(old->alt_names, ev->pool, &mail, &upn, NULL) != 0)
		return "the old certificate has no alternative name to compare";
	/* whatever it names must be the account's: both, where both are there */
	if ((upn != NULL || mail != NULL) && (upn == NULL || same_address(upn, subject->upn)) &&
	    (mail == NULL || same_address(mail, subject->mail)))
		return NULL;
	return "the old certificate names another account";
}

int
check_previous_approval(struct eval *ev)
{
	const char *gap;

	if (ev->in->renewal == NULL)
		return rule_skipped(ev, "the request renews nothing");
	if (!(ev->t->enrollment_flags & CT_FLAG_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT))
		return rule_pass(ev, "%s treats a renewal like a new request", ev->t->cn);
	gap = approval_gap(ev);
	if (gap != NULL)
		return rule_pass(ev, "the old certificate excuses nothing: %s", gap);
	ev->approved_before = true;
	return rule_pass(ev, "the old certificate stands for signatures and approval");
}

int
check_renewal_key(struct eval *ev)
{
	const struct x509_certificate *old = ev->in->renewal;

	if (old == NULL)
		return rule_skipped(ev, "the request renews nothing");
	if (!(ev->t->private_key_flags & CT_FLAG_REQUIRE_SAME_KEY_RENEWAL))
		return rule_pass(ev, "a renewal may bring a new key");
	if (bytes_equal(old->key.spki, ev->request->key.spki))
		return rule_pass(ev, "the key is the old certificate's");
	rule_fix(ev,
	    "renew with the same key, or Certificate Templates console > %s > Properties > Request Handling: "
	    "clear Renew "
	    "with the same key",
	    ev->t->cn);
	return rule_refuse(ev, CERTSRV_E_RENEWAL_BAD_PUBLIC_KEY,
	    "%s wants renewals to keep the key, the request has another", ev->t->cn);
}
