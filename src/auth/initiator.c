#include "auth/initiator_priv.h"

#define NTLM_OID "1.3.6.1.4.1.311.2.2.10"

struct auth_ctx *
auth_initiator_new(enum auth_mech mech, const struct auth_initiate *how, struct err *e)
{
	struct auth_ctx *inner;

	switch (mech) {
	case AUTH_MECH_NTLM:
		return ntlm_initiator_new(how, e);
	case AUTH_MECH_SPNEGO:
		inner = ntlm_initiator_new(how, e);
		return inner != NULL ? spnego_initiator_new(inner, NTLM_OID, e) : NULL;
	default:
		break;
	}
	(void)ERR(e, SEC_E_UNSUPPORTED_FUNCTION, "no initiator for authentication type %d", (int)mech);
	return NULL;
}
