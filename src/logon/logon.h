/* The authority behind the acceptors: accounts and secrets of the directory turned into verdicts and tokens.
 */
#ifndef ADCSD_LOGON_LOGON_H
#define ADCSD_LOGON_LOGON_H

#include "auth/auth.h"

struct dir;
struct logon;

/* local_groups may be NULL; else called for each new token. */
struct logon *
logon_new(struct dir *d, int (*local_groups)(void *arg, struct token *t, struct err *e), void *arg);
void
logon_free(struct logon *l);
const struct auth_authority *
logon_authority(struct logon *l);
/* Kerberos is served from here on; NULL: it is not. Lent. */
void
logon_set_kerberos(struct logon *l, struct kerberos *k);

/* A token for an account without a logon, as "principal show" and "rehearse" need it. */
typedef void
logon_token_fn(void *arg, struct token *t, const struct err *e);
int
logon_token_start(struct logon *l, const char *name, logon_token_fn *cb, void *arg, struct err *e) MUST_CHECK;

#endif
