/* Kerberos contexts of both sides: what an acceptor and an initiator do alike once the session has a key. */
#ifndef ADCSD_AUTH_KERBEROS_CTX_PRIV_H
#define ADCSD_AUTH_KERBEROS_CTX_PRIV_H

#include "auth/auth_priv.h"
#include "auth/kerberos_priv.h"

/* First member of either side's context. */
struct kerberos_ctx {
	struct auth_ctx base;
	gss_ctx_id_t gss;
	OM_uint32 flags;           /* of the finished context */
	size_t sign_len, seal_len; /* octets of a message's token */
};

/* Once the context is finished and flags are set: how long the tokens of messages are. */
int
kerberos_ctx_measure(struct kerberos_ctx *k, struct err *e) MUST_CHECK;
void
kerberos_ctx_fini(struct kerberos_ctx *k);

/* The operations of struct auth_ops; step, fini and list_mic_due are each side's own. */
const char *
kerberos_ctx_package(const struct auth_ctx *c);
bool
kerberos_ctx_can_sign(const struct auth_ctx *c);
bool
kerberos_ctx_can_seal(const struct auth_ctx *c);
size_t
kerberos_ctx_sig_len(const struct auth_ctx *c, bool seal);
int
kerberos_ctx_protect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len,
    bool seal, bool header_signing, uint8_t *sig, struct err *e) MUST_CHECK;
int
kerberos_ctx_unprotect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len,
    bool seal, bool header_signing, struct bytes sig, struct err *e) MUST_CHECK;
int
kerberos_ctx_list_mic_put(struct auth_ctx *c, struct bytes list, struct buf *out, struct err *e) MUST_CHECK;
int
kerberos_ctx_list_mic_check(
    struct auth_ctx *c, struct bytes list, struct bytes mic, struct err *e) MUST_CHECK;

/* All of them, for the table of either side. */
#define KERBEROS_CTX_OPS                                                                                     \
	.package = kerberos_ctx_package, .can_sign = kerberos_ctx_can_sign,                                  \
	.can_seal = kerberos_ctx_can_seal, .sig_len = kerberos_ctx_sig_len, .protect = kerberos_ctx_protect, \
	.unprotect = kerberos_ctx_unprotect, .list_mic_put = kerberos_ctx_list_mic_put,                      \
	.list_mic_check = kerberos_ctx_list_mic_check

/* Of an initiator: the environment's cache; *out is the caller's to release, also when this fails. */
int
kerberos_cache_cred(gss_cred_id_t *out, struct err *e) MUST_CHECK;
struct auth_tickets;
gss_cred_id_t
kerberos_tickets_cred(const struct auth_tickets *t);

/* ---- octets, ours and GSSAPI's ---- */

static inline struct bytes
kerberos_bytes(const gss_buffer_desc *b)
{
	return (struct bytes){ b->value, b->length };
}
static inline gss_buffer_desc
kerberos_gss(struct bytes b)
{
	return (gss_buffer_desc){ b.len, (void *)(uintptr_t)b.p };
}
static inline void
kerberos_release(gss_buffer_desc *b)
{
	OM_uint32 minor;

	(void)gss_release_buffer(&minor, b);
}

#endif
