/* What the NTLM acceptor and the initiator have in common once keys are agreed: session security. */
#ifndef ADCSD_AUTH_NTLM_CTX_PRIV_H
#define ADCSD_AUTH_NTLM_CTX_PRIV_H

#include "auth/auth_priv.h"
#include "auth/ntlm_session_priv.h"

/* The first member of both. */
struct ntlm_ctx {
	struct auth_ctx base;
	uint32_t flags;              /* as agreed, from AUTHENTICATE on */
	bool has_mic;                /* AUTHENTICATE has one */
	struct ntlm_session session; /* keyed when AUTH_COMPLETE */
};

/* The operations of struct auth_ops; step and fini are each side's own. */
const char *
ntlm_ctx_package(const struct auth_ctx *c);
bool
ntlm_ctx_can_sign(const struct auth_ctx *c);
bool
ntlm_ctx_can_seal(const struct auth_ctx *c);
size_t
ntlm_ctx_sig_len(const struct auth_ctx *c, bool seal);
int
ntlm_ctx_protect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len, bool seal,
    bool header_signing, uint8_t *sig, struct err *e) MUST_CHECK;
int
ntlm_ctx_unprotect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len, bool seal,
    bool header_signing, struct bytes sig, struct err *e) MUST_CHECK;
int
ntlm_ctx_list_mic_put(struct auth_ctx *c, struct bytes list, struct buf *out, struct err *e) MUST_CHECK;
int
ntlm_ctx_list_mic_check(struct auth_ctx *c, struct bytes list, struct bytes mic, struct err *e) MUST_CHECK;
bool
ntlm_ctx_list_mic_due(const struct auth_ctx *c);

/* All of them, for the table of either side. */
#define NTLM_CTX_OPS                                                                                         \
	.package = ntlm_ctx_package, .can_sign = ntlm_ctx_can_sign, .can_seal = ntlm_ctx_can_seal,           \
	.sig_len = ntlm_ctx_sig_len, .protect = ntlm_ctx_protect, .unprotect = ntlm_ctx_unprotect,           \
	.list_mic_put = ntlm_ctx_list_mic_put, .list_mic_check = ntlm_ctx_list_mic_check,                    \
	.list_mic_due = ntlm_ctx_list_mic_due

/* MS-NLMP 3.1.5.1.2: the MIC over the three messages, that of AUTHENTICATE with its own place zeroed.
 * mic_off counts from the start of the transcript. */
int
ntlm_mic(const uint8_t key[NTLM_KEY_LEN], struct bytes transcript, size_t mic_off, uint8_t out[16],
    struct err *e) MUST_CHECK;

#endif
