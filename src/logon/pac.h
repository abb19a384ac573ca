/* Who a ticket's PAC says its client is (MS-PAC 2.5): names, and the SIDs of a token. */
#ifndef ADCSD_LOGON_PAC_H
#define ADCSD_LOGON_PAC_H

#include "auth/token.h"
#include "base/pool.h"

struct pac_identity {
	const char *account,
	    *domain; /* sAMAccountName and NetBIOS domain, as the KDC spells them; may be "" */
	struct sid user;
	uint32_t primary_rid;
	const struct pac_logon_info *info;
};

/* Reads the signed logon information; all lives in the pool. E_INVALID_DATA when it cannot be used. */
int
pac_identity_read(
    struct bytes logon_info, struct pool *pool, struct pac_identity *out, struct err *e) MUST_CHECK;

/*
 * The user, the primary group, the domain's groups, the extra SIDs and the resource groups, in this order;
 * what is not enabled is left out, and so are a domain controller's own groups (S-1-5-32-...), which mean
 * nothing here.
 */
int
pac_add_sids(struct token *t, const struct pac_identity *id, struct err *e) MUST_CHECK;

#endif
