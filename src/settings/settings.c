#include "settings/settings.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <string.h>
#include <strings.h>

#include "settings/guess.h"
#include "settings/settings_priv.h"

/* ---- rows ---- */

static int
find_row(const char *section, const char *name, const struct setting **out, struct err *e)
{
	struct guess near_name = GUESS_NONE, near_section = GUESS_NONE;
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

	if (find_row(section, name, &row, e) != 0 || ca_setting_apply(s, row, value, false, e) != 0)
		return -1;
	return row->type == SETTING_SDDL ? ca_setting_check_sddl(row, value, e) : 0;
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
	struct guess g = GUESS_NONE;
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
		if (ca_setting_apply(s, &ca_setting_rows[i], ca_setting_rows[i].fallback, false, e) != 0)
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
	if (ca_setting_apply(r->s, row, value, more, r->e) != 0)
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
		    ca_setting_check_sddl(row, *(const char *const *)((const char *)s + row->offset), e) != 0)
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
	struct x509_strings was, *list = ca_setting_member(s, row), named = { NULL, 0 };
	const char **kept;
	size_t n = 0;

	if (row->type != SETTING_LIST || (value[0] != '+' && value[0] != '-'))
		return ca_setting_apply(s, row, value, false, e) != 0 ? -1 : check_whole(s, e);
	was = *list;
	*list = (struct x509_strings){ NULL, 0 };
	if (ca_setting_append(s, row, list, value, e) != 0)
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
			rc = ca_setting_apply(out, &ca_setting_rows[i], buf_cstr(&text), false, e);
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
