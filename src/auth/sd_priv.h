/* What the wire form and SDDL both know of ACE types. */
#ifndef ADCSD_AUTH_SD_PRIV_H
#define ADCSD_AUTH_SD_PRIV_H

#include "auth/sd.h"

/* MS-DTYP 2.4.4.1 and 2.5.1.1. Types not in the table are carried as opaque bodies. */
struct ace_kind {
	uint8_t type;
	char code[3]; /* SDDL; "" when there is none */
	bool object;  /* flags and up to two GUIDs before the SID */
	bool data;    /* application data behind the SID */
};

extern const struct ace_kind ace_kinds[];
extern const size_t n_ace_kinds;

/* NULL when unknown. */
const struct ace_kind *
ace_kind_of(uint8_t type);

#endif
