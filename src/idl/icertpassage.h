/* ICertPassage (MS-ICPR): enrollment over plain RPC. */
#ifndef ADCSD_IDL_ICERTPASSAGE_H
#define ADCSD_IDL_ICERTPASSAGE_H

#include "ndr/ndr.h"

/* Version 0.0 */
#define ICERTPASSAGE_UUID                                                                                    \
	{                                                                                                    \
		0x91ae6020, 0x9e3c, 0x11cf,                                                                  \
		{                                                                                            \
			0x8d, 0x7c, 0x00, 0xaa, 0x00, 0xc0, 0x91, 0xbe                                       \
		}                                                                                            \
	}

/* CertServerRequest, opnum 0 (MS-ICPR 3.2.4.1.1) */
struct icertpassage_request_in {
	uint32_t flags;
	const char *authority; /* NULL, "" or a name */
	uint32_t request_id;
	struct bytes attributes; /* a string in UTF-16LE with its NUL, nobody has looked at it yet */
	struct bytes request;
};
struct icertpassage_request_out {
	uint32_t request_id;
	uint32_t disposition;     /* CR_DISP_* or an HRESULT */
	struct bytes chain;       /* PKCS #7 or CMC full response; p NULL: none */
	struct bytes certificate; /* DER */
	struct bytes message;     /* UTF-16LE with its NUL */
	uint32_t result;
};
extern const struct ndr_field icertpassage_request_in[], icertpassage_request_out[];

#endif
