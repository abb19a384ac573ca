#include "auth/ntlm_hash.h"

#include <string.h>

#include <openssl/crypto.h>

#include "auth/ntlm_crypto_priv.h"
#include "auth/ntlm_message_priv.h"
#include "base/text.h"

#define PASSWORD_MAX 1024             /* octets of UTF-16; Windows ends at 256 characters */
#define NTLMV2_RESPONSE_MIN (16 + 28) /* NTProofStr and the fixed part of the blob, MS-NLMP 2.2.2.8 */

int
ntlm_hash_password(uint8_t out[16], const char *utf8_password, struct err *e)
{
	struct buf wide;
	int ret = -1;

	buf_init(&wide, PASSWORD_MAX);
	if (text_utf8_to_utf16le(&wide, utf8_password, strlen(utf8_password), e) != 0)
		goto out;
	if (!buf_ok(&wide)) {
		ret = ERR(e, E_INVALIDARG, "password longer than %d characters", PASSWORD_MAX / 2);
		goto out;
	}
	ret = ntlm_md4(out, buf_bytes(&wide), e);
out:
	buf_wipe(&wide);
	return ret;
}

/* NTOWFv2 for one reading of the domain, and whether the response fits it. 1 yes, 0 no, -1 trouble. */
static int
proof_fits(const struct auth_ntlm_proof *proof, struct bytes domain, const uint8_t nt_hash[16],
    uint8_t session_base_key[16], struct err *e)
{
	const struct bytes identity[] = { proof->user_upper_utf16, domain };
	const struct bytes signed_parts[] = {
		{ proof->server_challenge, sizeof(proof->server_challenge) },
		{ proof->nt_response.p + 16, proof->nt_response.len - 16 },
	};
	uint8_t response_key[16], nt_proof[16], base_key[16];
	const struct bytes nt_proof_part = { nt_proof, sizeof(nt_proof) };
	int ret = -1;

	if (ntlm_hmac_md5(response_key, nt_hash, identity, 2, e) != 0 ||
	    ntlm_hmac_md5(nt_proof, response_key, signed_parts, 2, e) != 0 ||
	    ntlm_hmac_md5(base_key, response_key, &nt_proof_part, 1, e) != 0)
		goto out;
	ret = CRYPTO_memcmp(nt_proof, proof->nt_response.p, 16) == 0;
	if (ret == 1)
		memcpy(session_base_key, base_key, 16);
out:
	OPENSSL_cleanse(response_key, sizeof(response_key));
	OPENSSL_cleanse(nt_proof, sizeof(nt_proof));
	OPENSSL_cleanse(base_key, sizeof(base_key));
	return ret;
}

int
ntlm_check_proof(const struct auth_ntlm_proof *proof, const uint8_t nt_hash[16], uint8_t session_base_key[16],
    struct err *e)
{
	int fits;

	if (proof->nt_response.len == NTLMV1_RESPONSE_LEN)
		return ERR(e, E_LOGON_FAILURE, "NTLMv1 response refused; the client must use NTLMv2");
	if (proof->nt_response.len < NTLMV2_RESPONSE_MIN)
		return ERR(e, E_LOGON_FAILURE, "NTLM response of %zu octets is no NTLMv2 response",
		    proof->nt_response.len);
	fits = proof_fits(proof, proof->domain_utf16, nt_hash, session_base_key, e);
	/* Some clients leave the domain out of the hash, though they send one (MS-NLMP 3.2.5.1.2). */
	if (fits == 0 && proof->domain_utf16.len > 0)
		fits = proof_fits(proof, (struct bytes){ NULL, 0 }, nt_hash, session_base_key, e);
	if (fits < 0)
		return -1;
	return fits == 1 ? 0
			 : ERR(e, E_LOGON_FAILURE, "wrong password (the NTLMv2 response does not verify)");
}
