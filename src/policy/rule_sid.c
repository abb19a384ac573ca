/*
 * The security identifier extension 1.3.6.1.4.1.311.25.2 (MS-WCCE 3.2.2.6.2.1.4.5.9, 2.2.2.7.7.4;
 * issuance.md 5).
 */
#include "policy/rule_priv.h"

static bool
off_by_template(const struct eval *ev)
{
	return (ev->t->enrollment_flags & CT_FLAG_NO_SECURITY_EXTENSION) != 0;
}

int
check_sid(struct eval *ev)
{
	const char *sid;

	if (off_by_template(ev) || rule_supplied(ev->t) || rule_disabled(ev, OID_NTDS_CA_SECURITY_EXT))
		return rule_pass(ev, "no security identifier is taken from the directory");
	sid = ev->in->subject->sid_text;
	if (sid == NULL || sid[0] == '\0')
		return rule_refuse(ev, CERTSRV_E_SEC_EXT_DIRECTORY_SID_REQUIRED, "%s has no objectSid",
		    rule_subject_account(ev));
	return rule_pass(ev, "objectSid is %s", sid);
}

/* Never critical, whatever the request says (issuance.md section 4): verifiers outside Windows do not know
 * it. */
int
apply_sid(struct eval *ev)
{
	const struct x509_extension *x = x509_request_extension(ev->request, OID_NTDS_CA_SECURITY_EXT);
	const char *sid;
	struct bytes value;

	if (off_by_template(ev))
		return rule_skipped(ev, "flag NO_SECURITY_EXTENSION is set");
	if (rule_supplied(ev->t)) {
		if (x == NULL)
			return rule_skipped(ev, "the request has none");
		return rule_put(ev, OID_NTDS_CA_SECURITY_EXT, false, x->value, "as supplied in the request");
	}
	if (rule_disabled(ev, OID_NTDS_CA_SECURITY_EXT))
		return rule_skipped(ev, "%s is in DisableExtensionList", OID_NTDS_CA_SECURITY_EXT);
	sid = ev->in->subject->sid_text;
	x509_ext_sid(&ev->scratch, sid);
	if (rule_keep(ev, &value) != 0)
		return -1;
	return rule_put(ev, OID_NTDS_CA_SECURITY_EXT, false, value, "%s", sid);
}
