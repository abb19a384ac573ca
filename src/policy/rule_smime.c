/* Step 31 and the SMIMECapabilities extension (MS-WCCE 3.2.2.6.2.1.4.5.6, RFC 4262). */
#include "policy/rule_priv.h"

/*
 * RC2-128, RC4-128, DES, 3DES: what Windows clients of the classic providers ask for, taken as the CA's
 * default.
 */
static const uint8_t default_capabilities[] = { 0x30, 0x35, 0x30, 0x0e, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86,
	0xf7, 0x0d, 0x03, 0x02, 0x02, 0x02, 0x00, 0x80, 0x30, 0x0e, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7,
	0x0d, 0x03, 0x04, 0x02, 0x02, 0x00, 0x80, 0x30, 0x07, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x07, 0x30,
	0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x03, 0x07 };

static bool
wanted(const struct eval *ev)
{
	return (ev->t->enrollment_flags & CT_FLAG_INCLUDE_SYMMETRIC_ALGORITHMS) != 0;
}

int
check_smime(struct eval *ev)
{
	if (!wanted(ev))
		return rule_pass(ev, "flag INCLUDE_SYMMETRIC_ALGORITHMS is clear");
	if (x509_request_extension(ev->request, OID_SMIME_CAPABILITIES) != NULL)
		return rule_pass(ev, "the request has SMIME capabilities");
	if (ev->ca->edit_flags & EDITF_ENABLEDEFAULTSMIME)
		return rule_pass(
		    ev, "the request has no SMIME capabilities, EDITF_ENABLEDEFAULTSMIME supplies them");
	rule_fix(ev,
	    "put SMIME capabilities into the request, certutil -setreg policy\\EditFlags "
	    "+EDITF_ENABLEDEFAULTSMIME, or "
	    "Certificate Templates console > %s > Properties > Request Handling: clear Include symmetric "
	    "algorithms allowed "
	    "by the subject",
	    ev->t->cn);
	return rule_refuse(ev, CERTSRV_E_SMIME_REQUIRED,
	    "%s includes symmetric algorithms, the request lists none and EDITF_ENABLEDEFAULTSMIME is off",
	    ev->t->cn);
}

int
apply_smime(struct eval *ev)
{
	struct bytes value = { default_capabilities, sizeof(default_capabilities) };

	if (!wanted(ev))
		return rule_skipped(ev, "flag INCLUDE_SYMMETRIC_ALGORITHMS is clear");
	return rule_put(ev, OID_SMIME_CAPABILITIES, false, value, "the CA's default list");
}
