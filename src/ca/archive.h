/* A private key on its way from a request, or an import, to the recovery agents. Never in clear outside one
 * function, whose buffer is wiped. */
#ifndef ADCSD_CA_ARCHIVE_H
#define ADCSD_CA_ARCHIVE_H

#include "ca/exchange.h"
#include "ca/kra.h"
#include "x509/enveloped.h"

/* What opens a key and what closes it again: gathered on the loop's thread, used on a worker. */
struct ca_archive {
	struct ca_exchange_key *keys[CA_EXCHANGE_MAX]; /* references */
	size_t n_keys;
	struct ca_kra_choice agents;
	enum x509_cipher cipher;
	struct rng rng;
	uint64_t id; /* of the randomness stream */
};

/* rehearsal: nobody's turn changes. The errors of ca_kra_choose(). */
int
ca_archive_init(struct ca_archive *a, struct ca *ca, uint64_t id, bool rehearsal, struct pool *pool,
    struct err *e) MUST_CHECK;
void
ca_archive_fini(struct ca_archive *a);

/*
 * Opens `enveloped`, holds the key against the public key and encrypts it for the agents: RawArchivedKey, in
 * the pool. CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL for a malformed envelope or key, CRYPT_E_NO_DECRYPT_CERT when
 * it is for no valid exchange certificate, CRYPT_E_UNKNOWN_ALGO, NTE_BAD_PUBLIC_KEY for another key,
 * E_INVALID_DATA when it does not decrypt.
 */
int
ca_archive_key(const struct ca_archive *a, struct bytes enveloped, const struct x509_key_info *public_key,
    struct pool *pool, struct bytes *out, struct err *e) MUST_CHECK;

/* Of a request with an archived key: checks and archives it, then go_on(r, NULL), or with why not. Runs it
 * exactly once, possibly before it returns. */
void
ca_archive_request(struct ca_request *r, void (*go_on)(struct ca_request *r, const struct err *e));

/* Agents in KeyRecoveryHashes; NULL: none. */
size_t
ca_archived_for(const char *recovery_hashes);

#endif
