/* Request attributes: "Name:Value" lines (MS-WCCE 3.2.1.4.2.1.2, issuance.md section 6). */
#include <string.h>
#include <strings.h>

#include "policy/rule_priv.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Blanks and minus signs go, wherever in the name they stand. */
static char *
normalise(struct pool *pool, const char *name, size_t n)
{
	char *out = pool_alloc(pool, n + 1), *p = out;

	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (!is_blank(name[i]) && name[i] != '-')
			*p++ = name[i];
	return out;
}

/* Leaves a->name NULL when the line is no attribute. */
static int
parse_line(struct policy_attribute *a, struct pool *pool, const char *line, size_t n)
{
	const char *colon = memchr(line, ':', n), *value, *end = line + n;
	char *name;

	a->name = NULL;
	if (colon == NULL)
		return 0;
	value = colon + 1;
	while (value < end && is_blank(*value))
		value++;
	while (end > value && is_blank(end[-1]))
		end--;
	name = normalise(pool, line, (size_t)(colon - line));
	a->value = pool_strndup(pool, value, (size_t)(end - value));
	if (name == NULL || a->value == NULL)
		return -1;
	if (name[0] != '\0' && a->value[0] != '\0')
		a->name = name;
	return 0;
}

int
policy_attributes_parse(
    const char *text, struct pool *pool, struct policy_attribute **out, size_t *n, struct err *e)
{
	size_t lines = 1;

	*out = NULL;
	*n = 0;
	if (text == NULL)
		return 0;
	for (const char *p = text; *p != '\0'; p++)
		lines += *p == '\n';
	*out = pool_calloc(pool, lines, sizeof(**out));
	if (*out == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu request attributes", lines);
	for (const char *line = text; *line != '\0';) {
		size_t len = strcspn(line, "\n");

		if (parse_line(&(*out)[*n], pool, line, len) != 0)
			return ERR(e, E_OUTOFMEMORY, "no memory for a request attribute");
		*n += (*out)[*n].name != NULL;
		line += len + (line[len] == '\n');
	}
	return 0;
}

const char *
rule_attribute(const struct eval *ev, const char *name)
{
	for (size_t i = 0; i < ev->in->n_attributes; i++)
		if (strcasecmp(ev->in->attributes[i].name, name) == 0)
			return ev->in->attributes[i].value;
	return NULL;
}
