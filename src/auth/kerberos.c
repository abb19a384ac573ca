#include "auth/kerberos_priv.h"

#include <errno.h>
#include <krb5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/der.h"

#define AP_REQ_TAG 0x6e    /* [APPLICATION 14], RFC 4120 5.5.1 */
#define GSS_FRAME_TAG 0x60 /* [APPLICATION 0], RFC 2743 3.1 */
#define TOK_ID_LEN 2

static const uint8_t tok_id_ap_req[TOK_ID_LEN] = { 0x01, 0x00 }; /* RFC 4121 4.1 */

/* ---- errors ---- */

static const struct {
	krb5_error_code code;
	uint32_t hr;
} failures[] = {
	{ KRB5KRB_AP_ERR_SKEW, SEC_E_TIME_SKEW },
	{ KRB5KRB_AP_ERR_TKT_EXPIRED, SEC_E_CONTEXT_EXPIRED },
	{ KRB5KRB_AP_ERR_TKT_NYV, SEC_E_TIME_SKEW },
	{ KRB5KRB_AP_ERR_NOT_US, SEC_E_WRONG_PRINCIPAL },
	{ KRB5KRB_AP_WRONG_PRINC, SEC_E_WRONG_PRINCIPAL },
	{ KRB5KRB_AP_ERR_NOKEY, SEC_E_WRONG_PRINCIPAL },
	{ KRB5KRB_AP_ERR_BADKEYVER, SEC_E_WRONG_PRINCIPAL },
	{ KRB5_KT_NOTFOUND, SEC_E_WRONG_PRINCIPAL },
	{ KRB5_KT_KVNONOTFOUND, SEC_E_WRONG_PRINCIPAL },
	{ KRB5KRB_AP_ERR_MODIFIED, SEC_E_LOGON_DENIED },
	{ KRB5KRB_AP_ERR_BAD_INTEGRITY, SEC_E_LOGON_DENIED },
	{ KRB5KRB_AP_ERR_REPEAT, SEC_E_LOGON_DENIED },
	{ KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN, SEC_E_TARGET_UNKNOWN },
	{ KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN, SEC_E_LOGON_DENIED },
	{ KRB5KDC_ERR_PREAUTH_FAILED, SEC_E_LOGON_DENIED },
	{ KRB5_PREAUTH_FAILED, SEC_E_LOGON_DENIED },
	{ KRB5_KDC_UNREACH, SEC_E_NO_AUTHENTICATING_AUTHORITY },
	{ KRB5_REALM_UNKNOWN, SEC_E_NO_AUTHENTICATING_AUTHORITY },
};

static uint32_t
hresult_of(OM_uint32 major, OM_uint32 minor)
{
	for (size_t i = 0; i < ARRAY_LEN(failures); i++)
		if ((OM_uint32)failures[i].code == minor)
			return failures[i].hr;
	switch (GSS_ROUTINE_ERROR(major)) {
	case GSS_S_BAD_MIC:
		return SEC_E_MESSAGE_ALTERED;
	case GSS_S_CONTEXT_EXPIRED:
		return SEC_E_CONTEXT_EXPIRED;
	case GSS_S_NO_CRED:
		return SEC_E_NO_CREDENTIALS;
	case GSS_S_DEFECTIVE_TOKEN:
	case GSS_S_FAILURE:
		return SEC_E_INVALID_TOKEN;
	default:
		return SEC_E_LOGON_DENIED;
	}
}

static void
put_status(char *out, size_t size, OM_uint32 status, int type)
{
	gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
	OM_uint32 minor, more = 0;

	out[0] = '\0';
	if (gss_display_status(&minor, status, type, (gss_OID)(uintptr_t)gss_mech_krb5, &more, &text) ==
	    GSS_S_COMPLETE)
		(void)snprintf(out, size, "%.*s", (int)text.length, (const char *)text.value);
	(void)gss_release_buffer(&minor, &text);
}

int
kerberos_error(struct err *e, const char *what, OM_uint32 major, OM_uint32 minor)
{
	char text[ERR_MSG_MAX];

	/* The minor status is the reason; the major one says "unspecified failure" beside it. */
	if (minor != 0)
		put_status(text, sizeof(text), minor, GSS_C_MECH_CODE);
	else
		put_status(text, sizeof(text), major, GSS_C_GSS_CODE);
	return ERR(e, hresult_of(major, minor), "Kerberos: %s: %s", what, text);
}

/* ---- tokens and names ---- */

/* The AP-REQ inside a frame of either Kerberos OID. */
static bool
unframe(struct bytes token, struct bytes *inner)
{
	struct der d = der_over(token), body;
	struct bytes oid;
	struct err e;

	if (der_enter(&d, GSS_FRAME_TAG, &body, "GSS frame", &e) != 0 ||
	    der_get_oid(&body, &oid, "mechanism", &e) != 0)
		return false;
#ifdef ADCSD_PLANTED_BUG_AUTH_KERBEROS /* the fuzz target must find a frame that ends with its OID */
	if (memcmp(body.p, tok_id_ap_req, TOK_ID_LEN) != 0)
		return false;
#else
	if ((size_t)(body.end - body.p) < TOK_ID_LEN || memcmp(body.p, tok_id_ap_req, TOK_ID_LEN) != 0)
		return false;
#endif
	inner->p = body.p + TOK_ID_LEN;
	inner->len = (size_t)(body.end - inner->p);
	return true;
}

int
kerberos_reframe(bool dce_style, struct bytes *token, struct buf *room, struct err *e)
{
	struct bytes inner;
	size_t mark;

	if (dce_style) {
		if (unframe(*token, &inner))
			*token = inner;
		return 0;
	}
	if (token->len == 0 || token->p[0] != AP_REQ_TAG)
		return 0;
	mark = der_open(room, GSS_FRAME_TAG);
	der_put_oid(room, "1.2.840.113554.1.2.2");
	buf_put(room, tok_id_ap_req, TOK_ID_LEN);
	buf_put_bytes(room, *token);
	der_close(room, mark);
	if (!buf_ok(room))
		return ERR(e, E_OUTOFMEMORY, "no room for a Kerberos token of %zu octets", token->len);
	*token = buf_bytes(room);
	return 0;
}

bool
kerberos_split_name(char *text, char **realm)
{
	char *at = NULL, *w = text;

	for (char *p = text; *p != '\0'; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '@')
			at = p;
	}
	if (at == NULL)
		return false;
	*at = '\0';
	*realm = at + 1;
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		*w++ = *p;
	}
	*w = '\0';
	return true;
}

/* ---- the keytab ---- */

static int
acquire(struct kerberos *k, const char *keytab, const char *replay, struct err *e)
{
	gss_OID_set_desc krb5 = { 1, (gss_OID)(uintptr_t)gss_mech_krb5 };
	char tab[4096], cache[4096];
	gss_key_value_element_desc pairs[] = { { "keytab", tab }, { "rcache", cache } };
	gss_key_value_set_desc store = { ARRAY_LEN(pairs), pairs };
	OM_uint32 major, minor;

	if (access(keytab, R_OK) != 0)
		return ERR(e, E_FILE_NOT_FOUND, "keytab %.80s: %s", keytab, strerror(errno));
	if (snprintf(tab, sizeof(tab), "FILE:%s", keytab) >= (int)sizeof(tab) ||
	    snprintf(cache, sizeof(cache), "%s%s",
		replay != NULL ? "file2:" : "none:", replay != NULL ? replay : "") >= (int)sizeof(cache))
		return ERR(e, E_INVALIDARG, "path too long: %.80s", keytab);
	major = gss_acquire_cred_from(
	    &minor, GSS_C_NO_NAME, GSS_C_INDEFINITE, &krb5, GSS_C_ACCEPT, &store, &k->cred, NULL, NULL);
	if (major == GSS_S_COMPLETE)
		return 0;
	(void)kerberos_error(e, "keytab", major, minor);
	return err_prefix(e, "%.60s", keytab);
}

struct kerberos *
kerberos_open(const char *keytab, const char *replay, struct err *e)
{
	struct kerberos *k = calloc(1, sizeof(*k));

	if (k == NULL) {
		(void)ERR(e, E_OUTOFMEMORY, "no memory for the keytab");
		return NULL;
	}
	k->cred = GSS_C_NO_CREDENTIAL;
	if (acquire(k, keytab, replay, e) == 0)
		return k;
	free(k);
	return NULL;
}

void
kerberos_free(struct kerberos *k)
{
	OM_uint32 minor;

	if (k == NULL)
		return;
	(void)gss_release_cred(&minor, &k->cred);
	free(k);
}
