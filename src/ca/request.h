/* The stations of one request: what request.c, request_accounts.c and request_end.c lend each other. All on
 * the loop's thread. */
#ifndef ADCSD_CA_REQUEST_H
#define ADCSD_CA_REQUEST_H

#include "ca/ca_priv.h"

/* ---- request.c ---- */

/* Everything about the request is known but the accounts: they are looked up, then it is decided. */
void
ca_request_evaluate(struct ca_request *r);

/* ---- request_accounts.c ---- */

/* Looks up the accounts that policy wants to see, and decides. */
void
ca_request_accounts(struct ca_request *r);
/* CR_IN_ROBO: the owner of the certificate to be renewed becomes the requester; evaluates. */
void
ca_request_end_entity(struct ca_request *r);

/* ---- request_end.c: each of these answers the caller and frees r, at once or when the row is stored ---- */

/* The end. A rehearsal leaves no record: it happened to nobody. why: as in the journal. */
void
ca_request_finish(
    struct ca_request *r, const struct ca_request_result *res, const char *operation, const char *why);
/* No row, no certificate: a gate, or our own trouble. */
void
ca_request_refuse(struct ca_request *r, const struct err *e);
/* Failed before policy had a word: the row still tells, and an answer may be signed. intro: CA_ERROR_*, may
 * be NULL. */
void
ca_request_fail(struct ca_request *r, const char *intro, const struct err *why);
void
ca_request_decide_start(struct ca_request *r);
/* The directory's answers arrive even while the CA closes; then nothing more is started: true, and r is gone.
 */
bool
ca_request_cut_short(struct ca_request *r);
/* Without an answer. */
void
ca_request_free(struct ca_request *r);

#endif
