/*
 * NTLMv2 acceptor (MS-NLMP 3.2). Refused on purpose: anonymous, LM and NTLMv1 responses, and signing or
 * sealing without extended session security (CRC-32 signatures), which no client since Windows 2000 needs.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "auth/ntlm_ctx_priv.h"
#include "auth/ntlm_message_priv.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/text.h"

#define NAME_OCTETS_MAX 2048 /* a UPN has at most 1024 characters */
#define TRANSCRIPT_MAX (3 * AUTH_TOKEN_MAX)
#define POOL_MAX (8 * NAME_OCTETS_MAX)

/* What is echoed when the client offers it; unknown bits are ignored (MS-NLMP 3.2.5.1.1). */
#define FLAGS_ECHOED                                                                                         \
	(NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL | NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY |      \
	    NTLMSSP_NEGOTIATE_VERSION | NTLMSSP_NEGOTIATE_128 | NTLMSSP_NEGOTIATE_KEY_EXCH |                 \
	    NTLMSSP_NEGOTIATE_56)
#define FLAGS_ALWAYS                                                                                         \
	(NTLMSSP_REQUEST_TARGET | NTLMSSP_NEGOTIATE_NTLM | NTLMSSP_NEGOTIATE_ALWAYS_SIGN |                   \
	    NTLMSSP_TARGET_TYPE_DOMAIN | NTLMSSP_NEGOTIATE_TARGET_INFO)

struct ntlm_acceptor {
	struct ntlm_ctx ntlm; /* flags: offered in CHALLENGE, then what AUTHENTICATE left of it */
	const struct auth_names *names;
	const struct auth_authority *authority;
	bool challenged;       /* CHALLENGE is out, AUTHENTICATE comes next */
	struct buf transcript; /* NEGOTIATE, CHALLENGE, AUTHENTICATE: what the MIC covers */
	size_t authenticate_off;
	struct ntlm_authenticate msg; /* points into the transcript, which does not grow any more */
	struct pool *pool;
	struct auth_ntlm_proof proof; /* points into pool and transcript */
	void *handle;                 /* of the authority's check under way */
};

static struct ntlm_acceptor *
acceptor(struct auth_ctx *c)
{
	return (struct ntlm_acceptor *)c;
}

/* NTLM without extended session security cannot sign the way we do; whoever asks for it is told at once. */
static int
check_session_security(uint32_t flags, struct err *e)
{
	if ((flags & (NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL)) != 0 &&
	    (flags & NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY) == 0)
		return ERR(e, SEC_E_UNSUPPORTED_FUNCTION,
		    "NTLM signing without extended session security is not served (flags 0x%08x)", flags);
	return 0;
}

/* ---- leg 1: NEGOTIATE in, CHALLENGE out ---- */

static int
make_challenge(struct ntlm_acceptor *a, struct bytes token, struct buf *out, struct err *e)
{
	struct ntlm_challenge ch = { .names = a->names, .timestamp = clock_real() };
	uint32_t offered;

	if (ntlm_negotiate_parse(token, &offered, e) != 0 || check_session_security(offered, e) != 0)
		return -1;
	if ((offered & (NTLMSSP_NEGOTIATE_UNICODE | NTLM_NEGOTIATE_OEM)) == 0)
		return ERR(e, SEC_E_INVALID_TOKEN,
		    "NTLM NEGOTIATE offers neither Unicode nor OEM (flags 0x%08x)", offered);
	a->ntlm.flags = (offered & FLAGS_ECHOED) | FLAGS_ALWAYS |
	    ((offered & NTLMSSP_NEGOTIATE_UNICODE) != 0 ? NTLMSSP_NEGOTIATE_UNICODE : NTLM_NEGOTIATE_OEM);
	rng_system(a->proof.server_challenge, sizeof(a->proof.server_challenge));
	memcpy(ch.server_challenge, a->proof.server_challenge, sizeof(ch.server_challenge));
	ch.flags = a->ntlm.flags;
	if (ntlm_challenge_put(out, &ch, e) != 0)
		return -1;
	buf_put_bytes(&a->transcript, token);
	buf_put_bytes(&a->transcript, buf_bytes(out));
	if (!buf_ok(&a->transcript))
		return ERR(e, E_OUTOFMEMORY, "no room for the NTLM exchange");
	a->challenged = true;
	log_debug(auth, "NTLM: client offers 0x%08x, challenge has 0x%08x", offered, a->ntlm.flags);
	return 0;
}

/* ---- leg 2: AUTHENTICATE in, question to the authority ---- */

/* A name in the negotiated character set as UTF-16LE. OEM octets are taken as ISO 8859-1 (Ours: the protocol
 * leaves the code page open), which is also how curl widens them for its hash. */
static int
widen_name(struct ntlm_acceptor *a, struct bytes in, const char *what, struct bytes *out, struct err *e)
{
	bool unicode = (a->ntlm.flags & NTLMSSP_NEGOTIATE_UNICODE) != 0;
	size_t len = unicode ? in.len : 2 * in.len;
	uint8_t *p;

	if (len > NAME_OCTETS_MAX)
		return ERR(e, SEC_E_INVALID_TOKEN, "NTLM AUTHENTICATE: %s of %zu octets", what, in.len);
	p = pool_alloc(a->pool, len);
	if (p == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the NTLM %s", what);
	if (unicode) {
		if (len > 0)
			memcpy(p, in.p, len);
	} else {
		for (size_t i = 0; i < in.len; i++)
			set_u16le(p + 2 * i, in.p[i]);
	}
	*out = (struct bytes){ p, len };
	return 0;
}

static int
upper_name(struct ntlm_acceptor *a, struct bytes in, struct bytes *out, struct err *e)
{
	uint8_t *p = pool_alloc(a->pool, in.len);

	if (p == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the NTLM user name");
	for (size_t i = 0; i + 1 < in.len; i += 2)
		set_u16le(p + i, text_upper_unit(get_u16le(in.p + i)));
	*out = (struct bytes){ p, in.len };
	return 0;
}

static int
take_identity(struct ntlm_acceptor *a, struct err *e)
{
	struct bytes user;

	if (widen_name(a, a->msg.user, "user name", &user, e) != 0 ||
	    widen_name(a, a->msg.domain, "domain name", &a->proof.domain_utf16, e) != 0)
		return -1;
	a->proof.user = text_from_utf16le(a->pool, user, e);
	if (a->proof.user == NULL)
		return err_prefix(e, "NTLM user name");
	a->proof.domain = text_from_utf16le(a->pool, a->proof.domain_utf16, e);
	if (a->proof.domain == NULL)
		return err_prefix(e, "NTLM domain name");
	return upper_name(a, user, &a->proof.user_upper_utf16, e);
}

/* Which kind of response it is; only NTLMv2 goes on. */
static int
take_response(struct ntlm_acceptor *a, struct err *e)
{
	struct bytes nt = a->msg.nt_response, lm = a->msg.lm_response;
	struct ntlmv2_response v2;

	/* MS-NLMP 3.2.5.1.2: the null session, told by an LM response of one zero octet or none. */
	if (a->msg.user.len == 0 && nt.len == 0 && (lm.len == 0 || (lm.len == 1 && lm.p[0] == 0)))
		return ERR(e, SEC_E_LOGON_DENIED, "anonymous NTLM logon refused");
	if (a->msg.user.len == 0)
		return ERR(e, SEC_E_LOGON_DENIED, "NTLM logon without a user name");
	if (nt.len == 0)
		return ERR(e, E_LOGON_FAILURE, "LM response of '%s' refused; the client must use NTLMv2",
		    a->proof.user);
	if (nt.len == NTLMV1_RESPONSE_LEN)
		return ERR(e, E_LOGON_FAILURE, "NTLMv1 response of '%s' refused; the client must use NTLMv2",
		    a->proof.user);
	if (ntlmv2_response_parse(nt, &v2, e) != 0)
		return -1;
	a->ntlm.has_mic = v2.has_mic;
	if (v2.has_mic && a->transcript.len - a->authenticate_off < NTLM_MIC_OFF + NTLM_MIC_LEN)
		return ERR(
		    e, SEC_E_INVALID_TOKEN, "NTLM AUTHENTICATE announces a MIC but is too short for one");
	a->proof.nt_response = nt;
	return 0;
}

static int
read_authenticate(struct ntlm_acceptor *a, struct bytes token, struct err *e)
{
	a->authenticate_off = a->transcript.len;
	buf_put_bytes(&a->transcript, token);
	if (!buf_ok(&a->transcript))
		return ERR(e, E_OUTOFMEMORY, "no room for the NTLM exchange");
	token = (struct bytes){ a->transcript.p + a->authenticate_off, token.len };
	if (ntlm_authenticate_parse(token, &a->msg, e) != 0)
		return -1;
	/* The character set stays what CHALLENGE said; everything else may have been dropped by the client.
	 */
	a->ntlm.flags &= a->msg.flags | NTLMSSP_NEGOTIATE_UNICODE | NTLM_NEGOTIATE_OEM;
	if (check_session_security(a->ntlm.flags, e) != 0 || take_identity(a, e) != 0 ||
	    take_response(a, e) != 0)
		return -1;
	log_debug(auth, "NTLM: user '%s' domain '%s' flags 0x%08x, %s", a->proof.user, a->proof.domain,
	    a->ntlm.flags, a->ntlm.has_mic ? "with MIC" : "no MIC");
	return 0;
}

/* ---- the verdict ---- */

/* MS-NLMP 3.2.5.1.2. KeyExchangeKey is the session base key with NTLMv2. A client that wants no session
 * security sends no key; Samba sends one all the same and then uses it, so the length decides. */
static int
exported_session_key(const struct ntlm_acceptor *a, const uint8_t base_key[NTLM_KEY_LEN],
    uint8_t out[NTLM_KEY_LEN], struct err *e)
{
	bool session_security = (a->ntlm.flags & (NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL)) != 0;
	struct bytes sent = a->msg.session_key;
	EVP_CIPHER_CTX *rc4;
	int ret;

	if ((a->ntlm.flags & NTLMSSP_NEGOTIATE_KEY_EXCH) == 0 || (sent.len == 0 && !session_security)) {
		memcpy(out, base_key, NTLM_KEY_LEN);
		return 0;
	}
	if (sent.len != NTLM_KEY_LEN)
		return ERR(e, SEC_E_INVALID_TOKEN, "NTLM AUTHENTICATE: session key of %zu octets", sent.len);
	rc4 = ntlm_rc4_new(base_key, e);
	if (rc4 == NULL)
		return -1;
	memcpy(out, sent.p, NTLM_KEY_LEN);
	ret = ntlm_rc4_apply(rc4, out, NTLM_KEY_LEN, e);
	EVP_CIPHER_CTX_free(rc4);
	return ret;
}

static int
check_mic(const struct ntlm_acceptor *a, const uint8_t key[NTLM_KEY_LEN], struct err *e)
{
	size_t mic_off = a->authenticate_off + NTLM_MIC_OFF;
	uint8_t mic[NTLM_MIC_LEN];

	if (ntlm_mic(key, buf_bytes(&a->transcript), mic_off, mic, e) != 0)
		return -1;
	if (CRYPTO_memcmp(mic, a->transcript.p + mic_off, sizeof(mic)) != 0)
		return ERR(e, SEC_E_MESSAGE_ALTERED,
		    "NTLM MIC of '%s' is wrong: the handshake was changed on its way (MS-NLMP 3.2.5.1.2)",
		    a->proof.user);
	return 0;
}

static int
open_session(struct ntlm_acceptor *a, const uint8_t base_key[NTLM_KEY_LEN], struct err *e)
{
	uint8_t key[NTLM_KEY_LEN];
	int ret = -1;

	if (exported_session_key(a, base_key, key, e) != 0)
		goto out;
	if (a->ntlm.has_mic && check_mic(a, key, e) != 0)
		goto out;
	ret = ntlm_session_init(&a->ntlm.session, NTLM_SERVER, a->ntlm.flags, key, e);
out:
	OPENSSL_cleanse(key, sizeof(key));
	return ret;
}

static void
on_verdict(void *arg, const struct auth_verdict *v, const struct err *why)
{
	struct ntlm_acceptor *a = arg;
	struct bytes none = { NULL, 0 };
	struct err e;

	a->handle = NULL;
	if (v == NULL) {
		auth_step_done(&a->ntlm.base, AUTH_FAILED, none, why);
		return;
	}
	a->ntlm.base.token = v->token;
	if (open_session(a, v->session_base_key, &e) != 0)
		auth_step_done(&a->ntlm.base, AUTH_FAILED, none, &e);
	else
		auth_step_done(&a->ntlm.base, AUTH_COMPLETE, none, NULL);
}

/* ---- operations ---- */

static void
ntlm_step(struct auth_ctx *c, struct bytes token)
{
	struct ntlm_acceptor *a = acceptor(c);
	struct bytes none = { NULL, 0 };
	struct buf answer;
	struct err e;
	void *handle;

	if (!a->challenged) {
		buf_init(&answer, AUTH_TOKEN_MAX);
		if (make_challenge(a, token, &answer, &e) != 0)
			auth_step_done(c, AUTH_FAILED, none, &e);
		else
			auth_step_done(c, AUTH_NEED_TOKEN, buf_bytes(&answer), NULL);
		buf_fini(&answer);
		return;
	}
	if (read_authenticate(a, token, &e) != 0) {
		auth_step_done(c, AUTH_FAILED, none, &e);
		return;
	}
	handle = a->authority->ntlm_verify(a->authority->ctx, &a->proof, on_verdict, a);
	if (handle != NULL) /* else the verdict has been given and the context may be gone */
		a->handle = handle;
}

static void
ntlm_fini(struct auth_ctx *c)
{
	struct ntlm_acceptor *a = acceptor(c);

	if (a->handle != NULL)
		a->authority->cancel(a->authority->ctx, a->handle);
	ntlm_session_fini(&a->ntlm.session);
	buf_wipe(&a->transcript);
	pool_free(a->pool);
}

static const struct auth_ops ntlm_ops = {
	.step = ntlm_step,
	.fini = ntlm_fini,
	NTLM_CTX_OPS,
};

struct auth_ctx *
ntlm_acceptor_new(const struct auth_names *names, const struct auth_authority *authority, struct err *e)
{
	struct ntlm_acceptor *a;

	if (ntlm_crypto_load(e) != 0)
		return NULL;
	a = calloc(1, sizeof(*a));
	if (a == NULL || (a->pool = pool_new(POOL_MAX)) == NULL) {
		free(a);
		(void)ERR(e, E_OUTOFMEMORY, "no memory for an NTLM context");
		return NULL;
	}
	a->ntlm.base.ops = &ntlm_ops;
	a->ntlm.base.state = AUTH_NEED_TOKEN;
	a->names = names;
	a->authority = authority;
	buf_init(&a->transcript, TRANSCRIPT_MAX);
	return &a->ntlm.base;
}
