/*
 * Messages of a Kerberos context, of either side. They are protected by GSS_WrapEx and GSS_GetMICEx (MS-KILE
 * 3.4.5.4, .6) with the buffers that Windows hands to SSPI: the token, the PDU's header and sec_trailer
 * signed only, the body sealed.
 */
#include "auth/kerberos_ctx_priv.h"

#include <string.h>

static struct kerberos_ctx *
kerberos(struct auth_ctx *c)
{
	return (struct kerberos_ctx *)c;
}

static const struct kerberos_ctx *
kerberos_const(const struct auth_ctx *c)
{
	return (const struct kerberos_ctx *)c;
}

/* How long tokens will be; they do not depend on the message's length, since nothing is padded in DCE style
 * and callers pad the body. */
int
kerberos_ctx_measure(struct kerberos_ctx *k, struct err *e)
{
	gss_iov_buffer_desc seal[] = {
		{ .type = GSS_IOV_BUFFER_TYPE_HEADER },
		{ .type = GSS_IOV_BUFFER_TYPE_SIGN_ONLY },
		{ .type = GSS_IOV_BUFFER_TYPE_DATA, .buffer = { .length = 16 } },
		{ .type = GSS_IOV_BUFFER_TYPE_SIGN_ONLY },
	};
	gss_iov_buffer_desc sign[] = {
		{ .type = GSS_IOV_BUFFER_TYPE_DATA, .buffer = { .length = 16 } },
		{ .type = GSS_IOV_BUFFER_TYPE_MIC_TOKEN },
	};
	OM_uint32 major, minor;

	if ((k->flags & GSS_C_INTEG_FLAG) == 0 || (k->flags & GSS_C_DCE_STYLE) == 0)
		return 0;
	major = gss_get_mic_iov_length(&minor, k->gss, GSS_C_QOP_DEFAULT, sign, ARRAY_LEN(sign));
	if (GSS_ERROR(major) != 0)
		return kerberos_error(e, "length of a signature", major, minor);
	k->sign_len = sign[1].buffer.length;
	if ((k->flags & GSS_C_CONF_FLAG) != 0) {
		major =
		    gss_wrap_iov_length(&minor, k->gss, 1, GSS_C_QOP_DEFAULT, NULL, seal, ARRAY_LEN(seal));
		if (GSS_ERROR(major) != 0)
			return kerberos_error(e, "length of a sealing token", major, minor);
		k->seal_len = seal[0].buffer.length;
	}
	if (k->sign_len > AUTH_SIG_MAX || k->seal_len > AUTH_SIG_MAX)
		return ERR(
		    e, E_UNEXPECTED, "Kerberos: tokens of %zu and %zu octets", k->sign_len, k->seal_len);
	return 0;
}

void
kerberos_ctx_fini(struct kerberos_ctx *k)
{
	OM_uint32 minor;

	(void)gss_delete_sec_context(&minor, &k->gss, GSS_C_NO_BUFFER);
}

const char *
kerberos_ctx_package(const struct auth_ctx *c)
{
	(void)c;
	return "Kerberos";
}

/* ---- messages ---- */

bool
kerberos_ctx_can_sign(const struct auth_ctx *c)
{
	return (kerberos_const(c)->flags & GSS_C_INTEG_FLAG) != 0;
}

bool
kerberos_ctx_can_seal(const struct auth_ctx *c)
{
	return (kerberos_const(c)->flags & GSS_C_CONF_FLAG) != 0;
}

size_t
kerberos_ctx_sig_len(const struct auth_ctx *c, bool seal)
{
	return seal ? kerberos_const(c)->seal_len : kerberos_const(c)->sign_len;
}

/* The PDU as GSSAPI's buffers. Without header signing what surrounds the body has no octets. */
struct pdu_iov {
	gss_iov_buffer_desc seal[4]; /* token, header, body, sec_trailer */
	gss_iov_buffer_desc sign[2]; /* all that is signed, token */
};

static void
lay_out(struct pdu_iov *v, uint8_t *pdu, size_t len, size_t body_off, size_t body_len, bool header_signing,
    uint8_t *sig, size_t sig_len)
{
	size_t before = header_signing ? body_off : 0;
	size_t after = header_signing ? len - body_off - body_len : 0;

	v->seal[0] = (gss_iov_buffer_desc){ GSS_IOV_BUFFER_TYPE_HEADER, { sig_len, sig } };
	v->seal[1] = (gss_iov_buffer_desc){ GSS_IOV_BUFFER_TYPE_SIGN_ONLY, { before, pdu } };
	v->seal[2] = (gss_iov_buffer_desc){ GSS_IOV_BUFFER_TYPE_DATA, { body_len, pdu + body_off } };
	v->seal[3] =
	    (gss_iov_buffer_desc){ GSS_IOV_BUFFER_TYPE_SIGN_ONLY, { after, pdu + body_off + body_len } };
	v->sign[0] = (gss_iov_buffer_desc){ GSS_IOV_BUFFER_TYPE_DATA,
		{ before + body_len + after, pdu + body_off - before } };
	v->sign[1] = (gss_iov_buffer_desc){ GSS_IOV_BUFFER_TYPE_MIC_TOKEN, { sig_len, sig } };
}

int
kerberos_ctx_protect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len,
    bool seal, bool header_signing, uint8_t *sig, struct err *e)
{
	struct kerberos_ctx *k = kerberos(c);
	size_t sig_len = kerberos_ctx_sig_len(c, seal), made;
	OM_uint32 major, minor;
	struct pdu_iov v;
	int conf = 0;

	lay_out(&v, pdu, len, body_off, body_len, header_signing, sig, sig_len);
	if (seal)
		major = gss_wrap_iov(&minor, k->gss, 1, GSS_C_QOP_DEFAULT, &conf, v.seal, ARRAY_LEN(v.seal));
	else
		major = gss_get_mic_iov(&minor, k->gss, GSS_C_QOP_DEFAULT, v.sign, ARRAY_LEN(v.sign));
	if (GSS_ERROR(major) != 0)
		return kerberos_error(e, seal ? "sealing" : "signing", major, minor);
	made = seal ? v.seal[0].buffer.length : v.sign[1].buffer.length;
	if (made != sig_len || (seal && !conf))
		return ERR(e, E_UNEXPECTED, "Kerberos: a token of %zu octets in place of %zu", made, sig_len);
	return 0;
}

int
kerberos_ctx_unprotect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len,
    bool seal, bool header_signing, struct bytes sig, struct err *e)
{
	struct kerberos_ctx *k = kerberos(c);
	uint8_t token[AUTH_SIG_MAX]; /* MIT turns it in place */
	OM_uint32 major, minor;
	struct pdu_iov v;
	int conf = 0;

	if (sig.len == 0 || sig.len > sizeof(token))
		return ERR(e, SEC_E_MESSAGE_ALTERED, "Kerberos: a message token of %zu octets", sig.len);
	memcpy(token, sig.p, sig.len);
	lay_out(&v, pdu, len, body_off, body_len, header_signing, token, sig.len);
	if (seal)
		major = gss_unwrap_iov(&minor, k->gss, &conf, NULL, v.seal, ARRAY_LEN(v.seal));
	else
		major = gss_verify_mic_iov(&minor, k->gss, NULL, v.sign, ARRAY_LEN(v.sign));
	if (GSS_ERROR(major) != 0) {
		(void)kerberos_error(e, "message", major, minor);
		e->hr = SEC_E_MESSAGE_ALTERED;
		return -1;
	}
	if (seal && !conf)
		return ERR(e, SEC_E_MESSAGE_ALTERED, "Kerberos: the message is signed, not sealed");
	/* A connection keeps the order, so what is out of it was put there. */
	if ((major & (GSS_S_DUPLICATE_TOKEN | GSS_S_OLD_TOKEN | GSS_S_UNSEQ_TOKEN | GSS_S_GAP_TOKEN)) != 0)
		return ERR(e, SEC_E_MESSAGE_ALTERED, "Kerberos: message out of sequence");
	return 0;
}

/* ---- inside SPNEGO ---- */

int
kerberos_ctx_list_mic_put(struct auth_ctx *c, struct bytes list, struct buf *out, struct err *e)
{
	gss_buffer_desc message = kerberos_gss(list), mic = GSS_C_EMPTY_BUFFER;
	OM_uint32 major, minor;

	major = gss_get_mic(&minor, kerberos(c)->gss, GSS_C_QOP_DEFAULT, &message, &mic);
	if (GSS_ERROR(major) != 0)
		return kerberos_error(e, "mechListMIC", major, minor);
	buf_put_bytes(out, kerberos_bytes(&mic));
	kerberos_release(&mic);
	return 0;
}

int
kerberos_ctx_list_mic_check(struct auth_ctx *c, struct bytes list, struct bytes mic, struct err *e)
{
	gss_buffer_desc message = kerberos_gss(list), token = kerberos_gss(mic);
	OM_uint32 major, minor;

	major = gss_verify_mic(&minor, kerberos(c)->gss, &message, &token, NULL);
	if (GSS_ERROR(major) == 0)
		return 0;
	(void)kerberos_error(e, "mechListMIC", major, minor);
	e->hr = SEC_E_MESSAGE_ALTERED;
	return -1;
}
