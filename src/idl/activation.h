/*
 * Activation: IActivation and IRemoteSCMActivator (MS-DCOM 3.1.2.5.2), and the activation properties that the
 * latter carries in custom object references (MS-DCOM 2.2.22).
 */
#ifndef ADCSD_IDL_ACTIVATION_H
#define ADCSD_IDL_ACTIVATION_H

#include "idl/orpc.h"

/* Version 0.0 */
#define IACTIVATION_UUID                                                                                     \
	{                                                                                                    \
		0x4d9f4ab8, 0x7d1c, 0x11cf,                                                                  \
		{                                                                                            \
			0x86, 0x1e, 0x00, 0x20, 0xaf, 0x6e, 0x7c, 0x57                                       \
		}                                                                                            \
	}
/* Version 0.0 */
#define IREMOTESCMACTIVATOR_UUID ORPC_GUID(0x000001a0)

enum {
	/* Ours; MAX_REQUESTED_INTERFACES and MAX_REQUESTED_PROTSEQS are 0x8000 (MS-DCOM 2.2.28.1). */
	ACTIVATION_IIDS_MAX = 256,
	ACTIVATION_PROTSEQS_MAX = 256,
	MAX_ACTPROP_LIMIT = 10,
};

/* ---- properties ---- */

/* What the client asks for: InstantiationInfoData and ScmRequestInfoData (MS-DCOM 2.2.22.2.1, 2.2.22.2.4).
 * The other properties say nothing that this server, or one for our client, acts upon. */
struct activation_request {
	struct guid clsid;
	uint32_t class_context, flags; /* ACTVFLAGS_* */
	uint32_t n_iids;
	struct orpc_iid *iids;
	struct com_version client_version;
	uint32_t impersonation_level;
	uint32_t n_protseqs;
	struct orpc_protseq *protseqs;
};

/* PropsOutInfo and ScmReplyInfoData (MS-DCOM 2.2.22.2.9, 2.2.22.2.8). */
struct activation_result {
	uint32_t n;
	struct orpc_iid *iids;
	struct orpc_hresult *results;
	struct orpc_pointer *pointers; /* NULL where the result is a failure */
	uint64_t oxid;
	struct bytes *bindings; /* of the exporter, DUALSTRINGARRAY */
	struct guid rem_unknown;
	uint32_t authn_hint;
	struct com_version version;
};

/* objref: the OBJREF_CUSTOM. What is decoded lives in the pool. Fail with RPC_E_INVALID_OBJREF for what is no
 * such reference, E_INVALIDARG for properties that are damaged or missing. */
int
activation_request_decode(
    struct bytes objref, struct pool *pool, struct activation_request *out, struct err *e) MUST_CHECK;
int
activation_result_decode(
    struct bytes objref, struct pool *pool, struct activation_result *out, struct err *e) MUST_CHECK;
/* Append the OBJREF_CUSTOM. A request has InstantiationInfo, ActivationContextInfo, ServerLocationInfo and
 * ScmRequestInfo; a result PropsOutInfo, then ScmReplyInfo: impacket takes them by their places. */
int
activation_request_encode(const struct activation_request *r, struct buf *out, struct err *e) MUST_CHECK;
int
activation_result_encode(const struct activation_result *r, struct buf *out, struct err *e) MUST_CHECK;

/* ---- methods ---- */

/* RemoteActivation, opnum 0 of IActivation (MS-DCOM 3.1.2.5.2.3.1) */
#define MODE_GET_CLASS_OBJECT 0xffffffffu
struct activation_remote_in {
	struct orpcthis orpcthis;
	struct guid clsid;
	const char *object_name;
	struct bytes *object_storage;
	uint32_t impersonation_level, mode;
	uint32_t n_iids;
	struct orpc_iid *iids;
	uint32_t n_protseqs;
	struct orpc_protseq *protseqs;
};
struct activation_remote_out {
	struct orpcthat orpcthat;
	uint64_t oxid;
	struct bytes *bindings;
	struct guid rem_unknown;
	uint32_t authn_hint;
	struct com_version version;
	uint32_t hr;
	uint32_t n;
	struct orpc_pointer *pointers; /* n of them, as of results */
	struct orpc_hresult *results;
	uint32_t status; /* the return value, Win32 */
};
extern const struct ndr_field activation_remote_in[], activation_remote_out[];

/* RemoteGetClassObject, opnum 3 of IRemoteSCMActivator; RemoteCreateInstance, opnum 4, has pUnkOuter before
 * the properties (MS-DCOM 3.1.2.5.2.3.2, 3.1.2.5.2.3.3). */
struct activation_class_in {
	struct orpcthis orpcthis;
	struct bytes *properties;
};
struct activation_create_in {
	struct orpcthis orpcthis;
	struct bytes *outer;
	struct bytes *properties;
};
struct activation_properties_out {
	struct orpcthat orpcthat;
	struct bytes *properties;
	uint32_t hr;
};
extern const struct ndr_field activation_class_in[], activation_create_in[], activation_properties_out[];

#endif
