#include "idl/oaut_variant.h"

#include <string.h>

#include "base/text.h"
#include "ndr/cursor.h"

#define USER_MARSHAL_MARK 0x72657355u /* "User": any number but 0 does */

/* MS-OAUT 2.2.8, 2.2.9 */
enum { SF_BSTR = 8, SF_I1 = 0x10, FADF_HAVEVARTYPE = 0x80, FADF_BSTR = 0x100 };

/* ---- FLAGGED_WORD_BLOB (MS-OAUT 2.2.23.1) ---- */

static int
pull_bstr(struct ndr_in *in, const char **out, struct err *e)
{
	uint32_t max, octets, units;
	struct bytes text;

	if (ndr_in_u32(in, &max, e) != 0 || ndr_in_u32(in, &octets, e) != 0 || ndr_in_u32(in, &units, e) != 0)
		return -1;
	if (units != max)
		return ERR(e, E_RPC_BAD_STUB_DATA, "BSTR of %u units, MaxCount %u", units, max);
	if (units > ndr_in_left(in) / 2)
		return ERR(
		    e, E_RPC_BAD_STUB_DATA, "BSTR of %u units, %zu octets left", units, ndr_in_left(in));
	if (ndr_in_octets(in, 2 * (size_t)units, &text, e) != 0)
		return -1;
	/* A NUL is no part of a BSTR; some senders count it all the same. */
	if (text.len >= 2 && get_u16le(text.p + text.len - 2) == 0)
		text.len -= 2;
	*out = text_from_utf16le(in->pool, text, e);
	if (*out == NULL && e != NULL && e->hr == E_INVALIDARG)
		e->hr = E_RPC_BAD_STUB_DATA;
	return *out != NULL ? 0 : err_prefix(e, "BSTR");
}

static int
push_bstr(struct ndr_out *out, const char *text, struct err *e)
{
	size_t at, octets;

	ndr_out_align(out, 4);
	at = out->b->len;
	buf_put_zero(out->b, 12); /* MaxCount, cBytes, clSize; known afterwards */
	if (text_utf8_to_utf16le(out->b, text, strlen(text), e) != 0)
		return -1;
	if (!buf_ok(out->b))
		return 0; /* ndr_push tells */
	octets = out->b->len - at - 12;
	set_u32le(out->b->p + at, (uint32_t)(octets / 2));
	set_u32le(out->b->p + at + 4, (uint32_t)octets);
	set_u32le(out->b->p + at + 8, (uint32_t)(octets / 2));
	return 0;
}

/* ---- safe arrays (MS-OAUT 2.2.30.10) ---- */

static int
pull_strings(struct ndr_in *in, uint32_t n, struct oaut_variant *v, struct err *e)
{
	uint32_t *ids;

	if (n > OAUT_STRINGS_MAX || n > ndr_in_left(in) / 4)
		return ERR(e, E_RPC_BAD_STUB_DATA, "%u strings, %zu octets left", n, ndr_in_left(in));
	ids = ndr_in_alloc(in, n, sizeof(*ids), e);
	v->strings = ndr_in_alloc(in, n, sizeof(*v->strings), e);
	if (ids == NULL || v->strings == NULL)
		return -1;
	for (uint32_t i = 0; i < n; i++)
		if (ndr_in_u32(in, &ids[i], e) != 0)
			return -1;
	for (uint32_t i = 0; i < n; i++) {
		v->strings[i] = "";
		if (ids[i] != 0 && pull_bstr(in, &v->strings[i], e) != 0)
			return -1;
	}
	v->n_strings = n;
	return 0;
}

static int
pull_array(struct ndr_in *in, struct oaut_variant *v, struct err *e)
{
	bool strings = v->vt == (VT_ARRAY | VT_BSTR);
	uint32_t outer, inner, max_dims, element, locks, sf, n, data, bound, lower, max;
	uint16_t dims, features;
	struct bytes octets;

	if (ndr_in_u32(in, &outer, e) != 0)
		return -1;
	if (outer == 0)
		return 0;
	if (ndr_in_u32(in, &inner, e) != 0)
		return -1;
	if (inner == 0)
		return 0;
	if (ndr_in_u32(in, &max_dims, e) != 0 || ndr_in_u16(in, &dims, e) != 0 ||
	    ndr_in_u16(in, &features, e) != 0 || ndr_in_u32(in, &element, e) != 0 ||
	    ndr_in_u32(in, &locks, e) != 0 || ndr_in_u32(in, &sf, e) != 0 || ndr_in_u32(in, &n, e) != 0 ||
	    ndr_in_u32(in, &data, e) != 0)
		return -1;
	if (dims != 1 || max_dims != 1)
		return ERR(e, E_RPC_BAD_STUB_DATA, "safe array of %u dimensions, a CA knows only one", dims);
	if (sf != (strings ? SF_BSTR : SF_I1))
		return ERR(
		    e, E_RPC_BAD_STUB_DATA, "safe array of kind %u in a VARIANT of type 0x%x", sf, v->vt);
	if (ndr_in_u32(in, &bound, e) != 0 || ndr_in_u32(in, &lower, e) != 0)
		return -1;
	if (data == 0 && n == 0 && bound == 0)
		return 0;
	if (data == 0 || ndr_in_u32(in, &max, e) != 0)
		return data != 0 ? -1
				 : ERR(e, E_RPC_BAD_STUB_DATA, "safe array of %u elements without data", n);
	if (max != n || bound != n)
		return ERR(e, E_RPC_BAD_STUB_DATA, "safe array of %u elements, bound %u, MaxCount %u", n,
		    bound, max);
	if (strings)
		return pull_strings(in, n, v, e);
	if (ndr_in_octets(in, n, &octets, e) != 0)
		return -1;
	if (pool_dup_bytes(in->pool, octets, &v->octets) != 0)
		return ERR(e, E_OUTOFMEMORY, "no memory for %u octets", n);
	return 0;
}

static int
push_array(struct ndr_out *out, const struct oaut_variant *v, struct err *e)
{
	bool strings = v->vt == (VT_ARRAY | VT_BSTR);
	uint32_t n = strings ? v->n_strings : (uint32_t)v->octets.len;

	ndr_out_pointer(out, true);
	ndr_out_pointer(out, true);
	ndr_out_u32(out, 1);
	ndr_out_u16(out, 1);
	ndr_out_u16(out, FADF_HAVEVARTYPE | (strings ? FADF_BSTR : 0));
	ndr_out_u32(out, strings ? 4 : 1);
	ndr_out_u32(out, (uint32_t)(v->vt & ~VT_ARRAY) << 16);
	ndr_out_u32(out, strings ? SF_BSTR : SF_I1);
	ndr_out_u32(out, n);
	ndr_out_pointer(out, true);
	ndr_out_u32(out, n);
	ndr_out_u32(out, 0);
	ndr_out_u32(out, n);
	if (!strings) {
		ndr_out_octets(out, v->octets);
		return 0;
	}
	for (uint32_t i = 0; i < n; i++)
		ndr_out_pointer(out, true);
	for (uint32_t i = 0; i < n; i++)
		if (push_bstr(out, v->strings[i], e) != 0)
			return -1;
	return 0;
}

/* ---- VARIANT ---- */

static int
pull_arm(struct ndr_in *in, struct oaut_variant *v, struct err *e)
{
	uint32_t id;

	switch (v->vt) {
	case VT_EMPTY:
	case VT_NULL:
		return 0;
	case VT_I4:
	case VT_UI4:
	case VT_INT:
	case VT_UINT:
		return ndr_in_u32(in, &v->n, e);
	case VT_BSTR:
		if (ndr_in_u32(in, &id, e) != 0)
			return -1;
		return id == 0 ? 0 : pull_bstr(in, &v->text, e);
	case VT_ARRAY | VT_BSTR:
	case VT_ARRAY | VT_UI1:
		return pull_array(in, v, e);
	}
	return ERR(e, E_RPC_BAD_STUB_DATA, "VARIANT of type 0x%x, no configuration entry has it", v->vt);
}

static int
variant_pull(struct ndr_in *in, void *host, struct err *e)
{
	struct oaut_variant *v = host;
	uint32_t present, quads, reserved, arm;
	uint16_t vt, spare;

	if (ndr_in_u32(in, &present, e) != 0)
		return -1;
	if (present == 0)
		return 0; /* zeroed: VT_EMPTY */
	ndr_in_align(in, 8);
	if (ndr_in_u32(in, &quads, e) != 0 || ndr_in_u32(in, &reserved, e) != 0 ||
	    ndr_in_u16(in, &vt, e) != 0)
		return -1;
	for (int i = 0; i < 3; i++)
		if (ndr_in_u16(in, &spare, e) != 0)
			return -1;
	if (ndr_in_u32(in, &arm, e) != 0)
		return -1;
	/* Seen: the arm of an array is told as VT_ARRAY or as the whole type. */
	if (arm != vt && !((vt & VT_ARRAY) != 0 && arm == VT_ARRAY))
		return ERR(e, E_RPC_BAD_STUB_DATA, "VARIANT of type 0x%x with arm 0x%x", vt, arm);
	v->vt = vt;
	return pull_arm(in, v, e);
}

static int
push_arm(struct ndr_out *out, const struct oaut_variant *v, struct err *e)
{
	switch (v->vt) {
	case VT_EMPTY:
	case VT_NULL:
		return 0;
	case VT_I4:
	case VT_UI4:
	case VT_INT:
	case VT_UINT:
		ndr_out_u32(out, v->n);
		return 0;
	case VT_BSTR:
		ndr_out_pointer(out, v->text != NULL);
		return v->text == NULL ? 0 : push_bstr(out, v->text, e);
	case VT_ARRAY | VT_BSTR:
	case VT_ARRAY | VT_UI1:
		return push_array(out, v, e);
	}
	return ERR(e, E_INVALIDARG, "VARIANT of type 0x%x", v->vt);
}

static int
variant_push(struct ndr_out *out, const void *host, struct err *e)
{
	const struct oaut_variant *v = host;
	size_t at;

	ndr_out_u32(out, USER_MARSHAL_MARK);
	ndr_out_align(out, 8);
	at = out->b->len;
	ndr_out_u32(out, 0); /* clSize, known afterwards */
	ndr_out_u32(out, 0);
	ndr_out_u16(out, (uint16_t)v->vt);
	for (int i = 0; i < 3; i++)
		ndr_out_u16(out, 0);
	ndr_out_u32(out, (v->vt & VT_ARRAY) != 0 ? VT_ARRAY : v->vt);
	if (push_arm(out, v, e) != 0)
		return -1;
	if (buf_ok(out->b))
		set_u32le(out->b->p + at, (uint32_t)((out->b->len - at + 7) / 8));
	return 0;
}

static void
variant_print(const void *host, struct buf *out)
{
	const struct oaut_variant *v = host;

	switch (v->vt) {
	case VT_EMPTY:
		buf_put_str(out, "VT_EMPTY");
		break;
	case VT_BSTR:
		buf_put_str(out, "VT_BSTR ");
		if (v->text != NULL)
			ndr_print_text(v->text, out);
		else
			buf_put_str(out, "NULL");
		break;
	case VT_ARRAY | VT_BSTR:
		buf_printf(out, "VT_ARRAY|VT_BSTR %u", v->n_strings);
		for (uint32_t i = 0; i < v->n_strings; i++) {
			buf_put_u8(out, ' ');
			ndr_print_text(v->strings[i], out);
		}
		break;
	case VT_ARRAY | VT_UI1:
		buf_put_str(out, "VT_ARRAY|VT_UI1 ");
		ndr_print_octets(v->octets, out);
		break;
	case VT_I4:
		buf_printf(out, "VT_I4 %u (0x%x)", v->n, v->n);
		break;
	default:
		buf_printf(out, "type %u: %u (0x%x)", v->vt, v->n, v->n);
		break;
	}
}

const struct ndr_custom oaut_variant_wire = { 4, 4, variant_pull, variant_push, variant_print };
