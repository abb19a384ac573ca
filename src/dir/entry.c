#include "dir/entry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct dir_attr *
dir_entry_attr(const struct dir_entry *en, const char *name)
{
	size_t i;

	for (i = 0; i < en->n_attrs; i++)
		if (strcasecmp(en->attrs[i].name, name) == 0)
			return &en->attrs[i];
	return NULL;
}

struct bytes
dir_entry_bytes(const struct dir_entry *en, const char *name)
{
	const struct dir_attr *a = dir_entry_attr(en, name);

	if (a == NULL || a->n == 0)
		return (struct bytes){ 0 };
	return a->values[0];
}

const char *
dir_entry_text(const struct dir_entry *en, const char *name)
{
	const struct dir_attr *a = dir_entry_attr(en, name);

	return a == NULL || a->n == 0 ? NULL : (const char *)a->values[0].p;
}

int32_t
dir_entry_int(const struct dir_entry *en, const char *name, int32_t absent)
{
	const char *text = dir_entry_text(en, name);
	char *end;
	long long v;

	if (text == NULL || *text == '\0')
		return absent;
	errno = 0;
	v = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0' || v < INT32_MIN || v > UINT32_MAX)
		return absent;
	return (int32_t)(uint32_t)v;
}

const char *
dir_entry_dn(const struct dir_entry *en)
{
	const char *text = dir_entry_text(en, "distinguishedName");

	return text != NULL ? text : en->dn;
}

bool
dir_entry_is(const struct dir_entry *en, const char *object_class)
{
	const struct dir_attr *a = dir_entry_attr(en, "objectClass");
	size_t i;

	for (i = 0; a != NULL && i < a->n; i++)
		if (strcasecmp((const char *)a->values[i].p, object_class) == 0)
			return true;
	return false;
}

static int
copy_attr(struct pool *pool, struct dir_attr *out, const struct dir_attr *in)
{
	size_t i;

	out->name = pool_strdup(pool, in->name);
	out->values = pool_calloc(pool, in->n, sizeof(*out->values));
	if (out->name == NULL || out->values == NULL)
		return -1;
	for (i = 0; i < in->n; i++)
		if (pool_dup_bytes(pool, in->values[i], &out->values[i]) != 0)
			return -1;
	out->n = in->n;
	return 0;
}

int
dir_entry_copy(struct pool *pool, struct dir_entry *out, const struct dir_entry *in, struct err *e)
{
	size_t i;

	out->dn = pool_strdup(pool, in->dn);
	out->attrs = pool_calloc(pool, in->n_attrs, sizeof(*out->attrs));
	if (out->dn == NULL || out->attrs == NULL)
		return ERR(e, E_OUTOFMEMORY, "no room for the entry %.80s", in->dn);
	for (i = 0; i < in->n_attrs; i++)
		if (copy_attr(pool, &out->attrs[i], &in->attrs[i]) != 0)
			return ERR(e, E_OUTOFMEMORY, "no room for the entry %.80s", in->dn);
	out->n_attrs = in->n_attrs;
	return 0;
}

void
dir_filter_escape(struct buf *out, struct bytes value)
{
	size_t i;
	uint8_t c;

	for (i = 0; i < value.len; i++) {
		c = value.p[i];
		if (c < 0x20 || c >= 0x7f || strchr("*()\\", c) != NULL)
			buf_printf(out, "\\%02x", c);
		else
			buf_put_u8(out, c);
	}
}
