#include "auth/spnego_priv.h"

static struct auth_ctx *
inner(const struct auth_ctx *c)
{
	return ((const struct spnego_ctx *)c)->inner;
}

void
spnego_unreadable(struct err *e)
{
	e->hr = SEC_E_INVALID_TOKEN;
	(void)err_prefix(e, "SPNEGO");
}

void
spnego_fini(struct auth_ctx *c)
{
	struct spnego_ctx *s = (struct spnego_ctx *)c;

	auth_ctx_free(s->inner);
	buf_fini(&s->mech_list);
}

bool
spnego_can_sign(const struct auth_ctx *c)
{
	return auth_ctx_can_sign(inner(c));
}

bool
spnego_can_seal(const struct auth_ctx *c)
{
	return auth_ctx_can_seal(inner(c));
}

size_t
spnego_sig_len(const struct auth_ctx *c, bool seal)
{
	return auth_ctx_sig_len(inner(c), seal);
}

int
spnego_protect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len, bool seal,
    bool header_signing, uint8_t *sig, struct err *e)
{
	return auth_ctx_protect(inner(c), pdu, len, body_off, body_len, seal, header_signing, sig, e);
}

int
spnego_unprotect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len, bool seal,
    bool header_signing, struct bytes sig, struct err *e)
{
	return auth_ctx_unprotect(inner(c), pdu, len, body_off, body_len, seal, header_signing, sig, e);
}
