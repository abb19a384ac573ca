/* Step 37, and what becomes of the certificate afterwards (MS-WCCE 3.2.1.4.2.1.4.5, 3.2.2.6.2.1.4.5.6). */
#include "policy/rule_priv.h"

enum {
	REQDISP_ISSUE = 1,
	REQDISP_DENY = 2,
	REQDISP_MASK = 0xff,
	REQDISP_PENDINGFIRST = 0x100,
};

int
check_pending(struct eval *ev)
{
	uint32_t disposition = ev->ca->request_disposition;

	if ((disposition & REQDISP_MASK) == REQDISP_DENY && !(disposition & REQDISP_PENDINGFIRST)) {
		rule_fix(ev, "certutil -setreg policy\\RequestDisposition 1");
		return rule_refuse(ev, CERTSRV_E_ADMIN_DENIED_REQUEST,
		    "RequestDisposition 0x%x denies every request", disposition);
	}
	if (ev->in->approved)
		return rule_pass(ev, "approved by a certificate manager");
	if ((ev->t->enrollment_flags & CT_FLAG_PEND_ALL_REQUESTS) && !ev->approved_before)
		return rule_pends(ev, "%s asks for approval by a certificate manager", ev->t->cn);
	if (disposition & REQDISP_PENDINGFIRST)
		return rule_pends(ev, "RequestDisposition 0x%x sets every request to pending", disposition);
	if ((disposition & REQDISP_MASK) != REQDISP_ISSUE)
		return rule_pends(ev, "RequestDisposition 0x%x does not say issue", disposition);
	return rule_pass(ev, "no approval is required");
}

int
apply_publication(struct eval *ev)
{
	ev->out->publish_to_ds = (ev->t->enrollment_flags & CT_FLAG_PUBLISH_TO_DS) != 0;
	ev->out->publish_to_kra = (ev->t->enrollment_flags & CT_FLAG_PUBLISH_TO_KRA_CONTAINER) != 0;
	if (ev->out->publish_to_kra && !ev->out->publish_to_ds)
		return rule_pass(
		    ev, "the certificate goes to userCertificate of the CA's object in the KRA container");
	if (!ev->out->publish_to_ds)
		return rule_skipped(ev, "flag PUBLISH_TO_DS is clear");
	return rule_pass(ev, "the certificate goes to userCertificate of %s", rule_subject_account(ev));
}
