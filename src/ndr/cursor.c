#include "ndr/cursor.h"

/* Referent ids may be anything unique and not zero; Windows counts like this. */
#define FIRST_REFERENT 0x00020000u

void
ndr_in_init(struct ndr_in *in, struct bytes b, struct pool *pool)
{
	static const uint8_t nothing[1];

	*in = (struct ndr_in){ .p = b.p != NULL ? b.p : nothing, .len = b.len, .pool = pool };
	in->last = &in->first;
}

void
ndr_in_align(struct ndr_in *in, size_t n)
{
	size_t pad = (n - in->off % n) % n;

	in->off += pad < ndr_in_left(in) ? pad : ndr_in_left(in);
}

/* n octets from the next multiple of `align` on, or NULL. */
static const uint8_t *
take(struct ndr_in *in, size_t align, size_t n, struct err *e)
{
	const uint8_t *at;

	ndr_in_align(in, align);
	if (n > ndr_in_left(in)) {
		ERR(e, E_RPC_BAD_STUB_DATA, "%zu octets needed, %zu left", n, ndr_in_left(in));
		return NULL;
	}
	at = in->p + in->off;
	in->off += n;
	return at;
}

int
ndr_in_u8(struct ndr_in *in, uint8_t *v, struct err *e)
{
	const uint8_t *at = take(in, 1, 1, e);

	if (at == NULL)
		return -1;
	*v = *at;
	return 0;
}

int
ndr_in_u16(struct ndr_in *in, uint16_t *v, struct err *e)
{
	const uint8_t *at = take(in, 2, 2, e);

	if (at == NULL)
		return -1;
	*v = get_u16le(at);
	return 0;
}

int
ndr_in_u32(struct ndr_in *in, uint32_t *v, struct err *e)
{
	const uint8_t *at = take(in, 4, 4, e);

	if (at == NULL)
		return -1;
	*v = get_u32le(at);
	return 0;
}

int
ndr_in_hyper(struct ndr_in *in, uint64_t *v, struct err *e)
{
	const uint8_t *at = take(in, 8, 8, e);

	if (at == NULL)
		return -1;
	*v = get_u64le(at);
	return 0;
}

int
ndr_in_guid(struct ndr_in *in, struct guid *v, struct err *e)
{
	const uint8_t *at = take(in, 4, 16, e);

	if (at == NULL)
		return -1;
	guid_from_wire(v, at);
	return 0;
}

int
ndr_in_octets(struct ndr_in *in, size_t n, struct bytes *v, struct err *e)
{
	const uint8_t *at = take(in, 1, n, e);

	if (at == NULL)
		return -1;
	*v = (struct bytes){ at, n };
	return 0;
}

void *
ndr_in_alloc(struct ndr_in *in, size_t n, size_t size, struct err *e)
{
	void *at = pool_calloc(in->pool, n, size);

	if (at == NULL)
		ERR(e, E_OUTOFMEMORY, "no memory for %zu elements of %zu octets", n, size);
	return at;
}

void
ndr_out_init(struct ndr_out *out, struct buf *b)
{
	*out = (struct ndr_out){ .b = b, .start = b->len, .referent = FIRST_REFERENT };
}

void
ndr_out_align(struct ndr_out *out, size_t n)
{
	buf_put_zero(out->b, (n - (out->b->len - out->start) % n) % n);
}

void
ndr_out_u8(struct ndr_out *out, uint8_t v)
{
	buf_put_u8(out->b, v);
}

void
ndr_out_u16(struct ndr_out *out, uint16_t v)
{
	ndr_out_align(out, 2);
	buf_put_u16le(out->b, v);
}

void
ndr_out_u32(struct ndr_out *out, uint32_t v)
{
	ndr_out_align(out, 4);
	buf_put_u32le(out->b, v);
}

void
ndr_out_hyper(struct ndr_out *out, uint64_t v)
{
	ndr_out_align(out, 8);
	buf_put_u64le(out->b, v);
}

void
ndr_out_guid(struct ndr_out *out, const struct guid *v)
{
	ndr_out_align(out, 4);
	guid_put(out->b, v);
}

void
ndr_out_octets(struct ndr_out *out, struct bytes v)
{
	buf_put_bytes(out->b, v);
}

void
ndr_out_pointer(struct ndr_out *out, bool present)
{
	ndr_out_u32(out, present ? out->referent : 0);
	if (present)
		out->referent += 4;
}
