/*
 * Table-driven NDR20 (C706 chapter 14, MS-RPCE 2.2.4): one description decodes, encodes, prints and fuzzes.
 * Little-endian only. A count is checked against the bytes left before anything is allocated; nesting is bounded.
 */
#ifndef ADCSD_NDR_NDR_H
#define ADCSD_NDR_NDR_H

#include <stddef.h>

#include "base/buf.h"
#include "base/guid.h"
#include "base/pool.h"

#define NDR_MAX_DEPTH 16

/*
 * Host types behind the fields:
 *   U8 U16 U32 U64  uint8_t .. uint64_t;  HYPER 8-aligned.   GUID  struct guid.
 *   WSTR            char * (UTF-8), NULL when the unique pointer was null ([in,out,unique,string] wchar_t)
 *   BLOB            struct bytes: MS-WCCE 2.2.2.2 CERTTRANSBLOB {cb, unique pb}
 *   BYTES           fixed-size uint8_t[n]
 *   STRUCT          an embedded struct with its own table
 *   PTR             pointer to a struct with its own table; ref, unique or full
 *   ARRAY           conformant or conformant-varying array of structs: {count field, pointer field}
 *   CUSTOM          three functions: pull, push, print (towers, later VARIANT and OBJREF)
 */
struct ndr_field;

/* Decodes a whole parameter list. *out: the argument struct (`size` octets, zeroed) in the pool. Bytes after the last
 * parameter are allowed; *used tells where the arguments ended (verification trailer follows there). Failures carry
 * E_RPC_BAD_STUB_DATA and the field's name. */
int
ndr_pull(const struct ndr_field *fields, size_t size, struct bytes in, struct pool *pool, void **out, size_t *used,
    struct err *e) MUST_CHECK;
/* Encodes a parameter list, alignment counted from the buffer's length at entry. */
int
ndr_push(const struct ndr_field *fields, const void *args, struct buf *out, struct err *e) MUST_CHECK;
/* The printer behind --trace=ndr: one "name: value" per line, indented. */
void
ndr_print(const struct ndr_field *fields, const void *args, struct buf *out);

#endif
