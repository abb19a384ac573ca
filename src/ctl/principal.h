/* Tokens as the server builds them, for verbs that check access on this side. */
#ifndef ADCSD_CTL_PRINCIPAL_H
#define ADCSD_CTL_PRINCIPAL_H

#include "auth/token.h"
#include "ctl/ldap.h"

/* By enum token_via: "user", "primary", "group", "wellKnown", "local". */
extern const char *const ctl_via_names[];

/* The token of an account that has not logged on. token_unref() it; NULL with e. */
struct token *
ctl_token_get(struct ctl *c, const char *name, struct err *e);

#endif
