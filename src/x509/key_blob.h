/*
 * Private keys as clients send them to be archived: MS-WCCE 2.2.2.9. Whoever sends one has sent the public
 * key too, so a blob is read against it.
 */
#ifndef ADCSD_X509_KEY_BLOB_H
#define ADCSD_X509_KEY_BLOB_H

#include "x509/private_key.h"

#define X509_KEY_BLOB_MAX 16384

/*
 * The key in a blob: PRIVATEKEYBLOB of an RSA key (2.2.2.9.1), BCRYPT RSA (2.2.2.9.2), ECDH (2.2.2.9.3), and
 * ECDSA likewise, for P-256, P-384, P-521. The specification has BCRYPT headers big-endian and ECDH numbers
 * little-endian, Windows' own API the reverse (csra.md: UNVERIFIED): both are taken, since only one of them
 * fits the public key. CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL when it is no such blob; NTE_BAD_PUBLIC_KEY when it
 * is, and the key is not the public key's other half.
 */
struct x509_private_key *
x509_key_blob_read(struct bytes blob, const struct x509_key_info *public_key, struct err *e) MUST_CHECK;

#endif
