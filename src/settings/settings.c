#include "settings/settings.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth/sd.h"

#define SETTINGS_POOL_MAX (1u << 20)

static void *
member(struct ca_settings *s, const struct setting *row)
{
	return (char *)s + row->offset;
}

/* ---- values ---- */

static int
parse_number(const struct setting *row, const char *text, uint32_t *out, struct err *e)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(text, &end, 0);
	if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 || v > UINT32_MAX)
		return ERR(e, E_INVALIDARG, "%s = %.40s is not a number", row->name, text);
	if (row->type == SETTING_NUMBER && (v < row->lowest || (row->highest != 0 && v > row->highest)))
		return ERR(e, E_INVALIDARG, "%s = %.20s is not within %u to %u", row->name, text, row->lowest,
		    row->highest);
	*out = (uint32_t)v;
	return 0;
}

/* Levenshtein distance, capped by the buffer: names are short. */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[64];
	size_t nb = strlen(b);

	if (nb >= ARRAY_LEN(row))
		return 64;
	for (size_t j = 0; j <= nb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i + 1;
		for (size_t j = 1; j <= nb; j++) {
			unsigned keep = row[j];
			unsigned change =
			    diagonal + (tolower((unsigned char)a[i]) != tolower((unsigned char)b[j - 1]));
			unsigned other = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);

			row[j] = change < other ? change : other;
			diagonal = keep;
		}
	}
	return row[nb];
}

struct guess {
	const char *word;
	unsigned distance;
};

static void
guess_offer(struct guess *g, const char *wrong, const char *candidate)
{
	unsigned d = distance(wrong, candidate);

	if (d < g->distance)
		*g = (struct guess){ candidate, d };
}

/* " (did you mean X?)" when something is near. */
static const char *
guess_text(const struct guess *g, const char *wrong, char *out, size_t size)
{
	out[0] = '\0';
	if (g->word != NULL && g->distance <= 2 + strlen(wrong) / 4)
		snprintf(out, size, " (did you mean %s?)", g->word);
	return out;
}

static int
parse_flag_word(const struct setting *row, const char *word, uint32_t *mask, struct err *e)
{
	struct guess g = { NULL, 64 };
	char hint[96];

	if (isdigit((unsigned char)word[0]))
		return parse_number(row, word, mask, e);
	for (const struct setting_bit *b = row->bits; b->mask != 0; b++) {
		if (strcasecmp(word, b->name) == 0) {
			*mask = b->mask;
			return 0;
		}
		guess_offer(&g, word, b->name);
	}
	return ERR(e, E_INVALIDARG, "%s has no flag '%.48s'%s", row->name, word,
	    guess_text(&g, word, hint, sizeof(hint)));
}

/* "0x11014E", "1114446", "+EDITF_X -EDITF_Y" (from the value so far), "EDITF_X | EDITF_Y" (from nothing,
 * unless it is a further line). */
static int
parse_flags(const struct setting *row, const char *text, bool more, uint32_t *out, struct err *e)
{
	uint32_t v = more || text[0] == '+' || text[0] == '-' ? *out : 0;
	const char *p = text;

	for (;;) {
		char sign = '+', word[80];
		uint32_t mask;
		size_t n;

		p += strspn(p, " \t\n|,");
		if (*p == '\0')
			break;
		if (*p == '+' || *p == '-')
			sign = *p++;
		n = strcspn(p, " \t\n|,+-");
		if (n == 0 || n >= sizeof(word))
			return ERR(e, E_INVALIDARG, "%s = %.40s is not a list of flags", row->name, text);
		memcpy(word, p, n);
		word[n] = '\0';
		p += n;
		if (parse_flag_word(row, word, &mask, e) != 0)
			return -1;
		v = sign == '+' ? v | mask : v & ~mask;
	}
	*out = v;
	return 0;
}

static int
parse_choice(const struct setting *row, const char *text, const char **out, struct err *e)
{
	struct guess g = { NULL, 64 };
	char hint[96];

	for (size_t i = 0; row->choices[i] != NULL; i++) {
		if (strcasecmp(text, row->choices[i]) == 0) {
			*out = row->choices[i];
			return 0;
		}
		guess_offer(&g, text, row->choices[i]);
	}
	return ERR(e, E_INVALIDARG, "%s cannot be '%.40s'%s", row->name, text,
	    guess_text(&g, text, hint, sizeof(hint)));
}

/* URL lists are one per line: a comma may stand in a URL. Other lists also take commas. */
static int
append_list(struct ca_settings *s, const struct setting *row, struct x509_strings *list, const char *text,
    struct err *e)
{
	const char *separators = strstr(row->name, "URLs") != NULL ? "\n" : ",\n";

	while (*text != '\0') {
		const char **grown;
		size_t n, end;

		text += strspn(text, " \t\n,");
		n = strcspn(text, separators);
		for (end = n; end > 0 && isspace((unsigned char)text[end - 1]);)
			end--;
		if (end == 0)
			break;
		grown = pool_calloc(s->pool, list->n + 1, sizeof(*grown));
		if (grown == NULL)
			return ERR(e, E_OUTOFMEMORY, "%s is too long", row->name);
		if (list->n > 0)
			memcpy(grown, list->v, list->n * sizeof(*grown));
		grown[list->n] = pool_strndup(s->pool, text, end);
		if (grown[list->n] == NULL)
			return ERR(e, E_OUTOFMEMORY, "%s is too long", row->name);
		list->v = grown;
		list->n++;
		text += n;
	}
	return 0;
}

/* Spelling only: the aliases of a domain are resolved when the forest is known. */
static int
check_sddl(const struct setting *row, const char *text, struct err *e)
{
	struct sddl_domain dom = { 0 };
	struct pool *pool = pool_new(SETTINGS_POOL_MAX);
	struct sd sd;
	int rc;

	if (pool == NULL || sid_from_text(&dom.domain, "S-1-5-21-1-2-3", e) != 0) {
		pool_free(pool);
		return -1;
	}
	dom.root = dom.domain;
	rc = *text != '\0' ? sd_from_sddl(&sd, pool, text, &dom, e) : 0;
	pool_free(pool);
	return rc == 0 ? 0 : err_prefix(e, "%s", row->name);
}

/* more: a further line of a value that began before. */
static int
apply(struct ca_settings *s, const struct setting *row, const char *text, bool more, struct err *e)
{
	const char **out = member(s, row);

	switch (row->type) {
	case SETTING_LIST:
		if (!more)
			memset(member(s, row), 0, sizeof(struct x509_strings));
		return append_list(s, row, member(s, row), text, e);
	case SETTING_SDDL:
		*out = more ? pool_printf(s->pool, "%s%s", *out, text) : pool_strdup(s->pool, text);
		return *out != NULL ? 0 : ERR(e, E_OUTOFMEMORY, "%s is too long", row->name);
	case SETTING_FLAGS:
		return parse_flags(row, text, more, member(s, row), e);
	default:
		break;
	}
	if (more)
		return ERR(e, E_INVALIDARG,
		    "%s has one value: a line that begins with a blank continues a list", row->name);
	switch (row->type) {
	case SETTING_TEXT:
		if (row->highest != 0 && strlen(text) > row->highest)
			return ERR(
			    e, E_INVALIDARG, "%s is longer than %u characters", row->name, row->highest);
		*out = pool_strdup(s->pool, text);
		return *out != NULL ? 0 : ERR(e, E_OUTOFMEMORY, "%s is too long", row->name);
	case SETTING_NUMBER:
		return parse_number(row, text, member(s, row), e);
	case SETTING_BOOL:
		if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
			return ERR(e, E_INVALIDARG, "%s is 0 or 1, not '%.40s'", row->name, text);
		*(uint32_t *)member(s, row) = text[0] == '1';
		return 0;
	case SETTING_CHOICE:
		return parse_choice(row, text, out, e);
	default:
		return ERR(e, E_UNEXPECTED, "setting type %d", row->type);
	}
}

/* ---- rows ---- */

static int
find_row(const char *section, const char *name, const struct setting **out, struct err *e)
{
	struct guess near_name = { NULL, 64 }, near_section = { NULL, 64 };
	const char *elsewhere = NULL;
	bool section_known = false;
	char hint[96];

	for (size_t i = 0; i < ca_setting_count; i++) {
		const struct setting *row = &ca_setting_rows[i];
		bool here = strcasecmp(section, row->section) == 0;

		section_known |= here;
		if (here && strcasecmp(name, row->name) == 0) {
			*out = row;
			return 0;
		}
		if (strcasecmp(name, row->name) == 0)
			elsewhere = row->section;
		guess_offer(&near_section, section, row->section);
		guess_offer(&near_name, name, row->name);
	}
	if (*section == '\0')
		return ERR(e, E_INVALIDARG, "'%.40s' stands before the first [section]", name);
	if (!section_known)
		return ERR(e, E_INVALIDARG, "unknown section [%.40s]%s", section,
		    guess_text(&near_section, section, hint, sizeof(hint)));
	if (elsewhere != NULL)
		return ERR(e, E_INVALIDARG, "setting '%.40s' belongs to section [%s]", name, elsewhere);
	return ERR(e, E_INVALIDARG, "unknown setting '%.40s'%s", name,
	    guess_text(&near_name, name, hint, sizeof(hint)));
}

int
ca_settings_set(
    struct ca_settings *s, const char *section, const char *name, const char *value, struct err *e)
{
	const struct setting *row;

	if (find_row(section, name, &row, e) != 0 || apply(s, row, value, false, e) != 0)
		return -1;
	return row->type == SETTING_SDDL ? check_sddl(row, value, e) : 0;
}

/* Registry nodes under the CA's key, MS-CSRA 3.1.1.10. */
static const struct {
	const char *node, *section;
} nodes[] = {
	{ "PolicyModules\\CertificateAuthority_MicrosoftDefault.Policy", "policy" },
	{ "ExitModules\\CertificateAuthority_MicrosoftDefault.Exit", "exit" },
	{ "CSP", "CA" },
};

/* A name alone, in the one section that has it. */
static int
find_name(const char *name, const struct setting **out, struct err *e)
{
	struct guess g = { NULL, 64 };
	char hint[96];

	for (size_t i = 0; i < ca_setting_count; i++) {
		if (strcasecmp(name, ca_setting_rows[i].name) == 0) {
			*out = &ca_setting_rows[i];
			return 0;
		}
		guess_offer(&g, name, ca_setting_rows[i].name);
	}
	return ERR(
	    e, E_FILE_NOT_FOUND, "unknown setting '%.40s'%s", name, guess_text(&g, name, hint, sizeof(hint)));
}

int
ca_settings_find(const char *path, const struct setting **out, struct err *e)
{
	const char *name = strrchr(path, '\\');
	char section[96];

	if (name == NULL)
		return find_name(path, out, e);
	snprintf(section, sizeof(section), "%.*s", (int)(name - path < 95 ? name - path : 95), path);
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		if (strcasecmp(section, nodes[i].node) == 0)
			snprintf(section, sizeof(section), "%s", nodes[i].section);
	}
	if (find_row(section, name + 1, out, e) == 0)
		return 0;
	e->hr = E_FILE_NOT_FOUND;
	return -1;
}

static int
set_defaults(struct ca_settings *s, struct err *e)
{
	memset(s, 0, sizeof(*s));
	s->pool = pool_new(SETTINGS_POOL_MAX);
	if (s->pool == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for settings");
	for (size_t i = 0; i < ca_setting_count; i++) {
		if (apply(s, &ca_setting_rows[i], ca_setting_rows[i].fallback, false, e) != 0)
			return -1;
	}
	return 0;
}

/* ---- file ---- */

struct reading {
	struct ca_settings *s;
	FILE *f;
	int line;
	bool too_long;
	const struct setting *last; /* for continuation lines */
	bool *seen;
	int failed; /* line of the first error, 0: none. inih reads on after it */
	struct err *e;
};

/* inih tells no line numbers, but reads through this. It takes lines of a fixed length: longer ones are
 * refused, unless they are comments. */
static char *
next_line(char *str, int size, void *stream)
{
	struct reading *r = stream;
	char *got = r->too_long ? NULL : fgets(str, size, r->f);

	if (got == NULL)
		return NULL;
	r->line++;
	if (strchr(got, '\n') == NULL && !feof(r->f)) {
		r->too_long = strchr(";#", got[strspn(got, " \t")]) == NULL;
		for (int c = 0; !r->too_long && c != '\n' && c != EOF;)
			c = getc(r->f);
	}
	return got;
}

static int
on_value(void *user, const char *section, const char *name, const char *value)
{
	struct reading *r = user;
	const struct setting *row;
	size_t i;
	bool more;

	if (r->failed != 0)
		return 0;
	r->failed = r->line;
	if (find_row(section, name, &row, r->e) != 0)
		return 0;
	i = (size_t)(row - ca_setting_rows);
	more = r->last == row && r->seen[i];
	if (r->seen[i] && !more) {
		ERR(r->e, E_INVALIDARG, "%s is set twice", row->name);
		return 0;
	}
	r->seen[i] = true;
	r->last = row;
	if (apply(r->s, row, value, more, r->e) != 0)
		return 0;
	r->failed = 0;
	return 1;
}

static int
parse_file(struct ca_settings *s, const char *path, struct err *e)
{
	bool seen[128] = { false };
	struct reading r = { .s = s, .seen = seen, .e = e };
	int rc;

	assert(ca_setting_count <= ARRAY_LEN(seen)); /* a mark for every setting */
	r.f = fopen(path, "r");
	if (r.f == NULL)
		return ERR(e, E_FILE_NOT_FOUND, "%s: %s", path, strerror(errno));
	rc = ini_parse_stream(next_line, &r, on_value, &r);
	if (ferror(r.f) && r.failed == 0)
		rc = ERR(e, E_FAIL, "cannot read: %s", strerror(errno));
	fclose(r.f);
	if (r.failed != 0)
		return err_prefix(e, "%s:%d", path, r.failed);
	if (r.too_long)
		return ERR(e, E_INVALIDARG, "%s:%d: line too long", path, r.line);
	if (rc != 0)
		return rc < 0
		    ? err_prefix(e, "%s", path)
		    : ERR(e, E_INVALIDARG, "%s:%d: neither [section], name = value nor ; comment", path, rc);
	return 0;
}

static int
check_whole(const struct ca_settings *s, struct err *e)
{
	for (size_t i = 0; i < ca_setting_count; i++) {
		const struct setting *row = &ca_setting_rows[i];

		if (row->type == SETTING_SDDL &&
		    check_sddl(row, *(const char *const *)((const char *)s + row->offset), e) != 0)
			return -1;
	}
	if ((s->key_file[0] == '\0') != (s->cert_file[0] == '\0'))
		return ERR(e, E_INVALIDARG, "KeyFile and CertFile are given together or not at all");
	return 0;
}

int
ca_settings_load(struct ca_settings *out, const char *path, struct err *e)
{
	if (set_defaults(out, e) != 0 || (path != NULL && parse_file(out, path, e) != 0)) {
		ca_settings_fini(out);
		return -1;
	}
	if (check_whole(out, e) != 0) {
		ca_settings_fini(out);
		return path != NULL ? err_prefix(e, "%s", path) : -1;
	}
	return 0;
}

int
ca_settings_change(struct ca_settings *s, const struct setting *row, const char *value, struct err *e)
{
	struct x509_strings was, *list = member(s, row), named = { NULL, 0 };
	const char **kept;
	size_t n = 0;

	if (row->type != SETTING_LIST || (value[0] != '+' && value[0] != '-'))
		return apply(s, row, value, false, e) != 0 ? -1 : check_whole(s, e);
	was = *list;
	*list = (struct x509_strings){ NULL, 0 };
	if (append_list(s, row, list, value, e) != 0)
		return -1;
	named = *list;
	kept = pool_calloc(s->pool, was.n + named.n, sizeof(*kept));
	if (kept == NULL)
		return ERR(e, E_OUTOFMEMORY, "%s is too long", row->name);
	for (size_t i = 0; i < was.n; i++) {
		bool again = false;

		for (size_t k = 0; k < named.n; k++)
			again |= strcasecmp(was.v[i], named.v[k] + 1) == 0;
		if (!again)
			kept[n++] = was.v[i];
	}
	for (size_t k = 0; k < named.n; k++) {
		if (named.v[k][0] != '+' && named.v[k][0] != '-')
			return ERR(
			    e, E_INVALIDARG, "%s: '%.40s' says neither + nor -", row->name, named.v[k]);
		if (named.v[k][0] == '+')
			kept[n++] = named.v[k] + 1;
	}
	*list = (struct x509_strings){ kept, n };
	return 0;
}

int
ca_settings_text(const struct ca_settings *s, const struct setting *row, struct buf *out, struct err *e)
{
	const void *at = (const char *)s + row->offset;
	const struct x509_strings *list = at;

	switch (row->type) {
	case SETTING_LIST:
		for (size_t i = 0; i < list->n; i++) {
			buf_put_str(out, i > 0 ? "\n" : "");
			buf_put_str(out, list->v[i]);
		}
		break;
	case SETTING_FLAGS:
		buf_printf(out, "0x%x", *(const uint32_t *)at);
		break;
	case SETTING_NUMBER:
	case SETTING_BOOL:
		buf_printf(out, "%u", *(const uint32_t *)at);
		break;
	case SETTING_TEXT:
	case SETTING_CHOICE:
	case SETTING_SDDL:
		buf_put_str(out, *(const char *const *)at);
		break;
	}
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "%s is too long", row->name);
}

int
ca_settings_clone(struct ca_settings *out, const struct ca_settings *from, struct err *e)
{
	struct buf text;
	int rc = 0;

	if (set_defaults(out, e) != 0) {
		ca_settings_fini(out);
		return -1;
	}
	buf_init(&text, SETTINGS_POOL_MAX);
	for (size_t i = 0; rc == 0 && i < ca_setting_count; i++) {
		buf_reset(&text);
		rc = ca_settings_text(from, &ca_setting_rows[i], &text, e);
		if (rc == 0)
			rc = apply(out, &ca_setting_rows[i], buf_cstr(&text), false, e);
	}
	buf_fini(&text);
	if (rc != 0)
		ca_settings_fini(out);
	return rc;
}

void
ca_settings_fini(struct ca_settings *s)
{
	pool_free(s->pool);
	memset(s, 0, sizeof(*s));
}

int
ca_settings_check(const char *path, struct err *e)
{
	struct ca_settings s;

	if (ca_settings_load(&s, path, e) != 0)
		return -1;
	ca_settings_fini(&s);
	return 0;
}

/* ---- documentation ---- */

void
ca_settings_document(struct buf *out)
{
	const char *section = "";

	for (size_t i = 0; i < ca_setting_count; i++) {
		const struct setting *row = &ca_setting_rows[i];

		if (strcmp(section, row->section) != 0) {
			section = row->section;
			buf_printf(out, "%s[%s]\n", i == 0 ? "" : "\n", section);
		}
		buf_printf(out, "; %s\n;%s =", row->help, row->name);
		for (const char *p = row->fallback; *p != '\0';) {
			size_t n = strcspn(p, "\n");

			buf_printf(out, "%s%.*s%s", p == row->fallback ? " " : ";  ", (int)n, p,
			    p[n] != '\0' ? "\n" : "");
			p += n + (p[n] != '\0');
		}
		buf_put_str(out, "\n");
	}
}

int
ca_period(const char *unit, uint32_t n, int *months, filetime_t *span, struct err *e)
{
	if (filetime_period(unit, n, months, span))
		return 0;
	return ERR(e, E_INVALIDARG, "no period of %u %.20s", n, unit);
}

int
ca_period_end(filetime_t from, const char *unit, uint32_t n, filetime_t *out, struct err *e)
{
	filetime_t span;
	int months;

	if (ca_period(unit, n, &months, &span, e) != 0)
		return -1;
	*out = filetime_add_months(from, months) + span;
	return 0;
}
