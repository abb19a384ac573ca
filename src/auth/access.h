/* Access checks of access-control.md section 3: MS-DTYP 2.5.3.2, MS-ADTS 5.1.3.3.4, MS-CRTD 2.5.1. Pure. */
#ifndef ADCSD_AUTH_ACCESS_H
#define ADCSD_AUTH_ACCESS_H

#include "auth/sd.h"
#include "auth/token.h"

extern const struct guid GUID_ENROLL;     /* 0e10c968-78fb-11d2-90d4-00c04f79dc55 */
extern const struct guid GUID_AUTOENROLL; /* a05b8cc2-17bc-4802-a710-e7c15ab866a2 */

/* CA rights, MS-CSRA 3.1.1.7. */
enum {
	CA_ACCESS_ADMIN = 0x1,
	CA_ACCESS_OFFICER = 0x2,
	CA_ACCESS_AUDITOR = 0x4,
	CA_ACCESS_OPERATOR = 0x8,
	CA_ACCESS_READ = 0x100,
	CA_ACCESS_ENROLL = 0x200,
};

struct access_verdict {
	bool granted;
	const struct ace *ace; /* the ACE that decided; NULL: none matched, or no DACL */
	bool no_dacl;          /* allowed because there is no DACL */
};

/*
 * An ACE for OWNER RIGHTS (S-1-3-4) speaks of a token that holds the owner's SID, and takes the owner's
 * implied rights away (MS-DTYP 2.4.2.4). Conditions are not evaluated: callback ACEs and unknown types never
 * match.
 */

/* Control access right (Enroll, AutoEnroll). First matching ACE in stored order decides. sd NULL: allowed. */
struct access_verdict
access_check_control(const struct sd *sd, const struct token *t, const struct guid *right);

/* Plain rights. Generic bits must have been mapped. The owner has READ_CONTROL and WRITE_DAC. *granted (may
 * be NULL) gets all granted bits among 0xffffffff. verdict.ace: for a refusal the first ACE that denies a
 * wanted bit, for a grant the last ACE needed. */
struct access_verdict
access_check(const struct sd *sd, const struct token *t, uint32_t wanted, uint32_t *granted);

/* As access_check on a CA descriptor; Enroll, Officer or Administrator implies Read. */
struct access_verdict
access_check_ca(const struct sd *sd, const struct token *t, uint32_t wanted, uint32_t *granted);

/* Maps the masks of both ACLs in place, as AD does when a descriptor is stored. */
void
access_map_generic_sd(struct sd *sd);
/* Maps GA/GR/GW/GX in a mask to directory rights (access-control section 2). */
uint32_t
access_map_generic(uint32_t mask);

#endif
