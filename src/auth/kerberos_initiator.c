/*
 * Kerberos initiator (RFC 4121, MS-KILE, MS-RPCE 2.2.1.1.7) over MIT's GSSAPI, in DCE style: AP-REQ out,
 * AP-REP in, AP-REP out. It asks the KDC for a service ticket that is not there yet: the one initiator whose
 * step may wait for the network.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/initiator_priv.h"
#include "auth/kerberos_ctx_priv.h"

#define TARGET_MAX 1024

#define FLAGS_ALWAYS (GSS_C_DCE_STYLE | GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG)

struct kerberos_initiator {
	struct kerberos_ctx krb;
	OM_uint32 wanted;                   /* flags */
	const struct auth_tickets *tickets; /* NULL: cred, of the environment's cache */
	gss_cred_id_t cred;
	gss_name_t target;
};

static struct kerberos_initiator *
initiator(struct auth_ctx *c)
{
	return (struct kerberos_initiator *)c;
}

static int
take_leg(struct kerberos_initiator *a, struct bytes token, gss_buffer_desc *out, bool *more, struct err *e)
{
	gss_buffer_desc in = kerberos_gss(token);
	OM_uint32 major, minor;
	gss_cred_id_t cred;

	if (a->tickets == NULL && a->cred == GSS_C_NO_CREDENTIAL && kerberos_cache_cred(&a->cred, e) != 0)
		return -1;
	cred = a->tickets != NULL ? kerberos_tickets_cred(a->tickets) : a->cred;
	major = gss_init_sec_context(&minor, cred, &a->krb.gss, a->target, (gss_OID)(uintptr_t)gss_mech_krb5,
	    a->wanted, 0, GSS_C_NO_CHANNEL_BINDINGS, &in, NULL, out, &a->krb.flags, NULL);
	if (GSS_ERROR(major) != 0)
		return kerberos_error(
		    e, a->krb.gss == GSS_C_NO_CONTEXT ? "service ticket" : "server", major, minor);
	*more = (major & GSS_S_CONTINUE_NEEDED) != 0;
	if (*more)
		return 0;
	if ((a->krb.flags & GSS_C_MUTUAL_FLAG) == 0)
		return ERR(e, SEC_E_INVALID_TOKEN, "Kerberos: the server has not proved who it is");
	return kerberos_ctx_measure(&a->krb, e);
}

static void
initiator_step(struct auth_ctx *c, struct bytes token)
{
	struct kerberos_initiator *a = initiator(c);
	gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
	struct bytes none = { NULL, 0 };
	bool more = false;
	struct err e;

	if (take_leg(a, token, &out, &more, &e) != 0)
		auth_step_done(c, AUTH_FAILED, none, &e);
	else
		auth_step_done(c, more ? AUTH_NEED_TOKEN : AUTH_COMPLETE, kerberos_bytes(&out), NULL);
	kerberos_release(&out);
}

static void
initiator_fini(struct auth_ctx *c)
{
	struct kerberos_initiator *a = initiator(c);
	OM_uint32 minor;

	kerberos_ctx_fini(&a->krb);
	(void)gss_release_name(&minor, &a->target);
	(void)gss_release_cred(&minor, &a->cred);
}

/* Samba waits for the client's signature over the list before it completes. */
static bool
list_mic_due(const struct auth_ctx *c)
{
	(void)c;
	return true;
}

static const struct auth_ops initiator_ops = {
	.step = initiator_step,
	.fini = initiator_fini,
	KERBEROS_CTX_OPS,
	.list_mic_due = list_mic_due,
};

/* A principal without a realm is asked for where the account lives; that KDC refers us on (RFC 6806). */
static int
import_target(const char *target, gss_name_t *out, struct err *e)
{
	gss_buffer_desc text;
	OM_uint32 major, minor;
	struct buf name;

	buf_init(&name, TARGET_MAX);
	buf_put(&name, target, strlen(target));
	if (strchr(target, '@') == NULL)
		buf_put(&name, "@", 1);
	if (!buf_ok(&name)) {
		buf_fini(&name);
		return ERR(e, E_INVALIDARG, "the service principal %.40s... is too long", target);
	}
	text = kerberos_gss(buf_bytes(&name));
	major = gss_import_name(&minor, &text, (gss_OID)(uintptr_t)GSS_KRB5_NT_PRINCIPAL_NAME, out);
	buf_fini(&name);
	if (GSS_ERROR(major) == 0)
		return 0;
	(void)kerberos_error(e, "service principal", major, minor);
	return err_prefix(e, "%.80s", target);
}

struct auth_ctx *
kerberos_initiator_new(const struct auth_initiate *how, struct err *e)
{
	struct kerberos_initiator *a;

	if (how->target == NULL || *how->target == '\0') {
		(void)ERR(e, E_INVALIDARG, "Kerberos needs the server's service principal");
		return NULL;
	}
	a = calloc(1, sizeof(*a));
	if (a == NULL) {
		(void)ERR(e, E_OUTOFMEMORY, "no memory for a Kerberos context");
		return NULL;
	}
	a->krb.base.ops = &initiator_ops;
	a->krb.base.state = AUTH_NEED_TOKEN;
	a->krb.gss = GSS_C_NO_CONTEXT;
	a->wanted = FLAGS_ALWAYS | (how->sign ? GSS_C_INTEG_FLAG : 0) | (how->seal ? GSS_C_CONF_FLAG : 0);
	a->target = GSS_C_NO_NAME;
	a->cred = GSS_C_NO_CREDENTIAL;
	a->tickets = how->tickets;
	if (import_target(how->target, &a->target, e) == 0)
		return &a->krb.base;
	auth_ctx_free(&a->krb.base);
	return NULL;
}
