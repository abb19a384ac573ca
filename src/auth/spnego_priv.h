/* What both sides of a SPNEGO exchange share: the mechanism inside protects the messages, and is asked. */
#ifndef ADCSD_AUTH_SPNEGO_PRIV_H
#define ADCSD_AUTH_SPNEGO_PRIV_H

#include "auth/auth_priv.h"

/* The mechanism's token and our own few octets around it. */
#define SPNEGO_ANSWER_MAX (AUTH_TOKEN_MAX + 256)

/* First member of either side's context. */
struct spnego_ctx {
	struct auth_ctx base;
	struct auth_ctx *inner; /* the mechanism; the acceptor has none before it has chosen */
	struct buf mech_list;   /* DER of the client's list: what mechListMIC covers */
};

/* A token that cannot be read: one code, whatever the DER reader found. */
void
spnego_unreadable(struct err *e);

/* Operations of struct auth_ops that are the mechanism's. */
void
spnego_fini(struct auth_ctx *c);
bool
spnego_can_sign(const struct auth_ctx *c);
bool
spnego_can_seal(const struct auth_ctx *c);
size_t
spnego_sig_len(const struct auth_ctx *c, bool seal);
int
spnego_protect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len, bool seal,
    bool header_signing, uint8_t *sig, struct err *e);
int
spnego_unprotect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len, bool seal,
    bool header_signing, struct bytes sig, struct err *e);
/* clang-format off */
#define SPNEGO_FORWARDED \
	.fini = spnego_fini, .can_sign = spnego_can_sign, .can_seal = spnego_can_seal, .sig_len = spnego_sig_len, \
	.protect = spnego_protect, .unprotect = spnego_unprotect
/* clang-format on */

#endif
