#include "auth/sid.h"

#include <stdio.h>
#include <string.h>

#define NT_AUTHORITY                                                                                         \
	{                                                                                                    \
		0, 0, 0, 0, 0, 5                                                                             \
	}

const struct sid SID_EVERYONE = { .n_sub = 1, .authority = { 0, 0, 0, 0, 0, 1 }, .sub = { 0 } };
const struct sid SID_OWNER_RIGHTS = { .n_sub = 1, .authority = { 0, 0, 0, 0, 0, 3 }, .sub = { 4 } };
const struct sid SID_NETWORK = { .n_sub = 1, .authority = NT_AUTHORITY, .sub = { 2 } };
const struct sid SID_ANONYMOUS = { .n_sub = 1, .authority = NT_AUTHORITY, .sub = { 7 } };
const struct sid SID_ENTERPRISE_DCS = { .n_sub = 1, .authority = NT_AUTHORITY, .sub = { 9 } };
const struct sid SID_PRINCIPAL_SELF = { .n_sub = 1, .authority = NT_AUTHORITY, .sub = { 10 } };
const struct sid SID_AUTHENTICATED_USERS = { .n_sub = 1, .authority = NT_AUTHORITY, .sub = { 11 } };
const struct sid SID_THIS_ORGANIZATION = { .n_sub = 1, .authority = NT_AUTHORITY, .sub = { 15 } };
const struct sid SID_LOCAL_SYSTEM = { .n_sub = 1, .authority = NT_AUTHORITY, .sub = { 18 } };
const struct sid SID_BUILTIN_ADMINISTRATORS = { .n_sub = 2, .authority = NT_AUTHORITY, .sub = { 32, 544 } };
const struct sid SID_BUILTIN_USERS = { .n_sub = 2, .authority = NT_AUTHORITY, .sub = { 32, 545 } };
const struct sid SID_CERT_DCOM_ACCESS = { .n_sub = 2, .authority = NT_AUTHORITY, .sub = { 32, 574 } };

int
sid_from_wire(struct sid *s, struct bytes in, size_t *used, struct err *e)
{
	size_t len;

	if (in.len < 8)
		return ERR(e, E_INVALID_DATA, "SID of %zu octets, at least 8 needed", in.len);
	if (in.p[0] != 1)
		return ERR(e, E_INVALID_DATA, "SID revision %u, must be 1 (MS-DTYP 2.4.2.2)", in.p[0]);
	if (in.p[1] > SID_MAX_SUB)
		return ERR(
		    e, E_INVALID_DATA, "SID with %u sub-authorities, at most %d", in.p[1], SID_MAX_SUB);
	len = 8 + 4 * (size_t)in.p[1];
	if (in.len < len)
		return ERR(e, E_INVALID_DATA, "SID needs %zu octets, %zu left", len, in.len);
	memset(s, 0, sizeof(*s));
	s->n_sub = in.p[1];
	memcpy(s->authority, in.p + 2, sizeof(s->authority));
	for (size_t i = 0; i < s->n_sub; i++)
		s->sub[i] = get_u32le(in.p + 8 + 4 * i);
	if (used != NULL)
		*used = len;
	return 0;
}

void
sid_put(struct buf *out, const struct sid *s)
{
	buf_put_u8(out, 1);
	buf_put_u8(out, s->n_sub);
	buf_put(out, s->authority, sizeof(s->authority));
	for (size_t i = 0; i < s->n_sub; i++)
		buf_put_u32le(out, s->sub[i]);
}

size_t
sid_wire_len(const struct sid *s)
{
	return 8 + 4 * (size_t)s->n_sub;
}

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

/* 1*10DIGIT without leading zeros, within 32 bits (MS-DTYP 2.4.2.1). Moves *text behind it. */
static bool
take_decimal(const char **text, uint32_t *out)
{
	const char *p = *text;
	uint64_t v = 0;

	if (digit_value(*p) > 9 || (*p == '0' && digit_value(p[1]) <= 9))
		return false;
	for (; digit_value(*p) <= 9; p++) {
		v = v * 10 + (uint64_t)digit_value(*p);
		if (v > UINT32_MAX)
			return false;
	}
	*text = p;
	*out = (uint32_t)v;
	return true;
}

/* Decimal below 2^32, else "0x" and up to 12 hexadecimal digits. */
static bool
take_authority(const char **text, uint8_t out[6])
{
	const char *p = *text;
	uint64_t v = 0;
	uint32_t small;
	int n = 0;

	if (p[0] == '0' && (p[1] | 0x20) == 'x') {
		for (p += 2; digit_value(*p) < 16; p++, n++)
			v = v << 4 | (uint64_t)digit_value(*p);
		if (n == 0 || n > 12)
			return false;
	} else {
		if (!take_decimal(&p, &small))
			return false;
		v = small;
	}
	for (int i = 0; i < 6; i++)
		out[i] = (uint8_t)(v >> (8 * (5 - i)));
	*text = p;
	return true;
}

int
sid_from_text(struct sid *s, const char *text, struct err *e)
{
	struct sid r = { 0 };
	const char *p = text;

	if ((p[0] | 0x20) != 's' || p[1] != '-' || p[2] != '1' || p[3] != '-')
		return ERR(e, E_INVALIDARG, "not a SID, S-1-... expected: %.60s", text);
	p += 4;
	if (!take_authority(&p, r.authority))
		return ERR(e, E_INVALIDARG, "SID with a bad authority: %.60s", text);
	while (*p != '\0') {
		if (r.n_sub == SID_MAX_SUB)
			return ERR(e, E_INVALIDARG, "SID with more than %d sub-authorities: %.40s...",
			    SID_MAX_SUB, text);
		if (*p++ != '-' || !take_decimal(&p, &r.sub[r.n_sub]))
			return ERR(
			    e, E_INVALIDARG, "SID with a bad sub-authority %u: %.60s", r.n_sub + 1u, text);
		r.n_sub++;
	}
	*s = r;
	return 0;
}

char *
sid_to_text(const struct sid *s, char out[SID_TEXT_MAX])
{
	const uint8_t *a = s->authority;
	int at;

	if (a[0] != 0 || a[1] != 0)
		at = snprintf(
		    out, SID_TEXT_MAX, "S-1-0x%02x%02x%02x%02x%02x%02x", a[0], a[1], a[2], a[3], a[4], a[5]);
	else
		at = snprintf(out, SID_TEXT_MAX, "S-1-%u",
		    (uint32_t)a[2] << 24 | (uint32_t)a[3] << 16 | (uint32_t)a[4] << 8 | a[5]);
	/* Never cut: 18 + 15 * 11 characters and a NUL at most. */
	for (size_t i = 0; i < s->n_sub; i++)
		at += snprintf(out + at, SID_TEXT_MAX - (size_t)at, "-%u", s->sub[i]);
	return out;
}

bool
sid_equal(const struct sid *a, const struct sid *b)
{
	/* The last sub-authority tells most SIDs apart. */
	if (a->n_sub != b->n_sub || (a->n_sub > 0 && a->sub[a->n_sub - 1] != b->sub[b->n_sub - 1]))
		return false;
	return memcmp(a->authority, b->authority, sizeof(a->authority)) == 0 &&
	    memcmp(a->sub, b->sub, a->n_sub * sizeof(a->sub[0])) == 0;
}

int
sid_with_rid(struct sid *out, const struct sid *domain, uint32_t rid, struct err *e)
{
	struct sid r = *domain;

	if (r.n_sub >= SID_MAX_SUB)
		return ERR(
		    e, E_INVALIDARG, "no room for RID %u: the SID has %u sub-authorities", rid, r.n_sub);
	r.sub[r.n_sub++] = rid;
	*out = r;
	return 0;
}

int
sid_split_rid(const struct sid *s, struct sid *domain, uint32_t *rid, struct err *e)
{
	struct sid r = *s;

	if (r.n_sub == 0)
		return ERR(e, E_INVALIDARG, "SID without sub-authorities has no RID");
	r.n_sub--;
	*rid = r.sub[r.n_sub];
	r.sub[r.n_sub] = 0;
	*domain = r;
	return 0;
}
