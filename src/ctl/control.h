/*
 * The controls of the Certificate Templates console as a table: one row sets, reads, compares and explains
 * one control. controls.def holds the rows.
 */
#ifndef ADCSD_CTL_CONTROL_H
#define ADCSD_CTL_CONTROL_H

#include "ctl/template.h"

struct control;

/* One control at work on a working copy of a template. */
struct control_edit {
	struct ctl *c;
	struct ctl_entry *en;
	const struct ctl_args *args; /* of the verb; NULL: none */
	const struct control *control;
	const char *value; /* what the option was given; set only */
};

struct control_word {
	const char *word; /* NULL ends the list */
	uint32_t bits;
};

struct control {
	const char *tab; /* headings only */
	const char *option, *label;
	int (*set)(struct control_edit *ed, struct err *e);
	/* In the spelling that set takes, so that two templates compare and a copy can be typed. In the pool.
	 */
	const char *(*get)(const struct control_edit *ed);
	const char *attr;
	uint32_t mask;
	const struct control_word *words;
	const char *off;        /* NULL: always in use */
	unsigned ca, recipient; /* COMPATIBILITY_... that unlock anything but off; 0: any */
};

extern const struct control
    controls[]; /* a row with a tab is that tab's heading; ends with neither tab nor option */

/* The control after `at` (NULL: the first), headings left out; NULL at the end. */
const struct control *
control_next(const struct control *at);
const char *
control_tab(const struct control *control);

const char *
control_get(struct ctl *c, const struct ctl_entry *en, const struct control *control);
const struct control *
control_find(const char *option);

/* CTL_USAGE, and told, when an option has a value that its control never takes. */
int
controls_check_values(struct ctl *c, const struct ctl_args *a);
/* The controls that were given, in the table's order, without the two levels and the provider category. */
int
controls_apply(struct ctl *c, struct ctl_entry *en, const struct ctl_args *a, struct err *e) MUST_CHECK;
/* What controls ask of each other once all are set: names the option that was given and cannot be. */
int
controls_check(struct ctl *c, struct ctl_entry *en, const struct ctl_args *a, struct err *e) MUST_CHECK;

#endif
