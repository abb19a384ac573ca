/* Credentials of Kerberos initiators: the environment's cache, or an account's own by its password. */
#include <stdlib.h>
#include <string.h>

#include "auth/initiator_priv.h"
#include "auth/kerberos_ctx_priv.h"

struct auth_tickets {
	gss_cred_id_t cred; /* keeps what it fetches in memory */
};

/*
 * Told to promise no more than is asked for: MIT would offer integrity and confidentiality always, and Samba,
 * whose signatures then shall have the room of sealing tokens, answers every call below privacy with fault 1.
 */
static int
promise_less(gss_cred_id_t *cred, struct err *e)
{
	/* GSS_KRB5_CRED_NO_CI_FLAGS_X, 1.2.752.43.13.29: exported, but in no header */
	static uint8_t no_ci_flags[] = { 0x2a, 0x85, 0x70, 0x2b, 0x0d, 0x1d };
	gss_OID_desc option = { sizeof(no_ci_flags), no_ci_flags };
	gss_buffer_desc empty = GSS_C_EMPTY_BUFFER;
	OM_uint32 major, minor;

	major = gss_set_cred_option(&minor, cred, &option, &empty);
	return GSS_ERROR(major) != 0 ? kerberos_error(e, "credentials", major, minor) : 0;
}

int
kerberos_cache_cred(gss_cred_id_t *out, struct err *e)
{
	gss_OID_set_desc mechs = { 1, (gss_OID)(uintptr_t)gss_mech_krb5 };
	OM_uint32 major, minor;

	major = gss_acquire_cred(
	    &minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &mechs, GSS_C_INITIATE, out, NULL, NULL);
	return GSS_ERROR(major) != 0 ? kerberos_error(e, "ticket cache", major, minor) : promise_less(out, e);
}

gss_cred_id_t
kerberos_tickets_cred(const struct auth_tickets *t)
{
	return t->cred;
}

static int
take_cred(struct auth_tickets *t, const char *account, const char *password, struct err *e)
{
	gss_OID_set_desc mechs = { 1, (gss_OID)(uintptr_t)gss_mech_krb5 };
	gss_buffer_desc text = kerberos_gss((struct bytes){ (const uint8_t *)account, strlen(account) }),
			secret = kerberos_gss((struct bytes){ (const uint8_t *)password, strlen(password) });
	gss_name_t name = GSS_C_NO_NAME;
	OM_uint32 major, minor, ignored;

	major = gss_import_name(&minor, &text, (gss_OID)(uintptr_t)GSS_KRB5_NT_PRINCIPAL_NAME, &name);
	if (GSS_ERROR(major) == 0)
		major = gss_acquire_cred_with_password(
		    &minor, name, &secret, GSS_C_INDEFINITE, &mechs, GSS_C_INITIATE, &t->cred, NULL, NULL);
	(void)gss_release_name(&ignored, &name);
	return GSS_ERROR(major) != 0 ? kerberos_error(e, "account", major, minor) : promise_less(&t->cred, e);
}

struct auth_tickets *
auth_tickets_new(const char *account, const char *password, struct err *e)
{
	struct auth_tickets *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		(void)ERR(e, E_OUTOFMEMORY, "no memory for tickets");
		return NULL;
	}
	t->cred = GSS_C_NO_CREDENTIAL;
	if (take_cred(t, account, password, e) == 0)
		return t;
	(void)err_prefix(e, "%.60s", account);
	auth_tickets_free(t);
	return NULL;
}

static void
on_token(void *arg, enum auth_state st, struct bytes token, const struct err *why)
{
	struct err *e = arg;

	(void)token;
	if (st == AUTH_FAILED)
		*e = *why;
}

/* A first leg that nobody gets. */
int
auth_tickets_fetch(struct auth_tickets *t, const char *target, struct err *e)
{
	const struct auth_initiate how = { .tickets = t, .target = target };
	struct auth_ctx *c = kerberos_initiator_new(&how, e);
	struct err why = { 0 };

	if (c == NULL)
		return -1;
	auth_ctx_step(c, (struct bytes){ NULL, 0 }, on_token, &why);
	auth_ctx_free(c);
	if (why.hr != 0)
		*e = why;
	return why.hr == 0 ? 0 : -1;
}

void
auth_tickets_free(struct auth_tickets *t)
{
	OM_uint32 minor;

	if (t == NULL)
		return;
	(void)gss_release_cred(&minor, &t->cred);
	free(t);
}
