/* What the tests of SIDs, descriptors and access checks share: the domain of the examples, texts to structs. */
#ifndef TESTS_AUTH_SD_SUPPORT_H
#define TESTS_AUTH_SD_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/access.h"
#include "auth/sd.h"
#include "base/text.h"

#define DOM "S-1-5-21-1111111111-2222222222-3333333333"
#define ROOT "S-1-5-21-44-55-66"

__attribute__((unused)) static struct sid
sid_of(const char *text)
{
	struct err e = { 0 };
	struct sid s;

	if (sid_from_text(&s, text, &e) != 0)
		fail_msg("%s", e.msg);
	return s;
}

/* The domain is its own forest root. */
__attribute__((unused)) static struct sddl_domain
example_domain(void)
{
	return (struct sddl_domain){ .domain = sid_of(DOM), .root = sid_of(DOM) };
}

__attribute__((unused)) static struct sd
sd_of(struct pool *pool, const char *sddl)
{
	struct sddl_domain dom = example_domain();
	struct err e = { 0 };
	struct sd sd;

	if (sd_from_sddl(&sd, pool, sddl, &dom, &e) != 0)
		fail_msg("%s: %s", sddl, e.msg);
	return sd;
}

__attribute__((unused)) static void
hex_of(struct buf *out, const char *hex)
{
	struct err e = { 0 };

	buf_init(out, SD_WIRE_MAX);
	if (text_parse_hex(out, hex, &e) != 0)
		fail_msg("%s", e.msg);
}

/* A token of "DU,S-1-5-11,..." */
__attribute__((unused)) static struct token *
token_of(const char *sids)
{
	struct token *t = token_new("CORP\\test", "CN=test", NULL, false);
	struct sddl_domain dom = example_domain();
	char *copy = strdup(sids), *save = NULL;
	struct err e = { 0 };

	assert_non_null(t);
	assert_non_null(copy);
	for (char *s = strtok_r(copy, ",", &save); s != NULL; s = strtok_r(NULL, ",", &save)) {
		struct sid sid;

		if (sddl_sid_from_text(&sid, s, &dom, &e) != 0 || token_add(t, &sid, TOKEN_VIA_GROUP, s, &e) != 0)
			fail_msg("%s: %s", s, e.msg);
	}
	free(copy);
	return t;
}

/* Runs fn on the tab-separated fields of each line that is no comment. Returns the number of lines. */
__attribute__((unused)) static unsigned
each_line(const char *path, size_t n_fields, void (*fn)(char **field))
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t cap = 0;
	unsigned n = 0;

	if (f == NULL)
		fail_msg("%s cannot be opened", path);
	while (getline(&line, &cap, f) > 0) {
		char *field[8], *save = NULL;
		size_t k = 0;

		if (line[0] == '#')
			continue;
		line[strcspn(line, "\n")] = '\0';
		for (char *s = strtok_r(line, "\t", &save); s != NULL && k < 8; s = strtok_r(NULL, "\t", &save))
			field[k++] = s;
		assert_int_equal(k, n_fields);
		fn(field);
		n++;
	}
	free(line);
	fclose(f);
	return n;
}

#endif
