/*
 * Kerberos acceptor (RFC 4121, MS-KILE, MS-RPCE 2.2.1.1.7) over MIT's GSSAPI. Over RPC: AP-REQ in, AP-REP
 * out, the client's AP-REP in. Messages are protected by GSS_WrapEx and GSS_GetMICEx (MS-KILE 3.4.5.4, .6)
 * with the buffers that Windows hands to SSPI: the token, the PDU's header and sec_trailer signed only, the
 * body sealed.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/auth_priv.h"
#include "auth/kerberos_priv.h"
#include "base/log.h"

#define LOGON_INFO "urn:mspac:logon-info"

struct kerberos_acceptor {
	struct auth_ctx base;
	const struct auth_authority *authority;
	bool begun; /* the first token has been looked at */
	gss_ctx_id_t gss;
	OM_uint32 flags;           /* of the finished context */
	size_t sign_len, seal_len; /* octets of a message's token */
	gss_buffer_desc last;      /* answer to the last leg, kept for the verdict */
	gss_buffer_desc name, pac; /* what proof points into */
	struct auth_kerberos_proof proof;
	void *handle; /* of the authority's check under way */
};

static struct kerberos_acceptor *
acceptor(struct auth_ctx *c)
{
	return (struct kerberos_acceptor *)c;
}

static const struct kerberos_acceptor *
acceptor_const(const struct auth_ctx *c)
{
	return (const struct kerberos_acceptor *)c;
}

static struct bytes
bytes_of(const gss_buffer_desc *b)
{
	return (struct bytes){ b->value, b->length };
}

static gss_buffer_desc
gss_of(struct bytes b)
{
	return (gss_buffer_desc){ b.len, (void *)(uintptr_t)b.p };
}

static void
release(gss_buffer_desc *b)
{
	OM_uint32 minor;

	(void)gss_release_buffer(&minor, b);
}

/* ---- who it is ---- */

/* MIT names a PAC's parts also when the signature is wrong, but then hands none out. */
static bool
has_logon_info(gss_name_t client)
{
	gss_buffer_set_t names = GSS_C_NO_BUFFER_SET;
	bool found = false;
	OM_uint32 minor;
	int is_mech;

	if (GSS_ERROR(gss_inquire_name(&minor, client, &is_mech, NULL, &names)) != 0)
		return false;
	for (size_t i = 0; names != GSS_C_NO_BUFFER_SET && i < names->count; i++)
		found = found ||
		    bytes_equal(bytes_of(&names->elements[i]),
			(struct bytes){ (const uint8_t *)LOGON_INFO, sizeof(LOGON_INFO) - 1 });
	(void)gss_release_buffer_set(&minor, &names);
	return found;
}

/* The PAC's logon information, when there is a PAC and the service's own key has signed it. */
static int
take_logon_info(struct kerberos_acceptor *a, gss_name_t client, struct err *e)
{
	gss_buffer_desc attribute = { sizeof(LOGON_INFO) - 1, (void *)(uintptr_t)LOGON_INFO };
	int authenticated = 0, complete = 0, more = -1;
	OM_uint32 major, minor;

	major = gss_get_name_attribute(
	    &minor, client, &attribute, &authenticated, &complete, &a->pac, NULL, &more);
	if (major == GSS_S_UNAVAILABLE && !has_logon_info(client))
		return 0;
	if (GSS_ERROR(major) != 0 && major != GSS_S_UNAVAILABLE)
		return kerberos_error(e, "PAC", major, minor);
	if (GSS_ERROR(major) != 0 || !authenticated)
		return ERR(e, SEC_E_LOGON_DENIED, "Kerberos: the PAC's signature is wrong (MS-PAC 2.8)");
	a->proof.logon_info = bytes_of(&a->pac);
	return 0;
}

static int
take_client(struct kerberos_acceptor *a, gss_name_t client, struct err *e)
{
	gss_buffer_desc shown = GSS_C_EMPTY_BUFFER;
	OM_uint32 major, minor;
	char *text, *realm;

	major = gss_display_name(&minor, client, &shown, NULL);
	if (GSS_ERROR(major) != 0)
		return kerberos_error(e, "client name", major, minor);
	if (memchr(shown.value, '\0', shown.length) != NULL) {
		release(&shown);
		return ERR(e, SEC_E_LOGON_DENIED, "Kerberos: a NUL in the client's name");
	}
	text = strndup(shown.value, shown.length);
	release(&shown);
	if (text == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the client's name");
	a->name = (gss_buffer_desc){ 0, text };
	if (!kerberos_split_name(text, &realm))
		return ERR(e, SEC_E_LOGON_DENIED, "Kerberos: client %.80s has no realm", text);
	a->proof.name = text;
	a->proof.realm = realm;
	return take_logon_info(a, client, e);
}

/* How long tokens will be; they do not depend on the message's length, since nothing is padded in DCE style
 * and callers pad the body. */
static int
measure(struct kerberos_acceptor *a, struct err *e)
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

	if ((a->flags & GSS_C_INTEG_FLAG) == 0 || (a->flags & GSS_C_DCE_STYLE) == 0)
		return 0;
	major = gss_get_mic_iov_length(&minor, a->gss, GSS_C_QOP_DEFAULT, sign, ARRAY_LEN(sign));
	if (GSS_ERROR(major) != 0)
		return kerberos_error(e, "length of a signature", major, minor);
	a->sign_len = sign[1].buffer.length;
	if ((a->flags & GSS_C_CONF_FLAG) != 0) {
		major =
		    gss_wrap_iov_length(&minor, a->gss, 1, GSS_C_QOP_DEFAULT, NULL, seal, ARRAY_LEN(seal));
		if (GSS_ERROR(major) != 0)
			return kerberos_error(e, "length of a sealing token", major, minor);
		a->seal_len = seal[0].buffer.length;
	}
	if (a->sign_len > AUTH_SIG_MAX || a->seal_len > AUTH_SIG_MAX)
		return ERR(
		    e, E_UNEXPECTED, "Kerberos: tokens of %zu and %zu octets", a->sign_len, a->seal_len);
	return 0;
}

/* ---- legs ---- */

static void
on_verdict(void *arg, const struct auth_verdict *v, const struct err *why)
{
	struct kerberos_acceptor *a = arg;
	gss_buffer_desc answer = a->last; /* outlives the context, which the callback may free */

	a->handle = NULL;
	a->last = (gss_buffer_desc)GSS_C_EMPTY_BUFFER;
	if (v == NULL) {
		auth_step_done(&a->base, AUTH_FAILED, (struct bytes){ NULL, 0 }, why);
	} else {
		a->base.token = v->token;
		auth_step_done(&a->base, AUTH_COMPLETE, bytes_of(&answer), NULL);
	}
	release(&answer);
}

/* Takes the client's token to MIT. *out and *client are the caller's to release, whatever comes of it. */
static int
accept_token(struct kerberos_acceptor *a, struct bytes token, gss_name_t *client, gss_buffer_desc *out,
    bool *more, struct err *e)
{
	gss_buffer_desc in;
	OM_uint32 major, minor;
	struct buf framed;
	int ret = 0;

	buf_init(&framed, AUTH_TOKEN_MAX + 64);
	if (!a->begun && kerberos_reframe(a->authority->dce_style, &token, &framed, e) != 0) {
		buf_fini(&framed);
		return -1;
	}
	a->begun = true;
	in = gss_of(token);
	major = gss_accept_sec_context(&minor, &a->gss, a->authority->kerberos->cred, &in,
	    GSS_C_NO_CHANNEL_BINDINGS, client, NULL, out, &a->flags, NULL, NULL);
	buf_fini(&framed);
	*more = (major & GSS_S_CONTINUE_NEEDED) != 0;
	if (GSS_ERROR(major) != 0)
		ret = kerberos_error(e, "ticket", major, minor);
	return ret;
}

/* One leg; 1: the authority is to be asked now. */
static int
take_leg(struct kerberos_acceptor *a, struct bytes token, gss_buffer_desc *out, bool *more, struct err *e)
{
	gss_name_t client = GSS_C_NO_NAME;
	OM_uint32 minor;
	int ret = accept_token(a, token, &client, out, more, e);

	if (ret == 0 && !*more)
		ret = take_client(a, client, e) != 0 || measure(a, e) != 0 ? -1 : 0;
	(void)gss_release_name(&minor, &client);
	return ret;
}

static void
kerberos_step(struct auth_ctx *c, struct bytes token)
{
	struct kerberos_acceptor *a = acceptor(c);
	gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
	struct bytes none = { NULL, 0 };
	struct err e;
	bool more = false;
	void *handle;

	/* MIT's KRB-ERROR for a refusal has no place in a bind_nak, so it is dropped. */
	if (take_leg(a, token, &out, &more, &e) != 0) {
		auth_step_done(c, AUTH_FAILED, none, &e);
	} else if (more) {
		auth_step_done(c, AUTH_NEED_TOKEN, bytes_of(&out), NULL);
	} else {
		log_debug(auth, "Kerberos: %s@%s, flags 0x%x, %s", a->proof.name, a->proof.realm, a->flags,
		    a->proof.logon_info.len > 0 ? "with logon information" : "no logon information");
		a->last = out;
		handle = a->authority->kerberos_verify(a->authority->ctx, &a->proof, on_verdict, a);
		if (handle != NULL) /* else the verdict has been given and the context may be gone */
			a->handle = handle;
		return;
	}
	release(&out);
}

static void
kerberos_fini(struct auth_ctx *c)
{
	struct kerberos_acceptor *a = acceptor(c);
	OM_uint32 minor;

	if (a->handle != NULL)
		a->authority->cancel(a->authority->ctx, a->handle);
	(void)gss_delete_sec_context(&minor, &a->gss, GSS_C_NO_BUFFER);
	release(&a->last);
	release(&a->pac);
	free(a->name.value);
}

static const char *
kerberos_package(const struct auth_ctx *c)
{
	(void)c;
	return "Kerberos";
}

/* ---- messages ---- */

static bool
kerberos_can_sign(const struct auth_ctx *c)
{
	return (acceptor_const(c)->flags & GSS_C_INTEG_FLAG) != 0;
}

static bool
kerberos_can_seal(const struct auth_ctx *c)
{
	return (acceptor_const(c)->flags & GSS_C_CONF_FLAG) != 0;
}

static size_t
kerberos_sig_len(const struct auth_ctx *c, bool seal)
{
	return seal ? acceptor_const(c)->seal_len : acceptor_const(c)->sign_len;
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

static int
kerberos_protect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len, bool seal,
    bool header_signing, uint8_t *sig, struct err *e)
{
	struct kerberos_acceptor *a = acceptor(c);
	size_t sig_len = kerberos_sig_len(c, seal), made;
	OM_uint32 major, minor;
	struct pdu_iov v;
	int conf = 0;

	lay_out(&v, pdu, len, body_off, body_len, header_signing, sig, sig_len);
	if (seal)
		major = gss_wrap_iov(&minor, a->gss, 1, GSS_C_QOP_DEFAULT, &conf, v.seal, ARRAY_LEN(v.seal));
	else
		major = gss_get_mic_iov(&minor, a->gss, GSS_C_QOP_DEFAULT, v.sign, ARRAY_LEN(v.sign));
	if (GSS_ERROR(major) != 0)
		return kerberos_error(e, seal ? "sealing" : "signing", major, minor);
	made = seal ? v.seal[0].buffer.length : v.sign[1].buffer.length;
	if (made != sig_len || (seal && !conf))
		return ERR(e, E_UNEXPECTED, "Kerberos: a token of %zu octets in place of %zu", made, sig_len);
	return 0;
}

static int
kerberos_unprotect(struct auth_ctx *c, uint8_t *pdu, size_t len, size_t body_off, size_t body_len, bool seal,
    bool header_signing, struct bytes sig, struct err *e)
{
	struct kerberos_acceptor *a = acceptor(c);
	uint8_t token[AUTH_SIG_MAX]; /* MIT turns it in place */
	OM_uint32 major, minor;
	struct pdu_iov v;
	int conf = 0;

	if (sig.len == 0 || sig.len > sizeof(token))
		return ERR(e, SEC_E_MESSAGE_ALTERED, "Kerberos: a message token of %zu octets", sig.len);
	memcpy(token, sig.p, sig.len);
	lay_out(&v, pdu, len, body_off, body_len, header_signing, token, sig.len);
	if (seal)
		major = gss_unwrap_iov(&minor, a->gss, &conf, NULL, v.seal, ARRAY_LEN(v.seal));
	else
		major = gss_verify_mic_iov(&minor, a->gss, NULL, v.sign, ARRAY_LEN(v.sign));
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

static int
kerberos_list_mic_put(struct auth_ctx *c, struct bytes list, struct buf *out, struct err *e)
{
	gss_buffer_desc message = gss_of(list), mic = GSS_C_EMPTY_BUFFER;
	OM_uint32 major, minor;

	major = gss_get_mic(&minor, acceptor(c)->gss, GSS_C_QOP_DEFAULT, &message, &mic);
	if (GSS_ERROR(major) != 0)
		return kerberos_error(e, "mechListMIC", major, minor);
	buf_put_bytes(out, bytes_of(&mic));
	release(&mic);
	return 0;
}

static int
kerberos_list_mic_check(struct auth_ctx *c, struct bytes list, struct bytes mic, struct err *e)
{
	gss_buffer_desc message = gss_of(list), token = gss_of(mic);
	OM_uint32 major, minor;

	major = gss_verify_mic(&minor, acceptor(c)->gss, &message, &token, NULL);
	if (GSS_ERROR(major) == 0)
		return 0;
	(void)kerberos_error(e, "mechListMIC", major, minor);
	e->hr = SEC_E_MESSAGE_ALTERED;
	return -1;
}

static bool
kerberos_list_mic_due(const struct auth_ctx *c)
{
	(void)c;
	return false;
}

static const struct auth_ops kerberos_ops = {
	.step = kerberos_step,
	.fini = kerberos_fini,
	.package = kerberos_package,
	.can_sign = kerberos_can_sign,
	.can_seal = kerberos_can_seal,
	.sig_len = kerberos_sig_len,
	.protect = kerberos_protect,
	.unprotect = kerberos_unprotect,
	.list_mic_put = kerberos_list_mic_put,
	.list_mic_check = kerberos_list_mic_check,
	.list_mic_due = kerberos_list_mic_due,
};

struct auth_ctx *
kerberos_acceptor_new(const struct auth_names *names, const struct auth_authority *authority, struct err *e)
{
	struct kerberos_acceptor *a = calloc(1, sizeof(*a));

	(void)names;
	if (a == NULL) {
		(void)ERR(e, E_OUTOFMEMORY, "no memory for a Kerberos context");
		return NULL;
	}
	a->base.ops = &kerberos_ops;
	a->base.state = AUTH_NEED_TOKEN;
	a->authority = authority;
	a->gss = GSS_C_NO_CONTEXT;
	return &a->base;
}
