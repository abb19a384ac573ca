/*
 * Bounded cursors over NDR20 octets, little-endian, for the table engine and for the functions of CUSTOM
 * rows. Alignment counts from where the stub begins (C706 14.2.2).
 */
#ifndef ADCSD_NDR_CURSOR_H
#define ADCSD_NDR_CURSOR_H

#include "base/buf.h"
#include "base/guid.h"
#include "base/pool.h"

/* ---- reading ---- */

struct ndr_deferred;
struct ndr_alias;

struct ndr_in {
	const uint8_t *p;
	size_t len, off; /* off never passes len */
	struct pool *pool;
	unsigned depth;                     /* structs and referents we are inside of */
	struct ndr_deferred *first, **last; /* referents to be read when the construct ends */
	struct ndr_alias *aliases;          /* full pointers seen */
	unsigned n_aliases;
};

void
ndr_in_init(struct ndr_in *in, struct bytes b, struct pool *pool);
static inline size_t
ndr_in_left(const struct ndr_in *in)
{
	return in->len - in->off;
}
/* Skips to a multiple of n, or to the end: padding that nothing follows may be missing. */
void
ndr_in_align(struct ndr_in *in, size_t n);
/* All of these align first and fail with E_RPC_BAD_STUB_DATA when octets are missing. */
int
ndr_in_u8(struct ndr_in *in, uint8_t *v, struct err *e) MUST_CHECK;
int
ndr_in_u16(struct ndr_in *in, uint16_t *v, struct err *e) MUST_CHECK;
int
ndr_in_u32(struct ndr_in *in, uint32_t *v, struct err *e) MUST_CHECK;
int
ndr_in_hyper(struct ndr_in *in, uint64_t *v, struct err *e) MUST_CHECK;
int
ndr_in_guid(struct ndr_in *in, struct guid *v, struct err *e) MUST_CHECK;
/* n octets as they stand, lent. */
int
ndr_in_octets(struct ndr_in *in, size_t n, struct bytes *v, struct err *e) MUST_CHECK;
/* Zeroed memory for n elements of size octets in the pool; NULL with E_OUTOFMEMORY. */
void *
ndr_in_alloc(struct ndr_in *in, size_t n, size_t size, struct err *e) MUST_CHECK;

/* ---- writing; errors are the buffer's ---- */

struct ndr_out {
	struct buf *b;
	size_t start; /* of the stub in the buffer */
	unsigned depth;
	uint32_t referent; /* next referent id */
};

void
ndr_out_init(struct ndr_out *out, struct buf *b);
void
ndr_out_align(struct ndr_out *out, size_t n);
void
ndr_out_u8(struct ndr_out *out, uint8_t v);
void
ndr_out_u16(struct ndr_out *out, uint16_t v);
void
ndr_out_u32(struct ndr_out *out, uint32_t v);
void
ndr_out_hyper(struct ndr_out *out, uint64_t v);
void
ndr_out_guid(struct ndr_out *out, const struct guid *v);
void
ndr_out_octets(struct ndr_out *out, struct bytes v);
/* A fresh referent id, or 0 for a null pointer. */
void
ndr_out_pointer(struct ndr_out *out, bool present);

#endif
