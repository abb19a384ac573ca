/*
 * Golden stubs: each fixtures/wire/NAME.hex that names a table must decode to NAME.txt and encode to the same octets.
 * Octets in brackets are the sender's choice (referent ids, padding): there only the printed form counts.
 * With a file on the command line: prints its decoded form.
 */
#include <ctype.h>
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "idl/tables.h"

#define FOLDER "fixtures/wire"
#define POOL_MAX (1 << 20)

struct golden {
	char name[64];
	const struct idl_table *table;
	struct buf stub;
	struct buf fixed; /* one octet per stub octet: 1 where the encoder must agree */
};

/* Hex digits of one line, brackets around what is free. False when it is something else. */
static bool
parse_line(const char *line, struct golden *g, bool *is_free)
{
	for (const char *s = line; *s != 0; s++) {
		unsigned octet;

		if (*s == '[' || *s == ']') {
			*is_free = *s == '[';
		} else if (isxdigit((unsigned char)s[0]) && sscanf(s, "%2x", &octet) == 1) {
			buf_put_u8(&g->stub, (uint8_t)octet);
			buf_put_u8(&g->fixed, !*is_free);
			s++;
		} else if (!isspace((unsigned char)*s)) {
			return false;
		}
	}
	return true;
}

/* False: the file names no table of ours. */
static bool
golden_load(const char *path, struct golden *g)
{
	FILE *f = fopen(path, "r");
	bool is_free = false;
	char line[512];

	assert_non_null(f);
	g->table = NULL;
	buf_init(&g->stub, 1 << 16);
	buf_init(&g->fixed, 1 << 16);
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, "table: ", 7) == 0) {
			g->table = idl_table_find(line + 7);
			if (g->table == NULL)
				fail_msg("%s: no table %s", path, line + 7);
		} else if (g->table != NULL && line[0] != '#' && !parse_line(line, g, &is_free)) {
			fail_msg("%s: not hexadecimal: %s", path, line);
		}
	}
	fclose(f);
	return g->table != NULL;
}

static void
golden_fini(struct golden *g)
{
	buf_fini(&g->stub);
	buf_fini(&g->fixed);
}

static void
read_text(const char *name, struct buf *out)
{
	char path[256];
	FILE *f;
	int c;

	snprintf(path, sizeof(path), FOLDER "/%s.txt", name);
	f = fopen(path, "r");
	if (f == NULL)
		fail_msg("%s is missing", path);
	while ((c = fgetc(f)) != EOF)
		buf_put_u8(out, (uint8_t)c);
	fclose(f);
}

static void *
pull(const struct golden *g, struct pool *pool, size_t *used)
{
	struct err e = { 0 };
	void *args;

	if (ndr_pull(g->table->fields, g->table->size, buf_bytes(&g->stub), pool, &args, used, &e) != 0)
		fail_msg("%s: %s", g->name, e.msg);
	return args;
}

static void
check_text(const struct golden *g, const void *args)
{
	struct buf want, got;

	buf_init(&want, 1 << 16);
	buf_init(&got, 1 << 16);
	read_text(g->name, &want);
	ndr_print(g->table->fields, args, &got);
	if (strcmp(buf_cstr(&want), buf_cstr(&got)) != 0)
		fail_msg("%s prints as\n%s", g->name, buf_cstr(&got));
	buf_fini(&want);
	buf_fini(&got);
}

/* Encodes behind `before` octets that are already in the buffer: alignment must not count them. */
static void
check_octets(const struct golden *g, const void *args, size_t before)
{
	struct err e = { 0 };
	struct buf out;

	buf_init(&out, 1 << 16);
	buf_put_zero(&out, before);
	if (ndr_push(g->table->fields, args, &out, &e) != 0)
		fail_msg("%s: %s", g->name, e.msg);
	assert_int_equal(out.len - before, g->stub.len);
	for (size_t i = 0; i < g->stub.len; i++)
		if (g->fixed.p[i] && out.p[before + i] != g->stub.p[i])
			fail_msg("%s: octet %zx is %02x, not %02x", g->name, i, out.p[before + i], g->stub.p[i]);
	buf_fini(&out);
}

/* Every stub cut short is refused; the copy has the exact size, so that a sanitizer sees one octet too many. */
static void
check_prefixes(const struct golden *g)
{
	for (size_t n = 0; n < g->stub.len; n++) {
		struct pool *pool = pool_new(POOL_MAX);
		uint8_t *cut = malloc(n > 0 ? n : 1);
		struct err e = { 0 };
		size_t used;
		void *args;

		memcpy(cut, g->stub.p, n);
		if (ndr_pull(g->table->fields, g->table->size, (struct bytes){ cut, n }, pool, &args, &used, &e) == 0)
			fail_msg("%s: decodes although cut to %zu octets", g->name, n);
		assert_int_equal(e.hr, E_RPC_BAD_STUB_DATA);
		assert_true(strlen(e.msg) > 0);
		free(cut);
		pool_free(pool);
	}
}

/* Whatever one octet says instead: no crash, and what decodes prints. */
static void
check_flips(const struct golden *g)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };

	for (size_t i = 0; i < g->stub.len * ARRAY_LEN(values); i++) {
		struct pool *pool = pool_new(POOL_MAX);
		uint8_t *at = &g->stub.p[i / ARRAY_LEN(values)], old = *at;
		struct buf text;
		size_t used;
		void *args;

		*at = values[i % ARRAY_LEN(values)];
		buf_init(&text, 1 << 16);
		if (ndr_pull(g->table->fields, g->table->size, buf_bytes(&g->stub), pool, &args, &used, NULL) == 0) {
			assert_in_range(used, 0, g->stub.len);
			ndr_print(g->table->fields, args, &text);
		}
		*at = old;
		buf_fini(&text);
		pool_free(pool);
	}
}

static void
check_golden(const struct golden *g)
{
	struct pool *pool = pool_new(POOL_MAX);
	size_t used;
	void *args = pull(g, pool, &used);

	assert_int_equal(used, g->stub.len);
	check_text(g, args);
	check_octets(g, args, 0);
	check_octets(g, args, 3);
	check_prefixes(g);
	check_flips(g);
	pool_free(pool);
}

static void
golden_stubs(void **state)
{
	DIR *d = opendir(FOLDER);
	unsigned count = 0;

	(void)state;
	assert_non_null(d);
	for (struct dirent *en; (en = readdir(d)) != NULL;) {
		size_t n = strlen(en->d_name);
		struct golden g;
		char path[320];

		if (n < 5 || n - 4 >= sizeof(g.name) || strcmp(en->d_name + n - 4, ".hex") != 0)
			continue;
		snprintf(path, sizeof(path), FOLDER "/%s", en->d_name);
		snprintf(g.name, sizeof(g.name), "%.*s", (int)(n - 4), en->d_name);
		if (golden_load(path, &g)) {
			check_golden(&g);
			count++;
		}
		golden_fini(&g);
	}
	closedir(d);
	assert_in_range(count, 16, 10000);
}

static int
print_file(const char *path)
{
	struct pool *pool = pool_new(POOL_MAX);
	struct golden g = { .name = "file" };
	struct buf text;
	size_t used;

	buf_init(&text, 1 << 20);
	if (!golden_load(path, &g))
		return 1;
	ndr_print(g.table->fields, pull(&g, pool, &used), &text);
	fputs(buf_cstr(&text), stdout);
	buf_fini(&text);
	golden_fini(&g);
	pool_free(pool);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(golden_stubs) };

	if (argc == 2)
		return print_file(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
