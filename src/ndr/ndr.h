/*
 * Table-driven NDR20 (C706 chapter 14, MS-RPCE 2.2.4): one description decodes, encodes, prints and fuzzes.
 * Little-endian only. A count is checked against the bytes left before anything is allocated; nesting is
 * bounded.
 */
#ifndef ADCSD_NDR_NDR_H
#define ADCSD_NDR_NDR_H

#include <stddef.h>

#include "base/buf.h"
#include "base/guid.h"
#include "base/pool.h"

#define NDR_MAX_DEPTH 16

struct ndr_field;

/* Decodes a whole parameter list. *out: the argument struct (`size` octets, zeroed) in the pool. Bytes after
 * the last parameter are allowed; *used tells where the arguments ended (verification trailer follows there).
 * Failures carry E_RPC_BAD_STUB_DATA and the field's name, or E_OUTOFMEMORY when the pool is exhausted.
 * Nothing points into `in` afterwards. */
int
ndr_pull(const struct ndr_field *fields, size_t size, struct bytes in, struct pool *pool, void **out,
    size_t *used, struct err *e) MUST_CHECK;
/* The same behind the first `off` octets, which a header before the parameters took: alignment counts from
 * where `in` begins, and *used counts them in. */
int
ndr_pull_behind(const struct ndr_field *fields, size_t size, struct bytes in, size_t off, struct pool *pool,
    void **out, size_t *used, struct err *e) MUST_CHECK;
/* Encodes a parameter list, alignment counted from the buffer's length at entry. */
int
ndr_push(const struct ndr_field *fields, const void *args, struct buf *out, struct err *e) MUST_CHECK;
/* The printer behind --trace=ndr: one "name: value" per line, indented. */
void
ndr_print(const struct ndr_field *fields, const void *args, struct buf *out);
/* What it makes of a text and of octets, for the print functions of CUSTOM rows: quoted with nothing a
 * terminal would act upon; length and hexadecimal of the first ones. */
void
ndr_print_text(const char *s, struct buf *out);
void
ndr_print_octets(struct bytes b, struct buf *out);

/* ---- describing ---- */

enum ndr_kind {
	NDR_END,
	NDR_U8,
	NDR_U16,
	NDR_U32,
	NDR_STATUS, /* u32 printed as HRESULT: hexadecimal, with its name */
	NDR_HYPER,
	NDR_GUID,
	NDR_WSTR,
	NDR_VSTR,
	NDR_BLOB,
	NDR_BLOB_LAST, /* the same with cb behind pb */
	NDR_BYTES,
	NDR_STRUCT,
	NDR_ARRAY,
	NDR_CUSTOM,
};

/* How the wire reaches the value. The host member is then a pointer too (WSTR and ARRAY are pointers anyway).
 */
enum ndr_pointer {
	NDR_INLINE,
	NDR_REF,    /* top level: as INLINE; embedded: an id that is never 0 */
	NDR_UNIQUE, /* id, 0 for NULL */
	NDR_FULL,   /* id, 0 for NULL; a second pointer with the same id aliases the first one's referent */
};

#define NDR_NO_MEMBER ((size_t)-1)

struct ndr_field {
	const char *name; /* of the host member */
	enum ndr_kind kind;
	enum ndr_pointer pointer;
	size_t offset;     /* of the host member */
	size_t size;       /* host octets of one referent or element; BYTES: how many */
	uint32_t min, max; /* of the number, or of the count (strings: with their NUL) */
	size_t count;      /* ARRAY: offset of the uint32_t element count, an earlier row */
	size_t limit; /* ARRAY, VSTR: offset of the uint32_t MaxCount if it is told, else NDR_NO_MEMBER */
	bool counted; /* ARRAY: only MaxCount tells the count; decoding sets the count's member from it */
	const struct ndr_field *sub; /* STRUCT, ARRAY */
	const struct ndr_custom *custom;
};

struct ndr_in;
struct ndr_out;

/* A thing no table describes: `host` is the member, or the zeroed referent behind a pointer. */
struct ndr_custom {
	size_t align;    /* on the wire: 1, 2, 4 or 8 */
	size_t min_wire; /* least octets on the wire, at least 1 */
	int (*pull)(struct ndr_in *in, void *host, struct err *e);
	int (*push)(struct ndr_out *out, const void *host, struct err *e);
	void (*print)(const void *host, struct buf *out); /* the value, one line without its end */
};

/* Offset of member m of struct S; does not compile unless m has one of the types. */
#define NDR_AT(S, m, T) offsetof(S, m) + 0 * sizeof(char[_Generic(((S *)0)->m, T : 1, default : -1)])
#define NDR_AT_PTR(S, m, T)                                                                                  \
	offsetof(S, m) + 0 * sizeof(char[_Generic(((S *)0)->m, T * : 1, const T * : 1, default : -1)])

/* clang-format off */
#define F_NUMBER(S, m, KIND, T, lo, hi)                                                                    \
	{                                                                                                  \
		.name = #m, .kind = KIND, .offset = NDR_AT(S, m, T), .min = lo, .max = hi                  \
	}
#define F_U8(S, m) F_NUMBER(S, m, NDR_U8, uint8_t, 0, UINT8_MAX)
#define F_U16(S, m) F_NUMBER(S, m, NDR_U16, uint16_t, 0, UINT16_MAX)
#define F_U32(S, m) F_NUMBER(S, m, NDR_U32, uint32_t, 0, UINT32_MAX)
#define F_U32_RANGE(S, m, lo, hi) F_NUMBER(S, m, NDR_U32, uint32_t, lo, hi)
#define F_STATUS(S, m) F_NUMBER(S, m, NDR_STATUS, uint32_t, 0, UINT32_MAX)
#define F_HYPER(S, m) F_NUMBER(S, m, NDR_HYPER, uint64_t, 0, 0)

/* struct guid, or a pointer to one. */
#define F_GUID(S, m)                                                                                       \
	{                                                                                                  \
		.name = #m, .kind = NDR_GUID, .offset = NDR_AT(S, m, struct guid)                          \
	}
#define F_GUID_PTR(S, m, flavour)                                                                          \
	{                                                                                                  \
		.name = #m, .kind = NDR_GUID, .pointer = flavour, .offset = NDR_AT_PTR(S, m, struct guid), \
		.size = sizeof(struct guid)                                                                \
	}

/* const char *, UTF-8: [string, unique] wchar_t *. NULL when the pointer was null; "" when no units came with it. */
#define F_WSTR(S, m, lo, hi)                                                                               \
	{                                                                                                  \
		.name = #m, .kind = NDR_WSTR, .pointer = NDR_UNIQUE, .offset = NDR_AT_PTR(S, m, char),     \
		.min = lo, .max = hi                                                                       \
	}
/* The same behind a ref pointer: as a parameter it has no id. */
#define F_WSTR_REF(S, m, lo, hi)                                                                           \
	{                                                                                                  \
		.name = #m, .kind = NDR_WSTR, .pointer = NDR_REF, .offset = NDR_AT_PTR(S, m, char),        \
		.min = lo, .max = hi                                                                       \
	}
/* const char *, octets as they are: [string] char m[hi], a varying string without a pointer. */
#define F_VSTR(S, m, hi)                                                                                   \
	{                                                                                                  \
		.name = #m, .kind = NDR_VSTR, .offset = NDR_AT_PTR(S, m, char), .max = hi,                 \
		.limit = NDR_NO_MEMBER                                                                     \
	}
/* The same, conformant: [string, size_is(lim)] char m[]. lim is a member, taken from MaxCount when decoding; NULL is no
 * character at all, for a size without room for the NUL. */
#define F_VSTR_SIZED(S, lim, m, hi)                                                                        \
	{                                                                                                  \
		.name = #m, .kind = NDR_VSTR, .offset = NDR_AT_PTR(S, m, char), .max = hi,                 \
		.limit = NDR_AT(S, lim, uint32_t)                                                          \
	}
/* struct bytes: CERTTRANSBLOB {cb, [size_is(cb), unique] pb} of MS-WCCE 2.2.2.2. p NULL: pb was NULL. */
#define F_BLOB(S, m)                                                                                       \
	{                                                                                                  \
		.name = #m, .kind = NDR_BLOB, .offset = NDR_AT(S, m, struct bytes)                         \
	}
/* The same where the size stands behind the pointer: {[size_is(cb), unique] pb, cb}. */
#define F_BLOB_LAST(S, m)                                                                                  \
	{                                                                                                  \
		.name = #m, .kind = NDR_BLOB_LAST, .offset = NDR_AT(S, m, struct bytes)                    \
	}
/* uint8_t m[n] */
#define F_BYTES(S, m)                                                                                      \
	{                                                                                                  \
		.name = #m, .kind = NDR_BYTES, .offset = offsetof(S, m), .size = sizeof(((S *)0)->m)       \
	}

/* A struct T with a table of its own: embedded, or behind a pointer. */
#define F_STRUCT(S, m, T, table)                                                                           \
	{                                                                                                  \
		.name = #m, .kind = NDR_STRUCT, .offset = NDR_AT(S, m, T), .size = sizeof(T), .sub = table \
	}
#define F_PTR(S, m, flavour, T, table)                                                                     \
	{                                                                                                  \
		.name = #m, .kind = NDR_STRUCT, .pointer = flavour, .offset = NDR_AT_PTR(S, m, T),         \
		.size = sizeof(T), .sub = table                                                            \
	}

/* n elements of struct T at m: [size_is(n)] T *m. Inline only as a parameter or as the last row of a struct, whose
 * front its MaxCount then stands before (C706 14.3.7.1); no array holds such structs. */
#define F_ARRAY(S, n, m, flavour, T, table, hi)                                                            \
	{                                                                                                  \
		.name = #m, .kind = NDR_ARRAY, .pointer = flavour, .offset = NDR_AT_PTR(S, m, T),          \
		.size = sizeof(T), .max = hi, .count = NDR_AT(S, n, uint32_t), .limit = NDR_NO_MEMBER,     \
		.sub = table                                                                               \
	}
/* The same where n stands nowhere else on the wire, as in an answer to a call that told it. */
#define F_ARRAY_COUNTED(S, n, m, flavour, T, table, hi)                                                    \
	{                                                                                                  \
		.name = #m, .kind = NDR_ARRAY, .pointer = flavour, .offset = NDR_AT_PTR(S, m, T),          \
		.size = sizeof(T), .max = hi, .count = NDR_AT(S, n, uint32_t), .limit = NDR_NO_MEMBER,     \
		.counted = true, .sub = table                                                              \
	}
/* The same, varying: [size_is(lim), length_is(n)] T m[]. lim is a member, taken from MaxCount when decoding. */
#define F_ARRAY_VARYING(S, lim, n, m, flavour, T, table, hi)                                               \
	{                                                                                                  \
		.name = #m, .kind = NDR_ARRAY, .pointer = flavour, .offset = NDR_AT_PTR(S, m, T),          \
		.size = sizeof(T), .max = hi, .count = NDR_AT(S, n, uint32_t),                             \
		.limit = NDR_AT(S, lim, uint32_t), .sub = table                                            \
	}

#define F_CUSTOM(S, m, T, functions)                                                                       \
	{                                                                                                  \
		.name = #m, .kind = NDR_CUSTOM, .offset = NDR_AT(S, m, T), .size = sizeof(T),              \
		.custom = functions                                                                        \
	}
#define F_CUSTOM_PTR(S, m, flavour, T, functions)                                                          \
	{                                                                                                  \
		.name = #m, .kind = NDR_CUSTOM, .pointer = flavour, .offset = NDR_AT_PTR(S, m, T),         \
		.size = sizeof(T), .custom = functions                                                     \
	}
#define F_END                                                                                              \
	{                                                                                                  \
		.kind = NDR_END                                                                            \
	}
/* clang-format on */

#endif
