#include "dir/ldif.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* Attributes and values of one record; no forest has an entry near this. */
#define LDIF_MAX_ATTRS 512
#define LDIF_MAX_VALUES 100000
#define LDIF_WRAP 76

void
ldif_reader_init(struct ldif_reader *r, const char *file, struct bytes text)
{
	const char *p = text.len == 0 ? "" : (const char *)text.p;

	*r = (struct ldif_reader){ .file = file, .p = p, .end = p + text.len, .line = 1 };
	buf_init(&r->text, LDIF_LINE_MAX);
}

void
ldif_reader_fini(struct ldif_reader *r)
{
	buf_fini(&r->text);
}

/* Takes one physical line without its end. */
static struct bytes
physical_line(struct ldif_reader *r)
{
	const char *start = r->p;
	const char *nl = memchr(start, '\n', (size_t)(r->end - start));
	const char *stop = nl == NULL ? r->end : nl;

	r->p = nl == NULL ? r->end : nl + 1;
	r->line++;
	if (stop > start && stop[-1] == '\r')
		stop--;
	return (struct bytes){ (const uint8_t *)start, (size_t)(stop - start) };
}

/* Unfolds the next line into r->text, comments left out. False at the end of the file. */
static int
next_line(struct ldif_reader *r, bool *have, unsigned *at, struct err *e)
{
	struct bytes part;
	bool comment;

	do {
		*have = r->p < r->end;
		if (!*have)
			return 0;
		*at = r->line;
		buf_reset(&r->text);
		part = physical_line(r);
		comment = part.len > 0 && part.p[0] == '#';
		buf_put_bytes(&r->text, part);
		while (part.len > 0 && r->p < r->end && *r->p == ' ') {
			part = physical_line(r);
#ifdef ADCSD_PLANTED_BUG_DIR_LDIF
			if (r->text.len > 200)
				r->text.p[r->text.cap] = 0;
#endif
			buf_put(&r->text, part.p + 1, part.len - 1);
		}
		if (!buf_ok(&r->text))
			return ERR(e, E_INVALID_DATA, "%s:%u: line is too long", r->file, *at);
	} while (comment);
	return 0;
}

/* One value under collection. */
struct pair {
	const char *name;
	struct bytes value;
	struct pair *next;
};

/* AttributeDescription (RFC 2849): letters, digits, hyphens, options, dotted OIDs. */
static bool
is_name(const char *p, const char *end)
{
	while (p < end &&
	    ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '-' ||
		*p == ';' || *p == '.'))
		p++;
	return p == end;
}

static int
parse_pair(struct ldif_reader *r, struct pool *pool, struct pair *out, unsigned at, struct err *e)
{
	const char *line = buf_cstr(&r->text);
	size_t len = r->text.len;
	const char *colon = memchr(line, ':', len);
	struct bytes value;
	struct buf decoded;
	size_t skip = 1;
	int rc;

	if (colon == NULL || colon == line || !is_name(line, colon))
		return ERR(e, E_INVALID_DATA, "%s:%u: not \"attribute: value\"", r->file, at);
	if (strlen(line) != len)
		return ERR(e, E_INVALID_DATA, "%s:%u: NUL in the text", r->file, at);
	if (colon[1] == '<')
		return ERR(e, E_INVALID_DATA, "%s:%u: values from URLs are not read", r->file, at);
	out->name = pool_strndup(pool, line, (size_t)(colon - line));
	if (colon[1] == ':')
		skip = 2;
	value = (struct bytes){ (const uint8_t *)colon + skip, len - (size_t)(colon - line) - skip };
	while (value.len > 0 && *value.p == ' ') {
		value.p++;
		value.len--;
	}
	if (out->name == NULL)
		return ERR(e, E_OUTOFMEMORY, "%s:%u: out of memory", r->file, at);
	if (skip == 1)
		return pool_dup_bytes(pool, value, &out->value) == 0
		    ? 0
		    : ERR(e, E_OUTOFMEMORY, "%s:%u: out of memory", r->file, at);
	buf_init(&decoded, LDIF_LINE_MAX);
	rc = text_parse_base64(&decoded, value, e);
	if (rc != 0)
		(void)err_prefix(e, "%s:%u", r->file, at);
	else if (pool_dup_bytes(pool, buf_bytes(&decoded), &out->value) != 0)
		rc = ERR(e, E_OUTOFMEMORY, "%s:%u: out of memory", r->file, at);
	buf_fini(&decoded);
	return rc;
}

/* Groups the collected values by attribute, first appearance first. */
static int
group_pairs(struct pool *pool, const struct pair *list, size_t n_pairs, struct dir_entry *out, struct err *e)
{
	const struct pair *p;
	struct dir_attr *a;
	size_t i;

	out->attrs =
	    pool_calloc(pool, LDIF_MAX_ATTRS < n_pairs ? LDIF_MAX_ATTRS : n_pairs, sizeof(*out->attrs));
	if (out->attrs == NULL)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	for (p = list; p != NULL; p = p->next) {
		for (i = 0; i < out->n_attrs && strcasecmp(out->attrs[i].name, p->name) != 0; i++)
			;
		if (i == LDIF_MAX_ATTRS)
			return ERR(
			    e, E_INVALID_DATA, "%.80s has more than %d attributes", out->dn, LDIF_MAX_ATTRS);
		if (i == out->n_attrs)
			out->attrs[out->n_attrs++].name = p->name;
		out->attrs[i].n++;
	}
	for (i = 0; i < out->n_attrs; i++) {
		a = &out->attrs[i];
		a->values = pool_calloc(pool, a->n, sizeof(*a->values));
		if (a->values == NULL)
			return ERR(e, E_OUTOFMEMORY, "out of memory");
		a->n = 0;
	}
	for (p = list; p != NULL; p = p->next) {
		for (i = 0; strcasecmp(out->attrs[i].name, p->name) != 0; i++)
			;
		out->attrs[i].values[out->attrs[i].n++] = p->value;
	}
	return 0;
}

int
ldif_read(struct ldif_reader *r, struct pool *pool, struct dir_entry *out, bool *more, struct err *e)
{
	struct pair *first = NULL, **tail = &first, *p;
	size_t n_pairs = 0;
	unsigned at;
	bool have;

	*out = (struct dir_entry){ 0 };
	*more = false;
	for (;;) {
		if (next_line(r, &have, &at, e) != 0)
			return -1;
		if (!have || (r->text.len == 0 && out->dn != NULL))
			break;
		if (r->text.len == 0)
			continue;
		p = POOL_NEW(pool, struct pair);
		if (p == NULL || n_pairs == LDIF_MAX_VALUES)
			return ERR(e, E_INVALID_DATA, "%s:%u: record is too large", r->file, at);
		if (parse_pair(r, pool, p, at, e) != 0)
			return -1;
		if (out->dn == NULL && strcasecmp(p->name, "version") == 0)
			continue;
		if (out->dn == NULL && strcasecmp(p->name, "dn") != 0)
			return ERR(e, E_INVALID_DATA, "%s:%u: a record begins with its dn", r->file, at);
		if (out->dn == NULL) {
			if (memchr(p->value.p, '\0', p->value.len) != NULL)
				return ERR(e, E_INVALID_DATA, "%s:%u: NUL in a dn", r->file, at);
			out->dn = (const char *)p->value.p;
			continue;
		}
		if (strcasecmp(p->name, "changetype") == 0) {
			if (strcasecmp((const char *)p->value.p, "add") != 0)
				return ERR(
				    e, E_INVALID_DATA, "%s:%u: change records are not read", r->file, at);
			continue; /* ldifde writes it into every record of an export */
		}
		*tail = p;
		tail = &p->next;
		n_pairs++;
	}
	if (out->dn == NULL)
		return 0;
	*more = true;
	return group_pairs(pool, first, n_pairs, out, e);
}

/* RFC 2849 SAFE-STRING, and no blank at the end. */
static bool
is_safe(struct bytes v)
{
	size_t i;

	for (i = 0; i < v.len; i++)
		if (v.p[i] == '\0' || v.p[i] == '\n' || v.p[i] == '\r' || v.p[i] >= 0x80)
			return false;
	return v.len == 0 || (strchr(" :<", v.p[0]) == NULL && v.p[v.len - 1] != ' ');
}

static void
put_line(struct buf *out, const char *name, struct bytes v)
{
	size_t at, n;
	struct buf line;

	buf_init(&line, out->max);
	buf_put_str(&line, name);
	if (is_safe(v)) {
		buf_put_str(&line, ": ");
		buf_put_bytes(&line, v);
	} else {
		buf_put_str(&line, ":: ");
		text_put_base64(&line, v, 0);
	}
	if (!buf_ok(&line))
		out->failed = true;
	for (at = 0; buf_ok(&line) && at < line.len; at += n) {
		n = line.len - at < LDIF_WRAP ? line.len - at : LDIF_WRAP;
		if (at > 0)
			buf_put_u8(out, ' ');
		buf_put(out, line.p + at, n);
		buf_put_u8(out, '\n');
	}
	buf_wipe(&line);
}

void
ldif_put(struct buf *out, const struct dir_entry *en)
{
	size_t i, k;

	put_line(out, "dn", (struct bytes){ (const uint8_t *)en->dn, strlen(en->dn) });
	for (i = 0; i < en->n_attrs; i++)
		for (k = 0; k < en->attrs[i].n; k++)
			put_line(out, en->attrs[i].name, en->attrs[i].values[k]);
	buf_put_u8(out, '\n');
}
