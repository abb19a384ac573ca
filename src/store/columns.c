#include "store/store.h"

#include <string.h>

#define FULL_NAME_Request(name) "Request." #name
#define FULL_NAME_Certificate(name) #name

const struct store_column_info store_columns[STORE_COLUMN_COUNT] = {
#define STORE_COLUMN(part, name, id, type, indexed, max, display)                                            \
	[part##_##name] = { STORE_##part, #name, FULL_NAME_##part(name), id, STORE_##type, indexed, max,     \
		display },
#include "store/columns.def"
#undef STORE_COLUMN
};

void
store_set_long(struct store_row *r, enum store_column c, uint32_t v)
{
	r->v[c] = (struct store_value){ .set = true, .n = v };
}

void
store_set_date(struct store_row *r, enum store_column c, filetime_t t)
{
	r->v[c] = (struct store_value){ .set = true, .n = t };
}

void
store_set_bytes(struct store_row *r, enum store_column c, struct bytes v)
{
	r->v[c] = (struct store_value){ .set = true, .b = v };
}

void
store_set_text(struct store_row *r, enum store_column c, const char *s)
{
	if (s != NULL)
		store_set_bytes(r, c, (struct bytes){ (const uint8_t *)s, strlen(s) });
}

uint32_t
store_long(const struct store_row *r, enum store_column c)
{
	return r->v[c].set ? (uint32_t)r->v[c].n : 0;
}

const char *
store_text(const struct store_row *r, enum store_column c)
{
	return r->v[c].set ? (const char *)r->v[c].b.p : NULL;
}

struct bytes
store_bytes(const struct store_row *r, enum store_column c)
{
	return r->v[c].set ? r->v[c].b : (struct bytes){ NULL, 0 };
}

/* Octets of UTF-8 text as UTF-16, which is what the sizes of MS-CSRA count. */
static size_t
utf16_size(struct bytes s)
{
	size_t units = 0;

	for (size_t i = 0; i < s.len; i++) {
		if ((s.p[i] & 0xc0) != 0x80)
			units += s.p[i] >= 0xf0 ? 2 : 1;
	}
	return 2 * units;
}

int
store_row_fit(struct store_row *r, struct err *e)
{
	int rc = 0;

	for (int c = 0; c < STORE_COLUMN_COUNT; c++) {
		const struct store_column_info *in = &store_columns[c];
		size_t len;

		if (!r->v[c].set || (in->type != STORE_BINARY && in->type != STORE_STRING))
			continue;
		len = in->type == STORE_STRING ? utf16_size(r->v[c].b) : r->v[c].b.len;
		if (len <= in->max)
			continue;
		r->v[c] = (struct store_value){ .set = false };
		if (rc == 0)
			rc = ERR(e, ESE_RECORD_TOO_BIG, "%s has %zu octets, the column holds %u",
			    in->full_name, len, in->max);
	}
	return rc;
}
