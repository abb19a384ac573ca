/*
 * Kerberos acceptor (RFC 4121, MS-KILE, MS-RPCE 2.2.1.1.7) over MIT's GSSAPI. Over RPC: AP-REQ in, AP-REP
 * out, the client's AP-REP in.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/kerberos_ctx_priv.h"
#include "base/log.h"

#define LOGON_INFO "urn:mspac:logon-info"

struct kerberos_acceptor {
	struct kerberos_ctx krb;
	const struct auth_authority *authority;
	bool begun;                /* the first token has been looked at */
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
		    bytes_equal(kerberos_bytes(&names->elements[i]),
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
	a->proof.logon_info = kerberos_bytes(&a->pac);
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
		kerberos_release(&shown);
		return ERR(e, SEC_E_LOGON_DENIED, "Kerberos: a NUL in the client's name");
	}
	text = strndup(shown.value, shown.length);
	kerberos_release(&shown);
	if (text == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the client's name");
	a->name = (gss_buffer_desc){ 0, text };
	if (!kerberos_split_name(text, &realm))
		return ERR(e, SEC_E_LOGON_DENIED, "Kerberos: client %.80s has no realm", text);
	a->proof.name = text;
	a->proof.realm = realm;
	return take_logon_info(a, client, e);
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
		auth_step_done(&a->krb.base, AUTH_FAILED, (struct bytes){ NULL, 0 }, why);
	} else {
		a->krb.base.token = v->token;
		auth_step_done(&a->krb.base, AUTH_COMPLETE, kerberos_bytes(&answer), NULL);
	}
	kerberos_release(&answer);
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
	in = kerberos_gss(token);
	major = gss_accept_sec_context(&minor, &a->krb.gss, a->authority->kerberos->cred, &in,
	    GSS_C_NO_CHANNEL_BINDINGS, client, NULL, out, &a->krb.flags, NULL, NULL);
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
		ret = take_client(a, client, e) != 0 || kerberos_ctx_measure(&a->krb, e) != 0 ? -1 : 0;
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
		auth_step_done(c, AUTH_NEED_TOKEN, kerberos_bytes(&out), NULL);
	} else {
		log_debug(auth, "Kerberos: %s@%s, flags 0x%x, %s", a->proof.name, a->proof.realm,
		    a->krb.flags,
		    a->proof.logon_info.len > 0 ? "with logon information" : "no logon information");
		a->last = out;
		handle = a->authority->kerberos_verify(a->authority->ctx, &a->proof, on_verdict, a);
		if (handle != NULL) /* else the verdict has been given and the context may be gone */
			a->handle = handle;
		return;
	}
	kerberos_release(&out);
}

static void
kerberos_fini(struct auth_ctx *c)
{
	struct kerberos_acceptor *a = acceptor(c);

	if (a->handle != NULL)
		a->authority->cancel(a->authority->ctx, a->handle);
	kerberos_ctx_fini(&a->krb);
	kerberos_release(&a->last);
	kerberos_release(&a->pac);
	free(a->name.value);
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
	KERBEROS_CTX_OPS,
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
	a->krb.base.ops = &kerberos_ops;
	a->krb.base.state = AUTH_NEED_TOKEN;
	a->authority = authority;
	a->krb.gss = GSS_C_NO_CONTEXT;
	return &a->krb.base;
}
