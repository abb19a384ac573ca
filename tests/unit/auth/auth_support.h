/* What the tests of the acceptors share: octets from hex, an authority that does as told, an NTLM initiator. */
#ifndef TESTS_AUTH_AUTH_SUPPORT_H
#define TESTS_AUTH_AUTH_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "auth/auth.h"
#include "auth/ntlm_hash.h"
#include "auth/ntlm_message_priv.h"
#include "auth/ntlm_session_priv.h"
#include "base/text.h"
#include "ntlm_golden.h"

#define SUPPORT __attribute__((unused)) static

SUPPORT const struct auth_names test_names = { "CA01", "CORP", "ca01.corp.contoso.com", "corp.contoso.com",
	"corp.contoso.com" };

SUPPORT struct buf
octets(const char *hex)
{
	struct err e = { 0 };
	struct buf b;

	buf_init(&b, 1 << 20);
	if (text_parse_hex(&b, hex, &e) != 0 || !buf_ok(&b))
		fail_msg("bad hex in the test: %s", e.msg);
	return b;
}

SUPPORT struct buf
utf16(const char *s)
{
	struct err e = { 0 };
	struct buf b;

	buf_init(&b, 1 << 20);
	if (text_utf8_to_utf16le(&b, s, strlen(s), &e) != 0)
		fail_msg("bad text in the test: %s", e.msg);
	return b;
}

#define assert_octets(b, hex)                                                                                   \
	do {                                                                                                    \
		struct buf want_ = octets(hex), got_;                                                           \
		buf_init(&got_, 1 << 20);                                                                       \
		text_put_hex(&got_, (b));                                                                       \
		if (!bytes_equal((b), buf_bytes(&want_)))                                                       \
			print_error("got %s\n", buf_cstr(&got_));                                               \
		assert_true(bytes_equal((b), buf_bytes(&want_)));                                               \
		buf_fini(&want_);                                                                               \
		buf_fini(&got_);                                                                                \
	} while (0)

/* ---- an authority with one account ---- */

struct test_authority {
	struct auth_authority vtable;
	const char *password;
	bool deferred;       /* answers when authority_answer() is called */
	const struct auth_ntlm_proof *proof; /* of the last question */
	auth_verdict_fn *cb;
	void *cb_arg;
	unsigned asked, cancelled;
};

SUPPORT void
authority_answer(struct test_authority *t)
{
	struct auth_verdict v = { .token = NULL };
	auth_verdict_fn *cb = t->cb;
	struct err e = { 0 };
	uint8_t hash[16];

	t->cb = NULL;
	if (ntlm_hash_password(hash, t->password, &e) != 0 ||
	    ntlm_check_proof(t->proof, hash, v.session_base_key, &e) != 0) {
		cb(t->cb_arg, NULL, &e);
		return;
	}
	v.token = token_new("CORP\\janedoe", "CN=janedoe", NULL, false);
	assert_non_null(v.token);
	cb(t->cb_arg, &v, NULL);
}

SUPPORT void *
authority_verify(void *ctx, const struct auth_ntlm_proof *proof, auth_verdict_fn *cb, void *arg)
{
	struct test_authority *t = ctx;

	t->asked++;
	t->proof = proof;
	t->cb = cb;
	t->cb_arg = arg;
	if (t->deferred)
		return t;
	authority_answer(t);
	return NULL;
}

SUPPORT void
authority_cancel(void *ctx, void *handle)
{
	struct test_authority *t = ctx;

	assert_ptr_equal(handle, t);
	assert_non_null(t->cb);
	t->cb = NULL;
	t->cancelled++;
}

SUPPORT void
authority_init(struct test_authority *t)
{
	memset(t, 0, sizeof(*t));
	t->vtable = (struct auth_authority){ .ctx = t, .ntlm_verify = authority_verify, .cancel = authority_cancel };
	t->password = "Passw0rd!";
}

/* ---- what a step said ---- */

struct step_result {
	unsigned calls;
	enum auth_state state;
	struct buf answer;
	struct err e;
	struct auth_ctx *free_it; /* freed inside the callback */
};

SUPPORT void
on_step(void *arg, enum auth_state st, struct bytes answer, const struct err *e)
{
	struct step_result *r = arg;

	if (r->free_it != NULL)
		auth_ctx_free(r->free_it);
	r->calls++;
	r->state = st;
	buf_reset(&r->answer);
	buf_put_bytes(&r->answer, answer); /* after the context has gone: must still be there */
	assert_int_equal(e != NULL, st == AUTH_FAILED);
	if (e != NULL)
		r->e = *e;
}

SUPPORT void
result_init(struct step_result *r)
{
	memset(r, 0, sizeof(*r));
	buf_init(&r->answer, 1 << 20);
}

/* ---- an initiator, right unless told otherwise: what is left 0 takes its usual value ---- */

#define NO_SESSION_KEY SIZE_MAX

struct initiator {
	const char *user, *domain, *password;
	const char *oem_user;    /* octets to send for the user, when the OEM form differs from UTF-8 */
	uint32_t flags;          /* offered, and repeated in AUTHENTICATE */
	uint32_t dropped;        /* left out of the flags of AUTHENTICATE */
	bool mic;                /* MsvAvFlags and a MIC */
	bool wrong_mic;
	bool no_domain_in_hash;  /* the mistake of MS-NLMP 3.2.5.1.2 */
	const char *nt_response; /* hex instead of a right one; "" for none */
	const char *lm_response; /* hex; 24 zero octets when NULL */
	size_t session_key_len;  /* of EncryptedRandomSessionKey; 16, NO_SESSION_KEY or a wrong one */
	uint8_t exported_key[16];
};

#define INITIATOR_FLAGS 0xe2088235u /* what Windows offers, but LM_KEY and OEM */

SUPPORT struct initiator
initiator_of(struct initiator i)
{
	i.user = i.user != NULL ? i.user : "janedoe";
	i.domain = i.domain != NULL ? i.domain : "CORP";
	i.password = i.password != NULL ? i.password : "Passw0rd!";
	i.flags = i.flags != 0 ? i.flags : INITIATOR_FLAGS;
	i.session_key_len = i.session_key_len != 0 ? i.session_key_len : 16;
	return i;
}

SUPPORT void
put_negotiate(struct buf *out, uint32_t flags)
{
	buf_put(out, "NTLMSSP", 8);
	buf_put_u32le(out, 1);
	buf_put_u32le(out, flags);
	buf_put_zero(out, 16);
}

/* TargetInfo of the challenge without its end, then our own pairs. */
SUPPORT void
put_client_pairs(struct buf *out, struct bytes challenge, bool mic)
{
	size_t len = get_u16le(challenge.p + 40), off = get_u32le(challenge.p + 44);

	buf_put(out, challenge.p + off, len - 4);
	if (mic) {
		buf_put_u16le(out, MsvAvFlags);
		buf_put_u16le(out, 4);
		buf_put_u32le(out, NTLM_AV_FLAG_MIC);
	}
	buf_put_u32le(out, 0);
	buf_put_u32le(out, 0);
}

SUPPORT void
make_nt_response(const struct initiator *i, struct bytes challenge, struct buf *out, uint8_t base_key[16])
{
	static const uint8_t fixed[28] = { 1, 1 };
	struct buf identity = utf16(i->user), domain = utf16(i->no_domain_in_hash ? "" : i->domain), blob;
	uint8_t hash[16], key[16], proof[16];
	struct bytes id, parts[] = { { challenge.p + 24, 8 }, { NULL, 0 } }, proof_part = { proof, 16 };
	struct err e = { 0 };

	for (size_t k = 0; k < identity.len; k += 2)
		set_u16le(identity.p + k, text_upper_unit(get_u16le(identity.p + k)));
	buf_put_bytes(&identity, buf_bytes(&domain));
	buf_init(&blob, 4096);
	buf_put(&blob, fixed, sizeof(fixed));
	put_client_pairs(&blob, challenge, i->mic);
	id = buf_bytes(&identity);
	parts[1] = buf_bytes(&blob);
	assert_int_equal(ntlm_hash_password(hash, i->password, &e), 0);
	assert_int_equal(ntlm_hmac_md5(key, hash, &id, 1, &e), 0);
	assert_int_equal(ntlm_hmac_md5(proof, key, parts, 2, &e), 0);
	assert_int_equal(ntlm_hmac_md5(base_key, key, &proof_part, 1, &e), 0);
	buf_put(out, proof, 16);
	buf_put_bytes(out, buf_bytes(&blob));
	buf_fini(&identity);
	buf_fini(&domain);
	buf_fini(&blob);
}

SUPPORT struct buf
charset_text(const struct initiator *i, const char *s)
{
	struct buf b;

	if ((i->flags & NTLMSSP_NEGOTIATE_UNICODE) != 0)
		return utf16(s);
	buf_init(&b, 4096);
	buf_put_str(&b, s);
	return b;
}

SUPPORT void
put_payload_field(struct buf *head, struct buf *payload, struct bytes v, size_t payload_off)
{
	buf_put_u16le(head, (uint16_t)v.len);
	buf_put_u16le(head, (uint16_t)v.len);
	buf_put_u32le(head, (uint32_t)(payload_off + payload->len));
	buf_put_bytes(payload, v);
}

/* AUTHENTICATE as the answer to a challenge; negotiate is wanted for the MIC. */
SUPPORT void
put_authenticate(struct initiator *i, struct bytes negotiate, struct bytes challenge, struct buf *out)
{
	size_t payload_off = i->mic ? 88 : 64;
	struct buf payload, nt, lm = octets(i->lm_response != NULL ? i->lm_response :
	    "000000000000000000000000000000000000000000000000");
	struct buf user = charset_text(i, i->oem_user != NULL ? i->oem_user : i->user);
	struct buf domain = charset_text(i, i->domain);
	uint8_t base_key[16] = { 0 }, sent_key[64] = { 0 }, mic[16];
	struct err e = { 0 };

	buf_init(&payload, 1 << 16);
	buf_init(&nt, 1 << 16);
	make_nt_response(i, challenge, &nt, base_key);
	if (i->nt_response != NULL) {
		buf_fini(&nt);
		nt = octets(i->nt_response);
	}
	if (i->session_key_len == NO_SESSION_KEY) {
		memcpy(i->exported_key, base_key, 16);
	} else {
		EVP_CIPHER_CTX *rc4 = ntlm_rc4_new(base_key, &e);

		memset(i->exported_key, 0x5a, 16);
		memcpy(sent_key, i->exported_key, 16);
		assert_int_equal(ntlm_rc4_apply(rc4, sent_key, 16, &e), 0);
		EVP_CIPHER_CTX_free(rc4);
	}
	buf_put(out, "NTLMSSP", 8);
	buf_put_u32le(out, 3);
	put_payload_field(out, &payload, buf_bytes(&lm), payload_off);
	put_payload_field(out, &payload, buf_bytes(&nt), payload_off);
	put_payload_field(out, &payload, buf_bytes(&domain), payload_off);
	put_payload_field(out, &payload, buf_bytes(&user), payload_off);
	put_payload_field(out, &payload, (struct bytes){ NULL, 0 }, payload_off);
	put_payload_field(out, &payload,
	    (struct bytes){ sent_key, i->session_key_len == NO_SESSION_KEY ? 0 : i->session_key_len }, payload_off);
	buf_put_u32le(out, i->flags & ~i->dropped);
	buf_put_zero(out, payload_off - out->len);
	buf_put_bytes(out, buf_bytes(&payload));
	if (i->mic) {
		const struct bytes parts[] = { negotiate, challenge, buf_bytes(out) };

		assert_int_equal(ntlm_hmac_md5(mic, i->exported_key, parts, 3, &e), 0);
		memcpy(out->p + 72, mic, 16);
		out->p[72] ^= i->wrong_mic;
	}
	buf_fini(&payload);
	buf_fini(&nt);
	buf_fini(&lm);
	buf_fini(&user);
	buf_fini(&domain);
}

#endif
