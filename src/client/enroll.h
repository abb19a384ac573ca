/* Enrollment: what a request asks and what a CA answers, over ICertPassage (MS-ICPR) or ICertRequestD2. */
#ifndef ADCSD_CLIENT_ENROLL_H
#define ADCSD_CLIENT_ENROLL_H

#include "client/link.h"

/* pdwDisposition (MS-WCCE 3.2.1.4.2.1.4); everything else is an HRESULT. */
enum client_disposition {
	CR_DISP_INCOMPLETE = 0,
	CR_DISP_ERROR = 1,
	CR_DISP_DENIED = 2,
	CR_DISP_ISSUED = 3,
	CR_DISP_ISSUED_OUT_OF_BAND = 4,
	CR_DISP_UNDER_SUBMISSION = 5,
	CR_DISP_REVOKED = 6,
};

#define CR_IN_FULLRESPONSE 0x00040000u /* dwFlags: a CMC full response instead of PKCS #7 */

struct client_request {
	const char *authority;  /* the CA's name */
	uint32_t flags;         /* dwFlags, wcce.md 2.1 */
	uint32_t request_id;    /* to retrieve; with an empty request */
	const char *attributes; /* "Name:Value" lines; NULL: none */
	struct bytes request;
};

/* Everything in the pool. */
struct client_answer {
	uint32_t result; /* what the method returned: 0, or an HRESULT */
	uint32_t request_id, disposition;
	struct bytes certificate; /* DER; empty unless issued */
	struct bytes chain;       /* PKCS #7 or CMC full response */
	const char *message;      /* disposition message; "" for none */
};

extern const struct rpc_syntax client_icertpassage;

/* Stubs of CertServerRequest, opnum 0, for whoever drives connections itself. */
int
client_icpr_put(const struct client_request *r, struct buf *stub, struct err *e) MUST_CHECK;
int
client_icpr_get(struct bytes stub, struct pool *pool, struct client_answer *out, struct err *e) MUST_CHECK;

/* A blob of UTF-16LE with its NUL, which a server may have left out; "" for what is no text. */
const char *
client_message_text(struct bytes wide, struct pool *pool);

/* "issued", "under submission", ...; "error" for an HRESULT. */
const char *
client_disposition_name(uint32_t disposition);

#endif
