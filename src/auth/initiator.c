#include "auth/initiator_priv.h"

#define NTLM_OID "1.3.6.1.4.1.311.2.2.10"
#define KERBEROS_OID "1.2.840.48018.1.2.2" /* as Windows calls it, MS-SPNG 2.2.1 */

struct auth_ctx *
auth_initiator_new(enum auth_mech mech, const struct auth_initiate *how, struct err *e)
{
	bool ticket = how->identity == NULL;
	struct auth_ctx *inner;

	switch (mech) {
	case AUTH_MECH_NTLM:
		return ntlm_initiator_new(how, e);
	case AUTH_MECH_KERBEROS:
		return kerberos_initiator_new(how, e);
	case AUTH_MECH_SPNEGO:
		inner = ticket ? kerberos_initiator_new(how, e) : ntlm_initiator_new(how, e);
		return inner != NULL ? spnego_initiator_new(inner, ticket ? KERBEROS_OID : NTLM_OID, e)
				     : NULL;
	}
	(void)ERR(e, SEC_E_UNSUPPORTED_FUNCTION, "no initiator for authentication type %d", (int)mech);
	return NULL;
}
