#include "ctl/restriction.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define VALUE_MAX 65536
#define MOST 64

const struct ctl_view_column *
ctl_view_column_find(const struct ctl_view_column *columns, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		const char *full = columns[i].name;

		if (strcasecmp(full, name) == 0 ||
		    (strncmp(full, "Request.", 8) == 0 && strcasecmp(full + 8, name) == 0 &&
			strcasecmp(name, "RequestID") == 0))
			return &columns[i];
	}
	for (size_t i = 0; i < n; i++) {
		if (strncmp(columns[i].name, "Request.", 8) == 0 &&
		    strcasecmp(columns[i].name + 8, name) == 0)
			return &columns[i];
	}
	return NULL;
}

static int
parse_time(const char *s, filetime_t now, filetime_t *out, struct err *e)
{
	static const struct {
		char unit;
		filetime_t length;
	} units[] = { { 's', FILETIME_SECOND }, { 'm', FILETIME_MINUTE }, { 'h', FILETIME_HOUR },
		{ 'd', FILETIME_DAY } };
	long long n;
	char *end;

	if (strncasecmp(s, "now", 3) != 0) {
		if (filetime_from_text(s, out))
			return 0;
		return ERR(
		    e, E_INVALIDARG, "'%.40s' is no time: 2026-06-01T12:00:00Z, now, now+30d, now-2h", s);
	}
	*out = now;
	if (s[3] == '\0')
		return 0;
	errno = 0;
	n = strtoll(s + 3, &end, 10);
	if ((s[3] == '+' || s[3] == '-') && errno == 0 && n > -1000000000 && n < 1000000000 && end > s + 4 &&
	    end[0] != '\0' && end[1] == '\0') {
		for (size_t i = 0; i < ARRAY_LEN(units); i++) {
			if (*end != units[i].unit)
				continue;
			if (n > INT64_MAX / 4 / units[i].length || n < -(INT64_MAX / 4 / units[i].length))
				break;
			*out = now + n * units[i].length;
			return 0;
		}
	}
	return ERR(e, E_INVALIDARG, "'%.40s' is no time: now+30d, now-2h, now-90s", s);
}

static int
put_value(const struct ctl_view_column *c, const char *text, filetime_t now, struct buf *out, struct err *e)
{
	long long n;
	filetime_t t;
	char *end;

	switch (c->type) {
	case 1:
		errno = 0;
		n = strtoll(text, &end, 0);
		if (errno != 0 || end == text || *end != '\0' || n < INT32_MIN || n > UINT32_MAX)
			return ERR(e, E_INVALIDARG, "%s is a number, not '%.40s'", c->name, text);
		buf_put_u32le(out, (uint32_t)n);
		return 0;
	case 2:
		if (parse_time(text, now, &t, e) != 0)
			return err_prefix(e, "%s", c->name);
		buf_put_u64le(out, (uint64_t)t);
		return 0;
	case 3:
		if (text_parse_hex(out, text, e) != 0)
			return err_prefix(e, "%s", c->name);
		return 0;
	default:
		if (text_utf8_to_utf16le(out, text, strlen(text), e) != 0)
			return err_prefix(e, "%s", c->name);
		buf_put_u16le(out, 0);
		return 0;
	}
}

/* One item up to its comma; quotes are taken off. NULL when memory is short or a quote is open. */
static char *
next_item(const char **at, struct pool *pool, struct err *e)
{
	const char *s = *at;
	char *out = pool_alloc(pool, strlen(s) + 1);
	bool quoted = false;
	size_t n = 0;

	if (out == NULL) {
		ERR(e, E_OUTOFMEMORY, "no memory for a restriction");
		return NULL;
	}
	for (; *s != '\0' && (quoted || *s != ','); s++) {
		if (*s == '"')
			quoted = !quoted;
		else
			out[n++] = *s;
	}
	if (quoted) {
		ERR(e, E_INVALIDARG, "a quote is open in '%.60s'", *at);
		return NULL;
	}
	out[n] = '\0';
	*at = *s == ',' ? s + 1 : s;
	return out;
}

/* What stands between name and value; 0 for none. */
static uint32_t
take_operator(const char *s, size_t *length)
{
	*length = 1;
	if ((s[0] == '<' || s[0] == '>' || s[0] == '=') && s[1] == '=')
		*length = 2;
	switch (s[0]) {
	case '=':
		return 0x1;
	case '<':
		return *length == 2 ? 0x4 : 0x2;
	case '>':
		return *length == 2 ? 0x8 : 0x10;
	}
	return 0;
}

static int
parse_item(char *item, const struct ctl_view_column *columns, size_t n_columns, filetime_t now,
    struct pool *pool, struct ctl_restriction *out, struct err *e)
{
	bool sorts = *item == '+' || *item == '-';
	char *name = item + sorts, *value = name + strcspn(name, "<=>");
	const struct ctl_view_column *c;
	struct buf b;
	size_t n = 0;
	int rc;

	*out = (struct ctl_restriction){ .seek = sorts ? 0 : take_operator(value, &n) };
	if (sorts)
		out->sort = *item == '+' ? 1 : 2;
	else if (out->seek == 0)
		return ERR(e, E_INVALIDARG,
		    "'%.60s' has no operator: NAME=VALUE, <, <=, >=, >; +NAME or -NAME to sort", item);
	if (sorts && *value != '\0')
		return ERR(e, E_INVALIDARG, "'%.60s' sorts and restricts: make it two", item);
	for (size_t i = 0; i < n; i++)
		value[i] = '\0';
	value += n;
	c = ctl_view_column_find(columns, n_columns, name);
	if (c == NULL)
		return ERR(e, E_INVALIDARG, "no column of this table is called '%.60s'", name);
	out->column = c->id;
	if (sorts)
		return 0;
#ifdef ADCSD_PLANTED_BUG_CTL_RESTRICTION /* the fuzz target must find a value that does not suit its column  \
					  */
	if (c->type == 2 && *value == '-')
		return 0;
#endif
	if (c->type == 3 && out->seek != 1)
		return ERR(e, E_INVALIDARG, "%s: octets can only be equal", c->name);
	buf_init(&b, VALUE_MAX);
	rc = put_value(c, value, now, &b, e);
	if (rc == 0 && (!buf_ok(&b) || pool_dup_bytes(pool, buf_bytes(&b), &out->value) != 0))
		rc = ERR(e, E_INVALIDARG, "%s: the value is too long", c->name);
	buf_fini(&b);
	return rc;
}

int
ctl_restrictions_parse(const char *text, const struct ctl_view_column *columns, size_t n_columns,
    filetime_t now, struct pool *pool, struct ctl_restriction **out, size_t *n_out, struct err *e)
{
	*n_out = 0;
	*out = pool_calloc(pool, MOST, sizeof(**out));
	if (*out == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for restrictions");
	while (*text != '\0') {
		char *item = next_item(&text, pool, e);

		if (item == NULL)
			return -1;
		if (*n_out == MOST)
			return ERR(e, E_INVALIDARG, "more than %d restrictions", MOST);
		if (parse_item(item, columns, n_columns, now, pool, &(*out)[(*n_out)++], e) != 0)
			return -1;
	}
	return 0;
}
