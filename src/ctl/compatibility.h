/* The Compatibility tab: levels, the schema version they fix, and what they unlock. */
#ifndef ADCSD_CTL_COMPATIBILITY_H
#define ADCSD_CTL_COMPATIBILITY_H

#include "ctl/control.h"

enum {
	COMPATIBILITY_2003 = 1,
	COMPATIBILITY_2008,
	COMPATIBILITY_2008R2,
	COMPATIBILITY_2012,
	COMPATIBILITY_2012R2,
	COMPATIBILITY_2016,
};

/* "2008R2" or "7", "Windows 7 / Server 2008 R2": 1..6. */
int
compatibility_parse(const char *text, unsigned *level, struct err *e) MUST_CHECK;
/* "Windows Server 2008 R2" / "Windows 7 / Server 2008 R2"; NULL for 0 and above 6. */
const char *
compatibility_name(unsigned level, bool recipient);
/* "2008R2" / "7", as options spell it. */
const char *
compatibility_word(unsigned level, bool recipient);

struct compatibility {
	unsigned ca, recipient;
};
/* The levels of a template; where a nibble is 0, what its schema version implies. */
struct compatibility
compatibility_of(const struct ctl_entry *en);

/* First save: fills nibbles that are 0, takes the given levels and provider category, fixes the schema
 * version. */
int
compatibility_first_save(
    struct ctl *c, struct ctl_entry *en, const struct ctl_args *a, struct err *e) MUST_CHECK;
/* Later saves: the given levels and, on schema 4, the provider category. */
int
compatibility_save(struct ctl *c, struct ctl_entry *en, const struct ctl_args *a, struct err *e) MUST_CHECK;

struct compatibility_changes {
	json_t *added, *removed,
	    *cleared; /* arrays of labels: what the new levels offer, no longer offer, switched off */
};
/*
 * Refuses a control that was given and that the levels of en do not unlock, naming the levels that would.
 * Controls in use that were not given are switched off. `before`: the levels the template had. changes may be
 * NULL.
 */
int
compatibility_enforce(struct ctl *c, struct ctl_entry *en, const struct ctl_args *a,
    struct compatibility before, struct compatibility_changes *changes, struct err *e) MUST_CHECK;
void
compatibility_changes_print(const struct compatibility_changes *changes);
void
compatibility_changes_free(struct compatibility_changes *changes);

#endif
