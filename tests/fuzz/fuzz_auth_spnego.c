/*
 * SPNEGO tokens as a client sends them: as the first one, and after a list with NTLM alone or behind Kerberos.
 * Planted bug: ADCSD_PLANTED_BUG_AUTH_SPNEGO, a mechListMIC of any length is copied.
 */
#include "auth/spnego_token_priv.h"
#include "auth_acceptor.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t ntlm_only[] = {
	0xa0, 0x28, 0x30, 0x26, 0xa0, 0x0e, 0x30, 0x0c, 0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02,
	0x0a, 0xa2, 0x14, 0x04, 0x12, 'N', 'T', 'L', 'M', 'S', 'S', 'P', 0, 1, 0, 0, 0, 0x35, 0x82, 0x08, 0xe2, 0, 0,
};
static const uint8_t krb5_first[] = {
	0xa0, 0x1d, 0x30, 0x1b, 0xa0, 0x19, 0x30, 0x17, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02,
	0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0a,
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct bytes first[] = { { ntlm_only, sizeof(ntlm_only) }, { krb5_first, sizeof(krb5_first) } };
	struct bytes token = { data, size }, oid;
	struct spnego_init init;
	struct spnego_resp resp;
	struct err e;

	if (spnego_init_parse(token, &init, &e) == 0) {
		struct der list = spnego_mech_first(init.mech_list);

		while (spnego_mech_next(&list, &oid))
			continue;
	}
	(void)!spnego_resp_parse(token, &resp, &e);
	run_acceptor(AUTH_MECH_SPNEGO, NULL, token);
	for (size_t i = 0; i < ARRAY_LEN(first); i++)
		run_acceptor(AUTH_MECH_SPNEGO, &first[i], token);
	return 0;
}
