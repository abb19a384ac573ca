/* Controls of the usual kinds: flags, choices, lists, periods, numbers, OIDs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/der.h"
#include "ctl/admin.h"
#include "ctl/control_priv.h"

#define MAX_VALUES 64
#define MAX_LIST 32 /* what a person types */

uint32_t
control_bits(const struct control_edit *ed, const char *attr)
{
	return (uint32_t)ctl_entry_int(ed->en, attr, 0);
}

int
control_set_mask(struct control_edit *ed, const char *attr, uint32_t mask, uint32_t value, struct err *e)
{
	return ctl_entry_set_int(ed->c, ed->en, attr, (control_bits(ed, attr) & ~mask) | value, e);
}

int
control_parse_bool(const char *s, bool *out, struct err *e)
{
	*out = strcasecmp(s, "yes") == 0 || strcasecmp(s, "true") == 0 || strcmp(s, "1") == 0;
	if (!*out && strcasecmp(s, "no") != 0 && strcasecmp(s, "false") != 0 && strcmp(s, "0") != 0)
		return ERR(e, E_INVALIDARG, "'%.40s' is neither yes nor no", s);
	return 0;
}

int
control_parse_count(const char *s, unsigned long max, uint32_t *out, struct err *e)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	if (*s < '0' || *s > '9' || *end != '\0' || v > max)
		return ERR(e, E_INVALIDARG, "'%.40s' is not a number up to %lu", s, max);
	*out = (uint32_t)v;
	return 0;
}

/* ---- text, flags, numbers ---- */

int
control_set_text(struct control_edit *ed, struct err *e)
{
	if (ed->value[0] == '\0' || strlen(ed->value) > 256)
		return ERR(e, E_INVALIDARG, "a text of 1 to 256 characters is needed");
	return ctl_entry_set_text(ed->c, ed->en, ed->control->attr, ed->value, e);
}

const char *
control_get_text(const struct control_edit *ed)
{
	const char *s = ctl_entry_text(ed->en, ed->control->attr);

	return s != NULL ? s : "";
}

int
control_set_flag(struct control_edit *ed, struct err *e)
{
	bool on;

	if (control_parse_bool(ed->value, &on, e) != 0)
		return -1;
	return control_set_mask(ed, ed->control->attr, ed->control->mask, on ? ed->control->mask : 0, e);
}

const char *
control_get_flag(const struct control_edit *ed)
{
	return control_bits(ed, ed->control->attr) & ed->control->mask ? "yes" : "no";
}

int
control_set_count(struct control_edit *ed, struct err *e)
{
	uint32_t n;

	if (control_parse_count(ed->value, ed->control->mask, &n, e) != 0)
		return -1;
	return ctl_entry_set_int(ed->c, ed->en, ed->control->attr, n, e);
}

const char *
control_get_count(const struct control_edit *ed)
{
	return pool_printf(ed->c->pool, "%u", control_bits(ed, ed->control->attr));
}

/* ---- choices and lists of words ---- */

static const struct control_word *
find_word(const struct control_word *words, const char *s, size_t n)
{
	for (; words->word != NULL; words++)
		if (strlen(words->word) == n && strncasecmp(words->word, s, n) == 0)
			return words;
	return NULL;
}

static int
no_such_word(const struct control_word *words, const char *s, size_t n, struct err *e)
{
	ERR(e, E_INVALIDARG, "'%.*s' is none of", (int)(n < 40 ? n : 40), s);
	for (const struct control_word *w = words; w->word != NULL; w++) {
		size_t at = strlen(e->msg);

		snprintf(e->msg + at, sizeof(e->msg) - at, "%s %s", w > words ? "," : "", w->word);
	}
	return -1;
}

int
control_set_choice(struct control_edit *ed, struct err *e)
{
	const struct control *k = ed->control;
	const struct control_word *w = find_word(k->words, ed->value, strlen(ed->value));

	if (w == NULL)
		return no_such_word(k->words, ed->value, strlen(ed->value), e);
	return control_set_mask(ed, k->attr, k->mask, w->bits, e);
}

const char *
control_get_choice(const struct control_edit *ed)
{
	uint32_t bits = control_bits(ed, ed->control->attr) & ed->control->mask;

	for (const struct control_word *w = ed->control->words; w->word != NULL; w++)
		if (w->bits == bits)
			return w->word;
	return pool_printf(ed->c->pool, "0x%x", bits);
}

int
control_parse_words(const struct control_word *words, const char *s, uint32_t *bits, struct err *e)
{
	*bits = 0;
	if (strcasecmp(s, "none") == 0)
		return 0;
	while (*s != '\0') {
		size_t n = strcspn(s, ",");
		const struct control_word *w = find_word(words, s, n);

		if (w == NULL)
			return no_such_word(words, s, n, e);
		*bits |= w->bits;
		s += n + (s[n] == ',');
	}
	return 0;
}

int
control_set_words(struct control_edit *ed, struct err *e)
{
	uint32_t bits;

	if (control_parse_words(ed->control->words, ed->value, &bits, e) != 0)
		return -1;
	return control_set_mask(ed, ed->control->attr, ed->control->mask, bits, e);
}

const char *
control_get_words(const struct control_edit *ed)
{
	uint32_t bits = control_bits(ed, ed->control->attr) & ed->control->mask;
	const char *text = "";

	for (const struct control_word *w = ed->control->words; w->word != NULL; w++)
		if (bits & w->bits)
			text = pool_printf(ed->c->pool, "%s%s%s", text, *text != '\0' ? "," : "", w->word);
	return *text != '\0' ? text : "none";
}

/* ---- periods ---- */

int
control_set_period(struct control_edit *ed, struct err *e)
{
	int64_t span;
	uint8_t wire[8];
	struct bytes v = { wire, sizeof(wire) };

	if (ctl_period_parse(ed->value, &span, e) != 0)
		return -1;
	if (span < FILETIME_HOUR)
		return ERR(e, E_INVALIDARG, "'%.40s': the console's shortest period is one hour", ed->value);
	for (unsigned i = 0; i < 8; i++)
		wire[i] = (uint8_t)((uint64_t)-span >> (8 * i));
	return ctl_entry_set_bytes(ed->c, ed->en, ed->control->attr, &v, 1, e);
}

const char *
control_get_period(const struct control_edit *ed)
{
	static const struct {
		int64_t length;
		char unit;
	} units[] = { { 365 * FILETIME_DAY, 'y' }, { 7 * FILETIME_DAY, 'w' }, { FILETIME_DAY, 'd' },
		{ FILETIME_HOUR, 'h' } };
	const struct ctl_attr *a = ctl_entry_attr(ed->en, ed->control->attr);
	int64_t span;

	if (a == NULL || a->n == 0 || a->values[0].len != 8)
		return "";
	span = (int64_t)(0 - get_u64le(a->values[0].p));
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (span >= units[i].length && span % units[i].length == 0)
			return pool_printf(
			    ed->c->pool, "%lld%c", (long long)(span / units[i].length), units[i].unit);
	return pool_printf(ed->c->pool, "%llds", (long long)(span / FILETIME_SECOND));
}

/* ---- attributes with many values ---- */

const char *
control_join(const struct control_edit *ed, const char *attr, const char *separator)
{
	const struct ctl_attr *a = ctl_entry_attr(ed->en, attr);
	const char *text = "";

	for (size_t i = 0; a != NULL && i < a->n && text != NULL; i++)
		text = pool_printf(
		    ed->c->pool, "%s%s%s", text, i > 0 ? separator : "", (const char *)a->values[i].p);
	return text != NULL && *text != '\0' ? text : "none";
}

const char *
control_get_list(const struct control_edit *ed)
{
	return control_join(ed, ed->control->attr, ",");
}

int
control_store_list(struct control_edit *ed, const char *attr, const char *list, char separator, struct err *e)
{
	const char stop[] = { separator, '\0' };
	struct bytes v[MAX_VALUES];
	size_t n = 0;

	while (*list != '\0') {
		size_t len = strcspn(list, stop);

		if (n == MAX_LIST)
			return ERR(e, E_INVALIDARG, "more than %d values", MAX_LIST);
		if (len == 0)
			return ERR(e, E_INVALIDARG, "an empty value in the list");
		v[n++] = (struct bytes){ (const uint8_t *)list, len };
		list += len + (list[len] == separator);
	}
	if (n > 0)
		return ctl_entry_set_bytes(ed->c, ed->en, attr, v, n, e);
	ctl_entry_drop(ed->en, attr);
	return 0;
}

const char *
control_parse_oids(struct ctl *c, const char *s, struct err *e)
{
	const char *out = "";

	if (strcasecmp(s, "none") == 0)
		return out;
	while (*s != '\0') {
		size_t n = strcspn(s, ",");
		const char *oid = x509_oid_from_name(s, n);
		struct buf der;
		int rc;

		if (oid == NULL)
			oid = pool_strndup(c->pool, s, n);
		buf_init(&der, 256);
		rc = oid == NULL ? -1 : oid_from_text(&der, oid, e);
		buf_fini(&der);
		if (rc != 0) {
			ERR(e, E_INVALIDARG,
			    "'%.*s' is neither an OID nor a name such as client-authentication",
			    (int)(n < 40 ? n : 40), s);
			return NULL;
		}
		out = pool_printf(c->pool, "%s%s%s", out, *out != '\0' ? "," : "", oid);
		s += n + (s[n] == ',');
	}
	return out;
}

int
control_set_oids(struct control_edit *ed, struct err *e)
{
	const char *oids = control_parse_oids(ed->c, ed->value, e);

	return oids == NULL ? -1 : control_store_list(ed, ed->control->attr, oids, ',', e);
}

const char *
control_get_oids(const struct control_edit *ed)
{
	return control_join(ed, ed->control->attr, ",");
}

/* ---- Make this extension critical: attr holds the OIDs it adds ---- */

static bool
is_listed(const char *oids, struct bytes oid)
{
	for (const char *s = oids; *s != '\0';) {
		size_t n = strcspn(s, " ");

		if (bytes_equal((struct bytes){ (const uint8_t *)s, n }, oid))
			return true;
		s += n + (s[n] == ' ');
	}
	return false;
}

int
control_set_critical(struct control_edit *ed, struct err *e)
{
	const struct ctl_attr *a = ctl_entry_attr(ed->en, "pKICriticalExtensions");
	struct bytes v[MAX_VALUES];
	size_t n = 0;
	bool on;

	if (control_parse_bool(ed->value, &on, e) != 0)
		return -1;
	for (size_t i = 0; a != NULL && i < a->n && n < ARRAY_LEN(v); i++)
		if (!is_listed(ed->control->attr, a->values[i]))
			v[n++] = a->values[i];
	for (const char *s = ed->control->attr; on && *s != '\0';) {
		size_t len = strcspn(s, " ");

		if (n == ARRAY_LEN(v))
			return ERR(e, E_INVALID_DATA, "more than %d critical extensions", MAX_VALUES);
		v[n++] = (struct bytes){ (const uint8_t *)s, len };
		s += len + (s[len] == ' ');
	}
	if (n > 0)
		return ctl_entry_set_bytes(ed->c, ed->en, "pKICriticalExtensions", v, n, e);
	ctl_entry_drop(ed->en, "pKICriticalExtensions");
	return 0;
}

const char *
control_get_critical(const struct control_edit *ed)
{
	const struct ctl_attr *a = ctl_entry_attr(ed->en, "pKICriticalExtensions");

	for (size_t i = 0; a != NULL && i < a->n; i++)
		if (is_listed(ed->control->attr, a->values[i]))
			return "yes";
	return "no";
}

/* ---- bits that no control of the console shows ---- */

static const struct policy_bit *
bit_table(const struct control_edit *ed)
{
	static const struct {
		const char *attr;
		const struct policy_bit *bits;
	} tables[] = { { GF, policy_general_bits }, { EF, policy_enrollment_bits },
		{ PK, policy_private_key_bits }, { NF, policy_name_bits } };

	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		if (strcmp(tables[i].attr, ed->control->attr) == 0)
			return tables[i].bits;
	return NULL;
}

/* "+NAME,-NAME": each bit switched on or off, the others left alone. */
int
control_set_bits(struct control_edit *ed, struct err *e)
{
	const struct policy_bit *table = bit_table(ed), *b;
	uint32_t set = 0, clear = 0;

	for (const char *s = ed->value; *s != '\0';) {
		size_t n = strcspn(s, ",");

		if (n < 2 || (*s != '+' && *s != '-'))
			return ERR(
			    e, E_INVALIDARG, "'%.*s' does not begin with + or -", (int)(n < 40 ? n : 40), s);
		for (b = table; b->mask != 0; b++)
			if (strlen(b->name) == n - 1 && strncasecmp(b->name, s + 1, n - 1) == 0)
				break;
		if (b->mask == 0)
			return ERR(e, E_INVALIDARG, "%s has no bit '%.*s'", ed->control->attr,
			    (int)(n < 60 ? n - 1 : 60), s + 1);
		*(*s == '+' ? &set : &clear) |= b->mask;
		s += n + (s[n] == ',');
	}
	if (set & clear)
		return ERR(e, E_INVALIDARG, "a bit is switched on and off at once");
	return control_set_mask(ed, ed->control->attr, set | clear, set, e);
}

/* Those that are set and belong to no other control. */
const char *
control_get_bits(const struct control_edit *ed)
{
	uint32_t bits = control_bits(ed, ed->control->attr);
	const char *text = "";

	for (const struct control *k = NULL; (k = control_next(k)) != NULL;)
		if (k->attr != NULL && k->get != control_get_bits && strcmp(k->attr, ed->control->attr) == 0)
			bits &= ~k->mask;
	if (strcmp(ed->control->attr, PK) == 0)
		bits &= ~(uint32_t)(CT_FLAG_STRONG_KEY_PROTECTION_REQUIRED | CT_FLAG_USE_LEGACY_PROVIDER);
	for (const struct policy_bit *b = bit_table(ed); b->mask != 0; b++)
		if (bits & b->mask)
			text = pool_printf(ed->c->pool, "%s%s+%s", text, *text != '\0' ? "," : "", b->name);
	return text;
}
