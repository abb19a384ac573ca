/*
 * NTLMv2 initiator (MS-NLMP 3.1), connection-oriented, with key exchange and, where the server tells its
 * time, a MIC. LM and NTLMv1 are never answered with.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "auth/initiator_priv.h"
#include "auth/ntlm_ctx_priv.h"
#include "auth/ntlm_message_priv.h"
#include "base/rng.h"
#include "base/text.h"

#define NAME_OCTETS_MAX 2048
#define TRANSCRIPT_MAX (3 * AUTH_TOKEN_MAX)
#define LM_RESPONSE_LEN 24

#define FLAGS_WANTED                                                                                         \
	(NTLMSSP_NEGOTIATE_UNICODE | NTLMSSP_REQUEST_TARGET | NTLMSSP_NEGOTIATE_NTLM |                       \
	    NTLMSSP_NEGOTIATE_ALWAYS_SIGN | NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY |                     \
	    NTLMSSP_NEGOTIATE_TARGET_INFO | NTLMSSP_NEGOTIATE_VERSION | NTLMSSP_NEGOTIATE_128 |              \
	    NTLMSSP_NEGOTIATE_KEY_EXCH | NTLMSSP_NEGOTIATE_56)

struct ntlm_initiator {
	struct ntlm_ctx ntlm;
	bool started; /* NEGOTIATE is out, CHALLENGE comes next */
	uint8_t nt_hash[NTLM_KEY_LEN];
	struct buf user, user_upper, domain, target; /* UTF-16LE */
	struct ntlm_initiator_chance chance;
	struct buf transcript;
};

static struct ntlm_initiator *
initiator(struct auth_ctx *c)
{
	return (struct ntlm_initiator *)c;
}

static void
start(struct ntlm_initiator *a)
{
	struct bytes none = { NULL, 0 };
	struct err e;

	ntlm_negotiate_put(&a->transcript, a->ntlm.flags);
	a->started = true;
	if (buf_ok(&a->transcript)) {
		auth_step_done(&a->ntlm.base, AUTH_NEED_TOKEN, buf_bytes(&a->transcript), NULL);
		return;
	}
	(void)ERR(&e, E_OUTOFMEMORY, "no memory for the NTLM exchange");
	auth_step_done(&a->ntlm.base, AUTH_FAILED, none, &e);
}

/* What must have been agreed for the protection that was asked for. */
static int
check_flags(struct ntlm_initiator *a, const struct ntlm_challenge_view *ch, struct err *e)
{
	uint32_t agreed = a->ntlm.flags & ch->flags, needed;

	needed =
	    NTLMSSP_NEGOTIATE_UNICODE | (a->ntlm.flags & (NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL));
	if ((needed & (NTLMSSP_NEGOTIATE_SIGN | NTLMSSP_NEGOTIATE_SEAL)) != 0)
		needed |= NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY;
	if ((agreed & needed) != needed)
		return ERR(e, SEC_E_UNSUPPORTED_FUNCTION,
		    "the server's NTLM agrees to 0x%08x only, 0x%08x is needed", agreed, needed);
	a->ntlm.flags = agreed;
	return 0;
}

/* MS-NLMP 3.3.2: NTLMv2 response, LMv2 response, session base key. */
static int
respond(struct ntlm_initiator *a, const struct ntlm_challenge_view *ch, struct buf *nt,
    uint8_t lm[LM_RESPONSE_LEN], uint8_t base_key[NTLM_KEY_LEN], struct err *e)
{
	const struct bytes identity[] = { buf_bytes(&a->user_upper), buf_bytes(&a->domain) };
	const struct bytes challenges[] = { { ch->server_challenge, 8 }, { a->chance.client_challenge, 8 } };
	uint8_t key[NTLM_KEY_LEN], proof[NTLM_KEY_LEN];
	const struct bytes proof_part = { proof, sizeof(proof) };
	struct bytes blob[2] = { { ch->server_challenge, 8 }, { NULL, 0 } };
	int ret = -1;

	buf_put_zero(nt, sizeof(proof));
	buf_put_u16le(nt, 0x0101); /* RespType, HiRespType */
	buf_put_zero(nt, 6);
	buf_put_u64le(nt, (uint64_t)(ch->has_timestamp ? ch->timestamp : a->chance.now));
	buf_put(nt, a->chance.client_challenge, sizeof(a->chance.client_challenge));
	buf_put_zero(nt, 4);
	if (ch->has_timestamp)
		ntlm_target_info_put(nt, ch, buf_bytes(&a->target));
	else
		buf_put_bytes(nt, ch->target_info);
	buf_put_zero(nt, 4);
	if (!buf_ok(nt))
		return ERR(e, E_OUTOFMEMORY, "no room for the NTLMv2 response");
	blob[1] = (struct bytes){ nt->p + sizeof(proof), nt->len - sizeof(proof) };
	if (ntlm_hmac_md5(key, a->nt_hash, identity, 2, e) != 0 ||
	    ntlm_hmac_md5(proof, key, blob, 2, e) != 0 ||
	    ntlm_hmac_md5(base_key, key, &proof_part, 1, e) != 0)
		goto out;
	memcpy(nt->p, proof, sizeof(proof));
	/* A server that tells its time checks the MIC and gets no LM response (MS-NLMP 3.1.5.1.2). */
	memset(lm, 0, LM_RESPONSE_LEN);
	ret = 0;
	if (!ch->has_timestamp) {
		ret = ntlm_hmac_md5(lm, key, challenges, 2, e);
		memcpy(lm + 16, a->chance.client_challenge, 8);
	}
out:
	OPENSSL_cleanse(key, sizeof(key));
	return ret;
}

/* EncryptedRandomSessionKey; without key exchange the session base key is the exported one. */
static int
wrap_key(const struct ntlm_initiator *a, const uint8_t base_key[NTLM_KEY_LEN], uint8_t exported[NTLM_KEY_LEN],
    uint8_t wrapped[NTLM_KEY_LEN], struct err *e)
{
	EVP_CIPHER_CTX *rc4;
	int ret;

	if ((a->ntlm.flags & NTLMSSP_NEGOTIATE_KEY_EXCH) == 0) {
		memcpy(exported, base_key, NTLM_KEY_LEN);
		return 0;
	}
	memcpy(exported, a->chance.session_key, NTLM_KEY_LEN);
	memcpy(wrapped, exported, NTLM_KEY_LEN);
	rc4 = ntlm_rc4_new(base_key, e);
	if (rc4 == NULL)
		return -1;
	ret = ntlm_rc4_apply(rc4, wrapped, NTLM_KEY_LEN, e);
	EVP_CIPHER_CTX_free(rc4);
	return ret;
}

/* Appends AUTHENTICATE to the transcript and keys the session. */
static int
authenticate(struct ntlm_initiator *a, struct bytes token, size_t *at, struct err *e)
{
	uint8_t base_key[NTLM_KEY_LEN], exported[NTLM_KEY_LEN], wrapped[NTLM_KEY_LEN], lm[LM_RESPONSE_LEN];
	struct ntlm_challenge_view ch;
	struct ntlm_authenticate_parts parts = { 0 };
	struct buf nt;
	int ret = -1;

	if (ntlm_challenge_parse(token, &ch, e) != 0 || check_flags(a, &ch, e) != 0)
		return -1;
	buf_init(&nt, AUTH_TOKEN_MAX);
	if (respond(a, &ch, &nt, lm, base_key, e) != 0 || wrap_key(a, base_key, exported, wrapped, e) != 0)
		goto out;
	a->ntlm.has_mic = ch.has_timestamp;
	buf_put_bytes(&a->transcript, token);
	*at = a->transcript.len;
	parts.flags = a->ntlm.flags;
	parts.lm_response = (struct bytes){ lm, sizeof(lm) };
	parts.nt_response = buf_bytes(&nt);
	parts.domain = buf_bytes(&a->domain);
	parts.user = buf_bytes(&a->user);
	if ((a->ntlm.flags & NTLMSSP_NEGOTIATE_KEY_EXCH) != 0)
		parts.session_key = (struct bytes){ wrapped, sizeof(wrapped) };
	ntlm_authenticate_put(&a->transcript, &parts);
	if (!buf_ok(&a->transcript)) {
		(void)ERR(e, E_OUTOFMEMORY, "no room for the NTLM exchange");
		goto out;
	}
	if (a->ntlm.has_mic &&
	    ntlm_mic(exported, buf_bytes(&a->transcript), *at + NTLM_MIC_OFF,
		a->transcript.p + *at + NTLM_MIC_OFF, e) != 0)
		goto out;
	ret = ntlm_session_init(&a->ntlm.session, NTLM_CLIENT, a->ntlm.flags, exported, e);
out:
	OPENSSL_cleanse(base_key, sizeof(base_key));
	OPENSSL_cleanse(exported, sizeof(exported));
	buf_wipe(&nt);
	return ret;
}

static void
initiator_step(struct auth_ctx *c, struct bytes token)
{
	struct ntlm_initiator *a = initiator(c);
	struct bytes none = { NULL, 0 };
	struct buf answer;
	struct err e;
	size_t at;

	if (!a->started) {
		start(a);
		return;
	}
	if (authenticate(a, token, &at, &e) != 0) {
		auth_step_done(c, AUTH_FAILED, none, &e);
		return;
	}
	/* The callback may free the context. */
	buf_init(&answer, AUTH_TOKEN_MAX);
	buf_put(&answer, a->transcript.p + at, a->transcript.len - at);
	if (buf_ok(&answer))
		auth_step_done(c, AUTH_COMPLETE, buf_bytes(&answer), NULL);
	else {
		(void)ERR(&e, E_OUTOFMEMORY, "no memory for the NTLM token");
		auth_step_done(c, AUTH_FAILED, none, &e);
	}
	buf_fini(&answer);
}

static void
initiator_fini(struct auth_ctx *c)
{
	struct ntlm_initiator *a = initiator(c);

	ntlm_session_fini(&a->ntlm.session);
	buf_fini(&a->user);
	buf_fini(&a->user_upper);
	buf_fini(&a->domain);
	buf_fini(&a->target);
	buf_wipe(&a->transcript);
	OPENSSL_cleanse(a->nt_hash, sizeof(a->nt_hash));
	OPENSSL_cleanse(&a->chance, sizeof(a->chance));
}

static const struct auth_ops initiator_ops = {
	.step = initiator_step,
	.fini = initiator_fini,
	NTLM_CTX_OPS,
};

static int
put_name(struct buf *out, const char *s, const char *what, struct err *e)
{
	buf_init(out, NAME_OCTETS_MAX);
	if (text_utf8_to_utf16le(out, s, strlen(s), e) != 0)
		return err_prefix(e, "NTLM %s", what);
	return buf_ok(out) ? 0 : ERR(e, E_INVALIDARG, "NTLM %s is too long", what);
}

struct auth_ctx *
ntlm_initiator_new_with(
    const struct auth_initiate *how, const struct ntlm_initiator_chance *chance, struct err *e)
{
	const struct auth_identity *id = how->identity;
	struct ntlm_initiator *a;

	if (ntlm_crypto_load(e) != 0)
		return NULL;
	a = calloc(1, sizeof(*a));
	if (a == NULL) {
		(void)ERR(e, E_OUTOFMEMORY, "no memory for an NTLM context");
		return NULL;
	}
	a->ntlm.base.ops = &initiator_ops;
	a->ntlm.base.state = AUTH_NEED_TOKEN;
	a->ntlm.flags = FLAGS_WANTED | (how->sign || how->seal ? NTLMSSP_NEGOTIATE_SIGN : 0) |
	    (how->seal ? NTLMSSP_NEGOTIATE_SEAL : 0);
	a->chance = *chance;
	memcpy(a->nt_hash, id->nt_hash, sizeof(a->nt_hash));
	buf_init(&a->transcript, TRANSCRIPT_MAX);
	if (put_name(&a->user, id->user, "user name", e) != 0 ||
	    put_name(&a->user_upper, id->user, "user name", e) != 0 ||
	    put_name(&a->domain, id->domain, "domain name", e) != 0 ||
	    put_name(&a->target, how->target != NULL ? how->target : "", "target name", e) != 0) {
		auth_ctx_free(&a->ntlm.base);
		return NULL;
	}
	for (size_t i = 0; i + 1 < a->user_upper.len; i += 2)
		set_u16le(a->user_upper.p + i, text_upper_unit(get_u16le(a->user_upper.p + i)));
	return &a->ntlm.base;
}

struct auth_ctx *
ntlm_initiator_new(const struct auth_initiate *how, struct err *e)
{
	struct ntlm_initiator_chance chance = { .now = clock_real() };
	struct auth_ctx *c;

	rng_system(chance.client_challenge, sizeof(chance.client_challenge));
	rng_system(chance.session_key, sizeof(chance.session_key));
	c = ntlm_initiator_new_with(how, &chance, e);
	OPENSSL_cleanse(&chance, sizeof(chance));
	return c;
}
