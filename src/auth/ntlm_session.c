#include "auth/ntlm_session_priv.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "auth/ntlm_message_priv.h"

#define SIG_VERSION 1
#define CHECKSUM_LEN 8

/* MS-NLMP 3.4.5.2 and 3.4.5.3. The terminating NUL is part of each constant. */
static const char client_sign[] = "session key to client-to-server signing key magic constant";
static const char server_sign[] = "session key to server-to-client signing key magic constant";
static const char client_seal[] = "session key to client-to-server sealing key magic constant";
static const char server_seal[] = "session key to server-to-client sealing key magic constant";

static int
derive_key(uint8_t out[NTLM_KEY_LEN], const uint8_t *key, size_t key_len, const char *magic, struct err *e)
{
	const struct bytes parts[] = { { key, key_len }, { (const uint8_t *)magic, strlen(magic) + 1 } };

	return ntlm_md5(out, parts, 2, e);
}

static int
stream_init(
    struct ntlm_stream *st, bool from_client, uint32_t flags, const uint8_t key[NTLM_KEY_LEN], struct err *e)
{
	size_t seal_len = (flags & NTLMSSP_NEGOTIATE_128) != 0 ? 16
	    : (flags & NTLMSSP_NEGOTIATE_56) != 0              ? 7
							       : 5;

	if (derive_key(st->sign_key, key, NTLM_KEY_LEN, from_client ? client_sign : server_sign, e) != 0 ||
	    derive_key(st->seal_key, key, seal_len, from_client ? client_seal : server_seal, e) != 0)
		return -1;
	st->seq = 0;
	st->rc4 = ntlm_rc4_new(st->seal_key, e);
	return st->rc4 != NULL ? 0 : -1;
}

int
ntlm_session_init(struct ntlm_session *s, enum ntlm_side side, uint32_t flags,
    const uint8_t exported_key[NTLM_KEY_LEN], struct err *e)
{
	memset(s, 0, sizeof(*s));
	s->key_exch = (flags & NTLMSSP_NEGOTIATE_KEY_EXCH) != 0;
	if (stream_init(&s->rx, side == NTLM_SERVER, flags, exported_key, e) != 0 ||
	    stream_init(&s->tx, side == NTLM_CLIENT, flags, exported_key, e) != 0) {
		ntlm_session_fini(s);
		return -1;
	}
	return 0;
}

void
ntlm_session_fini(struct ntlm_session *s)
{
	EVP_CIPHER_CTX_free(s->rx.rc4);
	EVP_CIPHER_CTX_free(s->tx.rc4);
	OPENSSL_cleanse(s, sizeof(*s));
}

/* MAC of MS-NLMP 3.4.4.2 in two halves: the checksum of the clear text, and the signature, whose RC4 step has
 * to come after that of the body. */
static int
checksum(const struct ntlm_stream *st, struct bytes msg, uint8_t out[CHECKSUM_LEN], struct err *e)
{
	uint8_t seq[4], mac[16];
	const struct bytes parts[] = { { seq, sizeof(seq) }, msg };

	set_u32le(seq, st->seq);
	if (ntlm_hmac_md5(mac, st->sign_key, parts, 2, e) != 0)
		return -1;
	memcpy(out, mac, CHECKSUM_LEN);
	return 0;
}

static int
signature(const struct ntlm_session *s, struct ntlm_stream *st, uint8_t sum[CHECKSUM_LEN],
    uint8_t sig[NTLM_SIG_LEN], struct err *e)
{
	if (s->key_exch && ntlm_rc4_apply(st->rc4, sum, CHECKSUM_LEN, e) != 0)
		return -1;
	set_u32le(sig, SIG_VERSION);
	memcpy(sig + 4, sum, CHECKSUM_LEN);
	set_u32le(sig + 12, st->seq);
	return 0;
}

int
ntlm_session_protect(struct ntlm_session *s, struct bytes msg, uint8_t *body, size_t body_len, bool seal,
    uint8_t sig[NTLM_SIG_LEN], struct err *e)
{
	uint8_t sum[CHECKSUM_LEN];

	if (checksum(&s->tx, msg, sum, e) != 0 ||
	    (seal && ntlm_rc4_apply(s->tx.rc4, body, body_len, e) != 0) ||
	    signature(s, &s->tx, sum, sig, e) != 0)
		return -1;
	s->tx.seq++;
	return 0;
}

int
ntlm_session_unprotect(struct ntlm_session *s, struct bytes msg, uint8_t *body, size_t body_len, bool seal,
    struct bytes sig, struct err *e)
{
	uint8_t sum[CHECKSUM_LEN], expected[NTLM_SIG_LEN];

	if (sig.len != NTLM_SIG_LEN)
		return ERR(e, SEC_E_MESSAGE_ALTERED, "NTLM signature of %zu octets", sig.len);
	if ((seal && ntlm_rc4_apply(s->rx.rc4, body, body_len, e) != 0) ||
	    checksum(&s->rx, msg, sum, e) != 0 || signature(s, &s->rx, sum, expected, e) != 0)
		return -1;
	if (CRYPTO_memcmp(expected, sig.p, NTLM_SIG_LEN) != 0)
		return ERR(e, SEC_E_MESSAGE_ALTERED,
		    "NTLM signature is wrong (sequence number %u sent, %u expected)", get_u32le(sig.p + 12),
		    s->rx.seq);
	s->rx.seq++;
	return 0;
}

int
ntlm_session_list_mic(struct ntlm_session *s, struct bytes list, uint8_t sig[NTLM_SIG_LEN], struct err *e)
{
	if (ntlm_session_protect(s, list, NULL, 0, false, sig, e) != 0)
		return -1;
	return ntlm_rc4_rekey(s->tx.rc4, s->tx.seal_key, e);
}

int
ntlm_session_check_list_mic(struct ntlm_session *s, struct bytes list, struct bytes sig, struct err *e)
{
	if (ntlm_session_unprotect(s, list, NULL, 0, false, sig, e) != 0)
		return err_prefix(e, "mechListMIC");
	return ntlm_rc4_rekey(s->rx.rc4, s->rx.seal_key, e);
}
