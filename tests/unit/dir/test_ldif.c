/* LDIF (RFC 2849) reading and writing, and DN suffixes of forests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "dir/ldif.h"

/* All records of a text as "dn|attr=value,value|attr=...;dn|...", or the error's message. */
static uint32_t
flatten(const char *text, struct buf *out)
{
	struct pool *pool = pool_new(1u << 20);
	struct ldif_reader r;
	struct dir_entry en;
	struct err e = { 0 };
	bool more = true;
	size_t i, k;

	ldif_reader_init(&r, "f", (struct bytes){ (const uint8_t *)text, strlen(text) });
	while (ldif_read(&r, pool, &en, &more, &e) == 0 && more) {
		buf_printf(out, "%s%s", out->len > 0 ? ";" : "", en.dn);
		for (i = 0; i < en.n_attrs; i++)
			for (k = 0; k < en.attrs[i].n; k++) {
				if (k == 0)
					buf_printf(out, "|%s=", en.attrs[i].name);
				buf_printf(out, "%s", k > 0 ? "," : "");
				buf_put_bytes(out, en.attrs[i].values[k]);
			}
	}
	ldif_reader_fini(&r);
	pool_free(pool);
	if (e.hr != 0) {
		buf_reset(out);
		buf_put_str(out, e.msg);
	}
	return e.hr;
}

static void
test_read(void **state)
{
	static const struct {
		const char *name, *text, *expected;
		uint32_t hr;
	} cases[] = {
		{ "nothing", "", "", 0 },
		{ "only blank lines and comments", "\n\n# x\n  folded comment\n\n", "", 0 },
		{ "one record", "dn: a=b\nc: d\n", "a=b|c=d", 0 },
		{ "no line end at the end", "dn: a=b\nc: d", "a=b|c=d", 0 },
		{ "CR LF", "version: 1\r\n\r\ndn: a=b\r\nc: d\r\n", "a=b|c=d", 0 },
		{ "folded", "dn: a=\n b\nc: d\n e\n f\n", "a=b|c=def", 0 },
		{ "folded to a blank", "dn: a=b\nc: d\n  e\n", "a=b|c=d e", 0 },
		{ "base64", "dn: a=b\nc:: aGVs\n bG8=\n", "a=b|c=hello", 0 },
		{ "base64 dn", "dn:: YT1i\nc: d\n", "a=b|c=d", 0 },
		{ "grouped whatever the case", "dn: a=b\nc: 1\nd: x\nC: 2\n", "a=b|c=1,2|d=x", 0 },
		{ "blanks after the colon", "dn:   a=b\nc:d\ne:\n", "a=b|c=d|e=", 0 },
		{ "two records, many blank lines", "dn: a\nb: c\n\n\n\ndn: d\ne: f\n", "a|b=c;d|e=f", 0 },
		{ "comment inside a record", "dn: a\n# x: y\nb: c\n", "a|b=c", 0 },
		{ "a record of a dn alone", "dn: a\n\ndn: b\n", "a;b", 0 },
		{ "no colon", "dn: a\nnonsense\n", "f:2: not \"attribute: value\"", E_INVALID_DATA },
		{ "no name", "dn: a\n: b\n", "f:2: not \"attribute: value\"", E_INVALID_DATA },
		{ "a name that is none", "dn: a\nb c: d\n", "f:2: not \"attribute: value\"", E_INVALID_DATA },
		{ "no dn", "a: b\n", "f:1: a record begins with its dn", E_INVALID_DATA },
		{ "a fold without a line", " x\ndn: a\n", "f:1: not \"attribute: value\"", E_INVALID_DATA },
		{ "a URL", "dn: a\nb:< file:///etc/passwd\n", "f:2: values from URLs are not read",
		    E_INVALID_DATA },
		{ "a change", "dn: a\nchangetype: delete\n", "f:2: change records are not read",
		    E_INVALID_DATA },
		{ "NUL in a dn", "dn:: YQBi\n", "f:1: NUL in a dn", E_INVALID_DATA },
		{ "line numbers count folds", "dn: a\nb: c\n d\n e\nx\n", "f:5: not \"attribute: value\"",
		    E_INVALID_DATA },
	};
	struct buf out;
	uint32_t hr;
	size_t i;

	(void)state;
	buf_init(&out, 65536);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		buf_reset(&out);
		hr = flatten(cases[i].text, &out);
		if (hr != cases[i].hr || strcmp(buf_cstr(&out), cases[i].expected) != 0)
			fail_msg("%s: 0x%08x %s", cases[i].name, hr, buf_cstr(&out));
	}
	/* the rest of the message is base64's own */
	buf_reset(&out);
	assert_int_not_equal(flatten("dn: a\nb:: ?\n", &out), 0);
	assert_memory_equal(out.p, "f:2: ", 5);
	buf_fini(&out);
}

static void
test_nul_is_refused(void **state)
{
	static const char text[] = "dn: a\nb: c\0d\n";
	struct pool *pool = pool_new(65536);
	struct ldif_reader r;
	struct dir_entry en;
	struct err e;
	bool more;

	(void)state;
	ldif_reader_init(&r, "f", (struct bytes){ (const uint8_t *)text, sizeof(text) - 1 });
	assert_int_equal(ldif_read(&r, pool, &en, &more, &e), -1);
	assert_string_equal(e.msg, "f:2: NUL in the text");
	ldif_reader_fini(&r);
	pool_free(pool);
}

static void
test_write(void **state)
{
	static const struct {
		const char *name, *value;
		size_t len;
		const char *expected;
	} cases[] = {
		{ "plain", "abc", 3, "dn: d\na: abc\n\n" },
		{ "empty", "", 0, "dn: d\na: \n\n" },
		{ "begins with a blank", " abc", 4, "dn: d\na:: IGFiYw==\n\n" },
		{ "ends with a blank", "abc ", 4, "dn: d\na:: YWJjIA==\n\n" },
		{ "begins with a colon", ":abc", 4, "dn: d\na:: OmFiYw==\n\n" },
		{ "begins with a less-than", "<abc", 4, "dn: d\na:: PGFiYw==\n\n" },
		{ "a line end", "a\nb", 3, "dn: d\na:: YQpi\n\n" },
		{ "a NUL", "a\0b", 3, "dn: d\na:: YQBi\n\n" },
		{ "eight bits", "\xc3\xa4", 2, "dn: d\na:: w6Q=\n\n" },
		{ "long",
		    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
		    "890123456789",
		    100,
		    "dn: d\na: 0123456789012345678901234567890123456789012345678901234567890123456789012\n"
		    " 345678901234567890123456789\n\n" },
	};
	struct bytes v;
	struct dir_attr attr = { "a", &v, 1 };
	struct dir_entry en = { "d", &attr, 1 };
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, 65536);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		buf_reset(&out);
		v = (struct bytes){ (const uint8_t *)cases[i].value, cases[i].len };
		ldif_put(&out, &en);
		if (strcmp(buf_cstr(&out), cases[i].expected) != 0)
			fail_msg("%s: %s", cases[i].name, buf_cstr(&out));
	}
	buf_fini(&out);
}

static void
test_integers(void **state)
{
	static const struct {
		const char *text;
		int32_t expected;
	} cases[] = {
		{ "0", 0 },
		{ "41", 41 },
		{ "-1509949440", -1509949440 },
		{ "2785017856", -1509949440 },
		{ "4294967295", -1 },
		{ "-2147483648", INT32_MIN },
		{ "4294967296", 7 },
		{ "-2147483649", 7 },
		{ "", 7 },
		{ "12x", 7 },
		{ "x", 7 },
		{ "99999999999999999999", 7 },
	};
	struct bytes v;
	struct dir_attr attr = { "flags", &v, 1 };
	struct dir_entry en = { "d", &attr, 1 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		v = (struct bytes){ (const uint8_t *)cases[i].text, strlen(cases[i].text) };
		if (dir_entry_int(&en, "FLAGS", 7) != cases[i].expected)
			fail_msg("%s: %d", cases[i].text, dir_entry_int(&en, "FLAGS", 7));
	}
	assert_int_equal(dir_entry_int(&en, "revision", 7), 7);
}

static void
test_filter_escape(void **state)
{
	static const uint8_t raw[] = "a*b(c)d\\e\0f\xff";
	struct buf out;

	(void)state;
	buf_init(&out, 256);
	dir_filter_escape(&out, (struct bytes){ raw, sizeof(raw) - 1 });
	assert_string_equal(buf_cstr(&out), "a\\2ab\\28c\\29d\\5ce\\00f\\ff");
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_nul_is_refused),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_filter_escape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
