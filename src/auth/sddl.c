#include "auth/sddl_priv.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

#define ACE_FIELDS 7
#define GUID_TEXT_LEN (GUID_TEXT_MAX - 1)

struct reader {
	const char *text; /* start, for messages */
	const char *p;
	struct pool *pool;
	const struct sddl_domain *dom;
	struct err *e;
};

/* Puts the place before the reason already in r->e. */
static int
fail_at(struct reader *r, const char *where)
{
	return err_prefix(r->e, "at %zu", (size_t)(where - r->text));
}

#define FAIL_AT(r, where, ...) (ERR((r)->e, E_INVALIDARG, __VA_ARGS__), fail_at((r), (where)))

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
skip_blanks(struct reader *r)
{
	while (is_blank(*r->p))
		r->p++;
}

/* Skips a word at the cursor, letters in either case. */
static bool
skip_word(struct reader *r, const char *word)
{
	size_t n = strlen(word);

	if (strncasecmp(r->p, word, n) != 0)
		return false;
	r->p += n;
	return true;
}

static int
read_sid(struct reader *r, struct span s, struct sid *out)
{
	if (sddl_sid_read(out, s, r->dom, r->e) != 0)
		return fail_at(r, s.p);
	return 0;
}

/* ---- fields of an ACE ---- */

static unsigned
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 16;
}

/* "0x" hexadecimal, "0" octal, else decimal; 32 bits. */
static int
read_number(struct reader *r, struct span s, uint32_t *out)
{
	uint64_t v = 0;
	unsigned base = 10;
	size_t i = 0;

	if (s.n > 1 && s.p[0] == '0') {
		base = (s.p[1] | 0x20) == 'x' ? 16 : 8;
		i = base == 16 ? 2 : 1;
	}
	if (i == s.n)
		return FAIL_AT(r, s.p, "number without digits");
	for (; i < s.n; i++) {
		unsigned d = digit_value(s.p[i]);

		if (d >= base)
			return FAIL_AT(r, s.p + i, "not a digit of a base %u number: %.1s", base, s.p + i);
		v = v * base + d;
		if (v > UINT32_MAX)
			return FAIL_AT(r, s.p, "number does not fit 32 bits");
	}
	*out = (uint32_t)v;
	return 0;
}

/* A run of two-letter codes from one table. */
static int
read_codes(
    struct reader *r, struct span s, const struct sddl_bits *table, size_t n, const char *what, uint32_t *out)
{
	*out = 0;
	for (; s.n > 0; s.p += 2, s.n -= 2) {
		size_t i = 0;

		if (s.n == 1)
			return FAIL_AT(r, s.p, "half a code in the %s: %.1s", what, s.p);
		while (i < n && strncasecmp(s.p, table[i].code, 2) != 0)
			i++;
		if (i == n)
			return FAIL_AT(r, s.p, "unknown code in the %s: %.2s", what, s.p);
		*out |= table[i].bits;
	}
	return 0;
}

static int
read_type(struct reader *r, struct span s, struct ace *a)
{
	uint32_t type;

	if (s.n > 0 && s.p[0] == '0') {
		if (read_number(r, s, &type) != 0)
			return -1;
		if (type > UINT8_MAX)
			return FAIL_AT(r, s.p, "ACE type %u, at most 255", type);
		a->type = (uint8_t)type;
		return 0;
	}
	for (size_t i = 0; i < n_ace_kinds; i++) {
		if (s.n > 0 && span_is(s, ace_kinds[i].code)) {
			a->type = ace_kinds[i].type;
			return 0;
		}
	}
	return FAIL_AT(r, s.p, "unknown ACE type %.*s", (int)(s.n < 8 ? s.n : 8), s.p);
}

static int
read_rights(struct reader *r, struct span s, uint32_t *out)
{
	if (s.n > 0 && s.p[0] >= '0' && s.p[0] <= '9')
		return read_number(r, s, out);
	return read_codes(r, s, sddl_rights, n_sddl_rights, "rights", out);
}

static int
read_guid(struct reader *r, struct span s, bool *has, struct guid *out)
{
	char text[GUID_TEXT_MAX];

	*has = s.n > 0;
	if (s.n == 0)
		return 0;
#ifndef ADCSD_PLANTED_BUG_AUTH_SDDL /* proves that the fuzz target finds one: believes every length */
	if (s.n != GUID_TEXT_LEN)
		return FAIL_AT(r, s.p, "GUID of %zu characters, %d expected", s.n, GUID_TEXT_LEN);
#endif
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (guid_from_text(out, text, r->e) != 0)
		return fail_at(r, s.p);
	return 0;
}

/* "#" and hexadecimal octets (the octet-string of MS-DTYP 2.5.1.1). */
static int
read_extra(struct reader *r, struct span s, struct bytes *out)
{
	struct buf b;
	char *hex;
	int rc = -1;

	if (s.n == 0)
		return 0;
	if (s.p[0] != '#')
		return FAIL_AT(r, s.p, "application data must be an octet string such as #01020304");
	hex = pool_strndup(r->pool, s.p + 1, s.n - 1);
	buf_init(&b, s.n / 2);
	if (hex == NULL)
		ERR(r->e, E_OUTOFMEMORY, "no memory for application data");
	else if (text_parse_hex(&b, hex, r->e) != 0)
		fail_at(r, s.p);
	else if (pool_dup_bytes(r->pool, buf_bytes(&b), out) != 0)
		ERR(r->e, E_OUTOFMEMORY, "no memory for application data");
	else
		rc = 0;
	buf_fini(&b);
	return rc;
}

/* Splits the inside of an ACE at its semicolons. */
static int
split_ace(struct reader *r, struct span s, struct span f[ACE_FIELDS])
{
	size_t n = 0, from = 0;

	for (size_t i = 0; i <= s.n; i++) {
		if (i < s.n && s.p[i] != ';')
			continue;
		if (n == ACE_FIELDS)
			return FAIL_AT(r, s.p + i, "more than %d fields in an ACE", ACE_FIELDS);
		f[n++] = (struct span){ s.p + from, i - from };
		from = i + 1;
	}
	if (n < ACE_FIELDS - 1)
		return FAIL_AT(r, s.p, "%zu fields in an ACE, type;flags;rights;guid;guid;sid expected", n);
	if (n < ACE_FIELDS)
		f[n] = (struct span){ s.p + s.n, 0 };
	return 0;
}

static int
read_ace_fields(struct reader *r, const struct span f[ACE_FIELDS], struct ace *a)
{
	const struct ace_kind *kind;
	uint32_t flags;

	if (read_type(r, f[0], a) != 0 ||
	    read_codes(r, f[1], sddl_ace_flags, n_sddl_ace_flags, "ACE flags", &flags) != 0)
		return -1;
	a->flags = (uint8_t)flags;
	kind = ace_kind_of(a->type);
	if (kind == NULL) {
		if (f[2].n > 0 || f[3].n > 0 || f[4].n > 0 || f[5].n > 0)
			return FAIL_AT(r, f[2].p, "an ACE of unknown type has flags and data only");
		return read_extra(r, f[6], &a->extra);
	}
	if (!kind->object && (f[3].n > 0 || f[4].n > 0))
		return FAIL_AT(
		    r, f[f[3].n > 0 ? 3 : 4].p, "GUID in an ACE that is no object ACE (OA, OD, OU)");
	if (!kind->data && f[6].n > 0)
		return FAIL_AT(r, f[6].p, "application data in an ACE that is no callback ACE (XA, XD)");
	if (read_rights(r, f[2], &a->mask) != 0 ||
	    read_guid(r, f[3], &a->has_object_type, &a->object_type) != 0 ||
	    read_guid(r, f[4], &a->has_inherited_type, &a->inherited_type) != 0 ||
	    read_sid(r, f[5], &a->sid) != 0)
		return -1;
	return read_extra(r, f[6], &a->extra);
}

/* One ACE, the cursor on its opening parenthesis. */
static int
read_ace(struct reader *r, struct ace *a)
{
	struct span inside = { r->p + 1, strcspn(r->p + 1, "()") }, f[ACE_FIELDS];
	char end = inside.p[inside.n];

	if (end == '(')
		return FAIL_AT(r, inside.p + inside.n, "conditions and attributes in ACEs are not supported");
	if (end == '\0')
		return FAIL_AT(r, r->p, "ACE without closing parenthesis");
	if (split_ace(r, inside, f) != 0)
		return -1;
	r->p = inside.p + inside.n + 1;
	return read_ace_fields(r, f, a);
}

/* ---- parts of a descriptor ---- */

static bool
is_audit(const struct ace *a)
{
	return a->type == SYSTEM_AUDIT_ACE_TYPE || a->type == SYSTEM_AUDIT_OBJECT_ACE_TYPE;
}

static int
append(struct reader *r, struct acl *acl, size_t *cap, const struct ace *a)
{
	if (acl->n == SD_MAX_ACES)
		return FAIL_AT(r, r->p, "more than %d ACEs", SD_MAX_ACES);
	if (acl->n == *cap) {
		size_t more = *cap > 0 ? *cap * 2 : 8;
		struct ace *p = pool_calloc(r->pool, more, sizeof(*p));

		if (p == NULL)
			return ERR(r->e, E_OUTOFMEMORY, "no memory for %zu ACEs", more);
		if (acl->n > 0)
			memcpy(p, acl->aces, acl->n * sizeof(*p));
		acl->aces = p;
		*cap = more;
	}
	acl->aces[acl->n++] = *a;
	return 0;
}

static int
read_aces(struct reader *r, struct acl *acl, bool dacl)
{
	size_t cap = 0;

	for (skip_blanks(r); *r->p == '('; skip_blanks(r)) {
		struct ace a = { 0 };

		if (read_ace(r, &a) != 0)
			return -1;
		if (dacl && is_audit(&a)) /* says nothing in a DACL */
			continue;
		if (append(r, acl, &cap, &a) != 0)
			return -1;
	}
	return 0;
}

static uint16_t
read_acl_flags(struct reader *r, bool dacl)
{
	uint16_t control = 0;

	for (size_t i = 0; i < n_sddl_acl_flags;) {
		if (skip_word(r, sddl_acl_flags[i].code)) {
			control |= dacl ? sddl_acl_flags[i].dacl : sddl_acl_flags[i].sacl;
			i = 0;
		} else {
			i++;
		}
	}
	return control;
}

static int
read_acl(struct reader *r, struct sd *sd, bool dacl)
{
	uint16_t present = dacl ? SE_DACL_PRESENT : SE_SACL_PRESENT;
	struct acl **out = dacl ? &sd->dacl : &sd->sacl;

	if ((sd->control & present) != 0)
		return FAIL_AT(r, r->p, "a second %s", dacl ? "DACL" : "SACL");
	sd->control |= present | read_acl_flags(r, dacl);
	if (skip_word(r, SDDL_NULL_ACL))
		return 0;
	*out = POOL_NEW(r->pool, struct acl);
	if (*out == NULL)
		return ERR(r->e, E_OUTOFMEMORY, "no memory for an ACL");
	return read_aces(r, *out, dacl);
}

/* The SID of O: or G: goes on to the letter of the next part: hexadecimal digits and part letters overlap. */
static int
read_principal(struct reader *r, bool *has, struct sid *out, const char *what)
{
	struct span s = { r->p, strcspn(r->p, ":") };

	if (*has)
		return FAIL_AT(r, r->p, "a second %s", what);
	if (s.p[s.n] == ':') {
		if (s.n == 0)
			return FAIL_AT(r, s.p, "no %s", what);
		s.n--;
	}
	r->p = s.p + s.n;
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	*has = true;
	return read_sid(r, s, out);
}

int
sd_from_sddl(
    struct sd *out, struct pool *pool, const char *sddl, const struct sddl_domain *dom, struct err *e)
{
	struct reader r = { .text = sddl, .p = sddl, .pool = pool, .dom = dom, .e = e };
	struct sd sd = { .control = SE_SELF_RELATIVE };

	for (skip_blanks(&r); *r.p != '\0'; skip_blanks(&r)) {
		char part = (char)(*r.p & ~0x20);
		int rc;

		if (r.p[1] != ':' || strchr("OGDS", part) == NULL)
			return FAIL_AT(&r, r.p, "O:, G:, D:, S: or (ACE) expected, not %.8s", r.p);
		r.p += 2;
		if (part == 'O')
			rc = read_principal(&r, &sd.has_owner, &sd.owner, "owner");
		else if (part == 'G')
			rc = read_principal(&r, &sd.has_group, &sd.group, "group");
		else
			rc = read_acl(&r, &sd, part == 'D');
		if (rc != 0)
			return -1;
	}
	*out = sd;
	return 0;
}
