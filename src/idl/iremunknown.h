/* IRemUnknown and IRemUnknown2 (MS-DCOM 3.1.1.5.6, 3.1.1.5.7), and IClassFactory as class objects have it.
 * ORPC: the tables say only what stands behind ORPCTHIS and ORPCTHAT. */
#ifndef ADCSD_IDL_IREMUNKNOWN_H
#define ADCSD_IDL_IREMUNKNOWN_H

#include "idl/orpc.h"

#define IREMUNKNOWN_UUID ORPC_GUID(0x00000131)
#define IREMUNKNOWN2_UUID ORPC_GUID(0x00000143)

enum {
	REM_IIDS_MAX = 256, /* Ours */
	REM_REFS_MAX = 4096,
};

/* RemQueryInterface, opnum 3 */
struct rem_query_in {
	struct guid ripid;
	uint32_t refs;
	uint32_t n_iids;
	struct orpc_iid *iids;
};
struct rem_query_result { /* REMQIRESULT, MS-DCOM 2.2.24 */
	uint32_t hr;
	struct orpc_stdobjref std;
};
struct rem_query_out {
	uint32_t n;
	struct rem_query_result *results; /* NULL: the call failed */
	uint32_t result;
};
extern const struct ndr_field rem_query_in[], rem_query_out[];

/* RemAddRef, opnum 4; RemRelease, opnum 5 */
struct rem_ref { /* REMINTERFACEREF, MS-DCOM 2.2.23 */
	struct guid ipid;
	uint32_t public_refs, private_refs;
};
struct rem_refs_in {
	uint32_t n;
	struct rem_ref *refs;
};
struct rem_add_out {
	uint32_t n;
	struct orpc_hresult *results;
	uint32_t result;
};
struct rem_result_out {
	uint32_t result;
};
extern const struct ndr_field rem_refs_in[], rem_add_out[], rem_result_out[];

/* RemQueryInterface2, opnum 6 of IRemUnknown2 */
struct rem_query2_in {
	struct guid ripid;
	uint32_t n_iids;
	struct orpc_iid *iids;
};
struct rem_query2_out {
	uint32_t n;
	struct orpc_hresult *results;
	struct orpc_pointer *pointers;
	uint32_t result;
};
extern const struct ndr_field rem_query2_in[], rem_query2_out[];

/* IClassFactory: CreateInstance, opnum 3, without the outer unknown, which no wire carries; LockServer,
 * opnum 4. */
struct class_create_in {
	struct guid iid;
};
struct class_create_out {
	struct bytes *object;
	uint32_t result;
};
struct class_lock_in {
	uint32_t lock;
};
extern const struct ndr_field class_create_in[], class_create_out[], class_lock_in[];

#endif
