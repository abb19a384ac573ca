/*
 * What ICertAdminD and ICertAdminD2 (MS-CSRA 3.1.4) need beside the verbs of ca.h: gates, and values in the
 * form of the wire. Loop's thread; what is made goes to the pool.
 */
#ifndef ADCSD_CA_CSRA_H
#define ADCSD_CA_CSRA_H

#include "ca/ca.h"

/* Identity, InterfaceFlags and protection of the caller, then roles: any of these CA_ACCESS_* bits, 0: none
 * is asked for. E_ACCESSDENIED; CERTSRV_E_ROLECONFLICT under role separation. */
int
ca_admin_gate(const struct ca *ca, const struct ca_caller *who, uint32_t any_of, struct err *e) MUST_CHECK;
/* CA_ACCESS_* of the caller: GetMyRoles. */
uint32_t
ca_caller_roles(const struct ca *ca, const struct ca_caller *who);

/* The journal's record of a method that is no verb; e NULL: it was done, else refused. */
void
ca_journal_operation(struct ca *ca, const struct ca_caller *who, const char *operation, const struct err *e);
/* Its event in the Security log, where AuditFilter wants it: BackupPrepare 4876, BackupEnd 4877,
 * ServerControl 4875. ca_journal_operation() tells of what was done. */
void
ca_audit_operation(struct ca *ca, const struct ca_caller *who, const char *operation);

/* A registry value, from the settings in force or worked out. */
enum ca_config_type { CA_CONFIG_NUMBER, CA_CONFIG_TEXT, CA_CONFIG_LIST, CA_CONFIG_OCTETS };
struct ca_config_value {
	enum ca_config_type type;
	uint32_t number;
	const char *text;
	const char *const *list;
	size_t n_list;
	struct bytes octets; /* security descriptors, self-relative; FILETIMEs */
};
/* node: "", "PolicyModules\\CertificateAuthority_MicrosoftDefault.Policy", "CSP", ... (csra.md section 6).
 * E_FILE_NOT_FOUND for what this CA has not. */
int
ca_config_get(struct ca *ca, const char *node, const char *entry, struct pool *pool,
    struct ca_config_value *out, struct err *e) MUST_CHECK;
/* Names of the values under a node. E_FILE_NOT_FOUND for an unknown node. */
int
ca_config_names(struct ca *ca, const char *node, struct pool *pool, const char *const **names, size_t *n,
    struct err *e) MUST_CHECK;
/* The name by which ca.setting.set takes it, or NULL: it cannot be changed. */
const char *
ca_config_setting(const char *node, const char *entry, struct pool *pool);
/* As ca.setting.set takes a value of this kind. */
int
ca_config_text(
    const struct ca_config_value *v, struct pool *pool, const char **out, struct err *e) MUST_CHECK;

#endif
