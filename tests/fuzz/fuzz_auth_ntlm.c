/*
 * NTLM messages as a client sends them: NEGOTIATE, AUTHENTICATE with its NTLMv2 response, in either character set.
 * Planted bug: ADCSD_PLANTED_BUG_AUTH_NTLM, the length of an AV pair is believed.
 */
#include "auth/ntlm_message_priv.h"
#include "auth_acceptor.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory of its own, so that a sanitizer sees the end of the response, not only that of the message. */
static void
parse_response(struct bytes nt)
{
	struct ntlmv2_response v2;
	struct err e;
	uint8_t *copy = malloc(nt.len + 1);

	if (copy == NULL)
		return;
	memcpy(copy + 1, nt.p, nt.len);
	(void)!ntlmv2_response_parse((struct bytes){ copy + 1, nt.len }, &v2, &e);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t unicode[] = "NTLMSSP\0\1\0\0\0\x35\x82\x08\xe2", oem[] = "NTLMSSP\0\1\0\0\0\x36\x82\x08\xe2";
	const struct bytes negotiate[] = { { unicode, sizeof(unicode) - 1 }, { oem, sizeof(oem) - 1 } };
	struct bytes token = { data, size };
	struct ntlm_authenticate msg;
	uint32_t flags;
	struct err e;

	if (ntlm_authenticate_parse(token, &msg, &e) == 0)
		parse_response(msg.nt_response);
	if (ntlm_negotiate_parse(token, &flags, &e) == 0)
		run_acceptor(AUTH_MECH_NTLM, NULL, token);
	else
		run_acceptor(AUTH_MECH_NTLM, &negotiate[size % 2], token);
	return 0;
}
