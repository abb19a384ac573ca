/* Step 21: the Enroll right on the template (MS-WCCE 3.2.2.6.2.1.4.3, MS-CRTD 2.5.1). */
#include "policy/rule_priv.h"

static const char *
ace_text(struct eval *ev, const struct ace *ace)
{
	if (sd_ace_to_sddl(ace, &ev->scratch, NULL, NULL) != 0)
		buf_reset(&ev->scratch);
	return rule_keep_text(ev);
}

/* "CORP\Domain Computers (S-1-5-...-515)" */
static const char *
trustee_text(struct eval *ev, const struct sid *sid)
{
	const struct token_sid *in_token = token_find(ev->in->caller, sid);
	char text[SID_TEXT_MAX];

	sid_to_text(sid, text);
	if (in_token == NULL || in_token->name == NULL)
		return pool_strdup(ev->pool, text);
	return pool_printf(ev->pool, "%s (%s)", in_token->name, text);
}

int
check_enroll(struct eval *ev)
{
	const struct policy_template *t = ev->t;
	const char *who = ev->in->caller->account, *through;
	struct access_verdict v = access_check_control(t->sd, ev->in->caller, &GUID_ENROLL);

	/* with the old key as proof (MS-WCCE 3.2.2.6.2.1.4.5.6) */
	if (ev->approved_before && rule_supplied(t) &&
	    (t->enrollment_flags & CT_FLAG_ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL_VALIDATE_REENROLLMENT))
		return rule_pass(
		    ev, "%s renews by the old key, which %s lets stand for the right", who, t->cn);
	if (v.ace == NULL && v.granted)
		return rule_pass(ev, "%s: %s has no DACL, everyone may enroll", who, t->cn);
	if (v.ace == NULL) {
		rule_fix(ev,
		    "Certificate Templates console > %s > Properties > Security: allow Enroll for %s or one "
		    "of its "
		    "groups",
		    t->cn, who);
		return rule_refuse(ev, CERTSRV_E_TEMPLATE_DENIED,
		    "no ACE of %s allows Enroll to %s or any of the %zu SIDs in its token", t->cn, who,
		    ev->in->caller->n_sids);
	}
	through = trustee_text(ev, &v.ace->sid);
	if (through == NULL)
		return rule_nomem(ev);
	if (v.granted)
		return rule_pass(ev, "%s may enroll: %s, through %s", who, ace_text(ev, v.ace), through);
	rule_fix(ev,
	    "Certificate Templates console > %s > Properties > Security: clear Deny for %s, or take %s out "
	    "of that "
	    "group",
	    t->cn, through, who);
	return rule_refuse(ev, CERTSRV_E_TEMPLATE_DENIED, "%s is denied Enroll by %s, through %s", who,
	    ace_text(ev, v.ace), through);
}
