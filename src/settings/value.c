/* One setting's value from its text. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth/sd.h"
#include "settings/guess.h"
#include "settings/settings_priv.h"

void *
ca_setting_member(struct ca_settings *s, const struct setting *row)
{
	return (char *)s + row->offset;
}

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

static int
parse_flag_word(const struct setting *row, const char *word, uint32_t *mask, struct err *e)
{
	struct guess g = GUESS_NONE;
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
	struct guess g = GUESS_NONE;
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

int
ca_setting_append(struct ca_settings *s, const struct setting *row, struct x509_strings *list,
    const char *text, struct err *e)
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

int
ca_setting_check_sddl(const struct setting *row, const char *text, struct err *e)
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

int
ca_setting_apply(struct ca_settings *s, const struct setting *row, const char *text, bool more, struct err *e)
{
	const char **out = ca_setting_member(s, row);

	switch (row->type) {
	case SETTING_LIST:
		if (!more)
			memset(ca_setting_member(s, row), 0, sizeof(struct x509_strings));
		return ca_setting_append(s, row, ca_setting_member(s, row), text, e);
	case SETTING_SDDL:
		*out = more ? pool_printf(s->pool, "%s%s", *out, text) : pool_strdup(s->pool, text);
		return *out != NULL ? 0 : ERR(e, E_OUTOFMEMORY, "%s is too long", row->name);
	case SETTING_FLAGS:
		return parse_flags(row, text, more, ca_setting_member(s, row), e);
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
		return parse_number(row, text, ca_setting_member(s, row), e);
	case SETTING_BOOL:
		if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
			return ERR(e, E_INVALIDARG, "%s is 0 or 1, not '%.40s'", row->name, text);
		*(uint32_t *)ca_setting_member(s, row) = text[0] == '1';
		return 0;
	case SETTING_CHOICE:
		return parse_choice(row, text, out, e);
	default:
		return ERR(e, E_UNEXPECTED, "setting type %d", row->type);
	}
}
