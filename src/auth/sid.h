/* Security identifiers, MS-DTYP 2.4.2. */
#ifndef ADCSD_AUTH_SID_H
#define ADCSD_AUTH_SID_H

#include <stdbool.h>

#include "base/buf.h"

#define SID_MAX_SUB 15
#define SID_TEXT_MAX 192
#define SID_WIRE_MAX (8 + 4 * SID_MAX_SUB)

struct sid {
	uint8_t n_sub;             /* 0..15 */
	uint8_t authority[6];      /* big-endian */
	uint32_t sub[SID_MAX_SUB]; /* unused ones are 0 */
};

/* Packet form (MS-DTYP 2.4.2.2). *used (may be NULL) gets the octets taken. */
int
sid_from_wire(struct sid *s, struct bytes in, size_t *used, struct err *e) MUST_CHECK;
void
sid_put(struct buf *out, const struct sid *s);
size_t
sid_wire_len(const struct sid *s);
/* "S-1-5-21-..." as MS-DTYP 2.4.2.1 writes it; authorities from 2^32 on are hexadecimal. */
int
sid_from_text(struct sid *s, const char *text, struct err *e) MUST_CHECK;
char *
sid_to_text(const struct sid *s, char out[SID_TEXT_MAX]);
bool
sid_equal(const struct sid *a, const struct sid *b);
/* Domain SID + RID. The domain must have fewer than 15 sub-authorities. */
int
sid_with_rid(struct sid *out, const struct sid *domain, uint32_t rid, struct err *e) MUST_CHECK;
/* Splits the last sub-authority off. */
int
sid_split_rid(const struct sid *s, struct sid *domain, uint32_t *rid, struct err *e) MUST_CHECK;

extern const struct sid SID_EVERYONE;               /* S-1-1-0 */
extern const struct sid SID_OWNER_RIGHTS;           /* S-1-3-4 */
extern const struct sid SID_NETWORK;                /* S-1-5-2 */
extern const struct sid SID_ANONYMOUS;              /* S-1-5-7 */
extern const struct sid SID_ENTERPRISE_DCS;         /* S-1-5-9 */
extern const struct sid SID_PRINCIPAL_SELF;         /* S-1-5-10 */
extern const struct sid SID_AUTHENTICATED_USERS;    /* S-1-5-11 */
extern const struct sid SID_THIS_ORGANIZATION;      /* S-1-5-15 */
extern const struct sid SID_LOCAL_SYSTEM;           /* S-1-5-18 */
extern const struct sid SID_BUILTIN_ADMINISTRATORS; /* S-1-5-32-544 */
extern const struct sid SID_BUILTIN_USERS;          /* S-1-5-32-545 */
extern const struct sid SID_CERT_DCOM_ACCESS;       /* S-1-5-32-574 */

#endif
