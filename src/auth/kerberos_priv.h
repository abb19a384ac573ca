/* Kerberos inside auth/: GSSAPI's types stay in here. */
#ifndef ADCSD_AUTH_KERBEROS_PRIV_H
#define ADCSD_AUTH_KERBEROS_PRIV_H

#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

#include "auth/auth.h"
#include "auth/kerberos.h"

struct kerberos {
	gss_cred_id_t cred; /* accepts for every key in the keytab */
};

/* What SSPI would have said about a GSSAPI failure, and both statuses in words. Always -1. */
int
kerberos_error(struct err *e, const char *what, OM_uint32 major, OM_uint32 minor);

/*
 * MIT takes a first token in DCE style without the frame of RFC 2743 3.1 only, any other with it only;
 * clients do as they like (clients.md section 3.7). Makes *token, an AP-REQ with or without the frame, what
 * MIT wants: unframed when dce_style, else framed, in `room`. What is neither is left to MIT to refuse.
 */
int
kerberos_reframe(bool dce_style, struct bytes *token, struct buf *room, struct err *e) MUST_CHECK;

/* "name\@suffix@REALM" of gss_display_name(): the realm cut off at the last bare '@', the name's escapes
 * undone, in place. False when there is no realm. */
bool
kerberos_split_name(char *text, char **realm);

#endif
