#include "base/hresult.h"

#include <stddef.h>
#include <stdio.h>
#include <strings.h>

struct hresult_row {
	uint32_t value;
	const char *name;
	const char *text;
};

#define HRESULT_ROW(value, name, text) { (value), #name, (text) },
static const struct hresult_row rows[] = {
	{ 0, "S_OK", "The operation completed successfully." },
#include "base/hresult.def"
};
#undef HRESULT_ROW

static const struct hresult_row *
find(uint32_t hr)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].value == hr)
			return &rows[i];
	return NULL;
}

const char *
hresult_name(uint32_t hr)
{
	const struct hresult_row *row = find(hr);

	return row != NULL ? row->name : NULL;
}

const char *
hresult_text(uint32_t hr)
{
	const struct hresult_row *row = find(hr);

	return row != NULL ? row->text : "";
}

uint32_t
hresult_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcasecmp(rows[i].name, name) == 0)
			return rows[i].value;
	return 0;
}

char *
hresult_format(uint32_t hr, char out[HRESULT_FORMAT_MAX])
{
	const char *name = hresult_name(hr);

	snprintf(out, HRESULT_FORMAT_MAX, "0x%08x (%d%s%s)", hr, (int32_t)hr, name != NULL ? " " : "",
	    name != NULL ? name : "");
	return out;
}
