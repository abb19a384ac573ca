/* adcsctl lint: where the objects come from, and how findings are printed. */
#ifndef ADCSD_CTL_LINT_H
#define ADCSD_CTL_LINT_H

#include "ctl/ctl.h"
#include "dir/dir.h"
#include "lint/lint.h"

/* Every object of a forest that lint looks at, from a directory or a file. */
struct ctl_forest {
	struct dir_entry *v;
	size_t n, cap;
	uint32_t *by_dn; /* index + 1 of the object at a DN's hash; 0: free */
	size_t slots;    /* a power of two, or 0 */
};
/* The running server's directory, or --directory. */
int
ctl_forest_from_ldap(struct ctl *c, struct ctl_forest *f, struct err *e) MUST_CHECK;
/*
 * Content records of an LDIF file ("changetype: add", as ldifde writes, is content too). A record whose DN is
 * there already replaces the attributes it names: so a planned change can be laid over a forest.
 */
int
ctl_forest_from_ldif(struct ctl *c, struct ctl_forest *f, const char *path, struct err *e) MUST_CHECK;
/* As rules want them; in the pool. NULL when memory is short. */
struct policy_attrs *
ctl_forest_attrs(struct ctl *c, const struct ctl_forest *f);

/* What the three formats print. */
struct ctl_lint_view {
	struct ctl *c;
	const struct lint_finding *const *v; /* those to show */
	size_t n;
	const struct lint_report *report;
	const char *artifact; /* --against FILE, for SARIF; NULL: a directory */
	size_t ignored;       /* by --ignore and --severity */
};
int
ctl_lint_text(const struct ctl_lint_view *v);
int
ctl_lint_json(const struct ctl_lint_view *v);
/* SARIF 2.1.0 (OASIS), one run. */
int
ctl_lint_sarif(const struct ctl_lint_view *v);

int
ctl_lint(struct ctl *c, const struct ctl_args *a);

#endif
