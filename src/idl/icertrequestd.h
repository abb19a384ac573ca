/*
 * ICertRequestD and ICertRequestD2 (MS-WCCE 3.2.1.4): enrollment over DCOM. Each table describes what stands
 * behind ORPCTHIS or ORPCTHAT; the HRESULT comes last in every answer. ICertRequestD2 inherits opnums 3 to 5.
 */
#ifndef ADCSD_IDL_ICERTREQUESTD_H
#define ADCSD_IDL_ICERTREQUESTD_H

#include "ndr/ndr.h"

/* Version 0.0, both */
#define ICERTREQUESTD_IID                                                                                    \
	{                                                                                                    \
		0xd99e6e70, 0xfc88, 0x11d0,                                                                  \
		{                                                                                            \
			0xb4, 0x98, 0x00, 0xa0, 0xc9, 0x03, 0x12, 0xf3                                       \
		}                                                                                            \
	}
#define ICERTREQUESTD2_IID                                                                                   \
	{                                                                                                    \
		0x5422fd3a, 0xd4b8, 0x4cef,                                                                  \
		{                                                                                            \
			0xa1, 0x2e, 0xe8, 0x7d, 0x4c, 0xa2, 0x2e, 0x90                                       \
		}                                                                                            \
	}
#define CCERTREQUESTD_CLSID                                                                                  \
	{                                                                                                    \
		0xd99e6e74, 0xfc88, 0x11d0,                                                                  \
		{                                                                                            \
			0xb4, 0x98, 0x00, 0xa0, 0xc9, 0x03, 0x12, 0xf3                                       \
		}                                                                                            \
	}

enum wcce_opnum {
	WCCE_Request = 3,
	WCCE_GetCACert,
	WCCE_Ping,
	WCCE_Request2, /* ICertRequestD2 from here */
	WCCE_GetCAProperty,
	WCCE_GetCAPropertyInfo,
	WCCE_Ping2,
	WCCE_OPNUMS,
};

/* Ours: the IDL says range(1, 1536) and range(1, 64) for the strings, but clients send empty ones, and
 * attributes are longer (Seen: Certipy). */
#define WCCE_STRING_MAX (1u << 20)

/* Request and Request2. Blobs with p NULL are {0, NULL}. */
struct wcce_request_in {
	uint32_t flags;
	const char *authority;
	uint32_t request_id;
	const char *attributes;
	struct bytes request;
};
struct wcce_request2_in {
	const char *authority;
	uint32_t flags;
	const char *serial;
	uint32_t request_id;
	const char *attributes;
	struct bytes request;
};
struct wcce_request_out {
	uint32_t request_id, disposition;
	struct bytes chain, certificate, message;
	uint32_t result;
};
extern const struct ndr_field wcce_request_in[], wcce_request2_in[], wcce_request_out[];

/* GetCACert */
struct wcce_get_ca_cert_in {
	uint32_t chain;
	const char *authority;
};
/* GetCACert, GetCAProperty */
struct wcce_blob_out {
	struct bytes blob;
	uint32_t result;
};
extern const struct ndr_field wcce_get_ca_cert_in[], wcce_blob_out[];

/* Ping, Ping2 */
struct wcce_ping_in {
	const char *authority;
};
struct wcce_result_out {
	uint32_t result;
};
extern const struct ndr_field wcce_ping_in[], wcce_result_out[];

/* GetCAProperty. LONGs are uint32_t here. */
struct wcce_get_ca_property_in {
	const char *authority;
	uint32_t id, index, type;
};
extern const struct ndr_field wcce_get_ca_property_in[];

/* GetCAPropertyInfo */
struct wcce_get_ca_property_info_in {
	const char *authority;
};
struct wcce_get_ca_property_info_out {
	uint32_t count;
	struct bytes infos; /* CATRANSPROP[], then the names (MS-WCCE 2.2.2.3) */
	uint32_t result;
};
extern const struct ndr_field wcce_get_ca_property_info_in[], wcce_get_ca_property_info_out[];

#endif
