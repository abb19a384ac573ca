/*
 * The accounts of a whole forest as tokens and subjects, worked out in memory from one reading of users and
 * groups: what logon/ does for one account at a time. No I/O: entries come from a directory or from an
 * export.
 */
#ifndef ADCSD_REHEARSE_PEOPLE_H
#define ADCSD_REHEARSE_PEOPLE_H

#include "policy/policy.h"

struct people;

struct person {
	struct token *token; /* after people_finish() */
	struct policy_subject subject;
	bool disabled;
};

/* nb_domain goes before the names, "CORP". NULL when memory is short. */
struct people *
people_new(const char *nb_domain);
/* NULL is fine. */
void
people_free(struct people *p);

/* Takes a user, computer or security group; passes over what is neither or has no SID or account name.
 * Copies. */
int
people_add(struct people *p, const struct policy_attrs *entry, struct err *e) MUST_CHECK;
/*
 * Builds the tokens: the account, its groups, nested and each once, then the primary group and those around
 * it, the well-known SIDs, and what local_groups (may be NULL) adds. Groups are found by `member`, and by
 * `memberOf` where an export has only that. Sorts by account name.
 */
int
people_finish(struct people *p, int (*local_groups)(void *arg, struct token *t, struct err *e), void *arg,
    struct err *e) MUST_CHECK;

size_t
people_count(const struct people *p);
const struct person *
people_at(const struct people *p, size_t i);
/* By "CORP\\name" or "name"; NULL when there is none. */
const struct person *
people_find(const struct people *p, const char *name);

#endif
