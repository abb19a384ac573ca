/*
 * Restrictions of certificate managers and enrollment agents: MS-CSRA 2.2.1.11. A descriptor whose DACL has
 * only callback ACEs; what each says about whom, and for which template, is in its application data.
 */
#ifndef ADCSD_AUTH_RESTRICTION_H
#define ADCSD_AUTH_RESTRICTION_H

#include "auth/sd.h"
#include "auth/token.h"

#define RESTRICTION_MASK 0x00010000u /* of every such ACE */
#define RESTRICTION_MAX_SIDS 1024

/* One ACE. Lives in the pool it was read with. */
struct restriction {
	bool allow;
	struct sid who;             /* the certificate manager or enrollment agent */
	const struct sid *subjects; /* requesters the one decides about, subjects the other enrolls for */
	size_t n_subjects;
	const char *template_name; /* cn or OID; "": every template */
};
struct restrictions {
	const struct restriction *v;
	size_t n;
};

/* E_INVALID_DATA for an ACE of another type or mask, and for application data that is not SIDCount, SIDs,
 * name. A missing name, or one without its NUL, is taken. */
int
restriction_from_ace(
    struct restriction *out, struct pool *pool, const struct ace *ace, struct err *e) MUST_CHECK;
int
restriction_to_ace(const struct restriction *r, struct pool *pool, struct ace *out, struct err *e) MUST_CHECK;
/* Every ACE of the DACL, in order. Without a DACL there are none. */
int
restrictions_from_sd(
    struct restrictions *out, struct pool *pool, const struct sd *sd, struct err *e) MUST_CHECK;
/* Owner and group are Builtin Administrators, as certsrv.msc writes it. */
int
restrictions_to_sd(const struct restrictions *r, struct pool *pool, struct sd *out, struct err *e) MUST_CHECK;

/*
 * The first one that speaks of `who`, of the subject and of the template decides; NULL: none does, which is a
 * refusal. subject NULL: somebody of whom nothing is known, whom only S-1-1-0 (Everyone) means. cn, oid: the
 * template's; either may be NULL.
 */
const struct restriction *
restrictions_find(const struct restrictions *r, const struct token *who, const struct token *subject,
    const char *cn, const char *oid);

#endif
