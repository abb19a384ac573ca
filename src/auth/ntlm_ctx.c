#include "auth/ntlm_ctx_priv.h"

#include "auth/ntlm_message_priv.h"

static struct ntlm_ctx *
ntlm(struct auth_ctx *c)
{
	return (struct ntlm_ctx *)c;
}

static const struct ntlm_ctx *
ntlm_const(const struct auth_ctx *c)
{
	return (const struct ntlm_ctx *)c;
}

const char *
ntlm_ctx_package(const struct auth_ctx *c)
{
	(void)c;
	return "NTLM";
}

bool
ntlm_ctx_can_sign(const struct auth_ctx *c)
{
	/* MS-NLMP 3.4.4.2: a sealing context signs too. */
	return (ntlm_const(c)->flags & (NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL)) != 0;
}

bool
ntlm_ctx_can_seal(const struct auth_ctx *c)
{
	return (ntlm_const(c)->flags & NTLMSSP_NEGOTIATE_SEAL) != 0;
}

size_t
ntlm_ctx_sig_len(const struct auth_ctx *c, bool seal)
{
	(void)c;
	(void)seal;
	return NTLM_SIG_LEN;
}

/* Header signing changes nothing here: the whole PDU is signed either way. */
int
ntlm_ctx_protect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len, bool seal,
    bool header_signing, uint8_t *sig, struct err *e)
{
	(void)header_signing;
	return ntlm_session_protect(
	    &ntlm(c)->session, (struct bytes){ pdu, len }, pdu + body_off, body_len, seal, sig, e);
}

int
ntlm_ctx_unprotect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len, bool seal,
    bool header_signing, struct bytes sig, struct err *e)
{
	(void)header_signing;
	return ntlm_session_unprotect(
	    &ntlm(c)->session, (struct bytes){ pdu, len }, pdu + body_off, body_len, seal, sig, e);
}

int
ntlm_ctx_list_mic_put(struct auth_ctx *c, struct bytes list, struct buf *out, struct err *e)
{
	uint8_t sig[NTLM_SIG_LEN];

	if (ntlm_session_list_mic(&ntlm(c)->session, list, sig, e) != 0)
		return -1;
	buf_put(out, sig, sizeof(sig));
	return 0;
}

int
ntlm_ctx_list_mic_check(struct auth_ctx *c, struct bytes list, struct bytes mic, struct err *e)
{
	return ntlm_session_check_list_mic(&ntlm(c)->session, list, mic, e);
}

bool
ntlm_ctx_list_mic_due(const struct auth_ctx *c)
{
	return ntlm_const(c)->has_mic; /* MS-SPNG appendix A <8> */
}

int
ntlm_mic(
    const uint8_t key[NTLM_KEY_LEN], struct bytes transcript, size_t mic_off, uint8_t out[16], struct err *e)
{
	static const uint8_t zero[NTLM_MIC_LEN];
	size_t rest_off = mic_off + NTLM_MIC_LEN;
	const struct bytes parts[] = {
		{ transcript.p, mic_off },
		{ zero, sizeof(zero) },
		{ transcript.p + rest_off, transcript.len - rest_off },
	};

	return ntlm_hmac_md5(out, key, parts, ARRAY_LEN(parts), e);
}
