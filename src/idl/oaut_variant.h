/*
 * VARIANT as a parameter (MS-OAUT 2.2.29.2), the types a CA's configuration has. On the wire it is a pointer
 * of its own to a struct aligned to 8 whose arm may be a BSTR or a safe array of one dimension.
 */
#ifndef ADCSD_IDL_OAUT_VARIANT_H
#define ADCSD_IDL_OAUT_VARIANT_H

#include "ndr/ndr.h"

/* MS-OAUT 2.2.7 */
enum {
	VT_EMPTY = 0,
	VT_NULL = 1,
	VT_I4 = 3,
	VT_BSTR = 8,
	VT_UI1 = 17,
	VT_UI4 = 19,
	VT_INT = 22,
	VT_UINT = 23,
	VT_ARRAY = 0x2000,
};

#define OAUT_STRINGS_MAX 65536 /* Ours: most elements of VT_ARRAY | VT_BSTR */

/* Which member counts depends on vt. A null VARIANT pointer decodes as VT_EMPTY. */
struct oaut_variant {
	uint32_t vt; /* one of the above, VT_ARRAY | VT_BSTR or VT_ARRAY | VT_UI1; others are bad stub data */
	uint32_t n;  /* VT_I4, VT_UI4, VT_INT, VT_UINT */
	const char *text;     /* VT_BSTR, UTF-8; NULL: a null BSTR */
	const char **strings; /* VT_ARRAY | VT_BSTR, n_strings of them, none NULL */
	uint32_t n_strings;
	struct bytes octets; /* VT_ARRAY | VT_UI1 */
};

extern const struct ndr_custom oaut_variant_wire;
#define F_VARIANT(S, m) F_CUSTOM(S, m, struct oaut_variant, &oaut_variant_wire)

#endif
