/* The settings in force. A state of them is immutable and counted; requests keep the one they began with. */
#ifndef ADCSD_CA_LIVE_H
#define ADCSD_CA_LIVE_H

#include "auth/restriction.h"
#include "ca/ca.h"
#include "settings/settings.h"
#include "store/store.h"

struct ca_local_group {
	struct sid group;
	const char *name;
	struct sid *members;
	size_t n_members;
};
#define CA_LOCAL_GROUPS 3

/* Of the certificates that one of the CA's certificates signs. */
struct ca_urls {
	struct x509_strings cdp, aia, ocsp;
};

struct ca_live {
	unsigned refs; /* the loop's thread counts; workers read what a request holds */
	struct pool *pool;
	struct ca_settings settings;
	struct ca_urls *urls; /* by index of the CA's certificates, those there were when this was made */
	size_t n_urls;
	struct sd security, dcom_launch, dcom_access;
	struct restrictions *officers, *agents; /* NULL: no restriction */
	struct ca_local_group groups[CA_LOCAL_GROUPS];
	struct sid *security_privilege, *backup_privilege;
	size_t n_security_privilege, n_backup_privilege;
};

struct ca_live *
ca_live_ref(struct ca_live *live);
/* NULL is fine. */
void
ca_live_unref(struct ca_live *live);

/* ca->from_file and what the store holds become ca->live and ca->settings; the CA's certificates are not
 * needed yet: without them there are no URLs. */
int
ca_live_open(struct ca *ca, struct err *e) MUST_CHECK;

/*
 * Changes one setting as ca_settings_change() does, for good; value NULL: back to what the file says. The
 * rest of the settings and what is made of them are checked first (CERTSRV_E_NO_CAADMIN_DEFINED for a
 * Security nobody could change again; E_INVALIDARG for a fixed setting). 0: done runs once, after the commit,
 * when the change counts; -1: never.
 */
int
ca_setting_start(struct ca *ca, const struct setting *row, const char *value, store_done_fn *done, void *arg,
    struct err *e) MUST_CHECK;

/* CA_ACCESS_AUDITOR and CA_ACCESS_OPERATOR of those who hold the privilege on the CA host. */
uint32_t
ca_privileged_roles(const struct ca *ca, const struct token *t);

#endif
