/* Between the files that make krb5kdc's database: entries as kdb5_util's dump has them. */
#ifndef ADCSD_KDC_DATABASE_PRIV_H
#define ADCSD_KDC_DATABASE_PRIV_H

#include <krb5.h>

#include "kdc/kdc_priv.h"

#define KDC_N_KEYS 3
/* Best first: what a client and a service have in common is chosen in this order. */
extern const krb5_enctype kdc_enctypes[KDC_N_KEYS];

struct key_set {
	krb5_keyblock keys[KDC_N_KEYS]; /* length 0: there is none of that type */
	unsigned kvno;
	krb5_data salt; /* of a password; empty: chance made the keys */
};

struct database {
	const struct kdc_files *files;
	krb5_context ctx;
	krb5_keyblock master;
	struct key_set services; /* of the CA's host */
	struct buf dump;
};

/* Always -1. */
int
kdc_krb5_failed(const struct database *db, krb5_error_code code, const char *what, struct err *e);
void
kdc_key_set_wipe(struct database *db, struct key_set *s);
/* An entry of no account. */
int
kdc_entry_put(
    struct database *db, krb5_const_principal who, const struct key_set *keys, struct err *e) MUST_CHECK;
/* All names of an account; gone: nobody gets tickets by them any more. all: the accounts there are. */
int
kdc_account_put(struct database *db, const struct kdc_accounts *all, const struct kdc_account *a, bool gone,
    const char *host, struct err *e) MUST_CHECK;
/* Nobody has this userPrincipalName any more. */
int
kdc_upn_shut(struct database *db, const char *upn, struct err *e) MUST_CHECK;

/* What clients ask for on the CA's host, in their spelling: names are case-sensitive here, unlike in AD. */
#define KDC_N_SERVICE_CLASSES 9
extern const char *const kdc_service_classes[KDC_N_SERVICE_CLASSES];

#endif
