/* What adcsctl can do, told from its tables: for people, for the manual page, and as JSON. */
#ifndef ADCSD_CTL_HELP_H
#define ADCSD_CTL_HELP_H

#include <stdio.h>

#include "ctl/ctl.h"

/* Options that may stand anywhere, in the order of enum ctl_global. Ends with name NULL. */
enum ctl_global {
	CTL_GLOBAL_STATE,
	CTL_GLOBAL_DIRECTORY,
	CTL_GLOBAL_BIND,
	CTL_GLOBAL_PASSWORD_FILE,
	CTL_GLOBAL_CONFIG,
	CTL_GLOBAL_USER,
	CTL_GLOBAL_HASH,
	CTL_GLOBAL_AUTH,
	CTL_GLOBAL_LEVEL,
	CTL_GLOBAL_KERBEROS,
	CTL_GLOBAL_SPN,
	CTL_GLOBAL_JSON,
	CTL_GLOBALS
};
extern const struct ctl_option ctl_global_options[CTL_GLOBALS + 1];

/* The verb that the words spell; *used of them do. NULL: none. */
const struct ctl_verb *
ctl_verb_find(const char *noun, int argc, char **argv, int *used);
bool
ctl_is_noun(const char *word);
/* One verb with its options. */
void
ctl_help_verb(const struct ctl_verb *v, FILE *f);
/* The verbs of a noun, a line each. */
void
ctl_help_verbs(const char *noun, FILE *f);
/* "adcsctl help [NOUN [VERB]]". */
int
ctl_help(const struct ctl *c, int argc, char **argv);

#endif
