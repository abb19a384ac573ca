/* NTLM session security: keys, signatures, sealing (MS-NLMP 3.4), always with extended session security. */
#ifndef ADCSD_AUTH_NTLM_SESSION_PRIV_H
#define ADCSD_AUTH_NTLM_SESSION_PRIV_H

#include "auth/ntlm_crypto_priv.h"

#define NTLM_SIG_LEN 16

/* One direction's state. */
struct ntlm_stream {
	uint8_t sign_key[NTLM_KEY_LEN];
	uint8_t seal_key[NTLM_KEY_LEN];
	EVP_CIPHER_CTX *rc4;
	uint32_t seq; /* of the next message */
};

struct ntlm_session {
	bool key_exch; /* checksums are RC4-encrypted too */
	struct ntlm_stream rx, tx;
};

enum ntlm_side { NTLM_CLIENT, NTLM_SERVER };

/* flags: as negotiated. Sequence numbers start at 0. On failure there is nothing to free. */
int
ntlm_session_init(struct ntlm_session *s, enum ntlm_side side, uint32_t flags,
    const uint8_t exported_key[NTLM_KEY_LEN], struct err *e) MUST_CHECK;
/* Wipes; a zeroed session is fine. */
void
ntlm_session_fini(struct ntlm_session *s);

/* Signs msg; with seal, encrypts the body, a part of msg, in place after that. */
int
ntlm_session_protect(struct ntlm_session *s, struct bytes msg, uint8_t *body, size_t body_len, bool seal,
    uint8_t sig[NTLM_SIG_LEN], struct err *e) MUST_CHECK;
/* Decrypts the body in place when sealed, then checks. SEC_E_MESSAGE_ALTERED when the signature does not fit;
 * the sequence number stays then (MS-NLMP 3.4.4). */
int
ntlm_session_unprotect(struct ntlm_session *s, struct bytes msg, uint8_t *body, size_t body_len, bool seal,
    struct bytes sig, struct err *e) MUST_CHECK;

/*
 * mechListMIC (MS-SPNG 3.2.5.1): an ordinary signature, after which the direction's RC4 stream is as it was
 * before. The sequence number moves on all the same, so the first message has number 1. To be used before any
 * message.
 */
int
ntlm_session_list_mic(
    struct ntlm_session *s, struct bytes list, uint8_t sig[NTLM_SIG_LEN], struct err *e) MUST_CHECK;
int
ntlm_session_check_list_mic(
    struct ntlm_session *s, struct bytes list, struct bytes sig, struct err *e) MUST_CHECK;

#endif
