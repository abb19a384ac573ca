/* What a caller is: account names and SIDs. Built once per security context, as on Windows; immutable
 * afterwards. */
#ifndef ADCSD_AUTH_TOKEN_H
#define ADCSD_AUTH_TOKEN_H

#include "auth/sid.h"
#include "base/guid.h"

#define TOKEN_MAX_SIDS 4096

/* Why a SID is in the token, for explanations. */
enum token_via {
	TOKEN_VIA_USER,       /* objectSid, sIDHistory */
	TOKEN_VIA_PRIMARY,    /* primaryGroupID, and what that group is nested in */
	TOKEN_VIA_GROUP,      /* member of, directly or nested */
	TOKEN_VIA_WELL_KNOWN, /* Everyone, Authenticated Users, ... */
	TOKEN_VIA_LOCAL,      /* the CA host's local groups, by setting */
};

struct token_sid {
	struct sid sid;
	enum token_via via;
	char *name; /* display name, "CORP\\Domain Users"; may be NULL */
};

struct token {
	unsigned refs;
	char *account; /* "CORP\\PFXCONN01$" */
	char *dn;      /* distinguishedName in the directory */
	char *upn;     /* may be NULL */
	bool is_computer;
	struct token_sid *sids; /* [0] is the user's own */
	size_t n_sids, sids_cap;
};

/* refs 1, no SIDs. Copies the texts. NULL when memory is short. */
struct token *
token_new(const char *account, const char *dn, const char *upn, bool is_computer);
/* Adds once; a SID already there is left as it is. Fails past TOKEN_MAX_SIDS. */
int
token_add(
    struct token *t, const struct sid *sid, enum token_via via, const char *name, struct err *e) MUST_CHECK;
/* Everyone, Network, Authenticated Users, This Organization; Enterprise Domain Controllers when the primary
 * group is RID 516 (access-control 3.1). */
int
token_add_well_known(struct token *t, uint32_t primary_rid, struct err *e) MUST_CHECK;
bool
token_has(const struct token *t, const struct sid *sid);
const struct token_sid *
token_find(const struct token *t, const struct sid *sid);
/* Reference counts are not atomic: tokens stay on the loop's thread, or are read by a job while the loop
 * holds one. */
struct token *
token_ref(struct token *t);
/* NULL is fine. */
void
token_unref(struct token *t);

#endif
