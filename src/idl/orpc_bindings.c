/* DUALSTRINGARRAY (MS-DCOM 2.2.19): string bindings, then security bindings, each list and each text ended by
 * a zero unit. */
#include <string.h>

#include "base/text.h"
#include "idl/orpc.h"

#define HEADER_LEN 4 /* wNumEntries, wSecurityOffset */

static int
put_text(struct buf *out, const char *text, struct err *e)
{
	if (text_utf8_to_utf16le(out, text, strlen(text), e) != 0)
		return -1;
	buf_put_u16le(out, 0);
	return 0;
}

int
orpc_bindings_encode(const struct orpc_bindings *b, struct buf *out, struct err *e)
{
	size_t start = out->len, security, units;

	buf_put_zero(out, HEADER_LEN);
	for (unsigned i = 0; i < b->n_strings; i++) {
		buf_put_u16le(out, b->strings[i].tower);
		if (put_text(out, b->strings[i].address, e) != 0)
			return -1;
	}
	/* An empty list is its end alone, a second zero unit as every list of strings: 4, 2, 0, 0, 0, 0. */
	buf_put_zero(out, b->n_strings == 0 ? 4 : 2);
	security = (out->len - start - HEADER_LEN) / 2;
	for (unsigned i = 0; i < b->n_securities; i++) {
		buf_put_u16le(out, b->securities[i].authn_svc);
		buf_put_u16le(out, 0xffff);
		if (put_text(out, b->securities[i].principal, e) != 0)
			return -1;
	}
	buf_put_zero(out, b->n_securities == 0 ? 4 : 2);
	if (!buf_ok(out))
		return ERR(e, E_OUTOFMEMORY, "no memory for bindings");
	units = (out->len - start - HEADER_LEN) / 2;
	if (units > UINT16_MAX)
		return ERR(e, E_INVALIDARG, "bindings of %zu units", units);
	set_u16le(out->p + start, (uint16_t)units);
	set_u16le(out->p + start + 2, (uint16_t)security);
	return 0;
}

/* The text at *off, which must end before `end`; both count octets. */
static int
take_text(const uint8_t *p, size_t end, size_t *off, struct pool *pool, const char **out, struct err *e)
{
	size_t n = 0;

	while (n + 2 <= end - *off && get_u16le(p + *off + n) != 0)
		n += 2;
	if (n + 2 > end - *off)
		return ERR(e, RPC_E_INVALID_OBJREF, "text of a binding has no end");
	*out = text_from_utf16le(pool, (struct bytes){ p + *off, n }, e);
	if (*out == NULL)
		return -1;
	*off += n + 2;
	return 0;
}

/* A unit of the list in p[*off..end), or 0 at its end. */
static uint16_t
take_unit(const uint8_t *p, size_t end, size_t *off)
{
	uint16_t v = end - *off >= 2 ? get_u16le(p + *off) : 0;

	if (v != 0)
		*off += 2;
	return v;
}

int
orpc_bindings_decode(
    struct bytes in, struct pool *pool, struct orpc_bindings *out, size_t *used, struct err *e)
{
	size_t units, security, off = 0;
	const uint8_t *p;
	uint16_t id;

	if (in.len < HEADER_LEN)
		return ERR(e, RPC_E_INVALID_OBJREF, "DUALSTRINGARRAY of %zu octets", in.len);
	units = 2 * (size_t)get_u16le(in.p);
	security = 2 * (size_t)get_u16le(in.p + 2);
	if (units > in.len - HEADER_LEN || security > units)
		return ERR(e, RPC_E_INVALID_OBJREF, "DUALSTRINGARRAY: %zu octets, security at %zu, %zu there",
		    units, security, in.len - HEADER_LEN);
	p = in.p + HEADER_LEN;
	out->n_strings = out->n_securities = 0;
	while ((id = take_unit(p, security, &off)) != 0) {
		struct orpc_string_binding *s = &out->strings[out->n_strings];

		if (out->n_strings == ORPC_BINDINGS_MAX)
			return ERR(
			    e, RPC_E_INVALID_OBJREF, "more than %d string bindings", ORPC_BINDINGS_MAX);
		s->tower = id;
		if (take_text(p, security, &off, pool, &s->address, e) != 0)
			return -1;
		out->n_strings++;
	}
	off = security;
	while ((id = take_unit(p, units, &off)) != 0) {
		struct orpc_security_binding *s = &out->securities[out->n_securities];

		if (out->n_securities == ORPC_BINDINGS_MAX || units - off < 2)
			return ERR(e, RPC_E_INVALID_OBJREF, "security binding %u", out->n_securities);
		off += 2; /* Reserved */
		s->authn_svc = id;
		if (take_text(p, units, &off, pool, &s->principal, e) != 0)
			return -1;
		out->n_securities++;
	}
	*used = HEADER_LEN + units;
	return 0;
}

/* ---- as a parameter: MaxCount before the struct ---- */

static int
array_pull(struct ndr_in *in, void *host, struct err *e)
{
	struct bytes octets;
	uint32_t max;
	size_t at;
	uint16_t entries, security;

	if (ndr_in_u32(in, &max, e) != 0)
		return -1;
	at = in->off;
	if (ndr_in_u16(in, &entries, e) != 0 || ndr_in_u16(in, &security, e) != 0)
		return -1;
	if (max != entries || security > entries)
		return ERR(e, E_RPC_BAD_STUB_DATA, "MaxCount %u, wNumEntries %u, wSecurityOffset %u", max,
		    entries, security);
	if (ndr_in_octets(in, 2 * (size_t)entries, &octets, e) != 0)
		return -1;
	if (pool_dup_bytes(in->pool, (struct bytes){ in->p + at, HEADER_LEN + octets.len }, host) != 0)
		return ERR(e, E_OUTOFMEMORY, "no memory for bindings");
	return 0;
}

static int
array_push(struct ndr_out *out, const void *host, struct err *e)
{
	const struct bytes *b = host;

	if (b->len < HEADER_LEN || b->len != HEADER_LEN + 2 * (size_t)get_u16le(b->p))
		return ERR(e, E_INVALIDARG, "DUALSTRINGARRAY of %zu octets", b->len);
	ndr_out_u32(out, get_u16le(b->p));
	ndr_out_octets(out, *b);
	return 0;
}

static void
array_print(const void *host, struct buf *out)
{
	struct pool *pool = pool_new(1 << 20);
	struct orpc_bindings b;
	size_t used;

	if (pool == NULL || orpc_bindings_decode(*(const struct bytes *)host, pool, &b, &used, NULL) != 0) {
		buf_put_str(out, "not a DUALSTRINGARRAY");
		pool_free(pool);
		return;
	}
	for (unsigned i = 0; i < b.n_strings; i++)
		buf_printf(out, "%s%u:%s", i > 0 ? " " : "", b.strings[i].tower, b.strings[i].address);
	buf_put_str(out, " |");
	for (unsigned i = 0; i < b.n_securities; i++)
		buf_printf(out, " %u:%s", b.securities[i].authn_svc, b.securities[i].principal);
	pool_free(pool);
}

const struct ndr_custom orpc_dual_string_array = { 4, 8, array_pull, array_push, array_print };
