#include "base/guid.h"

#include <stdio.h>
#include <string.h>

void
guid_from_wire(struct guid *g, const uint8_t in[16])
{
	g->data1 = get_u32le(in);
	g->data2 = get_u16le(in + 4);
	g->data3 = get_u16le(in + 6);
	memcpy(g->data4, in + 8, 8);
}

void
guid_to_wire(const struct guid *g, uint8_t out[16])
{
	set_u32le(out, g->data1);
	set_u16le(out + 4, g->data2);
	set_u16le(out + 6, g->data3);
	memcpy(out + 8, g->data4, 8);
}

void
guid_put(struct buf *out, const struct guid *g)
{
	uint8_t w[16];

	guid_to_wire(g, w);
	buf_put(out, w, sizeof(w));
}

/* Reads n hex digits at *s as one number and moves behind them. */
static bool
take_hex(const char **s, unsigned n, uint32_t *out)
{
	*out = 0;
	for (unsigned i = 0; i < n; i++, (*s)++) {
		char c = **s;
		uint32_t v;

		if (c >= '0' && c <= '9')
			v = (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			v = (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return false;
		*out = *out << 4 | v;
	}
	return true;
}

int
guid_from_text(struct guid *g, const char *text, struct err *e)
{
	static const struct {
		unsigned digits;
		bool dash; /* before the field */
	} fields[11] = { { 8, false }, { 4, true }, { 4, true }, { 2, true }, { 2, false }, { 2, true },
		{ 2, false }, { 2, false }, { 2, false }, { 2, false }, { 2, false } };
	const char *s = text;
	bool brace = *s == '{';
	uint32_t v[11];

	s += brace;
	for (unsigned i = 0; i < 11; i++) {
		if ((fields[i].dash && *s++ != '-') || !take_hex(&s, fields[i].digits, &v[i]))
			return ERR(e, E_INVALIDARG, "not a GUID: %.60s", text);
	}
	if ((brace && *s++ != '}') || *s != '\0')
		return ERR(e, E_INVALIDARG, "not a GUID: %.60s", text);
	g->data1 = v[0];
	g->data2 = (uint16_t)v[1];
	g->data3 = (uint16_t)v[2];
	for (unsigned i = 0; i < 8; i++)
		g->data4[i] = (uint8_t)v[3 + i];
	return 0;
}

char *
guid_to_text(const struct guid *g, char out[GUID_TEXT_MAX])
{
	const uint8_t *d = g->data4;

	snprintf(out, GUID_TEXT_MAX, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", g->data1, g->data2,
	    g->data3, d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]);
	return out;
}

bool
guid_equal(const struct guid *a, const struct guid *b)
{
	return a->data1 == b->data1 && a->data2 == b->data2 && a->data3 == b->data3 &&
	    memcmp(a->data4, b->data4, sizeof(a->data4)) == 0;
}

bool
guid_is_nil(const struct guid *g)
{
	static const struct guid nil;

	return guid_equal(g, &nil);
}
