/*
 * What the Kerberos acceptors of a server share: the keytab, by MIT's GSSAPI. A ticket for any service in the
 * keytab is taken, whatever its class (HOST/, RPCSS/, cifs/, HTTP/, ...) and whichever alias of the host it
 * names: clients differ in what they ask for (clients.md section 1). Times are real, never a virtual clock's:
 * the KDC and the clients know no other.
 */
#ifndef ADCSD_AUTH_KERBEROS_H
#define ADCSD_AUTH_KERBEROS_H

#include "base/err.h"

struct kerberos;

/*
 * keytab: a file, read anew for each client, so that it may be replaced while the server runs. replay: a file
 * that remembers authenticators for as long as the clock skew lets them be used again (made when missing,
 * 0600, belongs to one server); NULL: none is kept, and a first leg can be replayed. That gains an attacker
 * nothing in DCE style, where the client proves in the third leg that it knows the session key. Accepting
 * uses processor time and these two files only; it never waits for a KDC or for DNS.
 */
struct kerberos *
kerberos_open(const char *keytab, const char *replay, struct err *e) MUST_CHECK;
/* NULL is fine. After the last acceptor. */
void
kerberos_free(struct kerberos *k);

#endif
