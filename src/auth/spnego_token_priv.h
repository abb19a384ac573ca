/* SPNEGO tokens (RFC 4178 4.2, MS-SPNG 2.2.1): DER to structs and back, no decisions. */
#ifndef ADCSD_AUTH_SPNEGO_TOKEN_PRIV_H
#define ADCSD_AUTH_SPNEGO_TOKEN_PRIV_H

#include "base/der.h"

#define SPNEGO_MIC_MAX 64 /* NTLM: 16; Kerberos with AES: 28 */

enum spnego_state { /* NegState */
	SPNEGO_ACCEPT_COMPLETED = 0,
	SPNEGO_ACCEPT_INCOMPLETE = 1,
	SPNEGO_REJECT = 2,
	SPNEGO_REQUEST_MIC = 3,
	SPNEGO_STATE_ABSENT = -1,
};

/* Pointers lead into the token. */
struct spnego_init {
	struct bytes mech_list; /* MechTypeList with its header, as mechListMIC signs it */
	bool has_mech_token;
	struct bytes mech_token; /* optimistic token of the first mechanism */
};
/* The client's first token in its GSS frame; mech_list: DER of MechTypeList; an empty token is left out. */
int
spnego_init_put(struct buf *out, struct bytes mech_list, struct bytes mech_token, struct err *e) MUST_CHECK;
/* With the GSS frame of RFC 2743 3.1 or without. */
int
spnego_init_parse(struct bytes token, struct spnego_init *out, struct err *e) MUST_CHECK;
/* Walks a list that spnego_init_parse() has checked: the next OID's body; false at the end. */
bool
spnego_mech_next(struct der *list, struct bytes *oid);
/* A cursor for spnego_mech_next(). */
struct der
spnego_mech_first(struct bytes mech_list);

struct spnego_resp {
	enum spnego_state state;
	bool has_token;
	struct bytes token; /* points into the message */
	uint8_t mic[SPNEGO_MIC_MAX];
	size_t mic_len; /* 0: no mechListMIC */
};
int
spnego_resp_parse(struct bytes token, struct spnego_resp *out, struct err *e) MUST_CHECK;

/* An answer of either side. mech: dotted OID for supportedMech, NULL to leave it out; empty token and mic are
 * left out. */
int
spnego_resp_put(struct buf *out, enum spnego_state state, const char *mech, struct bytes token,
    struct bytes mic, struct err *e) MUST_CHECK;

#endif
