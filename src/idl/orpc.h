/*
 * What every DCOM interface is made of (MS-DCOM 2.2): versions, the headers of ORPC calls, interface
 * pointers, string arrays. The tables of methods use the CUSTOM rows below; nothing here knows a connection.
 */
#ifndef ADCSD_IDL_ORPC_H
#define ADCSD_IDL_ORPC_H

#include "ndr/cursor.h"
#include "ndr/ndr.h"

/* xxxxxxxx-0000-0000-c000-000000000046 */
#define ORPC_GUID(n)                                                                                         \
	{                                                                                                    \
		n, 0, 0,                                                                                     \
		{                                                                                            \
			0xc0, 0, 0, 0, 0, 0, 0, 0x46                                                         \
		}                                                                                            \
	}

#define IID_IUNKNOWN ORPC_GUID(0x00000000)
#define IID_ICLASSFACTORY ORPC_GUID(0x00000001)

enum {
	COM_MAJOR_VERSION = 5, /* MS-DCOM 2.2.11 */
	COM_MINOR_VERSION = 7,
};
struct com_version {
	uint16_t major, minor;
};

/* MS-DCOM 2.2.13.3 */
struct orpcthis {
	struct com_version version;
	uint32_t flags;
	struct guid cid;
	uint32_t n_extensions; /* skipped when decoding; none are written */
};
/* MS-DCOM 2.2.13.4 */
struct orpcthat {
	uint32_t flags;
	uint32_t n_extensions;
};
#define ORPC_EXTENSIONS_MAX 64 /* Ours: the IDL sets no bound */

/* A parameter of the activation methods: F_CUSTOM(S, m, struct orpcthis, &orpc_this). */
extern const struct ndr_custom orpc_this, orpc_that;
/* The header of an ORPC call, which stands before its arguments: *used is where they begin (not aligned). */
int
orpc_this_decode(struct bytes stub, struct orpcthis *out, size_t *used, struct err *e) MUST_CHECK;
#define ORPCTHAT_LEN 8
/* ORPCTHAT without extensions. */
void
orpc_that_encode(struct buf *out);

/* MS-DCOM 2.2.14: F_CUSTOM_PTR(S, m, NDR_UNIQUE, struct bytes, &orpc_interface_pointer); the octets of an
 * OBJREF. */
extern const struct ndr_custom orpc_interface_pointer;
/* An unsigned short on the wire that counts an array: the host member is uint32_t. */
extern const struct ndr_custom orpc_count16;

/* Elements of arrays. */
struct orpc_iid {
	struct guid iid;
};
struct orpc_pointer {
	struct bytes *objref; /* NULL: none */
};
struct orpc_hresult {
	uint32_t hr;
};
struct orpc_protseq {
	uint16_t id;
};
extern const struct ndr_field orpc_iid_fields[], orpc_pointer_fields[], orpc_hresult_fields[],
    orpc_protseq_fields[], com_version_fields[];

/* ---- DUALSTRINGARRAY (MS-DCOM 2.2.19) ---- */

enum {
	ORPC_NCACN_IP_TCP = 0x07,
	ORPC_NCACN_NP = 0x0f,
};
#define ORPC_BINDINGS_MAX 64 /* Ours, of each kind */
struct orpc_string_binding {
	uint16_t tower;
	const char *address; /* "127.0.0.1[49152]" */
};
struct orpc_security_binding {
	uint16_t authn_svc;
	const char *principal; /* may be "" */
};
struct orpc_bindings {
	struct orpc_string_binding strings[ORPC_BINDINGS_MAX];
	unsigned n_strings;
	struct orpc_security_binding securities[ORPC_BINDINGS_MAX];
	unsigned n_securities;
};
/* The packet version of MS-DCOM 2.2.19.1. Fails when it has more than 65535 units, or a text is not UTF-8. */
int
orpc_bindings_encode(const struct orpc_bindings *b, struct buf *out, struct err *e) MUST_CHECK;
/* *used: octets taken off the front. Texts are put into the pool. */
int
orpc_bindings_decode(
    struct bytes in, struct pool *pool, struct orpc_bindings *out, size_t *used, struct err *e) MUST_CHECK;
/* The IDL version of MS-DCOM 2.2.19.2, behind its pointer:
 * F_CUSTOM_PTR(S, m, NDR_UNIQUE, struct bytes, &orpc_dual_string_array); host: the packet version's octets.
 */
extern const struct ndr_custom orpc_dual_string_array;

/* ---- OBJREF (MS-DCOM 2.2.18) ---- */

enum {
	OBJREF_STANDARD = 1,
	OBJREF_HANDLER = 2,
	OBJREF_CUSTOM = 4,
	OBJREF_EXTENDED = 8,
};
enum { SORF_NOPING = 0x1000 };

/* MS-DCOM 2.2.18.1 */
struct orpc_stdobjref {
	uint32_t flags, public_refs;
	uint64_t oxid, oid;
	struct guid ipid;
};
extern const struct ndr_field orpc_stdobjref_fields[];

struct orpc_objref {
	uint32_t flags; /* one of OBJREF_* */
	struct guid iid;
	struct guid clsid;         /* HANDLER, CUSTOM */
	struct orpc_stdobjref std; /* all but CUSTOM */
	struct bytes bindings;     /* all but CUSTOM: the resolver's, packet version */
	struct bytes data;         /* CUSTOM */
};
/* STANDARD and CUSTOM. */
void
orpc_objref_encode(const struct orpc_objref *o, struct buf *out);
/* All four kinds; octets are lent from `in`, what follows the reference is ignored. Fails with
 * RPC_E_INVALID_OBJREF. */
int
orpc_objref_decode(struct bytes in, struct orpc_objref *out, struct err *e) MUST_CHECK;

#endif
