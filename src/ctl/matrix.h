/* Template x principal as a table: from the server's directory, or worked out here from an export. */
#ifndef ADCSD_CTL_MATRIX_H
#define ADCSD_CTL_MATRIX_H

#include "ctl/ctl.h"

struct ctl_principal {
	const char *account; /* "CORP\\bob" */
	bool disabled;
};

/* In ctl's pool. cells[row * n_templates + column]: see MATRIX_* of rehearse/matrix.h. */
struct ctl_matrix {
	const char **templates;
	size_t n_templates;
	struct ctl_principal *principals;
	size_t n_principals;
	uint32_t *cells;
	double milliseconds;
};

/* Room for the table; cells are MATRIX_ABSENT. */
int
ctl_matrix_alloc(
    struct ctl *c, struct ctl_matrix *m, size_t n_templates, size_t n_principals, struct err *e) MUST_CHECK;
/* Comma-separated names in the pool; *n 0 and NULL when text is NULL. */
int
ctl_split(struct ctl *c, const char *text, const char *const **out, size_t *n, struct err *e) MUST_CHECK;
/* The same as a member of a verb's arguments; text NULL: none. */
int
ctl_set_list(struct ctl *c, json_t *args, const char *name, const char *text, struct err *e) MUST_CHECK;

/* The verb's options decide what is asked: --templates, --principals, --all-templates, --subject, --san,
 * --key, --attrib. */
int
ctl_matrix_ask(struct ctl *c, const struct ctl_args *a, struct ctl_matrix *out, struct err *e) MUST_CHECK;
int
ctl_matrix_from_ldif(struct ctl *c, const struct ctl_args *a, const char *path, struct ctl_matrix *out,
    struct err *e) MUST_CHECK;

/* One request of --as in an export: the server's answer to "rehearse" but for message, disposition and
 * reason. NULL with e, also when the request itself cannot be read. */
json_t *
ctl_rehearse_in_export(struct ctl *c, const struct ctl_args *a, const char *path, struct err *e);

/* As a table, CSV (--csv) or JSON. */
int
ctl_matrix_print(struct ctl *c, const struct ctl_args *a, const struct ctl_matrix *m);
/* Whose outcome differs. 0 when nobody's, else CTL_DENIED. */
int
ctl_matrix_print_changes(struct ctl *c, const struct ctl_matrix *before, const struct ctl_matrix *after);

#endif
