#include "ctl/matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ctl/admin.h"
#include "rehearse/matrix.h"

#define CODES_MAX 64 /* distinct refusals explained below the table */

int
ctl_matrix_alloc(struct ctl *c, struct ctl_matrix *m, size_t n_templates, size_t n_principals, struct err *e)
{
	size_t cells;

	if (__builtin_mul_overflow(n_templates, n_principals, &cells))
		return ERR(e, E_INVALIDARG, "the table has too many cells");
	*m = (struct ctl_matrix){ .n_templates = n_templates, .n_principals = n_principals };
	m->templates = pool_calloc(c->pool, n_templates, sizeof(*m->templates));
	m->principals = pool_calloc(c->pool, n_principals, sizeof(*m->principals));
	m->cells = pool_calloc(c->pool, cells, sizeof(*m->cells));
	if (m->templates == NULL || m->principals == NULL || m->cells == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu cells", cells);
	return 0;
}

int
ctl_split(struct ctl *c, const char *text, const char *const **out, size_t *n, struct err *e)
{
	size_t room = 1;
	const char **v;

	*out = NULL;
	*n = 0;
	if (text == NULL)
		return 0;
	for (const char *p = text; *p != '\0'; p++)
		room += *p == ',';
	v = pool_calloc(c->pool, room, sizeof(*v));
	for (const char *p = text; v != NULL && p != NULL;
	     p = strchr(p, ',') != NULL ? strchr(p, ',') + 1 : NULL) {
		size_t len;

		p += strspn(p, " ");
		len = strcspn(p, ",");
		if (len > 0 && (v[(*n)++] = pool_strndup(c->pool, p, len)) == NULL)
			v = NULL;
	}
	*out = v;
	return v != NULL ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for a list of names");
}

/* ---- the server's ---- */

int
ctl_set_list(struct ctl *c, json_t *args, const char *name, const char *text, struct err *e)
{
	const char *const *v;
	json_t *list;
	size_t n;

	if (text == NULL)
		return 0;
	if (ctl_split(c, text, &v, &n, e) != 0)
		return -1;
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(v[i]));
	json_object_set_new(args, name, list);
	return 0;
}

static int
read_answer(struct ctl *c, const json_t *o, struct ctl_matrix *m, struct err *e)
{
	const json_t *templates = json_object_get(o, "templates"),
		     *principals = json_object_get(o, "principals");
	const json_t *cells = json_object_get(o, "cells");

	if (ctl_matrix_alloc(c, m, json_array_size(templates), json_array_size(principals), e) != 0)
		return -1;
	m->milliseconds = json_real_value(json_object_get(o, "milliseconds"));
	for (size_t i = 0; i < m->n_templates; i++) {
		const char *name = json_string_value(json_array_get(templates, i));

		m->templates[i] = name != NULL ? pool_strdup(c->pool, name) : NULL;
		if (m->templates[i] == NULL)
			return ERR(e, E_UNEXPECTED, "the server's table cannot be read");
	}
	for (size_t i = 0; i < m->n_principals; i++) {
		const json_t *p = json_array_get(principals, i), *row = json_array_get(cells, i);
		const char *account = json_string_value(json_object_get(p, "account"));

		m->principals[i].account = account != NULL ? pool_strdup(c->pool, account) : NULL;
		m->principals[i].disabled = json_is_true(json_object_get(p, "disabled"));
		if (m->principals[i].account == NULL || json_array_size(row) != m->n_templates)
			return ERR(e, E_UNEXPECTED, "the server's table cannot be read");
		for (size_t k = 0; k < m->n_templates; k++)
			m->cells[i * m->n_templates + k] =
			    (uint32_t)json_integer_value(json_array_get(row, k));
	}
	return 0;
}

int
ctl_matrix_ask(struct ctl *c, const struct ctl_args *a, struct ctl_matrix *out, struct err *e)
{
	static const char *const plain[] = { "subject", "san", "key" };
	json_t *args = json_object(), *o;
	int rc;

	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (ctl_arg(a, plain[i]) != NULL)
			json_object_set_new(args, plain[i], json_string(ctl_arg(a, plain[i])));
	if (ctl_arg(a, "attrib") != NULL)
		json_object_set_new(args, "attributes", json_string(ctl_attributes(c, ctl_arg(a, "attrib"))));
	json_object_set_new(args, "allTemplates", json_boolean(ctl_arg(a, "all-templates") != NULL));
	if (ctl_set_list(c, args, "templates", ctl_arg(a, "templates"), e) != 0 ||
	    ctl_set_list(c, args, "principals", ctl_arg(a, "principals"), e) != 0) {
		json_decref(args);
		return -1;
	}
	o = ctl_call(c, "rehearse.matrix", args, e);
	if (o == NULL)
		return -1;
	rc = read_answer(c, o, out, e);
	json_decref(o);
	return rc;
}

/* ---- output ---- */

static const char *
outcome_name(uint32_t cell)
{
	switch (cell) {
	case MATRIX_ABSENT:
		return "absent";
	case MATRIX_ISSUED:
		return "issued";
	case MATRIX_PENDING:
		return "pending";
	default:
		return "denied";
	}
}

static const char *
code_name(uint32_t cell)
{
	const char *name = cell > MATRIX_PENDING ? hresult_name(cell) : NULL;

	return name != NULL ? name : "";
}

/* Everything about a cell in one word: "issued", "pending", "0x80094012". */
static const char *
cell_text(uint32_t cell, char out[16])
{
	if (cell <= MATRIX_PENDING)
		return outcome_name(cell);
	snprintf(out, 16, "0x%08x", cell);
	return out;
}

static void
csv_field(const char *s, const char *end)
{
	putchar('"');
	for (; *s != '\0'; s++) {
		if (*s == '"')
			putchar('"');
		putchar(*s);
	}
	printf("\"%s", end);
}

static void
print_csv(const struct ctl_matrix *m)
{
	char text[16];

	csv_field("principal", "");
	for (size_t k = 0; k < m->n_templates; k++) {
		putchar(',');
		csv_field(m->templates[k], "");
	}
	putchar('\n');
	for (size_t i = 0; i < m->n_principals; i++) {
		csv_field(m->principals[i].account, "");
		for (size_t k = 0; k < m->n_templates; k++)
			printf(",%s", cell_text(m->cells[i * m->n_templates + k], text));
		putchar('\n');
	}
}

static json_t *
matrix_json(const struct ctl_matrix *m)
{
	json_t *templates = json_array(), *rows = json_array();

	for (size_t k = 0; k < m->n_templates; k++)
		json_array_append_new(templates, json_string(m->templates[k]));
	for (size_t i = 0; i < m->n_principals; i++) {
		json_t *cells = json_array();

		for (size_t k = 0; k < m->n_templates; k++) {
			char text[16];

			json_array_append_new(
			    cells, json_string(cell_text(m->cells[i * m->n_templates + k], text)));
		}
		json_array_append_new(rows,
		    json_pack("{s:s, s:b, s:o}", "principal", m->principals[i].account, "disabled",
			m->principals[i].disabled, "cells", cells));
	}
	return json_pack(
	    "{s:o, s:o, s:f}", "templates", templates, "rows", rows, "milliseconds", m->milliseconds);
}

/* The letter of a refusal; the legend below the table says which. */
static char
letter(uint32_t cell, uint32_t *codes, size_t *n)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHJKLMNOQRSTUVWXZ0123456789";
	size_t i = 0;

	if (cell == MATRIX_ISSUED)
		return 'I';
	if (cell == MATRIX_PENDING)
		return 'P';
	if (cell == MATRIX_ABSENT)
		return '-';
	while (i < *n && codes[i] != cell)
		i++;
	if (i == *n && *n < sizeof(letters) - 1)
		codes[(*n)++] = cell;
	return i < sizeof(letters) - 1 ? letters[i] : '?';
}

static void
print_table(const struct ctl_matrix *m)
{
	size_t count[3] = { 0 }, n = 0, width = 9;
	uint32_t codes[CODES_MAX] = { 0 };
	static const uint32_t outcomes[] = { MATRIX_ISSUED, MATRIX_PENDING };

	for (size_t i = 0; i < m->n_principals; i++)
		if (strlen(m->principals[i].account) > width)
			width = strlen(m->principals[i].account);
	for (size_t k = 0; k < m->n_templates; k++)
		printf("%*zu  %s\n", (int)width + 4, k + 1, m->templates[k]);
	printf("\n%-*s", (int)width, "");
	for (size_t k = 0; k < m->n_templates; k++)
		printf("%4zu", k + 1);
	putchar('\n');
	for (size_t i = 0; i < m->n_principals; i++) {
		printf("%-*s", (int)width, m->principals[i].account);
		for (size_t k = 0; k < m->n_templates; k++) {
			uint32_t cell = m->cells[i * m->n_templates + k];

			count[cell == outcomes[0] ? 0 : cell == outcomes[1] ? 1 : 2]++;
			printf("%4c", letter(cell, codes, &n));
		}
		printf("%s\n", m->principals[i].disabled ? "  (disabled: cannot log on)" : "");
	}
	printf("\nI issued %zu, P pending %zu, denied %zu\n", count[0], count[1], count[2]);
	for (size_t i = 0; i < n; i++) {
		size_t seen = i;

		printf("%c denied 0x%08x %s\n  %s\n", letter(codes[i], codes, &seen), codes[i],
		    code_name(codes[i]),
		    codes[i] > MATRIX_PENDING ? hresult_text(codes[i]) : "by RequestDisposition");
	}
}

int
ctl_matrix_print(struct ctl *c, const struct ctl_args *a, const struct ctl_matrix *m)
{
	if (c->json)
		return ctl_print_json(matrix_json(m));
	if (ctl_arg(a, "csv") != NULL)
		print_csv(m);
	else
		print_table(m);
	return CTL_OK;
}

/* ---- before and after ---- */

static int
compare_texts(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcasecmp(*x, *y);
}

/* Names of both, each once. */
static const char **
merge(struct ctl *c, const char **x, size_t n_x, const char **y, size_t n_y, size_t *n)
{
	const char **all = pool_calloc(c->pool, n_x + n_y, sizeof(*all));

	*n = 0;
	if (all == NULL || n_x + n_y == 0)
		return all;
	memcpy(all, x, n_x * sizeof(*all));
	memcpy(all + n_x, y, n_y * sizeof(*all));
	qsort(all, n_x + n_y, sizeof(*all), compare_texts);
	for (size_t i = 0; i < n_x + n_y; i++)
		if (*n == 0 || strcasecmp(all[*n - 1], all[i]) != 0)
			all[(*n)++] = all[i];
	return all;
}

static const char **
accounts_of(struct ctl *c, const struct ctl_matrix *m)
{
	const char **v = pool_calloc(c->pool, m->n_principals, sizeof(*v));

	for (size_t i = 0; v != NULL && i < m->n_principals; i++)
		v[i] = m->principals[i].account;
	return v;
}

/* For each of the merged names its index, SIZE_MAX when it is not there. */
static size_t *
indexes(struct ctl *c, const char **all, size_t n_all, const char **names, size_t n)
{
	size_t *at = pool_calloc(c->pool, n_all, sizeof(*at));

	for (size_t i = 0; at != NULL && i < n_all; i++)
		at[i] = SIZE_MAX;
	for (size_t i = 0; at != NULL && i < n; i++) {
		const char **found = bsearch(&names[i], all, n_all, sizeof(*all), compare_texts);

		if (found != NULL)
			at[found - all] = i;
	}
	return at;
}

/* One of the two tables by merged names. */
struct side {
	const struct ctl_matrix *m;
	size_t *templates, *principals;
};

static uint32_t
cell_at(const struct side *s, size_t principal, size_t template)
{
	size_t i = s->principals[principal], k = s->templates[template];

	return i == SIZE_MAX || k == SIZE_MAX ? MATRIX_ABSENT : s->m->cells[i * s->m->n_templates + k];
}

/* What a person gets: from worst to best. */
static int
rank(uint32_t cell)
{
	return cell == MATRIX_ISSUED ? 2 : cell == MATRIX_PENDING ? 1 : 0;
}

static void
print_change(
    const struct ctl *c, json_t *list, const char *who, const char *template, uint32_t was, uint32_t is)
{
	const char *change = rank(is) > rank(was) ? "won" : "lost";
	char x[16], y[16];

	json_array_append_new(list,
	    json_pack("{s:s, s:s, s:s, s:s, s:s}", "change", change, "principal", who, "template", template,
		"before", cell_text(was, x), "after", cell_text(is, y)));
	if (!c->json)
		printf("%-5s %-40s %-32s %s %s -> %s %s\n", change, who, template, cell_text(was, x),
		    code_name(was), cell_text(is, y), code_name(is));
}

int
ctl_matrix_print_changes(struct ctl *c, const struct ctl_matrix *before, const struct ctl_matrix *after)
{
	const char **who_b = accounts_of(c, before), **who_a = accounts_of(c, after), **who, **templates;
	struct side b = { .m = before }, n = { .m = after };
	size_t n_who, n_templates, changes = 0;
	json_t *list;

	if (who_b == NULL || who_a == NULL)
		return CTL_FAILURE;
	who = merge(c, who_b, before->n_principals, who_a, after->n_principals, &n_who);
	templates = merge(
	    c, before->templates, before->n_templates, after->templates, after->n_templates, &n_templates);
	if (who == NULL || templates == NULL)
		return CTL_FAILURE;
	b.principals = indexes(c, who, n_who, who_b, before->n_principals);
	n.principals = indexes(c, who, n_who, who_a, after->n_principals);
	b.templates = indexes(c, templates, n_templates, before->templates, before->n_templates);
	n.templates = indexes(c, templates, n_templates, after->templates, after->n_templates);
	if (b.principals == NULL || n.principals == NULL || b.templates == NULL || n.templates == NULL)
		return CTL_FAILURE;
	list = json_array();
	for (size_t i = 0; i < n_who; i++)
		for (size_t k = 0; k < n_templates; k++) {
			uint32_t was = cell_at(&b, i, k), is = cell_at(&n, i, k);

			if (rank(was) == rank(is))
				continue;
			print_change(c, list, who[i], templates[k], was, is);
			changes++;
		}
	if (c->json && ctl_print_json(json_pack("{s:O}", "changes", list)) != CTL_OK)
		changes = 0;
	else if (!c->json)
		printf("%zu outcome%s changed\n", changes, changes == 1 ? "" : "s");
	json_decref(list);
	return changes == 0 ? CTL_OK : CTL_DENIED;
}
