/* The engine on tables of its own: every kind of row, both ways, and every way to lie about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "ndr/cursor.h"
#include "ndr/ndr.h"

/* ---- the tables ---- */

struct numbers {
	uint8_t a;
	uint16_t b;
	uint8_t c;
	uint32_t d;
	uint8_t e;
	uint64_t f;
	uint8_t raw[3];
	uint32_t status;
	struct guid guid;
};
static const struct ndr_field numbers[] = {
	F_U8(struct numbers, a),
	F_U16(struct numbers, b),
	F_U8(struct numbers, c),
	F_U32(struct numbers, d),
	F_U8(struct numbers, e),
	F_HYPER(struct numbers, f),
	F_BYTES(struct numbers, raw),
	F_STATUS(struct numbers, status),
	F_GUID(struct numbers, guid),
	F_END,
};

struct text {
	const char *text;
	uint32_t after;
};
static const struct ndr_field text[] = {
	F_WSTR(struct text, text, 0, 8),
	F_U32(struct text, after),
	F_END,
};
static const struct ndr_field text_range[] = {
	F_WSTR(struct text, text, 2, 8),
	F_U32(struct text, after),
	F_END,
};
static const struct ndr_field vstr[] = {
	F_VSTR(struct text, text, 4),
	F_U32(struct text, after),
	F_END,
};
struct sized {
	uint32_t size;
	const char *text;
	uint32_t after;
};
static const struct ndr_field sized[] = {
	F_VSTR_SIZED(struct sized, size, text, 4),
	F_U32(struct sized, after),
	F_END,
};

struct blob {
	struct bytes blob;
	uint32_t after;
};
static const struct ndr_field blob[] = {
	F_BLOB(struct blob, blob),
	F_U32(struct blob, after),
	F_END,
};

struct range {
	uint32_t n;
};
static const struct ndr_field range[] = {
	F_U32_RANGE(struct range, n, 2, 500),
	F_END,
};

/* struct { u16 tag; [unique] wchar_t *name; struct { u8; hyper } inner; [unique] struct leaf *leaf; } */
struct leaf {
	uint32_t n;
	struct bytes data;
};
static const struct ndr_field leaf[] = {
	F_U32(struct leaf, n),
	F_BLOB(struct leaf, data),
	F_END,
};
struct inner {
	uint8_t small;
	uint64_t wide;
};
static const struct ndr_field inner[] = {
	F_U8(struct inner, small),
	F_HYPER(struct inner, wide),
	F_END,
};
struct node {
	uint16_t tag;
	const char *name;
	struct inner inner;
	struct leaf *leaf;
	uint32_t end;
};
static const struct ndr_field node[] = {
	F_U16(struct node, tag),
	F_WSTR(struct node, name, 0, 100),
	F_STRUCT(struct node, inner, struct inner, inner),
	F_PTR(struct node, leaf, NDR_UNIQUE, struct leaf, leaf),
	F_U32(struct node, end),
	F_END,
};
struct outer {
	struct node node;
	uint8_t after;
};
static const struct ndr_field outer[] = {
	F_STRUCT(struct outer, node, struct node, node),
	F_U8(struct outer, after),
	F_END,
};

/* Arrays: conformant behind a pointer, conformant-varying inline. */
struct list {
	uint32_t n;
	struct leaf *leaves;
	uint32_t after;
};
static const struct ndr_field list[] = {
	F_U32(struct list, n),
	F_ARRAY(struct list, n, leaves, NDR_UNIQUE, struct leaf, leaf, 4),
	F_U32(struct list, after),
	F_END,
};
struct varying {
	uint32_t max, n;
	struct leaf *leaves;
};
static const struct ndr_field varying[] = {
	F_U32(struct varying, n),
	F_ARRAY_VARYING(struct varying, max, n, leaves, NDR_INLINE, struct leaf, leaf, 4),
	F_END,
};

/* A conformant struct, behind a pointer and as a parameter: its MaxCount comes first. */
struct tailed {
	uint16_t tag;
	uint32_t n;
	struct leaf *leaves;
};
static const struct ndr_field tailed[] = {
	F_U16(struct tailed, tag),
	F_U32(struct tailed, n),
	F_ARRAY(struct tailed, n, leaves, NDR_INLINE, struct leaf, leaf, 4),
	F_END,
};
struct holder {
	struct tailed *pointed;
	struct tailed whole;
};
static const struct ndr_field pointed[] = {
	F_PTR(struct holder, pointed, NDR_UNIQUE, struct tailed, tailed),
	F_END,
};
static const struct ndr_field whole[] = {
	F_STRUCT(struct holder, whole, struct tailed, tailed),
	F_END,
};

/* Reference pointers: inline at top level, with an id inside a struct. */
struct refs {
	struct leaf *leaf;
};
static const struct ndr_field refs[] = {
	F_PTR(struct refs, leaf, NDR_REF, struct leaf, leaf),
	F_END,
};
struct refs_in {
	struct refs refs;
};
static const struct ndr_field refs_in[] = {
	F_STRUCT(struct refs_in, refs, struct refs, refs),
	F_END,
};

/* Full pointers: two of one type, one of another. */
struct full {
	struct guid *a, *b;
	struct leaf *c;
};
static const struct ndr_field full[] = {
	F_GUID_PTR(struct full, a, NDR_FULL),
	F_GUID_PTR(struct full, b, NDR_FULL),
	F_PTR(struct full, c, NDR_FULL, struct leaf, leaf),
	F_END,
};

/* A chain of itself, as deep as the wire says. */
struct chain {
	uint32_t n;
	struct chain *next;
};
static const struct ndr_field chain[] = {
	F_U32(struct chain, n),
	F_PTR(struct chain, next, NDR_UNIQUE, struct chain, chain),
	F_END,
};

/* ---- helpers ---- */

#define POOL_MAX 65536

static int
pull_hex(const struct ndr_field *fields, size_t size, const char *hex, struct pool *pool, void **args, size_t *used,
    struct err *e)
{
	struct buf in;
	uint8_t *exact;
	int ret;

	buf_init(&in, 4096);
	assert_int_equal(text_parse_hex(&in, hex, e), 0);
	exact = malloc(in.len > 0 ? in.len : 1);
	if (in.len > 0)
		memcpy(exact, in.p, in.len);
	ret = ndr_pull(fields, size, (struct bytes){ exact, in.len }, pool, args, used, e);
	free(exact); /* nothing may point into it */
	buf_fini(&in);
	return ret;
}

#define T(table) table, sizeof(struct table)

/* ---- cases ---- */

/* Decodes, prints as told, encodes to the same octets when `again` is set. Referent ids as our encoder counts. */
static const struct {
	const char *name;
	const struct ndr_field *fields;
	size_t size;
	const char *hex;
	const char *printed;
	bool again;
} good[] = {
	{ "numbers and their alignment", T(numbers),
	    "01 00 0203 04 000000 08070605 09 000000"
	    "1817161514131211 aabbcc 00 57000780"
	    "33221100 5544 7766 8899aabbccddeeff",
	    "a: 1\nb: 770 (0x302)\nc: 4\nd: 84281096 (0x5060708)\ne: 9\nf: 0x1112131415161718\n"
	    "raw: 3 octets aabbcc\nstatus: 0x80070057 E_INVALIDARG\nguid: 00112233-4455-6677-8899-aabbccddeeff\n",
	    true },
	{ "null string", T(text), "00000000 07000000", "text: NULL\nafter: 7\n", true },
	{ "string", T(text), "00000200 03000000 00000000 03000000 4100 e400 0000 0000 07000000",
	    "text: \"A\xc3\xa4\"\nafter: 7\n", true },
	{ "string of the largest size", T(text),
	    "00000200 08000000 00000000 08000000 4100 4200 4300 4400 4500 4600 4700 0000 07000000",
	    "text: \"ABCDEFG\"\nafter: 7\n", true },
	{ "surrogate pair", T(text), "00000200 03000000 00000000 03000000 3dd8 00de 0000 0000 07000000",
	    "text: \"\xf0\x9f\x98\x80\"\nafter: 7\n", true },
	{ "no units at all, as Certipy sends", T(text), "00000200 00000000 00000000 00000000 07000000",
	    "text: \"\"\nafter: 7\n", false },
	{ "MaxCount larger than the string", T(text), "00000200 08000000 00000000 02000000 4100 0000 07000000",
	    "text: \"A\"\nafter: 7\n", false },
	{ "text ends at the first NUL", T(text), "00000200 04000000 00000000 04000000 4100 0000 4200 0000 07000000",
	    "text: \"A\"\nafter: 7\n", false },
	{ "what a terminal must not see", T(text), "00000200 04000000 00000000 04000000 1b00 2200 0a00 0000 07000000",
	    "text: \"\\x1b\\\"\\n\"\nafter: 7\n", true },
	{ "varying string", vstr, sizeof(struct text), "00000000 03000000 4142 00 ff 07000000", "text: \"AB\"\nafter: 7\n", false },
	{ "varying string without a character", vstr, sizeof(struct text), "00000000 00000000 07000000", "text: \"\"\nafter: 7\n", false },
	{ "sized string", T(sized), "03000000 00000000 02000000 4100 0000 07000000", "text: \"A\"\nafter: 7\n", true },
	{ "sized string that fills its size", T(sized), "04000000 00000000 04000000 41424300 07000000",
	    "text: \"ABC\"\nafter: 7\n", true },
	{ "sized string without a character", T(sized), "00000000 00000000 00000000 07000000", "text: NULL\nafter: 7\n",
	    true },
	{ "null blob", T(blob), "00000000 00000000 07000000", "blob: NULL\nafter: 7\n", true },
	{ "blob", T(blob), "03000000 00000200 03000000 010203 00 07000000", "blob: 3 octets 010203\nafter: 7\n", true },
	{ "empty blob", T(blob), "00000000 00000200 00000000 07000000", "blob: 0 octets\nafter: 7\n", true },
	{ "length without a pointer", T(blob), "05000000 00000000 07000000", "blob: NULL\nafter: 7\n", false },
	{ "lower end of a range", T(range), "02000000", "n: 2\n", true },
	{ "upper end of a range", T(range), "f4010000", "n: 500 (0x1f4)\n", true },
	{ "octets after the last argument", T(range), "02000000 ffffffff", "n: 2\n", false },
	{ "conformant array and the referents of its elements", T(list),
	    "02000000 00000200 02000000 0a000000 01000000 04000200 0b000000 01000000 08000200"
	    "01000000 aa 000000 01000000 bb 000000 07000000",
	    "n: 2\nleaves: 2\n  [0]\n    n: 10 (0xa)\n    data: 1 octets aa\n"
	    "  [1]\n    n: 11 (0xb)\n    data: 1 octets bb\nafter: 7\n",
	    true },
	{ "null array", T(list), "00000000 00000000 07000000", "n: 0\nleaves: NULL\nafter: 7\n", true },
	{ "varying array", T(varying), "01000000 04000000 00000000 01000000 0a000000 00000000 00000000",
	    "n: 1\nleaves: 1 of at most 4\n  [0]\n    n: 10 (0xa)\n    data: NULL\n", true },
	{ "empty varying array", T(varying), "00000000 04000000 00000000 00000000", "n: 0\nleaves: 0 of at most 4\n",
	    true },
	{ "conformant struct behind a pointer", pointed, sizeof(struct holder),
	    "00000200 02000000 0500 0000 02000000 0a000000 00000000 00000000 0b000000 01000000 04000200 01000000 bb",
	    "pointed:\n  tag: 5\n  n: 2\n  leaves: 2\n    [0]\n      n: 10 (0xa)\n      data: NULL\n"
	    "    [1]\n      n: 11 (0xb)\n      data: 1 octets bb\n",
	    true },
	{ "conformant struct as a parameter", whole, sizeof(struct holder), "01000000 0500 0000 01000000 0a000000 00000000 00000000",
	    "whole:\n  tag: 5\n  n: 1\n  leaves: 1\n    [0]\n      n: 10 (0xa)\n      data: NULL\n", true },
	{ "conformant struct without an element", whole, sizeof(struct holder), "00000000 0500 0000 00000000",
	    "whole:\n  tag: 5\n  n: 0\n  leaves: 0\n", true },
	{ "reference at top level has no id", T(refs), "0a000000 00000000 00000000",
	    "leaf:\n  n: 10 (0xa)\n  data: NULL\n", true },
	{ "embedded reference has one", T(refs_in), "00000200 0a000000 00000000 00000000",
	    "refs:\n  leaf:\n    n: 10 (0xa)\n    data: NULL\n", true },
	{ "full pointers", T(full),
	    "00000200 33221100 5544 7766 8899aabbccddeeff 00000000 04000200 0a000000 00000000 00000000",
	    "a: 00112233-4455-6677-8899-aabbccddeeff\nb: NULL\nc:\n  n: 10 (0xa)\n  data: NULL\n", true },
	{ "an alias of a full pointer", T(full), "00000200 33221100 5544 7766 8899aabbccddeeff 00000200 00000000",
	    "a: 00112233-4455-6677-8899-aabbccddeeff\nb: 00112233-4455-6677-8899-aabbccddeeff\nc: NULL\n", false },
	{ "chain of three", T(chain), "01000000 00000200 02000000 04000200 03000000 00000000",
	    "n: 1\nnext:\n  n: 2\n  next:\n    n: 3\n    next: NULL\n", true },
};

static const struct {
	const char *name;
	const struct ndr_field *fields;
	size_t size;
	const char *hex;
	const char *said; /* part of the message */
} bad[] = {
	{ "nothing at all", T(range), "", "n: 4 octets needed, 0 left" },
	{ "below a range", T(range), "01000000", "outside range(2,500)" },
	{ "above a range", T(range), "f5010000", "outside range(2,500)" },
	{ "string: more units than octets left", T(text), "01000000 08000000 00000000 08000000 4100 0000",
	    "8 elements of 2 octets announced, 4 octets left" },
	{ "string: count that wraps when doubled", T(text), "01000000 01000080 00000000 01000080 4100 0000",
	    "2147483649 elements of 2 octets" },
	{ "string: largest count", T(text), "01000000 ffffffff 00000000 ffffffff 4100 0000", "text: 4294967295 elements" },
	{ "string: offset", T(text), "01000000 02000000 01000000 02000000 4100 0000 07000000", "starts at element 1" },
	{ "string: more units than MaxCount", T(text), "01000000 01000000 00000000 02000000 4100 0000 07000000",
	    "2 units, MaxCount 1" },
	{ "string: no NUL", T(text), "01000000 02000000 00000000 02000000 4100 4200 07000000", "without its NUL" },
	{ "string: above its range", T(text),
	    "01000000 09000000 00000000 09000000 4100 4200 4300 4400 4500 4600 4700 4800 0000 0000 07000000",
	    "outside range(0,8)" },
	{ "string: huge MaxCount", T(text), "01000000 ffffffff 00000000 02000000 4100 0000 07000000",
	    "outside range(0,8)" },
	{ "string: below its range", text_range, sizeof(struct text), "01000000 01000000 00000000 01000000 0000 0000 07000000",
	    "outside range(2,8)" },
	{ "string: lone surrogate", T(text), "01000000 02000000 00000000 02000000 00d8 0000 07000000", "surrogate" },
	{ "varying string: too long", vstr, sizeof(struct text), "00000000 05000000 41424344 00 000000 07000000", "at most 4" },
	{ "varying string: offset", vstr, sizeof(struct text), "01000000 02000000 4100 0000 07000000", "starts at element 1" },
	{ "varying string: no NUL", vstr, sizeof(struct text), "00000000 02000000 4142 0000 07000000", "without its NUL" },
	{ "varying string: cut", vstr, sizeof(struct text), "00000000 04000000 4142", "4 elements of 1 octets announced, 2" },
	{ "sized string: longer than MaxCount", T(sized), "02000000 00000000 03000000 41420000 07000000",
	    "3 characters, at most 2" },
	{ "sized string: MaxCount out of bounds", T(sized), "05000000 00000000 02000000 41000000 07000000",
	    "MaxCount 5, at most 4" },
	{ "sized string: no NUL", T(sized), "04000000 00000000 02000000 41420000 07000000", "without its NUL" },
	{ "sized string: only its MaxCount", T(sized), "04000000", "4 octets needed, 0 left" },
	{ "conformant struct: nothing at all", whole, sizeof(struct holder), "", "leaves: 4 octets needed, 0 left" },
	{ "conformant struct: MaxCount differs", whole, sizeof(struct holder),
	    "02000000 0500 0000 01000000 0a000000 00000000 00000000", "leaves: array of 2 elements, count says 1" },
	{ "conformant struct: more than allowed", whole, sizeof(struct holder), "05000000 0500 0000 05000000",
	    "5 elements, at most 4" },
	{ "conformant struct: elements missing", whole, sizeof(struct holder), "02000000 0500 0000 02000000 0a000000",
	    "2 elements announced, 4 octets left" },
	{ "blob: MaxCount above cb", T(blob), "03000000 01000000 04000000 01020304 07000000", "MaxCount 4, cb 3" },
	{ "blob: MaxCount below cb", T(blob), "05000000 01000000 04000000 01020304 07000000", "MaxCount 4, cb 5" },
	{ "blob: cut", T(blob), "05000000 01000000 05000000 01020304", "5 octets needed, 4 left" },
	{ "blob: huge", T(blob), "ffffffff 01000000 ffffffff 01020304", "4294967295 octets needed, 4 left" },
	{ "blob: pointer without octets", T(blob), "05000000 01000000", "blob: 4 octets needed, 0 left" },
	{ "array: more than allowed", T(list), "05000000 01000000 05000000", "5 elements, at most 4" },
	{ "array: count differs", T(list), "01000000 01000000 02000000 00000000", "2 elements, count says 1" },
	{ "array: elements missing", T(list), "03000000 01000000 03000000 0a000000 00000000 00000000",
	    "3 elements announced, 12 octets left" },
	{ "array: its element is cut", T(list),
	    "01000000 01000000 01000000 0a000000 04000000 02000000 05000000 00000000", "data: MaxCount 5, cb 4" },
	{ "varying array: offset", T(varying), "01000000 04000000 01000000 01000000 0a000000 00000000 00000000",
	    "starts at element 1" },
	{ "varying array: more than MaxCount", T(varying),
	    "02000000 01000000 00000000 02000000 0a000000 00000000 00000000 0a000000 00000000 00000000",
	    "2 elements, MaxCount 1" },
	{ "varying array: huge", T(varying), "ffffffff 04000000 00000000 ffffffff 0a000000",
	    "4294967295 elements of 12 octets" },
	{ "varying array: MaxCount out of bounds", T(varying), "00000000 05000000 00000000 00000000",
	    "5 elements, at most 4" },
	{ "embedded reference without a referent", T(refs_in), "00000000", "null reference pointer" },
	{ "full pointer aliases another type", T(full), "01000000 33221100 5544 7766 8899aabbccddeeff 00000000 01000000",
	    "another type" },
};

static void
accepts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct pool *pool = pool_new(POOL_MAX);
		struct buf text_out, again, want;
		struct err e = { 0 };
		size_t used;
		void *args;

		buf_init(&text_out, 4096);
		buf_init(&again, 4096);
		buf_init(&want, 4096);
		if (pull_hex(good[i].fields, good[i].size, good[i].hex, pool, &args, &used, &e) != 0)
			fail_msg("%s: %s", good[i].name, e.msg);
		ndr_print(good[i].fields, args, &text_out);
		if (strcmp(buf_cstr(&text_out), good[i].printed) != 0)
			fail_msg("%s prints as\n%s", good[i].name, buf_cstr(&text_out));
		if (ndr_push(good[i].fields, args, &again, &e) != 0)
			fail_msg("%s: %s", good[i].name, e.msg);
		assert_int_equal(text_parse_hex(&want, good[i].hex, &e), 0);
		if (good[i].again && !bytes_equal(buf_bytes(&want), buf_bytes(&again)))
			fail_msg("%s encodes otherwise", good[i].name);
		buf_fini(&text_out);
		buf_fini(&again);
		buf_fini(&want);
		pool_free(pool);
	}
}

static void
refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct pool *pool = pool_new(POOL_MAX);
		struct err e = { 0 };
		size_t used;
		void *args;

		if (pull_hex(bad[i].fields, bad[i].size, bad[i].hex, pool, &args, &used, &e) == 0)
			fail_msg("%s: accepted", bad[i].name);
		if (e.hr != E_RPC_BAD_STUB_DATA || strstr(e.msg, bad[i].said) == NULL)
			fail_msg("%s: %08x %s", bad[i].name, e.hr, e.msg);
		pool_free(pool);
	}
}

/* Fixed part first, then the referents in the order of the rows, each with its own behind it; then the next argument. */
static void
referents_wait_for_their_struct(void **state)
{
	static const char hex[] =
	    "0100 0000 00000200 05 00000000000000 1817161514131211 04000200 09000000" /* node, 8-aligned */
	    "02000000 00000000 02000000 4100 0000"                                    /* name */
	    "0a000000 01000000 08000200 01000000 aa"                                  /* leaf, its data */
	    "06";                                                                     /* after */
	struct pool *pool = pool_new(POOL_MAX);
	struct err e = { 0 };
	struct buf want, again;
	struct outer *o;
	size_t used;
	void *args;

	(void)state;
	assert_int_equal(pull_hex(outer, sizeof(struct outer), hex, pool, &args, &used, &e), 0);
	o = args;
	assert_int_equal(o->node.tag, 1);
	assert_string_equal(o->node.name, "A");
	assert_int_equal(o->node.inner.small, 5);
	assert_int_equal(o->node.inner.wide, 0x1112131415161718);
	assert_int_equal(o->node.leaf->n, 10);
	assert_int_equal(o->node.leaf->data.len, 1);
	assert_int_equal(o->node.leaf->data.p[0], 0xaa);
	assert_int_equal(o->node.end, 9);
	assert_int_equal(o->after, 6);
	buf_init(&want, 4096);
	buf_init(&again, 4096);
	assert_int_equal(text_parse_hex(&want, hex, &e), 0);
	assert_int_equal(used, want.len);
	assert_int_equal(ndr_push(outer, o, &again, &e), 0);
	assert_true(bytes_equal(buf_bytes(&want), buf_bytes(&again)));
	buf_fini(&want);
	buf_fini(&again);
	pool_free(pool);
}

/* A chain of n links in `hex` form: the deepest that passes, and one more. */
static int
pull_chain(unsigned n, struct err *e)
{
	struct pool *pool = pool_new(POOL_MAX);
	struct buf in;
	size_t used;
	void *args;
	int ret;

	buf_init(&in, 1 << 20);
	for (unsigned i = 0; i < n; i++) {
		buf_put_u32le(&in, i);
		buf_put_u32le(&in, i + 1 < n ? 0x20000 + i : 0);
	}
	ret = ndr_pull(chain, sizeof(struct chain), buf_bytes(&in), pool, &args, &used, e);
	buf_fini(&in);
	pool_free(pool);
	return ret;
}

static void
nesting_is_bounded(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(pull_chain(NDR_MAX_DEPTH / 2, &e), 0);
	assert_int_equal(pull_chain(NDR_MAX_DEPTH + 2, &e), -1);
	assert_int_equal(e.hr, E_RPC_BAD_STUB_DATA);
	assert_int_equal(pull_chain(100000, &e), -1);
}

/* A ring of full pointers cannot be printed or encoded without end. */
static void
rings_end(void **state)
{
	struct chain ring = { 1, &ring };
	struct err e = { 0 };
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	ndr_print(chain, &ring, &out);
	assert_true(buf_ok(&out));
	assert_non_null(strstr(buf_cstr(&out), "..."));
	buf_reset(&out);
	assert_int_equal(ndr_push(chain, &ring, &out, &e), -1);
	assert_int_equal(e.hr, E_INVALIDARG);
	buf_fini(&out);
}

static void
a_full_pool_is_told_apart(void **state)
{
	static const char hex[] = "03000000 00000200 03000000 010203 00 07000000";
	unsigned refused = 0;
	int ret;

	(void)state;
	/* Each step of the way: the arguments, the deferred referent, the octets. */
	do {
		struct pool *pool = pool_new(16 * refused);
		struct err e = { 0 };
		size_t used;
		void *args;

		ret = pull_hex(blob, sizeof(struct blob), hex, pool, &args, &used, &e);
		if (ret != 0) {
			assert_int_equal(e.hr, E_OUTOFMEMORY);
			refused++;
		}
		pool_free(pool);
	} while (ret != 0);
	assert_in_range(refused, 3, 16);
}

static void
encoder_refuses_what_the_wire_cannot_hold(void **state)
{
	static const struct text long_text = { "ABCDEFGH", 7 }, long_vstr = { "ABCD", 7 }, not_utf8 = { "\xff", 7 };
	static const struct text short_text = { "", 7 };
	static const struct blob no_octets = { { NULL, 5 }, 7 };
	static const struct range low = { 1 };
	static struct leaf leaves[5];
	static const struct list five = { 5, leaves, 7 };
	static const struct varying over = { 0, 1, NULL };
	static const struct refs null_ref = { NULL };
	static const struct sized over_size = { 2, "AB", 7 }, wide_size = { 5, "A", 7 };
	static const struct holder five_at_the_end = { NULL, { 0, 5, leaves } };
	static const struct {
		const char *name;
		const struct ndr_field *fields;
		const void *args;
	} cases[] = {
		{ "text above its range", text, &long_text },
		{ "text below its range", text_range, &short_text },
		{ "text that is not UTF-8", text, &not_utf8 },
		{ "varying text too long", vstr, &long_vstr },
		{ "blob without octets", blob, &no_octets },
		{ "number below its range", range, &low },
		{ "more elements than allowed", list, &five },
		{ "varying array above MaxCount", varying, &over },
		{ "null reference", refs, &null_ref },
		{ "text above its size", sized, &over_size },
		{ "size above what is allowed", sized, &wide_size },
		{ "conformant struct with too many elements", whole, &five_at_the_end },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		struct buf out;

		buf_init(&out, 4096);
		if (ndr_push(cases[i].fields, cases[i].args, &out, &e) == 0)
			fail_msg("%s: encoded", cases[i].name);
		assert_int_equal(e.hr, E_INVALIDARG);
		buf_fini(&out);
	}
}

static void
a_full_buffer_is_told(void **state)
{
	static const uint8_t octets[100];
	struct blob args = { { octets, sizeof(octets) }, 7 };
	struct err e = { 0 };
	struct buf out;

	(void)state;
	for (size_t max = 0; max < 116; max++) {
		buf_init(&out, max);
		assert_int_equal(ndr_push(blob, &args, &out, &e), -1);
		assert_int_equal(e.hr, E_OUTOFMEMORY);
		buf_fini(&out);
	}
	buf_init(&out, 116);
	assert_int_equal(ndr_push(blob, &args, &out, &e), 0);
	buf_fini(&out);
}

static void
many_full_pointers_are_refused(void **state)
{
	/* Every new id is compared with all before it; see MAX_ALIASES. */
	struct links {
		uint32_t n;
		struct refs *all;
	};
	static const struct ndr_field link[] = { F_PTR(struct refs, leaf, NDR_FULL, struct leaf, leaf), F_END };
	static const struct ndr_field links[] = {
		F_U32(struct links, n),
		F_ARRAY(struct links, n, all, NDR_UNIQUE, struct refs, link, 100000),
		F_END,
	};
	struct pool *pool = pool_new(1 << 22);
	struct err e = { 0 };
	struct buf in;
	size_t used;
	void *args;

	(void)state;
	buf_init(&in, 1 << 20);
	buf_put_u32le(&in, 1025);
	buf_put_u32le(&in, 1);
	buf_put_u32le(&in, 1025);
	for (uint32_t i = 0; i < 1025; i++)
		buf_put_u32le(&in, i + 2);
	buf_put_zero(&in, 1025 * 12);
	assert_int_equal(ndr_pull(links, sizeof(struct links), buf_bytes(&in), pool, &args, &used, &e), -1);
	assert_non_null(strstr(e.msg, "more than 1024 full pointers"));
	buf_fini(&in);
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),
		cmocka_unit_test(refuses),
		cmocka_unit_test(referents_wait_for_their_struct),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(rings_end),
		cmocka_unit_test(a_full_pool_is_told_apart),
		cmocka_unit_test(encoder_refuses_what_the_wire_cannot_hold),
		cmocka_unit_test(a_full_buffer_is_told),
		cmocka_unit_test(many_full_pointers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
